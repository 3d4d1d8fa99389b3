// Package source holds how raw records arrive; each folder is one way.
package source

import (
	"context"

	"github.com/yagura-sec/yagura/event"
)

// Deliver takes a batch: Spans, Raws, Rejects and Digests. It returns nil once
// every record of it is durable and accounted for, and only then may the source
// regard the spans as done. It blocks while the rest of the program is busy:
// that wait is the back-pressure. It may be called from several goroutines, and
// the batch belongs to the callee afterwards. An error means nothing was
// acknowledged: the source stops and returns it.
type Deliver func(ctx context.Context, b event.Batch) error

// Source reads records and delivers them.
type Source interface {
	// Run blocks until everything is read and acknowledged (then nil), or, when
	// the source follows, until ctx ends (then ctx.Err()).
	Run(ctx context.Context, deliver Deliver) error
}

// Progress is what a ledger remembers of one object and version.
type Progress struct {
	Version string
	// Settled are the runs of records already accounted for, ascending, merged.
	Settled []Run
	// Final: the object's end is settled; there is nothing left to read.
	Final bool
	// AtEnd: so is everything it held when it was read last; it may grow.
	AtEnd bool
	// Mark of the settled span that ends last.
	Mark string
}

// Run is a run of record positions.
type Run struct{ First, Records int64 }

// Settled answers what is known of an object, newest version last; none when it was never
// seen. A source keeps no checkpoint of its own: it asks this.
type Settled func(ctx context.Context, object string) ([]Progress, error)

// Listed tells the ledger which objects exist before they are read.
type Listed func(ctx context.Context, objects []event.Object) error
