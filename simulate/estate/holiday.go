package estate

import "time"

// Holiday tells whether nobody works in an office of the country ("JP", "DE",
// "US") on the day, whose date is read in day's own zone. Only holidays of the
// whole country count; those that are moved are moved as their laws say.
func Holiday(country string, day time.Time) bool {
	y, m, d := day.Date()
	date := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	switch country {
	case "JP":
		return japan(date) || date.Weekday() == time.Monday && japan(date.AddDate(0, 0, -1))
	case "DE":
		return germany(date)
	case "US":
		return america(date)
	}
	return false
}

// Workday tells whether people of the country work on the day.
func Workday(country string, day time.Time) bool {
	return day.Weekday() != time.Saturday && day.Weekday() != time.Sunday && !Holiday(country, day)
}

func is(date time.Time, m time.Month, d int) bool { return date.Month() == m && date.Day() == d }

// nth tells whether the date is the n-th such weekday of the month.
func nth(date time.Time, m time.Month, w time.Weekday, n int) bool {
	return date.Month() == m && date.Weekday() == w && (date.Day()+6)/7 == n
}

func japan(date time.Time) bool {
	y := date.Year()
	// The equinoxes drift by a quarter of a day a year but for the leap days; good
	// for 1980 to 2099.
	leap := (y - 1980) / 4
	spring := int(20.8431+0.242194*float64(y-1980)) - leap
	autumn := int(23.2488+0.242194*float64(y-1980)) - leap
	switch {
	case is(date, time.January, 1), nth(date, time.January, time.Monday, 2),
		is(date, time.February, 11), is(date, time.February, 23),
		is(date, time.March, spring), is(date, time.April, 29),
		is(date, time.May, 3), is(date, time.May, 4), is(date, time.May, 5),
		nth(date, time.July, time.Monday, 3), is(date, time.August, 11),
		nth(date, time.September, time.Monday, 3), is(date, time.September, autumn),
		nth(date, time.October, time.Monday, 2), is(date, time.November, 3), is(date, time.November, 23):
		return true
	}
	// The three days of May are one run: a Sunday among them moves to the 6th.
	return is(date, time.May, 6) && (date.Weekday() == time.Monday || date.Weekday() == time.Tuesday || date.Weekday() == time.Wednesday)
}

func germany(date time.Time) bool {
	e := easter(date.Year())
	for _, after := range [...]int{-2, 1, 39, 50} {
		if date.Equal(e.AddDate(0, 0, after)) {
			return true
		}
	}
	return is(date, time.January, 1) || is(date, time.May, 1) || is(date, time.October, 3) ||
		is(date, time.December, 25) || is(date, time.December, 26)
}

func america(date time.Time) bool {
	fixed := func(d time.Time) bool {
		return is(d, time.January, 1) || is(d, time.June, 19) || is(d, time.July, 4) || is(d, time.November, 11) || is(d, time.December, 25)
	}
	switch date.Weekday() {
	case time.Monday: // after a Sunday
		if fixed(date.AddDate(0, 0, -1)) {
			return true
		}
	case time.Friday: // before a Saturday
		if fixed(date.AddDate(0, 0, 1)) {
			return true
		}
	}
	return fixed(date) || nth(date, time.January, time.Monday, 3) || nth(date, time.February, time.Monday, 3) ||
		date.Month() == time.May && date.Weekday() == time.Monday && date.Day() > 24 ||
		nth(date, time.September, time.Monday, 1) || nth(date, time.October, time.Monday, 2) || nth(date, time.November, time.Thursday, 4)
}

// easter is Easter Sunday of the Gregorian calendar (the anonymous algorithm).
func easter(y int) time.Time {
	a, b, c := y%19, y/100, y%100
	h := (19*a + b - b/4 - (b-(b+8)/25+1)/3 + 15) % 30
	l := (32 + 2*(b%4) + 2*(c/4) - h - c%4) % 7
	m := (a + 11*h + 22*l) / 451
	n := h + l - 7*m + 114
	return time.Date(y, time.Month(n/31), n%31+1, 0, 0, 0, 0, time.UTC)
}
