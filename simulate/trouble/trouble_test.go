package trouble_test

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/simulate"
	"github.com/yagura-sec/yagura/simulate/estate"
	"github.com/yagura-sec/yagura/simulate/trouble"
)

type made struct {
	name string
	w    *estate.World
	plan estate.Plan
}

// worlds are several small worlds and one of each other size, each with its
// trouble.
var worlds = sync.OnceValues(func() ([]made, error) {
	configs := []simulate.Config{{Seed: 11, Size: "medium"}, {Seed: 12, Size: "large", Family: estate.Bursts}}
	for seed := range int64(8) {
		configs = append(configs, simulate.Config{Seed: seed + 1, Size: "small", Family: []estate.Family{estate.Smooth, estate.Bursts}[seed%2]})
	}
	var out []made
	for _, c := range configs {
		w, err := simulate.Build(c)
		if err != nil {
			return nil, err
		}
		out = append(out, made{fmt.Sprintf("%s-%d", c.Size, c.Seed), w, trouble.Plan(w, c.Seed)})
	}
	return out, nil
})

// each tests every world.
func each(t *testing.T, f func(t *testing.T, w *estate.World, p estate.Plan)) {
	t.Helper()
	all, err := worlds()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		t.Run(m.name, func(t *testing.T) { f(t, m.w, m.plan) })
	}
}

func TestEveryKindInEqualParts(t *testing.T) {
	each(t, func(t *testing.T, w *estate.World, p estate.Plan) {
		parts, benign, troubles, known := map[string]int{}, 0, 0, 0
		for _, l := range p.Labels {
			switch {
			case l.PartOf != "":
			case l.Benign:
				benign++
				if l.Known {
					known++
				}
			default:
				troubles++
				if l.Kind != trouble.KindChain {
					parts[fmt.Sprint(l.Kind, " ", l.Difficulty)]++
				}
			}
		}
		want := trouble.Rounds(w.Size)
		for _, kind := range finding.Signs {
			for d := 1; d <= 3; d++ {
				if got := parts[fmt.Sprint(kind, " ", d)]; got != want {
					t.Errorf("%s of difficulty %d: %d, want %d", kind, d, got, want)
				}
			}
		}
		if want := want * (3*len(finding.Signs) + 2); troubles != want || benign != want {
			t.Errorf("%d of trouble, %d of what looks like it; want %d of each", troubles, benign, want)
		}
		if want := int(math.Round(trouble.KnownShare * float64(benign))); known != want {
			t.Errorf("%d of %d are known, want %d", known, benign, want)
		}
	})
}

func TestPairs(t *testing.T) {
	each(t, func(t *testing.T, w *estate.World, p estate.Plan) {
		ids := map[string]*estate.Label{}
		for _, l := range p.Labels {
			if ids[l.ID] != nil {
				t.Errorf("two labels %s", l.ID)
			}
			ids[l.ID] = l
		}
		for _, l := range p.Labels {
			if l.PartOf != "" {
				if chain := ids[l.PartOf]; chain == nil || !slices.Contains(chain.Kinds, l.Kind) {
					t.Errorf("%s is part of %s, which has not its kind", l.ID, l.PartOf)
				}
				continue
			}
			o := ids[l.LookAlike]
			if o == nil || o.LookAlike != l.ID || o.Benign == l.Benign || o.Kind != l.Kind || o.Difficulty != l.Difficulty {
				t.Errorf("%s and %s are no pair", l.ID, l.LookAlike)
			}
			if l.Benign && l.Why == "" || l.Sort == "" || !slices.Contains(append(slices.Clone(finding.Signs), trouble.KindChain), l.Kind) {
				t.Errorf("%s tells too little: %+v", l.ID, l)
			}
		}
	})
}

