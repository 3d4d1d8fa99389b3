package ruletest_test

import (
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/correlate"
	"github.com/yagura-sec/yagura/sigma/match"
	"github.com/yagura-sec/yagura/sigma/ruletest"
)

const sweep = `title: Sweep
id: 5b4c6c7e-5a3d-4b8e-9a51-0c1d2e3f4a5b
name: sweep
correlation:
  type: value_count
  rules: [read]
  group-by: [who]
  timespan: 10m
  condition: {field: secret, gte: 3}
---
title: Read
name: read
logsource: {product: aws, service: cloudtrail}
detection:
  s: {eventName: GetSecretValue}
  condition: s
`

const chain = `title: Listed, then swept
name: listed_then_swept
correlation: {type: temporal_ordered, rules: [list, often], group-by: [who], timespan: 1h}
---
title: Often
name: often
correlation: {type: event_count, rules: [read], group-by: [who], timespan: 10m, condition: {gte: 3}}
---
title: List
name: list
logsource: {product: aws, service: cloudtrail}
detection:
  s: {eventName: ListSecrets}
  condition: s
---
title: Read
name: read
logsource: {product: aws, service: cloudtrail}
detection:
  s: {eventName: GetSecretValue}
  condition: s
`

// correlated runs the cases of a correlation's file.
func correlated(rules, cases string, o ruletest.Options) ruletest.Result {
	return ruletest.Test(fstest.MapFS{"c.yml": {Data: []byte(rules)}, "c.cases.yml": {Data: []byte("cases:\n" + cases)}}, "", o)
}

func TestCorrelationCases(t *testing.T) {
	f := func(rules, cases, why string) {
		t.Helper()
		got := correlated(rules, cases, ruletest.Options{})
		if why == "" && (got.Passed == 0 || got.Failed > 0) {
			t.Errorf("%s\n%+v", cases, got)
		}
		if why != "" && (got.Failed != 1 || !strings.Contains(got.Failures[0].Got+": "+got.Failures[0].Why, why)) {
			t.Errorf("%s\nwant %s in %+v", cases, why, got)
		}
	}
	three := "event: {eventName: GetSecretValue, who: a, secret: 's{n}'}"
	f(sweep, "- {name: x, fires: true, events: [{at: 0s, repeat: 3, every: 5m, "+three+"}]}\n", "")
	f(sweep, "- {name: x, fires: false, events: [{at: 0s, repeat: 3, every: 5m1s, "+three+"}]}\n", "")
	f(sweep, "- {name: x, fires: true, groups: [[a]], events: [{at: 0s, repeat: 3, every: 1s, "+three+"}]}\n", "")
	f(sweep, "- {name: x, fires: true, groups: [[b]], events: [{at: 0s, repeat: 3, every: 1s, "+three+"}]}\n", "true for [a]")
	f(sweep, "- {name: x, fires: true, events: [{at: 0s, repeat: 3, every: 1s, event: '{\"eventName\":\"GetSecretValue\",\"who\":\"a\",\"secret\":\"{n}\"}'}]}\n", "")
	// A case of one event may be about the rule below, or about the correlation.
	f(sweep, "- {name: x, rule: read, fires: true, event: {eventName: GetSecretValue}}\n", "")
	f(sweep, "- {name: x, fires: false, event: {eventName: GetSecretValue, who: a, secret: s}}\n", "")
	// Values of {n} belong to rows only.
	f(sweep, "- {name: x, fires: false, events: [{at: 0s, "+three+"}, {at: 1s, "+three+"}, {at: 2s, "+three+"}]}\n", "")
	f(sweep, "- {name: x, fires: true, events: []}\n", "events are missing")
	f(sweep, "- {name: x, fires: true, events: [{at: soon, "+three+"}]}\n", `event 1: at: "soon" is no time`)
	f(sweep, "- {name: x, fires: true, events: [{at: 0s, repeat: 3, "+three+"}]}\n", `"repeat" needs "every"`)
	f(sweep, "- {name: x, fires: true, events: [{at: 0s, every: 3s, "+three+"}]}\n", `"every" needs "repeat"`)
	f(sweep, "- {name: x, fires: true, events: [{at: 0s, repeat: 1000000, every: 1s, "+three+"}]}\n", "at most 100000 events")
	f(sweep, "- {name: x, fires: true, until: never, events: [{at: 0s, "+three+"}]}\n", `until: "never" is no time`)
	f(sweep, "- {name: x, fires: false, groups: [[a]], events: [{at: 0s, "+three+"}]}\n", `"groups" are those that fire`)
	f(sweep, "- {name: x, rule: read, fires: true, events: [{at: 0s, "+three+"}]}\n", "are of correlations")
	// What a correlation of the file feeds is not meant unless it is named.
	often := "events: [{at: 1m, repeat: 3, every: 1s, event: {eventName: GetSecretValue, who: a}}]"
	f(chain, "- {name: x, fires: false, "+often+"}\n- {name: y, rule: often, fires: true, "+often+"}\n", "")
}

