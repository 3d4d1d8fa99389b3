package ledgertest

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/ledger"
	"github.com/yagura-sec/yagura/say"
)

func read(formats string) func(*event.SpanAccount) {
	return func(a *event.SpanAccount) {
		if err := a.Formats.UnmarshalText([]byte(formats)); err != nil {
			panic(err)
		}
	}
}

// formats holds what is counted of each format against the totals.
func formats(t *testing.T, open Open) {
	b := begin(t, open)
	reject := func(object string, position int64, reason string) event.Reject {
		return event.Reject{Object: object, Version: "1", Position: position, Reason: reason}
	}
	b.ok(b.Settle(t.Context(), ledger.Settlement{
		Batch: event.BatchID{100}, At: noon,
		Spans: []event.SpanAccount{
			span(0, "3s1d2q1e", final, read("5 gcp.audit,2 ")),
			span(0, "2s1q", final, of("b", "1"), read("3 okta.system")),
			span(0, "4s", final, of("old", "1")),
			span(0, "", failure("permission denied"), of("shut", "1")),
			span(0, "", failure("a note"), final, of("README", "1"), func(a *event.SpanAccount) { a.Kind = event.KindOther }),
		},
		Rejects: []event.Reject{
			reject("a", 4, `field "time": "yesterday" is no time, at byte 17`), reject("a", 5, "no format known"),
			reject("b", 2, `field "published": "" is no time, at byte 4`),
		},
	}))
	b.formats(1,
		ledger.FormatAccount{FormatRecords: ledger.FormatRecords{Format: "gcp.audit", Read: 5, Stored: 3, Duplicate: 1, Quarantined: 1}, Objects: 1, Reasons: reasons("field …: … is no time, at byte …")},
		ledger.FormatAccount{FormatRecords: ledger.FormatRecords{Format: "okta.system", Read: 3, Stored: 2, Quarantined: 1}, Objects: 1, Reasons: reasons("field …: … is no time, at byte …")},
		ledger.FormatAccount{FormatRecords: ledger.FormatRecords{Read: 6, Stored: 4, Quarantined: 1, Expired: 1}, Objects: 3, Reasons: reasons("no format known")})
	// A record taken out of quarantine moves to the format it is read as then.
	b.settle(span(5, "1s", read("1 zeek.http")))
	b.formats(1,
		ledger.FormatAccount{FormatRecords: ledger.FormatRecords{Format: "gcp.audit", Read: 5, Stored: 3, Duplicate: 1, Quarantined: 1}, Objects: 1, Reasons: reasons("field …: … is no time, at byte …")},
		ledger.FormatAccount{FormatRecords: ledger.FormatRecords{Format: "okta.system", Read: 3, Stored: 2, Quarantined: 1}, Objects: 1, Reasons: reasons("field …: … is no time, at byte …")},
		ledger.FormatAccount{FormatRecords: ledger.FormatRecords{Format: "zeek.http", Read: 1, Stored: 1}, Objects: 1, Reasons: reasons()},
		ledger.FormatAccount{FormatRecords: ledger.FormatRecords{Read: 5, Stored: 4, Expired: 1}, Objects: 3, Reasons: reasons()})
	manyReasons(b)
}

// manyReasons: the most frequent are named, the others counted.
func manyReasons(b *bench) {
	const kinds = ledger.MostReasons + 2
	var rejects []event.Reject
	for kind := range kinds {
		for range kind + 1 {
			rejects = append(rejects, event.Reject{Object: "m", Version: "1", Position: int64(len(rejects)), Reason: "trouble " + strings.Repeat("x", kind+1)})
		}
	}
	all := span(0, "", of("m", "1"), read("28 squid.access"), func(a *event.SpanAccount) {
		a.Records = int64(len(rejects))
		a.Verdicts = a.Verdicts.Add(event.Quarantined, a.Records)
	})
	b.ok(b.Settle(b.t.Context(), ledger.Settlement{Batch: event.BatchID{101}, At: noon, Spans: []event.SpanAccount{all}, Rejects: rejects}))
	got, err := ledger.CountFormats(b.t.Context(), b)
	b.ok(err)
	at := slices.IndexFunc(got.Formats, func(f ledger.FormatAccount) bool { return f.Format == "squid.access" })
	f := got.Formats[at]
	if f.Quarantined != 28 || len(f.Reasons) != ledger.MostReasons || f.Reasons[0].Records != kinds || f.OtherReasons != 1+2 {
		b.t.Errorf("of %d reasons the account tells %+v", kinds, f)
	}
}

// reasons of one record each.
func reasons(texts ...string) []ledger.ReasonCount {
	out := []ledger.ReasonCount{}
	for _, text := range texts {
		out = append(out, ledger.ReasonCount{Reason: say.Again("held.", text), Records: 1})
	}
	return out
}

func (b *bench) formats(aside int64, want ...ledger.FormatAccount) {
	b.t.Helper()
	got, err := ledger.CountFormats(b.t.Context(), b)
	b.ok(err)
	if got.Aside != aside || !reflect.DeepEqual(got.Formats, want) {
		b.t.Errorf("by format:\n%+v, %d aside, want\n%+v, %d", got.Formats, got.Aside, want, aside)
	}
	var sum ledger.Totals
	for _, f := range got.Formats {
		sum.Read += f.Read
		sum.Stored += f.Stored
		sum.Duplicate += f.Duplicate
		sum.Quarantined += f.Quarantined
		sum.Expired += f.Expired
	}
	totals, err := b.Totals(b.t.Context())
	b.ok(err)
	if sum.Objects = totals.Objects; sum != totals {
		b.t.Errorf("all formats together are %+v, the totals %+v", sum, totals)
	}
}
