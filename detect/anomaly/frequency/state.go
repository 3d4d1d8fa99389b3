package frequency

import (
	"maps"
	"math"
	"slices"
	"time"

	"github.com/yagura-sec/yagura/detect/anomaly/stat"
)

// days of hours that are kept to be drawn.
const kept = 2

// state is what is learned of one secret, as it is while days are learned;
// between them it is packed.
type state struct {
	profile [2][24]portion // own mean of reads/level by class of day and hour
	samples [2][24]uint8   // that it rests on, at most limit
	level   float32        // reads an hour
	slow    float32        // the same, following slowly: what a rise is held against
	calls   float32        // all ever
	spread  stat.Dispersion
	daily   stat.Dispersion // of days
	tail    stat.Tail       // of the hours' scores
	cusum   float32
	rose    [2]uint16 // first and last day of a slow rise that could be told of
	climb   climb
	peak    float32 // mean of ln(busiest five minutes / what is usual of as many reads)
	peakVar float32
	peaks   uint16 // hours with a peak seen
	days    uint16 // learned
	started bool
	streak  int8 // days in a row above (or, negative, below) the usual
	fast    int8 // days left in which the level follows fast
	known   [4]reader
	start   float32 // how many more than usual a start has brought at most, fading
	ends    ends
	runs    [8]run
	past    [kept * 24]uint16 // reads of the last days, hour by hour, one more than read; 0: not known
}

// reader is an actor that reads the secret, with its part of the reads.
type reader struct {
	actor int32 // and 1; 0: none
	part  float32
}

// run is an hour that was far above the usual: if it comes again a week or a
// month later, it is a job.
type run struct {
	day  uint16 // since 1970
	hour uint8
	told bool // it was unusual enough to be told of, and nothing accounted for it
	size float32
}

// climb is what the days have had on which the cumulative sum is up, in reads an
// hour: by it a rise that goes on is told from one that came at once and stayed.
type climb struct {
	days        uint8
	first, last float32 // the mean of the first two, and the last
}

const limit = 40 // samples after which older ones are forgotten

func (st *state) mature() bool { return st.days >= MatureDays }

// rhythm is the part of the level that the hour has, and the relative variance
// with which it is known: the posterior of own samples, each as good as the
// spread of counts lets it be, under the peers' profile as prior.
func (st *state) rhythm(prior float64, class, hour int, k float64, alone bool) (r, v float64) {
	between := 4.0 // 1 / variance of profiles among peers
	if alone {
		prior, between = 1, 0.5
	}
	n := float64(st.samples[class][hour])
	own := st.profile[class][hour].value()
	expected := max(float64(st.level)*(n*own+2*prior)/(n+2), 0.02)
	information := n / (1/expected + 1/k)
	r = (information*own + between*prior) / (information + between)
	return r, 1 / (information + between)
}

// part is the share of the secret's reads that the actor usually has.
func (st *state) part(actor int32) float64 {
	for _, r := range st.known {
		if r.actor == actor+1 {
			return float64(r.part)
		}
	}
	return 0
}

// meet takes in who read the secret in a day.
func (st *state) meet(counts map[int32]float64, total float64) {
	if total <= 0 {
		return
	}
	for i := range st.known {
		if r := &st.known[i]; r.actor > 0 {
			r.part += 0.1 * (float32(counts[r.actor-1]/total) - r.part)
		}
	}
	for _, actor := range slices.Sorted(maps.Keys(counts)) {
		n := counts[actor]
		if st.part(actor) > 0 {
			continue
		}
		part := float32(n / total)
		if st.days > 0 {
			part *= 0.1
		}
		least := 0
		for i := range st.known {
			if st.known[i].actor == 0 {
				least = i
				break
			}
			if st.known[i].part < st.known[least].part {
				least = i
			}
		}
		if l := &st.known[least]; l.actor == 0 || l.part < part || l.part == part && l.actor > actor+1 {
			*l = reader{actor + 1, part}
		}
	}
}

// Ways in which a run comes again.
const (
	weekly  = iota // on the same weekday, seen twice
	calm           // a week ago, when it was nothing to tell of
	monthly        // at the same place of the month: twice, or when it was nothing to tell of
)

