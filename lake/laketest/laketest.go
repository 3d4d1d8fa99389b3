// Package laketest is the contract of a lake's engine as tests, and the events
// they are made of.
package laketest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/lake"
	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/usage"
)

// Test runs the contract on stores that open makes, each empty. What an engine
// offers beyond lake.Store is tested where it is there.
func Test(t *testing.T, open func(t *testing.T) lake.Store) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, s *store)
	}{
		{"append", testAppend},
		{"append again", testAgain},
		{"re-read", testReread},
		{"duplicate", testDuplicate},
		{"conflict", testConflict},
		{"within a batch", testWithinBatch},
		{"rejects and digests", testRejects},
		{"wrong batches", testWrongBatches},
		{"cancelled", testCancelled},
		{"concurrent", testConcurrent},
		{"every column", testColumns},
		{"order", testOrder},
		{"queries", testQueries},
		{"conditions", testConditions},
		{"conditions while writing", testConditionsLive},
		{"looking around", testExplore},
		{"sums", testSum},
		{"usage", testUsage},
		{"usage by a condition", testUsageWhere},
		{"expire", testExpire},
		{"rewrite", testRewrite},
		{"rebuild usage", testRebuild},
		{"merge", testMerge},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := open(t)
			t.Cleanup(func() {
				if err := s.Close(); err != nil {
					t.Errorf("close: %v", err)
				}
			})
			c.test(t, &store{t, s})
		})
	}
}

// store is an engine under test; what must not fail fails the test.
type store struct {
	t *testing.T
	lake.Store
}

func (s *store) append(b event.Batch) lake.Appended {
	s.t.Helper()
	a, err := s.Append(context.Background(), b)
	if err != nil {
		s.t.Fatalf("append: %v", err)
	}
	return a
}

func (s *store) release(id event.BatchID) {
	s.t.Helper()
	if err := s.Release(context.Background(), id); err != nil {
		s.t.Fatalf("release: %v", err)
	}
}

func (s *store) unreleased() []lake.Recovered {
	s.t.Helper()
	return collect(s.t, s.Unreleased(context.Background()))
}

func (s *store) events() []event.Event {
	s.t.Helper()
	return collect(s.t, s.Select(context.Background(), query.Query{OldestFirst: true}))
}

func collect[T any](t *testing.T, seq iter.Seq2[T, error]) []T {
	t.Helper()
	var out []T
	for v, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
	return out
}

// verdicts of an answer as text: "3s1d 2q".
func verdicts(spans []event.SpanAccount) string {
	var out []string
	for _, s := range spans {
		text, _ := s.Verdicts.MarshalText()
		out = append(out, string(text))
	}
	return strings.Join(out, " ")
}

func (s *store) wantVerdicts(a lake.Appended, want string, news ...int) {
	s.t.Helper()
	if got := verdicts(a.Spans); got != want {
		s.t.Errorf("verdicts %s, want %s", got, want)
	}
	if !slices.Equal(a.New, news) {
		s.t.Errorf("new %v, want %v", a.New, news)
	}
}

// wantEvents compares stored events, in any order.
func (s *store) wantEvents(want []event.Event) {
	s.t.Helper()
	equalEvents(s.t, s.events(), want)
}

func equalEvents(t *testing.T, got, want []event.Event) {
	t.Helper()
	got, want = slices.Clone(got), slices.Clone(want)
	byTime(got)
	byTime(want)
	if len(got) != len(want) {
		t.Fatalf("%d events, want %d", len(got), len(want))
	}
	for i := range got {
		if d := diff(got[i], want[i]); d != "" {
			t.Fatalf("event %d (%s): %s", i, want[i].UID, d)
		}
	}
}

func byTime(events []event.Event) {
	slices.SortFunc(events, func(a, b event.Event) int {
		if c := a.Time.Compare(b.Time); c != 0 {
			return c
		}
		return bytes.Compare(a.UID[:], b.UID[:])
	})
}

