package e2e

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	diff "github.com/google/go-cmp/cmp"

	"github.com/yagura-sec/yagura/simulate"
)

// kills is how often an ingest is killed at least, and mostKills at most, until
// some of the kills fell into merging and some left a batch to recover.
const kills, mostKills = 20, 80

var killSeed = flag.Uint64("kill.seed", 0, "repeat the kills of a failed run; 0: others each time")

// TestKilled kills ingests at random moments, resumes them, and holds what is
// stored, accounted for, summed and found against an undisturbed run. Every
// fourth kill comes early, while the run carries on what the one before left.
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
	calm, rules := filepath.Join(dir, "calm"), ownRules(t)
	start := time.Now()
	yagura(t, calm, "ingest", "--rules", rules, logs)
	whole := time.Since(start)
	want := stateOf(t, calm)
	if _, n := correlated(t, calm); n == 0 {
		t.Error("no correlation finds anything: the kills show too little")
	}

	seed := *killSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("-kill.seed %d; an undisturbed run takes %v", seed, whole.Round(time.Millisecond))
	random := rand.New(rand.NewPCG(1, seed))
	var killed, merging, pending, inRecovery int
	enough := func() bool {
		return killed >= mostKills || killed >= kills && merging > 0 && pending > 0 && inRecovery > 0
	}
	for runs := 0; !enough(); runs++ {
		rough := filepath.Join(dir, fmt.Sprint("rough", runs))
		toRecover, early := false, false
		for finished := false; !finished && !enough(); {
			most := whole
			if early = !early && (toRecover || killed%4 == 3); early {
				most = whole / 15
			}
			finished = ingestKilled(t, rough, rules, logs, time.Duration(random.Int64N(int64(most))))
			if finished {
				break
			}
			killed++
			if toRecover && early {
				inRecovery++ // or just before or after
			}
			read, unsettled := progressOf(t, rough)
			if toRecover = unsettled > 0; toRecover {
				pending++
			}
			if read == readOf(t, calm) {
				merging++
			}
		}
		yagura(t, rough, "ingest", "--rules", rules, logs)
		compare(t, want, stateOf(t, rough))
	}
	t.Logf("killed %d times: %d left a batch to recover, %d came soon after such a start, %d after the last acknowledgement, while merging",
		killed, pending, inRecovery, merging)
	if merging == 0 || pending == 0 || inRecovery == 0 {
		t.Error("the kills missed a part of the work")
	}
}

// progressOf is how many records the ledger knows, and how many more events the
// lake holds than it: those of batches that wait to be recovered.
func progressOf(t *testing.T, data string) (read, unsettled int64) {
	t.Helper()
	var l struct{ Totals struct{ Read, Stored int64 } }
	if !answer(t, &l, "--data", data, "ledger", "--format", "json") {
		return 0, 0
	}
	var n struct{ Count int64 }
	if !answer(t, &n, "--data", data, "search", "--count", "--format", "json", "") {
		return l.Totals.Read, 0
	}
	return l.Totals.Read, n.Count - l.Totals.Stored
}

func readOf(t *testing.T, data string) int64 {
	read, _ := progressOf(t, data)
	return read
}

// answer decodes what the program prints; false where there is no data yet.
func answer(t *testing.T, into any, args ...string) bool {
	t.Helper()
	out, err := exec.Command(binary, args...).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() != 4 {
		t.Logf("%s", exit.Stderr) // killed before there was anything to ask
		return false
	}
	decode(t, out, into)
	return true
}

func compare(t *testing.T, want, got map[string]string) {
	t.Helper()
	for part := range want {
		if want[part] != got[part] {
			t.Errorf("%s differ (-undisturbed +killed):\n%.3000s", part, diff.Diff(strings.Split(want[part], "\n"), strings.Split(got[part], "\n")))
		}
	}
}

// ingestKilled starts an ingest and kills it after a while; it tells whether
// the ingest was faster.
func ingestKilled(t *testing.T, data, rules, logs string, after time.Duration) (finished bool) {
	t.Helper()
	cmd := exec.Command(binary, "--data", data, "ingest", "--rules", rules, logs)
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

// rejected is a record in quarantine.
type rejected struct {
	Object   string
	Position int64
	Reason   string
}

// stateOf is everything that must not depend on how often an ingest was
// interrupted, as text.
func stateOf(t *testing.T, data string) map[string]string {
	t.Helper()
	var account struct {
		Totals         map[string]int64
		Coverage, Gaps []any
		Quarantine     []rejected
		Incomplete     []struct{ Name, State, Reason string } // when it was read differs
	}
	decode(t, yagura(t, data, "ledger", "--format", "json"), &account)
	slices.SortFunc(account.Quarantine, func(a, b rejected) int { // it comes in the order in which it was met
		return cmp.Or(strings.Compare(a.Object, b.Object), int(a.Position-b.Position))
	})
	ledger, err := json.MarshalIndent(account, "", " ")
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
	correlations, _ := correlated(t, data)
	return map[string]string{
		"correlations": correlations,
		"ledger":       string(ledger),
		"uids":         sorted(yagura(t, data, "sql", "--max-rows", "1000000", "--format", "jsonl", "select uid from events")),
		"usage":        sorted(yagura(t, data, "sql", "--max-rows", "1000000", "--format", "jsonl", "select * from usage")),
		"findings":     string(findings),
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
