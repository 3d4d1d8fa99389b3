package anomaly

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/finding"
)

// The tail of a class is kept a day at a time in bins of scores from watch.Floor
// on. Its body, which is nearly all chance even while something goes on, says
// how often chance exceeds a score. The body begins where few enough secrets have
// such a score on a day that counting each once a day loses nothing.
const (
	binWidth = 0.1
	bins     = 61 // the last one holds all beyond the others
	bodyBins = 20
	bodySpan = binWidth * bodyBins
	few      = 0.05

	tailDays = 84 // kept; by then a day weighs an eighth
	halfLife = 28.0

	// Before anything is observed a class counts as if levelPrior scores of the
	// body had been seen where as many were expected, and slopePrior of them
	// with the slope that is nominal.
	levelPrior = 10.0
	slopePrior = 20.0
	usedPrior  = 2.0

	// minLevel is how far the level may be corrected downward: tests of small
	// counts are cautious, but a quiet month is no promise.
	minLevel = 0.5
	maxLevel = 1000.0
	minSlope = 0.3
	maxSlope = 1.0
)

// tailDay is what a class had in a day.
type tailDay struct {
	day     time.Time
	secrets int     // that an alarm could have been told of: heard of, and mature
	trials  float64 // a secret
	bins    [bins]uint16
}

// tail is the scores of one class. A day that is over is never changed, so copies
// share it.
type tail struct {
	class, sign string
	days        []tailDay
	fit         fit
}

// fit is how often chance exceeds scores: level times what is nominal at the
// start of the body, and 10^-slope for each further one.
type fit struct {
	start        float64
	level, slope float64
	seen         float64 // scores in the body, decayed
	expected     float64
}

// tails are all classes.
type tails struct {
	classes map[string]*tail
	nominal bool
	split   float64 // parts, as of the last day
}

func newTails(nominal bool) *tails {
	return &tails{classes: map[string]*tail{}, nominal: nominal, split: float64(len(finding.Signs))}
}

func (t *tails) clone() *tails {
	c := newTails(t.nominal)
	c.split = t.split
	for name, x := range t.classes {
		y := *x
		y.days = slices.Clip(y.days)
		c.classes[name] = &y
	}
	return c
}

// rate is how many alarms of a class with such a score or a higher one chance
// gives a day and 1,000 secrets.
func (t *tails) rate(class string, score, trials float64) float64 {
	nominal := trials * 1000 * math.Pow(10, -score)
	x := t.classes[class]
	if x == nil || t.nominal {
		return nominal
	}
	f := x.fit
	within := min(score-f.start, bodySpan)
	// Beyond the body it is not known how the tail goes on: half as before, half
	// as is nominal.
	beyond := max(score-f.start-bodySpan, 0) * (1 + f.slope) / 2
	return max(trials*1000*f.level*math.Pow(10, -f.start-f.slope*within-beyond), minLevel*nominal)
}

// used is what part a class can use of what it is given: one whose scores are
// cautious, as those of rare things are, has fewer alarms than its rates say.
func (f *fit) used() float64 {
	return min((f.seen+usedPrior)/(f.expected*f.level+usedPrior), 1)
}

// parts is by how much an alarm's rate is multiplied to have the budget that it
// needs: how many classes would use a budget up that each were given whole, and
// as many as there are signs at least.
func (t *tails) parts() float64 {
	n := 0.0
	for _, name := range slices.Sorted(maps.Keys(t.classes)) { // a sum of floats depends on its order
		n += t.classes[name].fit.used()
	}
	return max(n, float64(len(finding.Signs)))
}

// raised is an alarm as the tail counts it: all of one trouble and day are one.
type raised struct {
	class, sign, key string
	score, trials    float64
}

// learn takes a day's alarms of those who are mature and of which nothing is
// known that accounts for them. Exposed is how many secrets could have had one, by
// sign. The judgements of one class and day are as many for all; where they are
// not, an alarm counts as the score that chance gives as often by the most.
func (t *tails) learn(day time.Time, exposed func(sign string) int, alarms []raised) {
	best := map[[2]string]raised{}
	most := map[string]float64{}
	for _, a := range alarms {
		most[a.class] = max(most[a.class], a.trials)
	}
	for _, a := range alarms {
		if a.trials > 0 {
			a.score += math.Log10(most[a.class] / a.trials)
		}
		k := [2]string{a.class, a.key}
		if had, ok := best[k]; !ok || a.score > had.score {
			best[k] = a
		}
	}
	today := map[string]*tailDay{}
	for _, a := range best {
		x := t.classes[a.class]
		if x == nil {
			x = &tail{class: a.class, sign: a.sign}
			t.classes[a.class] = x
		}
		d := today[a.class]
		if d == nil {
			d = &tailDay{day: day, secrets: exposed(a.sign), trials: most[a.class]}
			today[a.class] = d
		}
		if b := &d.bins[min(int((a.score-watch.Floor)/binWidth), bins-1)]; *b < math.MaxUint16 {
			*b++
		}
	}
	for _, x := range t.classes {
		d := today[x.class]
		if d == nil {
			d = &tailDay{day: day, secrets: exposed(x.sign), trials: x.days[len(x.days)-1].trials}
		}
		x.days = append(x.days, *d)
		if extra := len(x.days) - tailDays; extra > 0 {
			x.days = slices.Clone(x.days[extra:])
		}
		x.fit = fitOf(x.days)
	}
	t.split = t.parts()
}

