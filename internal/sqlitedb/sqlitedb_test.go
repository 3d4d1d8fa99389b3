package sqlitedb

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

var steps = []string{
	`CREATE TABLE thing (name TEXT PRIMARY KEY); CREATE TABLE other (n INTEGER);`,
	`ALTER TABLE thing ADD COLUMN size INTEGER NOT NULL DEFAULT 7`,
}

func open(t *testing.T, path string) *DB {
	t.Helper()
	d, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func count(t *testing.T, d *DB) (n int) {
	t.Helper()
	if err := d.Read().QueryRowContext(t.Context(), `SELECT count(*) FROM thing`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestTx(t *testing.T) {
	d := open(t, filepath.Join(t.TempDir(), "a?b#c d.db")) // a name that is no URL
	ctx := t.Context()
	if err := d.Migrate(ctx, "x", steps); err != nil {
		t.Fatal(err)
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if info, err := os.Stat(d.path + suffix); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: others may read it: %v, %v", suffix, info, err)
		}
	}
	insert := func(t *Tx) error {
		_, err := t.Exec(`INSERT INTO thing (name) VALUES (?)`, "a")
		return err
	}
	boom := errors.New("boom")
	if err := d.Tx(ctx, func(t *Tx) error { return errors.Join(insert(t), boom) }); !errors.Is(err, boom) {
		t.Errorf("got %v, want boom", err)
	}
	func() {
		defer func() { _ = recover() }()
		_ = d.Tx(ctx, func(t *Tx) error { _ = insert(t); panic("boom") })
	}()
	if n := count(t, d); n != 0 {
		t.Errorf("%d rows stay of undone transactions", n)
	}
	if err := d.Tx(ctx, insert); err != nil {
		t.Fatal(err)
	}
	if err := d.Tx(ctx, insert); err == nil {
		t.Error("a broken constraint is no error")
	}
	if n := count(t, d); n != 1 {
		t.Errorf("%d rows, want 1", n)
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if err := d.Tx(ended, insert); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want canceled", err)
	}
	var mode string
	var sync int
	if err := d.conn.QueryRowContext(ctx, `PRAGMA journal_mode`).Scan(&mode); err != nil || mode != "wal" {
		t.Errorf("journal mode %q, %v", mode, err)
	}
	if err := d.conn.QueryRowContext(ctx, `PRAGMA synchronous`).Scan(&sync); err != nil || sync != 2 {
		t.Errorf("synchronous is %d, %v, want 2 (FULL)", sync, err)
	}
}

func TestMigrate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	ctx := t.Context()
	if _, err := OpenReader(ctx, path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("reading no file gives %v", err)
	}
	d := open(t, path)
	if err := d.Migrate(ctx, "x", steps[:1]); err != nil {
		t.Fatal(err)
	}
	if err := d.Tx(ctx, func(t *Tx) error {
		_, err := t.Exec(`INSERT INTO thing (name) VALUES ('kept')`)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	r, err := OpenReader(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := r.Migrate(ctx, "x", steps); !errors.Is(err, ErrOlder) {
		t.Errorf("a reader of an older file gets %v", err)
	}
	if err := r.Migrate(ctx, "other", steps); !errors.Is(err, ErrEmpty) {
		t.Errorf("a reader of what nobody has set up gets %v", err)
	}
	for range 2 { // the second has nothing to do
		if err := d.Migrate(ctx, "x", steps); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Migrate(ctx, "x", steps); err != nil {
		t.Error(err)
	}
	var size int
	if err := r.Read().QueryRowContext(ctx, `SELECT size FROM thing WHERE name = 'kept'`).Scan(&size); err != nil || size != 7 {
		t.Errorf("size %d, %v", size, err)
	}
	for _, d := range []*DB{d, r} {
		if err := d.Migrate(ctx, "x", steps[:1]); !errors.Is(err, ErrNewer) {
			t.Errorf("a newer file gives %v", err)
		}
	}
	if err := d.Migrate(ctx, "y", []string{`CREATE TABLE ok (n)`, `CREATE NONSENSE`}); err == nil {
		t.Error("a broken step is no error")
	}
	if v, err := d.version(ctx, "y"); v != 0 || err != nil {
		t.Errorf("a broken migration leaves version %d, %v", v, err)
	}
	if err := d.Migrate(ctx, "y", []string{`CREATE TABLE ok (n)`}); err != nil {
		t.Errorf("a broken migration leaves its first step behind: %v", err)
	}
	if err := r.Tx(ctx, func(*Tx) error { return nil }); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("writing through a reader gives %v", err)
	}
}
