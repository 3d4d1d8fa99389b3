package evaluate

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/simulate/estate"
	"github.com/yagura-sec/yagura/usage"
)

var noon = time.Date(2026, 8, 3, 12, 0, 0, 0, time.UTC)

const (
	secretA = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-main-Ab12Cd"
	roleA   = "arn:aws:iam::111122223333:role/app/payments"
)

func label(change func(*Label)) Label {
	l := Label{Label: estate.Label{ID: "a", Kind: finding.SignFrequency, Difficulty: 1, Start: noon, End: noon.Add(time.Hour), Secrets: []string{secretA}},
		Actors: []string{roleA}}
	if change != nil {
		change(&l)
	}
	return l
}

func sighting(change func(*Sighting)) Sighting {
	s := Sighting{Key: "k", Sign: finding.SignFrequency, Actor: roleA, Account: "111122223333", Resources: []string{secretA},
		First: noon.Add(10 * time.Minute), Last: noon.Add(20 * time.Minute), Known: noon.Add(80 * time.Minute), Needs: 0.5}
	if change != nil {
		change(&s)
	}
	return s
}

func TestAbout(t *testing.T) {
	f := func(l Label, s Sighting, want bool) {
		t.Helper()
		if got := newMatcher(&l).about(&s); got != want {
			t.Errorf("about = %v, want %v", got, want)
		}
	}
	f(label(nil), sighting(nil), true)
	// Time: half an hour on either side, to the second.
	at := func(from, to time.Duration) Sighting {
		return sighting(func(s *Sighting) { s.First, s.Last = noon.Add(from), noon.Add(to) })
	}
	f(label(nil), at(-2*time.Hour, -30*time.Minute), true)
	f(label(nil), at(-2*time.Hour, -30*time.Minute-time.Second), false)
	f(label(nil), at(90*time.Minute, 3*time.Hour), true)
	f(label(nil), at(90*time.Minute+time.Second, 3*time.Hour), false)
	f(label(nil), at(-20*time.Hour, 20*time.Hour), true)
	// Who or what: one of them is enough.
	other := func(s *Sighting) {
		s.Actor, s.Resources = "arn:aws:iam::111122223333:role/other", []string{"arn:other"}
	}
	f(label(nil), sighting(other), false)
	f(label(nil), sighting(func(s *Sighting) { other(s); s.Actor = roleA }), true)
	f(label(nil), sighting(func(s *Sighting) { other(s); s.Resources = []string{"x", secretA} }), true)
	f(label(nil), sighting(func(s *Sighting) { s.Resources = nil }), true)
	f(label(nil), sighting(func(s *Sighting) { s.Resources, s.Actor = nil, "" }), false)
	// A role's sessions and path, a secret's suffix and replicas.
	f(label(func(l *Label) {
		l.Actors = []string{"arn:aws:sts::111122223333:assumed-role/payments/i-0abc"}
		l.Secrets = nil
	}), sighting(nil), true)
	f(label(func(l *Label) {
		l.Actors = []string{"arn:aws:sts::444455556666:assumed-role/payments/i-0abc"}
		l.Secrets = nil
	}), sighting(nil), false)
	secret := func(uid string) Label { return label(func(l *Label) { l.Actors, l.Secrets = nil, []string{uid} }) }
	f(secret("arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-main"), sighting(nil), true)
	f(secret("arn:aws:secretsmanager:us-east-1:111122223333:secret:prod/db-main-Ab12Cd"), sighting(nil), true)
	f(secret("arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db"), sighting(nil), false)
	f(secret("arn:aws:secretsmanager:eu-west-1:444455556666:secret:prod/db-main-Ab12Cd"), sighting(nil), false)
	f(secret("arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-main-Zz99Zz"), sighting(nil), false)
	// Bare names, where a label has no more.
	f(secret("prod/db-main"), sighting(nil), true)
	f(secret("prod/db"), sighting(nil), false)
	f(label(func(l *Label) { l.Actors, l.Secrets = []string{"Payments"}, nil }), sighting(nil), true)
	f(label(func(l *Label) { l.Actors, l.Secrets = []string{"payment"}, nil }), sighting(nil), false)
	// People who share a role are not each other.
	ann := label(func(l *Label) { l.Secrets, l.People = nil, []string{"ann@example.com"} })
	f(ann, sighting(func(s *Sighting) { s.Resources, s.Person = nil, "Ann@example.com" }), true)
	f(ann, sighting(func(s *Sighting) { s.Resources, s.Person = nil, "bob@example.com" }), false)
	f(ann, sighting(func(s *Sighting) { s.Resources = nil }), true)
	// Where a label names nobody, its account has to do.
	nobody := label(func(l *Label) { l.Actors, l.Secrets, l.Account = nil, nil, "111122223333" })
	f(nobody, sighting(nil), true)
	f(nobody, sighting(func(s *Sighting) { s.Account = "444455556666" }), false)
}

