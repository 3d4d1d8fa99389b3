package denials

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/companion"
	"github.com/yagura-sec/yagura/detect/intent"
	"github.com/yagura-sec/yagura/detect/who"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/register"
	"github.com/yagura-sec/yagura/say"
)

// perimeter is the StatusCode of calls that a service perimeter refused: data was
// to be kept in, which no application for a service changes.
const perimeter = "vpc-service-controls"

// around is what is known of the time around a run.
type around struct {
	*look
	c       *cluster
	run     []denial
	known   *companion.Catalogue // what services bring along, as lists have it and agents were seen to
	answer  who.Answer           // who it was; its Identities are those of the one named
	refused string               // service
	calls   []intent.Call
	match   *intent.Match
	entry   register.Entry
	applied bool // the register has an entry
	hostile []finding.Reason
}

// learn takes in which service was refused, and what agents were seen to do with it.
func (a *around) learn(ctx context.Context) error {
	a.refused, a.known = refusedService(&a.run[0].Event), a.h.companions
	if a.h.o.Agents == nil {
		return nil
	}
	first, last := finding.Hour(a.run[0].Time), finding.Hour(a.run[len(a.run)-1].Time)
	seen, err := a.h.o.Agents(ctx, a.c.project, a.refused, first.Add(-learnDays*day), last.Add(hour))
	if err != nil {
		return fmt.Errorf("ask which agents call %s: %w", a.refused, err)
	}
	if len(seen) > 0 {
		a.known = a.known.With(seen)
	}
	return nil
}

// explain says what the run was for, what was not applied for, and which verdict
// that speaks for.
func (a *around) explain(ctx context.Context, o *finding.Occurrence) error {
	if err := a.watch(ctx); err != nil {
		return err
	}
	if len(a.hostile) > 0 {
		o.Severity, o.Confidence = finding.High, 0.8
		o.Reasons = append(o.Reasons, a.hostile...)
	}
	if a.c.constraint == perimeter {
		return nil
	}
	if err := a.purpose(ctx, o); err != nil {
		return err
	}
	return a.gap(ctx, o)
}

// purpose recognises what somebody was about to do.
func (a *around) purpose(ctx context.Context, o *finding.Occurrence) error {
	first, last := &a.run[0], &a.run[len(a.run)-1]
	services := append(a.h.intents.Services(), "serviceusage.googleapis.com")
	where := query.And{X: []query.Expr{query.Eq{Field: "account_uid", Value: a.c.project}, oneOf("api_service", services), query.Eq{Field: "read_only", Value: false}}}
	for e, err := range a.h.o.Events.Find(ctx, first.Time.Add(-who.Before), last.Time.Add(who.After), where, append([]string{"read_only"}, columns...)...) {
		if err != nil {
			return fmt.Errorf("read what was asked for: %w", err)
		}
		if !e.Twin {
			a.calls = append(a.calls, intent.Call{At: e.Time, Service: e.APIService, Operation: e.APIOperation, Resource: e.ResourceUID, Actor: e.ActorUID})
		}
	}
	slices.SortFunc(a.calls, func(x, y intent.Call) int {
		return cmp.Or(x.At.Compare(y.At), strings.Compare(x.Operation, y.Operation), strings.Compare(x.Resource, y.Resource), strings.Compare(x.Actor, y.Actor))
	})
	a.match = a.h.intents.Recognise(intent.Story{
		Refused: a.refused, Agent: a.agent(), Calls: a.calls, Pages: a.answer.Pages,
	})
	if a.match == nil {
		return nil
	}
	o.Intent = a.match.ID
	o.Reasons = append(o.Reasons, finding.Reason{Kind: "intent", Observed: say.Plain(a.match.ID), Text: a.told()})
	return nil
}

// agent is the service whose agent was refused.
func (a *around) agent() string {
	e := &a.run[0].Event
	return cmp.Or(a.known.ServiceOf(e.ActorUID), e.ActorInvokedBy)
}

// told says what shows the intent.
func (a *around) told() say.Text {
	m := a.match
	var how []say.Text
	if m.Enabled != nil {
		how = append(how, say.T("refused.intent.enabled", say.Values{"service": m.Service, "at": m.Enabled.At}))
	}
	if m.Asked != nil {
		how = append(how, say.T("refused.intent.asked", say.Values{"operation": lastWord(m.Asked.Operation), "n": m.Times, "at": m.Asked.At}))
	}
	if m.Agent {
		how = append(how, say.T("refused.intent.agent", say.Values{"service": m.Service}))
	}
	if m.Page != "" {
		how = append(how, say.T("refused.intent.page", nil))
	}
	return say.T("refused.intent", say.Values{"what": inBoth(m.Name.EN, m.Name.JA), "how": say.Each(how...), "service": a.refused})
}

