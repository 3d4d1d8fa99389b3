package trouble

import (
	"fmt"
	"slices"
	"time"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/simulate/estate"
)

// sortHoliday is the kind that the windows of holidays name. No finding is of
// it: a holiday says why it is quiet, and explains nobody who works.
const sortHoliday = "holiday"

// holidays are the windows of all teams' holidays, as local days.
func (p *planner) holidays() []finding.Window {
	var out []finding.Window
	seen := map[string]bool{}
	for _, t := range p.w.Teams {
		if seen[t.Country] {
			continue
		}
		seen[t.Country] = true
		for day := clock(p.w.Start, zone(t.Zone), 0).In(zone(t.Zone)); day.Before(p.w.End); day = day.AddDate(0, 0, 1) {
			if !estate.Holiday(t.Country, day) {
				continue
			}
			out = append(out, finding.Window{
				ID: fmt.Sprintf("holiday-%s-%s", t.Country, day.Format(time.DateOnly)), Title: "public holiday in " + t.Country,
				Start: day.UTC(), End: day.AddDate(0, 0, 1).UTC(), Kinds: []string{sortHoliday}, Sort: sortHoliday,
			})
		}
	}
	return out
}

// rosters are the windows of all weeks on call: they explain work at odd times
// and a look at a secret, in the console or by command, by the person on call.
func (p *planner) rosters() []finding.Window {
	var out []finding.Window
	for _, x := range p.w.People {
		for i, s := range x.Duty {
			if !s.From.Before(p.w.End) || !p.w.Start.Before(s.To) {
				continue
			}
			out = append(out, finding.Window{
				ID: fmt.Sprintf("on-call-%s-%d", x.Email, i+1), Title: x.Name + " is on call for " + x.Team.Name,
				Start: s.From, End: s.To, People: []string{x.Email}, Kinds: []string{finding.SignTime, finding.SignView, finding.SignCaller},
				Sort: "on_call", Owner: x.Team.Name,
			})
		}
	}
	return out
}

// announce says what a calendar would of j: its title, for as long as its label.
// Kinds, where they are natural, are the caller's to add.
func (p *planner) announce(j *job, sort, title, owner string) {
	j.told = &finding.Window{Title: title, Start: j.label.Start, End: j.label.End, Sort: sort, Owner: owner}
	if j.label.Account != "" {
		j.told.Accounts = []string{j.label.Account}
	}
}

// windows are what the calendar says of j: once by who does it and once by what
// it is done to, as a finding may name only one of both.
func (p *planner) windows(j *job) []finding.Window {
	l := j.label
	who := *j.told
	if l.Person != "" {
		who.People = []string{l.Person}
	} else {
		who.Actors = []string{l.Principal}
	}
	if len(l.Secrets) == 0 {
		return []finding.Window{who}
	}
	what := *j.told
	what.ID += "-on"
	what.Resources = withBare(p.w, l.Secrets)
	if l.Person != "" {
		// Others read these secrets as well.
		x := p.person(l.Person)
		for _, s := range x.Sets {
			what.Actors = append(what.Actors, s.Role)
		}
	}
	return []finding.Window{who, what}
}

func (p *planner) person(email string) *estate.Person {
	i := slices.IndexFunc(p.w.People, func(x *estate.Person) bool { return x.Email == email })
	return p.w.People[i] // labels of what is benign name people of the world
}

// withBare adds to secrets their names without the suffix that Secrets Manager
// puts behind: some records have only those. The keys behind them count as well.
func withBare(w *estate.World, uids []string) []string {
	out := append([]string(nil), uids...)
	named := map[string]bool{}
	for _, u := range uids {
		named[u] = true
	}
	for _, s := range w.Secrets {
		if !named[s.ARN] {
			continue
		}
		if bare := bareARN(s); bare != s.ARN && !named[bare] {
			named[bare] = true
			out = append(out, bare)
		}
		if s.Key != "" && !named[s.Key] {
			named[s.Key] = true
			out = append(out, s.Key)
		}
	}
	return out
}
