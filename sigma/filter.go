package sigma

import (
	"fmt"
	"strings"
)

// OnCorrelation says in words that a filter which names one of the correlations
// does nothing: filters narrow rules. Empty: none of them is called so.
func (f *Filter) OnCorrelation(name string, all []*Correlation) string {
	for _, c := range all {
		if name == "" || name != c.ID && name != c.Name {
			continue
		}
		var rules []string
		for _, r := range c.Rules {
			rules = append(rules, r.Rule)
		}
		return fmt.Sprintf("filter names correlation %s, and does nothing to it; filters take the rules it rests on: %s", name, strings.Join(rules, ", "))
	}
	return ""
}
