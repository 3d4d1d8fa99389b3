package sigma

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// CorrelationType is what a correlation looks at.
type CorrelationType string

// The types. ValueMedian is not in the specification, but in pySigma.
const (
	EventCount      CorrelationType = "event_count"
	ValueCount      CorrelationType = "value_count"
	Temporal        CorrelationType = "temporal"
	TemporalOrdered CorrelationType = "temporal_ordered"
	ValueSum        CorrelationType = "value_sum"
	ValueAvg        CorrelationType = "value_avg"
	ValuePercentile CorrelationType = "value_percentile"
	ValueMedian     CorrelationType = "value_median"
)

var correlationTypes = []CorrelationType{EventCount, ValueCount, Temporal, TemporalOrdered, ValueSum, ValueAvg, ValuePercentile, ValueMedian}

// temporal: the type looks at which rules matched, not at how often or with what.
func (t CorrelationType) temporal() bool { return t == Temporal || t == TemporalOrdered }

// Correlation is one correlation rule as it is written.
type Correlation struct {
	Meta
	Type     CorrelationType
	Rules    []Reference
	GroupBy  []string
	Timespan time.Duration
	Span     string // the timespan as written: "5m"
	// Condition is nil where a temporal type leaves it out: all rules.
	Condition *Threshold
	// Extended is the boolean condition of a temporal type, "a and not b", as
	// proposed for specification 2.2; its Text is empty where there is none.
	Extended Condition
	Aliases  []Alias
	// Generate: the rules that are referred to give findings of their own too.
	Generate bool

	// At is where the keys of the correlation section stand.
	At map[string]Pos
}

// Refers tells whether c names the rule or correlation of m, by id or by name.
func (c *Correlation) Refers(m *Meta) bool {
	return slices.ContainsFunc(c.Rules, func(r Reference) bool {
		return r.Rule != "" && (r.Rule == m.ID || r.Rule == m.Name)
	})
}

// Reference is the id or the name of a rule.
type Reference struct {
	Rule string
	Pos  Pos
}

// Threshold is the condition on the number that a correlation comes to. All
// limits have to hold.
type Threshold struct {
	Limits []Limit // one, or a lower one and an upper one
	Fields []string
	// Percentile is 0 to 100, and nil where it is not given.
	Percentile *float64
	Pos        Pos
}

// Limit is one comparison: gt, gte, lt, lte, eq or neq.
type Limit struct {
	Op    string
	Value float64
	Pos   Pos
}

// Holds tells whether v is within the limit.
func (l Limit) Holds(v float64) bool {
	switch l.Op {
	case "gt":
		return v > l.Value
	case "gte":
		return v >= l.Value
	case "lt":
		return v < l.Value
	case "lte":
		return v <= l.Value
	case "neq":
		return v != l.Value
	}
	return v == l.Value
}

// Holds tells whether v is within all limits.
func (t *Threshold) Holds(v float64) bool {
	for _, l := range t.Limits {
		if !l.Holds(v) {
			return false
		}
	}
	return true
}

// String is the limits as people read them: "> 100 and <= 200".
func (t *Threshold) String() string {
	signs := map[string]string{"gt": ">", "gte": ">=", "lt": "<", "lte": "<=", "eq": "=", "neq": "!="}
	var parts []string
	for _, l := range t.Limits {
		parts = append(parts, signs[l.Op]+" "+strconv.FormatFloat(l.Value, 'f', -1, 64))
	}
	return strings.Join(parts, " and ")
}

// Alias is a name for fields that the rules of a correlation name differently.
type Alias struct {
	Name   string
	Fields []AliasField
	Pos    Pos
}

// AliasField says which field of a rule's events an alias stands for.
type AliasField struct {
	Rule  string // id or name
	Field string
	Pos   Pos
}

func (p *parser) correlationDocument(top *yaml.Node, fields map[string]field) *Correlation {
	c := &Correlation{At: map[string]Pos{}}
	p.meta(&c.Meta, top, func(key string, pos Pos, v *yaml.Node) bool {
		switch key {
		case "correlation":
			p.correlation(c, pos, v)
		case "generate":
			c.Generate = p.boolean(v, key)
		case "detection", "logsource", "filter":
			p.fail(pos, "a correlation has no %s: write the rule as a document of its own and name it under rules", key)
		default:
			return false
		}
		return true
	})
	p.required(c.Pos, fields, "title")
	return c
}

