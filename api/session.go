package api

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/yagura-sec/yagura/people"
)

// Session is who asks, and how they like the console.
type Session struct {
	User      string      `json:"user" doc:"the name that audit lines give"`
	Name      string      `json:"name" doc:"as people read it; the user where none is known"`
	Role      people.Role `json:"role" enum:"viewer,analyst,responder,admin"`
	Accounts  []string    `json:"accounts" doc:"limited to these; empty: every account"`
	Via       people.Via  `json:"via" enum:"session,token,owner"`
	Method    string      `json:"method" doc:"how the user signs in: password, or oidc: and a provider; empty of tokens of the data directory" example:"password"`
	Password  bool        `json:"password_set" doc:"the user has a password, and may change it"`
	Language  string      `json:"language" enum:",en,ja" doc:"empty: the browser's"`
	Theme     string      `json:"theme" enum:",light,dark" doc:"empty: the browser's"`
	LastVisit time.Time   `json:"last_visit,omitzero" doc:"end of the visit before this one; absent: there was none"`
	Version   string      `json:"version" doc:"of the server"`
	Now       time.Time   `json:"now" doc:"the server's clock"`
}

// SignIn says what is to be done to come in.
type SignIn struct {
	FirstRun bool    `json:"first_run" doc:"there is no admin yet, and no provider that could vouch for one: the server has printed a link to make one"`
	Methods  Methods `json:"methods"`
}

// Methods are the ways to sign in.
type Methods struct {
	Password bool         `json:"password"`
	OIDC     []OIDCMethod `json:"oidc"`
}

// OIDCMethod is an identity provider.
type OIDCMethod struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// admitted is the answer that lets a browser in.
type admitted struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
	Body      Session
}

// elsewhere sends a browser elsewhere.
type elsewhere struct {
	Location  string        `header:"Location"`
	SetCookie []http.Cookie `header:"Set-Cookie"`
}

// enteringMost is how many bytes a request of somebody who is nobody yet may have.
const enteringMost = 16 << 10

func signIn(a huma.API, rooms Rooms) {
	type methods struct{ Body SignIn }
	huma.Register(a, public(huma.Operation{
		OperationID: "signin-methods", Method: http.MethodGet, Path: "/api/signin", Summary: "How one may sign in",
	}), func(ctx context.Context, _ *struct{}) (*methods, error) {
		first, err := rooms.People.FirstRun(ctx)
		if err != nil {
			return nil, rooms.failure(err)
		}
		out := &methods{}
		// Where there are providers, one of them may vouch for the first admin.
		out.Body.FirstRun = first && len(rooms.People.Providers()) == 0
		out.Body.Methods = Methods{Password: rooms.People.Passwords(), OIDC: []OIDCMethod{}}
		for _, p := range rooms.People.Providers() {
			out.Body.Methods.OIDC = append(out.Body.Methods.OIDC, OIDCMethod{p.ID(), p.Name()})
		}
		return out, nil
	})
	entering(a, rooms)
	throughProviders(a, rooms)
}

// entering registers the ways in that a form asks for.
func entering(a huma.API, rooms Rooms) {
	huma.Register(a, public(huma.Operation{
		OperationID: "signin", Method: http.MethodPost, Path: "/api/signin", Summary: "Sign in by password", MaxBodyBytes: enteringMost,
		Description: "Needs the header X-Yagura: 1, as every change that a browser asks for. 429 with Retry-After after too many failures.",
	}), func(ctx context.Context, in *struct {
		Body struct {
			User     string `json:"user" maxLength:"128"`
			Password string `json:"password" maxLength:"2048"`
		}
	}) (*admitted, error) {
		secret, err := rooms.People.SignIn(ctx, in.Body.User, in.Body.Password, calling(ctx).Origin)
		return rooms.admit(ctx, secret, err)
	})
	huma.Register(a, public(huma.Operation{
		OperationID: "first-run", Method: http.MethodPost, Path: "/api/first-run", Summary: "Make the first admin by the link that the server has printed, and sign in", MaxBodyBytes: enteringMost,
	}), func(ctx context.Context, in *struct {
		Body struct {
			Link     string `json:"link" maxLength:"128" doc:"what follows link= in the address"`
			User     string `json:"user" maxLength:"128"`
			Password string `json:"password" maxLength:"2048"`
		}
	}) (*admitted, error) {
		secret, err := rooms.People.FirstAdmin(ctx, in.Body.Link, in.Body.User, in.Body.Password, calling(ctx).Origin)
		return rooms.admit(ctx, secret, err)
	})
	huma.Register(a, public(huma.Operation{
		OperationID: "signin-link", Method: http.MethodPost, Path: "/api/signin/link", Summary: "Sign in by a one-time link", MaxBodyBytes: enteringMost,
		Description: "422 where the link is one to set a password, and none that will do was given: the link stays good. 410 where it was used or has expired.",
	}), func(ctx context.Context, in *struct {
		Body struct {
			Link     string `json:"link" maxLength:"128" doc:"what follows link= in the address"`
			Password string `json:"password,omitempty" maxLength:"2048" doc:"the new one, where the link is to set it"`
		}
	}) (*admitted, error) {
		secret, err := rooms.People.Enter(ctx, in.Body.Link, in.Body.Password, calling(ctx).Origin)
		return rooms.admit(ctx, secret, err)
	})
}

