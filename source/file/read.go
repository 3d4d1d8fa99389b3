package file

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/source"
)

// worker reads one object after another into its batch.
type worker struct {
	s    *Source
	open opener
	spl  splitter
	b    builder
}

// work reads what comes from the queue.
func (s *Source) work(ctx context.Context, queue <-chan *target) error {
	w := &worker{s: s, open: opener{maxBytes: s.cfg.MaxDecompressed, maxRatio: s.cfg.MaxRatio, ratioFrom: s.ratioFrom}, b: builder{s: s}}
	w.spl.maxRecord, w.spl.maxDepth, w.spl.known = s.cfg.MaxRecord, s.cfg.MaxDepth, s.cfg.Known
	defer w.open.close()
	for t := range queue {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		if err := w.read(ctx, t); err != nil {
			return err
		}
	}
	return w.b.flushNow(ctx)
}

// reading is the state of one object while it is read.
type reading struct {
	t        *target
	file     *os.File // nil for standard input
	position int64    // of the next record
	settled  []source.Run
	received time.Time

	span  event.Span // the run of records in the current batch
	end   int64      // where reading can go on behind the last record; -1: nowhere
	base  int64      // what to add to the splitter's offsets
	head  string     // hash of the first bytes, once there are headBytes
	whole bool       // it is one reject, because it is not JSON

	aside string // why it is no log, where it only lies beside them
}

// take counts a record that went into the batch.
func (r *reading) take(it item) {
	if r.span.Records == 0 {
		r.span.First = r.position
	}
	r.span.Records++
	r.pass(it)
}

// pass goes behind a record.
func (r *reading) pass(it item) {
	r.position++
	if it.end < 0 {
		r.end = -1
	} else {
		r.end = r.base + it.end
	}
}

// cut closes the span at the last record taken.
func (r *reading) cut() (event.Span, bool) {
	if r.span.Records == 0 {
		return event.Span{}, false
	}
	sp := r.span
	sp.Object, sp.Version, sp.Size, sp.Mark = r.t.name, r.t.version, r.t.size, r.mark()
	r.span = event.Span{}
	return sp, true
}

// mark says where to go on; empty where that is not possible.
func (r *reading) mark() string {
	if r.file == nil || r.t.pipe || r.end < 0 || r.t.id == (inode{}) {
		return ""
	}
	head := r.head
	if head == "" {
		var err error
		if head, err = headHash(r.file, r.end); err != nil {
			return "" // then the file is read from its start the next time
		}
		if r.end >= headBytes {
			r.head = head
		}
	}
	return mark{Dev: r.t.id.dev, Inode: r.t.id.ino, Offset: r.end, Head: head, Stamp: r.t.stamp()}.String()
}

// isSettled tells whether the record at the current position is accounted for.
func (r *reading) isSettled() bool {
	for len(r.settled) > 0 && r.position >= r.settled[0].First+r.settled[0].Records {
		r.settled = r.settled[1:]
	}
	return len(r.settled) > 0 && r.position >= r.settled[0].First
}

// read reads one object. Its troubles are told in its span; an error is one of
// the program.
func (w *worker) read(ctx context.Context, t *target) error {
	var in io.Reader
	var file *os.File
	err := t.err
	switch {
	case err != nil:
	case t.path == stdinName:
		in = w.s.cfg.Stdin
	default:
		if file, err = os.Open(t.path); err == nil {
			defer file.Close()
			in, err = file, refresh(t, file)
		}
	}
	if err != nil {
		return w.unreadable(ctx, t, err)
	}
	if t.pipe {
		in = patient(ctx, in)
	}
	if t.pipe || w.s.cfg.Follow {
		defer w.watch(ctx)()
	}
	r := &reading{t: t, file: file, settled: t.settled, received: w.s.cfg.Now().UTC().Truncate(time.Microsecond)}
	if t.offset > 0 || t.first > 0 {
		if _, err := file.Seek(t.offset, io.SeekStart); err != nil {
			return w.unreadable(ctx, t, err)
		}
		r.position, r.base, r.end = t.first, t.offset, t.offset
	}
	w.s.count(func(st *Stats) { st.Read++; st.Bytes += t.size })
	c, err := w.open.open(in, t.name)
	if err != nil {
		text, _ := describe(err)
		return w.finish(ctx, r, event.Span{Failure: text}, nil)
	}
	if t.offset > 0 && c.kind != "" {
		return w.unreadable(ctx, t, fmt.Errorf("it became %s data where it went on at byte %d", c.kind, t.offset))
	}
	return w.records(ctx, r, c)
}

