package match

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/yagura-sec/yagura/sigma"
)

// agree holds the fast way against the plain one.
func agree(t *testing.T, s *Set, sc *Scratch, record []byte, src Source) {
	t.Helper()
	record = bytes.TrimSpace(record)
	if !json.Valid(record) || record[0] != '{' {
		if _, err := s.MatchJSON(sc, record, src); err == nil && (len(record) == 0 || record[0] != '{') {
			t.Fatalf("takes %q, which is no object", record)
		}
		return
	}
	got, err := s.MatchJSON(sc, record, src)
	if err != nil {
		t.Fatalf("%s: %v", record, err)
	}
	if want := s.referenceMatch(record, src); !slices.Equal(got, want) {
		t.Fatalf("record %s\ngot rules %v, want %v", record, keys(s, got), keys(s, want))
	}
	for _, i := range got {
		if e := sc.Explain(i); !e.Held || len(e.Facts()) == 0 && !constant(s, i) {
			t.Fatalf("rule %s matches %s, but its explanation says %+v", s.Rule(i).Key(), record, e)
		}
	}
}

func constant(s *Set, i int) bool {
	_, c := s.program.Rules[i].Expr.Constant()
	return c
}

func keys(s *Set, rules []int) []string {
	var out []string
	for _, i := range rules {
		out = append(out, s.Rule(i).Key())
	}
	return out
}

// words make up field names and values, so that random rules and records meet.
var (
	fieldNames = []string{"a", "b", "a.b", "a.b.c", "b.c", "c", "x y", "a.c.b", "é"}
	memberKeys = []string{"a", "b", "c", "a.b", "b.c", "a.b.c", "x y", "é", "\\u0061", "z"}
	// texts stand in rules and in records, where their escapes mean something.
	texts = []string{"", "foo", "FOO", "Foobar", "bar", "10.1.2.3", "42", "4.2e1", "true", "null", "ſ", "s", "S", "K", "k", "\u212a", "İ", "i", "ß", "ss", "é", "É", "\\u00e9",
		"2026-03-01T22:15:09Z", "-x /y", "a*b", `a\\b`, "日本", "a\\nb", "\\ud83d\\ude00", `a\\`, `\"`, "ab", "aba", "bab", "abab", "oba", "the long text that nobody writes", "THE LONG TEXT that somebody writes",
		"kelvin \u212a", "Maſſe", "masse"}
	// overlaps stand in rules only: they occur in the text of records, but across
	// its values.
	overlaps     = []string{`{"a":1}`, `foo","bar`, `"a":"foo`, "42,"}
	modifierSets = []string{"", "|contains", "|startswith", "|endswith", "|cased", "|contains|cased", "|re", "|re|i", "|cidr", "|gte", "|lt",
		"|startswith|cased", "|endswith|cased", "|re|cased", "|lte", "|gt", "|minute", "|week|gt", "|year", "|contains|neq", "|fieldref|endswith|cased",
		"|exists", "|neq", "|fieldref", "|fieldref|contains", "|hour", "|windash|contains", "|base64offset|contains", "|contains|all", "|wide|base64"}
)

func pick(r *rand.Rand, list []string) string { return list[r.IntN(len(list))] }

// randomRule is a rule that may be refused.
func randomRule(r *rand.Rand, n int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "title: t%d\nid: r%d\nlogsource: {product: p}\ndetection:\n", n, n)
	searches := 1 + r.IntN(4)
	for i := range searches {
		fmt.Fprintf(&b, "  s%d:\n", i)
		switch r.IntN(10) {
		case 0:
			fmt.Fprintf(&b, "    - %q\n", pick(r, texts))
			continue
		case 1:
			fmt.Fprintf(&b, "    '|all': [%s, %s]\n", randomPattern(r, ""), randomPattern(r, ""))
			continue
		case 2:
			fmt.Fprintf(&b, "    '|re': %s\n", randomPattern(r, "|re"))
			continue
		}
		seen := map[string]bool{}
		for range 1 + r.IntN(2) {
			mod := pick(r, modifierSets)
			key := pick(r, fieldNames) + mod
			if seen[key] {
				continue
			}
			seen[key] = true
			fmt.Fprintf(&b, "    '%s': [%s, %s]\n", key, randomPattern(r, mod), randomPattern(r, mod))
		}
	}
	condition := []string{"not not s0", "not 2 of s*", "not (not s0 or not 1 of s*)", "not all of s*", "s0", "1 of s*", "all of s*", "not s0", "1 of s* and not s0", "s0 or not 1 of them", "not (s0 and 1 of s*)", "2 of s*"}
	fmt.Fprintf(&b, "  condition: %s\n", pick(r, condition))
	return b.String()
}

func randomPattern(r *rand.Rand, mod string) string {
	switch mod {
	case "|cidr":
		return pick(r, []string{"10.0.0.0/8", "'2001:db8::/32'", "0.0.0.0/0"})
	case "|gte", "|lt", "|lte", "|gt", "|hour", "|minute", "|week|gt", "|year":
		return pick(r, []string{"0", "42", "-1.5", "22"})
	case "|exists":
		return pick(r, []string{"true", "false"})
	case "|fieldref", "|fieldref|contains", "|fieldref|endswith|cased":
		return "'" + pick(r, fieldNames) + "'"
	case "|re", "|re|i", "|re|cased":
		return pick(r, []string{"'^f.o'", "'bar$'", "'[0-9]+'", "''", "'(foo|bar)+'", "'[kK]'", "'(?i)K'", "'ma(ſſ|ss)e'", "'^(a|b)*$'", "'é|É'", "'t(h)e long'", "'\\bfoo'", "'a{2,}|b'"})
	}
	if r.IntN(6) == 0 {
		return pick(r, []string{"null", "true", "42", "4.20"})
	}
	text := strings.ReplaceAll(pick(r, texts), "'", "''")
	if r.IntN(20) == 0 {
		text = pick(r, overlaps)
	}
	if r.IntN(3) == 0 {
		text = pick(r, []string{"*" + text, text + "*", "?" + text, text + "?", "*" + text + "*"})
	}
	return "'" + text + "'"
}

