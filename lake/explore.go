package lake

import (
	"context"
	"time"

	"github.com/yagura-sec/yagura/query"
)

// Explorer counts without reading events, for those who look around; some engines.
type Explorer interface {
	// Histogram counts the events that q chooses, its limit left aside, in buckets
	// of equal width, at most so many. A query that is open at an end begins or
	// ends with what is stored. It answers within the time that ctx gives, of a
	// part of the events if need be, which the answer says.
	Histogram(ctx context.Context, q query.Query, buckets int) (Histogram, error)
	// Values gives the values that occur most in each of some columns, at most so
	// many of each, of the events that q chooses; the same holds for its time. A
	// list counts once for each of its values. Columns are named as by
	// query.Columns; raw has no values.
	Values(ctx context.Context, q query.Query, fields []string, most int) (FieldValues, error)
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
	Count int64     `json:"count"`
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
