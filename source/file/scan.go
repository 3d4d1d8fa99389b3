package file

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math/bits"
	"slices"

	"github.com/yagura-sec/yagura/event"
)

// A verdict says how scanning went.
type verdict byte

const (
	scanDone    verdict = iota // the value ends before s.i
	scanMore                   // more input is needed
	scanBroken                 // no JSON at s.i; s.fault says why
	scanArray                  // s.i is behind the [ of a wrapper's Records or Events
	scanEnd                    // the input ends inside the value
	scanGoesOn                 // nothing was decided
	lookBack    = 256          // bytes before s.i that are kept at hand while a value is skipped over
	firstWindow = 128 << 10
)

// Byte classes outside strings. Only what decides where a record ends is
// checked here, plus what can never stand outside a string: that is what shows
// soon after a lost quote that something is wrong. The normaliser validates.
const (
	classPlain byte = iota
	classQuote
	classOpen
	classClose
	classNewline
	classIllegal
)

var classes = func() (t [256]byte) {
	for c := range t {
		t[c] = classIllegal
	}
	for _, c := range []byte(" \t\r,:+-.0123456789eEtrufalsn") {
		t[c] = classPlain
	}
	t['"'], t['\n'] = classQuote, classNewline
	t['{'], t['['] = classOpen, classOpen
	t['}'], t[']'] = classClose, classClose
	return t
}()

// window is the part of the input at hand and the value being scanned in it.
type window struct {
	r    io.Reader
	err  error // what ended the input; io.EOF at its end
	base int64 // offset of buf[0] in the input

	buf   []byte
	end   int // buf[:end] is filled
	i     int // what is looked at next
	start int // where the current value begins, or as far as it was dropped

	maxRecord int
	maxDepth  int

	// The current value.
	skipping bool   // it is too large to be held: only its head is
	head     []byte // its first bytes while skipping, at most event.MaxRejectBody
	dropped  int64  // its bytes before buf[start]
	depth    int
	stack    []byte // the open brackets, as far as maxDepth
	deep     bool   // it nests deeper than maxDepth
	newline  bool   // a line ended inside it
	inString bool
	fault    string // why it is not JSON
	wrappers bool   // an array under Records or another of wrapperKeys is a container
	enclosed bool   // the object at depth 2 is one that may hold a container
	inside   int    // the depth of the object that holds the container
	lines    bool   // one record a line: a line that starts with { inside a value shows that it is broken
}

func (w *window) reset(r io.Reader) {
	*w = window{
		r: r, maxRecord: w.maxRecord, maxDepth: w.maxDepth,
		buf: w.buf, head: w.head[:0], stack: w.stack,
	}
	if w.buf == nil {
		w.buf = make([]byte, firstWindow)
	}
	if len(w.stack) < w.maxDepth {
		w.stack = make([]byte, w.maxDepth)
	}
}

// begin makes the byte at i the first of a value.
func (w *window) begin() {
	w.start, w.dropped, w.head, w.skipping = w.i, 0, w.head[:0], false
	w.depth, w.deep, w.newline, w.inString, w.fault = 0, false, false, false, ""
}

// offset is where i is in the input.
func (w *window) offset() int64 { return w.base + int64(w.i) }

// size is how many bytes of the value lie before i.
func (w *window) size() int64 { return w.dropped + int64(w.i-w.start) }

// more reads on. It keeps the value from its start, or, once it is too large,
// its head and the last bytes before i. It tells whether there is more.
func (w *window) more() bool {
	if w.err != nil {
		return false
	}
	if !w.skipping && w.i-w.start > w.maxRecord {
		w.skipping = true
	}
	if cut := w.i - lookBack; w.skipping && cut > w.start {
		w.save(w.buf[w.start:cut])
		w.dropped += int64(cut - w.start)
		w.start = cut
	}
	if w.start > 0 && (w.end == len(w.buf) || w.start == w.end) {
		copy(w.buf, w.buf[w.start:w.end])
		w.base += int64(w.start)
		w.i, w.end, w.start = w.i-w.start, w.end-w.start, 0
	}
	if w.end == len(w.buf) {
		w.buf = slices.Grow(w.buf, len(w.buf))
		w.buf = w.buf[:cap(w.buf)]
	}
	for range 100 {
		n, err := w.r.Read(w.buf[w.end:])
		w.end += n
		w.err = err
		if n > 0 || err != nil {
			return n > 0
		}
	}
	w.err = io.ErrNoProgress
	return false
}

