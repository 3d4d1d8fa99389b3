package match

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/yagura-sec/yagura/sigma/ir"
)

// someText is text of few letters, so that patterns overlap.
func someText(r *rand.Rand, letters string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = letters[r.IntN(len(letters))]
	}
	return string(b)
}

// TestAutomatonFindsAll holds it against searching for each pattern by itself:
// with rows for all states, for some, for one; with a gate and without.
func TestAutomatonFindsAll(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	found := 0
	for range 200 {
		letters := []string{"ab", "abc", "ab.-_1", "ab\x80\xff"}[r.IntN(4)]
		gated, least := r.IntN(2) == 0, 1
		if gated {
			least = 3 + r.IntN(40)
			letters = "abcdefgh" + letters
		}
		var patterns []pattern
		for i := range 1 + r.IntN(40) {
			patterns = append(patterns, pattern{someText(r, letters, least+r.IntN(6)), hit{atom: ir.AtomID(i)}})
		}
		m := newAutomaton(slices.Clone(patterns), []int{0, 50, maxRow}[r.IntN(3)], gated)
		for range 20 {
			text := []byte(someText(r, letters+strings.ToUpper(letters), r.IntN(300)))
			for range r.IntN(4) { // or long patterns would never occur
				p := patterns[r.IntN(len(patterns))].text
				if at := r.IntN(len(text) + 1); at+len(p) <= len(text) {
					copy(text[at:], p)
				}
			}
			small := text // capital letters are taken for small ones
			if ascii(text) {
				small = bytes.ToLower(text)
			}
			want := map[[2]int]bool{}
			for _, p := range patterns {
				for i := range small {
					if strings.HasPrefix(string(small[i:]), p.text) {
						want[[2]int{int(p.atom), i + len(p.text)}] = true
					}
				}
			}
			got := map[[2]int]bool{}
			m.scan(text, func(state uint32, end int) {
				for s := m.found[state]; s != 0; s = m.found[m.fail[s]] {
					for _, h := range m.hits[m.from[s]:m.upto[s]] {
						got[[2]int{int(h.atom), end}] = true
					}
				}
			})
			for k := range want {
				if !got[k] {
					t.Fatalf("in %q, pattern and end %v are not found (gate %v)", text, k, gated)
				}
			}
			if ascii(text) && len(got) != len(want) {
				t.Fatalf("in %q, %d are found, want %d", text, len(got), len(want))
			}
			found += len(got)
		}
	}
	if found < 10_000 {
		t.Errorf("only %d found: the test shows too little", found)
	}
}

// What many long texts take stays near what they are.
func TestAutomatonStaysSmall(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var patterns []pattern
	for range 20_000 {
		patterns = append(patterns, pattern{someText(r, "abcdefghijklmnopqrstuvwxyz0123456789", 40), hit{}})
	}
	m := newAutomaton(patterns, maxRows, false)
	if n, most := m.size(), 25*40*20_000+4*maxRow; n > most || len(m.rows) > maxRow {
		t.Errorf("%d bytes, of them %d of rows", n, 4*len(m.rows))
	}
}

func TestTableFinds(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	some := func() string {
		switch r.IntN(8) {
		case 0:
			return []string{"K", "k", "\u212a", "ſ", "s", "İ", "ß", "é", "É", "{", "[`@"}[r.IntN(11)]
		case 1:
			return someText(r, "abAB@[`{", 60+r.IntN(8))
		}
		return someText(r, "abABkKsS@[`{é", r.IntN(20))
	}
	met := 0
	for range 300 {
		texts := map[string][]hit{}
		for i := range r.IntN(50) {
			text := ir.FoldString(some())
			texts[text] = append(texts[text], hit{atom: ir.AtomID(i)})
		}
		table := newTable(texts)
		for range 100 {
			value := []byte(some())
			got, ok := table.find(value)
			if ok != (ascii(value)) {
				t.Fatalf("%q: ASCII %v", value, ok)
			}
			if !ok {
				got = table.findFolded([]byte(ir.FoldString(string(value))))
			}
			if want := texts[ir.FoldString(string(value))]; !slices.Equal(got, want) {
				t.Fatalf("%q gives %v, want %v", value, got, want)
			} else if len(want) > 0 {
				met++
			}
		}
	}
	if met < 500 {
		t.Errorf("only %d values were in a table", met)
	}
}

func TestLowerIsOfASCII(t *testing.T) {
	for c := range 256 {
		want := c
		if 'A' <= c && c <= 'Z' {
			want += 'a' - 'A'
		}
		if got := lower(uint64(c) * ones); got != uint64(want)*ones {
			t.Errorf("%#x becomes %#x", c, got)
		}
	}
}

