package caller

import (
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/yagura-sec/yagura/detect/anomaly/novelty"
	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/say"
)

// teller holds what is said of an alarm.
type teller struct {
	names   *watch.Names
	day     time.Time
	top     found
	secrets []int32
	held    *held
	peers   int // other secrets of the family that have readers
	like    int // of them, how many have callers of that kind
	estate  float64
	reads   int // secrets the actor usually reads
}

func (s *Sign) teller(day *watch.Day, group []found) *teller {
	top := group[0]
	t := &teller{names: day.Names, day: day.Start, top: top, held: s.secret(top.secret), reads: int(s.actor(top.actor).secrets)}
	for i := range group {
		t.secrets = append(t.secrets, group[i].named)
	}
	if s.total > 0 {
		t.estate = s.classes[top.class] / s.total
	}
	fam := day.Names.Secrets[top.secret].Family
	for n := range s.secrets {
		if int32(n) == top.secret || day.Names.Secrets[n].Family != fam || len(s.secrets[n].items) == 0 {
			continue
		}
		t.peers++
		if s.secrets[n].has(top.class) {
			t.like++
		}
	}
	return t
}

func (t *teller) tell() watch.Told {
	sec, who := &t.names.Secrets[t.top.secret], &t.names.Actors[t.top.actor]
	role, class := near(t.top.kind)
	told := watch.Told{
		Title:  t.title(sec, who, class),
		Series: t.series(),
		Next:   t.next(sec, who),
		Attack: attack(t.top.caller, role, sec.Key),
	}
	told.Reasons = append(told.Reasons, finding.Reason{Kind: "caller", Text: t.sentence(sec, who, class),
		Observed: say.T("caller.observed", say.Values{"kind": novelty.Kinds(t.top.caller), "who": who.Name}), Expected: t.usual()})
	told.Reasons = append(told.Reasons, finding.Reason{Kind: "role", Text: t.roleSentence(sec, who, role)})
	if t.peers > 0 {
		told.Reasons = append(told.Reasons, finding.Reason{Kind: "peers", Text: say.T("caller.peers", say.Values{
			"n": t.like, "all": t.peers, "family": novelty.FamilyName(sec), "kind": novelty.Kinds(t.top.caller), "share": percent(t.estate),
		})})
	}
	if n := len(t.secrets); n > 1 {
		told.Reasons = append(told.Reasons, finding.Reason{Kind: "several", Text: say.T("caller.several", say.Values{"n": n}), Observed: say.Plain(strconv.Itoa(n)), Expected: say.Plain("0")})
	}
	told.Unseen = append(told.Unseen, say.T("unseen.before", say.Values{"date": novelty.DateOf(t.held.first)}))
	if t.held.crowd != nil {
		told.Unseen = append(told.Unseen, say.T("caller.unseen.crowd", say.Values{"n": itemsEach}))
	}
	return told
}

func (t *teller) title(sec *watch.Secret, who *watch.Actor, class int) say.Text {
	what := say.Plain(sec.Name)
	if n := len(t.secrets); n > 1 {
		what = say.T("secrets.more", say.Values{"secret": sec.Name, "n": n - 1})
	}
	if class == sameClass {
		return say.T("caller.title", say.Values{"secret": what, "key": sec.Key, "who": who.Name})
	}
	return say.T("caller.title.kind", say.Values{"secret": what, "key": sec.Key, "kind": novelty.A(t.top.caller), "who": who.Name})
}

// sentence is the one sentence that says it all.
func (t *teller) sentence(sec *watch.Secret, who *watch.Actor, class int) say.Text {
	what := say.T("caller.kind", say.Values{"kind": novelty.A(t.top.caller), "who": who.Name})
	if class == sameClass {
		what = say.T("caller.never", say.Values{"who": who.Name})
	}
	return say.T("caller.sentence", say.Values{
		"days": int(novelty.DayOf(t.day)) - int(t.held.first), "calls": math.Round(float64(t.held.calls)), "secret": sec.Name, "key": sec.Key,
		"usual": t.usual(), "at": t.top.first.UTC(), "what": what,
	})
}

