package file

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/source/sourcetest"
)

// follower is a source that follows, and what it delivered.
type follower struct {
	t      *testing.T
	l      *sourcetest.Ledger
	mu     sync.Mutex
	bodies map[string][]string // by object
	stop   func() error
}

const poll = 30 * time.Millisecond

func follow(t *testing.T, l *sourcetest.Ledger, paths ...string) *follower {
	t.Helper()
	return followAt(t, time.Now, l, paths...)
}

func followAt(t *testing.T, now func() time.Time, l *sourcetest.Ledger, paths ...string) *follower {
	t.Helper()
	cfg := config(l, paths...)
	cfg.Now = now
	return followWith(t, l, cfg)
}

func followWith(t *testing.T, l *sourcetest.Ledger, cfg Config) *follower {
	t.Helper()
	f := &follower{t: t, l: l, bodies: map[string][]string{}}
	cfg.Follow, cfg.Poll, cfg.BatchWait = true, poll, poll
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- s.Run(ctx, func(ctx context.Context, b event.Batch) error {
			f.mu.Lock()
			for _, r := range b.Raws {
				f.bodies[r.Object] = append(f.bodies[r.Object], string(r.Body))
			}
			for _, r := range b.Rejects {
				f.bodies[r.Object] = append(f.bodies[r.Object], "!"+string(r.Body))
			}
			f.mu.Unlock()
			return l.Deliver(ctx, b)
		})
	}()
	var once sync.Once
	var result error
	f.stop = func() error {
		once.Do(func() { cancel(); result = <-done })
		return result
	}
	t.Cleanup(func() {
		if err := f.stop(); err != context.Canceled {
			t.Errorf("Run returns %v", err)
		}
	})
	return f
}

func (f *follower) count(object string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.bodies[object])
}

// wants waits until n records of the object came.
func (f *follower) wants(object string, n int) {
	f.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); f.count(object) != n; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			f.t.Fatalf("%s: %d records came, want %d: %q", object, f.count(object), n, f.bodies[object])
		}
	}
}

// quiet waits for some polls, in which nothing more of the object may come.
func (f *follower) quiet(object string, n int) {
	f.t.Helper()
	time.Sleep(6 * poll)
	f.wants(object, n)
}

