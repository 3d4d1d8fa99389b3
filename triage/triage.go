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
	// and day, and returns how many it saved. No finding changes, and hunts
	// replace what they did before. A batch for which released says true is
	// never recorded again: what it contributed cannot be told apart any more.
	Compact(ctx context.Context, released func(event.BatchID) bool) (saved int64, err error)
}

// Hunts keeps what hunters say, and where they have to look.
type Hunts interface {
	// Marks gives the hours that are marked, by hunter and hour. Record sets
	// those of Judged.Marks in the same transaction as the rest; a mark that is
	// there already gets a newer Seq.
	Marks(ctx context.Context) ([]finding.Mark, error)
	// RecordHunt replaces all that h.Hunter ever said of the hours of h and,
	// where h is a rule's, what batches said of that rule on the days that lie
	// wholly within them, its match counts included; it takes away the hunter's
	// marks of those hours whose Seq is at most seen, and sees to it that the
	// hours of h.Again are marked. All in one transaction: running a hunt twice
	// changes nothing.
	//
	// What batches recorded so far said of the rule on those days stays replaced
	// when they are recorded again; a batch recorded for the first time adds to
	// what is there. So whoever hunts for a rule that judges batches too lets no
	// batch be between Append and Record meanwhile.
	RecordHunt(ctx context.Context, h finding.Hunt, seen int64) error
	// Notes gives what the hunter kept of the days in [since, until) by
	// Hunt.Notes, in order.
	Notes(ctx context.Context, hunter string, since, until time.Time) ([]finding.Note, error)
}

// Stager keeps which rules are on trial.
type Stager interface {
	// Stages gives every trial, latest first for each rule.
	Stages(ctx context.Context) ([]finding.Stage, error)
	// SetStage begins a trial at that time, or ends the rule's latest by a
	// decision: of s are taken then the rule, the state, who and the comment. It
	// writes an audit line. A rule on trial begins no other; ending a trial that
	// there is not, or that was decided, is ErrNotFound.
	SetStage(ctx context.Context, s finding.Stage, at time.Time) error
}

// Store is all of triage.
type Store interface {
	Recorder
	Reader
	Decider
	Hunts
	Stager
	Close() error
}

// Filter chooses findings. Empty fields choose all.
type Filter struct {
	Severity     finding.Severity // at least this
	Status       []finding.Status
	Kind         finding.Kind // "anomaly" chooses every sign
	Rule         string
	Account      string
	Actor        string
	Resource     string
	Text         string    // in title, actor or resource, any case
	Since, Until time.Time // LastSeen in [Since, Until)
	Demoted      bool      // also findings of demoted rules
	Staged       bool      // also findings of rules on trial and of retired ones
	Unexplained  bool      // none that planned work or the log itself accounts for
	Limit        int       // 0: all
	Cursor       string
}
