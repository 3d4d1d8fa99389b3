package sqlgen_test

import (
	"fmt"

	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/match"
	"github.com/yagura-sec/yagura/sigma/sqlgen"
)

// A table keeps the operation of each call in a column. The condition narrows
// what has to be read; the rule itself decides on what comes back.
func ExampleSuperset() {
	docs, _ := sigma.Parse("trail.yml", []byte(`
title: Trail stopped
id: 11111111-2222-4333-8444-555555555555
logsource: {product: aws, service: cloudtrail}
detection:
  stop:
    eventName: [StopLogging, DeleteTrail]
    requestParameters.name|startswith: org-
  condition: stop
`))
	set, _ := match.Compile(docs.Rules, match.Options{})
	log := sqlgen.Log{
		Source: match.Source{Product: "aws", Service: "cloudtrail"},
		Column: "format", Value: "aws.cloudtrail",
		Fields: map[string]sqlgen.Field{"eventName": {Columns: []string{"operation"}}},
	}
	q := sqlgen.Superset(set, []int{0}, []sqlgen.Log{log}, sqlgen.DuckDB{})
	fmt.Println(q.Where)
	fmt.Println(q.Args...)
	// Output:
	// (("format" = ?) AND (strlen("operation") <> length("operation") OR (lower("operation") IN (?, ?))))
	// aws.cloudtrail deletetrail stoplogging
}
