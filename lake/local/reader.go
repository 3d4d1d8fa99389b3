package local

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/parquet-go/parquet-go"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/usage"
)

// segmentFile is an open Parquet file of ours.
type segmentFile struct {
	f  *os.File
	pq *parquet.File
}

// openSegment opens a file and reads its footer.
func openSegment(path string) (*segmentFile, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	st, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	pq, err := parquet.OpenFile(f, st.Size(), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &segmentFile{f, pq}, nil
}

func (sf *segmentFile) close() error { return sf.f.Close() }

// groups is the number of row groups.
func (sf *segmentFile) groups() int { return len(sf.pq.RowGroups()) }

// rowsOf a row group.
func (sf *segmentFile) rowsOf(group int) int { return int(sf.pq.RowGroups()[group].NumRows()) }

func (sf *segmentFile) cursor(group, col int) *cursor {
	return newCursor(sf.pq.RowGroups()[group].ColumnChunks()[col].Pages())
}

// cursor reads the values of one column chunk in order.
type cursor struct {
	pages parquet.Pages
	page  parquet.Page
	vals  parquet.ValueReader
	buf   []parquet.Value
	at    int
	n     int
	// stale pages were read to their end, but values read last may point into
	// them until release.
	stale []parquet.Page
}

func newCursor(pages parquet.Pages) *cursor {
	return &cursor{pages: pages, buf: make([]parquet.Value, 128)}
}

// release gives back the pages whose values nobody needs any more.
func (c *cursor) release() {
	for i, p := range c.stale {
		parquet.Release(p)
		c.stale[i] = nil
	}
	c.stale = c.stale[:0]
}

func (c *cursor) close() error {
	if c.page != nil {
		c.stale = append(c.stale, c.page)
		c.page = nil
	}
	c.release()
	return c.pages.Close()
}

// fill makes at least one value available; io.EOF at the chunk's end.
func (c *cursor) fill() error {
	for c.at == c.n {
		if c.vals != nil {
			n, err := c.vals.ReadValues(c.buf)
			if err != nil && err != io.EOF {
				return err
			}
			c.at, c.n = 0, n
			if n > 0 {
				return nil
			}
			c.stale = append(c.stale, c.page)
			c.page, c.vals = nil, nil
		}
		page, err := c.pages.ReadPage()
		if err != nil {
			return err
		}
		c.page, c.vals = page, page.Values()
	}
	return nil
}

// row appends the values of the next row to dst. They are good until release.
func (c *cursor) row(dst []parquet.Value) ([]parquet.Value, error) {
	if err := c.fill(); err != nil {
		return dst, err
	}
	dst = append(dst, c.buf[c.at])
	c.at++
	for {
		if c.at == c.n {
			if err := c.fill(); err == io.EOF {
				return dst, nil
			} else if err != nil {
				return dst, err
			}
		}
		if c.buf[c.at].RepetitionLevel() == 0 {
			return dst, nil
		}
		dst = append(dst, c.buf[c.at])
		c.at++
	}
}

// flat calls f with each value of a column that has one a row.
func (c *cursor) flat(f func(i int, v parquet.Value)) error {
	defer c.close()
	for i := 0; ; {
		c.release()
		if err := c.fill(); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		for ; c.at < c.n; c.at++ {
			f(i, c.buf[c.at])
			i++
		}
	}
}

// records reads rows of a row group, which are ascending; nil: all of them. It
// reads whole columns, so it is for many rows or for rare cases.
func (sf *segmentFile) records(group int, rows []int) ([]record, error) {
	if rows == nil {
		rows = make([]int, sf.rowsOf(group))
		for i := range rows {
			rows[i] = i
		}
	}
	recs := make([]record, len(rows))
	events := make([]event.Event, len(rows))
	for i := range recs {
		recs[i].Event = &events[i]
	}
	for i := range eventColumns {
		if err := sf.column(group, i, rows, recs); err != nil {
			return nil, fmt.Errorf("%s: column %s: %w", sf.f.Name(), eventColumns[i].name, err)
		}
	}
	return recs, nil
}

// column fills one column of recs, which are to become the given rows.
func (sf *segmentFile) column(group, col int, rows []int, recs []record) (err error) {
	c := sf.cursor(group, col)
	defer func() { err = errors.Join(err, c.close()) }()
	var vals []parquet.Value
	at := 0
	for i, want := range rows {
		for ; at <= want; at++ {
			c.release()
			if vals, err = c.row(vals[:0]); err != nil {
				return fmt.Errorf("row %d: %w", at, err)
			}
		}
		eventColumns[col].get(&recs[i], vals)
	}
	return nil
}

// readUsage reads all rows of a usage segment.
func readUsage(path string) (_ []usage.Row, err error) {
	u, err := openUsage(path, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, u.close()) }()
	var out []usage.Row
	for {
		if err := u.fill(); err == io.EOF {
			return out, nil
		} else if err != nil {
			return nil, err
		}
		out = append(out, u.buf[u.at:]...)
		u.at = len(u.buf)
	}
}
