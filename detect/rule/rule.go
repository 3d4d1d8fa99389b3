// Package rule judges events with Sigma rules.
//
// An event is held against the rules whose log source is that of its format
// (Sources). What a rule finds is the same trouble as long as account, actor
// (the address where nobody is named) and resource are the same; each UTC day of
// it is an occurrence.
//
// Rules that correlations refer to are matched in the same walk. They judge
// nothing themselves, unless a correlation says generate: true: their matches
// mark the hours whose correlations may come out otherwise for them, and
// detect/correlate looks at those.
package rule

import (
	"bytes"
	"cmp"
	"context"
	"io/fs"
	"maps"
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
	"github.com/yagura-sec/yagura/sigma/correlate"
	"github.com/yagura-sec/yagura/sigma/match"
)

// Sources says by Event.Format which log source of Sigma's an event belongs to.
// An event of another format is held against no rule.
var Sources = map[string]match.Source{
	"aws.cloudtrail": {Product: "aws", Service: "cloudtrail"},

	"gcp.audit":                      {Product: "gcp", Service: "gcp.audit"},
	"google.workspace.admin":         {Product: "gcp", Service: "google_workspace.admin"},
	"google.workspace.login":         {Product: "gcp", Service: "google_workspace.login"},
	"google.workspace.drive":         {Product: "gcp", Service: "google_workspace.drive"},
	"google.workspace.token":         {Product: "gcp", Service: "google_workspace.token"},
	"google.workspace.saml":          {Product: "gcp", Service: "google_workspace.saml"},
	"google.workspace.groups":        {Product: "gcp", Service: "google_workspace.groups"},
	"google.workspace.user_accounts": {Product: "gcp", Service: "google_workspace.user_accounts"},

	"azure.activity": {Product: "azure", Service: "activitylogs"},
	"azure.keyvault": {Product: "azure", Service: "keyvault"},
	"entra.signin":   {Product: "azure", Service: "signinlogs"},
	"entra.audit":    {Product: "azure", Service: "auditlogs"},
	"m365.audit":     {Product: "m365", Service: "audit"},
	"okta.system":    {Product: "okta", Service: "okta"},

	"zeek.conn": {Product: "zeek", Service: "conn"},
	"zeek.http": {Product: "zeek", Service: "http"},
	"zeek.dns":  {Product: "zeek", Service: "dns"},
	"zeek.dhcp": {Product: "zeek", Service: "dhcp"},
	"zeek.ssl":  {Product: "zeek", Service: "ssl"},
}

// Options is what a detector is made with. The zero Options are ready to use.
type Options struct {
	// Options of the engine; Filters are those of the documents.
	match.Options
	// Sources by format; nil stands for the Sources of this package.
	Sources map[string]match.Source
	// Extended allows correlations over conditions such as "a and not b", which
	// the specification does not know yet.
	Extended bool
}

// Detector judges events with a set of rules.
type Detector struct {
	set     *match.Set
	plan    *correlate.Plan
	rules   []about.Rule // by index in set
	serves  []serves     // by index in set
	hunters []string     // of the plan's correlations that give findings
	sources map[string]match.Source
	scratch sync.Pool // of *match.Scratch
	watch   func(event.BatchID, []event.Event, []BaseHit)

	unjudged atomic.Int64
}

var _ detect.Detector = (*Detector)(nil)

