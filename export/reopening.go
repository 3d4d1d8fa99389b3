package export

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"time"

	"github.com/yagura-sec/yagura/decision"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/mask"
)

// Reopening is a decision that came back, as outputs tell of it. It is no finding:
// nothing is wrong, but somebody is to decide again. It is told once, however often
// the decision changes after it.
type Reopening struct {
	ID       string           `json:"id"` // the decision's
	Title    string           `json:"title"`
	Verdict  decision.Verdict `json:"verdict"`
	Reason   string           `json:"reason"`
	Owner    string           `json:"owner"`
	Accounts []string         `json:"accounts"` // that it speaks of; none: it is of no account alone
	Version  int              `json:"version"`  // of the decision, once it had come back
	At       time.Time        `json:"at"`
	Why      []ReopenedBy     `json:"reopened"`
}

// ReopenedBy is one thing that brought a decision back.
type ReopenedBy struct {
	Trigger string `json:"trigger"`         // as it is written: "items:111122223333:AWS::EC2::Subnet>600000"
	Value   string `json:"value,omitempty"` // what was measured; empty of a day
	Text    string `json:"text"`
}

// Reopenings gives the decisions that came back since a time on the clock (the zero
// time: whenever), each at least once, in any order, with m's aliases in the place of
// accounts, people and projects (nil: the names).
type Reopenings func(ctx context.Context, since time.Time, m *mask.Masker) iter.Seq2[Reopening, error]

// NewReopening tells of a change by which a decision came back, under text's aliases
// (nil: the names); ok is false of any other.
func NewReopening(c *decision.Change, text func(string) string) (r Reopening, ok bool) {
	if c.Action != "reopen" || c.Before == nil {
		return r, false
	}
	if text == nil {
		text = func(s string) string { return s }
	}
	d := c.After.Masked(text)
	accounts, _ := c.After.Places()
	r = Reopening{
		ID: d.ID, Title: d.Title, Verdict: d.Verdict, Reason: d.Reason, Owner: d.Owner, Version: d.Version, At: c.At,
		Accounts: append([]string{}, each(accounts, func(s *string) { *s = text(*s) })...),
	}
	for _, w := range d.Reopened[min(len(c.Before.Reopened), len(d.Reopened)):] {
		r.Why = append(r.Why, ReopenedBy{text(w.Trigger.String()), w.Value, text(w.Text().String())})
	}
	return r, true
}

// Key names the reopening in the outbox, where no finding has such a key.
func (r *Reopening) Key() string { return fmt.Sprintf("decision:%s@%d", r.ID, r.Version) }

// Revision changes with each time that the decision comes back, and with nothing
// else.
func (r *Reopening) Revision() string { return event.HashUID("reopening", r.Key()).String() }

// Event is the reopening as an event of Splunk's HTTP Event Collector: of the source
// type yagura:decision, whatever findings have.
func (r *Reopening) Event(o Options) HECEvent {
	e := HECEvent{Time: seconds(r.At), Host: "yagura", Source: "yagura", SourceType: "yagura:decision", Index: o.Index}
	e.Event.ID, e.Event.Revision, e.Event.Decision = r.ID, r.Revision(), r
	return e
}

// seconds are those since 1970.
func seconds(at time.Time) json.Number {
	ms := at.UnixMilli()
	return json.Number(fmt.Sprintf("%d.%03d", ms/1000, ms%1000))
}
