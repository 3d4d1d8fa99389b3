package sqlitedb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// CopyTo writes a consistent copy of the file, as of one moment, to a path
// where there is none yet, for its owner alone to read. It is durable when
// CopyTo returns, and nothing is left of it after an error. Writers go on
// meanwhile.
func (d *DB) CopyTo(ctx context.Context, path string) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("copy %s to %s: %w", d.path, path, err)
		}
	}()
	// Made here and not by SQLite, which would let everybody read it.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		// SQLite leaves it to the kernel when the copy reaches the disk.
		if err == nil {
			err = f.Sync()
		}
		err = errors.Join(err, f.Close())
		if err == nil {
			err = syncDir(filepath.Dir(path))
		} else {
			err = errors.Join(err, os.Remove(path))
		}
	}()
	// The connections that read refuse to write anything, a copy included.
	db, err := connect(ctx, d.path, 1, "_pragma=busy_timeout(10000)")
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, `VACUUM INTO ?`, path)
	return errors.Join(err, db.Close())
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
