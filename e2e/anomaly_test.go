package e2e

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/internal/shared"
	"github.com/yagura-sec/yagura/simulate"
)

// world writes a world of a few accounts that is long enough to learn from.
func world(t *testing.T, c simulate.Config) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "world")
	if _, err := c.Write(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestAnomaliesAnyOrder: what is unusual does not depend on the order in which
// objects are delivered, nor on how many runs that takes, nor on how often the
// past is hunted through.
func TestAnomaliesAnyOrder(t *testing.T) {
	if testing.Short() {
		t.Skip("ingests a world of three weeks several times")
	}
	made := world(t, simulate.Config{Seed: 4, Days: 22, Accounts: 2, Secrets: 16})
	logs := filepath.Join(made, "logs")
	files := filesIn(t, logs)
	config := filepath.Join(t.TempDir(), "yagura.yaml")
	if err := os.WriteFile(config, []byte("rules: {builtin: false}\nanomalies: {budget: 20}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	whole := filepath.Join(t.TempDir(), "whole")
	yagura(t, whole, "--config", config, "ingest", logs)
	want, n := said(t, whole, "anomaly")
	if n < 5 {
		t.Fatalf("%d anomalies: the test shows too little", n)
	}
	t.Logf("%d anomalies over %d objects", n, len(files))
	same := func(name, data string) {
		t.Helper()
		got, _ := said(t, data, "anomaly")
		compare(t, map[string]string{"anomalies, " + name: want}, map[string]string{"anomalies, " + name: got})
	}

	yagura(t, whole, "--config", config, "hunt", "--since", "6d", "--now", "2026-03-24T00:00:00Z")
	same("hunted again in part", whole)
	yagura(t, whole, "--config", config, "hunt")
	same("hunted again", whole)

	rng := rand.New(rand.NewPCG(4, 4))
	rng.Shuffle(len(files), func(i, k int) { files[i], files[k] = files[k], files[i] })
	pieces := filepath.Join(t.TempDir(), "pieces")
	for piece := range slices.Chunk(files, len(files)/3+1) {
		yagura(t, pieces, append([]string{"--config", config, "ingest"}, piece...)...)
	}
	same("shuffled", pieces)

	later := filepath.Join(t.TempDir(), "later")
	yagura(t, later, "--config", config, "ingest", "--no-anomalies", logs)
	if _, n := said(t, later, "anomaly"); n > 0 {
		t.Errorf("%d anomalies although they were left for later", n)
	}
	yagura(t, later, "--config", config, "hunt", "--dry-run")
	if _, n := said(t, later, "anomaly"); n > 0 {
		t.Errorf("%d anomalies were kept of a dry run", n)
	}
	yagura(t, later, "--config", config, "hunt")
	same("left for later", later)

	// The calendar accounts for some of them, and hides none.
	yagura(t, later, "--config", config, "hunt", "--calendar", filepath.Join(made, "calendar.json"))
	_, marked := said(t, later, "anomaly")
	unexplained := 0
	decode(t, yagura(t, later, "findings", "list", "--kind", "anomaly", "--unexplained", "--format", "json"), &struct{ Findings counting }{counting{&unexplained}})
	if marked != n || unexplained >= n {
		t.Errorf("with the calendar there are %d anomalies, %d unexplained; without it %d", marked, unexplained, n)
	}
}

// counting counts the elements of a JSON array.
type counting struct{ n *int }

func (c counting) UnmarshalJSON(b []byte) error {
	var all []json.RawMessage
	err := json.Unmarshal(b, &all)
	*c.n = len(all)
	return err
}

// TestServeLooksForAnomalies: a server finds what an ingest does, as objects
// arrive.
func TestServeLooksForAnomalies(t *testing.T) {
	if testing.Short() {
		t.Skip("serves for a while")
	}
	made := world(t, simulate.Config{Seed: 6, Days: 18, Accounts: 2, Secrets: 12})
	logs := filepath.Join(made, "logs")
	config := filepath.Join(t.TempDir(), "yagura.yaml")
	const settings = "rules: {builtin: false}\nanomalies: {budget: 20}\n"
	if err := os.WriteFile(config, []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	whole := filepath.Join(t.TempDir(), "whole")
	yagura(t, whole, "--config", config, "ingest", logs)
	want, n := said(t, whole, "anomaly")
	if n == 0 {
		t.Fatal("no anomaly: the test shows too little")
	}
	data, inbox := filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "inbox")
	if err := os.Mkdir(inbox, 0o700); err != nil {
		t.Fatal(err)
	}
	s := serveWith(t, data, "127.0.0.1:0", settings+"sources:\n  - {type: file, paths: ["+inbox+"], follow: true, poll: 100ms}\n")
	moveAll(t, logs, inbox, 4)
	got := ""
	for end := time.Now().Add(3 * time.Minute); got != want && time.Now().Before(end); time.Sleep(time.Second) {
		got, _ = said(t, data, "anomaly")
	}
	compare(t, map[string]string{"anomalies": want}, map[string]string{"anomalies": got})
	if _, body := s.ask("/metrics", nil); strings.Contains(body, "yagura_anomaly_looks_total 0\n") || strings.Contains(body, "yagura_anomaly_secrets 0\n") {
		t.Error("the metrics tell of no look for anomalies")
	}
}

// TestAnomaliesOfRealLogs: of logs that are too sparse to learn from nothing is
// alleged, and it is said what is missing.
func TestAnomaliesOfRealLogs(t *testing.T) {
	root := shared.Dir(t, "cloudtrail")
	for _, name := range []string{"console-sessions", "sans504-s3-ransomware", "stratus-detonation", "custodian-cwe"} {
		data := filepath.Join(t.TempDir(), name)
		// Some of it is for quarantine, so it does not exit with 0.
		if out, errs, _ := answered(t, "ingest", "--data", data, "--no-anomalies", filepath.Join(root, name)); !strings.Contains(out, "records read") {
			t.Fatalf("ingest says %s%s", out, errs)
		}
		var report struct {
			Hours    int64
			Findings []struct {
				Title   string
				Anomaly struct{ Days, Calls int }
			}
			Maturity []struct {
				Sign              string
				Learned, Learning int
				Days, Missing     int
			}
		}
		decode(t, yagura(t, data, "hunt", "--budget", "20", "--dry-run", "--format", "json"), &report)
		if report.Hours == 0 || len(report.Maturity) != 8 {
			t.Errorf("%s: %d hours judged, %d signs", name, report.Hours, len(report.Maturity))
		}
		for _, f := range report.Findings {
			t.Errorf("%s: %s, after %d days and %d calls", name, f.Title, f.Anomaly.Days, f.Anomaly.Calls)
		}
	}
}
