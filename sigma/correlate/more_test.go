package correlate_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/correlate"
)

const xs = `{"kind":"K","who":"x"}`

// log writes "seconds kind" pairs as records of x.
func log(pairs string) string {
	var lines []string
	for _, p := range strings.Fields(pairs) {
		kind, at, _ := strings.Cut(p, "@")
		lines = append(lines, at+" "+strings.Replace(xs, "K", kind, 1))
	}
	return strings.Join(lines, "\n")
}

// Conditions that say what did not happen, and those that join rules.
func TestExtended(t *testing.T) {
	f := func(kind, rules, condition, events, want string) {
		t.Helper()
		newRig(t, corr("it", "type: "+kind+", rules: ["+rules+"], condition: "+condition+", timespan: 10s, group-by: [who]"), base("a"), base("b"), base("c")).want(log(events), want)
	}
	f("temporal", "a, b", "a and b", "a@0 b@10", "x@10=2[0 1]")
	f("temporal", "a, b, c", "a and (b or c)", "a@0 c@10", "x@10=2[0 1]")
	f("temporal", "a, b, c", "2 of them", "a@0 c@10", "x@10=2[0 1]")
	f("temporal", "a, b", "a and not b", "a@0", "x@10=1[0]")
	f("temporal", "a, b", "a and not b", "a@0 b@10", "")
	f("temporal", "a, b", "a and not b", "b@0 a@10", "")
	f("temporal", "a, b", "a and not b", "b@0 a@10.5 b@20.6", "x@20.5=1[1]")
	f("temporal", "a, b, c", "a and b and not c", "a@0 b@4 c@14", "")
	f("temporal", "a, b, c", "a and b and not c", "a@0 b@4 c@15", "x@14=2[0 1]")
	f("temporal", "a, b, c", "a and not (b or c)", "a@0 c@4", "")
	f("temporal", "a, b, c", "a and not (b and c)", "a@0 c@4", "x@10=1[0]")
	f("temporal_ordered", "a, b", "a and b", "b@0 a@1", "")
	f("temporal_ordered", "a, b", "a and b", "a@0 b@1", "x@1=2[0 1]")
	f("temporal_ordered", "a, b", "a and not b", "b@0 a@1", "x@11=1[1]")
	f("temporal_ordered", "a, b", "a and not b", "b@0 a@0", "")
	f("temporal_ordered", "a, b", "a and not b", "a@0 b@10", "")
	f("temporal_ordered", "a, b", "a and not b", "a@0 b@10.1", "x@10=1[0]")
	f("temporal_ordered", "b, a", "a and not b", "a@0 b@1", "x@0=1[0]")
	f("temporal_ordered", "b, a", "a and not b", "b@0 a@10", "")
	f("temporal_ordered", "b, a", "a and not b", "b@0 a@10.1", "x@10.1=1[1]")
	f("temporal_ordered", "a, b, c", "a and c and not b", "a@0 c@5", "x@5=2[0 1]")
	f("temporal_ordered", "a, b, c", "a and c and not b", "a@0 b@2 c@5", "")
	f("temporal_ordered", "a, b, c", "a and c and not b", "a@0 b@2 a@3 c@5", "x@5=2[2 3]")
	f("temporal_ordered", "a, b, c", "a and c and not b", "a@0 b@5 c@5", "")
	f("temporal_ordered", "a, b, c", "a and c and not b", "b@0 a@1 c@5 b@6", "x@5=2[1 2]")
}

func TestOrdered(t *testing.T) {
	f := func(more, events, want string) {
		t.Helper()
		newRig(t, corr("it", "type: temporal_ordered, rules: [a, b, c], timespan: 10s, group-by: [who]"+more), base("a"), base("b"), base("c")).want(log(events), want)
	}
	f("", "a@0 b@5 c@10", "x@10=3[0 1 2]")
	f("", "a@0 b@5 c@10.1", "")
	f("", "a@0 c@5 b@6", "")
	f("", "a@0 c@5 b@6 c@7", "x@7=3[0 1 2 3]")
	f("", "c@1 b@1 a@1", "x@1=3[0 1 2]")
	f("", "a@0 b@1 a@9 c@10 c@10.5", "x@10=3[0 1 2 3]")
	f("", "a@0 b@1 c@2 b@3 c@4", "x@2=3[0 1 2] x@4=3[0 1 2 3 4]")
	f(", condition: {gte: 2}", "a@0 c@5", "x@5=2[0 1]")
	f(", condition: {gte: 2}", "c@0 a@5", "")
	f(", condition: {gte: 2}", "b@0 a@4 c@5", "x@5=2[0 1 2]")
	f(", condition: {eq: 3}", "a@0 b@5 c@10", "x@10=3[0 1 2]")
}

