package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/cost"
	"github.com/yagura-sec/yagura/cost/advise"
	"github.com/yagura-sec/yagura/cost/change"
	"github.com/yagura-sec/yagura/cost/count"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/lake"
	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/usage"
)

// adviseInput gathers what advice on cost rests on.
func (p *program) adviseInput(ctx context.Context, r *rooms) (in advise.Input, err error) {
	in.Now = p.now().UTC()
	if in.Prices, err = p.costPrices(); err != nil {
		return in, err
	}
	if err := p.importedFacts(ctx, r, &in); err != nil {
		return in, err
	}
	in.Readers = p.dataReaders()
	return in, r.loggedFacts(ctx, &in)
}

// importedFacts adds what was imported. Where nothing was, the log alone is judged.
func (p *program) importedFacts(ctx context.Context, r *rooms, in *advise.Input) error {
	store, err := r.costs(ctx)
	if errors.Is(err, errNoBills) {
		return nil
	}
	if err != nil {
		return err
	}
	facts, err := store.Facts(ctx, "", "")
	if err != nil {
		return err
	}
	setup, wrong := count.SetupOf(facts)
	for _, err := range wrong {
		p.warn("%v", err)
	}
	in.Setup = setup
	if in.Counts, err = store.Counts(ctx, cost.CountFilter{}); err != nil {
		return err
	}
	in.Bill, err = store.Sums(ctx, cost.Query{Kinds: []cost.Kind{cost.Usage}, By: []cost.Dim{
		cost.ByMonth, cost.ByAccount, cost.ByService, cost.ByUsageType, cost.ByRegion, cost.ByResource,
	}})
	return err
}

// loggedFacts adds what the log shows.
func (r *rooms) loggedFacts(ctx context.Context, in *advise.Input) error {
	last, err := r.latestOfAWS(ctx)
	if err != nil || last.IsZero() {
		return err // nothing is logged, and nothing is known of use
	}
	if last.After(in.Now) {
		last = in.Now
	}
	in.Uses.End = last
	accounts, err := r.logged(ctx, in, last)
	if err != nil {
		return err
	}
	if err := r.used(ctx, in); err != nil {
		return err
	}
	if err := r.governors(ctx, in, accounts); err != nil {
		return err
	}
	return r.estimated(ctx, in, last, accounts)
}

// latestOfAWS is the time of the latest event of AWS; zero: there is none. Logs of
// other providers may go on where those of AWS ended.
func (r *rooms) latestOfAWS(ctx context.Context) (time.Time, error) {
	for e, err := range r.lake.Select(ctx, query.Query{Where: query.Eq{Field: "cloud_provider", Value: "AWS"}, Limit: 1}) {
		return e.Time, err
	}
	return time.Time{}, ctx.Err()
}

// adviseDays is how far the log is looked at for use, back from its end; callDays for
// calls of what protections watch.
const (
	adviseDays = 100
	callDays   = 90
)

// adviseHours are the hours of the log that are looked at for use.
func adviseHours(in *advise.Input) (since, until time.Time) {
	return in.Uses.End.AddDate(0, 0, -adviseDays).Truncate(24 * time.Hour), in.Uses.End.Truncate(time.Hour).Add(time.Hour)
}

