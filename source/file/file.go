// Package file reads records from files, folders, globs and standard input.
//
//	type: file
//	paths: [/var/log/cloudtrail, "exports/*.json.gz"]
//	follow: true
//	format: aws.cloudtrail
//
// Compression and container are recognised by content, never by name. Reading
// streams: what is held is the current record and the batches on their way.
// Records are JSON; of text, Zeek's tables are, and rows of CSV and lines that are
// of a format that is read: each becomes a JSON object.
//
// A file is known by its absolute path, and its version is its size and time:
// asking costs no reading. A plain file that grew since goes on where it ended,
// under its first version, if it begins as it did. SHA-256 is computed of
// objects with _CloudTrail in their name, and of digest files: no other can
// ever be checked against a digest.
package file

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/source"
)

// Config says what is read and how. The zero value of a limit is its default.
type Config struct {
	// Paths are files, folders (read with all below), globs, or "-" for Stdin.
	Paths []string
	// Format is what the records are ("aws.cloudtrail"); empty: to be recognised later.
	Format string
	// InputFormat forces the container: Records, Array, JSONL, JSON, Zeek, CSV or Lines.
	InputFormat string
	// Known tells whether a record, made of a line or a row of text, is of a format
	// that is read: then the text is read as such. Text that it does not know is not
	// JSON. Nil: of text only Zeek's logs are recognised.
	Known func(record []byte) bool
	// Follow goes on for new, growing and rotated files until the context ends.
	// Compressed files and arrays are read once they rest for two polls. Growth
	// of a file that rested for a minute may be seen a minute later.
	Follow bool
	Poll   time.Duration // between two looks while following; default 1 s
	Reread bool          // read also what is settled

	MaxDecompressed int64 // bytes that may come out of a compressed object; default 16 GiB
	MaxRatio        int64 // decompressed by stored bytes, looked at from 256 MiB on; default 250
	MaxRecord       int   // bytes of a record; default 16 MiB
	MaxDepth        int   // levels of nesting in a record; default 64

	Parallel     int           // files read at once, and batches on their way; default 2
	BatchRecords int           // records after which a batch closes; default 20,000
	BatchBytes   int           // bytes of records after which a batch closes; default 32 MB
	BatchWait    time.Duration // how long a record of a slow input waits in a batch; default 1 s

	Settled source.Settled // nil: nothing is settled
	Listed  source.Listed  // nil: nobody wants to know
	Now     func() time.Time
	Stdin   io.Reader
}

var _ source.Source = (*Source)(nil)

// Source reads files.
type Source struct {
	cfg     Config
	deliver source.Deliver
	cancel  context.CancelCauseFunc
	flight  chan struct{} // one for each batch on its way
	sends   sync.WaitGroup
	attempt string // of the batches of a re-read

	ratioFrom int64

	mu     sync.Mutex // guards the three below
	stats  Stats
	known  map[inode]*memory // while following: how far a file was read
	closed map[string]bool   // while following: paths that could not be opened, and were said to be so
}

// Stats counts what one Run did.
type Stats struct {
	Objects        int64 // found
	AlreadySettled int64 // not read, because every record of them is accounted for
	Read           int64 // opened and read, whole or in part
	Digests        int64
	Skipped        int64     // beside the logs: neither JSON nor named like a log
	Failed         int64     // not readable, not to their end, or not there
	Failures       []Failure // the first maxFailures of them
	Records        int64     // delivered, rejects with them
	Rejects        int64
	Bytes          int64 // of the objects read, as stored
}

// A Failure is an object that could not be read, or not to its end; or a path
// that does not exist.
type Failure struct{ Object, Reason string }

// maxFailures is how many failures are kept: the ledger has all of them.
const maxFailures = 1000

func (s *Source) fail(object, reason string) {
	s.count(func(st *Stats) {
		st.Failed++
		if len(st.Failures) < maxFailures {
			st.Failures = append(st.Failures, Failure{object, reason})
		}
	})
}

// New checks the configuration and opens nothing.
func New(cfg Config) (*Source, error) {
	if len(cfg.Paths) == 0 {
		return nil, errors.New("file: no path is given")
	}
	for i, p := range cfg.Paths {
		if p == "" {
			return nil, errors.New("file: a path is empty")
		}
		if _, err := filepath.Match(p, ""); err != nil {
			return nil, fmt.Errorf("file: path %q: %w", p, err)
		}
		if p == stdinName && (slices.Contains(cfg.Paths[:i], p) || cfg.Stdin == nil) {
			return nil, errors.New(`file: "-" needs a standard input, and can be read once`)
		}
	}
	if cfg.Follow && slices.Contains(cfg.Paths, stdinName) {
		return nil, errors.New("file: standard input ends when it ends, and cannot be followed")
	}
	if !slices.Contains([]string{Auto, Records, Array, JSONL, JSON, Zeek, CSV, Lines}, cfg.InputFormat) {
		return nil, fmt.Errorf("file: input format %q is none of records, array, jsonl, json, zeek, csv, lines", cfg.InputFormat)
	}
	if cfg.Poll < 0 || cfg.BatchWait < 0 || cfg.MaxDecompressed < 0 || cfg.MaxRatio < 0 || cfg.MaxRecord < 0 ||
		cfg.MaxDepth < 0 || cfg.Parallel < 0 || cfg.BatchRecords < 0 || cfg.BatchBytes < 0 {
		return nil, errors.New("file: a limit is negative")
	}
	cfg.Poll = cmp.Or(cfg.Poll, time.Second)
	cfg.BatchWait = cmp.Or(cfg.BatchWait, time.Second)
	cfg.MaxDecompressed = cmp.Or(cfg.MaxDecompressed, 16<<30)
	cfg.MaxRatio = cmp.Or(cfg.MaxRatio, 250)
	cfg.MaxRecord = cmp.Or(cfg.MaxRecord, 16<<20)
	cfg.MaxDepth = cmp.Or(cfg.MaxDepth, 64)
	cfg.Parallel = cmp.Or(cfg.Parallel, 2)
	cfg.BatchRecords = cmp.Or(cfg.BatchRecords, 20_000)
	cfg.BatchBytes = cmp.Or(cfg.BatchBytes, 32_000_000)
	if cfg.Now == nil {
		return nil, errors.New("file: no clock is given")
	}
	if cfg.Settled == nil {
		cfg.Settled = func(context.Context, string) ([]source.Progress, error) { return nil, nil }
	}
	if cfg.Listed == nil {
		cfg.Listed = func(context.Context, []event.Object) error { return nil }
	}
	return &Source{cfg: cfg, ratioFrom: ratioFrom}, nil
}

