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
	"github.com/yagura-sec/yagura/say"
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

// DecisionText is a change as one line that a person can read, as audit lines keep it.
func DecisionText(c *decision.Change) string { return DecisionSaid(c).String() }

// DecisionSaid is what a change is about: its verdict, and what is other than before.
func DecisionSaid(c *decision.Change) say.Text {
	d, was := c.After, cmp.Or(c.Before, &decision.Decision{})
	title := say.Plain(oneLine(d.Title))
	if d.TitleMade != "" {
		title = d.Titled()
	}
	said := []say.Text{say.T("audit.decision.verdict."+string(d.Verdict), say.Values{"title": title})}
	if d.Owner != was.Owner {
		said = append(said, say.T("audit.decision.owner", say.Values{"who": oneLine(d.Owner)}))
	}
	if d.Reason != was.Reason {
		said = append(said, say.T("audit.decision.reason", say.Values{"reason": oneLine(d.Reason)}))
	}
	if !d.Revisit.Equal(was.Revisit) && !d.Revisit.IsZero() {
		said = append(said, say.T("audit.decision.revisit", say.Values{"day": d.Revisit.Format(time.DateOnly)}))
	}
	for _, t := range d.Triggers {
		if !slices.Contains(was.Triggers, t) {
			said = append(said, say.T("audit.decision.when", say.Values{"trigger": oneLine(t.String())}))
		}
	}
	for _, r := range d.Reopened[min(len(was.Reopened), len(d.Reopened)):] {
		trigger := oneLine(r.Trigger.String())
		if r.Value == "" {
			said = append(said, say.T("audit.decision.reopened", say.Values{"trigger": trigger}))
		} else {
			said = append(said, say.T("audit.decision.reopened.at", say.Values{"trigger": trigger, "value": oneLine(r.Value)}))
		}
	}
	said = append(said, askedSaid(d.Asked, was.Asked)...)
	if c.Note != "" {
		said = append(said, say.T("audit.decision.words", say.Values{"words": oneLine(c.Note)}))
	}
	return say.T("audit.parts", say.Values{"parts": say.Each(said...)})
}

// askedSaid is what was asked and answered since.
func askedSaid(now, was []decision.Inquiry) (said []say.Text) {
	for i, q := range now {
		vendor, known := strings.TrimSpace(q.Vendor+" "+q.Case), 0
		if i < len(was) {
			known = min(len(was[i].Answers), len(q.Answers))
		} else {
			said = append(said, say.T("audit.decision.asked", say.Values{"vendor": oneLine(vendor), "question": oneLine(q.Question)}))
		}
		for _, a := range q.Answers[known:] {
			said = append(said, say.T("audit.decision.answered", say.Values{"vendor": oneLine(vendor), "answer": oneLine(a.Text)}))
		}
	}
	return said
}

// oneLine is a text without line breaks.
func oneLine(s string) string { return strings.ReplaceAll(s, "\n", " ") }
