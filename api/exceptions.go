package api

import (
	"context"
	"crypto/rand"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/people"
	"github.com/yagura-sec/yagura/triage"
)

// Exception is an exception as scripts read it, from the API and from
// `exceptions list --format json` alike.
type Exception struct {
	ID       string                 `json:"id"`
	Title    string                 `json:"title"`
	Scope    string                 `json:"scope" doc:"filter over the fields of findings"`
	Owner    string                 `json:"owner" doc:"who answers for it"`
	Reason   string                 `json:"reason" doc:"why that is accepted"`
	From     time.Time              `json:"from,omitzero" doc:"absent: as far back as there are findings"`
	Until    time.Time              `json:"until,omitzero" doc:"exclusive; never absent of an active one"`
	State    finding.ExceptionState `json:"state" enum:"proposed,active,expired,revoked"`
	By       string                 `json:"by" doc:"who wrote it"`
	At       time.Time              `json:"at"`
	Explains int                    `json:"explains" doc:"findings that it accounts for now"`
	Evidence []string               `json:"evidence" doc:"keys of findings that it was made from"`
}

// Exceptions are all of them.
type Exceptions struct {
	Exceptions []Exception `json:"exceptions"`
	Next       string      `json:"next" doc:"always empty: all are told at once"`
}

// ViewException gives x as scripts read it, as of now.
func ViewException(x finding.Exception, now time.Time) Exception {
	return Exception{
		ID: x.ID, Title: x.Title, Scope: x.Scope.String(), Owner: x.Owner, Reason: x.Reason, From: x.From, Until: x.Until,
		State: x.StateAt(now), By: x.By, At: x.At, Explains: x.Explains, Evidence: list(x.Evidence),
	}
}

// ExceptionAsked is what a person asks for. In a change what is absent stays.
type ExceptionAsked struct {
	Title    *string                 `json:"title,omitempty" maxLength:"512"`
	Scope    *string                 `json:"scope,omitempty" maxLength:"8192" doc:"filter over the fields of findings" example:"rule:console_login_without_mfa account:111122223333"`
	Owner    *string                 `json:"owner,omitempty" maxLength:"128"`
	Reason   *string                 `json:"reason,omitempty" maxLength:"8192"`
	From     *time.Time              `json:"from,omitempty" doc:"0001-01-01T00:00:00Z: as far back as there are findings"`
	Until    *time.Time              `json:"until,omitempty" doc:"an exception always ends"`
	State    *finding.ExceptionState `json:"state,omitempty" enum:"proposed,active,revoked" doc:"of a new one active where absent; anything but proposed is for responders"`
	Evidence []string                `json:"evidence,omitempty" maxItems:"200" doc:"keys of findings that it is made from"`
}

// put writes what is asked for into x.
func (in *ExceptionAsked) put(r Rooms, x *finding.Exception) (err error) {
	set(&x.Title, in.Title)
	set(&x.Owner, in.Owner)
	set(&x.Reason, in.Reason)
	set(&x.From, in.From)
	set(&x.Until, in.Until)
	set(&x.State, in.State)
	if in.Evidence != nil {
		x.Evidence = in.Evidence
	}
	if in.Scope != nil {
		if x.Scope, err = r.scopeAt(*in.Scope); err != nil {
			return err
		}
	}
	if x.Title == "" {
		x.Title = x.Scope.String()
	}
	return nil
}

// set writes what is given.
func set[T any](to, given *T) {
	if given != nil {
		*to = *given
	}
}

// newID is an id of what people make: short enough to be read out.
func newID(kind string) string { return kind + "-" + strings.ToLower(rand.Text()[:12]) }

// mayAccept refuses what makes findings explained, or stops that, to who is no
// responder.
func mayAccept(ctx context.Context, what string) error {
	if w := who(ctx); !w.Role.May(people.Responder) {
		return huma.Error403Forbidden("to " + what + " needs the role responder; yours is " + string(w.Role) + ": you can propose it")
	}
	return nil
}

// exception gives one that who asks may see.
func (r Rooms) exception(ctx context.Context, id string) (finding.Exception, error) {
	if r.Triage.Store == nil {
		return finding.Exception{}, absent("exceptions")
	}
	all, err := r.Triage.Store.Exceptions(ctx)
	if err != nil {
		return finding.Exception{}, r.failure(err)
	}
	i := slices.IndexFunc(all, func(x finding.Exception) bool { return x.ID == id })
	if i < 0 {
		return finding.Exception{}, huma.Error404NotFound("there is no exception " + id)
	}
	return all[i], nil
}

