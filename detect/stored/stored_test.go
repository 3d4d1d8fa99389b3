package stored

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/match"
)

var (
	start   = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	sources = map[string]match.Source{"aws.cloudtrail": {Product: "aws", Service: "cloudtrail"}}
)

// log is events of three operations, every tenth of a format nobody knows and
// every hundredth with a record that is none.
func log(n int) []event.Event {
	out := make([]event.Event, n)
	for i := range out {
		op := []string{"GetObject", "StopLogging", "ListUsers"}[i%3]
		out[i] = event.Event{Time: start.Add(time.Duration(i) * time.Second), Format: "aws.cloudtrail", APIOperation: op,
			Raw: fmt.Appendf(nil, `{"eventName":%q,"n":%d,"padding":%q}`, op, i, strings.Repeat("x", i%3000))}
		out[i].UID[0], out[i].UID[1], out[i].UID[2] = byte(i>>16), byte(i>>8), byte(i)
		switch {
		case i%100 == 99:
			out[i].Raw = []byte("no record")
		case i%10 == 9:
			out[i].Format = "other"
		}
	}
	return out
}

// conditions yields events and reuses the memory of records, as it may.
func conditions(events []event.Event, asked *Condition) func(context.Context, Condition) iter.Seq2[event.Event, error] {
	return func(ctx context.Context, c Condition) iter.Seq2[event.Event, error] {
		if asked != nil {
			*asked = c
		}
		return func(yield func(event.Event, error) bool) {
			var raw []byte
			for _, e := range events {
				if ctx.Err() != nil {
					yield(event.Event{}, ctx.Err())
					return
				}
				raw = append(raw[:0], e.Raw...)
				e.Raw = raw
				if !yield(e, nil) {
					return
				}
			}
		}
	}
}

func rulesOf(t *testing.T) *match.Set {
	t.Helper()
	var docs sigma.Documents
	for _, x := range []string{
		"title: a\nid: stop\nlogsource: {product: aws, service: cloudtrail}\ndetection: {s: {eventName: stoplogging}, condition: s}",
		"title: b\nid: even\nlogsource: {product: aws, service: cloudtrail}\ndetection: {s: {n|re: '[02468]$'}, condition: s}",
		"title: c\nid: elsewhere\nlogsource: {product: gcp}\ndetection: {s: {eventName|exists: true}, condition: s}",
	} {
		some, errs := sigma.Parse("r.yml", []byte(x))
		if len(errs) > 0 {
			t.Fatal(errs[0])
		}
		docs.Add(some)
	}
	set, errs := match.Compile(docs.Rules, match.Options{})
	if len(errs) > 0 {
		t.Fatal(errs[0])
	}
	return set
}

func TestScan(t *testing.T) {
	set := rulesOf(t)
	events := log(5_000)
	f := func(src Source, rules []int, workers int) {
		t.Helper()
		next, matched := 0, int64(0)
		var last Progress
		got, err := Scan(t.Context(), src, set, Options{Sources: sources, Rules: rules, Workers: workers, Progress: func(p Progress) { last = p }},
			func(e *event.Event, found []int) error {
				matched++
				for ; next < len(events); next++ { // those in between match nothing
					want := expected(&events[next], next, rules)
					if events[next].UID != e.UID {
						if want != nil {
							t.Fatalf("event %d is left out", next)
						}
						continue
					}
					if !slices.Equal(found, want) {
						t.Fatalf("event %d: rules %v, want %v", next, found, want)
					}
					if !bytes.Equal(e.Raw, events[next].Raw) {
						t.Fatalf("event %d: record %.80s", next, e.Raw)
					}
					next++
					return nil
				}
				t.Fatalf("%s is out of order or comes twice", e.UID)
				return nil
			})
		if err != nil {
			t.Fatal(err)
		}
		for ; next < len(events); next++ {
			if expected(&events[next], next, rules) != nil {
				t.Fatalf("event %d is left out", next)
			}
		}
		if got != last || got.Candidates != 5_000 || got.Matched != matched || got.Unread != 50 || matched < 1_000 {
			t.Errorf("progress %+v, at last %+v; %d matched", got, last, matched)
		}
	}
	where := Source{Dialect: "duckdb", Where: conditions(events, nil)}
	whole := Source{Select: func(ctx context.Context, q query.Query) iter.Seq2[event.Event, error] {
		if !q.OldestFirst {
			t.Error("events are asked for backwards")
		}
		return conditions(events, nil)(ctx, Condition{})
	}}
	f(where, nil, 0)
	f(where, []int{0}, 3)
	f(where, []int{1, 2}, 1)
	f(whole, nil, 2)
}

