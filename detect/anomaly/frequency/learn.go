package frequency

import (
	"math"
	"slices"
	"time"

	"github.com/yagura-sec/yagura/detect/anomaly/stat"
	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/finding"
)

// tally is what one secret had on a day.
type tally struct {
	reads  [24]float64
	score  [24]float64
	plain  [24]float64
	known  [24]bool // the hour tells something: heard, and not explained by a deploy
	heard  [24]bool
	again  [24]bool // the hour is explained by having come before
	actors map[int32]float64
	any    bool
}

func (s *sign) Learn(day *watch.Day) {
	s.grow(day.Names)
	s.open()
	defer s.seal()
	clear(s.ended)
	heard := s.heard(day)
	tallies := make([]tally, len(s.secrets))
	for i := range tallies {
		tallies[i].heard = heard[s.home[i].account]
		tallies[i].known = tallies[i].heard
	}
	for i, h := range day.Hours {
		if h == nil {
			continue
		}
		for _, c := range s.assess(day, i) {
			s.tally(&tallies[c.secret], &c, i)
		}
	}
	s.sweep.learn(s, day)
	s.today = today{}
	sums := make(map[int32]*[2][24]float64)
	swung := map[swung]bool{}
	for i := range s.secrets {
		s.learnSecret(int32(i), day.Start, &tallies[i], sums, swung)
	}
	s.learnPools(day.Start, sums)
	s.learnSpread()
	s.swings.decay()
	s.daily.decay()
	s.judged *= 0.976
	s.raised *= 0.976
	s.late = s.late[:0]
	if h := day.Hours[23]; h != nil {
		s.late = append(s.late, h.Acts...)
	}
	s.days++
}

// heard tells by account in which hours anything is known of it. Of secrets whose
// account is not known (-1) an hour tells something where any account is heard.
func (s *sign) heard(day *watch.Day) map[int32][24]bool {
	heard := map[int32][24]bool{}
	mark := func(account int32, i int) {
		h := heard[account]
		h[i] = true
		heard[account] = h
	}
	for i, h := range day.Hours {
		if h == nil {
			continue
		}
		if len(h.Calls)+len(h.Uses) > 0 {
			mark(-1, i)
		}
		for j := range h.Calls {
			mark(h.Calls[j].Account, i)
		}
		for j := range h.Uses {
			mark(h.Uses[j].Account, i)
			if u := h.Uses[j].Secret; u >= 0 {
				mark(s.home[u].account, i)
			}
		}
	}
	return heard
}

func (s *sign) tally(t *tally, c *cell, i int) {
	t.any = true
	t.reads[i], t.score[i], t.plain[i] = c.x, c.score, c.plain
	if t.actors == nil {
		t.actors = map[int32]float64{}
	}
	for _, a := range c.actors {
		t.actors[a.actor] += a.count
	}
	if len(c.context) > 0 {
		t.known[i] = false
		t.again[i] = again(c)
	}
	st := s.state(c.secret)
	if c.peak > 0 && c.score < striking {
		st.learnPeak(c.peak, c.x)
	}
	if c.peak > 0 && c.sudden() && c.x >= 1.5*c.mean+2 && (c.score < striking || len(c.context) > 0) {
		st.learnStart(c.x - c.mean)
	}
}

// learnStart takes in how many more reads than usual a start brought: of each twice
// what is known at most, so that one start does not make room for any amount.
func (st *state) learnStart(over float64) {
	x := float32(over)
	if st.start > 0 {
		x = min(x, 2*st.start+3)
	}
	st.start = max(st.start, x)
}

// again tells whether a rise is explained by a run that came a week or a month
// before: then it is remembered to come once more.
func again(c *cell) bool {
	return slices.ContainsFunc(c.context, func(e finding.Explanation) bool { return e.ID == "weekly" || e.ID == "monthly" })
}

func (st *state) learnPeak(peak, x float64) {
	l := math.Log(peak / usualPeak(x))
	gain := max(1/float64(st.peaks+1), 0.02)
	d := l - float64(st.peak)
	st.peak += float32(gain * d)
	st.peakVar += float32(gain * (min(d*d, 1) - float64(st.peakVar)))
	if st.peaks < math.MaxUint16 {
		st.peaks++
	}
}

// dayOfSecret is what one day of one secret teaches.
type dayOfSecret struct {
	learned, expected  [24]float64
	sumX, sumMean, all float64
	means, factors     []float64 // for swings
	hours, above       int
}

