package failures

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/event"
)

// denied is what a principal was denied in an hour.
type denied struct {
	who     principal
	actor   int32 // as what it acted, last
	account int32
	caller  event.Caller
	class   int
	region  string

	calls   int // retries folded
	raw     int64
	pairs   int // most in ten minutes
	breadth int // of these, never denied before
	tens    int // ten minutes with any
	secrets []int32
	fresh   []int32 // of secrets: never denied before, and never given
	granted []int32 // denied, then given
	// perSecret is how often each was denied, retries of a client (three as a
	// rule) taken as one.
	perSecret map[int32]int

	operation, code, network string
	peak                     int32 // calls of the ten minutes that operation and code are of
	first, last              time.Time
}

// gather is all principals that were denied something in the hour, in the order
// of their first denial. It is kept as long as nothing more is learned.
func (s *sign) gather(h *watch.Hour) []*denied {
	if list, ok := s.gathered[h]; ok {
		return list
	}
	list := s.gatherAnew(h)
	if len(s.gathered) >= 48 {
		clear(s.gathered)
	}
	s.gathered[h] = list
	return list
}

func (s *sign) gatherAnew(h *watch.Hour) []*denied {
	g := gathering{s: s, h: h, all: map[principal]*denied{}, acts: map[int32][]int32{}}
	for i := range h.Acts {
		if a := &h.Acts[i]; a.Sort == watch.ActDenied || a.Sort == watch.ActOrgDenied {
			g.acts[a.Actor] = append(g.acts[a.Actor], int32(i))
		}
	}
	for i := range h.Tries {
		g.try(&h.Tries[i])
	}
	if !h.Events {
		for i := range h.Acts {
			g.act(&h.Acts[i])
		}
	}
	for i := range h.Uses {
		g.use(&h.Uses[i])
	}
	for i := range h.People {
		g.person(&h.People[i])
	}
	g.list = slices.DeleteFunc(g.list, func(d *denied) bool { return s.mirrored(d, g.list) })
	for _, d := range g.list {
		s.finish(d)
	}
	slices.SortStableFunc(g.list, func(a, b *denied) int {
		return cmp.Or(a.first.Compare(b.first), cmp.Compare(a.actor, b.actor), cmp.Compare(a.who.person, b.who.person))
	})
	return g.list
}

// mirrored tells whether the principal is another one's id and its denials those
// of the other: a call into another account is in the logs of both, and that of
// the called one names roles by their ids.
func (s *sign) mirrored(d *denied, all []*denied) bool {
	const clocks = 2 * time.Second
	return s.opaque(d.actor) && slices.ContainsFunc(all, func(e *denied) bool {
		return !s.opaque(e.actor) && !e.first.After(d.first.Add(clocks)) && !e.last.Add(clocks).Before(d.last) &&
			!slices.ContainsFunc(d.secrets, func(x int32) bool { return !slices.Contains(e.secrets, x) })
	})
}

func (s *sign) opaque(actor int32) bool {
	return s.names != nil && actor >= 0 && !strings.HasPrefix(s.names.Actors[actor].UID, "arn:")
}

type gathering struct {
	s    *sign
	h    *watch.Hour
	all  map[principal]*denied
	list []*denied
	acts map[int32][]int32 // denials of the hour, by actor
}

func (g *gathering) at(w principal, actor, account int32, c event.Caller, first time.Time) *denied {
	d := g.all[w]
	if d == nil {
		d = &denied{who: w, actor: actor, account: account, caller: c, class: classOf(c), first: first, perSecret: map[int32]int{}}
		g.all[w] = d
		g.list = append(g.list, d)
	}
	return d
}

func (d *denied) span(first, last time.Time) {
	if first.Before(d.first) {
		d.first = first
	}
	if last.After(d.last) {
		d.last = last
	}
}

func (g *gathering) try(t *watch.Try) {
	if t.Calls == 0 || g.byPolicyOnly(t) {
		return
	}
	d := g.at(who(t.Actor, t.Person), t.Actor, t.Account, t.Caller, t.First)
	d.span(t.First, t.Last)
	d.calls += int(t.Calls)
	d.tens++
	d.pairs = max(d.pairs, int(t.Pairs))
	d.breadth = max(d.breadth, min(int(t.Pairs), g.newPairs(t)))
	d.secrets = union(d.secrets, t.Secrets)
	d.granted = union(d.granted, t.Granted)
	if t.Calls > d.peak {
		d.peak, d.operation, d.code, d.network, d.account, d.actor = t.Calls, t.Operation, t.Code, t.Network, t.Account, t.Actor
	}
}

