package oidc

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/people"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const callback = "https://yagura.example/api/signin/oidc/corp/callback"

// issuer is a provider that says what a test wants.
type issuer struct {
	t      *testing.T
	srv    *httptest.Server
	key    *rsa.PrivateKey
	signer *rsa.PrivateKey // of the next identity token
	asked  url.Values      // of the authorization
	code   string          // good once
	token  func(map[string]any)
	user   map[string]any // the user endpoint; nil: there is none
	header map[string]any
	down   bool
	bare   bool // no identity token
}

func newIssuer(t *testing.T) *issuer {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	i := &issuer{t: t, key: key, signer: key, header: map[string]any{"alg": "RS256", "kid": "1"}}
	mux := http.NewServeMux()
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		if i.down {
			http.Error(w, "down", http.StatusBadGateway)
			return
		}
		said := map[string]any{
			"issuer": i.srv.URL, "authorization_endpoint": i.srv.URL + "/authorize", "token_endpoint": i.srv.URL + "/token",
			"jwks_uri": i.srv.URL + "/keys", "id_token_signing_alg_values_supported": []string{"RS256"},
		}
		if i.user != nil {
			said["userinfo_endpoint"] = i.srv.URL + "/user"
		}
		i.say(w, said)
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
		b := base64.RawURLEncoding
		i.say(w, map[string]any{"keys": []any{map[string]any{
			"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "1", "n": b.EncodeToString(key.N.Bytes()), "e": b.EncodeToString(big.NewInt(int64(key.E)).Bytes()),
		}}})
	})
	mux.HandleFunc("/user", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer access" {
			http.Error(w, "no", http.StatusUnauthorized)
			return
		}
		i.say(w, i.user)
	})
	mux.HandleFunc("/token", i.exchange)
	i.srv = httptest.NewServer(mux)
	t.Cleanup(i.srv.Close)
	return i
}

