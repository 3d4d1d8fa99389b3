package rule

import (
	"slices"

	"github.com/yagura-sec/yagura/sigma"
)

// astray tells of filters that name a correlation and so do nothing to it.
func astray(docs sigma.Documents) (refused []*sigma.Error) {
	for _, f := range docs.Filters {
		for _, name := range f.Rules {
			if slices.ContainsFunc(docs.Rules, func(r *sigma.Rule) bool { return name == r.ID || name == r.Name }) {
				continue
			}
			if why := f.OnCorrelation(name, docs.Correlations); why != "" {
				refused = append(refused, f.Errorf(f.Places["filter"], "%s", why))
			}
		}
	}
	return refused
}
