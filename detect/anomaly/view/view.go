// Package view is the sign that a person opened, in the console, the value of a
// secret that an application owns: one that programs read and people, as good as,
// never do.
//
// How near the person is to the secret decides how striking that is: whether the
// person opened it or its family before, created or rotated it, shares a role
// with people who open it, opens secrets of applications at all, and does so at
// hours of their own. How often such views come of themselves is learned over the
// estate, and how much this person leans to them from the person's own past.
package view

import (
	"maps"
	"math"
	"slices"
	"strings"
	"time"
	"unsafe"

	"github.com/yagura-sec/yagura/detect/anomaly/novelty"
	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/internal/instant"
)

// Options leave parts of the method out, to measure what they are worth.
type Options struct {
	NoContext   bool // nothing accounts for anything
	NoPeers     bool // other secrets and people tell nothing
	NoShrinkage bool // without the estate's rates and the person's leaning
}

// The learning gate, and what is forgotten when.
const (
	minDays     = 14
	minCalls    = 30
	viewersEach = 16    // people kept of a secret
	peopleCap   = 20000 // people kept overnight
	breakGlass  = 3     // a role used on that many days at most in 60 is one for emergencies
)

// viewer is a person who read a secret, in the console or by command line.
type viewer struct {
	person, role int32
	novelty.Stay
	kind uint8
}

// settled tells whether it is long enough ago that the person came to it for what
// was done since to teach anything: one look, whose finding may not have been read
// yet, makes nobody a reader.
func (v *viewer) settled(today uint16) bool {
	return v.State != novelty.New || today >= v.First+novelty.Settle
}

// held is what is kept of a secret.
type held struct {
	viewers  []viewer
	programs float32 // calls
	people   float32 // days of people, those that are not usual left out
	first    uint16
	days     uint16
	last     uint16 // day of use
	prod     uint8  // 1 of production
	keeper   int32  // role of a person who created or rotated it, plus 1
}

// owned tells whether an application owns the secret: programs call it, and the
// share of people is less than 1 % by a Beta(0.5, 20) posterior.
func (h *held) owned() bool {
	return h.programs >= minCalls && (h.people+0.5)/(h.people+h.programs+20.5) < 0.01
}

func (h *held) mature(today uint16) bool { return h.days >= minDays/2 && today >= h.first+minDays }

// person is what is kept of a person, under one name in all roles.
type person struct {
	hours       [24]float32 // calls by hour of the day, forgotten by half in 60 days
	weekend     float32
	calls       float32
	first, last uint16 // days with events; last is 0 of one known by usage only
	days        uint16
	met         uint16  // last day with events or a read
	novel       float32 // first views of secrets of applications
	expected    float32
	opens       float32 // views of secrets of applications in the console
}

// role is what is kept of a principal that people use.
type role struct {
	first, last uint16
	days        float32 // it was used on, forgotten by half in 60
}

// Sign is the sign.
type Sign struct {
	o       Options
	rates   [2]*novelty.Rates // of production, 1, people keep away as they do not of the rest
	secrets []held
	ids     map[string]int32
	people  []person
	roles   map[int32]role
	// families are the people and roles who usually open secrets of a family.
	families map[string]*family
	homes    novelty.Homes
	acts     novelty.Acts
	staff    novelty.People
	events   float64 // days and kinds of people's first views, forgotten likewise
	wide     float64 // of them with several secrets
	views    float64 // first views by people, forgotten by half in 60 days
	personal float64 // days of people
	today    uint16

	seen seen
}

type family struct {
	people []int32       // at most 64
	roles  map[int32]int // people who usually open a secret of it, by role
}

var _ watch.Sign = (*Sign)(nil)

// New is the sign before it has learned anything.
func New(o Options) watch.Sign {
	weight := priorWeight
	if o.NoShrinkage {
		weight = 1
	}
	return &Sign{o: o, rates: [2]*novelty.Rates{novelty.NewRates(weight, kinds), novelty.NewRates(weight, kinds)}, ids: map[string]int32{}, roles: map[int32]role{}, families: map[string]*family{},
		acts: novelty.NewActs(1, watch.ActCreate, watch.ActRotate).Only(func(a *watch.Act) bool { return watch.Person(a.Caller) })}
}

