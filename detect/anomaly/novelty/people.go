package novelty

import (
	"cmp"
	"maps"
	"slices"

	"github.com/cespare/xxhash/v2"

	"github.com/yagura-sec/yagura/detect/anomaly/table"
	"github.com/yagura-sec/yagura/detect/anomaly/watch"
)

// How many people are remembered, and how long. Names of sessions are chosen by
// who opens them: a name that was there on a day or two only, as programs that make
// a new one each time leave behind, is soon forgotten.
const (
	peopleCap = 50000
	passing   = 15  // days without being seen after which such a name is forgotten
	lasting   = 180 // and all others
	fleeting  = 2   // days on which a name was seen that is soon forgotten
)

// Tenure is when somebody was at work.
type Tenure struct {
	Since, Last uint16 // days
	Days        uint16 // on how many
}

// See takes in that somebody is at work on a day.
func (t *Tenure) See(today uint16) {
	if t.Days == 0 {
		t.Since = today
	}
	if t.Days == 0 || t.Last != today {
		t.Last = today
		t.Days++
	}
}

// Over tells whether somebody is to be forgotten.
func (t *Tenure) Over(today uint16) bool {
	if t.Days <= fleeting {
		return today > t.Last+passing
	}
	return today > t.Last+lasting
}

// People remember since when people are at work, and which roles people share.
type People struct {
	tenures table.Table[uint64, Tenure] // by the hash of the name
	roles   map[int32]crew
	pairs   table.Table[uint64, pair] // of people with roles, by a hash of both
	begin   uint16
}

// crew is since when people use a role, and how many.
type crew struct {
	since  uint16
	people uint16
}

type pair struct {
	role int32
	Tenure
}

// hashOf is of a person with a role.
func hashOf(name string, role int32) uint64 {
	return xxhash.Sum64String(name) ^ (uint64(uint32(role))+1)*0x9e3779b97f4a7c15
}

// Learn takes in a day.
func (p *People) Learn(day *watch.Day) {
	if p.roles == nil {
		p.roles, p.begin = map[int32]crew{}, DayOf(day.Start)
	}
	today := DayOf(day.Start)
	for _, h := range day.Hours {
		if h == nil {
			continue
		}
		for i := range h.People {
			x := &h.People[i]
			if x.Person != "" {
				p.tenures.Put(xxhash.Sum64String(x.Person)).See(today)
			}
			t := p.pairs.Put(hashOf(x.Person, x.Actor))
			met := t.Days > 0
			t.role = x.Actor
			if t.See(today); met {
				continue
			}
			c, ok := p.roles[x.Actor]
			if !ok {
				c.since = today
			}
			c.people++
			p.roles[x.Actor] = c
		}
	}
	p.forget(today)
}

// forget forgets who was not seen for long and, of too many, who was not for
// longest.
func (p *People) forget(today uint16) {
	p.tenures.Drop(func(_ uint64, t *Tenure) bool { return t.Over(today) })
	limit(&p.tenures, peopleCap, func(t *Tenure) uint16 { return t.Last }, nil)
	p.pairs.Drop(func(_ uint64, x *pair) bool {
		over := x.Over(today)
		if over {
			p.leave(x)
		}
		return over
	})
	limit(&p.pairs, 2*peopleCap, func(x *pair) uint16 { return x.Last }, p.leave)
}

// leave forgets that somebody uses a role, though not since when people do.
func (p *People) leave(x *pair) {
	c := p.roles[x.role]
	c.people--
	p.roles[x.role] = c
}

// limit drops those of a table that are over a limit: seen longest ago.
func limit[V any](t *table.Table[uint64, V], most int, last func(*V) uint16, drop func(*V)) {
	if t.Len() <= most {
		return
	}
	seen := map[uint64]Tenure{}
	for k, v := range t.All {
		seen[k] = Tenure{Last: last(v)}
	}
	old := map[uint64]bool{}
	for _, k := range Oldest(seen, most, cmp.Compare[uint64]) {
		old[k] = true
	}
	t.Drop(func(k uint64, v *V) bool {
		if old[k] && drop != nil {
			drop(v)
		}
		return old[k]
	})
}

// Oldest are those of a map that are over a limit: seen longest ago.
func Oldest[K comparable](of map[K]Tenure, limit int, order func(a, b K) int) []K {
	if len(of) <= limit {
		return nil
	}
	keys := slices.SortedFunc(maps.Keys(of), func(a, b K) int {
		return cmp.Or(cmp.Compare(of[a].Last, of[b].Last), order(a, b))
	})
	return keys[:len(of)-limit]
}

// newcomer is for how many days somebody is new, settled how long a role has to
// have been in use before, ordinary on how many days somebody new has to have been
// at work before reading what the role never read.
const (
	newcomer = 10
	shared   = 14
	ordinary = 3
)

// New tells since when a person is at work who is new: in a role that people have
// long used, while the log reaches further back. Who opens a session names it: a
// name that nobody bore before accounts for nothing by itself. It does for somebody
// who went about ordinary work for some days, or reads a few things of those that
// the role is known to read.
func (p *People) New(name string, role int32, today uint16, own bool) (since uint16, ok bool) {
	t := Tenure{Since: today}
	if met := p.tenures.Get(xxhash.Sum64String(name)); met != nil {
		t = *met
	}
	used, known := p.roles[role]
	fresh := known && name != "" && today <= t.Since+newcomer && today >= used.since+shared && t.Since >= p.begin+newcomer
	return t.Since, fresh && (own || t.Days >= ordinary)
}

// Few is how many things at most somebody new reads in an hour who reads in.
const Few = 5

// Of is how many people are known to use the role.
func (p *People) Of(role int32) int { return int(p.roles[role].people) }

// Clone is a copy of its own.
func (p *People) Clone() People {
	return People{tenures: p.tenures.Clone(), roles: maps.Clone(p.roles), pairs: p.pairs.Clone(), begin: p.begin}
}

// Bytes is about how much memory the people take.
func (p *People) Bytes() int {
	return 24*len(p.roles) + p.tenures.Bytes() + p.pairs.Bytes()
}
