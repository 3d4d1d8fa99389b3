// Package receive takes records that others send over HTTP: webhooks and event
// buses at /ingest/NAME, and forwarders that speak the protocol of Splunk's HTTP
// Event Collector (HEC) at /services/collector.
//
//	type: receive
//	name: falco
//	token: env:FALCO_TOKEN
//	hec: true
//
// A request is answered with success only when every record of it is durable.
// It is an object of the ledger, named by the hash of what it holds: whoever
// sends the same body again, because the answer was lost, is answered without
// anything being stored twice. docs/receive.md says what senders may send, and
// what they are answered.
package receive

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"sync"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/source"
)

// Config says who may send what. The zero value of a limit is its default.
type Config struct {
	Name string // the last part of /ingest/NAME, and of the names of objects

	// Tokens are what senders show, any of them; at least one, of at least
	// MinToken characters. Two of them let a token be replaced without a gap.
	Tokens []string
	// Header is a header whose value may be the token, besides Authorization.
	Header string // default X-Api-Key
	// QueryToken allows the token as ?token=, where proxies and browsers log it.
	QueryToken bool

	HEC bool // also at /services/collector
	// Ack gives out ids of acknowledgement, which HEC's senders ask about at
	// /services/collector/ack. Such senders need a channel.
	Ack bool

	// Format is what the records are ("aws.guardduty"); empty: to be recognised.
	Format string
	// SourceTypes are formats by HEC's sourcetype, before anything is recognised.
	SourceTypes map[string]string
	// Recognise tells the format of a record, empty for what nobody reads. With
	// it HEC events of a known format leave their envelope. nil: none do.
	Recognise func(body []byte) string
	// Envelope is the format of HEC events that stay in their envelope.
	Envelope string

	MaxBody         int64         // bytes of a request as sent; default 16 MiB
	MaxDecompressed int64         // bytes of its content; default 64 MiB
	MaxRecord       int           // bytes of a record; default 16 MiB
	MaxDepth        int           // levels of nesting in a record; default 64
	MaxHeld         int64         // bytes of all requests under way; default 256 MiB
	BodyTimeout     time.Duration // for a request's body to arrive; default 30 s
	BatchRecords    int           // records of a delivery; default 20,000

	Hub     *Hub           // where senders reach it; nil: nowhere, and Run refuses
	Settled source.Settled // nil: nothing is settled
	Listed  source.Listed  // nil: nobody wants to know
	Now     func() time.Time
}

// MinToken is how many characters a token has at least: guessing one of them is
// to be hopeless.
const MinToken = 16

// Source is one name under which records are taken.
type Source struct {
	cfg   Config
	held  held
	lists lists
	acks  acks

	mu      sync.Mutex // guards everything below
	run     *run       // nil while nobody runs it
	flights map[string]*flight
	stats   Stats
}

var _ source.Source = (*Source)(nil)

// Stats counts what a source did since it was made.
type Stats struct {
	Requests int64 // that showed the token
	Refused  int64 // of these, answered that nothing was taken
	Again    int64 // of these, sent before and answered without reading them again
	Records  int64 // acknowledged, rejects with them
	Rejects  int64
	Bytes    int64 // of acknowledged requests as sent
}

// run is one call of Run.
type run struct {
	ctx     context.Context
	fail    context.CancelCauseFunc
	deliver source.Deliver
	work    sync.WaitGroup // requests being delivered
}

var plainName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,62}$`)

// New checks the configuration and opens nothing; it makes the name known to the
// hub, where senders are told to come back until Run.
func New(cfg Config) (*Source, error) {
	if !plainName.MatchString(cfg.Name) {
		return nil, fmt.Errorf("receive: name %q: a name of small letters, digits, dots and hyphens is needed, which is the end of /ingest/NAME", cfg.Name)
	}
	if len(cfg.Tokens) == 0 {
		return nil, fmt.Errorf("receive %s: no token is given", cfg.Name)
	}
	for _, t := range cfg.Tokens {
		if len(t) < MinToken {
			return nil, fmt.Errorf("receive %s: a token of %d characters can be guessed: it has at least %d", cfg.Name, len(t), MinToken)
		}
	}
	if cfg.MaxBody < 0 || cfg.MaxDecompressed < 0 || cfg.MaxRecord < 0 || cfg.MaxDepth < 0 || cfg.MaxHeld < 0 || cfg.BodyTimeout < 0 || cfg.BatchRecords < 0 {
		return nil, fmt.Errorf("receive %s: a limit is negative", cfg.Name)
	}
	if cfg.Ack && !cfg.HEC {
		return nil, fmt.Errorf("receive %s: ack is of HEC: it needs hec: true", cfg.Name)
	}
	if cfg.Now == nil {
		return nil, fmt.Errorf("receive %s: no clock is given", cfg.Name)
	}
	cfg.fill()
	s := &Source{cfg: cfg, flights: map[string]*flight{}}
	s.held.most = cfg.MaxHeld
	if cfg.Hub != nil {
		if err := cfg.Hub.put(s); err != nil {
			return nil, fmt.Errorf("receive %s: %w", cfg.Name, err)
		}
	}
	return s, nil
}

func (c *Config) fill() {
	c.Header = cmp.Or(c.Header, "X-Api-Key")
	c.MaxBody = cmp.Or(c.MaxBody, 16<<20)
	c.MaxDecompressed = cmp.Or(c.MaxDecompressed, 64<<20)
	c.MaxRecord = cmp.Or(c.MaxRecord, 16<<20)
	c.MaxDepth = cmp.Or(c.MaxDepth, 64)
	c.MaxHeld = cmp.Or(c.MaxHeld, 256<<20)
	c.BodyTimeout = cmp.Or(c.BodyTimeout, 30*time.Second)
	c.BatchRecords = cmp.Or(c.BatchRecords, 20_000)
	if c.Recognise == nil {
		c.Recognise = func([]byte) string { return "" }
	}
	if c.Settled == nil {
		c.Settled = func(context.Context, string) ([]source.Progress, error) { return nil, nil }
	}
	if c.Listed == nil {
		c.Listed = func(context.Context, []event.Object) error { return nil }
	}
}

// Stats tells what was done so far.
func (s *Source) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stats
}

func (s *Source) count(f func(*Stats)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(&s.stats)
}

// Run takes what the hub hands over until ctx ends, or until deliver or the
// ledger fails; then it returns that, and senders are told to come back. It may
// be called again after it returned.
func (s *Source) Run(ctx context.Context, deliver source.Deliver) error {
	if s.cfg.Hub == nil {
		return fmt.Errorf("receive %s: nothing listens for it: it is of `yagura serve`", s.cfg.Name)
	}
	inner, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	r := &run{ctx: inner, fail: fail, deliver: deliver}
	s.mu.Lock()
	if s.run != nil {
		s.mu.Unlock()
		return fmt.Errorf("receive %s: it runs already", s.cfg.Name)
	}
	s.run = r
	s.mu.Unlock()

	<-inner.Done()
	s.mu.Lock()
	s.run = nil // from here on nobody joins the work
	s.mu.Unlock()
	r.work.Wait()
	if ctx.Err() != nil && errors.Is(context.Cause(inner), context.Cause(ctx)) {
		return ctx.Err()
	}
	return context.Cause(inner)
}

// begin joins the run that is going on; false while there is none.
func (s *Source) begin() (*run, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.run == nil {
		return nil, false
	}
	s.run.work.Add(1)
	return s.run, true
}

// running tells whether records are being taken.
func (s *Source) running() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.run != nil
}
