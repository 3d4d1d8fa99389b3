package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"reflect"
	"slices"
	"time"

	"github.com/parquet-go/parquet-go"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/lake"
	"github.com/yagura-sec/yagura/usage"
)

var (
	_ lake.Rewriter       = (*Store)(nil)
	_ lake.UsageRebuilder = (*Store)(nil)
)

// rewriteRows is how many events a rewrite holds before it writes them.
const rewriteRows = 20_000

// usageColumns are those that usage is summed from.
var usageColumns = func() (cols []int) {
	for _, name := range []string{
		"time", "cloud_provider", "account_uid", "actor_uid", "actor_type", "caller", "api_service",
		"api_operation", "category", "resource_uid", "resource_uids", "region", "outcome", "twin",
	} {
		cols = append(cols, columnIndex(name))
	}
	return cols
}()

var allColumns = func() (cols []int) {
	for i := range eventColumns {
		cols = append(cols, i)
	}
	return cols
}()

// Rewrite implements lake.Rewriter. Days are done one after the other, each at
// once with its usage; after an error the days before it stay rewritten. What it
// writes is in small segments, which Merge then puts together.
func (s *Store) Rewrite(ctx context.Context, since, until time.Time, f func(event.Event) (event.Event, error)) (changed int64, err error) {
	if s.opt.ReadOnly {
		return 0, ErrReadOnly
	}
	s.maint.Lock()
	defer s.maint.Unlock()
	c, err := s.current()
	if err != nil {
		return 0, err
	}
	for _, day := range slices.Sorted(maps.Keys(c.days)) {
		if (!since.IsZero() && !dayTime(day+1).After(since)) || (!until.IsZero() && !dayTime(day).Before(until)) {
			continue
		}
		w := rewriting{s: s, day: day, since: since, until: until, f: f, hours: map[time.Time]bool{}}
		if err := w.run(ctx); err != nil {
			return changed, fmt.Errorf("rewrite %s: %w", dayTime(day).Format(time.DateOnly), err)
		}
		changed += w.changed
	}
	return changed, s.unlinkDropped(ctx)
}

// rewriting is the rewrite of one day.
type rewriting struct {
	s            *Store
	day          int32
	since, until time.Time
	f            func(event.Event) (event.Event, error)

	ch      change
	sums    usage.Sums         // of the whole day as it will be
	hours   map[time.Time]bool // in which something changed
	changed int64
}

func (w *rewriting) run(ctx context.Context) error {
	c, err := w.s.current()
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			w.ch.unlink()
		}
	}()
	for _, g := range c.days[w.day] {
		if err = w.segment(ctx, g); err != nil {
			return err
		}
	}
	if w.changed == 0 {
		return nil
	}
	rows := slices.DeleteFunc(w.sums.Fold(w.s.opt.MaxResources), func(r usage.Row) bool { return !w.hours[r.Hour] })
	if err = w.s.replaceHours(ctx, c, w.hours, rows, &w.ch); err != nil {
		return err
	}
	if err = w.s.opt.fault("rewritten"); err != nil {
		return err
	}
	if err := w.s.commit(ctx, &w.ch); err != nil {
		return err // the files are swept, should the list not have them
	}
	w.s.tables.forget(w.ch.drop)
	return nil
}

// segment writes g anew if something in it changes.
func (w *rewriting) segment(ctx context.Context, g segment) error {
	var held []record
	var written []segment
	before := w.changed
	write := func() error {
		if len(held) == 0 {
			return nil
		}
		sortRecords(held)
		out, err := w.s.writeEvents(freshEvents, w.day, held)
		if err != nil {
			return err
		}
		out.Batch, out.Released = g.Batch, g.Released
		if !g.fresh() {
			out.Batch = held[0].Batch
		}
		written = append(written, out)
		held = nil
		return nil
	}
	err := scan(ctx, g.Path, allColumns, func(recs []record) error {
		for _, r := range recs {
			if err := w.event(&r); err != nil {
				return err
			}
			held = append(held, r)
		}
		if len(held) >= rewriteRows {
			return write()
		}
		return nil
	})
	if err == nil && w.changed > before {
		err = write()
	}
	if err != nil || w.changed == before {
		(&change{add: written}).unlink()
		return err
	}
	w.ch.add = append(w.ch.add, written...)
	w.ch.drop = append(w.ch.drop, g)
	return nil
}

