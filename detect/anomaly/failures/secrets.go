package failures

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/detect/anomaly/tally"
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
		m := s.of(d.who)
		for _, x := range d.secrets {
			if has(m.given, uint32(x)) || known(m.denied, uint32(x), s.today()) {
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
			Sign: finding.SignFailures, Class: "failures", Secret: x, Actor: r.most.actor, Person: r.most.who.person,
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

// Context is looked for so far back.
const (
	policyBefore = 24 * time.Hour
	deployBefore = time.Hour
)

// context is what accounts for a principal's denials: a program that is denied
// what it had is broken, not curious.
func (s *sign) context(day *watch.Day, i int, d *denied) []finding.Explanation {
	m := s.of(d.who)
	own := len(d.secrets) > 0 // all that was denied had been its own for days
	for _, x := range d.secrets {
		own = own && known(m.given, uint32(x), s.today())
	}
	narrow := d.pairs <= 1 && len(d.secrets) <= 1
	program := d.who.person == "" && !watch.Person(d.caller)
	explain := func(id, text string) []finding.Explanation {
		return []finding.Explanation{{Kind: "context", ID: id, Text: text}}
	}
	if len(d.granted) > 0 && !own {
		return nil
	}
	if a := s.before(day, i, d, watch.ActPolicy, policyBefore); a != nil && own {
		return explain("policy", a.Operation+" in this account at "+clock(a.First)+" changed what is allowed shortly before.")
	}
	if own && program {
		return explain("misconfiguration", "The program had been given all that it is denied here for days: its permissions or credentials changed.")
	}
	if !program || !narrow {
		return nil
	}
	if a := s.before(day, i, d, watch.ActDeploy, deployBefore); a != nil {
		return explain("deploy", a.Operation+" at "+clock(a.First)+" in this account came before, and the same call failed again and again.")
	}
	if len(d.secrets) == 1 && s.family(day.Names, m, d.secrets[0]) {
		return explain("misconfiguration", "One and the same call failed again and again, for a secret beside those that the program reads.")
	}
	if u := s.volume.Usual(d.who, d.class); u.Days < adoptDays {
		return nil
	}
	switch {
	case strings.HasPrefix(d.code, "Expired"):
		return explain("expired", "The program was known for days; its credentials have expired ("+d.code+") and it tries again and again.")
	case len(d.secrets) == 0:
		return explain("misconfiguration", "One and the same call of a program known for days failed again and again, none of a secret.")
	}
	return nil
}

// family tells whether the principal reads secrets of the same family.
func (s *sign) family(n *watch.Names, m *memory, secret int32) bool {
	return slices.ContainsFunc(m.given, func(e entry) bool {
		return known(m.given, e.id, s.today()) && n.Secrets[e.id].Family == n.Secrets[secret].Family
	})
}

// before is the latest act of the sort in the principal's account, or on the
// same secret, so long before its first denial.
func (s *sign) before(day *watch.Day, i int, d *denied, sort string, within time.Duration) *watch.Act {
	var best *watch.Act
	look := func(acts []watch.Act) {
		for k := range acts {
			a := &acts[k]
			if a.Sort != sort || refusedUse(a.Outcome) || a.First.After(d.first) || d.first.Sub(a.Last) > within {
				continue
			}
			if a.Account != d.account && !(a.Secret >= 0 && slices.Contains(d.secrets, a.Secret)) {
				continue
			}
			if best == nil || a.First.After(best.First) {
				best = a
			}
		}
	}
	look(s.recent)
	for k := 0; k <= i; k++ {
		if h := day.Hours[k]; h != nil {
			look(h.Acts)
		}
	}
	return best
}

// tried is failed sign-ins of one user, or from one address, in an hour.
type tried struct {
	account     int32
	failed, won int
	users       []string
	ips         []string
	first, last time.Time
}

func (t *tried) add(x *watch.SignIn) {
	if t.first.IsZero() || x.First.Before(t.first) {
		t.first = x.First
	}
	if x.Last.After(t.last) {
		t.last = x.Last
	}
	t.account = x.Account
	t.failed += int(x.Failed)
	t.won += int(x.Succeeded)
	if !slices.Contains(t.users, x.User) {
		t.users = append(t.users, x.User)
	}
	if !slices.Contains(t.ips, x.IP) {
		t.ips = append(t.ips, x.IP)
	}
}

// attempts is the hour's failed sign-ins by user and by address. A user name
// that the provider hides stands for the address.
func attempts(h *watch.Hour) (users, ips map[string]*tried) {
	users, ips = map[string]*tried{}, map[string]*tried{}
	at := func(m map[string]*tried, k string) *tried {
		if m[k] == nil {
			m[k] = &tried{}
		}
		return m[k]
	}
	for i := range h.SignIns {
		x := &h.SignIns[i]
		if x.Failed == 0 {
			continue
		}
		at(users, userKey(x)).add(x)
		at(ips, x.IP).add(x)
	}
	return users, ips
}

func userKey(x *watch.SignIn) string {
	if x.User == "" {
		return "?" + x.IP
	}
	return x.User
}

// judgeSignIns judges each user's failures, and each address's users.
func (s *sign) judgeSignIns(day *watch.Day, h *watch.Hour) []watch.Alarm {
	if len(h.SignIns) == 0 {
		return nil
	}
	users, ips := attempts(h)
	var out []watch.Alarm
	for _, k := range slices.Sorted(maps.Keys(users)) {
		t := users[k]
		u := s.signIns.Usual(k, 0)
		score := u.Score(t.failed)
		strange := s.strangeAddress(k, t)
		if strange {
			score += strangeScore
		}
		if score < watch.Floor || t.failed < leastFailed {
			continue
		}
		a := s.signInAlarm(day, t, "failures/sign_in", score, s.signIns.PerDay(0))
		if a.Person = t.users[0]; len(t.ips) == 1 {
			a.Where.SrcIP = t.ips[0]
		}
		a.Where.Person = a.Person
		a.Actor = userActor(day.Names, a.Person)
		a.Severity = finding.Medium
		if t.won > 0 && (strange || t.failed >= 2*leastFailed) {
			a.Severity = finding.High
		}
		a.Calls = int64(u.Occasions)
		a.Tell = func() watch.Told { return s.tellUser(t, u, strange, score) }
		out = append(out, a)
	}
	for _, ip := range slices.Sorted(maps.Keys(ips)) {
		t := ips[ip]
		u := s.sources.Usual(ip, 0)
		u.Chance = 1 // an address is looked at where somebody failed from it
		score := u.Score(len(t.users))
		if score < watch.Floor || len(t.users) < leastUsers {
			continue
		}
		a := s.signInAlarm(day, t, "failures/sign_in", score, s.sources.PerDay(0))
		a.Where.SrcIP = ip
		a.Severity = finding.High
		a.Tell = func() watch.Told { return s.tellAddress(ip, t, u, score) }
		out = append(out, a)
	}
	return out
}

// leastFailed sign-ins are needed whatever the chance, leastUsers of an address;
// strangeScore is what an address that the user never came from adds: people
// come from a new network on about one day in thirty.
const (
	leastFailed  = 4
	leastUsers   = 4
	strangeScore = 1.5
)

func (s *sign) signInAlarm(day *watch.Day, t *tried, class string, score, perDay float64) watch.Alarm {
	return watch.Alarm{
		Sign: finding.SignFailures, Class: class, Secret: -1, Actor: -1, Account: t.account, Caller: event.CallerConsole,
		Score: score, Trials: max(perDay, 0.5) / float64(max(1, len(day.Names.Secrets))), First: t.first, Last: t.last,
		Count: int64(t.failed), Days: s.signIns.Days(), Mature: s.signIns.Days() >= matureDays,
		Where: watch.Where{Operations: []string{"ConsoleLogin"}},
	}
}

// strangeAddress tells whether the user, known for long, never came from there.
func (s *sign) strangeAddress(user string, t *tried) bool {
	m := s.people[user]
	if m == nil || len(m.nets) == 0 {
		return false
	}
	return !slices.ContainsFunc(t.ips, func(ip string) bool { return has(m.nets, hash(network(ip), "")) })
}

// userActor is the actor of a user name, where one ends in it.
func userActor(n *watch.Names, user string) int32 {
	if user == "" {
		return -1
	}
	for i := range n.Actors {
		a := &n.Actors[i]
		if a.Name == user && !isRole(a.UID) {
			return int32(i)
		}
	}
	return -1
}

func (s *sign) learnSignIns(n int, day *watch.Day) {
	users, sources := map[string][]int{}, map[string][]int{}
	for _, h := range day.Hours {
		if h == nil {
			continue
		}
		u, ips := attempts(h)
		for k, t := range u {
			users[k] = append(users[k], t.failed)
			if len(s.users) < maxUsers {
				s.users[k] = int32(n)
			}
		}
		for k, t := range ips {
			sources[k] = append(sources[k], len(t.users))
		}
	}
	for k, last := range s.users {
		if int32(n)-last > forgetDenied {
			delete(s.users, k)
		}
	}
	var seen, from []tally.Seen[string]
	for _, k := range slices.SortedFunc(maps.Keys(s.users), cmp.Compare[string]) {
		seen = append(seen, tally.Seen[string]{Key: k, Occasions: max(1, len(users[k])), Amounts: users[k]})
	}
	for _, k := range slices.Sorted(maps.Keys(sources)) {
		from = append(from, tally.Seen[string]{Key: k, Occasions: len(sources[k]), Amounts: sources[k]})
	}
	s.signIns.Learn(n, seen)
	s.sources.Learn(n, from)
}

const maxUsers = 100_000
