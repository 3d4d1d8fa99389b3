package receive

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/source"
	"github.com/yagura-sec/yagura/source/sourcetest"
)

const token = "a-token-that-tests-show"

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// recognise knows records that name their format.
func recognise(body []byte) string {
	if bytes.Contains(body, []byte(`"eventName"`)) {
		return "aws.cloudtrail"
	}
	return ""
}

func config(hub *Hub) Config {
	return Config{
		Name: "test", Tokens: []string{token}, HEC: true, Recognise: recognise, Envelope: "splunk.hec",
		Hub: hub, Now: func() time.Time { return noon },
	}
}

// station is a source that runs, what it delivered, and how to reach it.
type station struct {
	t      *testing.T
	hub    *Hub
	source *Source
	ledger *sourcetest.Ledger
	stop   context.CancelFunc
	ended  chan error
}

func start(t *testing.T, change ...func(*Config)) *station {
	t.Helper()
	x := &station{t: t, hub: &Hub{}, ledger: &sourcetest.Ledger{}, ended: make(chan error, 1)}
	c := config(x.hub)
	c.Settled, c.Listed = x.ledger.Settled, x.ledger.List
	for _, f := range change {
		f(&c)
	}
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	x.source = s
	x.run(x.ledger.Deliver)
	return x
}

func (x *station) run(deliver source.Deliver) {
	ctx, cancel := context.WithCancel(x.t.Context())
	x.stop = cancel
	go func() { x.ended <- x.source.Run(ctx, deliver) }()
	for !x.source.running() {
		time.Sleep(time.Millisecond)
	}
}

// raws are the records that were acknowledged, by object and position.
func (x *station) raws() (out []event.Raw) {
	for _, b := range x.ledger.Batches {
		out = append(out, b.Raws...)
	}
	return out
}

func (x *station) rejects() (out []event.Reject) {
	for _, b := range x.ledger.Batches {
		out = append(out, b.Rejects...)
	}
	return out
}

type change func(*http.Request)

func header(name, value string) change {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

func (x *station) send(method, path, body string, changes ...change) (int, string) {
	x.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Splunk "+token)
	for _, c := range changes {
		c(r)
	}
	if !x.hub.Handles(r.URL.Path) {
		x.t.Fatalf("%s is not the hub's", path)
	}
	w := httptest.NewRecorder()
	x.hub.ServeHTTP(w, r)
	return w.Code, strings.TrimSpace(w.Body.String())
}

// post expects a status and a part of the answer.
func (x *station) post(path, body string, status int, want string, changes ...change) {
	x.t.Helper()
	if code, got := x.send(http.MethodPost, path, body, changes...); code != status || !strings.Contains(got, want) {
		x.t.Errorf("POST %s %.80q: %d %s; want %d with %s", path, body, code, got, status, want)
	}
}

func zip(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, text)
	_ = w.Close()
	return b.String()
}

func trail(n int) string {
	return fmt.Sprintf(`{"eventName":"GetSecretValue","n":%d}`, n)
}

// sender is the contract's source: it sends always the same bodies until each of
// them was taken.
type sender struct {
	s      *Source
	hub    *Hub
	bodies []string
}

func (x sender) Run(ctx context.Context, deliver source.Deliver) error {
	inner, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- x.s.Run(inner, deliver) }()
	for !x.s.running() {
		time.Sleep(100 * time.Microsecond)
	}
	for _, body := range x.bodies {
		r := httptest.NewRequest(http.MethodPost, "/ingest/test", strings.NewReader(body))
		r.Header.Set("X-Api-Key", token)
		w := httptest.NewRecorder()
		x.hub.ServeHTTP(w, r)
		if w.Code == http.StatusServiceUnavailable {
			return <-ended
		}
	}
	stop()
	if err := <-ended; ctx.Err() != nil || !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

func TestContract(t *testing.T) {
	bodies := []string{
		trail(1), trail(2),
		"[" + trail(3) + "," + trail(4) + "," + trail(5) + "," + trail(6) + "," + trail(7) + "]",
		trail(8) + "\n{broken\n" + trail(9),
		zip(`{"Records":[` + trail(10) + `,` + trail(11) + `],"more":1}`),
	}
	records := []int64{1, 1, 5, 3, 2}
	build := func(t *testing.T, settled source.Settled, listed source.Listed) (sender, error) {
		hub := &Hub{}
		c := config(hub)
		c.Settled, c.Listed, c.BatchRecords = settled, listed, 2
		s, err := New(c)
		return sender{s, hub, bodies}, err
	}
	want := map[string]int64{}
	var l sourcetest.Ledger
	x, err := build(t, l.Settled, l.List)
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Run(t.Context(), l.Deliver); err != nil {
		t.Fatal(err)
	}
	for i, o := range l.Listed {
		want[o.Name] = records[i]
	}
	sourcetest.Test(t, sourcetest.Case{Records: want, Open: func(t *testing.T, settled source.Settled, listed source.Listed) source.Source {
		x, err := build(t, settled, listed)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}})
}

