package sqlite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/triage"
)

// Marks is triage.Hunts'.
func (s *Store) Marks(ctx context.Context) ([]finding.Mark, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT hunter, hour, seq FROM mark ORDER BY hunter, hour`)
	if err != nil {
		return nil, fmt.Errorf("read marks: %w", err)
	}
	defer rows.Close()
	var out []finding.Mark
	for rows.Next() {
		var m finding.Mark
		var hour int64
		if err := rows.Scan(&m.Hunter, &hour, &m.Seq); err != nil {
			return nil, fmt.Errorf("read marks: %w", err)
		}
		m.Hour = time.UnixMicro(hour).UTC()
		out = append(out, m)
	}
	return out, rows.Err()
}

func (r *recording) mark(m finding.Mark, seq int64) error {
	_, err := r.t.Exec(`INSERT INTO mark VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET seq = excluded.seq`, m.Hunter, m.Hour.UnixMicro(), seq)
	return err
}

// RecordHunt is triage.Hunts'.
func (s *Store) RecordHunt(ctx context.Context, h finding.Hunt, seen int64) error {
	return s.RecordHunts(ctx, []triage.Hunted{{Hunt: h, Seen: seen}})
}

// RecordHunts is triage.Hunts'.
func (s *Store) RecordHunts(ctx context.Context, all []triage.Hunted) (err error) {
	all = slices.Clone(all)
	for i := range all {
		if all[i].Hunt, err = triage.PrepareHunt(all[i].Hunt); err != nil {
			return err
		}
	}
	return s.tx(ctx, func(r *recording) error {
		for _, h := range all {
			if err := r.hunted(h); err != nil {
				return fmt.Errorf("record hunt of %s from %s: %w", h.Hunter, h.Since.Format(time.RFC3339), err)
			}
		}
		return nil
	})
}

// hunted records one of the hunts of a transaction.
func (r *recording) hunted(h triage.Hunted) error {
	r.refold, r.days = map[string]bool{}, newDeltas() // those of the hunts before are folded and counted
	clear(r.noisy)
	r.reach(h.Occurrences)
	if err := r.hunt(h.Hunt); err != nil {
		return err
	}
	for _, n := range h.Notes {
		if _, err := r.t.Exec(`INSERT OR REPLACE INTO note VALUES (?, ?, ?)`, h.Hunter, n.Day.UnixMicro(), n.Body); err != nil {
			return err
		}
	}
	return r.unmark(h.Hunt, h.Seen)
}

// Notes is triage.Hunts'.
func (s *Store) Notes(ctx context.Context, hunter string, since, until time.Time) ([]finding.Note, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT day, body FROM note WHERE hunter = ? AND day >= ? AND day < ? ORDER BY day`,
		hunter, since.UnixMicro(), until.UnixMicro())
	if err != nil {
		return nil, fmt.Errorf("read notes of %s: %w", hunter, err)
	}
	defer rows.Close()
	var out []finding.Note
	for rows.Next() {
		var n finding.Note
		var day int64
		if err := rows.Scan(&day, &n.Body); err != nil {
			return nil, fmt.Errorf("read notes of %s: %w", hunter, err)
		}
		n.Day = time.UnixMicro(day).UTC()
		out = append(out, n)
	}
	return out, rows.Err()
}

func (r *recording) hunt(h finding.Hunt) error {
	add, err := r.replaceHours(h)
	if err != nil {
		return err
	}
	if h.Rule != "" {
		if err := r.cover(h); err != nil {
			return err
		}
	}
	return r.finish(add)
}

// replaceHours takes away what the hunter said before of the hours and says no
// more, and gives what is to be added. Most often a hunt finds what it had
// found: that is left in peace.
func (r *recording) replaceHours(h finding.Hunt) (add []finding.Occurrence, err error) {
	type place struct {
		key  string
		hour int64
	}
	was := map[place]finding.Occurrence{}
	rows, err := r.t.Query(`SELECT `+occurrenceColumns+` FROM occurrence WHERE hunter = ? AND hunter <> '' AND since >= ? AND since < ?`,
		h.Hunter, h.Since.UnixMicro(), h.Until.UnixMicro())
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var o finding.Occurrence
		if err := scanOccurrence(rows.Scan, &o); err != nil {
			return nil, err
		}
		was[place{o.Key, o.Since.UnixMicro()}] = o
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return nil, err
	}
	for i := range h.Occurrences {
		o := &h.Occurrences[i]
		at := place{o.Key, o.Since.UnixMicro()}
		if old, there := was[at]; there {
			same, err := equal(&old, o)
			if err != nil {
				return nil, err
			}
			if same {
				delete(was, at)
				continue
			}
		}
		add = append(add, *o)
	}
	for at, o := range was {
		r.refold[at.key] = true
		if _, err := r.t.Exec(`DELETE FROM occurrence WHERE key = ? AND batch = ? AND hunter = ? AND since = ?`,
			at.key, o.Batch[:], o.Hunter, at.hour); err != nil {
			return nil, err
		}
	}
	return add, nil
}

