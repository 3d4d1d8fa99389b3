package triagetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/triage"
)

// Expand is a triage.Expand for tests: whatever the rule, a window takes place
// again every day at the same hour of UTC. Engines are opened with it.
func Expand(w *finding.Window, from, to time.Time) (out []finding.Span, err error) {
	if w.Repeat == "never" {
		return nil, errors.New("there is no such rule")
	}
	for at, end := w.Start, w.End; at.Before(to); at, end = at.AddDate(0, 0, 1), end.AddDate(0, 0, 1) {
		if end.After(from) {
			out = append(out, finding.Span{Start: at, End: end})
		}
	}
	return out, nil
}

func (b *bench) scope(text string) finding.Scope {
	b.Helper()
	s, err := finding.ParseScope(text)
	b.ok(err)
	return s
}

// exception of a scope, active for three days around noon.
func (b *bench) exception(id, scope string, change ...func(*finding.Exception)) finding.Exception {
	b.Helper()
	x := finding.Exception{
		ID: id, Title: "Exception " + id, Scope: b.scope(scope), Owner: "team-x", Reason: "it is so", Until: noon.AddDate(0, 0, 3), State: finding.ExceptionActive,
	}
	for _, f := range change {
		f(&x)
	}
	return x
}

func (b *bench) except(want int, x finding.Exception) {
	b.Helper()
	got, err := b.SetException(b.Context(), x, "ann", noon)
	b.ok(err)
	if got != want {
		b.Errorf("exception %s touches %d findings, want %d", x.ID, got, want)
	}
}

func (b *bench) plan(want int, w finding.Window) {
	b.Helper()
	got, err := b.SetWindow(b.Context(), w, "ann", noon)
	b.ok(err)
	if got != want {
		b.Errorf("window %s touches %d findings, want %d", w.ID, got, want)
	}
}

// explained holds what accounts for a finding, by ids.
func (b *bench) explained(key string, want ...string) {
	b.Helper()
	f, err := b.Get(b.Context(), key)
	b.ok(err)
	var got []string
	for _, x := range f.Explained {
		got = append(got, x.Kind+" "+x.ID)
	}
	if !slices.Equal(got, want) {
		b.Errorf("%s is explained by %v, want %v", key, got, want)
	}
	if low := slices.ContainsFunc(f.Parts, func(p finding.Part) bool { return p.Name == "explained" }); low != (len(want) > 0) {
		b.Errorf("%s: priority parts %+v", key, f.Parts)
	}
	listed := slices.Contains(keys(b.list(triage.Filter{Unexplained: true, Demoted: true, Staged: true})), key)
	if listed == (len(want) > 0) {
		b.Errorf("%s, explained by %v, is listed as unexplained: %v", key, want, listed)
	}
}

const day = 24 * 60 // minutes, as occurrence counts

func exceptions(b *bench) {
	other := func(o *finding.Occurrence) { o.Account = "444455556666" }
	b.record(1, occurrence("a", 0), occurrence("b", 5, other), occurrence("c", 5*day))
	x := b.exception("x", "account:111122223333 rule:rule")
	b.except(1, x) // c is later than it lasts
	b.explained("a", "exception x")
	b.explained("b")
	b.explained("c")
	b.except(0, x)                          // nothing changed
	b.record(2, occurrence("a", day))       // what comes is marked at once
	b.record(3, occurrence("d", 2*day))     // and what is new
	b.explained("a", "exception x")         //
	b.explained("d", "exception x")         //
	b.record(4, occurrence("a", 4*day))     // seen again when it is over
	b.explained("a")                        //
	b.record(4)                             // it was not so
	b.explained("a", "exception x")         //
	all, err := b.Exceptions(b.Context())   //
	b.ok(err)                               //
	x.By, x.At, x.Explains = "ann", noon, 2 //
	b.same(all, []finding.Exception{x})     //
	longer := x                             //
	longer.Until = noon.AddDate(0, 0, 30)   //
	b.except(1, longer)                     // c now too; who wrote it stays
	b.explained("c", "exception x")         //
	narrow := longer                        //
	narrow.Scope = b.scope("key:(a or b)")  // and b
	b.except(3, narrow)                     //
	b.explained("b", "exception x")         //
	b.explained("c")                        //
	b.except(1, b.exception("y", "severity:>=medium -account:111122223333"))
	b.explained("b", "exception x", "exception y")
	gone := narrow
	gone.State = finding.ExceptionRevoked
	b.except(2, gone)
	b.explained("a")
	b.explained("b", "exception y")
	b.except(0, b.exception("z", "account:111122223333", func(x *finding.Exception) { x.State = finding.ExceptionProposed }))
	b.explained("a")

	// From bounds it on the other side.
	b.except(2, b.exception("late", "key:(a or d)", func(x *finding.Exception) { x.From = noon.Add(-time.Hour) }))
	b.except(1, b.exception("late", "key:(a or d)", func(x *finding.Exception) { x.From = noon.Add(time.Hour) }))
	b.explained("a")
	b.explained("d", "exception late")

	for _, wrong := range []finding.Exception{
		{}, b.exception("w", ""), b.exception("w", "status:new"), b.exception("w", "priority:>3"),
		b.exception("w", "key:a", func(x *finding.Exception) { x.Owner = "" }),
		b.exception("w", "key:a", func(x *finding.Exception) { x.Until = time.Time{} }),
		b.exception("w", "key:a", func(x *finding.Exception) { x.Reason = "" }),
		b.exception("w", "key:a", func(x *finding.Exception) { x.State = finding.ExceptionExpired }),
	} {
		if _, err := b.SetException(b.Context(), wrong, "ann", noon); !errors.Is(err, triage.ErrWrong) {
			b.Errorf("exception %+v is taken: %v", wrong, err)
		}
	}
}

