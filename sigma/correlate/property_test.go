package correlate_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/correlate"
)

// kinds is a correlation of every type, mode and shape, with chains.
func kinds() string {
	var b strings.Builder
	add := func(name, body string) { b.WriteString(corr(name, body+", timespan: 10s, group-by: [who]")) }
	add("count", "type: event_count, rules: [a, b], condition: {gte: 3}")
	add("few", "type: event_count, rules: [a], condition: {lt: 3}")
	add("between", "type: event_count, rules: [a, b], condition: {gt: 1, lte: 3}")
	add("other", "type: event_count, rules: [a], condition: {neq: 2}")
	add("silence", "type: event_count, rules: [a], condition: {eq: 0}")
	add("values", "type: value_count, rules: [a, c], condition: {field: v, gte: 2}")
	add("fewvalues", "type: value_count, rules: [a, c], condition: {field: v, lte: 1}")
	add("sum", "type: value_sum, rules: [a, b], condition: {field: v, gte: 6}")
	add("avg", "type: value_avg, rules: [a, b], condition: {field: v, gt: 2}")
	add("lowavg", "type: value_avg, rules: [a, b], condition: {field: v, lt: 2}")
	add("rank", "type: value_percentile, rules: [a, b], condition: {field: v, percentile: 75, gte: 3}")
	add("median", "type: value_median, rules: [a, b], condition: {field: v, lte: 1.5}")
	add("share", "type: value_percentile, rules: [a, b], condition: {field: v, lte: 30}")
	add("near", "type: temporal, rules: [a, b, c]")
	add("apart", "type: temporal, rules: [a, b, c], condition: {lt: 2}")
	add("order", "type: temporal_ordered, rules: [a, b, c]")
	add("some", "type: temporal_ordered, rules: [a, b, c], condition: {gte: 2}")
	add("without", "type: temporal, rules: [a, b, c], condition: a and b and not c")
	add("never", "type: temporal_ordered, rules: [a, b, c], condition: a and c and not b")
	add("nothen", "type: temporal_ordered, rules: [a, b], condition: a and not b")
	add("link", "type: temporal_ordered, rules: [count, c]")
	add("late", "type: event_count, rules: [nothen, few], condition: {gte: 2}")
	add("twice", "type: event_count, rules: [few], condition: {gte: 2}")
	for _, name := range []string{"a", "b", "c"} {
		b.WriteString(base(name))
	}
	return b.String()
}

// sample is random hits, some at the same time, of some events several.
func sample(plan *correlate.Plan, rnd *rand.Rand, n int) []correlate.Hit {
	var out []correlate.Hit
	for i := range n {
		at := noon.Add(time.Duration(rnd.IntN(n*3)) * time.Second)
		for _, b := range plan.Bases {
			if rnd.IntN(2) == 0 {
				continue
			}
			h := correlate.Hit{Base: b, Time: at, ID: fmt.Sprintf("e%03d", i), Values: make([][]string, len(b.Fields))}
			for k, field := range b.Fields {
				switch field {
				case "who":
					h.Values[k] = []string{string(rune('p' + rnd.IntN(2)))}
				case "v":
					if rnd.IntN(5) > 0 {
						h.Values[k] = []string{fmt.Sprint(rnd.IntN(5))}
					}
				}
			}
			out = append(out, h)
		}
	}
	return out
}

// record writes firings in an order of their own.
func record(firings []*correlate.Firing) []string {
	var out []string
	for _, f := range firings {
		var ids []string
		for _, h := range f.Hits {
			if h.From != nil {
				ids = append(ids, h.From.Correlation.Name+h.Time.Format(time.TimeOnly))
			} else {
				ids = append(ids, h.Base.Rule.Name+h.ID)
			}
		}
		out = append(out, fmt.Sprintf("%s %q %s %v %d/%d %v", f.Correlation.Name, f.Group, f.At.Format(time.TimeOnly), f.Value, f.New, f.Lost, ids))
	}
	sort.Strings(out)
	return out
}

func differ(t *testing.T, what string, got, want []string) {
	t.Helper()
	if slices.Equal(got, want) {
		return
	}
	for _, x := range got {
		if !slices.Contains(want, x) {
			t.Errorf("%s: too much: %s", what, x)
		}
	}
	for _, x := range want {
		if !slices.Contains(got, x) {
			t.Errorf("%s: missing: %s", what, x)
		}
	}
	t.Errorf("%s: %d firings, want %d", what, len(got), len(want))
}

