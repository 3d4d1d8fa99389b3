package api

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/people"
	"github.com/yagura-sec/yagura/say"
	"github.com/yagura-sec/yagura/sigma/attack"
	"github.com/yagura-sec/yagura/triage"
)

// Finding is a finding as scripts read it, from the API and from
// `findings list --format json` alike.
type Finding struct {
	Key            string                `json:"key"`
	Kind           finding.Kind          `json:"kind"`
	Title          say.Text              `json:"title"`
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
	FalsePositives []say.Text            `json:"false_positives"`
	Next           []say.Text            `json:"next"`
	Case           string                `json:"case"`
	Demoted        bool                  `json:"demoted"`
	Decisions      []finding.Decision    `json:"decisions"`
	Anomaly        *finding.Anomaly      `json:"anomaly,omitempty" doc:"the numbers of an anomaly"`

	Source      string            `json:"source" doc:"the product that says it: yagura, guardduty, securityhub"`
	Product     string            `json:"product" doc:"that, as people call it"`
	External    *finding.External `json:"external,omitempty" doc:"what the product says whose finding it is"`
	Person      string            `json:"person" doc:"the session or user name where a person acted"`
	Resources   []string          `json:"resources" doc:"all that it is about"`
	AccountName string            `json:"account_name" doc:"as the estate says; empty: it says nothing"`
	Environment string            `json:"environment"`
	Owner       string            `json:"owner"`
	Criticality string            `json:"criticality" enum:",low,medium,high,critical"`
	Staged      bool              `json:"staged" doc:"its rule runs on trial, or was retired after one"`
	Related     []string          `json:"related" doc:"keys of findings that speak of the same trouble; in lists only what its record names"`
	// What folding makes of it.
	AlsoReportedBy []finding.Also `json:"also_reported_by" doc:"findings that are folded into it: other products' of the same trouble (docs/findings-of-others.md); of yagura what a rule says of the parts of a run, count of them as one, key that of one of them"`
	FoldedInto     string         `json:"folded_into" doc:"the key of the finding that it is folded into; empty: it stands for itself"`
	Apart          *finding.Apart `json:"apart,omitempty" doc:"why it stands beside another finding of the same trouble"`
	// Of runs of denials by policy.
	ActorInferred   *finding.Inference       `json:"actor_inferred,omitempty" doc:"who it probably was where the records do not say: inferred, not logged"`
	Intent          string                   `json:"intent,omitempty" doc:"what somebody was probably about to do, by its id"`
	ImpliedService  string                   `json:"implied_service,omitempty" doc:"the service that was refused because another brings it along"`
	RegisterGap     *finding.RegisterGap     `json:"register_gap,omitempty" doc:"what the work needs and nobody applied for"`
	ProposedVerdict *finding.ProposedVerdict `json:"proposed_verdict,omitempty" doc:"the verdict that the evidence speaks for, to take or leave"`
	// Standing is told of a single finding.
	Standing []StandingNamed `json:"standing,omitempty" doc:"decisions that stand about it or its case; only of a single finding"`
	// ProposedCause is told of a single finding.
	ProposedCause *ProposedCause `json:"proposed_cause,omitempty" doc:"what probably brought it about; only of a single finding, and absent where nothing shows it"`
	CausePending  bool           `json:"cause_pending,omitempty" doc:"the log is still looked at for its cause: ask again, or listen at /api/live"`
}

// ProposedCause is what probably brought a finding about, for a person to take or
// leave.
type ProposedCause struct {
	Cause      finding.Cause `json:"cause" enum:"deploy,person,drift,provider,attack,unknown"`
	Confidence float64       `json:"confidence" minimum:"0" maximum:"1"`
	Text       say.Text      `json:"text" doc:"what shows it, in a sentence"`
	Evidence   []event.UID   `json:"evidence" doc:"the events that show it"`
}

// Findings is a page of them.
type Findings struct {
	Findings []Finding `json:"findings"`
	Next     string    `json:"next" doc:"cursor of the following page; empty at the end"`
	Total    *int      `json:"total,omitempty" doc:"how many there are on all pages"`
}

