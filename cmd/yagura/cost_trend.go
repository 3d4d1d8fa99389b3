package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/yagura-sec/yagura/api"
	"github.com/yagura-sec/yagura/cost"
	"github.com/yagura-sec/yagura/cost/trend"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/query"
)

func (p *program) costTrends() *cobra.Command {
	var q cost.Query
	var during period
	var masked bool
	c := &cobra.Command{
		Use: "trend", Short: "Tell how the bill of security services moves, and why", Args: cobra.NoArgs,
		Long: `Trend tells, from the bills that were imported, what each security service costs and
where it goes; what fell in one service only to rise in another, which is no saving;
which accounts pay more than those like them; what one more account, task or gigabyte
costs, or that there is too little to say; and what the difference between the latest
two months is made of, to the last digit. A month that is not over is left out.`,
		Example: `  yagura cost trend
  yagura cost trend --since 2026-01 --account 111122223333 --format json`,
		RunE: func(c *cobra.Command, _ []string) (err error) {
			if q.Since, q.Until, err = months(during, p.now()); err != nil {
				return err
			}
			aliases, err := p.aliases(masked)
			if err != nil {
				return err
			}
			r, err := p.read(c.Context())
			if err != nil {
				return err
			}
			defer r.Close()
			store, err := r.costs(c.Context())
			if err != nil {
				return err
			}
			found, err := p.costTrend(c.Context(), r, store.Sums, q)
			if err != nil {
				return err
			}
			if aliases != nil {
				found = maskedTrend(found, aliases)
			}
			if p.json() {
				return p.printJSON(found)
			}
			return p.printTrend(found)
		},
	}
	during.flags(c)
	c.Flags().StringSliceVar(&q.Accounts, "account", nil, "of these accounts")
	c.Flags().BoolVar(&masked, "masked", false, "put aliases in the place of accounts")
	return c
}

// printTrend writes what is said, the latest difference first. As CSV it is the data.
func (p *program) printTrend(t api.CostTrend) error {
	parts := []struct {
		name string
		all  []api.CostMove
	}{{"Why the latest month differs", t.Why}, {"Moves", t.Moves}, {"Services", t.Services}, {"Accounts that stand out", t.Peers}, {"One more", t.Forecasts}}
	if p.flags.format == "csv" {
		var rows [][]string
		for _, part := range parts {
			for _, m := range part.all {
				rows = append(rows, []string{m.Kind, m.Month, m.Account, m.Service, m.Other, m.Amount.String(), m.Currency, m.Said.String()})
			}
		}
		return p.printTable([]string{"kind", "month", "account", "service", "other", "amount", "currency", "said"}, rows)
	}
	for _, part := range parts {
		if len(part.all) == 0 {
			continue
		}
		fmt.Fprintln(p.stdout, part.name)
		for _, m := range part.all {
			fmt.Fprintln(p.stdout, "  "+safe(oneLine(m.Said.String())))
		}
		fmt.Fprintln(p.stdout)
	}
	if len(t.Services) == 0 {
		fmt.Fprintln(p.stdout, "No bill has a security service: `yagura cost import` reads bills.")
	}
	return nil
}

// costTrend says how the bill moves over its months, and why.
func (p *program) costTrend(ctx context.Context, r *rooms, sum cost.Summer, q cost.Query) (api.CostTrend, error) {
	found, err := trend.Reader{Sum: sum, Loads: r.loads, Now: p.now()}.Read(ctx, q)
	if err != nil {
		return api.CostTrend{}, err
	}
	return api.CostTrend{
		Services: viewEntries(found.Services), Moves: viewEntries(found.Moves), Peers: viewEntries(found.Peers),
		Forecasts: viewEntries(found.Forecasts), Why: viewEntries(found.Why),
	}, nil
}

func viewEntries(all []trend.Entry) []api.CostMove {
	out := []api.CostMove{}
	for _, e := range all {
		v := api.CostMove{
			Kind: string(e.Kind), Service: e.Service, Other: e.Other, Account: e.Account, Currency: e.Currency,
			Amount: api.Amount{Decimal: e.Amount}, Low: costAmount(e.Low), High: costAmount(e.High), Known: e.Known, Said: e.Text,
		}
		if !e.Month.IsZero() {
			v.Month = cost.MonthText(e.Month)
		}
		out = append(out, v)
	}
	return out
}

// loads counts the tasks that accounts started in months: ECS makes an interface for
// each task on Fargate.
func (r *rooms) loads(ctx context.Context, since, until time.Time) ([]trend.Load, error) {
	groups, err := r.lake.Sum(ctx, query.Sum{
		Query: query.Query{Since: since, Until: until, Where: query.And{X: []query.Expr{
			query.Eq{Field: "api_operation", Value: "CreateNetworkInterface"}, query.Eq{Field: "outcome", Value: string(event.Success)},
			query.Like{Field: "actor_uid", Pattern: "*AWSServiceRoleForECS"},
		}}},
		Usage: true, By: []string{"account_uid"}, Start: since, Width: day, Step: day,
	})
	if err != nil {
		return nil, err
	}
	type key struct {
		account string
		month   time.Time
	}
	sums := map[key]int64{}
	for _, g := range groups {
		at := since.Add(time.Duration(g.Bucket) * day)
		sums[key{g.By[0], time.Date(at.Year(), at.Month(), 1, 0, 0, 0, 0, time.UTC)}] += g.Count
	}
	var out []trend.Load
	for k, n := range sums {
		out = append(out, trend.Load{Account: k.account, Month: k.month, Tasks: n})
	}
	return out, nil
}
