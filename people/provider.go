package people

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// Provider is an identity provider that vouches for people: OpenID Connect,
// the authorization code flow with PKCE.
type Provider interface {
	ID() string   // in paths: letters, digits, dashes
	Name() string // on the button
	// Begin gives the address at the provider to send the browser to, which
	// comes back to callback.
	Begin(ctx context.Context, callback string, a Attempt) (address string, err error)
	// Finish takes what the provider answered at callback and says who it
	// vouches for. ErrRefused, wrapped, when it does not or must not.
	Finish(ctx context.Context, callback string, a Attempt, answer Answer) (Identity, error)
}

// ErrRefused: the provider does not vouch for the user, or not for what we need
// to know.
var ErrRefused = errors.New("the identity provider did not sign you in")

// ErrNoRole: the provider vouches for somebody whom nothing gives a role here.
var ErrNoRole = errors.New("no group of yours has a role here; an admin can map one")

// ErrStale: nobody began what is to be finished, not in this browser, or too
// long ago.
var ErrStale = errors.New("begin again, in this browser")

// Attempt is one way there and back.
type Attempt struct {
	State    string // names the attempt in the provider's answer
	Nonce    string // is to be in the identity token
	Verifier string // of PKCE (RFC 7636)
}

// Answer is what comes back in the address of the callback.
type Answer struct {
	State, Code, Issuer string
	Error, Description  string
}

// Identity is what a provider says of a user, in our words.
type Identity struct {
	Subject  string // lasting
	User     string // to be the user's name
	FullName string
	Role     Role     // empty: no group of the user has a role here
	Accounts []string // empty: every account
}

// How long people take at the provider at most, and how many may be there at once.
const (
	attemptLasts = 10 * time.Minute
	attemptsMost = 1000
)

// attempts are those under way, by the hash of their state.
type attempts struct {
	mu sync.Mutex
	m  map[Hash]attempt
}

type attempt struct {
	Attempt
	provider string
	browser  Hash // of the secret that the browser keeps
	to       string
	until    time.Time
	done     func(ok bool) // of the limiter
}

func (a *attempts) add(now time.Time, one attempt) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.m == nil {
		a.m = map[Hash]attempt{}
	}
	for k, old := range a.m {
		if !old.until.After(now) {
			delete(a.m, k)
		}
	}
	if len(a.m) >= attemptsMost {
		return &Wait{time.Minute}
	}
	a.m[HashOf(one.State)] = one
	return nil
}

// take gives an attempt once.
func (a *attempts) take(now time.Time, state string) (attempt, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	key := HashOf(state)
	one, ok := a.m[key]
	delete(a.m, key)
	return one, ok && one.until.After(now)
}

func (d *Door) provider(id string) (Provider, error) {
	for _, p := range d.opt.Providers {
		if p.ID() == id {
			return p, nil
		}
	}
	return nil, fmt.Errorf("%q is no identity provider of this server", cut(id, 64))
}

// Begin starts to sign in through a provider: it gives the address to send the
// browser to, and a secret for the browser to keep until it comes back to
// callback. After that it goes to the path to.
func (d *Door) Begin(ctx context.Context, id, callback, to string, at Origin) (address, browser string, err error) {
	// One that does not come back counts as a failure.
	done, err := d.limit.begin(d.opt.Now(), "", at.Address)
	if err != nil {
		return "", "", err
	}
	p, err := d.provider(id)
	if err != nil {
		return "", "", err
	}
	if !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.ContainsFunc(to, func(r rune) bool { return r < ' ' || r == '\\' || r == 0x7f }) {
		to = "/" // only pages of ours
	}
	a := attempt{
		Attempt:  Attempt{State: newSecret(), Nonce: newSecret(), Verifier: newSecret()},
		provider: id, to: to, until: d.opt.Now().Add(attemptLasts), done: done,
	}
	browser = rand.Text() + rand.Text()
	a.browser = HashOf(browser)
	if address, err = p.Begin(ctx, callback, a.Attempt); err != nil {
		return "", "", err
	}
	return address, browser, d.codes.add(d.opt.Now(), a)
}

// Finish signs in whom the provider vouches for and gives the secret of the
// session and the path to go to. browser is the secret that Begin gave: an
// answer that was meant for another browser, or comes again, is ErrRefused.
func (d *Door) Finish(ctx context.Context, id, callback, browser string, answer Answer, at Origin) (secret, to string, err error) {
	p, err := d.provider(id)
	if err != nil {
		return "", "", err
	}
	a, ok := d.codes.take(d.opt.Now(), answer.State)
	kept := HashOf(browser)
	if !ok || a.provider != id || subtle.ConstantTimeCompare(kept[:], a.browser[:]) != 1 {
		return "", "", fmt.Errorf("%w: %w", ErrRefused, ErrStale)
	}
	who, err := p.Finish(ctx, callback, a.Attempt, answer)
	if err != nil {
		return "", "", err
	}
	u, err := d.vouched(ctx, id, who)
	if err != nil {
		return "", "", errors.Join(err, d.opt.Audit(ctx, Deed{shown(who.User), "session.refuse", shown(who.User), id + ": " + err.Error() + "; from " + at.Address}))
	}
	a.done(true)
	secret, err = d.begin(ctx, u, id, at)
	return secret, a.to, err
}

// vouched gives the user whom a provider vouches for: as the provider says by
// now, or new.
func (d *Door) vouched(ctx context.Context, id string, who Identity) (User, error) {
	if who.Role == "" {
		return User{}, fmt.Errorf("%w: %w", ErrRefused, ErrNoRole)
	}
	limited, err := accounts(who.Accounts)
	if err != nil {
		return User{}, err
	}
	u, err := d.store.UserBySubject(ctx, id, who.Subject)
	if errors.Is(err, ErrNotFound) {
		// Nobody who is there already is taken over: a provider that lets people
		// choose their name would let them choose whose work they go on with.
		u = User{FullName: who.FullName, Role: who.Role, Accounts: limited, Provider: id, Subject: who.Subject, Made: d.opt.Now().UTC()}
		if u.Name, err = UserName(who.User); err != nil {
			return u, fmt.Errorf("%w: it calls you %q, and %w", ErrRefused, cut(who.User, 64), err)
		}
		if err := d.store.AddUser(ctx, u); err != nil {
			return u, fmt.Errorf("%w: %w", ErrRefused, err)
		}
		return u, d.opt.Audit(ctx, Deed{"oidc:" + id, "user.add", u.Name, rights(u)})
	}
	if err != nil {
		return u, err
	}
	if u.Disabled {
		return u, fmt.Errorf("%w: you are disabled here", ErrRefused)
	}
	before := rights(u)
	u, err = d.store.ChangeUser(ctx, u.Name, func(u *User, _ int) error {
		u.FullName, u.Role, u.Accounts = who.FullName, who.Role, limited
		return nil
	})
	if err != nil || rights(u) == before {
		return u, err
	}
	return u, d.opt.Audit(ctx, Deed{"oidc:" + id, "user.change", u.Name, rights(u)})
}
