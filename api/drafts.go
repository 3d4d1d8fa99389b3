package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/yagura-sec/yagura/companion"
	"github.com/yagura-sec/yagura/people"
	"github.com/yagura-sec/yagura/register"
	"github.com/yagura-sec/yagura/say"
	"github.com/yagura-sec/yagura/triage"
)

// Drafts are what would close a finding about something that nobody applied for.
// Nothing of it is sent or applied.
type Drafts struct {
	Messages []triage.Message `json:"messages" doc:"to the applicant, one a language"`
	Why      say.Text         `json:"why" doc:"why there are none; else empty"`
	Register *RegisterDraft   `json:"register,omitempty" doc:"absent where the register covers the service, or has no entry of the project"`
	Policy   *PolicyDraft     `json:"policy,omitempty" doc:"absent where the policy that refused names no services, or is not known"`
}

// RegisterDraft is a change of the register, for a responder to make by PUT.
type RegisterDraft struct {
	Project string             `json:"project"`
	Adds    []string           `json:"adds" doc:"services"`
	Before  RegisterEntry      `json:"before"`
	After   RegisterEntry      `json:"after"`
	ETag    string             `json:"etag" doc:"for If-Match: of what stands there"`
	Body    RegisterEntryAsked `json:"body" doc:"what PUT /api/register/projects/{project} takes"`
}

// PolicyDraft is a change of a policy, for whoever may make it.
type PolicyDraft = triage.PolicyDraft

// ViewDrafts gives d as scripts read it, in a language; entry is what stands in
// the register, with its tag, nil where nothing does.
func ViewDrafts(d triage.Draft, entry *register.Entry, tag string, known *companion.Catalogue, l say.Language) Drafts {
	out := Drafts{Messages: list(d.Messages), Why: d.Why, Policy: d.Policy}
	if d.After != nil && entry != nil {
		out.Register = &RegisterDraft{
			Project: entry.Project, Adds: []string{d.Adds}, Before: ViewEntry(*entry, known, l), After: ViewEntry(*d.After, known, l), ETag: tag, Body: asked(*d.After),
		}
	}
	return out
}

// asked is an entry as it is asked for.
func asked(e register.Entry) RegisterEntryAsked {
	in := RegisterEntryAsked{
		Provider: e.Provider, Name: e.Name, Applicant: e.Applicant, Owner: e.Owner, Purpose: e.Purpose, Approver: e.Approver, Services: []RegisterServiceAsked{},
	}
	if !e.Applied.IsZero() {
		in.Applied = &e.Applied
	}
	if !e.Approved.IsZero() {
		in.Approved = &e.Approved
	}
	for _, s := range e.Services {
		x := RegisterServiceAsked{ID: s.ID, Note: s.Note}
		if !s.From.IsZero() {
			x.From = &s.From
		}
		if !s.Until.IsZero() {
			x.Until = &s.Until
		}
		in.Services = append(in.Services, x)
	}
	return in
}

func drafts(a huma.API, rooms Rooms) {
	type answer struct{ Body Drafts }
	huma.Register(a, need(people.Viewer, within(huma.Operation{
		OperationID: "draft-closing", Method: http.MethodGet, Path: "/api/findings/{key}/drafts", Summary: "What would close a finding about something that nobody applied for",
		Description: "A message to the applicant, a change of the register, a change of the policy: to read, change, and send or apply. Nothing is sent or applied.",
	})), func(ctx context.Context, in *KeyInput) (*answer, error) {
		if rooms.Triage.Store == nil {
			return nil, absent("a register")
		}
		f, err := rooms.Findings.Get(ctx, in.Key)
		if err != nil {
			return nil, rooms.failure(err)
		}
		known, err := rooms.companions(ctx)
		if err != nil {
			return nil, err
		}
		d := triage.Drafting{Finding: f, Known: known}
		tag := ""
		switch e, err := rooms.Triage.Store.Registered(ctx, f.Account); {
		case err == nil:
			d.Entry, tag = &e, tagging(e, struct{}{}).ETag
		case !unregistered(err):
			return nil, rooms.wronged(err)
		}
		if rooms.Register.Allowed != nil {
			if d.Allowance, err = rooms.Register.Allowed(ctx, f.Account); err != nil {
				return nil, rooms.failure(err)
			}
		}
		return &answer{ViewDrafts(triage.Drafts(d), d.Entry, tag, known, language(ctx))}, nil
	})
}
