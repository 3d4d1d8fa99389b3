package alert

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// maxText is how many bytes of one text are kept; the record has the rest.
const maxText = 8 << 10

// value is a part of a JSON text; the zero value is absent, and every method
// works on it.
type value struct{ v any }

// decode reads a JSON object.
func decode(body []byte) (value, error) {
	if !utf8.Valid(body) {
		return value{}, errors.New("not JSON: the text is not valid UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return value{}, fmt.Errorf("not JSON: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return value{}, fmt.Errorf("not JSON: something follows the value at byte %d", dec.InputOffset())
	}
	if _, ok := v.(map[string]any); !ok {
		return value{}, errors.New("JSON, but not an object")
	}
	return value{v}, nil
}

// key is a member by its exact name.
func (v value) key(name string) value {
	m, _ := v.v.(map[string]any)
	return value{m[name]}
}

// get goes down a path of names with dots between them. Each name is tried as
// written and then with its first letter in the other case: the same finding is
// camelCase as an event and PascalCase from an API.
func (v value) get(path string) value {
	for path != "" {
		name, rest, _ := strings.Cut(path, ".")
		path = rest
		m, _ := v.v.(map[string]any)
		x, ok := m[name]
		if !ok {
			x = m[flip(name)]
		}
		v = value{x}
	}
	return v
}

func flip(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	if unicode.IsUpper(r) {
		return string(unicode.ToLower(r)) + s[n:]
	}
	return string(unicode.ToUpper(r)) + s[n:]
}

func (v value) exists() bool { return v.v != nil }

func (v value) isObject() bool { _, ok := v.v.(map[string]any); return ok }

// str is a text or a number as text; empty for everything else.
func (v value) str() string {
	switch x := v.v.(type) {
	case string:
		return text(x)
	case json.Number:
		return x.String()
	}
	return ""
}

// text makes a string fit to be kept: bounded, and without NUL.
func text(s string) string {
	if len(s) > maxText {
		cut := maxText
		for cut > 0 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut]
	}
	return strings.ReplaceAll(strings.TrimSpace(s), "\x00", "\uFFFD")
}

// str of the first path that holds one.
func (v value) any(paths ...string) string {
	for _, p := range paths {
		if s := v.get(p).str(); s != "" {
			return s
		}
	}
	return ""
}

// maxList is how many elements of a list are read; the record has the rest. No
// product fills one so far, but what is hostile may.
const maxList = 1000

// list is an array's elements; a single value is a list of itself, as some
// exporters write lists of one.
func (v value) list() []value {
	switch x := v.v.(type) {
	case nil:
		return nil
	case []any:
		x = x[:min(len(x), maxList)]
		out := make([]value, 0, len(x))
		for _, e := range x {
			out = append(out, value{e})
		}
		return out
	}
	return []value{v}
}

// first is the first element of a list.
func (v value) first() value {
	if l := v.list(); len(l) > 0 {
		return l[0]
	}
	return value{}
}

func (v value) strs() []string {
	var out []string
	for _, e := range v.list() {
		if s := e.str(); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// num is a number, also one written as text.
func (v value) num() (float64, bool) {
	f, err := strconv.ParseFloat(v.str(), 64)
	return f, err == nil && f == f && f < 1e300 && f > -1e300
}

// count is a whole number of things: 0 where there is none.
func (v value) count() int64 {
	f, ok := v.num()
	if !ok || f < 0 || f > 1e15 {
		return 0
	}
	return int64(f)
}

// truth is a boolean, also one written as text.
func (v value) truth() bool {
	switch x := v.v.(type) {
	case bool:
		return x
	case string:
		return strings.EqualFold(x, "true")
	}
	return false
}

// time is the first of the paths that holds a time.
func (v value) time(paths ...string) time.Time {
	for _, p := range paths {
		if t := v.get(p).when(); !t.IsZero() {
			return t
		}
	}
	return time.Time{}
}

// layouts that are tried behind RFC 3339; without a zone it is UTC.
var layouts = []string{
	time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999", "2006-01-02 15:04:05.999999999Z07:00",
	"2006-01-02T15:04:05.999999999Z0700", "2006-01-02 15:04:05.999999999 -0700 MST", "2006-01-02 15:04:05.999999999 UTC",
	"Jan 2, 2006, 3:04:05 PM", // Inspector's events
}

// when reads a time: text, or seconds, milli-, micro- or nanoseconds since 1970,
// told apart by their size; or the parts of one, as a recorder of Python's
// library writes it. Zero: it is none.
func (v value) when() time.Time {
	s := v.str()
	if s == "" {
		return v.parts()
	}
	if f, ok := v.num(); ok {
		return epoch(s, f)
	}
	s = strings.ReplaceAll(s, "\u202f", " ") // which newer Java writes before PM
	for _, l := range layouts {
		if t, err := time.Parse(l, s); err == nil {
			return inRange(t.UTC())
		}
	}
	return time.Time{}
}

func epoch(s string, f float64) time.Time {
	n, err := strconv.ParseInt(s, 10, 64) // nanoseconds need all their digits
	whole := err == nil
	switch {
	case f < 1e8:
		return time.Time{}
	case f < 1e11:
		return inRange(time.UnixMicro(int64(f * 1e6)).UTC())
	case f < 1e14:
		return inRange(time.UnixMicro(int64(f * 1e3)).UTC())
	case f < 1e17:
		return inRange(time.UnixMicro(int64(f)).UTC())
	case whole:
		return inRange(time.Unix(0, n).UTC())
	}
	return time.Time{}
}

func (v value) parts() time.Time {
	if v.key("__class__").str() != "datetime" {
		return time.Time{}
	}
	n := func(name string) int { return int(v.key(name).count()) }
	if n("year") > 9999 || n("month") > 12 {
		return time.Time{}
	}
	return inRange(time.Date(n("year"), time.Month(n("month")), n("day"), n("hour"), n("minute"), n("second"), n("microsecond")*1000, time.UTC))
}

// inRange drops what no store can hold.
func inRange(t time.Time) time.Time {
	if t.Year() < 1971 || t.Year() > 2261 {
		return time.Time{}
	}
	return t.Truncate(time.Microsecond)
}

func firstTime(list ...time.Time) time.Time {
	for _, t := range list {
		if !t.IsZero() {
			return t
		}
	}
	return time.Time{}
}