// equal tells whether two occurrences are kept alike.
func equal(a, b *finding.Occurrence) (bool, error) {
	x, err := occurrenceArgs(a)
	if err != nil {
		return false, err
	}
	y, err := occurrenceArgs(b)
	if err != nil {
		return false, err
	}
	return slices.EqualFunc(x, y, func(p, q any) bool {
		if bytea, is := p.([]byte); is {
			return bytes.Equal(bytea, q.([]byte))
		}
		return p == q
	}), nil
}

// cover puts the hunt in the place of what was known of its rule on the days
// that lie wholly within it.
func (r *recording) cover(h finding.Hunt) error {
	first, end := triage.WholeDays(h.Since, h.Until)
	if !first.Before(end) {
		return nil
	}
	const ofBatches = ` FROM occurrence WHERE hunter = '' AND rule = ? AND since >= ? AND since < ? AND until <= ?`
	within := []any{h.Rule, first.UnixMicro(), end.UnixMicro(), end.UnixMicro()}
	keys, err := r.strings(`SELECT DISTINCT key`+ofBatches, within...)
	if err != nil {
		return err
	}
	for _, key := range keys {
		r.refold[key] = true
	}
	if _, err := r.t.Exec(`DELETE`+ofBatches, within...); err != nil {
		return err
	}
	for day := dayOf(first); day < dayOf(end); day++ {
		if _, err := r.t.Exec(`INSERT INTO covered SELECT ?, ?, n FROM sequence WHERE true ON CONFLICT DO UPDATE SET seq = excluded.seq`, h.Rule, day); err != nil {
			return err
		}
	}
	return r.recount(h, dayOf(first), dayOf(end))
}

// recount makes the tallies of the hunt's rule on days from first to before end
// those that the hunt gives.
func (r *recording) recount(h finding.Hunt, first, end int64) error {
	rows, err := r.t.Query(`SELECT log_source, day, matches FROM rule_day WHERE rule = ? AND day >= ? AND day < ?`, h.Rule, first, end)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var source string
		var day, matches int64
		if err := rows.Scan(&source, &day, &matches); err != nil {
			return err
		}
		r.days.add(h.Rule, source, day, -matches)
	}
	for _, m := range h.Matches {
		r.days.add(m.Rule, m.LogSource, dayOf(m.Day), m.Matches)
	}
	return errors.Join(rows.Err(), rows.Close())
}

// unmark takes away the marks that the hunt looked at.
func (r *recording) unmark(h finding.Hunt, seen int64) error {
	again := map[int64]bool{}
	for _, hour := range h.Again {
		again[hour.UnixMicro()] = true
	}
	marks, err := r.hours(`SELECT hour FROM mark WHERE hunter = ? AND hour >= ? AND hour < ? AND seq <= ?`,
		h.Hunter, h.Since.UnixMicro(), h.Until.UnixMicro(), seen)
	if err != nil {
		return err
	}
	for _, hour := range marks {
		if again[hour] {
			continue
		}
		if _, err := r.t.Exec(`DELETE FROM mark WHERE hunter = ? AND hour = ?`, h.Hunter, hour); err != nil {
			return err
		}
	}
	if len(again) == 0 {
		return nil
	}
	now, err := r.next()
	if err != nil {
		return err
	}
	for hour := range again {
		if _, err := r.t.Exec(`INSERT OR IGNORE INTO mark VALUES (?, ?, ?)`, h.Hunter, hour, now); err != nil {
			return err
		}
	}
	return nil
}

func (r *recording) hours(query string, args ...any) (out []int64, err error) {
	rows, err := r.t.Query(query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var hour int64
		if err := rows.Scan(&hour); err != nil {
			return nil, err
		}
		out = append(out, hour)
	}
	return out, rows.Err()
}
