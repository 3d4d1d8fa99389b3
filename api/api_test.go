package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/internal/golden"
	"github.com/yagura-sec/yagura/ledger"
	ledgermemory "github.com/yagura-sec/yagura/ledger/memory"
	"github.com/yagura-sec/yagura/people"
	peoplememory "github.com/yagura-sec/yagura/people/memory"
	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/triage"
	triagememory "github.com/yagura-sec/yagura/triage/memory"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// rooms hold one finding and three events.
func rooms(t *testing.T) Rooms {
	t.Helper()
	store := &triagememory.Store{}
	o := finding.Occurrence{Batch: event.BatchID{1}, FirstSeen: noon, LastSeen: noon, Count: 1}
	o.Key, o.Kind, o.Title, o.Severity, o.Confidence = finding.Key("a"), finding.KindRule, `<script>alert("x")</script>`, finding.High, 0.9
	o.Evidence.Add(finding.Sighting{Time: noon, UID: event.UID{7}})
	if err := store.Record(t.Context(), o.Batch, finding.Judged{Occurrences: []finding.Occurrence{o}}); err != nil {
		t.Fatal(err)
	}
	var events []event.Event
	for i := range 3 {
		events = append(events, event.Event{UID: event.UID{byte(i)}, Time: noon, APIOperation: "ListBuckets", Raw: []byte(`{"n":` + string(rune('0'+i)) + `}`)})
	}
	l := ledgermemory.New(ledger.Options{Now: func() time.Time { return noon }})
	return Rooms{
		Findings: store, Ledger: l,
		Select: selecting(events),
		Report: func(ctx context.Context) (ledger.Report, error) { return ledger.MakeReport(ctx, l, nil) },
		Backup: func(_ context.Context, dir string) error {
			if dir == "/full" {
				return errors.New("no space left")
			}
			return nil
		},
		Stopped: func() []Stopped { return nil },
		Metrics: http.NotFoundHandler(),
		People:  door(t, &peoplememory.Store{}, people.Options{}),
		Live:    &Live{},
		Triage:  Triage{Store: store},
		Pages:   http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "the console at ", r.URL.Path) }),
		Now:     func() time.Time { return noon },
		Failed:  func(err error) { t.Log("the server says:", err) },
	}
}

// selecting chooses among events.
func selecting(events []event.Event) func(context.Context, query.Query) iter.Seq2[event.Event, error] {
	return func(_ context.Context, q query.Query) iter.Seq2[event.Event, error] {
		return func(yield func(event.Event, error) bool) {
			for _, e := range events {
				if (q.Where == nil || query.Match(q.Where, &e)) && !yield(e, nil) {
					return
				}
			}
		}
	}
}

// door lets people in to store, at noon unless opt has another clock, and with
// hashes that are quick to make.
func door(t *testing.T, store people.Store, opt people.Options) *people.Door {
	t.Helper()
	opt.Hashing = people.Hashing{Memory: 8, Time: 1, Threads: 1}
	if opt.Now == nil {
		opt.Now = func() time.Time { return noon }
	}
	if opt.Audit == nil {
		opt.Audit = func(context.Context, people.Deed) error { return nil }
	}
	return people.NewDoor(store, opt)
}

func handler(t *testing.T) http.Handler {
	return New(Config{Version: "test", Token: "secret", Hosts: []string{"localhost", "::1"}}, rooms(t))
}

