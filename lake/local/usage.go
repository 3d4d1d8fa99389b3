package local

import (
	"cmp"
	"container/heap"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/yagura-sec/yagura/usage"
)

// mergeUsage adds up the usage segments of months that have several. Usage of
// batches not yet released takes part: only their events are ever read back.
func (s *Store) mergeUsage(ctx context.Context, fresh int) error {
	for {
		inputs := s.nextUsageMerge(fresh)
		if inputs == nil {
			return nil
		}
		err := s.replaceUsage(ctx, inputs)
		if err != nil {
			return fmt.Errorf("%d segments of %04d-%02d: %w", len(inputs), inputs[0].Month/12, inputs[0].Month%12+1, err)
		}
	}
}

func (s *Store) nextUsageMerge(fresh int) []usageSegment {
	c, _ := s.current() // the writer's own list: no error
	for _, list := range c.months {
		if len(list) < fresh {
			continue
		}
		list = slices.Clone(list)
		slices.SortFunc(list, func(a, b usageSegment) int { return cmp.Or(cmp.Compare(a.Rows, b.Rows), cmp.Compare(a.ID, b.ID)) })
		n := runLength(list, maxMonthUsage, func(u usageSegment) int64 { return u.Rows })
		if n >= 2 {
			return list[:min(n, mergeFiles)]
		}
		if fresh > 1 {
			continue
		}
		if inputs := unfolded(list, int64(s.opt.MaxResources)); inputs != nil {
			return inputs
		}
	}
	return nil
}

// unfolded is segments that have hours in common in which their sum may exceed
// the cap. At rest there are none, so that also who only adds rows up (SQL does)
// finds the same rows in whatever way the lake came to be.
func unfolded(list []usageSegment, limit int64) []usageSegment {
	slices.SortFunc(list, func(a, b usageSegment) int { return cmp.Or(a.MinHour.Compare(b.MinHour), cmp.Compare(a.ID, b.ID)) })
	for at := 0; at < len(list); {
		end, last, fanout := at, list[at].MaxHour, int64(0)
		for ; end < len(list) && !list[end].MinHour.After(last); end++ {
			if list[end].MaxHour.After(last) {
				last = list[end].MaxHour
			}
			fanout += list[end].Fanout
		}
		if end-at > 1 && fanout > limit {
			return list[at:end]
		}
		at = end
	}
	return nil
}

// replaceUsage replaces inputs, all of one month, by their sum.
func (s *Store) replaceUsage(ctx context.Context, inputs []usageSegment) error {
	ch := &change{}
	if err := s.sumUsage(ctx, inputs[0].Month, inputs, nil, nil, ch); err != nil {
		return err
	}
	if err := s.opt.fault("usage merged"); err != nil {
		return err
	}
	return s.commit(ctx, ch)
}

// sumUsage adds to ch that one segment replaces inputs, all of one month: their
// sum without the hours for which without says so, and added, which are rows in
// order.
func (s *Store) sumUsage(ctx context.Context, month int32, inputs []usageSegment, without func(time.Time) bool, added []usage.Row, ch *change) (err error) {
	sources := usageHeap{{buf: added}}
	defer func() {
		for _, src := range sources {
			err = errors.Join(err, src.close())
		}
	}()
	for _, u := range inputs {
		src, err := openUsage(u.Path, without)
		if err != nil {
			return err
		}
		sources = append(sources, src)
	}
	w, err := s.newUsageWriter(restUsage, month)
	if err != nil {
		return err
	}
	if err := mergeRows(ctx, slices.Clone(sources), s.opt.MaxResources, w); err != nil {
		w.out.abort()
		return err
	}
	ch.dropUsage = append(ch.dropUsage, inputs...)
	if w.seg.Rows == 0 {
		w.out.abort()
		return nil
	}
	seg, err := w.finish()
	if err != nil {
		return err
	}
	ch.addUsage = append(ch.addUsage, seg)
	return nil
}

// mergeRows streams the sources, each in the order of usage.Compare, into w,
// folding a group at a time.
func mergeRows(ctx context.Context, h usageHeap, limit int, w *usageWriter) error {
	live := h[:0]
	for _, src := range h {
		if err := src.fill(); err == io.EOF {
			continue
		} else if err != nil {
			return err
		}
		live = append(live, src)
	}
	h = live
	heap.Init(&h)
	var group, whole []usage.Row // whole: groups waiting to be written, some at a time
	end := func(last bool) error {
		whole = append(whole, usage.Fold(group, limit)...)
		group = group[:0]
		if len(whole) < 256 && !last {
			return nil
		}
		err := w.add(whole)
		whole = whole[:0]
		return err
	}
	for n := 0; len(h) > 0; n++ {
		if n%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		src := h[0]
		row := src.buf[src.at]
		src.at++
		if len(group) > 0 && !usage.SameGroup(&group[0].Key, &row.Key) {
			if err := end(false); err != nil {
				return err
			}
		}
		group = append(group, row)
		if err := src.fill(); err == io.EOF {
			heap.Pop(&h)
		} else if err != nil {
			return err
		} else {
			heap.Fix(&h, 0)
		}
	}
	return end(true)
}

