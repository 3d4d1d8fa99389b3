package local

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/lake/laketest"
)

// cpuTime is the CPU time of this process so far.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

const benchEvents = 300_000

// benchBatches are 15 batches of 20,000 events of one day. Raw records are
// shared by them where memory would be short otherwise.
var benchBatches = sync.OnceValue(func() []event.Batch {
	events := laketest.NewMaker(100).Events(benchEvents, laketest.Day, 23*time.Hour)
	var out []event.Batch
	for part := range slices.Chunk(events, 20_000) {
		out = append(out, laketest.Batch(fmt.Sprint("o", len(out)), "v1", part...))
	}
	return out
})

func perEvent(b *testing.B, name string, d time.Duration, n int) {
	b.ReportMetric(float64(d.Nanoseconds())/1e3/float64(n), name)
}

func dirBytes(b *testing.B, dir string) (n int64) {
	err := filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		st, err := d.Info()
		n += st.Size()
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return n
}

// BenchmarkIngest appends batches of 20,000 and merges them to rest.
func BenchmarkIngest(b *testing.B) {
	batches := benchBatches()
	for b.Loop() {
		s := open(b, b.TempDir(), Options{Linger: -1})
		start := cpuTime()
		for _, batch := range batches {
			a, err := s.Append(ctx, batch)
			if err != nil {
				b.Fatal(err)
			}
			if err := s.Release(ctx, a.Batch); err != nil {
				b.Fatal(err)
			}
		}
		perEvent(b, "append-µs/event", cpuTime()-start, benchEvents)
		b.ReportMetric(float64(dirBytes(b, s.dir))/benchEvents, "fresh-B/event")
		start = cpuTime()
		if err := s.Merge(ctx); err != nil {
			b.Fatal(err)
		}
		perEvent(b, "merge-µs/event", cpuTime()-start, benchEvents)
		b.ReportMetric(float64(dirBytes(b, filepath.Join(s.dir, "events")))/benchEvents, "B/event")
		b.ReportMetric(float64(dirBytes(b, filepath.Join(s.dir, "usage")))/benchEvents, "usage-B/event")

		start = cpuTime()
		for i, batch := range batches {
			again := laketest.Batch(fmt.Sprint("again", i), "v1", batch.Events...)
			a, err := s.Append(ctx, again)
			if err != nil || len(a.New) != 0 {
				b.Fatal(len(a.New), err)
			}
			if err := s.Release(ctx, a.Batch); err != nil {
				b.Fatal(err)
			}
		}
		perEvent(b, "re-sent-µs/event", cpuTime()-start, benchEvents)
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkOneRecord appends batches of one record, as they come live.
func BenchmarkOneRecord(b *testing.B) {
	s := open(b, b.TempDir(), Options{Linger: -1})
	m := laketest.NewMaker(101)
	for i := 0; b.Loop(); i++ {
		a, err := s.Append(ctx, laketest.Batch(fmt.Sprint("o", i), "v1", m.Event(laketest.Day.Add(time.Duration(i)*time.Second))))
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Release(ctx, a.Batch); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkOpen opens a lake of 3,000 segments.
func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	s := open(b, dir, Options{Linger: -1})
	s.putSmall(b, 3000)
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := open(b, dir, Options{}).Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSteady appends a million events from two goroutines while a third
// merges, and reports the peak memory of the process.
func BenchmarkSteady(b *testing.B) {
	const batches, size = 50, 20_000
	for b.Loop() {
		s := open(b, b.TempDir(), Options{Linger: -1})
		var next atomic.Int64
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				for {
					i := next.Add(1) - 1
					if i >= batches {
						return
					}
					m := laketest.NewMaker(uint64(200 + i))
					events := m.Events(size, laketest.Day.Add(time.Duration(i)*time.Hour), time.Hour)
					a, err := s.Append(ctx, laketest.Batch(fmt.Sprint("o", i), "v1", events...))
					if err != nil {
						b.Error(err)
						return
					}
					if err := s.Release(ctx, a.Batch); err != nil {
						b.Error(err)
					}
				}
			})
		}
		done := make(chan struct{})
		var tending sync.WaitGroup
		tending.Go(func() {
			for {
				select {
				case <-done:
					return
				case <-time.After(200 * time.Millisecond):
				}
				if err := s.Tend(ctx); err != nil {
					b.Error(err)
				}
			}
		})
		wg.Wait()
		close(done)
		tending.Wait()
		if err := s.Merge(ctx); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(len(s.listed(b))), "files")
		b.ReportMetric(float64(dirBytes(b, s.dir))/(batches*size), "B/event")
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Skip("no /proc here to tell the peak memory")
	}
	for line := range strings.Lines(string(status)) {
		var kb float64
		if n, _ := fmt.Sscanf(line, "VmHWM: %f kB", &kb); n == 1 {
			b.ReportMetric(kb/1024, "peak-MB")
		}
	}
}
