package cloudtrail

import (
	"path/filepath"
	"testing"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/golden"
	"github.com/yagura-sec/yagura/internal/shared"
	"github.com/yagura-sec/yagura/normalise"
)

// BenchmarkAppend reads records over and over, recognition included: the
// fixtures that are bare records, those that come wrapped or name no id, and
// real ones.
func BenchmarkAppend(b *testing.B) {
	var common, odd [][]byte
	for _, in := range golden.Inputs(b, "testdata/*.json") {
		body := in.Body
		events, err := Normaliser{}.Append(nil, event.Raw{Body: body})
		switch {
		case err != nil:
		case len(events[0].Raw) < len(body)-1 || events[0].EventUID != events[0].UID.String():
			odd = append(odd, body)
		default:
			common = append(common, body)
		}
	}
	b.Run("bare", func(b *testing.B) { benchmark(b, common) })
	b.Run("odd", func(b *testing.B) { benchmark(b, odd) })
	b.Run("real", func(b *testing.B) {
		var real [][]byte
		paths, err := filepath.Glob(shared.Dir(b, "cloudtrail/sans504-s3-ransomware/us-east-1/2021/07/30") + "/*.gz")
		if err != nil {
			b.Fatal(err)
		}
		for _, path := range paths[:min(len(paths), 300)] {
			for _, r := range records(b, path) {
				real = append(real, r)
			}
		}
		benchmark(b, real)
	})
}

func benchmark(b *testing.B, bodies [][]byte) {
	size := 0
	for _, body := range bodies {
		size += len(body)
	}
	reg := normalise.NewRegistry(Normaliser{})
	dst := make([]event.Event, 0, 1)
	b.SetBytes(int64(size / len(bodies)))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := reg.Append(dst, event.Raw{Body: bodies[i%len(bodies)], Received: received}); err != nil {
			b.Fatal(err)
		}
	}
}