// Name is the sign's name.
func (*Sign) Name() string { return finding.SignView }

func (s *Sign) secret(n int32) *held {
	if int(n) < len(s.secrets) {
		return &s.secrets[n]
	}
	return &held{}
}

// anonymous is the name of the person where the log of events is not held: the
// principal's.
func anonymous(names *watch.Names, actor int32) string { return names.Actors[actor].UID }

// nameless tells whether only the principal is known. Where people are principals
// themselves, that is the person.
func nameless(names *watch.Names, actor int32, person string) bool {
	return person == anonymous(names, actor) && !own(names, actor, person)
}

// own tells whether the person is the principal, and not behind a role.
func own(names *watch.Names, actor int32, person string) bool {
	return person == anonymous(names, actor) && strings.Contains(person, "@") && !strings.HasPrefix(person, "arn:")
}

// opened is that somebody read a secret's value as a person.
type opened struct {
	person string
	role   int32
	secret int32 // the one it is known under
	named  int32 // as the log names it
	first  time.Time
	last   time.Time
	count  int64
	caller event.Caller
	region string
}

// openings are what people read in an hour: by person where events tell, else by
// principal. Several rows of usage, by operation, are one read by a person.
func (s *Sign) openings(names *watch.Names, h *watch.Hour, f func(o *opened)) {
	var told []reading
	for i := range h.People {
		p := &h.People[i]
		if !watch.Person(p.Caller) {
			continue
		}
		for k := range p.Reads {
			r := &p.Reads[k]
			if r.Count <= r.Denied || r.Secret < 0 || p.Actor < 0 {
				continue
			}
			id := reading{p.Actor, p.Account, r.Secret, p.Caller, p.Region}
			last, used := lastUse(h, &id)
			if !used {
				continue
			}
			told = append(told, id)
			f(&opened{person: p.Person, role: p.Actor, secret: s.homes.Of(names, r.Secret), named: r.Secret, first: r.First, last: instant.Later(r.First, instant.Earlier(last, p.Last)),
				count: int64(r.Count - r.Denied), caller: p.Caller, region: p.Region})
		}
	}
	for i := range h.Uses {
		u := &h.Uses[i]
		if !personal(u) || slices.Contains(told, reading{u.Actor, u.Account, u.Secret, u.Caller, u.Region}) {
			continue
		}
		f(&opened{person: anonymous(names, u.Actor), role: u.Actor, secret: s.homes.Of(names, u.Secret), named: u.Secret, first: u.First, last: u.Last,
			count: u.Count, caller: u.Caller, region: u.Region})
	}
}

// reading is what usage and events both tell of a read.
type reading struct {
	actor, account, secret int32
	caller                 event.Caller
	region                 string
}

// personal tells whether a person got a secret's value.
func personal(u *watch.Use) bool {
	return watch.Person(u.Caller) && novelty.Value(u.Operation) && novelty.Got(u.Outcome) && u.Secret >= 0 && u.Actor >= 0
}

// lastUse is when usage saw such a read last in the hour: what events tell of is
// taken only where usage tells the value was given out.
func lastUse(h *watch.Hour, id *reading) (last time.Time, ok bool) {
	for i := range h.Uses {
		u := &h.Uses[i]
		if u.Secret == id.secret && u.Actor == id.actor && u.Account == id.account && u.Caller == id.caller && u.Region == id.region && personal(u) {
			last, ok = instant.Later(last, u.Last), true
		}
	}
	return last, ok
}

