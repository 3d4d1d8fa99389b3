package local

import (
	"bufio"
	"database/sql"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/yagura-sec/yagura/internal/shared"
	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/match"
	"github.com/yagura-sec/yagura/sigma/sqlgen"
)

// sigmaTable is records in DuckDB, with columns for some of their fields.
type sigmaTable struct {
	t       testing.TB
	db      *sql.DB
	records [][]byte
	fields  map[string]sqlgen.Field
}

func newSigmaTable(t testing.TB, fields map[string]sqlgen.Field, records [][]byte) *sigmaTable {
	t.Helper()
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(1)
	s := &sigmaTable{t: t, db: db, records: records, fields: fields}
	var columns []string
	for _, f := range fields {
		columns = append(columns, f.Columns...)
	}
	slices.Sort(columns)
	create := "CREATE TABLE events (id BIGINT, format VARCHAR, raw VARCHAR"
	for _, c := range columns {
		create += `, "` + c + `" VARCHAR`
	}
	if _, err := db.Exec(create + ")"); err != nil {
		t.Fatal(err)
	}
	for i, r := range records {
		held := map[string]string{}
		for name, f := range fields {
			held[f.Columns[i%len(f.Columns)]] = columnOf(r, name, f)
		}
		args := []any{i, "log", string(r)}
		for _, c := range columns {
			args = append(args, held[c])
		}
		if _, err := db.Exec("INSERT INTO events VALUES (?"+strings.Repeat(", ?", len(args)-1)+")", args...); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// columnOf is what a normaliser keeps of a member: text as it is, cut.
func columnOf(record []byte, name string, f sqlgen.Field) string {
	var members map[string]json.RawMessage
	var s string
	if json.Unmarshal(record, &members) != nil || json.Unmarshal(members[name], &s) != nil {
		return ""
	}
	s = strings.ReplaceAll(s, "\x00", "\uFFFD")
	if f.Max > 0 && len(s) > f.Max {
		s = s[:f.Max]
		for !utf8.ValidString(s) {
			s = s[:len(s)-1]
		}
	}
	return s
}

func (s *sigmaTable) logs(set *match.Set, rule int) sqlgen.Log {
	return sqlgen.Log{Source: match.SourceOf(set.Rule(rule)), Column: "format", Value: "log", Fields: s.fields, Raw: "raw"}
}

// rows asks DuckDB.
func (s *sigmaTable) rows(q sqlgen.Query) []int {
	s.t.Helper()
	if n := strings.Count(q.Where, "?"); n < len(q.Args) {
		s.t.Fatalf("%d question marks for %d arguments: %s", n, len(q.Args), q.Where)
	}
	rows, err := s.db.Query("SELECT id, "+q.Where+" FROM events ORDER BY id", q.Args...)
	if err != nil {
		s.t.Fatalf("%v\n%s", err, shown(q))
	}
	defer rows.Close()
	var out []int
	for rows.Next() {
		var id int
		var holds sql.NullBool
		if err := rows.Scan(&id, &holds); err != nil {
			s.t.Fatal(err)
		}
		if !holds.Valid {
			s.t.Fatalf("record %s: the condition is NULL\n%s", s.records[id], q.Where)
		}
		if holds.Bool {
			out = append(out, id)
		}
	}
	if err := rows.Err(); err != nil {
		s.t.Fatalf("%v\n%s", err, shown(q))
	}
	return out
}

// shown is the beginning of a query; where it reads records is always the same.
func shown(q sqlgen.Query) string {
	text := fmt.Sprintf("%s\n%q", q.Where, q.Args)
	return text[:min(len(text), 1500)]
}

// agreement counts what a comparison covered.
type agreement struct {
	rules, expressible, narrowed, hits, passed, records int
	refused                                             map[string]int
}

// agree holds three ways against each other for one rule: matching each record,
// the exact condition, and the wide one with a second look.
func (s *sigmaTable) agree(set *match.Set, rule int, sum *agreement) {
	s.t.Helper()
	sc := set.NewScratch()
	source := match.SourceOf(set.Rule(rule))
	var want []int
	for id, r := range s.records {
		hits, err := set.MatchJSON(sc, r, source)
		if err == nil && slices.Contains(hits, rule) {
			want = append(want, id)
		}
	}
	sum.rules++
	sum.hits += len(want)
	sum.records += len(s.records)
	log := s.logs(set, rule)
	wide := sqlgen.Superset(set, []int{rule}, []sqlgen.Log{log}, sqlgen.DuckDB{})
	passed := s.rows(wide)
	sum.passed += len(passed)
	if len(wide.Why) == 0 {
		sum.narrowed++
	}
	for _, id := range want {
		if !slices.Contains(passed, id) {
			s.t.Fatalf("rule %s\nmatches %s,\nwhich the condition leaves out: %s", ruleText(set, rule), s.records[id], shown(wide))
		}
	}
	exact, err := sqlgen.Exact(set, rule, log, sqlgen.DuckDB{})
	if err != nil {
		_, why, _ := strings.Cut(err.Error(), ": ")
		sum.refused[why]++
		return
	}
	sum.expressible++
	got := s.rows(exact)
	if slices.Equal(got, want) {
		return
	}
	for id := range s.records {
		if slices.Contains(got, id) != slices.Contains(want, id) {
			s.t.Fatalf("rule %s\nrecord %s\nin SQL %v, matched %v\n%s", ruleText(set, rule), s.records[id], slices.Contains(got, id), slices.Contains(want, id), shown(exact))
		}
	}
}

func ruleText(set *match.Set, rule int) string {
	r := set.Rule(rule)
	var b strings.Builder
	fmt.Fprintf(&b, "%s", r.Key())
	for _, s := range r.Detection.Searches {
		fmt.Fprintf(&b, "\n  %s:", s.Name)
		for _, g := range s.Groups {
			fmt.Fprint(&b, " [")
			for _, it := range g {
				fmt.Fprintf(&b, " %s:", it.Key)
				for _, v := range it.Values {
					fmt.Fprintf(&b, " %q", v.Text)
				}
			}
			fmt.Fprint(&b, " ]")
		}
	}
	for _, c := range r.Detection.Conditions {
		fmt.Fprintf(&b, "\n  condition: %s", c.Text)
	}
	return b.String()
}

// TestSigmaCorpus: on every case of the corpus that is a rule and a record the
// three ways agree with each other.
func TestSigmaCorpus(t *testing.T) {
	f, err := os.Open(shared.Dir(t, "sigma-cases/cases.jsonl"))
	if err != nil {
		t.Skip(err)
	}
	defer f.Close()
	type key struct{ rule, placeholders string }
	records := map[key][][]byte{}
	placeholders := map[key]map[string][]string{}
	var order []key
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var c struct {
			ID, Kind, Rule string
			Event          json.RawMessage
			Placeholders   map[string][]string
		}
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		if c.Kind == "correlation" || len(c.Event) == 0 {
			continue
		}
		k := key{c.Rule, fmt.Sprint(c.Placeholders)}
		if records[k] == nil {
			order = append(order, k)
		}
		records[k] = append(records[k], c.Event)
		placeholders[k] = c.Placeholders
	}
	sum := agreement{refused: map[string]int{}}
	cases, expressible := 0, 0
	for i, k := range order {
		if testing.Short() && i%8 != 0 {
			continue
		}
		docs, refused := sigma.Parse("case.yml", []byte(k.rule))
		set, more := match.Compile(docs.Rules, match.Options{Placeholders: placeholders[k], Filters: docs.Filters})
		if len(refused)+len(more) > 0 || set.Len() == 0 {
			continue
		}
		s := newSigmaTable(t, nil, records[k])
		before := sum.expressible
		s.agree(set, 0, &sum)
		s.db.Close()
		cases += len(records[k])
		if sum.expressible > before {
			expressible += len(records[k])
		}
	}
	t.Logf("%d rules, %d with an exact condition; %d cases, %d decided by it; refused: %v", sum.rules, sum.expressible, cases, expressible, sum.refused)
	if cases < 100 || expressible*100 < cases*95 {
		t.Errorf("only %d of %d cases are decided by SQL", expressible, cases)
	}
}

// words of random rules and records, chosen so that they meet, and with what is
// hard about text.
var (
	sigmaFields = []string{"name", "name", "err", "a", "b", "a.b", "a.b.c", "b.c", "c", "x y", "a.c.b", "é", "a[0]", "a.b.c.d"}
	sigmaKeys   = []string{"a", "b", "c", "a.b", "b.c", "a.b.c", "x y", "é", "z", "a[0]", "c.d", "d", `\u0061\u002eb`}
	sigmaTexts  = []string{"", "foo", "FOO", "Foobar", "bar", "10.1.2.3", "42", "4.2e1", "true", "null", "ſ", "K", "k", "é", "É", "-0",
		"2026-03-01T22:15:09Z", "2026-02-30", "0000-01-01", "2024-12-30 05", "2026-03-01Té9:15", "-x /y", "a*b", `a\\b`, "日本", `a\nb`, `\ud83d\ude00`, `a\\`, `\"`, "a?b", "{x}",
		`\ud83d`, `\udE00x`, `\/\u002f`, "\ue000", "\ue0015", "::ffff:10.1.2.3", "2001:DB8::1%eth0", "2001:db8:0:0::", "1:2:3:4:5:6:7:8", "::", "1::2::3",
		"S", "N4", "İ", "ΣΑΣ", "σας", "9007199254740993", "99999999999999999999999999999999999999999", "it's", "100%", "[1]", ", ,", "AKIA.a"}
	sigmaModifiers = []string{"", "", "|contains", "|startswith", "|endswith", "|cased", "|contains|cased", "|re", "|re|i", "|cidr", "|gte", "|lt", "|lte", "|gt",
		"|exists", "|neq", "|fieldref", "|fieldref|contains", "|fieldref|cased", "|fieldref|endswith", "|hour", "|week", "|day", "|minute|gte", "|month", "|year|lt",
		"|windash|contains", "|base64offset|contains", "|contains|all", "|wide|base64", "|re|i|m|s"}
)

func oneOf(r *rand.Rand, list []string) string { return list[r.IntN(len(list))] }

func randomSigmaRule(r *rand.Rand, n int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "title: t%d\nid: r%d\nlogsource: {product: p}\ndetection:\n", n, n)
	for i := range 1 + r.IntN(4) {
		fmt.Fprintf(&b, "  s%d:\n", i)
		if r.IntN(8) == 0 {
			fmt.Fprintf(&b, "    - '%s'\n", sigmaPattern(r, ""))
			continue
		}
		seen := map[string]bool{}
		for range 1 + r.IntN(2) {
			mod := oneOf(r, sigmaModifiers)
			key := oneOf(r, sigmaFields) + mod
			if !seen[key] {
				seen[key] = true
				fmt.Fprintf(&b, "    '%s': [%s, %s]\n", key, sigmaItem(r, mod), sigmaItem(r, mod))
			}
		}
	}
	fmt.Fprintf(&b, "  condition: %s\n", oneOf(r, []string{"s0", "s0", "1 of s*", "all of s*", "not s0", "1 of s* and not s0", "s0 or not 1 of them", "not (s0 and 1 of s*)", "2 of s*"}))
	return b.String()
}

