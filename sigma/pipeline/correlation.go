package pipeline

import (
	"slices"

	"github.com/yagura-sec/yagura/sigma"
)

// ApplyCorrelation is Apply for a correlation: what renames fields renames those
// of group-by, of aliases and of the condition. A condition on the log source
// holds if it does of any of rules, which are those that the correlation refers
// to; what is about detections changes nothing.
func (ps Pipelines) ApplyCorrelation(c *sigma.Correlation, rules []*sigma.Rule) (*sigma.Correlation, []*sigma.Error) {
	if len(ps) == 0 {
		return c, nil
	}
	out := *c
	out.GroupBy, out.Aliases = slices.Clone(c.GroupBy), slices.Clone(c.Aliases)
	for i, a := range out.Aliases {
		out.Aliases[i].Fields = slices.Clone(a.Fields)
	}
	if c.Condition != nil {
		threshold := *c.Condition
		threshold.Fields = slices.Clone(c.Condition.Fields)
		out.Condition = &threshold
	}
	w := newWork(&sigma.Rule{Meta: c.Meta}, nil)
	w.correlation, w.refers = &out, rules
	if ps.run(w); len(w.errs) > 0 {
		return nil, w.errs
	}
	out.Meta = w.rule.Meta
	return &out, nil
}

// correlation renames the fields that a correlation speaks of.
func (f rename) correlation(w *work, s *step) {
	c := w.correlation
	one := func(field, where string) string {
		names := f.names(w, s, field)
		if len(names) > 1 {
			w.fail(nil, s, "field %s of %s stands for several: a correlation takes one", field, where)
		}
		return names[0]
	}
	alias := map[string]bool{}
	for i := range c.Aliases {
		alias[c.Aliases[i].Name] = true
		for k := range c.Aliases[i].Fields {
			field := &c.Aliases[i].Fields[k].Field
			*field = one(*field, "alias "+c.Aliases[i].Name)
		}
	}
	var group []string
	for _, field := range c.GroupBy {
		if alias[field] {
			group = append(group, field)
			continue
		}
		group = append(group, f.names(w, s, field)...)
	}
	c.GroupBy = group
	if c.Condition != nil {
		for i, field := range c.Condition.Fields {
			if !alias[field] {
				c.Condition.Fields[i] = one(field, "the condition")
			}
		}
	}
}