// New makes a detector of rules. The errors are of rules that cannot be used;
// they do not touch the others. A rule that says of itself that it is deprecated
// or unsupported is among them: a checkout of SigmaHQ holds folders of those.
func New(docs sigma.Documents, o Options) (*Detector, []*sigma.Error) {
	var rules []*sigma.Rule
	var correlations []*sigma.Correlation
	var refused []*sigma.Error
	inUse := func(m *sigma.Meta) bool {
		if m.Status == "deprecated" || m.Status == "unsupported" {
			refused = append(refused, m.Errorf(m.Places["status"], "rule is %s by its own word", m.Status))
			return false
		}
		return true
	}
	for _, r := range docs.Rules {
		if inUse(&r.Meta) {
			rules = append(rules, r)
		}
	}
	for _, c := range docs.Correlations {
		if inUse(&c.Meta) {
			correlations = append(correlations, c)
		}
	}
	refused = append(refused, astray(docs)...)
	o.Filters = docs.Filters
	set, more := match.Compile(rules, o.Options)
	refused = append(refused, more...)
	d := &Detector{set: set, sources: o.Sources}
	if d.sources == nil {
		d.sources = Sources
	}
	rules = rules[:0]
	for i := range set.Len() {
		rules = append(rules, set.Rule(i))
	}
	correlations, more = rewritten(correlations, rules, o)
	refused = append(refused, more...)
	d.plan, more = correlate.Compile(correlations, rules, correlate.Options{Extended: o.Extended})
	d.correlated(docs.Correlations)
	d.scratch.New = func() any { return set.NewScratch() }
	return d, append(refused, more...)
}

// rewritten are the correlations as pipelines make them of what is written.
func rewritten(correlations []*sigma.Correlation, rules []*sigma.Rule, o Options) (out []*sigma.Correlation, refused []*sigma.Error) {
	pipelines, ok := o.Pipelines.(interface {
		ApplyCorrelation(*sigma.Correlation, []*sigma.Rule) (*sigma.Correlation, []*sigma.Error)
	})
	if !ok {
		return correlations, nil
	}
	for _, c := range correlations {
		var referred []*sigma.Rule
		for _, r := range rules {
			if c.Refers(&r.Meta) {
				referred = append(referred, r)
			}
		}
		x, errs := pipelines.ApplyCorrelation(c, referred)
		if refused = append(refused, errs...); len(errs) == 0 {
			out = append(out, x)
		}
	}
	return out, refused
}

// Hunter names who hunts for a correlation of that key, in marks and hunts.
func Hunter(correlation string) string { return "sigma/" + correlation }

// Reach is how far around its hours hits matter to what is said of a
// correlation's findings: which events belong to them, and in which words.
func Reach(c *correlate.Correlation) time.Duration {
	if c.Wait > 0 {
		return c.Reach + c.Depth
	}
	return c.Reach
}

// serves is what a rule is there for.
type serves struct {
	findings bool // of its own
	marks    []marks
}

// marks is whom a match concerns, and how far from it.
type marks struct {
	hunter int // index in Detector.hunters
	reach  time.Duration
}

// correlated sorts out which rules judge and which only serve correlations:
// those of refused ones too, which would be noise.
func (d *Detector) correlated(all []*sigma.Correlation) {
	named := map[string]bool{}
	for _, c := range all {
		for _, r := range c.Rules {
			named[r.Rule] = named[r.Rule] || !c.Generate
		}
	}
	for i := range d.set.Len() {
		r := d.set.Rule(i)
		quiet := d.plan.Quiet(&r.Meta)
		if d.plan.Base(r) == nil {
			quiet = named[r.ID] || named[r.Name]
		}
		d.rules = append(d.rules, about.Of(&r.Meta))
		d.serves = append(d.serves, serves{findings: !quiet})
	}
	for _, c := range d.plan.Correlations {
		if !c.Findings {
			continue
		}
		hunter := len(d.hunters)
		d.hunters = append(d.hunters, Hunter(c.Key()))
		for i := range d.serves {
			if b := d.plan.Base(d.set.Rule(i)); b != nil && slices.Contains(c.Bases, b) {
				d.serves[i].marks = append(d.serves[i].marks, marks{hunter, Reach(c)})
			}
		}
	}
}

// Tree is a folder of rules and how messages name it.
type Tree struct {
	FS    fs.FS
	Shown string
}

// Load makes a detector of every rule in the trees and then in the paths, which
// are folders or files. A rule whose id was met before is refused.
func Load(trees []Tree, paths []string, o Options) (*Detector, []*sigma.Error) {
	docs, refused := Documents(trees, paths)
	d, more := New(docs, o)
	return d, append(refused, more...)
}

