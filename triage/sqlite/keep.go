package sqlite

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/internal/sqlitedb"
	"github.com/yagura-sec/yagura/triage"
)

// held runs f with the index in memory while nobody else writes, and gives what
// f says.
func (s *Store) held(ctx context.Context, f func(x *index) error) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	now, err := s.load(ctx)
	if err != nil {
		return err
	}
	return f(now.index)
}

// keysWhere are the findings whose row passes.
func (x *index) keysWhere(test func(row int32) bool) (keys []string) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	for row := range int32(len(x.keys)) {
		if test(row) {
			keys = append(keys, x.keys[row])
		}
	}
	return keys
}

// explainedBy tells of rows whether a thing of that id accounts for them; x.mu
// is held.
func (x *index) explainedBy(id string) rowTest {
	return x.texts[columnOf["explained_by"]].test("= "+id, func(s string) bool { return s == id })
}

// place gives the position of an id in an ordered list.
func place[T any](list []T, id string, of func(*T) string) (i int, there bool) {
	return slices.BinarySearchFunc(list, id, func(x T, id string) int { return strings.Compare(of(&x), id) })
}

// put keeps x at its place in a copy of the list.
func put[T any](list []T, i int, there bool, x T) []T {
	list = slices.Clone(list)
	if !there {
		return slices.Insert(list, i, x)
	}
	list[i] = x
	return list
}

func exceptionID(x *finding.Exception) string { return x.ID }
func windowID(w *finding.Window) string       { return w.ID }

// body writes a noun as the row of a table of bodies.
func (r *recording) body(query, id string, x any) error {
	text, err := json.Marshal(x)
	if err != nil {
		return err
	}
	_, err = r.t.Exec(query, id, string(text))
	return err
}

// SetException is triage.Keeper's.
func (s *Store) SetException(ctx context.Context, x finding.Exception, by string, at time.Time) (touched int, err error) {
	err = s.held(ctx, func(idx *index) error {
		known := *s.now.Load().known
		i, there := place(known.Exceptions, x.ID, exceptionID)
		var old *finding.Exception
		if there {
			old = &known.Exceptions[i]
		}
		next, line, changed, err := triage.PrepareException(x, old, by, at)
		if err != nil || !changed {
			return err
		}
		known.Exceptions = put(known.Exceptions, i, there, next)
		keys := idx.excepted(&next, old != nil && old.Title != next.Title)
		touched = len(keys)
		return s.txHeld(ctx, func(r *recording) error {
			if err := r.body(`INSERT OR REPLACE INTO exception VALUES (?, ?)`, next.ID, next); err != nil {
				return err
			}
			r.known = &known
			for _, key := range keys {
				if err := r.relist(key); err != nil {
					return err
				}
			}
			return r.log(line)
		})
	})
	if err != nil {
		return 0, fmt.Errorf("set exception %s: %w", x.ID, err)
	}
	return touched, nil
}

// excepted are the findings that the exception accounts for now and did not, or
// the other way round; renamed: and those that it accounts for still.
func (x *index) excepted(e *finding.Exception, renamed bool) []string {
	x.mu.RLock()
	was, chosen := x.explainedBy(e.ID), x.expr(e.Scope.Expr())
	source := &x.texts[columnOf["source"]]
	x.mu.RUnlock()
	from, until := e.From.UnixMicro(), e.Until.UnixMicro()
	return x.keysWhere(func(row int32) bool {
		is := e.State == finding.ExceptionActive && (e.From.IsZero() || x.first[row] >= from) && x.last[row] < until && chosen(row)
		if len(source.lists[source.ids[row]]) > 1 {
			// It is listed as others' too, and an exception is about what it says itself.
			is = e.Covers(x.light(row))
		}
		return is != was(row) || is && renamed
	})
}

// SetWindow is triage.Keeper's.
func (s *Store) SetWindow(ctx context.Context, w finding.Window, by string, at time.Time) (touched int, err error) {
	err = s.held(ctx, func(idx *index) error {
		known := *s.now.Load().known
		i, there := place(known.Windows, w.ID, windowID)
		var old *finding.Window
		if there {
			old = &known.Windows[i]
		}
		next, line, changed, err := triage.PrepareWindow(w, old, by, at, s.expand)
		if err != nil || !changed {
			return err
		}
		known.Windows = put(known.Windows, i, there, next)
		s.reachAll(idx)
		known.Windows = s.plan(known.Windows)
		keys := idx.planned(&known.Windows[i])
		renamed := old != nil && !triage.Telling(old, &next)
		return s.txHeld(ctx, func(r *recording) error {
			if err := r.body(`INSERT OR REPLACE INTO planned VALUES (?, ?)`, next.ID, next); err != nil {
				return err
			}
			r.known = &known
			for _, key := range keys {
				if err := r.fold(key); err != nil {
					return err
				}
			}
			touched = r.reexplained(idx, next.ID, renamed)
			return r.log(line)
		})
	})
	if err != nil {
		return 0, fmt.Errorf("set window %s: %w", w.ID, err)
	}
	return touched, nil
}

