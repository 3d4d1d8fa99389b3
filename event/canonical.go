package event

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"unicode/utf16"
	"unicode/utf8"
)

// maxCanonicalDepth is how deep arrays and objects may nest in Canonical.
const maxCanonicalDepth = 1000

// Canonical is the form of a JSON text that two texts share if they say the
// same: object keys sorted by their bytes, no white space, every string escaped
// in one way (only '"', '\' and control characters are), numbers with the
// digits they came with. Keys given twice are kept, in their order. A lone
// surrogate, which no text can hold, becomes U+FFFD.
//
// It tells a record delivered twice from two records under one id. raw is only
// read. The error names the byte at which raw stops being JSON or UTF-8.
func Canonical(raw []byte) ([]byte, error) {
	return AppendCanonical(make([]byte, 0, len(raw)+1), raw) // one for a comma that goes again
}

// AppendCanonical appends the canonical form of raw to dst, which must not
// share memory with it. On an error dst comes back as it was.
func AppendCanonical(dst, raw []byte) ([]byte, error) {
	if !utf8.Valid(raw) {
		return dst, fmt.Errorf("byte %d: not valid UTF-8", firstInvalid(raw))
	}
	c := canons.Get().(*canon)
	defer c.release()
	c.in, c.pos, c.out = raw, 0, dst
	c.space()
	if err := c.value(0); err != nil {
		return dst, err
	}
	c.space()
	if c.pos < len(raw) {
		return dst, c.fail("something follows the JSON value")
	}
	return c.out, nil
}

func firstInvalid(b []byte) int {
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return len(b)
}

type canon struct {
	in  []byte
	pos int
	out []byte
	// members of the objects being read, innermost last; scratch to reorder in.
	members []member
	scratch []byte
}

var canons = sync.Pool{New: func() any { return new(canon) }}

func (c *canon) release() {
	c.in, c.out, c.members = nil, nil, c.members[:0]
	canons.Put(c)
}

// member is where an object's member lies in out: "key":value.
type member struct{ start, keyEnd, end int }

func (c *canon) fail(what string) error { return fmt.Errorf("byte %d: %s", c.pos, what) }

func (c *canon) at(b byte) bool { return c.pos < len(c.in) && c.in[c.pos] == b }

func (c *canon) space() {
	for c.pos < len(c.in) && (c.in[c.pos] == ' ' || c.in[c.pos] == '\n' || c.in[c.pos] == '\t' || c.in[c.pos] == '\r') {
		c.pos++
	}
}

func (c *canon) value(depth int) error {
	if depth > maxCanonicalDepth {
		return c.fail("nested deeper than " + strconv.Itoa(maxCanonicalDepth))
	}
	if c.pos >= len(c.in) {
		return c.fail("the text ends where a value was expected")
	}
	switch c.in[c.pos] {
	case '{':
		return c.object(depth)
	case '[':
		return c.array(depth)
	case '"':
		return c.str()
	case 't':
		return c.word("true")
	case 'f':
		return c.word("false")
	case 'n':
		return c.word("null")
	}
	return c.number()
}

func (c *canon) word(w string) error {
	if !bytes.HasPrefix(c.in[c.pos:], []byte(w)) {
		return c.fail("not a JSON value")
	}
	c.pos += len(w)
	c.out = append(c.out, w...)
	return nil
}

func (c *canon) array(depth int) error {
	c.pos++
	c.out = append(c.out, '[')
	c.space()
	for n := 0; !c.at(']'); n++ {
		if n > 0 {
			if !c.at(',') {
				return c.fail("a comma or ] was expected")
			}
			c.pos++
			c.out = append(c.out, ',')
			c.space()
		}
		if err := c.value(depth + 1); err != nil {
			return err
		}
		c.space()
	}
	c.pos++
	c.out = append(c.out, ']')
	return nil
}

func (c *canon) object(depth int) error {
	c.pos++
	c.out = append(c.out, '{')
	c.space()
	mine := len(c.members)
	for n := 0; !c.at('}'); n++ {
		if n > 0 {
			if !c.at(',') {
				return c.fail("a comma or } was expected")
			}
			c.pos++
			c.space()
		}
		m := member{start: len(c.out)}
		if !c.at('"') {
			return c.fail("an object's key was expected")
		}
		if err := c.str(); err != nil {
			return err
		}
		m.keyEnd = len(c.out)
		c.space()
		if !c.at(':') {
			return c.fail("a colon was expected behind a key")
		}
		c.pos++
		c.out = append(c.out, ':')
		c.space()
		if err := c.value(depth + 1); err != nil {
			return err
		}
		m.end = len(c.out)
		c.out = append(c.out, ',')
		c.members = append(c.members, m)
		c.space()
	}
	c.pos++
	c.order(c.members[mine:])
	c.members = c.members[:mine]
	if last := len(c.out) - 1; c.out[last] == ',' {
		c.out[last] = '}'
	} else {
		c.out = append(c.out, '}')
	}
	return nil
}

