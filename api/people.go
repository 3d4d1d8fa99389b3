package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/yagura-sec/yagura/people"
)

// User is somebody who may sign in.
type User struct {
	Name        string      `json:"name" doc:"what audit lines give"`
	FullName    string      `json:"full_name"`
	Role        people.Role `json:"role" enum:"viewer,analyst,responder,admin"`
	Accounts    []string    `json:"accounts" doc:"limited to these; empty: every account"`
	Disabled    bool        `json:"disabled"`
	Method      string      `json:"method" example:"password" doc:"password, or oidc: and a provider, which then says role and accounts at every sign-in"`
	PasswordSet bool        `json:"password_set"`
	Made        time.Time   `json:"made"`
	Seen        time.Time   `json:"seen,omitzero" doc:"the latest request, to the minute; absent: never"`
}

func viewUser(u people.User) User {
	return User{
		Name: u.Name, FullName: u.FullName, Role: u.Role, Accounts: list(u.Accounts), Disabled: u.Disabled,
		Method: u.Method(), PasswordSet: u.Password != "", Made: u.Made, Seen: u.Seen,
	}
}

// Users are all of them.
type Users struct {
	Users []User `json:"users"`
	Next  string `json:"next" doc:"empty: there are never so many that they come in pages"`
}

// state is what the user's ETag is made of: being seen changes nothing.
func (u User) state() User {
	u.Seen = time.Time{}
	return u
}

// Token is an API token without its secret.
type Token struct {
	ID       string      `json:"id"`
	Name     string      `json:"name" doc:"what it is for"`
	User     string      `json:"user" doc:"whose it is: it never may more than the user"`
	Role     people.Role `json:"role" enum:"viewer,analyst,responder,admin"`
	Accounts []string    `json:"accounts" doc:"limited to these; empty: those of its user"`
	Scopes   []string    `json:"scopes" doc:"parts of the API that it is limited to; empty: all"`
	Made     time.Time   `json:"made"`
	Expires  time.Time   `json:"expires"`
	Used     time.Time   `json:"used,omitzero" doc:"latest, to the minute; absent: never"`
}

// Tokens are all that the caller may see.
type Tokens struct {
	Tokens []Token  `json:"tokens"`
	Scopes []string `json:"scopes" doc:"what tokens may be limited to"`
	Next   string   `json:"next" doc:"empty: there are never so many that they come in pages"`
}

// NewToken is a token that was just made.
type NewToken struct {
	Token  Token  `json:"token"`
	Secret string `json:"secret" doc:"what scripts show; nobody can ask for it again"`
}

// ViewToken gives t as scripts read it.
func ViewToken(t people.Token) Token {
	return Token{t.ID, t.Name, t.User, t.Role, list(t.Accounts), list(t.Scopes), t.Made, t.Expires, t.Used}
}

// ViewUsers gives users as scripts read them.
func ViewUsers(all []people.User) Users {
	out := Users{Users: []User{}} // never null
	for _, u := range all {
		out.Users = append(out.Users, viewUser(u))
	}
	return out
}

// ViewTokens gives tokens as scripts read them.
func ViewTokens(all []people.Token) Tokens {
	out := Tokens{Tokens: []Token{}, Scopes: Scopes()}
	for _, t := range all {
		out.Tokens = append(out.Tokens, ViewToken(t))
	}
	return out
}

func users(a huma.API, rooms Rooms) {
	type all struct{ Body Users }
	huma.Register(a, need(people.Admin, huma.Operation{
		OperationID: "list-users", Method: http.MethodGet, Path: "/api/users", Summary: "Who may sign in",
	}), func(ctx context.Context, _ *struct{}) (*all, error) {
		found, err := rooms.People.Users(ctx)
		if err != nil {
			return nil, rooms.failure(err)
		}
		return &all{ViewUsers(found)}, nil
	})
	addUser(a, rooms)
	changeUser(a, rooms)
	huma.Register(a, need(people.Admin, personal(huma.Operation{
		OperationID: "remove-user", Method: http.MethodDelete, Path: "/api/users/{name}", Summary: "Take a user away, with its sessions and tokens", DefaultStatus: http.StatusNoContent,
	})), func(ctx context.Context, in *struct {
		Name string `path:"name"`
	}) (*struct{}, error) {
		return nil, rooms.refused(rooms.People.RemoveUser(ctx, who(ctx), in.Name))
	})
	huma.Register(a, need(people.Admin, personal(huma.Operation{
		OperationID: "make-link", Method: http.MethodPost, Path: "/api/users/{name}/link", Summary: "Make a one-time link by which the user sets a new password",
	})), func(ctx context.Context, in *struct {
		Name string `path:"name"`
	}) (*linked, error) {
		out := &linked{}
		var err error
		out.Body.Link, out.Body.Expires, err = rooms.passwordLink(ctx, in.Name)
		return out, err
	})
}

