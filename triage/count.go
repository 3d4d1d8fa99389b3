package triage

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/query"
)

// FacetLimit is how many values a facet gives where nobody says.
const FacetLimit = 20

// FacetFields gives the fields of those names, or all facets.
func FacetFields(names []string) ([]*finding.Field, error) {
	var out []*finding.Field
	if len(names) == 0 {
		all := finding.Fields()
		for i := range all {
			if all[i].Facet {
				out = append(out, &all[i])
			}
		}
		return out, nil
	}
	for _, name := range names {
		f, ok := finding.LookupField(name)
		if !ok || !f.Facet {
			return nil, fmt.Errorf("%w: %q is no field whose values are counted", ErrWrong, name)
		}
		out = append(out, f)
	}
	return out, nil
}

// NewFacet is the most frequent of counted values; one with the count 0 does not
// occur.
func NewFacet(f *finding.Field, counts map[string]int, limit int) Facet {
	return NewFacetOf(f, maps.All(counts), limit)
}

// NewFacetOf is NewFacet of counts that come one by one, each value once.
func NewFacetOf(f *finding.Field, counts iter.Seq2[string, int], limit int) Facet {
	if limit <= 0 {
		limit = FacetLimit
	}
	if f.Type == query.Enum {
		limit = math.MaxInt
	}
	x := Facet{Field: f.Name, Values: []FacetValue{}}
	all := 0
	order := func(a, b FacetValue) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Value, b.Value))
	}
	for v, n := range counts {
		if n <= 0 {
			continue
		}
		all++
		// A list of a few that is kept in order is cheaper than ordering all.
		one := FacetValue{v, n}
		if len(x.Values) >= limit && order(one, x.Values[len(x.Values)-1]) > 0 {
			continue
		}
		i, _ := slices.BinarySearchFunc(x.Values, one, order)
		x.Values = slices.Insert(x.Values, i, one)
		x.Values = x.Values[:min(len(x.Values), limit)]
	}
	x.More = all - len(x.Values)
	return x
}

// FacetValues are the values that a finding counts with.
func FacetValues(x *finding.Field, value any) []string {
	switch v := value.(type) {
	case string:
		return []string{v}
	case bool:
		return []string{fmt.Sprint(v)}
	case []string:
		switch {
		case len(v) == 0:
			return []string{""}
		case x.Name == "kind":
			return v[:1] // the family is there to be asked for
		}
		return v
	}
	return nil
}

// MaxDays is how many days Days counts.
const MaxDays = 3660

// DaySpan gives the UTC days that overlap [since, until): the first, and how
// many.
func DaySpan(since, until time.Time) (first time.Time, n int, err error) {
	first = finding.Day(since)
	n = int(finding.Day(until.Add(24*time.Hour-1)).Sub(first) / (24 * time.Hour))
	if !since.Before(until) || n > MaxDays {
		return first, 0, fmt.Errorf("%w: days from %s to %s: it takes one day to %d", ErrWrong, since.UTC().Format(time.RFC3339), until.UTC().Format(time.RFC3339), MaxDays)
	}
	return first, n, nil
}

// Days counts what became of findings on the days from a first on.
type Days struct {
	first  time.Time
	counts []finding.DayCount
	opened []int // how many more are open at the end of the day than of the one before
}

// NewDays counts n days from first on.
func NewDays(first time.Time, n int) *Days {
	d := &Days{first: first, counts: make([]finding.DayCount, n), opened: make([]int, n+1)}
	for i := range d.counts {
		d.counts[i].Day = first.AddDate(0, 0, i)
	}
	return d
}

// at is which day t is on; before the first it is -1.
func (d *Days) at(t time.Time) int {
	if t.Before(d.first) {
		return -1
	}
	return min(int(t.Sub(d.first)/(24*time.Hour)), len(d.counts))
}

// Add counts a finding: when it was first seen, and when decided and closed,
// zero for never.
func (d *Days) Add(seen, decided, closed time.Time, explained bool) {
	made := d.at(seen)
	if made >= 0 && made < len(d.counts) {
		d.counts[made].Made++
		if explained {
			d.counts[made].Explained++
		}
	}
	if i := d.at(decided); !decided.IsZero() && i >= 0 && i < len(d.counts) {
		d.counts[i].Decided++
	}
	if explained {
		return
	}
	if !closed.IsZero() && !closed.After(seen) {
		return // it was closed when it came
	}
	d.opened[max(0, made)]++
	if !closed.IsZero() {
		d.opened[max(0, d.at(closed))]--
	}
}

// Counts gives the days.
func (d *Days) Counts() []finding.DayCount {
	open := 0
	for i := range d.counts {
		open += d.opened[i]
		d.counts[i].Open = open
	}
	return d.counts
}

// CasePlace is where a case stands in the order of Cases: the highest priority
// first, then the latest, then by id.
func CasePlace(id string, priority int, last time.Time) Place {
	return Place{Sort: "case", Number: int64(priority), LastSeen: last, Key: id}
}

// NewPreview is an empty preview of the days in [since, until).
func NewPreview(since, until time.Time) (Preview, error) {
	_, n, err := DaySpan(since, until)
	p := Preview{Days: n, BySeverity: map[string]int{}, Sample: []finding.Finding{}}
	for _, s := range finding.Severities {
		p.BySeverity[string(s)] = 0
	}
	return p, err
}

// SampleSize is how many findings a preview shows.
const SampleSize = 20
