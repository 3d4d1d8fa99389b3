package file

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/texttable"
)

// The containers that can be forced; Auto finds out by content.
const (
	Auto    = ""        // whatever it is, also several in a row
	Records = "records" // {"Records":[…]} or another list of wrapperKeys, and nothing else
	Array   = "array"   // [record, …]
	JSONL   = "jsonl"   // one record a line, never unwrapped
	JSON    = "json"    // records in a row, over lines as they like, never unwrapped
	// and those of text: Zeek, CSV, Lines
)

// item is one record of an object, readable or not.
type item struct {
	body   []byte // valid until the next call; of a rejected record at most event.MaxRejectBody
	size   int64
	reason string // why it is rejected; empty: it is a record
	// end is the offset behind it from which reading can start again; -1 inside
	// a container. Of a record cut off by the end of the input it is its start.
	end int64
}

type place byte

const (
	atStart place = iota // nothing was looked at
	atTop                // between values
	inArray              // between the elements of an array of records
	inTail               // in a wrapper, behind its array
	inTable              // in a table or lines of text
	atEnd
)

// splitter finds the records of one object: a row of values, each a record, an
// array of records or a wrapper around such an array. It holds no more than one
// record in memory. It never gives up an object for one broken record: it goes
// on where the next one surely begins.
type splitter struct {
	window
	form     string
	resumed  bool // the input begins in the middle of an object known to be records
	growing  bool // the input may get longer: a cut-off last record is left unread
	unsettle bool // growing, and also a last record without a newline is left

	place    place
	wrapped  bool // the array is inside an object
	found    int64
	readable int64
	junk     int    // lines in a row that are not JSON
	key      []byte // the first key of the last readable record, in quotes

	table *texttable.Table  // nil: it is JSON
	known func([]byte) bool // see Config.Known
	out   []byte            // the object made of a row
	line  int64             // lines so far between values, or of the table
	from  int64             // where in the object this reading began

	whole     bool   // the object is one reject, because nothing in it is JSON
	held      bool   // something at the end was left for later
	contained bool   // an array or wrapper was found
	failure   string // why the object could not be read to its end
	limit     bool   // the failure is one of our limits or of the disk, not of the content
	// onContainer may refuse an array or wrapper, which ends the splitting.
	onContainer func() bool
}

// maxJunk is how many lines in a row may each become a reject; what follows
// until a line starts with { is one.
const maxJunk = 1000

// aheadWindow is how far a file that begins unlike JSON is searched for a line
// that begins like it.
const aheadWindow = 256 << 10

func (s *splitter) reset(r io.Reader, form string) {
	s.window.reset(r)
	*s = splitter{window: s.window, form: form, key: s.key[:0], known: s.known, out: s.out}
	s.lines = form == JSONL
}

// next finds the next record, or tells that there are no more.
func (s *splitter) next() (item, bool) {
	for {
		var it item
		var ok bool
		switch s.place {
		case atStart:
			it, ok = s.first()
		case atTop:
			it, ok = s.top()
		case inArray:
			it, ok = s.element()
		case inTail:
			it, ok = s.tail()
		case inTable:
			it, ok = s.row()
		default:
			return item{}, false
		}
		if ok {
			s.found++
			if it.reason == "" {
				s.readable++
				s.junk = 0
			}
			return it, true
		}
	}
}

// first looks at how the object begins.
func (s *splitter) first() (item, bool) {
	s.begin()
	s.place = atTop
	b := s.peek(4)
	if bytes.HasPrefix(b, []byte("\xef\xbb\xbf")) {
		s.i += 3
		s.start = s.i
	}
	for _, m := range []string{"\xff\xfe", "\xfe\xff", "{\x00", "[\x00", "\x00{", "\x00["} {
		if bytes.HasPrefix(b, []byte(m)) {
			return s.rest("not JSON in UTF-8: the text is UTF-16 or UTF-32; convert it to UTF-8"), true
		}
	}
	if s.table == nil && (s.form == Zeek || s.form == CSV || s.form == Lines) {
		s.table = texttable.New(s.form)
	}
	if s.table != nil {
		s.place = inTable
	}
	return item{}, false
}

// space skips white space and separators; false at the end of the input.
func (s *splitter) space() (byte, bool) {
	for {
		for s.i < s.end {
			c := s.buf[s.i]
			if !isSpace(c) && c != ',' && c != 0x1e { // 0x1e sets records apart in JSON text sequences
				s.start = s.i
				return c, true
			}
			if c == '\n' {
				s.line++
			}
			s.i++
		}
		s.start = s.i
		if !s.more() {
			return 0, false
		}
	}
}

// finish notes what ended the input.
func (s *splitter) finish() {
	s.place = atEnd
	if s.err != nil && s.err != io.EOF && s.failure == "" {
		s.failure, s.limit = describe(s.err)
	}
}