func batch(p *correlate.Plan, hits []correlate.Hit) []*correlate.Firing {
	firings, _ := correlate.Evaluate(p, slices.Clone(hits), time.Time{}, correlate.EngineOptions{})
	return firings
}

func eachSample(t *testing.T, f func(t *testing.T, plan *correlate.Plan, rnd *rand.Rand, hits []correlate.Hit)) {
	plan := newRig(t, kinds()).plan
	for seed := range uint64(60) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		hits := sample(plan, rnd, 5+rnd.IntN(40))
		f(t, plan, rnd, hits)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// Every kind fires somewhere: else the properties below say nothing of it.
func TestSamplesFire(t *testing.T) {
	fired := map[string]int{}
	eachSample(t, func(t *testing.T, plan *correlate.Plan, _ *rand.Rand, hits []correlate.Hit) {
		for _, f := range batch(plan, hits) {
			fired[f.Correlation.Name]++
		}
	})
	for _, c := range newRig(t, kinds()).plan.Correlations {
		if fired[c.Name] < 5 {
			t.Errorf("%s fired %d times", c.Name, fired[c.Name])
		}
	}
}

// A group fires as if it were alone.
func TestGroupsAreIndependent(t *testing.T) {
	eachSample(t, func(t *testing.T, plan *correlate.Plan, _ *rand.Rand, hits []correlate.Hit) {
		var apart []*correlate.Firing
		for _, who := range []string{"p", "q"} {
			apart = append(apart, batch(plan, slices.DeleteFunc(slices.Clone(hits), func(h correlate.Hit) bool {
				return h.Values[slices.Index(h.Base.Fields, "who")][0] != who
			}))...)
		}
		differ(t, "groups apart", record(apart), record(batch(plan, hits)))
	})
}

// The order in which hits come within the lateness, repeats, and how they are
// cut into batches change nothing.
func TestOrderRepeatsAndBatches(t *testing.T) {
	eachSample(t, func(t *testing.T, plan *correlate.Plan, rnd *rand.Rand, hits []correlate.Hit) {
		want := record(batch(plan, hits))
		shuffled := append(slices.Clone(hits), hits[:len(hits)/2]...)
		const lateness = 15 * time.Second
		due := make(map[int]time.Duration, len(shuffled)) // when each comes
		order := make([]int, len(shuffled))
		for i := range shuffled {
			order[i] = i
			due[i] = shuffled[i].Time.Sub(noon) + time.Duration(rnd.Int64N(int64(lateness)))
		}
		sort.Slice(order, func(i, k int) bool { return due[order[i]] < due[order[k]] })
		e := correlate.New(plan, correlate.EngineOptions{Lateness: lateness})
		var got []*correlate.Firing
		for _, i := range order {
			got = append(got, e.Feed(shuffled[i])...)
		}
		got = append(got, e.Advance(noon.Add(time.Hour))...)
		s := e.Stats()
		if s.Repeats != int64(len(hits)/2) || s.Late != 0 || s.Waiting != 0 {
			t.Errorf("stats are %+v", s)
		}
		differ(t, "streamed", record(got), want)
		rnd.Shuffle(len(shuffled), func(i, k int) { shuffled[i], shuffled[k] = shuffled[k], shuffled[i] })
		differ(t, "shuffled", record(batch(plan, shuffled)), want)
	})
}

// Whether a hit contributes depends on no hit further away than Reach.
func TestReach(t *testing.T) {
	plan := newRig(t, kinds()).plan
	for seed := range uint64(400) {
		rnd := rand.New(rand.NewPCG(seed, 3))
		hits := sample(plan, rnd, 4+rnd.IntN(14))
		at := hits[rnd.IntN(len(hits))].Time
		for _, c := range plan.Correlations {
			only := plan.Only(c)
			contributes := func(hits []correlate.Hit) []string {
				var of []*correlate.Firing
				for _, f := range batch(only, hits) {
					if f.Correlation == c {
						of = append(of, f)
					}
				}
				var out []string
				for h := range correlate.Events(of...) {
					if h.Time.Equal(at) {
						out = append(out, h.Base.Rule.Name+h.ID)
					}
				}
				sort.Strings(out)
				return out
			}
			near := slices.DeleteFunc(slices.Clone(hits), func(h correlate.Hit) bool { return h.Time.Sub(at).Abs() > c.Reach })
			differ(t, c.Name+" from near", contributes(near), contributes(hits))
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// Events tells what walking all hits of all firings would.
func TestEvents(t *testing.T) {
	eachSample(t, func(t *testing.T, plan *correlate.Plan, rnd *rand.Rand, hits []correlate.Hit) {
		firings := batch(plan, hits)
		if rnd.IntN(2) == 0 {
			rnd.Shuffle(len(firings), func(i, k int) { firings[i], firings[k] = firings[k], firings[i] })
		}
		want := map[*correlate.Hit]bool{}
		var walk func(f *correlate.Firing)
		walk = func(f *correlate.Firing) {
			for _, h := range f.Hits {
				if h.From != nil {
					walk(h.From)
				} else {
					want[h] = true
				}
			}
		}
		for _, f := range firings {
			walk(f)
		}
		got := map[*correlate.Hit]bool{}
		for h := range correlate.Events(firings...) {
			if got[h] {
				t.Errorf("%s is told twice", h.ID)
			}
			got[h] = true
		}
		if len(got) != len(want) {
			t.Errorf("%d events, want %d", len(got), len(want))
		}
	})
}

// What each type comes to is what a count by hand over all windows comes to.
func TestAgainstReference(t *testing.T) {
	eachSample(t, func(t *testing.T, plan *correlate.Plan, _ *rand.Rand, hits []correlate.Hit) {
		firings := batch(plan, hits)
		for _, c := range plan.Correlations {
			var of []*correlate.Firing
			for _, f := range firings {
				if f.Correlation == c {
					of = append(of, f)
				}
			}
			want, known := reference(c, hits)
			if !known {
				continue
			}
			var got []string
			for h := range correlate.Events(of...) {
				got = append(got, h.Base.Rule.Name+h.ID)
			}
			sort.Strings(got)
			differ(t, c.Name, got, want)
		}
	})
}

// reference gives the hits that contribute, by looking at every window there is.
func reference(c *correlate.Correlation, hits []correlate.Hit) ([]string, bool) {
	measure := map[string]func([]correlate.Hit) (value float64, ok bool){
		"count": countEvents, "few": countEvents, "between": countEvents, "other": countEvents,
		"values": countValues, "fewvalues": countValues, "sum": sumValues, "near": countRules, "apart": countRules,
	}[c.Name]
	if measure == nil {
		return nil, false
	}
	threshold := c.Condition
	if threshold == nil {
		threshold = &sigma.Threshold{Limits: []sigma.Limit{{Op: "gte", Value: float64(len(c.Rules))}}}
	}
	mine := slices.DeleteFunc(slices.Clone(hits), func(h correlate.Hit) bool { return !slices.Contains(c.Bases, h.Base) })
	var out []string
	for _, h := range mine {
		best, any := 0.0, false
		for _, start := range mine {
			if start.Time.After(h.Time) || h.Time.Sub(start.Time) > c.Timespan || who(start) != who(h) {
				continue
			}
			window := slices.DeleteFunc(slices.Clone(mine), func(x correlate.Hit) bool {
				return who(x) != who(h) || x.Time.Before(start.Time) || x.Time.Sub(start.Time) > c.Timespan
			})
			value, ok := measure(window)
			if ok && (!any || value > best) {
				best, any = value, true
			}
		}
		if any && threshold.Holds(best) {
			out = append(out, h.Base.Rule.Name+h.ID)
		}
	}
	sort.Strings(out)
	return out, true
}

func value(h correlate.Hit, field string) []string {
	if i := slices.Index(h.Base.Fields, field); i >= 0 {
		return h.Values[i]
	}
	return nil
}

func who(h correlate.Hit) string { return value(h, "who")[0] }

func different(window []correlate.Hit, of func(correlate.Hit) []string) float64 {
	seen := map[string]bool{}
	for _, h := range window {
		for _, v := range of(h) {
			seen[v] = true
		}
	}
	return float64(len(seen))
}

func countEvents(window []correlate.Hit) (float64, bool) {
	return different(window, func(h correlate.Hit) []string { return []string{h.ID} }), true
}

func countValues(window []correlate.Hit) (float64, bool) {
	return different(window, func(h correlate.Hit) []string { return value(h, "v") }), true
}

func countRules(window []correlate.Hit) (float64, bool) {
	return different(window, func(h correlate.Hit) []string { return []string{h.Base.Rule.Name} }), true
}

func sumValues(window []correlate.Hit) (float64, bool) {
	sum, seen, any := 0.0, map[string]bool{}, false
	sort.SliceStable(window, func(i, k int) bool { return window[i].ID < window[k].ID })
	for _, h := range window {
		if seen[h.ID] {
			continue
		}
		seen[h.ID] = true
		for _, v := range value(h, "v") {
			var x float64
			fmt.Sscan(v, &x)
			sum += x
			any = true
		}
	}
	return sum, any
}