func windows(b *bench) {
	hours := func(o *finding.Occurrence) { o.Hunter = "h" }
	b.record(1, occurrence("a", 0), occurrence("b", 10, func(o *finding.Occurrence) { o.Account = "444455556666" }))
	w := finding.Window{ID: "w", Title: "Load test", Ticket: "CHG-1", Start: noon.Add(-time.Hour), End: noon.Add(time.Hour), Accounts: []string{"111122223333"}, State: finding.WindowActive}
	b.plan(1, w)
	b.explained("a", "window w")
	b.explained("b")
	b.plan(0, w)
	b.record(2, occurrence("a", 30))
	b.explained("a", "window w")
	// The same day, in another batch, outside: a day's events are one part.
	b.record(3, occurrence("a", 300))
	b.explained("a")
	b.record(3)
	b.explained("a", "window w")
	b.record(4, occurrence("a", day))
	b.explained("a")
	// Every day: every part is in a time of it.
	w.Repeat, w.Zone = "FREQ=DAILY", "UTC"
	b.plan(1, w)
	b.explained("a", "window w")
	b.record(5, occurrence("a", 900*day)) // far beyond what was looked at so far
	b.explained("a", "window w")
	b.record(5, occurrence("a", 900*day+600))
	b.explained("a")
	b.record(5)
	b.hunt(1, hunt(2*24, 3*24, seen("a", 2*day+10, hours))) // a hunter's hour is a part of its own
	b.explained("a", "window w")
	// An exception accounts for the whole, a window for its parts.
	b.except(2, b.exception("x", "key:(a or b)"))
	b.explained("a", "exception x", "window w")
	b.explained("b", "exception x")
	w.Scope = b.scope("severity:high") // narrower than what there is
	b.plan(1, w)
	b.explained("a", "exception x")
	w.Scope = finding.Scope{}
	b.plan(1, w)
	all, err := b.Windows(b.Context())
	b.ok(err)
	w.By, w.At, w.Explains = "ann", noon, 1
	b.same(all, []finding.Window{w})
	w.State = finding.WindowCancelled
	b.plan(1, w)
	b.explained("a", "exception x")
	for _, wrong := range []finding.Window{
		{}, {ID: "v", Start: noon, End: noon}, {ID: "v", Start: noon, End: noon.Add(1e9), Scope: b.scope("verdict:expected")},
		{ID: "v", Start: noon, End: noon.Add(1e9), Repeat: "never"}, {ID: "v", Start: noon, End: noon.Add(1e9), State: "odd"},
	} {
		if _, err := b.SetWindow(b.Context(), wrong, "ann", noon); !errors.Is(err, triage.ErrWrong) {
			b.Errorf("window %+v is taken: %v", wrong, err)
		}
	}
}

