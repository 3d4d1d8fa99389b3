package query

import (
	"bytes"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/golden"
	"github.com/yagura-sec/yagura/usage"
)

// TestColumnsDocument holds docs/columns.md to the tables of columns.
func TestColumnsDocument(t *testing.T) {
	var b bytes.Buffer
	b.WriteString("# Columns\n\nWritten by `make update` from the tables of the program.\n\n" +
		"## events\n\nOne row an event: what filters ([search.md](search.md)), `yagura sql`, JSON and the segments agree on.\n" +
		"A text that the record does not give is empty, never NULL (in the segments themselves `event_uid` is NULL\n" +
		"where it equals `uid`). The aliases are for filters only.\n\n" +
		"| column | aliases | type | what it is |\n| --- | --- | --- | --- |\n")
	for _, c := range Columns() {
		doc := c.Doc
		if len(c.Values) > 0 {
			doc += ": `" + strings.Join(c.Values, "` `") + "`"
		}
		aliases := strings.Join(c.Aliases, ", ")
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", c.Name, aliases, c.Type, doc)
	}
	b.WriteString("\n## usage\n\nOne row for each hour and combination of the columns up to `outcome`: who used what, when, from where and\n" +
		"with what outcome. It outlives the events. For `yagura sql` only.\n\n" +
		"Every event counts once in a row whose `resource_uid` is empty, and once in a row of each resource it names:\n" +
		"to sum over principals or operations, say `where resource_uid = ''`. Events that are a `twin` do not count,\n" +
		"nor do those of category `insight`.\n\n" +
		"| column | type | what it is |\n| --- | --- | --- |\n")
	for _, c := range UsageColumns() {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", c.Name, c.Type, c.Doc)
	}
	b.WriteString("\n## Types\n\n| type | filters | in SQL |\n| --- | --- | --- |\n")
	for _, r := range typeRows(t) {
		fmt.Fprintf(&b, "| %s | %s | `%s` |\n", r[0], r[1], r[2])
	}
	golden.Check(t, "../docs/columns.md", b.Bytes())
}

// TestUsageColumns holds them to the fields of usage.Row.
func TestUsageColumns(t *testing.T) {
	var fields []Spec
	for _, f := range reflect.VisibleFields(reflect.TypeFor[usage.Row]()) {
		if f.Anonymous {
			continue
		}
		c := Spec{Name: f.Tag.Get("json")}
		switch {
		case f.Type == reflect.TypeFor[time.Time]():
			c.Type = Time
		case f.Type.Kind() == reflect.Int64:
			c.Type = Int
		}
		fields = append(fields, c)
	}
	told := UsageColumns()
	if len(told) != len(fields) {
		t.Fatalf("usage has %d columns, %d are told", len(fields), len(told))
	}
	for i, c := range told {
		if c.Name != fields[i].Name || c.Type != fields[i].Type || c.Doc == "" {
			t.Errorf("column %d is %s of type %s, %q; usage has %s of type %s", i, c.Name, c.Type, c.Doc, fields[i].Name, fields[i].Type)
		}
	}
}

// typeRows are what each type takes in a filter, and its type in SQL.
func typeRows(t *testing.T) [][3]string {
	t.Helper()
	out := [][3]string{
		{Text.String(), "`a` `\"a b\"` `a*` `~part` `*` `\"\"`", "VARCHAR"},
		{Enum.String(), "one of the values listed, in any case", "VARCHAR"},
		{Addr.String(), "as text, and networks: `10.0.0.0/8`", "VARCHAR"},
		{Int.String(), "`5` `>=5` `[1 TO 5]`", "INTEGER or BIGINT"},
		{Float.String(), "`0.5` `>=0.5` `[0 TO 0.5]`", "FLOAT"},
		{Bool.String(), "`true` `false` `yes` `no`", "BOOLEAN"},
		{Time.String(), "`2026-03-01` `>now-7d` `[2026-03-01 TO 2026-03-07]`", "TIMESTAMP"},
		{UUID.String(), "whole, or in part with `*`; in any case", "UUID"},
		{List.String(), "as text: one of the list's values is", "VARCHAR[]"},
		{JSON.String(), "`~part`; `raw.path:` and a value", "VARCHAR"},
	}
	for _, c := range Columns() {
		if int(c.Type) >= len(out) || out[c.Type][0] != c.Type.String() {
			t.Fatalf("type %s is not told in its place", c.Type)
		}
		examples := strings.Split(out[c.Type][1], "`")
		for i := 1; i < len(examples); i += 2 {
			if x := examples[i]; !strings.HasPrefix(x, "raw.") {
				if _, err := ParseAt(c.Name+":"+x, time.Now()); err != nil {
					t.Errorf("%s:%s: %v", c.Name, x, err)
				}
			}
		}
	}
	return out
}

