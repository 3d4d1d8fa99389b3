package region

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/detect/anomaly/novelty"
	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/internal/instant"
)

// context is what in the log accounts for a use abroad.
func (s *Sign) context(day *watch.Day, i int, today uint16, group []found) []finding.Explanation {
	if s.o.NoContext {
		return nil
	}
	var list []finding.Explanation
	for _, text := range []struct{ id, text string }{
		{"replica", s.replicated(day, i, group)},
		{"moved", s.followed(day, i, today, group)},
	} {
		if text.text != "" {
			list = append(list, finding.Explanation{Kind: "context", ID: text.id, Text: text.text})
		}
	}
	return list
}

// replicated says that replicas of all the secrets were declared in the region,
// and that usual readers use them.
func (s *Sign) replicated(day *watch.Day, i int, group []found) string {
	var at time.Time
	for k := range group {
		f := &group[k]
		if who := int(f.kind) % nearActors; who != local && who != visitor {
			return ""
		}
		sec := &day.Names.Secrets[f.place.secret]
		when, there := sec.Replicas[f.region]
		ok := s.declared[f.place.secret]&(1<<s.numbered(f.region)) != 0 || there && when.AddDate(0, 0, settle).Before(f.first)
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
			return ""
		}
		at = instant.Later(at, when)
	}
	if at.IsZero() {
		return "a replica is declared in " + group[0].region + " and used by its usual readers"
	}
	return fmt.Sprintf("a replica is declared in %s since %s and used by its usual readers", group[0].region, at.UTC().Format("2 January 2006"))
}

// followed says that usual readers came to a region in which build services had
// built before: a move, or a test of the plan for disasters.
func (s *Sign) followed(day *watch.Day, i int, today uint16, group []found) string {
	top := &group[0]
	for k := range group {
		if who := int(group[k].kind) % nearActors; who != local && who != visitor {
			return ""
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
		return ""
	}
	return fmt.Sprintf("%s built or deployed %s in %s since %s, and usual readers followed", by, plural(len(built), "thing"), top.region, first.UTC().Format("2 January 15:04 UTC"))
}

func (s *Sign) tell(day *watch.Day, today uint16, group []found) watch.Told {
	names, top := day.Names, &group[0]
	sec, who, h := &names.Secrets[top.place.secret], &names.Actors[top.place.actor], s.secret(top.place.secret)
	what := sec.Name
	if len(group) > 1 {
		what = fmt.Sprintf("%s and %d more", sec.Name, len(group)-1)
	}
	read := "read"
	if sec.Key {
		read = "used"
	}
	outcome := ""
	if !top.got {
		outcome = " (without success)"
	}
	told := watch.Told{
		Title:  fmt.Sprintf("%s is %s in %s for the first time", what, read, top.region),
		Attack: []string{"T1555.006", "T1078.004", "T1535"},
		Unseen: []string{"no use of it is known from before " + novelty.DateOf(h.first).Format("2 January 2006")},
	}
	told.Reasons = append(told.Reasons, finding.Reason{Kind: "region", Observed: top.region, Expected: s.usual(sec, h),
		Text: fmt.Sprintf("%s (%s) was %s from %s for the first time by %s at %s UTC%s: about %.0f calls lately, in %d days, were all in %s.",
			sec.Name, sec.Region, read, top.region, who.Name, top.first.UTC().Format("15:04"), outcome, h.calls, int(today)-int(h.first), s.usual(sec, h))})
	told.Reasons = append(told.Reasons, finding.Reason{Kind: "account", Text: s.accountSentence(names, top, sec, today)})
	told.Reasons = append(told.Reasons, finding.Reason{Kind: "principal", Text: s.actorSentence(top, who)})
	if len(group) > 1 {
		told.Reasons = append(told.Reasons, finding.Reason{Kind: "several", Text: fmt.Sprintf("%d secrets were %s there in that hour by %s.", len(group), read, who.Name)})
	}
	if s.account(top.acct).find(s.numbered(top.region)) == nil {
		told.Unseen = append(told.Unseen, "no record of "+top.region+" in this account before: whether its log was collected then is not known")
	}
	from, to := top.first.Add(-time.Hour).UTC().Format(time.RFC3339), top.last.Add(time.Hour).UTC().Format(time.RFC3339)
	told.Next = []string{fmt.Sprintf("yagura search 'actor_uid:\"%s\" region:%s' --since %s --until %s", who.UID, top.region, from, to)}
	told.Next = append(told.Next, novelty.Next(sec)...)
	for d := max(int(today)-13, int(h.first)); d < int(today); d++ {
		told.Series = append(told.Series, finding.Point{Time: novelty.DateOf(uint16(d))})
	}
	told.Series = append(told.Series, finding.Point{Time: day.Start, Seen: float64(top.count)})
	return told
}

// usual names the regions the secret is usually used in.
func (s *Sign) usual(sec *watch.Secret, h *held) string {
	list := []string{sec.Region}
	for i := range h.items {
		it := &h.items[i]
		if (it.state == known || it.state == founding) && it.region < 62 && !slices.Contains(list, s.regions[it.region]) {
			list = append(list, s.regions[it.region])
		}
	}
	return strings.Join(list, " and ")
}

func (s *Sign) accountSentence(names *watch.Names, top *found, sec *watch.Secret, today uint16) string {
	replica := "No replica is declared there"
	if _, ok := sec.Replicas[top.region]; ok || s.declared[top.place.secret]&(1<<s.numbered(top.region)) != 0 {
		replica = "A replica is declared there"
	}
	account := sec.Account
	if top.acct >= 0 {
		account = names.Accounts[top.acct]
	}
	p := s.account(top.acct).find(s.numbered(top.region))
	switch {
	case p == nil:
		return fmt.Sprintf("%s; account %s never called in %s.", replica, account, top.region)
	case today > p.last+dormant:
		return fmt.Sprintf("%s; account %s had no calls in %s for %d days.", replica, account, top.region, today-p.last)
	}
	return fmt.Sprintf("%s; account %s called in %s on %d days since %s.", replica, account, top.region, p.days, novelty.DateOf(p.first).Format("2 January"))
}

func (s *Sign) actorSentence(top *found, who *watch.Actor) string {
	switch int(top.kind) % nearActors {
	case local:
		return fmt.Sprintf("%s usually reads it or its family, and is at work in %s.", who.Name, top.region)
	case visitor:
		return fmt.Sprintf("%s usually reads it, never in %s.", who.Name, top.region)
	case human:
		return fmt.Sprintf("It was a person, as %s.", who.Name)
	case other:
		return fmt.Sprintf("It was %s, %s.", novelty.A(top.caller), who.Name)
	}
	return fmt.Sprintf("%s never read it before.", who.Name)
}
