package trouble

import (
	"time"

	"github.com/yagura-sec/yagura/simulate/estate"
)

// atDesk are calls of a person's day: a look around, and secrets that he reads
// every day where there are such.
func (p *planner) atDesk(x *estate.Person, ip string, from, to time.Time, l *estate.Label) {
	desk := p.desk(x)
	with := x.Sets[0]
	if len(desk) > 0 {
		with, _ = set(x, desk[0].Account)
	}
	by := byHand(x, with, estate.CLI)
	by.IP = ip
	l.Account, l.Principal, l.Person = with.Account.ID, with.Role, x.Email
	var own []*estate.Secret
	for _, s := range desk[:min(2, len(desk))] {
		if c, _ := set(x, s.Account); c == with {
			own = append(own, s)
		}
	}
	l.Secrets = uids(own...)
	reads := p.draw(NightRead)
	for i, at := range p.spread(p.draw(NightRuns), from, to) {
		switch {
		case i%2 == 0 && i/2 < reads*len(own):
			p.add(read(at, by, own[i/2%len(own)], l))
		case i%3 == 0:
			p.add(do(at, by, with.Account.Home, "sts", "GetCallerIdentity", "", l))
		case i%3 == 1:
			p.add(do(at, by, with.Account.Home, "ec2", "DescribeInstances", `{"instancesSet":{},"filterSet":{}}`, l))
		default:
			p.add(do(at, by, with.Account.Home, "secretsmanager", "ListSecrets", `{"maxResults":100}`, l))
		}
	}
}

// regular are people whose hours are known: they read secrets every day.
func (p *planner) regular(j *job, from, to time.Time) []*estate.Person {
	found := p.people(j, from, to, func(x *estate.Person) bool { return len(p.desk(x)) > 0 })
	if len(found) == 0 && (j.benign || p.blind) {
		p.unclear = p.blind
		found = p.people(j, from, to, func(*estate.Person) bool { return true })
	}
	return found
}

// session lets a person's stolen session work from hour (local, of day) on for
// most of an hour.
func (p *planner) session(j *job, x *estate.Person, from time.Time, sort, ip string) bool {
	to := from.Add(50 * time.Minute)
	if !p.within(from, to) || rostered(j, x, from, to) || !p.free(j, from, to, personKey(x)) {
		return false
	}
	p.claim(from, to, personKey(x))
	l := p.label(j, sort, from, to)
	p.atDesk(x, ip, from, to, l)
	if !p.free(j, from, to, append([]string{l.Principal}, l.Secrets...)...) {
		p.pending, p.calls, p.labels, j.label = nil, nil, nil, nil
		return false
	}
	p.claim(from, to, append([]string{l.Principal}, l.Secrets...)...)
	return true
}

// personOff is a person's session at work hours after the person's day, or
// before it.
func personOff(size Range) incident {
	return func(p *planner, j *job) bool {
		hours := p.drawn(size)
		for _, x := range p.regular(j, j.at, j.at.Add(time.Hour)) {
			in := zone(x.Zone)
			day := p.workday(j.at, in, x.Team.Country)
			from := clock(day, in, x.Ends+hours)
			if p.rng.IntN(3) == 0 && hours < FarOff.Least {
				from = clock(day, in, x.Begins-hours-0.9)
			}
			if p.session(j, x, from, "person off hours", x.Home) {
				return true
			}
		}
		return false
	}
}

// personDayOff is a person's session on a weekend, at night or at midday.
func personDayOff(night bool) incident {
	return func(p *planner, j *job) bool {
		for _, x := range p.regular(j, j.at, j.at.Add(time.Hour)) {
			in := zone(x.Zone)
			day := j.at
			for !weekend(day, in) {
				day = day.AddDate(0, 0, 1)
			}
			hour := (x.Begins + x.Ends) / 2
			if night {
				hour = x.Ends + p.drawn(FarOff) - 1
			}
			if p.session(j, x, clock(day, in, hour), "person on a weekend", x.Home) {
				return true
			}
		}
		return false
	}
}

// personHoliday is a person's session in office hours of a public holiday.
func personHoliday(p *planner, j *job) bool {
	for _, x := range p.regular(j, j.at, j.at.Add(time.Hour)) {
		in := zone(x.Zone)
		for day := p.w.TroubleAt; day.Before(p.w.End); day = day.AddDate(0, 0, 1) {
			noon := clock(day, in, 12)
			if estate.Holiday(x.Team.Country, noon.In(in)) && !weekend(noon, in) &&
				p.session(j, x, clock(day, in, x.Begins+2+2*p.rng.Float64()), "person on a holiday", x.Office) {
				return true
			}
		}
	}
	return false
}

// runs is how many calls one run of a batch job makes.
func runs(r *estate.Reading) int { return max(3, int(r.Rate+0.5)) }

// batches are readings of batch jobs, in random order.
func (p *planner) batches(j *job, from, to time.Time) []*estate.Reading {
	var out []*estate.Reading
	for _, w := range p.workloads(j, from, to, func(w *estate.Workload) bool { return w.Class != estate.CI }) {
		for _, r := range w.Reads {
			if r.Rhythm == estate.Batch && r.Secret.Sort != estate.SortKey && p.old(r.Secret, from, to) && p.free(j, from, to, r.Secret.ARN) {
				out = append(out, r)
				break
			}
		}
	}
	return out
}

// batchOff is one more run of a batch job's role, hours after its usual minute.
func batchOff(size Range) incident {
	return func(p *planner, j *job) bool {
		hours := p.drawn(size)
		for _, r := range p.batches(j, j.at.Add(-12*time.Hour), j.at.Add(24*time.Hour)) {
			w := r.Workload
			shared := len(p.readers[r.Secret]) > 1 && hours < FarOff.Least
			if shared && !p.blind {
				continue // somebody else may read it at that hour
			}
			in := zone(teamZone(w))
			from := clock(j.at, in, float64(r.Minute)/60+hours)
			to := from.Add(15 * time.Minute)
			// Such times are none of its own: new tasks read, and deploys.
			any := scales(w) || from.In(in).Hour() >= 9 && from.In(in).Hour() < 19
			if j.difficulty < hidden && any && !p.blind {
				continue
			}
			p.unclear = shared || any
			if !p.within(from, to) || !p.free(j, from, to, w.Role, r.Secret.ARN) {
				continue
			}
			p.claim(from, to, w.Role, r.Secret.ARN)
			l := p.label(j, "batch job off its minute", from, to)
			l.Account, l.Principal, l.Secrets = r.Secret.Account.ID, w.Role, uids(r.Secret)
			by := as(w)
			for _, at := range p.spread(runs(r), from, to) {
				p.add(read(at, by, r.Secret, l))
			}
			return true
		}
		return false
	}
}

// scales tells whether a program gets new tasks at any time of day.
func scales(w *estate.Workload) bool { return w.Class == estate.ECS || w.Class == estate.EC2 }

func teamZone(w *estate.Workload) string {
	if w.App != nil && w.App.Team != nil {
		return w.App.Team.Zone
	}
	return "UTC"
}
