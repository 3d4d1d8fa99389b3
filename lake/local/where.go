package local

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/instant"
	"github.com/yagura-sec/yagura/lake"
	"github.com/yagura-sec/yagura/query"
)

var _ lake.Conditioner = (*Store)(nil)

// Days are asked for in groups, for a question takes its time even if it is about
// little. The files of a group are open together.
const (
	whereRows  = 1_000_000
	whereFiles = 200
)

// windowRows is how many events are read at a time where order is asked for.
const windowRows = 30_000

// Dialect is DuckDB's.
func (s *Store) Dialect() string { return "duckdb" }

// SelectWhere implements lake.Conditioner: DuckDB says which rows of some days
// satisfy the condition, Go reads them.
//
// The files of a group of days are opened before the first of its events is
// yielded, and what is open can be read although a merge has removed it. So a
// list that is out of date is noticed when nothing of the group was yielded yet,
// and is taken again without repeating anything.
func (s *Store) SelectWhere(ctx context.Context, c lake.Condition) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		w := where{s: s, c: c, yield: yield}
		err := w.run(ctx)
		if err != nil && !errors.Is(err, errStop) {
			yield(event.Event{}, fmt.Errorf("select: %w", contextFirst(ctx, err)))
		}
	}
}

// where is one SelectWhere at work.
type where struct {
	s       *Store
	c       lake.Condition
	yield   func(event.Event, error) bool
	columns []int // of eventColumns, ascending
}

