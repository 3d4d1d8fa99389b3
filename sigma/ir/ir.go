// Package ir is what Sigma rules mean: small programs of atoms joined by and, or
// and not, in which every modifier is already applied.
//
// An atom asks one question about one field and is true or false, never unknown;
// Atom.Holds is the only place that says which. So not is the complement: what
// an absent field does not satisfy, its negation satisfies. Rules share atoms.
//
// Where the specification is silent:
//
//   - A field of several values (arrays, paths through arrays) satisfies an atom
//     if any value does.
//   - Case is ignored by Unicode's simple folding unless cased is given.
//   - null means absent or null; an empty array is neither. It is asked of the
//     field as a whole: a.b: null does not hold for {"a":[{"b":1},{}]}, where a.b
//     is there, though the second element lacks it; for {"a":[{"b":1},{"b":null}]}
//     it does.
//   - A name with dots is looked for as it stands and then as a path, whose first
//     part is a key without dots: a.b.c is found in {"a.b.c":1}, {"a":{"b.c":1}} and
//     {"a":{"b":{"c":1}}}, but not in {"a.b":{"c":1}}.
//   - exists means that the name occurs, with whatever value.
//   - A number of a rule equals a number of the record by value, and a string
//     that holds a number as JSON would write it. Integers count exactly, whatever
//     their length, others as float64, and exactly beyond what that can tell from
//     infinity or 0. In rules YAML has the last word: what it finds too large for
//     a number, such as 1e400, is text.
//   - neq is the complement of equality, so an absent field satisfies it.
//   - Keywords look at all values of the record, not at its names.
//   - A regular expression may match anywhere in a value, RE2's syntax is what it
//     is written in, and its placeholders are filled with text.
//   - A filter that cannot be compiled is refused alone: the rules it covers go on
//     without it, and find more rather than nothing.
//   - A field of several names (Aliases) stands for what all of them hold.
//
// The README of package sigma lists these and all other decisions, each with the
// test that pins it.
package ir

import (
	"net/netip"
	"regexp"

	"github.com/yagura-sec/yagura/sigma"
)

// Op is the question an atom asks.
type Op uint8

// The questions.
const (
	Eq Op = iota
	Prefix
	Suffix
	Contains
	Glob
	Regex
	CIDR
	Compare  // a number against Number
	TimePart // a part of a date against Number
	Exists
	IsNull
	FieldRef // against another field
)

// Cmp is how Compare and TimePart compare.
type Cmp uint8

// The comparisons.
const (
	Equal Cmp = iota
	Less
	LessOrEqual
	Greater
	GreaterOrEqual
)

// Part is what TimePart takes from a date.
type Part uint8

// The parts.
const (
	Minute Part = iota
	Hour
	Day
	Week // of ISO 8601
	Month
	Year
)

// AtomID is the place of an atom in its program.
type AtomID int32

// Atom is one question about one field.
type Atom struct {
	Field string // empty: any value of the record
	Op    Op
	Cased bool
	Text  string // of Eq, Prefix, Suffix, Contains; folded unless Cased

	Number Decimal
	Cmp    Cmp
	Part   Part
	Net    netip.Prefix
	Ref    string // of FieldRef, the other field
	RefOp  Op     // of FieldRef: Eq, Prefix, Suffix or Contains

	glob  pattern
	regex *regexp.Regexp
}

// NodeOp is the kind of a node.
type NodeOp uint8

// The kinds.
const (
	Leaf NodeOp = iota // Atom
	And
	Or
	Not     // X[0]
	AtLeast // N of X
)

// Node is a node of a rule's expression.
type Node struct {
	Op   NodeOp
	X    []*Node
	N    int
	Atom AtomID

	// Search is set on the node that stands for a search of the rule.
	Search string
	// Key is set on the node that stands for an item: its key as written.
	// A leaf has it too, with Value.
	Key   string
	Value string // as written
	Pos   sigma.Pos
}

// Rule is a compiled rule.
type Rule struct {
	*sigma.Rule // as it was handed in
	// As is the rule as pipelines left it; without pipelines it is the rule.
	As *sigma.Rule
	// LogSource is As's: it says which records the rule is for.
	LogSource sigma.LogSource
	Expr      *Node
}

// Program is compiled rules with the atoms they share.
type Program struct {
	Atoms []Atom
	Rules []Rule
}

// Walk calls f for n and every node below it.
func (n *Node) Walk(f func(*Node)) {
	f(n)
	for _, x := range n.X {
		x.Walk(f)
	}
}

// Eval is the value of the expression, given what each atom is. It is the
// definition that everything faster is held against.
func (n *Node) Eval(atom func(AtomID) bool) bool {
	switch n.Op {
	case Leaf:
		return atom(n.Atom)
	case And:
		for _, x := range n.X {
			if !x.Eval(atom) {
				return false
			}
		}
		return true
	case Or:
		for _, x := range n.X {
			if x.Eval(atom) {
				return true
			}
		}
		return false
	case Not:
		return !n.X[0].Eval(atom)
	}
	held := 0 // AtLeast
	for _, x := range n.X {
		if x.Eval(atom) {
			held++
		}
	}
	return held >= n.N
}
