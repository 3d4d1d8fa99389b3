package sigma_test

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/yagura-sec/yagura/sigma"
)

const rule = `# a comment
title: Trail stopped
id: 1dd3c3a8-40d5-4f2e-9d3c-5f7b1e6a2c11
related:
  - {id: 5b0c8c3e-8c07-4f83-a9f1-4a0d9d0f6a22, type: derived}
references: [https://example.com/a]
tags:
  - attack.t1685.002
logsource:
  product: aws
  service: cloudtrail
  definition: all regions
detection:
  stop:
    eventName|contains|all: [Stop, 7, 0x10, 1.50, true, ~, 'null']
    eventSource: cloudtrail.amazonaws.com
  words:
    - mimikatz
    - a: b
  condition: 'stop and words'
level: high
owner: {team: sec, on_call: [1, two]}
`

func parse(t *testing.T, text string) sigma.Documents {
	t.Helper()
	docs, refused := sigma.Parse("r.yml", []byte(text))
	for _, e := range refused {
		t.Fatal(e)
	}
	return docs
}

func TestParse(t *testing.T) {
	r := parse(t, rule).Rules[0]
	if r.Title != "Trail stopped" || r.Key() != "1dd3c3a8-40d5-4f2e-9d3c-5f7b1e6a2c11" || r.Level != "high" || r.Tags[0] != "attack.t1685.002" ||
		r.LogSource != (sigma.LogSource{Product: "aws", Service: "cloudtrail", Definition: "all regions"}) || r.LogSource.String() != "aws/cloudtrail" ||
		r.Related[0].Type != "derived" || r.Pos.Line != 2 || r.Places["level"] != (sigma.Pos{Line: 21, Col: 1}) {
		t.Errorf("rule is %+v", r)
	}
	if want := (map[string]any{"owner": map[string]any{"team": "sec", "on_call": []any{1, "two"}}}); !reflect.DeepEqual(r.Extra, want) {
		t.Errorf("extra is %#v", r.Extra)
	}
	d := r.Detection
	if c := d.Conditions[0]; c.Text != "stop and words" || c.At(5) != (sigma.Pos{Line: 20, Col: 20}) {
		t.Errorf("condition is %+v", c)
	}
	stop := d.Search("stop")
	it := stop.Groups[0][0]
	var values []sigma.Value
	for _, v := range it.Values {
		values = append(values, sigma.Value{Kind: v.Kind, Text: v.Text})
	}
	want := []sigma.Value{{Kind: sigma.String, Text: "Stop"}, {Kind: sigma.Number, Text: "7"}, {Kind: sigma.Number, Text: "16"}, {Kind: sigma.Number, Text: "1.5"},
		{Kind: sigma.Bool, Text: "true"}, {Kind: sigma.Null}, {Kind: sigma.String, Text: "null"}}
	if it.Field != "eventName" || !reflect.DeepEqual(it.Modifiers, []string{"contains", "all"}) || !it.List || !reflect.DeepEqual(values, want) ||
		it.Pos != (sigma.Pos{Line: 15, Col: 5}) || it.Values[1].Pos != (sigma.Pos{Line: 15, Col: 36}) {
		t.Errorf("item is %+v", it)
	}
	if words := d.Search("words"); len(words.Groups) != 2 || words.Groups[0][0].Field != "" || words.Groups[1][0].Field != "a" || words.Pos.Line != 17 {
		t.Errorf("keywords are %+v", d.Search("words"))
	}
}

