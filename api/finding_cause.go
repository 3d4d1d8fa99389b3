package api

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/triage"
)

// What is looked at for a cause: so many of the events that a finding rests on, and
// so many of its principal and of changes in its account around it.
const (
	causeEvidence = 10
	causeAround   = 200
	causeBefore   = 2 * time.Hour
	causeAfter    = 30 * time.Minute
)

// Causes keeps probable causes of findings that are looked at: as long as a
// finding stays as it is, at most causesMost of them and each for causeLasts, for
// the log around it may still come. The zero value has none.
type Causes struct {
	mu  sync.Mutex
	all map[string]keptCause
}

type keptCause struct {
	of    string // the state of the finding
	at    time.Time
	cause *ProposedCause
}

const (
	causesMost = 2000
	causeLasts = 5 * time.Minute
)

func (c *Causes) get(key, of string, now time.Time) (*ProposedCause, bool) {
	if c == nil {
		return nil, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	x, ok := c.all[key]
	return x.cause, ok && x.of == of && now.Sub(x.at) < causeLasts
}

func (c *Causes) keep(key string, x keptCause) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.all == nil || len(c.all) >= causesMost {
		c.all = map[string]keptCause{}
	}
	c.all[key] = x
}

// proposedCause says what probably brought f about; nil: nothing shows it.
func (r Rooms) proposedCause(ctx context.Context, f *finding.Finding) (*ProposedCause, error) {
	state := fmt.Sprint(f.Count, f.LastSeen.UnixMicro(), len(f.Explained))
	if c, ok := r.Triage.Causes.get(f.Key, state, r.Now()); ok {
		return c, nil
	}
	around, err := r.around(ctx, f)
	if err != nil {
		return nil, err
	}
	said := triage.ProposeCause(f, around)
	var out *ProposedCause
	if said.Cause != finding.CauseUnknown {
		out = &ProposedCause{said.Cause, said.Confidence, said.Text, list(said.Evidence)}
	}
	r.Triage.Causes.keep(f.Key, keptCause{state, r.Now(), out})
	return out, nil
}

// around are the events that show a cause of f: some that it rests on, what its
// principal did around its first, and what was changed in its account.
func (r Rooms) around(ctx context.Context, f *finding.Finding) ([]event.Event, error) {
	out, err := r.eventsOf(ctx, sightings(f), causeEvidence)
	if err != nil {
		return nil, err
	}
	met := map[event.UID]bool{}
	for _, e := range out {
		met[e.UID] = true
	}
	ctx, cancel := context.WithTimeout(ctx, searchTime)
	defer cancel()
	var asks []query.Expr
	if f.Account != "" {
		asks = append(asks, query.And{X: []query.Expr{query.Eq{Field: "account_uid", Value: f.Account}, query.Eq{Field: "read_only", Value: false}}})
	}
	if where := whose(f); where != nil {
		asks = append(asks, where)
	}
	for _, where := range asks {
		q := query.Query{Where: where, Since: f.FirstSeen.Add(-causeBefore), Until: f.FirstSeen.Add(causeAfter), Limit: causeAround}
		for e, err := range r.Select(ctx, q) {
			if err != nil {
				return nil, err
			}
			if !met[e.UID] {
				met[e.UID] = true
				out = append(out, e)
			}
		}
	}
	return out, nil
}
