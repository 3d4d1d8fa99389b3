package finding

import "testing"

func TestNamesWhoStandsOut(t *testing.T) {
	f := func(want string, none float64, probabilities ...float64) {
		t.Helper()
		i := Inference{None: none}
		for n, p := range probabilities {
			i.Candidates = append(i.Candidates, Candidate{UID: string(rune('a' + n)), Probability: p})
		}
		if named := i.Name(); named != (want != "") || i.UID != want {
			t.Errorf("of %v and nobody %v, %q is named (%v), want %q", probabilities, none, i.UID, named, want)
		}
	}
	f("a", 0.1, 0.9)
	f("a", 0.05, 0.8, 0.15)
	f("", 0.01, 0.79, 0.2)
	f("", 0.1, 0.5, 0.4)
	f("", 1)
}
