package correlate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/yagura-sec/yagura/sigma/correlate"
)

var errManyHits = errors.New("too many hits for memory")

// Days are read together where little happened, for a question takes its time even
// if it is about little: maxRun that adjoin, and any number, over gaps of which
// nothing is wanted, as long as no more than runEvents are stored from the first to
// the last of them.
const (
	maxRun    = 128
	runEvents = 10_000
)

// passDays is pass for hits of which nothing is remembered: those of a run of
// days are read together, for no other rules than the parts want of them. Runs
// are as long as lets them be put in order in memory.
func (h *hits) passDays(ctx context.Context, parts []*part) error {
	days := daysOf(parts)
	length, apart := 1, false
	for len(days) > 0 {
		run := adjoining(days, length)
		if !apart {
			n, err := h.sparse(ctx, days, len(run))
			if err != nil {
				return err
			}
			run = days[:n]
		}
		n, err := h.passRun(ctx, run[0].at, run[len(run)-1].end, parts)
		if errors.Is(err, errManyHits) && len(run) > 1 {
			length, apart = 1, true
			continue
		}
		if err != nil {
			return err
		}
		days, apart = days[len(run):], false
		switch {
		case n < h.dayHits/8:
			length = min(2*length, maxRun)
		case n > h.dayHits/2:
			length = max(1, length/2)
		}
	}
	return ctx.Err()
}

// adjoining are the first of the days, so many at most, between which there are no
// hours that nobody wants: those are not read.
func adjoining(days []span, most int) []span {
	n := 1
	for n < min(most, len(days)) && days[n].at == days[n-1].end {
		n++
	}
	return days[:n]
}

// sparse is how many of the days, from the first on, are to be read together
// because little is stored from one to the other, at least n.
func (h *hits) sparse(ctx context.Context, days []span, n int) (int, error) {
	if h.count == nil {
		return n, nil
	}
	from := hourTime(days[0].at / 24 * 24)
	for n < len(days) {
		next := min(2*n, len(days))
		// Whole days are counted without reading them.
		stored, err := h.count(ctx, from, hourTime((days[next-1].end+23)/24*24))
		if err != nil {
			return 0, fmt.Errorf("count events from %s on: %w", from.Format(time.RFC3339), err)
		}
		if stored > runEvents {
			break
		}
		n = next
	}
	return n, nil
}

// span is hours, the last not included.
type span struct{ at, end int64 }

// daysOf are the days that a part wants, of each the hours from the first to the
// last.
func daysOf(parts []*part) []span {
	days := map[int64]span{}
	for _, p := range parts {
		for k := unixHour(p.since); p.within(k); k++ {
			s, met := days[k/24]
			if !met {
				s = span{k, k + 1}
			}
			days[k/24] = span{min(s.at, k), max(s.end, k+1)}
		}
	}
	return slices.SortedFunc(maps.Values(days), func(a, b span) int { return cmp.Compare(a.at, b.at) })
}

// passRun passes the hits of hours from at to before end, and gives how many they
// are. More than fit into memory are errManyHits, if they are of several days;
// those of one are read in order.
func (h *hits) passRun(ctx context.Context, at, end int64, parts []*part) (n int, err error) {
	var wanting []*part
	for _, p := range parts {
		if hourTime(at).Before(p.until) && hourTime(end).After(p.since) {
			wanting = append(wanting, p)
		}
	}
	wanted := waitingOf(wanting)
	only := func(b *correlate.Base) bool { return wanted[b] != nil }
	var all []correlate.Hit
	err = h.scan(ctx, at, end, only, false, func(hit correlate.Hit) error {
		if len(all) == h.dayHits {
			return errManyHits
		}
		all = append(all, hit)
		return nil
	})
	if errors.Is(err, errManyHits) && end-at <= 24 {
		return h.dayHits, h.scan(ctx, at, end, only, true, func(hit correlate.Hit) error { wanted[hit.Base].give(&hit); return nil })
	}
	if err != nil {
		return 0, err
	}
	slices.SortFunc(all, compareHits)
	for i := range all {
		wanted[all[i].Base].give(&all[i])
	}
	return len(all), nil
}

// waiting are the parts that want hits of a rule, which come in order of time:
// of a sparse history they are many and short.
type waiting struct {
	later []*part // that have not begun, by their beginnings
	now   []*part
}

func waitingOf(parts []*part) map[*correlate.Base]*waiting {
	parts = slices.Clone(parts)
	slices.SortStableFunc(parts, func(a, b *part) int { return a.since.Compare(b.since) })
	out := map[*correlate.Base]*waiting{}
	for _, p := range parts {
		for b := range p.rules {
			if out[b] == nil {
				out[b] = &waiting{}
			}
			out[b].later = append(out[b].later, p)
		}
	}
	return out
}

// give hands a hit to the parts that want it.
func (w *waiting) give(hit *correlate.Hit) {
	for len(w.later) > 0 && !hit.Time.Before(w.later[0].since) {
		w.now, w.later = append(w.now, w.later[0]), w.later[1:]
	}
	w.now = slices.DeleteFunc(w.now, func(p *part) bool { return !hit.Time.Before(p.until) })
	for _, p := range w.now {
		p.take(hit)
	}
}