// OneTimeLink is for the caller to hand on.
type OneTimeLink struct {
	Link    string    `json:"link" doc:"address of the page; whoever has it may use it, once"`
	Expires time.Time `json:"expires"`
}

type linked struct{ Body OneTimeLink }

func (r Rooms) passwordLink(ctx context.Context, user string) (address string, expires time.Time, err error) {
	secret, l, err := r.People.NewLink(ctx, who(ctx), people.LinkPassword, user)
	if err != nil {
		return "", expires, r.refused(err)
	}
	return calling(ctx).base + LinkPath(l.Kind, secret), l.Expires, nil
}

// LinkPath gives the path of the page for a one-time link. The secret stands
// behind the #, which browsers send to nobody.
func LinkPath(kind people.LinkKind, secret string) string {
	page := "/signin"
	switch kind {
	case people.LinkFirst:
		page = "/first-run"
	case people.LinkPassword:
		page = "/set-password"
	}
	return page + "#link=" + secret
}

// AddedUser is a user that was just added.
type AddedUser struct {
	User    User      `json:"user"`
	Link    string    `json:"link,omitempty" doc:"where no password was given: the page on which the user sets one, once"`
	Expires time.Time `json:"expires,omitzero" doc:"of the link"`
}

func addUser(a huma.API, rooms Rooms) {
	type added struct{ Body AddedUser }
	huma.Register(a, need(people.Admin, personal(huma.Operation{
		OperationID: "add-user", Method: http.MethodPost, Path: "/api/users", Summary: "Add a local user", DefaultStatus: http.StatusCreated, MaxBodyBytes: 1 << 20,
	})), func(ctx context.Context, in *struct {
		Body struct {
			Name     string      `json:"name" maxLength:"64"`
			FullName string      `json:"full_name,omitempty" maxLength:"128"`
			Role     people.Role `json:"role,omitempty" enum:"viewer,analyst,responder,admin" doc:"viewer where none is given"`
			Accounts []string    `json:"accounts,omitempty" maxItems:"10000"`
			Password string      `json:"password,omitempty" maxLength:"2048"`
		}
	}) (*added, error) {
		b := in.Body
		u, err := rooms.People.AddUser(ctx, who(ctx), people.NewUser{Name: b.Name, FullName: b.FullName, Role: b.Role, Accounts: b.Accounts, Password: b.Password})
		if err != nil {
			return nil, rooms.refused(err)
		}
		out := &added{}
		out.Body.User = viewUser(u)
		if b.Password == "" {
			out.Body.Link, out.Body.Expires, err = rooms.passwordLink(ctx, u.Name)
		}
		return out, err
	})
}