func randomValue(r *rand.Rand, depth int) string {
	n := r.IntN(12)
	if depth > 3 {
		n = r.IntN(9)
	}
	switch n {
	case 0:
		return "null"
	case 1:
		return pick(r, []string{"true", "false"})
	case 2:
		return pick(r, []string{"42", "42.0", "-7", "1e2", "0", "-0", "9007199254740993", "22"})
	case 9:
		return randomObject(r, depth+1)
	case 10, 11:
		var parts []string
		for range r.IntN(4) {
			parts = append(parts, randomValue(r, depth+1))
		}
		return "[" + strings.Join(parts, pick(r, []string{",", " , "})) + "]"
	}
	switch r.IntN(200) {
	case 0: // a huge value, what counts at its end
		return `"` + strings.Repeat(pick(r, []string{"x", "foo bar ", "ab", "é"}), 5_000) + pick(r, texts) + `"`
	case 1:
		return `"` + pick(r, texts) + strings.Repeat("-", 5_000) + `"`
	}
	if r.IntN(3) == 0 {
		return `"` + pick(r, texts) + pick(r, texts) + `"`
	}
	return `"` + pick(r, texts) + `"`
}

func randomObject(r *rand.Rand, depth int) string {
	var parts []string
	for range r.IntN(6) {
		parts = append(parts, fmt.Sprintf(`"%s"%s%s`, pick(r, memberKeys), pick(r, []string{":", " : "}), randomValue(r, depth)))
	}
	return "{" + strings.Join(parts, pick(r, []string{",", ",\n "})) + "}"
}

var random = Source{Product: "p"}

func randomSet(r *rand.Rand, n int) *Set {
	var docs sigma.Documents
	for i := range n {
		some, _ := sigma.Parse("random.yml", []byte(randomRule(r, i)))
		docs.Add(some)
	}
	s, _ := Compile(docs.Rules, Options{})
	return s
}

func TestAgreesWithReference(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 5))
	compiled, hits := 0, 0
	for range 60 {
		s := randomSet(r, 30)
		sc := s.NewScratch()
		compiled += s.Len()
		for range 60 {
			record := []byte(randomObject(r, 0))
			agree(t, s, sc, record, random)
			hits += len(sc.hits)
		}
	}
	if compiled < 600 || hits < 4_000 {
		t.Errorf("only %d rules compiled and %d matches occurred: the test shows too little", compiled, hits)
	}
}

func FuzzAgreesWithReference(f *testing.F) {
	f.Add(uint64(1), []byte(`{"a":{"b":"foo","a.b":1},"a.b":["bar",null,{"c":42}]}`))
	f.Add(uint64(2), []byte(`{"\u0061":"\ud83d\ude00\ud83d","x y":1e400,"a":[[],{}]}`))
	f.Add(uint64(4), []byte(`{"a":"the long text that nobody writes","b":"THE LONG TEXT that somebody writes \u212a","c":"Maſſe"}`))
	f.Add(uint64(3), []byte("{\"a\":\"\xff\xc3\x28\",\"b\":\"\\u00e9\"}"))
	f.Fuzz(func(t *testing.T, seed uint64, record []byte) {
		s := randomSet(rand.New(rand.NewPCG(seed, 7)), 10)
		agree(t, s, s.NewScratch(), record, random)
	})
}

// Real records against real rules, where they are at hand.
func TestAgreesOnRealRecords(t *testing.T) {
	shared := filepath.Join("..", "..", "..", "shared", "data")
	docs, _ := sigma.LoadPath(filepath.Join(shared, "sigma", "sigmahq-rules", "rules", "cloud", "aws"))
	own, _ := sigma.LoadPath(filepath.Join("..", "..", "rules", "aws"))
	docs.Add(own)
	files, _ := filepath.Glob(filepath.Join(shared, "cloudtrail", "stratus-detonation", "*.json"))
	if len(files) == 0 {
		t.Skip("real records ../shared/data/cloudtrail/stratus-detonation are not here")
	}
	s, _ := Compile(docs.Rules, Options{})
	sc := s.NewScratch()
	records, hits := 0, 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, record := range recordsOf(text) {
			agree(t, s, sc, record, cloudtrail)
			records++
			hits += len(sc.hits)
		}
	}
	t.Logf("%d rules, %d records, %d matches", s.Len(), records, hits)
	if records == 0 || hits == 0 {
		t.Error("nothing was compared")
	}
}

// recordsOf finds the records in a file: under Records, in an array, or in a row.
func recordsOf(text []byte) []json.RawMessage {
	var out []json.RawMessage
	dec := json.NewDecoder(bytes.NewReader(text))
	for {
		var v json.RawMessage
		if dec.Decode(&v) != nil {
			return out
		}
		var wrapped struct{ Records []json.RawMessage }
		var list []json.RawMessage
		switch {
		case json.Unmarshal(v, &wrapped) == nil && wrapped.Records != nil:
			out = append(out, wrapped.Records...)
		case json.Unmarshal(v, &list) == nil:
			out = append(out, list...)
		default:
			out = append(out, v)
		}
	}
}

var cloudtrail = Source{Product: "aws", Service: "cloudtrail"}
