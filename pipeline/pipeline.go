// Package pipeline carries a batch through the rooms: normalise, lake, detect,
// triage, ledger. It knows only their interfaces.
//
// A batch is committed in steps that are each atomic and harmless to repeat, so
// that no transaction spans rooms: the lake appends, triage records, the ledger
// settles, the lake releases. Whatever was appended and not released when the
// program ended is carried on by Recover.
package pipeline

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/yagura-sec/yagura/detect"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/lake"
	"github.com/yagura-sec/yagura/ledger"
	"github.com/yagura-sec/yagura/triage"
)

// Rooms are what a pipeline joins. All are needed but Detectors.
type Rooms struct {
	// Normalise appends the event of one raw record, or says why it cannot:
	// see normalise.Normaliser.
	Normalise func(dst []event.Event, r event.Raw) ([]event.Event, error)
	Lake      lake.Appender
	Detectors []detect.Detector
	Triage    triage.Recorder
	Ledger    ledger.Settler
}

// Options shape the batches. The zero value commits every delivery by itself.
type Options struct {
	// Wait is how long a delivery waits for others to share its commit.
	Wait time.Duration
	// MaxRecords and MaxBytes close a shared batch early; 0: 20,000 and 32 MB.
	MaxRecords, MaxBytes int
	// Parallel is how many batches are carried at a time; 0: 2.
	Parallel int
	// Attempt, when set, marks every batch as a later reading: see event.Batch.
	Attempt string
	// Now gives the time of settlement; nil: time.Now.
	Now func() time.Time
	// Quiet tells of which rules findings are kept out of sight, and are not
	// counted; nil: of none.
	Quiet func(rule string) bool
}

// Pipeline carries batches. Deliver is a source.Deliver.
type Pipeline struct {
	rooms Rooms
	opt   Options
	slots chan struct{}
	share sharing
	stats counters
	leads sync.WaitGroup // shared batches being committed
}

