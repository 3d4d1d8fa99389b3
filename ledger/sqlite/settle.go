package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/sqlitedb"
	"github.com/yagura-sec/yagura/ledger"
)

// chunk is how many rows one statement writes: the driver's work a statement is
// then shared. What is left over goes row by row.
const chunk = 32

// rows is the list of n times the placeholders of one row.
func rows(n, columns int) string {
	row := "(" + strings.Repeat("?,", columns-1) + "?)"
	return strings.Repeat(row+",", n-1) + row
}

const objectColumns = 8

var (
	listOne   = `INSERT OR IGNORE INTO object VALUES ` + rows(1, objectColumns)
	listMany  = `INSERT OR IGNORE INTO object VALUES ` + rows(chunk, objectColumns)
	onObject  = ` ON CONFLICT DO UPDATE SET kind = excluded.kind, size = excluded.size, listed = excluded.listed, read = excluded.read, state = excluded.state, account = excluded.account`
	putOne    = `INSERT OR FAIL INTO object VALUES ` + rows(1, objectColumns) + onObject
	putMany   = `INSERT OR FAIL INTO object VALUES ` + rows(chunk, objectColumns) + onObject
	readMany  = readObject + ` WHERE name IN ` + rows(1, chunk)
	readOne   = readObject + ` WHERE name IN (?)`
	putReject = `INSERT OR REPLACE INTO reject (object, version, position, reason, format, size, received, dropped, body) VALUES ` + rows(1, 9)
)

// List is ledger.Settler's.
func (s *Store) List(ctx context.Context, objects []event.Object) error {
	if len(objects) == 0 {
		return nil
	}
	err := s.db.Tx(ctx, func(t *sqlitedb.Tx) error {
		now := sqlitedb.Micros(s.opt.Now())
		var fresh int64
		err := inChunks(t, listMany, listOne, len(objects), objectColumns, func(args []any, i int) []any {
			o := &objects[i]
			return append(args, o.Name, o.Version, "", o.Size, now, int64(0), string(ledger.Waiting), "")
		}, &fresh)
		if err != nil {
			return err
		}
		_, err = t.Exec(`UPDATE total SET objects = objects + ?`, fresh)
		return err
	})
	if err != nil {
		return fmt.Errorf("list %d objects: %w", len(objects), err)
	}
	return nil
}

// inChunks runs the statement for many rows as often as it goes, then the one
// for one row. changed counts the rows affected.
func inChunks(t *sqlitedb.Tx, many, one string, n, columns int, row func(args []any, i int) []any, changed *int64) error {
	args := make([]any, 0, chunk*columns)
	for i := 0; i < n; {
		query, size := one, 1
		if n-i >= chunk {
			query, size = many, chunk
		}
		args = args[:0]
		for ; size > 0; size-- {
			args = row(args, i)
			i++
		}
		res, err := t.Exec(query, args...)
		if err != nil {
			return err
		}
		if changed != nil {
			rows, err := res.RowsAffected()
			if err != nil {
				return err
			}
			*changed += rows
		}
	}
	return nil
}

// Settle is ledger.Settler's.
func (s *Store) Settle(ctx context.Context, b ledger.Settlement) error {
	if err := b.Check(); err != nil {
		return err
	}
	err := s.db.Tx(ctx, func(t *sqlitedb.Tx) error {
		w := settling{t: t, s: s}
		again, err := w.claim(b.Batch)
		if err != nil || again {
			return err
		}
		if err := w.spans(b.Spans, b.At); err != nil {
			return err
		}
		if err := w.rejects(b.Rejects); err != nil {
			return err
		}
		if err := w.coverage(b.Coverage); err != nil {
			return err
		}
		if err := w.digests(b.Digests); err != nil {
			return err
		}
		return w.total()
	})
	if err != nil {
		return fmt.Errorf("settle batch %s: %w", b.Batch, err)
	}
	return nil
}

// settling is one batch on its way into the ledger.
type settling struct {
	t *sqlitedb.Tx
	s *Store

	delta ledger.Totals
	bytes int64 // what the quarantine grows by
}

// claim remembers the batch; again is true when it was settled before. The
// oldest are forgotten, a good thousand at a time.
func (w *settling) claim(batch event.BatchID) (again bool, err error) {
	res, err := w.t.Exec(`INSERT OR IGNORE INTO settled (batch) VALUES (?)`, batch[:])
	if err != nil {
		return false, err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return true, err
	}
	id, err := res.LastInsertId()
	if err != nil {
		return false, err
	}
	if id > ledger.KeepBatches && id%1024 == 0 {
		_, err = w.t.Exec(`DELETE FROM settled WHERE id <= ?`, id-ledger.KeepBatches)
	}
	return false, err
}

type id struct{ name, version string }

