package sigma_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/sigma"
)

const correlationText = `title: Many knocks
id: 7f1f2a0e-3f0e-4a1c-9d4b-0d6f1f0a5b11
name: many_knocks
status: test
level: high
tags: [attack.t1110]
generate: true
correlation:
  type: value_count
  rules:
    - knock
    - 5b0c8c3e-8c07-4f83-a9f1-4a0d9d0f6a22
  aliases:
    visitor:
      knock: who
      ring: person.name
  group-by: [visitor, door]
  timespan: 15m
  condition:
    gt: 10
    lte: 2.5e1
    field: [window, hour]
yagura: {group: [visitor]}
`

func TestParseCorrelation(t *testing.T) {
	docs := parse(t, correlationText)
	if len(docs.Correlations) != 1 || len(docs.Rules) != 0 {
		t.Fatalf("%+v", docs)
	}
	c := docs.Correlations[0]
	if c.Title != "Many knocks" || c.Key() != "7f1f2a0e-3f0e-4a1c-9d4b-0d6f1f0a5b11" || c.Name != "many_knocks" || c.Level != "high" || c.Tags[0] != "attack.t1110" ||
		!c.Generate || c.Type != sigma.ValueCount || c.Timespan != 15*time.Minute || c.Extended.Text != "" || c.Pos != (sigma.Pos{Line: 1, Col: 1}) ||
		c.Places["correlation"] != (sigma.Pos{Line: 8, Col: 1}) || c.At["timespan"] != (sigma.Pos{Line: 18, Col: 3}) {
		t.Errorf("correlation is %+v", c)
	}
	if want := (map[string]any{"yagura": map[string]any{"group": []any{"visitor"}}}); !reflect.DeepEqual(c.Extra, want) {
		t.Errorf("extra is %#v", c.Extra)
	}
	if want := []sigma.Reference{{Rule: "knock", Pos: sigma.Pos{Line: 11, Col: 7}}, {Rule: "5b0c8c3e-8c07-4f83-a9f1-4a0d9d0f6a22", Pos: sigma.Pos{Line: 12, Col: 7}}}; !reflect.DeepEqual(c.Rules, want) {
		t.Errorf("rules are %+v", c.Rules)
	}
	if want := []sigma.Alias{{Name: "visitor", Pos: sigma.Pos{Line: 14, Col: 5}, Fields: []sigma.AliasField{
		{Rule: "knock", Field: "who", Pos: sigma.Pos{Line: 15, Col: 7}}, {Rule: "ring", Field: "person.name", Pos: sigma.Pos{Line: 16, Col: 7}}}}}; !reflect.DeepEqual(c.Aliases, want) {
		t.Errorf("aliases are %+v", c.Aliases)
	}
	if want := (&sigma.Threshold{Pos: sigma.Pos{Line: 20, Col: 5}, Fields: []string{"window", "hour"}, Limits: []sigma.Limit{
		{Op: "gt", Value: 10, Pos: sigma.Pos{Line: 20, Col: 5}}, {Op: "lte", Value: 25, Pos: sigma.Pos{Line: 21, Col: 5}}}}); !reflect.DeepEqual(c.Condition, want) {
		t.Errorf("condition is %+v", c.Condition)
	}
	if s := c.Condition.String(); s != "> 10 and <= 25" || !c.Condition.Holds(25) || c.Condition.Holds(10) || c.Condition.Holds(25.1) {
		t.Errorf("condition reads %q", s)
	}
}

