package api

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/yagura-sec/yagura/companion"
	"github.com/yagura-sec/yagura/people"
	"github.com/yagura-sec/yagura/register"
	"github.com/yagura-sec/yagura/say"
)

// Companion is a cloud service and what it brings along.
type Companion struct {
	ID       string          `json:"id" doc:"as logs name it" example:"notebooks.googleapis.com"`
	Provider string          `json:"provider"`
	Name     string          `json:"name" doc:"as people call it"`
	Agents   []string        `json:"agents" doc:"addresses under which the service acts by itself"`
	Brings   []CompanionBond `json:"brings"`
}

// CompanionBond is that one service brings another along.
type CompanionBond struct {
	Service string    `json:"service"`
	Name    string    `json:"name" doc:"as people call it"`
	Always  bool      `json:"always" doc:"else only when something is chosen"`
	Why     string    `json:"why"`
	Source  string    `json:"source" doc:"where the provider says so; empty: it was seen in the log"`
	Seen    time.Time `json:"seen,omitzero" doc:"when its agent was last seen to call it; absent: never"`
}

// Companions are the services that bring others along.
type Companions struct {
	Services []Companion `json:"services"`
}

// Implied is what a wish implies.
type Implied struct {
	Service    string    `json:"service"`
	Name       string    `json:"name" doc:"as people call it"`
	NeededBy   string    `json:"needed_by" doc:"the service asked for that needs it"`
	NeededName string    `json:"needed_by_name"`
	Always     bool      `json:"always" doc:"else only when something is chosen"`
	Why        string    `json:"why"`
	Source     string    `json:"source" doc:"where the provider says so; empty: it was seen in the log"`
	Seen       time.Time `json:"seen,omitzero"`
	Text       say.Text  `json:"text" doc:"that in a sentence"`
}

// ImpliedBy is what a wish for services implies.
type ImpliedBy struct {
	Implied []Implied `json:"implied" doc:"what these services need beside themselves, what is always needed first"`
	Unknown []string  `json:"unknown" doc:"services of which the catalogue says nothing: whether they need others is not known"`
}

func inLanguageOf(t companion.Text, l say.Language) string {
	if l == say.Japanese {
		return t.JA
	}
	return t.EN
}

// ViewImplied is what services need that are not among them, in a language; what
// is always needed first.
func ViewImplied(services []string, known *companion.Catalogue, l say.Language) []Implied {
	out := []Implied{}
	for _, id := range services {
		id = register.ServiceID(id)
		for _, b := range known.Brings(id) {
			have := func(s string) bool { return register.ServiceID(s) == b.Service }
			if slices.ContainsFunc(services, have) || slices.ContainsFunc(out, func(i Implied) bool { return i.Service == b.Service && (i.Always || !b.Always) }) {
				continue
			}
			out = slices.DeleteFunc(out, func(i Implied) bool { return i.Service == b.Service })
			name, needs := inLanguageOf(known.Name(b.Service), l), inLanguageOf(known.Name(id), l)
			out = append(out, Implied{
				Service: b.Service, Name: name, NeededBy: id, NeededName: needs, Always: b.Always, Why: inLanguageOf(b.Why, l), Source: b.Source, Seen: b.Seen,
				Text: register.Need(needs, name, inLanguageOf(b.Why, l), b.Always),
			})
		}
	}
	slices.SortStableFunc(out, func(a, b Implied) int {
		switch {
		case a.Always == b.Always:
			return 0
		case a.Always:
			return -1
		}
		return 1
	})
	return out
}

func implied(a huma.API, rooms Rooms) {
	type answer struct{ Body ImpliedBy }
	huma.Register(a, need(people.Viewer, within(huma.Operation{
		OperationID: "implied-services", Method: http.MethodPost, Path: "/api/register/implied", Summary: "What services that somebody wishes for need besides",
		Description: "It asks and changes nothing.",
	})), func(ctx context.Context, in *struct {
		Body struct {
			Services []string `json:"services" maxItems:"500"`
		}
	}) (*answer, error) {
		known, err := rooms.companions(ctx)
		if err != nil {
			return nil, err
		}
		out := &answer{ImpliedBy{Implied: ViewImplied(in.Body.Services, known, language(ctx)), Unknown: []string{}}}
		for _, id := range in.Body.Services {
			if id = register.ServiceID(id); !known.Has(id) {
				out.Body.Unknown = append(out.Body.Unknown, id)
			}
		}
		return out, nil
	})
}

func companionList(a huma.API, rooms Rooms) {
	type all struct{ Body Companions }
	huma.Register(a, need(people.Viewer, within(huma.Operation{
		OperationID: "list-companions", Method: http.MethodGet, Path: "/api/companions", Summary: "Services that bring others along",
		Description: "With what their agents were seen to do in the log. Whoever is limited to accounts is told what providers say, and not what was seen.",
	})), func(ctx context.Context, _ *struct{}) (*all, error) {
		known, err := rooms.companions(ctx)
		if err != nil {
			return nil, err
		}
		out := &all{Companions{Services: []Companion{}}}
		l := language(ctx)
		for _, s := range known.Services() {
			v := Companion{ID: s.ID, Provider: s.Provider, Name: inLanguageOf(s.Name, l), Agents: list(s.Agents), Brings: []CompanionBond{}}
			for _, b := range s.Brings {
				v.Brings = append(v.Brings, CompanionBond{
					Service: b.Service, Name: inLanguageOf(known.Name(b.Service), l), Always: b.Always, Why: inLanguageOf(b.Why, l), Source: b.Source, Seen: b.Seen,
				})
			}
			out.Body.Services = append(out.Body.Services, v)
		}
		return out, nil
	})
}
