package sqlite

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/yagura-sec/yagura/cost"
	"github.com/yagura-sec/yagura/cost/costtest"
	"github.com/yagura-sec/yagura/internal/sqlitedb"
)

func open(t testing.TB, path string) (*Store, *sqlitedb.DB) {
	t.Helper()
	db, err := sqlitedb.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	s, err := On(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	return s, db
}

func TestContract(t *testing.T) {
	costtest.Test(t, func(t *testing.T) cost.Store {
		s, db := open(t, filepath.Join(t.TempDir(), "state.db"))
		t.Cleanup(func() {
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		})
		return s
	})
}

// TestReaders: who only reads sees what was written, is told where nothing was, and
// what an interrupted import left is cleared away by the next.
func TestReaders(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	db, err := sqlitedb.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Migrate(t.Context(), "other", []string{"CREATE TABLE other (x)"}); err != nil {
		t.Fatal(err)
	}
	reader, err := sqlitedb.OpenReader(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if _, err := On(t.Context(), reader); !errors.Is(err, sqlitedb.ErrEmpty) {
		t.Errorf("of a file without bills: %v", err)
	}
	s, err := On(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	line := cost.Line{Provider: "AWS", Payer: "1", Account: "1", Service: "AWSConfig", Month: time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC), Kind: cost.Usage, Amount: decimal.New(5, 0), Rows: 1}
	d, err := s.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Add(t.Context(), []cost.Line{line, line}); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil { // as if the program had been killed
		t.Fatal(err)
	}
	s, db = open(t, path)
	defer db.Close()
	if d, err = s.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	var left int
	if err := db.Read().QueryRow(`SELECT count(*) FROM cost_line`).Scan(&left); err != nil || left != 0 {
		t.Errorf("%d lines are left of an import that was killed, %v", left, err)
	}
	if err := d.Add(t.Context(), []cost.Line{line}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Commit(t.Context(), cost.File{Name: "a", Holds: cost.HoldsBill, Fingerprint: "1"}); err != nil {
		t.Fatal(err)
	}
	r, err := On(t.Context(), reader)
	if err != nil {
		t.Fatal(err)
	}
	sums, err := r.Sums(t.Context(), cost.Query{By: []cost.Dim{cost.ByService}})
	if err != nil || len(sums) != 1 || sums[0].Amount.String() != "5" || sums[0].Security != "AWS Config" {
		t.Errorf("%+v, %v", sums, err)
	}
}

// TestJudgedAnew: which services are there for security is what this program says,
// not the one that imported.
func TestJudgedAnew(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s, db := open(t, path)
	d, err := s.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Add(t.Context(), []cost.Line{{Provider: "AWS", Service: "AWSConfig", Kind: cost.Usage, Rows: 1}}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Commit(t.Context(), cost.File{Name: "a", Holds: cost.HoldsBill}); err != nil {
		t.Fatal(err)
	}
	if err := db.Tx(t.Context(), func(x *sqlitedb.Tx) error {
		_, err := x.Exec(`UPDATE cost_service SET security = ''`)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	s, db = open(t, path)
	defer db.Close()
	sums, err := s.Sums(t.Context(), cost.Query{By: []cost.Dim{cost.ByService}})
	if err != nil || len(sums) != 1 || sums[0].Security != "AWS Config" {
		t.Errorf("%+v, %v", sums, err)
	}
}
