package e2e

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const channelOfTests = "0aeeac95-ac74-4aa9-b30d-6c4c0ac581ba"

// post sends a body as a forwarder does.
func (s *server) post(path, body string, change func(*http.Request)) (int, string, error) {
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, _ = io.WriteString(z, body)
	_ = z.Close()
	req, err := http.NewRequest(http.MethodPost, s.url+path, &zipped)
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("Authorization", "Splunk from the environment")
	req.Header.Set("Content-Encoding", "gzip")
	req.Header.Set("X-Splunk-Request-Channel", channelOfTests)
	if change != nil {
		change(req)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text), err
}

const receiving = "sources:\n  - {type: receive, name: forwarders, token: env:TOKEN, hec: true, ack: true}\n"

// TestReceiveKilled: forwarders send while the program is killed without warning,
// and send what was not answered again. Everything is stored once.
func TestReceiveKilled(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	s := serveWith(t, data, "127.0.0.1:0", receiving)
	const senders, bodies, lines = 4, 12, 25
	var mu sync.RWMutex // guards s
	var answered atomic.Int64
	var wg sync.WaitGroup
	for i := range senders {
		wg.Go(func() {
			for j := range bodies {
				var body strings.Builder
				for k := range lines {
					fmt.Fprintf(&body, `{"time":1772366400,"host":"h%d","event":"line %d of %d"}`+"\n", i, k, j)
				}
				for {
					mu.RLock()
					to := s
					mu.RUnlock()
					status, text, err := to.post("/services/collector/event", body.String(), nil)
					if err == nil && status == http.StatusOK {
						answered.Add(1)
						break
					}
					if err == nil && status != http.StatusServiceUnavailable {
						t.Errorf("answered %d %s", status, text)
						return
					}
					time.Sleep(20 * time.Millisecond)
				}
			}
		})
	}
	waitFor(t, "a third of the answers", func() bool { return answered.Load() >= senders*bodies/3 })
	_ = s.cmd.Process.Kill() // it runs
	_ = s.cmd.Wait()         // and ends by the signal
	next := serveWith(t, data, "127.0.0.1:0", receiving)
	mu.Lock()
	s = next
	mu.Unlock()
	wg.Wait()
	if got := s.totals(); got.Stored != senders*bodies*lines || got.Read != got.Stored {
		t.Errorf("of %d lines %+v", senders*bodies*lines, got)
	}
	status, text, err := s.post("/services/collector/ack", `{"acks":[0,1000000]}`, nil)
	if err != nil || status != http.StatusOK || !strings.Contains(text, `"0":true`) || !strings.Contains(text, `"1000000":false`) {
		t.Errorf("acknowledged are %d %s %v", status, text, err)
	}
}

// ruleOfTests is a folder with rules about kei and rin.
func ruleOfTests(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for i, who := range []string{"kei", "rin"} {
		if err := os.WriteFile(filepath.Join(dir, who+".yml"), fmt.Appendf(nil, listedRule, i+1, who), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestReceiveAndSend: what one Yagura receives and finds it sends to another,
// which takes it as Splunk would; what that one missed while it was away comes
// when it is back.
func TestReceiveAndSend(t *testing.T) {
	dir := t.TempDir()
	splunkish := "sources:\n  - {type: receive, name: splunk, token: env:TOKEN, hec: true}\n"
	to := serveWith(t, filepath.Join(dir, "b"), "127.0.0.1:0", splunkish)
	address := strings.TrimPrefix(to.url, "http://")
	from := serveWith(t, filepath.Join(dir, "a"), "127.0.0.1:0", receiving+
		"  - {type: receive, name: trail, token: env:TOKEN}\n"+
		"exports:\n  - {type: hec, name: splunk, url: \"http://"+address+"\", token: env:TOKEN, index: security, every: 200ms}\n"+
		"rules: {builtin: false, dirs: ["+ruleOfTests(t)+"]}\n")

	key := func(r *http.Request) {
		r.Header.Del("Authorization")
		r.Header.Set("X-Api-Key", "from the environment")
	}
	for range 2 { // the second time it is the same
		if status, text, err := from.post("/ingest/trail", fmt.Sprintf(listedEvent, "kei", 1), key); err != nil || status != http.StatusOK {
			t.Fatalf("%d %s %v", status, text, err)
		}
	}
	if status, _, err := from.post("/ingest/trail", "{}", func(r *http.Request) { r.Header.Set("Authorization", "Bearer wrong") }); err != nil || status != http.StatusUnauthorized {
		t.Errorf("a wrong token is answered %d, %v", status, err)
	}
	arrived := func(n int64) func() bool { return func() bool { return to.totals().Stored == n } }
	waitFor(t, "the finding", arrived(1))
	_, found := to.ask("/api/search?q=format:splunk.hec", nil)
	if !strings.Contains(found, `user/kei`) || !strings.Contains(found, `yagura:finding`) {
		t.Errorf("arrived %s", found)
	}

	to.stop()
	if status, text, err := from.post("/services/collector", `{"event":`+fmt.Sprintf(listedEvent, "rin", 2)+`}`, nil); err != nil || status != http.StatusOK {
		t.Fatalf("%d %s %v", status, text, err)
	}
	waitFor(t, "the output to fail", func() bool {
		_, body := from.ask("/metrics", nil)
		return strings.Contains(body, `yagura_upkeep_up{task="exports[0]:hec"} 0`)
	})
	to = serveWith(t, filepath.Join(dir, "b"), address, splunkish)
	waitFor(t, "what was missed", arrived(2))

	// A restart sends nothing again, and a decision made beside it arrives.
	list := yagura(t, from.data, "findings", "export", "--format", "jsonl", "--masked")
	if strings.Contains(string(list), "kei") || strings.Contains(string(list), "111122223333") || !strings.Contains(string(list), "person-") {
		t.Errorf("masked is %s", list)
	}
	var f struct{ Key string }
	plain := yagura(t, from.data, "findings", "export", "--format", "jsonl")
	if err := json.NewDecoder(bytes.NewReader(plain)).Decode(&f); err != nil {
		t.Fatal(err)
	}
	yagura(t, from.data, "findings", "triage", f.Key, "--status", "in_progress", "--by", "kei")
	waitFor(t, "the decision", arrived(3))
	if status, body := from.ask("/api/findings/export?format=ocsf&masked=true", nil); status != http.StatusOK || strings.Contains(body, "kei") || !strings.Contains(body, `"class_uid":2004`) {
		t.Errorf("exported is %d %s", status, body)
	}
}
