package finding

import (
	"bytes"
	"slices"
)

// Compare orders sightings by (time, uid).
func (s Sighting) Compare(t Sighting) int {
	if c := s.Time.Compare(t.Time); c != 0 {
		return c
	}
	return bytes.Compare(s.UID[:], t.UID[:])
}

// last is the latest sighting, or none.
func (e *Evidence) last() Sighting {
	for _, list := range [][]Sighting{e.Latest, e.First} {
		if n := len(list); n > 0 {
			return list[n-1]
		}
	}
	return Sighting{}
}

// Add takes one more sighting.
func (e *Evidence) Add(s Sighting) {
	// Most sightings of a busy key fall between the two lists, or behind both.
	if n := len(e.Latest); n == EvidenceCap && s.Compare(e.First[EvidenceCap-1]) > 0 && s.Compare(e.Latest[0]) <= 0 {
		return
	}
	if len(e.First) < EvidenceCap && len(e.Latest) == 0 {
		e.First, _, _ = insert(e.First, s)
		return
	}
	switch c := s.Compare(e.First[len(e.First)-1]); {
	case c == 0:
		return
	case c < 0:
		first, pushed, grew := insert(e.First, s)
		if !grew {
			return
		}
		e.First, s = first[:EvidenceCap], pushed
	}
	latest, _, grew := insert(e.Latest, s)
	if grew && len(latest) > EvidenceCap {
		latest = slices.Delete(latest, 0, 1)
	}
	e.Latest = latest
}

// insert puts s into its place in the ordered list; last is the list's last
// afterwards, and grew is false where s was there already.
func insert(list []Sighting, s Sighting) (out []Sighting, last Sighting, grew bool) {
	at, there := slices.BinarySearchFunc(list, s, Sighting.Compare)
	if !there {
		list = slices.Insert(list, at, s)
	}
	return list, list[len(list)-1], !there
}

// Merge takes everything f keeps. Whatever way the same sightings were split
// and in whatever order they are merged, the result is the same: each part
// keeps its own first and latest, and those of the whole are among them.
func (e *Evidence) Merge(f Evidence) {
	if len(f.First) == 0 {
		return
	}
	all := make([]Sighting, 0, len(e.First)+len(e.Latest)+len(f.First)+len(f.Latest))
	all = append(append(all, e.First...), e.Latest...)
	all = append(append(all, f.First...), f.Latest...)
	*e = evidenceOf(all)
}

// evidenceOf keeps the first and latest of all, which it reorders.
func evidenceOf(all []Sighting) Evidence {
	slices.SortFunc(all, Sighting.Compare)
	all = slices.CompactFunc(all, func(a, b Sighting) bool { return a.Compare(b) == 0 })
	if len(all) <= EvidenceCap {
		return Evidence{First: all}
	}
	first, rest := all[:EvidenceCap:EvidenceCap], all[EvidenceCap:]
	return Evidence{First: first, Latest: rest[max(0, len(rest)-EvidenceCap):]}
}

// Len is how many events are kept.
func (e Evidence) Len() int { return len(e.First) + len(e.Latest) }
