package local

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/instant"
	"github.com/yagura-sec/yagura/lake"
	"github.com/yagura-sec/yagura/query"
)

var (
	_ lake.Selecter    = (*Store)(nil)
	_ lake.Counter     = (*Store)(nil)
	_ lake.UsageReader = (*Store)(nil)
)

// A query asks groups of days, one after the other in its order, so that a
// limit ends it early; groups grow while little is found.
const (
	firstGroupRows = 300_000
	maxGroupRows   = 20_000_000
	maxGroupFiles  = 500
	// directRows is how many rows of a group are put in order in memory, raw
	// being fetched for just these. Above it a day is sorted by DuckDB on disk:
	// fetching would read most pages of raw several times over.
	directRows = 5_000
)

// Select yields events, see lake.Selecter. A file that was merged away before
// it was read makes it take the list again for what it has not yielded yet.
func (s *Store) Select(ctx context.Context, q query.Query) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		r := selection{s: s, q: q, cond: conditionOf(&q), yield: yield}
		err := r.run(ctx)
		if err != nil && !errors.Is(err, errStop) {
			yield(event.Event{}, fmt.Errorf("select: %w", contextFirst(ctx, err)))
		}
	}
}

// errStop: whoever takes the events wants no more, or the limit is reached.
var errStop = errors.New("stop")

// selection is one Select at work.
type selection struct {
	s       *Store
	q       query.Query
	cond    condition
	yield   func(event.Event, error) bool
	yielded int
	// last is the event yielded last. Once the list was taken again in the
	// middle of a group, resumed, the events up to it are passed over.
	last    sighting
	resumed bool
	conn    *sql.Conn
}

// sighting is a place in the query's order.
type sighting struct {
	time time.Time
	uid  event.UID
}

