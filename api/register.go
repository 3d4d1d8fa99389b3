package api

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/yagura-sec/yagura/companion"
	"github.com/yagura-sec/yagura/people"
	"github.com/yagura-sec/yagura/register"
	"github.com/yagura-sec/yagura/say"
	"github.com/yagura-sec/yagura/triage"
)

// Register is what the pages of the register ask besides Rooms.Triage.Store. A
// function that is nil is a talent that this server does not have.
type Register struct {
	// Compared holds what a project uses against what it applied for and what
	// policies allow it; register.Entry{} of a project that nobody applied for.
	Compared func(ctx context.Context, e register.Entry) (register.Comparison, error)
	// Differences gives every project that the register and usage disagree about,
	// as of the last daily comparison; it is shared: do not change it.
	Differences func(ctx context.Context) (register.Differences, error)
	// Allowed gives what a policy allows a project by name; nil: none is known.
	Allowed func(ctx context.Context, project string) (*register.Allowance, error)
	// Changed is told that somebody changed the register.
	Changed func()
	// Companions are the services that bring others along, with what agents were
	// seen to do; nil: the built-in catalogue.
	Companions func(ctx context.Context) (*companion.Catalogue, error)
}

// RegisterService is a service that was applied for.
type RegisterService struct {
	ID    string    `json:"id" doc:"as logs name it" example:"notebooks.googleapis.com"`
	Name  string    `json:"name" doc:"as people call it"`
	From  time.Time `json:"from,omitzero" doc:"absent: from the beginning"`
	Until time.Time `json:"until,omitzero" doc:"exclusive; absent: without an end"`
	Note  string    `json:"note"`
}

// RegisterEntry is what was applied for, for one project, account or subscription,
// as scripts read it, from the API and from `register list --format json` alike.
type RegisterEntry struct {
	Project   string            `json:"project" doc:"the project's, account's or subscription's id, as events name it"`
	Provider  string            `json:"provider"`
	Name      string            `json:"name"`
	Applicant string            `json:"applicant" doc:"who applied"`
	Owner     string            `json:"owner" doc:"who answers for it"`
	Purpose   string            `json:"purpose"`
	Services  []RegisterService `json:"services"`
	Approver  string            `json:"approver"`
	Applied   time.Time         `json:"applied,omitzero"`
	Approved  time.Time         `json:"approved,omitzero" doc:"absent: not yet"`
	Implied   []Implied         `json:"implied" doc:"what these services need, and nobody applied for"`
}

// RegisterProjects is a page of the register.
type RegisterProjects struct {
	Projects []RegisterEntry `json:"projects"`
	Next     string          `json:"next" doc:"cursor of the following page; empty at the end"`
	Total    int             `json:"total" doc:"on all pages"`
}

// RegisterEntryAsked is what is to stand in the register; it replaces all that stands
// there.
type RegisterEntryAsked struct {
	Provider  string                 `json:"provider,omitempty" maxLength:"64"`
	Name      string                 `json:"name,omitempty" maxLength:"512"`
	Applicant string                 `json:"applicant,omitempty" maxLength:"512"`
	Owner     string                 `json:"owner,omitempty" maxLength:"512"`
	Purpose   string                 `json:"purpose,omitempty" maxLength:"2000"`
	Services  []RegisterServiceAsked `json:"services" maxItems:"500"`
	Approver  string                 `json:"approver,omitempty" maxLength:"512"`
	Applied   *time.Time             `json:"applied,omitempty"`
	Approved  *time.Time             `json:"approved,omitempty"`
	Note      string                 `json:"note,omitempty" maxLength:"2000" doc:"why it is changed; kept in its history"`
}

// RegisterServiceAsked is a service that is applied for.
type RegisterServiceAsked struct {
	ID    string     `json:"id" minLength:"1" maxLength:"256"`
	From  *time.Time `json:"from,omitempty"`
	Until *time.Time `json:"until,omitempty"`
	Note  string     `json:"note,omitempty" maxLength:"2000"`
}

