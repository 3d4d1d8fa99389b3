package calendar

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// when is a time as a calendar says it.
type when struct {
	wall time.Time // what the clock in the zone shows, carried as UTC
	zone *time.Location
	date bool // a whole day
}

func (w when) instant() time.Time { return instant(w.wall, w.zone) }

// key names a recurrence, however its time is written.
func (w when) key() string { return w.instant().Format("20060102T150405Z") }

// years in which planned work is believed.
const firstYear, lastYear = 1970, 2200

// when reads a DATE or DATE-TIME.
func (z *zones) when(p *prop) (when, error) {
	value := strings.TrimSpace(p.value)
	w := when{zone: z.zone}
	var err error
	switch {
	case len(value) == 8:
		w.date = true
		w.wall, err = time.Parse("20060102", value)
	case strings.HasSuffix(value, "Z"):
		w.zone = time.UTC
		w.wall, err = time.Parse("20060102T150405Z", value)
	default:
		if w.wall, err = time.Parse("20060102T150405", value); err == nil && p.params["TZID"] != "" {
			w.zone, err = z.find(p.params["TZID"])
			if err != nil {
				return w, fmt.Errorf("%s: %w", p.name, err)
			}
		}
	}
	if err != nil {
		return w, fmt.Errorf("%s: %.40q is no time", p.name, value)
	}
	if y := w.wall.Year(); y < firstYear || y > lastYear {
		return w, fmt.Errorf("%s: the year %d is not from %d to %d", p.name, y, firstYear, lastYear)
	}
	return w, nil
}

// floating tells whether p names no zone.
func (z *zones) floating(p *prop) bool {
	return !z.named && p.params["TZID"] == "" && !strings.HasSuffix(strings.TrimSpace(p.value), "Z")
}

// length is how long an event takes: days of the calendar, which may have 23
// hours, and an exact time.
type length struct {
	days  int
	exact time.Duration
}

func (l length) end(start when) time.Time {
	if l.days == 0 {
		return start.instant().Add(l.exact)
	}
	return instant(start.wall.AddDate(0, 0, l.days), start.zone).Add(l.exact)
}

// long reads how long an event takes.
func (z *zones) long(e *component, start when) (length, error) {
	if p := e.get("DTEND"); p != nil {
		end, err := z.when(p)
		if err != nil {
			return length{}, err
		}
		if !start.date || !end.date {
			return length{exact: end.instant().Sub(start.instant())}, nil
		}
		if days := int(end.wall.Sub(start.wall) / (24 * time.Hour)); days != 0 {
			return length{days: days}, nil
		}
		return length{days: 1}, nil // some calendars write the same day twice
	}
	if p := e.get("DURATION"); p != nil {
		return parseLength(p.value)
	}
	if start.date {
		return length{days: 1}, nil
	}
	return length{}, nil
}

// parseLength reads a DURATION such as P1DT2H or PT90M (RFC 5545, 3.3.6).
func parseLength(s string) (length, error) {
	s = strings.ToUpper(strings.TrimSpace(s))
	wrong := fmt.Errorf("%.40q is no duration", s)
	rest, ok := strings.CutPrefix(strings.TrimPrefix(s, "+"), "P")
	if !ok || rest == "" {
		return length{}, wrong
	}
	var l length
	clock := false
	units := map[byte]time.Duration{'H': time.Hour, 'M': time.Minute, 'S': time.Second}
	for rest != "" {
		if !clock && rest[0] == 'T' {
			clock, rest = true, rest[1:]
		}
		end := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
		if end < 1 || end > 7 {
			return length{}, wrong
		}
		n, err := strconv.Atoi(rest[:end])
		if err != nil {
			return length{}, wrong
		}
		unit := rest[end]
		rest = rest[end+1:]
		switch d, timed := units[unit]; {
		case clock && timed:
			l.exact += time.Duration(n) * d
		case !clock && unit == 'W':
			l.days += 7 * n
		case !clock && unit == 'D':
			l.days += n
		default:
			return length{}, wrong
		}
	}
	if l.days > 36_525 || l.exact > 100*365*24*time.Hour {
		return length{}, fmt.Errorf("%.40q is longer than a century", s)
	}
	return l, nil
}