// byPolicyOnly tells whether what the try was denied was denied by the
// organisation's policy, which is another sign's business.
func (g *gathering) byPolicyOnly(t *watch.Try) bool {
	org := false
	for _, i := range g.acts[t.Actor] {
		a := &g.h.Acts[i]
		if a.Account != t.Account || a.Last.Before(t.First) || a.First.After(t.Last) {
			continue
		}
		switch a.Sort {
		case watch.ActDenied:
			return false
		case watch.ActOrgDenied:
			org = true
		}
	}
	return org
}

// newPairs is how many pairs of operation and resource the actor was denied
// around the try that it was never denied before.
func (g *gathering) newPairs(t *watch.Try) int {
	pairs := recall(&g.s.known.pairs, principal{actor: t.Actor})
	day := g.s.today()
	told, n := false, 0
	for _, i := range g.acts[t.Actor] {
		a := &g.h.Acts[i]
		if a.Sort != watch.ActDenied || a.Last.Before(t.At) || !a.First.Before(t.At.Add(10*time.Minute)) {
			continue
		}
		told = true
		if !known(pairs, hash(a.Operation, a.Resource), day) {
			n++
		}
	}
	if !told {
		return int(t.Pairs)
	}
	return n
}

// act stands in for tries where events are gone: hours only, and by actor.
func (g *gathering) act(a *watch.Act) {
	if a.Sort != watch.ActDenied {
		return
	}
	d := g.at(principal{actor: a.Actor}, a.Actor, a.Account, a.Caller, a.First)
	d.span(a.First, a.Last)
	n := fold(a.Count, a.First, a.Last)
	d.calls += n
	d.pairs++
	if !known(recall(&g.s.known.pairs, d.who), hash(a.Operation, a.Resource), g.s.today()) {
		d.breadth++
	}
	if a.Secret >= 0 {
		d.secrets = union(d.secrets, []int32{a.Secret})
	}
	if int32(n) > d.peak {
		d.peak, d.operation = int32(n), a.Operation
	}
}

// fold is how many calls n are if retries within a minute count once, as far as
// the first and the last tell.
func fold(n int64, first, last time.Time) int {
	return int(min(n, 1+int64(last.Sub(first)/time.Minute)))
}

func refusedUse(o event.Outcome) bool { return o == event.Denied || o == event.AuthFailed }

func (g *gathering) use(u *watch.Use) {
	if !refusedUse(u.Outcome) {
		return
	}
	if d := g.all[principal{actor: u.Actor}]; d != nil {
		d.raw += u.Count
		d.perSecret[u.Secret] += max(fold(u.Count, u.First, u.Last), int(u.Count+2)/3)
		d.secrets = union(d.secrets, []int32{u.Secret})
		d.region = u.Region
	}
}

func (g *gathering) person(p *watch.PersonHour) {
	d := g.all[principal{actor: -1, person: p.Person}]
	if d == nil {
		return
	}
	for _, r := range p.Reads {
		if r.Denied > 0 {
			d.raw += int64(r.Denied)
			d.perSecret[r.Secret] += int(r.Denied+2) / 3
			d.secrets = union(d.secrets, []int32{r.Secret})
		}
	}
	d.region = p.Region
}

func (s *sign) finish(d *denied) {
	d.raw = max(d.raw, int64(d.calls))
	given, refused := recall(&s.known.given, d.who), recall(&s.known.denied, d.who)
	day := s.today()
	for _, x := range d.secrets {
		if d.perSecret[x] == 0 {
			d.perSecret[x] = max(1, d.calls/len(d.secrets))
		}
		if !has(given, uint32(x)) && !known(refused, uint32(x), day) {
			d.fresh = append(d.fresh, x)
		}
	}
}

// today is the number of the day after the last one learned, in which new
// things are judged.
func (s *sign) today() int32 {
	if s.last.IsZero() {
		return 0
	}
	return dayNumber(s.last) + 1
}

func dayNumber(t time.Time) int32 { return int32(t.Unix() / 86400) }
