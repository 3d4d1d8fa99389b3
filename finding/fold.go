package finding

import (
	"bytes"
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/say"
)

// Compare orders occurrences by (LastSeen, uid of the latest event, identity):
// the greatest gives a finding its title, severity and reasons. Of events of one
// instant the uid chooses, so that it does not matter which batches they are in.
func (o *Occurrence) Compare(p *Occurrence) int {
	if c := o.LastSeen.Compare(p.LastSeen); c != 0 {
		return c
	}
	if c := o.Evidence.last().Compare(p.Evidence.last()); c != 0 {
		return c
	}
	if c := bytes.Compare(o.Batch[:], p.Batch[:]); c != 0 {
		return c
	}
	if c := strings.Compare(o.Hunter, p.Hunter); c != 0 {
		return c
	}
	return o.Since.Compare(p.Since)
}

// Merge adds another occurrence of the same key. What was merged in whatever
// order comes out the same: counts add, first and last take the least and the
// greatest, evidence merges, explained is what is so throughout, and the rest is
// that of the latest occurrence; of anomalies what a person reads is that of the
// most striking one.
func (o *Occurrence) Merge(p Occurrence) {
	first, count, evidence := o.FirstSeen, o.Count+p.Count, o.Evidence
	if p.FirstSeen.Before(first) {
		first = p.FirstSeen
	}
	evidence.Merge(p.Evidence)
	explained := bothExplained(o.Explained, p.Explained)
	trouble := o.Trouble
	later := o.Compare(&p) < 0
	if c := p.strikes(o); c > 0 || c == 0 && later {
		trouble = p.Trouble
	}
	if later {
		*o = p
	}
	o.Trouble = trouble
	o.FirstSeen, o.Count, o.Evidence, o.Explained = first, count, evidence, explained
}

// strikes compares how striking two occurrences are: 0 where that is not known.
// Between equals it is by what they say and not by their times, because after a
// merge the times may be those of another.
func (o *Occurrence) strikes(p *Occurrence) int {
	if o.Anomaly == nil || p.Anomaly == nil {
		return 0
	}
	return cmp.Or(cmp.Compare(o.Severity.Rank(), p.Severity.Rank()), cmp.Compare(o.Anomaly.Score, p.Anomaly.Score),
		cmp.Compare(o.Anomaly.Calls, p.Anomaly.Calls), strings.Compare(o.sentence(), p.sentence()))
}

func (o *Occurrence) sentence() string {
	if len(o.Reasons) == 0 {
		return ""
	}
	return o.Reasons[0].Text.String()
}

// bothExplained is every explanation of two occurrences that have one each.
func bothExplained(a, b []Explanation) []Explanation {
	if len(a) == 0 || len(b) == 0 {
		return nil
	}
	return sortExplanations(slices.Concat(a, b))
}

// sortExplanations orders them and leaves each once.
func sortExplanations(all []Explanation) []Explanation {
	slices.SortFunc(all, func(x, y Explanation) int {
		return cmp.Or(cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.ID, y.ID), cmp.Compare(x.Text.String(), y.Text.String()))
	})
	return slices.Compact(all)
}

// Fold makes the finding of all occurrences of one key, in whatever order they
// come. There is at least one.
func Fold(occurrences []Occurrence) Finding {
	return Of(Sum(occurrences, nil), nil, nil)
}

// Of is the finding of a merged occurrence, which Sum gives, with people's
// decisions applied in the order they were taken, and with what is known of the
// estate, of principals and resources, of exceptions and of the register. Windows
// are Sum's part.
//
// A finding that was resolved and is seen again later than that decision opens
// again with status new, and says so in a reason of kind "reopened", unless its
// verdict is false positive or expected: then a person has said that this is
// how it looks when all is well, and suppressed likewise stays as it is. Later
// is a matter of the events' own time, so that neither the order of ingest nor
// an old file read today opens anything.
func Of(o Occurrence, decisions []Decision, known *Known) Finding {
	f := Finding{
		Trouble: o.Trouble, Status: New, Cause: CauseUnknown,
		FirstSeen: o.FirstSeen, LastSeen: o.LastSeen, Count: o.Count, Evidence: o.Evidence,
		Case: CaseID(o.Trouble, o.FirstSeen), Explained: append([]Explanation{}, o.Explained...), Decisions: Replay(decisions),
	}
	f.sayLatest()
	f.place(known)
	f.except(known)
	f.closed(known)
	f.Parts = priorityParts(&f, known)
	f.Priority = priority(f.Parts)
	f.replay()
	return f
}

// sayLatest says of a sentence about one event that it is not about all of them:
// a rule's reasons are those of its latest match, and others may be of another
// operation or caller.
func (f *Finding) sayLatest() {
	if f.Kind != KindRule || f.Count < 2 || len(f.Reasons) == 0 {
		return
	}
	// A copy: the reasons' array may be shared with the occurrence.
	f.Reasons = append([]Reason(nil), f.Reasons...)
	f.Reasons[0].Text = say.T("finding.latest", say.Values{"n": f.Count, "said": f.Reasons[0].Text})
}

