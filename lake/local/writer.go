package local

import (
	"bufio"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
	"github.com/parquet-go/parquet-go/compress/snappy"
	"github.com/parquet-go/parquet-go/compress/zstd"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/usage"
)

// The codecs. A fresh segment lives until the next merge and is read once by
// it, so it spends as little time as may be; at rest bytes count.
var (
	freshCodec compress.Codec = &snappy.Codec{}
	restCodec  compress.Codec = &zstd.Codec{Level: zstd.SpeedFastest}
)

// kind is what a Parquet writer is for. Writers are kept for reuse: one holds
// fifty column buffers.
type kind struct {
	schema *parquet.Schema
	codec  compress.Codec
	pages  paging
	pool   sync.Pool
}

var (
	freshEvents = &kind{schema: eventSchema, codec: freshCodec, pages: freshPages}
	restEvents  = &kind{schema: eventSchema, codec: restCodec, pages: restPages}
	anyUsage    = &kind{schema: usageSchema, codec: restCodec, pages: restPages}
)

// fileWriter writes one Parquet file under a temporary name.
type fileWriter struct {
	kind  *kind
	path  string // its name once finished
	f     *os.File
	buf   *bufio.Writer
	pq    *parquet.Writer
	cols  []*parquet.ColumnWriter
	rows  int64
	fault func(string) error
}