func estate(b *bench) {
	b.record(1, occurrence("a", 0, func(o *finding.Occurrence) { o.Confidence, o.Severity = 1, finding.Critical }),
		occurrence("b", 5, func(o *finding.Occurrence) { o.Account = "444455556666" }))
	f := func(key, environment, owner string, priority int) {
		b.Helper()
		x, err := b.Get(b.Context(), key)
		b.ok(err)
		if x.Environment != environment || x.Owner != owner || x.Priority != priority {
			b.Errorf("%s: %q of %q, priority %d, want %q of %q, %d", key, x.Environment, x.Owner, x.Priority, environment, owner, priority)
		}
	}
	f("a", "", "", 100)
	set := func(want int, e finding.Estate) {
		b.Helper()
		n, err := b.SetEstate(b.Context(), e)
		b.ok(err)
		if n != want {
			b.Errorf("the estate touches %d findings, want %d", n, want)
		}
	}
	e := finding.Estate{Accounts: []finding.Account{{ID: "111122223333", Name: "shop-dev", Said: finding.Said{Environment: "development"}}}}
	set(1, e)
	f("a", "development", "", 50)
	f("b", "", "", 25)
	set(0, e)
	b.keys(triage.Filter{Scope: b.scope("env:development")}, "a")
	e.Rules = []finding.EstateRule{{Accounts: []string{"4444*"}, Said: finding.Said{Owner: "team-y", Criticality: "low"}}}
	set(1, e)
	f("a", "development", "", 50)
	f("b", "", "team-y", 10)
	b.except(1, b.exception("x", "owner:team-y"))
	e.Rules[0].Owner = "team-z"
	set(1, e)
	b.explained("b")
	if _, err := b.SetEstate(b.Context(), finding.Estate{Rules: []finding.EstateRule{{}}}); !errors.Is(err, triage.ErrWrong) {
		b.Errorf("an estate that says nothing: %v", err)
	}

	assess := func(want int, all ...finding.Assessment) {
		b.Helper()
		n, err := b.Assess(b.Context(), all)
		b.ok(err)
		if n != want {
			b.Errorf("touches %d findings, want %d", n, want)
		}
	}
	small := finding.Assessment{Subject: "arn:aws:iam::111122223333:role/app", Secrets: 1, Accounts: 1}
	assess(2, small, finding.Assessment{Subject: "somebody", Secrets: 3})
	f("a", "development", "", 30)
	assess(0, small)
	small.Secrets = 64
	assess(2, small)
	f("a", "development", "", 50)
	assess(2)
	f("a", "development", "", 50)
}

func audit(b *bench) {
	b.record(1, occurrence("key-of-a", 0), occurrence("key-of-b", 0))
	d := finding.Decision{ID: "one", At: noon, By: "ann", Comment: "looked"}
	for range 3 { // told three times, kept once
		_, err := b.Decide(b.Context(), "key-of-a", d)
		b.ok(err)
	}
	b.except(1, b.exception("x", "key:key-of-b"))
	b.ok(b.Log(b.Context(), finding.AuditLine{At: noon.Add(time.Hour), By: "root", Action: "user.create", Subject: "bob", Text: "analyst"}))
	if err := b.Log(b.Context(), finding.AuditLine{At: noon, Action: "user.create"}); !errors.Is(err, triage.ErrWrong) {
		b.Errorf("a line by nobody: %v", err)
	}
	f := func(x triage.AuditFilter, want ...int64) (next string) {
		b.Helper()
		lines, next, err := b.Audit(b.Context(), x)
		b.ok(err)
		var got []int64
		for _, l := range lines {
			got = append(got, l.ID)
		}
		if !slices.Equal(got, want) {
			b.Errorf("%+v gives lines %v, want %v", x, got, want)
		}
		return next
	}
	f(triage.AuditFilter{}, 3, 2, 1)
	f(triage.AuditFilter{By: "ann"}, 2, 1)
	f(triage.AuditFilter{Action: "finding"}, 1)
	f(triage.AuditFilter{Action: "finding.decide"}, 1)
	f(triage.AuditFilter{Action: "find"})
	f(triage.AuditFilter{Subject: "bob"}, 3)
	f(triage.AuditFilter{Since: noon.Add(time.Minute)}, 3)
	f(triage.AuditFilter{Until: noon.Add(time.Minute)}, 2, 1)
	next := f(triage.AuditFilter{Limit: 2}, 3, 2)
	if next = f(triage.AuditFilter{Limit: 2, Cursor: next}, 1); next != "" {
		b.Errorf("behind the last page is %q", next)
	}
	if _, _, err := b.Audit(b.Context(), triage.AuditFilter{Cursor: "?"}); !errors.Is(err, triage.ErrCursor) {
		b.Errorf("a cursor that is none: %v", err)
	}
}

