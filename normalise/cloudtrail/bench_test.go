package cloudtrail

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/normalise"
)

// BenchmarkAppend reads the fixtures over and over, recognition included.
func BenchmarkAppend(b *testing.B) {
	paths, err := filepath.Glob("testdata/*.json")
	if err != nil {
		b.Fatal(err)
	}
	var raws []event.Raw
	bytes := 0
	for _, path := range paths {
		body, err := os.ReadFile(path)
		if err != nil {
			b.Fatal(err)
		}
		raw := event.Raw{Body: body, Received: received}
		if _, err := (Normaliser{}).Append(nil, raw); err == nil {
			raws = append(raws, raw)
			bytes += len(body)
		}
	}
	reg := normalise.NewRegistry(Normaliser{})
	dst := make([]event.Event, 0, 1)
	b.SetBytes(int64(bytes / len(raws)))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := reg.Append(dst, raws[i%len(raws)]); err != nil {
			b.Fatal(err)
		}
	}
}
