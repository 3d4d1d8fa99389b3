package lake

import (
	"slices"
	"time"

	"github.com/yagura-sec/yagura/event"
)

// KeepIdentity gives a rewritten event what Rewrite never changes: identity,
// time, origin and the raw record.
func KeepIdentity(rewritten, stored *event.Event) {
	rewritten.UID, rewritten.Time, rewritten.IngestTime = stored.UID, stored.Time, stored.IngestTime
	rewritten.Object, rewritten.Position, rewritten.Batch = stored.Object, stored.Position, stored.Batch
	rewritten.Raw = stored.Raw
}

// RebuildableHours sorts the hours that have events or usage into those within
// [since, until) whose usage can be recomputed, and those that begin before the
// horizon of retention, whose events are no longer all held.
func RebuildableHours(known []time.Time, since, until, horizon time.Time) (hours []time.Time, refused []RefusedHour) {
	slices.SortFunc(known, time.Time.Compare)
	for _, h := range known {
		switch {
		case !since.IsZero() && h.Before(since), !until.IsZero() && h.Add(time.Hour).After(until):
		case h.Before(horizon):
			refused = append(refused, RefusedHour{h, "events before " + horizon.Format(time.RFC3339) + " were dropped by retention"})
		default:
			hours = append(hours, h)
		}
	}
	return hours, refused
}
