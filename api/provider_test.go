package api

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/people"
)

// provider vouches for whom a test says.
type provider struct {
	identity people.Identity
	err      error
	attempt  people.Attempt
	callback string
}

func (*provider) ID() string   { return "corp" }
func (*provider) Name() string { return "Corp" }

func (p *provider) Begin(_ context.Context, callback string, a people.Attempt) (string, error) {
	p.attempt, p.callback = a, callback
	return "https://id.example/?state=" + a.State, nil
}

func (p *provider) Finish(_ context.Context, callback string, a people.Attempt, answer people.Answer) (people.Identity, error) {
	if p.err == nil && (a != p.attempt || callback != p.callback || answer.Code != "good") {
		return people.Identity{}, people.ErrRefused
	}
	return p.identity, p.err
}

func TestThroughAProvider(t *testing.T) {
	p := &provider{identity: people.Identity{Subject: "s1", User: "Carol@example.com", FullName: "Carol", Role: people.Analyst, Accounts: []string{mine}}}
	x := newHouse(t, Config{}, func(o *people.Options) { o.Providers = []people.Provider{p} })
	x.add("alice", people.Admin)
	if got := x.browser().want(200, "GET", "/api/signin", ""); !strings.Contains(got, `"oidc":[{"id":"corp","name":"Corp"}]`) {
		t.Errorf("%s", got)
	}
	leads := func(b *browser, target, want string) {
		t.Helper()
		got := b.ask("GET", target, "", header("Sec-Fetch-Site", "cross-site"))
		if got.StatusCode != 302 || got.Header.Get("Location") != want {
			t.Errorf("%s leads to %d %s, want %s", target, got.StatusCode, got.Header.Get("Location"), want)
		}
	}
	begin := func(b *browser, to string) string {
		t.Helper()
		got := b.ask("GET", "/api/signin/oidc/corp?to="+to, "")
		c := got.Cookies()
		if got.StatusCode != 302 || len(c) != 1 || c[0].SameSite != http.SameSiteLaxMode || !c[0].HttpOnly || c[0].Path != "/api/signin/oidc/" {
			t.Fatalf("%d %+v", got.StatusCode, c)
		}
		if p.callback != "http://localhost:8484/api/signin/oidc/corp/callback" {
			t.Errorf("comes back to %s", p.callback)
		}
		return "/api/signin/oidc/corp/callback?state=" + p.attempt.State + "&code=good"
	}
	b := x.browser()
	back := begin(b, "/findings%3Fq%3Dx")
	kept := maps.Clone(b.cookies)
	leads(b, back, "/findings?q=x")
	if got := b.want(200, "GET", "/api/session", ""); !strings.Contains(got, `"user":"carol@example.com","name":"Carol","role":"analyst","accounts":["`+mine+`"]`) || !strings.Contains(got, `"method":"oidc:corp"`) {
		t.Errorf("%s", got)
	}
	const refused = "/signin?problem=refused"
	b.cookies = kept
	leads(b, back, refused) // replayed, with the cookie of then
	// A way that another browser began, or nobody.
	back = begin(x.browser(), "/")
	leads(x.browser(), back, refused)
	leads(x.browser(), "/api/signin/oidc/corp/callback?state=guessed&code=good", refused)
	leads(x.browser(), "/api/signin/oidc/corp/callback", refused)
	other := x.browser()
	begin(other, "/")
	leads(other, "/api/signin/oidc/corp/callback?state=guessed&code=good", refused)
	leads(other, strings.Replace(begin(other, "/"), "good", "bad", 1), refused)
	late := begin(other, "/")
	x.now = x.now.Add(10 * time.Minute)
	leads(other, late, refused)
	leads(x.browser(), "/api/signin/oidc/nosuch", "/signin?problem=unreachable")
	// Only pages of ours to come back to.
	for _, to := range []string{"https://evil.example", "//evil.example", "%2F%5Cevil.example", "/%0d%0aX:y", "javascript:x"} {
		leads(other, begin(other, to), "/")
	}
	// What the provider says by now counts, and no role is no way in.
	p.identity.Role, p.identity.Accounts = people.Viewer, nil
	leads(b, begin(b, "/"), "/")
	if got := b.want(200, "GET", "/api/session", ""); !strings.Contains(got, `"role":"viewer","accounts":[]`) {
		t.Errorf("%s", got)
	}
	n := x.browser()
	p.identity.Role = ""
	leads(n, begin(n, "/"), "/signin?problem=no_role")
	// Nobody takes over who is there already.
	p.identity = people.Identity{Subject: "s2", User: "alice", Role: people.Admin}
	leads(n, begin(n, "/"), refused)
	p.identity = people.Identity{Subject: "s2", User: "carol@example.com", Role: people.Admin}
	leads(n, begin(n, "/"), refused)
	p.identity = people.Identity{Subject: "s2", User: "<script>", Role: people.Admin}
	leads(n, begin(n, "/"), refused)
	p.err = errors.New("connection refused")
	leads(n, begin(n, "/"), "/signin?problem=unreachable")
	n.want(401, "GET", "/api/session", "")
}
