package local

import (
	"fmt"
	"math"
	"os"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/lake"
	"github.com/yagura-sec/yagura/lake/laketest"
	"github.com/yagura-sec/yagura/query"
)

// TestImpatient: who has no patience gets an estimate of a part of the events, which
// says so, from all over the time.
func TestImpatient(t *testing.T) {
	defer func(n int64) { firstPortion = n }(firstPortion)
	firstPortion = 300
	s := openTest(t, t.TempDir(), Options{})
	m := laketest.NewMaker(5)
	const days, each = 16, 100
	for d := range days {
		b := laketest.Batch(fmt.Sprint("o", d), "v1", m.Events(each, laketest.Day.AddDate(0, 0, d), 24*time.Hour-time.Second)...)
		a, err := s.Append(t.Context(), b)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Release(t.Context(), a.Batch); err != nil {
			t.Fatal(err)
		}
	}
	h, err := s.Histogram(t.Context(), query.Query{}, days, time.Nanosecond)
	if err != nil {
		t.Fatal(err)
	}
	if !h.Sampled || h.Looked != 300 || h.Stored != days*each || len(h.Buckets) != days {
		t.Fatalf("%+v", h)
	}
	seen := []int{}
	for i, b := range h.Buckets {
		switch {
		case b.Part == 0 && b.Count == 0:
		case b.Part == 1 && b.Count == each:
			seen = append(seen, i)
		default:
			t.Errorf("bucket %d is %+v", i, b)
		}
	}
	if len(seen) != 3 || seen[2]-seen[0] < days/2 {
		t.Errorf("days %v were looked at: not all over the time", seen)
	}
	v, err := s.Values(t.Context(), query.Query{}, []string{"outcome"}, 10, time.Nanosecond)
	if err != nil {
		t.Fatal(err)
	}
	if !v.Sampled || v.Total != days*each || v.Looked != 300 {
		t.Errorf("%+v", v)
	}
	var sum int64
	for _, x := range v.Fields[0].Values {
		sum += x.Count
	}
	if math.Abs(float64(sum-days*each)) > 3 {
		t.Errorf("estimates %+v sum to %d", v.Fields[0].Values, sum)
	}
	// A filter that SQL cannot say is counted from the latest on.
	h, err = s.Histogram(t.Context(), query.Query{Where: parse(t, "raw.eventSource:s3*")}, days, time.Nanosecond)
	if err != nil || !h.Sampled || h.Buckets[0].Part != 0 {
		t.Errorf("%+v, %v", h.Sample, err)
	}
}

// BenchmarkExplore is looking around in a lake at rest: 500,000 events, or those of
// the lake that YAGURA_BENCH_LAKE names, which is only read.
func BenchmarkExplore(b *testing.B) {
	var s *Store
	if dir := os.Getenv("YAGURA_BENCH_LAKE"); dir != "" {
		s = openTest(b, dir, Options{ReadOnly: true})
	} else {
		n := 500_000
		if testing.Short() {
			n = 50_000
		}
		s = openTest(b, b.TempDir(), Options{})
		fillAtRest(b, s, genEvents(1, n, 3), 400_000)
	}
	fields := []string{"api_operation", "outcome", "caller", "actor_name", "account_uid", "src_ip", "resource_uid", "user_agent"}
	for _, text := range []string{"", "outcome:denied", "api_operation:GetSecretValue", "actor:*app*"} {
		where := parse(b, text)
		b.Run("histogram "+text, func(b *testing.B) {
			var h lake.Histogram
			for b.Loop() {
				var err error
				if h, err = s.Histogram(b.Context(), query.Query{Where: where}, 60, 2*time.Second); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(h.Looked), "looked")
			b.ReportMetric(float64(h.Total), "events")
		})
		b.Run("values "+text, func(b *testing.B) {
			var v lake.FieldValues
			for b.Loop() {
				var err error
				if v, err = s.Values(b.Context(), query.Query{Where: where}, fields, 10, 400*time.Millisecond); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(v.Looked), "looked")
			b.ReportMetric(float64(v.Total), "events")
		})
	}
}