// usual names who usually reads the secret: kinds, and roles where they are few.
func (t *teller) usual() say.Text {
	var parts []say.Text
	for c := uint8(1); c < 16; c++ {
		var roles []string
		for i := range t.held.items {
			if it := &t.held.items[i]; it.class == c && it.Usual() {
				roles = append(roles, t.names.Actors[it.actor].Name)
			}
		}
		if len(roles) == 0 {
			continue
		}
		slices.Sort(roles)
		kind := novelty.Kinds(novelty.CallerOf(c))
		if len(roles) > 2 {
			parts = append(parts, say.T("caller.usual.more", say.Values{"kind": kind, "role": roles[0], "n": len(roles) - 1}))
		} else {
			parts = append(parts, say.T("caller.usual", say.Values{"kind": kind, "roles": say.List(roles, 2)}))
		}
	}
	if len(parts) == 0 {
		return say.T("caller.nobody", nil)
	}
	return say.T("caller.readers", say.Values{"readers": say.Each(parts...)})
}

func (t *teller) roleSentence(sec *watch.Secret, who *watch.Actor, role int) say.Text {
	family, key := novelty.FamilyName(sec), sec.Key
	switch role {
	case sameRole:
		for i := range t.held.items {
			if it := &t.held.items[i]; it.actor == t.top.actor && it.Usual() {
				return say.T("caller.role.same", say.Values{"role": who.Name, "key": key, "usual": novelty.Kinds(novelty.CallerOf(it.class)), "now": novelty.A(t.top.caller)})
			}
		}
		return say.T("caller.role.crowd", say.Values{"key": key})
	case again:
		for i := range t.held.items {
			if it := &t.held.items[i]; it.actor == t.top.actor && it.class == t.top.class {
				return say.T("caller.role.again", say.Values{"role": who.Name, "since": novelty.DateOf(it.First)})
			}
		}
	case relative:
		return say.T("caller.role.relative", say.Values{"role": who.Name, "key": key, "family": family})
	case namesake:
		return say.T("caller.role.namesake", say.Values{"role": who.Name, "family": family})
	case neighbour:
		return say.T("caller.role.neighbour", say.Values{"role": who.Name, "key": key, "n": t.reads, "family": family})
	case partner:
		return say.T("caller.role.partner", say.Values{"role": who.Name, "account": who.Account, "family": family})
	case foreigner:
		return say.T("caller.role.foreigner", say.Values{"role": who.Name, "account": who.Account, "family": family, "home": sec.Account})
	}
	return say.T("caller.role.nobody", say.Values{"role": who.Name, "key": key})
}

// series is the calls a day by that caller of that kind: none, and now some.
func (t *teller) series() []finding.Point {
	var list []finding.Point
	for d := max(int(novelty.DayOf(t.day))-13, int(t.held.first)); d < int(novelty.DayOf(t.day)); d++ {
		list = append(list, finding.Point{Time: novelty.DateOf(uint16(d))})
	}
	for i := range t.held.items {
		if it := &t.held.items[i]; it.actor == t.top.actor && it.class == t.top.class {
			return nil // it was there before: nothing is kept of how often
		}
	}
	return append(list, finding.Point{Time: t.day, Seen: float64(t.top.count)})
}

func (t *teller) next(sec *watch.Secret, who *watch.Actor) []string {
	list := []string{watch.Search(t.top.first.Add(-time.Hour), t.top.last.Add(time.Hour), watch.ByActor(who.UID)), novelty.Show(who)}
	return append(list, novelty.Next(sec)...)
}

// attack are the techniques that such a read may be part of.
func attack(c event.Caller, role int, key bool) []string {
	var list []string
	if !key {
		list = append(list, "T1555.006") // credentials from cloud secrets management stores
	}
	if c == event.CallerEC2 && role == sameRole {
		list = append(list, "T1552.005") // the instance metadata service
	}
	return append(list, "T1078.004") // cloud accounts
}

func percent(x float64) say.Text {
	if x > 0 && x < 0.01 {
		return say.T("percent.less", say.Values{"share": 0.01})
	}
	return say.T("percent", say.Values{"share": max(0, x)})
}
