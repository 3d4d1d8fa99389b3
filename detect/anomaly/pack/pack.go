// Package pack writes numbers bit by bit: what is learned of one of many is kept
// so, because most of it is zero, small or as before.
package pack

import (
	"math"
	"math/bits"
)

// Writer appends to B. The zero Writer is ready; End has to be called once all is
// written.
type Writer struct {
	B    []byte
	bits uint64 // not written yet, the last lowest
	n    uint   // how many
}

// Bits writes the n lowest bits of v, 32 at most.
func (w *Writer) Bits(v uint32, n uint) {
	w.bits = w.bits<<n | uint64(v)&(1<<n-1)
	for w.n += n; w.n >= 8; {
		w.n -= 8
		w.B = append(w.B, byte(w.bits>>w.n))
	}
}

// Bool writes one bit.
func (w *Writer) Bool(yes bool) {
	if yes {
		w.Bits(1, 1)
	} else {
		w.Bits(0, 1)
	}
}

// Number writes a number that is small more often than not: 0 takes one bit, 1 and
// 2 three, 3 to 6 five (Elias 1975, the gamma code of v+1). It is below 2³²-1.
func (w *Writer) Number(v uint32) {
	n := uint(bits.Len32(v+1)) - 1
	w.Bits(0, n)
	w.Bits(v+1, n+1)
}

// Float writes a number that is often 0: that takes one bit, any other 33.
func (w *Writer) Float(x float32) {
	if w.Bool(x != 0); x != 0 {
		w.Bits(math.Float32bits(x), 32)
	}
}

// End fills the last byte up.
func (w *Writer) End() {
	if w.n > 0 {
		w.Bits(0, 8-w.n)
	}
}

// Reader reads what a Writer wrote, in the same order. Past its end lie zeros.
type Reader struct {
	B    []byte // not read yet
	bits uint64
	n    uint
}

// Bits reads n bits, 32 at most.
func (r *Reader) Bits(n uint) uint32 {
	for r.n < n {
		r.bits <<= 8
		if len(r.B) > 0 {
			r.bits |= uint64(r.B[0])
			r.B = r.B[1:]
		}
		r.n += 8
	}
	r.n -= n
	return uint32(r.bits >> r.n & (1<<n - 1))
}

// Bool reads one bit.
func (r *Reader) Bool() bool { return r.Bits(1) == 1 }

// Number reads what Writer.Number wrote.
func (r *Reader) Number() uint32 {
	n := uint(0)
	for ; !r.Bool(); n++ {
		if n == 32 {
			return 0 // past the end
		}
	}
	return 1<<n + r.Bits(n) - 1
}

// Float reads what Writer.Float wrote.
func (r *Reader) Float() float32 {
	if !r.Bool() {
		return 0
	}
	return math.Float32frombits(r.Bits(32))
}
