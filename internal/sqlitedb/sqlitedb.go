// Package sqlitedb opens SQLite files the way every store of ours wants them:
// WAL, durable at commit, one writer at a time, schemas with versions.
package sqlitedb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"sync"

	_ "modernc.org/sqlite" // the "sqlite" driver, without cgo
)

// ErrNewer: the file was written by a newer version of the program.
var ErrNewer = errors.New("written by a newer version of Yagura")

// ErrOlder: the file waits for a writing command to bring its schema up to date.
var ErrOlder = errors.New("written by an older version of Yagura: run any writing command, such as ingest, once to update it")

// ErrEmpty: nothing was written to the file yet; the first writer was
// interrupted, or is at it.
var ErrEmpty = errors.New("not set up yet")

// DB is one SQLite file: a single connection that writes and a few that read
// beside it. Several stores may share a DB; then they queue for the writing
// connection in this process rather than poll SQLite's lock.
type DB struct {
	path     string
	readOnly bool

	read  *sql.DB
	write *sql.DB // nil when readOnly

	mu    sync.Mutex           // held during a write transaction; guards the two below
	conn  *sql.Conn            // the only one of write
	stmts map[string]*sql.Stmt // prepared on conn, by their text
}

// readers is how many connections read at once.
const readers = 4

// Open opens or creates the file for writing and reading. At most one process
// may have it open for writing; the caller sees to that.
func Open(ctx context.Context, path string) (*DB, error) {
	d := &DB{path: path, stmts: map[string]*sql.Stmt{}}
	// Made here and not by SQLite, which would let everybody read it; its
	// companions take over the mode.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	// The writer comes first: it makes the file and sets its journal mode.
	if d.write, err = connect(ctx, path, 1, "_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)"+
		"&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)&_pragma=cache_size(-16384)&_pragma=temp_store(2)&_pragma=wal_autocheckpoint(4000)"); err != nil {
		return nil, err
	}
	if d.conn, err = d.write.Conn(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), d.write.Close())
	}
	if d.read, err = connect(ctx, path, readers, reading); err != nil {
		return nil, errors.Join(err, d.write.Close())
	}
	return d, nil
}

// OpenReader opens an existing file for reading while another process may be
// writing to it; the error wraps fs.ErrNotExist where there is none.
func OpenReader(ctx context.Context, path string) (*DB, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	read, err := connect(ctx, path, readers, reading)
	if err != nil {
		return nil, err
	}
	return &DB{path: path, readOnly: true, read: read}, nil
}

const reading = "_pragma=busy_timeout(10000)&_pragma=query_only(1)&_pragma=cache_size(-16384)"

func connect(ctx context.Context, path string, conns int, query string) (*sql.DB, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	// As a URL, so that ? and # in a folder's name mean themselves.
	dsn := (&url.URL{Scheme: "file", Path: filepath.ToSlash(abs), RawQuery: query}).String()
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	if err := db.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), db.Close())
	}
	return db, nil
}

// Read is the pool of connections that read; each query sees one moment.
func (d *DB) Read() *sql.DB { return d.read }

// ReadOnly tells whether the file was opened for reading only.
func (d *DB) ReadOnly() bool { return d.readOnly }

