package triage

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/say"
)

// Proposal is something that could be an exception or a window: one of the two,
// complete but for who accepts it. It explains nothing before somebody does.
type Proposal struct {
	ID        string // of the exception or window, too: the same evidence gives the same
	Exception *finding.Exception
	Window    *finding.Window
	Title     say.Text // of that, which is kept in one language
	Text      say.Text // what it rests on, in a sentence
	Count     int      // findings that it rests on
}

// What proposals rest on.
const (
	proposeDays   = 180 // findings seen in so many days
	proposeLeast  = 3   // expected verdicts of the same shape
	proposeValues = 5   // values of a field that are named one by one
	proposeTerm   = 90  // days that a proposed exception lasts

	weeklyLeast  = 4 // weeks in which something came at the same time
	dailyLeast   = 5 // days likewise
	monthlyLeast = 3 // months likewise
	recurWithin  = 90 * time.Minute
	recurAround  = 15 * time.Minute // a window begins and ends so much around what was seen
)

// Propose finds what could be exceptions and windows in findings: verdicts
// "expected" about the same shape, and what comes again at the same time of day
// in the zone. Order of the findings does not matter. What a true positive is
// among is not proposed, nor what is explained already.
func Propose(findings []finding.Finding, zone *time.Location, now time.Time) []Proposal {
	if zone == nil || zone == time.Local { // which has no name to write down
		zone = time.UTC
	}
	since := now.AddDate(0, 0, -proposeDays)
	var recent []*finding.Finding
	for i := range findings {
		if f := &findings[i]; f.LastSeen.After(since) && f.FirstSeen.Before(now) {
			recent = append(recent, f)
		}
	}
	slices.SortFunc(recent, func(a, b *finding.Finding) int { return cmp.Compare(a.Key, b.Key) })
	out := append(proposeExceptions(recent, now), proposeWindows(recent, zone)...)
	slices.SortFunc(out, func(a, b Proposal) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.ID, b.ID)) })
	return out
}

// shapes are what findings have in common, the narrowest first. A finding that
// is used in a narrower proposal is not used again.
var shapes = []func(f *finding.Finding) (shape string, ok bool){
	func(f *finding.Finding) (string, bool) {
		return maker(f) + "\x00" + f.Actor + "\x00" + f.Resource, f.Actor != "" && f.Resource != ""
	},
	func(f *finding.Finding) (string, bool) {
		return maker(f) + "\x00" + f.Actor + "\x00" + f.Account, f.Actor != ""
	},
	func(f *finding.Finding) (string, bool) { return maker(f) + "\x00" + f.Resource, f.Resource != "" },
	func(f *finding.Finding) (string, bool) { return maker(f) + "\x00" + f.Account, f.Account != "" },
}

// maker names what made a finding.
func maker(f *finding.Finding) string { return f.Said() + "\x00" + string(f.Kind) + "\x00" + f.Rule }

