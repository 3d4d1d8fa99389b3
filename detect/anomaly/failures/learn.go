package failures

import (
	"cmp"
	"slices"
	"time"

	"github.com/yagura-sec/yagura/detect/anomaly/tally"
	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/event"
)

// forgetGiven and forgetDenied are after how many days without it a thing is
// forgotten.
const (
	forgetGiven  = 180
	forgetDenied = 60
	tailHours    = 24
	keepDay      = 0.98 // of what a day teaches of how often people move, and secrets open
)

// daily is what a day adds to the books.
type daily struct {
	class   int
	hours   int
	in      int // hour counted last
	volume  []int
	breadth []int
	secrets []int
	fresh   []int32
}

// Learn takes in a day.
func (s *sign) Learn(day *watch.Day) {
	n := dayNumber(day.Start)
	s.names = day.Names
	clear(s.gathered) // Judge may have seen less of it
	defer clear(s.gathered)
	heard := heardOf(day)
	if len(heard) == 0 { // no log of the day teaches nothing
		s.recent, s.tail, s.last = nil, nil, day.Start
		return
	}
	of := map[principal]*daily{}
	refused := map[int32][]int{}
	var tail []fresh
	for i, h := range day.Hours {
		if h == nil {
			continue
		}
		s.active(of, i, h)
		for _, d := range s.gather(h) {
			x := of[d.who]
			if x == nil {
				x = &daily{class: d.class, in: i, hours: 1}
				of[d.who] = x
			}
			x.take(d)
			for _, secret := range d.fresh {
				tail = append(tail, fresh{d.who, secret, d.first})
			}
			if len(d.secrets) > 0 {
				s.grants[0]++
				if len(d.granted) > 0 {
					s.grants[1]++
				}
			}
		}
		for secret, r := range s.strangers(s.gather(h)) {
			refused[secret] = append(refused[secret], r.calls)
		}
	}
	s.books(int(n), of)
	s.learnSecrets(int(n), day.Names, heard, refused)
	s.learnSignIns(int(n), day, heard)
	s.learnMoves(day)
	s.remember(n, day)
	s.tail = tail
	for _, x := range []*float64{&s.grants[0], &s.grants[1], &s.moves[0], &s.moves[1]} {
		*x *= keepDay
	}
	s.last = day.Start
}

// heardOf is in how many hours of the day anything is known of each account that
// was heard at all. An hour of which nothing is known is no hour without denials.
func heardOf(day *watch.Day) map[string]int {
	heard := map[string]int{}
	for _, h := range day.Hours {
		if h == nil {
			continue
		}
		now := map[int32]bool{}
		for i := range h.Calls {
			now[h.Calls[i].Account] = true
		}
		for i := range h.Uses {
			now[h.Uses[i].Account] = true
		}
		for i := range h.SignIns {
			now[h.SignIns[i].Account] = true
		}
		for a := range now {
			heard[day.Names.Accounts[a]]++
		}
	}
	return heard
}

// learnSecrets gives each secret an occasion to be refused for each hour in which
// its account was heard.
func (s *sign) learnSecrets(n int, names *watch.Names, heard map[string]int, refused map[int32][]int) {
	var all []tally.Seen[int32]
	for i := range names.Secrets {
		amounts := refused[int32(i)]
		if hours := max(heard[names.Secrets[i].Account], len(amounts)); hours > 0 {
			all = append(all, tally.Seen[int32]{Key: int32(i), Occasions: hours, Amounts: amounts})
		}
	}
	s.refused.Learn(n, all)
}

// learnMoves counts on how many days people come from networks that they were not
// seen in before.
func (s *sign) learnMoves(day *watch.Day) {
	moved := map[string]bool{}
	for _, h := range day.Hours {
		if h == nil {
			continue
		}
		for i := range h.People {
			p := &h.People[i]
			nets := recall(&s.known.nets, who(-1, p.Person))
			if p.Person == "" || len(nets) == 0 {
				continue
			}
			moved[p.Person] = moved[p.Person] || slices.ContainsFunc(p.Networks, func(net string) bool { return !has(nets, hash(net, "")) })
		}
	}
	for _, m := range moved {
		s.moves[0]++
		if m {
			s.moves[1]++
		}
	}
}