func (w *settling) spans(spans []event.SpanAccount, at time.Time) error {
	entries, names, err := w.entries(spans)
	if err != nil {
		return err
	}
	touched := make([]*ledger.Entry, 0, len(spans))
	seen := make(map[*ledger.Entry]bool, len(spans))
	at = at.UTC().Truncate(time.Microsecond)
	for _, span := range spans {
		key := id{span.Object, span.Version}
		e := entries[key]
		if e == nil {
			e = &ledger.Entry{Object: ledger.Object{Name: span.Object, Version: span.Version}}
			entries[key] = e
			w.delta.Objects++
		}
		if !seen[e] {
			seen[e] = true
			touched = append(touched, e)
		}
		replaced := e.Settle(span, at)
		w.delta.Add(replaced, -1)
		w.delta.Add(span.Verdicts, 1)
		if replaced.Count(event.Quarantined) > 0 {
			if err := w.release(span.Span); err != nil {
				return err
			}
		}
	}
	for _, e := range w.supersede(entries, names) {
		if !seen[e] {
			touched = append(touched, e)
		}
	}
	var bad error
	return errors.Join(inChunks(w.t, putMany, putOne, len(touched), objectColumns, func(args []any, i int) []any {
		e := touched[i]
		account, err := e.Account.MarshalText()
		bad = errors.Join(bad, err)
		return append(args, e.Name, e.Version, string(e.Kind), e.Size, sqlitedb.Micros(e.Listed), sqlitedb.Micros(e.Read), string(e.State), string(account))
	}, nil), bad)
}

// supersede sets the states of all versions of the batch's objects and returns
// the entries whose state changed.
func (w *settling) supersede(entries map[id]*ledger.Entry, names int) (changed []*ledger.Entry) {
	judge := func(versions ...*ledger.Entry) {
		of, objects := ledger.Supersede(versions)
		changed = append(changed, of...)
		w.delta.Objects += objects
	}
	if len(entries) == names { // one version of each, as nearly always
		for _, e := range entries {
			judge(e)
		}
		return changed
	}
	versions := make(map[string][]*ledger.Entry, names)
	for _, e := range entries {
		versions[e.Name] = append(versions[e.Name], e)
	}
	for _, all := range versions {
		judge(all...)
	}
	return changed
}

// entries reads what is kept of the spans' objects, all versions of them, and
// counts the objects.
func (w *settling) entries(spans []event.SpanAccount) (all map[id]*ledger.Entry, objects int, err error) {
	seen := make(map[string]bool, len(spans))
	names := make([]any, 0, len(spans))
	for _, s := range spans {
		if !seen[s.Object] {
			seen[s.Object] = true
			names = append(names, s.Object)
		}
	}
	objects = len(names)
	out := make(map[id]*ledger.Entry, len(spans))
	for len(names) > 0 {
		query, size := readOne, 1
		if len(names) >= chunk {
			query, size = readMany, chunk
		}
		found, err := w.t.Query(query, names[:size]...)
		if err != nil {
			return nil, 0, err
		}
		for e, err := range entries(found) {
			if err != nil {
				return nil, 0, err
			}
			out[id{e.Name, e.Version}] = e
		}
		names = names[size:]
	}
	return out, objects, nil
}

// release takes the records of a span out of quarantine.
func (w *settling) release(s event.Span) error {
	const where = ` FROM reject WHERE object = ? AND version = ? AND position >= ? AND position < ?`
	args := []any{s.Object, s.Version, s.First, s.First + s.Records}
	var bytes int64
	if err := w.t.Scan(`SELECT coalesce(sum(length(body)), 0)`+where, args, &bytes); err != nil {
		return err
	}
	w.bytes -= bytes
	_, err := w.t.Exec(`DELETE`+where, args...)
	return err
}

func (w *settling) rejects(rejects []event.Reject) error {
	if len(rejects) == 0 {
		return nil
	}
	var kept int64
	if err := w.t.Scan(`SELECT quarantine_bytes FROM total`, nil, &kept); err != nil {
		return err
	}
	for i := range rejects {
		r := &rejects[i]
		// What is there of the same record, if anything, is replaced.
		if err := w.release(event.Span{Object: r.Object, Version: r.Version, First: r.Position, Records: 1}); err != nil {
			return err
		}
		body, dropped := ledger.BodyToKeep(r)
		var packed []byte // NULL when there is none
		if len(body) > 0 {
			packed = w.s.enc.EncodeAll(body, nil)
		}
		if kept+w.bytes+int64(len(packed)) > w.s.opt.QuarantineBytes {
			packed, dropped = nil, true
		}
		w.bytes += int64(len(packed))
		if _, err := w.t.Exec(putReject, r.Object, r.Version, r.Position, r.Reason, r.Format, r.Size, sqlitedb.Micros(r.Received), dropped, packed); err != nil {
			return err
		}
	}
	return nil
}

func (w *settling) coverage(hours []ledger.Coverage) error {
	for _, c := range hours {
		if _, err := w.t.Exec(`INSERT INTO coverage VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET records = records + excluded.records`,
			c.Account, c.Region, c.Hour.Unix(), c.Records); err != nil {
			return err
		}
	}
	return nil
}

func (w *settling) digests(digests []event.Digest) error {
	for i := range digests {
		d := &digests[i]
		text, err := json.Marshal(d)
		if err != nil {
			return err
		}
		if _, err := w.t.Exec(`INSERT OR REPLACE INTO digest VALUES (?, ?, ?, ?, ?)`, d.Object, d.Account, d.Region, sqlitedb.Micros(d.End), string(text)); err != nil {
			return err
		}
	}
	return nil
}

func (w *settling) total() error {
	d := &w.delta
	_, err := w.t.Exec(`UPDATE total SET objects = objects + ?, read = read + ?, stored = stored + ?, duplicate = duplicate + ?,
		quarantined = quarantined + ?, expired = expired + ?, quarantine_bytes = quarantine_bytes + ?`,
		d.Objects, d.Read, d.Stored, d.Duplicate, d.Quarantined, d.Expired, w.bytes)
	return err
}
