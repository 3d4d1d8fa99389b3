package triage

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/say"
)

var noon = day.Add(12 * time.Hour)

func like(n int, change ...func(*finding.Finding)) finding.Finding {
	f := finding.Finding{
		Trouble: finding.Trouble{
			Key: fmt.Sprintf("key-%03d", n), Kind: finding.KindRule, Rule: "rule-1", Title: "Secret read by somebody new", Severity: finding.Medium,
			Actor: "arn:aws:iam::111122223333:role/backup", Account: "111122223333", Region: "eu-west-1", Resource: fmt.Sprint("arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-", n),
		},
		Status: finding.New, FirstSeen: noon.AddDate(0, 0, n), LastSeen: noon.AddDate(0, 0, n).Add(time.Minute), Count: 1,
	}
	for _, c := range change {
		c(&f)
	}
	return f
}

func verdict(v finding.Verdict, reason string) func(*finding.Finding) {
	return func(f *finding.Finding) { f.Verdict, f.Reason = v, reason }
}

func TestProposeException(t *testing.T) {
	expected := verdict(finding.Expected, "automation")
	now := noon.AddDate(0, 0, 20)
	f := func(what, scope string, findings ...finding.Finding) {
		t.Helper()
		slices.Reverse(findings)
		var got *Proposal
		for _, p := range Propose(findings, time.UTC, now) {
			if p.Exception != nil {
				if got != nil {
					t.Errorf("%s: a second proposal %s", what, p.Exception.Scope)
				}
				got = &p
			}
		}
		switch {
		case got == nil && scope == "":
		case got == nil:
			t.Errorf("%s: nothing is proposed, want %s", what, scope)
		case got.Exception.Scope.String() != scope:
			t.Errorf("%s: proposes %s, want %s", what, got.Exception.Scope, scope)
		default:
			if err := got.Exception.Check(); err != nil {
				t.Errorf("%s: %v", what, err)
			}
			for i := range findings {
				if x := &findings[i]; got.Exception.Scope.Match(x) != (x.Verdict == finding.Expected) {
					t.Errorf("%s: %s is chosen or not, and should not or be", what, x.Key)
				}
			}
		}
	}
	three := []finding.Finding{like(1, expected), like(2, expected), like(3, expected)}
	got := Propose(three, time.UTC, now)
	if len(got) != 1 || got[0].Count != 3 || got[0].Exception == nil {
		t.Fatalf("%+v", got)
	}
	whole := got[0].Exception.Scope.String()
	f("thrice", whole, three...)
	f("twice", "", three[:2]...)
	f("beside others of another account", whole, append(slices.Clone(three), like(4, func(f *finding.Finding) { f.Account = "444455556666" }))...)
	// Another secret of the same principal is not covered: the scope is as narrow
	// as the evidence.
	f("beside another secret", whole, append(slices.Clone(three), like(9))...)
	f("a more severe one is not covered", whole, append(slices.Clone(three), like(1, func(f *finding.Finding) { f.Key, f.Severity = "worse", finding.High }))...)
	f("a true positive of that shape", "", append(slices.Clone(three), like(2, verdict(finding.TruePositive, "attack"), func(f *finding.Finding) { f.Key = "bad" }))...)
	explained := slices.Clone(three)
	for i := range explained {
		explained[i].Explained = []finding.Explanation{{Kind: "exception", ID: "x"}}
	}
	f("explained already", "", explained...)
	old := slices.Clone(three)
	for i := range old {
		old[i].FirstSeen, old[i].LastSeen = noon.AddDate(-1, 0, 0), noon.AddDate(-1, 0, 0)
	}
	f("long ago", "", old...)

	var many []finding.Finding
	for n := range 12 {
		many = append(many, like(n, expected))
	}
	p := Propose(many, time.UTC, now)
	i := slices.IndexFunc(p, func(p Proposal) bool { return p.Exception != nil })
	if i < 0 || p[i].Count != 12 {
		t.Fatalf("of many: %+v", p)
	}
	scope := p[i].Exception.Scope
	if another := like(50); !scope.Match(&another) {
		t.Errorf("%s does not take what begins like all of them", scope)
	}
	if another := like(50, func(f *finding.Finding) { f.Resource = "arn:aws:s3:::x" }); scope.Match(&another) {
		t.Errorf("%s takes something else", scope)
	}
	if id := Propose(many, time.UTC, now)[i].ID; id != p[i].ID {
		t.Error("the same evidence gives another id")
	}
}

