// Package hec sends findings, and decisions that came back, to a Splunk, or whatever
// else speaks the protocol of its HTTP Event Collector.
//
//	type: hec
//	name: splunk
//	url: https://splunk.example:8088
//	token: env:SPLUNK_TOKEN
//	index: security
//
// Each finding is sent when it is new, and again whenever something about it
// changes: seen again, decided, explained. It is sent at least once: after a
// lost answer it comes again, with the same id and revision. What was
// acknowledged is kept in the outbox, so that a restart goes on where it was.
package hec

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/export"
	"github.com/yagura-sec/yagura/finding"
)

// Config says where to, and what. The zero value of a limit is its default.
type Config struct {
	Name  string // in the outbox: another name sends everything anew
	URL   string // https://HOST:8088; another path than HEC's own is kept
	Token string
	// CA are certificates in PEM that the server's is signed by; empty: the
	// system's.
	CA []byte

	Scope   finding.Scope  // which findings; empty: all
	Options export.Options // how they are written; its View is the finding in each event

	Batch    int           // events of a request; default 100
	Every    time.Duration // how often changes are looked for; default 10 s
	Whole    time.Duration // how often all findings are; default 10 min
	AckWait  time.Duration // how long to ask for an acknowledgement; default 1 min
	AckEvery time.Duration // how often; default 1 s

	Changes export.Changes
	// Reopened are decisions that came back; nil: none is told of.
	Reopened export.Reopenings
	Outbox   export.Outbox
	Now      func() time.Time
	// Refused is told of a finding, or of a decision that came back, that the server
	// will not have.
	Refused func(key string, why error)
}

// Output is an export.Output.
type Output struct {
	cfg     Config
	url     string
	channel string
	client  *http.Client

	mu    sync.Mutex // guards stats
	stats Stats
}

var _ export.Output = (*Output)(nil)

// Stats counts what was sent since the output was made.
type Stats struct{ Sent, Refused, Requests int64 }

