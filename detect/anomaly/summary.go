package anomaly

import (
	"cmp"
	"slices"
	"time"

	"github.com/yagura-sec/yagura/detect/anomaly/watch"
)

// summary is what the events of one UTC day say beyond usage. Its numbers are
// those of its own lists of names.
type summary struct {
	day      time.Time
	names    names
	hours    [24]*watch.Hour // their parts that come from events; nil: not read
	replicas [24][]replica
}

// replica is that a secret was replicated.
type replica struct {
	secret int32
	region string
}

func newSummary(day time.Time) *summary { return &summary{day: day, names: *newNames()} }

// whole tells whether every hour of the day was read.
func (s *summary) whole() bool {
	return !slices.Contains(s.hours[:], nil)
}

// Bounds of what is kept of an hour. What is beyond them is dropped in an order
// that depends on the events alone.
const (
	maxSources = 60_000
	maxBursts  = 60_000
	maxPeaks   = 60_000
	maxPeople  = 10_000
	maxReads   = 500 // of a person and hour
	maxTries   = 5_000
	maxSignIns = 5_000
	maxDenied  = 64 // secrets of a try
)

// order puts an hour of the summary in order and within its bounds.
func (s *summary) order(h *watch.Hour) {
	n := &s.names
	secret := func(a, b int32) int {
		return cmp.Compare(n.Secrets[a].UID, n.Secrets[b].UID)
	}
	actor := func(a, b int32) int { return cmp.Compare(n.Actors[a].UID, n.Actors[b].UID) }
	account := func(a, b int32) int { return cmp.Compare(n.Accounts[a], n.Accounts[b]) }
	slices.SortFunc(h.Peaks, func(a, b watch.Peak) int { return secret(a.Secret, b.Secret) })
	// Most are told apart by their times, and the rest need not be compared.
	slices.SortFunc(h.Bursts, func(a, b watch.Burst) int {
		if c := a.First.Compare(b.First); c != 0 {
			return c
		}
		return cmp.Or(actor(a.Actor, b.Actor), cmp.Compare(a.Caller, b.Caller),
			slices.CompareFunc(a.Secrets, b.Secrets, secret))
	})
	slices.SortFunc(h.People, func(a, b watch.PersonHour) int {
		return cmp.Or(a.First.Compare(b.First), cmp.Compare(a.Person, b.Person), actor(a.Actor, b.Actor), account(a.Account, b.Account),
			cmp.Compare(a.Caller, b.Caller), cmp.Compare(a.Region, b.Region))
	})
	slices.SortFunc(h.Sources, func(a, b watch.SourceUse) int {
		if c := a.First.Compare(b.First); c != 0 {
			return c
		}
		return cmp.Or(actor(a.Actor, b.Actor), secret(a.Secret, b.Secret), cmp.Compare(a.Caller, b.Caller),
			cmp.Compare(a.Network, b.Network))
	})
	slices.SortFunc(h.Tries, func(a, b watch.Try) int {
		return cmp.Or(a.First.Compare(b.First), actor(a.Actor, b.Actor), cmp.Compare(a.Person, b.Person), account(a.Account, b.Account),
			cmp.Compare(a.Caller, b.Caller))
	})
	slices.SortFunc(h.SignIns, func(a, b watch.SignIn) int {
		return cmp.Or(a.First.Compare(b.First), account(a.Account, b.Account), cmp.Compare(a.User, b.User), cmp.Compare(a.IP, b.IP))
	})
	h.Cut = bound(&h.Peaks, maxPeaks) || h.Cut
	h.Cut = bound(&h.Bursts, maxBursts) || h.Cut
	h.Cut = bound(&h.People, maxPeople) || h.Cut
	h.Cut = bound(&h.Sources, maxSources) || h.Cut
	h.Cut = bound(&h.Tries, maxTries) || h.Cut
	h.Cut = bound(&h.SignIns, maxSignIns) || h.Cut
	for i := range h.People {
		h.Cut = bound(&h.People[i].Reads, maxReads) || h.Cut
	}
}

func bound[T any](list *[]T, limit int) bool {
	if len(*list) <= limit {
		return false
	}
	*list = (*list)[:limit]
	return true
}

// bind fills the parts of an hour that come from events, in the numbers of n.
// What usage has not named yet is named in the order of the summary.
func (s *summary) bind(h *watch.Hour, n *names) {
	i := int(h.Start.Sub(s.day) / time.Hour)
	from := s.hours[i]
	if from == nil {
		return
	}
	h.Events, h.Cut = true, from.Cut
	secret := func(k int32) int32 {
		if k < 0 {
			return k
		}
		return n.secret(s.names.Secrets[k].UID)
	}
	secrets := func(list []int32) []int32 {
		if len(list) == 0 {
			return nil
		}
		out := make([]int32, len(list))
		for i, k := range list {
			out[i] = secret(k)
		}
		slices.Sort(out)
		return slices.Compact(out)
	}
	actor := func(k int32) int32 { return n.actor(s.names.Actors[k].UID) }
	account := func(k int32) int32 { return n.account(s.names.Accounts[k]) }

	h.Peaks = slices.Clone(from.Peaks)
	for i := range h.Peaks {
		h.Peaks[i].Secret = secret(h.Peaks[i].Secret)
	}
	h.Bursts = slices.Clone(from.Bursts)
	for i := range h.Bursts {
		b := &h.Bursts[i]
		b.Actor, b.Secrets = actor(b.Actor), secrets(b.Secrets)
	}
	h.People = slices.Clone(from.People)
	for i := range h.People {
		p := &h.People[i]
		p.Actor, p.Account, p.Reads = actor(p.Actor), account(p.Account), slices.Clone(p.Reads)
		for j := range p.Reads {
			p.Reads[j].Secret = secret(p.Reads[j].Secret)
		}
	}
	h.Sources = slices.Clone(from.Sources)
	for i := range h.Sources {
		u := &h.Sources[i]
		u.Actor, u.Secret = actor(u.Actor), secret(u.Secret)
	}
	h.Tries = slices.Clone(from.Tries)
	for i := range h.Tries {
		t := &h.Tries[i]
		t.Actor, t.Account, t.Secrets, t.Granted = actor(t.Actor), account(t.Account), secrets(t.Secrets), secrets(t.Granted)
	}
	h.SignIns = slices.Clone(from.SignIns)
	for i := range h.SignIns {
		h.SignIns[i].Account = account(h.SignIns[i].Account)
	}
	for _, r := range s.replicas[i] {
		n.replicated(secret(r.secret), r.region, h.Start)
	}
}
