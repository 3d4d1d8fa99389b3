package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/internal/sqlitedb"
	"github.com/yagura-sec/yagura/register"
	"github.com/yagura-sec/yagura/triage"
)

// learn reads what is known into memory. The caller holds writing, or has the
// store to itself.
func (s *Store) learn(ctx context.Context) error {
	known := &finding.Known{Assessed: map[string]finding.Assessment{}, Register: map[string]register.Entry{}}
	var revision int64
	// One transaction, so that all is of one moment.
	tx, err := s.db.Read().BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("read what is known: %w", err)
	}
	defer tx.Rollback() // nothing was written
	err = errors.Join(
		tx.QueryRowContext(ctx, `SELECT n FROM revision`).Scan(&revision),
		bodies(ctx, tx, `SELECT body FROM known WHERE name = 'estate'`, func(e finding.Estate) { known.Estate = &e }),
		bodies(ctx, tx, `SELECT body FROM exception ORDER BY id`, func(x finding.Exception) { known.Exceptions = append(known.Exceptions, x) }),
		bodies(ctx, tx, `SELECT body FROM planned ORDER BY id`, func(w finding.Window) { known.Windows = append(known.Windows, w) }),
		bodies(ctx, tx, `SELECT body FROM registered`, func(e register.Entry) { known.Register[e.Project] = e }),
		bodies(ctx, tx, `SELECT body FROM accepted ORDER BY key`, func(a finding.Acceptance) { known.Accepted = append(known.Accepted, a) }),
		bodies(ctx, tx, `SELECT body FROM assessed`, func(a finding.Assessment) { known.Assessed[a.Subject] = a }),
	)
	if err != nil {
		return fmt.Errorf("read what is known: %w", err)
	}
	s.planned = time.Time{}
	if slices.ContainsFunc(known.Windows, func(w finding.Window) bool { return w.Repeat != "" }) {
		var last sql.NullInt64
		if err := tx.QueryRowContext(ctx, `SELECT max(last) FROM listed`).Scan(&last); err != nil {
			return fmt.Errorf("read what is known: %w", err)
		}
		s.planned = time.UnixMicro(last.Int64).UTC().Add(triage.Ahead)
	}
	known.Windows = s.plan(known.Windows)
	s.now.Store(&state{revision: revision, known: known})
	return nil
}

func bodies[T any](ctx context.Context, tx *sql.Tx, query string, take func(T)) error {
	rows, err := tx.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var body sql.RawBytes
		var x T
		if err := rows.Scan(&body); err != nil {
			return err
		}
		if err := json.Unmarshal(body, &x); err != nil {
			return err
		}
		take(x)
	}
	return rows.Err()
}

// plan expands repeating windows as far as planned says.
func (s *Store) plan(windows []finding.Window) []finding.Window {
	windows = slices.Clone(windows)
	for i := range windows {
		// It was expanded when it was set. One that cannot be any more, for example by
		// a program without an Expand, explains nothing.
		_ = triage.PlanWindow(&windows[i], s.planned, s.expand)
	}
	return windows
}

// reach sees to it that repeating windows are expanded past t; s.writing is held.
func (s *Store) reach(t time.Time) {
	if !t.After(s.planned) {
		return
	}
	s.planned = t.Add(triage.Ahead)
	next := *s.now.Load()
	known := *next.known
	known.Windows = s.plan(known.Windows)
	next.known = &known
	s.now.Store(&next)
}

// tx runs f in a write transaction, and what is in memory follows what f wrote.
func (s *Store) tx(ctx context.Context, f func(r *recording) error) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	return s.txHeld(ctx, f)
}

// txHeld is tx where s.writing is held.
func (s *Store) txHeld(ctx context.Context, f func(r *recording) error) error {
	now := s.now.Load()
	var r *recording
	next := *now
	err := s.db.Tx(ctx, func(t *sqlitedb.Tx) error {
		r = newRecording(t, s, now.known)
		if err := f(r); err != nil {
			return err
		}
		if err := r.together(); err != nil {
			return fmt.Errorf("fold: %w", err)
		}
		if len(r.put)+len(r.gone)+len(r.demote) == 0 && r.known == now.known && r.hide == nil {
			return nil
		}
		return t.Scan(`UPDATE revision SET n = n + 1 RETURNING n`, nil, &next.revision)
	})
	if err != nil {
		return err
	}
	next.known = r.known
	if next.index != nil {
		r.follow(next.index)
	}
	s.now.Store(&next)
	return nil
}

