package local

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yagura-sec/yagura/lake/laketest"
)

// TestFullDisk fills a small file system, without the floor that prevents it:
// batches are refused whole, and with space there again all goes on.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=4m"); err != nil {
		t.Skipf("no small file system can be made here: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, 0); err != nil { // a file is still open
			t.Error(err)
		}
	})
	opt := Options{MinFree: -1, Linger: -1}
	s := open(t, dir, opt)
	m := laketest.NewMaker(70)
	filler := filepath.Join(dir, "filler")
	refused, stored := 0, 0
	for i := 0; refused < 4 && i < 200; i++ {
		b := laketest.Batch(fmt.Sprint("o", i), "v1", m.Events(700, laketest.Day.Add(-12*time.Hour), 24*time.Hour)...)
		a, err := s.Append(ctx, b)
		if err == nil {
			stored += len(a.New)
			if err := s.Release(ctx, a.Batch); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if !errors.Is(err, unix.ENOSPC) && !isFull(err) {
			t.Fatalf("batch %d: %v", i, err)
		}
		refused++
		before := stateOf(t, s)
		if len(before.events) != stored {
			t.Fatalf("%d events stored, %d acknowledged", len(before.events), stored)
		}
		if on, listed := files(t, dir), s.listed(t); !slices.Equal(on, listed) {
			t.Fatalf("%d files on disk, %d listed", len(on), len(listed))
		}
		// Fill what is left to the last byte, so that SQLite meets the end, too.
		f, err := os.OpenFile(filler, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		for size := 64 << 10 >> (2 * refused); size > 0; size /= 2 {
			for err == nil {
				_, err = f.Write(make([]byte, size))
			}
			err = nil
		}
		f.Close()
		if refused%2 == 0 {
			if err := s.Merge(ctx); err == nil {
				t.Log("a merge found room")
			}
			stateOf(t, s).same(t, before, "after a merge without room")
		}
	}
	if refused == 0 {
		t.Fatal("the disk was never full")
	}
	before := stateOf(t, s)
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	s.close(t)
	if err := unix.Mount("", dir, "", unix.MS_REMOUNT, "size=64m"); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir, opt)
	defer s.close(t)
	stateOf(t, s).same(t, before, "opened again")
	if err := s.Merge(ctx); err != nil {
		t.Fatal(err)
	}
	stateOf(t, s).same(t, before, "merged")
	if a := s.put(t, laketest.Batch("last", "v1", m.Events(700, laketest.Day, time.Hour)...), true); len(a.New) != 700 {
		t.Errorf("%d new events", len(a.New))
	}
}

// isFull knows SQLite's own word for a full disk.
func isFull(err error) bool {
	var code interface{ Code() int }
	return errors.As(err, &code) && code.Code()&0xff == 13
}
