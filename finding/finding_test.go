package finding

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"

	"github.com/yagura-sec/yagura/say"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

func TestKey(t *testing.T) {
	if k := Key("a", "b"); k != Key("a", "b") || len(k) != 20 || strings.Trim(k, "abcdefghijklmnopqrstuvwxyz234567") != "" {
		t.Errorf("Key gives %q", k)
	}
	// Stored findings depend on it: it never changes.
	if k := Key("rule-1", "actor", ""); k != "4d7x7yajvkmj4wrqnjsk" {
		t.Errorf("Key gives another text than it always did: %q", k)
	}
	f := func(a, b string) {
		t.Helper()
		if a == b {
			t.Error("two lists of parts have one key")
		}
	}
	f(Key("ab", "c"), Key("a", "bc"))
	f(Key("a", ""), Key("a"))
	f(Key("1:a"), Key("a"))
}

func sighting(n int) Sighting {
	var u event.UID
	// Uids run against time, and three sightings share each instant.
	u[0], u[1] = byte(255-n%256), byte(n>>8)
	return Sighting{noon.Add(time.Duration(n/3) * time.Second), u}
}

// naive is what Evidence promises, said in another way.
func naive(ns []int) Evidence {
	seen := map[Sighting]bool{}
	var all []Sighting
	for _, n := range ns {
		if s := sighting(n); !seen[s] {
			seen[s] = true
			all = append(all, s)
		}
	}
	for i := range all {
		for j := range all[:i] {
			if all[i].Compare(all[j]) < 0 {
				all[i], all[j] = all[j], all[i]
			}
		}
	}
	var e Evidence
	for i, s := range all {
		if i < EvidenceCap {
			e.First = append(e.First, s)
		} else if i >= len(all)-EvidenceCap {
			e.Latest = append(e.Latest, s)
		}
	}
	return e
}

func TestEvidenceIsTheSameForAnySplitAndOrder(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		size := 1 + r.IntN(220)
		ns := make([]int, size)
		for i := range ns {
			ns[i] = r.IntN(size) // some twice
		}
		want := naive(ns)
		parts := make([]Evidence, 1+r.IntN(8))
		for _, n := range ns {
			parts[r.IntN(len(parts))].Add(sighting(n))
		}
		r.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
		for len(parts) > 1 {
			i := r.IntN(len(parts) - 1)
			parts[i].Merge(parts[i+1])
			parts = append(parts[:i+1], parts[i+2:]...)
		}
		if !reflect.DeepEqual(parts[0], want) {
			t.Fatalf("seed %d, %d sightings: got %d+%d, want %d+%d", seed, size,
				len(parts[0].First), len(parts[0].Latest), len(want.First), len(want.Latest))
		}
	}
}

func occurrence(n int) Occurrence {
	o := Occurrence{
		Trouble:   Trouble{Key: "k", Severity: Low, Title: string(rune('a' + n)), Actor: "arn:role/x", Confidence: 0.5},
		FirstSeen: noon.Add(time.Duration(n*7%5) * time.Minute),
		LastSeen:  noon.Add(time.Duration(10+n%4) * time.Minute), // ties
		Count:     int64(1 + n),
	}
	o.Batch[0] = byte(n * 37)
	for i := range 20 {
		o.Evidence.Add(sighting(n*15 + i))
	}
	return o
}

func TestFoldIsTheSameInAnyOrderAndGrouping(t *testing.T) {
	var all []Occurrence
	for n := range 12 {
		all = append(all, occurrence(n))
	}
	want := Fold(all)
	// By hand: 12 occurrences count 1+...+12; the latest minute is 13, reached
	// by n = 3, 7, 11 with batches 111, 3, 151: the greatest gives the title.
	if want.Count != 78 || !want.FirstSeen.Equal(noon) || !want.LastSeen.Equal(noon.Add(13*time.Minute)) || want.Title != "l" {
		t.Fatalf("fold gives count %d, %s to %s, title %q", want.Count, want.FirstSeen, want.LastSeen, want.Title)
	}
	r := rand.New(rand.NewPCG(1, 1))
	for range 100 {
		r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		cut := 1 + r.IntN(len(all)-1)
		a, b := all[0], all[cut]
		for _, o := range all[1:cut] {
			a.Merge(o)
		}
		for _, o := range all[cut+1:] {
			b.Merge(o)
		}
		a.Merge(b)
		if got := Of(a, nil, nil); !reflect.DeepEqual(got, want) {
			t.Fatalf("another order gives\n%+v, want\n%+v", got, want)
		}
	}
}

