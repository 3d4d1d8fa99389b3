package ir

import (
	"bytes"
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
	for i := range ref.Values {
		w := &ref.Values[i]
		if w.Kind == Null {
			continue
		}
		texts[string(a.form(w, buf))] = struct{}{}
		if w.Kind == Number {
			for _, key := range numberKeys(w.Text, asHeld) {
				numbers[key] = struct{}{}
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
		for _, key := range numberKeys(v.Text, asAsked) {
			if _, ok := numbers[key]; ok {
				return true
			}
		}
	}
	return false
}

// A key begins with what it says of numbers that have it.
const (
	keyExact   = "x" // float64 cannot tell them apart
	keyInteger = "i"
	keyWhole   = "w" // an integer as float64
	keyFloat   = "f" // another number as float64
)

// Of a pair of numbers, Decimal.compare holds two integers against each other
// exactly, an integer and a fraction, or two of those, as float64. The keys of
// which each kind is held under, and asked for with, are such that two numbers
// share one if they are equal by that.
var (
	asHeld  = map[bool][]string{true: {keyInteger, keyWhole}, false: {keyFloat}}
	asAsked = map[bool][]string{true: {keyInteger, keyFloat}, false: {keyWhole, keyFloat}}
)

// numberKeys gives the keys of a text that is a number; of any other, none.
func numberKeys(text []byte, kinds map[bool][]string) []string {
	if !isNumber(text) {
		return nil
	}
	f, _ := strconv.ParseFloat(string(text), 64)
	if atEdge(f) {
		return []string{keyExact + takeApart(text).key()}
	}
	var keys []string
	for _, kind := range kinds[isInteger(text)] {
		if kind == keyInteger {
			keys = append(keys, kind+string(text))
		} else {
			keys = append(keys, kind+strconv.FormatUint(math.Float64bits(f), 16))
		}
	}
	return keys
}

// separator stands between texts. No text that is UTF-8 holds it; objects that
// are none are compared one by one.
const separator = 0xff

// refWithin finds values of ref in all values of f at once.
func (a *Atom) refWithin(f, ref *Field, buf *Buffer) bool {
	all := []byte{separator}
	var odd Field
	for i := range f.Values {
		v := &f.Values[i]
		if v.Kind == Null {
			continue
		}
		if text := a.form(v, buf); bytes.IndexByte(text, separator) >= 0 {
			odd.Values = append(odd.Values, *v)
		} else {
			all = append(append(all, text...), separator)
		}
	}
	if len(odd.Values) > 0 && a.refPairs(&odd, ref, buf) {
		return true
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
		if bytes.IndexByte(text, separator) >= 0 {
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