func appendTo(t *testing.T, path string, content []byte) {
	t.Helper()
	out, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := out.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestFollowGrowing(t *testing.T) {
	dir := t.TempDir()
	path := write(t, filepath.Join(dir, "a.log"), lines(0, 3))
	var l sourcetest.Ledger
	f := follow(t, &l, dir)
	f.wants(path, 3)
	appendTo(t, path, lines(3, 2))
	f.wants(path, 5)
	half := lines(5, 1)
	appendTo(t, path, half[:40])
	f.quiet(path, 5)
	appendTo(t, path, half[40:])
	f.wants(path, 6)
	later := write(t, filepath.Join(dir, "new", "deep", "b.log"), lines(10, 4))
	f.wants(later, 4)
	if err := f.stop(); err != context.Canceled {
		t.Fatal(err)
	}
	if sp := last(&l, path); sp.Final || sp.Mark == "" || len(l.Records()) != 2 {
		t.Errorf("span %+v", sp)
	}
	// After a restart it goes on where it was.
	appendTo(t, path, lines(6, 2))
	f = follow(t, &l, dir)
	f.wants(path, 2)
	f.quiet(later, 0)
	if got := l.Records()[path]; got != 8 {
		t.Errorf("%d records are settled", got)
	}
}

func TestFollowRotation(t *testing.T) {
	dir := t.TempDir()
	path := write(t, filepath.Join(dir, "a.log"), lines(0, 3))
	var l sourcetest.Ledger
	f := follow(t, &l, filepath.Join(dir, "a.log*"))
	f.wants(path, 3)
	// Two more are written just before the file is renamed; the new file starts at once.
	appendTo(t, path, lines(3, 2))
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	write(t, path, lines(5, 4))
	f.wants(path, 9)
	appendTo(t, path, lines(9, 1))
	f.wants(path, 10)
	f.quiet(path+".1", 0)
	// Copied and truncated.
	write(t, path, lines(20, 2))
	f.wants(path, 12)
	past, err := l.Settled(t.Context(), path)
	if err != nil || len(past) != 3 {
		t.Errorf("versions: %+v", past)
	}
}

func TestFollowWaitsForWhatIsBeingWritten(t *testing.T) {
	dir := t.TempDir()
	var l sourcetest.Ledger
	// The clock stands still while files are written, however slow the machine is.
	var clock atomic.Int64
	clock.Store(time.Now().UnixNano())
	f := followAt(t, func() time.Time { return time.Unix(0, clock.Load()) }, &l, dir)
	slowly := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		for chunk := range 10 {
			n := len(content)
			appendTo(t, path, content[chunk*n/10:(chunk+1)*n/10])
			time.Sleep(poll)
		}
		f.quiet(path, 0)
		clock.Add(int64(4 * poll))
		return path
	}
	f.wants(slowly("a.json.gz", gz(t, recordsJSON(0, 50))), 50)
	f.wants(slowly("b.json", recordsJSON(50, 20)), 20)
	f.wants(slowly("c.json", bytes.TrimRight(lines(70, 1), "\n")), 1)

	// As aws s3 sync does: under another name first.
	temp := write(t, filepath.Join(dir, "d.json.gz.6eF7a"), gz(t, recordsJSON(100, 5)))
	if err := os.Rename(temp, filepath.Join(dir, "d.json.gz")); err != nil {
		t.Fatal(err)
	}
	f.quiet(filepath.Join(dir, "d.json.gz"), 0)
	clock.Add(int64(4 * poll))
	f.wants(filepath.Join(dir, "d.json.gz"), 5)
	f.quiet(temp, 0)
	if err := f.stop(); err != context.Canceled {
		t.Fatal(err)
	}
	for _, b := range l.Batches {
		for _, sp := range b.Spans {
			if sp.Failure != "" || len(b.Rejects) > 0 {
				t.Errorf("%+v with %d rejects", sp, len(b.Rejects))
			}
		}
	}
	for _, name := range []string{"a.json.gz", "b.json", "d.json.gz"} {
		if sp := last(&l, filepath.Join(dir, name)); !sp.Final {
			t.Errorf("%+v", sp)
		}
	}
}

func TestFollowReplacedAndNotJSON(t *testing.T) {
	dir := t.TempDir()
	path := write(t, filepath.Join(dir, "a.gz"), gz(t, lines(0, 3)))
	notes := write(t, filepath.Join(dir, "notes.log"), []byte("one\n"))
	var l sourcetest.Ledger
	f := follow(t, &l, dir, filepath.Join(dir, "later"))
	f.wants(path, 3)
	f.wants(notes, 1)
	write(t, path, gz(t, lines(3, 4)))
	f.wants(path, 7)
	appendTo(t, notes, []byte("two\n"))
	f.quiet(notes, 1)
	write(t, filepath.Join(dir, "later", "x.json"), recordsJSON(10, 2))
	f.wants(filepath.Join(dir, "later", "x.json"), 2)
}

func TestFollowOpensLater(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root may read everything")
	}
	dir := t.TempDir()
	path := write(t, filepath.Join(dir, "a.log"), lines(0, 3))
	if err := os.Chmod(path, 0); err != nil {
		t.Fatal(err)
	}
	var l sourcetest.Ledger
	f := follow(t, &l, dir)
	f.quiet(path, 0)
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	f.wants(path, 3) // within coldRounds polls
}

func TestFollowStops(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.log"), lines(0, 3))
	var l sourcetest.Ledger
	cfg := config(&l, dir)
	cfg.Follow, cfg.Poll = true, poll
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	full := errors.New("disk full")
	if err := s.Run(t.Context(), func(context.Context, event.Batch) error { return full }); !errors.Is(err, full) {
		t.Errorf("Run returns %v", err)
	}
}
