package estate

import (
	"testing"
	"time"
)

func TestHoliday(t *testing.T) {
	f := func(country, date string, want bool) {
		t.Helper()
		day, err := time.Parse(time.DateOnly, date)
		if err != nil {
			t.Fatal(err)
		}
		if got := Holiday(country, day); got != want {
			t.Errorf("%s %s (%s): %v", country, date, day.Weekday(), got)
		}
	}
	f("JP", "2026-03-20", true) // the spring equinox
	f("JP", "2026-05-06", true) // in place of Sunday the 3rd
	f("JP", "2026-05-07", false)
	f("JP", "2025-11-24", true) // Monday after a Sunday
	f("JP", "2024-03-20", true)
	f("DE", "2026-04-03", true) // Good Friday
	f("DE", "2026-04-06", true)
	f("DE", "2026-05-14", true)
	f("DE", "2026-05-25", true)
	f("DE", "2026-03-20", false)
	f("US", "2026-07-03", true) // before Saturday the 4th
	f("US", "2026-05-25", true)
	f("US", "2026-11-26", true)
	f("US", "2026-05-18", false)
	f("XX", "2026-01-01", false)
	if Workday("JP", time.Date(2026, 3, 7, 0, 0, 0, 0, time.UTC)) {
		t.Error("a Saturday is a workday")
	}
}
