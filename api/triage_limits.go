package api

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/decision"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/people"
	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/register"
	"github.com/yagura-sec/yagura/triage"
)

// limitedTriage keeps to the accounts of who asks. It embeds nothing, so that a
// question that is added is not answered before somebody has thought of this.
type limitedTriage struct {
	all      TriageStore
	findings triage.Reader // limited
}

func (l limitedTriage) narrow(ctx context.Context, f triage.Filter) triage.Filter {
	f.Scope = f.Scope.And(findingsOf(who(ctx)))
	return f
}

func (l limitedTriage) Decide(ctx context.Context, key string, d finding.Decision) (finding.Finding, error) {
	if _, err := l.findings.Get(ctx, key); err != nil {
		return finding.Finding{}, err
	}
	return l.all.Decide(ctx, key, d)
}

func (l limitedTriage) DecideAll(ctx context.Context, keys []string, d finding.Decision) (triage.Bulk, error) {
	if !who(ctx).Limited() {
		return l.all.DecideAll(ctx, keys, d)
	}
	var mine []string
	var failed []triage.Failed
	for _, key := range keys {
		if _, err := l.findings.Get(ctx, key); err != nil {
			failed = append(failed, triage.Failed{Key: key, Reason: triage.ErrNotFound.Error()})
			continue
		}
		mine = append(mine, key)
	}
	bulk, err := l.all.DecideAll(ctx, mine, d)
	bulk.Failed = append(bulk.Failed, failed...)
	return bulk, err
}

// Undo of who is limited takes back what lies in their accounts, and leaves the
// rest of a group as it is.
func (l limitedTriage) Undo(ctx context.Context, of triage.Undo) (int, error) {
	if !who(ctx).Limited() {
		return l.all.Undo(ctx, of)
	}
	if err := of.Check(); err != nil {
		return 0, err
	}
	undone, known := 0, false
	f := triage.Filter{Demoted: true, Staged: true, Folded: true, Limit: exportPage}
	for {
		page, next, err := l.findings.List(ctx, f)
		if err != nil {
			return undone, err
		}
		for i := range page {
			known = known || slices.ContainsFunc(page[i].Decisions, func(d finding.Decision) bool {
				return of.ID != "" && d.ID == of.ID || of.Group != "" && d.Group == of.Group
			})
			takers := of.Takers(page[i].Decisions)
			for _, d := range takers {
				if _, err := l.all.Decide(ctx, page[i].Key, d); err != nil {
					return undone, err
				}
			}
			undone += min(1, len(takers))
		}
		if next == "" {
			break
		}
		f.Cursor = next
	}
	if !known {
		return 0, triage.ErrUnknown
	}
	return undone, nil
}

func (l limitedTriage) Count(ctx context.Context, f triage.Filter) (int, error) {
	return l.all.Count(ctx, l.narrow(ctx, f))
}

func (l limitedTriage) Keys(ctx context.Context, f triage.Filter) ([]string, error) {
	return l.all.Keys(ctx, l.narrow(ctx, f))
}

func (l limitedTriage) Facets(ctx context.Context, f triage.Filter, limit int, fields ...string) (triage.Facets, error) {
	return l.all.Facets(ctx, l.narrow(ctx, f), limit, fields...)
}

func (l limitedTriage) Days(ctx context.Context, f triage.Filter, since, until time.Time) ([]finding.DayCount, error) {
	return l.all.Days(ctx, l.narrow(ctx, f), since, until)
}

func (l limitedTriage) Cases(ctx context.Context, f triage.Filter) ([]finding.Case, string, int, error) {
	return l.all.Cases(ctx, l.narrow(ctx, f))
}

// Exceptions of who is limited are those whose scope lies in their accounts.
func (l limitedTriage) Exceptions(ctx context.Context) ([]finding.Exception, error) {
	all, err := l.all.Exceptions(ctx)
	if w := who(ctx); w.Limited() {
		all = slices.DeleteFunc(slices.Clone(all), func(x finding.Exception) bool { return !scopeWithin(x.Scope, w) })
	}
	return all, err
}

