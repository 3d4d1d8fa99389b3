package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"github.com/yagura-sec/yagura/internal/sqlitedb"
	"github.com/yagura-sec/yagura/lake"
)

var _ lake.Backuper = (*Store)(nil)

// Backup implements lake.Backuper. Segments never change, so they are linked
// where dir is on the same file system and copied where it is not. The file
// format is written last: without it nothing opens dir.
func (s *Store) Backup(ctx context.Context, dir string) error {
	return s.BackupWith(ctx, dir, func(list func() error) error { return list() })
}

// BackupWith is Backup for a directory that holds more than the lake: moment
// copies the rest into dir and calls list, which copies the list of segments,
// while no batch is under way. The segments themselves are copied afterwards,
// when batches may go on.
func (s *Store) BackupWith(ctx context.Context, dir string, moment func(list func() error) error) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("back up to %s: %w", dir, err)
		}
	}()
	if err := s.checkTarget(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if entries, err := os.ReadDir(dir); err != nil {
		return err
	} else if len(entries) > 0 {
		return errors.New("the folder is not empty")
	}
	// It may have been there, open to all. Where it cannot be closed (another
	// owner, a file system without modes), the files in it still are.
	_ = os.Chmod(dir, 0o700)
	// Nothing is unlinked meanwhile. Batches go on arriving: what lake.db lists
	// as of its copy is on disk already.
	s.maint.Lock()
	defer s.maint.Unlock()
	err = moment(func() error {
		if s.lock != nil {
			// The rest may count on releases that lake.db does not know yet.
			if err := s.settleReleases(); err != nil {
				return err
			}
		}
		return s.db.CopyTo(ctx, filepath.Join(dir, "lake.db"))
	})
	if err != nil {
		return err
	}
	paths, err := listedFiles(ctx, filepath.Join(dir, "lake.db"))
	if err != nil {
		return err
	}
	dirs := map[string]bool{}
	for _, path := range paths {
		if err := ctx.Err(); err != nil {
			return err
		}
		to := filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			return err
		}
		if err := linkOrCopy(filepath.Join(s.dir, path), to); err != nil {
			return err
		}
		dirs[filepath.Dir(to)], dirs[filepath.Dir(filepath.Dir(to))] = true, true
	}
	for d := range dirs {
		if err := syncDir(d); err != nil {
			return err
		}
	}
	return writeFileSync(filepath.Join(dir, "format"), []byte(strconv.Itoa(layoutVersion)+"\n"))
}

// checkTarget refuses a folder in the directory itself: the next sweep would
// take what is there for leftovers.
func (s *Store) checkTarget(dir string) error {
	target, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	own, err := os.Stat(s.dir)
	if err != nil {
		return err
	}
	// By what the folders are, not by how links make them look.
	if to, err := filepath.EvalSymlinks(existing(target)); err == nil {
		target = to
	}
	for at := target; ; at = filepath.Dir(at) {
		if info, err := os.Stat(at); err == nil && os.SameFile(info, own) {
			return fmt.Errorf("the folder is in the data directory %s itself", s.dir)
		}
		if at == filepath.Dir(at) {
			return nil
		}
	}
}

// existing is the longest part of an absolute path that is there.
func existing(path string) string {
	for {
		if _, err := os.Lstat(path); err == nil || path == filepath.Dir(path) {
			return path
		}
		path = filepath.Dir(path)
	}
}

// Empty tells whether no batch was ever stored.
func (s *Store) Empty(ctx context.Context) (empty bool, err error) {
	err = s.db.Read().QueryRowContext(ctx, `SELECT NOT EXISTS (SELECT 1 FROM batch) AND NOT EXISTS (SELECT 1 FROM segment)
		AND NOT EXISTS (SELECT 1 FROM usage_segment)`).Scan(&empty)
	if err != nil {
		return false, fmt.Errorf("lake.db: %w", err)
	}
	return empty, nil
}

// listedFiles is the live files by a copy of lake.db.
func listedFiles(ctx context.Context, path string) (paths []string, err error) {
	db, err := sqlitedb.OpenReader(ctx, path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	rows, err := db.Read().QueryContext(ctx, `SELECT path FROM segment WHERE dropped IS NULL
		UNION ALL SELECT path FROM usage_segment WHERE dropped IS NULL`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var p string
		if err := rows.Scan(&p); err != nil {
			return nil, err
		}
		paths = append(paths, p)
	}
	return paths, rows.Err()
}

func linkOrCopy(from, to string) error {
	err := os.Link(from, to)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return err
	}
	// Another file system, or one without links.
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}