// active counts the hours in which principals called anything.
func (s *sign) active(of map[principal]*daily, i int, h *watch.Hour) {
	mark := func(w principal, c event.Caller) {
		x := of[w]
		if x == nil {
			of[w] = &daily{class: classOf(c), in: i, hours: 1}
			return
		}
		if x.in != i {
			x.in, x.hours = i, x.hours+1
		}
	}
	for k := range h.Calls {
		c := &h.Calls[k]
		if c.Caller == event.CallerAWSService || watch.Person(c.Caller) && len(h.People) > 0 {
			continue
		}
		mark(principal{actor: c.Actor}, c.Caller)
	}
	for k := range h.People {
		mark(who(h.People[k].Actor, h.People[k].Person), h.People[k].Caller)
	}
}

func (x *daily) take(d *denied) {
	x.volume = append(x.volume, d.calls)
	if d.breadth > 0 {
		x.breadth = append(x.breadth, d.breadth)
	}
	if len(d.fresh) > 0 {
		x.secrets = append(x.secrets, len(d.fresh))
		x.fresh = union(x.fresh, d.fresh)
	}
}

func (s *sign) books(n int, of map[principal]*daily) {
	keys := make([]principal, 0, len(of))
	for w := range of {
		keys = append(keys, w)
	}
	slices.SortFunc(keys, func(a, b principal) int { // sums must not depend on the order of a map
		return cmp.Or(cmp.Compare(a.actor, b.actor), cmp.Compare(a.person, b.person))
	})
	var volume, breadth, secrets, slow []tally.Seen[uint64]
	for _, w := range keys {
		x := of[w]
		hours := max(x.hours, len(x.volume))
		add := func(list *[]tally.Seen[uint64], occasions int, amounts []int) {
			*list = append(*list, tally.Seen[uint64]{Key: w.id(), Class: x.class, Occasions: occasions, Amounts: amounts})
		}
		add(&volume, hours, x.volume)
		add(&breadth, hours, x.breadth)
		add(&secrets, hours, x.secrets)
		if len(x.fresh) > 0 {
			add(&slow, 1, []int{len(x.fresh)})
		} else {
			add(&slow, 1, nil)
		}
	}
	s.volume.Learn(n, volume)
	s.breadth.Learn(n, breadth)
	s.secrets.Learn(n, secrets)
	s.slow.Learn(n, slow)
}

// remember takes in what principals were given and denied, and what changed.
func (s *sign) remember(n int32, day *watch.Day) {
	s.recent = s.recent[:0:0]
	for _, h := range day.Hours {
		if h == nil {
			continue
		}
		for i := range h.Uses {
			u := &h.Uses[i]
			if u.Outcome == event.Success && !watch.Person(u.Caller) {
				keep(&s.known.given, principal{actor: u.Actor}, uint32(u.Secret), n, maxGiven)
			}
		}
		for i := range h.People {
			s.rememberPerson(n, &h.People[i])
		}
		for _, d := range s.gather(h) {
			for _, x := range d.secrets {
				keep(&s.known.denied, d.who, uint32(x), n, maxDenied)
			}
		}
		for i := range h.Acts {
			switch a := &h.Acts[i]; a.Sort {
			case watch.ActDenied:
				keep(&s.known.pairs, principal{actor: a.Actor}, hash(a.Operation, a.Resource), n, maxPairs)
			case watch.ActPolicy:
				s.recent = append(s.recent, *a)
			case watch.ActDeploy:
				if tomorrow := day.Start.Add(24 * time.Hour); tomorrow.Sub(a.Last) <= deployBefore {
					s.recent = append(s.recent, *a)
				}
			}
		}
	}
	if len(s.recent) > maxRecent {
		s.recent = slices.Clone(s.recent[len(s.recent)-maxRecent:])
	}
	s.forget(n)
}

const maxRecent = 20_000

func (s *sign) rememberPerson(n int32, p *watch.PersonHour) {
	w := who(p.Actor, p.Person)
	for _, r := range p.Reads {
		if r.Denied < r.Count {
			keep(&s.known.given, w, uint32(r.Secret), n, maxGiven)
		}
	}
	for _, net := range p.Networks {
		keep(&s.known.nets, w, hash(net, ""), n, maxNets)
	}
}

func (s *sign) forget(n int32) {
	if n%8 == 0 { // once a week or so is soon enough
		s.known.trim(n)
	}
}
