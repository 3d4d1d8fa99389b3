package advise

import (
	"cmp"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/yagura-sec/yagura/cost"
	"github.com/yagura-sec/yagura/cost/count"
)

// month is how many days a month has in every figure.
const month = 30

// gap is how many days without any count at all part two times that were counted.
const gap = 7

// period is days, both included.
type period struct{ first, last time.Time }

func (p period) days() int64 { return int64(p.last.Sub(p.first)/(24*time.Hour)) + 1 }

func (p period) has(t time.Time) bool { return !t.Before(p.first) && !t.After(p.last) }

// thing is what is counted: a type in a place.
type thing struct {
	count.Place
	resourceType string
}

// tallied is what counts of a thing come to.
type tallied struct {
	thing
	basis            cost.Basis // of items
	items, low, high int64      // in during
	during           period
	resourceDays     int64 // in changing; -1: not known
	changing         period
}

// monthly is a sum of a period as that of a month.
func monthly(n int64, p period) decimal.Decimal {
	d := p.days()
	if d == month {
		return decimal.NewFromInt(n)
	}
	return decimal.NewFromInt(n*month).DivRound(decimal.NewFromInt(d), 6)
}

// bases from best to worst.
var bases = []cost.Basis{cost.Metric, cost.History, cost.Estimate}

// tally sums counts by thing, each over the latest days, 30 at most, on which its
// account was counted. Of several ways in which items were counted the best counts;
// which resources changed is taken from the best way that tells. In a time in which
// others were counted the same way, a day without counts is a day without items.
func tally(counts []cost.Count) []tallied {
	periods := periodsOf(counts)
	sums := map[thing]map[cost.Basis]*tallied{}
	for _, c := range counts {
		p, ok := periods[counted{c.Account, c.Basis}]
		if !ok || !p.has(c.Day) {
			continue
		}
		at := thing{count.Place{Account: c.Account, Region: c.Region}, c.ResourceType}
		if sums[at] == nil {
			sums[at] = map[cost.Basis]*tallied{}
		}
		s := sums[at][c.Basis]
		if s == nil {
			s = &tallied{thing: at, basis: c.Basis, during: p, changing: p}
			sums[at][c.Basis] = s
		}
		if c.Items >= 0 {
			s.items, s.low, s.high = s.items+c.Items, s.low+c.Low, s.high+c.High
		} else {
			s.items = -1
		}
		if c.ResourceDays < 0 || s.resourceDays < 0 {
			s.resourceDays = -1
		} else {
			s.resourceDays += c.ResourceDays
		}
	}
	var out []tallied
	for _, by := range sums {
		if t, ok := best(by); ok {
			out = append(out, t)
		}
	}
	slices.SortFunc(out, func(a, b tallied) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Region, b.Region), cmp.Compare(a.resourceType, b.resourceType))
	})
	return out
}

// best joins what several ways of counting say of a thing.
func best(by map[cost.Basis]*tallied) (t tallied, ok bool) {
	t.resourceDays = -1
	for _, b := range bases {
		s := by[b]
		if s == nil {
			continue
		}
		if !ok && s.items >= 0 {
			days, changing := t.resourceDays, t.changing
			t, ok = *s, true
			if days >= 0 {
				t.resourceDays, t.changing = days, changing
			}
		}
		if t.resourceDays < 0 && s.resourceDays >= 0 {
			t.resourceDays, t.changing = s.resourceDays, s.changing
		}
	}
	return t, ok
}

// counted is an account and how it was counted.
type counted struct {
	account string
	basis   cost.Basis
}

// periodsOf are the days that are judged, by account and way of counting: the latest
// time without a gap in which anything was counted that way, and the account in it.
func periodsOf(counts []cost.Count) map[counted]period {
	days := map[cost.Basis][]time.Time{}
	last := map[counted]time.Time{}
	for _, c := range counts {
		days[c.Basis] = append(days[c.Basis], c.Day)
		k := counted{c.Account, c.Basis}
		if c.Day.After(last[k]) {
			last[k] = c.Day
		}
	}
	times := map[cost.Basis][]period{}
	for b, all := range days {
		slices.SortFunc(all, time.Time.Compare)
		for _, d := range all {
			runs := times[b]
			if n := len(runs); n > 0 && d.Sub(runs[n-1].last) <= gap*24*time.Hour {
				runs[n-1].last = d
				continue
			}
			times[b] = append(runs, period{d, d})
		}
	}
	out := map[counted]period{}
	for k, t := range last {
		for _, p := range times[k.basis] {
			if p.has(t) {
				if start := p.last.AddDate(0, 0, 1-month); p.first.Before(start) {
					p.first = start
				}
				out[k] = p
			}
		}
	}
	return out
}
