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
// came that the hunter learns from. The calls of programs that concern no secret
// mark nothing: one that comes late is counted with the next look at its hour.
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
		c := call{e.APIService, e.APIOperation}
		if ofInterest(e) || !e.Twin && sorts[c] != "" {
			hours[hour] = true
		}
		if !e.Twin && uses[c] != 0 {
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
