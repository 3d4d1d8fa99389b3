// Package rule judges events with Sigma rules.
//
// An event is held against the rules whose log source is that of its format
// (Sources). What a rule finds is the same trouble as long as account, actor
// (the address where nobody is named) and resource are the same; each UTC day of it
// is an occurrence.
package rule

import (
	"bytes"
	"cmp"
	"context"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/yagura-sec/yagura/detect"
	"github.com/yagura-sec/yagura/detect/about"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/match"
)

// Sources says by Event.Format which log source of Sigma's an event belongs to.
// An event of another format is held against no rule.
var Sources = map[string]match.Source{
	"aws.cloudtrail": {Product: "aws", Service: "cloudtrail"},
}

// Options is what a detector is made with. The zero Options are ready to use.
type Options struct {
	// Placeholders are the values for Sigma's expand.
	Placeholders map[string][]string
	// Sources by format; nil stands for the Sources of this package.
	Sources map[string]match.Source
}

// Detector judges events with a set of rules.
type Detector struct {
	set     *match.Set
	rules   []about.Rule // by index in set
	sources map[string]match.Source
	scratch sync.Pool // of *match.Scratch

	unjudged atomic.Int64
}

var _ detect.Detector = (*Detector)(nil)

// New makes a detector of rules. The errors are of rules that cannot be used;
// they do not touch the others. A rule that says of itself that it is deprecated
// or unsupported is among them: a checkout of SigmaHQ holds folders of those.
func New(docs sigma.Documents, o Options) (*Detector, []*sigma.Error) {
	var inUse []*sigma.Rule
	var refused []*sigma.Error
	for _, r := range docs.Rules {
		if r.Status == "deprecated" || r.Status == "unsupported" {
			refused = append(refused, r.Errorf(r.Places["status"], "rule is %s by its own word", r.Status))
			continue
		}
		inUse = append(inUse, r)
	}
	set, more := match.Compile(inUse, match.Options{Placeholders: o.Placeholders, Filters: docs.Filters})
	d := &Detector{set: set, sources: o.Sources}
	if d.sources == nil {
		d.sources = Sources
	}
	for i := range set.Len() {
		d.rules = append(d.rules, about.Of(&set.Rule(i).Meta))
	}
	d.scratch.New = func() any { return set.NewScratch() }
	return d, append(refused, more...)
}

// Tree is a folder of rules and how messages name it.
type Tree struct {
	FS    fs.FS
	Shown string
}

// Load makes a detector of every rule in the trees and then in the paths, which
// are folders or files. A rule whose id was met before is refused.
func Load(trees []Tree, paths []string, o Options) (*Detector, []*sigma.Error) {
	var docs sigma.Documents
	var refused []*sigma.Error
	for _, t := range trees {
		some, errs := sigma.Load(t.FS, t.Shown)
		docs.Add(some)
		refused = append(refused, errs...)
	}
	for _, path := range paths {
		some, errs := sigma.LoadPath(path)
		docs.Add(some)
		refused = append(refused, errs...)
	}
	d, more := New(docs, o)
	return d, append(refused, more...)
}

// Len is how many rules judge.
func (d *Detector) Len() int { return d.set.Len() }

// Set is the rules that judge.
func (d *Detector) Set() *match.Set { return d.set }

// Unjudged is how many events had no readable record, so that no rule could be
// held against them.
func (d *Detector) Unjudged() int64 { return d.unjudged.Load() }

// trouble is what makes matches one occurrence: the same trouble on one day.
type trouble struct {
	rule                     int
	day                      int64 // Unix days
	account, actor, resource string
}

// group is the matches of one trouble in a batch.
type group struct {
	trouble
	latest   int // place in the batch of the event that reasons are taken from
	source   match.Source
	first    time.Time
	count    int64
	evidence finding.Evidence
}

type matchKey struct {
	rule   int
	source match.Source
	day    int64 // Unix days
}

// judging is the state of one call of Judge.
type judging struct {
	d       *Detector
	sc      *match.Scratch
	events  []event.Event
	at      map[trouble]int
	groups  []group
	matches map[matchKey]int64
	sources map[matchKey]int64 // rule is 0
}

// Judge holds every event against the rules of its log source. Its answer does
// not depend on the order of events.
func (d *Detector) Judge(ctx context.Context, batch event.BatchID, events []event.Event) (finding.Judged, error) {
	sc := d.scratch.Get().(*match.Scratch)
	defer func() {
		sc.Forget()
		d.scratch.Put(sc)
	}()
	j := judging{
		d: d, sc: sc, events: events,
		at: map[trouble]int{}, matches: map[matchKey]int64{}, sources: map[matchKey]int64{},
	}
	for i := range events {
		if i%1024 == 0 && ctx.Err() != nil {
			return finding.Judged{}, ctx.Err()
		}
		j.event(i)
	}
	return j.judged(batch), nil
}

