package stat

import (
	"math"
	"slices"
)

// Shrink is the weighted mean of own and prior on the scale of logarithms: how
// an estimate from n observations gives way to that of its peers, which counts
// as much as m observations do (empirical Bayes; Robbins 1956, Efron and Morris
// 1973). Values that are not above 0 count as absent.
func Shrink(own, n, prior, m float64) float64 {
	switch {
	case !(own > 0) || n <= 0:
		return prior
	case !(prior > 0) || m <= 0:
		return own
	}
	return math.Exp((n*math.Log(own) + m*math.Log(prior)) / (n + m))
}

// Blend is the weighted arithmetic mean of own and prior: what rates and chances
// are shrunk with, as the posterior mean under a conjugate prior.
func Blend(own, n, prior, m float64) float64 {
	if n+m <= 0 {
		return prior
	}
	return (n*own + m*prior) / (n + m)
}

// Dispersion gathers what the shape k of counts around changing means is
// estimated from. The zero value is empty.
type Dispersion struct {
	Square float32 // of the means
	Spread float32 // squared differences of count and mean
	Mean   float32 // sum of the means
}

// Add takes in one count and the mean it was expected to have.
func (d *Dispersion) Add(x, mean float64) {
	d.Square += float32(mean * mean)
	d.Spread += float32((x - mean) * (x - mean))
	d.Mean += float32(mean)
}

// Decay makes what was taken in count f times as much.
func (d *Dispersion) Decay(f float64) {
	d.Square *= float32(f)
	d.Spread *= float32(f)
	d.Mean *= float32(f)
}

// Shape is the estimate of k by moments, sum(mean²) / (sum((x-mean)²) -
// sum(mean)) (Anscombe 1950), held between 0.05 and 1000; 0 if nothing was taken
// in. Counts no more spread than Poisson's give 1000.
func (d Dispersion) Shape() float64 {
	if d.Square <= 0 {
		return 0
	}
	over := float64(d.Spread - d.Mean)
	if over <= float64(d.Square)/1000 {
		return 1000
	}
	return max(0.05, float64(d.Square)/over)
}

// Widen is the shape of the predictive distribution: the mean itself is known
// from n observations only, so its relative variance, (1/mean + 1/k)/n, adds to
// that of the count.
func Widen(k, mean, n float64) float64 {
	if mean <= 0 {
		return k
	}
	return 1 / (1/k + (1/mean+1/k)/max(n, 0.5))
}

// Cap is x, held at the mean and c standard deviations of the negative binomial
// and 3 more: what a baseline learns of x, so that a burst cannot teach it
// (winsorising; Dixon 1960).
func Cap(x, mean, k, c float64) float64 {
	return min(x, mean+c*math.Sqrt(mean+mean*mean/k)+3)
}

// Quantile is the q-quantile of values by linear interpolation (Hyndman and Fan
// 1996, type 7); NaN of none. It sorts a copy.
func Quantile(values []float64, q float64) float64 {
	sorted := slices.Clone(values)
	slices.Sort(sorted)
	return QuantileSorted(sorted, q)
}

// QuantileSorted is Quantile of values that are in ascending order.
func QuantileSorted(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	at := q * float64(len(sorted)-1)
	i := int(at)
	if i >= len(sorted)-1 {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}

// Median is the middle of values.
func Median(values []float64) float64 { return Quantile(values, 0.5) }
