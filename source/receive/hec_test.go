package receive

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/yagura-sec/yagura/event"
)

const channel = "0aeeac95-ac74-4aa9-b30d-6c4c0ac581ba"

func TestCollector(t *testing.T) {
	x := start(t)
	ok := `{"text":"Success","code":0}`
	for _, path := range []string{"", "/", "/1.0", "/event", "/event/1.0"} {
		x.post("/services/collector"+path, `{"event":"to `+path+`","time":1772366400.5}`, http.StatusOK, ok)
	}
	x.post("/services/collector", `{"event":`+trail(1)+`,"sourcetype":"aws:cloudtrail"}{"event":"not json"}`+"\n"+`{"event":{"some":"thing"}}`, http.StatusOK, ok)
	text, err := json.Marshal(trail(2))
	if err != nil {
		t.Fatal(err)
	}
	x.post("/services/collector/event", `{"event":`+string(text)+`}`, http.StatusOK, ok)
	x.post("/services/collector/event", zip(`[{"event":"in an array"}]`), http.StatusOK, ok, header("Content-Encoding", "gzip"))
	x.post("/services/collector/raw?host=db1&sourcetype=syslog&time=1772366400", "first line\r\n\nsecond \"line\"\n", http.StatusOK, ok)
	x.post("/services/collector/raw/1.0", trail(3)+"\n"+`{"a":1}`, http.StatusOK, ok)
	x.stop()
	<-x.ended
	var got []string
	for _, r := range x.raws()[5:] {
		got = append(got, r.Format+" "+string(r.Body))
	}
	want := []string{
		"aws.cloudtrail " + trail(1),
		`splunk.hec {"event":"not json"}`,
		`splunk.hec {"event":{"some":"thing"}}`,
		"aws.cloudtrail " + trail(2),
		`splunk.hec {"event":"in an array"}`,
		`splunk.hec {"time":"1772366400","host":"db1","sourcetype":"syslog","event":"first line"}`,
		`splunk.hec {"time":"1772366400","host":"db1","sourcetype":"syslog","event":"second \"line\""}`,
		"aws.cloudtrail " + trail(3),
		`splunk.hec {"event":{"a":1}}`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("delivered\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestCodes holds HEC's codes and words.
func TestCodes(t *testing.T) {
	x := start(t)
	bare := header("Authorization", "")
	x.post("/services/collector", `{"event":1}`, http.StatusUnauthorized, `{"text":"Token is required","code":2}`, bare)
	x.post("/services/collector", `{"event":1}`, http.StatusUnauthorized, `{"text":"Invalid authorization","code":3}`, header("Authorization", "Splunk"))
	x.post("/services/collector", `{"event":1}`, http.StatusUnauthorized, `"code":3`, header("Authorization", "Digest abc"))
	x.post("/services/collector", `{"event":1}`, http.StatusForbidden, `{"text":"Invalid token","code":4}`, header("Authorization", "Splunk not-the-token-at-all"))
	x.post("/services/collector?token="+token, `{"event":1}`, http.StatusBadRequest, `{"text":"Query string authorization is not enabled","code":16}`, bare)
	x.post("/services/collector", ``, http.StatusBadRequest, `{"text":"No data","code":5`)
	x.post("/services/collector", `{"event":"a"}{"host":"h"}{"event":"b"}`, http.StatusBadRequest, `{"text":"Event field is required","code":12,"invalid-event-number":1`)
	x.post("/services/collector", `{"event":""}`, http.StatusBadRequest, `{"text":"Event field cannot be blank","code":13,"invalid-event-number":0`)
	x.post("/services/collector", `{"event":null}`, http.StatusBadRequest, `"code":13`)
	x.post("/services/collector", `{"event":"c","fields":["x"]}`, http.StatusBadRequest, `{"text":"Error in handling indexed fields","code":15,"invalid-event-number":0`)
	x.post("/services/collector", `{"event":"d","fields":{"a":{"b":1}}}`, http.StatusBadRequest, `"code":15`)
	x.post("/services/collector", `{"event":"e","time":"noon"}`, http.StatusBadRequest, `{"text":"Invalid data format","code":6,"invalid-event-number":0`)
	x.post("/services/collector", `{"event":"f","host":7}`, http.StatusBadRequest, `host is a number`)
	x.post("/services/collector", `{"event":"g"`, http.StatusBadRequest, `"code":6`)
	x.post("/services/collector", `hello`, http.StatusBadRequest, `"code":6`)
	x.post("/services/collector/ack?channel="+channel, `{"acks":[0]}`, http.StatusBadRequest, `{"text":"ACK is disabled","code":14}`)
	x.post("/services/collector/elsewhere", `{}`, http.StatusNotFound, `"code":404`)
	if code, got := x.send(http.MethodGet, "/services/collector/event", ""); code != http.StatusMethodNotAllowed {
		t.Errorf("GET is answered %d %s", code, got)
	}
	health := func(want string, status int, changes ...change) {
		t.Helper()
		if code, got := x.send(http.MethodGet, "/services/collector/health/1.0", "", changes...); code != status || got != want {
			t.Errorf("health is %d %s", code, got)
		}
	}
	health(`{"text":"HEC is healthy","code":17}`, http.StatusOK)
	health(`{"text":"HEC is healthy","code":17}`, http.StatusOK, bare)
	health(`{"text":"Invalid token","code":21}`, http.StatusBadRequest, header("Authorization", "Splunk wrong"))
	x.stop()
	<-x.ended
	// What is wrong is in quarantine, and what stands beside it is stored.
	if len(x.raws()) != 2 || len(x.rejects()) != 9 {
		t.Errorf("%d records, %d rejects: %+v", len(x.raws()), len(x.rejects()), x.rejects())
	}
}

// TestNobody: without a source of HEC its paths are not there.
func TestNobody(t *testing.T) {
	x := start(t, func(c *Config) { c.HEC = false })
	for path, want := range map[string]int{"/services/collector/event": 404, "/services/collector/health": 404, "/elsewhere": 404, "/ingest/test": 401} {
		w := httptest.NewRecorder()
		x.hub.ServeHTTP(w, httptest.NewRequest(http.MethodPost, path, strings.NewReader("{}")))
		if w.Code != want {
			t.Errorf("%s is answered %d, want %d", path, w.Code, want)
		}
	}
}

func TestQueryToken(t *testing.T) {
	x := start(t, func(c *Config) { c.QueryToken = true })
	bare := header("Authorization", "")
	x.post("/services/collector?token="+token, `{"event":1}`, http.StatusOK, `"code":0`, bare)
	x.post("/services/collector?token=wrong", `{"event":1}`, http.StatusBadRequest, `"code":16`, bare)
}

func TestAck(t *testing.T) {
	x := start(t, func(c *Config) { c.Ack = true })
	on := header("X-Splunk-Request-Channel", channel)
	x.post("/services/collector", `{"event":1}`, http.StatusBadRequest, `{"text":"Data channel is missing","code":10}`)
	x.post("/services/collector?channel=7", `{"event":1}`, http.StatusBadRequest, `{"text":"Invalid data channel","code":11}`)
	x.post("/services/collector?channel="+strings.ReplaceAll(channel, "0", "1"), `{"event":1}`, http.StatusBadRequest, `"code":11`, on)
	x.post("/services/collector", `{"event":1}`, http.StatusOK, `{"text":"Success","code":0,"ackId":0}`, on)
	x.post("/services/collector/raw?channel="+channel, `text`, http.StatusOK, `"ackId":1`)
	x.post("/services/collector/raw?channel="+channel, `text`, http.StatusOK, `"ackId":2`, on) // again, and acknowledged again
	x.post("/services/collector/ack?channel="+channel, `{"acks":[0,2,3,-1]}`, http.StatusOK, `{"acks":{"-1":false,"0":true,"2":true,"3":false}}`)
	x.post("/services/collector/ack/1.0", `{"acks":[1]}`, http.StatusOK, `{"acks":{"1":true}}`, on)
	x.post("/services/collector/ack", `{"acks":"x"}`, http.StatusBadRequest, `"code":6`, on)
	x.post("/services/collector/ack", `{}`, http.StatusBadRequest, `"code":6`, on)
	x.post("/services/collector/ack", `{"acks":[0]}`, http.StatusOK, `{"acks":{"0":false}}`, header("X-Splunk-Request-Channel", "1"+channel[1:]))
}

func TestChannels(t *testing.T) {
	var a acks
	for i := range maxChannels + 10 {
		a.next(fmt.Sprint(i), noon.Add(time.Duration(i)*time.Second))
	}
	if len(a.channels) > maxChannels || a.given("0") != 0 || a.given(fmt.Sprint(maxChannels+9)) != 1 {
		t.Errorf("%d channels are remembered", len(a.channels))
	}
}

// forwarder sends as forwarders do: over a connection it keeps, several events a
// request, zipped, with a channel, again while it is told to come back, and then
// asks until its ids are acknowledged.
type forwarder struct {
	url    string
	client *http.Client
	drop   func(request int) bool // whether the answer of a request gets lost
	asked  int
}

func (f *forwarder) do(ctx context.Context, path, body string) (map[string]any, int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, f.url+path, strings.NewReader(zip(body)))
	if err != nil {
		return nil, 0, err
	}
	req.Header.Set("Authorization", "Splunk "+token)
	req.Header.Set("Content-Encoding", "gzip")
	req.Header.Set("X-Splunk-Request-Channel", channel)
	req.Header.Set("User-Agent", "a forwarder")
	resp, err := f.client.Do(req)
	if err != nil {
		return nil, 0, err
	}
	defer resp.Body.Close()
	var out map[string]any
	err = json.NewDecoder(resp.Body).Decode(&out)
	return out, resp.StatusCode, err
}

// send sends until it has the id of its acknowledgement.
func (f *forwarder) send(ctx context.Context, body string) (int64, error) {
	for range 200 {
		answer, status, err := f.do(ctx, "/services/collector/event", body)
		f.asked++
		switch {
		case err != nil:
			return 0, err
		case f.drop(f.asked):
			continue
		case status == http.StatusServiceUnavailable:
			time.Sleep(5 * time.Millisecond)
			continue
		case status != http.StatusOK:
			return 0, fmt.Errorf("%d: %v", status, answer)
		}
		id, ok := answer["ackId"].(float64)
		if !ok {
			return 0, fmt.Errorf("no ackId in %v", answer)
		}
		return int64(id), nil
	}
	return 0, fmt.Errorf("told to come back too often")
}

// TestForwarder: every third answer is lost and the program restarts in the
// middle; all arrives once.
func TestForwarder(t *testing.T) {
	x := start(t, func(c *Config) { c.Ack = true })
	server := httptest.NewServer(x.hub)
	defer server.Close()
	f := &forwarder{url: server.URL, client: server.Client(), drop: func(n int) bool { return n%3 == 0 }}
	var ids []string
	for i := range 30 {
		if i == 15 {
			x.stop()
			<-x.ended
			go func() {
				time.Sleep(20 * time.Millisecond)
				x.run(x.ledger.Deliver)
			}()
		}
		var body strings.Builder
		for j := range 10 {
			fmt.Fprintf(&body, `{"time":1772366400.%03d,"host":"h%d","event":"line %d of %d"}`, i, i%3, j, i)
		}
		id, err := f.send(t.Context(), body.String())
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, fmt.Sprint(id))
	}
	answer, _, err := f.do(t.Context(), "/services/collector/ack", `{"acks":[`+strings.Join(ids, ",")+`]}`)
	if err != nil {
		t.Fatal(err)
	}
	acked, _ := answer["acks"].(map[string]any)
	for _, id := range ids {
		if acked[id] != true {
			t.Errorf("id %s is not acknowledged", id)
		}
	}
	seen := map[string]int{}
	for _, r := range x.raws() {
		seen[string(r.Body)]++
	}
	if len(seen) != 300 {
		t.Errorf("%d different lines arrived, want 300", len(seen))
	}
	for line, n := range seen {
		if n != 1 {
			t.Errorf("%d times: %s", n, line)
		}
	}
	if f.asked < 40 {
		t.Errorf("%d requests: no answer was lost", f.asked)
	}
}

func TestSplit(t *testing.T) {
	f := func(body string, want ...string) {
		t.Helper()
		sp := splitter{body: []byte(body), maxRecord: 1000, maxDepth: 10}
		var got []string
		for p, ok := sp.next(); ok; p, ok = sp.next() {
			if p.reason != "" {
				got = append(got, "!"+string(p.body))
				continue
			}
			got = append(got, string(p.body))
		}
		if strings.Join(got, " | ") != strings.Join(want, " | ") {
			t.Errorf("%s\n is %q\n want %q", body, got, want)
		}
	}
	f("")
	f("{\"a\":1}\n{\"b\":2}\r\n", `{"a":1}`, `{"b":2}`)
	f(`{"a":1}{"b":"}\""},`, `{"a":1}`, `{"b":"}\""}`)
	f(` [ {"a":[{}]} , {"b":2} ] {"c":3}`, `{"a":[{}]}`, `{"b":2}`, `{"c":3}`)
	f(`{"version":"1","Records":[{"a":1},{"b":2}],"x":[{"c":3}]}{"d":4}`, `{"a":1}`, `{"b":2}`, `{"d":4}`)
	f(`{"detail-type":"x","detail":{"y":[1],"findings":[{"a":1},{"a":2}],"z":{}},"id":"e"}`, `{"a":1}`, `{"a":2}`)
	f(`{"detail":{"requestParameters":{"findings":[{"a":1}]}}}`, `{"detail":{"requestParameters":{"findings":[{"a":1}]}}}`)
	f(`{"data":[1,2]}`, `{"data":[1,2]}`)
	f(`{"listFindingsResults":[],"totalSize":0}`)
	f(`{"events" : [{"message":"m"}],"nextToken":"t"}`, `{"message":"m"}`)
	f(`{"kind":"admin#reports#activity","events":[{"a":1}]}`, `{"kind":"admin#reports#activity","events":[{"a":1}]}`)
	f("{\"a\":1}\n{\"b\":\n{\"c\":3}", `{"a":1}`, "!{\"b\":\n", `{"c":3}`)
	f("{\"a\":\"x\n{\"c\":3}\n", "!{\"a\":\"x\n", `{"c":3}`)
	f("{\"a\":[1}\n{\"c\":3}\n", "!{\"a\":[1}\n", `{"c":3}`)
	f("hello\n{\"c\":3}", "!hello", `{"c":3}`)
	f(`[{"a":1},7,"x,]",{"b":2}`, `{"a":1}`, "!7", `!"x,]"`, `{"b":2}`, "!")
	f("{\"Records\":[{\"a\":1}],\"x\":[}\n{\"b\":2}", `{"a":1}`, "!,\"x\":[}\n", `{"b":2}`)
}

// TestSplitCost: no body makes the splitter look at it again and again.
func TestSplitCost(t *testing.T) {
	f := func(body string) {
		t.Helper()
		begin := time.Now()
		sp := splitter{body: []byte(body), maxRecord: 1 << 20, maxDepth: 10}
		for _, ok := sp.next(); ok; _, ok = sp.next() {
		}
		// It takes a tenth of a second, and without bounds minutes.
		if took := time.Since(begin); took > 10*time.Second {
			t.Errorf("%d bytes, %.20q…, took %s", len(body), body, took)
		}
	}
	f("[" + strings.Repeat("{},1,", 1<<20))                                                // no line ends
	f(strings.Repeat("{\"a\":\n", 1<<12) + strings.Repeat("1,", 2<<20) + "]x")             // broken far behind
	f(strings.Repeat("{\"a\":\n", 1<<12) + "{}" + strings.Repeat("\n{}\n1", 1<<19) + "]x") // with records within
	f(strings.Repeat("{\"Records\":[{\"a\":\n", 1<<18))
}

func FuzzSplit(f *testing.F) {
	f.Add([]byte(`{"a":1}{"b":"}"} [ {"c":[{}]}, 3 ]`))
	f.Add([]byte("{\"Records\":[{\"a\":1},{\"b\":2}],\"x\":[]}\n{broken\n{\"c\":3}"))
	f.Add([]byte("\xef\xbb\xbf[{\"a\":\"\\\\\\\"\"},"))
	f.Fuzz(func(t *testing.T, body []byte) {
		sp := splitter{body: body, maxRecord: 100, maxDepth: 5}
		at := 0
		for n := 0; ; n++ {
			p, ok := sp.next()
			if !ok {
				break
			}
			if n > len(body) {
				t.Fatalf("%q: more records than bytes", body)
			}
			if p.offset < at || p.reason == "" && (len(p.body) == 0 || p.body[0] != '{' || len(p.body) > 100) {
				t.Fatalf("%q: record %q at %d: %s", body, p.body, p.offset, p.reason)
			}
			at = p.offset
		}
		// What is one JSON object a line is found as it is.
		if json.Valid(body) {
			one := bytes.TrimSpace(body)
			if len(one) <= 100 && one[0] == '{' && !deeper(one, 5) {
				sp := splitter{body: append(append([]byte{}, body...), "\n{\"x\":1}"...), maxRecord: 100, maxDepth: 5, plain: true}
				first, _ := sp.next()
				second, _ := sp.next()
				if !bytes.Equal(first.body, one) || string(second.body) != `{"x":1}` {
					t.Fatalf("%q: %q and %q", body, first.body, second.body)
				}
			}
		}
	})
}

// FuzzEvents: whatever is sent, each event is a record or a reject with a reason,
// and there is a code where there is a reject.
func FuzzEvents(f *testing.F) {
	f.Add([]byte(`{"event":"x"}{"event":{"eventName":"y"},"fields":{"a":1}}`))
	f.Add([]byte(`{"event":"{\"eventName\":1}","time":"1.5"}`))
	s, err := New(config(&Hub{}))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		records, invalid, code, _ := s.events(body, &share{of: &s.held})
		rejects := 0
		for i, r := range records {
			if r.reason != "" {
				rejects++
				continue
			}
			if r.format == "" || !json.Valid(r.body) && utf8.Valid(r.body) {
				t.Errorf("%q: record %d is %q of format %q", body, i, r.body, r.format)
			}
		}
		if (rejects > 0) != (invalid >= 0) || (invalid >= 0) != (code != codeSuccess) {
			t.Errorf("%q: %d rejects, the first %d, code %d", body, rejects, invalid, code)
		}
	})
}

