package record

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/internal/jsontree"
)

// At follows a path of keys.
func At(v jsontree.Value, path ...string) jsontree.Value {
	for _, key := range path {
		v = v.Get(key)
	}
	return v
}

// Fold is the member of an object with that key in whatever case; exporters
// write keys in small letters.
func Fold(v jsontree.Value, key string) jsontree.Value {
	if m := v.Get(key); m.Exists() {
		return m
	}
	for m := v.First(); m.Exists(); m = m.Next() {
		if strings.EqualFold(m.Key(), key) {
			return m
		}
	}
	return jsontree.Value{}
}

// First is the first of the texts that is not empty.
func First(texts ...string) string {
	for _, s := range texts {
		if s != "" {
			return s
		}
	}
	return ""
}

// Truth reads a boolean, which some records and exporters write as a string.
func Truth(v jsontree.Value) (val, known bool) {
	switch v.Kind() {
	case jsontree.True:
		return true, true
	case jsontree.False:
		return false, true
	case jsontree.String:
		switch s := v.String(); {
		case strings.EqualFold(s, "true"):
			return true, true
		case strings.EqualFold(s, "false"):
			return false, true
		}
	}
	return false, false
}

// Address reads an address as logs write it: bare, with a port, in brackets, an
// IPv4 address mapped into IPv6, the first of a list. What is none, and says
// something, is a host.
func Address(s string) (ip, host string) {
	s, _, _ = strings.Cut(s, ",")
	s = strings.TrimSpace(s)
	switch {
	case s == "", s == "-", strings.EqualFold(s, "null"), strings.EqualFold(s, "<null>"), strings.EqualFold(s, "unknown"):
		return "", ""
	}
	if a, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil && a.Zone() == "" {
		return a.Unmap().String(), ""
	}
	if ap, err := netip.ParseAddrPort(s); err == nil && ap.Addr().Zone() == "" {
		return ap.Addr().Unmap().String(), ""
	}
	return "", s
}

// layouts of times, besides RFC 3339; those without a zone are UTC.
var layouts = []string{
	"2006-01-02T15:04:05", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05", "2006-01-02 15:04:05 UTC",
}

// Time reads a time: RFC 3339, the same without a zone (UTC) or with a space in
// place of the T, or seconds or milliseconds since 1970. field is its name, for
// the error.
func Time(v jsontree.Value, field string) (time.Time, error) {
	switch v.Kind() {
	case jsontree.String:
		s := strings.TrimSpace(v.String())
		if t, err := time.Parse(time.RFC3339, s); err == nil {
			return usable(t, v, field)
		}
		for _, layout := range layouts {
			if t, err := time.Parse(layout, s); err == nil {
				return usable(t, v, field)
			}
		}
	case jsontree.Number:
		if f, err := strconv.ParseFloat(v.Text(), 64); err == nil && f >= 0 && f <= 1e14 {
			if f > 1e11 {
				f /= 1000
			}
			return time.UnixMicro(int64(f*1e6 + 0.5)).UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%s is %s, not a time such as 2006-01-02T15:04:05Z", field, Describe(v))
}

// usable refuses the year one, which is how .NET writes that there is no time.
func usable(t time.Time, v jsontree.Value, field string) (time.Time, error) {
	if t.Year() < 1970 {
		return time.Time{}, fmt.Errorf("%s is %s, before there were such logs", field, Describe(v))
	}
	return t.UTC().Truncate(time.Microsecond), nil
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

// Nameless is the error of a record that does not say what happened: v is what it
// has in that field.
func Nameless(v jsontree.Value, field string) error {
	return fmt.Errorf("%s is %s, not the name of what happened", field, Describe(v))
}
