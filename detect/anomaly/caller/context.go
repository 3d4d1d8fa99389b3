package caller

import (
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/detect/anomaly/novelty"
	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/say"
)

// Contexts, as ids of explanations.
const (
	contextBuilt    = "built"    // the role or its program was made beforehand
	contextRotation = "rotation" // the reader rotates the secret
	contextNew      = "newcomer" // the person is new
)

// context is what in the log accounts for the novelties.
func (s *Sign) context(day *watch.Day, i int, group []found) []finding.Explanation {
	if s.o.NoContext {
		return nil
	}
	var list []finding.Explanation
	add := func(id string, text say.Text) {
		if text != (say.Text{}) {
			list = append(list, finding.Explanation{Kind: "context", ID: id, Text: text})
		}
	}
	add(contextBuilt, s.built(day, i, group))
	add(contextRotation, s.rotates(day, i, group))
	if top := &group[0]; top.caller == event.CallerPersonCLI {
		name := person(day.Hours[i], top)
		own := !slices.ContainsFunc(group, func(f found) bool {
			role, _ := near(f.kind)
			return role != sameRole && role != relative && role != again
		})
		if since, ok := s.staff.New(name, top.actor, novelty.DayOf(day.Start), own); ok && len(group) <= novelty.Few {
			add(contextNew, say.T("newcomer", say.Values{"who": name, "since": novelty.DateOf(since)}))
		}
	}
	return list
}

// built says who made the role, or deployed the program that bears its name,
// within the last days.
func (s *Sign) built(day *watch.Day, i int, group []found) (text say.Text) {
	names, top := day.Names, &group[0]
	if !novelty.Program(top.caller) {
		return text
	}
	role := &names.Actors[top.actor]
	if h, a := s.secret(top.secret), s.actor(top.actor); a.first > 0 && a.first+novelty.Settle < s.today && a.secrets > 0 && !slices.ContainsFunc(h.items, func(it item) bool { return it.actor == top.actor }) {
		// A role that has long read other secrets was not made for this one.
		if nr, _ := near(top.kind); nr == neighbour || nr == foreigner {
			return text
		}
	}
	words := s.words.Words(role.Name)
	since := top.first.AddDate(0, 0, -7)
	for account, id := range names.Accounts {
		if id != role.Account && id != names.Secrets[top.secret].Account {
			continue
		}
		s.acts.Find(day, i, int32(account), since, func(a *watch.Act) bool {
			if a.First.After(top.first) || !novelty.Builds(a.Caller) || a.Sort != watch.ActBuild && a.Sort != watch.ActDeploy {
				return true
			}
			if !s.serves(a, role.Name, words, top.caller) {
				return true
			}
			text = say.T("caller.built", say.Values{"operation": a.Operation, "resource": novelty.Last(a.Resource), "by": names.Actors[a.Actor].Name, "ago": ago(top.first.Sub(a.First))})
			return false
		})
		if text != (say.Text{}) {
			break
		}
	}
	return text
}

// serves tells whether the act makes or deploys what the role is of: it names
// the role, or it is of the service of such callers and its name is alike.
func (s *Sign) serves(a *watch.Act, role string, words []string, caller event.Caller) bool {
	name := novelty.Last(a.Resource)
	if strings.EqualFold(name, role) || strings.HasSuffix(a.Resource, "/"+role) {
		return true
	}
	if services := homes[caller]; a.Service != "" && !slices.ContainsFunc(services, func(x string) bool { return strings.HasPrefix(a.Service, x) }) {
		return false
	}
	return novelty.Alike(words, s.words.Words(name))
}

// homes are the services in which programs of a kind are made.
var homes = map[event.Caller][]string{
	event.CallerLambda: {"lambda", "iam", "cloudformation"},
	event.CallerECS:    {"ecs", "iam", "cloudformation"},
	event.CallerEC2:    {"ec2", "autoscaling", "iam", "cloudformation"},
	event.CallerEKS:    {"eks", "iam", "cloudformation"},
	event.CallerCI:     {"codebuild", "iam", "cloudformation"},
}

// rotates says that the readers put new values into the secrets they read.
func (s *Sign) rotates(day *watch.Day, i int, group []found) say.Text {
	top := &group[0]
	if watch.Person(top.caller) {
		return say.Text{}
	}
	for k := range group {
		f := &group[k]
		own := false
		for n, id := range day.Names.Accounts {
			if id != day.Names.Secrets[f.secret].Account {
				continue
			}
			s.acts.Find(day, i, int32(n), f.first.Add(-2*time.Hour), func(a *watch.Act) bool {
				own = a.Sort == watch.ActRotate && a.Actor == f.actor && a.Secret >= 0 && s.homes.Of(day.Names, a.Secret) == f.secret
				return !own
			})
		}
		if !own {
			return say.Text{}
		}
	}
	return say.T("caller.rotates", say.Values{"who": day.Names.Actors[top.actor].Name})
}

// ago is a time span in words.
func ago(d time.Duration) say.Text {
	switch {
	case d < 2*time.Minute:
		return say.T("minute", nil)
	case d < 2*time.Hour:
		return say.T("minutes", say.Values{"n": int(d.Minutes())})
	case d < 48*time.Hour:
		return say.T("hours", say.Values{"n": int(d.Hours())})
	}
	return say.T("days", say.Values{"n": int(d.Hours() / 24)})
}
