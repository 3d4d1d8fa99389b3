package trouble

import (
	"fmt"
	"time"

	"github.com/yagura-sec/yagura/simulate/estate"
)

// oneClass tells whether all readers of an application's secret are of one
// class, any of those given.
func (p *planner) oneClass(classes ...estate.Class) func(*estate.Secret) bool {
	return func(s *estate.Secret) bool {
		c := p.class(s)
		for _, want := range classes {
			if c == want && p.owned(s) {
				return true
			}
		}
		return false
	}
}

// intrude lets a stranger read a secret n times in [from, to) and labels it.
func (p *planner) intrude(j *job, sort string, by estate.Caller, s *estate.Secret, n int, from, to time.Time) {
	l := p.label(j, sort, from, to)
	l.Account, l.Principal, l.Secrets = s.Account.ID, by.Role, uids(s)
	keys := []string{s.ARN, by.Role}
	if by.Person != nil {
		l.Person = by.Person.Email
		keys = append(keys, personKey(by.Person))
	}
	p.claim(from, to, keys...)
	for _, at := range p.spread(n, from, to) {
		p.add(read(at, by, s, l))
	}
}

// fromInstance is a secret of functions read by an instance of the same
// account.
func fromInstance(size Range) incident {
	return func(p *planner, j *job) bool {
		n := p.draw(size)
		from, to := j.at, j.at.Add(30*time.Minute)
		for _, s := range p.secrets(j, from, to, p.oneClass(estate.Lambda, estate.ECS, estate.EKS)) {
			for _, w := range p.workloads(j, from, to, func(w *estate.Workload) bool {
				return w.Class == estate.EC2 && w.Account == s.Account && !p.reads(w, s)
			}) {
				p.intrude(j, "from an instance", as(w), s, n, from, to)
				return true
			}
		}
		return false
	}
}

// fromAccount is a secret read by a role stolen in another account.
func fromAccount(p *planner, j *job) bool {
	from, to := j.at, j.at.Add(30*time.Minute)
	for _, s := range p.secrets(j, from, to, func(s *estate.Secret) bool { return p.owned(s) && p.class(s) != "" }) {
		for _, w := range p.workloads(j, from, to, func(w *estate.Workload) bool {
			return w.Class == p.class(s) && w.Class != estate.CI && w.Account != s.Account && !p.reads(w, s)
		}) {
			p.intrude(j, "from another account", as(w), s, p.draw(StrangerSome), from, to)
			return true
		}
	}
	return false
}

// fromLaptop is a secret of programs read at a person's command line.
func fromLaptop(size Range) incident {
	return func(p *planner, j *job) bool {
		n := p.draw(size)
		from, to := j.at, j.at.Add(25*time.Minute)
		for _, s := range p.secrets(j, from, to, p.oneClass(estate.Lambda, estate.ECS, estate.EC2, estate.EKS)) {
			for _, x := range p.people(j, from, to, func(x *estate.Person) bool { return x.Team != s.App.Team }) {
				in := zone(x.Zone)
				day := p.workday(j.at, in, x.Team.Country)
				from := clock(day, in, x.Begins+1+p.rng.Float64()*(x.Ends-x.Begins-2))
				to := from.Add(25 * time.Minute)
				with, ok := set(x, s.Account)
				if !ok || !p.within(from, to) || rostered(j, x, from, to) || !p.free(j, from, to, personKey(x), with.Role, s.ARN) {
					continue
				}
				p.intrude(j, "from a laptop", byHand(x, with, estate.CLI), s, n, from, to)
				return true
			}
		}
		return false
	}
}

// sameShape is a stranger of the same class in the same account: another
// application's role.
func sameShape(p *planner, j *job) bool {
	from, to := j.at, j.at.Add(20*time.Minute)
	for _, s := range p.secrets(j, from, to, p.oneClass(estate.ECS, estate.Lambda)) {
		for _, w := range p.workloads(j, from, to, func(w *estate.Workload) bool {
			return w.Class == p.class(s) && w.Account == s.Account && w.App != s.App && !p.reads(w, s)
		}) {
			p.intrude(j, "stranger of the same class", as(w), s, p.draw(StrangerHidden), from, to)
			return true
		}
	}
	return false
}

// sameRole is the right role in the wrong place: a container started with the
// role of a function, of which the trust policy allows both.
func sameRole(p *planner, j *job) bool {
	from, to := j.at, j.at.Add(20*time.Minute)
	for _, s := range p.secrets(j, from, to, p.oneClass(estate.Lambda)) {
		w := p.main(s).Workload
		if !p.works(w, from, to) || !p.free(j, from, to, w.Role) {
			continue
		}
		by := as(w)
		by.Class, by.Session, by.Scope, by.Agent = estate.ECS, p.hex(32), "", agentECS
		start := do(from.Add(-3*time.Minute), by, s.Region, "ecs", "RunTask", "", nil)
		p.intrude(j, "same role from a container", by, s, p.draw(StrangerHidden), from.Add(-5*time.Minute), to)
		start.Label = j.label
		start.Params = fmt.Sprintf(`{"cluster":"main","taskDefinition":"%s","overrides":{"taskRoleArn":"%s"}}`, w.Name, w.Role)
		start.By = as(w)
		p.add(start)
		return true
	}
	return false
}
