package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/yagura-sec/yagura/companion"
	"github.com/yagura-sec/yagura/decision"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/ledger"
	"github.com/yagura-sec/yagura/people"
	peoplememory "github.com/yagura-sec/yagura/people/memory"
	"github.com/yagura-sec/yagura/register"
	"github.com/yagura-sec/yagura/say"
	"github.com/yagura-sec/yagura/triage"
)

const (
	good   = "correct horse battery"
	mine   = "111122223333"
	theirs = "444455556666"
)

// house is a server with people in it.
type house struct {
	t     *testing.T
	h     http.Handler
	door  *people.Door
	store *peoplememory.Store
	rooms Rooms
	now   time.Time
	deeds []string
}

func newHouse(t *testing.T, cfg Config, change ...func(*people.Options)) *house {
	t.Helper()
	x := &house{t: t, store: &peoplememory.Store{}, now: noon}
	opt := people.Options{
		Now:   func() time.Time { return x.now },
		Audit: func(_ context.Context, d people.Deed) error { x.deeds = append(x.deeds, d.Action); return nil },
	}
	for _, c := range change {
		c(&opt)
	}
	x.door = door(t, x.store, opt)
	x.rooms = rooms(t)
	x.rooms.People = x.door
	cfg.Version, cfg.Token = "test", "secret"
	if cfg.Hosts == nil {
		cfg.Hosts = []string{"localhost", "::1"}
	}
	x.h = New(cfg, x.rooms)
	return x
}

func (x *house) add(name string, role people.Role, accounts ...string) {
	x.t.Helper()
	if _, err := x.door.AddUser(x.t.Context(), people.LocalOwner(), people.NewUser{Name: name, Role: role, Accounts: accounts, Password: good}); err != nil {
		x.t.Fatal(err)
	}
}

// browser is one that keeps cookies and says what browsers say.
type browser struct {
	*house
	cookies map[string]string
	origin  string
	address string
}

func (x *house) browser() *browser {
	return &browser{house: x, cookies: map[string]string{}, origin: "http://localhost:8484", address: "203.0.113.9:4711"}
}

// ask asks as a page of the browser's origin does.
func (b *browser) ask(method, target, body string, change ...func(*http.Request)) *http.Response {
	b.t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Host, r.RemoteAddr = "localhost:8484", b.address
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	if method != "GET" {
		r.Header.Set("Origin", b.origin)
		r.Header.Set("X-Yagura", "1")
		r.Header.Set("Content-Type", "application/json")
	}
	for _, c := range change {
		c(r)
	}
	w := httptest.NewRecorder()
	b.h.ServeHTTP(w, r)
	got := w.Result()
	for _, c := range got.Cookies() {
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		} else {
			b.cookies[c.Name] = c.Value
		}
	}
	return got
}

// want asks, holds the answer to a status, and gives its body.
func (b *browser) want(status int, method, target, body string, change ...func(*http.Request)) string {
	b.t.Helper()
	got := b.ask(method, target, body, change...)
	text, err := io.ReadAll(got.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	if got.StatusCode != status {
		b.t.Errorf("%s %s: %d %s; want %d", method, target, got.StatusCode, text, status)
	}
	if status >= 400 && got.Header.Get("Content-Type") != "application/problem+json" {
		b.t.Errorf("%s %s: a refusal is %s", method, target, got.Header.Get("Content-Type"))
	}
	return string(text)
}

func (x *house) signedIn(name string) *browser {
	x.t.Helper()
	b := x.browser()
	b.want(200, "POST", "/api/signin", fmt.Sprintf(`{"user":%q,"password":%q}`, name, good))
	return b
}

func header(k, v string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(k, v) }
}

func without(k string) func(*http.Request) { return func(r *http.Request) { r.Header.Del(k) } }

// operation is one of the description.
type operation struct {
	Method, Path                string
	Role, Accounts, Scope, Only string
}