// refresh makes t what the open file is, in case it was replaced meanwhile.
func refresh(t *target, f *os.File) error {
	if t.pipe {
		return nil
	}
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if id := inodeOf(info); id != t.id {
		// Another file under the same name: nothing that is known of the first applies.
		*t = target{path: t.path, name: t.name, id: id, again: t.again, unsteady: t.unsteady}
		t.size, t.time = info.Size(), info.ModTime().UnixNano()
		t.version = t.stamp()
	}
	return nil
}

// records reads the records of an open object.
func (w *worker) records(ctx context.Context, r *reading, c *content) error {
	w.spl.reset(c, w.s.cfg.InputFormat)
	w.spl.resumed = r.base > 0 || r.position > 0
	if r.base > 0 {
		w.spl.from = r.base
		if head := headOf(r.file); head != nil {
			w.spl.resumeTable(head)
		}
	}
	if w.s.cfg.Follow && c.kind == "" && !r.t.pipe {
		// Rotated and quiet: nobody writes it any more.
		w.spl.growing, w.spl.unsettle = r.t.name == r.t.path || r.t.unsteady, r.t.unsteady
	}
	if r.t.unsteady {
		if c.kind != "" {
			return nil // it is looked at again once it is quiet
		}
		w.spl.onContainer = func() bool { return false }
	}
	if kind := promised(r.t.name); kind != "" && r.base == 0 && w.open.empty() {
		if r.t.unsteady {
			return nil // its writer may just have begun
		}
		r.end = -1 // what comes there is a new version, as after any failure of compressed data
		return w.finish(ctx, r, event.Span{Failure: "empty, where " + kind + " was expected: not even its header is there"}, nil)
	}
	if err := w.b.begin(ctx, r); err != nil {
		return err
	}
	defer w.b.end()
	digest, err := w.digest(ctx, r, c)
	if err != nil {
		return err
	}
	for {
		it, ok := w.spl.next()
		if !ok {
			break
		}
		if err := w.one(ctx, r, it); err != nil {
			return err
		}
		if r.position%1024 == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	if ctx.Err() != nil { // what the splitter says of the end is not so
		return context.Cause(ctx)
	}
	if c.kind != "" || w.spl.contained {
		w.b.mu.Lock() // the clock may be cutting the span
		r.end = -1
		w.b.mu.Unlock()
	}
	r.whole = w.spl.whole
	last := event.Span{Failure: cmp.Or(w.spl.failure, r.aside)}
	if r.aside != "" {
		last.Kind = event.KindOther
	}
	last.Final = w.spl.failure == "" && !w.spl.held && (!w.spl.growing || w.spl.contained || w.spl.whole)
	if digest != nil {
		last.Kind, last.Final = event.KindDigest, last.Failure == "" && !w.spl.held
	}
	last.AtEnd = last.Failure == "" && !w.spl.held && !last.Final
	if last.Final && !w.spl.resumed {
		last.SHA256 = c.sha256()
	}
	return w.finish(ctx, r, last, digest)
}

// one delivers a record unless it is settled.
func (w *worker) one(ctx context.Context, r *reading, it item) error {
	if w.spl.whole && !logName(r.t.name) {
		r.aside = it.reason
		return nil
	}
	if w.open.content.kind != "" {
		it.end = -1
	}
	if !r.isSettled() {
		return w.b.add(ctx, r, it)
	}
	w.b.mu.Lock()
	defer w.b.mu.Unlock()
	if sp, ok := r.cut(); ok {
		w.b.batch.Spans = append(w.b.batch.Spans, sp)
	}
	r.pass(it)
	return nil
}

// promised is the compression that a name promises; empty where it is none. What
// a file is tells its content, but of an empty one nothing else tells that it was
// cut off: no compressed data is empty.
func promised(name string) string {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".gz":
		return "gzip"
	case ".zst":
		return "zstd"
	}
	return ""
}

// logName tells whether a name promises a log. A file of another name that is
// not JSON lies beside the logs (a note, a script): it is an object without
// records. One of such a name is a log that went wrong: a rejected record.
func logName(name string) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case "", ".json", ".jsonl", ".ndjson", ".log", ".gz", ".zst":
		return true
	}
	return false
}

