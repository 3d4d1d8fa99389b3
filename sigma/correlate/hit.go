package correlate

import (
	"fmt"
	"iter"
	"time"
)

// Hit is a match of a base rule, or a firing that feeds another correlation.
type Hit struct {
	Base *Base
	Time time.Time // of the event
	// ID is that of the event. A hit of the same rule with the same id and the
	// same time is the same hit, however often it comes, and an event that
	// several rules matched counts once. One id at two times is two events.
	// Empty: an event of which nothing else is known.
	ID string
	// Values are those of Base.Fields, in their order; none: the field is absent.
	Values [][]string

	// Data is the caller's: it goes along with the hit and is not looked at.
	Data any

	// From is the firing that this hit stands for; Base is nil then.
	From *Firing
}

// Lookup gives the values of a field for which the record is not the source.
// It is asked first; known false sends the question to the record.
type Lookup func(field string) (values []string, known bool)

// Hit makes a hit of the rule. Ask may be nil.
func (b *Base) Hit(at time.Time, id string, record []byte, ask Lookup) (Hit, error) {
	h := Hit{Base: b, Time: at, ID: id}
	if ask != nil {
		h.Values = make([][]string, len(b.Fields))
		known := 0
		for i, field := range b.Fields {
			if values, ok := ask(field); ok {
				h.Values[i] = append(make([]string, 0, len(values)), values...)
				known++
			}
		}
		if known == len(b.Fields) {
			return h, nil
		}
	}
	read, err := b.reader.Read(record)
	if err != nil {
		return Hit{}, fmt.Errorf("hit of rule %s: %w", b.Rule.Key(), err)
	}
	for i := range h.Values {
		if h.Values[i] != nil {
			read[i] = h.Values[i]
		}
	}
	h.Values = read
	return h, nil
}

// Firing is one time at which the condition of a correlation held for a group.
// While it goes on to hold, every further moment at which a hit comes is a firing
// of its own, which lists the hits before again.
type Firing struct {
	Correlation *Correlation
	// Group is the values of group-by, in its order.
	Group []string
	// First is the time of the first of Hits, Last that of the last.
	First, Last time.Time
	// At is when it could be said: the time of the last hit, or later where
	// something had to stay out first.
	At time.Time
	// Value is the number that the condition is about.
	Value float64
	// Condition is the condition in words: "value_count of user >= 10 in 5m".
	Condition string
	// Hits are those that it rests on, in order of time. They must not be changed.
	Hits []*Hit
	// New is the place in Hits of the first hit that no earlier firing of the
	// same group lists: 0 where the firing begins something new.
	New int
	// Lost is how many further hits belong here but were not kept: Value is
	// then a lower bound.
	Lost int

	group *group // nil if Hits are not one stretch of what the group had
	start int    // of Hits in all that the group had
}

// Continues tells whether the firing shares hits with an earlier one.
func (f *Firing) Continues() bool { return f.New > 0 }

// Events gives the base hits on which firings rest, through all chains, each
// once. It is fastest if the firings are in the order in which they were given.
func Events(firings ...*Firing) iter.Seq[*Hit] {
	return func(yield func(*Hit) bool) {
		w := walk{last: map[*group]stretch{}, seen: map[*Hit]bool{}, yield: yield}
		for _, f := range firings {
			if !w.firing(f) {
				return
			}
		}
	}
}

// stretch is a part of all the hits that a group had.
type stretch struct{ from, to int }

type walk struct {
	last  map[*group]stretch // what was told last
	seen  map[*Hit]bool
	yield func(*Hit) bool
}

// firing tells what was not told yet. Of the group's last firing only the rest
// is looked at: the firings of a long brute force overlap nearly wholly.
func (w *walk) firing(f *Firing) bool {
	hits := f.Hits
	if f.group != nil {
		is, was := stretch{f.start, f.start + len(hits)}, w.last[f.group]
		if is.from >= was.from {
			hits = hits[min(max(was.to-is.from, 0), len(hits)):]
		}
		w.last[f.group] = is
	}
	for _, h := range hits {
		if w.seen[h] {
			continue
		}
		w.seen[h] = true
		if h.From != nil {
			if !w.firing(h.From) {
				return false
			}
		} else if !w.yield(h) {
			return false
		}
	}
	return true
}