func (p *parser) correlation(c *Correlation, at Pos, n *yaml.Node) {
	ok := p.each(n, "correlation", func(key string, pos Pos, v *yaml.Node) {
		c.At[key] = pos
		switch key {
		case "type":
			c.Type = CorrelationType(p.text(v, key))
			if !slices.Contains(correlationTypes, c.Type) {
				p.fail(p.pos(v), "%q is no type of correlation: expected one of %s", c.Type, joinTypes())
			}
		case "rules":
			c.Rules = p.references(v)
		case "group-by":
			c.GroupBy = p.names(v, key)
		case "timespan":
			c.Timespan = p.timespan(v)
			c.Span = strings.TrimSpace(v.Value)
		case "condition":
			p.threshold(c, v)
		case "aliases":
			c.Aliases = p.aliases(v)
		case "generate":
			c.Generate = p.boolean(v, key)
		default:
			p.fail(pos, "%q is no key of a correlation: expected type, rules, group-by, timespan, condition, aliases or generate", key)
		}
	})
	if !ok {
		return
	}
	for _, key := range []string{"type", "rules", "timespan"} {
		if _, ok := c.At[key]; !ok {
			p.fail(at, "%s is missing in the correlation", key)
		}
	}
	p.fitsType(c, at)
}

// fitsType checks the condition against the type.
func (p *parser) fitsType(c *Correlation, at Pos) {
	if len(p.errs) > 0 {
		return
	}
	t := c.Condition
	switch {
	case c.Extended.Text != "" && !c.Type.temporal():
		p.fail(c.Extended.Pos, "condition of %s is text: expected a mapping such as {gte: 10}", c.Type)
		return
	case t == nil && !c.Type.temporal():
		p.fail(at, "condition is missing in the correlation: %s needs one", c.Type)
		return
	case t == nil:
		return
	}
	switch c.Type {
	case EventCount, Temporal, TemporalOrdered:
		if len(t.Fields) > 0 {
			p.fail(t.Pos, "%s looks at no field: value_count does", c.Type)
		}
	case ValueCount:
		if len(t.Fields) == 0 {
			p.fail(t.Pos, "condition of value_count names no field")
		}
	default:
		if len(t.Fields) != 1 {
			p.fail(t.Pos, "condition of %s names %d fields: expected one", c.Type, len(t.Fields))
		}
	}
	if t.Percentile != nil && c.Type != ValuePercentile {
		p.fail(t.Pos, "percentile belongs to value_percentile, not to %s", c.Type)
	}
}

func joinTypes() string {
	var names []string
	for _, t := range correlationTypes {
		names = append(names, string(t))
	}
	return strings.Join(names, ", ")
}

func (p *parser) references(n *yaml.Node) []Reference {
	nodes := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		nodes = p.entries(n)
	}
	var out []Reference
	for _, x := range nodes {
		r := Reference{p.text(x, "an entry of rules"), p.pos(x)}
		switch {
		case r.Rule == "" && x.Kind == yaml.ScalarNode:
			p.fail(r.Pos, "an entry of rules is empty: expected the id or name of a rule")
		case slices.ContainsFunc(out, func(o Reference) bool { return o.Rule == r.Rule }):
			p.fail(r.Pos, "rule %q is named twice", r.Rule)
		}
		out = append(out, r)
	}
	if len(out) == 0 {
		p.fail(p.pos(n), "rules is empty: expected ids or names of rules")
	}
	return out
}

// names reads a list of fields.
func (p *parser) names(n *yaml.Node, what string) []string {
	list := p.list(n, what)
	for i, name := range list {
		if name == "" {
			p.fail(p.pos(n), "an entry of %s is empty", what)
		} else if strings.Contains(name, "|") {
			p.fail(p.pos(n), "%q in %s has modifiers: a correlation takes fields as they are, modifiers belong into its rules", name, what)
		} else if slices.Contains(list[:i], name) {
			p.fail(p.pos(n), "%q is named twice in %s", name, what)
		}
	}
	return list
}

func (p *parser) boolean(n *yaml.Node, what string) bool {
	if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" {
		p.fail(p.pos(n), "%s is %s: expected true or false", what, describe(n))
		return false
	}
	return strings.EqualFold(n.Value, "true")
}

// spans are the letters of a timespan in seconds. A month and a year are those
// of the calendar on average, as pySigma has them: 365.2425 days a year.
var spans = map[byte]int64{'s': 1, 'm': 60, 'h': 3600, 'd': 86400, 'w': 604800, 'M': 2629746, 'y': 31556952}

