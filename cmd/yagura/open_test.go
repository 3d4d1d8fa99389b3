package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// command runs the program with arguments and gives its exit code and all it says.
func command(t *testing.T, args ...string) (code int, said string) {
	t.Helper()
	var out bytes.Buffer
	code = run(t.Context(), world{
		self: "yagura", args: args, stdin: strings.NewReader(""), stdout: &out, stderr: &out,
		getenv: func(string) string { return "" }, now: time.Now,
	})
	return code, out.String()
}

// TestOpenDamaged: a directory that lacks a part is refused, by commands that
// read and by those that write, and nothing is made in its place.
func TestOpenDamaged(t *testing.T) {
	logs := filepath.Join(t.TempDir(), "a.json")
	write(t, logs, `{"Records":[{"eventVersion":"1.08","eventTime":"2026-03-01T12:00:00Z","eventSource":"s3.amazonaws.com",`+
		`"eventName":"ListBuckets","eventID":"3b1e1f3c-0000-4000-8000-000000000001","eventType":"AwsApiCall","recipientAccountId":"111122223333","awsRegion":"eu-west-1"}]}`)
	f := func(lost, want string, commands ...[]string) {
		t.Helper()
		dir := filepath.Join(t.TempDir(), "data")
		copied := filepath.Join(t.TempDir(), "copy")
		for _, args := range [][]string{{"ingest", logs}, {"backup", copied}} {
			if code, said := command(t, append([]string{"--data", dir}, args...)...); code != 0 {
				t.Fatalf("%s: %d %s", args, code, said)
			}
		}
		if err := os.Remove(filepath.Join(copied, lost)); err != nil {
			t.Fatal(err)
		}
		for _, args := range commands {
			code, said := command(t, append([]string{"--data", copied}, args...)...)
			if code == 0 || !strings.Contains(said, want) {
				t.Errorf("without %s, %s: %d %s", lost, args, code, said)
			}
			if _, err := os.Stat(filepath.Join(copied, lost)); !os.IsNotExist(err) {
				t.Errorf("%s makes a new %s", args, lost)
			}
		}
	}
	reads, writes := []string{"ledger"}, []string{"ingest", logs}
	decides := []string{"findings", "triage", "x", "--status", "resolved"}
	f("state.db", "has events but its state.db is missing", reads, writes, decides)
	f("lake.db", "no lake.db", writes)
	f("format", "the file format is missing", writes)
	f("format", "no lake there", reads)
	// A directory that was made and never written to is no damage.
	dir := t.TempDir()
	if code, said := command(t, "--data", dir, "ingest", t.TempDir()); code != 0 {
		t.Fatal(said)
	}
	if err := os.Remove(filepath.Join(dir, "state.db")); err != nil {
		t.Fatal(err)
	}
	if code, said := command(t, "--data", dir, "ingest", logs); code != 0 {
		t.Errorf("%d %s", code, said)
	}
}
