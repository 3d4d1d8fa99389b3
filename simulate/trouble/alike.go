package trouble

import (
	"time"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/simulate/estate"
)

// alikes are what looks like trouble of a kind and is none. The jobs take
// turns.
func alikes(kind string) []incident {
	return map[string][]incident{
		finding.SignFrequency: {deployStorm(true), loadTest, cacheFlush, deployStorm(false), monthEnd, autoscale, newMember},
		finding.SignTime:      {nightMaintenance, onCallPage, clockChange, travel},
		finding.SignCaller:    {migration, renamedRole, teamChange, newMember},
		finding.SignGroup:     {rotatedMember, cachedReads, goneMember},
		finding.SignFailures:  {tightened, expiredBuild, penetrationTest},
		finding.SignView:      {auditorsTour, ownerDebugs, teamChange},
		finding.SignRegion:    {drill, expansion, failover, travel},
		finding.SignDenials:   {newGuardrail, penetrationTest},
		KindChain:             {penetrationTest, drill},
	}[kind]
}

// busierKinds are signs that more work of the same programs may show.
var busierKinds = []string{finding.SignFrequency, finding.SignTime, finding.SignGroup}

// planned begins the label of something harmless done to an application.
func (p *planner) planned(j *job, sort, why string, a *estate.App, secrets []*estate.Secret, principal string, from, to time.Time) *estate.Label {
	l := p.label(j, sort, from, to)
	l.Why, l.Account, l.Principal, l.Secrets = why, a.Account.ID, principal, uids(secrets...)
	p.claim(from, to, append(appKeys(a), principal)...)
	return l
}

// busyApps are applications with a program that reads several times an hour.
func (p *planner) busyApps(j *job, from, to time.Time) []*estate.App {
	if !p.within(from, to) {
		return nil
	}
	return p.apps(j, from, to, func(a *estate.App) bool { return busiest(a) != nil })
}

// busiest is the program of the application with most reads, at least
// BusyPerHour, of those that do not only build it.
func busiest(a *estate.App) *estate.Workload {
	var best *estate.Workload
	most := BusyPerHour
	for _, w := range a.Workloads {
		var sum float64
		for _, r := range w.Reads {
			if r.Rhythm == estate.Office || r.Rhythm == estate.Flat {
				sum += r.Rate
			}
		}
		if w.Class != estate.CI && sum >= most {
			best, most = w, sum
		}
	}
	return best
}

// readBy are the secrets that a program reads and has long read, in its own
// order.
func readBy(w *estate.Workload, at time.Time) []*estate.Secret {
	var out []*estate.Secret
	for _, r := range w.Reads {
		if s := r.Secret; (s.Created.IsZero() || s.Created.Add(YoungestSecret).Before(at)) && (s.Deleted.IsZero() || at.Before(s.Deleted)) {
			out = append(out, s)
		}
	}
	return out
}

// starts lets n new tasks of a program read all its secrets.
func (p *planner) starts(w *estate.Workload, n int, from, to time.Time, l *estate.Label) {
	secrets := readBy(w, from)
	for _, at := range p.spread(n, from, to) {
		by := as(w)
		if w.Class != estate.Lambda {
			by = p.stolen(w) // a task of its own
		}
		for k, s := range secrets {
			p.add(read(at.Add(time.Duration(k)*700*time.Millisecond), by, s, l))
		}
	}
}

// deployStorm is a deploy after which every new task reads all secrets; where
// the log has no marker of it, the pipeline runs in an account without a trail.
func deployStorm(marked bool) incident {
	return func(p *planner, j *job) bool {
		from, to := j.at, j.at.Add(25*time.Minute)
		a, ok := firstOf(p.busyApps(j, from, to))
		if !ok {
			return false
		}
		w := busiest(a)
		sort, why := "deploy storm", "a deploy: its new tasks read all secrets as they start"
		if !marked {
			sort, why = "deploy storm without a marker", "a deploy by hand of which the log says nothing"
		}
		l := p.planned(j, sort, why, a, readBy(w, from), w.Role, from, to)
		if by, ok := p.ci(a.Account, a.Team); ok && marked {
			p.add(deployed(from, by, w, l)...)
		}
		p.starts(w, p.between(StormFewest, StormMost), from.Add(90*time.Second), to.Add(-time.Minute), l)
		p.announce(j, "deploy", "deploy of "+a.Name, a.Team.Name)
		j.told.Kinds = busierKinds
		return true
	}
}

// more lets programs call times as often for a while.
func (p *planner) more(j *job, sort, why, title string, times Range, length time.Duration, fits func(*estate.App) bool) bool {
	from := j.at.Truncate(30 * time.Minute)
	to := from.Add(length)
	for _, a := range p.busyApps(j, from, to) {
		if !fits(a) {
			continue
		}
		w := busiest(a)
		l := p.planned(j, sort, why, a, readBy(w, from), w.Role, from, to)
		p.change(estate.Change{From: from, Until: to, Workloads: []*estate.Workload{w}, Secrets: readBy(w, from), Rate: p.drawn(times), Label: l})
		p.announce(j, "test", title+" of "+a.Name, a.Team.Name)
		j.told.Kinds = busierKinds
		return true
	}
	return false
}

