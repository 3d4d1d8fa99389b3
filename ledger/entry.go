package ledger

import (
	"fmt"
	"time"

	"github.com/yagura-sec/yagura/event"
)

// Options of every engine; the zero value has the defaults.
type Options struct {
	// Now is the clock that objects are listed by; nil: time.Now.
	Now func() time.Time
	// QuarantineBytes caps the compressed bodies kept in quarantine; 0: 1 GiB.
	// Beyond it rejects are kept without their bodies, and marked.
	QuarantineBytes int64
}

// Fill puts defaults where nothing is set.
func (o *Options) Fill() {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.QuarantineBytes == 0 {
		o.QuarantineBytes = 1 << 30
	}
}

// KeepBatches is how many settled batch ids a ledger remembers at least, newest
// first. Only batches that were never released are settled again, and those are
// the few that were under way when the program ended.
const KeepBatches = 100_000

// Entry is what an engine keeps of one version of an object. Of the object's
// State it keeps what Supersede made of it, so that Superseded is not lost.
type Entry struct {
	Object
	Account Account
}

// Settle takes a span read at the given time; see Account.Settle.
func (e *Entry) Settle(s event.SpanAccount, at time.Time) (replaced event.Verdicts) {
	if e.Listed.IsZero() {
		e.Listed = at
	}
	if s.Kind != "" {
		e.Kind = s.Kind
	}
	replaced = e.Account.Settle(s)
	retried := s.Records > 0 && replaced.Records() == s.Records && s.Size == 0 &&
		end{s.Final, s.AtEnd, s.Mark, s.SHA256, s.Failure}.silent()
	if at.After(e.Read) && !retried { // a record taken out of quarantine is no reading of its object
		e.Read = at
	}
	// The span that ends last saw the object at its largest.
	if n := len(e.Account.pieces); s.Size > 0 && s.First+s.Records == e.Account.pieces[n-1].last() {
		e.Size = s.Size
	}
	return replaced
}

// Supersede sets the State of every version of one object, whatever their
// order, and returns those whose state changed, and by how many those that are
// not Superseded became more. A version is Superseded once one that was seen
// later was read to its end and holds again what was read of it.
func Supersede(versions []*Entry) (changed []*Entry, objects int64) {
	states := make([]State, len(versions))
	for i, e := range versions {
		states[i], _ = e.Account.State(e.Kind)
	}
	for i, e := range versions {
		state := states[i]
		for j, later := range versions {
			if later.seen().After(e.seen()) && states[j].atEnd() && later.Account.holds(&e.Account) {
				state = Superseded
				break
			}
		}
		if e.State == state {
			continue
		}
		switch Superseded {
		case state:
			objects--
		case e.State:
			objects++
		}
		e.State = state
		changed = append(changed, e)
	}
	return changed, objects
}

// seen is when it was last known that the object is as in this version.
func (e *Entry) seen() time.Time {
	if e.Read.After(e.Listed) {
		return e.Read
	}
	return e.Listed
}

// atEnd tells whether everything the object held was read, or it is no log.
func (s State) atEnd() bool { return s == Complete || s == Growing || s == Aside }

// Check tells whether the settlement holds together: as many verdicts as
// records in every span, none of them negative.
func (s *Settlement) Check() error {
	for _, span := range s.Spans {
		if n := span.Verdicts.Records(); n != span.Records || span.First < 0 || n < 0 {
			return fmt.Errorf("settle records %d+%d of %s: %d verdicts", span.First, span.Records, span.Object, n)
		}
	}
	return nil
}

// BodyToKeep is the reject's body if it is to be kept, or dropped: there is
// none though the record had bytes, or it is too large.
func BodyToKeep(r *event.Reject) (body []byte, dropped bool) {
	if len(r.Body) > event.MaxRejectBody || len(r.Body) == 0 && r.Size > 0 {
		return nil, true
	}
	return r.Body, false
}

// Add counts verdicts into the totals, or out of them with sign -1.
func (t *Totals) Add(vs event.Verdicts, sign int64) {
	t.Read += sign * vs.Records()
	t.Stored += sign * vs.Count(event.Stored)
	t.Duplicate += sign * vs.Count(event.Duplicate)
	t.Quarantined += sign * vs.Count(event.Quarantined)
	t.Expired += sign * vs.Count(event.Expired)
}
