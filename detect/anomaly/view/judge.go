package view

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/detect/anomaly/novelty"
	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/say"
)

// How the rates start and what views are worth to them.
const (
	priorWeight = 10000.0 // secret-days
	keep        = 0.98851 // of a count after a day: half after 60
)

// How near the person is to the secret.
const (
	again    = iota // opened it before, not often enough to be usual
	keeper          // with the role that created or rotated it last
	sibling         // opened others of its family
	team            // shares the role with people who open it
	teamKin         // shares the role with people who open its family
	opener          // opens secrets of other applications
	stranger        // opens none
	nearness
)

var nearNames = [nearness]string{"again", "keeper", "knows the family", "team opens it", "team opens the family", "opens others", "opens none"}

// kinds are nearness, at their hours or outside, with an ordinary role or one for
// emergencies: beliefs, which the estate's rates replace (novelty.Kind says what
// that makes of a score).
var kinds = func() []novelty.Kind {
	usual := [nearness]float64{5e-3, 1e-3, 1e-3, 2e-3, 1e-3, 1.5e-4, 2e-5}
	list := make([]novelty.Kind, 0, 4*nearness)
	for n := range usual {
		for k := range 4 {
			rate, name := usual[n], nearNames[n]
			if k&1 != 0 {
				rate, name = rate*0.15, name+", outside hours"
			}
			if k&2 != 0 {
				rate, name = rate*0.3, name+", emergency role"
			}
			list = append(list, novelty.Kind{Name: name, Usual: rate})
		}
	}
	return list
}()

func (s *Sign) kindOf(names *watch.Names, o *opened, hour int, weekday time.Weekday) uint8 {
	k := s.near(names, o) * 4
	if s.outside(o.person, hour, weekday) {
		k++
	}
	if s.emergency(o.role) && !own(names, o.role, o.person) {
		k += 2
	}
	return uint8(k)
}

func (s *Sign) near(names *watch.Names, o *opened) int {
	h := s.secret(o.secret)
	n, met := s.ids[o.person]
	lately := float32(0) // opened it in the last days: teaches nothing yet
	if v := h.find(n); met && v != nil {
		if v.settled(s.today) {
			return again
		}
		lately = float32(v.Days)
	}
	if h.keeper == o.role+1 {
		return keeper
	}
	f := s.families[names.Secrets[o.secret].Family]
	if !s.o.NoPeers {
		switch {
		case met && f != nil && slices.Contains(f.people, n):
			return sibling
		case s.shared(o.role, func() int { return h.usualBy(o.role) }):
			return team
		case f != nil && s.shared(o.role, func() int { return f.roles[o.role] }):
			return teamKin
		}
	}
	if met && s.people[n].opens-lately >= 0.5 {
		return opener
	}
	return stranger
}

// shared tells whether those who usually open it, of the people with the role,
// are so many that the role stands for a team: a role of half the company does
// not.
func (s *Sign) shared(role int32, openers func() int) bool {
	n := openers()
	return n > 0 && 5*n >= s.staff.Of(role)
}

// usualBy is how many people usually read the secret with the role.
func (h *held) usualBy(role int32) int {
	n := 0
	for i := range h.viewers {
		if v := &h.viewers[i]; v.Usual() && v.role == role {
			n++
		}
	}
	return n
}

// outside tells whether the hour is not one of the person's own: less than 2 %
// of their hours were within an hour of it, or, at the weekend, of their days.
func (s *Sign) outside(name string, hour int, weekday time.Weekday) bool {
	n, ok := s.ids[name]
	if !ok || s.people[n].days < 5 {
		return false
	}
	p := &s.people[n]
	around := p.hours[(hour+23)%24] + p.hours[hour] + p.hours[(hour+1)%24]
	if weekend := weekday == time.Saturday || weekday == time.Sunday; weekend && p.weekend < 0.02*p.calls {
		return true
	}
	return around < 0.02*p.calls
}

// emergency tells whether the role is hardly ever used, though it has long been
// known that people use roles.
func (s *Sign) emergency(actor int32) bool {
	r, ok := s.roles[actor]
	return !ok && len(s.roles) > 0 || ok && r.days < breakGlass && (s.today > r.first+minDays || s.today < r.first+2)
}

