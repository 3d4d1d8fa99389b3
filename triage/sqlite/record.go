package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/internal/sqlitedb"
	"github.com/yagura-sec/yagura/triage"
)

// counts is what a batch added to the tables of days.
type counts struct {
	Matches []finding.MatchCount  `json:",omitempty"`
	Sources []finding.SourceCount `json:",omitempty"`
}

func (c *counts) empty() bool { return len(c.Matches) == 0 && len(c.Sources) == 0 }

// Record is triage.Recorder's.
func (s *Store) Record(ctx context.Context, batch event.BatchID, j finding.Judged) error {
	j, err := triage.Prepare(batch, j)
	if err != nil {
		return err
	}
	if len(j.Occurrences) == 0 && len(j.Matches) == 0 && len(j.Sources) == 0 && len(j.Marks) == 0 {
		// Most often there is nothing to say and nothing was said before.
		var known bool
		err := s.db.Read().QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM judged WHERE batch = ?)`, batch[:]).Scan(&known)
		if err != nil {
			return fmt.Errorf("record batch %s: %w", batch, err)
		}
		if !known {
			return nil
		}
	}
	err = s.tx(ctx, func(r *recording) error {
		r.reach(j.Occurrences)
		return r.record(batch, j)
	})
	if err != nil {
		return fmt.Errorf("record batch %s: %w", batch, err)
	}
	return nil
}

// recording is one change on its way in.
type recording struct {
	t      *sqlitedb.Tx
	store  *Store
	known  *finding.Known
	noisy  map[ruleOf]bool // whether the rule has a demoted day, as far as asked
	refold map[string]bool // keys of which something was taken away
	days   deltas

	// For the index: see follow.
	put    map[string]*entry
	gone   map[string]bool
	demote map[string]bool
	hide   map[string]bool

	unmet map[string]bool // what shared a topic with a finding that has it no more: see together
}

func newRecording(t *sqlitedb.Tx, s *Store, known *finding.Known) *recording {
	return &recording{
		t: t, store: s, known: known, noisy: map[ruleOf]bool{}, refold: map[string]bool{}, days: newDeltas(),
		put: map[string]*entry{}, gone: map[string]bool{}, demote: map[string]bool{}, unmet: map[string]bool{},
	}
}

// reach sees to it that repeating windows are expanded past the occurrences.
func (r *recording) reach(all []finding.Occurrence) {
	for i := range all {
		if all[i].LastSeen.After(r.store.planned) {
			r.store.reach(all[i].LastSeen)
			r.known = r.store.now.Load().known
		}
	}
}

type ruleOf struct{ rule, source string }

// next is a number greater than all before.
func (r *recording) next() (n int64, err error) {
	return n, r.t.Scan(`UPDATE sequence SET n = n + 1 RETURNING n`, nil, &n)
}

func (r *recording) record(batch event.BatchID, j finding.Judged) error {
	now, err := r.next()
	if err != nil {
		return err
	}
	first, err := r.forget(batch)
	if err != nil {
		return err
	}
	if first == 0 {
		first = now
	} else if j, err = r.uncovered(j, first); err != nil {
		return err
	}
	for _, m := range j.Matches {
		r.days.add(m.Rule, m.LogSource, dayOf(m.Day), m.Matches)
	}
	for _, c := range j.Sources {
		r.days.addSource(c.LogSource, dayOf(c.Day), c.Events)
	}
	if err := r.finish(j.Occurrences); err != nil {
		return err
	}
	for _, m := range j.Marks {
		if err := r.mark(m, now); err != nil {
			return err
		}
	}
	c := counts{j.Matches, j.Sources}
	if len(j.Occurrences) == 0 && c.empty() && first == now {
		return nil // nothing to replace if it is recorded again
	}
	text, err := json.Marshal(c)
	if err != nil {
		return err
	}
	_, err = r.t.Exec(`INSERT INTO judged (batch, counts, seq) VALUES (?, ?, ?)`, batch[:], string(text), first)
	return err
}

// finish counts the days, adds occurrences and folds what they touch.
func (r *recording) finish(add []finding.Occurrence) error {
	changed, err := r.count(r.days)
	if err != nil {
		return err
	}
	for i := range add {
		o := &add[i]
		args, err := occurrenceArgs(o)
		if err != nil {
			return err
		}
		if _, err := r.t.Exec(putOccurrence, args...); err != nil {
			return err
		}
		if !r.refold[o.Key] {
			if err := r.merge(*o); err != nil {
				return err
			}
		}
	}
	for key := range r.refold {
		if err := r.fold(key); err != nil {
			return err
		}
	}
	for _, c := range changed {
		if err := r.review(c); err != nil {
			return err
		}
	}
	return nil
}

// forget takes out what the batch contributed before: keys to fold anew, and
// counts to take off. It gives the number of when the batch was first recorded,
// or 0.
func (r *recording) forget(batch event.BatchID) (first int64, err error) {
	var text string
	err = r.t.Scan(`SELECT counts, seq FROM judged WHERE batch = ?`, []any{batch[:]}, &text, &first)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	var c counts
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		return 0, err
	}
	was, err := r.uncovered(finding.Judged{Matches: c.Matches}, first)
	if err != nil {
		return 0, err
	}
	for _, m := range was.Matches {
		r.days.add(m.Rule, m.LogSource, dayOf(m.Day), -m.Matches)
	}
	for _, s := range c.Sources {
		r.days.addSource(s.LogSource, dayOf(s.Day), -s.Events)
	}
	keys, err := r.strings(`SELECT key FROM occurrence WHERE batch = ? AND hunter = ''`, batch[:])
	if err != nil {
		return 0, err
	}
	for _, key := range keys {
		r.refold[key] = true
	}
	if _, err := r.t.Exec(`DELETE FROM occurrence WHERE batch = ? AND hunter = ''`, batch[:]); err != nil {
		return 0, err
	}
	_, err = r.t.Exec(`DELETE FROM judged WHERE batch = ?`, batch[:])
	return first, err
}

// uncovered is what counts of what a batch says that was first recorded then:
// on some rules and days a hunt has had the word since.
func (r *recording) uncovered(j finding.Judged, first int64) (finding.Judged, error) {
	covered := map[ruleDay]bool{}
	asked := func(rule string, day time.Time) (bool, error) {
		at := ruleDay{ruleOf{rule: rule}, dayOf(day)}
		is, known := covered[at]
		if !known {
			err := r.t.Scan(`SELECT EXISTS (SELECT 1 FROM covered WHERE rule = ? AND day = ? AND seq >= ?)`, []any{rule, at.day, first}, &is)
			if err != nil {
				return false, err
			}
			covered[at] = is
		}
		return is, nil
	}
	out := finding.Judged{Sources: j.Sources, Marks: j.Marks}
	for _, o := range j.Occurrences {
		if is, err := asked(o.Rule, o.Since); err != nil {
			return out, err
		} else if !is {
			out.Occurrences = append(out.Occurrences, o)
		}
	}
	for _, m := range j.Matches {
		if is, err := asked(m.Rule, m.Day); err != nil {
			return out, err
		} else if !is {
			out.Matches = append(out.Matches, m)
		}
	}
	return out, nil
}

func (r *recording) strings(query string, args ...any) (out []string, err error) {
	rows, err := r.t.Query(query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, rows.Err()
}

// merge adds a new occurrence to its finding.
func (r *recording) merge(o finding.Occurrence) error {
	var sum finding.Occurrence
	var decisions int
	found, err := r.one(`SELECT `+occurrenceColumns+`, decisions FROM finding WHERE key = ?`, o.Key, &sum, &decisions)
	if err != nil {
		return err
	}
	planned := found && r.known.Planned(&sum)
	if found {
		o.Merge(sum)
	} else if decisions, err = r.decisionCount(o.Key); err != nil {
		return err
	}
	if planned || r.known.Planned(&o) {
		// A window's times are asked of every occurrence.
		r.refold[o.Key] = true
		return nil
	}
	return r.keep(&o, decisions)
}

// one reads an occurrence by a query that gives at most one.
func (r *recording) one(query, key string, o *finding.Occurrence, more ...any) (found bool, err error) {
	rows, err := r.t.Query(query, key)
	if err != nil {
		return false, err
	}
	defer rows.Close()
	if !rows.Next() {
		return false, rows.Err()
	}
	return true, scanOccurrence(rows.Scan, o, more...)
}

// decisionCount of a finding that is not there yet, or any more: people may
// have decided about it while it was.
func (r *recording) decisionCount(key string) (n int, err error) {
	return n, r.t.Scan(`SELECT count(*) FROM decision WHERE key = ?`, []any{key}, &n)
}

// fold makes the finding anew from its occurrences, or takes it away when
// there are none. What people decided stays.
func (r *recording) fold(key string) error {
	rows, err := r.t.Query(`SELECT `+occurrenceColumns+` FROM occurrence WHERE key = ?`, key)
	if err != nil {
		return err
	}
	defer rows.Close()
	var all []finding.Occurrence
	for rows.Next() {
		var o finding.Occurrence
		if err := scanOccurrence(rows.Scan, &o); err != nil {
			return err
		}
		all = append(all, o)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	if len(all) == 0 {
		r.gone[key] = true
		delete(r.put, key)
		delete(r.demote, key)
		if err := r.silence(key); err != nil {
			return err
		}
		if _, err := r.t.Exec(`DELETE FROM wanting WHERE key = ?`, key); err != nil {
			return err
		}
		if _, err := r.t.Exec(`DELETE FROM listed WHERE key = ?`, key); err != nil {
			return err
		}
		_, err := r.t.Exec(`DELETE FROM finding WHERE key = ?`, key)
		return err
	}
	n, err := r.decisionCount(key)
	if err != nil {
		return err
	}
	sum := finding.Sum(all, r.known)
	return r.keep(&sum, n)
}

const putFinding = `INSERT OR REPLACE INTO finding (` + occurrenceColumns + `, decisions) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

const putListed = `INSERT OR REPLACE INTO listed (key, rule, log_source, severity, priority, count, first, last, demoted, facts) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

// keep writes the finding of a merged occurrence.
func (r *recording) keep(o *finding.Occurrence, decisions int) error {
	args, err := occurrenceArgs(o)
	if err != nil {
		return err
	}
	if _, err := r.t.Exec(putFinding, append(args, decisions)...); err != nil {
		return err
	}
	return r.list(o, decisions)
}

// list writes what the finding of a merged occurrence is listed by.
func (r *recording) list(o *finding.Occurrence, decisions int) error {
	f, err := r.made(o, decisions)
	if err != nil {
		return err
	}
	if err := errors.Join(r.speak(f), r.told(f), r.want(f)); err != nil {
		return err
	}
	e := entryOf(f, f.Demoted)
	r.put[f.Key] = &e
	delete(r.gone, f.Key)
	delete(r.demote, f.Key)
	_, err = r.t.Exec(putListed, f.Key, f.Rule, f.LogSource, e.severity, e.priority, e.count, e.first, e.last, f.Demoted, e.facts())
	return err
}

// made is the finding of a merged occurrence, without what folding makes of it.
func (r *recording) made(o *finding.Occurrence, decisions int) (*finding.Finding, error) {
	var decided []finding.Decision
	if decisions > 0 {
		byKey, err := decisionsOf(r.t.Query, []string{o.Key})
		if err != nil {
			return nil, err
		}
		decided = byKey[o.Key]
	}
	f := finding.Of(*o, decided, r.known)
	var err error
	f.Demoted, err = r.demoted(&f)
	return &f, err
}

// decisionsOf keys, each in the order they were taken.
func decisionsOf(query func(string, ...any) (*sql.Rows, error), keys []string) (map[string][]finding.Decision, error) {
	out := map[string][]finding.Decision{}
	for chunk := range slices.Chunk(keys, 100) {
		args := make([]any, len(chunk))
		for i, key := range chunk {
			args[i] = key
		}
		text := `SELECT key, decision FROM decision WHERE key IN (?` + strings.Repeat(", ?", len(chunk)-1) + `) ORDER BY id`
		rows, err := query(text, args...)
		if err != nil {
			return nil, err
		}
		for rows.Next() {
			var key string
			var text sql.RawBytes
			var d finding.Decision
			if err := rows.Scan(&key, &text); err != nil {
				return nil, errors.Join(err, rows.Close())
			}
			if err := json.Unmarshal(text, &d); err != nil {
				return nil, errors.Join(fmt.Errorf("decision about %s: %w", key, err), rows.Close())
			}
			out[key] = append(out[key], d)
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return nil, err
		}
	}
	return out, nil
}
