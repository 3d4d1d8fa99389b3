// Package evaluate holds findings against labels: what of the trouble in a
// simulated or a foreign world was found, what was alarming for nothing, and how
// simple methods do on the same world. It reads and computes; running the
// pipeline over the world's logs is the command's.
package evaluate

import (
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/simulate/estate"
)

// Budgets are the alert budgets that are reported: alerts a day and 1,000
// secrets, all signs together.
var Budgets = []float64{1, 5, 20}

// Loosest is the budget that a world is hunted with once; what a smaller one
// would have given is cut from that.
const Loosest = 20

// Bases. A kind's figures are of the first, the others stand beside it.
const (
	// Headline are difficulties 1 and 2, and labels that name none.
	Headline = "1+2"
	All      = "all"
)

// Bases are the sets of labels that recall is told of.
var Bases = []string{Headline, "1", "2", "3", All}

// World is what is known of a world beside its labels.
type World struct {
	Name   string        `json:"name"`
	Seed   int64         `json:"seed"`
	Size   string        `json:"size,omitempty"`
	Family estate.Family `json:"family,omitempty"`
	Start  time.Time     `json:"start"`
	// From is when trouble begins: alerts before it are of learning, and counted
	// apart.
	From time.Time `json:"trouble_from"`
	End  time.Time `json:"end"`
	// Secrets and keys of its own; Watched are all whose use is judged, what
	// agents and providers read among them.
	Secrets int `json:"secrets"`
	Watched int `json:"watched"`
	// Parts is what the hunter divides the budget by: each class of scores has one
	// part. ClassesOf is how many classes a sign has.
	Parts     float64        `json:"budget_parts,omitempty"`
	ClassesOf map[string]int `json:"classes_by_sign,omitempty"`
}

// Divided takes from what the hunter recorded what it divides the budget by:
// the median of what alarms need beside their rate.
func (w *World) Divided(occurrences []finding.Occurrence, classes []Class) {
	var all []float64
	for i := range occurrences {
		if a := occurrences[i].Anomaly; a != nil && a.Rate > 0 {
			all = append(all, a.Budget/a.Rate)
		}
	}
	if len(all) == 0 {
		return
	}
	w.Parts, w.ClassesOf = median(all), map[string]int{}
	for _, c := range classes {
		w.ClassesOf[c.Sign]++
	}
}

// Days is how long alerts are counted.
func (w *World) Days() float64 { return max(w.End.Sub(w.From).Hours()/24, 1.0/24) }

// unit is how many days times 1,000 secrets the world has.
func (w *World) unit() float64 { return w.Days() * float64(max(w.Secrets, 1)) / 1000 }

// Sighting is one unusual thing that a method tells of: an occurrence, or what a
// simple method makes of a row of usage.
type Sighting struct {
	Key       string // alerts are counted once a key
	Sign      string
	Title     string
	Actor     string
	Person    string
	Account   string
	Resources []string
	First     time.Time
	Last      time.Time
	Known     time.Time // when it can be told, at the earliest
	// Needs is the smallest budget at which it is an alert. Only its order
	// matters to methods without a budget.
	Needs     float64
	Explained string // by what; empty: by nothing
}

// Lateness is how long after an hour's end it is judged.
const Lateness = 20 * time.Minute

// Sightings makes sightings of anomalies that were recorded.
func Sightings(occurrences []finding.Occurrence) []Sighting {
	var out []Sighting
	for i := range occurrences {
		o := &occurrences[i]
		if o.Anomaly == nil {
			continue
		}
		s := Sighting{
			Key: o.Key, Sign: signOf(o), Title: o.Title, Actor: o.Actor, Person: o.Anomaly.Person, Account: o.Account,
			First: o.FirstSeen, Last: o.LastSeen, Known: o.Until.Add(Lateness),
			Needs: o.Anomaly.Budget, Explained: explained(o.Explained),
		}
		if o.Resource != "" {
			s.Resources = append(s.Resources, o.Resource)
		}
		s.Resources = append(s.Resources, o.Anomaly.Resources...)
		out = append(out, s)
	}
	return out
}

func signOf(o *finding.Occurrence) string {
	if o.Anomaly.Sign != "" {
		return o.Anomaly.Sign
	}
	return strings.TrimPrefix(string(o.Kind), string(finding.KindAnomaly)+".")
}

func explained(list []finding.Explanation) string {
	var kinds []string
	for _, x := range list {
		kinds = append(kinds, x.Kind)
	}
	slices.Sort(kinds)
	return strings.Join(slices.Compact(kinds), "+")
}

// explainedBy tells whether the calendar has part in an explanation.
func explainedBy(explained, kind string) bool {
	return slices.Contains(strings.Split(explained, "+"), kind)
}
