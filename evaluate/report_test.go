package evaluate

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/internal/golden"
	"github.com/yagura-sec/yagura/simulate/estate"
	"github.com/yagura-sec/yagura/usage"
)

// outcomes are three made-up worlds: of 20 frequency labels 15 are found, of
// those of view all, some at a larger budget; look-alikes, false alerts.
func outcomes() (out []Outcome) {
	for i, family := range []estate.Family{estate.Smooth, estate.Smooth, estate.Bursts} {
		w := tenDays
		w.Name, w.Seed, w.Family, w.Size = fmt.Sprint("w", i), int64(i+6), family, "small"
		w.Parts, w.ClassesOf = 9+float64(i)/2, map[string]int{finding.SignFrequency: 3, finding.SignView: 1}
		var labels []Label
		var found []Sighting
		for n := range 20 {
			l := label(func(l *Label) {
				l.ID, l.Difficulty, l.Sort = fmt.Sprintf("w%d-%d", i, n), n%3+1, "burst"
				l.Start = noon.Add(time.Duration(n) * 4 * time.Hour)
				l.End = l.Start.Add(time.Hour)
				l.Blind = n%3 > 0 && n%4 == 0
				if n >= 14 {
					l.Benign, l.Sort, l.Known = true, "deploy storm", n%2 == 0
				} else if n >= 10 {
					l.Kind, l.Sort = finding.SignView, "console"
				}
			})
			labels = append(labels, l)
			found = append(found, sighting(func(s *Sighting) {
				s.Key, s.Sign, s.First, s.Last, s.Known = l.ID, l.Kind, l.Start, l.End, l.End.Add(Lateness)
				s.Needs = []float64{0.1, 0.6, 3, 15, 40}[(n+i)%5]
				if l.Benign && l.Known {
					s.Explained = "calendar"
				}
			}))
		}
		for n := range 5 {
			found = append(found, sighting(func(s *Sighting) {
				s.Key, s.Actor, s.Resources = fmt.Sprint("false", n), "somebody", []string{"something"}
				s.Needs = 0.4 * math.Pow(4, float64(n))
			}))
		}
		without := append([]Sighting(nil), found[:10]...)
		out = append(out, Outcome{
			Run: Run{World: w, Labels: 14, Likes: 6, Records: 1234567, Stored: 1234000, IngestSeconds: 12.4, HuntSeconds: 3.2, PeakBytes: 300 << 20, StateBytes: 123456,
				Ingested: "before, at noon", Confined: true, Classes: Classes([]Class{{"view", "view", [3]int{2, 1, 0}, [3]float64{3, 0.3, 0.03}, 1, 1}, {"view", "view", [3]int{1, 0, 0}, [3]float64{3, 0.3, 0.03}, 1.2, 0.9}}),
				Problems: []Problem{{7, "x", "names no kind"}}, Missing: []string{"no calendar"}},
			Verdict: Judge(w, labels, found),
			Without: map[string]Verdict{"without peers": Judge(w, labels, without)},
			Methods: methodsOf(&w, labels),
		})
	}
	return out
}

func methodsOf(w *World, labels []Label) (out []Verdict) {
	h := history(w, nil)
	for _, m := range Methods() {
		out = append(out, Judge(*w, labels, m.Find(h, w, labels)))
	}
	return out
}

func TestReport(t *testing.T) {
	r := Add(outcomes(), 1)
	r.Failed = []Failed{{"w3", "its logs cannot be read"}}
	golden.Check(t, "testdata/report.md", []byte(r.Report(Header{"yagura evaluate --seeds 6-8", "1.2.3", "go1.26", "linux/amd64"})))
}

// TestShape holds the names that scripts lean on.
func TestShape(t *testing.T) {
	body, err := json.Marshal(Add(outcomes(), 1))
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Kinds map[string]struct {
			Labels    int
			Recall    map[string]*float64
			Precision map[string]*float64
		}
		Lookalikes map[string]json.RawMessage
		Alerts     map[string]float64 `json:"alerts_per_day_per_1000"`
		Misses     []struct{ ID, Why string }
		False      []struct{ Sign string } `json:"false_alerts"`
	}
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatal(err)
	}
	for _, sign := range finding.Signs {
		if _, ok := got.Kinds[sign]; !ok {
			t.Errorf("no kind %s", sign)
		}
	}
	k := got.Kinds[finding.SignFrequency]
	for _, budget := range []string{"1", "5", "20"} {
		if k.Recall[budget] == nil || k.Precision[budget] == nil || got.Alerts[budget] == 0 {
			t.Errorf("at %s: recall %v, precision %v, alerts %v", budget, k.Recall[budget], k.Precision[budget], got.Alerts[budget])
		}
	}
	if got.Kinds[finding.SignRegion].Recall["1"] != nil {
		t.Error("recall of no labels is a number")
	}
	if k.Labels != 21 || len(got.Lookalikes) != 3 || len(got.Misses) == 0 || len(got.False) == 0 {
		t.Errorf("%d labels, %d parts of look-alikes, %d misses, %d false alerts", k.Labels, len(got.Lookalikes), len(got.Misses), len(got.False))
	}
}

