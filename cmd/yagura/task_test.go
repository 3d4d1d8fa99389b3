package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/yagura-sec/yagura/lake/local"
)

var errBroken = errors.New("broken")

func quiet(string, ...any) {}

// TestTaskRetries: a task is tried again ever more slowly, and says so.
func TestTaskRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var at []time.Duration
		x := &task{name: "x", warn: quiet}
		err := x.run(t.Context(), func(context.Context) error {
			at = append(at, time.Since(began)/time.Second)
			if since, _, why := x.state(); len(at) > 1 && (!since.Equal(began) || !errors.Is(why, errBroken)) {
				t.Errorf("run %d: not working since %v because of %v", len(at), since, why)
			}
			if len(at) == 9 {
				return nil
			}
			return errBroken
		})
		if want := []time.Duration{0, 1, 3, 7, 15, 31, 63, 123, 183}; err != nil || !slices.Equal(at, want) {
			t.Errorf("runs at seconds %d, want %d; %v", at, want, err)
		}
		if since, n, why := x.state(); !since.IsZero() || why != nil || n != 8 {
			t.Errorf("at the end: %v, %v, %d errors", since, why, n)
		}
	})
}

// TestTaskWorks: a run that lasts works, whatever was before it, and the waits
// begin anew after one that lasted.
func TestTaskWorks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		x := &task{name: "x", warn: quiet}
		runs := 0
		done := make(chan error)
		go func() {
			done <- x.run(ctx, func(ctx context.Context) error {
				runs++
				if runs < 4 {
					return errBroken
				}
				time.Sleep(2 * time.Minute)
				return errBroken
			})
		}()
		works := func(after time.Duration, want bool) {
			t.Helper()
			time.Sleep(after)
			synctest.Wait()
			if since, _, _ := x.state(); since.IsZero() != want {
				t.Errorf("works: %v, want %v", since.IsZero(), want)
			}
		}
		works(8*time.Second, false)                        // the fourth run began at 7 s
		works(10*time.Second, true)                        // and has lasted
		works(109*time.Second+500*time.Millisecond, false) // it failed at 127 s
		if runs != 4 {
			t.Errorf("%d runs", runs)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if runs != 5 {
			t.Errorf("%d runs: it waits longer than the first time", runs)
		}
		stop()
		if err := <-done; err != nil {
			t.Errorf("after it was stopped: %v", err)
		}
	})
}

func TestTaskFinal(t *testing.T) {
	f := func(err error) {
		t.Helper()
		x := &task{name: "x", warn: quiet}
		if got := x.run(t.Context(), func(context.Context) error { return err }); !errors.Is(got, err) {
			t.Errorf("%v is tried again: %v", err, got)
		}
	}
	f(exit{exitUsage, errBroken})
	f(fmt.Errorf("open: %w", local.ErrLocked))
}

func TestReason(t *testing.T) {
	f := func(err error, want string) {
		t.Helper()
		if got := reason(err); got != want {
			t.Errorf("%v: %q, want %q", err, got, want)
		}
	}
	f(fmt.Errorf("%w: /var/lib has 3 MB free", local.ErrSpace), "too little free space")
	f(&fs.PathError{Op: "open", Path: "/logs", Err: fs.ErrNotExist}, "a file or folder is not there")
	f(&fs.PathError{Op: "open", Path: "/logs", Err: fs.ErrPermission}, "a file or folder may not be read")
	f(errBroken, "see the server's own messages")
}