// logged finds which accounts of AWS the log has, since when without a day missing,
// and how often what GuardDuty's protections watch was called there.
func (r *rooms) logged(ctx context.Context, in *advise.Input, last time.Time) (accounts []string, err error) {
	in.Uses.Covered, in.Uses.Services = map[string]time.Time{}, map[advise.Used]int64{}
	days := map[string]map[time.Time]bool{}
	calls := map[[2]string]int64{}
	since, until := adviseHours(in)
	c := lake.UsageCondition{Since: since, Until: until, Where: "resource_uid = '' AND cloud_provider = 'AWS'", By: []string{"account_uid", "api_service", "actor_type"}}
	for row, err := range r.lake.UsageWhere(ctx, c) {
		if err != nil {
			return nil, fmt.Errorf("what the log covers: %w", err)
		}
		if days[row.AccountUID] == nil {
			days[row.AccountUID] = map[time.Time]bool{}
		}
		days[row.AccountUID][row.Hour.UTC().Truncate(24*time.Hour)] = true
		if row.ActorType != event.ActorService && !row.Hour.Before(last.AddDate(0, 0, -callDays)) {
			calls[[2]string{row.AccountUID, row.APIService}] += row.Count
		}
	}
	end := last.UTC().Truncate(24 * time.Hour)
	for account, seen := range days {
		accounts = append(accounts, account)
		if !seen[end] {
			continue // its log ends before that of others
		}
		since := end
		for seen[since.AddDate(0, 0, -1)] {
			since = since.AddDate(0, 0, -1)
		}
		in.Uses.Covered[account] = since
		for feature, services := range advise.Protections() {
			for _, s := range services {
				in.Uses.Services[advise.Used{Account: account, Feature: feature}] += calls[[2]string{account, s}]
			}
		}
	}
	slices.Sort(accounts)
	return accounts, nil
}

// used finds when keys and secrets that the bill names were last used.
func (r *rooms) used(ctx context.Context, in *advise.Input) error {
	in.Uses.Last, in.Uses.Keys = map[string]time.Time{}, map[string]bool{}
	names := map[string]string{} // as logs may write them, to how the bill does
	for _, s := range in.Bill {
		if s.Resource == "" || !strings.HasPrefix(s.Resource, "arn:") {
			continue
		}
		names[s.Resource] = s.Resource
		if i := len(s.Resource) - 7; strings.Contains(s.Resource, ":secretsmanager:") && i > 0 && s.Resource[i] == '-' {
			names[s.Resource[:i]] = s.Resource // without the characters that Secrets Manager adds
		}
	}
	if len(names) == 0 {
		return nil
	}
	since, until := adviseHours(in)
	c := lake.UsageCondition{Since: since, Until: until,
		Where: "resource_uid <> '' AND api_service IN ('kms.amazonaws.com', 'secretsmanager.amazonaws.com')", By: []string{"account_uid", "api_service", "api_operation", "resource_uid"}}
	for row, err := range r.lake.UsageWhere(ctx, c) {
		if err != nil {
			return fmt.Errorf("use of keys and secrets: %w", err)
		}
		if !usage.Reads(row.APIOperation) {
			continue
		}
		if row.ResourceUID == usage.Other { // some gave up their names: whose use it was is not known
			delete(in.Uses.Covered, row.AccountUID)
			continue
		}
		if row.APIService == "kms.amazonaws.com" {
			in.Uses.Keys[row.AccountUID] = true
		}
		if name, ok := names[row.ResourceUID]; ok && row.Last.After(in.Uses.Last[name]) {
			in.Uses.Last[name] = row.Last
		}
	}
	return nil
}