func (s *splitter) top() (item, bool) {
	s.begin()
	c, ok := s.space()
	if !ok {
		s.finish()
		return item{}, false
	}
	switch {
	case c == '[' && (s.form == Auto || s.form == Array):
		if s.enter() {
			s.i++
			s.wrapped = false
		}
		return item{}, false
	case c == '{' || c == '[':
		return s.topValue(c)
	}
	return s.notJSON()
}

// enter goes into an array, if it may.
func (s *splitter) enter() bool {
	s.contained = true
	if s.onContainer != nil && !s.onContainer() {
		s.held = true
		s.place = atEnd
		return false
	}
	s.place = inArray
	return true
}

func (s *splitter) topValue(c byte) (item, bool) {
	s.wrappers = c == '{' && (s.form == Auto || s.form == Records)
	v := s.value()
	s.wrappers = false
	switch v {
	case scanArray:
		s.wrapped = true
		s.enter()
		return item{}, false
	case scanEnd:
		return s.cutOff()
	case scanBroken:
		return s.badTop(), true
	}
	if s.unsettle && s.i == s.end && !s.more() && s.err == io.EOF {
		return s.hold()
	}
	if s.i < s.end || s.more() {
		if next := s.buf[s.i]; !s.newline && (next == '\n' || next == '\r') {
			s.lines = true
		}
	}
	it := s.take(s.judge(c))
	it.end = s.offset()
	return it, true
}

// judge is why a value that is whole is not a record; empty if it is one.
func (s *splitter) judge(c byte) string {
	switch {
	case s.size() > int64(s.maxRecord):
		return fmt.Sprintf("the record is %d bytes long; the limit is %d (max_record)", s.size(), s.maxRecord)
	case s.deep:
		return fmt.Sprintf("the record is nested deeper than %d levels (max_depth)", s.maxDepth)
	case c != '{':
		return "not a record: " + startsWith(s.buf[s.start:s.i]) + " where an object was expected"
	case s.place == atTop && s.form == Records:
		return "the object holds no Records array, and the input format was said to be records"
	case s.place == atTop && s.form == Array:
		return "the record is not inside an array, and the input format was said to be array"
	}
	return ""
}

// current is what is at hand of the value from its start, at least the bytes
// before i; of a large one its head.
func (s *splitter) current() []byte {
	if len(s.head) > 0 {
		return s.head
	}
	return s.buf[s.start:min(s.end, s.i+64)]
}

// take makes an item of what lies between start and i.
func (s *splitter) take(reason string) item {
	it := item{size: s.size(), reason: reason, end: -1}
	if s.skipping {
		s.save(s.buf[s.start:s.i])
		it.body = s.head
	} else {
		it.body = s.buf[s.start:s.i]
	}
	if reason != "" {
		it.body = trimSpaceRight(it.body[:min(len(it.body), event.MaxRejectBody)])
	} else {
		s.keepKey(it.body)
	}
	s.start = s.i
	return it
}

// keepKey remembers how records of this object begin.
func (s *splitter) keepKey(body []byte) {
	if len(s.key) > 0 && bytes.HasPrefix(body[1:], s.key) {
		return
	}
	if k := firstKey(body); k != nil {
		s.key = append(s.key[:0], k...)
	}
}

// firstKey is the first key of an object, in its quotes; nil where there is none.
func firstKey(body []byte) []byte {
	if len(body) == 0 || body[0] != '{' {
		return nil
	}
	b := bytes.TrimLeft(body[1:min(len(body), 256)], " \t\r\n")
	if len(b) == 0 || b[0] != '"' {
		return nil
	}
	if n := bytes.IndexByte(b[1:], '"'); n > 0 {
		return b[:n+2]
	}
	return nil
}

// hold leaves the value for a later reading.
func (s *splitter) hold() (item, bool) {
	s.held = true
	s.finish()
	return item{}, false
}

// cutOff is the record that the end of the input cuts off.
func (s *splitter) cutOff() (item, bool) {
	if s.place == atTop && s.growing && s.err == io.EOF {
		return s.hold()
	}
	start := s.offset() - s.size()
	s.i = s.end
	limit := false
	if s.err != io.EOF {
		_, limit = describe(s.err)
	}
	if limit {
		// It may be whole, and is left for a reading with another limit.
		s.finish()
		return item{}, false
	}
	place := s.place
	if s.err != io.EOF || place != atTop {
		s.failure = fmt.Sprintf("the file ends in the middle of a record, at byte %d", s.offset())
		if s.err != io.EOF {
			s.failure, _ = describe(s.err)
		}
	}
	if place == atTop && s.found == 0 && s.err == io.EOF && !s.resumed && !bytes.Contains(s.current(), []byte(`"`)) {
		it := s.take("not JSON: " + startsWith(s.current()))
		s.finish()
		return it, true
	}
	it := s.take(fmt.Sprintf("the record is cut off: the input ends after %d bytes of it, at byte %d", s.size(), s.offset()))
	if place == atTop {
		it.end = start
	}
	s.finish()
	return it, true
}

