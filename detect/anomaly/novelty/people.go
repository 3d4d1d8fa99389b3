package novelty

import (
	"maps"

	"github.com/cespare/xxhash/v2"

	"github.com/yagura-sec/yagura/detect/anomaly/watch"
)

// peopleCap is how many people are remembered.
const peopleCap = 50000

// People remember since when people are at work, and which roles people share.
type People struct {
	since map[string]uint16
	roles map[int32]crew
	pairs map[pair]bool // of people with roles, by the hash of the name
	begin uint16
}

// crew is since when people use a role, and how many.
type crew struct {
	since  uint16
	people uint16
}

type pair struct {
	person uint64
	role   int32
}

// Learn takes in a day.
func (p *People) Learn(day *watch.Day) {
	if p.since == nil {
		p.since, p.roles, p.pairs, p.begin = map[string]uint16{}, map[int32]crew{}, map[pair]bool{}, DayOf(day.Start)
	}
	today := DayOf(day.Start)
	for _, h := range day.Hours {
		if h == nil {
			continue
		}
		for i := range h.People {
			x := &h.People[i]
			if _, ok := p.since[x.Person]; !ok && x.Person != "" && len(p.since) < peopleCap {
				p.since[x.Person] = today
			}
			id := pair{xxhash.Sum64String(x.Person), x.Actor}
			if p.pairs[id] || len(p.pairs) >= 2*peopleCap {
				continue
			}
			p.pairs[id] = true
			c, ok := p.roles[x.Actor]
			if !ok {
				c.since = today
			}
			c.people++
			p.roles[x.Actor] = c
		}
	}
}

// newcomer is for how many days somebody is new, settled how long a role has to
// have been in use before.
const (
	newcomer = 10
	shared   = 14
)

// New tells since when a person is at work who is new: in a role that people have
// long used, while the log reaches further back.
func (p *People) New(name string, role int32, today uint16) (since uint16, ok bool) {
	since, met := p.since[name]
	if !met {
		since = today
	}
	used, known := p.roles[role]
	return since, known && name != "" && today <= since+newcomer && today >= used.since+shared && since >= p.begin+newcomer
}

// Of is how many people are known to use the role.
func (p *People) Of(role int32) int { return int(p.roles[role].people) }

// Clone is a copy of its own.
func (p *People) Clone() People {
	return People{since: maps.Clone(p.since), roles: maps.Clone(p.roles), pairs: maps.Clone(p.pairs), begin: p.begin}
}

// Bytes is about how much memory the people take.
func (p *People) Bytes() int {
	n := 24*len(p.roles) + 32*len(p.pairs)
	for name := range p.since {
		n += 40 + len(name)
	}
	return n
}
