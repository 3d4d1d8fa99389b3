package alerts

import (
	"testing"

	"github.com/yagura-sec/yagura/event"
)

// BenchmarkAppend reads a finding of Security Hub that nobody said the format of.
func BenchmarkAppend(b *testing.B) {
	body := read(b, "asff-guardduty-suppressed")
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	var dst []event.Event
	for b.Loop() {
		var err error
		if dst, err = registry.Append(dst[:0], event.Raw{Body: body, Received: received}); err != nil {
			b.Fatal(err)
		}
	}
}
