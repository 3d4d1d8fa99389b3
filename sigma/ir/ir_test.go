package ir

import (
	"math/big"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

// asRegexp says the same as a pattern in another language.
func asRegexp(p pattern) *regexp.Regexp {
	var b strings.Builder
	b.WriteString(`(?s)\A`)
	for _, t := range p {
		switch t.kind {
		case anyText:
			b.WriteString(".*")
		case anyRune:
			b.WriteString(".")
		default:
			b.WriteString(regexp.QuoteMeta(t.text))
		}
	}
	return regexp.MustCompile(b.String() + `\z`)
}

func TestPatternsMatchAsExpressionsDo(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 13))
	pick := func(from []string) string {
		var b strings.Builder
		for range r.IntN(7) {
			b.WriteString(from[r.IntN(len(from))])
		}
		return b.String()
	}
	matched := 0
	for range 20_000 {
		text := pick([]string{"a", "b", "é", "*", "?", "*", `\*`, `\\`, `\x`, "ab"})
		value := pick([]string{"a", "b", "é", "*", `\`, "ab", "\n"})
		p := parsePattern(text, false)
		want := asRegexp(p).MatchString(value)
		if got := p.match([]byte(value)); got != want {
			t.Fatalf("%q against %q: %v", text, value, got)
		}
		if op, lit := p.classify(); op != Glob && compareText(op, []byte(value), lit) != want {
			t.Fatalf("%q against %q by operator %d and %q: %v", text, value, op, lit, !want)
		}
		if again := parsePattern(p.written(), false); again.written() != p.written() || again.match([]byte(value)) != want {
			t.Fatalf("%q is written %q, which is read as %q", text, p.written(), again.written())
		}
		if want {
			matched++
		}
	}
	if matched < 1000 {
		t.Errorf("only %d matches occurred", matched)
	}
}

func TestFoldingIsEqualFold(t *testing.T) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		s := string(r)
		for _, other := range []string{strings.ToUpper(s), strings.ToLower(s), strings.ToTitle(s)} {
			if got, want := FoldString(s) == FoldString(other), strings.EqualFold(s, other); got != want {
				t.Fatalf("%q and %q: %v, strings.EqualFold says %v", s, other, got, want)
			}
		}
		for x := unicode.SimpleFold(r); x != r; x = unicode.SimpleFold(x) {
			if foldRune(x) != foldRune(r) {
				t.Fatalf("%q and %q fold differently", x, r)
			}
		}
	}
	if got := FoldString("A\xffÉ"); got != "a\xff"+FoldString("É") {
		t.Errorf("bytes that are no UTF-8 become %q", got)
	}
}

func TestIntegersCompareExactly(t *testing.T) {
	r := rand.New(rand.NewPCG(17, 19))
	number := func() string {
		n := new(big.Int).SetUint64(r.Uint64())
		n.Mul(n, new(big.Int).SetUint64(r.Uint64())).Rsh(n, uint(r.IntN(128)))
		if r.IntN(2) == 0 {
			n.Neg(n)
		}
		return n.String()
	}
	for range 20_000 {
		a, b := number(), number()
		if r.IntN(4) == 0 {
			b = a
		}
		d, ok := ParseDecimal(b)
		if !ok {
			t.Fatalf("%s is no number", b)
		}
		x, _ := new(big.Int).SetString(a, 10)
		y, _ := new(big.Int).SetString(b, 10)
		if got, ok := d.compare([]byte(a)); !ok || sign(got) != x.Cmp(y) {
			t.Fatalf("%s against %s gives %d, %v", a, b, got, ok)
		}
	}
}

func TestNumbersAreJSON(t *testing.T) {
	f := func(s string, want bool) {
		t.Helper()
		if _, ok := ParseDecimal(s); ok != want {
			t.Errorf("%q: %v", s, ok)
		}
	}
	for _, yes := range []string{"0", "-0", "10", "1.5", "-1.50e+3", "1E9", "0.0"} {
		f(yes, true)
	}
	for _, no := range []string{"", "-", "+1", "01", "1.", ".5", "1e", "1e+", "0x1", "1 ", "NaN", "1.5.2", "--1", "10.1.2.3"} {
		f(no, false)
	}
}

// A witness holds whenever the rule does, whatever the atoms are.
func TestWitnessIsSound(t *testing.T) {
	r := rand.New(rand.NewPCG(23, 29))
	const atoms = 6
	var random func(depth int) *Node
	random = func(depth int) *Node {
		op := NodeOp(r.IntN(5))
		if depth > 3 {
			op = Leaf
		}
		switch op {
		case Leaf:
			return &Node{Op: Leaf, Atom: AtomID(r.IntN(atoms))}
		case Not:
			return &Node{Op: Not, X: []*Node{random(depth + 1)}}
		}
		n := &Node{Op: op, N: 1 + r.IntN(2)}
		for range 1 + r.IntN(3) {
			n.X = append(n.X, random(depth+1))
		}
		return n
	}
	found := 0
	for range 5000 {
		n := random(0)
		can := func(a AtomID) bool { return a != 0 } // one that cannot be looked up
		witness, ok := n.Witness(can, func(AtomID) float64 { return r.Float64() })
		constant, isConstant := n.Constant()
		always, never := true, true
		for row := range 1 << atoms {
			holds := func(a AtomID) bool { return row>>a&1 == 1 }
			value := n.Eval(holds)
			always, never = always && value, never && !value
			if !ok || !value {
				continue
			}
			witnessed := false
			for _, a := range witness {
				witnessed = witnessed || holds(a)
			}
			if !witnessed {
				t.Fatalf("with atoms %b the rule holds and none of %v does", row, witness)
			}
		}
		if ok {
			found++
		}
		if isConstant != (always || never) || isConstant && constant != always {
			t.Fatalf("constant %v %v, always %v, never %v", constant, isConstant, always, never)
		}
	}
	if found < 1000 {
		t.Errorf("only %d witnesses were found", found)
	}
}

func sign(n int) int {
	switch {
	case n < 0:
		return -1
	case n > 0:
		return 1
	}
	return 0
}
