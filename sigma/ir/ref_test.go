package ir

import (
	"math/rand/v2"
	"strconv"
	"testing"
)

// Of many values one side is indexed; it says the same as comparing all pairs.
func TestManyReferencesAgreeWithPairs(t *testing.T) {
	r := rand.New(rand.NewPCG(23, 29))
	texts := []string{"a", "Ab", "ABC", "abcd", "b", "", "é", "É", "1", "true", "\xff", "zz", "bcd"}
	numbers := []string{"1", "1.0", "10e-1", "0", "-0", "0.0", "1e-400", "-1e-400", "1e400", "10e399", "2e400", "9007199254740993", "9007199254740992", "9007199254740993.0",
		"1e1000000000", "1e999999999", "10e999999999", "3", "-3", "3.5"}
	field := func(n int) *Field {
		f := &Field{Present: true}
		for range n {
			switch r.IntN(6) {
			case 0:
				f.Values = append(f.Values, Value{Kind: Number, Text: []byte(numbers[r.IntN(len(numbers))])})
			case 1:
				f.Values = append(f.Values, Value{Kind: String, Text: []byte(numbers[r.IntN(len(numbers))])})
			case 2:
				f.Values = append(f.Values, Value{})
			case 3:
				f.Values = append(f.Values, ObjectValue([]byte(`{ "a" : 1 }`)))
			default:
				f.Values = append(f.Values, Value{Kind: String, Text: []byte(texts[r.IntN(len(texts))] + strconv.Itoa(r.IntN(40)))})
			}
		}
		return f
	}
	held := map[bool]int{}
	for range 20_000 {
		f, ref := field(r.IntN(4)), field(r.IntN(4))
		for _, op := range []Op{Eq, Prefix, Suffix, Contains} {
			a := Atom{Op: FieldRef, RefOp: op, Cased: r.IntN(2) == 0}
			want := a.refPairs(f, ref, new(Buffer))
			got := false
			if op == Eq {
				got = a.refEqual(f, ref, new(Buffer))
			} else {
				got = a.refWithin(f, ref, new(Buffer))
			}
			if got != want {
				t.Fatalf("operator %d, cased %v: %q of %q: %v", op, a.Cased, show(f), show(ref), got)
			}
			held[want]++
		}
	}
	if held[true] < 1000 || held[false] < 1000 {
		t.Errorf("held %v", held)
	}
}

func show(f *Field) []string {
	var out []string
	for i := range f.Values {
		out = append(out, f.Values[i].Shown(new(Buffer)))
	}
	return out
}

// Two arrays of 100,000 values each are 10¹⁰ pairs: looking them up takes less
// than a second, comparing them longer than tests may take.
func TestLongArraysAreNotCompared(t *testing.T) {
	f, ref := &Field{Present: true}, &Field{Present: true}
	for i := range 100_000 {
		f.Values = append(f.Values, Value{Kind: Number, Text: strconv.AppendInt(nil, int64(1_000_000+i), 10)})
		ref.Values = append(ref.Values, Value{Kind: Number, Text: strconv.AppendInt(nil, int64(2_000_000+i), 10)})
	}
	for _, op := range []Op{Eq, Prefix, Suffix, Contains} {
		a := Atom{Op: FieldRef, RefOp: op}
		if a.Holds(f, ref, new(Buffer)) {
			t.Errorf("operator %d holds", op)
		}
		same := *f
		if !a.Holds(f, &same, new(Buffer)) {
			t.Errorf("operator %d does not hold of the same values", op)
		}
	}
}

func TestNumbersAtTheEdge(t *testing.T) {
	f := func(a, b string, want int) {
		t.Helper()
		d, ok := ParseDecimal(b)
		if !ok {
			t.Fatalf("%s is no number", b)
		}
		if got, ok := d.compare([]byte(a)); !ok || got != want {
			t.Errorf("%s against %s: %d", a, b, got)
		}
	}
	f("1e-400", "0", 1)
	f("-1e-400", "0", -1)
	f("0", "1e-400", -1)
	f("0e5", "-0.00", 0)
	f("1e-400", "10e-401", 0)
	f("1e-400", "2e-400", -1)
	f("-1e-400", "-2e-400", 1)
	f("1e1000000000", "1e999999999", 1)
	f("1e1000000000", "10e999999999", 0)
	f("-1e1000000000", "1e999999999", -1)
	f("1e400", "12345", 1)
	f("0.1", "0.10", 0)
}