func (f *Finding) replay() {
	var closed Decision
	for _, d := range f.Decisions {
		if d.Undone {
			continue
		}
		if d.Status != "" {
			f.Status = d.Status
			closed = d
		}
		if d.Verdict != NoVerdict {
			f.Verdict, f.Reason = d.Verdict, d.Reason
		}
		if d.Cause != "" {
			f.Cause = d.Cause
		}
		if d.Assignee != "" {
			f.Assignee = d.Assignee
		}
	}
	f.given(closed)
	if f.External.Closed() && f.Status == f.External.Given {
		return
	}
	if f.Status != Resolved || !f.LastSeen.After(closed.At) || f.Verdict == FalsePositive || f.Verdict == Expected {
		return
	}
	f.Status = New
	again := Reason{Kind: "reopened", Text: say.T("finding.reopened", say.Values{"seen": f.LastSeen.UTC(), "by": closed.By, "at": closed.At.UTC()})}
	// A copy: the reasons' array may be shared with the occurrence.
	f.Reasons = append(append([]Reason(nil), f.Reasons...), again)
}

// severityWeights turn a severity into the first factor of a priority. Each
// step up roughly halves what stays below: a critical finding outranks a medium
// one unless it is half as credible.
var severityWeights = map[Severity]float64{
	Critical: 1, High: 0.8, Medium: 0.5, Low: 0.25, Informational: 0.1,
}

// priorityParts are the factors of a priority:
//
//	priority = 100 × severity × confidence × reach × exposure × environment
//
// docs/triage.md has what each counts. Reach (what the principal touches),
// exposure (who can get at the resource) and environment (how critical the place
// is) are 1 until something has judged them: what nobody looked at must not make
// a finding smaller. What is explained has one more factor, 0.25: it is to be
// seen, after what nobody can explain.
func priorityParts(f *Finding, known *Known) []Part {
	weight, ok := severityWeights[f.Severity]
	why := say.T("part.severity", say.Values{"severity": f.Severity.Said()})
	if !ok {
		weight, why = severityWeights[Medium], say.T("part.severity.unknown", say.Values{"severity": string(f.Severity)})
	}
	confidence := f.Confidence
	if !(confidence >= 0) {
		confidence = 0
	}
	confidence = min(confidence, 1)
	parts := []Part{
		{"severity", weight, why},
		{"confidence", confidence, say.T("part.confidence", say.Values{"share": confidence})},
		reachPart(f, known), exposurePart(f, known), environmentPart(f),
	}
	if len(f.Explained) > 0 {
		parts = append(parts, Part{"explained", 0.25, say.T("part.explained", say.Values{"by": f.Explained[0].Text})})
	}
	return parts
}

// priority is 100 × the product of the parts, rounded.
func priority(parts []Part) int {
	p := 100.0
	for _, part := range parts {
		p *= part.Value
	}
	return int(math.Round(p))
}

// Clean replaces what is no valid UTF-8 in the texts that o carries, so that
// every store keeps and finds the same texts. Slices are copied where changed.
func (o *Occurrence) Clean() {
	for _, s := range []*string{&o.Key, (*string)(&o.Kind), &o.Rule, &o.LogSource, &o.Title, (*string)(&o.Severity),
		&o.Actor, &o.Resource, &o.Account, &o.Region, &o.Hunter, &o.Source, &o.Constraint, &o.Intent, &o.ImpliedService} {
		*s = clean(*s)
	}
	o.Headline = o.Headline.Clean()
	o.FalsePositives, o.Next, o.Related = cleanAll(o.FalsePositives), cleanAll(o.Next), cleanAll(o.Related)
	reasons := make([]Reason, len(o.Reasons))
	for i, r := range o.Reasons {
		reasons[i] = Reason{clean(r.Kind), r.Text.Clean(), r.Observed.Clean(), r.Expected.Clean(), append([]event.UID(nil), r.Evidence...)}
	}
	o.Reasons = reasons
	o.Explained = slices.Clone(o.Explained)
	for i, x := range o.Explained {
		o.Explained[i] = Explanation{clean(x.Kind), clean(x.ID), x.Text.Clean()}
	}
	o.External = o.External.clean()
	if a := o.Anomaly; a != nil {
		b := *a
		b.Person, b.Resources, b.Unseen = clean(a.Person), cleanAll(a.Resources), slices.Clone(a.Unseen)
		for i := range b.Unseen {
			b.Unseen[i] = b.Unseen[i].Clean()
		}
		o.Anomaly = &b
	}
}

func clean(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

func cleanAll(list []string) []string {
	var out []string
	for _, s := range list {
		out = append(out, clean(s))
	}
	return out
}
