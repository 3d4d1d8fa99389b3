package ruletest_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/pipeline"
	"github.com/yagura-sec/yagura/sigma/ruletest"
)

const rule = `title: Trail stopped
id: 1dd3c3a8-40d5-4f2e-9d3c-5f7b1e6a2c11
logsource: {product: aws, service: cloudtrail}
detection:
  stop: {eventName: StopLogging}
  condition: stop
`

func TestCases(t *testing.T) {
	f := func(cases string, require bool, passed, failed int, why string) {
		t.Helper()
		files := fstest.MapFS{"aws/trail.yml": {Data: []byte(rule)}}
		if cases != "" {
			files["aws/trail.cases.yml"] = &fstest.MapFile{Data: []byte(cases)}
		}
		got := ruletest.Test(files, "rules", ruletest.Options{Require: require})
		if got.Passed != passed || got.Failed != failed {
			t.Errorf("%d passed, %d failed, want %d and %d: %+v", got.Passed, got.Failed, passed, failed, got.Failures)
		}
		for _, x := range got.Failures {
			if !strings.HasPrefix(x.ID, "rules/aws/trail.yml") {
				t.Errorf("failure is of %q, not of the rule's file", x.ID)
			}
		}
		if failed > 0 && !strings.Contains(got.Failures[0].Why, why) {
			t.Errorf("first failure says %q, want %q in it", got.Failures[0].Why, why)
		}
	}
	both := "cases:\n- {name: stops, fires: true, event: {eventName: StopLogging}}\n- {name: starts, fires: false, event: {eventName: StartLogging}}\n"
	f(both, true, 2, 0, "")
	f(strings.Replace(both, "fires: true", "fires: false", 1), false, 1, 1, `stop: eventName is StopLogging of "StopLogging" holds`)
	f(strings.Replace(both, "fires: false", "fires: true", 1), false, 1, 1, "value_mismatch")
	f("", true, 0, 2, "no case that fires")
	f("", false, 0, 0, "")
	f("cases:\n- {name: stops, fires: true, event: {eventName: StopLogging}}\n", true, 1, 1, "no case that stays quiet")
	f("cases:\n- {name: text, fires: true, event: '{\"eventName\": \"StopLogging\"}'}\n", false, 1, 0, "")
	f("cases:\n- {name: text, fires: true, event: 'no json'}\n", false, 0, 1, "no JSON")
	f("cases:\n- {name: x, event: {}}\n", false, 0, 1, `"fires" is missing`)
	f("cases:\n- {name: x, fires: true}\n", false, 0, 1, "event is missing")
	f("cases:\n- {name: x, fire: true, event: {}}\n", false, 0, 1, `aws/trail.cases.yml: line 2: a case has no key "fire"; the keys are name, rule, fires and event, or for a correlation events, groups and until`)
	f("cases:\n- {name: x, fires: true, events: [{when: 0s, event: {}}]}\n", false, 0, 1, `line 2: an event of a correlation has no key "when"; the keys are at, repeat, every and event`)
	f("case:\n- {name: x, fires: true, event: {}}\n", false, 0, 1, `line 1: the file has no key "case"; the keys are cases`)
	f("cases:\n- {name: x, fires: maybe, event: {}}\n", false, 0, 1, `line 2: "maybe" stands where true or false is needed`)
	f("cases: {name: x, fires: true, event: {}}\n", false, 0, 1, `line 1: a mapping stands where a list of cases is needed`)
	f("- {name: x, fires: true, event: {}}\n", false, 0, 1, `line 1: a list stands where a mapping with the key cases is needed`)
	f("cases:\n- {name: x, rule: other, fires: true, event: {}}\n", false, 0, 1, `no rule "other"`)
}

