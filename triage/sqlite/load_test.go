//go:build unix

package sqlite

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/triage"
)

// varied is a finding among many: of hundreds of accounts and principals, over
// ninety days.
func varied(n int) finding.Occurrence {
	r := rand.New(rand.NewPCG(uint64(n), 1))
	o := occurrence(n, start.Add(time.Duration(r.IntN(90*24*3600))*time.Second))
	o.Rule, o.Severity, o.Confidence = fmt.Sprint("rule-", r.IntN(300)), finding.Severities[r.IntN(5)], float64(r.IntN(11))/10
	o.Account = fmt.Sprintf("%012d", r.IntN(400))
	o.Actor = fmt.Sprintf("arn:aws:iam::%s:role/app-%d", o.Account, r.IntN(40))
	o.Resource = fmt.Sprintf("arn:aws:secretsmanager:eu-west-1:%s:secret:prod/service-%d-AbCdEf", o.Account, n)
	o.Title = fmt.Sprintf("Secret prod/service-%d was read %d times by app-%d", n, r.IntN(1000), r.IntN(40))
	o.Region = []string{"eu-west-1", "eu-central-1", "us-east-1", "ap-northeast-1"}[r.IntN(4)]
	if r.IntN(4) == 0 {
		o.Kind = finding.Kind("anomaly." + finding.Signs[r.IntN(len(finding.Signs))])
		o.Anomaly = &finding.Anomaly{Sign: "x", Person: fmt.Sprintf("person-%d@hoshino.example", r.IntN(300)), Score: r.Float64()}
	}
	return o
}

func crowded(b testing.TB, n int) *Store {
	s := open(b, filepath.Join(b.TempDir(), "state.db"))
	for i := 0; i < n; i += 20_000 {
		var os []finding.Occurrence
		for k := range 20_000 {
			os = append(os, varied(i+k))
		}
		if err := s.Record(b.Context(), batchID(i+1), finding.Judged{Occurrences: os}); err != nil {
			b.Fatal(err)
		}
	}
	return s
}

// One operation is a question about 100,000 findings, of which ten are asked at
// once without a pause. p95-ms is how long 95 % of them take at most; cpu-ms is
// the processor time of one, which does not depend on what else the machine does.
func BenchmarkTenReaders100k(b *testing.B) {
	s := crowded(b, 100_000)
	ctx := b.Context()
	scope := func(text string) finding.Scope {
		x, err := finding.ParseScope(text)
		if err != nil {
			b.Fatal(err)
		}
		return x
	}
	until := start.AddDate(0, 0, 90)
	busy := scope("severity:>=high status:new account:0000000001* or text:~service-12 rule:(rule-1 or rule-2*)")
	run := func(name string, ask func(i int) error) {
		b.Run(name, func(b *testing.B) {
			took := make([]time.Duration, b.N)
			next := make(chan int)
			var group sync.WaitGroup
			before := processor(b)
			for range 10 {
				group.Go(func() {
					for i := range next {
						began := time.Now()
						if err := ask(i); err != nil {
							b.Error(err)
						}
						took[i] = time.Since(began)
					}
				})
			}
			for i := range b.N {
				next <- i
			}
			close(next)
			group.Wait()
			b.ReportMetric(float64((processor(b)-before).Microseconds())/1000/float64(b.N), "cpu-ms")
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "p95-ms")
		})
	}
	list := func(x triage.Filter) func(int) error {
		return func(int) error { _, _, err := s.List(ctx, x); return err }
	}
	run("list", list(triage.Filter{Limit: 50}))
	run("list by text", list(triage.Filter{Limit: 50, Text: "service-12"}))
	run("list by scope", list(triage.Filter{Limit: 50, Scope: busy, Sort: "last_seen"}))
	_, cursor, err := s.List(ctx, triage.Filter{Limit: 20_000})
	if err != nil {
		b.Fatal(err)
	}
	run("list, far page", list(triage.Filter{Limit: 50, Cursor: cursor}))
	run("facets", func(int) error { _, err := s.Facets(ctx, triage.Filter{}, 0); return err })
	run("facets by scope", func(int) error { _, err := s.Facets(ctx, triage.Filter{Scope: busy}, 0); return err })
	run("days", func(int) error { _, err := s.Days(ctx, triage.Filter{}, start, until); return err })
	run("cases", func(int) error { _, _, _, err := s.Cases(ctx, triage.Filter{Limit: 50}); return err })
	run("get", func(i int) error { _, err := s.Get(ctx, finding.Key("bench", fmt.Sprint(i*7919%100_000))); return err })
	run("preview", func(int) error { _, err := s.Preview(ctx, busy, start, until); return err })
	run("exceptions", func(int) error { _, err := s.Exceptions(ctx); return err })

	stop, cancel := context.WithCancel(ctx)
	var writer sync.WaitGroup
	writer.Go(func() {
		for i := 0; stop.Err() == nil; i++ {
			at := until.Add(time.Duration(i) * time.Second)
			if err := s.Record(ctx, batchID(1_000_000+i), judged(at, occurrence(i%5000, at))); err != nil {
				b.Error(err)
			}
			time.Sleep(20 * time.Millisecond)
		}
	})
	run("list beside a writer", list(triage.Filter{Limit: 50}))
	run("facets beside a writer", func(int) error { _, err := s.Facets(ctx, triage.Filter{}, 0); return err })
	cancel()
	writer.Wait()
}

// processor is the time of processors that this process has had.
func processor(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// One operation is the first look at 100,000 findings after the program starts:
// everything that lists are answered from is read into memory.
func BenchmarkLoad100k(b *testing.B) {
	s := crowded(b, 100_000)
	heap := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before, began := heap(), processor(b)
	var x *index
	b.ResetTimer()
	for range b.N {
		var err error
		if x, err = s.readIndex(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	b.ReportMetric(float64((processor(b)-began).Milliseconds())/float64(b.N), "cpu-ms")
	b.ReportMetric(float64(heap()-before)/1e6, "MB")
	runtime.KeepAlive(x)
}

// One operation is an exception that covers 1,000 of 100,000 findings, made or
// revoked.
func BenchmarkException100k(b *testing.B) {
	s := crowded(b, 100_000)
	scope, err := finding.ParseScope("account:(000000000001 or 000000000002 or 000000000003 or 000000000004)")
	if err != nil {
		b.Fatal(err)
	}
	for i := range b.N {
		x := finding.Exception{ID: "x", Title: "t", Scope: scope, Owner: "o", Reason: "r", Until: start.AddDate(1, 0, 0), State: finding.ExceptionActive}
		if i%2 == 1 {
			x.State = finding.ExceptionRevoked
		}
		if n, err := s.SetException(b.Context(), x, "ann", start); err != nil || n < 500 {
			b.Fatal(n, err)
		}
	}
}
