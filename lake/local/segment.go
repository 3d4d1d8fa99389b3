package local

import (
	"time"

	"github.com/yagura-sec/yagura/event"
)

// segment is one Parquet file of events, all of one UTC day, in the order
// (account_uid, api_operation, time, uid).
type segment struct {
	ID    int64
	Path  string // absolute
	Day   int32  // days since 1970-01-01 UTC
	Rows  int64
	Bytes int64
	// Bounds of its rows, inclusive.
	MinTime, MaxTime           time.Time
	MinAccount, MaxAccount     string
	MinOperation, MaxOperation string
	// Batch is the batch that wrote it, zero once merged. In a rewritten segment
	// it is the batch of its first row.
	Batch event.BatchID
	// Released: no batch waits to be judged from this file, so it may be merged.
	Released bool
}

// fresh segments are as an append or a rewrite wrote them: small, quickly
// compressed, with small pages.
func (g *segment) fresh() bool { return g.Batch != event.BatchID{} }

// usageSegment is one Parquet file of usage rows, all of one UTC month.
type usageSegment struct {
	ID    int64
	Path  string // absolute
	Month int32  // year*12 + month-1
	Rows  int64
	Bytes int64
	// Bounds of its hours, inclusive.
	MinHour, MaxHour time.Time
	// Fanout is the largest number of resources of one group (see
	// usage.Fold): if the fanouts of some segments sum to the cap or less,
	// adding their rows up cannot exceed it.
	Fanout int64
}

const daySeconds = 24 * 60 * 60

// dayOf is the UTC day of t, floored also before 1970.
func dayOf(t time.Time) int32 {
	s := t.Unix()
	d := s / daySeconds
	if s%daySeconds < 0 {
		d--
	}
	return int32(d)
}

func dayTime(d int32) time.Time { return time.Unix(int64(d)*daySeconds, 0).UTC() }

func monthOf(t time.Time) int32 {
	t = t.UTC()
	return int32(t.Year())*12 + int32(t.Month()) - 1
}