func undo(b *bench) {
	b.record(1, occurrence("key-of-a", 0), occurrence("key-of-b", 0), occurrence("key-of-c", 0))
	at := noon.Add(time.Hour)
	resolve := finding.Decision{At: at, By: "ann", Status: finding.Resolved, Verdict: finding.Expected, Reason: "automation"}
	status := func(key string, want finding.Status, decisions int) {
		b.Helper()
		f, err := b.Get(b.Context(), key)
		b.ok(err)
		if f.Status != want || len(f.Decisions) != decisions {
			b.Errorf("%s is %s after %d decisions, want %s after %d", key, f.Status, len(f.Decisions), want, decisions)
		}
		b.keys(triage.Filter{Status: []finding.Status{want}, Scope: b.scope("key:" + key)}, key)
	}
	back := func(want int, u triage.Undo) {
		b.Helper()
		u.By, u.At = "bob", at.Add(time.Hour)
		n, err := b.Undo(b.Context(), u)
		b.ok(err)
		if n != want {
			b.Errorf("undoing %+v changes %d findings, want %d", u, n, want)
		}
	}
	bulk, err := b.DecideAll(b.Context(), []string{"key-of-a", "key-of-b", "nothing"}, resolve)
	b.ok(err)
	if bulk.Decided != 2 || len(bulk.Failed) != 1 || bulk.Failed[0].Key != "nothing" || bulk.Failed[0].Reason == "" || bulk.Group == "" {
		b.Errorf("decided %+v", bulk)
	}
	again, err := b.DecideAll(b.Context(), []string{"key-of-a", "key-of-b", "nothing"}, resolve)
	b.ok(err)
	b.same(again, bulk)
	status("key-of-a", finding.Resolved, 1)
	back(2, triage.Undo{Group: bulk.Group})
	back(0, triage.Undo{Group: bulk.Group})
	status("key-of-a", finding.New, 2)
	status("key-of-b", finding.New, 2)
	status("key-of-c", finding.New, 0)

	f, err := b.Decide(b.Context(), "key-of-c", resolve)
	b.ok(err)
	first := f.Decisions[0].ID
	back(1, triage.Undo{ID: first})
	status("key-of-c", finding.New, 2)
	f, err = b.Get(b.Context(), "key-of-c")
	b.ok(err)
	if !f.Decisions[0].Undone || f.Decisions[1].Undoes != first || f.Decisions[1].By != "bob" || f.Verdict != finding.NoVerdict {
		b.Errorf("undone: %+v", f)
	}
	back(1, triage.Undo{ID: f.Decisions[1].ID}) // taking back the taking back
	status("key-of-c", finding.Resolved, 3)

	for _, u := range []triage.Undo{{ID: "no such"}, {Group: "no such"}} {
		u.By, u.At = "bob", at
		if _, err := b.Undo(b.Context(), u); !errors.Is(err, triage.ErrUnknown) {
			b.Errorf("undoing %+v: %v", u, err)
		}
	}
	for _, u := range []triage.Undo{{}, {ID: first, Group: bulk.Group}} {
		if _, err := b.Undo(b.Context(), u); !errors.Is(err, triage.ErrWrong) {
			b.Errorf("undoing %+v: %v", u, err)
		}
	}
	if _, err := b.Decide(b.Context(), "key-of-a", finding.Decision{At: at, By: "bob", Undoes: first}); !errors.Is(err, triage.ErrUnknown) {
		b.Errorf("undoing the decision about another finding: %v", err)
	}
}