func operations(t *testing.T, h http.Handler) (all []operation) {
	t.Helper()
	_, _, body := ask(t, h, "GET", "/openapi.json", "")
	var d struct {
		Paths map[string]map[string]map[string]any `json:"paths"`
	}
	if err := json.Unmarshal([]byte(body), &d); err != nil || len(d.Paths) == 0 {
		t.Fatal(len(d.Paths), err)
	}
	for _, path := range slices.Sorted(maps.Keys(d.Paths)) {
		for method, op := range d.Paths[path] {
			text := func(key string) string {
				v, ok := op[key]
				if !ok {
					return ""
				}
				return fmt.Sprint(v)
			}
			all = append(all, operation{strings.ToUpper(method), path, text("x-role"), text("x-accounts"), text("x-scope"), text("x-people")})
		}
	}
	return all
}

var variable = regexp.MustCompile(`\{[^}]+\}`)

// ofTheirOwn are the operations besides GET that a viewer may ask for: each
// changes what is the viewer's own, or asks a question. Whoever adds to it has
// thought of that.
var ofTheirOwn = map[string]bool{
	"PATCH /api/session": true, "POST /api/session/password": true, "POST /api/signout": true,
	"POST /api/tokens": true, "DELETE /api/tokens/{id}": true,
	"PUT /api/views/{id}": true, "DELETE /api/views/{id}": true, // saved questions
	"POST /api/register/implied": true, // a question
}

