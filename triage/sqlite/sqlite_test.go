package sqlite

import (
	"path/filepath"
	"reflect"
	"testing"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/triage"
	"github.com/yagura-sec/yagura/triage/memory"
	"github.com/yagura-sec/yagura/triage/triagetest"
)

func open(t testing.TB, path string) *Store {
	t.Helper()
	s, err := Open(t.Context(), path, Expanding(triagetest.Expand))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestContract(t *testing.T) {
	triagetest.Test(t, func(t *testing.T) triage.Store { return open(t, filepath.Join(t.TempDir(), "state.db")) })
}

func TestAgreesWithMemory(t *testing.T) {
	triagetest.Agree(t,
		func(t *testing.T) triage.Store { return open(t, filepath.Join(t.TempDir(), "state.db")) },
		func(t *testing.T) triage.Store { return &memory.Store{Expand: triagetest.Expand} })
}

// TestReader: whoever only reads the file sees what is written to it meanwhile.
func TestReader(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "state.db")
	w := open(t, path)
	r, err := OpenReader(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	one := finding.Key("bench", "1")
	same := func(what string) {
		t.Helper()
		if a, err := w.Get(ctx, one); err == nil {
			if b, err := r.Get(ctx, one); err != nil || !reflect.DeepEqual(a, b) {
				t.Errorf("%s: %+v, %v, want %+v", what, b, err, a)
			}
		}
		want, _, err := w.List(ctx, triage.Filter{})
		if err != nil {
			t.Fatal(err)
		}
		got, _, err := r.List(ctx, triage.Filter{})
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v, want %+v", what, got, err, want)
		}
		x, err := w.Facets(ctx, triage.Filter{}, 0)
		if err != nil {
			t.Fatal(err)
		}
		if y, err := r.Facets(ctx, triage.Filter{}, 0); err != nil || !reflect.DeepEqual(x, y) {
			t.Errorf("%s: facets %+v, %v, want %+v", what, y, err, x)
		}
	}
	same("empty")
	if err := w.Record(ctx, batchID(1), judged(start, occurrence(1, start), occurrence(2, start))); err != nil {
		t.Fatal(err)
	}
	same("recorded")
	scope, err := finding.ParseScope("severity:low")
	if err != nil {
		t.Fatal(err)
	}
	x := finding.Exception{ID: "x", Title: "known", Scope: scope, Owner: "o", Reason: "r", Until: start.AddDate(1, 0, 0), State: finding.ExceptionActive}
	if n, err := w.SetException(ctx, x, "ann", start); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	same("excepted")
	if _, err := w.Decide(ctx, finding.Key("bench", "1"), finding.Decision{At: start, By: "ann", Status: finding.Resolved}); err != nil {
		t.Fatal(err)
	}
	same("decided")
	if err := w.Record(ctx, batchID(1), finding.Judged{}); err != nil {
		t.Fatal(err)
	}
	same("gone")
	x.Title = "other"
	if _, err := r.SetException(ctx, x, "eve", start); err == nil {
		t.Error("a reader writes")
	}
}