// setException keeps x and gives it back as it is kept.
func (r Rooms) setException(ctx context.Context, x finding.Exception) (*tagged[Exception], error) {
	if _, err := r.Triage.Store.SetException(ctx, x, who(ctx).By(), r.Now().UTC()); err != nil {
		return nil, r.wronged(err)
	}
	r.Live.Missed() // of what it touches
	x, err := r.exception(ctx, x.ID)
	if err != nil {
		return nil, err
	}
	return r.exceptionView(x), nil
}

func (r Rooms) exceptionView(x finding.Exception) *tagged[Exception] {
	v := ViewException(x, r.Now())
	state := v
	state.Explains = 0 // it changes with the log, and nobody changed the exception
	return tagging(state, v)
}

func exceptions(a huma.API, rooms Rooms, lock *changing) {
	type all struct{ Body Exceptions }
	huma.Register(a, need(people.Viewer, within(huma.Operation{
		OperationID: "list-exceptions", Method: http.MethodGet, Path: "/api/exceptions", Summary: "What is accepted for a time",
		Description: "Whoever is limited to accounts sees those whose scope names their accounts.",
	})), func(ctx context.Context, in *struct {
		State finding.ExceptionState `query:"state" enum:"proposed,active,expired,revoked"`
	}) (*all, error) {
		if rooms.Triage.Store == nil {
			return nil, absent("exceptions")
		}
		found, err := rooms.Triage.Store.Exceptions(ctx)
		if err != nil {
			return nil, rooms.failure(err)
		}
		out := &all{Exceptions{Exceptions: []Exception{}}}
		for _, x := range found {
			if v := ViewException(x, rooms.Now()); in.State == "" || in.State == v.State {
				out.Body.Exceptions = append(out.Body.Exceptions, v)
			}
		}
		return out, nil
	})
	huma.Register(a, need(people.Viewer, within(huma.Operation{
		OperationID: "get-exception", Method: http.MethodGet, Path: "/api/exceptions/{id}", Summary: "One exception",
	})), func(ctx context.Context, in *struct {
		ID string `path:"id"`
	}) (*tagged[Exception], error) {
		x, err := rooms.exception(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		return rooms.exceptionView(x), nil
	})
	addException(a, rooms, lock)
	changeException(a, rooms, lock)
	previewException(a, rooms)
}

func addException(a huma.API, rooms Rooms, lock *changing) {
	huma.Register(a, need(people.Analyst, within(huma.Operation{
		OperationID: "add-exception", Method: http.MethodPost, Path: "/api/exceptions", Summary: "Accept findings for a time, or propose to", DefaultStatus: http.StatusCreated,
		Description: "Analysts propose; responders accept. What it covers is found all the same, and marked. Of whoever is limited to accounts it is narrowed to these.",
	})), func(ctx context.Context, in *struct{ Body ExceptionAsked }) (*tagged[Exception], error) {
		if rooms.Triage.Store == nil {
			return nil, absent("exceptions")
		}
		x := finding.Exception{ID: newID("ex"), State: finding.ExceptionActive}
		if err := in.Body.put(rooms, &x); err != nil {
			return nil, err
		}
		if x.State != finding.ExceptionProposed {
			if err := mayAccept(ctx, "accept findings"); err != nil {
				return nil, err
			}
		}
		lock.Lock()
		defer lock.Unlock()
		return rooms.setException(ctx, x)
	})
}

func changeException(a huma.API, rooms Rooms, lock *changing) {
	change := func(ctx context.Context, id string, m Conditional, put func(*finding.Exception) error) (*tagged[Exception], error) {
		lock.Lock()
		defer lock.Unlock()
		x, err := rooms.exception(ctx, id)
		if err != nil {
			return nil, err
		}
		if err := m.matches(rooms.exceptionView(x).ETag); err != nil {
			return nil, err
		}
		was := x.State
		if err := put(&x); err != nil {
			return nil, err
		}
		if was == finding.ExceptionActive || x.State == finding.ExceptionActive {
			if err := mayAccept(ctx, "change what is accepted"); err != nil {
				return nil, err
			}
		}
		return rooms.setException(ctx, x)
	}
	huma.Register(a, need(people.Analyst, within(huma.Operation{
		OperationID: "change-exception", Method: http.MethodPatch, Path: "/api/exceptions/{id}", Summary: "Change, accept or revoke an exception",
	})), func(ctx context.Context, in *struct {
		ID string `path:"id"`
		Conditional
		Body ExceptionAsked
	}) (*tagged[Exception], error) {
		return change(ctx, in.ID, in.Conditional, func(x *finding.Exception) error { return in.Body.put(rooms, x) })
	})
	huma.Register(a, need(people.Analyst, within(huma.Operation{
		OperationID: "revoke-exception", Method: http.MethodDelete, Path: "/api/exceptions/{id}", Summary: "Revoke an exception",
		Description: "It stays, revoked: nothing is deleted. What it explained alone is unexplained again.",
	})), func(ctx context.Context, in *struct {
		ID string `path:"id"`
		Conditional
	}) (*tagged[Exception], error) {
		return change(ctx, in.ID, in.Conditional, func(x *finding.Exception) error {
			Revoke(x, who(ctx).By(), rooms.Now())
			return nil
		})
	})
}

// Revoke ends x. One that was proposed never had all that an exception has.
func Revoke(x *finding.Exception, by string, now time.Time) {
	if x.Owner == "" {
		x.Owner = by
	}
	if x.Reason == "" {
		x.Reason = "not accepted"
	}
	if x.Until.IsZero() || !x.From.Before(x.Until) {
		x.From, x.Until = time.Time{}, now.UTC()
	}
	x.State = finding.ExceptionRevoked
}

// Preview is what an exception would explain.
type Preview struct {
	Days       int            `json:"days" doc:"UTC days looked at"`
	Findings   int            `json:"findings" doc:"that the scope chooses"`
	Explained  int            `json:"explained" doc:"of these, what is explained already"`
	Critical   int            `json:"critical"`
	BySeverity map[string]int `json:"by_severity"`
	Open       int            `json:"open" doc:"of these, what nobody has decided and nothing explains: what the exception takes from people"`
	Scope      string         `json:"scope" doc:"as it would be kept"`
	Since      time.Time      `json:"since"`
	Until      time.Time      `json:"until"`
	Sample     []Finding      `json:"sample" doc:"the most pressing"`
}

// PreviewAsked is what to look at.
type PreviewAsked struct {
	Scope string     `json:"scope" maxLength:"8192"`
	Since *time.Time `json:"since,omitempty"`
	Until *time.Time `json:"until,omitempty"`
}

// previewDays is how far a preview looks back where nobody says.
const previewDays = 30

// ViewPreview gives p as scripts read it.
func ViewPreview(p triage.Preview) Preview {
	return Preview{
		Days: p.Days, Findings: p.Findings, Explained: p.Explained, Critical: p.Critical, BySeverity: p.BySeverity,
		Sample: ViewFindings(p.Sample, "").Findings,
	}
}

func previewException(a huma.API, rooms Rooms) {
	type preview struct{ Body Preview }
	huma.Register(a, need(people.Analyst, within(huma.Operation{
		OperationID: "preview-exception", Method: http.MethodPost, Path: "/api/exceptions/preview", Summary: "What an exception would explain",
		Description: "Of findings last seen in [since, until); of the last 30 days where nothing is said. It changes nothing.",
	})), func(ctx context.Context, in *struct{ Body PreviewAsked }) (*preview, error) {
		if rooms.Triage.Store == nil {
			return nil, absent("exceptions")
		}
		scope, err := rooms.scopeAt(in.Body.Scope)
		if err != nil {
			return nil, err
		}
		until := rooms.Now().UTC()
		set(&until, in.Body.Until)
		since := until.AddDate(0, 0, -previewDays)
		set(&since, in.Body.Since)
		p, err := rooms.Triage.Store.Preview(ctx, scope, since, until)
		if err != nil {
			return nil, rooms.wronged(err)
		}
		v := ViewPreview(p)
		v.Scope, v.Since, v.Until = scope.String(), since, until
		open := triage.Filter{Scope: scope, Since: since, Until: until, Status: openStatuses, Unexplained: true}
		if v.Open, err = rooms.Triage.Store.Count(ctx, open); err != nil {
			return nil, rooms.wronged(err)
		}
		return &preview{v}, nil
	})
}

// openStatuses are those of findings that wait for a person.
var openStatuses = []finding.Status{finding.New, finding.InProgress}
