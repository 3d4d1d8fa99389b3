package pipeline_test

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/match"
	"github.com/yagura-sec/yagura/sigma/pipeline"
)

// ruleOf is a rule with a detection and further keys.
func ruleOf(t testing.TB, detection, more string) *sigma.Rule {
	t.Helper()
	if !strings.Contains(detection, "condition:") {
		detection = "s: " + detection + "\ncondition: s"
	}
	text := "title: t\nid: 1\n" + more + "\ndetection:\n  " + strings.ReplaceAll(detection, "\n", "\n  ")
	if !strings.Contains(more, "logsource") {
		text = "logsource: {product: p, service: v}\n" + text
	}
	docs, refused := sigma.Parse("r.yml", []byte(text))
	if len(refused) > 0 {
		t.Fatalf("%s: %v", text, refused)
	}
	return docs.Rules[0]
}

// parse is a pipeline of the given transformations, or of a whole file.
func parse(t testing.TB, text string) pipeline.Pipelines {
	t.Helper()
	if !strings.Contains(text, "transformations:") {
		text = "transformations:\n" + text
	}
	p, refused := pipeline.Parse("p.yml", []byte(text))
	if len(refused) > 0 {
		t.Fatalf("%s\n%v", text, refused)
	}
	return pipeline.Pipelines{p}
}

// show writes what a rule looks for, so that a test can read it.
func show(r *sigma.Rule) string {
	var all []string
	for _, s := range r.Detection.Searches {
		all = append(all, showSearch(s))
	}
	for _, q := range r.Detection.Required {
		text := "+" + showSearch(q.Search)
		if q.Not {
			text = "+not " + showSearch(q.Search)
		}
		all = append(all, text)
	}
	return strings.Join(all, "; ")
}

func showSearch(s sigma.Search) string {
	var groups []string
	for _, g := range s.Groups {
		var items []string
		for _, it := range g {
			items = append(items, showItem(it))
		}
		groups = append(groups, strings.Join(items, " & "))
	}
	return s.Name + "{" + strings.Join(groups, " | ") + "}"
}

func showItem(it sigma.Item) string {
	if len(it.Parts) > 0 {
		var parts []string
		for _, p := range it.Parts {
			parts = append(parts, showItem(p))
		}
		op := " or "
		if it.Every {
			op = " and "
		}
		return "(" + strings.Join(parts, op) + ")"
	}
	var values []string
	for _, v := range it.Values {
		text := v.Text
		switch v.Kind {
		case sigma.Null:
			text = "null"
		case sigma.Number:
			text = "#" + text
		}
		values = append(values, text)
	}
	return strings.Join(append([]string{it.Field}, it.Modifiers...), "|") + "=" + strings.Join(values, ",")
}