// world has 100 secrets and ten days: one alert a day and 1,000 secrets is one
// alert.
var tenDays = World{Name: "w", Start: noon.AddDate(0, 0, -20), From: noon.AddDate(0, 0, -5), End: noon.AddDate(0, 0, 5), Secrets: 100}

func TestJudge(t *testing.T) {
	score := func(labels []Label, sightings ...Sighting) Scores {
		return Score([]Verdict{Judge(tenDays, labels, sightings)})
	}
	f := func(s Scores, budget, recall, precision, alerts float64) {
		t.Helper()
		k := s.Kinds[finding.SignFrequency]
		if got := k.Recall.At(budget); got != recall {
			t.Errorf("recall at %v = %v, want %v", budget, got, recall)
		}
		if got := k.Precision.At(budget); got != precision && !(math.IsNaN(got) && math.IsNaN(precision)) {
			t.Errorf("precision at %v = %v, want %v", budget, got, precision)
		}
		if got := s.Alerts.At(budget); math.Abs(got-alerts) > 1e-9 {
			t.Errorf("alerts at %v = %v, want %v", budget, got, alerts)
		}
	}
	two := []Label{label(nil), label(func(l *Label) { l.ID, l.Difficulty = "b", 2; l.Start = noon.AddDate(0, 0, 2); l.End = l.Start })}
	none := math.NaN()
	f(score(two), 20, 0, none, 0)
	f(score(two, sighting(nil)), 1, 0.5, 1, 1)
	// An alert needs its budget.
	costly := sighting(func(s *Sighting) { s.Needs = 3 })
	f(score(two, costly), 1, 0, none, 0)
	f(score(two, costly), 5, 0.5, 1, 1)
	// One of another kind is an alert, but not of this kind.
	s := score(two, sighting(func(s *Sighting) { s.Sign = finding.SignTime }))
	f(s, 1, 0, none, 1)
	if k := s.Kinds[finding.SignFrequency]; k.RecallAnyKind.At(1) != 0.5 || s.False.At(1) != 0 {
		t.Errorf("any kind: recall %v, false %v; want 0.5, 0", k.RecallAnyKind.At(1), s.False.At(1))
	}
	// Sightings of one key are one alert; what is explained is none.
	f(score(two, sighting(nil), sighting(func(s *Sighting) { s.Needs = 0.7 })), 1, 0.5, 1, 1)
	s = score(two, sighting(func(s *Sighting) { s.Explained = "calendar" }))
	f(s, 1, 0, none, 0)
	if got := s.Excused.At(1); got != 0.5 {
		t.Errorf("trouble explained = %v, want 0.5", got)
	}
	// One about nothing is false; one before trouble begins does not count.
	nothing := sighting(func(s *Sighting) { s.Key, s.Actor, s.Resources = "n", "x", nil })
	s = score(two, sighting(nil), nothing)
	f(s, 1, 0.5, 0.5, 2)
	if got := s.Calibration[3]; got.Expected != 1 || got.Observed != 1 {
		t.Errorf("calibration = %+v, want 1 expected, 1 observed", got)
	}
	v := Judge(tenDays, two, []Sighting{sighting(func(s *Sighting) { s.First = noon.AddDate(0, 0, -6); s.Last = s.First })})
	if len(v.Alerts) != 0 || v.Early != 1 {
		t.Errorf("early: %d alerts, %d early; want 0, 1", len(v.Alerts), v.Early)
	}
	// 15 days of 100 secrets are 1.5 days of 1,000.
	if got := Score([]Verdict{v}).Early; math.Abs(got.At(1)-1/1.5) > 1e-9 {
		t.Errorf("alerts before trouble = %v a day and 1,000, want %v", got.At(1), 1/1.5)
	}
	// Time to detect: from the label's start to when the hour is judged.
	if got := score(two, sighting(nil)).Kinds[finding.SignFrequency].MedianMinutes.At(1); got != 80 {
		t.Errorf("minutes to detect = %v, want 80", got)
	}
	// Ten times rarer trouble: one true alert and one false are 0.1 of 1.1.
	if got := s.Kinds[finding.SignFrequency].PrecisionRarer.At(1); math.Abs(got-0.1/1.1) > 1e-9 {
		t.Errorf("precision, rarer = %v, want %v", got, 0.1/1.1)
	}
}

