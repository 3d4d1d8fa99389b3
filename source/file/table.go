package file

import (
	"bytes"
	"fmt"
	"io"

	"github.com/yagura-sec/yagura/internal/texttable"
)

// Containers of text. Each record becomes a JSON object: {column: value} of a
// row, {"line": "…"} of a line.
const (
	Zeek  = texttable.Zeek  // Zeek's tab-separated logs
	CSV   = texttable.CSV   // a line of column names, and rows
	Lines = texttable.Lines // every line that is not blank is a record
)

// recogniseTable goes on with the text at i as a table or as lines, if it is one
// of those that are read.
func (s *splitter) recogniseTable() bool {
	for {
		t, wait := texttable.Recognise(s.buf[s.i:s.end], s.err != nil, s.known)
		if t != nil {
			s.table, s.place = t, inTable
			return true
		}
		if !wait || !s.more() {
			return false
		}
	}
}

// resumeTable goes on in the middle of an object that begins with head.
func (s *splitter) resumeTable(head []byte) {
	switch s.form {
	case Auto:
		s.table, _ = texttable.Recognise(head, true, s.known)
	case Zeek, CSV, Lines:
		s.table = texttable.New(s.form)
	}
	if s.table != nil {
		s.table.Feed(head)
	}
}

// row finds the next record of a table or of lines.
func (s *splitter) row() (item, bool) {
	for {
		s.begin()
		s.line++
		if !s.nextLine() && s.i == s.start {
			s.finish()
			return item{}, false
		}
		whole := s.buf[s.i-1] == '\n'
		if !whole && s.err != io.EOF {
			return s.cutOffRow()
		}
		if blank := !s.skipping && len(bytes.TrimSpace(s.buf[s.start:s.i])) == 0; blank {
			continue
		}
		if !whole && s.growing {
			return s.hold()
		}
		if s.size() > int64(s.maxRecord) {
			return s.rejectRow(fmt.Sprintf("it is %d bytes long; the limit is %d (max_record)", s.size(), s.maxRecord)), true
		}
		n, wait := s.quoted()
		if wait {
			return s.hold()
		}
		if n > 0 && s.spanning(n) {
			return s.takeRow(), true
		}
		out, ok, reason := s.table.Append(s.out[:0], s.buf[s.start:s.i])
		s.out = out
		switch {
		case reason == "" && len(out) > s.maxRecord:
			reason = fmt.Sprintf("as JSON it is %d bytes long; the limit is %d (max_record)", len(out), s.maxRecord)
			fallthrough
		case reason != "":
			return s.rejectRow(reason), true
		case ok:
			return s.takeRow(), true
		}
	}
}

// quoted is the length of a record of CSV that goes on behind its first line; 0
// where it does not. Wait: its end is still to be written.
func (s *splitter) quoted() (n int, wait bool) {
	if s.table.Kind() != CSV || !s.table.Headed() {
		return 0, false
	}
	var q texttable.Quotes
	at, most := s.i-s.start, min(texttable.MaxQuoted, s.maxRecord)
	if q.End(s.buf[s.start:s.i]); !q.Inside() {
		return 0, false
	}
	for at < most {
		to := min(s.end, s.start+most)
		if k := q.End(s.buf[s.start+at : to]); k >= 0 {
			return at + k, false
		}
		at = to - s.start
		if at < most && !s.more() {
			if s.err == io.EOF && s.growing {
				return 0, true
			}
			if s.err == io.EOF && !q.Inside() {
				return at, false
			}
			break
		}
	}
	return 0, false
}

// spanning tries the n bytes from the start as one record. If they are none, the
// quote that is open at the end of the first line was not meant to be one.
func (s *splitter) spanning(n int) bool {
	text := s.buf[s.start : s.start+n]
	out, ok, reason := s.table.Append(s.out[:0], text)
	s.out = out
	if !ok || reason != "" || len(out) > s.maxRecord {
		return false
	}
	s.line += int64(bytes.Count(s.buf[s.i:s.start+n], []byte("\n")))
	s.i = s.start + n
	return true
}

func (s *splitter) takeRow() item {
	it := item{body: s.out, size: s.size(), end: s.rowEnd()}
	s.start = s.i
	return it
}

// rowEnd is where reading can go on behind a row: nowhere behind a second header,
// because only the first is looked at then.
func (s *splitter) rowEnd() int64 {
	if s.table.Changed() {
		return -1
	}
	return s.offset()
}

// rejectRow is a line that is no record, as it stands there.
func (s *splitter) rejectRow(why string) item {
	where := fmt.Sprintf("line %d: ", s.line)
	if s.resumed && s.from > 0 { // lines are not counted across readings
		where = fmt.Sprintf("the line before byte %d: ", s.from+s.offset())
	}
	it := s.take(where + why)
	it.end = s.rowEnd()
	return it
}

// cutOffRow is the line in which the reading broke off.
func (s *splitter) cutOffRow() (item, bool) {
	text, limit := describe(s.err)
	if limit || s.size() == 0 {
		s.finish() // with another limit it may be whole
		return item{}, false
	}
	s.failure = text
	it := s.take(fmt.Sprintf("line %d: cut off after %d bytes: %s", s.line, s.size(), text))
	s.finish()
	return it, true
}

// headOf reads as much of the object's beginning as a header may take; nothing of
// an object that begins like JSON.
func headOf(r io.ReaderAt) []byte {
	first := make([]byte, 64)
	n, _ := r.ReadAt(first, 0) // what cannot be read shows when it is read on
	if t := bytes.TrimLeft(bytes.TrimPrefix(first[:n], []byte("\xef\xbb\xbf")), " \t\r\n"); len(t) > 0 && (t[0] == '{' || t[0] == '[') {
		return nil
	}
	head := make([]byte, aheadWindow)
	n, _ = r.ReadAt(head, 0)
	return head[:n]
}
