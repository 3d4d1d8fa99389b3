package people_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/people"
	"github.com/yagura-sec/yagura/people/memory"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const good = "correct horse battery"

var here = people.Origin{Address: "203.0.113.9", Agent: "test"}

// stage is a door with a clock that stands still, and what it said.
type stage struct {
	*people.Door
	t     *testing.T
	store people.Store
	now   time.Time
	deeds []people.Deed
}

func open(t *testing.T, change ...func(*people.Options)) *stage {
	s := &stage{t: t, store: &memory.Store{}, now: noon}
	opt := people.Options{
		Hashing: people.Hashing{Memory: 8, Time: 1, Threads: 1},
		Now:     func() time.Time { return s.now },
		Audit:   func(_ context.Context, d people.Deed) error { s.deeds = append(s.deeds, d); return nil },
	}
	for _, c := range change {
		c(&opt)
	}
	s.Door = people.NewDoor(s.store, opt)
	return s
}

func (s *stage) add(name string, role people.Role, accounts ...string) people.User {
	s.t.Helper()
	u, err := s.AddUser(s.t.Context(), people.LocalOwner(), people.NewUser{Name: name, Role: role, Accounts: accounts, Password: good})
	if err != nil {
		s.t.Fatal(err)
	}
	return u
}

func (s *stage) enter(name string) (secret string, w people.Who) {
	s.t.Helper()
	secret, err := s.SignIn(s.t.Context(), name, good, here)
	if err != nil {
		s.t.Fatal(err)
	}
	return secret, s.known(secret)
}

func (s *stage) known(secret string) people.Who {
	s.t.Helper()
	w, err := s.Session(s.t.Context(), secret)
	if err != nil {
		s.t.Fatal(err)
	}
	return w
}

func (s *stage) gone(what, secret string) {
	s.t.Helper()
	if w, err := s.Session(s.t.Context(), secret); !errors.Is(err, people.ErrNobody) {
		s.t.Errorf("%s: %+v, %v", what, w, err)
	}
}

func (s *stage) want(err, want error) {
	s.t.Helper()
	if !errors.Is(err, want) {
		s.t.Errorf("got %v, want %v", err, want)
	}
}

// did is what the audit lines say was done.
func (s *stage) did() (out []string) {
	for _, d := range s.deeds {
		out = append(out, d.By+" "+d.Action+" "+d.Subject)
	}
	s.deeds = nil
	return out
}

func TestRoles(t *testing.T) {
	f := func(have, need people.Role, want bool) {
		t.Helper()
		if have.May(need) != want {
			t.Errorf("%q may what %q may: %v", have, need, !want)
		}
	}
	f(people.Viewer, people.Viewer, true)
	f(people.Viewer, people.Analyst, false)
	f(people.Responder, people.Analyst, true)
	f(people.Admin, people.Responder, true)
	f("", people.Viewer, false)
	f("root", people.Viewer, false)
	f(people.Admin, "", false) // what nobody has said a role for
	f("", "", false)
}

func TestUserName(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		got, err := people.UserName(in)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q gives %q, %v", in, got, err)
		}
	}
	f("Alice", "alice")
	f(" bob@example.com ", "bob@example.com")
	f("a+b.c-d_e", "a+b.c-d_e")
	f(strings.Repeat("a", 64), strings.Repeat("a", 64))
	f(strings.Repeat("a", 65), "")
	f("", "")
	f(".a", "")
	f("a b", "")
	f("a/b", "")
	f("а", "") // a Cyrillic one that looks like a Latin one
	f("LOCAL", "")
}

