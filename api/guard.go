package api

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/yagura-sec/yagura/people"
)

// openPaths are what may be asked without signing in: a path, or everything
// below it where it ends with a slash. A test holds them to the operations that
// are public.
var openPaths = []string{"/healthz", "/api/signin", "/api/signin/", "/api/first-run", "/api/register/"}

// closedPaths lie below open ones and are not open.
var closedPaths = []string{"/api/register/projects", "/api/register/import", "/api/register/export", "/api/register/implied", "/api/register/differences"}

// navigations are the open paths that browsers come to from other sites' pages,
// by links and redirects: they change nothing for who has not begun there.
const navigations = "/api/signin/oidc/"

// receives are the paths of Rooms.Receive.
var receives = []string{"/ingest/", "/services/collector"}

// guard refuses what does not come from whom it should, and says who asks.
type guard struct {
	Config
	door    *people.Door
	api     http.Handler // everything that is described, and metrics
	pages   http.Handler // everything else
	receive http.Handler // nil: nothing is received
	failed  func(error)
	now     func() time.Time
	once    once
}

func (g *guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	if g.secure() {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
	switch {
	case r.URL.Path == "/healthz": // probes ask by address
		g.api.ServeHTTP(w, r)
	case !slices.Contains(g.Hosts, hostname(r.Host)):
		refuse(w, http.StatusMisdirectedRequest, "this server is not known by that Host; name it in server.hosts of the configuration")
	case below(r.URL.Path, receives):
		g.received(w, r)
	case !described(r.URL.Path):
		g.pages.ServeHTTP(w, r)
	default:
		g.ask(w, r)
	}
}

// described tells whether a path is the API's and not the console's.
func described(path string) bool {
	return path == "/api" || strings.HasPrefix(path, "/api/") || path == "/metrics" || strings.HasPrefix(path, "/openapi")
}

// below tells whether a path is one of those, or below one.
func below(path string, of []string) bool {
	return slices.ContainsFunc(of, func(p string) bool {
		return path == p || strings.HasPrefix(path, strings.TrimSuffix(p, "/")+"/")
	})
}

// received passes on what forwarders send, which have tokens of their own. No
// browser has anything to send there.
func (g *guard) received(w http.ResponseWriter, r *http.Request) {
	switch {
	case g.receive == nil:
		refuse(w, http.StatusNotFound, "nothing is received here: no source of the configuration does")
	case r.Header.Get("Origin") != "" || r.Header.Get("Sec-Fetch-Site") != "":
		refuse(w, http.StatusForbidden, "no page of a browser may send here")
	default:
		g.receive.ServeHTTP(w, r)
	}
}

// ask is for requests of the API.
func (g *guard) ask(w http.ResponseWriter, r *http.Request) {
	if !g.sameOrigin(r) && !(r.Method == http.MethodGet && strings.HasPrefix(r.URL.Path, navigations)) {
		refuse(w, http.StatusForbidden, "a page of another origin may not ask this server")
		return
	}
	who, err := g.identify(r)
	switch {
	case err != nil && !errors.Is(err, people.ErrNobody) && !errors.Is(err, people.ErrNoToken):
		if r.Context().Err() == nil { // otherwise the caller has gone away
			g.failed(err)
		}
		refuse(w, http.StatusInternalServerError, internal)
		return
	case err != nil && !open(r.URL.Path):
		h := w.Header()
		h.Set("WWW-Authenticate", `Bearer realm="yagura"`)
		refuse(w, http.StatusUnauthorized, err.Error()+"; scripts show a token: Authorization: Bearer …")
		return
	case !g.ours(r, who):
		refuse(w, http.StatusForbidden, "a change asked for by a browser needs its Origin and the header X-Yagura: 1")
		return
	case r.URL.Path == "/metrics" && !scoped(who, "metrics"), strings.HasPrefix(r.URL.Path, "/openapi") && !scoped(who, "metrics"):
		refuse(w, http.StatusForbidden, "this token is not for this part of the API")
		return
	case r.URL.Path == "/metrics" && who.Limited():
		refuse(w, http.StatusForbidden, "this shows all accounts, and you are limited to some")
		return
	}
	ctx := context.WithValue(people.With(speaking(r, who), who), callerKey{}, g.caller(r))
	r = r.WithContext(ctx)
	if open(r.URL.Path) {
		g.api.ServeHTTP(w, r) // whose answers hold what lets somebody in: they are not kept
		return
	}
	g.once.serve(w, r, asker(who), g.now(), g.api)
}

// asker names w with all that w may: who may less by now is not answered as before.
func asker(w people.Who) string {
	if w.User == "" {
		return ""
	}
	return fmt.Sprintf("%q %s %q %q", w.By(), w.Role, w.Accounts, w.Scopes)
}

// open tells whether no sign-in is needed.
func open(path string) bool {
	return !below(path, closedPaths) && slices.ContainsFunc(openPaths, func(p string) bool {
		return path == p || strings.HasSuffix(p, "/") && strings.HasPrefix(path, p)
	})
}

// identify says who asks. A bearer token counts before a cookie: a request that
// shows one was made by a program.
func (g *guard) identify(r *http.Request) (people.Who, error) {
	if given := r.Header.Get("Authorization"); given != "" {
		token, ok := strings.CutPrefix(given, "Bearer ")
		switch {
		case !ok || token == "":
			return people.Who{}, people.ErrNoToken
		case g.Token != "" && subtle.ConstantTimeCompare([]byte(token), []byte(g.Token)) == 1:
			return people.LocalOwner(), nil
		}
		return g.door.Token(r.Context(), token)
	}
	c, err := r.Cookie(g.cookie(r))
	if err != nil {
		return people.Who{}, people.ErrNobody
	}
	return g.door.Session(r.Context(), c.Value)
}

// ours is true for requests that change nothing or were not made by a browser
// on its own account: a browser sends its cookies along with whatever a page
// asks for, so a change also needs the Origin that browsers tell and a header
// that no form can send. Signing in is such a change for whoever is nobody yet.
func (g *guard) ours(r *http.Request, who people.Who) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return true
	}
	switch who.Via {
	case people.ViaOwner, people.ViaToken:
		return true
	case people.ViaSession:
		return r.Header.Get("Origin") != "" && r.Header.Get("X-Yagura") == "1"
	}
	return r.Header.Get("X-Yagura") == "1"
}

