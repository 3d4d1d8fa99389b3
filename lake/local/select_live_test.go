package local

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/lake"
	"github.com/yagura-sec/yagura/lake/laketest"
	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/usage"
)

// TestReadWhileWriting: readers in this process and beside it meet neither an
// error nor a list between two states while batches arrive and are merged.
func TestReadWhileWriting(t *testing.T) {
	dir := t.TempDir()
	w := openTest(t, dir, Options{Linger: 3 * time.Second, noSync: true})
	r := openTest(t, dir, Options{ReadOnly: true})
	const size = 200
	batches := 40
	if testing.Short() {
		batches = 15
	}
	ctx := context.Background()
	var stored, begun atomic.Int64
	var done atomic.Bool
	var wg sync.WaitGroup
	reader := func(name string, count func() (int64, error)) {
		wg.Go(func() {
			for n := 0; !done.Load() || n == 0; n++ {
				before := stored.Load()
				got, err := count()
				after := begun.Load()
				if err != nil || got < before || got > after {
					t.Errorf("%s: %d events, %v; there were %d before and %d after", name, got, err, before, after)
					return
				}
			}
		})
	}
	distinct := func(s *Store, q query.Query) (int64, error) {
		seen := map[event.UID]bool{}
		for e, err := range s.Select(ctx, q) {
			if err != nil {
				return 0, err
			}
			if seen[e.UID] {
				return 0, fmt.Errorf("%s comes twice", e.UID)
			}
			seen[e.UID] = true
		}
		return int64(len(seen)), nil
	}
	where := parse(t, `account:* -operation:Nothing`)
	reader("select", func() (int64, error) { return distinct(w, query.Query{}) })
	reader("select beside the writer", func() (int64, error) { return distinct(r, query.Query{Where: where, OldestFirst: true}) })
	reader("count", func() (int64, error) { return r.Count(ctx, query.Query{Where: where}) })
	reader("usage", func() (n int64, err error) {
		for row, err := range r.Usage(ctx, usage.Query{}) {
			if err != nil {
				return 0, err
			}
			if row.ResourceUID == "" {
				n += row.Count
			}
		}
		return n, nil
	})
	reader("sql", func() (int64, error) {
		a, err := ask(r, `select (select count(*) from events), (select coalesce(sum("count"), 0)::bigint from usage where resource_uid = '')`, lake.SQLOptions{})
		if err != nil {
			return 0, err
		}
		if a.rows[0][0] != a.rows[0][1] {
			return 0, fmt.Errorf("events and usage differ: %v", a.rows[0])
		}
		return a.rows[0][0].(int64), nil
	})
	m := laketest.NewMaker(1)
	for i := range batches {
		evs := m.Events(size, laketest.Day.Add(time.Duration(i%3)*24*time.Hour), 20*time.Hour)
		for k := range evs {
			evs[k].Twin, evs[k].Category = false, event.Management // so that usage counts it
		}
		begun.Add(size)
		a, err := w.Append(ctx, laketest.Batch(fmt.Sprint("object-", i), "1", evs...))
		if err != nil {
			t.Fatal(err)
		}
		stored.Add(size)
		if err := w.Release(ctx, a.Batch); err != nil {
			t.Fatal(err)
		}
		if i%4 == 3 {
			if err := w.Merge(ctx); err != nil {
				t.Fatal(err)
			}
		}
	}
	done.Store(true)
	wg.Wait()
}

// TestRetakesList: a reader whose list is older than the files reads it again.
func TestRetakesList(t *testing.T) {
	ctx := context.Background()
	f := func(name string, want int64, ask func(r *Store, some event.Event) (int64, error)) {
		t.Helper()
		dir := t.TempDir()
		w := openTest(t, dir, Options{Linger: -1, noSync: true})
		m := laketest.NewMaker(2)
		var some event.Event
		for i := range 3 {
			evs := m.Events(100, laketest.Day, 20*time.Hour)
			for k := range evs {
				evs[k].Twin, evs[k].Category = false, event.Management // so that usage counts it
			}
			some = evs[7]
			a, err := w.Append(ctx, laketest.Batch(fmt.Sprint("object-", i), "1", evs...))
			if err == nil {
				err = w.Release(ctx, a.Batch)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		r := openTest(t, dir, Options{ReadOnly: true})
		old, err := r.current()
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Merge(ctx); err != nil { // Linger -1: the three files are gone
			t.Fatal(err)
		}
		now, err := r.current()
		if err != nil || now.generation == old.generation {
			t.Fatalf("generation %d, %v", now.generation, err)
		}
		old.generation = now.generation // as if the merge came right after the look
		r.mu.Lock()
		r.list = old
		r.mu.Unlock()
		if n, err := ask(r, some); err != nil || n != want {
			t.Errorf("%s: %d, %v; want %d", name, n, err, want)
		}
	}
	count := func(r *Store, q query.Query) (n int64, err error) {
		for _, err := range r.Select(ctx, q) {
			if err != nil {
				return n, err
			}
			n++
		}
		return n, nil
	}
	f("select", 300, func(r *Store, _ event.Event) (int64, error) { return count(r, query.Query{}) })
	f("oldest first", 300, func(r *Store, _ event.Event) (int64, error) {
		return count(r, query.Query{Where: parse(t, `account:*`), OldestFirst: true})
	})
	f("limited", 10, func(r *Store, _ event.Event) (int64, error) { return count(r, query.Query{Limit: 10}) })
	f("uid", 1, func(r *Store, some event.Event) (int64, error) {
		return count(r, query.Query{Where: query.Eq{Field: "uid", Value: some.UID}})
	})
	f("request id", 1, func(r *Store, some event.Event) (int64, error) {
		return count(r, query.Query{Where: query.Eq{Field: "api_request_uid", Value: some.APIRequestUID}})
	})
	f("count", 300, func(r *Store, _ event.Event) (int64, error) {
		return r.Count(ctx, query.Query{Where: parse(t, `account:*`)})
	})
	f("usage", 300, func(r *Store, _ event.Event) (n int64, err error) {
		for row, err := range r.Usage(ctx, usage.Query{}) {
			if err != nil {
				return n, err
			}
			if row.ResourceUID == "" {
				n += row.Count
			}
		}
		return n, nil
	})
	f("sql", 300, func(r *Store, _ event.Event) (int64, error) {
		a, err := ask(r, `select count(*) from events`, lake.SQLOptions{})
		if err != nil {
			return 0, err
		}
		return a.rows[0][0].(int64), nil
	})
}
