package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/register"
	"github.com/yagura-sec/yagura/triage"
)

// Registered is triage.Registrar's.
func (s *Store) Registered(ctx context.Context, project string) (e register.Entry, err error) {
	var body string
	err = s.db.Read().QueryRowContext(ctx, `SELECT body FROM registered WHERE project = ?`, project).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		return e, fmt.Errorf("project %s: %w", project, triage.ErrUnknown)
	}
	if err == nil {
		err = json.Unmarshal([]byte(body), &e)
	}
	if err != nil {
		return e, fmt.Errorf("read what project %s applied for: %w", project, err)
	}
	return e, nil
}

// Register is triage.Registrar's.
func (s *Store) Register(ctx context.Context, f triage.RegisterFilter) (page []register.Entry, next string, total int, err error) {
	var all []register.Entry
	tx, err := s.db.Read().BeginTx(ctx, nil)
	if err != nil {
		return nil, "", 0, fmt.Errorf("read the register: %w", err)
	}
	defer tx.Rollback() // nothing was written
	if err := bodies(ctx, tx, `SELECT body FROM registered ORDER BY project`, func(e register.Entry) { all = append(all, e) }); err != nil {
		return nil, "", 0, fmt.Errorf("read the register: %w", err)
	}
	page, next, total = f.Page(all)
	return page, next, total, nil
}

// PutEntries is triage.Registrar's.
func (s *Store) PutEntries(ctx context.Context, entries []register.Entry, e triage.Edit) (done triage.Edited, err error) {
	err = s.tx(ctx, func(r *recording) error {
		var wrong error
		changes, edited, err := triage.PrepareEntries(entries, e, func(project string) *register.Entry {
			old, err := r.registered(project)
			wrong = errors.Join(wrong, err)
			return old
		})
		if err := errors.Join(err, wrong); err != nil {
			return err
		}
		done = edited
		if e.File != "" {
			if err := r.log(triage.ImportLine(e, done)); err != nil {
				return err
			}
			if _, err := r.t.Exec(`INSERT OR IGNORE INTO registered_file VALUES (?, ?, ?)`, e.Digest, e.File, e.At.UnixMicro()); err != nil {
				return err
			}
		}
		done.Touched, err = r.register(changes)
		return err
	})
	if err != nil {
		return triage.Edited{}, fmt.Errorf("put %d entries into the register: %w", len(entries), err)
	}
	return done, nil
}

