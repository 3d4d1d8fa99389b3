package receive

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/source"
)

// version is that of every object: its name says what it holds.
const version = "1"

// record is one record of a request, readable or not.
type record struct {
	body   []byte // of a rejected one at most event.MaxRejectBody
	format string
	reason string // why it is rejected; empty: it is a record
	size   int64  // of a rejected one, whole
}

// objectName names what a request holds: the same content, said to be of the same
// kind, is the same object whoever brings it and however often.
func (s *Source) objectName(kind, meta string, content []byte) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s %d:%s", kind, len(meta), meta)
	h.Write(content)
	return "receive/" + s.cfg.Name + "/" + hex.EncodeToString(h.Sum(nil)[:20])
}

// errAway: nobody runs the source at present.
var errAway = errors.New("it is not taking records at present")

// flight is an object being taken.
type flight struct {
	done  chan struct{} // closed when the two below are set
	again bool
	err   error
}

// take makes the records durable under the object's name. Again: they were
// already. Whoever comes with an object that is being taken shares the result.
func (s *Source) take(object string, size int64, records []record) (again bool, err error) {
	s.mu.Lock()
	if f := s.flights[object]; f != nil {
		s.mu.Unlock()
		<-f.done
		return f.again, f.err
	}
	f := &flight{done: make(chan struct{})}
	s.flights[object] = f
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.flights, object)
		s.mu.Unlock()
		close(f.done)
	}()
	f.again, f.err = s.deliver(object, size, records)
	return f.again, f.err
}

func (s *Source) deliver(object string, size int64, records []record) (again bool, err error) {
	r, ok := s.begin()
	if !ok {
		return false, errAway
	}
	defer r.work.Done()
	defer func() {
		if err != nil {
			r.fail(err) // what concerns one concerns all: the ledger or the lake does not work
		}
	}()
	past, err := s.cfg.Settled(r.ctx, object)
	if err != nil {
		return false, fmt.Errorf("ask what is settled of %s: %w", object, err)
	}
	done := settled(past)
	if done.Final && whole(done, int64(len(records))) {
		s.count(func(st *Stats) { st.Again++ })
		return true, nil
	}
	if err := s.lists.add(r.ctx, s.cfg.Listed, event.Object{Name: object, Version: version, Size: size}); err != nil {
		return false, fmt.Errorf("list %s: %w", object, err)
	}
	received := s.cfg.Now().UTC().Truncate(time.Microsecond)
	for _, part := range todo(done.Settled, int64(len(records)), int64(s.cfg.BatchRecords)) {
		last := part.First+part.Records == int64(len(records))
		b := batch(object, size, received, records, part, last)
		if err := r.deliver(r.ctx, b); err != nil {
			return false, err
		}
		s.count(func(st *Stats) { st.Records += part.Records; st.Rejects += int64(len(b.Rejects)) })
	}
	s.count(func(st *Stats) { st.Bytes += size })
	return false, nil
}

func settled(past []source.Progress) source.Progress {
	for _, p := range past {
		if p.Version == version {
			return p
		}
	}
	return source.Progress{}
}

func whole(p source.Progress, records int64) bool {
	return len(p.Settled) == 1 && p.Settled[0] == source.Run{First: 0, Records: records}
}

// todo are the runs of records that are not settled, each of at most so many.
func todo(done []source.Run, records, most int64) (out []source.Run) {
	at := int64(0)
	add := func(to int64) {
		for at < to {
			n := min(most, to-at)
			out = append(out, source.Run{First: at, Records: n})
			at += n
		}
	}
	for _, d := range done {
		add(min(d.First, records))
		at = max(at, d.First+d.Records)
	}
	add(records)
	return out
}

func batch(object string, size int64, received time.Time, records []record, part source.Run, last bool) event.Batch {
	b := event.Batch{Spans: []event.Span{{Object: object, Version: version, First: part.First, Records: part.Records, Final: last, Size: size}}}
	b.Raws = make([]event.Raw, 0, part.Records)
	for i, rec := range records[part.First : part.First+part.Records] {
		at := part.First + int64(i)
		if rec.reason == "" {
			b.Raws = append(b.Raws, event.Raw{Object: object, Position: at, Format: rec.format, Body: rec.body, Received: received})
			continue
		}
		b.Rejects = append(b.Rejects, event.Reject{
			Object: object, Version: version, Position: at, Reason: rec.reason, Format: rec.format,
			Body: rec.body[:min(len(rec.body), event.MaxRejectBody)], Size: rec.size, Received: received,
		})
	}
	return b
}

// lists lists objects together: while one call to the ledger, which waits for
// the disk, is under way, the next ones gather.
type lists struct {
	calling sync.Mutex // held during a call

	mu      sync.Mutex // guards pending
	pending []*listing
}

// listing is an object waiting to be listed; done and err are set under calling.
type listing struct {
	object event.Object
	done   bool
	err    error
}

func (l *lists) add(ctx context.Context, list source.Listed, o event.Object) error {
	mine := &listing{object: o}
	l.mu.Lock()
	l.pending = append(l.pending, mine)
	l.mu.Unlock()

	l.calling.Lock()
	defer l.calling.Unlock()
	if mine.done { // by the one before
		return mine.err
	}
	l.mu.Lock()
	all := l.pending
	l.pending = nil
	l.mu.Unlock()
	objects := make([]event.Object, len(all))
	for i, x := range all {
		objects[i] = x.object
	}
	err := list(ctx, objects)
	for _, x := range all {
		x.done, x.err = true, err
	}
	return err
}
