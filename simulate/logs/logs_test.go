package logs

import (
	"encoding/json"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
)

// TestLog: lines come in order of time, in a file a day, and none is of outside.
func TestLog(t *testing.T) {
	dir := t.TempDir()
	start := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	l := New(dir, "day-2006-01-02.gz", start, start.Add(48*time.Hour))
	add := func(hours int, text string) { l.Add(start.Add(time.Duration(hours)*time.Hour), []byte(text)) }
	add(-1, "before")
	add(30, "third")
	add(5, "second")
	add(1, "first")
	if err := l.Flush(start.Add(24 * time.Hour)); err != nil {
		t.Fatal(err)
	}
	add(26, "early")
	add(48, "behind")
	if err := l.Finish(nil); err != nil {
		t.Fatal(err)
	}
	f := func(name, want string) {
		t.Helper()
		file, err := os.Open(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		z, err := gzip.NewReader(file)
		if err != nil {
			t.Fatal(err)
		}
		if text, err := io.ReadAll(z); err != nil || string(text) != want {
			t.Errorf("%s: %q, %v", name, text, err)
		}
	}
	f("day-2026-03-02.gz", "first\nsecond\n")
	f("day-2026-03-03.gz", "early\nthird\n")
}

func TestProxyLine(t *testing.T) {
	p := Proxy{At: time.UnixMilli(1772600400123), Took: 440, Client: "10.20.4.83", Result: "TCP_TUNNEL/200", Size: 19763, Method: "CONNECT", Target: "wiki.hoshino.example:443", User: "-", Via: "HIER_DIRECT/192.0.2.7", Type: "-"}
	if got, want := string(p.Line()), "1772600400.123    440 10.20.4.83 TCP_TUNNEL/200 19763 CONNECT wiki.hoshino.example:443 - HIER_DIRECT/192.0.2.7 -"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestAct: a call by name says who, one that is hidden does not, and a refusal
// names the constraint and authorises nothing.
func TestAct(t *testing.T) {
	a := &Act{At: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC), Project: "kite-ml", Number: "100200300400", What: &Changes[0], Email: "mei@hoshino.example", IP: "203.0.113.9", Name: "web", Location: "europe-west3", RNG: rand.New(rand.NewPCG(1, 2))}
	if e := a.Entry(ActivityLog); e.Payload.Who.Email != a.Email || e.Payload.Resource != "projects/kite-ml/zones/europe-west3-b/instances/web" || !e.Payload.Allowed[0].Granted {
		t.Errorf("%+v", e)
	}
	a.Email = ""
	e := a.Refusal()
	text, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	if e.Payload.Who != (Authentication{}) || e.Payload.Policy.Org.Violations[0].Constraint != Changes[0].Constraint || e.Payload.Allowed != nil || !strings.Contains(string(text), `"authenticationInfo":{}`) {
		t.Errorf("%s", text)
	}
}
