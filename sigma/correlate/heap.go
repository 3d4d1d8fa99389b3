package correlate

import "strings"

// compareHits orders hits by time, then by id and rule, so that the order in
// which they came says nothing.
func compareHits(a, b *Hit) int {
	if c := a.Time.Compare(b.Time); c != 0 {
		return c
	}
	if c := strings.Compare(a.ID, b.ID); c != 0 {
		return c
	}
	return a.Base.order - b.Base.order
}

// hitHeap holds hits, the first of them on top. Container/heap would do the same
// through an interface that allocates for every timer.
type hitHeap []*Hit

func (h *hitHeap) push(x *Hit) {
	*h = push(*h, x, func(a, b *Hit) bool { return compareHits(a, b) < 0 })
}

func (h *hitHeap) pop() (x *Hit) {
	*h, x = pop(*h, func(a, b *Hit) bool { return compareHits(a, b) < 0 })
	return x
}

type dueKind uint8

const (
	dueExpiry dueKind = iota
	dueClose
	duePending
)

// timer says that something of a group falls due.
type timer struct {
	due   int64
	state int
	seq   int64
	group *group
	kind  dueKind
}

func (a timer) before(b timer) bool {
	if a.due != b.due {
		return a.due < b.due
	}
	if a.state != b.state {
		return a.state < b.state
	}
	return a.seq < b.seq
}

type timerHeap []timer

func (h *timerHeap) push(x timer) { *h = push(*h, x, timer.before) }

func (h *timerHeap) pop() (x timer) {
	*h, x = pop(*h, timer.before)
	return x
}

func push[T any](h []T, x T, before func(a, b T) bool) []T {
	h = append(h, x)
	for i := len(h) - 1; i > 0; {
		up := (i - 1) / 2
		if !before(h[i], h[up]) {
			break
		}
		h[i], h[up] = h[up], h[i]
		i = up
	}
	return h
}

func pop[T any](h []T, before func(a, b T) bool) ([]T, T) {
	top, last := h[0], len(h)-1
	h[0] = h[last]
	var none T
	h[last] = none // let go of what it points to
	h = h[:last]
	for i := 0; ; {
		least := i
		for _, k := range [2]int{2*i + 1, 2*i + 2} {
			if k < last && before(h[k], h[least]) {
				least = k
			}
		}
		if least == i {
			return h, top
		}
		h[i], h[least] = h[least], h[i]
		i = least
	}
}
