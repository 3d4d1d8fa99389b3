package novelty

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/event"
)

// actsEach is how many acts of an account are kept in mind.
const actsEach = 200

// Acts is a short memory of what was built, deployed and changed, by account. An
// act that is repeated is kept once, with its first and last time.
type Acts struct {
	days  int
	sorts []string
	of    map[int32][]watch.Act
}

// NewActs remembers acts of some sorts for some days.
func NewActs(days int, sorts ...string) Acts {
	return Acts{days: days, sorts: sorts, of: map[int32][]watch.Act{}}
}

func (m *Acts) telling(a *watch.Act) bool {
	return a.Outcome == event.Success && slices.Contains(m.sorts, a.Sort)
}

// Learn takes in a day and forgets what is old.
func (m *Acts) Learn(day *watch.Day) {
	for _, h := range day.Hours {
		if h == nil {
			continue
		}
		for i := range h.Acts {
			if a := &h.Acts[i]; m.telling(a) {
				m.take(a)
			}
		}
	}
	old := day.Start.AddDate(0, 0, 1-m.days)
	for account, acts := range m.of {
		acts = slices.DeleteFunc(acts, func(a watch.Act) bool { return a.Last.Before(old) })
		if n := len(acts) - actsEach; n > 0 {
			acts = slices.Delete(acts, 0, n)
		}
		if len(acts) == 0 {
			delete(m.of, account)
			continue
		}
		m.of[account] = acts
	}
}

// take puts the latest acts last.
func (m *Acts) take(a *watch.Act) {
	acts := m.of[a.Account]
	i := slices.IndexFunc(acts, func(b watch.Act) bool {
		return a.Sort == b.Sort && a.Actor == b.Actor && a.Caller == b.Caller && a.Operation == b.Operation && a.Resource == b.Resource && a.Secret == b.Secret && a.Region == b.Region
	})
	if i < 0 {
		m.of[a.Account] = append(acts, *a)
		return
	}
	b := acts[i]
	b.Count, b.Last = b.Count+a.Count, a.Last
	copy(acts[i:], acts[i+1:])
	acts[len(acts)-1] = b
}

// Find calls f for what was done in the account in the days before and up to the
// hour i of the day, until f says false. Acts before since are left out.
func (m *Acts) Find(day *watch.Day, i int, account int32, since time.Time, f func(a *watch.Act) bool) {
	for k := i; k >= 0; k-- {
		h := day.Hours[k]
		if h == nil {
			continue
		}
		for j := range h.Acts {
			a := &h.Acts[j]
			if a.Account == account && m.telling(a) && !a.Last.Before(since) && !f(a) {
				return
			}
		}
	}
	acts := m.of[account]
	for j := len(acts) - 1; j >= 0; j-- {
		if a := &acts[j]; !a.Last.Before(since) && !f(a) {
			return
		}
	}
}

// Clone is a copy of its own.
func (m *Acts) Clone() Acts {
	c := Acts{days: m.days, sorts: m.sorts, of: maps.Clone(m.of)}
	for k, v := range c.of {
		c.of[k] = slices.Clone(v)
	}
	return c
}

// Bytes is about how much memory the acts take.
func (m *Acts) Bytes() int {
	n := 0
	for _, acts := range m.of {
		n += 220 * len(acts)
	}
	return n
}

// Builds tells whether an act of the caller accounts for something: of a build
// service, or a service that it has do it. What a person makes by hand is what a
// thief would.
func Builds(c event.Caller) bool { return c == event.CallerCI || c == event.CallerAWSService }

// Last is the last part of a resource's name: "web-tier" of
// "arn:aws:iam::111122223333:role/web-tier".
func Last(resource string) string {
	if i := strings.LastIndexAny(resource, "/:"); i >= 0 {
		return resource[i+1:]
	}
	return resource
}
