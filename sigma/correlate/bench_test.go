package correlate_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/sigma/correlate"
)

// hitsOf is n hits of the first base rule, one each 10 ms, of so many groups.
func hitsOf(plan *correlate.Plan, n, groups int) []correlate.Hit {
	out := make([]correlate.Hit, n)
	for i := range out {
		b := plan.Bases[i%len(plan.Bases)]
		values := make([][]string, len(b.Fields))
		for k, field := range b.Fields {
			values[k] = []string{fmt.Sprintf("%s-%d", field, i*7919%groups)}
		}
		out[i] = correlate.Hit{Base: b, Time: noon.Add(time.Duration(i) * 10 * time.Millisecond), ID: fmt.Sprintf("%08x", i*2654435761), Values: values}
	}
	return out
}

func benchmarks(b *testing.B, run func(b *testing.B, plan *correlate.Plan, hits []correlate.Hit)) {
	const more = ", timespan: 10m, group-by: [who]"
	for _, c := range []struct{ name, text string }{
		{"event_count", "type: event_count, rules: [a, b], condition: {gte: 100000}"},
		{"few", "type: event_count, rules: [a, b], condition: {lt: 2}"},
		{"firing", "type: event_count, rules: [a, b], condition: {gte: 3}"},
		{"value_count", "type: value_count, rules: [a, b], condition: {field: v, gte: 100000}"},
		{"ordered", "type: temporal_ordered, rules: [a, b]"},
	} {
		b.Run(c.name, func(b *testing.B) {
			plan := newRig(b, corr("it", c.text+more), base("a"), base("b")).plan
			run(b, plan, hitsOf(plan, 200_000, 1000))
		})
	}
}

func report(b *testing.B, hits []correlate.Hit) {
	b.ReportMetric(float64(len(hits))*float64(b.N)/b.Elapsed().Seconds(), "hits/s")
}

func BenchmarkEvaluate(b *testing.B) {
	benchmarks(b, func(b *testing.B, plan *correlate.Plan, hits []correlate.Hit) {
		b.ReportAllocs()
		for b.Loop() {
			correlate.Evaluate(plan, hits, time.Time{}, correlate.EngineOptions{})
		}
		report(b, hits)
	})
}

func BenchmarkFeed(b *testing.B) {
	benchmarks(b, func(b *testing.B, plan *correlate.Plan, hits []correlate.Hit) {
		b.ReportAllocs()
		for b.Loop() {
			e := correlate.New(plan, correlate.EngineOptions{Lateness: time.Minute})
			for _, h := range hits {
				e.Feed(h)
			}
			e.Close()
		}
		report(b, hits)
	})
}

// BenchmarkHit is what reading a hit's fields from a record costs.
func BenchmarkHit(b *testing.B) {
	r := newRig(b, corr("it", "type: event_count, rules: [a], condition: {gte: 3}, timespan: 10m, group-by: [who.id, where]"), base("a"))
	record := []byte(`{"kind":"a","who":{"type":"person","id":"7","session":{"issuer":{"type":"role","name":"x"}}},"when":"2026-03-04T12:00:00Z","where":"203.0.113.9","what":{"list":[{"a":1},{"b":2}]}}`)
	b.ReportAllocs()
	b.SetBytes(int64(len(record)))
	for b.Loop() {
		if _, err := r.plan.Bases[0].Hit(noon, "e", record, nil); err != nil {
			b.Fatal(err)
		}
	}
}
