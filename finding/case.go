package finding

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"
)

// Case sums up the findings of one principal, resource and UTC day.
type Case struct {
	ID       string    `json:"id"`
	Priority int       `json:"priority"` // of its most pressing finding
	Severity Severity  `json:"severity"` // of the most severe
	Actor    string    `json:"actor,omitempty"`
	Person   string    `json:"person,omitempty"` // whom the strongest finding names that names one
	Resource string    `json:"resource,omitempty"`
	Account  string    `json:"account,omitempty"` // of the strongest finding
	First    time.Time `json:"first_seen"`
	Last     time.Time `json:"last_seen"`
	// Chance is of all of its anomalies together, 0 to 1: see together; 0 where
	// there is none among the findings.
	Chance float64 `json:"chance,omitempty"`
	// Explained: every finding of it is.
	Explained bool   `json:"explained"`
	Kinds     []Kind `json:"kinds"` // of its findings, each once, in order
	Count     int    `json:"count"` // of its findings
}

// Gathered is a case with its findings.
type Gathered struct {
	Case
	Findings []Finding `json:"findings"` // strongest first
}

// Gather puts findings into their cases, the most pressing case first.
func Gather(findings []Finding) []Gathered {
	at := map[string]int{}
	var sums []CaseSum
	var out []Gathered
	for _, f := range findings {
		i, there := at[f.Case]
		if !there {
			i = len(out)
			at[f.Case] = i
			out, sums = append(out, Gathered{}), append(sums, CaseSum{})
		}
		sums[i].Add(MemberOf(&f))
		out[i].Findings = append(out[i].Findings, f)
	}
	for i := range out {
		out[i].Case = sums[i].Case()
		slices.SortFunc(out[i].Findings, func(a, b Finding) int { return MemberOf(&a).stronger(MemberOf(&b)) })
	}
	slices.SortFunc(out, func(a, b Gathered) int {
		return cmp.Or(cmp.Compare(b.Priority, a.Priority), cmp.Compare(a.Chance, b.Chance), b.Last.Compare(a.Last), strings.Compare(a.ID, b.ID))
	})
	return out
}

// Member is what a case takes from one of its findings.
type Member struct {
	Case, Key                        string
	Kind                             Kind
	Severity                         Severity
	Priority                         int
	Score                            float64 // of an anomaly
	Actor, Person, Resource, Account string
	First, Last                      time.Time
	Explained                        bool
}

// MemberOf f.
func MemberOf(f *Finding) Member {
	return Member{
		Case: f.Case, Key: f.Key, Kind: f.Kind, Severity: f.Severity, Priority: f.Priority, Score: f.Score(),
		Actor: f.Actor, Person: f.Person(), Resource: f.Resource, Account: f.Account,
		First: f.FirstSeen, Last: f.LastSeen, Explained: len(f.Explained) > 0,
	}
}

// Score is how striking an anomaly is, see Anomaly; 0 of anything else.
func (t *Trouble) Score() float64 {
	if t.Anomaly == nil {
		return 0
	}
	return t.Anomaly.Score
}

// stronger orders the findings of a case: what a reader should know first.
func (m Member) stronger(n Member) int {
	return cmp.Or(cmp.Compare(n.Priority, m.Priority), cmp.Compare(n.Score, m.Score), strings.Compare(m.Key, n.Key))
}

// CaseSum sums up the findings of one case, in whatever order they come. The zero
// CaseSum has none.
type CaseSum struct {
	sum       Case
	top, who  Member // the strongest, and the strongest that names a person
	anomalies bool
	scores    []float64 // by the place in Signs: of the strongest that nothing explains
}

// Add adds a finding.
func (s *CaseSum) Add(m Member) {
	c := &s.sum
	if c.Count == 0 {
		*c = Case{ID: m.Case, Actor: m.Actor, Resource: m.Resource, First: m.First, Last: m.Last, Severity: m.Severity, Explained: true}
		s.top, s.scores = m, make([]float64, len(Signs))
	}
	c.Count++
	c.Priority = max(c.Priority, m.Priority)
	if m.Severity.Rank() > c.Severity.Rank() {
		c.Severity = m.Severity
	}
	if m.First.Before(c.First) {
		c.First = m.First
	}
	if m.Last.After(c.Last) {
		c.Last = m.Last
	}
	c.Explained = c.Explained && m.Explained
	if !slices.Contains(c.Kinds, m.Kind) {
		c.Kinds = append(c.Kinds, m.Kind)
	}
	if m.stronger(s.top) < 0 {
		s.top = m
	}
	if m.Person != "" && (s.who.Person == "" || m.stronger(s.who) < 0) {
		s.who = m
	}
	family, sign, _ := strings.Cut(string(m.Kind), ".")
	if s.anomalies = s.anomalies || Kind(family) == KindAnomaly; m.Explained {
		return // to be expected
	}
	if i := slices.Index(Signs, sign); i >= 0 {
		s.scores[i] = max(s.scores[i], m.Score)
	}
}

// Case is what it comes to. There is at least one finding.
func (s *CaseSum) Case() Case {
	c := s.sum
	c.Account, c.Person = s.top.Account, s.who.Person
	c.Kinds = slices.Sorted(slices.Values(c.Kinds))
	if s.anomalies {
		c.Chance = together(s.scores)
	}
	return c
}

// together is a chance, under the usual pattern, of anomalies at least as
// striking as these all at once, by Fisher's method over all signs: scores are by
// the place in Signs, 0 of those that are silent and of which everything is
// explained, which count as what is to be expected. Caller, view and region say
// much the same of one call, so that only the strongest of the three counts; the
// others are taken to be independent. It orders cases; it is no probability that
// something is wrong.
//
// Of k chances p the statistic -2 Σ ln p has a chi-squared distribution with 2k
// degrees of freedom, whose tail at x is e^(-x/2) Σ_{i<k} (x/2)^i / i!. (R. A.
// Fisher, Statistical Methods for Research Workers, 4th edition, 1932.)
func together(scores []float64) float64 {
	half, caller := 0.0, 0.0 // half is x/2 = -Σ ln p
	for i, sign := range Signs {
		switch sign {
		case SignCaller, SignView, SignRegion:
			caller = max(caller, scores[i])
		default:
			half += scores[i] * math.Ln10
		}
	}
	half += caller * math.Ln10
	term, sum := 1.0, 1.0
	for i := 1; i < len(Signs)-2; i++ { // view and region count with caller
		term *= half / float64(i)
		sum += term
	}
	return math.Exp(-half) * sum
}
