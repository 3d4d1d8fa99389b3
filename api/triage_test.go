package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/ledger"
	"github.com/yagura-sec/yagura/people"
	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/triage"
	triagememory "github.com/yagura-sec/yagura/triage/memory"
	"github.com/yagura-sec/yagura/usage/secrets"
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
		o.Reasons = []finding.Reason{{Kind: "selection", Text: "because"}}
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

// TestPreviewCounts holds a preview to what the exception then explains, and both
// to a count of our own.
func TestPreviewCounts(t *testing.T) {
	x := morning(t)
	x.add("rose", people.Responder)
	rose := x.signedIn("rose")
	for i, scope := range []string{"rule:rule-1", "severity:critical environment:production", "text:~x or title:~trouble resource:secret-2", "actor:*app-0"} {
		s, err := finding.ParseScope(scope)
		if err != nil {
			t.Fatal(err)
		}
		want := Preview{BySeverity: map[string]int{}}
		before := x.stored()
		for k := range before {
			f := &before[k]
			if !s.Match(f) || f.LastSeen.Before(noon.AddDate(0, 0, -10)) || !f.LastSeen.Before(noon) {
				continue
			}
			want.Findings++
			want.BySeverity[string(f.Severity)]++
			if len(f.Explained) > 0 {
				want.Explained++
			}
		}
		body := fmt.Sprintf(`{"scope":%q,"since":"2026-02-19T12:00:00Z"}`, scope)
		got := into[Preview](rose, 200, "POST", "/api/exceptions/preview", body)
		if want.Findings == 0 || got.Findings != want.Findings || got.Explained != want.Explained || got.Critical != want.BySeverity["critical"] || got.Days != 11 || len(got.Sample) != min(20, want.Findings) {
			t.Errorf("%s: %+v, want %+v", scope, got, want)
		}
		for s, n := range got.BySeverity {
			if want.BySeverity[s] != n {
				t.Errorf("%s: %d of severity %s, want %d", scope, n, s, want.BySeverity[s])
			}
		}
		if got.Open != want.Findings-want.Explained {
			t.Errorf("%s: takes %d from people, want %d", scope, got.Open, want.Findings-want.Explained)
		}
		made := into[Exception](rose, 201, "POST", "/api/exceptions", fmt.Sprintf(`{"scope":%q,"owner":"shop","reason":"known %d","from":"2026-02-19T12:00:00Z","until":"2026-04-01T00:00:00Z"}`, scope, i))
		covered := 0 // the exception asks for first_seen from its start on, the preview for last_seen
		for k := range before {
			if s.Match(&before[k]) && !before[k].FirstSeen.Before(noon.AddDate(0, 0, -10)) {
				covered++
			}
		}
		if made.Explains != covered || made.State != finding.ExceptionActive || made.By != "rose" {
			t.Errorf("%s: explains %d, want %d: %+v", scope, made.Explains, covered, made)
		}
	}
	rose.want(422, "POST", "/api/exceptions/preview", `{"scope":"colour:red"}`)
	rose.want(422, "POST", "/api/exceptions/preview", `{"scope":"","since":"2026-04-01T00:00:00Z"}`)
}