// ViewFinding gives f as scripts read it. Lists are never null.
func ViewFinding(f finding.Finding) Finding {
	v := Finding{
		Key: f.Key, Kind: f.Kind, Title: titled(&f), Severity: f.Severity, Priority: f.Priority,
		PriorityParts: list(f.Parts), Confidence: f.Confidence, Status: f.Status, Verdict: f.Verdict,
		VerdictReason: f.Reason, Cause: f.Cause, Assignee: f.Assignee, Actor: f.Actor,
		Resource: f.Resource, Account: f.Account, Region: f.Region, FirstSeen: f.FirstSeen,
		LastSeen: f.LastSeen, Count: f.Count, Reasons: list(f.Reasons), ExplainedBy: list(f.Explained),
		Evidence: []event.UID{}, Rule: f.Rule, Attack: named(f.Attack),
		FalsePositives: say.AllOfRule(f.Rule, f.FalsePositives), Next: steps(&f), Case: f.Case, Demoted: f.Demoted,
		Decisions: list(f.Decisions), Anomaly: f.Anomaly,
		Source: f.Said(), Product: f.Product(), External: f.External, Person: f.Person(), Resources: list(f.Resources()),
		AccountName: f.AccountName, Environment: f.Environment, Owner: f.Owner, Criticality: f.Criticality,
		Staged: f.Staged, Related: list(slices.Clone(f.Related)),
		AlsoReportedBy: list(f.Also), FoldedInto: f.Folded, Apart: f.Apart,
		ActorInferred: f.Inferred, Intent: f.Intent, ImpliedService: f.ImpliedService, RegisterGap: f.RegisterGap, ProposedVerdict: f.Proposed,
	}
	for _, s := range f.Evidence.First {
		v.Evidence = append(v.Evidence, s.UID)
	}
	for _, s := range f.Evidence.Latest {
		v.Evidence = append(v.Evidence, s.UID)
	}
	return v
}

// titled is the title of f: one of ours as a sentence, else that of its rule or of
// another product.
func titled(f *finding.Finding) say.Text {
	told := f.Told()
	if told.ID() == "" && (f.Kind == finding.KindRule || f.Kind == finding.KindCorrelation) {
		return say.OfRule(f.Rule, f.Title)
	}
	return told
}

// steps are the next steps of f: those of its rule, or sentences of ours.
func steps(f *finding.Finding) []say.Text {
	if f.Kind == finding.KindRule || f.Kind == finding.KindCorrelation {
		return say.AllOfRule(f.Rule, f.Next)
	}
	out := make([]say.Text, len(f.Next))
	for i, step := range f.Next {
		out[i] = say.Again("step.", step)
	}
	return out
}

// ViewFindings gives a page as scripts read it.
func ViewFindings(page []finding.Finding, next string) Findings {
	v := Findings{Findings: make([]Finding, 0, len(page)), Next: next}
	for _, f := range page {
		v.Findings = append(v.Findings, ViewFinding(f))
	}
	return v
}

// Case sums up the findings of one principal, resource and day, as scripts read it.
type Case struct {
	ID        string           `json:"id"`
	Priority  int              `json:"priority" minimum:"0" maximum:"100" doc:"of its most pressing finding"`
	Severity  finding.Severity `json:"severity" doc:"of its most severe finding"`
	Actor     string           `json:"actor"`
	Person    string           `json:"person" doc:"the session or user name where a person acted"`
	Resource  string           `json:"resource"`
	Account   string           `json:"account"`
	FirstSeen time.Time        `json:"first_seen"`
	LastSeen  time.Time        `json:"last_seen"`
	Chance    float64          `json:"chance" doc:"of its anomalies together, by Fisher's method over all signs; 0: it has none"`
	Explained bool             `json:"explained" doc:"every finding of it is"`
	Kinds     []finding.Kind   `json:"kinds" doc:"of its findings, each once"`
	Count     int              `json:"count" doc:"of its findings; GET /api/findings?q=case:ID lists them"`
}

// Cases is a page of them.
type Cases struct {
	Cases []Case `json:"cases"`
	Next  string `json:"next" doc:"cursor of the following page; empty at the end"`
	Total *int   `json:"total,omitempty" doc:"how many there are on all pages"`
}

// ViewCases gives cases as scripts read them.
func ViewCases(cases []finding.Case, next string) Cases {
	v := Cases{Cases: make([]Case, 0, len(cases)), Next: next}
	for _, c := range cases {
		v.Cases = append(v.Cases, ViewCase(c))
	}
	return v
}

// ViewCase gives a case as scripts read it.
func ViewCase(c finding.Case) Case {
	return Case{
		ID: c.ID, Priority: c.Priority, Severity: c.Severity, Actor: c.Actor, Person: c.Person, Resource: c.Resource, Account: c.Account,
		FirstSeen: c.First, LastSeen: c.Last, Chance: c.Chance, Explained: c.Explained, Kinds: list(c.Kinds), Count: c.Count,
	}
}

