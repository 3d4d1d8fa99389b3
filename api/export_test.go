package api

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/export"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/mask"
	"github.com/yagura-sec/yagura/people"
	"github.com/yagura-sec/yagura/say"
	triagememory "github.com/yagura-sec/yagura/triage/memory"
)

// exporting is a server with more findings than a page has, of one person.
func exporting(t *testing.T, n int) http.Handler {
	t.Helper()
	store := &triagememory.Store{}
	j := finding.Judged{}
	batch := event.BatchID{9}
	for i := range n {
		o := finding.Occurrence{Batch: batch, Since: noon.Truncate(24 * 3600e9), Until: noon.Truncate(24 * 3600e9).Add(24 * 3600e9), FirstSeen: noon, LastSeen: noon, Count: 1}
		o.Key, o.Kind, o.Title, o.Severity, o.Confidence = finding.Key("x", string(rune('a'+i%26)), string(rune(i))), finding.KindRule, "=1+1", finding.Low, 0.5
		o.Account, o.Actor = "111122223333", "arn:aws:iam::111122223333:user/alice"
		o.Reasons = []finding.Reason{{Kind: "field", Text: say.Plain("alice did it")}}
		o.Evidence.Add(finding.Sighting{Time: noon, UID: event.UID{byte(i), byte(i >> 8)}})
		j.Occurrences = append(j.Occurrences, o)
	}
	if err := store.Record(t.Context(), batch, j); err != nil {
		t.Fatal(err)
	}
	r := rooms(t)
	r.Findings = store
	m, err := mask.New([]byte("a key that only tests have"))
	if err != nil {
		t.Fatal(err)
	}
	r.Mask = m
	return New(Config{Version: "test", Token: "secret", Hosts: []string{"localhost"}}, r)
}

func TestExport(t *testing.T) {
	const n = exportPage + 7
	h := exporting(t, n)
	for _, format := range export.Formats {
		status, head, body := ask(t, h, http.MethodGet, "/api/findings/export?format="+string(format)+"&limit=3", "")
		if status != http.StatusOK || head.Get("Content-Type") != format.ContentType() || !strings.Contains(head.Get("Content-Disposition"), format.Extension()) {
			t.Errorf("%s: %d %v", format, status, head)
		}
		if got := strings.Count(body, "alice did it"); got < n {
			t.Errorf("%s: %d of %d findings", format, got, n)
		}
		if _, _, body = ask(t, h, http.MethodGet, "/api/findings/export?masked=true&format="+string(format), ""); strings.Contains(body, "alice") || strings.Contains(body, "111122223333") || !strings.Contains(body, "person-") {
			t.Errorf("%s is not masked: %.300s", format, body)
		}
	}
	for _, q := range []string{"format=xml", "version=9", "severity=huge"} {
		if status, _, body := ask(t, h, http.MethodGet, "/api/findings/export?"+q, ""); status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d %s", q, status, body)
		}
	}
	if _, _, body := ask(t, h, http.MethodGet, "/api/findings/export?format=ocsf&version=1.1&severity=high", ""); body != "" {
		t.Errorf("of none that are severe are written %s", body)
	}
}

// TestMaskable: any answer in JSON can be masked, and keeps its form.
func TestMaskable(t *testing.T) {
	h := exporting(t, 2)
	status, _, plain := ask(t, h, http.MethodGet, "/api/findings", "")
	masked, head, body := ask(t, h, http.MethodGet, "/api/findings?masked=true", "")
	if status != http.StatusOK || masked != http.StatusOK || head.Get("ETag") != "" {
		t.Fatalf("%d, %d %v", status, masked, head)
	}
	var a, b Findings
	if err := json.Unmarshal([]byte(plain), &a); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(body), &b); err != nil {
		t.Fatal(err)
	}
	if len(a.Findings) != 2 || len(b.Findings) != 2 || a.Findings[0].Key != b.Findings[0].Key {
		t.Errorf("%s\nbecame %s", plain, body)
	}
	if strings.Contains(body, "alice") || strings.Contains(body, "111122223333") || !strings.Contains(body, "person-") {
		t.Errorf("%s is not masked", body)
	}
	if status, _, _ := ask(t, h, http.MethodGet, "/api/findings/nothing?masked=true", ""); status != http.StatusNotFound {
		t.Errorf("what is not there is %d", status)
	}
	// However it is said, what is asked for masked is not answered bare.
	for query, want := range map[string]int{
		"masked=1": http.StatusOK, "masked=TRUE": http.StatusOK, "masked": http.StatusUnprocessableEntity, "masked=yes": http.StatusUnprocessableEntity,
		"masked=false&masked=true": http.StatusUnprocessableEntity,
	} {
		if status, _, body := ask(t, h, http.MethodGet, "/api/findings?"+query, ""); status != want || strings.Contains(body, "alice") {
			t.Errorf("%s: %d %s", query, status, body)
		}
	}
	body = ""
	if status, _, body = ask(t, h, http.MethodPost, "/api/findings/"+a.Findings[0].Key+"/decisions?masked=true", `{"status":"open"}`); strings.Contains(body, "alice") {
		t.Errorf("what a change answers is not masked: %d %s", status, body)
	}
	if status, _, _ := ask(t, handler(t), http.MethodGet, "/api/findings?masked=true", ""); status != http.StatusNotImplemented {
		t.Errorf("without a mask it is %d", status)
	}
}

// TestUsersAreMasked: who may sign in is masked wherever an answer says it.
func TestUsersAreMasked(t *testing.T) {
	x := newHouse(t, Config{})
	x.add("alice", people.Admin)
	m, err := mask.New([]byte("a key that only tests have"))
	if err != nil {
		t.Fatal(err)
	}
	r := x.rooms
	r.Mask = m
	x.h = New(Config{Version: "test", Token: "secret", Hosts: []string{"localhost"}}, r)
	_, _, body := ask(t, x.h, http.MethodGet, "/api/users?masked=true", "")
	if strings.Contains(body, "alice") || !strings.Contains(body, m.Person("alice")) {
		t.Errorf("the list of users says %s", body)
	}
}

// TestMaskedForms: what is held is masked as what it is, or not answered.
func TestMaskedForms(t *testing.T) {
	m, err := mask.New([]byte("a key that only tests have"))
	if err != nil {
		t.Fatal(err)
	}
	f := func(kind, body string, status int, want string) {
		t.Helper()
		h := Rooms{Mask: m}.maskable(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			w.Header().Set("ETag", "of alice")
			_, _ = w.Write([]byte(body))
		}))
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api/x?masked=true", nil))
		if got := w.Body.String(); w.Code != status || !strings.Contains(got, want) || strings.Contains(got, "alice") || w.Header().Get("ETag") != "" {
			t.Errorf("%s %s: %d %v %s", kind, body, w.Code, w.Header(), got)
		}
	}
	f("application/json", `{"by":"alice"}`, http.StatusOK, `{"by":"person-`)
	f("application/problem+json", `{"by":"alice"}`, http.StatusOK, `{"by":"person-`)
	f("application/x-ndjson", "{\"by\":\"bo\"}\n{\"by\":\"alice\"}\n", http.StatusOK, "\"}\n{\"by\":\"person-")
	f("text/csv; charset=utf-8", "by\nalice\n", http.StatusNotImplemented, "text/csv")
	f("text/event-stream", "data: alice\n\n", http.StatusNotImplemented, "event-stream")
	f("text/plain", "", http.StatusOK, "")
}
