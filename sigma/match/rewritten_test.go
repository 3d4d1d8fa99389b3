package match

import (
	"math/rand/v2"
	"testing"

	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/ir"
	"github.com/yagura-sec/yagura/sigma/pipeline"
)

// What pipelines and aliases make of rules is matched as the reference matches it.
func TestAgreesOnRewrittenRules(t *testing.T) {
	p, refused := pipeline.Parse("p.yml", []byte(`
transformations:
- {type: field_name_mapping, mapping: {a.b: [c, b.c], null: b}, rule_conditions: [{type: contains_field, field: a}]}
- {type: drop_detection_item, field_name_conditions: [{type: include_fields, fields: [x y]}]}
- {type: add_condition, negated: true, conditions: {z: [1, 2, foo]}, rule_conditions: [{type: contains_field, field: b}]}
- {type: regex, field_name_conditions: [{type: include_fields, fields: [a.c.b]}]}
- {type: replace_string, regex: o+, replacement: '*'}
`))
	if len(refused) > 0 {
		t.Fatal(refused)
	}
	o := Options{
		Pipelines: pipeline.Pipelines{p},
		Aliases: ir.Aliases{{Product: "p",
			Fields:   map[string][]string{"a": {"z", "b.c"}, "c": {"a.b"}},
			Prefixes: map[string][]string{"a.": {"b."}},
			Known:    []string{"É", "x y"},
		}},
	}
	r := rand.New(rand.NewPCG(47, 53))
	compiled, hits := 0, 0
	for range 40 {
		var docs sigma.Documents
		for i := range 30 {
			some, _ := sigma.Parse("random.yml", []byte(randomRule(r, i)))
			docs.Add(some)
		}
		s, _ := Compile(docs.Rules, o)
		sc := s.NewScratch()
		compiled += s.Len()
		for range 40 {
			record := []byte(randomObject(r, 0))
			agree(t, s, sc, record, random)
			hits += len(sc.hits)
		}
	}
	if compiled < 500 || hits < 1000 {
		t.Errorf("%d rules compiled, %d hits", compiled, hits)
	}
}
