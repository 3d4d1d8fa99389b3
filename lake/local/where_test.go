package local

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/lake"
	"github.com/yagura-sec/yagura/lake/laketest"
)

// where collects what a condition finds.
func selectWhere(t testing.TB, s *Store, c lake.Condition) []event.Event {
	t.Helper()
	var out []event.Event
	for e, err := range s.SelectWhere(context.Background(), c) {
		if err != nil {
			t.Fatal(err)
		}
		e.Raw = bytes.Clone(e.Raw)
		out = append(out, e)
	}
	return out
}

// TestWhereRetake merges a day's files away while its first events are yielded,
// and those of the day behind it before that was begun.
func TestWhereRetake(t *testing.T) {
	f := func(c lake.Condition) {
		t.Helper()
		dir := t.TempDir()
		w := openTest(t, dir, Options{Linger: -1, noSync: true})
		m := laketest.NewMaker(78)
		const size = 1500
		for day := range 3 {
			for part := range 2 {
				start := laketest.Day.Add(time.Duration(24*day+part) * time.Hour)
				got, err := w.Append(t.Context(), laketest.Batch(fmt.Sprint(day, part), "1", m.Events(size, start, time.Hour)...))
				if err == nil {
					err = w.Release(t.Context(), got.Batch)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
		}
		r := openTest(t, dir, Options{ReadOnly: true})
		seen := map[event.UID]bool{}
		for e, err := range r.SelectWhere(t.Context(), c) {
			if err != nil {
				t.Fatal(err)
			}
			if seen[e.UID] {
				t.Fatalf("%s comes twice", e.UID)
			}
			if seen[e.UID] = true; len(seen) == 1 {
				if err := w.Merge(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		}
		if len(seen) != 6*size {
			t.Errorf("%+v: %d events, want %d", c, len(seen), 6*size)
		}
	}
	f(lake.Condition{Columns: []string{"raw"}})
	f(lake.Condition{Where: "account_uid <> ?", Args: []any{"none"}, Columns: []string{"raw", "resource_uids"}})
	f(lake.Condition{Where: "true", Ordered: true})
}

// TestWhereManyRows crosses pages, pieces and row groups, dense and sparse.
func TestWhereManyRows(t *testing.T) {
	n := rowGroupRows + 30_000
	if testing.Short() {
		n = 30_000
	}
	evs := genEvents(4, n, 1)
	s := openTest(t, t.TempDir(), Options{noSync: true})
	fillAtRest(t, s, evs, n)
	want := map[event.UID]*event.Event{}
	for i := range evs {
		want[evs[i].UID] = &evs[i]
	}
	all := []string{"raw", "event_uid", "api_operation", "position", "resource_uids", "caller_confidence", "batch", "read_only"}
	f := func(c lake.Condition, keep func(*event.Event) bool) {
		t.Helper()
		count := 0
		for i := range evs {
			if keep(&evs[i]) {
				count++
			}
		}
		got := selectWhere(t, s, c)
		if len(got) != count || count == 0 {
			t.Errorf("%s: %d events, want %d", c.Where, len(got), count)
		}
		last := event.Event{}
		for _, e := range got {
			w := want[e.UID]
			if w == nil || !keep(w) {
				t.Fatalf("%s: finds %s", c.Where, e.UID)
			}
			if !e.Time.Equal(w.Time) || !bytes.Equal(e.Raw, w.Raw) || e.EventUID != w.EventUID || e.APIOperation != w.APIOperation ||
				e.Position != w.Position || fmt.Sprint(e.ResourceUIDs) != fmt.Sprint(w.ResourceUIDs) || e.CallerConfidence != w.CallerConfidence ||
				e.ReadOnly != w.ReadOnly {
				t.Fatalf("%s: event\n%+v, want\n%+v", c.Where, e, *w)
			}
			if e.UserAgent != "" || e.Message != "" {
				t.Fatalf("%s: column that nobody asked for: %+v", c.Where, e)
			}
			if c.Ordered && (e.Time.Before(last.Time) || e.Time.Equal(last.Time) && bytes.Compare(e.UID[:], last.UID[:]) <= 0) {
				t.Fatalf("%s: %s after %s", c.Where, e.Time, last.Time)
			}
			last = e
		}
	}
	f(lake.Condition{Columns: all}, func(*event.Event) bool { return true })
	f(lake.Condition{Columns: all, Ordered: true}, func(*event.Event) bool { return true })
	op := evs[n/2].APIOperation
	f(lake.Condition{Where: "api_operation = ?", Args: []any{op}, Columns: all, Ordered: true}, func(e *event.Event) bool { return e.APIOperation == op })
	f(lake.Condition{Where: `"position" % 399 = 17`, Columns: all}, func(e *event.Event) bool { return e.Position%399 == 17 })
	since, until := evs[n/3].Time, evs[n/3].Time.Add(20*time.Minute)
	f(lake.Condition{Where: `"position" % 3 <> 0`, Since: since, Until: until, Columns: all}, func(e *event.Event) bool {
		return e.Position%3 != 0 && !e.Time.Before(since) && e.Time.Before(until)
	})
	f(lake.Condition{Since: since.Add(1), Until: until.Add(1), Columns: all}, func(e *event.Event) bool {
		return e.Time.After(since) && !e.Time.After(until)
	})
}

func TestWhereStops(t *testing.T) {
	s := openTest(t, t.TempDir(), Options{noSync: true})
	fillAtRest(t, s, genEvents(5, 5_000, 2), 5_000)
	n := 0
	for _, err := range s.SelectWhere(t.Context(), lake.Condition{Columns: []string{"raw"}}) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n == 700 {
			break
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n = 0
	var got error
	for _, err := range s.SelectWhere(ctx, lake.Condition{Columns: []string{"raw"}}) {
		if got = err; err != nil {
			break
		}
		if n++; n == 700 {
			cancel()
		}
	}
	if !errors.Is(got, context.Canceled) {
		t.Errorf("cancelled after %d events: %v", n, got)
	}
	f := func(c lake.Condition) {
		t.Helper()
		for _, err := range s.SelectWhere(t.Context(), c) {
			if err == nil {
				t.Errorf("%+v: yields", c)
			}
			return
		}
		t.Errorf("%+v: ends without an error", c)
	}
	f(lake.Condition{Columns: []string{"raw", "nothing"}})
	f(lake.Condition{Columns: []string{"operation"}}) // an alias, no column
	f(lake.Condition{Where: "api_operation = "})
	f(lake.Condition{Where: "api_operation = ?"})
}
