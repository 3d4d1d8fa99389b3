package denials

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/yagura-sec/yagura/detect"
	"github.com/yagura-sec/yagura/detect/stored"
	"github.com/yagura-sec/yagura/detect/who"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
)

// Marker is a detector that judges nothing: it marks the hours with denials for
// which an event may matter, that is those that it may be the past of, or what
// was done around. It remembers all hours with denials, so that the events of
// times without any mark nothing; what it does not know yet comes with a batch
// that it will be asked about. It may be used from several goroutines.
type Marker struct {
	Events stored.Source // of what was stored before this program began; may be empty

	mu    sync.Mutex
	read  bool
	known []int64 // hours with denials, since 1970, ascending
}

var _ detect.Detector = (*Marker)(nil)

// ahead is how many hours before an event may rest on it, and behind how many
// after it.
const (
	ahead  = int64(reach/hour) + 1
	behind = int64(((learnDays+1)*day+back+reach+who.Before)/hour) + 1
)

// Judge is detect.Detector's.
func (m *Marker) Judge(ctx context.Context, _ event.BatchID, events []event.Event) (finding.Judged, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var j finding.Judged
	if err := m.load(ctx); err != nil {
		return j, err
	}
	hours := map[int64]bool{}
	for i := range events {
		at := events[i].Time.Unix() / 3600
		hours[at] = true
		if ours(&events[i]) {
			m.learn(at)
		}
	}
	marks := map[int64]bool{}
	for at := range hours {
		i, _ := slices.BinarySearch(m.known, at-ahead)
		for ; i < len(m.known) && m.known[i] <= at+behind; i++ {
			marks[m.known[i]] = true
		}
	}
	for at := range marks {
		j.Marks = append(j.Marks, finding.Mark{Hunter: Name, Hour: time.Unix(at*3600, 0).UTC()})
	}
	slices.SortFunc(j.Marks, func(a, b finding.Mark) int { return a.Hour.Compare(b.Hour) })
	return j, ctx.Err()
}

// learn takes in an hour with denials.
func (m *Marker) learn(at int64) {
	if i, there := slices.BinarySearch(m.known, at); !there {
		m.known = slices.Insert(m.known, i, at)
	}
}

// load reads the hours of what is stored, once.
func (m *Marker) load(ctx context.Context) error {
	if m.read || m.Events.Where == nil && m.Events.Select == nil {
		return nil
	}
	for e, err := range m.Events.Find(ctx, time.Time{}, time.Time{}, denials, "outcome", "cloud_provider", "actor_uid", "actor_type") {
		if err != nil {
			return fmt.Errorf("read hours with denials by policy: %w", err)
		}
		if ours(&e) {
			m.learn(e.Time.Unix() / 3600)
		}
	}
	m.read = true
	return nil
}
