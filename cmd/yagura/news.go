package main

import (
	"context"
	"errors"
	"time"

	"github.com/yagura-sec/yagura/api"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/triage"
)

// newsMost is how many findings of one recording are told of one by one; of more
// listeners are told that there is more than they hear.
const newsMost = 50

// recorder is triage as batches are recorded there; a serving program tells
// those who listen.
func (r *rooms) recorder() triage.Recorder {
	if r.live == nil {
		return r.triage
	}
	return tellingRecorder{r.triage, news{r.live, r.triage.Get, r.touch}}
}

// hunts is triage as hunts are recorded there, told of in the same way.
func (r *rooms) hunts() triage.Hunts {
	if r.live == nil {
		return r.triage
	}
	return tellingHunts{r.triage, news{r.live, r.triage.Get, r.touch}}
}

type tellingRecorder struct {
	triage.Recorder
	news
}

func (t tellingRecorder) Record(ctx context.Context, batch event.BatchID, j finding.Judged) error {
	return t.tell(ctx, j.Occurrences, func() error { return t.Recorder.Record(ctx, batch, j) })
}

type tellingHunts struct {
	triage.Hunts
	news
}

func (t tellingHunts) RecordHunt(ctx context.Context, h finding.Hunt, seen int64) error {
	return t.tell(ctx, h.Occurrences, func() error { return t.Hunts.RecordHunt(ctx, h, seen) })
}

func (t tellingHunts) RecordHunts(ctx context.Context, all []triage.Hunted) error {
	var found []finding.Occurrence
	for _, h := range all {
		found = append(found, h.Occurrences...)
	}
	return t.tell(ctx, found, func() error { return t.Hunts.RecordHunts(ctx, all) })
}

// news tells what recordings make of findings.
type news struct {
	live interface {
		Listened() bool
		Finding(api.LiveFinding)
		Missed()
	}
	get func(ctx context.Context, key string) (finding.Finding, error)
	// touch is told of what was recorded, whether anybody listens or not.
	touch func([]finding.Occurrence)
}

// tell records, and tells of the findings of those occurrences. Nobody waits for
// it while nobody listens.
func (n news) tell(ctx context.Context, all []finding.Occurrence, record func() error) error {
	defer n.touch(all) // also after an error: it may have been recorded
	if len(all) == 0 || !n.live.Listened() {
		return record()
	}
	before := map[string]*finding.Finding{} // nil: there was none
	for _, o := range all {
		if len(before) == newsMost {
			break
		}
		f, err := n.get(ctx, o.Key)
		switch {
		case err == nil:
			before[o.Key] = &f
		case errors.Is(err, triage.ErrNotFound):
			before[o.Key] = nil
		}
	}
	if err := record(); err != nil {
		return err
	}
	if len(before) == newsMost {
		n.live.Missed()
	}
	for key, was := range before {
		now, err := n.get(ctx, key)
		// News are a courtesy: what cannot be read now is in the list.
		if err != nil || now.Demoted || now.Staged || now.Folded != "" || was != nil && was.Count == now.Count && was.Priority == now.Priority {
			continue
		}
		change := "changed"
		if was == nil {
			change = "new"
		}
		n.live.Finding(api.ViewNews(&now, change))
	}
	return nil
}

// newsEvery is how often listeners are told that the log has moved on.
const newsEvery = 2 * time.Second

// keepNews tells listeners that there are new records, or other rules, until ctx
// ends.
func (s *server) keepNews(ctx context.Context) error {
	tick := time.NewTicker(newsEvery)
	defer tick.Stop()
	stored, reloads := s.pipe.Stats().Stored, s.reloads.Load()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
		if now := s.pipe.Stats().Stored; now != stored {
			stored = now
			s.rooms.live.Ledger()
		}
		if now := s.reloads.Load(); now != reloads {
			reloads = now
			s.rooms.live.Rules()
		}
	}
}
