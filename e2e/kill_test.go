package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
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

// kills is how often an ingest is killed.
const kills = 20

// TestKilled kills ingests at random moments, resumes them, and holds what is
// stored, accounted for, summed and found against an undisturbed run. Every
// fourth kill comes early, while the run carries on what the one before left;
// those after everything was acknowledged fall into merging.
func TestKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
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
	want := stateOf(t, calm)

	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d; an undisturbed run takes %v", seed, whole.Round(time.Millisecond))
	random := rand.New(rand.NewPCG(1, seed))
	var early, merging int
	for killed, runs := 0, 0; killed < kills; runs++ {
		rough := filepath.Join(dir, fmt.Sprint("rough", runs))
		for finished := false; !finished && killed < kills; {
			most := whole / 2
			if killed%4 == 3 {
				most = whole / 15
				early++
			}
			finished = ingestKilled(t, rough, logs, time.Duration(random.Int64N(int64(most))))
			if !finished {
				killed++
				if readOf(t, rough) == readOf(t, calm) {
					merging++
				}
			}
		}
		yagura(t, rough, "ingest", logs)
		compare(t, want, stateOf(t, rough))
	}
	t.Logf("killed %d times, %d of them early, %d while merging after the last acknowledgement", kills, early, merging)
}

// readOf is how many records the ledger says were read; 0 where there is none yet.
func readOf(t *testing.T, data string) int64 {
	t.Helper()
	cmd := exec.Command(binary, "--data", data, "ledger", "--format", "json")
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 1 {
		return 0 // killed before there was anything
	}
	var l struct{ Totals struct{ Read int64 } }
	decode(t, out, &l)
	return l.Totals.Read
}

func compare(t *testing.T, want, got map[string]string) {
	t.Helper()
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