// run is how many reads a run at this hour has had; 0 if none is known. One hour
// that was told of as unusual accounts for nothing when it comes again: only what
// has come twice is a rhythm.
func (st *state) run(at time.Time, how int) float64 {
	day, hour := dayOf(at), at.Hour()
	var size float32
	times, quiet := 0, 0
	for _, r := range st.runs {
		if r.size == 0 || r.day >= day || !nearHour(int(r.hour), hour) {
			continue
		}
		back := int(day - r.day)
		if how == monthly {
			if back < 25 || !samePlace(dateOf(r.day), at) {
				continue
			}
		} else if back%7 != 0 || back > 35 {
			continue
		}
		size = max(size, r.size)
		times++
		if !r.told {
			quiet++
		}
	}
	if how == weekly && times < 2 || how != weekly && quiet == 0 && times < 2 {
		return 0
	}
	return float64(size)
}

// ends is how many times the usual a secret's, or a family's, days were at the
// last two ends of a month that were above it.
type ends [2]struct {
	day  uint16
	rise float32
}

// apart is how many days lie between two ends of a month at least, and fades how
// many there are until one is forgotten.
const (
	apart = 20
	fades = 100
)

func (e *ends) add(today uint16, rise float64) {
	if e[0].day == 0 || today-e[0].day > apart {
		e[1] = e[0]
		e[0].day, e[0].rise = today, 0
	}
	e[0].rise = max(e[0].rise, float32(rise))
}

// before is the rise at an earlier end of a month than that of today.
func (e ends) before(today uint16) float64 {
	for _, x := range e {
		if x.day > 0 && today-x.day > apart && today-x.day <= fades {
			return float64(x.rise)
		}
	}
	return 0
}

func nearHour(a, b int) bool { return a-b <= 1 && b-a <= 1 }

func dayOf(t time.Time) uint16 { return uint16(t.Unix() / 86400) }

func dateOf(day uint16) time.Time { return time.Unix(int64(day)*86400, 0).UTC() }

// samePlace tells whether both days are at the same place of their months: the
// same day, both the last, both the last or first working day.
func samePlace(a, b time.Time) bool {
	return a.Day() == b.Day() ||
		toEnd(a) <= 1 && toEnd(b) <= 1 || // a day east or west of UTC counts as the same
		a.Day() <= 3 && b.Day() <= 3 ||
		working(a) == working(b) && working(a) >= -2 && working(a) < 0
}

// toEnd is how many days of the month come after t.
func toEnd(t time.Time) int {
	return time.Date(t.Year(), t.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day() - t.Day()
}

// working is how many working days from the end of its month t is: -1 is the
// last; 0 if t is none.
func working(t time.Time) int {
	if t.Weekday() == time.Saturday || t.Weekday() == time.Sunday {
		return 0
	}
	n := -1
	for d, last := t, t.AddDate(0, 0, toEnd(t)); d.Before(last); {
		d = d.AddDate(0, 0, 1)
		if d.Weekday() != time.Saturday && d.Weekday() != time.Sunday {
			n--
		}
	}
	return n
}

// remember keeps an hour that was far above the usual.
func (st *state) remember(at time.Time, x float64, told bool) {
	day := dayOf(at)
	worst := 0
	for i, r := range st.runs {
		if r.size == 0 || day-r.day > 40 {
			worst = i
			break
		}
		if r.day < st.runs[worst].day {
			worst = i
		}
	}
	st.runs[worst] = run{day, uint8(at.Hour()), told, float32(x)}
}

// usualPeak is about how many of x reads fall into the busiest five minutes if
// they come one by one: the greatest of twelve Poisson counts.
func usualPeak(x float64) float64 {
	m := x / 12
	return m + 1.6*math.Sqrt(m) + 0.6
}

// peakScore is the score of the busiest five minutes: whether as many reads in
// five minutes are unusual for the hour's usual number of reads, by how peaked
// the secret's hours are otherwise.
func (st *state) peakScore(w *swing, peak, mean, k float64) float64 {
	ratio := math.Exp(float64(st.peak) + float64(st.peakVar)/2)
	usual := min(ratio*usualPeak(mean), max(mean, 1))
	if peak <= usual {
		return 0
	}
	shape := 1 / (1/k + float64(st.peakVar) + 0.05)
	return stat.Score(w.lnUpper(peak, usual, shape))
}
