package sqlite

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/internal/sqlitedb"
	"github.com/yagura-sec/yagura/triage"
)

// chosen calls f with the index and the rows that x chooses.
func (s *Store) chosen(ctx context.Context, x *triage.Filter, f func(i *index, rows []int32)) error {
	now, err := s.current(ctx)
	if err != nil {
		return err
	}
	now.index.mu.RLock()
	defer now.index.mu.RUnlock()
	f(now.index, now.index.choose(x))
	return nil
}

// Count is triage.Counter's.
func (s *Store) Count(ctx context.Context, x triage.Filter) (n int, err error) {
	if err := triage.CheckSort(x.Sort); err != nil {
		return 0, err
	}
	return n, s.chosen(ctx, &x, func(_ *index, rows []int32) { n = len(rows) })
}

// Keys is triage.Counter's.
func (s *Store) Keys(ctx context.Context, x triage.Filter) ([]string, error) {
	x.Cursor = ""
	keys, _, err := s.page(ctx, x)
	return keys, err
}

// Facets is triage.Counter's.
func (s *Store) Facets(ctx context.Context, x triage.Filter, limit int, names ...string) (out triage.Facets, err error) {
	if err := triage.CheckSort(x.Sort); err != nil {
		return out, err
	}
	fields, err := triage.FacetFields(names)
	if err != nil {
		return out, err
	}
	out.Facets = []triage.Facet{}
	return out, s.chosen(ctx, &x, func(i *index, rows []int32) {
		out.Total = len(rows)
		for _, f := range fields {
			out.Facets = append(out.Facets, i.facet(f, rows, limit))
		}
	})
}

// Days is triage.Counter's.
func (s *Store) Days(ctx context.Context, x triage.Filter, since, until time.Time) (out []finding.DayCount, err error) {
	if err := triage.CheckSort(x.Sort); err != nil {
		return nil, err
	}
	first, n, err := triage.DaySpan(since, until)
	if err != nil {
		return nil, err
	}
	return out, s.chosen(ctx, &x, func(i *index, rows []int32) { out = i.days(rows, first, n) })
}

// Cases is triage.Counter's.
func (s *Store) Cases(ctx context.Context, x triage.Filter) (page []finding.Case, next string, total int, err error) {
	if err := triage.CheckSort(x.Sort); err != nil {
		return nil, "", 0, err
	}
	var after *triage.Place
	if x.Cursor != "" {
		p, err := triage.ParseCursor(x.Cursor, "case")
		if err != nil {
			return nil, "", 0, err
		}
		after = &p
	}
	err = s.chosen(ctx, &x, func(i *index, rows []int32) {
		var ids []uint32
		ids, next, total = i.cases(rows, after, x.Limit)
		page = i.sums(rows, ids)
	})
	return page, next, total, err
}

// sums gives the cases of those ids, each summing up its part of the rows; x.mu
// is held.
func (x *index) sums(rows []int32, ids []uint32) []finding.Case {
	c := &x.texts[columnOf["case"]]
	place := make([]int32, len(c.texts)) // by case: where its sum is, from 1
	for n, id := range ids {
		place[id] = int32(n + 1)
	}
	sums := make([]finding.CaseSum, len(ids))
	for _, row := range rows {
		if n := place[c.ids[row]]; n > 0 {
			sums[n-1].Add(x.member(row))
		}
	}
	out := make([]finding.Case, len(ids))
	for n := range sums {
		out[n] = sums[n].Case()
	}
	return out
}

// The columns that members are of.
var (
	caseColumn, kindColumn, severityColumn    = columnOf["case"], columnOf["kind"], columnOf["severity"]
	actorColumn, personColumn, resourceColumn = columnOf["actor"], columnOf["person"], columnOf["resource"]
	accountColumn                             = columnOf["account"]
)

// member is what the case of a row takes from it; x.mu is held.
func (x *index) member(row int32) finding.Member {
	text := func(column int) string { return x.texts[column].text(row) }
	m := finding.Member{
		Case: text(caseColumn), Key: x.keys[row], Kind: finding.Kind(text(kindColumn)), Severity: finding.Severity(text(severityColumn)),
		Priority: int(x.priority[row]), Score: x.score[row], Actor: text(actorColumn), Person: text(personColumn), Account: text(accountColumn),
		First: sqlitedb.Time(x.first[row]), Last: sqlitedb.Time(x.last[row]), Explained: x.explained[row],
	}
	if x.named[row] {
		m.Resource = text(resourceColumn)
	}
	return m
}

// cases gives those of the rows that follow the cursor, in the order of
// triage.CasePlace; x.mu is held.
func (x *index) cases(rows []int32, after *triage.Place, limit int) (ids []uint32, next string, total int) {
	type sum struct {
		id       uint32
		priority int16
		last     int64
	}
	c := &x.texts[columnOf["case"]]
	at := make([]int32, len(c.texts)) // by case: where its sum is, from 1
	sums := make([]sum, 0, min(len(rows), len(c.texts)))
	for _, row := range rows {
		id := c.ids[row]
		if at[id] == 0 {
			sums = append(sums, sum{id, x.priority[row], x.last[row]})
			at[id] = int32(len(sums))
			continue
		}
		s := &sums[at[id]-1]
		s.priority, s.last = max(s.priority, x.priority[row]), max(s.last, x.last[row])
	}
	total = len(sums)
	place := func(s sum) triage.Place {
		return triage.CasePlace(c.texts[s.id], int(s.priority), sqlitedb.Time(s.last))
	}
	if after != nil {
		sums = slices.DeleteFunc(sums, func(s sum) bool { return after.Compare(place(s)) >= 0 })
	}
	sums = first(sums, limit, func(a, b sum) int {
		return cmp.Or(cmp.Compare(b.priority, a.priority), cmp.Compare(b.last, a.last), cmp.Compare(c.texts[a.id], c.texts[b.id]))
	})
	if limit > 0 && len(sums) > limit {
		sums = sums[:limit]
		next = place(sums[limit-1]).Cursor()
	}
	for _, s := range sums {
		ids = append(ids, s.id)
	}
	return ids, next, total
}
