package usage

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/event"
)

// DefaultMax is the usual cap of Sum and Fold.
const DefaultMax = 1000

// Sum adds up events, capped by Fold: every event but a twin counts once in the
// row with an empty resource, and once in a row of each resource it names.
func Sum(events []event.Event, limit int) []Row {
	sums := make(map[Key]*Row, len(events)/4)
	for i := range events {
		Add(sums, &events[i])
	}
	rows := make([]Row, 0, len(sums))
	for _, r := range sums {
		rows = append(rows, *r)
	}
	return Fold(rows, limit)
}

// Add adds one event to sums. Nothing is capped.
func Add(sums map[Key]*Row, e *event.Event) {
	if e.Twin {
		return
	}
	k := Key{
		Hour:          e.Time.UTC().Truncate(time.Hour),
		CloudProvider: e.CloudProvider,
		AccountUID:    e.AccountUID,
		ActorUID:      e.ActorUID,
		ActorType:     e.ActorType,
		Caller:        e.Caller,
		APIService:    e.APIService,
		APIOperation:  e.APIOperation,
		Region:        e.Region,
		Outcome:       e.Outcome,
	}
	add := func(resource string) {
		k.ResourceUID = resource
		r := sums[k]
		if r == nil {
			r = &Row{Key: k, First: e.Time, Last: e.Time}
			sums[k] = r
		}
		r.Count++
		if e.Time.Before(r.First) {
			r.First = e.Time
		}
		if e.Time.After(r.Last) {
			r.Last = e.Time
		}
	}
	add("")
	if e.ResourceUID != "" {
		add(e.ResourceUID)
	}
	for i, uid := range e.ResourceUIDs {
		if uid != "" && uid != e.ResourceUID && !slices.Contains(e.ResourceUIDs[:i], uid) {
			add(uid)
		}
	}
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
func Fold(rows []Row, limit int) []Row {
	rows = merge(rows)
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
	slices.SortFunc(rows, func(a, b Row) int { return Compare(a.Key, b.Key) })
	out := rows[:0]
	for _, r := range rows {
		last := len(out) - 1
		if last < 0 || Compare(out[last].Key, r.Key) != 0 {
			out = append(out, r)
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
func Compare(a, b Key) int {
	return cmp.Or(compareGroup(a, b),
		strings.Compare(a.ResourceUID, b.ResourceUID),
		strings.Compare(string(a.ActorType), string(b.ActorType)),
		strings.Compare(string(a.Caller), string(b.Caller)),
		strings.Compare(a.Region, b.Region),
		strings.Compare(string(a.Outcome), string(b.Outcome)))
}

func compareGroup(a, b Key) int {
	if c := a.Hour.Compare(b.Hour); c != 0 {
		return c
	}
	return cmp.Or(
		strings.Compare(a.CloudProvider, b.CloudProvider),
		strings.Compare(a.AccountUID, b.AccountUID),
		strings.Compare(a.ActorUID, b.ActorUID),
		strings.Compare(a.APIService, b.APIService),
		strings.Compare(a.APIOperation, b.APIOperation))
}

// SameGroup tells whether Fold caps the two keys together.
func SameGroup(a, b Key) bool { return compareGroup(a, b) == 0 }

func groupEnd(rows []Row, at int) int {
	end := at + 1
	for end < len(rows) && compareGroup(rows[at].Key, rows[end].Key) == 0 {
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
