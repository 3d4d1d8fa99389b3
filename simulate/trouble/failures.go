package trouble

import (
	"time"

	"github.com/yagura-sec/yagura/simulate/estate"
)

// thief is a principal for attempts in an account: a program's role or a
// person's session, from where it does not belong.
func (p *planner) thieves(j *job, from, to time.Time, a *estate.Account) []estate.Caller {
	var out []estate.Caller
	for _, w := range p.workloads(j, from, to, func(w *estate.Workload) bool {
		return (a == nil || w.Account == a) && w.App != nil && w.Class != estate.CI && w.Class != estate.Static
	}) {
		out = append(out, p.stolen(w))
	}
	for _, x := range p.people(j, from, to, func(*estate.Person) bool { return true }) {
		for _, s := range x.Sets {
			if (a == nil || s.Account == a) && p.free(j, from, to, s.Role) {
				c := byHand(x, s, estate.CLI)
				c.Agent = agentScript
				out = append(out, c)
				break
			}
		}
	}
	p.rng.Shuffle(len(out), func(i, k int) { out[i], out[k] = out[k], out[i] })
	return out
}

// stealing begins the label of what a thief does, and claims all it touches.
func (p *planner) stealing(j *job, sort string, by estate.Caller, secrets []*estate.Secret, from, to time.Time) *estate.Label {
	l := p.label(j, sort, from, to)
	l.Account, l.Principal, l.Secrets = by.Account.ID, by.Role, uids(secrets...)
	keys := append([]string{by.Role}, l.Secrets...)
	if by.Person != nil {
		l.Person = by.Person.Email
		keys = append(keys, personKey(by.Person))
	}
	p.claim(from, to, keys...)
	return l
}

// notIts are secrets that the caller does not read: those of its account first.
func (p *planner) notIts(j *job, by estate.Caller, from, to time.Time) []*estate.Secret {
	var near, far []*estate.Secret
	for _, s := range p.secrets(j, from, to, func(s *estate.Secret) bool { return s.App != nil && s.Sort != estate.SortKey }) {
		switch {
		case by.Workload != nil && (p.reads(by.Workload, s) || by.Workload.App == s.App),
			by.Person != nil && s.App.Team == by.Person.Team:
		case s.Account == by.Account:
			near = append(near, s)
		default:
			far = append(far, s)
		}
	}
	return append(near, far...)
}

// spray is that a thief tries so many different secrets and is denied each.
func spray(size Range, length time.Duration) incident {
	return func(p *planner, j *job) bool {
		n := p.draw(size)
		from, to := j.at, j.at.Add(length)
		for _, by := range p.thieves(j, from, to, nil) {
			secrets := p.notIts(j, by, from, to)
			if len(secrets) < n {
				continue
			}
			secrets = secrets[:n]
			l := p.stealing(j, "spray", by, secrets, from, to)
			for i, at := range p.spread(n, from, to) {
				p.add(deny(read(at, by, secrets[i], l)))
			}
			return true
		}
		return false
	}
}

// hammer is denials on one secret, further apart than retries are.
func hammer(size Range, length time.Duration) incident {
	return func(p *planner, j *job) bool {
		n := p.draw(size)
		from, to := j.at, j.at.Add(length)
		for _, by := range p.thieves(j, from, to, nil) {
			secrets := p.notIts(j, by, from, to)
			if len(secrets) == 0 || secrets[0].Account != by.Account {
				continue
			}
			l := p.stealing(j, "hammer", by, secrets[:1], from, to)
			for _, at := range p.spread(n, from, to) {
				p.add(deny(read(at, by, secrets[0], l)))
			}
			return true
		}
		return false
	}
}

