package trouble

import (
	"time"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/simulate/estate"
)

// troubles are the variants of a kind in a difficulty. The job's round says
// which comes first; the others step in where the world has no place for it.
func troubles(kind string, difficulty int) []incident {
	return map[string][3][]incident{
		finding.SignFrequency: {
			{burst(BurstHuge), sweep(SweepWide, 25*time.Minute)},
			{burst(BurstMiddle), burst(BurstLarge), sweep(SweepMiddle, 50*time.Minute)},
			{burst(BurstSmall), slowRise, sweep(SweepNarrow, 20*time.Hour)},
		},
		finding.SignTime: {
			{personOff(FarOff), batchOff(FarOff), personDayOff(true)},
			{personOff(Off), batchOff(Off), personDayOff(false)},
			{personOff(JustOff), batchOff(JustOff), personHoliday},
		},
		finding.SignCaller: {
			{fromInstance(StrangerPlain), fromLaptop(StrangerPlain)},
			{fromAccount, fromInstance(StrangerSome), fromLaptop(StrangerHidden)},
			{sameShape, sameRole},
		},
		finding.SignGroup: {
			{strangerInGroup},
			{partOfGroup(1, 3)},
			{partOfGroup(-1, 1)},
		},
		finding.SignFailures: {
			{spray(SprayWide, 8*time.Minute), hammer(Hammer, 75*time.Minute), guessSignIn(SignInFails, 7*time.Minute)},
			{failThenOpen, spray(SprayNarrow, 9*time.Minute), hammer(HammerShort, 40*time.Minute), guessSignIn(SignInFew, 9*time.Minute)},
			{lowAndSlow, guessSignIn(SignInFew-2, 3*time.Hour)},
		},
		finding.SignView: {
			{breakGlassView, strangerViews(ViewMany)},
			{strangerViews(ViewOne)},
			{colleagueViews},
		},
		finding.SignRegion: {
			{farRegion, farRegionByRole},
			{replicaByStranger, copiedOut},
			{foreignAddress},
		},
		finding.SignDenials: {
			{forbidden(DenialsMany, time.Hour, "service"), forbidden(DenialsMany, time.Hour, "resource")},
			{forbidden(DenialsSome, 3*time.Hour, "service"), forbidden(DenialsSome, 3*time.Hour, "resource")},
			{forbidden(DenialsFew, DenialsDays*24*time.Hour, "service"), forbidden(DenialsFew, DenialsDays*24*time.Hour, "resource")},
		},
		KindChain: {
			{chainOfPerson, chainOfInstance},
			{chainOfInstance, chainOfPerson},
			{chainOfPerson, chainOfInstance},
		},
	}[kind][difficulty-1]
}

// fitsBurst tells how hard n more calls in an hour are to see where rate is
// usual in a busy one.
func fitsBurst(difficulty, n int, rate float64) bool {
	more := float64(n)
	switch difficulty {
	case plain:
		return more >= PlainTimes*rate+PlainMore
	case unusual:
		return rate >= 1 && more >= UnusualTimes*rate+10 && more < PlainTimes*rate+PlainMore
	}
	return more < UnusualTimes*rate && more >= rate/3
}

// burst is that a program's credentials, stolen or driven, read one secret n
// times in an hour.
func burst(n int) incident {
	return func(p *planner, j *job) bool {
		from := j.at.Truncate(time.Hour).Add(time.Duration(p.rng.IntN(15)) * time.Minute)
		to := from.Add(45 * time.Minute)
		if j.difficulty == hidden {
			to = from.Add(time.Hour)
		}
		for _, s := range p.secrets(j, from, to, func(s *estate.Secret) bool {
			return p.owned(s) && fitsBurst(j.difficulty, n, p.steady(s))
		}) {
			w := p.main(s).Workload
			if !p.works(w, from, to) || !p.free(j, from, to, w.Role) {
				continue
			}
			p.claim(from, to, s.ARN, w.Role)
			l := p.label(j, "burst", from, to)
			l.Account, l.Principal, l.Secrets = s.Account.ID, w.Role, uids(s)
			by := as(w)
			for _, at := range p.spread(n, from, to) {
				p.add(read(at, by, s, l))
			}
			return true
		}
		return false
	}
}

// slowRise is that reads grow day by day until they are SlowRise times as many.
func slowRise(p *planner, j *job) bool {
	from := j.at.Truncate(24 * time.Hour)
	to := from.AddDate(0, 0, SlowDays)
	if !p.within(from, to) {
		return false
	}
	for _, s := range p.secrets(j, from, to, func(s *estate.Secret) bool { return p.owned(s) && p.steady(s) >= 5 && !s.App.Together }) {
		w := p.main(s).Workload
		if !p.works(w, from, to) || !p.free(j, from, to, w.Role) {
			continue
		}
		p.claim(from, to, s.ARN, w.Role)
		l := p.label(j, "slow rise", from, to)
		l.Account, l.Principal, l.Secrets = s.Account.ID, w.Role, uids(s)
		for day := range SlowDays {
			p.change(estate.Change{
				From: from.AddDate(0, 0, day), Until: from.AddDate(0, 0, day+1), Workloads: []*estate.Workload{w}, Secrets: []*estate.Secret{s},
				Rate: 1 + (SlowRise-1)*float64(day+1)/SlowDays, Label: l,
			})
		}
		return true
	}
	return false
}

// sweep is that one identity reads up to n different secrets, each once or
// twice: a program's stolen role in its own account, or a person's session in
// all accounts open to it.
func sweep(n int, length time.Duration) incident {
	return func(p *planner, j *job) bool {
		from := j.at
		to := from.Add(length)
		if !p.within(from, to) {
			return false
		}
		swept := func(s *estate.Secret) bool { return s.App != nil && s.Sort != estate.SortKey }
		all := p.secrets(j, from, to, swept)
		by := map[*estate.Account][]*estate.Secret{}
		for _, s := range all {
			by[s.Account] = append(by[s.Account], s)
		}
		run := func(secrets []*estate.Secret, principal, person string, caller func(*estate.Secret) estate.Caller) bool {
			secrets = secrets[:min(n, len(secrets))]
			l := p.label(j, "sweep", from, to)
			l.Principal, l.Person, l.Secrets = principal, person, uids(secrets...)
			p.claim(from, to, l.Secrets...)
			for i, at := range p.spread(len(secrets), from, to) {
				p.add(read(at, caller(secrets[i]), secrets[i], l))
			}
			return true
		}
		for _, w := range p.workloads(j, from, to, func(w *estate.Workload) bool {
			return w.Class != estate.CI && w.Class != estate.Static && len(by[w.Account]) >= SweepNarrow
		}) {
			caller := as(w)
			p.claim(from, to, w.Role)
			run(by[w.Account], w.Role, "", func(*estate.Secret) estate.Caller { return caller })
			j.label.Account = w.Account.ID
			return true
		}
		for _, x := range p.people(j, from, to, func(*estate.Person) bool { return true }) {
			var open []*estate.Secret
			for _, s := range all {
				if _, ok := set(x, s.Account); ok {
					open = append(open, s)
				}
			}
			if len(open) < SweepNarrow {
				continue
			}
			ip := p.foreign()
			p.claim(from, to, personKey(x))
			first, _ := set(x, open[0].Account)
			return run(open, first.Role, x.Email, func(s *estate.Secret) estate.Caller {
				with, _ := set(x, s.Account)
				c := byHand(x, with, estate.CLI)
				c.IP, c.Agent = ip, agentScript
				return c
			})
		}
		return false
	}
}
