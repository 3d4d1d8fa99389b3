package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"

	"github.com/parquet-go/parquet-go"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/query"
)

// Events are read in pieces: so many that handing them over costs little, so few
// that a piece of each reading goroutine is nothing to a process's memory.
const (
	pieceRows  = 512
	pieceBytes = 1 << 20
)

// piece is some events of a row group. Their records are in raw, whose memory is
// used again; all else is theirs.
type piece struct {
	events []event.Event
	raw    []byte
	ends   []int
}

// pieces is the way of pieces between those who read and the one who takes.
type pieces struct {
	free, full chan *piece
}

func (ps *pieces) take() *piece {
	select {
	case p := <-ps.free:
		return p
	default:
		return &piece{events: make([]event.Event, 0, pieceRows)}
	}
}

func (ps *pieces) give(p *piece) {
	select {
	case ps.free <- p:
	default:
	}
}

// part is rows of a row group, ascending; nil stands for all.
type part struct {
	group int
	rows  []int
}

// partsOf sorts rows of a file, ascending, by its row groups; nil: all.
func partsOf(sf *segmentFile, rows []int) []part {
	var out []part
	start, all := 0, rows == nil
	for i := range sf.groups() {
		n := sf.rowsOf(i)
		if all {
			out = append(out, part{group: i})
			continue
		}
		k, _ := slices.BinarySearch(rows, start+n)
		if k > 0 {
			for j := range rows[:k] {
				rows[j] -= start
			}
			out = append(out, part{i, rows[:k]})
		}
		rows = rows[k:]
		start += n
	}
	return out
}

