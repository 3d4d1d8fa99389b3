// Package sqlite keeps what was sent in a SQLite file, state.db, beside whatever
// else is kept there.
package sqlite

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/yagura-sec/yagura/export"
	"github.com/yagura-sec/yagura/internal/sqlitedb"
)

var schema = []string{`
CREATE TABLE export_sent (
	output TEXT NOT NULL, key TEXT NOT NULL, -- of a finding, as it was sent
	revision TEXT NOT NULL,
	PRIMARY KEY (output, key)
) WITHOUT ROWID;
`}

// Outbox is an export.Outbox in a SQLite file.
type Outbox struct{ db *sqlitedb.DB }

var _ export.Outbox = (*Outbox)(nil)

// On keeps it in a file that is open, and stays its opener's to close.
func On(ctx context.Context, db *sqlitedb.DB) (*Outbox, error) {
	if err := db.Migrate(ctx, "export", schema); err != nil {
		return nil, err
	}
	return &Outbox{db}, nil
}

// Sent gives what was acknowledged; see export.Outbox.
func (o *Outbox) Sent(ctx context.Context, output string, keys []string) (map[string]string, error) {
	text, err := json.Marshal(keys)
	if err != nil {
		return nil, err
	}
	rows, err := o.db.Read().QueryContext(ctx, `SELECT key, revision FROM export_sent WHERE output = ? AND key IN (SELECT value FROM json_each(?))`, output, string(text))
	if err != nil {
		return nil, fmt.Errorf("what %s was sent: %w", output, err)
	}
	defer rows.Close()
	out := map[string]string{}
	for rows.Next() {
		var key, revision string
		if err := rows.Scan(&key, &revision); err != nil {
			return nil, fmt.Errorf("what %s was sent: %w", output, err)
		}
		out[key] = revision
	}
	return out, rows.Err()
}

// Mark keeps what was acknowledged; see export.Outbox.
func (o *Outbox) Mark(ctx context.Context, output string, revisions map[string]string) error {
	return o.db.Tx(ctx, func(t *sqlitedb.Tx) error {
		for key, revision := range revisions {
			if _, err := t.Exec(`INSERT INTO export_sent VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET revision = excluded.revision`, output, key, revision); err != nil {
				return fmt.Errorf("keep that %s was sent %s: %w", output, key, err)
			}
		}
		return nil
	})
}