// why puts the fault at i into words.
func (s *splitter) why() string {
	return fmt.Sprintf("not valid JSON: %s at byte %d of the record (byte %d of the content)", s.fault, s.size(), s.offset())
}

// badTop is a value between others that is not JSON. It ends with its line, or,
// where records span lines, before the next line that starts with a bracket.
func (s *splitter) badTop() item {
	why := s.why()
	if b := bytes.TrimRight(s.buf[s.start:s.i], " \t"); len(b) > 0 && b[len(b)-1] == '\n' && s.buf[s.i] == '{' {
		return s.taken(why)
	}
	if s.readable == 0 && !s.resumed && !s.jsonAhead() {
		return s.rest("not JSON: " + startsWith(s.current()) + fmt.Sprintf(", %s at byte %d", s.fault, s.offset()))
	}
	for s.nextLine() {
		if s.lines || s.buf[s.i] == '{' || s.buf[s.i] == '[' {
			break
		}
	}
	return s.taken(why)
}

func (s *splitter) taken(why string) item {
	it := s.take(why)
	it.end = s.offset()
	return it
}

// nextLine moves i behind the next newline; false at the end of the input.
func (s *splitter) nextLine() bool {
	for {
		if k := bytes.IndexByte(s.buf[s.i:s.end], '\n'); k >= 0 {
			s.i += k + 1
			return s.i < s.end || s.more()
		}
		s.i = s.end
		if !s.more() {
			return false
		}
	}
}

// notJSON is something between values that no value starts with.
func (s *splitter) notJSON() (item, bool) {
	if s.form == Auto && s.found == 0 && s.from == 0 && s.recogniseTable() {
		return item{}, false
	}
	if s.readable == 0 && s.junk == 0 && !s.resumed && !s.jsonAhead() {
		if s.growing && s.end-s.i < aheadWindow && s.err == io.EOF &&
			(bytes.IndexByte(s.buf[s.i:s.end], '\n') < 0 || s.known != nil && texttable.Begun(s.buf[s.i:s.end])) {
			return s.hold()
		}
		return s.rest("not JSON: " + startsWith(s.buf[s.i:s.end])), true
	}
	why := "not JSON: the line " + startsWith(s.peek(80))
	s.junk++
	whole := s.nextLine()
	for whole && s.junk > maxJunk && s.buf[s.i] != '{' {
		whole = s.nextLine()
	}
	if !whole && s.growing && s.err == io.EOF && s.buf[s.i-1] != '\n' {
		return s.hold()
	}
	return s.taken(why), true
}

// jsonAhead tells whether a line not far ahead starts like a record.
func (s *splitter) jsonAhead() bool {
	b := s.peek(aheadWindow)
	for {
		k := bytes.Index(b, []byte("\n{"))
		if k < 0 {
			return false
		}
		b = b[k+2:]
		if t := bytes.TrimLeft(b, " \t\r\n"); len(t) > 0 && t[0] == '"' {
			return true
		}
	}
}

// rest makes one item of everything up to the end.
func (s *splitter) rest(why string) item {
	for s.i = s.end; s.more(); s.i = s.end {
		s.skipping = true
	}
	it := s.take(why)
	s.whole = s.found == 0
	s.finish()
	return it
}

func (s *splitter) element() (item, bool) {
	s.begin()
	c, ok := s.space()
	if !ok {
		if s.err == io.EOF {
			s.failure = fmt.Sprintf("the file ends inside its array of records, at byte %d", s.offset())
		}
		s.finish()
		return item{}, false
	}
	if c == ']' {
		s.i++
		s.leave()
		return item{}, false
	}
	v := scanBroken
	switch {
	case c == '{' || c == '[':
		v = s.value()
	case c == '"' || classes[c] == classPlain && c != ':':
		v = s.scalar(c)
	default:
		s.fault = fmt.Sprintf("unexpected %q", c)
	}
	switch v {
	case scanEnd:
		return s.cutOff()
	case scanBroken:
		return s.badElement(), true
	}
	return s.take(s.judge(c)), true
}

// leave goes behind the array of records.
func (s *splitter) leave() {
	s.place = atTop
	if s.wrapped {
		s.place = inTail
		s.begin()
		s.depth = s.inside
		for i := range min(s.depth, len(s.stack)) {
			s.stack[i] = '{'
		}
	}
}

