package sqlitedb

import (
	"context"
	"os"
	"path/filepath"
	"testing"
)

func TestCopyTo(t *testing.T) {
	dir := t.TempDir()
	d := open(t, filepath.Join(dir, "a.db"))
	ctx := t.Context()
	if err := d.Migrate(ctx, "x", steps); err != nil {
		t.Fatal(err)
	}
	if err := d.Tx(ctx, func(tx *Tx) error { _, err := tx.Exec("INSERT INTO thing (name) VALUES ('a')"); return err }); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "b.db")
	if err := d.CopyTo(ctx, path); err != nil {
		t.Fatal(err)
	}
	if got := count(t, open(t, path)); got != 1 {
		t.Errorf("the copy has %d rows", got)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others may read the copy: %v, %v", info.Mode(), err)
	}
	if err := d.CopyTo(ctx, path); err == nil {
		t.Error("a copy over a file that is there succeeds")
	}
	if got := count(t, open(t, path)); got != 1 {
		t.Errorf("the refused copy left %d rows", got)
	}
	// What fails leaves nothing that could be taken for a copy.
	gone, cancel := context.WithCancel(ctx)
	cancel()
	half := filepath.Join(dir, "half.db")
	if err := d.CopyTo(gone, half); err == nil {
		t.Error("a copy that is cancelled succeeds")
	}
	if _, err := os.Stat(half); !os.IsNotExist(err) {
		t.Errorf("half a copy is left: %v", err)
	}
}
