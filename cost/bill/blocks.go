package bill

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/yagura-sec/yagura/cost"
)

// blockSize is how much text is handed over at once, unless a test wants less.
const blockSize = 1 << 20

// block is whole records of a text.
type block struct {
	text []byte
	line int64   // its first, from 1
	long bool    // it is the beginning of a record that is too long
	from *[]byte // what the text is in, to be used again
}

// rows knows how the rows of a text are written.
type rows interface {
	// end is the index behind the record that text begins with; 0: more of it is
	// needed. Whole: there is no more.
	end(text []byte, whole bool) int
	// record takes what text begins with into t, and says how many bytes that was.
	record(t *tally, text []byte, line int64, s *scratch) (n int, err error)
}

// scratch is what is used again for each row.
type scratch struct {
	vals  [][]byte
	bytes []byte
}

var newline = []byte("\n")

// blocks reads text on one goroutine, which also unpacks it, and its rows on others.
func (r *reader) blocks(in io.Reader, l *layout, line int64, how rows, container string) (f cost.File, err error) {
	all := make([]*tally, r.workers)
	c := cutter{in: in, line: line, how: how, size: r.block, work: make(chan block, r.workers)}
	c.pool.New = func() any { return new([]byte) }
	g, ctx := errgroup.WithContext(r.ctx)
	g.Go(func() error {
		defer close(c.work)
		return c.cut(ctx.Done())
	})
	for i := range all {
		t := newTally(l, r.add)
		all[i] = t
		g.Go(func() error {
			s := &scratch{vals: make([][]byte, l.width)}
			for b := range c.work {
				if err := b.take(t, how, s); err != nil {
					return err
				}
				c.pool.Put(b.from)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return f, err
	}
	if err := r.ctx.Err(); err != nil {
		return f, err
	}
	return r.finish(l, container, all)
}

// take takes the records of a block.
func (b *block) take(t *tally, how rows, s *scratch) error {
	if b.long {
		t.broken(b.line, b.text, fmt.Errorf("it is longer than %d bytes", maxRecord))
		return nil
	}
	for text, line := b.text, b.line; len(text) > 0; {
		n, err := how.record(t, text, line, s)
		if err != nil {
			return err
		}
		line += int64(bytes.Count(text[:n], newline))
		text = text[n:]
	}
	return nil
}

// cutter parts a text into blocks of whole records.
type cutter struct {
	in   io.Reader
	line int64 // of what comes next
	how  rows
	size int // of what is read at once
	pool sync.Pool
	work chan block
}

func (c *cutter) cut(stop <-chan struct{}) error {
	var rest []byte // a record that goes on
	skip := false   // to the end of the line: it is too long
	for whole := false; !whole; {
		from := c.pool.Get().(*[]byte)
		buf, err := fill(c.in, append((*from)[:0], rest...), c.size)
		*from = buf
		if whole = errors.Is(err, io.EOF); err != nil && !whole {
			return fmt.Errorf("behind line %d: %w", c.line+int64(bytes.Count(buf, newline))-1, packedError(err))
		}
		text := buf
		if skip {
			end := bytes.IndexByte(text, '\n') + 1
			if end == 0 {
				rest = nil
				continue
			}
			c.line, text, skip = c.line+1, text[end:], false
		}
		n := c.whole(text, whole)
		b := block{text: text[:n], line: c.line, from: from}
		c.line += int64(bytes.Count(b.text, newline))
		rest = bytes.Clone(text[n:])
		if n == 0 && len(text) >= maxRecord {
			b.text, b.long, skip, rest = text[:refusedBytes], true, true, nil
		}
		if len(b.text) == 0 {
			continue
		}
		select {
		case c.work <- b:
		case <-stop:
			return nil // the error is another's
		}
	}
	return nil
}

// whole is the length of the whole records that text begins with.
func (c *cutter) whole(text []byte, all bool) (n int) {
	for n < len(text) {
		end := c.how.end(text[n:], all)
		if end == 0 {
			break
		}
		n += end
	}
	return n
}

// fill reads so many bytes more. Unlike io.ReadFull it tells the end of a file from
// one that ends too soon.
func fill(in io.Reader, b []byte, more int) ([]byte, error) {
	b = slices.Grow(b, more)
	for size := len(b) + more; len(b) < size; {
		n, err := in.Read(b[len(b):size])
		b = b[:len(b)+n]
		if err != nil {
			return b, err
		}
	}
	return b, nil
}

// csvRows are the rows of CSV.
type csvRows struct {
	sep    byte
	header []byte
}

func (c csvRows) end(text []byte, whole bool) int { return recordEnd(text, c.sep, whole) }

func (c csvRows) record(t *tally, text []byte, line int64, s *scratch) (n int, err error) {
	n = recordEnd(text, c.sep, true)
	record := bytes.TrimRight(text[:n], "\r\n")
	if len(bytes.TrimSpace(record)) == 0 || bytes.Equal(record, c.header) { // files may be joined with their headers
		return n, nil
	}
	if s.bytes, err = fields(record, c.sep, t.slots, s.vals, s.bytes); err == nil {
		return n, t.row(s.vals, nil, line, record)
	}
	// A quote that was not closed may have taken in rows that are whole: only the
	// first line is refused.
	if first := bytes.IndexByte(record, '\n') + 1; first > 0 {
		n, record = first, record[:first]
	}
	t.broken(line, record, err)
	return n, nil
}
