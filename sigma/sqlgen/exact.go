package sqlgen

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/yagura-sec/yagura/sigma/ir"
	"github.com/yagura-sec/yagura/sigma/match"
)

// Exact is a condition that holds for the very rows whose record the rule
// matches: columns narrow them as for Superset, the record's text decides. A rule
// that cannot be said so in the dialect is refused with the reason.
//
// Records are taken to be JSON in which no object names a member twice, and no
// number lies beyond what a double can tell from infinity or 0.
func Exact(set *match.Set, rule int, log Log, d Dialect) (Query, error) {
	if rule < 0 || rule >= set.Len() {
		return Query{}, fmt.Errorf("there is no rule %d in a set of %d", rule, set.Len())
	}
	r := set.Program().Rules[rule]
	refused := func(err error) (Query, error) {
		return Query{}, fmt.Errorf("rule %s in %s: %w", set.Rule(rule).Key(), d.Name(), err)
	}
	if log.Raw == "" {
		return refused(errors.New("no column has the whole record"))
	}
	reader, ok := d.(recordReader)
	if !ok {
		return refused(errors.New("records cannot be read as Sigma does: a name with dots as it stands before the path of its parts, arrays in arrays, objects and numbers as they are written"))
	}
	q := Superset(set, []int{rule}, []Log{log}, d)
	if q.Where == "false" {
		return Query{Where: "false"}, nil
	}
	e := exact{program: set.Program(), log: &log, slots: map[string]int{}}
	text, err := e.node(r.Expr)
	if err != nil {
		return refused(err)
	}
	decided, args := reader.readRecord(log.Raw, e.fields, text, e.args)
	return Query{Where: "(" + q.Where + " AND " + decided + ")", Args: append(q.Args, args...)}, nil
}

// recordReader is a dialect that can read a record's JSON text in full.
type recordReader interface {
	// readRecord wraps decide, a condition over the lists f0, f1, … of the values
	// of the fields, into one over the column with the record.
	readRecord(raw string, fields []string, decide string, args []any) (string, []any)
}

// exact writes an expression as a condition over lists of values: f0, f1, …, of
// structures with k, the kind, and v, the text.
type exact struct {
	program *ir.Program
	log     *Log
	fields  []string // by slot; "" is all values
	slots   map[string]int
	args    []any
}

func (e *exact) slot(field string) string {
	i, ok := e.slots[field]
	if !ok {
		i = len(e.fields)
		e.slots[field] = i
		e.fields = append(e.fields, field)
	}
	return fmt.Sprintf("f%d", i)
}

func (e *exact) node(n *ir.Node) (string, error) {
	switch n.Op {
	case ir.Leaf:
		return e.atom(&e.program.Atoms[n.Atom])
	case ir.Not:
		x, err := e.node(n.X[0])
		return "(NOT " + x + ")", err
	case ir.And:
		return e.join(n.X, " AND ", "true")
	case ir.Or:
		return e.join(n.X, " OR ", "false")
	}
	var terms []string // AtLeast
	for _, x := range n.X {
		text, err := e.node(x)
		if err != nil {
			return "", err
		}
		terms = append(terms, "CAST("+text+" AS INTEGER)")
	}
	return fmt.Sprintf("(%s >= %d)", strings.Join(append(terms, "0"), " + "), n.N), nil
}

// join renders a balanced tree, as writer.list does.
func (e *exact) join(xs []*ir.Node, op, empty string) (string, error) {
	switch len(xs) {
	case 0:
		return empty, nil
	case 1:
		return e.node(xs[0])
	}
	left, err := e.join(xs[:len(xs)/2], op, empty)
	if err != nil {
		return "", err
	}
	right, err := e.join(xs[len(xs)/2:], op, empty)
	return "(" + left + op + right + ")", err
}

// any is true if one value of the list satisfies the condition, which speaks of
// it as x.
func anyOf(list, condition string) string {
	return "(coalesce(len(list_filter(" + list + ", lambda x: " + condition + ")), 0) > 0)"
}

// Kinds of values, as readRecord tells them: s, n, b, o, z, a for string, number,
// boolean, object, null and array.
const isValue = "x.k <> 'z' AND x.k <> 'a'"

func (e *exact) atom(a *ir.Atom) (string, error) {
	f := e.slot(a.Field)
	switch a.Op {
	case ir.Exists:
		return "(coalesce(len(" + f + "), 0) > 0)", nil
	case ir.IsNull:
		return "(coalesce(len(" + f + "), 0) = 0 OR " + anyOf(f, "x.k = 'z'") + ")", nil
	case ir.FieldRef:
		return e.reference(a, f, e.slot(a.Ref))
	}
	condition, err := e.value(a)
	if err != nil {
		return "", err
	}
	return anyOf(f, isValue+" AND "+condition), nil
}

// value is the condition of an atom on x.v.
func (e *exact) value(a *ir.Atom) (string, error) {
	switch a.Op {
	case ir.Eq, ir.Prefix, ir.Suffix, ir.Contains:
		return e.text(a)
	case ir.Glob:
		for _, p := range a.Glob() {
			if !utf8.ValidString(p.Text) {
				return "", errNoText
			}
		}
		expr, _ := globExpr(a, true)
		return e.matches(expr)
	case ir.Regex:
		expr, ok := portable(a.Regexp().String())
		if !ok {
			return "", fmt.Errorf("expression %q is too long for engines", a.Regexp())
		}
		return e.matches(expr)
	case ir.Compare:
		return e.compare(a)
	case ir.TimePart:
		return e.timePart(a)
	case ir.CIDR:
		return e.network(a), nil
	}
	return "", fmt.Errorf("there is no SQL for operator %d", a.Op)
}

var errNoText = errors.New("looks for bytes that are no UTF-8, which no text of the engine has")

func (e *exact) arg(v any) string {
	e.args = append(e.args, v)
	return "?"
}

func (e *exact) matches(expr string) (string, error) {
	if len(expr) > maxExpr {
		return "", fmt.Errorf("a text of %d characters is too long for engines", len(expr))
	}
	return "regexp_matches(x.v, " + e.arg(expr) + ")", nil
}

func (e *exact) text(a *ir.Atom) (string, error) {
	if !utf8.ValidString(a.Text) {
		return "", errNoText
	}
	if a.Cased {
		switch a.Op {
		case ir.Prefix:
			return "prefix(x.v, " + e.arg(a.Text) + ")", nil
		case ir.Suffix:
			return "suffix(x.v, " + e.arg(a.Text) + ")", nil
		case ir.Contains:
			return "contains(x.v, " + e.arg(a.Text) + ")", nil
		}
		return "x.v = " + e.arg(a.Text), nil
	}
	expr := textExpr(a.Text, true)
	switch a.Op {
	case ir.Eq:
		expr = "^" + expr + "$"
	case ir.Prefix:
		expr = "^" + expr
	case ir.Suffix:
		expr += "$"
	}
	return e.matches("(?s)" + expr)
}
