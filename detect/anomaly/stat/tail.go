// Package stat holds the mathematics that anomalies are judged with: tails of
// counts, shrinkage towards peers, densities over the week, cumulative sums and
// quantiles. It knows nothing of secrets.
//
// Chances are given as natural logarithms, so that they are exact far below the
// smallest float64; Score turns them into what alarms carry.
package stat

import "math"

// Score is -log10 of the chance whose natural logarithm is lnP, never below 0.
func Score(lnP float64) float64 { return max(0, -lnP/math.Ln10) }

// LnUpper is ln P(X >= x) of a negative binomial count X of the given mean and
// shape k, whose variance is mean + mean²/k. A shape of +Inf makes it Poisson.
// It holds relative precision of about 1e-10 in the logarithm down to chances of
// 1e-300 and below.
//
// The tail is the regularised incomplete beta function I_q(x, k) with
// q = mean/(mean+k) (Johnson, Kemp, Kotz: Univariate Discrete Distributions,
// 5.6), that of Poisson the regularised incomplete gamma function.
func LnUpper(x, mean, k float64) float64 {
	switch {
	case x <= 0:
		return 0
	case mean <= 0:
		return math.Inf(-1)
	case k > 1e9:
		return lnGammaP(x, mean)
	}
	return lnBeta(x, k, mean/(mean+k))
}

// LnLower is ln P(X <= x) of the same count.
func LnLower(x, mean, k float64) float64 {
	switch {
	case x < 0:
		return math.Inf(-1)
	case mean <= 0:
		return 0
	case k > 1e9:
		return ln1mexp(lnGammaP(x+1, mean))
	}
	return lnBeta(k, x+1, k/(mean+k))
}

// ln1mexp is ln(1 - e^y) for y < 0 (Mächler 2012).
func ln1mexp(y float64) float64 {
	switch {
	case y >= 0:
		return math.Inf(-1)
	case y > -math.Ln2:
		return math.Log(-math.Expm1(y))
	}
	return math.Log1p(-math.Exp(y))
}

// lnBeta is ln I_q(a, b): the continued fraction of Numerical Recipes 6.4 by
// Lentz's method, with its first factor as a logarithm.
func lnBeta(a, b, q float64) float64 {
	if q <= 0 {
		return math.Inf(-1)
	}
	if q >= 1 {
		return 0
	}
	la, _ := math.Lgamma(a)
	lb, _ := math.Lgamma(b)
	lab, _ := math.Lgamma(a + b)
	front := lab - la - lb + a*math.Log(q) + b*math.Log1p(-q)
	if q < (a+1)/(a+b+2) {
		return min(0, front+math.Log(betaFraction(a, b, q)/a))
	}
	return ln1mexp(min(0, front+math.Log(betaFraction(b, a, 1-q)/b)))
}

func betaFraction(a, b, q float64) float64 {
	const tiny = 1e-300
	keep := func(x float64) float64 {
		if math.Abs(x) < tiny {
			return tiny
		}
		return x
	}
	c, d := 1.0, 1/keep(1-(a+b)*q/(a+1))
	h := d
	for m := 1.0; m < 20000; m++ {
		even := m * (b - m) * q / ((a + 2*m - 1) * (a + 2*m))
		d = 1 / keep(1+even*d)
		c = keep(1 + even/c)
		h *= d * c
		odd := -(a + m) * (a + b + m) * q / ((a + 2*m) * (a + 2*m + 1))
		d = 1 / keep(1+odd*d)
		c = keep(1 + odd/c)
		step := d * c
		h *= step
		if math.Abs(step-1) < 1e-13 {
			break
		}
	}
	return h
}

// lnGammaP is ln P(a, x), the chance that a Poisson count of mean x is at least
// a: the series below the mean, one less the continued fraction above it
// (Numerical Recipes 6.2).
func lnGammaP(a, x float64) float64 {
	lg, _ := math.Lgamma(a)
	front := a*math.Log(x) - x - lg
	if x < a+1 {
		sum, term := 1/a, 1/a
		for n := a + 1; ; n++ {
			term *= x / n
			sum += term
			if term < sum*1e-15 {
				return min(0, front+math.Log(sum))
			}
		}
	}
	b := x + 1 - a
	c, d := 1e300, 1/b
	h := d
	for i := 1.0; i < 20000; i++ {
		an := -i * (i - a)
		b += 2
		d = 1 / (an*d + b)
		c = b + an/c
		h *= d * c
		if math.Abs(d*c-1) < 1e-14 {
			break
		}
	}
	return ln1mexp(min(0, front+math.Log(h)))
}

// LnBinomialUpper is ln P(X >= x) of a count of x among n with chance p each.
func LnBinomialUpper(x, n, p float64) float64 {
	switch {
	case x <= 0:
		return 0
	case x > n:
		return math.Inf(-1)
	}
	return lnBeta(x, n-x+1, p)
}

// Range is the smallest interval of whole counts outside of which a negative
// binomial count lies with a chance of at most alpha/2 on either side.
func Range(mean, k, alpha float64) (low, high float64) {
	if mean <= 0 {
		return 0, 0
	}
	ln := math.Log(alpha / 2)
	// high: the smallest x with P(X > x) <= alpha/2
	high = least(mean, func(x float64) bool { return LnUpper(x+1, mean, k) <= ln })
	// low: the smallest x with P(X <= x) > alpha/2
	low = least(mean, func(x float64) bool { return LnLower(x, mean, k) > ln })
	return low, high
}

// least is the smallest whole number from 0 that ok holds for; ok holds for all
// above it.
func least(guess float64, ok func(float64) bool) float64 {
	if ok(0) {
		return 0
	}
	lo, hi := 0.0, math.Ceil(guess)+1
	for !ok(hi) {
		lo, hi = hi, 2*hi
	}
	for hi-lo > 1 {
		mid := math.Floor((lo + hi) / 2)
		if ok(mid) {
			hi = mid
		} else {
			lo = mid
		}
	}
	return hi
}
