package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/internal/golden"
	"github.com/yagura-sec/yagura/people"
	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/say"
	"github.com/yagura-sec/yagura/triage"
	triagememory "github.com/yagura-sec/yagura/triage/memory"
)

// daily repeats a window every day, whatever its rule says but UNTIL, a day.
func daily(w *finding.Window, from, to time.Time) (out []finding.Span, err error) {
	if _, last, ok := strings.Cut(w.Repeat, "UNTIL="); ok {
		if to, err = time.Parse("20060102", last); err != nil {
			return nil, err
		}
	}
	for at := w.Start; at.Before(to); at = at.AddDate(0, 0, 1) {
		if end := at.Add(w.End.Sub(w.Start)); end.After(from) {
			out = append(out, finding.Span{Start: at, End: end})
		}
	}
	return out, nil
}

// morning is a server with sixty findings of a month in two accounts, of which
// one is production.
func morning(t *testing.T) *house {
	t.Helper()
	x := newHouse(t, Config{})
	store := &triagememory.Store{Expand: daily}
	var all []finding.Occurrence
	var events []event.Event
	for i := range 60 {
		at := noon.Add(-time.Duration(i) * 11 * time.Hour)
		o := finding.Occurrence{FirstSeen: at, LastSeen: at.Add(time.Minute), Count: int64(i + 1)}
		o.Key, o.Kind, o.Rule = finding.Key("morning", fmt.Sprint(i)), finding.KindRule, fmt.Sprint("rule-", i%4)
		o.Title, o.Severity, o.Confidence = fmt.Sprintf("trouble %d", i), finding.Severities[i%5], 0.9
		o.Account = []string{mine, theirs}[i%2]
		o.Actor, o.Resource = fmt.Sprintf("arn:aws:iam::%s:role/app-%d", o.Account, i%3), fmt.Sprintf("secret-%d", i%6)
		o.Region = "eu-west-1"
		o.Reasons = []finding.Reason{{Kind: "selection", Text: say.Plain("because")}}
		for k := range 2 {
			e := event.Event{UID: event.HashUID(fmt.Sprint(i, k)), Time: at.Add(time.Duration(k) * time.Minute), AccountUID: o.Account, ActorUID: o.Actor,
				APIOperation: "GetSecretValue", Caller: event.CallerConsole, Outcome: event.Success, ResourceUIDs: []string{o.Resource}}
			events = append(events, e)
			if k == 0 || i != 3 {
				o.Evidence.Add(finding.Sighting{Time: e.Time, UID: e.UID})
			}
		}
		if i == 3 { // one whose latest event is not kept any more
			o.Evidence.Add(finding.Sighting{Time: at.Add(time.Minute), UID: event.UID{99}})
		}
		all = append(all, o)
	}
	if err := store.Record(t.Context(), event.BatchID{1}, finding.Judged{Occurrences: all}); err != nil {
		t.Fatal(err)
	}
	estate := finding.Estate{Accounts: []finding.Account{{ID: mine, Name: "shop", Said: finding.Said{Environment: "production", Owner: "shop"}}}}
	if _, err := store.SetEstate(t.Context(), estate); err != nil {
		t.Fatal(err)
	}
	x.rooms.Findings, x.rooms.Select = store, timed(events)
	x.rooms.Triage = Triage{Store: store, Expand: daily, LinkKey: []byte("a key of tests")}
	x.rooms.Now = func() time.Time { return x.now }
	x.again()
	return x
}

// timed chooses among events, in order of time.
func timed(events []event.Event) func(context.Context, query.Query) iter.Seq2[event.Event, error] {
	return func(_ context.Context, q query.Query) iter.Seq2[event.Event, error] {
		return func(yield func(event.Event, error) bool) {
			all := slices.Clone(events)
			slices.SortFunc(all, func(a, b event.Event) int {
				if q.OldestFirst {
					a, b = b, a
				}
				return b.Time.Compare(a.Time)
			})
			n := 0
			for _, e := range all {
				if q.Limit > 0 && n == q.Limit {
					return
				}
				if !q.Matches(&e) {
					continue
				}
				n++
				if e.Raw = nil; !q.NoRaw {
					e.Raw = []byte(`{"whole":true}`)
				}
				if !yield(e, nil) {
					return
				}
			}
		}
	}
}

// again serves what rooms are now.
func (x *house) again() {
	x.h = New(Config{Version: "test", Token: "secret", Hosts: []string{"localhost"}}, x.rooms)
}

// into asks and reads the answer.
func into[T any](b *browser, status int, method, target, body string, change ...func(*http.Request)) (out T) {
	b.t.Helper()
	if err := json.Unmarshal([]byte(b.want(status, method, target, body, change...)), &out); err != nil {
		b.t.Fatal(err)
	}
	return out
}

