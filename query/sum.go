package query

import (
	"fmt"
	"slices"
	"time"
)

// Sum counts what a query chooses, by columns and over time.
type Sum struct {
	// Query chooses; its Limit is how many groups are told by name, those that
	// count most, and 0 all of them. Of Usage its Where is over UsageFilter.
	Query
	// Usage asks the hourly sums in place of events: quicker, and of times whose
	// events are no longer held. Since and Until are whole hours then. Calls are
	// counted once each, or by the resources they name where Where or By speak of
	// resource_uid.
	Usage bool
	// By are the columns of a group, of one value each; none: all is one group.
	By []string
	// Distinct counts how many values of this column there are in place of events
	// or calls; such counts do not add up, so nothing is told of the rest.
	Distinct string
	// Start, Width and Step make buckets: the first is [Start, Start+Width), and one
	// begins every Step, which is no less than Width; what lies between buckets is
	// left out. A zero Width makes one bucket of all time.
	Start       time.Time
	Width, Step time.Duration
	// From is the bucket from which on groups are compared to tell the Limit that
	// count most.
	From int
}

// Group is what a Sum counts of one group in one bucket.
type Group struct {
	Bucket int
	By     []string // values of Sum.By; nil of the Rest and where By has no columns
	Rest   bool     // all groups beyond the limit together
	Count  int64
	// First and Last are the times of the first and the last that were counted.
	First, Last time.Time
}

// Check says what is wrong with the sum; nil: it can be asked.
func (s *Sum) Check() error {
	table := events
	if s.Usage {
		table = usages
	}
	for _, name := range append(slices.Clone(s.By), s.Distinct) {
		if name == "" && s.Distinct == "" {
			continue
		}
		c, ok := table.Lookup(name)
		switch {
		case !ok || c.Name != name:
			return fmt.Errorf("there is no column %q to count by", name)
		case c.Type == List || c.Type == JSON || c.Type == Time:
			return fmt.Errorf("column %s is not of one value that can be counted by", name)
		}
	}
	var wrong error
	Terms(s.Where, func(term Expr) {
		if _, word := term.(Word); word && s.Usage {
			wrong = fmt.Errorf("usage has no text to find words in")
			return
		}
		if f := FieldOf(term); s.Usage && !table.has(f) {
			wrong = fmt.Errorf("usage has no column %q", f)
		}
	})
	switch {
	case wrong != nil:
		return wrong
	case s.Width < 0 || s.Width > 0 && (s.Step < s.Width || s.Width%time.Second != 0 || s.Step%time.Second != 0 || s.Start.IsZero() || s.Start.Nanosecond() != 0):
		return fmt.Errorf("buckets of %s every %s from %s cannot be made", s.Width, s.Step, s.Start)
	case s.Usage && (s.Width%time.Hour != 0 || s.Step%time.Hour != 0 || s.Start.Unix()%3600 != 0 && s.Width > 0):
		return fmt.Errorf("usage has no buckets of parts of hours")
	}
	return nil
}

// Bucket tells in which bucket a time lies; false: between two or before the first.
func (s *Sum) Bucket(t time.Time) (int, bool) {
	if s.Width == 0 {
		return 0, true
	}
	d := t.Sub(s.Start)
	return int(d / s.Step), d >= 0 && d%s.Step < s.Width
}

// OfResources tells whether a sum of usage counts the rows of resources.
func (s *Sum) OfResources() bool {
	const column = "resource_uid"
	yes := slices.Contains(s.By, column) || s.Distinct == column
	Terms(s.Where, func(term Expr) { yes = yes || FieldOf(term) == column })
	return yes
}

// usages is the table of the columns of usage that filters may name: those of its
// key, as they are in events.
var usages = func() *Table {
	var specs []Spec
	for _, u := range UsageColumns() {
		if c, ok := events.Lookup(u.Name); ok {
			specs = append(specs, *c)
		}
	}
	return NewTable(specs)
}()

// UsageFilter is the table over which filters of usage are written.
func UsageFilter() *Table { return usages }

// Events is the table over which filters of events are written.
func Events() *Table { return events }