func changeUser(a huma.API, rooms Rooms) {
	huma.Register(a, need(people.Admin, huma.Operation{
		OperationID: "get-user", Method: http.MethodGet, Path: "/api/users/{name}", Summary: "One user",
	}), func(ctx context.Context, in *struct {
		Name string `path:"name"`
	}) (*tagged[User], error) {
		u, err := rooms.People.User(ctx, in.Name)
		if err != nil {
			return nil, rooms.refused(err)
		}
		v := viewUser(u)
		return tagging(v.state(), v), nil
	})
	huma.Register(a, need(people.Admin, personal(huma.Operation{
		OperationID: "change-user", Method: http.MethodPatch, Path: "/api/users/{name}", Summary: "Change a user", MaxBodyBytes: 1 << 20,
		Description: "What is not given stays. A new password, and being disabled, end the user's sessions.",
	})), func(ctx context.Context, in *struct {
		Conditional
		Name string `path:"name"`
		Body struct {
			FullName *string      `json:"full_name,omitempty" maxLength:"128"`
			Role     *people.Role `json:"role,omitempty" enum:"viewer,analyst,responder,admin"`
			Accounts *[]string    `json:"accounts,omitempty" maxItems:"10000"`
			Disabled *bool        `json:"disabled,omitempty"`
			Password *string      `json:"password,omitempty" maxLength:"2048"`
			SignOut  bool         `json:"sign_out,omitempty" doc:"end all sessions of the user"`
		}
	}) (*tagged[User], error) {
		b := in.Body
		change := people.UserChange{FullName: b.FullName, Role: b.Role, Accounts: b.Accounts, Disabled: b.Disabled, Password: b.Password, SignOut: b.SignOut}
		u, err := rooms.People.ChangeUser(ctx, who(ctx), in.Name, change, func(u people.User) error { return in.fresh(viewUser(u).state()) })
		if err != nil {
			return nil, rooms.refused(err)
		}
		v := viewUser(u)
		return tagging(v.state(), v), nil
	})
}

// Scopes are what tokens may be limited to, in order.
func Scopes() []string {
	var all []string
	for area := range areas {
		if area != everyToken {
			all = append(all, area)
		}
	}
	slices.Sort(all)
	return all
}

// CheckScopes says of the first that is no scope which there are.
func CheckScopes(scopes []string) error {
	all := Scopes()
	for _, s := range scopes {
		if !slices.Contains(all, s) {
			return fmt.Errorf("%q is no scope: there are %s", s, strings.Join(all, ", "))
		}
	}
	return nil
}

func tokens(a huma.API, rooms Rooms) {
	type all struct{ Body Tokens }
	huma.Register(a, need(people.Viewer, within(personal(huma.Operation{
		OperationID: "list-tokens", Method: http.MethodGet, Path: "/api/tokens", Summary: "API tokens: your own, and for admins everybody's",
	}))), func(ctx context.Context, _ *struct{}) (*all, error) {
		found, err := rooms.People.Tokens(ctx, who(ctx))
		if err != nil {
			return nil, rooms.failure(err)
		}
		return &all{ViewTokens(found)}, nil
	})
	type made struct{ Body NewToken }
	huma.Register(a, need(people.Viewer, within(personal(huma.Operation{
		OperationID: "make-token", Method: http.MethodPost, Path: "/api/tokens", Summary: "Make an API token of your own", DefaultStatus: http.StatusCreated, MaxBodyBytes: 1 << 20,
	}))), func(ctx context.Context, in *struct {
		Body struct {
			Name     string      `json:"name" maxLength:"64"`
			Role     people.Role `json:"role,omitempty" enum:"viewer,analyst,responder,admin" doc:"at most your own; viewer where none is given"`
			Accounts []string    `json:"accounts,omitempty" maxItems:"10000" doc:"at most your own, and those where none are given"`
			Scopes   []string    `json:"scopes,omitempty" maxItems:"20" doc:"empty: all"`
			Expires  time.Time   `json:"expires" doc:"at most 366 days from now"`
		}
	}) (*made, error) {
		b := in.Body
		if err := CheckScopes(b.Scopes); err != nil {
			return nil, huma.Error422UnprocessableEntity(err.Error())
		}
		out := &made{}
		secret, t, err := rooms.People.NewToken(ctx, who(ctx), people.NewToken{Name: b.Name, Role: b.Role, Accounts: b.Accounts, Scopes: b.Scopes, Expires: b.Expires})
		out.Body.Token, out.Body.Secret = ViewToken(t), secret
		return out, rooms.refused(err)
	})
	huma.Register(a, need(people.Viewer, within(personal(huma.Operation{
		OperationID: "remove-token", Method: http.MethodDelete, Path: "/api/tokens/{id}", Summary: "Take an API token away", DefaultStatus: http.StatusNoContent,
	}))), func(ctx context.Context, in *struct {
		ID string `path:"id"`
	}) (*struct{}, error) {
		return nil, rooms.refused(rooms.People.RemoveToken(ctx, who(ctx), in.ID))
	})
}
