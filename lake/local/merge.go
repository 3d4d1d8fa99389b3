package local

import (
	"bytes"
	"cmp"
	"container/heap"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/parquet-go/parquet-go"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/sqlitedb"
	"github.com/yagura-sec/yagura/lake"
)

var (
	_ lake.Merger = (*Store)(nil)
	_ lake.Tender = (*Store)(nil)
)

const (
	// maxDaySegments is how many segments a day keeps at rest: 31 days of them
	// stay below 300 a month.
	maxDaySegments = 8
	// maxMonthUsage is the same for a month's usage.
	maxMonthUsage = 4
	// tendFresh is how many small segments of a day are worth merging while more
	// arrive: the fewer at a time, the more often each event is written.
	tendFresh = 32
	// recodeRows is how many rows in fresh segments of a quiet day are worth
	// writing anew for their size alone.
	recodeRows = 500
	// tendUsage is the same for the usage of a month, which is small and of which
	// what one batch sums is rarely summed again by the next.
	tendUsage = 256
	// mergeBytes bounds what the open pages of a merge's inputs may hold.
	mergeBytes = 128 << 20
	// mergeFiles bounds the files a merge has open.
	mergeFiles = 400
	// batchesKept is how long the answer to a released batch is kept. Appending
	// it again later finds all its records re-read: the same verdicts, by another
	// way, only that it is no longer said which of them were new.
	batchesKept = 30 * 24 * time.Hour
)

// Merge implements lake.Merger. It merges two days at a time.
func (s *Store) Merge(ctx context.Context) error { return s.merge(ctx, 2, 1, 1) }

// Tend implements lake.Tender.
func (s *Store) Tend(ctx context.Context) error { return s.merge(ctx, 1, tendFresh, tendUsage) }

// merge has workers merge days that have at least fresh small segments and months
// that have at least freshUsage, until none has.
func (s *Store) merge(ctx context.Context, workers, fresh, freshUsage int) error {
	if s.opt.ReadOnly {
		return ErrReadOnly
	}
	s.maint.Lock()
	defer s.maint.Unlock()
	days := mergingDays{s: s, fresh: fresh, busy: map[int32]bool{}}
	var work tasks
	for i := range workers {
		work.do(func() error {
			if i == 0 {
				if err := s.mergeUsage(ctx, freshUsage); err != nil {
					return fmt.Errorf("merge usage: %w", err)
				}
			}
			return days.merge(ctx)
		})
	}
	if err := work.wait(); err != nil {
		return err
	}
	if err := s.pruneBatches(ctx); err != nil {
		return fmt.Errorf("prune batches: %w", err)
	}
	return s.unlinkDropped(ctx)
}

// mergingDays hands out days to those who merge, each day to one at a time.
type mergingDays struct {
	s     *Store
	fresh int
	mu    sync.Mutex // guards the two below
	busy  map[int32]bool
	ended bool // one failed: the others end as well
	// large is held while more than a row group is merged, as this takes memory
	// up to mergeBytes; within one there is a column after the other.
	large sync.Mutex
}

// merge merges until there is nothing left that nobody else works at.
func (d *mergingDays) merge(ctx context.Context) error {
	whole := false
	defer func() {
		if !whole { // also when panicking
			d.mu.Lock()
			d.ended = true
			d.mu.Unlock()
		}
	}()
	for {
		inputs := d.next()
		if inputs == nil {
			whole = true
			return nil
		}
		if err := d.mergeSegments(ctx, inputs); err != nil {
			return fmt.Errorf("merge %d segments of %s: %w", len(inputs), dayTime(inputs[0].Day).Format(time.DateOnly), err)
		}
		d.mu.Lock()
		delete(d.busy, inputs[0].Day)
		d.mu.Unlock()
	}
}

func (d *mergingDays) mergeSegments(ctx context.Context, inputs []segment) error {
	var rows int64
	for _, g := range inputs {
		rows += g.Rows
	}
	if rows > rowGroupRows {
		d.large.Lock()
		defer d.large.Unlock()
	}
	return d.s.mergeSegments(ctx, inputs)
}

func (d *mergingDays) next() []segment {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended {
		return nil
	}
	inputs := d.s.nextMerge(d.fresh, d.busy)
	if inputs != nil {
		d.busy[inputs[0].Day] = true
	}
	return inputs
}

