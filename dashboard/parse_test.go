package dashboard

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/internal/golden"
	"github.com/yagura-sec/yagura/query"
)

// TestRefused holds what is said of files that are wrong to the first line of each.
func TestRefused(t *testing.T) {
	for _, in := range golden.Inputs(t, "testdata/*.bad.yml") {
		want := strings.TrimPrefix(strings.SplitN(string(in.Body), "\n", 2)[0], "# ")
		name := filepath.Base(in.Path)
		var err *Error
		if strings.HasPrefix(name, "board") {
			_, err = ParseDashboard(name, in.Body)
		} else {
			_, err = ParseQuery(name, in.Body)
		}
		if err == nil || err.Error() != name+":"+want {
			t.Errorf("%s: %v; want %s", name, err, want)
		}
	}
}

// good is a query that holds.
func good(t testing.TB) *Query {
	t.Helper()
	text, err := os.ReadFile("testdata/query.good.yml")
	if err != nil {
		t.Fatal(err)
	}
	q, wrong := ParseQuery("query.good.yml", text)
	if wrong != nil {
		t.Fatal(wrong)
	}
	return q
}

func TestBook(t *testing.T) {
	q := good(t)
	board := func(panel string) *Dashboard {
		d, err := ParseDashboard("d.yml", []byte("id: d\nversion: 1\ntitle: {en: D, ja: D}\ndescription: {en: D, ja: D}\nparameters:\n  - {name: project, title: {en: P, ja: P}}\npanels:\n  - "+panel+"\n"))
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	f := func(panel, want string) {
		t.Helper()
		_, refused := NewBook([]*Query{q}, []*Dashboard{board(panel)})
		if want == "" && len(refused) > 0 || want != "" && (len(refused) != 1 || !strings.Contains(refused[0].Error(), want)) {
			t.Errorf("%s: %v; want %q", panel, refused, want)
		}
	}
	f("{id: a, query: denials}", "")
	f("{id: a, query: denials, with: {account: $project}}", "")
	f("{id: a, query: nosuch}", `d.yml:8: query: there is no query "nosuch"`)
	f("{id: a, query: denials, with: {nosuch: x}}", `has no parameter "nosuch"`)
	f("{id: a, query: denials, with: {account: $nosuch}}", `the dashboard has no parameter "nosuch"`)
	twice := *q
	if _, refused := NewBook([]*Query{q, &twice}, nil); len(refused) != 1 {
		t.Errorf("two of one id: %v", refused)
	}
	theirs := *q
	theirs.Builtin = true
	b, refused := NewBook([]*Query{&theirs, q}, nil)
	if got, _ := b.Query("denials"); len(refused) != 0 || got != q {
		t.Errorf("one's own does not stand in for the program's: %v", refused)
	}
}

// TestBind: values go in as values, whatever is in them.
func TestBind(t *testing.T) {
	ps := []Parameter{{Name: "a"}, {Name: "b"}, {Name: "p", Type: TypePattern}}
	f := func(text string, values map[string]string, want string) {
		t.Helper()
		e, err := query.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		got, _ := bind(e, ps, values)
		if s := query.String(got); s != want {
			t.Errorf("%s with %v: %s; want %s", text, values, s, want)
		}
	}
	f("account:$a outcome:denied", map[string]string{"a": "p-1"}, `account_uid:"p-1" outcome:denied`)
	f("account:$a outcome:denied", nil, "outcome:denied")
	f("account:$a", nil, "")
	f("not account:$a", nil, "")
	f("account:($a or $b)", map[string]string{"b": "x"}, "account_uid:x")
	f("account:$a", map[string]string{"a": "x or outcome:denied"}, `account_uid:"x or outcome:denied"`)
	f("account:$a", map[string]string{"a": "*"}, `account_uid:"*"`)
	f("account:$a", map[string]string{"a": "$b", "b": "y"}, `account_uid:"$b"`)
	f("user_agent:~$a", map[string]string{"a": "a*"}, `user_agent:~"a*"`)
	f("$a", map[string]string{"a": `") or (`}, `"\") or ("`)
	f("account:$p", map[string]string{"p": "p-*"}, `account_uid:p\-*`)
}

func TestSettle(t *testing.T) {
	ps := []Parameter{{Name: "a", Type: TypeText, Choices: []string{"x", "y"}}, {Name: "n", Type: TypeNumber, Default: "3"}}
	got, err := settle(ps, map[string]string{"a": "x"})
	if err != nil || !reflect.DeepEqual(got, map[string]string{"a": "x", "n": "3"}) {
		t.Errorf("%v, %v", got, err)
	}
	if v := sqlValues(ps, got); v["n"] != int64(3) || v["a"] != "x" {
		t.Errorf("for SQL: %v", v)
	}
	for _, bad := range []map[string]string{{"a": "z"}, {"n": "many"}, {"n": ""}, {"n": "1e999"}, {"nosuch": "x"}, {"a": "x\x00"}} {
		if _, err := settle(ps, bad); err == nil {
			t.Errorf("%v was taken", bad)
		}
	}
}

func TestDraft(t *testing.T) {
	text, err := Draft("format:gcp.audit operation:SetIamPolicy account:(a or b)", time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	q, wrong := ParseQuery("draft.yml", text)
	if wrong != nil {
		t.Fatalf("%v in\n%s", wrong, text)
	}
	if q.Log.Filter != "format:gcp.audit" || query.String(q.filter) != "format:gcp.audit api_operation:SetIamPolicy (account_uid:a or account_uid:b)" {
		t.Errorf("%s", text)
	}
	for _, bad := range []string{"time:>now-7d", "acount:1"} {
		if _, err := Draft(bad, time.Now()); err == nil {
			t.Errorf("%s was drafted", bad)
		}
	}
}

// FuzzParse: whatever a file holds, it is refused with its place, or what was read
// can be asked.
func FuzzParse(f *testing.F) {
	for _, in := range golden.Inputs(f, "testdata/*.yml") {
		f.Add(in.Body)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if q, err := ParseQuery("q", text); err == nil {
			s := query.Sum{Query: query.Query{Where: q.filter}, Usage: q.From == "usage", By: q.By, Distinct: q.Distinct}
			if wrong := s.Check(); q.SQL == "" && wrong != nil || q.log == nil {
				t.Errorf("%v in %q", wrong, text)
			}
		} else if err.Line < 1 || err.Reason == "" {
			t.Errorf("%+v", err)
		}
		if _, err := ParseDashboard("d", text); err != nil && (err.Line < 1 || err.Reason == "") {
			t.Errorf("%+v", err)
		}
	})
}

// FuzzBind: a value that is put into a filter is in it as it was, and changes
// nothing else.
func FuzzBind(f *testing.F) {
	for _, v := range []string{"p-1", "*", `") or (`, "$b", "a b", `\`, "not x", "10.0.0.0/8"} {
		f.Add(v)
	}
	ps := []Parameter{{Name: "a", Type: TypeText}}
	where, err := query.Parse("outcome:denied account:$a")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, v string) {
		values, err := settle(ps, map[string]string{"a": v})
		if err != nil || v == "" {
			return
		}
		got, ok := bind(where, ps, values)
		want := query.And{X: []query.Expr{query.Eq{Field: "outcome", Value: "denied"}, query.Eq{Field: "account_uid", Value: v}}}
		if !ok || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %v", v, got)
		}
		if again, err := query.Parse(query.String(got)); err != nil || !reflect.DeepEqual(again, query.Expr(want)) {
			t.Errorf("%q is not found again by %s: %v, %v", v, query.String(got), again, err)
		}
	})
}