func TestExceptionLife(t *testing.T) {
	x := morning(t)
	x.add("rose", people.Responder)
	rose := x.signedIn("rose")
	for body, says := range map[string]string{
		`{"scope":"","owner":"a","reason":"b","until":"2026-04-01T00:00:00Z","title":"t"}`: "explain everything",
		`{"scope":"rule:rule-1","reason":"b","until":"2026-04-01T00:00:00Z"}`:              "no owner",
		`{"scope":"rule:rule-1","owner":"a","until":"2026-04-01T00:00:00Z"}`:               "no reason",
		`{"scope":"rule:rule-1","owner":"a","reason":"b"}`:                                 "no end",
		`{"scope":"status:new","owner":"a","reason":"b","until":"2026-04-01T00:00:00Z"}`:   "status",
	} {
		if text := rose.want(422, "POST", "/api/exceptions", body); !strings.Contains(text, says) {
			t.Errorf("%s: %s", body, text)
		}
	}
	made := into[Exception](rose, 201, "POST", "/api/exceptions", `{"scope":"rule:rule-1","owner":"a","reason":"b","until":"2026-04-01T00:00:00Z"}`)
	path := "/api/exceptions/" + made.ID
	old := rose.ask("GET", path, "").Header.Get("ETag")
	if got := into[Exception](rose, 200, "PATCH", path, `{"owner":"c"}`, header("If-Match", old)); got.Owner != "c" || got.Reason != "b" || got.Explains != 15 {
		t.Errorf("%+v", got)
	}
	rose.want(412, "PATCH", path, `{"owner":"d"}`, header("If-Match", old))
	rose.want(412, "DELETE", path, "", header("If-Match", old))
	x.now = noon.AddDate(1, 0, 0)
	if got := into[Exceptions](rose, 401, "GET", "/api/exceptions", ""); len(got.Exceptions) != 0 {
		t.Errorf("%+v", got)
	}
	rose = x.signedIn("rose")
	if got := into[Exceptions](rose, 200, "GET", "/api/exceptions?state=expired", ""); len(got.Exceptions) != 1 {
		t.Errorf("a year later: %+v", got)
	}
	if got := into[Exception](rose, 200, "DELETE", path, ""); got.State != finding.ExceptionRevoked || got.Explains != 0 {
		t.Errorf("%+v", got)
	}
	for _, f := range x.stored() {
		if len(f.Explained) > 0 {
			t.Errorf("%s is still explained: %+v", f.Title, f.Explained)
		}
	}
	rose.want(404, "GET", "/api/exceptions/none", "")
	lines, _, err := x.rooms.Triage.Store.Audit(t.Context(), triage.AuditFilter{Subject: made.ID})
	if err != nil || len(lines) != 3 || lines[0].Action != "exception.revoke" || lines[2].By != "rose" {
		t.Errorf("%+v, %v", lines, err)
	}
}

func TestWindowLife(t *testing.T) {
	x := morning(t)
	x.add("rose", people.Responder)
	x.add("alice", people.Analyst)
	rose, alice := x.signedIn("rose"), x.signedIn("alice")
	rose.want(422, "POST", "/api/windows", `{"title":"all","start":"2026-02-20T00:00:00Z","end":"2026-02-21T00:00:00Z"}`)
	rose.want(422, "POST", "/api/windows", `{"start":"2026-02-20T00:00:00Z","end":"2026-02-21T00:00:00Z","accounts":["x"]}`)
	rose.want(422, "POST", "/api/windows", `{"title":"x","start":"2026-02-22T00:00:00Z","end":"2026-02-21T00:00:00Z","accounts":["x"]}`)
	w := into[Window](rose, 201, "POST", "/api/windows", `{"title":"patching","ticket":"CHG-1","accounts":["`+mine+`"],"start":"2026-02-20T00:00:00Z","end":"2026-03-01T11:00:00Z"}`)
	want, beside := 0, 0
	for _, f := range x.stored() {
		in := !f.LastSeen.Before(w.Start) && f.LastSeen.Before(w.End)
		if len(f.Explained) > 0 {
			want++
		} else if in && f.Account == mine {
			beside++
		}
	}
	s := into[WindowSummary](alice, 200, "GET", "/api/windows/"+w.ID+"/summary", "")
	if want == 0 || w.Phase != "over" || w.Explains != want || s.Explained != want || s.Beside != beside || len(s.Times) != 1 || s.Decided != 0 || !strings.Contains(s.Text, "patching ended 2026-03-01 11:00 UTC") {
		t.Errorf("%+v; explains %d, want %d and %d beside", s, w.Explains, want, beside)
	}
	today := into[Today](alice, 200, "GET", "/api/today", "")
	if len(today.Windows.Ended) != 1 || today.Windows.Ended[0].Explained != want || today.NeedsTotal != 60-want || today.Explained != want {
		t.Errorf("%+v", today.Windows)
	}
	if got := into[Today](alice, 200, "GET", "/api/today?since=2026-03-01T11:30:00Z", ""); len(got.Windows.Ended) != 0 {
		t.Errorf("what ended before is told: %+v", got.Windows)
	}
	nightly := into[Window](rose, 201, "POST", "/api/windows", `{"title":"backup","actors":["x"],"start":"2026-02-20T11:30:00Z","end":"2026-02-20T12:30:00Z","repeat":"FREQ=DAILY"}`)
	if nightly.Phase != "open" || nightly.Now == nil || !nightly.Now.Start.Equal(noon.Add(-30*time.Minute)) || nightly.Next == nil || !nightly.Next.Start.Equal(noon.Add(23*time.Hour+30*time.Minute)) {
		t.Errorf("%+v", nightly)
	}
	if list := into[Windows](alice, 200, "GET", "/api/windows", ""); len(list.Windows) != 2 || list.Windows[0].ID != nightly.ID {
		t.Errorf("%+v", list)
	}
	alice.want(403, "DELETE", "/api/windows/"+w.ID, "")
	if got := into[Window](rose, 200, "DELETE", "/api/windows/"+w.ID, ""); got.Phase != "cancelled" || got.Explains != 0 {
		t.Errorf("%+v", got)
	}
}

