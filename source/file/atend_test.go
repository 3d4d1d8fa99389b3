package file

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/source"
	"github.com/yagura-sec/yagura/source/sourcetest"
)

// reaches waits until the newest version of the object is as far as wanted.
func (f *follower) reaches(object string, records int64, atEnd, final bool) {
	f.t.Helper()
	var p source.Progress
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		past, _ := f.l.Settled(f.t.Context(), object) // never fails
		if n := len(past); n > 0 {
			p = past[n-1]
		}
		n := int64(0)
		for _, r := range p.Settled {
			n += r.Records
		}
		if n == records && p.AtEnd == atEnd && p.Final == final {
			return
		}
		if time.Now().After(deadline) {
			f.t.Fatalf("%s: %+v, want %d records, at end %v, final %v", object, p, records, atEnd, final)
		}
	}
}

func TestFollowTellsTheEnd(t *testing.T) {
	dir := t.TempDir()
	path := write(t, filepath.Join(dir, "a.log"), lines(0, 3))
	empty := write(t, filepath.Join(dir, "empty.log"), nil)
	packed := write(t, filepath.Join(dir, "b.json.gz"), gz(t, recordsJSON(10, 3)))
	var l sourcetest.Ledger
	f := follow(t, &l, dir)
	f.reaches(path, 3, true, false)
	f.reaches(empty, 0, true, false)
	f.reaches(packed, 3, false, true)
	appendTo(t, path, lines(3, 2))
	f.reaches(path, 5, true, false)
	half := lines(5, 1)
	appendTo(t, path, half[:40])
	f.quiet(path, 5)
	appendTo(t, path, half[40:])
	f.reaches(path, 6, true, false)
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	write(t, path, lines(20, 2))
	f.reaches(path, 2, true, false) // a new version
	f.quiet(path, 8)
	if err := f.stop(); err != context.Canceled {
		t.Fatal(err)
	}
	past, _ := l.Settled(t.Context(), path)
	if len(past) != 2 || !past[0].Final || past[1].Final || !past[1].AtEnd {
		t.Errorf("stopped, the rotated log and the new one are %+v", past)
	}
	// A restart has nothing to tell, and one that does not follow ends it.
	before := len(l.Batches)
	f = follow(t, &l, dir)
	f.quiet(path, 0)
	if err := f.stop(); err != context.Canceled || len(l.Batches) != before {
		t.Errorf("%v, %d batches after a restart: %+v", err, len(l.Batches)-before, l.Batches[before:])
	}
	ingest(t, config(&l, dir), &l)
	for _, object := range []string{path, empty} {
		if sp := last(&l, object); !sp.Final || sp.AtEnd {
			t.Errorf("after an ingest: %+v", sp)
		}
	}
}

// TestFollowTellsTheEndLater: the end is told even where the last record was on
// its way, or settled, before the end was seen.
func TestFollowTellsTheEndLater(t *testing.T) {
	dir := t.TempDir()
	path := write(t, filepath.Join(dir, "a.log"), lines(0, 40))
	var l sourcetest.Ledger
	cfg := config(&l, path)
	cfg.Follow, cfg.Poll, cfg.BatchRecords = true, poll, 10
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	// The program dies once all records are settled, before the end is.
	err = s.Run(ctx, func(ctx context.Context, b event.Batch) error {
		for i := range b.Spans {
			b.Spans[i].AtEnd = false
		}
		defer func() {
			if l.Records()[path] == 40 {
				cancel()
			}
		}()
		return l.Deliver(ctx, b)
	})
	if err != context.Canceled {
		t.Fatal(err)
	}
	f := follow(t, &l, path)
	f.reaches(path, 40, true, false)
	f.quiet(path, 0)
}
