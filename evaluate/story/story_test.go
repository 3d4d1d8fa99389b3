package story

import (
	"strings"
	"testing"

	"github.com/yagura-sec/yagura/simulate/denied"
)

// world is one whose truth is that mei was refused 23 times in kite-ml.
func world(variant string) denied.World {
	gap := variant == denied.Default || variant == denied.TwoPeople
	w := denied.World{Variant: variant, Seed: 1, Ordinary: 20_000, Truth: denied.Truth{
		Person: "mei@hoshino.example", Persons: []string{"mei@hoshino.example"}, Project: "kite-ml", Service: "compute.googleapis.com",
		NeededBy: "notebooks.googleapis.com", Intent: "workbench-notebook", Gap: gap, Refusals: 23,
	}}
	switch variant {
	case denied.Granted:
		w.Truth.Refusals = 0
	case denied.TwoPeople:
		w.Truth.Person, w.Truth.Persons = "", []string{"mei@hoshino.example", "ren@hoshino.example"}
	}
	return w
}

// said is the finding as it should be.
func said() Finding {
	return Finding{
		Kind: Kind, Severity: "medium", Account: "kite-ml", Count: 23, Intent: "workbench-notebook", Implied: "compute.googleapis.com",
		Inferred: &Inference{UID: "mei@hoshino.example", Probability: 0.97, Candidates: []Candidate{{"mei@hoshino.example", 0.97}, {"ren@hoshino.example", 0.02}}},
		Gap:      &Gap{"kite-ml", "compute.googleapis.com", "notebooks.googleapis.com"}, Proposed: &Proposal{"expected", "application_gap"},
	}
}

func TestJudge(t *testing.T) {
	f := func(variant string, change func(*Finding), want Verdict) {
		t.Helper()
		r := Run{World: world(variant), Ingest: 7, Hunt: 1}
		if change != nil {
			x := said()
			change(&x)
			r.Findings = append(r.Findings, x)
		}
		got := Judge(r)
		want.Variant, want.Seed, want.Records, want.Seconds = variant, 1, 20_000, 8
		if want.Naming == "" {
			want.Naming = Silent
		}
		if got != want {
			t.Errorf("%s:\n got %+v\nwant %+v", variant, got, want)
		}
	}
	whole := Verdict{One: true, Count: 23, Counted: true, Naming: Right, Named: "mei@hoshino.example", Sure: 0.97, Listed: true, Intent: true, Implied: true, Gap: true, Proposed: true, Severity: "medium"}
	f(denied.Default, func(*Finding) {}, whole)
	f(denied.Default, nil, Verdict{}) // no finding
	f(denied.Default, func(x *Finding) { x.Account = "river-web" }, Verdict{Others: 1})

	v := whole
	v.Count, v.Counted = 20, false
	f(denied.Default, func(x *Finding) { x.Count = 20 }, v)

	v = whole
	v.Naming, v.Named = Abstained, ""
	f(denied.Default, func(x *Finding) { x.Inferred.UID = "" }, v)

	v = whole
	v.Naming, v.Named = Wrong, "ren@hoshino.example"
	f(denied.Default, func(x *Finding) { x.Inferred.UID = "ren@hoshino.example" }, v)

	v = whole
	v.Naming, v.Named, v.Sure, v.Listed = Silent, "", 0, false
	f(denied.Default, func(x *Finding) { x.Inferred = nil }, v)

	v = whole // one of the two is no right answer
	v.Naming = Wrong
	f(denied.TwoPeople, func(*Finding) {}, v)

	v = whole
	v.Gap, v.Unwise = false, true
	f(denied.Hostile, func(*Finding) {}, v)

	v = whole
	v.Proposed = false
	f(denied.Hostile, func(x *Finding) { x.Gap, x.Proposed = nil, nil }, v)

	f(denied.Granted, nil, Verdict{One: true, Counted: true, Gap: true})
	f(denied.Granted, func(*Finding) {}, Verdict{Gap: true})
}

// TestBars: a bar is met by those that it is about, and says where there are none.
func TestBars(t *testing.T) {
	judged := func(variant string, change func(*Finding)) Verdict {
		x := said()
		change(&x)
		return Judge(Run{World: world(variant), Findings: []Finding{x}, Ingest: 100, Hunt: 30})
	}
	r := Add([]Verdict{
		judged(denied.Default, func(*Finding) {}),
		judged(denied.Default, func(x *Finding) { x.Inferred.UID = "ren@hoshino.example" }),
		judged(denied.Hostile, func(x *Finding) { x.Severity, x.Gap, x.Proposed = "high", nil, nil }),
	}, []Failed{{"w", "no room"}}, true)
	bar := func(name string, got float64, of int, met bool) {
		t.Helper()
		for _, b := range r.Bars {
			if b.Name == name {
				if b.Got != got || b.Of != of || b.Met != met {
					t.Errorf("%+v", b)
				}
				return
			}
		}
		t.Errorf("no bar %q", name)
	}
	bar("one finding a run, with its count", 1, 3, true)
	bar("named rightly, of those named", 2.0/3, 3, false)
	bar("named, of the story with endpoint logs", 0.5, 2, false)
	bar("named, without endpoint logs", 0, 0, false)
	bar("hostile: high", 1, 1, true)
	bar("proposed as harmless where that is wrong", 0, 3, true)
	bar("from ingest to case within two minutes", 0, 3, false)

	text := r.Report(Header{Command: "yagura evaluate", Version: "v", Go: "go", System: "linux/amd64", Seeds: "1-2"})
	for _, part := range []string{"| default | 20000 | 2 |", "names ren@hoshino.example (0.97)", "**World w could not be evaluated", "nothing to judge by"} {
		if !strings.Contains(text, part) {
			t.Errorf("the report lacks %q:\n%s", part, text)
		}
	}
	if len(r.Cells()[0]) != len(Head) || len(r.BarCells()[0]) != len(BarHead) {
		t.Error("rows are not as long as their heads")
	}
}
