package region

import (
	"cmp"
	"slices"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/yagura-sec/yagura/detect/anomaly/novelty"
	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/internal/instant"
)

// How the rates start and what novelties are worth to them.
const (
	priorWeight = 10000.0 // secret-days
	keep        = 0.98851 // of a count after a day: half after 60
)

// How near the region is.
const (
	again     = iota // this principal was there with it once, or lately
	settled          // the secret is used there by others
	declared         // a replica was made there
	kin              // its family is used there
	inUse            // its account is at work there
	sleeping         // the account was there, not for a month
	untouched        // the account never was there
	nearRegions
)

// Who is there.
const (
	local   = iota // a usual reader, of it or its family, at work in that region
	visitor        // a usual reader, who never was in that region
	program        // another program
	human          // a person
	other          // a long-lived key, or unclear
	nearActors
)

var regionNames = [nearRegions]string{"again", "in use", "declared", "of the family", "of the account", "dormant", "never used"}
var actorNames = [nearActors]string{"reader at home there", "reader", "other program", "person", "key or unclear"}

// kinds are all pairs, with how often each is believed to come of itself: beliefs,
// which the estate's rates replace (novelty.Kind says what that makes of a score).
var kinds = func() []novelty.Kind {
	where := [nearRegions]float64{5e-3, 1.2e-3, 1.2e-3, 8e-4, 5e-4, 3e-5, 2e-5}
	who := [nearActors]float64{1, 0.4, 0.015, 0.015, 0.02}
	list := make([]novelty.Kind, 0, nearRegions*nearActors)
	for r := range where {
		for a := range who {
			list = append(list, novelty.Kind{Name: regionNames[r] + ", " + actorNames[a], Usual: where[r] * who[a], Repeat: r == again})
		}
	}
	return list
}()

func (s *Sign) kindOf(names *watch.Names, secret, who, account int32, caller event.Caller, region uint8, today uint16) uint8 {
	return uint8(s.nearRegion(names, secret, who, account, region, today)*nearActors + s.nearActor(names, secret, who, caller, region, today))
}

func (s *Sign) nearActor(names *watch.Names, secret, who int32, caller event.Caller, region uint8, today uint16) int {
	h := s.secret(secret)
	reads := slices.ContainsFunc(h.readers, func(r reader) bool {
		// With more readers than are kept, one of an account of theirs may be one.
		return (r.actor == who || h.crowded && names.Actors[r.actor].Account == names.Actors[who].Account) && today > r.first
	})
	f := s.families[names.Secrets[secret].Family]
	switch {
	case watch.Person(caller):
		return human
	case !novelty.Program(caller):
		return other
	case !s.o.NoPeers && f != nil && f.regions&(1<<region) != 0 && slices.Contains(f.actors, who):
		return local
	case reads && s.actor(who).usual(region, today):
		return local
	case reads:
		return visitor
	}
	return program
}

func (s *Sign) nearRegion(names *watch.Names, secret, who, account int32, region uint8, today uint16) int {
	h, sec := s.secret(secret), &names.Secrets[secret]
	used := false
	for i := range h.items {
		it := &h.items[i]
		if it.region != region {
			continue
		}
		if it.actor == who {
			return again
		}
		used = used || it.Usual()
	}
	switch {
	case used:
		return settled
	case s.declared[secret]&(1<<region) != 0 || region < 62 && declaredBefore(sec, s.regions[region], today):
		return declared
	case s.o.NoPeers:
		return untouched
	}
	if f := s.families[sec.Family]; f != nil && f.regions&(1<<region) != 0 {
		return kin
	}
	p := s.account(account).find(region)
	switch {
	case p == nil || p.days <= 1 && today <= p.first+novelty.Settle:
		return untouched
	case today > p.last+dormant:
		return sleeping
	}
	return inUse
}

// declaredBefore tells whether a replica was made in the region long enough
// before the day.
func declaredBefore(s *watch.Secret, region string, today uint16) bool {
	at, ok := s.Replicas[region]
	return ok && novelty.DayOf(at)+novelty.Settle <= today
}

// found is a use where there was none.
type found struct {
	place  spot
	named  int32
	caller event.Caller
	region string
	acct   int32
	kind   uint8
	score  float64
	count  int64
	got    bool
	first  time.Time
	last   time.Time
}

// spot is an actor with a secret in a region.
type spot struct {
	secret, actor int32
	region        string
}

// Judge says which uses in hour i of the day are where there were none.
func (s *Sign) Judge(day *watch.Day, i int) []watch.Alarm {
	s.until(day, i)
	h := day.Hours[i]
	if h == nil {
		return nil
	}
	return append(s.judgeRegions(day, i, h), s.judgeNetworks(day, i, h)...)
}

