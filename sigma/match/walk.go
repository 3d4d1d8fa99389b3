package match

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/yagura-sec/yagura/sigma/ir"
)

// maxDepth bounds how deep arrays and objects are looked into. What nests deeper
// is passed over like what no rule names, so that nobody hides the rest of a
// record behind it.
const maxDepth = 512

// saved is what a field held when an object was entered.
type saved struct {
	present bool
	values  int
}

// walker reads one record. Its methods take the place of a value and give the
// place behind it, or a negative number where the record is no JSON: ^place.
type walker struct {
	sc    *Scratch
	data  []byte
	depth int32
}

// read fills the fields that the plan names. It takes valid JSON as encoding/json
// does and may accept what is not valid in parts that no rule looks at: see
// MatchJSON.
func (sc *Scratch) read(record []byte) error {
	w := walker{sc: sc, data: record}
	i := w.space(0)
	if i >= len(record) || record[i] != '{' {
		return fmt.Errorf("record is no JSON object")
	}
	end := w.object(sc.plan.root, i)
	if end >= 0 {
		if end = w.space(end); end < len(record) {
			end = ^end
		}
	}
	if end < 0 {
		clear(sc.blocked)
		sc.flat = 0
		return fmt.Errorf("record is not valid JSON at byte %d", ^end)
	}
	sc.record = record
	return nil
}

func (w *walker) space(i int) int {
	for i < len(w.data) {
		switch w.data[i] {
		case ' ', '\t', '\n', '\r':
			i++
		default:
			return i
		}
	}
	return i
}

// at is the byte at i, 0 behind the end.
func (w *walker) at(i int) byte {
	if i < len(w.data) {
		return w.data[i]
	}
	return 0
}

// object walks an object that begins at i.
func (w *walker) object(n *node, i int) int {
	if w.depth >= maxDepth {
		return w.skipNested(i)
	}
	w.depth++
	sc, base := w.sc, len(w.sc.saved)
	if w.depth > 1 { // on the outermost object every field is absent yet
		for _, slot := range n.dotted {
			f := &sc.fields[slot]
			sc.saved = append(sc.saved, saved{f.Present, len(f.Values)})
		}
	}
	i = w.members(n, i, base)
	if sc.flat > 0 {
		for _, slot := range n.dotted {
			if sc.blocked[slot] == w.depth {
				sc.blocked[slot] = 0
				sc.flat--
			}
		}
	}
	sc.saved = sc.saved[:base]
	w.depth--
	return i
}

func (w *walker) members(n *node, i, base int) int {
	i = w.space(i + 1)
	if w.at(i) == '}' {
		return i + 1
	}
	for {
		if w.at(i) != '"' {
			return ^i
		}
		key, end := w.str(i)
		if end < 0 {
			return ^i
		}
		e := n.find(key)
		i = end + 1
		if w.at(i) != ':' {
			if i = w.space(i); w.at(i) != ':' {
				return ^i
			}
		}
		i = w.space(i + 1)
		if e == nil {
			i = w.skip(i)
		} else {
			i = w.value(e.child, w.wanted(e, base), i)
		}
		if i < 0 {
			return i
		}
		i = w.space(i)
		switch w.at(i) {
		case ',':
			i = w.space(i + 1)
		case '}':
			return i + 1
		default:
			return ^i
		}
	}
}

// str gives the text of the string at i and the place of its closing quote, or a
// negative place. Most are short and plain, so eight bytes at a time beat
// searching.
func (w *walker) str(i int) ([]byte, int) {
	data := w.data
	j := i + 1 + plain(data[i+1:])
	if j < len(data) && data[j] == '"' {
		return data[i+1 : j], j
	}
	end := stringEnd(data, i)
	if end < 0 {
		return nil, -1
	}
	return w.content(i, end), end
}

// plain is how many bytes of b come before a quote, a backslash or a byte that is
// not ASCII; len(b) if there is none.
func plain(b []byte) int {
	i := 0
	for ; i+8 <= len(b); i += 8 {
		x := binary.LittleEndian.Uint64(b[i:])
		quote, backslash := x^'"'*ones, x^'\\'*ones
		// The lowest bit that is set marks the first such byte. Those above
		// may be wrong.
		if m := ((quote-ones)&^quote | (backslash-ones)&^backslash | x) & highs; m != 0 {
			return i + bits.TrailingZeros64(m)/8
		}
	}
	for ; i < len(b); i++ {
		if c := b[i]; c == '"' || c == '\\' || c >= utf8.RuneSelf {
			break
		}
	}
	return i
}