// diff names the fields that differ.
func diff(got, want event.Event) string {
	var out []string
	g, w := reflect.ValueOf(got), reflect.ValueOf(want)
	for i := range g.NumField() {
		if !reflect.DeepEqual(g.Field(i).Interface(), w.Field(i).Interface()) {
			out = append(out, fmt.Sprintf("%s is %q, want %q", g.Type().Field(i).Name, g.Field(i), w.Field(i)))
		}
	}
	return strings.Join(out, "; ")
}

func testAppend(t *testing.T, s *store) {
	m := NewMaker(1)
	b := Batch("trail/a.json", "v1", m.Events(5, Day, time.Hour)...)
	a := s.append(b)
	s.wantVerdicts(a, "5s", 0, 1, 2, 3, 4)
	if a.Batch != b.ID() || a.Again || len(a.Conflicts) != 0 {
		t.Errorf("answer %+v", a)
	}
	if !reflect.DeepEqual(a.Spans[0].Span, b.Spans[0]) {
		t.Errorf("span %+v, want %+v", a.Spans[0].Span, b.Spans[0])
	}
	for i := range b.Events {
		b.Events[i].Batch = a.Batch
	}
	s.wantEvents(b.Events)

	got := s.unreleased()
	if len(got) != 1 || got[0].Batch != a.Batch || !reflect.DeepEqual(got[0].Spans, a.Spans) {
		t.Fatalf("unreleased: %+v", got)
	}
	if got[0].At.IsZero() {
		t.Error("the batch has no time")
	}
	equalEvents(t, got[0].Events, b.Events)
	s.release(a.Batch)
	s.release(a.Batch)
	if got := s.unreleased(); len(got) != 0 {
		t.Errorf("%d batches unreleased after release", len(got))
	}

	empty := s.append(Batch("trail/empty.json", "v1"))
	s.wantVerdicts(empty, "")
	if got := s.unreleased(); len(got) != 1 || len(got[0].Spans) != 1 {
		t.Errorf("a batch without records is read back as %+v", got)
	}
}

func testAgain(t *testing.T, s *store) {
	m := NewMaker(2)
	old := m.Event(Day)
	s.release(s.append(Batch("first", "v1", old)).Batch)
	changed := m.Event(Day)
	changed.UID = old.UID
	b := Batch("trail/a.json", "v1", m.Event(Day), old, changed, m.Event(Day))
	first := s.append(b)
	s.wantVerdicts(first, "1s1d1q1s", 0, 3)
	for range 2 {
		again := s.append(b)
		if !again.Again {
			t.Error("the second answer does not say again")
		}
		again.Again = false
		if !reflect.DeepEqual(again, first) {
			t.Errorf("second answer %+v\nfirst %+v", again, first)
		}
		s.release(first.Batch)
	}
	if n := len(s.events()); n != 3 {
		t.Errorf("%d events stored, want 3", n)
	}
}

func testReread(t *testing.T, s *store) {
	m := NewMaker(3)
	events := m.Events(4, Day, 40*time.Hour)
	s.release(s.append(Batch("a", "v1", events...)).Batch)
	before := s.events()

	reread := Batch("a", "v1", events...)
	reread.Attempt = "reread"
	a := s.append(reread)
	s.wantVerdicts(a, "4s")
	if a.Again {
		t.Error("another attempt is not the same batch")
	}
	if got := s.unreleased(); len(got) != 1 || len(got[0].Events) != 0 {
		t.Errorf("unreleased %+v, want one batch without new events", got)
	}
	s.release(a.Batch)

	s.wantVerdicts(s.append(Batch("a", "v2", events...)), "4d")
	moved := Batch("a", "v1", events[1], events[0])
	moved.Attempt = "moved"
	s.wantVerdicts(s.append(moved), "2d")

	// Only part of it was stored from here: the others keep being duplicates.
	s.wantVerdicts(s.append(Batch("b", "v1", events[0], m.Event(Day))), "1d1s", 1)
	reread = Batch("b", "v1", events[0], m.Event(Day))
	reread.Events[1] = s.find(t, "b", 1)
	reread.Attempt = "reread"
	s.wantVerdicts(s.append(reread), "1d1s")
	equalEvents(t, slices.DeleteFunc(s.events(), func(e event.Event) bool { return e.Object == "b" }), before)
}

