package triage

import (
	"cmp"
	"slices"
	"strings"

	"github.com/yagura-sec/yagura/finding"
)

// Parts: what a rule says of each refusal by a policy is said again by the run of
// refusals that they make (anomaly.denials), with who and what for. So the rule's
// findings are folded into the run's, where one is told; else they stay as they are.

// partRules are the rules that speak of single refusals, by their ids.
var partRules = []string{
	"46b00bb6-f766-4563-95b8-4fb820916521", // rules/gcp/organization-policy-denied.yml
	"637bae3d-2f55-43e4-a99c-10907836815b", // rules/azure/policy-denied.yml
}

// troubleRefused is what parts and their run are.
const troubleRefused = "refused by policy"

// isPart tells whether a finding is of a rule that speaks of single refusals.
func isPart(f *finding.Trouble) bool {
	return f.Kind == finding.KindRule && slices.Contains(partRules, f.Rule)
}

// isRun tells whether a finding is of a run of refusals by one policy.
func isRun(f *finding.Trouble) bool {
	return f.Kind == finding.KindAnomaly+"."+finding.SignDenials && f.Source == ""
}

// PartTopic is the topic under which f meets the run that it is part of, and a run
// its parts; part tells which of the two it is. It is empty where f is neither.
func PartTopic(f *finding.Trouble) (topic Topic, part bool) {
	part = isPart(f)
	if !part && !isRun(f) || f.Account == "" || f.Constraint == "" {
		return "", false
	}
	return Topic(finding.Key("topic", "refused", f.Account, f.Constraint)), part
}

// MayFold tells whether f may be folded into another: of our own only parts are.
func MayFold(f *finding.Trouble) bool { return f.External != nil || isPart(f) }

// partOf tells whether part speaks of refusals that run tells, and of no others:
// its first is one of the run's, and all of it lies in the run's time.
func partOf(part, run *finding.Finding) (finding.Same, bool) {
	topic, is := PartTopic(&part.Trouble)
	if whole, other := PartTopic(&run.Trouble); !is || other || whole != topic {
		return finding.Same{}, false
	}
	if part.FirstSeen.Before(run.FirstSeen.Add(-finding.Nearby)) || part.LastSeen.After(run.LastSeen.Add(finding.Nearby)) || !shown(part, run) {
		return finding.Same{}, false
	}
	return finding.Same{Subject: part.Constraint, Trouble: troubleRefused}, true
}

// shown tells whether a record of the part is one of the run's. Of a run with more
// records than findings keep, the caller has to be the same instead.
func shown(part, run *finding.Finding) bool {
	if len(run.Evidence.Latest) == finding.EvidenceCap && (part.Actor == run.Actor || part.Actor == "" && run.Inferred != nil) {
		return true
	}
	for _, list := range [][]finding.Sighting{part.Evidence.First, part.Evidence.Latest} {
		for _, s := range list {
			if slices.Contains(run.Evidence.First, s) || slices.Contains(run.Evidence.Latest, s) {
				return true
			}
		}
	}
	return false
}

// Reports are what is folded into a finding, as it is shown: those of ours of one
// rule as one, the most severe first.
func Reports(all []finding.Also) []finding.Also {
	slices.SortFunc(all, func(a, b finding.Also) int { return strings.Compare(a.Key, b.Key) })
	var out []finding.Also
	for _, r := range all {
		i := slices.IndexFunc(out, func(x finding.Also) bool { return r.Count > 0 && x.Count > 0 && x.Rule == r.Rule })
		if i < 0 {
			out = append(out, r)
			continue
		}
		x := &out[i]
		x.Count += r.Count
		if r.Severity.Rank() > x.Severity.Rank() {
			x.Severity = r.Severity
		}
		if r.LastSeen.After(x.LastSeen) {
			x.LastSeen = r.LastSeen
		}
	}
	slices.SortFunc(out, func(a, b finding.Also) int {
		return cmp.Or(cmp.Compare(b.Severity.Rank(), a.Severity.Rank()), strings.Compare(a.Source, b.Source), strings.Compare(a.Key, b.Key))
	})
	return out
}
