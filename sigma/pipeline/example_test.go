package pipeline_test

import (
	"fmt"

	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/match"
	"github.com/yagura-sec/yagura/sigma/pipeline"
)

// A rule speaks of fields as one vendor names them; the records name them
// otherwise, and are of one environment.
func Example() {
	p, refused := pipeline.Parse("ours.yml", []byte(`
name: our records
priority: 10
vars:
  Administrators: [root, adm-*]
transformations:
- type: field_name_mapping
  mapping:
    userName: [actor.name, actor.alias]
  rule_conditions:
  - {type: logsource, product: aws}
- type: value_placeholders
- type: add_condition
  conditions: {environment: production}
`))
	docs, more := sigma.Parse("rule.yml", []byte(`
title: Administrator at work
id: 0f6c1d8e-1f0b-4f3b-9a55-3d0f6f0f7a01
logsource: {product: aws, service: cloudtrail}
detection:
  s: {userName|expand: '%Administrators%'}
  condition: s
`))
	for _, e := range append(refused, more...) {
		fmt.Println("refused:", e)
	}
	set, more := match.Compile(docs.Rules, match.Options{Pipelines: pipeline.Pipelines{p}})
	for _, e := range more {
		fmt.Println("refused:", e)
	}
	sc := set.NewScratch()
	for _, record := range []string{
		`{"actor": {"alias": "adm-kim"}, "environment": "production"}`,
		`{"actor": {"alias": "adm-kim"}, "environment": "test"}`,
		`{"userName": "root", "environment": "production"}`,
	} {
		hits, err := set.MatchJSON(sc, []byte(record), match.Source{Product: "aws", Service: "cloudtrail"})
		fmt.Println(len(hits), err)
	}
	// Output:
	// 1 <nil>
	// 0 <nil>
	// 0 <nil>
}

// Published rules for Google Cloud name fields as one shipper writes them.
// Aliases find them in the records as Google writes them, too.
func ExampleDefaultAliases() {
	docs, _ := sigma.Parse("rule.yml", []byte(`
title: Bucket made public
id: 3b0a6a54-6a55-4f0e-8c63-0c1f6f0f7a02
logsource: {product: gcp, service: gcp.audit}
detection:
  s: {gcp.audit.method_name: storage.setIamPermissions}
  condition: s
`))
	set, _ := match.Compile(docs.Rules, match.Options{Aliases: pipeline.DefaultAliases()})
	sc := set.NewScratch()
	record := `{"protoPayload": {"methodName": "storage.setIamPermissions"}}`
	hits, err := set.MatchJSON(sc, []byte(record), match.Source{Product: "gcp", Service: "gcp.audit"})
	fmt.Println(len(hits), err)
	// Output: 1 <nil>
}
