// Package bill reads bills of cloud providers: AWS's Cost and Usage Reports (CUR,
// both versions), FOCUS of any provider, Google's billing export, Azure's and
// Oracle's usage, each as CSV, JSON or Parquet, plain or in gzip.
//
// What a file is its content says, not its name. It is read as a stream: rows are
// summed by what tells them apart, exactly, and the sums given away when there are
// many. Of security services sums are kept by day, of all others by month. Every row
// is summed or refused; a row that is refused costs no other.
package bill

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"runtime"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/klauspost/compress/gzip"

	"github.com/yagura-sec/yagura/cost"
)

// ErrNotBill: the content is none of a bill.
var ErrNotBill = errors.New("it is no bill")

// Limits of a file.
const (
	// maxHead is how far its columns are looked for.
	maxHead = 256 << 10
	// A compressed file may grow by maxRatio once it is larger than freeGrowth: gzip
	// makes at most 1032 bytes of one, bills about 20.
	maxRatio   = 300
	freeGrowth = 256 << 20
	// maxNested is how large Parquet may be that has to be held in memory: it came
	// through gzip or a pipe.
	maxNested = 256 << 20
)

// Add takes lines of a file, which are good until it returns. It is called by one
// goroutine at a time.
type Add func(ctx context.Context, lines []cost.Line) error

// Read reads one file and gives its lines away; what it says of the file are its
// form, bills, accounts, rows, refusals and fingerprint. An error means that the
// file cannot be taken, though lines of it were given away: it ends too soon, or is
// damaged. ErrNotBill comes before any.
//
// A reader that has ReadAt and Seek as an os.File is read from several places at
// once where the form allows.
func Read(ctx context.Context, in io.Reader, add Add) (cost.File, error) {
	r := &reader{ctx: ctx, workers: max(1, runtime.GOMAXPROCS(0)), block: blockSize, keep: add}
	f, err := r.read(in)
	if err != nil {
		return cost.File{}, err
	}
	return f, nil
}

// reader reads one file.
type reader struct {
	ctx     context.Context
	workers int
	block   int // bytes of text that are handed over at once
	keep    Add
	giving  chan struct{} // holds one while lines are given away
}

func (r *reader) add(lines []cost.Line) error {
	r.giving <- struct{}{}
	defer func() { <-r.giving }()
	return r.keep(r.ctx, lines)
}

var (
	gzipMagic    = []byte{0x1f, 0x8b}
	parquetMagic = []byte("PAR1")
	bom          = []byte("\xef\xbb\xbf")
)

func (r *reader) read(in io.Reader) (f cost.File, err error) {
	r.giving = make(chan struct{}, 1)
	text := bufio.NewReaderSize(in, maxHead)
	magic, err := text.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return f, err
	}
	switch {
	case bytes.HasPrefix(magic, parquetMagic):
		return r.parquet(in, text)
	case !bytes.HasPrefix(magic, gzipMagic):
		return r.text(text)
	}
	packed := &counted{in: text}
	unpacked, err := gzip.NewReader(packed)
	if err != nil {
		return f, fmt.Errorf("gzip: %w", err)
	}
	text = bufio.NewReaderSize(&guarded{packed: packed, in: unpacked}, maxHead)
	magic, err = text.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return f, packedError(err)
	}
	if bytes.HasPrefix(magic, parquetMagic) {
		return r.parquet(nil, text)
	}
	return r.text(text)
}

func packedError(err error) error {
	if errors.Is(err, gzip.ErrHeader) {
		return errors.New("the gzip file goes on with what is no gzip")
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("the gzip file ends too soon: it was not written or copied to its end: %w", err)
	}
	return err
}

// text reads CSV or JSON.
func (r *reader) text(in *bufio.Reader) (f cost.File, err error) {
	head, err := in.Peek(maxHead)
	whole := errors.Is(err, io.EOF)
	if err != nil && !whole {
		return f, packedError(err)
	}
	switch {
	case len(head) == 0:
		return f, ErrNotBill
	case isWide(head):
		if l, _, err := findHeader(narrow(head), whole); l != nil || err != nil {
			return f, errors.New("it is a bill in UTF-16: save it as UTF-8, as providers write it")
		}
		return f, fmt.Errorf("%w: it is UTF-16; bills are UTF-8", ErrNotBill)
	}
	if begin := bytes.TrimLeft(bytes.TrimPrefix(head, bom), " \t\r\n"); len(begin) > 0 && (begin[0] == '{' || begin[0] == '[') {
		return r.json(in, begin, whole)
	}
	return r.csv(in, head, whole)
}

// preamble is how many lines may stand before the header: some portals put there
// what was asked for.
const preamble = 10

