// Package timing judges when secrets and keys are used: a person at an hour that
// is not theirs, a program that works by day and calls by night, a job that has
// moved.
//
// Of every person, and of every program and secret that it reads, it learns in
// which hours of working days and of days off they are active. An hour is as
// unusual as all hours together that are no likelier than it: the mass outside
// of the highest-density region. People are held against what all people do,
// turned to the middle of their own day, so that what nobody ever does is rarer
// than what somebody has not done yet.
package timing

import (
	"math"
	"slices"
	"time"
	"unsafe"

	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
)

// Options leave parts out, to measure what they are worth.
type Options struct {
	NoContext   bool // incidents, journeys, changes of clocks and deploys explain nothing
	NoPeers     bool // nobody else's hours are known
	NoShrinkage bool // what all have in common weighs next to nothing
}

// The classes of alarms.
const (
	ClassPerson  = "time/person"
	ClassJob     = "time/job"     // a run off a fixed schedule
	ClassMachine = "time/machine" // any other program
)

// What has to be known before somebody is judged: active hours, days with any,
// and days since the first.
const (
	matureHours = 20
	matureDays  = 5
	matureSince = 7
)

type sign struct {
	o        Options
	days     int
	people   map[string]*person
	machines machines
	pairs    map[pair]*machine // all of machines, while a day is learned
	crowd    crowd             // what people do, around the middle of their day
	programs crowd             // the same of programs
	judged   rates
	strays   strays
	late     []watch.Act // of the last hour learned
}

// rates are how many judgements are made a day and secret, smoothed.
type rates struct{ person, job, machine float64 }

// New gives the sign.
func New(o Options) watch.Sign {
	return &sign{o: o, people: map[string]*person{}, crowd: newCrowd(), programs: newCrowd()}
}

func (s *sign) Name() string { return finding.SignTime }

func (s *sign) Clone() watch.Sign {
	c := *s
	c.people = make(map[string]*person, len(s.people))
	all := make([]person, len(s.people))
	for k, p := range s.people {
		all[0] = *p
		all[0].networks = slices.Clone(p.networks)
		c.people[k], all = &all[0], all[1:]
	}
	c.late = slices.Clone(s.late)
	return &c
}

// Bytes counts of an entry of a map half as much again: a third of it is empty.
func (s *sign) Bytes() int {
	n := s.machines.size() + 2*int(unsafe.Sizeof(crowd{}))
	for name, p := range s.people {
		n += 36 + len(name) + int(unsafe.Sizeof(*p)) + 8*cap(p.networks)
	}
	return n
}

func (s *sign) Judge(day *watch.Day, i int) []watch.Alarm {
	if day.Hours[i] == nil || s.days == 0 {
		return nil
	}
	return append(s.judgePeople(day, i), s.judgeMachines(day, i)...)
}

func (s *sign) Learn(day *watch.Day) {
	heard := hear(day)
	s.open()
	defer s.seal()
	s.learnPeople(day, heard)
	s.learnMachines(day, heard)
	s.late = s.late[:0]
	if h := day.Hours[23]; h != nil {
		s.late = append(s.late, h.Acts...)
	}
	s.days++
}

// hours is in which hours of working days (0) and days off (1) somebody is
// active, in UTC, and where in the week their days off are.
type hours struct {
	active [2][24]tally // hours with activity, decayed
	days   [2]float32   // days of the class that passed since the first, decayed
	seen   uint16       // hours with activity, ever
	on     uint16       // days with any
	first  uint16       // day, since 1970
	last   uint16
	offset int8 // hours east of UTC

	// odd hours, by class and hour: on how many days they, or those beside them,
	// were active that are not theirs yet, and the last of such days.
	held   [2][24]uint8
	heldOn uint16
	stray  float32 // hours held, decayed: how often there is an odd one
}

// tally is a sum of hours in steps of 1/512: 67, which is all that is ever
// reached by one a day, fit.
type tally uint16

