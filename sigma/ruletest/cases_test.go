package ruletest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

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
	f("cases:\n- {name: x, fire: true, event: {}}\n", false, 0, 1, "fire")
	f("cases:\n- {name: x, rule: other, fires: true, event: {}}\n", false, 0, 1, `no rule "other"`)
}

func TestOwnRules(t *testing.T) {
	got := ruletest.Test(os.DirFS(filepath.Join("..", "..", "rules")), "rules", ruletest.Options{Require: true})
	for _, x := range got.Failures {
		t.Errorf("%s: got %s, want %s: %s", x.ID, x.Got, x.Expected, x.Why)
	}
	t.Logf("%d passed, %d failed", got.Passed, got.Failed)
	if got.Passed < 50 {
		t.Errorf("only %d cases ran", got.Passed)
	}
}