// found is a view worth telling.
type found struct {
	opened
	kind  uint8
	score float64
}

// Judge says which views in hour i of the day are unusual.
func (s *Sign) Judge(day *watch.Day, i int) []watch.Alarm {
	s.until(day, i)
	h := day.Hours[i]
	if h == nil {
		return nil
	}
	var list []found
	s.openings(day.Names, h, func(o *opened) {
		if o.caller != event.CallerConsole || day.Names.Secrets[o.secret].Key {
			return
		}
		x := s.secret(o.secret)
		if !x.owned() {
			return
		}
		if _, said := s.seen.views[view{o.person, o.secret}]; said {
			return
		}
		if n, ok := s.ids[o.person]; ok {
			if v := x.find(n); v != nil && v.Usual() {
				return
			}
		}
		if k := slices.IndexFunc(list, func(f found) bool { return f.person == o.person && f.secret == o.secret }); k >= 0 {
			list[k].count += o.count
			return
		}
		f := found{opened: *o, kind: s.kindOf(day.Names, o, i, day.Start.Weekday())}
		p := s.rates[x.prod].P(int(f.kind))
		if n, ok := s.ids[o.person]; ok && !s.o.NoShrinkage {
			p *= novelty.Leaning(float64(s.people[n].novel), float64(s.people[n].expected))
		}
		if n, ok := s.ids[o.person]; ok && x.find(n) != nil && !x.find(n).settled(s.today) {
			p *= novelty.Settle // every new viewer is new for so many days
		}
		f.score = novelty.Score(p)
		list = append(list, f)
	})
	return s.alarms(day, i, list)
}

// alarms gathers what one person opened in the hour.
func (s *Sign) alarms(day *watch.Day, i int, list []found) []watch.Alarm {
	slices.SortFunc(list, func(a, b found) int {
		return cmp.Or(strings.Compare(a.person, b.person), cmp.Compare(a.role, b.role), cmp.Compare(b.score, a.score), cmp.Compare(a.secret, b.secret))
	})
	var all []watch.Alarm
	for len(list) > 0 {
		n := 1
		for n < len(list) && list[n].person == list[0].person && list[n].role == list[0].role {
			n++
		}
		if a := s.alarm(day, i, list[:n:n]); a.Score >= watch.Floor {
			all = append(all, a)
		}
		list = list[n:]
	}
	return all
}

// severalSecrets within an hour are more striking than one: by the share of
// people's first views that are of so many, which is believed to be severalUsual
// before it is learned, for as much as severalWeight views.
const (
	severalSecrets = 3
	severalUsual   = 0.3
	severalWeight  = 20
)

func (s *Sign) several() float64 {
	return min((s.wide+severalUsual*severalWeight)/(s.events+severalWeight), 1)
}

func (s *Sign) alarm(day *watch.Day, i int, group []found) watch.Alarm {
	today := novelty.DayOf(day.Start)
	top := &group[0]
	h := s.secret(top.secret)
	a := watch.Alarm{
		Sign: finding.SignView, Class: finding.SignView, Secret: top.named, Actor: top.role, Account: -1, Region: top.region, Caller: top.caller,
		Score: top.score, Trials: 1, First: top.first, Last: top.last, Days: int(h.days), Calls: int64(h.programs), Mature: h.mature(today),
	}
	if !nameless(day.Names, top.role, top.person) {
		a.Person = top.person
	}
	for k := range group {
		a.Count += group[k].count
		if group[k].first.Before(a.First) {
			a.First = group[k].first
		}
		if group[k].last.After(a.Last) {
			a.Last = group[k].last
		}
		if len(group) > 1 {
			a.Secrets = append(a.Secrets, group[k].named)
			a.Secret = -1
		}
	}
	if len(group)+s.earlierToday(top) >= severalSecrets {
		a.Score -= math.Log10(s.several())
	}
	for n, id := range day.Names.Accounts {
		if id == day.Names.Secrets[top.secret].Account {
			a.Account = int32(n)
		}
	}
	a.Severity = s.severity(day.Names, top, a.Score)
	a.Context = s.context(day, i, group)
	a.Where = watch.Where{Actor: day.Names.Actors[top.role].UID, Person: a.Person, Caller: event.CallerConsole, Operations: novelty.Reads}
	for k := range group {
		a.Where.Secrets = append(a.Where.Secrets, day.Names.Secrets[group[k].named].UID)
	}
	a.Tell = func() watch.Told { return s.tell(day, i, group) }
	return a
}

