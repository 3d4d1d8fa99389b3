// Package memory is a ledger that forgets everything at the end: for tests, and
// for a run that keeps nothing.
package memory

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/ledger"
	"github.com/yagura-sec/yagura/source"
)

// Store is a ledger in memory.
type Store struct {
	opt ledger.Options

	mu       sync.Mutex // guards everything below
	objects  map[id]*ledger.Entry
	totals   ledger.Totals
	settled  map[event.BatchID]bool
	coverage map[hour]int64
	digests  map[string]event.Digest
	byName   map[string][]*ledger.Entry
	rejects  map[record]ledger.Quarantined
	nextID   int64
	bytes    int64 // of the bodies in quarantine
}

type id struct{ name, version string }

type record struct {
	object   id
	position int64
}

type hour struct {
	account, region string
	unix            int64
}

var _ ledger.Store = (*Store)(nil)

// New makes an empty ledger.
func New(opt ledger.Options) *Store {
	opt.Fill()
	return &Store{opt: opt, objects: map[id]*ledger.Entry{}, settled: map[event.BatchID]bool{},
		byName: map[string][]*ledger.Entry{}, rejects: map[record]ledger.Quarantined{},
		coverage: map[hour]int64{}, digests: map[string]event.Digest{}}
}

// Close does nothing.
func (s *Store) Close() error { return nil }

// List is ledger.Settler's.
func (s *Store) List(ctx context.Context, objects []event.Object) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.opt.Now().UTC().Truncate(time.Microsecond)
	for _, o := range objects {
		if e := s.entry(o.Name, o.Version); e.Listed.IsZero() {
			e.Size, e.Listed = o.Size, now
		}
	}
	return ctx.Err()
}

func (s *Store) entry(name, version string) *ledger.Entry {
	e := s.objects[id{name, version}]
	if e == nil {
		e = &ledger.Entry{Object: ledger.Object{Name: name, Version: version}}
		s.objects[id{name, version}] = e
		s.byName[name] = append(s.byName[name], e)
		s.totals.Objects++
	}
	return e
}

// Settled is ledger.Settler's.
func (s *Store) Settled(ctx context.Context, object string) ([]source.Progress, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []source.Progress
	for _, e := range s.entries(object) {
		out = append(out, e.Account.Progress(e.Version))
	}
	return out, ctx.Err()
}

// entries of one object, oldest version first.
func (s *Store) entries(name string) []*ledger.Entry {
	out := s.byName[name]
	slices.SortFunc(out, func(a, b *ledger.Entry) int {
		return cmp.Or(a.Listed.Compare(b.Listed), a.Read.Compare(b.Read), cmp.Compare(a.Version, b.Version))
	})
	return out
}