// failThenOpen is denial upon denial on a few secrets, then one opens.
func failThenOpen(p *planner, j *job) bool {
	from, to := j.at, j.at.Add(25*time.Minute)
	for _, by := range p.thieves(j, from, to, nil) {
		secrets := p.notIts(j, by, from, to)
		if len(secrets) < 3 || secrets[2].Account != by.Account {
			continue
		}
		l := p.stealing(j, "failures, then success", by, secrets[:3], from, to)
		for i, at := range p.spread(p.draw(FailsThenOpen), from, to.Add(-4*time.Minute)) {
			p.add(deny(read(at, by, secrets[i%3], l)))
		}
		p.add(read(to.Add(-2*time.Minute), by, secrets[0], l), read(to.Add(-90*time.Second), by, secrets[0], l))
		return true
	}
	return false
}

// lowAndSlow is denials hours apart, each on another secret.
func lowAndSlow(p *planner, j *job) bool {
	from := j.at
	n := p.draw(SlowFails)
	to := from.Add(p.hours(SlowFailHours))
	if !p.within(from, to) {
		return false
	}
	for _, by := range p.thieves(j, from, to, nil) {
		secrets := p.notIts(j, by, from, to)
		if len(secrets) < n {
			continue
		}
		l := p.stealing(j, "low and slow", by, secrets[:n], from, to)
		for i, at := range p.spread(n, from, to) {
			p.add(deny(read(at, by, secrets[i], l)))
		}
		return true
	}
	return false
}

// guessSignIn is failed sign-ins to the console, then one that succeeds.
func guessSignIn(size Range, length time.Duration) incident {
	return func(p *planner, j *job) bool {
		n := p.draw(size)
		from, to := j.at, j.at.Add(length)
		if !p.within(from, to) {
			return false
		}
		x, ok := firstOf(p.people(j, from, to, func(*estate.Person) bool { return true }))
		if !ok {
			return false
		}
		a, ip := x.Sets[0].Account, p.foreign()
		if j.difficulty == hidden {
			ip = x.Home
		}
		p.claim(from, to, personKey(x), SignInUser(x, a))
		l := p.label(j, "guessed sign-in", from, to)
		name := lastPart(SignInUser(x, a))
		l.Account, l.Principal, l.Person = a.ID, SignInUser(x, a), name
		for _, at := range p.spread(n, from, to.Add(-length/10)) {
			p.add(signIn(at, x, a, ip, false, l))
		}
		p.add(signIn(to.Add(-length/20), x, a, ip, true, l))
		return true
	}
}

// signIns are the ordinary days of those who have a user besides single
// sign-on, among them all whom sign-in trouble happens to: mostly right the
// first time.
func (p *planner) signIns() {
	type user struct {
		x *estate.Person
		a *estate.Account
	}
	var users []user
	seen := map[string]bool{}
	add := func(x *estate.Person, a *estate.Account) {
		if !seen[SignInUser(x, a)] {
			seen[SignInUser(x, a)] = true
			users = append(users, user{x, a})
		}
	}
	for _, c := range p.plan.Calls {
		if c.SignIn != "" {
			add(c.By.Person, c.Account)
		}
	}
	for _, x := range p.w.People {
		if len(x.Sets) > 0 && p.rng.Float64() < SignInUsers {
			add(x, x.Sets[0].Account)
		}
	}
	for _, u := range users {
		in := zone(u.x.Zone)
		for day := p.w.Start; day.Before(p.w.End); day = day.AddDate(0, 0, 1) {
			at := clock(day, in, u.x.Begins+0.5*p.rng.Float64())
			if !p.present(u.x, at) || p.rng.Float64() > SignInsEachDay {
				continue
			}
			if p.rng.Float64() < SignInTypos {
				p.plan.Calls = append(p.plan.Calls, signIn(at.Add(-20*time.Second), u.x, u.a, u.x.Office, false, nil))
			}
			p.plan.Calls = append(p.plan.Calls, signIn(at, u.x, u.a, u.x.Office, true, nil))
		}
	}
}

// present tells whether the logs are of at and the person works that day.
func (p *planner) present(x *estate.Person, at time.Time) bool {
	return at.After(p.w.Start.Add(time.Minute)) && at.Before(p.w.End) && estate.Workday(x.Team.Country, at.In(zone(x.Zone))) &&
		(x.Joined.IsZero() || at.After(x.Joined)) && (x.Left.IsZero() || at.Before(x.Left))
}

