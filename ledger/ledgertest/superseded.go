package ledgertest

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/ledger"
)

// step settles a span and says what states the object's versions are in then.
type step struct {
	minute int
	span   event.SpanAccount
	want   string // "1:partial 2:complete"
}

func version(v string) func(*event.SpanAccount) { return of("a", v) }

// history is what happens to the versions of an object, and how they stand then.
type history struct {
	name  string
	steps []step
}

// cut is a version that could not be read to its end.
func cut() event.SpanAccount { return span(0, "7s1q", failure("truncated"), version("1")) }

// superseding are histories in which a later version holds again all that was read
// of an earlier one.
func superseding() []history {
	return []history{
		{"a truncated file that was mended", []step{
			{0, cut(), "1:partial"},
			{1, span(0, "7d2s", version("2")), "1:partial 2:partial"},
			{2, span(9, "1s", final, version("2")), "1:superseded 2:complete"}}},
		{"in another order", []step{
			{0, cut(), "1:partial"},
			{2, span(9, "1s", final, version("2")), "1:partial 2:partial"},
			{1, span(0, "7d2s", version("2")), "1:superseded 2:complete"}}},
		{"mended as a file that may grow", []step{
			{0, cut(), "1:partial"},
			{1, span(0, "7d2s", atEnd, version("2")), "1:superseded 2:growing"}}},
		{"the second is no better", []step{
			{0, cut(), "1:partial"},
			{1, span(0, "7d1q", failure("truncated"), version("2")), "1:partial 2:partial"},
			{2, span(0, "7d3s", final, version("3")), "1:superseded 2:superseded 3:complete"}}},
		{"a dangling link that leads somewhere now", []step{
			{0, span(0, "", failure("a link to nothing"), version("")), ":failed"},
			{1, span(0, "3s", final, version("2")), ":superseded 2:complete"},
			{2, span(0, "", failure("a link to nothing"), version("")), ":failed 2:complete"}, // and dangles again
			{3, span(3, "1s", final, version("2")), ":superseded 2:complete"}}},
		{"what now lies there is no log", []step{
			{0, span(0, "", failure("a link to nothing"), version("")), ":failed"},
			{1, span(0, "", failure("a note"), final, version("2"), func(a *event.SpanAccount) { a.Kind = event.KindOther }), ":superseded 2:aside"}}},
		{"a record of another hour expired meanwhile", []step{
			{0, cut(), "1:partial"},
			{1, span(0, "3e4d2s", final, version("2")), "1:superseded 2:complete"}}},
		{"a corrupt record took others with it", []step{
			{0, span(0, "3s1q3s", failure("truncated"), version("1")), "1:partial"},
			{1, span(0, "3d4s3d5s", final, version("2")), "1:superseded 2:complete"}}},
		{"only touched", []step{
			{0, span(0, "7s", final, version("1")), "1:complete"},
			{1, span(0, "7d", final, version("2")), "1:superseded 2:complete"}}},
		{"a record taken out of quarantine is no later reading", []step{
			{0, cut(), "1:partial"},
			{1, span(0, "7d3s", final, version("2")), "1:superseded 2:complete"},
			{2, span(7, "1q", version("1")), "1:superseded 2:complete"}}},
	}
}

// standing are histories in which it is not known to, or the earlier is not
// incomplete.
func standing() []history {
	return []history{
		{"other content under the same name", []step{
			{0, cut(), "1:partial"},
			{1, span(0, "90s", final, version("2")), "1:partial 2:complete"}}},
		{"other content that has duplicates, elsewhere", []step{
			{0, cut(), "1:partial"},
			{1, span(0, "1s90d", final, version("2")), "1:partial 2:complete"}}},
		{"a part of what was there", []step{
			{0, cut(), "1:partial"},
			{1, span(0, "5d", final, version("2")), "1:partial 2:complete"}}},
		{"records none of which could be read prove nothing", []step{
			{0, span(0, "5q", failure("truncated"), version("1")), "1:partial"},
			{1, span(0, "9s", final, version("2")), "1:partial 2:complete"}}},
		{"the earlier one is whole, the later not", []step{
			{0, span(0, "7s", final, version("1")), "1:complete"},
			{1, span(0, "7d1q", failure("truncated"), version("2")), "1:complete 2:partial"}}},
		{"a rotated log", []step{
			{0, span(0, "7s", atEnd, version("1")), "1:growing"},
			{1, span(0, "2s", atEnd, version("2")), "1:growing 2:growing"}}},
		{"at the same moment neither is later", []step{
			{0, span(0, "7s", final, version("1")), "1:complete"},
			{0, span(0, "7d", final, version("2")), "1:complete 2:complete"}}},
	}
}

// superseded: a version stops being incomplete once a later one holds again all
// that was read of it, and not before.
func superseded(t *testing.T, open Open) {
	for _, h := range append(superseding(), standing()...) {
		t.Run(h.name, func(t *testing.T) {
			b := begin(t, open)
			for i, x := range h.steps {
				b.ok(b.Settle(t.Context(), ledger.Settlement{Batch: event.BatchID{1, byte(i)}, At: noon.Add(time.Duration(x.minute) * time.Minute), Spans: []event.SpanAccount{x.span}}))
				if got := b.states(); got != x.want {
					t.Errorf("after step %d the states are %q, want %q", i, got, x.want)
				}
			}
		})
	}
}

