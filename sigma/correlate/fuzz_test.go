package correlate_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/sigma/correlate"
)

// Hits as they come, late ones within the lateness and repeats among them, give
// what the same hits give all at once.
func FuzzEngine(f *testing.F) {
	f.Add([]byte("\x00\x11\x02\x01\x12\x05\x02\x23\x01"), uint8(0))
	f.Add([]byte("\x10\x11\x02\x0f\x12\x05\x0e\x23\x01\x10\x11\x02\x40\x01\x01\x3a\x02\x22"), uint8(12))
	plan := newRig(f, kinds()).plan
	f.Fuzz(func(t *testing.T, data []byte, lateness uint8) {
		if len(data) > 600 {
			return
		}
		late := time.Duration(lateness) * time.Second
		e := correlate.New(plan, correlate.EngineOptions{Lateness: late})
		var streamed []*correlate.Firing
		var hits []correlate.Hit
		newest := noon
		for ; len(data) >= 3; data = data[3:] {
			b := plan.Bases[int(data[1])%len(plan.Bases)]
			at := noon.Add(time.Duration(data[0]) * time.Second)
			if newest.Sub(at) > late {
				continue
			}
			if at.After(newest) {
				newest = at
			}
			h := correlate.Hit{Base: b, Time: at, ID: fmt.Sprintf("%d-%d", data[0], data[2]%4), Values: make([][]string, len(b.Fields))}
			for k, field := range b.Fields {
				h.Values[k] = []string{fmt.Sprint(len(field) * int(data[2]>>4) % 3)}
			}
			if slices.ContainsFunc(hits, func(x correlate.Hit) bool { return x.Base == b && x.ID == h.ID }) {
				h.Values = nil // of a repeat nothing is read
			} else {
				hits = append(hits, h)
			}
			streamed = append(streamed, e.Feed(h)...)
		}
		streamed = append(streamed, e.Advance(noon.Add(time.Hour))...)
		if s := e.Stats(); s.Late > 0 || s.Waiting > 0 || s.Hits != s.Repeats+int64(len(hits)) {
			t.Errorf("%d hits: %+v", len(hits), s)
		}
		differ(t, "streamed", record(streamed), record(batch(plan, hits)))
	})
}