func counts(b *bench) {
	sev := func(s finding.Severity, account string) func(*finding.Occurrence) {
		return func(o *finding.Occurrence) { o.Severity, o.Account = s, account }
	}
	b.record(1, occurrence("key-of-a", 0, sev(finding.High, "1")), occurrence("key-of-b", 1, sev(finding.Low, "1")),
		occurrence("key-of-c", day, sev(finding.Low, "2")), occurrence("key-of-d", 2*day, sev(finding.Critical, "2")))
	_, err := b.Decide(b.Context(), "key-of-a", finding.Decision{At: noon.AddDate(0, 0, 1), By: "ann", Status: finding.Resolved})
	b.ok(err)
	b.except(1, b.exception("x", "key:key-of-c"))

	got, err := b.Facets(b.Context(), triage.Filter{}, 0, "severity", "account", "explained", "kind", "attack")
	b.ok(err)
	b.same(got, triage.Facets{Total: 4, Facets: []triage.Facet{
		{Field: "severity", Values: []triage.FacetValue{{Value: "low", Count: 2}, {Value: "critical", Count: 1}, {Value: "high", Count: 1}}},
		{Field: "account", Values: []triage.FacetValue{{Value: "1", Count: 2}, {Value: "2", Count: 2}}},
		{Field: "explained", Values: []triage.FacetValue{{Value: "false", Count: 3}, {Value: "true", Count: 1}}},
		{Field: "kind", Values: []triage.FacetValue{{Value: "rule", Count: 4}}},
		{Field: "attack", Values: []triage.FacetValue{{Value: "T1562.008", Count: 4}}},
	}})
	got, err = b.Facets(b.Context(), triage.Filter{Scope: b.scope("severity:low")}, 1, "account")
	b.ok(err)
	b.same(got, triage.Facets{Total: 2, Facets: []triage.Facet{{Field: "account", Values: []triage.FacetValue{{Value: "1", Count: 1}}, More: 1}}})
	if all, err := b.Facets(b.Context(), triage.Filter{}, 0); err != nil || len(all.Facets) < 10 {
		b.Errorf("%d facets, %v", len(all.Facets), err)
	}
	if _, err := b.Facets(b.Context(), triage.Filter{}, 0, "title"); !errors.Is(err, triage.ErrWrong) {
		b.Errorf("facets of what has as many values as findings: %v", err)
	}
	n, err := b.Count(b.Context(), triage.Filter{Scope: b.scope("account:1")})
	b.ok(err)
	if n != 2 {
		b.Errorf("%d findings in the account", n)
	}
	some, err := b.Keys(b.Context(), triage.Filter{Sort: "-severity", Limit: 3})
	b.ok(err)
	b.same(some, []string{"key-of-b", "key-of-c", "key-of-a"}) // c is explained

	days, err := b.Days(b.Context(), triage.Filter{}, noon, noon.AddDate(0, 0, 2).Add(time.Minute))
	b.ok(err)
	at := func(n int) time.Time { return finding.Day(noon).AddDate(0, 0, n) }
	b.same(days, []finding.DayCount{
		{Day: at(0), Made: 2, Open: 2},
		{Day: at(1), Made: 1, Explained: 1, Decided: 1, Open: 1},
		{Day: at(2), Made: 1, Open: 2},
	})
	days, err = b.Days(b.Context(), triage.Filter{}, at(1), at(2)) // what was open before is open still
	b.ok(err)
	b.same(days, []finding.DayCount{{Day: at(1), Made: 1, Explained: 1, Decided: 1, Open: 1}})
	if _, err := b.Days(b.Context(), triage.Filter{}, noon, noon); !errors.Is(err, triage.ErrWrong) {
		b.Errorf("days of no time: %v", err)
	}

	p, err := b.Preview(b.Context(), b.scope("account:2"), at(0), at(30))
	b.ok(err)
	if p.Days != 30 || p.Findings != 2 || p.Explained != 1 || p.Critical != 1 || p.BySeverity["low"] != 1 || p.BySeverity["medium"] != 0 || !slices.Equal(keys(p.Sample), []string{"key-of-d", "key-of-c"}) {
		b.Errorf("preview %+v", p)
	}
}

