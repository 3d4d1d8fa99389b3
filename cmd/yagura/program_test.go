package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestWithoutHome: only what needs a data directory asks for one where there is no
// home for it.
func TestWithoutHome(t *testing.T) {
	taken := t.TempDir() // which demo refuses to clear
	if err := os.WriteFile(filepath.Join(taken, "mine"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	f := func(code int, why string, args ...string) {
		t.Helper()
		if got, _, errs := ask(t, "", args...); got != code || !strings.Contains(errs, why) {
			t.Errorf("%v exits with %d: %s", args, got, errs)
		}
	}
	f(exitUsage, "there is no home for data", "ledger")
	f(exitUsage, "there is no home for the demo", "demo")
	f(exitFailed, "was not made by demo", "demo", "--dir", taken)
	f(exitUsage, "--out DIR", "simulate")
}
