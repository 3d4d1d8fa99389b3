package caller

import (
	"cmp"
	"slices"
	"time"

	"github.com/yagura-sec/yagura/detect/anomaly/novelty"
	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/internal/instant"
)

// How the rates start and what novelties are worth to them.
const (
	// priorWeight is how many secret-days the rates believed in beforehand are
	// worth: 100 secrets in three months.
	priorWeight = 10000.0
	// keepCalls is what is left of a count of calls after a day: half after 60.
	keepCalls = 0.98851
)

// How near the kind of caller is to what is usual.
const (
	sameClass  = iota
	familiar   // occurs at other secrets of the family, or may have occurred at this one
	otherClass // a program's, of another kind
	commandLine
	longKey
	someService
	unclear
	nearClasses
)

// How near the role is to what is usual.
const (
	sameRole  = iota
	again     // was there once, or lately
	relative  // reads others of the family
	namesake  // is called like its readers or its family
	neighbour // reads other secrets of the account
	freshRole // of the account; reads nothing yet
	partner   // of another account that has readers in the family
	foreigner // of another account
	nearRoles
)

var classNames = [nearClasses]string{"same kind", "kind of the family", "other kind of program", "command line", "long-lived key", "service", "unclear"}
var roleNames = [nearRoles]string{"same role", "again", "role of the family", "namesake", "neighbour", "fresh role", "partner account", "foreign account"}

// kinds are all pairs, with how often each is believed to come of itself: beliefs,
// which the estate's rates replace (novelty.Kind says what that makes of a score).
var kinds = func() []novelty.Kind {
	class := [nearClasses]float64{1, 0.2, 0.02, 0.03, 0.01, 0.5, 0.5}
	role := [nearRoles]float64{1e-4, 5e-3, 2e-3, 2e-3, 3e-5, 2e-4, 1e-4, 1e-5}
	list := make([]novelty.Kind, 0, nearRoles*nearClasses)
	for r := range role {
		for c := range class {
			k := novelty.Kind{Name: roleNames[r] + ", " + classNames[c], Usual: class[c] * role[r], Repeat: r == again}
			if r == sameRole && (c == unclear || c == someService) {
				k.Usual = 1e-3 // its records tell more or less of it than before
			}
			list = append(list, k)
		}
	}
	return list
}()

// manyKinds are kinds, of secrets of many readers and of keys.
var manyKinds = func() []novelty.Kind {
	list := slices.Clone(kinds)
	for i := range list {
		list[i].Usual *= 8
	}
	return list
}()

func near(kind uint8) (role, class int) { return int(kind) / nearClasses, int(kind) % nearClasses }

// kindOf says which kind of novelty it is that the actor reads the secret so.
func (s *Sign) kindOf(names *watch.Names, secret, who int32, class uint8) uint8 {
	return uint8(s.nearRole(names, secret, who, class)*nearClasses + s.nearClass(names, secret, who, class))
}

func (s *Sign) nearClass(names *watch.Names, secret, who int32, class uint8) int {
	caller, h := novelty.CallerOf(class), s.secret(secret)
	switch {
	case h.has(class):
		return sameClass
	case novelty.Program(caller) && s.vagueness(h, who) == vague:
		return unclear
	case novelty.Program(caller) && s.vagueness(h, who) == mixed:
		return familiar
	case caller == event.CallerPersonCLI:
		return commandLine
	case caller == event.CallerStaticKey:
		return longKey
	case caller == event.CallerAWSService:
		return someService
	case caller == event.CallerUnknown:
		return unclear
	}
	if f := s.families[names.Secrets[secret].Family]; !s.o.NoPeers && f != nil && f.classes&(1<<class) != 0 {
		return familiar
	}
	return otherClass
}

// Vagueness of what is known of a secret's callers.
const (
	certain = iota
	mixed   // some of those who read it lately are of unknown kind
	vague   // so was this actor, or are all
)

