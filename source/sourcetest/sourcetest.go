// Package sourcetest is the contract of source.Source as a test that every
// source passes, and a ledger in memory for the tests of sources.
package sourcetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/source"
)

// A Case is something to read, and what is in it.
type Case struct {
	// Open makes a source over always the same objects, which closes a batch
	// after a few records. It does not follow.
	Open func(t *testing.T, settled source.Settled, listed source.Listed) source.Source
	// Records is how many records each object has, rejects with them.
	Records map[string]int64
}

// Test checks that the source keeps the contract. The case should need at
// least four batches, with an object that is split over batches and batches
// that hold several objects.
func Test(t *testing.T, c Case) {
	t.Run("each record exactly once", func(t *testing.T) { once(t, c) })
	t.Run("restart after any acknowledgement", func(t *testing.T) { restart(t, c) })
	t.Run("a batch lost among others", func(t *testing.T) { hole(t, c) })
	t.Run("deliver refuses", func(t *testing.T) { refuse(t, c) })
	t.Run("settled and listed fail", func(t *testing.T) { ledgerFails(t, c) })
	t.Run("the context ends", func(t *testing.T) { cancelled(t, c) })
}

// Ledger remembers what was acknowledged. The zero value is ready to use.
type Ledger struct {
	mu      sync.Mutex
	spans   map[string][]event.Span
	Batches []event.Batch // acknowledged, in order
	Listed  []event.Object
}

// Deliver acknowledges b, after checking that it accounts for its spans: each
// record once, none twice in the life of the ledger. A violation is an error.
func (l *Ledger) Deliver(_ context.Context, b event.Batch) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := accounts(b); err != nil {
		return err
	}
	if l.spans == nil {
		l.spans = map[string][]event.Span{}
	}
	for _, s := range b.Spans {
		for _, old := range l.spans[s.Object] {
			if old.Version == s.Version && old.First < s.First+s.Records && s.First < old.First+old.Records {
				return fmt.Errorf("%s: records %d+%d were settled before, as %d+%d", s.Object, s.First, s.Records, old.First, old.Records)
			}
		}
		l.spans[s.Object] = append(l.spans[s.Object], s)
	}
	l.Batches = append(l.Batches, b)
	return nil
}

// accounts checks that the records of b are those of its spans.
func accounts(b event.Batch) error {
	type record struct {
		object   string
		position int64
	}
	left := map[record]bool{}
	for _, s := range b.Spans {
		for p := s.First; p < s.First+s.Records; p++ {
			if left[record{s.Object, p}] {
				return fmt.Errorf("%s: two spans of a batch hold record %d", s.Object, p)
			}
			left[record{s.Object, p}] = true
		}
	}
	take := func(object string, position int64) error {
		if r := (record{object, position}); !left[r] {
			return fmt.Errorf("%s: record %d is in no span, or twice in the batch", object, position)
		}
		delete(left, record{object, position})
		return nil
	}
	for _, r := range b.Raws {
		if err := take(r.Object, r.Position); err != nil {
			return err
		}
		if len(r.Body) == 0 || r.Received.IsZero() {
			return fmt.Errorf("%s: record %d has no body or no time of receipt", r.Object, r.Position)
		}
	}
	for _, r := range b.Rejects {
		if err := take(r.Object, r.Position); err != nil {
			return err
		}
		if r.Reason == "" || r.Received.IsZero() || len(r.Body) > event.MaxRejectBody {
			return fmt.Errorf("%s: reject %d: reason %q, %d bytes", r.Object, r.Position, r.Reason, len(r.Body))
		}
	}
	for r := range left {
		return fmt.Errorf("%s: record %d is in a span, but not in the batch", r.object, r.position)
	}
	return nil
}

// List remembers objects. It is a source.Listed.
func (l *Ledger) List(_ context.Context, objects []event.Object) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.Listed = append(l.Listed, objects...)
	return nil
}

// Settled is a source.Settled.
func (l *Ledger) Settled(_ context.Context, object string) ([]source.Progress, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []source.Progress
	for _, s := range l.spans[object] {
		i := slices.IndexFunc(out, func(p source.Progress) bool { return p.Version == s.Version })
		if i < 0 {
			i = len(out)
			out = append(out, source.Progress{Version: s.Version})
		}
		p := &out[i]
		p.Final = p.Final || s.Final
		if s.Records > 0 {
			p.Settled = append(p.Settled, source.Run{First: s.First, Records: s.Records})
		}
	}
	for i := range out {
		out[i].Settled = merge(out[i].Settled)
		last := int64(-1)
		for _, s := range l.spans[object] {
			if s.Version == out[i].Version && s.First+s.Records >= last {
				last, out[i].Mark, out[i].AtEnd = s.First+s.Records, s.Mark, s.AtEnd
			}
		}
	}
	return out, nil
}

func merge(runs []source.Run) []source.Run {
	slices.SortFunc(runs, func(a, b source.Run) int { return cmp.Compare(a.First, b.First) })
	var out []source.Run
	for _, r := range runs {
		if n := len(out); n > 0 && out[n-1].First+out[n-1].Records == r.First {
			out[n-1].Records += r.Records
			continue
		}
		out = append(out, r)
	}
	return out
}