// New checks the configuration and opens nothing.
func New(cfg Config) (*Output, error) {
	wrong := func(format string, args ...any) (*Output, error) {
		return nil, fmt.Errorf("hec %s: %s", cfg.Name, fmt.Sprintf(format, args...))
	}
	u, err := url.Parse(cfg.URL)
	switch {
	case cfg.Name == "":
		return nil, errors.New("hec: it has no name")
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return wrong("url %q: https://HOST:8088 is needed", cfg.URL)
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return wrong("url %s: the token would go in the clear: use https", cfg.URL)
	case u.User != nil:
		return wrong("url: a password has no place there; the token is given by reference")
	case cfg.Token == "":
		return wrong("no token is given")
	case cfg.Changes == nil || cfg.Outbox == nil || cfg.Now == nil:
		return wrong("nothing to send, or no outbox, or no clock")
	case cfg.Batch < 0 || cfg.Every < 0 || cfg.Whole < 0 || cfg.AckWait < 0 || cfg.AckEvery < 0:
		return wrong("a limit is negative")
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/services/collector/event"
	}
	cfg.Batch = or(cfg.Batch, 100)
	cfg.Every = or(cfg.Every, 10*time.Second)
	cfg.Whole = or(cfg.Whole, 10*time.Minute)
	cfg.AckWait = or(cfg.AckWait, time.Minute)
	cfg.AckEvery = or(cfg.AckEvery, time.Second)
	if cfg.Refused == nil {
		cfg.Refused = func(string, error) {}
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	if len(cfg.CA) > 0 {
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(cfg.CA) {
			return wrong("ca: there is no certificate in it")
		}
		transport.TLSClientConfig.RootCAs = pool
	}
	client := &http.Client{
		Transport: transport, Timeout: time.Minute,
		// A redirect would take the token elsewhere.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	var id event.UID
	_, _ = rand.Read(id[:]) // never fails
	return &Output{cfg: cfg, url: u.String(), channel: id.String(), client: client}, nil
}

func or[T comparable](v, instead T) T {
	var zero T
	if v == zero {
		return instead
	}
	return v
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Stats tells what was sent so far.
func (o *Output) Stats() Stats {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.stats
}

// overlap is how far changes are looked for before the round before.
const overlap = time.Minute

// Run sends what changed until ctx ends. It returns an error when the server
// cannot be reached or will not have anything, and goes on where it was when it is
// run again.
func (o *Output) Run(ctx context.Context) error {
	defer o.client.CloseIdleConnections()
	var whole, last time.Time // when all were looked at, and when anything was
	for {
		now := o.cfg.Now()
		since := last.Add(-overlap)
		if now.Sub(whole) >= o.cfg.Whole {
			since, whole = time.Time{}, now
		}
		last = now
		if err := o.round(ctx, since); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return err
		}
		select {
		case <-time.After(o.cfg.Every):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// item is something to send: as an event, of which the outbox keeps the revision.
type item struct {
	key, revision string
	event         func() export.HECEvent
	text          []byte // of the event
}

// round sends what changed since a time.
func (o *Output) round(ctx context.Context, since time.Time) error {
	if err := inBatches(ctx, o.findings(ctx, since), o.cfg.Batch, o.offer); err != nil {
		return fmt.Errorf("findings: %w", err)
	}
	if o.cfg.Reopened == nil {
		return nil
	}
	if err := inBatches(ctx, o.reopened(ctx, since), o.cfg.Batch, o.offer); err != nil {
		return fmt.Errorf("decisions that came back: %w", err)
	}
	return nil
}

// inBatches offers all items, so many at a time.
func inBatches(ctx context.Context, all iter.Seq2[item, error], most int, offer func(context.Context, []item) error) error {
	var batch []item
	for x, err := range all {
		if err != nil {
			return fmt.Errorf("look for what changed: %w", err)
		}
		if batch = append(batch, x); len(batch) == most {
			if err := offer(ctx, batch); err != nil {
				return err
			}
			batch = batch[:0]
		}
	}
	return offer(ctx, batch)
}

// findings are those of the scope that changed since a time.
func (o *Output) findings(ctx context.Context, since time.Time) iter.Seq2[item, error] {
	return func(yield func(item, error) bool) {
		for f, err := range o.cfg.Changes(ctx, since) {
			if err == nil && !o.cfg.Scope.Match(&f) {
				continue
			}
			if err == nil && o.cfg.Options.Mask != nil {
				f = export.Masked(f, o.cfg.Options.Mask)
			}
			if !yield(item{key: f.Key, revision: export.Revision(f), event: func() export.HECEvent { return export.Event(&f, o.cfg.Options) }}, err) {
				return
			}
		}
	}
}

// reopened are the decisions that came back since a time.
func (o *Output) reopened(ctx context.Context, since time.Time) iter.Seq2[item, error] {
	return func(yield func(item, error) bool) {
		for r, err := range o.cfg.Reopened(ctx, since, o.cfg.Options.Mask) {
			if !yield(item{key: r.Key(), revision: r.Revision(), event: func() export.HECEvent { return r.Event(o.cfg.Options) }}, err) {
				return
			}
		}
	}
}

// offer sends those of the items whose revision was not acknowledged yet.
func (o *Output) offer(ctx context.Context, all []item) error {
	if len(all) == 0 {
		return nil
	}
	keys := make([]string, len(all))
	for i := range all {
		keys[i] = all[i].key
	}
	sent, err := o.cfg.Outbox.Sent(ctx, o.cfg.Name, keys)
	if err != nil {
		return err
	}
	var items []item
	for _, x := range all {
		if sent[x.key] == x.revision {
			continue
		}
		if x.text, err = json.Marshal(x.event()); err != nil {
			return fmt.Errorf("write %s: %w", x.key, err)
		}
		items = append(items, x)
	}
	if len(items) == 0 {
		return nil
	}
	return o.send(ctx, items)
}

// send sends items and marks them. Of a request that the server will not have it
// finds the item that is to blame, by halves, and goes on without it.
func (o *Output) send(ctx context.Context, items []item) error {
	err := o.post(ctx, items)
	var refused *refusal
	switch {
	case err == nil:
		o.count(func(s *Stats) { s.Sent += int64(len(items)) })
	case errors.As(err, &refused) && len(items) > 1:
		half := len(items) / 2
		if err := o.send(ctx, items[:half]); err != nil {
			return err
		}
		return o.send(ctx, items[half:])
	case refused != nil:
		o.count(func(s *Stats) { s.Refused++ })
		o.cfg.Refused(items[0].key, err)
	default:
		return err
	}
	revisions := map[string]string{}
	for _, x := range items {
		revisions[x.key] = x.revision
	}
	return o.cfg.Outbox.Mark(ctx, o.cfg.Name, revisions)
}

func (o *Output) count(f func(*Stats)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	f(&o.stats)
}

// refusal is an answer that says that the content is at fault, and that sending it
// again would not help.
type refusal struct{ text string }

func (r *refusal) Error() string { return r.text }

type answer struct {
	Text  string `json:"text"`
	Code  int    `json:"code"`
	AckID *int64 `json:"ackId"`
}

// post sends a request, and waits for its acknowledgement where the server gives
// an id for it.
func (o *Output) post(ctx context.Context, items []item) error {
	var body bytes.Buffer
	z := gzip.NewWriter(&body)
	for _, x := range items {
		// Into memory nothing fails.
		_, _ = z.Write(x.text)
	}
	_ = z.Close() // as above
	o.count(func(s *Stats) { s.Requests++ })
	status, text, err := o.ask(ctx, o.url, &body, true)
	if err != nil {
		return err
	}
	var a answer
	// What is no JSON comes from something between: then the status tells.
	_ = json.Unmarshal(text, &a)
	said := fmt.Sprintf("%s answers %d: %s", o.url, status, strings.TrimSpace(string(text[:min(len(text), 300)])))
	switch {
	case status == http.StatusOK && a.Code == 0:
	case status == http.StatusRequestEntityTooLarge, status == http.StatusBadRequest && (a.Code == 5 || a.Code == 6 || a.Code == 12 || a.Code == 13 || a.Code == 15):
		return &refusal{said}
	default: // no token, wrong index, busy: a person has to do something, or time
		return errors.New(said)
	}
	if a.AckID == nil {
		return nil
	}
	return o.acknowledged(ctx, *a.AckID)
}

// acknowledged waits until the server says that the events of a request are
// stored.
func (o *Output) acknowledged(ctx context.Context, id int64) error {
	to := strings.TrimSuffix(strings.TrimSuffix(o.url, "/1.0"), "/event") + "/ack?channel=" + o.channel
	for until := time.Now().Add(o.cfg.AckWait); ; { // network time, whatever findings are dated by
		status, text, err := o.ask(ctx, to, strings.NewReader(fmt.Sprintf(`{"acks":[%d]}`, id)), false)
		if err != nil {
			return err
		}
		var a struct {
			Acks map[string]bool `json:"acks"`
		}
		if err := json.Unmarshal(text, &a); err != nil || status != http.StatusOK {
			return fmt.Errorf("%s answers %d to the question about acknowledgement %d", to, status, id)
		}
		if a.Acks[strconv.FormatInt(id, 10)] {
			return nil
		}
		if time.Now().After(until) {
			return fmt.Errorf("%s did not acknowledge %d within %s", o.url, id, o.cfg.AckWait)
		}
		select {
		case <-time.After(o.cfg.AckEvery):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// maxAnswer is how many bytes of an answer are read.
const maxAnswer = 64 << 10

func (o *Output) ask(ctx context.Context, to string, body io.Reader, zipped bool) (int, []byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to, body)
	if err != nil {
		return 0, nil, err
	}
	r.Header.Set("Authorization", "Splunk "+o.cfg.Token)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Splunk-Request-Channel", o.channel)
	if zipped {
		r.Header.Set("Content-Encoding", "gzip")
	}
	resp, err := o.client.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	return resp.StatusCode, text, err
}