func TestSignIn(t *testing.T) {
	s := open(t)
	s.add("alice", people.Analyst, "2", "1", "2")
	secret, w := s.enter("ALICE")
	if w.User != "alice" || w.Role != people.Analyst || !slices.Equal(w.Accounts, []string{"1", "2"}) || w.Via != people.ViaSession {
		t.Errorf("%+v", w)
	}
	if again, _ := s.enter("alice"); again == secret {
		t.Error("two sessions have the same secret")
	}
	f := func(name, password string) {
		t.Helper()
		if secret, err := s.SignIn(t.Context(), name, password, here); !errors.Is(err, people.ErrWrong) || secret != "" || err.Error() != people.ErrWrong.Error() {
			t.Errorf("%q, %q: %q, %v", name, password, secret, err)
		}
	}
	f("alice", good+"x")
	f("alice", "")
	f("nobody", good)
	f("", good)
	f("local", good)
	f("' or 1=1", good)
	f("alice", strings.Repeat(good, 1000))
	for _, bad := range []string{"", "x", people.HashOf(secret).String(), strings.ToLower(secret)} {
		s.gone("a secret that is none", bad)
	}
}

// TestWhoHasNoPassword: nobody comes in by a password that was never set.
func TestWhoHasNoPassword(t *testing.T) {
	s := open(t)
	if _, err := s.AddUser(t.Context(), people.LocalOwner(), people.NewUser{Name: "alice", Role: people.Admin}); err != nil {
		t.Fatal(err)
	}
	if err := s.store.AddUser(t.Context(), people.User{Name: "bob", Role: people.Admin, Provider: "corp", Subject: "1"}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"alice", "bob"} {
		_, err := s.SignIn(t.Context(), name, "", here)
		s.want(err, people.ErrWrong)
	}
	off := open(t, func(o *people.Options) { o.NoPasswords = true })
	_, err := off.SignIn(t.Context(), "alice", good, here)
	off.want(err, people.ErrSwitched)
}

func TestSessionsEnd(t *testing.T) {
	s := open(t)
	s.add("alice", people.Admin)
	s.add("bob", people.Viewer)
	// By not being used.
	secret, _ := s.enter("bob")
	s.now = s.now.Add(12*time.Hour - time.Second)
	s.known(secret)
	s.now = s.now.Add(12*time.Hour - time.Second)
	s.known(secret)
	s.now = s.now.Add(12 * time.Hour)
	s.gone("idle", secret)
	// By age, however much it is used.
	secret, _ = s.enter("bob")
	for range 7*24 - 1 {
		s.now = s.now.Add(time.Hour)
		s.known(secret)
	}
	s.now = s.now.Add(time.Hour)
	s.gone("old", secret)
	// By signing out, here or everywhere.
	one, w := s.enter("bob")
	two, _ := s.enter("bob")
	s.want(s.SignOut(t.Context(), w, false), nil)
	s.gone("signed out", one)
	three, w := s.enter("bob")
	other, _ := s.enter("alice")
	s.want(s.SignOut(t.Context(), w, true), nil)
	s.gone("signed out elsewhere", two)
	s.gone("signed out everywhere", three)
	s.known(other)
	// By being disabled, and it does not come back.
	secret, w = s.enter("bob")
	yes, no := true, false
	_, err := s.ChangeUser(t.Context(), people.LocalOwner(), "bob", people.UserChange{Disabled: &yes}, nil)
	s.want(err, nil)
	s.gone("disabled", secret)
	if s.Still(t.Context(), w) {
		t.Error("a disabled user may still listen")
	}
	_, err = s.SignIn(t.Context(), "bob", good, here)
	s.want(err, people.ErrWrong)
	_, err = s.ChangeUser(t.Context(), people.LocalOwner(), "bob", people.UserChange{Disabled: &no}, nil)
	s.want(err, nil)
	s.gone("enabled again", secret)
	// By a new password, but for the session that set it.
	one, w = s.enter("bob")
	two, _ = s.enter("bob")
	s.want(s.SetPassword(t.Context(), w, "wrong", "another password", here), people.ErrWrong)
	s.want(s.SetPassword(t.Context(), w, good, "short", here), people.ErrPassword)
	s.want(s.SetPassword(t.Context(), w, good, "another password", here), nil)
	s.known(one)
	s.gone("made with the former password", two)
	_, err = s.SignIn(t.Context(), "bob", good, here)
	s.want(err, people.ErrWrong)
	// By the user's end.
	s.want(s.RemoveUser(t.Context(), people.LocalOwner(), "bob"), nil)
	s.gone("removed", one)
}

