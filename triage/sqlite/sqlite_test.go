package sqlite

import (
	"path/filepath"
	"testing"

	"github.com/yagura-sec/yagura/triage"
	"github.com/yagura-sec/yagura/triage/triagetest"
)

func open(t testing.TB, path string) *Store {
	t.Helper()
	s, err := Open(t.Context(), path)
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
	triagetest.Test(t, func(t *testing.T) triage.Store { return open(t, filepath.Join(t.TempDir(), "state.db")) })
}