func (w *window) save(b []byte) {
	w.head = append(w.head, b[:min(len(b), event.MaxRejectBody-len(w.head))]...)
}

// peek reads until n bytes lie behind i or the input ends.
func (w *window) peek(n int) []byte {
	for w.end-w.i < n && w.more() {
	}
	return w.buf[w.i:w.end]
}

// value scans the { or [ at i, and what it holds, to its end.
func (w *window) value() verdict {
	w.begin()
	return w.goOn()
}

// goOn scans to the end of the value that is open.
func (w *window) goOn() verdict {
	for {
		v := w.scan()
		if v != scanMore {
			return v
		}
		if !w.more() {
			return scanEnd
		}
	}
}

// scan goes over what is at hand. Its speed is that of the whole source.
func (w *window) scan() verdict {
	b, i, inString := w.buf[:w.end], w.i, w.inString
	v := scanMore
loop:
	for i < len(b) {
		if inString {
			i = stringStop(b, i)
			if i == len(b) {
				break
			}
			switch c := b[i]; {
			case c == '"':
				inString = false
				i++
			case c == '\n' || c == '\\' && i+1 < len(b) && b[i+1] == '\n':
				v = w.broken("a line ends inside a string")
				break loop
			case c != '\\':
				i++ // other control bytes are the normaliser's to refuse
			case i+1 == len(b):
				break loop // the escaped byte is still to come
			default:
				i += 2
			}
			continue
		}
		switch classes[b[i]] {
		case classPlain:
			i++
		case classQuote:
			if c := lastBefore(b[w.start:i]); c != 0 && c != ':' && c != ',' && c != '{' && c != '[' {
				v = w.broken(`unexpected '"'`)
				break loop
			}
			inString = true
			i++
		case classOpen:
			if v = w.open(b, i); v != scanGoesOn {
				break loop
			}
			v = scanMore
			i++
		case classClose:
			if w.depth <= w.maxDepth && b[i] != w.stack[w.depth-1]+2 { // } is { + 2, ] is [ + 2
				v = w.broken("%q closes %q", b[i], w.stack[w.depth-1])
				break loop
			}
			i++
			if w.depth--; w.depth == 0 {
				v = scanDone
				break loop
			}
		case classNewline:
			if v = w.lineEnd(b, i); v != scanGoesOn {
				break loop
			}
			v = scanMore
			i++
		default:
			v = w.broken("unexpected %q", b[i])
			break loop
		}
	}
	w.i, w.inString = i, inString
	if v == scanArray {
		w.i++
	}
	return v
}

// broken is that there is no JSON, and why.
func (w *window) broken(format string, args ...any) verdict {
	w.fault = fmt.Sprintf(format, args...)
	return scanBroken
}

// lineEnd takes the line end at b[i] inside a value.
func (w *window) lineEnd(b []byte, i int) verdict {
	w.newline = true
	switch {
	case !w.lines:
		return scanGoesOn
	case i+1 == len(b) && w.err == nil:
		return scanMore // what the next line begins with is still to come
	case i+1 < len(b) && b[i+1] == '{':
		return w.broken("the line ends before the record does")
	}
	return scanGoesOn
}