func TestGroups(t *testing.T) {
	f := func(body, log, want string) {
		t.Helper()
		newRig(t, corr("it", body+", timespan: 10s"), base("a"), base("b")).want(log, want)
	}
	// Without group-by all hits are one group.
	f("type: event_count, rules: [a], condition: {gte: 2}", `0 {"kind":"a","who":"x"}
		1 {"kind":"a","who":"y"}`, "@1=2[0 1]")
	// A hit without a field of group-by belongs to no group, null included.
	f("type: event_count, rules: [a], group-by: [who, from], condition: {gte: 2}", `0 {"kind":"a","who":"x"}
		1 {"kind":"a","who":"x","from":null}
		2 {"kind":"a","who":"x","from":[]}
		3 {"kind":"a","who":"x","from":""}
		4 {"kind":"a","who":"x","from":""}`, "x,@4=2[3 4]")
	// Each element of an array is a value, in each combination.
	f("type: event_count, rules: [a], group-by: [who, from], condition: {gte: 2}", `0 {"kind":"a","who":["x","y","x"],"from":["1","2"]}
		1 {"kind":"a","who":"y","from":2}`, "y,2@1=2[0 1]")
	// Values are the same if their text is, case and all.
	f("type: event_count, rules: [a], group-by: [who], condition: {gte: 2}", `0 {"kind":"a","who":"X"}
		1 {"kind":"a","who":"x"}
		2 {"kind":"a","who":7}
		3 {"kind":"a","who":"7"}`, "7@3=2[2 3]")
	// A name as it stands comes before the same name as a path.
	f("type: event_count, rules: [a], group-by: [p.q], condition: {gte: 2}", `0 {"kind":"a","p.q":"flat","p":{"q":"deep"}}
		1 {"kind":"a","p":{"q":"deep"}}
		2 {"kind":"a","p":[{"q":"deep"}]}`, "deep@2=2[1 2]")
	f("type: temporal, rules: [a, b], group-by: [addr], aliases: {addr: {a: src, b: dst}}", `0 {"kind":"a","src":"1","dst":"2"}
		1 {"kind":"b","src":"1","dst":"2"}
		2 {"kind":"b","src":"2","dst":"1"}`, "1@2=2[0 2]")
	// An alias serves the field of the condition too.
	f("type: value_count, rules: [a, b], condition: {field: addr, gte: 2}, aliases: {addr: {a: src, b: dst}}", `0 {"kind":"a","src":"1","dst":"2"}
		1 {"kind":"b","src":"2","dst":"1"}
		2 {"kind":"b","src":"1","dst":"2"}`, "@2=2[0 1 2]")
	// Several fields are counted together.
	f("type: value_count, rules: [a], condition: {field: [who, from], gte: 2}", `0 {"kind":"a","who":"x","from":1}
		1 {"kind":"a","who":"x"}
		2 {"kind":"a","who":"x","from":1}
		3 {"kind":"a","who":"x","from":2}`, "@3=2[0 1 2 3]")
}

// An event that several rules match is one event.
func TestOneEventOfTwoRules(t *testing.T) {
	text := []string{corr("it", "type: event_count, rules: [a, aa], timespan: 10s, condition: {gte: 2}"), base("a"),
		strings.NewReplacer("name: a", "name: aa", "title: a", "title: aa").Replace(base("a"))}
	newRig(t, text...).want(log("a@0"), "")
	newRig(t, text...).want(log("a@0 a@1"), "@1=2[0 0 1 1]")
	text[0] = corr("it", "type: temporal, rules: [a, aa], timespan: 10s")
	newRig(t, text...).want(log("a@0"), "@0=2[0 0]")
}

// The share of a value in the fullest timespan around it, in percent.
func TestShare(t *testing.T) {
	r := newRig(t, corr("it", "type: value_percentile, rules: [a], timespan: 10s, group-by: [who], condition: {field: v, lte: 25}"), base("a"))
	r.want(`0 {"kind":"a","who":"x","v":"common"}
		1 {"kind":"a","who":"x","v":"rare"}
		2 {"kind":"a","who":"x","v":"common"}
		3 {"kind":"a","who":"x","v":"common"}`, "x@13=25[1]")
	r.want(`0 {"kind":"a","who":"x","v":"common"}
		1 {"kind":"a","who":"x","v":"rare"}
		2 {"kind":"a","who":"x","v":"common"}`, "")
	r.want(`0 {"kind":"a","who":"x","v":["common","rare"]}
		1 {"kind":"a","who":"x","v":"common"}
		2 {"kind":"a","who":"x","v":["other","common"]}
		3 {"kind":"a","who":"x","v":"other"}
		4 {"kind":"a","who":"x","v":"seldom"}
		5 {"kind":"a","who":"x"}`, "x@15=14.285714285714286[0 4]")
}

