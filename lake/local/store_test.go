package local

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/lake"
	"github.com/yagura-sec/yagura/lake/laketest"
	"github.com/yagura-sec/yagura/usage"
)

var ctx = context.Background()

// state is everything a lake answers, for comparing.
type state struct {
	events  []string // uid, batch and origin of each, sorted
	usage   []usage.Row
	waiting []event.BatchID
}

func stateOf(t testing.TB, s plain) state {
	t.Helper()
	var st state
	events, err := s.all()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		st.events = append(st.events, fmt.Sprint(e.UID, e.Batch, e.Object, e.Position, e.Time.UnixMicro(), len(e.Raw), e.Message))
	}
	slices.Sort(st.events)
	for r, err := range s.Usage(ctx, usage.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		st.usage = append(st.usage, r)
	}
	for r, err := range s.Unreleased(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		st.waiting = append(st.waiting, r.Batch)
	}
	return st
}

func (st state) same(t testing.TB, want state, when string) {
	t.Helper()
	if !slices.Equal(st.events, want.events) {
		t.Fatalf("%s: %d events, want %d, or others", when, len(st.events), len(want.events))
	}
	if !reflect.DeepEqual(st.usage, want.usage) {
		t.Fatalf("%s: %d usage rows, want %d, or others", when, len(st.usage), len(want.usage))
	}
	if !slices.Equal(st.waiting, want.waiting) {
		t.Fatalf("%s: unreleased %v, want %v", when, st.waiting, want.waiting)
	}
}