// fitOf fits the body of the tail. A day counts for no more than three times the
// median day: an outage is one event, however many secrets it touches.
func fitOf(days []tailDay) fit {
	last := days[len(days)-1].day
	weights := make([]float64, len(days))
	var beyond [bins + 1]float64 // that have a score of the bin or a higher one
	judged := 0.0
	for i := range days {
		weights[i] = math.Exp2(-last.Sub(days[i].day).Hours() / 24 / halfLife)
		judged += weights[i] * float64(days[i].secrets)
		for b, n := range days[i].bins {
			beyond[b] += weights[i] * float64(n)
		}
	}
	for b := bins - 1; b >= 0; b-- {
		beyond[b] += beyond[b+1]
	}
	from := 0
	for from < bins-1-bodyBins && beyond[from] > few*judged {
		from++
	}
	f := fit{start: watch.Floor + binWidth*float64(from)}
	counts := make([]float64, len(days))
	for i := range days {
		for _, n := range days[i].bins[from : from+bodyBins] {
			counts[i] += float64(n)
		}
	}
	limit := 3*median(counts) + 5
	top := f.start + bodySpan
	var excess float64
	for i := range days {
		d, weight := &days[i], weights[i]
		f.expected += weight * float64(d.secrets) * d.trials * (math.Pow(10, -f.start) - math.Pow(10, -top))
		if counts[i] > limit {
			weight *= limit / counts[i]
		}
		for b, n := range d.bins[from : from+bodyBins] {
			f.seen += weight * float64(n)
			excess += weight * float64(n) * (float64(b) + 0.5) * binWidth
		}
	}
	f.level = min(max((f.seen+levelPrior)/(f.expected+levelPrior), minLevel), maxLevel)
	f.slope = slopeOf((excess + slopePrior*meanExcess(1)) / (f.seen + slopePrior))
	return f
}

func median(list []float64) float64 {
	s := slices.Sorted(slices.Values(list))
	n := len(s)
	return (s[(n-1)/2] + s[n/2]) / 2
}

// meanExcess is how far scores of the body exceed its start on average, where
// chances fall by 10^-slope with each.
func meanExcess(slope float64) float64 {
	return 1/(slope*math.Ln10) - bodySpan/(math.Pow(10, slope*bodySpan)-1)
}

// slopeOf is the slope with that mean excess, which falls as the slope rises.
func slopeOf(mean float64) float64 {
	lo, hi := minSlope, maxSlope
	for range 40 {
		if mid := (lo + hi) / 2; meanExcess(mid) > mean {
			lo = mid
		} else {
			hi = mid
		}
	}
	return (lo + hi) / 2
}

// Calibration says of a class and day how often its scores exceeded what is
// nominally one in 100, 1,000 and 10,000 judgements. All alarms of one trouble
// and day count once.
type Calibration struct {
	Class    string     `json:"class"`
	Sign     string     `json:"sign"`
	Day      time.Time  `json:"day"`
	Secrets  int        `json:"secrets"`
	Trials   float64    `json:"trials"` // judgements a secret
	Observed [3]int     `json:"observed"`
	Nominal  [3]float64 `json:"nominal"`
	// Level and Slope are how rates are corrected after the latest day: how many
	// times more often than is nominal scores are exceeded where few are, and the power of ten
	// that chances fall by with each further score. Nominal is 1 and 1.
	Level float64 `json:"level"`
	Slope float64 `json:"slope"`
}

// calibration gives what was observed, by class and day.
func (t *tails) calibration() (out []Calibration) {
	for _, x := range t.classes {
		for i := range x.days {
			d := &x.days[i]
			c := Calibration{Class: x.class, Sign: x.sign, Day: d.day, Secrets: d.secrets, Trials: d.trials, Level: x.fit.level, Slope: x.fit.slope}
			for k, score := range [...]float64{2, 3, 4} {
				for _, n := range d.bins[int((score-watch.Floor)/binWidth+0.5):] {
					c.Observed[k] += int(n)
				}
				c.Nominal[k] = float64(d.secrets) * d.trials * math.Pow(10, -score)
			}
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(a, b Calibration) int { return cmp.Or(cmp.Compare(a.Class, b.Class), a.Day.Compare(b.Day)) })
	return out
}
