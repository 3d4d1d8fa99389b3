package query

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// period reads a time as people write it and gives what it covers: a day is
// all of it. why says in a person's words what is wrong, if anything.
func period(s string, now time.Time) (from, to time.Time, why string) {
	if t, ok, why := relative(s, now); ok {
		return t, t.Add(time.Microsecond), why
	}
	body := s
	if len(body) > 10 && (body[10] == ' ' || body[10] == 't') {
		body = body[:10] + "T" + body[11:]
	}
	zone := ""
	if len(body) > 10 {
		if i := strings.LastIndexAny(body, "Zz+-"); i > 10 {
			body, zone = body[:i], strings.ToUpper(body[i:])
		}
	}
	if zone == "" {
		zone = "Z"
	}
	body, frac, hasFrac := strings.Cut(body, ".")
	layouts := map[int]string{4: "2006", 7: "2006-01", 10: "2006-01-02", 13: "2006-01-02T15", 16: "2006-01-02T15:04", 19: "2006-01-02T15:04:05"}
	layout := layouts[len(body)]
	t, err := time.Parse(layout+"Z07:00", body+zone)
	if layout == "" || err != nil || t.Year() < 1900 || t.Year() > 2999 {
		return from, to, fmt.Sprintf("%q is not a time such as 2026-01-31, 2026-01-31T15:04:05Z or now-7d", s)
	}
	t = t.UTC()
	switch len(layout) {
	case 4:
		return t, t.AddDate(1, 0, 0), ""
	case 7:
		return t, t.AddDate(0, 1, 0), ""
	case 10:
		return t, t.AddDate(0, 0, 1), ""
	case 13:
		return t, t.Add(time.Hour), ""
	case 16:
		return t, t.Add(time.Minute), ""
	}
	if !hasFrac {
		return t, t.Add(time.Second), ""
	}
	n, err := strconv.ParseUint(frac, 10, 32)
	if err != nil || len(frac) > 6 {
		return from, to, fmt.Sprintf("%q: a second has up to six digits behind its point", s)
	}
	unit := time.Second
	for range frac {
		unit /= 10
	}
	t = t.Add(time.Duration(n) * unit)
	return t, t.Add(unit), ""
}

// relative reads "now", "now-7d", "-7d".
func relative(s string, now time.Time) (t time.Time, ok bool, why string) {
	rest, isNow := strings.CutPrefix(lowerText(s), "now")
	if !isNow && !strings.HasPrefix(rest, "-") {
		return t, false, ""
	}
	bad := fmt.Sprintf("%q is not a time such as now, now-7d or -12h (units: s m h d w)", s)
	var ago time.Duration
	if rest != "" {
		unit, known := map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}[rest[len(rest)-1]]
		n, err := strconv.ParseInt(rest[:len(rest)-1], 10, 32)
		if !known || err != nil || n < -100_000 || n > 100_000 || rest[0] != '-' && rest[0] != '+' {
			return t, true, bad
		}
		ago = time.Duration(n) * unit
	}
	if now.IsZero() {
		return t, true, fmt.Sprintf("%q depends on the clock, which this place does not look at: write the time out", s)
	}
	t = now.UTC().Truncate(time.Microsecond).Add(ago)
	if t.Year() < 1900 || t.Year() > 2999 {
		return t, true, bad
	}
	return t, true, ""
}
