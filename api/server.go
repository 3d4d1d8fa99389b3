// Package api is what a running Yagura answers over HTTP: findings, search,
// the ledger, health and metrics. Everything but health needs the token, and
// every request a known Host and, from a browser, our own Origin.
package api

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/ledger"
	"github.com/yagura-sec/yagura/mask"
	"github.com/yagura-sec/yagura/people"
	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/triage"
)

// Rooms are what the server asks. All are needed, unless it says otherwise.
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
	Triage  Triage  // what the pages of triage ask and change
	// Decisions is what the pages of decisions that wait ask besides.
	Decisions Decisions
	// Register is what the pages of the register ask besides.
	Register Register
	Cost     Cost // what the pages of cost ask
	// People lets people and scripts in.
	People *people.Door
	// Live tells browsers what is new.
	Live *Live
	// Pages answers everything that is not the API.
	Pages http.Handler
	// Receive takes what forwarders send to /ingest/ and /services/collector, by
	// tokens of its own; nil: nothing is received.
	Receive http.Handler
	// Mask puts aliases in the place of names; nil: nothing can be masked.
	Mask *mask.Masker
	// Now is the clock of relative times in filters.
	Now func() time.Time
	// Failed is told of errors that callers do not get to see.
	Failed func(error)

	version string // of Config
}

// Config shapes the server.
type Config struct {
	Version string
	Token   string   // whoever shows it as a bearer token is the owner; never empty
	Hosts   []string // host names it may be asked by, without port
	// TLS: we speak it; BehindProxy: a proxy in front does, and tells in
	// X-Forwarded-For whom requests come from.
	TLS, BehindProxy bool
}

// Stopped is a source that does not work, and is being tried again.
type Stopped struct {
	Source string    `json:"source" example:"0:file" doc:"its place in the configuration, and its type"`
	Since  time.Time `json:"since"`
	// Reason is for everybody who can reach the server: it names no paths.
	Reason string `json:"reason" example:"too little free space"`
}

// New gives the handler of everything that is public.
func New(cfg Config, rooms Rooms) http.Handler {
	mux := http.NewServeMux()
	a := humago.New(mux, openAPI(cfg.Version, rooms))
	a.UseMiddleware(allowed(a))
	rooms.version = cfg.Version
	describe(a, cfg, rooms.limited())
	mux.Handle("GET /metrics", rooms.Metrics)
	return &guard{Config: cfg, door: rooms.People, api: unlessSame(rooms.maskable(problems(mux))), pages: rooms.Pages, receive: rooms.Receive, failed: rooms.Failed, now: rooms.Now}
}

func openAPI(version string, rooms Rooms) huma.Config {
	c := huma.DefaultConfig("Yagura", version)
	c.DocsPath = ""    // a page that loads scripts from elsewhere has no place here
	c.SchemasPath = "" // they are in the description already
	c.CreateHooks = nil
	c.Transformers = append(c.Transformers, rooms.inLanguage)
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"token":   {Type: "http", Scheme: "bearer"},
		"session": {Type: "apiKey", In: "cookie", Name: "__Host-yagura"},
	}
	c.Security = []map[string][]string{{"token": {}}, {"session": {}}}
	huma.DefaultArrayNullable = false // lists are never null: see list
	return c
}

// problems answers for what mux has not with problem details too.
func problems(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h, pattern := mux.Handler(r)
		if pattern != "" {
			mux.ServeHTTP(w, r) // which also sets the path's values
			return
		}
		said := &unsaid{header: http.Header{}}
		h.ServeHTTP(said, r)
		if allow := said.header.Get("Allow"); allow != "" {
			w.Header().Set("Allow", allow)
		}
		if said.status < http.StatusBadRequest { // a redirect to a path written otherwise
			said.status = http.StatusNotFound
		}
		refuse(w, said.status, map[int]string{
			http.StatusNotFound: "there is nothing here: see /openapi.json", http.StatusMethodNotAllowed: "this path has other methods: " + said.header.Get("Allow"),
		}[said.status])
	})
}

// unsaid takes an answer of which only the status and the header count.
type unsaid struct {
	header http.Header
	status int
}

func (u *unsaid) Header() http.Header         { return u.header }
func (u *unsaid) Write(b []byte) (int, error) { return len(b), nil }
func (u *unsaid) WriteHeader(status int)      { u.status = status }

// describe registers every operation; the description at /openapi.json is made
// from them.
func describe(a huma.API, cfg Config, rooms Rooms) {
	healthz(a, cfg, rooms)
	findings(a, rooms)
	triaging(a, rooms)
	rooms.exports(a)
	search(a, rooms)
	ledgers(a, rooms)
	explore(a, rooms)
	costs(a, rooms)
	signIn(a, rooms)
	sessions(a, rooms)
	users(a, rooms)
	tokens(a, rooms)
	personTimeline(a, rooms)
	live(a, rooms)
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
	huma.Register(a, public(huma.Operation{
		OperationID: "health", Method: http.MethodGet, Path: "/healthz", Summary: "Whether the server answers, and its sources work",
		Description: "200 when all is well; 503, with the same body, while a source does not work.",
	}), func(context.Context, *struct{}) (*health, error) {
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
	return huma.Error500InternalServerError(internal)
}

const internal = "this is our fault; the server's own messages say more"