func sigmaItem(r *rand.Rand, mod string) string {
	switch mod {
	case "|cidr":
		return oneOf(r, []string{"10.0.0.0/8", "'2001:db8::/32'", "0.0.0.0/0", "'::/0'", "10.1.2.0/25", "'1::/16'"})
	case "|gte", "|lt", "|hour", "|lte", "|gt", "|week", "|day", "|minute|gte", "|month", "|year|lt":
		return oneOf(r, []string{"0", "42", "-1.5", "22", "1", "9007199254740993", "2026", "9", "3", "1e2", "2030"})
	case "|exists":
		return oneOf(r, []string{"true", "false"})
	case "|fieldref", "|fieldref|contains", "|fieldref|cased", "|fieldref|endswith":
		return "'" + oneOf(r, sigmaFields) + "'"
	case "|re", "|re|i", "|re|i|m|s":
		return oneOf(r, []string{"'^f.o'", "'bar$'", "'[0-9]+'", "''", `'\d\.\d'`, `'(?P<x>o)\w*\b'`, `'^.\nb$'`, `'[^a-z]'`, `'k|S'`, `'\p{Greek}'`, `'a.b'`})
	}
	if r.IntN(5) == 0 {
		return oneOf(r, []string{"null", "true", "42", "4.20", "-0", "100"})
	}
	return "'" + sigmaPattern(r, mod) + "'"
}

