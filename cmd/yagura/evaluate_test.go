package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestSeeds(t *testing.T) {
	f := func(text string, want ...int64) {
		t.Helper()
		got, err := seeds(text)
		if (err != nil) != (want == nil) || !slices.Equal(got, want) {
			t.Errorf("seeds(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
	f("6", 6)
	f("6-8", 6, 7, 8)
	f("1, 3-4,3", 1, 3, 4)
	f("8-6")
	f("x")
	f("1-")
	f("1-5000")
}

func TestOpenWorld(t *testing.T) {
	folder := func(files map[string]string) string {
		dir := t.TempDir()
		for name, text := range files {
			path := filepath.Join(dir, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return dir
	}
	// f opens a folder and names its logs, its files that hold answers, and how
	// many things it lacks.
	f := func(files map[string]string, logs, out string, missing int) *worldFolder {
		t.Helper()
		w, err := openWorld(folder(files))
		if err != nil {
			if logs != "" {
				t.Errorf("%v, want logs %s", err, logs)
			}
			return &worldFolder{}
		}
		names := func(paths []string) string {
			var out []string
			for _, p := range paths {
				out = append(out, filepath.Base(p))
			}
			return strings.Join(out, " ")
		}
		if got := names(w.logs); got != logs {
			t.Errorf("logs %q, want %q", got, logs)
		}
		if got := names(w.out); got != out {
			t.Errorf("answers %q, want %q", got, out)
		}
		if len(w.missing) != missing {
			t.Errorf("missing %q, want %d", w.missing, missing)
		}
		return w
	}
	ours := f(map[string]string{"logs/a.gz": "", "streams/x": "", "labels.jsonl": "", "calendar.json": "{}",
		"world.json": `{"name":"n","seed":3,"family":"smooth","start":"2026-03-02T00:00:00Z","end":"2026-03-09T00:00:00Z","trouble_from":"2026-03-05T00:00:00Z","secrets":[{},{}]}`},
		"logs", "labels.jsonl world.json", 0)
	if w := ours.world; w.Name != "n" || w.Seed != 3 || w.Secrets != 2 || w.Days() != 4 || !w.Start.Equal(time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("the world is %+v", w)
	}
	f(map[string]string{"trail/a.gz": "", "b.json": "", "labels.json": "", "README.md": "", ".hidden": ""}, "b.json trail", "labels.json", 2)
	odd := f(map[string]string{"logs/a": "", "labels.jsonl": "", "calendar.ics": "", "world.json": `{"seed":"seven","secrets":9}`}, "logs", "labels.jsonl world.json", 1)
	if odd.world.Secrets != 9 {
		t.Errorf("%d secrets, want 9", odd.world.Secrets)
	}
	f(map[string]string{"logs/a": "", "labels.jsonl": "", "world.json": `[`}, "logs", "labels.jsonl world.json", 2)
	f(map[string]string{"labels.jsonl": ""}, "", "", 0)
	f(map[string]string{"logs/a": ""}, "", "", 0)
}

// TestFingerprint: kept data is of these logs and of no others.
func TestFingerprint(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w := &worldFolder{dir: dir, logs: []string{dir}}
	print := func() string {
		t.Helper()
		s, err := w.fingerprint()
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	put("a", "one")
	first := print()
	if print() != first {
		t.Error("the same logs have two fingerprints")
	}
	put("a", "two")
	second := print()
	put("b", "")
	if third := print(); second == first || third == second || third == first {
		t.Error("other logs have the same fingerprint")
	}
}

// TestReuses: what a report rests on was made by the build that writes it.
func TestReuses(t *testing.T) {
	f := func(e evaluation, before, now string, want bool) {
		t.Helper()
		if got := e.reuses(before, now); got != want {
			t.Errorf("%+v: data of %q is reused by %q: %v, want %v", e, before, now, got, want)
		}
	}
	const one, other = "commit 0123456789ab", "commit ba9876543210"
	report := evaluation{report: "r.md"}
	f(report, one, one, true)
	f(report, "v1.2.3", "v1.2.3", true)
	f(report, one, other, false)
	f(report, one+" with changes", one+" with changes", false)
	f(report, "v1.2.3-dirty", "v1.2.3-dirty", false)
	f(report, "unknown", "unknown", false)
	f(evaluation{seeds: "6"}, "unknown", "unknown", false)
	f(evaluation{}, one, "unknown", true)
	f(evaluation{anew: true}, one, one, false)
}

func TestClearData(t *testing.T) {
	dir := t.TempDir()
	foreign := filepath.Join(dir, "foreign")
	if err := os.MkdirAll(filepath.Join(foreign, "precious"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := clearData(foreign, foreign+".json"); err == nil || !there(filepath.Join(foreign, "precious")) {
		t.Errorf("a folder of others is cleared: %v", err)
	}
	own := filepath.Join(dir, "own")
	if err := clearData(own, own+".json"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"quiet.yaml", "lake.db"} {
		if err := os.WriteFile(filepath.Join(own, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := clearData(own, own+".json"); err != nil || there(filepath.Join(own, "lake.db")) {
		t.Errorf("its own folder is not cleared: %v", err)
	}
}
