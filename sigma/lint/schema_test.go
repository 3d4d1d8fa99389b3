package lint_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/lint"
)

const whole = `title: Whole
id: 1dd3c3a8-40d5-4f2e-9d3c-5f7b1e6a2c11
name: whole
related: [{id: 1dd3c3a8-40d5-4f2e-9d3c-5f7b1e6a2c12, type: similar}]
taxonomy: sigma
status: test
description: d
license: MIT
author: A
references: [https://a.example, https://b.example]
date: 2026-03-02
modified: '2026-03-03'
tags: [attack.stealth]
logsource: {product: aws, service: cloudtrail, definition: d}
detection:
  a: {eventName: [x, 1, null]}
  b: [word, {f: x}]
  c: word
  condition: [a, b and c]
fields: [eventName]
falsepositives: [administrators]
scope: [servers]
level: low
anything: {of: ours}
`

const wholeFilter = `title: Filter
id: 1dd3c3a8-40d5-4f2e-9d3c-5f7b1e6a2c13
description: d
date: 2026-03-02
logsource: {product: aws}
filter:
  rules: any
  s: {f: x}
  condition: not s
`

func TestSchema(t *testing.T) {
	f := func(text, change, to string, want ...string) {
		t.Helper()
		if !strings.Contains(text, change) {
			t.Fatalf("%q is not in the document", change)
		}
		var got []string
		for _, p := range lint.Schema("r.yml", []byte(strings.Replace(text, change, to, 1))) {
			got = append(got, strings.TrimPrefix(p.String(), "r.yml:"))
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("with %q the problems are\n%s\nwant\n%s", to, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	f(whole, "", "")
	f(whole, "title: Whole", "title: 5", "1:8: error: title is the number 5, not text (schema)")
	f(whole, "author: A", "author: [A, B]", "9:9: error: author is a list, not text (schema)")
	f(whole, "author: A", "author: yes", "")
	f(whole, "author: A", "author: true", "9:9: error: author is true (quote it, if it is text), not text (schema)")
	f(whole, "references: [https://a.example, https://b.example]", "references: https://a.example", "10:13: error: references is text, not a list (schema)")
	f(whole, "https://b.example", "https://a.example", `10:33: error: references: "https://a.example" is given twice (schema)`)
	f(whole, "[administrators]", "[x]", `21:18: error: an entry of falsepositives "x" has fewer than 2 characters (schema)`)
	f(whole, "description: d", "description: "+strings.Repeat("d", 65536), "7:14: error: description has more than 65535 characters (schema)")
	f(whole, "{id: 1dd3c3a8-40d5-4f2e-9d3c-5f7b1e6a2c12, type: similar}", "{id: 1dd3c3a8-40d5-4f2e-9d3c-5f7b1e6a2c12}", "4:11: error: an entry of related.type is missing (schema)")
	f(whole, "product: aws", "prodct: aws", "14:13: error: prodct is no key of logsource: they are category, definition, product, service (schema)")
	f(whole, "falsepositives:", "falsepositive:", `21:1: warning: key "falsepositive" is not known: falsepositives is (schema)`)
	f(whole, "falsepositives:", "false_positives:", `21:1: warning: key "false_positives" is not known: falsepositives is (schema)`)
	f(whole, "  condition: [a, b and c]\n", "", "16:3: error: detection.condition is missing (schema)")
	f(whole, "level: low\n", "level: low\n---\ntitle: [x]\nlogsource: {product: p}\ndetection: {s: {a: 1}, condition: s}\n", "25:8: error: title is a list, not text (schema)")
	f(wholeFilter, "", "")
	f(wholeFilter, "2c13", "2c1", `2:5: error: id "1dd3c3a8-40d5-4f2e-9d3c-5f7b1e6a2c1" is not a UUID (schema)`)
	f(wholeFilter, "date: 2026-03-02", "date: 2026/03/02", `4:7: error: date "2026/03/02" is not written as YYYY-MM-DD (schema)`)
	f(wholeFilter, "logsource: {product", "logsource: {produkt", "5:13: error: produkt is no key of logsource: they are category, definition, product, service (schema)")
	f(wholeFilter, "  rules: any\n", "", "7:3: error: filter.rules is missing (schema)")
	f(correlated, "", "")
	f(correlated, "rules: [read]", "rules: read", "8:10: error: correlation.rules is text, not a list (schema)")
	f(correlated, "timespan: 10m", "timespan: 10", "11:13: error: correlation.timespan is the number 10, not text (schema)")
	f(correlated, "timespan: 10m", "timespan: 10 minutes", `11:13: error: correlation.timespan "10 minutes" is not a number and a letter (schema)`)
	f(correlated, "  group-by:", "  groupby:", `9:3: error: groupby is no key of correlation: they are aliases, condition, generate, group-by, rules, timespan, type (schema)`)
}

// The specification's own examples are clean, and cease to be once broken.
func TestSpecificationExamples(t *testing.T) {
	dir := filepath.Join("..", "..", "..", "shared", "data", "sigma", "specification", "tests", "schema")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the specification's examples ../shared/data/sigma/specification are not here")
	}
	n := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		n++
		for _, p := range lint.Schema(filepath.Base(path), text) {
			t.Error(p)
		}
		broken := strings.Replace(string(text), "title: ", "title: 1 #", 1)
		if len(lint.Schema(path, []byte(broken))) == 0 {
			t.Errorf("%s: a title that is a number goes unnoticed", path)
		}
		return nil
	})
	if err != nil || n < 10 {
		t.Errorf("%d examples, %v", n, err)
	}
}

