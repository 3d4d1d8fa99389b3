package ledgertest

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/ledger"
	"github.com/yagura-sec/yagura/source"
)

// many: one batch of more objects than any engine handles at once.
func many(t *testing.T, open Open) {
	b := begin(t, open)
	const n = 1013
	var objects []event.Object
	var spans []event.SpanAccount
	for i := range n {
		name := fmt.Sprintf("logs/%04d.json.gz", i)
		objects = append(objects, event.Object{Name: name, Version: "1", Size: 10})
		spans = append(spans, span(0, "4s1d1q", final, of(name, "1")))
	}
	b.ok(b.List(t.Context(), objects[:500]))
	b.ok(b.List(t.Context(), objects))
	b.totals(ledger.Totals{Objects: n})
	b.settle(spans...)
	want := ledger.Totals{Objects: n, Read: 6 * n, Stored: 4 * n, Duplicate: n, Quarantined: n}
	b.totals(want)
	b.settle(spans...) // read again
	b.totals(want)
	got := collect(t, b.Objects(t.Context(), ledger.ObjectFilter{States: []ledger.State{ledger.Complete}}))
	if len(got) != n || !slices.IsSortedFunc(got, func(a, b ledger.Object) int { return cmpName(a, b) }) {
		t.Errorf("%d complete objects, in order of name: want %d", len(got), n)
	}
}

func cmpName(a, b ledger.Object) int {
	switch {
	case a.Name < b.Name:
		return -1
	case a.Name > b.Name:
		return 1
	}
	return 0
}

// model says of every record by itself what became of it last.
type model map[string]map[int64]event.Verdict

func (m model) settle(x ledger.Settlement) {
	for _, s := range x.Spans {
		if m[s.Object] == nil {
			m[s.Object] = map[int64]event.Verdict{}
		}
		at := s.First
		for _, run := range s.Verdicts {
			for range run.N {
				m[s.Object][at] = run.Of
				at++
			}
		}
	}
}

func (m model) totals() (t ledger.Totals) {
	for _, records := range m {
		t.Objects++
		for _, v := range records {
			t.Read++
			switch v {
			case event.Stored:
				t.Stored++
			case event.Duplicate:
				t.Duplicate++
			case event.Quarantined:
				t.Quarantined++
			case event.Expired:
				t.Expired++
			}
		}
	}
	return t
}

// runs of records known of an object, and those in quarantine.
func (m model) runs(object string) (runs []source.Run, quarantined []int64) {
	for at := range int64(100) {
		v, known := m[object][at]
		if !known {
			continue
		}
		if n := len(runs); n > 0 && runs[n-1].First+runs[n-1].Records == at {
			runs[n-1].Records++
		} else {
			runs = append(runs, source.Run{First: at, Records: 1})
		}
		if v == event.Quarantined {
			quarantined = append(quarantined, at)
		}
	}
	return runs, quarantined
}

// anyOrder settles random spans, overlapping and again, and after each step the
// ledger says what a model says that knows every record by itself.
func anyOrder(t *testing.T, open Open) {
	names := []string{"a", "b", "c"}
	for seed := range uint64(8) {
		r := rand.New(rand.NewPCG(seed, 7))
		b := begin(t, open)
		m := model{}
		var done []ledger.Settlement
		for step := range 60 {
			if len(done) > 0 && r.IntN(5) == 0 {
				b.ok(b.Settle(t.Context(), done[r.IntN(len(done))])) // again: changes nothing
			} else {
				x := randomSettlement(r, byte(step), names)
				b.ok(b.Settle(t.Context(), x))
				m.settle(x)
				done = append(done, x)
			}
			b.totals(m.totals())
			if t.Failed() {
				t.Fatalf("seed %d, step %d", seed, step)
			}
		}
		for _, name := range names {
			b.compare(m, name, seed)
		}
		covered := int64(0)
		for _, c := range collect(t, b.Coverage(t.Context(), time.Time{}, time.Time{})) {
			covered += c.Records
		}
		if covered != int64(len(done)) {
			t.Errorf("seed %d: coverage of %d batches, want %d", seed, covered, len(done))
		}
	}
}

func (b *bench) compare(m model, name string, seed uint64) {
	b.t.Helper()
	runs, quarantined := m.runs(name)
	progress, err := b.Settled(b.t.Context(), name)
	b.ok(err)
	if len(progress) != 1 || !reflect.DeepEqual(progress[0].Settled, runs) {
		b.t.Errorf("seed %d: progress of %s %+v, want %v", seed, name, progress, runs)
	}
	var waiting []int64
	for _, q := range collect(b.t, b.Quarantine(b.t.Context())) {
		if q.Object == name {
			waiting = append(waiting, q.Position)
		}
	}
	slices.Sort(waiting)
	if !slices.Equal(waiting, quarantined) {
		b.t.Errorf("seed %d: quarantine of %s %v, want %v", seed, name, waiting, quarantined)
	}
}

func randomSettlement(r *rand.Rand, batch byte, names []string) ledger.Settlement {
	x := ledger.Settlement{Batch: event.BatchID{batch}, At: noon,
		Coverage: []ledger.Coverage{{Account: "1", Region: "r", Hour: noon.Add(time.Duration(r.IntN(3)) * time.Hour), Records: 1}}}
	for _, name := range names {
		if r.IntN(3) == 0 && batch > 0 { // the first batch names all
			continue
		}
		a := event.SpanAccount{Span: event.Span{Object: name, Version: "1", First: r.Int64N(50), Records: r.Int64N(30), Final: r.IntN(4) == 0}}
		for at := range a.Records {
			v := []event.Verdict{s, s, s, d, q, e}[r.IntN(6)]
			a.Verdicts = a.Verdicts.Add(v, 1)
			if v == q {
				x.Rejects = append(x.Rejects, event.Reject{Object: name, Version: "1", Position: a.First + at, Reason: "x", Body: []byte("{}"), Size: 2, Received: noon})
			}
		}
		x.Spans = append(x.Spans, a)
	}
	return x
}

// atOnce: batches settle from several goroutines while others read.
func atOnce(t *testing.T, open Open) {
	b := begin(t, open)
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for i := range 10 {
				n := 10*worker + i
				x := ledger.Settlement{Batch: event.BatchID{byte(n)}, At: noon, Spans: []event.SpanAccount{span(int64(5*n), "4s1d")},
					Coverage: []ledger.Coverage{{Account: "1", Region: "r", Hour: noon, Records: 4}}}
				if err := b.Settle(t.Context(), x); err != nil {
					t.Error(err)
				}
				if got, err := b.Totals(t.Context()); err != nil || got.Read != got.Stored+got.Duplicate {
					t.Errorf("totals %+v, %v", got, err)
				}
			}
		})
	}
	wg.Wait()
	b.totals(ledger.Totals{Objects: 1, Read: 200, Stored: 160, Duplicate: 40})
	b.progress("a", source.Progress{Version: "1", Settled: []source.Run{{First: 0, Records: 200}}})
	if got := collect(t, b.Coverage(t.Context(), time.Time{}, time.Time{})); len(got) != 1 || got[0].Records != 160 {
		t.Errorf("coverage %+v", got)
	}
}
