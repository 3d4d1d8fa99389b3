package dashboard

import (
	"context"
	"time"

	"github.com/yagura-sec/yagura/query"
)

const week = 7 * 24 * time.Hour

// pastWeeks is against how many weeks before a count is held.
const pastWeeks = 4

// widths are those of a timeline's buckets, each of which fits into a week so that
// buckets of different weeks can be compared; beyond them are weeks.
var widths = []time.Duration{time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour, week}

// mostBuckets is how many a timeline has at most, before weeks.
const mostBuckets = 96

// grid gives the buckets of a timeline: their width, the start of the first, which
// begins a bucket of its own, and how many there are.
func grid(since, until time.Time) (start time.Time, width time.Duration, n int) {
	for _, width = range widths {
		start = since.UTC().Truncate(width)
		if n = int((until.Sub(start) + width - 1) / width); n <= mostBuckets {
			break
		}
	}
	return start, width, n
}

// timeline counts over time, with the weeks before.
func (x *asked) timeline(ctx context.Context) error {
	start, width, n := grid(x.ask.Since, x.ask.Until)
	past := pastWeeks * int(week/width)
	if width == week || x.Judge == nil {
		past = 0
	}
	s := x.sum()
	s.Start, s.Width, s.Step, s.From = start.Add(-time.Duration(past)*width), width, width, past
	s.Since, s.Until = s.Start, x.ask.Until
	if s.Usage {
		s.Until = wholeHour(s.Until)
	}
	groups, of, err := x.counts(ctx, s)
	if err != nil {
		return err
	}
	x.columns()
	x.out.Start, x.out.Width = start, int64(width/time.Second)
	all := gather(groups, past+n)
	base := gather(of, past+n)
	unknown := x.unknownBefore(start, width, n)
	var shown []*gathered
	for i, g := range all {
		if g.sumFrom(past) == 0 && (base == nil || base[i].sumFrom(past) == 0) {
			continue
		}
		shown = append(shown, g)
		one := Series{By: append([]string{}, g.by...), Rest: g.rest, Total: g.sumFrom(past), Counts: g.counts[past:]}
		x.out.Total += one.Total
		if base != nil {
			one.Of = base[i].counts[past:]
			x.out.Of += base[i].sumFrom(past)
		}
		for b := range unknown {
			one.Counts[b] = -1
		}
		x.out.Series = append(x.out.Series, one)
	}
	x.judgeTimeline(shown, start, width, past, n)
	return nil
}

// unknownBefore are the first buckets of which the log tells nothing, for it begins
// later.
func (x *asked) unknownBefore(start time.Time, width time.Duration, n int) int {
	if x.out.State != Began {
		return 0
	}
	return min(int(x.out.Log.First.Sub(start)/width), n)
}

// gathered is a group with its counts by bucket.
type gathered struct {
	by     []string
	rest   bool
	counts []int64
}

func (g *gathered) sumFrom(i int) (n int64) {
	for _, c := range g.counts[i:] {
		n += c
	}
	return n
}

// gather puts the buckets of each group together, groups in their order.
func gather(groups []query.Group, n int) []*gathered {
	var out []*gathered
	at := map[string]*gathered{}
	for _, g := range groups {
		key := groupKey(g)
		if at[key] == nil {
			at[key] = &gathered{g.By, g.Rest, make([]int64, n)}
			out = append(out, at[key])
		}
		if g.Bucket < n {
			at[key].counts[g.Bucket] += g.Count
		}
	}
	return out
}

// groups counts the time as a whole, with spans as long and at the same place of
// the week before it.
func (x *asked) groups(ctx context.Context) error {
	s := x.sum()
	span := x.ask.Until.Sub(x.ask.Since)
	step := (span + week - 1) / week * week
	s.Start, s.Width, s.Step, s.From = x.ask.Since.Add(-pastWeeks*step), span, step, pastWeeks
	if x.Judge == nil {
		s.Start, s.From = x.ask.Since, 0
	}
	if s.Usage {
		// Both ends go to the end of their hour, so that a week stays one.
		first := wholeHour(x.ask.Since)
		s.Width = max(time.Hour, wholeHour(x.ask.Until).Sub(first))
		s.Step = (s.Width + week - 1) / week * week
		s.Start = first.Add(-time.Duration(s.From) * s.Step)
	} else {
		s.Start, s.Width = s.Start.Truncate(time.Second), (s.Width + time.Second - 1).Truncate(time.Second)
		s.Step = max(s.Step, (s.Width+week-1)/week*week)
	}
	s.Since, s.Until = s.Start, s.Start.Add(time.Duration(s.From)*s.Step+s.Width)
	groups, of, err := x.counts(ctx, s)
	if err != nil {
		return err
	}
	x.columns()
	x.out.Columns = append(x.out.Columns, Heading{"count", "number"})
	if of != nil {
		x.out.Columns = append(x.out.Columns, Heading{"of", "number"}, Heading{"share", "share"})
	}
	all, base := gather(groups, s.From+1), gather(of, s.From+1)
	var shown []*gathered
	for i, g := range all {
		n, m := g.counts[s.From], int64(0)
		if base != nil {
			m = base[i].counts[s.From]
		}
		if n == 0 && m == 0 {
			continue
		}
		shown = append(shown, g)
		x.out.Total += n
		x.out.Of += m
		x.out.Rows = append(x.out.Rows, x.row(g, n, m, of != nil))
	}
	x.judgeGroups(shown, s)
	return nil
}

// row is a group's values; those of the rest are null.
func (x *asked) row(g *gathered, n, of int64, share bool) []any {
	var row []any
	for i := range x.q.By {
		if g.rest {
			row = append(row, nil)
			continue
		}
		row = append(row, g.by[i])
	}
	row = append(row, n)
	if share {
		part := 0.0
		if of > 0 {
			part = float64(n) / float64(of)
		}
		row = append(row, of, part)
	}
	return row
}
