package sqlite

import (
	"path/filepath"
	"testing"

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
