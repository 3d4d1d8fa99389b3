package sqlgen

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/match"
)

var update = flag.Bool("update", false, "write golden files")

const head = "logsource: {product: p}\ndetection:\n"

// rules are one for every kind of question.
var texts = []struct{ name, detection string }{
	{"equal", "  s: {name: [Foo, bar], src: S3}\n  condition: s"},
	{"cased", "  s: {name|cased: Foo}\n  condition: s"},
	{"parts", "  s: {agent|contains: [Aws, Kali], name|startswith: Get, name|endswith: All}\n  condition: s"},
	{"wildcards", "  s: {name: 'Get*Value?'}\n  condition: s"},
	{"folding", "  s: {name: 'Straßeſ', deep.field: 'kK'}\n  condition: s"},
	{"regex", "  s: {agent|re|i: '^a(?P<x>b)\\d+$'}\n  condition: s"},
	{"number", "  s: {count|gte: 10, other: 4.5}\n  condition: s"},
	{"network", "  s: {ip|cidr: [10.0.0.0/8, '2001:db8::/32']}\n  condition: s"},
	{"not", "  s: {name: Foo}\n  f: {agent: Good}\n  g: {err: null}\n  condition: s and not f and g"},
	{"absent", "  s: {err|exists: false}\n  condition: s"},
	{"some of", "  s1: {name: a}\n  s2: {src: b}\n  s3: {err: c}\n  condition: 2 of s*"},
	{"words", "  s: {kind: root}\n  condition: s"},
	{"dates", "  s: {at|week: 12, at|hour: 3}\n  condition: s"},
	{"reference", "  s: {name|fieldref|contains: a.b}\n  condition: s"},
	{"keywords", "  s: ['mimi*katz', plain]\n  condition: s"},
	{"no column", "  s: {deep.field: x}\n  condition: s"},
	{"elsewhere", "  s: {name: x}\n  condition: s"},
}

var log = Log{
	Source: match.Source{Product: "p"}, Column: "format", Value: "p.log", Raw: "raw",
	Fields: map[string]Field{
		"name":  {Columns: []string{"op"}, Max: 100},
		"src":   {Columns: []string{"svc"}, Odd: true},
		"agent": {Columns: []string{"ua"}, Odd: true, Only: true},
		"err":   {Columns: []string{"code"}, Only: true},
		"ip":    {Columns: []string{"ip", "host"}, Odd: true},
		"count": {Columns: []string{"n"}},
		"at":    {Columns: []string{"at"}},
		"kind":  {Columns: []string{"kind"}, Words: map[string][]string{"Root": {"root", "masked"}}},
	},
}

func goldenSet(t *testing.T) *match.Set {
	t.Helper()
	var docs sigma.Documents
	for _, x := range texts {
		source := head
		if x.name == "elsewhere" {
			source = strings.Replace(head, "product: p", "product: q", 1)
		}
		some, errs := sigma.Parse(x.name+".yml", []byte(fmt.Sprintf("title: %s\nid: %s\n", x.name, x.name)+source+x.detection+"\n"))
		if len(errs) > 0 {
			t.Fatal(errs[0])
		}
		docs.Add(some)
	}
	set, errs := match.Compile(docs.Rules, match.Options{})
	if len(errs) > 0 {
		t.Fatal(errs[0])
	}
	return set
}

// TestGolden shows what is written in each dialect.
func TestGolden(t *testing.T) {
	set := goldenSet(t)
	for name, d := range Dialects {
		var b strings.Builder
		show := func(title string, q Query) {
			fmt.Fprintf(&b, "# %s\n%s\n", title, q.Where)
			for _, a := range q.Args {
				fmt.Fprintf(&b, "  ? %q\n", a)
			}
			for _, why := range q.Why {
				fmt.Fprintf(&b, "  ! %s\n", why)
			}
			b.WriteByte('\n')
		}
		var all []int
		for i := range set.Len() {
			show(set.Rule(i).Key(), Superset(set, []int{i}, []Log{log}, d))
			if i < 6 {
				all = append(all, i)
			}
		}
		show("several", Superset(set, all, []Log{log}, d))
		path := filepath.Join("testdata", "superset-"+name+".golden")
		if *update {
			if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if b.String() != string(want) {
			t.Errorf("%s differs; -update writes it anew:\n%s", path, b.String())
		}
	}
}

// known are the functions and words that a condition may be made of, by dialect.
// ClickHouse does not run here, so its texts are read instead.
var known = map[string][]string{
	"duckdb":     {"lower", "strlen", "length", "prefix", "suffix", "contains", "regexp_matches"},
	"clickhouse": {"lower", "length", "lengthUTF8", "startsWith", "endsWith", "position", "match"},
}

// TestReads checks that conditions of every rule are whole in both dialects:
// brackets pair, quotes end, functions exist, as many arguments as marks.
func TestReads(t *testing.T) {
	set := goldenSet(t)
	for name, d := range Dialects {
		for i := range set.Len() {
			q := Superset(set, []int{i}, []Log{log}, d)
			if err := read(q, name); err != nil {
				t.Errorf("%s, rule %s: %v in %s", name, set.Rule(i).Key(), err, q.Where)
			}
		}
	}
	f := func(where string, args ...any) {
		t.Helper()
		if read(Query{Where: where, Args: args}, "clickhouse") == nil {
			t.Errorf("%s is read", where)
		}
	}
	f("(`a` = ?", "x")
	f("`a = ?", "x")
	f("`a` = ?")
	f("`a` = 'x")
	f("regexp_matches(`a`, ?)", "x")
	f("`a` = \"b\"")
	f("`a` `b`")
	f("AND `a` = ?", "x")
	f("lower(`a`,)")
}

// TestExactRefuses what SQL has no words for, and says why.
// TestExactOfNoRule: an index that the set does not have is an error, not a panic.
func TestExactOfNoRule(t *testing.T) {
	set, _ := match.Compile(nil, match.Options{})
	for _, i := range []int{-1, 0, 1} {
		if q, err := Exact(set, i, Log{}, DuckDB{}); err == nil || !strings.Contains(err.Error(), "there is no rule") {
			t.Errorf("rule %d of none: %v, %v", i, q, err)
		}
	}
}

func TestExactRefuses(t *testing.T) {
	set := goldenSet(t)
	f := func(rule int, l Log, d Dialect, why string) {
		t.Helper()
		_, err := Exact(set, rule, l, d)
		if err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("rule %s: %v, want %q", set.Rule(rule).Key(), err, why)
		}
	}
	f(0, Log{Source: log.Source}, DuckDB{}, "no column has the whole record")
	f(0, log, ClickHouse{}, "arrays in arrays")
	if q, err := Exact(set, set.Len()-1, log, DuckDB{}); err != nil || q.Where != "false" {
		t.Errorf("a rule of another log: %q, %v", q.Where, err)
	}
	some, _ := sigma.Parse("x.yml", []byte("title: x\nid: x\n"+head+"  s: {a: "+strings.Repeat("9", 40)+"}\n  w: {a|wide|contains: 'é'}\n  condition: s or w\n"))
	wide, errs := match.Compile(some.Rules, match.Options{})
	if len(errs) > 0 {
		t.Fatal(errs[0])
	}
	if _, err := Exact(wide, 0, log, DuckDB{}); err == nil || !strings.Contains(err.Error(), "digits") {
		t.Errorf("forty digits: %v", err)
	}
}
