package sqlitedb

import (
	"testing"
	"time"
)

// TestTimes: what is kept comes back, to the microsecond, in UTC; no time stays none.
func TestTimes(t *testing.T) {
	at := time.Date(2026, 3, 2, 8, 0, 0, 123456789, time.FixedZone("JST", 9*60*60))
	if got := Time(Micros(at)); !got.Equal(at.Truncate(time.Microsecond)) || got.Location() != time.UTC {
		t.Errorf("%v is kept as %v", at, got)
	}
	if n := Micros(time.Time{}); n != 0 || !Time(n).IsZero() {
		t.Errorf("no time is kept as %d, and read as %v", n, Time(n))
	}
	if before := time.Date(1969, 12, 31, 0, 0, 0, 0, time.UTC); !Time(Micros(before)).Equal(before) {
		t.Errorf("%v is read as %v", before, Time(Micros(before)))
	}
}
