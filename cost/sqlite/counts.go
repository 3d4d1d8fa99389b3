package sqlite

import (
	"context"
	"fmt"

	"github.com/yagura-sec/yagura/cost"
	"github.com/yagura-sec/yagura/internal/sqlitedb"
)

// TakeCounts is cost.Counts'.
func (s *Store) TakeCounts(ctx context.Context, all []cost.Count) error {
	err := s.db.Tx(ctx, func(t *sqlitedb.Tx) error {
		for _, c := range all {
			if _, err := t.Exec(`INSERT OR REPLACE INTO cost_count VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
				c.Account, c.Region, c.ResourceType, days(c.Day), string(c.Basis), c.Items, c.ResourceDays, c.Low, c.High); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("keep %d counts: %w", len(all), err)
	}
	return nil
}

// Counts is cost.Counts'.
func (s *Store) Counts(ctx context.Context, f cost.CountFilter) (out []cost.Count, err error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT account, region, type, day, basis, items, resource_days, low, high FROM cost_count ORDER BY account, region, type, day, basis`)
	if err != nil {
		return nil, fmt.Errorf("read counts: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var c cost.Count
		var day int64
		if err := rows.Scan(&c.Account, &c.Region, &c.ResourceType, &day, (*string)(&c.Basis), &c.Items, &c.ResourceDays, &c.Low, &c.High); err != nil {
			return nil, fmt.Errorf("read counts: %w", err)
		}
		if c.Day = dayTime(day); f.Holds(&c) {
			out = append(out, c)
		}
	}
	return out, rows.Err()
}

// TakeFacts is cost.Facts'.
func (s *Store) TakeFacts(ctx context.Context, all []cost.Fact) error {
	err := s.db.Tx(ctx, func(t *sqlitedb.Tx) error {
		for _, f := range all {
			if _, err := t.Exec(`INSERT INTO cost_fact VALUES (?, ?, ?, ?, ?, ?)
				ON CONFLICT DO UPDATE SET at = excluded.at, document = excluded.document WHERE excluded.at >= cost_fact.at`,
				f.Kind, f.Account, f.Region, f.Name, sqlitedb.Micros(f.At), append([]byte{}, f.Document...)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("keep %d facts: %w", len(all), err)
	}
	return nil
}

// Facts is cost.Facts'.
func (s *Store) Facts(ctx context.Context, kind, account string) (out []cost.Fact, err error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT kind, account, region, name, at, document FROM cost_fact
		WHERE (? = '' OR kind = ?) AND (? = '' OR account = ?) ORDER BY kind, account, region, name`, kind, kind, account, account)
	if err != nil {
		return nil, fmt.Errorf("read facts: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var f cost.Fact
		var at int64
		if err := rows.Scan(&f.Kind, &f.Account, &f.Region, &f.Name, &at, &f.Document); err != nil {
			return nil, fmt.Errorf("read facts: %w", err)
		}
		f.At = sqlitedb.Time(at)
		out = append(out, f)
	}
	return out, rows.Err()
}