// order puts the members, each followed by a comma at the end of out, into the
// order of their keys.
func (c *canon) order(ms []member) {
	// Keys are compared as escaped, which orders control characters behind '!';
	// any order serves as long as it is always the same one.
	byKey := func(a, b member) int {
		return bytes.Compare(c.out[a.start:a.keyEnd], c.out[b.start:b.keyEnd])
	}
	if len(ms) < 2 || slices.IsSortedFunc(ms, byKey) {
		return
	}
	start := ms[0].start
	slices.SortStableFunc(ms, byKey)
	c.scratch = c.scratch[:0]
	for _, m := range ms {
		c.scratch = append(c.scratch, c.out[m.start:m.end]...)
		c.scratch = append(c.scratch, ',')
	}
	copy(c.out[start:], c.scratch)
}

func (c *canon) number() error {
	start := c.pos
	if c.at('-') {
		c.pos++
	}
	if c.at('0') {
		c.pos++
	} else if !c.digits() {
		c.pos = start
		return c.fail("not a JSON value")
	}
	if c.at('.') {
		c.pos++
		if !c.digits() {
			return c.fail("a digit was expected behind the point")
		}
	}
	if c.at('e') || c.at('E') {
		c.pos++
		if c.at('+') || c.at('-') {
			c.pos++
		}
		if !c.digits() {
			return c.fail("a digit was expected in the exponent")
		}
	}
	c.out = append(c.out, c.in[start:c.pos]...)
	return nil
}

func (c *canon) digits() bool {
	start := c.pos
	for c.pos < len(c.in) && '0' <= c.in[c.pos] && c.in[c.pos] <= '9' {
		c.pos++
	}
	return c.pos > start
}

func (c *canon) str() error {
	c.out = append(c.out, '"')
	c.pos++
	for {
		run := c.pos
		for c.pos < len(c.in) && c.in[c.pos] >= 0x20 && c.in[c.pos] != '"' && c.in[c.pos] != '\\' {
			c.pos++
		}
		c.out = append(c.out, c.in[run:c.pos]...)
		switch {
		case c.pos >= len(c.in):
			return c.fail("the text ends inside a string")
		case c.in[c.pos] == '"':
			c.pos++
			c.out = append(c.out, '"')
			return nil
		case c.in[c.pos] != '\\':
			return c.fail("a control character in a string")
		}
		r, n := decodeEscape(c.in[c.pos:])
		if n == 0 {
			return c.fail("not a JSON escape")
		}
		c.pos += n
		c.out = appendEscaped(c.out, r)
	}
}

// decodeEscape reads the escape that b begins with, a surrogate pair as one
// character; n is 0 if it is none.
func decodeEscape(b []byte) (r rune, n int) {
	if len(b) < 2 {
		return 0, 0
	}
	switch b[1] {
	case '"', '\\', '/':
		return rune(b[1]), 2
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	}
	r, ok := unicodeEscape(b)
	switch {
	case !ok:
		return 0, 0
	case !utf16.IsSurrogate(r):
		return r, 6
	}
	if second, ok := unicodeEscape(b[6:]); ok {
		if pair := utf16.DecodeRune(r, second); pair != utf8.RuneError {
			return pair, 12
		}
	}
	return utf8.RuneError, 6
}

// unicodeEscape reads the \uXXXX that b begins with.
func unicodeEscape(b []byte) (rune, bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range b[2:6] {
		d := hexDigit(c)
		if d > 15 {
			return 0, false
		}
		r = r<<4 | rune(d)
	}
	return r, true
}

func appendEscaped(out []byte, r rune) []byte {
	switch r {
	case '"', '\\':
		return append(out, '\\', byte(r))
	case '\n':
		return append(out, '\\', 'n')
	case '\r':
		return append(out, '\\', 'r')
	case '\t':
		return append(out, '\\', 't')
	}
	if r < 0x20 {
		const hex = "0123456789abcdef"
		return append(out, '\\', 'u', '0', '0', hex[r>>4], hex[r&15])
	}
	return utf8.AppendRune(out, r)
}
