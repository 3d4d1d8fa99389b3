package ir

// Witness gives atoms of which one holds whenever n does: the atoms asked for
// are such that can says yes, and of several choices the one with the least sum
// of cost is taken. False: there is no such choice, for example because n holds
// when nothing does.
func (n *Node) Witness(can func(AtomID) bool, cost func(AtomID) float64) ([]AtomID, bool) {
	atoms, _, ok := n.witness(can, cost)
	return atoms, ok
}

func (n *Node) witness(can func(AtomID) bool, cost func(AtomID) float64) ([]AtomID, float64, bool) {
	switch n.Op {
	case Leaf:
		if !can(n.Atom) {
			return nil, 0, false
		}
		return []AtomID{n.Atom}, cost(n.Atom), true
	case And:
		var best []AtomID
		least, found := 0.0, false
		for _, x := range n.X {
			if atoms, sum, ok := x.witness(can, cost); ok && (!found || sum < least) {
				best, least, found = atoms, sum, true
			}
		}
		return best, least, found
	case Or, AtLeast: // AtLeast asks for one or more, so one of them held
		var all []AtomID
		total := 0.0
		for _, x := range n.X {
			atoms, sum, ok := x.witness(can, cost)
			if !ok {
				return nil, 0, false
			}
			all = append(all, atoms...)
			total += sum
		}
		return all, total, true
	}
	return nil, 0, false
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
