package main

import (
	"context"
	"sync"
	"time"
)

// How long an answer is given again. While nothing came in it stays right, but
// for retention; else it is only a little old.
const (
	answerKept  = time.Minute
	answerFresh = 5 * time.Second
	answersMost = 256
	// answerTime bounds one, whoever still waits for it.
	answerTime = 30 * time.Second
)

// keptAnswers keeps answers that several people ask for, so that one of them is
// worked out at a time, once. The zero value has none.
type keptAnswers[T any] struct {
	// old is up to what age an answer is given that is to be worked out again,
	// which then goes on behind the back of who asks.
	old time.Duration

	mu  sync.Mutex
	all map[string]*keptAnswer[T]
}

type keptAnswer[T any] struct {
	done    chan struct{}
	at      time.Time
	changes int64
	value   T
	err     error
}

// get gives the answer to key, which work works out. Changes is a number that is
// another one when what answers rest on has changed.
func (a *keptAnswers[T]) get(ctx context.Context, key string, changes int64, work func(context.Context) (T, error)) (T, error) {
	x := a.begin(ctx, key, changes, work)
	select {
	case <-x.done:
		return x.value, x.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

// begin gives what to wait for.
func (a *keptAnswers[T]) begin(ctx context.Context, key string, changes int64, work func(context.Context) (T, error)) *keptAnswer[T] {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	had := a.all[key]
	if had != nil && !had.stale(now, changes) {
		return had
	}
	x := &keptAnswer[T]{done: make(chan struct{}), at: now, changes: changes}
	give := x
	if had != nil && had.err == nil && now.Sub(had.at) <= a.old {
		// Until the new answer is there, the old one is given.
		give, had.at, had.changes = had, now, changes
	} else {
		a.keep(key, x)
	}
	go func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerTime)
		defer cancel()
		x.value, x.err = work(ctx)
		close(x.done)
		if give != x && x.err == nil {
			a.mu.Lock()
			defer a.mu.Unlock()
			a.keep(key, x)
		}
	}()
	return give
}

// stale tells whether it is to be worked out again.
func (x *keptAnswer[T]) stale(now time.Time, changes int64) bool {
	select {
	case <-x.done:
	default:
		return false // it is being worked out
	}
	age := now.Sub(x.at)
	return x.err != nil || age > answerKept || age > answerFresh && changes != x.changes
}

// keep puts x among the answers, and lets the oldest go; a.mu is held.
func (a *keptAnswers[T]) keep(key string, x *keptAnswer[T]) {
	if a.all == nil {
		a.all = map[string]*keptAnswer[T]{}
	}
	a.all[key] = x
	if len(a.all) <= answersMost {
		return
	}
	oldest := key
	for k, y := range a.all {
		if y.at.Before(a.all[oldest].at) {
			oldest = k
		}
	}
	delete(a.all, oldest)
}
