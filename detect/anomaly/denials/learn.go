package denials

import (
	"cmp"
	"maps"
	"slices"

	"github.com/yagura-sec/yagura/detect/anomaly/tally"
	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/event"
)

// Learn takes in a day.
func (s *sign) Learn(d *watch.Day) {
	n := day(d.Start)
	x := daily{of: map[principal]*sums{}, accounts: map[int32][]int{}, heard: map[int32]int{}}
	s.recent = nil
	for i, h := range d.Hours {
		if h == nil {
			continue
		}
		x.hour(i, h, s.runs(h))
		s.recent = append(s.recent, notices(h)...)
	}
	s.remember(n, d)
	s.last = d.Start
	if len(x.heard) == 0 {
		return // no log of the day: no occasion
	}
	var volume, breadth, days []tally.Seen[uint64]
	for _, w := range slices.SortedFunc(maps.Keys(x.of), func(a, b principal) int { // sums must not depend on the order of a map
		return cmp.Or(cmp.Compare(a.actor, b.actor), cmp.Compare(a.person, b.person))
	}) {
		y := x.of[w]
		hours := max(y.hours, len(y.volume))
		volume = append(volume, tally.Seen[uint64]{Key: w.id(), Class: y.class, Occasions: hours, Amounts: y.volume})
		breadth = append(breadth, tally.Seen[uint64]{Key: w.id(), Class: y.class, Occasions: hours, Amounts: y.breadth})
		var any []int
		if len(y.volume) > 0 {
			any = []int{1}
		}
		days = append(days, tally.Seen[uint64]{Key: w.id(), Class: y.class, Occasions: 1, Amounts: any})
	}
	var all []tally.Seen[int32]
	for _, a := range slices.Sorted(maps.Keys(x.heard)) {
		all = append(all, tally.Seen[int32]{Key: a, Occasions: x.heard[a], Amounts: x.accounts[a]})
	}
	s.volume.Learn(int(n), volume)
	s.breadth.Learn(int(n), breadth)
	s.days.Learn(int(n), days)
	s.account.Learn(int(n), all)
}

// daily is what a day adds to the books.
type daily struct {
	of       map[principal]*sums
	accounts map[int32][]int
	heard    map[int32]int // hours in which anything is known of an account
}

type sums struct {
	class, hours, in int
	volume, breadth  []int
}

// active counts an hour in which the principal called anything.
func (x *daily) active(i int, w principal, c event.Caller) *sums {
	y := x.of[w]
	if y == nil {
		y = &sums{class: classOf(c), in: -1}
		x.of[w] = y
	}
	if y.in != i {
		y.in, y.hours = i, y.hours+1
	}
	return y
}

func (x *daily) hour(i int, h *watch.Hour, runs []*run) {
	heard, calls := map[int32]bool{}, map[int32]int{}
	for k := range h.Calls {
		c := &h.Calls[k]
		heard[c.Account] = true
		if c.Caller != event.CallerAWSService && !(watch.Person(c.Caller) && len(h.People) > 0) {
			x.active(i, principal{actor: c.Actor}, c.Caller)
		}
	}
	for k := range h.People {
		if p := &h.People[k]; p.Person != "" {
			x.active(i, principal{actor: -1, person: p.Person}, p.Caller)
		}
	}
	for _, r := range runs {
		y := x.active(i, r.who, r.caller)
		y.volume = append(y.volume, r.calls)
		if len(r.pairs) > 0 {
			y.breadth = append(y.breadth, len(r.pairs))
		}
		calls[r.account] += r.calls
		heard[r.account] = true
	}
	for a, n := range calls {
		x.accounts[a] = append(x.accounts[a], n)
	}
	for a := range heard {
		x.heard[a]++
	}
}

// remember takes in which calls were denied.
func (s *sign) remember(n int32, d *watch.Day) {
	own := map[principal][]call{}
	for _, h := range d.Hours {
		if h == nil {
			continue
		}
		for k := range h.Acts {
			a := &h.Acts[k]
			if !judged(a) {
				continue
			}
			x := s.known[key(a.Operation, a.Region, number(a.Account))]
			if x == nil {
				x = &seen{first: n}
				s.known[key(a.Operation, a.Region, number(a.Account))] = x
			}
			x.last = n
		}
		for _, r := range s.runs(h) {
			s.keepLate(n, r)
			for _, op := range r.ops {
				for _, region := range r.regions {
					own[r.who] = append(own[r.who], call{key(op, region), n})
				}
			}
		}
	}
	for w, list := range own {
		s.own[w] = latest(append(list, s.own[w]...))
	}
	for w, list := range s.own {
		list = slices.DeleteFunc(list, func(c call) bool { return n-c.last > forgetDays })
		if s.own[w] = list; len(list) == 0 {
			delete(s.own, w)
		}
	}
	for k, x := range s.known {
		if n-x.last > forgetDays {
			delete(s.known, k)
		}
	}
	for w, list := range s.lastly {
		if n-list[len(list)-1].day >= slowDays {
			delete(s.lastly, w)
		}
	}
}

// latest is each call once, the most recently denied ones if there are too many.
func latest(list []call) []call {
	slices.SortFunc(list, func(a, b call) int { return cmp.Or(-cmp.Compare(a.last, b.last), cmp.Compare(a.key, b.key)) })
	var out []call
	for _, c := range list {
		if len(out) < maxKnown && !slices.ContainsFunc(out, func(o call) bool { return o.key == c.key }) {
			out = append(out, c)
		}
	}
	return out
}

// keepLate notes the day of a run, and forgets those that are too long ago.
func (s *sign) keepLate(n int32, r *run) {
	list := slices.DeleteFunc(s.lastly[r.who], func(l late) bool { return n-l.day >= slowDays })
	if k := len(list); k == 0 || list[k-1].day != n {
		list = append(list, late{day: n, first: r.first})
	}
	l := &list[len(list)-1]
	l.calls += r.calls
	for _, op := range r.ops {
		if len(l.ops) < maxOps && !slices.Contains(l.ops, op) {
			l.ops = append(slices.Clip(l.ops), op)
		}
	}
	s.lastly[r.who] = list
}

const maxOps = 16
