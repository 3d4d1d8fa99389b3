package triage

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/decision"
	"github.com/yagura-sec/yagura/finding"
)

// Decisions keeps decisions that stand for more than one finding's verdict: see
// package decision. Each change is part of a decision's history, which nothing
// takes away, and an audit line.
type Decisions interface {
	// Decision gives one by its id; ErrUnknown where there is none.
	Decision(ctx context.Context, id string) (decision.Decision, error)
	// Decisions gives all, by when they were decided, the latest first, then by id.
	Decisions(ctx context.Context) ([]decision.Decision, error)
	// PutDecision keeps d in the place of what has its id. d.Version is that which
	// the caller has read, 0 where there is none: ErrChanged where it is another
	// meanwhile. ErrWrong where Check refuses it. What is as it was changes nothing.
	// Who wrote it first, when it was decided, and what reopened it, are not the
	// caller's to say: see PrepareStanding.
	PutDecision(ctx context.Context, d decision.Decision, e Edit) (decision.Decision, error)
	// Reopen notes why a decision came back, and says whether that was new: a
	// trigger that has reopened it, or that it does not have any more, is passed
	// over. ErrUnknown where there is no such decision.
	Reopen(ctx context.Context, id string, why []decision.Reopening, e Edit) (reopened bool, err error)
	// DecisionHistory gives the changes of a decision, or of all without an id, the
	// latest first.
	DecisionHistory(ctx context.Context, id string) ([]decision.Change, error)
}

// SortDecisions puts decisions into the order of Decisions.
func SortDecisions(all []decision.Decision) {
	slices.SortFunc(all, func(a, b decision.Decision) int {
		return cmp.Or(b.Decided.Compare(a.Decided), cmp.Compare(a.ID, b.ID))
	})
}

// PreparedDecision is a change of a decision as stores keep it.
type PreparedDecision struct {
	decision.Change
	Line finding.AuditLine
}

// PrepareStanding checks d and makes of it what stores keep in the place of old
// (nil: there is none). changed is false where it is what is there; then After is
// what is there.
func PrepareStanding(d decision.Decision, old *decision.Decision, e Edit) (c PreparedDecision, changed bool, err error) {
	e = e.prepared()
	is := 0
	if old != nil {
		is = old.Version
	}
	if d.Version != is {
		return c, false, fmt.Errorf("decision %s is at version %d, not %d: %w", d.ID, is, d.Version, ErrChanged)
	}
	d.Clean()
	d.By, d.At, d.Decided, d.Changed, d.Version = e.By, e.At, e.At, e.At, is+1
	for i := range d.Figures {
		if d.Figures[i].At.IsZero() {
			d.Figures[i].At = e.At
		}
	}
	for i := range d.Evidence {
		if d.Evidence[i].At.IsZero() {
			d.Evidence[i].At = e.At
		}
	}
	if old != nil {
		d.By, d.At = old.By, old.At
		if d.Verdict == old.Verdict {
			d.Decided = old.Decided
		}
	}
	d.Answered(old)
	if err := d.Check(); err != nil {
		return c, false, fmt.Errorf("%w: %w", ErrWrong, err)
	}
	if old != nil {
		same := d
		same.Changed, same.Version = old.Changed, old.Version
		if alike(same, *old) {
			return PreparedDecision{Change: decision.Change{ID: d.ID, After: old}}, false, nil
		}
	}
	c = PreparedDecision{Change: decision.Change{ID: d.ID, At: e.At, By: e.By, Note: e.Note, Action: deedOf(&d, old), Before: old, After: &d}}
	c.Line = finding.AuditLine{At: e.At, By: e.By, Action: "decision." + c.Action, Subject: d.ID, Text: DecisionText(&c.Change)}
	if err := c.Line.Check(); err != nil {
		return c, false, fmt.Errorf("%w: %w", ErrWrong, err)
	}
	return c, true, nil
}

// PrepareReopening is PrepareStanding for what reopens a decision.
func PrepareReopening(old decision.Decision, why []decision.Reopening, e Edit) (c PreparedDecision, changed bool, err error) {
	e = e.prepared()
	d := old
	d.Clean()
	for _, w := range why {
		known := slices.ContainsFunc(d.Reopened, func(x decision.Reopening) bool { return x.Trigger == w.Trigger })
		if !known && d.Has(w.Trigger) {
			w.Value, w.At = valid(w.Value), micros(w.At)
			d.Reopened = append(d.Reopened, w)
			changed = true
		}
	}
	if !changed {
		return c, false, nil
	}
	d.Changed, d.Version = e.At, old.Version+1
	c = PreparedDecision{Change: decision.Change{ID: d.ID, At: e.At, By: e.By, Note: e.Note, Action: "reopen", Before: &old, After: &d}}
	c.Line = finding.AuditLine{At: e.At, By: e.By, Action: "decision.reopen", Subject: d.ID, Text: DecisionText(&c.Change)}
	if err := c.Line.Check(); err != nil {
		return c, false, fmt.Errorf("%w: %w", ErrWrong, err)
	}
	return c, true, nil
}

// deedOf says what was done to a decision.
func deedOf(d, old *decision.Decision) string {
	if old == nil {
		return "create"
	}
	bare := func(x decision.Decision) decision.Decision {
		x.Asked, x.Changed, x.Version = nil, time.Time{}, 0
		return x
	}
	switch {
	case !alike(bare(*d), bare(*old)):
		return "change"
	case len(d.Asked) > len(old.Asked):
		return "ask"
	}
	return "answer"
}

// DecisionText is a change as one line that a person can read.
func DecisionText(c *decision.Change) string {
	d := c.After
	was := cmp.Or(c.Before, &decision.Decision{})
	said := []string{string(d.Verdict) + ": " + d.Title}
	add := func(what, value, before string) {
		if value != before && value != "" {
			said = append(said, what+" "+value)
		}
	}
	add("owner", d.Owner, was.Owner)
	add("reason", d.Reason, was.Reason)
	if !d.Revisit.Equal(was.Revisit) && !d.Revisit.IsZero() {
		said = append(said, "revisit "+d.Revisit.Format(time.DateOnly))
	}
	for _, t := range d.Triggers {
		if !slices.Contains(was.Triggers, t) {
			said = append(said, "when "+t.String())
		}
	}
	for _, r := range d.Reopened[min(len(was.Reopened), len(d.Reopened)):] {
		said = append(said, "reopened by "+r.Trigger.String()+": "+r.Text().String())
	}
	for _, q := range d.Asked[min(len(was.Asked), len(d.Asked)):] {
		said = append(said, strings.TrimSpace("asked "+q.Vendor+" "+q.Case)+": "+q.Question)
	}
	for i := range min(len(was.Asked), len(d.Asked)) {
		q := d.Asked[i]
		for _, a := range q.Answers[min(len(was.Asked[i].Answers), len(q.Answers)):] {
			said = append(said, strings.TrimSpace(q.Vendor+" "+q.Case)+" answered: "+a.Text)
		}
	}
	add("", c.Note, "")
	return strings.ReplaceAll(strings.Join(said, "; "), "\n", " ")
}