// TestTransformations says what each makes of a rule. What it does not apply to
// stays as it is, and so does the rule that was handed in.
func TestTransformations(t *testing.T) {
	f := func(steps, detection, want string) {
		t.Helper()
		r := ruleOf(t, detection, "fields: [f, z]")
		before := ruleOf(t, detection, "fields: [f, z]")
		out, errs := parse(t, steps).Apply(r)
		if len(errs) > 0 {
			t.Errorf("%s\non %s: %v", steps, detection, errs)
			return
		}
		if got := show(out); got != want {
			t.Errorf("%s\non %s: %s\nwant %s", steps, detection, got, want)
		}
		if !reflect.DeepEqual(r, before) {
			t.Errorf("%s changed the rule it was given", steps)
		}
	}

	// Names of fields.
	f(`- {type: field_name_mapping, mapping: {f: g}}`, `{f: a, h: b}`, `s{g=a & h=b}`)
	f(`- {type: field_name_mapping, mapping: {f: [g, h]}}`, `{f|contains: [a, b], x: y}`, `s{(g|contains=a,b or h|contains=a,b) & x=y}`)
	f(`- {type: field_name_mapping, mapping: {f: [g, h]}}`, `{f|neq: a}`, `s{(g|neq=a and h|neq=a)}`)
	f(`- {type: field_name_mapping, mapping: {f: [g, h]}}`, `{f: null}`, `s{(g=null and h=null)}`)
	f(`- {type: field_name_mapping, mapping: {f: [g, h]}}`, `{f|neq: null}`, `s{(g|neq=null or h|neq=null)}`)
	f(`- {type: field_name_mapping, mapping: {f: [g, h]}}`, `{f: [null, a]}`, `s{((g=null and h=null) or (g=a or h=a))}`)
	f(`- {type: field_name_mapping, mapping: {f: [g, h]}}`, `{f|exists: false}`, `s{(g|exists=false and h|exists=false)}`)
	f(`- {type: field_name_mapping, mapping: {f: [g, h]}}`, `{f|exists: true}`, `s{(g|exists=true or h|exists=true)}`)
	f(`- {type: field_name_mapping, mapping: {g: [h, i]}}`, `{f|fieldref: g}`, `s{f|fieldref=h,i}`)
	f(`- {type: field_name_mapping, mapping: {null: m}}`, `[a, 7]`, `s{m|contains=a | m|contains=#7}`)
	f(`- {type: field_name_mapping, mapping: {null: m}}`, `{f: a}`, `s{f=a}`)
	f(`- {type: field_name_prefix_mapping, mapping: {a.: [b., c.d.], a: x}}`, `{a.f: 1, ab: 2, f: 3}`, `s{(b.f=#1 or c.d.f=#1) & xb=#2 & f=#3}`)
	f(`- {type: field_name_prefix, prefix: data.}`, `{f: a, g|fieldref: f, h: [b]}`, `s{data.f=a & data.g|fieldref=data.f & data.h=b}`)
	f(`- {type: field_name_prefix, prefix: data.}`, `[a]`, `s{=a}`)
	f(`- {type: field_name_suffix, suffix: .k}`, `{f: a}`, `s{f.k=a}`)
	f("- {type: field_name_mapping, mapping: {f: [g, h]}}\n- {type: field_name_prefix, prefix: x.}", `{f: a}`, `s{(x.g=a or x.h=a)}`)
	f("- {type: field_name_mapping, mapping: {f: [g, h]}}\n- {type: field_name_mapping, mapping: {h: [i, j]}}", `{f: a}`, `s{(g=a or (i=a or j=a))}`)

	// What is asked for besides.
	f(`- {type: add_condition, name: c, conditions: {index: [a, b], n|gt: 3}}`, `{f: a}`, `s{f=a}; +c{index=a,b & n|gt=#3}`)
	f(`- {type: add_condition, name: c, negated: true, conditions: {index: a}}`, `{f: a}`, `s{f=a}; +not c{index=a}`)
	f(`- {type: add_condition, name: c, template: true, conditions: {index: ['$product-${service}-$$x', $productx]}}`, `{f: a}`, `s{f=a}; +c{index=p-v-$x,$productx}`)
	f(`- {type: add_condition, name: c, conditions: {index: $product}}`, `{f: a}`, `s{f=a}; +c{index=$product}`)
	f("- {type: add_condition, name: c, conditions: {i: a}}\n- {type: field_name_mapping, mapping: {i: j}}", `{f: a}`, `s{f=a}; +c{j=a}`)
	f(`- {type: drop_detection_item, field_name_conditions: [{type: include_fields, fields: [f]}]}`, `{f: a, g: b}`, `s{g=b}`)
	f(`- {type: drop_detection_item, field_name_conditions: [{type: include_fields, fields: [f]}]}`, `{g: b}`, `s{g=b}`)
	f(`- {type: drop_detection_item, field_name_conditions: [{type: include_fields, fields: [f]}]}`, "s: {g: b}\nd: [{f: a}, {f: a, h: c}]\ne: {f: x}\ncondition: s and d and e", `s{g=b}; d{h=c}; e{}`)

	// Placeholders.
	vars := "vars: {one: x, two: ['a*', b], num: 7}\ntransformations:\n"
	f(vars+`- {type: value_placeholders}`, `{f|expand: ['%one%', '-%two%-', plain]}`, `s{f=x,-a*-,-b-,plain}`)
	f(vars+`- {type: value_placeholders}`, `{f|contains|expand: '\%one%%num%'}`, `s{f|contains=%one%7}`)
	f(vars+`- {type: value_placeholders}`, `{f|expand|all: ['%two%', c]}`, `s{(f|expand=x)}`[:2]+`(f=a*,b and f=c)}`)
	f(vars+`- {type: value_placeholders}`, `{f|expand|all|neq: ['%two%', c]}`, `s{(f|neq=a*,b or f|neq=c)}`)
	f(vars+`- {type: value_placeholders, include: [one]}`, `{f|expand: '%one%%other%\%'}`, `s{f|expand=x%other%\%}`)
	f(vars+`- {type: value_placeholders, exclude: [other]}`, `{f|expand: '%other%'}`, `s{f|expand=%other%}`)
	f(vars+`- {type: value_placeholders}`, `{f: '%one%'}`, `s{f=%one%}`)
	f(vars+`- {type: value_placeholders}`, `{f|re|expand: '^%two%\.$'}`, `s{f|re=^(?:a.*|b)\.$}`)
	f(vars+`- {type: value_placeholders, include: [one]}`, `{f|re|expand: '%one%%two%'}`, `s{f|re|expand=(?:x)%two%}`)
	f(vars+`- {type: value_placeholders}`, `{f|cidr|expand: '10.%num%.0.0/16'}`, `s{f|cidr=10.7.0.0/16}`)
	f(`- {type: wildcard_placeholders}`, `{f|expand: 'a%b%c'}`, `s{f=a*c}`)
	f(`- {type: wildcard_placeholders, exclude: [b]}`, `{f|expand: ['%b%', '%c%']}`, `s{f|expand=%b%,*}`)

	// Values.
	f(`- {type: replace_string, regex: '^(\w+)-(?P<n>\w+)$', replacement: '\g<n>+\1\2$'}`, `{f: [ab-cd, ab, 5]}`, `s{f=cd+abcd$,ab,5}`)
	f(`- {type: replace_string, regex: '\*$', replacement: ''}`, `{f|contains: a}`, `s{f=*a}`)
	f(`- {type: replace_string, regex: a, replacement: '*'}`, `{f: 'xa\*'}`, `s{f=x*\*}`)
	f(`- {type: replace_string, regex: '[a*]', replacement: '*', skip_special: true}`, `{f: 'xa*'}`, `s{f=x\**}`)
	f(`- {type: replace_string, regex: a, replacement: '*', skip_special: true, interpret_special: true}`, `{f: 'xab?'}`, `s{f=x*b?}`)
	f(`- {type: replace_string, regex: a, replacement: b}`, `{f|re: a, g|windash: -a, h: null, i: true, j|cased: a}`, `s{f|re=a & g|windash=-a & h=null & i=true & j|cased=b}`)
	f(`- {type: map_string, mapping: {a: b, c: [d, e]}}`, `{f: [a, c, x]}`, `s{f=b,d,e,x}`)
	f(`- {type: map_string, mapping: {'*a': b}}`, `{f|endswith: a, g: a}`, `s{f=b & g=a}`)
	f(`- {type: map_string, mapping: {c: [d, e]}}`, `{f|all: [c, x]}`, `s{(f=d,e and f=x)}`)
	f(`- {type: set_value, value: new, field_name_conditions: [{type: include_fields, fields: [f]}]}`, `{f|re|neq: [a, b], g: c}`, `s{f|neq=new & g=c}`)
	f(`- {type: set_value, value: 7}`, `{f: a}`, `s{f=#7}`)
	f(`- {type: set_value, value: 7, force_type: str}`, `{f: a}`, `s{f=7}`)
	f(`- {type: set_value, value: '0x10', force_type: num}`, `{f: a}`, `s{f=#16}`)
	f(`- {type: set_value, value: null}`, `{f: a}`, `s{f=null}`)
	f(`- {type: convert_type, target_type: str}`, `{f: [4, true, x, null]}`, `s{f=4,true,x,null}`)
	f(`- {type: convert_type, target_type: num}`, `{f: ['4', 5, null], g|windash: -a}`, `s{f=#4,#5,null & g|windash=-a}`)
	f(`- {type: case, method: upper}`, `{f|contains: 'aB*ü', g: 5, h|re: a}`, `s{f=*AB*Ü* & g=#5 & h|re=a}`)
	f(`- {type: case}`, `{f|expand: 'AB%Cd%'}`, `s{f|expand=ab%Cd%}`)
	f(`- {type: case, method: snake_case}`, `{f: [CreateAccessKey, HTTPPort, a_B]}`, `s{f=create_access_key,http_port,a_b}`)
	f(`- {type: regex}`, `{f: ['a.*?', 5]}`, `s{(f|re|i=\A(?s:a\..*.)\z or f=#5)}`)
	f(`- {type: regex, method: plain}`, `{f|contains|neq: a, g|re: b, h: ''}`, `s{(f|re|neq=\A(?s:.*a.*)\z) & g|re=b & h=}`)
	f(`- {type: regex, method: ignore_case_flag}`, `{f|cased: a}`, `s{(f|re=\A(?s:a)\z)}`)
	f(`- {type: hashes_fields, valid_hash_algos: [MD5, SHA1], field_prefix: File, field_name_conditions: [{type: include_fields, fields: [Hashes]}]}`,
		`{Hashes|contains: ['md5=0123', 'SHA1=45'], g: MD5=6}`, `s{(FileMD5=0123 or FileSHA1=45) & g=MD5=6}`)
	f(`- {type: hashes_fields, valid_hash_algos: [MD5], field_prefix: hash, drop_algo_prefix: true}`,
		`{Hashes|neq: ['MD5|0123', 0123456789abcdef0123456789abcdef]}`, `s{(hash|neq=0123,0123456789abcdef0123456789abcdef)}`)

	// Steps within steps, and what steps leave for those behind them.
	f(`- {type: nest, items: [{type: field_name_mapping, mapping: {f: g}}, {type: field_name_suffix, suffix: .k}], rule_conditions: [{type: tag, tag: a.b}]}`, `{f: a}`, `s{f=a}`)
	f(`- {type: nest, items: [{type: field_name_mapping, mapping: {f: g}}, {type: field_name_suffix, suffix: .k}]}`, `{f: a}`, `s{g.k=a}`)
	f("- {type: set_state, key: k, val: 1}\n- {type: nest, items: [{type: case, method: upper, detection_item_conditions: [{type: processing_state, key: k, val: 1}]}]}", `{f: a}`, `s{f=A}`)
	f(`- {type: strict_field_mapping_failure, rule_conditions: [{type: tag, tag: a.b}]}`, `{f: a}`, `s{f=a}`)
	f("- {type: field_name_mapping, mapping: {f: [g, h], k: k}}\n- {type: strict_field_mapping_failure}", `{f: a, k: b}`, `s{(g=a or h=a) & k=b}`)
	f(`- {type: rule_failure, message: no, rule_conditions: [{type: is_sigma_correlation_rule}]}`, `{f: a}`, `s{f=a}`)
	f(`- {type: detection_item_failure, message: no, field_name_conditions: [{type: include_fields, fields: [g]}]}`, `{f: a}`, `s{f=a}`)
}