// entry is what is asked for, for a project.
func (in *RegisterEntryAsked) entry(project string) register.Entry {
	e := register.Entry{
		Project: project, Provider: in.Provider, Name: in.Name, Applicant: in.Applicant, Owner: in.Owner,
		Purpose: in.Purpose, Approver: in.Approver, Services: []register.Service{},
	}
	set(&e.Applied, in.Applied)
	set(&e.Approved, in.Approved)
	for _, s := range in.Services {
		x := register.Service{ID: s.ID, Note: s.Note}
		set(&x.From, s.From)
		set(&x.Until, s.Until)
		e.Services = append(e.Services, x)
	}
	return e
}

// ViewEntry gives e as scripts read it, in a language.
func ViewEntry(e register.Entry, known *companion.Catalogue, l say.Language) RegisterEntry {
	v := RegisterEntry{
		Project: e.Project, Provider: e.Provider, Name: e.Name, Applicant: e.Applicant, Owner: e.Owner, Purpose: e.Purpose,
		Services: []RegisterService{}, Approver: e.Approver, Applied: e.Applied, Approved: e.Approved,
		Implied: ViewImplied(e.IDs(), known, l),
	}
	for _, s := range e.Services {
		v.Services = append(v.Services, RegisterService{ID: s.ID, Name: inLanguageOf(known.Name(s.ID), l), From: s.From, Until: s.Until, Note: s.Note})
	}
	return v
}

// RegisterChange is one step of an entry's history.
type RegisterChange struct {
	At      time.Time      `json:"at"`
	By      string         `json:"by"`
	Note    string         `json:"note"`
	Group   string         `json:"group" doc:"what the changes of one import share; empty: none"`
	Added   []string       `json:"added" doc:"services"`
	Removed []string       `json:"removed" doc:"services"`
	Before  *RegisterEntry `json:"before,omitempty" doc:"absent of the first"`
	After   *RegisterEntry `json:"after,omitempty" doc:"absent where it was taken away"`
}

// RegisterHistory is the history of a project's entry.
type RegisterHistory struct {
	Project string           `json:"project"`
	Changes []RegisterChange `json:"changes" doc:"the latest first"`
}

// ViewHistory gives changes as scripts read them.
func ViewHistory(project string, all []register.Change, known *companion.Catalogue, l say.Language) RegisterHistory {
	out := RegisterHistory{Project: project, Changes: []RegisterChange{}}
	view := func(e *register.Entry) *RegisterEntry {
		if e == nil {
			return nil
		}
		v := ViewEntry(*e, known, l)
		return &v
	}
	for _, c := range all {
		added, gone := c.Services()
		out.Changes = append(out.Changes, RegisterChange{
			At: c.At, By: c.By, Note: c.Note, Group: c.Group, Added: list(added), Removed: list(gone), Before: view(c.Before), After: view(c.After),
		})
	}
	return out
}

// RegisterImported is what became of a file.
type RegisterImported struct {
	File string `json:"file"`
	triage.Edited
	Problems []register.Problem `json:"problems" doc:"rows that could not be taken"`
}

// companions is the catalogue of services that bring others along.
func (r Rooms) companions(ctx context.Context) (*companion.Catalogue, error) {
	if r.Register.Companions == nil || who(ctx).Limited() {
		return companion.Builtin(), nil // what agents do is seen in all accounts
	}
	c, err := r.Register.Companions(ctx)
	if err != nil {
		return nil, r.failure(err)
	}
	return c, nil
}

// registered gives the entry of a project that who asks may see, as it is shown.
func (r Rooms) registeredEntry(ctx context.Context, project string) (register.Entry, *tagged[RegisterEntry], error) {
	if r.Triage.Store == nil {
		return register.Entry{}, nil, absent("a register")
	}
	e, err := r.Triage.Store.Registered(ctx, project)
	if err != nil {
		return e, nil, r.wronged(err)
	}
	known, err := r.companions(ctx)
	if err != nil {
		return e, nil, err
	}
	return e, tagging(e, ViewEntry(e, known, language(ctx))), nil
}

// edit is who asks for a change.
func (r Rooms) edit(ctx context.Context, note string) triage.Edit {
	return triage.Edit{By: who(ctx).By(), At: r.Now().UTC(), Note: note}
}

