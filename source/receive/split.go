package receive

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/yagura-sec/yagura/event"
)

// splitter finds the records of a body that is at hand whole: values in a row,
// one a line or not, or in an array, also in one under Records or its like. A
// broken record never costs the others: it goes on where the next surely begins.
type splitter struct {
	body      []byte
	maxRecord int
	maxDepth  int
	plain     bool // objects are records, whatever they hold

	i      int
	array  bool // inside an array of records
	tailOf int  // where the object around the array ends; 0: there is none, broken: nowhere

	junk int // what is no record, in a row
	lost int // bytes that were looked at for a record's end, and are looked at again
}

// Bounds of what a body of rubbish may cost: after so many rejects in a row, or
// so many bodies of bytes that were looked at in vain, all that is left is one
// reject.
const (
	maxJunk = 1000
	maxLost = 8
)

// broken is the tail of an object that does not end.
const broken = -1

// part is a record of the body, or what is in its place.
type part struct {
	body   []byte
	reason string // why it is none
	offset int
}

func (p part) record(format string) record {
	r := record{body: p.body, format: format, reason: p.reason, size: int64(len(p.body))}
	if r.reason != "" {
		r.body = r.body[:min(len(r.body), event.MaxRejectBody)]
	}
	return r
}

func (s *splitter) skipSpace() {
	if s.i == 0 && bytes.HasPrefix(s.body, []byte("\xef\xbb\xbf")) {
		s.i = 3
	}
	for s.i < len(s.body) {
		switch s.body[s.i] {
		case ' ', '\t', '\r', '\n', ',', 0x1e: // 0x1e sets records apart in JSON text sequences
			s.i++
		default:
			return
		}
	}
}

// next finds the next record; false at the end.
func (s *splitter) next() (part, bool) {
	for {
		s.skipSpace()
		if s.i >= len(s.body) {
			if s.array {
				s.array = false
				return part{reason: "the body ends inside its array of records", offset: s.i}, true
			}
			return part{}, false
		}
		c := s.body[s.i]
		switch {
		case s.array && c == ']':
			s.i++
			s.array = false
			tail := s.tailOf
			s.tailOf = 0
			switch {
			case tail == broken:
				return s.tail(), true
			case tail > 0:
				s.i = tail
			}
			continue
		case !s.array && c == '[':
			s.i++
			s.array = true
			continue
		case !s.array && c == '{' && !s.plain && s.wrapper():
			continue
		}
		p := s.value(c)
		if p.reason == "" {
			s.junk = 0
		} else if s.junk++; s.junk > maxJunk {
			s.i = len(s.body)
			p.body = s.body[p.offset:]
		}
		return p, true
	}
}

// Keys under which an object holds a list of records, as clouds deliver and
// answer them, and objects in which findings lie within. source/file knows the
// same.
var (
	wrapperKeys = []string{"Records", "Events", "records", "Findings", "findings", "listFindingsResults", "EvaluationResults", "value", "data"}
	findingKeys = []string{"findings", "Findings"}
	enclosing   = []string{"detail", "data"}
)

// wrapper goes into an object that holds a list of records.
func (s *splitter) wrapper() bool {
	at := listIn(s.body, s.i, wrapperKeys, enclosing)
	if at < 0 {
		return false
	}
	s.tailOf = broken
	if end, fault := valueEnd(s.body, s.i); fault == "" {
		s.tailOf = end
	}
	s.i = at
	s.array = true
	return true
}

// tail is what follows the records in an object that does not end.
func (s *splitter) tail() part {
	start := s.i
	s.i = s.resume(start)
	return part{s.body[start:s.i], fmt.Sprintf("not valid JSON: the object around an array of records is broken behind it (byte %d of the body)", start), start}
}

// listIn is where the list of records in the object that begins at i begins,
// behind its bracket; -1 where there is none.
func listIn(b []byte, i int, keys, within []string) int {
	first := true
	for i++; ; i++ {
		i = spaceEnd(b, i)
		if i >= len(b) || b[i] != '"' {
			return -1
		}
		end, ok := stringEnd(b, i+1)
		if !ok {
			return -1
		}
		key := string(b[i+1 : end-1])
		if i = spaceEnd(b, end); i >= len(b) || b[i] != ':' {
			return -1
		}
		if i = spaceEnd(b, i+1); i >= len(b) {
			return -1
		}
		// "events" only as the first key: records of Google Workspace have one too.
		if b[i] == '[' && (slices.Contains(keys, key) || first && key == "events") && holdsObjects(b, i+1) {
			return i + 1
		}
		if b[i] == '{' && slices.Contains(within, key) {
			if at := listIn(b, i, findingKeys, nil); at >= 0 {
				return at
			}
		}
		first = false
		if i, ok = behind(b, i); !ok {
			return -1
		}
		if i = spaceEnd(b, i); i >= len(b) || b[i] != ',' {
			return -1
		}
	}
}

// holdsObjects tells whether the array is empty, or its first member an object.
func holdsObjects(b []byte, i int) bool {
	i = spaceEnd(b, i)
	return i < len(b) && (b[i] == '{' || b[i] == ']')
}

