package failures

import (
	"hash/fnv"
	"slices"
)

// memory is what a principal was given and what it was denied. Its lists are in
// the order of their ids and hold the entries seen last.
type memory struct {
	given  []entry // secrets
	denied []entry // secrets
	pairs  []entry // hashes of operation and resource, denied
	nets   []entry // hashes of networks, of people
}

// entry is 8 bytes.
type entry struct {
	id          uint32
	first, last uint16 // days since 1970, which they can tell until 2149
}

// Limits of the lists: 8 bytes an entry, so 6 KiB for a principal that uses
// all of them. Most use few.
const (
	maxGiven  = 512
	maxDenied = 128
	maxPairs  = 128
	maxNets   = 16
)

func find(list []entry, id uint32) (int, bool) {
	return slices.BinarySearchFunc(list, id, func(e entry, id uint32) int {
		switch {
		case e.id < id:
			return -1
		case e.id > id:
			return 1
		}
		return 0
	})
}

// note takes in that id was seen on the day.
func note(list []entry, id uint32, day int32, limit int) []entry {
	i, ok := find(list, id)
	if ok {
		list[i].last = uint16(day)
		return list
	}
	if len(list) >= limit {
		oldest := 0
		for k := range list {
			if list[k].last < list[oldest].last {
				oldest = k
			}
		}
		list = slices.Delete(list, oldest, oldest+1)
		i, _ = find(list, id)
	}
	return slices.Insert(list, i, entry{id: id, first: uint16(day), last: uint16(day)})
}

// forget leaves out what was not seen for so many days.
func forget(list []entry, day, days int32) []entry {
	return slices.DeleteFunc(list, func(e entry) bool { return day-int32(e.last) > days })
}

// has tells whether id was seen at all, and known whether it has been in the
// record for long enough to be believed.
func has(list []entry, id uint32) bool {
	_, ok := find(list, id)
	return ok
}

func known(list []entry, id uint32, day int32) bool {
	i, ok := find(list, id)
	return ok && day-int32(list[i].first) >= adoptDays
}

// hash is of two texts: 32 bits. A look-up of something new in a list of 128 has
// a chance of one in 30 million to find something else, which is then taken for
// known.
func hash(a, b string) uint32 {
	h := fnv.New32a()
	h.Write([]byte(a))
	h.Write([]byte{0})
	h.Write([]byte(b))
	return h.Sum32()
}

func (m *memory) clone() *memory {
	return &memory{
		given: slices.Clone(m.given), denied: slices.Clone(m.denied), pairs: slices.Clone(m.pairs), nets: slices.Clone(m.nets),
	}
}

func (m *memory) bytes() int {
	// The lists, their four headers, and a place in a map.
	return 8*(cap(m.given)+cap(m.denied)+cap(m.pairs)+cap(m.nets)) + 96 + 24
}

// of is what is known of the principal; nothing is known of one not seen.
func (s *sign) of(w principal) *memory {
	m := s.known[w.actor]
	if w.person != "" {
		m = s.people[w.person]
	}
	if m == nil {
		return &nobody
	}
	return m
}

var nobody memory

// keep is of, for learning.
func (s *sign) keep(w principal) *memory {
	m := s.of(w)
	if m != &nobody {
		return m
	}
	m = &memory{}
	if w.person != "" {
		s.people[w.person] = m
	} else {
		s.known[w.actor] = m
	}
	return m
}
