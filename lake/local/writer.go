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
	"strings"
	"time"

	"github.com/klauspost/compress/s2"
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
	freshCodec compress.Codec = &quickSnappy{}
	restCodec  compress.Codec = &zstd.Codec{Level: zstd.SpeedFastest}
)

// quickSnappy is Snappy by the faster of the two encoders that write it; the
// other one, which parquet-go takes, spends twice the time for a tenth less.
type quickSnappy struct{ snappy.Codec }

func (*quickSnappy) Encode(dst, src []byte) ([]byte, error) {
	return s2.EncodeSnappy(dst[:cap(dst)], src), nil
}

// kind is what a Parquet writer is for. Writers are kept for reuse: one holds
// fifty column buffers.
type kind struct {
	schema *parquet.Schema
	codec  compress.Codec
	pages  paging
	idle   chan *encoder
}

var (
	freshEvents = newKind(eventSchema, freshCodec, freshPages)
	restEvents  = newKind(eventSchema, restCodec, restPages)
	freshUsage  = newKind(usageSchema, freshCodec, restPages)
	restUsage   = newKind(usageSchema, restCodec, restPages)
)

// newKind keeps a few idle writers, as many as work at a time. A sync.Pool
// would lose them at every garbage collection.
func newKind(schema *parquet.Schema, codec compress.Codec, pages paging) *kind {
	return &kind{schema, codec, pages, make(chan *encoder, 2)}
}

// encoder is what is worth keeping from one file to the next.
type encoder struct {
	pq   *parquet.GenericWriter[any]
	cols []*parquet.ColumnWriter
	open []page // a column each
}

// fileWriter writes one Parquet file under a temporary name.
type fileWriter struct {
	kind *kind
	path string // its name once finished
	f    *os.File
	buf  *bufio.Writer
	*encoder
	store *Store
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
	w := &fileWriter{kind: k, path: filepath.Join(dir, hex.EncodeToString(name[:])+".parquet"), store: s}
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
	select {
	case w.encoder = <-k.idle:
		w.pq.Reset(w.buf)
	default:
		w.encoder = &encoder{pq: parquet.NewGenericWriter[any](w.buf, writerOptions(k.schema, k.codec)...)}
	}
	w.cols = w.pq.ColumnWriters()
	if w.open == nil {
		w.open = make([]page, len(w.cols))
	}
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
	if err := w.buf.Flush(); err != nil {
		return 0, err
	}
	// From here on the buffer is another file's, too: the encoder writes into it
	// itself where it is as large as its own would be.
	select {
	case w.kind.idle <- w.encoder:
	default:
	}
	w.encoder, w.buf = nil, nil
	if err := w.store.opt.fault("file written"); err != nil {
		return 0, err
	}
	st, err := w.f.Stat()
	if err != nil {
		return 0, err
	}
	if !w.store.opt.noSync {
		err = w.f.Sync()
	}
	if err = errors.Join(err, w.f.Close()); err != nil {
		return 0, err
	}
	if err := os.Rename(w.path+".tmp", w.path); err != nil {
		return 0, err
	}
	if err := w.store.opt.fault("file renamed"); err != nil {
		return 0, err
	}
	if w.store.opt.noSync {
		return st.Size(), nil
	}
	return st.Size(), syncDir(filepath.Dir(w.path))
}

// abort removes what was written. A file that stays nevertheless is swept later.
func (w *fileWriter) abort() {
	w.f.Close()
	os.Remove(w.path + ".tmp")
	os.Remove(w.path)
}

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
	// g is kept for as long as the file, and must not keep the records alive
	// whose bytes its strings are part of.
	for _, s := range []*string{&g.MinAccount, &g.MaxAccount, &g.MinOperation, &g.MaxOperation} {
		*s = strings.Clone(*s)
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

// writeGroup writes a row group. Events are large and, sorted, lie about in
// memory, so it takes all columns of a few before it goes on.
func (w *fileWriter) writeGroup(recs []record) error {
	const few = 64
	defer w.clearPages()
	for at := 0; at < len(recs); at += few {
		block := recs[at:min(at+few, len(recs))]
		for i := range eventColumns {
			p := &w.open[i]
			for j := range block {
				p.vals = eventColumns[i].put(p.vals, &block[j])
			}
			p.rows += len(block)
			if streamed[i] {
				if err := w.writeValues(i, p); err != nil {
					return err
				}
			}
			if i == colRaw {
				for j := range block {
					p.bytes += len(block[j].Raw)
				}
			}
			if w.kind.pages.full(i, p.rows, p.bytes) {
				if err := w.endPage(i); err != nil {
					return err
				}
			}
		}
	}
	for i := range w.open {
		if err := w.endPage(i); err != nil {
			return err
		}
	}
	return w.flush()
}

// streamed columns go to Parquet a few values at a time, which stay in the
// processor's cache: what Parquet holds of a page of them, at most sixteen bytes
// a row, is less than makes it end the page. Of other columns we hold the page.
var streamed = func() []bool {
	held := map[string]bool{"event_uid": true, "api_request_uid": true, "resource_uids": true, "message": true, "raw": true}
	out := make([]bool, len(eventColumns))
	for i, c := range eventColumns {
		out[i] = !held[c.name]
	}
	return out
}()

// writeValues gives the values of p, so far, to column i.
func (w *fileWriter) writeValues(i int, p *page) error {
	if len(p.vals) == 0 {
		return nil
	}
	if _, err := w.cols[i].WriteRowValues(p.vals); err != nil {
		return fmt.Errorf("column %d: %w", i, err)
	}
	p.used = max(p.used, len(p.vals))
	p.vals = p.vals[:0]
	return nil
}

// endPage ends the open page of column i.
func (w *fileWriter) endPage(i int) error {
	p := &w.open[i]
	if p.rows == 0 {
		return nil
	}
	if err := w.writeValues(i, p); err != nil {
		return err
	}
	p.reset()
	return w.cols[i].Flush()
}

// page is the values of a column on their way into a page.
type page struct {
	vals        []parquet.Value
	used        int // the most that were in vals since they were cleared
	rows, bytes int
}

func (p *page) reset() {
	p.used = max(p.used, len(p.vals))
	p.vals, p.rows, p.bytes = p.vals[:0], 0, 0
}

// clearPages lets go of the events that the values pointed into.
func (w *fileWriter) clearPages() {
	for i := range w.open {
		p := &w.open[i]
		p.reset()
		clear(p.vals[:p.used])
		p.used = 0
	}
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
	w, err := s.newUsageWriter(freshUsage, month)
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