// randomExpr is an expression over atoms 0 to atoms-1.
func randomExpr(r *rand.Rand, atoms, depth int) *ir.Node {
	op := ir.NodeOp(r.IntN(5))
	if depth == 0 {
		op = ir.Leaf
	}
	n := &ir.Node{Op: op}
	switch op {
	case ir.Leaf:
		n.Atom = ir.AtomID(r.IntN(atoms))
	case ir.Not:
		n.X = []*ir.Node{randomExpr(r, atoms, depth-1)}
	default:
		for range r.IntN(4) {
			n.X = append(n.X, randomExpr(r, atoms, depth-1))
		}
		if op == ir.AtLeast {
			n.N = 1 + r.IntN(len(n.X)+1)
		}
	}
	return n
}

// Jumps say the same as the expression, and a witness is there whenever it
// holds.
func TestJumpsAndWitnesses(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	const atoms = 6
	witnessed, held := 0, 0
	for range 3000 {
		n := randomExpr(r, atoms, 4)
		c := coder{cost: func(a ir.AtomID) int { return int(a*7) % 5 }}
		entry, ok := c.rule(n)
		if !ok {
			t.Fatalf("%d jumps", len(c.jumps))
		}
		witness, has := n.Witness(func(a ir.AtomID) bool { return a != 0 }, func(a ir.AtomID) float64 { return float64(a) })
		if has {
			witnessed++
		}
		for row := range 1 << atoms {
			is := func(a ir.AtomID) bool { return row>>a&1 == 1 }
			at := entry
			for at >= 0 {
				if j := c.jumps[at]; is(j.atom) {
					at = j.yes
				} else {
					at = j.no
				}
			}
			want := n.Eval(is)
			if (at == itHolds) != want {
				t.Fatalf("%+v with atoms %b: jumps say %v", n, row, !want)
			}
			if want {
				held++
			}
			if want && has && !slices.ContainsFunc(witness, is) {
				t.Fatalf("%+v holds with atoms %b, and none of %v does", n, row, witness)
			}
			if has && slices.Contains(witness, 0) {
				t.Fatalf("%v are witnesses though 0 can be none", witness)
			}
		}
	}
	if witnessed < 500 || held < 10_000 {
		t.Errorf("only %d witnesses, %d times held", witnessed, held)
	}
}

// What would take too many jumps is evaluated from its tree.
func TestTooManyJumps(t *testing.T) {
	n := &ir.Node{Op: ir.AtLeast, N: 200}
	for i := range 400 {
		n.X = append(n.X, &ir.Node{Op: ir.Leaf, Atom: ir.AtomID(i)})
	}
	var c coder
	c.cost = func(ir.AtomID) int { return 1 }
	if _, ok := c.rule(n); ok || len(c.jumps) != 0 {
		t.Errorf("%v, %d jumps", ok, len(c.jumps))
	}
}

func TestPlain(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for range 20_000 {
		b := []byte(someText(r, "ab!#]^\x7f\x01", r.IntN(40)))
		for range r.IntN(3) {
			b = append(b, "\"\\\x80\xff\xa2\xdc"[r.IntN(6)])
			b = append(b, someText(r, "ab!#]^\x7f\x01", r.IntN(20))...)
		}
		want := bytes.IndexFunc(b, func(c rune) bool { return c == '"' || c == '\\' || c >= 0x80 })
		if want < 0 {
			want = len(b)
		}
		if got := plain(b); got != want {
			t.Fatalf("%q: %d, want %d", b, got, want)
		}
	}
}

// TestBracketsPair holds what is passed over against a stack, deeper than one word
// of bits too.
func TestBracketsPair(t *testing.T) {
	r := rand.New(rand.NewPCG(31, 37))
	sc := NewFields(nil).set.NewScratch()
	good := 0
	for range 20_000 {
		var text, stack []byte
		for deep := r.IntN(200); len(stack) < deep || len(text) == 0; {
			open := "{["[r.IntN(2)]
			text, stack = append(text, open), append(stack, open+2) // } and ] stand two behind
			if r.IntN(4) == 0 {
				text, stack = append(text, open+2), stack[:len(stack)-1]
				if len(stack) == 0 {
					break
				}
			}
		}
		for len(stack) > 0 {
			text, stack = append(text, stack[len(stack)-1]), stack[:len(stack)-1]
		}
		want := len(text)
		if r.IntN(2) == 0 { // one that closes is of the other kind
			at := r.IntN(len(text))
			if c := text[at]; c == '}' || c == ']' {
				text[at] = '}' + ']' - c
				want = ^at
			}
		}
		w := walker{sc: sc, data: text}
		if got := w.skipNested(0); got != want {
			t.Fatalf("%s: %d, want %d", text, got, want)
		}
		if want > 0 {
			good++
		}
	}
	if good < 5000 || good > 19_000 {
		t.Errorf("%d of 20000 pair", good)
	}
}