func (s *Sign) judgeRegions(day *watch.Day, i int, h *watch.Hour) []watch.Alarm {
	today := novelty.DayOf(day.Start)
	var list []found
	for j := range h.Uses {
		u := &h.Uses[j]
		if !watched(u, day.Names) {
			continue
		}
		n := s.homes.Of(day.Names, u.Secret)
		if !day.Names.Secrets[n].Away(u.Region) {
			continue
		}
		held := s.secret(n)
		r := s.numbered(u.Region)
		id := spot{n, u.Actor, u.Region}
		if _, said := s.seen.spots[id]; said || held.first == 0 {
			continue
		}
		if slices.ContainsFunc(held.items, func(it item) bool {
			return it.actor == u.Actor && it.region == r && it.Usual()
		}) {
			continue
		}
		if k := slices.IndexFunc(list, func(f found) bool { return f.place == id }); k >= 0 {
			f := &list[k]
			f.count, f.got = f.count+u.Count, f.got || novelty.Got(u.Outcome)
			f.first, f.last = instant.Earlier(f.first, u.First), instant.Later(f.last, u.Last)
			continue
		}
		f := found{place: id, named: u.Secret, caller: u.Caller, region: u.Region, acct: u.Account, kind: s.kindOf(day.Names, n, u.Actor, u.Account, u.Caller, r, today),
			count: u.Count, got: novelty.Got(u.Outcome), first: u.First, last: u.Last}
		p := s.rates[truth(day.Names.Secrets[n].Key)].P(int(f.kind))
		if !s.o.NoShrinkage {
			account := s.accountOf(day.Names, n)
			p *= novelty.Leaning(float64(s.novel[account]), float64(s.expected[account]))
		}
		if f.score = novelty.Score(p); f.score >= watch.Floor {
			list = append(list, f)
		}
	}
	return s.alarms(day, i, today, list)
}

// alarms gathers what one principal used in one region in the hour.
func (s *Sign) alarms(day *watch.Day, i int, today uint16, list []found) []watch.Alarm {
	slices.SortFunc(list, func(a, b found) int {
		return cmp.Or(cmp.Compare(a.place.actor, b.place.actor), cmp.Compare(a.region, b.region),
			-cmp.Compare(truth(s.secret(a.place.secret).mature(today)), truth(s.secret(b.place.secret).mature(today))),
			cmp.Compare(b.score, a.score), cmp.Compare(a.place.secret, b.place.secret))
	})
	var all []watch.Alarm
	for len(list) > 0 {
		n := 1
		for n < len(list) && list[n].place.actor == list[0].place.actor && list[n].region == list[0].region {
			n++
		}
		all = append(all, s.alarm(day, i, today, list[:n:n]))
		list = list[n:]
	}
	return all
}

func (s *Sign) alarm(day *watch.Day, i int, today uint16, group []found) watch.Alarm {
	top := &group[0]
	h := s.secret(top.place.secret)
	a := watch.Alarm{
		Sign: finding.SignRegion, Class: finding.SignRegion, Secret: top.named, Actor: top.place.actor, Account: top.acct, Region: top.region, Caller: top.caller,
		Score: top.score, Trials: 1, First: top.first, Last: top.last, Days: int(h.days), Calls: int64(h.calls), Mature: h.mature(today),
		Severity: severity(top),
	}
	if watch.Person(top.caller) {
		a.Person = personIn(day.Hours[i], top.place.actor, top.caller, top.named)
	}
	for k := range group {
		f := &group[k]
		a.Count += f.count
		a.First, a.Last = instant.Earlier(a.First, f.first), instant.Later(a.Last, f.last)
		if len(group) > 1 {
			a.Secrets = append(a.Secrets, f.named)
			a.Secret = -1
		}
	}
	a.Context = s.context(day, i, today, group)
	a.Where = watch.Where{Actor: day.Names.Actors[top.place.actor].UID, Person: a.Person, Caller: top.caller, Region: top.region, Operations: novelty.Reads}
	for k := range group {
		a.Where.Secrets = append(a.Where.Secrets, day.Names.Secrets[group[k].named].UID)
	}
	a.Tell = func() watch.Told { return s.tell(day, today, group) }
	return a
}

func severity(f *found) finding.Severity {
	where, who := int(f.kind)/nearActors, int(f.kind)%nearActors
	switch {
	case !f.got:
		return finding.Low
	case where >= sleeping && who >= program:
		return finding.High
	case where >= sleeping || who >= program:
		return finding.Medium
	}
	return finding.Low
}

func personIn(h *watch.Hour, actor int32, caller event.Caller, secret int32) string {
	for i := range h.People {
		p := &h.People[i]
		if p.Actor == actor && p.Caller == caller && slices.ContainsFunc(p.Reads, func(r watch.PersonRead) bool { return r.Secret == secret }) {
			return p.Person
		}
	}
	return ""
}

func truth(b bool) int {
	if b {
		return 1
	}
	return 0
}

// seen is what was judged of a day so far.
type seen struct {
	watch.Cursor
	spots map[spot]bool
	nets  map[net]bool
}

type net struct {
	actor int32
	id    uint64
}

// until brings s.seen to the start of hour i.
func (s *Sign) until(day *watch.Day, i int) {
	d := &s.seen
	d.To(day, i, func() { *d = seen{spots: map[spot]bool{}, nets: map[net]bool{}} }, func(h *watch.Hour) {
		for j := range h.Uses {
			if u := &h.Uses[j]; watched(u, day.Names) {
				if n := s.homes.Of(day.Names, u.Secret); day.Names.Secrets[n].Away(u.Region) {
					d.spots[spot{n, u.Actor, u.Region}] = true
				}
			}
		}
		for j := range h.Sources {
			if x := &h.Sources[j]; novelty.Program(x.Caller) && x.Network != "" {
				d.nets[net{x.Actor, xxhash.Sum64String(x.Network)}] = true
			}
		}
	})
}
