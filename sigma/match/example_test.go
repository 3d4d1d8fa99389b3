package match_test

import (
	"fmt"

	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/match"
)

func Example() {
	docs, refused := sigma.Parse("trail.yml", []byte(`
title: Trail stopped
id: 1dd3c3a8-40d5-4f2e-9d3c-5f7b1e6a2c11
logsource: {product: aws, service: cloudtrail}
detection:
  stop: {eventName: [StopLogging, DeleteTrail]}
  robot: {userAgent|startswith: terraform}
  condition: stop and not robot
---
title: Misspelt
logsource: {product: aws}
detection: {s: {eventName|contain: x}, condition: s}
`))
	set, more := match.Compile(docs.Rules, match.Options{})
	for _, e := range append(refused, more...) {
		fmt.Println("refused:", e)
	}
	sc := set.NewScratch() // one a goroutine
	record := []byte(`{"eventName": "stoplogging", "userAgent": "aws-cli/2.31"}`)
	hits, err := set.MatchJSON(sc, record, match.Source{Product: "aws", Service: "cloudtrail"})
	if err != nil {
		panic(err)
	}
	for _, i := range hits {
		fmt.Println("matches:", set.Rule(i).Title)
		for _, f := range sc.Explain(i).Facts() {
			fmt.Printf("  %s: %s asks for %s, record holds %s, wanted %v\n", f.Search, f.Key, f.Pattern, f.Actual, !f.Negated)
		}
	}
	// Output:
	// refused: trail.yml:12:17: eventName|contain: modifier "contain" is unknown
	// matches: Trail stopped
	//   stop: eventName asks for StopLogging, record holds [stoplogging], wanted true
	//   robot: userAgent|startswith asks for terraform, record holds [aws-cli/2.31], wanted false
}
