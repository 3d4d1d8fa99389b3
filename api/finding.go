package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/people"
	"github.com/yagura-sec/yagura/triage"
)

// Finding is a finding as scripts read it, from the API and from
// `findings list --format json` alike.
type Finding struct {
	Key            string                `json:"key"`
	Kind           finding.Kind          `json:"kind"`
	Title          string                `json:"title"`
	Severity       finding.Severity      `json:"severity"`
	Priority       int                   `json:"priority" minimum:"0" maximum:"100"`
	PriorityParts  []finding.Part        `json:"priority_parts"`
	Confidence     float64               `json:"confidence"`
	Status         finding.Status        `json:"status"`
	Verdict        finding.Verdict       `json:"verdict"`
	VerdictReason  string                `json:"verdict_reason"`
	Cause          finding.Cause         `json:"cause"`
	Assignee       string                `json:"assignee"`
	Actor          string                `json:"actor"`
	Resource       string                `json:"resource"`
	Account        string                `json:"account"`
	Region         string                `json:"region"`
	FirstSeen      time.Time             `json:"first_seen"`
	LastSeen       time.Time             `json:"last_seen"`
	Count          int64                 `json:"count"`
	Reasons        []finding.Reason      `json:"reasons"`
	ExplainedBy    []finding.Explanation `json:"explained_by"`
	Evidence       []event.UID           `json:"evidence" doc:"the first and the latest events, by time"`
	Rule           string                `json:"rule"`
	Attack         []finding.Attack      `json:"attack"`
	FalsePositives []string              `json:"false_positives"`
	Next           []string              `json:"next"`
	Case           string                `json:"case"`
	Demoted        bool                  `json:"demoted"`
	Decisions      []finding.Decision    `json:"decisions"`
	Anomaly        *finding.Anomaly      `json:"anomaly,omitempty" doc:"the numbers of an anomaly"`
}

// Findings is a page of them.
type Findings struct {
	Findings []Finding `json:"findings"`
	Next     string    `json:"next" doc:"cursor of the following page; empty at the end"`
}

// ViewFinding gives f as scripts read it. Lists are never null.
func ViewFinding(f finding.Finding) Finding {
	v := Finding{
		Key: f.Key, Kind: f.Kind, Title: f.Title, Severity: f.Severity, Priority: f.Priority,
		PriorityParts: list(f.Parts), Confidence: f.Confidence, Status: f.Status, Verdict: f.Verdict,
		VerdictReason: f.Reason, Cause: f.Cause, Assignee: f.Assignee, Actor: f.Actor,
		Resource: f.Resource, Account: f.Account, Region: f.Region, FirstSeen: f.FirstSeen,
		LastSeen: f.LastSeen, Count: f.Count, Reasons: list(f.Reasons), ExplainedBy: list(f.Explained),
		Evidence: []event.UID{}, Rule: f.Rule, Attack: list(f.Attack),
		FalsePositives: list(f.FalsePositives), Next: list(f.Next), Case: f.Case, Demoted: f.Demoted,
		Decisions: list(f.Decisions), Anomaly: f.Anomaly,
	}
	for _, s := range f.Evidence.First {
		v.Evidence = append(v.Evidence, s.UID)
	}
	for _, s := range f.Evidence.Latest {
		v.Evidence = append(v.Evidence, s.UID)
	}
	return v
}

// ViewFindings gives a page as scripts read it.
func ViewFindings(page []finding.Finding, next string) Findings {
	v := Findings{Findings: make([]Finding, 0, len(page)), Next: next}
	for _, f := range page {
		v.Findings = append(v.Findings, ViewFinding(f))
	}
	return v
}

// Case is a case as scripts read it.
type Case struct {
	ID        string           `json:"id"`
	Priority  int              `json:"priority" minimum:"0" maximum:"100"`
	Severity  finding.Severity `json:"severity"`
	Actor     string           `json:"actor"`
	Resource  string           `json:"resource"`
	Account   string           `json:"account"`
	FirstSeen time.Time        `json:"first_seen"`
	LastSeen  time.Time        `json:"last_seen"`
	Chance    float64          `json:"chance" doc:"of its anomalies together, by Fisher's method over all signs; 0: it has none"`
	Explained bool             `json:"explained" doc:"every finding of it is"`
	Findings  []Finding        `json:"findings" doc:"the strongest first"`
}

