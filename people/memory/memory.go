// Package memory keeps people in memory, for tests and for trying out.
package memory

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/yagura-sec/yagura/people"
)

// Store is a people.Store. The zero Store is empty and ready.
type Store struct {
	mu       sync.Mutex // guards everything below
	users    []people.User
	sessions map[people.Hash]people.Session
	tokens   []people.Token
	links    map[people.Hash]people.Link
}

var _ people.Store = (*Store)(nil)

// Users implements people.Users.
func (s *Store) Users(context.Context) ([]people.User, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]people.User, len(s.users))
	for i, u := range s.users {
		out[i] = u.Clone()
	}
	slices.SortFunc(out, func(a, b people.User) int { return cmp.Compare(a.Name, b.Name) })
	return out, nil
}

// find gives the place of the user that is, or -1.
func (s *Store) find(is func(u people.User) bool) int { return slices.IndexFunc(s.users, is) }

func named(name string) func(people.User) bool {
	return func(u people.User) bool { return u.Name == name }
}

func known(provider, subject string) func(people.User) bool {
	return func(u people.User) bool {
		return provider != "" && u.Provider == provider && u.Subject == subject
	}
}

func (s *Store) user(is func(u people.User) bool) (people.User, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := s.find(is); i >= 0 {
		return s.users[i].Clone(), nil
	}
	return people.User{}, people.ErrNotFound
}

// User implements people.Users.
func (s *Store) User(_ context.Context, name string) (people.User, error) {
	return s.user(named(name))
}

// UserBySubject implements people.Users.
func (s *Store) UserBySubject(_ context.Context, provider, subject string) (people.User, error) {
	return s.user(known(provider, subject))
}

// AddUser implements people.Users.
func (s *Store) AddUser(_ context.Context, u people.User) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.find(named(u.Name)) >= 0 || s.find(known(u.Provider, u.Subject)) >= 0 {
		return people.ErrTaken
	}
	s.users = append(s.users, u.Clone())
	return nil
}

// admins counts those but for the one at i.
func (s *Store) admins(i int) (n int) {
	for j := range s.users {
		if j != i && s.users[j].Admin() {
			n++
		}
	}
	return n
}

// ChangeUser implements people.Users.
func (s *Store) ChangeUser(_ context.Context, name string, change func(*people.User, int) error) (people.User, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.find(named(name))
	if i < 0 {
		return people.User{}, people.ErrNotFound
	}
	was := s.users[i]
	u := was.Clone()
	if err := change(&u, s.admins(i)); err != nil {
		return people.User{}, err
	}
	u.Name, u.Made, u.Provider, u.Subject = was.Name, was.Made, was.Provider, was.Subject
	s.users[i] = u.Clone()
	return u, nil
}

// RemoveUser implements people.Users.
func (s *Store) RemoveUser(_ context.Context, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.find(named(name))
	if i < 0 {
		return people.ErrNotFound
	}
	if s.users[i].Admin() && s.admins(i) == 0 && len(s.users) > 1 {
		return people.ErrLastAdmin
	}
	s.users = slices.Delete(s.users, i, i+1)
	s.endSessions(func(x people.Session) bool { return x.User == name })
	s.tokens = slices.DeleteFunc(s.tokens, func(t people.Token) bool { return t.User == name })
	for k, l := range s.links {
		if l.User == name {
			delete(s.links, k)
		}
	}
	return nil
}

func (s *Store) endSessions(which func(people.Session) bool) {
	for k, x := range s.sessions {
		if which(x) {
			delete(s.sessions, k)
		}
	}
}

// AddSession implements people.Sessions.
func (s *Store) AddSession(_ context.Context, x people.Session) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sessions == nil {
		s.sessions = map[people.Hash]people.Session{}
	}
	s.sessions[x.ID] = x
	return nil
}

