package local

import (
	"context"
	"database/sql"
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/lake"
	"github.com/yagura-sec/yagura/query"
)

var _ lake.Explorer = (*Store)(nil)

// Looking around goes through segments in portions, so that it can stop when
// patience is over: the first one is small, and each takes about as long as a
// portion may.
var firstPortion = int64(400_000) // rows; a test has less

const (
	mostPortion = 8_000_000
	mostFiles   = 500
	// enoughValues is of how many events that satisfy a filter values are counted:
	// what is frequent among those is frequent.
	enoughValues = 50_000
)

// look is one look around at work.
type look struct {
	s        *Store
	q        query.Query
	cond     condition
	deadline time.Time // zero: none
	segs     []segment // in the order in which they are looked at
	first    int64     // rows of the first portion; 0: firstPortion
	sample   lake.Sample
}

func (s *Store) newLook(ctx context.Context, q query.Query, patience time.Duration) (*look, error) {
	l := &look{s: s, q: q, cond: conditionOf(&q)}
	if patience > 0 {
		l.deadline = time.Now().Add(patience)
	}
	all, err := s.live(q.Since, q.Until)
	if err != nil {
		return nil, err
	}
	for _, g := range all {
		l.sample.Stored += g.Rows
	}
	segs, err := s.candidates(&q, q.Since, q.Until)
	if n, ok := needleOf(q.Where); ok && err == nil {
		segs, err = s.holding(ctx, n, segs)
	}
	for _, g := range segs {
		l.sample.Looked -= g.Rows // the others need no look
	}
	l.sample.Looked += l.sample.Stored
	l.segs = spread(segs)
	return l, err
}

// holding leaves the segments that may hold a value.
func (s *Store) holding(ctx context.Context, n needle, segs []segment) ([]segment, error) {
	left, places, found, err := s.findNeedle(ctx, n, segs)
	if err != nil || !found {
		return left, err
	}
	return slices.DeleteFunc(slices.Clone(segs), func(g segment) bool {
		return !slices.ContainsFunc(places, func(p place) bool { return p.seg.ID == g.ID })
	}), nil
}

// spread orders segments, which are ascending by day, so that those at the front,
// however few, are from all over the time.
func spread(segs []segment) []segment {
	out := make([]segment, 0, len(segs))
	width := bits.Len(uint(max(len(segs)-1, 0)))
	for i := range 1 << width {
		if at := int(bits.Reverse32(uint32(i)) >> (32 - width)); at < len(segs) {
			out = append(out, segs[at])
		}
	}
	return out
}

