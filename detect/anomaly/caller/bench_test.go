package caller_test

import (
	"fmt"
	"testing"

	"github.com/yagura-sec/yagura/detect/anomaly/caller"
	"github.com/yagura-sec/yagura/detect/anomaly/watchtest"
)

// BenchmarkDay judges and learns a day of 2,000 secrets that 700 programs read
// every hour. "B/secret" is what is learned of a secret.
func BenchmarkDay(b *testing.B) {
	h := watchtest.New("2026-01-05")
	for i := range 2000 {
		for hour := range 24 {
			h.On(0, fmt.Sprintf("%d lambda app%d-worker reads prod/app%d/s%d x3", hour, i/3, i/3, i))
		}
	}
	s := caller.New(caller.Options{})
	s.Learn(h.Day(0))
	for b.Loop() {
		h.Judge(s, 0)
		s.Learn(h.Day(0))
	}
	b.ReportMetric(float64(s.Bytes())/2000, "B/secret")
}
