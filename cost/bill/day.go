package bill

import (
	"errors"
	"strings"
	"time"
)

// day is a day of the calendar: year<<9 | month<<5 | day of month; 0: none.
type day int32

func dayOf(year, month, of int) day { return day(year<<9 | month<<5 | of) }

// first is the first day of its month.
func (d day) first() day { return d&^31 | 1 }

func (d day) time() time.Time {
	if d == 0 {
		return time.Time{}
	}
	return time.Date(int(d>>9), time.Month(d>>5&15), int(d&31), 0, 0, 0, 0, time.UTC)
}

var errNoDay = errors.New("is no moment such as 2026-04-01T00:00:00Z")

// moments are the ways in which bills write a time, but for those that plainDay
// reads. Where two readings are possible it is the American one: providers write so.
var moments = []string{
	time.RFC3339Nano, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05 MST", "2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05-07",
	"2006-01-02T15:04:05-0700", "2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02",
	"1/2/2006", "1/2/06", "1/2/2006 15:04", "1/2/2006 15:04:05", "1/2/2006 3:04:05 PM", "20060102", "200601", "2006-01",
}

// parseDay reads the day, UTC, of a moment.
func parseDay(b []byte) (day, error) {
	if d, ok := plainDay(b); ok {
		return d, nil
	}
	s := strings.TrimSpace(string(b))
	if len(s) > 40 {
		return 0, errNoDay
	}
	for _, layout := range moments {
		if t, err := time.Parse(layout, s); err == nil {
			if t = t.UTC(); t.Year() < 2000 || t.Year() > 2100 {
				return 0, errors.New("is of no year between 2000 and 2100")
			}
			return dayOf(t.Year(), int(t.Month()), t.Day()), nil
		}
	}
	return 0, errNoDay
}

// plainDay reads 2026-04-01, alone or before T00:00:00Z, as nearly all bills have it.
func plainDay(b []byte) (day, bool) {
	if len(b) != 10 && (len(b) != 20 || b[10] != 'T' || b[13] != ':' || b[16] != ':' || b[19] != 'Z') || b[4] != '-' || b[7] != '-' {
		return 0, false
	}
	ok := true
	two := func(i int) int {
		ok = ok && b[i] >= '0' && b[i] <= '9' && b[i+1] >= '0' && b[i+1] <= '9'
		return int(b[i]-'0')*10 + int(b[i+1]-'0')
	}
	year, month, of := two(0)*100+two(2), two(5), two(8)
	if len(b) == 20 {
		ok = two(11) < 24 && two(14) < 60 && two(17) < 61 && ok
	}
	// Days that not every month has are left to the calendar of the standard library.
	if !ok || year < 2000 || year > 2100 || month < 1 || month > 12 || of < 1 || of > 28 {
		return 0, false
	}
	return dayOf(year, month, of), true
}
