package sqlitedb

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestClose: nothing of a file stays open, whatever was done with it.
func TestClose(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "closed.db")
	d, err := Open(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Migrate(ctx, "x", []string{"CREATE TABLE t (a)"}); err != nil {
		t.Fatal(err)
	}
	err = d.Tx(ctx, func(tx *Tx) error {
		_, err := tx.Exec("INSERT INTO t VALUES (1)")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if err := d.Read().QueryRow("SELECT count(*) FROM t").Scan(&n); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("no /proc here to tell open files")
	}
	for _, fd := range open {
		// A descriptor may be gone by now; then it is not ours.
		if to, err := os.Readlink("/proc/self/fd/" + fd.Name()); err == nil && strings.HasPrefix(to, path) {
			t.Errorf("%s is still open", to)
		}
	}
}