// stored are all findings, for tests that count by themselves.
func (x *house) stored() []finding.Finding {
	x.t.Helper()
	all, _, err := x.rooms.Findings.List(x.t.Context(), triage.Filter{Demoted: true, Staged: true})
	if err != nil {
		x.t.Fatal(err)
	}
	return all
}

func TestFindingsByScope(t *testing.T) {
	x := morning(t)
	x.add("alice", people.Viewer)
	alice := x.signedIn("alice")
	f := func(q string, match func(*finding.Finding) bool) {
		t.Helper()
		want := 0
		all := x.stored()
		for i := range all {
			if match(&all[i]) {
				want++
			}
		}
		got := into[Findings](alice, 200, "GET", "/api/findings?limit=7&q="+q, "")
		if want == 0 || got.Total == nil || *got.Total != want || len(got.Findings) != min(want, 7) {
			t.Errorf("%s: total %v, %d on the page, want %d", q, got.Total, len(got.Findings), want)
		}
		counted := into[triage.Facets](alice, 200, "GET", "/api/findings/facets?field=severity&q="+q, "")
		sum := 0
		for _, v := range counted.Facets[0].Values {
			sum += v.Count
		}
		if counted.Total != want || sum != want {
			t.Errorf("%s: facets of %d, %d by severity, want %d", q, counted.Total, sum, want)
		}
	}
	f("severity:%3E%3Dhigh", func(f *finding.Finding) bool { return f.Severity.Rank() >= finding.High.Rank() })
	f("environment:production%20rule:rule-2", func(f *finding.Finding) bool { return f.Account == mine && f.Rule == "rule-2" })
	f("last_seen:%3Enow-3d", func(f *finding.Finding) bool { return f.LastSeen.After(noon.AddDate(0, 0, -3)) })
	f("not%20account:"+mine, func(f *finding.Finding) bool { return f.Account != mine })

	var seen []string
	for cursor := ""; ; {
		page := into[Findings](alice, 200, "GET", "/api/findings?limit=7&sort=-count&cursor="+cursor, "")
		for _, one := range page.Findings {
			seen = append(seen, fmt.Sprint(one.Count))
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	if len(seen) != 60 || seen[0] != "1" || seen[59] != "60" {
		t.Errorf("by count, the least first: %v", seen)
	}
	for _, bad := range []string{"q=colour:red", "q=(", "sort=colour", "cursor=x", "q=last_seen:%3E"} {
		alice.want(422, "GET", "/api/findings?"+bad, "")
		if strings.HasPrefix(bad, "q=") {
			alice.want(422, "GET", "/api/findings/facets?"+bad, "")
			alice.want(422, "GET", "/api/cases?"+bad, "")
			alice.want(422, "GET", "/api/findings/export?"+bad, "")
		}
	}
	alice.want(422, "GET", "/api/findings/facets?field=title", "")
}

func TestDecisions(t *testing.T) {
	x := morning(t)
	x.add("alice", people.Analyst)
	x.add("vera", people.Viewer)
	alice, vera := x.signedIn("alice"), x.signedIn("vera")
	key := x.stored()[0].Key
	path := "/api/findings/" + key
	first := alice.ask("GET", path, "").Header.Get("ETag")
	decided := alice.ask("POST", path+"/decisions", `{"verdict":"expected","reason":"automation","status":"resolved"}`, header("If-Match", first))
	if decided.StatusCode != 200 || decided.Header.Get("ETag") == first || decided.Header.Get("ETag") != vera.ask("GET", path, "").Header.Get("ETag") {
		t.Errorf("%d, tags %s then %s", decided.StatusCode, first, decided.Header.Get("ETag"))
	}
	alice.want(412, "POST", path+"/decisions", `{"comment":"late"}`, header("If-Match", first))
	vera.want(403, "POST", path+"/decisions", `{"comment":"x"}`)
	for body, says := range map[string]string{
		`{}`:                      "decides nothing",
		`{"reason":"automation"}`: "needs the verdict",
		`{"verdict":"expected","reason":"attack"}`: "not one of planned_change",
		`{"verdict":"maybe"}`:                      "validation",
		`{"by":"bob","comment":"x"}`:               "unexpected property",
	} {
		if text := alice.want(422, "POST", path+"/decisions", body); !strings.Contains(text, says) {
			t.Errorf("%s: %s", body, text)
		}
	}
	f := into[Finding](vera, 200, "GET", path, "")
	if f.Verdict != finding.Expected || len(f.Decisions) != 1 || f.Decisions[0].By != "alice" || f.Decisions[0].ID == "" {
		t.Errorf("%+v", f.Decisions)
	}
	if got := into[Undone](alice, 200, "POST", "/api/decisions/undo", `{"id":"`+f.Decisions[0].ID+`"}`); got.Undone != 1 {
		t.Errorf("%+v", got)
	}
	if f = into[Finding](vera, 200, "GET", path, ""); f.Verdict != finding.NoVerdict || f.Status != finding.New || len(f.Decisions) != 2 || !f.Decisions[0].Undone {
		t.Errorf("%+v", f)
	}
	alice.want(404, "POST", "/api/decisions/undo", `{"id":"none"}`)
	alice.want(404, "POST", "/api/decisions/undo", `{"group":"none"}`)
	alice.want(422, "POST", "/api/decisions/undo", `{}`)
	vera.want(403, "POST", "/api/decisions/undo", `{"id":"none"}`)
}

func TestBulk(t *testing.T) {
	x := morning(t)
	x.add("alice", people.Analyst)
	alice := x.signedIn("alice")
	all := x.stored()
	decided := func() (n int) {
		for _, f := range x.stored() {
			if f.Verdict != finding.NoVerdict {
				n++
			}
		}
		return n
	}
	const decision = `"decision":{"verdict":"false_positive","reason":"rule_too_broad"}`
	got := into[BulkDone](alice, 200, "POST", "/api/decisions", fmt.Sprintf(`{"keys":[%q,%q,%q,"nothing"],%s}`, all[0].Key, all[1].Key, all[0].Key, decision))
	if got.Decided != 2 || len(got.Failed) != 1 || got.Failed[0].Key != "nothing" || !strings.Contains(got.Failed[0].Reason, "no such finding") || decided() != 2 {
		t.Errorf("%+v, decided %d", got, decided())
	}
	whole := into[BulkDone](alice, 200, "POST", "/api/decisions", `{"q":"rule:rule-3","expect":15,`+decision+`}`)
	if whole.Decided != 15 || whole.Group == "" || whole.Group == got.Group {
		t.Errorf("%+v", whole)
	}
	if undone := into[Undone](alice, 200, "POST", "/api/decisions/undo", `{"group":"`+got.Group+`"}`); undone.Undone != 2 || decided() != 15 {
		t.Errorf("%+v, decided %d", undone, decided())
	}
	if undone := into[Undone](alice, 200, "POST", "/api/decisions/undo", `{"group":"`+got.Group+`"}`); undone.Undone != 0 {
		t.Errorf("a second time: %+v", undone)
	}
	alice.want(412, "POST", "/api/decisions", `{"q":"rule:rule-2","expect":14,`+decision+`}`)
	alice.want(422, "POST", "/api/decisions", `{`+decision+`}`)
	alice.want(422, "POST", "/api/decisions", `{"q":"rule:rule-2","keys":["x"],`+decision+`}`)
	alice.want(422, "POST", "/api/decisions", `{"q":"colour:red",`+decision+`}`)
	once := header("Idempotency-Key", "one")
	again := []string{alice.want(200, "POST", "/api/decisions", `{"q":"rule:rule-1",`+decision+`}`, once), alice.want(200, "POST", "/api/decisions", `{"q":"rule:rule-1",`+decision+`}`, once)}
	if again[0] != again[1] || !strings.Contains(again[0], `"decided":15`) {
		t.Errorf("the same again: %s", again)
	}
}

// TestTriageAnswers holds answers, as scripts and the console read them, to a
// golden file.
func TestTriageAnswers(t *testing.T) {
	x := morning(t)
	x.add("rose", people.Responder)
	rose := x.signedIn("rose")
	key := finding.Key("morning", "4")
	rose.want(200, "POST", "/api/findings/"+key+"/decisions", `{"verdict":"expected","reason":"automation","comment":"<b>as every month</b>"}`)
	var got bytes.Buffer
	for _, path := range []string{
		"/api/findings?limit=1&q=rule:rule-0", "/api/findings/" + key, "/api/findings/facets?q=rule:rule-0&field=severity&field=owner", "/api/cases?limit=1",
		"/api/findings/" + key + "/evidence", "/api/findings/" + key + "/timeline?hours=0.1", "/api/audit?limit=1",
		"/api/exceptions", "/api/windows", "/api/proposals", "/api/views",
	} {
		fmt.Fprintf(&got, "GET %s\n", path)
		if err := json.Indent(&got, []byte(rose.want(200, "GET", path, "")), "", " "); err != nil {
			t.Fatal(err)
		}
		got.WriteByte('\n')
	}
	golden.Check(t, "testdata/triage.golden", got.Bytes())
}
