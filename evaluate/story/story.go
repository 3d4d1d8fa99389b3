// Package story holds what was found in worlds of a story (simulate/denied) against
// their truth: whether the run of refusals became one finding with the right count,
// whether somebody was named and rightly, and what was said of intent, service,
// register and verdict.
package story

import (
	"slices"

	"github.com/yagura-sec/yagura/simulate/denied"
)

// Kind is that of findings about runs of refusals.
const Kind = "anomaly.denials"

// Finding is what is looked at in a finding, by the names that scripts read.
type Finding struct {
	Key      string     `json:"key"`
	Kind     string     `json:"kind"`
	Title    string     `json:"title"`
	Severity string     `json:"severity"`
	Account  string     `json:"account"`
	Count    int        `json:"count"`
	Inferred *Inference `json:"actor_inferred"`
	Intent   string     `json:"intent"`
	Implied  string     `json:"implied_service"`
	Gap      *Gap       `json:"register_gap"`
	Proposed *Proposal  `json:"proposed_verdict"`
}

// Inference is who it probably was.
type Inference struct {
	UID         string      `json:"uid"`
	Probability float64     `json:"probability"`
	Candidates  []Candidate `json:"candidates"`
	None        float64     `json:"none"`
}

// Candidate is somebody who may have been it.
type Candidate struct {
	UID         string  `json:"uid"`
	Probability float64 `json:"probability"`
}

// Gap is what the register lacks.
type Gap struct {
	Project  string `json:"project"`
	Service  string `json:"service"`
	NeededBy string `json:"needed_by"`
}

// Proposal is a verdict to be taken or left.
type Proposal struct {
	Verdict string `json:"verdict"`
	Reason  string `json:"reason"`
}

// Run is one world and what was found in it.
type Run struct {
	World       denied.World
	Findings    []Finding
	Quarantined int64   // records that ingest did not read
	Ingest      float64 // seconds
	Hunt        float64 // seconds
	Confined    bool    // the kernel kept the truth out of reach
}

// Naming is what became of the question who it was.
type Naming string

// The namings.
const (
	Right     Naming = "right"     // one is named, and it was them
	Wrong     Naming = "wrong"     // one is named, and it was not them, or not them alone
	Abstained Naming = "abstained" // candidates are given, none is named
	Silent    Naming = "silent"    // there is no finding, or it does not ask
)

// Verdict is a world judged.
type Verdict struct {
	Variant string `json:"variant"`
	Seed    int64  `json:"seed"`
	Records int    `json:"records"`

	One      bool    `json:"one"`      // the run is one finding (of what was granted: none)
	Count    int     `json:"count"`    // of the finding
	Counted  bool    `json:"counted"`  // it is the truth's
	Others   int     `json:"others"`   // findings of the kind about other projects
	Naming   Naming  `json:"naming"`   // of who it was
	Named    string  `json:"named"`    //
	Sure     float64 `json:"sure"`     // probability of the first candidate
	Listed   bool    `json:"listed"`   // all who did it are among the candidates
	Intent   bool    `json:"intent"`   // is right
	Implied  bool    `json:"implied"`  // the refused service is named
	Gap      bool    `json:"gap"`      // is told where there is one, and only there
	Proposed bool    `json:"proposed"` // to be closed as a gap in the application
	Unwise   bool    `json:"unwise"`   // to be closed as harmless where that is wrong
	Severity string  `json:"severity"`
	Seconds  float64 `json:"seconds"` // from ingest to case
	Unread   int64   `json:"unread"`  // records in quarantine

	drawn denied.Drawn // of the world
}

// Judge holds what was found in a world against its truth.
func Judge(r Run) Verdict {
	t := r.World.Truth
	v := Verdict{Variant: r.World.Variant, Seed: r.World.Seed, Records: r.World.Ordinary, Seconds: r.Ingest + r.Hunt, Unread: r.Quarantined, Naming: Silent, drawn: r.World.Drawn}
	var own []Finding
	for _, f := range r.Findings {
		switch {
		case f.Kind != Kind:
		case f.Account == t.Project:
			own = append(own, f)
		default:
			v.Others++
		}
	}
	if t.Refusals == 0 {
		v.One, v.Counted, v.Gap = len(own) == 0, len(own) == 0, true
		return v
	}
	v.One = len(own) == 1
	if len(own) == 0 {
		v.Gap = !t.Gap
		return v
	}
	f := slices.MaxFunc(own, func(a, b Finding) int { return a.Count - b.Count })
	v.Count, v.Counted, v.Severity = f.Count, f.Count == t.Refusals, f.Severity
	v.Intent, v.Implied = f.Intent == t.Intent, f.Implied == t.Service
	v.Gap = (f.Gap != nil) == t.Gap && (f.Gap == nil || f.Gap.Project == t.Project && f.Gap.Service == t.Service && f.Gap.NeededBy == t.NeededBy)
	if p := f.Proposed; p != nil {
		v.Proposed = p.Verdict == "expected" && p.Reason == "application_gap"
		v.Unwise = !t.Gap && (p.Verdict == "expected" || p.Verdict == "false_positive")
	}
	v.who(f.Inferred, t)
	return v
}

// who judges the naming.
func (v *Verdict) who(i *Inference, t denied.Truth) {
	if i == nil {
		return
	}
	v.Naming, v.Named, v.Sure = Abstained, i.UID, i.Probability
	if len(i.Candidates) > 0 {
		v.Sure = i.Candidates[0].Probability
	}
	v.Listed = !slices.ContainsFunc(t.Persons, func(p string) bool {
		return !slices.ContainsFunc(i.Candidates, func(c Candidate) bool { return c.UID == p })
	})
	switch {
	case i.UID == "":
	case i.UID == t.Person:
		v.Naming = Right
	default:
		v.Naming = Wrong
	}
}
