package sqlitedb

import (
	"context"
	"fmt"
)

// CopyTo writes a consistent copy of the file, as of one moment, to a path
// where there is none yet. Writers go on meanwhile.
func (d *DB) CopyTo(ctx context.Context, path string) error {
	// The connections that read refuse to write anything, a copy included.
	db, err := connect(ctx, d.path, 1, "_pragma=busy_timeout(10000)")
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, `VACUUM INTO ?`, path); err != nil {
		return fmt.Errorf("copy %s to %s: %w", d.path, path, err)
	}
	return nil
}
