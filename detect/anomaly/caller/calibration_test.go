package caller_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/yagura-sec/yagura/detect/anomaly/caller"
	"github.com/yagura-sec/yagura/detect/anomaly/watchtest"
)

// In an estate in which new readers come by chance, scores are honest: one of 2
// or more comes at no more than about one in 100 secrets a day, and so on, once
// how often they come is learned.
func TestHonest(t *testing.T) {
	const secrets, days, from = 120, 110, 50
	rng := rand.New(rand.NewPCG(7, 11))
	h := watchtest.New("2026-01-05")
	for s := range secrets {
		app := fmt.Sprintf("app%c%c", 'a'+s/26, 'a'+s%26)
		h.Every(days, fmt.Sprintf("10 lambda %s-main reads prod/%s/db x8", app, app))
		for d := range days {
			switch x := rng.Float64(); {
			case x < 0.004: // a new program of the application, which stays
				h.Between(d, min(days, d+30), fmt.Sprintf("11 lambda %s-job%d reads prod/%s/db", app, d, app))
			case x < 0.005: // another application's program, which stays
				h.Between(d, min(days, d+30), fmt.Sprintf("11 lambda app%c%c-main reads prod/%s/db", 'a'+rng.IntN(4), 'a'+rng.IntN(26), app))
			case x < 0.0055: // something else, once
				h.On(d, fmt.Sprintf("11 ec2 tool%d reads prod/%s/db", d, app))
			}
		}
	}
	s := caller.New(caller.Options{})
	h.Learn(s, 0, from)
	var seen [3]float64
	for d := from; d < days; d++ {
		for _, a := range h.Judge(s, d) {
			for i := range seen {
				if a.Mature && a.Score >= 2+float64(i) {
					seen[i] += max(1, float64(len(a.Secrets)))
				}
			}
		}
		s.Learn(h.Day(d))
	}
	for i, n := range seen {
		nominal := secrets * (days - from) * math.Pow(10, -2-float64(i))
		t.Logf("scores of %d and more: %.0f, nominal %.1f", 2+i, n, nominal)
		if n > 3*nominal+3 {
			t.Errorf("scores of %d and more came %.0f times, where %.1f are nominal", 2+i, n, nominal)
		}
	}
	if seen[0] == 0 {
		t.Error("nothing was judged")
	}
}