// portions calls f with some segments at a time until f says that it is enough or
// patience is over, but at least once.
func (l *look) portions(ctx context.Context, f func(conn *sql.Conn, segs []segment) (enough bool, err error)) error {
	if len(l.segs) == 0 {
		return nil
	}
	db, err := l.s.duckdb()
	if err != nil {
		return err
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	size := firstPortion
	if l.first > 0 {
		size = min(l.first, size)
	}
	for left := l.segs; len(left) > 0; {
		var rows int64
		n := 0
		for n < len(left) && n < mostFiles && (n == 0 || rows+left[n].Rows <= size) {
			rows += left[n].Rows
			n++
		}
		began := time.Now()
		enough, err := f(conn, left[:n])
		if err != nil {
			return err
		}
		l.sample.Looked += rows
		left = left[n:]
		took := time.Since(began)
		if enough || !l.deadline.IsZero() && time.Now().Add(took/2).After(l.deadline) {
			l.sample.Sampled = len(left) > 0
			return nil
		}
		if !l.deadline.IsZero() { // so much as fits in half of what is left
			size = int64(float64(rows) * float64(time.Until(l.deadline)/2) / float64(took+1))
		} else {
			size *= 4
		}
		size = min(max(size, min(firstPortion, rows)), mostPortion)
	}
	return nil
}

// Histogram implements lake.Explorer.
func (s *Store) Histogram(ctx context.Context, q query.Query, buckets int, patience time.Duration) (lake.Histogram, error) {
	h, err := s.histogram(ctx, q, buckets, patience)
	if isGone(err) {
		if err = s.reload(ctx); err == nil {
			h, err = s.histogram(ctx, q, buckets, patience)
		}
	}
	if err != nil {
		return h, fmt.Errorf("histogram: %w", contextFirst(ctx, err))
	}
	return h, nil
}

func (s *Store) histogram(ctx context.Context, q query.Query, buckets int, patience time.Duration) (lake.Histogram, error) {
	l, err := s.newLook(ctx, q, patience)
	if err != nil || l.sample.Stored == 0 && (q.Since.IsZero() || q.Until.IsZero()) {
		return lake.Histogram{Buckets: []lake.Bucket{}}, err
	}
	since, until, err := s.bounds(q)
	if err != nil {
		return lake.Histogram{}, err
	}
	if !since.Before(until) {
		return lake.Histogram{Buckets: []lake.Bucket{}, Sample: l.sample}, nil
	}
	start, width, n := lake.Grid(since, until, buckets)
	h := lake.Histogram{Since: start, Until: start.Add(time.Duration(int64(n)*width) * time.Second), Width: width}
	t := &timeline{start: start, width: width, counts: make([]int64, n), looked: make([]float64, n), stored: make([]float64, n)}
	for _, g := range l.segs {
		t.spread(g, t.stored)
	}
	if q.Where == nil && width%3600 == 0 {
		err = l.byHour(ctx, t)
	}
	switch {
	case err != nil:
	case !l.cond.exact:
		err = l.counted(ctx, t)
	default:
		sampled := l.sample.Sampled
		err = l.portions(ctx, func(conn *sql.Conn, segs []segment) (bool, error) { return false, l.times(ctx, conn, segs, t) })
		l.sample.Sampled = l.sample.Sampled || sampled
	}
	h.Buckets, h.Total, h.Sample = t.buckets(), 0, l.sample
	for _, b := range h.Buckets {
		h.Total += b.Count
	}
	return h, err
}

// bounds are the query's ends, or where it is open those of what is stored.
func (s *Store) bounds(q query.Query) (since, until time.Time, err error) {
	since, until = q.Since, q.Until
	if !since.IsZero() && !until.IsZero() {
		return since, until, nil
	}
	segs, err := s.live(q.Since, q.Until)
	for i, g := range segs {
		if q.Since.IsZero() && (i == 0 || g.MinTime.Before(since)) {
			since = g.MinTime
		}
		if q.Until.IsZero() && (i == 0 || !g.MaxTime.Before(until)) {
			until = g.MaxTime.Add(time.Microsecond)
		}
	}
	return since, until, err
}

// timeline is a histogram in the making.
type timeline struct {
	start          time.Time
	width          int64
	counts         []int64
	looked, stored []float64 // rows of segments, about
}

// spread adds a segment's rows to the buckets that it reaches over, in equal parts.
func (t *timeline) spread(g segment, to []float64) {
	first, last := t.at(g.MinTime), t.at(g.MaxTime)
	for i := max(first, 0); i <= min(last, len(to)-1); i++ {
		to[i] += float64(g.Rows) / float64(last-first+1)
	}
}

func (t *timeline) at(x time.Time) int {
	d := x.Unix() - t.start.Unix()
	if d < 0 {
		return -1
	}
	return int(d / t.width)
}

func (t *timeline) buckets() []lake.Bucket {
	out := make([]lake.Bucket, len(t.counts))
	for i := range out {
		b := &out[i]
		b.Time = t.start.Add(time.Duration(int64(i)*t.width) * time.Second)
		b.Count, b.Part = t.counts[i], 1
		if t.stored[i] > 0 {
			b.Part = min(1, t.looked[i]/t.stored[i])
		}
		if b.Part > 0.999 {
			b.Part = 1 // but for rounding
		}
		if b.Part > 0 {
			b.Count = int64(float64(b.Count)/b.Part + 0.5)
		}
	}
	return out
}

// times counts the events of some segments by bucket.
func (l *look) times(ctx context.Context, conn *sql.Conn, segs []segment, t *timeline) error {
	text := fmt.Sprintf(`SELECT CAST((epoch_us("time") - %d) // %d AS BIGINT) AS b, count(*) FROM `, t.start.UnixMicro(), t.width*1e6) +
		eventsFrom(segs) + " WHERE " + l.cond.text + " GROUP BY b"
	rows, err := conn.QueryContext(ctx, text, l.cond.args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var b, n int64
		if err := rows.Scan(&b, &n); err != nil {
			return err
		}
		if b >= 0 && b < int64(len(t.counts)) {
			t.counts[b] += n
		}
	}
	for _, g := range segs {
		t.spread(g, t.looked)
	}
	return rows.Err()
}

// counted counts by reading events, for filters that SQL cannot say: the latest
// first, as far as patience reaches.
func (l *look) counted(ctx context.Context, t *timeline) error {
	last := time.Time{}
	for e, err := range l.s.Select(ctx, query.Query{Where: l.q.Where, Since: l.q.Since, Until: l.q.Until}) {
		if err != nil {
			return err
		}
		if b := t.at(e.Time); b >= 0 && b < len(t.counts) {
			t.counts[b]++
		}
		if !l.deadline.IsZero() && time.Now().After(l.deadline) {
			last = e.Time
			break
		}
	}
	for _, g := range l.segs {
		if last.IsZero() || g.MinTime.After(last) {
			t.spread(g, t.looked)
			l.sample.Looked += g.Rows
		}
	}
	l.sample.Sampled = !last.IsZero()
	return nil
}

// Values implements lake.Explorer.
func (s *Store) Values(ctx context.Context, q query.Query, fields []string, most int, patience time.Duration) (lake.FieldValues, error) {
	v, err := s.values(ctx, q, fields, most, patience)
	if isGone(err) {
		if err = s.reload(ctx); err == nil {
			v, err = s.values(ctx, q, fields, most, patience)
		}
	}
	if err != nil {
		return v, fmt.Errorf("values: %w", contextFirst(ctx, err))
	}
	return v, nil
}

func (s *Store) values(ctx context.Context, q query.Query, fields []string, most int, patience time.Duration) (lake.FieldValues, error) {
	tally, err := lake.NewTally(fields)
	if err != nil {
		return lake.FieldValues{}, err
	}
	l, err := s.newLook(ctx, q, patience)
	if err != nil {
		return lake.FieldValues{}, err
	}
	if !l.cond.exact {
		err = l.tallied(ctx, tally)
		return tally.Values(most, l.sample), err
	}
	tops := make([]map[string]int64, len(fields))
	for i := range tops {
		tops[i] = map[string]int64{}
	}
	if q.Where == nil {
		l.first = enoughValues * 2 // each of which satisfies it
	}
	var total int64
	err = l.portions(ctx, func(conn *sql.Conn, segs []segment) (bool, error) {
		n, err := l.tops(ctx, conn, segs, fields, tops)
		total += n
		return total >= enoughValues, err
	})
	out := lake.FieldValues{Total: l.sample.Scale(total), Sample: l.sample}
	for i, name := range fields {
		f := lake.FieldTop{Field: name, Values: []lake.ValueCount{}}
		for v, n := range tops[i] {
			f.Values = append(f.Values, lake.ValueCount{Value: v, Count: l.sample.Scale(n)})
		}
		f.More = len(f.Values) > most
		out.Fields = append(out.Fields, f.Top(most))
	}
	return out, err
}

// tallied counts by reading events, for filters that SQL cannot say.
func (l *look) tallied(ctx context.Context, tally *lake.Tally) error {
	n := 0
	for e, err := range l.s.Select(ctx, query.Query{Where: l.q.Where, Since: l.q.Since, Until: l.q.Until}) {
		if err != nil {
			return err
		}
		tally.Add(&e)
		if n++; n >= enoughValues || !l.deadline.IsZero() && time.Now().After(l.deadline) {
			// How many were passed over on the way is not known: what was counted stands for itself.
			l.sample.Sampled, l.sample.Looked = true, l.sample.Stored
			return nil
		}
	}
	l.sample.Looked = l.sample.Stored
	return nil
}

// topValues is how many values of a column are taken from each portion: what is
// among the most frequent of all is among these, unless values are very many and
// alike in number.
const topValues = 1_000

// tops adds the values of some segments to those of others, and says of how many
// events.
func (l *look) tops(ctx context.Context, conn *sql.Conn, segs []segment, fields []string, into []map[string]int64) (total int64, err error) {
	var columns []string
	for _, f := range fields {
		columns = append(columns, quoteName(f))
	}
	if len(columns) == 0 {
		columns = []string{"1 AS one"}
	}
	if _, err := conn.ExecContext(ctx, "CREATE OR REPLACE TEMP TABLE looked AS SELECT "+strings.Join(columns, ", ")+" FROM "+
		eventsFrom(segs)+" WHERE "+l.cond.text, l.cond.args...); err != nil {
		return 0, err
	}
	// Left to the context of the caller it would stay when that has ended.
	defer conn.ExecContext(context.WithoutCancel(ctx), "DROP TABLE IF EXISTS looked")
	if err := conn.QueryRowContext(ctx, "SELECT count(*) FROM looked").Scan(&total); err != nil || total == 0 || len(fields) == 0 {
		return total, err
	}
	var parts []string
	for i, f := range fields {
		parts = append(parts, fmt.Sprintf("(SELECT %d, %s AS v, count(*) AS n FROM looked%s GROUP BY v ORDER BY n DESC, v LIMIT %d)",
			i, valueText(f), unnested(f), topValues))
	}
	rows, err := conn.QueryContext(ctx, strings.Join(parts, " UNION ALL "))
	if err != nil {
		return total, err
	}
	defer rows.Close()
	for rows.Next() {
		var i int
		var v string
		var n int64
		if err := rows.Scan(&i, &v, &n); err != nil {
			return total, err
		}
		into[i][v] += n
	}
	return total, rows.Err()
}

// valueText is a column's value as filters write it, in SQL.
func valueText(field string) string {
	c, _ := query.Lookup(field)
	name := quoteName(field)
	switch c.Type {
	case query.Text, query.Enum, query.Addr:
		return name
	case query.List:
		return "u"
	case query.Time:
		return `regexp_replace(strftime(` + name + `, '%Y-%m-%dT%H:%M:%S.%f'), '[.]?0*$', '') || 'Z'`
	}
	return "CAST(" + name + " AS VARCHAR)"
}

// unnested is what a list's values come from, in SQL.
func unnested(field string) string {
	if c, _ := query.Lookup(field); c.Type == query.List {
		return ", unnest(" + quoteName(field) + ") AS x(u)"
	}
	return ""
}

func quoteName(name string) string { return `"` + name + `"` }