// follow makes the index what was written.
func (r *recording) follow(x *index) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for key := range r.gone {
		x.remove(key)
	}
	for _, e := range r.put {
		x.put(e)
	}
	for key, demoted := range r.demote {
		if row, there := x.rows[key]; there {
			x.demoted[row] = demoted
		}
	}
	for rule, hidden := range r.hide {
		if hidden {
			x.hidden[rule] = true
		} else {
			delete(x.hidden, rule)
		}
	}
}

// current is what is in memory, with the index, as of now.
func (s *Store) current(ctx context.Context) (*state, error) {
	now := s.now.Load()
	if now.index != nil && !s.db.ReadOnly() {
		return now, nil
	}
	if s.db.ReadOnly() {
		var revision int64
		if err := s.db.Read().QueryRowContext(ctx, `SELECT n FROM revision`).Scan(&revision); err != nil {
			return nil, err
		}
		if now.index != nil && revision == now.revision {
			return now, nil
		}
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	return s.load(ctx)
}

// knownNow is what is known as of now.
func (s *Store) knownNow(ctx context.Context) (*finding.Known, error) {
	if !s.db.ReadOnly() {
		return s.now.Load().known, nil
	}
	var revision int64
	if err := s.db.Read().QueryRowContext(ctx, `SELECT n FROM revision`).Scan(&revision); err != nil {
		return nil, err
	}
	if now := s.now.Load(); revision == now.revision {
		return now.known, nil
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	if err := s.learn(ctx); err != nil {
		return nil, err
	}
	return s.now.Load().known, nil
}

// load reads the index; s.writing is held.
func (s *Store) load(ctx context.Context) (*state, error) {
	if s.db.ReadOnly() {
		// Another process writes: what is known may have changed with the findings.
		if err := s.learn(ctx); err != nil {
			return nil, err
		}
	}
	now := *s.now.Load()
	if now.index != nil {
		return &now, nil
	}
	x, err := s.readIndex(ctx)
	if err != nil {
		return nil, fmt.Errorf("read findings into memory: %w", err)
	}
	now.index = x
	s.now.Store(&now)
	return &now, nil
}

func (s *Store) readIndex(ctx context.Context) (*index, error) {
	x := newIndex()
	rows, err := s.db.Read().QueryContext(ctx, `SELECT key, severity, priority, count, first, last, demoted, facts FROM listed`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var e entry
	for rows.Next() {
		var facts sql.RawBytes
		if err := rows.Scan(&e.key, &e.severity, &e.priority, &e.count, &e.first, &e.last, &e.demoted, &facts); err != nil {
			return nil, err
		}
		if err := e.setFacts(facts); err != nil {
			return nil, err
		}
		x.put(&e)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return nil, err
	}
	hidden, err := s.db.Read().QueryContext(ctx, `SELECT rule FROM stage WHERE latest AND hidden`)
	if err != nil {
		return nil, err
	}
	defer hidden.Close()
	for hidden.Next() {
		var rule string
		if err := hidden.Scan(&rule); err != nil {
			return nil, err
		}
		x.hidden[rule] = true
	}
	return x, hidden.Err()
}

// upgrade makes anew what findings are listed by, where it was made by another
// version of the program.
func (s *Store) upgrade(ctx context.Context) error {
	var is string
	err := s.db.Read().QueryRowContext(ctx, `SELECT body FROM known WHERE name = 'layout'`).Scan(&is)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if is == layout {
		return nil
	}
	return s.tx(ctx, func(r *recording) error {
		keys, err := r.strings(`SELECT key FROM finding`)
		if err != nil {
			return err
		}
		for _, key := range keys {
			if err := r.relist(key); err != nil {
				return err
			}
		}
		_, err = r.t.Exec(`INSERT OR REPLACE INTO known VALUES ('layout', ?)`, layout)
		return err
	})
}
