package local

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync/atomic"

	"github.com/parquet-go/parquet-go"
	"golang.org/x/sync/errgroup"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/query"
)

// DuckDB skips row groups by bloom filter only for numbers and text that is not
// in a list, so looks for a uid or a resource start here: row groups are chosen
// by our own reading of their filters, then only the needed pages are read.

// maxNeedleRows is how many found rows are read here; more than that are
// DuckDB's, which reads columns whole.
const maxNeedleRows = 500

// needleRows is how many rows, in all, may be compared value by value before
// DuckDB is the better one.
const needleRows = 4_000_000

// needle is a value that every result must have.
type needle struct {
	column int
	value  parquet.Value
	once   bool // no two events have it
}

// needleOf finds the most telling one of the expression.
func needleOf(e query.Expr) (n needle, ok bool) {
	for _, x := range query.Conjuncts(e) {
		eq, isEq := x.(query.Eq)
		if !isEq {
			continue
		}
		switch v := eq.Value.(type) {
		case event.UID:
			if eq.Field == "uid" {
				return needle{colUID, parquet.FixedLenByteArrayValue(v[:]), true}, true
			}
		case string:
			if eq.Field == "resource_uids" && v != "" {
				n, ok = needle{colResources, parquet.ByteArrayValue([]byte(v)), false}, true
			}
		}
	}
	return n, ok
}

// place is a row group that has the needle, and in which rows.
type place struct {
	seg   segment
	group int
	rows  []int
}

// needle answers the query by bloom filters if its expression allows that and
// not too much is found. If not done, segs is what the filters leave.
func (r *selection) needle(ctx context.Context, segs *[]segment) (done bool, err error) {
	n, ok := needleOf(r.q.Where)
	if !ok {
		return false, nil
	}
	var recs []event.Event
	for again := 0; ; again++ {
		left, places, found, err := r.s.findNeedle(ctx, n, *segs)
		if err == nil && !found {
			*segs = left
			return false, nil
		}
		if err == nil {
			recs, err = r.s.readPlaces(ctx, places)
		}
		if err == nil {
			break
		}
		if !isGone(err) || again == 3 {
			return false, err
		}
		if err := r.s.reload(ctx); err != nil {
			return false, err
		}
		if *segs, err = r.s.candidates(&r.q, r.q.Since, r.q.Until); err != nil {
			return false, err
		}
	}
	return true, r.emitSorted(slices.DeleteFunc(recs, func(e event.Event) bool { return !r.q.Matches(&e) }))
}

// emitSorted yields events after putting them in the query's order.
func (r *selection) emitSorted(events []event.Event) error {
	slices.SortFunc(events, func(a, b event.Event) int { return r.compare(&a, sighting{b.Time, b.UID}) })
	for i := range events {
		if err := r.emit(&events[i]); err != nil {
			return err
		}
	}
	return nil
}

// locate sorts rows of a file by its row groups.
func locate(g segment, rows []int64) ([]place, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	slices.Sort(rows)
	sf, err := openSegment(g.Path)
	if err != nil {
		return nil, err
	}
	defer sf.close()
	var out []place
	start := int64(0)
	for i := range sf.groups() {
		end := start + int64(sf.rowsOf(i))
		p := place{seg: g, group: i}
		for len(rows) > 0 && rows[0] < end {
			p.rows = append(p.rows, int(rows[0]-start))
			rows = rows[1:]
		}
		if len(p.rows) > 0 {
			out = append(out, p)
		}
		start = end
	}
	if len(rows) > 0 {
		return nil, fmt.Errorf("%s: has no row %d", g.Path, rows[0])
	}
	return out, nil
}

