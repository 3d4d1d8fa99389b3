package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yagura-sec/yagura/ledger"
)

func TestLedgerByFormat(t *testing.T) {
	dir := t.TempDir()
	logs := filepath.Join(dir, "logs")
	write := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(logs, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(logs, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const okta = `{"uuid":"00000000-0000-0000-0000-00000000000%","published":"2026-03-01T09:00:00.000Z","eventType":"user.session.start","actor":{"id":"00u1","type":"User","alternateId":"mia@kite.example"},"outcome":{"result":"SUCCESS"},"client":{"ipAddress":"203.0.113.7"}}` + "\n"
	one, two := strings.Replace(okta, "%", "1", 1), strings.Replace(okta, "%", "2", 1)
	write("a.jsonl", one+two+one+strings.Replace(one, "2026-03-01T09:00:00.000Z", "yesterday", 1))
	write("b.jsonl", `{"something":"else"}`+"\n")
	run := func(want int, args ...string) string {
		t.Helper()
		code, out, errs := ask(t, filepath.Join(dir, "data"), args...)
		if code != want {
			t.Fatalf("%q: exit %d, want %d: %s", args, code, want, errs)
		}
		return out
	}
	run(exitIncomplete, "ingest", logs)
	var got ledger.ByFormat
	if err := json.Unmarshal([]byte(run(exitIncomplete, "ledger", "--by", "format", "--format", "json")), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Formats) != 2 || got.Formats[0].Format != "okta.system" || got.Formats[1].Format != "" {
		t.Fatalf("formats %+v", got.Formats)
	}
	want := ledger.FormatRecords{Format: "okta.system", Read: 4, Stored: 2, Duplicate: 1, Quarantined: 1}
	if x := got.Formats[0]; x.FormatRecords != want || x.Objects != 1 || len(x.Reasons) != 1 || strings.Contains(x.Reasons[0].Reason.String(), "yesterday") {
		t.Errorf("of Okta %+v", x)
	}
	if x := got.Formats[1]; x.Read != 1 || x.Quarantined != 1 || len(x.Reasons) != 1 {
		t.Errorf("of none %+v", x)
	}
	table := run(exitIncomplete, "ledger", "--by", "format")
	for _, part := range []string{"okta.system", "(not known)", "Why records are in quarantine"} {
		if !strings.Contains(table, part) {
			t.Errorf("the table lacks %q:\n%s", part, table)
		}
	}
	csv := run(exitIncomplete, "ledger", "--by", "format", "--format", "csv")
	if !strings.Contains(csv, "format,okta.system,1,4,2,1,1,0,\n") || !strings.Contains(csv, "reason,okta.system,,,,,1,,") {
		t.Errorf("CSV:\n%s", csv)
	}
	run(exitUsage, "ledger", "--by", "account")
}
