package group

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"
	"time"

	"github.com/yagura-sec/yagura/detect/anomaly/novelty"
	"github.com/yagura-sec/yagura/detect/anomaly/table"
	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/event"
)

// Learn takes in a day: first how the sets of yesterday were read, then what
// else was read at once, and makes the sets of tomorrow.
func (s *sign) Learn(day *watch.Day) {
	n := int32(day.Start.Unix() / 86400)
	f := 1.0
	if s.days > 0 {
		f = math.Pow(keepDay, float64(n-s.day))
	}
	s.whole, s.part = s.whole*f, s.part*f
	s.calm, s.strange = s.calm*f, s.strange*f
	s.once, s.again = s.once*f, s.again*f
	heard := heardOf(day)
	if len(heard) > 0 {
		s.days++
	}
	s.count(day, heard)
	s.day = n
	s.recent, s.last = nil, nil
	for i, h := range day.Hours {
		if h == nil {
			continue
		}
		for k := range h.Bursts {
			s.learn(n, &h.Bursts[k])
		}
		for k := range h.Acts {
			a := &h.Acts[k]
			if tomorrow := day.Start.Add(24 * time.Hour); of(a.Sort) && (a.Sort != watch.ActDeploy || tomorrow.Sub(a.First) <= deployBefore+time.Hour) {
				s.recent = append(s.recent, *a)
			}
			switch {
			case a.Secret < 0 || a.Outcome != event.Success && a.Outcome != "":
			case a.Sort == watch.ActDelete:
				s.gone[a.Secret] = n
			case a.Sort == watch.ActCreate:
				delete(s.gone, a.Secret)
			}
		}
		if i == 23 {
			s.last = slices.Clone(h.Bursts)
		}
	}
	if len(s.recent) > maxRecent {
		s.recent = slices.Clone(s.recent[len(s.recent)-maxRecent:])
	}
	s.forget()
	s.settle()
	s.last = slices.Clip(slices.DeleteFunc(s.last, func(b watch.Burst) bool { return len(s.touched(b.Secrets)) == 0 }))
}

const maxRecent = 20_000

// onceWeight is what a day with parts counts towards how often sets are read in
// part: less than one, so that some attacks are no habit of the organisation.
// That starts break off by chance all the time is seen in the tail of the scores.
const onceWeight = 0.25

// comes tells whether with the burst a stranger has come to stay with the set: on
// the day it is adopted, for one that comes once is what is looked for. Only those
// count that would be judged.
func (s *sign) comes(n *watch.Names, x *set, b *watch.Burst) bool {
	held := intersection(x.secrets, b.Secrets)
	if len(held) == len(x.secrets) || !s.akin(n, &partial{set: x, actor: b.Actor, caller: b.Caller, secrets: held}) {
		return false
	}
	if watch.Person(b.Caller) || s.knownPart(&partial{set: x, actor: b.Actor, secrets: held}) > 0 {
		return false
	}
	a := s.actors.Get(b.Actor)
	return a != nil && slices.ContainsFunc(a.parts, func(p part) bool {
		return p.days == adoptDays-1 && slices.Equal(intersection(x.secrets, s.parts.secrets(p.id)), held)
	})
}

// count takes in how the sets known so far were read: what the priors are made
// of.
func (s *sign) count(day *watch.Day, heard map[string]bool) {
	type key struct{ set, actor int32 }
	strangers, parts := map[key]bool{}, map[key]int{}
	for i, h := range day.Hours {
		if h == nil {
			continue
		}
		for k := range h.Bursts {
			b := &h.Bursts[k]
			if b.Caller == event.CallerAWSService {
				continue
			}
			for _, x := range s.touched(b.Secrets) {
				set := s.sets[x]
				if _, in := slices.BinarySearch(set.readers, b.Actor); in {
					s.whole += float64(max(1, b.Count))
				} else if s.comes(day.Names, set, b) {
					strangers[key{x, b.Actor}] = true
				}
			}
		}
		for _, p := range s.partials(h) {
			if p.insider && s.knownPart(p) == 0 && !s.completed(day, i, p) && !s.rotates(h, p) {
				k := key{int32(slices.Index(s.sets, p.set)), p.actor}
				parts[k] = max(parts[k], p.bursts)
			}
		}
	}
	for _, bursts := range parts {
		s.part += onceWeight
		s.once++
		if bursts > 1 {
			s.again++
		}
	}
	s.strange += float64(len(strangers))
	for _, x := range s.sets {
		if heard[day.Names.Secrets[x.secrets[0]].Account] {
			s.calm++
		}
	}
}

// heardOf is the accounts of which anything is known on the day. No log is no
// calm.
func heardOf(day *watch.Day) map[string]bool {
	heard := map[string]bool{}
	for _, h := range day.Hours {
		if h == nil {
			continue
		}
		for i := range h.Calls {
			heard[day.Names.Accounts[h.Calls[i].Account]] = true
		}
		for i := range h.Uses {
			heard[day.Names.Accounts[h.Uses[i].Account]] = true
		}
	}
	return heard
}

