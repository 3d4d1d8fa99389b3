package calendar

import (
	"testing"
	"time"

	"github.com/yagura-sec/yagura/finding"
)

func TestExpand(t *testing.T) {
	at := func(s string) time.Time {
		t.Helper()
		x, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	f := func(start, end, repeat, zone, from, to string, want ...string) {
		t.Helper()
		w := finding.Window{ID: "w", Start: at(start), End: at(end), Repeat: repeat, Zone: zone}
		got, err := Expand(&w, at(from), at(to))
		if err != nil {
			t.Errorf("%s in %s: %v", repeat, zone, err)
			return
		}
		var told []string
		for _, s := range got {
			told = append(told, s.Start.UTC().Format(time.RFC3339)+"/"+s.End.UTC().Format(time.RFC3339))
		}
		if len(told) != len(want) {
			t.Errorf("%s in %s takes place %v, want %v", repeat, zone, told, want)
			return
		}
		for i := range want {
			if told[i] != want[i] {
				t.Errorf("%s in %s takes place at %s, want %s", repeat, zone, told[i], want[i])
			}
		}
	}
	// Ten at night to six in Berlin, over the night in which clocks go back and
	// that in which they go on: the nights have nine and seven hours.
	f("2026-10-23T20:00:00Z", "2026-10-24T04:00:00Z", "FREQ=DAILY", "Europe/Berlin", "2026-10-24T00:00:00Z", "2026-10-26T12:00:00Z",
		"2026-10-23T20:00:00Z/2026-10-24T04:00:00Z", "2026-10-24T20:00:00Z/2026-10-25T05:00:00Z", "2026-10-25T21:00:00Z/2026-10-26T05:00:00Z")
	f("2026-10-23T20:00:00Z", "2026-10-24T04:00:00Z", "FREQ=DAILY", "Europe/Berlin", "2027-03-27T12:00:00Z", "2027-03-29T00:00:00Z",
		"2027-03-27T21:00:00Z/2027-03-28T04:00:00Z", "2027-03-28T20:00:00Z/2027-03-29T04:00:00Z")
	// Tokyo has no summer time; a month's first Sunday.
	f("2026-01-03T15:00:00Z", "2026-01-03T20:00:00Z", "FREQ=MONTHLY;BYDAY=1SU", "Asia/Tokyo", "2026-01-01T00:00:00Z", "2026-04-01T00:00:00Z",
		"2026-01-03T15:00:00Z/2026-01-03T20:00:00Z", "2026-01-31T15:00:00Z/2026-01-31T20:00:00Z", "2026-02-28T15:00:00Z/2026-02-28T20:00:00Z")
	f("2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z", "FREQ=WEEKLY;COUNT=2", "", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z",
		"2026-01-01T00:00:00Z/2026-01-01T01:00:00Z", "2026-01-08T00:00:00Z/2026-01-08T01:00:00Z")
	// Its first time is there, whether the rule chooses it or not.
	f("2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z", "FREQ=WEEKLY;BYDAY=MO;UNTIL=20260106", "UTC", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z",
		"2026-01-01T00:00:00Z/2026-01-01T01:00:00Z", "2026-01-05T00:00:00Z/2026-01-05T01:00:00Z")

	bad := func(repeat, zone string) {
		t.Helper()
		w := finding.Window{ID: "w", Start: at("2026-01-01T00:00:00Z"), End: at("2026-01-01T01:00:00Z"), Repeat: repeat, Zone: zone}
		if got, err := Expand(&w, w.Start, w.Start.AddDate(1, 0, 0)); err == nil {
			t.Errorf("%s in %s is read as %v", repeat, zone, got)
		}
	}
	bad("FREQ=HOURLY", "")
	bad("weekly", "")
	bad("FREQ=DAILY", "Europe/Nowhere")
	bad("FREQ=DAILY", "Local")
}

// FuzzExpand: whatever the rule, times come in order, each within what was asked
// for and of some length.
func FuzzExpand(f *testing.F) {
	f.Add("FREQ=DAILY", "Europe/Berlin", int64(8))
	f.Add("FREQ=MONTHLY;BYDAY=-1SU;BYHOUR=1,2", "Asia/Tokyo", int64(30))
	f.Add("FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU;BYHOUR=2", "America/New_York", int64(1))
	f.Fuzz(func(t *testing.T, repeat, zone string, hours int64) {
		start := time.Date(2026, 2, 27, 23, 30, 0, 0, time.UTC)
		hours = 1 + max(0, hours)%100
		w := finding.Window{ID: "w", Start: start, End: start.Add(time.Duration(hours) * time.Hour), Repeat: repeat, Zone: zone}
		from, to := start.AddDate(0, 1, 0), start.AddDate(0, 6, 0)
		got, err := Expand(&w, from, to)
		if err != nil {
			return
		}
		for i, s := range got {
			if !s.Start.Before(s.End) || !s.End.After(from) || !s.Start.Before(to) || i > 0 && s.Start.Before(got[i-1].Start) {
				t.Fatalf("%q in %q: %d: %v after %v", repeat, zone, i, s, got[max(0, i-1)])
			}
		}
	})
}