func cases(b *bench) {
	about := func(actor string, s finding.Severity) func(*finding.Occurrence) {
		return func(o *finding.Occurrence) { o.Actor, o.Severity = actor, s }
	}
	b.record(1, occurrence("key-of-a", 0, about("one", finding.Low)), occurrence("key-of-b", 5, about("one", finding.High)),
		occurrence("key-of-c", 6, about("two", finding.Medium)), occurrence("key-of-d", day, about("one", finding.Critical)))
	page, next, total, err := b.Cases(b.Context(), triage.Filter{Limit: 2})
	b.ok(err)
	if total != 3 || len(page) != 2 || next == "" || page[0].Count != 1 || page[0].Priority < page[1].Priority {
		b.Fatalf("%d cases, %+v", total, page)
	}
	if c := page[1]; c.Count != 2 || c.Severity != finding.High || !c.First.Equal(noon) || !c.Last.Equal(noon.Add(5*time.Minute+time.Second)) || !slices.Equal(c.Kinds, []finding.Kind{finding.KindRule}) {
		b.Errorf("the second: %+v", c)
	}
	rest, next, _, err := b.Cases(b.Context(), triage.Filter{Limit: 2, Cursor: next})
	b.ok(err)
	if len(rest) != 1 || next != "" || rest[0].Actor != "two" {
		b.Errorf("the second page: %+v, %q", rest, next)
	}
	one, _, total, err := b.Cases(b.Context(), triage.Filter{Scope: b.scope("case:" + page[1].ID)})
	b.ok(err)
	if b.same(one, page[1:]); total != 1 {
		b.Errorf("%d cases of one id", total)
	}
	few, _, total, err := b.Cases(b.Context(), triage.Filter{Scope: b.scope("severity:low")})
	b.ok(err)
	if total != 1 || few[0].ID != page[1].ID || few[0].Count != 1 || few[0].Severity != finding.Low {
		b.Errorf("%d cases, %+v", total, few)
	}
}

func views(b *bench) {
	v := finding.View{ID: "v", Page: "findings", Title: "Mine", Query: "?q=severity:high", Owner: "ann", At: noon}
	shared := finding.View{ID: "s", Page: "dashboard", Title: "Ours", Owner: "bob", Shared: true, At: noon, Panels: []byte(`[{"x":1}]`)}
	b.ok(b.SetView(b.Context(), v))
	b.ok(b.SetView(b.Context(), shared))
	f := func(page, who string, want ...finding.View) {
		b.Helper()
		got, err := b.Views(b.Context(), page, who)
		b.ok(err)
		if len(got)+len(want) > 0 {
			b.same(got, want)
		}
	}
	f("", "ann", v, shared)
	f("findings", "ann", v)
	f("", "bob", shared)
	f("search", "bob")
	v.Title = "Still mine"
	b.ok(b.SetView(b.Context(), v))
	f("", "ann", shared, v)
	stolen := v
	stolen.Owner = "eve"
	if err := b.SetView(b.Context(), stolen); !errors.Is(err, triage.ErrWrong) {
		b.Errorf("somebody else's view is taken: %v", err)
	}
	if err := b.DeleteView(b.Context(), "v", "eve"); !errors.Is(err, triage.ErrUnknown) {
		b.Errorf("somebody else's view is deleted: %v", err)
	}
	b.ok(b.DeleteView(b.Context(), "v", "ann"))
	f("", "ann", shared)
	if err := b.SetView(b.Context(), finding.View{ID: "w", Page: "x", Title: "t", Owner: "o", Panels: []byte(`{`)}); !errors.Is(err, triage.ErrWrong) {
		b.Errorf("panels that are no JSON: %v", err)
	}
}

func sorts(b *bench) {
	for n := range 40 {
		b.record(byte(n+1), occurrence(fmt.Sprintf("key-%02d", n), n%7*100, func(o *finding.Occurrence) {
			o.Severity, o.Count, o.Account = finding.Severities[n%5], int64(n%3), fmt.Sprint(n%4)
			o.Resource = fmt.Sprint("r", n%6)
		}))
	}
	all := b.list(triage.Filter{})
	for _, sort := range append(slices.Clone(triage.Sorts), "-title", "-priority", "-count", "") {
		want := slices.Clone(all)
		slices.SortFunc(want, func(x, y finding.Finding) int { return triage.PlaceOf(&x, sort).Compare(triage.PlaceOf(&y, sort)) })
		var got []finding.Finding
		cursor := ""
		for {
			page, next, err := b.List(b.Context(), triage.Filter{Sort: sort, Limit: 7, Cursor: cursor})
			b.ok(err)
			got = append(got, page...)
			if cursor = next; next == "" {
				break
			}
		}
		if !slices.Equal(keys(got), keys(want)) {
			b.Errorf("sorted by %q: %v, want %v", sort, keys(got), keys(want))
		}
	}
	if _, _, err := b.List(b.Context(), triage.Filter{Sort: "colour"}); !errors.Is(err, triage.ErrWrong) {
		b.Errorf("an order that is none: %v", err)
	}
	_, next, err := b.List(b.Context(), triage.Filter{Sort: "title", Limit: 3})
	b.ok(err)
	if _, _, err := b.List(b.Context(), triage.Filter{Sort: "count", Cursor: next}); !errors.Is(err, triage.ErrCursor) {
		b.Errorf("the cursor of another order: %v", err)
	}
}

