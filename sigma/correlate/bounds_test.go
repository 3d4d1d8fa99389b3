package correlate_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/sigma/correlate"
)

// feed runs hits through an engine and closes it.
func feed(r *rig, o correlate.EngineOptions, log string) (string, correlate.Stats) {
	r.t.Helper()
	e := correlate.New(r.plan, o)
	var out []*correlate.Firing
	for _, h := range r.hits(log) {
		out = append(out, e.Feed(h)...)
	}
	out = append(out, e.Close()...)
	return told(out), e.Stats()
}

func TestLateHits(t *testing.T) {
	r := newRig(t, corr("it", "type: event_count, rules: [a], timespan: 10s, condition: {gte: 2}"), base("a"))
	f := func(lateness time.Duration, events, want string, late int64) {
		t.Helper()
		got, stats := feed(r, correlate.EngineOptions{Lateness: lateness}, log(events))
		if got != want || stats.Late != late || stats.Waiting != 0 {
			t.Errorf("%s: %s, %+v; want %s, %d late", events, got, stats, want, late)
		}
	}
	f(5*time.Second, "a@5 a@0", "@5=2[1 0]", 0)
	f(5*time.Second, "a@5.1 a@0", "", 1)
	f(5*time.Second, "a@5 a@0 a@11", "@5=2[1 0] @11=2[0 2]", 0)
	f(0, "a@5 a@5 a@4.9", "@5=2[0 1]", 1)
	// What came is remembered for another lateness: then a repeat is late.
	e := correlate.New(r.plan, correlate.EngineOptions{Lateness: 5 * time.Second})
	hits := r.hits(log("a@0 a@6 a@9.9 a@10.1"))
	for i, want := range []correlate.Stats{{}, {Repeats: 1}, {Repeats: 2}, {Repeats: 2, Late: 1}} {
		e.Feed(hits[i])
		e.Feed(hits[0])
		if s := e.Stats(); i > 0 && (s.Repeats != want.Repeats+1 || s.Late != want.Late) {
			t.Errorf("after hit %d: %+v", i, s)
		}
	}
}

// Firings come as soon as the watermark passes, not at the end.
func TestFeedTellsAtOnce(t *testing.T) {
	r := newRig(t, corr("it", "type: event_count, rules: [a], timespan: 10s, condition: {gte: 2}"),
		corr("not", "type: temporal_ordered, rules: [a, b], timespan: 10s, condition: a and not b"), base("a"), base("b"))
	e := correlate.New(r.plan, correlate.EngineOptions{Lateness: time.Second})
	hits := r.hits(log("a@0 a@1 a@2.5"))
	for i, want := range []string{"", "", "@1=2[0 1]"} {
		if got := told(e.Feed(hits[i])); got != want {
			t.Errorf("hit %d gives %q, want %q", i, got, want)
		}
	}
	if got := told(e.Advance(noon.Add(10 * time.Second))); got != "@2.5=3[0 1 2]" {
		t.Errorf("%q", got)
	}
	if got := told(e.Advance(noon.Add(10*time.Second + 1))); got != "@10=1[0]" {
		t.Errorf("%q", got)
	}
	if got := told(e.Close()); got != "" {
		t.Errorf("what is open is told at the end: %q", got)
	}
}

func TestBoundOnHits(t *testing.T) {
	r := newRig(t, corr("it", "type: event_count, rules: [a], timespan: 100s, condition: {gte: 3}"), base("a"))
	var events []string
	for i := range 8 {
		events = append(events, fmt.Sprintf("a@%d", i))
	}
	got, stats := feed(r, correlate.EngineOptions{MaxHits: 1}, log(strings.Join(events, " "))) // 5 for the condition
	if want := "@2=3[0 1 2] @3=4[0 1 2 3] @4=5[0 1 2 3 4] @5=5[1 2 3 4 5] @6=5[2 3 4 5 6] @7=5[3 4 5 6 7]"; got != want || stats.DroppedHits != 3 {
		t.Errorf("%s, %+v", got, stats)
	}
	firings, _ := correlate.Evaluate(r.plan, r.hits(log(strings.Join(events, " "))), time.Time{}, correlate.EngineOptions{MaxHits: 1})
	var lost, fresh []int
	for _, f := range firings {
		lost, fresh = append(lost, f.Lost), append(fresh, len(f.Hits)-f.New)
	}
	if !slices.Equal(lost, []int{0, 0, 0, 1, 2, 3}) || !slices.Equal(fresh, []int{3, 1, 1, 1, 1, 1}) {
		t.Errorf("lost %v, new %v", lost, fresh)
	}
	// What was lost of one timespan is not lost of another.
	var again []string
	for i := range 7 {
		again = append(again, fmt.Sprintf("a@%d", 105+i))
	}
	firings, _ = correlate.Evaluate(r.plan, r.hits(log(strings.Join(append(events, again...), " "))), time.Time{}, correlate.EngineOptions{MaxHits: 1})
	if last := firings[len(firings)-1]; last.Lost != 2 {
		t.Errorf("%d lost, want 2", last.Lost)
	}
	// A bound does not make many few.
	r = newRig(t, corr("it", "type: event_count, rules: [a], timespan: 100s, condition: {lt: 3}"), base("a"))
	if got, stats := feed(r, correlate.EngineOptions{MaxHits: 1}, log(strings.Join(events, " ")+" a@300 a@500")); got != "@400=1[8]" || stats.DroppedHits != 3 {
		t.Errorf("%s, %+v", got, stats)
	}
}

