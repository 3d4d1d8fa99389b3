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
	wanted  []int // columns, by place among the values
}

// place finds the columns that are wanted.
func (p *packed) place() error {
	p.wanted = make([]int, p.width)
	for c, slot := range p.slots {
		if slot < 0 {
			continue
		}
		if p.columns[c].MaxRepetitionLevel() > 0 {
			return fmt.Errorf("the column %s of Parquet has several values a row", p.names[slot])
		}
		p.wanted[slot] = c
	}
	if p.form.columns[fCredits] != nil {
		for _, c := range p.columns {
			if c != nil && strings.HasPrefix(plainName(strings.Join(c.Path(), "")), "credits") {
				return errors.New("credits in Parquet are not read, and without them the sums would be wrong: export JSON, or FOCUS")
			}
		}
	}
	return nil
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
		values[i] = &column{name: p.names[i], typ: p.columns[c].Type(), pages: g.ColumnChunks()[c].Pages()}
		defer values[i].close()
	}
	vals := make([][]byte, p.width)
	ends := make([]int, p.width)
	var raw []byte
	for n := range g.NumRows() {
		raw = raw[:0]
		for i, v := range values {
			if raw, err = v.next(raw); err != nil {
				return fmt.Errorf("behind row %d: %w", before+n, err)
			}
			ends[i] = len(raw)
			raw = append(raw, 0x1f) // so that the fingerprint tells fields apart
		}
		begin := 0
		for i, end := range ends {
			vals[i] = raw[begin:end]
			begin = end + 1
		}
		if err := t.row(vals, nil, before+n+1, raw); err != nil {
			return err
		}
	}
	return nil
}

// column reads the values of a column one after the other, as text.
type column struct {
	name  string
	typ   parquet.Type
	pages parquet.Pages
	page  parquet.Page
	in    parquet.ValueReader
	buf   [512]parquet.Value
	at, n int
}

func (c *column) close() {
	if c.page != nil {
		parquet.Release(c.page)
	}
	c.pages.Close() // nothing was written
}

func (c *column) next(dst []byte) ([]byte, error) {
	for c.at == c.n {
		if c.in == nil {
			page, err := c.pages.ReadPage()
			if err != nil {
				return dst, fmt.Errorf("column %s: %w", c.name, err)
			}
			c.page, c.in = page, page.Values()
		}
		n, err := c.in.ReadValues(c.buf[:])
		if err != nil && !errors.Is(err, io.EOF) {
			return dst, fmt.Errorf("column %s: %w", c.name, err)
		}
		if c.at, c.n = 0, n; n == 0 {
			parquet.Release(c.page)
			c.page, c.in = nil, nil
		}
	}
	v := c.buf[c.at]
	c.at++
	return appendValue(dst, v, c.typ), nil
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
	if d, ok := logical.(*format.DecimalType); ok {
		return append(dst, decimal.NewFromBigInt(signed(v.ByteArray()), -d.Scale).String()...)
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
		return append(dst, decimal.New(n, -l.Scale).String()...)
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

// signed is a number in two's complement, its highest byte first.
func signed(b []byte) *big.Int {
	n := new(big.Int).SetBytes(b)
	if len(b) > 0 && b[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return n
}