// New joins the rooms.
func New(rooms Rooms, opt Options) *Pipeline {
	if opt.MaxRecords == 0 {
		opt.MaxRecords = 20_000
	}
	if opt.MaxBytes == 0 {
		opt.MaxBytes = 32 << 20
	}
	if opt.Parallel == 0 {
		opt.Parallel = 2
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	return &Pipeline{rooms: rooms, opt: opt, slots: make(chan struct{}, opt.Parallel), stats: counters{quiet: opt.Quiet}}
}

// Deliver stores and judges a batch, alone or together with others that arrive
// while it waits, and returns nil once all of it is durable and accounted for.
func (p *Pipeline) Deliver(ctx context.Context, b event.Batch) error {
	if p.opt.Wait <= 0 {
		return p.carry(ctx, b)
	}
	return p.shared(ctx, b)
}

// carry takes one batch through all rooms.
func (p *Pipeline) carry(ctx context.Context, b event.Batch) error {
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if p.opt.Attempt != "" {
		b.Attempt = p.opt.Attempt
	}
	p.read(&b)
	done, err := p.rooms.Lake.Append(ctx, b)
	if err != nil {
		return fmt.Errorf("%s: append %d events: %w", where(b.Spans), len(b.Events), err)
	}
	news := b.Events[:len(done.New)] // in place: New ascends, and events are large
	for to, from := range done.New {
		if to != from {
			news[to] = b.Events[from]
		}
	}
	return p.finish(ctx, lake.Recovered{
		Batch: done.Batch, At: p.opt.Now(), Events: news, Spans: done.Spans,
		Rejects: append(b.Rejects, done.Conflicts...), Digests: b.Digests,
	})
}

// where says which records a batch is of, for a person who has to look.
func where(spans []event.Span) string {
	if len(spans) == 0 {
		return "an empty batch"
	}
	first := fmt.Sprintf("%s from record %d on", spans[0].Object, spans[0].First)
	if len(spans) == 1 {
		return first
	}
	return fmt.Sprintf("%s and %d more objects", first, len(spans)-1)
}

// read turns the raw records into events and rejects, each record into one of
// them.
func (p *Pipeline) read(b *event.Batch) {
	versions := map[string]string{}
	for _, s := range b.Spans {
		versions[s.Object] = s.Version
	}
	b.Spans = slices.Clone(b.Spans) // the caller may deliver his again
	notes := formatNotes{spans: b.Spans, names: make([][]string, len(b.Spans))}
	events := make([]event.Event, 0, len(b.Raws))
	for _, r := range b.Raws {
		had := len(events)
		var err error
		events, err = p.rooms.Normalise(events, r)
		if err == nil && len(events) > had {
			e := &events[had]
			e.Object, e.Position = r.Object, r.Position
			notes.note(r.Object, r.Position, e.Format)
			err = checkTime(e.Time, e.IngestTime)
		} else if err == nil {
			err = fmt.Errorf("the record holds no event")
		}
		if err != nil {
			notes.note(r.Object, r.Position, formatOf(err))
			events = events[:had]
			b.Rejects = append(b.Rejects, reject(r, versions[r.Object], err.Error()))
		}
	}
	notes.write()
	b.Events, b.Raws = events, nil
}

// earliest is the start of the year in which AWS, the oldest of the clouds
// whose logs we read, began; a time before it is a broken clock or a wrong unit.
var earliest = time.Date(2006, 1, 1, 0, 0, 0, 0, time.UTC)

func checkTime(t, ingest time.Time) error {
	switch {
	case t.Before(earliest):
		return fmt.Errorf("its time %s is before 2006: a wrong unit or a broken clock", t.Format(time.RFC3339))
	case t.After(ingest.Add(24 * time.Hour)):
		return fmt.Errorf("its time %s is more than a day after it was read (%s): a broken clock", t.Format(time.RFC3339), ingest.Format(time.RFC3339))
	}
	return nil
}

func reject(r event.Raw, version, reason string) event.Reject {
	body := r.Body
	if len(body) > event.MaxRejectBody {
		body = body[:event.MaxRejectBody]
	}
	return event.Reject{
		Object: r.Object, Version: version, Position: r.Position, Reason: reason,
		Format: r.Format, Body: slices.Clone(body), Size: int64(len(r.Body)), Received: r.Received,
	}
}

// finish does what follows the lake's append; every step may be repeated.
func (p *Pipeline) finish(ctx context.Context, r lake.Recovered) error {
	judged, err := p.judge(ctx, r)
	if err != nil {
		return err
	}
	if err := p.rooms.Triage.Record(ctx, r.Batch, judged); err != nil {
		return fmt.Errorf("record %d findings: %w", len(judged.Occurrences), err)
	}
	err = p.rooms.Ledger.Settle(ctx, ledger.Settlement{
		Batch: r.Batch, At: r.At, Spans: r.Spans, Rejects: r.Rejects, Digests: r.Digests,
		Coverage: coverage(r.Events),
	})
	if err != nil {
		return fmt.Errorf("settle %d spans: %w", len(r.Spans), err)
	}
	if err := p.rooms.Lake.Release(ctx, r.Batch); err != nil {
		return fmt.Errorf("release: %w", err)
	}
	p.stats.add(r, judged)
	return nil
}

// Recover carries on every batch that was appended and not released. It is to
// be called once, before the first Deliver.
func (p *Pipeline) Recover(ctx context.Context) (batches int, err error) {
	for r, err := range p.rooms.Lake.Unreleased(ctx) {
		if err != nil {
			return batches, fmt.Errorf("read back unreleased batches: %w", err)
		}
		if err := p.finish(ctx, r); err != nil {
			return batches, fmt.Errorf("recover batch %s: %w", r.Batch, err)
		}
		batches++
	}
	return batches, nil
}

// sharing is the batch that deliveries are joining.
type sharing struct {
	mu   sync.Mutex // guards open
	open *joint
}

// joint is several deliveries that are committed together.
type joint struct {
	batch          event.Batch
	versions       map[string]string // of the objects in batch
	records, bytes int
	full           chan struct{} // closed when no more may join
	done           chan struct{} // closed when err is set
	err            error
}

// takes tells whether b can join: a batch never holds two versions of one
// object, nor two attempts.
func (j *joint) takes(b *event.Batch) bool {
	for _, s := range b.Spans {
		if v, ok := j.versions[s.Object]; ok && v != s.Version {
			return false
		}
	}
	return j.batch.Attempt == b.Attempt
}

// shared joins the open batch, or opens one and commits it after the wait.
func (p *Pipeline) shared(ctx context.Context, b event.Batch) error {
	j, first := p.join(b)
	if first {
		p.leads.Go(func() { p.lead(context.WithoutCancel(ctx), j) })
	}
	select {
	case <-j.done:
		return j.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *Pipeline) join(b event.Batch) (j *joint, first bool) {
	p.share.mu.Lock()
	defer p.share.mu.Unlock()
	j = p.share.open
	if j != nil && !j.takes(&b) {
		close(j.full)
		j = nil
	}
	if j == nil {
		j = &joint{versions: map[string]string{}, full: make(chan struct{}), done: make(chan struct{})}
		p.share.open, first = j, true
	}
	for _, s := range b.Spans {
		j.versions[s.Object] = s.Version
	}
	j.batch.Attempt = b.Attempt
	j.batch.Spans = append(j.batch.Spans, b.Spans...)
	j.batch.Raws = append(j.batch.Raws, b.Raws...)
	j.batch.Rejects = append(j.batch.Rejects, b.Rejects...)
	j.batch.Digests = append(j.batch.Digests, b.Digests...)
	j.records += len(b.Raws) + len(b.Rejects)
	for _, r := range b.Raws {
		j.bytes += len(r.Body)
	}
	if j.records >= p.opt.MaxRecords || j.bytes >= p.opt.MaxBytes {
		p.share.open = nil
		close(j.full)
	}
	return j, first
}

// lead waits until the batch is full or its time is over, and commits it for
// all who joined. A caller that goes away does not take the others' commit along.
func (p *Pipeline) lead(ctx context.Context, j *joint) {
	timer := time.NewTimer(p.opt.Wait)
	defer timer.Stop()
	select {
	case <-j.full:
	case <-timer.C:
		p.share.mu.Lock()
		if p.share.open == j {
			p.share.open = nil
		}
		p.share.mu.Unlock()
	}
	j.err = p.carry(ctx, j.batch)
	close(j.done)
}

// Drain waits for shared batches whose callers have gone away; to be called
// when nobody delivers any more and before the rooms are closed.
func (p *Pipeline) Drain() { p.leads.Wait() }

// Stats say what was carried since New, recovered batches included.
type Stats struct {
	Read, Stored, Duplicate, Quarantined, Expired int64
	Batches                                       int64
	// Findings is how many different findings were touched, but for those of
	// Options.Quiet.
	Findings int64
}

type counters struct {
	quiet func(rule string) bool // Options.Quiet

	stored, duplicate, quarantined, expired, batches atomic.Int64

	mu   sync.Mutex // guards keys
	keys map[string]struct{}
}

// Stats gives the counts so far.
func (p *Pipeline) Stats() Stats {
	c := &p.stats
	s := Stats{
		Stored: c.stored.Load(), Duplicate: c.duplicate.Load(), Quarantined: c.quarantined.Load(),
		Expired: c.expired.Load(), Batches: c.batches.Load(),
	}
	s.Read = s.Stored + s.Duplicate + s.Quarantined + s.Expired
	c.mu.Lock()
	s.Findings = int64(len(c.keys))
	c.mu.Unlock()
	return s
}