// reexplained counts the findings put that are explained otherwise than they
// were; renamed: also those that the thing of that id accounts for as before.
func (r *recording) reexplained(x *index, id string, renamed bool) (n int) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	c := &x.texts[columnOf["explained_by"]]
	was := x.explainedBy(id)
	for key, e := range r.put {
		row, there := x.rows[key]
		if !there || c.texts[c.ids[row]] != e.texts[columnOf["explained_by"]] || renamed && was(row) {
			n++
		}
	}
	return n
}

// reachAll sees to it that repeating windows are expanded past every finding;
// s.writing is held.
func (s *Store) reachAll(x *index) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if len(x.last) > 0 {
		if last := sqlitedb.Time(slices.Max(x.last)); last.Add(triage.Ahead / 2).After(s.planned) {
			s.planned = last.Add(triage.Ahead)
		}
	}
}

// planned are the findings that the window could account for, or did until now.
func (x *index) planned(w *finding.Window) []string {
	x.mu.RLock()
	was := x.explainedBy(w.ID)
	x.mu.RUnlock()
	return x.keysWhere(func(row int32) bool { return was(row) || w.Touches(x.light(row)) })
}

// SetEstate is triage.Keeper's.
func (s *Store) SetEstate(ctx context.Context, e finding.Estate) (touched int, err error) {
	if e, err = triage.PrepareEstate(e); err != nil {
		return 0, err
	}
	old := s.now.Load().known.Estate
	if same(old, &e) {
		return 0, nil
	}
	err = s.held(ctx, func(idx *index) error {
		known := *s.now.Load().known
		known.Estate = &e
		keys := idx.moved(old, &e)
		touched = len(keys)
		return s.txHeld(ctx, func(r *recording) error {
			if err := r.body(`INSERT OR REPLACE INTO known VALUES (?, ?)`, "estate", e); err != nil {
				return err
			}
			r.known = &known
			return r.remake(keys)
		})
	})
	if err != nil {
		return 0, fmt.Errorf("set the estate: %w", err)
	}
	return touched, nil
}

func same(a, b *finding.Estate) bool {
	if a == nil {
		return len(b.Accounts)+len(b.Rules) == 0
	}
	x, err := json.Marshal(a)
	y, err2 := json.Marshal(b)
	return err == nil && err2 == nil && string(x) == string(y)
}

// remake makes findings anew of which something is known otherwise: from their
// occurrences where windows may ask for that.
func (r *recording) remake(keys []string) error {
	again := r.relist
	if len(r.known.Windows) > 0 {
		again = r.fold
	}
	for _, key := range keys {
		if err := again(key); err != nil {
			return err
		}
	}
	return nil
}

// moved are the findings of which the estates say something different.
func (x *index) moved(old, e *finding.Estate) []string {
	type where struct{ account, resource uint32 }
	accounts, resources := &x.texts[columnOf["account"]], &x.texts[columnOf["resource"]]
	differ := map[where]bool{}
	return x.keysWhere(func(row int32) bool {
		at := where{accounts.ids[row], resources.ids[row]}
		is, asked := differ[at]
		if !asked {
			account, resource := accounts.text(row), resources.text(row)
			is = old.Place(account, resource) != e.Place(account, resource)
			differ[at] = is
		}
		return is
	})
}

// assessPiece is how many findings are made anew at a time when principals and
// resources are judged: who lists, decides or records meanwhile gets in between.
const assessPiece = 500