func TestParseRefuses(t *testing.T) {
	f := func(change, to string, want ...string) {
		t.Helper()
		if !strings.Contains(rule, change) {
			t.Fatalf("%q is not in the rule", change)
		}
		docs, refused := sigma.Parse("r.yml", []byte(strings.Replace(rule, change, to, 1)))
		var got []string
		for _, e := range refused {
			got = append(got, e.Error())
		}
		if !reflect.DeepEqual(got, want) || len(docs.Rules) > 0 {
			t.Errorf("with %q: %d rules, errors\n%s\nwant\n%s", to, len(docs.Rules), strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	f("title: Trail stopped\n", "", "r.yml:2:1: title is missing")
	f("title: Trail stopped", "title: [a]", `r.yml:2:8: title is a list: expected text`)
	f("  product: aws\n  service: cloudtrail\n", "", "r.yml:9:1: logsource names no category, product or service")
	f("  condition: 'stop and words'\n", "", "r.yml:13:1: condition is missing")
	f("  condition: 'stop and words'\n", "  condition:\n", "r.yml:20:13: condition is empty: expected text")
	f("  condition:", "  timeframe: 5m\n  condition:", "r.yml:20:3: timeframe belongs to the old aggregations: write a correlation rule with a timespan")
	f("- mimikatz", "- [a]", `r.yml:18:7: entry of search "words" is a list: expected text or a mapping of fields`)
	f("- mimikatz", "- {}", `r.yml:18:7: search "words" holds an empty mapping`)
	f("cloudtrail.amazonaws.com", "{a: b}", `r.yml:16:18: value of "eventSource" is a mapping: expected a value or a list of values`)
	f("cloudtrail.amazonaws.com", "[]", `r.yml:16:5: "eventSource" has an empty list of values`)
	f("cloudtrail.amazonaws.com", ".inf", `r.yml:16:18: .inf is no number that can be compared`)
	f("cloudtrail.amazonaws.com", "!secret x", "r.yml:16:18: YAML tag !secret means nothing in a rule")
	f("cloudtrail.amazonaws.com", "!!binary eA==", "r.yml:16:18: YAML tag !!binary means nothing in a rule")
	f("cloudtrail.amazonaws.com", "[!<tag:x> x]", "r.yml:16:19: YAML tag tag:x means nothing in a rule")
	f("level: high", "level: high\nlevel: low", `r.yml:22:1: key "level" occurs twice in the document`)
	f("level: high", "level: high\ntitle: [", "r.yml:21:1: not valid YAML: did not find expected ',' or ']'")
	f("level: high", "correlation: {type: event_count}",
		"r.yml:9:1: a correlation has no logsource: write the rule as a document of its own and name it under rules",
		"r.yml:13:1: a correlation has no detection: write the rule as a document of its own and name it under rules",
		"r.yml:21:1: rules is missing in the correlation", "r.yml:21:1: timespan is missing in the correlation")
	f("level: high", "action: global", `r.yml:21:1: "action" documents belong to the old rule format: write every rule as a document of its own`)
	f("level: high", "filter: {rules: any, s: {a: 1}}", "r.yml:21:1: condition is missing")
	f("level: high", "filter: {s: {a: 1}, condition: s}", `r.yml:21:1: filter names no rules: expected "rules" with ids, names or any`)
}

// A document that is no YAML takes nothing else of its file along.
func TestSeveralDocuments(t *testing.T) {
	text := "%YAML 1.2\n--- # first\n" + rule + "---\ntitle: [\n---\n# only a comment\n--- {title: flow}\n...\n---\n" + strings.Replace(rule, "1dd3c3a8", "2dd3c3a8", 1)
	docs, refused := sigma.Parse("r.yml", []byte(text))
	if len(docs.Rules) != 2 || docs.Rules[1].ID[0] != '2' || docs.Rules[1].Pos.Line != 33 {
		t.Errorf("%d rules: %+v", len(docs.Rules), docs.Rules)
	}
	var got []string
	for _, e := range refused {
		got = append(got, e.Error())
	}
	want := []string{"r.yml:26:1: not valid YAML: did not find expected node content", "r.yml:29:5: logsource is missing", "r.yml:29:5: detection is missing"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("refusals are %q, want %q", got, want)
	}
}

// Lines may end with either or both of the characters that end lines.
func TestEndsOfLines(t *testing.T) {
	text := rule + "---\n" + strings.Replace(rule, "1dd3c3a8", "2dd3c3a8", 1) + "---\n[]\n"
	for _, end := range []string{"\n", "\r\n", "\r"} {
		docs, refused := sigma.Parse("r.yml", []byte(strings.ReplaceAll(text, "\n", end)))
		if len(docs.Rules) != 2 || docs.Rules[1].Pos.Line != 25 || len(refused) != 1 || refused[0].Line != 47 {
			t.Errorf("with %q: %d rules, %v", end, len(docs.Rules), refused)
		}
	}
}

// A few lines of aliases can stand for billions of values.
func TestAliasBomb(t *testing.T) {
	var b strings.Builder
	b.WriteString("title: t\nlogsource: {product: p}\na: &a {f: [" + strings.Repeat("x,", 3000) + "]}\ndetection:\n  s: [" + strings.Repeat("*a,", 3000) + "]\n  condition: s\n")
	docs, refused := sigma.Parse("r.yml", []byte(b.String()))
	if len(docs.Rules) != 0 || len(refused) == 0 || !strings.Contains(refused[0].Reason, "aliases counted each time") {
		t.Errorf("%d rules, refused %v", len(docs.Rules), refused)
	}
}

func TestLoad(t *testing.T) {
	fsys := fstest.MapFS{
		"aws/b.yaml":            {Data: []byte(strings.Replace(rule, "1dd3c3a8", "2dd3c3a8", 1))},
		"aws/a.yml":             {Data: []byte(rule)},
		"aws/a.cases.yml":       {Data: []byte("cases: []")},
		"aws/broken.yml":        {Data: []byte("title: [")},
		".github/workflows.yml": {Data: []byte("on: push")},
		"README.md":             {Data: []byte("text")},
	}
	docs, refused := sigma.Load(fsys, "rules")
	if len(docs.Rules) != 2 || docs.Rules[0].File != "rules/aws/a.yml" || docs.Rules[1].File != "rules/aws/b.yaml" {
		t.Errorf("read %+v", docs.Rules)
	}
	if len(refused) != 1 || refused[0].File != "rules/aws/broken.yml" {
		t.Errorf("refused %v", refused)
	}
	if _, refused := sigma.LoadPath(filepath.Join(t.TempDir(), "absent")); len(refused) != 1 {
		t.Errorf("a path that is absent gives %v", refused)
	}
	file := filepath.Join(t.TempDir(), "one.yml")
	if err := os.WriteFile(file, []byte(rule), 0o600); err != nil {
		t.Fatal(err)
	}
	if docs, _ := sigma.LoadPath(file); len(docs.Rules) != 1 {
		t.Errorf("one file gives %d rules", len(docs.Rules))
	}
}

// A file of very many documents costs little and is told of in few words.
func TestVeryManyDocuments(t *testing.T) {
	f := func(text string, rules, errors int, last ...string) {
		t.Helper()
		docs, refused := sigma.Parse("r.yml", []byte(text))
		if len(docs.Rules) != rules || len(refused) != errors {
			t.Fatalf("%d rules and %d errors, want %d and %d", len(docs.Rules), len(refused), rules, errors)
		}
		for i, want := range last {
			if got := refused[len(refused)-len(last)+i].Error(); got != want {
				t.Errorf("%q, want %q", got, want)
			}
		}
	}
	one := func(i int) string {
		return fmt.Sprintf("---\ntitle: r%d\nlogsource: {product: p}\ndetection: {s: {a: 1}, condition: s}\n", i)
	}
	var many strings.Builder
	for i := range sigma.MaxDocuments {
		many.WriteString(one(i))
	}
	f(many.String(), sigma.MaxDocuments, 0)
	f(many.String()+one(0), sigma.MaxDocuments, 1, "r.yml:40002:1: file has more than 10000 documents: what stands from here on is not read")
	const told = "file has more than 1000 mistakes: those from here on are not told"
	f(strings.Repeat("---\n{}\n", 100_000), 0, sigma.MaxErrors+2, "r.yml:668:1: "+told,
		"r.yml:20002:1: file has more than 10000 documents: what stands from here on is not read")
	f(strings.Repeat("---\n[]\n", sigma.MaxErrors)+one(0), 1, sigma.MaxErrors)
	f(strings.Repeat("---\n[]\n", sigma.MaxErrors+1)+one(0), 1, sigma.MaxErrors+1, "r.yml:2002:1: "+told)
}
