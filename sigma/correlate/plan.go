package correlate

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/match"
)

// Options is what correlations are compiled with.
type Options struct {
	// Extended allows boolean conditions over rules, such as "a and not b",
	// which specification 2.1 does not know. Without it they are refused.
	Extended bool
}

// Plan is correlations ready to be evaluated. It never changes and may be
// shared.
type Plan struct {
	// Correlations in an order in which each stands behind those that feed it.
	Correlations []*Correlation
	// Bases are the rules whose hits they need.
	Bases []*Base

	byRule map[*sigma.Rule]*Base
	quiet  map[*sigma.Meta]bool
}

// Correlation is a compiled correlation.
type Correlation struct {
	*sigma.Correlation

	// Findings: firings are worth telling of their own. False where another
	// correlation refers to this one and does not say generate: true.
	Findings bool
	// Bases are the rules it rests on, those of its chain included.
	Bases []*Base
	// Chain is the correlations that feed it, directly or not.
	Chain []*Correlation

	// Reach bounds what matters: whether a base hit at t contributes to a firing
	// depends on no base hit before t-Reach or after t+Reach.
	Reach time.Duration
	// Depth is how long before a firing the hits it rests on may be.
	Depth time.Duration
	// Wait is how long after a hit it may take until all is known that its
	// being alone leads to: 0 unless the correlation says that something did
	// not happen or not too often.
	Wait time.Duration

	evidence time.Duration // how long before a firing lies all it depends on
	members  []member
	place    map[any]int // of members, by *Base and *Correlation
	// through is where members have fields that are asked of firings and that
	// these are not grouped by.
	through  map[string][]column
	mode     mode
	extended *extended // nil unless the condition is boolean
	text     string    // of the condition
	least    float64   // the largest limit: memory has to hold as many hits
}

// mode is when the condition of a correlation is looked at.
type mode uint8

const (
	// atHits: whenever a hit comes, over the timespan that ends with it.
	atHits mode = iota
	// atClose: when no later hit can change it, over the fullest timespan.
	atClose
	// atSilence: when a timespan has passed since the last hit.
	atSilence
)

// member is a rule or correlation that another one refers to.
type member struct {
	base   *Base        // or
	child  *Correlation // one of the two
	group  []column     // of group-by, as this member names them
	values []column     // of the condition
}

// column is a field of a member's hits.
type column struct {
	field string
	at    int // in the values of a base rule's hit, in the group of a firing, or -1
}

// Base is a rule whose hits are correlated.
type Base struct {
	Rule *sigma.Rule
	// Fields are those of which a hit has to bring the values.
	Fields []string
	// Findings: the rule gives findings of its own. False, as the specification
	// has it, unless a correlation that refers to it says generate: true.
	Findings bool

	order  int            // among all rules that correlations refer to
	at     map[string]int // of Fields
	reader *match.Fields
}

// Base gives what the plan needs of a rule; nil: nothing.
func (p *Plan) Base(r *sigma.Rule) *Base { return p.byRule[r] }

// Quiet tells whether a rule or correlation gives no findings of its own,
// because it only serves correlations.
func (p *Plan) Quiet(m *sigma.Meta) bool { return p.quiet[m] }

// Only is the plan of one correlation with its chain. Hits made for p serve it.
func (p *Plan) Only(c *Correlation) *Plan {
	out := &Plan{byRule: map[*sigma.Rule]*Base{}, quiet: p.quiet, Bases: c.Bases}
	for _, b := range c.Bases {
		out.byRule[b.Rule] = b
	}
	for _, x := range p.Correlations {
		if x == c || slices.Contains(c.Chain, x) {
			out.Correlations = append(out.Correlations, x)
		}
	}
	return out
}

// Compile makes a plan of the correlations that can be evaluated, and tells of
// the others. Rules are those that are held against records: a correlation that
// refers to another rule is refused.
func Compile(correlations []*sigma.Correlation, rules []*sigma.Rule, o Options) (*Plan, []*sigma.Error) {
	c := &compiler{
		options: o, rules: map[string][]*sigma.Rule{}, correlations: map[string][]*sigma.Correlation{},
		done: map[*sigma.Correlation]*Correlation{}, state: map[*sigma.Correlation]visit{},
		plan: &Plan{byRule: map[*sigma.Rule]*Base{}, quiet: map[*sigma.Meta]bool{}},
	}
	for _, r := range rules {
		for _, name := range names(&r.Meta) {
			c.rules[name] = append(c.rules[name], r)
		}
	}
	for _, x := range correlations {
		for _, name := range names(&x.Meta) {
			c.correlations[name] = append(c.correlations[name], x)
		}
	}
	c.sameIDs(correlations, rules)
	for _, x := range correlations {
		c.correlation(x)
	}
	c.finish()
	return c.plan, c.errs
}

