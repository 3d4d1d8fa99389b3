package usage

import (
	"cmp"
	"hash/maphash"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/event"
)

// DefaultMax is the usual cap of Sum and Fold.
const DefaultMax = 1000

// Sum adds up events, capped by Fold.
func Sum(events []event.Event, limit int) []Row {
	var sums Sums
	for i := range events {
		sums.Add(&events[i])
	}
	return sums.Fold(limit)
}

// Sums adds events up. The zero value is empty. It is for one goroutine.
type Sums struct {
	rows  []*Row
	hash  []uint64 // of each row
	slots []int32  // open addressing: index in rows + 1, 0 free
	block []Row    // rows are taken from here
}

// seed is one for the process: nothing that is stored depends on it.
var seed = maphash.MakeSeed()

// Add counts the event once in the row with an empty resource and once in a row
// of each resource it names. Nothing is capped. A twin repeats what another
// event says, and an insight is about calls but is none: they are left out.
func (s *Sums) Add(e *event.Event) {
	if e.Twin || e.Category == event.Insight {
		return
	}
	var base uint64
	for _, part := range [...]string{
		e.CloudProvider, e.AccountUID, e.ActorUID, string(e.ActorType), string(e.Caller),
		e.APIService, e.APIOperation, e.Region, string(e.Outcome),
	} {
		base = base*0x9e3779b97f4a7c15 ^ maphash.String(seed, part)
	}
	hour := e.Time.Unix() / 3600 * 3600
	base ^= uint64(hour) * 0xff51afd7ed558ccd

	s.add(e, base, hour, "")
	if e.ResourceUID != "" {
		s.add(e, base, hour, e.ResourceUID)
	}
	for i, uid := range e.ResourceUIDs {
		if uid != "" && uid != e.ResourceUID && !slices.Contains(e.ResourceUIDs[:i], uid) {
			s.add(e, base, hour, uid)
		}
	}
}

func (s *Sums) add(e *event.Event, base uint64, hour int64, resource string) {
	if 2*len(s.rows) >= len(s.slots) {
		s.grow()
	}
	h := base
	if resource != "" {
		h ^= maphash.String(seed, resource) * 0xc4ceb9fe1a85ec53
	}
	mask := uint64(len(s.slots) - 1)
	at := (h ^ h>>32) & mask
	for ; s.slots[at] != 0; at = (at + 1) & mask {
		i := s.slots[at] - 1
		if s.hash[i] == h && s.rows[i].sums(e, hour, resource) {
			s.rows[i].count(e.Time)
			return
		}
	}
	if len(s.block) == 0 {
		s.block = make([]Row, 256)
	}
	r := &s.block[0]
	s.block = s.block[1:]
	*r = Row{
		Key: Key{
			Hour: time.Unix(hour, 0).UTC(), CloudProvider: e.CloudProvider, AccountUID: e.AccountUID,
			ActorUID: e.ActorUID, ActorType: e.ActorType, Caller: e.Caller, APIService: e.APIService,
			APIOperation: e.APIOperation, ResourceUID: resource, Region: e.Region, Outcome: e.Outcome,
		},
		Count: 1, First: e.Time, Last: e.Time,
	}
	s.rows = append(s.rows, r)
	s.hash = append(s.hash, h)
	s.slots[at] = int32(len(s.rows))
}

func (s *Sums) grow() {
	s.slots = make([]int32, max(256, 2*len(s.slots)))
	mask := uint64(len(s.slots) - 1)
	for i, h := range s.hash {
		at := (h ^ h>>32) & mask
		for s.slots[at] != 0 {
			at = (at + 1) & mask
		}
		s.slots[at] = int32(i + 1)
	}
}

// sums tells whether e counts in r for a resource.
func (r *Row) sums(e *event.Event, hour int64, resource string) bool {
	return r.ResourceUID == resource && r.Hour.Unix() == hour && r.ActorUID == e.ActorUID &&
		r.APIOperation == e.APIOperation && r.APIService == e.APIService && r.AccountUID == e.AccountUID &&
		r.Outcome == e.Outcome && r.Region == e.Region && r.Caller == e.Caller && r.ActorType == e.ActorType &&
		r.CloudProvider == e.CloudProvider
}