// TestRightsNow: what a session may is what its user may now.
func TestRightsNow(t *testing.T) {
	s := open(t)
	s.add("alice", people.Admin)
	s.add("bob", people.Admin)
	secret, w := s.enter("bob")
	role, accounts := people.Viewer, []string{"1"}
	told := false
	forget := s.OnEnd(func() { told = true })
	_, err := s.ChangeUser(t.Context(), people.LocalOwner(), "bob", people.UserChange{Role: &role, Accounts: &accounts}, nil)
	s.want(err, nil)
	forget()
	if now := s.known(secret); now.Role != people.Viewer || !now.Limited() || now.Sees("2") {
		t.Errorf("%+v", now)
	}
	if s.Still(t.Context(), w) || !told {
		t.Error("who may less goes on listening")
	}
}

// TestBruteForce: neither one user from many addresses nor many users from one
// address can be guessed at for long, and it is soon forgotten.
func TestBruteForce(t *testing.T) {
	s := open(t)
	s.add("alice", people.Admin)
	s.add("bob", people.Admin)
	try := func(name, password, address string) error {
		_, err := s.SignIn(t.Context(), name, password, people.Origin{Address: address})
		return err
	}
	refused := func(name, password, address string) *people.Wait {
		t.Helper()
		var w *people.Wait
		if err := try(name, password, address); !errors.As(err, &w) {
			t.Fatalf("%s from %s: %v", name, address, err)
		}
		return w
	}
	for i := range 10 {
		s.want(try("alice", "wrong", fmt.Sprintf("203.0.113.%d", i)), people.ErrWrong)
	}
	w := refused("alice", good, "203.0.113.99") // even with the right one
	if w.For <= 0 || w.For > time.Minute {
		t.Errorf("wait %s", w.For)
	}
	s.want(try("bob", good, "203.0.113.99"), nil)
	s.now = s.now.Add(w.For)
	s.want(try("alice", good, "203.0.113.99"), nil)
	// Who has signed in starts anew.
	for range 9 {
		s.want(try("alice", "wrong", "198.51.100.1"), people.ErrWrong)
	}
	// One address, many users, and a password of its own in between.
	for i := range 15 {
		s.want(try(fmt.Sprint("user", i), "wrong", "2001:db8::1"), people.ErrWrong)
		s.want(try(fmt.Sprint("other", i), "wrong", fmt.Sprintf("2001:db8::%d", i)), people.ErrWrong)
		if i < 14 {
			s.want(try("bob", good, "2001:db8::2"), nil)
		}
	}
	refused("bob", good, "2001:db8::3")
	s.want(try("bob", good, "2001:db8:0:1::3"), nil) // of another network
	s.now = s.now.Add(time.Minute)
	s.want(try("bob", good, "2001:db8::3"), nil)
}

func TestGuessingLinks(t *testing.T) {
	s := open(t)
	secret, _, err := s.NewLink(t.Context(), people.LocalOwner(), people.LinkFirst, "")
	s.want(err, nil)
	for i := range 30 {
		_, err := s.FirstAdmin(t.Context(), fmt.Sprint(i), "alice", good, here)
		s.want(err, people.ErrGone)
	}
	var w *people.Wait
	if _, err := s.FirstAdmin(t.Context(), secret, "alice", good, here); !errors.As(err, &w) {
		t.Errorf("after 30 guesses: %v", err)
	}
	if _, err := s.FirstAdmin(t.Context(), secret, "alice", good, people.Origin{Address: "203.0.113.10"}); err != nil {
		t.Error(err)
	}
}