func TestBoundOnGroups(t *testing.T) {
	r := newRig(t, corr("it", "type: event_count, rules: [a], group-by: [who], timespan: 10s, condition: {gte: 2}"), base("a"))
	text := `0 {"kind":"a","who":"x"}
		1 {"kind":"a","who":"y"}
		2 {"kind":"a","who":"y"}
		3 {"kind":"a","who":"x"}
		60 {"kind":"a","who":"y"}
		61 {"kind":"a","who":"y"}`
	got, stats := feed(r, correlate.EngineOptions{MaxGroups: 1}, text)
	if got != "x@3=2[0 3] y@61=2[4 5]" || stats.DroppedGroups != 2 || stats.Groups != 1 {
		t.Errorf("%s, %+v", got, stats)
	}
}

func TestBoundOnWaiting(t *testing.T) {
	r := newRig(t, corr("it", "type: event_count, rules: [a], timespan: 10s, condition: {gte: 3}"), base("a"))
	got, stats := feed(r, correlate.EngineOptions{Lateness: time.Hour, MaxWaiting: 2}, log("a@3 a@1 a@2 a@0"))
	if got != "@3=3[1 2 0]" || stats.Hurried != 1 || stats.Late != 1 {
		t.Errorf("%s, %+v", got, stats)
	}
}

func TestBoundOnValues(t *testing.T) {
	r := newRig(t, corr("it", "type: event_count, rules: [a], group-by: [who], timespan: 10s, condition: {gte: 1}"), base("a"))
	var values []string
	for i := range 70 {
		values = append(values, fmt.Sprintf(`"%02d"`, i))
	}
	_, stats := feed(r, correlate.EngineOptions{}, `0 {"kind":"a","who":[`+strings.Join(values, ",")+"]}")
	if stats.Firings != 64 || stats.DroppedValues != 6 {
		t.Errorf("%+v", stats)
	}
	h, err := r.plan.Bases[0].Hit(noon, "e", []byte(`{"who":["b","a","b"]}`), nil)
	if firings := batch(r.plan, []correlate.Hit{h}); err != nil || len(firings) != 2 || fmt.Sprint(h.Values) != "[[b a b]]" {
		t.Errorf("%v, %v, %v", firings, h.Values, err)
	}
	_, stats = feed(r, correlate.EngineOptions{}, `0 {"kind":"a"}`)
	if stats.NoGroup != 1 || stats.Firings != 0 {
		t.Errorf("%+v", stats)
	}
}

// Hits without an id are never the same, and a time that no log has is counted.
func TestOddHits(t *testing.T) {
	r := newRig(t, corr("it", "type: event_count, rules: [a], timespan: 10s, condition: {gte: 2}"), base("a"))
	b := r.plan.Bases[0]
	e := correlate.New(r.plan, correlate.EngineOptions{})
	e.Feed(correlate.Hit{Base: b, Time: noon})
	e.Feed(correlate.Hit{Base: b, Time: noon})
	e.Feed(correlate.Hit{Base: b})
	e.Feed(correlate.Hit{Base: &correlate.Base{}, Time: noon})
	if got := e.Close(); len(got) != 1 || got[0].Value != 2 || e.Stats().Undated != 1 {
		t.Errorf("%s, %+v", told(got), e.Stats())
	}
	firings, stats := correlate.Evaluate(r.plan, []correlate.Hit{{Base: b}, {Base: b, Time: noon}, {Base: b, Time: noon}}, time.Time{}, correlate.EngineOptions{})
	if len(firings) != 1 || stats.Undated != 1 || stats.Repeats != 0 {
		t.Errorf("%s, %+v", told(firings), stats)
	}
}