// gap holds the refused service against what was applied for.
func (a *around) gap(ctx context.Context, o *finding.Occurrence) error {
	if a.h.o.Register != nil {
		var err error
		if a.entry, a.applied, err = a.h.o.Register(ctx, a.c.project); err != nil {
			return fmt.Errorf("look up what project %s applied for: %w", a.c.project, err)
		}
	}
	last := a.run[len(a.run)-1].Time
	var wanted []string // of whatever was used, then of what was applied for
	if a.match != nil {
		wanted = append(wanted, a.match.Service)
	}
	if s := a.agent(); s != "" {
		wanted = append(wanted, s)
	}
	for _, s := range a.entry.Services {
		if a.entry.Covers(s.ID, last) {
			wanted = append(wanted, s.ID)
		}
	}
	bringer, bond, ok := a.known.Bringer(a.refused, wanted)
	if a.match != nil && ok {
		// What was being made says more than what was applied for besides.
		if b, x, direct := a.known.Bringer(a.refused, []string{a.match.Service}); direct {
			bringer, bond = b, x
		}
	}
	if !ok {
		return nil
	}
	o.ImpliedService = a.refused
	name := a.known.Name(bringer)
	needed := a.known.Name(a.refused)
	text := say.T("refused.companion", say.Values{
		"service": inBoth(name.EN, name.JA), "needs": inBoth(needed.EN, needed.JA), "why": inBoth(bond.Why.EN, bond.Why.JA), "source": bond.Source,
	})
	if bond.Source == "" {
		text = say.T("refused.companion.seen", say.Values{"service": inBoth(name.EN, name.JA), "needs": inBoth(needed.EN, needed.JA), "at": bond.Seen.UTC()})
	}
	o.Reasons = append(o.Reasons, finding.Reason{Kind: "companion", Observed: say.Plain(a.refused), Text: text})
	if !a.applied || !a.aboutServices() || a.entry.Covers(a.refused, last) || len(a.hostile) > 0 {
		return nil // what looks like an attack is no matter of applications
	}
	o.RegisterGap = &finding.RegisterGap{Project: a.c.project, Service: a.refused, NeededBy: bringer, Applied: a.entry.IDs()}
	values := say.Values{"project": a.c.project, "bringer": bringer, "service": a.refused}
	text = say.T("refused.gap", values)
	if !a.entry.Covers(bringer, last) {
		text = say.T("refused.gap.both", values)
	}
	o.Reasons = append(o.Reasons, finding.Reason{Kind: "register", Observed: say.Plain(a.refused), Text: text})
	a.propose(o, bringer, last)
	return nil
}

// aboutServices tells whether what refused says which services may be used, and
// not how.
func (a *around) aboutServices() bool {
	return a.run[0].CloudProvider != "GCP" || strings.Contains(a.c.constraint, "restrictServiceUsage")
}

// propose says that all of it is a gap in the application, where nothing is
// missing that would show it.
func (a *around) propose(o *finding.Occurrence, bringer string, at time.Time) {
	uid := a.answer.UID
	if a.c.named {
		uid = a.c.who
	}
	if a.match == nil || uid == "" || len(a.hostile) > 0 || !a.entry.Covers(bringer, at) || !a.belongs() {
		return
	}
	o.Proposed = &finding.ProposedVerdict{Verdict: finding.Expected, Reason: finding.ApplicationGap, Why: []say.Text{
		say.T("refused.why.intent", say.Values{"what": inBoth(a.match.Name.EN, a.match.Name.JA)}),
		say.T("refused.why.applied", say.Values{"project": a.c.project, "service": bringer}),
		say.T("refused.why.needs", say.Values{"service": bringer, "needs": a.refused}),
		say.T("refused.why.belongs", say.Values{"who": uid, "project": a.c.project}),
		say.T("refused.why.quiet", say.Values{"who": uid}),
	}}
}

// belongs tells whether who it was is known to work in the project.
func (a *around) belongs() bool {
	for _, id := range a.identities() {
		if strings.EqualFold(id, a.entry.Applicant) || strings.EqualFold(id, a.entry.Owner) {
			return true
		}
	}
	return a.answer.Works
}

// identities are all names of who it was; none where nobody is named.
func (a *around) identities() []string {
	switch {
	case a.c.named:
		return []string{a.c.who}
	case a.answer.UID != "":
		return a.answer.Identities
	}
	return nil
}

// alarming are acts beside a run that are no work on a notebook, by the end of
// their operation.
var alarming = []struct{ operation, sort string }{
	{"CreateServiceAccountKey", "key"}, {"UploadServiceAccountKey", "key"}, {"CreateAccessKey", "key"}, {"GenerateAccessToken", "key"},
	{"SetIamPolicy", "access"}, {"SetOrgPolicy", "access"}, {"UpdatePolicy", "access"}, {"AttachUserPolicy", "access"}, {"AttachRolePolicy", "access"},
	{"roleassignments/write", "access"}, {"policyassignments/delete", "access"}, {"policyexemptions/write", "access"},
	{"DeleteSink", "logging"}, {"UpdateSink", "logging"}, {"DeleteLog", "logging"}, {"CreateExclusion", "logging"}, {"UpdateExclusion", "logging"},
	{"DeleteBucket", "logging"}, {"StopLogging", "logging"}, {"DeleteTrail", "logging"}, {"diagnosticsettings/delete", "logging"},
}

