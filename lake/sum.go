package lake

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/usage"
)

// Summer counts exactly, by columns and over time; some engines.
type Summer interface {
	// Sum counts what s asks for. Groups come in the order of what they count from
	// bucket s.From on, the most first, then by their values, the rest last; those
	// of one group by bucket. Buckets in which a group counts nothing are left out.
	Sum(ctx context.Context, s query.Sum) ([]query.Group, error)
}

// Summation is a sum in the making, for engines that cannot leave it to SQL.
type Summation struct {
	sum     query.Sum
	columns []*query.Column
	// distinct is the column whose values are counted; nil: events are.
	distinct *query.Column
	groups   map[string]*summed
}

// summed is a group by bucket.
type summed struct {
	by      []string
	buckets map[int]*query.Group
	values  map[int]map[string]bool // of Sum.Distinct
}

// NewSummation begins one; s was checked.
func NewSummation(s query.Sum) *Summation {
	x := &Summation{sum: s, groups: map[string]*summed{}}
	for _, name := range s.By {
		c, _ := query.Lookup(name)
		x.columns = append(x.columns, c)
	}
	if s.Distinct != "" {
		x.distinct, _ = query.Lookup(s.Distinct)
	}
	return x
}

// Add counts an event n times if the sum asks for it.
func (x *Summation) Add(e *event.Event, n int64) {
	bucket, ok := x.sum.Bucket(e.Time)
	if !ok || !x.sum.Matches(e) {
		return
	}
	var by []string
	for _, c := range x.columns {
		by = append(by, ValueText(c, e)[0])
	}
	key := strings.Join(by, "\x00")
	g := x.groups[key]
	if g == nil {
		g = &summed{by: by, buckets: map[int]*query.Group{}, values: map[int]map[string]bool{}}
		x.groups[key] = g
	}
	b := g.buckets[bucket]
	if b == nil {
		b = &query.Group{Bucket: bucket, By: by, First: e.Time, Last: e.Time}
		g.buckets[bucket], g.values[bucket] = b, map[string]bool{}
	}
	if e.Time.Before(b.First) {
		b.First = e.Time
	}
	if e.Time.After(b.Last) {
		b.Last = e.Time
	}
	if x.distinct == nil {
		b.Count += n
		return
	}
	g.values[bucket][ValueText(x.distinct, e)[0]] = true
	b.Count = int64(len(g.values[bucket]))
}

// AddUsage counts a row of usage if the sum asks for it.
func (x *Summation) AddUsage(r *usage.Row) {
	if (r.ResourceUID != "") != x.sum.OfResources() {
		return
	}
	e := event.Event{
		Time: r.Hour, CloudProvider: r.CloudProvider, AccountUID: r.AccountUID, ActorUID: r.ActorUID, ActorType: r.ActorType,
		Caller: r.Caller, APIService: r.APIService, APIOperation: r.APIOperation, ResourceUID: r.ResourceUID, Region: r.Region, Outcome: r.Outcome,
	}
	x.Add(&e, r.Count)
}

// Groups are what was counted, in the order of Summer.
func (x *Summation) Groups() []query.Group {
	type ranked struct {
		*summed
		count int64
	}
	var all []ranked
	for _, g := range x.groups {
		r := ranked{g, 0}
		for k, b := range g.buckets {
			if k >= x.sum.From {
				r.count += b.Count
			}
		}
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b ranked) int {
		return cmp.Or(cmp.Compare(b.count, a.count), slices.Compare(a.by, b.by))
	})
	var out []query.Group
	rest := map[int]*query.Group{}
	for i, g := range all {
		named := x.sum.Limit == 0 || i < x.sum.Limit && g.count > 0
		if named {
			out = appendBuckets(out, g.buckets)
			continue
		}
		for _, b := range g.buckets {
			if x.distinct == nil {
				addRest(rest, b)
			}
		}
	}
	return appendBuckets(out, rest)
}

// appendBuckets appends them in their order.
func appendBuckets(to []query.Group, buckets map[int]*query.Group) []query.Group {
	for _, k := range slices.Sorted(maps.Keys(buckets)) {
		to = append(to, *buckets[k])
	}
	return to
}

func addRest(rest map[int]*query.Group, b *query.Group) {
	had := rest[b.Bucket]
	if had == nil {
		rest[b.Bucket] = &query.Group{Bucket: b.Bucket, Rest: true, Count: b.Count, First: b.First, Last: b.Last}
		return
	}
	had.Count += b.Count
	if b.First.Before(had.First) {
		had.First = b.First
	}
	if b.Last.After(had.Last) {
		had.Last = b.Last
	}
}