// Close closes every connection.
func (d *DB) Close() error {
	if d.write == nil {
		return d.read.Close()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	// SQLite keeps a closed connection's files open until its statements are
	// closed, and database/sql does not close those prepared on a Conn.
	var errs []error
	for _, s := range d.stmts {
		errs = append(errs, s.Close())
	}
	return errors.Join(append(errs, d.read.Close(), d.conn.Close(), d.write.Close())...)
}

// Tx runs f in a write transaction that is durable when Tx returns nil and
// leaves nothing behind otherwise. It waits for other writers. Once begun it is
// not interrupted by ctx: f is to be short.
func (d *DB) Tx(ctx context.Context, f func(t *Tx) error) (err error) {
	if d.readOnly {
		return fmt.Errorf("write to %s: %w", d.path, fs.ErrPermission)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	// Without a cancellation to watch the driver needs no goroutine a statement.
	t := &Tx{d, context.WithoutCancel(ctx)}
	if _, err := t.Exec("BEGIN IMMEDIATE"); err != nil {
		return fmt.Errorf("begin on %s: %w", d.path, err)
	}
	committed := false
	defer func() { // also when f panics
		if !committed {
			// After some errors (a full disk) SQLite has rolled back by itself, and
			// this then finds no transaction: nothing is left either way.
			_, _ = t.Exec("ROLLBACK")
		}
	}()
	if err := f(t); err != nil {
		return err
	}
	if _, err := t.Exec("COMMIT"); err != nil {
		return fmt.Errorf("commit to %s: %w", d.path, err)
	}
	committed = true
	return nil
}

// Tx is a write transaction. Each text of a statement is prepared once a DB, so
// texts are constants or few.
type Tx struct {
	db  *DB
	ctx context.Context
}

func (t *Tx) stmt(query string) (*sql.Stmt, error) {
	if s, ok := t.db.stmts[query]; ok {
		return s, nil
	}
	s, err := t.db.conn.PrepareContext(t.ctx, query)
	if err != nil {
		return nil, err
	}
	t.db.stmts[query] = s
	return s, nil
}

// Exec runs a statement that returns no rows.
func (t *Tx) Exec(query string, args ...any) (sql.Result, error) {
	s, err := t.stmt(query)
	if err != nil {
		return nil, err
	}
	return s.ExecContext(t.ctx, args...)
}

// Query runs a statement that returns rows, which the caller closes before it
// uses the transaction again.
func (t *Tx) Query(query string, args ...any) (*sql.Rows, error) {
	s, err := t.stmt(query)
	if err != nil {
		return nil, err
	}
	return s.QueryContext(t.ctx, args...)
}

// Scan reads the only row of a query; sql.ErrNoRows when there is none.
func (t *Tx) Scan(query string, args []any, into ...any) error {
	s, err := t.stmt(query)
	if err != nil {
		return err
	}
	return s.QueryRowContext(t.ctx, args...).Scan(into...)
}

// Migrate brings the part of the file that component owns up to date: step i
// leads from version i to i+1, and all missing steps are one transaction. A
// file of a newer version is refused with ErrNewer; a file open only for
// reading is not changed but refused with ErrOlder, or ErrEmpty.
func (d *DB) Migrate(ctx context.Context, component string, steps []string) error {
	if d.readOnly {
		version, err := d.version(ctx, component)
		switch {
		case err != nil:
			return fmt.Errorf("read the version of %s in %s: %w", component, d.path, err)
		case version > len(steps):
			return fmt.Errorf("%s in %s has version %d, known is %d: %w", component, d.path, version, len(steps), ErrNewer)
		case version == 0 && len(steps) > 0:
			return fmt.Errorf("%s in %s: %w", component, d.path, ErrEmpty)
		case version < len(steps):
			return fmt.Errorf("%s in %s has version %d, wanted is %d: %w", component, d.path, version, len(steps), ErrOlder)
		}
		return nil
	}
	return d.Tx(ctx, func(t *Tx) error {
		const table = `CREATE TABLE IF NOT EXISTS schema_version (component TEXT PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID`
		if _, err := t.db.conn.ExecContext(t.ctx, table); err != nil {
			return fmt.Errorf("migrate %s in %s: %w", component, d.path, err)
		}
		var version int
		err := t.db.conn.QueryRowContext(t.ctx, `SELECT version FROM schema_version WHERE component = ?`, component).Scan(&version)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("migrate %s in %s: %w", component, d.path, err)
		}
		if version > len(steps) {
			return fmt.Errorf("%s in %s has version %d, known is %d: %w", component, d.path, version, len(steps), ErrNewer)
		}
		for ; version < len(steps); version++ {
			if _, err := t.db.conn.ExecContext(t.ctx, steps[version]); err != nil {
				return fmt.Errorf("migrate %s in %s to version %d: %w", component, d.path, version+1, err)
			}
		}
		_, err = t.db.conn.ExecContext(t.ctx, `INSERT INTO schema_version VALUES (?, ?) ON CONFLICT DO UPDATE SET version = excluded.version`, component, version)
		return err
	})
}

func (d *DB) version(ctx context.Context, component string) (int, error) {
	var version int
	err := d.read.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_schema WHERE name = 'schema_version'`).Scan(&version)
	if err != nil || version == 0 {
		return 0, err
	}
	err = d.read.QueryRowContext(ctx, `SELECT version FROM schema_version WHERE component = ?`, component).Scan(&version)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return version, err
}
