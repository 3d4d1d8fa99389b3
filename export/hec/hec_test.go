package hec

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/export"
	"github.com/yagura-sec/yagura/export/memory"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/mask"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// collector is a server that keeps what it is sent.
type collector struct {
	mu       sync.Mutex
	got      []export.HECEvent
	requests int
	// answer says how to answer a request; nil: success.
	answer func(request int, events []export.HECEvent) (status int, body string)
	asked  int // about acknowledgements
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.Header.Get("Authorization") != "Splunk the-token" || r.Header.Get("X-Splunk-Request-Channel") == "" {
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `{"text":"Invalid token","code":4}`)
		return
	}
	if strings.HasSuffix(r.URL.Path, "/ack") {
		c.asked++
		fmt.Fprintf(w, `{"acks":{"7":%v}}`, c.asked > 2)
		return
	}
	z, err := gzip.NewReader(r.Body)
	if err != nil || r.URL.Path != "/services/collector/event" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	var events []export.HECEvent
	for dec := json.NewDecoder(z); ; {
		var e export.HECEvent
		if err := dec.Decode(&e); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"text":"Invalid data format","code":6}`)
			return
		}
		events = append(events, e)
	}
	c.requests++
	status, body := http.StatusOK, `{"text":"Success","code":0}`
	if c.answer != nil {
		status, body = c.answer(c.requests, events)
	}
	if status == http.StatusOK {
		c.got = append(c.got, events...)
	}
	w.WriteHeader(status)
	fmt.Fprint(w, body)
}

// ids are the keys of what arrived, in order.
func (c *collector) ids() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []string
	for _, e := range c.got {
		out = append(out, e.Event.ID)
	}
	return strings.Join(out, " ")
}

// desk is a list of findings that changes.
type desk struct {
	mu  sync.Mutex
	all []finding.Finding
}

func (d *desk) changes(_ context.Context, since time.Time) iter.Seq2[finding.Finding, error] {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := append([]finding.Finding(nil), d.all...)
	return func(yield func(finding.Finding, error) bool) {
		for _, f := range all {
			if !f.LastSeen.Before(since) && !yield(f, nil) {
				return
			}
		}
	}
}

func (d *desk) put(keys ...string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, k := range keys {
		d.all = append(d.all, finding.Finding{
			Trouble:   finding.Trouble{Key: k, Title: "of " + k, Severity: finding.High, Account: "111122223333"},
			FirstSeen: noon, LastSeen: noon, Count: 1, Status: finding.New,
		})
	}
}

func output(t *testing.T, url string, d *desk, box export.Outbox, change ...func(*Config)) *Output {
	t.Helper()
	c := Config{
		Name: "splunk", URL: url, Token: "the-token", Batch: 4, Changes: d.changes, Outbox: box,
		Every: time.Millisecond, AckEvery: time.Millisecond, AckWait: time.Second, Now: func() time.Time { return noon },
	}
	for _, f := range change {
		f(&c)
	}
	o, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// runs runs o until the condition holds.
func runs(t *testing.T, o *Output, until func() bool) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- o.Run(ctx) }()
	for !until() {
		select {
		case err := <-ended:
			return err
		case <-time.After(time.Millisecond):
		}
	}
	cancel()
	return <-ended
}

func serve(t *testing.T, c *collector) string {
	s := httptest.NewServer(c)
	t.Cleanup(s.Close)
	return s.URL
}

// TestChanges: what is there is sent, then what changes, and nothing twice, also
// by another run.
func TestChanges(t *testing.T) {
	c, d, box := &collector{}, &desk{}, &memory.Outbox{}
	url := serve(t, c)
	d.put("a", "b", "c", "d", "e")
	o := output(t, url, d, box, func(c *Config) { c.Options.Index = "security" })
	if err := runs(t, o, func() bool { return o.Stats().Sent == 5 }); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if got := c.ids(); got != "a b c d e" || c.requests != 2 {
		t.Errorf("%s arrived in %d requests", got, c.requests)
	}
	if e := c.got[0]; e.Index != "security" || e.SourceType != "yagura:finding" || e.Event.Revision == "" || e.Time != "1772366400.000" {
		t.Errorf("an event is %+v", e)
	}
	o = output(t, url, d, box)
	d.mu.Lock()
	d.all[2].Decisions = []finding.Decision{{At: noon, By: "bob", Comment: "hm"}}
	d.mu.Unlock()
	d.put("f")
	if err := runs(t, o, func() bool { return o.Stats().Sent == 2 }); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if got := c.ids(); got != "a b c d e c f" {
		t.Errorf("%s arrived", got)
	}
	if c.got[2].Event.Revision == c.got[5].Event.Revision {
		t.Error("a decision changes no revision")
	}
}

// TestLost: the answer is lost, or the server is busy: Run says so, and the next
// one sends again, the same.
func TestLost(t *testing.T) {
	c, d, box := &collector{}, &desk{}, &memory.Outbox{}
	c.answer = func(request int, events []export.HECEvent) (int, string) {
		switch request {
		case 1:
			c.got = append(c.got, events...) // taken, and then the answer is lost
			return http.StatusBadGateway, "<html>gone</html>"
		case 2:
			return http.StatusServiceUnavailable, `{"text":"Server is busy","code":9}`
		}
		return http.StatusOK, `{"text":"Success","code":0}`
	}
	d.put("a", "b")
	o := output(t, serve(t, c), d, box)
	never := func() bool { return false }
	if err := runs(t, o, never); err == nil || !strings.Contains(err.Error(), "502") {
		t.Errorf("Run says %v", err)
	}
	if err := runs(t, o, never); err == nil || !strings.Contains(err.Error(), "busy") {
		t.Errorf("Run says %v", err)
	}
	if err := runs(t, o, func() bool { return o.Stats().Sent == 2 }); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if got := c.ids(); got != "a b a b" || c.got[0].Event.Revision != c.got[2].Event.Revision {
		t.Errorf("%s arrived", got)
	}
}

// TestRefused: one finding that the server will not have holds up no other.
func TestRefused(t *testing.T) {
	c, d, box := &collector{}, &desk{}, &memory.Outbox{}
	c.answer = func(_ int, events []export.HECEvent) (int, string) {
		for _, e := range events {
			if e.Event.ID == "bad" {
				return http.StatusBadRequest, `{"text":"Error in handling indexed fields","code":15,"invalid-event-number":0}`
			}
		}
		return http.StatusOK, `{"text":"Success","code":0}`
	}
	d.put("a", "b", "bad", "c")
	var refused string
	o := output(t, serve(t, c), d, box, func(c *Config) { c.Refused = func(key string, why error) { refused = key + ": " + why.Error() } })
	if err := runs(t, o, func() bool { return o.Stats().Sent == 3 && o.Stats().Refused == 1 }); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if got := c.ids(); got != "a b c" || !strings.HasPrefix(refused, "bad: ") || !strings.Contains(refused, "indexed fields") {
		t.Errorf("%s arrived, refused %s", got, refused)
	}
}

func TestAcknowledged(t *testing.T) {
	c, d, box := &collector{}, &desk{}, &memory.Outbox{}
	c.answer = func(int, []export.HECEvent) (int, string) {
		return http.StatusOK, `{"text":"Success","code":0,"ackId":7}`
	}
	d.put("a")
	o := output(t, serve(t, c), d, box)
	if err := runs(t, o, func() bool { return o.Stats().Sent == 1 }); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if c.asked != 3 {
		t.Errorf("asked %d times", c.asked)
	}
	c.mu.Lock()
	c.asked = -1000
	c.mu.Unlock()
	d.put("b")
	o = output(t, serve(t, c), d, box, func(c *Config) { c.AckWait = 20 * time.Millisecond })
	if err := runs(t, o, func() bool { return false }); err == nil || !strings.Contains(err.Error(), "did not acknowledge") {
		t.Errorf("Run says %v", err)
	}
	if sent, _ := box.Sent(t.Context(), "splunk", []string{"a", "b"}); len(sent) != 1 {
		t.Errorf("marked are %v", sent)
	}
}

func TestScopeAndMask(t *testing.T) {
	c, d, box := &collector{}, &desk{}, &memory.Outbox{}
	d.put("a", "b")
	d.all[1].Severity = finding.Low
	m, err := mask.New([]byte("a key that only tests have"))
	if err != nil {
		t.Fatal(err)
	}
	scope, err := finding.ParseScope("severity:high")
	if err != nil {
		t.Fatal(err)
	}
	o := output(t, serve(t, c), d, box, func(c *Config) { c.Scope, c.Options.Mask = scope, m })
	if err := runs(t, o, func() bool { return o.Stats().Sent == 1 }); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	text, err := json.Marshal(c.got)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "111122223333") || c.ids() != m.Key("a") {
		t.Errorf("arrived %s", text)
	}
}

// TestTLS: a server is known by the configured certificate, and by no other; a
// redirect is not followed with the token.
func TestTLS(t *testing.T) {
	c, d, box := &collector{}, &desk{}, &memory.Outbox{}
	d.put("a")
	server := httptest.NewTLSServer(c)
	defer server.Close()
	server.Config.ErrorLog = nil
	never := func() bool { return false }
	if err := runs(t, output(t, server.URL, d, box), never); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a server that nobody vouches for: %v", err)
	}
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	o := output(t, server.URL, d, box, func(c *Config) { c.CA = ca })
	if err := runs(t, o, func() bool { return o.Stats().Sent == 1 }); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	away := httptest.NewServer(http.RedirectHandler(server.URL, http.StatusTemporaryRedirect))
	defer away.Close()
	d.put("b")
	if err := runs(t, output(t, away.URL, d, box), never); err == nil || !strings.Contains(err.Error(), "307") {
		t.Errorf("a redirect: %v", err)
	}
}

func TestNew(t *testing.T) {
	f := func(want string, change func(*Config)) {
		t.Helper()
		c := Config{Name: "x", URL: "https://splunk.example:8088", Token: "t", Changes: (&desk{}).changes, Outbox: &memory.Outbox{}, Now: time.Now}
		change(&c)
		if _, err := New(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("New says %v, want %s", err, want)
		}
	}
	f("no name", func(c *Config) { c.Name = "" })
	f("https://HOST:8088", func(c *Config) { c.URL = "splunk.example" })
	f("in the clear", func(c *Config) { c.URL = "http://splunk.example:8088" })
	f("no place there", func(c *Config) { c.URL = "https://a:b@splunk.example" })
	f("no token", func(c *Config) { c.Token = "" })
	f("no outbox", func(c *Config) { c.Outbox = nil })
	f("negative", func(c *Config) { c.Batch = -1 })
	f("no certificate", func(c *Config) { c.CA = []byte("x") })
}
