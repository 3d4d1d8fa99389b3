package instant

import (
	"testing"
	"time"
)

// TestPicks: one of the two, whichever comes first, and the first of the same
// moment in two zones.
func TestPicks(t *testing.T) {
	early := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	late := early.Add(time.Nanosecond)
	same := early.In(time.FixedZone("JST", 9*60*60))
	picks := func(a, b, earlier, later time.Time) {
		t.Helper()
		if got := Earlier(a, b); got != earlier {
			t.Errorf("the earlier of %v and %v is %v", a, b, got)
		}
		if got := Later(a, b); got != later {
			t.Errorf("the later of %v and %v is %v", a, b, got)
		}
	}
	picks(early, late, early, late)
	picks(late, early, early, late)
	picks(early, same, early, early)
	picks(same, early, same, same)
	picks(time.Time{}, early, time.Time{}, early)
}
