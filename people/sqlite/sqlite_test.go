package sqlite

import (
	"context"
	"path/filepath"
	"testing"
	"time"

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

// BenchmarkSession is what every request of a browser pays to be known.
func BenchmarkSession(b *testing.B) {
	s, err := Open(b.Context(), filepath.Join(b.TempDir(), "state.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	d := people.NewDoor(s, people.Options{
		Now:   func() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) },
		Audit: func(context.Context, people.Deed) error { return nil },
	})
	if _, err := d.AddUser(b.Context(), people.LocalOwner(), people.NewUser{Name: "alice", Password: "correct horse battery"}); err != nil {
		b.Fatal(err)
	}
	secret, err := d.SignIn(b.Context(), "alice", "correct horse battery", people.Origin{})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := d.Session(b.Context(), secret); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSignIn is a sign-in by password with the hashing that is asked for.
func BenchmarkSignIn(b *testing.B) {
	s, err := Open(b.Context(), filepath.Join(b.TempDir(), "state.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	d := people.NewDoor(s, people.Options{Now: time.Now, Audit: func(context.Context, people.Deed) error { return nil }})
	if _, err := d.AddUser(b.Context(), people.LocalOwner(), people.NewUser{Name: "alice", Password: "correct horse battery"}); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := d.SignIn(b.Context(), "alice", "correct horse battery", people.Origin{}); err != nil {
			b.Fatal(err)
		}
	}
}