// digest reads the first record, and takes it out if it is a digest file's only
// one.
func (w *worker) digest(ctx context.Context, r *reading, c *content) (*event.Digest, error) {
	it, ok := w.spl.next()
	if !ok {
		return nil, nil
	}
	if it.reason != "" || it.end < 0 || w.spl.resumed || !looksLikeDigest(it.body) {
		return nil, w.one(ctx, r, it)
	}
	body := bytes.Clone(it.body)
	second, more := w.spl.next()
	if !more && w.spl.failure == "" && !w.spl.held {
		if d, err := event.ParseDigest(r.t.name, body); err == nil {
			d.SHA256 = c.sha256()
			return &d, nil
		}
	}
	it.body = body
	if more { // the second's body does not outlive the next call, and adding calls nothing
		if err := w.one(ctx, r, it); err != nil {
			return nil, err
		}
		return nil, w.one(ctx, r, second)
	}
	return nil, w.one(ctx, r, it)
}

// finish closes the object with what is said of its end.
func (w *worker) finish(ctx context.Context, r *reading, last event.Span, d *event.Digest) error {
	w.b.mu.Lock() // until the span is in the batch that holds its records
	defer w.b.mu.Unlock()
	sp, ok := r.cut()
	if !ok {
		sp = event.Span{Object: r.t.name, Version: r.t.version, First: r.position, Size: r.t.size, Mark: r.mark()}
	}
	sp.Final, sp.AtEnd, sp.Failure, sp.Kind, sp.SHA256 = last.Final, last.AtEnd, last.Failure, last.Kind, last.SHA256
	// Of what may still be written nothing is said before it is quiet, unless it has records.
	told := !ok && (!sp.AtEnd || r.t.unsteady || r.t.atEnd && r.position == r.t.first)
	w.s.remember(r, &memory{name: r.t.name, progress: source.Progress{
		Version: sp.Version, Settled: runTo(r.position), Final: sp.Final, Mark: sp.Mark,
		AtEnd: sp.AtEnd && (!told || r.t.atEnd && r.position == r.t.first),
	}, dead: r.whole})
	switch {
	case r.aside != "":
		w.s.count(func(st *Stats) { st.Skipped++ })
	case sp.Failure != "":
		w.s.fail(sp.Object, sp.Failure)
	}
	if told && !sp.Final && sp.Failure == "" && (r.t.known || r.t.again || r.t.unsteady) {
		return nil // nothing new
	}
	return w.b.put(ctx, sp, d, r.t.known || r.t.again)
}

func runTo(end int64) []source.Run {
	if end == 0 {
		return nil
	}
	return []source.Run{{First: 0, Records: end}}
}

// unreadable accounts for an object that could not be opened.
func (w *worker) unreadable(ctx context.Context, t *target, err error) error {
	if errors.Is(err, fs.ErrNotExist) && w.s.cfg.Follow {
		return nil // moved away before it was read: it is found under its new name
	}
	text := because(err)
	if errors.Is(err, fs.ErrNotExist) {
		text = "the file is gone, or is a link to one that is"
	}
	w.s.fail(t.name, text)
	w.s.shut(t.path)
	at := int64(0)
	if n := len(t.settled); n > 0 {
		at = t.settled[n-1].First + t.settled[n-1].Records
	}
	w.b.mu.Lock()
	defer w.b.mu.Unlock()
	return w.b.put(ctx, event.Span{Object: t.name, Version: t.version, First: at, Size: t.size, Failure: text}, nil, t.known || t.again)
}

// because says for a person why a path cannot be read, without the path.
func because(err error) string {
	var path *fs.PathError
	switch {
	case errors.Is(err, fs.ErrPermission):
		return "permission denied"
	case errors.Is(err, errNoMatch):
		return "nothing matches"
	case errors.Is(err, fs.ErrNotExist):
		return "there is no such file or folder"
	case errors.As(err, &path):
		return path.Op + ": " + path.Err.Error()
	}
	return err.Error()
}

// watch sends batches off that wait too long, until its result is called.
func (w *worker) watch(ctx context.Context) (stop func()) {
	done := make(chan struct{})
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(max(w.s.cfg.BatchWait/4, time.Millisecond))
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				if err := w.b.overdue(ctx); err != nil {
					w.s.cancel(err)
					return
				}
			case <-ctx.Done():
				return
			case <-done:
				return
			}
		}
	}()
	return func() { close(done); <-stopped }
}

// patient reads r until ctx ends, even where r blocks for ever, as a terminal
// does. The goroutine that reads r stays until r answers.
func patient(ctx context.Context, r io.Reader) io.Reader {
	in, out := io.Pipe()
	context.AfterFunc(ctx, func() { in.CloseWithError(context.Cause(ctx)) })
	go func() {
		_, err := io.CopyBuffer(struct{ io.Writer }{out}, struct{ io.Reader }{r}, make([]byte, 128<<10))
		out.CloseWithError(err)
	}()
	return in
}