// files on disk below events and usage, relative.
func files(t testing.TB, dir string) []string {
	t.Helper()
	var out []string
	for _, root := range []string{"events", "usage"} {
		err := filepath.WalkDir(filepath.Join(dir, root), func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				rel, _ := filepath.Rel(dir, path)
				out = append(out, rel)
			}
			return err
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	return out
}

func (s plain) listed(t testing.TB) []string {
	t.Helper()
	var out []string
	events, err := s.live(time.Time{}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range events {
		out = append(out, s.rel(g.Path))
	}
	sums, err := s.liveUsage(time.Time{}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range sums {
		out = append(out, s.rel(u.Path))
	}
	slices.Sort(out)
	return out
}

func (s plain) put(t testing.TB, b event.Batch, release bool) lake.Appended {
	t.Helper()
	a, err := s.Append(ctx, b)
	if err != nil {
		t.Fatal(err)
	}
	if release {
		if err := s.Release(ctx, a.Batch); err != nil {
			t.Fatal(err)
		}
	}
	return a
}

func (s plain) close(t testing.TB) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// killed is what a fault panics with: the program ends there.
type killed struct{ step string }

// untilKilled calls f and tells whether it was killed.
func untilKilled(f func() error) (step string, err error) {
	defer func() {
		if p := recover(); p != nil {
			k, ok := p.(killed)
			if !ok {
				panic(p)
			}
			step = k.step
		}
	}()
	return "", f()
}

// killStore is what the kernel does to a killed process: nothing is written any
// more and the lock is free.
func killStore(s plain) {
	s.lock.Close()
}

// TestKilled stops at every step of everything that changes the lake, opens it
// again and finds all of the work done or nothing of it; doing it again completes
// it, and the lake is then as if nothing had happened.
func TestKilled(t *testing.T) {
	m := laketest.NewMaker(50)
	// What is tested is the order of steps, so waiting for the disk is left out.
	opt := Options{Linger: -1, noSync: true}
	events := m.Events(240, laketest.Day.Add(-12*time.Hour), 24*time.Hour)
	batch := func(i int) event.Batch {
		return laketest.Batch(fmt.Sprint("o", i), "v1", append(events[i*30:i*30+30:i*30+30], events[max(i*30-5, 0):i*30]...)...)
	}
	newer := func(e event.Event) (event.Event, error) {
		e.Message, e.AccountUID = "renewed", "999999999999"
		return e, nil
	}
	for _, op := range []struct {
		name string
		do   func(s plain) error
	}{
		{"append", func(s plain) error {
			a, err := s.Append(ctx, batch(7))
			if err == nil && len(a.New) != 30 {
				err = fmt.Errorf("%d new events", len(a.New))
			}
			return err
		}},
		{"merge", func(s plain) error { return s.Merge(ctx) }},
		{"expire", func(s plain) error { _, err := s.Expire(ctx, laketest.Day); return err }},
		{"rewrite", func(s plain) error { _, err := s.Rewrite(ctx, time.Time{}, time.Time{}, newer); return err }},
		{"rebuild", func(s plain) error { _, _, err := s.RebuildUsage(ctx, time.Time{}, time.Time{}); return err }},
	} {
		t.Run(op.name, func(t *testing.T) {
			prepare := func(dir string) {
				s := open(t, dir, opt)
				for i := range 7 {
					s.put(t, batch(i), i != 3)
				}
				s.close(t)
			}
			calm := t.TempDir()
			prepare(calm)
			s := open(t, calm, opt)
			before := stateOf(t, s)
			if err := op.do(s); err != nil {
				t.Fatal(err)
			}
			after := stateOf(t, s)
			s.close(t)

			stops := 0
			for n := 0; ; n++ {
				dir := t.TempDir()
				prepare(dir)
				var calls atomic.Int64
				s := open(t, dir, Options{Linger: -1, noSync: true, fault: func(step string) error {
					if calls.Add(1) > int64(n) {
						panic(killed{step})
					}
					return nil
				}})
				step, err := untilKilled(func() error { return op.do(s) })
				if err != nil {
					t.Fatal(err)
				}
				if step == "" {
					s.close(t)
					break
				}
				stops++
				killStore(s)
				when := fmt.Sprintf("killed at %q (step %d)", step, n)
				s = open(t, dir, opt)
				got := stateOf(t, s)
				// A rewrite may have finished some of its days.
				if op.name != "rewrite" && len(got.events) == len(before.events) && slices.Equal(got.waiting, before.waiting) {
					got.same(t, before, when)
				} else if op.name != "rewrite" {
					got.same(t, after, when)
				}
				if on, listed := files(t, dir), s.listed(t); !slices.Equal(on, listed) {
					t.Fatalf("%s: %d files on disk, %d listed", when, len(on), len(listed))
				}
				if op.name == "append" {
					if a := s.put(t, batch(7), false); len(a.New) != 30 {
						t.Fatalf("%s: %d new events, again %v", when, len(a.New), a.Again)
					}
				} else if err := op.do(s); err != nil {
					t.Fatalf("%s: again: %v", when, err)
				}
				stateOf(t, s).same(t, after, when+", done again")
				s.close(t)
			}
			if stops < 3 {
				t.Errorf("only %d steps were tried", stops)
			}
		})
	}
}

// TestFails: an error at any step of an append leaves nothing behind, and the
// same store goes on.
func TestFails(t *testing.T) {
	m := laketest.NewMaker(51)
	events := m.Events(60, laketest.Day.Add(-12*time.Hour), 24*time.Hour)
	disk := errors.New("no space left on device")
	for n := 0; ; n++ {
		var left atomic.Int64
		left.Store(-1)
		s := open(t, t.TempDir(), Options{fault: func(step string) error {
			if left.Add(-1) == -1 && step != "after commit" {
				return disk
			}
			return nil
		}})
		s.put(t, laketest.Batch("a", "v1", events[:30]...), true)
		before := stateOf(t, s)
		left.Store(int64(n))
		_, err := s.Append(ctx, laketest.Batch("b", "v1", events...))
		if err == nil {
			s.close(t)
			if n < 4 {
				t.Errorf("only %d steps were tried", n)
			}
			return
		}
		if !errors.Is(err, disk) {
			t.Fatalf("step %d: %v", n, err)
		}
		stateOf(t, s).same(t, before, fmt.Sprint("failed at step ", n))
		if on, listed := files(t, s.dir), s.listed(t); !slices.Equal(on, listed) {
			t.Errorf("step %d: on disk %v, listed %v", n, on, listed)
		}
		if a := s.put(t, laketest.Batch("b", "v1", events...), true); len(a.New) != 30 || a.Again {
			t.Errorf("step %d: again gives %d new", n, len(a.New))
		}
		s.close(t)
	}
}

// TestMergeChangesNothing merges random lakes at random moments.
func TestMergeChangesNothing(t *testing.T) {
	for seed := range uint64(6) {
		rnd := rand.New(rand.NewPCG(seed, 3))
		calm := open(t, t.TempDir(), Options{Linger: -1, MaxResources: 5, noSync: true})
		busy := open(t, t.TempDir(), Options{Linger: -1, MaxResources: 5, noSync: true})
		events := laketest.NewMaker(seed).Events(600, laketest.Day.Add(-20*time.Hour), 40*time.Hour)
		rnd.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
		for i := 0; len(events) > 0; i++ {
			n := min(1+rnd.IntN(60), len(events))
			b := laketest.Batch(fmt.Sprint("o", i), "v1", events[:n]...)
			release := rnd.IntN(5) > 0
			calm.put(t, b, release)
			busy.put(t, b, release)
			events = events[n:]
			var err error
			switch rnd.IntN(4) {
			case 0:
				err = busy.Merge(ctx)
			case 1:
				err = busy.Tend(ctx)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := busy.Merge(ctx); err != nil {
			t.Fatal(err)
		}
		stateOf(t, busy).same(t, stateOf(t, calm), fmt.Sprint("seed ", seed))
		checkSegments(t, busy)
		// Nothing is left to fold by whoever reads the segments without the cap.
		list, err := busy.liveUsage(time.Time{}, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		keys := map[usage.Key]bool{}
		for _, u := range list {
			rows, err := readUsage(u.Path)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range rows {
				keys[r.Key] = true
			}
		}
		if want := len(stateOf(t, busy).usage); len(keys) != want {
			t.Errorf("seed %d: %d keys at rest, %d folded", seed, len(keys), want)
		}
		if on, listed := files(t, busy.dir), busy.listed(t); !slices.Equal(on, listed) {
			t.Errorf("seed %d: on disk %v, listed %v", seed, on, listed)
		}
		calm.close(t)
		busy.close(t)
	}
}

// checkSegments: rows are in the stored order and within the listed bounds.
func checkSegments(t *testing.T, s plain) {
	t.Helper()
	list, err := s.live(time.Time{}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range list {
		var events []event.Event
		if events, err = readEvents(events, g.Path); err != nil {
			t.Fatal(err)
		}
		if int64(len(events)) != g.Rows {
			t.Errorf("%d rows in a segment of %d", len(events), g.Rows)
		}
		recs := make([]record, len(events))
		for i := range events {
			recs[i].Event = &events[i]
			e := &events[i]
			if dayOf(e.Time) != g.Day || e.Time.Before(g.MinTime) || e.Time.After(g.MaxTime) || e.AccountUID < g.MinAccount || e.AccountUID > g.MaxAccount ||
				e.APIOperation < g.MinOperation || e.APIOperation > g.MaxOperation {
				t.Fatalf("%+v is outside of %+v", e, g)
			}
		}
		sorted := slices.Clone(recs)
		sortRecords(sorted)
		if !slices.EqualFunc(recs, sorted, func(a, b record) bool { return a.UID == b.UID }) {
			t.Error("a segment is not in the stored order")
		}
	}
}

// TestRowGroups merges more rows than a row group holds.
func TestRowGroups(t *testing.T) {
	s := open(t, t.TempDir(), Options{Linger: -1})
	defer s.close(t)
	m := laketest.NewMaker(52)
	const n = rowGroupRows + 30_000
	proto := m.Events(1000, laketest.Day, time.Hour)
	for at := 0; at < n; at += 25_480 {
		events := make([]event.Event, min(25_480, n-at))
		for i := range events {
			e := proto[(at+i)%1000]
			e.UID = event.HashUID(fmt.Sprint(at + i))
			e.Time = laketest.Day.Add(time.Duration((at+i)*7919%86_400_000) * time.Millisecond)
			e.Raw = []byte(fmt.Sprintf(`{"n":%d}`, at+i))
			events[i] = e
		}
		s.put(t, laketest.Batch(fmt.Sprint("o", at), "v1", events...), true)
	}
	if err := s.Merge(ctx); err != nil {
		t.Fatal(err)
	}
	list, err := s.live(time.Time{}, time.Time{})
	if err != nil || len(list) != 1 || list[0].Rows != n {
		t.Fatalf("%+v, %v", list, err)
	}
	sf, err := openSegment(list[0].Path)
	if err != nil {
		t.Fatal(err)
	}
	if sf.groups() != 2 || sf.rowsOf(0) != rowGroupRows {
		t.Errorf("%d row groups, the first of %d rows", sf.groups(), sf.rowsOf(0))
	}
	sf.close()
	checkSegments(t, s)

	// Found in either row group by the cold paths: filter and table.
	s.tables.init(1 << 20)
	for _, i := range []int{0, 99_999, n - 1} {
		e := proto[i%1000]
		e.UID, e.Raw = event.HashUID(fmt.Sprint(i)), []byte(fmt.Sprintf(`{"n":%d}`, i))
		e.Time = laketest.Day.Add(time.Duration(i*7919%86_400_000) * time.Millisecond)
		if a := s.put(t, laketest.Batch(fmt.Sprint("copy", i), "v1", e), true); len(a.New) != 0 {
			t.Errorf("event %d is stored twice", i)
		}
	}
}

// putSmall lists n batches of one event each in one go and returns the events.
func (s plain) putSmall(t testing.TB, n int) []event.Event {
	t.Helper()
	ch := &change{}
	events := laketest.NewMaker(53).Events(n, laketest.Day.Add(-24*time.Hour), 48*time.Hour)
	for i, e := range events {
		b := laketest.Batch(fmt.Sprint("small", i), "v1", e)
		var sums usage.Sums
		sums.Add(&b.Events[0])
		b.Events[0].Batch = b.ID()
		g, err := s.writeEvents(freshEvents, dayOf(e.Time), []record{{&b.Events[0], uint32(i), "v1"}})
		if err != nil {
			t.Fatal(err)
		}
		g.Batch, g.Released = b.ID(), true
		ch.add = append(ch.add, g)
		for _, rows := range byMonth(sums.Fold(s.opt.MaxResources)) {
			u, err := s.writeUsage(monthOf(e.Time), rows)
			if err != nil {
				t.Fatal(err)
			}
			ch.addUsage = append(ch.addUsage, u)
		}
	}
	if err := s.commit(ctx, ch); err != nil {
		t.Fatal(err)
	}
	return events
}

// TestManySmallBatches: 3,000 batches of one record come to rest as few segments.
func TestManySmallBatches(t *testing.T) {
	s := open(t, t.TempDir(), Options{Linger: -1, noSync: true})
	defer s.close(t)
	events := s.putSmall(t, 1200) // thrice what one merge opens
	if err := s.Merge(ctx); err != nil {
		t.Fatal(err)
	}
	got := stateOf(t, s)
	if !reflect.DeepEqual(got.usage, usage.Sum(events, usage.DefaultMax)) {
		t.Errorf("%d usage rows, not those of the events", len(got.usage))
	}
	held := map[string]bool{}
	for _, line := range got.events {
		held[line[:36]] = true
	}
	for _, e := range events {
		if !held[e.UID.String()] {
			t.Fatalf("%s is lost", e.UID)
		}
	}
	if len(got.events) != len(events) {
		t.Errorf("%d events of %d", len(got.events), len(events))
	}
	for day, list := range s.list.days {
		if len(list) > maxDaySegments {
			t.Errorf("day %d has %d segments", day, len(list))
		}
	}
	if n := len(files(t, s.dir)); n > 2*maxDaySegments+maxMonthUsage {
		t.Errorf("%d files", n)
	}
}

func TestLock(t *testing.T) {
	dir := t.TempDir()
	if _, err := Open(dir, Options{ReadOnly: true}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("reading an empty folder: %v", err)
	}
	s := open(t, dir, Options{})
	if _, err := Open(dir, Options{}); !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), fmt.Sprint(os.Getpid())) {
		t.Errorf("second writer: %v", err)
	}
	r := open(t, dir, Options{ReadOnly: true})
	b := laketest.Batch("a", "v1", laketest.NewMaker(54).Events(10, laketest.Day, time.Hour)...)
	a := s.put(t, b, true)
	if got := stateOf(t, r); len(got.events) != 10 {
		t.Errorf("the reader sees %d events", len(got.events))
	}
	s.put(t, laketest.Batch("b", "v1", laketest.NewMaker(55).Events(10, laketest.Day, time.Hour)...), true)
	if err := s.Merge(ctx); err != nil {
		t.Fatal(err)
	}
	if got := stateOf(t, r); len(got.events) != 20 {
		t.Errorf("the reader sees %d events after a merge", len(got.events))
	}
	if _, err := r.Append(ctx, b); !errors.Is(err, ErrReadOnly) {
		t.Errorf("append to a reader: %v", err)
	}
	for _, err := range []error{r.Release(ctx, a.Batch), r.Merge(ctx)} {
		if !errors.Is(err, ErrReadOnly) {
			t.Errorf("a reader writes: %v", err)
		}
	}
	r.close(t)
	s.close(t)
	open(t, dir, Options{}).close(t)
}

func TestFormat(t *testing.T) {
	dir := t.TempDir()
	open(t, dir, Options{}).close(t)
	f := func(content string, want error, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, "format"), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Open(dir, Options{})
		if err == nil || want != nil && !errors.Is(err, want) || !strings.Contains(err.Error(), text) {
			t.Errorf("format %q: %v", content, err)
		}
	}
	f("2\n", ErrLayout, "layout 2")
	f("x\n", nil, "not a version")
	if err := os.WriteFile(filepath.Join(dir, "format"), []byte("1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	open(t, dir, Options{}).close(t)
}

// TestSweep: files that lake.db does not list go at start, a stranger's stay.
func TestSweep(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{})
	s.put(t, laketest.Batch("a", "v1", laketest.NewMaker(56).Event(laketest.Day)), true)
	listed := s.listed(t)
	s.close(t)
	day := filepath.Join(dir, "events", "2026-03-04")
	for _, name := range []string{"0011.parquet", "0022.parquet.tmp", "notes.txt"} {
		if err := os.WriteFile(filepath.Join(day, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	open(t, dir, Options{ReadOnly: true}).close(t)
	if n := len(files(t, dir)); n != len(listed)+3 {
		t.Errorf("a reader swept: %d files", n)
	}
	s = open(t, dir, Options{})
	defer s.close(t)
	want := append(listed, "events/2026-03-04/notes.txt")
	slices.Sort(want)
	if got := files(t, dir); !slices.Equal(got, want) {
		t.Errorf("files %v, want %v", got, want)
	}
}

// TestLinger: a replaced segment stays on disk for the queries that read it,
// also of other processes. See TestReaders for when there are none.
func TestLinger(t *testing.T) {
	now := laketest.Day
	dir := t.TempDir()
	opt := Options{Linger: time.Minute, Now: func() time.Time { return now }}
	s := open(t, dir, opt)
	m := laketest.NewMaker(57)
	for i := range 3 {
		s.put(t, laketest.Batch(fmt.Sprint("o", i), "v1", m.Event(laketest.Day)), true)
	}
	old := s.listed(t)
	if err := s.Merge(ctx); err != nil {
		t.Fatal(err)
	}
	stays := func(want bool, when string) {
		t.Helper()
		on := files(t, dir)
		for _, path := range old {
			if slices.Contains(on, path) != want {
				t.Errorf("%s: %s on disk is %v, want %v", when, path, !want, want)
			}
		}
	}
	stays(true, "just merged")
	reader := open(t, dir, Options{ReadOnly: true}) // without one they go with the writer
	defer reader.close(t)
	s.close(t)
	now = now.Add(59 * time.Second)
	s = open(t, dir, opt)
	stays(true, "opened again")
	now = now.Add(2 * time.Second)
	if err := s.Merge(ctx); err != nil {
		t.Fatal(err)
	}
	stays(false, "a minute later")
	s.close(t)
}

func TestSpace(t *testing.T) {
	s := open(t, t.TempDir(), Options{MinFree: 1 << 60})
	defer s.close(t)
	_, err := s.Append(ctx, laketest.Batch("a", "v1", laketest.NewMaker(58).Event(laketest.Day)))
	if !errors.Is(err, ErrSpace) || !strings.Contains(err.Error(), "below the floor of 1099511627776 MB: intake stopped") {
		t.Errorf("append: %v", err)
	}
	if n := len(stateOf(t, s).events); n != 0 {
		t.Errorf("%d events", n)
	}
	s.opt.MinFree = 1
	m := laketest.NewMaker(58)
	for i := range 4 {
		s.put(t, laketest.Batch(fmt.Sprint("o", i), "v1", m.Event(laketest.Day)), true)
	}
	s.opt.MinFree = 1 << 60
	if err := s.Merge(ctx); !errors.Is(err, ErrSpace) {
		t.Errorf("merge: %v", err)
	}
}

// TestPrunedBatch: long after its release a batch is forgotten, and appending it
// again then comes to the same verdicts.
func TestPrunedBatch(t *testing.T) {
	now := laketest.Day
	s := open(t, t.TempDir(), Options{Linger: -1, Now: func() time.Time { return now }})
	defer s.close(t)
	m := laketest.NewMaker(65)
	events := m.Events(6, laketest.Day, time.Hour)
	s.put(t, laketest.Batch("first", "v1", events[:2]...), true)
	b := laketest.Batch("a", "v1", events...)
	first := s.put(t, b, true)
	waits := s.put(t, laketest.Batch("waits", "v1", m.Event(laketest.Day)), false)
	now = now.Add(batchesKept + time.Hour)
	if err := s.Merge(ctx); err != nil {
		t.Fatal(err)
	}
	a := s.put(t, b, true)
	if a.Again || len(a.New) != 0 || !reflect.DeepEqual(a.Spans, first.Spans) {
		t.Errorf("appended again: %+v, first %+v", a, first)
	}
	if got := stateOf(t, s).waiting; !slices.Equal(got, []event.BatchID{waits.Batch}) {
		t.Errorf("waiting %v", got)
	}
}

func TestBackup(t *testing.T) {
	dir, to := t.TempDir(), filepath.Join(t.TempDir(), "copy")
	s := open(t, dir, Options{Linger: -1})
	m := laketest.NewMaker(59)
	for i := range 6 {
		s.put(t, laketest.Batch(fmt.Sprint("o", i), "v1", m.Events(20, laketest.Day.Add(-12*time.Hour), 24*time.Hour)...), i%2 == 0)
	}
	if err := s.Merge(ctx); err != nil {
		t.Fatal(err)
	}
	want := stateOf(t, s)
	done := make(chan error)
	go func() { // writing goes on
		_, err := s.Append(ctx, laketest.Batch("later", "v1", laketest.NewMaker(60).Events(50, laketest.Day, time.Hour)...))
		done <- err
	}()
	if err := s.Backup(ctx, to); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if err := s.Backup(ctx, to); err == nil {
		t.Error("backed up into a folder that is not empty")
	}
	// What becomes of the original is nothing to the copy.
	if _, err := s.Expire(ctx, laketest.Day.Add(48*time.Hour)); err != nil {
		t.Fatal(err)
	}
	s.close(t)
	c := open(t, to, Options{Linger: -1})
	defer c.close(t)
	got := stateOf(t, c)
	if len(got.events) == len(want.events)+50 { // the batch came before the copy was made
		t.Log("the copy has the batch that arrived meanwhile")
	} else {
		got.same(t, want, "restored")
	}
	if err := c.Merge(ctx); err != nil {
		t.Fatal(err)
	}
	a := c.put(t, laketest.Batch("new", "v1", m.Event(laketest.Day)), true)
	if len(a.New) != 1 {
		t.Errorf("append to the copy: %+v", a)
	}
}

func TestExpireBytes(t *testing.T) {
	s := open(t, t.TempDir(), Options{Linger: -1})
	defer s.close(t)
	m := laketest.NewMaker(61)
	for d := range 5 {
		s.put(t, laketest.Batch(fmt.Sprint("o", d), "v1", m.Events(40, laketest.Day.Add(time.Duration(d)*24*time.Hour), time.Hour)...), true)
	}
	var total int64
	list, err := s.live(time.Time{}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range list {
		total += g.Bytes
	}
	if n, err := s.ExpireBytes(ctx, total); n != 0 || err != nil {
		t.Errorf("dropped %d, %v though all fits", n, err)
	}
	if n, err := s.ExpireBytes(ctx, total-list[0].Bytes); n != 40 || err != nil {
		t.Errorf("dropped %d, %v; want the first day", n, err)
	}
	if n, err := s.ExpireBytes(ctx, 1); n != 120 || err != nil {
		t.Errorf("dropped %d, %v; want all but the last day", n, err)
	}
	if a := s.put(t, laketest.Batch("late", "v1", m.Event(laketest.Day)), true); a.Spans[0].Verdicts.Count(event.Expired) != 1 {
		t.Errorf("a late event: %+v", a.Spans)
	}
}

// TestRebuildRefusesMissing: usage of hours whose segment is gone is not touched.
func TestRebuildRefusesMissing(t *testing.T) {
	s := open(t, t.TempDir(), Options{Linger: -1})
	defer s.close(t)
	m := laketest.NewMaker(62)
	s.put(t, laketest.Batch("a", "v1", m.Events(20, laketest.Day, time.Hour)...), true)
	s.put(t, laketest.Batch("b", "v1", m.Events(20, laketest.Day.Add(2*time.Hour), time.Hour)...), true)
	want := stateOf(t, s)
	list, _ := s.live(time.Time{}, time.Time{})
	if err := os.Rename(list[0].Path, list[0].Path+".away"); err != nil {
		t.Fatal(err)
	}
	n, refused, err := s.RebuildUsage(ctx, time.Time{}, time.Time{})
	if err != nil || n != 1 || len(refused) != 1 || !refused[0].Hour.Equal(laketest.Day) || !strings.Contains(refused[0].Reason, "cannot be read") {
		t.Errorf("rebuilt %d, refused %v, %v", n, refused, err)
	}
	if err := os.Rename(list[0].Path+".away", list[0].Path); err != nil {
		t.Fatal(err)
	}
	stateOf(t, s).same(t, want, "rebuilt")
}

// TestReleaseIsLasting: a release survives the end of the program, and one that
// did not only has the batch read back again.
func TestReleaseIsLasting(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{})
	a := s.put(t, laketest.Batch("a", "v1", laketest.NewMaker(63).Event(laketest.Day)), true)
	s.close(t)
	s = open(t, dir, Options{})
	if n := len(stateOf(t, s).waiting); n != 0 {
		t.Errorf("%d batches wait", n)
	}
	b := s.put(t, laketest.Batch("b", "v1", laketest.NewMaker(64).Event(laketest.Day)), true)
	killStore(s)
	s = open(t, dir, Options{})
	defer s.close(t)
	if got := stateOf(t, s).waiting; !slices.Equal(got, []event.BatchID{b.Batch}) {
		t.Errorf("waiting %v, want %s and not %s", got, b.Batch, a.Batch)
	}
}
