package pipeline

import (
	"errors"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/cond"
)

// step is a transformation with the conditions under which it is applied.
type step struct {
	id, kind string
	file     string
	pos      sigma.Pos
	ofRule   conditions[ruleCondition]
	ofItem   conditions[itemCondition]
	ofField  conditions[fieldCondition]
	do       transformation
}

// transformation changes a rule. It finds the step it belongs to beside it.
type transformation interface {
	apply(w *work, s *step)
}

// maxNesting bounds how deep nest may nest.
const maxNesting = 16

func (r *reader) steps(n *yaml.Node, what string, depth int) []*step {
	if depth > maxNesting {
		r.fail(pos(n), "transformations are nested more than %d deep", maxNesting)
		return nil
	}
	var out []*step
	for _, x := range r.entries(n, what) {
		if s := r.step(x, depth); s != nil {
			out = append(out, s)
		}
	}
	return out
}

func (r *reader) step(n *yaml.Node, depth int) *step {
	m := r.mapping(n, "transformation")
	s := &step{file: r.file, pos: pos(n), id: m.text("id", false), kind: m.text("type", true)}
	if s.kind == "" {
		return nil
	}
	at := pos(m.value["type"])
	if why, ok := refused[s.kind]; ok {
		r.fail(at, "transformation %s is refused: %s", s.kind, why)
		return nil
	}
	build, ok := transformations[s.kind]
	if !ok {
		r.fail(at, "transformation %q is unknown", s.kind)
		return nil
	}
	m.what = "transformation " + s.kind
	s.ofRule = readConditions(m, "rule", ruleConditions)
	s.ofItem = readConditions(m, "detection_item", itemConditions)
	s.ofField = readConditions(m, "field_name", fieldConditions)
	s.do = build(m, depth)
	m.done()
	return s
}

// refused are transformations that pySigma has and that have no place here.
var refused = map[string]string{
	"query_expression_placeholders": "it puts a piece of a query language into a query, and there is none",
	"http_placeholders":             "a pipeline may not reach over the network",
	"command_placeholders":          "a pipeline may not run commands",
	"field_name_transform":          "it takes a function of the Python program",
	"extract_fields":                "not supported: rules have to ask for the fields themselves",
}

// conditions are some conditions and how they are joined.
type conditions[T any] struct {
	list []T
	any  bool // one suffices
	not  bool
	expr *cond.Expr     // over names, instead of any
	at   map[string]int // where a name is in list
}

// hold is the answer, given that of each condition. No conditions are true.
func (c *conditions[T]) hold(test func(T) bool) bool {
	if len(c.list) == 0 {
		return true
	}
	if c.expr != nil {
		return c.eval(c.expr, test) != c.not
	}
	// Every condition is asked, so that what one refuses does not depend on others.
	all, some := true, false
	for _, x := range c.list {
		held := test(x)
		all, some = all && held, some || held
	}
	if c.any {
		return some != c.not
	}
	return all != c.not
}

func (c *conditions[T]) eval(e *cond.Expr, test func(T) bool) bool {
	switch e.Op {
	case cond.Ident:
		return test(c.list[c.at[e.Name]])
	case cond.Not:
		return !c.eval(e.X[0], test)
	case cond.Or:
		return slices.ContainsFunc(e.X, func(x *cond.Expr) bool { return c.eval(x, test) })
	}
	return !slices.ContainsFunc(e.X, func(x *cond.Expr) bool { return !c.eval(x, test) })
}

// readConditions reads the conditions of one sort: rule, detection_item or
// field_name. Builders are by type; nil from one means it told of a mistake.
func readConditions[T any](m *mapping, sort string, builders map[string]func(*mapping) T) conditions[T] {
	r := m.r
	c := conditions[T]{at: map[string]int{}}
	read := func(n *yaml.Node) {
		x := r.mapping(n, "condition")
		kind := x.text("type", true)
		if kind == "" {
			return
		}
		build, ok := builders[kind]
		if !ok {
			r.fail(pos(x.value["type"]), "%s condition %q is unknown", strings.ReplaceAll(sort, "_", " "), kind)
			return
		}
		x.what = "condition " + kind
		c.list = append(c.list, build(x))
		x.done()
	}
	named := false
	if n, ok := m.take(sort + "_conditions"); ok {
		if named = n.Kind == yaml.MappingNode; named {
			x := r.mapping(n, sort+"_conditions")
			for _, name := range x.keys {
				c.at[name] = len(c.list)
				read(x.value[name])
			}
		} else {
			for _, x := range r.entries(n, sort+"_conditions") {
				read(x)
			}
		}
	}
	op := sort + "_cond_op"
	c.any = m.one(op, "and", "or") == "or"
	c.not = m.flag(sort + "_cond_not")
	c.expr = m.expression(sort+"_cond_expr", c.at, named)
	for _, key := range []string{op, sort + "_cond_not", sort + "_cond_expr"} {
		if m.value[key] != nil && len(c.list) == 0 && m.value[sort+"_conditions"] == nil {
			r.fail(m.at[key], "%s is given without %s_conditions", key, sort)
		}
	}
	if c.expr != nil && m.value[op] != nil {
		r.fail(m.at[op], "%s and %s_cond_expr exclude each other", op, sort)
	}
	return c
}

// expression reads a boolean expression over the names of conditions.
func (m *mapping) expression(key string, names map[string]int, named bool) *cond.Expr {
	text := m.text(key, false)
	if text == "" {
		return nil
	}
	at := pos(m.value[key])
	if !named {
		m.r.fail(at, "%s needs conditions with names: a mapping, not a list", key)
		return nil
	}
	e, err := cond.Parse(text)
	if err != nil {
		var where *cond.Error
		if errors.As(err, &where) && m.value[key].Style == 0 {
			at.Col += where.Offset
		}
		m.r.fail(at, "%s: %v", key, err)
		return nil
	}
	used := map[string]bool{}
	var check func(*cond.Expr)
	check = func(e *cond.Expr) {
		if e.Op == cond.Of {
			m.r.fail(at, `%s: "of" is no operator here: use and, or, not and parentheses`, key)
		}
		if _, ok := names[e.Name]; e.Op == cond.Ident && !ok {
			m.r.fail(at, "%s: there is no condition called %q", key, e.Name)
		}
		used[e.Name] = true
		for _, x := range e.X {
			check(x)
		}
	}
	check(e)
	for name := range names {
		if !used[name] {
			m.r.fail(at, "%s: condition %q is not used", key, name)
		}
	}
	return e
}