// Documents reads what Load makes a detector of.
func Documents(trees []Tree, paths []string) (docs sigma.Documents, refused []*sigma.Error) {
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
	return docs, refused
}

// Len is how many rules there are, those that only serve correlations included.
func (d *Detector) Len() int { return d.set.Len() }

// Set is those rules.
func (d *Detector) Set() *match.Set { return d.set }

// Plan is the correlations over them.
func (d *Detector) Plan() *correlate.Plan { return d.plan }

// Sources says by format which log source an event belongs to.
func (d *Detector) Sources() map[string]match.Source { return d.sources }

// BaseHit is a match of a rule that correlations refer to.
type BaseHit struct {
	Event int // place in the batch
	Rule  int // index in the set
}

// Watch has f called, before Judge returns, with every batch and those hits in
// it; f keeps nothing of the events. It is to be set before the first Judge, and
// f may be called from several goroutines.
func (d *Detector) Watch(f func(event.BatchID, []event.Event, []BaseHit)) { d.watch = f }

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
	marks   map[ruleHour]span
	hits    []BaseHit
}

type ruleHour struct {
	rule int
	hour int64 // Unix hours
}

// span is from the first to the last match in an hour.
type span struct{ first, last time.Time }

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
		at: map[trouble]int{}, matches: map[matchKey]int64{}, sources: map[matchKey]int64{}, marks: map[ruleHour]span{},
	}
	for i := range events {
		if i%1024 == 0 && ctx.Err() != nil {
			return finding.Judged{}, ctx.Err()
		}
		j.event(i)
	}
	if d.watch != nil {
		d.watch(batch, events, j.hits)
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
		serves := &j.d.serves[rule]
		if len(serves.marks) > 0 {
			j.mark(rule, e.Time)
			j.hits = append(j.hits, BaseHit{i, rule})
		}
		if !serves.findings {
			continue
		}
		j.matches[matchKey{rule, source, day}]++
		j.add(trouble{rule, day, e.AccountUID, about.Actor(e), e.ResourceUID}, i, source)
	}
}

func (j *judging) mark(rule int, t time.Time) {
	at := ruleHour{rule, finding.Hour(t).Unix() / 3600}
	s, met := j.marks[at]
	if !met || t.Before(s.first) {
		s.first = t
	}
	if !met || t.After(s.last) {
		s.last = t
	}
	j.marks[at] = s
}

// marked are the hours whose correlations may come out otherwise.
func (j *judging) marked() (out []finding.Mark) {
	all := map[finding.Mark]bool{}
	for at, s := range j.marks {
		for _, m := range j.d.serves[at.rule].marks {
			for h := finding.Hour(s.first.Add(-m.reach)); !h.After(s.last.Add(m.reach)); h = h.Add(time.Hour) {
				all[finding.Mark{Hunter: j.d.hunters[m.hunter], Hour: h}] = true
			}
		}
	}
	out = slices.AppendSeq(out, maps.Keys(all))
	slices.SortFunc(out, func(a, b finding.Mark) int {
		return cmp.Or(strings.Compare(a.Hunter, b.Hunter), a.Hour.Compare(b.Hour))
	})
	return out
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
	out.Marks = j.marked()
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
			Actor: g.actor, Resource: g.resource, Account: g.account, Region: e.Region, Constraint: constraint(e),
			Reasons: j.reasons(g), Attack: r.Attack, FalsePositives: r.FalsePositives, Next: r.Steps(e),
		},
		Batch: batch, Since: dayTime(g.day), Until: dayTime(g.day + 1),
		FirstSeen: g.first, LastSeen: e.Time, Count: g.count, Evidence: g.evidence,
	}
}

// constraint is the policy that refused an event; empty: none did.
func constraint(e *event.Event) string {
	if e.Outcome == event.DeniedByOrgPolicy {
		return e.StatusCode
	}
	return ""
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
