// Package peopletest holds the test that every place to keep people passes.
package peopletest

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/people"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// Test holds a store to the comments of the interfaces. open gives an empty one.
func Test(t *testing.T, open func(t *testing.T) people.Store) {
	for name, test := range map[string]func(*testing.T, people.Store){
		"users": users, "change": change, "last admin": lastAdmin, "sessions": sessions, "sweep": sweep,
		"tokens": tokens, "links": links, "removal": removal, "at once": atOnce,
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			test(t, s)
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func want(t *testing.T, err, wanted error) {
	t.Helper()
	if !errors.Is(err, wanted) {
		t.Errorf("got %v, want %v", err, wanted)
	}
}

func same[T any](t *testing.T, got, want T) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v, want\n%+v", got, want)
	}
}

func user(name string, role people.Role) people.User {
	return people.User{Name: name, Role: role, Made: noon}
}

func names(t *testing.T, s people.Store) (out []string) {
	t.Helper()
	all, err := s.Users(t.Context())
	must(t, err)
	for _, u := range all {
		out = append(out, u.Name)
	}
	return out
}

func users(t *testing.T, s people.Store) {
	same(t, names(t, s), nil)
	full := people.User{
		Name: "carol", FullName: "キャロル <c>", Role: people.Responder, Accounts: []string{"111122223333", "prod"}, Disabled: true,
		Provider: "corp", Subject: "s-1", Language: "ja", Theme: "dark", Made: noon, Seen: noon.Add(time.Hour), Visit: noon.Add(time.Minute),
	}
	local := user("alice", people.Admin)
	local.Password = "$argon2id$"
	must(t, s.AddUser(t.Context(), full))
	must(t, s.AddUser(t.Context(), local))
	must(t, s.AddUser(t.Context(), user("bob", people.Viewer)))
	same(t, names(t, s), []string{"alice", "bob", "carol"})
	for _, u := range []people.User{full, local} {
		got, err := s.User(t.Context(), u.Name)
		must(t, err)
		same(t, got, u)
	}
	got, err := s.UserBySubject(t.Context(), "corp", "s-1")
	must(t, err)
	same(t, got, full)
	for _, x := range [][2]string{{"corp", "s-2"}, {"other", "s-1"}, {"", ""}, {"", "s-1"}} {
		_, err := s.UserBySubject(t.Context(), x[0], x[1])
		want(t, err, people.ErrNotFound)
	}
	_, err = s.User(t.Context(), "nobody")
	want(t, err, people.ErrNotFound)
	want(t, s.AddUser(t.Context(), user("alice", people.Viewer)), people.ErrTaken)
	again := user("carol2", people.Admin)
	again.Provider, again.Subject = "corp", "s-1"
	want(t, s.AddUser(t.Context(), again), people.ErrTaken)
	again.Provider = "other"
	must(t, s.AddUser(t.Context(), again))
	// What callers do with what they got stays with them.
	full.Accounts[0] = "changed"
	kept, err := s.User(t.Context(), "carol")
	must(t, err)
	kept.Accounts[0] = "changed too"
	kept, err = s.User(t.Context(), "carol")
	must(t, err)
	same(t, kept.Accounts, []string{"111122223333", "prod"})
}

func change(t *testing.T, s people.Store) {
	u := user("alice", people.Viewer)
	u.Provider, u.Subject = "corp", "1"
	must(t, s.AddUser(t.Context(), u))
	got, err := s.ChangeUser(t.Context(), "alice", func(u *people.User, _ int) error {
		*u = people.User{Name: "mallory", Role: people.Analyst, Theme: "dark", Provider: "x", Subject: "y", Made: noon.Add(1)}
		return nil
	})
	must(t, err)
	u.Role, u.Theme = people.Analyst, "dark"
	same(t, got, u)
	boom := errors.New("boom")
	_, err = s.ChangeUser(t.Context(), "alice", func(u *people.User, _ int) error { u.Role = people.Admin; return boom })
	want(t, err, boom)
	kept, err := s.User(t.Context(), "alice")
	must(t, err)
	same(t, kept, u)
	_, err = s.ChangeUser(t.Context(), "nobody", func(*people.User, int) error { return nil })
	want(t, err, people.ErrNotFound)
}

func lastAdmin(t *testing.T, s people.Store) {
	for _, u := range []people.User{user("a", people.Admin), user("b", people.Admin), user("c", people.Responder)} {
		must(t, s.AddUser(t.Context(), u))
	}
	others := func(name string, change func(*people.User)) (n int) {
		t.Helper()
		_, err := s.ChangeUser(t.Context(), name, func(u *people.User, admins int) error { n = admins; change(u); return nil })
		must(t, err)
		return n
	}
	same(t, others("a", func(*people.User) {}), 1)
	same(t, others("c", func(*people.User) {}), 2)
	same(t, others("b", func(u *people.User) { u.Disabled = true }), 1)
	same(t, others("a", func(*people.User) {}), 0)
	want(t, s.RemoveUser(t.Context(), "a"), people.ErrLastAdmin)
	same(t, others("b", func(u *people.User) { u.Disabled = false }), 1)
	must(t, s.RemoveUser(t.Context(), "a"))
	must(t, s.RemoveUser(t.Context(), "c"))
	must(t, s.RemoveUser(t.Context(), "b")) // nobody is left who could be kept out
	want(t, s.RemoveUser(t.Context(), "b"), people.ErrNotFound)
}

