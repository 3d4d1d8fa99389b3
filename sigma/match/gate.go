package match

import "encoding/binary"

// gate tells of most places in a text that no pattern is there, by looking at
// every few bytes only.
//
// It knows some grams of each pattern, pieces of size bytes, from stride places
// in a row. Wherever the pattern stands, one of them is at a place that is looked
// at. Bytes are taken without the bit that tells capital letters from small
// ones; that makes some others the same too, which only opens the gate in vain.
type gate struct {
	least  int // the length of the shortest pattern
	stride int
	mask   uint32 // of a gram's bytes
	shift  uint32
	set    []uint8 // by hash: 1 if a gram has it; bytes are read faster than bits
}

const (
	smallBits = 0x2020202020202020
	maxStride = 32
)

// longText is how long texts are of which a gate looks at every fifth byte at most.
const longText = 8

// newGate makes a gate for patterns, each of three bytes or more.
func newGate(patterns []pattern) *gate {
	g, size := &gate{mask: 0xffffffff, least: len(patterns[0].text)}, 4
	for _, p := range patterns {
		g.least = min(g.least, len(p.text))
	}
	if g.least < longText {
		g.mask, size = 0xffffff, 3
	}
	g.stride = min(g.least-size+1, maxStride)
	bits := uint32(12)
	for bits < 15 && 1<<bits < 32*g.stride*len(patterns) {
		bits++
	}
	g.shift, g.set = 32-bits, make([]uint8, 1<<bits)
	for _, p := range patterns {
		for i := range g.stride {
			var b [4]byte
			copy(b[:], p.text[i:i+size])
			g.set[g.hash(binary.LittleEndian.Uint32(b[:]))] = 1
		}
	}
	return g
}

func (g *gate) hash(gram uint32) uint32 {
	return ((gram | smallBits&0xffffffff) & g.mask) * 0x9e3779b1 >> g.shift
}

// next is the first place from i on at which a pattern may be that begins less
// than stride before it. The last three bytes of a text are not looked at but
// given as such a place.
func (g *gate) next(text []byte, i int) int {
	if g.stride == 1 {
		i = g.skipEach(text, i)
	}
	for ; i+4 <= len(text); i += g.stride {
		if g.set[g.hash(binary.LittleEndian.Uint32(text[i:]))] != 0 {
			return i
		}
	}
	return i
}

// skipEach passes over places where no pattern begins, five at a time.
func (g *gate) skipEach(text []byte, i int) int {
	set, mask, shift := g.set, g.mask, g.shift
	for ; i+8 <= len(text); i += 5 {
		x := binary.LittleEndian.Uint64(text[i:]) | smallBits
		if set[uint32(x)&mask*0x9e3779b1>>shift]|
			set[uint32(x>>8)&mask*0x9e3779b1>>shift]|
			set[uint32(x>>16)&mask*0x9e3779b1>>shift]|
			set[uint32(x>>24)&mask*0x9e3779b1>>shift]|
			set[uint32(x>>32)&mask*0x9e3779b1>>shift] != 0 {
			return i
		}
	}
	return i
}

// scanBehind is scan behind a gate.
func (m *automaton) scanBehind(g *gate, text []byte, found func(state uint32, end int)) {
	done := 0 // patterns that begin before it are dealt with
	for done < len(text) {
		at := g.next(text, done)
		i := max(done, at-g.stride+1)
		if i+g.least > len(text) {
			return
		}
		for s := uint32(0); ; i++ {
			if i == len(text) {
				return
			}
			if s = m.next(s, m.class[text[i]]); m.found[s] != 0 {
				found(s, i+1)
			}
			// What may have begun at or before the place is over, when what is
			// being followed began behind it.
			if begin := i + 1 - int(m.depth[s]); begin > at {
				done = begin
				break
			}
		}
	}
}
