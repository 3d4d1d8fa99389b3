package pipeline

import (
	"fmt"
	"maps"
	"slices"

	"github.com/yagura-sec/yagura/sigma"
)

// work is a rule on its way through pipelines.
type work struct {
	rule    *sigma.Rule     // a copy
	filters []*sigma.Filter // copies
	parts   []*detection    // of the rule, then of the filters

	// A correlation is on its way as a rule without searches; refers are the
	// rules it refers to.
	correlation *sigma.Correlation
	refers      []*sigma.Rule

	vars    map[string][]string
	state   map[string]sigma.Value
	applied map[string]bool            // steps that were applied to the rule, by id
	fields  map[string]map[string]bool // steps that gave a field its name, by field
	mapped  map[string]bool            // names that a step mapped, or mapped to
	size    int                        // items made so far
	errs    []*sigma.Error
}

// maxItems bounds how many items a rule may grow to.
const maxItems = 20_000

// detection is the detection of a rule or of a filter, and where its mistakes are
// told.
type detection struct {
	to       *sigma.Detection
	searches []*search
	errorf   func(sigma.Pos, string, ...any) *sigma.Error
}

type search struct {
	as       sigma.Search // without its groups
	groups   [][]*node
	required bool // added by a step
	not      bool
}

// node is an item, or what a step made of one.
type node struct {
	in      *detection
	item    sigma.Item
	parts   []*node // in the item's place
	every   bool
	gone    bool
	applied map[string]bool
}

func newWork(r *sigma.Rule, filters []*sigma.Filter) *work {
	w := &work{vars: map[string][]string{}, state: map[string]sigma.Value{}, applied: map[string]bool{},
		fields: map[string]map[string]bool{}, mapped: map[string]bool{}}
	rule := *r
	rule.Fields, rule.Extra = slices.Clone(r.Fields), maps.Clone(r.Extra)
	w.rule = &rule
	w.parts = append(w.parts, w.detection(&rule.Detection, rule.Errorf))
	for _, f := range filters {
		filter := *f
		w.filters = append(w.filters, &filter)
		w.parts = append(w.parts, w.detection(&filter.Detection, func(at sigma.Pos, format string, args ...any) *sigma.Error {
			e := filter.Errorf(at, format, args...)
			e.Rule = rule.Key()
			return e
		}))
	}
	return w
}

func (w *work) detection(d *sigma.Detection, errorf func(sigma.Pos, string, ...any) *sigma.Error) *detection {
	out := &detection{to: d, errorf: errorf}
	for _, s := range d.Searches {
		out.searches = append(out.searches, w.search(out, s))
	}
	for _, q := range d.Required {
		s := w.search(out, q.Search)
		s.required, s.not = true, q.Not
		out.searches = append(out.searches, s)
	}
	return out
}

func (w *work) search(in *detection, s sigma.Search) *search {
	out := &search{as: s}
	out.as.Groups = nil
	for _, g := range s.Groups {
		var nodes []*node
		for _, it := range g {
			nodes = append(nodes, w.node(in, it))
		}
		out.groups = append(out.groups, nodes)
	}
	return out
}

func (w *work) node(in *detection, it sigma.Item) *node {
	w.size++
	n := &node{in: in, item: it, every: it.Every, applied: map[string]bool{}}
	for _, part := range it.Parts {
		n.parts = append(n.parts, w.node(in, part))
	}
	n.item.Parts, n.item.Every = nil, false
	n.item.Values = slices.Clone(it.Values)
	return n
}

// finish writes the copies back into the form of rules.
func (w *work) finish() {
	for _, d := range w.parts {
		d.to.Searches, d.to.Required = nil, nil
		for _, s := range d.searches {
			out := s.as
			for _, g := range s.groups {
				var items sigma.Group
				for _, n := range g {
					if it, ok := n.back(); ok {
						items = append(items, it)
					}
				}
				if len(items) > 0 {
					out.Groups = append(out.Groups, items)
				}
			}
			if s.required {
				d.to.Required = append(d.to.Required, sigma.Requirement{Search: out, Not: s.not})
			} else {
				d.to.Searches = append(d.to.Searches, out)
			}
		}
	}
}

