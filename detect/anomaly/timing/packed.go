package timing

import (
	"cmp"
	"maps"
	"slices"

	"github.com/yagura-sec/yagura/detect/anomaly/pack"
)

// pair is a program and a secret that it reads.
type pair struct{ actor, secret int32 }

func (p pair) compare(q pair) int {
	return cmp.Or(cmp.Compare(p.actor, q.actor), cmp.Compare(p.secret, q.secret))
}

// machines is what is learned of all programs and secrets, one after the other,
// about 80 bytes each: most programs are active in few hours. It is written anew
// when a day was learned and never changed, so that copies share it.
type machines struct {
	pairs []pair // in order
	ends  []uint32
	bytes []byte
}

func (p *machines) size() int { return 12*len(p.pairs) + len(p.bytes) }

// machine gives what is learned of the program and secret, nil if nothing.
// Outside of Learn it is a copy, which changes nothing.
func (s *sign) machine(k pair) *machine {
	if s.pairs != nil {
		return s.pairs[k]
	}
	i, ok := slices.BinarySearchFunc(s.machines.pairs, k, pair.compare)
	if !ok {
		return nil
	}
	m := new(machine)
	m.read(s.machines.of(i))
	return m
}

func (p *machines) of(i int) pack.Reader {
	start := uint32(0)
	if i > 0 {
		start = p.ends[i-1]
	}
	return pack.Reader{B: p.bytes[start:p.ends[i]]}
}

// open unpacks all that is learned, and seal packs it again.
func (s *sign) open() {
	all := make([]machine, len(s.machines.pairs))
	s.pairs = make(map[pair]*machine, len(all))
	for i, k := range s.machines.pairs {
		all[i].read(s.machines.of(i))
		s.pairs[k] = &all[i]
	}
}

func (s *sign) seal() {
	p := machines{pairs: make([]pair, 0, len(s.pairs)), ends: make([]uint32, 0, len(s.pairs))}
	p.pairs = slices.AppendSeq(p.pairs, maps.Keys(s.pairs))
	slices.SortFunc(p.pairs, pair.compare)
	w := pack.Writer{B: make([]byte, 0, len(s.machines.bytes)+len(s.machines.bytes)/16+256)}
	for _, k := range p.pairs {
		s.pairs[k].write(&w)
		w.End()
		p.ends = append(p.ends, uint32(len(w.B)))
	}
	p.bytes = w.B
	s.machines, s.pairs = p, nil
}

func (m *machine) write(w *pack.Writer) {
	m.hours.write(w)
	w.Number(uint32(m.account + 1))
	w.Float(m.size)
	w.Float(m.minute)
	if w.Bool(m.odds > 0); m.odds > 0 {
		w.Bits(uint32(m.odd), 5)
		w.Bits(uint32(m.odds), 7)
		w.Bits(uint32(m.oddOn), 16)
	}
}

func (m *machine) read(r pack.Reader) {
	m.hours.read(&r)
	m.account = int32(r.Number()) - 1
	m.size = r.Float()
	m.minute = r.Float()
	if r.Bool() {
		m.odd, m.odds, m.oddOn = uint8(r.Bits(5)), uint8(r.Bits(7)), uint16(r.Bits(16))
	}
}

func (h *hours) write(w *pack.Writer) {
	held := h.heldOn > 0
	w.Bool(held)
	for c := range h.active {
		w.Float(h.days[c])
		for i, n := range h.active[c] {
			if w.Bool(n > 0); n > 0 {
				w.Bits(uint32(n), 16)
			}
			if held {
				w.Bits(uint32(h.held[c][i]), 2)
			}
		}
	}
	if held {
		w.Bits(uint32(h.heldOn), 16)
		w.Float(h.stray)
	}
	w.Number(uint32(h.seen))
	w.Number(uint32(h.on))
	w.Bits(uint32(h.first), 16)
	w.Number(uint32(h.last - h.first))
	w.Bits(uint32(uint8(h.offset)), 8)
}

func (h *hours) read(r *pack.Reader) {
	held := r.Bool()
	for c := range h.active {
		h.days[c] = r.Float()
		for i := range h.active[c] {
			if r.Bool() {
				h.active[c][i] = tally(r.Bits(16))
			}
			if held {
				h.held[c][i] = uint8(r.Bits(2))
			}
		}
	}
	if held {
		h.heldOn = uint16(r.Bits(16))
		h.stray = r.Float()
	}
	h.seen = uint16(r.Number())
	h.on = uint16(r.Number())
	h.first = uint16(r.Bits(16))
	h.last = h.first + uint16(r.Number())
	h.offset = int8(uint8(r.Bits(8)))
}