func ask(t *testing.T, h http.Handler, method, target, body string, change ...func(*http.Request)) (int, http.Header, string) {
	t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Host = "localhost:8484"
	r.Header.Set("Authorization", "Bearer secret")
	r.Header.Set("Content-Type", "application/json")
	for _, c := range change {
		c(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code, w.Header(), w.Body.String()
}

// TestDescription holds the description, which clients are generated from, to
// the golden file.
func TestDescription(t *testing.T) {
	code, _, body := ask(t, handler(t), "GET", "/openapi.json", "")
	if code != 200 {
		t.Fatalf("%d %s", code, body)
	}
	var got bytes.Buffer
	if err := json.Indent(&got, []byte(body), "", " "); err != nil {
		t.Fatal(err)
	}
	got.WriteByte('\n')
	golden.Check(t, "testdata/openapi.json.golden", got.Bytes())
	for _, p := range []string{"/healthz", "/api/findings", "/api/findings/{key}", "/api/search", "/api/ledger", "/api/ledger/objects"} {
		if !strings.Contains(body, `"`+p+`"`) {
			t.Errorf("%s is not described", p)
		}
	}
}

func TestGuard(t *testing.T) {
	h := handler(t)
	f := func(want int, path string, change func(*http.Request)) {
		t.Helper()
		code, head, body := ask(t, h, "GET", path, "", change)
		if code != want {
			t.Errorf("%s: %d, want %d: %s", path, code, want, body)
		}
		if want >= 400 && head.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: a refusal is %s", path, head.Get("Content-Type"))
		}
		if head.Get("Content-Security-Policy") == "" || head.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: headers %v", path, head)
		}
	}
	host := func(h string) func(*http.Request) { return func(r *http.Request) { r.Host = h } }
	f(200, "/api/findings", host("localhost"))
	f(200, "/api/findings", host("LOCALHOST:1"))
	f(200, "/api/findings", host("[::1]:8484"))
	f(421, "/api/findings", host("evil.example"))
	f(421, "/api/findings", host("localhost.evil.example"))
	f(421, "/api/findings", host(""))
	f(200, "/api/findings", header("Origin", "http://localhost:8484"))
	f(403, "/api/findings", header("Origin", "http://localhost:9999"))
	f(403, "/api/findings", header("Origin", "null"))
	f(403, "/api/findings", header("Sec-Fetch-Site", "same-site"))
	f(401, "/api/findings", header("Authorization", "Bearer secre"))
	f(401, "/api/findings", header("Authorization", "Basic secret"))
	f(401, "/openapi.json", header("Authorization", ""))
	f(200, "/healthz", header("Authorization", ""))
	f(200, "/healthz", host("10.0.0.1"))
}

func TestAnswers(t *testing.T) {
	h := handler(t)
	f := func(want int, method, target, body, contains string) {
		t.Helper()
		code, _, got := ask(t, h, method, target, body)
		if code != want || !strings.Contains(got, contains) {
			t.Errorf("%s %s: %d %s; want %d with %s", method, target, code, got, want, contains)
		}
	}
	key := finding.Key("a")
	f(200, "GET", "/api/findings", "", `"key":"`+key)
	if _, head, _ := ask(t, h, "GET", "/api/findings", ""); head.Get("Content-Type") != "application/json" {
		t.Errorf("hostile text is served as %s", head.Get("Content-Type"))
	}
	f(200, "GET", "/api/findings?severity=critical", "", `"findings":[],"next":""`)
	f(422, "GET", "/api/findings?severity=loud", "", "severity")
	f(200, "GET", "/api/findings/"+key, "", `"evidence":["07000000-0000-0000-0000-000000000000"]`)
	f(404, "GET", "/api/findings/unknownkey", "", "no such finding")
	f(200, "GET", "/api/search", "", `"more":false`)
	f(200, "GET", "/api/search?limit=2", "", `"more":true`)
	f(200, "GET", "/api/search?q=api_operation:ListBuckets", "", `"raw":{"n":2}`)
	f(200, "GET", "/api/search?q=time:%3E=now-1h", "", `"n":2`)
	f(200, "GET", "/api/search?q=time:%3Enow", "", `"events":[]`)
	f(200, "GET", "/api/search?q=api_operation:Other", "", `"events":[]`)
	f(422, "GET", "/api/search?q=nosuch:x", "", "nosuch")
	f(422, "GET", "/api/search?limit=100000", "", "limit")
	f(200, "GET", "/api/ledger", "", `"totals":{"objects":0`)
	f(200, "GET", "/api/ledger/objects", "", `"objects":[]`)
	f(422, "GET", "/api/findings?cursor=x", "", "not one that List gave")
	f(422, "GET", "/api/findings?status=bogus", "", "status")
	f(200, "GET", "/api/findings?status=new,resolved", "", key)
	f(422, "GET", "/api/ledger/objects?state=bogus", "", "state")
	f(405, "DELETE", "/api/findings", "", "")
	f(404, "POST", "/api/backup", `{"dir":"/copy"}`, "")
}