// earlierToday is how many other secrets the person opened within the hour
// before.
func (s *Sign) earlierToday(top *found) int {
	n := 0
	for v, at := range s.seen.views {
		if v.person == top.person && v.secret != top.secret && s.secret(v.secret).owned() && top.first.Sub(at) < time.Hour {
			n++
		}
	}
	return n
}

func (s *Sign) severity(names *watch.Names, top *found, score float64) finding.Severity {
	near, hours, emergency := int(top.kind)/4, top.kind&1 != 0, top.kind&2 != 0
	switch {
	case near >= opener && (hours || emergency || novelty.Prod(&names.Secrets[top.secret])) && score >= 4:
		return finding.High
	case near >= opener || hours:
		return finding.Medium
	}
	return finding.Low
}

// context is what in the log accounts for the views: the person's own changes of
// the secrets, about the same time.
func (s *Sign) context(day *watch.Day, i int, group []found) []finding.Explanation {
	if s.o.NoContext {
		return nil
	}
	own := !slices.ContainsFunc(group, func(f found) bool { n := int(f.kind) / 4; return n != team && n != teamKin && n != keeper })
	if since, ok := s.staff.New(group[0].person, group[0].role, novelty.DayOf(day.Start), own); ok && len(group) <= novelty.Few {
		return []finding.Explanation{{Kind: "context", ID: "newcomer", Text: say.T("newcomer", say.Values{"who": group[0].person, "since": novelty.DateOf(since)})}}
	}
	var list []finding.Explanation
	for k := range group {
		f := &group[k]
		var text say.Text
		for n, id := range day.Names.Accounts {
			if id != day.Names.Secrets[f.secret].Account {
				continue
			}
			s.acts.Find(day, i, int32(n), f.first.Add(-2*time.Hour), func(a *watch.Act) bool {
				if (a.Sort == watch.ActRotate || a.Sort == watch.ActCreate) && a.Actor == f.role && wrote(day, a, f.person) && watch.Person(a.Caller) && a.Secret >= 0 && s.homes.Of(day.Names, a.Secret) == f.secret {
					text = say.T("view.change", say.Values{"operation": a.Operation, "secret": day.Names.Secrets[f.secret].Name, "at": a.First.UTC()})
				}
				return text == (say.Text{})
			})
		}
		if text == (say.Text{}) {
			return nil
		}
		list = append(list, finding.Explanation{Kind: "context", ID: "change", Text: text})
	}
	return list[:min(len(list), 3)]
}

// wrote tells whether an act of a role may be the person's: a role is shared by
// people, and where the events of the hour tell of them only who changed anything
// in it can have done it.
func wrote(day *watch.Day, a *watch.Act, person string) bool {
	k := int(a.Last.Sub(day.Start) / time.Hour)
	if a.Last.Before(day.Start) || k > 23 || day.Hours[k] == nil {
		return true // the day before: not known by whom
	}
	told := false
	for i := range day.Hours[k].People {
		p := &day.Hours[k].People[i]
		if p.Actor != a.Actor || p.Caller != a.Caller || p.Writes == 0 {
			continue
		}
		if told = true; p.Person == person {
			return true
		}
	}
	return !told
}

