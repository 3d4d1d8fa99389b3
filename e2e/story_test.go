package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestStory: the story of a hidden caller, small, by the commands that anybody
// would type, and judged by evaluate.
func TestStory(t *testing.T) {
	dir, data := filepath.Join(t.TempDir(), "story"), t.TempDir()
	do := func(args ...string) string {
		t.Helper()
		out, errs, err := answered(t, args...)
		if err != nil {
			t.Fatalf("%v: %v: %s", args, err, errs)
		}
		return out
	}
	do("simulate", "--story", "policy-denied", "--seed", "3", "--records", "8000", "--out", dir)
	var world struct {
		Truth struct{ Person, Project, Service string }
	}
	text, err := os.ReadFile(filepath.Join(dir, "world.json"))
	if err == nil {
		err = json.Unmarshal(text, &world)
	}
	if err != nil || world.Truth.Person == "" || world.Truth.Service != "compute.googleapis.com" {
		t.Fatalf("%v: %+v", err, world)
	}
	do("--data", data, "ingest", filepath.Join(dir, "logs"))
	do("--data", data, "hunt")
	var found struct {
		Findings []struct {
			Kind     string
			Account  string
			Count    int
			Inferred struct {
				UID        string
				Candidates []struct {
					UID         string
					Probability float64
				}
			} `json:"actor_inferred"`
		}
	}
	if err := json.Unmarshal([]byte(do("--data", data, "--format", "json", "findings", "list", "--kind", "anomaly")), &found); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, f := range found.Findings {
		if f.Kind != "anomaly.denials" {
			continue
		}
		if n++; f.Account != world.Truth.Project || f.Count != 23 || f.Inferred.UID != world.Truth.Person || len(f.Inferred.Candidates) == 0 {
			t.Errorf("%+v, want 23 refusals in %s by %s", f, world.Truth.Project, world.Truth.Person)
		}
	}
	if n != 1 {
		t.Errorf("%d findings of a run of refusals", n)
	}
	// What a rule says of each refusal is folded into it: one run is one finding.
	const refused = "46b00bb6-f766-4563-95b8-4fb820916521"
	single := func(more ...string) int {
		found.Findings = nil
		args := append([]string{"--data", data, "--format", "json", "findings", "list", "--rule", refused, "--account", world.Truth.Project}, more...)
		if err := json.Unmarshal([]byte(do(args...)), &found); err != nil {
			t.Fatal(err)
		}
		return len(found.Findings)
	}
	if listed, all := single(), single("--folded"); listed != 0 || all != 23 {
		t.Errorf("%d of %d single refusals stand beside the run", listed, all)
	}
	report := filepath.Join(t.TempDir(), "quality.md")
	do("evaluate", "--story", "policy-denied", "--seeds", "3", "--variant", "default,granted", "--records", "8000", "--report", report)
	if text, err = os.ReadFile(report); err != nil || !strings.Contains(string(text), "| one finding a run, with its count | ≥ 1.00 | 1.000 | 1 | yes |") {
		t.Errorf("%v: the report says\n%s", err, text)
	}
	if _, errs, err := answered(t, "simulate", "--story", "other", "--out", filepath.Join(t.TempDir(), "x")); err == nil || !strings.Contains(errs, "policy-denied") {
		t.Errorf("another story: %v %s", err, errs)
	}
}
