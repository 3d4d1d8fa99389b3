package correlate

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/detect/about"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/say"
	"github.com/yagura-sec/yagura/sigma/correlate"
)

// maxEvents are counted of a group and hour, each once; more are "at least".
const maxEvents = 100_000

// telling makes occurrences of firings as they come.
type telling struct {
	c                 *correlation
	since, until, now time.Time
	groups            map[string]*group
	latest            map[int64]time.Time // hit, by hour; kept only where something may still not happen
}

// group is what fires together: one finding.
type group struct {
	values []string
	hours  map[int64]*hourly
	told   map[told]time.Time // up to when hits of a firing's group were taken
}

// told names a group of a correlation of the chain.
type told struct {
	correlation *correlate.Correlation
	group       string
}

// hourly is what a group comes to in one hour.
type hourly struct {
	events   map[event.UID]bool
	most     bool // there are more than maxEvents
	evidence finding.Evidence
	first    time.Time
	latest   *fact
	spread   spread
	best     *correlate.Firing // of those that overlap the hour, the one with most hits
}

func newTelling(c *correlation, since, until, now time.Time) *telling {
	return &telling{c: c, since: since, until: until, now: now, groups: map[string]*group{}, latest: map[int64]time.Time{}}
}

// hit notes what may still lead to something.
func (t *telling) hit(h *correlate.Hit) {
	if t.c.Wait > 0 && t.within(h.Time) {
		if at := unixHour(h.Time); h.Time.After(t.latest[at]) {
			t.latest[at] = h.Time
		}
	}
}

func (t *telling) within(at time.Time) bool { return !at.Before(t.since) && at.Before(t.until) }

// again are the hours in which something is open.
func (t *telling) again() (out []time.Time) {
	for at, latest := range t.latest {
		if latest.Add(t.c.Wait).After(t.now) {
			out = append(out, hourTime(at))
		}
	}
	slices.SortFunc(out, time.Time.Compare)
	return out
}

func (t *telling) firings(all []*correlate.Firing) {
	for _, f := range all {
		// What needs silence until after now is not known yet, though hits that
		// lie beyond may make the engine say it.
		if f.Correlation != t.c.Correlation || t.c.Wait > 0 && f.At.After(t.now) {
			continue
		}
		key := joined(f.Group)
		g := t.groups[key]
		if g == nil {
			g = &group{values: f.Group, hours: map[int64]*hourly{}, told: map[told]time.Time{}}
			t.groups[key] = g
		}
		t.take(g, f)
		first := earliest(f)
		for at, x := range g.hours {
			if !hourTime(at).After(f.Last) && hourTime(at+1).After(first) {
				x.consider(f)
			}
		}
	}
}

// joined is values as one text from which they can be told.
func joined(values []string) string {
	var b []byte
	for _, v := range values {
		b = append(binary.AppendUvarint(b, uint64(len(v))), v...)
	}
	return string(b)
}

// earliest is the time of the first base hit that f rests on.
func earliest(f *correlate.Firing) time.Time {
	first := f.First
	for _, h := range f.Hits {
		if h.From != nil {
			if at := earliest(h.From); at.Before(first) {
				first = at
			}
		}
	}
	return first
}

// take adds the base hits of a firing to the hours they are in. The windows of a
// group only move forward, so what came before the end of an earlier one was
// taken with it; hits of one instant are looked at again.
func (t *telling) take(g *group, f *correlate.Firing) {
	key := told{f.Correlation, joined(f.Group)}
	upTo := g.told[key]
	from := len(f.Hits)
	for from > 0 && !f.Hits[from-1].Time.Before(upTo) {
		from--
	}
	for _, h := range f.Hits[from:] {
		if h.From != nil {
			t.take(g, h.From)
		} else if t.within(h.Time) {
			at := unixHour(h.Time)
			x := g.hours[at]
			if x == nil {
				x = &hourly{events: map[event.UID]bool{}}
				g.hours[at] = x
			}
			x.add(h.Data.(*fact))
		}
	}
	if f.Last.After(upTo) {
		g.told[key] = f.Last
	}
}

func (x *hourly) add(e *fact) {
	if x.events[e.uid] {
		return
	}
	if len(x.events) == maxEvents {
		x.most = true
		return
	}
	x.events[e.uid] = true
	x.evidence.Add(finding.Sighting{Time: e.time, UID: e.uid})
	if x.first.IsZero() || e.time.Before(x.first) {
		x.first = e.time
	}
	if x.latest == nil || e.compare(x.latest) > 0 {
		x.latest = e
	}
	x.spread.add(e)
}

func (e *fact) compare(than *fact) int {
	return cmp.Or(e.time.Compare(than.time), strings.Compare(string(e.uid[:]), string(than.uid[:])))
}

