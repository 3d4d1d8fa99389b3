package ir

import (
	"errors"
	"fmt"
	"slices"
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
	// Pipelines rewrite rules before they are compiled; nil leaves them as they
	// are. See sigma/pipeline.
	Pipelines Rewriter
	// Aliases are the names under which a rule's fields are looked for besides
	// their own, by log source; nil looks for fields as rules name them.
	Aliases Aliases
}

// Rewriter changes rules for the records that they are to be held against.
type Rewriter interface {
	// Rewrite gives copies of the rule and of the filters that cover it, changed;
	// what is handed in stays as it is. Places stay those of the rule as written.
	// With an error the copies are of no use.
	Rewrite(r *sigma.Rule, filters []*sigma.Filter) (*sigma.Rule, []*sigma.Filter, []*sigma.Error)
}

// Compile translates rules. What cannot be translated is left out and told; an
// id that was met before is refused, because findings are told apart by it. So is
// what unfolds beyond the bounds of bounds.go, of a rule and of all of them.
//
// A filter that cannot be translated is told once and left out: the rules it
// covers go on without it. They find more than they should, and lose nothing.
func Compile(rules []*sigma.Rule, o Options) (*Program, []*sigma.Error) {
	c := &compiler{options: o, program: &Program{}, known: map[atomKey]AtomID{}, met: map[string]*sigma.Rule{}}
	var refused []*sigma.Error
	for _, r := range rules {
		if first := c.met[r.Key()]; first != nil {
			refused = append(refused, r.Errorf(r.Places["id"], "another rule is called %s already: %s:%d", r.Key(), first.File, first.Pos.Line))
			continue
		}
		c.errs, c.spent = nil, cost{}
		kept := len(c.program.Atoms)
		as, expr := c.rule(r)
		if len(c.errs) > 0 {
			refused = append(refused, c.errs...)
			c.forget(kept)
			continue
		}
		c.total.add(c.spent)
		c.met[r.Key()] = r
		c.program.Rules = append(c.program.Rules, Rule{r, as, as.LogSource, expr})
	}
	return c.program, append(refused, c.brokenFilters()...)
}

type compiler struct {
	options Options
	program *Program
	known   map[atomKey]AtomID
	met     map[string]*sigma.Rule // by key

	current *sigma.Rule
	filter  *sigma.Filter       // while a filter's part is compiled
	aliased map[string][]string // names of the current rule's fields, once asked for
	errs    []*sigma.Error
	broken  []*brokenFilter

	spent, total cost // of the current rule, and of those that are kept
}