// Agree does the same things, by chance, to two triages and holds that they
// answer alike: the plain one in memory is what other engines are held against.
func Agree(t *testing.T, open, plain Open) {
	for seed := range uint64(6) {
		r := rand.New(rand.NewPCG(seed, 9))
		both := []*bench{{t, open(t)}, {t, plain(t)}}
		each := func(what string, do func(b *bench) (any, error)) {
			t.Helper()
			var said [2]any
			for i, b := range both {
				got, err := do(b)
				if err != nil {
					got = fmt.Sprint(errors.Is(err, triage.ErrNotFound), errors.Is(err, triage.ErrWrong), errors.Is(err, triage.ErrUnknown))
				}
				said[i] = got
			}
			if !reflect.DeepEqual(said[0], said[1]) {
				t.Fatalf("seed %d: %s: %s", seed, what, difference(said[0], said[1]))
			}
		}
		for range 60 {
			change(t, r, each)
			if r.IntN(4) == 0 {
				look(r, both[0].scope(scopes[r.IntN(len(scopes))]), each)
			}
		}
		for _, s := range scopes {
			look(r, both[0].scope(s), each)
		}
	}
}

func difference(a, b any) string {
	told := func(x any) string { text, err := json.Marshal(x); return fmt.Sprint(string(text), err) }
	x, y := told(a), told(b)
	n := 0
	for n < min(len(x), len(y)) && x[n] == y[n] {
		n++
	}
	cut := func(s string) string { return s[max(0, n-300):min(len(s), n+200)] }
	return fmt.Sprintf("from byte %d on\n%s\nagainst\n%s", n, cut(x), cut(y))
}

var scopes = []string{
	"", "account:1", "severity:>=high", "severity:<low", "not account:1 title:~title", "resource:r1 or actor:*role*", "key:key0*", "explained:true",
	"count:>5", "last_seen:>=2026-03-05", "first_seen:[2026-03-04 TO 2026-03-05]", "text:~R2", "role/app", "environment:prod or owner:o1", "attack:T1562*",
	"kind:rule status:(new or resolved)", "explained_by:e1", "priority:{10 TO 50}", "assignee:*", "-region:eu-west-1", "case:*", "person:*",
}