func (t tally) n() float32 { return float32(t) / 512 }

func (t tally) plus() tally { return tally(min(uint32(t)+512, math.MaxUint16)) }

func (t tally) decayed() tally { return tally(float64(t) * decay) }

// decay a day: half is forgotten in 46 days.
const decay = 0.985

func dayOf(t time.Time) uint16 { return uint16(t.Unix() / 86400) }

// class is the class of the hour of the week at t, for somebody so many hours
// east of UTC.
func class(t time.Time, offset int8) int {
	local := t.Add(time.Duration(offset) * time.Hour)
	if w := local.Weekday(); w == time.Saturday || w == time.Sunday {
		return 1
	}
	return 0
}

func (h *hours) mature(today uint16) bool {
	return h.seen >= matureHours && h.on >= matureDays && today-h.first >= matureSince
}

// An odd hour becomes somebody's own on the third day on which it, or one beside
// it, was active; what was longer ago than heldFor days does not count.
const (
	heldDays = 3
	heldFor  = 30
)

// hold takes the odd hours of a day out of the active ones until they are
// somebody's own.
func (h *hours) hold(day time.Time, active, odd *[24]bool) {
	today := dayOf(day)
	if today-h.heldOn > heldFor {
		h.held = [2][24]uint8{}
	}
	h.stray *= decay
	var beside [2][24]bool
	for i := range odd {
		if !odd[i] || !active[i] {
			continue
		}
		h.heldOn = today
		c := class(day.Add(time.Duration(i)*time.Hour), h.offset)
		for _, j := range [3]int{i, (i + 1) % 24, (i + 23) % 24} {
			beside[c][j] = true
		}
		if active[i] = h.held[c][i] >= heldDays-1; !active[i] {
			h.last = today
			h.stray++
		} else if h.held[c][i] == heldDays-1 { // those held before come in with it
			for range heldDays - 1 {
				h.active[c][i] = h.active[c][i].plus()
				h.stray = max(0, h.stray-1)
			}
		}
	}
	for c := range beside {
		for i, yes := range beside[c] {
			if yes {
				h.held[c][i] = min(h.held[c][i]+1, heldDays)
			}
		}
	}
}

// learn takes one day in: in which hours there was activity.
func (h *hours) learn(day time.Time, active *[24]bool) {
	today := dayOf(day)
	if h.on == 0 {
		h.first = today
	}
	any := false
	for c := range h.active {
		for i := range h.active[c] {
			h.active[c][i] = h.active[c][i].decayed()
		}
		h.days[c] *= decay
	}
	for i, yes := range active {
		c := class(day.Add(time.Duration(i)*time.Hour), h.offset)
		h.days[c] += 1.0 / 24
		if yes {
			h.active[c][i] = h.active[c][i].plus()
			h.seen = uint16(min(int(h.seen)+1, math.MaxUint16))
			any = true
		}
	}
	if any {
		h.on++
		h.last = today
	}
}

// hear tells of which accounts anything at all is known on a day: one that is
// silent is unknown, not quiet.
func hear(day *watch.Day) map[int32]bool {
	accounts := map[int32]bool{}
	for _, x := range day.Hours {
		if x == nil {
			continue
		}
		for j := range x.Calls {
			accounts[x.Calls[j].Account] = true
		}
		for j := range x.Uses {
			accounts[x.Uses[j].Account] = true
		}
		for j := range x.People {
			accounts[x.People[j].Account] = true
		}
	}
	return accounts
}

// watched tells whether a person's hour concerns secrets and keys, or changes
// something.
func watched(p *watch.PersonHour) bool { return len(p.Reads) > 0 || p.Writes > 0 }

// program tells whether the use is one of a program's, read or tried.
func program(u *watch.Use) bool {
	return u.Secret >= 0 && u.Actor >= 0 && !watch.Person(u.Caller) && u.Caller != event.CallerAWSService && u.Outcome == event.Success
}
