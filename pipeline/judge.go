package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/lake"
	"github.com/yagura-sec/yagura/ledger"
)

// judge asks every detector about the batch's new events.
func (p *Pipeline) judge(ctx context.Context, r lake.Recovered) (finding.Judged, error) {
	var all finding.Judged
	if len(r.Events) == 0 {
		return all, nil
	}
	for _, d := range p.rooms.Detectors {
		j, err := d.Judge(ctx, r.Batch, r.Events)
		if err != nil {
			return all, fmt.Errorf("judge %d events: %w", len(r.Events), err)
		}
		all.Occurrences = append(all.Occurrences, j.Occurrences...)
		all.Matches = append(all.Matches, j.Matches...)
		all.Sources = append(all.Sources, j.Sources...)
		all.Marks = append(all.Marks, j.Marks...)
	}
	return all, nil
}

// coverage counts events per account, region and hour, in that order. What
// somebody concluded from logs (findings of others, insights) is left out: it
// would make an hour look covered whose log is missing.
func coverage(events []event.Event) []ledger.Coverage {
	type place struct {
		account, region string
		hour            int64 // Unix hours
	}
	counts := map[place]int64{}
	for i := range events {
		e := &events[i]
		if e.Category == event.Insight {
			continue
		}
		counts[place{e.AccountUID, e.Region, e.Time.Unix() / 3600}]++
	}
	out := make([]ledger.Coverage, 0, len(counts))
	for at, n := range counts {
		out = append(out, ledger.Coverage{Account: at.account, Region: at.region, Hour: time.Unix(at.hour*3600, 0).UTC(), Records: n})
	}
	slices.SortFunc(out, func(a, b ledger.Coverage) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Region, b.Region), a.Hour.Compare(b.Hour))
	})
	return out
}

func (c *counters) add(r lake.Recovered, j finding.Judged) {
	for _, s := range r.Spans {
		c.stored.Add(s.Verdicts.Count(event.Stored))
		c.duplicate.Add(s.Verdicts.Count(event.Duplicate))
		c.quarantined.Add(s.Verdicts.Count(event.Quarantined))
		c.expired.Add(s.Verdicts.Count(event.Expired))
	}
	c.batches.Add(1)
	if len(j.Occurrences) == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.keys == nil {
		c.keys = map[string]struct{}{}
	}
	for _, o := range j.Occurrences {
		if c.quiet == nil || !c.quiet(o.Rule) {
			c.keys[o.Key] = struct{}{}
		}
	}
}
