package lint

import "github.com/yagura-sec/yagura/sigma"

// as is a rule as pipelines leave it; what they refuse is told elsewhere.
func (l *linter) as(r *sigma.Rule) *sigma.Rule {
	if l.o.Pipelines == nil {
		return r
	}
	if as, _, errs := l.o.Pipelines.Rewrite(r, nil); len(errs) == 0 {
		return as
	}
	return r
}

// filterAs is a filter as pipelines leave it where it narrows a rule. Nil: there
// is no rule to see that by.
func (l *linter) filterAs(f *sigma.Filter, rules []*sigma.Rule) *sigma.Filter {
	if l.o.Pipelines == nil {
		return f
	}
	for _, r := range rules {
		if !f.Covers(r) {
			continue
		}
		if _, as, errs := l.o.Pipelines.Rewrite(r, []*sigma.Filter{f}); len(errs) == 0 && len(as) == 1 {
			return as[0]
		}
	}
	return nil
}

// correlationAs is a correlation as pipelines leave it.
func (l *linter) correlationAs(c *sigma.Correlation, rules []*sigma.Rule) *sigma.Correlation {
	p, ok := l.o.Pipelines.(interface {
		ApplyCorrelation(*sigma.Correlation, []*sigma.Rule) (*sigma.Correlation, []*sigma.Error)
	})
	if !ok {
		return c
	}
	var referred []*sigma.Rule
	for _, r := range rules {
		if c.Refers(&r.Meta) {
			referred = append(referred, l.as(r))
		}
	}
	if as, errs := p.ApplyCorrelation(c, referred); len(errs) == 0 {
		return as
	}
	return c
}