func TestSameAgain(t *testing.T) {
	plan := func(seed int64) estate.Plan {
		w, err := simulate.Build(simulate.Config{Seed: 3})
		if err != nil {
			t.Fatal(err)
		}
		return trouble.Plan(w, seed)
	}
	show := func(p estate.Plan) []string {
		var out []string
		for _, l := range p.Labels {
			out = append(out, fmt.Sprintf("%+v", *l))
		}
		for _, c := range p.Calls {
			out = append(out, fmt.Sprint(c.At, c.By.Role, c.By.Session, c.By.IP, c.Region, c.Operation, c.Params, c.Message))
		}
		for _, c := range p.Changes {
			out = append(out, fmt.Sprint(c.From, c.Until, c.Rate, c.Region, c.Shift, c.IP, len(c.Workloads), len(c.Secrets)))
		}
		return append(out, fmt.Sprintf("%+v", p.Windows))
	}
	a, b := show(plan(5)), show(plan(5))
	if !reflect.DeepEqual(a, b) {
		t.Error("the same seed plans something else")
	}
	if reflect.DeepEqual(a, show(plan(6))) {
		t.Error("another seed plans the same")
	}
}

func TestWithinTheirTimes(t *testing.T) {
	each(t, func(t *testing.T, w *estate.World, p estate.Plan) {
		has := map[*estate.Label]int{}
		for _, c := range p.Calls {
			if c.At.Before(w.Start) || !c.At.Before(w.End) {
				t.Errorf("a call at %v, out of the logs", c.At)
			}
			if l := c.Label; l != nil {
				has[l]++
				if c.At.Before(l.Start) || !c.At.Before(l.End) {
					t.Errorf("%s (%s): %s at %v, not in [%v, %v)", l.ID, l.Sort, c.Operation, c.At, l.Start, l.End)
				}
			}
			if c.Account == nil || c.By.Account == nil || c.Region == "" || c.Service == "" || c.Operation == "" {
				t.Errorf("a call with holes: %+v", c)
			}
		}
		for _, c := range p.Changes {
			if l := c.Label; l != nil {
				has[l]++
				if c.From.Before(l.Start) || c.Until.After(l.End) {
					t.Errorf("%s (%s): changes [%v, %v), not in [%v, %v)", l.ID, l.Sort, c.From, c.Until, l.Start, l.End)
				}
			}
		}
		for _, l := range p.Labels {
			if l.Start.Before(w.TroubleAt) || !l.End.Before(w.End) || !l.Start.Before(l.End) {
				t.Errorf("%s lasts from %v to %v", l.ID, l.Start, l.End)
			}
			if has[l] == 0 && l.Kind != trouble.KindChain {
				t.Errorf("%s (%s) does nothing", l.ID, l.Sort)
			}
		}
	})
}

func TestOfThisWorld(t *testing.T) {
	each(t, func(t *testing.T, w *estate.World, p estate.Plan) {
		principals, people, secrets := map[string]bool{}, map[string]bool{}, map[string]*estate.Secret{}
		for _, x := range w.Workloads {
			principals[x.Role] = true
		}
		for _, a := range w.Accounts {
			principals[trouble.BreakGlass(a)] = true
		}
		for _, x := range w.People {
			people[x.Email] = true
			for _, s := range x.Sets {
				principals[s.Role] = true
				principals[trouble.SignInUser(x, s.Account)] = true
			}
		}
		for _, s := range w.Secrets {
			secrets[s.ARN] = s
			for _, a := range s.Replicas {
				secrets[trouble.NamedIn(s, a)] = s
			}
		}
		for _, l := range p.Labels {
			if !principals[l.Principal] {
				t.Errorf("%s (%s): no principal %s", l.ID, l.Sort, l.Principal)
			}
			if l.Person != "" && !people[l.Person] && l.Sort != "guessed sign-in" {
				t.Errorf("%s (%s): nobody is %s", l.ID, l.Sort, l.Person)
			}
			for _, u := range l.Secrets {
				s := secrets[u]
				if s == nil && l.Kind != finding.SignRegion && !slices.Contains(l.Kinds, finding.SignRegion) { // whose copies have names of their own
					t.Errorf("%s (%s): no secret %s", l.ID, l.Sort, u)
				} else if s != nil && !l.Blind && !s.Created.IsZero() && l.Start.Before(s.Created.Add(trouble.YoungestSecret)) {
					t.Errorf("%s (%s): %s is of %v", l.ID, l.Sort, s.Name, s.Created)
				}
			}
		}
	})
}

