package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// account is what `ledger --format json` prints.
type account struct {
	Totals struct {
		Objects, Read, Stored, Duplicate, Quarantined, Expired int64
	}
	Quarantine           []struct{ Object, Reason string }
	QuarantineSuperseded int64 `json:"quarantine_superseded"`
	Incomplete           []struct{ Name, State, Reason string }
}

// ledgerOf is the account of a data directory, and the code it exits with.
func ledgerOf(t *testing.T, data string) (a account, code int) {
	t.Helper()
	cmd := exec.Command(binary, "--data", data, "ledger", "--format", "json")
	out, err := cmd.Output()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out, &a); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if x := a.Totals; x.Read != x.Stored+x.Duplicate+x.Quarantined+x.Expired {
		t.Errorf("the totals do not add up: %+v", x)
	}
	return a, cmd.ProcessState.ExitCode()
}

// TestMended replaces what could not be read with good files: the ledger says
// that nothing is missing any more, and still counts what it read before.
func TestMended(t *testing.T) {
	dir := t.TempDir()
	logs, data := filepath.Join(dir, "logs"), filepath.Join(dir, "data")
	if err := os.Mkdir(logs, 0o755); err != nil {
		t.Fatal(err)
	}
	put := func(name string, content []byte) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(logs, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	ingest := func(want int, paths ...string) {
		t.Helper()
		cmd := exec.Command(binary, append([]string{"--data", data, "ingest"}, paths...)...)
		if out, err := cmd.CombinedOutput(); cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != want {
			t.Fatalf("ingest: %v, want exit code %d: %s", err, want, out)
		}
	}
	whole := packed(t, []byte(records(0, 400)))
	put("a.json.gz", whole[:len(whole)/2])
	put("c.json.gz", nil)
	link := filepath.Join(logs, "b.json")
	if err := os.Symlink(filepath.Join(logs, "gone"), link); err != nil {
		t.Fatal(err)
	}
	ingest(4, logs, filepath.Join(dir, "nowhere"))
	before, code := ledgerOf(t, data)
	if code != 4 || len(before.Incomplete) != 3 || before.Totals.Objects != 3 || before.Totals.Stored == 0 {
		t.Errorf("damaged: exit code %d, %+v", code, before)
	}

	put("a.json.gz", whole)
	if err := os.Remove(link); err != nil {
		t.Fatal(err)
	}
	put("b.json", []byte(records(1000, 5)))
	put("c.json.gz", packed(t, []byte(records(2000, 7))))
	ingest(0, logs)
	after, code := ledgerOf(t, data)
	if code != 0 || len(after.Incomplete)+len(after.Quarantine) > 0 || after.Totals.Objects != 3 ||
		after.Totals.Stored != 412 || after.Totals.Duplicate != before.Totals.Stored ||
		after.Totals.Quarantined != before.Totals.Quarantined || after.QuarantineSuperseded != before.Totals.Quarantined {
		t.Errorf("mended: exit code %d, %+v; before %+v", code, after, before)
	}
	ingest(0, logs)
	if again, code := ledgerOf(t, data); code != 0 || again.Totals != after.Totals {
		t.Errorf("once more: exit code %d, %+v, was %+v", code, again, after)
	}

	// Other content under the same name mends nothing.
	put("a.json.gz", whole[:len(whole)/3])
	ingest(4, logs)
	put("a.json.gz", packed(t, []byte(records(5000, 900))))
	ingest(0, logs)
	if a, code := ledgerOf(t, data); code != 4 || len(a.Incomplete) != 1 || len(a.Quarantine) != 1 {
		t.Errorf("replaced by other content: exit code %d, %+v", code, a)
	}
	put("a.json.gz", whole)
	ingest(0, logs)
	if a, code := ledgerOf(t, data); code != 0 {
		t.Errorf("mended again: exit code %d, %+v", code, a)
	}
}

// TestServeGrowing: a followed file that was read to its present end is no hole,
// while it is served, after the server stopped, and once it was ingested.
func TestServeGrowing(t *testing.T) {
	dir := t.TempDir()
	logs, data := filepath.Join(dir, "logs"), filepath.Join(dir, "data")
	if err := os.Mkdir(logs, 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(logs, "app.jsonl")
	write := func(from int) {
		t.Helper()
		f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString(record(from, "") + "\n" + record(from+1, "") + "\n"); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	state := func(want string) bool {
		t.Helper()
		var got struct{ Objects []struct{ State string } }
		decode(t, yagura(t, data, "ledger", "--objects", "--format", "json"), &got)
		return len(got.Objects) == 1 && got.Objects[0].State == want
	}
	write(0)
	s := serve(t, data, logs)
	waitFor(t, "two records", func() bool { return s.totals().Read == 2 && state("growing") })
	write(2)
	waitFor(t, "two more", func() bool { return s.totals().Read == 4 && state("growing") })
	if a, code := ledgerOf(t, data); code != 0 || len(a.Incomplete) > 0 {
		t.Errorf("served: exit code %d, %+v", code, a)
	}
	s.stop()
	if a, code := ledgerOf(t, data); code != 0 || len(a.Incomplete) > 0 || !state("growing") {
		t.Errorf("stopped: exit code %d, %+v", code, a)
	}
	if out, err := exec.Command(binary, "--data", data, "ingest", logs).CombinedOutput(); err != nil {
		t.Errorf("ingest: %v: %s", err, out)
	}
	if a, code := ledgerOf(t, data); code != 0 || a.Totals.Read != 4 || !state("complete") {
		t.Errorf("ingested: exit code %d, %+v", code, a)
	}
}
