package gcpaudit

import (
	"testing"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/normalise"
	"github.com/yagura-sec/yagura/normalise/normalisetest"
)

// BenchmarkAppend reads the fixtures over and over, recognition included.
func BenchmarkAppend(b *testing.B) {
	_, bodies := normalisetest.Inputs(b, "")
	size := 0
	for _, body := range bodies {
		size += len(body)
	}
	reg := normalise.NewRegistry(Normaliser{})
	dst := make([]event.Event, 0, 1)
	b.SetBytes(int64(size / len(bodies)))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		dst, _ = reg.Append(dst[:0], event.Raw{Body: bodies[i%len(bodies)]})
	}
}
