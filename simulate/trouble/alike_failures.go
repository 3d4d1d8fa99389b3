package trouble

import (
	"time"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/simulate/estate"
)

// tightened is that a policy forgets a program: the same call fails again and
// again, nothing else.
func tightened(p *planner, j *job) bool {
	from := j.at
	to := from.Add(BrokenHours * time.Hour)
	for _, a := range p.busyApps(j, from, to) {
		w := busiest(a)
		s := readBy(w, from)[0]
		by, ok := p.ci(a.Account, a.Team)
		if !ok || a.Together {
			continue // of a group all would fail
		}
		l := p.planned(j, "tightened permissions", "a policy was tightened and breaks one program: one call fails on and on", a, []*estate.Secret{s}, w.Role, from, to)
		change := do(from, by, "us-east-1", "iam", "PutRolePolicy", `{"roleName":"`+lastPart(w.Role)+`","policyName":"read-secrets"}`, l)
		change.Resource = w.Role
		mend := change
		mend.At = to.Add(-time.Minute)
		p.add(change, mend)
		p.change(estate.Change{From: from.Add(time.Minute), Until: to.Add(-time.Minute), Workloads: []*estate.Workload{w}, Secrets: []*estate.Secret{s}, Error: "AccessDenied", Label: l})
		broken := p.stolen(w)
		for _, at := range p.spread(BrokenHours*60, from.Add(time.Minute), to.Add(-time.Minute)) {
			p.add(deny(read(at, broken, s, l))) // it tries every minute
		}
		p.announce(j, "change", "tighter permissions for "+a.Name, a.Team.Name)
		j.told.Kinds = []string{finding.SignFailures, finding.SignFrequency, finding.SignTime}
		return true
	}
	return false
}

// expiredBuild is a pipeline whose credentials have run out.
func expiredBuild(p *planner, j *job) bool {
	from := j.at
	to := from.Add(BrokenHours * time.Hour)
	if !p.within(from, to) {
		return false
	}
	for _, w := range p.workloads(j, from, to, func(w *estate.Workload) bool { return w.Class == estate.CI && (w.App != nil || w.Name == "ci-deploy") }) {
		var secrets []*estate.Secret
		if w.App != nil {
			secrets = readBy(w, from)
		}
		if !p.free(j, from, to, uids(secrets...)...) {
			continue
		}
		l := p.label(j, "expired credentials of a pipeline", from, to)
		l.Why, l.Account, l.Principal = "the pipeline's token ran out; it tries again until somebody renews it", w.Account.ID, w.Role
		l.Secrets = uids(secrets[:min(1, len(secrets))]...)
		p.claim(from, to, append([]string{w.Role}, l.Secrets...)...)
		for _, at := range p.spread(BrokenHours*20, from, to) {
			c := do(at, as(w), w.Region, "ssm", "DescribeParameters", `{"maxResults":50}`, l)
			if len(secrets) > 0 {
				c = read(at, as(w), secrets[0], l)
			}
			c.Error, c.Message = "ExpiredTokenException", "The security token included in the request is expired"
			p.add(c)
		}
		j.known = seldom
		p.announce(j, "change", "renewal of the pipeline's token in "+w.Account.Name, "platform")
		j.told.Kinds = []string{finding.SignFailures, finding.SignTime}
		return true
	}
	return false
}

// penetrationTest is what attackers do, by somebody asked to: declared.
func penetrationTest(p *planner, j *job) bool {
	from := j.at
	to := from.Add(3 * time.Hour)
	if !p.within(from, to) {
		return false
	}
	for _, x := range p.people(j, from, to, func(*estate.Person) bool { return true }) {
		with := x.Sets[0]
		if !p.free(j, from, to, with.Role) {
			continue
		}
		by := byHand(x, with, estate.CLI)
		by.Agent = agentScript
		secrets := p.notIts(j, by, from, to)
		n := p.draw(SprayNarrow)
		if len(secrets) < n {
			continue
		}
		secrets = secrets[:n]
		l := p.stealing(j, "penetration test", by, secrets, from, to)
		l.Why = "a penetration test that was announced"
		for i, at := range p.spread(2*n, from, from.Add(time.Hour)) {
			p.add(deny(read(at, by, secrets[i%len(secrets)], l)))
		}
		for i, at := range p.spread(p.draw(DenialsSome), from.Add(time.Hour), from.Add(2*time.Hour)) {
			g := guarded[i%len(guarded)]
			c := do(at, by, with.Account.Home, g.service, g.operation, g.params, l)
			c.Resource = anyOf(g.service, with.Account.Home, with.Account)
			p.add(forbid(c, "service"))
		}
		if j.kind == KindChain {
			l.Kinds = []string{finding.SignFailures, finding.SignDenials, finding.SignView}
			console := byHand(x, with, estate.Console)
			if near := secrets[0]; near.Account == with.Account {
				p.look(console, secrets[:1], from.Add(2*time.Hour), to, l)
			}
		}
		j.known = always
		p.announce(j, "test", "penetration test by "+x.Name, x.Team.Name)
		j.told.Accounts = nil // its targets are in several
		return true
	}
	return false
}

// newGuardrail is a policy of the organisation that breaks what a pipeline has
// always done.
func newGuardrail(p *planner, j *job) bool {
	from := j.at
	to := from.Add(BrokenHours * time.Hour)
	if !p.within(from, to) {
		return false
	}
	w, ok := firstOf(p.workloads(j, from, to, func(w *estate.Workload) bool { return w.Class == estate.CI && w.App == nil && w.Name == "ci-deploy" }))
	if !ok {
		return false
	}
	l := p.label(j, "new guardrail", from, to)
	l.Why, l.Account, l.Principal = "a new policy of the organisation forbids what the pipeline always did: one operation fails on and on", w.Account.ID, w.Role
	p.claim(from, to, w.Role)
	admin, ok := p.ci(p.w.Accounts[0], nil)
	if ok {
		p.add(do(from, admin, "us-east-1", "organizations", "AttachPolicy", `{"policyId":"p-guard01","targetId":"`+w.Account.ID+`"}`, l))
	}
	by := p.stolen(w)
	by.Session = "GitHubActions"
	for i, at := range p.spread(p.between(int(DenialsSome.Least), int(DenialsMany.Most)), from.Add(time.Minute), to) {
		g := guarded[3]
		if i%9 == 8 {
			g = guarded[8]
		}
		c := do(at, by, w.Region, g.service, g.operation, g.params, l)
		c.Resource = "arn:aws:s3:::exports"
		p.add(forbid(c, "service"))
	}
	p.announce(j, "change", "new guardrails in "+w.Account.Name, "platform")
	j.told.Kinds = []string{finding.SignDenials, finding.SignFailures}
	return true
}