// TestRefusedCorrelation: what was refused is told once, not by every case.
func TestRefusedCorrelation(t *testing.T) {
	f := func(correlation, want string) {
		t.Helper()
		files := fstest.MapFS{
			"sweep.yml": {Data: []byte("title: Sweep\nname: sweep\ncorrelation: {" + correlation + ", rules: [trail], group-by: [userAgent], timespan: 5m, condition: {gte: 2}}\n---\nname: trail\n" + rule)},
			"sweep.cases.yml": {Data: []byte(`cases:
- {name: two, fires: true, events: [{at: 0s, repeat: 2, every: 1s, event: {eventName: StopLogging, userAgent: a}}]}
- {name: none, rule: sweep, fires: false, events: [{at: 0s, event: {eventName: StartLogging}}]}
- {name: its rule, rule: trail, fires: true, event: {eventName: StopLogging}}
`)},
		}
		r := ruletest.Test(files, "", ruletest.Options{Require: true})
		got := fmt.Sprintf("%d passed, %d failed, %d skipped", r.Passed, r.Failed, r.Skipped)
		if got != want {
			t.Errorf("with %s: %s, want %s: %+v", correlation, got, want, r.Failures)
		}
	}
	f("type: event_count", "3 passed, 1 failed, 0 skipped") // the rule has no case that stays quiet
	f("type: event_kount", "1 passed, 1 failed, 2 skipped")
	f("type: temporal_ordered", "1 passed, 1 failed, 2 skipped")
}

// However the folder is called, the cases are found beside the rules.
func TestShown(t *testing.T) {
	files := fstest.MapFS{
		"aws/trail.yml":       {Data: []byte(rule)},
		"aws/trail.cases.yml": {Data: []byte("cases:\n- {name: stops, fires: true, event: {eventName: StopLogging}}\n")},
	}
	for _, shown := range []string{"", ".", "./rules", "/opt/rules/", "a/../b"} {
		if got := ruletest.Test(files, shown, ruletest.Options{}); got.Passed != 1 || got.Failed+got.Skipped > 0 {
			t.Errorf("shown as %q: %+v", shown, got)
		}
	}
}

// Several rules in a file need cases that say which one they mean.
func TestSeveralRules(t *testing.T) {
	two := rule + "---\n" + strings.NewReplacer("1dd3c3a8", "2dd3c3a8", "StopLogging", "DeleteTrail").Replace(rule)
	f := func(cases string, passed, failed int) {
		t.Helper()
		files := fstest.MapFS{"t.yml": {Data: []byte(two)}, "t.cases.yml": {Data: []byte("cases:\n" + cases)}}
		if got := ruletest.Test(files, "", ruletest.Options{}); got.Passed != passed || got.Failed != failed {
			t.Errorf("%s: %+v", cases, got)
		}
	}
	f("- {name: x, rule: 2dd3c3a8-40d5-4f2e-9d3c-5f7b1e6a2c11, fires: true, event: {eventName: DeleteTrail}}\n", 1, 0)
	f("- {name: x, rule: 1dd3c3a8-40d5-4f2e-9d3c-5f7b1e6a2c11, fires: false, event: {eventName: DeleteTrail}}\n", 1, 0)
	f("- {name: x, fires: true, event: {eventName: DeleteTrail}}\n", 0, 1)
}

// Records keep the order of their keys, their numbers and their text.
func TestEventsAreWrittenAsTheyStand(t *testing.T) {
	text := strings.Replace(rule, "{eventName: StopLogging}", `{p|contains: '{"z":1,"a":"<b>&","n":1.5,"t":"2026-03-02T09:14:05Z","l":[null,true]}'}`, 1)
	files := fstest.MapFS{"t.yml": {Data: []byte(text)}, "t.cases.yml": {Data: []byte(
		"cases:\n- {name: x, fires: true, event: {p: {z: 1, a: '<b>&', n: 1.5, t: 2026-03-02T09:14:05Z, l: [null, true]}}}\n")}}
	if got := ruletest.Test(files, "", ruletest.Options{}); got.Passed != 1 {
		t.Errorf("%+v", got)
	}
}

