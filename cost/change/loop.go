package change

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/yagura-sec/yagura/say"
)

// Loop is a thing that one maker makes and deletes over and over: a task that dies
// as soon as it is started, or whose health is never good. Nothing is done by it, so
// stopping it is the whole saving.
//
// A loop is steady (on at least 24 hours running, nine of ten of them with a quarter
// or more of the usual number, and two or more an hour), its things live shortly
// (half an hour at the median, three of four no more than an hour), it keeps no time
// of the clock, and nobody asks for it. What scales by day, a deployment, or a queue
// of work that is empty at night, is none.
type Loop struct {
	Maker   string // as logs name it: whatever shows it escapes it
	Kind    Kind
	Service string // of ECS
	Cluster string // of ECS
	Thing   string // "network interface"
	// PerDay is how many things are made a day, ChangesPerDay how many changes that
	// is: each is made and deleted.
	PerDay        int64
	ChangesPerDay int64
	Made          int64 // in the time of the loop
	// Share is the part of all such things of the account that were made meanwhile.
	Share             float64
	LifeSecondsMedian float64
	Since             time.Time
	SinceBefore       bool       // it went on when the records that were read begin
	Until             *time.Time // when it ended; absent: it goes on
	// PeersPerDay is how many other makers of the kind make a day, at the median;
	// absent: there are none. PastPerDay is what this one made before; absent: that
	// was not read.
	PeersPerDay *int64
	PastPerDay  *int64
	Text        say.Text
	// SavingMonth is what 30 days without it save, Low and High its bounds where
	// items are estimated; absent: the note says why.
	SavingMonth, SavingLow, SavingHigh *decimal.Decimal
	Currency                           string
	SavingNote                         say.Text

	thing int
}

// Schedule is what looks like a loop and is none.
type Schedule struct {
	Maker             string
	Kind              Kind
	Thing             string
	PerDay            int64
	LifeSecondsMedian float64 // 0: most outlived what was read
	EverySeconds      int64   // of the clock; 0: it keeps no time of the clock
	AskedTimes        int64   // how often somebody changed the service meanwhile
	RunEach           bool    // somebody runs each task
	Text              say.Text
}

// What a loop is told by.
const (
	leastHours    = 24        // on which it goes on, running
	leastAnHour   = 2         // made, at the median
	steadyHours   = 0.9       // part of the hours that have steadyPart of the usual number
	steadyPart    = 0.25      //
	pause         = 2         // hours without, which do not end it
	shortLife     = 30 * 60   // seconds, at the median
	shortLives    = 60 * 60   // seconds, three of four
	askedEach     = 20        // things made for one change that somebody asked for, at most
	leastTicks    = 24        // of a clock
	inTime        = 0.8       // how well births keep the time of a clock, 0 to 1
	ticksTaken    = 0.8       // part of a clock's ticks that something is made at
	youngerThan   = time.Hour // of what had no time to be deleted
	leastSchedule = 12        // a day, to be told
)

// clocks are the periods that schedules run by, in seconds, the longest first.
var clocks = []int64{12 * 3600, 8 * 3600, 6 * 3600, 4 * 3600, 3 * 3600, 2 * 3600, 3600, 1800, 1200, 900, 600, 300, 240, 180, 120, 60}

// series are the births of one maker's things of one sort, in order of time.
type series struct {
	maker, thing int
	births       []birth
}

// loops tells loops from what only looks like one, in records of [since, until).
func loops(g *gathered, since, until time.Time) ([]Loop, []Schedule) {
	loops, schedules := []Loop{}, []Schedule{}
	all := seriesOf(g)
	for i := range all {
		s := &all[i]
		w := g.makers[s.maker]
		if every := clock(s.births); every > 0 && perDay(len(s.births), since, until) >= leastSchedule {
			x := schedule(w, s, since, until)
			x.EverySeconds = every
			schedules = append(schedules, x)
			continue
		}
		l, run := s.loop(w, since, until)
		if l == nil {
			continue
		}
		asked := within(g.updates[s.maker], run)
		if w.kind == ECSTask || asked*askedEach >= int64(len(run)) {
			x := schedule(w, s, since, until)
			x.AskedTimes, x.RunEach = asked, w.kind == ECSTask
			schedules = append(schedules, x)
			continue
		}
		l.compare(all, i, g, since, until)
		loops = append(loops, *l)
	}
	slices.SortFunc(loops, func(a, b Loop) int {
		return cmp.Or(cmp.Compare(b.PerDay, a.PerDay), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Maker, b.Maker), cmp.Compare(a.Thing, b.Thing))
	})
	slices.SortFunc(schedules, func(a, b Schedule) int {
		return cmp.Or(cmp.Compare(b.PerDay, a.PerDay), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Maker, b.Maker), cmp.Compare(a.Thing, b.Thing))
	})
	for i := range schedules {
		schedules[i].Text = schedules[i].text()
	}
	return loops, schedules
}