// TestRuleTransformations are those that change what is beside the detection.
func TestRuleTransformations(t *testing.T) {
	f := func(steps string, look func(*sigma.Rule) any, want any) {
		t.Helper()
		r := ruleOf(t, `{f: a}`, "fields: [f, g, f]\nown: {a: 1}")
		out, errs := parse(t, steps).Apply(r)
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		if got := look(out); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %#v, want %#v", steps, got, want)
		}
		if again := ruleOf(t, `{f: a}`, "fields: [f, g, f]\nown: {a: 1}"); !reflect.DeepEqual(r, again) {
			t.Errorf("%s changed the rule it was given", steps)
		}
	}
	fields := func(r *sigma.Rule) any { return r.Fields }
	f(`- {type: add_field, field: n}`, fields, []string{"f", "g", "f", "n"})
	f(`- {type: add_field, field: [n, m]}`, fields, []string{"f", "g", "f", "n", "m"})
	f(`- {type: remove_field, field: [f, absent]}`, fields, []string{"g", "f"})
	f(`- {type: set_field, fields: [n]}`, fields, []string{"n"})
	f(`- {type: field_name_mapping, mapping: {f: [x, y]}}`, fields, []string{"x", "y", "g", "x", "y"})
	f(`- {type: field_name_prefix, prefix: x., field_name_conditions: [{type: exclude_fields, fields: [f]}]}`, fields, []string{"f", "x.g", "f"})
	source := func(r *sigma.Rule) any { return r.LogSource }
	f(`- {type: change_logsource, product: q}`, source, sigma.LogSource{Product: "q"})
	f(`- {type: change_logsource, product: q, rule_conditions: [{type: logsource, product: other}]}`, source, sigma.LogSource{Product: "p", Service: "v"})
	f(`- {type: set_custom_attribute, attribute: mine, value: [1, x]}`, func(r *sigma.Rule) any { return r.Extra["mine"] }, []any{1, "x"})
	f(`- {type: set_custom_attribute, attribute: own, value: 2}`, func(r *sigma.Rule) any { return r.Extra["own"] }, 2)
}

