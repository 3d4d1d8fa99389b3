package memory

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/triage"
)

// DecideAll is triage.Bulker's.
func (s *Store) DecideAll(ctx context.Context, keys []string, d finding.Decision) (triage.Bulk, error) {
	d, err := triage.PrepareBulk(keys, d)
	if err != nil {
		return triage.Bulk{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out := triage.Bulk{Group: d.Group, Failed: []triage.Failed{}}
	for _, key := range keys {
		f, err := s.get(ctx, key)
		if err == nil {
			_, err = s.decideWhole(ctx, &f, triage.OneOf(d, f.Key))
		}
		if err != nil {
			out.Failed = append(out.Failed, triage.Failed{Key: key, Reason: err.Error()})
			continue
		}
		out.Decided++
	}
	return out, ctx.Err()
}

// Undo is triage.Bulker's.
func (s *Store) Undo(ctx context.Context, u triage.Undo) (n int, err error) {
	if err := u.Check(); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, all := range s.decisions {
		for _, d := range all {
			if u.ID == d.ID {
				u = u.Whole(d.Group)
			}
		}
	}
	known := false
	for _, key := range slices.Sorted(maps.Keys(s.decisions)) {
		named := slices.ContainsFunc(s.decisions[key], func(d finding.Decision) bool {
			return u.ID != "" && d.ID == u.ID || u.Group != "" && d.Group == u.Group
		})
		if !named {
			continue
		}
		known = true
		all := finding.Replay(s.decisions[key])
		takers := u.Takers(all)
		for _, d := range takers {
			if d, err = triage.PrepareDecision(d); err != nil {
				return n, err
			}
			if _, err := s.decide(&finding.Finding{Trouble: finding.Trouble{Key: key}, Decisions: all}, d); err != nil {
				return n, err
			}
		}
		if len(takers) > 0 {
			n++
		}
	}
	if !known {
		return 0, fmt.Errorf("undo %s%s: %w", u.ID, u.Group, triage.ErrUnknown)
	}
	return n, ctx.Err()
}

// chosen are the findings that x chooses, in its order.
func (s *Store) chosen(x triage.Filter) (out []finding.Finding, err error) {
	if err := triage.CheckSort(x.Sort); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.findings() {
		if x.Match(&f) {
			out = append(out, f)
		}
	}
	slices.SortFunc(out, func(a, b finding.Finding) int {
		return triage.PlaceOf(&a, x.Sort).Compare(triage.PlaceOf(&b, x.Sort))
	})
	return out, nil
}

// Count is triage.Counter's.
func (s *Store) Count(ctx context.Context, x triage.Filter) (int, error) {
	all, err := s.chosen(x)
	return len(all), cmp.Or(err, ctx.Err())
}

// Keys is triage.Counter's.
func (s *Store) Keys(ctx context.Context, x triage.Filter) (keys []string, err error) {
	all, err := s.chosen(x)
	for _, f := range all {
		if x.Limit <= 0 || len(keys) < x.Limit {
			keys = append(keys, f.Key)
		}
	}
	return keys, cmp.Or(err, ctx.Err())
}

// Facets is triage.Counter's.
func (s *Store) Facets(ctx context.Context, x triage.Filter, limit int, names ...string) (triage.Facets, error) {
	fields, err := triage.FacetFields(names)
	if err != nil {
		return triage.Facets{}, err
	}
	all, err := s.chosen(x)
	if err != nil {
		return triage.Facets{}, err
	}
	out := triage.Facets{Total: len(all), Facets: []triage.Facet{}}
	for _, field := range fields {
		counts := map[string]int{}
		for _, f := range all {
			for _, v := range triage.FacetValues(field, field.Value(&f)) {
				counts[v]++
			}
		}
		out.Facets = append(out.Facets, triage.NewFacet(field, counts, limit))
	}
	return out, ctx.Err()
}

// Days is triage.Counter's.
func (s *Store) Days(ctx context.Context, x triage.Filter, since, until time.Time) ([]finding.DayCount, error) {
	first, n, err := triage.DaySpan(since, until)
	if err != nil {
		return nil, err
	}
	all, err := s.chosen(x)
	if err != nil {
		return nil, err
	}
	days := triage.NewDays(first, n)
	for _, f := range all {
		days.Add(f.FirstSeen, f.DecidedAt(), f.ClosedAt(), len(f.Explained) > 0)
	}
	return days.Counts(), ctx.Err()
}

// Cases is triage.Counter's.
func (s *Store) Cases(ctx context.Context, x triage.Filter) (page []finding.Case, next string, total int, err error) {
	var after triage.Place
	if x.Cursor != "" {
		if after, err = triage.ParseCursor(x.Cursor, "case"); err != nil {
			return nil, "", 0, err
		}
	}
	all, err := s.chosen(x)
	if err != nil {
		return nil, "", 0, err
	}
	place := func(c *finding.Case) triage.Place { return triage.CasePlace(c.ID, c.Priority, c.Last) }
	var cases []finding.Case
	for _, g := range finding.Gather(all) {
		cases = append(cases, g.Case)
	}
	slices.SortFunc(cases, func(a, b finding.Case) int { return place(&a).Compare(place(&b)) })
	for i := range cases {
		if x.Cursor == "" || after.Compare(place(&cases[i])) < 0 {
			page = append(page, cases[i])
		}
	}
	if x.Limit > 0 && len(page) > x.Limit {
		page = page[:x.Limit]
		next = place(&page[x.Limit-1]).Cursor()
	}
	return page, next, len(cases), ctx.Err()
}

// explains counts what each exception and window accounts for; s.mu is held.
func (s *Store) explains() map[string]int {
	out := map[string]int{}
	for _, f := range s.findings() {
		for _, x := range f.Explained {
			out[x.Kind+":"+x.ID]++
		}
	}
	return out
}

// Exceptions is triage.Keeper's.
func (s *Store) Exceptions(ctx context.Context) ([]finding.Exception, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out, n := slices.Clone(s.known.Exceptions), s.explains()
	for i := range out {
		out[i].Explains = n["exception:"+out[i].ID]
	}
	return out, ctx.Err()
}

// Windows is triage.Keeper's.
func (s *Store) Windows(ctx context.Context) ([]finding.Window, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out, n := slices.Clone(s.known.Windows), s.explains()
	for i := range out {
		out[i].Explains, out[i].Times = n["window:"+out[i].ID], nil
	}
	return out, ctx.Err()
}

// SetException is triage.Keeper's.
func (s *Store) SetException(ctx context.Context, x finding.Exception, by string, at time.Time) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.known
	line, changed, err := set(&known.Exceptions, x.ID, func(x *finding.Exception) string { return x.ID }, func(old *finding.Exception) (finding.Exception, finding.AuditLine, bool, error) {
		return triage.PrepareException(x, old, by, at)
	})
	if err != nil || !changed {
		return 0, err
	}
	s.log(line)
	return s.know(known), ctx.Err()
}

// SetWindow is triage.Keeper's.
func (s *Store) SetWindow(ctx context.Context, w finding.Window, by string, at time.Time) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.known
	line, changed, err := set(&known.Windows, w.ID, func(w *finding.Window) string { return w.ID }, func(old *finding.Window) (finding.Window, finding.AuditLine, bool, error) {
		return triage.PrepareWindow(w, old, by, at, s.Expand)
	})
	if err != nil || !changed {
		return 0, err
	}
	s.log(line)
	return s.know(known), ctx.Err()
}

