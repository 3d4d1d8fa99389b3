package correlate

import (
	"context"
	"errors"
	"slices"

	"github.com/yagura-sec/yagura/sigma/correlate"
)

var errManyHits = errors.New("too many hits for memory")

// passDays is pass for hits of which nothing is remembered: those of a day are
// read together, for no other rules than the parts want of the day.
func (h *hits) passDays(ctx context.Context, parts []*part) error {
	type span struct{ at, end int64 } // hours
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
	order := make([]int64, 0, len(days))
	for d := range days {
		order = append(order, d)
	}
	slices.Sort(order)
	for _, d := range order {
		wanted := map[*correlate.Base][]*part{}
		for _, p := range parts {
			if hourTime(days[d].at).Before(p.until) && hourTime(days[d].end).After(p.since) {
				for b := range p.rules {
					wanted[b] = append(wanted[b], p)
				}
			}
		}
		if err := h.passDay(ctx, days[d].at, days[d].end, wanted); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (h *hits) passDay(ctx context.Context, at, end int64, wanted map[*correlate.Base][]*part) error {
	var all []correlate.Hit
	err := h.scan(ctx, at, end, wanted, false, func(hit correlate.Hit) error {
		if len(all) == h.dayHits {
			return errManyHits
		}
		all = append(all, hit)
		return nil
	})
	if errors.Is(err, errManyHits) {
		return h.scan(ctx, at, end, wanted, true, func(hit correlate.Hit) error { give(wanted, &hit); return nil })
	}
	if err != nil {
		return err
	}
	slices.SortFunc(all, compareHits)
	for i := range all {
		give(wanted, &all[i])
	}
	return nil
}