func session(n int, user string, made, seen time.Time) people.Session {
	return people.Session{ID: people.HashOf(fmt.Sprint(n)), User: user, By: "password", Address: "203.0.113.9", Agent: "ブラウザ", Made: made, Seen: seen}
}

func has(t *testing.T, s people.Store, ns ...int) {
	t.Helper()
	var got []int
	for n := range 10 {
		_, err := s.Session(t.Context(), people.HashOf(fmt.Sprint(n)))
		if err == nil {
			got = append(got, n)
		} else {
			want(t, err, people.ErrNobody)
		}
	}
	if !slices.Equal(got, ns) {
		t.Errorf("there are the sessions %d, want %d", got, ns)
	}
}

func sessions(t *testing.T, s people.Store) {
	x := session(1, "alice", noon, noon)
	must(t, s.AddSession(t.Context(), x))
	got, err := s.Session(t.Context(), x.ID)
	must(t, err)
	same(t, got, x)
	must(t, s.TouchSession(t.Context(), x.ID, noon.Add(time.Minute)))
	x.Seen = noon.Add(time.Minute)
	got, err = s.Session(t.Context(), x.ID)
	must(t, err)
	same(t, got, x)
	for n := 2; n <= 4; n++ {
		must(t, s.AddSession(t.Context(), session(n, "alice", noon, noon)))
	}
	must(t, s.AddSession(t.Context(), session(5, "bob", noon, noon)))
	must(t, s.EndSession(t.Context(), people.HashOf("2")))
	must(t, s.EndSession(t.Context(), people.HashOf("2")))
	must(t, s.TouchSession(t.Context(), people.HashOf("2"), noon))
	has(t, s, 1, 3, 4, 5)
	must(t, s.EndSessions(t.Context(), "alice", people.HashOf("3")))
	has(t, s, 3, 5)
	must(t, s.EndSessions(t.Context(), "alice", people.Hash{}))
	has(t, s, 5)
}

func sweep(t *testing.T, s people.Store) {
	must(t, s.AddSession(t.Context(), session(1, "a", noon, noon.Add(time.Hour))))
	must(t, s.AddSession(t.Context(), session(2, "a", noon.Add(-1e9), noon.Add(time.Hour))))
	must(t, s.AddSession(t.Context(), session(3, "a", noon, noon.Add(time.Hour-1e9))))
	for i, at := range []time.Time{noon, noon.Add(-1e9)} {
		must(t, s.AddToken(t.Context(), people.Token{ID: fmt.Sprint(i), Secret: people.HashOf(fmt.Sprint(i)), User: "a", Made: noon, Expires: at}))
		must(t, s.AddLink(t.Context(), people.Link{Secret: people.HashOf(fmt.Sprint(i)), Kind: people.LinkSignIn, User: "a", Expires: at}))
	}
	must(t, s.Sweep(t.Context(), noon, noon.Add(time.Hour), noon))
	has(t, s, 1)
	left, err := s.Tokens(t.Context())
	must(t, err)
	if len(left) != 1 || left[0].ID != "0" {
		t.Errorf("%+v is left", left)
	}
	if _, err := s.Link(t.Context(), people.HashOf("0"), noon.Add(-time.Minute)); err != nil {
		t.Errorf("the link that is still kept: %v", err)
	}
	_, err = s.Link(t.Context(), people.HashOf("1"), noon.Add(-time.Minute))
	want(t, err, people.ErrGone)
}

func tokens(t *testing.T, s people.Store) {
	a := people.Token{
		ID: "aaa", Secret: people.HashOf("a"), Name: "次の", User: "alice", Role: people.Analyst, Accounts: []string{"1"}, Scopes: []string{"search", "triage"},
		Made: noon, Expires: noon.Add(time.Hour),
	}
	b := people.Token{ID: "bbb", Secret: people.HashOf("b"), User: "bob", Role: people.Viewer, Made: noon.Add(time.Second), Expires: noon.Add(time.Minute)}
	must(t, s.AddToken(t.Context(), a))
	must(t, s.AddToken(t.Context(), b))
	all, err := s.Tokens(t.Context())
	must(t, err)
	same(t, all, []people.Token{b, a})
	got, err := s.TokenOf(t.Context(), people.HashOf("a"))
	must(t, err)
	same(t, got, a)
	_, err = s.TokenOf(t.Context(), people.HashOf("c"))
	want(t, err, people.ErrNoToken)
	must(t, s.TouchToken(t.Context(), "aaa", noon.Add(time.Minute)))
	must(t, s.TouchToken(t.Context(), "gone", noon))
	got, err = s.TokenOf(t.Context(), people.HashOf("a"))
	must(t, err)
	a.Used = noon.Add(time.Minute)
	same(t, got, a)
	must(t, s.RemoveToken(t.Context(), "aaa"))
	want(t, s.RemoveToken(t.Context(), "aaa"), people.ErrNoToken)
	_, err = s.TokenOf(t.Context(), people.HashOf("a"))
	want(t, err, people.ErrNoToken)
}