// set puts what prepare makes of the one with that id, nil where there is none,
// into a copy of all, which are in the order of their ids.
func set[T any](all *[]T, id string, idOf func(*T) string, prepare func(old *T) (T, finding.AuditLine, bool, error)) (line finding.AuditLine, changed bool, err error) {
	next := slices.Clone(*all)
	i, there := slices.BinarySearchFunc(next, id, func(x T, id string) int { return strings.Compare(idOf(&x), id) })
	var old *T
	if there {
		old = &(*all)[i]
	}
	x, line, changed, err := prepare(old)
	if err != nil || !changed {
		return line, false, err
	}
	if there {
		next[i] = x
	} else {
		next = slices.Insert(next, i, x)
	}
	*all = next
	return line, true, nil
}

// know takes what is known now, and says how many findings that changed.
func (s *Store) know(known finding.Known) (touched int) {
	before := s.findings()
	s.known = known
	for key, f := range s.findings() {
		if !reflect.DeepEqual(f, before[key]) {
			touched++
		}
	}
	return touched
}

// SetEstate is triage.Keeper's.
func (s *Store) SetEstate(ctx context.Context, e finding.Estate) (int, error) {
	e, err := triage.PrepareEstate(e)
	if err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.known
	known.Estate = &e
	return s.know(known), ctx.Err()
}