// learnSecret takes one day of one secret in, and adds it to the sums of its
// family, account and the estate.
func (s *sign) learnSecret(secret int32, day time.Time, t *tally, sums map[int32]*[2][24]float64, seen map[swung]bool) {
	st := s.state(secret)
	st.keep(t)
	if !st.started {
		if !t.any {
			return
		}
		st.started = true
	}
	spread := st.spread
	d := s.learnHours(secret, day, t)
	if d.hours == 0 {
		return
	}
	st.calls += float32(d.all)
	if st.days > 0 && d.sumX > 1.4*d.sumMean && s.monthEnd(secret, day.Add(12*time.Hour)) {
		// What the end of a month brings is gone when it is over: it is kept to be
		// known at the end of the next one only.
		st.spread = spread
		s.learnEnd(secret, dayOf(day), &d)
		return
	}
	s.swings.take(d.means, d.factors, s.home[secret].family, seen)
	st.meet(t.actors, sumOf(t.actors))
	st.spread.Decay(0.976)
	st.tail.Decay(0.976)
	if st.days == 0 {
		st.level = float32(max(d.sumX/max(d.sumMean, 0.5), 1e-3))
		st.slow = st.level
	} else {
		s.learnDay(st, d.all, d.sumMean, s.home[secret].family, seen)
		s.follow(st, d.sumX, d.sumMean, day)
	}
	s.learnProfile(secret, day, t, &d.learned, sums)
	st.days++
}

// keep keeps the hours of the day to be drawn, and lets what starts bring fade.
func (st *state) keep(t *tally) {
	copy(st.past[:], st.past[24:])
	for h := range 24 {
		at := &st.past[(kept-1)*24+h]
		*at = 0
		if t.heard[h] {
			*at = uint16(min(t.reads[h]+1, math.MaxUint16))
		}
	}
	st.start *= 0.99
}

// learnHours goes through the hours of a day that tell something.
func (s *sign) learnHours(secret int32, day time.Time, t *tally) (d dayOfSecret) {
	st := s.state(secret)
	p := &s.pools[s.home[secret].pool]
	k := s.spread(st)
	for h := range 24 {
		at := day.Add(time.Duration(h) * time.Hour)
		class, hour := p.classOf(hourOfWeek(day) + h)
		mean, wide := s.expectCell(st, p, class, hour)
		if !t.known[h] {
			// A run that something else accounts for by chance is a run.
			if t.again[h] || t.plain[h] >= 2 && t.reads[h] >= mean+5 {
				st.remember(at, t.reads[h], !t.again[h])
			}
			continue
		}
		x := t.reads[h]
		if st.days == 0 {
			mean, _ = st.rhythm(s.prior(p, class, hour), class, hour, k, s.o.NoPeers)
			if x >= firstRun {
				st.remember(at, x, true) // may be a run of every week
			}
		} else {
			x = stat.Cap(x, mean, wide, 5)
			if x >= 1.3*mean+1 {
				d.above++
			}
			if st.days >= swingSince && mean >= 5 {
				d.means, d.factors = append(d.means, mean), append(d.factors, 0)
				if t.plain[h] >= swingScore {
					d.factors[len(d.factors)-1] = t.reads[h] / mean
				}
			}
			if st.mature() {
				s.judged++
				if t.score[h] >= watch.Floor {
					s.raised++
				}
			}
			st.spread.Add(x, mean)
			st.tail.Add(t.score[h])
			if t.plain[h] >= 2 && t.reads[h] >= mean+5 {
				st.remember(at, t.reads[h], st.mature() && t.score[h] >= striking)
			}
		}
		d.learned[h], d.expected[h] = x, mean
		d.sumX += x
		d.sumMean += mean
		d.all += t.reads[h]
		d.hours++
	}
	return d
}

// firstRun is how many reads of a secret's first day an hour has to have to be
// remembered.
const firstRun = 10

// striking is the score from which on an hour may have been told of.
const striking = 3.0

// learnEnd keeps how far a day at the end of a month was above the usual, where
// that was so in several of its hours or, of what runs once a day, by what runs of
// several days brought. What an hour counts for is bounded, so that a burst by
// itself is no such day.
func (s *sign) learnEnd(secret int32, today uint16, d *dayOfSecret) {
	st := s.state(secret)
	if stat.LnUpper(d.sumX, d.sumMean, s.dayShape(st)) > math.Log(0.1) {
		return
	}
	run := 0
	for h := range 24 {
		if d.expected[h] >= 3 && d.expected[h] >= 0.3*d.sumMean && d.learned[h] > 1.4*d.expected[h] {
			run++
		}
	}
	if d.above < 3 && run == 0 {
		return
	}
	rise := d.sumX / d.sumMean
	st.ends.add(today, rise)
	family := s.home[secret].family
	e := s.ends[family]
	s.ended[family]++
	if s.ended[family] >= 2 {
		e.add(today, rise)
		s.ends[family] = e
	}
}

