package triage

import (
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
)

var day = time.Date(2026, 3, 4, 0, 0, 0, 0, time.UTC)

func TestWholeDays(t *testing.T) {
	f := func(since, until time.Duration, first, end int) {
		t.Helper()
		a, b := WholeDays(day.Add(since), day.Add(until))
		if !a.Equal(day.AddDate(0, 0, first)) || !b.Equal(day.AddDate(0, 0, end)) {
			t.Errorf("from %s to %s the whole days are %s to %s", since, until, a, b)
		}
	}
	f(0, 24*time.Hour, 0, 1)
	f(time.Hour, 49*time.Hour, 1, 2)
	f(-time.Hour, 48*time.Hour, 0, 2)
	f(time.Hour, 23*time.Hour, 1, 1)
	f(0, 23*time.Hour, 0, 0)
}

// TestPrepareHunt: what is no statement about the hunt's hours is refused.
func TestPrepareHunt(t *testing.T) {
	seen := finding.Occurrence{
		Trouble: finding.Trouble{Key: "k", Rule: "r"}, Since: day, FirstSeen: day.Add(time.Minute), LastSeen: day.Add(2 * time.Minute), Count: 1,
	}
	f := func(what string, ok bool, change func(*finding.Hunt)) {
		t.Helper()
		h := finding.Hunt{Hunter: "sigma/r", Rule: "r", Since: day, Until: day.AddDate(0, 0, 1), Occurrences: []finding.Occurrence{seen}}
		change(&h)
		if _, err := PrepareHunt(h); (err == nil) != ok {
			t.Errorf("%s: %v", what, err)
		}
	}
	f("whole", true, func(*finding.Hunt) {})
	f("nobody's", false, func(h *finding.Hunt) { h.Hunter = "" })
	f("part of an hour", false, func(h *finding.Hunt) { h.Until = h.Until.Add(-time.Minute) })
	f("backwards", false, func(h *finding.Hunt) { h.Since, h.Until = h.Until, h.Since })
	f("without a key", false, func(h *finding.Hunt) { h.Occurrences[0].Key = "" })
	f("of another day", false, func(h *finding.Hunt) { h.Occurrences[0].Since = day.AddDate(0, 0, 1) })
	f("of two hours", false, func(h *finding.Hunt) { h.Occurrences[0].LastSeen = day.Add(time.Hour) })
	f("counts of another rule", false, func(h *finding.Hunt) { h.Matches = []finding.MatchCount{{Rule: "s", Day: day}} })
	f("counts of another day", false, func(h *finding.Hunt) { h.Matches = []finding.MatchCount{{Rule: "r", Day: day.AddDate(0, 0, 1)}} })
	f("open elsewhere", false, func(h *finding.Hunt) { h.Again = []time.Time{day.AddDate(0, 0, 1)} })
	f("open within", true, func(h *finding.Hunt) { h.Again = []time.Time{day.Add(23 * time.Hour)} })
}

// TestPrepare: a batch speaks of days, and of no hunt.
func TestPrepare(t *testing.T) {
	f := func(what string, ok bool, o finding.Occurrence) {
		t.Helper()
		got, err := Prepare(event.BatchID{1}, finding.Judged{Occurrences: []finding.Occurrence{o}})
		if (err == nil) != ok {
			t.Errorf("%s: %v", what, err)
		}
		if ok && (!got.Occurrences[0].Since.Equal(day) || got.Occurrences[0].Batch != (event.BatchID{1})) {
			t.Errorf("%s: %+v", what, got.Occurrences[0])
		}
	}
	o := finding.Occurrence{Trouble: finding.Trouble{Key: "k"}, FirstSeen: day, LastSeen: day.Add(24*time.Hour - 1)}
	f("of a day", true, o)
	long := o
	long.LastSeen = day.AddDate(0, 0, 1)
	f("of two days", false, long)
	hunted := o
	hunted.Hunter = "sigma/r"
	f("of a hunt", false, hunted)
}

// FuzzCursor: what is read as a cursor is written back as it was.
func FuzzCursor(f *testing.F) {
	f.Add(Place{Sort: "-title", Text: "a", Priority: 4, LastSeen: day, Key: "k"}.Cursor(), "-title")
	f.Add(Place{Number: 40, Priority: 40, LastSeen: day, Key: "k"}.Cursor(), "")
	f.Add("", "")
	f.Fuzz(func(t *testing.T, cursor, sort string) {
		p, err := ParseCursor(cursor, sort)
		if err != nil {
			return
		}
		again, err := ParseCursor(p.Cursor(), sort)
		if err != nil || again != p {
			t.Fatalf("%q is %+v, and written again %+v, %v", cursor, p, again, err)
		}
	})
}
