package sqlite

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/triage"
)

// TestAssessInPieces: what was begun and not ended is done when it is judged again,
// and it is so when the file is opened anew.
func TestAssessInPieces(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s := open(t, path)
	const n = 2*assessPiece + 7
	var all []finding.Occurrence
	for i := range n {
		all = append(all, occurrence(i, start))
	}
	if err := s.Record(t.Context(), batchID(1), finding.Judged{Occurrences: all}); err != nil {
		t.Fatal(err)
	}
	priorities := func(s *Store) (sum int) {
		t.Helper()
		page, _, err := s.List(t.Context(), triage.Filter{})
		if err != nil || len(page) != n {
			t.Fatal(len(page), err)
		}
		for _, f := range page {
			sum += f.Priority
		}
		return sum
	}
	before := priorities(s)
	narrow := []finding.Assessment{{Subject: all[0].Actor, Secrets: 1, Accounts: 1}}
	ctx := &ending{Context: t.Context(), after: 1}
	if _, err := s.Assess(ctx, narrow); err == nil || priorities(s) != before {
		t.Fatalf("judged in part: %v, priorities %d, want %d", err, priorities(s), before)
	}
	touched, err := s.Assess(t.Context(), narrow)
	if err != nil || touched != n || priorities(s) >= before {
		t.Fatalf("%d findings, %v, priorities %d, before %d", touched, err, priorities(s), before)
	}
	after := priorities(s)
	if again, err := s.Assess(t.Context(), narrow); err != nil || again != 0 {
		t.Errorf("again: %d, %v", again, err)
	}
	beside, err := OpenReader(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer beside.Close()
	if priorities(beside) != after {
		t.Errorf("a reader beside: %d, want %d", priorities(beside), after)
	}
}

// TestAssessLetsIn: a decision does not wait until all is judged.
func TestAssessLetsIn(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "state.db"))
	var all []finding.Occurrence
	for i := range 8 * assessPiece {
		all = append(all, varied(i))
	}
	if err := s.Record(t.Context(), batchID(1), finding.Judged{Occurrences: all}); err != nil {
		t.Fatal(err)
	}
	page, _, err := s.List(t.Context(), triage.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	var wide []finding.Assessment
	for _, f := range page {
		wide = append(wide, finding.Assessment{Subject: f.Actor, Secrets: 1, Accounts: 1})
	}
	done := make(chan error, 1)
	go func() {
		_, err := s.Assess(t.Context(), wide)
		done <- err
	}()
	time.Sleep(20 * time.Millisecond) // so that it has begun
	if _, err := s.Decide(t.Context(), page[0].Key, finding.Decision{At: start, By: "ann", Status: finding.InProgress}); err != nil {
		t.Fatal(err)
	}
	select {
	case <-done:
		t.Error("a decision waited until all was judged")
	default:
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// ending is a context that ends once it was asked so often whether it has.
type ending struct {
	context.Context
	after int
}

func (e *ending) Err() error {
	if e.after--; e.after < 0 {
		return context.Canceled
	}
	return e.Context.Err()
}