func TestFirstRun(t *testing.T) {
	s := open(t)
	first, err := s.FirstRun(t.Context())
	if err != nil || !first {
		t.Fatal(first, err)
	}
	s.add("viewer", people.Viewer) // does not count
	old, _, err := s.NewLink(t.Context(), people.LocalOwner(), people.LinkFirst, "")
	s.want(err, nil)
	link, _, err := s.NewLink(t.Context(), people.LocalOwner(), people.LinkFirst, "")
	s.want(err, nil)
	f := func(link, name, password string, want error) {
		t.Helper()
		_, err := s.FirstAdmin(t.Context(), link, name, password, here)
		s.want(err, want)
	}
	f(old, "alice", good, people.ErrGone) // the newer one counts
	f("", "alice", good, people.ErrGone)
	f(link, "alice", "short", people.ErrPassword)
	f(link, "alice alice", good, people.ErrName)
	f(link, "viewer", good, people.ErrTaken)
	s.now = s.now.Add(people.FirstRunLasts)
	f(link, "alice", good, people.ErrGone)
	link, _, err = s.NewLink(t.Context(), people.LocalOwner(), people.LinkFirst, "")
	s.want(err, nil)
	secret, err := s.FirstAdmin(t.Context(), link, "Alice", good, here)
	s.want(err, nil)
	if w := s.known(secret); w.User != "alice" || w.Role != people.Admin {
		t.Errorf("%+v", w)
	}
	f(link, "mallory", good, people.ErrGone)
	// A link that is left over makes no second first admin.
	link, _, err = s.NewLink(t.Context(), people.LocalOwner(), people.LinkFirst, "")
	s.want(err, nil)
	f(link, "mallory", good, people.ErrSetUp)
	if first, err := s.FirstRun(t.Context()); first || err != nil {
		t.Error(first, err)
	}
}

func TestLinks(t *testing.T) {
	s := open(t)
	s.add("alice", people.Admin)
	s.add("bob", people.Viewer)
	link := func(kind people.LinkKind) string {
		t.Helper()
		secret, _, err := s.NewLink(t.Context(), people.LocalOwner(), kind, "bob")
		s.want(err, nil)
		return secret
	}
	enter := func(link, password string, want error) string {
		t.Helper()
		secret, err := s.Enter(t.Context(), link, password, here)
		s.want(err, want)
		return secret
	}
	one := link(people.LinkSignIn)
	before := enter(one, "", nil)
	if w := s.known(before); w.User != "bob" {
		t.Errorf("%+v", w)
	}
	enter(one, "", people.ErrGone)
	late := link(people.LinkSignIn)
	s.now = s.now.Add(people.SignInLasts)
	enter(late, "", people.ErrGone)
	set := link(people.LinkPassword)
	enter(set, "", people.ErrPassword)
	enter(set, "short", people.ErrPassword)
	enter(set, "a quite new one", nil)
	enter(set, "a quite new one", people.ErrGone)
	s.gone("made with the former password", before)
	_, err := s.SignIn(t.Context(), "bob", "a quite new one", here)
	s.want(err, nil)
	first, _, err := s.NewLink(t.Context(), people.LocalOwner(), people.LinkFirst, "")
	s.want(err, nil)
	enter(first, good, people.ErrGone) // is no way in for users there are
	_, err = s.FirstAdmin(t.Context(), link(people.LinkSignIn), "mallory", good, here)
	s.want(err, people.ErrGone)
	// Of those whose user is disabled, or gone.
	mine := link(people.LinkSignIn)
	yes := true
	_, err = s.ChangeUser(t.Context(), people.LocalOwner(), "bob", people.UserChange{Disabled: &yes}, nil)
	s.want(err, nil)
	enter(mine, "", people.ErrGone)
	_, _, err = s.NewLink(t.Context(), people.LocalOwner(), people.LinkSignIn, "nobody")
	s.want(err, people.ErrNotFound)
}

