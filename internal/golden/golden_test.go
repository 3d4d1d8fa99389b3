package golden

import (
	"os"
	"path/filepath"
	"testing"
)

func TestDiffer(t *testing.T) {
	f := func(got, want string, n int, is, was string) {
		t.Helper()
		if m, a, b := differ(got, want); m != n || a != is || b != was {
			t.Errorf("%q and %q: line %d, %q was %q", got, want, m, a, b)
		}
	}
	f("", "", 0, "", "")
	f("a\nb\n", "a\nb\n", 0, "", "")
	f("a\nb\n", "a\nc\n", 2, "b", "c")
	f("a\n", "a", 1, "a", "a") // only one of them ends in a newline
	f("a\nb", "a\n", 2, "b", "")
	f("", "x", 1, "", "x")
}

// failing takes the place of a test that may fail.
type failing struct {
	testing.TB
	failed bool
}

func (f *failing) Helper()               {}
func (f *failing) Errorf(string, ...any) { f.failed = true }

func TestCheck(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.golden")
	if err := os.WriteFile(path, []byte("a\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	Check(t, path, []byte("a\n"))
	defer func(was bool) { *update = was }(*update)
	*update = false
	other := &failing{TB: t}
	if Check(other, path, []byte("b\n")); !other.failed {
		t.Error("another text passes")
	}
	*update = true
	Check(t, path, []byte("b\n"))
	if now, err := os.ReadFile(path); err != nil || string(now) != "b\n" {
		t.Errorf("it was not written: %q, %v", now, err)
	}
}