// Cases is a page of them.
type Cases struct {
	Cases []Case `json:"cases"`
	Next  string `json:"next" doc:"cursor of the following page of findings; empty at the end"`
}

// ViewCases gives cases as scripts read them.
func ViewCases(cases []finding.Case, next string) Cases {
	v := Cases{Cases: make([]Case, 0, len(cases)), Next: next}
	for _, c := range cases {
		v.Cases = append(v.Cases, Case{
			ID: c.ID, Priority: c.Priority, Severity: c.Severity, Actor: c.Actor, Resource: c.Resource, Account: c.Account,
			FirstSeen: c.First, LastSeen: c.Last, Chance: c.Chance, Explained: c.Explained, Findings: ViewFindings(c.Findings, "").Findings,
		})
	}
	return v
}

// list is l, or an empty list for nil, so that JSON says [] and not null.
func list[T any](l []T) []T {
	if l == nil {
		return []T{}
	}
	return l
}

type listInput struct {
	Severity finding.Severity `query:"severity" enum:"informational,low,medium,high,critical" doc:"at least this severe"`
	Status   []finding.Status `query:"status" enum:"new,in_progress,resolved,suppressed" doc:"one of these"`
	Kind     finding.Kind     `query:"kind" doc:"anomaly chooses every sign of anomalies"`
	Rule     string           `query:"rule"`
	Account  string           `query:"account"`
	Actor    string           `query:"actor"`
	Resource string           `query:"resource"`
	Text     string           `query:"text" doc:"in title, actor or resource, any case"`
	Since    time.Time        `query:"since" doc:"last seen at or after"`
	Until    time.Time        `query:"until" doc:"last seen before"`
	Demoted  bool             `query:"demoted" doc:"also findings of rules that match too much to look at one by one"`
	Limit    int              `query:"limit" default:"100" minimum:"1" maximum:"1000"`
	Cursor   string           `query:"cursor"`

	Unexplained bool `query:"unexplained" doc:"none that planned work or the log itself accounts for"`
}

func (in *listInput) filter() triage.Filter {
	return triage.Filter{
		Severity: in.Severity, Status: in.Status, Kind: in.Kind, Rule: in.Rule, Account: in.Account,
		Actor: in.Actor, Resource: in.Resource, Text: in.Text, Since: in.Since, Until: in.Until,
		Demoted: in.Demoted, Limit: in.Limit, Cursor: in.Cursor, Unexplained: in.Unexplained,
	}
}

func findings(a huma.API, rooms Rooms) {
	type page struct{ Body Findings }
	huma.Register(a, need(people.Viewer, within(huma.Operation{
		OperationID: "list-findings", Method: http.MethodGet, Path: "/api/findings", Summary: "Findings, most pressing first",
	})), func(ctx context.Context, in *listInput) (*page, error) {
		found, next, err := rooms.Findings.List(ctx, in.filter())
		if err != nil {
			return nil, rooms.failure(err)
		}
		return &page{ViewFindings(found, next)}, nil
	})
	type gathered struct{ Body Cases }
	huma.Register(a, need(people.Viewer, within(huma.Operation{
		OperationID: "list-cases", Method: http.MethodGet, Path: "/api/cases", Summary: "A page of findings, gathered by principal, resource and day",
	})), func(ctx context.Context, in *listInput) (*gathered, error) {
		found, next, err := rooms.Findings.List(ctx, in.filter())
		if err != nil {
			return nil, rooms.failure(err)
		}
		return &gathered{ViewCases(finding.Gather(found), next)}, nil
	})
	type one struct{ Body Finding }
	huma.Register(a, need(people.Viewer, within(huma.Operation{
		OperationID: "get-finding", Method: http.MethodGet, Path: "/api/findings/{key}", Summary: "One finding, by its key or a prefix of it",
	})), func(ctx context.Context, in *struct {
		Key string `path:"key"`
	}) (*one, error) {
		f, err := rooms.Findings.Get(ctx, in.Key)
		if err != nil {
			return nil, rooms.failure(err)
		}
		return &one{ViewFinding(f)}, nil
	})
}
