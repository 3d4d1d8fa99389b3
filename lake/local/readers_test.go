package local

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/lake/laketest"
)

// TestReaders: dropped files go with the writer that dropped them, unless
// somebody reads; then they stay for their time.
func TestReaders(t *testing.T) {
	f := func(reader bool, want bool) {
		t.Helper()
		dir := t.TempDir()
		w, err := Open(dir, Options{})
		if err != nil {
			t.Fatal(err)
		}
		m := laketest.NewMaker(1)
		for i := range 3 {
			got, err := w.Append(t.Context(), laketest.Batch(fmt.Sprint(i), "1", m.Events(20, laketest.Day, time.Hour)...))
			if err != nil {
				t.Fatal(err)
			}
			if err := w.Release(t.Context(), got.Batch); err != nil {
				t.Fatal(err)
			}
		}
		if reader {
			r, err := Open(dir, Options{ReadOnly: true})
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
		}
		if err := w.Merge(t.Context()); err != nil {
			t.Fatal(err)
		}
		live, err := w.live(time.Time{}, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		files, err := filepath.Glob(filepath.Join(dir, "events", "*", "*.parquet"))
		if err != nil {
			t.Fatal(err)
		}
		if (len(files) > len(live)) != want {
			t.Errorf("with a reader: %v; %d files, %d live", reader, len(files), len(live))
		}
	}
	f(false, false)
	f(true, true)
}
