package sqlite

import (
	"path/filepath"
	"testing"

	"github.com/yagura-sec/yagura/internal/sqlitedb"
	"github.com/yagura-sec/yagura/ledger"
	"github.com/yagura-sec/yagura/ledger/ledgertest"
)

func open(t testing.TB, path string, opt ledger.Options) *Store {
	t.Helper()
	s, err := Open(t.Context(), path, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestContract(t *testing.T) {
	ledgertest.Test(t, func(t *testing.T, opt ledger.Options) ledger.Store {
		return open(t, filepath.Join(t.TempDir(), "state.db"), opt)
	})
}

// TestForgetsOldBatches: ids of batches settled long ago go, newer ones stay.
func TestForgetsOldBatches(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "state.db"), ledger.Options{})
	for n := range 3 {
		if err := s.Settle(t.Context(), killBatch(n)); err != nil {
			t.Fatal(err)
		}
	}
	const multiple = (ledger.KeepBatches/1024 + 1) * 1024
	err := s.db.Tx(t.Context(), func(x *sqlitedb.Tx) error {
		_, err := x.Exec(`UPDATE settled SET id = ? WHERE id = 3`, multiple-1)
		if err == nil {
			_, err = x.Exec(`UPDATE sqlite_sequence SET seq = ? WHERE name = 'settled'`, multiple-1)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Settle(t.Context(), killBatch(3)); err != nil {
		t.Fatal(err)
	}
	var least, n int
	if err := s.db.Read().QueryRow(`SELECT min(id), count(*) FROM settled`).Scan(&least, &n); err != nil || least != multiple-1 || n != 2 {
		t.Errorf("%d batches from %d on, %v; want the latest two", n, least, err)
	}
}
