package main

import (
	"context"
	"errors"
	"io/fs"
	"sync"
	"time"

	"github.com/yagura-sec/yagura/lake/local"
)

// How a task is tried again: after a second, then after twice as long each
// time, up to a minute. A run that lasts is one that works.
const (
	retryFirst = time.Second
	retryMost  = time.Minute
	retryLasts = 10 * time.Second
)

// task is a part of the server that is tried again when it fails, while the
// rest goes on.
type task struct {
	name string
	warn func(format string, args ...any)

	mu     sync.Mutex // guards everything below
	runs   int        // begun so far
	errors int64
	ended  bool      // it has done all there was to do
	since  time.Time // it has not worked since; zero: it works
	err    error     // why
}

// run runs f until it returns nil or ctx ends, or until it fails in a way that
// trying again cannot mend.
func (t *task) run(ctx context.Context, f func(context.Context) error) error {
	wait := retryFirst
	for {
		began := time.Now()
		lasts := time.AfterFunc(retryLasts, t.lasting())
		err := f(ctx)
		lasts.Stop()
		switch {
		case err == nil:
			t.works()
			t.mu.Lock()
			t.ended = true
			t.mu.Unlock()
			return nil
		case ctx.Err() != nil:
			return nil
		case final(err):
			return err
		}
		if time.Since(began) >= retryMost {
			wait = retryFirst
		}
		t.fails(err)
		t.warn("%s does not work, and is tried again in %s: %v", t.name, wait, err)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil
		}
		wait = min(2*wait, retryMost)
	}
}

// final tells errors that trying again does not mend: wrong configuration, and
// a data directory that is not ours to write.
func final(err error) bool {
	var e exit
	return errors.As(err, &e) && e.code == exitUsage || errors.Is(err, local.ErrLocked) || errors.Is(err, local.ErrReadOnly)
}

// lasting begins a run; what it returns is called when the run has lasted.
func (t *task) lasting() func() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.runs++
	run := t.runs
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.runs == run {
			t.since, t.err = time.Time{}, nil
		}
	}
}

func (t *task) works() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.since, t.err = time.Time{}, nil
}

func (t *task) fails(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.runs++ // the run is over
	t.errors++
	t.err = err
	if t.since.IsZero() {
		t.since = time.Now().UTC()
	}
}

// state tells since when the task does not work (zero: it does), how often it
// failed, and why.
func (t *task) state() (since time.Time, errors int64, why error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.since, t.errors, t.err
}

// over tells whether it has done all there was to do.
func (t *task) over() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.ended
}

// reason is err in words for everybody who can reach the server: without the
// paths and figures of this machine.
func reason(err error) string {
	switch {
	case errors.Is(err, local.ErrSpace):
		return "too little free space"
	case fullDisk(err):
		return "the disk is full"
	case errors.Is(err, fs.ErrNotExist):
		return "a file or folder is not there"
	case errors.Is(err, fs.ErrPermission):
		return "a file or folder may not be read"
	}
	return "see the server's own messages"
}
