package evaluate

import (
	"math"
	"math/rand/v2"
	"slices"
)

// Part is so many of so many.
type Part struct{ Hits, Of int }

// Ratio is the part as a number; NaN of nothing.
func (p Part) Ratio() float64 { return float64(p.Hits) / float64(p.Of) }

func (p Part) plus(q Part) Part { return Part{p.Hits + q.Hits, p.Of + q.Of} }

func sum(parts []Part) (all Part) {
	for _, p := range parts {
		all = all.plus(p)
	}
	return all
}

// resamples is how often seeds are drawn again. More changes no second digit.
const resamples = 2000

// fewWorlds: below that, drawing again says little.
const fewWorlds = 3

// Interval is where the ratio of all parts together lies with 95 %: the wider
// end, each, of drawing seeds again (a part is a seed's; the same parts give
// the same answer) and of Wilson's interval, which knows that 20 of 20 may be 17
// of 20 another time. With few seeds it is Wilson's alone.
func Interval(parts []Part) (low, high float64) {
	all := sum(parts)
	if all.Of == 0 {
		return 0, 1
	}
	low, high = wilson(all)
	if len(parts) < fewWorlds {
		return low, high
	}
	draw := rand.New(rand.NewPCG(1, 2))
	var ratios []float64
	for range resamples {
		var again Part
		for range parts {
			again = again.plus(parts[draw.IntN(len(parts))])
		}
		if again.Of > 0 {
			ratios = append(ratios, again.Ratio())
		}
	}
	slices.Sort(ratios)
	return min(low, quantile(ratios, 0.025)), max(high, quantile(ratios, 0.975))
}

// wilson is Wilson's score interval.
func wilson(p Part) (low, high float64) {
	const z = 1.959964
	n, r := float64(p.Of), p.Ratio()
	mid := (r + z*z/(2*n)) / (1 + z*z/n)
	half := z / (1 + z*z/n) * math.Sqrt(r*(1-r)/n+z*z/(4*n*n))
	return max(0, mid-half), min(1, mid+half)
}

// quantile of values in order, by the nearest.
func quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}
