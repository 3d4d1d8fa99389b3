package trouble

import (
	"fmt"
	"time"

	"github.com/yagura-sec/yagura/simulate/estate"
)

// look lets a person open secrets in the console, as its pages do: the list,
// the page of each, then the value.
func (p *planner) look(by estate.Caller, secrets []*estate.Secret, from, to time.Time, l *estate.Label) {
	step := to.Sub(from) / time.Duration(len(secrets)+1)
	p.add(do(from, by, secrets[0].Region, "secretsmanager", "ListSecrets", `{"maxResults":100,"includePlannedDeletion":false}`, l))
	for i, s := range secrets {
		at := from.Add(time.Duration(i)*step + step/3)
		page := do(at, by, s.Region, "secretsmanager", "DescribeSecret", `{"secretId":"`+s.Name+`"}`, l)
		page.Secret, page.Account = s, s.Account
		if s.Sort == estate.SortParameter {
			page = do(at, by, s.Region, "ssm", "DescribeParameters", `{"maxResults":50}`, l)
		}
		p.add(page, read(at.Add(time.Duration(4+p.rng.IntN(20))*time.Second), by, s, l))
	}
}

// viewed are secrets of programs in the account, of other teams than x's or of
// his own.
func (p *planner) viewed(j *job, x *estate.Person, from, to time.Time, own bool) []*estate.Secret {
	var account *estate.Account
	var out []*estate.Secret
	for _, s := range p.secrets(j, from, to, func(s *estate.Secret) bool {
		return p.owned(s) && s.Owner != x && (s.App.Team == x.Team) == own
	}) {
		if _, ok := set(x, s.Account); ok && (account == nil || account == s.Account) {
			account = s.Account
			out = append(out, s)
		}
	}
	return out
}

// strangerViews is that a person opens some secrets of another team's programs in
// the console, in office hours.
func strangerViews(size Range) incident {
	return func(p *planner, j *job) bool {
		n := p.draw(size)
		for _, x := range p.people(j, j.at, j.at.Add(time.Hour), func(*estate.Person) bool { return true }) {
			in := zone(x.Zone)
			from := clock(p.workday(j.at, in, x.Team.Country), in, x.Begins+1+p.rng.Float64()*(x.Ends-x.Begins-3))
			to := from.Add(15 * time.Minute)
			if !p.within(from, to) || rostered(j, x, from, to) || !p.free(j, from, to, personKey(x)) {
				continue
			}
			secrets := p.viewed(j, x, from, to, false)
			if len(secrets) < n {
				continue
			}
			with, _ := set(x, secrets[0].Account)
			if !p.free(j, from, to, with.Role) {
				continue
			}
			by := byHand(x, with, estate.Console)
			l := p.stealing(j, "opened by a stranger", by, secrets[:n], from, to)
			p.look(by, secrets[:n], from, to, l)
			return true
		}
		return false
	}
}

// breakGlassView is that a person takes the role for emergencies, with no
// emergency, and opens secrets.
func breakGlassView(p *planner, j *job) bool {
	for _, x := range p.people(j, j.at, j.at.Add(time.Hour), func(*estate.Person) bool { return true }) {
		from, to := j.at, j.at.Add(15*time.Minute)
		for _, s := range p.secrets(j, from, to, func(s *estate.Secret) bool { return p.owned(s) && s.App.Team != x.Team }) {
			with, ok := set(x, s.Account)
			role := BreakGlass(s.Account)
			if !ok || !p.free(j, from, to, with.Role, role) {
				continue
			}
			by := byHand(x, estate.PermissionSet{Account: s.Account, Role: role}, estate.Console)
			l := p.stealing(j, "opened with the role for emergencies", by, []*estate.Secret{s}, from, to)
			p.add(do(from, byHand(x, with, estate.Console), "us-east-1", "sts", "AssumeRole", fmt.Sprintf(`{"roleArn":"%s","roleSessionName":"%s"}`, role, x.Email), l))
			p.look(by, []*estate.Secret{s}, from.Add(time.Minute), to, l)
			return true
		}
	}
	return false
}

// colleagueViews is that somebody of the team, but not who looks after the
// secret, opens it outside of his hours.
func colleagueViews(p *planner, j *job) bool {
	for _, x := range p.people(j, j.at, j.at.Add(time.Hour), func(*estate.Person) bool { return true }) {
		in := zone(x.Zone)
		from := clock(p.workday(j.at, in, x.Team.Country), in, x.Ends+1.5+p.rng.Float64())
		to := from.Add(12 * time.Minute)
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
		by := byHand(x, with, estate.Console)
		by.IP = x.Home
		l := p.stealing(j, "opened by a colleague out of hours", by, secrets[:1], from, to)
		p.look(by, secrets[:1], from, to, l)
		return true
	}
	return false
}