// admit gives the browser a session's secret, and ends the session that it had.
func (r Rooms) admit(ctx context.Context, secret string, err error) (*admitted, error) {
	if err != nil {
		return nil, r.refused(err)
	}
	if before := who(ctx); before.Via == people.ViaSession {
		if err := r.People.SignOut(ctx, before, false); err != nil {
			return nil, r.failure(err)
		}
	}
	w, err := r.People.Session(ctx, secret)
	if err != nil {
		return nil, r.failure(err)
	}
	s, err := r.session(ctx, w)
	if err != nil {
		return nil, err
	}
	return &admitted{sessionCookie(ctx, secret, r.People.Longest()), s}, nil
}

// sessionCookie keeps a secret in the browser, or with an empty one takes it
// away. Pages of other sites never make the browser send it.
func sessionCookie(ctx context.Context, secret string, lasts time.Duration) http.Cookie {
	c := calling(ctx)
	age := int(lasts.Seconds())
	if secret == "" {
		age = -1
	}
	return http.Cookie{Name: c.cookie, Value: secret, Path: "/", MaxAge: age, HttpOnly: true, Secure: c.secure, SameSite: http.SameSiteStrictMode}
}

// session tells of w.
func (r Rooms) session(ctx context.Context, w people.Who) (Session, error) {
	s := Session{User: w.User, Name: w.FullName, Role: w.Role, Accounts: list(w.Accounts), Via: w.Via, Version: r.version, Now: r.Now().UTC()}
	if w.User != people.Owner {
		u, err := r.People.User(ctx, w.User)
		if err != nil {
			return s, r.failure(err)
		}
		s.Method, s.Password, s.Language, s.Theme, s.LastVisit = u.Method(), u.Password != "", u.Language, u.Theme, u.Visit
	}
	if s.Name == "" {
		s.Name = s.User
	}
	return s, nil
}

// throughProviders registers the way in through an identity provider: a browser
// is sent there and comes back.
func throughProviders(a huma.API, rooms Rooms) {
	callback := func(ctx context.Context, id string) string {
		return calling(ctx).base + "/api/signin/oidc/" + id + "/callback"
	}
	away := func(ctx context.Context, err error) *elsewhere {
		return &elsewhere{Location: "/signin?problem=" + rooms.problem(err), SetCookie: []http.Cookie{attemptCookie(ctx, "", -1)}}
	}
	huma.Register(a, public(huma.Operation{
		OperationID: "signin-oidc", Method: http.MethodGet, Path: "/api/signin/oidc/{id}", Summary: "Go to an identity provider to sign in", DefaultStatus: http.StatusFound,
		Description: "For a browser to navigate to. What goes wrong leads to /signin?problem= and one of refused, no_role, wait, unreachable.",
	}), func(ctx context.Context, in *struct {
		ID string `path:"id"`
		To string `query:"to" maxLength:"4096" doc:"the page to come back to"`
	}) (*elsewhere, error) {
		address, secret, err := rooms.People.Begin(ctx, in.ID, callback(ctx, in.ID), in.To, calling(ctx).Origin)
		if err != nil {
			return away(ctx, err), nil
		}
		return &elsewhere{Location: address, SetCookie: []http.Cookie{attemptCookie(ctx, secret, 600)}}, nil
	})
	huma.Register(a, public(huma.Operation{
		OperationID: "signin-oidc-callback", Method: http.MethodGet, Path: "/api/signin/oidc/{id}/callback", Summary: "Come back from an identity provider", DefaultStatus: http.StatusFound,
	}), func(ctx context.Context, in *struct {
		ID          string `path:"id"`
		State       string `query:"state" maxLength:"512"`
		Code        string `query:"code" maxLength:"8192"`
		Issuer      string `query:"iss" maxLength:"2048"`
		Error       string `query:"error" maxLength:"512"`
		Description string `query:"error_description" maxLength:"2048"`
	}) (*elsewhere, error) {
		c := calling(ctx)
		answer := people.Answer{State: in.State, Code: in.Code, Issuer: in.Issuer, Error: in.Error, Description: in.Description}
		secret, to, err := rooms.People.Finish(ctx, in.ID, callback(ctx, in.ID), c.held[attemptName(c)], answer, c.Origin)
		if err != nil {
			return away(ctx, err), nil
		}
		return &elsewhere{Location: to, SetCookie: []http.Cookie{attemptCookie(ctx, "", -1), sessionCookie(ctx, secret, rooms.People.Longest())}}, nil
	})
}

func attemptName(c caller) string {
	if c.secure {
		return "__Secure-yagura-oidc"
	}
	return c.cookie + "-oidc"
}

