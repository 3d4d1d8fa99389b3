// Package sqlite keeps the ledger in a SQLite file, state.db, beside whatever
// else is kept there.
//
// An object's whole account is one row: a real bucket has six records a file,
// and a row each for its spans would be most of the work of settling a batch.
package sqlite

import (
	"context"
	"fmt"

	"github.com/klauspost/compress/zstd"

	"github.com/yagura-sec/yagura/internal/sqlitedb"
	"github.com/yagura-sec/yagura/ledger"
)

// Times are microseconds since 1970, UTC; 0 in "read" means not yet.
var schema = []string{`
CREATE TABLE object (
	name TEXT NOT NULL, version TEXT NOT NULL, kind TEXT NOT NULL, size INTEGER NOT NULL,
	listed INTEGER NOT NULL, read INTEGER NOT NULL,
	state TEXT NOT NULL,   -- as the account says, to choose by
	account TEXT NOT NULL, -- ledger.Account
	PRIMARY KEY (name, version)
) WITHOUT ROWID;
CREATE TABLE total (
	objects INTEGER NOT NULL, read INTEGER NOT NULL, stored INTEGER NOT NULL, duplicate INTEGER NOT NULL,
	quarantined INTEGER NOT NULL, expired INTEGER NOT NULL,
	quarantine_bytes INTEGER NOT NULL -- of the bodies kept
);
INSERT INTO total VALUES (0, 0, 0, 0, 0, 0, 0);
CREATE TABLE settled (id INTEGER PRIMARY KEY AUTOINCREMENT, batch BLOB NOT NULL UNIQUE);
CREATE TABLE reject (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	object TEXT NOT NULL, version TEXT NOT NULL, position INTEGER NOT NULL,
	reason TEXT NOT NULL, format TEXT NOT NULL, size INTEGER NOT NULL, received INTEGER NOT NULL,
	dropped INTEGER NOT NULL, -- the body was not kept
	body BLOB,                -- zstd
	UNIQUE (object, version, position)
);
CREATE TABLE coverage (
	account TEXT NOT NULL, region TEXT NOT NULL, hour INTEGER NOT NULL, -- seconds since 1970
	records INTEGER NOT NULL,
	PRIMARY KEY (account, region, hour)
) WITHOUT ROWID;
CREATE TABLE digest (
	object TEXT PRIMARY KEY, account TEXT NOT NULL, region TEXT NOT NULL, ends INTEGER NOT NULL,
	digest TEXT NOT NULL -- event.Digest, JSON
) WITHOUT ROWID;
CREATE INDEX digest_order ON digest (account, region, ends, object);
`}

// Store is a ledger in a SQLite file.
type Store struct {
	db  *sqlitedb.DB
	own bool // Close closes db
	opt ledger.Options
	enc *zstd.Encoder
	dec *zstd.Decoder
}

var _ ledger.Store = (*Store)(nil)

// Open opens or creates the file for writing. One process at a time may.
func Open(ctx context.Context, path string, opt ledger.Options) (*Store, error) {
	db, err := sqlitedb.Open(ctx, path)
	return owned(ctx, db, err, opt)
}

// OpenReader opens an existing file for reading, beside a process that writes.
func OpenReader(ctx context.Context, path string) (*Store, error) {
	db, err := sqlitedb.OpenReader(ctx, path)
	return owned(ctx, db, err, ledger.Options{})
}

func owned(ctx context.Context, db *sqlitedb.DB, err error, opt ledger.Options) (*Store, error) {
	if err != nil {
		return nil, err
	}
	s, err := On(ctx, db, opt)
	if err != nil {
		_ = db.Close() // nothing was written: the first error says it all
		return nil, err
	}
	s.own = true
	return s, nil
}

// On uses a file that is open already and that the caller closes after s.
func On(ctx context.Context, db *sqlitedb.DB, opt ledger.Options) (*Store, error) {
	if err := db.Migrate(ctx, "ledger", schema); err != nil {
		return nil, err
	}
	opt.Fill()
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return nil, fmt.Errorf("open the ledger: %w", err)
	}
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(64<<20))
	if err != nil {
		return nil, fmt.Errorf("open the ledger: %w", err)
	}
	return &Store{db: db, opt: opt, enc: enc, dec: dec}, nil
}

// Close closes the file, unless it was opened elsewhere.
func (s *Store) Close() error {
	s.dec.Close()
	if !s.own {
		return nil
	}
	return s.db.Close()
}
