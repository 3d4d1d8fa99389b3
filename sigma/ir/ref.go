package ir

import (
	"bytes"
	"encoding/binary"
	"index/suffixarray"
	"math"
	"strconv"
)

// Up to so many pairs of values, or so few values on one side, are compared one
// by one. Of more, one side is indexed: a record with long arrays in both fields
// must not cost the product of their lengths.
const (
	maxPairs = 1024
	fewRefs  = 8
)

// holdsRef tells whether a value of f is, begins with, ends with or contains one
// of ref.
func (a *Atom) holdsRef(f, ref *Field, buf *Buffer) bool {
	n, m := len(f.Values), len(ref.Values)
	switch {
	case n*m <= maxPairs || min(n, m) <= fewRefs:
		return a.refPairs(f, ref, buf)
	case a.RefOp == Eq:
		return a.refEqual(f, ref, buf)
	}
	return a.refWithin(f, ref, buf)
}

// refPairs is the definition of the other two.
func (a *Atom) refPairs(f, ref *Field, buf *Buffer) bool {
	for i := range ref.Values {
		w := &ref.Values[i]
		if w.Kind == Null {
			continue
		}
		var number Decimal
		isNumber := false
		if a.RefOp == Eq && w.Kind == Number {
			number, isNumber = ParseDecimal(string(w.Text))
		}
		if a.refHolds(f, a.form(w, buf), buf) {
			return true
		}
		for k := range f.Values {
			if !isNumber {
				break
			}
			if order, ok := number.compare(f.Values[k].Text); ok && order == 0 && f.Values[k].Kind != Null {
				return true
			}
		}
	}
	return false
}

// refHolds compares every value of f with one text.
func (a *Atom) refHolds(f *Field, with []byte, buf *Buffer) bool {
	for i := range f.Values {
		v := &f.Values[i]
		if v.Kind == Null {
			continue
		}
		held := false
		switch text := a.form(v, buf); a.RefOp {
		case Eq:
			held = bytes.Equal(text, with)
		case Prefix:
			held = bytes.HasPrefix(text, with)
		case Suffix:
			held = bytes.HasSuffix(text, with)
		default:
			held = bytes.Contains(text, with)
		}
		if held {
			return true
		}
	}
	return false
}

// refEqual finds values of f among those of ref by hash.
func (a *Atom) refEqual(f, ref *Field, buf *Buffer) bool {
	texts, numbers := make(map[string]struct{}, len(ref.Values)), map[string]struct{}{}
	var key []byte
	for i := range ref.Values {
		w := &ref.Values[i]
		if w.Kind == Null {
			continue
		}
		texts[string(a.form(w, buf))] = struct{}{}
		if w.Kind == Number {
			for form := range numberForms {
				if key = form.append(key[:0], w.Text); len(key) > 0 {
					numbers[string(key)] = struct{}{}
				}
			}
		}
	}
	for i := range f.Values {
		v := &f.Values[i]
		if v.Kind == Null {
			continue
		}
		if _, ok := texts[string(a.form(v, buf))]; ok {
			return true
		}
		if len(numbers) == 0 {
			continue
		}
		for form := range numberForms {
			if key = form.other().append(key[:0], v.Text); len(key) > 0 {
				if _, ok := numbers[string(key)]; ok {
					return true
				}
			}
		}
	}
	return false
}

// numberForm is one way in which two numbers are equal: Decimal.compare holds
// integers against each other exactly, what is beyond float64 too, and an
// integer against a fraction, or two of those, as float64.
type numberForm uint8

const (
	asInteger numberForm = iota
	asFloat              // of a number with a fraction or an exponent
	asRounded            // of an integer
	asAny                // of either
	numberForms
)

// other is the form that a number has which equals one of form n: an integer's
// rounded one and a fraction's meet, since asFloat is asked for both.
func (n numberForm) other() numberForm {
	switch n {
	case asFloat:
		return asAny
	case asRounded:
		return asFloat
	}
	return n
}

// append appends the key of a number under form n, or nothing where it has none.
func (n numberForm) append(dst, text []byte) []byte {
	if !isNumber(text) {
		return dst
	}
	whole := isInteger(text)
	f, _ := strconv.ParseFloat(string(text), 64)
	switch {
	case atEdge(f):
		if n != asInteger {
			return dst
		}
		x := takeApart(text)
		dst = append(dst, 'x')
		if x.negative {
			dst = append(dst, '-')
		}
		dst = append(dst, x.digits...)
		return strconv.AppendInt(append(dst, 'e'), x.exponent, 10)
	case n == asInteger && whole:
		return append(append(dst, 'i'), text...)
	case n == asFloat && !whole, n == asAny:
		return binary.BigEndian.AppendUint64(append(dst, 'f'), math.Float64bits(f))
	case n == asRounded && whole:
		return binary.BigEndian.AppendUint64(append(dst, 'r'), math.Float64bits(f))
	}
	return dst
}

// separator stands between texts. No text that is UTF-8 holds it.
const separator = 0xff

// refWithin finds values of ref in all values of f at once.
func (a *Atom) refWithin(f, ref *Field, buf *Buffer) bool {
	all := []byte{separator}
	for i := range f.Values {
		if v := &f.Values[i]; v.Kind != Null {
			all = append(append(all, a.form(v, buf)...), separator)
		}
	}
	if len(all) == 1 {
		return false
	}
	index := suffixarray.New(all)
	var sought []byte
	for i := range ref.Values {
		w := &ref.Values[i]
		if w.Kind == Null {
			continue
		}
		text := a.form(w, buf)
		if bytes.IndexByte(text, separator) >= 0 { // of an object that is no UTF-8
			if a.refHolds(f, text, buf) {
				return true
			}
			continue
		}
		sought = sought[:0]
		if a.RefOp == Prefix {
			sought = append(sought, separator)
		}
		sought = append(sought, text...)
		if a.RefOp == Suffix {
			sought = append(sought, separator)
		}
		if len(sought) == 0 || len(index.Lookup(sought, 1)) > 0 {
			return true
		}
	}
	return false
}