func (s *store) find(t *testing.T, object string, position int64) event.Event {
	t.Helper()
	for _, e := range s.events() {
		if e.Object == object && e.Position == position {
			return e
		}
	}
	t.Fatalf("record %d of %s is not stored", position, object)
	return event.Event{}
}

func testDuplicate(t *testing.T, s *store) {
	m := NewMaker(4)
	events := m.Events(300, Day.Add(-12*time.Hour), 24*time.Hour) // two days
	s.release(s.append(Batch("a", "v1", events...)).Batch)
	before := s.events()
	// Said again in other words.
	for i := range events {
		if i%3 == 0 {
			events[i].Raw = bytes.Replace(events[i].Raw, []byte(`,"userIdentity"`), []byte(` , "userIdentity"`), 1)
			events[i].Raw = append(events[i].Raw, '\n')
		}
	}
	s.wantVerdicts(s.append(Batch("copy", "v1", events...)), "300d")
	fresh := m.Event(Day)
	mixed := Batch("mixed", "v1", events[7], fresh, events[200])
	s.wantVerdicts(s.append(mixed), "1d1s1d", 1)
	if got, want := len(s.events()), len(before)+1; got != want {
		t.Errorf("%d events, want %d", got, want)
	}
}

func testConflict(t *testing.T, s *store) {
	m := NewMaker(5)
	events := m.Events(3, Day, time.Hour)
	s.release(s.append(Batch("a.json", "v1", events...)).Batch)
	before := s.events()
	forged := events[1]
	forged.Raw = bytes.Replace(forged.Raw, []byte("203.0.113."), []byte("198.51.100."), 1)
	forged.SrcIP = "198.51.100.7"
	b := Batch("b.json", "v9", m.Event(Day), forged, events[0])
	a := s.append(b)
	s.wantVerdicts(a, "1s1q1d", 0)
	if len(a.Conflicts) != 1 {
		t.Fatalf("%d conflicts, want 1", len(a.Conflicts))
	}
	c := a.Conflicts[0]
	if c.Object != "b.json" || c.Version != "v9" || c.Position != 1 || !bytes.Equal(c.Body, forged.Raw) ||
		c.Size != int64(len(forged.Raw)) || c.Format != "aws.cloudtrail" || !c.Received.Equal(forged.IngestTime) {
		t.Errorf("conflict %+v", c)
	}
	for _, want := range []string{"record 1 of a.json", "record 1 of b.json", forged.UID.String()} {
		if !strings.Contains(c.Reason, want) {
			t.Errorf("reason %q does not name %q", c.Reason, want)
		}
	}
	got := s.unreleased()
	if len(got) != 1 || !reflect.DeepEqual(got[0].Rejects, a.Conflicts) {
		t.Errorf("read back with rejects %+v", got)
	}
	after := slices.DeleteFunc(s.events(), func(e event.Event) bool { return e.Object == "b.json" })
	equalEvents(t, after, before)
}

func testWithinBatch(t *testing.T, s *store) {
	m := NewMaker(6)
	e, other := m.Event(Day), m.Event(Day.Add(time.Hour))
	forged := other
	forged.UID = e.UID
	a := s.append(Batch("a", "v1", e, e, forged, other))
	s.wantVerdicts(a, "1s1d1q1s", 0, 3)
	if len(a.Conflicts) != 1 || !strings.Contains(a.Conflicts[0].Reason, "record 0 of a") {
		t.Errorf("conflicts %+v", a.Conflicts)
	}
}

func testRejects(t *testing.T, s *store) {
	m := NewMaker(7)
	b := Batch("a", "v1", m.Events(2, Day, time.Hour)...)
	b.Spans[0].Records = 4
	b.Events[1].Position = 2
	for _, p := range []int64{1, 3} {
		b.Rejects = append(b.Rejects, event.Reject{Object: "a", Version: "v1", Position: p, Reason: "no time", Body: []byte("{}"), Size: 2, Received: Day})
	}
	b.Digests = []event.Digest{{Object: "d", SHA256: "ab", Account: "111122223333", Region: "us-east-1", Start: Day, End: Day.Add(time.Hour),
		Files: []event.DigestFile{{Bucket: "logs", Key: "k", SHA256: "cd", Oldest: Day, Newest: Day}}}}
	a := s.append(b)
	s.wantVerdicts(a, "1s1q1s1q", 0, 1)
	got := s.unreleased()
	if len(got) != 1 || !reflect.DeepEqual(got[0].Rejects, b.Rejects) || !reflect.DeepEqual(got[0].Digests, b.Digests) {
		t.Errorf("read back %+v", got)
	}
}