// A file of very many documents is told of in few words.
func TestVeryManyDocuments(t *testing.T) {
	text := []byte(strings.Repeat("---\n{}\n", 3*sigma.MaxDocuments))
	if n := len(lint.Schema("r.yml", text)); n != sigma.MaxErrors {
		t.Errorf("%d problems of form", n)
	}
	_, problems := lint.Folder(fstest.MapFS{"r.yml": {Data: text}}, "rules", lint.Options{})
	if n := len(problems); n != sigma.MaxErrors+2 {
		t.Errorf("%d problems", n)
	}
}

func TestFolder(t *testing.T) {
	f := func(files map[string]string, want ...string) {
		t.Helper()
		fsys := fstest.MapFS{}
		for name, text := range files {
			fsys[name] = &fstest.MapFile{Data: []byte(text)}
		}
		_, problems := lint.Folder(fsys, "rules", lint.Options{Columns: []string{"actor_uid"}})
		var got []string
		for _, p := range problems {
			got = append(got, p.String())
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("the problems are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	const fires, quiet = "- {name: a, fires: true}\n", "- {name: b, fires: false}\n"
	f(map[string]string{"r.yml": good, "r.cases.yml": "cases:\n" + fires + quiet})
	f(map[string]string{"r.yml": good, "r.cases.yml": "cases:\n" + fires}, "rules/r.yml:1:1: warning: rule has no case that stays quiet (tests)")
	f(map[string]string{"r.yml": good, "r.cases.yml": "cases:\n" + quiet}, "rules/r.yml:1:1: warning: rule has no case that fires (tests)")
	f(map[string]string{"r.yml": good}, "rules/r.yml:1:1: warning: rule has no cases beside it: at least one that fires and one that stays quiet (tests)")
	other := strings.Replace(good, "1dd3c3a8", "2dd3c3a8", 1)
	f(map[string]string{"r.yml": good, "s.yml": other}, "rules/r.yml:1:1: warning: none of the 2 files of rules has cases beside it (tests)")
	f(map[string]string{"c.yml": correlated, "c.cases.yml": "cases:\n" + fires + quiet}) // the rule below serves it
	f(map[string]string{"c.yml": correlated, "c.cases.yml": "cases:\n- {rule: read, fires: true}\n" + quiet},
		"rules/c.yml:1:1: warning: rule has no case that fires (tests)", "rules/c.yml:14:1: warning: rule has no case that stays quiet (tests)")
	// What is refused is told once.
	f(map[string]string{"r.yml": strings.Replace(good, "title: Trail stopped\n", "", 1), "r.cases.yml": "cases:\n" + fires + quiet}, "rules/r.yml:1:1: error: title is missing (refused)")
	f(map[string]string{"r.yml": strings.Replace(good, "level: high", "level: high\nauthor: [A]", 1), "r.cases.yml": "cases:\n" + fires + quiet}, "rules/r.yml:5:9: error: author is a list: expected text (refused)")
	f(map[string]string{"r.yml": strings.Replace(good, "level: high", "level: high\nauthor: 5", 1), "r.cases.yml": "cases:\n" + fires + quiet}, "rules/r.yml:5:9: error: author is the number 5, not text (schema)")
}