// vagueness tells how well it is known what reads the secret, and whether the
// actor itself was of unknown kind so far: records tell more or less of callers as
// the provider goes on.
func (s *Sign) vagueness(h *held, who int32) int {
	some, all := certain, true
	for i := range h.items {
		it := &h.items[i]
		unknown := novelty.CallerOf(it.class) == event.CallerUnknown
		switch {
		case unknown && it.actor == who:
			return vague
		case !it.Usual():
		case unknown && it.Last+novelty.Drop >= s.today:
			some = mixed
		case !unknown:
			all = false
		}
	}
	if all && len(h.items) > 0 {
		return vague
	}
	return some
}

func (s *Sign) nearRole(names *watch.Names, secret, who int32, class uint8) int {
	h := s.secret(secret)
	if h.find(who, class) != nil {
		return again
	}
	if _, ok := h.reads(who); ok {
		return sameRole
	}
	a, sec := &names.Actors[who], &names.Secrets[secret]
	abroad := a.Account != "" && a.Account != sec.Account
	if s.o.NoPeers {
		if abroad {
			return foreigner
		}
		return freshRole
	}
	f := s.families[sec.Family]
	switch {
	case f != nil && slices.Contains(f.actors, who):
		return relative
	case h.crowd != nil && h.hasAccount(names, a.Account):
		return sameRole // it may be one of those that are not kept
	case abroad && s.reading(names, f, h, a.Account):
		return partner
	case abroad:
		return foreigner
	case s.resembles(names, secret, who):
		return namesake
	case s.actor(who).secrets > 0:
		return neighbour
	}
	return freshRole
}

// reading tells whether roles of the account usually read the secret or others of
// its family.
func (s *Sign) reading(names *watch.Names, f *family, h *held, account string) bool {
	return h.hasAccount(names, account) ||
		f != nil && slices.ContainsFunc(f.actors, func(n int32) bool { return names.Actors[n].Account == account })
}

// found is something new in an hour.
type found struct {
	use
	named  int32 // the secret as the log names it
	caller event.Caller
	region string
	kind   uint8
	score  float64
	chance float64
	count  int64
	first  time.Time
	last   time.Time
}

// Judge says what is new in hour i of the day.
func (s *Sign) Judge(day *watch.Day, i int) []watch.Alarm {
	s.until(day, i)
	h := day.Hours[i]
	if h == nil {
		return nil
	}
	today := novelty.DayOf(day.Start)
	var list []found
	for j := range h.Uses {
		u := &h.Uses[j]
		if !watched(u, day.Names) || !s.atHome(u, day.Names) {
			continue
		}
		id := use{s.homes.Of(day.Names, u.Secret), u.Actor, novelty.Class(u.Caller)}
		if _, said := s.seen.uses[id]; said {
			continue
		}
		held := s.secret(id.secret)
		if it := held.find(id.actor, id.class); it != nil && it.Usual() || held.among(day.Names, id.actor, id.class) || len(held.items) == 0 {
			continue
		}
		if k := slices.IndexFunc(list, func(f found) bool { return f.use == id }); k >= 0 {
			f := &list[k]
			f.count += u.Count
			f.first, f.last = instant.Earlier(f.first, u.First), instant.Later(f.last, u.Last)
			continue
		}
		f := found{use: id, named: u.Secret, caller: u.Caller, region: u.Region, kind: s.kindOf(day.Names, id.secret, id.actor, id.class),
			count: u.Count, first: u.First, last: u.Last}
		f.chance = s.chance(held, &f)
		if f.score = novelty.Score(f.chance); f.score >= watch.Floor {
			list = append(list, f)
		}
	}
	return s.alarms(day, i, today, list)
}

