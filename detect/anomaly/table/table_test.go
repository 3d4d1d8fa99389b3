package table

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// TestTable: a table holds what a map does, in the order in which it came.
func TestTable(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	var got Table[string, int]
	want := map[string]int{}
	for step := range 20_000 {
		k := fmt.Sprint("k", rng.IntN(900))
		switch rng.IntN(500) {
		case 0:
			old := rng.IntN(3)
			got.Drop(func(_ string, v *int) bool { return *v%3 == old })
			for k, v := range want {
				if v%3 == old {
					delete(want, k)
				}
			}
		case 1:
			c := got.Clone()
			*got.Put(k) = -1
			got = c
		default:
			*got.Put(k) = step
			want[k] = step
		}
		if v, had := want[k]; (got.Get(k) != nil) != had || had && *got.Get(k) != v {
			t.Fatalf("step %d: %s is %v, not %d, %v", step, k, got.Get(k), v, had)
		}
		if got.Len() != len(want) {
			t.Fatalf("step %d: %d keys, not %d", step, got.Len(), len(want))
		}
	}
	for k, v := range got.All {
		if want[k] != *v {
			t.Errorf("%s: %d, not %d", k, *v, want[k])
		}
		delete(want, k)
	}
	if len(want) > 0 {
		t.Errorf("not gone through: %v", want)
	}
}

// TestSmall: a thousand keys take little more than what they are.
func TestSmall(t *testing.T) {
	var x Table[uint64, [4]byte]
	for i := range uint64(1000) {
		x.Put(i)
	}
	if per := x.Bytes() / x.Len(); per < 16 || per > 24 {
		t.Errorf("%d bytes a key", per)
	}
	if x.Get(1000) != nil || x.Get(999) == nil {
		t.Error("it holds what is not there, or not what is")
	}
}