// Stats tells what was done so far. It may be called while Run runs.
func (s *Source) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.stats
	st.Failures = slices.Clone(st.Failures)
	return st
}

func (s *Source) count(f func(*Stats)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(&s.stats)
}

// Run reads everything and returns nil once all of it is acknowledged; while
// following it goes on until ctx ends. An object that cannot be read, or not to
// its end, is a span with its failure. A path that does not exist is no object
// and has no span: it is in Stats.Failures. Only what concerns all of them ends
// Run: that no path exists, unless it follows, and errors of deliver, Settled and
// Listed. It may be called once.
func (s *Source) Run(ctx context.Context, deliver source.Deliver) (err error) {
	run, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s.deliver, s.cancel = deliver, cancel
	s.flight = make(chan struct{}, s.cfg.Parallel)
	s.known, s.closed = map[inode]*memory{}, map[string]bool{}
	if s.cfg.Reread {
		s.attempt = "reread " + s.cfg.Now().UTC().Format(time.RFC3339Nano)
	}
	defer func() {
		s.sends.Wait()
		if cause := context.Cause(run); cause != nil {
			err = cause
		}
		if ctx.Err() != nil && err == context.Cause(ctx) {
			err = ctx.Err()
		}
	}()
	if s.cfg.Follow {
		return s.follow(run)
	}
	found, missing := list(s.cfg.Paths, s.cfg.Now())
	if len(missing) == len(s.cfg.Paths) {
		return nowhere(missing)
	}
	for _, m := range missing {
		s.fail(m.Object, m.Reason)
	}
	return s.read(run, found)
}

// nowhere is the error when none of the paths leads to anything: slips of the pen.
func nowhere(missing []Failure) error {
	var errs []error
	for _, m := range missing {
		errs = append(errs, fmt.Errorf("path %q: %s", m.Object, m.Reason))
	}
	return errors.Join(errs...)
}

// read reads the targets with several workers and hands over all of them. It
// does not wait for the last acknowledgements.
func (s *Source) read(ctx context.Context, found []*target) error {
	todo, err := s.list(ctx, found)
	if err != nil {
		return err
	}
	queue := make(chan *target, 256) // small objects are read faster than goroutines take turns
	var wg sync.WaitGroup
	for range min(s.cfg.Parallel, len(todo)) {
		wg.Go(func() {
			if err := s.work(ctx, queue); err != nil {
				s.cancel(err)
			}
		})
	}
	for _, t := range todo {
		select {
		case queue <- t:
			continue
		case <-ctx.Done():
		}
		break
	}
	close(queue)
	wg.Wait()
	return context.Cause(ctx)
}

// listChunk is how many objects are listed at once.
const listChunk = 1000

// list finds out what is known of the targets, lists those that are to be read,
// and returns them.
func (s *Source) list(ctx context.Context, found []*target) ([]*target, error) {
	var todo []*target
	var objects []event.Object
	flush := func() error {
		if len(objects) == 0 {
			return nil
		}
		if err := s.cfg.Listed(ctx, objects); err != nil {
			return fmt.Errorf("list %d objects: %w", len(objects), err)
		}
		objects = nil
		return nil
	}
	for _, t := range found {
		if err := context.Cause(ctx); err != nil {
			return nil, err
		}
		if err := s.plan(ctx, t); err != nil {
			return nil, err
		}
		if fresh := !t.again && !t.unsteady; fresh {
			s.count(func(st *Stats) { st.Objects++ })
		}
		if t.done {
			if !t.again && !t.unsteady {
				s.count(func(st *Stats) { st.AlreadySettled++ })
			}
			continue
		}
		todo = append(todo, t)
		if !t.again && !t.unsteady { // what may still be written has no version yet
			objects = append(objects, event.Object{Name: t.name, Version: t.version, Size: t.size})
		}
		if len(objects) == listChunk {
			if err := flush(); err != nil {
				return nil, err
			}
		}
	}
	return todo, flush()
}

// stdinName is the path and the object name of standard input.
const stdinName = "-"

func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return filepath.Clean(path) // the working folder is gone: as good as can be
}