// behind is the index behind the value at i.
func behind(b []byte, i int) (int, bool) {
	switch b[i] {
	case '{', '[':
		end, fault := valueEnd(b, i)
		return end, fault == ""
	case '"':
		return stringEnd(b, i+1)
	}
	if k := bytes.IndexAny(b[i:], ",}] \t\r\n"); k > 0 {
		return i + k, true
	}
	return i, false
}

func spaceEnd(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\r' || b[i] == '\n') {
		i++
	}
	return i
}

// value takes the value at i.
func (s *splitter) value(c byte) part {
	start := s.i
	if c != '{' && c != '[' {
		return s.scalar()
	}
	end, fault := valueEnd(s.body, start)
	if fault != "" {
		s.i = s.resume(start)
		if s.lost += max(0, end-s.i); s.lost > maxLost*len(s.body) {
			s.i = len(s.body)
		}
		return part{s.body[start:s.i], fmt.Sprintf("not valid JSON: %s at byte %d of the record (byte %d of the body)", fault, end-start, end), start}
	}
	s.i = end
	p := part{body: s.body[start:end], offset: start}
	switch {
	case end-start > s.maxRecord:
		p.reason = fmt.Sprintf("the record is %d bytes long; the limit is %d (max_record)", end-start, s.maxRecord)
	case c == '[':
		p.reason = "not a record: an array where an object was expected"
	case deeper(p.body, s.maxDepth):
		p.reason = fmt.Sprintf("the record is nested deeper than %d levels (max_depth)", s.maxDepth)
	}
	return p
}

// scalar takes what no record begins with, to the end of its line or, in an
// array, of the value.
func (s *splitter) scalar() part {
	start, stops := s.i, "\n"
	if s.array {
		stops = ",]\n"
	}
	end := len(s.body)
	if s.array && s.body[start] == '"' {
		end, _ = stringEnd(s.body, start+1) // or the end of the line
	} else if k := bytes.IndexAny(s.body[start:], stops); k >= 0 {
		end = start + k
	}
	s.i = max(end, start+1)
	text := s.body[start:s.i]
	return part{text, fmt.Sprintf("not a record: %q where an object was expected (byte %d of the body)", text[:min(len(text), 40)], start), start}
}

// resume is where the next record begins behind a broken one: at the line that
// begins with {, or nowhere.
func (s *splitter) resume(start int) int {
	from := start + 1
	if k := bytes.Index(s.body[from:], []byte("\n{")); k >= 0 {
		return from + k + 1
	}
	return len(s.body)
}

// valueEnd is where the object or array that begins at i ends. Of what is wrong
// it finds what decides where a record ends; the normaliser finds the rest. With
// a fault, end is where it was seen.
func valueEnd(b []byte, i int) (end int, fault string) {
	var short [64]byte
	stack := short[:0]
	for i < len(b) {
		switch c := b[i]; c {
		case '"':
			e, ok := stringEnd(b, i+1)
			if !ok {
				return e, "a string does not end"
			}
			i = e
			continue
		case '{', '[':
			if len(stack) > 0 && !mayOpen(b[:i]) {
				return i, fmt.Sprintf("unexpected %q", c)
			}
			stack = append(stack, c)
		case '}', ']':
			if stack[len(stack)-1] != c-2 { // { is } - 2, [ is ] - 2
				return i, fmt.Sprintf("%q closes %q", c, stack[len(stack)-1])
			}
			stack = stack[:len(stack)-1]
			if len(stack) == 0 {
				return i + 1, ""
			}
		}
		i++
	}
	return len(b), "the body ends inside it"
}

// mayOpen tells whether a bracket may follow b. Where none may, an earlier one
// was lost, and this is often the first byte of the next record.
func mayOpen(b []byte) bool {
	for i := len(b) - 1; i >= 0; i-- {
		switch b[i] {
		case ' ', '\t', '\r', '\n':
		case ':', ',', '[':
			return true
		default:
			return false
		}
	}
	return false
}

// stringEnd is the index behind the closing quote of the string whose text
// begins at i. A line that ends inside a string is the surest sign that a quote
// was lost.
func stringEnd(b []byte, i int) (end int, ok bool) {
	for i < len(b) {
		k := bytes.IndexByte(b[i:], '"')
		if k < 0 {
			k = len(b) - i
		}
		seg := b[i : i+k]
		if nl := bytes.IndexByte(seg, '\n'); nl >= 0 {
			return i + nl, false
		}
		i += k
		if i == len(b) {
			return i, false
		}
		slashes := 0
		for slashes < k && seg[k-1-slashes] == '\\' {
			slashes++
		}
		i++
		if slashes%2 == 0 {
			return i, true
		}
	}
	return i, false
}

// deeper tells whether a value that is whole nests deeper than so many levels.
func deeper(b []byte, most int) bool {
	if len(b) < 2*most { // it has not enough brackets
		return false
	}
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			end, _ := stringEnd(b, i+1)
			i = end - 1
		case '{', '[':
			if depth++; depth > most {
				return true
			}
		case '}', ']':
			depth--
		}
	}
	return false
}
