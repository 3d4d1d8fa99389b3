package simulate

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/yagura-sec/yagura/simulate/estate"
)

func build(t testing.TB, c Config) *estate.World {
	t.Helper()
	w, err := Build(c)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestBuildIsTheSameAgain(t *testing.T) {
	say := func(seed int64) string {
		w := build(t, Config{Seed: seed})
		b, err := json.Marshal(w)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if first, again := say(1), say(1); first != again {
		t.Error("the same seed gives another world")
	}
	if say(1) == say(2) {
		t.Error("another seed gives the same world")
	}
}

func TestBuildHoldsToItsShares(t *testing.T) {
	w := build(t, Config{Seed: 3, Size: "medium"})
	near := func(what string, got, want, within float64) {
		t.Helper()
		near(t, what, got, want, within)
	}
	classes, rhythms := map[estate.Class]float64{}, map[string]float64{}
	apps, readings, growing, stepping := 0.0, 0.0, 0.0, 0.0
	for _, a := range w.Apps {
		classes[a.Workloads[0].Class]++
		apps++
	}
	rate := map[*estate.Secret]float64{}
	for _, wl := range w.Workloads {
		for _, r := range wl.Reads {
			readings++
			rhythms[r.Rhythm]++
			if r.Growth != 0 {
				growing++
			}
			if r.Step != 0 {
				stepping++
			}
			if !r.Workload.App.Together {
				rate[r.Secret] += r.Rate
			}
			if r.Workload != wl || r.Secret == nil || r.Rate <= 0 {
				t.Fatalf("%s reads %+v", wl.Name, r)
			}
		}
	}
	near("Lambda", classes[estate.Lambda]/apps, shareLambda/0.98, 0.06)
	near("ECS", classes[estate.ECS]/apps, shareECS/0.98, 0.06)
	near("EC2", classes[estate.EC2]/apps, shareEC2/0.98, 0.06)
	near("EKS", classes[estate.EKS]/apps, shareEKS/0.98, 0.04)
	near("office", rhythms[estate.Office]/readings, shareOffice, 0.05)
	near("flat", rhythms[estate.Flat]/readings, shareFlat, 0.05)
	near("growing", growing/readings, shareGrowing*0.83, 0.05) // batches do not grow
	near("stepping", stepping/readings, shareStepping*0.83, 0.05)
	var logs []float64
	for _, r := range rate {
		logs = append(logs, math.Log(r))
	}
	slices.Sort(logs)
	near("median rate", math.Exp(logs[len(logs)/2]), rateMedian, 0.5)
	near("log rate, 10th to 90th centile", logs[len(logs)*9/10]-logs[len(logs)/10], 2*1.2816*rateSigma, 0.8)
	var people, byName float64
	for _, s := range w.Secrets {
		if s.Person {
			people++
			if len(s.Readers) == 0 || s.Readers[0] != s.Owner {
				t.Errorf("%s is read by %v", s.Name, s.Readers)
			}
		}
		if s.Sort == estate.SortSecret && len(s.ARN) > 0 && s.ARN[len(s.ARN)-len(s.Name):] == s.Name {
			byName++
		}
	}
	near("people's secrets", people/float64(len(w.Secrets)), sharePerson, 0.01)
	if byName == 0 {
		t.Error("no secret is called by its bare name")
	}
	seen := map[string]bool{}
	for _, s := range w.Secrets {
		if seen[s.ARN] {
			t.Errorf("%s exists twice", s.ARN)
		}
		seen[s.ARN] = true
	}
	for _, wl := range w.Workloads {
		if seen[wl.Role] {
			t.Errorf("%s exists twice", wl.Role)
		}
		seen[wl.Role] = true
	}
}

// What programs show of themselves.
func TestProgramsHoldToTheirShares(t *testing.T) {
	c := Config{Seed: 5, Size: "medium", Calm: true}.withDefaults()
	e := newEngine(c, newBuilder(c).world())
	var lambdas, told, instances, old, apps, inside, denied float64
	for _, p := range e.programs {
		if p.wl.App == nil {
			continue
		}
		apps++
		if p.wl.Internal {
			inside++
		}
		if p.deniedRate > 0 {
			denied++
			if p.deniedRate > deniedMax {
				t.Errorf("%s is denied %.1f times an hour", p.wl.Name, p.deniedRate)
			}
		}
		switch p.wl.Class {
		case estate.Lambda:
			lambdas++
			if strings.Contains(p.agent, "exec-env/AWS_Lambda") {
				told++
			}
		case estate.EC2:
			instances++
			if p.wl.IMDSv1 {
				old++
			}
		}
	}
	near(t, "functions that tell their environment", told/lambdas, shareExecEnv, 0.06)
	near(t, "instances with the old metadata service", old/instances, shareIMDSv1, 0.08)
	near(t, "programs behind an endpoint", inside/apps, shareEndpoint*(1-shareCI), 0.06)
	near(t, "programs that are denied something", denied/apps, deniedPrincipals, 0.06)
	var joining, leaving, rotated, may, replicated, named, parameters, keys, owned float64
	for _, p := range e.w.People {
		if !p.Joined.IsZero() {
			joining++
		}
		if !p.Left.IsZero() {
			leaving++
		}
	}
	for _, s := range e.w.Secrets {
		if s.App == nil {
			continue
		}
		owned++
		switch s.Sort {
		case estate.SortParameter:
			parameters++
		case estate.SortKey:
			keys++
		default:
			named++
			if len(s.Replicas) > 0 {
				replicated++
			}
			if !s.App.Together {
				may++
				if s.Rotates > 0 {
					rotated++
				}
			}
		}
	}
	var created, deleted, renamed, fresh, rated float64
	for _, s := range e.w.Secrets {
		switch {
		case s.App == nil || s.App.Together || s.Sort == estate.SortKey || !s.App.Workloads[0].From.IsZero():
		case !s.Created.IsZero() && slices.ContainsFunc(s.App.Secrets, func(o *estate.Secret) bool { return o.Deleted.Equal(s.Created) }):
			renamed++
		case !s.Created.IsZero():
			created++
		case !s.Deleted.IsZero() && !slices.ContainsFunc(s.App.Secrets, func(o *estate.Secret) bool { return o.Created.Equal(s.Deleted) }):
			deleted++
		}
		if s.App != nil && !s.App.Together && s.Sort != estate.SortKey {
			rated++
		}
	}
	near(t, "created secrets", created/rated, shareCreated, 0.013)
	near(t, "renamed secrets", renamed/rated, shareRenamed, 0.01)
	near(t, "deleted secrets", deleted/rated, shareDeleted, 0.01)
	for _, a := range e.w.Apps {
		if !a.Workloads[0].From.IsZero() {
			fresh++
		}
	}
	near(t, "new applications", fresh, float64(c.Days)/newAppEvery, 1)
	for _, p := range e.programs {
		for _, f := range p.flows {
			if r := f.reading; r.Rate > rateMax || (r.Rhythm == estate.Batch || r.Rhythm == estate.Weekly) && r.Rate > batchMax {
				t.Errorf("%s is read %.0f times", r.Secret.Name, r.Rate)
			}
		}
	}
	n := float64(len(e.w.People))
	near(t, "joiners", joining/n, shareJoining, 0.025)
	near(t, "leavers", leaving/n, shareLeaving, 0.025)
	near(t, "rotated secrets", rotated/may, shareRotated, 0.05)
	near(t, "replicated secrets", replicated/named, shareReplicated, 0.025)
	near(t, "parameters", parameters/owned, shareParameter, 0.04)
	near(t, "keys", keys/owned, shareKey*0.7, 0.04) // none of what is read together
}