// Assess is triage.Keeper's. What was judged is written last, so that findings
// which are not made anew when the program ends are when it judges again.
func (s *Store) Assess(ctx context.Context, all []finding.Assessment) (touched int, err error) {
	s.assessing.Lock()
	defer s.assessing.Unlock()
	assessed := make(map[string]finding.Assessment, len(all))
	for _, a := range all {
		assessed[a.Subject] = a
	}
	var old map[string]finding.Assessment
	var keys []string
	err = s.held(ctx, func(idx *index) error {
		old = s.assess(assessed)
		keys = idx.judgedAnew(old, assessed)
		return nil
	})
	for piece := range slices.Chunk(keys, assessPiece) {
		if err != nil {
			break
		}
		err = s.tx(ctx, func(r *recording) error {
			for _, key := range piece {
				if err := r.relist(key); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err == nil && !maps.Equal(old, assessed) {
		err = s.tx(ctx, func(r *recording) error { return r.assessed(old, assessed) })
	}
	if err != nil {
		s.writing.Lock()
		defer s.writing.Unlock()
		if old != nil {
			s.assess(old)
		}
		return 0, fmt.Errorf("keep what was judged of principals and resources: %w", err)
	}
	return len(keys), nil
}

// assess makes what is known say so from here on and gives what it said; s.writing
// is held.
func (s *Store) assess(assessed map[string]finding.Assessment) (old map[string]finding.Assessment) {
	next := *s.now.Load()
	known := *next.known
	old, known.Assessed = known.Assessed, assessed
	next.known = &known
	s.now.Store(&next)
	return old
}

// judgedAnew are the findings whose principal or resource is judged otherwise.
func (x *index) judgedAnew(old, is map[string]finding.Assessment) []string {
	changed := func(subject string) bool { return subject != "" && old[subject] != is[subject] }
	x.mu.RLock()
	actor, resource := x.texts[columnOf["actor"]].test("", changed), x.texts[columnOf["resource"]].test("", changed)
	x.mu.RUnlock()
	return x.keysWhere(func(row int32) bool { return actor(row) || resource(row) })
}

// assessed writes what is judged otherwise than it was.
func (r *recording) assessed(old, is map[string]finding.Assessment) error {
	for subject := range old {
		if _, still := is[subject]; still {
			continue
		}
		if _, err := r.t.Exec(`DELETE FROM assessed WHERE subject = ?`, subject); err != nil {
			return err
		}
	}
	for subject, a := range is {
		if a == old[subject] {
			continue
		}
		if err := r.body(`INSERT OR REPLACE INTO assessed VALUES (?, ?)`, subject, a); err != nil {
			return err
		}
	}
	// Readers beside this program learn what is known where it says that it changed.
	return r.t.Scan(`UPDATE revision SET n = n + 1 RETURNING n`, nil, new(int64))
}

// explains counts what each exception and window accounts for.
func (s *Store) explains(ctx context.Context) (known *finding.Known, counts map[string]int, err error) {
	now, err := s.current(ctx)
	if err != nil {
		return nil, nil, err
	}
	counts = map[string]int{}
	x := now.index
	x.mu.RLock()
	defer x.mu.RUnlock()
	c := &x.texts[columnOf["explained_by"]]
	byID := make([]int, len(c.texts))
	for _, id := range c.ids {
		byID[id]++
	}
	for id, n := range byID {
		for _, explainer := range c.lists[id] {
			counts[explainer] += n
		}
	}
	return s.now.Load().known, counts, nil
}

// Exceptions is triage.Keeper's.
func (s *Store) Exceptions(ctx context.Context) ([]finding.Exception, error) {
	known, n, err := s.explains(ctx)
	if err != nil {
		return nil, fmt.Errorf("read exceptions: %w", err)
	}
	out := slices.Clone(known.Exceptions)
	for i := range out {
		out[i].Explains = n[out[i].ID]
	}
	return out, nil
}

// Windows is triage.Keeper's.
func (s *Store) Windows(ctx context.Context) ([]finding.Window, error) {
	known, n, err := s.explains(ctx)
	if err != nil {
		return nil, fmt.Errorf("read windows: %w", err)
	}
	out := slices.Clone(known.Windows)
	for i := range out {
		out[i].Explains, out[i].Times = n[out[i].ID], nil
	}
	return out, nil
}

// Preview is triage.Keeper's.
func (s *Store) Preview(ctx context.Context, scope finding.Scope, since, until time.Time) (triage.Preview, error) {
	p, err := triage.NewPreview(since, until)
	if err != nil {
		return p, err
	}
	chosen := triage.Filter{Scope: scope, Since: since, Until: until}
	err = s.chosen(ctx, &chosen, func(x *index, rows []int32) {
		for _, row := range rows {
			p.Findings++
			if x.explained[row] {
				p.Explained++
			}
			if rank := x.severity[row]; rank >= 0 {
				p.BySeverity[string(finding.Severities[rank])]++
			}
		}
	})
	if err != nil {
		return p, fmt.Errorf("preview: %w", err)
	}
	p.Critical = p.BySeverity[string(finding.Critical)]
	chosen.Limit = triage.SampleSize
	p.Sample, _, err = s.List(ctx, chosen)
	return p, err
}