// back is the item that n became. False: it was dropped.
func (n *node) back() (sigma.Item, bool) {
	if n.gone {
		return sigma.Item{}, false
	}
	if len(n.parts) == 0 {
		return n.item, true
	}
	out := n.item
	out.Every = n.every
	for _, part := range n.parts {
		if it, ok := part.back(); ok {
			out.Parts = append(out.Parts, it)
		}
	}
	return out, len(out.Parts) > 0
}

// leaves gives the items that are neither dropped nor made several of.
func (w *work) leaves() []*node {
	var out []*node
	var add func([]*node)
	add = func(ns []*node) {
		for _, n := range ns {
			switch {
			case n.gone:
			case len(n.parts) > 0:
				add(n.parts)
			default:
				out = append(out, n)
			}
		}
	}
	for _, d := range w.parts {
		for _, s := range d.searches {
			for _, g := range s.groups {
				add(g)
			}
		}
	}
	return out
}

// split puts parts in n's place.
func (w *work) split(n *node, parts []sigma.Item, every bool) {
	n.every = every
	for _, it := range parts {
		part := w.node(n.in, it)
		maps.Copy(part.applied, n.applied)
		n.parts = append(n.parts, part)
	}
}

// mark notes that step id changed n.
func (n *node) mark(id string) {
	if id == "" {
		return
	}
	n.applied[id] = true
	for _, part := range n.parts {
		part.mark(id)
	}
}

// has tells whether name is among the modifiers of n.
func (n *node) has(name string) bool { return slices.Contains(n.item.Modifiers, name) }

// fail refuses the rule at the place of n, or at its own where n is nil.
func (w *work) fail(n *node, s *step, format string, args ...any) {
	text := fmt.Sprintf(format, args...) + fmt.Sprintf(" (%s of the pipeline, %s:%d:%d)", s.kind, s.file, s.pos.Line, s.pos.Col)
	if n == nil {
		w.errs = append(w.errs, w.rule.Errorf(w.rule.Pos, "%s", text))
		return
	}
	w.errs = append(w.errs, n.in.errorf(n.item.Pos, "%s", text))
}

// run applies steps until one refuses the rule.
func (w *work) run(steps []*step) {
	for _, s := range steps {
		if !s.ofRule.hold(func(c ruleCondition) bool { return c(w, s) }) {
			continue
		}
		if len(w.errs) == 0 {
			s.do.apply(w, s)
		}
		if w.size > maxItems && len(w.errs) == 0 {
			w.fail(nil, s, "rule grows to more than %d items", maxItems)
		}
		if len(w.errs) > 0 {
			return
		}
		if s.id != "" {
			w.applied[s.id] = true
		}
	}
}

// each calls f for every item that the step's conditions are true of. What f says
// it changed is marked.
func (w *work) each(s *step, f func(*node) bool) {
	for _, n := range w.leaves() {
		if s.matches(w, n) && f(n) {
			n.mark(s.id)
		}
		if w.size > maxItems {
			return
		}
	}
}

// matches tells whether the conditions on items and on names of fields are true
// of n. The name of another field that n is compared with counts as well.
func (s *step) matches(w *work, n *node) bool {
	return s.ofItem.hold(func(c itemCondition) bool { return c(w, n) }) &&
		s.ofField.hold(func(c fieldCondition) bool {
			if c.item != nil {
				return c.item(n)
			}
			if c.name(w, n.item.Field) {
				return true
			}
			return n.has("fieldref") && slices.ContainsFunc(n.item.Values, func(v sigma.Value) bool { return c.name(w, v.Text) })
		})
}

// matchesName tells whether the conditions on names of fields are true of one.
func (s *step) matchesName(w *work, field string) bool {
	return s.ofField.hold(func(c fieldCondition) bool { return c.name(w, field) })
}