func links(t *testing.T, s people.Store) {
	first := people.Link{Secret: people.HashOf("1"), Kind: people.LinkFirst, By: people.Owner, Expires: noon.Add(time.Hour)}
	must(t, s.AddLink(t.Context(), first))
	got, err := s.Link(t.Context(), first.Secret, noon)
	must(t, err)
	same(t, got, first)
	_, err = s.Link(t.Context(), first.Secret, first.Expires)
	want(t, err, people.ErrGone)
	_, err = s.TakeLink(t.Context(), first.Secret, first.Expires)
	want(t, err, people.ErrGone)
	mine := people.Link{Secret: people.HashOf("2"), Kind: people.LinkPassword, User: "alice", By: "bob", Expires: noon.Add(time.Hour)}
	must(t, s.AddLink(t.Context(), mine))
	second := people.Link{Secret: people.HashOf("3"), Kind: people.LinkFirst, Expires: noon.Add(time.Hour)}
	must(t, s.AddLink(t.Context(), second))
	_, err = s.Link(t.Context(), first.Secret, noon)
	want(t, err, people.ErrGone) // there is one of that kind
	got, err = s.TakeLink(t.Context(), mine.Secret, noon)
	must(t, err)
	same(t, got, mine)
	for _, secret := range []people.Hash{mine.Secret, people.HashOf("never")} {
		_, err = s.TakeLink(t.Context(), secret, noon)
		want(t, err, people.ErrGone)
	}
	_, err = s.Link(t.Context(), second.Secret, noon)
	must(t, err)
}

func removal(t *testing.T, s people.Store) {
	for _, name := range []string{"alice", "bob"} {
		must(t, s.AddUser(t.Context(), user(name, people.Viewer)))
		must(t, s.AddToken(t.Context(), people.Token{ID: name, Secret: people.HashOf(name), User: name, Made: noon, Expires: noon.Add(time.Hour)}))
		must(t, s.AddLink(t.Context(), people.Link{Secret: people.HashOf(name), Kind: people.LinkSignIn, User: name, Expires: noon.Add(time.Hour)}))
	}
	must(t, s.AddSession(t.Context(), session(1, "alice", noon, noon)))
	must(t, s.AddSession(t.Context(), session(2, "bob", noon, noon)))
	must(t, s.RemoveUser(t.Context(), "alice"))
	has(t, s, 2)
	_, err := s.TokenOf(t.Context(), people.HashOf("alice"))
	want(t, err, people.ErrNoToken)
	_, err = s.Link(t.Context(), people.HashOf("alice"), noon)
	want(t, err, people.ErrGone)
	_, err = s.TokenOf(t.Context(), people.HashOf("bob"))
	must(t, err)
	_, err = s.Link(t.Context(), people.HashOf("bob"), noon)
	must(t, err)
}

// atOnce: of many callers one gets a link, and no change of a user is lost.
func atOnce(t *testing.T, s people.Store) {
	must(t, s.AddUser(t.Context(), user("alice", people.Viewer)))
	must(t, s.AddLink(t.Context(), people.Link{Secret: people.HashOf("x"), Kind: people.LinkSignIn, User: "alice", Expires: noon.Add(time.Hour)}))
	var took, added atomic.Int32
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			if _, err := s.TakeLink(t.Context(), people.HashOf("x"), noon); err == nil {
				took.Add(1)
			} else if !errors.Is(err, people.ErrGone) {
				t.Error(err)
			}
			if _, err := s.ChangeUser(t.Context(), "alice", func(u *people.User, _ int) error { u.FullName += "x"; return nil }); err != nil {
				t.Error(err)
			}
			if err := s.AddUser(t.Context(), user("bob", people.Viewer)); err == nil {
				added.Add(1)
			} else if !errors.Is(err, people.ErrTaken) {
				t.Error(i, err)
			}
		})
	}
	wg.Wait()
	u, err := s.User(t.Context(), "alice")
	must(t, err)
	if took.Load() != 1 || added.Load() != 1 || u.FullName != "xxxxxxxx" {
		t.Errorf("%d took the link, %d added bob, alice is %q", took.Load(), added.Load(), u.FullName)
	}
}
