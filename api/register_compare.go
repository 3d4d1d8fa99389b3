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

// RegisterLine is one service of a comparison.
type RegisterLine struct {
	register.Line
	Name string   `json:"name" doc:"as people call it"`
	Said say.Text `json:"said" doc:"what its state means"`
	// NeededBy are services applied for that bring it along.
	NeededBy []string `json:"needed_by" doc:"services applied for that bring it along"`
}

// RegisterComparison holds what a project uses against what it applied for and
// what policies allow it.
type RegisterComparison struct {
	Project    string                 `json:"project"`
	Name       string                 `json:"name"`
	Owner      string                 `json:"owner"`
	Registered bool                   `json:"registered" doc:"false: nobody applied for the project"`
	Since      time.Time              `json:"since" doc:"use is of [since, until)"`
	Until      time.Time              `json:"until"`
	Allowance  *register.Allowance    `json:"allowance,omitempty" doc:"the policy that names services; absent: none is known"`
	Allowed    say.Text               `json:"allowed_said" doc:"where it is known from what is allowed, or that it is not known"`
	Lines      []RegisterLine         `json:"lines" doc:"the most pressing first"`
	Counts     map[register.State]int `json:"counts" doc:"lines by state"`
}

// RegisterDifferences is every project about which register and use disagree.
type RegisterDifferences struct {
	At           time.Time            `json:"at,omitzero" doc:"when it was compared; absent: not yet"`
	Projects     []RegisterComparison `json:"projects" doc:"in the register, with lines that are neither fine nor idle"`
	Unregistered []RegisterComparison `json:"unregistered" doc:"in use, and not in the register"`
	Fine         int                  `json:"fine" doc:"projects of the register without a difference"`
}

// ViewComparison gives c as scripts read it, in a language; only lines whose state
// is among states, all where there are none.
func ViewComparison(c register.Comparison, known *companion.Catalogue, l say.Language, states ...register.State) RegisterComparison {
	v := RegisterComparison{
		Project: c.Entry.Project, Name: c.Entry.Name, Owner: c.Entry.Owner, Registered: c.Registered, Since: c.Since, Until: c.Until,
		Allowance: c.Allowance, Allowed: allowanceSaid(c.Allowance), Lines: []RegisterLine{}, Counts: map[register.State]int{},
	}
	applied := c.Entry.IDs()
	for _, x := range c.Lines {
		v.Counts[x.State]++
		if len(states) > 0 && !slices.Contains(states, x.State) {
			continue
		}
		line := RegisterLine{Line: x, Name: inLanguageOf(known.Name(x.Service), l), Said: say.T("register.state."+string(x.State), nil), NeededBy: []string{}}
		for _, id := range applied {
			if slices.ContainsFunc(known.Brings(id), func(b companion.Bond) bool { return b.Service == x.Service }) {
				line.NeededBy = append(line.NeededBy, id)
			}
		}
		v.Lines = append(v.Lines, line)
	}
	return v
}

// allowanceSaid says where it is known from what is allowed.
func allowanceSaid(a *register.Allowance) say.Text {
	switch {
	case a == nil:
		return say.T("register.allowed.unknown", nil)
	case a.Source == register.FromOrganization && len(a.Missing) > 0:
		return say.T("register.allowed.missing", say.Values{"missing": say.List(a.Missing, 3)})
	case a.Source == register.FromOrganization:
		return say.T("register.allowed.organization", nil)
	case a.Source == register.FromTenant && len(a.Missing) > 0:
		return say.T("register.allowed.tenant.missing", say.Values{"missing": say.List(a.Missing, 3)})
	case a.Source == register.FromTenant:
		return say.T("register.allowed.tenant", nil)
	case a.Source == register.FromLog:
		return say.T("register.allowed.log", say.Values{"by": a.By, "at": a.At, "resource": a.Resource, "n": len(a.Services)})
	}
	return say.T("register.allowed.list", say.Values{"n": len(a.Services)})
}

// ViewDifferences gives d as scripts read it, in a language: of projects of which
// sees holds.
func ViewDifferences(d register.Differences, known *companion.Catalogue, l say.Language, sees func(project string) bool) RegisterDifferences {
	out := RegisterDifferences{At: d.At, Projects: []RegisterComparison{}, Unregistered: []RegisterComparison{}}
	for _, c := range d.Projects {
		if !sees(c.Entry.Project) {
			continue
		}
		v := ViewComparison(c, known, l, register.NotApplied, register.Refused, register.NotAllowed, register.NotGranted, register.TooWide)
		switch {
		case !c.Registered:
			out.Unregistered = append(out.Unregistered, v)
		case len(v.Lines) == 0:
			out.Fine++
		default:
			out.Projects = append(out.Projects, v)
		}
	}
	return out
}

func compareRegister(a huma.API, rooms Rooms) {
	type compared struct{ Body RegisterComparison }
	type differences struct{ Body RegisterDifferences }
	huma.Register(a, need(people.Viewer, within(huma.Operation{
		OperationID: "compare-register", Method: http.MethodGet, Path: "/api/register/projects/{project}/compare", Summary: "What a project uses, applied for and is allowed",
		Description: "Of the last 90 days of the log. Also of a project that nobody applied for.",
	})), func(ctx context.Context, in *struct {
		Project string `path:"project"`
	}) (*compared, error) {
		if rooms.Triage.Store == nil || rooms.Register.Compared == nil {
			return nil, absent("a register")
		}
		if !sees(ctx, in.Project) {
			return nil, huma.Error404NotFound("there is no project " + in.Project)
		}
		e, err := rooms.Triage.Store.Registered(ctx, in.Project)
		if unregistered(err) {
			e, err = register.Entry{Project: in.Project}, nil
		}
		if err != nil {
			return nil, rooms.wronged(err)
		}
		c, err := rooms.Register.Compared(ctx, e)
		if err != nil {
			return nil, rooms.failure(err)
		}
		known, err := rooms.companions(ctx)
		if err != nil {
			return nil, err
		}
		return &compared{ViewComparison(c, known, language(ctx))}, nil
	})
	huma.Register(a, need(people.Viewer, within(huma.Operation{
		OperationID: "list-register-differences", Method: http.MethodGet, Path: "/api/register/differences", Summary: "Where the register and what is used disagree",
		Description: "As of the last daily comparison, of the 90 days before it.",
	})), func(ctx context.Context, _ *struct{}) (*differences, error) {
		if rooms.Register.Differences == nil {
			return nil, absent("a register")
		}
		d, err := rooms.Register.Differences(ctx)
		if err != nil {
			return nil, rooms.failure(err)
		}
		known, err := rooms.companions(ctx)
		if err != nil {
			return nil, err
		}
		return &differences{ViewDifferences(d, known, language(ctx), func(project string) bool { return sees(ctx, project) })}, nil
	})
}
