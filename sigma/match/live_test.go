package match_test

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/match"
)

// numbered is a set of so many rules, of which rule k in order matches
// {"n":k} and is called "generation/k".
func numbered(t *testing.T, generation, rules int) *match.Set {
	t.Helper()
	var docs sigma.Documents
	for k := range rules {
		some, refused := sigma.Parse("r.yml", fmt.Appendf(nil,
			"title: t\nid: %d/%d\nlogsource: {product: p}\ndetection: {s: {n: %d, t|contains: text}, condition: s}\n", generation, k, k))
		if len(refused) > 0 {
			t.Fatal(refused)
		}
		docs.Add(some)
	}
	set, refused := match.Compile(docs.Rules, match.Options{})
	if len(refused) > 0 {
		t.Fatal(refused)
	}
	set.Prepare(match.Source{Product: "p"})
	return set
}

// Rules change while records are matched, and every record is matched by all the
// rules of one set.
func TestLive(t *testing.T) {
	const goroutines, swaps = 4, 60
	sets := []*match.Set{numbered(t, 0, 8), numbered(t, 1, 5), numbered(t, 2, 11)}
	live := match.NewLive(sets[0])
	var done atomic.Bool
	var wg sync.WaitGroup
	var met [3]atomic.Int64 // records by set
	for g := range goroutines {
		wg.Go(func() {
			var sc *match.Scratch
			for i := g; !done.Load(); i++ {
				k := i % 11
				sc = live.Scratch(sc)
				set := sc.Set()
				hits, err := set.MatchJSON(sc, fmt.Appendf(nil, `{"n":%d,"t":"some text"}`, k), match.Source{Product: "p"})
				if err != nil {
					t.Error(err)
					return
				}
				for generation := range sets {
					if set != sets[generation] {
						continue
					}
					met[generation].Add(1)
					want := ""
					if k < set.Len() {
						want = fmt.Sprintf("%d/%d", generation, k)
					}
					got := ""
					for _, h := range hits {
						got += set.Rule(h).ID
					}
					if got != want {
						t.Errorf("set %d, record %d: rules %q, want %q", generation, k, got, want)
						return
					}
				}
			}
		})
	}
	used := func() int64 { return met[0].Load() + met[1].Load() + met[2].Load() }
	for i := 1; i <= swaps; i++ {
		// Not before each goroutine may have used the set.
		for before := used(); used() < before+goroutines && !t.Failed(); {
			runtime.Gosched()
		}
		if old := live.Swap(sets[i%3]); old != sets[(i-1)%3] {
			t.Errorf("swap %d gives back another set", i)
		}
	}
	done.Store(true)
	wg.Wait()
	for generation := range met {
		if met[generation].Load() == 0 {
			t.Errorf("set %d was never used", generation)
		}
	}
}

func TestScratchOfAnotherSet(t *testing.T) {
	a, b := numbered(t, 0, 1), numbered(t, 1, 1)
	if _, err := a.MatchJSON(b.NewScratch(), []byte(`{}`), match.Source{}); err == nil {
		t.Error("a scratch of another set is taken")
	}
}
