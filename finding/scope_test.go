package finding

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/query"
)

var sample = Finding{
	Trouble: Trouble{
		Key: "abcdefgh", Kind: "anomaly.caller", Rule: "r-1", Title: "Secret read by a new caller", Severity: High, Actor: "arn:aws:iam::111122223333:role/app",
		Account: "111122223333", Region: "eu-west-1", Resource: "secret/db", Anomaly: &Anomaly{Person: "kato@hoshino.example", Resources: []string{"secret/db", "secret/mq"}},
		Attack: []Attack{{ID: "T1555.006"}},
	},
	Status: InProgress, Verdict: Expected, Assignee: "ann", Environment: "production", Owner: "team-x", Priority: 40, Count: 7, Case: "c",
	FirstSeen: noon, LastSeen: noon.Add(time.Hour), Explained: []Explanation{{Kind: "exception", ID: "x"}},
}

func TestScope(t *testing.T) {
	f := func(text string, want bool) {
		t.Helper()
		s, err := ParseScope(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			return
		}
		if s.Match(&sample) != want {
			t.Errorf("%s chooses it: %v", text, !want)
		}
	}
	f("", true)
	f("kind:anomaly", true)
	f("kind:anomaly.caller", true)
	f("kind:rule", false)
	f("source:yagura product:yagura", true)
	f("severity:>=high", true)
	f("severity:>high", false)
	f("severity:[low TO critical]", true)
	f("severity:{low TO high}", false)
	f("severity:<=medium or status:in_progress", true)
	f("verdict:expected -status:new", true)
	f("person:kato*", true)
	f("resource:secret/mq", true)
	f("resource:secret/x", false)
	f("account:(111122223333 or 444455556666) env:production owner:team-x", true)
	f("attack:T1555*", true)
	f("assignee:*", true)
	f("rule:* not region:us-*", true)
	f("priority:40 count:>=7 count:<8", true)
	f("first_seen:2026-03-04 last_seen:>=2026-03-04T13", true)
	f("last_seen:>2026-03-04", false)
	f("explained:true explained_by:x", true)
	f("explained:no", false)
	f("new caller", true)    // two words, each somewhere
	f(`"new caller"`, true)  // in the title
	f(`"caller new"`, false) //
	f("secret/mq", true)     // any of its resources
	f("text:~hoshino", true) // or its person
	f("eu-west-1", false)    // a region is asked for by its name
	f("case:c key:abcd*", true)

	bad := func(text string) {
		t.Helper()
		var syntax *query.SyntaxError
		if s, err := ParseScope(text); !errors.As(err, &syntax) {
			t.Errorf("%s is read as %s, %v", text, s, err)
		}
	}
	bad("colour:red")
	bad("severity:loud")
	bad("status:>new") // has no order
	bad("priority:high")
	bad("last_seen:>now-7d") // depends on the clock
	bad("(kind:rule")

	now := noon.Add(2 * time.Hour)
	s, err := ParseScopeAt("last_seen:>now-7d", now)
	if err != nil || s.String() != "last_seen:>=2026-02-25T14:00:00.000001Z" || !s.Match(&sample) {
		t.Errorf("%s, %v", s, err)
	}
}

// TestFields: what is told of fields is so.
func TestFields(t *testing.T) {
	for _, x := range Fields() {
		switch v := x.Value(&sample).(type) {
		case string, bool, int64, time.Time, []string:
			if _, list := v.([]string); list != (x.Type == query.List) {
				t.Errorf("%s is of type %s and gives %T", x.Name, x.Type, v)
			}
		default:
			t.Errorf("%s gives %T", x.Name, v)
		}
		if y, ok := LookupField(x.Name); !ok || y.Name != x.Name || x.Doc == "" {
			t.Errorf("%s is looked up as %+v", x.Name, y)
		}
		s := ScopeOf(query.Exists{Field: x.Name})
		e := Exception{ID: "x", Title: "t", Scope: s, State: ExceptionActive, Owner: "o", Reason: "r", Until: noon}
		if err := e.Check(); (err == nil) != x.Lasting {
			t.Errorf("an exception may ask for %s: %v", x.Name, err)
		}
	}
}

func TestScopeJSON(t *testing.T) {
	x := Exception{ID: "x", Scope: ScopeOf(query.And{X: []query.Expr{query.Eq{Field: "rule", Value: "a b"}, query.Like{Field: "actor", Pattern: "x*"}}})}
	text, err := json.Marshal(x)
	if err != nil {
		t.Fatal(err)
	}
	var y Exception
	if err := json.Unmarshal(text, &y); err != nil || !y.Scope.Equal(x.Scope) || y.Scope.String() != `rule:"a b" actor:x*` {
		t.Errorf("%s is read as %s, %v", text, y.Scope, err)
	}
	if err := json.Unmarshal([]byte(`{"scope": "colour:red"}`), &y); err == nil {
		t.Error("a scope that is wrong is read")
	}
}

// FuzzParseScope: a scope says of itself what it is.
func FuzzParseScope(f *testing.F) {
	for _, text := range []string{"severity:>=high -kind:anomaly", `"new caller" or resource:secret/*`, "last_seen:[2026-03 TO *] (count:>3)", "text:~a"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseScope(text)
		if err != nil {
			return
		}
		again, err := ParseScope(ScopeOf(s.Expr()).String())
		if err != nil || again.Match(&sample) != s.Match(&sample) || query.String(again.Expr()) != query.String(s.Expr()) {
			t.Fatalf("%q is %q, read again %q, %v", text, query.String(s.Expr()), again, err)
		}
	})
}

func TestUndone(t *testing.T) {
	at := func(n int) time.Time { return noon.Add(time.Duration(n) * time.Minute) }
	f := func(want string, ds ...Decision) {
		t.Helper()
		for i := range ds {
			ds[i].At, ds[i].By = at(i), "ann"
		}
		got := Of(Occurrence{FirstSeen: noon.AddDate(0, 0, -1), LastSeen: noon.AddDate(0, 0, -1)}, ds, nil)
		said := string(got.Status) + " " + string(got.Verdict)
		for _, d := range got.Decisions {
			if d.Undone {
				said += " " + d.ID
			}
		}
		if said != want {
			t.Errorf("%+v: %s, want %s", ds, said, want)
		}
		if slices.ContainsFunc(ds, func(d Decision) bool { return d.Undone }) {
			t.Error("the decisions given were changed")
		}
	}
	a, b := Decision{ID: "a", Status: Resolved, Verdict: Expected}, Decision{ID: "b", Status: InProgress}
	f("resolved expected", a)
	f("new  a", a, Decision{ID: "u", Undoes: "a"})
	f("resolved expected b", a, b, Decision{ID: "u", Undoes: "b"})
	f("in_progress  a", a, b, Decision{ID: "u", Undoes: "a"})
	f("in_progress expected u", a, b, Decision{ID: "u", Undoes: "b"}, Decision{ID: "v", Undoes: "u"})
	f("resolved expected b", a, b, Decision{ID: "u", Undoes: "b"}, Decision{ID: "v", Undoes: "b"})
	f("new ", Decision{ID: "u", Undoes: "gone"})
}
