package api

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/shopspring/decimal"

	"github.com/yagura-sec/yagura/cost"
	"github.com/yagura-sec/yagura/people"
	"github.com/yagura-sec/yagura/say"
)

// Cost is what the pages of cost ask. A function that is nil is a talent that this
// server does not have: its paths answer 501. A question that names accounts is
// about these alone; those of who asks are named already.
type Cost struct {
	// Shares gives what security services cost beside the whole bill.
	Shares func(ctx context.Context, q cost.Query) (CostShares, error)
	// Lines gives sums of the bill by what the question names, the largest first.
	Lines func(ctx context.Context, q cost.Query) ([]CostLine, error)
	// Trend says how the bill moves over its months, and why.
	Trend func(ctx context.Context, q cost.Query) (CostTrend, error)
	// Changes gives who changes how much in one account, in [since, until); times
	// that are zero are of the latest week of its log.
	Changes func(ctx context.Context, account string, since, until time.Time) (CostChanges, error)
	// Advice gives what could be cheaper, what saves most first.
	Advice func(ctx context.Context, accounts []string) ([]cost.Advice, error)
	// Prices are those that amounts are worked out with.
	Prices func(ctx context.Context) ([]CostPrice, error)
	// Self gives what this server itself takes and saves.
	Self func(ctx context.Context) (CostSelf, error)
	// Picture draws a picture.
	Picture func(ctx context.Context, p CostPicture) ([]byte, error)
}

// Amount is money, in the currency that stands beside it.
type Amount struct{ decimal.Decimal }

// MarshalJSON writes a number with all digits that the amount has.
func (a Amount) MarshalJSON() ([]byte, error) { return []byte(cost.Number(a.Decimal)), nil }

// Schema says so.
func (Amount) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeNumber, Description: "money, with all digits that the amount has", Examples: []any{json.Number("1519.2")}}
}

// CostShares is what security services cost beside the whole bill, as scripts read
// it, from the API and from `cost shares --format json` alike.
type CostShares struct {
	Months  []CostMonth `json:"months" doc:"a month and currency each, the earliest first"`
	Limited bool        `json:"limited" doc:"these are of the accounts that you may see: what the whole bill comes to is not told"`
}

// CostMonth is a month of the bill in one currency.
type CostMonth struct {
	Month    string        `json:"month" example:"2026-04"`
	Currency string        `json:"currency" example:"USD"`
	Total    *Amount       `json:"total,omitempty" doc:"of all services; tax, credit and refund stand beside it; absent: not yours to see"`
	Security Amount        `json:"security" doc:"of the security services"`
	Tax      Amount        `json:"tax"`
	Credit   Amount        `json:"credit"`
	Refund   Amount        `json:"refund"`
	Services []CostService `json:"services" doc:"security services by account, what costs most first"`
	Missing  CostMissing   `json:"missing" doc:"what these figures do not hold"`
}

// CostMissing is what is known to be missing of a month.
type CostMissing struct {
	Rows int64    `json:"rows" doc:"of its files that could not be read"`
	Said say.Text `json:"said" doc:"that in words; empty: nothing is known to be missing"`
}

// CostService is what a security service costs in one account.
type CostService struct {
	Service     string `json:"service" example:"AWS Config" doc:"as people call it"`
	Account     string `json:"account"`
	AccountName string `json:"account_name" doc:"empty: unknown"`
	Amount      Amount `json:"amount"`
}

// CostLine is a sum over rows of the bill. What the question did not ask for is empty.
type CostLine struct {
	Month     string  `json:"month"`
	Day       string  `json:"day"`
	Provider  string  `json:"provider"`
	Payer     string  `json:"payer"`
	Account   string  `json:"account"`
	Service   string  `json:"service" doc:"as the bill names it"`
	Security  string  `json:"security" doc:"the security service that it is, as people call it; empty: none"`
	UsageType string  `json:"usage_type"`
	Operation string  `json:"operation"`
	Region    string  `json:"region"`
	Resource  string  `json:"resource"`
	Kind      string  `json:"kind" doc:"usage, tax, credit, refund, fee, discount or adjustment"`
	Currency  string  `json:"currency"`
	Amount    Amount  `json:"amount"`
	Unit      string  `json:"unit"`
	Quantity  *Amount `json:"quantity,omitempty" doc:"in that unit; absent where rows of several units may be summed"`
	Rows      int64   `json:"rows"`
}

// CostLines are sums of the bill.
type CostLines struct {
	Lines []CostLine `json:"lines" doc:"the largest amount first"`
	Total int        `json:"total" doc:"lines there are, of which these are the largest"`
	Next  string     `json:"next" doc:"always empty: what was left out is small, and can be asked for by account or service"`
}

