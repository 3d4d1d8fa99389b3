package estate

import (
	"fmt"
	"math"
	"testing"
	"time"
)

func TestPresence(t *testing.T) {
	team := &Team{Name: "shop", Zone: "Asia/Tokyo", Country: "JP"}
	w := &World{Seed: 7, Rates: Rates{"presence_share": 0.9, "from_home_share": 0.4}}
	joined := time.Date(2026, 3, 11, 3, 0, 0, 0, time.UTC)
	var days, works, home float64
	for i := range 200 {
		p := &Person{Email: fmt.Sprintf("p%d@hoshino.example", i), Team: team, Home: "198.19.0.5", Office: "203.0.113.20"}
		if i == 0 {
			p.Joined = joined
		}
		for day := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC); day.Day() < 20; day = day.AddDate(0, 0, 1) {
			at := w.Presence(p, day)
			if at != w.Presence(p, day.Add(20*time.Hour)) {
				t.Fatalf("%s is elsewhere in the evening of %s", p.Email, day)
			}
			if at.Works && (!Workday("JP", day) || i == 0 && day.Day() < 11) {
				t.Fatalf("%s works on %s", p.Email, day)
			}
			if Workday("JP", day) && i > 0 {
				days++
			}
			if at.Works && i > 0 {
				works++
			}
			if at.Home && i > 0 {
				home++
			}
		}
	}
	if math.Abs(works/days-0.9) > 0.02 || math.Abs(home/works-0.4) > 0.03 {
		t.Errorf("%.3f of days are worked, want 0.9; %.3f of those at home, want 0.4", works/days, home/works)
	}
}
