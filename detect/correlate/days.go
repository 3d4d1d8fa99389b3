package correlate

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/yagura-sec/yagura/sigma/correlate"
)

var errManyHits = errors.New("too many hits for memory")

// maxRun is how many days are read together at most, where little happened.
const maxRun = 128

// passDays is pass for hits of which nothing is remembered: those of a run of
// days are read together, for no other rules than the parts want of them. Runs
// are as long as lets them be put in order in memory.
func (h *hits) passDays(ctx context.Context, parts []*part) error {
	days := daysOf(parts)
	length := 1
	for len(days) > 0 {
		run := days[:1]
		for len(run) < min(length, len(days)) && days[len(run)].at == run[len(run)-1].end { // what nobody wants is not read
			run = days[:len(run)+1]
		}
		n, err := h.passRun(ctx, run[0].at, run[len(run)-1].end, parts)
		if errors.Is(err, errManyHits) && len(run) > 1 {
			length = 1
			continue
		}
		if err != nil {
			return err
		}
		days = days[len(run):]
		switch {
		case n < h.dayHits/8:
			length = min(2*length, maxRun)
		case n > h.dayHits/2:
			length = max(1, length/2)
		}
	}
	return ctx.Err()
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
	wanted := map[*correlate.Base][]*part{}
	for _, p := range parts {
		if hourTime(at).Before(p.until) && hourTime(end).After(p.since) {
			for b := range p.rules {
				wanted[b] = append(wanted[b], p)
			}
		}
	}
	var all []correlate.Hit
	err = h.scan(ctx, at, end, wanted, false, func(hit correlate.Hit) error {
		if len(all) == h.dayHits {
			return errManyHits
		}
		all = append(all, hit)
		return nil
	})
	if errors.Is(err, errManyHits) && end-at <= 24 {
		return h.dayHits, h.scan(ctx, at, end, wanted, true, func(hit correlate.Hit) error { give(wanted, &hit); return nil })
	}
	if err != nil {
		return 0, err
	}
	slices.SortFunc(all, compareHits)
	for i := range all {
		give(wanted, &all[i])
	}
	return len(all), nil
}
