// Package api is what a running Yagura answers over HTTP: findings, search,
// the ledger, health and metrics. Everything but health needs the token, and
// every request a known Host and, from a browser, our own Origin.
package api

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"iter"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/ledger"
	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/triage"
)

// Rooms are what the server asks. All are needed.
type Rooms struct {
	Findings triage.Reader
	Select   func(ctx context.Context, q query.Query) iter.Seq2[event.Event, error]
	Ledger   ledger.Reader
	Report   func(ctx context.Context) (ledger.Report, error)
	// Backup writes a consistent copy of everything into an empty folder of
	// the machine the server runs on.
	Backup func(ctx context.Context, dir string) error
	// Stopped are the sources that do not work at present.
	Stopped func() []Stopped
	Metrics http.Handler
	Console Console // what the pages for exploring ask besides
	// Now is the clock of relative times in filters.
	Now func() time.Time
	// Failed is told of errors that callers do not get to see.
	Failed func(error)
}

// Config shapes the server.
type Config struct {
	Version string
	Token   string   // what callers show as a bearer token; never empty
	Hosts   []string // host names it may be asked by, without port
}

// Stopped is a source that does not work, and is being tried again.
type Stopped struct {
	Source string    `json:"source" example:"0:file" doc:"its place in the configuration, and its type"`
	Since  time.Time `json:"since"`
	// Reason is for everybody who can reach the server: it names no paths.
	Reason string `json:"reason" example:"too little free space"`
}

// New gives the handler of everything that is public: questions, no changes.
func New(cfg Config, rooms Rooms) http.Handler {
	mux := http.NewServeMux()
	describe(humago.New(mux, openAPI(cfg.Version)), cfg, rooms)
	mux.Handle("GET /metrics", rooms.Metrics)
	return guard(cfg, mux)
}

func openAPI(version string) huma.Config {
	c := huma.DefaultConfig("Yagura", version)
	c.DocsPath = ""    // a page that loads scripts from elsewhere has no place here
	c.SchemasPath = "" // they are in the description already
	c.CreateHooks = nil
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{"token": {Type: "http", Scheme: "bearer"}}
	c.Security = []map[string][]string{{"token": {}}}
	huma.DefaultArrayNullable = false // lists are never null: see list
	return c
}

// describe registers every operation; the description at /openapi.json is made
// from them.
func describe(a huma.API, cfg Config, rooms Rooms) {
	healthz(a, cfg, rooms)
	findings(a, rooms)
	search(a, rooms)
	ledgers(a, rooms)
	explore(a, rooms)
}

func healthz(a huma.API, cfg Config, rooms Rooms) {
	type health struct {
		Status int
		Body   struct {
			Status  string    `json:"status" enum:"ok,intake stopped"`
			Version string    `json:"version"`
			Stopped []Stopped `json:"stopped" doc:"sources that do not work, and are being tried again"`
		}
	}
	huma.Register(a, huma.Operation{
		OperationID: "health", Method: http.MethodGet, Path: "/healthz", Summary: "Whether the server answers, and its sources work",
		Description: "200 when all is well; 503, with the same body, while a source does not work.",
		Security:    []map[string][]string{{}},
	}, func(context.Context, *struct{}) (*health, error) {
		h := &health{Status: http.StatusOK}
		h.Body.Status, h.Body.Version, h.Body.Stopped = "ok", cfg.Version, list(rooms.Stopped())
		if len(h.Body.Stopped) > 0 {
			h.Status, h.Body.Status = http.StatusServiceUnavailable, "intake stopped"
		}
		return h, nil
	})
}

// failure turns an error of a room into a response. What is not meant for
// people goes to Failed and becomes an internal error without its text.
func (r Rooms) failure(err error) error {
	switch {
	case errors.Is(err, triage.ErrNotFound):
		return huma.Error404NotFound(err.Error())
	case errors.Is(err, triage.ErrCursor):
		return huma.Error422UnprocessableEntity(err.Error())
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return huma.Error503ServiceUnavailable("the request was cut off")
	}
	r.Failed(err)
	return huma.Error500InternalServerError("this is our fault; the server's own messages say more")
}

// open are the paths that need no token and, since probes ask by address, no
// known Host.
var open = []string{"/healthz"}

// guard refuses what does not come from whom it should.
func guard(cfg Config, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("Cache-Control", "no-store")
		switch {
		case slices.Contains(open, r.URL.Path):
		case !slices.Contains(cfg.Hosts, hostname(r.Host)):
			refuse(w, http.StatusMisdirectedRequest, "this server is not known by that Host; name it in server.hosts of the configuration")
			return
		case !sameOrigin(r, cfg.Hosts):
			refuse(w, http.StatusForbidden, "a page of another origin may not ask this server")
			return
		case !authorised(r, cfg.Token):
			w.Header().Set("WWW-Authenticate", `Bearer realm="yagura"`)
			refuse(w, http.StatusUnauthorized, "a token is needed: Authorization: Bearer …")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// hostname is the lower-case host of a Host header, without port and brackets.
func hostname(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return strings.ToLower(strings.Trim(host, "[]"))
}

// sameOrigin is true for requests that no browser page made, and for those of
// our own pages.
func sameOrigin(r *http.Request, hosts []string) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
		return false
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && u.Host == r.Host && slices.Contains(hosts, hostname(u.Host))
}

func authorised(r *http.Request, token string) bool {
	given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return ok && token != "" && subtle.ConstantTimeCompare([]byte(given), []byte(token)) == 1
}

// refuse answers with problem details (RFC 9457), as huma does.
func refuse(w http.ResponseWriter, status int, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	// Nothing can be done about a caller that has gone away.
	_ = json.NewEncoder(w).Encode(huma.ErrorModel{Title: http.StatusText(status), Status: status, Detail: detail})
}