// consider keeps the firing with the most hits, and of equal ones the first.
func (x *hourly) consider(f *correlate.Firing) {
	if x.best == nil || len(f.Hits)+f.Lost > len(x.best.Hits)+x.best.Lost {
		x.best = f
	}
}

// occurrences are one a group and hour, in order of key and hour.
func (t *telling) occurrences(hunter string) (out []finding.Occurrence) {
	said := map[*correlate.Firing][]finding.Reason{}
	for _, g := range t.groups {
		key := finding.Key(append([]string{string(finding.KindCorrelation), t.c.Rule.Key}, g.values...)...)
		for at, x := range g.hours {
			if said[x.best] == nil {
				said[x.best] = t.c.reasons(x.best)
			}
			o := t.c.occurrence(x, g.values)
			o.Key, o.Hunter, o.Since, o.Until = key, hunter, hourTime(at), hourTime(at+1)
			o.Reasons = said[x.best]
			if x.most {
				o.Reasons = append(slices.Clip(o.Reasons), finding.Reason{Kind: "overflow", Text: say.T("correlation.capped", nil)})
			}
			out = append(out, o)
		}
	}
	slices.SortFunc(out, func(a, b finding.Occurrence) int {
		return cmp.Or(strings.Compare(a.Key, b.Key), a.Since.Compare(b.Since))
	})
	return out
}

// occurrence is what is the same for all that is said of an hour. Actor,
// resource, account and region are those that all of its events have: where they
// differ, the reasons tell. Where no event names a principal, their address
// stands for the actor, as in findings of rules.
func (c *correlation) occurrence(x *hourly, group []string) finding.Occurrence {
	actor := x.spread.actors.only()
	latest := x.latest
	step := event.Event{
		Time: latest.time, AccountUID: x.spread.accounts.only(), Region: x.spread.regions.only(), ResourceUID: x.spread.resources.only(),
		SrcIP: x.spread.addresses.only(),
	}
	if actor != "" {
		step.ActorUID, step.ActorName, step.ActorSession = actor, latest.actorName, latest.session
	} else if len(x.spread.principals) == 0 {
		actor = step.SrcIP
	}
	return finding.Occurrence{
		Trouble: finding.Trouble{
			Kind: finding.KindCorrelation, Rule: c.Rule.Key, LogSource: c.logSource,
			Title: c.Rule.Title, Severity: c.Rule.Severity, Confidence: c.Rule.Confidence,
			Actor: actor, Resource: step.ResourceUID, Account: step.AccountUID, Region: step.Region,
			Attack: c.Rule.Attack, FalsePositives: c.Rule.FalsePositives,
			Next: c.Rule.StepsOf(&step, about.Group{Fields: c.GroupBy, Values: group}),
		},
		FirstSeen: x.first, LastSeen: latest.time, Count: int64(len(x.events)), Evidence: x.evidence,
	}
}

// spread is over what events extend.
type spread struct {
	actors, addresses, resources, accounts, regions some
	// principals are the names of who is named, by uid: maxDifferent of them.
	principals map[string]string
}

func (s *spread) add(e *fact) {
	s.actors.add(e.actor)
	s.addresses.add(e.address)
	s.resources.add(e.resource)
	s.accounts.add(e.account)
	s.regions.add(e.region)
	name := cmp.Or(e.actorName, about.ShortName(e.actor))
	if name == "" {
		return
	}
	name = strings.TrimSpace(e.actorType + " " + name)
	if s.principals == nil {
		s.principals = map[string]string{}
	}
	uid := cmp.Or(e.actor, name)
	if was, met := s.principals[uid]; met && name < was || !met && len(s.principals) < maxDifferent {
		s.principals[uid] = name
	}
}

// names are those of the principals in their order: of two that bear the same
// name, with their uids.
func (s *spread) names() (out []string) {
	bearers := map[string]int{}
	for _, name := range s.principals {
		bearers[name]++
	}
	for uid, name := range s.principals {
		if bearers[name] > 1 {
			name = fmt.Sprintf("%s (%s)", name, uid)
		}
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// some are different values, of which maxDifferent are told apart.
type some map[string]bool

const maxDifferent = 1000

func (s *some) add(v string) {
	if *s == nil {
		*s = some{}
	}
	if len(*s) < maxDifferent {
		(*s)[v] = true
	}
}

// only is the value that all events have, or "".
func (s some) only() string {
	if len(s) == 1 {
		for v := range s {
			return v
		}
	}
	return ""
}

// sorted are the values, but for the empty one.
func (s some) sorted() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(s)), func(v string) bool { return v == "" })
}