// BenchmarkHEC is events a second over one loopback connection, 1,000 in a
// request, without what follows the delivery.
func BenchmarkHEC(b *testing.B) {
	hub := &Hub{}
	s, err := New(config(hub))
	if err != nil {
		b.Fatal(err)
	}
	go func() { _ = s.Run(b.Context(), func(context.Context, event.Batch) error { return nil }) }()
	for !s.running() {
		time.Sleep(time.Millisecond)
	}
	server := httptest.NewServer(hub)
	defer server.Close()
	const events = 1000
	i := 0
	var size int
	for b.Loop() {
		var body bytes.Buffer
		w := bufio.NewWriter(&body)
		for j := range events {
			fmt.Fprintf(w, `{"time":1772366400.123,"host":"app-7","source":"/var/log/app.log","sourcetype":"app","event":"2026-03-01T12:00:00Z INFO request %d of batch %d took 17 ms and all was well with user and basket"}`, j, i)
		}
		w.Flush()
		size = body.Len()
		i++
		req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, server.URL+"/services/collector", &body)
		if err != nil {
			b.Fatal(err)
		}
		req.Header.Set("Authorization", "Splunk "+token)
		resp, err := server.Client().Do(req)
		if err != nil {
			b.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			b.Fatal(resp.Status)
		}
	}
	b.SetBytes(int64(size))
	b.ReportMetric(float64(events*i)/b.Elapsed().Seconds(), "events/s")
}
