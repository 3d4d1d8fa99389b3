package match

import (
	"encoding/binary"
	"unicode/utf8"
)

// table finds which of many folded texts a value is, without folding it first if
// it is ASCII.
type table struct {
	lengths uint64 // by length modulo 64: a text has it
	objects bool   // a text may be an object's
	entries []tableEntry
	hits    []hit
}

type tableEntry struct {
	hash       uint64
	text       string
	from, upto uint32 // of hits; equal where the entry is free
}

// newTable makes a table of texts, which are folded.
func newTable(texts map[string][]hit) *table {
	size := 2
	for size < 2*len(texts) {
		size *= 2
	}
	t := &table{entries: make([]tableEntry, size)}
	for text, hits := range texts {
		h, _ := hashFolded([]byte(text))
		at := h & uint64(size-1)
		for t.entries[at].upto != t.entries[at].from {
			at = (at + 1) & uint64(size-1)
		}
		from := uint32(len(t.hits))
		t.hits = append(t.hits, hits...)
		t.entries[at] = tableEntry{h, text, from, uint32(len(t.hits))}
		t.lengths |= 1 << (len(text) & 63)
		t.objects = t.objects || text != "" && text[0] == '{'
	}
	return t
}

// find gives the hits of a text. False: the text is not ASCII; fold it and call
// findFolded.
func (t *table) find(text []byte) ([]hit, bool) {
	if t.lengths>>(len(text)&63)&1 == 0 {
		return nil, ascii(text)
	}
	h, ok := hashFolded(text)
	if !ok {
		return nil, false
	}
	return t.at(h, text, sameLetters), true
}

// findFolded gives the hits of a text that is folded already.
func (t *table) findFolded(text []byte) []hit {
	h, _ := hashFolded(text)
	return t.at(h, text, func(a []byte, b string) bool { return string(a) == b })
}

func (t *table) at(h uint64, text []byte, same func([]byte, string) bool) []hit {
	mask := uint64(len(t.entries) - 1)
	for at := h & mask; ; at = (at + 1) & mask {
		e := &t.entries[at]
		if e.upto == e.from {
			return nil
		}
		if e.hash == h && len(e.text) == len(text) && same(text, e.text) {
			return t.hits[e.from:e.upto]
		}
	}
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// lower makes the capital ASCII letters among eight bytes small. Bytes beyond
// ASCII stay.
func lower(x uint64) uint64 {
	low := x &^ highs
	upper := (low + (0x80-'A')*ones) &^ (low + (0x7f-'Z')*ones) &^ x & highs
	return x | upper>>2
}

// word is the first up to eight bytes of b.
func word(b []byte) uint64 {
	if len(b) >= 8 {
		return binary.LittleEndian.Uint64(b)
	}
	var x uint64
	for i := len(b) - 1; i >= 0; i-- {
		x = x<<8 | uint64(b[i])
	}
	return x
}

// hashFolded hashes b without regard to the case of ASCII letters, and tells
// whether b is ASCII.
func hashFolded(b []byte) (uint64, bool) {
	h, all := uint64(len(b))*0x9e3779b97f4a7c15, uint64(0)
	for len(b) >= 8 {
		x := word(b)
		all |= x
		h = (h ^ lower(x)) * 0x9fb21c651e98df25
		h ^= h >> 32
		b = b[8:]
	}
	if len(b) > 0 {
		x := word(b)
		all |= x
		h = (h ^ lower(x)) * 0x9fb21c651e98df25
		h ^= h >> 32
	}
	return h, all&highs == 0
}

// sameLetters tells whether ASCII text is the folded text of the same length.
func sameLetters(text []byte, folded string) bool {
	for i, c := range text {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != folded[i] {
			return false
		}
	}
	return true
}

func ascii(b []byte) bool {
	for len(b) >= 8 {
		if word(b)&highs != 0 {
			return false
		}
		b = b[8:]
	}
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
