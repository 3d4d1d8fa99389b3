package local

import (
	"fmt"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/lake/laketest"
	"github.com/yagura-sec/yagura/query"
)

// TestRetakeInTheMiddle merges files away while a Select has yielded the first
// of the days it reads together: the list is taken again, and nothing comes
// twice, is missing or counts against the limit twice.
func TestRetakeInTheMiddle(t *testing.T) {
	const perDay = directRows/2 + 200 // two days are too many to put in order in memory
	f := func(q query.Query, want int) {
		t.Helper()
		dir := t.TempDir()
		w := openTest(t, dir, Options{Linger: -1, noSync: true})
		m := laketest.NewMaker(77)
		for day := range 2 {
			for part := range 2 {
				start := laketest.Day.Add(time.Duration(24*day+part) * time.Hour)
				got, err := w.Append(t.Context(), laketest.Batch(fmt.Sprint(day, part), "1", m.Events(perDay/2, start, time.Hour)...))
				if err != nil {
					t.Fatal(err)
				}
				if err := w.Release(t.Context(), got.Batch); err != nil {
					t.Fatal(err)
				}
			}
		}
		r := openTest(t, dir, Options{ReadOnly: true})
		seen := map[event.UID]bool{}
		for e, err := range r.Select(t.Context(), q) {
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
		if len(seen) != want {
			t.Errorf("%d events, want %d", len(seen), want)
		}
	}
	all := perDay / 2 * 4
	f(query.Query{OldestFirst: true}, all)
	f(query.Query{}, all)
	f(query.Query{OldestFirst: true, Limit: all - 100}, all-100)
}
