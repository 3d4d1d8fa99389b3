package laketest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/lake"
	"github.com/yagura-sec/yagura/query"
)

// conditioner gives the engine, if it takes conditions that query.SQL writes.
func (s *store) conditioner(t *testing.T) lake.Conditioner {
	t.Helper()
	c, ok := s.Store.(lake.Conditioner)
	if !ok {
		t.Skip("this engine takes no conditions")
	}
	if c.Dialect() != "duckdb" {
		t.Skipf("conditions of dialect %s are not at hand", c.Dialect())
	}
	return c
}

// found collects what a condition chooses, of which no event may come twice.
func found(t *testing.T, s lake.Conditioner, c lake.Condition) []event.Event {
	t.Helper()
	var out []event.Event
	seen := map[event.UID]bool{}
	for e, err := range s.SelectWhere(context.Background(), c) {
		if err != nil {
			t.Fatal(err)
		}
		if seen[e.UID] {
			t.Fatalf("%s: %s comes twice", c.Where, e.UID)
		}
		seen[e.UID] = true
		e.Raw = bytes.Clone(e.Raw)
		out = append(out, e)
	}
	return out
}

// allColumns are the names of an event's columns.
func allColumns() []string {
	var out []string
	for _, c := range query.Columns() {
		out = append(out, c.Name)
	}
	return out
}

// only gives e with the named columns, time and uid.
func only(e event.Event, columns []string) event.Event {
	var out event.Event
	from, to := reflect.ValueOf(e), reflect.ValueOf(&out).Elem()
	for i, c := range query.Columns() {
		if c.Name == "time" || c.Name == "uid" || slices.Contains(columns, c.Name) {
			to.Field(i).Set(from.Field(i))
		}
	}
	return out
}

func testConditions(t *testing.T, s *store) {
	c := s.conditioner(t)
	m := NewMaker(23)
	events := m.Events(600, Day.Add(-30*time.Hour), 60*time.Hour)
	for i := range 6 {
		a := s.append(Batch(fmt.Sprint("o", i), "v1", events[i*100:i*100+100]...))
		if i%2 == 0 {
			s.release(a.Batch)
		}
	}
	stored := s.events()
	some := 0
	f := func(q query.Query, columns []string, ordered bool) {
		t.Helper()
		where, args, exact := query.SQL(q.Where)
		if !exact {
			return
		}
		if q.Where == nil {
			where, args = "", nil
		}
		var want []event.Event
		for i := range stored {
			if q.Matches(&stored[i]) {
				want = append(want, only(stored[i], columns))
			}
		}
		got := found(t, c, lake.Condition{Since: q.Since, Until: q.Until, Where: where, Args: args, Columns: columns, Ordered: ordered})
		byTime(want)
		if !ordered {
			byTime(got)
		}
		if len(got) != len(want) {
			t.Errorf("%s: %d events, want %d", where, len(got), len(want))
			return
		}
		for i := range got {
			if d := diff(got[i], want[i]); d != "" {
				t.Errorf("%s: event %d: %s", where, i, d)
				return
			}
		}
		some += len(got)
	}
	for i, text := range expressions {
		where, err := query.Parse(text)
		if err != nil {
			t.Fatalf("parse %q: %v", text, err)
		}
		f(query.Query{Where: where}, allColumns(), i%2 == 0)
		f(query.Query{Where: where, Since: Day.Add(-time.Hour), Until: Day.Add(3 * time.Hour)}, []string{"raw", "format"}, i%2 == 1)
	}
	f(query.Query{Since: stored[100].Time, Until: stored[200].Time}, nil, true)
	f(query.Query{Since: stored[100].Time.Add(1), Until: stored[200].Time.Add(1)}, []string{"message", "resource_uids"}, false)
	f(query.Query{Since: Day.AddDate(9, 0, 0)}, allColumns(), false)
	if some < 1000 {
		t.Errorf("only %d events were chosen: the test shows too little", some)
	}
	for _, bad := range []lake.Condition{{Where: "no_such_column = 1"}, {Columns: []string{"no_such_column"}}, {Where: "account_uid = ?"}} {
		ok := false
		for _, err := range c.SelectWhere(context.Background(), bad) {
			ok = err != nil
			break
		}
		if !ok {
			t.Errorf("%+v is taken", bad)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, err := range c.SelectWhere(ctx, lake.Condition{}) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
		break
	}
}

// testConditionsLive reads while batches arrive and are merged: whatever was
// stored when a reading began is in it, once.
func testConditionsLive(t *testing.T, s *store) {
	c := s.conditioner(t)
	merger, merges := s.Store.(lake.Merger)
	m := NewMaker(24)
	const size = 150
	batches := 24
	if testing.Short() {
		batches = 10
	}
	var mu sync.Mutex
	var stored []event.UID
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for _, cond := range []lake.Condition{
		{Columns: []string{"raw"}},
		{Where: "account_uid <> ?", Args: []any{"none"}, Columns: []string{"format", "raw"}},
		{Where: "read_only OR NOT read_only", Ordered: true},
	} {
		wg.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					if n > 0 {
						return
					}
				default:
				}
				mu.Lock()
				before := slices.Clone(stored)
				mu.Unlock()
				got := map[event.UID]int{}
				for e, err := range c.SelectWhere(context.Background(), cond) {
					if err != nil {
						t.Errorf("%q: %v", cond.Where, err)
						return
					}
					got[e.UID]++
				}
				for uid, times := range got {
					if times != 1 {
						t.Errorf("%q: %s comes %d times", cond.Where, uid, times)
						return
					}
				}
				for _, uid := range before {
					if got[uid] == 0 {
						t.Errorf("%q: %s is missing", cond.Where, uid)
						return
					}
				}
			}
		})
	}
	for i := range batches {
		events := m.Events(size, Day.Add(time.Duration(i%3)*24*time.Hour), 20*time.Hour)
		a := s.append(Batch(fmt.Sprint("o", i), "v1", events...))
		s.release(a.Batch)
		mu.Lock()
		for _, e := range events {
			stored = append(stored, e.UID)
		}
		mu.Unlock()
		if merges && i%4 == 3 {
			if err := merger.Merge(context.Background()); err != nil {
				t.Error(err)
			}
		}
	}
	close(stop)
	wg.Wait()
}
