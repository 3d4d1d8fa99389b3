package finding

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Statuses, Verdicts and Causes list what a decision may say.
var (
	Statuses = []Status{New, InProgress, Resolved, Suppressed}
	Verdicts = []Verdict{TruePositive, FalsePositive, Expected, Undetermined}
	Causes   = []Cause{CauseUnknown, CauseDeploy, CausePerson, CauseDrift, CauseProvider, CauseAttack}
)

// ReasonCodes say for each verdict why it was given, so that reasons can be
// counted per rule: a rule whose false positives are all "rule_too_broad" needs
// another rule, not another exception.
var ReasonCodes = map[Verdict][]string{
	TruePositive:  {"attack", "policy_violation", "mistake", "exercise"},
	FalsePositive: {"rule_too_broad", "wrong_data", "wrong_context"},
	Expected:      {"planned_change", "automation", "approved", "provider_service", "break_glass", ApplicationGap},
	Undetermined:  {"not_enough_evidence", "nobody_knows"},
}

// Check tells in a person's words what is wrong with d, if anything is.
func (d Decision) Check() error {
	switch {
	case d.At.IsZero():
		return errors.New("decision without a time")
	case d.By == "":
		return errors.New("decision without a name: say who decides")
	case d.Undoes != "" && (d.Status != "" || d.Verdict != NoVerdict || d.Cause != "" || d.Assignee != ""):
		return errors.New("a decision that takes one back decides nothing else")
	case d.Status != "" && !slices.Contains(Statuses, d.Status):
		return fmt.Errorf("status %q is not one of %s", d.Status, join(Statuses))
	case d.Verdict != NoVerdict && !slices.Contains(Verdicts, d.Verdict):
		return fmt.Errorf("verdict %q is not one of %s", d.Verdict, join(Verdicts))
	case d.Cause != "" && !slices.Contains(Causes, d.Cause):
		return fmt.Errorf("cause %q is not one of %s", d.Cause, join(Causes))
	case d.Reason != "" && d.Verdict == NoVerdict:
		return errors.New("a reason needs the verdict that it is the reason of")
	case d.Reason != "" && !slices.Contains(ReasonCodes[d.Verdict], d.Reason):
		return fmt.Errorf("reason %q is not one of %s, the reasons of verdict %s", d.Reason, join(ReasonCodes[d.Verdict]), d.Verdict)
	case d.Status == "" && d.Verdict == NoVerdict && d.Cause == "" && d.Assignee == "" && d.Comment == "" && d.Undoes == "":
		return errors.New("decision that decides nothing: give a status, verdict, cause, assignee or comment")
	}
	return nil
}

func join[S ~string](list []S) string {
	words := make([]string, len(list))
	for i, s := range list {
		words[i] = string(s)
	}
	return strings.Join(words, ", ")
}

// AllReasonCodes lists every reason code once, in order.
func AllReasonCodes() []string {
	var all []string
	for _, codes := range slices.Collect(maps.Values(ReasonCodes)) {
		all = append(all, codes...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Name gives a decision that has no ID one that is the same for the same
// decision, so that telling it twice is telling it once.
func (d *Decision) Name(key string) {
	if d.ID == "" {
		d.ID = Key("decision", key, d.At.UTC().Format(time.RFC3339Nano), d.By, string(d.Status), string(d.Verdict),
			d.Reason, string(d.Cause), d.Assignee, d.Comment, d.Undoes, d.Group)
	}
}

// Replay says of each decision, in the order they were taken, whether it was
// taken back. One that takes
// another back may be taken back too, and then the first holds again.
func Replay(all []Decision) []Decision {
	if !slices.ContainsFunc(all, func(d Decision) bool { return d.Undoes != "" }) {
		return all
	}
	all = slices.Clone(all)
	undone := map[string]bool{}
	for i := len(all) - 1; i >= 0; i-- {
		d := &all[i]
		d.Undone = d.ID != "" && undone[d.ID]
		if d.Undoes != "" && !d.Undone {
			undone[d.Undoes] = true
		}
	}
	return all
}
