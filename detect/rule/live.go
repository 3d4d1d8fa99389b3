package rule

import (
	"context"
	"maps"
	"slices"
	"sync/atomic"

	"github.com/yagura-sec/yagura/detect"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
)

// Live is a detector whose rules are exchanged while it judges. A batch is judged
// by one set of rules from its first event to its last.
type Live struct {
	now      atomic.Pointer[Detector]
	unjudged atomic.Int64 // of detectors that were exchanged
}

var _ detect.Detector = (*Live)(nil)

// NewLive begins with a detector.
func NewLive(d *Detector) *Live {
	l := &Live{}
	l.now.Store(d)
	return l
}

// Detector is the one in use.
func (l *Live) Detector() *Detector { return l.now.Load() }

// Exchange puts another detector to use. Nobody waits for it: what the rules
// need before their first record is done here, and batches under way are
// finished with the old one.
func (l *Live) Exchange(d *Detector) {
	d.set.Prepare(slices.Collect(maps.Values(d.sources))...)
	l.unjudged.Add(l.now.Swap(d).Unjudged())
}

// Judge is detect.Detector's.
func (l *Live) Judge(ctx context.Context, batch event.BatchID, events []event.Event) (finding.Judged, error) {
	return l.now.Load().Judge(ctx, batch, events)
}

// Unjudged is how many events had no readable record, as Detector.Unjudged.
func (l *Live) Unjudged() int64 { return l.unjudged.Load() + l.now.Load().Unjudged() }
