package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/triage"
)

// Decide is triage.Decider's.
func (s *Store) Decide(ctx context.Context, key string, d finding.Decision) (finding.Finding, error) {
	d, err := triage.PrepareDecision(d)
	if err != nil {
		return finding.Finding{}, err
	}
	f, err := s.Get(ctx, key)
	if err != nil {
		return finding.Finding{}, err
	}
	if len(f.Also) > 0 {
		d = triage.DecidedTogether(f.Key, d)
	}
	err = s.tx(ctx, func(r *recording) error { return r.decideWhole(f.Key, d) })
	if err != nil {
		return finding.Finding{}, fmt.Errorf("decide about %s: %w", f.Key, err)
	}
	return s.Get(ctx, f.Key)
}

// decideWhole decides about a finding and what is folded into it.
func (r *recording) decideWhole(key string, d finding.Decision) error {
	if d.Undoes == "" {
		also, err := r.strings(`SELECT key FROM folded WHERE lead = ? AND source <> ''`, key)
		if err != nil {
			return err
		}
		for _, k := range also {
			if err := r.decide(k, triage.OneOf(d, k)); err != nil {
				return err
			}
		}
	}
	return r.decide(key, d)
}

// decide keeps a decision about a finding unless it is there already.
func (r *recording) decide(key string, d finding.Decision) error {
	var there bool
	if err := r.t.Scan(`SELECT EXISTS (SELECT 1 FROM finding WHERE key = ?)`, []any{key}, &there); err != nil {
		return err
	}
	if !there {
		return triage.ErrNotFound // it went since it was looked up
	}
	kept, err := r.keepDecision(key, d)
	if err != nil || !kept {
		return err
	}
	if _, err := r.t.Exec(`UPDATE finding SET decisions = decisions + 1 WHERE key = ?`, key); err != nil {
		return err
	}
	return errors.Join(r.relist(key), r.accept(key))
}

// keepDecision writes a decision and its audit line.
func (r *recording) keepDecision(key string, d finding.Decision) (kept bool, err error) {
	d.Name(key)
	var there bool
	if d.Undoes != "" {
		if err := r.t.Scan(`SELECT EXISTS (SELECT 1 FROM decision WHERE key = ? AND name = ?)`, []any{key, d.Undoes}, &there); err != nil {
			return false, err
		}
		if !there {
			return false, fmt.Errorf("decision %s: %w", d.Undoes, triage.ErrUnknown)
		}
	}
	if err := r.t.Scan(`SELECT EXISTS (SELECT 1 FROM decision WHERE key = ? AND name = ?)`, []any{key, d.ID}, &there); err != nil || there {
		return false, err
	}
	text, err := json.Marshal(d)
	if err != nil {
		return false, err
	}
	if _, err := r.t.Exec(`INSERT INTO decision (key, name, "group", decision) VALUES (?, ?, ?, ?)`, key, d.ID, d.Group, string(text)); err != nil {
		return false, err
	}
	return true, r.log(triage.DecisionLine(key, d))
}

// relist makes anew what a finding is listed by; its occurrences are as they
// were.
func (r *recording) relist(key string) error {
	var sum finding.Occurrence
	var decisions int
	found, err := r.one(`SELECT `+occurrenceColumns+`, decisions FROM finding WHERE key = ?`, key, &sum, &decisions)
	if err != nil || !found {
		return err
	}
	return r.list(&sum, decisions)
}

// DecideAll is triage.Bulker's.
func (s *Store) DecideAll(ctx context.Context, keys []string, d finding.Decision) (triage.Bulk, error) {
	d, err := triage.PrepareBulk(keys, d)
	if err != nil {
		return triage.Bulk{}, err
	}
	out := triage.Bulk{Group: d.Group, Failed: []triage.Failed{}}
	err = s.tx(ctx, func(r *recording) error {
		for _, key := range keys {
			whole, err := r.whole(key)
			if err == nil {
				err = r.decideWhole(whole, triage.OneOf(d, whole))
			}
			switch {
			case errors.Is(err, triage.ErrNotFound):
				out.Failed = append(out.Failed, triage.Failed{Key: key, Reason: err.Error()})
			case err != nil:
				return fmt.Errorf("decide about %s: %w", key, err)
			default:
				out.Decided++
			}
		}
		return nil
	})
	if err != nil {
		return triage.Bulk{}, err
	}
	return out, nil
}

// whole is the key that is meant by it or by a part of it.
func (r *recording) whole(key string) (string, error) {
	found, err := r.strings(`SELECT key FROM finding WHERE key = ?`, key)
	if err == nil && len(found) == 0 && len(key) >= triage.PrefixLength {
		found, err = r.strings(`SELECT key FROM finding WHERE key >= ? AND key < ? LIMIT 2`, key, key+"\xff")
	}
	if err != nil {
		return "", err
	}
	if len(found) != 1 {
		return "", triage.ErrNotFound
	}
	return found[0], nil
}

// Undo is triage.Bulker's.
func (s *Store) Undo(ctx context.Context, u triage.Undo) (n int, err error) {
	if err := u.Check(); err != nil {
		return 0, err
	}
	err = s.tx(ctx, func(r *recording) error {
		n = 0
		u := u
		if u.ID != "" {
			groups, err := r.strings(`SELECT "group" FROM decision WHERE name = ?`, u.ID)
			if err != nil {
				return err
			}
			for _, g := range groups {
				u = u.Whole(g)
			}
		}
		query, of := `SELECT DISTINCT key FROM decision WHERE name = ? ORDER BY key`, u.ID
		if u.Group != "" {
			query, of = `SELECT DISTINCT key FROM decision WHERE "group" = ? AND "group" <> '' ORDER BY key`, u.Group
		}
		keys, err := r.strings(query, of)
		if err != nil {
			return err
		}
		if len(keys) == 0 {
			return triage.ErrUnknown
		}
		for _, key := range keys {
			undone, err := r.undo(key, u)
			if err != nil {
				return err
			}
			if undone {
				n++
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("undo %s%s: %w", u.ID, u.Group, err)
	}
	return n, nil
}

// undo takes back what u asks for about one finding, which may be gone.
func (r *recording) undo(key string, u triage.Undo) (undone bool, err error) {
	byKey, err := decisionsOf(r.t.Query, []string{key})
	if err != nil {
		return false, err
	}
	for _, d := range u.Takers(finding.Replay(byKey[key])) {
		if d, err = triage.PrepareDecision(d); err != nil {
			return false, err
		}
		kept, err := r.keepDecision(key, d)
		if err != nil {
			return false, err
		}
		if !kept {
			continue
		}
		undone = true
		if _, err := r.t.Exec(`UPDATE finding SET decisions = decisions + 1 WHERE key = ?`, key); err != nil {
			return false, err
		}
	}
	if !undone {
		return false, nil
	}
	return true, errors.Join(r.relist(key), r.accept(key))
}
