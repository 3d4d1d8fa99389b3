package sqlite

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
)

// BenchmarkRecordHunt records hunts of three days that find 30 keys an hour: the
// first time, again with the same, and with one hour that differs.
func BenchmarkRecordHunt(b *testing.B) {
	s, err := Open(b.Context(), filepath.Join(b.TempDir(), "state.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	since := time.Date(2026, 3, 4, 0, 0, 0, 0, time.UTC)
	hunt := func(n, changed int) finding.Hunt {
		h := finding.Hunt{Hunter: fmt.Sprint("sigma/", n), Rule: fmt.Sprint(n), Since: since, Until: since.Add(72 * time.Hour)}
		for hour := range 72 {
			for key := range 30 {
				o := finding.Occurrence{Since: since.Add(time.Duration(hour) * time.Hour), Count: 3}
				o.Key, o.Rule, o.Title = finding.Key(h.Hunter, fmt.Sprint(key)), h.Rule, "found"
				o.FirstSeen, o.LastSeen = o.Since, o.Since
				if hour == changed {
					o.Count++
				}
				o.Evidence.Add(finding.Sighting{Time: o.Since, UID: event.HashUID(fmt.Sprint(key, hour))})
				h.Occurrences = append(h.Occurrences, o)
			}
		}
		return h
	}
	n := 0
	record := func(b *testing.B, h finding.Hunt) {
		if err := s.RecordHunt(b.Context(), h, 0); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("first", func(b *testing.B) {
		for b.Loop() {
			n++
			record(b, hunt(n, -1))
		}
	})
	b.Run("same", func(b *testing.B) {
		record(b, hunt(0, -1))
		for b.Loop() {
			record(b, hunt(0, -1))
		}
	})
	b.Run("changed", func(b *testing.B) {
		record(b, hunt(0, -1))
		for i := 0; b.Loop(); i++ {
			record(b, hunt(0, i%72))
		}
	})
}
