package ir

import (
	"fmt"
	"slices"

	"github.com/yagura-sec/yagura/sigma"
)

// brokenFilter is a filter that could not be joined to some of the rules that it
// covers.
type brokenFilter struct {
	filter *sigma.Filter
	errs   []*sigma.Error // each told once
	rules  int            // that go on without it
}

// filtered is what a filter asks of the current rule. Given is the filter as
// written, f as pipelines left it. Nil: nothing, or f is broken.
func (c *compiler) filtered(given, f *sigma.Filter) *Node {
	own, spent, kept := c.errs, c.spent, len(c.program.Atoms)
	c.errs, c.filter = nil, f
	n := c.detection(&f.Detection)
	found := c.errs
	c.errs, c.filter = own, nil
	if len(found) == 0 {
		return n
	}
	c.spent = spent
	c.forget(kept)
	c.leaveOut(given, found, len(own) == 0)
	return nil
}

// leaveOut notes why a filter is left out of a rule. Goes: the rule goes on.
func (c *compiler) leaveOut(f *sigma.Filter, errs []*sigma.Error, goes bool) {
	i := slices.IndexFunc(c.broken, func(b *brokenFilter) bool { return b.filter == f })
	if i < 0 {
		i = len(c.broken)
		c.broken = append(c.broken, &brokenFilter{filter: f})
	}
	b := c.broken[i]
	if goes {
		b.rules++
	}
	for _, e := range errs {
		if !slices.ContainsFunc(b.errs, func(x *sigma.Error) bool { return x.Pos == e.Pos && x.Reason == e.Reason }) {
			b.errs = append(b.errs, e)
		}
	}
}

// brokenFilters tells of the filters that were left out.
func (c *compiler) brokenFilters() []*sigma.Error {
	var out []*sigma.Error
	for _, b := range c.broken {
		for _, e := range b.errs {
			told := *e
			told.Rule = b.filter.Errorf(e.Pos, "").Rule
			switch b.rules {
			case 0:
			case 1:
				told.Reason += " (the filter is left out: 1 rule goes on without it and may match more)"
			default:
				told.Reason += fmt.Sprintf(" (the filter is left out: %d rules go on without it and may match more)", b.rules)
			}
			out = append(out, &told)
		}
	}
	return out
}

// rewritten gives a rule and its filters as pipelines leave them, and the filters
// as they were, in the same order. Filters at which pipelines fail are left out.
// Nil: they fail at the rule.
func (c *compiler) rewritten(r *sigma.Rule, filters []*sigma.Filter) (out *sigma.Rule, given, left []*sigma.Filter) {
	p := c.options.Pipelines
	if p == nil {
		return r, filters, filters
	}
	out, left, errs := p.Rewrite(r, filters)
	if len(errs) == 0 {
		return out, filters, left
	}
	alone, _, errs := p.Rewrite(r, nil)
	if len(errs) > 0 {
		c.errs = append(c.errs, errs...)
		return nil, nil, nil
	}
	for _, f := range filters {
		if _, _, errs := p.Rewrite(r, []*sigma.Filter{f}); len(errs) > 0 {
			c.leaveOut(f, errs, true)
		} else {
			given = append(given, f)
		}
	}
	if out, left, errs = p.Rewrite(r, given); len(errs) > 0 { // only together
		for _, f := range given {
			c.leaveOut(f, errs, true)
		}
		return alone, nil, nil
	}
	return out, given, left
}