func TestImport(t *testing.T) {
	x := morning(t)
	x.add("rose", people.Responder)
	x.add("alice", people.Analyst)
	rose, alice := x.signedIn("rose"), x.signedIn("alice")
	rose.want(501, "POST", "/api/windows/import", "x")
	x.rooms.Triage.ReadWindows = func(name string, text []byte, _ time.Time) ([]finding.Window, []string, error) {
		if string(text) == "nothing" {
			return nil, nil, fmt.Errorf("%s:1: neither JSON nor iCalendar", name)
		}
		one := finding.Window{ID: "cal-1", Title: "patching", Accounts: []string{mine}, Start: noon, End: noon.Add(time.Hour)}
		two := finding.Window{ID: "cal-2", Title: "party", Start: noon, End: noon.Add(time.Hour)}
		return []finding.Window{one, two}, []string{name + ":2: cal-2: covers everything"}, fmt.Errorf("%s:9: no start", name)
	}
	x.again()
	rose, alice = x.signedIn("rose"), x.signedIn("alice")
	alice.want(403, "POST", "/api/windows/import", "some")
	if got := into[Imported](alice, 200, "POST", "/api/windows/import?dry=true", "some"); len(got.Windows) != 2 {
		t.Errorf("%+v", got)
	}
	got := into[Imported](rose, 200, "POST", "/api/windows/import?owner=shop", "some", header("Content-Type", "text/calendar"))
	if len(got.Windows) != 1 || got.Windows[0].Owner != "shop" || len(got.Warnings) != 3 {
		t.Errorf("%+v", got)
	}
	if got := into[Imported](alice, 200, "POST", "/api/windows/import?state=proposed", "some"); len(got.Windows) != 2 || got.Windows[1].State != finding.WindowProposed {
		t.Errorf("%+v", got)
	}
	if text := rose.want(422, "POST", "/api/windows/import", "nothing"); !strings.Contains(text, "neither JSON") {
		t.Error(text)
	}
}

