package api

import (
	"context"
	"iter"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/lake"
	"github.com/yagura-sec/yagura/people"
	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/triage"
)

// limited gives rooms that answer only of the accounts of who asks. Operations
// are given no others.
func (r Rooms) limited() Rooms {
	r.Findings = limitedFindings{r.Findings}
	if all := r.Triage.Store; all != nil {
		r.Triage.Store = limitedTriage{all, r.Findings}
	}
	r.Select = limitedSelect(r.Select)
	if all := r.Console.Histogram; all != nil {
		r.Console.Histogram = func(ctx context.Context, q query.Query, buckets int) (lake.Histogram, error) {
			q.Where = eventsOf(who(ctx), q.Where)
			return all(ctx, q, buckets)
		}
	}
	if all := r.Console.Values; all != nil {
		r.Console.Values = func(ctx context.Context, q query.Query, fields []string, most int) (lake.FieldValues, error) {
			q.Where = eventsOf(who(ctx), q.Where)
			return all(ctx, q, fields, most)
		}
	}
	if all := r.Console.Complete; all != nil {
		r.Console.Complete = func(ctx context.Context, field, prefix string, _ []string, most int) ([]string, error) {
			return all(ctx, field, prefix, who(ctx).Accounts, most)
		}
	}
	return r
}

// oneOf holds if the field is one of the accounts of w; nil: w sees all.
func oneOf(field string, w people.Who) query.Expr {
	if !w.Limited() {
		return nil
	}
	any := query.Or{}
	for _, a := range w.Accounts {
		any.X = append(any.X, query.Eq{Field: field, Value: a})
	}
	return any
}

// eventsOf narrows a filter over events to the accounts of w.
func eventsOf(w people.Who, where query.Expr) query.Expr {
	switch mine := oneOf("account_uid", w); {
	case mine == nil:
		return where
	case where == nil:
		return mine
	default:
		return query.And{X: []query.Expr{mine, where}}
	}
}

// findingsOf is the scope of the findings that w sees.
func findingsOf(w people.Who) finding.Scope { return finding.ScopeOf(oneOf("account", w)) }

func limitedSelect(all func(context.Context, query.Query) iter.Seq2[event.Event, error]) func(context.Context, query.Query) iter.Seq2[event.Event, error] {
	return func(ctx context.Context, q query.Query) iter.Seq2[event.Event, error] {
		q.Where = eventsOf(who(ctx), q.Where)
		return all(ctx, q)
	}
}

// limitedFindings keeps to the accounts of who asks. It embeds nothing, so that
// a question that is added is not answered before somebody has thought of this.
type limitedFindings struct{ all triage.Reader }

func (l limitedFindings) List(ctx context.Context, f triage.Filter) ([]finding.Finding, string, error) {
	f.Scope = f.Scope.And(findingsOf(who(ctx)))
	return l.all.List(ctx, f)
}

func (l limitedFindings) Get(ctx context.Context, key string) (finding.Finding, error) {
	f, err := l.all.Get(ctx, key)
	if err == nil && !who(ctx).Sees(f.Account) {
		return finding.Finding{}, triage.ErrNotFound
	}
	return f, err
}

func (l limitedFindings) Counters(ctx context.Context) ([]finding.Tally, error) {
	if who(ctx).Limited() {
		return nil, nil // they count matches of all accounts
	}
	return l.all.Counters(ctx)
}
