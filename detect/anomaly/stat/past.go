package stat

import "slices"

// Expected is what a count was expected to be.
type Expected struct {
	Low, High float64 // 95 of 100 such counts lie between
	Score     float64 // of the chance that one lies as far out
	Below     bool    // it lies below the mean
}

// Weights of what is known before anything was seen: that a count of an hour of the
// week is like the series' other counts, and that counts vary as with shape priorShape.
const (
	priorMean  = 0.5 // counts
	priorShape = 5.0
	priorLooks = 8.0 // counts
)

// Held holds the counts of one series each against its peers of the past, such as
// those of the same hour of the weeks before. Means are those of the peers, bursts
// held (Cap), shrunk towards that of all peers by as much as these are alike; the shape is one for the series,
// estimated with each peer left out of the mean that it is held against (Stone 1974).
// Counts without peers are expected as all others are.
func Held(seen []float64, past [][]float64) []Expected {
	held := make([][]float64, len(past))
	var all []float64
	for i, peers := range past {
		held[i] = capped(peers)
		all = append(all, held[i]...)
	}
	mean := (sum(all) + priorMean) / float64(len(all)+1)
	var d Dispersion
	for _, peers := range held {
		total := sum(peers)
		for _, x := range peers {
			d.Add(x, Blend((total-x)/max(1, float64(len(peers)-1)), float64(len(peers)-1), mean, priorMean))
		}
	}
	k := priorShape
	if own := d.Shape(); own > 0 {
		k = 1 / Blend(1/own, float64(len(all)), 1/priorShape, priorLooks)
	}
	weight := sameness(held, k)
	out := make([]Expected, len(seen))
	for i, x := range seen {
		n := float64(len(held[i]))
		m := Blend(sum(held[i])/max(1, n), n, mean, weight)
		out[i] = expected(x, m, Widen(k, m, max(1, n)))
	}
	return out
}

// Bounds of sameness, and of how many counts it is asked at least.
const (
	sameMost  = 50.0
	sameLeast = 24
)

// sameness is how many counts the mean of all peers weighs beside the peers of one
// count: as the variance among peers is to that of the counts' true means (the credibility
// of Bühlmann, 1967). Where hours differ by no more than chance has it, four peers that
// happen to be few do not make the next count unusual.
func sameness(past [][]float64, k float64) float64 {
	var means, within []float64
	for _, peers := range past {
		n := float64(len(peers))
		if n == 0 {
			continue
		}
		m := sum(peers) / n
		means = append(means, m)
		within = append(within, (m+m*m/k)/n)
	}
	if len(means) < sameLeast {
		return priorMean
	}
	mean, n := sum(means)/float64(len(means)), float64(len(means))
	between := 0.0
	for _, m := range means {
		between += (m - mean) * (m - mean) / (n - 1)
	}
	chance := sum(within) / n
	peers := 0.0
	for _, p := range past {
		peers += float64(len(p)) / n
	}
	if between <= chance {
		return sameMost
	}
	return min(max(peers*chance/(between-chance), priorMean), sameMost)
}

func expected(x, mean, k float64) (e Expected) {
	e.Low, e.High = Range(mean, k, 0.05)
	if e.Below = x < mean; e.Below {
		e.Score = Score(LnLower(x, mean, k))
	} else {
		e.Score = Score(LnUpper(x, mean, k))
	}
	return e
}

// capped are the counts, none further above their median than Cap lets it.
func capped(peers []float64) []float64 {
	if len(peers) < 3 {
		return peers // of two nobody can say which is the burst
	}
	out, middle := slices.Clone(peers), Median(peers)
	for i, x := range out {
		out[i] = Cap(x, middle, priorShape, 5)
	}
	return out
}

func sum(values []float64) (s float64) {
	for _, v := range values {
		s += v
	}
	return s
}
