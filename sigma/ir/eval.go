package ir

import (
	"bytes"
	"net/netip"
	"time"
)

// Holds tells whether the field satisfies a. Ref is the field that a FieldRef
// names, nil for any other atom.
func (a *Atom) Holds(f, ref *Field, buf *Buffer) bool {
	switch a.Op {
	case Exists:
		return f.Present
	case IsNull:
		return !f.Present || anyNull(f)
	case FieldRef:
		return a.holdsRef(f, ref, buf)
	}
	for i := range f.Values {
		v := &f.Values[i]
		if v.Kind == Null {
			continue
		}
		if a.holdsValue(v, buf) {
			return true
		}
	}
	return false
}

func anyNull(f *Field) bool {
	for i := range f.Values {
		if f.Values[i].Kind == Null {
			return true
		}
	}
	return false
}

// holdsValue tells whether one value that is not null satisfies a.
func (a *Atom) holdsValue(v *Value, buf *Buffer) bool {
	switch a.Op {
	case Eq, Prefix, Suffix, Contains:
		return compareText(a.Op, a.form(v, buf), a.Text)
	case Glob:
		return a.glob.match(a.form(v, buf))
	case Regex:
		return a.regex.Match(v.text(buf))
	case CIDR:
		return a.holdsAddress(v)
	case Compare:
		order, ok := a.compareNumber(v)
		return ok && a.Cmp.holds(order)
	case TimePart:
		n, ok := timePart(v.Text, a.Part)
		return ok && a.Cmp.holds(compareFloats(float64(n), a.Number.float))
	}
	return false
}

// form is v's text as a compares it.
func (a *Atom) form(v *Value, buf *Buffer) []byte {
	if a.Cased {
		return v.text(buf)
	}
	return v.Folded(buf)
}

func compareText(op Op, text []byte, with string) bool {
	switch op {
	case Eq:
		return string(text) == with
	case Prefix:
		return len(text) >= len(with) && string(text[:len(with)]) == with
	case Suffix:
		return len(text) >= len(with) && string(text[len(text)-len(with):]) == with
	}
	return bytes.Contains(text, []byte(with)) // the conversion does not allocate
}

func (a *Atom) compareNumber(v *Value) (int, bool) {
	if v.Kind != Number && v.Kind != String {
		return 0, false
	}
	return a.Number.compare(v.Text)
}

func (a *Atom) holdsAddress(v *Value) bool {
	// The longest address text has 45 bytes and a zone; a name is no address.
	if v.Kind != String || len(v.Text) > 64 || len(v.Text) == 0 {
		return false
	}
	if c := v.Text[0]; c != ':' && !('0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F') {
		return false // spares most names the error that parsing would make
	}
	addr, err := netip.ParseAddr(string(v.Text))
	return err == nil && a.Net.Contains(addr.Unmap().WithZone(""))
}

func (c Cmp) holds(order int) bool {
	switch c {
	case Less:
		return order < 0
	case LessOrEqual:
		return order <= 0
	case Greater:
		return order > 0
	case GreaterOrEqual:
		return order >= 0
	}
	return order == 0
}

func compareFloats(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// timePart takes a part from a date as RFC 3339 writes it, with T or a space,
// as it is written: no zone is converted. Without a time of day there is no hour
// and no minute.
func timePart(s []byte, part Part) (int, bool) {
	number := func(from, to, least, most int) (int, bool) {
		n := 0
		for _, c := range s[from:to] {
			if c < '0' || c > '9' {
				return 0, false
			}
			n = n*10 + int(c-'0')
		}
		return n, least <= n && n <= most
	}
	if len(s) < 10 || s[4] != '-' || s[7] != '-' {
		return 0, false
	}
	year, ok1 := number(0, 4, 0, 9999)
	month, ok2 := number(5, 7, 1, 12)
	day, ok3 := number(8, 10, 1, 31)
	if !ok1 || !ok2 || !ok3 {
		return 0, false
	}
	date := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	if date.Day() != day { // 30 February
		return 0, false
	}
	if len(s) > 10 && (len(s) < 16 || s[10] != 'T' && s[10] != 't' && s[10] != ' ' || s[13] != ':') {
		return 0, false
	}
	switch part {
	case Year:
		return year, true
	case Month:
		return month, true
	case Day:
		return day, true
	case Week:
		_, week := date.ISOWeek()
		return week, true
	}
	if len(s) < 16 {
		return 0, false
	}
	hour, ok1 := number(11, 13, 0, 23)
	minute, ok2 := number(14, 16, 0, 59)
	if part == Minute {
		return minute, ok1 && ok2
	}
	return hour, ok1 && ok2
}

// Uncase makes a look at text without regard to case.
func (a *Atom) Uncase() {
	a.Cased = false
	a.Text = FoldString(a.Text)
	a.glob = a.glob.maps(FoldString)
}

// Accepts tells whether v is of a type that could satisfy a: numbers for
// comparisons, addresses for networks, dates for their parts.
func (a *Atom) Accepts(v *Value) bool {
	switch a.Op {
	case Exists, IsNull:
		return true
	case Compare:
		return (v.Kind == Number || v.Kind == String) && isNumber(v.Text)
	case CIDR:
		_, err := netip.ParseAddr(string(v.Text))
		return v.Kind == String && err == nil
	case TimePart:
		_, ok := timePart(v.Text, Year)
		return v.Kind == String && ok
	}
	return v.Kind != Null
}

// Content is v's text as it is, an object's without white space.
func (v *Value) Content(buf *Buffer) []byte { return v.text(buf) }
