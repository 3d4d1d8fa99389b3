// Package column makes texts and times of provider's records fit for the columns
// of events; normalisers share it.
package column

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
	"unsafe"

	"github.com/yagura-sec/yagura/internal/jsontree"
)

// Max is how many bytes of a text go into a column; the record keeps the rest.
const Max = 8 << 10

// Text makes a string fit for a column: at most Max bytes, and without NUL,
// which some stores cannot hold.
func Text(s string) string {
	if len(s) > Max {
		s = cut(s, Max)
	}
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "\uFFFD")
	}
	return s
}

// cut shortens s to at most n bytes, between two characters.
func cut(s string, n int) string {
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// Str is Text of a string; empty for every other kind of value.
func Str(v jsontree.Value) string {
	s := v.String()
	if len(s) <= Max && !v.Escaped() {
		return s
	}
	return Text(s)
}

// Scalar is Text of a string or of a number's digits, for identifiers that some
// writers give as numbers.
func Scalar(v jsontree.Value) string { return Text(v.Text()) }

// Truth reads a boolean, which some writers give as a string.
func Truth(v jsontree.Value) (val, known bool) {
	switch v.Kind() {
	case jsontree.True:
		return true, true
	case jsontree.False:
		return false, true
	case jsontree.String:
		switch s := v.String(); {
		case strings.EqualFold(s, "true"), strings.EqualFold(s, "yes"):
			return true, true
		case strings.EqualFold(s, "false"), strings.EqualFold(s, "no"):
			return false, true
		}
	}
	return false, false
}

// Share is b as a string without a copy. A raw record's bytes never change once
// delivered, and an event may share their memory (event.Raw, event.Event).
func Share(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// Join puts two notes into one line.
func Join(a, b string) string {
	switch {
	case a == "":
		return b
	case b == "":
		return a
	}
	return a + "; " + b
}

// Describe names a value as a person would in an error.
func Describe(v jsontree.Value) string {
	switch v.Kind() {
	case jsontree.Absent:
		return "missing"
	case jsontree.String, jsontree.Number:
		if s := v.Text(); len(s) <= 64 {
			return fmt.Sprintf("%q", s)
		}
		return "a long " + strings.TrimPrefix(v.Kind().String(), "a ")
	}
	return v.Kind().String()
}

// Address tells what stands where an address is expected: ip if it is one, in
// the usual spelling, else host.
func Address(s string) (ip, host string) {
	s = strings.TrimSpace(s)
	if addr, err := netip.ParseAddr(s); err == nil && addr.Zone() == "" {
		return addr.Unmap().String(), ""
	}
	return "", s
}

// layouts are how records write a time besides RFC 3339; without a zone it is UTC.
var layouts = []string{"2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05", "2006-01-02T15:04:05"}

// Time reads a time in UTC, to the microsecond: RFC 3339, or as spreadsheets and
// databases write it, or seconds or milliseconds since 1970.
func Time(v jsontree.Value) (time.Time, bool) {
	if v.Kind() == jsontree.String {
		return ParseTime(v.String())
	}
	if v.Kind() != jsontree.Number {
		return time.Time{}, false
	}
	f, err := strconv.ParseFloat(v.Text(), 64)
	if err != nil || f < 0 || f > 1e14 {
		return time.Time{}, false
	}
	if f > 1e11 {
		f /= 1000
	}
	return time.UnixMicro(int64(f*1e6 + 0.5)).UTC(), true
}

// ParseTime reads a time written as text, as Time does.
func ParseTime(s string) (time.Time, bool) {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t.UTC().Truncate(time.Microsecond), true
	}
	for _, layout := range layouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC().Truncate(time.Microsecond), true
		}
	}
	return time.Time{}, false
}

// maxName is how many bytes of one name go into a Line.
const maxName = 120

// Line puts a message of one line together.
type Line struct{ b []byte }

// NewLine writes into b's memory.
func NewLine(b []byte) Line { return Line{b[:0]} }

// Words writes our own words.
func (l *Line) Words(s string) { l.b = append(l.b, s...) }

// Name writes a text that came from outside: shortened, and with everything that
// would break the line or steer a terminal taken out.
func (l *Line) Name(s string) {
	shortened := false
	if len(s) > maxName {
		s, shortened = cut(s, maxName), true
	}
	for _, r := range s {
		if !unicode.IsPrint(r) {
			r = ' '
		}
		l.b = utf8.AppendRune(l.b, r)
	}
	if shortened {
		l.Words("…")
	}
}

// Bytes is the memory of the line, to be used again.
func (l *Line) Bytes() []byte { return l.b }

func (l *Line) String() string { return string(l.b) }
