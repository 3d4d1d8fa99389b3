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
			{burst(BurstHuge), appBurst(BurstHuge), sweep(SweepWide, 25*time.Minute)},
			{burst(BurstMiddle), appBurst(BurstLarge), burst(BurstLarge), sweep(SweepMiddle, 50*time.Minute)},
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
			{partOfGroup(1, PartsSome)},
			{partOfGroup(-1, PartsHidden)},
		},
		finding.SignFailures: {
			{spray(SprayWide, 8*time.Minute), hammer(Hammer, 75*time.Minute), guessSignIn(SignInFails, 7*time.Minute)},
			{failThenOpen, spray(SprayNarrow, 9*time.Minute), hammer(HammerShort, 40*time.Minute), guessSignIn(SignInFew, 9*time.Minute)},
			{lowAndSlow, guessSignIn(SignInSlow, 3*time.Hour)},
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
			{forbidden(DenialsMany, HoursMany, "service"), forbidden(DenialsMany, HoursMany, "resource")},
			{forbidden(DenialsSome, HoursSome, "service"), forbidden(DenialsSome, HoursSome, "resource")},
			{forbidden(DenialsFew, HoursFew, "service"), forbidden(DenialsFew, HoursFew, "resource")},
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

// burst is that a program's credentials, stolen or driven, read one secret so
// many times in an hour.
func burst(size Range) incident {
	return func(p *planner, j *job) bool {
		n := p.draw(size)
		from := j.at.Truncate(time.Hour).Add(time.Duration(p.rng.IntN(15)) * time.Minute)
		to := from.Add(45 * time.Minute)
		if j.difficulty == hidden {
			to = from.Add(time.Hour)
		}
		for _, s := range p.secrets(j, from, to, func(s *estate.Secret) bool {
			return p.owned(s) && (p.blind || fitsBurst(j.difficulty, n, p.steady(s)))
		}) {
			w := p.main(s).Workload
			if !p.works(w, from, to) || !p.free(j, from, to, w.Role) {
				continue
			}
			p.claim(from, to, s.ARN, w.Role)
			l := p.label(j, "burst", from, to)
			l.Account, l.Principal, l.Secrets = s.Account.ID, w.Role, uids(s)
			p.unclear = float64(n) < UnusualTimes*p.steady(s)+10
			by := as(w)
			for _, at := range p.spread(n, from, to) {
				p.add(read(at, by, s, l))
			}
			return true
		}
		return false
	}
}

// appBurst is that one stolen session of a program's own role reads all secrets
// that the program reads, or several, over and over for an hour.
func appBurst(size Range) incident {
	return func(p *planner, j *job) bool {
		n := int(float64(p.draw(size)) * p.drawn(BurstOnApp))
		from := j.at.Truncate(time.Hour).Add(time.Duration(p.rng.IntN(5)) * time.Minute)
		to := from.Add(54 * time.Minute)
		for _, w := range p.workloads(j, from, to, func(w *estate.Workload) bool {
			return w.App != nil && w.Class != estate.CI && w.Class != estate.Static
		}) {
			var secrets []*estate.Secret
			var rate float64
			for _, s := range plainSecrets(w.App) {
				if p.reads(w, s) && p.owned(s) && p.old(s, from, to) && !p.taken(j, s) && p.free(j, from, to, s.ARN) {
					secrets = append(secrets, s)
				}
			}
			if len(secrets) < 2 {
				continue
			}
			p.rng.Shuffle(len(secrets), func(i, k int) { secrets[i], secrets[k] = secrets[k], secrets[i] })
			secrets = secrets[:p.between(2, len(secrets))]
			for _, s := range secrets {
				rate += p.steady(s)
			}
			if !p.blind && !fitsBurst(j.difficulty, n, rate) && (j.difficulty != unusual || rate >= 1 && float64(n) < UnusualTimes*rate+10) {
				continue
			}
			p.unclear = float64(n) < UnusualTimes*rate+10
			by := p.stolen(w)
			l := p.stealing(j, "burst on an application", by, secrets, from, to)
			for _, at := range p.spread(n, from, to) {
				p.add(read(at, by, secrets[p.rng.IntN(len(secrets))], l))
			}
			return true
		}
		return false
	}
}

// slowRise is that reads grow day by day until they are SlowRise times as many.
func slowRise(p *planner, j *job) bool {
	from := j.at.Truncate(24 * time.Hour)
	days, rise := p.draw(SlowDays), p.drawn(SlowRise)
	to := from.AddDate(0, 0, days)
	if !p.within(from, to) {
		return false
	}
	for _, s := range p.secrets(j, from, to, func(s *estate.Secret) bool { return p.owned(s) && (p.blind || p.steady(s) >= 5) && !s.App.Together }) {
		w := p.main(s).Workload
		if !p.works(w, from, to) || !p.free(j, from, to, w.Role) {
			continue
		}
		p.claim(from, to, s.ARN, w.Role)
		l := p.label(j, "slow rise", from, to)
		l.Account, l.Principal, l.Secrets = s.Account.ID, w.Role, uids(s)
		for day := range days {
			p.change(estate.Change{
				From: from.AddDate(0, 0, day), Until: from.AddDate(0, 0, day+1), Workloads: []*estate.Workload{w}, Secrets: []*estate.Secret{s},
				Rate: 1 + (rise-1)*float64(day+1)/float64(days), Label: l,
			})
		}
		return true
	}
	return false
}

// sweep is that one identity reads up to so many different secrets, each once or
// twice: a program's stolen role in its own account, or a person's session in
// all accounts open to it.
func sweep(size Range, length time.Duration) incident {
	return func(p *planner, j *job) bool {
		n := p.draw(size)
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
			return w.Class != estate.CI && w.Class != estate.Static && float64(len(by[w.Account])) >= SweepNarrow.Least
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
			if float64(len(open)) < SweepNarrow.Least {
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
