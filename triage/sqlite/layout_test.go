package sqlite

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/internal/sqlitedb"
	"github.com/yagura-sec/yagura/triage"
)

// TestOldLayout opens a file in which occurrences may span days, one a batch.
func TestOldLayout(t *testing.T) {
	ctx := t.Context()
	db, err := sqlitedb.Open(ctx, filepath.Join(t.TempDir(), "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Migrate(ctx, "triage", schema[:1]); err != nil {
		t.Fatal(err)
	}
	noon := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	old := func(n byte, first, last time.Time, count int) {
		t.Helper()
		o := finding.Occurrence{Trouble: finding.Trouble{Key: "k", Rule: "rule", Kind: finding.KindRule, Title: fmt.Sprint("Title ", n), Severity: finding.Low, Confidence: 1, Reasons: []finding.Reason{}}}
		o.Evidence.Add(finding.Sighting{Time: first, UID: event.UID{n}})
		o.FirstSeen, o.LastSeen, o.Count, o.Batch = first, last, int64(count), event.BatchID{n}
		args, err := occurrenceArgs(&o)
		if err != nil {
			t.Fatal(err)
		}
		args = append(args[:2:2], args[6:]...)
		err = db.Tx(ctx, func(tx *sqlitedb.Tx) error {
			if _, err := tx.Exec(`INSERT INTO judged VALUES (?, '{}')`, o.Batch[:]); err != nil {
				return err
			}
			if _, err := tx.Exec(`INSERT INTO occurrence VALUES (?, ?, ?, ?, ?, ?, ?)`, args...); err != nil {
				return err
			}
			_, err := tx.Exec(`INSERT OR REPLACE INTO finding VALUES (?, ?, ?, ?, ?, ?, ?, 'rule', 'rule', '', 1, '', '', '', '', 25, 'new', 0, 0)`, args...)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	old(1, noon, noon.Add(24*time.Hour), 5)
	old(2, noon, noon.Add(26*time.Hour), 7)

	s, err := On(ctx, db)
	if err != nil {
		t.Fatal(err)
	}
	f := func(count int64, title string) {
		t.Helper()
		all, _, err := s.List(ctx, triage.Filter{Rule: "rule"})
		if err != nil || len(all) != 1 || all[0].Count != count || all[0].Title != title {
			t.Errorf("%d findings, %+v, %v, want count %d, title %q", len(all), all, err, count, title)
		}
	}
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	f(7, "Title 2") // kept as it was
	ok(s.Record(ctx, event.BatchID{3}, finding.Judged{Occurrences: []finding.Occurrence{{
		Trouble: finding.Trouble{Key: "k", Rule: "rule", Title: "Title 3", Severity: finding.Low}, FirstSeen: noon, LastSeen: noon, Count: 1}}}))
	f(8, "Title 2")
	ok(s.Record(ctx, event.BatchID{2}, finding.Judged{}))
	f(6, "Title 1")
	day := finding.Day(noon)
	hunt := finding.Hunt{Hunter: "h", Rule: "rule", Since: day, Until: day.AddDate(0, 0, 1)}
	ok(s.RecordHunt(ctx, hunt, 0))
	f(5, "Title 1") // the one that spans two days cannot be cut
	hunt.Until = day.AddDate(0, 0, 2)
	ok(s.RecordHunt(ctx, hunt, 0))
	if all, _, err := s.List(ctx, triage.Filter{}); err != nil || len(all) != 0 {
		t.Errorf("%d findings are left, %v", len(all), err)
	}
}

// TestAudit: every word on a rule's trial is kept.
func TestAudit(t *testing.T) {
	ctx := t.Context()
	s, err := Open(ctx, filepath.Join(t.TempDir(), "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	at := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	for i, x := range []finding.Stage{{Rule: "r", Days: 3, By: "ann", State: finding.Staged}, {Rule: "r", By: "bob", State: finding.Retired, Comment: "noise"}} {
		if err := s.SetStage(ctx, x, at.Add(time.Duration(i)*time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	lines, _, err := s.Audit(ctx, triage.AuditFilter{})
	want := []finding.AuditLine{
		{ID: 2, At: at.Add(time.Hour), By: "bob", Action: "rule.stage", Subject: "r", Text: "retired; noise"},
		{ID: 1, At: at, By: "ann", Action: "rule.stage", Subject: "r", Text: "staged for 3 days"},
	}
	if err != nil || !slices.Equal(lines, want) {
		t.Errorf("audit %+v, %v, want %+v", lines, err, want)
	}
	// Nobody can change or take away a line, or a decision, by whatever statement.
	if err := s.Record(ctx, event.BatchID{1}, finding.Judged{Occurrences: []finding.Occurrence{{Trouble: finding.Trouble{Key: "k"}, FirstSeen: at, LastSeen: at}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Decide(ctx, "k", finding.Decision{At: at, By: "ann", Comment: "seen"}); err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		`UPDATE audit SET by = 'eve'`, `DELETE FROM audit`, `INSERT OR REPLACE INTO audit VALUES (1, 0, 'eve', 'x', '', '')`,
		`UPDATE decision SET decision = '{}'`, `DELETE FROM decision`, `INSERT OR REPLACE INTO decision (id, key, decision) VALUES (1, 'k', '{}')`,
		`REPLACE INTO decision (key, name, decision) SELECT key, name, '{}' FROM decision`,
	} {
		err := s.db.Tx(ctx, func(t *sqlitedb.Tx) error { _, err := t.Exec(statement); return err })
		if err == nil {
			t.Errorf("%s is done", statement)
		}
	}
}

// TestDecidedLayout opens a file of before there were exceptions, windows and an
// audit of everything: what people decided is there, has a name by which it can
// be taken back, and a line of the audit.
func TestDecidedLayout(t *testing.T) {
	ctx := t.Context()
	db, err := sqlitedb.Open(ctx, filepath.Join(t.TempDir(), "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Migrate(ctx, "triage", schema[:3]); err != nil {
		t.Fatal(err)
	}
	noon := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	o := occurrence(1, noon)
	o.Since, o.Until = finding.Day(noon), finding.Day(noon).AddDate(0, 0, 1)
	args, err := occurrenceArgs(&o)
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range []struct {
		text string
		args []any
	}{
		{`INSERT INTO judged (batch, counts) VALUES (?, '{}')`, []any{o.Batch[:]}},
		{putOccurrence, args},
		{`INSERT INTO finding (` + occurrenceColumns + `, kind, log_source, severity, account, actor, resource, text, priority, status, demoted, decisions)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'rule', 'aws/cloudtrail', 1, '', '', '', '', 3, 'resolved', 0, 2)`, args},
		{`INSERT INTO decision (key, decision) VALUES (?, '{"at":"2026-03-04T13:00:00Z","by":"ann","status":"in_progress"}')`, []any{o.Key}},
		{`INSERT INTO decision (key, decision) VALUES (?, '{"at":"2026-03-04T14:00:00Z","by":"bob","status":"resolved","verdict":"expected"}')`, []any{o.Key}},
		{`INSERT INTO stage_audit (at, by, stage) VALUES (1772632800000000, 'cho', '{"rule":"r","state":"staged","days":3}')`, nil}, // 14:00 too
	} {
		err := db.Tx(ctx, func(tx *sqlitedb.Tx) error { _, err := tx.Exec(statement.text, statement.args...); return err })
		if err != nil {
			t.Fatal(statement.text, err)
		}
	}
	s, err := On(ctx, db)
	if err != nil {
		t.Fatal(err)
	}
	f, err := s.Get(ctx, o.Key)
	if err != nil || f.Status != finding.Resolved || f.Assignee != "" || len(f.Decisions) != 2 || f.Decisions[1].ID == "" || f.Title != o.Title {
		t.Fatalf("%+v, %v", f, err)
	}
	if page, _, err := s.List(ctx, triage.Filter{Status: []finding.Status{finding.Resolved}}); err != nil || len(page) != 1 || page[0].Priority != f.Priority {
		t.Errorf("listed %+v, %v", page, err)
	}
	lines, _, err := s.Audit(ctx, triage.AuditFilter{})
	if err != nil || len(lines) != 3 || lines[2].By != "ann" || !lines[2].At.Equal(noon.Add(time.Hour)) || lines[2].Subject != o.Key || lines[2].Action != "finding.decide" {
		t.Errorf("audit %+v, %v", lines, err)
	}
	if n, err := s.Undo(ctx, triage.Undo{ID: f.Decisions[1].ID, By: "dan", At: noon.Add(5 * time.Hour)}); n != 1 || err != nil {
		t.Errorf("undo: %d, %v", n, err)
	}
	if f, err = s.Get(ctx, o.Key); err != nil || f.Status != finding.InProgress || f.Verdict != finding.NoVerdict {
		t.Errorf("undone: %+v, %v", f, err)
	}
	// Opened again nothing is made anew, and all is as it was.
	again, err := On(ctx, db)
	if err != nil {
		t.Fatal(err)
	}
	if page, _, err := again.List(ctx, triage.Filter{}); err != nil || len(page) != 1 || page[0].Status != finding.InProgress {
		t.Errorf("opened again: %+v, %v", page, err)
	}
}
