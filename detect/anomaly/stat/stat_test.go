package stat

import (
	"math"
	"math/rand/v2"
	"testing"
)

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > tolerance*math.Max(1, math.Abs(want)) {
		t.Errorf("%s = %.12g; want %.12g", what, got, want)
	}
}

// lnSum adds up the negative binomial from x on, term by term.
func lnSum(x, mean, k float64) float64 {
	lnTerm := func(j float64) float64 {
		a, _ := math.Lgamma(j + k)
		b, _ := math.Lgamma(k)
		c, _ := math.Lgamma(j + 1)
		return a - b - c + k*math.Log(k/(k+mean)) + j*math.Log(mean/(k+mean))
	}
	first := lnTerm(x)
	sum := 0.0
	for j := x; ; j++ {
		term := math.Exp(lnTerm(j) - first)
		sum += term
		if j > mean && term < 1e-17*sum {
			return first + math.Log(sum)
		}
	}
}

func TestTail(t *testing.T) {
	f := func(x, mean, k float64) {
		t.Helper()
		near(t, "LnUpper", LnUpper(x, mean, k), lnSum(x, mean, k), 1e-9)
		both := math.Exp(LnUpper(x, mean, k)) + math.Exp(LnLower(x-1, mean, k))
		near(t, "P(X>=x)+P(X<x)", both, 1, 1e-9)
	}
	f(1, 0.01, 0.3)
	f(5, 0.2, 12)
	f(18, 18, 12)
	f(4, 18, 12)
	f(312, 18, 12)
	f(36, 18, 1000)
	f(700, 500, 3)
	f(3, 800, 0.4)
	f(15, 1e-3, 0.05)
	f(40000, 20000, 50)

	// With shape 1 the count is geometric: the tail is a power.
	for _, x := range []float64{1, 10, 1000, 100000} {
		near(t, "geometric", LnUpper(x, 2, 1), x*math.Log(2.0/3), 1e-10)
	}
	// 1e-300 and beyond: Score does not stop where float64 does.
	near(t, "Score", Score(LnUpper(10000, 2, 1)), 10000*math.Log10(1.5), 1e-10)
	// Poisson: 1 - e^-2 (1 + 2), and the limit of a large shape.
	near(t, "Poisson", math.Exp(LnUpper(2, 2, math.Inf(1))), 1-3*math.Exp(-2), 1e-12)
	near(t, "Poisson far", LnUpper(80, 9, math.Inf(1)), LnUpper(80, 9, 9e8), 1e-5)
	near(t, "nothing usual", LnUpper(1, 0, 3), math.Inf(-1), 0)
}

func TestBinomial(t *testing.T) {
	near(t, "by hand", math.Exp(LnBinomialUpper(2, 3, 0.5)), 0.5, 1e-12)
	near(t, "all", LnBinomialUpper(0, 3, 0.5), 0, 0)
	near(t, "more than there are", LnBinomialUpper(4, 3, 0.5), math.Inf(-1), 0)
}

func TestRange(t *testing.T) {
	f := func(mean, k float64) {
		t.Helper()
		low, high := Range(mean, k, 0.05)
		if p := math.Exp(LnUpper(high+1, mean, k)); p > 0.025 {
			t.Errorf("above %v: %v", high, p)
		}
		if p := math.Exp(LnUpper(high, mean, k)); high > 0 && p <= 0.025 {
			t.Errorf("%v is not the least: %v", high, p)
		}
		if p := math.Exp(LnLower(low-1, mean, k)); low > 0 && p > 0.025 {
			t.Errorf("below %v: %v", low, p)
		}
	}
	f(0.01, 1)
	f(18, 12)
	f(1e5, 4)
}

func TestShrink(t *testing.T) {
	near(t, "Shrink", Shrink(4, 1, 16, 1), 8, 1e-12)
	near(t, "Shrink without own", Shrink(0, 0, 16, 1), 16, 0)
	near(t, "Blend", Blend(2, 3, 6, 1), 3, 1e-12)
	near(t, "Widen", Widen(10, 5, 4), 1/(0.1+0.3/4), 1e-12)
	if got := Cap(1000, 18, 12, 5); got < 50 || got > 60 {
		t.Errorf("a burst teaches %v", got)
	}
	near(t, "Cap of the usual", Cap(20, 18, 12, 5), 20, 0)

	rng := rand.New(rand.NewPCG(1, 2))
	var d Dispersion
	for range 20000 {
		d.Add(negBinomial(rng, 9, 3), 9)
	}
	near(t, "Shape", d.Shape(), 3, 0.1)
	near(t, "Quantile", Quantile([]float64{4, 1, 3, 2}, 0.5), 2.5, 0)
	near(t, "highest", Quantile([]float64{4, 1, 3, 2}, 1), 4, 0)
}

