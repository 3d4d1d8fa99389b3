package main

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/cost"
	"github.com/yagura-sec/yagura/decision"
	"github.com/yagura-sec/yagura/export"
	"github.com/yagura-sec/yagura/mask"
	"github.com/yagura-sec/yagura/triage"
	triagesqlite "github.com/yagura-sec/yagura/triage/sqlite"
)

// TestReopenedDecisions: outputs are given each time that a decision came back, and
// of a store that was opened anew the same ones.
func TestReopenedDecisions(t *testing.T) {
	path, at := filepath.Join(t.TempDir(), "triage.db"), time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	open := func() *server {
		t.Helper()
		store, err := triagesqlite.Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = store.Close() })
		return &server{program: &program{}, rooms: &rooms{triage: store}}
	}
	s := open()
	told := func(since time.Time, m *mask.Masker) (all []export.Reopening) {
		t.Helper()
		for r, err := range s.reopenedDecisions(t.Context(), since, m) {
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, r)
		}
		return all
	}
	d := decision.Decision{ID: "dec-1", Title: "of root", About: []decision.Subject{{Kind: decision.Other, ID: "words", Account: "111122223333"}}, Verdict: decision.Deferred, Reason: "later", Owner: "root", Revisit: at.AddDate(0, 0, -1)}
	back := func(minute int) { // and is answered
		t.Helper()
		var err error
		if d, err = s.rooms.triage.PutDecision(t.Context(), d, triage.Edit{By: "root", At: at}); err != nil {
			t.Fatal(err)
		}
		now := at.Add(time.Duration(minute) * time.Minute)
		if is, err := s.rooms.triage.Reopen(t.Context(), d.ID, d.Due(now, nil).Why, triage.Edit{By: reopener, At: now}); err != nil || !is {
			t.Fatalf("it comes back: %v, %v", is, err)
		}
		if d, err = s.rooms.triage.Decision(t.Context(), d.ID); err != nil {
			t.Fatal(err)
		}
		d.Revisit = d.Revisit.AddDate(0, 0, -1)
	}
	if len(told(time.Time{}, nil)) != 0 {
		t.Error("something came back")
	}
	back(1)
	back(5)
	keys := func(all []export.Reopening) (out []string) {
		for i := range all {
			out = append(out, all[i].Key())
		}
		slices.Sort(out)
		return out
	}
	whole := keys(told(time.Time{}, nil))
	if !slices.Equal(whole, []string{"decision:dec-1@2", "decision:dec-1@4"}) {
		t.Errorf("told of %v", whole)
	}
	if got := keys(told(at.Add(3*time.Minute), nil)); !slices.Equal(got, whole[1:]) {
		t.Errorf("lately told of %v", got)
	}
	m, err := mask.New([]byte("a key that only tests have"))
	if err != nil {
		t.Fatal(err)
	}
	if r := told(time.Time{}, m)[0]; r.Owner != m.Person("root") || r.Title != "of "+m.Person("root") || r.Accounts[0] != m.Account("111122223333") || len(r.Why) != 1 {
		t.Errorf("masked it tells %+v", r)
	}
	s = open()
	if got := keys(told(time.Time{}, nil)); !slices.Equal(got, whole) {
		t.Errorf("after a restart told of %v", got)
	}
}

// TestAdvisedFigures: each figure says how it is known, and of which day it is: the
// metric counts no resources, and savings are worked out.
func TestAdvisedFigures(t *testing.T) {
	day := time.Date(2026, 9, 30, 0, 0, 0, 0, time.UTC)
	f := func(kind string, basis cost.Basis, want ...string) {
		t.Helper()
		x := advised(cost.Advice{Key: "k", Kind: kind, Items: 12, ResourceDays: 3, Currency: "USD", Basis: basis, Until: day})
		for i, figure := range x.Figures {
			if figure.Basis != want[i] || !figure.At.Equal(day) {
				t.Errorf("%s by %s: %+v, want %s", kind, basis, figure, want[i])
			}
		}
		if len(x.Figures) != len(want) {
			t.Errorf("%s has %d figures", kind, len(x.Figures))
		}
	}
	f(cost.AboutRecording, cost.Metric, "metric", "history", decision.Computed)
	f(cost.AboutRecording, cost.Estimate, "estimate", "estimate", decision.Computed)
	f("trail", cost.Billed, "bill", "bill", "bill")
}
