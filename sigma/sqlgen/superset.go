package sqlgen

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/yagura-sec/yagura/sigma/ir"
	"github.com/yagura-sec/yagura/sigma/match"
)

// Superset is a condition that holds for every row whose record one of the rules
// of the set matches. Rows of logs that are not given are left out, as records
// of an unknown source are.
//
// What columns do not hold is taken for possible. Text beyond ASCII, cut or empty
// where something else could have been is left to the second look, so that no
// engine's idea of upper and lower case matters.
func Superset(set *match.Set, rules []int, logs []Log, d Dialect) Query {
	q := Query{NeedsRecheck: true}
	w := writer{d: d}
	var all []*cond
	told := map[int]bool{}
	for i := range logs {
		log := &logs[i]
		s := superset{program: set.Program(), log: log}
		applies := set.Applies(log.Source)
		var any []*cond
		for _, r := range rules {
			if !slices.Contains(applies, r) {
				continue
			}
			c := s.upper(set.Program().Rules[r].Expr)
			if c.op == yes {
				q.Why = append(q.Why, fmt.Sprintf("rule %s: no column tells whether it can match, so every event of %s is read", set.Rule(r).Key(), log.Value))
			}
			told[r] = true
			any = append(any, c)
		}
		if len(any) == 0 {
			continue
		}
		parts := []*cond{{op: test, test: &test1{columns: []string{log.Column}, alts: []alt{{op: ir.Eq, cased: true, text: log.Value}}}}}
		parts = append(parts, first(any)...)
		parts = append(parts, or(any))
		all = append(all, and(parts))
	}
	for _, r := range rules {
		if !told[r] {
			q.Why = append(q.Why, fmt.Sprintf("rule %s: its log source %s is none of those stored, so no event is read", set.Rule(r).Key(), set.Rule(r).LogSource))
		}
	}
	w.cond(or(all))
	q.Where, q.Args = w.b.String(), w.args
	return q
}

// superset finds what columns of one log say about expressions.
type superset struct {
	program *ir.Program
	log     *Log
}

// upper holds whenever n does.
func (s *superset) upper(n *ir.Node) *cond {
	switch n.Op {
	case ir.Leaf:
		return s.leaf(&s.program.Atoms[n.Atom], false)
	case ir.And:
		return and(each(n.X, s.upper))
	case ir.Not:
		return not(s.lower(n.X[0]))
	}
	return or(each(n.X, s.upper)) // AtLeast asks for one or more
}

// lower holds only when n does.
func (s *superset) lower(n *ir.Node) *cond {
	switch n.Op {
	case ir.Leaf:
		return s.leaf(&s.program.Atoms[n.Atom], true)
	case ir.Or:
		return or(each(n.X, s.lower))
	case ir.Not:
		return not(s.upper(n.X[0]))
	}
	return and(each(n.X, s.lower)) // all of them is at least some
}

func each(xs []*ir.Node, f func(*ir.Node) *cond) []*cond {
	out := make([]*cond, len(xs))
	for i, x := range xs {
		out[i] = f(x)
	}
	return out
}

func (s *superset) leaf(a *ir.Atom, low bool) *cond {
	unknown := &cond{op: yes}
	if low {
		unknown.op = no
	}
	f, known := s.log.Fields[a.Field]
	if !known || low && !f.Only {
		return unknown
	}
	if f.Words != nil {
		return words(f, a, unknown, low)
	}
	t := &test1{columns: f.Columns, odd: f.Odd, low: low, max: f.Max, share: f.Share}
	switch a.Op {
	case ir.Exists:
		if !low {
			return unknown // "" exists
		}
		t.alts = []alt{{op: ir.Exists}}
	case ir.IsNull:
		if low || f.Shared {
			return unknown
		}
		t.alts, t.odd = []alt{{op: ir.IsNull}}, false
	default:
		alts, ok := alternatives(a, low)
		if !ok {
			return unknown
		}
		t.alts = alts
	}
	return &cond{op: test, test: t}
}

// words asks for what a column has in place of the text.
func words(f Field, a *ir.Atom, unknown *cond, low bool) *cond {
	if low || a.Op != ir.Eq {
		return unknown
	}
	t := &test1{columns: f.Columns, share: f.Share}
	for text, column := range f.Words {
		if text == a.Text || !a.Cased && ir.FoldString(text) == a.Text {
			for _, word := range column {
				t.alts = append(t.alts, alt{op: ir.Eq, cased: true, text: word})
			}
		}
	}
	if len(t.alts) == 0 {
		return unknown
	}
	t.sort()
	return &cond{op: test, test: t}
}

// alternatives are what of a text of ASCII characters satisfies the atom, or
// where that takes too many words, more; never so for a lower bound.
func alternatives(a *ir.Atom, low bool) ([]alt, bool) {
	switch a.Op {
	case ir.Eq, ir.Prefix, ir.Suffix, ir.Contains:
		if !ascii(a.Text) {
			return nil, true
		}
		return []alt{{op: a.Op, cased: a.Cased, text: a.Text}}, true
	case ir.Glob:
		expr, ok := globExpr(a, false)
		if !ok {
			return nil, true
		}
		return []alt{{op: ir.Regex, cased: a.Cased, text: expr}}, true
	case ir.Regex:
		expr, ok := portable(a.Regexp().String())
		return []alt{{op: ir.Regex, cased: true, text: expr}}, ok
	}
	if low {
		return nil, false
	}
	switch a.Op {
	case ir.Compare:
		return []alt{{op: ir.Regex, cased: true, text: `^-?[0-9]`}}, true
	case ir.TimePart:
		return []alt{{op: ir.Regex, cased: true, text: `^[0-9]{4}-[0-9]{2}-[0-9]{2}`}}, true
	case ir.CIDR:
		return network(a.Net), true
	}
	return nil, false
}

// network is how addresses in it may begin, and anything with a colon.
func network(net netip.Prefix) []alt {
	alts := []alt{{op: ir.Contains, cased: true, text: ":"}}
	if !net.Addr().Is4() {
		return alts
	}
	octets := strings.Split(net.Addr().String(), ".")[:net.Bits()/8]
	head := strings.Join(octets, ".")
	switch len(octets) {
	case 4:
		return append(alts, alt{op: ir.Eq, cased: true, text: head})
	case 0:
		return append(alts, alt{op: ir.Regex, cased: true, text: `^[0-9]`})
	}
	return append(alts, alt{op: ir.Prefix, cased: true, text: head + "."})
}

// first gives a condition that all alternatives share, cheaper than they are
// together: of each the column that tells most. Nothing, if one has none or if
// it would only say the same again.
func first(any []*cond) []*cond {
	if len(any) < 2 {
		return nil
	}
	var tests []*cond
	for _, c := range any {
		some, _, ok := c.witness()
		if !ok {
			return nil
		}
		tests = append(tests, some...)
	}
	c := or(tests)
	if c.key() == or(any).key() {
		return nil
	}
	return []*cond{c}
}
