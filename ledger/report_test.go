package ledger_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/ledger"
	"github.com/yagura-sec/yagura/ledger/memory"
	"github.com/yagura-sec/yagura/say"
)

// damaged is a ledger of so many objects that each end in a rejected record.
func damaged(t *testing.T, objects int) *memory.Store {
	t.Helper()
	at := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	s := memory.New(ledger.Options{Now: func() time.Time { return at }})
	b := ledger.Settlement{Batch: event.BatchID{1}, At: at}
	for i := range objects {
		sp := event.Span{Object: fmt.Sprintf("logs/%05d.json.gz", i), Version: "1", Records: 3, Failure: "truncated gzip", Size: 40}
		b.Spans = append(b.Spans, event.SpanAccount{Span: sp, Verdicts: event.Verdicts{}.Add(event.Stored, 2).Add(event.Quarantined, 1)})
		b.Rejects = append(b.Rejects, event.Reject{Object: sp.Object, Version: "1", Position: 2, Reason: "cut off", Body: []byte("{"), Size: 1, Received: at})
	}
	if err := s.Settle(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestShortReport(t *testing.T) {
	f := func(objects int, rows, more int64) {
		t.Helper()
		s := damaged(t, objects)
		short, err := ledger.MakeShortReport(t.Context(), s, nil)
		if err != nil {
			t.Fatal(err)
		}
		if int64(len(short.Quarantine)) != rows || short.QuarantineMore != more || int64(len(short.Incomplete)) != rows || short.IncompleteMore != more {
			t.Errorf("of %d: %d and %d more in quarantine, %d and %d more incomplete; want %d and %d", objects,
				len(short.Quarantine), short.QuarantineMore, len(short.Incomplete), short.IncompleteMore, rows, more)
		}
		all, err := ledger.MakeReport(t.Context(), s, nil)
		if err != nil || len(all.Quarantine) != objects || all.QuarantineMore != 0 || len(all.Incomplete) != objects || all.IncompleteMore != 0 {
			t.Errorf("of %d: the whole report has %d in quarantine and %d incomplete, %v", objects, len(all.Quarantine), len(all.Incomplete), err)
		}
		if short.Whole() != (objects == 0) || all.Whole() != (objects == 0) {
			t.Errorf("of %d damaged objects: whole is %v and %v", objects, short.Whole(), all.Whole())
		}
	}
	f(0, 0, 0)
	f(ledger.ShortRows, ledger.ShortRows, 0)
	f(ledger.ShortRows+7, ledger.ShortRows, 7)
}

// TestReportJSON: the names that the API and --format json promise.
func TestReportJSON(t *testing.T) {
	report, err := ledger.MakeReport(t.Context(), damaged(t, 1), nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(report)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"totals":{"objects":1,"read":3,"stored":2,"duplicate":0,"quarantined":1,"expired":0},"coverage":[],"gaps":[],` +
		`"quarantine":[{"object":"logs/00000.json.gz","position":2,"reason":"cut off"}],"quarantine_more":0,"quarantine_superseded":0,` +
		`"incomplete":[{"name":"logs/00000.json.gz","version":"1","size":40,"listed":"2026-03-04T12:00:00Z","read":"2026-03-04T12:00:00Z",` +
		`"records":3,"stored":2,"duplicate":0,"quarantined":1,"expired":0,"state":"partial","reason":"truncated gzip","formats":[{"format":"","read":3,"stored":2,"duplicate":0,"quarantined":1,"expired":0}]}],"incomplete_more":0}`
	if string(got) != want {
		t.Errorf("the report is\n%s\nwant\n%s", strings.ReplaceAll(string(got), `],"`, "],\n\""), strings.ReplaceAll(want, `],"`, "],\n\""))
	}
}

// TestGrowingIsWhole: a followed file that was read to its present end is not a
// hole, and one that was read half way is.
func TestGrowingIsWhole(t *testing.T) {
	f := func(sp event.Span, want bool) {
		t.Helper()
		s := memory.New(ledger.Options{})
		sp.Object, sp.Version, sp.Records = "app.log", "1", 4
		b := ledger.Settlement{Spans: []event.SpanAccount{{Span: sp, Verdicts: event.Verdicts{}.Add(event.Stored, 4)}}}
		if err := s.Settle(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		report, err := ledger.MakeReport(t.Context(), s, nil)
		if err != nil || report.Whole() != want {
			t.Errorf("%+v: whole is %v, %v: %+v", sp, report.Whole(), err, report.Incomplete)
		}
		for _, o := range report.Incomplete {
			if o.Reason == (say.Text{}) {
				t.Errorf("%+v is incomplete for no reason", o)
			}
		}
	}
	f(event.Span{AtEnd: true, Mark: "4"}, true)
	f(event.Span{Mark: "4"}, false)
	f(event.Span{Final: true}, true)
	f(event.Span{Failure: "truncated"}, false)
}
