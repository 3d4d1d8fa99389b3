package ruletest_test

import (
	"fmt"
	"strings"
	"testing/fstest"

	"github.com/yagura-sec/yagura/sigma/ruletest"
)

// The cases of a rule stand beside it: NAME.cases.yml beside NAME.yml.
func ExampleTest() {
	rules := fstest.MapFS{
		"trail.yml": {Data: []byte(`
title: Trail stopped
logsource: {product: aws, service: cloudtrail}
detection: {s: {eventName: StopLogging}, condition: s}
`)},
		"trail.cases.yml": {Data: []byte(`
cases:
- {name: somebody stops it, fires: true, event: {eventName: StopLogging}}
- {name: somebody deletes it, fires: true, event: {eventName: DeleteTrail}}
- {name: somebody starts it, fires: false, event: {eventName: StartLogging}}
`)},
	}
	got := ruletest.Test(rules, "rules", ruletest.Options{})
	fmt.Println(got.Passed, "passed,", got.Failed, "failed")
	for _, f := range got.Failures {
		fmt.Printf("%s: expected %s, got %s\n", f.ID, f.Expected, f.Got)
	}
	// Output:
	// 2 passed, 1 failed
	// rules/trail.yml: somebody deletes it: expected true, got false
}

// A corpus holds labelled cases, one JSON object a line.
func ExampleConform() {
	corpus := `{"id": "c1", "kind": "rule", "rule": "title: t\nlogsource: {product: p}\ndetection: {s: {f|exists: true}, condition: s}", "event": {"f": null}, "expect": true}`
	got, err := ruletest.Conform(strings.NewReader(corpus))
	fmt.Println(got.Passed, got.Failed, err)
	// Output: 1 0 <nil>
}