func sumOf(counts map[int32]float64) float64 {
	sum := 0.0
	for _, n := range counts {
		sum += n
	}
	return sum
}

// learnDay takes in how far a day went beyond its secret's own spread.
func (s *sign) learnDay(st *state, x, mean float64, family int32, seen map[swung]bool) {
	if st.days < swingSince || mean < 5 {
		return
	}
	factor := 0.0
	if interest(x, mean, s.dayShape(st)) >= swingScore {
		factor = x / mean
	}
	s.daily.take([]float64{mean}, []float64{factor}, -1-family, seen)
}

// follow moves the level after a day that had x reads where mean were expected:
// by Bound at most, or fast after a step.
func (s *sign) follow(st *state, x, mean float64, day time.Time) {
	ratio := x / mean
	gain := max(1/float64(st.days+1), Bound)
	k := s.dayShape(st)
	up := stat.LnUpper(x, mean, k) < math.Log(0.01)
	down := stat.LnLower(x, mean, k) < math.Log(0.01)
	switch {
	case up && st.streak >= 0:
		st.streak++
	case down && st.streak <= 0:
		st.streak--
	default:
		st.streak = 0
	}
	if st.streak >= adopt || st.streak <= -adopt {
		st.fast, st.streak = 3, 0
	}
	if st.fast > 0 {
		st.fast--
		gain = 0.5
		st.cusum = 0
	}
	s.learnSlow(st, x, mean, day)
	st.daily.Add(stat.Cap(x, mean, k, 5), mean)
	st.daily.Decay(0.976)
	st.level = float32(max(float64(st.level)*(1+gain*(min(ratio, 2)-1)), 1e-4))
}

// adopt is after how many days in a row out of the usual in the same direction
// the level follows fast: half the way a day.
const adopt = 3

func (s *sign) learnProfile(secret int32, day time.Time, t *tally, learned *[24]float64, sums map[int32]*[2][24]float64) {
	st := s.state(secret)
	level := float64(st.level)
	p := &s.pools[s.home[secret].pool]
	weight := level / (level + 2)
	pools := []int32{s.home[secret].pool}
	for at := p.parent; at >= 0; at = s.pools[at].parent {
		pools = append(pools, at)
	}
	for h := range 24 {
		if !t.known[h] {
			continue
		}
		r := min(learned[h]/max(level, 1e-3), 48)
		class, hour := p.classOf(hourOfWeek(day) + h)
		n := &st.samples[class][hour]
		*n = min(*n+1, limit)
		own := &st.profile[class][hour]
		*own = toPortion(own.value() + (r-own.value())/float64(*n))
		for _, at := range pools {
			sum := sums[at]
			if sum == nil {
				sum = new([2][24]float64)
				sums[at] = sum
			}
			sum[0][h] += weight * min(r, 12)
			sum[1][h] += weight
		}
	}
}

func (s *sign) learnPools(day time.Time, sums map[int32]*[2][24]float64) {
	for i := range s.pools {
		p := &s.pools[i]
		if sum := sums[int32(i)]; sum != nil {
			p.take(day, &sum[0], &sum[1])
		}
	}
	// Parents were made before their children: 0 is the estate.
	for i := range s.pools {
		var parent *pool
		if at := s.pools[i].parent; at >= 0 {
			parent = &s.pools[at]
		}
		s.pools[i].settle(parent)
	}
}

// learnSpread works out what the secrets have in common in how their counts
// spread.
func (s *sign) learnSpread() {
	var hours, days []float64
	s.tail = stat.Tail{}
	clear(s.breadth)
	for i := range s.secrets {
		st := &s.secrets[i]
		for _, r := range st.known {
			if r.part > 0.02 {
				s.breadth[kin{r.actor - 1, s.home[i].family}]++
			}
		}
		s.tail.Sum(st.tail)
		if st.days < 2 {
			continue
		}
		if st.level >= 0.5 {
			hours = append(hours, st.spread.Shape())
		}
		if st.level >= 0.05 && st.days >= 4 {
			days = append(days, st.daily.Shape())
		}
	}
	if len(hours) >= 5 {
		s.shape = stat.Median(hours)
	}
	if len(days) >= 5 {
		s.day = stat.Median(days)
	}
}
