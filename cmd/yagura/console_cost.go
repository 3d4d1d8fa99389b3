package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/yagura-sec/yagura/api"
	"github.com/yagura-sec/yagura/cost"
	"github.com/yagura-sec/yagura/cost/change"
	"github.com/yagura-sec/yagura/cost/price"
)

// costAnswers answers what the pages of cost ask, and keeps for a while what takes
// longer.
type costAnswers struct {
	*server
	began time.Time

	judged  keptAnswers[[]cost.Advice]
	changed keptAnswers[api.CostChanges]
	itself  keptAnswers[api.CostSelf]
}

func (s *server) costAnswers() api.Cost {
	x := &costAnswers{server: s, began: s.clock()}
	x.judged.old, x.changed.old, x.itself.old = littleOld, littleOld, quiteOld
	return api.Cost{
		Shares: x.shares, Lines: x.lines, Trend: x.trend, Changes: x.changes, Advice: x.advice, Self: x.self, Picture: x.draw,
		Prices: func(context.Context) ([]api.CostPrice, error) {
			list, err := s.costPrices()
			if err != nil {
				return nil, err
			}
			return viewPrices(list.Prices()), nil
		},
	}
}

func (x *costAnswers) shares(ctx context.Context, q cost.Query) (api.CostShares, error) {
	store, err := x.rooms.costs(ctx)
	if err != nil {
		return api.CostShares{}, err
	}
	return shares(ctx, store, q, accountNames(x.cfg.Estate))
}

func (x *costAnswers) lines(ctx context.Context, q cost.Query) ([]api.CostLine, error) {
	store, err := x.rooms.costs(ctx)
	if err != nil {
		return nil, err
	}
	return costLines(ctx, store, q)
}

func (x *costAnswers) trend(ctx context.Context, q cost.Query) (api.CostTrend, error) {
	store, err := x.rooms.costs(ctx)
	if err != nil {
		return api.CostTrend{}, err
	}
	return x.costTrend(ctx, x.rooms, store.Sums, q)
}

func (x *costAnswers) changes(ctx context.Context, account string, since, until time.Time) (api.CostChanges, error) {
	key := fmt.Sprintf("%q %d %d", account, since.Unix(), until.Unix())
	return x.changed.get(ctx, key, x.server.changes(), func(ctx context.Context) (api.CostChanges, error) {
		return x.program.changes(ctx, x.rooms, account, since, until)
	})
}

// advice is judged for everybody at once; what was decided about it is as of now.
func (x *costAnswers) advice(ctx context.Context, accounts []string) ([]cost.Advice, error) {
	all, err := x.judged.get(ctx, "", x.server.changes(), func(ctx context.Context) ([]cost.Advice, error) {
		return x.program.advice(ctx, x.rooms, nil, false)
	})
	if err != nil {
		return nil, err
	}
	return x.rooms.withDecisions(ctx, ofAccounts(all, accounts))
}

func (x *costAnswers) self(ctx context.Context) (api.CostSelf, error) {
	return x.itself.get(ctx, "", x.server.changes(), func(ctx context.Context) (api.CostSelf, error) {
		return x.costSelf(ctx, x.rooms, x.began)
	})
}

// viewChanges gives a report as scripts read it.
func viewChanges(r *change.Report) api.CostChanges {
	v := api.CostChanges{
		Account: r.Account, Since: r.Since, Until: r.Until, Total: r.Total,
		Days: []api.CostChangeDay{}, Makers: []api.CostMaker{}, Loops: []api.CostLoop{}, Schedules: []api.CostSchedule{}, Items: viewItems(r.Items),
		Read: api.CostRead{Since: r.Read.Since, Until: r.Read.Until, Records: r.Read.Records, Whole: r.Read.Whole},
	}
	for _, d := range r.Days {
		v.Days = append(v.Days, api.CostChangeDay(d))
	}
	for _, m := range r.Makers {
		x := api.CostMaker{Maker: m.Maker, Kind: string(m.Kind), Operations: []api.CostOperation{}, Count: m.Count, Share: m.Share, Estimated: m.Estimated}
		for _, o := range m.Operations {
			x.Operations = append(x.Operations, api.CostOperation(o))
		}
		v.Makers = append(v.Makers, x)
	}
	for i := range r.Loops {
		v.Loops = append(v.Loops, viewLoop(&r.Loops[i]))
	}
	for _, s := range r.Schedules {
		v.Schedules = append(v.Schedules, api.CostSchedule{Maker: s.Maker, Kind: string(s.Kind), Thing: s.Thing, PerDay: s.PerDay, Said: s.Text})
	}
	return v
}

func viewLoop(l *change.Loop) api.CostLoop {
	v := api.CostLoop{
		Maker: l.Maker, Kind: string(l.Kind), Service: l.Service, Cluster: l.Cluster, Thing: l.Thing, PerDay: l.PerDay, ChangesPerDay: l.ChangesPerDay,
		Share: l.Share, Life: l.LifeSecondsMedian, Since: l.Since, SinceBefore: l.SinceBefore, Peers: l.PeersPerDay, Past: l.PastPerDay,
		Saving: costAmount(l.SavingMonth), Low: costAmount(l.SavingLow), High: costAmount(l.SavingHigh), Currency: l.Currency, Note: l.SavingNote, Said: l.Text,
	}
	if l.Until != nil {
		v.Until = *l.Until
	}
	return v
}

func viewItems(x change.Items) api.CostItems {
	v := api.CostItems{Basis: x.Basis, Items: x.Items, Low: x.Low, High: x.High, Days: x.Days, Types: []api.CostTypeItems{}, Said: x.Text}
	for _, t := range x.Types {
		v.Types = append(v.Types, api.CostTypeItems(t))
	}
	return v
}

// costAmount is an amount that may not be known.
func costAmount(d *decimal.Decimal) *api.Amount {
	if d == nil {
		return nil
	}
	return &api.Amount{Decimal: *d}
}

// viewPrices gives prices as scripts read them.
func viewPrices(all []price.Price) []api.CostPrice {
	out := []api.CostPrice{}
	day := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.Format(time.DateOnly)
	}
	for _, p := range all {
		v := api.CostPrice{
			Provider: p.Provider, Service: p.Service, Item: p.Item, Usage: append([]string{}, p.Usage...), Regions: slices.Clone(p.Regions), From: day(p.From), Until: day(p.Until),
			Unit: p.Unit, Currency: p.Currency, Confidence: string(p.Confidence), Source: api.CostSource{Title: p.Source.Title, URL: p.Source.URL, Date: day(p.Source.Date)},
		}
		for _, t := range p.Tiers {
			x := api.CostPriceTier{Each: api.Amount{Decimal: t.Each}}
			if !t.UpTo.IsZero() {
				x.UpTo = &api.Amount{Decimal: t.UpTo}
			}
			v.Tiers = append(v.Tiers, x)
		}
		out = append(out, v)
	}
	return out
}