// TestRegister: a team proposes windows through its link, for its accounts and no
// longer than the link is good for.
func TestRegister(t *testing.T) {
	x := morning(t)
	x.add("rose", people.Responder)
	x.add("vera", people.Viewer)
	rose, vera, nobody := x.signedIn("rose"), x.signedIn("vera"), x.browser()
	ask := `{"owner":"shop","accounts":["` + mine + `"],"until":"2026-03-05T00:00:00Z"}`
	vera.want(403, "POST", "/api/window-links", ask)
	rose.want(422, "POST", "/api/window-links", strings.Replace(ask, "2026-03", "2036-03", 1))
	rose.want(422, "POST", "/api/window-links", strings.Replace(ask, mine, "1*", 1))
	link := into[WindowLink](rose, 200, "POST", "/api/window-links", ask)
	secret, ok := strings.CutPrefix(link.URL, "http://localhost:8484/register#link=")
	if !ok {
		t.Fatal(link.URL)
	}
	path := "/api/register/" + secret
	if got := into[Registering](nobody, 200, "GET", path, ""); got.Owner != "shop" || !slices.Equal(got.Accounts, []string{mine}) || got.Left != registeredMost {
		t.Errorf("%+v", got)
	}
	body := `{"title":"release","start":"2026-03-02T00:00:00Z","end":"2026-03-02T02:00:00Z"}`
	nobody.want(403, "POST", path, body, without("X-Yagura"))
	got := into[Registering](nobody, 201, "POST", path, body)
	if len(got.Windows) != 1 || got.Windows[0].Phase != "proposed" || got.Left != registeredMost-1 {
		t.Errorf("%+v", got)
	}
	nobody.want(422, "POST", path, `{"title":"x","accounts":["`+theirs+`"],"start":"2026-03-02T00:00:00Z","end":"2026-03-02T02:00:00Z"}`)
	nobody.want(422, "POST", path, `{"title":"x","start":"2026-03-03T00:00:00Z","end":"2026-03-02T02:00:00Z"}`)
	for _, x := range []struct {
		status            int
		end, repeat, says string
	}{
		{422, "2036-03-02T02:00:00Z", "", "good until 2026-03-05T00:00:00Z"},
		{422, "2026-03-05T00:00:01Z", "", "good until 2026-03-05T00:00:00Z"},
		{422, "2026-03-02T02:00:00Z", "FREQ=DAILY", "repeated after it"},
		{422, "2026-03-02T02:00:00Z", "FREQ=DAILY;UNTIL=20260310", "repeated after it"},
		{422, "2026-03-02T02:00:00Z", "FREQ=DAILY;UNTIL=x", "repeat: "},
		{201, "2026-03-02T02:00:00Z", "FREQ=DAILY;UNTIL=20260304", "20260304"},
		{201, "2026-03-05T00:00:00Z", "", "2026-03-05T00:00:00Z"},
	} {
		said := nobody.want(x.status, "POST", path, `{"title":"x","ticket":"BY-THE-END","start":"2026-03-02T00:00:00Z","end":"`+x.end+`","repeat":"`+x.repeat+`"}`)
		if !strings.Contains(said, x.says) {
			t.Errorf("until %s, %s: %s", x.end, x.repeat, said)
		}
	}
	for _, p := range into[Proposals](vera, 200, "GET", "/api/proposals", "").Proposals {
		if p.Window.Ticket == "BY-THE-END" {
			rose.want(200, "POST", "/api/proposals/"+p.ID, `{"dismiss":true}`)
		}
	}
	waiting := into[Proposals](vera, 200, "GET", "/api/proposals", "").Proposals
	if len(waiting) != 1 || waiting[0].From != "registered" || waiting[0].Owner != "shop" || !slices.Equal(waiting[0].Window.Accounts, []string{mine}) {
		t.Fatalf("%+v", waiting)
	}
	rose.want(200, "POST", "/api/proposals/"+waiting[0].ID, `{"accept":true}`)
	if got := into[Registering](nobody, 200, "GET", path, ""); got.Windows[0].Phase != "coming" {
		t.Errorf("%+v", got)
	}
	for i := range len(secret) - 1 { // the last character has bits that do not count
		wrong := []byte(secret)
		if wrong[i]++; !strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", rune(wrong[i])) {
			wrong[i] = 'A'
		}
		nobody.want(410, "GET", "/api/register/"+string(wrong), "")
	}
	nobody.want(410, "GET", "/api/register/x", "")
	x.now = time.Date(2026, 3, 5, 0, 0, 0, 0, time.UTC)
	nobody.want(410, "GET", path, "")
	nobody.want(410, "POST", path, body)
}

