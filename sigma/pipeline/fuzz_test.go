package pipeline_test

import (
	"reflect"
	"testing"

	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/match"
	"github.com/yagura-sec/yagura/sigma/pipeline"
)

// fuzzed are rules that between them use what transformations look at.
const fuzzed = `title: one
id: 1
fields: [f, g]
tags: [attack.t1098]
level: high
logsource: {product: p, service: v}
detection:
  s: {f|contains: [a, 'b*\?'], g|expand|all: ['%x%-%y%', c], h|re|expand: '^%x%\.$', i|neq: [null, 4, true]}
  k: [evil, {f|windash: -a, j|fieldref: f, Hashes: MD5=0123}]
  n: {l|cidr: 10.0.0.0/8, m|gt: 5, o|exists: false, f|cased: A}
  condition: s and 1 of k* or not n
---
title: two
id: 2
logsource: {category: c}
detection: {s: {f: a}, condition: [s, all of them]}
---
title: filter
id: 3
logsource: {product: p}
filter: {rules: any, s: {f|startswith: adm}, condition: not s}
`

// FuzzPipelines: whatever is read as a pipeline changes no rule it is given,
// tells a place for every refusal, and what it leaves of a rule compiles or is
// refused at a place of the rule's file.
func FuzzPipelines(f *testing.F) {
	for _, text := range []string{
		"name: n\npriority: 1\nvars: {x: [a, 'b*'], y: 3}\ntransformations:\n- {type: value_placeholders}\n- {type: field_name_mapping, mapping: {f: [g, h], null: m}}\n",
		"vars: {x: a}\ntransformations:\n- {type: value_placeholders, include: [x]}\n- {type: wildcard_placeholders, exclude: [x]}\n- {type: regex}\n- {type: case, method: snake_case}\n",
		"transformations:\n- {type: add_condition, negated: true, template: true, conditions: {i|contains: [$product, b]}}\n- {type: drop_detection_item, field_name_conditions: {a: {type: include_fields, mode: re, fields: ['[f-h]']}}, field_name_cond_expr: not a}\n",
		"transformations:\n- {type: nest, items: [{type: set_state, key: k, val: 1}, {type: set_value, value: 3, detection_item_conditions: [{type: match_string, cond: all, pattern: a, negate: true}]}], rule_cond_not: true, rule_conditions: [{type: processing_state, key: k, val: 2, op: gt}]}\n",
		"transformations:\n- {type: hashes_fields, valid_hash_algos: [MD5], field_name_conditions: [{type: include_fields, fields: [Hashes]}]}\n- {type: convert_type, target_type: str}\n- {type: replace_string, regex: '(a)(.*)', replacement: '\\2\\1', skip_special: true}\n- {type: map_string, mapping: {a: [b, c]}}\n- {type: field_name_prefix_mapping, mapping: {f: [x, y]}}\n- {type: strict_field_mapping_failure}\n",
	} {
		f.Add(text)
	}
	docs, _ := sigma.Parse("r.yml", []byte(fuzzed))
	again, _ := sigma.Parse("r.yml", []byte(fuzzed))
	f.Fuzz(func(t *testing.T, text string) {
		p, refused := pipeline.Parse("p.yml", []byte(text))
		if (p == nil) != (len(refused) > 0) {
			t.Fatalf("pipeline %v and refusals %v", p, refused)
		}
		for _, e := range refused {
			if e.Line < 1 || e.Col < 1 || e.Reason == "" {
				t.Fatalf("%+v has no place or no reason", e)
			}
		}
		if p == nil {
			return
		}
		set, more := match.Compile(docs.Rules, match.Options{Pipelines: pipeline.Pipelines{p}, Filters: docs.Filters})
		for _, e := range more {
			if e.File != "r.yml" || e.Line < 1 || e.Line > 30 || e.Reason == "" {
				t.Fatalf("%+v is no place in the rules", e)
			}
		}
		if !reflect.DeepEqual(docs, again) {
			t.Fatalf("%s changes what it was given", text)
		}
		sc := set.NewScratch()
		for i := range set.Len() {
			if _, err := set.ExplainJSON(sc, []byte(`{"f":"a -x","g":{"b":[1,null]}}`), match.Source{}, i); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// FuzzAliases: whatever is read as a table gives every field its own name first,
// and no more names than are looked for.
func FuzzAliases(f *testing.F) {
	f.Add("aliases:\n- {logsource: {product: p}, fields: {f: [g, h.i]}, prefixes: {'': x., a.: [b.]}, known: [F, g]}\n", "f", "p")
	f.Add("aliases: [{known: [É]}]", "é", "")
	f.Fuzz(func(t *testing.T, text, field, product string) {
		as, refused := pipeline.ParseAliases("a.yml", []byte(text))
		if len(refused) > 0 && as != nil {
			t.Fatalf("%v and refusals %v", as, refused)
		}
		names := as.Names(sigma.LogSource{Product: product}, field)
		if len(names) == 0 || len(names) > 32 || names[0] != field || field == "" && len(names) > 1 {
			t.Fatalf("%q has the names %q", field, names)
		}
	})
}
