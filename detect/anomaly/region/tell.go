package region

import (
	"slices"
	"time"

	"github.com/yagura-sec/yagura/detect/anomaly/novelty"
	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/internal/instant"
	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/say"
)

// context is what in the log accounts for a use abroad.
func (s *Sign) context(day *watch.Day, i int, today uint16, group []found) []finding.Explanation {
	if s.o.NoContext {
		return nil
	}
	var list []finding.Explanation
	for _, text := range []struct {
		id   string
		text say.Text
	}{
		{"replica", s.replicated(day, i, group)},
		{"moved", s.followed(day, i, today, group)},
	} {
		if text.text != (say.Text{}) {
			list = append(list, finding.Explanation{Kind: "context", ID: text.id, Text: text.text})
		}
	}
	return list
}

// replicated says that replicas of all the secrets were declared in the region,
// and that usual readers use them.
func (s *Sign) replicated(day *watch.Day, i int, group []found) say.Text {
	var at time.Time
	for k := range group {
		f := &group[k]
		if who := int(f.kind) % nearActors; who != local && who != visitor {
			return say.Text{}
		}
		sec := &day.Names.Secrets[f.place.secret]
		when, there := sec.Replicas[f.region]
		ok := s.declared[f.place.secret]&(1<<s.numbered(f.region)) != 0 || there && when.AddDate(0, 0, novelty.Settle).Before(f.first)
		if !ok {
			s.acts.Find(day, i, s.accountOf(day.Names, f.place.secret), f.first.AddDate(0, 0, -7), func(a *watch.Act) bool {
				if a.Sort == watch.ActReplicate && novelty.Builds(a.Caller) && a.Secret >= 0 && s.homes.Of(day.Names, a.Secret) == f.place.secret &&
					!a.First.After(f.first) && (a.Region == f.region || there) {
					ok, when = true, a.First
				}
				return !ok
			})
		}
		if !ok {
			return say.Text{}
		}
		at = instant.Later(at, when)
	}
	if at.IsZero() {
		return say.T("region.replica", say.Values{"region": group[0].region})
	}
	return say.T("region.replica.since", say.Values{"region": group[0].region, "since": at.UTC()})
}

// followed says that usual readers came to a region in which build services had
// built before: a move, or a test of the plan for disasters.
func (s *Sign) followed(day *watch.Day, i int, today uint16, group []found) say.Text {
	top := &group[0]
	for k := range group {
		if who := int(group[k].kind) % nearActors; who != local && who != visitor {
			return say.Text{}
		}
	}
	built := map[string]bool{}
	var by string
	var first time.Time
	for n, id := range day.Names.Accounts {
		if id != day.Names.Actors[top.place.actor].Account && id != day.Names.Secrets[top.place.secret].Account {
			continue
		}
		s.acts.Find(day, i, int32(n), top.first.AddDate(0, 0, -7), func(a *watch.Act) bool {
			if (a.Sort == watch.ActBuild || a.Sort == watch.ActDeploy) && a.Region == top.region && !a.First.After(top.first) &&
				novelty.Builds(a.Caller) {
				built[a.Operation+" "+a.Resource] = true
				by = day.Names.Actors[a.Actor].Name
				if first.IsZero() || a.First.Before(first) {
					first = a.First
				}
			}
			return true
		})
	}
	if len(built) == 0 {
		return say.Text{}
	}
	return say.T("region.followed", say.Values{"by": by, "n": len(built), "region": top.region, "since": first.UTC()})
}

