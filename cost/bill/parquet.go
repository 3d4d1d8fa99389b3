package bill

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
	"github.com/shopspring/decimal"
	"golang.org/x/sync/errgroup"

	"github.com/yagura-sec/yagura/cost"
)

// parquet reads columns of a Parquet file, several groups of rows at once. The file
// is read in place where it is one, else from text, which has all of it.
func (r *reader) parquet(in io.Reader, text io.Reader) (f cost.File, err error) {
	at, size, err := inPlace(in, text)
	if err != nil {
		return f, err
	}
	// Of a file that is damaged where no checksum is, the library may panic.
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("damaged Parquet: %v", p)
		}
	}()
	file, err := parquet.OpenFile(at, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return f, fmt.Errorf("damaged Parquet: %w", err)
	}
	columns, names := leaves(file)
	l, err := layoutOf(names)
	if l == nil {
		return f, orNotBill(err)
	}
	p := &packed{file: file, columns: columns, layout: l}
	if err := p.place(); err != nil {
		return f, err
	}
	all := make([]*tally, min(r.workers, max(1, len(file.RowGroups()))))
	var next atomic.Int64
	g, ctx := errgroup.WithContext(r.ctx)
	for i := range all {
		t := newTally(l, r.add)
		all[i] = t
		g.Go(func() error {
			for ctx.Err() == nil {
				group := int(next.Add(1)) - 1
				if group >= len(file.RowGroups()) {
					return nil
				}
				if err := p.group(group, t); err != nil {
					return err
				}
			}
			return ctx.Err()
		})
	}
	if err := g.Wait(); err != nil {
		return f, err
	}
	return r.finish(l, "parquet", all)
}

// inPlace gives a file that can be read anywhere.
func inPlace(in, text io.Reader) (io.ReaderAt, int64, error) {
	if f, ok := in.(*os.File); ok {
		if st, err := f.Stat(); err == nil && st.Mode().IsRegular() {
			return f, st.Size(), nil
		}
	}
	body, err := io.ReadAll(io.LimitReader(text, maxNested+1))
	if err != nil {
		return nil, 0, packedError(err)
	}
	if len(body) > maxNested {
		return nil, 0, fmt.Errorf("a Parquet file within gzip or from a pipe is read up to %d MiB: unpack it first", maxNested>>20)
	}
	return bytes.NewReader(body), int64(len(body)), nil
}

// leaves are the columns of a file that hold values, and their names.
func leaves(file *parquet.File) (columns []*parquet.Column, names []string) {
	var walk func(c *parquet.Column, path string)
	walk = func(c *parquet.Column, path string) {
		if c.Leaf() {
			for int(c.Index()) >= len(columns) {
				columns, names = append(columns, nil), append(names, "")
			}
			columns[c.Index()], names[c.Index()] = c, path
			return
		}
		for _, in := range c.Columns() {
			walk(in, strings.TrimPrefix(path+"."+in.Name(), "."))
		}
	}
	walk(file.Root(), "")
	return columns, names
}

// packed is a Parquet file and where its columns go.
type packed struct {
	*layout
	file    *parquet.File
	columns []*parquet.Column
	wanted  []*parquet.Column // by place among the values
	credits *creditColumns    // nil: it has none
}

// place finds the columns that are wanted.
func (p *packed) place() (err error) {
	p.wanted = make([]*parquet.Column, p.width)
	for c, slot := range p.slots {
		if slot < 0 || p.columns[c] == nil {
			continue
		}
		if p.columns[c].MaxRepetitionLevel() > 0 {
			return fmt.Errorf("the column %s of Parquet has several values a row", p.names[slot])
		}
		p.wanted[slot] = p.columns[c]
	}
	if p.form.columns[fCredits] != nil {
		p.credits, err = findCredits(p.file.Root())
	}
	return err
}

// group takes the rows of a group.
func (p *packed) group(group int, t *tally) (err error) {
	defer func() {
		if x := recover(); x != nil {
			err = fmt.Errorf("damaged Parquet: %v", x)
		}
	}()
	var before int64
	for _, g := range p.file.RowGroups()[:group] {
		before += g.NumRows()
	}
	g := p.file.RowGroups()[group]
	values := make([]*column, p.width)
	for i, c := range p.wanted {
		values[i] = openColumn(g, c)
		defer values[i].close()
	}
	lists := p.credits.open(g)
	defer lists.close()
	row := packedRow{vals: make([][]byte, p.width), ends: make([]int, p.width)}
	for n := range g.NumRows() {
		if err := row.read(values, lists); err != nil {
			return fmt.Errorf("behind row %d: %w", before+n, err)
		}
		if err := row.take(t, before+n+1); err != nil {
			return err
		}
	}
	return nil
}

// packedRow is a row of a group, used again for each.
type packedRow struct {
	raw     []byte // all values, parted by fieldEnd
	ends    []int  // in raw, of the values that are wanted
	vals    [][]byte
	credits []credit
}

// fieldEnd parts values in what fingerprints are made of, which tell fields apart.
const fieldEnd = 0x1f

func (r *packedRow) read(values []*column, lists *creditLists) (err error) {
	r.raw = r.raw[:0]
	for i, v := range values {
		if r.raw, err = v.next(r.raw); err != nil {
			return err
		}
		r.ends[i] = len(r.raw)
		r.raw = append(r.raw, fieldEnd)
	}
	r.raw, r.credits, err = lists.next(r.raw, r.credits[:0])
	return err
}

