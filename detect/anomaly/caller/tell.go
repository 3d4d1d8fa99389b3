package caller

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/detect/anomaly/novelty"
	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
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
		Observed: novelty.Kinds(t.top.caller) + ", " + who.Name, Expected: t.usual()})
	told.Reasons = append(told.Reasons, finding.Reason{Kind: "role", Text: t.roleSentence(sec, who, role)})
	if t.peers > 0 {
		told.Reasons = append(told.Reasons, finding.Reason{Kind: "peers", Text: fmt.Sprintf("%d of the %d other secrets of %s are usually read by %s; in the whole organisation it is %s of all.",
			t.like, t.peers, novelty.FamilyName(sec), novelty.Kinds(t.top.caller), percent(t.estate))})
	}
	if n := len(t.secrets); n > 1 {
		told.Reasons = append(told.Reasons, finding.Reason{Kind: "several", Text: fmt.Sprintf("%d secrets that it never read before were read in that hour.", n), Observed: strconv.Itoa(n), Expected: "0"})
	}
	told.Unseen = append(told.Unseen, "no use of it is known from before "+novelty.DateOf(t.held.first).Format("2 January 2006"))
	if t.held.crowd != nil {
		told.Unseen = append(told.Unseen, fmt.Sprintf("it has more callers than the %d that are kept: a new role of a usual kind and account goes unnoticed there", itemsEach))
	}
	return told
}

func (t *teller) title(sec *watch.Secret, who *watch.Actor, class int) string {
	what := sec.Name
	if n := len(t.secrets); n > 1 {
		what = fmt.Sprintf("%s and %d more", sec.Name, n-1)
	}
	used, _ := t.verb()
	if class == sameClass {
		return fmt.Sprintf("%s is %s by %s for the first time", what, used, who.Name)
	}
	return fmt.Sprintf("%s is %s by %s for the first time (%s)", what, used, novelty.A(t.top.caller), who.Name)
}

func (t *teller) verb() (read, reads string) {
	if t.names.Secrets[t.top.secret].Key {
		return "used", "uses"
	}
	return "read", "reads"
}

// sentence is the one sentence that says it all.
func (t *teller) sentence(sec *watch.Secret, who *watch.Actor, class int) string {
	read, _ := t.verb()
	days := int(novelty.DayOf(t.day)) - int(t.held.first)
	what := novelty.A(t.top.caller)
	if class == sameClass {
		what = who.Name + ", which never did,"
	} else {
		what += " (role " + who.Name + ")"
	}
	return fmt.Sprintf("For %d days (about %s calls lately) %s was %s only by %s; at %s UTC %s %s it.",
		days, thousands(int64(math.Round(float64(t.held.calls)))), sec.Name, read, t.usual(), t.top.first.UTC().Format("15:04"), what, read)
}

// usual names who usually reads the secret: kinds, and roles where they are few.
func (t *teller) usual() string {
	var parts []string
	for c := uint8(1); c < 16; c++ {
		var roles []string
		for i := range t.held.items {
			if it := &t.held.items[i]; it.class == c && usual(it.state) {
				roles = append(roles, t.names.Actors[it.actor].Name)
			}
		}
		if len(roles) == 0 {
			continue
		}
		slices.Sort(roles)
		kind := novelty.Kinds(novelty.CallerOf(c))
		if len(roles) > 2 {
			parts = append(parts, fmt.Sprintf("%s (%s and %d more roles)", kind, roles[0], len(roles)-1))
		} else {
			parts = append(parts, fmt.Sprintf("%s (%s)", kind, strings.Join(roles, ", ")))
		}
	}
	if len(parts) == 0 {
		return "nobody known"
	}
	return strings.Join(parts, " and ")
}

func (t *teller) roleSentence(sec *watch.Secret, who *watch.Actor, role int) string {
	_, reads := t.verb()
	switch role {
	case sameRole:
		for i := range t.held.items {
			if it := &t.held.items[i]; it.actor == t.top.actor && usual(it.state) {
				return fmt.Sprintf("Role %s %s it as %s every day; the same credentials are now used by %s.", who.Name, reads, novelty.Kinds(novelty.CallerOf(it.class)), novelty.A(t.top.caller))
			}
		}
		return fmt.Sprintf("Roles of its account usually %s it; too many callers do for each to be known.", strings.TrimSuffix(reads, "s"))
	case again:
		for i := range t.held.items {
			if it := &t.held.items[i]; it.actor == t.top.actor && it.class == t.top.class {
				return fmt.Sprintf("Role %s did so first on %s, which is not long enough to be usual.", who.Name, novelty.DateOf(it.first).Format("2 January"))
			}
		}
	case relative:
		return fmt.Sprintf("Role %s already %s other secrets of %s.", who.Name, reads, novelty.FamilyName(sec))
	case namesake:
		return fmt.Sprintf("Role %s is called like the usual readers or like %s.", who.Name, novelty.FamilyName(sec))
	case neighbour:
		return fmt.Sprintf("Role %s belongs to another application: it %s %d other secrets, none of %s.", who.Name, reads, t.reads, novelty.FamilyName(sec))
	case partner:
		return fmt.Sprintf("Role %s is of account %s, of which other roles read secrets of %s.", who.Name, who.Account, novelty.FamilyName(sec))
	case foreigner:
		return fmt.Sprintf("Role %s is of account %s; no role of that account ever read secrets of %s in account %s.", who.Name, who.Account, novelty.FamilyName(sec), sec.Account)
	}
	return fmt.Sprintf("Role %s %s no other secret or key and is not called like the readers of this one.", who.Name, reads)
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
	from, to := t.top.first.Add(-time.Hour).UTC().Format(time.RFC3339), t.top.last.Add(time.Hour).UTC().Format(time.RFC3339)
	list := []string{
		fmt.Sprintf("yagura search 'actor_uid:\"%s\"' --since %s --until %s", who.UID, from, to),
		novelty.Show(who),
	}
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

func percent(x float64) string {
	switch {
	case x <= 0:
		return "0 %"
	case x < 0.01:
		return "less than 1 %"
	}
	return strconv.Itoa(int(math.Round(100*x))) + " %"
}

func thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
