package people

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"sync"
	"time"
)

// Options shape a Door. Zero fields get the defaults that are named.
type Options struct {
	Idle    time.Duration // a session ends when it was not used for so long; 12 hours
	Longest time.Duration // and so long after it was made in any case; 7 days
	Hashing Hashing       // of passwords; see DefaultHashing
	// NoPasswords switches sign-in by password off, for users from identity
	// providers alone. Links still let in.
	NoPasswords bool
	Providers   []Provider
	Now         func() time.Time // never nil
	// Audit keeps what was done, durably; an error fails what it tells of. Never nil.
	Audit func(ctx context.Context, d Deed) error
}

// Deed is something that an audit line tells.
type Deed struct {
	By      string // who did it; for a failed sign-in the name that was given
	Action  string // such as session.begin, user.add
	Subject string // whom or what it was done to
	Text    string // the rest, for people
}

// Origin is where a request comes from.
type Origin struct {
	Address string // IP address
	Agent   string // the browser, as it calls itself
}

// Door lets people in: it signs them in, knows their sessions and tokens again,
// and keeps the list of who may come. It is safe for concurrent use.
type Door struct {
	opt   Options
	store Store
	hash  hasher
	limit limiter
	codes attempts // sign-ins that are at an identity provider

	mu   sync.Mutex // guards the two below
	ends map[int]func()
	next int
}

// NewDoor gives the door to what store keeps.
func NewDoor(store Store, opt Options) *Door {
	if opt.Idle <= 0 {
		opt.Idle = 12 * time.Hour
	}
	if opt.Longest <= 0 {
		opt.Longest = 7 * 24 * time.Hour
	}
	if opt.Hashing == (Hashing{}) {
		opt.Hashing = DefaultHashing
	}
	return &Door{opt: opt, store: store, hash: newHasher(opt.Hashing), ends: map[int]func(){}}
}

// visitGap is how long nothing was asked between two visits.
const visitGap = 4 * time.Hour

// minute is how exactly is kept when something was used: a write for every
// request would be a write for every request.
const minute = time.Minute

// FirstRun tells whether there is no admin yet who may come in, and one with a
// password may be made: where only providers vouch, nobody needs to.
func (d *Door) FirstRun(ctx context.Context) (bool, error) {
	if d.opt.NoPasswords {
		return false, nil
	}
	all, err := d.store.Users(ctx)
	return !slices.ContainsFunc(all, func(u User) bool { return u.Admin() }), err
}

// Providers gives those of the options.
func (d *Door) Providers() []Provider { return slices.Clone(d.opt.Providers) }

// Longest is how long a session lasts at most.
func (d *Door) Longest() time.Duration { return d.opt.Longest }

// Passwords tells whether people may sign in by password.
func (d *Door) Passwords() bool { return !d.opt.NoPasswords }

// SignIn signs a user in by password and gives the secret of the new session.
// ErrWrong, *Wait when there were too many failures, ErrSwitched.
func (d *Door) SignIn(ctx context.Context, name, password string, at Origin) (secret string, err error) {
	if d.opt.NoPasswords {
		return "", ErrSwitched
	}
	given := name
	if name, err = UserName(name); err != nil {
		name = "" // of nobody; looked at like all others
	}
	done, err := d.limit.begin(d.opt.Now(), name, at.Address)
	if err != nil {
		return "", err
	}
	u, err := d.store.User(ctx, name)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return "", err
	}
	ok, again, err := d.hash.check(ctx, u.Password, password)
	if err != nil {
		return "", err
	}
	if !ok || u.Name == "" || u.Disabled || u.Provider != "" {
		done(false)
		return "", errors.Join(ErrWrong, d.opt.Audit(ctx, Deed{shown(given), "session.refuse", shown(given), "user or password is wrong; from " + at.Address}))
	}
	done(true)
	if again {
		// Weaker than what we now ask for; it is made anew while we know it.
		text, err := d.hash.make(ctx, password)
		if err != nil {
			return "", err
		}
		was := u.Password
		if _, err = d.store.ChangeUser(ctx, u.Name, func(now *User, _ int) error {
			if now.Password == was {
				now.Password = text
			}
			return nil
		}); err != nil {
			return "", err
		}
	}
	return d.begin(ctx, u, "password", at)
}

// shown is a name that somebody gave, for an audit line.
func shown(name string) string {
	r := []rune(name)
	if len(r) > 64 {
		r = append(r[:64], '…')
	}
	return string(r)
}

