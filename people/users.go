package people

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrForeign: what was asked for is for the user's identity provider to say.
var ErrForeign = errors.New("this user signs in through an identity provider, which says so at every sign-in")

// ErrAccount: what was given is no account.
var ErrAccount = errors.New("an account is 1 to 128 characters without spaces")

// NewUser is what is said of a user to add.
type NewUser struct {
	Name, FullName string
	Role           Role
	Accounts       []string
	Password       string // empty: a link is to set it
}

// Users gives all users, by name.
func (d *Door) Users(ctx context.Context) ([]User, error) { return d.store.Users(ctx) }

// User gives one; ErrNotFound.
func (d *Door) User(ctx context.Context, name string) (User, error) { return d.store.User(ctx, name) }

// newUser checks n and hashes its password.
func (d *Door) newUser(ctx context.Context, n NewUser) (u User, err error) {
	if u.Name, err = UserName(n.Name); err != nil {
		return u, err
	}
	if !n.Role.Known() {
		return u, ErrRole
	}
	if u.Accounts, err = accounts(n.Accounts); err != nil {
		return u, err
	}
	u.FullName, u.Role, u.Made = cut(strings.TrimSpace(n.FullName), 128), n.Role, d.opt.Now().UTC()
	if n.Password == "" {
		return u, nil
	}
	if err := checkPassword(u.Name, n.Password); err != nil {
		return u, err
	}
	u.Password, err = d.hash.make(ctx, n.Password)
	return u, err
}

// accounts checks a list, orders it and leaves what is said twice out.
func accounts(list []string) ([]string, error) {
	out := slices.Clone(list)
	for _, a := range out {
		if a == "" || len(a) > 128 || strings.ContainsFunc(a, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
			return nil, fmt.Errorf("%q: %w", cut(a, 128), ErrAccount)
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// AddUser adds a local user; ErrTaken, ErrName, ErrRole, ErrPassword, ErrAccount.
func (d *Door) AddUser(ctx context.Context, by Who, n NewUser) (User, error) {
	if n.Role == "" {
		n.Role = Viewer
	}
	u, err := d.newUser(ctx, n)
	if err != nil {
		return u, err
	}
	if n.Password == "" && d.opt.NoPasswords {
		return u, ErrSwitched
	}
	if err := d.store.AddUser(ctx, u); err != nil {
		return u, err
	}
	return u, d.opt.Audit(ctx, Deed{by.By(), "user.add", u.Name, rights(u)})
}

// rights says what a user may, for an audit line.
func rights(u User) string {
	text := "role " + string(u.Role)
	if len(u.Accounts) > 0 {
		text += "; accounts " + strings.Join(u.Accounts, ", ")
	}
	if u.Disabled {
		text += "; disabled"
	}
	return text
}

// UserChange is what is to become of a user; nil fields stay.
type UserChange struct {
	FullName *string
	Role     *Role
	Accounts *[]string
	Disabled *bool
	Password *string
	SignOut  bool // end all sessions
}

// ChangeUser changes a user, unless fresh (nil: it does not matter) says that
// it is not the user that by has seen; ErrNotFound, ErrLastAdmin, ErrForeign and
// those of AddUser. A new password, and being disabled, end the user's sessions.
func (d *Door) ChangeUser(ctx context.Context, by Who, name string, c UserChange, fresh func(User) error) (User, error) {
	hashed := ""
	if c.Password != nil {
		if _, err := d.store.User(ctx, name); err != nil {
			return User{}, err
		}
		if err := checkPassword(name, *c.Password); err != nil {
			return User{}, err
		}
		var err error
		if hashed, err = d.hash.make(ctx, *c.Password); err != nil {
			return User{}, err
		}
	}
	u, err := d.store.ChangeUser(ctx, name, func(u *User, admins int) error {
		if fresh != nil {
			if err := fresh(u.Clone()); err != nil {
				return err
			}
		}
		was := u.Admin()
		if err := c.apply(u, hashed); err != nil {
			return err
		}
		if was && !u.Admin() && admins == 0 {
			return ErrLastAdmin
		}
		return nil
	})
	if err != nil {
		return u, err
	}
	if hashed != "" {
		if err := d.changedPassword(ctx, by.By(), u.Name, by.Session); err != nil {
			return u, err
		}
	}
	if c.SignOut || u.Disabled {
		if err := d.store.EndSessions(ctx, u.Name, Hash{}); err != nil {
			return u, err
		}
	}
	d.tell()
	return u, d.opt.Audit(ctx, Deed{by.By(), "user.change", u.Name, rights(u)})
}

func (c UserChange) apply(u *User, hashed string) (err error) {
	// What the provider says at every sign-in would not stay changed.
	if u.Provider != "" && (c.Role != nil || c.Accounts != nil || c.Password != nil) {
		return ErrForeign
	}
	if c.Role != nil {
		if !c.Role.Known() {
			return ErrRole
		}
		u.Role = *c.Role
	}
	if c.Accounts != nil {
		if u.Accounts, err = accounts(*c.Accounts); err != nil {
			return err
		}
	}
	if c.FullName != nil {
		u.FullName = cut(strings.TrimSpace(*c.FullName), 128)
	}
	if c.Disabled != nil {
		u.Disabled = *c.Disabled
	}
	if hashed != "" {
		u.Password = hashed
	}
	return nil
}

// changedPassword ends the sessions that were made with the former password.
func (d *Door) changedPassword(ctx context.Context, by, user string, keep Hash) error {
	if err := d.store.EndSessions(ctx, user, keep); err != nil {
		return err
	}
	d.tell()
	return d.opt.Audit(ctx, Deed{by, "user.password", user, "sessions ended"})
}

// RemoveUser takes a user away, with everything that let it in.
func (d *Door) RemoveUser(ctx context.Context, by Who, name string) error {
	if err := d.store.RemoveUser(ctx, name); err != nil {
		return err
	}
	d.tell()
	return d.opt.Audit(ctx, Deed{by.By(), "user.remove", name, ""})
}

// SetPassword changes the password of w itself, who shows the former one. Other
// sessions end. ErrWrong, *Wait, ErrPassword, ErrForeign.
func (d *Door) SetPassword(ctx context.Context, w Who, former, password string, at Origin) error {
	u, err := d.store.User(ctx, w.User)
	if err != nil {
		return err
	}
	if u.Provider != "" {
		return ErrForeign
	}
	done, err := d.limit.begin(d.opt.Now(), u.Name, at.Address)
	if err != nil {
		return err
	}
	ok, _, err := d.hash.check(ctx, u.Password, former)
	if err != nil {
		return err
	}
	done(ok)
	if !ok {
		return ErrWrong
	}
	if err := checkPassword(u.Name, password); err != nil {
		return err
	}
	hashed, err := d.hash.make(ctx, password)
	if err != nil {
		return err
	}
	if _, err := d.store.ChangeUser(ctx, u.Name, func(u *User, _ int) error { u.Password = hashed; return nil }); err != nil {
		return err
	}
	return d.changedPassword(ctx, w.By(), u.Name, w.Session)
}

// Prefer sets how w likes the console; empty: as the browser does.
func (d *Door) Prefer(ctx context.Context, w Who, language, theme *string) (User, error) {
	return d.store.ChangeUser(ctx, w.User, func(u *User, _ int) error {
		if language != nil {
			u.Language = *language
		}
		if theme != nil {
			u.Theme = *theme
		}
		return nil
	})
}