// history is of one hundred secrets that one role reads about twice an hour
// around the clock; more puts more into it.
func history(w *World, more func(hour int, add func(usage.Row))) *History {
	h := &History{}
	draw := rand.New(rand.NewPCG(3, 4))
	for hour := range int(w.End.Sub(w.Start) / time.Hour) {
		at := w.Start.Add(time.Duration(hour) * time.Hour)
		add := func(r usage.Row) {
			r.Hour, r.CloudProvider = at, "AWS"
			h.Add(&r)
		}
		for n := range w.Secrets {
			add(row(n, int64(1+draw.IntN(4))))
		}
		if more != nil {
			more(hour, add)
		}
	}
	return h
}

func row(secret int, count int64) usage.Row {
	return usage.Row{Key: usage.Key{AccountUID: "111122223333", ActorUID: roleA, Caller: event.CallerLambda, APIOperation: "GetSecretValue",
		ResourceUID: fmt.Sprintf("arn:aws:secretsmanager:eu-west-1:111122223333:secret:s/%d", secret), Region: "eu-west-1", Outcome: event.Success}, Count: count}
}

// TestMethods holds each simple method to trouble that it has to find, and the
// scoring to an oracle and to chance.
func TestMethods(t *testing.T) {
	w := tenDays
	var labels []Label
	trouble := func(kind string, secret int, actor string, day int) int {
		l := label(func(l *Label) {
			l.ID, l.Kind = kind, kind
			l.Start = w.From.AddDate(0, 0, day)
			l.End = l.Start.Add(time.Hour)
			l.Actors, l.Secrets = []string{actor}, nil
			if secret >= 0 {
				l.Secrets = []string{row(secret, 1).ResourceUID}
			}
		})
		labels = append(labels, l)
		return int(l.Start.Sub(w.Start) / time.Hour)
	}
	burst := trouble(finding.SignFrequency, 1, roleA, 1)
	caller := trouble(finding.SignCaller, 2, "stranger", 2)
	view := trouble(finding.SignView, 3, "admin", 3)
	region := trouble(finding.SignRegion, 4, "abroad", 4)
	denied := trouble(finding.SignFailures, -1, "prober", 5)
	h := history(&w, func(hour int, add func(usage.Row)) {
		change := func(r usage.Row, f func(*usage.Row)) { f(&r); add(r) }
		switch hour {
		case burst:
			add(row(1, 300))
		case caller:
			change(row(2, 1), func(r *usage.Row) { r.ActorUID, r.Caller = "stranger", event.CallerEC2 })
		case view:
			change(row(3, 1), func(r *usage.Row) { r.ActorUID, r.Caller = "admin", event.CallerConsole })
		case region:
			change(row(4, 1), func(r *usage.Row) { r.ActorUID, r.Region = "abroad", "us-east-1" })
		case denied:
			change(row(5, 12), func(r *usage.Row) { r.ActorUID, r.ResourceUID, r.Outcome = "prober", "", event.Denied })
		}
	})
	f := func(method, sign string, want float64) {
		t.Helper()
		for _, m := range Methods() {
			if m.Name != method {
				continue
			}
			v := Judge(w, labels, m.Find(h, &w, labels))
			got := Compare([]Method{m}, [][]Verdict{{v}})[0].Recall[sign]
			if got.At(1) != want {
				t.Errorf("%s, %s: recall %v, want %v", method, sign, got.At(1), want)
			}
			return
		}
		t.Errorf("no method %s", method)
	}
	f("mean and standard deviation", finding.SignFrequency, 1)
	f("median and MAD, hour by day class", finding.SignFrequency, 1)
	f("never seen before", finding.SignCaller, 1)
	f("never seen before", finding.SignView, 1)
	f("never seen before", finding.SignRegion, 1)
	f("negative binomial, each secret alone", finding.SignFrequency, 1)
	f("fixed rules", finding.SignFailures, 1)
	f("fixed rules", finding.SignFrequency, 0) // one secret often is not many secrets
	for _, l := range labels {
		f("oracle", l.Kind, 1)
	}
	if got := h.Secrets(); got != w.Secrets {
		t.Errorf("%d secrets, want %d", got, w.Secrets)
	}
	if !h.Start().Equal(w.Start) || !h.End().Equal(w.End) {
		t.Errorf("from %v to %v, want %v to %v", h.Start(), h.End(), w.Start, w.End)
	}
}

