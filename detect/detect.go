// Package detect judges events; each folder is one way of judging.
package detect

import (
	"context"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
)

// Detector judges a batch as it arrives.
type Detector interface {
	// Judge looks at events that were not known before. The same events under
	// the same batch id give the same answer. It may be called from several
	// goroutines and keeps nothing of events.
	Judge(ctx context.Context, batch event.BatchID, events []event.Event) (finding.Judged, error)
}
