package ir

import (
	"cmp"
	"slices"
)

// Witness gives atoms of which one holds whenever n does: the atoms asked for
// are such that can says yes, and of several choices the one with the least sum
// of cost is taken. False: there is no such choice, for example because n holds
// when nothing does.
func (n *Node) Witness(can func(AtomID) bool, cost func(AtomID) float64) ([]AtomID, bool) {
	w := witness{can, cost}
	found, ok := w.of(n, true)
	return found.atoms, ok
}

type witness struct {
	can  func(AtomID) bool
	cost func(AtomID) float64
}

// choice is atoms of which one holds, with the sum of their costs.
type choice struct {
	atoms []AtomID
	cost  float64
}

// of gives the best choice for n being as asked: true or false.
func (w witness) of(n *Node, held bool) (choice, bool) {
	switch n.Op {
	case Leaf:
		if !held || !w.can(n.Atom) {
			return choice{}, false
		}
		return choice{[]AtomID{n.Atom}, w.cost(n.Atom)}, true
	case Not:
		return w.of(n.X[0], !held)
	}
	// At least so many of X are as asked: of any others left out, one is not
	// enough to make up for them.
	need := map[NodeOp]int{And: len(n.X), Or: 1, AtLeast: n.N}[n.Op]
	if !held {
		need = len(n.X) - need + 1
	}
	return w.some(n.X, held, need)
}

// some gives the best choice for at least need of xs being as asked: whatever
// need-1 are left out, one of the others is.
func (w witness) some(xs []*Node, held bool, need int) (choice, bool) {
	if need < 1 {
		return choice{}, false
	}
	if need > len(xs) { // never so: no atoms bear witness to it
		return choice{}, true
	}
	var found []choice
	for _, x := range xs {
		if c, ok := w.of(x, held); ok {
			found = append(found, c)
		}
	}
	take := len(xs) - need + 1
	if len(found) < take {
		return choice{}, false
	}
	slices.SortStableFunc(found, func(a, b choice) int { return cmp.Compare(a.cost, b.cost) })
	if take == 1 {
		return found[0], true
	}
	var out choice
	for _, c := range found[:take] {
		out.atoms = append(out.atoms, c.atoms...)
		out.cost += c.cost
	}
	return out, true
}

// maxTable is how many atoms Constant tries all values of.
const maxTable = 14

// Constant tells whether n has the same value whatever its atoms are, and which.
// Expressions of many different atoms are not looked at.
func (n *Node) Constant() (value, constant bool) {
	index := map[AtomID]int{}
	n.Walk(func(x *Node) {
		if _, met := index[x.Atom]; x.Op == Leaf && !met {
			index[x.Atom] = len(index)
		}
	})
	if len(index) > maxTable {
		return false, false
	}
	first := false
	for row := range 1 << len(index) {
		v := n.Eval(func(a AtomID) bool { return row>>index[a]&1 == 1 })
		if row == 0 {
			first = v
		} else if v != first {
			return false, false
		}
	}
	return first, true
}