// TestLatest: of events of one instant it is the same one that is described,
// whatever batches they come in, and the sentence says that it is one of several.
func TestLatest(t *testing.T) {
	made := func(batch byte, events ...byte) Occurrence {
		o := Occurrence{
			Trouble: Trouble{Key: "k", Kind: KindRule}, Batch: event.BatchID{batch}, FirstSeen: noon, LastSeen: noon, Count: int64(len(events)),
		}
		for _, n := range events {
			o.Evidence.Add(Sighting{noon, event.UID{n}})
			o.Reasons = []Reason{{Kind: "match", Text: say.Plain(fmt.Sprint("event ", n)), Evidence: []event.UID{{n}}}} // of the last
		}
		return o
	}
	want := Fold([]Occurrence{made(1, 1, 2, 3)})
	if got := want.Reasons[0].Text.String(); got != "latest of 3 events: event 3" {
		t.Errorf("the sentence is %q", got)
	}
	for _, all := range [][]Occurrence{
		{made(1, 1), made(2, 2), made(3, 3)}, {made(9, 1), made(5, 2), made(1, 3)}, {made(2, 3), made(4, 1, 2)}, {made(4, 1, 2), made(2, 3)},
	} {
		if got := Fold(all); !reflect.DeepEqual(got, want) {
			t.Errorf("in other batches the finding is\n%+v, want\n%+v", got, want)
		}
	}
	one := made(1, 1)
	if got := Of(one, nil, nil).Reasons[0].Text.String(); got != "event 1" {
		t.Errorf("of one event the sentence is %q", got)
	}
	several := made(1, 1, 2)
	if Of(several, nil, nil); several.Reasons[0].Text.String() != "event 2" {
		t.Errorf("the occurrence's own sentence became %q", several.Reasons[0].Text)
	}
}

func TestPriority(t *testing.T) {
	f := func(s Severity, confidence float64, want int) {
		t.Helper()
		got := Fold([]Occurrence{{Trouble: Trouble{Severity: s, Confidence: confidence}}})
		product := 100.0
		for _, p := range got.Parts {
			product *= p.Value
			if p.Why.String() == "" {
				t.Errorf("part %s does not say why", p.Name)
			}
		}
		if got.Priority != want || int(product+0.5) != want || len(got.Parts) != 5 {
			t.Errorf("%s at %v has priority %d (parts give %v), want %d", s, confidence, got.Priority, product, want)
		}
	}
	f(Critical, 1, 100)
	f(Critical, 7, 100)
	f(High, 0.75, 60)
	f(Medium, 0.5, 25)
	f(Low, 0.9, 23)
	f(Informational, 1, 10)
	f("strange", 1, 50)
	f(High, -1, 0)
	var zero float64
	f(High, zero/zero, 0)
}

func TestCase(t *testing.T) {
	a := Trouble{Key: "k1", Actor: "x", Resource: "y"}
	b := Trouble{Key: "k2", Actor: "x", Resource: "y"}
	if CaseID(a, noon) != CaseID(b, noon.Add(11*time.Hour)) {
		t.Error("one principal, resource and day make two cases")
	}
	if CaseID(a, noon) == CaseID(b, noon.Add(12*time.Hour)) {
		t.Error("two days make one case")
	}
	if CaseID(Trouble{Key: "k1"}, noon) == CaseID(Trouble{Key: "k2"}, noon) {
		t.Error("strangers without a principal share a case")
	}
}

