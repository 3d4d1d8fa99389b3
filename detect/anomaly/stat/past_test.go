package stat

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestHeld: what is far from its past is told, of what is like it as much as chance
// has it.
func TestHeld(t *testing.T) {
	past := [][]float64{{1, 2, 0, 3}, {2, 1, 1, 0}, {4, 2, 3, 1}, {0, 0, 1, 0}}
	e := Held([]float64{37, 1, 2, 0}, past)
	if e[0].Score < 8 || e[0].Below || e[0].Low != 0 || e[0].High < 4 || e[0].High > 9 {
		t.Errorf("37 where about 1.5 are usual: %+v", e[0])
	}
	for i, x := range e[1:] {
		if x.Score > 1.5 {
			t.Errorf("the usual, %d: %+v", i+1, x)
		}
	}
	if e := Held([]float64{2}, [][]float64{{900, 950, 870, 910}}); !e[0].Below || e[0].Score < 4 || e[0].Low < 100 {
		t.Errorf("2 where 900 are usual: %+v", e)
	}
	// A burst in the past teaches little; one that comes every week is the usual.
	if e := Held([]float64{400}, [][]float64{{3, 2, 400, 4}}); e[0].Score < 3 {
		t.Errorf("a second burst: %+v", e)
	}
	if e := Held([]float64{400}, [][]float64{{380, 410, 395, 420}}); e[0].Score > 1 {
		t.Errorf("a weekly burst: %+v", e)
	}
	// Never before, and little of it.
	if e := Held([]float64{1, 60}, [][]float64{{0, 0, 0, 0}, {0, 0, 0, 0}}); e[0].Score > 2.5 || e[1].Score < 6 {
		t.Errorf("never before: %+v", e)
	}
	if got := Held(nil, nil); len(got) != 0 {
		t.Errorf("of nothing: %v", got)
	}
}

// TestHeldFalseMarks measures how often chance alone gives a score, against what the
// score says.
func TestHeldFalseMarks(t *testing.T) {
	f := func(shape float64) {
		t.Helper()
		rng := rand.New(rand.NewPCG(7, uint64(shape)))
		const series, hours = 150, 168
		looks, over := 0, map[float64]int{}
		for range series {
			level := math.Exp(rng.NormFloat64() * 1.5)
			var seen []float64
			var past [][]float64
			for h := range hours {
				mean := level * (1 + 0.9*math.Sin(float64(h)/24*2*math.Pi))
				var peers []float64
				for range 4 {
					peers = append(peers, negBinomial(rng, mean, shape))
				}
				seen, past = append(seen, negBinomial(rng, mean, shape)), append(past, peers)
			}
			for _, e := range Held(seen, past) {
				looks++
				for _, s := range []float64{2, 3, 4} {
					if e.Score > s {
						over[s]++
					}
				}
			}
		}
		for s, n := range over {
			// Twice, for either side; and as much again for what four peers cannot tell.
			if most := 4 * math.Pow(10, -s) * float64(looks); float64(n) > most+3 {
				t.Errorf("shape %v: %d of %d above %v; at most %.0f", shape, n, looks, s, most)
			}
		}
	}
	f(2)
	f(20)
	f(1000)
}
