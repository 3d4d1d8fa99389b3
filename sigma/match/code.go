package match

import (
	"cmp"
	"slices"

	"github.com/yagura-sec/yagura/sigma/ir"
)

// jump is an instruction of a rule: ask an atom, go on at yes or at no.
type jump struct {
	atom    ir.AtomID
	yes, no int32
}

// Where a rule ends.
const (
	itHolds = -1 - iota
	itDoesNot
)

// maxJumps bounds what one rule is translated to. What would be longer, which
// takes "N of" over many searches, is evaluated from its tree.
const maxJumps = 1 << 15

// coder translates expressions into jumps. They say the same as ir.Node.Eval;
// only the order of the questions differs, so that cheap ones come first.
type coder struct {
	jumps []jump
	cost  func(ir.AtomID) int
	stop  int // how long jumps may get
}

// rule gives the entry of an expression, or false if it got too long.
func (c *coder) rule(n *ir.Node) (int32, bool) {
	start := len(c.jumps)
	c.stop = start + maxJumps
	entry := c.node(n, itHolds, itDoesNot)
	if len(c.jumps) >= c.stop {
		c.jumps = c.jumps[:start]
		return 0, false
	}
	return entry, true
}

func (c *coder) node(n *ir.Node, yes, no int32) int32 {
	if len(c.jumps) >= c.stop {
		return no
	}
	switch n.Op {
	case ir.Leaf:
		c.jumps = append(c.jumps, jump{n.Atom, yes, no})
		return int32(len(c.jumps) - 1)
	case ir.Not:
		return c.node(n.X[0], no, yes)
	case ir.And:
		for _, x := range slices.Backward(c.cheapFirst(n.X)) {
			yes = c.node(x, yes, no)
		}
		return yes
	case ir.Or:
		for _, x := range slices.Backward(c.cheapFirst(n.X)) {
			no = c.node(x, yes, no)
		}
		return no
	}
	return c.atLeast(n, yes, no)
}

// atLeast counts by where in the code it is.
func (c *coder) atLeast(n *ir.Node, yes, no int32) int32 {
	// at[k] is where to go on behind X[i] when k more have to hold.
	at := make([]int32, n.N+1)
	for k := range at {
		at[k] = no
	}
	at[0] = yes
	for _, x := range slices.Backward(n.X) {
		for k := n.N; k > 0; k-- {
			at[k] = c.node(x, at[k-1], at[k])
		}
	}
	return at[n.N]
}

// cheapFirst gives xs in the order of what asking them costs.
func (c *coder) cheapFirst(xs []*ir.Node) []*ir.Node {
	if len(xs) < 2 {
		return xs
	}
	type costed struct {
		n    *ir.Node
		cost int
	}
	list := make([]costed, len(xs))
	for i, x := range xs {
		list[i].n = x
		x.Walk(func(n *ir.Node) {
			if n.Op == ir.Leaf {
				list[i].cost += c.cost(n.Atom)
			}
		})
	}
	slices.SortStableFunc(list, func(a, b costed) int { return cmp.Compare(a.cost, b.cost) })
	out := make([]*ir.Node, len(xs))
	for i := range list {
		out[i] = list[i].n
	}
	return out
}

// costOf says roughly what asking an atom costs. What is answered by the lookup of a
// value is cheapest.
func costOf(a *ir.Atom) int {
	switch {
	case a.Op == ir.Regex:
		return 100
	case a.Op == ir.Glob, a.Op == ir.CIDR, a.Op == ir.TimePart, a.Op == ir.FieldRef:
		return 10
	case a.Field == "":
		return 20
	case a.Op == ir.Prefix, a.Op == ir.Suffix, a.Op == ir.Contains:
		return 3
	}
	return 1
}
