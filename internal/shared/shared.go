// Package shared finds the folder of real data beside the checkout, and reads what is in it, for tests.
package shared

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// Dir is the path of rel below the shared data folder; the test skips where the
// folder is absent.
func Dir(tb testing.TB, rel string) string {
	tb.Helper()
	_, file, _, _ := runtime.Caller(0)
	root := filepath.Join(filepath.Dir(file), "..", "..", "..", "shared", "data")
	path := filepath.Join(root, filepath.FromSlash(rel))
	if _, err := os.Stat(path); err != nil {
		tb.Skipf("real data is absent (looked for %s): own fixtures cover this ground", path)
	}
	return path
}
