package sqlite

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/internal/sqlitedb"
)

// Compact is triage.Compacter's. It works in short transactions, so that
// recording goes on beside it; where it ends early, what it did stays done.
func (s *Store) Compact(ctx context.Context, released func(event.BatchID) bool) (saved int64, err error) {
	batches, err := s.batches(ctx, released)
	if err != nil {
		return 0, fmt.Errorf("compact findings: %w", err)
	}
	for chunk := range slices.Chunk(batches, 1000) {
		err := s.db.Tx(ctx, func(t *sqlitedb.Tx) error {
			for _, batch := range chunk {
				if _, err := t.Exec(`DELETE FROM judged WHERE batch = ?`, batch[:]); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return saved, fmt.Errorf("compact findings: %w", err)
		}
	}
	keys, err := s.crowded(ctx)
	if err != nil {
		return saved, fmt.Errorf("compact findings: %w", err)
	}
	for _, key := range keys {
		err := s.db.Tx(ctx, func(t *sqlitedb.Tx) error {
			n, err := compact(t, key)
			saved += n
			return err
		})
		if err != nil {
			return saved, fmt.Errorf("compact finding %s: %w", key, err)
		}
	}
	return saved, nil
}

// batches that are remembered and released.
func (s *Store) batches(ctx context.Context, released func(event.BatchID) bool) (out []event.BatchID, err error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT batch FROM judged`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var b []byte
		if err := rows.Scan(&b); err != nil {
			return nil, err
		}
		var id event.BatchID
		copy(id[:], b)
		if released(id) {
			out = append(out, id)
		}
	}
	return out, rows.Err()
}

// settledOnly chooses occurrences of batches that are never recorded again.
// Those of hunters stay as they are: one a key and hour is few.
const settledOnly = ` hunter = '' AND NOT EXISTS (SELECT 1 FROM judged j WHERE j.batch = o.batch)`

// crowded are the keys with several such occurrences of one day.
func (s *Store) crowded(ctx context.Context) (keys []string, err error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT DISTINCT key FROM (SELECT key FROM occurrence o WHERE`+settledOnly+
		` GROUP BY key, since, until HAVING count(*) > 1)`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var key string
		if err := rows.Scan(&key); err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, rows.Err()
}

// span is what occurrences are of that may be put together: a day, or what was
// one occurrence before they were of days.
type span struct{ since, until time.Time }

// compact merges such occurrences of a key, a day each. What is merged bears
// the batch of the latest, so that folding chooses as it did before.
func compact(t *sqlitedb.Tx, key string) (saved int64, err error) {
	rows, err := t.Query(`SELECT `+occurrenceColumns+` FROM occurrence o WHERE key = ? AND`+settledOnly, key)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	merged := map[span]finding.Occurrence{}
	parts := map[span][]event.BatchID{}
	for rows.Next() {
		var o finding.Occurrence
		if err := scanOccurrence(rows.Scan, &o); err != nil {
			return 0, err
		}
		at := span{o.Since, o.Until}
		parts[at] = append(parts[at], o.Batch)
		if sum, some := merged[at]; some {
			o.Merge(sum)
		}
		merged[at] = o
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return 0, err
	}
	for at, sum := range merged {
		if len(parts[at]) < 2 {
			continue
		}
		for _, batch := range parts[at] {
			_, err := t.Exec(`DELETE FROM occurrence WHERE key = ? AND batch = ? AND hunter = '' AND since = ? AND until = ?`,
				key, batch[:], at.since.UnixMicro(), at.until.UnixMicro())
			if err != nil {
				return 0, err
			}
		}
		args, err := occurrenceArgs(&sum)
		if err != nil {
			return 0, err
		}
		if _, err := t.Exec(putOccurrence, args...); err != nil {
			return 0, err
		}
		saved += int64(len(parts[at]) - 1)
	}
	return saved, nil
}
