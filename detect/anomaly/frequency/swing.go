package frequency

import (
	"math"

	"github.com/yagura-sec/yagura/detect/anomaly/stat"
)

// swings are how far the hours of the estate's secrets swing above what is
// usual, beyond what their own spread gives: traffic that switches on and off
// has hours of several times the usual, which no secret shows often enough to
// learn it alone. What all secrets together show is mixed into the chance of
// every hour.
//
// Busy and quiet secrets are told apart: a few more starts are several times the
// usual for a quiet one and nothing for a busy one.
type swings [3]swing

var busy = [2]float64{15, 50} // reads an hour from which on a secret is of the next sort

func (w *swings) of(mean float64) *swing {
	switch {
	case mean < busy[0]:
		return &w[0]
	case mean < busy[1]:
		return &w[1]
	}
	return &w[2]
}

func (w *swings) decay() {
	for i := range w {
		w[i].decay()
	}
}

// swing is that of one sort of secrets.
type swing struct {
	above [32]float32 // by factor: days of families that had such an hour
	hours [32]float32 // and hours
	n     float32     // hours looked at
}

// Factors are told apart by quarter octaves from 1.5 on; a factor that fewer
// than so many secret-days have shown is not taken for usual, so that a few
// bursts do not hide the next.
const (
	swingFrom  = 1.5
	swingSteps = 4
	swingDays  = 1.5
	// Beyond the greatest usual factor the chance falls by so much a step: a
	// factor of twice that is about a hundred times rarer.
	swingFall = 0.3
	// swingScore is from which score on an hour is beyond its secret's own spread,
	// and swingSince how many days a secret has to be known for that.
	swingScore = 2.5
	swingSince = 14
)

func factor(i int) float64 { return swingFrom * math.Pow(2, (float64(i)+0.5)/swingSteps) }

func swingOf(ratio float64) int {
	if ratio < swingFrom {
		return -1
	}
	return min(int(math.Log2(ratio/swingFrom)*swingSteps), len(swing{}.above)-1)
}

// take adds the hours of one secret's day: the usual of each, and the factor
// above it of those that are beyond the secret's own spread, else 0. Seen tells
// what the same family has shown on this day: its secrets rise together.
func (w *swings) take(means, factors []float64, family int32, seen map[swung]bool) {
	for j, mean := range means {
		at := 0
		for at < len(busy) && mean >= busy[at] {
			at++
		}
		w[at].n++
		i := swingOf(factors[j])
		if i < 0 {
			continue
		}
		w[at].hours[i]++
		if k := (swung{family, at, i}); !seen[k] {
			seen[k] = true
			w[at].above[i]++
		}
	}
}

// swung is a family with secrets of a sort that had an hour of a factor.
type swung struct {
	family     int32
	sort, step int
}

func (w *swing) decay() {
	for i := range w.above {
		w.above[i] *= 0.976
		w.hours[i] *= 0.976
	}
	w.n *= 0.976
}

// share is in what part of hours reads are so many times the usual or more, beyond
// what their secrets' own spread gives; 0 where nothing is known.
func (w *swing) share(times float64) float64 {
	if w.n < 500 {
		return 0
	}
	weight, sum, top := 0.0, 0.0, w.top()
	for i := range w.hours {
		switch {
		case top < 0:
			return 0
		case i <= top:
			weight = float64(w.hours[i] / w.n)
		default:
			weight *= swingFall
		}
		if factor(i) >= times {
			sum += weight
		}
	}
	return sum
}

// top is the greatest factor that is usual, -1 if none is.
func (w *swing) top() int {
	top := -1
	for i, n := range w.above {
		if n >= swingDays {
			top = i
		}
	}
	return top
}

// lnUpper is ln P(X >= x) where the usual mean is at times multiplied by a factor
// that the estate is known to show.
func (w *swing) lnUpper(x, mean, k float64) float64 {
	plain := stat.LnUpper(x, tolerated(mean), k)
	if w.n < 500 || plain > -3 {
		return plain
	}
	p := math.Exp(plain)
	top := w.top()
	weight := 0.0
	for i := 0; i <= top; i++ {
		weight = float64(w.hours[i] / w.n)
		if weight > 0 {
			p += weight * math.Exp(stat.LnUpper(x, mean*factor(i), k))
		}
	}
	weight = max(weight, 0)
	for i := top + 1; top >= 0 && i < len(w.above); i++ {
		weight *= swingFall
		p += weight * math.Exp(stat.LnUpper(x, mean*factor(i), k))
	}
	return min(0, math.Log(max(p, 1e-300)))
}