func TestTokens(t *testing.T) {
	s := open(t)
	s.add("alice", people.Admin)
	s.add("bob", people.Analyst, "1", "2")
	_, alice := s.enter("alice")
	_, bob := s.enter("bob")
	f := func(w people.Who, n people.NewToken, want error) (string, people.Token) {
		t.Helper()
		if n.Name == "" {
			n.Name = "ci"
		}
		if n.Expires.IsZero() {
			n.Expires = s.now.Add(time.Hour)
		}
		secret, token, err := s.NewToken(t.Context(), w, n)
		s.want(err, want)
		return secret, token
	}
	f(bob, people.NewToken{Role: people.Responder}, people.ErrTokenMore)
	f(bob, people.NewToken{Accounts: []string{"1", "3"}}, people.ErrTokenMore)
	f(bob, people.NewToken{Expires: s.now}, people.ErrTokenExpires)
	f(bob, people.NewToken{Expires: s.now.Add(people.LongestToken + 1)}, people.ErrTokenExpires)
	f(bob, people.NewToken{Name: strings.Repeat("x", 65)}, people.ErrTokenName)
	f(bob, people.NewToken{Role: "root"}, people.ErrRole)
	secret, token := f(bob, people.NewToken{Role: people.Analyst, Scopes: []string{"search"}}, nil)
	w, err := s.Token(t.Context(), secret)
	s.want(err, nil)
	if w.User != "bob" || w.Role != people.Analyst || !slices.Equal(w.Accounts, []string{"1", "2"}) || w.Token != token.ID || !slices.Equal(w.Scopes, []string{"search"}) || w.By() != "bob (token "+token.ID+")" {
		t.Errorf("%+v", w)
	}
	// It never may more than its user may by now.
	role, accounts := people.Viewer, []string{"2", "3"}
	change := func(c people.UserChange) {
		t.Helper()
		_, err := s.ChangeUser(t.Context(), people.LocalOwner(), "bob", c, nil)
		s.want(err, nil)
	}
	change(people.UserChange{Role: &role, Accounts: &accounts})
	w, err = s.Token(t.Context(), secret)
	s.want(err, nil)
	if w.Role != people.Viewer || !slices.Equal(w.Accounts, []string{"2"}) {
		t.Errorf("%+v", w)
	}
	accounts = []string{"3"}
	change(people.UserChange{Accounts: &accounts})
	if w, err := s.Token(t.Context(), secret); !errors.Is(err, people.ErrNoToken) {
		t.Errorf("a token of accounts that its user has lost: %+v, %v", w, err)
	}
	accounts = nil
	change(people.UserChange{Accounts: &accounts})
	yes, no := true, false
	change(people.UserChange{Disabled: &yes})
	_, err = s.Token(t.Context(), secret)
	s.want(err, people.ErrNoToken)
	change(people.UserChange{Disabled: &no})
	// One sees and removes one's own, and an admin everybody's.
	_, theirs := f(alice, people.NewToken{}, nil)
	mine, err := s.Tokens(t.Context(), bob)
	if s.want(err, nil); len(mine) != 1 {
		t.Errorf("%+v", mine)
	}
	s.want(s.RemoveToken(t.Context(), bob, theirs.ID), people.ErrNoToken)
	all, err := s.Tokens(t.Context(), alice)
	if s.want(err, nil); len(all) != 2 {
		t.Errorf("%+v", all)
	}
	s.now = s.now.Add(time.Hour)
	_, err = s.Token(t.Context(), secret)
	s.want(err, people.ErrNoToken)
	if err == nil || !strings.Contains(err.Error(), "expired on 2026-03-01") {
		t.Errorf("an expired one: %v", err)
	}
	s.want(s.RemoveToken(t.Context(), alice, token.ID), nil)
	for _, bad := range []string{"", "x", token.ID, token.Secret.String(), strings.TrimPrefix(secret, "yagura_")} {
		_, err := s.Token(t.Context(), bad)
		s.want(err, people.ErrNoToken)
	}
	// Those of the machine's owner outlive nobody.
	owner, _ := f(people.LocalOwner(), people.NewToken{Role: people.Admin}, nil)
	w, err = s.Token(t.Context(), owner)
	if s.want(err, nil); w.User != people.Owner || w.Role != people.Admin {
		t.Errorf("%+v", w)
	}
}