const secondsPerDay = 24 * 60 * 60

func unixDay(t time.Time) int64 {
	s := t.Unix()
	if s < 0 {
		s -= secondsPerDay - 1
	}
	return s / secondsPerDay
}

func (j *judging) event(i int) {
	e := &j.events[i]
	source, known := j.d.sources[e.Format]
	if !known {
		return
	}
	day := unixDay(e.Time)
	j.sources[matchKey{0, source, day}]++
	hits, err := j.d.set.MatchJSON(j.sc, e.Raw, source)
	if err != nil {
		j.d.unjudged.Add(1)
		return
	}
	for _, rule := range hits {
		j.matches[matchKey{rule, source, day}]++
		j.add(trouble{rule, day, e.AccountUID, about.Actor(e), e.ResourceUID}, i, source)
	}
}

func (j *judging) add(t trouble, i int, source match.Source) {
	e := &j.events[i]
	at, met := j.at[t]
	if !met {
		at = len(j.groups)
		j.at[t] = at
		j.groups = append(j.groups, group{trouble: t, latest: i, source: source, first: e.Time})
	}
	g := &j.groups[at]
	g.count++
	if e.Time.Before(g.first) {
		g.first = e.Time
	}
	if later(e, &j.events[g.latest]) {
		g.latest, g.source = i, source
	}
	g.evidence.Add(finding.Sighting{Time: e.Time, UID: e.UID})
}

func later(e, than *event.Event) bool {
	return cmp.Or(e.Time.Compare(than.Time), bytes.Compare(e.UID[:], than.UID[:])) > 0
}

func (j *judging) judged(batch event.BatchID) finding.Judged {
	var out finding.Judged
	for i := range j.groups {
		out.Occurrences = append(out.Occurrences, j.occurrence(batch, &j.groups[i]))
	}
	slices.SortFunc(out.Occurrences, func(a, b finding.Occurrence) int {
		return cmp.Or(strings.Compare(a.Key, b.Key), a.Since.Compare(b.Since))
	})
	for key, n := range j.matches {
		out.Matches = append(out.Matches, finding.MatchCount{
			Rule: j.d.set.Rule(key.rule).Key(), LogSource: nameOf(key.source), Day: dayTime(key.day), Matches: n,
		})
	}
	slices.SortFunc(out.Matches, func(a, b finding.MatchCount) int {
		return cmp.Or(strings.Compare(a.Rule, b.Rule), strings.Compare(a.LogSource, b.LogSource), a.Day.Compare(b.Day))
	})
	for key, n := range j.sources {
		out.Sources = append(out.Sources, finding.SourceCount{LogSource: nameOf(key.source), Day: dayTime(key.day), Events: n})
	}
	slices.SortFunc(out.Sources, func(a, b finding.SourceCount) int {
		return cmp.Or(strings.Compare(a.LogSource, b.LogSource), a.Day.Compare(b.Day))
	})
	return out
}

func dayTime(day int64) time.Time { return time.Unix(day*secondsPerDay, 0).UTC() }

// nameOf is a log source as rules name it: "aws/cloudtrail".
func nameOf(s match.Source) string {
	return sigma.LogSource{Category: s.Category, Product: s.Product, Service: s.Service}.String()
}

func (j *judging) occurrence(batch event.BatchID, g *group) finding.Occurrence {
	r := &j.d.rules[g.rule]
	e := &j.events[g.latest]
	return finding.Occurrence{
		Trouble: finding.Trouble{
			Key:  finding.Key(string(finding.KindRule), r.Key, g.account, g.actor, g.resource),
			Kind: finding.KindRule, Rule: r.Key, LogSource: nameOf(g.source),
			Title: r.Title, Severity: r.Severity, Confidence: r.Confidence,
			Actor: g.actor, Resource: g.resource, Account: g.account, Region: e.Region,
			Reasons: j.reasons(g), Attack: r.Attack, FalsePositives: r.FalsePositives, Next: r.Steps(e),
		},
		Batch: batch, Since: dayTime(g.day), Until: dayTime(g.day + 1),
		FirstSeen: g.first, LastSeen: e.Time, Count: g.count, Evidence: g.evidence,
	}
}

// reasons explains the latest event of the group. The record is matched once
// more, so that explaining costs nothing per match.
func (j *judging) reasons(g *group) []finding.Reason {
	e := &j.events[g.latest]
	explained, err := j.d.set.ExplainJSON(j.sc, e.Raw, g.source, g.rule)
	if err != nil { // it was read before
		return nil
	}
	return reasons(e, explained)
}