func TestLookalikes(t *testing.T) {
	like := label(func(l *Label) { l.ID, l.Benign, l.Sort, l.Known = "like", true, "deploy storm", true })
	f := func(labels []Label, s Sighting, unexplained, explained float64) {
		t.Helper()
		got := Score([]Verdict{Judge(tenDays, labels, []Sighting{s})}).Lookalikes
		a := got.Known
		if a.Labels != 1 || a.Unexplained.At(1) != unexplained || a.Explained.At(1) != explained {
			t.Errorf("got %+v, want %v unexplained, %v explained", a, unexplained, explained)
		}
		if b := got.Sorts["deploy storm"].Known; b.Unexplained.At(1) != unexplained {
			t.Errorf("of its sort %v, want %v", b.Unexplained, unexplained)
		}
	}
	f([]Label{like}, sighting(nil), 1, 0)
	f([]Label{like}, sighting(func(s *Sighting) { s.Sign = finding.SignRegion }), 1, 0)
	f([]Label{like}, sighting(func(s *Sighting) { s.Explained = "calendar+context" }), 0, 1)
	f([]Label{like}, sighting(func(s *Sighting) { s.Needs = 1.1 }), 0, 0)
	// An alarm about trouble is not one about what happens beside it.
	f([]Label{like, label(nil)}, sighting(nil), 0, 0)
	// But one of another kind than the trouble is.
	f([]Label{like, label(nil)}, sighting(func(s *Sighting) { s.Sign = finding.SignRegion }), 1, 0)
}

// TestBoth: a hit by the secret alone is one, but not one that has the principal.
func TestBoth(t *testing.T) {
	f := func(l Label, s Sighting, recall, both float64) {
		t.Helper()
		k := Score([]Verdict{Judge(tenDays, []Label{l}, []Sighting{s})}).Kinds[finding.SignFrequency]
		if k.Recall.At(1) != recall || k.RecallBoth.At(1) != both {
			t.Errorf("recall %v, with both %v; want %v, %v", k.Recall.At(1), k.RecallBoth.At(1), recall, both)
		}
	}
	stranger := sighting(func(s *Sighting) { s.Actor = "arn:aws:iam::111122223333:role/other" })
	f(label(nil), sighting(nil), 1, 1)
	f(label(nil), stranger, 1, 0)
	f(label(nil), sighting(func(s *Sighting) { s.Resources = nil }), 1, 0)
	f(label(nil), sighting(func(s *Sighting) { s.Sign = finding.SignRegion }), 0, 0)
	f(label(nil), sighting(func(s *Sighting) { s.Explained = "calendar" }), 0, 0)
	f(label(func(l *Label) { l.Actors = nil }), stranger, 1, 1)
}

