package sqlite

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/finding"
)

// TestOccurrences: what one hunter said comes back hour by hour, and nobody
// else's.
func TestOccurrences(t *testing.T) {
	ctx := t.Context()
	s, err := Open(ctx, filepath.Join(t.TempDir(), "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	hour := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	said := func(hunter, key string, hours ...int) {
		h := finding.Hunt{Hunter: hunter, Since: hour, Until: hour.Add(24 * time.Hour)}
		for _, n := range hours {
			at := hour.Add(time.Duration(n) * time.Hour)
			h.Occurrences = append(h.Occurrences, finding.Occurrence{
				Trouble: finding.Trouble{Key: key, Kind: "anomaly.view", Title: key, Severity: finding.Low, Reasons: []finding.Reason{}, Anomaly: &finding.Anomaly{Budget: float64(n)}},
				Hunter:  hunter, Since: at, Until: at.Add(time.Hour), FirstSeen: at, LastSeen: at, Count: 1,
			})
		}
		if err := s.RecordHunt(ctx, h, 0); err != nil {
			t.Fatal(err)
		}
	}
	said("anomaly", "k", 3, 1)
	said("sigma/x", "other", 2)
	got, err := s.Occurrences(ctx, "anomaly")
	if err != nil || len(got) != 2 {
		t.Fatalf("%d occurrences, %v; want 2", len(got), err)
	}
	for i, n := range []int{1, 3} {
		if o := got[i]; !o.Since.Equal(hour.Add(time.Duration(n)*time.Hour)) || o.Key != "k" || o.Anomaly == nil || o.Anomaly.Budget != float64(n) {
			t.Errorf("occurrence %d is %+v", i, o)
		}
	}
	if got, err := s.Occurrences(ctx, "nobody"); err != nil || len(got) != 0 {
		t.Errorf("of nobody: %v, %v", got, err)
	}
}
