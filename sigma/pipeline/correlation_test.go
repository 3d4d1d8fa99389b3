package pipeline_test

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/yagura-sec/yagura/sigma"
)

// Correlations speak of fields too.
func TestCorrelations(t *testing.T) {
	text := "title: c\nname: c\ntags: [a.b]\ncorrelation: {type: value_count, rules: [r], group-by: [user, f, who], timespan: 1h, aliases: {who: {r: f}}, condition: {field: g, gte: 2}}\n---\n" +
		"title: r\nname: r\nlogsource: {product: p}\ndetection: {s: {f: a}, condition: s}\n"
	f := func(steps, want string) {
		t.Helper()
		docs, refused := sigma.Parse("r.yml", []byte(text))
		if len(refused) > 0 {
			t.Fatal(refused)
		}
		again, _ := sigma.Parse("r.yml", []byte(text))
		got := ""
		out, errs := parse(t, steps).ApplyCorrelation(docs.Correlations[0], docs.Rules)
		if len(errs) > 0 {
			got = errs[0].Error()
		} else {
			got = fmt.Sprintf("%v %v %v %v", out.GroupBy, out.Aliases[0].Fields[0].Field, out.Condition.Fields, out.Fields)
		}
		if got != want {
			t.Errorf("%s: %s, want %s", steps, got, want)
		}
		if !reflect.DeepEqual(docs, again) {
			t.Errorf("%s changes what it was given", steps)
		}
	}
	f(`- {type: field_name_mapping, mapping: {f: x, g: y, who: z}}`, `[user x who] x [y] []`)
	f(`- {type: field_name_mapping, mapping: {user: [a, b]}}`, `[a b f who] f [g] []`)
	f(`- {type: field_name_prefix, prefix: d., rule_conditions: [{type: logsource, product: p}]}`, `[d.user d.f who] d.f [d.g] []`)
	f(`- {type: field_name_prefix, prefix: d., rule_conditions: [{type: logsource, product: q}]}`, `[user f who] f [g] []`)
	f(`- {type: field_name_prefix, prefix: d., rule_conditions: [{type: is_sigma_correlation_rule}]}`, `[d.user d.f who] d.f [d.g] []`)
	f(`- {type: field_name_prefix, prefix: d., rule_conditions: [{type: is_sigma_rule}]}`, `[user f who] f [g] []`)
	f(`- {type: add_field, field: n, rule_conditions: [{type: tag, tag: a.b}]}`, `[user f who] f [g] [n]`)
	f(`- {type: add_condition, template: true, conditions: {i: $service}}`, `[user f who] f [g] []`)
	f(`- {type: field_name_mapping, mapping: {g: [x, y]}}`, `r.yml:1:1: field g of the condition stands for several: a correlation takes one (field_name_mapping of the pipeline, p.yml:2:3)`)
	f(`- {type: rule_failure, message: no correlations}`, `r.yml:1:1: no correlations (rule_failure of the pipeline, p.yml:2:3)`)
}
