package group

import (
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/detect/anomaly/novelty"
	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/say"
)

// alike tells whether a resource's name and a role's have a word of five letters
// or more in common, from the beginning.
func alike(resource, role string) bool {
	tail := resource[strings.LastIndexAny(resource, ":/")+1:]
	n := 0
	for n < len(tail) && n < len(role) && tail[n] == role[n] {
		n++
	}
	return n >= 5 || n > 0 && n == min(len(tail), len(role))
}

func names(n *watch.Names, list []int32, most int) []any {
	var out []string
	for _, x := range list {
		out = append(out, n.Secrets[x].Name)
	}
	return say.List(out, most)
}

func actorName(n *watch.Names, a int32) say.Text {
	if strings.Contains(n.Actors[a].UID, ":role/") {
		return say.T("role", say.Values{"name": n.Actors[a].Name})
	}
	return say.Plain(n.Actors[a].Name)
}

// tell is what a person reads of a part of a set.
func (s *sign) tell(day *watch.Day, i int, p *partial, score float64) watch.Told {
	n := day.Names
	missing := minus(p.set.secrets, p.secrets)
	who := actorName(n, p.actor)
	told := watch.Told{Attack: []string{"T1555.006"}}
	told.Title = say.T("group.title", say.Values{"who": who, "n": len(p.secrets), "all": len(p.set.secrets)})
	// The counts are whole starts while nothing was forgotten yet.
	told.Reasons = []finding.Reason{{
		Kind: "group", Observed: share(len(p.secrets), len(p.set.secrets)), Expected: share(len(p.set.secrets), len(p.set.secrets)),
		Text: say.T("group.sentence", say.Values{
			"n": len(p.set.secrets), "set": names(n, p.set.secrets, 4), "whole": p.set.whole, "bursts": p.set.count, "days": p.set.days,
			"at": p.first.UTC(), "read": names(n, p.secrets, 4), "missing": names(n, missing, 4),
		}),
	}}
	if !p.insider {
		told.Reasons = append(told.Reasons, finding.Reason{Kind: "stranger",
			Text: say.T("group.stranger", say.Values{"who": who, "readers": s.readers(n, p.set)})})
	} else if p.bursts > 1 {
		told.Reasons = append(told.Reasons, finding.Reason{Kind: "repeated", Text: say.T("group.repeated", say.Values{"n": p.bursts, "from": p.first.UTC(), "to": p.last.UTC()})})
	}
	rare := say.T("group.rare", say.Values{"n": (priorB + s.whole + s.part) / (0.5 + s.part)})
	if !p.insider {
		rare = say.T("group.rare.stranger", say.Values{"n": 1 / s.chanceStranger()})
	}
	told.Reasons = append(told.Reasons, finding.Reason{Kind: "chance",
		Text: say.T("group.chance", say.Values{"rare": rare, "score": score})})
	told.Series = s.series(day, i, p)
	if s.days < 14 {
		told.Unseen = append(told.Unseen, say.T("group.unseen", say.Values{"n": int(s.days)}))
	}
	told.Next = append(told.Next, watch.Search(p.first, p.last.Add(watchBurst), watch.ByActor(n.Actors[p.actor].UID), anyOf(n, p.secrets)))
	for _, x := range p.secrets[:min(3, len(p.secrets))] {
		if show := novelty.Next(&n.Secrets[x]); len(show) > 0 {
			told.Next = append(told.Next, show[0])
		}
	}
	return told
}

// watchBurst is how long a burst lasts from its first read.
const watchBurst = 5 * time.Minute

func anyOf(n *watch.Names, secrets []int32) query.Expr {
	var out []query.Expr
	for _, x := range secrets[:min(4, len(secrets))] {
		out = append(out, query.Eq{Field: "resource_uid", Value: n.Secrets[x].UID})
	}
	return query.Or{X: out}
}

// readers are three of those who read the set, and how many more do.
func (s *sign) readers(n *watch.Names, x *set) []any {
	var out []any
	for i, a := range x.readers {
		if i == 3 {
			out = append(out, float64(len(x.readers)-3))
			break
		}
		out = append(out, actorName(n, a))
	}
	return out
}

// share is a part of a set in numbers.
func share(n, all int) say.Text { return say.T("group.of", say.Values{"n": n, "all": all}) }

// series is by hour the share of the set that its bursts held.
func (s *sign) series(day *watch.Day, i int, p *partial) []finding.Point {
	var out []finding.Point
	all := float64(len(p.set.secrets))
	for k := max(0, i-23); k <= i; k++ {
		h := day.Hours[k]
		if h == nil {
			continue
		}
		least := -1
		for b := range h.Bursts {
			if held := len(intersection(p.set.secrets, h.Bursts[b].Secrets)); held > 0 && (least < 0 || held < least) &&
				(h.Bursts[b].Actor == p.actor || slices.Contains(p.set.readers, h.Bursts[b].Actor)) {
				least = held
			}
		}
		if least >= 0 {
			out = append(out, finding.Point{Time: h.Start, Seen: float64(least), Expected: all, Low: all, High: all})
		}
	}
	return out
}
