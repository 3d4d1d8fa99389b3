// Package memory keeps events and usage in memory: for tests, and as the plain
// reading of the lake's contract that other engines are compared with.
package memory

import (
	"bytes"
	"cmp"
	"context"
	"iter"
	"maps"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/lake"
	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/usage"
)

var (
	_ lake.Store          = (*Store)(nil)
	_ lake.Counter        = (*Store)(nil)
	_ lake.Expirer        = (*Store)(nil)
	_ lake.Rewriter       = (*Store)(nil)
	_ lake.UsageRebuilder = (*Store)(nil)
)

// Store is a lake that ends with the process. The zero value is ready to use.
type Store struct {
	// MaxResources is the cap of usage.Fold; 0 means usage.DefaultMax. It is set
	// before use.
	MaxResources int
	// Now gives the time of a batch; nil means time.Now.
	Now func() time.Time

	mu      sync.RWMutex // guards all below
	events  map[event.UID]*stored
	batches map[event.BatchID]*batch
	order   []event.BatchID // unreleased, oldest first
	sums    map[usage.Key]usage.Row
	horizon time.Time
}

type stored struct {
	event.Event
	version string
}

type batch struct {
	first   lake.Appended
	at      time.Time
	news    []event.UID
	rejects []event.Reject
	digests []event.Digest
}

func (s *Store) init() {
	if s.events == nil {
		s.events = map[event.UID]*stored{}
		s.batches = map[event.BatchID]*batch{}
		s.sums = map[usage.Key]usage.Row{}
	}
}

// Close keeps everything; a store in memory has nothing to give up.
func (s *Store) Close() error { return nil }

// Append implements lake.Appender.
func (s *Store) Append(ctx context.Context, b event.Batch) (lake.Appended, error) {
	if err := ctx.Err(); err != nil {
		return lake.Appended{}, err
	}
	account, err := lake.NewAccount(&b)
	if err != nil {
		return lake.Appended{}, err
	}
	id := b.ID()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.init()
	if done := s.batches[id]; done != nil {
		first := done.first
		first.Again = true
		return first, nil
	}
	done := &batch{first: lake.Appended{Batch: id}, rejects: b.Rejects, digests: b.Digests, at: s.now()}
	for i := range b.Events {
		s.add(&b, i, account, done)
	}
	done.first.Spans = account.Spans()
	s.batches[id] = done
	s.order = append(s.order, id)
	return done.first, nil
}

func (s *Store) now() time.Time {
	if s.Now == nil {
		return time.Now().UTC()
	}
	return s.Now()
}

// add decides on one event.
func (s *Store) add(b *event.Batch, i int, account *lake.Account, done *batch) {
	e := &b.Events[i]
	if e.Time.Before(s.horizon) {
		account.Judge(i, event.Expired)
		return
	}
	had := s.events[e.UID]
	switch {
	case had == nil:
		e.Batch = done.first.Batch
		s.events[e.UID] = &stored{*e, account.Version(i)}
		s.count(usage.Sum([]event.Event{*e}, 1<<30))
		done.first.New = append(done.first.New, i)
		done.news = append(done.news, e.UID)
	case had.Object == e.Object && had.Position == e.Position && had.version == account.Version(i):
		// A re-read keeps its verdict.
	case lake.SameBody(had.Raw, e.Raw):
		account.Judge(i, event.Duplicate)
	default:
		account.Judge(i, event.Quarantined)
		done.first.Conflicts = append(done.first.Conflicts, lake.Conflict(e, account.Version(i), had.Object, had.Position))
	}
}

// count adds rows to the sums, which are capped when they are read.
func (s *Store) count(rows []usage.Row) {
	for _, r := range rows {
		if had, ok := s.sums[r.Key]; ok {
			r = usage.Fold([]usage.Row{had, r}, 1<<30)[0]
		}
		s.sums[r.Key] = r
	}
}

// Release implements lake.Appender.
func (s *Store) Release(_ context.Context, id event.BatchID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.order = slices.DeleteFunc(s.order, func(x event.BatchID) bool { return x == id })
	return nil
}

// Unreleased implements lake.Appender.
func (s *Store) Unreleased(ctx context.Context) iter.Seq2[lake.Recovered, error] {
	return func(yield func(lake.Recovered, error) bool) {
		s.mu.RLock()
		var out []lake.Recovered
		for _, id := range s.order {
			b := s.batches[id]
			r := lake.Recovered{
				Batch: id, At: b.at, Spans: b.first.Spans, Digests: b.digests,
				Rejects: slices.Concat(b.rejects, b.first.Conflicts),
			}
			for _, uid := range b.news {
				if e := s.events[uid]; e != nil {
					r.Events = append(r.Events, e.Event)
				}
			}
			out = append(out, r)
		}
		s.mu.RUnlock()
		for _, r := range out {
			if err := ctx.Err(); err != nil {
				yield(lake.Recovered{}, err)
				return
			}
			if !yield(r, nil) {
				return
			}
		}
	}
}