func (r *selection) run(ctx context.Context) error {
	segs, err := r.s.candidates(&r.q, r.q.Since, r.q.Until)
	if err != nil {
		return err
	}
	if done, err := r.needle(ctx, &segs); done || err != nil {
		return err
	}
	target := int64(firstGroupRows)
	for again := 0; len(segs) > 0; {
		group, rest := r.nextGroup(segs, target)
		err := r.group(ctx, group)
		if again < 3 && isGone(err) {
			again++
			r.resumed = r.yielded > 0
			if segs, err = r.retake(ctx, group[0].Day); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		again, segs, target = 0, rest, min(target*4, maxGroupRows)
	}
	return nil
}

// retake reads the list again and gives what is left of it from day on.
func (r *selection) retake(ctx context.Context, day int32) ([]segment, error) {
	if err := r.s.reload(ctx); err != nil {
		return nil, err
	}
	since, until := r.q.Since, r.q.Until
	if r.q.OldestFirst {
		since = instant.Later(since, dayTime(day))
	} else if end := dayTime(day + 1); until.IsZero() || end.Before(until) {
		until = end
	}
	return r.s.candidates(&r.q, since, until)
}

// nextGroup takes whole days off segs, which are ascending by day, from the end
// the query starts at. The group's first segment is of the first such day.
func (r *selection) nextGroup(segs []segment, target int64) (group, rest []segment) {
	var rows int64
	var day int32
	for len(segs) > 0 {
		next := segs[len(segs)-1]
		if r.q.OldestFirst {
			next = segs[0]
		}
		if len(group) > 0 && next.Day != day && (rows >= target || len(group) >= maxGroupFiles) {
			break
		}
		day = next.Day
		rows += next.Rows
		group = append(group, next)
		if r.q.OldestFirst {
			segs = segs[1:]
		} else {
			segs = segs[:len(segs)-1]
		}
	}
	return group, segs
}

// group yields what the query finds in some days.
func (r *selection) group(ctx context.Context, segs []segment) error {
	if r.conn == nil {
		db, err := r.s.duckdb()
		if err != nil {
			return err
		}
		if r.conn, err = db.Conn(ctx); err != nil {
			return err
		}
		defer func() { r.conn.Close(); r.conn = nil }()
	}
	if done, err := r.few(ctx, segs); done || err != nil {
		return err
	}
	limit := directRows + 1
	if r.q.Limit > 0 && r.cond.exact && !r.resumed {
		limit = min(limit, r.q.Limit-r.yielded)
	}
	var rows int64
	for _, g := range segs {
		rows += g.Rows
	}
	if r.q.Where != nil || r.q.Limit > 0 || rows <= directRows {
		hits, err := r.hits(ctx, segs, limit)
		if err != nil {
			return err
		}
		if len(hits) <= directRows {
			return r.emitHits(ctx, hits)
		}
	}
	for len(segs) > 0 {
		n := 1
		for n < len(segs) && segs[n].Day == segs[0].Day {
			n++
		}
		if err := r.sortedDay(ctx, segs[:n]); err != nil {
			return fmt.Errorf("%s: %w", dayTime(segs[0].Day).Format(time.DateOnly), err)
		}
		segs = segs[n:]
	}
	return nil
}

// fewRows is up to how many rows reading their pages in Go takes less than
// DuckDB's reading of whole columns of their row groups.
const fewRows = 8

// few answers a group if the query looks for a single value, such as an access
// key or an address, and it is rare.
func (r *selection) few(ctx context.Context, segs []segment) (done bool, err error) {
	if !looksForValue(r.q.Where) {
		return false, nil
	}
	rows, err := r.conn.QueryContext(ctx, "SELECT filename, file_row_number FROM "+eventsFrom(segs)+" WHERE "+r.cond.text+
		fmt.Sprintf(" LIMIT %d", fewRows+1), r.cond.args...)
	if err != nil {
		return false, err
	}
	defer rows.Close()
	at := map[string][]int64{}
	n := 0
	for rows.Next() {
		var path string
		var row int64
		if err := rows.Scan(&path, &row); err != nil {
			return false, err
		}
		at[path] = append(at[path], row)
		n++
	}
	if err := rows.Err(); err != nil || n > fewRows {
		return false, err
	}
	var places []place
	for _, g := range segs {
		found, err := locate(g, at[g.Path])
		if err != nil {
			return false, err
		}
		places = append(places, found...)
	}
	events, err := r.s.readPlaces(ctx, places)
	if err != nil {
		return false, err
	}
	return true, r.emitSorted(events)
}

// looksForValue tells whether the query needs one value of a text column.
func looksForValue(e query.Expr) bool {
	for _, x := range query.Conjuncts(e) {
		if eq, ok := x.(query.Eq); ok {
			c, known := query.Lookup(eq.Field)
			if known && (c.Type == query.Text || c.Type == query.Addr) && eq.Value != "" {
				return true
			}
		}
	}
	return false
}

func (r *selection) order() string {
	if r.q.OldestFirst {
		return ` ORDER BY "time", uid`
	}
	return ` ORDER BY "time" DESC, uid DESC`
}

// located is an event without raw, and where raw is.
type located struct {
	event.Event
	path string
	row  int64
}

// hits reads everything but raw, of at most limit events, in order.
func (r *selection) hits(ctx context.Context, segs []segment, limit int) ([]located, error) {
	text := "SELECT " + narrowColumns + ", filename, file_row_number FROM " + eventsFrom(segs) +
		" WHERE " + r.cond.text + r.order() + fmt.Sprintf(" LIMIT %d", limit)
	rows, err := r.conn.QueryContext(ctx, text, r.cond.args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []located
	var row located
	dest := append(destinations(&row.Event, false), &row.path, &row.row)
	for rows.Next() {
		row.Event = event.Event{}
		if err := rows.Scan(dest...); err != nil {
			return nil, err
		}
		row.Time, row.IngestTime = row.Time.UTC(), row.IngestTime.UTC()
		out = append(out, row)
	}
	return out, rows.Err()
}

// emitHits fetches raw, where it is asked for or decides, and yields.
func (r *selection) emitHits(ctx context.Context, hits []located) error {
	if !r.q.NoRaw || !r.cond.exact {
		if err := r.s.fetchRaw(ctx, hits); err != nil {
			return err
		}
	}
	for i := range hits {
		if err := r.emit(&hits[i].Event); err != nil {
			return err
		}
	}
	return nil
}

func (r *selection) emit(e *event.Event) error {
	if !r.cond.exact && !query.Match(r.q.Where, e) {
		return nil
	}
	if r.resumed && r.compare(e, r.last) <= 0 {
		return nil
	}
	r.last = sighting{e.Time, e.UID}
	r.yielded++
	if r.q.NoRaw {
		e.Raw = nil
	}
	if !r.yield(*e, nil) || r.q.Limit > 0 && r.yielded >= r.q.Limit {
		return errStop
	}
	return nil
}

// compare orders e and a place as the query orders events.
func (r *selection) compare(e *event.Event, at sighting) int {
	c := cmp.Or(e.Time.Compare(at.time), bytes.Compare(e.UID[:], at.uid[:]))
	if !r.q.OldestFirst {
		c = -c
	}
	return c
}

// sortedDay puts all that is wanted of one day into a temporary table in order,
// which DuckDB spills as it must, and reads it back in slices: the driver holds
// a whole result in memory.
func (r *selection) sortedDay(ctx context.Context, segs []segment) error {
	limit := ""
	if r.q.Limit > 0 && r.cond.exact && !r.resumed {
		limit = fmt.Sprintf(" LIMIT %d", r.q.Limit-r.yielded)
	}
	if _, err := r.conn.ExecContext(ctx, "CREATE OR REPLACE TEMP TABLE sorted AS SELECT "+narrowColumns+
		", raw FROM "+eventsFrom(segs)+" WHERE "+r.cond.text+r.order()+limit, r.cond.args...); err != nil {
		return err
	}
	// Left to the context of the caller it would stay when that has ended.
	defer r.conn.ExecContext(context.WithoutCancel(ctx), "DROP TABLE IF EXISTS sorted")
	const slice = 4096
	for from := 0; ; from += slice {
		n, err := r.emitSlice(ctx, from, from+slice)
		if err != nil || n == 0 {
			return err
		}
	}
}

// emitSlice yields rows [from, to) of the sorted table.
func (r *selection) emitSlice(ctx context.Context, from, to int) (int, error) {
	rows, err := r.conn.QueryContext(ctx, fmt.Sprintf("SELECT %s, raw FROM sorted WHERE rowid >= %d AND rowid < %d ORDER BY rowid", narrowColumns, from, to))
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	n := 0
	var e event.Event
	dest := destinations(&e, true)
	for rows.Next() {
		e = event.Event{}
		if err := rows.Scan(dest...); err != nil {
			return n, err
		}
		n++
		e.Time, e.IngestTime = e.Time.UTC(), e.IngestTime.UTC()
		if err := r.emit(&e); err != nil {
			return n, err
		}
	}
	return n, rows.Err()
}

// narrowColumns are the columns of an event but raw, in the order of query.Columns.
var narrowColumns, narrowFields = func() (string, []int) {
	fields := map[string]int{}
	for i := range reflect.TypeFor[event.Event]().NumField() {
		tag, _, _ := strings.Cut(reflect.TypeFor[event.Event]().Field(i).Tag.Get("json"), ",")
		fields[tag] = i
	}
	var names []string
	var index []int
	for _, c := range query.Columns() {
		if c.Type == query.JSON {
			continue
		}
		i, ok := fields[c.Name]
		if !ok {
			panic("event has no field " + c.Name)
		}
		names = append(names, `"`+c.Name+`"`)
		index = append(index, i)
	}
	return strings.Join(names, ", "), index
}()

// destinations are where a row of narrowColumns, and perhaps raw, is scanned to.
func destinations(e *event.Event, raw bool) []any {
	v := reflect.ValueOf(e).Elem()
	var out []any
	for _, i := range narrowFields {
		switch p := v.Field(i).Addr().Interface().(type) {
		case *event.UID:
			out = append(out, (*scanUID)(p))
		case *event.BatchID:
			out = append(out, (*scanUID)(p))
		case *[]string:
			out = append(out, (*scanList)(p))
		default:
			out = append(out, p)
		}
	}
	if raw {
		out = append(out, (*scanRaw)(&e.Raw))
	}
	return out
}

type scanUID event.UID

func (u *scanUID) Scan(v any) error {
	b, ok := v.([]byte)
	if !ok || len(b) != len(u) {
		return fmt.Errorf("%T is no UUID", v)
	}
	copy(u[:], b)
	return nil
}

type scanList []string

func (l *scanList) Scan(v any) error {
	*l = nil
	list, ok := v.([]any)
	if !ok && v != nil {
		return fmt.Errorf("%T is no list", v)
	}
	for _, x := range list {
		if s, ok := x.(string); ok {
			*l = append(*l, s)
		}
	}
	return nil
}

type scanRaw []byte

func (r *scanRaw) Scan(v any) error {
	switch v := v.(type) {
	case string:
		*r = append([]byte(nil), v...)
	case []byte:
		*r = append([]byte(nil), v...)
	default:
		return fmt.Errorf("raw is %T", v)
	}
	return nil
}
