package sqlite

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/ledger"
)

// key looks like the key of a log file in a bucket, with its length.
func key(i int) string {
	return fmt.Sprintf("s3://example-trail/AWSLogs/111122223333/CloudTrail/eu-west-1/2026/03/%02d/111122223333_CloudTrail_eu-west-1_20260304T1200Z_%012d.json.gz", i%28, i)
}

func batchOf(n, from, objects, records int) ledger.Settlement {
	x := ledger.Settlement{At: time.Unix(1_770_000_000, 0)}
	x.Batch[0], x.Batch[1], x.Batch[2] = byte(n), byte(n>>8), byte(n>>16)
	for i := range objects {
		x.Spans = append(x.Spans, event.SpanAccount{
			Span:     event.Span{Object: key(from + i), Version: "etag-0123456789abcdef", Records: int64(records), Final: true, Size: 9000, SHA256: fmt.Sprintf("%064d", i)},
			Verdicts: event.Verdicts{{N: int64(records), Of: event.Stored}},
		})
	}
	for h := range 24 {
		x.Coverage = append(x.Coverage, ledger.Coverage{Account: "111122223333", Region: "eu-west-1", Hour: time.Unix(int64(h)*3600, 0), Records: 800})
	}
	return x
}

// One operation is a batch of 3,500 small objects, listed before.
func BenchmarkSettleManySmall(b *testing.B) {
	s := open(b, filepath.Join(b.TempDir(), "state.db"), ledger.Options{})
	const objects = 3500
	var list []event.Object
	for i := range b.N * objects {
		list = append(list, event.Object{Name: key(i), Version: "etag-0123456789abcdef", Size: 9000})
	}
	if err := s.List(b.Context(), list); err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	for i := range b.N {
		if err := s.Settle(b.Context(), batchOf(i, i*objects, objects, 6)); err != nil {
			b.Fatal(err)
		}
	}
}

// One operation is a live batch: one growing object.
func BenchmarkSettleLive(b *testing.B) {
	s := open(b, filepath.Join(b.TempDir(), "state.db"), ledger.Options{})
	for i := range b.N {
		x := batchOf(i, 0, 1, 6)
		x.Spans[0].First, x.Spans[0].Final, x.Coverage = int64(6*i), false, x.Coverage[:1]
		if err := s.Settle(b.Context(), x); err != nil {
			b.Fatal(err)
		}
	}
}

// One operation lists 100,000 objects, 1,000 at a time.
func BenchmarkList100k(b *testing.B) {
	for range b.N {
		s := open(b, filepath.Join(b.TempDir(), "state.db"), ledger.Options{})
		for from := 0; from < 100_000; from += 1000 {
			var list []event.Object
			for i := range 1000 {
				list = append(list, event.Object{Name: key(from + i), Version: "etag-0123456789abcdef", Size: 9000})
			}
			if err := s.List(b.Context(), list); err != nil {
				b.Fatal(err)
			}
		}
		start := time.Now()
		n := 0
		for _, err := range s.Objects(b.Context(), ledger.ObjectFilter{}) {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
		b.ReportMetric(time.Since(start).Seconds()*1e3, "read-ms/100k")
		if n != 100_000 {
			b.Fatal(n)
		}
	}
}
