package triage

import (
	"strings"

	"github.com/yagura-sec/yagura/finding"
)

// togetherPrefix begins the group of a decision about one finding and what is
// folded into it: whoever takes back one of them takes back all.
const togetherPrefix = "together-"

// DecidedTogether names the group of a decision about one finding and what is
// folded into it.
func DecidedTogether(key string, d finding.Decision) finding.Decision {
	if d.Group == "" && d.Undoes == "" {
		d.Name(key)
		d.Group, d.ID = togetherPrefix+d.ID, ""
	}
	return d
}

// Whole is u as it is meant where the decision that u names is of that group.
func (u Undo) Whole(group string) Undo {
	if u.ID != "" && strings.HasPrefix(group, togetherPrefix) {
		u.ID, u.Group = "", group
	}
	return u
}
