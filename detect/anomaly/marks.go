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
// came that the hunter learns from.
type Marker struct{}

var _ detect.Detector = Marker{}

// Judge is detect.Detector's.
func (Marker) Judge(_ context.Context, _ event.BatchID, events []event.Event) (finding.Judged, error) {
	hours := map[int64]bool{}
	for i := range events {
		e := &events[i]
		if hour := e.Time.Unix() / 3600; !hours[hour] && (ofInterest(e) || sorts[call{e.APIService, e.APIOperation}] != "") {
			hours[hour] = true
		}
	}
	var j finding.Judged
	for hour := range hours {
		j.Marks = append(j.Marks, finding.Mark{Hunter: Name, Hour: time.Unix(hour*3600, 0).UTC()})
	}
	slices.SortFunc(j.Marks, func(a, b finding.Mark) int { return a.Hour.Compare(b.Hour) })
	return j, nil
}