// Gathered is a case with its findings, as `findings cases --format json` gives it.
type Gathered struct {
	Case
	Findings []Finding `json:"findings" doc:"the strongest first"`
}

// ViewGathered gives a case with its findings as scripts read it.
func ViewGathered(g finding.Gathered) Gathered {
	return Gathered{ViewCase(g.Case), ViewFindings(g.Findings, "").Findings}
}

// list is l, or an empty list for nil, so that JSON says [] and not null.
func list[T any](l []T) []T {
	if l == nil {
		return []T{}
	}
	return l
}

type listInput struct {
	Q        string           `query:"q" maxLength:"4096" doc:"filter over the fields of findings: field:value, phrases, wildcards, ranges, and, or, not" example:"severity:>=high account:111122223333 not explained:true"`
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
	Staged   bool             `query:"staged" doc:"also findings of rules on trial, and of retired ones"`
	Folded   bool             `query:"folded" doc:"also findings that are folded into another"`
	Limit    int              `query:"limit" default:"100" minimum:"1" maximum:"1000"`
	Cursor   string           `query:"cursor"`

	Unexplained bool `query:"unexplained" doc:"none that planned work or the log itself accounts for"`
}

// filter is what in chooses; times in its q may be relative to now.
func (in *listInput) filter(r Rooms) (triage.Filter, error) {
	scope, err := r.scopeAt(in.Q)
	return triage.Filter{
		Severity: in.Severity, Status: in.Status, Kind: in.Kind, Rule: in.Rule, Account: in.Account,
		Actor: in.Actor, Resource: in.Resource, Text: in.Text, Since: in.Since, Until: in.Until,
		Demoted: in.Demoted, Staged: in.Staged, Folded: in.Folded, Limit: in.Limit, Cursor: in.Cursor, Unexplained: in.Unexplained, Scope: scope,
	}, err
}

func findings(a huma.API, rooms Rooms) {
	type page struct{ Body Findings }
	huma.Register(a, need(people.Viewer, within(huma.Operation{
		OperationID: "list-findings", Method: http.MethodGet, Path: "/api/findings", Summary: "Findings, most pressing first",
	})), func(ctx context.Context, in *struct {
		ListInput
		Sort string `query:"sort" doc:"priority (default), last_seen, first_seen, severity, count, title, actor, resource, account, status or assignee; a - before it turns the order round"`
	}) (*page, error) {
		f, err := in.filter(rooms)
		if err != nil {
			return nil, err
		}
		f.Sort = in.Sort
		found, next, err := rooms.Findings.List(ctx, f)
		if err != nil {
			return nil, rooms.wronged(err)
		}
		out := &page{ViewFindings(found, next)}
		if rooms.Triage.Store != nil {
			total, err := rooms.Triage.Store.Count(ctx, f)
			if err != nil {
				return nil, rooms.wronged(err)
			}
			out.Body.Total = &total
		}
		return out, nil
	})
	huma.Register(a, need(people.Viewer, within(huma.Operation{
		OperationID: "get-finding", Method: http.MethodGet, Path: "/api/findings/{key}", Summary: "One finding, by its key or a prefix of it",
	})), func(ctx context.Context, in *struct {
		Key string `path:"key"`
	}) (*tagged[Finding], error) {
		f, err := rooms.Findings.Get(ctx, in.Key)
		if err != nil {
			return nil, rooms.failure(err)
		}
		return rooms.single(ctx, &f)
	})
}

// single is f with what is told of a single finding, and its tag.
func (r Rooms) single(ctx context.Context, f *finding.Finding) (*tagged[Finding], error) {
	v := ViewFinding(*f)
	related, err := triage.Related(ctx, r.Findings, f)
	if err != nil {
		return nil, r.failure(err)
	}
	for i := range related {
		if key := related[i].Finding.Key; !slices.Contains(v.Related, key) {
			v.Related = append(v.Related, key)
		}
	}
	if v.ProposedCause, v.CausePending, err = r.proposedCause(ctx, f); err != nil {
		return nil, r.failure(err)
	}
	if v.Standing, err = r.standingAbout(ctx, f.Key, f.Case); err != nil {
		return nil, r.failure(err)
	}
	return tagging(f, v), nil
}

// named are techniques with their names, which detectors of unusual use leave out.
func named(all []finding.Attack) []finding.Attack {
	out := list(slices.Clone(all))
	for i := range out {
		out[i].Name = cmp.Or(out[i].Name, attack.Name(out[i].ID))
	}
	return out
}
