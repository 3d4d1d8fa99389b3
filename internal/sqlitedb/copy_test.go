package sqlitedb

import (
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
	if err := d.CopyTo(ctx, path); err == nil {
		t.Error("a copy over a file that is there succeeds")
	}
}
