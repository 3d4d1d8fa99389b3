package e2e

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
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
	t      *testing.T
	data   string
	url    string
	token  string
	cmd    *exec.Cmd
	client *http.Client
}

// serve starts a server that follows a folder.
func serve(t *testing.T, data, logs string) *server {
	t.Helper()
	return serveWith(t, data, "127.0.0.1:0", fmt.Sprintf("sources:\n  - {type: file, paths: [%s], follow: true, poll: 100ms}\n", logs))
}

// serveWith starts a server with a configuration; its token is then what
// TOKEN is set to, where the configuration says so.
func serveWith(t *testing.T, data, listen, text string) *server {
	t.Helper()
	config := filepath.Join(t.TempDir(), "yagura.yaml")
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	// A name that is not this machine's is no concern of these tests.
	s := &server{t: t, data: data, client: &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}}
	s.cmd = exec.Command(binary, "--data", data, "--config", config, "serve", "--listen", listen)
	s.cmd.Env = append(os.Environ(), "TOKEN=from the environment")
	s.cmd.Stderr = os.Stderr
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.stop() })
	waitFor(t, "the server", func() bool {
		text, err := os.ReadFile(filepath.Join(data, "serve.json"))
		var at struct {
			PID int
			URL string
		}
		if err != nil || json.Unmarshal(text, &at) != nil || at.PID != s.cmd.Process.Pid {
			return false
		}
		s.url = at.URL
		token, err := os.ReadFile(filepath.Join(data, "token"))
		if s.token = strings.TrimSpace(string(token)); err != nil {
			s.token = "from the environment"
		}
		resp, err := s.client.Get(s.url + "/healthz")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return true
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
	resp, err := s.client.Do(req)
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
	f("/api/nowhere", 404, nil)
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

// TestServeStopped: while the intake cannot work, all the rest does, and says so.
func TestServeStopped(t *testing.T) {
	logs := filepath.Join(t.TempDir(), "logs")
	if _, err := (simulate.Organisation{Seed: 3, Accounts: 1, Days: 1, Records: 300}).Write(context.Background(), logs); err != nil {
		t.Fatal(err)
	}
	s := serveWith(t, filepath.Join(t.TempDir(), "data"), "127.0.0.1:0",
		fmt.Sprintf("lake: {free_space_floor: 900TB}\nsources:\n  - {type: file, paths: [%s], follow: true, poll: 100ms}\n", logs))
	var health string
	waitFor(t, "the intake to stop", func() bool {
		code, body := s.ask("/healthz", func(r *http.Request) { r.Header.Del("Authorization") })
		health = body
		return code == http.StatusServiceUnavailable
	})
	for _, part := range []string{`"status":"intake stopped"`, `"source":"0:file"`, `"reason":"too little free space"`, `"since":"20`} {
		if !strings.Contains(health, part) {
			t.Errorf("%s lacks %s", health, part)
		}
	}
	if strings.Contains(health, logs) || strings.Contains(health, s.data) {
		t.Errorf("everybody is told of paths: %s", health)
	}
	for _, path := range []string{"/api/findings", "/api/search", "/api/ledger"} {
		if code, body := s.ask(path, nil); code != 200 {
			t.Errorf("%s: %d %s", path, code, body)
		}
	}
	_, metrics := s.ask("/metrics", nil)
	if !strings.Contains(metrics, `yagura_intake_up{source="0:file"} 0`) || strings.Contains(metrics, `yagura_intake_errors_total{source="0:file"} 0`) {
		t.Errorf("the metrics do not say that the intake stopped")
	}
}

// TestServeResumes: what could not be read is, once it can be; a second source
// goes on meanwhile.
func TestServeResumes(t *testing.T) {
	dir := t.TempDir()
	logs, later := filepath.Join(dir, "logs"), filepath.Join(dir, "later")
	sum, err := simulate.Organisation{Seed: 3, Accounts: 1, Days: 1, Records: 300, Plain: true}.Write(context.Background(), logs)
	if err != nil {
		t.Fatal(err)
	}
	s := serveWith(t, filepath.Join(dir, "data"), "127.0.0.1:0",
		fmt.Sprintf("sources:\n  - {type: file, paths: [%s]}\n  - {type: file, paths: [%s]}\n", later, logs))
	waitFor(t, "the source that has nothing", func() bool { code, _ := s.ask("/healthz", nil); return code == 503 })
	waitFor(t, "the other source", func() bool { return s.totals().Read == int64(sum.Records) })
	if _, body := s.ask("/healthz", nil); !strings.Contains(body, `"source":"0:file"`) || strings.Contains(body, `"source":"1:file"`) {
		t.Errorf("stopped: %s", body)
	}
	more, err := simulate.Organisation{Seed: 4, Accounts: 1, Days: 1, Records: 200, Plain: true}.Write(context.Background(), filepath.Join(dir, "made"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(dir, "made"), later); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the source that has come", func() bool { code, _ := s.ask("/healthz", nil); return code == 200 })
	waitFor(t, "its records", func() bool { return s.totals().Read == int64(sum.Records+more.Records) })
	_, metrics := s.ask("/metrics", nil)
	for _, line := range []string{`yagura_intake_up{source="0:file"} 1`, `yagura_intake_up{source="1:file"} 1`, `yagura_intake_errors_total{source="1:file"} 0`} {
		if !strings.Contains(metrics, line) {
			t.Errorf("the metrics lack %s", line)
		}
	}
}

// TestServeBackup: a backup is made however the server is reached, and only
// where it makes sense.
func TestServeBackup(t *testing.T) {
	dir := t.TempDir()
	cert, key := certificate(t, dir)
	f := func(name, data, listen, config string) *server {
		t.Helper()
		s := serveWith(t, filepath.Join(dir, data), listen, config)
		countAfterBackup(t, s.data, filepath.Join(dir, name))
		return s
	}
	f("token", "a", "127.0.0.1:0", "server: {token: env:TOKEN}\n")
	f("tls", "b", "127.0.0.1:0", fmt.Sprintf("server: {tls_cert: %s, tls_key: %s}\n", cert, key))
	f("everywhere", "c", ":0", "server: {behind_proxy: true}\n")
	s := f("long", strings.Repeat("a long name of a folder/", 8), "127.0.0.1:0", "")
	if code, _ := s.ask("/api/backup", func(r *http.Request) { r.Method = http.MethodPost }); code != 404 {
		t.Errorf("the public interface answers a backup with %d", code)
	}
	s = f("plain", "d", "127.0.0.1:0", "")
	if info, err := os.Stat(filepath.Join(s.data, "serve.sock")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the socket is open to others: %v, %v", info, err)
	}
	for _, to := range []string{s.data, filepath.Join(s.data, "copy"), filepath.Join(dir, "plain")} {
		if out, err := exec.Command(binary, "--data", s.data, "backup", to).CombinedOutput(); err == nil {
			t.Errorf("backed up to %s: %s", to, out)
		}
	}
	s.stop()
	for _, name := range []string{"serve.sock", "serve.json"} {
		if _, err := os.Lstat(filepath.Join(s.data, name)); !os.IsNotExist(err) {
			t.Errorf("%s is left: %v", name, err)
		}
	}
}

// certificate makes one of a name, without addresses.
func certificate(t *testing.T, dir string) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"yagura.example"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, kind string, der []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return write("cert.pem", "CERTIFICATE", der), write("key.pem", "PRIVATE KEY", secret)
}

// TestServeKilled: what a killed server leaves behind misleads nobody.
func TestServeKilled(t *testing.T) {
	dir := t.TempDir()
	s := serve(t, filepath.Join(dir, "data"), t.TempDir())
	if err := s.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = s.cmd.Wait() // says that it was killed
	for _, name := range []string{"serve.sock", "serve.json"} {
		if _, err := os.Lstat(filepath.Join(s.data, name)); err != nil {
			t.Errorf("%s is not left, so this tests nothing: %v", name, err)
		}
	}
	countAfterBackup(t, s.data, filepath.Join(dir, "copy"))
	for _, name := range []string{"serve.sock", "serve.json"} {
		if _, err := os.Lstat(filepath.Join(s.data, name)); !os.IsNotExist(err) {
			t.Errorf("%s is left: %v", name, err)
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