func TestNew(t *testing.T) {
	f := func(want string, change func(*Config)) {
		t.Helper()
		c := config(&Hub{})
		change(&c)
		if _, err := New(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("New says %v, want %s", err, want)
		}
	}
	f("name", func(c *Config) { c.Name = "a/b" })
	f("no token", func(c *Config) { c.Tokens = nil })
	f("at least 16", func(c *Config) { c.Tokens = []string{"short"} })
	f("negative", func(c *Config) { c.MaxBody = -1 })
	f("hec: true", func(c *Config) { c.HEC, c.Ack = false, true })
	f("clock", func(c *Config) { c.Now = nil })
	f("the same token", func(c *Config) {
		if _, err := New(*c); err != nil {
			t.Fatal(err)
		}
		c.Name = "other"
	})
	c := config(nil)
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Run(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "serve") {
		t.Errorf("without a hub Run says %v", err)
	}
}

// TestIngestText: lines and rows of what somebody reads are records; other text
// is none.
func TestIngestText(t *testing.T) {
	x := start(t, func(c *Config) {
		c.Recognise = func(record []byte) string {
			if bytes.HasPrefix(record, []byte(`{"line":"PROXY `)) || bytes.Contains(record, []byte(`"address":`)) {
				return "x.y"
			}
			return ""
		}
		c.MaxRecord = 100
	})
	x.post("/ingest/test", "PROXY 1\n\nPROXY \xff\nother\n", http.StatusOK, `"received":3,"rejected":1`)
	x.post("/ingest/test", "address,to\n1,\"2\n3\"\n4\n5,\"6\n7,8\n", http.StatusOK, `"received":4,"rejected":2`)
	x.post("/ingest/test", "PROXY "+strings.Repeat("x", 100), http.StatusBadRequest, `line 1: as JSON it is 117 bytes long`)
	x.post("/ingest/test", "#fields\ta\tb\n1\t2\n", http.StatusOK, `"received":1,"rejected":0`)
	x.post("/services/collector/raw?sourcetype=squid", "PROXY 3\nother\n", http.StatusOK, "Success", header("Authorization", "Splunk "+token))
	x.post("/services/collector/event", `{"event":"PROXY 4"}{"event":"other"}`, http.StatusOK, "Success", header("Authorization", "Splunk "+token))
	lines := map[string]int{}
	for _, b := range x.ledger.Batches {
		for _, r := range b.Raws {
			if bytes.HasPrefix(r.Body, []byte(`{"line":"PROXY `)) {
				lines[r.Format]++
			}
		}
	}
	if lines["x.y"] != 2 {
		t.Errorf("lines of HEC: %v", lines)
	}
	x.post("/ingest/test", "time,user\n1,2\n", http.StatusBadRequest, `"received":2,"rejected":2`)
}

