package main

import (
	"context"
	"fmt"
	"iter"
	"runtime/debug"
	"slices"
	"time"

	"github.com/yagura-sec/yagura/catalogue"
	"github.com/yagura-sec/yagura/detect"
	"github.com/yagura-sec/yagura/detect/correlate"
	"github.com/yagura-sec/yagura/detect/rule"
	"github.com/yagura-sec/yagura/detect/stored"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/lake"
	"github.com/yagura-sec/yagura/pipeline"
	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/triage"
)

// history is how rules are held against what is stored.
func (r *rooms) history() stored.Source {
	return stored.Source{
		Dialect: r.lake.Dialect(),
		Where: func(ctx context.Context, c stored.Condition) iter.Seq2[event.Event, error] {
			return r.lake.SelectWhere(ctx, lake.Condition(c))
		},
		Select: r.lake.Select,
	}
}

// latest is the time of the latest stored event.
func (r *rooms) latest(ctx context.Context) (time.Time, error) {
	for e, err := range r.lake.Select(ctx, query.Query{Limit: 1}) {
		return e.Time, err
	}
	return time.Time{}, ctx.Err()
}

// earliest is the time of the earliest stored event.
func (r *rooms) earliest(ctx context.Context) (time.Time, error) {
	for e, err := range r.lake.Select(ctx, query.Query{Limit: 1, OldestFirst: true}) {
		return e.Time, err
	}
	return time.Time{}, ctx.Err()
}

// latestMark is the Seq of the latest mark.
func (r *rooms) latestMark(ctx context.Context) (seen int64, err error) {
	marks, err := r.triage.Marks(ctx)
	for _, m := range marks {
		seen = max(seen, m.Seq)
	}
	return seen, err
}

// folded are the findings of occurrences, the most pressing first.
func folded(all []finding.Occurrence) (out []finding.Finding) {
	byKey := map[string][]finding.Occurrence{}
	for _, o := range all {
		byKey[o.Key] = append(byKey[o.Key], o)
	}
	for _, some := range byKey {
		out = append(out, finding.Fold(some))
	}
	pressing(out)
	return out
}

// pressing orders findings as triage lists them.
func pressing(all []finding.Finding) {
	slices.SortFunc(all, func(a, b finding.Finding) int { return triage.PlaceOf(&a, "").Compare(triage.PlaceOf(&b, "")) })
}

// hunters makes the hunting of the rules that judge, which have not begun to.
func (p *program) hunters(r *rooms, live bool) {
	r.hunter.Store(r.hunterOf(r.rules.Detector(), live))
	r.hunting = pipeline.NewHunting(pipeline.HuntRooms{
		Hunters: []detect.Hunter{r.hunter.Load()}, Triage: r.hunts(), Latest: r.latest, Horizon: r.lake.Horizon,
	}, pipeline.HuntOptions{Now: p.now, Quiet: r.quiet})
}

// hunterOf makes the hunter of a detector that has not begun to judge.
func (r *rooms) hunterOf(d *rule.Detector, live bool) *correlate.Hunter {
	return catalogue.Hunter(d, r.history(), live, func(ctx context.Context, since, until time.Time) (int64, error) {
		return r.lake.Count(ctx, query.Query{Since: since, Until: until})
	})
}

// correlate finds what correlations say of the hours that something came into.
func (p *program) correlate(ctx context.Context, r *rooms) error {
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(serveMemory)) // the query engine is at work
	stop := p.progress(func() string {
		s := r.hunting.Stats()
		return fmt.Sprintf("correlating: %s hours looked at, %s to go", number(s.Hours), number(s.Waiting-s.Open))
	})
	defer stop()
	return r.hunting.Run(ctx)
}

// huntEvery is how often a serving program looks whether hours are marked.
const huntEvery = 2 * time.Second

// keepHunting runs a round whenever something came, until ctx ends: changed tells
// a number that is another one then.
func keepHunting(ctx context.Context, h *pipeline.Hunting, changed func() int64) error {
	tick := time.NewTicker(huntEvery)
	defer tick.Stop()
	for last := int64(-1); ; {
		if now := changed(); now != last && !h.Resting() {
			if _, err := h.Round(ctx); err != nil && ctx.Err() == nil {
				return fmt.Errorf("hunt: %w", err)
			}
			last = now
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}
