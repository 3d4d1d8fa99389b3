package logs

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"
)

// line is a record and when it is of.
type line struct {
	at   time.Time
	text []byte
}

// Log writes lines in order of time into files by their times.
type Log struct {
	dir        string
	layout     string // of the file's path, by time
	start, end time.Time
	pending    []line
	open       string
	file       *os.File
	zip        *gzip.Writer
	out        *bufio.Writer
}

// New is a log of [start, end) below dir, whose files are named by the layout of
// time. Files whose names end in .gz are packed.
func New(dir, layout string, start, end time.Time) *Log {
	return &Log{dir: dir, layout: layout, start: start, end: end}
}

// Add adds a line of a time; one outside the log's days is left out.
func (l *Log) Add(at time.Time, text []byte) {
	if !at.Before(l.start) && at.Before(l.end) {
		l.pending = append(l.pending, line{at, text})
	}
}

// AddJSON adds v as a line of JSON.
func (l *Log) AddJSON(at time.Time, v any) error {
	text, err := json.Marshal(v)
	l.Add(at, text)
	return err
}

// Flush writes what is older than until.
func (l *Log) Flush(until time.Time) error {
	slices.SortStableFunc(l.pending, func(a, b line) int { return a.at.Compare(b.at) })
	n, _ := slices.BinarySearchFunc(l.pending, until, func(x line, t time.Time) int { return x.at.Compare(t) })
	for _, x := range l.pending[:n] {
		if err := l.turn(filepath.Join(l.dir, filepath.FromSlash(x.at.UTC().Format(l.layout)))); err != nil {
			return err
		}
		l.out.Write(x.text) // its first error stays, and Flush tells it
		l.out.WriteByte('\n')
	}
	l.pending = append(l.pending[:0], l.pending[n:]...)
	return nil
}

// turn makes path the file that is written.
func (l *Log) turn(path string) error {
	if path == l.open {
		return nil
	}
	if err := l.close(); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	// A file is written once: a line that came too late for it has to be told.
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	var to io.Writer = f
	l.open, l.file, l.zip = path, f, nil
	if strings.HasSuffix(path, ".gz") {
		l.zip = Packed(f)
		to = l.zip
	}
	l.out = bufio.NewWriterSize(to, 1<<16)
	return nil
}

// Packed is a gzip writer: quick rather than small.
func Packed(to io.Writer) *gzip.Writer {
	z, err := gzip.NewWriterLevel(to, gzip.BestSpeed)
	if err != nil {
		panic(err) // the level is one there is
	}
	return z
}

func (l *Log) close() error {
	if l.file == nil {
		return nil
	}
	errs := []error{l.out.Flush()}
	if l.zip != nil {
		errs = append(errs, l.zip.Close())
	}
	errs = append(errs, l.file.Close())
	l.file, l.open = nil, ""
	return errors.Join(errs...)
}

// Finish writes what is left; err is what ended the writing, if anything did.
func (l *Log) Finish(err error) error {
	if err == nil {
		err = l.Flush(l.end)
	}
	return errors.Join(err, l.close())
}