func TestIngest(t *testing.T) {
	x := start(t, func(c *Config) { c.Format = "falco" })
	plain := header("Authorization", "")
	key := header("X-Api-Key", token)
	x.post("/ingest/test", `{"a":1}`, http.StatusOK, `"received":1,"rejected":0,"again":false`, plain, key)
	x.post("/ingest/test", `{"a":1}`, http.StatusOK, `"again":true`, plain, key)
	x.post("/ingest/test", zip("[{\"a\":2},\n{\"a\":3}]"), http.StatusOK, `"received":2`, header("Content-Encoding", "gzip"))
	x.post("/ingest/test", "{\"a\":4}\n{\"a\":5}\n{\"a\":\n{\"a\":6}\n", http.StatusOK, `"received":4,"rejected":1`)
	x.post("/ingest/test", `"words"`, http.StatusBadRequest, `"rejected":1`)
	x.post("/ingest/test", ` `, http.StatusBadRequest, "empty")
	x.post("/ingest/other", `{}`, http.StatusNotFound, "no source")
	x.post("/ingest/test", `{}`, http.StatusUnauthorized, "token", plain)
	x.post("/ingest/test", `{}`, http.StatusUnauthorized, "token", header("Authorization", "Bearer wrong-wrong-wrong-wrong"))
	x.post("/ingest/test?token="+token, `{}`, http.StatusUnauthorized, "token", plain)
	x.post("/ingest/test", `{"a":7}`, http.StatusOK, "", func(r *http.Request) { r.SetBasicAuth("anyone", token) })
	x.post("/ingest/test", `{"a":8}`, http.StatusOK, "", header("Authorization", "Bearer "+token))
	x.post("/ingest/test", `{"a":9}`, http.StatusUnsupportedMediaType, "Content-Encoding", header("Content-Encoding", "br"))
	x.post("/ingest/test", `{"a":9}`, http.StatusUnsupportedMediaType, "Content-Type", header("Content-Type", "multipart/form-data; boundary=x"))
	if code, _ := x.send(http.MethodGet, "/ingest/test", ""); code != http.StatusMethodNotAllowed {
		t.Errorf("GET is answered %d", code)
	}
	x.stop()
	<-x.ended
	if got := len(x.raws()); got != 8 {
		t.Errorf("%d records were delivered, want 8", got)
	}
	for _, r := range x.raws() {
		if r.Format != "falco" || !r.Received.Equal(noon) || !strings.HasPrefix(r.Object, "receive/test/") {
			t.Errorf("delivered %+v", r)
		}
	}
	rejects := x.rejects()
	if len(rejects) != 2 || rejects[0].Position != 2 || !strings.Contains(rejects[0].Reason, "byte") {
		t.Errorf("rejects are %+v", rejects)
	}
	if s := x.hub.Stats()["test"]; s.Requests != 10 || s.Again != 1 || s.Refused != 3 || s.Records != 10 || s.Rejects != 2 {
		t.Errorf("stats are %+v", s)
	}
}

// TestLimits: what cannot be read is refused with its reason, and kept where the
// sender may think that it was taken.
func TestLimits(t *testing.T) {
	x := start(t, func(c *Config) {
		c.MaxBody, c.MaxDecompressed, c.MaxRecord, c.MaxDepth = 64<<10, 1<<20, 2000, 5
	})
	gz := header("Content-Encoding", "gzip")
	long := strings.Repeat("x", 70<<10)
	x.post("/ingest/test", long, http.StatusRequestEntityTooLarge, "max_body")
	x.post("/ingest/test", long, http.StatusRequestEntityTooLarge, "max_body", func(r *http.Request) { r.ContentLength = -1 })
	whole := zip(trail(1) + "\n" + trail(2))
	x.post("/ingest/test", zip(strings.Repeat(" ", 2<<20)), http.StatusRequestEntityTooLarge, "max_decompressed", gz)
	x.post("/ingest/test", whole[:len(whole)-9], http.StatusBadRequest, "truncated gzip", gz)
	x.post("/ingest/test", whole[:len(whole)-6]+"xxxxxx", http.StatusBadRequest, "corrupt gzip", gz)
	x.post("/ingest/test", `{"a":1}`, http.StatusBadRequest, "but the body is none", gz)
	x.post("/ingest/test", `{"a":"`+strings.Repeat("y", 3000)+`"}`+trail(3), http.StatusOK, "max_record")
	x.post("/ingest/test", `[[[[[[[[]]]]]]]]{"a":[[[[[[]]]]]]}`, http.StatusBadRequest, "max_depth")
	x.stop()
	<-x.ended
	reasons := ""
	for _, r := range x.rejects() {
		if len(r.Body) == 0 || r.Size != int64(len(r.Body)) {
			t.Errorf("quarantined %d bytes of %d: %s", len(r.Body), r.Size, r.Reason)
		}
		reasons += r.Reason + "\n"
	}
	for _, want := range []string{"max_decompressed", "truncated gzip", "checksum", "but the body is none", "max_record", "max_depth"} {
		if !strings.Contains(reasons, want) {
			t.Errorf("nothing in quarantine says %s:\n%s", want, reasons)
		}
	}
	if len(x.raws()) != 1 {
		t.Errorf("%d records were taken, want 1", len(x.raws()))
	}
	if x.source.held.n != 0 {
		t.Errorf("%d bytes are still held", x.source.held.n)
	}
}

