package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/cost"
	"github.com/yagura-sec/yagura/cost/price"
	"github.com/yagura-sec/yagura/decision"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/query"
	sentences "github.com/yagura-sec/yagura/say" // a test of this package has another say
	"github.com/yagura-sec/yagura/triage"
)

// reopeners measure what reopens decisions, each once.
type reopeners struct {
	rooms *rooms
	now   time.Time // as of when decisions are judged
	// advice gives what cost could be less; nil: nothing is known of cost.
	advice func(ctx context.Context) ([]cost.Advice, error)
	// prices are those of now; nil: none is known.
	prices *price.List
}

// operationDays is how many days the calls of an operation are looked at for the
// busiest.
const operationDays = 7

// openStatuses are those of findings that wait for a person.
var openStatuses = []finding.Status{finding.New, finding.InProgress}

// readings measures; what was measured once is not measured again. What fails is
// not known, and the reading says why. They are not safe for concurrent use.
func (x *reopeners) readings(ctx context.Context) decision.Readings {
	known := map[string]decision.Reading{}
	return func(d *decision.Decision, t decision.Trigger) decision.Reading {
		key := t.String()
		if t.Kind == decision.OnSaving && t.Of == "" {
			key += " of " + d.ID
		}
		if r, there := known[key]; there {
			return r
		}
		r, err := x.read(ctx, d, t)
		if err != nil {
			r = decision.Reading{Why: sentences.Plain(err.Error())}
		}
		known[key] = r
		return r
	}
}

func (x *reopeners) read(ctx context.Context, d *decision.Decision, t decision.Trigger) (r decision.Reading, err error) {
	switch t.Kind {
	case decision.OnFindings:
		n, err := x.rooms.triage.Count(ctx, triage.Filter{Rule: t.Of, Status: openStatuses})
		return decision.Reading{Value: strconv.Itoa(n)}, err
	case decision.OnOperations:
		return x.operations(ctx, t)
	case decision.OnItems, decision.OnSaving:
		return x.advised(ctx, d, t)
	case decision.OnPrice:
		r.Value = x.price(t.Of)
	}
	return r, err
}

// price is what one unit of an item of a service costs, as "service/item/region"
// names it; empty: it is not known, or not one price for any quantity.
func (x *reopeners) price(name string) string {
	if x.prices == nil {
		return ""
	}
	parts := append(strings.SplitN(name, "/", 3), "", "")
	for _, known := range x.prices.Prices() {
		if known.Service != parts[0] || known.Item != parts[1] {
			continue
		}
		if is, ok := x.prices.Find(known.Provider, parts[0], parts[1], parts[2], x.now); ok {
			if each, flat := is.Flat(); flat {
				return each.String()
			}
		}
	}
	return ""
}

// operations is how often an operation succeeded on the busiest day of the last
// ones of the log, in an account or in the busiest of all.
func (x *reopeners) operations(ctx context.Context, t decision.Trigger) (r decision.Reading, err error) {
	last, err := x.rooms.latest(ctx)
	if err != nil {
		return r, err
	}
	until := finding.Day(x.now).AddDate(0, 0, 1)
	if since := until.AddDate(0, 0, -operationDays); last.Before(since) {
		return decision.Reading{Why: decision.NoLog(operationDays)}, nil
	}
	where := []query.Expr{query.Eq{Field: "api_operation", Value: t.Of}}
	if t.Account != "*" {
		where = append(where, query.Eq{Field: "account_uid", Value: t.Account})
	}
	s := query.Sum{Query: query.Query{Where: query.And{X: where}, Since: until.AddDate(0, 0, -operationDays), Until: until}, Usage: true, By: []string{"account_uid"}}
	s.Start, s.Width, s.Step = s.Since, day, day
	groups, err := x.rooms.lake.Sum(ctx, s)
	if err != nil {
		return r, fmt.Errorf("count the calls of %s: %w", t.Of, err)
	}
	var most int64
	r.At = last
	for _, g := range groups {
		if g.Count > most {
			most, r.At = g.Count, g.Last
		}
	}
	r.Value = strconv.FormatInt(most, 10)
	return r, nil
}

// advised is what advice on cost tells of a trigger.
func (x *reopeners) advised(ctx context.Context, d *decision.Decision, t decision.Trigger) (r decision.Reading, err error) {
	if x.advice == nil {
		return r, nil
	}
	all, err := x.advice(ctx)
	if err != nil {
		return r, err
	}
	if t.Kind == decision.OnItems {
		most := int64(-1)
		for _, a := range all {
			if a.Kind == cost.AboutRecording && a.ResourceType == t.Of && (t.Account == "*" || a.Account == t.Account) {
				most = max(most, a.Items)
			}
		}
		if most >= 0 {
			r.Value = strconv.FormatInt(most, 10)
		}
		return r, nil
	}
	var months []string
	for _, a := range all {
		if a.Key == t.Of || t.Of == "" && d.IsAbout(a.Key) {
			months = append(months, a.Saving.String())
		}
	}
	if len(months) > 0 {
		r.Value, _ = decision.Add(months...)
	}
	return r, nil
}

// undecided is the saving a month of advice that no decision is about, a currency
// each; nil: no advice is known.
func undecided(all []cost.Advice, decisions []decision.Decision) []decision.Saving {
	if len(all) == 0 {
		return nil
	}
	out := []decision.Saving{}
	for _, a := range all {
		saves := (a.Verdict == cost.Change || a.Verdict == cost.NotAdvised) && a.Saving.IsPositive()
		if !saves || slices.ContainsFunc(decisions, func(d decision.Decision) bool { return d.IsAbout(a.Key) }) {
			continue
		}
		i := slices.IndexFunc(out, func(s decision.Saving) bool { return s.Currency == a.Currency })
		if i < 0 {
			out = append(out, decision.Saving{Month: "0", Currency: a.Currency})
			i = len(out) - 1
		}
		out[i].Month, _ = decision.Add(out[i].Month, a.Saving.String())
	}
	return out
}
