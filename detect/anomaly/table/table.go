// Package table keeps many small things by key in little memory: in the order in
// which they came, found by an index of four bytes a place.
package table

import (
	"hash/maphash"
	"slices"
	"unsafe"
)

var seed = maphash.MakeSeed()

// Hash is of a key, for as long as the process lives.
func Hash[K comparable](k K) uint64 { return maphash.Comparable(seed, k) }

// Index finds numbers by the hash of what has them. Its zero value is empty.
type Index struct {
	places []uint32 // number + 1, 0 where there is none; as many as a power of two
	n      int
}

// Find is the number of which is says that it is the one, among those with about
// such a hash; else -1.
func (x *Index) Find(hash uint64, is func(i int32) bool) int32 {
	if x.n == 0 {
		return -1
	}
	mask := uint64(len(x.places) - 1)
	for at := hash & mask; x.places[at] != 0; at = (at + 1) & mask {
		if i := int32(x.places[at] - 1); is(i) {
			return i
		}
	}
	return -1
}

// Add adds a number that is not there. Hash is asked for those of the numbers that
// are, where the index grows.
func (x *Index) Add(i int32, hash func(i int32) uint64) {
	if 8*(x.n+1) > 7*len(x.places) {
		old := x.places
		x.places = make([]uint32, max(8, 2*len(old)))
		for _, p := range old {
			if p != 0 {
				x.put(p, hash(int32(p-1)))
			}
		}
	}
	x.put(uint32(i)+1, hash(i))
	x.n++
}

func (x *Index) put(p uint32, hash uint64) {
	mask := uint64(len(x.places) - 1)
	at := hash & mask
	for x.places[at] != 0 {
		at = (at + 1) & mask
	}
	x.places[at] = p
}

// Reset makes the index that of the numbers below n.
func (x *Index) Reset(n int, hash func(i int32) uint64) {
	*x = Index{}
	if n > 0 {
		size := 8
		for 7*size < 8*n {
			size *= 2
		}
		x.places = make([]uint32, size)
	}
	for i := range int32(n) {
		x.Add(i, hash)
	}
}

// Len is how many numbers there are.
func (x *Index) Len() int { return x.n }

// Clone is a copy of its own.
func (x *Index) Clone() Index { return Index{slices.Clone(x.places), x.n} }

// Bytes is how much memory the index takes.
func (x *Index) Bytes() int { return 4 * cap(x.places) }

// Table holds a V for each K. Its zero value is empty.
type Table[K comparable, V any] struct {
	index  Index
	keys   []K
	values []V
}

// Get is what is held for a key, or nil. It is good until something is put in or
// dropped.
func (t *Table[K, V]) Get(k K) *V {
	if i := t.find(k); i >= 0 {
		return &t.values[i]
	}
	return nil
}

func (t *Table[K, V]) find(k K) int32 {
	if len(t.keys) == 0 {
		return -1
	}
	return t.index.Find(Hash(k), func(i int32) bool { return t.keys[i] == k })
}

// Put is Get of a key that gets an empty V where it has none.
func (t *Table[K, V]) Put(k K) *V {
	i := t.find(k)
	if i < 0 {
		i = int32(len(t.keys))
		var empty V
		t.keys, t.values = Append(t.keys, k), Append(t.values, empty)
		t.index.Add(i, t.hash)
	}
	return &t.values[i]
}

func (t *Table[K, V]) hash(i int32) uint64 { return Hash(t.keys[i]) }

// Len is how many keys there are.
func (t *Table[K, V]) Len() int { return len(t.keys) }

// All goes through what is held, in the order in which it came.
func (t *Table[K, V]) All(yield func(K, *V) bool) {
	for i := range t.keys {
		if !yield(t.keys[i], &t.values[i]) {
			return
		}
	}
}

// Drop drops what old says is to be dropped.
func (t *Table[K, V]) Drop(old func(K, *V) bool) {
	n := 0
	for i := range t.keys {
		if old(t.keys[i], &t.values[i]) {
			continue
		}
		t.keys[n], t.values[n] = t.keys[i], t.values[i]
		n++
	}
	if n == len(t.keys) {
		return
	}
	clear(t.keys[n:])
	clear(t.values[n:])
	t.keys, t.values = t.keys[:n], t.values[:n]
	t.index.Reset(n, t.hash)
}

// Clone is a copy, of values as they are: what they point to is shared.
func (t *Table[K, V]) Clone() Table[K, V] {
	return Table[K, V]{t.index.Clone(), slices.Clone(t.keys), slices.Clone(t.values)}
}

// Bytes is how much memory it takes, without what keys and values point to.
func (t *Table[K, V]) Bytes() int {
	var k K
	var v V
	return t.index.Bytes() + cap(t.keys)*int(unsafe.Sizeof(k)) + cap(t.values)*int(unsafe.Sizeof(v))
}

// Append is append that leaves an eighth of room, where append leaves up to half.
func Append[T any](list []T, x T) []T {
	if len(list) == cap(list) {
		grown := make([]T, len(list), len(list)+len(list)/8+4)
		copy(grown, list)
		list = grown
	}
	return append(list, x)
}
