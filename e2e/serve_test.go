package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/simulate"
)

// server is a running `yagura serve`.
type server struct {
	t     *testing.T
	data  string
	url   string
	token string
	cmd   *exec.Cmd
}

// serve starts a server that follows a folder.
func serve(t *testing.T, data, logs string) *server {
	t.Helper()
	config := filepath.Join(t.TempDir(), "yagura.yaml")
	text := fmt.Sprintf("sources:\n  - {type: file, paths: [%s], follow: true, poll: 100ms}\n", logs)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s := &server{t: t, data: data}
	s.cmd = exec.Command(binary, "--data", data, "--config", config, "serve", "--listen", "127.0.0.1:0")
	s.cmd.Stderr = os.Stderr
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.stop() })
	waitFor(t, "the server", func() bool {
		text, err := os.ReadFile(filepath.Join(data, "serve.json"))
		var at struct{ URL string }
		if err != nil || json.Unmarshal(text, &at) != nil {
			return false
		}
		s.url = at.URL
		token, err := os.ReadFile(filepath.Join(data, "token"))
		s.token = strings.TrimSpace(string(token))
		resp, herr := http.Get(s.url + "/healthz")
		if err != nil || herr != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	return s
}

// stop asks the server to end and waits for it.
func (s *server) stop() {
	if s.cmd.ProcessState != nil {
		return
	}
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	if err := s.cmd.Wait(); err != nil {
		s.t.Errorf("serve ends with %v", err)
	}
}

func waitFor(t *testing.T, what string, ready func() bool) {
	t.Helper()
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if ready() {
			return
		}
	}
	t.Fatalf("waited a minute for %s", what)
}

