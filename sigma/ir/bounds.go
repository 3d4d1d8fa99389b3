package ir

import (
	"fmt"
	"math"
	"regexp/syntax"
)

// Rules are read from files that others wrote, so what they unfold into is
// bounded: a few lines with modifiers that multiply must not take all memory.
const (
	// maxExpansions bounds into how many atoms one item may unfold.
	maxExpansions = 10_000
	// maxText bounds, in bytes, the texts that one value unfolds into on the way.
	maxText = 8 << 20

	// maxLeaves, maxTexts (in bytes) and maxProgram (in instructions) bound what
	// one rule unfolds into.
	maxLeaves  = 50_000
	maxTexts   = 16 << 20
	maxProgram = 200_000
	// maxOnes bounds how many ? may stand behind one *: where the * leads, they
	// are tried at every place of a value.
	maxOnes = 32
	// maxNodes bounds the expression of a rule, in which a condition may name the
	// same search again and again.
	maxNodes = 4 * maxLeaves
	// maxShare is how many rules of that size all rules together are at most.
	maxShare = 10
)

// cost is what a rule unfolds into.
type cost struct {
	leaves, texts, program int
	over                   bool // what follows in the same rule is not looked at
}

func (c *cost) add(d cost) {
	c.leaves += d.leaves
	c.texts += d.texts
	c.program += d.program
}

// spend counts the atoms of one value, each asked of so many names.
func (c *compiler) spend(atoms []Atom, names int) error {
	c.spent.leaves += len(atoms) * names
	for i := range atoms {
		a := &atoms[i]
		c.spent.texts += len(a.Text) + textOf([]pattern{a.glob})
	}
	for _, x := range []struct {
		rule, all, most int
		what            string
	}{
		{c.spent.leaves, c.total.leaves, maxLeaves, "comparisons"},
		{c.spent.texts, c.total.texts, maxTexts, "bytes of text"},
		{c.spent.program, c.total.program, maxProgram, "instructions of expressions"},
	} {
		if x.rule > x.most {
			c.spent.over = true
			return fmt.Errorf("the rule unfolds into more than %d %s", x.most, x.what)
		}
		if x.all+x.rule > maxShare*x.most {
			c.spent.over = true
			return fmt.Errorf("with this rule, all rules unfold into more than %d %s", maxShare*x.most, x.what)
		}
	}
	return nil
}

// textOf is how long the texts of ps are together, wildcards counted too.
func textOf(ps []pattern) int {
	n := 0
	for _, p := range ps {
		for _, t := range p {
			n += len(t.text) + 1
		}
	}
	return n
}

// size is how many nodes n has, nodes met twice counted twice; more than most is
// as good as any other such number.
func (n *Node) size(most int) int {
	size := 1
	for _, x := range n.X {
		if size > most {
			break
		}
		size += x.size(most - size)
	}
	return size
}

// instructions is about how long the program of an expression is, which is told
// before it is made: repetitions are unfolded there.
func instructions(re *syntax.Regexp) int {
	n := 1
	switch re.Op {
	case syntax.OpLiteral:
		n = len(re.Rune)
	case syntax.OpCharClass:
		n += len(re.Rune) / 16 // ranges of a class are memory too
	}
	for _, x := range re.Sub {
		if n += instructions(x); n > maxProgram {
			return n
		}
	}
	if re.Op == syntax.OpRepeat {
		times := max(re.Min, re.Max, 1)
		n = min(n*times, math.MaxInt32)
	}
	return n
}
