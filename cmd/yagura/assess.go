package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/lake"
	"github.com/yagura-sec/yagura/triage"
)

// How often principals and resources are judged anew, and by how much of the
// log, counted back from its end.
const (
	assessEvery = time.Hour
	assessDays  = 30
)

// keepAssessed judges the reach of principals and the exposure of resources
// until ctx ends: a part of priorities, see docs/triage.md.
func (s *server) keepAssessed(ctx context.Context) error {
	for {
		s.assess(ctx, s.rooms)
		select {
		case <-time.After(assessEvery):
		case <-ctx.Done():
			return nil
		}
	}
}

// owing is a file in the data directory that is there while an ingest runs, and
// stays where one was stopped: what it stored was not assessed.
const owing = "assessing"

// owe says that logs are about to come in that have to be assessed, and tells
// whether others still have to be.
func (p *program) owe() (already bool) {
	f, err := os.OpenFile(filepath.Join(p.dir, owing), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return true // it is there; or nobody can tell, and once too often does no harm
	}
	f.Close()
	return false
}

// paid says that all there is was assessed.
func (p *program) paid() { os.Remove(filepath.Join(p.dir, owing)) }

// assess judges them once, at the end of what brought logs or findings too, so that
// a list is in the same order whoever asks for it.
func (p *program) assess(ctx context.Context, r *rooms) {
	if err := assess(ctx, r); err != nil && ctx.Err() == nil {
		// Priorities are as they were: nothing else rests on it.
		p.warn("reach and exposure: %v", err)
	}
}

// assess tells triage what usage and the findings of others say.
func assess(ctx context.Context, r *rooms) error {
	var reach triage.Reach
	until, err := lastUse(ctx, r)
	if err != nil {
		return err
	}
	if !until.IsZero() {
		used := lake.UsageCondition{Since: until.AddDate(0, 0, -assessDays), Where: ofSecrets + " AND outcome = ?", Args: []any{string(event.Success)},
			By: []string{"actor_uid", "account_uid", "resource_uid"}}
		for row, err := range r.lake.UsageWhere(ctx, used) {
			if err != nil {
				return fmt.Errorf("what principals use: %w", err)
			}
			reach.Add(row.ActorUID, row.AccountUID, row.ResourceUID)
		}
	}
	told, _, err := r.triage.List(ctx, triage.Exposing())
	if err != nil {
		return err
	}
	_, err = r.triage.Assess(ctx, append(reach.Assessments(), triage.Exposures(told)...))
	return err
}

// lastUse is the last hour that there is usage of; zero: there is none.
func lastUse(ctx context.Context, r *rooms) (last time.Time, err error) {
	for row, err := range r.lake.UsageWhere(ctx, lake.UsageCondition{Where: "resource_uid = ''", By: []string{}}) {
		if err != nil {
			return last, err
		}
		if row.Hour.After(last) {
			last = row.Hour
		}
	}
	return last, nil
}