func loadTest(p *planner, j *job) bool {
	return p.more(j, "load test", "a load test: the same programs, many times as many calls", "load test", LoadTest, LoadHours*time.Hour,
		func(a *estate.App) bool { return true })
}

// monthEnd is that a batch job has MonthEnd times as much to do on the last day
// of a month.
func monthEnd(p *planner, j *job) bool {
	for day := p.w.TroubleAt.Truncate(24 * time.Hour); day.Before(p.w.End); day = day.AddDate(0, 0, 1) {
		from, to := day, day.AddDate(0, 0, 1)
		if to.Day() != 1 || !p.within(from, to) {
			continue
		}
		for _, r := range p.batches(j, from, to) {
			w, s := r.Workload, r.Secret
			run := clock(day, zone(teamZone(w)), float64(r.Minute)/60+2.0/60)
			if w.App == nil || run.Before(from) || !run.Add(20*time.Minute).Before(to) {
				continue
			}
			l := p.label(j, "month-end batch", from, to)
			l.Why, l.Account, l.Principal, l.Secrets = "the batch job of the month's end has more to do", w.Account.ID, w.Role, uids(s)
			p.claim(from, to, s.ARN, w.Role)
			for _, at := range p.spread(int(MonthEnd-1)*runs(r)+StormFewest, run, run.Add(15*time.Minute)) {
				p.add(read(at, as(w), s, l))
			}
			p.announce(j, "batch", "month-end closing of "+w.App.Name, w.App.Team.Name)
			j.told.Kinds = busierKinds
			return true
		}
	}
	return false
}

// autoscale is that a service grows: tasks start one after the other.
func autoscale(p *planner, j *job) bool {
	from, to := j.at, j.at.Add(40*time.Minute)
	for _, a := range p.busyApps(j, from, to) {
		w := busiest(a)
		if w.Class != estate.ECS && w.Class != estate.EC2 && w.Class != estate.EKS {
			continue
		}
		l := p.planned(j, "autoscale", "a service grows under load: each new task reads all secrets", a, readBy(w, from), w.Role, from, to)
		host := "autoscaling.amazonaws.com"
		by := estate.Caller{Class: estate.Service, Role: host, Account: a.Account, IP: host, Agent: host}
		p.add(do(from, by, w.Region, "ec2", "RunInstances", `{"instancesSet":{"items":[{"minCount":6,"maxCount":6}]},"instanceType":"m7g.large"}`, l))
		p.starts(w, p.draw(ScaleStarts), from.Add(time.Minute), to.Add(-time.Minute), l)
		j.known = seldom
		p.announce(j, "event", "campaign of "+a.Team.Name+": more load on "+a.Name, a.Team.Name)
		j.told.Kinds = busierKinds
		return true
	}
	return false
}

// cacheFlush is a mass restart: all programs read everything again and again.
func cacheFlush(p *planner, j *job) bool {
	from, to := j.at, j.at.Add(30*time.Minute)
	for _, a := range p.busyApps(j, from, to) {
		w := busiest(a)
		l := p.planned(j, "cache flush", "caches were emptied: every task reads every secret again", a, readBy(w, from), w.Role, from, to)
		p.starts(w, p.draw(FlushReads), from, to.Add(-time.Minute), l)
		p.announce(j, "maintenance", "restart of all tasks of "+a.Name, a.Team.Name)
		j.told.Kinds = busierKinds
		return true
	}
	return false
}

// migration is that functions become containers: the build makes the service
// and its role, then the functions fall silent.
func migration(p *planner, j *job) bool {
	return p.successor(j, "migration from Lambda to ECS", "the functions moved into containers; the build made the service first",
		func(w *estate.Workload) *estate.Workload {
			if w.Class != estate.Lambda {
				return nil
			}
			next := *w
			next.Name, next.Class, next.Internal = w.Name+"-svc", estate.ECS, true
			next.Role = "arn:aws:iam::" + w.Account.ID + ":role/" + next.Name + "-task"
			return &next
		})
}

// renamedRole is that a program goes on under another role.
func renamedRole(p *planner, j *job) bool {
	return p.successor(j, "role renamed, blue to green", "the same program under a new role; the build made the role first",
		func(w *estate.Workload) *estate.Workload {
			if w.Class == estate.Lambda || w.Class == estate.CI {
				return nil
			}
			next := *w
			next.Name = w.Name + "-green"
			next.Role = "arn:aws:iam::" + w.Account.ID + ":role/" + next.Name
			return &next
		})
}

// Settling is how long after a change for good its traces count as its own.
const Settling = 24 * time.Hour

