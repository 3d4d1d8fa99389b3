package file

import (
	"context"
	"sync"
	"time"

	"github.com/yagura-sec/yagura/event"
)

// slabSize is how much memory records are copied into at a time. They live as
// long as their batch does.
const slabSize = 1 << 20

// builder fills one worker's batch. Small objects share it, large ones go on in
// the next.
type builder struct {
	s *Source

	mu      sync.Mutex // guards everything below: a batch that waits too long is taken by the clock
	batch   event.Batch
	slab    []byte
	bytes   int
	records int
	since   time.Time // when the first record came in
	cur     *reading  // the object whose span is open
	// versions of the objects in the batch: a record tells its object, not the
	// version, so two versions never share a batch.
	versions map[string]string
}

// begin makes r the object that records are added of.
func (b *builder) begin(ctx context.Context, r *reading) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if v, ok := b.versions[r.t.name]; ok && v != r.t.version {
		if err := b.flush(ctx); err != nil {
			return err
		}
	}
	if b.versions == nil {
		b.versions = map[string]string{}
	}
	b.versions[r.t.name] = r.t.version
	b.cur = r
	return nil
}

func (b *builder) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.cur = nil
}

// copied is b in memory of the batch.
func (b *builder) copied(body []byte) []byte {
	if len(body) > slabSize/4 {
		return append(make([]byte, 0, len(body)), body...)
	}
	if cap(b.slab)-len(b.slab) < len(body) {
		b.slab = make([]byte, 0, slabSize)
	}
	n := len(b.slab)
	b.slab = append(b.slab, body...)
	return b.slab[n:len(b.slab):len(b.slab)]
}

// full tells whether the batch is to be closed before another record goes in.
func (b *builder) full() bool {
	return b.records >= b.s.cfg.BatchRecords || b.bytes >= b.s.cfg.BatchBytes || len(b.batch.Spans) >= b.s.cfg.BatchRecords
}

// add puts a record of the current object into the batch.
func (b *builder) add(ctx context.Context, r *reading, it item) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.full() {
		if err := b.flush(ctx); err != nil {
			return err
		}
	}
	if b.records == 0 {
		b.since = b.s.cfg.Now()
		r.received = b.since.UTC().Truncate(time.Microsecond) // a stream may be open for days
	}
	body := b.copied(it.body)
	if it.reason == "" {
		b.batch.Raws = append(b.batch.Raws, event.Raw{
			Object: r.t.name, Position: r.position, Format: b.s.cfg.Format, Body: body, Received: r.received,
		})
	} else {
		b.batch.Rejects = append(b.batch.Rejects, event.Reject{
			Object: r.t.name, Version: r.t.version, Position: r.position, Reason: it.reason,
			Format: b.s.cfg.Format, Body: body, Size: it.size, Received: r.received,
		})
	}
	b.records++
	b.bytes += len(body)
	r.take(it)
	return nil
}

// put appends a span that is complete. b.mu is held.
func (b *builder) put(ctx context.Context, sp event.Span, d *event.Digest, again bool) error {
	if b.full() && b.records+len(b.batch.Spans) > 0 && sp.Records == 0 {
		if err := b.flush(ctx); err != nil {
			return err
		}
	}
	if len(b.batch.Spans) == 0 && b.records == 0 {
		b.since = b.s.cfg.Now()
	}
	b.batch.Spans = append(b.batch.Spans, sp)
	if d != nil {
		b.batch.Digests = append(b.batch.Digests, *d)
	}
	if again && sp.Records == 0 && b.batch.Attempt == "" {
		// A span without records has the same identity whatever it says, and
		// this object may have had one before that said something else.
		b.batch.Attempt = "again " + b.s.cfg.Now().UTC().Format(time.RFC3339Nano)
	}
	return nil
}

// flush closes the open span and sends the batch off. b.mu is held.
func (b *builder) flush(ctx context.Context) error {
	if b.cur != nil {
		if sp, ok := b.cur.cut(); ok {
			b.batch.Spans = append(b.batch.Spans, sp)
		}
	}
	if len(b.batch.Spans) == 0 {
		return nil
	}
	batch := b.batch
	if b.s.attempt != "" {
		batch.Attempt = b.s.attempt
	}
	b.batch = event.Batch{Raws: make([]event.Raw, 0, min(len(batch.Raws), b.s.cfg.BatchRecords))}
	b.slab, b.bytes, b.records = nil, 0, 0
	clear(b.versions)
	if b.cur != nil {
		b.versions[b.cur.t.name] = b.cur.t.version
	}
	return b.s.send(ctx, batch)
}

func (b *builder) flushNow(ctx context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.flush(ctx)
}

// overdue sends the batch off if its first record waits too long.
func (b *builder) overdue(ctx context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.records == 0 && len(b.batch.Spans) == 0 || b.s.cfg.Now().Sub(b.since) < b.s.cfg.BatchWait {
		return nil
	}
	return b.flush(ctx)
}

// send delivers the batch in a goroutine of its own, so that reading goes on,
// and waits while too many are on their way.
func (s *Source) send(ctx context.Context, batch event.Batch) error {
	select {
	case s.flight <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if err := context.Cause(ctx); err != nil {
		<-s.flight
		return err
	}
	records, rejects, digests := int64(len(batch.Raws)+len(batch.Rejects)), int64(len(batch.Rejects)), int64(len(batch.Digests))
	s.sends.Go(func() {
		defer func() { <-s.flight }()
		if err := s.deliver(ctx, batch); err != nil {
			s.cancel(err)
			return
		}
		s.count(func(st *Stats) {
			st.Records += records
			st.Rejects += rejects
			st.Digests += digests
		})
	})
	return nil
}