func (w *rewriting) event(r *record) error {
	e := *r.Event
	if (w.since.IsZero() || !e.Time.Before(w.since)) && (w.until.IsZero() || e.Time.Before(w.until)) {
		now, err := w.f(e)
		if err != nil {
			return err
		}
		lake.KeepIdentity(&now, r.Event)
		if !reflect.DeepEqual(now, e) {
			r.Event = &now
			w.changed++
			w.hours[e.Time.Truncate(time.Hour)] = true
		}
	}
	w.sums.Add(r.Event)
	return nil
}

// replaceHours adds to ch that rows replace the usage of hours, as of c. It
// leaves usage that batches added since alone.
func (s *Store) replaceHours(ctx context.Context, c catalog, hours map[time.Time]bool, rows []usage.Row, ch *change) error {
	if len(hours) == 0 {
		return nil
	}
	months := map[int32][]usage.Row{}
	for h := range hours {
		months[monthOf(h)] = nil
	}
	for _, part := range byMonth(rows) {
		months[monthOf(part[0].Hour)] = part
	}
	for month, part := range months {
		var inputs []usageSegment
		for _, u := range c.months[month] {
			for h := range hours {
				if !h.Before(u.MinHour) && !h.After(u.MaxHour) {
					inputs = append(inputs, u)
					break
				}
			}
		}
		if err := s.sumUsage(ctx, month, inputs, func(h time.Time) bool { return hours[h] }, part, ch); err != nil {
			return err
		}
	}
	return nil
}

// RebuildUsage implements lake.UsageRebuilder, a day at a time.
func (s *Store) RebuildUsage(ctx context.Context, since, until time.Time) (rebuilt int, refused []lake.RefusedHour, err error) {
	if s.opt.ReadOnly {
		return 0, nil, ErrReadOnly
	}
	s.maint.Lock()
	defer s.maint.Unlock()
	c, err := s.current()
	if err != nil {
		return 0, nil, err
	}
	known, err := knownHours(ctx, c, since, until)
	if err != nil {
		return 0, nil, fmt.Errorf("rebuild usage: %w", err)
	}
	hours, refused := lake.RebuildableHours(known, since, until, c.horizon)
	days := map[int32]map[time.Time]bool{}
	for _, h := range hours {
		d := dayOf(h)
		if days[d] == nil {
			days[d] = map[time.Time]bool{}
		}
		days[d][h] = true
	}
	for _, d := range slices.Sorted(maps.Keys(days)) {
		n, no, err := s.rebuildDay(ctx, d, days[d])
		if err != nil {
			return rebuilt, refused, fmt.Errorf("rebuild usage of %s: %w", dayTime(d).Format(time.DateOnly), err)
		}
		rebuilt += n
		refused = append(refused, no...)
	}
	return rebuilt, refused, s.unlinkDropped(ctx)
}

