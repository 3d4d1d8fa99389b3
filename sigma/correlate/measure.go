package correlate

import (
	"math"
	"slices"
	"strconv"

	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/ir"
)

// measure is the number that a condition is about, kept up to date while hits
// come into a window and leave it.
type measure struct {
	kind       sigma.CorrelationType
	share      bool    // value_percentile without a percentile
	percentile float64 // of 100

	n     int            // hits
	rules []int          // hits by member
	kinds int            // members with hits
	keys  map[string]int // hits by value
	nums  int            // numbers
	whole int64          // the sum of those that are small whole numbers
	parts int            // how many are not
	order []float64      // the numbers, sorted
}

func newMeasure(c *Correlation) measure {
	m := measure{kind: c.Type, percentile: 50}
	switch c.Type {
	case sigma.Temporal, sigma.TemporalOrdered:
		m.rules = make([]int, len(c.members))
	case sigma.ValueCount:
		m.keys = map[string]int{}
	case sigma.ValuePercentile:
		if c.Condition.Percentile != nil {
			m.percentile = *c.Condition.Percentile
		} else {
			m.share, m.keys = true, map[string]int{}
		}
	}
	return m
}

// keyed tells whether values are told apart, not reckoned with.
func (m *measure) keyed() bool { return m.keys != nil }

// ranked tells whether the numbers have to be in order.
func (m *measure) ranked() bool {
	return !m.share && (m.kind == sigma.ValuePercentile || m.kind == sigma.ValueMedian)
}

// exact is below which whole numbers can be added up by the million.
const exact = 1 << 40

func (m *measure) add(en *entry)    { m.count(en, 1) }
func (m *measure) remove(en *entry) { m.count(en, -1) }

func (m *measure) count(en *entry, by int) {
	if !en.again {
		m.n += by
	}
	if m.rules != nil {
		before := m.rules[en.member] > 0
		m.rules[en.member] += by
		if after := m.rules[en.member] > 0; after != before {
			m.kinds += by
		}
	}
	for _, k := range en.keys {
		if m.keys[k] += by; m.keys[k] == 0 {
			delete(m.keys, k)
		}
	}
	m.nums += by * len(en.nums)
	for _, x := range en.nums {
		if x == math.Trunc(x) && math.Abs(x) <= exact {
			m.whole += int64(by) * int64(x)
		} else {
			m.parts += by
		}
		if m.ranked() {
			i, _ := slices.BinarySearch(m.order, x)
			if by > 0 {
				m.order = slices.Insert(m.order, i, x)
			} else {
				m.order = slices.Delete(m.order, i, i+1)
			}
		}
	}
}

// value is the number for the window, which entries are; false: there is none,
// as of an average of nothing.
func (m *measure) value(entries []entry) (float64, bool) {
	switch m.kind {
	case sigma.EventCount:
		return float64(m.n), true
	case sigma.ValueCount:
		return float64(len(m.keys)), true
	case sigma.Temporal, sigma.TemporalOrdered:
		return float64(m.kinds), true
	}
	if m.nums == 0 {
		return 0, false
	}
	switch m.kind {
	case sigma.ValueSum:
		return m.sum(entries), true
	case sigma.ValueAvg:
		return m.sum(entries) / float64(m.nums), true
	case sigma.ValueMedian:
		return quantile(m.order, 50), true
	}
	return quantile(m.order, m.percentile), true
}

// sum adds up anew where there are fractions: taking away what was added leaves
// traces, and what a window comes to must not depend on what was before it.
func (m *measure) sum(entries []entry) float64 {
	if m.parts == 0 {
		return float64(m.whole)
	}
	sum := 0.0
	for i := range entries {
		for _, x := range entries[i].nums {
			sum += x
		}
	}
	return sum
}

// fullness is by which of two windows the fuller one is found.
func (m *measure) fullness(value float64) float64 {
	switch {
	case m.share:
		return float64(m.n)
	case m.kind == sigma.ValueAvg, m.ranked():
		return float64(m.nums)
	}
	return value
}

// quantile is the percentile of sorted numbers, between two of them linearly.
func quantile(sorted []float64, percentile float64) float64 {
	at := percentile / 100 * float64(len(sorted)-1)
	i := int(at)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}

// number reads a value: a number, or text that holds one as JSON writes it.
func number(s string) (float64, bool) {
	if _, ok := ir.ParseDecimal(s); !ok {
		return 0, false
	}
	x, err := strconv.ParseFloat(s, 64)
	return x, err == nil
}