// TestConditions holds each condition against a rule that satisfies it and one
// that does not: where it holds, the field f becomes x.f.
func TestConditions(t *testing.T) {
	f := func(conditions, detection, more string, want bool) {
		t.Helper()
		steps := "- {type: set_state, id: first, key: k, val: 5}\n" +
			"- {type: field_name_mapping, id: mapper, mapping: {mapped: f}}\n" +
			"- type: field_name_prefix\n  prefix: x.\n  " + strings.ReplaceAll(conditions, "\n", "\n  ")
		out, errs := parse(t, steps).Apply(ruleOf(t, detection, more))
		if len(errs) > 0 {
			t.Errorf("%s\non %s %s: %v", conditions, detection, more, errs)
			return
		}
		if got := strings.Contains(show(out), "x.f"); got != want {
			t.Errorf("%s\non %s %s: %s", conditions, detection, more, show(out))
		}
	}
	rule := func(condition, detection, more string, want bool) {
		t.Helper()
		f("rule_conditions: [{"+condition+"}]", detection, more, want)
	}
	a := `{f: a}`
	rule(`type: logsource, product: p`, a, "", true)
	rule(`type: logsource, product: p, service: v`, a, "", true)
	rule(`type: logsource, product: p, service: w`, a, "", false)
	rule(`type: logsource, category: c`, a, "", false)
	rule(`type: contains_field, field: f`, a, "", true)
	rule(`type: contains_field, field: g`, a, "", false)
	rule(`type: contains_detection_item, field: f, value: a`, a, "", true)
	rule(`type: contains_detection_item, field: f, value: '*a*'`, `{f|contains: a}`, "", true)
	rule(`type: contains_detection_item, field: f, value: a`, `{f|contains: a}`, "", false)
	rule(`type: contains_detection_item, field: f, value: 5`, `{f: [4, 5.0]}`, "", true)
	rule(`type: contains_detection_item, field: f, value: '5'`, `{f: 5}`, "", false)
	rule(`type: contains_detection_item, field: g, value: a`, a, "", false)
	rule(`type: processing_item_applied, processing_item_id: first`, a, "", true)
	rule(`type: processing_item_applied, processing_item_id: other`, a, "", false)
	rule(`type: processing_state, key: k, val: 5`, a, "", true)
	rule(`type: processing_state, key: k, val: 4, op: gt`, a, "", true)
	rule(`type: processing_state, key: k, val: 5, op: lt`, a, "", false)
	rule(`type: processing_state, key: k, val: 5, op: lte`, a, "", true)
	rule(`type: processing_state, key: k, val: 6, op: gte`, a, "", false)
	rule(`type: processing_state, key: k, val: '5'`, a, "", false)
	rule(`type: processing_state, key: k, val: 5, op: ne`, a, "", false)
	rule(`type: processing_state, key: absent, val: 5, op: ne`, a, "", false)
	rule(`type: is_sigma_rule`, a, "", true)
	rule(`type: is_sigma_correlation_rule`, a, "", false)
	rule(`type: tag, tag: attack.t1098`, a, "tags: [attack.persistence, attack.t1098]", true)
	rule(`type: tag, tag: attack.t1098`, a, "tags: [attack.t1098.001]", false)
	rule(`type: rule_attribute, attribute: level, value: medium, op: gte`, a, "level: high", true)
	rule(`type: rule_attribute, attribute: level, value: medium, op: gte`, a, "level: low", false)
	rule(`type: rule_attribute, attribute: level, value: medium`, a, "", false)
	rule(`type: rule_attribute, attribute: status, value: test, op: lt`, a, "status: experimental", true)
	rule(`type: rule_attribute, attribute: date, value: 2026-01-01, op: gt`, a, "date: 2026-03-04", true)
	rule(`type: rule_attribute, attribute: date, value: 2026-01-01, op: lte`, a, "date: 2026-03-04", false)
	rule(`type: rule_attribute, attribute: date, value: 2026-01-01, op: ne`, a, "date: March", false)
	rule(`type: rule_attribute, attribute: title, value: t`, a, "", true)
	rule(`type: rule_attribute, attribute: title, value: u, op: ne`, a, "", true)
	rule(`type: rule_attribute, attribute: author, value: me`, a, "author: you", false)
	rule(`type: rule_attribute, attribute: tags, value: a.b, op: in`, a, "tags: [a.b]", true)
	rule(`type: rule_attribute, attribute: tags, value: a.b, op: not_in`, a, "tags: [a.b]", false)
	rule(`type: rule_attribute, attribute: tags, value: a.b, op: not_in`, a, "", true)
	rule(`type: rule_attribute, attribute: tags, value: a.b`, a, "tags: [a.b]", false)
	rule(`type: rule_attribute, attribute: tags, value: a.b, op: ne`, a, "tags: [a.b]", true)
	rule(`type: rule_attribute, attribute: own, value: 3, op: gte`, a, "own: 3.5", true)
	rule(`type: rule_attribute, attribute: own, value: 3`, a, "own: 4", false)
	rule(`type: rule_attribute, attribute: own, value: z`, a, "own: z", true)
	rule(`type: rule_attribute, attribute: own, value: z, op: in`, a, "own: [y, z]", true)
	rule(`type: rule_attribute, attribute: absent, value: z`, a, "", false)

	item := func(condition, detection string, want bool) {
		t.Helper()
		f("detection_item_conditions: [{"+condition+"}]", detection, "", want)
	}
	item(`type: match_string, cond: any, pattern: 'a+$'`, `{f: [b, aa]}`, true)
	item(`type: match_string, cond: all, pattern: 'a+$'`, `{f: [b, aa]}`, false)
	item(`type: match_string, cond: any, pattern: b`, `{f: ab}`, false) // from the start, as Python matches
	item(`type: match_string, cond: any, pattern: '\*ab\*$'`, `{f|contains: ab}`, true)
	item(`type: match_string, cond: any, pattern: 'C:\\W'`, `{f: 'C:\\Windows'}`, true)
	item(`type: match_string, cond: any, pattern: '5'`, `{f: 5}`, false)
	item(`type: match_string, cond: any, pattern: '5', negate: true`, `{f: 5}`, true)
	item(`type: match_string, cond: any, pattern: '.'`, `{f|re: x}`, false)
	item(`type: match_value, cond: any, value: 5`, `{f: [4, 5]}`, true)
	item(`type: match_value, cond: any, value: 5`, `{f: '5'}`, false)
	item(`type: match_value, cond: all, value: true`, `{f: true}`, true)
	item(`type: match_value, cond: all, value: a`, `{f|re: a}`, false)
	item(`type: contains_wildcard, cond: any`, `{f: [a, 'b*']}`, true)
	item(`type: contains_wildcard, cond: all`, `{f: [a, 'b*']}`, false)
	item(`type: contains_wildcard, cond: any`, `{f: 'b\*'}`, false)
	item(`type: contains_wildcard, cond: any`, `{f|startswith: b}`, true)
	item(`type: is_null, cond: any`, `{f: null}`, true)
	item(`type: is_null, cond: any`, `{f: 'null'}`, false)
	item(`type: processing_item_applied, processing_item_id: mapper`, `{mapped: a}`, true)
	item(`type: processing_item_applied, processing_item_id: mapper`, a, false)
	item(`type: processing_state, key: k, val: 5`, a, true)
	item(`type: processing_state, key: k, val: 6`, a, false)

	field := func(condition, detection string, want bool) {
		t.Helper()
		f("field_name_conditions: [{"+condition+"}]", detection, "", want)
	}
	field(`type: include_fields, fields: [f, g]`, a, true)
	field(`type: include_fields, fields: [g]`, a, false)
	field(`type: include_fields, fields: ['^F', 'f\d*$'], mode: re`, a, true)
	field(`type: include_fields, fields: ['.f'], mode: re`, a, false)
	field(`type: exclude_fields, fields: [g]`, a, true)
	field(`type: exclude_fields, fields: [f]`, a, false)
	field(`type: exclude_fields, fields: ['f'], mode: re`, a, false)
	field(`type: include_fields, fields: [f]`, `{g|fieldref: f}`, true) // the reference alone
	field(`type: processing_item_applied, processing_item_id: mapper`, `{mapped: a}`, true)
	field(`type: processing_item_applied, processing_item_id: mapper`, a, false)
	field(`type: processing_state, key: k, val: 5`, a, true)
	field(`type: processing_state, key: k, val: 6`, a, false)

	// How conditions are joined.
	f("rule_conditions: [{type: logsource, product: p}, {type: tag, tag: a.b}]", a, "", false)
	f("rule_conditions: [{type: logsource, product: p}, {type: tag, tag: a.b}]\nrule_cond_op: or", a, "", true)
	f("rule_conditions: [{type: logsource, product: p}]\nrule_cond_not: true", a, "", false)
	f("rule_conditions: [{type: tag, tag: a.b}]\nrule_cond_not: true", a, "", true)
	f("rule_conditions: {one: {type: logsource, product: p}, two: {type: tag, tag: a.b}}\nrule_cond_expr: one and not two", a, "", true)
	f("rule_conditions: {one: {type: logsource, product: p}, two: {type: tag, tag: a.b}}\nrule_cond_expr: not (one or two)", a, "", false)
	f("rule_conditions: {one: {type: logsource, product: p}, two: {type: tag, tag: a.b}}", a, "", false)
	f("detection_item_conditions: [{type: is_null, cond: any}, {type: match_value, cond: any, value: a}]\ndetection_item_cond_op: or", a, "", true)
	f("detection_item_conditions: [{type: is_null, cond: any}]\ndetection_item_cond_not: true", a, "", true)
	f("detection_item_conditions: {n: {type: is_null, cond: any}}\ndetection_item_cond_expr: not n", a, "", true)
	f("field_name_conditions: [{type: include_fields, fields: [f]}, {type: include_fields, fields: [g]}]", a, "", false)
	f("field_name_conditions: [{type: include_fields, fields: [f]}, {type: include_fields, fields: [g]}]\nfield_name_cond_op: or", a, "", true)
	f("field_name_conditions: [{type: include_fields, fields: [f]}]\nfield_name_cond_not: true", a, "", false)
	f("field_name_conditions: {n: {type: include_fields, fields: [g]}}\nfield_name_cond_expr: not n", a, "", true)
	f("rule_conditions: []", a, "", true)
	// Sorts of conditions have to hold together.
	f("rule_conditions: [{type: is_sigma_rule}]\nfield_name_conditions: [{type: include_fields, fields: [g]}]", a, "", false)
}

