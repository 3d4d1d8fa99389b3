// Package intent recognises what somebody was about to do from the sequence of
// what they did: a service turned on, a thing of it asked for, and what that thing
// needs refused.
//
// Sequences are intents.yaml, with cases that each of them recognises and that it
// does not. What is refused alone says nothing of what for: there has to be a call
// to the service, a page of it, or the service's own agent that was refused.
package intent

import (
	"bytes"
	"cmp"
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/yagura-sec/yagura/companion"
)

// Sequence is what shows that somebody was about to do something.
type Sequence struct {
	ID       string         `yaml:"id"`
	Provider string         `yaml:"provider"` // cloud_provider of events
	Name     companion.Text `yaml:"name"`     // "a notebook of Vertex AI Workbench"
	// Service is the one that was wanted, as api_service names it.
	Service string `yaml:"service"`
	// Create are the operations of Service that ask for the thing: their last
	// words, without regard to case.
	Create []string `yaml:"create"`
	// Pages are parts of the addresses of the console's pages about it.
	Pages []string `yaml:"pages"`
	// Refused are the services that the thing needs and that may be refused.
	Refused []string `yaml:"refused"`
	Cases   []Case   `yaml:"cases"`
}

// Case is a story that a sequence recognises, or does not.
type Case struct {
	Name    string   `yaml:"name"`
	Refused string   `yaml:"refused"`
	Agent   string   `yaml:"agent"` // service whose agent was refused
	Calls   []string `yaml:"calls"` // "SERVICE OPERATION [RESOURCE]"
	Pages   []string `yaml:"pages"`
	Not     bool     `yaml:"not"`
}

// Call is one that was made around the refusals, whether it succeeded or not.
type Call struct {
	At        time.Time
	Service   string
	Operation string
	Resource  string
	Actor     string // empty: not logged
}

// Story is what is known around refusals.
type Story struct {
	Refused string   // service
	Agent   string   // the service whose agent was refused; empty: it was none's
	Calls   []Call   // in the order of their times
	Pages   []string // addresses of pages that were opened
}

// Match is what a story shows.
type Match struct {
	*Sequence
	Enabled *Call  // the service was turned on
	Asked   *Call  // the thing was asked for, for the first time
	Times   int    // how often it was
	Page    string // a page about it
	Agent   bool   // the service's agent was refused
}

// Catalogue is sequences.
type Catalogue struct{ all []Sequence }

//go:embed intents.yaml
var builtin []byte

var parsed = sync.OnceValue(func() *Catalogue {
	c, err := Parse("intents.yaml", builtin)
	if err != nil {
		panic(err) // a test holds that ours parses
	}
	return c
})

// Builtin is our own catalogue.
func Builtin() *Catalogue { return parsed() }

// Parse reads a catalogue; unknown keys are errors. Errors begin with file.
func Parse(file string, text []byte) (*Catalogue, error) {
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	c := &Catalogue{}
	if err := d.Decode(&c.all); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	seen := map[string]bool{}
	for i := range c.all {
		s := &c.all[i]
		switch {
		case s.ID == "" || s.Service == "" || s.Name.EN == "" || s.Name.JA == "" || s.Provider == "":
			return nil, fmt.Errorf("%s: sequence %d lacks an id, a provider, a service or a name in English or Japanese", file, i+1)
		case seen[s.ID]:
			return nil, fmt.Errorf("%s: sequence %s is there twice", file, s.ID)
		case len(s.Create) == 0 || len(s.Refused) == 0:
			return nil, fmt.Errorf("%s: sequence %s does not say what asks for it, or what may be refused", file, s.ID)
		}
		seen[s.ID] = true
	}
	return c, nil
}

// Sequences are all of them, in the order of the file.
func (c *Catalogue) Sequences() []Sequence { return c.all }

// Services are the services that sequences are about.
func (c *Catalogue) Services() []string {
	var out []string
	for _, s := range c.all {
		out = append(out, s.Service)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Telling are parts of the addresses of pages on which things are asked for that need
// the refused service: those of the service whose agent was refused, if it is one's.
func (c *Catalogue) Telling(refused, agent string) []string {
	var out []string
	for i := range c.all {
		s := &c.all[i]
		if !slices.Contains(s.Refused, refused) || agent != "" && agent != s.Service && c.of(agent) {
			continue
		}
		out = append(out, s.Pages...)
		name, _, _ := strings.Cut(s.Service, ".")
		out = append(out, "/"+name+":create", "/library/"+s.Service)
	}
	return out
}

// of tells whether any sequence is about a service.
func (c *Catalogue) of(service string) bool {
	return slices.ContainsFunc(c.all, func(s Sequence) bool { return s.Service == service })
}

// Sequence is the one of an id; nil: there is none.
func (c *Catalogue) Sequence(id string) *Sequence {
	if i := slices.IndexFunc(c.all, func(s Sequence) bool { return s.ID == id }); i >= 0 {
		return &c.all[i]
	}
	return nil
}

// Recognise says what a story shows; nil: nothing, or several things alike.
func (c *Catalogue) Recognise(s Story) *Match {
	var best *Match
	alike := false
	for i := range c.all {
		m := c.all[i].match(s)
		switch {
		case m == nil:
		case best == nil || m.weight() > best.weight():
			best, alike = m, false
		case m.weight() == best.weight():
			alike = true
		}
	}
	if alike {
		return nil
	}
	return best
}

// match holds a story against one sequence.
func (q *Sequence) match(s Story) *Match {
	if !slices.Contains(q.Refused, s.Refused) {
		return nil
	}
	m := &Match{Sequence: q, Agent: s.Agent == q.Service}
	for i := range s.Calls {
		c := &s.Calls[i]
		switch {
		case enables(c, q.Service):
			m.Enabled = cmp.Or(m.Enabled, c)
		case strings.EqualFold(c.Service, q.Service) && q.asks(c.Operation):
			m.Asked = cmp.Or(m.Asked, c)
			m.Times++
		}
	}
	for _, page := range s.Pages {
		if slices.ContainsFunc(q.Pages, func(p string) bool { return strings.Contains(page, p) }) {
			m.Page = page
			break
		}
	}
	if m.Asked == nil && m.Page == "" && !m.Agent {
		return nil
	}
	return m
}

// asks tells whether an operation asks for the thing.
func (q *Sequence) asks(operation string) bool {
	operation = strings.ToLower(operation)
	return slices.ContainsFunc(q.Create, func(c string) bool { return strings.HasSuffix(operation, strings.ToLower(c)) })
}

// enables tells whether a call turns a service on: Google's are turned on project
// by project, Azure's are registered.
func enables(c *Call, service string) bool {
	op := strings.ToLower(c.Operation)
	switch {
	case strings.HasSuffix(op, "enableservice"), strings.HasSuffix(op, "batchenableservices"), strings.HasSuffix(op, "activateservices"):
		return strings.HasSuffix(c.Resource, "/"+service)
	case strings.HasSuffix(op, "/register/action"):
		return op == strings.ToLower(service)+"/register/action"
	}
	return false
}

// weight orders matches: asking for it says more than the agent, which may act for
// another reason, and that more than a page that was looked at.
func (m *Match) weight() int {
	w := 0
	if m.Asked != nil {
		w += 8
	}
	if m.Agent {
		w += 4
	}
	if m.Page != "" {
		w += 2
	}
	if m.Enabled != nil {
		w++
	}
	return w
}