// Records counts what was acknowledged of each object.
func (l *Ledger) Records() map[string]int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := map[string]int64{}
	for object, spans := range l.spans {
		for _, s := range spans {
			out[object] += s.Records
		}
	}
	return out
}

func run(t *testing.T, c Case, l *Ledger, deliver source.Deliver) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	return c.Open(t, l.Settled, l.List).Run(ctx, deliver)
}

// complete checks that every record of the case is settled, and every object to its end.
func complete(t *testing.T, c Case, l *Ledger) {
	t.Helper()
	got := l.Records()
	for object, n := range c.Records {
		if got[object] != n {
			t.Errorf("%s: %d records are settled, want %d", object, got[object], n)
		}
		past, _ := l.Settled(t.Context(), object)
		for _, p := range past {
			if len(p.Settled) > 1 || len(p.Settled) == 1 && p.Settled[0].First != 0 {
				t.Errorf("%s: settled is %v: there are holes", object, p.Settled)
			}
		}
	}
	for object := range got {
		if _, ok := c.Records[object]; !ok {
			t.Errorf("%s: nobody asked for it", object)
		}
	}
}

func once(t *testing.T, c Case) {
	var l Ledger
	if err := run(t, c, &l, l.Deliver); err != nil {
		t.Fatal(err)
	}
	complete(t, c, &l)
	listed := map[string]int{}
	for _, o := range l.Listed {
		listed[o.Name]++
	}
	for object := range c.Records {
		if listed[object] != 1 {
			t.Errorf("%s was listed %d times", object, listed[object])
		}
	}
	if len(l.Batches) < 4 {
		t.Errorf("%d batches: too few to test with", len(l.Batches))
	}
	before := len(l.Batches)
	if err := run(t, c, &l, l.Deliver); err != nil {
		t.Fatal(err)
	}
	for _, b := range l.Batches[before:] {
		if len(b.Raws)+len(b.Rejects) > 0 {
			t.Errorf("a second run delivers %d records of %v", len(b.Raws)+len(b.Rejects), b.Spans)
		}
	}
	complete(t, c, &l)
}

var errStop = errors.New("stop here")

func restart(t *testing.T, c Case) {
	for stop := 0; ; stop++ {
		var l Ledger
		stopped := false
		for range 1000 {
			acks := 0
			var mu sync.Mutex
			err := run(t, c, &l, func(ctx context.Context, b event.Batch) error {
				mu.Lock()
				defer mu.Unlock()
				if acks == stop {
					return errStop
				}
				acks++
				return l.Deliver(ctx, b)
			})
			if err == nil {
				break
			}
			if !errors.Is(err, errStop) {
				t.Fatalf("stop after %d: %v", stop, err)
			}
			stopped = true
			if stop == 0 { // nothing would ever be acknowledged
				stop = 1
			}
		}
		complete(t, c, &l)
		if t.Failed() || !stopped {
			return
		}
	}
}

// hole loses one batch while later ones are acknowledged, as when the program
// dies with several on their way.
func hole(t *testing.T, c Case) {
	var whole Ledger
	if err := run(t, c, &whole, whole.Deliver); err != nil {
		t.Fatal(err)
	}
	for lost := range whole.Batches {
		var l Ledger
		for i, b := range whole.Batches {
			if i == lost {
				continue
			}
			if err := l.Deliver(t.Context(), b); err != nil {
				t.Fatal(err)
			}
		}
		if err := run(t, c, &l, l.Deliver); err != nil {
			t.Fatalf("batch %d was lost: %v", lost, err)
		}
		complete(t, c, &l)
	}
}

func refuse(t *testing.T, c Case) {
	var l Ledger
	calls := 0
	var mu sync.Mutex
	err := run(t, c, &l, func(context.Context, event.Batch) error {
		mu.Lock()
		defer mu.Unlock()
		calls++
		return errStop
	})
	if !errors.Is(err, errStop) {
		t.Errorf("Run returns %v when deliver fails", err)
	}
	if calls == 0 || calls > 8 {
		t.Errorf("deliver was called %d times although it failed", calls)
	}
}

func ledgerFails(t *testing.T, c Case) {
	var l Ledger
	ctx := t.Context()
	fails := func(context.Context, string) ([]source.Progress, error) { return nil, errStop }
	if err := c.Open(t, fails, l.List).Run(ctx, l.Deliver); !errors.Is(err, errStop) {
		t.Errorf("Run returns %v when Settled fails", err)
	}
	list := func(context.Context, []event.Object) error { return errStop }
	if err := c.Open(t, l.Settled, list).Run(ctx, l.Deliver); !errors.Is(err, errStop) {
		t.Errorf("Run returns %v when Listed fails", err)
	}
	if len(l.Batches) != 0 {
		t.Errorf("%d batches came although nothing could be listed", len(l.Batches))
	}
}

func cancelled(t *testing.T, c Case) {
	var l Ledger
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	err := c.Open(t, l.Settled, l.List).Run(ctx, func(ctx context.Context, _ event.Batch) error {
		cancel()
		<-ctx.Done()
		return ctx.Err()
	})
	if err != context.Canceled {
		t.Errorf("Run returns %v when the context ends", err)
	}
	if err := run(t, c, &l, l.Deliver); err != nil {
		t.Fatal(err)
	}
	complete(t, c, &l)
}