// begin makes a session. Its secret is always new: what a browser brought along
// is never used.
func (d *Door) begin(ctx context.Context, u User, by string, at Origin) (string, error) {
	now := d.opt.Now().UTC()
	secret := newSecret()
	if err := d.store.Sweep(ctx, now.Add(-d.opt.Longest), now.Add(-d.opt.Idle), now.Add(-keepExpired)); err != nil {
		return "", err
	}
	if err := d.opt.Audit(ctx, Deed{u.Name, "session.begin", u.Name, "by " + by + "; from " + at.Address}); err != nil {
		return "", err
	}
	s := Session{ID: HashOf(secret), User: u.Name, By: by, Address: at.Address, Agent: cut(at.Agent, 200), Made: now, Seen: now}
	if err := d.store.AddSession(ctx, s); err != nil {
		return "", err
	}
	return secret, d.visit(ctx, u, now)
}

// keepExpired is how long an expired token stays in lists, so that people see
// why a script stopped.
const keepExpired = 30 * 24 * time.Hour

// newSecret gives 256 random bits as text.
func newSecret() string { return rand.Text() + rand.Text() }

func cut(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most])
	}
	return s
}

// visit notes that the user is here.
func (d *Door) visit(ctx context.Context, u User, now time.Time) error {
	if now.Sub(u.Seen) < minute {
		return nil
	}
	_, err := d.store.ChangeUser(ctx, u.Name, func(u *User, _ int) error {
		if !u.Seen.IsZero() && now.Sub(u.Seen) >= visitGap {
			u.Visit = u.Seen
		}
		u.Seen = now
		return nil
	})
	return err
}

// Session says who the holder of a session's secret is; ErrNobody.
func (d *Door) Session(ctx context.Context, secret string) (Who, error) {
	if secret == "" {
		return Who{}, ErrNobody
	}
	now := d.opt.Now().UTC()
	s, u, err := d.live(ctx, HashOf(secret), now)
	if err != nil {
		return Who{}, err
	}
	if now.Sub(s.Seen) >= minute {
		if err := errors.Join(d.store.TouchSession(ctx, s.ID, now), d.visit(ctx, u, now)); err != nil {
			return Who{}, err
		}
	}
	return Who{User: u.Name, FullName: u.FullName, Role: u.Role, Accounts: u.Accounts, Via: ViaSession, Session: s.ID, Language: u.Language}, nil
}

// live gives a session that is still good, and its user.
func (d *Door) live(ctx context.Context, id Hash, now time.Time) (Session, User, error) {
	s, err := d.store.Session(ctx, id)
	if err != nil {
		return s, User{}, err
	}
	if now.Sub(s.Made) >= d.opt.Longest || now.Sub(s.Seen) >= d.opt.Idle {
		return s, User{}, errors.Join(ErrNobody, d.store.EndSession(ctx, id))
	}
	u, err := d.store.User(ctx, s.User)
	if errors.Is(err, ErrNotFound) || err == nil && u.Disabled {
		err = ErrNobody
	}
	return s, u, err
}

// Still tells whether w may still come in as w is: not signed out, disabled,
// expired, or of another role by now. It keeps no session alive.
func (d *Door) Still(ctx context.Context, w Who) bool {
	switch w.Via {
	case ViaSession:
		_, u, err := d.live(ctx, w.Session, d.opt.Now())
		return err == nil && u.Role == w.Role && slices.Equal(u.Accounts, w.Accounts)
	case ViaToken:
		all, err := d.store.Tokens(ctx)
		i := slices.IndexFunc(all, func(t Token) bool { return t.ID == w.Token })
		if err != nil || i < 0 {
			return false
		}
		now, err := d.bearer(ctx, all[i])
		return err == nil && now.Role == w.Role && slices.Equal(now.Accounts, w.Accounts)
	}
	return w.Via == ViaOwner
}

// SignOut ends the session of w, or everywhere all of the user's.
func (d *Door) SignOut(ctx context.Context, w Who, everywhere bool) error {
	if w.Via != ViaSession {
		return ErrNobody
	}
	deed := Deed{By: w.By(), Action: "session.end", Subject: w.User}
	end := func() error { return d.store.EndSession(ctx, w.Session) }
	if everywhere {
		deed.Text = "everywhere"
		end = func() error { return d.store.EndSessions(ctx, w.User, Hash{}) }
	}
	if err := end(); err != nil {
		return err
	}
	d.tell()
	return d.opt.Audit(ctx, deed)
}

// OnEnd has f called whenever somebody may have lost what let them in, until
// forget is called. f is to return at once.
func (d *Door) OnEnd(f func()) (forget func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	id := d.next
	d.next++
	d.ends[id] = f
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.ends, id)
	}
}

func (d *Door) tell() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, f := range d.ends {
		f()
	}
}
