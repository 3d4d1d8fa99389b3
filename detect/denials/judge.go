package denials

import (
	"slices"
	"time"

	"github.com/yagura-sec/yagura/detect/anomaly/stat"
	"github.com/yagura-sec/yagura/detect/anomaly/tally"
	"github.com/yagura-sec/yagura/finding"
)

// Gates and figures.
const (
	leastCalls = 3 // attempts within an hour that make a run: two are a mistake and a second try
	leastDays  = 3 // days with any that denials now and then have to have
	slowDays   = 7 // out of so many
	habitDays  = 5 // days with any, of the learnDays before those, that make them a habit
	leastScore = 3 // a chance of 1 in 1,000, an hour of a cluster
	// daily is on which share of days policies refuse a caller something that does
	// not come again: one day in thirty, which is set and not learned.
	daily = 0.03
)

// Peers are people, or programs.
const (
	people = iota
	programs
	classes
)

// judgement is what is said of a cluster's hour.
type judgement struct {
	told   bool
	score  float64 // of the hour that says most, within reach
	slow   bool    // it is of the days, not of the hour
	usual  tally.Usual
	days   int  // of the last slowDays, with any
	fresh  bool // the constraint refused nothing in the project before
	known  int  // days of past
	series []finding.Point
}

// judge tells whether an hour is part of a run: whether it, or another hour within
// reach, is unlike the past.
func (l *look) judge(c *cluster, at time.Time) judgement {
	best := l.hour(c, at)
	for _, near := range c.hours(at.Add(-back), at.Add(reach+hour)) {
		if j := l.hour(c, near); j.told && (!best.told || j.score > best.score) {
			best.told, best.score, best.slow = true, j.score, j.slow
		}
	}
	return best
}

// hour judges one hour by the days before its own.
func (l *look) hour(c *cluster, at time.Time) judgement {
	p := l.past(at)
	j := judgement{usual: p.book.Usual(c.id, c.class()), known: p.book.Days()}
	// The hour need not be one of the clock: half an hour before counts with it
	// where the attempts go on from there.
	attempts, _ := c.between(at.Add(-hour), at.Add(hour))
	n := most(attempts, at)
	if n >= leastCalls {
		j.score = j.usual.Score(n)
	}
	today := at.Truncate(day)
	lately, _ := c.between(today.Add(-(slowDays-1)*day), at.Add(hour))
	earlier, _ := c.between(today.Add(-learnDays*day), today.Add(-(slowDays-1)*day))
	j.days = daysOf(lately)
	if j.days >= leastDays && daysOf(earlier) < habitDays {
		if rare := stat.Score(stat.LnBinomialUpper(float64(j.days), slowDays, daily)); rare > j.score {
			j.score, j.slow = rare, true
		}
	}
	j.fresh = !p.constraints[[2]string{c.project, c.constraint}]
	if j.fresh && j.score > 0 {
		j.score++ // new policies and new work are a tenth of what is denied, not more
	}
	j.told = j.score >= leastScore
	j.series = l.series(c, at, j.usual)
	return j
}

// most is the largest number of attempts within an hour that ends in the one that
// begins at at.
func most(attempts []denial, at time.Time) int {
	n := 0
	for i, last := range attempts {
		if last.Time.Before(at) {
			continue
		}
		first := slices.IndexFunc(attempts, func(d denial) bool { return last.Time.Sub(d.Time) < hour })
		n = max(n, i-first+1)
	}
	return n
}

func daysOf(attempts []denial) int {
	days := map[time.Time]bool{}
	for _, d := range attempts {
		days[d.Time.Truncate(day)] = true
	}
	return len(days)
}

// past is what was learned of the days before one.
type past struct {
	book        *tally.Book[id]
	constraints map[[2]string]bool // by project, that refused something
}

// past learns of the days before that of at.
func (l *look) past(at time.Time) *past {
	today := at.Truncate(day)
	if p := l.days[today]; p != nil {
		return p
	}
	p := &past{book: tally.New[id](classes, tally.Options{}), constraints: map[[2]string]bool{}}
	known := map[id]bool{}
	for k := learnDays; k > 0; k-- {
		begin := today.Add(-time.Duration(k) * day)
		var seen []tally.Seen[id]
		for _, c := range l.clusters {
			s := tally.Seen[id]{Key: c.id, Class: c.class(), Occasions: int(day / hour)}
			for _, h := range c.hours(begin, begin.Add(day)) {
				attempts, _ := c.between(h, h.Add(hour))
				s.Amounts = append(s.Amounts, len(attempts))
				p.constraints[[2]string{c.project, c.constraint}] = true
				known[c.id] = true
			}
			if known[c.id] {
				seen = append(seen, s)
			}
		}
		if len(known) > 0 { // before the first denial there may have been no log
			p.book.Learn(int(begin.Unix()/int64(day/time.Second)), seen)
		}
	}
	if l.days == nil {
		l.days = map[time.Time]*past{}
	}
	l.days[today] = p
	return p
}

// series is the cluster's attempts in the last twelve hours.
func (l *look) series(c *cluster, at time.Time, u tally.Usual) []finding.Point {
	var out []finding.Point
	for k := 11; k >= 0; k-- {
		h := at.Add(-time.Duration(k) * hour)
		attempts, _ := c.between(h, h.Add(hour))
		out = append(out, finding.Point{Time: h, Seen: float64(len(attempts)), Expected: u.Expected(), High: float64(u.High())})
	}
	return out
}