// RemoveEntry is triage.Registrar's.
func (s *Store) RemoveEntry(ctx context.Context, project string, e triage.Edit) (touched int, err error) {
	err = s.tx(ctx, func(r *recording) error {
		was, err := r.registered(project)
		if err != nil {
			return err
		}
		if was == nil {
			return triage.ErrUnknown
		}
		c, err := triage.PrepareRemoval(*was, e)
		if err != nil {
			return err
		}
		touched, err = r.register([]triage.PreparedEntry{c})
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("take project %s from the register: %w", project, err)
	}
	return touched, nil
}

// registered is the entry of a project, nil where there is none.
func (r *recording) registered(project string) (*register.Entry, error) {
	found, err := r.strings(`SELECT body FROM registered WHERE project = ?`, project)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	var e register.Entry
	return &e, json.Unmarshal([]byte(found[0]), &e)
}

// register writes changes with their history and audit lines, and says how many
// findings are explained otherwise by them.
func (r *recording) register(changes []triage.PreparedEntry) (touched int, err error) {
	if len(changes) == 0 {
		return 0, nil
	}
	known := *r.known
	known.Register = maps.Clone(known.Register)
	projects := make([]string, len(changes))
	for i, c := range changes {
		projects[i] = c.Project
		if c.After == nil {
			delete(known.Register, c.Project)
			_, err = r.t.Exec(`DELETE FROM registered WHERE project = ?`, c.Project)
		} else {
			known.Register[c.Project] = *c.After
			err = r.body(`INSERT OR REPLACE INTO registered VALUES (?, ?)`, c.Project, c.After)
		}
		if err == nil {
			err = r.body(`INSERT INTO registered_change (project, body) VALUES (?, ?)`, c.Project, c.Change)
		}
		if err == nil {
			err = r.log(c.Line)
		}
		if err != nil {
			return 0, err
		}
	}
	return r.learned(&known, projects)
}

// learned takes what is known of projects now, and makes the findings anew that
// it explains otherwise; it says how many.
func (r *recording) learned(known *finding.Known, projects []string) (touched int, err error) {
	before := r.known
	r.known = known
	for _, project := range projects {
		keys, err := r.strings(`SELECT key FROM wanting WHERE project = ?`, project)
		if err != nil {
			return touched, err
		}
		for _, key := range keys {
			var sum finding.Occurrence
			var decisions int
			found, err := r.one(`SELECT `+occurrenceColumns+`, decisions FROM finding WHERE key = ?`, key, &sum, &decisions)
			if err != nil {
				return touched, err
			}
			if !found || slices.Equal(finding.Of(sum, nil, before).Explained, finding.Of(sum, nil, known).Explained) {
				continue
			}
			touched++
			if err := r.list(&sum, decisions); err != nil {
				return touched, err
			}
		}
	}
	return touched, nil
}

// want notes that a finding names a service which may be missing in the register.
func (r *recording) want(f *finding.Finding) error {
	if f.Wanted() == "" {
		return nil
	}
	_, err := r.t.Exec(`INSERT OR REPLACE INTO wanting VALUES (?, ?)`, f.Key, f.Account)
	return err
}

// accept sees to it that what was decided about a finding counts for others that
// are the same.
func (r *recording) accept(key string) error {
	var sum finding.Occurrence
	var decisions int
	found, err := r.one(`SELECT `+occurrenceColumns+`, decisions FROM finding WHERE key = ?`, key, &sum, &decisions)
	if err != nil || !found || sum.Wanted() == "" {
		return err
	}
	f, err := r.made(&sum, decisions)
	if err != nil {
		return err
	}
	known := *r.known
	i, there := place(known.Accepted, key, func(a *finding.Acceptance) string { return a.Key })
	var old *finding.Acceptance
	if there {
		old = &known.Accepted[i]
	}
	switch is := finding.AcceptanceOf(f, old); {
	case is == old:
		return nil
	case is == nil:
		known.Accepted = slices.Delete(slices.Clone(known.Accepted), i, i+1)
		_, err = r.t.Exec(`DELETE FROM accepted WHERE key = ?`, key)
	default:
		known.Accepted = put(known.Accepted, i, there, *is)
		err = r.body(`INSERT OR REPLACE INTO accepted VALUES (?, ?)`, key, is)
	}
	if err == nil {
		_, err = r.learned(&known, []string{f.Account})
	}
	return err
}

// RegisterHistory is triage.Registrar's.
func (s *Store) RegisterHistory(ctx context.Context, project string) ([]register.Change, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT body FROM registered_change WHERE project = ? ORDER BY id`, project)
	if err != nil {
		return nil, fmt.Errorf("read the history of project %s: %w", project, err)
	}
	defer rows.Close()
	var out []register.Change
	for rows.Next() {
		var body sql.RawBytes
		var c register.Change
		if err := rows.Scan(&body); err != nil {
			return nil, fmt.Errorf("read the history of project %s: %w", project, err)
		}
		if err := json.Unmarshal(body, &c); err != nil {
			return nil, fmt.Errorf("read the history of project %s: %w", project, err)
		}
		out = append(out, c)
	}
	slices.Reverse(out)
	return out, rows.Err()
}

// Imported is triage.Registrar's.
func (s *Store) Imported(ctx context.Context, digest string) (is bool, err error) {
	err = s.db.Read().QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM registered_file WHERE digest = ?)`, digest).Scan(&is)
	if err != nil {
		return false, fmt.Errorf("ask whether a register was imported: %w", err)
	}
	return is, nil
}
