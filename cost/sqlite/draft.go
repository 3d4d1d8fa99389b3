package sqlite

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/yagura-sec/yagura/cost"
	"github.com/yagura-sec/yagura/internal/sqlitedb"
)

const (
	// linesOfTx is how many lines one transaction writes: a few hundredths of a second.
	linesOfTx = 5_000
	// wasteOfTx is how many it clears away.
	wasteOfTx = 50_000
)

// draft is a file that is being taken.
type draft struct {
	s        *Store
	id       int64
	services map[[3]string]int64
}

// Begin is cost.Bills'.
func (s *Store) Begin(ctx context.Context) (cost.Draft, error) {
	d := &draft{s: s, services: map[[3]string]int64{}}
	err := s.db.Tx(ctx, func(t *sqlitedb.Tx) (err error) {
		if d.id, err = nextFile(t); err != nil {
			return err
		}
		if _, err := t.Exec(`DELETE FROM cost_draft`); err != nil {
			return err
		}
		_, err = t.Exec(`INSERT INTO cost_draft VALUES (?)`, d.id)
		return err
	})
	if err == nil {
		err = s.clear(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("begin to take a bill: %w", err)
	}
	return d, nil
}

// waste are the files that lines are left of and that are neither held nor being
// taken. It steps from file to file through the index.
const waste = `WITH RECURSIVE f(id) AS (
		SELECT min(file) FROM cost_line UNION ALL SELECT (SELECT min(file) FROM cost_line WHERE file > f.id) FROM f WHERE f.id IS NOT NULL)
	SELECT coalesce(min(id), 0) FROM f WHERE id NOT IN (SELECT id FROM cost_file UNION ALL SELECT id FROM cost_draft)`

// clear drops the lines of files that are not held, some at a time, so that others
// may write in between.
func (s *Store) clear(ctx context.Context) error {
	for {
		var left int64
		err := s.db.Tx(ctx, func(t *sqlitedb.Tx) error {
			if err := t.Scan(waste, nil, &left); err != nil || left == 0 {
				return err
			}
			_, err := t.Exec(`DELETE FROM cost_line WHERE rowid IN (SELECT rowid FROM cost_line WHERE file = ? LIMIT ?)`, left, wasteOfTx)
			return err
		})
		if err != nil || left == 0 {
			return err
		}
	}
}

// mine fails where the draft was dropped.
func (d *draft) mine(t *sqlitedb.Tx) error {
	var n int
	if err := t.Scan(`SELECT count(*) FROM cost_draft WHERE id = ?`, []any{d.id}, &n); err != nil {
		return err
	}
	if n == 0 {
		return cost.ErrDropped
	}
	return nil
}

// Add is cost.Draft's.
func (d *draft) Add(ctx context.Context, lines []cost.Line) error {
	for some := range slices.Chunk(lines, linesOfTx) {
		err := d.s.db.Tx(ctx, func(t *sqlitedb.Tx) error {
			if err := d.mine(t); err != nil {
				return err
			}
			for i := range some {
				if err := d.put(t, &some[i]); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			clear(d.services) // some may have been of the transaction that is gone
			return fmt.Errorf("keep %d lines of a bill: %w", len(some), err)
		}
	}
	return nil
}

func (d *draft) put(t *sqlitedb.Tx, l *cost.Line) error {
	service, err := d.service(t, l)
	if err != nil {
		return err
	}
	amount, fits := partsOf(l.Amount)
	quantity, fit := partsOf(l.Quantity)
	var odd any
	if !fits || !fit {
		amount, quantity, odd = parts{}, parts{}, l.Amount.String()+" "+l.Quantity.String()
	}
	_, err = t.Exec(`INSERT INTO cost_line VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		d.id, service, days(l.Month), days(l.Day), string(l.Kind), l.Payer, l.Account, l.Operation, l.Region, l.Resource, l.Currency, l.Unit, l.Rows,
		amount[0], amount[1], amount[2], quantity[0], quantity[1], quantity[2], odd)
	return err
}

// service is the id of a line's provider, service and usage type.
func (d *draft) service(t *sqlitedb.Tx, l *cost.Line) (id int64, err error) {
	key := [3]string{l.Provider, l.Service, l.UsageType}
	if id, ok := d.services[key]; ok {
		return id, nil
	}
	security, _ := cost.Security(l.Provider, l.Service, l.UsageType)
	if _, err := t.Exec(`INSERT OR IGNORE INTO cost_service (provider, service, usage_type, security) VALUES (?, ?, ?, ?)`, key[0], key[1], key[2], security); err != nil {
		return 0, err
	}
	if err := t.Scan(`SELECT id FROM cost_service WHERE provider = ? AND service = ? AND usage_type = ?`, []any{key[0], key[1], key[2]}, &id); err != nil {
		return 0, err
	}
	d.services[key] = id
	return id, nil
}

// parts are units, billionths of them, and billionths of those, all of one sign.
type parts [3]int64

// most bounds the units of one line, so that a sum of a million of them fits.
var (
	most    = decimal.New(1, 12)
	billion = decimal.New(1, 9)
)

func partsOf(d decimal.Decimal) (p parts, fits bool) {
	if d.Abs().GreaterThanOrEqual(most) {
		return p, false
	}
	for i := range p {
		whole := d.Truncate(0)
		p[i] = whole.IntPart()
		d = d.Sub(whole).Mul(billion)
	}
	return p, d.IsZero()
}

// decimal is what the parts, or sums of them, come to.
func (p parts) decimal() decimal.Decimal {
	return decimal.New(p[0], 0).Add(decimal.New(p[1], -9)).Add(decimal.New(p[2], -18))
}

// Commit is cost.Draft's.
func (d *draft) Commit(ctx context.Context, f cost.File) (done cost.Settled, err error) {
	text, err := json.Marshal(f)
	if err != nil {
		return done, err
	}
	err = d.s.db.Tx(ctx, func(t *sqlitedb.Tx) error {
		if err := d.mine(t); err != nil {
			return err
		}
		ids, held, err := files(func(q string, args ...any) (rows, error) { return t.Query(q, args...) })
		if err != nil {
			return err
		}
		done = cost.Settle(f, held)
		for _, i := range done.Replaces {
			if _, err := t.Exec(`DELETE FROM cost_file WHERE id = ?`, ids[i]); err != nil {
				return err
			}
		}
		if done.Outcome == cost.Stored {
			if _, err := t.Exec(`INSERT INTO cost_file VALUES (?, ?)`, d.id, string(text)); err != nil {
				return err
			}
		}
		_, err = t.Exec(`DELETE FROM cost_draft WHERE id = ?`, d.id)
		return err
	})
	if err != nil {
		return done, fmt.Errorf("take bill %s: %w", f.Name, err)
	}
	if done.Outcome != cost.Stored || len(done.Replaces) > 0 {
		return done, d.s.clear(ctx)
	}
	return done, nil
}

// Discard is cost.Draft's.
func (d *draft) Discard(ctx context.Context) error {
	var n int64
	err := d.s.db.Tx(ctx, func(t *sqlitedb.Tx) error {
		done, err := t.Exec(`DELETE FROM cost_draft WHERE id = ?`, d.id)
		if err != nil {
			return err
		}
		n, err = done.RowsAffected()
		return err
	})
	if err != nil || n == 0 {
		return err
	}
	return d.s.clear(ctx)
}