func (s *Store) matching(q query.Query) []event.Event {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []event.Event
	for _, e := range s.events {
		if q.Matches(&e.Event) {
			out = append(out, e.Event)
		}
	}
	return out
}

// Select implements lake.Selecter.
func (s *Store) Select(ctx context.Context, q query.Query) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(event.Event{}, err)
			return
		}
		found := s.matching(q)
		slices.SortFunc(found, func(a, b event.Event) int {
			if !q.OldestFirst {
				a, b = b, a
			}
			return cmp.Or(a.Time.Compare(b.Time), bytes.Compare(a.UID[:], b.UID[:]))
		})
		if q.Limit > 0 && len(found) > q.Limit {
			found = found[:q.Limit]
		}
		for _, e := range found {
			if q.NoRaw {
				e.Raw = nil
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}

// Count implements lake.Counter.
func (s *Store) Count(_ context.Context, q query.Query) (int64, error) {
	return int64(len(s.matching(q))), nil
}

// Usage implements lake.UsageReader.
func (s *Store) Usage(ctx context.Context, q usage.Query) iter.Seq2[usage.Row, error] {
	return func(yield func(usage.Row, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(usage.Row{}, err)
			return
		}
		s.mu.RLock()
		rows := make([]usage.Row, 0, len(s.sums))
		for _, r := range s.sums {
			rows = append(rows, r)
		}
		s.mu.RUnlock()
		for _, r := range usage.Fold(rows, cmp.Or(s.MaxResources, usage.DefaultMax)) {
			if q.Matches(&r.Key) && !yield(r, nil) {
				return
			}
		}
	}
}

// Expire implements lake.Expirer.
func (s *Store) Expire(_ context.Context, t time.Time) (int64, error) {
	t = t.UTC().Truncate(24 * time.Hour)
	s.mu.Lock()
	defer s.mu.Unlock()
	waiting := map[event.BatchID]bool{}
	for _, id := range s.order {
		waiting[id] = true
	}
	var n int64
	for uid, e := range s.events {
		if e.Time.Before(t) && !waiting[e.Batch] {
			delete(s.events, uid)
			n++
		}
	}
	if t.After(s.horizon) {
		s.horizon = t
	}
	return n, nil
}

// Rewrite implements lake.Rewriter.
func (s *Store) Rewrite(ctx context.Context, since, until time.Time, f func(event.Event) (event.Event, error)) (changed int64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := map[event.UID]*stored{}
	hours := map[time.Time]bool{}
	for uid, e := range s.events {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		if (!since.IsZero() && e.Time.Before(since)) || (!until.IsZero() && !e.Time.Before(until)) {
			continue
		}
		now, err := f(e.Event)
		if err != nil {
			return 0, err
		}
		lake.KeepIdentity(&now, &e.Event)
		if !reflect.DeepEqual(now, e.Event) {
			next[uid] = &stored{now, e.version}
			hours[e.Time.UTC().Truncate(time.Hour)] = true
		}
	}
	maps.Copy(s.events, next)
	s.recount(hours)
	return int64(len(next)), nil
}

// recount makes the sums of some hours anew.
func (s *Store) recount(hours map[time.Time]bool) {
	maps.DeleteFunc(s.sums, func(k usage.Key, _ usage.Row) bool { return hours[k.Hour] })
	for _, e := range s.events {
		if hours[e.Time.UTC().Truncate(time.Hour)] {
			s.count(usage.Sum([]event.Event{e.Event}, 1<<30))
		}
	}
}

// RebuildUsage implements lake.UsageRebuilder.
func (s *Store) RebuildUsage(_ context.Context, since, until time.Time) (int, []lake.RefusedHour, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := map[time.Time]bool{}
	for k := range s.sums {
		known[k.Hour] = true
	}
	for _, e := range s.events {
		known[e.Time.UTC().Truncate(time.Hour)] = true
	}
	hours, refused := lake.RebuildableHours(slices.Collect(maps.Keys(known)), since, until, s.horizon)
	again := map[time.Time]bool{}
	for _, h := range hours {
		again[h] = true
	}
	s.recount(again)
	return len(hours), refused, nil
}
