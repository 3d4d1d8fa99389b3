package ir

import (
	"errors"
	"fmt"
	"strings"

	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/cond"
)

// Options is what rules are compiled with.
type Options struct {
	// Placeholders are the values that expand puts in, by name without its
	// percent signs. They may hold wildcards.
	Placeholders map[string][]string
	// Filters are joined with "and" to the rules they cover.
	Filters []*sigma.Filter
}

// Compile translates rules. What cannot be translated is left out and told; an
// id that was met before is refused, because findings are told apart by it.
func Compile(rules []*sigma.Rule, o Options) (*Program, []*sigma.Error) {
	c := &compiler{options: o, program: &Program{}, known: map[atomKey]AtomID{}, names: map[string]*sigma.Rule{}}
	var refused []*sigma.Error
	for _, r := range rules {
		if first := c.names[r.Key()]; first != nil {
			refused = append(refused, r.Errorf(r.Places["id"], "another rule is called %s already: %s:%d", r.Key(), first.File, first.Pos.Line))
			continue
		}
		c.errs = nil
		kept := len(c.program.Atoms)
		expr := c.rule(r)
		if len(c.errs) > 0 {
			refused = append(refused, c.errs...)
			c.forget(kept)
			continue
		}
		c.names[r.Key()] = r
		c.program.Rules = append(c.program.Rules, Rule{r, expr})
	}
	return c.program, refused
}

type compiler struct {
	options Options
	program *Program
	known   map[atomKey]AtomID
	names   map[string]*sigma.Rule

	current *sigma.Rule
	filter  *sigma.Filter // while a filter's part is compiled
	errs    []*sigma.Error
}

func (c *compiler) fail(pos sigma.Pos, format string, args ...any) {
	if c.filter != nil {
		e := c.filter.Errorf(pos, format, args...)
		e.Rule = c.current.Key()
		c.errs = append(c.errs, e)
		return
	}
	c.errs = append(c.errs, c.current.Errorf(pos, format, args...))
}

// atomKey is what makes two atoms the same.
type atomKey struct {
	field, text, ref string
	op, refOp        Op
	cased            bool
	cmp              Cmp
	part             Part
}

// atom adds a to the program unless it is there.
func (c *compiler) atom(a Atom) AtomID {
	key := atomKey{a.Field, a.Text, a.Ref, a.Op, a.RefOp, a.Cased, a.Cmp, a.Part}
	switch a.Op {
	case Glob:
		key.text = a.glob.written()
	case Regex:
		key.text = a.regex.String()
	case CIDR:
		key.text = a.Net.String()
	case Compare, TimePart:
		key.text = a.Number.Text
	}
	id, ok := c.known[key]
	if !ok {
		id = AtomID(len(c.program.Atoms))
		c.program.Atoms = append(c.program.Atoms, a)
		c.known[key] = id
	}
	return id
}

// forget drops the atoms that a refused rule added.
func (c *compiler) forget(kept int) {
	c.program.Atoms = c.program.Atoms[:kept]
	for key, id := range c.known {
		if int(id) >= kept {
			delete(c.known, key)
		}
	}
}

func (c *compiler) rule(r *sigma.Rule) *Node {
	c.current, c.filter = r, nil
	expr := c.detection(&r.Detection)
	for _, f := range c.options.Filters {
		if !f.Covers(r) {
			continue
		}
		c.filter = f
		if x := c.detection(&f.Detection); x != nil && expr != nil {
			expr = &Node{Op: And, X: []*Node{expr, x}}
		}
		c.filter = nil
	}
	return expr
}

// detection joins the conditions of d; they are alternatives.
func (c *compiler) detection(d *sigma.Detection) *Node {
	searches := map[string]*Node{}
	for i := range d.Searches {
		s := &d.Searches[i]
		n := c.search(s)
		searches[s.Name] = n
	}
	var alternatives []*Node
	for _, condition := range d.Conditions {
		e, err := cond.Parse(condition.Text)
		if err != nil {
			offset := 0
			var at *cond.Error
			if errors.As(err, &at) {
				offset = at.Offset
			}
			c.fail(condition.At(offset), "condition: %v", err)
			continue
		}
		alternatives = append(alternatives, c.condition(e, condition, d, searches))
	}
	if len(alternatives) == 0 {
		return nil
	}
	return join(Or, alternatives)
}

