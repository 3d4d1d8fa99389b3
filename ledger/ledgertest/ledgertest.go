// Package ledgertest holds the contract that every ledger keeps.
package ledgertest

import (
	"bytes"
	"iter"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/ledger"
	"github.com/yagura-sec/yagura/source"
)

// Open makes an empty ledger that is closed at the test's end.
type Open func(t *testing.T, opt ledger.Options) ledger.Store

// Test runs the contract.
func Test(t *testing.T, open Open) {
	run := func(name string, f func(t *testing.T, open Open)) {
		t.Run(name, func(t *testing.T) { f(t, open) })
	}
	run("empty", empty)
	run("listed", listed)
	run("settled", settled)
	run("states", states)
	run("end of an object", endOfObject)
	run("replaced", replaced)
	run("versions", versions)
	run("superseded", superseded)
	run("superseded unread", supersededUnread)
	run("superseded records", supersededRecords)
	run("quarantine", quarantine)
	run("quarantine is bounded", bounded)
	run("formats", formats)
	run("coverage", coverage)
	run("digests", digests)
	run("refused", refused)
	run("hostile texts", hostile)
	run("many objects", many)
	run("any order", anyOrder)
	run("at once", atOnce)
}

var (
	noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	s, d = event.Stored, event.Duplicate
	q, e = event.Quarantined, event.Expired
)

// clock ticks a second each time it is asked.
func clock() func() time.Time {
	now := noon
	return func() time.Time {
		now = now.Add(time.Second)
		return now
	}
}

// bench is a ledger and a test that uses it.
type bench struct {
	t *testing.T
	ledger.Store
	batches byte
}

func begin(t *testing.T, open Open) *bench {
	t.Helper()
	return &bench{t: t, Store: open(t, ledger.Options{Now: clock()})}
}

func (b *bench) ok(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// span of "a", version "1", with verdicts in their text form.
func span(first int64, verdicts string, change ...func(*event.SpanAccount)) event.SpanAccount {
	a := event.SpanAccount{Span: event.Span{Object: "a", Version: "1", First: first}}
	if err := a.Verdicts.UnmarshalText([]byte(verdicts)); err != nil {
		panic(err)
	}
	a.Records = a.Verdicts.Records()
	for _, f := range change {
		f(&a)
	}
	return a
}

func final(a *event.SpanAccount) { a.Final = true }
func atEnd(a *event.SpanAccount) { a.AtEnd = true }
func mark(s string) func(*event.SpanAccount) {
	return func(a *event.SpanAccount) { a.Mark = s }
}
func failure(s string) func(*event.SpanAccount) {
	return func(a *event.SpanAccount) { a.Failure = s }
}
func of(object, version string) func(*event.SpanAccount) {
	return func(a *event.SpanAccount) { a.Object, a.Version = object, version }
}

// settle settles spans as a new batch.
func (b *bench) settle(spans ...event.SpanAccount) ledger.Settlement {
	b.t.Helper()
	b.batches++
	x := ledger.Settlement{Batch: event.BatchID{b.batches}, At: noon.Add(time.Hour), Spans: spans}
	b.ok(b.Settle(b.t.Context(), x))
	return x
}

func (b *bench) totals(want ledger.Totals) {
	b.t.Helper()
	got, err := b.Totals(b.t.Context())
	b.ok(err)
	if got != want {
		b.t.Errorf("totals %+v, want %+v", got, want)
	}
	if got.Read != got.Stored+got.Duplicate+got.Quarantined+got.Expired {
		b.t.Errorf("totals do not add up: %+v", got)
	}
}

func (b *bench) progress(object string, want ...source.Progress) {
	b.t.Helper()
	got, err := b.Settled(b.t.Context(), object)
	b.ok(err)
	if len(got) != len(want) || len(got) > 0 && !reflect.DeepEqual(got, want) {
		b.t.Errorf("progress of %s is %+v, want %+v", object, got, want)
	}
}

func collect[T any](t *testing.T, seq iter.Seq2[T, error]) []T {
	t.Helper()
	var out []T
	for x, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, x)
	}
	return out
}

