package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/api"
)

// TestCostManifest imports a data export that overwrites its files, as `aws s3 sync`
// leaves it: files of an older delivery lie beside those of the latest.
func TestCostManifest(t *testing.T) {
	dir, c := t.TempDir(), &commands{t, filepath.Join(t.TempDir(), "data")}
	at := time.Date(2026, 5, 2, 0, 0, 0, 0, time.UTC)
	put := func(name, text string, hour int) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		when := at.Add(time.Duration(hour) * time.Hour)
		if err := os.Chtimes(path, when, when); err != nil {
			t.Fatal(err)
		}
	}
	part := func(n int, amount string, hour int) {
		put(fmt.Sprintf("costs/data/BILLING_PERIOD=2026-04/costs-%05d.csv", n), curHead+curLine("2026-04", "444455556666", "Usage", "AWSConfig", "APN1-ConfigurationItemRecorded", "1", amount), hour)
	}
	manifest := func(id string, hour int, names ...string) {
		var keys []string
		for _, n := range names {
			keys = append(keys, `"s3://b/costs/data/BILLING_PERIOD=2026-04/`+n+`"`)
		}
		put("costs/metadata/BILLING_PERIOD=2026-04/costs-Manifest.json", `{"executionId":"`+id+`","dataFiles":[`+strings.Join(keys, ",")+`]}`, hour)
	}
	is := func(total, missing string) {
		t.Helper()
		var s api.CostShares
		c.json(&s, "cost", "shares")
		if len(s.Months) != 1 || s.Months[0].Total.String() != total || !strings.Contains(s.Months[0].Missing.Said.String(), missing) || missing == "" && s.Months[0].Missing.Said.String() != "" {
			t.Errorf("%+v, want %s in all, %q missing", s, total, missing)
		}
	}
	part(1, "1", 0)
	part(2, "2", 0)
	part(3, "4", 0)
	manifest("first", 1, "costs-00001.csv", "costs-00002.csv", "costs-00003.csv", "costs-00004.csv")
	done := imported(t, c.data, exitIncomplete, dir)
	if len(done.Missing) != 1 || !slices.Equal(done.Missing[0].Files, []string{"costs-00004"}) || done.Missing[0].Month != "2026-04" || len(done.Held) != 4 {
		t.Errorf("%+v", done)
	}
	is("7", "costs-00004")
	if code, out, _ := ask(t, c.data, "cost", "import", dir); code != exitIncomplete || !strings.Contains(out, "costs-00004") {
		t.Errorf("import as a table exits with %d: %s", code, out)
	}

	part(2, "3", 2) // the first part is what it was, and there is no third any more
	manifest("second", 3, "costs-00001.csv", "costs-00002.csv")
	done = imported(t, c.data, exitDone, dir)
	if len(done.Missing) > 0 || done.Stored != 2 || !slices.ContainsFunc(done.Skipped, func(f Failure) bool {
		return strings.HasSuffix(f.Object, "costs-00003.csv") && strings.Contains(f.Reason, "newer delivery, second")
	}) {
		t.Errorf("%+v", done)
	}
	is("4", "")

	put("costs/metadata/BILLING_PERIOD=2026-04/costs-Manifest.json", `{"executionId":"third","dataFiles":["../../../etc/passwd", 7]}`, 4)
	if done = imported(t, c.data, exitIncomplete, filepath.Join(dir, "costs", "metadata")); len(done.Failures) != 1 || !strings.Contains(done.Failures[0].Reason, "manifest cannot be read") {
		t.Errorf("%+v", done)
	}
	is("4", "")
}
