package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// ask runs a command over a data directory.
func ask(t *testing.T, data string, args ...string) (code int, out, errs string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = run(t.Context(), world{
		self: "yagura", args: append([]string{"--data", data}, args...), stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr,
		getenv: func(string) string { return "" }, now: time.Now,
	})
	return code, stdout.String(), stderr.String()
}

// TestOpenHalf asks a directory whose first writer was killed while it set the
// directory up, after each file it makes.
func TestOpenHalf(t *testing.T) {
	whole := filepath.Join(t.TempDir(), "whole")
	p := &program{world: world{getenv: func(string) string { return "" }, now: time.Now, stderr: os.Stderr}}
	p.flags.data, p.flags.format = whole, "table"
	if err := p.settle(); err != nil {
		t.Fatal(err)
	}
	r, err := p.write(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	f := func(name string, make func(dir string)) {
		t.Helper()
		dir := filepath.Join(t.TempDir(), "half")
		make(dir)
		for _, cmd := range [][]string{{"ledger"}, {"search", "--count", ""}, {"findings", "list"}, {"sql", "select 1"}} {
			if code, _, errs := ask(t, dir, cmd...); code != exitFailed || !strings.Contains(errs, "holds no data yet") {
				t.Errorf("%s: %v exits with %d: %s", name, cmd, code, errs)
			}
		}
		// A writer goes on where the first one was stopped.
		log := filepath.Join(dir, "empty.json")
		if err := os.WriteFile(log, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if code, _, errs := ask(t, dir, "ingest", log); code != exitDone {
			t.Errorf("%s: ingest exits with %d: %s", name, code, errs)
		}
	}
	file := func(dir, name string, from string) {
		t.Helper()
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		var text []byte
		if from != "" {
			var err error
			if text, err = os.ReadFile(filepath.Join(from, name)); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f("no folder", func(dir string) { file(dir, "x", "") })
	f("format", func(dir string) { file(dir, "format", whole) })
	f("empty lake.db", func(dir string) { file(dir, "format", whole); file(dir, "lake.db", "") })
	f("lake.db", func(dir string) { file(dir, "format", whole); file(dir, "lake.db", whole) })
	f("empty state.db", func(dir string) {
		file(dir, "format", whole)
		file(dir, "lake.db", whole)
		file(dir, "state.db", "")
	})
}
