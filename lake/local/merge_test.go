package local

import (
	"math/rand/v2"
	"testing"

	"github.com/yagura-sec/yagura/event"
)

func TestRunLength(t *testing.T) {
	f := func(want int, sizes ...int64) {
		t.Helper()
		if got := runLength(sizes, 4, func(n int64) int64 { return n }); got != want {
			t.Errorf("runLength(%v) = %d, want %d", sizes, got, want)
		}
	}
	f(0)
	f(0, 5)
	f(2, 5, 5)
	f(0, 5, 6)
	f(3, 1, 1, 2)
	f(2, 1, 1, 3)
	f(0, 1, 2, 4, 8)
	f(2, 1, 2, 4, 8, 16) // one too many
	f(5, 1, 2, 4, 8, 15)
	f(3, 1, 2, 4, 8, 16, 32)
}

// amplification plays a day of batches through the choice of merges, without
// files, and tells how often a row was written and what is left at rest.
func amplification(t *testing.T, batches []int64, tendEvery int) (written float64, rest int) {
	t.Helper()
	var list []segment
	var rows, total int64
	id := int64(0)
	merge := func(fresh int) {
		for {
			inputs := mergeable(list, fresh)
			if inputs == nil {
				return
			}
			inputs = affordable(inputs)
			gone := map[int64]bool{}
			id++
			out := segment{ID: id, Released: true}
			for _, g := range inputs {
				gone[g.ID] = true
				out.Rows += g.Rows
			}
			total += out.Rows
			var kept []segment
			for _, g := range list {
				if !gone[g.ID] {
					kept = append(kept, g)
				}
			}
			list = append(kept, out)
		}
	}
	for i, n := range batches {
		id++
		list = append(list, segment{ID: id, Rows: n, Released: true, Batch: event.BatchID{1}})
		rows += n
		total += n
		if i%tendEvery == tendEvery-1 {
			merge(tendFresh)
		}
	}
	merge(1)
	var left int64
	for _, g := range list {
		left += g.Rows
	}
	if left != rows {
		t.Errorf("%d rows are left of %d", left, rows)
	}
	return float64(total) / float64(rows), len(list)
}

func TestAmplification(t *testing.T) {
	f := func(what string, batches []int64, tendEvery int, most float64) {
		t.Helper()
		written, rest := amplification(t, batches, tendEvery)
		if written > most || rest > maxDaySegments {
			t.Errorf("%s: every row is written %.2f times, want at most %.2f; %d segments at rest", what, written, most, rest)
		}
	}
	same := func(n int, rows int64) []int64 {
		out := make([]int64, n)
		for i := range out {
			out[i] = rows
		}
		return out
	}
	f("a day at once", same(36, 20_000), 1000, 2.01)
	f("a day, merged meanwhile", same(36, 20_000), 1, 2.1)
	f("a large day", same(250, 20_000), 1, 3)
	f("a very large day", same(2500, 20_000), 10, 4)
	f("live", same(20_000, 3), 240, 5)
	rnd := rand.New(rand.NewPCG(1, 1))
	mixed := make([]int64, 500)
	for i := range mixed {
		mixed[i] = 1 + rnd.Int64N(20_000)
	}
	f("mixed", mixed, 5, 3.8)
}
