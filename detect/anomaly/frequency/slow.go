package frequency

import (
	"maps"
	"math"
	"slices"
	"time"

	"github.com/yagura-sec/yagura/detect/anomaly/stat"
	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/say"
)

// risen is the rise that the slow watch looks for: half as much again.
const risen = 1.5

// slowGain is how fast the level that a slow rise is held against follows.
const slowGain = 0.05

// looks are the hours after which the day so far is judged.
var looks = [24]bool{5: true, 11: true, 17: true, 23: true}

// dayShape is the shape of a secret's days.
func (s *sign) dayShape(st *state) float64 {
	own := st.daily.Shape()
	k := s.day
	if s.o.NoShrinkage {
		if own > 0 {
			k = own
		}
	} else {
		k = stat.Shrink(own, float64(st.days), s.day, 7)
	}
	return k
}

// learnSlow adds a day to the cumulative sum and moves the slow level.
func (s *sign) learnSlow(st *state, x, mean float64, day time.Time) {
	if level := float64(st.level); level > 0 {
		old := mean * float64(st.slow) / level
		st.cusum = float32(min(stat.CUSUM(float64(st.cusum), s.slowStep(st, x, old)), 40))
		st.climb.take(st.cusum, x*level/max(mean, 1e-3))
		if float64(st.cusum)/math.Ln10 >= watch.Floor {
			st.rose = st.rise(dayOf(day))
		}
		gain := max(1/float64(st.days+1), slowGain)
		st.slow = float32(max(float64(st.slow)*(1+gain*(min(x/max(old, 1e-3), 2)-1)), 1e-4))
	}
	if st.cusum > 12 { // told: begin anew
		st.cusum, st.slow = 0, st.level
	}
}

// A rise goes on where its last two days have so many times what the first two
// had, and it is of so many days at least with today's. Reads that double from one
// day to the next and stay so are a change of what an application does, and seen
// as such on the day itself if they are many.
const (
	goesOn    = 1.2
	climbDays = 4
)

// take adds a day that had so many reads an hour.
func (c *climb) take(cusum float32, x float64) {
	if cusum <= 1 {
		*c = climb{}
		return
	}
	c.days = min(c.days+1, 100)
	if c.days <= 2 {
		c.first += (float32(x) - c.first) / float32(c.days)
	}
	c.last = float32(x)
}

// on tells whether the rise goes on with a day that has so many reads an hour.
func (c *climb) on(x float64) bool {
	return c.days+1 >= climbDays && (x+float64(c.last))/2 >= goesOn*float64(c.first)
}

// oneRise is for how many days a rise may pause and still be the same.
const oneRise = 7

// rise is the slow rise that a day on which there is one belongs to.
func (st *state) rise(day uint16) [2]uint16 {
	if st.rose[1] == 0 || int(day)-int(st.rose[1]) > oneRise {
		return [2]uint16{day, day}
	}
	return [2]uint16{st.rose[0], day}
}

func (s *sign) slowStep(st *state, x, mean float64) float64 {
	if mean <= 0 {
		return 0
	}
	return min(stat.LnRatio(x, mean, risen*mean, s.dayShape(st)), 6)
}

// steadier is how many times the shape of the others' days that of a secret's own may
// be where a day is judged: a month without a busy day does not say that there is
// none.
const steadier = 3

