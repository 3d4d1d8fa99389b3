package calendar

import (
	"fmt"
	"time"

	"github.com/yagura-sec/yagura/finding"
)

// maxTimes is how often a window may take place between two times.
const maxTimes = 50_000

// Expand is triage.Expand: when a window that repeats takes place between two
// times, in order. It begins and ends at the same time of day in its zone, in
// summer and winter; its first time is w.Start, whether the rule would choose it
// or not (RFC 5545, 3.8.5.3).
func Expand(w *finding.Window, from, to time.Time) ([]finding.Span, error) {
	zone := time.UTC
	if w.Zone != "" {
		if zone = byName(w.Zone); zone == nil {
			return nil, fmt.Errorf("no time zone %.60q is known", w.Zone)
		}
	}
	r, err := parseRule(w.Repeat)
	if err != nil {
		return nil, err
	}
	start := wall(w.Start, zone)
	length := wall(w.End, zone).Sub(start)
	if exact := w.End.Sub(w.Start); length <= 0 {
		length = exact // it began and ended around a change of the clock
	}
	var out []finding.Span
	var full error
	put := func(at time.Time) {
		one := finding.Span{Start: instant(at, zone), End: instant(at.Add(length), zone)}
		switch {
		case !one.End.After(from) || !one.Start.Before(to) || !one.End.After(one.Start):
		case len(out) >= maxTimes:
			full = fmt.Errorf("RRULE: it takes place more than %d times", maxTimes)
		default:
			out = append(out, one)
		}
	}
	put(start)
	b := budget{}
	err = b.walls(r, start, wall(to, zone).Add(time.Second), func(t time.Time) time.Time { return wall(t, zone) }, func(t time.Time) {
		if t.After(start) {
			put(t)
		}
	})
	if err == nil {
		err = full
	}
	return out, err
}