// nextMerge chooses what to merge next on a day that is not busy; nil when there
// is nothing.
func (s *Store) nextMerge(fresh int, busy map[int32]bool) []segment {
	c, _ := s.current() // the writer's own list: no error
	for day, list := range c.days {
		if busy[day] {
			continue
		}
		if inputs := mergeable(list, fresh); inputs != nil {
			return affordable(inputs)
		}
	}
	return nil
}

// mergeable is what of a day's segments is to become one: the run by size, and
// once the day is quiet (Merge) whatever is still compressed quickly, not well.
func mergeable(list []segment, fresh int) []segment {
	released := slices.DeleteFunc(slices.Clone(list), func(g segment) bool { return !g.Released })
	small, rows := 0, int64(0)
	for _, g := range released {
		if g.fresh() {
			small++
			rows += g.Rows
		}
	}
	if small < fresh && fresh > 1 {
		return nil
	}
	slices.SortFunc(released, func(a, b segment) int { return cmp.Or(cmp.Compare(a.Rows, b.Rows), cmp.Compare(a.ID, b.ID)) })
	n := runLength(released, maxDaySegments, func(g segment) int64 { return g.Rows })
	recode := fresh == 1 && rows >= recodeRows
	var inputs []segment
	for i, g := range released {
		if i < n || recode && g.fresh() {
			inputs = append(inputs, g)
		}
	}
	if len(inputs) == 1 && !recode {
		return nil
	}
	return inputs
}

// runLength is how many of the smallest items, which are sorted by size, are to
// become one: all up to the largest that is not larger than those below it
// together, so that at rest each is larger than all smaller ones together; or as
// many as are too many.
func runLength[T any](sorted []T, most int, size func(T) int64) int {
	n := 0
	var below int64
	for i, t := range sorted {
		if i > 0 && size(t) <= below {
			n = i + 1
		}
		below += size(t)
	}
	if over := len(sorted) - most; over > 0 {
		n = max(n, over+1)
	}
	return n
}

// affordable is the smallest of the inputs that fit into memory at once: as many
// small ones as make one row group, which is merged column after column, or
// fewer large ones, of which every column stays open.
func affordable(inputs []segment) []segment {
	var rows, held int64
	for i, g := range inputs {
		rows += g.Rows
		cost := int64(3 << 20)
		if g.Rows > 60_000 { // with the large pages of rest
			cost = 20 << 20
		}
		held += min(cost, 3*g.Rows<<10) + 400<<10
		if i >= 2 && (i >= mergeFiles || rows > rowGroupRows && held > mergeBytes) {
			return inputs[:i]
		}
	}
	return inputs
}

// mergeSegments replaces inputs, all of one day, by one segment.
func (s *Store) mergeSegments(ctx context.Context, inputs []segment) (err error) {
	m := merger{ctx: ctx}
	defer func() { err = errors.Join(err, m.close()) }()
	var total, bytes int64
	for _, g := range inputs {
		if err := m.open(g); err != nil {
			return err
		}
		total += g.Rows
		bytes += g.Bytes
	}
	if err := s.checkSpace(bytes, "merging"); err != nil {
		return err
	}
	m.oneGroup = total <= rowGroupRows
	out, err := s.create(restEvents, s.dayDir(inputs[0].Day))
	if err != nil {
		return err
	}
	rows, err := m.run(out)
	if err == nil && rows != total {
		err = fmt.Errorf("%d rows came of %d", rows, total)
	}
	if err != nil {
		out.abort()
		return err
	}
	size, err := out.finish()
	if err != nil {
		return err
	}
	ch := &change{add: []segment{mergedSegment(inputs, out.path, size)}, drop: inputs}
	if err := s.opt.fault("merged"); err != nil {
		return err
	}
	if err := s.commit(ctx, ch); err != nil {
		return err // the file is swept, should the list not have it
	}
	s.tables.forget(inputs)
	return nil
}

func mergedSegment(inputs []segment, path string, size int64) segment {
	g := inputs[0]
	g.ID, g.Path, g.Bytes, g.Batch, g.Released = 0, path, size, event.BatchID{}, true
	for _, i := range inputs[1:] {
		g.Rows += i.Rows
		if i.MinTime.Before(g.MinTime) {
			g.MinTime = i.MinTime
		}
		if i.MaxTime.After(g.MaxTime) {
			g.MaxTime = i.MaxTime
		}
		g.MinAccount, g.MaxAccount = min(g.MinAccount, i.MinAccount), max(g.MaxAccount, i.MaxAccount)
		g.MinOperation, g.MaxOperation = min(g.MinOperation, i.MinOperation), max(g.MaxOperation, i.MaxOperation)
	}
	return g
}