// states are those of the object's versions; what the ledger says of them otherwise,
// by a state and in its totals, is to agree.
func (b *bench) states() string {
	b.t.Helper()
	var states []string
	objects := int64(0)
	for _, o := range collect(b.t, b.Objects(b.t.Context(), ledger.ObjectFilter{Name: "a"})) {
		states = append(states, fmt.Sprintf("%s:%s", o.Version, o.State))
		if o.State != ledger.Superseded {
			objects++
		}
		same := collect(b.t, b.Objects(b.t.Context(), ledger.ObjectFilter{Name: "a", States: []ledger.State{o.State}}))
		if !slices.ContainsFunc(same, func(x ledger.Object) bool { return reflect.DeepEqual(x, o) }) {
			b.t.Errorf("version %s is not found by its state %s", o.Version, o.State)
		}
	}
	if totals, err := b.Totals(b.t.Context()); err != nil || totals.Objects != objects {
		b.t.Errorf("with the states %q the totals count %d objects, want %d: %v", states, totals.Objects, objects, err)
	}
	return strings.Join(states, " ")
}

// supersededUnread: what was listed and replaced before it was read is superseded;
// what replaces is not, as nobody knows what is in it.
func supersededUnread(t *testing.T, open Open) {
	b := begin(t, open)
	b.ok(b.List(t.Context(), []event.Object{{Name: "a", Version: "1"}}))
	b.settle(span(0, "2s", final, version("2")))
	all := collect(t, b.Objects(t.Context(), ledger.ObjectFilter{States: []ledger.State{ledger.Superseded}}))
	if len(all) != 1 || all[0].Version != "1" {
		t.Errorf("superseded are %+v", all)
	}
	b.ok(b.List(t.Context(), []event.Object{{Name: "a", Version: "3"}}))
	if all := collect(t, b.Objects(t.Context(), ledger.ObjectFilter{States: []ledger.State{ledger.Waiting}})); len(all) != 1 || all[0].Version != "3" {
		t.Errorf("listed are %+v", all)
	}
}

// supersededRecords: what was counted of a superseded version stays counted; its
// rejects are kept, and marked.
func supersededRecords(t *testing.T, open Open) {
	b := begin(t, open)
	put := func(batch byte, sp event.SpanAccount, rejects ...event.Reject) {
		t.Helper()
		b.ok(b.Settle(t.Context(), ledger.Settlement{Batch: event.BatchID{batch}, At: noon.Add(time.Duration(batch) * time.Minute), Spans: []event.SpanAccount{sp}, Rejects: rejects}))
	}
	other := func(r event.Reject, object, version string) event.Reject {
		r.Object, r.Version = object, version
		return r
	}
	marked := func(want string) {
		t.Helper()
		var got []string
		for _, q := range collect(t, b.Quarantine(t.Context())) {
			got = append(got, fmt.Sprintf("%s%s/%d:%v", q.Object, q.Version, q.Position, q.Superseded))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("quarantine is %q, want %q", got, want)
		}
	}
	put(1, span(0, "4s1q", failure("truncated")), reject(4, "{"))
	put(2, span(0, "1q", final, of("b", "1")), other(reject(0, "x"), "b", "1"))
	put(3, span(0, "4q", final, of("b", "2")), other(reject(0, "x"), "b", "2"), other(reject(1, "x"), "b", "2"), other(reject(2, "x"), "b", "2"), other(reject(3, "x"), "b", "2"))
	marked("a1/4:false b1/0:true b2/0:false b2/1:false b2/2:false b2/3:false")
	put(4, span(0, "4d2s1q", final, version("2")), other(reject(6, "y"), "a", "2"))
	marked("a1/4:true b1/0:true b2/0:false b2/1:false b2/2:false b2/3:false a2/6:false")
	b.totals(ledger.Totals{Objects: 2, Read: 17, Stored: 6, Duplicate: 4, Quarantined: 7})

	report, err := ledger.MakeReport(t.Context(), b, nil)
	b.ok(err)
	if len(report.Quarantine) != 5 || report.QuarantineSuperseded != 2 || report.QuarantineMore != 0 || len(report.Incomplete) != 0 {
		t.Errorf("report %+v", report)
	}
	if n := int64(len(report.Quarantine)) + report.QuarantineSuperseded; n != report.Totals.Quarantined {
		t.Errorf("the report knows of %d records in quarantine, the totals of %d", n, report.Totals.Quarantined)
	}
	for _, o := range collect(t, b.Objects(t.Context(), ledger.ObjectFilter{Name: "a"})) {
		if o.Version == "1" && (o.State != ledger.Superseded || o.Reason.String() != "truncated" || o.Records != 5 || o.Stored != 4 || o.Quarantined != 1) {
			t.Errorf("the superseded version is %+v", o)
		}
	}
}
