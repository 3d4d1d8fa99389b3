package stat

import "math"

// Predictive is the chance that the next of a series is of a category seen n
// times in total times, where among peers it has the given share, which counts
// as much as a observations do: (n + a*share)/(total + a), the predictive of a
// Dirichlet-multinomial (Johnson 1932; Gelman: Bayesian Data Analysis, 3.4).
func Predictive(n, total, share, a float64) float64 {
	return (n + a*share) / (total + a)
}

// LnDirichletMultinomial is ln of the chance of counts under Dirichlet weights
// alpha of the same length: the counts of one window against what is usual.
func LnDirichletMultinomial(counts, alpha []float64) float64 {
	var n, a, ln float64
	for i, c := range counts {
		n += c
		a += alpha[i]
		top, _ := math.Lgamma(c + alpha[i])
		low, _ := math.Lgamma(alpha[i])
		fact, _ := math.Lgamma(c + 1)
		ln += top - low - fact
	}
	la, _ := math.Lgamma(a)
	lna, _ := math.Lgamma(n + a)
	lf, _ := math.Lgamma(n + 1)
	return ln + la - lna + lf
}

// New is the chance that the next of a series is of a category never seen, after
// total draws that showed distinct categories: (theta + d*distinct)/(total +
// theta), Pitman and Yor's process (1997) with strength theta and discount d;
// d = 0 is the Chinese restaurant process.
func New(total, distinct, theta, d float64) float64 {
	return min(1, (theta+d*distinct)/(total+theta))
}

// Entropy of counts in bits.
func Entropy(counts []float64) float64 {
	var n, h float64
	for _, c := range counts {
		n += c
	}
	for _, c := range counts {
		if c > 0 {
			h -= c / n * math.Log2(c/n)
		}
	}
	return h
}