func testWrongBatches(t *testing.T, s *store) {
	m := NewMaker(8)
	f := func(what string, change func(b *event.Batch)) {
		t.Helper()
		b := Batch("a", "v1", m.Events(3, Day, time.Hour)...)
		change(&b)
		if _, err := s.Append(context.Background(), b); err == nil {
			t.Errorf("%s: accepted", what)
		}
	}
	f("a record of no span", func(b *event.Batch) { b.Events[1].Object = "b" })
	f("a record behind its span", func(b *event.Batch) { b.Events[1].Position = 3 })
	f("a record twice", func(b *event.Batch) { b.Events[1].Position = 2 })
	f("a record missing", func(b *event.Batch) { b.Spans[0].Records = 4 })
	if n := len(s.events()) + len(s.unreleased()); n != 0 {
		t.Errorf("%d events and batches of refused batches", n)
	}
}

func testCancelled(t *testing.T, s *store) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	b := Batch("a", "v1", NewMaker(9).Event(Day))
	if _, err := s.Append(ctx, b); !errors.Is(err, context.Canceled) {
		t.Errorf("append: %v", err)
	}
	if n := len(s.events()); n != 0 {
		t.Errorf("%d events stored", n)
	}
	s.wantVerdicts(s.append(b), "1s", 0)
}

// testConcurrent appends overlapping batches from several goroutines.
func testConcurrent(t *testing.T, s *store) {
	events := NewMaker(10).Events(400, Day.Add(-6*time.Hour), 12*time.Hour)
	const writers = 6
	answers := make([]lake.Appended, writers*4)
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(w), 10))
			for i := range 4 {
				from := rnd.IntN(200)
				b := Batch(fmt.Sprintf("w%d-%d", w, i), "v1", events[from:from+200]...)
				a, err := s.Append(context.Background(), b)
				if err != nil {
					t.Errorf("writer %d: %v", w, err)
					return
				}
				answers[w*4+i] = a
				if err := s.Release(context.Background(), a.Batch); err != nil {
					t.Errorf("writer %d: %v", w, err)
				}
			}
		})
	}
	wg.Wait()
	var news, stored, duplicates int64
	for _, a := range answers {
		news += int64(len(a.New))
		for _, sp := range a.Spans {
			stored += sp.Verdicts.Count(event.Stored)
			duplicates += sp.Verdicts.Count(event.Duplicate)
		}
	}
	held := map[event.UID]bool{}
	for _, e := range s.events() {
		if held[e.UID] {
			t.Fatalf("%s is stored twice", e.UID)
		}
		held[e.UID] = true
	}
	if n := int64(len(held)); news != n || stored != n || duplicates != writers*4*200-n {
		t.Errorf("%d held, %d new, %d stored, %d duplicates", n, news, stored, duplicates)
	}
	equalUsage(t, collect(t, s.Usage(context.Background(), usage.Query{})), naive(s.events()))
}

// testColumns stores an event with every field set and one with none.
func testColumns(t *testing.T, s *store) {
	full := NewMaker(11).Event(Day.Add(123456 * time.Microsecond))
	v := reflect.ValueOf(&full).Elem()
	for i := range v.NumField() {
		f, name := v.Field(i), v.Type().Field(i).Name
		switch {
		case f.Kind() == reflect.String:
			f.SetString(name + ` "quoted" 日本`)
		case f.Kind() == reflect.Int32:
			f.SetInt(int64(1000 + i))
		case f.Kind() == reflect.Bool:
			f.SetBool(true)
		}
	}
	full.CallerConfidence = 0.1
	full.ResourceUIDs = []string{"one", "", "three"}
	full.Raw = []byte("{ \"a\" : 1 }\n")
	bare := event.Event{Time: Day.Add(time.Second), UID: event.HashUID("bare")}
	own := event.Event{Time: Day.Add(2 * time.Second), UID: event.HashUID("own"), EventUID: event.HashUID("own").String()}
	b := Batch("o", "v1", full, bare, own)
	s.append(b)
	for i := range b.Events {
		b.Events[i].Batch = b.ID()
	}
	equalEvents(t, s.unreleased()[0].Events, b.Events)
	s.wantEvents(b.Events)
}