// TestRefusesPipelines: what is not known is refused where it stands.
func TestRefusesPipelines(t *testing.T) {
	f := func(text string, line, col int, reason string) {
		t.Helper()
		p, refused := pipeline.Parse("p.yml", []byte(text))
		if p != nil || len(refused) == 0 {
			t.Errorf("%s: is read", text)
			return
		}
		if e := refused[0]; e.File != "p.yml" || e.Line != line || e.Col != col || !strings.Contains(e.Reason, reason) {
			t.Errorf("%s: refused with %v, want %q at %d:%d", text, refused, reason, line, col)
		}
	}
	// one is a pipeline of one step, refused where at first occurs.
	one := func(step, at, reason string) {
		t.Helper()
		line := "- {" + step + "}"
		f("name: n\ntransformations:\n"+line, 3, strings.Index(line, at)+1, reason)
	}
	f("", 1, 1, "file is empty")
	f("name: [", 1, 1, "not valid YAML")
	f("[a]", 1, 1, "the pipeline is a list")
	f("name: a\n---\nname: b", 2, 1, "a file holds one pipeline")
	f("name: n\nprio: 1", 2, 1, `no parameter "prio"`)
	f("priority: high", 1, 11, "expected a whole number")
	f("allowed_backends: [splunk]", 1, 1, "does not name yagura")
	f("postprocessing: [{type: embed}]", 1, 1, "postprocessing works on the texts of queries")
	f("finalizers: [{type: concat}]", 1, 1, "finalizers work on the texts of queries")
	f("vars: {a: {b: c}}", 1, 11, "expected text, a number")
	f("transformations: {a: b}", 1, 18, "expected a list")
	one(`a: b`, `{`, `transformation lacks "type"`)
	one(`type: no_such`, `no_s`, `transformation "no_such" is unknown`)
	one(`type: query_expression_placeholders, expression: x`, `quer`, "refused: it puts a piece of a query language")
	one(`type: http_placeholders, url: x`, `http`, "refused: a pipeline may not reach over the network")
	one(`type: command_placeholders, cmd: x`, `comm`, "refused: a pipeline may not run commands")
	one(`type: file_placeholders, path: x`, `x`, "may not read files here")
	one(`type: field_name_transform`, `fiel`, "refused: it takes a function")
	one(`type: field_name_prefix`, `{`, `lacks "prefix"`)
	one(`type: field_name_prefix, prefix: x, sufix: y`, `sufix`, `transformation field_name_prefix has no parameter "sufix"`)
	one(`type: field_name_mapping`, `{`, `lacks "mapping"`)
	one(`type: field_name_mapping, mapping: {a: []}`, `a: [`, `"a" is mapped to nothing`)
	one(`type: field_name_mapping, mapping: {a: null}`, `null`, `value of "a" is empty`)
	one(`type: field_name_mapping, mapping: {a: {b: c}}`, `{b: `, "expected text")
	one(`type: field_name_mapping, mapping: {a: b, a: c}`, `a: c`, "occurs twice")
	one(`type: add_field, field: []`, `field:`, `"field" is empty`)
	one(`type: add_condition`, `{`, `lacks "conditions"`)
	one(`type: add_condition, conditions: {f|nosuch: 1}`, `{f|n`, `modifier "nosuch" is unknown`)
	one(`type: add_condition, conditions: {f: {g: 1}}`, `{f: `, "expected a value")
	one(`type: change_logsource`, `{`, "names no category, product or service")
	one(`type: set_custom_attribute, attribute: level, value: x`, `attribute:`, "no custom attribute")
	one(`type: set_state, key: k, val: [1]`, `[1]}`, "value is a list")
	one(`type: value_placeholders, include: [a], exclude: [b]`, `excl`, "exclude each other")
	one(`type: replace_string, regex: '(?=a)', replacement: b`, `'(?=`, "no look-around")
	one(`type: replace_string, regex: a, replacement: '\1'`, `'\1'`, "no group 1")
	one(`type: replace_string, regex: a, replacement: '\g<x>'`, `'\g<`, "no group x")
	one(`type: replace_string, regex: a, replacement: '\q'`, `'\q'`, "means nothing in a replacement")
	one(`type: set_value, value: x, force_type: num`, `x, f`, `"x" is no number`)
	one(`type: convert_type, target_type: date`, `date`, "expected str or num")
	one(`type: case, method: title`, `titl`, "expected lower or upper or snake_case")
	one(`type: regex, method: other`, `othe`, "expected ignore_case_brackets")
	one(`type: hashes_fields`, `{`, `lacks "valid_hash_algos"`)
	one(`type: nest`, `{`, `lacks "items"`)
	one(`type: nest, items: [{type: no_such}]`, `no_s`, "is unknown")
	one(`type: drop_detection_item, rule_conditions: [{type: no_such}]`, `no_s`, `rule condition "no_such" is unknown`)
	one(`type: drop_detection_item, rule_conditions: [{type: tag, tag: x}]`, `tag:`, "has no namespace")
	one(`type: drop_detection_item, rule_conditions: [{type: logsource}]`, `{type: l`, "names no category")
	one(`type: drop_detection_item, rule_conditions: [{type: logsource, products: p}]`, `{type: l`, "names no category")
	one(`type: drop_detection_item, rule_conditions: [{type: rule_attribute, attribute: level, value: grave}]`, `{type: r`, "level is one of")
	one(`type: drop_detection_item, rule_conditions: [{type: rule_attribute, attribute: date, value: soon}]`, `{type: r`, "compared with a date")
	one(`type: drop_detection_item, detection_item_conditions: [{type: is_null}]`, `{type: i`, `lacks "cond"`)
	one(`type: drop_detection_item, detection_item_conditions: [{type: match_string, cond: some, pattern: a}]`, `some`, "expected any or all")
	one(`type: drop_detection_item, field_name_conditions: [{type: include_fields}]`, `{type: i`, `lacks "fields"`)
	one(`type: drop_detection_item, field_name_conditions: [{type: include_fields, fields: ['('], mode: re}]`, `['('`, "missing closing")
	one(`type: drop_detection_item, rule_cond_op: or`, `rule`, "given without rule_conditions")
	one(`type: drop_detection_item, rule_cond_op: xor, rule_conditions: [{type: is_sigma_rule}]`, `xor,`, "expected and or or")
	one(`type: drop_detection_item, rule_cond_expr: a, rule_conditions: [{type: is_sigma_rule}]`, `a, r`, "needs conditions with names")
	one(`type: drop_detection_item, rule_cond_expr: b, rule_conditions: {a: {type: is_sigma_rule}}`, `b, r`, `no condition called "b"`)
	one(`type: drop_detection_item, rule_cond_expr: a, rule_conditions: {a: {type: is_sigma_rule}, c: {type: is_sigma_rule}}`, `a, r`, `condition "c" is not used`)
	one(`type: drop_detection_item, rule_cond_expr: a and, rule_conditions: {a: {type: is_sigma_rule}}`, `, rule_condi`, "ends where")
	one(`type: drop_detection_item, rule_cond_expr: 1 of a, rule_conditions: {a: {type: is_sigma_rule}}`, `1 of`, `"of" is no operator here`)
	one(`type: drop_detection_item, rule_cond_expr: a, rule_cond_op: or, rule_conditions: {a: {type: is_sigma_rule}}`, `rule_cond_o`, "exclude each other")
	deep := strings.Repeat("{type: nest, items: [", 40) + strings.Repeat("]}", 40)
	f("transformations: ["+deep+"]", 1, 375, "more than 16 deep")
}

