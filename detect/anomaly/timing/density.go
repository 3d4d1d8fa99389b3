package timing

import (
	"math"

	"github.com/yagura-sec/yagura/detect/anomaly/stat"
)

// daysOf a week are of each class.
var daysOf = [2]float64{5, 2}

// density is how likely an active hour is to lie in each hour of a working day
// and of a day off. The whole week sums up to 1.
type density [2][24]float64

// crowd is when all are active, in hours after the middle of their own day.
type crowd struct {
	active [2][24]float32
	total  float32
}

func newCrowd() crowd { return crowd{} }

// add takes in an active hour, part of an hour after the middle being shared
// between neighbours.
func (c *crowd) add(class int, after float64) {
	after = math.Mod(after+48, 24)
	whole := math.Floor(after)
	part := float32(after - whole)
	c.active[class][int(whole)%24] += 1 - part
	c.active[class][(int(whole)+1)%24] += part
	c.total++
}

func (c *crowd) decay() {
	for k := range c.active {
		for i := range c.active[k] {
			c.active[k][i] *= decay
		}
	}
	c.total *= decay
}

// around is the crowd's density for one whose day has its middle at hour middle.
// Hours in which nobody was seen get half an observation together.
func (c *crowd) around(middle float64) density {
	var d density
	total := 0.0
	for k := range d {
		bins := make([]float64, 24)
		smooth := make([]float64, 24)
		for i, n := range c.active[k] {
			bins[i] = float64(n)
		}
		stat.Smooth(smooth, bins, 0.7)
		stat.Rotate(bins, smooth, middle)
		for i, n := range bins {
			d[k][i] = (n + 1.0/48) / daysOf[k]
			total += n + 1.0/48
		}
	}
	for k := range d {
		for i := range d[k] {
			d[k][i] /= total
		}
	}
	return d
}

// of is the density of somebody's hours, smoothed by sd hours, with the prior
// that counts as much as weight hours of their own.
func (h *hours) of(prior *density, weight, sd float64) (d density, n float64) {
	for c := range h.active {
		bins := make([]float64, 24)
		smooth := make([]float64, 24)
		for i, x := range h.active[c] {
			bins[i] = float64(x.n())
			n += bins[i]
		}
		stat.Smooth(smooth, bins, sd)
		for i, x := range smooth {
			d[c][i] = x / daysOf[c]
		}
	}
	// Odd hours that are not their own yet say that there are odd ones, not which.
	stray := float64(h.stray)
	for c := range d {
		for i := range d[c] {
			d[c][i] = (d[c][i] + weight*prior[c][i] + stray/168) / (n + weight + stray)
		}
	}
	return d, n
}

// rarity is the chance of an active hour no likelier than this one.
func (d *density) rarity(class, hour int) float64 {
	here := d[class][hour]
	var less, same float64
	for c := range d {
		for _, x := range d[c] {
			switch mass := x * daysOf[c]; {
			case math.Abs(x-here) <= 1e-9*here:
				same += mass
			case x < here:
				less += mass
			}
		}
	}
	return min(1, less+same/2)
}

// middle is the middle of somebody's working day in hours UTC, and how closely
// their hours lie around it (0..1).
func (h *hours) middle() (at, close float64) {
	bins := make([]float64, 24)
	for i := range bins {
		bins[i] = float64(h.active[0][i].n() + h.active[1][i].n())
	}
	return stat.Direction(bins)
}

// beside is the activity of the busier of the hours before and after.
func (h *hours) beside(class, hour int) float32 {
	return max(h.active[class][(hour+1)%24].n(), h.active[class][(hour+23)%24].n())
}

// noon is when the middle of a working day is in people's own time: what their
// place east or west is told by.
const noon = 13.0

// place is how many hours east of UTC somebody with that middle of the day is.
func place(middle float64) int8 {
	o := math.Round(noon - middle)
	if o < -11 {
		o += 24
	}
	if o > 12 {
		o -= 24
	}
	return int8(o)
}

// span is how many hours of a day hold nine tenths of the activity in a class.
func (h *hours) span() int {
	var all []float64
	total := 0.0
	for i := range 24 {
		x := float64(h.active[0][i].n() + h.active[1][i].n())
		all = append(all, x)
		total += x
	}
	n, sum := 0, 0.0
	for sum < 0.9*total {
		best := 0
		for i := range all {
			if all[i] > all[best] {
				best = i
			}
		}
		sum += all[best]
		all[best] = -1
		n++
	}
	return n
}