func TestProposeWindow(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	at := func(times ...time.Time) (all []finding.Finding) {
		for n, x := range times {
			all = append(all, like(n, func(f *finding.Finding) {
				f.Resource = "r"
				f.FirstSeen, f.LastSeen = x, x.Add(20*time.Minute)
			}))
		}
		return all
	}
	f := func(what, repeat, start, end string, findings []finding.Finding) {
		t.Helper()
		now := findings[len(findings)-1].LastSeen.Add(time.Hour)
		var got []Proposal
		for _, p := range Propose(findings, berlin, now) {
			if p.Window != nil {
				got = append(got, p)
			}
		}
		if repeat == "" {
			if len(got) > 0 {
				t.Errorf("%s: proposes %+v", what, *got[0].Window)
			}
			return
		}
		if len(got) != 1 {
			t.Errorf("%s: %d proposals", what, len(got))
			return
		}
		w := got[0].Window
		if err := w.Check(); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if s, e := w.Start.In(berlin).Format("15:04"), w.End.In(berlin).Format("15:04"); w.Repeat != repeat || s != start || e != end || w.Zone != "Europe/Berlin" {
			t.Errorf("%s: proposes %s from %s to %s in %s, want %s from %s to %s", what, w.Repeat, s, e, w.Zone, repeat, start, end)
		}
	}
	var weekly, daily, monthly, scattered []time.Time
	for n := range 8 {
		// Tuesdays at 09:00 in Berlin, over the change of the clock on 2026-03-29.
		weekly = append(weekly, time.Date(2026, 3, 3+7*n, 9, 3*n, 0, 0, berlin))
		daily = append(daily, time.Date(2026, 3, 24+n, 22, 10, 0, 0, berlin))
		monthly = append(monthly, time.Date(2026, 1+time.Month(n%4), 5, 4, n, 0, 0, berlin))
		scattered = append(scattered, time.Date(2026, 3, 3+7*n, (5*n)%24, 0, 0, 0, berlin))
	}
	f("weekly", "FREQ=WEEKLY;BYDAY=TU", "08:45", "09:55", at(weekly[:7]...)) // 09:18 and 20 minutes, and 15
	f("daily", "FREQ=DAILY", "21:55", "22:45", at(daily...))
	f("monthly", "FREQ=MONTHLY;BYMONTHDAY=5", "03:45", "04:40", at(monthly[:4]...))
	f("at any hour", "", "", "", at(scattered...))
	f("three weeks", "", "", "", at(weekly[:3]...))
	bad := at(weekly...)
	bad[3].Verdict = finding.TruePositive
	f("one was true", "", "", "", bad)
}

func TestTune(t *testing.T) {
	var all []finding.Finding
	add := func(rule string, n int, v finding.Verdict, reason string) {
		for range n {
			all = append(all, like(len(all), verdict(v, reason), func(f *finding.Finding) { f.Rule = rule }))
		}
	}
	add("noise", 40, finding.FalsePositive, "rule_too_broad")
	add("data", 10, finding.FalsePositive, "wrong_data")
	add("data", 2, finding.TruePositive, "")
	add("narrow", 8, finding.FalsePositive, "rule_too_broad")
	add("narrow", 4, finding.TruePositive, "attack")
	add("planned", 9, finding.Expected, "automation")
	add("good", 9, finding.TruePositive, "attack")
	add("good", 1, finding.FalsePositive, "wrong_context")
	add("young", 4, finding.FalsePositive, "rule_too_broad")
	add("young", 50, finding.NoVerdict, "")
	got := Tune(all)
	f := func(rule string, want Advice, rate float64) {
		t.Helper()
		i := slices.IndexFunc(got.Rules, func(r RuleTuning) bool { return r.Rule == rule })
		if i < 0 || got.Rules[i].Advice != want || got.Rules[i].Rate != rate || got.Rules[i].Low > rate || got.Rules[i].High < rate {
			t.Errorf("%s: %+v, want %s at %v", rule, got.Rules[max(0, i)], want, rate)
		}
	}
	f("noise", AdviceRetire, 1)
	f("data", AdviceData, 10.0/12)
	f("narrow", AdviceNarrow, 8.0/12)
	f("planned", AdviceException, 0)
	f("good", AdviceKeep, 0.1)
	f("young", AdviceTooFew, 1)
	if got.Rules[0].Rule != "noise" || len(got.Sources) != 1 || got.Sources[0].Source != "yagura" || got.Sources[0].Findings != len(all) {
		t.Errorf("%+v first, sources %+v", got.Rules[0], got.Sources)
	}
	// Wilson's interval for 8 of 10 by the table: 0.490 to 0.943.
	if low, high := wilson(8, 10); fmt.Sprintf("%.3f %.3f", low, high) != "0.490 0.943" {
		t.Errorf("interval from %v to %v", low, high)
	}
}