func (s *Sign) tell(day *watch.Day, today uint16, group []found) watch.Told {
	names, top := day.Names, &group[0]
	sec, who, h := &names.Secrets[top.place.secret], &names.Actors[top.place.actor], s.secret(top.place.secret)
	what := say.Plain(sec.Name)
	if len(group) > 1 {
		what = say.T("secrets.more", say.Values{"secret": sec.Name, "n": len(group) - 1})
	}
	var outcome say.Text
	if !top.got {
		outcome = say.T("region.failed", nil)
	}
	told := watch.Told{
		Title:  say.T("region.title", say.Values{"secret": what, "key": sec.Key, "region": top.region}),
		Attack: []string{"T1555.006", "T1078.004", "T1535"},
		Unseen: []say.Text{say.T("unseen.before", say.Values{"date": novelty.DateOf(h.first)})},
	}
	told.Reasons = append(told.Reasons, finding.Reason{Kind: "region", Observed: say.Plain(top.region), Expected: s.usual(sec, h),
		Text: say.T("region.sentence", say.Values{
			"secret": sec.Name, "home": sec.Region, "key": sec.Key, "region": top.region, "who": who.Name, "at": top.first.UTC(), "outcome": outcome,
			"calls": h.calls, "days": int(today) - int(h.first), "usual": s.usual(sec, h),
		})})
	told.Reasons = append(told.Reasons, finding.Reason{Kind: "account", Text: s.accountSentence(names, top, sec, today)})
	told.Reasons = append(told.Reasons, finding.Reason{Kind: "principal", Text: s.actorSentence(top, who)})
	if len(group) > 1 {
		told.Reasons = append(told.Reasons, finding.Reason{Kind: "several", Text: say.T("region.several", say.Values{"n": len(group), "key": sec.Key, "who": who.Name})})
	}
	if s.account(top.acct).find(s.numbered(top.region)) == nil {
		told.Unseen = append(told.Unseen, say.T("region.unseen", say.Values{"region": top.region}))
	}
	told.Next = []string{watch.Search(top.first.Add(-time.Hour), top.last.Add(time.Hour), watch.ByActor(who.UID), query.Eq{Field: "region", Value: top.region})}
	told.Next = append(told.Next, novelty.Next(sec)...)
	for d := max(int(today)-13, int(h.first)); d < int(today); d++ {
		told.Series = append(told.Series, finding.Point{Time: novelty.DateOf(uint16(d))})
	}
	told.Series = append(told.Series, finding.Point{Time: day.Start, Seen: float64(top.count)})
	return told
}

// usual names the regions the secret is usually used in.
func (s *Sign) usual(sec *watch.Secret, h *held) say.Text {
	list := []string{sec.Region}
	for i := range h.items {
		it := &h.items[i]
		if it.Usual() && it.region < 62 && !slices.Contains(list, s.regions[it.region]) {
			list = append(list, s.regions[it.region])
		}
	}
	return say.T("region.usual", say.Values{"regions": list})
}

func (s *Sign) accountSentence(names *watch.Names, top *found, sec *watch.Secret, today uint16) say.Text {
	replica := say.T("region.replica.none", nil)
	if _, ok := sec.Replicas[top.region]; ok || s.declared[top.place.secret]&(1<<s.numbered(top.region)) != 0 {
		replica = say.T("region.replica.there", nil)
	}
	account := sec.Account
	if top.acct >= 0 {
		account = names.Accounts[top.acct]
	}
	p := s.account(top.acct).find(s.numbered(top.region))
	switch {
	case p == nil:
		return say.T("region.account.never", say.Values{"replica": replica, "account": account, "region": top.region})
	case today > p.last+dormant:
		return say.T("region.account.dormant", say.Values{"replica": replica, "account": account, "region": top.region, "days": today - p.last})
	}
	return say.T("region.account.some", say.Values{"replica": replica, "account": account, "region": top.region, "days": int(p.days), "since": novelty.DateOf(p.first)})
}

func (s *Sign) actorSentence(top *found, who *watch.Actor) say.Text {
	switch int(top.kind) % nearActors {
	case local:
		return say.T("region.actor.local", say.Values{"who": who.Name, "region": top.region})
	case visitor:
		return say.T("region.actor.visitor", say.Values{"who": who.Name, "region": top.region})
	case human:
		return say.T("region.actor.person", say.Values{"who": who.Name})
	case other:
		return say.T("region.actor.other", say.Values{"kind": novelty.A(top.caller), "who": who.Name})
	}
	return say.T("region.actor.stranger", say.Values{"who": who.Name})
}