func sigmaPattern(r *rand.Rand, mod string) string {
	text := strings.ReplaceAll(oneOf(r, sigmaTexts), "'", "''")
	if strings.Contains(text, `\u`) {
		text = "😀"
	}
	if r.IntN(3) == 0 && !strings.Contains(mod, "base64") {
		text = oneOf(r, []string{"*" + text, text + "*", "?" + text, text + "?", "*" + text + "*", "f?o*r"})
	}
	return text
}

func randomSigmaValue(r *rand.Rand, depth int) string {
	n := r.IntN(13)
	if depth > 3 {
		n = r.IntN(9)
	}
	switch n {
	case 0:
		return "null"
	case 1:
		return oneOf(r, []string{"true", "false"})
	case 2, 3:
		return oneOf(r, []string{"42", "42.0", "-7", "1e2", "1E+2", "0", "-0", "9007199254740993", "22", "4.20", "1e400", "100", "99999999999999999999999999999999999999999", "-99999999999999999999999999999999999999999"})
	case 9, 10:
		return randomSigmaObject(r, depth+1)
	case 11, 12:
		var parts []string
		for range r.IntN(4) {
			parts = append(parts, randomSigmaValue(r, depth+1))
		}
		return "[" + strings.Join(parts, oneOf(r, []string{",", " , ", ",\n"})) + "]"
	}
	return `"` + oneOf(r, sigmaTexts) + `"`
}