// open takes the bracket at b[i]. A bracket where JSON has none is the surest
// sign that an earlier one was lost, and often the first byte of the next record.
func (w *window) open(b []byte, i int) verdict {
	if 0 < w.depth && w.depth <= w.maxDepth {
		in, before := w.stack[w.depth-1], lastBefore(b[w.start:i])
		if before != 0 && !(in == '{' && before == ':' || in == '[' && (before == ',' || before == '[')) {
			return w.broken("unexpected %q", b[i])
		}
	}
	if w.wrappers && b[i] == '[' && (w.depth == 1 && (keyBefore(b[w.start:i], wrapperKeys) || alone(b[w.start:i])) || w.depth == 2 && w.enclosed && keyBefore(b[w.start:i], findingKeys)) {
		w.inside = w.depth
		return scanArray
	}
	if w.wrappers && w.depth == 1 {
		w.enclosed = b[i] == '{' && keyBefore(b[w.start:i], enclosing)
	}
	if w.depth < w.maxDepth {
		w.stack[w.depth] = b[i]
	} else {
		w.deep = true
	}
	w.depth++
	return scanGoesOn
}

// lastBefore is the last byte of b that is not white space; 0 where there is none.
func lastBefore(b []byte) byte {
	for i := len(b) - 1; i >= 0; i-- {
		if !isSpace(b[i]) {
			return b[i]
		}
	}
	return 0
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

func trimSpaceRight(b []byte) []byte {
	for len(b) > 0 && isSpace(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

// Keys of containers. Each of the first holds a list of records in what a cloud
// delivers or its API answers; findings also lie within EventBridge's detail and
// within an answer that somebody recorded.
var (
	wrapperKeys = []string{
		`"Records"`, `"Events"`, `"records"`, `"Findings"`, `"findings"`, `"listFindingsResults"`,
		`"EvaluationResults"`,                        // AWS Config
		`"value"`,                                    // Azure
		`"data"`,                                     // Sysdig
		`"entries"`, `"receivedMessages"`, `"items"`, // Google: Cloud Logging, Pub/Sub, the Reports API
	}
	findingKeys = []string{`"findings"`, `"Findings"`}
	enclosing   = []string{`"detail"`, `"data"`}
)

// alone tells whether b, which begins with a bracket, is that and the key "events"
// alone. An answer of CloudWatch Logs begins so; a record that has events in it, as
// Google Workspace's, begins with something else.
func alone(b []byte) bool {
	b, ok := bytes.CutPrefix(b, []byte("{"))
	b = bytes.TrimLeft(b, " \t\r\n")
	return ok && len(b) < 80 && bytes.HasPrefix(b, []byte(`"events"`)) && keyBefore(b, []string{`"events"`})
}

// keyBefore tells whether b ends in one of the keys and its colon.
func keyBefore(b []byte, keys []string) bool {
	b = trimSpaceRight(b)
	if len(b) == 0 || b[len(b)-1] != ':' {
		return false
	}
	b = trimSpaceRight(b[:len(b)-1])
	for _, k := range keys {
		if bytes.HasSuffix(b, []byte(k)) {
			return true
		}
	}
	return false
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// stringStop is the index of the first quote, backslash or control byte in
// b[i:]; len(b) without one. Eight bytes at a time: strings in logs are too
// short for a call of bytes.IndexByte each.
func stringStop(b []byte, i int) int {
	for i+8 <= len(b) {
		x := binary.LittleEndian.Uint64(b[i:])
		// With bit 1 turned over a quote is 0x20 and control bytes stay below it,
		// while a space becomes 0x22: one comparison finds both.
		q, s := x^(ones*2), x^(ones*'\\')
		// The lowest high bit that is set is exact; higher ones may be false, and are not looked at.
		if m := ((q-ones*0x21)&^q | (s-ones)&^s) & highs; m != 0 {
			return i + bits.TrailingZeros64(m)>>3
		}
		i += 8
	}
	for ; i < len(b); i++ {
		if c := b[i]; c == '"' || c == '\\' || c < 0x20 {
			return i
		}
	}
	return len(b)
}
