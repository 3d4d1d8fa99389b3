package timing

import (
	"cmp"
	"hash/fnv"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/yagura-sec/yagura/detect/anomaly/stat"
	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/say"
)

// person is what is learned of one, about 200 bytes and 8 a network.
type person struct {
	hours
	odd      uint16    // last day with an unusual hour
	networks []network // those seen, at most 32
	role     int32     // an actor that the person acts as
	account  int32     // where the person called last
}

// network is one that a person was seen on, and the first day.
type network struct {
	hash  uint32
	since uint16
}

// from gives the person's network of that name, nil if it was never seen on it.
func (p *person) from(name string) *network {
	hash := hashOf(name)
	for i := range p.networks {
		if p.networks[i].hash == hash {
			return &p.networks[i]
		}
	}
	return nil
}

// hashOf is the FNV-1a hash of a network's name: it is to be known again, not to be
// named.
func hashOf(name string) uint32 {
	h := fnv.New32a()
	h.Write([]byte(name))
	return h.Sum32()
}

// What all people do counts as much as so many hours of the person's own.
const crowdWeight = 10

// hour is one person's hour, over all accounts.
type hour struct {
	person  string
	calls   int64
	reads   int64
	writes  int64
	best    *watch.PersonHour // the one with most reads
	secrets []int32
	new     bool // from a network that is new to them
	first   time.Time
	last    time.Time
	score   float64
	class   int
}

// hoursOf are the hours of people that concern secrets or change something.
func (s *sign) hoursOf(h *watch.Hour) []*hour {
	by := map[string]*hour{}
	var out []*hour
	for j := range h.People {
		p := &h.People[j]
		if p.Person == "" || !watch.Person(p.Caller) {
			continue
		}
		x := by[p.Person]
		if x == nil {
			x = &hour{person: p.Person, best: p, first: p.First, last: p.Last}
			by[p.Person] = x
			out = append(out, x)
		}
		x.calls += p.Calls
		x.writes += p.Writes
		if p.First.Before(x.first) {
			x.first = p.First
		}
		if p.Last.After(x.last) {
			x.last = p.Last
		}
		if len(p.Reads) > len(x.best.Reads) {
			x.best = p
		}
		for _, r := range p.Reads {
			x.reads += int64(r.Count)
			if r.Secret >= 0 && !slices.Contains(x.secrets, r.Secret) {
				x.secrets = append(x.secrets, r.Secret)
			}
		}
		if known := s.people[p.Person]; known != nil && len(known.networks) > 0 {
			for _, n := range p.Networks {
				x.new = x.new || known.strange(n, dayOf(h.Start))
			}
		}
	}
	slices.SortFunc(out, func(a, b *hour) int { return cmp.Compare(a.person, b.person) })
	return out
}

// score judges the person's hour at t.
func (s *sign) score(p *person, t time.Time, off bool) (float64, int) {
	d, _ := s.densityOf(p)
	c := class(t, p.offset)
	if off {
		c = 1
	}
	return stat.Score(math.Log(max(d.rarity(c, t.Hour()), 1e-12))), c
}

func (s *sign) densityOf(p *person) (density, float64) {
	weight := float64(crowdWeight)
	if s.o.NoShrinkage {
		weight = 0.5
	}
	middle, _ := p.middle()
	prior := s.crowd.around(middle)
	if s.o.NoPeers {
		prior = newUniform()
	}
	return p.of(&prior, weight, 0.8)
}

func newUniform() density {
	var d density
	for c := range d {
		for i := range d[c] {
			d[c][i] = 1.0 / 168
		}
	}
	return d
}

func (s *sign) judgePeople(day *watch.Day, i int) []watch.Alarm {
	t := day.Start.Add(time.Duration(i) * time.Hour)
	today := dayOf(day.Start)
	var odd []*hour
	free := s.freeDays(day, i)
	for _, x := range s.hoursOf(day.Hours[i]) {
		p := s.people[x.person]
		if p == nil || p.on == 0 {
			continue
		}
		x.score, x.class = s.score(p, t, free[p.offset])
		if x.score >= 1.5 {
			odd = append(odd, x)
		}
	}
	var alarms []watch.Alarm
	for _, x := range odd {
		if x.score < watch.Floor || x.reads == 0 && x.writes < 2 || s.outdone(day, i, x) {
			continue
		}
		p := s.people[x.person]
		a := s.personAlarm(day, i, x, p, free[p.offset])
		if !s.o.NoContext {
			a.Context = s.whyPerson(day, i, x, p, odd)
		}
		a.Mature = p.mature(today)
		alarms = append(alarms, a)
	}
	return alarms
}