func TestDecisions(t *testing.T) {
	seen := occurrence(0)
	before, after := seen.LastSeen.Add(-time.Second), seen.LastSeen.Add(time.Second)
	f := func(want Status, ds ...Decision) {
		t.Helper()
		got := Of(seen, ds, nil)
		if got.Status != want {
			t.Errorf("status %s, want %s", got.Status, want)
		}
		reopened := len(got.Reasons) > 0 && got.Reasons[len(got.Reasons)-1].Kind == "reopened"
		if want := want == New && len(ds) > 0 && ds[len(ds)-1].Status == Resolved; reopened != want {
			t.Errorf("reopened reason: %v, want %v", reopened, want)
		}
	}
	f(New)
	f(InProgress, Decision{At: before, Status: InProgress})
	f(Resolved, Decision{At: after, Status: Resolved})
	f(Resolved, Decision{At: seen.LastSeen, Status: Resolved}) // not later
	f(New, Decision{At: before, Status: Resolved})
	f(New, Decision{At: before, Status: Resolved, Verdict: TruePositive})
	f(Resolved, Decision{At: before, Status: Resolved, Verdict: FalsePositive})
	f(Resolved, Decision{At: before, Verdict: Expected}, Decision{At: before, Status: Resolved})
	f(Suppressed, Decision{At: before, Status: Suppressed})
	f(InProgress, Decision{At: before, Status: Resolved}, Decision{At: before, Status: InProgress})

	got := Of(seen, []Decision{
		{At: before, Verdict: FalsePositive, Reason: "wrong_data", Assignee: "ann"},
		{At: after, Cause: CauseDeploy},
		{At: after, Verdict: TruePositive},
	}, nil)
	if got.Verdict != TruePositive || got.Reason != "" || got.Cause != CauseDeploy || got.Assignee != "ann" || len(got.Decisions) != 3 {
		t.Errorf("replay gives %+v", got)
	}
	if Of(seen, nil, nil).Cause != CauseUnknown {
		t.Error("a finding nobody decided about has a cause")
	}
}

func TestDecisionCheck(t *testing.T) {
	f := func(d Decision, want string) {
		t.Helper()
		d.At = noon
		err := d.Check()
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("Check(%+v) = %v, want %q", d, err, want)
		}
	}
	f(Decision{By: "ann", Status: Resolved, Verdict: Expected, Reason: "automation"}, "")
	f(Decision{By: "ann", Comment: "hm"}, "")
	f(Decision{Status: Resolved}, "without a name")
	f(Decision{By: "ann"}, "decides nothing")
	f(Decision{By: "ann", Status: "done"}, "status \"done\" is not one of new, in_progress")
	f(Decision{By: "ann", Verdict: "good"}, "verdict")
	f(Decision{By: "ann", Cause: "moon"}, "cause")
	f(Decision{By: "ann", Reason: "attack"}, "needs the verdict")
	f(Decision{By: "ann", Verdict: Expected, Reason: "attack"}, "planned_change")
	if err := (Decision{By: "ann", Comment: "x"}).Check(); err == nil {
		t.Error("a decision without a time passes")
	}
}

func TestDemoted(t *testing.T) {
	day := Day(noon)
	tally := func(days int, matches, events int64) Tally {
		return Tally{"r", "aws/cloudtrail", day.AddDate(0, 0, days), matches, events}
	}
	f := func(severity Severity, lastDay int, want bool, ts ...Tally) {
		t.Helper()
		got := Demoted(&Finding{Trouble: Trouble{Rule: "r", LogSource: "aws/cloudtrail", Severity: severity},
			FirstSeen: noon, LastSeen: noon.AddDate(0, 0, lastDay)}, ts)
		if got != want {
			t.Errorf("demoted: %v, want %v", got, want)
		}
	}
	f(Low, 0, true, tally(0, 101, 10000))
	f(Low, 0, false, tally(0, 100, 10000))  // exactly 1 %
	f(Low, 0, false, tally(0, 99, 200))     // few enough to read
	f(Low, 0, true, tally(0, 100, 200))     //
	f(Low, 0, false, tally(0, 100, 0))      // nobody counted the events
	f(High, 0, false, tally(0, 500, 1000))  // never hidden
	f(Medium, 0, true, tally(0, 500, 1000)) //
	f(Low, 1, true, tally(0, 500, 1000), tally(1, 500, 1000))
	f(Low, 1, false, tally(0, 500, 1000), tally(1, 5, 1000))
	f(Low, 1, true, tally(0, 500, 1000), tally(2, 5, 1000)) // the quiet day is not the finding's
	f(Low, 2, true, tally(0, 500, 1000), tally(1, 0, 1000))
	f(Low, 0, false)
	other := tally(0, 1, 1000)
	other.Rule = "other"
	f(Low, 0, true, tally(0, 500, 1000), other)
}