// judgeDay judges the day so far, and at its end the rise over days.
func (s *sign) judgeDay(alarms []watch.Alarm, day *watch.Day, i int) []watch.Alarm {
	if !looks[i] {
		return alarms
	}
	total := s.soFar(day, i)
	end := s.endOfMonth(day, total)
	for _, secret := range slices.Sorted(maps.Keys(total)) {
		t := total[secret]
		st := s.state(secret)
		if t.x <= t.mean || st.days < 2 {
			continue
		}
		k := min(s.dayShape(st), steadier*s.day)
		score := min(interest(t.x, t.mean, k), stat.Score(s.daily.of(t.mean).lnUpper(t.x, t.mean, k)))
		// A day is not so many times the usual without an hour that is: where hours
		// swing so, and they do for many in a row, the day is no rarer.
		if share := s.swings.of(t.mean / float64(i+1)).share(t.x / t.mean); share > 0 {
			score = min(score, stat.Score(min(0, math.Log(float64(i+1)*share))))
		}
		if i == 23 {
			old := t.mean * float64(st.slow) / math.Max(float64(st.level), 1e-4)
			if sum := stat.CUSUM(float64(st.cusum), s.slowStep(st, t.x, old)); sum/math.Ln10 >= watch.Floor && t.x > old+10 && st.climb.on(t.x*float64(st.level)/max(t.mean, 1e-3)) {
				a := s.dayAlarm(day, i, secret, t, end, true, sum/math.Ln10, old)
				a.Began = time.Unix(int64(st.rise(dayOf(day.Start))[0])*86400, 0).UTC()
				alarms = append(alarms, a)
			}
		}
		// A day is only of interest as a whole: an hour that stands out alone is
		// told by itself.
		if score >= watch.Floor && t.x >= t.mean+10 && t.most < t.mean+(t.x-t.mean)/2 {
			alarms = append(alarms, s.dayAlarm(day, i, secret, t, end, false, score, t.mean))
		}
	}
	return alarms
}

// sofar is what a secret had on a day up to an hour.
type sofar struct {
	x, mean     float64
	most        float64 // in the hour that had most more than usual
	first, last time.Time
	actors      map[int32]float64
}

// today is what the hours of a day so far add up to, kept from hour to hour so
// that each is looked at once. It follows from the day alone: where the hours are
// not those it was made from, it is made anew.
type today struct {
	start time.Time
	hours [24]*watch.Hour // that it was made from
	n     int             // how many of them
	total map[int32]*sofar
	tours touring
}

// upTo gives the day up to hour n, not included.
func (s *sign) upTo(day *watch.Day, n int) *today {
	t := &s.today
	same := t.total != nil && t.start.Equal(day.Start) && t.n <= n
	for h := 0; same && h < t.n; h++ {
		same = t.hours[h] == day.Hours[h]
	}
	if !same {
		*t = today{start: day.Start, total: map[int32]*sofar{}}
		t.tours.init()
	}
	for t.n < n {
		s.takeHour(day, t.n)
	}
	return t
}

// takeHour adds the next hour to the day so far, and gives its cells.
func (s *sign) takeHour(day *watch.Day, i int) []cell {
	t := &s.today
	t.hours[i] = day.Hours[i]
	t.n = i + 1
	if day.Hours[i] == nil {
		return nil
	}
	cells := s.assess(day, i)
	for j := range cells {
		c := &cells[j]
		if len(c.context) > 0 {
			continue // explained: the day is judged without it
		}
		x := t.total[c.secret]
		if x == nil {
			x = &sofar{first: c.first, actors: map[int32]float64{}}
			t.total[c.secret] = x
		}
		x.x += c.x
		x.most = max(x.most, c.x-c.mean)
		x.last = c.last
		for _, a := range c.actors {
			x.actors[a.actor] += a.count
		}
	}
	s.sweep.take(&t.tours, s, day, i)
	return cells
}

// soFar is what every secret had up to hour i, and what is usual. Hours of which
// nothing is known of the secret's account count for neither side.
func (s *sign) soFar(day *watch.Day, i int) map[int32]*sofar {
	total := s.upTo(day, i+1).total
	heard := s.heard(day)
	for secret, t := range total {
		t.mean = 0
		known := heard[s.home[secret].account]
		for h := 0; h <= i; h++ {
			if known[h] {
				mean, _ := s.expect(secret, day.Start.Add(time.Duration(h)*time.Hour))
				t.mean += mean
			}
		}
	}
	return total
}

// monthEnd is what the secrets of the estate do on a day at the end of a month.
type monthEnd struct {
	families map[int32]bool // that rose
	rise     float64        // how many times the usual those that did were read, in the middle
}

// Many families of secrets that rise on one day, of those in use, and how many
// times as many as chance has: one in a hundred.
const (
	manyFamilies = 6
	manyTimes    = 4
)

