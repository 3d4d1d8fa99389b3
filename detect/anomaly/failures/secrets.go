package failures

import (
	"maps"
	"math"
	"slices"

	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
)

func log10(x float64) float64 { return math.Log10(x) }

// hammer is what strangers to a secret were denied of it in an hour.
type hammer struct {
	calls int
	most  *denied // whose share is the largest
	share int     // of calls
	all   []*denied
}

// strangers is by secret what was denied to principals that were never given it.
func (s *sign) strangers(all []*denied) map[int32]*hammer {
	out := map[int32]*hammer{}
	for _, d := range all {
		given, refused := recall(&s.known.given, d.who), recall(&s.known.denied, d.who)
		for _, x := range d.secrets {
			if has(given, uint32(x)) || known(refused, uint32(x), s.today()) {
				continue
			}
			r := out[x]
			if r == nil {
				r = &hammer{}
				out[x] = r
			}
			n := d.perSecret[x]
			r.calls += n
			r.all = append(r.all, d)
			if r.most == nil || n > r.share {
				r.most, r.share = d, n
			}
		}
	}
	return out
}

// judgeSecrets judges each secret that strangers were denied.
func (s *sign) judgeSecrets(day *watch.Day, i int, all []*denied) []watch.Alarm {
	var out []watch.Alarm
	by := s.strangers(all)
	for _, x := range slices.Sorted(maps.Keys(by)) {
		r := by[x]
		u := s.refused.Usual(x, 0)
		score := u.Score(r.calls)
		granted := slices.Contains(r.most.granted, x)
		if granted {
			score += min(1.5, -log10((1+s.grants[1])/(1+s.grants[0]+s.grants[1])))
		}
		if score < watch.Floor {
			continue
		}
		a := watch.Alarm{
			Sign: finding.SignFailures, Class: "failures/secret", Secret: x, Actor: r.most.actor, Person: r.most.who.person,
			Account: r.most.account, Caller: r.most.caller, Region: r.most.region, Score: score, Trials: 24,
			Count: int64(r.calls), Severity: finding.Medium, Days: s.refused.Days(), Calls: int64(u.Occasions), Mature: s.mature(),
			Where: watch.Where{
				Actor: actorUID(day.Names, r.most.actor), Person: r.most.who.person, Secrets: uids(day.Names, []int32{x}),
				Outcomes: []event.Outcome{event.Denied, event.AuthFailed},
			},
		}
		for _, d := range r.all {
			if a.First.IsZero() || d.first.Before(a.First) {
				a.First = d.first
			}
			if d.last.After(a.Last) {
				a.Last = d.last
			}
		}
		if granted {
			a.Severity = finding.High
			a.Where.Outcomes = append(a.Where.Outcomes, event.Success)
		}
		if many := len(r.all) > 1 && 5*r.share < 4*r.calls; many {
			a.Actor, a.Person, a.Where.Actor, a.Where.Person = -1, "", "", ""
		}
		if !s.opt.NoContext {
			a.Context = s.context(day, i, r.most)
		}
		a.Tell = func() watch.Told { return s.tellSecret(day, x, r, score) }
		out = append(out, a)
	}
	return out
}
