package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/api"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/lake"
	"github.com/yagura-sec/yagura/query"
	saying "github.com/yagura-sec/yagura/say"
	"github.com/yagura-sec/yagura/triage"
)

// loaded is how many findings a console is to be quick with.
const loaded = 100_000

// BenchmarkTenUsers asks a serving program as ten users do, of 100,000 findings,
// one operation a request: p95-ms is how long 95 % of the answers take at most,
// cpu-ms the processor time of one, asking and what goes on meanwhile included,
// which does not depend on what else the machine does.
// The data directory is one made of the demo's logs, or a copy of the one that
// YAGURA_LOAD_DATA names, which is filled up with findings on its events.
func BenchmarkTenUsers(b *testing.B) {
	dir := os.Getenv("YAGURA_LOAD_DATA")
	if dir == "" {
		dir = filepath.Join(b.TempDir(), "demo", "data")
		w := loadWorld("--data", dir, "demo", "--dir", filepath.Dir(dir), "--serve=false")
		if code := run(b.Context(), w); code != exitDone {
			b.Fatal("demo exits with", code)
		}
	}
	now := fill(b, dir)
	ctx, stop := context.WithCancel(b.Context())
	var serving sync.WaitGroup
	serving.Go(func() {
		run(ctx, loadWorld("serve", "--data", dir, "--listen", "127.0.0.1:0", "--now", now.Format(time.RFC3339)))
	})
	b.Cleanup(func() { stop(); serving.Wait() })
	c := connect(b, dir)
	settle(b)
	var page api.Findings
	c.get(b, "/api/findings?limit=1000&sort=count", &page)
	one := func(i int) string { return "/api/findings/" + page.Findings[i*7919%len(page.Findings)].Key }
	scope := url.QueryEscape(`severity:>=high environment:production not explained:true`)
	for _, x := range []struct {
		name string
		path func(i int) string
	}{
		{"list", func(int) string { return "/api/findings?limit=100" }},
		{"list by scope", func(int) string { return "/api/findings?limit=100&sort=last_seen&q=" + scope }},
		{"list by text", func(i int) string { return fmt.Sprint("/api/findings?limit=100&text=ecre", i%10) }},
		{"facets", func(int) string { return "/api/findings/facets" }},
		{"facets by scope", func(int) string { return "/api/findings/facets?q=" + scope }},
		{"detail", one},
		{"evidence", func(i int) string { return one(i) + "/evidence" }},
		{"timeline", func(i int) string { return one(i) + "/timeline" }},
		{"timeline without records", func(i int) string { return one(i) + "/timeline?raw=false" }},
		{"similar", func(i int) string { return one(i) + "/similar" }},
		{"cases", func(int) string { return "/api/cases?limit=200" }},
		{"case", func(i int) string { return "/api/cases/" + page.Findings[i*7919%len(page.Findings)].Case }},
		{"today", func(int) string { return "/api/today" }},
		{"windows", func(int) string { return "/api/windows" }},
		{"proposals", func(int) string { return "/api/proposals" }},
		{"tuning", func(int) string { return "/api/tuning" }},
	} {
		b.Run(x.name, func(b *testing.B) {
			c.get(b, x.path(0), nil) // what is worked out once
			c.tenAtOnce(b, x.path)
		})
	}
}

// settle waits until what goes on after the start, such as summing the use of
// secrets, is done: what is measured is a console in its usual state.
func settle(b *testing.B) {
	b.Helper()
	const quiet, most = 50 * time.Millisecond, 10 * time.Minute // of processor time in a second; and of waiting
	began := time.Now()
	for still := 0; still < 3; {
		before := processor(b)
		time.Sleep(time.Second)
		if still++; processor(b)-before > quiet {
			still = 0
		}
		if time.Since(began) > most {
			b.Fatal("the program does not come to rest")
		}
	}
	b.Logf("at rest after %s", time.Since(began).Round(time.Second))
}

func loadWorld(args ...string) world {
	return world{self: "yagura", args: args, stdin: nil, stdout: io.Discard, stderr: os.Stderr, getenv: func(string) string { return "" }, now: time.Now}
}