// endOfMonth finds which secrets are above the usual on a day at the end of a
// month, nil on any other.
func (s *sign) endOfMonth(day *watch.Day, total map[int32]*sofar) *monthEnd {
	e := &monthEnd{families: map[int32]bool{}}
	var rises []float64
	n := 0
	for _, secret := range slices.Sorted(maps.Keys(total)) {
		t, st := total[secret], s.state(secret)
		if st.days < 2 || !s.monthEnd(secret, day.Start.Add(12*time.Hour)) {
			continue
		}
		n++
		if t.x > 1.3*t.mean && stat.LnUpper(t.x, t.mean, s.dayShape(st)) < lnRare {
			e.families[s.home[secret].family] = true
			rises = append(rises, t.x/t.mean)
		}
	}
	if len(e.families) < manyFamilies || 100*len(rises) < manyTimes*n {
		return nil
	}
	e.rise = stat.Median(rises)
	return e
}

// whyDay looks for what accounts for a day: that its secret rose at an earlier end
// of a month, or that now, at the end of one, much of the estate does.
func (s *sign) whyDay(day *watch.Day, secret int32, t *sofar, end *monthEnd, usual float64) []finding.Explanation {
	if !s.monthEnd(secret, day.Start.Add(12*time.Hour)) {
		return nil
	}
	if rise := s.monthRise(secret, dayOf(day.Start)); t.x <= 1.5*rise*usual {
		return []finding.Explanation{{Kind: "context", ID: "month_end",
			Text: say.T("frequency.month.day", say.Values{"now": t.x / max(usual, 1), "before": rise})}}
	}
	if end == nil || t.x > 1.5*end.rise*usual {
		return nil
	}
	return []finding.Explanation{{Kind: "context", ID: "month_end",
		Text: say.T("frequency.month.all", say.Values{"n": len(end.families), "rise": end.rise})}}
}

func (s *sign) dayAlarm(day *watch.Day, i int, secret int32, t *sofar, end *monthEnd, slow bool, score, usual float64) watch.Alarm {
	st := s.state(secret)
	n := &day.Names.Secrets[secret]
	a := watch.Alarm{
		Sign: finding.SignFrequency, Class: ClassDays, Secret: secret, Actor: -1, Account: s.home[secret].account, Region: n.Region,
		Score: score, Trials: 5, First: t.first, Last: t.last, Count: int64(t.x), Severity: finding.Low,
		Days: int(st.days), Calls: int64(st.calls), Mature: st.days >= 2*MatureDays,
		Where: watch.Where{Secrets: []string{n.UID}},
	}
	if !s.o.NoContext {
		a.Context = s.whyDay(day, secret, t, end, usual)
	}
	for actor, x := range t.actors {
		if x > 0.6*t.x {
			a.Actor = actor
			a.Where.Actor = day.Names.Actors[actor].UID
		}
	}
	names, k, began := day.Names, s.dayShape(st), day.Start
	level, before := float64(st.level), float64(st.slow)
	series := s.series(day, i, secret)
	told := *t
	a.Tell = func() watch.Told {
		low, high := stat.Range(usual, k, 0.05)
		var text, title say.Text
		if slow {
			title = say.T("frequency.slow.title", say.Values{"secret": names.Secrets[secret].Name})
			text = say.T("frequency.slow", say.Values{
				"secret": names.Secrets[secret].Name, "n": told.x, "day": began, "usual": usual, "low": low, "high": high,
				"now": level * told.x / max(told.mean, 1e-3), "before": before,
			})
		} else {
			title = say.T("frequency.day.title", say.Values{"secret": names.Secrets[secret].Name, "n": told.x, "usual": usual})
			text = say.T("frequency.day", say.Values{"secret": names.Secrets[secret].Name, "n": told.x, "day": began, "hour": i + 1, "low": low, "high": high})
		}
		return watch.Told{
			Title:   title,
			Reasons: []finding.Reason{{Kind: "count", Text: text, Observed: whole(told.x), Expected: say.T("range.to", say.Values{"low": low, "high": high})}},
			Series:  series(), Next: next(&names.Secrets[secret], began, began.AddDate(0, 0, 1)), Attack: []string{"T1555.006"},
		}
	}
	return a
}
