package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/yagura-sec/yagura/people"
	"github.com/yagura-sec/yagura/say"
)

// CostPrice is a price, with where and when it was read.
type CostPrice struct {
	Provider   string          `json:"provider"`
	Service    string          `json:"service" doc:"the security service, as people call it"`
	Item       string          `json:"item" doc:"what is paid for" example:"configuration_item"`
	Usage      []string        `json:"usage" doc:"how usage types of bills that charge for it end"`
	Regions    []string        `json:"regions" doc:"*: wherever no other price names the region"`
	From       string          `json:"from" doc:"the day from which it holds; empty: open"`
	Until      string          `json:"until" doc:"the day before which it holds; empty: open"`
	Unit       string          `json:"unit"`
	Currency   string          `json:"currency"`
	Tiers      []CostPriceTier `json:"tiers"`
	Confidence string          `json:"confidence" enum:"high,medium,low" doc:"how well it is known"`
	Source     CostSource      `json:"source"`
}

// CostPriceTier is what units of a month cost each, up to a quantity.
type CostPriceTier struct {
	UpTo *Amount `json:"up_to,omitempty" doc:"units of a month; absent: no end"`
	Each Amount  `json:"each" doc:"one unit"`
}

// CostPrices are all that amounts are worked out with.
type CostPrices struct {
	Prices []CostPrice `json:"prices"`
	Next   string      `json:"next" doc:"always empty: all are told at once"`
}

// CostTrend is how the bill moves, as sentences with their numbers.
type CostTrend struct {
	Services  []CostMove `json:"services" doc:"what each security service does over the months"`
	Moves     []CostMove `json:"moves" doc:"what falls in one service and rises in another"`
	Peers     []CostMove `json:"peers" doc:"accounts that pay more than those like them"`
	Forecasts []CostMove `json:"forecasts" doc:"what one more account, task or gigabyte costs"`
	Why       []CostMove `json:"why" doc:"why the latest month differs from the one before, what matters most first"`
}

// CostMove is one thing that is said about the bill.
type CostMove struct {
	Kind     string   `json:"kind" example:"move"`
	Month    string   `json:"month" doc:"empty: of all"`
	Service  string   `json:"service"`
	Other    string   `json:"other" doc:"the service that a move leads to; empty: none"`
	Account  string   `json:"account"`
	Currency string   `json:"currency"`
	Amount   Amount   `json:"amount" doc:"a month; below zero: less"`
	Low      *Amount  `json:"low,omitempty"`
	High     *Amount  `json:"high,omitempty"`
	Known    bool     `json:"known" doc:"false: there is too little to say it; the sentence tells what is missing"`
	Said     say.Text `json:"said"`
}

// CostSelf is what this server itself takes and saves.
type CostSelf struct {
	At       time.Time  `json:"at"`
	Bytes    int64      `json:"bytes" doc:"on its disk"`
	Events   int64      `json:"events" doc:"that it keeps"`
	Month    *Amount    `json:"month,omitempty" doc:"what that costs in a month of 30 days; absent: no price is known for it"`
	Found    *Amount    `json:"saving_month,omitempty" doc:"what it found that could be saved in such a month; absent: not known"`
	Currency string     `json:"currency"`
	Said     []say.Text `json:"said"`
}

func costTrend(a huma.API, rooms Rooms) {
	type answered struct{ Body CostTrend }
	huma.Register(a, need(people.Viewer, within(huma.Operation{
		OperationID: "get-cost-trend", Method: http.MethodGet, Path: "/api/cost/trend", Summary: "How the bill moves, and why a month differs from the one before",
	})), func(ctx context.Context, in *struct{ CostAsked }) (*answered, error) {
		if rooms.Cost.Trend == nil {
			return nil, absent("bills")
		}
		q, err := in.query(ctx)
		if err != nil {
			return nil, err
		}
		found, err := rooms.Cost.Trend(ctx, q)
		if err != nil {
			return nil, rooms.failure(err)
		}
		return &answered{found}, nil
	})
}

func costPrices(a huma.API, rooms Rooms) {
	type answered struct{ Body CostPrices }
	huma.Register(a, need(people.Viewer, within(huma.Operation{
		OperationID: "list-cost-prices", Method: http.MethodGet, Path: "/api/cost/prices", Summary: "The prices that amounts are worked out with, and where they were read",
	})), func(ctx context.Context, _ *struct{}) (*answered, error) {
		if rooms.Cost.Prices == nil {
			return nil, absent("prices")
		}
		found, err := rooms.Cost.Prices(ctx)
		if err != nil {
			return nil, rooms.failure(err)
		}
		return &answered{CostPrices{Prices: list(found)}}, nil
	})
}

func costSelf(a huma.API, rooms Rooms) {
	type answered struct{ Body CostSelf }
	huma.Register(a, need(people.Viewer, huma.Operation{
		OperationID: "get-cost-self", Method: http.MethodGet, Path: "/api/cost/self", Summary: "What this server itself takes, and what it found to save",
	}), func(ctx context.Context, _ *struct{}) (*answered, error) {
		if rooms.Cost.Self == nil {
			return nil, absent("what it takes itself")
		}
		found, err := rooms.Cost.Self(ctx)
		if err != nil {
			return nil, rooms.failure(err)
		}
		return &answered{found}, nil
	})
}