func TestProposals(t *testing.T) {
	x := morning(t)
	scope, err := finding.ParseScope("rule:rule-2")
	if err != nil {
		t.Fatal(err)
	}
	x.rooms.Triage.Learned = func(context.Context) ([]triage.Proposal, error) {
		e := &finding.Exception{ID: "l-1", Title: "reads of the month", Scope: scope, State: finding.ExceptionProposed, Reason: "automation", Until: noon.AddDate(0, 3, 0)}
		w := &finding.Window{ID: "l-2", Title: "nightly", Accounts: []string{mine}, Start: noon, End: noon.Add(time.Hour), Repeat: "FREQ=DAILY", State: finding.WindowProposed}
		return []triage.Proposal{{ID: "l-1", Exception: e, Text: "3 were expected", Count: 3}, {ID: "l-2", Window: w, Text: "every night", Count: 7}}, nil
	}
	x.again()
	x.add("rose", people.Responder)
	x.add("alice", people.Analyst)
	rose, alice := x.signedIn("rose"), x.signedIn("alice")
	ids := func() (out []string) {
		for _, p := range into[Proposals](alice, 200, "GET", "/api/proposals", "").Proposals {
			out = append(out, p.ID+" "+p.From)
		}
		return out
	}
	if got := ids(); !slices.Equal(got, []string{"l-1 learned", "l-2 learned"}) {
		t.Error(got)
	}
	if n := into[Today](alice, 200, "GET", "/api/today", ""); n.Proposals != 2 || n.Explained != 0 {
		t.Errorf("nothing learned explains by itself: %d proposals, %d explained", n.Proposals, n.Explained)
	}
	alice.want(403, "POST", "/api/proposals/l-1", `{"accept":true}`)
	rose.want(422, "POST", "/api/proposals/l-1", `{}`)
	rose.want(422, "POST", "/api/proposals/l-1", `{"accept":true,"dismiss":true}`)
	rose.want(404, "POST", "/api/proposals/l-9", `{"accept":true}`)
	got := into[Answered](rose, 200, "POST", "/api/proposals/l-1", `{"accept":true,"owner":"shop"}`)
	if got.State != "accepted" || got.Exception == nil || got.Exception.Explains != 15 || got.Exception.Owner != "shop" || got.Exception.Reason != "automation" {
		t.Errorf("%+v", got)
	}
	if got := into[Answered](rose, 200, "POST", "/api/proposals/l-2", `{"dismiss":true}`); got.State != "dismissed" || got.Window == nil || got.Window.Explains != 0 {
		t.Errorf("%+v", got)
	}
	if got := ids(); len(got) != 0 {
		t.Errorf("what was answered is proposed again: %v", got)
	}
	rose.want(404, "POST", "/api/proposals/l-2", `{"accept":true}`)
}

func TestViewsOfPeople(t *testing.T) {
	x := morning(t)
	x.add("alice", people.Analyst)
	x.add("vera", people.Viewer)
	alice, vera := x.signedIn("alice"), x.signedIn("vera")
	vera.want(200, "PUT", "/api/views/mine", `{"page":"findings","title":"high","query":"q=severity:high"}`)
	vera.want(403, "PUT", "/api/views/mine", `{"page":"findings","title":"high","shared":true}`)
	board := alice.ask("PUT", "/api/views/board", `{"page":"dashboard","title":"board","shared":true,"panels":[{"kind":"count","q":"x"}]}`)
	if board.StatusCode != 200 {
		t.Error(board.Status)
	}
	titles := func(b *browser, page string) (out []string) {
		for _, v := range into[Views](b, 200, "GET", "/api/views?page="+page, "").Views {
			out = append(out, v.Title)
		}
		return out
	}
	if a, v := titles(alice, ""), titles(vera, ""); !slices.Equal(a, []string{"board"}) || !slices.Equal(v, []string{"board", "high"}) {
		t.Errorf("%v, %v", a, v)
	}
	if got := into[View](vera, 200, "GET", "/api/views/board", ""); len(got.Panels) != 1 || got.Panels[0]["kind"] != "count" {
		t.Errorf("%+v", got)
	}
	vera.want(403, "PUT", "/api/views/board", `{"page":"dashboard","title":"mine now"}`)
	vera.want(403, "DELETE", "/api/views/board", "")
	alice.want(404, "GET", "/api/views/mine", "")
	alice.want(200, "PUT", "/api/views/board", `{"page":"dashboard","title":"board 2","shared":true}`, header("If-Match", board.Header.Get("ETag")))
	alice.want(412, "PUT", "/api/views/board", `{"page":"dashboard","title":"board 3"}`, header("If-Match", board.Header.Get("ETag")))
	alice.want(204, "DELETE", "/api/views/board", "")
	alice.want(404, "DELETE", "/api/views/board", "")
	vera.want(422, "PUT", "/api/views/a%20b", `{"page":"findings","title":"x"}`)
}

