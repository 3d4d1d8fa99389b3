package anomaly

import (
	"context"
	"slices"
	"time"

	"github.com/yagura-sec/yagura/detect"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
)

// Marker is a detector that judges nothing: it marks the hours into which events
// came that the hunter learns from: all that usage counts. Nearly every batch has
// something of interest in its hours, so few are marked that would not be anyway,
// and a mark of an hour that is not over costs nothing.
type Marker struct{}

var _ detect.Detector = Marker{}

// Judge is detect.Detector's.
func (Marker) Judge(_ context.Context, _ event.BatchID, events []event.Event) (finding.Judged, error) {
	hours := map[int64]bool{}
	for i := range events {
		e := &events[i]
		hour := e.Time.Unix() / 3600
		// What is read within burstSpan of an hour's ends may belong to its bursts.
		before, after := e.Time.Add(-burstSpan).Unix()/3600, e.Time.Add(burstSpan).Unix()/3600
		if hours[hour] && hours[before] && hours[after] {
			continue
		}
		if e.Twin || e.Category == event.Insight {
			continue // usage counts neither
		}
		hours[hour] = true
		if uses[call{e.APIService, e.APIOperation}] != 0 {
			hours[before], hours[after] = true, true
		}
	}
	var j finding.Judged
	for hour := range hours {
		j.Marks = append(j.Marks, finding.Mark{Hunter: Name, Hour: time.Unix(hour*3600, 0).UTC()})
	}
	slices.SortFunc(j.Marks, func(a, b finding.Mark) int { return a.Hour.Compare(b.Hour) })
	return j, nil
}
