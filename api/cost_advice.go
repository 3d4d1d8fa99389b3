package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/shopspring/decimal"

	"github.com/yagura-sec/yagura/cost"
	"github.com/yagura-sec/yagura/people"
	"github.com/yagura-sec/yagura/say"
)

// CostAdvice is what could be cheaper, as scripts read it, from the API and from
// `cost advise --format json` alike.
type CostAdvice struct {
	Key          string       `json:"key" doc:"the same advice has it again: what decisions name it by"`
	Kind         string       `json:"kind" example:"recording"`
	Account      string       `json:"account"`
	AccountName  string       `json:"account_name" doc:"empty: unknown"`
	Region       string       `json:"region"`
	ResourceType string       `json:"resource_type" example:"AWS::EC2::NetworkInterface"`
	Items        *int64       `json:"items" doc:"configuration items in a month of 30 days; null: not known, or it is about none"`
	ResourceDays *int64       `json:"resource_days" doc:"resources that differed at a day's end, in such a month; null: not known, or it is about none"`
	Saving       Amount       `json:"saving_month" doc:"of a month of 30 days; below zero: it would cost more"`
	Low          *Amount      `json:"low,omitempty" doc:"the least that it saves, where that is estimated"`
	High         *Amount      `json:"high,omitempty" doc:"the most that it saves, where that is estimated"`
	Currency     string       `json:"currency"`
	Verdict      cost.Verdict `json:"verdict" enum:"change,keep,cannot,not_advised"`
	Basis        cost.Basis   `json:"basis" enum:"metric,history,estimate,bill,settings" doc:"what the saving rests on: items as they were counted or estimated, what was billed, or what is set up"`
	Confidence   float64      `json:"confidence" doc:"0 to 1"`
	Title        say.Text     `json:"title" doc:"what would be done, in a few words" example:"Record AWS::EC2::Subnet daily in 111122223333 (us-east-1)"`
	Reason       say.Text     `json:"reason"`
	Lost         say.Text     `json:"lost" doc:"what it would take away; empty: nothing"`
	Plan         []string     `json:"plan" doc:"commands that do it; empty: none is given"`
	Undo         []string     `json:"undo" doc:"commands that take it back"`
	Sources      []CostSource `json:"sources"`
	Decision     string       `json:"decision" doc:"id of the decision about it; empty: none"`
}

// CostSource is where something is said.
type CostSource struct {
	Title string `json:"title"`
	URL   string `json:"url"`
	Date  string `json:"date" example:"2026-03-01" doc:"when it was read; empty: unknown"`
}

// CostAdvices is all advice.
type CostAdvices struct {
	Advice     []CostAdvice `json:"advice" doc:"what saves most first"`
	Saving     Amount       `json:"total_saving_month" doc:"of what is advised, and of what would be were nothing else against it"`
	Actionable Amount       `json:"total_actionable_month" doc:"of what is advised"`
	Currency   string       `json:"currency" doc:"of both totals; what is in another currency is not among them"`
}

// ViewAdvice gives advice as scripts read it; name gives the name of an account.
// Totals are in the currency of most advice that saves something.
func ViewAdvice(all []cost.Advice, name func(account string) string) CostAdvices {
	out := CostAdvices{Advice: []CostAdvice{}}
	saves := map[string]int{}
	for _, x := range all {
		out.Advice = append(out.Advice, viewAdvice(x, name))
		if x.Saving.IsPositive() {
			if saves[x.Currency]++; saves[x.Currency] > saves[out.Currency] {
				out.Currency = x.Currency
			}
		}
	}
	for _, x := range all {
		if x.Currency != out.Currency || x.Kind == cost.AboutExclusion { // another way to save the same
			continue
		}
		switch x.Verdict {
		case cost.Change:
			out.Actionable.Decimal = out.Actionable.Add(x.Saving)
			out.Saving.Decimal = out.Saving.Add(x.Saving)
		case cost.NotAdvised:
			out.Saving.Decimal = out.Saving.Add(x.Saving)
		}
	}
	return out
}

func viewAdvice(x cost.Advice, name func(account string) string) CostAdvice {
	v := CostAdvice{
		Key: x.Key, Kind: x.Kind, Account: x.Account, Region: x.Region, ResourceType: x.ResourceType, Items: known(x.Items), ResourceDays: known(x.ResourceDays),
		Saving: Amount{x.Saving}, Low: amount(x.Low), High: amount(x.High), Currency: x.Currency, Verdict: x.Verdict, Basis: x.Basis, Confidence: x.Confidence,
		Title: x.Title, Reason: x.Reason, Lost: x.Lost, Plan: list(x.Plan), Undo: list(x.Undo), Sources: []CostSource{}, Decision: x.Decision,
	}
	if name != nil {
		v.AccountName = name(x.Account)
	}
	for _, s := range x.Sources {
		v.Sources = append(v.Sources, viewSource(s))
	}
	return v
}

// known is a count; nil where it is not known.
func known(n int64) *int64 {
	if n < 0 {
		return nil
	}
	return &n
}

func amount(d *decimal.Decimal) *Amount {
	if d == nil {
		return nil
	}
	return &Amount{*d}
}

func viewSource(s cost.Source) CostSource {
	v := CostSource{Title: s.Title, URL: s.URL}
	if !s.Date.IsZero() {
		v.Date = s.Date.Format(time.DateOnly)
	}
	return v
}

func costAdvice(a huma.API, rooms Rooms) {
	type answered struct{ Body CostAdvices }
	huma.Register(a, need(people.Viewer, within(huma.Operation{
		OperationID: "get-cost-advice", Method: http.MethodGet, Path: "/api/cost/advice", Summary: "What could be cheaper, what would be lost by it, and what speaks against it",
	})), func(ctx context.Context, in *struct {
		Account []string `query:"account" maxItems:"1000" doc:"these alone"`
	}) (*answered, error) {
		if rooms.Cost.Advice == nil {
			return nil, absent("what advice on cost rests on")
		}
		accounts, err := accountsOf(ctx, in.Account)
		if err != nil {
			return nil, err
		}
		all, err := rooms.Cost.Advice(ctx, accounts)
		if err != nil {
			return nil, rooms.failure(err)
		}
		return &answered{ViewAdvice(all, rooms.Console.AccountName)}, nil
	})
}
