package sqlite

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/sqlitedb"
	"github.com/yagura-sec/yagura/ledger"
)

// settleUntilKilled is what the child process of TestKilled does.
const settleUntilKilled = "YAGURA_TEST_SETTLE"

func TestMain(m *testing.M) {
	path := os.Getenv(settleUntilKilled)
	if path == "" {
		os.Exit(m.Run())
	}
	ctx := context.Background()
	s, err := Open(ctx, path, ledger.Options{})
	for n := 0; err == nil; n++ {
		if err = s.Settle(ctx, killBatch(n)); err == nil {
			fmt.Println(n)
		}
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// killBatch n covers a few objects of its own and a piece of one that grows.
func killBatch(n int) ledger.Settlement {
	x := batchOf(n, 50*n, 50, 6)
	x.Spans = append(x.Spans, event.SpanAccount{
		Span:     event.Span{Object: "growing", First: int64(10 * n), Records: 10},
		Verdicts: event.Verdicts{{N: 9, Of: event.Stored}, {N: 1, Of: event.Quarantined}},
	})
	x.Rejects = []event.Reject{{Object: "growing", Position: int64(10*n + 9), Reason: "x", Body: []byte("{}"), Size: 2}}
	x.Coverage = x.Coverage[:1]
	return x
}

// TestKilled kills a process that settles and finds every batch it had
// acknowledged whole, and at most one more, whole too.
func TestKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), settleUntilKilled+"="+path)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	acked := -1
	for lines := bufio.NewScanner(out); lines.Scan(); {
		fmt.Sscan(lines.Text(), &acked)
		if acked == 40 { // it goes on while the kill is on its way
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = child.Wait() // it was killed: the error says no more than that
	if acked < 40 {
		t.Fatalf("the child acknowledged only %d batches", acked+1)
	}
	s := open(t, path, ledger.Options{})
	before := check(t, s)
	if n := before.Read / 310; before.Read%310 != 0 || n < int64(acked+1) || n > int64(acked+2) {
		t.Errorf("%d records of %d acknowledged batches of 310", before.Read, acked+1)
	}
	for n := range acked + 1 {
		if err := s.Settle(t.Context(), killBatch(n)); err != nil {
			t.Fatal(err)
		}
	}
	if after := check(t, s); after != before {
		t.Errorf("settling again what was acknowledged makes %+v of %+v", after, before)
	}
}

// check that totals, objects, quarantine and coverage agree.
func check(t *testing.T, s *Store) ledger.Totals {
	t.Helper()
	totals, err := s.Totals(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var sum ledger.Totals
	for o, err := range s.Objects(t.Context(), ledger.ObjectFilter{}) {
		if err != nil {
			t.Fatal(err)
		}
		sum.Objects++
		sum.Read += o.Records
		sum.Stored += o.Stored
		sum.Quarantined += o.Quarantined
	}
	for _, err := range s.Quarantine(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		sum.Quarantined--
	}
	if sum.Quarantined != 0 {
		t.Errorf("%d records are said to be in quarantine and are not", sum.Quarantined)
	}
	sum.Quarantined = totals.Quarantined
	if sum != totals {
		t.Errorf("objects sum up to %+v, totals say %+v", sum, totals)
	}
	return totals
}

// TestReader reads as another process would, while the writer writes.
func TestReader(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	if _, err := OpenReader(t.Context(), path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("reading no file gives %v", err)
	}
	w := open(t, path, ledger.Options{})
	r, err := OpenReader(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	done := make(chan error)
	go func() {
		for n := range 50 {
			if err := w.Settle(t.Context(), killBatch(n)); err != nil {
				done <- err
				return
			}
		}
		close(done)
	}()
	for running := true; running; {
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			running = false
		default:
		}
		objects := 0
		for _, err := range r.Objects(t.Context(), ledger.ObjectFilter{}) {
			if err != nil {
				t.Fatal(err)
			}
			objects++
		}
		if objects > 0 && (objects-1)%50 != 0 {
			t.Fatalf("a reader sees half a batch: %d objects", objects)
		}
		time.Sleep(time.Millisecond)
	}
	if got, want := check(t, r), check(t, w); got != want || got.Read != 50*310 {
		t.Errorf("the reader sees %+v, the writer %+v", got, want)
	}
	if err := r.Settle(t.Context(), killBatch(1)); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("a reader settles: %v", err)
	}
}

// TestShared uses a file that somebody else opened and closes.
func TestShared(t *testing.T) {
	db, err := sqlitedb.Open(t.Context(), filepath.Join(t.TempDir(), "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := On(t.Context(), db, ledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Settle(t.Context(), killBatch(0)), s.Close()); err != nil {
		t.Fatal(err)
	}
	var n int
	if err := db.Read().QueryRow(`SELECT count(*) FROM object`).Scan(&n); err != nil || n != 51 {
		t.Errorf("%d objects, %v", n, err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}