func seriesOf(g *gathered) []series {
	type key struct{ maker, thing int }
	index := map[key]int{}
	var all []series
	for _, b := range g.births {
		k := key{b.maker, b.thing}
		i, ok := index[k]
		if !ok {
			i = len(all)
			index[k] = i
			all = append(all, series{maker: b.maker, thing: b.thing})
		}
		all[i].births = append(all[i].births, b)
	}
	for i := range all {
		slices.SortFunc(all[i].births, func(a, b birth) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.id, b.id)) })
	}
	return all
}

// clock is the longest period of a clock that births keep time with, in seconds;
// 0: they keep none. The time from one to the next says less: a task that always dies
// after a minute is started again each minute and a bit, and drifts.
func clock(births []birth) int64 {
	if len(births) < leastTicks {
		return 0
	}
	first, last := births[0].at, births[len(births)-1].at
	for _, period := range clocks {
		ticks := last.Sub(first).Seconds()/float64(period) + 1
		if ticks < leastTicks {
			continue
		}
		var x, y float64
		taken := map[int64]bool{}
		for _, b := range births {
			at := float64(b.at.UnixMicro()) / 1e6 / float64(period)
			phase := 2 * math.Pi * (at - math.Floor(at))
			x, y = x+math.Cos(phase), y+math.Sin(phase)
		}
		if math.Hypot(x, y)/float64(len(births)) < inTime {
			continue
		}
		mean := math.Atan2(y, x) / (2 * math.Pi) // ticks are around the mean phase
		for _, b := range births {
			taken[int64(math.Round(float64(b.at.UnixMicro())/1e6/float64(period)-mean))] = true
		}
		if float64(len(taken)) >= ticksTaken*ticks {
			return period
		}
	}
	return 0
}

// loop is the loop in a series and the births in it; nil: there is none.
func (s *series) loop(w who, since, until time.Time) (*Loop, []birth) {
	first, last, ok := steady(hourly(s.births, since, until))
	if !ok {
		return nil, nil
	}
	start, end := since.Add(time.Duration(first)*time.Hour), since.Add(time.Duration(last+1)*time.Hour)
	from, _ := slices.BinarySearchFunc(s.births, start, func(b birth, t time.Time) int { return b.at.Compare(t) })
	to, _ := slices.BinarySearchFunc(s.births, end, func(b birth, t time.Time) int { return b.at.Compare(t) })
	run := s.births[from:to]
	lives := lifetimes(run, until)
	if len(lives) == 0 || lives[len(lives)/2] > shortLife || lives[len(lives)*3/4] > shortLives {
		return nil, nil
	}
	days := end.Sub(start).Hours() / 24
	l := &Loop{
		Maker: w.name, Kind: w.kind, Thing: things[s.thing].name, thing: s.thing,
		PerDay: int64(math.Round(float64(len(run)) / days)), Made: int64(len(run)),
		LifeSecondsMedian: math.Round(lives[len(lives)/2]*10) / 10, Since: run[0].at, SinceBefore: first <= 1,
	}
	l.ChangesPerDay = 2 * l.PerDay
	if w.kind == ECSService {
		l.Cluster, l.Service, _ = strings.Cut(w.name, "/")
		if l.Service == "" {
			l.Cluster, l.Service = "", w.name
		}
	}
	if until.Sub(end) >= (pause+1)*time.Hour {
		at := run[len(run)-1].at
		l.Until = &at
	}
	return l, run
}

// hourly counts births by hour of [since, until).
func hourly(births []birth, since, until time.Time) []int {
	out := make([]int, max(0, int(math.Ceil(until.Sub(since).Hours()))))
	for _, b := range births {
		if i := int(b.at.Sub(since) / time.Hour); i >= 0 && i < len(out) {
			out[i]++
		}
	}
	return out
}

// steady finds the hours on which a number is kept up around the busiest 24 in a
// row: the first and the last of them.
func steady(hours []int) (first, last int, ok bool) {
	if len(hours) < leastHours {
		return 0, 0, false
	}
	sum, most, at := 0, -1, 0
	for i, n := range hours {
		sum += n
		if i >= leastHours {
			sum -= hours[i-leastHours]
		}
		if i >= leastHours-1 && sum > most {
			most, at = sum, i-leastHours+1
		}
	}
	usual := medianInt(hours[at : at+leastHours])
	if usual < leastAnHour {
		return 0, 0, false
	}
	enough := func(i int) bool { return float64(hours[i]) >= steadyPart*float64(usual) }
	first, last = at+leastHours/2, at+leastHours/2
	for i, missed := first, 0; i >= 0 && missed <= pause; i-- {
		if missed++; enough(i) {
			first, missed = i, 0
		}
	}
	for i, missed := last, 0; i < len(hours) && missed <= pause; i++ {
		if missed++; enough(i) {
			last, missed = i, 0
		}
	}
	n := 0
	for i := first; i <= last; i++ {
		if enough(i) {
			n++
		}
	}
	return first, last, last-first+1 >= leastHours && float64(n) >= steadyHours*float64(last-first+1)
}

