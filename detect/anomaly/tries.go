package anomaly

import (
	"bytes"
	"cmp"
	"slices"
	"time"

	"github.com/yagura-sec/yagura/detect/anomaly/watch"
)

// tryKey is who was denied where in which ten minutes.
type tryKey struct {
	actor, person, account int32
	caller                 uint8
	slot                   int32
}

func (c *collector) slot(t time.Time) int32 { return int32(t.Sub(c.s.day) / trySpan) }

// triesTold are the denials by who was denied, ten minutes at a time.
func (c *collector) triesTold() []watch.Try {
	slices.SortFunc(c.tries, func(a, b denial) int {
		return cmp.Or(a.at.Compare(b.at), bytes.Compare(a.uid[:], b.uid[:]))
	})
	groups := map[tryKey][]*denial{}
	var order []tryKey
	for i := range c.tries {
		d := &c.tries[i]
		k := tryKey{d.actor, d.person, d.account, d.caller, c.slot(d.at)}
		if groups[k] == nil {
			order = append(order, k)
		}
		groups[k] = append(groups[k], d)
	}
	if len(order) == 0 {
		return nil
	}
	attempts, granted := c.around(groups)
	out := make([]watch.Try, 0, len(order))
	for _, k := range order {
		t := c.try(k, groups[k])
		t.Attempts, t.Granted = attempts[k], granted[k]
		out = append(out, t)
	}
	return out
}

// try sums up denials of one group, which are in order.
func (c *collector) try(k tryKey, all []*denial) watch.Try {
	type pair struct{ operation, resource int32 }
	t := watch.Try{
		Actor: k.actor, Person: c.text[k.person], Account: k.account, Caller: c.callers[k.caller],
		At: c.s.day.Add(time.Duration(k.slot) * trySpan), First: all[0].at, Last: all[len(all)-1].at,
	}
	last := map[pair]time.Time{}
	operations, codes, networks := map[string]int{}, map[string]int{}, map[string]int{}
	for _, d := range all {
		p := pair{d.operation, d.resource}
		if before, ok := last[p]; !ok || d.at.Sub(before) >= retrySpan {
			t.Calls++
			last[p] = d.at
		}
		operations[c.text[d.operation]]++
		codes[c.text[d.code]]++
		networks[c.text[d.network]]++
		t.Secrets = append(t.Secrets, d.secrets...)
	}
	t.Pairs = int32(len(last))
	t.Operation, t.Code, t.Network = most(operations), most(codes), most(networks)
	t.Secrets = c.byName(t.Secrets)
	if len(t.Secrets) > maxDenied {
		t.Secrets = t.Secrets[:maxDenied]
	}
	return t
}

// byName puts secrets in the order of their names, each once: the numbers of a
// summary depend on the order in which events came.
func (c *collector) byName(list []int32) []int32 {
	slices.SortFunc(list, func(a, b int32) int {
		return cmp.Compare(c.s.names.Secrets[a].UID, c.s.names.Secrets[b].UID)
	})
	return slices.Compact(list)
}

// most is the text that is counted most often, of several the first by name.
func most(counts map[string]int) string {
	best, n := "", 0
	for s, k := range counts {
		if k > n || k == n && s < best {
			best, n = s, k
		}
	}
	return best
}

// around counts the reads by those who were denied, and finds the secrets that
// they were denied and then given within the hour. What was given goes with the
// ten minutes of the last denial before.
func (c *collector) around(groups map[tryKey][]*denial) (attempts map[tryKey]int32, granted map[tryKey][]int32) {
	attempts, granted = map[tryKey]int32{}, map[tryKey][]int32{}
	const perHour = int32(time.Hour / trySpan)
	type refused struct {
		key tryKey // slot: the hour
		of  int32
	}
	refusals := map[refused][]time.Time{}
	for k, all := range groups {
		k.slot /= perHour
		for _, d := range all {
			for _, s := range d.secrets {
				r := refused{k, s}
				refusals[r] = append(refusals[r], d.at)
			}
		}
	}
	for i := range c.reads {
		r := &c.reads[i]
		if r.at.Before(c.since) || !r.at.Before(c.until) {
			continue
		}
		k := tryKey{r.actor, r.person, r.account, r.caller, c.slot(r.at)}
		if _, ok := groups[k]; ok && r.first {
			attempts[k]++
		}
		if !r.granted {
			continue
		}
		hour := k
		hour.slot /= perHour
		var before time.Time
		for _, t := range refusals[refused{hour, r.secret}] {
			if t.Before(r.at) && t.After(before) {
				before = t
			}
		}
		if !before.IsZero() {
			k.slot = c.slot(before)
			granted[k] = append(granted[k], r.secret)
		}
	}
	for k, list := range granted {
		granted[k] = c.byName(list)
	}
	return attempts, granted
}

// signInsTold are failed sign-ins, ten minutes of a user and an address at a
// time. A success goes with the ten minutes of the last failure before it in its
// hour.
func (c *collector) signInsTold() []watch.SignIn {
	type key struct {
		account, user, ip int32
	}
	slices.SortStableFunc(c.signs, func(a, b signIn) int {
		if n := a.at.Compare(b.at); n != 0 || a.failed == b.failed {
			return n
		}
		if a.failed {
			return -1
		}
		return 1
	})
	last := map[key]*watch.SignIn{}
	var out []*watch.SignIn
	for _, x := range c.signs {
		k := key{x.account, x.user, x.ip}
		s := last[k]
		at := c.s.day.Add(time.Duration(c.slot(x.at)) * trySpan)
		switch {
		case x.failed && (s == nil || !s.At.Equal(at)):
			s = &watch.SignIn{Account: x.account, User: c.text[x.user], IP: c.text[x.ip], At: at, First: x.at, Last: x.at, Failed: 1}
			last[k] = s
			out = append(out, s)
		case x.failed:
			s.Failed++
			s.Last = x.at
		case s != nil && s.First.Truncate(time.Hour).Equal(x.at.Truncate(time.Hour)):
			s.Succeeded++
			s.Last = x.at
		}
	}
	flat := make([]watch.SignIn, len(out))
	for i, s := range out {
		flat[i] = *s
	}
	return flat
}
