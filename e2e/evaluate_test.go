package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yagura-sec/yagura/simulate"
)

// evaluated is of the JSON of evaluate what this test and scripts lean on.
type evaluated struct {
	Kinds map[string]struct {
		Labels    int                 `json:"labels"`
		Recall    map[string]*float64 `json:"recall"`
		Precision map[string]*float64 `json:"precision"`
	} `json:"kinds"`
	Lookalikes struct {
		Known struct {
			Labels int `json:"labels"`
		} `json:"known"`
	} `json:"lookalikes"`
	Alerts    map[string]float64 `json:"alerts_per_day_per_1000"`
	Baselines []struct {
		Name   string                         `json:"name"`
		Recall map[string]map[string]*float64 `json:"recall"`
	} `json:"baselines"`
	Worlds []struct {
		Name     string   `json:"name"`
		Records  int      `json:"records"`
		Ingested string   `json:"ingested"`
		Confined bool     `json:"confined"`
		Missing  []string `json:"missing"`
	} `json:"worlds"`
}

func answered(t *testing.T, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	cmd := exec.Command(binary, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	cmd.Env = append(os.Environ(), "XDG_DATA_HOME="+t.TempDir())
	err = cmd.Run()
	return out.String(), errs.String(), err
}

func evaluateJSON(t *testing.T, args ...string) (e evaluated) {
	t.Helper()
	out, errs, err := answered(t, append([]string{"evaluate", "--format", "json"}, args...)...)
	if err != nil {
		t.Fatalf("%v: %s", err, errs)
	}
	if err := json.Unmarshal([]byte(out), &e); err != nil {
		t.Fatal(err)
	}
	return e
}

func TestEvaluate(t *testing.T) {
	world, kept := filepath.Join(t.TempDir(), "world"), t.TempDir()
	made, err := simulate.Config{Seed: 3, Accounts: 3, Secrets: 30, Days: 8}.Write(context.Background(), world)
	if err != nil {
		t.Fatal(err)
	}
	report := filepath.Join(kept, "report.md")
	first := evaluateJSON(t, "--world", world, "--keep", kept, "--report", report)
	w := first.Worlds[0]
	if w.Records < made.Records-made.Damaged || w.Ingested != "now" || len(w.Missing) > 0 {
		t.Errorf("the world is told as %+v, of %d records", w, made.Records)
	}
	labels := 0
	for _, sign := range []string{"frequency", "time", "caller", "group", "failures", "view", "region", "denials"} {
		k, ok := first.Kinds[sign]
		labels += k.Labels
		if !ok || len(k.Recall) != 3 || len(k.Precision) != 3 {
			t.Errorf("%s is told as %+v", sign, k)
		}
	}
	if labels == 0 || len(first.Alerts) != 3 {
		t.Errorf("%d labels, alerts %v", labels, first.Alerts)
	}
	oracle := first.Baselines[len(first.Baselines)-1]
	for kind, recall := range oracle.Recall {
		if r := recall["1"]; oracle.Name != "oracle" || r == nil || *r != 1 {
			t.Errorf("the oracle's recall of %s: %v", kind, recall)
		}
	}
	if text, err := os.ReadFile(report); err != nil || !strings.Contains(string(text), "yagura evaluate --world "+world) {
		t.Errorf("the report does not say how it came about: %v", err)
	}
	// The second time nothing is ingested, and the answer is the same.
	second := evaluateJSON(t, "--world", world, "--keep", kept)
	if !strings.HasPrefix(second.Worlds[0].Ingested, "before") {
		t.Errorf("ingested %q, want before", second.Worlds[0].Ingested)
	}
	a, _ := json.Marshal(first.Kinds)
	b, _ := json.Marshal(second.Kinds)
	if !bytes.Equal(a, b) {
		t.Errorf("the same world is told differently:\n%s\n%s", a, b)
	}
}

// TestEvaluateFailed: of two worlds one cannot be read. The other is reported, the
// report names the one, and the command fails.
func TestEvaluateFailed(t *testing.T) {
	dir := t.TempDir()
	world, broken, report := filepath.Join(dir, "world"), filepath.Join(dir, "broken"), filepath.Join(dir, "report.md")
	if _, err := (simulate.Config{Seed: 4, Accounts: 2, Secrets: 20, Days: 6}).Write(context.Background(), world); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(broken, "logs"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(broken, "labels.jsonl"), []byte("{\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, errs, err := answered(t, "evaluate", "--format", "json", "--world", broken, "--world", world, "--report", report, "--jobs", "2")
	if err == nil || !strings.Contains(errs, "broken was not evaluated") {
		t.Errorf("a world that cannot be evaluated: %v, %s", err, errs)
	}
	var e struct {
		evaluated
		Checks []struct{ OK bool }
		Failed []struct{ World string }
	}
	if err := json.Unmarshal([]byte(out), &e); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if len(e.Worlds) != 1 || len(e.Failed) != 1 || len(e.Checks) == 0 {
		t.Errorf("%d worlds evaluated, %d failed, %d checks; want 1, 1 and some", len(e.Worlds), len(e.Failed), len(e.Checks))
	}
	for _, c := range e.Checks {
		if !c.OK {
			t.Errorf("a check of the scoring does not hold: %+v", e.Checks)
		}
	}
	text, err := os.ReadFile(report)
	if err != nil || !strings.Contains(string(text), "broken could not be evaluated") || !strings.Contains(string(text), "## What this does not show") {
		t.Errorf("the report beside a world that failed: %v\n%.600s", err, text)
	}
}

// TestAnswersOutOfReach holds that what is evaluated cannot read the labels.
func TestAnswersOutOfReach(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	log := put("logs/a.json", `{"Records":[]}`)
	labels := put("labels.jsonl", `{"id":"1","kind":"view","principal":"p","start":"2026-03-04T12:00:00Z"}`)
	data := filepath.Join(dir, "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	type answer struct {
		Landlock  int      `json:"landlock"`
		Reachable []string `json:"reachable"`
		Steps     []struct {
			Code int    `json:"code"`
			Err  string `json:"err"`
		} `json:"steps"`
	}
	apart := func(out []string, steps ...[]string) (a answer) {
		t.Helper()
		body, err := json.Marshal(map[string]any{"logs": []string{filepath.Dir(log)}, "data": data, "out": out, "steps": steps})
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(binary, "evaluate-child", "--data", data)
		cmd.Stdin, cmd.Env = bytes.NewReader(body), []string{"TMPDIR=" + data}
		text, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, &a); err != nil {
			t.Fatal(err)
		}
		return a
	}
	a := apart([]string{labels, filepath.Join(dir, "logs", "..", "labels.jsonl"), "/proc/self/cwd/../labels.jsonl"}, []string{"ingest", "--data", data, labels})
	if a.Landlock == 0 {
		t.Skip("this kernel has no Landlock")
	}
	if len(a.Reachable) > 0 {
		t.Errorf("%v could be opened", a.Reachable)
	}
	if len(a.Steps) != 1 || a.Steps[0].Code == 0 {
		t.Errorf("ingesting the labels ends as %+v, want a failure", a.Steps)
	}
	// The test can fail: what lies among the logs can be opened.
	if a := apart([]string{log}); len(a.Reachable) != 1 {
		t.Errorf("a log could not be opened: %+v", a)
	}
	// And a world that has its answers among its logs is refused.
	put("logs/labels.jsonl", `{"id":"1","kind":"view","principal":"p","start":"2026-03-04T12:00:00Z"}`)
	if err := os.Remove(labels); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(dir, "logs", "labels.jsonl"), labels); err != nil {
		t.Fatal(err)
	}
	if _, errs, err := answered(t, "evaluate", "--world", dir); err == nil || !strings.Contains(errs, "could be opened") {
		t.Errorf("labels among the logs: %v: %s", err, errs)
	}
}

// TestForeignWorld evaluates a folder that others made: logs beside the labels, a
// list instead of lines, other names of fields, no world.json and no calendar.
func TestForeignWorld(t *testing.T) {
	dir := t.TempDir()
	made := filepath.Join(t.TempDir(), "world")
	if _, err := (simulate.Config{Seed: 5, Accounts: 2, Secrets: 12, Days: 3, Calm: true}).Write(context.Background(), made); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(made, "logs", "AWSLogs"), filepath.Join(dir, "AWSLogs")); err != nil {
		t.Fatal(err)
	}
	labels := `[{"name":"x","type":"anomaly.Timing","difficulty":"hard","actor":"nobody","from":"2026-03-03 10:00:00","to":"2026-03-03 11:00:00","note":1},
	 {"id":"y","kind":"view","person":"somebody"}]`
	if err := os.WriteFile(filepath.Join(dir, "labels.json"), []byte(labels), 0o600); err != nil {
		t.Fatal(err)
	}
	e := evaluateJSON(t, "--world", dir)
	if len(e.Worlds) != 1 || e.Worlds[0].Records == 0 || len(e.Worlds[0].Missing) < 2 {
		t.Errorf("the world is told as %+v", e.Worlds)
	}
	out, errs, err := answered(t, "evaluate", "--world", dir)
	if err != nil || !strings.Contains(out, "label 2 y: start: it is missing: the label is left out") || !strings.Contains(out, "no world.json") {
		t.Errorf("%v %s: what could not be read is not told:\n%s", err, errs, out)
	}
}
