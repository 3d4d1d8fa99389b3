package trouble

import (
	"time"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/simulate/estate"
)

// byPerson begins the label of something harmless that a person does.
func (p *planner) byPerson(j *job, sort, why string, x *estate.Person, with estate.PermissionSet, secrets []*estate.Secret, from, to time.Time) *estate.Label {
	l := p.stealing(j, sort, byHand(x, with, estate.CLI), secrets, from, to)
	l.Why = why
	return l
}

// nightMaintenance is planned work of one person at night.
func nightMaintenance(p *planner, j *job) bool {
	for _, x := range p.regular(j, j.at, j.at.Add(NightHours*time.Hour)) {
		in := zone(x.Zone)
		from := clock(p.workday(j.at, in, x.Team.Country), in, 25+p.rng.Float64())
		to := from.Add(NightHours * time.Hour)
		if !p.within(from, to) || rostered(j, x, from, to) || !p.free(j, from, to, personKey(x)) {
			continue
		}
		l := p.label(j, "planned night maintenance", from, to)
		l.Why = "maintenance at night, planned"
		p.atDesk(x, x.Home, from, to, l)
		if !p.free(j, from, to, append([]string{l.Principal}, l.Secrets...)...) {
			p.calls, p.labels, j.label = nil, nil, nil
			continue
		}
		p.claim(from, to, append([]string{personKey(x), l.Principal}, l.Secrets...)...)
		p.announce(j, "maintenance", "maintenance by "+x.Name, x.Team.Name)
		return true
	}
	return false
}

// onCallPage is that whoever is on call is woken and looks.
func onCallPage(p *planner, j *job) bool {
	for _, i := range p.rng.Perm(len(p.w.People)) {
		x := p.w.People[i]
		in := zone(x.Zone)
		for _, shift := range x.Duty {
			from := clock(shift.From.AddDate(0, 0, 1+p.rng.IntN(4)), in, 25+3*p.rng.Float64())
			to := from.Add(time.Hour)
			if len(x.Sets) == 0 || !p.within(from, to) || from.Before(shift.From) || !to.Before(shift.To) || !p.employed(x, from) || !p.free(j, from, to, personKey(x)) {
				continue
			}
			l := p.label(j, "on-call page", from, to)
			l.Why = "the person on call was woken and looked"
			p.atDesk(x, x.Home, from, to, l)
			if !p.free(j, from, to, append([]string{l.Principal}, l.Secrets...)...) {
				p.calls, p.labels, j.label = nil, nil, nil
				continue
			}
			p.claim(from, to, append([]string{personKey(x), l.Principal}, l.Secrets...)...)
			j.known = always // the roster tells
			return true
		}
	}
	return false
}

// clockChange is that a batch job runs an hour off: clocks went forward, or
// those that it waits for did.
func clockChange(p *planner, j *job) bool {
	from := j.at.Truncate(24 * time.Hour)
	to := from.AddDate(0, 0, 5)
	if !p.within(from, to) {
		return false
	}
	for _, r := range p.batches(j, from, to) {
		w := r.Workload
		secrets := readBy(w, from)
		if w.App == nil || !p.free(j, from, to, uids(secrets...)...) {
			continue
		}
		l := p.label(j, "clock change", from, to.Add(70*time.Minute)) // the last run is late as well
		l.Why, l.Account, l.Principal, l.Secrets = "clocks were changed: the job runs an hour off", w.Account.ID, w.Role, uids(secrets...)
		p.claim(from, to, append([]string{w.Role}, l.Secrets...)...)
		p.change(estate.Change{From: from, Until: to, Workloads: []*estate.Workload{w}, Secrets: secrets, Shift: time.Hour, Label: l})
		p.announce(j, "change", "clocks change: "+w.App.Name+" runs an hour off", w.App.Team.Name)
		j.told.Kinds = []string{finding.SignTime}
		return true
	}
	return false
}

// travel is that a person works from another part of the world for days.
func travel(p *planner, j *job) bool {
	from := j.at.Truncate(24 * time.Hour)
	to := from.AddDate(0, 0, TripDays)
	if !p.within(from, to) {
		return false
	}
	for _, x := range p.regular(j, from, to) {
		if rostered(j, x, from, to) {
			continue
		}
		var secrets []*estate.Secret
		with := x.Sets[0]
		for _, s := range p.desk(x) {
			secrets = append(secrets, s)
			with, _ = set(x, s.Account)
		}
		if !p.free(j, from, to, append([]string{with.Role}, uids(secrets...)...)...) {
			continue
		}
		l := p.byPerson(j, "travel", "the person travels: other hours, other addresses", x, with, secrets, from, to)
		l.Account = "" // as many as he has
		p.change(estate.Change{From: from, Until: to, People: []*estate.Person{x}, Shift: TripShift, IP: p.hotel(), Label: l})
		p.announce(j, "travel", x.Name+" travels", x.Team.Name)
		j.told.Kinds = []string{finding.SignTime, finding.SignRegion, finding.SignCaller}
		return true
	}
	return false
}

// teamSecrets are the secrets of a team's programs that a person may read.
func (p *planner) teamSecrets(j *job, x *estate.Person, t *estate.Team, from, to time.Time) []*estate.Secret {
	return p.secrets(j, from, to, func(s *estate.Secret) bool {
		if s.App == nil || s.App.Team != t || s.Sort == estate.SortKey {
			return false
		}
		_, ok := set(x, s.Account)
		return ok
	})
}