// Learn takes in a day.
func (s *Sign) Learn(day *watch.Day) {
	today := novelty.DayOf(day.Start)
	s.homes.Take(day.Names)
	s.secrets = watch.Grow(s.secrets, len(day.Names.Secrets))
	used := map[int32]bool{}
	for i, h := range day.Hours {
		if h == nil {
			continue
		}
		s.learnPeople(h, i, day.Start.Weekday(), today)
		s.learnUses(day.Names, h, today, used)
		s.learnKeepers(day.Names, h)
		s.openings(day.Names, h, func(o *opened) { s.take(day, o, today, i) })
	}
	s.close(day.Names, today, used)
	s.acts.Learn(day)
	s.staff.Learn(day)
	s.today = today + 1
	s.seen = seen{}
}

func (s *Sign) learnUses(names *watch.Names, h *watch.Hour, today uint16, used map[int32]bool) {
	for i := range h.Uses {
		u := &h.Uses[i]
		if u.Secret < 0 || !novelty.Value(u.Operation) || !novelty.Got(u.Outcome) {
			continue
		}
		n := s.homes.Of(names, u.Secret)
		x := &s.secrets[n]
		if x.first == 0 {
			x.first = today
			if novelty.Prod(&names.Secrets[n]) {
				x.prod = 1
			}
		}
		if x.last != today {
			x.last = today
			x.days++
		}
		if novelty.Program(u.Caller) || u.Caller == event.CallerUnknown || u.Caller == event.CallerStaticKey {
			x.programs += float32(u.Count)
			used[n] = true
		}
	}
}

func (s *Sign) learnPeople(h *watch.Hour, hour int, weekday time.Weekday, today uint16) {
	for i := range h.People {
		p := &h.People[i]
		x := s.personOf(p.Person, today)
		if x.last != today {
			x.last = today
			x.days++
		}
		x.hours[hour]++
		x.calls++
		if weekday == time.Saturday || weekday == time.Sunday {
			x.weekend++
		}
	}
	for i := range h.Calls {
		c := &h.Calls[i]
		if !watch.Person(c.Caller) {
			continue
		}
		r := s.roles[c.Actor]
		if r.first == 0 {
			r.first = today
		}
		if r.last != today {
			r.last = today
			r.days++
		}
		s.roles[c.Actor] = r
	}
}

// learnKeepers remembers which role of people created or changed a secret last.
func (s *Sign) learnKeepers(names *watch.Names, h *watch.Hour) {
	for i := range h.Acts {
		a := &h.Acts[i]
		if (a.Sort == watch.ActCreate || a.Sort == watch.ActRotate) && a.Secret >= 0 && watch.Person(a.Caller) && a.Outcome == event.Success {
			s.secrets[s.homes.Of(names, a.Secret)].keeper = a.Actor + 1
		}
	}
}

// personOf is what is kept of a person, made where it is not known.
func (s *Sign) personOf(name string, today uint16) *person {
	n, ok := s.ids[name]
	if !ok {
		n = int32(len(s.people))
		s.ids[name] = n
		s.people = append(s.people, person{first: today})
	}
	s.people[n].met = today
	return &s.people[n]
}

// tenure is the person's, for telling who is to be forgotten.
func (p *person) tenure() novelty.Tenure {
	if p.days == 0 { // a principal: nobody makes up its name
		return novelty.Tenure{Since: p.first, Last: p.met, Days: math.MaxUint16}
	}
	return novelty.Tenure{Since: p.first, Last: p.met, Days: p.days}
}

