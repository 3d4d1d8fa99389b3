package pack_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/yagura-sec/yagura/detect/anomaly/pack"
)

// TestRoundTrip writes numbers of all sizes in turn and reads the same.
func TestRoundTrip(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	numbers := []uint32{0, 1, 2, 3, 127, 128, 65535, math.MaxUint32 - 1}
	for range 1000 {
		numbers = append(numbers, rnd.Uint32()>>rnd.IntN(32)>>1)
	}
	var w pack.Writer
	for i, n := range numbers {
		w.Number(n)
		w.Bool(i%3 == 0)
		w.Bits(n, 32)
		w.Bits(n, 5)
		w.Float(float32(n) / 3)
	}
	w.End()
	r := pack.Reader{B: w.B}
	for i, n := range numbers {
		if got := r.Number(); got != n {
			t.Fatalf("number %d: got %d, want %d", i, got, n)
		}
		if got := r.Bool(); got != (i%3 == 0) {
			t.Fatalf("bool %d: got %v", i, got)
		}
		if got := r.Bits(32); got != n {
			t.Fatalf("bits %d: got %d, want %d", i, got, n)
		}
		if got := r.Bits(5); got != n&31 {
			t.Fatalf("five bits %d: got %d, want %d", i, got, n&31)
		}
		if got := r.Float(); got != float32(n)/3 {
			t.Fatalf("float %d: got %v, want %v", i, got, float32(n)/3)
		}
	}
}

// TestSmall holds that what is written most takes least.
func TestSmall(t *testing.T) {
	var w pack.Writer
	for range 8 {
		w.Number(0)
		w.Float(0)
	}
	w.End()
	if len(w.B) != 2 {
		t.Errorf("16 zeros take %d bytes, want 2", len(w.B))
	}
}

// TestPastEnd reads zeros where nothing was written.
func TestPastEnd(t *testing.T) {
	var r pack.Reader
	if n, f, b := r.Number(), r.Float(), r.Bits(32); n != 0 || f != 0 || b != 0 {
		t.Errorf("got %d, %v, %d, want zeros", n, f, b)
	}
}
