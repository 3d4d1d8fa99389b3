package local

import (
	"fmt"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/lake/laketest"
)

func TestUIDTable(t *testing.T) {
	const n = 5000
	table := newUIDTable(n)
	// In sequence, as no random uid is.
	uid := func(i int) (u event.UID) {
		copy(u[8:], fmt.Sprintf("%08d", i))
		return u
	}
	for i := range n {
		u := uid(i)
		if row, had := table.add(&u, uint32(i)); had || row != i {
			t.Fatalf("add %d gives %d, %v", i, row, had)
		}
	}
	for i := range 2 * n {
		u := uid(i)
		want := i
		if i >= n {
			want = -1
		}
		if got := table.find(&u); got != want {
			t.Fatalf("find %d gives %d", i, got)
		}
	}
	u := uid(7)
	if row, had := table.add(&u, 1); !had || row != 7 {
		t.Errorf("adding again gives %d, %v", row, had)
	}
}

// TestTableCache: memory is bounded, and what is not in memory is found as well.
func TestTableCache(t *testing.T) {
	m := laketest.NewMaker(80)
	events := m.Events(2000, laketest.Day, 23*time.Hour)
	one := newUIDTable(100)
	s := open(t, t.TempDir(), Options{Linger: -1, CacheBytes: 4 * (one.bytes() + 3000)})
	defer s.close(t)
	for i := range 20 {
		s.put(t, laketest.Batch(fmt.Sprint("o", i), "v1", events[i*100:i*100+100]...), true)
	}
	check := func(when string) {
		t.Helper()
		var sum int64
		for _, tab := range s.tables.byKey {
			sum += tab.bytes()
		}
		if sum != s.tables.size || sum > s.tables.limit {
			t.Errorf("%s: %d bytes in %d tables, counted %d, the limit is %d", when, sum, len(s.tables.byKey), s.tables.size, s.tables.limit)
		}
	}
	check("filled")
	// A large batch loads tables, small ones ask the filters first.
	if a := s.put(t, laketest.Batch("copy", "v1", events...), true); len(a.New) != 0 {
		t.Errorf("%d events are stored twice", len(a.New))
	}
	check("large")
	for i := 0; i < 2000; i += 397 {
		if a := s.put(t, laketest.Batch(fmt.Sprint("copy", i), "v1", events[i], m.Event(laketest.Day)), true); len(a.New) != 1 {
			t.Errorf("event %d: %d new, want the other one", i, len(a.New))
		}
	}
	check("small")
	if err := s.Merge(ctx); err != nil {
		t.Fatal(err)
	}
	live := map[int64]bool{}
	for _, list := range s.list.days {
		for _, g := range list {
			live[g.ID] = true
		}
	}
	for k := range s.tables.byKey {
		if !live[k.segment] {
			t.Errorf("a table of segment %d is kept, which is merged", k.segment)
		}
	}
	check("merged")
}