func TestConformTellsWhatFails(t *testing.T) {
	line := func(id, kind, expect, flags string) string {
		return `{"id":"` + id + `","kind":"` + kind + `","rule":` + strconv.Quote(rule) + `,"event":{"eventName":"StopLogging"},"expect":` + expect + `,"flags":[` + flags + "]}\n"
	}
	got, err := ruletest.Conform(strings.NewReader(line("a", "rule", "true", "") + "\n" + line("b", "rule", "false", "") + line("c", "rule", `"error"`, "") +
		line("e", "rule", "false", `"ambiguous"`)))
	if err != nil || got.Passed != 1 || got.Failed != 2 || got.Skipped != 1 || got.Failures[0].ID != "b" || got.Failures[0].Got != "true" ||
		got.Failures[1].Expected != "error" || !strings.Contains(got.Failures[0].Why, "StopLogging") {
		t.Errorf("%+v, %v", got, err)
	}
}

// A filter's cases are held against the rule that they name, with the filter.
func TestFilterCases(t *testing.T) {
	const filter = "title: f\nlogsource: {product: aws}\nfilter:\n  rules: [1dd3c3a8-40d5-4f2e-9d3c-5f7b1e6a2c11]\n  deploy: {userAgent: deploy}\n  condition: not deploy\n"
	known, refused := sigma.Parse("elsewhere.yml", []byte(rule))
	if len(refused) > 0 {
		t.Fatal(refused)
	}
	f := func(cases string, require bool, passed, failed int, why string) {
		t.Helper()
		files := fstest.MapFS{"f.yml": {Data: []byte(filter)}}
		if cases != "" {
			files["f.cases.yml"] = &fstest.MapFile{Data: []byte("cases:\n" + cases)}
		}
		got := ruletest.Test(files, "own", ruletest.Options{Require: require, Known: known})
		if got.Passed != passed || got.Failed != failed {
			t.Errorf("%s: %+v", cases, got)
		}
		if failed > 0 && !strings.Contains(got.Failures[0].Why+got.Failures[0].Diff, why) {
			t.Errorf("first failure is %+v, want %q in it", got.Failures[0], why)
		}
	}
	const fires = "- {name: a, fires: true, event: {eventName: StopLogging, userAgent: x}}\n"
	const quiet = "- {name: b, rule: Trail stopped, fires: false, event: {eventName: StopLogging, userAgent: deploy}}\n"
	f(fires+quiet, true, 2, 0, "")
	f(fires, true, 1, 1, "filter has no case that stays quiet")
	f("", false, 0, 0, "")
	f("", true, 0, 2, "filter has no case that fires")
	f(strings.Replace(fires, "userAgent: x", "userAgent: deploy", 1), false, 0, 1, "> yes        userAgent  deploy")
	f("- {name: a, rule: other, fires: true, event: {}}\n", false, 0, 1, `the filter touches no rule "other"`)
	f("- {name: a, fires: true, events: []}\n", false, 0, 1, "the case of a filter has one event")
}

// Where pipelines rewrite rules, their cases are held against what is left.
func TestPipelines(t *testing.T) {
	pipelines, refused := pipeline.Parse("p.yml", []byte("name: p\ntransformations:\n- {type: field_name_mapping, mapping: {eventName: api.operation, who: user.name}}\n"))
	if len(refused) > 0 {
		t.Fatal(refused)
	}
	o := ruletest.Options{}
	o.Pipelines = pipeline.Pipelines{pipelines}
	files := fstest.MapFS{"r.yml": {Data: []byte(rule)}, "r.cases.yml": {Data: []byte(
		"cases:\n- {name: x, fires: true, event: {api: {operation: StopLogging}}}\n- {name: y, fires: false, event: {eventName: StopLogging}}\n")}}
	if got := ruletest.Test(files, "", o); got.Passed != 2 || got.Failed > 0 {
		t.Errorf("%+v", got)
	}
	cases := "- {name: x, fires: true, groups: [[a]], events: [{at: 0s, repeat: 3, every: 1s, event: {api: {operation: GetSecretValue}, user: {name: a}, secret: '{n}'}}]}\n"
	if got := correlated(sweep, cases, o); got.Passed != 1 || got.Failed > 0 {
		t.Errorf("%+v", got)
	}
}