// TestRefusesRules: what a pipeline finds wrong with a rule is told at the rule's
// own place, and says which step found it.
func TestRefusesRules(t *testing.T) {
	f := func(steps, detection string, line, col int, reason string) {
		t.Helper()
		out, errs := parse(t, steps).Apply(ruleOf(t, detection, "level: low"))
		if out != nil || len(errs) == 0 {
			t.Errorf("%s on %s is no error", steps, detection)
			return
		}
		if e := errs[0]; e.File != "r.yml" || e.Rule != "1" || e.Line != line || e.Col != col || !strings.Contains(e.Reason, reason) || !strings.Contains(e.Reason, "p.yml:2:") {
			t.Errorf("%s on %s: %v, want %q at %d:%d", steps, detection, errs, reason, line, col)
		}
	}
	f(`- {type: rule_failure, message: not for us}`, `{f: a}`, 1, 1, "not for us")
	f(`- {type: detection_item_failure, message: not this, field_name_conditions: [{type: include_fields, fields: [f]}]}`, `{g: b, f: a}`, 6, 13, "f: not this")
	f(`- {type: strict_field_mapping_failure}`, `{f: a}`, 6, 7, "f: field f is not mapped")
	f(`- {type: value_placeholders}`, `{f|expand: '%x%'}`, 6, 7, `no variable "x"`)
	f(`- {type: convert_type, target_type: num}`, `{f: x}`, 6, 7, `"x" is no number`)
	f(`- {type: regex}`, `{f|expand: '%x%'}`, 6, 7, "placeholders have to be filled")
	f(`- {type: hashes_fields, valid_hash_algos: [MD5]}`, `{f: SHA9=1}`, 6, 7, `"SHA9=1" is no hash of MD5`)
	f(`- {type: add_condition, template: true, conditions: {i: $category}}`, `{f: a}`, 1, 1, "log source of the rule has no category")
	f(`- {type: field_name_mapping, mapping: {g: [h, i]}}`, `{f|fieldref|all: [g, j]}`, 6, 7, "all asks for each")
	f(`- {type: case, rule_conditions: [{type: rule_attribute, attribute: title, value: x, op: gt}]}`, `{f: a}`, 1, 1, "knows eq and ne only")
	f(`- {type: case, rule_conditions: [{type: rule_attribute, attribute: title, value: x, op: in}]}`, `{f: a}`, 1, 1, "knows eq and ne only")
	many := strings.TrimSuffix(strings.Repeat("a,", 200), ",")
	f("- {type: nest, items: [{type: field_name_mapping, mapping: {f: ["+many+"]}}, {type: field_name_mapping, mapping: {a: ["+many+"]}}]}\n", `{f: a}`, 1, 1, "grows to more than")
}

