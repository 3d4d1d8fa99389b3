package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/api"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	triagememory "github.com/yagura-sec/yagura/triage/memory"
)

// hearer keeps what it is told.
type hearer struct {
	deaf bool
	told []string
}

func (h *hearer) Listened() bool            { return !h.deaf }
func (h *hearer) Finding(f api.LiveFinding) { h.told = append(h.told, f.Change+" "+f.Title.String()) }
func (h *hearer) Missed()                   { h.told = append(h.told, "missed") }

func TestNews(t *testing.T) {
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	store, heard := &triagememory.Store{}, &hearer{}
	r := tellingRecorder{store, news{heard, store.Get, func([]finding.Occurrence) {}}}
	record := func(batch byte, titles ...string) {
		t.Helper()
		var j finding.Judged
		for _, title := range titles {
			o := finding.Occurrence{Batch: event.BatchID{batch}, FirstSeen: noon, LastSeen: noon, Count: 1}
			o.Key, o.Kind, o.Title, o.Severity, o.Confidence = finding.Key(title), finding.KindRule, title, finding.High, 1
			j.Occurrences = append(j.Occurrences, o)
		}
		if err := r.Record(t.Context(), event.BatchID{batch}, j); err != nil {
			t.Fatal(err)
		}
	}
	f := func(want ...string) {
		t.Helper()
		slices.Sort(heard.told)
		if !slices.Equal(heard.told, want) {
			t.Errorf("told %q, want %q", heard.told, want)
		}
		heard.told = nil
	}
	record(1, "a", "b")
	f("new a", "new b")
	record(1, "a", "b") // the same again
	f()
	record(2, "a", "c")
	f("changed a", "new c")
	record(3)
	f()
	heard.deaf = true
	record(4, "d")
	f()
	heard.deaf = false
	var many []string
	for i := range 2 * newsMost {
		many = append(many, fmt.Sprint(i))
	}
	record(5, many...)
	if len(heard.told) != newsMost+1 || !slices.Contains(heard.told, "missed") {
		t.Errorf("of %d findings %d were told of: %q", len(many), len(heard.told), heard.told)
	}
	heard.told = nil
	// What is not kept is not told of.
	broken := tellingRecorder{failing{store}, news{heard, store.Get, func([]finding.Occurrence) {}}}
	o := finding.Occurrence{Batch: event.BatchID{6}, FirstSeen: noon, LastSeen: noon, Count: 1}
	o.Key, o.Title = finding.Key("e"), "e"
	if err := broken.Record(t.Context(), o.Batch, finding.Judged{Occurrences: []finding.Occurrence{o}}); !errors.Is(err, errBroken) {
		t.Error(err)
	}
	f()
}

type failing struct{ *triagememory.Store }

func (failing) Record(context.Context, event.BatchID, finding.Judged) error { return errBroken }
