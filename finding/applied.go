package finding

import (
	"github.com/yagura-sec/yagura/register"
	"github.com/yagura-sec/yagura/say"
)

// ApplicationGap is the reason of an expected verdict that says: somebody's work
// needs something that nobody applied for.
const ApplicationGap = "application_gap"

// ReasonHostile is the kind of reasons that say: what was done beside it looks like
// an attack.
const ReasonHostile = "hostile"

// Wanted is the service that was refused for want of an application, or could
// have been; empty: the finding names none.
func (t *Trouble) Wanted() string {
	if t.RegisterGap != nil {
		return t.RegisterGap.Service
	}
	return t.ImpliedService
}

// Acceptance is that people accepted a finding as a gap in an application. What
// is the same in another finding is explained by it, once the gap is closed: see
// Acceptance.Covers.
type Acceptance struct {
	Key        string   `json:"key"` // the finding
	Kind       Kind     `json:"kind"`
	Project    string   `json:"project"`
	Service    string   `json:"service"`
	Constraint string   `json:"constraint,omitempty"`
	Severity   Severity `json:"severity"` // of the finding, when it was accepted
	Decision   Decision `json:"decision"`
}

// AcceptanceOf is what people accepted by their decisions about f; old is what
// they had accepted before, nil for nothing. It is as of the decision: what the
// finding becomes later, nobody has accepted.
func AcceptanceOf(f *Finding, old *Acceptance) *Acceptance {
	if f.Wanted() == "" || f.Verdict != Expected || f.Reason != ApplicationGap {
		return nil
	}
	var last Decision
	for _, d := range f.Decisions {
		if !d.Undone && d.Verdict != NoVerdict {
			last = d
		}
	}
	if old != nil && old.Decision.ID == last.ID {
		return old
	}
	return &Acceptance{Key: f.Key, Kind: f.Kind, Project: f.Account, Service: f.Wanted(), Constraint: f.Constraint, Severity: f.Severity, Decision: last}
}

// Covers tells whether f is the same as what was accepted and no worse.
func (a *Acceptance) Covers(f *Finding) bool {
	return f.Kind == a.Kind && f.Account == a.Project && register.ServiceID(f.Wanted()) == register.ServiceID(a.Service) &&
		f.Constraint == a.Constraint && f.Severity.Rank() <= a.Severity.Rank()
}

// closed marks f where people accepted the same as a gap in an application, and
// the register covers the service all the time that f was seen. One without the
// other explains nothing: a register alone does not say that anybody looked, and
// a verdict alone does not close the gap.
func (f *Finding) closed(k *Known) {
	if k == nil || f.Wanted() == "" {
		return
	}
	entry, there := k.Register[f.Account]
	if !there || !entry.Covers(f.Wanted(), f.FirstSeen) || !entry.Covers(f.Wanted(), f.LastSeen) {
		return
	}
	for i := range k.Accepted {
		if a := &k.Accepted[i]; a.Covers(f) {
			f.Explained = sortExplanations(append(f.Explained, Explanation{Kind: "register", ID: f.Account, Text: say.T("explained.register", say.Values{
				"service": f.Wanted(), "project": f.Account, "by": a.Decision.By, "at": a.Decision.At.UTC(),
			})}))
			return
		}
	}
}