// Settle is ledger.Settler's.
func (s *Store) Settle(ctx context.Context, b ledger.Settlement) error {
	if err := b.Check(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.settled[b.Batch] {
		return nil
	}
	s.settled[b.Batch] = true
	touched := map[string]bool{}
	for _, span := range b.Spans {
		touched[span.Object] = true
		replaced := s.entry(span.Object, span.Version).Settle(span, b.At.UTC().Truncate(time.Microsecond))
		s.totals.Add(replaced, -1)
		s.totals.Add(span.Verdicts, 1)
		if replaced.Count(event.Quarantined) > 0 {
			s.release(span.Span)
		}
	}
	for name := range touched {
		_, objects := ledger.Supersede(s.byName[name])
		s.totals.Objects += objects
	}
	for _, r := range b.Rejects {
		s.quarantine(r)
	}
	for _, c := range b.Coverage {
		s.coverage[hour{c.Account, c.Region, c.Hour.Unix()}] += c.Records
	}
	for _, d := range b.Digests {
		s.digests[d.Object] = d
	}
	return ctx.Err()
}

// release takes the records of a span out of quarantine.
func (s *Store) release(span event.Span) {
	object := id{span.Object, span.Version}
	for at, q := range s.rejects {
		if at.object == object && span.First <= at.position && at.position < span.First+span.Records {
			s.bytes -= int64(len(q.Body))
			delete(s.rejects, at)
		}
	}
}

func (s *Store) quarantine(r event.Reject) {
	at := record{id{r.Object, r.Version}, r.Position}
	s.bytes -= int64(len(s.rejects[at].Body))
	body, dropped := ledger.BodyToKeep(&r)
	if s.bytes+int64(len(body)) > s.opt.QuarantineBytes {
		body, dropped = nil, true
	}
	r.Body = slices.Clone(body)
	r.Received = r.Received.UTC().Truncate(time.Microsecond)
	s.bytes += int64(len(body))
	s.nextID++
	s.rejects[at] = ledger.Quarantined{ID: s.nextID, Reject: r, BodyDropped: dropped}
}

// Totals is ledger.Reader's.
func (s *Store) Totals(ctx context.Context) (ledger.Totals, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.totals, ctx.Err()
}

// Objects is ledger.Reader's.
func (s *Store) Objects(ctx context.Context, f ledger.ObjectFilter) iter.Seq2[ledger.Object, error] {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []ledger.Object
	for _, e := range s.objects {
		o := e.Object
		e.Account.Fill(&o)
		if (f.Name == "" || f.Name == o.Name) && (len(f.States) == 0 || slices.Contains(f.States, o.State)) &&
			f.After.Compare(ledger.Place{Name: o.Name, Version: o.Version}) < 0 {
			out = append(out, o)
		}
	}
	slices.SortFunc(out, func(a, b ledger.Object) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version))
	})
	return each(ctx, out)
}

// Coverage is ledger.Reader's.
func (s *Store) Coverage(ctx context.Context, since, until time.Time) iter.Seq2[ledger.Coverage, error] {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []ledger.Coverage
	for h, n := range s.coverage {
		at := time.Unix(h.unix, 0).UTC()
		if at.Before(since) || !until.IsZero() && !at.Before(until) {
			continue
		}
		out = append(out, ledger.Coverage{Account: h.account, Region: h.region, Hour: at, Records: n})
	}
	slices.SortFunc(out, func(a, b ledger.Coverage) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Region, b.Region), a.Hour.Compare(b.Hour))
	})
	return each(ctx, out)
}

// Digests is ledger.Reader's.
func (s *Store) Digests(ctx context.Context) iter.Seq2[event.Digest, error] {
	s.mu.Lock()
	defer s.mu.Unlock()
	return each(ctx, slices.SortedFunc(maps.Values(s.digests), func(a, b event.Digest) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Region, b.Region), a.End.Compare(b.End), cmp.Compare(a.Object, b.Object))
	}))
}

// Quarantine is ledger.Reader's.
func (s *Store) Quarantine(ctx context.Context) iter.Seq2[ledger.Quarantined, error] {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := slices.SortedFunc(maps.Values(s.rejects), func(a, b ledger.Quarantined) int { return cmp.Compare(a.ID, b.ID) })
	for i := range out {
		e := s.objects[id{out[i].Object, out[i].Version}]
		out[i].Superseded = e != nil && e.State == ledger.Superseded
	}
	return each(ctx, out)
}

// Rejected is ledger.Reader's.
func (s *Store) Rejected(ctx context.Context) iter.Seq2[ledger.Rejected, error] {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []ledger.Rejected
	for at, q := range s.rejects {
		if e := s.objects[at.object]; e != nil {
			out = append(out, e.Account.Rejected(at.position, q.Reason))
		}
	}
	return each(ctx, out)
}

// each yields a copy taken earlier, so that the caller may write meanwhile.
func each[T any](ctx context.Context, list []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, x := range list {
			if err := ctx.Err(); err != nil {
				var none T
				yield(none, err)
				return
			}
			if !yield(x, nil) {
				return
			}
		}
	}
}