// registerChanged tells everybody whom a change of the register concerns.
func (r Rooms) registerChanged() {
	r.Live.Missed() // of the findings that it touches
	if r.Register.Changed != nil {
		r.Register.Changed()
	}
}

// registers registers the operations of the register.
func registers(a huma.API, rooms Rooms, lock *changing) {
	listRegister(a, rooms)
	putEntry(a, rooms, lock)
	removeEntry(a, rooms, lock)
	importRegister(a, rooms, lock)
	exportRegister(a, rooms)
	compareRegister(a, rooms)
	implied(a, rooms)
	companionList(a, rooms)
	drafts(a, rooms)
}

func listRegister(a huma.API, rooms Rooms) {
	type all struct{ Body RegisterProjects }
	type history struct{ Body RegisterHistory }
	huma.Register(a, need(people.Viewer, within(huma.Operation{
		OperationID: "list-register", Method: http.MethodGet, Path: "/api/register/projects", Summary: "What projects and accounts applied for",
	})), func(ctx context.Context, in *struct {
		Q      string `query:"q" maxLength:"512" doc:"words of the project, its name, applicant, owner, purpose or a service"`
		Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
		Cursor string `query:"cursor" maxLength:"2048"`
	}) (*all, error) {
		if rooms.Triage.Store == nil {
			return nil, absent("a register")
		}
		page, next, total, err := rooms.Triage.Store.Register(ctx, triage.RegisterFilter{Text: in.Q, Limit: in.Limit, Cursor: in.Cursor})
		if err != nil {
			return nil, rooms.failure(err)
		}
		known, err := rooms.companions(ctx)
		if err != nil {
			return nil, err
		}
		out := &all{RegisterProjects{Projects: []RegisterEntry{}, Next: next, Total: total}}
		for _, e := range page {
			out.Body.Projects = append(out.Body.Projects, ViewEntry(e, known, language(ctx)))
		}
		return out, nil
	})
	huma.Register(a, need(people.Viewer, within(huma.Operation{
		OperationID: "get-register-entry", Method: http.MethodGet, Path: "/api/register/projects/{project}", Summary: "What one project applied for",
	})), func(ctx context.Context, in *struct {
		Project string `path:"project"`
	}) (*tagged[RegisterEntry], error) {
		_, v, err := rooms.registeredEntry(ctx, in.Project)
		return v, err
	})
	huma.Register(a, need(people.Viewer, within(huma.Operation{
		OperationID: "get-register-history", Method: http.MethodGet, Path: "/api/register/projects/{project}/history", Summary: "Who changed what a project applied for",
		Description: "Also of a project whose entry was taken away.",
	})), func(ctx context.Context, in *struct {
		Project string `path:"project"`
	}) (*history, error) {
		if rooms.Triage.Store == nil {
			return nil, absent("a register")
		}
		changes, err := rooms.Triage.Store.RegisterHistory(ctx, in.Project)
		if err != nil {
			return nil, rooms.wronged(err)
		}
		known, err := rooms.companions(ctx)
		if err != nil {
			return nil, err
		}
		return &history{ViewHistory(in.Project, changes, known, language(ctx))}, nil
	})
}

func putEntry(a huma.API, rooms Rooms, lock *changing) {
	huma.Register(a, need(people.Responder, within(huma.Operation{
		OperationID: "put-register-entry", Method: http.MethodPut, Path: "/api/register/projects/{project}", Summary: "Say what a project applied for",
		Description: "It replaces what stands there. If-Match refuses what was changed meanwhile, and what is not there.",
	})), func(ctx context.Context, in *struct {
		Project string `path:"project" minLength:"1" maxLength:"512"`
		Conditional
		Body RegisterEntryAsked
	}) (*tagged[RegisterEntry], error) {
		if rooms.Triage.Store == nil {
			return nil, absent("a register")
		}
		lock.Lock()
		defer lock.Unlock()
		if in.IfMatch != "" {
			_, v, err := rooms.registeredEntry(ctx, in.Project)
			if err != nil {
				return nil, err
			}
			if err := in.matches(v.ETag); err != nil {
				return nil, err
			}
		}
		if _, err := rooms.Triage.Store.PutEntries(ctx, []register.Entry{in.Body.entry(in.Project)}, rooms.edit(ctx, in.Body.Note)); err != nil {
			return nil, rooms.wronged(err)
		}
		rooms.registerChanged()
		_, v, err := rooms.registeredEntry(ctx, in.Project)
		return v, err
	})
}