func testOrder(t *testing.T, s *store) {
	m := NewMaker(12)
	events := m.Events(60, Day.Add(-30*time.Hour), 60*time.Hour)
	for i := range events { // with ties in time
		events[i].Time = events[i].Time.Truncate(3 * time.Hour)
	}
	s.release(s.append(Batch("a", "v1", events[:20]...)).Batch)
	s.append(Batch("b", "v1", events[20:]...))
	byTime(events)
	f := func(q query.Query, want []event.Event) {
		t.Helper()
		var ids, wantIDs []event.UID
		for _, e := range collect(t, s.Select(context.Background(), q)) {
			ids = append(ids, e.UID)
		}
		for _, e := range want {
			wantIDs = append(wantIDs, e.UID)
		}
		if !slices.Equal(ids, wantIDs) {
			t.Errorf("%+v gives %d events %v, want %d", q, len(ids), ids, len(wantIDs))
		}
	}
	f(query.Query{OldestFirst: true}, events)
	f(query.Query{OldestFirst: true, Limit: 7}, events[:7])
	since, until := Day.Add(-3*time.Hour), Day.Add(6*time.Hour)
	inside := slices.DeleteFunc(slices.Clone(events), func(e event.Event) bool { return e.Time.Before(since) || !e.Time.Before(until) })
	f(query.Query{OldestFirst: true, Since: since, Until: until}, inside)
	slices.Reverse(events)
	f(query.Query{}, events)
	f(query.Query{Limit: 13}, events[:13])
	f(query.Query{Limit: 13, NoRaw: true}, events[:13])
	uid := query.Eq{Field: "uid", Value: events[3].UID}
	for _, q := range []query.Query{{}, {Limit: 5}, {Where: uid}} {
		plain := collect(t, s.Select(context.Background(), q))
		q.NoRaw = true
		bare := collect(t, s.Select(context.Background(), q))
		for i := range plain {
			plain[i].Raw = nil
		}
		equalEvents(t, bare, plain)
	}
}

func testMerge(t *testing.T, s *store) {
	merger, ok := s.Store.(lake.Merger)
	if !ok {
		t.Skip("this engine does not merge")
	}
	m := NewMaker(18)
	for i := range 30 {
		a := s.append(Batch(fmt.Sprint("o", i), "v1", m.Events(1+i*3, Day.Add(time.Duration(i-15)*4*time.Hour), 9*time.Hour)...))
		if i != 17 {
			s.release(a.Batch)
		}
	}
	events := s.events()
	sums := collect(t, s.Usage(context.Background(), usage.Query{}))
	waiting := s.unreleased()
	for range 2 {
		if err := merger.Merge(context.Background()); err != nil {
			t.Fatal(err)
		}
		s.wantEvents(events)
		equalUsage(t, collect(t, s.Usage(context.Background(), usage.Query{})), sums)
		got := s.unreleased()
		if len(got) != 1 || len(waiting) != 1 || got[0].Batch != waiting[0].Batch {
			t.Fatalf("unreleased after merging: %d batches", len(got))
		}
		equalEvents(t, got[0].Events, waiting[0].Events)
	}
	s.wantVerdicts(s.append(Batch("copy", "v1", events...)), fmt.Sprintf("%dd", len(events)))
	reread := Batch("o3", "v1", NewMaker(0).Events(0, Day, 0)...)
	for _, e := range events {
		if e.Object == "o3" {
			reread.Events = append(reread.Events, e)
		}
	}
	reread.Spans[0].Records, reread.Attempt = int64(len(reread.Events)), "reread"
	s.wantVerdicts(s.append(reread), fmt.Sprintf("%ds", len(reread.Events)))
}