// merger puts sorted segments together: it first finds the order of an output
// row group from the key columns alone, then moves one column after the other.
type merger struct {
	ctx      context.Context
	inputs   []*input
	heap     inputHeap
	oneGroup bool // of output: a column is done when it has been moved
	order    []run
	vals     []parquet.Value
}

// run is rows in a row of one input.
type run struct{ input, rows int }

// input is a segment being merged.
type input struct {
	index   int
	file    *segmentFile
	keys    [4]*stream // account, operation, time, uid
	columns []*stream
	// The key of the next row, pointing into a page that stays until the next.
	account, operation, uid []byte
	time                    int64
}

// stream reads one column of a file through its row groups.
type stream struct {
	file  *segmentFile
	col   int
	group int
	cur   *cursor
	flat  bool
}

func (m *merger) open(g segment) error {
	file, err := openSegment(g.Path)
	if err != nil {
		return err
	}
	in := &input{index: len(m.inputs), file: file, columns: make([]*stream, len(eventColumns))}
	m.inputs = append(m.inputs, in)
	for i, col := range [...]int{colAccount, colOperation, colTime, colUID} {
		in.keys[i] = newStream(file, col)
	}
	return nil
}

func newStream(file *segmentFile, col int) *stream {
	return &stream{file: file, col: col, flat: col != colResources}
}

func (m *merger) close() error {
	var errs []error
	for _, in := range m.inputs {
		for _, st := range append(in.keys[:], in.columns...) {
			if st != nil {
				errs = append(errs, st.close())
			}
		}
		errs = append(errs, in.file.close())
	}
	return errors.Join(errs...)
}

func (st *stream) close() error {
	if st.cur == nil {
		return nil
	}
	cur := st.cur
	st.cur = nil
	return cur.close()
}

// next makes the cursor of the row group with the next row; io.EOF at the end.
// What was read before stays good until release.
func (st *stream) next() error {
	for {
		if st.cur == nil {
			if st.group == st.file.groups() {
				return io.EOF
			}
			st.cur = st.file.cursor(st.group, st.col)
			st.group++
		}
		err := st.cur.fill()
		if err != io.EOF || st.group == st.file.groups() {
			return err
		}
		stale := st.cur.stale
		st.cur.stale = nil
		if err := st.close(); err != nil {
			return err
		}
		st.cur = st.file.cursor(st.group, st.col)
		st.cur.stale = stale
		st.group++
	}
}

// value is the next value of a flat column, good until the next call.
func (st *stream) value() (parquet.Value, error) {
	if st.cur != nil {
		st.cur.release()
	}
	if err := st.next(); err != nil {
		return parquet.Value{}, err
	}
	v := st.cur.buf[st.cur.at]
	st.cur.at++
	return v, nil
}

// advance reads the key of the next row; io.EOF behind the last.
func (in *input) advance() error {
	var v [4]parquet.Value
	for i, st := range in.keys {
		var err error
		if v[i], err = st.value(); err != nil {
			return err
		}
	}
	in.account, in.operation, in.time, in.uid = v[0].ByteArray(), v[1].ByteArray(), v[2].Int64(), v[3].ByteArray()
	return nil
}

func (in *input) compare(o *input) int {
	if c := bytes.Compare(in.account, o.account); c != 0 {
		return c
	}
	if c := bytes.Compare(in.operation, o.operation); c != 0 {
		return c
	}
	if c := cmp.Compare(in.time, o.time); c != 0 {
		return c
	}
	return bytes.Compare(in.uid, o.uid)
}

type inputHeap []*input

func (h inputHeap) Len() int           { return len(h) }
func (h inputHeap) Less(i, j int) bool { return h[i].compare(h[j]) < 0 }
func (h inputHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *inputHeap) Push(x any)        { *h = append(*h, x.(*input)) }
func (h *inputHeap) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