func TestDivided(t *testing.T) {
	o := func(rate, budget float64) finding.Occurrence {
		return finding.Occurrence{Trouble: finding.Trouble{Anomaly: &finding.Anomaly{Rate: rate, Budget: budget}}}
	}
	w := tenDays
	w.Divided([]finding.Occurrence{o(0.1, 1), o(0.2, 2), o(0.5, 6), o(0, 0), {}}, []Class{{Sign: finding.SignView}, {Sign: finding.SignFrequency}, {Sign: finding.SignFrequency}})
	c := Score([]Verdict{{World: w}}).Calibration[3]
	if w.Parts != 10 || c.Expected != 1 || math.Abs(float64(c.ExpectedBySign[finding.SignFrequency])-0.2) > 1e-9 || math.Abs(float64(c.ExpectedBySign[finding.SignView])-0.1) > 1e-9 {
		t.Errorf("%v parts, expected %v; want 10, 0.2 of frequency and 0.1 of view", w.Parts, c.ExpectedBySign)
	}
}

// TestCounts: simple methods see the reads that the detector counts.
func TestCounts(t *testing.T) {
	f := func(change func(*usage.Row), want bool) {
		t.Helper()
		r := row(1, 1)
		change(&r)
		if got := counts(&r); got != want {
			t.Errorf("counts(%+v) = %v, want %v", r, got, want)
		}
	}
	f(func(*usage.Row) {}, true)
	f(func(r *usage.Row) { r.Outcome = event.Denied }, false)
	f(func(r *usage.Row) { r.APIOperation = "DescribeSecret" }, false)
	f(func(r *usage.Row) { r.Caller = event.CallerAWSService }, false)
	f(func(r *usage.Row) {
		r.Caller, r.APIOperation, r.ResourceUID = event.CallerAWSService, "Decrypt", "arn:aws:kms:eu-west-1:111122223333:key/k"
	}, true)
}

func TestNegativeBinomialTail(t *testing.T) {
	f := func(x, mean, k, want float64) {
		t.Helper()
		if got := math.Pow(10, -negativeBinomialTail(x, mean, k)); math.Abs(got-want) > 1e-4 {
			t.Errorf("chance of %v or more of a mean of %v and spread %v = %.5f, want %.5f", x, mean, k, got, want)
		}
	}
	f(3, 1, 1e9, 1-2.5*math.Exp(-1)) // Poisson
	f(4, 1, 1, 1.0/16)               // geometric
}

