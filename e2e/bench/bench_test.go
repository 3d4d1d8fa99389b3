package main

import (
	"bytes"
	"context"
	"io"
	"math"
	"strings"
	"testing"
	"time"
)

func TestTimes(t *testing.T) {
	f := func(q, want float64, seconds ...int) {
		t.Helper()
		var all times
		for _, s := range seconds {
			all = append(all, time.Duration(s)*time.Second)
		}
		if got := all.at(q); got != want && !(math.IsNaN(got) && math.IsNaN(want)) {
			t.Errorf("at(%v) of %v is %v, want %v", q, seconds, got, want)
		}
	}
	f(0.5, math.NaN())
	f(0.5, 7, 7)
	f(0.5, 2, 3, 1, 2)
	f(0.5, 2, 4, 3, 1, 2)
	f(0.95, 19, 20, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19)
	f(1, 9, 1, 9, 4)
}

func TestGrouped(t *testing.T) {
	f := func(n float64, want string) {
		t.Helper()
		if got := grouped(n); got != want {
			t.Errorf("grouped(%v) = %s, want %s", n, got, want)
		}
	}
	f(0, "0")
	f(999.6, "1,000")
	f(1234567, "1,234,567")
	f(-100, "-100")
	f(-1000, "-1,000")
}

func TestTable(t *testing.T) {
	tab := table{head: []string{"a machine"}}
	tab.title("ingest")
	tab.least("fast", 50_000, 100_000, perSecond)
	tab.atMost("small", 256<<20, 512<<20, megabytes)
	tab.plain("other", "%d", 3)
	var out bytes.Buffer
	if err := tab.print(&out); err != nil {
		t.Fatal(err)
	}
	want := `a machine

what     figure    bar          ratio

ingest
  fast   50,000/s  ≥ 100,000/s  0.50
  small  256 MiB   ≤ 512 MiB    2.00
  other  3
`
	if got, _, _ := strings.Cut(out.String(), "\nratio:"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestLogs(t *testing.T) {
	b := &bench{dir: t.TempDir(), records: 10_000, log: io.Discard, began: time.Now()}
	in, err := b.logs(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	all, err := sample(in.dir, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != in.records-in.again || len(all) < 9_000 {
		t.Errorf("%d different records, want %d less %d", len(all), in.records, in.again)
	}
	for _, n := range in.needles {
		for _, mark := range []string{n.uid, n.address, n.key, n.secret, n.token} {
			holders := 0
			for _, r := range all {
				if bytes.Contains(r.body, []byte(mark)) {
					holders++
				}
			}
			if holders != 1 {
				t.Errorf("%s is in %d records, want 1", mark, holders)
			}
		}
	}
	if in.repacked <= 0.5 || in.repacked > 1.1 {
		t.Errorf("packed anew the logs take %v of what they took", in.repacked)
	}
}

func TestRunRefuses(t *testing.T) {
	f := func(want string, args ...string) {
		t.Helper()
		err := run(context.Background(), args, io.Discard, io.Discard)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", args, err, want)
		}
	}
	f("there are baseline", "-only", "speed")
	f("below 10,000", "-records", "10")
	f("make build", "-binary", "nowhere/yagura")
}

func TestMetrics(t *testing.T) {
	name, values, ok := metrics("BenchmarkRules/own/real \t 105531\t 2350 ns/op\t 765226 events/s\t 97.00 rules\t 3.826 x-bar\t 0 allocs/op")
	if !ok || name != "Rules/own/real" || values["events/s"] != 765226 || values["x-bar"] != 3.826 || values["allocs/op"] != 0 || len(values) != 5 {
		t.Errorf("read %q %v %v", name, values, ok)
	}
	for _, line := range []string{"", "PASS", "goos: linux amd64 and more", "BenchmarkX 1 fast ns/op"} {
		if _, _, ok := metrics(line); ok {
			t.Errorf("%q is taken for a benchmark", line)
		}
	}
}

func TestHuntSaid(t *testing.T) {
	f := func(out string, ok bool) {
		t.Helper()
		if err := huntSaid([]byte(out), 10); (err == nil) != ok {
			t.Errorf("%s: %v", out, err)
		}
	}
	f(`{"rules":[{"title":"a","log_events":10},{"title":"b","log_events":30}]}`, true)
	f(`{"rules":[{"title":"a","log_events":9}]}`, false)
	f(`{"rules":[]}`, false)
	f(`no`, false)
}