func TestChains(t *testing.T) {
	many := corr("many", "type: event_count, rules: [a], timespan: 10s, group-by: [host], condition: {gte: 3}")
	r := newRig(t, corr("it", "type: temporal_ordered, rules: [many, b], timespan: 60s, group-by: [who]"), many, base("a"), base("b"))
	// The chain asks for a field that its link does not group by.
	r.want(`0 {"kind":"a","host":"h","who":"x"}
		1 {"kind":"a","host":"h","who":"y"}
		2 {"kind":"a","host":"h","who":"x"}
		62 {"kind":"b","who":"y"}
		63 {"kind":"b","who":"x"}`, "many:h@2=3[0 1 2] y@62=2[many 3]")
	c := r.plan.Correlations[1]
	if c.Name != "it" || c.Reach != 70*time.Second || c.Depth != 70*time.Second || c.Wait != 0 || !c.Findings || len(c.Bases) != 2 || len(c.Chain) != 1 {
		t.Errorf("plan is %+v", c)
	}
	if m := r.plan.Correlations[0]; m.Findings || !r.plan.Quiet(&m.Meta) || r.plan.Quiet(&c.Meta) {
		t.Error("a link of a chain gives findings of its own")
	}
	firings, _ := correlate.Evaluate(r.plan.Only(c), r.hits(`0 {"kind":"a","host":"h","who":"x"}
		1 {"kind":"a","host":"h","who":"x"}
		2 {"kind":"a","host":"h","who":"x"}
		3 {"kind":"a","host":"h","who":"x"}
		4 {"kind":"b","who":"x"}`), time.Time{}, correlate.EngineOptions{})
	n := 0
	for range correlate.Events(firings[len(firings)-1]) {
		n++
	}
	if last := firings[len(firings)-1]; last.Correlation != c || len(last.Hits) != 3 || n != 5 {
		t.Errorf("%s rests on %d events, want 5", told(firings), n)
	}
}

// A link that says late that something did not happen.
func TestChainOfAbsence(t *testing.T) {
	r := newRig(t, corr("it", "type: event_count, rules: [lone], timespan: 60s, condition: {gte: 2}"),
		corr("lone", "type: temporal_ordered, rules: [a, b], condition: a and not b, timespan: 10s"), base("a"), base("b"))
	r.want(log("a@0 b@1 a@2 a@30 b@50"), "lone:@12=1[2] lone:@40=1[3] @40=2[lone lone]")
	if c := r.plan.Correlations[1]; c.Reach != 80*time.Second || c.Depth != 80*time.Second || c.Wait != 20*time.Second+1 {
		t.Errorf("reach %v, depth %v, wait %v", c.Reach, c.Depth, c.Wait)
	}
}

func TestGenerate(t *testing.T) {
	r := newRig(t, corr("one", "type: temporal, rules: [a, b], timespan: 10s"), corr("two", "type: temporal, rules: [b, c], timespan: 10s, generate: true"), base("a"), base("b"), base("c"), base("d"))
	want := map[string]bool{"a": false, "b": true, "c": true}
	for _, b := range r.plan.Bases {
		if b.Findings != want[b.Rule.Name] || r.plan.Quiet(&b.Rule.Meta) == b.Findings {
			t.Errorf("rule %s gives findings: %v", b.Rule.Name, b.Findings)
		}
	}
	if len(r.plan.Bases) != 3 {
		t.Errorf("%d rules serve correlations", len(r.plan.Bases))
	}
}

// What is open at the end of the log is not told.
func TestUntil(t *testing.T) {
	r := newRig(t, corr("it", "type: event_count, rules: [a], timespan: 10s, condition: {lt: 2}"), base("a"))
	f := func(until time.Duration, want string) {
		t.Helper()
		if got := r.run(log("a@0"), until); got != want {
			t.Errorf("until %v: %s, want %s", until, got, want)
		}
	}
	f(10*time.Second-1, "")
	f(10*time.Second, "@10=1[0]")
	f(0, "@10=1[0]")
	f(-time.Second, "")
	f(250*365*24*time.Hour, "@10=1[0]")
	f(-290*365*24*time.Hour, "")
	e := correlate.New(r.plan, correlate.EngineOptions{})
	e.Feed(r.hits(log("a@0"))[0])
	if got := told(e.Advance(noon.AddDate(5000, 0, 0))); got != "@10=1[0]" {
		t.Errorf("%s", got)
	}
}

