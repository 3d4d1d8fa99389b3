package ir

import (
	"bytes"
	"strconv"
	"strings"
)

// Kind is the type of a value in a record.
type Kind uint8

// The kinds. An array is no value: its elements are.
const (
	Null Kind = iota
	String
	Number
	Bool
	Object // its text is compact JSON
)

// Value is one value of a field.
type Value struct {
	Kind Kind
	// Text of a string is its content as valid UTF-8, of a number the number
	// as the record writes it, of a boolean true or false, of an object its
	// JSON. Null has none.
	Text []byte

	raw    bool   // Text of an object still holds white space
	folded []byte // folded form of Text, once asked for
}

// ObjectValue is an object whose text is compacted when somebody asks.
func ObjectValue(json []byte) Value { return Value{Kind: Object, Text: json, raw: true} }

// Field is what a record holds under a name.
type Field struct {
	// Present: the name occurs. An empty array is present and has no value.
	Present bool
	Values  []Value // of an array, or of a path through arrays, several
}

// Buffer is memory that atoms work in. One goroutine uses it at a time, and
// what it holds is valid until Reset.
type Buffer struct{ b []byte }

// Reset gives the memory back for the next record.
func (b *Buffer) Reset() { b.b = b.b[:0] }

// text is v's text, compacted.
func (v *Value) text(buf *Buffer) []byte {
	if v.raw {
		start := len(buf.b)
		buf.b = appendCompact(buf.b, v.Text)
		v.Text, v.raw = buf.b[start:len(buf.b):len(buf.b)], false
	}
	return v.Text
}

// Shown is v's text for a person.
func (v *Value) Shown(buf *Buffer) string {
	if v.Kind == Null {
		return "null"
	}
	return string(v.text(buf))
}

// Folded is v's text without regard to case.
func (v *Value) Folded(buf *Buffer) []byte {
	if v.folded == nil {
		text := v.text(buf)
		if folded(text) {
			v.folded = text
		} else {
			start := len(buf.b)
			buf.b = AppendFold(buf.b, text)
			v.folded = buf.b[start:len(buf.b):len(buf.b)]
		}
	}
	return v.folded
}

// appendCompact appends valid JSON without the white space between its tokens.
func appendCompact(dst, json []byte) []byte {
	for i := 0; i < len(json); i++ {
		switch c := json[i]; c {
		case ' ', '\t', '\n', '\r':
		case '"':
			j := i + 1
			for j < len(json) && json[j] != '"' {
				if json[j] == '\\' {
					j++
				}
				j++
			}
			j = min(j, len(json)-1)
			dst = append(dst, json[i:j+1]...)
			i = j
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// Decimal is a number of a rule. Integers compare exactly whatever their
// length, others as float64, and exactly where float64 knows only infinity or 0.
type Decimal struct {
	Text  string
	float float64
}

// ParseDecimal reads a number as JSON writes it.
func ParseDecimal(s string) (Decimal, bool) {
	if !isNumber([]byte(s)) {
		return Decimal{}, false
	}
	f, _ := strconv.ParseFloat(s, 64) // out of range gives an infinity, which compares right
	return Decimal{s, f}, true
}

// compare gives the order of the number in text and d, or false if text holds
// none. Numeric text of a string counts as a number: logs quote them at will.
func (d Decimal) compare(text []byte) (int, bool) {
	if !isNumber(text) {
		return 0, false
	}
	if isInteger(text) && isInteger([]byte(d.Text)) {
		return compareIntegers(text, d.Text), true
	}
	f, _ := strconv.ParseFloat(string(text), 64)
	switch {
	case f < d.float:
		return -1, true
	case f > d.float:
		return 1, true
	case atEdge(f):
		return compareExact(text, []byte(d.Text)), true
	}
	return 0, true
}

func compareIntegers(a []byte, b string) int {
	aNeg, bNeg := a[0] == '-', b[0] == '-'
	if aNeg {
		a = a[1:]
	}
	if bNeg {
		b = b[1:]
	}
	aNeg, bNeg = aNeg && string(a) != "0", bNeg && b != "0" // -0 is 0
	order := 0
	switch {
	case aNeg != bNeg:
		if aNeg {
			return -1
		}
		return 1
	case len(a) != len(b):
		order = 1
		if len(a) < len(b) {
			order = -1
		}
	default:
		order = strings.Compare(string(a), b)
	}
	if aNeg {
		order = -order
	}
	return order
}

func isInteger(b []byte) bool { return !bytes.ContainsAny(b, ".eE") }

// isNumber tells whether b is a number by the grammar of JSON.
func isNumber(b []byte) bool {
	i := 0
	digits := func() bool {
		start := i
		for i < len(b) && '0' <= b[i] && b[i] <= '9' {
			i++
		}
		return i > start
	}
	if i < len(b) && b[i] == '-' {
		i++
	}
	if i < len(b) && b[i] == '0' {
		i++
	} else if !digits() {
		return false
	}
	if i < len(b) && b[i] == '.' {
		if i++; !digits() {
			return false
		}
	}
	if i < len(b) && (b[i] == 'e' || b[i] == 'E') {
		if i++; i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		if !digits() {
			return false
		}
	}
	return i == len(b)
}
