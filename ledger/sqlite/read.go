package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/sqlitedb"
	"github.com/yagura-sec/yagura/ledger"
	"github.com/yagura-sec/yagura/source"
)

const readObject = `SELECT name, version, kind, size, listed, read, state, account FROM object`

// entries reads the rows of such a query and closes them.
func entries(rows *sql.Rows) iter.Seq2[*ledger.Entry, error] {
	return scan(rows, func() (*ledger.Entry, error) {
		var e ledger.Entry
		var listed, read int64
		var account sql.RawBytes
		if err := rows.Scan(&e.Name, &e.Version, (*string)(&e.Kind), &e.Size, &listed, &read, (*string)(&e.State), &account); err != nil {
			return nil, err
		}
		e.Listed, e.Read = sqlitedb.Time(listed), sqlitedb.Time(read)
		return &e, e.Account.UnmarshalText(account)
	})
}

// scan yields what row makes of each row, and closes the rows.
func scan[T any](rows *sql.Rows, row func() (T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		defer rows.Close()
		var none T
		for rows.Next() {
			x, err := row()
			if err != nil {
				yield(none, err)
				return
			}
			if !yield(x, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(none, err)
		}
	}
}

// query yields what row makes of each row of a reading query.
func query[T any](ctx context.Context, s *Store, what, text string, args []any, row func(*sql.Rows) (T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		rows, err := s.db.Read().QueryContext(ctx, text, args...)
		if err != nil {
			yield(none, fmt.Errorf("read %s of the ledger: %w", what, err))
			return
		}
		for x, err := range scan(rows, func() (T, error) { return row(rows) }) {
			if err != nil {
				err = fmt.Errorf("read %s of the ledger: %w", what, err)
			}
			if !yield(x, err) {
				return
			}
		}
	}
}

// Settled is ledger.Settler's.
func (s *Store) Settled(ctx context.Context, object string) ([]source.Progress, error) {
	rows, err := s.db.Read().QueryContext(ctx, readObject+` WHERE name = ?`, object)
	if err != nil {
		return nil, fmt.Errorf("read the account of %s: %w", object, err)
	}
	var found []*ledger.Entry
	for e, err := range entries(rows) {
		if err != nil {
			return nil, fmt.Errorf("read the account of %s: %w", object, err)
		}
		found = append(found, e)
	}
	slices.SortFunc(found, func(a, b *ledger.Entry) int {
		return cmp.Or(a.Listed.Compare(b.Listed), a.Read.Compare(b.Read), cmp.Compare(a.Version, b.Version))
	})
	var out []source.Progress
	for _, e := range found {
		out = append(out, e.Account.Progress(e.Version))
	}
	return out, nil
}

// Totals is ledger.Reader's.
func (s *Store) Totals(ctx context.Context) (t ledger.Totals, err error) {
	err = s.db.Read().QueryRowContext(ctx, `SELECT objects, read, stored, duplicate, quarantined, expired FROM total`).
		Scan(&t.Objects, &t.Read, &t.Stored, &t.Duplicate, &t.Quarantined, &t.Expired)
	if err != nil {
		return t, fmt.Errorf("read the totals of the ledger: %w", err)
	}
	return t, nil
}

// Objects is ledger.Reader's.
func (s *Store) Objects(ctx context.Context, f ledger.ObjectFilter) iter.Seq2[ledger.Object, error] {
	text, where, args := readObject, []string{"1"}, []any{}
	if f.Name != "" {
		where, args = append(where, "name = ?"), append(args, f.Name)
	}
	if len(f.States) > 0 {
		where = append(where, "state IN "+rows(1, len(f.States)))
		for _, state := range f.States {
			args = append(args, string(state))
		}
	}
	if f.After != (ledger.Place{}) {
		where, args = append(where, "(name, version) > (?, ?)"), append(args, f.After.Name, f.After.Version)
	}
	text += " WHERE " + strings.Join(where, " AND ") + " ORDER BY name, version"
	return query(ctx, s, "objects", text, args, func(rows *sql.Rows) (o ledger.Object, err error) {
		var listed, read int64
		var account sql.RawBytes
		if err := rows.Scan(&o.Name, &o.Version, (*string)(&o.Kind), &o.Size, &listed, &read, (*string)(&o.State), &account); err != nil {
			return o, err
		}
		o.Listed, o.Read = sqlitedb.Time(listed), sqlitedb.Time(read)
		var a ledger.Account
		if err := a.UnmarshalText(account); err != nil {
			return o, err
		}
		a.Fill(&o)
		return o, nil
	})
}

// Coverage is ledger.Reader's.
func (s *Store) Coverage(ctx context.Context, since, until time.Time) iter.Seq2[ledger.Coverage, error] {
	from, to := int64(math.MinInt64), int64(math.MaxInt64)
	if !since.IsZero() {
		from = since.Unix()
		if since.Nanosecond() > 0 {
			from++
		}
	}
	if !until.IsZero() {
		to = until.Unix()
		if until.Nanosecond() > 0 {
			to++
		}
	}
	const text = `SELECT account, region, hour, records FROM coverage WHERE hour >= ? AND hour < ? ORDER BY account, region, hour`
	return query(ctx, s, "coverage", text, []any{from, to}, func(rows *sql.Rows) (c ledger.Coverage, err error) {
		var hour int64
		err = rows.Scan(&c.Account, &c.Region, &hour, &c.Records)
		c.Hour = time.Unix(hour, 0).UTC()
		return c, err
	})
}

// Digests is ledger.Reader's.
func (s *Store) Digests(ctx context.Context) iter.Seq2[event.Digest, error] {
	const text = `SELECT digest FROM digest ORDER BY account, region, ends, object`
	return query(ctx, s, "digests", text, nil, func(rows *sql.Rows) (d event.Digest, err error) {
		var raw sql.RawBytes
		if err := rows.Scan(&raw); err != nil {
			return d, err
		}
		return d, json.Unmarshal(raw, &d)
	})
}

// Quarantine is ledger.Reader's.
func (s *Store) Quarantine(ctx context.Context) iter.Seq2[ledger.Quarantined, error] {
	const text = `SELECT id, object, version, position, reason, format, size, received, dropped, body,
		EXISTS (SELECT 1 FROM object o WHERE o.name = reject.object AND o.version = reject.version AND o.state = '` + string(ledger.Superseded) + `')
		FROM reject ORDER BY id`
	return query(ctx, s, "quarantine", text, nil, func(rows *sql.Rows) (q ledger.Quarantined, err error) {
		var received int64
		var packed sql.RawBytes
		if err := rows.Scan(&q.ID, &q.Object, &q.Version, &q.Position, &q.Reason, &q.Format, &q.Size, &received, &q.BodyDropped, &packed, &q.Superseded); err != nil {
			return q, err
		}
		q.Received = sqlitedb.Time(received)
		if len(packed) > 0 {
			q.Body, err = s.dec.DecodeAll(packed, nil)
		}
		return q, err
	})
}

// Rejected is ledger.Reader's.
func (s *Store) Rejected(ctx context.Context) iter.Seq2[ledger.Rejected, error] {
	const text = `SELECT object, reject.version, position, reason, account
		FROM reject JOIN object o ON o.name = reject.object AND o.version = reject.version
		ORDER BY object, reject.version, position`
	var last id // its account is read once for all its records
	var account ledger.Account
	return query(ctx, s, "quarantine", text, nil, func(rows *sql.Rows) (ledger.Rejected, error) {
		var at id
		var position int64
		var reason string
		var packed sql.RawBytes
		if err := rows.Scan(&at.name, &at.version, &position, &reason, &packed); err != nil {
			return ledger.Rejected{}, err
		}
		if at != last {
			if err := account.UnmarshalText(packed); err != nil {
				return ledger.Rejected{}, err
			}
			last = at
		}
		return account.Rejected(position, reason), nil
	})
}
