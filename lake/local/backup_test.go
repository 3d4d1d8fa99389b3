package local

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/lake/laketest"
)

// filled is a store with a batch at rest.
func filled(t *testing.T, dir string) plain {
	t.Helper()
	s := open(t, dir, Options{Linger: -1})
	s.put(t, laketest.Batch("o", "v1", laketest.NewMaker(61).Events(20, laketest.Day, time.Hour)...), true)
	return s
}

// TestBackupTarget: where no copy is made, and who may read one.
func TestBackupTarget(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	s := filled(t, dir)
	defer s.close(t)
	link := filepath.Join(other, "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	for _, to := range []string{dir, filepath.Join(dir, "copy"), filepath.Join(dir, "events", "a", "b"), filepath.Join(link, "copy")} {
		if err := s.Backup(ctx, to); err == nil {
			t.Errorf("backed up to %s, into itself", to)
		}
		if entries, err := os.ReadDir(filepath.Join(dir, "copy")); err == nil {
			t.Errorf("%s has %v", to, entries)
		}
	}
	to := filepath.Join(other, "copy")
	if err := os.Mkdir(to, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := s.Backup(ctx, to); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(to, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: others may read it: %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// TestBackupHalf: a copy that was not finished is not taken for one.
func TestBackupHalf(t *testing.T) {
	s := filled(t, t.TempDir())
	defer s.close(t)
	to := filepath.Join(t.TempDir(), "copy")
	stopped := errors.New("stopped")
	err := s.BackupWith(ctx, to, func(func() error) error {
		if entries, err := os.ReadDir(to); err != nil || len(entries) > 0 {
			t.Errorf("the rest comes after %v, %v", entries, err)
		}
		return stopped
	})
	if !errors.Is(err, stopped) {
		t.Errorf("got %v", err)
	}
	if err := s.Backup(ctx, to); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(to, "format")); err != nil { // it comes last
		t.Fatal(err)
	}
	if _, err := Open(to, Options{}); !errors.Is(err, ErrHalf) {
		t.Errorf("opened for writing: %v", err)
	}
	if _, err := Open(to, Options{ReadOnly: true}); err == nil {
		t.Error("opened for reading")
	}
}

func TestEmpty(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	defer s.close(t)
	if empty, err := s.Empty(ctx); !empty || err != nil {
		t.Errorf("a new lake: %v, %v", empty, err)
	}
	s.put(t, laketest.Batch("o", "v1", laketest.NewMaker(62).Events(1, laketest.Day, time.Hour)...), false)
	if empty, err := s.Empty(ctx); empty || err != nil {
		t.Errorf("with a batch: %v, %v", empty, err)
	}
}