// MaxTimespan is the longest timespan that is taken.
const MaxTimespan = 10 * 31556952 * time.Second

func (p *parser) timespan(n *yaml.Node) time.Duration {
	text := p.text(n, "timespan")
	if text == "" {
		p.fail(p.pos(n), "timespan is empty")
		return 0
	}
	last := len(text) - 1
	count, err := strconv.ParseInt(text[:last], 10, 64)
	unit, ok := spans[text[last]]
	switch {
	case err != nil || !ok || text[0] == '+':
		p.fail(p.pos(n), "timespan is %q: expected a number and one of s, m (minutes), h, d, w, M (months), y", text)
	case count <= 0:
		p.fail(p.pos(n), "timespan is %q: expected more than nothing", text)
	case count > int64(MaxTimespan/time.Second)/unit:
		p.fail(p.pos(n), "timespan is %q: ten years are the most", text)
	default:
		return time.Duration(count*unit) * time.Second
	}
	return 0
}

// threshold reads the condition: a mapping of limits, or text.
func (p *parser) threshold(c *Correlation, n *yaml.Node) {
	if n.Kind == yaml.ScalarNode && n.Tag == "!!str" {
		if all := p.conditions(n); len(all) == 1 {
			c.Extended = all[0]
			if strings.TrimSpace(n.Value) == "" {
				p.fail(p.pos(n), "condition is empty")
			}
		}
		return
	}
	t := &Threshold{Pos: p.pos(n)}
	c.Condition = t
	limits := 0 // written, also those that are no numbers
	ok := p.each(n, "condition", func(key string, pos Pos, v *yaml.Node) {
		switch key {
		case "gt", "gte", "lt", "lte", "eq", "neq":
			limits++
			if x, ok := p.number(v, key); ok {
				t.Limits = append(t.Limits, Limit{key, x, pos})
			}
		case "field":
			t.Fields = p.names(v, key)
			if len(t.Fields) == 0 {
				p.fail(p.pos(v), "field is empty")
			}
		case "percentile":
			x, ok := p.number(v, key)
			if ok && (x < 0 || x > 100) {
				p.fail(p.pos(v), "percentile is %v: expected 0 to 100", x)
			}
			t.Percentile = &x
		default:
			p.fail(pos, "%q is no key of a condition: expected gt, gte, lt, lte, eq, neq, field or percentile", key)
		}
	})
	if !ok {
		return
	}
	lower, upper, exact := 0, 0, 0
	for _, l := range t.Limits {
		switch l.Op {
		case "gt", "gte":
			lower++
		case "lt", "lte":
			upper++
		default:
			exact++
		}
	}
	switch {
	case limits == 0:
		p.fail(t.Pos, "condition names no limit: expected gt, gte, lt, lte, eq or neq")
	case exact > 0 && len(t.Limits) > 1, lower > 1, upper > 1:
		p.fail(t.Pos, "condition names limits that do not go together: expected one, or a lower and an upper one")
	}
}

func (p *parser) number(n *yaml.Node, what string) (float64, bool) {
	if n.Kind == yaml.ScalarNode && (n.Tag == "!!int" || n.Tag == "!!float") {
		if text, ok := decimal(n.Value, n.Tag == "!!int"); ok {
			if x, err := strconv.ParseFloat(text, 64); err == nil && !math.IsInf(x, 0) {
				return x, true
			}
		}
	}
	p.fail(p.pos(n), "%s is %s: expected a number", what, describe(n))
	return 0, false
}

func (p *parser) aliases(n *yaml.Node) []Alias {
	var out []Alias
	p.each(n, "aliases", func(name string, pos Pos, v *yaml.Node) {
		a := Alias{Name: name, Pos: pos}
		p.each(v, "alias "+strconv.Quote(name), func(rule string, at Pos, f *yaml.Node) {
			field := p.text(f, "the field of "+strconv.Quote(rule))
			if field == "" && f.Kind == yaml.ScalarNode {
				p.fail(p.pos(f), "the field of %q is empty", rule)
			} else if strings.Contains(field, "|") {
				p.fail(p.pos(f), "the field %q of %q has modifiers: a correlation takes fields as they are", field, rule)
			}
			a.Fields = append(a.Fields, AliasField{rule, field, at})
		})
		out = append(out, a)
	})
	return out
}
