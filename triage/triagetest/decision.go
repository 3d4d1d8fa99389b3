package triagetest

import (
	"errors"
	"slices"
	"time"

	"github.com/yagura-sec/yagura/decision"
	"github.com/yagura-sec/yagura/triage"
)

var spring = time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)

// deferring is a decision that waits for a day and for a count.
func deferring(id string) decision.Decision {
	items, err := decision.ParseTrigger("items:111122223333:AWS::EC2::NetworkInterface>600000")
	if err != nil {
		panic(err) // of our own words
	}
	return decision.Decision{
		ID: id, Title: "Daily recording of network interfaces", About: []decision.Subject{{Kind: decision.Advice, ID: "key-of-advice", Account: "111122223333"}},
		Verdict: decision.Deferred, Reason: "the landing zone forbids it", Owner: "platform", Accounts: []string{"111122223333"},
		Revisit: spring, Triggers: []decision.Trigger{items}, Saving: &decision.Saving{Month: "1519.2", Currency: "USD"},
	}
}

func (b *bench) stand(d decision.Decision, e triage.Edit) decision.Decision {
	b.Helper()
	out, err := b.PutDecision(b.Context(), d, e)
	b.ok(err)
	return out
}

func standing(b *bench) {
	if _, err := b.Decision(b.Context(), "d1"); !errors.Is(err, triage.ErrUnknown) {
		b.Errorf("of a decision that there is not: %v", err)
	}
	made := b.stand(deferring("d1"), edit(0))
	if made.Version != 1 || made.By != "ann" || !made.At.Equal(noon) || !made.Decided.Equal(noon) {
		b.Errorf("made %+v", made)
	}
	got, err := b.Decision(b.Context(), "d1")
	b.ok(err)
	b.same(got, made)
	// What is as it was changes nothing; who has read another version is told.
	b.same(b.stand(made, edit(1)), made)
	if _, err := b.PutDecision(b.Context(), deferring("d1"), edit(1)); !errors.Is(err, triage.ErrChanged) {
		b.Errorf("made twice: %v", err)
	}
	asked := made.Copy()
	asked.Asked = []decision.Inquiry{{Vendor: "AWS", Case: "170000000000001", Question: "May the recorder be changed?", At: noon, By: "ann"}}
	asked = b.stand(asked, edit(2))
	answered := asked.Copy()
	answered.Asked[0].Answers = []decision.Answer{{Text: "No.", At: noon.Add(time.Hour), By: "ann"}}
	answered = b.stand(answered, edit(3))
	taken := answered.Copy()
	taken.Verdict = decision.Taken
	taken = b.stand(taken, triage.Edit{By: "bob", At: noon.Add(4 * time.Minute), Note: "it is allowed now"})
	if taken.By != "ann" || !taken.Decided.Equal(noon.Add(4*time.Minute)) || !answered.Decided.Equal(noon) || taken.Version != 4 {
		b.Errorf("taken %+v", taken)
	}
	if _, err := b.PutDecision(b.Context(), answered, edit(5)); !errors.Is(err, triage.ErrChanged) {
		b.Errorf("changed from what is past: %v", err)
	}
	for _, wrong := range []func(*decision.Decision){
		func(d *decision.Decision) { d.Reason = "" },
		func(d *decision.Decision) { d.Verdict = "perhaps" },
		func(d *decision.Decision) { d.Revisit, d.Triggers = time.Time{}, nil },
		func(d *decision.Decision) { d.ID = "" },
	} {
		d := deferring("d2")
		wrong(&d)
		if _, err := b.PutDecision(b.Context(), d, edit(6)); !errors.Is(err, triage.ErrWrong) {
			b.Errorf("%+v is taken: %v", d, err)
		}
	}
	if _, err := b.PutDecision(b.Context(), deferring("d2"), triage.Edit{At: noon}); !errors.Is(err, triage.ErrWrong) {
		b.Errorf("a decision by nobody: %v", err)
	}
	b.decisionLines("decision.change", "decision.answer", "decision.ask", "decision.create")
	changes, err := b.DecisionHistory(b.Context(), "d1")
	b.ok(err)
	if len(changes) != 4 || changes[0].By != "bob" || changes[0].Note != "it is allowed now" || changes[3].Before != nil || changes[0].Before.Version != 3 {
		b.Errorf("history %+v", changes)
	}
}

// decisionLines holds the actions of the audit lines about decisions, the latest
// first.
func (b *bench) decisionLines(want ...string) {
	b.Helper()
	lines, _, err := b.Audit(b.Context(), triage.AuditFilter{Action: "decision"})
	b.ok(err)
	var got []string
	for _, l := range lines {
		got = append(got, l.Action)
	}
	if !slices.Equal(got, want) {
		b.Errorf("audit lines %q, want %q", got, want)
	}
}

func standingReopened(b *bench) {
	d := b.stand(deferring("d1"), edit(0))
	b.stand(deferring("d2"), edit(1))
	over := decision.Reopening{Trigger: d.Triggers[0], Value: "612000", At: noon.Add(time.Hour)}
	foreign := over
	foreign.Trigger.Limit = "1"
	reopen := func(id string, want bool, why ...decision.Reopening) {
		b.Helper()
		got, err := b.Reopen(b.Context(), id, why, triage.Edit{By: "yagura", At: noon.Add(time.Hour)})
		b.ok(err)
		if got != want {
			b.Errorf("%s is reopened anew: %v", id, got)
		}
	}
	reopen("d1", true, over, foreign)
	reopen("d1", false, over)
	reopen("d2", false)
	if _, err := b.Reopen(b.Context(), "d3", []decision.Reopening{over}, edit(9)); !errors.Is(err, triage.ErrUnknown) {
		b.Errorf("reopening what there is not: %v", err)
	}
	got, err := b.Decision(b.Context(), "d1")
	b.ok(err)
	if len(got.Reopened) != 1 || got.Reopened[0] != over || got.Version != 2 {
		b.Fatalf("reopened %+v", got)
	}
	// Other changes do not answer it; another limit does.
	got.Owner = "network"
	got = b.stand(got, edit(70))
	if len(got.Reopened) != 1 {
		b.Errorf("another owner answers it: %+v", got)
	}
	later := got.Copy()
	later.Triggers[0].Limit = "900000"
	if later = b.stand(later, edit(71)); len(later.Reopened) != 0 {
		b.Errorf("another limit does not answer it: %+v", later)
	}
	// A verdict takes what fired away, for it would fire again.
	reopen("d2", true, decision.Reopening{Trigger: decision.Trigger{Kind: decision.OnDate, Day: spring}, At: spring})
	d2, err := b.Decision(b.Context(), "d2")
	b.ok(err)
	d2.Verdict = decision.Rejected
	if d2 = b.stand(d2, edit(72)); len(d2.Reopened) != 0 || !d2.Revisit.IsZero() || len(d2.Triggers) != 1 {
		b.Errorf("a verdict does not answer it: %+v", d2)
	}
	all, err := b.Decisions(b.Context())
	b.ok(err)
	if len(all) != 2 || all[0].ID != "d2" || all[1].ID != "d1" {
		b.Errorf("all %+v", all)
	}
	everything, err := b.DecisionHistory(b.Context(), "")
	b.ok(err)
	if len(everything) != 7 || everything[0].ID != "d2" || everything[6].ID != "d1" {
		b.Errorf("%d changes in all", len(everything))
	}
	b.decisionLines("decision.change", "decision.reopen", "decision.change", "decision.change", "decision.reopen", "decision.create", "decision.create")
}
