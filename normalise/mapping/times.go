package mapping

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// timeFormat is one way in which a time is written.
type timeFormat struct {
	name     string // iso, unix, filetime, or empty: layout
	layout   string
	yearless bool
}

// directives of strftime and what they are in Go's layouts.
var directives = map[byte]string{
	'Y': "2006", 'y': "06", 'm': "01", 'd': "02", 'e': "_2", 'H': "15", 'I': "03", 'M': "04", 'S': "05", 'p': "PM",
	'b': "Jan", 'B': "January", 'a': "Mon", 'A': "Monday", 'z': "-0700", 'Z': "MST", 'F': "2006-01-02", 'T': "15:04:05", 'D': "01/02/06", '%': "%",
}

// newTimeFormat reads the name of a form, or one in strftime's directives. A
// fraction of a second behind the seconds is read wherever there is one.
func newTimeFormat(s string) (timeFormat, error) {
	switch s {
	case "iso", "unix", "filetime":
		return timeFormat{name: s}, nil
	}
	var b strings.Builder
	yearless := true
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			if '0' <= s[i] && s[i] <= '9' {
				return timeFormat{}, fmt.Errorf("time %q: a digit stands for itself nowhere", s)
			}
			b.WriteByte(s[i])
			continue
		}
		i++
		if i == len(s) || directives[s[i]] == "" {
			return timeFormat{}, fmt.Errorf("time %q: after %% one of Y y m d e H I M S p b B a A z Z F T D is known", s)
		}
		if strings.IndexByte("YyFD", s[i]) >= 0 {
			yearless = false
		}
		b.WriteString(directives[s[i]])
	}
	if !strings.Contains(s, "%") {
		return timeFormat{}, fmt.Errorf("time %q: it is iso, unix, filetime, or written with strftime's %% directives", s)
	}
	return timeFormat{layout: b.String(), yearless: yearless}, nil
}

// anyTime is what a time is tried as where nothing is said.
var anyTime = []timeFormat{{name: "iso"}, {name: "unix"}}

func (a *alternative) time(s string, received time.Time) (time.Time, bool) {
	s = strings.TrimSpace(s)
	for _, f := range a.times {
		if t, ok := f.read(s, a.zone, received); ok && 1900 < t.Year() && t.Year() < 2262 { // what nanoseconds of 64 bits hold
			return t.UTC().Truncate(time.Microsecond), true
		}
	}
	return time.Time{}, false
}

func (f timeFormat) read(s string, zone *time.Location, received time.Time) (time.Time, bool) {
	switch f.name {
	case "iso":
		return fromISO(s, zone)
	case "unix":
		return fromUnix(s)
	case "filetime":
		return fromFiletime(s)
	}
	t, err := time.ParseInLocation(f.layout, s, zone)
	if err != nil {
		return t, false
	}
	if f.yearless {
		// The year is the one in which it was not long ago when it arrived.
		year := received.In(zone).Year()
		t = t.AddDate(year-t.Year(), 0, 0)
		if t.After(received.AddDate(0, 0, 2)) {
			t = t.AddDate(-1, 0, 0)
		}
	}
	return t, true
}

// fromISO reads RFC 3339, also with a space for its T, a space before its zone, or
// no zone.
func fromISO(s string, zone *time.Location) (time.Time, bool) {
	if len(s) > 10 && s[10] == ' ' {
		s = s[:10] + "T" + s[11:]
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04:05 -0700", "2006-01-02T15:04:05-0700", "2006-01-02T15:04:05 MST"} {
		if t, err := time.ParseInLocation(layout, s, zone); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// fromUnix reads seconds since 1970, exactly as they are written, or, where they
// are too many, milli-, micro- or nanoseconds.
func fromUnix(s string) (time.Time, bool) {
	whole, nano, ok := decimal(s)
	switch { // seconds reach 1e11 in the year 5138
	case !ok:
		return time.Time{}, false
	case whole >= 1e17:
		return time.Unix(0, whole), true
	case whole >= 1e14:
		return time.UnixMicro(whole), true
	case whole >= 1e11:
		return time.UnixMilli(whole).Add(time.Duration(nano / 1000)), true
	}
	return time.Unix(whole, nano), true
}

// fromFiletime reads Windows' FILETIME: units of 100 ns since 1601.
func fromFiletime(s string) (time.Time, bool) {
	const second, from1601 = 10_000_000, 11_644_473_600
	n, _, ok := decimal(s)
	return time.Unix(n/second-from1601, n%second*100), ok
}

// decimal reads a number of units and billionths of one.
func decimal(s string) (whole, billionths int64, ok bool) {
	head, fraction, _ := strings.Cut(s, ".")
	whole, err := strconv.ParseInt(head, 10, 64)
	if err != nil || whole < 0 || head[0] == '+' {
		return 0, 0, false
	}
	for i := range 9 {
		billionths *= 10
		if i < len(fraction) {
			billionths += int64(fraction[i] - '0')
		}
	}
	return whole, billionths, strings.Trim(fraction, "0123456789") == ""
}