// TestEveryOperationHasARole walks the description: every operation says who may
// ask, and nobody else may.
func TestEveryOperationHasARole(t *testing.T) {
	x := newHouse(t, Config{})
	for _, r := range people.Roles {
		x.add(string(r), r)
	}
	x.add("limited", people.Admin, mine)
	tokens := map[string]string{}
	for _, scope := range Scopes() {
		secret, _, err := x.door.NewToken(t.Context(), people.LocalOwner(), people.NewToken{Name: scope, Role: people.Admin, Scopes: []string{scope}, Expires: noon.Add(time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		tokens[scope] = secret
	}
	nobody, limited := x.browser(), x.signedIn("limited")
	browsers := map[people.Role]*browser{}
	for _, r := range people.Roles {
		browsers[r] = x.signedIn(string(r))
	}
	for _, op := range operations(t, x.h) {
		path := variable.ReplaceAllString(op.Path, "no-such")
		if op.Role == noRole {
			if !open(path) {
				t.Errorf("%s %s is public, and not among the open paths", op.Method, op.Path)
			}
			continue
		}
		if open(path) {
			t.Errorf("%s %s is among the open paths, and not public", op.Method, op.Path)
		}
		if !people.Role(op.Role).Known() {
			t.Errorf("%s %s says no role: wrap its operation in need", op.Method, op.Path)
			continue
		}
		if op.Scope == "" {
			t.Errorf("%s %s has no scope: name its first part in areas", op.Method, op.Path)
		}
		if op.Method != "GET" && op.Role == string(people.Viewer) && !ofTheirOwn[op.Method+" "+op.Path] {
			t.Errorf("a viewer may %s %s", op.Method, op.Path)
		}
		nobody.want(401, op.Method, path, "{}")
		for _, r := range people.Roles {
			if !r.May(people.Role(op.Role)) {
				browsers[r].want(403, op.Method, path, "{}")
			}
		}
		if op.Accounts != "within" {
			limited.want(403, op.Method, path, "{}")
		}
		for scope, secret := range tokens {
			if scope != op.Scope && op.Scope != everyToken || op.Only == "true" {
				nobody.want(403, op.Method, path, "{}", header("Authorization", "Bearer "+secret))
			}
		}
	}
}

// TestWhatHasNoRole: an operation that says nothing is nobody's.
func TestWhatHasNoRole(t *testing.T) {
	op := public(need(people.Viewer, within(personal(operationOf("/api/findings")))))
	if s, _ := refusal(&op, people.Who{}); s != 0 {
		t.Error("public is not for everybody")
	}
	bare := operationOf("/api/findings")
	for _, w := range []people.Who{{}, people.LocalOwner()} {
		if s, _ := refusal(&bare, w); s == 0 {
			t.Errorf("%+v may ask for what says no role", w)
		}
	}
	strange := need(people.Viewer, operationOf("/api/strange"))
	if s, _ := refusal(&strange, people.Who{User: "a", Role: people.Admin, Via: people.ViaToken, Scopes: []string{""}}); s != 403 {
		t.Errorf("a token with a scope may what has none: %d", s)
	}
}

func TestSignInAndOut(t *testing.T) {
	x := newHouse(t, Config{})
	x.add("alice", people.Analyst, mine)
	b := x.browser()
	b.want(401, "GET", "/api/session", "")
	for _, body := range []string{
		`{"user":"alice","password":"wrong"}`, `{"user":"nobody","password":"` + good + `"}`, `{"user":"","password":""}`,
	} {
		if got := b.want(401, "POST", "/api/signin", body); !strings.Contains(got, "user or password is wrong") {
			t.Errorf("%s", got)
		}
	}
	if len(b.cookies) != 0 {
		t.Errorf("whoever is refused has %v", b.cookies)
	}
	answer := b.ask("POST", "/api/signin", fmt.Sprintf(`{"user":"Alice","password":%q}`, good))
	c := answer.Cookies()
	if len(c) != 1 || c[0].Name != "yagura-8484" || !c[0].HttpOnly || c[0].SameSite != http.SameSiteStrictMode || c[0].Path != "/" || c[0].Domain != "" || c[0].MaxAge != 7*24*3600 {
		t.Errorf("%+v", c)
	}
	var s Session
	if err := json.Unmarshal([]byte(b.want(200, "GET", "/api/session", "")), &s); err != nil {
		t.Fatal(err)
	}
	if s.User != "alice" || s.Role != people.Analyst || !slices.Equal(s.Accounts, []string{mine}) || s.Version != "test" || !s.Now.Equal(noon) || !s.LastVisit.IsZero() || !s.Password {
		t.Errorf("%+v", s)
	}
	if got := b.want(200, "PATCH", "/api/session", `{"language":"ja"}`); !strings.Contains(got, `"language":"ja","theme":""`) {
		t.Errorf("%s", got)
	}
	b.want(422, "PATCH", "/api/session", `{"language":"xx"}`)
	other := x.signedIn("alice")
	kept := maps.Clone(b.cookies)
	b.want(204, "POST", "/api/signout", "")
	b.cookies = kept
	b.want(401, "GET", "/api/session", "")
	other.want(200, "GET", "/api/session", "")
	third := x.signedIn("alice")
	third.want(204, "POST", "/api/signout?everywhere=true", "")
	other.want(401, "GET", "/api/session", "")
}

// TestFixation: what a browser brings along is never what it gets, and ends.
func TestFixation(t *testing.T) {
	x := newHouse(t, Config{})
	x.add("alice", people.Viewer)
	x.add("mallory", people.Viewer)
	planted := x.signedIn("mallory")
	b := x.browser()
	b.cookies = maps.Clone(planted.cookies)
	b.want(200, "POST", "/api/signin", fmt.Sprintf(`{"user":"alice","password":%q}`, good))
	if b.cookies["yagura-8484"] == planted.cookies["yagura-8484"] {
		t.Error("a session was taken over from before signing in")
	}
	planted.want(401, "GET", "/api/session", "")
	b.cookies["yagura-8484"] = "chosen-by-somebody"
	b.want(401, "GET", "/api/session", "")
	b.want(200, "POST", "/api/signin", fmt.Sprintf(`{"user":"alice","password":%q}`, good))
	if b.cookies["yagura-8484"] == "chosen-by-somebody" {
		t.Error("a session's secret was chosen by somebody")
	}
}

// TestCrossSite: no other page makes a browser change something, or sign in as
// somebody else.
func TestCrossSite(t *testing.T) {
	x := newHouse(t, Config{})
	x.add("alice", people.Admin)
	b := x.signedIn("alice")
	add := func(status int, change ...func(*http.Request)) {
		t.Helper()
		x.store.RemoveUser(t.Context(), "bob")
		b.want(status, "POST", "/api/users", `{"name":"bob"}`, change...)
		if _, err := x.store.User(t.Context(), "bob"); (err == nil) != (status == 201) {
			t.Errorf("bob is there: %v", err)
		}
	}
	add(201)
	add(403, without("X-Yagura"))
	add(403, header("X-Yagura", "0"))
	add(403, without("Origin"))
	add(403, header("Origin", "https://evil.example"))
	add(403, header("Origin", "http://localhost:9999"))
	add(403, header("Origin", "null"))
	add(403, header("Origin", "http://localhost:8484.evil.example"))
	add(403, header("Sec-Fetch-Site", "cross-site"))
	add(403, header("Sec-Fetch-Site", "same-site"))
	add(201, header("Sec-Fetch-Site", "same-origin"))
	add(421, func(r *http.Request) { r.Host = "evil.example:8484" })
	add(421, func(r *http.Request) { r.Host = "evil.example"; r.Header.Set("Origin", "http://evil.example") })
	// What a form can send.
	form := func(r *http.Request) {
		r.Header.Del("X-Yagura")
		r.Header.Set("Content-Type", "text/plain")
	}
	add(403, form)
	signIn := fmt.Sprintf(`{"user":"alice","password":%q}`, good)
	n := x.browser()
	n.want(403, "POST", "/api/signin", signIn, form)
	n.want(403, "POST", "/api/signin", signIn, header("Origin", "https://evil.example"))
	n.want(403, "POST", "/api/signin", signIn, without("X-Yagura"))
	b.want(403, "GET", "/api/findings", "", header("Sec-Fetch-Site", "cross-site"))
	b.want(403, "GET", "/api/live", "", header("Origin", "https://evil.example"))
	// Reads by other methods, and changes by GET, are not there.
	b.want(405, "GET", "/api/signout", "")
	b.want(405, "PUT", "/api/users", "{}")
}

// TestHost: the links that are made name this server, whatever Host is asked.
func TestHost(t *testing.T) {
	x := newHouse(t, Config{Hosts: []string{"yagura.example"}, BehindProxy: true})
	x.add("alice", people.Admin)
	b := x.browser()
	b.origin = "https://yagura.example"
	host := func(h string) func(*http.Request) { return func(r *http.Request) { r.Host = h } }
	signIn := fmt.Sprintf(`{"user":"alice","password":%q}`, good)
	b.want(421, "POST", "/api/signin", signIn, host("evil.example"))
	got := b.ask("POST", "/api/signin", signIn, host("yagura.example"))
	if c := got.Cookies(); len(c) != 1 || c[0].Name != "__Host-yagura" || !c[0].Secure || c[0].Path != "/" || c[0].Domain != "" {
		t.Errorf("%+v", c)
	}
	if got.Header.Get("Strict-Transport-Security") == "" {
		t.Error("browsers may come back without TLS")
	}
	text := b.want(201, "POST", "/api/users", `{"name":"bob"}`, host("yagura.example"), header("X-Forwarded-Host", "evil.example"))
	if !strings.Contains(text, `"link":"https://yagura.example/set-password#link=`) {
		t.Errorf("%s", text)
	}
	b.want(421, "POST", "/api/users", `{"name":"carol"}`, host("yagura.example.evil.example"))
	b.origin = "http://yagura.example" // a page that came in the clear may be anybody's
	b.want(403, "POST", "/api/users", `{"name":"carol"}`, host("yagura.example"))
}

// TestAddress: behind a proxy callers cannot choose whom they count as, and
// without one what they say of themselves counts for nothing.
func TestAddress(t *testing.T) {
	f := func(proxy bool, want string, forwarded ...string) {
		t.Helper()
		g := &guard{Config: Config{BehindProxy: proxy}}
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = "192.0.2.1:99"
		for _, v := range forwarded {
			r.Header.Add("X-Forwarded-For", v)
		}
		if got := g.address(r); got != want {
			t.Errorf("%v behind a proxy %v: %q", forwarded, proxy, got)
		}
	}
	f(false, "192.0.2.1")
	f(false, "192.0.2.1", "203.0.113.1")
	f(true, "192.0.2.1")
	f(true, "203.0.113.1", "203.0.113.1")
	f(true, "203.0.113.2", "203.0.113.1, 203.0.113.2")
	f(true, "203.0.113.3", "203.0.113.1, 203.0.113.2", "203.0.113.3")
	f(true, "2001:db8::1", "[2001:db8::1]:443")
	f(true, "203.0.113.1", "::ffff:203.0.113.1")
	f(true, "192.0.2.1", "unknown")
	f(true, "192.0.2.1", "")
}

func TestTooManyFailures(t *testing.T) {
	x := newHouse(t, Config{})
	x.add("alice", people.Viewer)
	b := x.browser()
	for range 10 {
		b.want(401, "POST", "/api/signin", `{"user":"alice","password":"wrong"}`)
	}
	got := b.ask("POST", "/api/signin", fmt.Sprintf(`{"user":"alice","password":%q}`, good))
	if got.StatusCode != 429 || got.Header.Get("Retry-After") == "" || len(b.cookies) != 0 {
		t.Errorf("%d %v", got.StatusCode, got.Header)
	}
}

func TestFirstRun(t *testing.T) {
	x := newHouse(t, Config{})
	b := x.browser()
	if got := b.want(200, "GET", "/api/signin", ""); got != `{"first_run":true,"methods":{"password":true,"oidc":[]}}`+"\n" {
		t.Errorf("%s", got)
	}
	link, _, err := x.door.NewLink(t.Context(), people.LocalOwner(), people.LinkFirst, "")
	if err != nil {
		t.Fatal(err)
	}
	body := func(link, password string) string {
		return fmt.Sprintf(`{"link":%q,"user":"alice","password":%q}`, link, password)
	}
	b.want(410, "POST", "/api/first-run", body("guessed", good))
	b.want(422, "POST", "/api/first-run", body(link, "short"))
	b.want(403, "POST", "/api/first-run", body(link, good), without("X-Yagura"))
	if got := b.want(200, "POST", "/api/first-run", body(link, good)); !strings.Contains(got, `"role":"admin"`) {
		t.Errorf("%s", got)
	}
	b.want(200, "GET", "/api/users", "")
	n := x.browser()
	n.want(410, "POST", "/api/first-run", body(link, good)) // replayed
	if got := n.want(200, "GET", "/api/signin", ""); !strings.Contains(got, `"first_run":false`) {
		t.Errorf("%s", got)
	}
	// A link by which somebody sets a password is good once as well.
	text := b.want(201, "POST", "/api/users", `{"name":"bob"}`)
	var added AddedUser
	if err := json.Unmarshal([]byte(text), &added); err != nil || !strings.HasPrefix(added.Link, "http://localhost:8484/set-password#link=") {
		t.Fatalf("%s, %v", text, err)
	}
	_, link, _ = strings.Cut(added.Link, "link=")
	n.want(422, "POST", "/api/signin/link", fmt.Sprintf(`{"link":%q}`, link))
	n.want(200, "POST", "/api/signin/link", fmt.Sprintf(`{"link":%q,"password":%q}`, link, good))
	n.want(200, "GET", "/api/findings", "")
	x.browser().want(410, "POST", "/api/signin/link", fmt.Sprintf(`{"link":%q,"password":%q}`, link, good))
}

// Who has no password is not said to have one.
func TestNoPassword(t *testing.T) {
	x := newHouse(t, Config{})
	if _, err := x.door.AddUser(t.Context(), people.LocalOwner(), people.NewUser{Name: "bob", Role: people.Viewer}); err != nil {
		t.Fatal(err)
	}
	link, _, err := x.door.NewLink(t.Context(), people.LocalOwner(), people.LinkSignIn, "bob")
	if err != nil {
		t.Fatal(err)
	}
	if got := x.browser().want(200, "POST", "/api/signin/link", fmt.Sprintf(`{"link":%q}`, link)); !strings.Contains(got, `"password_set":false`) {
		t.Errorf("%s", got)
	}
}

func TestUsersByAPI(t *testing.T) {
	x := newHouse(t, Config{})
	x.add("alice", people.Admin)
	b := x.signedIn("alice")
	b.want(201, "POST", "/api/users", `{"name":"Bob","role":"analyst","accounts":["2","1"],"password":"`+good+`"}`)
	b.want(409, "POST", "/api/users", `{"name":"bob"}`)
	b.want(422, "POST", "/api/users", `{"name":"b b"}`)
	b.want(422, "POST", "/api/users", `{"name":"x","role":"root"}`)
	b.want(422, "POST", "/api/users", `{"name":"x","password":"short"}`)
	got := b.ask("GET", "/api/users/bob", "")
	tag := got.Header.Get("ETag")
	if tag == "" {
		t.Fatal("a user has no ETag")
	}
	if text := b.want(200, "PATCH", "/api/users/bob", `{"role":"responder"}`, header("If-Match", tag)); !strings.Contains(text, `"accounts":["1","2"]`) || strings.Contains(text, "argon2") {
		t.Errorf("%s", text)
	}
	b.want(412, "PATCH", "/api/users/bob", `{"role":"admin"}`, header("If-Match", tag))
	b.want(200, "PATCH", "/api/users/bob", `{"role":"admin"}`, header("If-Match", "*"))
	b.want(200, "PATCH", "/api/users/bob", `{"role":"viewer"}`)
	b.want(404, "PATCH", "/api/users/nobody", `{"role":"admin"}`)
	b.want(409, "PATCH", "/api/users/alice", `{"role":"viewer"}`)
	b.want(409, "DELETE", "/api/users/alice", "")
	b.want(204, "DELETE", "/api/users/bob", "")
	b.want(404, "GET", "/api/users/bob", "")
	if text := b.want(200, "GET", "/api/users", ""); strings.Contains(text, "argon2") || strings.Count(text, `"name"`) != 1 {
		t.Errorf("%s", text)
	}
}

func TestTokensByAPI(t *testing.T) {
	x := newHouse(t, Config{})
	x.add("alice", people.Analyst, mine)
	b := x.signedIn("alice")
	b.want(403, "POST", "/api/tokens", `{"name":"ci","role":"admin","expires":"2026-03-02T00:00:00Z"}`)
	b.want(403, "POST", "/api/tokens", `{"name":"ci","accounts":["`+theirs+`"],"expires":"2026-03-02T00:00:00Z"}`)
	b.want(422, "POST", "/api/tokens", `{"name":"ci","scopes":["everything"],"expires":"2026-03-02T00:00:00Z"}`)
	b.want(422, "POST", "/api/tokens", `{"name":"ci","expires":"2028-03-02T00:00:00Z"}`)
	var made NewToken
	if err := json.Unmarshal([]byte(b.want(201, "POST", "/api/tokens", `{"name":"ci","expires":"2026-03-02T00:00:00Z"}`)), &made); err != nil {
		t.Fatal(err)
	}
	if text := b.want(200, "GET", "/api/tokens", ""); strings.Contains(text, made.Secret) || !strings.Contains(text, made.Token.ID) {
		t.Errorf("%s", text)
	}
	script := x.browser()
	bearer := header("Authorization", "Bearer "+made.Secret)
	script.want(200, "GET", "/api/findings", "", bearer)
	if text := script.want(200, "GET", "/api/session", "", bearer); !strings.Contains(text, `"via":"token"`) || !strings.Contains(text, mine) {
		t.Errorf("%s", text)
	}
	script.want(403, "GET", "/api/tokens", "", bearer)
	script.want(403, "POST", "/api/tokens", `{"name":"more","expires":"2026-03-02T00:00:00Z"}`, bearer)
	// A wrong token is not made good by a cookie.
	b.want(401, "GET", "/api/session", "", header("Authorization", "Bearer wrong"))
	x.now = noon.Add(24 * time.Hour)
	if text := script.want(401, "GET", "/api/findings", "", bearer); !strings.Contains(text, "expired") {
		t.Errorf("%s", text)
	}
	x.now = noon
	b.want(204, "DELETE", "/api/tokens/"+made.Token.ID, "")
	script.want(401, "GET", "/api/findings", "", bearer)
}

// told is in everything of the other account, and in nothing else.
const told = "told of theirs"

// twoAccounts fills a house with what lies in mine and in theirs, and in no
// account, and gives the keys of the findings.
func (x *house) twoAccounts() map[string]string {
	x.t.Helper()
	keys := map[string]string{}
	must := func(err error) {
		x.t.Helper()
		if err != nil {
			x.t.Fatal(err)
		}
	}
	for i, account := range []string{mine, theirs, ""} {
		o := finding.Occurrence{Batch: event.BatchID{byte(10 + i)}, FirstSeen: noon, LastSeen: noon, Count: 1}
		o.Key, o.Kind, o.Title, o.Severity, o.Account = finding.Key("of", account), finding.KindRule, "seen in "+account, finding.High, account
		if account != mine {
			o.Title, o.Resource, o.Actor, o.Rule = told, told, told, told
		}
		o.Evidence.Add(finding.Sighting{Time: noon, UID: event.UID{byte(1 + i)}})
		keys[account] = o.Key
		must(x.rooms.Findings.(triage.Recorder).Record(x.t.Context(), o.Batch, finding.Judged{Occurrences: []finding.Occurrence{o}}))
	}
	scope := func(text string) finding.Scope {
		s, err := finding.ParseScope(text)
		must(err)
		return s
	}
	store := x.rooms.Triage.Store
	exception := finding.Exception{ID: "ex-theirs", Title: told, Scope: scope("account:" + theirs), Owner: told, Reason: told, From: noon.Add(-time.Hour), Until: noon.Add(time.Hour), State: finding.ExceptionActive}
	window := finding.Window{ID: "win-theirs", Title: told, Accounts: []string{theirs}, Start: noon.Add(-time.Hour), End: noon.Add(time.Hour), State: finding.WindowActive}
	_, err := store.SetException(x.t.Context(), exception, told, noon)
	must(err)
	_, err = store.SetWindow(x.t.Context(), window, told, noon)
	must(err)
	_, err = store.Decide(x.t.Context(), keys[theirs], finding.Decision{At: noon, By: told, Comment: told})
	must(err)
	sights := []FirstSight{{Name: "mine", Account: mine, At: noon}, {Name: told, Account: theirs, At: noon}}
	x.rooms.Triage.Activity = func(context.Context) (*Activity, error) {
		return &Activity{Principals: sights, Regions: sights, LastEvent: map[string]time.Time{mine: noon, theirs: noon}}, nil
	}
	x.rooms.Triage.Gaps = func(context.Context, time.Time, time.Time) ([]ledger.Gap, error) {
		return []ledger.Gap{{Kind: ledger.Silent, Account: theirs, From: noon.Add(-time.Hour), To: noon, Reason: say.Plain(told)}}, nil
	}
	x.rooms.Triage.Learned = func(context.Context) ([]triage.Proposal, error) {
		exception.ID, window.ID = "learned-1", "learned-2"
		return []triage.Proposal{{ID: "learned-1", Exception: &exception, Title: say.Plain(told), Text: say.Plain(told)}, {ID: "learned-2", Window: &window, Title: say.Plain(told), Text: say.Plain(told)}}, nil
	}
	x.rooms.Triage.LinkKey = []byte("key")
	entries := []register.Entry{{Project: mine, Owner: "mine"}, {Project: theirs, Owner: told, Name: told}}
	_, err = store.PutEntries(x.t.Context(), entries, triage.Edit{By: told, At: noon})
	must(err)
	compared := func(e register.Entry) register.Comparison {
		return register.Comparison{Entry: e, Registered: true, Lines: []register.Line{{Service: e.Owner, State: register.NotApplied}}}
	}
	x.rooms.Register = Register{
		Compared: func(_ context.Context, e register.Entry) (register.Comparison, error) { return compared(e), nil },
		Differences: func(context.Context) (register.Differences, error) {
			return register.Differences{At: noon, Projects: []register.Comparison{compared(entries[0]), compared(entries[1])}}, nil
		},
		Companions: func(context.Context) (*companion.Catalogue, error) {
			return companion.Builtin().With([]companion.Sighting{{Agent: "service-1@gcp-sa-notebooks.iam.gserviceaccount.com", Called: told, Last: noon}}), nil
		},
	}
	x.rooms.Select = selecting([]event.Event{
		{UID: event.UID{1}, Time: noon, AccountUID: mine, ActorUID: "a", Message: "seen in " + mine},
		{UID: event.UID{2}, Time: noon, AccountUID: theirs, ActorUID: "a", Message: told, Raw: []byte(`{"a":"` + told + `"}`)},
	})
	x.h = New(Config{Version: "test", Token: "secret", Hosts: []string{"localhost"}}, x.rooms)
	_, err = store.PutDecision(x.t.Context(), decision.Decision{
		ID: "dec-theirs", Title: told, About: []decision.Subject{{Kind: decision.Finding, ID: keys[theirs], Title: told, Account: theirs}, {Kind: decision.Finding, ID: keys[mine], Account: mine}},
		Verdict: decision.Deferred, Reason: told, Owner: told, Revisit: noon, Saving: &decision.Saving{Month: "3", Currency: "USD"},
	}, triage.Edit{By: told, At: noon.Add(-time.Hour)})
	must(err)
	return keys
}

// TestPages: the console is everybody's, and everything that is not the API.
func TestPages(t *testing.T) {
	b := newHouse(t, Config{}).browser()
	for _, path := range []string{"/", "/findings/abc", "/signin", "/apis", "/first-run"} {
		if got := b.want(200, "GET", path, "", header("Sec-Fetch-Site", "cross-site")); got != "the console at "+path {
			t.Errorf("%s: %s", path, got)
		}
	}
	b.want(421, "GET", "/", "", func(r *http.Request) { r.Host = "evil.example" })
	for _, path := range []string{"/api", "/api/", "/api/nosuch", "/openapi.json", "/openapi.yaml", "/openapi-3.0.json", "/metrics"} {
		b.want(401, "GET", path, "")
	}
}

// TestReceive: what forwarders send needs no sign-in of ours, and no browser.
func TestReceive(t *testing.T) {
	x := newHouse(t, Config{})
	b := x.browser()
	b.want(404, "POST", "/ingest/x", "")
	x.rooms.Receive = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "received ", r.URL.Path) })
	x.h = New(Config{Version: "test", Token: "secret", Hosts: []string{"localhost"}}, x.rooms)
	for _, path := range []string{"/ingest/x", "/services/collector", "/services/collector/event/1.0"} {
		if got := b.want(200, "POST", path, "", without("Origin")); got != "received "+path {
			t.Errorf("%s: %s", path, got)
		}
		b.want(403, "POST", path, "")
		b.want(403, "POST", path, "", without("Origin"), header("Sec-Fetch-Site", "same-origin"))
		b.want(421, "POST", path, "", without("Origin"), func(r *http.Request) { r.Host = "evil.example" })
	}
}

