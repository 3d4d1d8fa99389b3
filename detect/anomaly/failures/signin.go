package failures

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/yagura-sec/yagura/detect/anomaly/tally"
	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
)

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
			score += s.strangeScore()
		}
		if score < watch.Floor || t.failed < leastFailed {
			continue
		}
		a := s.signInAlarm(day, t, score)
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
		if score > 0 { // as of so many users as are judged for each address
			score += log10(perDay(s.signIns) / perDay(s.sources))
		}
		if score < watch.Floor || len(t.users) < leastUsers {
			continue
		}
		a := s.signInAlarm(day, t, score)
		a.Where.SrcIP = ip
		a.Severity = finding.High
		a.Tell = func() watch.Told { return s.tellAddress(ip, t, u, score) }
		out = append(out, a)
	}
	return out
}

// leastFailed sign-ins of a user are needed whatever the chance, for whoever errs
// errs twice; and of an address leastUsers, for an office has one address, and
// two in it may err in the same hour.
const (
	leastFailed = 3
	leastUsers  = 3
)

// strangeScore is what an address that the user never came from adds: how rarely
// people come from a new network, by what was seen of all, and one day in thirty
// before anything was. Who moves may err more often for it, so it is worth 2 at
// most.
func (s *sign) strangeScore() float64 {
	return min(2, -log10((1+s.moves[1])/(30+s.moves[0])))
}

// perDay is how many judgements a book's things have a day.
func perDay(b *tally.Book[string]) float64 { return max(b.PerDay(0), 0.5) }

func (s *sign) signInAlarm(day *watch.Day, t *tried, score float64) watch.Alarm {
	return watch.Alarm{
		Sign: finding.SignFailures, Class: "failures/sign_in", Secret: -1, Actor: -1, Account: t.account, Caller: event.CallerConsole,
		Score: score, Trials: perDay(s.signIns) / float64(max(1, len(day.Names.Secrets))), First: t.first, Last: t.last,
		Count: int64(t.failed), Days: s.volume.Days(), Mature: s.volume.Days() >= matureDays,
		Where: watch.Where{Operations: []string{"ConsoleLogin", "UserSignIn"}},
	}
}

// strangeAddress tells whether the user, known for long, never came from there.
func (s *sign) strangeAddress(user string, t *tried) bool {
	nets := recall(&s.known.nets, principal{actor: -1, person: user})
	if len(nets) == 0 {
		return false
	}
	return !slices.ContainsFunc(t.ips, func(ip string) bool { return has(nets, hash(network(ip), "")) })
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

func (s *sign) learnSignIns(n int, day *watch.Day, heard map[string]int) {
	users, sources := map[string][]int{}, map[string][]int{}
	for _, h := range day.Hours {
		if h == nil {
			continue
		}
		u, ips := attempts(h)
		for k, t := range u {
			users[k] = append(users[k], t.failed)
			if _, known := s.users[k]; known || len(s.users) < maxUsers {
				s.users[k] = user{account: t.account, last: int32(n)}
			}
		}
		for k, t := range ips {
			sources[k] = append(sources[k], len(t.users))
		}
	}
	for k, u := range s.users {
		if int32(n)-u.last > forgetDenied {
			delete(s.users, k)
		}
	}
	var seen, from []tally.Seen[string]
	for _, k := range slices.SortedFunc(maps.Keys(s.users), cmp.Compare[string]) {
		if heard[day.Names.Accounts[s.users[k].account]] == 0 {
			continue
		}
		seen = append(seen, tally.Seen[string]{Key: k, Occasions: max(1, len(users[k])), Amounts: users[k]})
	}
	for _, k := range slices.Sorted(maps.Keys(sources)) {
		from = append(from, tally.Seen[string]{Key: k, Occasions: len(sources[k]), Amounts: sources[k]})
	}
	s.signIns.Learn(n, seen)
	s.sources.Learn(n, from)
}

const maxUsers = 100_000