func (w *where) run(ctx context.Context) error {
	if err := w.choose(); err != nil {
		return err
	}
	segs, err := w.s.live(w.c.Since, w.c.Until)
	if err != nil {
		return err
	}
	for again := 0; len(segs) > 0; {
		n := wholeDays(segs)
		err := w.group(ctx, segs[:n])
		if again < 3 && isGone(err) {
			again++
			if err := w.s.reload(ctx); err != nil {
				return err
			}
			if segs, err = w.s.live(instant.Later(w.c.Since, dayTime(segs[0].Day)), w.c.Until); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		again, segs = 0, segs[n:]
	}
	return nil
}

// wholeDays is how many of the segments, ascending by day, make the next group.
func wholeDays(segs []segment) int {
	var rows int64
	for i, g := range segs {
		if i > 0 && g.Day != segs[i-1].Day && (rows >= whereRows || i >= whereFiles) {
			return i
		}
		rows += g.Rows
	}
	return len(segs)
}

// choose finds the columns that are asked for.
func (w *where) choose() error {
	wanted := map[string]bool{"time": true, "uid": true}
	for _, name := range w.c.Columns {
		if _, ok := query.Lookup(name); !ok || strings.HasPrefix(name, "_") {
			return fmt.Errorf("events have no column %q", name)
		}
		wanted[name] = true
	}
	for i, c := range eventColumns {
		if wanted[c.name] {
			w.columns = append(w.columns, i)
			delete(wanted, c.name)
		}
	}
	for name := range wanted {
		return fmt.Errorf("column %q has to be asked for by its full name", name)
	}
	return nil
}

// text is the whole condition, the time included; empty if it holds for all rows
// of these segments.
func (w *where) text(segs []segment) (string, []any) {
	var parts []string
	if w.c.Where != "" {
		parts = append(parts, "("+w.c.Where+")")
	}
	inside := func(g segment) bool {
		return (w.c.Since.IsZero() || !g.MinTime.Before(w.c.Since)) && (w.c.Until.IsZero() || g.MaxTime.Before(w.c.Until))
	}
	if slices.ContainsFunc(segs, func(g segment) bool { return !inside(g) }) {
		if !w.c.Since.IsZero() {
			parts = append(parts, `"time" >= `+query.Timestamp(ceilMicro(w.c.Since)))
		}
		if !w.c.Until.IsZero() {
			parts = append(parts, `"time" < `+query.Timestamp(ceilMicro(w.c.Until)))
		}
	}
	args := make([]any, len(w.c.Args))
	for i, a := range w.c.Args {
		if t, ok := a.(time.Time); ok {
			a = t.UTC()
		}
		args[i] = a
	}
	return strings.Join(parts, " AND "), args
}

// ceilMicro is the first stored time that is not before t: stored times are
// whole microseconds.
func ceilMicro(t time.Time) time.Time {
	if r := t.Truncate(time.Microsecond); r.Before(t) {
		return r.Add(time.Microsecond)
	}
	return t
}

// group yields what the condition finds in the segments of some days.
func (w *where) group(ctx context.Context, segs []segment) (err error) {
	files := make([]*segmentFile, len(segs))
	defer func() {
		for _, f := range files {
			if f != nil {
				err = errors.Join(err, f.close())
			}
		}
	}()
	for i, g := range segs {
		if files[i], err = openSegment(g.Path); err != nil {
			return err
		}
	}
	text, args := w.text(segs)
	var rows [][]int // nil of a file stands for all
	if text == "" && !w.c.Ordered {
		rows = make([][]int, len(files))
	} else {
		places, err := w.places(ctx, segs, text, args)
		if err != nil || len(places) == 0 {
			return err
		}
		if w.c.Ordered {
			return w.windows(ctx, files, places)
		}
		rows = byFile(places, len(files))
	}
	return w.stream(ctx, files, rows, func(events []event.Event) error {
		for i := range events {
			if !w.yield(events[i], nil) {
				return errStop
			}
		}
		return nil
	})
}

// fileBits is where in a place the number of the file begins; below it is the row.
const fileBits = 32

// places asks DuckDB which rows satisfy the condition, in the order that is asked
// for. The driver holds a whole result, so it is to be small: one number a row.
func (w *where) places(ctx context.Context, segs []segment, text string, args []any) ([]int64, error) {
	db, err := w.s.duckdb()
	if err != nil {
		return nil, err
	}
	ask := fmt.Sprintf("SELECT file_index * %d + file_row_number FROM "+
		"(SELECT * REPLACE (coalesce(event_uid, CAST(uid AS VARCHAR)) AS event_uid), file_index, file_row_number FROM %s)",
		int64(1)<<fileBits, readParquet(pathsOf(segs)))
	if text != "" {
		ask += " WHERE " + text
	}
	if w.c.Ordered {
		ask += ` ORDER BY "time", uid`
	}
	answer, err := db.QueryContext(ctx, ask, args...)
	if err != nil {
		return nil, err
	}
	defer answer.Close()
	var out []int64
	var at int64
	for answer.Next() {
		if err := answer.Scan(&at); err != nil {
			return nil, err
		}
		out = append(out, at)
	}
	return out, answer.Err()
}

// byFile gives the rows of each file, ascending. No row is a list without
// elements, for nil stands for all.
func byFile(places []int64, files int) [][]int {
	rows := make([][]int, files)
	for i := range rows {
		rows[i] = []int{}
	}
	for _, at := range places {
		rows[at>>fileBits] = append(rows[at>>fileBits], int(at&(1<<fileBits-1)))
	}
	for _, r := range rows {
		slices.Sort(r)
	}
	return rows
}

// windows yields what was found in its order, so many at a time as memory holds.
// In a file at rest the calls of an account and operation lie together in order
// of time, so a window is some pages of each.
func (w *where) windows(ctx context.Context, files []*segmentFile, places []int64) error {
	for window := range slices.Chunk(places, windowRows) {
		rows := byFile(window, len(files))
		all := make([]event.Event, 0, len(window))
		err := w.stream(ctx, files, rows, func(events []event.Event) error {
			for _, e := range events {
				e.Raw = bytes.Clone(e.Raw)
				all = append(all, e)
			}
			return nil
		})
		if err != nil {
			return err
		}
		order := make([]int, len(all)) // events are large to move about
		for i := range order {
			order[i] = i
		}
		slices.SortFunc(order, func(i, j int) int {
			return cmp.Or(all[i].Time.Compare(all[j].Time), bytes.Compare(all[i].UID[:], all[j].UID[:]))
		})
		for _, i := range order {
			if !w.yield(all[i], nil) {
				return errStop
			}
		}
	}
	return nil
}

// stream reads rows of open files on several goroutines and hands them over in
// pieces, in no order. Records are read over when f returns, nothing else is.
func (w *where) stream(ctx context.Context, files []*segmentFile, rows [][]int, f func([]event.Event) error) error {
	threads := w.s.opt.Query.withDefaults().Threads
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(threads)
	pipe := pieces{free: make(chan *piece, 2*threads), full: make(chan *piece)}
	done := make(chan error, 1)
	go func() {
		for i, sf := range files {
			for _, part := range partsOf(sf, rows[i]) {
				if gctx.Err() == nil {
					g.Go(func() error { return pipe.read(gctx, sf, part, w.columns) })
				}
			}
		}
		done <- g.Wait()
		close(pipe.full)
	}()
	var stopped error
	for p := range pipe.full {
		if stopped == nil {
			if stopped = f(p.events); stopped != nil {
				cancel()
			}
		}
		pipe.give(p)
	}
	err := <-done
	if stopped != nil {
		return stopped
	}
	return err
}
