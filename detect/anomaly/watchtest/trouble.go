package watchtest

import (
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/event"
)

// Burst puts that an actor read secrets at once into a day:
//
//	h.Burst(3, "9:30 lambda pay-charge reads prod/pay/db,prod/pay/api x4 by alice")
//
// xN is how many such bursts there were, a minute apart.
func (h *History) Burst(day int, text string) {
	f := strings.Fields(text)
	from, to, minute := when(f[0])
	objects := strings.Split(f[4], ",")
	for hour := from; hour <= to; hour++ {
		var b watch.Burst
		for _, o := range objects {
			g := slices.Clone(f)
			g[4] = o
			l := h.parse(g, h.Day(day).Start.Add(time.Duration(hour)*time.Hour+time.Duration(minute)*time.Minute))
			h.put(h.Day(day).Hours[hour], l)
			b.Actor, b.Caller, b.Count, b.First = l.actor, l.caller, int32(l.count), l.at
			b.Last = l.at.Add(time.Duration(l.count-1) * time.Minute)
			b.Secrets = append(b.Secrets, l.secret)
		}
		slices.Sort(b.Secrets)
		x := h.Day(day).Hours[hour]
		x.Bursts = append(x.Bursts, b)
	}
}

// Deny puts denied calls into a day, evenly spread over minutes, with what is
// made of them: uses, acts and tries.
//
//	h.Deny(3, 12, "9:30 ec2 web-tier reads prod/pay/db,prod/pay/api x20")
//	h.Deny(3, 5, "9:30 person_cli admin calls ListUsers,ListRoles x10 by alice ends denied_by_org_policy")
//
// "reads" takes secrets, "calls" operations, by turns. The calls end denied
// unless the line says otherwise, with the error code AccessDenied.
func (h *History) Deny(day, minutes int, text string) {
	f := strings.Fields(text)
	start, _, minute := when(f[0])
	objects := strings.Split(f[4], ",")
	base := h.Day(day).Start.Add(time.Duration(start)*time.Hour + time.Duration(minute)*time.Minute)
	first := h.parse(withObject(f, objects[0]), base)
	if first.outcome == event.Success {
		first.outcome = event.Denied
	}
	for k := range first.count {
		at := base.Add(time.Duration(k) * time.Duration(minutes) * time.Minute / time.Duration(first.count))
		l := h.parse(withObject(f, objects[int(k)%len(objects)]), at)
		l.outcome, l.count = first.outcome, 1
		d := h.Day(int(at.Sub(h.start) / (24 * time.Hour)))
		h.deny(d.Hours[at.Hour()], l)
	}
}

func withObject(f []string, o string) []string {
	g := slices.Clone(f)
	g[4] = o
	return g
}

func (h *History) deny(hour *watch.Hour, l *line) {
	account := h.AccountOf(l.account)
	op, resource := l.object, ""
	if l.verb == "reads" {
		op, resource = or(l.operation, "GetSecretValue"), h.names.Secrets[l.secret].UID
		i := slices.IndexFunc(hour.Uses, func(u watch.Use) bool {
			return u.Secret == l.secret && u.Actor == l.actor && u.Caller == l.caller && u.Outcome == l.outcome
		})
		if i < 0 {
			i = len(hour.Uses)
			hour.Uses = append(hour.Uses, watch.Use{Secret: l.secret, Actor: l.actor, Account: account, Caller: l.caller, Operation: op,
				Region: l.region, Outcome: l.outcome, First: l.at})
		}
		hour.Uses[i].Count++
		hour.Uses[i].Last = l.at
	}
	sort := watch.ActDenied
	if l.outcome == event.DeniedByOrgPolicy {
		sort = watch.ActOrgDenied
	}
	i := slices.IndexFunc(hour.Acts, func(a watch.Act) bool {
		return a.Sort == sort && a.Actor == l.actor && a.Operation == op && a.Resource == resource && a.Account == account
	})
	fresh := i < 0
	if fresh {
		i = len(hour.Acts)
		hour.Acts = append(hour.Acts, watch.Act{Sort: sort, Actor: l.actor, Account: account, Caller: l.caller, Service: l.service, Operation: op, Resource: resource,
			Secret: l.secret, Region: l.region, Outcome: l.outcome, First: l.at})
	}
	folded := !fresh && l.at.Sub(hour.Acts[i].Last) < time.Minute
	hour.Acts[i].Count++
	hour.Acts[i].Last = l.at
	h.call(hour, l, account)
	if l.person != "" {
		h.person(hour, l, account)
	}
	h.try(hour, l, account, op, folded)
}

func (h *History) try(hour *watch.Hour, l *line, account int32, op string, folded bool) {
	slot := l.at.Truncate(10 * time.Minute)
	i := slices.IndexFunc(hour.Tries, func(t watch.Try) bool {
		return t.Actor == l.actor && t.Person == l.person && t.Account == account && t.At.Equal(slot)
	})
	if i < 0 {
		i = len(hour.Tries)
		hour.Tries = append(hour.Tries, watch.Try{Actor: l.actor, Person: l.person, Account: account, Caller: l.caller, At: slot,
			Operation: op, Code: "AccessDenied", Network: l.network, First: l.at})
	}
	t := &hour.Tries[i]
	t.Last = l.at
	if !folded {
		t.Calls++
	}
	if l.verb == "reads" {
		t.Attempts++
		if !slices.Contains(t.Secrets, l.secret) {
			t.Secrets = append(t.Secrets, l.secret)
			slices.Sort(t.Secrets)
			t.Pairs++
		}
		return
	}
	n := int32(0)
	for _, a := range hour.Acts {
		if a.Actor == l.actor && a.Secret < 0 && (a.Sort == watch.ActDenied || a.Sort == watch.ActOrgDenied) && !a.Last.Before(slot) {
			n++
		}
	}
	t.Pairs = max(t.Pairs, n)
}

// Grant puts that what was denied in the hour was then read: the tries of the
// actor in that hour name it.
func (h *History) Grant(day int, text string) {
	f := strings.Fields(text)
	hour, _, minute := when(f[0])
	l := h.parse(f, h.Day(day).Start.Add(time.Duration(hour)*time.Hour+time.Duration(minute)*time.Minute))
	x := h.Day(day).Hours[hour]
	h.put(x, l)
	for i := range x.Tries {
		if t := &x.Tries[i]; t.Actor == l.actor && t.Person == l.person && slices.Contains(t.Secrets, l.secret) {
			t.Granted = []int32{l.secret}
		}
	}
}

// SignIn puts failed sign-ins of a user, a minute apart, and how many succeeded
// after them into a day.
func (h *History) SignIn(day, hour int, user, ip string, failed, succeeded int32) {
	at := h.Day(day).Start.Add(time.Duration(hour) * time.Hour)
	x := h.Day(day).Hours[hour]
	x.SignIns = append(x.SignIns, watch.SignIn{Account: h.AccountOf(Account), User: user, IP: ip, At: at, Failed: failed, Succeeded: succeeded,
		First: at, Last: at.Add(time.Duration(failed) * time.Minute)})
}
