package trend

import (
	"math"
	"slices"
)

// point is a pair that a line is drawn through.
type point struct{ x, y float64 }

// slope is how much y grows for one of x, with the bounds that hold it on nine of ten
// occasions.
type slope struct{ each, low, high float64 }

// How few points have a slope, how much of x they are to span, and of how many points
// at most all pairs are looked at.
const (
	leastPoints = 5
	leastSpan   = 1.2
	mostPoints  = 800
)

// slopeOf is the median of the slopes of all pairs of points (Theil and Sen), which
// some wild points do not move. Its bounds are those of Sen: the slopes whose rank is
// as far from the middle as chance takes Kendall's S on nine of ten occasions. False:
// the points are too few, or all of one x.
func slopeOf(points []point) (slope, bool) {
	if step := (len(points) + mostPoints - 1) / mostPoints; step > 1 {
		var few []point
		for i := 0; i < len(points); i += step {
			few = append(few, points[i])
		}
		points = few
	}
	n := len(points)
	if n < leastPoints {
		return slope{}, false
	}
	var all []float64
	for i := range points {
		for j := range i {
			if dx := points[i].x - points[j].x; dx != 0 {
				all = append(all, (points[i].y-points[j].y)/dx)
			}
		}
	}
	if len(all) < n-1 {
		return slope{}, false
	}
	slices.Sort(all)
	const ninety = 1.645 // of the normal distribution, on both sides
	spread := ninety * math.Sqrt(float64(n*(n-1)*(2*n+5))/18)
	at := func(rank float64) float64 { return all[min(len(all)-1, max(0, int(math.Round(rank))))] }
	middle := float64(len(all)-1) / 2
	s := slope{low: at(middle - spread/2), high: at(middle + spread/2)}
	if s.each = all[len(all)/2]; len(all)%2 == 0 {
		s.each = (all[len(all)/2-1] + all[len(all)/2]) / 2
	}
	return s, true
}

// spans tells whether the x of points differ enough for a slope to mean something.
func spans(points []point) bool {
	least, most := math.Inf(1), 0.0
	for _, p := range points {
		least, most = min(least, p.x), max(most, p.x)
	}
	return most > 0 && most >= leastSpan*least
}

// medianOf is the median of numbers, which are sorted by it.
func medianOf(all []float64) float64 {
	slices.Sort(all)
	if n := len(all); n%2 == 0 {
		return (all[n/2-1] + all[n/2]) / 2
	}
	return all[len(all)/2]
}
