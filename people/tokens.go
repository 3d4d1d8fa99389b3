package people

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// tokenMark begins every API token, so that people and scanners of repositories
// recognise one.
const tokenMark = "yagura_"

// LongestToken is how long a token may be good for.
const LongestToken = 366 * 24 * time.Hour

// What is wrong with a token that is asked for.
var (
	ErrTokenName    = errors.New("a token needs a name of 1 to 64 characters")
	ErrTokenExpires = errors.New("a token expires at most 366 days from now, and not before now")
	ErrTokenMore    = errors.New("a token may not more than who makes it")
)

// NewToken is what is said of a token to make.
type NewToken struct {
	Name     string
	Role     Role     // empty: viewer
	Accounts []string // empty: those of who makes it
	Scopes   []string
	Expires  time.Time
}

// NewToken makes a token of w and gives its secret, which nobody can ask for
// again.
func (d *Door) NewToken(ctx context.Context, w Who, n NewToken) (secret string, t Token, err error) {
	now := d.opt.Now().UTC()
	if n.Role == "" {
		n.Role = Viewer
	}
	if len(n.Accounts) == 0 {
		n.Accounts = w.Accounts
	}
	name := strings.TrimSpace(n.Name)
	limited, err := accounts(n.Accounts)
	switch {
	case err != nil:
		return "", t, err
	case name == "" || len([]rune(name)) > 64:
		return "", t, ErrTokenName
	case !n.Role.Known():
		return "", t, ErrRole
	case !n.Expires.After(now) || n.Expires.Sub(now) > LongestToken:
		return "", t, ErrTokenExpires
	case !w.Role.May(n.Role) || slices.ContainsFunc(limited, func(a string) bool { return !w.Sees(a) }):
		return "", t, ErrTokenMore
	}
	secret = tokenMark + newSecret()
	t = Token{
		ID: strings.ToLower(rand.Text()[:10]), Secret: HashOf(secret), Name: name, User: w.User, Role: n.Role, Accounts: limited,
		Scopes: slices.Clone(n.Scopes), Made: now, Expires: n.Expires.UTC(),
	}
	if err := d.store.AddToken(ctx, t); err != nil {
		return "", t, err
	}
	text := fmt.Sprintf("%q, role %s, until %s", t.Name, t.Role, t.Expires.Format(time.RFC3339))
	return secret, t, d.opt.Audit(ctx, Deed{w.By(), "token.make", t.ID, text})
}

// Tokens gives the tokens that w may see: its own, and an admin everybody's.
func (d *Door) Tokens(ctx context.Context, w Who) ([]Token, error) {
	all, err := d.store.Tokens(ctx)
	if err != nil || w.Role.May(Admin) && !w.Limited() {
		return all, err
	}
	return slices.DeleteFunc(all, func(t Token) bool { return t.User != w.User }), nil
}

// RemoveToken takes away a token that w may see; ErrNoToken.
func (d *Door) RemoveToken(ctx context.Context, w Who, id string) error {
	mine, err := d.Tokens(ctx, w)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(mine, func(t Token) bool { return t.ID == id }) {
		return ErrNoToken
	}
	if err := d.store.RemoveToken(ctx, id); err != nil {
		return err
	}
	d.tell()
	return d.opt.Audit(ctx, Deed{w.By(), "token.remove", id, ""})
}

// Token says who the holder of a token's secret is; ErrNoToken for one that
// there is not, that has expired, or whose user may not come in any more.
func (d *Door) Token(ctx context.Context, secret string) (Who, error) {
	if !strings.HasPrefix(secret, tokenMark) {
		return Who{}, ErrNoToken
	}
	t, err := d.store.TokenOf(ctx, HashOf(secret))
	if err != nil {
		return Who{}, err
	}
	w, err := d.bearer(ctx, t)
	if err != nil {
		return w, err
	}
	if now := d.opt.Now().UTC(); now.Sub(t.Used) >= minute {
		err = d.store.TouchToken(ctx, t.ID, now)
	}
	return w, err
}

// bearer says who the holder of t is: never more than t's user is by now.
func (d *Door) bearer(ctx context.Context, t Token) (Who, error) {
	if !t.Expires.After(d.opt.Now()) {
		return Who{}, fmt.Errorf("%w: it expired on %s", ErrNoToken, t.Expires.Format(time.DateOnly))
	}
	u := User{Name: Owner, Role: Admin}
	if t.User != Owner {
		var err error
		u, err = d.store.User(ctx, t.User)
		if errors.Is(err, ErrNotFound) || err == nil && u.Disabled {
			err = ErrNoToken
		}
		if err != nil {
			return Who{}, err
		}
	}
	w := Who{User: u.Name, FullName: u.FullName, Role: least(u.Role, t.Role), Accounts: t.Accounts, Via: ViaToken, Token: t.ID, Scopes: t.Scopes}
	switch {
	case len(u.Accounts) == 0:
	case len(t.Accounts) == 0:
		w.Accounts = u.Accounts
	default:
		w.Accounts = slices.DeleteFunc(slices.Clone(t.Accounts), func(a string) bool { return !slices.Contains(u.Accounts, a) })
		if len(w.Accounts) == 0 {
			// An empty list would mean every account.
			return Who{}, ErrNoToken
		}
	}
	return w, nil
}
