package pipeline_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/yagura-sec/yagura/sigma/pipeline"
)

// Values of placeholders may stand in files, where a program allows it.
func TestFilePlaceholders(t *testing.T) {
	files := fstest.MapFS{
		"lines.txt":  {Data: []byte("a1\n\n  b2 \nadm-*\n")},
		"table.csv":  {Data: []byte("name,user\nx,ann\ny,ben\nz,\n")},
		"bare.csv":   {Data: []byte("ann,1\nben,2\n")},
		"list.json":  {Data: []byte(`{"items": [{"n": "ann"}, {"n": 7}, {"n": null}]}`)},
		"list.yaml":  {Data: []byte("items: [ann, ben]\n")},
		"deep/a.txt": {Data: []byte("ann")},
		"empty.txt":  {Data: []byte("\n")},
	}
	f := func(more, want string) {
		t.Helper()
		p, refused := pipeline.Options{Files: files}.Parse("p.yml", []byte("transformations:\n- {type: file_placeholders, "+more+"}"))
		if len(refused) > 0 {
			if got := fmt.Sprint(refused); !strings.HasPrefix(got, "[p.yml:2:") || !strings.Contains(got, want) {
				t.Errorf("%s: %s, want %s", more, got, want)
			}
			return
		}
		out, errs := pipeline.Pipelines{p}.Apply(ruleOf(t, `{f|expand: '%x%'}`, ""))
		if len(errs) > 0 || show(out) != want {
			t.Errorf("%s: %s, %v; want %s", more, show(out), errs, want)
		}
	}
	f(`path: lines.txt`, `s{f=a1,b2,adm-*}`)
	f(`path: lines.txt, filter: '\d$'`, `s{f=a1,b2}`)
	f(`path: lines.txt, include: [y]`, `s{f|expand=%x%}`)
	f(`path: deep/a.txt, exclude: [y]`, `s{f=ann}`)
	f(`path: table.csv, format: csv, csv_column: user`, `s{f=ann,ben}`)
	f(`path: table.csv, format: csv, csv_column: 0`, `s{f=x,y,z}`)
	f(`path: bare.csv, format: csv, csv_column: 0, csv_has_header: false`, `s{f=ann,ben}`)
	f(`path: list.json, format: json, jq_expression: '.items[].n'`, `s{f=ann,7}`)
	f(`path: list.yaml, format: yaml, jq_expression: '.items[]'`, `s{f=ann,ben}`)
	f(`path: list.yaml, format: yaml, jq_expression: '.items | map(.)'`, "only paths such as")
	f(`path: list.yaml, format: yaml, jq_expression: .items`, "finds a list: expected texts")
	f(`path: list.yaml, format: yaml, jq_expression: '.[]'`, "finds a mapping where")
	f(`path: list.yaml, format: yaml`, `need "jq_expression"`)
	f(`path: table.csv, format: csv`, `needs "csv_column"`)
	f(`path: table.csv, format: csv, csv_column: who`, `no column "who"`)
	f(`path: table.csv, format: csv, csv_column: name, csv_has_header: false`, `no column "name"`)
	f(`path: absent`, "absent")
	f(`path: ../etc/passwd`, "no leading slash")
	f(`path: /etc/passwd`, "no leading slash")
	f(`path: empty.txt`, "gives no values")
	f(`path: lines.txt, format: xml`, "expected plaintext or csv")
	f(`path: lines.txt, filter: '('`, "missing closing")
	f(`format: csv`, `lacks "path"`)
}
