package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/simulate"
)

// kills is how often an ingest is killed before it may finish.
const kills = 20

// TestKilled kills an ingest at random moments, resumes it, and holds what is
// stored, accounted for, summed and found against an undisturbed run. The
// moments are spread over the whole run, so that reading, committing, merging
// and, since every run but the first begins with it, recovery are all hit.
func TestKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	dir := t.TempDir()
	logs := filepath.Join(dir, "logs")
	org := simulate.Organisation{Seed: 3, Accounts: 6, Days: 2, Records: 60_000}
	if _, err := org.Write(context.Background(), logs); err != nil {
		t.Fatal(err)
	}
	calm := filepath.Join(dir, "calm")
	start := time.Now()
	yagura(t, calm, "ingest", logs)
	whole := time.Since(start)

	rough := filepath.Join(dir, "rough")
	random := rand.New(rand.NewPCG(1, uint64(time.Now().UnixNano())))
	finished := 0
	for range kills {
		if ingestKilled(t, rough, logs, time.Duration(random.Int64N(int64(whole)))) {
			finished++
		}
	}
	t.Logf("killed %d times within %v, %d runs ended before their kill", kills-finished, whole.Round(time.Millisecond), finished)
	yagura(t, rough, "ingest", logs)
	want, got := stateOf(t, calm), stateOf(t, rough)
	for part := range want {
		if want[part] != got[part] {
			t.Errorf("%s differ:\nundisturbed: %.2000s\nkilled:      %.2000s", part, want[part], got[part])
		}
	}
}

// ingestKilled starts an ingest and kills it after a while; it tells whether
// the ingest was faster.
func ingestKilled(t *testing.T, data, logs string, after time.Duration) (finished bool) {
	t.Helper()
	cmd := exec.Command(binary, "--data", data, "ingest", logs)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(after, func() { _ = cmd.Process.Kill() }) // it may have ended
	defer timer.Stop()
	err := cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == -1 {
		return false
	}
	if err != nil && (exit == nil || exit.ExitCode() != 4) {
		t.Fatalf("ingest: %v", err)
	}
	return true
}

// stateOf is everything that must not depend on how often an ingest was
// interrupted, as text.
func stateOf(t *testing.T, data string) map[string]string {
	t.Helper()
	var ledger struct {
		Totals map[string]int64
	}
	decode(t, yagura(t, data, "ledger", "--format", "json"), &ledger)
	totals, err := json.Marshal(ledger.Totals)
	if err != nil {
		t.Fatal(err)
	}
	var found struct {
		Findings []struct {
			Key      string
			Count    int64
			Evidence []string
		}
	}
	decode(t, yagura(t, data, "findings", "list", "--demoted", "--format", "json"), &found)
	findings, err := json.MarshalIndent(found, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		"totals":   string(totals),
		"uids":     sorted(yagura(t, data, "sql", "--max-rows", "1000000", "--format", "jsonl", "select uid from events")),
		"usage":    sorted(yagura(t, data, "sql", "--max-rows", "1000000", "--format", "jsonl", "select * from usage")),
		"findings": string(findings),
	}
}

func sorted(lines []byte) string {
	all := strings.Split(strings.TrimSpace(string(lines)), "\n")
	slices.Sort(all)
	return strings.Join(all, "\n")
}

func decode(t *testing.T, text []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatalf("%v in %.300s", err, text)
	}
}

// yagura runs the program; exit code 4 (incomplete data) is part of the story.
func yagura(t *testing.T, data string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command(binary, append([]string{"--data", data}, args...)...)
	cmd.Env = append(os.Environ(), "XDG_DATA_HOME="+data)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 4) {
		t.Fatalf("yagura %v: %v\n%s", args, err, errs.String())
	}
	return out.Bytes()
}
