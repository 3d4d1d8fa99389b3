package about

import (
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/sigma/attack"
)

// attackVersion is the version of ATT&CK whose names and ids are used here.
const attackVersion = attack.Version

// attacks gives the ATT&CK ids that a rule's tags name, in their order. Ids that
// are no more become those that took their place; what is not known keeps its id
// and has no name.
func attacks(tags []string) []finding.Attack {
	var out []finding.Attack
	seen := map[string]bool{}
	for _, tag := range tags {
		id, ok := attack.ID(tag)
		if !ok || seen[id] { // groups and software: g0001, s0001
			continue
		}
		seen[id] = true
		out = append(out, finding.Attack{ID: id, Name: attack.Name(id), Version: attackVersion})
	}
	return out
}