func TestParseCorrelationShapes(t *testing.T) {
	f := func(body string, check func(*sigma.Correlation) bool) {
		t.Helper()
		docs := parse(t, "title: t\ncorrelation: {rules: [a, b], timespan: 1m, "+body+"}\n")
		if c := docs.Correlations[0]; !check(c) {
			t.Errorf("%s: %+v", body, c)
		}
	}
	f("type: temporal", func(c *sigma.Correlation) bool { return c.Condition == nil && !c.Generate && c.GroupBy == nil })
	f("type: temporal, generate: true, group-by: who", func(c *sigma.Correlation) bool { return c.Generate && c.GroupBy[0] == "who" })
	f("type: temporal, condition: a and not b", func(c *sigma.Correlation) bool {
		return c.Condition == nil && c.Extended.Text == "a and not b" && c.Extended.At(6) == (sigma.Pos{Line: 2, Col: 77})
	})
	f("type: value_percentile, condition: {field: x, percentile: 95, gte: 7}", func(c *sigma.Correlation) bool { return *c.Condition.Percentile == 95 })
	f("type: value_percentile, condition: {field: x, lte: 1}", func(c *sigma.Correlation) bool { return c.Condition.Percentile == nil })
	for text, want := range map[string]time.Duration{"90s": 90 * time.Second, "2m": 2 * time.Minute, "3h": 3 * time.Hour, "4d": 96 * time.Hour,
		"2w": 336 * time.Hour, "1M": 2629746 * time.Second, "1y": 31556952 * time.Second, "10y": sigma.MaxTimespan} {
		docs := parse(t, "title: t\ncorrelation: {type: temporal, rules: [a], timespan: "+text+"}\n")
		if got := docs.Correlations[0].Timespan; got != want {
			t.Errorf("%s is %v, want %v", text, got, want)
		}
	}
}