// A caller's fields come before those of the record.
func TestLookup(t *testing.T) {
	r := newRig(t, corr("it", "type: event_count, rules: [a], group-by: [actor, who, gone], timespan: 10s, condition: {gte: 1}"), base("a"))
	ask := func(field string) ([]string, bool) {
		switch field {
		case "actor":
			return []string{"stable"}, true
		case "gone":
			return nil, true
		}
		return nil, false
	}
	h, err := r.plan.Bases[0].Hit(noon, "e", []byte(`{"actor":"raw","who":"x","gone":"raw"}`), ask)
	if err != nil || fmt.Sprint(h.Values) != "[[stable] [x] []]" {
		t.Errorf("%v, %v", h.Values, err)
	}
	if _, err := r.plan.Bases[0].Hit(noon, "e", []byte(`{"actor"`), ask); err == nil || !strings.Contains(err.Error(), "hit of rule a: ") {
		t.Errorf("broken record: %v", err)
	}
}

// A date far ahead makes no other hit late, and is not evaluated either.
func TestHitsAhead(t *testing.T) {
	r := newRig(t, corr("it", "type: event_count, rules: [a], timespan: 10s, condition: {gte: 2}"), base("a"))
	now := noon
	o := correlate.EngineOptions{Lateness: 5 * time.Minute, Now: func() time.Time { return now }}
	f := func(maxAhead time.Duration, events, want string, ahead, late int64) {
		t.Helper()
		o.MaxAhead = maxAhead
		got, stats := feed(r, o, log(events))
		if got != want || stats.Ahead != ahead || stats.Late != late {
			t.Errorf("%s: %s, %+v; want %s, %d ahead, %d late", events, got, stats, want, ahead, late)
		}
	}
	far := fmt.Sprintf("a@%d", 158*365*24*3600)
	f(0, far+" a@0 a@1", "@1=2[1 2]", 1, 0)
	f(0, "a@0 "+far+" a@1", "@1=2[0 2]", 1, 0)
	f(0, "a@3600 a@3599.5", "@3600=2[1 0]", 0, 0) // an hour is allowed
	f(0, "a@3600.1 a@3599.5", "", 1, 0)
	f(time.Minute, "a@61 a@60 a@59", "@60=2[2 1]", 1, 0)
	f(-1, far+" a@0 a@1", "", 0, 2) // no bound
	// What was set aside is taken when its time has come.
	o.MaxAhead = time.Minute
	e := correlate.New(r.plan, o)
	hits := r.hits(log("a@100 a@101"))
	e.Feed(hits[0])
	now = noon.Add(time.Minute)
	e.Feed(hits[0])
	e.Feed(hits[1])
	if got, s := told(e.Close()), e.Stats(); got != "@101=2[0 1]" || s.Ahead != 1 || s.Repeats != 0 {
		t.Errorf("%s, %+v", got, s)
	}
	// The machine's clock, if none is given.
	e = correlate.New(r.plan, correlate.EngineOptions{})
	hit := hits[0]
	hit.Time = time.Now().Add(2 * time.Hour)
	if e.Feed(hit); e.Stats().Ahead != 1 {
		t.Errorf("%+v", e.Stats())
	}
}

// What a repeat is does not hang on how hits are fed: same rule, id and time.
func TestRepeatsAreTheSameFedOrEvaluated(t *testing.T) {
	r := newRig(t, corr("it", "type: event_count, rules: [a], timespan: 10s, condition: {gte: 3}"), base("a"))
	f := func(seconds string, want string, repeats int64) {
		t.Helper()
		var hits []correlate.Hit
		for _, h := range r.hits(log(seconds)) {
			h.ID = "e007"
			hits = append(hits, h)
		}
		for _, lateness := range []time.Duration{0, 20 * time.Second} {
			e := correlate.New(r.plan, correlate.EngineOptions{Lateness: lateness})
			var firings []*correlate.Firing
			for _, h := range hits {
				firings = append(firings, e.Feed(h)...)
			}
			firings = append(firings, e.Close()...)
			if got := told(firings); got != want || e.Stats().Repeats != repeats {
				t.Errorf("%s fed with lateness %v: %s, %+v; want %s, %d repeats", seconds, lateness, got, e.Stats(), want, repeats)
			}
		}
		firings, stats := correlate.Evaluate(r.plan, slices.Clone(hits), time.Time{}, correlate.EngineOptions{})
		if got := told(firings); got != want || stats.Repeats != repeats {
			t.Errorf("%s evaluated: %s, %+v; want %s, %d repeats", seconds, got, stats, want, repeats)
		}
	}
	f("a@0 a@1 a@2", "@2=3[7 7 7]", 0)
	f("a@0 a@0 a@1", "", 1)
	f("a@0 a@0 a@1 a@1 a@2 a@2", "@2=3[7 7 7]", 3)
}
