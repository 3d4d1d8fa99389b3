package main

import (
	"io"
	"os"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/detect/anomaly"
)

// BenchmarkLiveHourStored measures looking for anomalies in one more hour of a
// data directory, YAGURA_BENCH_DATA, as a serving program does: what came before
// is learned already. An operation is an hour of data, the latest first learned
// hour by hour from the middle of the log.
func BenchmarkLiveHourStored(b *testing.B) {
	dir := os.Getenv("YAGURA_BENCH_DATA")
	if dir == "" {
		b.Skip("YAGURA_BENCH_DATA names no data directory")
	}
	p := &program{world: world{getenv: os.Getenv, now: time.Now, stdout: io.Discard, stderr: os.Stderr}}
	p.flags.data, p.flags.format = dir, "table"
	if err := p.settle(); err != nil {
		b.Fatal(err)
	}
	r, err := p.read(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { r.Close() })
	first, err := r.earliest(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	last, err := r.latest(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	h := p.anomalies(r, anomaly.Options{Lateness: -1})
	look := func(since, until time.Time) {
		if _, err := h.Hunt(b.Context(), anomaly.Name, since, until, until); err != nil {
			b.Fatal(err)
		}
	}
	began := first.Truncate(time.Hour)
	at := began.Add(last.Sub(began) / 2).Truncate(time.Hour)
	before := time.Now()
	look(began, at)
	b.Logf("%s to %s learned in %.1f s", began.Format(time.RFC3339), at.Format(time.RFC3339), time.Since(before).Seconds())
	_, secrets := h.Bytes()
	for b.Loop() {
		if !at.Before(last) {
			b.Skip("the log is over")
		}
		look(at, at.Add(time.Hour))
		at = at.Add(time.Hour)
	}
	b.ReportMetric(float64(secrets), "secrets")
}