// ask sends a request; change may alter it first.
func (s *server) ask(path string, change func(*http.Request)) (int, string) {
	s.t.Helper()
	req, err := http.NewRequest(http.MethodGet, s.url+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.token)
	if change != nil {
		change(req)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// totals are the ledger's, from the server.
func (s *server) totals() (t struct{ Read, Stored, Duplicate, Quarantined int64 }) {
	s.t.Helper()
	_, body := s.ask("/api/ledger", nil)
	var report struct{ Totals any }
	report.Totals = &t
	decode(s.t, []byte(body), &report)
	return t
}

func TestServeRefuses(t *testing.T) {
	s := serve(t, filepath.Join(t.TempDir(), "data"), t.TempDir())
	f := func(path string, want int, change func(*http.Request)) {
		t.Helper()
		if got, body := s.ask(path, change); got != want {
			t.Errorf("%s answers %d, want %d: %.300s", path, got, want, body)
		}
	}
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	for _, path := range []string{"/api/findings", "/api/search", "/api/ledger", "/api/ledger/objects", "/metrics", "/openapi.json"} {
		f(path, 200, nil)
		f(path, 401, header("Authorization", ""))
		f(path, 401, header("Authorization", "Bearer wrong"))
		f(path, 421, func(r *http.Request) { r.Host = "evil.example" })
		f(path, 403, header("Origin", "https://evil.example"))
		f(path, 403, header("Sec-Fetch-Site", "cross-site"))
	}
	f("/api/findings", 200, header("Origin", s.url))
	f("/healthz", 200, header("Authorization", ""))
	f("/api/findings/nosuchfinding", 404, nil)
	f("/api/findings?severity=loud", 422, nil)
	f("/api/search?q=nosuchfield:x", 422, nil)
	f("/api/search?limit=0", 422, nil)
	f("/nowhere", 404, nil)
	if mode, err := os.Stat(filepath.Join(s.data, "token")); err != nil || mode.Mode().Perm() != 0o600 {
		t.Errorf("token file: %v, %v", mode.Mode(), err)
	}
	// Another writer says who holds the directory.
	out, err := exec.Command(binary, "--data", s.data, "ingest", t.TempDir()).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "is being served") {
		t.Errorf("ingest beside serve: %v, %s", err, out)
	}
}

// TestServeFollows puts files into a followed folder while others search; no
// search fails, everything arrives once, and a backup made meanwhile is whole.
func TestServeFollows(t *testing.T) {
	dir := t.TempDir()
	logs, made := filepath.Join(dir, "logs"), filepath.Join(dir, "made")
	if err := os.Mkdir(logs, 0o755); err != nil {
		t.Fatal(err)
	}
	sum, err := simulate.Organisation{Seed: 9, Accounts: 4, Days: 2, Records: 20_000, Plain: true}.Write(context.Background(), made)
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, filepath.Join(dir, "data"), logs)
	done := make(chan struct{})
	searches := 0
	go func() {
		defer close(done)
		moveAll(t, made, logs, 40)
	}()
	var copied int // events in the backup, once there is one
	for moving := true; moving; {
		select {
		case <-done:
			moving = false
		default:
		}
		if code, body := s.ask("/api/search?q=outcome:denied&limit=20", nil); code != 200 {
			t.Fatalf("search answers %d: %s", code, body)
		}
		if out, err := exec.Command(binary, "--data", s.data, "search", "--count", "api_operation:GetSecretValue").CombinedOutput(); err != nil {
			t.Fatalf("search beside serve: %v: %s", err, out)
		}
		searches++
		if copied == 0 && s.totals().Stored > 0 {
			copied = countAfterBackup(t, s.data, filepath.Join(dir, "copy"))
		}
	}
	want := int64(sum.Records)
	waitFor(t, fmt.Sprintf("%d records", want), func() bool { return s.totals().Read == want })
	got := s.totals()
	if got.Stored != want-int64(sum.Again) || got.Duplicate != int64(sum.Again) || got.Quarantined != 0 {
		t.Errorf("%+v, want %d read of which %d twice", got, want, sum.Again)
	}
	if copied == 0 {
		t.Error("no backup was made while records arrived")
	}
	t.Logf("%d searches while %d records arrived; the backup has %d", searches, want, copied)
	if _, body := s.ask("/metrics", nil); !strings.Contains(body, fmt.Sprintf(`yagura_records_total{verdict="stored"} %s`, strings.ReplaceAll(fmt.Sprint(got.Stored), ",", ""))) {
		t.Errorf("the metrics do not say that %d were stored", got.Stored)
	}
	s.stop()
	again := serve(t, s.data, logs)
	time.Sleep(300 * time.Millisecond) // three looks at the folder
	if after := again.totals(); after != got {
		t.Errorf("after a restart %+v, before %+v", after, got)
	}
}

// moveAll moves the files of a tree into a folder in so many steps, as a sync
// would: under their own paths, each by one rename.
func moveAll(t *testing.T, from, to string, steps int) {
	var files []string
	err := filepath.Walk(from, func(path string, info os.FileInfo, err error) error {
		if err == nil && info.Mode().IsRegular() {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	for i, path := range files {
		rel, err := filepath.Rel(from, path)
		if err != nil {
			t.Error(err)
		}
		target := filepath.Join(to, rel)
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			t.Error(err)
		}
		if err := os.Rename(path, target); err != nil {
			t.Error(err)
		}
		if i%(len(files)/steps+1) == 0 {
			time.Sleep(50 * time.Millisecond)
		}
	}
}

// countAfterBackup backs the served directory up and counts events in the copy,
// after it has been opened by a writer.
func countAfterBackup(t *testing.T, data, dir string) int {
	t.Helper()
	if out, err := exec.Command(binary, "--data", data, "backup", dir).CombinedOutput(); err != nil {
		t.Fatalf("backup: %v: %s", err, out)
	}
	var l struct{ Totals struct{ Stored int } }
	decode(t, yagura(t, dir, "ledger", "--format", "json"), &l)
	var n struct{ Count int }
	decode(t, yagura(t, dir, "search", "--count", "--format", "json", ""), &n)
	if n.Count != l.Totals.Stored {
		t.Errorf("the copy holds %d events, its ledger says %d", n.Count, l.Totals.Stored)
	}
	return n.Count
}
