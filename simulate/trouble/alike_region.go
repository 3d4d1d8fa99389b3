package trouble

import (
	"slices"
	"time"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/simulate/estate"
)

// movable are applications whose secrets can be copied to another region, all
// or most of them.
func (p *planner) movable(j *job, from, to time.Time) []*estate.App {
	if !p.within(from, from.Add(time.Hour)) {
		return nil
	}
	return p.apps(j, from, to, func(a *estate.App) bool {
		return busiest(a) != nil && rate(busiest(a), copies(busiest(a), from)) >= BusyPerHour
	})
}

// rate is how many calls a program makes to some secrets in a busy hour.
func rate(w *estate.Workload, secrets []*estate.Secret) float64 {
	var sum float64
	for _, r := range w.Reads {
		if (r.Rhythm == estate.Office || r.Rhythm == estate.Flat) && slices.Contains(secrets, r.Secret) {
			sum += r.Rate
		}
	}
	return sum
}

// copies are those secrets of a program that can be copied.
func copies(w *estate.Workload, at time.Time) []*estate.Secret {
	var out []*estate.Secret
	for _, s := range readBy(w, at) {
		if s.Sort == estate.SortSecret {
			out = append(out, s)
		}
	}
	return out
}

// elsewhere lets an application work in another region for a time: first its
// copies and its infrastructure come, then its programs call there.
func (p *planner) elsewhere(j *job, sort, why string, copied bool, share float64, length time.Duration, end func(from time.Time) time.Time) bool {
	from := j.at
	to := from.Add(length)
	for _, a := range p.movable(j, from, end(from)) {
		w := busiest(a)
		region := p.spare(a.Account)
		by, ok := p.ci(a.Account, a.Team)
		if !ok || !p.within(from, to) {
			continue
		}
		secrets := copies(w, from)
		if a.Together && len(secrets) < len(readBy(w, from)) {
			continue // a group moves as a whole
		}
		l := p.label(j, sort, from, to)
		l.Why, l.Account, l.Principal, l.Secrets = why, a.Account.ID, w.Role, uids(secrets...)
		alsoIn(l, region, secrets...)
		if j.kind == KindChain {
			l.Kinds = []string{finding.SignRegion, finding.SignFrequency}
		}
		p.claim(from, end(from), appKeys(a)...)
		if copied {
			for i, s := range secrets {
				p.add(replicated(from.Add(time.Duration(i)*3*time.Second), by, s, region, l))
			}
			p.add(built(from.Add(2*time.Minute), by, w, region, l)...)
		} else {
			for _, c := range deployed(from.Add(2*time.Minute), by, w, l) {
				c.Region = region
				p.add(c)
			}
		}
		begins := from.Add(15 * time.Minute)
		p.change(estate.Change{From: begins, Until: to, Workloads: []*estate.Workload{w}, Secrets: secrets, Region: region, Share: share, Label: l})
		if end(from).After(to) {
			p.change(estate.Change{From: to, Until: end(from), Workloads: []*estate.Workload{w}, Secrets: secrets, Region: region, Share: share})
		}
		p.announce(j, "dr", sort+" of "+a.Name, a.Team.Name)
		j.told.Kinds = append([]string{finding.SignRegion}, busierKinds...)
		return true
	}
	return false
}

// drill is a test of the disaster plan.
func drill(p *planner, j *job) bool {
	return p.elsewhere(j, "disaster drill", "the same programs for some hours in the region kept for disasters; their infrastructure came first", true, 0, DrillTime,
		func(from time.Time) time.Time { return from.Add(DrillTime) })
}

// expansion is that an application works in two regions from now on.
func expansion(p *planner, j *job) bool {
	return p.elsewhere(j, "second region", "the application works in two regions from now on; copies of its secrets came first", true, ExpandShare, Settling,
		func(time.Time) time.Time { return p.w.End })
}

// failover is that a region fails and the application moves at once: copies
// were there before.
func failover(p *planner, j *job) bool {
	j.known = seldom
	return p.elsewhere(j, "failover", "the region had an outage: the same programs moved to the other", false, 0, FailoverTime,
		func(from time.Time) time.Time { return from.Add(FailoverTime) })
}
