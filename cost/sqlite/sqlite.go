// Package sqlite keeps bills, counts and facts in a SQLite file, state.db, beside
// whatever else is kept there.
//
// Amounts are three whole numbers: units, and billionths and billionths of those, so
// that SQLite adds them exactly. Lines that do not fit in there are added in Go.
package sqlite

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/yagura-sec/yagura/cost"
	"github.com/yagura-sec/yagura/internal/sqlitedb"
)

// Days and months are days since 1970, UTC; 0: none. Moments are microseconds.
var schema = []string{`
CREATE TABLE cost_file (
	id INTEGER PRIMARY KEY,
	file TEXT NOT NULL -- cost.File, JSON
);
CREATE TABLE cost_draft (id INTEGER PRIMARY KEY); -- the file that is being taken, if any
CREATE TABLE cost_service (
	id INTEGER PRIMARY KEY,
	provider TEXT NOT NULL, service TEXT NOT NULL, usage_type TEXT NOT NULL,
	security TEXT NOT NULL, -- id of the security service; '': none
	UNIQUE (provider, service, usage_type)
);
-- Lines of files that are neither held nor being taken are waste that the next import
-- clears away.
CREATE TABLE cost_line (
	file INTEGER NOT NULL, service INTEGER NOT NULL,
	month INTEGER NOT NULL, day INTEGER NOT NULL, kind TEXT NOT NULL,
	payer TEXT NOT NULL, account TEXT NOT NULL, operation TEXT NOT NULL, region TEXT NOT NULL, resource TEXT NOT NULL,
	currency TEXT NOT NULL, unit TEXT NOT NULL, lines INTEGER NOT NULL, -- rows of the bill
	amount INTEGER NOT NULL, amount_nano INTEGER NOT NULL, amount_atto INTEGER NOT NULL,
	quantity INTEGER NOT NULL, quantity_nano INTEGER NOT NULL, quantity_atto INTEGER NOT NULL,
	odd TEXT -- amount and quantity as they are, with a space between them, where the above do not hold them
);
CREATE INDEX cost_line_file ON cost_line (file);
CREATE TABLE cost_count (
	account TEXT NOT NULL, region TEXT NOT NULL, type TEXT NOT NULL, day INTEGER NOT NULL, basis TEXT NOT NULL,
	items INTEGER NOT NULL, resource_days INTEGER NOT NULL, low INTEGER NOT NULL, high INTEGER NOT NULL,
	PRIMARY KEY (account, region, type, day, basis)
) WITHOUT ROWID;
CREATE TABLE cost_fact (
	kind TEXT NOT NULL, account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL,
	at INTEGER NOT NULL, document BLOB NOT NULL,
	PRIMARY KEY (kind, account, region, name)
);
`}

// Store is a cost.Store in a SQLite file.
type Store struct{ db *sqlitedb.DB }

var _ cost.Store = (*Store)(nil)

// On keeps it in a file that is open, and stays its opener's to close. Of a file that
// is open for reading only and has nothing of it yet the error wraps
// sqlitedb.ErrEmpty.
func On(ctx context.Context, db *sqlitedb.DB) (*Store, error) {
	if err := db.Migrate(ctx, "cost", schema); err != nil {
		return nil, err
	}
	s := &Store{db}
	if db.ReadOnly() {
		return s, nil
	}
	return s, s.judge(ctx)
}

// judge says anew which services are there for security: a newer program may know
// more of them.
func (s *Store) judge(ctx context.Context) error {
	type row struct {
		id                                  int64
		provider, service, usage, is, wants string
	}
	var stale []row
	rows, err := s.db.Read().QueryContext(ctx, `SELECT id, provider, service, usage_type, security FROM cost_service`)
	if err != nil {
		return fmt.Errorf("read the services of bills: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var r row
		if err := rows.Scan(&r.id, &r.provider, &r.service, &r.usage, &r.is); err != nil {
			return fmt.Errorf("read the services of bills: %w", err)
		}
		if r.wants, _ = cost.Security(r.provider, r.service, r.usage); r.wants != r.is {
			stale = append(stale, r)
		}
	}
	if err := rows.Err(); err != nil || len(stale) == 0 {
		return err
	}
	return s.db.Tx(ctx, func(t *sqlitedb.Tx) error {
		for _, r := range stale {
			if _, err := t.Exec(`UPDATE cost_service SET security = ? WHERE id = ?`, r.wants, r.id); err != nil {
				return fmt.Errorf("judge service %s: %w", r.service, err)
			}
		}
		return nil
	})
}

const secondsOfDay = 24 * 60 * 60

func days(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix() / secondsOfDay
}

func dayTime(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(n*secondsOfDay, 0).UTC()
}

// files are those that are held, with their ids.
func files(query func(string, ...any) (rows, error)) (ids []int64, all []cost.File, err error) {
	rows, err := query(`SELECT id, file FROM cost_file ORDER BY json_extract(file, '$.name'), id`)
	if err != nil {
		return nil, nil, fmt.Errorf("list imported files: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		var text []byte
		var f cost.File
		if err = rows.Scan(&id, &text); err == nil {
			err = json.Unmarshal(text, &f)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("list imported files: %w", err)
		}
		ids, all = append(ids, id), append(all, f)
	}
	return ids, all, rows.Err()
}

// rows are those of a transaction or of a reading connection.
type rows interface {
	Next() bool
	Scan(...any) error
	Err() error
	Close() error
}

// Files is cost.Bills'.
func (s *Store) Files(ctx context.Context) ([]cost.File, error) {
	_, all, err := files(func(q string, args ...any) (rows, error) { return s.db.Read().QueryContext(ctx, q, args...) })
	return all, err
}

// Note is cost.Store's.
func (s *Store) Note(ctx context.Context, f cost.File) error {
	text, err := json.Marshal(f)
	if err != nil {
		return err
	}
	err = s.db.Tx(ctx, func(t *sqlitedb.Tx) error {
		if _, err := t.Exec(`DELETE FROM cost_file WHERE json_extract(file, '$.holds') = ? AND (json_extract(file, '$.fingerprint') = ? OR json_extract(file, '$.name') = ?)`,
			f.Holds, f.Fingerprint, f.Name); err != nil {
			return err
		}
		id, err := nextFile(t)
		if err != nil {
			return err
		}
		_, err = t.Exec(`INSERT INTO cost_file VALUES (?, ?)`, id, string(text))
		return err
	})
	if err != nil {
		return fmt.Errorf("remember file %s: %w", f.Name, err)
	}
	return nil
}

// nextFile is an id that no file or line has.
func nextFile(t *sqlitedb.Tx) (id int64, err error) {
	err = t.Scan(`SELECT 1 + max((SELECT coalesce(max(id), 0) FROM cost_file), (SELECT coalesce(max(id), 0) FROM cost_draft), (SELECT coalesce(max(file), 0) FROM cost_line))`, nil, &id)
	return id, err
}
