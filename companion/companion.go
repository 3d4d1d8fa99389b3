// Package companion knows which cloud services bring others along: a Vertex AI
// notebook is a machine of Compute Engine, an EMR cluster is EC2. Whoever applies
// for one has to have the others too, and a service's own agent that is refused
// acts for whoever asked the service.
//
// The list, with where each provider says so, is companions.yaml. What agents are
// seen to do is added by Catalogue.With.
package companion

import (
	"bytes"
	_ "embed"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"go.yaml.in/yaml/v3"
)

// Text is said in English and in Japanese.
type Text struct {
	EN string `yaml:"en" json:"en"`
	JA string `yaml:"ja" json:"ja"`
}

// Service is a cloud service and what it brings along.
type Service struct {
	ID       string `yaml:"id" json:"id"` // as logs name it: "notebooks.googleapis.com"
	Provider string `yaml:"provider" json:"provider"`
	Name     Text   `yaml:"name" json:"name"`
	// Agents are addresses under which the service acts by itself; * stands for
	// any run of characters.
	Agents []string `yaml:"agents" json:"agents,omitempty"`
	Brings []Bond   `yaml:"brings" json:"brings,omitempty"`
}

// Bond is that one service brings another along.
type Bond struct {
	Service string `yaml:"service" json:"service"`
	Always  bool   `yaml:"always" json:"always"` // else only when something is chosen
	Why     Text   `yaml:"why" json:"why"`
	// Source is where the provider says so; empty: it was seen in logs.
	Source string `yaml:"source" json:"source,omitempty"`
	// Seen is when an agent was last seen to call Service; zero: never.
	Seen time.Time `yaml:"-" json:"seen,omitzero"`
}

// Catalogue is services by id.
type Catalogue struct {
	byID map[string]*Service
	ids  []string // in order
}

//go:embed companions.yaml
var builtin []byte

var parsed = sync.OnceValue(func() *Catalogue {
	c, err := Parse("companions.yaml", builtin)
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
	var list []Service
	if err := d.Decode(&list); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	c := &Catalogue{byID: map[string]*Service{}}
	for i := range list {
		s := &list[i]
		switch {
		case s.ID == "" || s.Name.EN == "" || s.Name.JA == "":
			return nil, fmt.Errorf("%s: service %d lacks an id or a name in English or Japanese", file, i+1)
		case c.byID[s.ID] != nil:
			return nil, fmt.Errorf("%s: service %s is there twice", file, s.ID)
		}
		for _, b := range s.Brings {
			if b.Service == "" || b.Service == s.ID || b.Why.EN == "" || b.Why.JA == "" {
				return nil, fmt.Errorf("%s: service %s brings %q along without saying what or why", file, s.ID, b.Service)
			}
		}
		c.byID[s.ID] = s
		c.ids = append(c.ids, s.ID)
	}
	return c, nil
}

// Services are all services, in the order of the list.
func (c *Catalogue) Services() []Service {
	out := make([]Service, 0, len(c.ids))
	for _, id := range c.ids {
		out = append(out, *c.byID[id])
	}
	return out
}

// Has tells whether the catalogue says anything of a service: itself, or as what
// another brings along.
func (c *Catalogue) Has(id string) bool {
	if c.byID[id] != nil {
		return true
	}
	for _, s := range c.byID {
		if slices.ContainsFunc(s.Brings, func(b Bond) bool { return b.Service == id }) {
			return true
		}
	}
	return false
}

// Name is what people call a service: its id where it is not in the catalogue.
func (c *Catalogue) Name(id string) Text {
	if s := c.byID[id]; s != nil {
		return s.Name
	}
	return Text{EN: id, JA: id}
}

// Brings is what a service needs, what that needs in turn included; nearest
// first, each service once. What is needed by something that may be needed may
// be needed.
func (c *Catalogue) Brings(id string) []Bond {
	var out []Bond
	type step struct {
		id     string
		always bool
	}
	for queue := []step{{id, true}}; len(queue) > 0; queue = queue[1:] {
		s := c.byID[queue[0].id]
		if s == nil {
			continue
		}
		for _, b := range s.Brings {
			b.Always = b.Always && queue[0].always
			at := slices.IndexFunc(out, func(o Bond) bool { return o.Service == b.Service })
			switch {
			case b.Service == id:
				continue
			case at < 0:
				out = append(out, b)
			case b.Always && !out[at].Always:
				out[at] = b
			default:
				continue
			}
			queue = append(queue, step{b.Service, b.Always})
		}
	}
	return out
}

// Bringer is which of the services brings wanted along, and how; the first that
// always does, else the first that may.
func (c *Catalogue) Bringer(wanted string, services []string) (bringer string, b Bond, ok bool) {
	for _, id := range services {
		for _, bond := range c.Brings(id) {
			if bond.Service == wanted && (!ok || bond.Always && !b.Always) {
				bringer, b, ok = id, bond, true
			}
		}
	}
	return bringer, b, ok
}

// ServiceOf is the service whose agent has the address; empty: it is nobody's.
func (c *Catalogue) ServiceOf(agent string) string {
	for _, id := range c.ids {
		for _, pattern := range c.byID[id].Agents {
			if ok, err := path.Match(pattern, agent); ok && err == nil {
				return id
			}
		}
	}
	return ""
}

// Sighting is that a service's agent was seen to call another service.
type Sighting struct {
	Agent  string    // the agent's address
	Called string    // the service it called
	Last   time.Time // when last
}

// With is the catalogue with what agents were seen to do. A service that is not
// in it already as brought along is added as one that may be.
func (c *Catalogue) With(seen []Sighting) *Catalogue {
	out := &Catalogue{byID: map[string]*Service{}, ids: c.ids}
	for id, s := range c.byID {
		own := *s
		own.Brings = slices.Clone(s.Brings)
		out.byID[id] = &own
	}
	for _, x := range seen {
		s := out.byID[out.ServiceOf(x.Agent)]
		if s == nil || x.Called == "" || x.Called == s.ID || strings.HasPrefix(x.Called, "serviceusage.") {
			continue
		}
		at := slices.IndexFunc(s.Brings, func(b Bond) bool { return b.Service == x.Called })
		if at < 0 {
			at = len(s.Brings)
			s.Brings = append(s.Brings, Bond{Service: x.Called, Why: Text{EN: "its agent was seen to call it", JA: "サービスエージェントの呼び出しがログにある"}})
		}
		if x.Last.After(s.Brings[at].Seen) {
			s.Brings[at].Seen = x.Last
		}
	}
	return out
}