// Assess is triage.Keeper's.
func (s *Store) Assess(ctx context.Context, all []finding.Assessment) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.known
	known.Assessed = map[string]finding.Assessment{}
	for _, a := range all {
		known.Assessed[a.Subject] = a
	}
	return s.know(known), ctx.Err()
}

// Preview is triage.Keeper's.
func (s *Store) Preview(ctx context.Context, scope finding.Scope, since, until time.Time) (triage.Preview, error) {
	p, err := triage.NewPreview(since, until)
	if err != nil {
		return p, err
	}
	all, err := s.chosen(triage.Filter{Scope: scope, Since: since, Until: until})
	if err != nil {
		return p, err
	}
	for _, f := range all {
		p.Findings++
		if len(f.Explained) > 0 {
			p.Explained++
		}
		if f.Severity == finding.Critical {
			p.Critical++
		}
		p.BySeverity[string(f.Severity)]++
		if len(p.Sample) < triage.SampleSize {
			p.Sample = append(p.Sample, f)
		}
	}
	return p, ctx.Err()
}

// log writes an audit line; s.mu is held.
func (s *Store) log(l finding.AuditLine) {
	l.ID = int64(len(s.audit) + 1)
	s.audit = append(s.audit, l)
}

// Log is triage.Auditor's.
func (s *Store) Log(ctx context.Context, l finding.AuditLine) error {
	l, err := triage.PrepareLine(l)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log(l)
	return ctx.Err()
}

// Audit is triage.Auditor's.
func (s *Store) Audit(ctx context.Context, x triage.AuditFilter) (lines []finding.AuditLine, next string, err error) {
	before, err := triage.AuditCursor(x.Cursor)
	if err != nil {
		return nil, "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range slices.Backward(s.audit) {
		if l.ID >= before || !x.Match(&l) {
			continue
		}
		if x.Limit > 0 && len(lines) == x.Limit {
			return lines, strconv.FormatInt(lines[len(lines)-1].ID, 10), ctx.Err()
		}
		lines = append(lines, l)
	}
	return lines, "", ctx.Err()
}

// Views is triage.Views'.
func (s *Store) Views(ctx context.Context, page, who string) (out []finding.View, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, v := range s.views {
		if (page == "" || v.Page == page) && (v.Shared || v.Owner == who) {
			out = append(out, v)
		}
	}
	slices.SortFunc(out, func(a, b finding.View) int { return cmp.Or(cmp.Compare(a.Title, b.Title), cmp.Compare(a.ID, b.ID)) })
	return out, ctx.Err()
}

// SetView is triage.Views'.
func (s *Store) SetView(ctx context.Context, v finding.View) error {
	v, err := triage.PrepareView(v)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.views, func(x finding.View) bool { return x.ID == v.ID })
	switch {
	case i < 0:
		s.views = append(s.views, v)
	case s.views[i].Owner != v.Owner:
		return fmt.Errorf("%w: view %s is somebody else's", triage.ErrWrong, v.ID)
	default:
		s.views[i] = v
	}
	return ctx.Err()
}

// DeleteView is triage.Views'.
func (s *Store) DeleteView(ctx context.Context, id, who string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.views)
	s.views = slices.DeleteFunc(s.views, func(v finding.View) bool { return v.ID == id && v.Owner == who })
	if len(s.views) == n {
		return fmt.Errorf("view %s: %w", id, triage.ErrUnknown)
	}
	return errors.Join(ctx.Err())
}