func TestApart(t *testing.T) {
	each(t, func(t *testing.T, w *estate.World, p estate.Plan) {
		for i, a := range p.Labels {
			for _, b := range p.Labels[i+1:] {
				if a.PartOf != "" || b.PartOf != "" || !a.Start.Before(b.End) || !b.Start.Before(a.End) {
					continue
				}
				if a.Principal == b.Principal || a.Person != "" && a.Person == b.Person {
					t.Errorf("%s (%s) and %s (%s) are by the same principal at a time", a.ID, a.Sort, b.ID, b.Sort)
				}
				for _, s := range a.Secrets {
					if slices.Contains(b.Secrets, s) && !a.Blind && !b.Blind {
						t.Errorf("%s (%s) and %s (%s) share %s at a time", a.ID, a.Sort, b.ID, b.Sort, s)
					}
				}
			}
		}
	})
}

// found is what a finding of the labelled thing would look like.
func found(l *estate.Label) *finding.Occurrence {
	o := &finding.Occurrence{FirstSeen: l.Start, LastSeen: l.End.Add(-time.Second)}
	kind := l.Kind
	if kind == trouble.KindChain {
		kind = l.Kinds[0]
	}
	o.Kind = finding.KindAnomaly + finding.Kind("."+kind)
	o.Account, o.Actor = l.Account, l.Principal
	o.Anomaly = &finding.Anomaly{Sign: kind, Person: l.Person, Resources: l.Secrets}
	if len(l.Secrets) > 0 {
		o.Resource = l.Secrets[0]
	}
	return o
}

func TestCalendar(t *testing.T) {
	each(t, func(t *testing.T, w *estate.World, p estate.Plan) {
		for _, l := range p.Labels {
			covered := ""
			for i := range p.Windows {
				if err := p.Windows[i].Check(); err != nil {
					t.Fatal(err)
				}
				if p.Windows[i].Covers(found(l)) {
					covered = p.Windows[i].ID
				}
			}
			switch {
			case !l.Benign && covered != "":
				t.Errorf("%s (%s) is trouble and covered by %s", l.ID, l.Sort, covered)
			case l.Known && covered == "":
				t.Errorf("%s (%s) is known and no window covers it", l.ID, l.Sort)
			case l.Benign && !l.Known && covered != "":
				t.Errorf("%s (%s) is unknown and covered by %s", l.ID, l.Sort, covered)
			}
		}
		sorts, ids := map[string]int{}, map[string]bool{}
		for _, x := range p.Windows {
			if sorts[x.Sort]++; ids[x.ID] {
				t.Errorf("two windows %s", x.ID)
			}
			ids[x.ID] = true
		}
		if sorts["on_call"] == 0 || sorts["holiday"] == 0 && w.Size != "large" { // which is two weeks without one
			t.Errorf("no rosters or no holidays: %v", sorts)
		}
	})
}

func TestSpreadOverTime(t *testing.T) {
	each(t, func(t *testing.T, w *estate.World, p estate.Plan) {
		weeks := map[int]int{}
		for _, l := range p.Labels {
			weeks[int(l.Start.Sub(w.TroubleAt)/(7*24*time.Hour))]++
		}
		whole := int(w.End.Sub(w.TroubleAt) / (7 * 24 * time.Hour))
		for i := range whole {
			if weeks[i] < len(p.Labels)/whole/4 {
				t.Errorf("week %d has %d of %d", i, weeks[i], len(p.Labels))
			}
		}
	})
}

func TestRates(t *testing.T) {
	r := trouble.Rates()
	each(t, func(t *testing.T, w *estate.World, p estate.Plan) {
		for k, v := range r {
			if got, ok := w.Rates[k]; !ok || got != v || strings.HasSuffix(k, ".least") && got > r[strings.TrimSuffix(k, "least")+"most"] {
				t.Errorf("%s is %v in the world, want %v", k, got, v)
			}
		}
	})
	if r["trouble.known_share"] != trouble.KnownShare || len(r) < 40 {
		t.Errorf("%v", r)
	}
}

