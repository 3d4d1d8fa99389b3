package anomaly

import (
	"context"
	"iter"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/query"
)

// counted counts the questions about events, which several days ask at once.
func (l *lakeOf) counted(questions *atomic.Int64) Options {
	o := l.options()
	o.Events.Select = func(ctx context.Context, q query.Query) iter.Seq2[event.Event, error] {
		questions.Add(1)
		return l.find(ctx, q)
	}
	return o
}

// TestRuns: how many days are read together changes nothing of what is said, of
// whole days and of parts, of days with notes and without.
func TestRuns(t *testing.T) {
	const days = 8
	w := newWorld(77)
	l := &lakeOf{events: append(w.events(3, 700), w.event(start.Add(6*oneDay-time.Second)), w.event(start.Add(6*oneDay+time.Minute)), w.event(start.Add(7*oneDay+time.Hour)))}
	notes := map[time.Time]finding.Note{}
	hunt := func(most int64, since time.Time) (finding.Hunt, int64) {
		t.Helper()
		var asked atomic.Int64
		o := l.counted(&asked)
		o.Notes = func(_ context.Context, since, until time.Time) (out []finding.Note, _ error) {
			for at := since; at.Before(until); at = at.Add(oneDay) {
				if n, ok := notes[at]; ok {
					out = append(out, n)
				}
			}
			return out, nil
		}
		h := New(o)
		h.run = most
		end := start.Add(days*oneDay - 5*time.Hour)
		said, err := h.Hunt(t.Context(), Name, since, end, end)
		if err != nil {
			t.Fatal(err)
		}
		return said, asked.Load()
	}
	for _, since := range []time.Time{start, start.Add(4*oneDay + 7*time.Hour)} {
		apart, many := hunt(0, since)
		for _, most := range []int64{600, 1500, runEvents} {
			together, _ := hunt(most, since)
			if d := cmp.Diff(together, apart); d != "" {
				t.Errorf("from %s on, %d at a time: %s", since.Format(time.DateTime), most, d[:min(len(d), 2000)])
			}
		}
		if _, few := hunt(runEvents, since); len(apart.Occurrences) == 0 || few >= many {
			t.Errorf("from %s on: %d occurrences, %d questions instead of %d: this shows nothing", since.Format(time.DateTime), len(apart.Occurrences), few, many)
		}
		for i, n := range apart.Notes {
			if i != 1 { // a day without a note among those with one
				notes[n.Day] = n
			}
		}
	}
}

// TestSparseYears: years in which little happened cost a few questions, but for
// those about what raised an alarm and about replicas.
func TestSparseYears(t *testing.T) {
	const years = 4
	w := newWorld(5)
	l := &lakeOf{}
	for i := range 300 {
		l.events = append(l.events, w.event(start.Add(time.Duration(i)*years*365*oneDay/300)))
	}
	var asked atomic.Int64
	end := start.Add(years * 365 * oneDay)
	if _, err := New(l.counted(&asked)).Hunt(t.Context(), Name, start, end, end); err != nil {
		t.Fatal(err)
	}
	if asked.Load() > years*365/10 {
		t.Errorf("%d questions about events", asked.Load())
	}
}
