package evaluate

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

// Slack is how far a sighting may lie outside a label's time.
const Slack = 30 * time.Minute

// matcher holds a label against sightings.
type matcher struct {
	from, until time.Time
	account     string // where nothing else is named
	actors      map[string]bool
	people      map[string]bool
	secrets     map[string]bool
	stripped    map[string]bool // secrets without the provider's suffix
	kinds       []string
}

func newMatcher(l *Label) *matcher {
	m := &matcher{from: l.Start.Add(-Slack), until: l.End.Add(Slack), actors: map[string]bool{}, people: map[string]bool{},
		secrets: map[string]bool{}, stripped: map[string]bool{}, kinds: append(slices.Clone(l.Kinds), l.Kind)}
	if l.Kind == "sign_in" {
		m.kinds = append(m.kinds, "failures") // sign-ins that fail are told of there
	}
	for _, a := range l.Actors {
		m.actors[actorName(a)] = true
	}
	for _, p := range l.People {
		m.people[strings.ToLower(p)] = true
	}
	for _, s := range l.Secrets {
		s = secretName(s)
		m.secrets[s] = true
		if short := suffix.ReplaceAllString(s, ""); short != s {
			m.stripped[short] = true
		}
	}
	if len(l.Actors)+len(l.People)+len(l.Secrets) == 0 {
		m.account = l.Account
	}
	return m
}

// about tells whether the sighting is of the label's time and of its principal,
// person or secret. Where both name a person, a principal that many people share
// does not stand for them.
func (m *matcher) about(s *Sighting) bool {
	if s.First.After(m.until) || s.Last.Before(m.from) {
		return false
	}
	return slices.ContainsFunc(s.Resources, m.secret) || m.principal(s) || m.account != "" && s.Account == m.account
}

func (m *matcher) principal(s *Sighting) bool {
	if s.Person != "" && len(m.people) > 0 {
		return m.people[strings.ToLower(s.Person)]
	}
	return s.Actor != "" && (m.actors[actorName(s.Actor)] || m.actors[lastName(s.Actor)] || m.people[strings.ToLower(s.Actor)])
}

// both tells of a sighting that is about the label whether it has its principal
// or person and its secret right, as far as the label names them.
func (m *matcher) both(s *Sighting) bool {
	return (len(m.actors)+len(m.people) == 0 || m.principal(s)) && (len(m.secrets) == 0 || slices.ContainsFunc(s.Resources, m.secret))
}

// kind tells whether a sign is the label's.
func (m *matcher) kind(sign string) bool { return slices.Contains(m.kinds, sign) }

func (m *matcher) secret(uid string) bool {
	s := secretName(uid)
	if m.secrets[s] || m.stripped[s] || m.secrets[bareName(s)] {
		return true
	}
	short := suffix.ReplaceAllString(s, "")
	return short != s && (m.secrets[short] || m.secrets[bareName(short)])
}

// bareName is what people call a secret, a parameter, a key or a role that has an
// ARN; labels may have only that.
func bareName(uid string) string {
	parts := strings.SplitN(uid, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" {
		return uid
	}
	name := strings.TrimPrefix(parts[5], "secret:")
	for _, sort := range []string{"parameter", "key/", "alias/"} {
		name = strings.TrimPrefix(name, sort)
	}
	return name
}

// suffix is what Secrets Manager puts behind the name of a secret.
var suffix = regexp.MustCompile(`-[A-Za-z0-9]{6}$`)

// secretName is the ARN of a secret without what differs between its replicas
// (the region), or the text as it is.
func secretName(uid string) string {
	parts := strings.SplitN(uid, ":", 6)
	if len(parts) == 6 && parts[0] == "arn" {
		parts[1], parts[3] = "aws", ""
		return strings.Join(parts, ":")
	}
	return uid
}

// lastName is the name of a role or user that has an ARN, as actorName writes what
// has none.
func lastName(uid string) string {
	name := actorName(uid)
	return strings.ToLower(name[strings.LastIndexByte(name, ':')+1:])
}

// actorName is one name for a role and its sessions: account and role name,
// without the path that sessions do not show.
func actorName(uid string) string {
	parts := strings.SplitN(uid, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" {
		return strings.ToLower(uid)
	}
	sort, name, ok := strings.Cut(parts[5], "/")
	if !ok {
		return uid
	}
	switch {
	case parts[2] == "sts" && sort == "assumed-role":
		name, _, _ = strings.Cut(name, "/")
		return parts[4] + ":role:" + name
	case parts[2] == "iam" && (sort == "role" || sort == "user"):
		return parts[4] + ":" + sort + ":" + name[strings.LastIndexByte(name, '/')+1:]
	}
	return uid
}