// Session implements people.Sessions.
func (s *Store) Session(_ context.Context, id people.Hash) (people.Session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if x, ok := s.sessions[id]; ok {
		return x, nil
	}
	return people.Session{}, people.ErrNobody
}

// TouchSession implements people.Sessions.
func (s *Store) TouchSession(_ context.Context, id people.Hash, seen time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if x, ok := s.sessions[id]; ok {
		x.Seen = seen
		s.sessions[id] = x
	}
	return nil
}

// EndSessions implements people.Sessions.
func (s *Store) EndSessions(_ context.Context, user string, keep people.Hash) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endSessions(func(x people.Session) bool { return x.User == user && x.ID != keep })
	return nil
}

// EndSession implements people.Sessions.
func (s *Store) EndSession(_ context.Context, id people.Hash) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sessions, id)
	return nil
}

// Sweep implements people.Sessions.
func (s *Store) Sweep(_ context.Context, made, seen, expired time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endSessions(func(x people.Session) bool { return x.Made.Before(made) || x.Seen.Before(seen) })
	s.tokens = slices.DeleteFunc(s.tokens, func(t people.Token) bool { return t.Expires.Before(expired) })
	for k, l := range s.links {
		if l.Expires.Before(expired) {
			delete(s.links, k)
		}
	}
	return nil
}

// AddToken implements people.Tokens.
func (s *Store) AddToken(_ context.Context, t people.Token) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens = append(s.tokens, copied(t))
	return nil
}

func copied(t people.Token) people.Token {
	t.Accounts, t.Scopes = slices.Clone(t.Accounts), slices.Clone(t.Scopes)
	return t
}

// Tokens implements people.Tokens.
func (s *Store) Tokens(context.Context) ([]people.Token, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []people.Token
	for _, t := range s.tokens {
		out = append(out, copied(t))
	}
	slices.SortFunc(out, func(a, b people.Token) int {
		return cmp.Or(b.Made.Compare(a.Made), cmp.Compare(a.ID, b.ID))
	})
	return out, nil
}

// TokenOf implements people.Tokens.
func (s *Store) TokenOf(_ context.Context, secret people.Hash) (people.Token, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.tokens {
		if t.Secret == secret {
			return copied(t), nil
		}
	}
	return people.Token{}, people.ErrNoToken
}

// TouchToken implements people.Tokens.
func (s *Store) TouchToken(_ context.Context, id string, used time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.tokens {
		if s.tokens[i].ID == id {
			s.tokens[i].Used = used
		}
	}
	return nil
}

// RemoveToken implements people.Tokens.
func (s *Store) RemoveToken(_ context.Context, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := len(s.tokens)
	s.tokens = slices.DeleteFunc(s.tokens, func(t people.Token) bool { return t.ID == id })
	if len(s.tokens) == before {
		return people.ErrNoToken
	}
	return nil
}

// AddLink implements people.Links.
func (s *Store) AddLink(_ context.Context, l people.Link) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.links == nil {
		s.links = map[people.Hash]people.Link{}
	}
	for k, other := range s.links {
		if l.Kind == people.LinkFirst && other.Kind == people.LinkFirst {
			delete(s.links, k)
		}
	}
	s.links[l.Secret] = l
	return nil
}

// Link implements people.Links.
func (s *Store) Link(_ context.Context, secret people.Hash, now time.Time) (people.Link, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.link(secret, now)
}

func (s *Store) link(secret people.Hash, now time.Time) (people.Link, error) {
	l, ok := s.links[secret]
	if !ok || !l.Expires.After(now) {
		return people.Link{}, people.ErrGone
	}
	return l, nil
}

// TakeLink implements people.Links.
func (s *Store) TakeLink(_ context.Context, secret people.Hash, now time.Time) (people.Link, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l, err := s.link(secret, now)
	if err == nil {
		delete(s.links, secret)
	}
	return l, err
}

// Close does nothing.
func (s *Store) Close() error { return nil }
