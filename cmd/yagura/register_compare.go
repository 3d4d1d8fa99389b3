package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/companion"
	"github.com/yagura-sec/yagura/detect/unapplied"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/lake"
	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/register"
	"github.com/yagura-sec/yagura/triage"
)

// registered gives what a project applied for; false: it stands in no register.
func (r *rooms) registered(ctx context.Context, project string) (register.Entry, bool, error) {
	e, err := r.triage.Registered(ctx, project)
	if errors.Is(err, triage.ErrUnknown) {
		return e, false, nil
	}
	return e, err == nil, err
}

// compareDays is how many days of use the register is held against, back from the
// end of the log.
const compareDays = 90

// inUse is what projects use, and what policies allow them.
type inUse struct {
	at           time.Time // when it was summed
	since, until time.Time // [since, until)
	usage        register.Usage
	allowed      *register.Policies             // what the log says
	listed       map[string]*register.Allowance // what the configuration's list says, by project
	organization *register.Organization         // what answers of AWS and Azure say; nil: there are none
	unread       []error                        // of these answers
}

// allowance is what policies allow a project: as the log says, or else the list, or
// else the organisation; nil: it is not known.
func (u *inUse) allowance(project string) *register.Allowance {
	return cmp.Or(u.allowed.Of(project), u.listed[project], u.organization.Of(project), u.listed[register.EveryProject])
}

// refusedOutcomes are those of calls that were refused, for what a condition asks.
var refusedOutcomes = []event.Outcome{event.Denied, event.DeniedByOrgPolicy, event.AuthFailed}

// clouds are the providers whose accounts, projects and subscriptions are applied
// for: tenants and domains are not.
var clouds = []string{"AWS", "GCP", "Azure"}

// inUse sums what a project uses; empty: all of them.
func (p *program) inUse(ctx context.Context, r *rooms, project string) (*inUse, error) {
	last, err := r.latest(ctx)
	if err != nil {
		return nil, err
	}
	if last.IsZero() {
		last = p.now()
	}
	out := &inUse{at: p.clock().UTC(), until: finding.Hour(last).Add(time.Hour)}
	out.since = out.until.AddDate(0, 0, -compareDays)
	c := lake.UsageCondition{Since: out.since, Until: out.until, Where: "resource_uid = ''", By: []string{"cloud_provider", "account_uid", "api_service", "outcome"}}
	if project != "" {
		c.Where, c.Args = c.Where+" AND account_uid = ?", []any{project}
	}
	for row, err := range r.lake.UsageWhere(ctx, c) {
		if err != nil {
			return nil, fmt.Errorf("what projects use: %w", err)
		}
		if slices.Contains(clouds, row.CloudProvider) {
			out.usage.Add(row.AccountUID, row.APIService, row.Count, slices.Contains(refusedOutcomes, row.Outcome), row.First, row.Last)
		}
	}
	if out.allowed, err = r.policies(ctx); err != nil {
		return nil, err
	}
	if out.listed, err = p.allowedList(); err != nil {
		return nil, err
	}
	out.organization, out.unread, err = p.organization()
	return out, err
}

// organization reads what the configuration has of an organisation or tenant, with what
// of it could not be read; nil: it has nothing.
func (p *program) organization() (*register.Organization, []error, error) {
	dir := p.cfg.Register.Organization
	if dir == "" {
		return nil, nil, nil
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil, nil, exit{exitUsage, fmt.Errorf("register.organization: %s is no folder that can be read", dir)}
	}
	o, wrong := register.ReadOrganization(os.DirFS(dir))
	return o, wrong, nil
}

// allowedList is what the configuration lists as allowed, by project.
func (p *program) allowedList() (map[string]*register.Allowance, error) {
	if p.cfg.Register.Allowed == "" {
		return nil, nil
	}
	f, err := os.Open(p.cfg.Register.Allowed)
	if err != nil {
		return nil, exit{exitUsage, fmt.Errorf("register.allowed: %w", err)}
	}
	defer f.Close()
	all, err := register.ReadAllowed(f)
	if err != nil {
		return nil, exit{exitUsage, fmt.Errorf("register.allowed: %s: %w", p.cfg.Register.Allowed, err)}
	}
	return all, nil
}

// policies gives what the log says that policies allow.
func (r *rooms) policies(ctx context.Context) (*register.Policies, error) {
	operations := query.Or{}
	for _, op := range register.PolicyOperations {
		operations.X = append(operations.X, query.Eq{Field: "api_operation", Value: op})
	}
	for _, op := range register.HierarchyOperations {
		operations.X = append(operations.X, query.Eq{Field: "api_operation", Value: op}, query.Like{Field: "api_operation", Pattern: "*." + op})
	}
	var out register.Policies
	for e, err := range r.lake.Select(ctx, query.Query{Where: operations, OldestFirst: true}) {
		if err != nil {
			return nil, fmt.Errorf("changes of policies: %w", err)
		}
		out.Add(&e)
	}
	return &out, nil
}

// compare holds what a project applied for against what it uses.
func (u *inUse) compare(e register.Entry, there bool) register.Comparison {
	c := register.Comparison{Entry: e, Registered: there, Since: u.since, Until: u.until, Allowance: u.allowance(e.Project)}
	c.Lines = register.Compare(e, u.usage.Uses(e.Project), c.Allowance, register.Everywhere, u.until)
	return c
}