func TestUsers(t *testing.T) {
	s := open(t)
	s.add("alice", people.Admin)
	f := func(n people.NewUser, want error) {
		t.Helper()
		_, err := s.AddUser(t.Context(), people.LocalOwner(), n)
		s.want(err, want)
	}
	f(people.NewUser{Name: "Alice"}, people.ErrTaken)
	f(people.NewUser{Name: "local"}, people.ErrName)
	f(people.NewUser{Name: "x", Role: "root"}, people.ErrRole)
	f(people.NewUser{Name: "x", Accounts: []string{""}}, people.ErrAccount)
	f(people.NewUser{Name: "x", Accounts: []string{"a b"}}, people.ErrAccount)
	f(people.NewUser{Name: "x", Password: "elevenchars"}, people.ErrPassword)
	f(people.NewUser{Name: "x", Password: strings.Repeat("x", 1025)}, people.ErrPassword)
	f(people.NewUser{Name: "twelve-chars", Password: "Twelve-Chars"}, people.ErrPassword)
	f(people.NewUser{Name: "x", Password: "パスワードは十二文字以上"}, nil)
	if u, err := s.User(t.Context(), "x"); err != nil || u.Role != people.Viewer {
		t.Errorf("%+v, %v", u, err)
	}
	role, yes := people.Viewer, true
	for _, c := range []people.UserChange{{Role: &role}, {Disabled: &yes}} {
		_, err := s.ChangeUser(t.Context(), people.LocalOwner(), "alice", c, nil)
		s.want(err, people.ErrLastAdmin)
	}
	s.want(s.RemoveUser(t.Context(), people.LocalOwner(), "alice"), people.ErrLastAdmin)
	stale := errors.New("stale")
	_, err := s.ChangeUser(t.Context(), people.LocalOwner(), "x", people.UserChange{Disabled: &yes}, func(u people.User) error {
		if u.Name == "x" && !u.Disabled {
			return stale
		}
		return nil
	})
	s.want(err, stale)
	if u, err := s.User(t.Context(), "x"); err != nil || u.Disabled {
		t.Errorf("%+v, %v", u, err)
	}
	// Whom a provider vouches for is not changed here.
	if err := s.store.AddUser(t.Context(), people.User{Name: "bob", Role: people.Viewer, Provider: "corp", Subject: "1"}); err != nil {
		t.Fatal(err)
	}
	password := good
	for _, c := range []people.UserChange{{Role: &role}, {Password: &password}} {
		_, err := s.ChangeUser(t.Context(), people.LocalOwner(), "bob", c, nil)
		s.want(err, people.ErrForeign)
	}
	_, _, err = s.NewLink(t.Context(), people.LocalOwner(), people.LinkPassword, "bob")
	s.want(err, people.ErrForeign)
}

// TestHashes: hashes that were made with other settings still count, and are
// made anew.
func TestHashes(t *testing.T) {
	s := open(t)
	s.add("alice", people.Admin)
	before, _ := s.User(t.Context(), "alice")
	if !strings.HasPrefix(before.Password, "$argon2id$v=19$m=8,t=1,p=1$") {
		t.Errorf("%q", before.Password)
	}
	harder := people.NewDoor(s.store, people.Options{
		Hashing: people.Hashing{Memory: 16, Time: 2, Threads: 1}, Now: func() time.Time { return noon },
		Audit: func(context.Context, people.Deed) error { return nil },
	})
	for range 2 {
		if _, err := harder.SignIn(t.Context(), "alice", good, here); err != nil {
			t.Fatal(err)
		}
	}
	after, _ := s.User(t.Context(), "alice")
	if !strings.HasPrefix(after.Password, "$argon2id$v=19$m=16,t=2,p=1$") {
		t.Errorf("%q", after.Password)
	}
	s.add("bob", people.Admin)
	s.add("carol", people.Admin)
	b, _ := s.User(t.Context(), "bob")
	c, _ := s.User(t.Context(), "carol")
	if b.Password == c.Password {
		t.Error("two users of the same password have the same hash")
	}
}

