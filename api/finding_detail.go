package api

import (
	"cmp"
	"context"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/people"
	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/say"
	"github.com/yagura-sec/yagura/triage"
)

func facets(a huma.API, rooms Rooms) {
	type counted struct{ Body triage.Facets }
	huma.Register(a, need(people.Viewer, within(huma.Operation{
		OperationID: "finding-facets", Method: http.MethodGet, Path: "/api/findings/facets", Summary: "How many findings have each value of their fields",
		Description: "Of the findings that the list's parameters choose; limit and cursor are passed over.",
	})), func(ctx context.Context, in *struct {
		ListInput
		Field []string `query:"field" maxItems:"40" doc:"these fields; absent: all whose values are worth counting"`
		Most  int      `query:"most" default:"20" minimum:"1" maximum:"1000" doc:"values of each field"`
	}) (*counted, error) {
		if rooms.Triage.Store == nil {
			return nil, absent("counts of findings")
		}
		f, err := in.filter(rooms)
		if err != nil {
			return nil, err
		}
		out, err := rooms.Triage.Store.Facets(ctx, f, in.Most, in.Field...)
		if err != nil {
			return nil, rooms.wronged(err)
		}
		out.Facets = list(out.Facets)
		return &counted{out}, nil
	})
}

func cases(a huma.API, rooms Rooms) {
	type gathered struct{ Body Cases }
	huma.Register(a, need(people.Viewer, within(huma.Operation{
		OperationID: "list-cases", Method: http.MethodGet, Path: "/api/cases", Summary: "Findings gathered by principal, resource and day, the most pressing first",
		Description: "The cases of the findings that the parameters choose, each summing up those findings.",
	})), func(ctx context.Context, in *listInput) (*gathered, error) {
		if rooms.Triage.Store == nil {
			return nil, absent("cases")
		}
		f, err := in.filter(rooms)
		if err != nil {
			return nil, err
		}
		page, next, total, err := rooms.Triage.Store.Cases(ctx, f)
		if err != nil {
			return nil, rooms.wronged(err)
		}
		v := ViewCases(page, next)
		v.Total = &total
		return &gathered{v}, nil
	})
	huma.Register(a, need(people.Viewer, within(huma.Operation{
		OperationID: "get-case", Method: http.MethodGet, Path: "/api/cases/{id}", Summary: "One case, summing up all of its findings",
		Description: "The findings themselves: GET /api/findings?q=case:ID&demoted=true&staged=true.",
	})), func(ctx context.Context, in *struct {
		ID string `path:"id"`
	}) (*tagged[Case], error) {
		if rooms.Triage.Store == nil {
			return nil, absent("cases")
		}
		all := triage.Filter{Demoted: true, Staged: true, Scope: finding.ScopeOf(query.Eq{Field: "case", Value: in.ID})}
		page, _, _, err := rooms.Triage.Store.Cases(ctx, all)
		if err == nil && len(page) == 0 {
			err = triage.ErrNotFound
		}
		if err != nil {
			return nil, rooms.wronged(err)
		}
		return tagging(page[0], ViewCase(page[0])), nil
	})
}

// FindingEvidence are the events that a finding rests on.
type FindingEvidence struct {
	Events  []Event     `json:"events" doc:"the oldest first"`
	Missing []event.UID `json:"missing" doc:"evidence that is not kept any more"`
}

func evidence(a huma.API, rooms Rooms) {
	type shown struct{ Body FindingEvidence }
	huma.Register(a, need(people.Viewer, within(huma.Operation{
		OperationID: "finding-evidence", Method: http.MethodGet, Path: "/api/findings/{key}/evidence", Summary: "The events that a finding rests on: the first and the latest",
	})), func(ctx context.Context, in *KeyInput) (*shown, error) {
		f, err := rooms.Findings.Get(ctx, in.Key)
		if err != nil {
			return nil, rooms.failure(err)
		}
		events, err := rooms.eventsOf(ctx, sightings(&f), 0, true)
		if err != nil {
			return nil, rooms.failure(err)
		}
		out := &shown{FindingEvidence{[]Event{}, []event.UID{}}}
		there := map[event.UID]bool{}
		for _, e := range events {
			there[e.UID] = true
			out.Body.Events = append(out.Body.Events, ViewEvent(e))
		}
		for _, s := range sightings(&f) {
			if !there[s.UID] {
				out.Body.Missing = append(out.Body.Missing, s.UID)
			}
		}
		return out, nil
	})
}

