package ruletest_test

import (
	"encoding/xml"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/yagura-sec/yagura/sigma/ruletest"
)

const junit = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="yagura rules test" tests="5" failures="1" errors="2" time="0.750">
  <testsuite name="aws/bad.yml" tests="1" failures="0" errors="1" skipped="0" time="0.000">
    <testcase name="a rule that compiles:1:1" classname="aws/bad.yml" time="0.000">
      <error message="logsource is missing" type="error">logsource is missing</error>
    </testcase>
  </testsuite>
  <testsuite name="aws/trail.yml" tests="3" failures="1" errors="1" skipped="0" time="0.750">
    <testcase name="stops &lt;it&gt;" classname="aws/trail.yml" time="0.250"></testcase>
    <testcase name="starts" classname="aws/trail.yml" time="0.250">
      <failure message="expected true, got false" type="case">  no   stop&#xA;&gt; no     eventName  StartLogging  wanted StopLogging&#xA;</failure>
    </testcase>
    <testcase name="no event" classname="aws/trail.yml" time="0.250">
      <error message="event is missing" type="error">event is missing</error>
    </testcase>
  </testsuite>
  <testsuite name="aws/untested.yml" tests="1" failures="0" errors="0" skipped="1" time="0.000">
    <testcase name="cases" classname="aws/untested.yml" time="0.000">
      <skipped message="rule has no cases"></skipped>
    </testcase>
  </testsuite>
</testsuites>
`

func TestJUnit(t *testing.T) {
	at := time.Unix(0, 0)
	clock := func() time.Time { at = at.Add(250 * time.Millisecond); return at }
	files := fstest.MapFS{
		"bad.yml":      {Data: []byte("title: t\ndetection: {s: {a: 1}, condition: s}\n")},
		"untested.yml": {Data: []byte(strings.Replace(rule, "1dd3c3a8", "2dd3c3a8", 1))},
		"trail.yml":    {Data: []byte(rule)},
		"trail.cases.yml": {Data: []byte("cases:\n" +
			"- {name: stops <it>, fires: true, event: {eventName: StopLogging}}\n" +
			"- {name: starts, fires: true, event: {eventName: StartLogging}}\n" +
			"- {name: no event, fires: true}\n")},
	}
	got := ruletest.Test(files, "aws", ruletest.Options{Clock: clock})
	var b strings.Builder
	if err := got.WriteJUnit(&b); err != nil {
		t.Fatal(err)
	}
	var back struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Errors   int `xml:"errors,attr"`
		Suites   []struct {
			Cases []struct{} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal([]byte(b.String()), &back); err != nil {
		t.Fatal(err)
	}
	if back.Tests != got.Passed+got.Failed+got.Skipped || back.Failures+back.Errors != got.Failed || len(back.Suites) != 3 {
		t.Errorf("read back: %+v of %+v", back, got)
	}
	if b.String() != junit {
		t.Errorf("JUnit is\n%s", b.String())
	}
}