func (r *Row) count(t time.Time) {
	r.Count++
	if t.Before(r.First) {
		r.First = t
	}
	if t.After(r.Last) {
		r.Last = t
	}
}

// Fold is the rows so far, capped and in order as by the function Fold.
func (s *Sums) Fold(limit int) []Row {
	rows := inOrder(s.rows)
	s.rows, s.slots, s.hash = nil, nil, nil // Add begins anew
	return fold(rows, limit)
}

// inOrder is rows, each of another key, in the order of Compare. The names of
// actors and operations, which are long, alike and few, are compared once each
// and then stand for by their ranks.
func inOrder(rows []*Row) []Row {
	actors := ranks(rows, func(k *Key) [3]string { return [...]string{k.CloudProvider, k.AccountUID, k.ActorUID} },
		func(a, b [3]string) int { return slices.Compare(a[:], b[:]) })
	calls := ranks(rows, func(k *Key) [2]string { return [...]string{k.APIService, k.APIOperation} },
		func(a, b [2]string) int { return slices.Compare(a[:], b[:]) })
	type place struct {
		hour  int64
		group uint64
		row   *Row
	}
	places := make([]place, len(rows))
	for i, r := range rows {
		places[i] = place{r.Hour.Unix(), uint64(actors[i])<<32 | uint64(calls[i]), r}
	}
	slices.SortFunc(places, func(a, b place) int {
		if c := cmp.Compare(a.hour, b.hour); c != 0 {
			return c
		}
		if c := cmp.Compare(a.group, b.group); c != 0 {
			return c
		}
		return compareInGroup(&a.row.Key, &b.row.Key)
	})
	out := make([]Row, len(rows))
	for i := range places {
		out[i] = *places[i].row
	}
	return out
}

// ranks is, for each row, the place of its part in the order of all parts.
func ranks[T comparable](rows []*Row, part func(*Key) T, compare func(a, b T) int) []uint32 {
	ids := map[T]uint32{}
	var parts []T
	of := make([]uint32, len(rows))
	for i, r := range rows {
		p := part(&r.Key)
		if i > 0 && parts[of[i-1]] == p { // the rows of an event follow each other
			of[i] = of[i-1]
			continue
		}
		id, ok := ids[p]
		if !ok {
			id = uint32(len(parts))
			ids[p] = id
			parts = append(parts, p)
		}
		of[i] = id
	}
	order := make([]uint32, len(parts))
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortFunc(order, func(a, b uint32) int { return compare(parts[a], parts[b]) })
	place := make([]uint32, len(parts))
	for i, id := range order {
		place[id] = uint32(i)
	}
	for i := range of {
		of[i] = place[of[i]]
	}
	return of
}

// Fold adds up rows of one key, keeps at most limit resources a group and gives
// the others' sums to Other. A group is one hour, account, actor and operation.
// The result is sorted by Compare. rows may be reordered.
//
// Which resources stay depends on their names alone (rank), not on their counts.
// A resource among the first limit of everything is among the first limit of
// every part it occurs in, so its sums were never given away, and folding parts
// before or after putting them together, in any order, comes to the same:
//
//	Fold(Fold(a) + Fold(b)) = Fold(a + b)
//
// Taking the busiest would not have this property.
func Fold(rows []Row, limit int) []Row { return fold(merge(rows), limit) }

// fold caps rows that are in order and each of another key.
func fold(rows []Row, limit int) []Row {
	if Fanout(rows) <= limit {
		return rows
	}
	folded := false
	for at := 0; at < len(rows); {
		end := groupEnd(rows, at)
		folded = foldGroup(rows[at:end], limit) || folded
		at = end
	}
	if !folded {
		return rows
	}
	return merge(rows)
}

// Fanout is the largest number of resources in a group of rows, which are in the
// order of Compare; the empty one and Other do not count.
func Fanout(rows []Row) int {
	most := 0
	for at := 0; at < len(rows); {
		end := groupEnd(rows, at)
		n := 0
		if end-at > most { // else it cannot be more
			n = len(resources(rows[at:end]))
		}
		most = max(most, n)
		at = end
	}
	return most
}