func TestAudit(t *testing.T) {
	x := morning(t)
	x.add("alice", people.Analyst)
	alice := x.signedIn("alice")
	key := x.stored()[0].Key
	alice.want(200, "POST", "/api/findings/"+key+"/decisions", `{"comment":"=HYPERLINK(\"x\")"}`)
	x.now = x.now.Add(time.Minute)
	alice.want(200, "POST", "/api/findings/"+key+"/decisions", `{"verdict":"expected"}`)
	trail := into[AuditTrail](alice, 200, "GET", "/api/audit?limit=1&who=alice&subject="+key, "")
	if len(trail.Lines) != 1 || trail.Lines[0].Text != "verdict expected" || trail.Next == "" {
		t.Errorf("%+v", trail)
	}
	if trail = into[AuditTrail](alice, 200, "GET", "/api/audit?limit=1&action=finding&cursor="+trail.Next, ""); len(trail.Lines) != 1 || !strings.Contains(trail.Lines[0].Text, "HYPERLINK") || trail.Next != "" {
		t.Errorf("%+v", trail)
	}
	alice.want(422, "GET", "/api/audit?cursor=x", "")
	if text := alice.want(200, "GET", "/api/audit/export?format=csv", ""); strings.Count(text, "\n") != 3 || strings.Contains(text, ",=") || !strings.HasPrefix(text, "id,at,by,action,subject,text\n") {
		t.Error(text)
	}
	if text := alice.want(200, "GET", "/api/audit/export", ""); strings.Count(text, "\n") != 2 {
		t.Error(text)
	}
	var out bytes.Buffer
	if err := WriteAudit(&out, "csv")([]finding.AuditLine{{ID: 1, At: noon, By: "+A1", Action: "＝a", Subject: "@x", Text: "ok;=b \u202ec"}}, true); err != nil || !strings.Contains(out.String(), `'+A1,'＝a,'@x,ok;'=b \u202ec`) {
		t.Errorf("%s, %v", out.String(), err)
	}
}