func (l limitedTriage) SetException(ctx context.Context, x finding.Exception, by string, at time.Time) (int, error) {
	if w := who(ctx); w.Limited() {
		old, err := l.all.Exceptions(ctx)
		if err != nil {
			return 0, err
		}
		if i := slices.IndexFunc(old, func(o finding.Exception) bool { return o.ID == x.ID }); i >= 0 && !scopeWithin(old[i].Scope, w) {
			return 0, triage.ErrUnknown
		}
		if !x.Scope.Empty() && !scopeWithin(x.Scope, w) {
			x.Scope = x.Scope.And(findingsOf(w))
		}
	}
	return l.all.SetException(ctx, x, by, at)
}

func (l limitedTriage) Preview(ctx context.Context, scope finding.Scope, since, until time.Time) (triage.Preview, error) {
	return l.all.Preview(ctx, scope.And(findingsOf(who(ctx))), since, until)
}

// Windows of who is limited are those that name their accounts only.
func (l limitedTriage) Windows(ctx context.Context) ([]finding.Window, error) {
	all, err := l.all.Windows(ctx)
	if w := who(ctx); w.Limited() {
		all = slices.DeleteFunc(slices.Clone(all), func(x finding.Window) bool { return !windowWithin(&x, w) })
	}
	return all, err
}

func (l limitedTriage) SetWindow(ctx context.Context, x finding.Window, by string, at time.Time) (int, error) {
	if w := who(ctx); w.Limited() {
		old, err := l.all.Windows(ctx)
		if err != nil {
			return 0, err
		}
		if i := slices.IndexFunc(old, func(o finding.Window) bool { return o.ID == x.ID }); i >= 0 && !windowWithin(&old[i], w) {
			return 0, triage.ErrUnknown
		}
		switch {
		case len(x.Accounts) == 0 && !scopeWithin(x.Scope, w):
			x.Accounts = slices.Clone(w.Accounts)
		case !windowWithin(&x, w):
			return 0, fmt.Errorf("%w: the window names accounts that you are not responsible for", triage.ErrWrong)
		}
	}
	return l.all.SetWindow(ctx, x, by, at)
}

// SetEstate and Assess are not for people: the configuration and what is known of
// principals come from elsewhere.
func (l limitedTriage) SetEstate(context.Context, finding.Estate) (int, error) {
	return 0, fmt.Errorf("%w: the estate is configuration", triage.ErrWrong)
}

func (l limitedTriage) Assess(context.Context, []finding.Assessment) (int, error) {
	return 0, fmt.Errorf("%w: nobody assesses by hand", triage.ErrWrong)
}

// Audit has lines of all accounts: operations that ask for it are not within.
func (l limitedTriage) Audit(ctx context.Context, f triage.AuditFilter) ([]finding.AuditLine, string, error) {
	if who(ctx).Limited() {
		return nil, "", nil
	}
	return l.all.Audit(ctx, f)
}

func (l limitedTriage) Log(ctx context.Context, line finding.AuditLine) error {
	return l.all.Log(ctx, line)
}

func (l limitedTriage) Views(ctx context.Context, page, name string) ([]finding.View, error) {
	return l.all.Views(ctx, page, name)
}

func (l limitedTriage) SetView(ctx context.Context, v finding.View) error {
	return l.all.SetView(ctx, v)
}

func (l limitedTriage) DeleteView(ctx context.Context, id, name string) error {
	return l.all.DeleteView(ctx, id, name)
}

// The register of who is limited is that of their accounts.

func (l limitedTriage) Registered(ctx context.Context, project string) (register.Entry, error) {
	if !sees(ctx, project) {
		return register.Entry{}, triage.ErrUnknown
	}
	return l.all.Registered(ctx, project)
}

func (l limitedTriage) Register(ctx context.Context, f triage.RegisterFilter) ([]register.Entry, string, int, error) {
	if w := who(ctx); w.Limited() {
		f.Projects = w.Accounts
	}
	return l.all.Register(ctx, f)
}

func (l limitedTriage) PutEntries(ctx context.Context, entries []register.Entry, e triage.Edit) (triage.Edited, error) {
	for _, x := range entries {
		if !sees(ctx, strings.TrimSpace(x.Project)) {
			return triage.Edited{}, fmt.Errorf("%w: you are not responsible for project %s", triage.ErrWrong, x.Project)
		}
	}
	return l.all.PutEntries(ctx, entries, e)
}