// governors finds traces of Control Tower and of Firewall Manager.
func (r *rooms) governors(ctx context.Context, in *advise.Input, accounts []string) error {
	c := lake.UsageCondition{Where: "resource_uid = '' AND outcome = ? AND (actor_uid LIKE ? OR actor_uid LIKE ?)",
		Args: []any{string(event.Success), "%/AWSControlTowerExecution%", "%/AWSServiceRoleForFMS%"}, By: []string{"account_uid", "actor_uid"}}
	latest := map[advise.Trace]time.Time{}
	for row, err := range r.lake.UsageWhere(ctx, c) {
		if err != nil {
			return fmt.Errorf("who governs accounts: %w", err)
		}
		t := advise.Trace{Kind: advise.SeenRole, Account: row.AccountUID, Name: "AWSControlTowerExecution"}
		if strings.Contains(row.ActorUID, "/AWSServiceRoleForFMS") {
			t.Kind, t.Name = advise.SeenFirewall, "AWSServiceRoleForFMS"
		}
		if row.Last.After(latest[t]) {
			latest[t] = row.Last
		}
	}
	governing := query.Or{X: []query.Expr{
		query.And{X: []query.Expr{query.Eq{Field: "api_service", Value: "controltower.amazonaws.com"}, eachOf("api_operation", "CreateManagedAccount", "UpdateManagedAccount", "UpdateLandingZone", "SetupLandingZone")}},
		query.And{X: []query.Expr{eachOf("api_operation", "CreateTrail", "UpdateTrail"), query.Like{Field: "resource_uid", Pattern: "*trail/aws-controltower-*"}}},
		query.And{X: []query.Expr{query.Eq{Field: "api_operation", Value: "AttachPolicy"}, query.Like{Field: "actor_uid", Pattern: "*/AWSControlTower*"}}},
	}}
	where := query.And{X: []query.Expr{query.Eq{Field: "outcome", Value: string(event.Success)}, governing}}
	for e, err := range r.lake.Select(ctx, query.Query{Where: where, Limit: tracesMost}) {
		if err != nil {
			return fmt.Errorf("who governs accounts: %w", err)
		}
		for _, t := range tracesOf(&e) {
			if e.Time.After(latest[t]) {
				latest[t] = e.Time
			}
		}
	}
	for t, at := range latest {
		t.Last = at
		in.Traces = append(in.Traces, t)
	}
	slices.SortFunc(in.Traces, func(a, b advise.Trace) int {
		return strings.Compare(a.Account+string(a.Kind), b.Account+string(b.Kind))
	})
	return nil
}

// tracesMost bounds how many events are looked at for traces of Control Tower.
const tracesMost = 5000

func eachOf(field string, values ...string) query.Expr {
	any := query.Or{}
	for _, v := range values {
		any.X = append(any.X, query.Eq{Field: field, Value: v})
	}
	return any
}

// tracesOf reads which accounts an event says are governed; Last is not set.
func tracesOf(e *event.Event) (out []advise.Trace) {
	switch e.APIOperation {
	case "CreateTrail", "UpdateTrail":
		return []advise.Trace{{Kind: advise.SeenTrail, Account: e.AccountUID, Name: e.ResourceUID[strings.LastIndexByte(e.ResourceUID, '/')+1:]}}
	case "AttachPolicy":
		var record struct {
			RequestParameters struct{ PolicyID, TargetID string }
		}
		if json.Unmarshal(e.Raw, &record) == nil && len(record.RequestParameters.TargetID) == 12 {
			return []advise.Trace{{Kind: advise.SeenPolicy, Account: record.RequestParameters.TargetID, Name: record.RequestParameters.PolicyID}}
		}
		return nil
	}
	type account struct{ AccountID string }
	type status struct {
		State    string
		Account  account
		Accounts []account
	}
	var record struct{ ServiceEventDetails map[string]status }
	if json.Unmarshal(e.Raw, &record) != nil {
		return nil // of another shape: it tells nothing
	}
	for _, s := range record.ServiceEventDetails {
		if s.State == "FAILED" {
			continue
		}
		for _, a := range append(s.Accounts, s.Account) {
			if a.AccountID != "" {
				out = append(out, advise.Trace{Kind: advise.SeenLifecycle, Account: a.AccountID, Name: e.APIOperation})
			}
		}
	}
	return out
}

// estimateDays is how many days of the log items are estimated from.
const estimateDays = 30

// estimated adds estimates for accounts of which nothing was counted.
func (r *rooms) estimated(ctx context.Context, in *advise.Input, last time.Time, accounts []string) error {
	counted := map[string]bool{}
	for _, c := range in.Counts {
		counted[c.Account] = true
	}
	known := in.Counts
	for _, account := range accounts {
		if counted[account] || len(account) != 12 {
			continue
		}
		until := last.UTC().Truncate(24*time.Hour).AddDate(0, 0, 1)
		operations, err := change.Operations(ctx, r.lake.Sum, account, until.AddDate(0, 0, -estimateDays), until)
		if err != nil {
			return fmt.Errorf("what changes in %s: %w", account, err)
		}
		in.Counts = append(in.Counts, change.Estimate(account, operations, known)...)
	}
	return nil
}
