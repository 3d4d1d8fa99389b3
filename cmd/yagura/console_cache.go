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
	a.mu.Lock()
	now := time.Now()
	x := a.all[key]
	if x == nil || x.stale(now, changes) {
		x = &keptAnswer[T]{done: make(chan struct{}), at: now, changes: changes}
		a.keep(key, x)
		go func() {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerTime)
			defer cancel()
			defer close(x.done)
			x.value, x.err = work(ctx)
		}()
	}
	a.mu.Unlock()
	select {
	case <-x.done:
		return x.value, x.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

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