// randomSigmaRecord has members that are texts wherever they are, as columns
// without Odd ask for, beside others that are anything.
func randomSigmaRecord(r *rand.Rand) []byte {
	record := randomSigmaObject(r, 0)
	for _, name := range []string{"name", "err"} {
		value := `"` + oneOf(r, sigmaTexts) + `"`
		switch r.IntN(6) {
		case 0:
			value = "null"
		case 1:
			continue
		}
		record = strings.TrimSuffix(fmt.Sprintf(`{ "%s" : %s, %s`, name, value, record[1:]), "}")
		record = strings.TrimRight(record, ", \n") + "}"
	}
	return []byte(record)
}

// randomSigmaObject names no member twice, as providers do not.
func randomSigmaObject(r *rand.Rand, depth int) string {
	var parts []string
	seen := map[string]bool{}
	for range r.IntN(7) {
		key := oneOf(r, sigmaKeys)
		var name string
		json.Unmarshal([]byte(`"`+key+`"`), &name)
		if seen[name] {
			continue
		}
		seen[name] = true
		parts = append(parts, fmt.Sprintf(`"%s"%s%s`, key, oneOf(r, []string{":", " : "}), randomSigmaValue(r, depth)))
	}
	return "{" + strings.Join(parts, oneOf(r, []string{",", ",\n "})) + "}"
}

// TestSigmaRandom holds the three ways against each other on random rules and
// records. It prints its seed; give another with YAGURA_SEED.
func TestSigmaRandom(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("YAGURA_SEED"); text != "" {
		fmt.Sscan(text, &seed)
	}
	t.Logf("YAGURA_SEED=%d", seed)
	r := rand.New(rand.NewPCG(seed, 11))
	tables, rules := 6, 30
	if testing.Short() {
		tables, rules = 2, 20
	}
	fields := map[string]sqlgen.Field{
		"name": {Columns: []string{"name"}, Max: 24},
		"err":  {Columns: []string{"err"}, Only: true},
		"a":    {Columns: []string{"a"}, Odd: true, Only: true, Max: 16},
		"b":    {Columns: []string{"b"}, Odd: true},
		"c":    {Columns: []string{"c1", "c2"}, Odd: true, Only: true},
		"x y":  {Columns: []string{"x y"}, Odd: true, Only: true, Share: 0.5},
	}
	sum := agreement{refused: map[string]int{}}
	for range tables {
		var records [][]byte
		for range 80 {
			records = append(records, randomSigmaRecord(r))
		}
		s := newSigmaTable(t, fields, records)
		var docs sigma.Documents
		for i := range rules {
			some, _ := sigma.Parse("random.yml", []byte(randomSigmaRule(r, i)))
			docs.Add(some)
		}
		set, _ := match.Compile(docs.Rules, match.Options{})
		for i := range set.Len() {
			s.agree(set, i, &sum)
		}
		s.allTogether(set)
		s.db.Close()
	}
	t.Logf("%d rules, %d with an exact condition, %d narrowed by columns; %d matches, %d of %d rows read; refused: %v",
		sum.rules, sum.expressible, sum.narrowed, sum.hits, sum.passed, sum.records, sum.refused)
	if sum.expressible*100 < sum.rules*80 || sum.hits < sum.rules || sum.passed == sum.records || sum.narrowed == 0 {
		t.Errorf("the test shows too little: %+v", sum)
	}
}

// allTogether asks one condition for all rules.
func (s *sigmaTable) allTogether(set *match.Set) {
	s.t.Helper()
	rules := make([]int, set.Len())
	for i := range rules {
		rules[i] = i
	}
	log := s.logs(set, 0)
	passed := s.rows(sqlgen.Superset(set, rules, []sqlgen.Log{log}, sqlgen.DuckDB{}))
	sc := set.NewScratch()
	for id, r := range s.records {
		hits, err := set.MatchJSON(sc, r, log.Source)
		if err == nil && len(hits) > 0 && !slices.Contains(passed, id) {
			s.t.Fatalf("rule %s matches %s, which the condition of all rules leaves out", ruleText(set, hits[0]), r)
		}
	}
}
