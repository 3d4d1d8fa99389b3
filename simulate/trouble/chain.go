package trouble

import (
	"time"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/simulate/estate"
)

// part is the label of one sign of a chain.
func (p *planner) part(chain *estate.Label, kind, sort string, from, to time.Time, by estate.Caller, secrets ...*estate.Secret) *estate.Label {
	l := &estate.Label{
		ID: chain.ID + kind, Kind: kind, Difficulty: chain.Difficulty, Benign: chain.Benign, Blind: chain.Blind, Sort: sort, PartOf: chain.ID,
		Start: from, End: to, Account: by.Account.ID, Principal: by.Role, Person: chain.Person, Secrets: uids(secrets...),
	}
	chain.Kinds = append(chain.Kinds, kind)
	p.labels = append(p.labels, l)
	return l
}

// chainOfPerson is a person's stolen session that tries secrets and is denied,
// opens one in the console, and reads its copy in a region nobody uses.
func chainOfPerson(p *planner, j *job) bool {
	tries := p.draw(map[int]Range{plain: SprayWide, unusual: SprayNarrow, hidden: SprayChain}[j.difficulty])
	reads := p.draw(map[int]Range{plain: RegionMany, unusual: RegionSome, hidden: RegionOne}[j.difficulty])
	from, to := j.at, j.at.Add(90*time.Minute)
	if !p.within(from, to) {
		return false
	}
	for _, s := range p.secrets(j, from, to, p.copied) {
		for _, x := range p.people(j, from, to, func(x *estate.Person) bool { return x.Team != s.App.Team }) {
			with, ok := set(x, s.Account)
			if !ok || !p.free(j, from, to, with.Role) {
				continue
			}
			cli, console := byHand(x, with, estate.CLI), byHand(x, with, estate.Console)
			cli.IP, cli.Agent = p.foreign(), agentScript
			console.IP = cli.IP
			var tried []*estate.Secret
			for _, t := range p.notIts(j, cli, from, to) {
				if t != s && len(tried) < tries {
					tried = append(tried, t)
				}
			}
			if len(tried) < tries {
				continue
			}
			chain := p.stealing(j, "kill chain of a person's session", cli, append([]*estate.Secret{s}, tried...), from, to)
			first := p.part(chain, finding.SignFailures, "spray", from, from.Add(15*time.Minute), cli, tried...)
			for i, at := range p.spread(tries, first.Start, first.End) {
				p.add(deny(read(at, cli, tried[i], first)))
			}
			second := p.part(chain, finding.SignView, "opened by a stranger", from.Add(30*time.Minute), from.Add(45*time.Minute), console, s)
			p.look(console, []*estate.Secret{s}, second.Start, second.End, second)
			third := p.part(chain, finding.SignRegion, "unused region", from.Add(time.Hour), to, cli, s)
			alsoIn(third, p.unused(s.Account), s)
			for _, at := range p.spread(reads, third.Start, third.End) {
				p.add(readIn(p.unused(s.Account), read(at, cli, s, third)))
			}
			return true
		}
	}
	return false
}

// chainOfInstance is an instance that reads a secret it has no business with,
// very often.
func chainOfInstance(p *planner, j *job) bool {
	n := p.draw(map[int]Range{plain: BurstHuge, unusual: BurstLarge, hidden: BurstMiddle}[j.difficulty])
	from, to := j.at.Truncate(time.Hour), j.at.Truncate(time.Hour).Add(50*time.Minute)
	for _, s := range p.secrets(j, from, to, func(s *estate.Secret) bool {
		return p.oneClass(estate.Lambda, estate.ECS, estate.EKS)(s) && (p.blind || fitsBurst(j.difficulty, n, p.steady(s)))
	}) {
		w, ok := firstOf(p.workloads(j, from, to, func(w *estate.Workload) bool {
			return w.Class == estate.EC2 && w.Account == s.Account && !p.reads(w, s)
		}))
		if !ok {
			continue
		}
		by := as(w)
		chain := p.stealing(j, "kill chain of an instance", by, []*estate.Secret{s}, from, to)
		first := p.part(chain, finding.SignCaller, "from an instance", from, from.Add(5*time.Minute), by, s)
		for _, at := range p.spread(p.draw(StrangerSome), first.Start, first.End) {
			p.add(read(at, by, s, first))
		}
		second := p.part(chain, finding.SignFrequency, "burst", from.Add(5*time.Minute), to, by, s)
		for _, at := range p.spread(n, second.Start, second.End) {
			p.add(read(at, by, s, second))
		}
		return true
	}
	return false
}