func proposeExceptions(all []*finding.Finding, now time.Time) (out []Proposal) {
	used := map[string]bool{}
	for _, shape := range shapes {
		groups := map[string][]*finding.Finding{}
		for _, f := range all {
			if name, ok := shape(f); ok && f.Verdict == finding.Expected && len(f.Explained) == 0 && !used[f.Key] {
				groups[name] = append(groups[name], f)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(groups)) {
			group := groups[name]
			if len(group) < proposeLeast {
				continue
			}
			scope := narrowest(group)
			if slices.ContainsFunc(all, func(f *finding.Finding) bool { return f.Verdict == finding.TruePositive && scope.Match(f) }) {
				continue // somebody has met an attack or a mistake there
			}
			for _, f := range group {
				used[f.Key] = true
			}
			out = append(out, exceptionOf(group, scope, now))
		}
	}
	return out
}

func exceptionOf(group []*finding.Finding, scope finding.Scope, now time.Time) Proposal {
	last := slices.MaxFunc(group, func(a, b *finding.Finding) int { return a.LastSeen.Compare(b.LastSeen) })
	reasons := map[string]int{}
	for _, f := range group {
		reasons[cmp.Or(f.Reason, "expected")]++
	}
	reason := slices.MaxFunc(slices.Sorted(maps.Keys(reasons)), func(a, b string) int { return cmp.Compare(reasons[a], reasons[b]) })
	x := &finding.Exception{
		ID: finding.Key("proposal", "exception", scope.String()), Title: last.Title, Scope: scope, State: finding.ExceptionProposed,
		Reason: strings.ReplaceAll(reason, "_", " "), Until: finding.Day(now).AddDate(0, 0, proposeTerm), Evidence: keysOf(group),
	}
	return Proposal{
		ID: x.ID, Exception: x, Title: last.Told(), Count: len(group),
		Text: say.T("proposal.exception", say.Values{"n": len(group), "latest": last.LastSeen.UTC()}),
	}
}

const maxEvidence = 50

func keysOf(group []*finding.Finding) []string {
	var keys []string
	for _, f := range group {
		if len(keys) < maxEvidence {
			keys = append(keys, f.Key)
		}
	}
	return keys
}

// narrowest is the scope of what all of the group have in common: each field in
// which they have few values, or begin alike, and no more severe than they are.
func narrowest(group []*finding.Finding) finding.Scope {
	var terms []query.Expr
	for _, name := range []string{"source", "kind", "rule", "account", "region", "actor", "person", "resource", "environment"} {
		x, _ := finding.LookupField(name)
		values := map[string]bool{}
		some := true
		for _, f := range group {
			vs := FacetValues(x, x.Value(f))
			for _, v := range vs {
				values[v] = true
				some = some && v != ""
			}
		}
		if !some {
			continue // what a finding has no value of cannot be asked for
		}
		if e := anyValue(name, slices.Sorted(maps.Keys(values))); e != nil {
			terms = append(terms, e)
		}
	}
	worst := slices.MaxFunc(group, func(a, b *finding.Finding) int { return cmp.Compare(a.Severity.Rank(), b.Severity.Rank()) })
	if worst.Severity.Rank() >= 0 && worst.Severity != finding.Critical {
		terms = append(terms, query.Cmp{Field: "severity", Op: query.Le, Value: string(worst.Severity)})
	}
	return finding.ScopeOf(query.And{X: terms})
}

// anyValue asks for any of the values, or for how all of them begin; nil: they
// have nothing in common.
func anyValue(field string, values []string) query.Expr {
	if len(values) == 1 {
		return query.Eq{Field: field, Value: values[0]}
	}
	if len(values) <= proposeValues {
		var each []query.Expr
		for _, v := range values {
			each = append(each, query.Eq{Field: field, Value: v})
		}
		return query.Or{X: each}
	}
	// Sorted: what the first and the last have in common, all have.
	a, b := values[0], values[len(values)-1]
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	head := a[:n]
	if cut := strings.LastIndexAny(head, "/:-_."); cut >= 12 {
		return query.Like{Field: field, Pattern: query.Escape(head[:cut+1]) + "*"}
	}
	return nil
}

// proposeWindows finds what comes again at the same time, of one rule or sign and
// one principal.
func proposeWindows(all []*finding.Finding, zone *time.Location) (out []Proposal) {
	groups := map[string][]*finding.Finding{}
	for _, f := range all {
		if f.Actor != "" && len(f.Explained) == 0 && f.Verdict != finding.FalsePositive && f.LastSeen.Sub(f.FirstSeen) <= 12*time.Hour {
			name := maker(f) + "\x00" + f.Actor + "\x00" + f.Account
			groups[name] = append(groups[name], f)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		group := groups[name]
		if slices.ContainsFunc(group, func(f *finding.Finding) bool { return f.Verdict == finding.TruePositive }) {
			continue
		}
		if p, ok := recurring(group, zone); ok {
			out = append(out, p)
		}
	}
	return out
}

// recurring is the window in which most of the group came, if there is one: the
// same time of day, every day, or on one day of the week or of the month.
func recurring(group []*finding.Finding, zone *time.Location) (Proposal, bool) {
	for _, rhythm := range []struct {
		least int
		cycle func(t time.Time) (day, turn int) // which days go together, and which turn of them t is of
		rule  func(day int) string
		said  func(day int) say.Text
		every float64 // days from one turn to the next
	}{
		{dailyLeast, func(t time.Time) (int, int) { return 0, dayNumber(t) },
			func(int) string { return "FREQ=DAILY" }, func(int) say.Text { return say.T("every.day", nil) }, 1},
		{weeklyLeast, func(t time.Time) (int, int) { return int(t.Weekday()), dayNumber(t) / 7 },
			func(day int) string { return "FREQ=WEEKLY;BYDAY=" + strings.ToUpper(time.Weekday(day).String()[:2]) },
			func(day int) say.Text { return say.T("every.week", say.Values{"day": weekday(day)}) }, 7},
		{monthlyLeast, func(t time.Time) (int, int) { return t.Day(), t.Year()*12 + int(t.Month()) },
			func(day int) string { return fmt.Sprintf("FREQ=MONTHLY;BYMONTHDAY=%d", day) },
			func(day int) say.Text { return say.T("every.month", say.Values{"day": day}) }, 30.4},
	} {
		days := map[int][]*finding.Finding{}
		for _, f := range group {
			day, _ := rhythm.cycle(f.FirstSeen.In(zone))
			days[day] = append(days[day], f)
		}
		for _, day := range slices.Sorted(maps.Keys(days)) {
			some := closest(days[day], zone)
			turns := map[int]bool{}
			for _, f := range some {
				_, turn := rhythm.cycle(f.FirstSeen.In(zone))
				turns[turn] = true
			}
			if len(turns) < rhythm.least {
				continue
			}
			// Most turns have it, and most of the group is of it.
			first, last := some[0].FirstSeen, some[0].FirstSeen
			for _, f := range some {
				if f.FirstSeen.Before(first) {
					first = f.FirstSeen
				}
				if f.FirstSeen.After(last) {
					last = f.FirstSeen
				}
			}
			span := 1 + math.Round(last.Sub(first).Hours()/24/rhythm.every)
			if float64(len(turns)) < 0.6*span || 3*len(some) < 2*len(group) {
				continue
			}
			return windowOf(some, zone, rhythm.rule(day), rhythm.said(day), len(turns)), true
		}
	}
	return Proposal{}, false
}

// weekday is a day that is that day of the week.
func weekday(day int) time.Time { return time.Date(2023, 1, 1+day, 0, 0, 0, 0, time.UTC) }

// dayNumber counts days of the wall.
func dayNumber(t time.Time) int {
	return int(time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

// ofDay is the time of day on the wall.
func ofDay(t time.Time) time.Duration {
	return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute + time.Duration(t.Second())*time.Second
}

// closest are the most that began within recurWithin of each other, by the time
// of day.
func closest(all []*finding.Finding, zone *time.Location) []*finding.Finding {
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b *finding.Finding) int {
		return cmp.Compare(ofDay(a.FirstSeen.In(zone)), ofDay(b.FirstSeen.In(zone)))
	})
	best, from := all[:0], 0
	for to := range all {
		for ofDay(all[to].FirstSeen.In(zone))-ofDay(all[from].FirstSeen.In(zone)) > recurWithin {
			from++
		}
		if to+1-from > len(best) {
			best = all[from : to+1]
		}
	}
	return best
}

// windowOf is the window of findings that came at the same time of day.
func windowOf(some []*finding.Finding, zone *time.Location, rule string, every say.Text, turns int) Proposal {
	begin, end := 24*time.Hour, time.Duration(0)
	earliest := some[0].FirstSeen
	for _, f := range some {
		at := ofDay(f.FirstSeen.In(zone))
		begin, end = min(begin, at), max(end, at+f.LastSeen.Sub(f.FirstSeen))
		if f.FirstSeen.Before(earliest) {
			earliest = f.FirstSeen
		}
	}
	const grid = 5 * time.Minute
	// Not on the day before, which the rule does not name.
	begin, end = max(0, begin-recurAround).Truncate(grid), (end + recurAround + grid - 1).Truncate(grid)
	e := earliest.In(zone)
	wall := func(d time.Duration) time.Time {
		minutes := int(d / time.Minute)
		return time.Date(e.Year(), e.Month(), e.Day(), 0, minutes, 0, 0, zone).UTC()
	}
	f := some[0]
	title := say.T("proposal.title", say.Values{"title": f.Told(), "every": every})
	w := &finding.Window{
		Title: title.String(), Start: wall(begin), End: wall(end), Accounts: distinct(some, func(f *finding.Finding) string { return f.Account }),
		Actors: []string{f.Actor}, Kinds: []string{string(f.Kind)}, Repeat: rule, Zone: zone.String(), State: finding.WindowProposed, Sort: "learned", Evidence: keysOf(some),
	}
	if f.Rule != "" {
		w.Scope = finding.ScopeOf(query.Eq{Field: "rule", Value: f.Rule})
	}
	w.ID = finding.Key("proposal", "window", f.Said(), string(f.Kind), f.Rule, f.Actor, f.Account, rule, zone.String())
	return Proposal{
		ID: w.ID, Window: w, Title: title, Count: len(some),
		Text: say.T("proposal.window", say.Values{
			"n": len(some), "every": every, "from": clock(begin), "to": clock(end), "zone": zone.String(), "turns": turns,
		}),
	}
}

// clock writes a time of day; what is after midnight is of the next day.
func clock(d time.Duration) string {
	minutes := (int(d/time.Minute) + 24*60) % (24 * 60)
	return fmt.Sprintf("%02d:%02d", minutes/60, minutes%60)
}

// distinct are the values, in order, or none where one is empty or they are many.
func distinct(some []*finding.Finding, of func(*finding.Finding) string) []string {
	values := map[string]bool{}
	for _, f := range some {
		values[of(f)] = true
	}
	if values[""] || len(values) > proposeValues {
		return nil
	}
	return slices.Sorted(maps.Keys(values))
}
