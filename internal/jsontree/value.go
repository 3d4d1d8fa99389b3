package jsontree

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Kind is the type of v.
func (v Value) Kind() Kind {
	if v.t == nil {
		return Absent
	}
	return v.t.nodes[v.i].kind
}

// Text is a string's content, unescaped, or a number's digits; empty for
// everything else. A lone surrogate becomes U+FFFD, so the result is always
// valid UTF-8. It shares the text's memory unless the string held escapes.
func (v Value) Text() string {
	if v.t == nil {
		return ""
	}
	n := &v.t.nodes[v.i]
	switch {
	case n.kind != String && n.kind != Number:
		return ""
	case n.escaped:
		return unescape(v.t.text[n.start:n.end])
	}
	return v.t.text[n.start:n.end]
}

// String is Text of a string, and empty for every other kind.
func (v Value) String() string {
	if v.Kind() != String {
		return ""
	}
	return v.Text()
}

// Escaped tells whether v is a string written with escapes. Only then can its
// text hold control characters.
func (v Value) Escaped() bool { return v.t != nil && v.t.nodes[v.i].escaped }

// Raw is the JSON text of v, empty if absent.
func (v Value) Raw() string {
	if v.t == nil {
		return ""
	}
	n := &v.t.nodes[v.i]
	if n.kind == String {
		return v.t.text[n.start-1 : n.end+1]
	}
	return v.t.text[n.start:n.end]
}

// Offset is where Raw begins in the text.
func (v Value) Offset() int {
	if v.t == nil {
		return 0
	}
	n := &v.t.nodes[v.i]
	if n.kind == String {
		return int(n.start) - 1
	}
	return int(n.start)
}

// Get is the first member of an object with that key. Of keys given twice the
// first counts.
func (v Value) Get(key string) Value {
	for m := v.First(); m.t != nil; m = m.Next() {
		if m.Key() == key {
			return m
		}
	}
	return Value{}
}

// First is the first member of an object or element of an array.
func (v Value) First() Value {
	if v.t == nil {
		return Value{}
	}
	if i := v.t.nodes[v.i].first; i != 0 {
		return Value{v.t, i}
	}
	return Value{}
}

// Next is the member or element behind v.
func (v Value) Next() Value {
	if v.t == nil {
		return Value{}
	}
	if i := v.t.nodes[v.i].next; i != 0 {
		return Value{v.t, i}
	}
	return Value{}
}

// Key is the key v has in its object, unescaped.
func (v Value) Key() string {
	if v.t == nil {
		return ""
	}
	n := &v.t.nodes[v.i]
	if n.keyEscaped {
		return unescape(v.t.text[n.keyStart:n.keyEnd])
	}
	return v.t.text[n.keyStart:n.keyEnd]
}

// Exists tells whether v is there, be it null.
func (v Value) Exists() bool { return v.t != nil }

// unescape decodes the escapes of a string that was found well-formed.
func unescape(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	for {
		i := strings.IndexByte(s, '\\')
		if i < 0 {
			b.WriteString(s)
			return b.String()
		}
		b.WriteString(s[:i])
		if s[i+1] != 'u' {
			b.WriteByte(plainEscape(s[i+1]))
			s = s[i+2:]
			continue
		}
		r := rune(hex4(s[i+2:]))
		s = s[i+6:]
		if utf16.IsSurrogate(r) {
			second := rune(utf8.RuneError)
			if len(s) >= 6 && s[0] == '\\' && s[1] == 'u' {
				second = rune(hex4(s[2:]))
			}
			if r = utf16.DecodeRune(r, second); r != utf8.RuneError {
				s = s[6:]
			}
		}
		b.WriteRune(r)
	}
}

func plainEscape(c byte) byte {
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return c
}

func hex4(s string) uint64 {
	n, _ := strconv.ParseUint(s[:4], 16, 16) // escape() has seen that these are hex digits
	return n
}