// TestHonest holds bursts against what is usual for their secrets: plain ones
// stand far above it, unusual ones well, placed blindly or not.
func TestHonest(t *testing.T) {
	onApp := 0
	each(t, func(t *testing.T, w *estate.World, p estate.Plan) {
		calls, sessions := map[*estate.Label]int{}, map[*estate.Label]map[string]bool{}
		for _, c := range p.Calls {
			if calls[c.Label]++; sessions[c.Label] == nil {
				sessions[c.Label] = map[string]bool{}
			}
			sessions[c.Label][c.By.Session] = true
		}
		usual := map[string]float64{}
		for _, wl := range w.Workloads {
			for _, r := range wl.Reads {
				if r.Rhythm == estate.Office || r.Rhythm == estate.Flat {
					usual[r.Secret.ARN] += r.Rate
				}
			}
		}
		for _, l := range p.Labels {
			if l.Benign || l.Sort != "burst" && l.Sort != "burst on an application" {
				continue
			}
			n, rate := float64(calls[l]), 0.0
			for _, s := range l.Secrets {
				rate += usual[s]
			}
			switch {
			case l.Difficulty == 1 && n < trouble.PlainTimes*rate+trouble.PlainMore,
				l.Difficulty == 2 && n < trouble.UnusualTimes*rate,
				!l.Blind && n < rate/4:
				t.Errorf("%s of difficulty %d: %v more calls, where %.1f an hour are usual", l.ID, l.Difficulty, n, rate)
			}
			if l.Sort == "burst" {
				continue
			}
			if onApp++; len(l.Secrets) < 2 || len(sessions[l]) != 1 {
				t.Errorf("%s: %d secrets by %d sessions", l.ID, len(l.Secrets), len(sessions[l]))
			}
			apps := map[*estate.App]bool{}
			for _, s := range w.Secrets {
				if slices.Contains(l.Secrets, s.ARN) {
					apps[s.App] = true
				}
			}
			if len(apps) != 1 || l.End.Sub(l.Start) < 45*time.Minute {
				t.Errorf("%s: secrets of %d applications in %v", l.ID, len(apps), l.End.Sub(l.Start))
			}
		}
	})
	if onApp == 0 {
		t.Error("nobody reads several secrets of an application")
	}
}

// TestDrawn: what is injected has sizes of the ranges that world.json prints, and
// not the same one always.
func TestDrawn(t *testing.T) {
	sizes := map[string]map[int]bool{}
	f := func(l *estate.Label, n int, sort string, difficulty int, r trouble.Range) {
		t.Helper()
		if l.Sort != sort || l.Difficulty != difficulty || l.Blind || l.PartOf != "" {
			return
		}
		if float64(n) < r.Least || float64(n) > r.Most {
			t.Errorf("%s of difficulty %d: %d, want %v", sort, difficulty, n, r)
		}
		k := fmt.Sprint(sort, difficulty)
		if sizes[k] == nil {
			sizes[k] = map[int]bool{}
		}
		sizes[k][n] = true
	}
	each(t, func(t *testing.T, w *estate.World, p estate.Plan) {
		calls := map[*estate.Label]int{}
		for _, c := range p.Calls {
			calls[c.Label]++
		}
		for _, l := range p.Labels {
			if l.Benign {
				continue
			}
			f(l, calls[l], "burst", 1, trouble.BurstHuge)
			f(l, calls[l], "burst", 3, trouble.BurstSmall)
			f(l, calls[l], "hammer", 1, trouble.Hammer)
			f(l, calls[l], "from an instance", 1, trouble.StrangerPlain)
			f(l, calls[l], "denied by a service control policy", 1, trouble.DenialsMany)
			f(l, calls[l], "denied by a service control policy", 2, trouble.DenialsSome)
			f(l, calls[l], "denied by a service control policy", 3, trouble.DenialsFew)
			f(l, len(l.Secrets), "spray", 1, trouble.SprayWide)
		}
	})
	for k, seen := range sizes {
		if len(seen) < 2 {
			t.Errorf("%s: always %v", k, seen)
		}
	}
	if len(sizes) < 6 {
		t.Errorf("only %d sorts are held: %v", len(sizes), sizes)
	}
}

// TestBlind: BlindShare of what is unusual or hidden comes to whatever is used,
// nothing that is plain does.
func TestBlind(t *testing.T) {
	blind, all := 0.0, 0.0
	each(t, func(t *testing.T, w *estate.World, p estate.Plan) {
		for _, l := range p.Labels {
			if l.PartOf != "" {
				continue
			}
			if l.Blind && (l.Benign || l.Difficulty == 1) {
				t.Errorf("%s of difficulty %d is blind", l.ID, l.Difficulty)
			}
			if !l.Benign && l.Difficulty > 1 {
				if all++; l.Blind {
					blind++
				}
			}
		}
	})
	if share := blind / all; math.Abs(share-trouble.BlindShare) > 0.1 {
		t.Errorf("%.0f of %.0f are blind", blind, all)
	}
}

