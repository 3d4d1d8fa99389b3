package match

import (
	"fmt"
	"strings"

	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/ir"
)

// Why says in a word how an atom came to its answer.
type Why string

// The reasons.
const (
	Matched       Why = "matched"
	FieldAbsent   Why = "field_absent"
	FieldPresent  Why = "field_present" // where absence or null was asked for
	ValueMismatch Why = "value_mismatch"
	CaseMismatch  Why = "case_mismatch"
	TypeMismatch  Why = "type_mismatch"
	NoKeyword     Why = "no_keyword"
)

// Step is a node of a rule with its answer for one record.
type Step struct {
	// Kind is search, item, value, and, or, not, at_least.
	Kind string `json:"kind"`
	Held bool   `json:"held"`
	Name string `json:"name,omitempty"` // of a search
	// Of items and values:
	Field   string `json:"field,omitempty"`   // empty for keywords
	Key     string `json:"key,omitempty"`     // as written, with its modifiers
	Pattern string `json:"pattern,omitempty"` // as written
	// Of values: what the record holds, at most MaxActual of an array, each cut
	// at MaxText bytes, and how the answer came about.
	Actual []string  `json:"actual,omitempty"`
	Why    Why       `json:"why,omitempty"`
	Pos    sigma.Pos `json:"-"`
	Steps  []Step    `json:"steps,omitempty"`
	// LeftOut is how many steps more there are than are shown. Those that made
	// this one come out as it did are the last to be left out.
	LeftOut int `json:"left_out,omitempty"`
}

// What an explanation shows of a value, of a node's steps and of all of a rule is
// bounded. Where all has been shown that may be, nodes show one step each.
const (
	MaxActual = 5
	MaxText   = 300
	MaxSteps  = 100
	MaxShown  = 2000
)

// Explanation says why a rule matched a record, or why it did not.
type Explanation struct {
	Rule *sigma.Rule `json:"-"`
	Held bool        `json:"held"`
	// Applies: the rule's log source covers the record's.
	Applies bool `json:"applies"`
	Root    Step `json:"root"`
}

// Explain says of the record that sc matched last why rule i matched it or did
// not. Its answers are those of the same atoms, so they cannot differ.
func (sc *Scratch) Explain(i int) Explanation {
	r := &sc.set.program.Rules[i]
	shown := 0
	root := sc.step(r.Expr, &shown)
	return Explanation{Rule: r.Rule, Held: root.Held, Applies: sc.source.covers(r.LogSource), Root: root}
}

// ExplainJSON says why rule i matches a record or does not. A rule for another
// log source is held against the record all the same, and Applies is false.
func (s *Set) ExplainJSON(sc *Scratch, record []byte, src Source, i int) (Explanation, error) {
	asked := src
	if l := s.program.Rules[i].LogSource; !src.covers(l) {
		asked = s.Source(i)
	}
	sc.enter(asked)
	if err := sc.read(record); err != nil {
		return Explanation{}, err
	}
	e := sc.Explain(i)
	e.Applies = asked == src
	return e, nil
}

// step explains n. Shown counts the steps of the explanation.
func (sc *Scratch) step(n *ir.Node, shown *int) Step {
	*shown++
	if n.Op == ir.Leaf {
		return sc.leaf(n)
	}
	s := Step{Kind: kindOf(n), Name: n.Search, Key: n.Key, Pattern: n.Value, Pos: n.Pos, Held: n.Eval(sc.atom)}
	if n.Key != "" {
		s.Field, _, _ = strings.Cut(n.Key, "|")
	}
	steps := n.X
	if most := min(MaxSteps, max(1, MaxShown-*shown)); len(steps) > most {
		steps = sc.telling(n, s.Held, most)
		s.LeftOut = len(n.X) - len(steps)
	}
	for _, x := range steps {
		s.Steps = append(s.Steps, sc.step(x, shown))
	}
	return s
}