// attemptCookie binds the way to a provider and back to one browser. It has to
// come along when the provider's page sends the browser back: so Lax.
func attemptCookie(ctx context.Context, secret string, age int) http.Cookie {
	c := calling(ctx)
	return http.Cookie{Name: attemptName(c), Value: secret, Path: "/api/signin/oidc/", MaxAge: age, HttpOnly: true, Secure: c.secure, SameSite: http.SameSiteLaxMode}
}

// problem is the word for what kept somebody from coming in through a provider;
// the server's messages say the rest.
func (r Rooms) problem(err error) string {
	var wait *people.Wait
	if errors.As(err, &wait) {
		return "wait"
	}
	if errors.Is(err, people.ErrStale) {
		return "refused" // and nothing to write of: anybody may come with any state
	}
	r.Failed(err)
	switch {
	case errors.Is(err, people.ErrNoRole):
		return "no_role"
	case errors.Is(err, people.ErrRefused):
		return "refused"
	}
	return "unreachable"
}

func sessions(a huma.API, rooms Rooms) {
	type one struct{ Body Session }
	huma.Register(a, need(people.Viewer, within(huma.Operation{
		OperationID: "session", Method: http.MethodGet, Path: "/api/session", Summary: "Who asks",
	})), func(ctx context.Context, _ *struct{}) (*one, error) {
		s, err := rooms.session(ctx, who(ctx))
		return &one{s}, err
	})
	huma.Register(a, need(people.Viewer, within(personal(huma.Operation{
		OperationID: "change-session", Method: http.MethodPatch, Path: "/api/session", Summary: "Say how you like the console",
	}))), func(ctx context.Context, in *struct {
		Body struct {
			Language *string `json:"language,omitempty" enum:",en,ja"`
			Theme    *string `json:"theme,omitempty" enum:",light,dark"`
		}
	}) (*one, error) {
		if _, err := rooms.People.Prefer(ctx, who(ctx), in.Body.Language, in.Body.Theme); err != nil {
			return nil, rooms.refused(err)
		}
		s, err := rooms.session(ctx, who(ctx))
		return &one{s}, err
	})
	type out struct {
		SetCookie http.Cookie `header:"Set-Cookie"`
	}
	huma.Register(a, need(people.Viewer, within(personal(huma.Operation{
		OperationID: "signout", Method: http.MethodPost, Path: "/api/signout", Summary: "Sign out", DefaultStatus: http.StatusNoContent,
	}))), func(ctx context.Context, in *struct {
		Everywhere bool `query:"everywhere" doc:"all sessions of the user, in every browser"`
	}) (*out, error) {
		if err := rooms.People.SignOut(ctx, who(ctx), in.Everywhere); err != nil {
			return nil, rooms.refused(err)
		}
		return &out{sessionCookie(ctx, "", 0)}, nil
	})
	huma.Register(a, need(people.Viewer, within(personal(huma.Operation{
		OperationID: "set-password", Method: http.MethodPost, Path: "/api/session/password", Summary: "Change your password", DefaultStatus: http.StatusNoContent, MaxBodyBytes: enteringMost,
		Description: "Other sessions of yours end.",
	}))), func(ctx context.Context, in *struct {
		Body struct {
			Former   string `json:"former" maxLength:"2048"`
			Password string `json:"password" maxLength:"2048"`
		}
	}) (*struct{}, error) {
		return nil, rooms.refused(rooms.People.SetPassword(ctx, who(ctx), in.Body.Former, in.Body.Password, calling(ctx).Origin))
	})
}

// refused turns an error of the people room into a response.
func (r Rooms) refused(err error) error {
	is := func(targets ...error) bool {
		for _, t := range targets {
			if errors.Is(err, t) {
				return true
			}
		}
		return false
	}
	var wait *people.Wait
	var ready huma.StatusError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &ready):
		return err
	case errors.As(err, &wait):
		after := http.Header{"Retry-After": {strconv.Itoa(int(wait.For.Seconds()) + 1)}}
		return huma.ErrorWithHeaders(huma.Error429TooManyRequests(wait.Error()), after)
	case is(people.ErrWrong):
		return huma.Error401Unauthorized(people.ErrWrong.Error())
	case is(people.ErrNobody):
		return huma.Error401Unauthorized(people.ErrNobody.Error())
	case is(people.ErrNotFound, people.ErrNoToken):
		return huma.Error404NotFound(err.Error())
	case is(people.ErrGone):
		return huma.Error410Gone(err.Error())
	case is(people.ErrTaken, people.ErrLastAdmin, people.ErrForeign, people.ErrSetUp):
		return huma.Error409Conflict(err.Error())
	case is(people.ErrSwitched, people.ErrRefused, people.ErrTokenMore):
		return huma.Error403Forbidden(err.Error())
	case is(people.ErrName, people.ErrRole, people.ErrPassword, people.ErrAccount, people.ErrTokenName, people.ErrTokenExpires):
		return huma.Error422UnprocessableEntity(err.Error())
	}
	return r.failure(err)
}
