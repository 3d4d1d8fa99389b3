package lint

import (
	"maps"
	"slices"

	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/cond"
)

// filter checks what a filter does to the rules there are. A filter stays apart
// from the rules it narrows, so that they can be replaced by newer ones; what that
// needs is that somebody is told when it no longer fits them.
func (l *linter) filter(f *sigma.Filter, all sigma.Documents) {
	for _, c := range f.Detection.Conditions {
		if e, err := cond.Parse(c.Text); err == nil && !lets(e) {
			l.add(f.Errorf(c.Pos, "filter is joined to rules with \"and\" as it is written, so rules match only what it matches: to exclude, begin the condition with \"not\""), Warning, "filter")
		}
	}
	if as := l.filterAs(f, all.Rules); as != nil {
		l.fields(&as.Detection, as.LogSource, f.Errorf)
	}
	place := f.Places["filter"]
	touched := map[string]*sigma.Rule{}
	n := 0
	for _, r := range all.Rules {
		if f.Covers(r) {
			touched[r.ID], touched[r.Name] = r, r
			n++
		}
	}
	delete(touched, "")
	missing := 0
	for _, name := range f.Rules {
		if touched[name] != nil {
			continue
		}
		missing++
		i := slices.IndexFunc(all.Rules, func(r *sigma.Rule) bool { return name != "" && (r.ID == name || r.Name == name) })
		if why := f.OnCorrelation(name, all.Correlations); i < 0 && why != "" {
			l.add(f.Errorf(place, "%s", why), Warning, "filter")
		} else if i >= 0 {
			l.add(f.Errorf(place, "filter names rule %q, but its log source %s is not that of the rule, %s", name, f.LogSource, all.Rules[i].LogSource), Warning, "filter")
		} else {
			l.add(f.Errorf(place, "filter names rule %q, which is not there", name), Warning, "filter")
		}
	}
	if n == 0 && missing == 0 {
		l.add(f.Errorf(place, "filter touches no rule: none has the log source %s", f.LogSource), Warning, "filter")
	}
	l.reviewed(f, touched)
}

// lets tells whether the condition of a filter holds of an event in which nothing
// that the filter looks for occurs: it then excludes, and does not ask for more.
func lets(e *cond.Expr) bool {
	switch e.Op {
	case cond.Not:
		return !lets(e.X[0])
	case cond.And:
		return !slices.ContainsFunc(e.X, func(x *cond.Expr) bool { return !lets(x) })
	case cond.Or:
		return slices.ContainsFunc(e.X, lets)
	}
	return false
}

// reviewed compares the rules with those that were there when somebody looked at
// the filter last: yagura.reviewed says their content hashes.
func (l *linter) reviewed(f *sigma.Filter, touched map[string]*sigma.Rule) {
	own, _ := f.Extra["yagura"].(map[string]any)
	hashes, ok := own["reviewed"].(map[string]any)
	if !ok {
		return
	}
	place := f.Places["yagura"]
	for _, name := range slices.Sorted(maps.Keys(hashes)) {
		r := touched[name]
		was, isText := hashes[name].(string)
		switch {
		case r == nil:
			l.add(f.Errorf(place, "reviewed names rule %q, which the filter does not touch", name), Warning, "reviewed")
		case !isText:
			l.add(f.Errorf(place, "reviewed has no text as the hash of rule %q: write it in quotes", name), Warning, "reviewed")
		case was != r.Hash():
			l.add(f.Errorf(place, "rule %q has changed since the filter was reviewed: its hash was %s and is %s; see whether the filter still fits, then note the new one", name, was, r.Hash()), Warning, "reviewed")
		}
	}
}