func (s *Store) rebuildDay(ctx context.Context, day int32, hours map[time.Time]bool) (int, []lake.RefusedHour, error) {
	c, err := s.current()
	if err != nil {
		return 0, nil, err
	}
	var refused []lake.RefusedHour
	var sums usage.Sums
	for _, g := range c.days[day] {
		if _, err := os.Stat(g.Path); err != nil {
			for h := g.MinTime.Truncate(time.Hour); !h.After(g.MaxTime); h = h.Add(time.Hour) {
				if hours[h] {
					delete(hours, h)
					refused = append(refused, lake.RefusedHour{Hour: h, Reason: "a segment of its events cannot be read: " + err.Error()})
				}
			}
			continue
		}
		err := scan(ctx, g.Path, usageColumns, func(recs []record) error {
			for _, r := range recs {
				if hours[r.Time.Truncate(time.Hour)] {
					sums.Add(r.Event)
				}
			}
			return nil
		})
		if err != nil {
			return 0, refused, err
		}
	}
	rows := slices.DeleteFunc(sums.Fold(s.opt.MaxResources), func(r usage.Row) bool { return !hours[r.Hour] })
	ch := &change{}
	if err := s.replaceHours(ctx, c, hours, rows, ch); err != nil {
		return 0, refused, err
	}
	return len(hours), refused, s.commit(ctx, ch)
}

// knownHours are the hours that have events or usage.
func knownHours(ctx context.Context, c catalog, since, until time.Time) ([]time.Time, error) {
	within := func(first, last time.Time) bool {
		return (since.IsZero() || last.Add(time.Hour).After(since)) && (until.IsZero() || first.Before(until))
	}
	known := map[time.Time]bool{}
	for _, list := range c.days {
		for _, g := range list {
			if !within(g.MinTime, g.MaxTime) {
				continue
			}
			err := scan(ctx, g.Path, []int{colTime}, func(recs []record) error {
				for _, r := range recs {
					known[r.Time.Truncate(time.Hour)] = true
				}
				return nil
			})
			if errors.Is(err, os.ErrNotExist) { // refused later, by name
				for h := g.MinTime.Truncate(time.Hour); !h.After(g.MaxTime); h = h.Add(time.Hour) {
					known[h] = true
				}
				err = nil
			}
			if err != nil {
				return nil, err
			}
		}
	}
	for _, list := range c.months {
		for _, u := range list {
			if !within(u.MinHour, u.MaxHour) {
				continue
			}
			if err := usageHours(u.Path, known); err != nil {
				return nil, err
			}
		}
	}
	return slices.Collect(maps.Keys(known)), nil
}

func usageHours(path string, known map[time.Time]bool) error {
	sf, err := openSegment(path)
	if err != nil {
		return err
	}
	defer sf.close()
	for group := range sf.groups() {
		err := sf.cursor(group, 0).flat(func(_ int, v parquet.Value) { known[time.UnixMicro(v.Int64()).UTC()] = true })
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil
}

// scan passes the rows of a segment to f, some at a time, with the given columns
// filled. f may keep them.
func scan(ctx context.Context, path string, cols []int, f func([]record) error) (err error) {
	const some = 1024
	sf, err := openSegment(path)
	if err != nil {
		return err
	}
	streams := make([]*stream, len(cols))
	defer func() {
		for _, st := range streams {
			err = errors.Join(err, st.close())
		}
		err = errors.Join(err, sf.close())
	}()
	rows := 0
	for i, col := range cols {
		streams[i] = newStream(sf, col)
	}
	for group := range sf.groups() {
		rows += sf.rowsOf(group)
	}
	for at := 0; at < rows; at += some {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := min(some, rows-at)
		recs, events := make([]record, n), make([]event.Event, n)
		for i := range recs {
			recs[i].Event = &events[i]
		}
		for i, col := range cols {
			if err := streams[i].fill(col, recs); err != nil {
				return fmt.Errorf("%s: column %s: %w", path, eventColumns[col].name, err)
			}
		}
		if err := f(recs); err != nil {
			return err
		}
	}
	return nil
}

// fill sets one column of recs from the next rows.
func (st *stream) fill(col int, recs []record) error {
	var vals []parquet.Value
	for i := range recs {
		var err error
		if vals, _, err = st.take(vals[:0], 1); err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return err
		}
		eventColumns[col].get(&recs[i], vals)
		st.cur.release()
	}
	return nil
}
