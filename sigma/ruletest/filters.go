package ruletest

import (
	"errors"
	"fmt"
	"slices"

	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/match"
)

// filters runs the cases beside files that hold filters and nothing else.
func (t *tester) filters(all []*sigma.Filter, rules map[string][]subject) {
	byFile := map[string][]*sigma.Filter{}
	var files []string
	for _, f := range all {
		if rules[f.File] != nil {
			continue // the cases are those of its rules
		}
		if byFile[f.File] == nil {
			files = append(files, f.File)
		}
		byFile[f.File] = append(byFile[f.File], f)
	}
	for _, file := range files {
		t.filtered(file, byFile[file])
	}
}

// filtered runs the cases of a file against the rules that its filters touch,
// narrowed by them.
func (t *tester) filtered(file string, filters []*sigma.Filter) {
	var touched []*sigma.Rule
	for i := range t.set.Len() {
		if r := t.set.Rule(i); slices.ContainsFunc(filters, func(f *sigma.Filter) bool { return f.Covers(r) }) {
			touched = append(touched, r)
		}
	}
	o := t.o.Options
	o.Filters = append(slices.Clone(o.Filters), filters...)
	set, refused := match.Compile(touched, o)
	for _, e := range refused {
		t.out.broken(fmt.Sprintf("%s:%d:%d", e.File, e.Line, e.Col), file, "a filter that compiles", e.Reason)
	}
	scratch := set.NewScratch()
	fires, quiet := 0, 0
	t.cases(file, "filter has no cases", func(c *oneCase) verdict {
		i, err := touchedBy(set, c.Rule)
		if err != nil {
			return unfit(err)
		}
		if *c.Fires {
			fires++
		} else {
			quiet++
		}
		if c.Events != nil || c.Groups != nil || c.Until != "" {
			return problem(errors.New("events, groups and until are of correlations: the case of a filter has one event"))
		}
		return hold(set, scratch, i, c)
	})
	if t.o.Require && !t.unread[file] {
		t.out.require(file, "filter", fires, quiet)
	}
}

// touchedBy finds the rule of a filter's case.
func touchedBy(set *match.Set, name string) (int, error) {
	if name == "" && set.Len() == 1 {
		return 0, nil
	}
	if set.Len() == 0 {
		return 0, errors.New("the filter touches no rule: none of those it names is known, or they are for another log source")
	}
	if name == "" {
		return 0, fmt.Errorf(`the filter touches %d rules: "rule" has to say which one is meant`, set.Len())
	}
	for i := range set.Len() {
		if r := set.Rule(i); name == r.ID || name == r.Name || name == r.Title {
			return i, nil
		}
	}
	return 0, fmt.Errorf("the filter touches no rule %q", name)
}