// run writes all rows and returns how many there were.
func (m *merger) run(out *fileWriter) (rows int64, err error) {
	for _, in := range m.inputs {
		if err := in.advance(); err == io.EOF {
			continue
		} else if err != nil {
			return 0, err
		}
		m.heap = append(m.heap, in)
	}
	heap.Init(&m.heap)
	for len(m.heap) > 0 {
		n, err := m.plan()
		if err != nil {
			return rows, err
		}
		for col := range eventColumns {
			if err := m.ctx.Err(); err != nil {
				return rows, err
			}
			if err := m.move(out, col); err != nil {
				return rows, fmt.Errorf("column %s: %w", eventColumns[col].name, err)
			}
		}
		if err := out.flush(); err != nil {
			return rows, err
		}
		rows += int64(n)
		if err := out.store.opt.fault("row group merged"); err != nil {
			return rows, err
		}
	}
	return rows, nil
}

// plan finds the order of the next row group's rows.
func (m *merger) plan() (rows int, err error) {
	m.order = m.order[:0]
	for rows < rowGroupRows && len(m.heap) > 0 {
		in := m.heap[0]
		// The smaller of the root's children is the next best input.
		var rival *input
		if len(m.heap) > 1 {
			rival = m.heap[1]
			if len(m.heap) > 2 && m.heap.Less(2, 1) {
				rival = m.heap[2]
			}
		}
		n := 0
		for {
			n++
			rows++
			if err = in.advance(); err != nil || rows == rowGroupRows || rival != nil && in.compare(rival) > 0 {
				break
			}
		}
		m.order = append(m.order, run{in.index, n})
		switch err {
		case nil:
			heap.Fix(&m.heap, 0)
		case io.EOF:
			heap.Pop(&m.heap)
		default:
			return rows, err
		}
	}
	return rows, nil
}

// move writes one column of the planned rows.
func (m *merger) move(out *fileWriter, col int) error {
	vals, rows, size := m.vals[:0], 0, 0
	flush := func() error {
		if err := out.writePage(col, vals); err != nil {
			return err
		}
		vals, rows, size = vals[:0], 0, 0
		for _, in := range m.inputs {
			if st := in.columns[col]; st != nil && st.cur != nil {
				st.cur.release()
			}
		}
		return nil
	}
	for _, r := range m.order {
		st := m.inputs[r.input].columns[col]
		if st == nil {
			st = newStream(m.inputs[r.input].file, col)
			m.inputs[r.input].columns[col] = st
		}
		for left := r.rows; left > 0; {
			had := len(vals)
			// Raw is taken row by row, as its pages end by bytes.
			n := min(left, out.kind.pages.rows-rows)
			if col == colRaw {
				n = 1
			}
			var err error
			if vals, n, err = st.take(vals, n); err != nil {
				return err
			}
			left -= n
			rows += n
			if col == colRaw {
				size += len(vals[had].ByteArray())
			}
			if out.kind.pages.full(col, rows, size) {
				if err := flush(); err != nil {
					return err
				}
			}
		}
	}
	err := flush()
	clear(vals[:cap(vals)])
	m.vals = vals[:0]
	if m.oneGroup {
		for _, in := range m.inputs {
			if st := in.columns[col]; st != nil {
				err = errors.Join(err, st.close())
			}
		}
	}
	return err
}

// take appends the values of up to n rows, at least of one.
func (st *stream) take(dst []parquet.Value, n int) ([]parquet.Value, int, error) {
	if err := st.next(); err != nil {
		return dst, 0, err
	}
	if !st.flat {
		dst, err := st.cur.row(dst)
		return dst, 1, err
	}
	n = min(n, st.cur.n-st.cur.at)
	dst = append(dst, st.cur.buf[st.cur.at:st.cur.at+n]...)
	st.cur.at += n
	return dst, n, nil
}

// pruneBatches forgets the answers to batches released long ago.
func (s *Store) pruneBatches(ctx context.Context) error {
	if err := s.settleReleases(); err != nil {
		return err
	}
	before := s.opt.Now().Add(-batchesKept).UnixMicro()
	var old int
	err := s.db.Read().QueryRowContext(ctx, `SELECT count(*) FROM batch WHERE released = 1 AND at < ?`, before).Scan(&old)
	if err != nil || old == 0 {
		return err
	}
	return s.db.Tx(ctx, func(tx *sqlitedb.Tx) error {
		_, err := tx.Exec(`DELETE FROM batch WHERE released = 1 AND at < ?`, before)
		return err
	})
}