// TestUnknownTakesAsLong: how long a refusal takes does not tell who is there.
func TestUnknownTakesAsLong(t *testing.T) {
	s := open(t, func(o *people.Options) { o.Hashing = people.Hashing{Memory: 8 << 10, Time: 2, Threads: 1} })
	s.add("alice", people.Admin)
	if err := s.store.AddUser(t.Context(), people.User{Name: "bob", Role: people.Admin, Provider: "corp", Subject: "1"}); err != nil {
		t.Fatal(err)
	}
	quickest := func(name string) time.Duration {
		t.Helper()
		least := time.Hour
		for i := range 7 {
			began := time.Now()
			_, err := s.SignIn(t.Context(), name, "wrong", people.Origin{Address: fmt.Sprint(name, i)})
			s.want(err, people.ErrWrong)
			least = min(least, time.Since(began))
		}
		return least
	}
	known := quickest("alice")
	for _, name := range []string{"nobody", "bob", "not a name"} {
		// Without a hash it would take a thousandth; the rest is a busy machine.
		if got := quickest(name); got < known/10 {
			t.Errorf("%q is refused after %s, and alice after %s", name, got, known)
		}
	}
}

func TestVisits(t *testing.T) {
	s := open(t)
	s.add("alice", people.Admin)
	secret, _ := s.enter("alice")
	visit := func() time.Time {
		t.Helper()
		s.known(secret)
		u, err := s.User(t.Context(), "alice")
		s.want(err, nil)
		return u.Visit
	}
	if got := visit(); !got.IsZero() {
		t.Errorf("the first visit came after one at %s", got)
	}
	s.now = noon.Add(3 * time.Hour)
	if got := visit(); !got.IsZero() {
		t.Errorf("the same visit came after one at %s", got)
	}
	s.now = noon.Add(10 * time.Hour)
	for range 2 {
		if got := visit(); !got.Equal(noon.Add(3 * time.Hour)) {
			t.Errorf("the last visit was at %s", got)
		}
	}
}

// TestAudit: what changes who may come in is told of, and by whom; secrets never are.
func TestAudit(t *testing.T) {
	s := open(t)
	link, _, err := s.NewLink(t.Context(), people.LocalOwner(), people.LinkFirst, "")
	s.want(err, nil)
	session, err := s.FirstAdmin(t.Context(), link, "alice", good, here)
	s.want(err, nil)
	w := s.known(session)
	_, err = s.AddUser(t.Context(), w, people.NewUser{Name: "bob", Password: good})
	s.want(err, nil)
	token, _, err := s.NewToken(t.Context(), w, people.NewToken{Name: "ci", Expires: noon.Add(time.Hour)})
	s.want(err, nil)
	_, err = s.SignIn(t.Context(), "bob", "wrong", here)
	s.want(err, people.ErrWrong)
	for _, d := range s.deeds {
		for _, secret := range []string{link, session, token, good, "wrong"} {
			if text := d.Text + d.Subject; strings.Contains(text, secret) && !strings.Contains(text, people.ErrWrong.Error()) {
				t.Errorf("%+v tells a secret", d)
			}
		}
	}
	s.want(s.RemoveUser(t.Context(), w, "bob"), nil)
	s.want(s.SignOut(t.Context(), w, true), nil)
	want := []string{
		"local link.make ", "alice user.add alice", "alice session.begin alice", "alice user.add bob", "alice token.make " + tokenID(t, s),
		"bob session.refuse bob", "alice user.remove bob", "alice session.end alice",
	}
	if got := s.did(); !slices.Equal(got, want) {
		t.Errorf("got\n%q, want\n%q", got, want)
	}
	// What cannot be told of is not done unseen.
	boom := errors.New("disk full")
	deaf := people.NewDoor(s.store, people.Options{
		Hashing: people.Hashing{Memory: 8, Time: 1, Threads: 1}, Now: func() time.Time { return noon },
		Audit: func(context.Context, people.Deed) error { return boom },
	})
	_, err = deaf.SignIn(t.Context(), "alice", good, here)
	s.want(err, boom)
}

func tokenID(t *testing.T, s *stage) string {
	t.Helper()
	all, err := s.store.Tokens(t.Context())
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	return all[0].ID
}