// merge sorts rows and adds up those of one key.
func merge(rows []Row) []Row {
	sorted := func(a, b Row) int { return Compare(&a.Key, &b.Key) }
	if !slices.IsSortedFunc(rows, sorted) {
		slices.SortFunc(rows, sorted)
	}
	out := rows[:0]
	for i := range rows {
		r := &rows[i]
		last := len(out) - 1
		if last < 0 || Compare(&out[last].Key, &r.Key) != 0 {
			out = append(out, *r)
			continue
		}
		o := &out[last]
		o.Count += r.Count
		if r.First.Before(o.First) {
			o.First = r.First
		}
		if r.Last.After(o.Last) {
			o.Last = r.Last
		}
	}
	return out
}

// Compare orders keys by hour, then by the fields of a group, then by the rest.
// It looks at one field after the other, which cmp.Or would not.
func Compare(a, b *Key) int {
	if c := compareGroup(a, b); c != 0 {
		return c
	}
	return compareInGroup(a, b)
}

func compareInGroup(a, b *Key) int {
	if c := strings.Compare(a.ResourceUID, b.ResourceUID); c != 0 {
		return c
	}
	if c := strings.Compare(string(a.ActorType), string(b.ActorType)); c != 0 {
		return c
	}
	if c := strings.Compare(string(a.Caller), string(b.Caller)); c != 0 {
		return c
	}
	if c := strings.Compare(a.Region, b.Region); c != 0 {
		return c
	}
	return strings.Compare(string(a.Outcome), string(b.Outcome))
}

func compareGroup(a, b *Key) int {
	if c := a.Hour.Compare(b.Hour); c != 0 {
		return c
	}
	if c := strings.Compare(a.CloudProvider, b.CloudProvider); c != 0 {
		return c
	}
	if c := strings.Compare(a.AccountUID, b.AccountUID); c != 0 {
		return c
	}
	if c := strings.Compare(a.ActorUID, b.ActorUID); c != 0 {
		return c
	}
	if c := strings.Compare(a.APIService, b.APIService); c != 0 {
		return c
	}
	return strings.Compare(a.APIOperation, b.APIOperation)
}

// SameGroup tells whether Fold caps the two keys together.
func SameGroup(a, b *Key) bool { return compareGroup(a, b) == 0 }

func groupEnd(rows []Row, at int) int {
	end := at + 1
	for end < len(rows) && compareGroup(&rows[at].Key, &rows[end].Key) == 0 {
		end++
	}
	return end
}

// resources of a group, each once. Rows of one resource are neighbours.
func resources(group []Row) []string {
	var names []string
	for _, r := range group {
		if r.ResourceUID == "" || r.ResourceUID == Other {
			continue
		}
		if n := len(names); n == 0 || names[n-1] != r.ResourceUID {
			names = append(names, r.ResourceUID)
		}
	}
	return names
}

// foldGroup renames the resources of a group beyond the cap.
func foldGroup(group []Row, limit int) bool {
	names := resources(group)
	if len(names) <= limit {
		return false
	}
	ranks := make([]ranked, len(names))
	for i, name := range names {
		ranks[i] = rank(name)
	}
	slices.SortFunc(ranks, ranked.compare)
	last := ranks[max(limit, 0)]
	for i := range group {
		name := group[i].ResourceUID
		if name != "" && name != Other && rank(name).compare(last) >= 0 {
			group[i].ResourceUID = Other
		}
	}
	return true
}

// ranked is a resource's place in the order in which resources are kept.
type ranked struct {
	late bool
	hash uint64
	name string
}

// rank puts the objects of a bucket behind everything else: they are the ones
// without number, and a bucket or a key beside them must not be pushed out.
// Otherwise the order is by a hash, so that what is kept is a fair sample.
func rank(name string) ranked {
	const s3 = ":s3:::"
	at := strings.Index(name, s3)
	late := at >= 0 && strings.IndexByte(name[at+len(s3):], '/') >= 0
	h := uint64(14695981039346656037) // FNV-1a
	for i := range len(name) {
		h = (h ^ uint64(name[i])) * 1099511628211
	}
	return ranked{late, h, name}
}

func (a ranked) compare(b ranked) int {
	if a.late != b.late {
		if a.late {
			return 1
		}
		return -1
	}
	return cmp.Or(cmp.Compare(a.hash, b.hash), strings.Compare(a.name, b.name))
}
