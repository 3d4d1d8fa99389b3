package failures

import (
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/finding"
)

// Context is looked for so far back.
const (
	policyBefore = 24 * time.Hour
	deployBefore = time.Hour
)

// context is what accounts for a principal's denials: a program that is denied
// what it had is broken, not curious, if somebody changed something before or one
// and the same call fails. Several of its secrets at once, and nothing changed, may
// as well be somebody with its credentials whom a condition keeps out.
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
	deploy := s.before(day, i, d, watch.ActDeploy, deployBefore)
	if own && program && deploy != nil {
		return explain("deploy", deploy.Operation+" at "+clock(deploy.First)+" in this account came before, and the program is denied what it had been given for days.")
	}
	if own && program && narrow {
		return explain("misconfiguration", "The program had been given all that it is denied here for days: its permissions or credentials changed.")
	}
	if !program || !narrow {
		return nil
	}
	if deploy != nil {
		return explain("deploy", deploy.Operation+" at "+clock(deploy.First)+" in this account came before, and the same call failed again and again.")
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
