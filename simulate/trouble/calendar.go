package trouble

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/internal/instant"
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
				Start: s.From, End: s.To, People: []string{x.Email}, Kinds: rosterKinds,
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

// tickets are the windows of what is known, one each. Half of them tell where
// and when, as whoever plans something writes it down: the account or the
// application. The others name who does it or what it is done to. None explains
// trouble, or what is not known.
func (p *planner) tickets(benign []*job) []finding.Window {
	var out []finding.Window
	broad, all := 0, 0
	for i, j := range benign {
		if !j.label.Known || j.told == nil {
			continue
		}
		j.told.ID = fmt.Sprintf("change-%03d", i+1)
		j.told.Ticket = fmt.Sprintf("CHG-%d", firstTicket+i*7)
		wide, named := p.places(j), p.names(j)
		all++
		forms, begin, end := append(slices.Clone(named), wide...), len(named), len(named)+len(wide)
		if 2*broad < all {
			forms, begin, end = append(slices.Clone(wide), named...), 0, len(wide)
		}
		k := slices.IndexFunc(forms, func(w finding.Window) bool { return p.harmless(&w, j.label) })
		if k < 0 { // by name, and to the minute
			exact := named[0]
			exact.Start, exact.End = j.label.Start, j.label.End
			forms, k, begin, end = []finding.Window{exact}, 0, 0, 0
		}
		if k >= begin && k < end {
			broad++
		}
		out = append(out, forms[k])
	}
	return out
}

// rounded is what the calendar says of j, at full hours as people plan.
func (j *job) rounded() finding.Window {
	w := *j.told
	w.Start = w.Start.Truncate(time.Hour)
	if end := w.End.Truncate(time.Hour); end.Before(w.End) {
		w.End = end.Add(time.Hour)
	}
	return w
}

// places are windows that tell where and when j is, the likelier first: in an
// account, or to all that has the application's name.
func (p *planner) places(j *job) []finding.Window {
	var out []finding.Window
	if len(j.told.Accounts) > 0 {
		w := j.rounded()
		if w.Kinds == nil && w.Sort == "maintenance" {
			w.Kinds = []string{finding.SignFrequency, finding.SignTime}
		}
		out = append(out, w)
	}
	if heads := applications(j.label.Secrets); len(heads) > 0 && j.label.Person == "" {
		w := j.rounded()
		w.Accounts, w.Resources = nil, heads
		out = append(out, w)
	}
	p.rng.Shuffle(len(out), func(i, k int) { out[i], out[k] = out[k], out[i] })
	return out
}

// applications are what the names of secrets begin with, up to their last part:
// "arn:...:secret:prod/shop/*". Keys have no such names; where one is among
// them there is no answer.
func applications(uids []string) []string {
	var out []string
	for _, u := range uids {
		i := strings.LastIndexByte(u, '/')
		if i < 0 || strings.HasPrefix(u, "arn:aws:kms:") {
			return nil
		}
		if head := u[:i+1] + "*"; !slices.Contains(out, head) {
			out = append(out, head)
		}
	}
	return out
}

// names are windows that tell who j is, or else what it is done to.
func (p *planner) names(j *job) []finding.Window {
	l := j.label
	who := j.rounded()
	if l.Person != "" {
		who.People = []string{l.Person}
		return []finding.Window{who}
	}
	who.Actors = []string{l.Principal}
	if len(l.Secrets) == 0 || p.rng.IntN(2) == 0 {
		return []finding.Window{who}
	}
	what := j.rounded()
	for _, u := range l.Secrets {
		what.Resources = append(what.Resources, p.written(u))
	}
	return []finding.Window{what, who}
}

// written is a secret as people write it: without the letters that Secrets
// Manager puts behind its name.
func (p *planner) written(uid string) string {
	for _, s := range p.w.Secrets {
		if s.ARN == uid && suffixed(s) {
			return bareARN(s) + "-*"
		}
	}
	return uid
}

// harmless tells whether the window explains none but l of all that is trouble
// or unknown.
func (p *planner) harmless(w *finding.Window, l *estate.Label) bool {
	return !slices.ContainsFunc(p.plan.Labels, func(o *estate.Label) bool {
		return o != l && !(o.Benign && o.Known) && explains(w, o)
	})
}

// explains tells whether the window covers any finding that l may be told as:
// of all it is done to, of one of its secrets, of none.
func explains(w *finding.Window, l *estate.Label) bool {
	if !l.Start.Before(w.End) || l.End.Before(w.Start) {
		return false
	}
	o := finding.Occurrence{FirstSeen: l.Start, LastSeen: l.End}
	o.Actor = l.Principal
	sets := [][]string{l.Secrets}
	for i := range l.Secrets {
		sets = append(sets, l.Secrets[i:i+1])
	}
	for _, kind := range append([]string{l.Kind}, l.Kinds...) {
		o.Kind = finding.KindAnomaly + finding.Kind("."+kind)
		for _, of := range sets {
			o.Account = l.Account
			if len(of) > 0 {
				o.Resource = of[0]
				if parts := strings.SplitN(of[0], ":", 6); o.Account == "" && len(parts) > 4 {
					o.Account = parts[4]
				}
			}
			o.Anomaly = &finding.Anomaly{Sign: kind, Person: l.Person, Resources: of}
			// Whatever begins or goes on in the window counts, however it is told.
			o.FirstSeen, o.LastSeen = instant.Later(l.Start, w.Start), instant.Earlier(l.End, w.End).Add(-time.Second)
			if w.Covers(&o) {
				return true
			}
		}
	}
	return false
}
