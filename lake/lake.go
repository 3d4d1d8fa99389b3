// Package lake keeps events and hourly usage; each folder is one engine.
package lake

import (
	"context"
	"iter"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/usage"
)

// Appender stores batches.
type Appender interface {
	// Append stores the batch's new events and their usage, durably, or
	// nothing. Batch.Events carry everything but Batch, which Append sets.
	//
	// An event whose uid is already stored is a duplicate, unless the stored one
	// came from the same object, version and position: then this is a re-read
	// and counts as stored again, without being stored or new. If a duplicate's
	// canonical body differs it is a conflict and comes back as a Reject.
	// Appending a batch again returns the first answer. The batch stays
	// unreleased until Release. It may be called from several goroutines.
	Append(ctx context.Context, b event.Batch) (Appended, error)
	// Release says that every other room has its part of the batch; only then
	// may its segments be merged. Releasing twice is no error.
	Release(ctx context.Context, id event.BatchID) error
	// Unreleased reads back every batch that was appended and not released,
	// with its new events only and its rejects (conflicts included) and digests.
	Unreleased(ctx context.Context) iter.Seq2[Recovered, error]
}

// Appended says what became of a batch.
type Appended struct {
	Batch event.BatchID
	New   []int               // indices into Batch.Events that were stored now, ascending
	Spans []event.SpanAccount // of all of the batch's spans, in their order
	// Conflicts are events whose uid is stored with another body.
	Conflicts []event.Reject
	// Again: the batch had been appended before; New refers to that time.
	Again bool
}

// Recovered is an unreleased batch as read back: Events are the new ones,
// Rejects and Digests as they were settled or are to be.
type Recovered struct {
	Batch   event.BatchID
	At      time.Time // ingest time of the batch
	Events  []event.Event
	Spans   []event.SpanAccount
	Rejects []event.Reject
	Digests []event.Digest
}

// Selecter finds events.
type Selecter interface {
	// Select yields events in the query's order, (time, uid) ascending or
	// descending. Raw is filled unless q.NoRaw. A yielded event is valid after the
	// next step.
	Select(ctx context.Context, q query.Query) iter.Seq2[event.Event, error]
}

// Conditioner finds events by a condition in the engine's own SQL; some engines.
type Conditioner interface {
	// Dialect is the SQL that conditions are written in: "duckdb".
	Dialect() string
	// SelectWhere yields the events for which c holds, in order of (time, uid)
	// if c asks for it, else in any order. Only the columns asked for are
	// filled. It keeps its memory bounded whatever the number of events. A
	// yielded event's Raw is valid until the next step, all else stays.
	SelectWhere(ctx context.Context, c Condition) iter.Seq2[event.Event, error]
}

// Condition chooses events by SQL text that we wrote, never a person's.
type Condition struct {
	Since, Until time.Time // event time in [Since, Until); zero: open
	Where        string    // over the columns of events, with ? for Args; empty: every event
	Args         []any     // text, int64, float64, bool, time.Time
	Columns      []string  // of event.Event, by column name; time and uid always come
	Ordered      bool
}

// UsageReader reads hourly sums.
type UsageReader interface {
	// Usage yields one row a key, ascending by hour, then by the other fields.
	Usage(ctx context.Context, q usage.Query) iter.Seq2[usage.Row, error]
}

// UsageConditioner sums usage by a condition in the engine's own SQL; some engines.
type UsageConditioner interface {
	// Dialect is the SQL that conditions are written in: "duckdb".
	Dialect() string
	// UsageWhere yields the sums of the rows for which c holds, one a combination
	// of hour and the columns of c.By, ascending by hour and then by those columns
	// in the order of c.By. The fields of a row that are not summed by are empty.
	UsageWhere(ctx context.Context, c UsageCondition) iter.Seq2[usage.Row, error]
}

// UsageCondition chooses and sums rows of usage by SQL text that we wrote, never
// a person's.
type UsageCondition struct {
	Since, Until time.Time // hours in [Since, Until); zero: open
	// Where is over the columns of a row's key, with ? for Args; empty: every row.
	// Of resource_uid it may ask no more than whether it is empty, for resources
	// beyond the cap of their group have given up their names.
	Where string
	Args  []any    // text, int64, float64, bool, time.Time
	By    []string // columns of usage.Key but the hour; nil: all of them
}

// Counter counts events without reading them.
type Counter interface {
	Count(ctx context.Context, q query.Query) (int64, error)
}

// Expirer applies retention.
type Expirer interface {
	// Expire drops the events of days (UTC) before that of t; usage stays. It
	// returns how many. An event of such a day that arrives later counts as
	// expired. Events of batches not yet released are left for the next time.
	Expire(ctx context.Context, t time.Time) (int64, error)
}

// Merger puts small segments together.
type Merger interface {
	// Merge works until the lake is at rest or ctx ends.
	Merge(ctx context.Context) error
}

// Tender merges while batches still arrive.
type Tender interface {
	// Tend does the merging that is worth doing although more is to come, and
	// returns. Merge then has less to do; calling Merge instead, again and again
	// during an ingest, would write every event more often.
	Tend(ctx context.Context) error
}

// Rewriter replaces stored events by newer readings of their raw records.
type Rewriter interface {
	// Rewrite passes every event with time in [since, until) to f and stores
	// what f returns under the same uid, time, object, position and batch, and recomputes the usage
	// of the hours concerned. It returns how many changed.
	Rewrite(ctx context.Context, since, until time.Time, f func(event.Event) (event.Event, error)) (changed int64, err error)
}

// UsageRebuilder recomputes usage from events.
type UsageRebuilder interface {
	// RebuildUsage recomputes the hours in [since, until) whose events are all
	// still held; refused names those that are not, with why.
	RebuildUsage(ctx context.Context, since, until time.Time) (rebuilt int, refused []RefusedHour, err error)
}

// RefusedHour is an hour whose usage cannot be recomputed.
type RefusedHour struct {
	Hour   time.Time
	Reason string
}

// Backuper copies itself.
type Backuper interface {
	// Backup writes a consistent copy into an empty or absent folder while
	// reading and writing go on.
	Backup(ctx context.Context, dir string) error
}

// Store is what every engine offers.
type Store interface {
	Appender
	Selecter
	UsageReader
	Close() error
}
