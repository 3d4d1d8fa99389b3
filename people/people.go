// Package people knows who may come in: users with roles, their sessions, the
// tokens of scripts, one-time links, and sign-in through identity providers.
// Each folder is one place to keep them (sqlite, memory) or a way to sign in
// (oidc).
//
// Secrets (of sessions, tokens and links) are random; only their SHA-256 is
// kept. Passwords are kept as argon2id: see Hashing.
package people

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// What the room answers besides success. Their texts are for people.
var (
	ErrNotFound  = errors.New("no such user")
	ErrTaken     = errors.New("there is a user of that name already")
	ErrLastAdmin = errors.New("the last admin stays: make somebody else an admin first")
	ErrGone      = errors.New("the link is not valid: it was used, has expired, or was never made")
	ErrNoToken   = errors.New("no such token")
	ErrNobody    = errors.New("sign in first")             // no valid session or token
	ErrWrong     = errors.New("user or password is wrong") // the same for users that there are not
	ErrPassword  = errors.New("a password has 12 to 1024 characters, and is not the user's name")
	ErrRole      = errors.New("a role is viewer, analyst, responder or admin")
	ErrName      = errors.New("a user's name has 1 to 64 of a-z, 0-9, dot, dash, underscore, plus and @, and begins with a letter or digit")
	ErrSwitched  = errors.New("sign-in by password is switched off here")
)

// Owner is the name of whoever holds the token of the data directory, and of
// commands on the machine. No user has it.
const Owner = "local"

// Hash is what is kept of a secret.
type Hash [sha256.Size]byte

// HashOf gives the hash of a secret.
func HashOf(secret string) Hash { return sha256.Sum256([]byte(secret)) }

// String is its hexadecimal form.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// ParseHash reads that form.
func ParseHash(s string) (h Hash, err error) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(h) {
		return h, fmt.Errorf("%q is not a hash", s)
	}
	return Hash(b), nil
}

// User is somebody who may sign in.
type User struct {
	Name     string   // lower case; what audit lines give
	FullName string   // as people read it; may be empty
	Role     Role     //
	Accounts []string // limited to these; empty: every account
	Disabled bool     // may not come in, by whatever way
	Password string   // argon2id in PHC form; empty: none was set
	Provider string   // id of the identity provider that vouches; empty: local
	Subject  string   // the provider's lasting name of the user
	Language string   // of the console: en, ja; empty: the browser's
	Theme    string   // light, dark; empty: the browser's

	Made  time.Time
	Seen  time.Time // the latest request of a session, to the minute
	Visit time.Time // end of the visit before this one; zero: there was none
}

// Session is a browser that has signed in.
type Session struct {
	ID      Hash // of the cookie's secret
	User    string
	By      string // password, link, or the provider's id
	Address string // from which it was made
	Agent   string // the browser, as it calls itself; at most 200 characters
	Made    time.Time
	Seen    time.Time // to the minute
}

// Token lets a script in.
type Token struct {
	ID       string // public: names it in lists and audit lines
	Secret   Hash
	Name     string // what it is for
	User     string // who made it; it never may more than that user
	Role     Role   // at most
	Accounts []string
	Scopes   []string // areas of the API it is limited to; empty: all
	Made     time.Time
	Expires  time.Time // never zero
	Used     time.Time // latest, to the minute; zero: never
}

// LinkKind is what a one-time link is good for.
type LinkKind string

// The kinds.
const (
	LinkFirst    LinkKind = "first-run" // make the first admin
	LinkSignIn   LinkKind = "sign-in"   // sign in as the user, once
	LinkPassword LinkKind = "password"  // set the user's password, and sign in
)

// Link lets its holder do one thing once.
type Link struct {
	Secret  Hash
	Kind    LinkKind
	User    string // empty for LinkFirst
	By      string // who made it
	Expires time.Time
}

// Users keeps users.
type Users interface {
	// Users gives all, by name.
	Users(ctx context.Context) ([]User, error)
	// User gives one by name; ErrNotFound.
	User(ctx context.Context, name string) (User, error)
	// UserBySubject gives the one whom the provider knows by subject; ErrNotFound.
	UserBySubject(ctx context.Context, provider, subject string) (User, error)
	// AddUser keeps a new user; ErrTaken when there is one of the name, or of the
	// provider and subject.
	AddUser(ctx context.Context, u User) error
	// ChangeUser changes one at a time and gives what became of it; an error of
	// change, which may be called once more, leaves all as it was. Name, Made,
	// Provider and Subject stay. admins is how many others are admins that may
	// come in.
	ChangeUser(ctx context.Context, name string, change func(u *User, admins int) error) (User, error)
	// RemoveUser takes the user away with sessions, tokens and links; ErrNotFound,
	// and ErrLastAdmin for the only admin that may come in while there are others
	// who are none.
	RemoveUser(ctx context.Context, name string) error
}

// Sessions keeps sessions.
type Sessions interface {
	AddSession(ctx context.Context, s Session) error
	// Session gives one; ErrNobody. Whether it has expired is for the caller to say.
	Session(ctx context.Context, id Hash) (Session, error)
	// TouchSession sets when it was seen; one that is gone is no error.
	TouchSession(ctx context.Context, id Hash, seen time.Time) error
	// EndSessions takes away the user's sessions but for keep (zero: all of them).
	EndSessions(ctx context.Context, user string, keep Hash) error
	// EndSession takes one away; one that is gone is no error.
	EndSession(ctx context.Context, id Hash) error
	// Sweep takes away sessions made before made or last seen before seen, and
	// links and tokens that expired before expired.
	Sweep(ctx context.Context, made, seen, expired time.Time) error
}

// Tokens keeps tokens.
type Tokens interface {
	AddToken(ctx context.Context, t Token) error
	// Tokens gives all, the latest first.
	Tokens(ctx context.Context) ([]Token, error)
	// TokenOf gives the one with that secret; ErrNoToken.
	TokenOf(ctx context.Context, secret Hash) (Token, error)
	TouchToken(ctx context.Context, id string, used time.Time) error
	// RemoveToken takes one away; ErrNoToken.
	RemoveToken(ctx context.Context, id string) error
}

// Links keeps one-time links.
type Links interface {
	// AddLink keeps a link; one for LinkFirst replaces every other of that kind.
	AddLink(ctx context.Context, l Link) error
	// Link gives one that is still good at that time; ErrGone.
	Link(ctx context.Context, secret Hash, now time.Time) (Link, error)
	// TakeLink does the same and takes it away: of any number of callers, one gets it.
	TakeLink(ctx context.Context, secret Hash, now time.Time) (Link, error)
}

// Store keeps all of it. Every change is durable when the call returns.
type Store interface {
	Users
	Sessions
	Tokens
	Links
	Close() error
}

var userName = regexp.MustCompile(`^[a-z0-9][a-z0-9._@+-]{0,63}$`)

// UserName gives the form of a name in which it is kept and compared, or ErrName.
func UserName(s string) (string, error) {
	s = strings.ToLower(strings.TrimSpace(s))
	if !userName.MatchString(s) || s == Owner {
		return "", ErrName
	}
	return s, nil
}

// Admin tells whether the user is an admin that may come in.
func (u *User) Admin() bool { return u.Role == Admin && !u.Disabled }

// Method says how the user signs in.
func (u *User) Method() string {
	if u.Provider != "" {
		return "oidc:" + u.Provider
	}
	return "password"
}

// Clone is a copy that shares nothing.
func (u User) Clone() User {
	u.Accounts = slices.Clone(u.Accounts)
	return u
}