// sightings are all that is kept of the events that f rests on.
func sightings(f *finding.Finding) []finding.Sighting {
	return slices.Concat(f.Evidence.First, f.Evidence.Latest)
}

// togetherIn is how near in time sightings are that are asked for together: what
// a finding rests on may lie months apart, and nothing between is to be read.
const togetherIn = time.Minute

// eventsOf gives those events, the oldest first; most 0: all of them.
func (r Rooms) eventsOf(ctx context.Context, all []finding.Sighting, most int, raw bool) (out []event.Event, err error) {
	if most > 0 && len(all) > most {
		all = all[:most]
	}
	ctx, cancel := context.WithTimeout(ctx, searchTime)
	defer cancel()
	all = slices.SortedFunc(slices.Values(all), func(a, b finding.Sighting) int { return a.Time.Compare(b.Time) })
	for len(all) > 0 {
		n := 1
		for n < len(all) && all[n].Time.Sub(all[n-1].Time) <= togetherIn {
			n++
		}
		for e, err := range r.Select(ctx, queryOf(all[:n], raw)) {
			if err != nil {
				return nil, err
			}
			out = append(out, e)
		}
		all = all[n:]
	}
	return out, nil
}

// queryOf asks for the events of sightings, which are in order of time.
func queryOf(some []finding.Sighting, raw bool) query.Query {
	// Sightings tell times to the microsecond, and Until is not included.
	q := query.Query{OldestFirst: true, Limit: len(some), NoRaw: !raw, Since: some[0].Time, Until: some[len(some)-1].Time.Add(time.Millisecond)}
	if len(some) == 1 {
		q.Where = query.Eq{Field: "uid", Value: some[0].UID} // the lake looks one up without reading the rest
		return q
	}
	var any query.Or
	for _, s := range some {
		any.X = append(any.X, query.Eq{Field: "uid", Value: s.UID})
	}
	q.Where = any
	return q
}

// TimelineEvent is an event around a finding.
type TimelineEvent struct {
	Event
	OfFinding bool `json:"of_finding" doc:"it is evidence of the finding"`
}

// TimelineGap is a stretch of time of which the log is not whole.
type TimelineGap struct {
	Kind    string    `json:"kind" enum:"silent,digest_missing,digest_mismatch"`
	Account string    `json:"account"`
	Region  string    `json:"region"`
	From    time.Time `json:"from"`
	To      time.Time `json:"to" doc:"exclusive"`
	Reason  say.Text  `json:"reason" doc:"a sentence, with its numbers"`
}

// Timeline is what a principal did around a finding.
type Timeline struct {
	Since  time.Time       `json:"since"`
	Until  time.Time       `json:"until" doc:"exclusive"`
	Whose  string          `json:"whose" doc:"the filter over events that chose them, for the search page"`
	Events []TimelineEvent `json:"events" doc:"the oldest first"`
	More   bool            `json:"more" doc:"there are more than are told: those nearest to the finding's first event are"`
	Gaps   []TimelineGap   `json:"gaps" doc:"where the log is not whole: nothing seen is not nothing done"`
}

// timelineMost is how many events a timeline tells.
const timelineMost = 1000