// change is one change by chance.
func change(t *testing.T, r *rand.Rand, each func(string, func(*bench) (any, error))) {
	ctx := t.Context()
	key := func() string { return fmt.Sprintf("key%05d", r.IntN(12)) }
	made := func() finding.Occurrence {
		n, key := r.IntN(5), key()
		return occurrence(key, r.IntN(3)*day+r.IntN(600), func(o *finding.Occurrence) {
			o.Severity, o.Account, o.Resource = finding.Severities[r.IntN(5)], fmt.Sprint(r.IntN(3)), fmt.Sprint("r", n)
			if key[len(key)-1]%4 == 1 { // a key is of one kind, and no two of its scores are alike
				o.Kind, o.Anomaly = "anomaly.caller", &finding.Anomaly{Person: fmt.Sprint("kato", n), Resources: []string{"r1", "r2"}, Score: r.Float64()}
			}
		})
	}
	at := noon.Add(time.Duration(r.IntN(5000)) * time.Minute)
	lasting := []string{"account:1", "severity:>=high", "key:key0000*", "resource:r1", "text:~R2", "owner:o1"}
	scope, _ := finding.ParseScope(lasting[r.IntN(len(lasting))])
	switch r.IntN(10) {
	case 0, 1, 2, 3:
		var all []finding.Occurrence
		for range r.IntN(4) {
			all = append(all, made())
		}
		batch := event.BatchID{byte(r.IntN(12))}
		each("record", func(b *bench) (any, error) {
			return nil, b.Record(ctx, batch, finding.Judged{Occurrences: slices.Clone(all)})
		})
	case 4:
		x := finding.Exception{ID: fmt.Sprint("e", r.IntN(3)), Title: fmt.Sprint("t", r.IntN(2)), Scope: scope, Owner: "o", Reason: "r", Until: at,
			State: []finding.ExceptionState{finding.ExceptionActive, finding.ExceptionActive, finding.ExceptionRevoked, finding.ExceptionProposed}[r.IntN(4)]}
		each("exception", func(b *bench) (any, error) { _, err := b.SetException(ctx, x, "ann", noon); return nil, err })
	case 5:
		w := finding.Window{ID: fmt.Sprint("w", r.IntN(3)), Title: "t", Start: at, End: at.Add(time.Duration(1+r.IntN(600)) * time.Minute), Scope: scope}
		if r.IntN(2) == 0 {
			w.Repeat = "FREQ=DAILY"
		}
		if r.IntN(4) == 0 {
			w.State = finding.WindowCancelled
		}
		each("window", func(b *bench) (any, error) { _, err := b.SetWindow(ctx, w, "ann", noon); return nil, err })
	case 6:
		e := finding.Estate{Rules: []finding.EstateRule{{Accounts: []string{fmt.Sprint(r.IntN(3))}, Said: finding.Said{Owner: fmt.Sprint("o", r.IntN(2)), Environment: "prod", Criticality: "low"}}}}
		each("estate", func(b *bench) (any, error) { _, err := b.SetEstate(ctx, e); return nil, err })
	case 7:
		all := []finding.Assessment{{Subject: fmt.Sprint("r", r.IntN(5)), Exposure: finding.ExposureInternal}, {Subject: "arn:aws:iam::111122223333:role/app", Secrets: r.IntN(30)}}
		each("assess", func(b *bench) (any, error) { _, err := b.Assess(ctx, all); return nil, err })
	case 8:
		d := finding.Decision{At: at, By: "bob", Status: finding.Statuses[r.IntN(4)], Assignee: "cho", Group: fmt.Sprint("g", r.IntN(3))}
		some := []string{key(), key()}
		each("decide", func(b *bench) (any, error) { return b.DecideAll(ctx, some, d) })
	case 9:
		u := triage.Undo{Group: fmt.Sprint("g", r.IntN(3)), By: "cho", At: at}
		each("undo", func(b *bench) (any, error) { return b.Undo(ctx, u) })
	}
}

// look asks everything that there is to ask.
func look(r *rand.Rand, scope finding.Scope, each func(string, func(*bench) (any, error))) {
	x := triage.Filter{Scope: scope, Sort: triage.Sorts[r.IntN(len(triage.Sorts))], Unexplained: r.IntN(5) == 0, Limit: r.IntN(6)}
	if r.IntN(6) == 0 {
		x.Resource, x.Severity = "r1", finding.Low
	}
	if r.IntN(6) == 0 {
		x.Text = "R2"
	}
	what := fmt.Sprintf("%+v", x)
	each("list "+what, func(b *bench) (any, error) {
		page, next, err := b.List(b.Context(), x)
		return []any{len(page), append([]finding.Finding{}, page...), next}, err
	})
	each("facets "+what, func(b *bench) (any, error) { return b.Facets(b.Context(), x, 3) })
	each("days "+what, func(b *bench) (any, error) {
		return b.Days(b.Context(), x, noon.AddDate(0, 0, -1), noon.AddDate(0, 0, 4))
	})
	each("cases "+what, func(b *bench) (any, error) {
		page, next, n, err := b.Cases(b.Context(), x)
		return []any{append([]finding.Case{}, page...), next, n}, err
	})
	each("preview "+what, func(b *bench) (any, error) {
		return b.Preview(b.Context(), scope, noon.AddDate(0, 0, -1), noon.AddDate(0, 0, 4))
	})
	each("exceptions", func(b *bench) (any, error) {
		all, err := b.Exceptions(b.Context())
		return append([]finding.Exception{}, all...), err
	})
	each("windows", func(b *bench) (any, error) {
		all, err := b.Windows(b.Context())
		return append([]finding.Window{}, all...), err
	})
	each("audit", func(b *bench) (any, error) {
		lines, _, err := b.Audit(b.Context(), triage.AuditFilter{})
		return lines, err
	})
}