// outdone tells whether an earlier hour of the day of the same person was as
// unusual: then that one was told.
func (s *sign) outdone(day *watch.Day, i int, x *hour) bool {
	p := s.people[x.person]
	for h := range i {
		if day.Hours[h] == nil {
			continue
		}
		t := day.Start.Add(time.Duration(h) * time.Hour)
		for j := range day.Hours[h].People {
			q := &day.Hours[h].People[j]
			if q.Person != x.person || !watched(q) {
				continue
			}
			if score, _ := s.score(p, t, s.freeDays(day, h)[p.offset]); score >= x.score {
				return true
			}
			break
		}
	}
	return false
}

// crew is how many people of a place have to be expected before it is said that
// hardly anybody came, and how many may come all the same.
const (
	crew  = 5
	idler = 0.25
)

// freeDays tells for which places hour i lies on a day that nearly nobody works
// on though it is a working day: a holiday. It holds how many people were active
// in the day so far against how many usually are by then.
func (s *sign) freeDays(day *watch.Day, i int) map[int8]bool {
	t := day.Start.Add(time.Duration(i) * time.Hour)
	here := func(h int, offset int8) bool {
		at := day.Start.Add(time.Duration(h) * time.Hour)
		return day.Hours[h] != nil && day.Hours[h].Events && class(at, offset) == 0 && sameDay(at, t, offset)
	}
	expected, seen := map[int8]float64{}, map[int8]float64{}
	for _, name := range slices.Sorted(maps.Keys(s.people)) {
		p := s.people[name]
		if p.days[0] < 3 || p.last+21 < dayOf(day.Start) {
			continue
		}
		absent := 1.0
		for h := 0; h <= i; h++ {
			if here(h, p.offset) {
				absent *= 1 - min(0.95, float64(p.active[0][h].n()/p.days[0]))
			}
		}
		expected[p.offset] += min(1-absent, 0.9)
	}
	counted := map[string]bool{}
	for h := 0; h <= i; h++ {
		if day.Hours[h] == nil {
			continue
		}
		for j := range day.Hours[h].People {
			name := day.Hours[h].People[j].Person
			if p := s.people[name]; p != nil && !counted[name] && here(h, p.offset) {
				counted[name] = true
				seen[p.offset]++
			}
		}
	}
	free := map[int8]bool{}
	for o := range expected {
		// the neighbours live by the same calendar more often than not
		var e, n float64
		for d := int8(-1); d <= 1; d++ {
			e += expected[o+d]
			n += seen[o+d]
		}
		free[o] = e >= crew && n <= idler*e
	}
	return free
}

func sameDay(a, b time.Time, offset int8) bool {
	d := time.Duration(offset) * time.Hour
	return dayOf(a.Add(d)) == dayOf(b.Add(d))
}

// seen is what a person did on a day.
type seen struct {
	active        [24]bool
	networks      map[string]bool
	role, account int32
}

// ofPeople is what each person did on the day, and how many of their hours
// there were to judge.
func ofPeople(day *watch.Day) (by map[string]*seen, judged int) {
	by = map[string]*seen{}
	for i, h := range day.Hours {
		if h == nil {
			continue
		}
		for j := range h.People {
			p := &h.People[j]
			if p.Person == "" || !watch.Person(p.Caller) {
				continue
			}
			x := by[p.Person]
			if x == nil {
				x = &seen{networks: map[string]bool{}, role: p.Actor, account: p.Account}
				by[p.Person] = x
			}
			if watched(p) && !x.active[i] {
				judged++
			}
			x.active[i] = true
			for _, n := range p.Networks {
				x.networks[n] = true
			}
		}
	}
	return by, judged
}

func (s *sign) learnPeople(day *watch.Day, heard map[int32]bool) {
	by, judged := ofPeople(day)
	if any := slices.ContainsFunc(day.Hours[:], func(h *watch.Hour) bool { return h != nil && h.Events }); !any {
		return // nothing is known of people without events
	}
	s.crowd.decay()
	today := dayOf(day.Start)
	for name, x := range by {
		p := s.people[name]
		if p == nil {
			p = &person{}
			s.people[name] = p
		}
		p.role, p.account = x.role, x.account
		for _, n := range slices.Sorted(maps.Keys(x.networks)) {
			if len(p.networks) < 32 && p.from(n) == nil {
				p.networks = append(p.networks, network{hashOf(n), today})
			}
		}
	}
	free := s.freeDays(day, 23)
	for _, name := range slices.Sorted(maps.Keys(s.people)) { // in order: sums of floats are to be the same each time
		p := s.people[name]
		var active [24]bool
		if x := by[name]; x != nil {
			active = x.active
			if s.journey(p, day, &active, x.networks) {
				p.last, p.odd = today, today
				continue
			}
		}
		if p.on > 0 && free[p.offset] && by[name] == nil {
			continue // a holiday says nothing about working days
		}
		if heard[p.account] || by[name] != nil {
			s.learnPerson(p, day, &active)
		}
		if today-p.last > 120 {
			delete(s.people, name)
		}
	}
	s.judged.person += 0.15 * (float64(judged)/float64(max(1, len(day.Names.Secrets))) - s.judged.person)
}

