package match

import (
	"cmp"
	"slices"
)

// pattern is folded text to be found in values, and what finding it tells.
type pattern struct {
	text string
	hit
}

// automaton finds many patterns in one pass over a text (Aho and Corasick).
// Bytes are put into classes first, of which capital ASCII letters share that of
// the small ones, so that ASCII text need not be folded for it.
//
// States are numbered by their depth, so that those where a scan mostly is come
// first: these have a row that leads on for every class. The others know their
// children only, and where to go on if none fits; an automaton of many patterns
// stays small by that: 21 bytes a state, where libraries that have a row of 256 for
// each take a kilobyte.
type automaton struct {
	class  [256]uint8
	stride uint32   // how many classes there are
	dense  uint32   // how many states have a row
	rows   []uint32 // the next state by state and class, with hitBit

	// By state. Children of a state have numbers in a row, the first of which is
	// child[s] and the last before child[s+1].
	child []uint32
	label []uint8  // the class that leads here
	fail  []uint32 // the longest end of the state's text that is a state too
	found []uint32 // the first of s, fail[s], fail[fail[s]]… that ends a pattern, or 0
	from  []uint32 // where its hits begin
	upto  []uint32

	hits []hit

	gate  *gate    // or nil
	depth []uint32 // by state, how long its text is; with a gate only
}

// hitBit marks a state in a row in which, or at the end of which, a pattern ends.
const hitBit = 1 << 31

// maxRow is how many entries the rows of one automaton have at most: 256 KiB.
const maxRow = 1 << 16

// newAutomaton makes an automaton of patterns, none of which is empty. Its rows
// have at most budget entries, though the first row is always there. With a gate
// it is fast where hardly any pattern occurs.
func newAutomaton(patterns []pattern, budget int, gated bool) *automaton {
	slices.SortStableFunc(patterns, func(a, b pattern) int { return cmp.Compare(a.text, b.text) })
	m := &automaton{stride: 1}
	var used [256]bool
	for i := range patterns {
		for k := range len(patterns[i].text) {
			used[patterns[i].text[k]] = true
		}
		m.hits = append(m.hits, patterns[i].hit)
	}
	for c := range used {
		if used[c] {
			m.class[c] = uint8(m.stride)
			m.stride++
		}
	}
	for c := 'A'; c <= 'Z'; c++ {
		m.class[c] = m.class[c+'a'-'A']
	}
	m.grow(patterns)
	m.dense = min(uint32(len(m.fail)), max(1, uint32(min(budget, maxRow))/m.stride))
	m.link()
	if gated {
		m.gate, m.depth = newGate(patterns), make([]uint32, len(m.fail))
		for s := range m.fail {
			for k := m.child[s]; k < m.child[s+1]; k++ {
				m.depth[k] = m.depth[s] + 1
			}
		}
	}
	return m
}

// grow makes the states, the shortest texts first. A state is the range of
// patterns, which are sorted, that begin with its text.
func (m *automaton) grow(patterns []pattern) {
	type state struct{ lo, hi, depth int }
	queue := []state{{0, len(patterns), 0}}
	m.label = append(m.label, 0)
	for n := 0; n < len(queue); n++ {
		s := queue[n]
		i := s.lo
		for i < s.hi && len(patterns[i].text) == s.depth {
			i++
		}
		m.from, m.upto = append(m.from, uint32(s.lo)), append(m.upto, uint32(i))
		m.child = append(m.child, uint32(len(queue)))
		for i < s.hi {
			c, lo := patterns[i].text[s.depth], i
			for i < s.hi && patterns[i].text[s.depth] == c {
				i++
			}
			queue = append(queue, state{lo, i, s.depth + 1})
			m.label = append(m.label, m.class[c])
		}
	}
	m.child = append(m.child, uint32(len(queue)))
	m.fail = make([]uint32, len(queue))
	m.found = make([]uint32, len(queue))
}

// link finds by state where to go on, and fills the rows. What a state needs is
// known of the states before it.
func (m *automaton) link() {
	m.rows = make([]uint32, m.dense*m.stride)
	for s := range uint32(len(m.fail)) {
		if m.found[s] = m.found[m.fail[s]]; m.upto[s] > m.from[s] {
			m.found[s] = s
		}
		if s < m.dense {
			row := m.rows[s*m.stride : (s+1)*m.stride]
			if s > 0 {
				for c := range row {
					row[c] = m.next(m.fail[s], uint8(c))
				}
			}
		}
		for k := m.child[s]; k < m.child[s+1]; k++ {
			if s > 0 {
				m.fail[k] = m.next(m.fail[s], m.label[k])
			}
			if s < m.dense {
				m.rows[s*m.stride+uint32(m.label[k])] = k
			}
		}
	}
	for i, s := range m.rows {
		if m.found[s] != 0 {
			m.rows[i] |= hitBit
		}
	}
}

// next is the state behind s by class c.
func (m *automaton) next(s uint32, c uint8) uint32 {
	for s >= m.dense {
		for k := m.child[s]; k < m.child[s+1]; k++ {
			if m.label[k] == c {
				return k
			}
		}
		s = m.fail[s]
	}
	return m.rows[s*m.stride+uint32(c)] &^ hitBit
}

// scan calls found with the state and the place behind each byte at which a
// pattern ends.
func (m *automaton) scan(text []byte, found func(state uint32, end int)) {
	if m.gate != nil && len(text) > maxStride {
		m.scanBehind(m.gate, text, found)
		return
	}
	rows, stride, dense := m.rows, m.stride, m.dense
	s := uint32(0)
	for i, b := range text {
		c := m.class[b]
		if s < dense {
			if s = rows[s*stride+uint32(c)]; s&hitBit != 0 {
				s &^= hitBit
				found(s, i+1)
			}
			continue
		}
		if s = m.next(s, c); m.found[s] != 0 {
			found(s, i+1)
		}
	}
}

// size is the memory it takes, in bytes.
func (m *automaton) size() int {
	return 4*len(m.rows) + 21*len(m.fail) + 24*len(m.hits)
}