func TestParseCorrelationRefuses(t *testing.T) {
	f := func(change, to string, want ...string) {
		t.Helper()
		if !strings.Contains(correlationText, change) {
			t.Fatalf("%q is not in the text", change)
		}
		docs, refused := sigma.Parse("r.yml", []byte(strings.Replace(correlationText, change, to, 1)))
		var got []string
		for _, e := range refused {
			got = append(got, e.Error())
		}
		if !reflect.DeepEqual(got, want) || len(docs.Correlations) > 0 {
			t.Errorf("with %q: %d correlations, errors\n%s\nwant\n%s", to, len(docs.Correlations), strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	f("title: Many knocks\n", "", "r.yml:1:1: title is missing")
	f("type: value_count", "type: count", `r.yml:9:9: "count" is no type of correlation: expected one of event_count, value_count, temporal, temporal_ordered, value_sum, value_avg, value_percentile, value_median`)
	f("  type: value_count\n", "", "r.yml:8:1: type is missing in the correlation")
	f("  timespan: 15m\n", "", "r.yml:8:1: timespan is missing in the correlation")
	f("timespan: 15m", "timeframe: 15m", `r.yml:18:3: "timeframe" is no key of a correlation: expected type, rules, group-by, timespan, condition, aliases or generate`, "r.yml:8:1: timespan is missing in the correlation")
	f("15m", "15", `r.yml:18:13: timespan is "15": expected a number and one of s, m (minutes), h, d, w, M (months), y`)
	f("15m", "+1m", `r.yml:18:13: timespan is "+1m": expected a number and one of s, m (minutes), h, d, w, M (months), y`)
	f("15m", "0m", `r.yml:18:13: timespan is "0m": expected more than nothing`)
	f("15m", "11y", `r.yml:18:13: timespan is "11y": ten years are the most`)
	f("15m", "[15m]", `r.yml:18:13: timespan is a list: expected text`, "r.yml:18:13: timespan is empty")
	f("    - knock\n", "    - knock\n    - knock\n", `r.yml:12:7: rule "knock" is named twice`)
	f("    - knock\n", "    -\n", `r.yml:11:6: an entry of rules is empty: expected the id or name of a rule`)
	f("[visitor, door]", "[visitor, visitor]", `r.yml:17:13: "visitor" is named twice in group-by`)
	f("[visitor, door]", "[visitor, door|contains]", `r.yml:17:13: "door|contains" in group-by has modifiers: a correlation takes fields as they are, modifiers belong into its rules`)
	f("[window, hour]", "[window|re, hour]", `r.yml:22:12: "window|re" in field has modifiers: a correlation takes fields as they are, modifiers belong into its rules`)
	f("knock: who", "knock: who|cased", `r.yml:15:14: the field "who|cased" of "knock" has modifiers: a correlation takes fields as they are`)
	f("[visitor, door]", "!set [visitor, door]", `r.yml:17:13: YAML tag !set means nothing in a rule`)
	f("generate: true", "generate: maybe", `r.yml:7:11: generate is "maybe": expected true or false`)
	f("gt: 10", "above: 10", `r.yml:20:5: "above" is no key of a condition: expected gt, gte, lt, lte, eq, neq, field or percentile`)
	f("gt: 10", "gt: ten", `r.yml:20:9: gt is "ten": expected a number`)
	f("gt: 10\n    lte: 2.5e1", `gte: "2"`, `r.yml:20:10: gte is "2": expected a number`)
	f("gt: 10", "gt: .inf", `r.yml:20:9: gt is ".inf": expected a number`)
	f("gt: 10", "eq: 10", `r.yml:20:5: condition names limits that do not go together: expected one, or a lower and an upper one`)
	f("gt: 10\n", "percentile: 5\n", `r.yml:20:5: percentile belongs to value_percentile, not to value_count`)
	f("    field: [window, hour]\n", "", `r.yml:20:5: condition of value_count names no field`)
	f("value_count", "event_count", `r.yml:20:5: event_count looks at no field: value_count does`)
	f("value_count", "value_sum", `r.yml:20:5: condition of value_sum names 2 fields: expected one`)
	f("      knock: who", "      knock: [who]", `r.yml:15:14: the field of "knock" is a list: expected text`)
	f("yagura:", "logsource: {product: x}\nyagura:", `r.yml:23:1: a correlation has no logsource: write the rule as a document of its own and name it under rules`)
	f("gt: 10\n    lte: 2.5e1\n    field: [window, hour]", "{}", `r.yml:20:5: condition names no limit: expected gt, gte, lt, lte, eq or neq`)
}

// Whatever a file holds, reading it ends, and what is told of it lies within it.
func FuzzParse(f *testing.F) {
	f.Add(correlationText)
	f.Add(rule)
	f.Add("\r0")
	f.Add("title: t\ncorrelation: {type: temporal, rules: [a], timespan: 1m, condition: a and not b}\n---\naction: global\n")
	f.Add("correlation:\n  condition: {gte: &x 1, lt: *x}\n  aliases: {a: {b: }}\n--- # x\nfilter: []")
	f.Fuzz(func(t *testing.T, text string) {
		docs, refused := sigma.Parse("f.yml", []byte(text))
		lines := 1 // at most: these end lines to YAML
		for _, end := range []string{"\n", "\r", "\u0085", "\u2028", "\u2029"} {
			lines += strings.Count(text, end)
		}
		within := func(p sigma.Pos, what string) {
			if p.Line < 1 || p.Line > lines || p.Col < 1 {
				t.Errorf("%s at %d:%d of %d lines", what, p.Line, p.Col, lines)
			}
		}
		for _, e := range refused {
			within(e.Pos, e.Reason)
		}
		for _, c := range docs.Correlations {
			within(c.Pos, "correlation")
			for key, p := range c.At {
				within(p, key)
			}
			for _, r := range c.Rules {
				within(r.Pos, "rule "+r.Rule)
			}
			if c.Timespan <= 0 || c.Timespan > sigma.MaxTimespan || len(c.Rules) == 0 || c.Condition != nil && len(c.Condition.Limits) == 0 {
				t.Errorf("accepted %+v", c)
			}
		}
		for _, r := range docs.Rules {
			within(r.Pos, "rule")
		}
	})
}

// The specification's examples of correlations are read.
func TestSpecificationExamples(t *testing.T) {
	dir := filepath.Join("..", "..", "shared", "data", "sigma", "specification", "tests", "schema", "correlation")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the specification ../shared/data/sigma/specification is not here")
	}
	docs, refused := sigma.LoadPath(dir)
	for _, e := range refused {
		t.Error(e)
	}
	if len(docs.Correlations) < 8 {
		t.Errorf("%d correlations", len(docs.Correlations))
	}
}
