package trouble

import (
	"fmt"
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
// and a look at a secret, by the person on call.
func (p *planner) rosters() []finding.Window {
	var out []finding.Window
	for _, x := range p.w.People {
		for i, s := range x.Duty {
			if !s.From.Before(p.w.End) || !p.w.Start.Before(s.To) {
				continue
			}
			out = append(out, finding.Window{
				ID: fmt.Sprintf("on-call-%s-%d", x.Name, i+1), Title: x.Name + " is on call for " + x.Team.Name,
				Start: s.From, End: s.To, People: []string{x.Email}, Kinds: []string{finding.SignTime, finding.SignView},
				Sort: "on_call", Owner: x.Team.Name,
			})
		}
	}
	return out
}

// window makes the window that announces what j does: as long as its label, for
// its secrets, else its person, else its principal.
func (p *planner) window(j *job, sort, title, owner string) {
	l := j.label
	w := &finding.Window{Title: title, Start: l.Start, End: l.End, Sort: sort, Owner: owner}
	if l.Account != "" {
		w.Accounts = []string{l.Account}
	}
	if l.Person != "" {
		w.People = []string{l.Person}
	} else if len(l.Secrets) == 0 && l.Principal != "" {
		w.Actors = []string{l.Principal}
	}
	if l.Person == "" {
		w.Resources = withBare(p.w, l.Secrets)
	}
	j.window = w
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
