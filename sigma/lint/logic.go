package lint

import (
	"slices"
	"strconv"
	"strings"

	"github.com/yagura-sec/yagura/sigma/ir"
)

// maxTable is how many atoms of a rule are tried out with all their values.
const maxTable = 14

// constant tells whether a rule has the same answer for every record, and which.
// Besides the values of atoms as such it looks at what they say of each other: a
// value that is "abc" contains "b", whatever the record, and a field that holds
// one value is not both "x" and "y".
func (l *linter) constant(p *ir.Program, r *ir.Rule) {
	say := func(value bool) {
		if value {
			l.add(r.Errorf(r.Places["detection"], "rule matches every event"), Error, "always")
		} else {
			l.add(r.Errorf(r.Places["detection"], "rule can never match: the condition contradicts itself"), Error, "never")
		}
	}
	if value, constant := r.Expr.Constant(); constant {
		say(value)
		return
	}
	var atoms []ir.AtomID
	r.Expr.Walk(func(n *ir.Node) {
		if n.Op == ir.Leaf && !slices.Contains(atoms, n.Atom) {
			atoms = append(atoms, n.Atom)
		}
	})
	l.everyDate(p, r)
	if len(atoms) > maxTable {
		return
	}
	one := scalars[r.LogSource.String()]
	var implied, apart [][2]int // of places in atoms
	for i, a := range atoms {
		for j, b := range atoms {
			x, y := &p.Atoms[a], &p.Atoms[b]
			if i != j && implies(x, y) {
				implied = append(implied, [2]int{i, j})
			}
			if i < j && x.Field == y.Field && slices.Contains(one, x.Field) && exclude(x, y) {
				apart = append(apart, [2]int{i, j})
			}
		}
	}
	if len(implied)+len(apart) == 0 {
		return
	}
	met := [2]bool{}
	for row := range 1 << len(atoms) {
		bit := func(i int) bool { return row>>i&1 == 1 }
		if slices.ContainsFunc(implied, func(x [2]int) bool { return bit(x[0]) && !bit(x[1]) }) ||
			slices.ContainsFunc(apart, func(x [2]int) bool { return bit(x[0]) && bit(x[1]) }) {
			continue // no record is so
		}
		if r.Expr.Eval(func(a ir.AtomID) bool { return bit(slices.Index(atoms, a)) }) {
			met[1] = true
		} else {
			met[0] = true
		}
		if met[0] && met[1] {
			return
		}
	}
	say(met[1])
}

// asksText tells whether an atom compares texts.
func asksText(a *ir.Atom) bool {
	return a.Op == ir.Eq || a.Op == ir.Prefix || a.Op == ir.Suffix || a.Op == ir.Contains
}

// implies tells whether b holds of every record of which a holds. Fields may have
// several values: the one that satisfies a then satisfies b.
func implies(a, b *ir.Atom) bool {
	switch {
	case a.Field != b.Field || !asksText(a):
		return false
	case b.Op == ir.Exists:
		return true
	case !asksText(b) || a.Cased != b.Cased: // texts are compared as they stand or folded, both alike
		return false
	}
	switch b.Op {
	case ir.Prefix:
		return (a.Op == ir.Eq || a.Op == ir.Prefix) && strings.HasPrefix(a.Text, b.Text)
	case ir.Suffix:
		return (a.Op == ir.Eq || a.Op == ir.Suffix) && strings.HasSuffix(a.Text, b.Text)
	case ir.Contains:
		return strings.Contains(a.Text, b.Text)
	}
	return a.Op == ir.Eq && a.Text == b.Text
}

// exclude tells whether no single value satisfies both a and b.
func exclude(a, b *ir.Atom) bool {
	if b.Op == ir.IsNull || b.Op == ir.Eq && a.Op != ir.IsNull {
		a, b = b, a
	}
	switch {
	case a.Op == ir.IsNull:
		return asksText(b)
	case !asksText(a) || !asksText(b) || a.Cased != b.Cased:
		return false
	case a.Op == ir.Eq && b.Op == ir.Eq:
		return a.Text != b.Text
	case a.Op == ir.Eq:
		return !implies(a, b)
	case a.Op == ir.Prefix && b.Op == ir.Prefix:
		return !strings.HasPrefix(a.Text, b.Text) && !strings.HasPrefix(b.Text, a.Text)
	case a.Op == ir.Suffix && b.Op == ir.Suffix:
		return !strings.HasSuffix(a.Text, b.Text) && !strings.HasSuffix(b.Text, a.Text)
	}
	return false
}

// partRanges are the values of parts of dates, as people name them.
var partRanges = map[ir.Part]struct {
	name        string
	least, most float64
}{
	ir.Minute: {"minute", 0, 59}, ir.Hour: {"hour", 0, 23}, ir.Day: {"day", 1, 31},
	ir.Week: {"week", 1, 53}, ir.Month: {"month", 1, 12}, ir.Year: {"year", 0, 9999},
}

// everyDate finds comparisons of parts of dates that every date satisfies; those
// that none does are refused.
func (l *linter) everyDate(p *ir.Program, r *ir.Rule) {
	var told []ir.AtomID
	r.Expr.Walk(func(n *ir.Node) {
		if n.Op != ir.Leaf || p.Atoms[n.Atom].Op != ir.TimePart || slices.Contains(told, n.Atom) {
			return
		}
		told = append(told, n.Atom)
		a := &p.Atoms[n.Atom]
		part := partRanges[a.Part]
		limit, err := strconv.ParseFloat(a.Number.Text, 64)
		// What holds of both ends holds between them.
		if err == nil && compare(part.least, a.Cmp, limit) && compare(part.most, a.Cmp, limit) {
			l.add(r.Errorf(n.Pos, "%s: %s holds of every date: %s goes from %v to %v", n.Key, n.Value, part.name, part.least, part.most), Warning, "value")
		}
	})
}

func compare(v float64, c ir.Cmp, limit float64) bool {
	switch c {
	case ir.Less:
		return v < limit
	case ir.LessOrEqual:
		return v <= limit
	case ir.Greater:
		return v > limit
	case ir.GreaterOrEqual:
		return v >= limit
	}
	return v == limit
}