// TestChance: drawing hours of secrets finds about as many labels as draws cover.
func TestChance(t *testing.T) {
	w := tenDays
	h := history(&w, nil)
	var labels []Label
	for n := range 1000 { // each an hour of a secret
		labels = append(labels, label(func(l *Label) {
			l.ID, l.Actors = fmt.Sprint(n), nil
			l.Secrets = []string{row(n%100, 1).ResourceUID}
			l.Start = w.From.Add(time.Duration(n/100*24+n%24) * time.Hour).Add(30 * time.Minute)
			l.End = l.Start
		}))
	}
	found := chance(h, &w, labels)
	v := Judge(w, labels, found)
	draws := 0
	for _, s := range found {
		if s.Sign == finding.SignFrequency {
			draws++
		}
	}
	// A draw is one of 24,000 hours of secrets, and a label has two of them in
	// reach.
	want := float64(draws) * 2 / 24000
	got := sum(parts([]Verdict{v}, ofKind(finding.SignFrequency, Headline), found0)).Ratio()
	if draws == 0 || math.Abs(got-want) > 4*math.Sqrt(want/1000) {
		t.Errorf("%d draws find %.4f of the labels, want about %.4f", draws, got, want)
	}
	control := Control(h, &w, labels, found, &v)
	if math.Abs(control.want-1000*want) > 0.1*1000*want+1 {
		t.Errorf("chance is said to come upon %.1f labels, want about %.1f", control.want, 1000*want)
	}
	unsound := func(o judgement) []string {
		r := Add([]Outcome{{Run: Run{World: w}, Verdict: v, Methods: o.methods, Control: o.control}}, 0)
		return r.Unsound()
	}
	told := methodsOf(&w, labels)
	if got := unsound(judgement{told, control}); len(got) != 0 {
		t.Errorf("sound scoring fails checks: %q", got)
	}
	lucky := control
	lucky.got += 6*math.Sqrt(control.variance) + 4
	if got := unsound(judgement{told, lucky}); len(got) != 1 {
		t.Errorf("chance with too much luck: %q, want one check that fails", got)
	}
	blind := slices.Clone(told)
	blind[len(blind)-1] = Judge(w, labels, oracle(h, &w, labels[1:]))
	if got := unsound(judgement{blind, control}); len(got) != 1 {
		t.Errorf("an oracle that misses one: %q, want one check that fails", got)
	}
	o := Judge(w, labels, oracle(h, &w, labels))
	if got := Score([]Verdict{o}).Kinds[finding.SignFrequency]; got.Recall.At(1) != 1 || got.Precision.At(1) != 1 {
		t.Errorf("oracle: recall %v, precision %v", got.Recall.At(1), got.Precision.At(1))
	}
}

// judgement is what checks are made of.
type judgement struct {
	methods []Verdict
	control Controlled
}

func found0(l *Judged) bool { return !math.IsInf(l.Needs, 1) }

func TestExplain(t *testing.T) {
	window := finding.Window{ID: "w", Start: noon, End: noon.Add(time.Hour), Resources: []string{secretA}, Kinds: []string{finding.SignFrequency}}
	f := func(change func(*Sighting), want string) {
		t.Helper()
		s := []Sighting{sighting(change)}
		if Explain(s, []finding.Window{window}); s[0].Explained != want {
			t.Errorf("explained by %q, want %q", s[0].Explained, want)
		}
	}
	f(nil, "calendar")
	f(func(s *Sighting) { s.Sign = finding.SignView }, "")
	f(func(s *Sighting) { s.First, s.Last = noon.Add(2*time.Hour), noon.Add(2*time.Hour) }, "")
	f(func(s *Sighting) { s.Resources = []string{"other"} }, "")
}