func TestTag(t *testing.T) {
	a, b := tagging(User{Name: "a"}, 1).ETag, tagging(User{Name: "b"}, 1).ETag
	f := func(given string, state User, fresh bool) {
		t.Helper()
		if err := (Conditional{given}).fresh(state); (err == nil) != fresh {
			t.Errorf("%s: %v", given, err)
		}
	}
	f("", User{Name: "a"}, true)
	f("*", User{Name: "a"}, true)
	f(a, User{Name: "a"}, true)
	f(b, User{Name: "a"}, false)
	f(tagging(User{Name: "a"}, 2).ETag, User{Name: "a"}, true) // more is told of it, and nobody changed it
	f(b+", "+a, User{Name: "a"}, true)
	f("W/"+a, User{Name: "a"}, false) // If-Match compares strongly
	if !bytes.HasPrefix([]byte(a), []byte(`"`)) || a == b {
		t.Error(a, b)
	}
}

// TestUnlessSame: who has the answer is told so, and only who has that one.
func TestUnlessSame(t *testing.T) {
	x := newHouse(t, Config{})
	x.add("alice", people.Analyst)
	keys := x.twoAccounts()
	alice := x.signedIn("alice")
	path := "/api/findings/" + keys[mine]
	first := alice.ask("GET", path, "")
	tag := first.Header.Get("ETag")
	f := func(known string, want int) *http.Response {
		t.Helper()
		r := alice.ask("GET", path, "", header("If-None-Match", known))
		text, err := io.ReadAll(r.Body)
		if err != nil || r.StatusCode != want || (len(text) == 0) != (want == http.StatusNotModified) {
			t.Errorf("%s: %d %q %v, want %d", known, r.StatusCode, text, err, want)
		}
		return r
	}
	if r := f(tag, 304); r.Header.Get("ETag") != tag || r.Header.Get("Content-Type") != "" || r.Header.Get("Content-Length") != "" {
		t.Errorf("304 has %v", r.Header)
	}
	f("*", 304)
	f(`"other", W/`+tag, 304)
	f(`"other"`, 200)
	f(strings.ToUpper(tag), 200)
	alice.want(200, "POST", path+"/decisions", `{"status":"in_progress"}`, header("If-None-Match", tag))
	f(tag, 200)
	alice.want(404, "GET", "/api/findings/aaaaaaaaaaaaaaaaaaaa", "", header("If-None-Match", "*"))
}

func operationOf(path string) huma.Operation {
	return huma.Operation{Method: http.MethodGet, Path: path}
}