func timeline(a huma.API, rooms Rooms) {
	type told struct{ Body Timeline }
	huma.Register(a, need(people.Viewer, within(huma.Operation{
		OperationID: "finding-timeline", Method: http.MethodGet, Path: "/api/findings/{key}/timeline", Summary: "What the principal did around a finding, and where the log has gaps",
		Description: "Around its first event, or where it lasts for long around its latest, too. Of a finding without a principal: what was done to the resource.",
	})), func(ctx context.Context, in *struct {
		KeyInput
		Hours float64 `query:"hours" default:"2" minimum:"0.1" maximum:"48" doc:"before and after"`
		Raw   bool    `query:"raw" default:"true" doc:"with the records themselves; false, which is much quicker: raw is null"`
	}) (*told, error) {
		f, err := rooms.Findings.Get(ctx, in.Key)
		if err != nil {
			return nil, rooms.failure(err)
		}
		t, err := rooms.timeline(ctx, &f, time.Duration(in.Hours*float64(time.Hour)), in.Raw)
		if err != nil {
			return nil, rooms.failure(err)
		}
		return &told{t}, nil
	})
}

// KeyInput names a finding. It is exported because what is embedded in an input
// is not read otherwise.
type KeyInput struct {
	Key string `path:"key"`
}

// whose chooses the events of the principal of f, or of its resource.
func whose(f *finding.Finding) query.Expr {
	switch {
	case f.Actor != "":
		actor := query.Eq{Field: "actor_uid", Value: f.Actor}
		if _, err := netip.ParseAddr(f.Actor); err != nil {
			return actor
		}
		// Where no principal is named the actor is an address.
		return query.Or{X: []query.Expr{actor, query.Eq{Field: "src_ip", Value: f.Actor}}}
	case f.Resource != "":
		return query.Or{X: []query.Expr{query.Eq{Field: "resource_uid", Value: f.Resource}, query.Eq{Field: "resource_uids", Value: f.Resource}}}
	}
	return nil
}

func (r Rooms) timeline(ctx context.Context, f *finding.Finding, around time.Duration, raw bool) (Timeline, error) {
	t := Timeline{Since: f.FirstSeen.Add(-around), Until: f.FirstSeen.Add(around), Events: []TimelineEvent{}, Gaps: []TimelineGap{}}
	if f.LastSeen.Sub(f.FirstSeen) <= 48*time.Hour {
		t.Until = f.LastSeen.Add(around)
	}
	t.Until = t.Until.Add(time.Microsecond)
	where := whose(f)
	if where == nil {
		return t, nil
	}
	t.Whose = query.String(where)
	ctx, cancel := context.WithTimeout(ctx, searchTime)
	defer cancel()
	of := map[event.UID]bool{}
	for _, s := range sightings(f) {
		of[s.UID] = true
	}
	// From the finding outwards: what is left out, of a principal that does much,
	// is what is farthest from it.
	after := query.Query{Where: where, Since: f.FirstSeen, Until: t.Until, OldestFirst: true, Limit: timelineMost/2 + 1, NoRaw: !raw}
	before := query.Query{Where: where, Since: t.Since, Until: f.FirstSeen, Limit: timelineMost/2 + 1, NoRaw: !raw}
	for _, q := range []query.Query{before, after} {
		n := 0
		for e, err := range r.Select(ctx, q) {
			if err != nil {
				return t, err
			}
			if n++; n > timelineMost/2 {
				t.More = true
				break
			}
			t.Events = append(t.Events, TimelineEvent{ViewEvent(e), of[e.UID]})
		}
	}
	slices.SortStableFunc(t.Events, func(a, b TimelineEvent) int { return a.Time.Compare(b.Time) })
	gaps, err := r.gapsOf(ctx, t.Since, t.Until, func(account string) bool { return f.Account == "" || account == f.Account })
	t.Gaps = gaps
	return t, err
}

// gapsOf gives the gaps that touch a time, of accounts that are chosen and that
// who asks may see.
func (r Rooms) gapsOf(ctx context.Context, since, until time.Time, account func(string) bool) ([]TimelineGap, error) {
	out := []TimelineGap{}
	if r.Triage.Gaps == nil {
		return out, nil
	}
	gaps, err := r.Triage.Gaps(ctx, since, until)
	for _, g := range gaps {
		if sees(ctx, g.Account) && account(g.Account) {
			out = append(out, TimelineGap{string(g.Kind), g.Account, g.Region, g.From, g.To, g.Reason})
		}
	}
	return out, err
}

