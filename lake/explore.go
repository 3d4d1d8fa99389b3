package lake

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/query"
)

// Explorer counts without reading events, for those who look around; some engines.
type Explorer interface {
	// Histogram counts the events that q chooses, its limit left aside, in buckets
	// of equal width, at most so many. A query that is open at an end begins or
	// ends with what is stored. It answers within the time that ctx gives, of a
	// part of the events if need be, which the answer says.
	Histogram(ctx context.Context, q query.Query, buckets int, patience time.Duration) (Histogram, error)
	// Values gives the values that occur most in each of some columns, at most so
	// many of each, of the events that q chooses; patience as above. A list counts
	// once for each of its values. Columns are named as by query.Columns; raw has
	// no values.
	Values(ctx context.Context, q query.Query, fields []string, most int, patience time.Duration) (FieldValues, error)
}

// Histogram is how many events there are over time.
type Histogram struct {
	Since time.Time `json:"since" doc:"start of the first bucket"`
	Until time.Time `json:"until" doc:"end of the last bucket"`
	// Width is that of every bucket, in seconds.
	Width   int64    `json:"width" doc:"of a bucket, in seconds"`
	Buckets []Bucket `json:"buckets" doc:"every bucket, those without events included"`
	Total   int64    `json:"total"`
	Sample
}

// Bucket counts the events in [Time, Time + Width).
type Bucket struct {
	Time  time.Time `json:"time"`
	Count int64     `json:"count" doc:"an estimate where part is less than 1"`
	// Part is which part of its events was looked at: 0: nothing is known.
	Part float64 `json:"part" minimum:"0" maximum:"1" doc:"part of its events that was looked at; 0: nothing is known of it"`
}

// FieldValues is which values occur how often.
type FieldValues struct {
	Total  int64      `json:"total" doc:"events that satisfy the filter; an estimate if sampled"`
	Fields []FieldTop `json:"fields"`
	Sample
}

// FieldTop is a column with the values that occur most.
type FieldTop struct {
	Field  string       `json:"field"`
	Values []ValueCount `json:"values" doc:"the most frequent first"`
	More   bool         `json:"more" doc:"there are other values"`
}

// ValueCount is a value as filters write it, and how many events have it.
type ValueCount struct {
	Value string `json:"value"`
	Count int64  `json:"count" doc:"an estimate if sampled"`
}

// Sample says how much was looked at. Counts of a sample are estimates: what was
// counted, times Stored / Looked.
type Sample struct {
	Sampled bool  `json:"sampled" doc:"only a part of the events was looked at: counts are estimates"`
	Looked  int64 `json:"looked" doc:"events that were looked at, whether they satisfy the filter or not"`
	Stored  int64 `json:"stored" doc:"events in the time that was asked for"`
}

// widths are those of buckets that people can read, in seconds; beyond them whole
// weeks are.
var widths = []int64{1, 5, 10, 30, 60, 300, 600, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 86400, 2 * 86400, 7 * 86400}

// Grid gives buckets for [since, until): the least of the readable widths with
// which they are at most so many, and the start of the first of them, which is a
// multiple of the width since 1970.
func Grid(since, until time.Time, buckets int) (start time.Time, width int64, n int) {
	first, last := since.Unix(), until.Add(-1).Unix()
	fit := func(w int64) bool { return floor(last, w)-floor(first, w) < int64(buckets)*w }
	for _, width = range widths {
		if fit(width) {
			break
		}
	}
	for !fit(width) {
		width *= 2
	}
	from := floor(first, width)
	return time.Unix(from, 0).UTC(), width, int((floor(last, width)-from)/width) + 1
}

func floor(s, width int64) int64 {
	m := s % width
	if m < 0 {
		m += width
	}
	return s - m
}

// ValueText is a column's value of an event as filters write it: of a list each
// of its values, of all else one.
func ValueText(c *query.Column, e *event.Event) []string {
	switch v := c.Value(e).(type) {
	case []string:
		return v
	case time.Time:
		return []string{v.UTC().Format(timeText)}
	case event.UID:
		return []string{v.String()}
	case float32:
		return []string{strconv.FormatFloat(float64(v), 'g', -1, 32)}
	default:
		return []string{fmt.Sprint(v)}
	}
}

// timeText is a time as filters write it.
const timeText = "2006-01-02T15:04:05.999999Z07:00"

// Tally counts values of fields.
type Tally struct {
	columns []*query.Column
	counts  []map[string]int64
	total   int64
}

// NewTally counts the values of those columns.
func NewTally(fields []string) (*Tally, error) {
	t := &Tally{}
	for _, name := range fields {
		c, ok := query.Lookup(name)
		if !ok || c.Type == query.JSON || c.Name != name {
			return nil, fmt.Errorf("events have no column %q whose values can be counted", name)
		}
		t.columns, t.counts = append(t.columns, c), append(t.counts, map[string]int64{})
	}
	return t, nil
}

// Add counts the values of an event.
func (t *Tally) Add(e *event.Event) {
	t.total++
	for i, c := range t.columns {
		for _, v := range ValueText(c, e) {
			t.counts[i][v]++
		}
	}
}

// Values are those that occur most, at most so many of each field, of a sample.
func (t *Tally) Values(most int, s Sample) FieldValues {
	out := FieldValues{Total: s.Scale(t.total), Sample: s}
	for i, c := range t.columns {
		f := FieldTop{Field: c.Name, Values: []ValueCount{}}
		for v, n := range t.counts[i] {
			f.Values = append(f.Values, ValueCount{v, s.Scale(n)})
		}
		out.Fields = append(out.Fields, f.Top(most))
	}
	return out
}

// Top leaves the most frequent values, then by value, and says whether there were
// others.
func (f FieldTop) Top(most int) FieldTop {
	slices.SortFunc(f.Values, func(a, b ValueCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Value, b.Value))
	})
	f.More = f.More || len(f.Values) > most
	f.Values = f.Values[:min(len(f.Values), most)]
	return f
}

// Scale makes an estimate for all events of what was counted in the sample.
func (s *Sample) Scale(n int64) int64 {
	if s.Looked == 0 || s.Looked >= s.Stored {
		return n
	}
	return int64(math.Round(float64(n) * float64(s.Stored) / float64(s.Looked)))
}
