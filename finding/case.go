package finding

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"
)

// Case gathers the findings of one principal, resource and UTC day.
type Case struct {
	ID       string    `json:"id"`
	Priority int       `json:"priority"` // of its most pressing finding
	Severity Severity  `json:"severity"` // of the most severe
	Actor    string    `json:"actor,omitempty"`
	Resource string    `json:"resource,omitempty"`
	Account  string    `json:"account,omitempty"`
	First    time.Time `json:"first_seen"`
	Last     time.Time `json:"last_seen"`
	// Chance is of all of its anomalies together, 0 to 1: see Together; 0 where
	// there is none among the findings.
	Chance float64 `json:"chance,omitempty"`
	// Explained: every finding of it is.
	Explained bool      `json:"explained"`
	Findings  []Finding `json:"findings"` // strongest first
}

// Gather puts findings into their cases, the most pressing case first.
func Gather(findings []Finding) []Case {
	at := map[string]int{}
	var out []Case
	for _, f := range findings {
		i, there := at[f.Case]
		if !there {
			i = len(out)
			at[f.Case] = i
			out = append(out, Case{
				ID: f.Case, Actor: f.Actor, Resource: f.Resource, Account: f.Account, First: f.FirstSeen, Last: f.LastSeen, Severity: f.Severity, Explained: true,
			})
		}
		c := &out[i]
		c.Findings = append(c.Findings, f)
		c.Priority = max(c.Priority, f.Priority)
		if f.Severity.Rank() > c.Severity.Rank() {
			c.Severity = f.Severity
		}
		if f.FirstSeen.Before(c.First) {
			c.First = f.FirstSeen
		}
		if f.LastSeen.After(c.Last) {
			c.Last = f.LastSeen
		}
		c.Explained = c.Explained && len(f.Explained) > 0
	}
	for i := range out {
		slices.SortFunc(out[i].Findings, stronger)
		out[i].Account = out[i].Findings[0].Account // whatever order they came in
		out[i].Chance = Together(out[i].Findings)
	}
	slices.SortFunc(out, func(a, b Case) int {
		return cmp.Or(cmp.Compare(b.Priority, a.Priority), cmp.Compare(a.Chance, b.Chance), b.Last.Compare(a.Last), strings.Compare(a.ID, b.ID))
	})
	return out
}

// stronger orders the findings of a case: what a reader should know first.
func stronger(a, b Finding) int {
	score := func(f *Finding) float64 {
		if f.Anomaly == nil {
			return 0
		}
		return f.Anomaly.Score
	}
	return cmp.Or(cmp.Compare(b.Priority, a.Priority), cmp.Compare(score(&b), score(&a)), strings.Compare(a.Key, b.Key))
}

// Together is a chance, under the usual pattern, of anomalies at least as
// striking as these all at once, by Fisher's method over all signs: those that
// are silent, and findings that are explained, count as what is to be expected.
// Caller, view and region say much the same of one call, so that only the
// strongest of the three counts; the others are taken to be independent. It
// orders cases; it is no probability that something is wrong.
//
// Of k chances p the statistic -2 Σ ln p has a chi-squared distribution with 2k
// degrees of freedom, whose tail at x is e^(-x/2) Σ_{i<k} (x/2)^i / i!. (R. A.
// Fisher, Statistical Methods for Research Workers, 4th edition, 1932.)
func Together(findings []Finding) float64 {
	strongest := map[string]float64{}
	there := false
	for _, f := range findings {
		if f.Anomaly == nil {
			continue
		}
		there = true
		if len(f.Explained) > 0 {
			continue
		}
		sign := f.Anomaly.Sign
		switch sign {
		case SignView, SignRegion:
			sign = SignCaller
		}
		strongest[sign] = max(strongest[sign], f.Anomaly.Score)
	}
	if !there {
		return 0
	}
	half := 0.0 // x/2 = -Σ ln p
	for _, sign := range Signs {
		half += strongest[sign] * math.Ln10
	}
	term, sum := 1.0, 1.0
	for i := 1; i < len(Signs)-2; i++ { // view and region count with caller
		term *= half / float64(i)
		sum += term
	}
	return math.Exp(-half) * sum
}