// TestTickets: each known thing has one window, and half of them tell no more
// than where and when.
func TestTickets(t *testing.T) {
	var wide, all, duty, onCall float64
	each(t, func(t *testing.T, w *estate.World, p estate.Plan) {
		known, tickets := 0, 0
		for _, l := range p.Labels {
			if l.Known && l.Sort != "on-call page" {
				known++
			}
			if !l.Benign && l.Person != "" {
				onCall++
				for _, x := range w.People {
					if x.Email == l.Person && slices.ContainsFunc(x.Duty, func(s estate.Shift) bool { return l.Start.Before(s.To) && s.From.Before(l.End) }) {
						duty++
					}
				}
			}
		}
		for _, x := range p.Windows {
			if x.Ticket == "" {
				continue
			}
			tickets++
			if len(x.Actors)+len(x.People) > 0 {
				continue
			}
			if len(x.Accounts) > 0 && len(x.Resources) == 0 || len(x.Resources) > 0 && strings.HasSuffix(x.Resources[0], "/*") {
				wide++
			}
		}
		if all += float64(tickets); tickets != known {
			t.Errorf("%d windows of %d that are known", tickets, known)
		}
	})
	if share := wide / all; share < 0.4 || share > 0.55 {
		t.Errorf("%.0f of %.0f windows tell where and when only", wide, all)
	}
	if duty == 0 {
		t.Errorf("none of %.0f stolen sessions is of who is on call", onCall)
	}
}

// TestRare: trouble is on 0.1 to 1 of 100 principals' days.
func TestRare(t *testing.T) {
	each(t, func(t *testing.T, w *estate.World, p estate.Plan) {
		n := 0
		for _, l := range p.Labels {
			if !l.Benign && l.PartOf == "" {
				n++
			}
		}
		days := w.End.Sub(w.TroubleAt).Hours() / 24 * float64(len(w.Workloads)+len(w.People))
		if share := float64(n) / days; share < 0.001 || share > 0.01 {
			t.Errorf("%d troubles in %.0f principal-days: %.4f", n, days, share)
		}
	})
}

// TestFirst: what is plain or unusual because somebody comes to a secret for the
// first time is not spoilt by another stranger before.
func TestFirst(t *testing.T) {
	each(t, func(t *testing.T, w *estate.World, p estate.Plan) {
		spoilt, all := 0, 0
		for _, l := range p.Labels {
			if l.Benign || l.Blind || l.Difficulty == 3 || l.PartOf != "" || l.Kind != finding.SignView && l.Kind != finding.SignCaller {
				continue
			}
			all++
			for _, o := range p.Labels {
				if !o.Blind && o.Start.Before(l.Start) && (o.Person != "" || o.Kind == finding.SignCaller) && slices.Contains(o.Secrets, l.Secrets[0]) && o.Kind != finding.SignFailures {
					spoilt++
				}
			}
		}
		if spoilt > all/10 {
			t.Errorf("%d of %d are not the first", spoilt, all)
		}
	})
}

// TestTiny: a world too small for trouble has less of it, in pairs all the same.
func TestTiny(t *testing.T) {
	f := func(c simulate.Config) {
		t.Helper()
		w, err := simulate.Build(c)
		if err != nil {
			t.Fatal(err)
		}
		n := map[bool]int{}
		for _, l := range trouble.Plan(w, c.Seed).Labels {
			if l.PartOf == "" {
				n[l.Benign]++
			}
		}
		if n[true] != n[false] {
			t.Errorf("%+v: %d of trouble, %d of what looks like it", c, n[false], n[true])
		}
	}
	f(simulate.Config{Seed: 1, Days: 1, Accounts: 1, Secrets: 1})
	f(simulate.Config{Seed: 2, Days: 2, Accounts: 2, Secrets: 5})
	f(simulate.Config{Seed: 3, Days: 5, Accounts: 3, Secrets: 20})
	f(simulate.Config{Seed: 4, Days: 10, Accounts: 5, Secrets: 40})
	f(simulate.Config{Seed: 5, Days: 21, Accounts: 12, Secrets: 150})
	f(simulate.Config{Seed: 6, Days: 45, Accounts: 1, Secrets: 3})
	f(simulate.Config{Seed: 7, Days: 30, Accounts: 40, Secrets: 10})
}
