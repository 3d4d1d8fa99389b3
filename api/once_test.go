package api

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/people"
)

// TestOnce: a POST that comes again under its key is done once.
func TestOnce(t *testing.T) {
	x := newHouse(t, Config{})
	x.add("alice", people.Admin)
	x.add("carol", people.Admin)
	b, c := x.signedIn("alice"), x.signedIn("carol")
	key := func(k string) func(*http.Request) { return header("Idempotency-Key", k) }
	first := b.want(201, "POST", "/api/users", `{"name":"bob"}`, key("1"))
	again := b.ask("POST", "/api/users", `{"name":"bob"}`, key("1"))
	body, _ := io.ReadAll(again.Body)
	if again.StatusCode != 201 || string(body) != first || again.Header.Get("Idempotency-Replayed") != "true" || again.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%d %s %v", again.StatusCode, body, again.Header)
	}
	b.want(422, "POST", "/api/users", `{"name":"dave"}`, key("1"))
	b.want(409, "POST", "/api/users", `{"name":"bob"}`, key("2"))
	c.want(409, "POST", "/api/users", `{"name":"bob"}`, key("1")) // somebody else's
	b.want(409, "POST", "/api/users", `{"name":"bob"}`)
	b.want(422, "POST", "/api/users", `{"name":"eve"}`, key(strings.Repeat("x", 129)))
	// What lets somebody in is not kept, nor told to who may less by now.
	for range 2 {
		r := b.ask("POST", "/api/signin", `{"user":"alice","password":"`+good+`"}`, key("3"))
		if r.StatusCode != http.StatusOK || r.Header.Get("Idempotency-Replayed") != "" {
			t.Errorf("signing in again: %d %v", r.StatusCode, r.Header)
		}
	}
	c.want(201, "POST", "/api/users", `{"name":"frank"}`, key("4"))
	role := people.Viewer
	if _, err := x.door.ChangeUser(t.Context(), people.LocalOwner(), "carol", people.UserChange{Role: &role}, nil); err != nil {
		t.Fatal(err)
	}
	c.want(403, "POST", "/api/users", `{"name":"frank"}`, key("4"))
}

// TestOnceForgets: what is kept has bounds, and what failed is tried again.
func TestOnceForgets(t *testing.T) {
	var o once
	calls := 0
	status := http.StatusOK
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls++
		w.WriteHeader(status)
		fmt.Fprint(w, strings.Repeat("x", 1<<19))
	})
	user := "alice"
	ask := func(key string, at time.Time, want int) {
		t.Helper()
		r := httptest.NewRequest("POST", "/", strings.NewReader("body"))
		r.Header.Set("Idempotency-Key", key)
		o.serve(httptest.NewRecorder(), r, user, at, h)
		if calls != want {
			t.Errorf("asked %d times, want %d", calls, want)
		}
	}
	ask("a", noon, 1)
	ask("a", noon, 1)
	ask("a", noon.Add(onceLasts), 2)
	status = http.StatusInternalServerError
	ask("b", noon, 3)
	ask("b", noon, 4)
	status = http.StatusOK
	user = "bob"
	ask("a", noon, 5)
	user = "alice"
	for i := range 3 * onceMost {
		ask(fmt.Sprint(i), noon, 6+i)
	}
	if len(o.kept) > onceMost || o.bytes > onceBytes+recordMost || len(o.users) != 2 || len(o.users["alice"].order)+1 != len(o.kept) {
		t.Errorf("%d answers of %d bytes are kept", len(o.kept), o.bytes)
	}
	all := 5 + 3*onceMost
	ask(fmt.Sprint(3*onceMost-1), noon, all)
	user = "bob"
	ask("a", noon, all) // one who asks for much pushes nobody else out
	user = "alice"
	ask("0", noon, all+1)
	// While one is answered another under its key is not.
	busy := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		second := httptest.NewRecorder()
		again := httptest.NewRequest("POST", "/", strings.NewReader("body"))
		again.Header.Set("Idempotency-Key", "busy")
		o.serve(second, again, "alice", noon, h)
		if second.Code != http.StatusConflict {
			t.Errorf("at the same time: %d", second.Code)
		}
		panic(http.ErrAbortHandler)
	})
	func() {
		defer func() { _ = recover() }()
		r := httptest.NewRequest("POST", "/", strings.NewReader("body"))
		r.Header.Set("Idempotency-Key", "busy")
		o.serve(httptest.NewRecorder(), r, "alice", noon, busy)
	}()
	ask("busy", noon, all+2)
	user = "carol"
	ask("x", noon.Add(2*onceLasts), all+3)
	if len(o.kept) != 1 || len(o.users) != 1 {
		t.Errorf("of %d answers of %d callers all but one are old", len(o.kept), len(o.users))
	}
}