// TestAmplified: few bytes do not become very many records, nor very large ones.
func TestAmplified(t *testing.T) {
	x := start(t, func(c *Config) { c.MaxDecompressed, c.Ack = 4<<20, true })
	channel := header("X-Splunk-Request-Channel", "11112222-3333-4444-5555-666677778888")
	many := strings.Repeat("{}", maxRecords+1)
	x.post("/ingest/test", zip(many), http.StatusRequestEntityTooLarge, "records")
	x.post("/services/collector", many, http.StatusRequestEntityTooLarge, "records", channel)
	x.post("/services/collector/raw", strings.Repeat("x\n", maxRecords+1), http.StatusRequestEntityTooLarge, "records", channel)
	x.post("/services/collector/raw?host="+strings.Repeat("h", 4000), strings.Repeat("x\n", 3000), http.StatusRequestEntityTooLarge, "max_decompressed", channel)
	x.post("/services/collector/ack", `{"acks":[`+strings.Repeat("1,", maxAsked/2)+`1]}`, http.StatusRequestEntityTooLarge, "fewer ids", channel)
	if n := len(x.raws()) + len(x.rejects()); n > 0 {
		t.Errorf("%d records of what was refused are stored", n)
	}
	y := start(t, func(c *Config) { c.MaxHeld = 1 << 20 })
	y.post("/ingest/test", strings.Repeat("{}", 10_000), http.StatusServiceUnavailable, "send it again")
	if x.source.held.n != 0 || y.source.held.n != 0 {
		t.Errorf("%d and %d bytes are still held", x.source.held.n, y.source.held.n)
	}
}

func TestHeld(t *testing.T) {
	x := start(t, func(c *Config) { c.MaxHeld = 1000 })
	x.post("/services/collector", `{"event":"x"}`, http.StatusServiceUnavailable, `"code":9`)
	x.post("/ingest/test", `{"a":1}`, http.StatusServiceUnavailable, "send it again")
}

// TestSlow: a body that does not arrive costs its sender the connection, and us
// half a second.
func TestSlow(t *testing.T) {
	x := start(t, func(c *Config) { c.BodyTimeout = 300 * time.Millisecond })
	server := httptest.NewServer(x.hub)
	defer server.Close()
	r, w := io.Pipe()
	defer w.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/ingest/test", r)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Api-Key", token)
	go func() { _, _ = io.WriteString(w, `{"a":`) }()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if text, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusRequestTimeout || !strings.Contains(string(text), "did not arrive") {
		t.Errorf("answered %d %s", resp.StatusCode, text)
	}
	if n := len(x.raws()) + len(x.rejects()); n > 0 {
		t.Errorf("%d records were made of half a body", n)
	}
}

// TestLost: the answer is lost and the body comes again, at once and after a
// restart; and while the first is still under way.
func TestLost(t *testing.T) {
	x := start(t)
	release := make(chan struct{})
	x.stop()
	<-x.ended
	deliveries := 0
	x.run(func(ctx context.Context, b event.Batch) error {
		deliveries++
		<-release
		return x.ledger.Deliver(ctx, b)
	})
	var wg sync.WaitGroup
	for range 5 {
		wg.Go(func() { x.post("/services/collector", `{"event":"x"}{"event":"y"}`, http.StatusOK, `"code":0`) })
	}
	time.Sleep(20 * time.Millisecond)
	close(release)
	wg.Wait()
	x.stop()
	<-x.ended
	x.post("/services/collector", `{"event":"x"}{"event":"y"}`, http.StatusServiceUnavailable, `"code":9`)
	x.run(x.ledger.Deliver)
	x.post("/services/collector", `{"event":"x"}{"event":"y"}`, http.StatusOK, `"code":0`)
	if deliveries != 1 || len(x.raws()) != 2 {
		t.Errorf("%d deliveries, %d records", deliveries, len(x.raws()))
	}
}

// TestFails: when the rest of the program fails nobody is told that it was taken,
// and Run says why.
func TestFails(t *testing.T) {
	x := start(t)
	x.stop()
	<-x.ended
	broken := errors.New("disk full")
	x.run(func(context.Context, event.Batch) error { return broken })
	x.post("/ingest/test", `{"a":1}`, http.StatusServiceUnavailable, "send it again")
	if err := <-x.ended; !errors.Is(err, broken) {
		t.Errorf("Run says %v", err)
	}
	x.post("/services/collector/event", `{"event":1}`, http.StatusServiceUnavailable, `"code":9`)
	if code, got := x.send(http.MethodGet, "/services/collector/health", ""); code != http.StatusServiceUnavailable || !strings.Contains(got, `"code":18`) {
		t.Errorf("health is %d %s", code, got)
	}
}

// TestTypes holds the answers' form.
func TestTypes(t *testing.T) {
	x := start(t)
	_, got := x.send(http.MethodPost, "/ingest/test", trail(1))
	var taken Taken
	if err := json.Unmarshal([]byte(got), &taken); err != nil || taken.Received != 1 || taken.Object != x.raws()[0].Object {
		t.Errorf("%s: %v", got, err)
	}
}