func TestCombine(t *testing.T) {
	near(t, "Best", Best(3, 1, 2), 3-math.Log10(3), 1e-12)
	near(t, "LnRatio", LnRatio(7, 3, 6, 2), lnAt(7, 6, 2)-lnAt(7, 3, 2), 1e-9)
	near(t, "CUSUM", CUSUM(1, -3), 0, 0)
}

func lnAt(x, mean, k float64) float64 {
	return math.Log(math.Exp(LnUpper(x, mean, k)) - math.Exp(LnUpper(x+1, mean, k)))
}

func TestTailCorrect(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	honest, heavy := Tail{}, Tail{}
	for range 50000 {
		s := rng.ExpFloat64() / math.Ln10
		honest.Add(s)
		heavy.Add(2 * s)
	}
	near(t, "honest", honest.Correct(5, Tail{}, 200), 5, 0.05)
	// Twice the score is the square root of the chance: a score of 6 is 3, up to
	// what TailCap takes away.
	near(t, "heavy", heavy.Correct(6, Tail{}, 200), 3, 0.1)
	// Without observations of its own it follows its peers.
	near(t, "by peers", Tail{}.Correct(6, heavy, 200), heavy.Correct(6, Tail{}, 1), 0.05)
	near(t, "low scores stay", heavy.Correct(0.7, Tail{}, 200), 0.7, 0)
}

func TestCircle(t *testing.T) {
	bins := make([]float64, 24)
	bins[23], bins[1] = 1, 1
	mean, r := Direction(bins)
	near(t, "mean over midnight", math.Mod(mean+1e-9, 24), 0, 1e-6)
	if r < 0.9 {
		t.Errorf("R = %v", r)
	}
	smooth := make([]float64, 24)
	Smooth(smooth, bins, 1)
	sum := 0.0
	for _, v := range smooth {
		sum += v
	}
	near(t, "sum", sum, 2, 1e-12)
	if !(smooth[0] > smooth[3] && smooth[3] > smooth[12]) {
		t.Errorf("not smooth around midnight: %v", smooth)
	}
	near(t, "Rarity", Rarity([]float64{5, 3, 1, 1}, 2), 0.1, 1e-12)
	near(t, "Rarity of the usual", Rarity([]float64{5, 3, 1, 1}, 0), 0.75, 1e-12)
	turned := make([]float64, 4)
	Rotate(turned, []float64{1, 0, 0, 0}, -0.5)
	near(t, "turned", turned[3]+10*turned[0], 0.5+5, 1e-12)
}

// negBinomial draws a Poisson count whose mean is gamma distributed.
func negBinomial(rng *rand.Rand, mean, k float64) float64 {
	return poisson(rng, gamma(rng, k)*mean/k)
}

// gamma draws by Marsaglia and Tsang (2000).
func gamma(rng *rand.Rand, k float64) float64 {
	if k < 1 {
		return gamma(rng, k+1) * math.Pow(rng.Float64(), 1/k)
	}
	d := k - 1.0/3
	c := 1 / math.Sqrt(9*d)
	for {
		z := rng.NormFloat64()
		v := math.Pow(1+c*z, 3)
		if v > 0 && math.Log(rng.Float64()) < z*z/2+d-d*v+d*math.Log(v) {
			return d * v
		}
	}
}

func poisson(rng *rand.Rand, mean float64) float64 {
	if mean > 500 {
		return math.Max(0, math.Round(mean+math.Sqrt(mean)*rng.NormFloat64()))
	}
	n, p := 0.0, math.Exp(-mean)
	for u, term := rng.Float64(), p; u > p && n < 10000; p += term {
		n++
		term *= mean / n
	}
	return n
}

func BenchmarkLnUpper(b *testing.B) {
	sum := 0.0
	for i := range b.N {
		sum += LnUpper(float64(20+i%300), 18, 12)
	}
	if sum > 0 {
		b.Fatal(sum)
	}
}