// learn takes in a burst.
func (s *sign) learn(n int32, b *watch.Burst) {
	if len(b.Secrets) == 0 || b.Caller == event.CallerAWSService {
		return
	}
	a := s.actors.Put(b.Actor)
	if a.day == 0 {
		a.day, a.class = n, novelty.Class(b.Caller)
	}
	if a.day != n {
		f := math.Pow(keepDay, float64(n-a.day))
		for i := range a.parts {
			a.parts[i].count *= float32(f)
		}
		a.other *= f
		a.day = n
	}
	count := float32(max(1, b.Count))
	if len(b.Secrets) > maxMembers {
		a.other += float64(count)
		return
	}
	id := s.parts.id(b.Secrets)
	i := slices.IndexFunc(a.parts, func(p part) bool { return p.id == id })
	if i < 0 {
		if len(a.parts) >= maxParts {
			// The rarest goes: it is known then that something was there, but not what.
			least := 0
			for k := range a.parts {
				if a.parts[k].count < a.parts[least].count {
					least = k
				}
			}
			a.other += float64(a.parts[least].count)
			a.parts = slices.Delete(a.parts, least, least+1)
		}
		a.parts = table.Append(a.parts, part{id: id, first: uint16(n)})
		i = len(a.parts) - 1
	}
	p := &a.parts[i]
	p.count += count
	if p.last != uint16(n) {
		p.days++
	}
	p.last = uint16(n)
}

func (s *sign) forget() {
	s.actors.Drop(func(_ int32, a *actor) bool {
		a.parts = slices.DeleteFunc(a.parts, func(p part) bool { return uint16(s.day)-p.last > forgetDays || p.count < 0.3 && p.days < adoptDays })
		return len(a.parts) == 0 && a.other < 1
	})
	s.dropParts()
	for x, day := range s.gone {
		if s.day-day > forgetDays {
			delete(s.gone, x)
		}
	}
}

// settle makes the sets anew: those of each actor, equal ones of several actors
// together.
func (s *sign) settle() {
	old := map[string]int32{}
	for _, x := range s.sets {
		old[keyOf(x.secrets)] = x.first
	}
	s.sets, s.of = nil, map[int32][]int32{}
	at := map[string]*set{}
	var order []int32
	for who := range s.actors.All {
		order = append(order, who)
	}
	slices.Sort(order)
	for _, who := range order {
		a := s.actors.Get(who)
		if watch.Person(novelty.CallerOf(a.class)) {
			continue
		}
		for _, x := range s.setsOf(a) {
			k := keyOf(x.secrets)
			y := at[k]
			if y == nil {
				y = &set{secrets: x.secrets, first: x.first}
				if first, known := old[k]; known {
					y.first = first
				}
				at[k] = y
				s.sets = append(s.sets, y)
			}
			if len(y.readers) < maxActors {
				y.readers = append(y.readers, who)
			}
			f := math.Pow(keepDay, float64(s.day-a.day))
			y.count += x.count * f
			y.whole += x.whole * f
			y.days = max(y.days, x.days)
			y.first = min(y.first, x.first)
		}
	}
	slices.SortFunc(s.sets, func(a, b *set) int { return slices.Compare(a.secrets, b.secrets) })
	for i, x := range s.sets {
		for _, m := range x.secrets {
			s.of[m] = append(s.of[m], int32(i))
		}
	}
}

func keyOf(secrets []int32) string {
	b := make([]byte, 0, 4*len(secrets))
	for _, x := range secrets {
		b = binary.BigEndian.AppendUint32(b, uint32(x))
	}
	return string(b)
}

// sets is what the actor reads whole, by its bursts.
func (s *sign) setsOf(a *actor) []*set {
	single := map[int32]float64{}
	pair := map[[2]int32]float64{}
	total := a.other
	for i := range a.parts {
		p := &a.parts[i]
		count, secrets := float64(p.count), s.parts.secrets(p.id)
		total += count
		for k, x := range secrets {
			single[x] += count
			for _, y := range secrets[k+1:] {
				pair[[2]int32{x, y}] += count
			}
		}
	}
	if len(pair) == 0 || a.other > (1-together)*total {
		return nil
	}
	items := byKey(single)
	slices.SortStableFunc(items, func(x, y int32) int { return -cmp.Compare(single[x], single[y]) })
	linked := func(x, y int32) bool {
		return pair[[2]int32{min(x, y), max(x, y)}] >= together*max(single[x], single[y])
	}
	var clusters [][]int32
next:
	for _, x := range items {
		if _, deleted := s.gone[x]; deleted {
			continue
		}
		for i, c := range clusters {
			if !slices.ContainsFunc(c, func(y int32) bool { return !linked(x, y) }) {
				clusters[i] = append(c, x)
				continue next
			}
		}
		clusters = append(clusters, []int32{x})
	}
	var out []*set
	for _, c := range clusters {
		if len(c) < 2 {
			continue
		}
		slices.Sort(c)
		if x := s.measure(a, c); x.whole >= leastCount && x.days >= leastDays && x.whole >= together*x.count {
			out = append(out, x)
		}
	}
	return out
}

// measure counts how often the cluster was touched, and held whole.
func (s *sign) measure(a *actor, c []int32) *set {
	x := &set{secrets: c, first: math.MaxInt32}
	for i := range a.parts {
		p := &a.parts[i]
		held := intersection(c, s.parts.secrets(p.id))
		if len(held) == 0 {
			continue
		}
		x.count += float64(p.count)
		x.first = min(x.first, int32(p.first))
		if len(held) == len(c) {
			x.whole += float64(p.count)
			x.days = max(x.days, int32(p.days))
		}
	}
	return x
}