// stumbles are everyday denials by policies of the organisation: somebody tries
// what is not allowed, once.
func (p *planner) stumbles() {
	crew := map[*estate.Account][]*estate.Person{}
	for _, x := range p.w.People {
		for _, s := range x.Sets {
			crew[s.Account] = append(crew[s.Account], x)
		}
	}
	for _, a := range p.w.Accounts {
		for day := p.w.Start; day.Before(p.w.End) && len(crew[a]) > 0; day = day.AddDate(0, 0, 1) {
			if p.rng.Float64() >= Stumbles {
				continue
			}
			x := crew[a][p.rng.IntN(len(crew[a]))]
			with, _ := set(x, a)
			at := clock(day, zone(x.Zone), x.Begins+p.rng.Float64()*(x.Ends-x.Begins))
			if !p.present(x, at) || !p.free(&job{}, at, at.Add(time.Minute), personKey(x), with.Role) {
				continue
			}
			g := guarded[1+2*p.rng.IntN(2)]
			c := do(at, byHand(x, with, estate.CLI), a.Home, g.service, g.operation, g.params, nil)
			if g.service == "iam" {
				c.Region = "us-east-1"
			}
			c.Resource = anyOf(g.service, a.Home, a)
			p.plan.Calls = append(p.plan.Calls, forbid(c, "service"))
		}
	}
}

// guarded are operations that policies of an organisation forbid.
var guarded = []struct{ service, operation, params string }{
	{"cloudtrail", "StopLogging", `{"name":"organisation"}`},
	{"iam", "CreateUser", `{"userName":"svc-backup"}`},
	{"ec2", "RunInstances", `{"instancesSet":{"items":[{"minCount":4,"maxCount":4}]},"instanceType":"p5.48xlarge"}`},
	{"s3", "PutBucketPolicy", `{"bucketName":"exports"}`},
	{"organizations", "LeaveOrganization", ``},
	{"kms", "DisableKey", `{"keyId":"alias/main"}`},
	{"guardduty", "DeleteDetector", `{"detectorId":"b6b1c2"}`},
	{"iam", "CreateAccessKey", `{"userName":"svc-backup"}`},
	{"s3", "PutBucketAcl", `{"bucketName":"exports"}`},
	{"ec2", "ModifySnapshotAttribute", `{"snapshotId":"snap-0a1b2c3d4e5f60718"}`},
	{"config", "StopConfigurationRecorder", `{"configurationRecorderName":"default"}`},
	{"ram", "CreateResourceShare", `{"name":"shared"}`},
}

// forbidden is a run of denials by a policy of the organisation, over several
// operations; by a resource control policy on secrets of the account as well.
func forbidden(size, length Range, policy string) incident {
	return func(p *planner, j *job) bool {
		n := p.draw(size)
		from, to := j.at, j.at.Add(p.hours(length))
		if !p.within(from, to) {
			return false
		}
		for _, by := range p.thieves(j, from, to, nil) {
			var secrets []*estate.Secret
			if policy == "resource" {
				secrets = p.notIts(j, by, from, to)
				if len(secrets) < 2 || secrets[1].Account != by.Account {
					continue
				}
				secrets = secrets[:2]
			}
			l := p.stealing(j, "denied by a "+policy+" control policy", by, secrets, from, to)
			for i, at := range p.spread(n, from, to) {
				if len(secrets) > 0 && i%2 == 0 {
					p.add(forbid(read(at, by, secrets[i/2%2], l), policy))
					continue
				}
				g := guarded[(i*5+int(at.Unix()/3600))%len(guarded)]
				if policy == "resource" {
					g = guarded[3+5*(i/2%2)] // what such policies are for: buckets
				}
				c := do(at, by, by.Account.Home, g.service, g.operation, g.params, l)
				if g.service == "iam" || g.service == "organizations" {
					c.Region = "us-east-1"
				}
				c.Resource = anyOf(g.service, by.Account.Home, by.Account)
				p.add(forbid(c, policy))
			}
			return true
		}
		return false
	}
}