// differences compares every project of the register, and every one in use.
func (u *inUse) differences(ctx context.Context, r *rooms) (register.Differences, error) {
	out := register.Differences{At: u.at}
	entries, _, _, err := r.triage.Register(ctx, triage.RegisterFilter{})
	if err != nil || len(entries) == 0 {
		return out, err // where no register is kept, nothing differs from it
	}
	there := map[string]bool{}
	for _, e := range entries {
		there[e.Project] = true
		out.Projects = append(out.Projects, u.compare(e, true))
	}
	for _, project := range u.usage.Projects() {
		if there[project] {
			continue
		}
		if c := u.compare(register.Entry{Project: project}, false); len(c.Lines) > 0 {
			out.Projects = append(out.Projects, c)
		}
	}
	slices.SortStableFunc(out.Projects, func(a, b register.Comparison) int { return strings.Compare(a.Entry.Project, b.Entry.Project) })
	return out, nil
}

// checkRegister compares the register with what is used, and keeps what is used and
// was not applied for as findings.
func (p *program) checkRegister(ctx context.Context, r *rooms) error {
	_, _, total, err := r.triage.Register(ctx, triage.RegisterFilter{Limit: 1})
	if err != nil {
		return err
	}
	if total == 0 { // and what was found before is no finding any more
		h, err := unapplied.Hunt(ctx, nil, unapplied.Options{}, p.now())
		if err != nil {
			return err
		}
		return r.triage.RecordHunt(ctx, h, 0)
	}
	used, err := p.inUse(ctx, r, "")
	if err != nil {
		return err
	}
	all, err := used.differences(ctx, r)
	if err != nil {
		return err
	}
	known, err := r.companions(ctx)
	if err != nil {
		return err
	}
	days, err := used.days(ctx, r, all.Projects)
	if err != nil {
		return err
	}
	o := unapplied.Options{Known: known, Days: func(_ context.Context, project, service string) ([]register.Day, error) {
		return days[pair{project, service}].All(), nil
	}}
	if len(days) <= evidencedMost {
		o.Evidence = r.granted
	}
	h, err := unapplied.Hunt(ctx, all.Projects, o, p.now())
	if err != nil {
		return err
	}
	return r.triage.RecordHunt(ctx, h, 0)
}

// pair is a service in a project.
type pair struct{ project, service string }

// days sums the calls that were not refused of what is used and was not applied
// for, by day, in one pass over usage.
func (u *inUse) days(ctx context.Context, r *rooms, all []register.Comparison) (map[pair]*register.Days, error) {
	out := map[pair]*register.Days{}
	for _, c := range all {
		for _, l := range c.Lines {
			if c.Registered && l.State == register.NotApplied {
				out[pair{c.Entry.Project, l.Service}] = &register.Days{}
			}
		}
	}
	if len(out) == 0 {
		return out, nil
	}
	c := lake.UsageCondition{Since: u.since, Until: u.until, Where: "resource_uid = ''", By: []string{"account_uid", "api_service", "outcome"}}
	for row, err := range r.lake.UsageWhere(ctx, c) {
		if err != nil {
			return nil, fmt.Errorf("what projects use: %w", err)
		}
		if days := out[pair{row.AccountUID, register.ServiceID(row.APIService)}]; days != nil && !slices.Contains(refusedOutcomes, row.Outcome) {
			days.Add(row.Count, row.First, row.Last)
		}
	}
	return out, nil
}

// evidencedMost is up to how many services in projects calls are looked up as
// evidence: each takes a search.
const evidencedMost = 50

// grantedMost is how many calls are evidence of a service's use.
const grantedMost = 5

// granted gives some of the calls of a service in a project in the hour of the
// day's last one, which were not refused.
func (r *rooms) granted(ctx context.Context, project, service string, day register.Day) (out []finding.Sighting, err error) {
	where := query.And{X: []query.Expr{query.Eq{Field: "account_uid", Value: project}, query.Eq{Field: "api_service", Value: service}}}
	for _, o := range refusedOutcomes {
		where.X = append(where.X, query.Not{X: query.Eq{Field: "outcome", Value: string(o)}})
	}
	q := query.Query{Where: where, Since: finding.Hour(day.Last), Until: day.Last.Add(time.Microsecond), Limit: grantedMost, NoRaw: true}
	for e, err := range r.lake.Select(ctx, q) {
		if err != nil {
			return nil, err
		}
		out = append(out, finding.Sighting{Time: e.Time, UID: e.UID})
	}
	return out, nil
}

// companions are the services that bring others along, with what their agents are
// seen to do in the days that the register is held against.
func (r *rooms) companions(ctx context.Context) (*companion.Catalogue, error) {
	ours := companion.Builtin()
	var agents []string
	var args []any
	for _, s := range ours.Services() {
		for _, agent := range s.Agents {
			agents, args = append(agents, "actor_uid LIKE ?"), append(args, strings.ReplaceAll(agent, "*", "%"))
		}
	}
	last, err := r.latest(ctx)
	if err != nil || last.IsZero() || len(agents) == 0 {
		return ours, err
	}
	var seen []companion.Sighting
	c := lake.UsageCondition{Since: finding.Hour(last).AddDate(0, 0, -compareDays), Where: "resource_uid = '' AND (" + strings.Join(agents, " OR ") + ")", Args: args, By: []string{"actor_uid", "api_service"}}
	for row, err := range r.lake.UsageWhere(ctx, c) {
		if err != nil {
			return nil, fmt.Errorf("what agents of services do: %w", err)
		}
		seen = append(seen, companion.Sighting{Agent: row.ActorUID, Called: row.APIService, Last: row.Last})
	}
	return ours.With(seen), nil
}