func TestCompileRefuses(t *testing.T) {
	f := func(options correlate.Options, text string, want ...string) {
		t.Helper()
		docs, refused := sigma.Parse("c.yml", []byte(text+base("a")+base("b")))
		for _, e := range refused {
			t.Error(e)
		}
		plan, errs := correlate.Compile(docs.Correlations, docs.Rules, options)
		var got []string
		for _, e := range errs {
			got = append(got, e.Error())
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") || len(plan.Correlations)+len(want) < len(docs.Correlations) {
			t.Errorf("%s: got\n%s\nwant\n%s", text, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	one := func(body string, want ...string) {
		t.Helper()
		f(correlate.Options{Extended: true}, corr("it", "timespan: 1m, "+body), want...)
	}
	one("type: temporal, rules: [a, c]", `c.yml:4:56: there is no rule with the id or name "c"`)
	one("type: temporal, rules: [a, b], aliases: {x: {c: y}}", `c.yml:4:74: alias "x" names rule "c", which is not among the rules of the correlation`)
	one("type: temporal, rules: [a, b], condition: {gte: 3}", `c.yml:4:71: condition never holds: the correlation has 2 rules`)
	one("type: temporal_ordered, rules: [a, b], condition: {lt: 2}", `c.yml:4:79: condition of temporal_ordered has to hold from some count of rules upwards: too few in order is not a thing that happens`)
	one("type: event_count, rules: [a], condition: {gt: 3, lt: 4}", `c.yml:4:71: condition never holds of a count: > 3 and < 4`)
	one("type: event_count, rules: [a], condition: {lt: 0}", `c.yml:4:71: condition never holds of a count: < 0`)
	for _, c := range []string{"gte: 0", "gte: -1", "gt: -1", "neq: -1", "neq: 1.5"} {
		op, n, _ := strings.Cut(c, ": ")
		words := map[string]string{"gte": ">=", "gt": ">", "neq": "!="}[op] + " " + n
		one("type: event_count, rules: [a], condition: {"+c+"}", "c.yml:4:71: condition holds of every count, 0 included: "+words)
		one("type: value_count, rules: [a], condition: {field: v, "+c+"}", "c.yml:4:71: condition holds of every count, 0 included: "+words)
	}
	for _, c := range []string{"gte: 1", "gt: 0", "neq: 0", "neq: 2", "lte: 5", "gte: 0, lt: 3"} {
		one("type: event_count, rules: [a], condition: {" + c + "}")
	}
	for _, c := range []string{"gte: 0", "gte: -1", "lt: 3", "neq: 3"} {
		one("type: temporal, rules: [a, b], condition: {"+c+"}", "c.yml:4:71: condition always holds: the correlation has 2 rules, of which it may have any count, 0 included")
	}
	one("type: temporal, rules: [a, b], condition: {gte: 1}")
	one("type: value_percentile, rules: [a], condition: {field: v, gt: 500}", `c.yml:4:76: condition never holds of the share of a value, which is more than 0 and at most 100 percent: > 500; for the numbers themselves name a percentile`)
	one("type: temporal, rules: [a, b], condition: a and", `c.yml:4:76: condition: condition ends where the name of a search is expected`)
	one("type: temporal, rules: [a, b], condition: a and c", `c.yml:4:77: condition: "c" is not among the rules of the correlation`)
	one("type: temporal, rules: [a, b], condition: a", `c.yml:4:56: rule "b" is not part of the condition`)
	one("type: temporal, rules: [a, b], condition: a and b and not b", `c.yml:4:71: condition asks of rule "b" both that it matched and that it did not`)
	one("type: temporal, rules: [a, b], condition: a or not b", `c.yml:4:71: condition holds where nothing happens: it needs a rule that has to match`)
	one("type: temporal_ordered, rules: [a, b], condition: a or b", `c.yml:4:79: condition of temporal_ordered joins rules by "and" and "not" alone: what the order is of an "or" is not said`)
	f(correlate.Options{}, corr("it", "timespan: 1m, type: temporal, rules: [a, b], condition: a and not b"),
		`c.yml:4:71: a boolean condition over rules is a proposal for specification 2.2, not part of 2.1: it needs Options.Extended (rules.extended_conditions in Yagura's configuration)`)
	f(correlate.Options{}, corr("a", "timespan: 1m, type: temporal, rules: [a, b]"), `c.yml:4:53: "a" is the id or name of several rules: c.yml:6:1: rule a, c.yml:2:1: correlation a`)
	f(correlate.Options{}, corr("p", "timespan: 1m, type: temporal, rules: [q, b]")+corr("q", "timespan: 1m, type: temporal, rules: [p, b]")+corr("r", "timespan: 1m, type: temporal, rules: [q, b]"),
		`c.yml:4:45: correlations refer to each other in a circle: p -> q -> p`, `c.yml:8:45: correlations refer to each other in a circle: p -> q -> p`,
		`c.yml:12:53: correlation "q", which it refers to, is refused`)
	long := ""
	for i, name := range []string{"b", "r1", "r2", "r3", "r4"} {
		long += corr(fmt.Sprintf("r%d", i+1), "timespan: 10y, type: event_count, rules: ["+name+"], condition: {lt: 2}")
	}
	f(correlate.Options{}, long, `c.yml:16:15: with the correlations it rests on it looks back over more than a century`, `c.yml:20:57: correlation "r4", which it refers to, is refused`)
	f(correlate.Options{}, corr("it", "timespan: 1m, type: temporal, rules: [a, x]")+strings.Replace(base("x"), "name: x", "name: x\nid: x", 1))
}

func TestConditionInWords(t *testing.T) {
	f := func(body, want string) {
		t.Helper()
		if got := newRig(t, corr("it", body), base("a"), base("b")).plan.Correlations[0]; correlate.Words(got) != want {
			t.Errorf("%s reads %q, want %q", body, correlate.Words(got), want)
		}
	}
	f("type: event_count, rules: [a], timespan: 90s, condition: {gte: 10}", "event_count >= 10 in 90s")
	f("type: value_count, rules: [a], timespan: 120m, condition: {field: [x, y], gt: 1, lte: 2.5}", "value_count of x, y > 1 and <= 2.5 in 2h")
	f("type: value_percentile, rules: [a], timespan: 2w, condition: {field: x, percentile: 99.5, gt: 1}", "value_percentile 99.5 of x > 1 in 14d")
	f("type: value_percentile, rules: [a], timespan: 1d, condition: {field: x, lte: 1}", "share in percent of x <= 1 in 1d")
	f("type: temporal, rules: [a, b], timespan: 5m", "temporal of all 2 rules in 5m")
	f("type: temporal, rules: [a, b], timespan: 5m, condition: {gte: 1}", "temporal of 2 rules >= 1 in 5m")
	f("type: temporal_ordered, rules: [a, b], timespan: 5m, condition: a and not b", "temporal_ordered a and not b in 5m")
}

// Findings are told apart by id, whatever they are of.
func TestOneIDOneDocument(t *testing.T) {
	withID := func(text, id string) string { return strings.Replace(text, "name: ", "id: "+id+"\nname: ", 1) }
	count := "type: event_count, rules: [a], timespan: 1m, condition: {gte: 2}"
	f := func(text string, left int, want ...string) {
		t.Helper()
		docs, refused := sigma.Parse("c.yml", []byte(text))
		plan, errs := correlate.Compile(docs.Correlations, docs.Rules, correlate.Options{})
		var got []string
		for _, e := range append(refused, errs...) {
			got = append(got, e.Error())
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") || len(plan.Correlations) != left {
			t.Errorf("%s: %d correlations, %s; want %s", text, len(plan.Correlations), got, want)
		}
	}
	f(withID(corr("x", count), "one")+withID(base("a"), "two"), 1)
	f(withID(corr("x", count), "one")+withID(base("a"), "one"), 0,
		`c.yml:3:1: id one is that of the rule "a", c.yml:7 already: every rule and every correlation has its own`)
	f(withID(corr("x", count), "one")+withID(corr("y", count), "one")+base("a"), 1,
		`c.yml:8:1: id one is that of the correlation "x", c.yml:2 already: every rule and every correlation has its own`)
	f(corr("x", count)+corr("y", count)+base("a"), 2)
}

func TestRulesTwice(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		docs, refused := sigma.Parse("c.yml", []byte(text))
		_, errs := correlate.Compile(docs.Correlations, docs.Rules, correlate.Options{})
		if errs = append(refused, errs...); len(errs) != 1 || errs[0].Reason != want {
			t.Errorf("%s: %v, want %q", text, errs, want)
		}
	}
	for _, kind := range []string{"temporal", "temporal_ordered"} {
		f(corr("it", "timespan: 1m, type: "+kind+", rules: [a, b, a]")+base("a")+base("b"), `rule "a" is named twice`)
		f(corr("it", "timespan: 1m, type: "+kind+", rules: [a, some-id]")+strings.Replace(base("a"), "name: a", "name: a\nid: some-id", 1),
			`rule "some-id" is named twice, by its id and by its name`)
	}
}