func removeEntry(a huma.API, rooms Rooms, lock *changing) {
	huma.Register(a, need(people.Responder, within(huma.Operation{
		OperationID: "remove-register-entry", Method: http.MethodDelete, Path: "/api/register/projects/{project}", Summary: "Take a project from the register", DefaultStatus: http.StatusNoContent,
		Description: "Its history stays.",
	})), func(ctx context.Context, in *struct {
		Project string `path:"project"`
		Conditional
		Note string `query:"note" maxLength:"2000" doc:"why; kept in its history"`
	}) (*struct{}, error) {
		lock.Lock()
		defer lock.Unlock()
		_, v, err := rooms.registeredEntry(ctx, in.Project)
		if err != nil {
			return nil, err
		}
		if err := in.matches(v.ETag); err != nil {
			return nil, err
		}
		if _, err := rooms.Triage.Store.RemoveEntry(ctx, in.Project, rooms.edit(ctx, in.Note)); err != nil {
			return nil, rooms.wronged(err)
		}
		rooms.registerChanged()
		return nil, nil
	})
}

// registerMost is how many bytes a CSV file may have.
const registerMost = 64 << 20

func importRegister(a huma.API, rooms Rooms, lock *changing) {
	type imported struct{ Body RegisterImported }
	text := &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
	huma.Register(a, need(people.Responder, within(huma.Operation{
		OperationID: "import-register", Method: http.MethodPost, Path: "/api/register/import", Summary: "Read what projects applied for from CSV",
		Description:  "Rows that cannot be taken are told, and the rest is taken: each row replaces what its project applied for. See docs/register.md for the columns.",
		MaxBodyBytes: registerMost, SkipValidateBody: true, // it is read by itself
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"text/csv": text}},
	})), func(ctx context.Context, in *struct {
		File    string `query:"file" maxLength:"256" doc:"the file's name, for the audit trail"`
		Dry     bool   `query:"dry" doc:"only tell what cannot be taken"`
		RawBody []byte
	}) (*imported, error) {
		if rooms.Triage.Store == nil {
			return nil, absent("a register")
		}
		entries, problems, err := register.ReadCSV(bytes.NewReader(in.RawBody))
		if err != nil {
			return nil, huma.Error422UnprocessableEntity(err.Error())
		}
		out := &imported{RegisterImported{File: cmp.Or(in.File, "file"), Problems: list(problems)}}
		if in.Dry {
			return out, nil
		}
		e := rooms.edit(ctx, "")
		e.File, e.Digest = out.Body.File, RegisterDigest(in.RawBody)
		lock.Lock()
		defer lock.Unlock()
		out.Body.Edited, err = rooms.Triage.Store.PutEntries(ctx, entries, e)
		rooms.registerChanged()
		return out, rooms.wronged(err)
	})
}

// RegisterDigest names the bytes of a file of the register.
func RegisterDigest(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

func exportRegister(a huma.API, rooms Rooms) {
	huma.Register(a, need(people.Viewer, within(huma.Operation{
		OperationID: "export-register", Method: http.MethodGet, Path: "/api/register/export", Summary: "The register as CSV, as the import reads it",
		Responses: filesOf("", "text/csv"),
	})), func(ctx context.Context, in *struct {
		Q string `query:"q" maxLength:"512" doc:"as the list has it"`
	}) (*file[[]byte], error) {
		if rooms.Triage.Store == nil {
			return nil, absent("a register")
		}
		all, _, _, err := rooms.Triage.Store.Register(ctx, triage.RegisterFilter{Text: in.Q})
		if err != nil {
			return nil, rooms.failure(err)
		}
		var out bytes.Buffer
		if err := register.WriteCSV(&out, all); err != nil {
			return nil, rooms.failure(err)
		}
		return fileOf("text/csv; charset=utf-8", "register.csv", out.Bytes()), nil
	})
}

// unregistered tells whether an error is that nobody applied for a project.
func unregistered(err error) bool { return errors.Is(err, triage.ErrUnknown) }
