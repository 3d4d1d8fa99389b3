// Package local keeps events and usage in a directory of one machine: Parquet
// segments as the truth, lake.db (SQLite) as the list of them, DuckDB to query.
//
//	DIR/format                     version of the layout
//	DIR/lock                       held by the one writing process
//	DIR/readers                    held, shared, by processes that read beside it
//	DIR/lake.db                    segments, batches
//	DIR/events/2026-11-21/*.parquet  one folder a UTC day of event time
//	DIR/usage/2026-11/*.parquet      one folder a UTC month
//
// A file counts only while lake.db lists it, so every change is: write new
// files, list them (and unlist the old ones) in one transaction, unlink the old
// ones later. Whatever stops in between leaves unlisted files, which the next
// writer sweeps.
package local

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/sqlitedb"
	"github.com/yagura-sec/yagura/usage"
)

// Errors a caller may act on.
var (
	// ErrLocked: another process writes to the directory.
	ErrLocked = errors.New("in use by another yagura process")
	// ErrReadOnly: the store was opened for reading.
	ErrReadOnly = errors.New("opened for reading only")
	// ErrSpace: intake stopped because the disk is nearly full.
	ErrSpace = errors.New("too little free space")
	// ErrLayout: the directory was written by a newer yagura.
	ErrLayout = errors.New("written by a newer yagura")
	// ErrHalf: the directory is a backup that was not finished.
	ErrHalf = errors.New("a backup that was not finished, or a damaged directory: the file format is missing")
)

// Options of Open. The zero value is a writer with the defaults.
type Options struct {
	// ReadOnly opens without the lock, beside a writer if there is one.
	ReadOnly bool
	// MinFree is the free space in bytes below which Append refuses; 0 means
	// 512 MiB, negative no floor.
	MinFree int64
	// Linger is how long a replaced or expired file stays on disk for the
	// queries that still read it: the longest allowed query and a margin. 0
	// means 10 minutes, negative none.
	Linger time.Duration
	// MaxResources is the cap of usage.Fold; 0 means usage.DefaultMax.
	MaxResources int
	// CacheBytes bounds the memory for telling duplicates; 0 means 64 MiB.
	CacheBytes int64
	// Query bounds what queries take.
	Query QueryOptions
	// SQL bounds what analysts' statements take.
	SQL SQLLimits
	// Now is the clock of ingest bookkeeping; nil means time.Now.
	Now func() time.Time

	// fault is called between the steps of every change; tests stop there.
	fault func(step string) error
	// noSync leaves segments to the kernel's own time; only for tests.
	noSync bool
}

// Store is a lake in one directory. Its methods may be called from several
// goroutines.
type Store struct {
	dir  string
	opt  Options
	db   *sqlitedb.DB
	lock *os.File // nil when reading only

	reading *os.File // says that this process reads; nil in a writer
	ready   bool     // Open succeeded

	write sync.Mutex // one transaction at a time
	maint sync.Mutex // one of merge, expire, rewrite, rebuild at a time

	mu   sync.RWMutex // guards the two below
	list catalog
	// releasing is batches whose release lake.db does not know yet.
	releasing []event.BatchID

	flight   flights
	duck     duck
	children children
	tables   tableCache
	hourly   hourly
}

// Open opens the lake in dir, making it unless opt.ReadOnly.
func Open(dir string, opt Options) (_ *Store, err error) {
	dir, err = filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open lake: %w", err)
	}
	s := &Store{dir: dir, opt: opt.withDefaults()}
	defer func() {
		if err != nil {
			s.Close()
			err = fmt.Errorf("open lake %s: %w", dir, err)
		}
	}()
	s.flight.init()
	s.tables.init(s.opt.CacheBytes)
	if opt.ReadOnly {
		s.attend() // before the list is read
	} else if err := s.acquire(); err != nil {
		return nil, err
	}
	if err := s.checkFormat(); err != nil {
		return nil, err
	}
	if err := s.openDB(context.Background()); err != nil {
		return nil, err
	}
	if err := s.load(context.Background()); err != nil {
		return nil, err
	}
	if !opt.ReadOnly {
		if err := s.sweep(); err != nil {
			return nil, err
		}
	}
	s.ready = true
	return s, nil
}

func (o Options) withDefaults() Options {
	if o.MinFree == 0 {
		o.MinFree = 512 << 20
	}
	if o.Linger == 0 {
		o.Linger = 10 * time.Minute
	}
	if o.MaxResources == 0 {
		o.MaxResources = usage.DefaultMax
	}
	if o.CacheBytes == 0 {
		o.CacheBytes = 64 << 20
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.fault == nil {
		o.fault = func(string) error { return nil }
	}
	return o
}

// Close releases the directory. Appends and queries must have ended.
func (s *Store) Close() error {
	errs := []error{s.duck.close()}
	if s.db != nil && s.lock != nil {
		errs = append(errs, s.settleReleases())
	}
	if s.ready && s.lock != nil {
		errs = append(errs, s.leave(context.Background()))
	}
	if s.db != nil {
		errs = append(errs, s.db.Close())
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Close()) // closing gives up the lock
	}
	if s.reading != nil {
		errs = append(errs, s.reading.Close())
	}
	return errors.Join(errs...)
}

// acquire makes the directory and takes its lock.
func (s *Store) acquire() error {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(s.dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		holder, _ := os.ReadFile(f.Name()) // only makes the message better
		f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return fmt.Errorf("%w (pid %s)", ErrLocked, strings.TrimSpace(string(holder)))
		}
		return fmt.Errorf("lock: %w", err)
	}
	s.lock = f
	// The pid is for people; the lock itself is the kernel's.
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

// checkFormat refuses a newer layout and writes the version of a new directory.
func (s *Store) checkFormat() error {
	path := filepath.Join(s.dir, "format")
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if s.opt.ReadOnly {
			return fmt.Errorf("no lake there: %w", fs.ErrNotExist)
		}
		// The version comes first into a new directory and last into a copy.
		if _, err := os.Stat(filepath.Join(s.dir, "lake.db")); err == nil {
			return ErrHalf
		}
		return writeFileSync(path, []byte(strconv.Itoa(layoutVersion)+"\n"))
	}
	if err != nil {
		return err
	}
	v, err := strconv.Atoi(strings.TrimSpace(string(b)))
	switch {
	case err != nil || v < 1:
		return fmt.Errorf("%s holds %q, not a version", path, b)
	case v > layoutVersion:
		return fmt.Errorf("%w: layout %d, this program knows up to %d", ErrLayout, v, layoutVersion)
	}
	// Version 1 is the first, so there is nothing older to migrate.
	return nil
}

// writeFileSync replaces a file durably.
func writeFileSync(path string, data []byte) error {
	f, err := os.OpenFile(path+".tmp", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(path+".tmp", path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// checkSpace refuses to write so many bytes if that would leave less than the
// floor, before the disk is full.
func (s *Store) checkSpace(bytes int64, what string) error {
	if s.opt.MinFree < 0 {
		return nil
	}
	var st unix.Statfs_t
	if err := unix.Statfs(s.dir, &st); err != nil {
		return fmt.Errorf("free space of %s: %w", s.dir, err)
	}
	if free := int64(st.Bavail) * int64(st.Bsize); free-bytes < s.opt.MinFree {
		return fmt.Errorf("%w: %s has %d MB free, below the floor of %d MB: %s stopped",
			ErrSpace, s.dir, free>>20, (s.opt.MinFree+bytes)>>20, what)
	}
	return nil
}