// create begins a file named after nothing but chance in dir.
func (s *Store) create(k *kind, dir string) (*fileWriter, error) {
	if err := s.makeDir(dir); err != nil {
		return nil, err
	}
	var name [12]byte
	if _, err := rand.Read(name[:]); err != nil {
		return nil, err
	}
	w := &fileWriter{kind: k, path: filepath.Join(dir, hex.EncodeToString(name[:])+".parquet"), fault: s.opt.fault}
	f, err := os.OpenFile(w.path+".tmp", os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrNotExist) { // the folder was empty and has just been removed
		if err = s.makeDir(dir); err == nil {
			f, err = os.OpenFile(w.path+".tmp", os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		}
	}
	if err != nil {
		return nil, err
	}
	w.f = f
	w.buf = bufio.NewWriterSize(f, 256<<10)
	if pq, ok := k.pool.Get().(*parquet.Writer); ok {
		pq.Reset(w.buf)
		w.pq = pq
	} else {
		w.pq = parquet.NewWriter(w.buf, writerOptions(k.schema, k.codec)...)
	}
	w.cols = w.pq.ColumnWriters()
	return w, nil
}

// makeDir makes a day's or month's folder durably.
func (s *Store) makeDir(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return errors.Join(syncDir(filepath.Dir(dir)), syncDir(s.dir))
}

// flush ends a row group.
func (w *fileWriter) flush() error { return w.pq.Flush() }

// finish makes the file durable under its name and returns its size.
func (w *fileWriter) finish() (size int64, err error) {
	defer func() {
		if err != nil {
			w.abort()
		}
	}()
	if err := w.pq.Close(); err != nil {
		return 0, err
	}
	w.kind.pool.Put(w.pq)
	w.pq = nil
	if err := w.buf.Flush(); err != nil {
		return 0, err
	}
	if err := w.fault("file written"); err != nil {
		return 0, err
	}
	st, err := w.f.Stat()
	if err != nil {
		return 0, err
	}
	if err := errors.Join(w.f.Sync(), w.f.Close()); err != nil {
		return 0, err
	}
	if err := os.Rename(w.path+".tmp", w.path); err != nil {
		return 0, err
	}
	if err := w.fault("file renamed"); err != nil {
		return 0, err
	}
	return st.Size(), syncDir(filepath.Dir(w.path))
}

// abort removes what was written. A file that stays nevertheless is swept later.
func (w *fileWriter) abort() {
	w.f.Close()
	os.Remove(w.path + ".tmp")
	os.Remove(w.path)
}

// valuesPool holds slices for the values of one column.
var valuesPool = sync.Pool{New: func() any { return new([]parquet.Value) }}

// writeEvents writes recs, which are sorted and of one day, as one file.
func (s *Store) writeEvents(k *kind, day int32, recs []record) (segment, error) {
	w, err := s.create(k, s.dayDir(day))
	if err != nil {
		return segment{}, err
	}
	for at := 0; at < len(recs); at += rowGroupRows {
		group := recs[at:min(at+rowGroupRows, len(recs))]
		if err := w.writeGroup(group); err != nil {
			w.abort()
			return segment{}, fmt.Errorf("write %s: %w", w.path, err)
		}
	}
	size, err := w.finish()
	if err != nil {
		return segment{}, fmt.Errorf("write %s: %w", w.path, err)
	}
	g := segment{Path: w.path, Day: day, Rows: int64(len(recs)), Bytes: size}
	for i := range recs {
		g.cover(recs[i].Event, i == 0)
	}
	return g, nil
}

// cover widens g's bounds to e.
func (g *segment) cover(e *event.Event, first bool) {
	if first {
		g.MinTime, g.MaxTime = e.Time, e.Time
		g.MinAccount, g.MaxAccount = e.AccountUID, e.AccountUID
		g.MinOperation, g.MaxOperation = e.APIOperation, e.APIOperation
		return
	}
	if e.Time.Before(g.MinTime) {
		g.MinTime = e.Time
	}
	if e.Time.After(g.MaxTime) {
		g.MaxTime = e.Time
	}
	g.MinAccount, g.MaxAccount = min(g.MinAccount, e.AccountUID), max(g.MaxAccount, e.AccountUID)
	g.MinOperation, g.MaxOperation = min(g.MinOperation, e.APIOperation), max(g.MaxOperation, e.APIOperation)
}

func (w *fileWriter) writeGroup(recs []record) error {
	buf := valuesPool.Get().(*[]parquet.Value)
	defer valuesPool.Put(buf)
	for i, c := range eventColumns {
		vals, rows, size := (*buf)[:0], 0, 0
		for j := range recs {
			vals = c.put(vals, &recs[j])
			rows++
			if i == colRaw {
				size += len(recs[j].Raw)
			}
			if !w.kind.pages.full(i, rows, size) {
				continue
			}
			if err := w.writePage(i, vals); err != nil {
				return err
			}
			vals, rows, size = vals[:0], 0, 0
		}
		if err := w.writePage(i, vals); err != nil {
			return err
		}
		clear(vals[:cap(vals)]) // no references into events from the pool
		*buf = vals[:0]
	}
	return w.flush()
}

// full tells whether so many rows, and bytes of raw, make a page of column col.
func (p paging) full(col, rows, bytes int) bool {
	if col == colRaw {
		return bytes >= p.rawBytes || rows >= maxRawRows
	}
	return rows >= p.rows
}

// writePage writes vals, whole rows, as a page of column i.
func (w *fileWriter) writePage(i int, vals []parquet.Value) error {
	if len(vals) == 0 {
		return nil
	}
	if _, err := w.cols[i].WriteRowValues(vals); err != nil {
		return fmt.Errorf("column %d: %w", i, err)
	}
	return w.cols[i].Flush()
}

// writeUsage writes rows, which are sorted and of one month, as one file.
func (s *Store) writeUsage(month int32, rows []usage.Row) (usageSegment, error) {
	w, err := s.newUsageWriter(month)
	if err != nil {
		return usageSegment{}, err
	}
	if err := w.add(rows); err != nil {
		w.out.abort()
		return usageSegment{}, fmt.Errorf("write %s: %w", w.out.path, err)
	}
	return w.finish()
}

func (s *Store) dayDir(day int32) string {
	return filepath.Join(s.dir, "events", dayTime(day).Format(time.DateOnly))
}

func (s *Store) monthDir(month int32) string {
	return filepath.Join(s.dir, "usage", fmt.Sprintf("%04d-%02d", month/12, month%12+1))
}

// byMonth cuts rows, which are sorted by hour, at the months.
func byMonth(rows []usage.Row) [][]usage.Row {
	var out [][]usage.Row
	for len(rows) > 0 {
		month := monthOf(rows[0].Hour)
		n := slices.IndexFunc(rows, func(r usage.Row) bool { return monthOf(r.Hour) != month })
		if n < 0 {
			n = len(rows)
		}
		out = append(out, rows[:n])
		rows = rows[n:]
	}
	return out
}