func (s *Sign) tell(day *watch.Day, i int, group []found) watch.Told {
	names, top := day.Names, &group[0]
	sec, h := &names.Secrets[top.secret], s.secret(top.secret)
	who := top.person
	role := names.Actors[top.role].Name
	what := say.Plain(sec.Name)
	if len(group) > 1 {
		what = say.T("secrets.more", say.Values{"secret": sec.Name, "n": len(group) - 1})
	}
	told := watch.Told{
		Title:  say.T("view.title", say.Values{"who": who, "secret": what}),
		Attack: []string{"T1555.006", "T1078.004"},
		Unseen: []say.Text{say.T("unseen.before", say.Values{"date": novelty.DateOf(h.first)})},
	}
	last := say.T("view.last.nobody", nil)
	for k := range h.viewers {
		if v := &h.viewers[k]; k == 0 || v.Last > h.viewers[0].Last {
			last = say.T("view.last", say.Values{"day": novelty.DateOf(v.Last)})
		}
	}
	in, reads := int(novelty.DayOf(day.Start))-int(h.first), math.Round(float64(h.programs))
	text := say.T("view.sentence", say.Values{"who": who, "role": role, "secret": sec.Name, "at": top.first.UTC(), "days": in, "n": reads, "last": last})
	if own(names, top.role, who) {
		text = say.T("view.sentence.own", say.Values{"who": who, "secret": sec.Name, "at": top.first.UTC(), "days": in, "n": reads, "last": last})
	}
	told.Reasons = append(told.Reasons, finding.Reason{Kind: "view", Text: text,
		Observed: novelty.A(event.CallerConsole), Expected: say.T("view.programs", nil)})
	told.Reasons = append(told.Reasons, finding.Reason{Kind: "person", Text: s.personSentence(names, top, who, role)})
	if top.kind&1 != 0 {
		told.Reasons = append(told.Reasons, finding.Reason{Kind: "hours", Text: say.T("view.hours", say.Values{"who": who, "day": day.Start, "at": top.first.UTC()})})
	}
	if top.kind&2 != 0 {
		told.Reasons = append(told.Reasons, finding.Reason{Kind: "role", Text: say.T("view.role", say.Values{"role": role, "n": breakGlass})})
	}
	if n := len(group) + s.earlierToday(top); n >= severalSecrets {
		told.Reasons = append(told.Reasons, finding.Reason{Kind: "several", Text: say.T("view.several", say.Values{"n": n, "who": who})})
	}
	if nameless(names, top.role, top.person) {
		told.Unseen = append(told.Unseen, say.T("view.unseen", say.Values{"role": role}))
	}
	told.Next = append([]string{watch.Search(top.first.Add(-time.Hour), top.last.Add(time.Hour), watch.ByPerson(who))}, novelty.Next(sec)...)
	for d := max(int(novelty.DayOf(day.Start))-13, int(h.first)); d < int(novelty.DayOf(day.Start)); d++ {
		told.Series = append(told.Series, finding.Point{Time: novelty.DateOf(uint16(d)), Seen: float64(viewsOn(h, uint16(d)))})
	}
	told.Series = append(told.Series, finding.Point{Time: day.Start, Seen: float64(top.count)})
	return told
}

// viewsOn is how many people are known to have read the secret on a day: of each
// the first and the last day are kept.
func viewsOn(h *held, day uint16) int {
	n := 0
	for i := range h.viewers {
		if v := &h.viewers[i]; v.First == day || v.Last == day {
			n++
		}
	}
	return n
}

func (s *Sign) personSentence(names *watch.Names, top *found, who, role string) say.Text {
	switch int(top.kind) / 4 {
	case again:
		return say.T("view.person.again", say.Values{"who": who})
	case keeper:
		return say.T("view.person.keeper", say.Values{"role": role})
	case sibling:
		return say.T("view.person.sibling", say.Values{"who": who})
	case team:
		return say.T("view.person.team", say.Values{"role": role, "who": who})
	case teamKin:
		return say.T("view.person.kin", say.Values{"role": role, "who": who})
	case opener:
		if n, ok := s.ids[top.person]; ok {
			return say.T("view.person.opener", say.Values{"who": who, "n": math.Ceil(float64(s.people[n].opens))})
		}
	}
	if n, ok := s.ids[top.person]; ok {
		return say.T("view.person.never", say.Values{"who": who, "days": int(s.people[n].days)})
	}
	return say.T("view.person.unknown", say.Values{"who": who})
}
