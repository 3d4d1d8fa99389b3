// Package golden holds what tests get against files that people have looked at.
package golden

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// Check fails the test where the file does not hold what was got; with -update it
// writes the file anew first.
func Check(t testing.TB, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if n, is, was := differ(string(got), string(want)); n > 0 {
		t.Errorf("%s is not current: run `make update` and look at the difference, first in line %d:\n%s\nwas\n%s", path, n, is, was)
	}
}

// differ gives the first line, from 1, in which two texts differ, as it is and as
// it was; 0 where they are alike.
func differ(got, want string) (n int, is, was string) {
	if got == want {
		return 0, "", ""
	}
	for {
		n++
		moreIs, moreWas := false, false
		is, got, moreIs = strings.Cut(got, "\n")
		was, want, moreWas = strings.Cut(want, "\n")
		if is != was || moreIs != moreWas {
			return n, is, was
		}
	}
}

// Input is a file that tests are given.
type Input struct {
	Path string
	Body []byte
}

// Inputs are the files that match the pattern, in the order of their names; none
// is a failure.
func Inputs(t testing.TB, pattern string) []Input {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		t.Fatalf("%d files match %s, %v", len(paths), pattern, err)
	}
	all := make([]Input, len(paths))
	for i, path := range paths {
		body, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all[i] = Input{path, body}
	}
	return all
}