func TestResponses(t *testing.T) {
	var all []finding.Finding
	for n := range 10 {
		all = append(all, like(n, func(f *finding.Finding) {
			f.Severity = finding.High
			f.Decisions = []finding.Decision{
				{ID: "0", At: f.FirstSeen.Add(time.Second), Verdict: finding.Expected, Undone: true},
				{ID: "1", At: f.FirstSeen.Add(time.Duration(n+1) * time.Minute), Assignee: "ann"},
			}
			if n < 5 {
				f.Status = finding.Resolved
				f.Decisions = append(f.Decisions, finding.Decision{ID: "2", At: f.FirstSeen.Add(time.Duration(n+1) * time.Hour), Status: finding.Resolved})
			}
		}))
	}
	all = append(all, like(11))
	times := Tune(all).Times
	if len(times) != 5 || times[0].Severity != finding.Critical || times[0].AcknowledgedP50 != -1 {
		t.Errorf("%+v", times)
	}
	want := Response{Severity: finding.High, Findings: 10, Acknowledged: 10, AcknowledgedP50: 300, AcknowledgedP90: 540, Decided: 5, DecidedP50: 3 * 3600, DecidedP90: 5 * 3600, Open: 5}
	if times[1] != want {
		t.Errorf("%+v, want %+v", times[1], want)
	}
	if medium := times[2]; medium.Findings != 1 || medium.Acknowledged != 0 || medium.Open != 1 {
		t.Errorf("%+v", medium)
	}
}

func TestProposeCause(t *testing.T) {
	uid := func(n byte) event.UID { return event.UID{n} }
	mine := like(0)
	mine.Evidence.Add(finding.Sighting{Time: noon, UID: uid(1)})
	call := func(n byte, minutes int, operation string, change ...func(*event.Event)) event.Event {
		e := event.Event{UID: uid(n), Time: noon.Add(time.Duration(minutes) * time.Minute), APIOperation: operation, Outcome: event.Success, AccountUID: "111122223333", ActorUID: mine.Actor, ActorName: "backup", SrcIP: "203.0.113.7"}
		for _, c := range change {
			c(&e)
		}
		return e
	}
	seen := call(1, 0, "GetSecretValue", func(e *event.Event) { e.ReadOnly = true })
	f := func(what string, x finding.Finding, cause finding.Cause, shows []byte, around ...event.Event) {
		t.Helper()
		got := ProposeCause(&x, around)
		var uids []byte
		for _, u := range got.Evidence {
			uids = append(uids, u[0])
		}
		if got.Cause != cause || !slices.Equal(uids, shows) || got.Text.String() == "" || got.Confidence < 0 || got.Confidence > 0.95 {
			t.Errorf("%s: %+v shown by %v, want %s by %v", what, got, uids, cause, shows)
		}
	}
	deploy := call(2, -10, "UpdateService", func(e *event.Event) { e.Caller = event.CallerCI; e.ActorUID = "ci" })
	f("nothing around", mine, finding.CauseUnknown, nil, seen)
	f("deployed before", mine, finding.CauseDeploy, []byte{2}, deploy, seen)
	f("deployed elsewhere", mine, finding.CauseUnknown, nil, seen, call(2, -10, "UpdateService", func(e *event.Event) { e.AccountUID = "444455556666" }))
	f("deployed long before", mine, finding.CauseUnknown, nil, seen, call(2, -300, "UpdateService"))
	f("the deploy failed", mine, finding.CauseUnknown, nil, seen, call(2, -10, "UpdateService", func(e *event.Event) { e.Outcome = event.Denied }))
	f("by hand", mine, finding.CausePerson, []byte{1}, call(1, 0, "GetSecretValue", func(e *event.Event) { e.Caller = event.CallerConsole; e.ActorSession = "kato" }))
	f("by a service", mine, finding.CauseProvider, []byte{1}, call(1, 0, "GetSecretValue", func(e *event.Event) { e.ActorInvokedBy = "rds.amazonaws.com" }))
	severe := mine
	severe.Severity, severe.Attack = finding.High, []finding.Attack{{ID: "T1555.006"}}
	f("severe alone", severe, finding.CauseUnknown, nil, seen)
	f("and hides", severe, finding.CauseAttack, []byte{3}, seen, call(3, 5, "StopLogging"))
	f("somebody else hides", severe, finding.CauseUnknown, nil, seen, call(3, 5, "StopLogging", func(e *event.Event) { e.ActorUID = "another" }))
	planned := mine
	planned.Explained = []finding.Explanation{{Kind: "window", ID: "w", Text: say.Plain("Load test")}}
	f("planned", planned, finding.CauseDeploy, nil, seen)
	drift := mine
	drift.Kind = finding.KindPosture
	f("nobody changed it", drift, finding.CauseDrift, nil)
	f("somebody changed it", drift, finding.CauseUnknown, nil, call(4, -5, "PutBucketAcl", func(e *event.Event) { e.ResourceUIDs = []string{drift.Resource} }))
}
