package anomaly

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/instant"
	"github.com/yagura-sec/yagura/usage"
)

// callsOf sums an hour's calls, the rows of which are by totals.
func callsOf(rows []usage.Row, n *names, w words, hour time.Time) []watch.Calls {
	type key struct {
		actor, account int32
		caller         event.Caller
		region         string
	}
	at := map[key]int{}
	var out []watch.Calls
	for i := range rows {
		r := &rows[i]
		k := key{n.actor(r.ActorUID), n.account(r.AccountUID), r.Caller, r.Region}
		j, ok := at[k]
		if !ok {
			j = len(out)
			at[k] = j
			out = append(out, watch.Calls{
				Actor: k.actor, Account: k.account, Caller: word(w, r.Caller), Region: word(w, r.Region), First: r.First, Last: r.Last,
			})
		}
		c := &out[j]
		c.Count += r.Count
		if denied(r.Outcome) {
			c.Denied += r.Count
		}
		if r.Outcome == event.DeniedByOrgPolicy {
			c.OrgDenied += r.Count
		}
		c.First, c.Last = instant.Earlier(c.First, r.First), instant.Later(c.Last, r.Last)
	}
	slices.SortFunc(out, func(a, b watch.Calls) int {
		return cmp.Or(cmp.Compare(a.Actor, b.Actor), cmp.Compare(a.Account, b.Account), cmp.Compare(a.Caller, b.Caller), cmp.Compare(a.Region, b.Region))
	})
	return out
}

// usesOf are an hour's uses. Asking for a secret that is not there, or in a way
// that nothing answers, is one of a secret that is known already, else none.
func usesOf(rows []usage.Row, n *names, w words, hour time.Time) []watch.Use {
	var out []watch.Use
	forms := false // a secret goes by two names
	put := func(r *usage.Row, secret int32) {
		forms = forms || n.Secrets[secret].UID != r.ResourceUID
		out = append(out, watch.Use{
			Secret: secret, Actor: n.actor(r.ActorUID), Account: n.account(r.AccountUID), Caller: word(w, r.Caller),
			Operation: word(w, r.APIOperation), Region: word(w, r.Region), Outcome: word(w, r.Outcome), Count: r.Count, First: r.First, Last: r.Last,
		})
	}
	void := func(o event.Outcome) bool { return o == event.NotFound || o == event.Invalid }
	for i := range rows {
		r := &rows[i]
		if uses[call{r.APIService, r.APIOperation}].of(r.ResourceUID) && !void(r.Outcome) {
			put(r, n.secret(r.ResourceUID))
		}
	}
	for i := range rows {
		r := &rows[i]
		if !void(r.Outcome) || !uses[call{r.APIService, r.APIOperation}].of(r.ResourceUID) {
			continue
		}
		if secret := n.known(r.ResourceUID); secret >= 0 {
			put(r, secret)
		}
	}
	compare := func(a, b watch.Use) int {
		if c := cmp.Compare(a.Secret, b.Secret); c != 0 {
			return c
		}
		if c := cmp.Compare(a.Actor, b.Actor); c != 0 {
			return c
		}
		return cmp.Or(strings.Compare(string(a.Caller), string(b.Caller)), strings.Compare(a.Region, b.Region),
			strings.Compare(a.Operation, b.Operation), strings.Compare(string(a.Outcome), string(b.Outcome)), cmp.Compare(a.Account, b.Account))
	}
	slices.SortStableFunc(out, compare)
	if !forms {
		return out
	}
	sums := out[:0]
	for _, u := range out {
		if k := len(sums) - 1; k >= 0 && compare(sums[k], u) == 0 {
			s := &sums[k]
			s.Count += u.Count
			s.First, s.Last = instant.Earlier(s.First, u.First), instant.Later(s.Last, u.Last)
			continue
		}
		sums = append(sums, u)
	}
	return sums
}

// actsOf are an hour's acts. A call's row without a resource counts where it has
// none with one.
func actsOf(rows []usage.Row, n *names, w words, hour time.Time) []watch.Act {
	var out []watch.Act
	for i := range rows {
		r := &rows[i]
		sort := sortOf(r)
		if sort == "" || r.ResourceUID == "" && i+1 < len(rows) && sameCall(&r.Key, &rows[i+1].Key) {
			continue
		}
		a := watch.Act{
			Sort: sort, Actor: n.actor(r.ActorUID), Account: n.account(r.AccountUID), Caller: word(w, r.Caller), Service: word(w, r.APIService),
			Operation: word(w, r.APIOperation), Resource: r.ResourceUID, Secret: -1, Region: word(w, r.Region), Outcome: word(w, r.Outcome),
			Count: r.Count, First: r.First, Last: r.Last,
		}
		switch {
		case !holdsSecret(r.ResourceUID):
		case r.Outcome == event.Success:
			a.Secret = n.secret(r.ResourceUID)
		default:
			a.Secret = n.known(r.ResourceUID)
		}
		out = append(out, a)
	}
	slices.SortStableFunc(out, func(a, b watch.Act) int {
		return cmp.Or(strings.Compare(a.Sort, b.Sort), cmp.Compare(a.Actor, b.Actor), a.First.Compare(b.First))
	})
	return out
}

// sortOf is the sort of act that a row is, if any. What did not succeed changed
// nothing.
func sortOf(r *usage.Row) string {
	switch {
	case r.Outcome == event.DeniedByOrgPolicy:
		return watch.ActOrgDenied
	case denied(r.Outcome):
		return watch.ActDenied
	case r.Outcome != event.Success:
		return ""
	}
	return sorts[call{r.APIService, r.APIOperation}]
}

// sameCall tells whether two keys differ in the resource alone.
func sameCall(a, b *usage.Key) bool {
	return a.ActorUID == b.ActorUID && a.APIOperation == b.APIOperation && a.APIService == b.APIService && a.Outcome == b.Outcome &&
		a.AccountUID == b.AccountUID && a.Caller == b.Caller && a.Region == b.Region
}

// holdsSecret tells secrets, parameters and keys from other resources.
func holdsSecret(uid string) bool {
	p, ok := parseARN(uid)
	if !ok {
		_, held := usage.HeldIn(uid)
		return held
	}
	switch p.service {
	case "secretsmanager":
		return strings.HasPrefix(p.rest, "secret:")
	case "ssm":
		return strings.HasPrefix(p.rest, "parameter")
	case "kms":
		return strings.HasPrefix(p.rest, "key/")
	}
	return false
}
