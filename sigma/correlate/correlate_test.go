package correlate_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/correlate"
	"github.com/yagura-sec/yagura/sigma/match"
)

// base is a rule that matches records with that kind.
func base(name string) string {
	return fmt.Sprintf("---\ntitle: %[1]s\nname: %[1]s\nlogsource: {product: door}\ndetection:\n  s: {kind: %[1]s}\n  condition: s\n", name)
}

func corr(name, body string) string {
	return fmt.Sprintf("---\ntitle: %[1]s\nname: %[1]s\ncorrelation: {%[2]s}\n", name, body)
}

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

type rig struct {
	t    testing.TB
	plan *correlate.Plan
	set  *match.Set
}

func newRig(t testing.TB, texts ...string) *rig {
	t.Helper()
	docs, refused := sigma.Parse("c.yml", []byte(strings.Join(texts, "")))
	set, more := match.Compile(docs.Rules, match.Options{})
	plan, errs := correlate.Compile(docs.Correlations, docs.Rules, correlate.Options{Extended: true})
	for _, e := range append(append(refused, more...), errs...) {
		t.Fatal(e)
	}
	return &rig{t, plan, set}
}

// hits holds records, one a line: the seconds after noon and JSON.
func (r *rig) hits(log string) []correlate.Hit {
	r.t.Helper()
	var out []correlate.Hit
	sc := r.set.NewScratch()
	for n, line := range strings.Split(strings.TrimSpace(log), "\n") {
		seconds, record, _ := strings.Cut(strings.TrimSpace(line), " ")
		offset, err := time.ParseDuration(seconds + "s")
		if err != nil {
			r.t.Fatal(err)
		}
		found, err := r.set.MatchJSON(sc, []byte(record), match.Source{Product: "door"})
		if err != nil {
			r.t.Fatalf("%s: %v", record, err)
		}
		for _, i := range append([]int{}, found...) {
			b := r.plan.Base(r.set.Rule(i))
			if b == nil {
				continue
			}
			h, err := b.Hit(noon.Add(offset), fmt.Sprintf("e%03d", n), []byte(record), nil)
			if err != nil {
				r.t.Fatal(err)
			}
			out = append(out, h)
		}
	}
	return out
}

// told writes firings of outermost correlations: "group@at=value[ids]".
func told(firings []*correlate.Firing) string {
	var out []string
	for _, f := range firings {
		var ids []string
		for _, h := range f.Hits {
			id := strings.TrimLeft(strings.TrimPrefix(h.ID, "e"), "0")
			if h.From != nil {
				id = h.From.Correlation.Name
			} else if id == "" {
				id = "0"
			}
			ids = append(ids, id)
		}
		name := ""
		if !f.Correlation.Findings {
			name = f.Correlation.Name + ":"
		}
		out = append(out, fmt.Sprintf("%s%s@%v=%v[%s]", name, strings.Join(f.Group, ","), f.At.Sub(noon).Seconds(), f.Value, strings.Join(ids, " ")))
	}
	return strings.Join(out, " ")
}

// run evaluates a log, to its end if until is zero.
func (r *rig) run(log string, until time.Duration) string {
	r.t.Helper()
	var end time.Time
	if until != 0 {
		end = noon.Add(until)
	}
	firings, _ := correlate.Evaluate(r.plan, r.hits(log), end, correlate.EngineOptions{})
	return told(firings)
}

func (r *rig) want(log, want string) {
	r.t.Helper()
	if got := r.run(log, 0); got != want {
		r.t.Errorf("%s\n got %s\nwant %s", log, got, want)
	}
}

