package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/finding"
)

// TestHistory: what the demo's team does is by people who are there, within the
// time of the logs, and what it decides can be decided.
func TestHistory(t *testing.T) {
	h, err := readHistory(demoHistory, demoWorld)
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Date(2026, time.March, 2, 0, 0, 0, 0, time.UTC) // the simulator's
	end := begin.AddDate(0, 0, demoWorld.Days)
	for i, d := range h.Deeds {
		if !slices.ContainsFunc(h.People, func(c colleague) bool { return c.Name == d.By }) {
			t.Errorf("deed %d is by %q, who is none of the team", i+1, d.By)
		}
		if d.Findings == "" {
			if d.At.Before(begin) || !d.At.Before(end) {
				t.Errorf("deed %d is at %s", i+1, d.At)
			}
			if text, _ := json.Marshal(d); strings.Contains(d.Text, "{") || strings.Contains(string(text), "{prod") {
				t.Errorf("deed %d names an account that there is not: %s", i+1, text)
			}
			continue
		}
		if scope, err := finding.ParseScope(d.Findings); err != nil || scope.Empty() {
			t.Errorf("deed %d: %s: %v", i+1, d.Findings, err)
		}
		text, err := json.Marshal(d.Decision)
		if err != nil {
			t.Fatal(err)
		}
		made := finding.Decision{At: begin, By: d.By}
		if err := json.Unmarshal(text, &made); err != nil {
			t.Fatal(err)
		}
		if err := made.Check(); err != nil {
			t.Errorf("deed %d: %v", i+1, err)
		}
		if d.After[0] < 0 || d.After[1] < d.After[0] {
			t.Errorf("deed %d comes between %v and %v after its findings", i+1, d.After[0], d.After[1])
		}
	}
}

func TestHistoryRefuses(t *testing.T) {
	f := func(text, why string) {
		t.Helper()
		if _, err := readHistory(text, demoWorld); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%q: %v", text, err)
		}
	}
	f("deeds: [{by: a, decide: x}]", "decide")
	f("deeds: [{by: a, after: [soon, later]}]", "soon")
}

func TestWorking(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	f := func(at, want string) {
		t.Helper()
		in, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		if got := working(in, berlin, 25*time.Minute).Format(time.RFC3339); got != want {
			t.Errorf("%s: %s, want %s", at, got, want)
		}
	}
	f("2026-03-04T10:00:00Z", "2026-03-04T10:00:00Z")
	f("2026-03-04T03:00:00Z", "2026-03-04T08:25:00Z")
	f("2026-03-04T17:00:00Z", "2026-03-05T08:25:00Z") // six in the evening
	f("2026-03-06T20:00:00Z", "2026-03-09T08:25:00Z") // Friday
	f("2026-03-28T12:00:00Z", "2026-03-30T07:25:00Z") // over the change of the clock
}