// object is the account of "a", version "1".
func (b *bench) object() ledger.Object {
	b.t.Helper()
	all := collect(b.t, b.Objects(b.t.Context(), ledger.ObjectFilter{Name: "a"}))
	if len(all) != 1 {
		b.t.Fatalf("%d objects, want 1: %+v", len(all), all)
	}
	return all[0]
}

func empty(t *testing.T, open Open) {
	b := begin(t, open)
	b.totals(ledger.Totals{})
	b.progress("a")
	b.ok(b.List(t.Context(), nil))
	if got := collect(t, b.Objects(t.Context(), ledger.ObjectFilter{})); len(got) != 0 {
		t.Errorf("objects %+v", got)
	}
}

func listed(t *testing.T, open Open) {
	b := begin(t, open)
	objects := []event.Object{{Name: "b", Version: "1", Size: 7}, {Name: "a", Version: "1", Size: 5}, {Name: "a", Version: "1", Size: 5}}
	b.ok(b.List(t.Context(), objects))
	b.ok(b.List(t.Context(), objects)) // again: nothing new
	b.totals(ledger.Totals{Objects: 2})
	want := []ledger.Object{
		{Name: "a", Version: "1", Size: 5, Listed: noon.Add(time.Second), State: ledger.Waiting},
		{Name: "b", Version: "1", Size: 7, Listed: noon.Add(time.Second), State: ledger.Waiting},
	}
	if got := collect(t, b.Objects(t.Context(), ledger.ObjectFilter{})); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	for after, behind := range map[ledger.Place][]ledger.Object{
		{}: want, {Name: "a"}: want, {Name: "a", Version: "0"}: want, {Name: "a", Version: "1"}: want[1:],
		{Name: "aa"}: want[1:], {Name: "b", Version: "1"}: nil, {Name: "c"}: nil,
	} {
		if got := collect(t, b.Objects(t.Context(), ledger.ObjectFilter{After: after})); !reflect.DeepEqual(got, behind) {
			t.Errorf("after %q %q: got %+v, want %+v", after.Name, after.Version, got, behind)
		}
	}
	b.progress("a", source.Progress{Version: "1"})
	b.settle(span(0, "1s"))
	b.ok(b.List(t.Context(), objects)) // listing forgets nothing
	b.totals(ledger.Totals{Objects: 2, Read: 1, Stored: 1})
	for range b.Objects(t.Context(), ledger.ObjectFilter{}) {
		break // a reader may stop early
	}
	b.ok(b.List(t.Context(), []event.Object{{Name: "c"}}))
}