func TestEventCount(t *testing.T) {
	r := newRig(t, corr("many", "type: event_count, rules: [knock], group-by: [who], timespan: 10s, condition: {gte: 3}"), base("knock"))
	r.want(`0 {"kind":"knock","who":"ann"}
		1 {"kind":"knock","who":"ben"}
		2 {"kind":"knock","who":"ann"}
		3 {"kind":"other","who":"ann"}
		9 {"kind":"knock","who":"ann"}`, "ann@9=3[0 2 4]")
	// A timespan holds both its ends.
	r.want(`0 {"kind":"knock","who":"ann"}
		5 {"kind":"knock","who":"ann"}
		10 {"kind":"knock","who":"ann"}`, "ann@10=3[0 1 2]")
	r.want(`0 {"kind":"knock","who":"ann"}
		5 {"kind":"knock","who":"ann"}
		10.000000001 {"kind":"knock","who":"ann"}`, "")
}

func TestTypes(t *testing.T) {
	f := func(body, log, want string) {
		t.Helper()
		newRig(t, corr("it", body+", timespan: 10s, group-by: [who]"), base("a"), base("b"), base("c")).want(log, want)
	}
	f("type: value_count, rules: [a], condition: {field: v, gte: 2}", `0 {"kind":"a","who":"x","v":"1"}
		1 {"kind":"a","who":"x","v":1}
		2 {"kind":"a","who":"x"}
		3 {"kind":"a","who":"x","v":"2"}`, "x@3=2[0 1 2 3]")
	f("type: value_sum, rules: [a], condition: {field: v, gt: 9}", `0 {"kind":"a","who":"x","v":"4.5"}
		1 {"kind":"a","who":"x","v":"many"}
		2 {"kind":"a","who":"x","v":4.5}
		3 {"kind":"a","who":"x","v":0.5}`, "x@3=9.5[0 1 2 3]")
	f("type: value_avg, rules: [a], condition: {field: v, gt: 5}", `0 {"kind":"a","who":"x","v":1}
		1 {"kind":"a","who":"x","v":10}`, "x@1=5.5[0 1]")
	f("type: value_percentile, rules: [a], condition: {field: v, percentile: 90, gte: 9.1}", `0 {"kind":"a","who":"x","v":1}
		1 {"kind":"a","who":"x","v":10}`, "x@1=9.1[0 1]")
	f("type: value_median, rules: [a], condition: {field: v, gt: 2, lt: 4}", `0 {"kind":"a","who":"x","v":1}
		1 {"kind":"a","who":"x","v":5}`, "x@11=3[0 1]")
	f("type: temporal, rules: [a, b]", `0 {"kind":"b","who":"x"}
		1 {"kind":"a","who":"y"}
		9 {"kind":"a","who":"x"}`, "x@9=2[0 2]")
	f("type: temporal, rules: [a, b, c], condition: {gte: 2}", `0 {"kind":"b","who":"x"}
		1 {"kind":"a","who":"x"}`, "x@1=2[0 1]")
	f("type: temporal_ordered, rules: [a, b]", `0 {"kind":"b","who":"x"}
		1 {"kind":"a","who":"x"}`, "")
	f("type: temporal_ordered, rules: [a, b]", `0 {"kind":"b","who":"x"}
		1 {"kind":"a","who":"x"}
		3 {"kind":"b","who":"x"}`, "x@3=2[1 2]")
	f("type: temporal_ordered, rules: [a, b]", `1 {"kind":"b","who":"x"}
		1 {"kind":"a","who":"x"}`, "x@1=2[0 1]")
}

func TestFewer(t *testing.T) {
	f := func(condition, log, want string) {
		t.Helper()
		newRig(t, corr("it", "type: event_count, rules: [a], condition: {"+condition+"}, timespan: 10s, group-by: [who]"), base("a")).want(log, want)
	}
	one := `0 {"kind":"a","who":"x"}`
	two := one + "\n5 " + one[2:]
	f("lt: 2", one, "x@10=1[0]")
	f("lt: 2", two, "")
	f("eq: 2", two, "x@15=2[0 1]")
	f("eq: 2", two+"\n12 "+one[2:], "x@15=2[0 1] x@22=2[2]")
	f("eq: 0", two, "x@15=0[1]")
	f("gte: 2, lt: 3", two, "x@15=2[0 1]")
	f("neq: 2", one, "x@10=1[0]")
	f("neq: 2", two, "")
}