// sortOf is which sort of alarming act an event is; empty: none.
func sortOf(e *event.Event) string {
	for _, x := range alarming {
		if strings.HasSuffix(e.APIOperation, x.operation) && (x.operation != "DeleteBucket" || strings.HasPrefix(e.APIService, "logging.")) {
			return x.sort
		}
	}
	return ""
}

// watch looks for what whoever it was did besides that is no work: by name, or,
// where the address is nobody else's, from there.
func (a *around) watch(ctx context.Context) error {
	ids := a.identities()
	var by []query.Expr
	if len(ids) > 0 {
		by = append(by, oneOf("actor_uid", ids))
	}
	if a.answer.Alone {
		by = append(by, oneOf("src_ip", a.answer.Addresses))
	}
	if len(by) == 0 {
		return nil
	}
	whose := query.Expr(query.Or{X: by})
	if len(by) == 1 {
		whose = by[0]
	}
	var acts []query.Expr
	for _, x := range alarming {
		acts = append(acts, query.Like{Field: "api_operation", Pattern: "*" + x.operation})
	}
	first, last := a.run[0].Time, a.run[len(a.run)-1].Time
	var found []event.Event
	for e, err := range a.h.o.Events.Find(ctx, first.Add(-who.Before), finding.Hour(last).Add(hour+reach), query.And{X: []query.Expr{whose, query.Or{X: acts}}}, columns...) {
		if err != nil {
			return fmt.Errorf("read what else was done: %w", err)
		}
		if e.Outcome == event.Success && !e.Twin && sortOf(&e) != "" {
			found = append(found, e)
		}
	}
	slices.SortFunc(found, func(x, y event.Event) int {
		return cmp.Or(x.Time.Compare(y.Time), bytes.Compare(x.UID[:], y.UID[:]))
	})
	told := map[string]bool{}
	for i := range found {
		e := &found[i]
		if sort := sortOf(e); !told[sort] {
			told[sort] = true
			a.hostile = append(a.hostile, finding.Reason{Kind: finding.ReasonHostile, Observed: say.Plain(e.APIOperation), Evidence: []event.UID{e.UID},
				Text: say.T("refused.hostile."+sort, say.Values{"who": cmp.Or(e.ActorUID, e.SrcIP), "operation": lastWord(e.APIOperation), "project": e.AccountUID, "at": e.Time})})
		}
	}
	return a.network(ctx, ids)
}

// visit is how long around attempts an address may be used that is new.
const visit = time.Hour

// network tells whether the attempts' address is one that whoever it was uses for
// nothing else, and others besides.
func (a *around) network(ctx context.Context, ids []string) error {
	if len(ids) == 0 || !a.answer.Alone {
		return nil
	}
	first, last := a.run[0].Time, a.run[len(a.run)-1].Time
	where := query.And{X: []query.Expr{oneOf("actor_uid", ids), query.Eq{Field: "category", Value: string(event.Management)}}}
	usual, others := false, false
	for e, err := range a.h.o.Events.Find(ctx, first.Add(-who.Before), last.Add(who.After), where, "src_ip", "category", "actor_uid") {
		switch {
		case err != nil:
			return fmt.Errorf("read which addresses are usual: %w", err)
		case e.SrcIP == "":
		case !slices.Contains(a.answer.Addresses, e.SrcIP):
			others = true
		default:
			usual = usual || !slices.ContainsFunc(a.run, func(d denial) bool { return d.Time.Sub(e.Time).Abs() <= visit })
		}
	}
	if others && !usual {
		a.hostile = append(a.hostile, finding.Reason{Kind: finding.ReasonHostile, Observed: say.Plain(a.answer.Addresses[0]),
			Text: say.T("refused.elsewhere", say.Values{"who": ids[0], "address": a.answer.Addresses[0]})})
	}
	return nil
}

// refusedService is the service that a policy refused: Google's message names it,
// and of Azure's denials the resource does.
func refusedService(e *event.Event) string {
	if _, rest, ok := strings.Cut(e.StatusDetail, "attempting to use service '"); ok {
		if name, _, ok := strings.Cut(rest, "'"); ok && name != "" {
			return name
		}
	}
	if _, rest, ok := strings.Cut(strings.ToLower(e.ResourceUID), "/providers/"); ok && e.CloudProvider == "Azure" {
		name, _, _ := strings.Cut(rest, "/")
		return name
	}
	return e.APIService
}

func lastWord(operation string) string {
	return operation[max(strings.LastIndexByte(operation, '.'), strings.LastIndexByte(operation, '/'))+1:]
}

func oneOf(field string, values []string) query.Expr {
	x := make([]query.Expr, len(values))
	for i, v := range values {
		x[i] = query.Eq{Field: field, Value: v}
	}
	if len(x) == 1 {
		return x[0]
	}
	return query.Or{X: x}
}

// inBoth is a name of the catalogues in the language of who asks.
func inBoth(en, ja string) say.Text { return say.T("refused.name", say.Values{"en": en, "ja": ja}) }