func (r *reader) csv(in *bufio.Reader, head []byte, whole bool) (f cost.File, err error) {
	l, found, err := findHeader(head, whole)
	if l == nil {
		return f, orNotBill(err)
	}
	lines := bytes.Count(head[:found.end], newline)
	found.header = bytes.Clone(found.header)
	if _, err := in.Discard(found.end); err != nil {
		return f, err
	}
	return r.blocks(in, l, int64(lines)+1, found.csvRows, "csv")
}

// header is where the names of columns end, and how the rows behind them are written.
type header struct {
	csvRows
	end int
}

// findHeader finds the names of columns. The error is of a bill that lacks what is
// needed; nil and nil: it is none.
func findHeader(head []byte, whole bool) (l *layout, found header, refused error) {
	at := 0
	if bytes.HasPrefix(head, bom) {
		at = len(bom)
	}
	for range preamble {
		sep := separator(head[at:])
		n := recordEnd(head[at:], sep, whole)
		if n == 0 {
			break
		}
		line := head[at : at+n]
		at += n
		columns, err := split(line, sep)
		if err != nil {
			continue
		}
		names := make([]string, len(columns))
		for i, c := range columns {
			names[i] = string(c)
		}
		l, err := layoutOf(names)
		if err != nil {
			refused = err
		}
		if l != nil {
			l.comma = sep == ';'
			return l, header{csvRows{sep: sep, header: bytes.TrimRight(line, "\r\n")}, at}, nil
		}
	}
	return nil, header{}, refused
}

// isWide tells whether text is UTF-16, as spreadsheets save it, also without a mark
// at its beginning: a name of a column begins with a letter, half of which is zero.
func isWide(head []byte) bool {
	return bytes.HasPrefix(head, []byte{0xff, 0xfe}) || bytes.HasPrefix(head, []byte{0xfe, 0xff}) ||
		len(head) > 1 && (head[0] == 0) != (head[1] == 0)
}

// narrow is UTF-16 as UTF-8, as far as is to recognise it.
func narrow(head []byte) []byte {
	var order binary.ByteOrder = binary.LittleEndian
	if head[0] == 0 || head[0] == 0xfe {
		order = binary.BigEndian
	}
	units := make([]uint16, len(head)/2)
	for i := range units {
		units[i] = order.Uint16(head[2*i:])
	}
	return bytes.TrimPrefix([]byte(string(utf16.Decode(units))), bom)
}

// separator is what stands between the names of a header.
func separator(text []byte) byte {
	if i := bytes.IndexByte(text, '\n'); i >= 0 {
		text = text[:i]
	}
	best, most := byte(','), bytes.Count(text, []byte{','})
	for _, c := range []byte{';', '\t'} {
		if n := bytes.Count(text, []byte{c}); n > most {
			best, most = c, n
		}
	}
	return best
}

// finish makes the file of what was read.
func (r *reader) finish(l *layout, container string, all []*tally) (f cost.File, err error) {
	sum := all[0]
	for _, t := range all[1:] {
		if err := sum.merge(t); err != nil {
			return f, err
		}
	}
	if err := sum.flush(); err != nil {
		return f, err
	}
	if sum.rows == 0 {
		return f, fmt.Errorf("%w: under its header are no rows", ErrNotBill)
	}
	slices.SortFunc(sum.refusals, func(a, b cost.Refusal) int { return int(a.Row - b.Row) })
	f = cost.File{
		Holds: cost.HoldsBill, Form: l.name + " " + container,
		Fingerprint: sum.print.text(sum.rows), Rows: sum.rows, Refused: sum.refused,
		Refusals: sum.refusals[:min(len(sum.refusals), maxRefusals)],
		Bills:    slices.SortedFunc(maps.Keys(sum.bills), compareBills),
		Accounts: slices.Sorted(maps.Keys(sum.accounts)),
	}
	return f, nil
}

func compareBills(a, b cost.Bill) int {
	if c := a.Month.Compare(b.Month); c != 0 {
		return c
	}
	if c := strings.Compare(a.Provider, b.Provider); c != 0 {
		return c
	}
	return strings.Compare(a.Payer, b.Payer)
}

// counted counts what is read.
type counted struct {
	in io.Reader
	n  int64
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.in.Read(b)
	c.n += int64(n)
	return n, err
}

// guarded refuses what grows without end when it is unpacked.
type guarded struct {
	packed *counted
	in     io.Reader
	n      int64
}

func (g *guarded) Read(b []byte) (int, error) {
	n, err := g.in.Read(b)
	if g.n += int64(n); g.n > freeGrowth && g.n/maxRatio > g.packed.n {
		return 0, fmt.Errorf("the gzip file grew to %d times its size: bills do not", g.n/max(1, g.packed.n))
	}
	return n, err
}
