package sigma_test

import (
	"fmt"

	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/match"
)

// What is wrong is told with its place, and never takes along what is right.
func ExampleParse() {
	docs, refused := sigma.Parse("rules.yml", []byte(`
title: Trail stopped
id: 1dd3c3a8-40d5-4f2e-9d3c-5f7b1e6a2c11
level: high
logsource: {product: aws, service: cloudtrail}
detection:
  s: {eventName: [StopLogging, DeleteTrail]}
  condition: s
---
title: Nothing to look for
logsource: {product: aws}
detection: {condition: s}
`))
	for _, r := range docs.Rules {
		fmt.Println(r.Level, r.Title, "for", r.LogSource)
		it := r.Detection.Searches[0].Groups[0][0]
		fmt.Printf("line %d, column %d: %s is one of %d values\n", it.Pos.Line, it.Pos.Col, it.Key, len(it.Values))
	}
	for _, e := range refused {
		fmt.Println(e)
	}
	// Output:
	// high Trail stopped for aws/cloudtrail
	// line 7, column 7: eventName is one of 2 values
	// rules.yml:12:1: detection holds no search
}

// The README's first screen.
func Example_quickStart() {
	docs, refused := sigma.Parse("trail.yml", []byte(`
title: Trail stopped
logsource: {product: aws, service: cloudtrail}
detection:
  stop: {eventName: [StopLogging, DeleteTrail]}
  robot: {userAgent|startswith: terraform}
  condition: stop and not robot
`))
	set, more := match.Compile(docs.Rules, match.Options{})
	for _, e := range append(refused, more...) {
		fmt.Println("refused:", e) // file:line:col: reason; the other rules work
	}
	scratch := set.NewScratch() // one a goroutine
	record := []byte(`{"eventName": "stoplogging", "userAgent": "aws-cli/2.31"}`)
	hits, err := set.MatchJSON(scratch, record, match.Source{Product: "aws", Service: "cloudtrail"})
	if err != nil {
		fmt.Println(err) // the record is no JSON object
	}
	for _, i := range hits {
		fmt.Println("matches:", set.Rule(i).Title)
		for _, f := range scratch.Explain(i).Facts() {
			fmt.Printf("  %s asks for %s, the record holds %s: wanted %v\n", f.Key, f.Pattern, f.Actual, !f.Negated)
		}
	}
	// Output:
	// matches: Trail stopped
	//   eventName asks for StopLogging, the record holds [stoplogging]: wanted true
	//   userAgent|startswith asks for terraform, the record holds [aws-cli/2.31]: wanted false
}