// newMember is somebody's first week: everything of the team is read.
func newMember(p *planner, j *job) bool {
	for _, x := range p.w.People {
		if !x.Joined.IsZero() && p.firstWeek(j, x, x.Joined.Add(26*time.Hour), x.Team, "new member", "the first week in the team: everything of it is read", estate.CLI) {
			return true
		}
	}
	return teamChange(p, j)
}

// teamChange is that somebody comes from another team and looks around in the
// console.
func teamChange(p *planner, j *job) bool {
	for _, x := range p.people(j, j.at, j.at.Add(48*time.Hour), func(*estate.Person) bool { return true }) {
		for _, i := range p.rng.Perm(len(p.w.Teams)) {
			if t := p.w.Teams[i]; t != x.Team && p.firstWeek(j, x, j.at, t, "change of team", "the person moved to the team and reads what it has", estate.Console) {
				return true
			}
		}
	}
	return false
}

// firstWeek lets a person read what a team has, over two working days.
func (p *planner) firstWeek(j *job, x *estate.Person, near time.Time, t *estate.Team, sort, why string, class estate.Class) bool {
	in := zone(x.Zone)
	day := p.workday(near, in, x.Team.Country)
	next := p.workday(day.AddDate(0, 0, 1), in, x.Team.Country)
	from, to := clock(day, in, x.Begins+0.5), clock(next, in, x.Ends-0.5)
	if len(x.Sets) == 0 || !p.within(from, to) || rostered(j, x, from, to) || !p.free(j, from, to, personKey(x)) || !x.Left.IsZero() && x.Left.Before(to) {
		return false
	}
	secrets := p.teamSecrets(j, x, t, from, to)
	if len(secrets) < 3 {
		return false
	}
	secrets = secrets[:min(len(secrets), p.draw(SweepNarrow))]
	with, _ := set(x, secrets[0].Account)
	if !p.free(j, from, to, with.Role) {
		return false
	}
	l := p.byPerson(j, sort, why, x, with, secrets, from, to)
	l.Account = ""
	half := (len(secrets) + 1) / 2
	part := func(secrets []*estate.Secret, from, to time.Time) {
		for i, at := range p.spread(len(secrets), from, to) {
			with, _ := set(x, secrets[i].Account)
			by := byHand(x, with, class)
			if class == estate.Console {
				p.look(by, secrets[i:i+1], at, at.Add(2*time.Minute), l)
				continue
			}
			p.add(read(at, by, secrets[i], l))
		}
	}
	part(secrets[:half], from, clock(day, in, x.Ends-1))
	part(secrets[half:], clock(next, in, x.Begins+0.5), to.Add(-10*time.Minute))
	p.announce(j, "change", x.Name+" joins "+t.Name, t.Name)
	return true
}

// lookingKinds are signs that looking at secrets may show.
var lookingKinds = []string{finding.SignView, finding.SignCaller, finding.SignGroup, finding.SignFrequency}

// auditorsTour is a look at many secrets in the console, with a ticket.
func auditorsTour(p *planner, j *job) bool {
	for _, x := range p.people(j, j.at, j.at.Add(4*time.Hour), func(x *estate.Person) bool { return true }) {
		in := zone(x.Zone)
		from := clock(p.workday(j.at, in, x.Team.Country), in, x.Begins+1)
		to := from.Add(3 * time.Hour)
		if !p.within(from, to) || rostered(j, x, from, to) || !p.free(j, from, to, personKey(x)) {
			continue
		}
		secrets := p.viewed(j, x, from, to, false)
		if len(secrets) < 2 {
			continue
		}
		secrets = secrets[:min(len(secrets), p.draw(TourSecrets))]
		with, _ := set(x, secrets[0].Account)
		if !p.free(j, from, to, with.Role) {
			continue
		}
		l := p.byPerson(j, "auditor's tour", "an audit with a ticket", x, with, secrets, from, to)
		p.look(byHand(x, with, estate.Console), secrets, from, to.Add(-10*time.Minute), l)
		j.known = always
		p.announce(j, "audit", "audit of secrets by "+x.Name, "security")
		j.told.Kinds = lookingKinds
		return true
	}
	return false
}

// ownerDebugs is that who renews a secret of his team looks at it in the
// console.
func ownerDebugs(p *planner, j *job) bool {
	for _, x := range p.people(j, j.at, j.at.Add(time.Hour), func(*estate.Person) bool { return true }) {
		in := zone(x.Zone)
		from := clock(p.workday(j.at, in, x.Team.Country), in, x.Begins+1+3*p.rng.Float64())
		to := from.Add(50 * time.Minute)
		if !p.within(from, to) || rostered(j, x, from, to) || !p.free(j, from, to, personKey(x)) {
			continue
		}
		secrets := p.viewed(j, x, from, to, true)
		if len(secrets) == 0 {
			continue
		}
		with, _ := set(x, secrets[0].Account)
		if !p.free(j, from, to, with.Role) {
			continue
		}
		l := p.byPerson(j, "owner debugs", "who looks after the secret mends it, in the console", x, with, secrets[:1], from, to)
		by := byHand(x, with, estate.Console)
		p.look(by, secrets[:1], from, from.Add(10*time.Minute), l)
		p.add(renewed(from.Add(15*time.Minute), by, secrets[0], l)...)
		p.add(read(from.Add(20*time.Minute), by, secrets[0], l))
		j.known = seldom
		p.announce(j, "incident", "mending "+secrets[0].Name, x.Team.Name)
		j.told.Kinds = lookingKinds
		return true
	}
	return false
}
