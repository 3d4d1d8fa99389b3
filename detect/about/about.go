// Package about holds what findings of rules and of correlations have in
// common: what a Sigma document says of itself in the words of findings, and
// what is said of an event.
package about

import (
	"cmp"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/say"
	"github.com/yagura-sec/yagura/sigma"
)

// Rule is what all findings of a rule or correlation share. The slices are
// shared too: nobody changes them.
type Rule struct {
	Key, Title     string
	Severity       finding.Severity
	Confidence     float64
	Attack         []finding.Attack
	FalsePositives []string

	next []string // as written: see Steps
}

// Of gives what a document says.
func Of(m *sigma.Meta) Rule {
	out := Rule{
		Key: m.Key(), Title: m.Title, Severity: finding.Severity(m.Level), Attack: attacks(m.Tags),
		FalsePositives: m.FalsePositives,
	}
	if out.Severity.Rank() < 0 {
		out.Severity = finding.Medium // as most tools read a rule without a level
	}
	switch m.Status {
	case "stable":
		out.Confidence = 0.8
	case "test":
		out.Confidence = 0.6
	default:
		out.Confidence = 0.4
	}
	own, _ := m.Extra["yagura"].(map[string]any)
	switch c := own["confidence"].(type) {
	case float64:
		if 0 < c && c <= 1 {
			out.Confidence = c
		}
	case int:
		if c == 1 {
			out.Confidence = 1
		}
	}
	out.next = Next(m)
	if v, ok := own["attack_version"].(string); ok && v != attackVersion {
		for i := range out.Attack {
			out.Attack[i].Version = v
		}
	}
	return out
}

// Next are the next steps that a document of ours names, as written.
func Next(m *sigma.Meta) (out []string) {
	own, _ := m.Extra["yagura"].(map[string]any)
	steps, _ := own["next"].([]any)
	for _, step := range steps {
		if s, ok := step.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// Actor names who did it: the stable principal, else the address, of which
// Unnamed tells.
func Actor(e *event.Event) string { return cmp.Or(e.ActorUID, e.SrcIP) }

// Unnamed is the reason that says why an address stands for an actor.
func Unnamed(address string, evidence []event.UID) finding.Reason {
	return finding.Reason{
		Kind: "actor", Text: say.T("actor.address", say.Values{"address": address}), Observed: say.Plain(address), Evidence: evidence,
	}
}
