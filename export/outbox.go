package export

import (
	"context"
	"iter"
	"time"

	"github.com/yagura-sec/yagura/finding"
)

// Outbox remembers what each output was sent, and acknowledged. What is to be sent
// is the difference between the findings and that: nothing is lost by a restart,
// and what changes twice before it is sent is sent once, as it is then.
type Outbox interface {
	// Sent gives the revisions that the output acknowledged last, of those keys that
	// it was ever sent.
	Sent(ctx context.Context, output string, keys []string) (map[string]string, error)
	// Mark keeps revisions by key as acknowledged, durably, in one step. Marking
	// again changes nothing.
	Mark(ctx context.Context, output string, revisions map[string]string) error
}

// Changes gives the findings that may have changed since a time on the clock, each
// at least once, in any order; the zero time: all there are.
type Changes func(ctx context.Context, since time.Time) iter.Seq2[finding.Finding, error]

// Output sends findings somewhere until ctx ends. An error: it does not work at
// present, and is to be run again.
type Output interface {
	Run(ctx context.Context) error
}