// CostAsked is what of the bill somebody asks about. It is exported because what is
// embedded in an input is not read otherwise.
type CostAsked struct {
	Since   string   `query:"since" pattern:"^\\d{4}-\\d{2}$" example:"2026-02" doc:"the first month; absent: all"`
	Until   string   `query:"until" pattern:"^\\d{4}-\\d{2}$" example:"2026-05" doc:"the month after the last; absent: all"`
	Account []string `query:"account" maxItems:"1000" doc:"these alone"`
	Service []string `query:"service" maxItems:"100" doc:"these security services alone, as people call them"`
}

// query is the question, within the accounts of who asks.
func (in *CostAsked) query(ctx context.Context) (q cost.Query, err error) {
	if q.Accounts, err = accountsOf(ctx, in.Account); err != nil {
		return q, err
	}
	q.Services = in.Service
	for _, m := range []struct {
		at   *time.Time
		text string
	}{{&q.Since, in.Since}, {&q.Until, in.Until}} {
		if m.text == "" {
			continue
		}
		if *m.at, err = time.Parse("2006-01", m.text); err != nil {
			return q, huma.Error422UnprocessableEntity("a month is written 2026-04")
		}
	}
	return q, nil
}

// accountsOf are the accounts that a question of who asks is about; none: all there
// are. An account that is not theirs is refused rather than answered as empty, which
// would say that it costs nothing.
func accountsOf(ctx context.Context, asked []string) ([]string, error) {
	w := who(ctx)
	if len(asked) == 0 {
		return slices.Clone(w.Accounts), nil
	}
	for _, a := range asked {
		if !w.Sees(a) {
			return nil, huma.Error403Forbidden("you are limited to other accounts than " + a)
		}
	}
	return asked, nil
}

// costs registers the operations of cost.
func costs(a huma.API, rooms Rooms) {
	costShares(a, rooms)
	costLines(a, rooms)
	costTrend(a, rooms)
	costChanges(a, rooms)
	costAdvice(a, rooms)
	costPrices(a, rooms)
	costSelf(a, rooms)
	costPictures(a, rooms)
}

func costShares(a huma.API, rooms Rooms) {
	type answered struct{ Body CostShares }
	huma.Register(a, need(people.Viewer, within(huma.Operation{
		OperationID: "get-cost-shares", Method: http.MethodGet, Path: "/api/cost/shares", Summary: "What security services cost, month by month, beside the whole bill",
	})), func(ctx context.Context, in *struct{ CostAsked }) (*answered, error) {
		if rooms.Cost.Shares == nil {
			return nil, absent("bills")
		}
		q, err := in.query(ctx)
		if err != nil {
			return nil, err
		}
		found, err := rooms.Cost.Shares(ctx, q)
		if err != nil {
			return nil, rooms.failure(err)
		}
		if who(ctx).Limited() {
			found.Limited, found.Months = true, slices.Clone(found.Months)
			for i := range found.Months {
				found.Months[i].Total = nil
			}
		}
		return &answered{found}, nil
	})
}

func costLines(a huma.API, rooms Rooms) {
	type answered struct{ Body CostLines }
	huma.Register(a, need(people.Viewer, within(huma.Operation{
		OperationID: "get-cost-lines", Method: http.MethodGet, Path: "/api/cost/lines", Summary: "Sums of the bill by service, account, usage type, region or resource",
	})), func(ctx context.Context, in *struct {
		CostAsked
		By       []string `query:"by" enum:"month,day,provider,payer,account,service,usage_type,operation,region,resource,kind,unit" default:"service" maxItems:"12" doc:"one sum for each"`
		Security bool     `query:"security" doc:"security services alone"`
		Kind     []string `query:"kind" enum:"usage,tax,credit,refund,fee,discount,adjustment" doc:"rows of these kinds alone; absent: all but tax, credit and refund"`
		Limit    int      `query:"limit" minimum:"1" maximum:"10000" default:"200"`
	}) (*answered, error) {
		if rooms.Cost.Lines == nil {
			return nil, absent("bills")
		}
		q, err := in.query(ctx)
		if err != nil {
			return nil, err
		}
		for _, d := range in.By {
			q.By = append(q.By, cost.Dim(d))
		}
		for _, k := range in.Kind {
			q.Kinds = append(q.Kinds, cost.Kind(k))
		}
		if in.Security {
			q.Security = &in.Security
		}
		found, err := rooms.Cost.Lines(ctx, q)
		if err != nil {
			return nil, rooms.failure(err)
		}
		return &answered{CostLines{Lines: list(found[:min(len(found), in.Limit)]), Total: len(found)}}, nil
	})
}
