// Package jsontree reads one JSON text into a flat list of nodes that point
// into the text: no copies, no allocation once a Tree has grown, strict as RFC
// 8259. It exists because the general libraries either copy every string or
// accept what is not JSON, and a normaliser has five microseconds a record.
package jsontree

import (
	"fmt"
	"math/bits"
	"strconv"
	"unicode/utf8"
)

// MaxDepth is how deep arrays and objects may nest.
const MaxDepth = 200

// MaxValues is how many values one text may hold: a megabyte of log record has
// less than half of it, and a text of nothing but brackets is not to take
// fourteen times its size.
const MaxValues = 1 << 20

// Kind is the type of a value.
type Kind byte

// The kinds. Absent is the kind of a value that is not there.
const (
	Absent Kind = iota
	Null
	False
	True
	Number
	String
	Array
	Object
)

func (k Kind) String() string {
	return [...]string{"nothing", "null", "false", "true", "a number", "a string", "an array", "an object"}[k]
}

// node is one value. Offsets are into the text; strings without their quotes.
type node struct {
	keyStart, keyEnd uint32
	start, end       uint32
	next             int32 // the next sibling, 0 for none (the root is nobody's sibling)
	first            int32 // the first child, 0 for none
	kind             Kind
	escaped          bool // the string holds a backslash
	keyEscaped       bool
}

// Tree is a parsed text. The zero value is ready. It is not safe for
// concurrent use, and its values are valid until the next Parse.
type Tree struct {
	text  string
	nodes []node
	pos   int
	depth int
}

// Large tells whether the tree has grown so that it is not worth keeping.
func (t *Tree) Large() bool { return cap(t.nodes) > 1<<14 }

// Value is one value of a tree; the zero Value is absent, and every method
// works on it.
type Value struct {
	t *Tree
	i int32
}

// SyntaxError says what is wrong with a text and where.
type SyntaxError struct {
	Offset int // bytes from the start
	What   string
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("byte %d: %s", e.Offset, e.What) }

// Parse reads text, which must be one JSON value and valid UTF-8. Errors are
// *SyntaxError. The tree keeps text, so strings taken from it share its memory.
func (t *Tree) Parse(text string) (Value, error) {
	t.text, t.nodes, t.pos, t.depth = text, t.nodes[:0], 0, 0
	if len(text) > 1<<31-1 {
		return Value{}, &SyntaxError{0, "longer than 2 GiB"}
	}
	if !utf8.ValidString(text) {
		return Value{}, &SyntaxError{invalidUTF8(text), "not valid UTF-8"}
	}
	t.space()
	if _, err := t.value(); err != nil {
		return Value{}, err
	}
	t.space()
	if t.pos < len(text) {
		return Value{}, t.fail("something follows the JSON value")
	}
	return Value{t, 0}, nil
}

func invalidUTF8(s string) int {
	for i, r := range s {
		if r == utf8.RuneError {
			if _, n := utf8.DecodeRuneInString(s[i:]); n == 1 {
				return i
			}
		}
	}
	return len(s)
}

func (t *Tree) fail(what string) *SyntaxError { return &SyntaxError{t.pos, what} }

func (t *Tree) space() {
	for t.pos < len(t.text) {
		switch t.text[t.pos] {
		case ' ', '\n', '\t', '\r':
			t.pos++
		default:
			return
		}
	}
}

// value reads the value at pos and answers its index.
func (t *Tree) value() (int32, error) {
	if t.pos >= len(t.text) {
		return 0, t.fail("the text ends where a value was expected")
	}
	i := int32(len(t.nodes))
	if i == MaxValues {
		return 0, t.fail("more than " + strconv.Itoa(MaxValues) + " values")
	}
	t.nodes = append(t.nodes, node{start: uint32(t.pos)})
	var kind Kind
	var err error
	switch c := t.text[t.pos]; c {
	case '{':
		kind, err = Object, t.object(i)
	case '[':
		kind, err = Array, t.array(i)
	case '"':
		start := t.pos + 1
		escaped, err := t.string()
		if err != nil {
			return 0, err
		}
		n := &t.nodes[i]
		n.kind, n.start, n.end, n.escaped = String, uint32(start), uint32(t.pos-1), escaped
		return i, nil
	case 't':
		kind, err = True, t.word("true")
	case 'f':
		kind, err = False, t.word("false")
	case 'n':
		kind, err = Null, t.word("null")
	default:
		kind, err = Number, t.number()
	}
	if err != nil {
		return 0, err
	}
	n := &t.nodes[i]
	n.kind, n.end = kind, uint32(t.pos)
	return i, nil
}

func (t *Tree) word(w string) error {
	if len(t.text)-t.pos < len(w) || t.text[t.pos:t.pos+len(w)] != w {
		return t.fail("not a JSON value")
	}
	t.pos += len(w)
	return nil
}