// findNeedle looks for the value. If found is false there is too much of it to
// read here, and left are the segments whose filters do not rule it out.
func (s *Store) findNeedle(ctx context.Context, n needle, segs []segment) (left []segment, places []place, found bool, err error) {
	type answer struct {
		groups []int
		rows   int64
	}
	answers := make([]answer, len(segs))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(s.opt.Query.withDefaults().Threads)
	for i, seg := range segs {
		g.Go(func() error {
			if err := gctx.Err(); err != nil {
				return err
			}
			var err error
			answers[i].groups, answers[i].rows, err = askBlooms(seg.Path, n)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, nil, false, err
	}
	var rows int64
	for i, a := range answers {
		if len(a.groups) == 0 {
			continue
		}
		left = append(left, segs[i])
		rows += a.rows
		for _, group := range a.groups {
			places = append(places, place{seg: segs[i], group: group})
		}
	}
	if rows > needleRows {
		return left, nil, false, nil
	}
	var total atomic.Int64
	g, gctx = errgroup.WithContext(ctx)
	g.SetLimit(s.opt.Query.withDefaults().Threads)
	for i := range places {
		g.Go(func() error {
			if n.once && total.Load() > 0 || total.Load() > maxNeedleRows {
				return nil
			}
			if err := gctx.Err(); err != nil {
				return err
			}
			p := &places[i]
			if err := p.find(n); err != nil {
				return err
			}
			total.Add(int64(len(p.rows)))
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, nil, false, err
	}
	if total.Load() > maxNeedleRows {
		return left, nil, false, nil
	}
	return left, places, true, nil
}

// askBlooms gives the row groups of a file that may hold the value, and their rows.
func askBlooms(path string, n needle) (groups []int, rows int64, err error) {
	sf, err := openSegment(path)
	if err != nil {
		return nil, 0, err
	}
	defer sf.close()
	for i, g := range sf.pq.RowGroups() {
		chunk := g.ColumnChunks()[n.column]
		if filter := chunk.BloomFilter(); filter != nil {
			has, err := filter.Check(n.value)
			if err != nil {
				return nil, 0, fmt.Errorf("%s: bloom filter: %w", path, err)
			}
			if !has {
				continue
			}
		}
		groups = append(groups, i)
		rows += g.NumRows()
	}
	return groups, rows, nil
}

// find compares the column's values.
func (p *place) find(n needle) error {
	sf, err := openSegment(p.seg.Path)
	if err != nil {
		return err
	}
	defer sf.close()
	c := sf.cursor(p.group, n.column)
	defer c.close()
	want := n.value.ByteArray()
	row := -1
	for {
		if err := c.fill(); err == io.EOF {
			return nil
		} else if err != nil {
			return fmt.Errorf("%s: %w", p.seg.Path, err)
		}
		for ; c.at < c.n; c.at++ {
			v := c.buf[c.at]
			if v.RepetitionLevel() == 0 {
				row++
			}
			if v.IsNull() || !bytes.Equal(v.ByteArray(), want) {
				continue
			}
			if last := len(p.rows) - 1; last < 0 || p.rows[last] != row {
				p.rows = append(p.rows, row)
			}
			if n.once || len(p.rows) > maxNeedleRows {
				return nil
			}
		}
	}
}

// readPlaces reads whole events.
func (s *Store) readPlaces(ctx context.Context, places []place) ([]event.Event, error) {
	read := make([][]record, len(places))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(s.opt.Query.withDefaults().Threads)
	for i, p := range places {
		if len(p.rows) == 0 {
			continue
		}
		g.Go(func() (err error) {
			if err := ctx.Err(); err != nil {
				return err
			}
			read[i], err = p.records()
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	var out []event.Event
	for _, recs := range read {
		for _, r := range recs {
			out = append(out, *r.Event)
		}
	}
	return out, nil
}

func (p *place) records() ([]record, error) {
	sf, err := openSegment(p.seg.Path)
	if err != nil {
		return nil, err
	}
	defer sf.close()
	events := make([]event.Event, len(p.rows))
	recs := make([]record, len(p.rows))
	for i := range recs {
		recs[i].Event = &events[i]
	}
	for i, c := range eventColumns {
		if i == colHash || i == colVersion {
			continue
		}
		if i == colResources { // rows of a list have no fixed place in a page
			err = sf.column(p.group, i, p.rows, recs)
		} else {
			err = sf.pick(p.group, i, p.rows, func(k int, v parquet.Value) { c.get(&recs[k], []parquet.Value{v}) })
		}
		if err != nil {
			return nil, fmt.Errorf("%s: column %s: %w", p.seg.Path, c.name, err)
		}
	}
	return recs, nil
}

// pick reads the values in some rows, ascending, of a column with one value a
// row, and no page in which none of them is. v is valid during the call.
func (sf *segmentFile) pick(group, col int, rows []int, f func(i int, v parquet.Value)) (err error) {
	chunk := sf.pq.RowGroups()[group].ColumnChunks()[col]
	if _, err := chunk.OffsetIndex(); err != nil && !errors.Is(err, parquet.ErrMissingOffsetIndex) {
		return err // loads the index, which seeking needs to skip pages unread
	}
	pages := chunk.Pages()
	defer func() { err = errors.Join(err, pages.Close()) }()
	var page parquet.Page
	defer func() {
		if page != nil {
			parquet.Release(page)
		}
	}()
	var first, end int // rows of page
	var buf [1]parquet.Value
	for i, row := range rows {
		if page == nil || row >= end {
			if page != nil {
				parquet.Release(page)
				page = nil
			}
			if err := pages.SeekToRow(int64(row)); err != nil {
				return fmt.Errorf("row %d: %w", row, err)
			}
			if page, err = pages.ReadPage(); err != nil {
				return fmt.Errorf("row %d: %w", row, err)
			}
			first, end = row, row+int(page.NumRows())
		}
		at := int64(row - first)
		if n, err := page.Slice(at, at+1).Values().ReadValues(buf[:]); n != 1 {
			return fmt.Errorf("row %d: no value: %w", row, err)
		}
		f(i, buf[0])
	}
	return nil
}

// fetchRaw fills in raw.
func (s *Store) fetchRaw(ctx context.Context, hits []located) error {
	order := make([]int, len(hits))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		if hits[a].path != hits[b].path {
			if hits[a].path < hits[b].path {
				return -1
			}
			return 1
		}
		return int(hits[a].row - hits[b].row)
	})
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(s.opt.Query.withDefaults().Threads)
	for len(order) > 0 {
		n := 1
		for n < len(order) && hits[order[n]].path == hits[order[0]].path {
			n++
		}
		part := order[:n]
		order = order[n:]
		g.Go(func() error { return fetchRawFile(gctx, hits, part) })
	}
	return g.Wait()
}

// fetchRawFile fills in raw of hits[i] for i in order, all of one file and
// ascending by row.
func fetchRawFile(ctx context.Context, hits []located, order []int) error {
	path := hits[order[0]].path
	sf, err := openSegment(path)
	if err != nil {
		return err
	}
	defer sf.close()
	start := int64(0)
	for group := 0; group < sf.groups() && len(order) > 0; group++ {
		end := start + int64(sf.rowsOf(group))
		var rows []int
		for len(rows) < len(order) && hits[order[len(rows)]].row < end {
			rows = append(rows, int(hits[order[len(rows)]].row-start))
		}
		start = end
		if len(rows) == 0 {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		err := sf.pick(group, colRaw, rows, func(i int, v parquet.Value) {
			hits[order[i]].Raw = append([]byte(nil), v.ByteArray()...)
		})
		if err != nil {
			return fmt.Errorf("%s: raw: %w", path, err)
		}
		order = order[len(rows):]
	}
	if len(order) > 0 {
		return fmt.Errorf("%s: has no row %d", path, hits[order[0]].row)
	}
	return nil
}