// wanted gives the slot that an entry's value goes to, -1 for none, and marks
// the field present. A name given flat takes the place of the same name as a
// path in the same object, whichever comes first.
func (w *walker) wanted(e *entry, base int) int32 {
	if e.slot < 0 {
		return -1
	}
	sc := w.sc
	f := &sc.fields[e.slot]
	switch by := sc.blocked[e.slot]; {
	case by == 0 && e.dotted:
		was := saved{}
		if w.depth > 1 {
			was = sc.saved[base+e.dottedAt]
		}
		f.Present, f.Values = was.present, f.Values[:was.values]
		sc.blocked[e.slot] = w.depth
		sc.flat++
	case by != 0 && !(e.dotted && by == w.depth):
		return -1
	}
	if !f.Present {
		f.Present = true
		sc.touched = append(sc.touched, e.slot)
	}
	return e.slot
}

// value reads the value at i into slot, and what child looks for below it.
func (w *walker) value(child *node, slot int32, i int) int {
	switch c := w.at(i); c {
	case '{':
		end := 0
		if child != nil {
			end = w.object(child, i)
		} else {
			end = w.skip(i)
		}
		if end >= 0 && slot >= 0 {
			w.add(slot, ir.ObjectValue(w.data[i:end]))
		}
		return end
	case '[':
		return w.array(child, slot, i)
	case '"':
		if slot < 0 {
			return w.skip(i)
		}
		text, end := w.str(i)
		if end < 0 {
			return ^i
		}
		w.add(slot, ir.Value{Kind: ir.String, Text: text})
		return end + 1
	}
	end := w.skip(i)
	if end >= 0 && slot >= 0 {
		w.add(slot, scalar(w.data[i:end]))
	}
	return end
}

func (w *walker) array(child *node, slot int32, i int) int {
	if w.depth >= maxDepth {
		return w.skipNested(i)
	}
	w.depth++
	i = w.elements(child, slot, i)
	w.depth--
	return i
}

func (w *walker) elements(child *node, slot int32, i int) int {
	i = w.space(i + 1)
	if w.at(i) == ']' {
		return i + 1
	}
	for {
		if i = w.value(child, slot, i); i < 0 {
			return i
		}
		i = w.space(i)
		switch w.at(i) {
		case ',':
			i = w.space(i + 1)
		case ']':
			return i + 1
		default:
			return ^i
		}
	}
}

func (w *walker) add(slot int32, v ir.Value) {
	f := &w.sc.fields[slot]
	f.Values = append(f.Values, v)
}

// scalar is a number, true, false or null.
func scalar(text []byte) ir.Value {
	switch text[0] {
	case 't', 'f':
		return ir.Value{Kind: ir.Bool, Text: text}
	case 'n':
		return ir.Value{Kind: ir.Null}
	}
	return ir.Value{Kind: ir.Number, Text: text}
}

// skip passes over the value at i without looking into it.
func (w *walker) skip(i int) int {
	data := w.data
	switch w.at(i) {
	case '"':
		end := stringEnd(data, i)
		if end < 0 {
			return ^i
		}
		return end + 1
	case '{', '[':
		return w.skipNested(i)
	}
	return w.scalar(i)
}

// scalar passes over the number, or the word, at i.
func (w *walker) scalar(i int) int {
	word := ""
	switch w.at(i) {
	case 't':
		word = "true"
	case 'f':
		word = "false"
	case 'n':
		word = "null"
	default:
		return w.number(i)
	}
	end := i + len(word)
	if end > len(w.data) || string(w.data[i:end]) != word {
		return ^i
	}
	return end // what follows is looked at by whoever asked
}

func (w *walker) number(i int) int {
	start := i
	if w.at(i) == '-' {
		i++
	}
	first := w.at(i)
	end := w.digits(i)
	if end == i || first == '0' && end > i+1 {
		return ^start
	}
	i = end
	if w.at(i) == '.' {
		if end = w.digits(i + 1); end == i+1 {
			return ^start
		}
		i = end
	}
	if c := w.at(i); c == 'e' || c == 'E' {
		i++
		if c := w.at(i); c == '+' || c == '-' {
			i++
		}
		if end = w.digits(i); end == i {
			return ^start
		}
		i = end
	}
	return i
}

func (w *walker) digits(i int) int {
	for i < len(w.data) && '0' <= w.data[i] && w.data[i] <= '9' {
		i++
	}
	return i
}

