// Package detect judges events; each folder is one way of judging.
package detect

import (
	"context"
	"time"

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

// Hunter judges what is stored, hour by hour. What it says is a function of the
// stored events alone: not of the order in which they came, of how they were cut
// into batches, or of what it said before.
type Hunter interface {
	// Hunters names what can be hunted for: the Hunter of marks and hunts.
	Hunters() []string
	// Hunt looks at the whole hours [since, until), and as far around them as it
	// needs to. Now is the latest time up to which the log may be taken to be
	// complete; what would need a later one is named in Hunt.Again.
	Hunt(ctx context.Context, hunter string, since, until, now time.Time) (finding.Hunt, error)
}

// Pack is a hunter of several kinds that looks for them together, and so reads
// what they share once.
type Pack interface {
	Hunter
	// HuntTogether is Hunt for each of the looks, in their order.
	HuntTogether(ctx context.Context, looks []Look, now time.Time) ([]finding.Hunt, error)
}

// Look is what Hunt is asked: who is to look at which whole hours.
type Look struct {
	Hunter       string
	Since, Until time.Time
}

// Onward is a hunter for which an hour rests on all hours before it, so that a
// look at an hour is a look at every later one too. It is asked once about all
// that is marked, and its Hunt.Until may be later than was asked: the end of the
// last hour that the log is complete for.
type Onward interface {
	Hunter
	Onward()
}