func (l limitedTriage) RemoveEntry(ctx context.Context, project string, e triage.Edit) (int, error) {
	if !sees(ctx, project) {
		return 0, triage.ErrUnknown
	}
	return l.all.RemoveEntry(ctx, project, e)
}

func (l limitedTriage) RegisterHistory(ctx context.Context, project string) ([]register.Change, error) {
	if !sees(ctx, project) {
		return nil, triage.ErrUnknown
	}
	return l.all.RegisterHistory(ctx, project)
}

// Imported is not for people: who reads folders asks.
func (l limitedTriage) Imported(context.Context, string) (bool, error) {
	return false, fmt.Errorf("%w: nobody asks for imports by hand", triage.ErrWrong)
}

// Decisions of who is limited are those that speak of their accounts alone.

func (l limitedTriage) Decision(ctx context.Context, id string) (decision.Decision, error) {
	d, err := l.all.Decision(ctx, id)
	if err == nil && !decisionWithin(&d, who(ctx)) {
		return decision.Decision{}, fmt.Errorf("decision %s: %w", id, triage.ErrUnknown)
	}
	return d, err
}

func (l limitedTriage) Decisions(ctx context.Context) ([]decision.Decision, error) {
	all, err := l.all.Decisions(ctx)
	return slices.DeleteFunc(all, func(d decision.Decision) bool { return !decisionWithin(&d, who(ctx)) }), err
}

func (l limitedTriage) PutDecision(ctx context.Context, d decision.Decision, e triage.Edit) (decision.Decision, error) {
	if w := who(ctx); w.Limited() {
		if d.Version > 0 {
			if _, err := l.Decision(ctx, d.ID); err != nil {
				return d, err
			}
		}
		if places, _ := d.Places(); len(places) == 0 {
			d.Accounts = slices.Clone(w.Accounts)
		}
		if !decisionWithin(&d, w) {
			return d, fmt.Errorf("%w: the decision speaks of accounts that you are not responsible for, or of all", triage.ErrWrong)
		}
	}
	return l.all.PutDecision(ctx, d, e)
}

// Reopen is not for people: what was measured reopens decisions.
func (l limitedTriage) Reopen(context.Context, string, []decision.Reopening, triage.Edit) (bool, error) {
	return false, fmt.Errorf("%w: nobody reopens decisions by hand", triage.ErrWrong)
}

func (l limitedTriage) DecisionHistory(ctx context.Context, id string) ([]decision.Change, error) {
	all, err := l.all.DecisionHistory(ctx, id)
	w := who(ctx)
	return slices.DeleteFunc(all, func(c decision.Change) bool {
		return !decisionWithin(c.After, w) || c.Before != nil && !decisionWithin(c.Before, w)
	}), err
}

// decisionWithin tells whether a decision speaks of nothing but accounts of w.
func decisionWithin(d *decision.Decision, w people.Who) bool {
	if !w.Limited() {
		return true
	}
	places, everywhere := d.Places()
	return !everywhere && !slices.ContainsFunc(places, func(a string) bool { return !w.Sees(a) })
}

// scopeWithin tells whether a scope says by itself that it chooses nothing but
// findings of the accounts of w: one of the things that have to hold is that the
// account is one of these.
func scopeWithin(s finding.Scope, w people.Who) bool {
	return !w.Limited() || s.Expr() != nil && slices.ContainsFunc(query.Conjuncts(s.Expr()), func(e query.Expr) bool { return accountsOnly(e, w) })
}

func accountsOnly(e query.Expr, w people.Who) bool {
	switch x := e.(type) {
	case query.Eq:
		account, is := x.Value.(string)
		return x.Field == "account" && is && w.Sees(account)
	case query.Or:
		return len(x.X) > 0 && !slices.ContainsFunc(x.X, func(e query.Expr) bool {
			return !slices.ContainsFunc(query.Conjuncts(e), func(e query.Expr) bool { return accountsOnly(e, w) })
		})
	}
	return false
}

// windowWithin tells whether a window names nothing but accounts of w.
func windowWithin(x *finding.Window, w people.Who) bool {
	if !w.Limited() || scopeWithin(x.Scope, w) {
		return true
	}
	return len(x.Accounts) > 0 && !slices.ContainsFunc(x.Accounts, func(a string) bool { return !w.Sees(a) })
}
