package api

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/triage"
)

// What is looked at for a cause: so many of the events that a finding rests on, and
// so many around it of what its principal did and of what was changed in its account.
const (
	causeEvidence = 10
	causeAround   = 400
	causeBefore   = 2 * time.Hour
	causeAfter    = 30 * time.Minute
)

// Causes keeps probable causes of findings that are looked at, at most causesMost:
// as long as a finding stays as it is and nothing comes in, else for causeLasts, for
// the log around it may still come. They are looked for behind the back of who
// asks, a few at a time and not all of the time, and listeners are told when one is
// found. The zero value has none.
type Causes struct {
	// Changes is a number that is another one when something came in; nil: that is
	// not known.
	Changes func() int64

	mu      sync.Mutex
	all     map[string]*keptCause
	waiting int           // that are looked for, or will be
	running chan struct{} // has room for those that may be at a time
}

type keptCause struct {
	of    string        // the state of the finding
	at    time.Time     // when it was looked for
	seen  int64         // Changes then
	done  chan struct{} // closed when it was
	cause *ProposedCause
	err   error
}

const (
	causesMost = 2000
	causeLasts = 5 * time.Minute
	// causeWait is how long an answer waits for a cause, and causeTime how long one
	// may take; causesRunning are looked for at a time, with as long a rest after
	// each, so that answers get the better part of the processors, and causesWaiting
	// may wait.
	causeWait     = 50 * time.Millisecond
	causeTime     = 20 * time.Second
	causesRunning = 1
	causesWaiting = 50
)

// proposedCause says what probably brought f about, nil where nothing shows it;
// pending: that is not known yet.
func (r Rooms) proposedCause(ctx context.Context, f *finding.Finding) (_ *ProposedCause, pending bool, err error) {
	if r.Triage.Causes == nil {
		cause, err := r.findCause(ctx, f)
		return cause, false, err
	}
	x := r.Triage.Causes.begin(ctx, r, f)
	if x == nil {
		return nil, true, nil
	}
	wait := time.NewTimer(causeWait)
	defer wait.Stop()
	select {
	case <-x.done:
		return x.cause, false, nil // what went wrong was told, and the finding is there all the same
	case <-wait.C:
		return nil, true, nil
	case <-ctx.Done():
		return nil, true, ctx.Err()
	}
}

// begin gives the cause of f that is known or being looked for; nil: too many are.
func (c *Causes) begin(ctx context.Context, r Rooms, f *finding.Finding) *keptCause {
	state := fmt.Sprint(f.Count, f.LastSeen.UnixMicro(), len(f.Explained))
	now := time.Now()
	// What shows a cause may lie in accounts that not everybody sees.
	key := f.Key + "\x00" + strings.Join(who(ctx).Accounts, "\x00")
	c.mu.Lock()
	defer c.mu.Unlock()
	changes, known := int64(0), c.Changes != nil
	if known {
		changes = c.Changes()
	}
	if x := c.all[key]; x != nil && x.of == state && !x.failed() && (now.Sub(x.at) < causeLasts || known && x.seen == changes) {
		return x
	}
	if c.waiting >= causesWaiting {
		return nil
	}
	if c.running == nil {
		c.running = make(chan struct{}, causesRunning)
	}
	if c.all == nil || len(c.all) >= causesMost {
		c.all = map[string]*keptCause{}
	}
	x := &keptCause{of: state, at: now, seen: changes, done: make(chan struct{})}
	c.all[key] = x
	c.waiting++
	copied := *f
	go func() {
		c.running <- struct{}{}
		began := time.Now()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), causeTime)
		defer cancel()
		x.cause, x.err = r.findCause(ctx, &copied)
		time.AfterFunc(time.Since(began), func() { <-c.running })
		if x.err != nil {
			r.Failed(fmt.Errorf("cause of %s: %w", copied.Key, x.err))
		}
		c.mu.Lock()
		c.waiting--
		c.mu.Unlock()
		close(x.done)
		if x.cause != nil && time.Since(now) > causeWait {
			r.Live.Finding(ViewNews(&copied, "changed")) // who did not get it asks again
		}
	}()
	return x
}

// failed tells whether it is to be looked for again.
func (x *keptCause) failed() bool {
	select {
	case <-x.done:
		return x.err != nil
	default:
		return false
	}
}

// findCause looks for what probably brought f about.
func (r Rooms) findCause(ctx context.Context, f *finding.Finding) (*ProposedCause, error) {
	around, err := r.around(ctx, f)
	if err != nil {
		return nil, err
	}
	said := triage.ProposeCause(f, around)
	if said.Cause == finding.CauseUnknown {
		return nil, nil
	}
	return &ProposedCause{said.Cause, said.Confidence, said.Text, list(said.Evidence)}, nil
}

// around are the events that show a cause of f: some that it rests on, what its
// principal did around its first, and what was changed in its account.
func (r Rooms) around(ctx context.Context, f *finding.Finding) ([]event.Event, error) {
	out, err := r.eventsOf(ctx, sightings(f), causeEvidence, false)
	if err != nil {
		return nil, err
	}
	met := map[event.UID]bool{}
	for _, e := range out {
		met[e.UID] = true
	}
	where := circumstances(f)
	if where == nil {
		return out, nil
	}
	ctx, cancel := context.WithTimeout(ctx, searchTime)
	defer cancel()
	q := query.Query{Where: where, Since: f.FirstSeen.Add(-causeBefore), Until: f.FirstSeen.Add(causeAfter), Limit: causeAround, NoRaw: true}
	for e, err := range r.Select(ctx, q) {
		if err != nil {
			return nil, err
		}
		if !met[e.UID] {
			out = append(out, e)
		}
	}
	return out, nil
}

// refused are outcomes of calls that were not let through.
var refused = []event.Outcome{event.Denied, event.AuthFailed, event.DeniedByOrgPolicy}

// circumstances choose, in one question, what tells of a cause beside what f rests
// on: what was changed in its account, and of its principal what it changed and was
// refused; all that a person did, for where they came from.
func circumstances(f *finding.Finding) query.Expr {
	changed := query.Eq{Field: "read_only", Value: false}
	var any query.Or
	if f.Account != "" {
		any.X = append(any.X, query.And{X: []query.Expr{query.Eq{Field: "account_uid", Value: f.Account}, changed}})
	}
	if of := whose(f); of != nil {
		if f.Person() == "" {
			telling := query.Or{X: []query.Expr{changed}}
			for _, o := range refused {
				telling.X = append(telling.X, query.Eq{Field: "outcome", Value: string(o)})
			}
			of = query.And{X: []query.Expr{of, telling}}
		}
		any.X = append(any.X, of)
	}
	switch len(any.X) {
	case 0:
		return nil
	case 1:
		return any.X[0]
	}
	return any
}