// names are what a rule is referred to by.
func names(m *sigma.Meta) []string {
	var out []string
	for _, name := range []string{m.ID, m.Name} {
		if name != "" && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// sameIDs refuses a correlation with the id of a rule or of a correlation before
// it: findings are told apart by ids, whatever they are of.
func (c *compiler) sameIDs(correlations []*sigma.Correlation, rules []*sigma.Rule) {
	first := map[string]string{}
	for _, r := range rules {
		if r.ID != "" && first[r.ID] == "" {
			first[r.ID] = fmt.Sprintf("the rule %q, %s:%d", r.Title, r.File, r.Pos.Line)
		}
	}
	for _, x := range correlations {
		switch taken := first[x.ID]; {
		case x.ID == "":
		case taken != "":
			c.state[x] = refused
			c.errs = append(c.errs, x.Errorf(x.Places["id"], "id %s is that of %s already: every rule and every correlation has its own", x.ID, taken))
		default:
			first[x.ID] = fmt.Sprintf("the correlation %q, %s:%d", x.Title, x.File, x.Pos.Line)
		}
	}
}

type visit uint8

const (
	fresh visit = iota
	begun
	compiled
	refused
)

type compiler struct {
	options      Options
	rules        map[string][]*sigma.Rule
	correlations map[string][]*sigma.Correlation
	done         map[*sigma.Correlation]*Correlation
	state        map[*sigma.Correlation]visit
	path         []*sigma.Correlation // being compiled, each fed by the next
	plan         *Plan
	errs         []*sigma.Error
}

// correlation compiles x after what feeds it; nil where it is refused.
func (c *compiler) correlation(x *sigma.Correlation) *Correlation {
	if c.state[x] != fresh {
		return c.done[x]
	}
	c.state[x] = begun
	c.path = append(c.path, x)
	before := len(c.errs)
	fail := func(pos sigma.Pos, format string, args ...any) {
		c.errs = append(c.errs, x.Errorf(pos, format, args...))
	}
	out := &Correlation{Correlation: x, place: map[any]int{}, through: map[string][]column{}, Findings: true}
	for _, ref := range x.Rules {
		c.member(out, ref, fail)
	}
	c.path = c.path[:len(c.path)-1]
	if len(c.errs) == before {
		c.aliases(out, fail)
		c.condition(out, fail)
	}
	if len(c.errs) == before {
		if out.spans(); out.evidence > maxEvidence {
			fail(x.At["timespan"], "with the correlations it rests on it looks back over more than a century")
		}
	}
	if c.state[x] == refused || len(c.errs) > before {
		c.state[x] = refused
		return nil
	}
	c.state[x], c.done[x] = compiled, out
	c.plan.Correlations = append(c.plan.Correlations, out)
	return out
}

// member resolves a reference.
func (c *compiler) member(out *Correlation, ref sigma.Reference, fail func(sigma.Pos, string, ...any)) {
	rules, chained := c.rules[ref.Rule], c.correlations[ref.Rule]
	var m member
	var key any
	switch {
	case len(rules)+len(chained) == 0:
		fail(ref.Pos, "there is no rule with the id or name %q", ref.Rule)
		return
	case len(rules)+len(chained) > 1:
		fail(ref.Pos, "%q is the id or name of several rules: %s", ref.Rule, places(rules, chained))
		return
	case len(rules) == 1:
		m.base = c.base(rules[0])
		key = m.base
	default:
		x := chained[0]
		if c.state[x] == begun {
			c.cycle(x)
			return
		}
		if m.child = c.correlation(x); m.child == nil {
			if c.state[out.Correlation] != refused { // else the cycle is told already
				fail(ref.Pos, "correlation %q, which it refers to, is refused", ref.Rule)
			}
			return
		}
		key = m.child
	}
	if _, twice := out.place[key]; twice {
		fail(ref.Pos, "rule %q is named twice, by its id and by its name", ref.Rule)
		return
	}
	out.place[key] = len(out.members)
	out.members = append(out.members, m)
}

// cycle refuses every correlation of the path from x on.
func (c *compiler) cycle(x *sigma.Correlation) {
	at := slices.Index(c.path, x)
	var keys []string
	for _, y := range append(slices.Clone(c.path[at:]), x) {
		keys = append(keys, y.Key())
	}
	for _, y := range c.path[at:] {
		if c.state[y] != refused {
			c.state[y] = refused
			c.errs = append(c.errs, y.Errorf(y.At["rules"], "correlations refer to each other in a circle: %s", strings.Join(keys, " -> ")))
		}
	}
}

func places(rules []*sigma.Rule, chained []*sigma.Correlation) string {
	var out []string
	for _, r := range rules {
		out = append(out, r.Errorf(r.Pos, "rule %s", r.Key()).Error())
	}
	for _, x := range chained {
		out = append(out, x.Errorf(x.Pos, "correlation %s", x.Key()).Error())
	}
	return strings.Join(out, ", ")
}

func (c *compiler) base(r *sigma.Rule) *Base {
	b := c.plan.byRule[r]
	if b == nil {
		b = &Base{Rule: r, order: len(c.plan.byRule), at: map[string]int{}}
		c.plan.byRule[r] = b
	}
	return b
}

// aliases gives each member the fields of group-by and condition as it names
// them. What an alias says nothing of keeps its name.
func (c *compiler) aliases(out *Correlation, fail func(sigma.Pos, string, ...any)) {
	for _, a := range out.Aliases {
		for _, f := range a.Fields {
			if out.memberNamed(f.Rule) < 0 {
				fail(f.Pos, "alias %q names rule %q, which is not among the rules of the correlation", a.Name, f.Rule)
			}
		}
	}
	for i := range out.members {
		m := &out.members[i]
		for _, name := range out.GroupBy {
			m.group = append(m.group, m.need(out.field(i, name)))
		}
		if out.Condition != nil {
			for _, name := range out.Condition.Fields {
				m.values = append(m.values, m.need(out.field(i, name)))
			}
		}
	}
}

// memberNamed is the place of the member with that id or name, or -1.
func (c *Correlation) memberNamed(name string) int {
	for i := range c.members {
		if slices.Contains(names(c.members[i].meta()), name) {
			return i
		}
	}
	return -1
}

// field is how member i names a field of the correlation.
func (c *Correlation) field(i int, name string) string {
	for _, a := range c.Aliases {
		if a.Name != name {
			continue
		}
		for _, f := range a.Fields {
			if c.memberNamed(f.Rule) == i {
				return f.Field
			}
		}
	}
	return name
}

func (m *member) meta() *sigma.Meta {
	if m.base != nil {
		return &m.base.Rule.Meta
	}
	return &m.child.Meta
}

// need makes sure that hits of the member bring a field. A correlation that does
// not group by it takes it from what it rests on.
func (m *member) need(field string) column {
	if b := m.base; b != nil {
		at, ok := b.at[field]
		if !ok {
			at = len(b.Fields)
			b.at[field] = at
			b.Fields = append(b.Fields, field)
		}
		return column{field, at}
	}
	if at := slices.Index(m.child.GroupBy, field); at >= 0 {
		return column{field, at}
	}
	if _, ok := m.child.through[field]; !ok {
		var columns []column
		for i := range m.child.members {
			columns = append(columns, m.child.members[i].need(m.child.field(i, field)))
		}
		m.child.through[field] = columns
	}
	return column{field, -1}
}

// maxEvidence keeps sums of timespans far from what a duration can hold.
const maxEvidence = 100 * 366 * 24 * time.Hour

// spans works out how far the correlation looks.
func (c *Correlation) spans() {
	t := c.Timespan
	reach, depth, evidence, wait := t, t, t, time.Duration(0)
	switch {
	case c.extended != nil && c.extended.negative():
		reach, depth, evidence, wait = 2*t, 2*t, 2*t, 2*t
	case c.mode != atHits:
		depth, evidence, wait = 2*t, 3*t, 2*t
	}
	var below, belowDepth time.Duration
	for _, m := range c.members {
		if m.child == nil {
			c.rests(m.base)
			continue
		}
		below, belowDepth = max(below, m.child.evidence), max(belowDepth, m.child.Depth)
		if m.child.Wait > 0 {
			wait = max(wait, 1)
		}
		for _, b := range m.child.Bases {
			c.rests(b)
		}
		for _, x := range append(slices.Clone(m.child.Chain), m.child) {
			if !slices.Contains(c.Chain, x) {
				c.Chain = append(c.Chain, x)
			}
		}
	}
	c.Reach, c.Depth, c.evidence = reach+below, depth+belowDepth, evidence+below
	if wait > 0 {
		c.Wait = wait + belowDepth
	}
}

func (c *Correlation) rests(b *Base) {
	if !slices.Contains(c.Bases, b) {
		c.Bases = append(c.Bases, b)
	}
}

// finish settles who gives findings, for the correlations that are left.
func (c *compiler) finish() {
	generated := map[*sigma.Meta]bool{}
	for _, x := range c.plan.Correlations {
		for i := range x.members {
			meta := x.members[i].meta()
			generated[meta] = generated[meta] || x.Generate
		}
		for _, b := range x.Bases {
			if !slices.Contains(c.plan.Bases, b) {
				c.plan.Bases = append(c.plan.Bases, b)
			}
		}
	}
	c.plan.byRule = map[*sigma.Rule]*Base{}
	for _, b := range c.plan.Bases {
		c.plan.byRule[b.Rule] = b
		b.Findings = generated[&b.Rule.Meta]
		c.plan.quiet[&b.Rule.Meta] = !b.Findings
		b.reader = match.NewFields(b.Fields)
	}
	for _, x := range c.plan.Correlations {
		if own, ok := generated[&x.Meta]; ok {
			x.Findings = own
			c.plan.quiet[&x.Meta] = !own
		}
	}
}