// TestMatching: a pipeline handed to the compiler decides what matches.
func TestMatching(t *testing.T) {
	f := func(steps, detection, more string, yes, no []string) {
		t.Helper()
		set, refused := match.Compile([]*sigma.Rule{ruleOf(t, detection, more)}, match.Options{Pipelines: parse(t, steps)})
		if len(refused) > 0 {
			t.Errorf("%s on %s: %v", steps, detection, refused)
			return
		}
		sc := set.NewScratch()
		for i, record := range append(yes, no...) {
			hits, err := set.MatchJSON(sc, []byte(record), match.Source{Product: "p", Service: "v"})
			if err != nil || (len(hits) == 1) != (i < len(yes)) {
				t.Errorf("%s\non %s with %s: %d hits, %v", steps, detection, record, len(hits), err)
			}
		}
	}
	l := func(records ...string) []string { return records }
	two := `- {type: field_name_mapping, mapping: {f: [g, h.i]}}`
	f(two, `{f: a}`, "", l(`{"g":"A"}`, `{"h":{"i":"a"}}`, `{"g":"x","h.i":"a"}`), l(`{"f":"a"}`, `{"g":"x"}`))
	f(two, `{f|neq: a}`, "", l(`{"g":"x"}`, `{}`), l(`{"g":"a"}`, `{"g":"x","h.i":"a"}`))
	f(two, `{f: null}`, "", l(`{}`, `{"f":"x"}`, `{"g":null}`), l(`{"g":"x"}`, `{"h":{"i":""}}`))
	f(two, "s: {f: a}\ncondition: not s", "", l(`{"g":"x"}`, `{}`), l(`{"g":"x","h.i":"a"}`))
	f(two, `{f|contains|all: [a, b]}`, "", l(`{"g":"ab"}`), l(`{"g":"a","h":{"i":"b"}}`, `{"g":"a"}`))
	f(`- {type: add_condition, conditions: {k: v}}`, "s: {f: a}\nx: {f: b}\ncondition: 1 of them", "", l(`{"f":"a","k":"v"}`, `{"f":"b","k":"v"}`), l(`{"f":"a"}`, `{"k":"v"}`))
	f(`- {type: add_condition, negated: true, conditions: {k: v}}`, "s: {f: a}\nx: {f: b}\ncondition: s or x", "", l(`{"f":"a"}`), l(`{"f":"a","k":"v"}`, `{"f":"b","k":"v"}`))
	f(`- {type: add_condition, conditions: {k: v}}`, "s: {f: a}\nx: {f: b}\ncondition: [s, x]", "", l(`{"f":"b","k":"v"}`), l(`{"f":"b"}`))
	// A search that was emptied says nothing.
	dropped := `- {type: drop_detection_item, field_name_conditions: [{type: include_fields, fields: [d]}]}`
	f(dropped, "s: {f: a}\nx: {d: 1}\ncondition: s and x", "", l(`{"f":"a"}`), l(`{"d":1}`))
	f(dropped, "s: {f: a}\nx: {d: 1}\ncondition: s or not x", "", l(`{"f":"a"}`), l(`{}`))
	f(dropped, "s: {f: a}\nx: {d: 1}\ncondition: all of them", "", l(`{"f":"a"}`), l(`{"d":1}`))
	f(dropped, "s: {f: a}\nx: {d: 1}\ncondition: [x, s]", "", l(`{"f":"a"}`), l(`{"d":1}`))
	f(dropped, "s: [{f: a}, {d: 1}]\ncondition: s", "", l(`{"f":"a"}`), l(`{"d":1}`))
	f(`- {type: regex}`, `{f: ['A.b*', 7]}`, "", l(`{"f":"a.B\n"}`, `{"f":7.0}`), l(`{"f":"xA.b"}`, `{"f":"Axb"}`))
	f(`- {type: regex, method: plain}`, `{f: 'A?b'}`, "", l(`{"f":"Axb"}`), l(`{"f":"axb"}`))
	f("vars: {net: [10.0.0.0, 192.0.2.0]}\ntransformations:\n- {type: value_placeholders}", `{f|cidr|expand: '%net%/24'}`, "", l(`{"f":"192.0.2.9"}`), l(`{"f":"10.0.1.1"}`))
	// The log source that a pipeline sets decides which records a rule is for.
	f(`- {type: change_logsource, product: p, service: v}`, `{f: a}`, "logsource: {category: c}", l(`{"f":"a"}`), l(`{}`))
	f(`- {type: field_name_mapping, mapping: {f: g}}`, `{f: a}`, "logsource: {category: c}", nil, l(`{"g":"a"}`))
}

// A set speaks of the rules it was given, and routes by what pipelines made of
// them.
func TestRulesStayThemselves(t *testing.T) {
	r := ruleOf(t, `{f: a}`, "")
	set, _ := match.Compile([]*sigma.Rule{r}, match.Options{Pipelines: parse(t, "- {type: change_logsource, product: q}\n- {type: add_field, field: n}")})
	if set.Rule(0) != r || set.Source(0) != (match.Source{Product: "q"}) || len(set.Program().Rules[0].As.Fields) != 1 {
		t.Errorf("%+v", set.Program().Rules[0])
	}
	e, err := set.ExplainJSON(set.NewScratch(), []byte(`{"f":"a"}`), match.Source{}, 0)
	if err != nil || !e.Held || e.Applies || e.Rule != r {
		t.Errorf("%+v, %v", e, err)
	}
}

// Nothing that is left is refused, at the place where the rule says what it wants.
func TestNothingLeft(t *testing.T) {
	ps := parse(t, `- {type: drop_detection_item}`)
	set, refused := match.Compile([]*sigma.Rule{ruleOf(t, `{f: a}`, "")}, match.Options{Pipelines: ps})
	if set.Len() != 0 || len(refused) != 1 || refused[0].Line != 5 || !strings.Contains(refused[0].Reason, "leave nothing to look for") {
		t.Errorf("%d rules, %v", set.Len(), refused)
	}
	r := ruleOf(t, "a: {f: 1}\nb: {g: 1}\ncondition: 2 of them", "")
	ps = parse(t, `- {type: drop_detection_item, field_name_conditions: [{type: include_fields, fields: [f]}]}`)
	if _, refused = match.Compile([]*sigma.Rule{r}, match.Options{Pipelines: ps}); len(refused) != 1 || !strings.Contains(refused[0].Reason, "pipelines leave only 1") {
		t.Errorf("refused %v", refused)
	}
}

