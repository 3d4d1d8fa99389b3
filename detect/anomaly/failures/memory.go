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
	first  int32   // day
}

// entry is 16 bytes.
type entry struct {
	id          uint32
	first, last int32 // days
	days        int32
}

// Limits of the lists: 16 bytes an entry, so 12 KiB for a principal that uses
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
		if list[i].last != day {
			list[i].last, list[i].days = day, list[i].days+1
		}
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
	return slices.Insert(list, i, entry{id: id, first: day, last: day, days: 1})
}

// forget leaves out what was not seen for so many days.
func forget(list []entry, day, days int32) []entry {
	return slices.DeleteFunc(list, func(e entry) bool { return day-e.last > days })
}

// has tells whether id was seen at all, and known whether it has been in the
// record for long enough to be believed.
func has(list []entry, id uint32) bool {
	_, ok := find(list, id)
	return ok
}

func known(list []entry, id uint32, day int32) bool {
	i, ok := find(list, id)
	return ok && day-list[i].first >= adoptDays
}

// hash is of two texts: 32 bits, of which a list of 128 holds few enough that
// one new pair in 30 million is taken for an old one.
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
		first: m.first,
	}
}

func (m *memory) bytes() int {
	return 16*(cap(m.given)+cap(m.denied)+cap(m.pairs)+cap(m.nets)) + 160
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
func (s *sign) keep(w principal, day int32) *memory {
	m := s.of(w)
	if m != &nobody {
		return m
	}
	m = &memory{first: day}
	if w.person != "" {
		s.people[w.person] = m
	} else {
		s.known[w.actor] = m
	}
	return m
}