// fill adds findings on events that are there until there are enough, and gives
// the end of the log.
func fill(b *testing.B, dir string) time.Time {
	b.Helper()
	p := &program{world: loadWorld()}
	p.flags.data, p.flags.format = dir, "table"
	if err := p.settle(); err != nil {
		b.Fatal(err)
	}
	r, err := p.write(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	first, last := extent(b, r)
	there, err := r.triage.Count(b.Context(), triage.Filter{Demoted: true, Staged: true})
	if err != nil {
		b.Fatal(err)
	}
	days := int(last.Sub(first).Hours()/24) + 1
	each := (loaded-there)/days + 1
	made := there
	for d := 0; made < loaded && d < 100*days; d++ {
		at := finding.Day(first).AddDate(0, 0, d%days)
		var all []finding.Occurrence
		for e, err := range r.lake.Select(b.Context(), query.Query{Since: at, Until: at.AddDate(0, 0, 1), Limit: min(each, loaded-made)}) {
			if err != nil {
				b.Fatal(err)
			}
			all = append(all, loadedFinding(made+len(all), &e))
		}
		made += len(all)
		if len(all) == 0 {
			continue
		}
		if err := r.triage.Record(b.Context(), event.BatchID{1, byte(made >> 16), byte(made >> 8), byte(made)}, finding.Judged{Occurrences: all}); err != nil {
			b.Fatal(err)
		}
	}
	b.Logf("%d findings, events from %s to %s", made, first, last)
	return last.Add(time.Minute)
}

// extent is from when to when there are events.
func extent(b *testing.B, r *rooms) (first, last time.Time) {
	b.Helper()
	for row, err := range r.lake.UsageWhere(b.Context(), lake.UsageCondition{Where: "resource_uid = ''", By: []string{}}) {
		if err != nil {
			b.Fatal(err)
		}
		if first.IsZero() {
			first = row.Hour
		}
		last = row.Last
	}
	if first.IsZero() {
		b.Fatal("there are no events")
	}
	return first, last
}

// loadedFinding is a finding on an event.
func loadedFinding(n int, e *event.Event) finding.Occurrence {
	r := rand.New(rand.NewPCG(uint64(n), 1))
	o := finding.Occurrence{FirstSeen: e.Time, LastSeen: e.Time, Count: 1}
	o.Key, o.Kind, o.Rule = finding.Key("load", fmt.Sprint(n)), finding.KindRule, fmt.Sprint("rule-", r.IntN(300))
	o.Severity, o.Confidence = finding.Severities[r.IntN(5)], float64(r.IntN(11))/10
	o.Account, o.Region, o.Actor, o.Resource = e.AccountUID, e.Region, e.ActorUID, e.ResourceUID
	o.Title = fmt.Sprintf("Secret%d was read by %s", n, e.ActorName)
	o.Reasons = []finding.Reason{{Kind: "selection", Text: saying.Plain("one of the secrets that nobody reads was read"), Evidence: []event.UID{e.UID}}}
	o.Evidence.Add(finding.Sighting{Time: e.Time, UID: e.UID})
	return o
}

// loadCaller asks a serving program.
type loadCaller struct {
	base, token string
	http.Client
}

// connect waits until dir is served.
func connect(b *testing.B, dir string) *loadCaller {
	b.Helper()
	for range 600 {
		if s, ok := served(dir); ok {
			token, err := tokenOf(dir)
			if err != nil {
				b.Fatal(err)
			}
			return &loadCaller{base: s.URL, token: token, Client: http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 20}}}
		}
		time.Sleep(100 * time.Millisecond)
	}
	b.Fatal("nothing serves")
	return nil
}

func (c *loadCaller) get(b *testing.B, path string, into any) {
	r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, c.base+path, nil)
	if err != nil {
		b.Error(err)
		return
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	answer, err := c.Do(r)
	if err != nil {
		b.Error(err)
		return
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		b.Errorf("%s: %s, %v: %.300s", path, answer.Status, err, text)
		return
	}
	if into != nil {
		if err := json.Unmarshal(text, into); err != nil {
			b.Error(err)
		}
	}
}

// pause is how long a user looks at an answer: ten users who each look for so long
// ask about twenty times a second.
const pause = 500 * time.Millisecond

// tenAtOnce asks b.N times, ten users at once.
func (c *loadCaller) tenAtOnce(b *testing.B, path func(i int) string) {
	took := make([]time.Duration, b.N)
	next := make(chan int)
	var users sync.WaitGroup
	before := processor(b)
	for u := range 10 {
		users.Go(func() {
			time.Sleep(pause * time.Duration(u) / 10)
			for i := range next {
				began := time.Now()
				c.get(b, path(i), nil)
				took[i] = time.Since(began)
				time.Sleep(pause)
			}
		})
	}
	for i := range b.N {
		next <- i
	}
	close(next)
	users.Wait()
	b.ReportMetric(float64((processor(b)-before).Microseconds())/1000/float64(b.N), "cpu-ms")
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "p95-ms")
}

// processor is the processor time that this process has taken.
func processor(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