// chance is that of such a novelty, or a rarer one, at this secret by this
// principal on a day.
func (s *Sign) chance(h *held, f *found) float64 {
	p := s.rates[h.stratum].P(int(f.kind))
	if !s.o.NoShrinkage {
		p *= novelty.Leaning(float64(h.novel), float64(h.expected))
		if a := s.actor(f.actor); a.first > 0 {
			p *= max(1, novelty.Leaning(float64(a.novel), float64(a.expected)))
		}
	}
	return min(p, 1)
}

// alarms gathers what one principal did in the hour as callers of one kind.
func (s *Sign) alarms(day *watch.Day, i int, today uint16, list []found) []watch.Alarm {
	slices.SortFunc(list, func(a, b found) int {
		return cmp.Or(cmp.Compare(a.actor, b.actor), cmp.Compare(a.class, b.class), cmp.Compare(b.score, a.score), cmp.Compare(a.secret, b.secret))
	})
	var all []watch.Alarm
	for len(list) > 0 {
		n := 1
		for n < len(list) && list[n].actor == list[0].actor && list[n].class == list[0].class {
			n++
		}
		all = append(all, s.alarm(day, i, today, list[:n:n]))
		list = list[n:]
	}
	return all
}

func (s *Sign) alarm(day *watch.Day, i int, today uint16, group []found) watch.Alarm {
	// What is mature leads: it is what can be alerted on.
	slices.SortStableFunc(group, func(a, b found) int {
		return -cmp.Compare(truth(s.secret(a.secret).mature(today)), truth(s.secret(b.secret).mature(today)))
	})
	top := &group[0]
	h := s.secret(top.secret)
	a := watch.Alarm{
		Sign: finding.SignCaller, Class: finding.SignCaller, Secret: top.named, Actor: top.actor, Account: -1, Region: top.region, Caller: top.caller,
		Score: top.score, Trials: 1, First: top.first, Last: top.last, Days: int(h.days), Calls: int64(h.calls),
		Mature: h.mature(today), Severity: severity(top.kind, top.score),
		Person: person(day.Hours[i], top),
	}
	for k := range group {
		f := &group[k]
		a.Count += f.count
		a.First, a.Last = instant.Earlier(a.First, f.first), instant.Later(a.Last, f.last)
		if len(group) > 1 {
			a.Secrets = append(a.Secrets, f.named)
		}
	}
	for j := range day.Hours[i].Uses {
		if u := &day.Hours[i].Uses[j]; u.Secret == top.named && u.Actor == top.actor && u.Caller == top.caller {
			a.Account = u.Account
			break
		}
	}
	if len(group) > 1 {
		a.Secret = -1
	}
	a.Context = s.context(day, i, group)
	a.Where = s.where(day.Names, &a, top)
	a.Tell = func() watch.Told { return s.teller(day, group).tell() }
	return a
}

func truth(b bool) int {
	if b {
		return 1
	}
	return 0
}

// person is who stands behind a person's command line, where events tell.
func person(h *watch.Hour, f *found) string {
	if !watch.Person(f.caller) {
		return ""
	}
	for i := range h.People {
		p := &h.People[i]
		if p.Actor == f.actor && p.Caller == f.caller && slices.ContainsFunc(p.Reads, func(r watch.PersonRead) bool { return r.Secret == f.named }) {
			return p.Person
		}
	}
	return ""
}

func severity(kind uint8, score float64) finding.Severity {
	role, class := near(kind)
	switch {
	case class == otherClass || class == commandLine || class == longKey || role == foreigner:
		if score >= 4 {
			return finding.High
		}
		return finding.Medium
	case score >= 4:
		return finding.Medium
	}
	return finding.Low
}

func (s *Sign) where(names *watch.Names, a *watch.Alarm, top *found) watch.Where {
	w := watch.Where{Actor: names.Actors[top.actor].UID, Person: a.Person, Caller: top.caller, Operations: novelty.Reads}
	if a.Secrets == nil {
		w.Secrets = []string{names.Secrets[top.named].UID}
	}
	for _, n := range a.Secrets {
		w.Secrets = append(w.Secrets, names.Secrets[n].UID)
	}
	return w
}
