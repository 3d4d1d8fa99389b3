package trouble

import (
	"slices"
	"time"

	"github.com/yagura-sec/yagura/simulate/estate"
)

// copied are secrets of programs that can be copied to other regions.
func (p *planner) copied(s *estate.Secret) bool { return p.owned(s) && s.Sort == estate.SortSecret }

// alsoIn adds to a label how calls to the region name its secrets.
func alsoIn(l *estate.Label, region string, secrets ...*estate.Secret) {
	for _, s := range secrets {
		if u := NamedIn(s, region); !slices.Contains(l.Secrets, u) {
			l.Secrets = append(l.Secrets, u)
		}
	}
}

// readIn reads a copy of the secret in another region.
func readIn(region string, c estate.Call) estate.Call {
	c.Region = region
	return c
}

// farRegion is that a person's stolen session reads a secret's copy in a region
// that the account does not use.
func farRegion(p *planner, j *job) bool {
	from, to := j.at, j.at.Add(20*time.Minute)
	for _, s := range p.secrets(j, from, to, p.copied) {
		region := p.unused(s.Account)
		for _, x := range p.people(j, from, to, func(*estate.Person) bool { return true }) {
			with, ok := set(x, s.Account)
			if !ok || !p.free(j, from, to, with.Role) {
				continue
			}
			by := byHand(x, with, estate.CLI)
			by.IP, by.Agent = p.foreign(), agentScript
			l := p.stealing(j, "unused region", by, []*estate.Secret{s}, from, to)
			alsoIn(l, region, s)
			for _, at := range p.spread(p.draw(RegionMany), from, to) {
				p.add(readIn(region, read(at, by, s, l)))
			}
			return true
		}
	}
	return false
}

// farRegionByRole is the same by the stolen role of the program itself.
func farRegionByRole(p *planner, j *job) bool {
	from, to := j.at, j.at.Add(20*time.Minute)
	for _, s := range p.secrets(j, from, to, p.copied) {
		w := p.main(s).Workload
		if !p.works(w, from, to) || !p.free(j, from, to, w.Role) {
			continue
		}
		by := as(w)
		by.IP, by.VPCE = p.foreign(), ""
		l := p.stealing(j, "unused region", by, []*estate.Secret{s}, from, to)
		alsoIn(l, p.unused(s.Account), s)
		for _, at := range p.spread(p.draw(RegionMany), from, to) {
			p.add(readIn(p.unused(s.Account), read(at, by, s, l)))
		}
		return true
	}
	return false
}

// replicaByStranger is that another application's role reads the copy in a
// region where there is one, or one for disasters.
func replicaByStranger(p *planner, j *job) bool {
	from, to := j.at, j.at.Add(20*time.Minute)
	with := p.secrets(j, from, to, func(s *estate.Secret) bool { return p.copied(s) && len(s.Replicas) > 0 })
	with = append(with, p.secrets(j, from, to, func(s *estate.Secret) bool { return p.copied(s) && len(s.Replicas) == 0 })...)
	for _, s := range with {
		region := p.spare(s.Account)
		if len(s.Replicas) > 0 {
			region = s.Replicas[0]
		}
		for _, w := range p.workloads(j, from, to, func(w *estate.Workload) bool {
			return w.Account == s.Account && w.App != s.App && w.Class != estate.CI && !p.reads(w, s)
		}) {
			by := as(w)
			l := p.stealing(j, "copy read by a stranger", by, []*estate.Secret{s}, from, to)
			alsoIn(l, region, s)
			for _, at := range p.spread(p.draw(RegionSome), from, to) {
				p.add(readIn(region, read(at, by, s, l)))
			}
			return true
		}
	}
	return false
}

// copiedOut is that a thief makes the copy himself, then reads it.
func copiedOut(p *planner, j *job) bool {
	from, to := j.at, j.at.Add(40*time.Minute)
	for _, s := range p.secrets(j, from, to, func(s *estate.Secret) bool { return p.copied(s) && len(s.Replicas) == 0 }) {
		for _, x := range p.people(j, from, to, func(x *estate.Person) bool { return x.Team != s.App.Team }) {
			with, ok := set(x, s.Account)
			if !ok || !p.free(j, from, to, with.Role) {
				continue
			}
			by := byHand(x, with, estate.CLI)
			by.Agent = agentScript
			region := p.unused(s.Account)
			l := p.stealing(j, "copied to an unused region", by, []*estate.Secret{s}, from, to)
			alsoIn(l, region, s)
			p.add(replicated(from, by, s, region, l))
			for _, at := range p.spread(p.draw(RegionSome), from.Add(10*time.Minute), to) {
				p.add(readIn(region, read(at, by, s, l)))
			}
			return true
		}
	}
	return false
}

// foreignAddress is that the program's stolen role reads where it always does,
// from where it never is.
func foreignAddress(p *planner, j *job) bool {
	from, to := j.at, j.at.Add(20*time.Minute)
	for _, s := range p.secrets(j, from, to, func(s *estate.Secret) bool { return p.copied(s) && p.class(s) != estate.CI }) {
		w := p.main(s).Workload
		if slices.Contains([]estate.Class{estate.CI, estate.Static}, w.Class) || !p.works(w, from, to) || !p.free(j, from, to, w.Role) {
			continue
		}
		by := as(w)
		by.IP, by.VPCE, by.Agent = p.foreign(), "", agentScript
		l := p.stealing(j, "foreign address", by, []*estate.Secret{s}, from, to)
		for _, at := range p.spread(p.draw(RegionSome), from, to) {
			p.add(read(at, by, s, l))
		}
		return true
	}
	return false
}