func TestCorrelationDiff(t *testing.T) {
	f := func(rules, cases, want string) {
		t.Helper()
		got := correlated(rules, cases, ruletest.Options{})
		if got.Failed != 1 {
			t.Fatalf("%+v", got)
		}
		if diff := got.Failures[0].Diff; diff != strings.TrimPrefix(want, "\n") {
			t.Errorf("%s\nthe difference is\n%swant\n%s", cases, diff, strings.TrimPrefix(want, "\n"))
		}
	}
	f(sweep, `- name: x
  fires: true
  events:
    - {at: 0s, repeat: 2, every: 20s, event: {eventName: GetSecretValue, who: a, secret: 's{n}'}}
    - {at: 1h30m, repeat: 9, every: 1s, event: {eventName: GetSecretValue, who: b, secret: same}}
    - {at: 2h, event: {eventName: GetSecretValue, secret: s}}
`, `
needed: value_count of secret >= 3 within 10m, for each who
rule  hits             at
read  12 of 12 events  +0s +20s +1h30m +1h30m1s … +2h
hits of read without who, in no group: 1
group  fired  reached  nearest within 10m
[a]    no     2        read +0s +20s
[b]    no     1        read +1h30m
`)
	f(sweep, "- {name: x, fires: true, events: [{at: 0s, event: {eventName: GetSecretValues, who: a}}]}\n", `
needed: value_count of secret >= 3 within 10m, for each who
rule  hits          at
read  0 of 1 event
read never hit; the nearest event, at +0s:
    no   s
  > no     eventName  GetSecretValues  wanted GetSecretValue (1 letter off)
`)
	f(sweep, "- {name: x, fires: false, events: [{at: 0s, repeat: 4, every: 20s, event: {eventName: GetSecretValue, who: a, secret: '{n}'}}]}\n", `
needed: value_count of secret >= 3 within 10m, for each who
rule  hits           at
read  4 of 4 events  +0s +20s +40s +1m
group  fired  reached  nearest within 10m
[a]    yes    4        read +0s +20s +40s +1m
fired at +40s for [a]: read +0s +20s +40s
fired at +1m for [a]: read +0s +20s +40s +1m
`)
	f(chain, `- name: x
  fires: true
  events:
    - {at: 0s, repeat: 3, every: 20s, event: {eventName: GetSecretValue, who: a}}
    - {at: 1m, event: {eventName: ListSecrets, who: a}}
    - {at: 1m, event: {eventName: ListSecrets, who: b}}
`, `
needed: temporal_ordered of all 2 rules within 1h, for each who
rule  hits           at
list  2 of 5 events  +1m +1m
read  3 of 5 events  +0s +20s +40s
often: event_count >= 3 within 10m, for each who: fired for [a] at +40s
group  fired  reached  nearest within 1h
[a]    no     2        often +40s; list +1m; not in this order: list, often
[b]    no     1        list +1m; missing: often
`)
	f(chain, `- name: x
  fires: true
  events:
    - {at: 0s, event: {eventName: ListSecrets, who: a}}
    - {at: 1m, repeat: 2, every: 20s, event: {eventName: GetSecretValue, who: a}}
`, `
needed: temporal_ordered of all 2 rules within 1h, for each who
rule  hits           at
list  1 of 3 events  +0s
read  2 of 3 events  +1m +1m20s
often: event_count >= 3 within 10m, for each who: the nearest, [a], came to 2
group  fired  reached  nearest within 1h
[a]    no     1        list +0s; missing: often
`)
}