// usageSource reads rows in their order, from a file or from memory.
type usageSource struct {
	file    *segmentFile // nil: from memory
	columns []*stream
	left    int // rows not yet read
	without func(time.Time) bool
	buf     []usage.Row
	at      int
	last    usage.Row
}

func openUsage(path string, without func(time.Time) bool) (*usageSource, error) {
	file, err := openSegment(path)
	if err != nil {
		return nil, err
	}
	u := &usageSource{file: file, left: int(file.pq.NumRows()), without: without}
	for col := range usageLayout {
		u.columns = append(u.columns, newStream(file, col))
	}
	return u, nil
}

func (u *usageSource) close() error {
	if u.file == nil {
		return nil
	}
	var errs []error
	for _, st := range u.columns {
		errs = append(errs, st.close())
	}
	return errors.Join(append(errs, u.file.close())...)
}

// fill makes a row available; io.EOF at the end.
func (u *usageSource) fill() error {
	for u.at == len(u.buf) {
		if u.left == 0 {
			return io.EOF
		}
		if err := u.read(); err != nil {
			return fmt.Errorf("%s: %w", u.file.f.Name(), err)
		}
	}
	return nil
}

// read reads the next rows, at most 128.
func (u *usageSource) read() error {
	n := min(u.left, 128)
	u.left -= n
	u.buf, u.at = slices.Grow(u.buf[:0], n)[:n], 0
	for col, st := range u.columns {
		if err := st.rows(u.buf, &u.last, usageLayout[col]); err == io.EOF {
			return io.ErrUnexpectedEOF
		} else if err != nil {
			return err
		}
	}
	u.last = u.buf[n-1]
	if u.without != nil {
		u.buf = slices.DeleteFunc(u.buf, func(r usage.Row) bool { return u.without(r.Hour) })
	}
	return nil
}

// rows fills column c of rows, before which came last.
func (st *stream) rows(rows []usage.Row, last *usage.Row, c usageColumn) error {
	for i := 0; i < len(rows); {
		if st.cur != nil {
			st.cur.release()
		}
		if err := st.next(); err != nil {
			return err
		}
		for ; i < len(rows) && st.cur.at < st.cur.n; i++ {
			c.get(&rows[i], last, st.cur.buf[st.cur.at])
			last = &rows[i]
			st.cur.at++
		}
	}
	return nil
}

type usageHeap []*usageSource

func (h usageHeap) Len() int { return len(h) }
func (h usageHeap) Less(i, j int) bool {
	return usage.Compare(&h[i].buf[h[i].at].Key, &h[j].buf[h[j].at].Key) < 0
}
func (h usageHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *usageHeap) Push(x any)   { *h = append(*h, x.(*usageSource)) }
func (h *usageHeap) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

// usageWriter writes rows of one month, in their order, as one file.
type usageWriter struct {
	out  *fileWriter
	page int // rows in the open pages
	seg  usageSegment
}

func (s *Store) newUsageWriter(k *kind, month int32) (*usageWriter, error) {
	out, err := s.create(k, s.monthDir(month))
	if err != nil {
		return nil, err
	}
	return &usageWriter{out: out, seg: usageSegment{Path: out.path, Month: month}}, nil
}

// add writes whole groups.
func (w *usageWriter) add(rows []usage.Row) error {
	if len(rows) == 0 {
		return nil
	}
	if w.seg.Rows == 0 {
		w.seg.MinHour = rows[0].Hour
	}
	w.seg.MaxHour = rows[len(rows)-1].Hour
	w.seg.Fanout = max(w.seg.Fanout, int64(usage.Fanout(rows)))
	for len(rows) > 0 {
		// A few rows at a time go column by column, as in writeGroup.
		n := min(len(rows), 64, w.out.kind.pages.rows-w.page, rowGroupRows-int(w.seg.Rows%rowGroupRows))
		for i, c := range usageLayout {
			p := &w.out.open[i]
			for j := range rows[:n] {
				p.vals = c.put(p.vals, &rows[j])
			}
			if err := w.out.writeValues(i, p); err != nil {
				return err
			}
		}
		rows = rows[n:]
		w.page += n
		w.seg.Rows += int64(n)
		if w.page == w.out.kind.pages.rows || w.seg.Rows%rowGroupRows == 0 {
			if err := w.flushPage(); err != nil {
				return err
			}
		}
		if w.seg.Rows%rowGroupRows == 0 {
			if err := w.out.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *usageWriter) flushPage() error {
	defer w.out.clearPages()
	for _, c := range w.out.cols {
		if err := c.Flush(); err != nil {
			return err
		}
	}
	w.page = 0
	return nil
}

func (w *usageWriter) finish() (usageSegment, error) {
	if err := w.flushPage(); err != nil {
		w.out.abort()
		return usageSegment{}, fmt.Errorf("write %s: %w", w.out.path, err)
	}
	size, err := w.out.finish()
	if err != nil {
		return usageSegment{}, fmt.Errorf("write %s: %w", w.out.path, err)
	}
	w.seg.Bytes = size
	return w.seg, nil
}