// successor replaces a program by the one that next makes of it, for good.
func (p *planner) successor(j *job, sort, why string, next func(*estate.Workload) *estate.Workload) bool {
	from := j.at
	to := from.Add(Settling)
	if !p.within(from, to) {
		return false
	}
	for _, a := range p.apps(j, from, p.w.End, func(a *estate.App) bool { return busiest(a) != nil }) {
		w := busiest(a)
		heir := next(w)
		by, ok := p.ci(a.Account, a.Team)
		if heir == nil || !ok {
			continue
		}
		heir.Reads = nil
		for _, r := range w.Reads {
			c := *r
			c.Workload = heir
			heir.Reads = append(heir.Reads, &c)
		}
		l := p.label(j, sort, from, to)
		l.Why, l.Account, l.Principal, l.Secrets = why, a.Account.ID, heir.Role, uids(readBy(w, from)...)
		p.claim(from, p.w.End, append(appKeys(a), heir.Role)...)
		p.add(built(from, by, heir, heir.Region, l)...)
		heir.From = from.Add(10 * time.Minute)
		p.change(estate.Change{From: heir.From, Until: to, Workloads: []*estate.Workload{heir}, Rate: 1, Label: l})
		p.lasting = func() {
			w.Until = heir.From
			a.Workloads = append(a.Workloads, heir)
			p.w.Workloads = append(p.w.Workloads, heir)
		}
		p.announce(j, "migration", sort+": "+a.Name, a.Team.Name)
		return true
	}
	return false
}

// rotatedMember is that one secret of a group gets a new value and only that is
// read again.
func rotatedMember(p *planner, j *job) bool {
	from, to := j.at, j.at.Add(30*time.Minute)
	for _, a := range p.groups(j, from, to) {
		w, s := p.starter(a), plainSecrets(a)[p.rng.IntN(len(plainSecrets(a)))]
		by, ok := p.ci(a.Account, a.Team)
		if !ok {
			continue
		}
		l := p.planned(j, "rotation of one of a group", "one secret of the group was renewed and read again by itself", a, []*estate.Secret{s}, w.Role, from, to)
		p.add(renewed(from, by, s, l)...)
		for _, at := range p.spread(3, from.Add(2*time.Minute), to) {
			p.add(read(at, p.stolen(w), s, l))
		}
		p.announce(j, "rotation", "new value of "+s.Name, a.Team.Name)
		return true
	}
	return false
}

// renewed are the records of a secret's new value.
func renewed(at time.Time, by estate.Caller, s *estate.Secret, l *estate.Label) []estate.Call {
	on := func(after time.Duration, service, operation, params string) estate.Call {
		c := do(at.Add(after), by, s.Region, service, operation, params, l)
		c.Secret, c.Account = s, s.Account
		return c
	}
	if s.Sort == estate.SortParameter {
		return []estate.Call{on(0, "ssm", "PutParameter", `{"name":"`+s.Name+`","type":"SecureString","overwrite":true}`)}
	}
	return []estate.Call{
		on(0, "secretsmanager", "DescribeSecret", `{"secretId":"`+s.ARN+`"}`),
		on(2*time.Second, "secretsmanager", "PutSecretValue", `{"secretId":"`+s.ARN+`","versionStages":["AWSPENDING"]}`),
		on(9*time.Second, "secretsmanager", "UpdateSecretVersionStage", `{"secretId":"`+s.ARN+`","versionStage":"AWSCURRENT"}`),
	}
}

// goneMember is that one secret of a group is deleted: the others are read on.
func goneMember(p *planner, j *job) bool {
	from := j.at
	to := from.Add(Settling)
	if !p.within(from, to) {
		return false
	}
	a, ok := firstOf(p.groups(j, from, p.w.End))
	if !ok {
		return false
	}
	w, all := p.starter(a), plainSecrets(a)
	gone := all[p.rng.IntN(len(all))]
	var rest []*estate.Secret
	for _, s := range all {
		if s != gone {
			rest = append(rest, s)
		}
	}
	l := p.label(j, "one of a group deleted", from, to)
	l.Why, l.Account, l.Principal, l.Secrets = "one secret of the group was deleted; the others are read as ever", a.Account.ID, w.Role, uids(rest...)
	p.claim(from, p.w.End, appKeys(a)...)
	p.lasting = func() { gone.Deleted = from } // its record is the pipeline's
	p.change(estate.Change{From: from, Until: to, Workloads: []*estate.Workload{w}, Secrets: rest, Rate: 1, Label: l})
	p.announce(j, "change", "removal of "+gone.Name, a.Team.Name)
	j.told.Kinds = []string{finding.SignGroup}
	return true
}

// cachedReads is that a caching client's copies run out one by one.
func cachedReads(p *planner, j *job) bool {
	from, to := j.at, j.at.Add(4*time.Hour)
	if !p.within(from, to) {
		return false
	}
	a, ok := firstOf(p.groups(j, from, to))
	if !ok {
		return false
	}
	w := p.starter(a)
	l := p.planned(j, "caches out of step", "a caching client reads each secret as its copy runs out", a, plainSecrets(a), w.Role, from, to)
	by := p.stolen(w)
	for i, s := range plainSecrets(a) {
		for k := range 4 {
			at := from.Add(time.Duration(k)*time.Hour + time.Duration(i*11+k)*time.Minute)
			p.add(read(at, by, s, l))
		}
	}
	j.known = seldom
	p.announce(j, "change", a.Name+" tries a caching client", a.Team.Name)
	j.told.Kinds = []string{finding.SignGroup}
	return true
}