// telling gives so many of n's steps, in their order: first of those that came
// out as n did, then of the others.
func (sc *Scratch) telling(n *ir.Node, held bool, most int) []*ir.Node {
	as := make([]bool, len(n.X))
	same := 0
	for i, x := range n.X {
		if as[i] = x.Eval(sc.atom) == held; as[i] {
			same++
		}
	}
	same = min(same, most)
	others := most - same
	var out []*ir.Node
	for i, x := range n.X {
		switch {
		case as[i] && same > 0:
			same--
			out = append(out, x)
		case !as[i] && others > 0:
			others--
			out = append(out, x)
		}
	}
	return out
}

func kindOf(n *ir.Node) string {
	switch {
	case n.Search != "":
		return "search"
	case n.Op == ir.Not:
		return "not"
	case n.Key != "":
		return "item"
	case n.Op == ir.And:
		return "and"
	case n.Op == ir.AtLeast:
		return "at_least"
	}
	return "or"
}

func (sc *Scratch) leaf(n *ir.Node) Step {
	a := &sc.set.program.Atoms[n.Atom]
	f := sc.field(sc.set.atomAt[n.Atom])
	s := Step{Kind: "value", Held: sc.holds(n.Atom), Field: a.Field, Key: n.Key, Pattern: n.Value, Pos: n.Pos}
	ref := &sc.fields[sc.set.refAt[n.Atom]]
	for i := range f.Values {
		if a.Field == "" && (!s.Held || !sc.alone(a, f.Values[i], ref)) {
			continue // of a whole record, only the values that held the keyword
		}
		if len(s.Actual) == MaxActual {
			s.Actual = append(s.Actual, fmt.Sprintf("… and %d more", len(f.Values)-i))
			break
		}
		s.Actual = append(s.Actual, shorten(f.Values[i].Shown(&sc.buf)))
	}
	s.Why = sc.why(a, f, ref, s.Held)
	return s
}

// alone tells whether one value satisfies a.
func (sc *Scratch) alone(a *ir.Atom, v ir.Value, ref *ir.Field) bool {
	return a.Holds(&ir.Field{Present: true, Values: []ir.Value{v}}, ref, &sc.buf)
}

func (sc *Scratch) why(a *ir.Atom, f, ref *ir.Field, held bool) Why {
	switch {
	case held:
		return Matched
	case a.Field == "":
		return NoKeyword
	case a.Op == ir.IsNull:
		return FieldPresent
	case !f.Present, a.Op == ir.FieldRef && !ref.Present:
		return FieldAbsent
	}
	if a.Cased {
		loose := *a
		if loose.Uncase(); loose.Holds(f, ref, &sc.buf) {
			return CaseMismatch
		}
	}
	for i := range f.Values {
		if a.Accepts(&f.Values[i]) {
			return ValueMismatch
		}
	}
	return TypeMismatch
}

func shorten(s string) string {
	if len(s) <= MaxText {
		return s
	}
	return strings.ToValidUTF8(s[:MaxText], "") + "…"
}

// Fact is one answer that an explanation rests on.
type Fact struct {
	Search string // the search it belongs to
	Step
	// Negated: the rule asked that this be false, and it was.
	Negated bool
}

// Facts are the values that made the rule match, in the order of the rule: every
// value that held and was wanted, and every one that was to be false and was. Of
// an explanation that did not hold they are those that stood in the way.
func (e Explanation) Facts() []Fact {
	var out []Fact
	collect(&out, &e.Root, "", e.Held, false)
	return out
}

// collect gathers what made s come out as it did. Negated counts the nots above.
func collect(out *[]Fact, s *Step, search string, held, negated bool) {
	if s.Kind == "search" {
		search = s.Name
	}
	if s.Kind == "value" && len(s.Steps) == 0 {
		if s.Held == held {
			*out = append(*out, Fact{search, *s, negated})
		}
		return
	}
	for i := range s.Steps {
		x := &s.Steps[i]
		if s.Kind == "not" {
			collect(out, x, search, !held, !negated)
		} else if x.Held == held {
			collect(out, x, search, held, negated)
		}
	}
}
