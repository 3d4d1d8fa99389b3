// Package coverage says which ATT&CK techniques rules are about, whether the logs
// that the rules need are there, and which of them have fired; as a table and as
// a layer of the ATT&CK Navigator.
package coverage

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/yagura-sec/yagura/sigma/attack"
)

// Rule is a rule or correlation with what is known of it.
type Rule struct {
	ID, Title string
	Level     string
	Tags      []string
	LogSource string
	Present   bool  // records of its log source are stored
	Fired     int64 // events in its findings
}

// State is how far a technique is covered.
type State string

// The states, each better than the one before.
const (
	Covered State = "covered" // a rule is about it
	Present State = "present" // and the logs it needs are there
	Fired   State = "fired"   // and it has found something
)

// Technique is an ATT&CK technique with the rules that are about it.
type Technique struct {
	ID    string   `json:"technique"`
	Name  string   `json:"name,omitempty"`
	State State    `json:"state"`
	Rules []string `json:"rules"` // titles
	// Present counts the rules whose logs are there, FiredRules those that have
	// found something, in Events events.
	Present    int   `json:"rules_present"`
	FiredRules int   `json:"rules_fired"`
	Events     int64 `json:"events"`
}

// Of gathers the techniques of rules, by id. Untagged is how many rules name none.
func Of(rules []Rule) (all []Technique, untagged int) {
	at := map[string]int{}
	for _, r := range rules {
		named := map[string]bool{}
		for _, tag := range r.Tags {
			id, ok := attack.ID(tag)
			if !ok || attack.IsTactic(id) || named[id] {
				continue
			}
			named[id] = true
			i, met := at[id]
			if !met {
				i = len(all)
				at[id] = i
				all = append(all, Technique{ID: id, Name: attack.Name(id), State: Covered})
			}
			all[i].add(r)
		}
		if len(named) == 0 {
			untagged++
		}
	}
	slices.SortFunc(all, func(a, b Technique) int { return strings.Compare(a.ID, b.ID) })
	return all, untagged
}

func (t *Technique) add(r Rule) {
	t.Rules = append(t.Rules, r.Title)
	t.Events += r.Fired
	if r.Present {
		t.Present++
	}
	if r.Fired > 0 {
		t.FiredRules++
	}
	switch {
	case t.FiredRules > 0:
		t.State = Fired
	case t.Present > 0:
		t.State = Present
	}
}

// The layer format 4.5 of the ATT&CK Navigator, as far as it is used.
type (
	layer struct {
		Name        string     `json:"name"`
		Versions    versions   `json:"versions"`
		Domain      string     `json:"domain"`
		Description string     `json:"description"`
		Sorting     int        `json:"sorting"` // 3: by score, highest first
		Techniques  []painted  `json:"techniques"`
		Gradient    gradient   `json:"gradient"`
		Legend      []legend   `json:"legendItems"`
		Metadata    []metadata `json:"metadata"`
	}
	versions struct {
		Attack    string `json:"attack"`
		Navigator string `json:"navigator"`
		Layer     string `json:"layer"`
	}
	painted struct {
		ID       string     `json:"techniqueID"`
		Score    int        `json:"score,omitempty"`
		Color    string     `json:"color"`
		Comment  string     `json:"comment"`
		Enabled  bool       `json:"enabled"`
		Metadata []metadata `json:"metadata"`
		// A technique whose parts are covered is opened, so that they are seen.
		Open bool `json:"showSubtechniques"`
	}
	metadata struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	gradient struct {
		Colors []string `json:"colors"`
		Min    int      `json:"minValue"`
		Max    int      `json:"maxValue"`
	}
	legend struct {
		Label string `json:"label"`
		Color string `json:"color"`
	}
)

// paint is the score and colour of each state.
var paint = map[State]struct {
	score int
	color string
	label string
}{
	Covered: {1, "#d6d6d6", "a rule, but no logs for it"},
	Present: {2, "#9ecae1", "a rule, and logs for it"},
	Fired:   {3, "#fc8d59", "a rule that has fired"},
}

// WriteNavigator writes the techniques as a layer (format 4.5).
func WriteNavigator(w io.Writer, all []Technique) error {
	out := layer{
		Name: "Yagura", Versions: versions{Attack: attack.Version, Navigator: "5.1.0", Layer: "4.5"},
		Domain: "enterprise-attack", Description: "Techniques that detection rules are about", Sorting: 3,
		Techniques: []painted{}, Gradient: gradient{Min: 1, Max: 3}, Metadata: []metadata{},
	}
	for _, s := range []State{Covered, Present, Fired} {
		out.Gradient.Colors = append(out.Gradient.Colors, paint[s].color)
		out.Legend = append(out.Legend, legend{paint[s].label, paint[s].color})
	}
	open := map[string]bool{}
	for _, t := range all {
		if parent, _, isPart := strings.Cut(t.ID, "."); isPart {
			open[parent] = true
		}
	}
	for _, t := range all {
		open[t.ID] = open[t.ID] && !strings.Contains(t.ID, ".")
		out.Techniques = append(out.Techniques, t.painted(open[t.ID]))
		delete(open, t.ID)
	}
	for id, parts := range open { // those of which only parts are covered
		if parts {
			out.Techniques = append(out.Techniques, painted{ID: id, Enabled: true, Metadata: []metadata{}, Open: true})
		}
	}
	slices.SortFunc(out.Techniques, func(a, b painted) int { return cmp.Compare(a.ID, b.ID) })
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(out)
}

func (t *Technique) painted(open bool) painted {
	p := paint[t.State]
	return painted{
		ID: t.ID, Score: p.score, Color: p.color, Comment: strings.Join(t.Rules, "\n"), Enabled: true, Open: open,
		Metadata: []metadata{
			{"rules", fmt.Sprint(len(t.Rules))}, {"rules with logs", fmt.Sprint(t.Present)},
			{"rules that fired", fmt.Sprint(t.FiredRules)}, {"events", fmt.Sprint(t.Events)},
		},
	}
}