// TestTodayChanges: what is new since a time, and what there is to believe it by.
func TestTodayChanges(t *testing.T) {
	x := morning(t)
	x.rooms.Triage.Activity = func(context.Context) (*Activity, error) {
		sights := []FirstSight{{"later", mine, noon.Add(-time.Hour)}, {"other", theirs, noon.Add(-2 * time.Hour)}, {"before", mine, noon.Add(-48 * time.Hour)}}
		return &Activity{Principals: sights, Regions: sights[2:], LastEvent: map[string]time.Time{mine: noon, theirs: noon.Add(time.Minute)}}, nil
	}
	x.rooms.Triage.Gaps = func(context.Context, time.Time, time.Time) ([]ledger.Gap, error) {
		return []ledger.Gap{{Kind: ledger.Silent, Account: mine, From: noon.Add(-3 * time.Hour), To: noon.Add(-2 * time.Hour), Reason: "silent"}, {Kind: ledger.Silent, Account: theirs}}, nil
	}
	x.rooms.Console.Days = func(context.Context, int) (ledger.Matrix, error) {
		row := func(a string, s ...ledger.DayState) (out ledger.AccountDays) {
			out.Account = a
			for _, state := range s {
				out.Cells = append(out.Cells, ledger.Cell{State: state})
			}
			return out
		}
		return ledger.Matrix{Days: []string{"2026-02-28", "2026-03-01"}, Accounts: []ledger.AccountDays{row(mine, ledger.DayPartial, ledger.DayLate), row(theirs, ledger.DayComplete, ledger.DayUnknown)}}, nil
	}
	x.rooms.Console.Secrets = func(context.Context) (KnownSecrets, error) {
		week := 7 * 24 * time.Hour
		return KnownSecrets{Book: &secrets.Book{Until: noon, Secrets: []secrets.Summary{
			{Resource: "new", Account: mine, Confirmed: true, First: noon.Add(-time.Hour)},
			{Resource: "guessed", Account: mine, First: noon.Add(-time.Hour)},
			{Resource: "quiet", Account: mine, UsedDays: 20, LastUse: noon.Add(-week - time.Hour)},
			{Resource: "quiet for long", Account: mine, UsedDays: 20, LastUse: noon.Add(-2 * week)},
			{Resource: "in use", Account: mine, UsedDays: 20, LastUse: noon.Add(-week + time.Hour)},
			{Resource: "hardly used", Account: mine, UsedDays: 2, LastUse: noon.Add(-week - time.Hour)},
			{Resource: "theirs", Account: theirs, UsedDays: 20, LastUse: noon.Add(-week - time.Hour)},
		}}}, nil
	}
	x.again()
	x.add("alice", people.Viewer, mine)
	x.add("bob", people.Viewer)
	alice, bob := x.signedIn("alice"), x.signedIn("bob")
	f := func(b *browser, since string, want string) {
		t.Helper()
		d := into[Today](b, 200, "GET", "/api/today"+since, "")
		c := d.Changes
		var got []string
		for _, p := range c.Principals {
			got = append(got, p.Actor)
		}
		for _, p := range c.Regions {
			got = append(got, "region "+p.Region)
		}
		for _, p := range c.Resources {
			got = append(got, "new "+p.Resource)
		}
		for _, p := range c.Quiet {
			got = append(got, "quiet "+p.Resource)
		}
		v := d.Coverage
		text := fmt.Sprintf("%s; %d of %d×%d, %d late, %d partial, %d unknown, %d gaps, %s", strings.Join(got, ", "), v.Complete, v.Accounts, v.Days, v.Late, v.Partial, v.Unknown, v.GapsTotal, v.LastEvent.Format("15:04"))
		if text != want {
			t.Errorf("%s: %s\nwant %s", since, text, want)
		}
	}
	f(bob, "", "later, other, new new, quiet quiet, quiet theirs; 1 of 2×2, 1 late, 1 partial, 1 unknown, 2 gaps, 12:01")
	f(alice, "", "later, new new, quiet quiet; 0 of 1×2, 1 late, 1 partial, 0 unknown, 1 gaps, 12:00")
	f(bob, "?since=2026-02-01T00:00:00Z", "later, other, before, region before, new new, quiet quiet, quiet theirs, quiet quiet for long; 1 of 2×2, 1 late, 1 partial, 1 unknown, 2 gaps, 12:01")
	f(bob, "?since=2026-03-01T11:59:00Z", "; 1 of 2×2, 1 late, 1 partial, 1 unknown, 2 gaps, 12:01")
	d := into[Today](bob, 200, "GET", "/api/today", "")
	made := 0
	for _, day := range d.Days {
		made += day.Made
	}
	want := 0
	for _, f := range x.stored() {
		if !f.FirstSeen.Before(finding.Day(noon).AddDate(0, 0, -13)) {
			want++
		}
	}
	if len(d.Days) != 14 || d.Days[13].Day != "2026-03-01" || made != want || d.Days[13].Open != 60 || len(d.Needs) != todayNeeds {
		t.Errorf("made %d, want %d: %+v", made, want, d.Days)
	}
}