// TestObjectPages: pages put together are the list.
func TestObjectPages(t *testing.T) {
	r := rooms(t)
	var want []string
	var objects []event.Object
	for i := range 25 {
		name, version := fmt.Sprintf("o%02d/\xff", i/2), fmt.Sprint("v", i%2) // pages end between versions too
		want = append(want, name+" "+version)
		objects = append(objects, event.Object{Name: name, Version: version})
	}
	if err := r.Ledger.(ledger.Store).List(t.Context(), objects); err != nil {
		t.Fatal(err)
	}
	h := New(Config{Version: "test", Token: "secret", Hosts: []string{"localhost"}}, r)
	f := func(limit, pages int) {
		t.Helper()
		var got []string
		n := 0
		for cursor := ""; n == 0 || cursor != ""; n++ {
			code, _, body := ask(t, h, "GET", fmt.Sprintf("/api/ledger/objects?limit=%d&cursor=%s", limit, cursor), "")
			var page struct {
				Objects []ledger.Object
				Next    string
			}
			if err := json.Unmarshal([]byte(body), &page); code != 200 || err != nil || n > 30 {
				t.Fatalf("page %d: %d %s", n, code, body)
			}
			for _, o := range page.Objects {
				got = append(got, strings.ReplaceAll(o.Name, "\uFFFD", "\xff")+" "+o.Version)
			}
			cursor = page.Next
		}
		if !slices.Equal(got, want) || n != pages {
			t.Errorf("%d pages of %d: %q", n, limit, got)
		}
	}
	f(1, 25)
	f(3, 9)
	f(5, 5)
	f(25, 1)
	f(100, 1)
	for _, bad := range []string{"x", "!!", cursor(ledger.Place{Name: "name"})[:4]} {
		if code, _, body := ask(t, h, "GET", "/api/ledger/objects?cursor="+bad, ""); code != 422 {
			t.Errorf("cursor %q: %d %s", bad, code, body)
		}
	}
}

// TestEnums: the values a caller may choose from are all that there are.
func TestEnums(t *testing.T) {
	h := handler(t)
	for _, s := range finding.Statuses {
		if code, _, body := ask(t, h, "GET", "/api/findings?status="+string(s), ""); code != 200 {
			t.Errorf("status %s: %d %s", s, code, body)
		}
	}
	for _, s := range finding.Severities {
		if code, _, body := ask(t, h, "GET", "/api/findings?severity="+string(s), ""); code != 200 {
			t.Errorf("severity %s: %d %s", s, code, body)
		}
	}
	for _, s := range []ledger.State{"listed", "partial", "growing", "superseded", "complete", "failed", "aside"} {
		if code, _, body := ask(t, h, "GET", "/api/ledger/objects?state="+string(s), ""); code != 200 {
			t.Errorf("state %s: %d %s", s, code, body)
		}
	}
}

func TestHealth(t *testing.T) {
	r := rooms(t)
	r.Stopped = func() []Stopped {
		return []Stopped{{Source: "0:file", Since: noon, Reason: "too little free space"}}
	}
	sick := New(Config{Version: "test", Token: "secret", Hosts: []string{"localhost"}}, r)
	f := func(h http.Handler, want int, body string) {
		t.Helper()
		code, _, got := ask(t, h, "GET", "/healthz", "", func(r *http.Request) { r.Header.Del("Authorization") })
		if code != want || strings.TrimSpace(got) != body {
			t.Errorf("%d %s, want %d %s", code, got, want, body)
		}
	}
	f(handler(t), 200, `{"status":"ok","version":"test","stopped":[]}`)
	f(sick, 503, `{"status":"intake stopped","version":"test","stopped":[{"source":"0:file","since":"2026-03-01T12:00:00Z","reason":"too little free space"}]}`)
}

func TestOwner(t *testing.T) {
	h := Owner(rooms(t))
	f := func(want int, method, target, body, contains string) {
		t.Helper()
		code, _, got := ask(t, h, method, target, body, func(r *http.Request) { r.Header.Del("Authorization") })
		if code != want || !strings.Contains(got, contains) {
			t.Errorf("%s %s: %d %s; want %d with %s", method, target, code, got, want, contains)
		}
	}
	f(204, "POST", "/api/backup", `{"dir":"/copy"}`, "")
	f(422, "POST", "/api/backup", `{"dir":"/full"}`, "no space left")
	f(422, "POST", "/api/backup", `{"dir":"copy"}`, "absolute")
	f(422, "POST", "/api/backup", `{}`, "absolute")
	f(422, "POST", "/api/backup", `{`, "")
	f(405, "GET", "/api/backup", "", "")
	f(404, "GET", "/api/findings", "", "")
}

// TestInternal: what is not meant for people stays inside.
func TestInternal(t *testing.T) {
	r := rooms(t)
	r.Findings = broken{}
	var told error
	r.Failed = func(err error) { told = err }
	h := New(Config{Version: "test", Token: "secret", Hosts: []string{"localhost"}}, r)
	if code, _, body := ask(t, h, "GET", "/api/findings", ""); code != 500 || strings.Contains(body, "/var/lib") {
		t.Errorf("%d %s", code, body)
	}
	if told == nil || !strings.Contains(told.Error(), "/var/lib") {
		t.Errorf("the server says %v", told)
	}
}

type broken struct{ triage.Reader }

func (broken) List(context.Context, triage.Filter) ([]finding.Finding, string, error) {
	return nil, "", errors.New("open /var/lib/yagura/state.db: permission denied")
}