func (i *issuer) say(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

// exchange takes a code once, from who began.
func (i *issuer) exchange(w http.ResponseWriter, r *http.Request) {
	id, secret, _ := r.BasicAuth()
	if id == "" {
		id, secret = r.FormValue("client_id"), r.FormValue("client_secret")
	}
	sum := sha256.Sum256([]byte(r.FormValue("code_verifier")))
	if i.code == "" || r.FormValue("code") != i.code || id != "yagura" || secret != "s3cret" || r.FormValue("redirect_uri") != i.asked.Get("redirect_uri") ||
		i.asked.Get("code_challenge_method") != "S256" || base64.RawURLEncoding.EncodeToString(sum[:]) != i.asked.Get("code_challenge") {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"error":"invalid_grant"}`))
		return
	}
	i.code = ""
	said := map[string]any{
		"iss": i.srv.URL, "aud": "yagura", "sub": "s-1", "iat": noon.Unix(), "exp": noon.Add(time.Minute).Unix(), "nonce": i.asked.Get("nonce"),
		"email": "carol@example.com", "name": "Carol", "groups": []string{"team-a"},
	}
	if i.token != nil {
		i.token(said)
	}
	answer := map[string]any{"access_token": "access", "token_type": "Bearer"}
	if !i.bare {
		answer["id_token"] = i.sign(said)
	}
	i.say(w, answer)
}

func (i *issuer) sign(said map[string]any) string {
	part := func(v any) string {
		text, err := json.Marshal(v)
		if err != nil {
			i.t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(text)
	}
	text := part(i.header) + "." + part(said)
	if i.header["alg"] == "none" {
		return text + "."
	}
	sum := sha256.Sum256([]byte(text))
	sig, err := rsa.SignPKCS1v15(rand.Reader, i.signer, crypto.SHA256, sum[:])
	if err != nil {
		i.t.Fatal(err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(sig)
}

func (i *issuer) config() Config {
	return Config{
		ID: "corp", Issuer: i.srv.URL, ClientID: "yagura", ClientSecret: "s3cret",
		Roles: []RoleOf{
			{Group: "team-a", Role: people.Analyst, Accounts: []string{"222233334444", "111122223333"}},
			{Group: "team-b", Role: people.Analyst, Accounts: []string{"333344445555", "111122223333"}},
			{Group: "all-of-it", Role: people.Analyst},
			{Group: "readers", Role: people.Viewer},
			{Group: "admins-of-a", Role: people.Admin, Accounts: []string{"111122223333"}},
		},
	}
}

func (i *issuer) provider(change ...func(*Config)) *Provider {
	i.t.Helper()
	c := i.config()
	for _, f := range change {
		f(&c)
	}
	p, err := New(c, func() time.Time { return noon })
	if err != nil {
		i.t.Fatal(err)
	}
	return p
}

// begin goes to the provider, which gives a code.
func (i *issuer) begin(p *Provider, a people.Attempt) people.Answer {
	i.t.Helper()
	address, err := p.Begin(i.t.Context(), callback, a)
	if err != nil {
		i.t.Fatal(err)
	}
	u, err := url.Parse(address)
	if err != nil || !strings.HasPrefix(address, i.srv.URL+"/authorize?") {
		i.t.Fatal(address, err)
	}
	i.asked, i.code = u.Query(), "c-1"
	return people.Answer{State: i.asked.Get("state"), Code: i.code}
}

var attempt = people.Attempt{State: "state", Nonce: "nonce", Verifier: strings.Repeat("v", 52)}

func TestSignIn(t *testing.T) {
	i := newIssuer(t)
	p := i.provider()
	if p.ID() != "corp" || p.Name() != "corp" {
		t.Errorf("%s, %s", p.ID(), p.Name())
	}
	answer := i.begin(p, attempt)
	for key, want := range map[string]string{
		"response_type": "code", "client_id": "yagura", "redirect_uri": callback, "scope": "openid profile email", "state": "state", "nonce": "nonce", "code_challenge_method": "S256",
	} {
		if got := i.asked.Get(key); got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
	if strings.Contains(i.asked.Encode(), attempt.Verifier) {
		t.Error("the verifier is told to the browser")
	}
	got, err := p.Finish(t.Context(), callback, attempt, answer)
	want := people.Identity{Subject: "s-1", User: "carol@example.com", FullName: "Carol", Role: people.Analyst, Accounts: []string{"111122223333", "222233334444"}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := p.Finish(t.Context(), callback, attempt, answer); !errors.Is(err, people.ErrRefused) {
		t.Errorf("the same code again: %v", err)
	}
}

// TestRefused: what a provider, or somebody in its name, says wrongly.
func TestRefused(t *testing.T) {
	i := newIssuer(t)
	p := i.provider()
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	f := func(contains string, prepare func(), change func(*people.Attempt, *people.Answer)) {
		t.Helper()
		i.token, i.signer, i.header, i.bare = nil, i.key, map[string]any{"alg": "RS256", "kid": "1"}, false
		prepare()
		a, answer := attempt, i.begin(p, attempt)
		change(&a, &answer)
		got, err := p.Finish(t.Context(), callback, a, answer)
		if !errors.Is(err, people.ErrRefused) || !strings.Contains(err.Error(), contains) {
			t.Errorf("%+v, %v; want %s", got, err, contains)
		}
	}
	nothing, same := func() {}, func(*people.Attempt, *people.Answer) {}
	says := func(key string, value any) func() {
		return func() {
			i.token = func(m map[string]any) {
				if m[key] = value; value == nil {
					delete(m, key)
				}
			}
		}
	}
	f("another sign-in", says("nonce", "of another"), same)
	f("another sign-in", says("nonce", nil), same)
	f("another sign-in", nothing, func(a *people.Attempt, _ *people.Answer) { a.Nonce = "of another" })
	f("another sign-in", says("nonce", ""), func(a *people.Attempt, _ *people.Answer) { a.Nonce = "" })
	f("invalid_grant", nothing, func(a *people.Attempt, _ *people.Answer) { a.Verifier = strings.Repeat("w", 52) })
	f("invalid_grant", nothing, func(_ *people.Attempt, x *people.Answer) { x.Code = "of somebody else" })
	f("no code", nothing, func(_ *people.Attempt, x *people.Answer) { x.Code = "" })
	f("access_denied", nothing, func(_ *people.Attempt, x *people.Answer) { x.Error = "access_denied" })
	f("evil.example", nothing, func(_ *people.Attempt, x *people.Answer) { x.Issuer = "https://evil.example" })
	f("expired", says("exp", noon.Add(-time.Minute).Unix()), same)
	f("issued by a different provider", says("iss", "https://evil.example"), same)
	f("audience", says("aud", "another"), same)
	f("somebody else too", says("aud", []string{"yagura", "another"}), same)
	f("somebody else too", func() {
		i.token = func(m map[string]any) { m["aud"], m["azp"] = []string{"yagura", "another"}, "another" }
	}, same)
	f("names nobody", says("sub", ""), same)
	f("verify signature", func() { i.signer = other }, same)
	f("", func() { i.header = map[string]any{"alg": "none"} }, same)
	f("", func() { i.header = map[string]any{"alg": "HS256", "kid": "1"} }, same)
	f("no identity token", func() { i.bare = true }, same)
	f("too many", func() {
		i.token = func(m map[string]any) {
			m["_claim_names"] = map[string]any{"groups": "src1"}
			m["_claim_sources"] = map[string]any{"src1": map[string]any{"endpoint": "https://id.example.com/groups"}}
		}
	}, same)
	f("access token hash", says("at_hash", "wrong"), same)
	// Several audiences of which we are the party are well.
	i.signer, i.header, i.bare = i.key, map[string]any{"alg": "RS256", "kid": "1"}, false
	i.token = func(m map[string]any) { m["aud"], m["azp"] = []string{"yagura", "another"}, "yagura" }
	if _, err := p.Finish(t.Context(), callback, attempt, i.begin(p, attempt)); err != nil {
		t.Error(err)
	}
	// Elsewhere than it was begun.
	i.token = nil
	answer := i.begin(p, attempt)
	if _, err := p.Finish(t.Context(), "https://evil.example/", attempt, answer); !errors.Is(err, people.ErrRefused) {
		t.Errorf("at another callback: %v", err)
	}
}

// TestDown: a provider that cannot be reached is asked again the next time.
func TestDown(t *testing.T) {
	i := newIssuer(t)
	i.down = true
	p := i.provider()
	if _, err := p.Begin(t.Context(), callback, attempt); err == nil || errors.Is(err, people.ErrRefused) {
		t.Errorf("%v", err)
	}
	i.down = false
	if _, err := p.Finish(t.Context(), callback, attempt, i.begin(p, attempt)); err != nil {
		t.Error(err)
	}
}

// TestUserEndpoint: what the identity token does not say is asked for.
func TestUserEndpoint(t *testing.T) {
	i := newIssuer(t)
	i.user = map[string]any{"sub": "s-1", "groups": []string{"readers"}, "preferred_username": "carol", "email": "other@example.com"}
	i.token = func(m map[string]any) { delete(m, "groups") }
	p := i.provider()
	got, err := p.Finish(t.Context(), callback, attempt, i.begin(p, attempt))
	if err != nil || got.Role != people.Viewer || got.User != "carol@example.com" {
		t.Errorf("%+v, %v", got, err)
	}
	i.user["sub"] = "s-2"
	if got, err := p.Finish(t.Context(), callback, attempt, i.begin(p, attempt)); !errors.Is(err, people.ErrRefused) {
		t.Errorf("of another user: %+v, %v", got, err)
	}
}

func TestRights(t *testing.T) {
	p := newIssuer(t).provider()
	f := func(role people.Role, accounts string, groups ...string) {
		t.Helper()
		got, list := p.rights(groups)
		if got != role || strings.Join(list, " ") != accounts {
			t.Errorf("%q gives %s in %q", groups, got, list)
		}
	}
	f("", "")
	f("", "", "strangers", "TEAM-A")
	f(people.Viewer, "", "readers")
	f(people.Analyst, "111122223333 222233334444", "team-a")
	f(people.Analyst, "111122223333 222233334444 333344445555", "team-b", "team-a")
	f(people.Analyst, "", "team-a", "all-of-it")
	f(people.Analyst, "111122223333 222233334444", "team-a", "readers") // and not analyst everywhere
	f(people.Admin, "111122223333", "all-of-it", "readers", "admins-of-a")
	p.Default = people.Viewer
	f(people.Viewer, "", "strangers")
}

func TestClaims(t *testing.T) {
	c := claims{
		"email": "a@example.com", "preferred_username": "a", "groups": []any{"x", 1, "y"}, "one": "x",
		"realm_access": map[string]any{"roles": []any{"z"}}, "https://example.com/groups": []any{"w"},
	}
	f := func(claim, want string) {
		t.Helper()
		if got := strings.Join(c.groups(claim), " "); got != want {
			t.Errorf("%s gives %q, want %q", claim, got, want)
		}
	}
	f("groups", "x y")
	f("one", "x")
	f("realm_access.roles", "z")
	f("https://example.com/groups", "w")
	f("realm_access", "")
	f("nosuch.roles", "")
	f("", "")
	user := func(claim, want string) {
		t.Helper()
		if got := c.user(claim); got != want {
			t.Errorf("%s gives %q, want %q", claim, got, want)
		}
	}
	user("", "a@example.com")
	user("preferred_username", "a")
	user("groups", "")
	c["email_verified"] = false
	user("", "a")
	p := &Provider{Config: Config{UserClaim: "email"}}
	if _, err := p.identity(c); !errors.Is(err, people.ErrRefused) {
		t.Errorf("an address that nobody has verified: %v", err)
	}
}

func TestConfig(t *testing.T) {
	f := func(want string, change func(*Config)) {
		t.Helper()
		c := Config{ID: "corp", Issuer: "https://id.example.com", ClientID: "yagura", Default: people.Viewer}
		change(&c)
		_, err := New(c, time.Now)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	f("", func(*Config) {})
	f("", func(c *Config) { c.Issuer = "http://127.0.0.1:9000" })
	f("https is needed", func(c *Config) { c.Issuer = "http://id.example.com" })
	f("issuer", func(c *Config) { c.Issuer = "id.example.com" })
	f("issuer", func(c *Config) { c.Issuer = "" })
	f("id ", func(c *Config) { c.ID = "a/b" })
	f("id ", func(c *Config) { c.ID = "" })
	f("client_id", func(c *Config) { c.ClientID = "" })
	f("default_role", func(c *Config) { c.Default = "root" })
	f("nobody could come in", func(c *Config) { c.Default = "" })
	f("roles[0]", func(c *Config) { c.Roles = []RoleOf{{Group: "a", Role: "root"}} })
	f("roles[0]", func(c *Config) { c.Roles = []RoleOf{{Role: people.Viewer}} })
}