func (r *packedRow) take(t *tally, at int64) error {
	if len(r.raw) > maxRecord {
		t.broken(at, r.raw, fmt.Errorf("it is longer than %d bytes", maxRecord))
		return nil
	}
	begin := 0
	for i, end := range r.ends {
		r.vals[i] = r.raw[begin:end]
		begin = end + 1
	}
	return t.credited(r.vals, r.credits, at, r.raw)
}

// column reads the values of a column one after the other.
type column struct {
	name  string
	typ   parquet.Type
	pages parquet.Pages
	page  parquet.Page
	in    parquet.ValueReader
	buf   [512]parquet.Value
	at, n int
}

func openColumn(g parquet.RowGroup, c *parquet.Column) *column {
	return &column{name: strings.Join(c.Path(), "."), typ: c.Type(), pages: g.ColumnChunks()[c.Index()].Pages()}
}

func (c *column) close() {
	if c.page != nil {
		parquet.Release(c.page)
	}
	c.pages.Close() // nothing was written
}

// peek gives the value that comes next, good until it is called again; io.EOF: there
// is none.
func (c *column) peek() (*parquet.Value, error) {
	for c.at == c.n {
		if c.in == nil {
			page, err := c.pages.ReadPage()
			if errors.Is(err, io.EOF) {
				return nil, io.EOF
			}
			if err != nil {
				return nil, fmt.Errorf("column %s: %w", c.name, err)
			}
			c.page, c.in = page, page.Values()
		}
		n, err := c.in.ReadValues(c.buf[:])
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("column %s: %w", c.name, err)
		}
		if c.at, c.n = 0, n; n == 0 {
			parquet.Release(c.page)
			c.page, c.in = nil, nil
		}
	}
	return &c.buf[c.at], nil
}

// next appends the value that comes next, as text.
func (c *column) next(dst []byte) ([]byte, error) {
	v, err := c.peek()
	if errors.Is(err, io.EOF) {
		return dst, c.short()
	}
	if err != nil {
		return dst, err
	}
	c.at++
	return appendValue(dst, *v, c.typ), nil
}

// short is the error of a column that ends before the rows do.
func (c *column) short() error {
	return fmt.Errorf("column %s: it has fewer values than there are rows: %w", c.name, io.ErrUnexpectedEOF)
}

// appendValue writes a value as a bill in CSV would have it.
func appendValue(dst []byte, v parquet.Value, typ parquet.Type) []byte {
	if v.IsNull() {
		return dst
	}
	logical := logicalOf(typ)
	switch v.Kind() {
	case parquet.Boolean:
		return strconv.AppendBool(dst, v.Boolean())
	case parquet.Int32:
		return appendInt(dst, int64(v.Int32()), logical)
	case parquet.Int64:
		return appendInt(dst, v.Int64(), logical)
	case parquet.Int96:
		n := v.Int96() // nanoseconds of the day and the Julian day
		const epoch = 2440588
		t := time.Unix((int64(n[2])-epoch)*86400, int64(uint64(n[1])<<32|uint64(n[0])))
		return t.UTC().AppendFormat(dst, time.RFC3339)
	case parquet.Float:
		return appendFloat(dst, float64(v.Float()), 32)
	case parquet.Double:
		return appendFloat(dst, v.Double(), 64)
	}
	if d, ok := logical.(*format.DecimalType); ok && len(v.ByteArray()) <= maxDecimalBytes {
		return appendDecimal(dst, decimal.NewFromBigInt(signed(v.ByteArray()), 0), d.Scale)
	}
	return append(dst, v.ByteArray()...)
}

// logicalOf is what the values of a column stand for; nil: for themselves.
func logicalOf(typ parquet.Type) format.LogicalTypeValue {
	if l := typ.LogicalType(); l != nil {
		return l.Value
	}
	return nil
}

func appendInt(dst []byte, n int64, logical format.LogicalTypeValue) []byte {
	switch l := logical.(type) {
	case *format.DecimalType:
		return appendDecimal(dst, decimal.New(n, 0), l.Scale)
	case *format.DateType:
		return time.Unix(n*86400, 0).UTC().AppendFormat(dst, time.DateOnly)
	case *format.TimestampType:
		if unit := l.Unit.Value; unit != nil {
			a := int64(time.Second / unit.Duration()) // of them make a second
			return time.Unix(n/a, n%a*int64(unit.Duration())).UTC().AppendFormat(dst, time.RFC3339)
		}
	}
	return strconv.AppendInt(dst, n, 10)
}

// appendFloat writes the shortest decimal that is read as f: what the provider had
// before it made a float of it.
func appendFloat(dst []byte, f float64, bits int) []byte {
	if a := math.Abs(f); a == 0 || a >= 1e-15 && a < 1e15 {
		return strconv.AppendFloat(dst, f, 'f', -1, bits)
	}
	return strconv.AppendFloat(dst, f, 'e', -1, bits)
}

// maxDecimalBytes is how long the bytes of a decimal are at most: BigQuery's largest
// have 32.
const maxDecimalBytes = 64

// appendDecimal writes d / 10^scale. A scale that no decimal has is left for the
// reading of numbers to refuse: its digits would fill the memory.
func appendDecimal(dst []byte, d decimal.Decimal, scale int32) []byte {
	if scale < 0 || scale > 2*maxDigits {
		return fmt.Appendf(dst, "%se-%d", d, scale)
	}
	return append(dst, d.Shift(-scale).String()...)
}

// signed is a number in two's complement, its highest byte first.
func signed(b []byte) *big.Int {
	n := new(big.Int).SetBytes(b)
	if len(b) > 0 && b[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return n
}
