package people

import (
	"context"
	"errors"
	"time"
)

// How long links are good for.
const (
	FirstRunLasts = 24 * time.Hour
	SignInLasts   = time.Hour
	PasswordLasts = 24 * time.Hour
)

// NewLink makes a one-time link, for the user where the kind has one, and gives
// its secret. by says who asks for it.
func (d *Door) NewLink(ctx context.Context, by Who, kind LinkKind, user string) (secret string, l Link, err error) {
	now := d.opt.Now().UTC()
	secret = newSecret()
	l = Link{Secret: HashOf(secret), Kind: kind, By: by.By()}
	switch kind {
	case LinkFirst:
		l.Expires = now.Add(FirstRunLasts)
	case LinkSignIn, LinkPassword:
		u, err := d.store.User(ctx, user)
		if err != nil {
			return "", l, err
		}
		l.User, l.Expires = u.Name, now.Add(SignInLasts)
		if kind == LinkPassword {
			l.Expires = now.Add(PasswordLasts)
			if u.Provider != "" {
				return "", l, ErrForeign
			}
		}
	}
	if err := d.store.AddLink(ctx, l); err != nil {
		return "", l, err
	}
	return secret, l, d.opt.Audit(ctx, Deed{l.By, "link.make", l.User, string(kind)})
}

// Link tells what a link that is still good is for; ErrGone.
func (d *Door) Link(ctx context.Context, secret string) (Link, error) {
	return d.store.Link(ctx, HashOf(secret), d.opt.Now())
}

// ErrSetUp: there is an admin already, and nothing to do at the first run.
var ErrSetUp = errors.New("there is an admin already: sign in")

// FirstAdmin makes the first admin for the holder of a link of the
// first run, and signs it in.
func (d *Door) FirstAdmin(ctx context.Context, link, name, password string, at Origin) (secret string, err error) {
	if _, err := d.linked(ctx, link, LinkFirst, at); err != nil {
		return "", err
	}
	if first, err := d.FirstRun(ctx); err != nil || !first {
		return "", errors.Join(err, ErrSetUp)
	}
	u, err := d.newUser(ctx, NewUser{Name: name, Role: Admin, Password: password})
	if err != nil {
		return "", err // and the link is still good
	}
	if _, err := d.store.User(ctx, u.Name); err == nil {
		return "", ErrTaken
	}
	if _, err := d.store.TakeLink(ctx, HashOf(link), d.opt.Now()); err != nil {
		return "", err
	}
	if err := d.store.AddUser(ctx, u); err != nil {
		return "", err
	}
	if err := d.opt.Audit(ctx, Deed{u.Name, "user.add", u.Name, "the first admin; from " + at.Address}); err != nil {
		return "", err
	}
	return d.begin(ctx, u, "link", at)
}

// linked gives a link that is still good and of that kind. Guessing links
// counts as failing to sign in.
func (d *Door) linked(ctx context.Context, secret string, kind LinkKind, at Origin) (Link, error) {
	done, err := d.limit.begin(d.opt.Now(), "", at.Address)
	if err != nil {
		return Link{}, err
	}
	l, err := d.Link(ctx, secret)
	if err == nil && kind != "" && l.Kind != kind {
		err = ErrGone
	}
	done(err == nil)
	return l, err
}

// Enter signs in the holder of a link for it; one that sets a password needs
// that password.
func (d *Door) Enter(ctx context.Context, link, password string, at Origin) (secret string, err error) {
	l, err := d.linked(ctx, link, "", at)
	if err != nil {
		return "", err
	}
	if l.Kind == LinkFirst {
		return "", ErrGone
	}
	hashed := ""
	if l.Kind == LinkPassword {
		if err := checkPassword(l.User, password); err != nil {
			return "", err // and the link is still good
		}
		if hashed, err = d.hash.make(ctx, password); err != nil {
			return "", err
		}
	}
	if l, err = d.store.TakeLink(ctx, l.Secret, d.opt.Now()); err != nil {
		return "", err
	}
	u, err := d.store.ChangeUser(ctx, l.User, func(u *User, _ int) error {
		if u.Disabled {
			return ErrGone
		}
		if hashed != "" {
			u.Password = hashed
		}
		return nil
	})
	if errors.Is(err, ErrNotFound) {
		err = ErrGone
	}
	if err != nil {
		return "", err
	}
	if hashed != "" {
		if err := d.changedPassword(ctx, u.Name, u.Name, Hash{}); err != nil {
			return "", err
		}
	}
	return d.begin(ctx, u, "link", at)
}