func medianInt(all []int) int {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}

// lifetimes are those of things in seconds, ascending. What was not seen to be
// deleted counts as living on, unless it is too young to say.
func lifetimes(births []birth, until time.Time) (out []float64) {
	for _, b := range births {
		switch {
		case !b.ended.IsZero():
			out = append(out, b.ended.Sub(b.at).Seconds())
		case until.Sub(b.at) >= youngerThan:
			out = append(out, math.Inf(1))
		}
	}
	slices.Sort(out)
	return out
}

// within counts the times that lie in the time of a run.
func within(times []time.Time, run []birth) (n int64) {
	for _, t := range times {
		if !t.Before(run[0].at.Add(-10*time.Minute)) && !t.After(run[len(run)-1].at) {
			n++
		}
	}
	return n
}

func perDay(n int, since, until time.Time) int64 {
	return int64(math.Round(float64(n) / until.Sub(since).Hours() * 24))
}

func schedule(w who, s *series, since, until time.Time) Schedule {
	x := Schedule{Maker: w.name, Kind: w.kind, Thing: things[s.thing].name, PerDay: perDay(len(s.births), since, until)}
	if lives := lifetimes(s.births, until); len(lives) > 0 && !math.IsInf(lives[len(lives)/2], 1) {
		x.LifeSecondsMedian = math.Round(lives[len(lives)/2]*10) / 10
	}
	return x
}

// compare says how the loop stands to its peers, to its past and to the whole.
func (l *Loop) compare(all []series, i int, g *gathered, since, until time.Time) {
	end := until
	if l.Until != nil {
		end = l.Until.Add(time.Microsecond)
	}
	var peers []int
	meanwhile, before := int64(0), 0
	for k := range all {
		s := &all[k]
		if s.thing != l.thing {
			continue
		}
		for _, b := range s.births {
			if !b.at.Before(l.Since) && b.at.Before(end) {
				meanwhile++
			}
			if k == i && b.at.Before(l.Since) {
				before++
			}
		}
		if k != i && g.makers[s.maker].kind == l.Kind {
			peers = append(peers, int(perDay(len(s.births), since, until)))
		}
	}
	l.Share = share(l.Made, meanwhile)
	if len(peers) > 0 {
		n := int64(medianInt(peers))
		l.PeersPerDay = &n
	}
	if !l.SinceBefore && l.Since.Sub(since) >= leastHours*time.Hour {
		n := perDay(before, since, l.Since)
		l.PastPerDay = &n
	}
}

// kindText names a maker with its kind.
func kindText(kind Kind, name string) say.Text {
	if name == "" {
		return say.T("change.nobody", nil)
	}
	return say.T("change.kind."+string(kind), say.Values{"name": name})
}

// thingText is a sort of thing in words.
func thingText(name string) say.Text {
	return say.T("change.thing."+strings.ReplaceAll(name, " ", "_"), nil)
}

func (l *Loop) text() say.Text {
	var more []say.Text
	since := say.T("change.loop.since", say.Values{"at": l.Since})
	if l.SinceBefore {
		since = say.T("change.loop.since_before", say.Values{"at": l.Since})
	}
	if l.Until != nil {
		more = append(more, say.T("change.loop.ended", say.Values{"at": *l.Until}))
	}
	if l.PeersPerDay != nil {
		more = append(more, say.T("change.loop.peers", say.Values{"n": *l.PeersPerDay}))
	}
	if l.PastPerDay != nil {
		more = append(more, say.T("change.loop.past", say.Values{"n": *l.PastPerDay}))
	}
	return say.T("change.loop", say.Values{
		"maker": kindText(l.Kind, l.Maker), "thing": thingText(l.Thing), "n": l.PerDay, "share": l.Share,
		"life": math.Round(l.LifeSecondsMedian), "since": since, "more": say.Each(more...),
	})
}

func (x *Schedule) text() say.Text {
	values := say.Values{"maker": kindText(x.Kind, x.Maker), "thing": thingText(x.Thing), "n": x.PerDay}
	switch {
	case x.EverySeconds > 0:
		values["every"] = x.EverySeconds
		return say.T("change.schedule.clock", values)
	case x.RunEach:
		return say.T("change.schedule.run", values)
	}
	values["asked"] = x.AskedTimes
	return say.T("change.schedule.asked", values)
}