// Similar is a finding that is like another.
type Similar struct {
	Finding Finding  `json:"finding"`
	Why     say.Text `json:"why" doc:"in what it is alike, in a sentence"`
	Alike   string   `json:"alike" enum:"related,actor_resource,actor,resource,account,rule" doc:"the same as a word, for templates: related speaks of the same trouble; the others have that, and what made them, in common"`
}

// SimilarFindings are those that are like one.
type SimilarFindings struct {
	Similar []Similar `json:"similar" doc:"those that speak of the same trouble, then the most alike, decided ones first"`
}

// similarMost is how many are told.
const similarMost = 20

func similar(a huma.API, rooms Rooms) {
	type told struct{ Body SimilarFindings }
	huma.Register(a, need(people.Viewer, within(huma.Operation{
		OperationID: "finding-similar", Method: http.MethodGet, Path: "/api/findings/{key}/similar", Summary: "Findings like one, and how they were decided",
	})), func(ctx context.Context, in *KeyInput) (*told, error) {
		f, err := rooms.Findings.Get(ctx, in.Key)
		if err != nil {
			return nil, rooms.failure(err)
		}
		out := &told{}
		out.Body.Similar, err = rooms.similar(ctx, &f)
		if err != nil {
			return nil, rooms.failure(err)
		}
		return out, nil
	})
}

// likeness is what a finding that the same thing made has in common besides.
type likeness struct {
	alike  string
	why    say.Text
	filter triage.Filter
}

// likenesses are the questions for findings like f, the most alike first.
func likenesses(f *finding.Finding) []likeness {
	same, what := triage.Filter{Kind: f.Kind, Rule: f.Rule}, "rule"
	if f.Rule == "" {
		what = "kind"
	}
	with := func(set func(*triage.Filter)) triage.Filter {
		x := same
		set(&x)
		x.Demoted, x.Staged, x.Limit, x.Sort = true, true, similarMost+1, "last_seen"
		return x
	}
	var out []likeness
	add := func(is bool, alike string, set func(*triage.Filter)) {
		if is {
			out = append(out, likeness{alike, say.T("similar."+what+"."+alike, nil), with(set)})
		}
	}
	add(f.Actor != "" && f.Resource != "", "actor_resource", func(x *triage.Filter) { x.Actor, x.Resource = f.Actor, f.Resource })
	add(f.Actor != "", "actor", func(x *triage.Filter) { x.Actor = f.Actor })
	add(f.Resource != "", "resource", func(x *triage.Filter) { x.Resource = f.Resource })
	add(f.Account != "", "account", func(x *triage.Filter) { x.Account = f.Account })
	add(true, "rule", func(*triage.Filter) {})
	return out
}

func (r Rooms) similar(ctx context.Context, f *finding.Finding) ([]Similar, error) {
	out, met := []Similar{}, map[string]bool{f.Key: true}
	related, err := triage.Related(ctx, r.Findings, f)
	if err != nil {
		return nil, err
	}
	for _, x := range related {
		met[x.Finding.Key] = true
		out = append(out, Similar{ViewFinding(x.Finding), x.Why, "related"})
	}
	for _, like := range likenesses(f) {
		if len(out) >= similarMost {
			break
		}
		page, _, err := r.Findings.List(ctx, like.filter)
		if err != nil {
			return nil, err
		}
		slices.SortStableFunc(page, func(a, b finding.Finding) int { return cmp.Compare(undecided(&a), undecided(&b)) })
		for _, x := range page {
			if !met[x.Key] {
				met[x.Key] = true
				out = append(out, Similar{ViewFinding(x), like.why, like.alike})
			}
		}
	}
	return out[:min(len(out), similarMost)], nil
}

func undecided(f *finding.Finding) int {
	if f.Verdict == finding.NoVerdict {
		return 1
	}
	return 0
}