// read reads one part.
func (ps *pieces) read(ctx context.Context, sf *segmentFile, pt part, columns []int) (err error) {
	rows := pt.rows
	if rows == nil {
		rows = make([]int, sf.rowsOf(pt.group))
		for i := range rows {
			rows[i] = i
		}
	}
	readers := make([]*columnReader, 0, len(columns))
	defer func() {
		for _, r := range readers {
			err = errors.Join(err, r.close())
		}
	}()
	for _, col := range columns {
		r, err := newColumnReader(sf, pt.group, col)
		if err != nil {
			return fmt.Errorf("%s: column %s: %w", sf.f.Name(), eventColumns[col].name, err)
		}
		readers = append(readers, r)
	}
	for len(rows) > 0 {
		p := ps.take()
		n, err := p.fill(readers, rows)
		if err != nil {
			return fmt.Errorf("%s: %w", sf.f.Name(), err)
		}
		rows = rows[n:]
		select {
		case ps.full <- p:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// fill reads the first of rows, and says how many.
func (p *piece) fill(readers []*columnReader, rows []int) (int, error) {
	p.raw, p.ends = p.raw[:0], p.ends[:0]
	n := min(len(rows), pieceRows)
	// Raw decides how many, so it comes first.
	for _, r := range readers {
		if r.col != colRaw {
			continue
		}
		err := r.read(rows[:n], func(_ int, v []byte) bool {
			p.raw = append(p.raw, v...)
			p.ends = append(p.ends, len(p.raw))
			return len(p.raw) < pieceBytes
		})
		if err != nil {
			return 0, fmt.Errorf("column raw: %w", err)
		}
		n = len(p.ends)
	}
	p.events = p.events[:n]
	clear(p.events)
	for _, r := range readers {
		if r.col == colRaw {
			continue
		}
		if err := r.fill(p.events, rows[:n]); err != nil {
			return 0, fmt.Errorf("column %s: %w", eventColumns[r.col].name, err)
		}
	}
	start := 0
	for i, end := range p.ends {
		p.events[i].Raw = p.raw[start:end:end]
		start = end
	}
	return n, nil
}

// columnReader reads rows of a column of a row group, going forward.
type columnReader struct {
	col   int
	pages parquet.Pages
	page  parquet.Page
	first int // row that page begins with
	end   int // and the one behind it
	next  int // row that ReadPage would give without seeking

	// Of a page of plain bytes: where each value is.
	data    []byte
	offsets []uint32

	// Of any other: values from row pos on.
	values parquet.ValueReader
	pos    int
	buf    []parquet.Value
	n, at  int

	list  *cursor // in place of all above where a row has several values
	row   int     // of list
	texts map[string]string
	field int // of event.Event, for text; else -1
}

func newColumnReader(sf *segmentFile, group, col int) (*columnReader, error) {
	r := &columnReader{col: col, field: -1}
	if col == colResources {
		r.list = sf.cursor(group, col)
		return r, nil
	}
	chunk := sf.pq.RowGroups()[group].ColumnChunks()[col]
	if _, err := chunk.OffsetIndex(); err != nil && !errors.Is(err, parquet.ErrMissingOffsetIndex) {
		return nil, err // loads the index, which seeking needs to skip pages unread
	}
	r.pages, r.buf = chunk.Pages(), make([]parquet.Value, 256)
	if i, ok := textFields[eventColumns[col].name]; ok {
		r.field, r.texts = i, map[string]string{}
	}
	return r, nil
}

// textFields are the fields of an event that are plain text columns.
var textFields = func() map[string]int {
	out := map[string]int{}
	t := reflect.TypeFor[event.Event]()
	for i, c := range query.Columns() { // in the order of the fields
		if t.Field(i).Type.Kind() == reflect.String && c.Name != "event_uid" {
			out[c.Name] = i
		}
	}
	return out
}()

func (r *columnReader) close() error {
	if r.list != nil {
		return r.list.close()
	}
	r.release()
	return r.pages.Close()
}

func (r *columnReader) release() {
	if r.page != nil {
		parquet.Release(r.page)
		r.page, r.values, r.data, r.offsets = nil, nil, nil, nil
	}
}

// turn makes the page with the row the current one.
func (r *columnReader) turn(row int) error {
	if r.page != nil && row < r.end {
		return nil
	}
	r.release()
	for skipped := 0; ; skipped++ {
		// The next page is cheaper to take than to seek.
		if row != r.next && skipped == 0 && row > r.next+256 {
			if err := r.pages.SeekToRow(int64(row)); err != nil {
				return fmt.Errorf("row %d: %w", row, err)
			}
			r.next = row
		}
		page, err := r.pages.ReadPage()
		if err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return fmt.Errorf("row %d: %w", row, err)
		}
		r.first, r.end = r.next, r.next+int(page.NumRows())
		r.next = r.end
		if row < r.end {
			r.page, r.pos, r.n, r.at = page, r.first, 0, 0
			return nil
		}
		parquet.Release(page)
	}
}

// read gives the bytes of a column of plain bytes, row by row, until f has
// enough. They are good during the call.
func (r *columnReader) read(rows []int, f func(i int, v []byte) bool) error {
	for i, row := range rows {
		had := r.page
		if err := r.turn(row); err != nil {
			return err
		}
		if r.page != had || r.offsets == nil {
			if r.page.Dictionary() != nil {
				return errors.New("has a dictionary")
			}
			values := r.page.Data()
			r.data, r.offsets = values.ByteArray()
			if len(r.offsets) != r.end-r.first+1 {
				return fmt.Errorf("page of %d rows has %d values", r.end-r.first, len(r.offsets)-1)
			}
		}
		k := row - r.first
		if !f(i, r.data[r.offsets[k]:r.offsets[k+1]]) {
			return nil
		}
	}
	return nil
}

// fill sets the column in events, which are to become the rows.
func (r *columnReader) fill(events []event.Event, rows []int) error {
	rec := record{}
	set := eventColumns[r.col].get
	if r.list != nil {
		return r.fillList(events, rows)
	}
	for i, row := range rows {
		v, err := r.value(row)
		if err != nil {
			return err
		}
		if r.field >= 0 {
			reflect.ValueOf(&events[i]).Elem().Field(r.field).SetString(r.text(v[0].ByteArray()))
			continue
		}
		rec.Event = &events[i]
		set(&rec, v)
	}
	return nil
}

// maxTexts bounds how many texts are remembered, so that equal ones are one.
const maxTexts = 4096

func (r *columnReader) text(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	if s, ok := r.texts[string(b)]; ok {
		return s
	}
	s := string(b)
	if len(r.texts) == maxTexts {
		clear(r.texts)
	}
	r.texts[s] = s
	return s
}

// value reads one value, in a slice that is good until the next call.
func (r *columnReader) value(row int) ([]parquet.Value, error) {
	if err := r.turn(row); err != nil {
		return nil, err
	}
	// Values in between are cheap to read and pass over, unless they are many.
	if r.values == nil || row-r.pos > 4*len(r.buf) {
		r.values = r.page.Slice(int64(row-r.first), r.page.NumRows()).Values()
		r.pos, r.n, r.at = row, 0, 0
	}
	for {
		if skip := min(row-r.pos, r.n-r.at); skip > 0 {
			r.pos, r.at = r.pos+skip, r.at+skip
		}
		if r.at < r.n {
			v := r.buf[r.at : r.at+1]
			r.at++
			r.pos++
			return v, nil
		}
		n, err := r.values.ReadValues(r.buf)
		if n == 0 {
			if err == nil || err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return nil, fmt.Errorf("row %d: %w", row, err)
		}
		r.n, r.at = n, 0
	}
}

func (r *columnReader) fillList(events []event.Event, rows []int) error {
	var rec record
	var vals []parquet.Value
	for i, row := range rows {
		for ; r.row <= row; r.row++ {
			r.list.release()
			var err error
			if vals, err = r.list.row(vals[:0]); err != nil {
				return fmt.Errorf("row %d: %w", r.row, err)
			}
		}
		rec.Event = &events[i]
		eventColumns[r.col].get(&rec, vals)
	}
	return nil
}
