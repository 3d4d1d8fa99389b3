package novelty

import (
	"maps"
	"slices"
	"strings"
	"time"
	"unsafe"

	"github.com/yagura-sec/yagura/detect/anomaly/table"
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
	tells func(a *watch.Act) bool // nil: all of the sorts do
	of    map[int32][]act
	kinds []kind // that acts are of
}

// kind is what many acts have in common.
type kind struct {
	sort, service, operation, region string
	caller                           event.Caller
}

// act is one, of an account that is known.
type act struct {
	kind, actor, secret, count int32
	resource                   string
	first, last                int64 // nanoseconds since 1970
}

// NewActs remembers acts of some sorts for some days.
func NewActs(days int, sorts ...string) Acts {
	return Acts{days: days, sorts: sorts, of: map[int32][]act{}}
}

// Only is the same memory of those acts only of which tells says so.
func (m Acts) Only(tells func(a *watch.Act) bool) Acts {
	m.tells = tells
	return m
}

func (m *Acts) telling(a *watch.Act) bool {
	return a.Outcome == event.Success && slices.Contains(m.sorts, a.Sort) && (m.tells == nil || m.tells(a))
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
	old := day.Start.AddDate(0, 0, 1-m.days).UnixNano()
	for account, acts := range m.of {
		acts = slices.DeleteFunc(acts, func(a act) bool { return a.last < old })
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

// kindOf is the number of an act's kind.
func (m *Acts) kindOf(a *watch.Act) int32 {
	k := kind{a.Sort, a.Service, a.Operation, a.Region, a.Caller}
	i := slices.Index(m.kinds, k)
	if i < 0 {
		i = len(m.kinds)
		m.kinds = table.Append(m.kinds, k)
	}
	return int32(i)
}

// take puts the latest acts last.
func (m *Acts) take(a *watch.Act) {
	acts, k := m.of[a.Account], m.kindOf(a)
	i := slices.IndexFunc(acts, func(b act) bool {
		return b.kind == k && a.Actor == b.actor && a.Secret == b.secret && a.Resource == b.resource
	})
	if i < 0 {
		m.of[a.Account] = table.Append(acts, act{k, a.Actor, a.Secret, int32(min(a.Count, 1<<31-1)), a.Resource, a.First.UnixNano(), a.Last.UnixNano()})
		return
	}
	b := acts[i]
	b.count, b.last = int32(min(int64(b.count)+a.Count, 1<<31-1)), a.Last.UnixNano()
	copy(acts[i:], acts[i+1:])
	acts[len(acts)-1] = b
}

// whole is the act as it was.
func (m *Acts) whole(a *act, account int32) *watch.Act {
	k := &m.kinds[a.kind]
	return &watch.Act{Sort: k.sort, Actor: a.actor, Account: account, Caller: k.caller, Service: k.service, Operation: k.operation, Resource: a.resource,
		Secret: a.secret, Region: k.region, Outcome: event.Success, Count: int64(a.count), First: time.Unix(0, a.first).UTC(), Last: time.Unix(0, a.last).UTC()}
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
		if a := &acts[j]; a.last >= since.UnixNano() && !f(m.whole(a, account)) {
			return
		}
	}
}

// Clone is a copy of its own.
func (m *Acts) Clone() Acts {
	c := *m
	c.kinds, c.of = slices.Clip(m.kinds), maps.Clone(m.of)
	for k, v := range c.of {
		c.of[k] = slices.Clone(v)
	}
	return c
}

// Bytes is about how much memory the acts take, with the names of what they made.
func (m *Acts) Bytes() int {
	n := int(unsafe.Sizeof(kind{})) * cap(m.kinds)
	for _, acts := range m.of {
		n += 48 + int(unsafe.Sizeof(act{}))*cap(acts)
		for i := range acts {
			n += len(acts[i].resource)
		}
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