func settled(t *testing.T, open Open) {
	b := begin(t, open)
	x := b.settle(span(0, "3s1d", mark("m")))
	b.progress("a", source.Progress{Version: "1", Settled: []source.Run{{First: 0, Records: 4}}, Mark: "m"})
	b.settle(span(4, "2q1e", final, mark("n"), func(a *event.SpanAccount) { a.SHA256, a.Size, a.Kind = "cafe", 99, event.KindDigest }))
	want := ledger.Totals{Objects: 1, Read: 7, Stored: 3, Duplicate: 1, Quarantined: 2, Expired: 1}
	b.totals(want)
	b.progress("a", source.Progress{Version: "1", Settled: []source.Run{{First: 0, Records: 7}}, Mark: "n", Final: true})
	b.ok(b.Settle(t.Context(), x))          // again, and late: nothing changes
	b.settle(span(7, "", final, mark("n"))) // a look at the end that does not know the size
	b.totals(want)
	b.progress("a", source.Progress{Version: "1", Settled: []source.Run{{First: 0, Records: 7}}, Mark: "n", Final: true})
	at := noon.Add(time.Hour)
	if got, want := b.object(), (ledger.Object{Name: "a", Version: "1", Kind: event.KindDigest, Size: 99, Listed: at, Read: at,
		Records: 7, Stored: 3, Duplicate: 1, Quarantined: 2, Expired: 1, State: ledger.Complete, SHA256: "cafe", Formats: []ledger.FormatRecords{{Read: 7, Stored: 3, Duplicate: 1, Quarantined: 2, Expired: 1}}}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func states(t *testing.T, open Open) {
	f := func(state ledger.State, reason string, spans ...event.SpanAccount) {
		t.Helper()
		b := begin(t, open)
		b.settle(spans...)
		if got := b.object(); got.State != state || got.Reason.String() != reason {
			t.Errorf("%s because %q, want %s because %q", got.State, got.Reason, state, reason)
		}
		chosen := collect(t, b.Objects(t.Context(), ledger.ObjectFilter{States: []ledger.State{ledger.Waiting, state}}))
		others := collect(t, b.Objects(t.Context(), ledger.ObjectFilter{States: []ledger.State{ledger.Waiting}}))
		if len(chosen) != 1 || len(others) != 0 {
			t.Errorf("%d objects chosen by state, %d by another", len(chosen), len(others))
		}
	}
	f(ledger.Complete, "", span(0, "5s", final))
	f(ledger.Complete, "", span(0, "", final))
	f(ledger.Complete, "", span(0, "5s"), span(5, "", final))
	f(ledger.Partial, "not read to its end yet", span(0, "5s", mark("5")))
	f(ledger.Growing, "", span(0, "5s", atEnd))
	f(ledger.Growing, "", span(0, "", atEnd))
	f(ledger.Growing, "", span(0, "5s"), span(5, "", atEnd))
	f(ledger.Growing, "", span(0, "5s"), span(5, "", failure("cut off")), span(5, "2s", atEnd))
	f(ledger.Growing, "", span(0, "4s1q", atEnd), span(4, "1s")) // taken out of quarantine
	f(ledger.Partial, "not read to its end yet", span(0, "5s", atEnd), span(5, "2s", mark("7")))
	f(ledger.Complete, "", span(0, "5s", atEnd), span(5, "", final))
	f(ledger.Partial, "records 5 to 6 are not accounted for", span(7, "1s", atEnd), span(0, "5s"))
	f(ledger.Partial, "truncated", span(0, "5s"), span(5, "", failure("truncated")))
	f(ledger.Partial, "truncated", span(0, "5s", failure("truncated"), final))
	f(ledger.Failed, "no permission", span(0, "", failure("no permission")))
	f(ledger.Aside, "not JSON", span(0, "", failure("not JSON"), final, func(a *event.SpanAccount) { a.Kind = event.KindOther }))
	f(ledger.Partial, "records 5 to 6 are not accounted for", span(7, "1s", final), span(0, "5s"))
}

// endOfObject: what is known of an object's end does not depend on the order in
// which the spans before it are settled.
func endOfObject(t *testing.T, open Open) {
	whole := source.Progress{Version: "1", Settled: []source.Run{{First: 0, Records: 8}}, Final: true, Mark: "end"}
	f := func(want source.Progress, spans ...event.SpanAccount) {
		t.Helper()
		b := begin(t, open)
		for _, s := range spans {
			b.settle(s)
		}
		b.progress("a", want)
	}
	head, tail, last := span(0, "5s", mark("5")), span(5, "3s", mark("8")), span(8, "", final, mark("end"))
	f(whole, head, tail, last)
	f(whole, last, tail, head)
	f(whole, tail, last, head)
	f(source.Progress{Version: "1", Settled: []source.Run{{First: 5, Records: 3}}, Mark: "end"}, last, tail) // a hole: not final
	// A failure is history once the records behind it are read.
	f(whole, head, span(5, "", failure("truncated")), span(5, "3s", final, mark("end")))
	f(whole, head, tail, span(8, "", failure("truncated")), span(5, "3s", final, mark("end")))
	// An end inside what is read is none.
	f(whole, span(0, "8s", final, mark("end")), span(3, "", failure("truncated")))
	// One record taken out of quarantine does not reopen the object.
	f(whole, span(0, "7s1q", final, mark("end")), span(7, "1s"))
	f(whole, span(0, "8q", final, mark("end")), span(0, "1s"))
	// A new reading that says where it ends counts.
	f(source.Progress{Version: "1", Settled: []source.Run{{First: 0, Records: 8}}, Mark: "more"},
		span(0, "8s", final, mark("end")), span(4, "4s", mark("more")))
}

func replaced(t *testing.T, open Open) {
	f := func(want ledger.Totals, runs []source.Run, spans ...event.SpanAccount) {
		t.Helper()
		b := begin(t, open)
		for _, s := range spans {
			b.settle(s)
		}
		want.Objects = 1
		b.totals(want)
		b.progress("a", source.Progress{Version: "1", Settled: runs})
	}
	f(ledger.Totals{Read: 10, Stored: 6, Duplicate: 4}, []source.Run{{First: 0, Records: 10}}, span(0, "10s"), span(3, "4d"))
	f(ledger.Totals{Read: 10, Stored: 5, Duplicate: 5}, []source.Run{{First: 0, Records: 10}}, span(0, "10s"), span(0, "5d"))
	f(ledger.Totals{Read: 12, Stored: 5, Duplicate: 7}, []source.Run{{First: 0, Records: 12}}, span(0, "10s"), span(5, "7d"))
	f(ledger.Totals{Read: 20, Duplicate: 20}, []source.Run{{First: 0, Records: 20}}, span(2, "3s"), span(10, "5q"), span(0, "20d"))
	f(ledger.Totals{Read: 7, Stored: 3, Expired: 4}, []source.Run{{First: 0, Records: 2}, {First: 4, Records: 4}, {First: 9, Records: 1}},
		span(9, "1s"), span(0, "2s"), span(4, "2q2s"), span(4, "4e"))
	// Two spans of one batch replace as two of two batches do.
	b := begin(t, open)
	b.settle(span(0, "10s"), span(3, "4d"))
	b.totals(ledger.Totals{Objects: 1, Read: 10, Stored: 6, Duplicate: 4})
}

func versions(t *testing.T, open Open) {
	b := begin(t, open)
	b.ok(b.List(t.Context(), []event.Object{{Name: "a", Version: "9"}}))
	b.ok(b.List(t.Context(), []event.Object{{Name: "a", Version: "1"}}))
	b.settle(span(0, "4s", of("a", "9")), span(0, "2d", of("a", "1")), span(0, "1s", of("b", "1")))
	b.totals(ledger.Totals{Objects: 3, Read: 7, Stored: 5, Duplicate: 2})
	b.progress("a", // newest last, by when it was listed
		source.Progress{Version: "9", Settled: []source.Run{{First: 0, Records: 4}}},
		source.Progress{Version: "1", Settled: []source.Run{{First: 0, Records: 2}}})
}

func reject(position int64, body string) event.Reject {
	return event.Reject{Object: "a", Version: "1", Position: position, Reason: "no time", Format: "aws.cloudtrail",
		Body: []byte(body), Size: int64(len(body)), Received: noon}
}

func quarantine(t *testing.T, open Open) {
	b := begin(t, open)
	body := strings.Repeat(`{"a":1}`, 50)
	x := ledger.Settlement{Batch: event.BatchID{1}, At: noon, Spans: []event.SpanAccount{span(0, "1s2q1s1q")},
		Rejects: []event.Reject{reject(1, body), reject(2, "\x00\xff"), reject(4, "")}}
	b.ok(b.Settle(t.Context(), x))
	b.ok(b.Settle(t.Context(), x)) // again
	got := collect(t, b.Quarantine(t.Context()))
	if len(got) != 3 {
		t.Fatalf("%d records in quarantine, want 3", len(got))
	}
	for i, want := range x.Rejects {
		if !bytes.Equal(got[i].Body, want.Body) || got[i].BodyDropped {
			t.Errorf("body %d differs", i)
		}
		got[i].Body, want.Body = nil, nil
		if !reflect.DeepEqual(got[i].Reject, want) {
			t.Errorf("got %+v, want %+v", got[i].Reject, want)
		}
		if i > 0 && got[i].ID <= got[i-1].ID {
			t.Errorf("ids do not ascend: %d, %d", got[i-1].ID, got[i].ID)
		}
	}
	b.batches = 1
	b.settle(span(2, "1s")) // taken out
	b.totals(ledger.Totals{Objects: 1, Read: 5, Stored: 3, Quarantined: 2})
	got = collect(t, b.Quarantine(t.Context()))
	if len(got) != 2 || got[0].Position != 1 || got[1].Position != 4 {
		t.Errorf("quarantine holds %+v", got)
	}
	// Rejected again, with another reason.
	again := reject(1, "x")
	again.Reason = "still no time"
	b.ok(b.Settle(t.Context(), ledger.Settlement{Batch: event.BatchID{9}, Spans: []event.SpanAccount{span(1, "1q")}, Rejects: []event.Reject{again}}))
	got = collect(t, b.Quarantine(t.Context()))
	if len(got) != 2 || got[1].Reason != "still no time" || string(got[1].Body) != "x" {
		t.Errorf("quarantine holds %+v", got)
	}
}

func bounded(t *testing.T, open Open) {
	b := &bench{t: t, Store: open(t, ledger.Options{Now: clock(), QuarantineBytes: 3000})}
	// Hardly compressible, so that every engine reaches the cap at the same record.
	noise := func(n int) string {
		out, x := make([]byte, n), uint32(1)
		for i := range out {
			x = x*1664525 + 1013904223
			out[i] = byte(x >> 24)
		}
		return string(out)
	}
	huge := reject(3, "")
	huge.Body, huge.Size = make([]byte, event.MaxRejectBody+1), event.MaxRejectBody+1
	missing := reject(4, "")
	missing.Size = 5
	b.ok(b.Settle(t.Context(), ledger.Settlement{Batch: event.BatchID{1}, Spans: []event.SpanAccount{span(0, "5q")},
		Rejects: []event.Reject{reject(0, noise(2000)), reject(1, noise(2000)), reject(2, noise(500)), huge, missing}}))
	f := func(want ...bool) {
		t.Helper()
		var dropped []bool
		for _, r := range collect(t, b.Quarantine(t.Context())) {
			dropped = append(dropped, r.BodyDropped)
			if r.BodyDropped != (len(r.Body) == 0) {
				t.Errorf("record %d: %d bytes, dropped %v", r.Position, len(r.Body), r.BodyDropped)
			}
		}
		if !reflect.DeepEqual(dropped, want) {
			t.Errorf("dropped: %v, want %v", dropped, want)
		}
	}
	f(false, true, false, true, true)
	b.batches = 1
	b.settle(span(0, "1s")) // gives its room back
	b.ok(b.Settle(t.Context(), ledger.Settlement{Batch: event.BatchID{9}, Spans: []event.SpanAccount{span(1, "1q")}, Rejects: []event.Reject{reject(1, noise(2000))}}))
	f(false, true, true, false)
	b.totals(ledger.Totals{Objects: 1, Read: 5, Stored: 1, Quarantined: 4})
}

func coverage(t *testing.T, open Open) {
	b := begin(t, open)
	hour := func(account, region string, hours int, n int64) ledger.Coverage {
		return ledger.Coverage{Account: account, Region: region, Hour: noon.Add(time.Duration(hours) * time.Hour), Records: n}
	}
	x := ledger.Settlement{Batch: event.BatchID{1}, Spans: []event.SpanAccount{span(0, "9s")}, Coverage: []ledger.Coverage{
		hour("2", "eu-west-1", 0, 5), hour("1", "us-east-1", 1, 3), hour("1", "us-east-1", 0, 1), hour("1", "eu-west-1", 9, 2)}}
	b.ok(b.Settle(t.Context(), x))
	b.ok(b.Settle(t.Context(), x)) // once per batch
	x.Batch, x.Coverage = event.BatchID{2}, []ledger.Coverage{hour("1", "us-east-1", 1, 10)}
	b.ok(b.Settle(t.Context(), x))
	f := func(since, until time.Time, want ...ledger.Coverage) {
		t.Helper()
		if got := collect(t, b.Coverage(t.Context(), since, until)); !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	f(time.Time{}, time.Time{}, hour("1", "eu-west-1", 9, 2), hour("1", "us-east-1", 0, 1), hour("1", "us-east-1", 1, 13), hour("2", "eu-west-1", 0, 5))
	f(noon, noon.Add(time.Hour), hour("1", "us-east-1", 0, 1), hour("2", "eu-west-1", 0, 5))
	f(noon.Add(time.Nanosecond), noon.Add(time.Hour+time.Nanosecond), hour("1", "us-east-1", 1, 13))
}

func digests(t *testing.T, open Open) {
	b := begin(t, open)
	digest := func(object, account string, hours int, hash string) event.Digest {
		at := noon.Add(time.Duration(hours) * time.Hour)
		return event.Digest{Object: object, Account: account, Region: "eu-west-1", Start: at.Add(-time.Hour), End: at, SHA256: hash,
			Files: []event.DigestFile{{Bucket: "logs", Key: "k", SHA256: "cafe", Oldest: at, Newest: at}}}
	}
	settle := func(batch byte, ds ...event.Digest) {
		b.ok(b.Settle(t.Context(), ledger.Settlement{Batch: event.BatchID{batch}, Digests: ds, Spans: []event.SpanAccount{span(0, "", final)}}))
	}
	settle(1, digest("x", "2", 0, "1"), digest("y", "1", 2, "1"))
	settle(2, digest("z", "1", 1, "1"), digest("x", "2", 0, "2"))
	want := []event.Digest{digest("z", "1", 1, "1"), digest("y", "1", 2, "1"), digest("x", "2", 0, "2")}
	if got := collect(t, b.Digests(t.Context())); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// refused: a settlement that contradicts itself leaves nothing behind.
func refused(t *testing.T, open Open) {
	b := begin(t, open)
	bad := span(0, "5s")
	bad.Records = 6
	x := ledger.Settlement{Batch: event.BatchID{1}, Spans: []event.SpanAccount{span(0, "5s"), bad}}
	if err := b.Settle(t.Context(), x); err == nil {
		t.Error("five verdicts for six records are settled")
	}
	b.totals(ledger.Totals{})
	x.Spans = x.Spans[:1]
	b.ok(b.Settle(t.Context(), x)) // the batch was not remembered either
	b.totals(ledger.Totals{Objects: 1, Read: 5, Stored: 5})
}

func hostile(t *testing.T, open Open) {
	for _, text := range []string{`'; DROP TABLE object; --`, "a\x00b", "\xff\xfe", "日本\n\"語\" \\", "%_*?", strings.Repeat("x", 1<<16)} {
		b := begin(t, open)
		b.ok(b.List(t.Context(), []event.Object{{Name: text, Version: text}}))
		r := reject(0, text)
		r.Object, r.Version, r.Reason, r.Format = text, text, text, text
		b.ok(b.Settle(t.Context(), ledger.Settlement{Batch: event.BatchID{1}, Spans: []event.SpanAccount{span(0, "1q", of(text, text), mark(text), failure(text))},
			Rejects: []event.Reject{r}, Coverage: []ledger.Coverage{{Account: text, Region: text, Hour: noon, Records: 1}}}))
		b.progress(text, source.Progress{Version: text, Settled: []source.Run{{First: 0, Records: 1}}, Mark: text})
		objects := collect(t, b.Objects(t.Context(), ledger.ObjectFilter{Name: text}))
		if len(objects) != 1 || objects[0].Name != text || objects[0].Reason.String() != text {
			t.Errorf("%.20q: objects %.100v", text, objects)
		}
		if got := collect(t, b.Quarantine(t.Context())); len(got) != 1 || !reflect.DeepEqual(got[0].Reject, r) {
			t.Errorf("%.20q: quarantine %.100v", text, got)
		}
		if got := collect(t, b.Coverage(t.Context(), time.Time{}, time.Time{})); len(got) != 1 || got[0].Account != text {
			t.Errorf("%.20q: coverage %.100v", text, got)
		}
	}
}
