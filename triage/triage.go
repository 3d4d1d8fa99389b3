// Package triage keeps findings and people's decisions; each folder is one
// place to keep them.
package triage

import (
	"context"
	"errors"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
)

// ErrNotFound: no finding has that key.
var ErrNotFound = errors.New("no such finding")

// ErrCursor: a cursor is not one that List gave.
var ErrCursor = errors.New("not one that List gave")

// Recorder takes what detectors say.
type Recorder interface {
	// Record keeps what was judged of a batch, durably, before it returns. Recording a
	// batch again replaces what it contributed, so running anything twice
	// doubles nothing, and the order in which batches are recorded does not
	// change any finding.
	Record(ctx context.Context, batch event.BatchID, j finding.Judged) error
}

// Reader answers questions about findings.
type Reader interface {
	// List gives findings, highest priority first, then latest, then key; next
	// is the cursor of the following page, empty at the end. A cursor that is
	// none is ErrCursor.
	List(ctx context.Context, f Filter) (page []finding.Finding, next string, err error)
	// Get gives one finding by its key or an unambiguous prefix of at least
	// eight characters; ErrNotFound otherwise.
	Get(ctx context.Context, key string) (finding.Finding, error)
	// Counters gives the rules that are demoted, each with its day, by day,
	// rule and log source. Findings of high and critical severity stay in List
	// even then: see finding.Demoted.
	Counters(ctx context.Context) ([]finding.Tally, error)
}

// Decider takes what people decide.
type Decider interface {
	// Decide applies d to the finding and writes an audit line; ErrNotFound
	// when there is none.
	Decide(ctx context.Context, key string, d finding.Decision) (finding.Finding, error)
}

// Compacter bounds what live batches leave behind; some engines.
type Compacter interface {
	// Compact puts the occurrences of released batches together, one per key
	// and day, and returns how many it saved. No finding changes. A batch for
	// which released says true is never recorded again: what it contributed
	// cannot be told apart any more.
	Compact(ctx context.Context, released func(event.BatchID) bool) (saved int64, err error)
}

// Store is all of triage.
type Store interface {
	Recorder
	Reader
	Decider
	Close() error
}

// Filter chooses findings. Empty fields choose all.
type Filter struct {
	Severity     finding.Severity // at least this
	Status       []finding.Status
	Kind         finding.Kind
	Rule         string
	Account      string
	Actor        string
	Resource     string
	Text         string    // in title, actor or resource, any case
	Since, Until time.Time // LastSeen in [Since, Until)
	Demoted      bool      // also findings of demoted rules
	Limit        int       // 0: all
	Cursor       string
}
