package ledger_test

import (
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/ledger"
	"github.com/yagura-sec/yagura/say"
)

// TestMatrix: a day without records is never taken for a quiet one.
func TestMatrix(t *testing.T) {
	day := func(s string) time.Time {
		d, err := time.Parse(time.DateOnly, s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	coverage := []ledger.DayRecords{
		{Account: "b", Region: "r", Day: "2026-03-02", Records: 4}, {Account: "b", Region: "r", Day: "2026-03-03", Records: 4},
		{Account: "a", Region: "r", Day: "2026-03-01", Records: 10}, {Account: "a", Region: "q", Day: "2026-03-01", Records: 5},
		{Account: "a", Region: "r", Day: "2026-03-03", Records: 3}, {Account: "a", Region: "r", Day: "2026-03-05", Records: 1},
	}
	gaps := []ledger.Gap{
		{Kind: ledger.Silent, Account: "a", Region: "r", From: day("2026-03-01").Add(5 * time.Hour), To: day("2026-03-01").Add(7 * time.Hour), Reason: say.Plain("silent for two hours")},
		{Kind: ledger.DigestMissing, Account: "a", Region: "q", From: day("2026-03-01").Add(3 * time.Hour), To: day("2026-03-01").Add(4 * time.Hour), Reason: say.Plain("a digest is missing")},
		{Kind: ledger.Silent, Account: "a", Region: "r", From: day("2026-03-04"), To: day("2026-03-05"), Reason: say.Plain("silent all day")},
	}
	f := func(days int, now string, account string, want ...string) {
		t.Helper()
		m, err := ledger.MakeMatrix(&ledger.Report{Coverage: coverage, Gaps: gaps}, days, day(now))
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range m.Accounts {
			if row.Account != account {
				continue
			}
			if len(row.Cells) != days || len(m.Days) != days {
				t.Fatalf("%d cells, %d days", len(row.Cells), len(m.Days))
			}
			for i, c := range row.Cells {
				state, reason, _ := strings.Cut(want[i], " ")
				if string(c.State) != state || !strings.Contains(c.Reason.String(), reason) || c.Day != m.Days[i] || (c.Reason.String() == "") != (c.State == ledger.DayComplete) {
					t.Errorf("%s of %s: %+v; want %s", c.Day, account, c, want[i])
				}
			}
			return
		}
		t.Errorf("account %s is not there", account)
	}
	f(6, "2026-04-01", "a", "unknown 2026-03-01", "partial digest is missing (and 1 more)", "missing", "complete", "missing", "complete")
	f(6, "2026-04-01", "b", "unknown", "unknown", "complete", "complete", "unknown 2026-03-03", "unknown 2026-03-03")
	f(1, "2026-03-06", "a", "late")         // until two hours after its end
	f(2, "2026-03-05", "b", "late", "late") // nothing of it is known yet, or it is not over
	f(3, "2026-03-05", "a", "complete", "late", "late")
	f(4, "2026-03-08", "a", "complete", "unknown 2026-03-05", "late", "late") // nothing came since
	if m, err := ledger.MakeMatrix(&ledger.Report{}, 5, day("2026-03-01")); err != nil || len(m.Days)+len(m.Accounts) != 0 {
		t.Errorf("of nothing: %+v, %v", m, err)
	}
	if _, err := ledger.MakeMatrix(&ledger.Report{Coverage: []ledger.DayRecords{{Account: "a", Day: "yesterday"}}}, 5, day("2026-03-01")); err == nil {
		t.Error("a day that is none passes")
	}
}

// TestMatrixFlaws: a day of which something was not read is not complete.
func TestMatrixFlaws(t *testing.T) {
	const a, b = "111122223333", "444455556666"
	trail := func(account, day string) string {
		return "s3://logs/AWSLogs/" + account + "/CloudTrail/eu-central-1/" + day + "/" + account + "_CloudTrail_x.json.gz"
	}
	r := ledger.Report{
		Coverage: []ledger.DayRecords{
			{Account: a, Day: "2026-03-01", Records: 3}, {Account: a, Day: "2026-03-02", Records: 3}, {Account: a, Day: "2026-03-03", Records: 3}, {Account: a, Day: "2026-03-05", Records: 3},
			{Account: b, Day: "2026-03-01", Records: 3}, {Account: b, Day: "2026-03-05", Records: 3},
		},
		Gaps:       []ledger.Gap{{Account: a, From: time.Date(2026, 3, 5, 1, 0, 0, 0, time.UTC), To: time.Date(2026, 3, 5, 2, 0, 0, 0, time.UTC), Reason: say.Plain("Silent.")}},
		Incomplete: []ledger.Object{{Name: trail(a, "2026/03/02"), Reason: say.Plain("unexpected EOF")}, {Name: trail(a, "2026/03/02"), Reason: say.Plain("other")}, {Name: "old.json"}},
		Quarantine: []ledger.Held{
			{Object: trail(a, "2026/03/02"), Reason: say.Plain("no time")}, {Object: "/logs/" + a + "_CloudTrail_eu-central-1_20260304T0005Z_x.json.gz", Reason: say.Plain("no name")},
			{Object: trail(a, "2026/03/05"), Reason: say.Plain("no time")}, {Object: trail("777788889999", "2026/03/02")},
		},
		IncompleteMore: 2, QuarantineMore: 5,
	}
	m, err := ledger.MakeMatrix(&r, 6, time.Date(2026, 3, 6, 12, 0, 0, 0, time.UTC))
	if err != nil || len(m.Accounts) != 2 || m.Unplaced != 9 {
		t.Fatalf("%+v, %v", m, err)
	}
	got := map[string]string{}
	for _, row := range m.Accounts {
		for _, c := range row.Cells {
			got[row.Account+" "+c.Day] = string(c.State) + " " + c.Reason.String()
		}
	}
	for cell, want := range map[string]string{
		a + " 2026-03-02": "partial 2 objects were not read to the end, and 1 record waits in quarantine (unexpected EOF).",
		a + " 2026-03-03": "complete ",
		a + " 2026-03-05": "partial 1 record waits in quarantine (no time). Silent.",
		a + " 2026-03-04": "partial 1 record waits in quarantine (no name). Nothing came, although records came before and after.",
		b + " 2026-03-05": "complete ",
	} {
		if got[cell] != want {
			t.Errorf("%s: %q, want %q", cell, got[cell], want)
		}
	}
}
