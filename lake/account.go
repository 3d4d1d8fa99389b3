package lake

import (
	"fmt"

	"github.com/yagura-sec/yagura/event"
)

// Account collects, for an engine's Append, what became of each record of a
// batch. It is for one goroutine.
type Account struct {
	batch  *event.Batch
	spanOf []int32           // of each event
	marks  [][]event.Verdict // of each record of each span; 0: not known yet
}

// NewAccount finds the span of every event and reject. A record that belongs to
// no span, or is there twice, or a record of a span that is neither an event nor
// a reject, is a fault of the caller and an error.
func NewAccount(b *event.Batch) (*Account, error) {
	a := &Account{batch: b, spanOf: make([]int32, len(b.Events)), marks: make([][]event.Verdict, len(b.Spans))}
	var records int64
	for i, s := range b.Spans {
		a.marks[i] = make([]event.Verdict, s.Records)
		records += s.Records
	}
	if have := int64(len(b.Events) + len(b.Rejects)); have != records {
		return nil, fmt.Errorf("batch %s: its spans count %d records, it brings %d", b.ID(), records, have)
	}
	f := spanFinder{spans: b.Spans}
	for i := range b.Rejects {
		r := &b.Rejects[i]
		if err := a.mark(&f, r.Object, r.Position, event.Quarantined); err != nil {
			return nil, err
		}
	}
	// Any verdict serves to find records given twice.
	for i := range b.Events {
		e := &b.Events[i]
		if err := a.mark(&f, e.Object, e.Position, event.Stored); err != nil {
			return nil, err
		}
		a.spanOf[i] = int32(f.last)
	}
	return a, nil
}

func (a *Account) mark(f *spanFinder, object string, position int64, v event.Verdict) error {
	if !f.find(object, position) {
		return fmt.Errorf("batch %s: record %d of %s is in none of its spans", a.batch.ID(), position, object)
	}
	at := &a.marks[f.last][position-a.batch.Spans[f.last].First]
	if *at != 0 {
		return fmt.Errorf("batch %s: record %d of %s is there twice", a.batch.ID(), position, object)
	}
	*at = v
	return nil
}

// Version is the object version that event i was read from.
func (a *Account) Version(i int) string { return a.batch.Spans[a.spanOf[i]].Version }

// Judge says what became of event i; the events not judged are stored.
func (a *Account) Judge(i int, v event.Verdict) {
	s := a.spanOf[i]
	a.marks[s][a.batch.Events[i].Position-a.batch.Spans[s].First] = v
}

// Spans is the account of the batch's spans, in their order.
func (a *Account) Spans() []event.SpanAccount {
	out := make([]event.SpanAccount, len(a.batch.Spans))
	for i, s := range a.batch.Spans {
		out[i].Span = s
		for _, v := range a.marks[i] {
			out[i].Verdicts = out[i].Verdicts.Add(v, 1)
		}
	}
	return out
}

// spanFinder finds the span of a record. Records mostly come in the order of
// the spans, so it looks where it found the last one first.
type spanFinder struct {
	spans  []event.Span
	last   int
	byName map[string][]int // made when guessing fails
}

func (f *spanFinder) find(object string, position int64) bool {
	has := func(i int) bool {
		s := &f.spans[i]
		return position >= s.First && position < s.First+s.Records && s.Object == object
	}
	for i := f.last; i < min(f.last+2, len(f.spans)); i++ {
		if has(i) {
			f.last = i
			return true
		}
	}
	if f.byName == nil {
		f.byName = make(map[string][]int, len(f.spans))
		for i, s := range f.spans {
			f.byName[s.Object] = append(f.byName[s.Object], i)
		}
	}
	for _, i := range f.byName[object] {
		if has(i) {
			f.last = i
			return true
		}
	}
	return false
}

// Conflict is the reject of e, read from an object of that version, whose uid is
// stored with another body from the given record.
func Conflict(e *event.Event, version, object string, position int64) event.Reject {
	body := e.Raw
	if len(body) > event.MaxRejectBody {
		body = body[:event.MaxRejectBody]
	}
	return event.Reject{
		Object: e.Object, Version: version, Position: e.Position,
		Reason: fmt.Sprintf("conflict: record %d of %s has the uid %s of record %d of %s, but says something else",
			e.Position, e.Object, e.UID, position, object),
		Format: e.Format, Body: body, Size: int64(len(e.Raw)), Received: e.IngestTime,
	}
}

// SameBody tells whether two raw records say the same; records that are not JSON
// do if their bytes are equal.
func SameBody(a, b []byte) bool {
	if string(a) == string(b) {
		return true
	}
	ca, err := event.Canonical(a)
	if err != nil {
		return false
	}
	cb, err := event.Canonical(b)
	return err == nil && string(ca) == string(cb)
}
