package failures

import (
	"hash/fnv"
	"slices"

	"github.com/yagura-sec/yagura/detect/anomaly/table"
)

// memory is what principals were given and what they were denied, by the id of
// each. Most were never denied anything. The lists are in the order of their ids
// and hold the entries seen last.
type memory struct {
	given  lists // secrets
	denied lists // secrets
	pairs  lists // hashes of operation and resource, denied
	nets   lists // hashes of networks, of people
}

type lists = table.Table[uint64, []entry]

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
	list = table.Append(list, entry{})
	copy(list[i+1:], list[i:])
	list[i] = entry{id: id, first: uint16(day), last: uint16(day)}
	return list
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

// recall is what a list holds of a principal.
func recall(l *lists, w principal) []entry {
	if list := l.Get(w.id()); list != nil {
		return *list
	}
	return nil
}

// keep takes in that id was seen of a principal on the day.
func keep(l *lists, w principal, id uint32, day int32, limit int) {
	list := l.Put(w.id())
	*list = note(*list, id, day, limit)
}

func (m *memory) all() [4]*lists { return [...]*lists{&m.given, &m.denied, &m.pairs, &m.nets} }

// trim forgets what was not seen for long.
func (m *memory) trim(day int32) {
	for _, l := range m.all() {
		days := int32(forgetDenied)
		if l == &m.given {
			days = forgetGiven
		}
		l.Drop(func(_ uint64, list *[]entry) bool {
			*list = forget(*list, day, days)
			return len(*list) == 0
		})
	}
}

func (m *memory) clone() memory {
	c := memory{m.given.Clone(), m.denied.Clone(), m.pairs.Clone(), m.nets.Clone()}
	for _, l := range c.all() {
		for _, list := range l.All {
			*list = slices.Clone(*list)
		}
	}
	return c
}

func (m *memory) bytes() int {
	n := 0
	for _, l := range m.all() {
		n += l.Bytes()
		for _, list := range l.All {
			n += 8 * cap(*list)
		}
	}
	return n
}
