// Package ledger accounts for every record of every object: listed, read,
// stored, duplicate, expired or quarantined; each folder is one place to keep it.
package ledger

import (
	"cmp"
	"context"
	"iter"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/say"
	"github.com/yagura-sec/yagura/source"
)

// Settlement is the account of one batch.
type Settlement struct {
	Batch    event.BatchID
	At       time.Time // when it was read
	Spans    []event.SpanAccount
	Rejects  []event.Reject
	Digests  []event.Digest
	Coverage []Coverage // of the batch's new events
}

// Coverage counts stored events of an account and region in an hour.
type Coverage struct {
	Account string    `json:"account"`
	Region  string    `json:"region"`
	Hour    time.Time `json:"hour"`
	Records int64     `json:"records"`
}

// Settler takes the account of batches.
type Settler interface {
	// List remembers that objects exist, before they are read.
	List(ctx context.Context, objects []event.Object) error
	// Settled says what is known of an object: see source.Settled.
	Settled(ctx context.Context, object string) ([]source.Progress, error)
	// Settle replaces the account of the spans: whatever part of earlier spans
	// of the same object and version they overlap is cut out, its verdicts and
	// its quarantined records with it. Coverage is added once per batch id. It
	// is one step, durable when it returns; settling a batch again changes
	// nothing.
	Settle(ctx context.Context, s Settlement) error
}

// Reader answers questions about the account.
type Reader interface {
	Totals(ctx context.Context) (Totals, error)
	// Objects yields the account of each object, by name, then version.
	Objects(ctx context.Context, f ObjectFilter) iter.Seq2[Object, error]
	// Coverage yields counts per account, region and hour, in that order.
	Coverage(ctx context.Context, since, until time.Time) iter.Seq2[Coverage, error]
	// Digests yields every digest, by account, region and end.
	Digests(ctx context.Context) iter.Seq2[event.Digest, error]
	// Quarantine yields what is kept there, oldest first; Body is filled. What
	// is Superseded is kept, but waits for nothing.
	Quarantine(ctx context.Context) iter.Seq2[Quarantined, error]
	// Rejected yields why each record of the quarantine is there, in any order.
	Rejected(ctx context.Context) iter.Seq2[Rejected, error]
}

// Quarantined is a rejected record that waits.
type Quarantined struct {
	ID int64 `json:"id"`
	event.Reject
	// BodyDropped: the body was too large, or the quarantine was full.
	BodyDropped bool `json:"body_dropped"`
	// Superseded: it is of a version of its object that is.
	Superseded bool `json:"superseded"`
}

// Store is all of the ledger.
type Store interface {
	Settler
	Reader
	Close() error
}

// Totals over everything, superseded versions with it, so that Read = Stored +
// Duplicate + Quarantined + Expired.
type Totals struct {
	Objects     int64 `json:"objects"` // without superseded versions
	Read        int64 `json:"read"`
	Stored      int64 `json:"stored"`
	Duplicate   int64 `json:"duplicate"`
	Quarantined int64 `json:"quarantined"`
	Expired     int64 `json:"expired"`
}

// Object is the account of one version of one object. Records = Stored +
// Duplicate + Quarantined + Expired.
type Object struct {
	Name        string     `json:"name"`
	Version     string     `json:"version"`
	Kind        event.Kind `json:"kind,omitempty"`
	Size        int64      `json:"size"`
	Listed      time.Time  `json:"listed"`
	Read        time.Time  `json:"read,omitzero"` // zero: not yet
	Records     int64      `json:"records"`
	Stored      int64      `json:"stored"`
	Duplicate   int64      `json:"duplicate"`
	Quarantined int64      `json:"quarantined"`
	Expired     int64      `json:"expired"`
	State       State      `json:"state"`
	Reason      say.Text   `json:"reason,omitzero"`
	SHA256      string     `json:"sha256,omitempty"`
	// Formats that its records were read as, by name; together Records.
	Formats []FormatRecords `json:"formats,omitempty"`
}

// State is how far an object is.
type State string

// The states. Partial: not read to its end, and Reason says why. Growing: read
// to its present end; whatever is appended will be read too, by a source that
// follows it or the next time. Aside: no log, it only lies beside them (Reason
// says what it is). Superseded: replaced by a later version of the same object,
// which was read to its end and holds again every record that was read of this
// one. Its records and rejects stay counted here and in the totals, as they were
// read and stored; but nothing of it is missing any more.
//
// Of these Partial and Failed are incomplete.
const (
	Waiting    State = "listed"
	Partial    State = "partial"
	Growing    State = "growing"
	Complete   State = "complete"
	Failed     State = "failed" // nothing could be read
	Aside      State = "aside"
	Superseded State = "superseded"
)

// ObjectFilter chooses objects. Empty fields choose all.
type ObjectFilter struct {
	Name   string // exactly
	States []State
	After  Place // only what is behind it
}

// Place is where an object stands in the order of Objects; the zero Place is
// before all.
type Place struct{ Name, Version string }

// Compare orders by name, then version.
func (p Place) Compare(q Place) int {
	return cmp.Or(cmp.Compare(p.Name, q.Name), cmp.Compare(p.Version, q.Version))
}