// tail goes over what a wrapper holds behind its array.
func (s *splitter) tail() (item, bool) {
	s.wrappers, s.skipping = true, true
	v := s.goOn()
	s.wrappers = false
	switch v {
	case scanDone:
		s.place = atTop
	case scanArray:
		s.place = inArray
	case scanBroken:
		return s.badElement(), true
	default:
		if s.err == io.EOF {
			s.failure = fmt.Sprintf("the file ends inside the object around its records, at byte %d", s.offset())
		}
		s.finish()
	}
	return item{}, false
}

// scalar goes over a string, number or word.
func (s *splitter) scalar(c byte) verdict {
	s.i++
	for {
		b := s.buf[:s.end]
		if c == '"' {
			for s.i = stringStop(b, s.i); s.i+1 < len(b) && b[s.i] != '"' && b[s.i] != '\n'; {
				if b[s.i] == '\\' {
					s.i++
				}
				s.i = stringStop(b, s.i+1)
			}
			if s.i < len(b) && b[s.i] == '"' {
				s.i++
				return scanDone
			}
			if s.i < len(b) && b[s.i] == '\n' {
				s.fault = "a line ends inside a string"
				return scanBroken
			}
		} else {
			for ; s.i < len(b); s.i++ {
				if c := b[s.i]; c == ',' || isSpace(c) || classes[c] != classPlain {
					if !s.skipping && json.Valid(b[s.start:s.i]) {
						return scanDone
					}
					s.fault = fmt.Sprintf("unexpected %q", c)
					return scanBroken
				}
			}
		}
		if !s.more() {
			return scanEnd
		}
	}
}

// badElement is an element that is not JSON. It ends where an object begins
// behind a comma with the key that records here begin with; inside a string the
// key's quotes would be escaped. Without such a place it takes all the rest.
func (s *splitter) badElement() item {
	why := s.why()
	s.peek(64)
	key := s.key
	if len(key) == 0 {
		key = bytes.Clone(firstKey(s.current()))
	}
	if len(key) == 0 && s.readable == 0 && s.found == 0 && !s.wrapped {
		return s.rest("not JSON: " + startsWith(append([]byte("["), s.current()...)) + fmt.Sprintf(", %s at byte %d", s.fault, s.offset()))
	}
	from := s.offset()
	// A lost quote shows only behind the next one: the next record's key may be just before i.
	s.i = max(s.start+min(1, s.i-s.start), s.i-64)
	for len(key) > 0 {
		k := bytes.Index(s.buf[s.i:s.end], key)
		if k < 0 {
			s.i = max(s.i, s.end-len(key)+1)
			if !s.more() {
				break
			}
			continue
		}
		if at := recordBefore(s.buf[s.start:s.i+k], s.place == inTail); at > 0 {
			s.i = s.start + at
			s.place = inArray
			return s.take(why)
		}
		s.i += k + len(key)
	}
	s.failure = fmt.Sprintf("not valid JSON from byte %d on, and no next record can be found", from)
	return s.rest(why)
}

// recordBefore is the index of the { that b ends in, if a comma is before it; else 0.
func recordBefore(b []byte, tail bool) int {
	b = trimSpaceRight(b)
	if len(b) < 2 || b[len(b)-1] != '{' {
		return 0
	}
	at := len(b) - 1
	if c := lastBefore(b[:at]); c == ',' || c == 0 && tail {
		return at
	}
	return 0
}

// startsWith says for a person how b begins.
func startsWith(b []byte) string {
	for magic, what := range magics {
		if strings.HasPrefix(string(b[:min(len(b), 8)]), magic) {
			return "it is " + what
		}
	}
	const shown = 40
	text := b[:min(len(b), shown)]
	if k := bytes.IndexByte(text, '\n'); k > 0 {
		text = text[:k]
	}
	for range 3 { // a rune cut in two is not a sign of binary data
		if r, n := utf8.DecodeLastRune(text); r != utf8.RuneError || n != 1 {
			break
		}
		text = text[:len(text)-1]
	}
	if !utf8.Valid(text) || bytes.IndexByte(text, 0) >= 0 {
		return fmt.Sprintf("it starts with the bytes % x", b[:min(len(b), 12)])
	}
	return fmt.Sprintf("it starts with %q", text)
}

// magics are first bytes of files people have lying beside logs.
var magics = map[string]string{
	"\x89PNG\r\n":      "a PNG image",
	"\xff\xd8\xff":     "a JPEG image",
	"%PDF-":            "a PDF document",
	"PK\x03\x04":       "a zip archive; unpack it first",
	"BZh":              "compressed with bzip2; unpack it first",
	"\xfd7zXZ\x00":     "compressed with xz; unpack it first",
	"\x1f\x8b":         "gzip inside the compression; unpack it once",
	"\x28\xb5\x2f\xfd": "zstd inside the compression; unpack it once",
	"PAR1":             "a Parquet file",
	"SQLite f":         "an SQLite database",
	"\x7fELF":          "a program",
}