// What is not in the record comes from whoever runs the cases, and the record
// may be theirs too.
func TestRecordHook(t *testing.T) {
	byActor := strings.Replace(sweep, "group-by: [who]", "group-by: [actor]", 1)
	cases := "- {name: x, fires: true, groups: [[A]], events: [{at: 5s, repeat: 3, every: 1m, event: {eventName: GetSecretValue, who: a, secret: '{n}'}}]}\n"
	var times []string
	hook := func(record []byte, at time.Time, source match.Source) ([]byte, correlate.Lookup, error) {
		if source.Service != "cloudtrail" {
			t.Errorf("asked for %+v", source)
		}
		times = append(times, at.Format(time.TimeOnly))
		return record, func(field string) ([]string, bool) {
			if field != "actor" {
				return nil, false
			}
			return []string{"A"}, true
		}, nil
	}
	if got := correlated(byActor, cases, ruletest.Options{Record: hook}); got.Passed != 1 || strings.Join(times, " ") != "12:00:05 12:01:05 12:02:05" {
		t.Errorf("%+v at %v", got, times)
	}
	if got := correlated(byActor, cases, ruletest.Options{}); got.Failed != 1 || !strings.Contains(got.Failures[0].Diff, "hits of read without actor, in no group: 3") {
		t.Errorf("%+v", got)
	}
}

// Correlations may refer to rules of elsewhere, which are not tested here.
func TestKnown(t *testing.T) {
	first, second, _ := strings.Cut(sweep, "---\n")
	cases := "- {name: x, fires: true, events: [{at: 0s, repeat: 3, every: 1s, event: {eventName: GetSecretValue, who: a, secret: '{n}'}}]}\n"
	known, refused := sigma.Parse("elsewhere.yml", []byte(second))
	if len(refused) > 0 {
		t.Fatal(refused)
	}
	if got := correlated(first, cases, ruletest.Options{Known: known}); got.Passed != 1 || got.Failed+got.Skipped > 0 {
		t.Errorf("%+v", got)
	}
	if got := correlated(first, cases, ruletest.Options{}); got.Failed != 1 || !strings.Contains(got.Failures[0].Why, `no rule with the id or name "read"`) {
		t.Errorf("%+v", got)
	}
	// The same rule here and there is one rule, also where it has a title alone.
	untitled := strings.Replace(second, "name: read\n", "", 1)
	if again, _ := sigma.Parse("c.yml", []byte(untitled)); len(again.Rules) != 1 {
		t.Fatal("the rule is not read")
	} else if got := correlated(untitled, "- {name: x, fires: true, event: {eventName: GetSecretValue}}\n", ruletest.Options{Known: again}); got.Passed != 1 || got.Failed > 0 {
		t.Errorf("%+v", got)
	}
	if got := correlated(sweep, cases, ruletest.Options{Known: known}); got.Passed != 1 || got.Failed > 0 {
		t.Errorf("%+v", got)
	}
}

// Rules that only serve the correlations of their file need no cases.
func TestRequireOfCorrelations(t *testing.T) {
	both := "- {name: x, fires: true, events: [{at: 0s, repeat: 3, every: 1s, event: {eventName: GetSecretValue, who: a, secret: '{n}'}}]}\n" +
		"- {name: y, fires: false, events: [{at: 0s, event: {eventName: GetSecretValue, who: a, secret: s}}]}\n"
	if got := correlated(sweep, both, ruletest.Options{Require: true}); got.Passed != 2 || got.Failed > 0 {
		t.Errorf("%+v", got)
	}
	quiet := both[:strings.Index(both, "- {name: y")]
	if got := correlated(sweep, quiet, ruletest.Options{Require: true}); got.Failed != 1 || !strings.Contains(got.Failures[0].Why, "no case that stays quiet") {
		t.Errorf("%+v", got)
	}
}
