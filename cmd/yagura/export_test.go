package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/finding"
)

func TestTouched(t *testing.T) {
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var x touched
	is := func(since time.Duration, now time.Duration, want string) {
		t.Helper()
		keys, all := x.from(noon.Add(since), noon.Add(now))
		if got := fmt.Sprint(keys, all); got != want {
			t.Errorf("since %s, at %s: %s, want %s", since, now, got, want)
		}
	}
	touch := func(at time.Duration, keys ...string) {
		var all []finding.Occurrence
		for _, k := range keys {
			all = append(all, finding.Occurrence{Trouble: finding.Trouble{Key: k}})
		}
		x.add(all, noon.Add(at))
	}
	touch(0, "forgotten")
	x.remember(noon)
	is(-time.Minute, 0, "[] false") // it remembers nothing of before
	is(0, 0, "[] true")
	touch(time.Minute, "b", "a")
	touch(2*time.Minute, "b")
	is(time.Minute, 2*time.Minute, "[a b] true")
	is(2*time.Minute, 3*time.Minute, "[b] true")
	is(10*time.Minute, time.Hour, "[] false")
	is(50*time.Minute, time.Hour, "[] true")
	if len(x.at) != 0 {
		t.Errorf("%d are remembered for good", len(x.at))
	}
	for i := range touchedMost + 1 {
		x.at[fmt.Sprint(i)] = noon
	}
	touch(time.Hour, "one too many")
	is(time.Hour, time.Hour, "[] false")
	is(time.Hour+1, time.Hour, "[] true")
}

// TestMasker: one key a data directory, which only its owner reads.
func TestMasker(t *testing.T) {
	p := &program{dir: t.TempDir()}
	a, err := p.masker()
	if err != nil {
		t.Fatal(err)
	}
	b, err := p.masker()
	if err != nil {
		t.Fatal(err)
	}
	if a.Person("alice") != b.Person("alice") {
		t.Error("aliases change from one run to the next")
	}
	path := filepath.Join(p.dir, "mask.key")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others may read the key: %v, %v", info.Mode(), err)
	}
	if left, err := os.ReadDir(p.dir); err != nil || len(left) != 1 {
		t.Errorf("there are %v, %v", left, err)
	}
	if err := os.WriteFile(path, []byte("not a key\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := p.masker(); err == nil || !strings.Contains(err.Error(), "mask.key") {
		t.Errorf("of a broken key is said %v", err)
	}
}
