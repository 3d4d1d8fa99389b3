package stat

import "math"

// Best is the score of the best of several correlated looks at the same thing:
// the smallest chance, times how many looks there were (Bonferroni). It is never
// too high, whatever the correlation.
func Best(scores ...float64) float64 {
	best := 0.0
	for _, s := range scores {
		best = max(best, s)
	}
	return max(0, best-math.Log10(float64(max(1, len(scores)))))
}

// CUSUM is one step of a cumulative sum that never falls below 0 (Page 1954):
// the sum so far and what the next observation adds.
func CUSUM(sum, add float64) float64 { return max(0, sum+add) }

// LnRatio is ln of how many times likelier count x is under mean b than under
// mean a, both negative binomial of shape k: what a CUSUM adds (Höhle and Paul
// 2008).
func LnRatio(x, a, b, k float64) float64 {
	if k > 1e9 {
		return x*math.Log(b/a) - (b - a)
	}
	return x*math.Log(b/a) - (x+k)*math.Log((b+k)/(a+k))
}

// Tail says how a stream of scores is spread above a threshold, so that it can
// be held against what chance gives: above Over lie n of N, by Excess in all.
// The zero value is empty.
type Tail struct {
	N, Above, Excess float32
}

// TailFrom is the score from which on a Tail looks, and TailCap how far above it
// a score counts, so that a few real bursts do not make a tail look heavy.
const (
	TailFrom = 1.0
	TailCap  = 3.0
)

// Add takes in one score.
func (t *Tail) Add(score float64) {
	t.N++
	if score > TailFrom {
		t.Above++
		t.Excess += float32(min(score-TailFrom, TailCap))
	}
}

// Decay makes what was taken in count f times as much.
func (t *Tail) Decay(f float64) {
	t.N *= float32(f)
	t.Above *= float32(f)
	t.Excess *= float32(f)
}

// Sum adds u up with t.
func (t *Tail) Sum(u Tail) {
	t.N += u.N
	t.Above += u.Above
	t.Excess += u.Excess
}

// Correct is the score with which chance alone, as far as t and the prior of
// weight n observations tell, gives as striking a score. Above the threshold a
// tail is taken as exponential in the score, that is Pareto in the chance
// (Pickands 1975, Hill 1975); honest scores have the mean excess 1/ln 10 and lie
// above 1 one time in ten. Where scores come out rarer than chance would have
// them (few calls, whole numbers) the score is left as it is.
func (t Tail) Correct(score float64, prior Tail, n float64) float64 {
	if score <= TailFrom {
		return score
	}
	const honest = 1 / math.Ln10
	share, mean := 0.1, honest
	if prior.N > 0 && prior.Above > 0 {
		share = float64(prior.Above / prior.N)
		mean = float64(prior.Excess / prior.Above)
	}
	weight := n * share // of the prior, in scores above the threshold
	rate := (float64(t.Above) + weight) / (float64(t.N) + n)
	excess := (float64(t.Excess) + weight*mean) / (float64(t.Above) + weight)
	corrected := -math.Log10(max(rate, 1e-9)) + (score-TailFrom)*honest/max(excess, 1e-9)
	return min(score, corrected)
}