// forget forgets people who were not seen for long and, of too many, who were not
// for longest; and with them what they opened. The rest move up.
func (s *Sign) forget(today uint16) {
	stay := map[string]novelty.Tenure{}
	for name, n := range s.ids {
		if t := s.people[n].tenure(); !t.Over(today) {
			stay[name] = t
		}
	}
	for _, name := range novelty.Oldest(stay, peopleCap, strings.Compare) {
		delete(stay, name)
	}
	if len(stay) == len(s.people) {
		return
	}
	moved := make([]int32, len(s.people))
	for i := range moved {
		moved[i] = -1
	}
	maps.DeleteFunc(s.ids, func(name string, n int32) bool {
		if _, ok := stay[name]; ok {
			moved[n] = 0
			return false
		}
		return true
	})
	people := make([]person, 0, len(stay))
	for n := range moved {
		if moved[n] == 0 {
			moved[n] = int32(len(people))
			people = append(people, s.people[n])
		}
	}
	s.people = people
	for name, n := range s.ids {
		s.ids[name] = moved[n]
	}
	for n := range s.secrets {
		h := &s.secrets[n]
		h.viewers = slices.DeleteFunc(h.viewers, func(v viewer) bool { return moved[v.person] < 0 })
		for i := range h.viewers {
			h.viewers[i].person = moved[h.viewers[i].person]
		}
	}
}

// take takes in that a person read a secret.
func (s *Sign) take(day *watch.Day, o *opened, today uint16, hour int) {
	p := s.personOf(o.person, today)
	h := &s.secrets[o.secret]
	n := s.ids[o.person]
	if h.owned() && o.caller == event.CallerConsole {
		p.opens++
	}
	if v := h.find(n); v != nil {
		if v.Come(today) {
			v.role = o.role
			if v.Usual() {
				h.people++
			}
		}
		return
	}
	v := viewer{person: n, role: o.role, Stay: novelty.Arrive(today, novelty.New)}
	if h.owned() && h.mature(today) {
		// Of what the log accounts for, rates learn nothing.
		if kind := s.kindOf(day.Names, o, hour, day.Start.Weekday()); len(s.context(day, min(hour+1, 23), []found{{opened: *o, kind: kind}})) == 0 {
			v.kind = kind + 1
		}
	}
	if len(h.viewers) >= viewersEach {
		least := 0
		for i := range h.viewers {
			if h.viewers[i].Last < h.viewers[least].Last {
				least = i
			}
		}
		h.viewers = slices.Delete(h.viewers, least, least+1)
	}
	h.viewers = append(h.viewers, v)
}

func (h *held) find(person int32) *viewer {
	for i := range h.viewers {
		if h.viewers[i].person == person {
			return &h.viewers[i]
		}
	}
	return nil
}

// close ends a day.
func (s *Sign) close(names *watch.Names, today uint16, used map[int32]bool) {
	var exposed [2]float64
	var over []past
	for n := range s.secrets {
		h := &s.secrets[n]
		if h.first == 0 {
			continue
		}
		h.programs *= keep
		h.people *= keep
		if used[int32(n)] && h.owned() && h.mature(today) {
			exposed[h.prod]++
		}
		for i := range h.viewers {
			if p, ok := h.settleOne(&h.viewers[i], today); ok {
				over = append(over, p)
			}
		}
		h.viewers = slices.DeleteFunc(h.viewers, func(v viewer) bool { return v.Forgotten(today) })
	}
	for i := range exposed {
		s.rates[i].Day(exposed[i])
	}
	s.views *= keep
	s.personal *= keep
	s.count(over)
	perDay := s.perPerson()
	for i := range s.people {
		p := &s.people[i]
		if p.first == 0 {
			continue
		}
		for k := range p.hours {
			p.hours[k] *= keep
		}
		p.weekend, p.calls, p.opens, p.novel, p.expected = p.weekend*keep, p.calls*keep, p.opens*keep, p.novel*keep, p.expected*keep
		if p.last == today {
			s.personal++
			p.expected += float32(perDay)
		}
	}
	maps.DeleteFunc(s.roles, func(_ int32, r role) bool { return today > r.last+novelty.Forget })
	for n, r := range s.roles {
		r.days *= keep
		s.roles[n] = r
	}
	s.forget(today)
	s.relate(names)
}

// past is a first view that is over.
type past struct {
	person int32
	first  uint16
	kind   uint8
	prod   uint8
	once   bool // it did not come again
}

