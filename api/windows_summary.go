package api

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/people"
	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/say"
	"github.com/yagura-sec/yagura/triage"
)

// WindowSummary is what happened in a window.
type WindowSummary struct {
	Window Window         `json:"window"`
	Times  []finding.Span `json:"times" doc:"when it took place, the latest 50"`
	// Explained is what the window accounts for, now.
	Explained  int            `json:"explained"`
	BySeverity map[string]int `json:"by_severity" doc:"of these"`
	ByKind     map[string]int `json:"by_kind" doc:"of these"`
	Decided    int            `json:"decided" doc:"of these, what a person has given a verdict all the same"`
	// Beside is what was seen in its accounts, in its latest time, and is not explained.
	Beside     int       `json:"beside" doc:"findings in its accounts, or anywhere where it names none, that were last seen in its latest time and that nothing explains"`
	Text       say.Text  `json:"text" doc:"the whole in a sentence"`
	Sample     []Finding `json:"sample" doc:"the most pressing that it explains"`
	Unforeseen []Finding `json:"unforeseen" doc:"the most pressing of beside"`
}

func windowSummary(a huma.API, rooms Rooms) {
	type told struct{ Body WindowSummary }
	huma.Register(a, need(people.Viewer, within(huma.Operation{
		OperationID: "window-summary", Method: http.MethodGet, Path: "/api/windows/{id}/summary", Summary: "What happened in a window, and what beside it",
	})), func(ctx context.Context, in *struct {
		ID string `path:"id"`
	}) (*told, error) {
		w, err := rooms.window(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		s, err := rooms.summary(ctx, w)
		if err != nil {
			return nil, rooms.wronged(err)
		}
		return &told{s}, nil
	})
}

// ExplainedBy chooses what a window or exception accounts for.
func ExplainedBy(id string) finding.Scope {
	return finding.ScopeOf(query.Eq{Field: "explained_by", Value: id})
}

const (
	summaryTimes  = 50
	summarySample = 10
)

// summary tells what happened in w so far.
func (r Rooms) summary(ctx context.Context, w finding.Window) (WindowSummary, error) {
	return Summarise(ctx, w, r.Now(), r.Triage.Expand, r.Findings, r.Triage.Store)
}

// Summarise tells what happened in w until now.
func Summarise(ctx context.Context, w finding.Window, now time.Time, expand triage.Expand, findings triage.Reader, counts triage.Counter) (WindowSummary, error) {
	s := WindowSummary{Window: ViewWindow(w, now, expand), Times: []finding.Span{}, BySeverity: map[string]int{}, ByKind: map[string]int{}}
	for _, t := range timesOf(&w, now.Add(-horizon), now, expand) {
		if t.Start.Before(now) {
			s.Times = append(s.Times, t)
		}
	}
	s.Times = s.Times[max(0, len(s.Times)-summaryTimes):]
	mine := triage.Filter{Scope: ExplainedBy(w.ID), Demoted: true, Staged: true}
	counted, err := counts.Facets(ctx, mine, 0, "severity", "kind", "verdict")
	if err != nil {
		return s, err
	}
	s.Explained, s.Decided = counted.Total, counted.Total
	for _, f := range counted.Facets {
		for _, v := range f.Values {
			switch {
			case f.Field == "severity":
				s.BySeverity[v.Value] = v.Count
			case f.Field == "kind":
				s.ByKind[v.Value] = v.Count
			case v.Value == "":
				s.Decided -= v.Count
			}
		}
	}
	mine.Limit = summarySample
	if s.Sample, err = some(ctx, findings, mine); err != nil {
		return s, err
	}
	s.Unforeseen = []Finding{}
	if len(s.Times) > 0 {
		last := s.Times[len(s.Times)-1]
		beside := triage.Filter{Since: last.Start, Until: last.End, Unexplained: true, Limit: summarySample, Scope: inAccounts(w.Accounts)}
		if s.Beside, err = counts.Count(ctx, beside); err != nil {
			return s, err
		}
		if s.Unforeseen, err = some(ctx, findings, beside); err != nil {
			return s, err
		}
	}
	s.Text = s.sentence(now)
	return s, nil
}

func some(ctx context.Context, findings triage.Reader, f triage.Filter) ([]Finding, error) {
	page, _, err := findings.List(ctx, f)
	return ViewFindings(page, "").Findings, err
}

// inAccounts chooses findings of the accounts; of none: all.
func inAccounts(accounts []string) finding.Scope {
	if len(accounts) == 0 {
		return finding.Scope{}
	}
	var any query.Or
	for _, a := range accounts {
		if a == "*" {
			return finding.Scope{}
		}
		if a[max(0, len(a)-1):] == "*" {
			any.X = append(any.X, query.Like{Field: "account", Pattern: query.Escape(a[:len(a)-1]) + "*"})
			continue
		}
		any.X = append(any.X, query.Eq{Field: "account", Value: a})
	}
	return finding.ScopeOf(any)
}

// sentence tells s in one.
func (s *WindowSummary) sentence(now time.Time) say.Text {
	when := say.T("window.waiting", nil)
	if n := len(s.Times); n > 0 {
		last := s.Times[n-1]
		when = say.T("window.ended", say.Values{"at": last.End.UTC(), "span": last.End.Sub(last.Start).Round(time.Minute).Seconds()})
		if last.End.After(now) {
			when = say.T("window.open", say.Values{"at": last.End.UTC()})
		}
	}
	return say.T("window.summary", say.Values{"title": s.Window.Title, "when": when, "explained": s.Explained, "beside": s.Beside})
}

// ended are the windows whose latest time ended in [since, now), summed up, the
// latest first.
func (r Rooms) ended(ctx context.Context, since, now time.Time) ([]WindowSummary, error) {
	out := []WindowSummary{}
	kept, err := r.Triage.Store.Windows(ctx)
	if err != nil {
		return nil, err
	}
	for _, w := range kept {
		v := ViewWindow(w, now, r.Triage.Expand)
		if v.State != finding.WindowActive || v.Last == nil || v.Last.End.Before(since) {
			continue
		}
		s, err := r.summary(ctx, w)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
		if len(out) == endedMost {
			break
		}
	}
	slices.SortStableFunc(out, func(a, b WindowSummary) int { return cmp.Or(b.Window.Last.End.Compare(a.Window.Last.End)) })
	return out, nil
}

// endedMost is how many windows that ended are summed up for one page.
const endedMost = 20
