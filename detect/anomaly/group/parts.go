package group

import (
	"slices"

	"github.com/yagura-sec/yagura/detect/anomaly/table"
)

// parts numbers what secrets are read at once. Most bursts are of one secret, which
// is its own number; the others are kept once, however many actors read them.
type parts struct {
	several [][]int32 // -1, -2, ...
	index   table.Index
}

// id is the number of the secrets, in ascending order.
func (p *parts) id(secrets []int32) int32 {
	if len(secrets) == 1 {
		return secrets[0]
	}
	if i := p.index.Find(table.Hash(keyOf(secrets)), func(i int32) bool { return slices.Equal(p.several[i], secrets) }); i >= 0 {
		return -1 - i
	}
	i := int32(len(p.several))
	p.several = table.Append(p.several, slices.Clone(secrets))
	p.index.Add(i, p.hash)
	return -1 - i
}

func (p *parts) hash(i int32) uint64 { return table.Hash(keyOf(p.several[i])) }

// secrets are those of a number, not to be changed.
func (p *parts) secrets(id int32) []int32 {
	if id >= 0 {
		return []int32{id}
	}
	return p.several[-1-id]
}

func (p *parts) clone() parts { return parts{slices.Clip(p.several), p.index.Clone()} }

func (p *parts) bytes() int {
	n := p.index.Bytes() + 24*cap(p.several)
	for _, s := range p.several {
		n += 4 * len(s)
	}
	return n
}

// dropParts drops what no actor reads any more, once it is a third of all.
func (s *sign) dropParts() {
	used := make([]bool, len(s.parts.several))
	n := 0
	for _, a := range s.actors.All {
		for i := range a.parts {
			if id := a.parts[i].id; id < 0 && !used[-1-id] {
				used[-1-id] = true
				n++
			}
		}
	}
	if 3*n >= 2*len(used) {
		return
	}
	var kept parts
	for _, a := range s.actors.All {
		for i := range a.parts {
			a.parts[i].id = kept.id(s.parts.secrets(a.parts[i].id))
		}
	}
	s.parts = kept
}