func TestEvidenceAndTimeline(t *testing.T) {
	x := morning(t)
	x.add("vera", people.Viewer)
	vera := x.signedIn("vera")
	path := "/api/findings/" + finding.Key("morning", "3")
	e := into[FindingEvidence](vera, 200, "GET", path+"/evidence", "")
	if len(e.Events) != 1 || len(e.Missing) != 1 || e.Missing[0] != (event.UID{99}) {
		t.Errorf("%d events, missing %v", len(e.Events), e.Missing)
	}
	// Trouble 3 is of app-0 in theirs, as is every sixth: the others are days away.
	line := into[Timeline](vera, 200, "GET", path+"/timeline", "")
	if len(line.Events) != 2 || !line.Events[0].OfFinding || line.Events[1].OfFinding || line.Events[1].Time.Before(line.Events[0].Time) || line.More {
		t.Errorf("%d events from %s to %s, more %v", len(line.Events), line.Since, line.Until, line.More)
	}
	if wide := into[Timeline](vera, 200, "GET", path+"/timeline?hours=48", ""); !wide.Since.Equal(line.Since.Add(-46 * time.Hour)) {
		t.Errorf("since %s, of two hours %s", wide.Since, line.Since)
	}
	vera.want(422, "GET", path+"/timeline?hours=100", "")
	like := into[SimilarFindings](vera, 200, "GET", path+"/similar", "").Similar
	if len(like) == 0 || like[0].Alike != "actor_resource" || like[0].Finding.Actor != "arn:aws:iam::"+theirs+":role/app-0" || like[0].Finding.Rule != "rule-3" {
		t.Errorf("%+v", like)
	}
	for _, s := range like {
		if s.Finding.Key == finding.Key("morning", "3") || s.Finding.Rule != "rule-3" {
			t.Errorf("%s is like it: %s", s.Finding.Title, s.Why)
		}
	}
	for _, part := range []string{"/evidence", "/timeline", "/similar"} {
		vera.want(404, "GET", "/api/findings/nothing-at-all"+part, "")
	}
	if f := into[Finding](vera, 200, "GET", path, ""); f.ProposedCause == nil || f.ProposedCause.Cause != finding.CausePerson {
		t.Errorf("%+v", f.ProposedCause)
	}
}

// TestCauses: nobody waits long for a cause, who listens is told of it, and what
// one person may see is not told to another.
func TestCauses(t *testing.T) {
	x := morning(t)
	x.rooms.Triage.Causes = &Causes{}
	asked, open := 0, make(chan struct{})
	all := x.rooms.Select
	var mu sync.Mutex
	x.rooms.Select = func(ctx context.Context, q query.Query) iter.Seq2[event.Event, error] {
		mu.Lock()
		asked++
		mu.Unlock()
		<-open
		return all(ctx, q)
	}
	x.again()
	x.add("vera", people.Viewer)
	x.add("alice", people.Viewer, theirs)
	vera, alice := x.signedIn("vera"), x.signedIn("alice")
	path := "/api/findings/" + finding.Key("morning", "3")
	if f := into[Finding](vera, 200, "GET", path, ""); f.ProposedCause != nil || !f.CausePending {
		t.Errorf("at first: %+v, pending %v", f.ProposedCause, f.CausePending)
	}
	close(open)
	settled := func(b *browser) Finding {
		t.Helper()
		for range 200 {
			if f := into[Finding](b, 200, "GET", path, ""); !f.CausePending {
				return f
			}
			time.Sleep(10 * time.Millisecond)
		}
		t.Fatal("the cause stays pending")
		return Finding{}
	}
	if f := settled(vera); f.ProposedCause == nil || f.ProposedCause.Cause != finding.CausePerson {
		t.Errorf("then: %+v", f.ProposedCause)
	}
	before := asked
	settled(vera)
	if asked != before {
		t.Error("what is known is looked for again")
	}
	if settled(alice); asked == before {
		t.Error("alice, who is limited, is told what vera may see")
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
	const path = "testdata/triage.golden"
	if *update {
		if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Error("answers are not those of testdata/triage.golden: run `make update` and look at the difference")
	}
}