// TestColumnDocs: what columns say of themselves stands in tables.
func TestColumnDocs(t *testing.T) {
	for _, c := range Columns() {
		if c.Doc == "" || strings.ContainsAny(c.Doc, "|\n") || strings.HasSuffix(c.Doc, ".") {
			t.Errorf("%s: %q", c.Name, c.Doc)
		}
		if c.Type == Enum && len(c.Values) == 0 {
			t.Errorf("%s has no values", c.Name)
		}
	}
}

// TestSearchDocument tries every example of docs/search.md on the event it shows.
func TestSearchDocument(t *testing.T) {
	text, err := os.ReadFile("../docs/search.md")
	if err != nil {
		t.Fatal(err)
	}
	ev := event.Event{
		Time:       time.Date(2026, 3, 2, 9, 14, 5, 250_000_000, time.UTC),
		AccountUID: "111122223333", Region: "eu-west-1", APIService: "cloudtrail.amazonaws.com", APIOperation: "StopLogging",
		Outcome: event.Success, ActorType: event.ActorUser, ActorUID: "arn:aws:iam::111122223333:user/kei", ActorName: "kei",
		Caller: event.CallerPersonCLI, CallerConfidence: 0.8, SrcIP: "203.0.113.8", UserAgent: "Boto3/1.34 md/Botocore",
		ResourceUID:  "arn:aws:cloudtrail:eu-west-1:111122223333:trail/main",
		ResourceUIDs: []string{"arn:aws:cloudtrail:eu-west-1:111122223333:trail/main", "arn:aws:s3:::audit-logs"},
		Message:      "user kei called StopLogging", Position: 3,
	}
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	tried := map[string]int{}
	try := func(line, lang, example string) {
		tried[lang]++
		filter, _, _ := strings.Cut(example, "   ")
		e, err := ParseAt(filter, now)
		switch lang {
		case "event":
			name, value, _ := strings.Cut(example, " ")
			if got := shown(t, name, &ev); got != strings.TrimSpace(value) {
				t.Errorf("%s: the test's event has %q", line, got)
			}
		case "json":
			ev.Raw = []byte(example)
		case "refused":
			if err == nil {
				t.Errorf("%s: read as %s", line, String(e))
			}
		case "matches", "misses":
			if err != nil {
				t.Errorf("%s: %v", line, err)
			} else if Match(e, &ev) != (lang == "matches") {
				t.Errorf("%s: not so (%s)", line, String(e))
			}
		case "":
		default:
			t.Errorf("%s: what is %q?", line, lang)
		}
	}
	lang, inside := "", false
	for i, line := range strings.Split(string(text), "\n") {
		if fence, ok := strings.CutPrefix(line, "```"); ok {
			lang, inside = fence, !inside
		} else if inside {
			try(fmt.Sprintf("docs/search.md:%d: %s", i+1, line), lang, line)
		}
	}
	if tried["matches"] < 50 || tried["misses"] < 10 || tried["refused"] < 10 || tried["event"] < 10 || tried["json"] != 1 {
		t.Errorf("few examples were found: %v", tried)
	}
}

// shown is a column's value as docs/search.md shows it.
func shown(t *testing.T, name string, ev *event.Event) string {
	t.Helper()
	c, ok := Lookup(name)
	if !ok {
		t.Fatalf("there is no column %s", name)
	}
	switch v := c.Value(ev).(type) {
	case time.Time:
		return v.Format(time.RFC3339Nano)
	case []string:
		return strings.Join(v, ", ")
	default:
		return fmt.Sprint(v)
	}
}
