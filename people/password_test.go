package people

import (
	"context"
	"errors"
	"strings"
	"testing"
)

func FuzzPHC(f *testing.F) {
	quick := newHasher(Hashing{Memory: 8, Time: 1, Threads: 1})
	f.Add(quick.phc("password", []byte("0123456789abcdef")))
	f.Add("$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA")
	f.Add("$argon2id$v=19$m=65536,t=3,p=4$$")
	f.Add("$argon2i$v=19$m=8,t=1,p=1$x$y")
	f.Fuzz(func(t *testing.T, text string) {
		p, salt, key, err := parsePHC(text)
		if err != nil {
			return
		}
		if p.Memory > 4<<20 || p.Time > 100 || p.Threads == 0 || len(salt) < 8 || len(key) < 16 {
			t.Errorf("%q is taken as %+v with %d and %d bytes", text, p, len(salt), len(key))
		}
	})
}

func TestPHC(t *testing.T) {
	h := newHasher(Hashing{Memory: 8, Time: 1, Threads: 1})
	// A test vector of the reference implementation.
	const theirs = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
	f := func(kept, password string, ok, again bool) {
		t.Helper()
		gotOK, gotAgain, err := h.check(t.Context(), kept, password)
		if err != nil || gotOK != ok || gotAgain != again {
			t.Errorf("%q against %q: %v, %v, %v", password, kept, gotOK, gotAgain, err)
		}
	}
	f(theirs, "password", true, true)
	f(theirs, "passwort", false, true)
	f(h.phc("x", []byte("0123456789abcdef")), "x", true, false)
	f("", "", false, false)
	for _, bad := range []string{"x", "$argon2id$v=19$m=99999999,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4", strings.Replace(theirs, "p=1", "p=0", 1), strings.Replace(theirs, "argon2id", "argon2i", 1)} {
		if ok, _, err := h.check(t.Context(), bad, "password"); ok || err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

// TestCrowd: no more wait than are meant to, and who goes away waits no longer.
func TestCrowd(t *testing.T) {
	h := newHasher(Hashing{Memory: 8, Time: 1, Threads: 1})
	for range atOnce {
		free, err := h.wait(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer free()
	}
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan error, waitMost)
	for range waitMost {
		go func() { _, err := h.wait(ctx); gone <- err }()
	}
	for h.waiting.Load() < waitMost {
	}
	var w *Wait
	if _, err := h.wait(t.Context()); !errors.As(err, &w) {
		t.Errorf("one too many: %v", err)
	}
	cancel()
	for range waitMost {
		if err := <-gone; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
}
