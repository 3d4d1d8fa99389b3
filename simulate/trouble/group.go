package trouble

import (
	"slices"
	"time"

	"github.com/yagura-sec/yagura/simulate/estate"
)

// groups are applications whose secrets are read together, often enough that it
// shows.
func (p *planner) groups(j *job, from, to time.Time) []*estate.App {
	return p.apps(j, from, to, func(a *estate.App) bool {
		w := p.starter(a)
		return together(a) && w != nil && slices.ContainsFunc(w.Reads, func(r *estate.Reading) bool {
			return p.blind || r.Rhythm == estate.Batch || (r.Rhythm == estate.Office || r.Rhythm == estate.Flat) && r.Rate >= KnownPerHour
		})
	})
}

// starter is the program that reads all of an application's secrets.
func (p *planner) starter(a *estate.App) *estate.Workload {
	secrets := plainSecrets(a)
	for _, w := range a.Workloads {
		all := w.Class != estate.CI
		for _, s := range secrets {
			all = all && p.reads(w, s)
		}
		if all {
			return w
		}
	}
	return nil
}

// strangerInGroup is that another application's role reads one of a group: a
// program of the same sort where there is one, for what another sort of caller
// reads is trouble of kind caller.
func strangerInGroup(p *planner, j *job) bool {
	from, to := j.at, j.at.Add(20*time.Minute)
	groups := p.groups(j, from, to)
	for _, alike := range []bool{true, false} {
		for _, a := range groups {
			for _, w := range p.workloads(j, from, to, func(w *estate.Workload) bool {
				return w.Account == a.Account && w.App != a && w.Class != estate.CI && !p.reads(w, plainSecrets(a)[0]) &&
					(!alike || w.Class == p.starter(a).Class)
			}) {
				p.intrude(j, "stranger reads one of a group", as(w), plainSecrets(a)[0], p.draw(GroupReads), from, to)
				return true
			}
		}
	}
	return false
}

// partOfGroup is that the program's own role reads only some of a group, so many
// times; less than 0 is all but so many.
func partOfGroup(members int, times Range) incident {
	return func(p *planner, j *job) bool {
		bursts := p.draw(times)
		from, to := j.at, j.at.Add(90*time.Minute)
		a, ok := firstOf(p.groups(j, from, to))
		if !ok {
			return false
		}
		secrets, w := plainSecrets(a), p.starter(a)
		n := members
		if n < 0 {
			n += len(secrets)
		}
		p.rng.Shuffle(len(secrets), func(i, k int) { secrets[i], secrets[k] = secrets[k], secrets[i] })
		part := secrets[:n]
		p.claim(from, to, append(uids(part...), w.Role)...)
		l := p.label(j, "part of a group", from, to)
		l.Account, l.Principal, l.Secrets = a.Account.ID, w.Role, uids(part...)
		for i := range bursts {
			by := as(w)
			at := from.Add(time.Duration(i)*16*time.Minute + time.Duration(p.rng.IntN(60))*time.Second)
			for _, s := range part {
				p.add(read(at, by, s, l))
				at = at.Add(time.Duration(1+p.rng.IntN(3)) * time.Second)
			}
		}
		return true
	}
}
