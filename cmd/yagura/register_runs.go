package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/yagura-sec/yagura/detect/denials"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/pipeline"
	"github.com/yagura-sec/yagura/triage"
)

// registerChanged holds the register against what is used, and against the runs of
// refusals that are open, after it changed at since or later.
func (p *program) registerChanged(ctx context.Context, r *rooms, since time.Time) error {
	return errors.Join(p.checkRegister(ctx, r), p.retell(ctx, r, since))
}

// retell says anew what nobody applied for, and which verdict that speaks for, of
// the runs of refusals that are open in projects whose entries changed at since or
// later. Hours that were dropped cannot be looked at again: what was said of them
// stays.
func (p *program) retell(ctx context.Context, r *rooms, since time.Time) error {
	hours, err := r.runHours(ctx, since)
	if err != nil || len(hours) == 0 {
		return err
	}
	horizon, err := r.lake.Horizon()
	if err != nil {
		return err
	}
	now, err := r.latest(ctx)
	if err != nil {
		return err
	}
	if now = now.Add(-pipeline.DefaultLateness); now.After(p.now()) {
		now = p.now()
	}
	hunter := p.denials(r)
	for _, s := range stretches(hours) {
		if s.from.Before(horizon) {
			continue
		}
		// An hour that is open stays marked, so that what comes meanwhile is not lost.
		said, err := hunter.Hunt(ctx, denials.Name, s.from, s.to, now)
		if err == nil {
			err = r.hunts().RecordHunt(ctx, said, 0)
		}
		if err != nil {
			return fmt.Errorf("tell runs of refusals anew after a change of the register: %w", err)
		}
	}
	return nil
}

// runHours are the hours of open runs of refusals in projects whose entries
// changed at since or later, as far as findings keep them.
func (r *rooms) runHours(ctx context.Context, since time.Time) (out []time.Time, err error) {
	runs, _, err := r.triage.List(ctx, triage.Filter{
		Kind: finding.KindAnomaly + "." + finding.SignDenials, Status: []finding.Status{finding.New, finding.InProgress}, Folded: true, Demoted: true,
	})
	if err != nil {
		return nil, err
	}
	changed := map[string]bool{}
	for i := range runs {
		f := &runs[i]
		is, known := changed[f.Account]
		if !known {
			history, err := r.triage.RegisterHistory(ctx, f.Account)
			if err != nil {
				return nil, err
			}
			is = len(history) > 0 && !history[0].At.Before(since.Truncate(time.Microsecond))
			changed[f.Account] = is
		}
		if !is || f.Constraint == "" { // of AWS's principals no service is told
			continue
		}
		for _, list := range [][]finding.Sighting{f.Evidence.First, f.Evidence.Latest} {
			for _, s := range list {
				out = append(out, finding.Hour(s.Time))
			}
		}
	}
	slices.SortFunc(out, time.Time.Compare)
	return slices.Compact(out), nil
}

// stretch is hours that follow upon each other.
type stretch struct{ from, to time.Time } // [from, to)

// stretches are those of hours, which are in order.
func stretches(hours []time.Time) (out []stretch) {
	for _, h := range hours {
		end := h.Add(time.Hour)
		if n := len(out) - 1; n >= 0 && out[n].to.Equal(h) {
			out[n].to = end
			continue
		}
		out = append(out, stretch{h, end})
	}
	return out
}
