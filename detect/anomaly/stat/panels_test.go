package stat

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Generated weeks of a panel: each function gives the mean of an hour (0 is Monday 0:00
// UTC) of a week, the last being the judged one, and how much such counts vary.
var rhythms = []struct {
	name  string
	mean  func(week, hour int) float64
	shape float64 // of the counts; smaller varies more
	daily float64 // standard deviation of a day's own level, natural logarithm
}{
	{"office, 100 an hour", func(_, h int) float64 { return 100 * office(h) }, 20, 0.15},
	{"office, 5 an hour", func(_, h int) float64 { return 5 * office(h) }, 20, 0.15},
	{"programs, day and night", func(_, h int) float64 { return 40 }, 200, 0.05},
	{"nightly batch", func(_, h int) float64 {
		if h%24 == 2 {
			return 300
		}
		return 0.5
	}, 50, 0.05},
	{"hardly ever", func(_, h int) float64 { return 0.05 }, 5, 0},
	{"in bursts", func(_, h int) float64 { return 5 }, 1, 0},
	{"ten percent more each week", func(week, h int) float64 { return 100 * office(h) * math.Pow(1.1, float64(week)) }, 20, 0.15},
	{"a holiday in the past", func(week, h int) float64 {
		if week == 1 && h < 24 {
			return 100 * office(24*6+h)
		}
		return 100 * office(h)
	}, 20, 0.15},
}

// office is the share of the work of a day's best hour that is done in an hour.
func office(h int) float64 {
	day, hour := h/24, h%24
	switch {
	case day >= 5:
		return 0.05
	case hour >= 9 && hour < 18:
		return 1
	case hour >= 7 && hour < 20:
		return 0.3
	}
	return 0.08
}

const (
	pastOfPanel  = 4    // weeks, as dashboards have
	marksOfPanel = 0.01 // marks by chance on a panel, as dashboards allow
)

// drawWeek draws the counts of a week, hour by hour.
func drawWeek(rng *rand.Rand, mean func(hour int) float64, shape, daily float64) (hours [168]float64) {
	level := 1.0
	for h := range hours {
		if h%24 == 0 {
			level = math.Exp(rng.NormFloat64()*daily - daily*daily/2)
		}
		hours[h] = negBinomial(rng, mean(h)*level, shape)
	}
	return hours
}

// inBuckets sums hours in buckets of so many.
func inBuckets(hours [168]float64, width int) []float64 {
	out := make([]float64, 168/width)
	for h, n := range hours {
		out[h/width] += n
	}
	return out
}

// panelCounts are what came of judging panels.
type panelCounts struct{ quiet, marked, jumps, found int }

// judge judges one panel of a week with a jump in one bucket: the mean by so many times,
// and ten at least; or, with 0, nothing where 30 are usual.
func (c *panelCounts) judge(rng *rand.Rand, r int, width int, times float64) {
	x := rhythms[r]
	var weeks [][]float64
	for w := range pastOfPanel + 1 {
		weeks = append(weeks, inBuckets(drawWeek(rng, func(h int) float64 { return x.mean(w, h) }, x.shape, x.daily), width))
	}
	seen := weeks[pastOfPanel]
	at := rng.IntN(len(seen))
	usual := 0.0
	for h := at * width; h < (at+1)*width; h++ {
		usual += x.mean(pastOfPanel, h)
	}
	jump := times > 0 || usual >= 30
	switch {
	case times > 0:
		seen[at] += negBinomial(rng, max((times-1)*usual, 10*times), 20)
	case jump:
		seen[at] = 0
	}
	past := make([][]float64, len(seen))
	for b := range seen {
		for w := range pastOfPanel {
			past[b] = append(past[b], weeks[w][b])
		}
	}
	least := math.Log10(float64(len(seen)) / marksOfPanel)
	for b, e := range Held(seen, past) {
		told := e.Score >= least
		switch {
		case b == at && jump:
			c.jumps++
			c.found += count(told)
		default:
			c.quiet++
			c.marked += count(told)
		}
	}
}

func count(is bool) int {
	if is {
		return 1
	}
	return 0
}

// TestPanels measures marks on generated weeks, by the bars that dashboards have: how
// many of 1,000 quiet counts are marked, and how many of the jumps. docs/dashboards.md
// has the figures that it logs.
func TestPanels(t *testing.T) {
	const panels = 100
	for _, width := range []int{1, 24} {
		for r, x := range rhythms {
			rng := rand.New(rand.NewPCG(11, uint64(100*width+r)))
			var tenfold, threefold, gone panelCounts
			for range panels {
				tenfold.judge(rng, r, width, 10)
				threefold.judge(rng, r, width, 3)
				gone.judge(rng, r, width, 0)
			}
			quiet, marked := tenfold.quiet+threefold.quiet+gone.quiet, tenfold.marked+threefold.marked+gone.marked
			t.Logf("%2d h, %-27s of 1,000 quiet %.2f are marked; tenfold %d of %d, threefold %d of %d, none where 30 and more are usual %d of %d",
				width, x.name+":", 1000*float64(marked)/float64(quiet), tenfold.found, tenfold.jumps, threefold.found, threefold.jumps, gone.found, gone.jumps)
			if float64(marked) > 0.001*float64(quiet)+3 {
				t.Errorf("%d h, %s: %d of %d quiet counts are marked", width, x.name, marked, quiet)
			}
			if least := 0.9; x.shape > 1 && float64(tenfold.found) < least*float64(tenfold.jumps) {
				t.Errorf("%d h, %s: of tenfold counts %d of %d are marked", width, x.name, tenfold.found, tenfold.jumps)
			}
		}
	}
}