// hostname is the lower-case host of a Host header, without port and brackets.
func hostname(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return strings.ToLower(strings.Trim(host, "[]"))
}

// sameOrigin is true for requests that no browser page made, and for those of
// our own pages: where we are reached over TLS, of pages that came over TLS too.
func (g *guard) sameOrigin(r *http.Request) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
		return false
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && u.Host == r.Host && u.Scheme == g.scheme(r) && slices.Contains(g.Hosts, hostname(u.Host))
}

// scheme is how a browser reaches us under the Host that it asked. Who asks for
// a loopback address on the machine of a proxy goes past the proxy.
func (g *guard) scheme(r *http.Request) string {
	host := hostname(r.Host)
	ip := net.ParseIP(host)
	if g.TLS || g.BehindProxy && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return "https"
	}
	return "http"
}

// secure tells whether browsers reach us over TLS.
func (g *guard) secure() bool { return g.TLS || g.BehindProxy }

// address is whom a request comes from, for limits and audit lines. Behind a
// proxy it is the last address that the proxy itself has added: those before
// are the caller's to invent.
func (g *guard) address(r *http.Request) string {
	at := r.RemoteAddr
	if all := r.Header.Values("X-Forwarded-For"); g.BehindProxy && len(all) > 0 {
		last := all[len(all)-1]
		at = strings.TrimSpace(last[strings.LastIndex(last, ",")+1:])
	}
	if host, _, err := net.SplitHostPort(at); err == nil {
		at = host
	}
	if ip, err := netip.ParseAddr(strings.Trim(at, "[]")); err == nil {
		return ip.Unmap().WithZone("").String()
	}
	return hostname(r.RemoteAddr)
}

// caller is what of a request the operations of sign-in need to know.
type caller struct {
	people.Origin
	base   string // our address as the caller knows it, without a path
	cookie string // name of the session's cookie
	secure bool
	held   map[string]string // cookies
}

type callerKey struct{}

func (g *guard) caller(r *http.Request) caller {
	c := caller{Origin: people.Origin{Address: g.address(r), Agent: r.UserAgent()}, cookie: g.cookie(r), secure: g.secure(), held: map[string]string{}}
	c.base = g.scheme(r) + "://" + r.Host // which is one of Hosts
	for _, k := range r.Cookies() {
		c.held[k.Name] = k.Value
	}
	return c
}

// calling gives the caller that the guard has let in.
func calling(ctx context.Context) caller {
	c, _ := ctx.Value(callerKey{}).(caller)
	return c
}

// cookie names the session's cookie. Over TLS its name makes browsers refuse one
// that another host of the domain, or plain HTTP, has set. On loopback, where
// cookies are not kept apart by port, it has the port.
func (g *guard) cookie(r *http.Request) string {
	if g.secure() {
		return "__Host-yagura"
	}
	_, port, err := net.SplitHostPort(r.Host)
	if err != nil {
		port = "80"
	}
	return "yagura-" + port
}

// refuse answers with problem details (RFC 9457), as huma does.
func refuse(w http.ResponseWriter, status int, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	// Nothing can be done about a caller that has gone away.
	_ = json.NewEncoder(w).Encode(huma.ErrorModel{Title: http.StatusText(status), Status: status, Detail: detail})
}
