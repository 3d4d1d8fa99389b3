package main_test

import (
	"context"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/detect/rule"
	"github.com/yagura-sec/yagura/detect/stored"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/shared"
	"github.com/yagura-sec/yagura/lake"
	"github.com/yagura-sec/yagura/lake/laketest"
	"github.com/yagura-sec/yagura/lake/local"
	"github.com/yagura-sec/yagura/normalise/cloudtrail"
	"github.com/yagura-sec/yagura/rules"
	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/match"
	"github.com/yagura-sec/yagura/simulate"
)

// simulatedLake holds about n events of a week of everyday work, at rest. With
// YAGURA_BENCH_LAKE it is kept there for the next time.
func simulatedLake(b *testing.B, n int) (*local.Store, int) {
	b.Helper()
	dir := os.Getenv("YAGURA_BENCH_LAKE")
	if dir == "" {
		dir = b.TempDir()
	}
	dir = filepath.Join(dir, fmt.Sprint(n))
	_, err := os.Stat(dir)
	known := err == nil
	s, err := local.Open(dir, local.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	if !known {
		fillLake(b, s, n)
	}
	count := 0
	for _, err := range s.SelectWhere(b.Context(), lake.Condition{}) {
		if err != nil {
			b.Fatal(err)
		}
		count++
	}
	return s, count
}

func fillLake(b *testing.B, s *local.Store, n int) {
	logs := b.TempDir()
	if _, err := (simulate.Organisation{Seed: 5, Days: 7, Records: n, Plain: true}).Write(b.Context(), logs); err != nil {
		b.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(logs, "*"))
	for i := 0; i < 12 && err == nil; i++ { // the bucket's folders nest so deep at most
		var below []string
		below, err = filepath.Glob(filepath.Join(logs, strings.Repeat("*/", i), "*.json.gz"))
		files = append(files, below...)
	}
	if err != nil {
		b.Fatal(err)
	}
	var events []event.Event
	flush := func(name string) {
		got, err := s.Append(b.Context(), laketest.Batch(name, "1", events...))
		if err == nil {
			err = s.Release(b.Context(), got.Batch)
		}
		if err != nil {
			b.Fatal(err)
		}
		events = nil
	}
	for _, file := range files {
		if !strings.HasSuffix(file, ".json.gz") || strings.Contains(file, "Digest") {
			continue
		}
		for _, body := range shared.Records(b, file) {
			events, _ = cloudtrail.Normaliser{}.Append(events, event.Raw{Body: body, Received: time.Now()})
		}
		if len(events) > 50_000 {
			flush(file)
		}
	}
	flush("last")
	if err := s.Merge(b.Context()); err != nil {
		b.Fatal(err)
	}
}

func sourceOf(s *local.Store) stored.Source {
	return stored.Source{
		Dialect: s.Dialect(),
		Where: func(ctx context.Context, c stored.Condition) iter.Seq2[event.Event, error] {
			return s.SelectWhere(ctx, lake.Condition(c))
		},
		Select: s.Select,
	}
}

// BenchmarkStored holds rules against stored events: 300,000, or as many as
// YAGURA_BENCH_EVENTS says. MiB is the most memory that the process had.
func BenchmarkStored(b *testing.B) {
	n := 300_000
	fmt.Sscan(os.Getenv("YAGURA_BENCH_EVENTS"), &n)
	s, count := simulatedLake(b, n)
	docs, _ := sigma.Load(rules.FS(), "rules")
	docs.Rules = slices.DeleteFunc(docs.Rules, func(r *sigma.Rule) bool { return r.LogSource.Product != "aws" })
	add := func(text string) {
		some, errs := sigma.Parse("bench.yml", []byte(text))
		if len(errs) > 0 {
			b.Fatal(errs[0])
		}
		docs.Add(some)
	}
	add("title: d\nid: denied\nlogsource: {product: aws, service: cloudtrail}\ndetection:\n  s:\n    errorCode|contains: [AccessDenied, UnauthorizedOperation]\n  condition: s\n")
	add("title: r\nid: assume\nlogsource: {product: aws, service: cloudtrail}\ndetection:\n  s:\n    eventName: [AssumeRole, GetObject]\n  condition: s\n")
	add("title: n\nid: nowhere\nlogsource: {product: aws, service: cloudtrail}\ndetection:\n  s:\n    requestParameters.bucketName|endswith: nowhere\n  condition: s\n")
	set, refused := match.Compile(docs.Rules, match.Options{Filters: docs.Filters})
	if len(refused) > 0 {
		b.Log(refused[0])
	}
	byID := map[string]int{}
	var aws, bases []int
	for i := range set.Len() {
		byID[set.Rule(i).Key()] = i
		switch file := set.Rule(i).File; {
		case strings.Contains(file, "/correlation/"):
			bases = append(bases, i)
		case file != "bench.yml":
			aws = append(aws, i)
		}
	}
	run := func(name string, rules []int, ordered, whole bool) {
		b.Run(name, func(b *testing.B) {
			src := sourceOf(s)
			if whole {
				src.Where = nil
			}
			var p stored.Progress
			var err error
			peak := uint64(0)
			before := processorTime()
			for b.Loop() {
				p, err = stored.Scan(b.Context(), src, set, stored.Options{
					Sources: rule.Sources, Rules: rules, Ordered: ordered,
					Columns:  []string{"account_uid", "actor_uid", "src_ip", "resource_uid", "region"},
					Progress: func(stored.Progress) { peak = max(peak, resident()) },
				}, func(*event.Event, []int) error { return nil })
				if err != nil {
					b.Fatal(err)
				}
			}
			used := processorTime() - before
			b.ReportMetric(float64(count)*float64(b.N)/b.Elapsed().Seconds(), "stored/s")
			b.ReportMetric(float64(count)*float64(b.N)/used.Seconds(), "stored/cpu-s")
			b.ReportMetric(float64(p.Candidates), "candidates")
			b.ReportMetric(float64(p.Matched), "matched")
			b.ReportMetric(float64(peak)/(1<<20), "MiB")
		})
		runtime.GC()
		debug.FreeOSMemory()
	}
	b.Logf("%d events", count)
	run(fmt.Sprintf("%d AWS rules", len(aws)), aws, false, false)
	run(fmt.Sprintf("%d base rules of correlations", len(bases)), bases, false, false)
	run("denied", []int{byID["denied"]}, false, false)
	run("denied, ordered", []int{byID["denied"]}, true, false)
	run("frequent", []int{byID["assume"]}, false, false)
	run("frequent, ordered", []int{byID["assume"]}, true, false)
	run("no column tells", []int{byID["nowhere"]}, false, false)
	run("no column tells, ordered", []int{byID["nowhere"]}, true, false)
}

// processorTime is what the process used of all processors.
func processorTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// resident is the process's memory in bytes, 0 where the system does not say.
func resident() uint64 {
	text, err := os.ReadFile("/proc/self/statm")
	var size, pages uint64
	if err == nil {
		fmt.Sscan(string(text), &size, &pages)
	}
	return pages * uint64(os.Getpagesize())
}