// A network is new to somebody for so many days, if it came so long after the
// first one.
const (
	newFor   = 14
	newSince = 7
)

func (p *person) strange(name string, today uint16) bool {
	n := p.from(name)
	return n == nil || today-n.since < newFor && n.since >= p.first+newSince
}

// journey tells whether somebody was away on a day: only on networks that are new
// to them, and for the most part at hours that are not theirs. Such a day says
// nothing about their hours at home, whether or not a calendar tells of it.
func (s *sign) journey(p *person, day *watch.Day, active *[24]bool, networks map[string]bool) bool {
	if p.seen < matureHours || len(networks) == 0 {
		return false
	}
	today := dayOf(day.Start)
	for name := range networks {
		if !p.strange(name, today) {
			return false
		}
	}
	odd, all := 0, 0
	for i, yes := range active {
		if !yes {
			continue
		}
		all++
		if score, _ := s.score(p, day.Start.Add(time.Duration(i)*time.Hour), false); score >= 1.3 {
			odd++
		}
	}
	return 2*odd > all
}

func (s *sign) learnPerson(p *person, day *watch.Day, active *[24]bool) {
	middle, close := p.middle()
	if p.seen >= matureHours {
		var odd [24]bool
		for i, yes := range active {
			t := day.Start.Add(time.Duration(i) * time.Hour)
			if !yes {
				continue
			}
			if score, _ := s.score(p, t, false); score >= watch.Floor {
				p.odd = dayOf(day.Start)
				odd[i] = true
			}
			// What one person does at odd hours weighs little among all, and how
			// rare odd hours are would not be known without.
			if close > 0.3 {
				s.crowd.add(class(t, p.offset), float64(i)-middle)
			}
		}
		p.hold(day.Start, active, &odd)
	}
	p.learn(day.Start, active)
	if p.on <= 14 || dayOf(day.Start)%7 == 0 {
		p.settle()
	}
}

// settle finds out where the person lives, and puts what was learned into the
// right class of day where that was thought to be elsewhere: the hours around
// midnight of the week's end are few, so those stay as they are.
func (h *hours) settle() {
	if middle, close := h.middle(); close > 0.2 {
		h.offset = place(middle)
	}
}

// whyPerson looks in the log for what accounts for the hour.
func (s *sign) whyPerson(day *watch.Day, i int, x *hour, p *person, odd []*hour) []finding.Explanation {
	var out []finding.Explanation
	others := 0
	for _, o := range odd {
		if o.person != x.person && (o.best.Account == x.best.Account || s.people[o.person].role == p.role) {
			others++
		}
	}
	if others >= 2 {
		out = append(out, finding.Explanation{Kind: "context", ID: "incident",
			Text: say.T("timing.incident", say.Values{"n": others})})
	}
	if usual, unusual := s.dayOf(day, i, x.person, p); x.new && unusual >= 2 && usual == 0 && (p.odd+1 == dayOf(day.Start) || unusual >= 4) {
		out = append(out, finding.Explanation{Kind: "context", ID: "travel",
			Text: say.T("timing.travel", say.Values{"n": unusual})})
	}
	if others := s.shifted(day, i, x.person, p); others >= 3 {
		out = append(out, finding.Explanation{Kind: "context", ID: "clock",
			Text: say.T("timing.clock.people", say.Values{"n": others})})
	}
	return out
}

// dayOf counts the person's usual and unusual hours of the day so far.
func (s *sign) dayOf(day *watch.Day, i int, name string, p *person) (usual, unusual int) {
	for h := 0; h <= i; h++ {
		if day.Hours[h] == nil || !slices.ContainsFunc(day.Hours[h].People, func(q watch.PersonHour) bool { return q.Person == name }) {
			continue
		}
		if score, _ := s.score(p, day.Start.Add(time.Duration(h)*time.Hour), false); score >= 1.3 {
			unusual++
		} else {
			usual++
		}
	}
	return usual, unusual
}

// shifted counts others of the same place who were active in this hour, which is
// next to their usual ones and none of them.
func (s *sign) shifted(day *watch.Day, i int, name string, p *person) int {
	n := 0
	counted := map[string]bool{name: true}
	for j := range day.Hours[i].People {
		q := day.Hours[i].People[j].Person
		o := s.people[q]
		if o == nil || counted[q] || o.offset-p.offset > 1 || p.offset-o.offset > 1 {
			continue
		}
		counted[q] = true
		c := class(day.Start.Add(time.Duration(i)*time.Hour), o.offset)
		if beside := o.beside(c, i); beside > 2 && o.active[c][i].n() < 0.1*beside {
			n++
		}
	}
	return n
}