// expected is which of the rules match event i.
func expected(e *event.Event, i int, rules []int) []int {
	if e.Format == "other" || e.Raw[0] != '{' {
		return nil
	}
	var out []int
	if e.APIOperation == "StopLogging" && (rules == nil || slices.Contains(rules, 0)) {
		out = append(out, 0)
	}
	if i%2 == 0 && (rules == nil || slices.Contains(rules, 1)) {
		out = append(out, 1)
	}
	return out
}

func TestScanAsks(t *testing.T) {
	set := rulesOf(t)
	var c Condition
	o := Options{Sources: sources, Rules: []int{0}, Since: start, Until: start.Add(time.Hour), Columns: []string{"account_uid", "raw"}, Ordered: true}
	if _, err := Scan(t.Context(), Source{Dialect: "duckdb", Where: conditions(nil, &c)}, set, o, nil); err != nil {
		t.Fatal(err)
	}
	if want := []string{"account_uid", "format", "raw", "time", "uid"}; !slices.Equal(c.Columns, want) {
		t.Errorf("columns %v, want %v", c.Columns, want)
	}
	if !c.Since.Equal(o.Since) || !c.Until.Equal(o.Until) || c.Ordered || !slices.Contains(c.Args, any("stoplogging")) || !strings.Contains(c.Where, "api_operation") {
		t.Errorf("condition %+v", c)
	}
}

// TestScanOrdered: few matches are put in order after matching, for many the
// source is asked for order.
func TestScanOrdered(t *testing.T) {
	set := rulesOf(t)
	events := log(3_000)
	f := func(held int, wantAsked []bool) {
		t.Helper()
		var asked []bool
		src := Source{Dialect: "duckdb", Where: func(ctx context.Context, c Condition) iter.Seq2[event.Event, error] {
			asked = append(asked, c.Ordered)
			given := slices.Clone(events)
			if !c.Ordered {
				slices.Reverse(given)
			}
			return conditions(given, nil)(ctx, c)
		}}
		s, err := newScan(src, set, Options{Sources: sources, Ordered: true})
		if err != nil {
			t.Fatal(err)
		}
		s.held = held
		n := 0
		var last event.UID
		p, err := s.all(t.Context(), func(e *event.Event, _ []int) error {
			if n > 0 && bytes.Compare(e.UID[:], last[:]) <= 0 {
				t.Fatalf("%s comes after %s", e.UID, last)
			}
			last = e.UID
			n++
			return nil
		})
		if err != nil || n < 1_000 || p.Matched != int64(n) || p.Candidates != 3_000 {
			t.Errorf("%d events, %+v, %v", n, p, err)
		}
		if !slices.Equal(asked, wantAsked) {
			t.Errorf("asked for order: %v, want %v", asked, wantAsked)
		}
	}
	f(maxHeld, []bool{false})
	f(100, []bool{false, true})
}

func TestScanEnds(t *testing.T) {
	set := rulesOf(t)
	src := Source{Dialect: "duckdb", Where: conditions(log(5_000), nil)}
	stop := errors.New("enough")
	n := 0
	_, err := Scan(t.Context(), src, set, Options{Sources: sources}, func(*event.Event, []int) error {
		if n++; n == 10 {
			return stop
		}
		return nil
	})
	if err != stop || n != 10 {
		t.Errorf("stopped with %v after %d", err, n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err = Scan(ctx, src, set, Options{Sources: sources}, func(*event.Event, []int) error { cancel(); return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	broken := errors.New("broken")
	fails := Source{Dialect: "duckdb", Where: func(context.Context, Condition) iter.Seq2[event.Event, error] {
		return func(yield func(event.Event, error) bool) {
			for _, e := range log(700) {
				if !yield(e, nil) {
					return
				}
			}
			yield(event.Event{}, broken)
		}
	}}
	if _, err = Scan(t.Context(), fails, set, Options{Sources: sources}, func(*event.Event, []int) error { return nil }); !errors.Is(err, broken) {
		t.Errorf("a source that fails: %v", err)
	}
	f := func(src Source, o Options, want string) {
		t.Helper()
		if _, err := Scan(t.Context(), src, set, o, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	f(Source{}, Options{}, "no way to read")
	f(Source{Dialect: "latin", Where: src.Where}, Options{}, "latin")
	f(src, Options{Rules: []int{3}}, "no rule 3")
}
