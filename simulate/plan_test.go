package simulate

import (
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/simulate/estate"
)

// spot is a program that reads one secret flatly and often, apart from
// everybody else's.
func spot(t *testing.T, w *estate.World, taken map[*estate.Workload]bool, fits func(*estate.Reading) bool) *estate.Reading {
	t.Helper()
	var best *estate.Reading
	for _, wl := range w.Workloads {
		for _, r := range wl.Reads {
			if !taken[wl] && !wl.App.Together && wl.From.IsZero() && r.Secret.Created.IsZero() && r.Secret.Deleted.IsZero() && fits(r) && (best == nil || r.Rate > best.Rate) {
				best = r
			}
		}
	}
	if best == nil {
		t.Fatal("the world has no such place")
	}
	taken[best.Workload] = true
	return best
}

func flat(r *estate.Reading) bool {
	return r.Rhythm == estate.Flat && r.Rate > 1 && r.Secret.Sort == estate.SortSecret && r.Step == 0 && r.Growth == 0
}

func daily(r *estate.Reading) bool { return r.Rhythm == estate.Batch && r.Step == 0 }

func TestPlanIsCarriedOut(t *testing.T) {
	c := Config{Seed: 11, Accounts: 4, Secrets: 140, Days: 5, Calm: true, scale: 0.3}
	w := build(t, c)
	taken := map[*estate.Workload]bool{}
	from := w.Start.AddDate(0, 0, 3).Add(2*time.Hour + 20*time.Minute)
	to := from.Add(20 * time.Hour)
	var plan estate.Plan
	change := func(r *estate.Reading, ch estate.Change) *estate.Label {
		ch.From, ch.Until, ch.Workloads, ch.Secrets = from, to, []*estate.Workload{r.Workload}, []*estate.Secret{r.Secret}
		ch.Label = &estate.Label{ID: r.Secret.Name}
		plan.Changes = append(plan.Changes, ch)
		return ch.Label
	}
	more, none, away, wrong, some := spot(t, w, taken, flat), spot(t, w, taken, flat), spot(t, w, taken, flat), spot(t, w, taken, flat), spot(t, w, taken, flat)
	batch := spot(t, w, taken, daily)
	for _, r := range []*estate.Reading{more, none, away, wrong, some} {
		for _, other := range r.Workload.App.Workloads {
			if other != r.Workload {
				taken[other] = true
			}
		}
	}
	moreLabel := change(more, estate.Change{Rate: 5})
	change(none, estate.Change{Rate: -1})
	change(away, estate.Change{Region: "sa-east-1"})
	change(wrong, estate.Change{Error: "AccessDeniedException"})
	change(some, estate.Change{Region: "sa-east-1", Share: 0.3})
	late := change(batch, estate.Change{Shift: 5 * time.Hour})
	plan.Changes[len(plan.Changes)-1].Until = from.Add(24 * time.Hour)

	thief := &estate.Label{ID: "thief"}
	abroad := &estate.Account{ID: "999988887777"}
	plan.Labels = []*estate.Label{thief}
	plan.Calls = []estate.Call{
		{At: from, By: estate.Caller{Class: estate.EC2, Role: "arn:aws:iam::999988887777:role/stolen", Account: abroad, IP: "198.51.100.9"}, Account: more.Secret.Account, Region: more.Secret.Region,
			Service: "secretsmanager", Operation: "GetSecretValue", Secret: more.Secret, ReadOnly: true, Label: thief},
		{At: from, By: estate.Caller{Workload: none.Workload, IP: "198.51.100.10"}, Secret: none.Secret, Service: "secretsmanager", Operation: "GetSecretValue", Label: thief, ReadOnly: true},
		{At: from, By: estate.Caller{Class: estate.Console, Role: "arn:aws:iam::" + w.Accounts[0].ID + ":user/kei", Account: w.Accounts[0], IP: "198.51.100.11"}, Region: global, Service: "signin", Operation: "ConsoleLogin", SignIn: "Failure", Label: thief},
	}
	got := readPlanned(t, c, w, plan)

	// in is how often the reading is seen in the time of the changes and in as
	// much time before, as f counts.
	in := func(r *estate.Reading, f func(*event.Event) bool) (during, before float64) {
		for i := range got.events {
			e := &got.events[i]
			if e.ActorUID != r.Workload.Role || !isRead(e) || e.ResourceUID != r.Secret.ARN || !f(e) {
				continue
			}
			switch {
			case !e.Time.Before(from) && e.Time.Before(to):
				during++
			case !e.Time.Before(from.AddDate(0, 0, -1)) && e.Time.Before(to.AddDate(0, 0, -1)):
				before++
			}
		}
		return during, before
	}
	every := func(*event.Event) bool { return true }
	d, b := in(more, every)
	near(t, "five times as much", d/b, 5, 2)
	if len(moreLabel.Events) < int(d) && len(moreLabel.Events) < 1000 {
		t.Errorf("%d reads, %d ids in the label", int(d), len(moreLabel.Events))
	}
	d, _ = in(none, func(e *event.Event) bool { return e.SrcIP != "198.51.100.10" })
	near(t, "none at all", d, 0, 0)
	d, b = in(away, func(e *event.Event) bool { return e.Region == away.Secret.Region })
	if d != 0 || b == 0 {
		t.Errorf("%v reads at home while all go elsewhere, %v before", d, b)
	}
	d, b = in(wrong, func(e *event.Event) bool { return e.Outcome == event.Denied })
	all, _ := in(wrong, every)
	if d == 0 || d != all || b != 0 {
		t.Errorf("%v of %v reads are denied, %v before", d, all, b)
	}
	d, _ = in(some, func(e *event.Event) bool { return e.Region == "sa-east-1" })
	all, _ = in(some, every)
	near(t, "a share", d/all, 0.3, 0.15)
	if len(late.Events) == 0 {
		t.Error("no run of the batch comes late")
	}
	got.checkThief(t, thief)
}

func (w *written) checkThief(t *testing.T, l *estate.Label) {
	t.Helper()
	ids := map[string]bool{}
	for _, id := range l.Events {
		ids[id] = true
	}
	seen := map[string]*event.Event{}
	for i := range w.events {
		if e := &w.events[i]; ids[e.EventUID] && !e.Twin {
			seen[e.SrcIP] = e
		}
	}
	if e := seen["198.51.100.9"]; e == nil || e.ActorType != event.ActorAccount || e.ActorAccountUID != "999988887777" || e.SharedUID == "" {
		t.Errorf("a stranger's read is %+v", e)
	}
	if e := seen["198.51.100.10"]; e == nil || w.roles[e.ActorUID] == nil || e.Outcome != event.Success {
		t.Errorf("a read with a program's credentials is %+v", e)
	}
	if e := seen["198.51.100.11"]; e == nil || e.ActorType != event.ActorUser || e.Outcome != event.AuthFailed || e.Caller != event.CallerConsole {
		t.Errorf("a failed sign-in is %+v", e)
	}
}