// settleOne decides whether a viewer has become usual, or was there once.
func (h *held) settleOne(v *viewer, today uint16) (p past, over bool) {
	if !v.End(today) {
		return p, false
	}
	if v.Usual() {
		h.people += float32(v.Days)
	}
	if v.kind == 0 {
		return p, false
	}
	p = past{v.person, v.First, v.kind, h.prod, !v.Usual()}
	v.kind = 0
	return p, true
}

// count counts first views that are over. What one person had of a kind on one
// day is one, as it is one alarm.
func (s *Sign) count(over []past) {
	same := map[past]float64{}
	for _, p := range over {
		same[p]++
	}
	s.events, s.wide = s.events*keep, s.wide*keep
	for _, n := range same {
		s.events++
		if n >= severalSecrets {
			s.wide++
		}
	}
	for _, p := range over {
		share := 1 / same[p]
		if p.once {
			s.rates[p.prod].Once(int(p.kind-1), share)
		} else {
			s.rates[p.prod].Seen(int(p.kind-1), share)
		}
		s.people[p.person].novel += float32(share)
		s.views += share
	}
}

// perPerson is how many first views a person makes a day, on average.
func (s *Sign) perPerson() float64 { return (s.views + 0.5) / (s.personal + 500) }

// relate works out anew who opens what: the peers of tomorrow's judgements.
func (s *Sign) relate(names *watch.Names) {
	clear(s.families)
	for _, state := range []novelty.State{novelty.Usual, novelty.Dropped} {
		for n := range s.secrets {
			for i := range s.secrets[n].viewers {
				if v := &s.secrets[n].viewers[i]; v.State == state {
					s.relateOne(names.Secrets[n].Family, v)
				}
			}
		}
	}
}

func (s *Sign) relateOne(id string, v *viewer) {
	f := s.families[id]
	if f == nil {
		f = &family{roles: map[int32]int{}}
		s.families[id] = f
	}
	if len(f.people) >= 64 || slices.Contains(f.people, v.person) {
		return
	}
	f.people = append(f.people, v.person)
	if v.Usual() {
		f.roles[v.role]++
	}
}

// Clone is a copy that learns on its own.
func (s *Sign) Clone() watch.Sign {
	c := *s
	c.rates = [2]*novelty.Rates{s.rates[0].Clone(), s.rates[1].Clone()}
	c.secrets = slices.Clone(s.secrets)
	for i := range c.secrets {
		c.secrets[i].viewers = slices.Clone(c.secrets[i].viewers)
	}
	c.ids = maps.Clone(s.ids)
	c.people = slices.Clone(s.people)
	c.roles = maps.Clone(s.roles)
	c.families = maps.Clone(s.families)
	c.homes = s.homes.Clone()
	c.acts, c.staff = s.acts.Clone(), s.staff.Clone()
	c.seen = seen{}
	return &c
}

// Bytes is about how much memory what was learned takes.
func (s *Sign) Bytes() int {
	n := int(unsafe.Sizeof(held{}))*cap(s.secrets) + int(unsafe.Sizeof(person{}))*cap(s.people) + 48*len(s.roles) + s.acts.Bytes() + s.staff.Bytes() + s.homes.Bytes()
	for i := range s.secrets {
		n += 16 * cap(s.secrets[i].viewers)
	}
	for name := range s.ids {
		n += 32 + len(name)
	}
	for name, f := range s.families {
		n += 96 + len(name) + 4*cap(f.people) + 32*len(f.roles)
	}
	return n
}

// seen is what was judged of a day so far.
type seen struct {
	watch.Cursor
	views map[view]time.Time
}

type view struct {
	person string
	secret int32
}

// until brings s.seen to the start of hour i.
func (s *Sign) until(day *watch.Day, i int) {
	d := &s.seen
	d.To(day, i, func() { *d = seen{views: map[view]time.Time{}} }, func(h *watch.Hour) {
		s.openings(day.Names, h, func(o *opened) {
			id := view{o.person, o.secret}
			if _, ok := d.views[id]; !ok && o.caller == event.CallerConsole {
				d.views[id] = o.first
			}
		})
	})
}
