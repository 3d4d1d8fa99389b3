package people

import (
	"context"
	"slices"
)

// Role says what somebody may do; each may all that the one before may.
type Role string

// The roles.
const (
	Viewer    Role = "viewer"    // reads
	Analyst   Role = "analyst"   // decides, comments, assigns
	Responder Role = "responder" // accepts exceptions and windows, writes back
	Admin     Role = "admin"     // users, tokens of others, settings
)

// Roles are all of them, the least first.
var Roles = []Role{Viewer, Analyst, Responder, Admin}

// May tells whether r may what need may. What is no role may nothing, and
// nobody may what no role is enough for.
func (r Role) May(need Role) bool {
	have, want := slices.Index(Roles, r), slices.Index(Roles, need)
	return have >= 0 && want >= 0 && have >= want
}

// Known tells whether there is such a role.
func (r Role) Known() bool { return slices.Contains(Roles, r) }

// least is the lesser of two roles.
func least(a, b Role) Role {
	if a.May(b) {
		return b
	}
	return a
}

// Via is how somebody came in.
type Via string

// The ways.
const (
	ViaSession Via = "session" // a browser that has signed in
	ViaToken   Via = "token"   // a script with an API token
	ViaOwner   Via = "owner"   // the token of the data directory, or a command on the machine
)

// Who is who asks. The zero Who is nobody and may nothing.
type Who struct {
	User     string // the name that audit lines give
	FullName string
	Role     Role
	Accounts []string // limited to these; empty: every account
	Via      Via
	Session  Hash     // of ViaSession
	Token    string   // id, of ViaToken
	Scopes   []string // of ViaToken: areas of the API; empty: all
	Language string   // of ViaSession, as User has it
}

// LocalOwner is whoever holds the data directory itself.
func LocalOwner() Who { return Who{User: Owner, FullName: Owner, Role: Admin, Via: ViaOwner} }

// Limited tells whether w may see some accounts only.
func (w Who) Limited() bool { return len(w.Accounts) > 0 }

// Sees tells whether w may see what belongs to the account. What belongs to no
// account is for those who are not limited.
func (w Who) Sees(account string) bool {
	return !w.Limited() || slices.Contains(w.Accounts, account)
}

// By is how audit lines name w: the user, and the token where one was used.
func (w Who) By() string {
	if w.Via == ViaToken { // whose ids are no part of a user's name
		return w.User + " (token " + w.Token + ")"
	}
	return w.User
}

type whoKey struct{}

// With gives a context that carries who asks.
func With(ctx context.Context, w Who) context.Context {
	return context.WithValue(ctx, whoKey{}, w)
}

// From gives who asks; nobody where the context carries no one.
func From(ctx context.Context) Who {
	w, _ := ctx.Value(whoKey{}).(Who)
	return w
}