func (c *compiler) fail(pos sigma.Pos, format string, args ...any) {
	if c.filter != nil {
		c.errs = append(c.errs, c.filter.Errorf(pos, format, args...))
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
	key := keyOf(&a)
	id, ok := c.known[key]
	if !ok {
		id = AtomID(len(c.program.Atoms))
		c.program.Atoms = append(c.program.Atoms, a)
		c.known[key] = id
	}
	return id
}

func keyOf(a *Atom) atomKey {
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
	return key
}

// forget drops the atoms that a refused rule or filter added.
func (c *compiler) forget(kept int) {
	for i := range c.program.Atoms[kept:] {
		delete(c.known, keyOf(&c.program.Atoms[kept+i]))
	}
	clear(c.program.Atoms[kept:])
	c.program.Atoms = c.program.Atoms[:kept]
}

// rule gives r as the pipelines leave it, and what it means.
func (c *compiler) rule(r *sigma.Rule) (*sigma.Rule, *Node) {
	var filters []*sigma.Filter
	for _, f := range c.options.Filters {
		if f.Covers(r) {
			filters = append(filters, f)
		}
	}
	r, given, filters := c.rewritten(r, filters)
	if r == nil {
		return nil, nil
	}
	c.current, c.filter, c.aliased = r, nil, map[string][]string{}
	exprs := []*Node{c.detection(&r.Detection)}
	for i, f := range filters {
		exprs = append(exprs, c.filtered(given[i], f))
	}
	exprs = without(exprs)
	if len(exprs) == 0 {
		if len(c.errs) == 0 {
			c.fail(r.Places["detection"], "pipelines leave nothing to look for")
		}
		return r, nil
	}
	// One after the other, so that a filter is a node of its own.
	expr := exprs[0]
	for _, x := range exprs[1:] {
		expr = &Node{Op: And, X: []*Node{expr, x}}
	}
	if len(r.Detection.Conditions) > 0 && expr.size(maxNodes) > maxNodes {
		c.fail(r.Detection.Conditions[0].At(0), "condition: unfolds into more than %d comparisons", maxNodes)
	}
	return r, expr
}

// without gives xs without those that say nothing.
func without(xs []*Node) []*Node {
	var out []*Node
	for _, x := range xs {
		if x != nil {
			out = append(out, x)
		}
	}
	return out
}

// detection joins the conditions of d; they are alternatives. Nil: nothing is
// left of it.
func (c *compiler) detection(d *sigma.Detection) *Node {
	searches := map[string]*Node{}
	for i := range d.Searches {
		s := &d.Searches[i]
		searches[s.Name] = c.search(s)
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
	all := []*Node{join(Or, alternatives)}
	for i := range d.Required {
		x := c.search(&d.Required[i].Search)
		if x != nil && d.Required[i].Not {
			x = &Node{Op: Not, X: []*Node{x}}
		}
		all = append(all, x)
	}
	return join(And, all)
}

// condition is what e means. Nil: every search it speaks of was emptied by a
// pipeline, so it says nothing.
func (c *compiler) condition(e *cond.Expr, at sigma.Condition, d *sigma.Detection, searches map[string]*Node) *Node {
	switch e.Op {
	case cond.Ident:
		n, known := searches[e.Name]
		if !known {
			c.fail(at.At(e.Offset), "condition: there is no search called %q", e.Name)
			return &Node{Op: Or}
		}
		return n
	case cond.Of:
		return c.of(e, at, d, searches)
	case cond.Not:
		x := c.condition(e.X[0], at, d, searches)
		if x == nil {
			return nil
		}
		return &Node{Op: Not, X: []*Node{x}}
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

// of is "N of a pattern".
func (c *compiler) of(e *cond.Expr, at sigma.Condition, d *sigma.Detection, searches map[string]*Node) *Node {
	var xs []*Node
	for i := range d.Searches {
		if name := d.Searches[i].Name; cond.Matches(e.Name, name) {
			xs = append(xs, searches[name])
		}
	}
	written := len(xs)
	xs = without(xs)
	switch {
	case written == 0:
		c.fail(at.At(e.Offset), "condition: no search matches %q", e.Name)
	case e.N > written:
		c.fail(at.At(e.Offset), "condition: asks for %d of %q, but only %d searches match", e.N, e.Name, written)
	case e.N == cond.All:
		return join(And, xs)
	case e.N > len(xs) && e.N > 1:
		c.fail(at.At(e.Offset), "condition: asks for %d of %q, but pipelines leave only %d searches", e.N, e.Name, len(xs))
	case e.N > 1:
		return &Node{Op: AtLeast, N: e.N, X: xs}
	}
	return join(Or, xs)
}

// join is xs under op; one of them stands for itself, and those that say nothing
// are passed over.
func join(op NodeOp, xs []*Node) *Node {
	switch xs = without(xs); len(xs) {
	case 0:
		return nil
	case 1:
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
	if groups = without(groups); len(groups) == 0 {
		return nil
	}
	// A node of its own, so that the name does not stick to what it wraps.
	op := Or
	if len(groups) == 1 {
		op = And
	}
	return &Node{Op: op, X: groups, Search: s.Name, Pos: s.Pos}
}

func (c *compiler) item(it *sigma.Item) *Node {
	if len(it.Parts) > 0 {
		return c.parts(it)
	}
	nothing := &Node{Op: Or}
	if c.spent.over {
		return nothing
	}
	if err := selector(it.Field); err != nil {
		c.fail(it.Pos, "%s: %v", c.keyOf(it), err)
		return nothing
	}
	m, err := parseModifiers(it.Modifiers)
	if err != nil {
		c.fail(it.Pos, "%s: %v", c.keyOf(it), err)
		return nothing
	}
	if m.expand && !holdsPlaceholder(it, m) {
		c.fail(it.Values[0].Pos, "%s: expand is given but no value holds a %%placeholder%%", c.keyOf(it))
		return nothing
	}
	var values []*Node
	leaves := 0
	for _, v := range it.Values {
		found, err := c.atoms(it, v, m)
		if err != nil {
			c.fail(v.Pos, "%s: %v", c.keyOf(it), err)
			if c.spent.over {
				break
			}
			continue
		}
		if leaves += len(found) * len(c.names(it.Field)); leaves > maxExpansions {
			c.fail(v.Pos, "%s: unfolds into more than %d comparisons", c.keyOf(it), maxExpansions)
			break
		}
		if err := c.spend(found, len(c.names(it.Field))); err != nil {
			c.fail(v.Pos, "%s: %v", c.keyOf(it), err)
			break
		}
		var alternatives []*Node
		for _, a := range found {
			alternatives = append(alternatives, c.leaf(a, it.Key, v))
		}
		value := join(Or, alternatives)
		if value == nil { // too short to leave a trace in Base64
			value = nothing
		}
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

// parts is an item that a pipeline made several of.
func (c *compiler) parts(it *sigma.Item) *Node {
	n := &Node{Op: Or, Key: it.Key, Pos: it.Pos}
	if it.Every {
		n.Op = And
	}
	for i := range it.Parts {
		n.X = append(n.X, c.item(&it.Parts[i]))
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
	for _, t := range p {
		if t.kind != placeholder {
			for i := range out {
				out[i] = append(out[i], t)
			}
			continue
		}
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
		if out = next; textOf(out) > maxText {
			return nil, fmt.Errorf("placeholders unfold into more than %d bytes", maxText)
		}
	}
	return out, nil
}

// holdsPlaceholder tells whether any value of it holds a placeholder.
func holdsPlaceholder(it *sigma.Item, m modifiers) bool {
	return slices.ContainsFunc(it.Values, func(v sigma.Value) bool {
		if m.kind == "re" {
			_, found, _ := ExpandRegex(v.Text, func(string) ([]string, bool) { return nil, false })
			return found
		}
		return v.Kind == sigma.String && ParseText(v.Text, true).HasPlaceholder()
	})
}

func list(names []string) string { return strings.Join(names, ", ") }