// skipNested passes over an array or an object. Of what is in it the brackets are
// checked only, each against the one it closes.
func (w *walker) skipNested(i int) int {
	// A bit for each bracket that is open, set for those of objects: the last 64
	// of them here, the others in whole words in sc.nest.
	data, depth, open := w.data, 0, uint64(0)
	w.sc.nest = w.sc.nest[:0]
	for i < len(data) {
		switch c := data[i]; c {
		case '"':
			end := stringEnd(data, i)
			if end < 0 {
				return ^i
			}
			i = end
		case '{', '[':
			if depth&63 == 0 && depth > 0 {
				w.sc.nest = append(w.sc.nest, open)
			}
			depth++
			open = open<<1 | uint64(c>>5&1) // { is 0x7b, [ is 0x5b
		case '}', ']':
			if open&1 != uint64(c>>5&1) {
				return ^i
			}
			open >>= 1
			if depth--; depth == 0 {
				return i + 1
			}
			if depth&63 == 0 {
				last := len(w.sc.nest) - 1
				open, w.sc.nest = w.sc.nest[last], w.sc.nest[:last]
			}
		}
		i++
	}
	return ^i
}

// skipWord passes over what stands where a number or a word should: up to what
// cannot be part of it.
func (w *walker) skipWord(i int) int {
	start := i
	for i < len(w.data) {
		switch w.data[i] {
		case ',', '}', ']', ' ', '\t', '\n', '\r', ':', '"', '{', '[':
			if i == start {
				return ^i
			}
			return i
		}
		i++
	}
	if i == start {
		return ^i
	}
	return i
}

// stringEnd gives the place of the quote that ends the string at i, or -1.
func stringEnd(data []byte, i int) int {
	for j := i + 1; ; {
		k := bytes.IndexByte(data[j:], '"')
		if k < 0 {
			return -1
		}
		j += k
		if data[j-1] != '\\' || !escaped(data, i+1, j) {
			return j
		}
		j++
	}
}

// escaped tells whether an odd number of backslashes stands before j.
func escaped(data []byte, start, j int) bool {
	n := 0
	for j-1-n >= start && data[j-1-n] == '\\' {
		n++
	}
	return n%2 == 1
}

// content is the text of the string from the quote at i to that at end.
func (w *walker) content(i, end int) []byte {
	raw := w.data[i+1 : end : end]
	if plain(raw) < len(raw) {
		return w.unescape(raw)
	}
	return raw
}

// unescape gives raw without escapes and as valid UTF-8, where encoding/json
// puts the replacement character too.
func (w *walker) unescape(raw []byte) []byte {
	if utf8.Valid(raw) && bytes.IndexByte(raw, '\\') < 0 {
		return raw
	}
	start := len(w.sc.text)
	out := w.sc.text
	for i := 0; i < len(raw); {
		switch c := raw[i]; {
		case c == '\\' && i+1 < len(raw):
			if raw[i+1] == 'u' {
				r, size := unicodeEscape(raw[i:])
				out = utf8.AppendRune(out, r)
				i += size
				continue
			}
			out = append(out, control(raw[i+1]))
			i += 2
		case c < utf8.RuneSelf:
			out = append(out, c)
			i++
		default:
			r, size := utf8.DecodeRune(raw[i:])
			out = utf8.AppendRune(out, r)
			i += size
		}
	}
	w.sc.text = out
	return out[start:len(out):len(out)]
}

func control(c byte) byte {
	switch c {
	case 'n':
		return '\n'
	case 't':
		return '\t'
	case 'r':
		return '\r'
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	}
	return c // a quote, a backslash, a slash
}

// unicodeEscape reads \uXXXX, or a pair of them that makes one character.
func unicodeEscape(s []byte) (rune, int) {
	r, ok := hex4(s)
	if !ok {
		return utf8.RuneError, min(len(s), 2)
	}
	if utf16.IsSurrogate(r) {
		if low, ok := hex4(s[6:]); ok {
			if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
				return pair, 12
			}
		}
		return utf8.RuneError, 6
	}
	return r, 6
}

func hex4(s []byte) (rune, bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range s[2:6] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// keywords collects every value of the record but objects, which are their
// values. The record is known to be balanced; it is read token by token, since
// a colon behind a string is all that tells a key from a value.
func (w *walker) keywords(i int) {
	for i < len(w.data) {
		switch c := w.data[i]; c {
		case '{', '}', '[', ']', ',', ':', ' ', '\t', '\n', '\r':
			i++
		case '"':
			end := stringEnd(w.data, i)
			if end < 0 {
				return
			}
			if next := w.space(end + 1); w.at(next) != ':' {
				w.add(keywordSlot, ir.Value{Kind: ir.String, Text: w.content(i, end)})
			}
			i = end + 1
		default:
			end := w.skipWord(i) // in what was skipped nothing but brackets was checked
			if end < 0 {
				return
			}
			w.add(keywordSlot, scalar(w.data[i:end]))
			i = end
		}
	}
}