// Filters become parts of the rules they cover, so pipelines rewrite them as such.
func TestFilters(t *testing.T) {
	text := "title: t\nid: 1\nlogsource: {product: p}\ndetection: {s: {f: a}, condition: s}\n---\n" +
		"title: flt\nid: 2\nlogsource: {product: p}\nfilter: {rules: ['1'], s: {u: adm}, condition: not s}\n"
	docs, _ := sigma.Parse("r.yml", []byte(text))
	ps := parse(t, "- {type: change_logsource, product: q}\n- {type: field_name_prefix, prefix: x., rule_conditions: [{type: contains_field, field: u}]}")
	set, refused := match.Compile(docs.Rules, match.Options{Filters: docs.Filters, Pipelines: ps})
	if len(refused) > 0 {
		t.Fatal(refused)
	}
	sc := set.NewScratch()
	f := func(record string, want int) {
		t.Helper()
		if hits, _ := set.MatchJSON(sc, []byte(record), match.Source{Product: "q"}); len(hits) != want {
			t.Errorf("%s: %d hits", record, len(hits))
		}
	}
	f(`{"x.f":"a"}`, 1)
	f(`{"x.f":"a","x.u":"adm"}`, 0)
	f(`{"x.f":"a","u":"adm"}`, 1)
	if docs.Filters[0].Detection.Searches[0].Groups[0][0].Field != "u" {
		t.Error("the filter that was given is changed")
	}
	ps = parse(t, `- {type: detection_item_failure, message: no, field_name_conditions: [{type: include_fields, fields: [u]}]}`)
	set, refused = match.Compile(docs.Rules, match.Options{Filters: docs.Filters, Pipelines: ps})
	if len(refused) != 1 || refused[0].Line != 9 || refused[0].Rule != "2" || !strings.Contains(refused[0].Reason, "1 rule goes on without it") {
		t.Errorf("a fault of the filter is told as %v", refused)
	}
	if set.Len() != 1 {
		t.Error("the rule does not go on without the filter")
	}
}

// Explanations speak of the rule as written: its keys and its places.
func TestExplains(t *testing.T) {
	r := ruleOf(t, "s: {f|contains: a}\ncondition: s", "")
	set, refused := match.Compile([]*sigma.Rule{r}, match.Options{Pipelines: parse(t, "- {type: field_name_mapping, mapping: {f: [g, h]}}\n- {type: add_condition, conditions: {k: v}}")})
	if len(refused) > 0 {
		t.Fatal(refused)
	}
	sc := set.NewScratch()
	if hits, err := set.MatchJSON(sc, []byte(`{"h":"xax","k":"v"}`), match.Source{Product: "p", Service: "v"}); len(hits) != 1 {
		t.Fatal(hits, err)
	}
	var got []string
	for _, fact := range sc.Explain(0).Facts() {
		got = append(got, fmt.Sprintf("%d:%d %s %s=%s %s", fact.Pos.Line, fact.Pos.Col, fact.Key, fact.Field, fact.Actual, fact.Pattern))
	}
	want := []string{"6:19 f|contains h=[xax] a", "5:1 k k=[v] v"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("facts are %q, want %q", got, want)
	}
}

// The least priority goes first, whatever the order of files; those of one
// priority go in the order given; variables and state are shared.
func TestOrder(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"1.yml":     "name: last\npriority: 20\ntransformations: [{type: field_name_suffix, suffix: .last, rule_conditions: [{type: processing_state, key: k, val: x}]}]",
		"2.yaml":    "name: first\npriority: 10\nvars: {v: [from-first]}\nallowed_backends: [other, yagura]\ntransformations: [{type: field_name_suffix, suffix: .first}, {type: set_state, key: k, val: x}]",
		"sub/3.yml": "name: again\npriority: 10\ntransformations: [{type: field_name_suffix, suffix: .again}, {type: value_placeholders}]",
		"notes.txt": "no pipeline",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ps, refused := pipeline.Load(dir)
	if len(refused) > 0 || len(ps) != 3 || ps[0].Name != "last" {
		t.Fatalf("%d pipelines, %v", len(ps), refused)
	}
	out, errs := ps.Apply(ruleOf(t, `{f|expand: '%v%'}`, ""))
	if len(errs) > 0 || show(out) != "s{f.first.again.last=from-first}" {
		t.Errorf("%s, %v", show(out), errs)
	}
	if _, refused := pipeline.Load(filepath.Join(dir, "absent")); len(refused) != 1 {
		t.Errorf("a path that is absent gives %v", refused)
	}
	if r := ruleOf(t, `{f: a}`, ""); true {
		if out, errs := pipeline.Pipelines(nil).Apply(r); out != r || len(errs) > 0 {
			t.Error("no pipelines change a rule")
		}
	}
}

// A few lines of aliases can stand for billions of values.
func TestAliasBomb(t *testing.T) {
	text := "vars: {a: &a [" + strings.Repeat("x,", 3000) + "]}\ntransformations:\n" + strings.Repeat("- {type: add_field, field: *a}\n", 3000)
	if _, refused := pipeline.Parse("p.yml", []byte(text)); len(refused) == 0 || !strings.Contains(fmt.Sprint(refused[0]), "aliases counted each time") {
		t.Errorf("refused %v", refused)
	}
}

// pySigma's own samples are read and do what they say.
func TestSamples(t *testing.T) {
	dir := filepath.Join("..", "..", "..", "shared", "data", "sigma", "pysigma-files")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the samples in ../shared/data/sigma are not here")
	}
	ps, refused := pipeline.Load(filepath.Join(dir, "pipeline.yml"), filepath.Join(dir, "pipelines"))
	if len(refused) > 0 || len(ps) != 2 {
		t.Fatalf("%d pipelines, %v", len(ps), refused)
	}
	out, errs := ps.Apply(ruleOf(t, `{f: a}`, ""))
	if len(errs) > 0 || show(out) != "s{f.test.test=a}" {
		t.Errorf("%s, %v", show(out), errs)
	}
	for path, format := range map[string]string{"placeholder_values.csv": "csv, csv_column: value", "placeholder_values.json": "json, jq_expression: '.items[]'", "placeholder_values.yaml": "yaml, jq_expression: '.items[]'"} {
		p, refused := pipeline.Options{Files: os.DirFS(dir)}.Parse("p.yml", []byte("transformations: [{type: file_placeholders, path: "+path+", format: "+format+"}]"))
		if len(refused) > 0 {
			t.Fatal(refused)
		}
		out, errs := pipeline.Pipelines{p}.Apply(ruleOf(t, `{f|expand: '%x%'}`, ""))
		if len(errs) > 0 || strings.Count(show(out), "val") != 3 {
			t.Errorf("%s: %s, %v", path, show(out), errs)
		}
	}
	// Every published rule goes through, and what is refused says where.
	docs, _ := sigma.LoadPath(filepath.Join(dir, "..", "sigmahq-rules", "rules"))
	set, more := match.Compile(docs.Rules, match.Options{Pipelines: ps})
	for _, e := range more {
		if !strings.Contains(e.Reason, "has no values") {
			t.Error(e)
		}
	}
	t.Logf("%d of %d rules compile behind the samples", set.Len(), len(docs.Rules))
}
