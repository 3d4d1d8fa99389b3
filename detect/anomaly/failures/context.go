package failures

import (
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/detect/anomaly/novelty"
	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/say"
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
	given := recall(&s.known.given, d.who)
	own := len(d.secrets) > 0 // all that was denied had been its own for days
	for _, x := range d.secrets {
		own = own && known(given, uint32(x), s.today())
	}
	narrow := d.pairs <= 1 && len(d.secrets) <= 1
	program := d.who.person == "" && !watch.Person(d.caller)
	explain := func(id string, text say.Text) []finding.Explanation {
		return []finding.Explanation{{Kind: "context", ID: id, Text: text}}
	}
	if len(d.granted) > 0 && !own {
		return nil
	}
	if a := s.before(day, i, d, watch.ActPolicy, policyBefore, nil); a != nil && own {
		return explain("policy", say.T("failures.policy", say.Values{"operation": a.Operation, "at": a.First.UTC()}))
	}
	deploy := s.before(day, i, d, watch.ActDeploy, deployBefore, func(a *watch.Act) bool { return deploys(day.Names, a, d) })
	if own && program && deploy != nil {
		return explain("deploy", say.T("failures.deploy", say.Values{"operation": deploy.Operation, "at": deploy.First.UTC()}))
	}
	if own && program && narrow {
		return explain("misconfiguration", say.T("failures.misconfigured", nil))
	}
	if !program || !narrow {
		return nil
	}
	if deploy != nil {
		return explain("deploy", say.T("failures.deploy.again", say.Values{"operation": deploy.Operation, "at": deploy.First.UTC()}))
	}
	if len(d.secrets) == 1 && s.family(day.Names, given, d.secrets[0]) {
		return explain("misconfiguration", say.T("failures.beside", nil))
	}
	if u := s.volume.Usual(d.who.id(), d.class); u.Days < adoptDays {
		return nil
	}
	switch {
	case strings.HasPrefix(d.code, "Expired"):
		return explain("expired", say.T("failures.expired", say.Values{"code": d.code}))
	case len(d.secrets) == 0:
		return explain("misconfiguration", say.T("failures.again", nil))
	}
	return nil
}

// family tells whether the principal reads secrets of the same family.
func (s *sign) family(n *watch.Names, given []entry, secret int32) bool {
	return slices.ContainsFunc(given, func(e entry) bool {
		return known(given, e.id, s.today()) && n.Secrets[e.id].Family == n.Secrets[secret].Family
	})
}

// deploys tells whether the act brings a new version of the program that is
// denied, as far as the log tells: what is deployed bears a name like its role's,
// or the log says no more than where programs of its sort run. What a program
// deploys itself accounts for nothing.
func deploys(n *watch.Names, a *watch.Act, d *denied) bool {
	if a.Actor == d.actor || d.actor < 0 {
		return false
	}
	if a.Resource != "" && alike(novelty.Last(a.Resource), n.Actors[d.actor].Name) {
		return true
	}
	if a.Resource != "" && !strings.Contains(a.Resource, ":cluster/") {
		return false
	}
	switch d.caller {
	case event.CallerECS:
		return strings.HasPrefix(a.Service, "ecs.")
	case event.CallerEC2:
		return strings.HasPrefix(a.Service, "ec2.") || strings.HasPrefix(a.Service, "autoscaling.")
	case event.CallerEKS:
		return strings.HasPrefix(a.Service, "eks.")
	}
	return false
}

// alike tells whether names begin with the same five letters, or one with all of
// the other.
func alike(a, b string) bool {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n >= 5 || n > 0 && n == min(len(a), len(b))
}

// before is the latest act of the sort, if it is one that counts, in the principal's account, or on the
// same secret, so long before its first denial.
func (s *sign) before(day *watch.Day, i int, d *denied, sort string, within time.Duration, counts func(*watch.Act) bool) *watch.Act {
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
			if counts != nil && !counts(a) {
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