func (c *compiler) condition(e *cond.Expr, at sigma.Condition, d *sigma.Detection, searches map[string]*Node) *Node {
	switch e.Op {
	case cond.Ident:
		n := searches[e.Name]
		if n == nil {
			c.fail(at.At(e.Offset), "condition: there is no search called %q", e.Name)
			return &Node{Op: Or}
		}
		return n
	case cond.Of:
		var xs []*Node
		for i := range d.Searches {
			if name := d.Searches[i].Name; cond.Matches(e.Name, name) {
				xs = append(xs, searches[name])
			}
		}
		switch {
		case len(xs) == 0:
			c.fail(at.At(e.Offset), "condition: no search matches %q", e.Name)
		case e.N > len(xs):
			c.fail(at.At(e.Offset), "condition: asks for %d of %q, but only %d searches match", e.N, e.Name, len(xs))
		case e.N == cond.All:
			return join(And, xs)
		case e.N > 1:
			return &Node{Op: AtLeast, N: e.N, X: xs}
		}
		return join(Or, xs)
	case cond.Not:
		return &Node{Op: Not, X: []*Node{c.condition(e.X[0], at, d, searches)}}
	}
	op := And
	if e.Op == cond.Or {
		op = Or
	}
	var xs []*Node
	for _, x := range e.X {
		xs = append(xs, c.condition(x, at, d, searches))
	}
	return join(op, xs)
}

// join is xs under op; one of them stands for itself.
func join(op NodeOp, xs []*Node) *Node {
	if len(xs) == 1 {
		return xs[0]
	}
	return &Node{Op: op, X: xs}
}

func (c *compiler) search(s *sigma.Search) *Node {
	var groups []*Node
	for _, g := range s.Groups {
		var items []*Node
		for i := range g {
			items = append(items, c.item(&g[i]))
		}
		groups = append(groups, join(And, items))
	}
	// A node of its own, so that the name does not stick to what it wraps.
	op := Or
	if len(groups) == 1 {
		op = And
	}
	return &Node{Op: op, X: groups, Search: s.Name, Pos: s.Pos}
}

// maxExpansions bounds into how many atoms one item may unfold.
const maxExpansions = 10_000

func (c *compiler) item(it *sigma.Item) *Node {
	m, err := parseModifiers(it.Modifiers)
	if err != nil {
		c.fail(it.Pos, "%s: %v", c.keyOf(it), err)
		return &Node{Op: Or}
	}
	var values []*Node
	atoms := 0
	for _, v := range it.Values {
		found, err := c.atoms(it, v, m)
		if err != nil {
			c.fail(v.Pos, "%s: %v", c.keyOf(it), err)
			continue
		}
		if atoms += len(found); atoms > maxExpansions {
			c.fail(v.Pos, "%s: unfolds into more than %d comparisons", c.keyOf(it), maxExpansions)
			break
		}
		var leaves []*Node
		for _, a := range found {
			leaves = append(leaves, &Node{Op: Leaf, Atom: c.atom(a), Key: it.Key, Value: written(v), Pos: v.Pos})
		}
		value := join(Or, leaves)
		if m.kind == "exists" && v.Text == "false" {
			value = &Node{Op: Not, X: []*Node{value}, Key: it.Key, Value: v.Text, Pos: v.Pos}
		}
		values = append(values, value)
	}
	op := Or
	if m.all {
		op = And
	}
	n := &Node{Op: op, X: values, Key: it.Key, Pos: it.Pos}
	if m.neq {
		n = &Node{Op: Not, X: []*Node{n}, Key: it.Key, Pos: it.Pos}
	}
	return n
}

func (c *compiler) keyOf(it *sigma.Item) string {
	if it.Key == "" {
		return "keyword"
	}
	return it.Key
}

// written is v as a person wrote it.
func written(v sigma.Value) string {
	if v.Kind == sigma.Null {
		return "null"
	}
	return v.Text
}

// expand gives p with every placeholder replaced by each of its values.
func (c *compiler) expand(p pattern) ([]pattern, error) {
	out := []pattern{nil}
	met := false
	for _, t := range p {
		if t.kind != placeholder {
			for i := range out {
				out[i] = append(out[i], t)
			}
			continue
		}
		met = true
		values := c.options.Placeholders[t.text]
		if len(values) == 0 {
			return nil, fmt.Errorf("placeholder %%%s%% has no values", t.text)
		}
		if len(out)*len(values) > maxExpansions {
			return nil, fmt.Errorf("placeholders unfold into more than %d values", maxExpansions)
		}
		var next []pattern
		for _, head := range out {
			for _, v := range values {
				next = append(next, append(head[:len(head):len(head)], parsePattern(v, false)...))
			}
		}
		out = next
	}
	if !met {
		return nil, errors.New("expand is given but the value holds no %placeholder%")
	}
	return out, nil
}

func list(names []string) string { return strings.Join(names, ", ") }