func TestReadLabels(t *testing.T) {
	f := func(text string, want int, problems ...string) []Label {
		t.Helper()
		labels, got, err := ReadLabels(strings.NewReader(text))
		if err != nil || len(labels) != want {
			t.Errorf("%d labels, %v; want %d", len(labels), err, want)
		}
		if len(got) != len(problems) {
			t.Fatalf("problems %v; want %q", got, problems)
		}
		for i := range got {
			if !strings.Contains(got[i].What, problems[i]) {
				t.Errorf("problem %q, want %q", got[i].What, problems[i])
			}
		}
		return labels
	}
	f("", 0)
	l := f(`{"id":"1","kind":"anomaly.timing","difficulty":"2","start":"2026-08-03T21:00:00+09:00","end":"2026-08-03 13:00:00","secret":"s","colour":"red","blind":true}`+"\n\n", 1)[0]
	if l.Kind != finding.SignTime || l.Difficulty != 2 || !l.Start.Equal(noon) || !l.End.Equal(noon.Add(time.Hour)) || l.Secrets[0] != "s" || !l.Blind {
		t.Errorf("got %+v", l)
	}
	l = f(`[{"type":"Auth-Failures","from":1785758400,"to":1785762000000,"actors":["a","b"],"malicious":true}]`, 1)[0]
	if l.Kind != finding.SignFailures || !l.Start.Equal(noon) || !l.End.Equal(noon.Add(time.Hour)) || len(l.Actors) != 2 || l.Benign {
		t.Errorf("got %+v", l)
	}
	l = f(`{"labels":[{"label":"benign","start":"2026-08-03","account":"1"}]}`, 1, "names no principal")[0]
	if !l.Benign || l.ID != "line-1" {
		t.Errorf("got %+v", l)
	}
	for _, window := range []string{`{"start":"2026-08-03T12:00:00Z","end":"2026-08-03T13:00:00Z"}`, `["2026-08-03T12:00:00Z","2026-08-03T13:00:00Z"]`} {
		l = f(`{"kind":"view","Actor":{"arn":"a","type":"role"},"secrets":[{"name":"s"}],"time_range":`+window+`}`, 1)[0]
		if !l.Start.Equal(noon) || !l.End.Equal(noon.Add(time.Hour)) || l.Principal != "a" || l.Secrets[0] != "s" {
			t.Errorf("got %+v", l)
		}
	}
	two := f(`{"id":"w","kind":"chain","principal":"p","start":"2026-08-03T12:00:00Z"}`+"\n"+`{"id":"x","kind":"view","part_of":"w","principal":"p","start":"2026-08-03T12:00:00Z"}`, 2)
	if !two[0].Whole || two[1].Whole {
		t.Errorf("whole: %v, %v; want true, false", two[0].Whole, two[1].Whole)
	}
	f("{\"id\":\"1\"\n"+`{"kind":"view","principal":"p","start":"2026-08-03T12:00:00Z"}`, 1, "no JSON object")
	f(`{"id":"1","kind":"view","principal":"p"}`, 0, "start: it is missing")
	f(`{"id":"1","kind":"view","principal":"p","start":"noon"}`, 0, `"noon" is no time`)
	f(`{"id":"1","principal":"p","start":"2026-08-03T12:00:00Z"}`, 1, "names no kind")
	f(`{"id":"1","kind":"view","principal":"p","start":"2026-08-03T12:00:00Z","difficulty":7}`, 1, "none of 1, 2, 3")
	f(`{"id":"1","kind":"view","principal":"p","start":"2026-08-03T12:00:00Z","end":"late"}`, 1, `"late" is no time`)
	if _, problems, _ := ReadLabels(strings.NewReader("[1,")); len(problems) != 1 {
		t.Errorf("a broken list: %v", problems)
	}
}

func TestInterval(t *testing.T) {
	f := func(low, high float64, parts ...Part) {
		t.Helper()
		a, b := Interval(parts)
		if math.Abs(a-low) > 0.005 || math.Abs(b-high) > 0.005 {
			t.Errorf("Interval(%v) = %.3f, %.3f; want %.3f, %.3f", parts, a, b, low, high)
		}
	}
	f(0, 1)
	f(0, 0.161, Part{0, 20})
	f(0.839, 1, Part{20, 20})
	f(0.839, 1, Part{5, 5}, Part{5, 5}, Part{5, 5}, Part{5, 5}) // alike in all worlds: as wide as their number says
	f(0.237, 0.763, Part{5, 10})
	// Worlds that differ more than chance would have them.
	f(0, 1, Part{10, 10}, Part{0, 10}, Part{10, 10}, Part{0, 10})
}

func TestSightings(t *testing.T) {
	o := finding.Occurrence{Trouble: finding.Trouble{Key: "k", Kind: "anomaly.view", Actor: roleA, Resource: "r",
		Anomaly:   &finding.Anomaly{Budget: 2, Person: "ann", Resources: []string{"s", "t"}},
		Explained: []finding.Explanation{{Kind: "calendar"}, {Kind: "context"}, {Kind: "calendar"}}}, Until: noon}
	s := Sightings([]finding.Occurrence{o, {}})
	if len(s) != 1 || s[0].Sign != finding.SignView || s[0].Needs != 2 || s[0].Explained != "calendar+context" || len(s[0].Resources) != 3 || !s[0].Known.Equal(noon.Add(20*time.Minute)) {
		t.Errorf("got %+v", s)
	}
}