func (t *Tree) enter() error {
	t.pos++
	if t.depth++; t.depth > MaxDepth {
		return t.fail("nested deeper than " + strconv.Itoa(MaxDepth))
	}
	t.space()
	return nil
}

func (t *Tree) object(parent int32) error {
	if err := t.enter(); err != nil {
		return err
	}
	if t.at('}') {
		t.pos++
		t.depth--
		return nil
	}
	last := int32(0)
	for {
		if !t.at('"') {
			return t.fail("an object's key was expected")
		}
		keyStart := uint32(t.pos + 1)
		keyEscaped, err := t.string()
		if err != nil {
			return err
		}
		keyEnd := uint32(t.pos - 1)
		t.space()
		if !t.at(':') {
			return t.fail("a colon was expected behind a key")
		}
		t.pos++
		t.space()
		i, err := t.value()
		if err != nil {
			return err
		}
		n := &t.nodes[i]
		n.keyStart, n.keyEnd, n.keyEscaped = keyStart, keyEnd, keyEscaped
		last = t.link(parent, last, i)
		if done, err := t.more('}'); done || err != nil {
			return err
		}
	}
}

func (t *Tree) array(parent int32) error {
	if err := t.enter(); err != nil {
		return err
	}
	if t.at(']') {
		t.pos++
		t.depth--
		return nil
	}
	last := int32(0)
	for {
		i, err := t.value()
		if err != nil {
			return err
		}
		last = t.link(parent, last, i)
		if done, err := t.more(']'); done || err != nil {
			return err
		}
	}
}

func (t *Tree) link(parent, last, i int32) int32 {
	if last == 0 {
		t.nodes[parent].first = i
	} else {
		t.nodes[last].next = i
	}
	return i
}

// more stands behind a member: it steps over a comma, or over the end.
func (t *Tree) more(end byte) (done bool, err error) {
	t.space()
	switch {
	case t.at(end):
		t.pos++
		t.depth--
		return true, nil
	case t.at(','):
		t.pos++
		t.space()
		return false, nil
	}
	return false, t.fail("a comma or " + string(end) + " was expected")
}

func (t *Tree) at(c byte) bool { return t.pos < len(t.text) && t.text[t.pos] == c }

// string steps over the string at pos and tells whether it holds escapes.
//
// Eight bytes are looked at together: the top bit of each byte of hits is set
// where the byte is a quote, a backslash or a control character. A borrow may
// set bits above a hit, never below it, so the lowest is right.
func (t *Tree) string() (escaped bool, err error) {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	text, i := t.text, t.pos+1
	for i < len(text) {
		if i+8 <= len(text) {
			s := text[i : i+8]
			w := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
				uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
			quote, slash := w^ones*'"', w^ones*'\\'
			hits := ((w-ones*0x20)&^w | (quote-ones)&^quote | (slash-ones)&^slash) & tops
			if hits == 0 {
				i += 8
				continue
			}
			i += bits.TrailingZeros64(hits) / 8
		}
		switch c := text[i]; {
		case c == '"':
			t.pos = i + 1
			return escaped, nil
		case c == '\\':
			escaped = true
			n := escape(text[i:])
			if n == 0 {
				t.pos = i
				return false, t.fail("not a JSON escape")
			}
			i += n
		case c < 0x20:
			t.pos = i
			return false, t.fail("a control character in a string")
		default:
			i++ // among the last seven bytes
		}
	}
	t.pos = i
	return false, t.fail("the text ends inside a string")
}

// escape is the length of the escape s begins with, 0 if it is none.
func escape(s string) int {
	if len(s) < 2 {
		return 0
	}
	switch s[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if len(s) < 6 {
			return 0
		}
		for _, c := range []byte(s[2:6]) {
			if ('0' > c || c > '9') && ('a' > c || c > 'f') && ('A' > c || c > 'F') {
				return 0
			}
		}
		return 6
	}
	return 0
}

func (t *Tree) number() error {
	start := t.pos
	if t.at('-') {
		t.pos++
	}
	if t.at('0') {
		t.pos++
	} else if !t.digits() {
		t.pos = start
		return t.fail("not a JSON value")
	}
	if t.at('.') {
		t.pos++
		if !t.digits() {
			return t.fail("a digit was expected behind the point")
		}
	}
	if t.at('e') || t.at('E') {
		t.pos++
		if t.at('+') || t.at('-') {
			t.pos++
		}
		if !t.digits() {
			return t.fail("a digit was expected in the exponent")
		}
	}
	return nil
}

func (t *Tree) digits() bool {
	start := t.pos
	for t.pos < len(t.text) && '0' <= t.text[t.pos] && t.text[t.pos] <= '9' {
		t.pos++
	}
	return t.pos > start
}
