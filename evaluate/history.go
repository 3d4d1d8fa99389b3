package evaluate

import (
	"strings"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/usage"
)

// History is the use of secrets and keys of one world, for simple methods: what
// each row of usage says, with names as numbers. Rows come hour by hour.
type History struct {
	start   time.Time // hour 0
	hours   int
	secrets names
	actors  names
	callers names
	regions names
	account []string // of each secret
	rows    []use
	turned  []denial
}

type use struct {
	hour, secret, actor int32
	caller, region      int32
	count               int32
}

// denial is how many calls of an actor were denied in an hour.
type denial struct {
	hour, actor int32
	count       int32
	account     string
}

type names struct {
	of   map[string]int32
	list []string
}

func (n *names) number(s string) int32 {
	if n.of == nil {
		n.of = map[string]int32{}
	}
	i, ok := n.of[s]
	if !ok {
		i = int32(len(n.list))
		n.of[s] = i
		n.list = append(n.list, s)
	}
	return i
}

// Add takes in a row of usage. Rows come in the order of their hours.
func (h *History) Add(r *usage.Row) {
	if h.start.IsZero() {
		h.start = r.Hour
	}
	hour := int32(r.Hour.Sub(h.start) / time.Hour)
	denied := r.Outcome == event.Denied || r.Outcome == event.AuthFailed || r.Outcome == event.DeniedByOrgPolicy
	h.hours = max(h.hours, int(hour)+1)
	if r.ResourceUID == "" {
		if denied {
			h.turned = append(h.turned, denial{hour, h.actors.number(r.ActorUID), int32(r.Count), r.AccountUID})
		}
		return
	}
	if !counts(r) {
		return
	}
	u := use{hour: hour, secret: h.secrets.number(r.ResourceUID), actor: h.actors.number(r.ActorUID), count: int32(r.Count)}
	if int(u.secret) == len(h.account) {
		h.account = append(h.account, r.AccountUID)
	}
	u.caller, u.region = h.callers.number(string(r.Caller)), h.regions.number(r.Region)
	h.rows = append(h.rows, u)
}

// counts tells whether the row is a read as the detector counts them: one that
// was allowed, and none of a provider's services on its own, except with keys.
func counts(r *usage.Row) bool {
	key := strings.Contains(r.ResourceUID, ":kms:")
	return r.Outcome == event.Success && usage.Reads(r.APIOperation) && r.ResourceUID != usage.Other && secretLike(r.ResourceUID) &&
		(r.Caller != event.CallerAWSService || key)
}

func secretLike(uid string) bool {
	return strings.Contains(uid, ":secretsmanager:") || strings.Contains(uid, ":parameter") || strings.Contains(uid, ":kms:")
}

// Secrets is how many secrets and keys were used.
func (h *History) Secrets() int { return len(h.secrets.list) }

// Start and End are the first hour and the end of the last one.
func (h *History) Start() time.Time { return h.start }

// End is the end of the last hour.
func (h *History) End() time.Time { return h.at(int32(h.hours)) }

func (h *History) at(hour int32) time.Time { return h.start.Add(time.Duration(hour) * time.Hour) }

// after is the first hour that is not before t.
func (h *History) after(t time.Time) int32 {
	return int32((t.Sub(h.start) + time.Hour - 1) / time.Hour)
}

// sighting is one of an hour. Secret or actor below 0: none.
func (h *History) sighting(sign string, secret, actor, hour int32, score float64) Sighting {
	at := h.at(hour)
	s := Sighting{Sign: sign, First: at, Last: at.Add(time.Hour - time.Second), Known: at.Add(time.Hour + Lateness), Needs: -score}
	s.Key = sign + "\n" + at.Format(time.DateOnly)
	if secret >= 0 {
		s.Resources, s.Account = []string{h.secrets.list[secret]}, h.account[secret]
		s.Key += "\n" + h.secrets.list[secret]
	}
	if actor >= 0 {
		s.Actor = h.actors.list[actor]
		s.Key += "\n" + s.Actor
	}
	return s
}
