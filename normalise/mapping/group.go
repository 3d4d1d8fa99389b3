package mapping

import (
	"slices"

	"github.com/yagura-sec/yagura/internal/jsontree"
	"github.com/yagura-sec/yagura/normalise"
	"github.com/yagura-sec/yagura/normalise/record"
)

// group is mappings in the order in which they are asked. Every record of every
// format is held against them, so that which keys a mapping cannot do without is
// known beforehand, and a record's keys are gone over once.
type group struct {
	all   []*Mapping
	bits  map[string]int
	needs [][]keySet // by mapping, then by clause
}

// keySet is a set of top-level keys, by their bits.
type keySet [4]uint64

func (s *keySet) add(bit int) { s[bit/64] |= 1 << (bit % 64) }

// within tells whether all of s is in other.
func (s *keySet) within(other *keySet) bool {
	return s[0]&^other[0]|s[1]&^other[1]|s[2]&^other[2]|s[3]&^other[3] == 0
}

func newGroup(all []*Mapping) *group {
	g := &group{all: all, bits: map[string]int{}}
	for _, m := range all {
		var needs []keySet
		if m.lines != nil {
			needs = append(needs, g.set(normalise.LineKey))
		} else {
			for _, c := range m.when {
				needs = append(needs, g.set(c.keys()...))
			}
		}
		g.needs = append(g.needs, needs)
	}
	return g
}

// set gives keys their bits. Of very many keys the last have none, and are looked
// for by the clauses alone.
func (g *group) set(keys ...string) (s keySet) {
	for _, key := range keys {
		bit, ok := g.bits[key]
		if !ok {
			if bit = len(g.bits); bit == 64*len(s) {
				continue
			}
			g.bits[key] = bit
		}
		s.add(bit)
	}
	return s
}

// keys are top-level keys without which the clause does not hold.
func (c clause) keys() (out []string) {
	for _, x := range c {
		if !x.absent && !x.path.deep {
			out = append(out, x.path.text)
		}
	}
	return out
}

// maxInside is how many envelopes are looked into.
const maxInside = 2

// whose finds the mapping of a record, or of what a collector put an envelope
// around; nil: none knows it.
func (g *group) whose(root jsontree.Value) (*Mapping, opened) {
	for range maxInside + 1 {
		var have keySet
		for v := root.First(); v.Exists(); v = v.Next() {
			if bit, ok := g.bits[v.Key()]; ok {
				have.add(bit)
			}
		}
		for i, m := range g.all {
			if !slices.ContainsFunc(g.needs[i], func(s keySet) bool { return s.within(&have) }) {
				continue
			}
			if o, ok := m.open(root); ok {
				return m, o
			}
		}
		if exported := root.Get("result"); exported.Get("_raw").Exists() { // Splunk's, one a line
			root = exported
		}
		text, where := record.Inner(root)
		if where == "" {
			break
		}
		var err error
		if root, err = new(jsontree.Tree).Parse(text); err != nil {
			break
		}
	}
	return nil, opened{}
}

// formatOf is the format of a record; empty: none knows it.
func (g *group) formatOf(root jsontree.Value) string {
	m, _ := g.whose(root)
	if m == nil {
		return ""
	}
	return m.Format
}
