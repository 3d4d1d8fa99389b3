package sqlite

import (
	"path/filepath"
	"testing"

	"github.com/yagura-sec/yagura/people"
	"github.com/yagura-sec/yagura/people/peopletest"
)

func TestContract(t *testing.T) {
	peopletest.Test(t, func(t *testing.T) people.Store {
		s, err := Open(t.Context(), filepath.Join(t.TempDir(), "state.db"))
		if err != nil {
			t.Fatal(err)
		}
		return s
	})
}

// TestKept: what is kept is there when the file is opened again.
func TestKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	for i := range 2 {
		s, err := Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			err = s.AddUser(t.Context(), people.User{Name: "alice", Role: people.Admin})
		} else {
			_, err = s.User(t.Context(), "alice")
		}
		if err != nil {
			t.Error(i, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
