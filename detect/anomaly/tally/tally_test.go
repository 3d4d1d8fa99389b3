package tally

import (
	"math"
	"math/rand/v2"
	"testing"
)

// amounts are what a thing has at n occasions: anything with chance p, and then
// geometrically more.
func amounts(rng *rand.Rand, n int, p, more float64) []int {
	var out []int
	for range n {
		if rng.Float64() < p {
			x := 1
			for rng.Float64() < more {
				x++
			}
			out = append(out, x)
		}
	}
	return out
}

// TestHonest: as many amounts score above a level as the level promises, for
// things of very different habits.
func TestHonest(t *testing.T) {
	f := func(spread, more float64) {
		t.Helper()
		rng := rand.New(rand.NewPCG(7, 7))
		b := New[int](1, Options{})
		const things, hours, days = 200, 24, 60
		rate := make([]float64, things)
		for i := range rate {
			rate[i] = min(0.5, 0.01*math.Exp(spread*rng.NormFloat64()))
		}
		above := map[int]float64{}
		trials := 0.0
		for d := range days {
			var seen []Seen[int]
			for i := range things {
				xs := amounts(rng, hours, rate[i], more)
				if d >= 10 {
					trials += hours
					u := b.Usual(i, 0)
					for _, x := range xs {
						for level := 2; u.Score(x) >= float64(level); level++ {
							above[level]++
						}
					}
				}
				seen = append(seen, Seen[int]{Key: i, Occasions: hours, Amounts: xs})
			}
			b.Learn(d, seen)
		}
		for level := 2; level <= 5; level++ {
			want := trials * math.Pow(10, -float64(level))
			if above[level] > 2*want+4 {
				t.Errorf("score >= %d: %.0f, chance gives %.1f", level, above[level], want)
			}
		}
		if above[2] < trials*1e-2/20 {
			t.Errorf("score >= 2: only %.0f, chance gives %.0f", above[2], trials*1e-2)
		}
	}
	f(0, 0.2)
	f(1, 0.2)
	f(1, 0.6)
	f(2, 0.4)
}

// TestOver: a book over another one says the same as one that keeps all things.
func TestOver(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	base, whole, whole24 := New[int](2, Options{}), New[int](2, Options{}), New[int](2, Options{})
	few, hours := base.Over(true), base.Over(false)
	for d := range 40 {
		var all, daily, hourly []Seen[int]
		for i := range 100 {
			if rng.Float64() < 0.3 {
				continue // was not there
			}
			s := Seen[int]{Key: i, Class: i % 2, Occasions: 1 + rng.IntN(24)}
			x, y := s, s
			x.Occasions = 1
			if i < 9 && rng.Float64() < 0.2 {
				x.Amounts, y.Amounts = []int{1 + rng.IntN(5)}, []int{1 + rng.IntN(5)}
			}
			all, daily, hourly = append(all, s), append(daily, x), append(hourly, y)
		}
		if d == 20 || d == 21 {
			continue // no log
		}
		base.Learn(d, all)
		few.Learn(d, daily)
		whole.Learn(d, daily)
		hours.Learn(d, hourly)
		whole24.Learn(d, hourly)
		if d == 30 {
			c := base.Clone()
			few, hours, base = few.CloneOver(c), hours.CloneOver(c), c
		}
	}
	near := func(a, b Usual) bool {
		return a.Days == b.Days && a.DaysWith == b.DaysWith && math.Abs(a.Chance/b.Chance-1) < 1e-4 &&
			math.Abs(a.Occasions-b.Occasions) < 1e-2 && math.Abs(a.Score(3)-b.Score(3)) < 1e-3
	}
	for i := range 101 {
		if a, b := few.Usual(i, i%2), whole.Usual(i, i%2); !near(a, b) {
			t.Errorf("by days, %d: %+v, not %+v", i, a, b)
		}
		if a, b := hours.Usual(i, i%2), whole24.Usual(i, i%2); !near(a, b) {
			t.Errorf("by hours, %d: %+v, not %+v", i, a, b)
		}
	}
	if few.Len() > 9 || few.Len() == 0 || base.Len() != 100 {
		t.Errorf("%d rows over %d", few.Len(), base.Len())
	}
}

func TestUsual(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	build := func(opt Options) *Book[string] {
		b := New[string](1, opt)
		for d := range 30 {
			b.Learn(d, []Seen[string]{
				{Key: "quiet", Occasions: 24},
				{Key: "peer", Occasions: 24, Amounts: amounts(rng, 24, 0.01, 0.3)},
				{Key: "chronic", Occasions: 24, Amounts: amounts(rng, 24, 0.9, 0.8)},
			})
		}
		return b
	}
	f := func(b *Book[string], key string, x int, low, high float64) {
		t.Helper()
		if got := b.Usual(key, 0).Score(x); got < low || got > high {
			t.Errorf("%s x%d scores %.2f; want %.1f to %.1f", key, x, got, low, high)
		}
	}
	b := build(Options{})
	f(b, "quiet", 0, 0, 0)
	f(b, "quiet", 1, 2, 5)
	f(b, "chronic", 5, 0, 0.7)
	f(b, "chronic", 200, 6, 100)
	f(b, "new", 1, 0.2, 1.5) // as its peers
	f(build(Options{NoPeers: true}), "new", 1, 1.6, 1.8)
	f(build(Options{NoShrinkage: true}), "quiet", 1, 3, 5)
	if u := b.Usual("chronic", 0); u.Days != 30 || u.High() < 5 || u.Expected() < 2 {
		t.Errorf("chronic: %+v", u)
	}
	c := b.Clone()
	c.Learn(30, []Seen[string]{{Key: "quiet", Occasions: 24, Amounts: []int{9}}})
	if b.Usual("quiet", 0).DaysWith != 0 || c.Usual("quiet", 0).DaysWith != 1 || b.Days() != 30 {
		t.Error("a clone learns on its own")
	}
}

// TestLoud: what is very unlike a thing is not taken for its habit before there
// were three days of it, and forgotten when it is gone.
func TestLoud(t *testing.T) {
	b := New[string](1, Options{})
	day := func(d int, xs ...int) float64 {
		s := 0.0
		for _, x := range xs {
			s = max(s, b.Usual("a", 0).Score(x))
		}
		seen := []Seen[string]{{Key: "a", Occasions: 24, Amounts: xs}}
		for _, k := range []string{"b", "c", "d", "e", "f", "g", "h", "i", "j", "k"} {
			seen = append(seen, Seen[string]{Key: k, Occasions: 24})
		}
		b.Learn(d, seen)
		return s
	}
	for d := range 30 {
		day(d)
	}
	var scores []float64
	for d := 30; d < 44; d++ {
		scores = append(scores, day(d, 30))
	}
	if scores[2] < 5 || scores[13] > scores[2]-3 {
		t.Errorf("day by day %.1f", scores)
	}
	for d := 44; d < 44+forgotten+60; d++ {
		b.Learn(d, []Seen[string]{{Key: "b", Occasions: 24}})
	}
	if b.Len() != 1 {
		t.Errorf("%d things are known", b.Len())
	}
}
