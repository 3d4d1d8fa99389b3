// Package trend tells how the bill of security services moves over its months: what
// each service does and what share of the whole it is, what only moved from one
// service to another, which accounts pay more than those like them, what one more
// account, task or gigabyte will cost, and why a month differs from the one before.
//
// It works on sums of bills and knows no prices. Amounts of several currencies are
// never put together. Where there is too little to say something, that is said.
package trend

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/yagura-sec/yagura/cost"
	"github.com/yagura-sec/yagura/say"
)

// Kind is what an entry says.
type Kind string

// The kinds of entries.
const (
	Service     Kind = "service"      // what a security service costs in the latest month, and where it goes
	All         Kind = "all"          // the same of all of them together
	Moved       Kind = "move"         // what fell in one service and rose in another
	Peer        Kind = "peer"         // what an account pays beyond the median of those like it
	PerAccount  Kind = "per_account"  // what one more account costs a month
	PerTask     Kind = "per_task"     // what one more task costs
	PerGigabyte Kind = "per_gigabyte" // what one more gigabyte costs
	NewAccount  Kind = "new_account"  // an account that cost nothing the month before
	GoneAccount Kind = "gone_account" //
	NewService  Kind = "new_service"  // a service that an account did not have the month before
	GoneService Kind = "gone_service" //
	Days        Kind = "days"         // the month is longer or shorter
	Used        Kind = "usage"        // more or less was used
	Priced      Kind = "price"        // the same costs more or less: a price, or a step of it
	Rest        Kind = "rest"         // what is too small to be told
)

// Entry is one thing that is said about the bill.
type Entry struct {
	Kind     Kind
	Month    time.Time // zero: of all
	Service  string    // id of the security service
	Other    string    // of a move: the service that it leads to
	Usage    string    // the usage type, where one is meant
	Account  string
	Currency string
	Amount   decimal.Decimal  // in a month; of a difference: below zero where it is less
	Low      *decimal.Decimal // bounds
	High     *decimal.Decimal
	Known    bool // false: there is too little to say it, and the text says what is missing
	Text     say.Text
}

// Report is all that is said. Lists are in the order of what matters most.
type Report struct {
	Services  []Entry
	Moves     []Entry
	Peers     []Entry
	Forecasts []Entry
	// Why are what the difference between the latest two months is made of: their
	// amounts come to the difference exactly.
	Why []Entry
}

// Load is what an account did in a month that its bill may follow.
type Load struct {
	Account string
	Month   time.Time
	Tasks   int64 // that were started
}

// Reader makes reports.
type Reader struct {
	Sum cost.Summer
	// Loads gives what accounts did in the months in [since, until); nil: it is not
	// known.
	Loads func(ctx context.Context, since, until time.Time) ([]Load, error)
	// Now: its month is not over and is left out, unless there is no other; zero: all
	// months are over.
	Now time.Time
}

// Read reports on what the query asks for: its months, accounts and security
// services. What it asks By is left aside.
func (r Reader) Read(ctx context.Context, q cost.Query) (*Report, error) {
	yes := true
	q.By, q.Security, q.Kinds = []cost.Dim{cost.ByMonth, cost.ByAccount, cost.ByService, cost.ByUsageType, cost.ByRegion, cost.ByUnit}, &yes, counted()
	lines, err := r.Sum(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("sum up security services: %w", err)
	}
	whole := q
	whole.By, whole.Security, whole.Services = []cost.Dim{cost.ByMonth, cost.ByAccount}, nil, nil
	totals, err := r.Sum(ctx, whole)
	if err != nil {
		return nil, fmt.Errorf("sum up whole bills: %w", err)
	}
	lines, totals = r.over(lines), r.over(totals)
	var loads []Load
	if months := monthsOf(totals); r.Loads != nil && len(months) > 0 {
		if loads, err = r.Loads(ctx, months[0], months[len(months)-1].AddDate(0, 1, 0)); err != nil {
			return nil, fmt.Errorf("ask what accounts did: %w", err)
		}
	}
	out := &Report{}
	for _, currency := range currenciesOf(totals) {
		b := newBook(currency, lines, totals)
		moves := b.moves()
		for _, m := range moves {
			out.Moves = append(out.Moves, m.Entry)
		}
		out.Services = append(out.Services, b.services(moves)...)
		out.Peers = append(out.Peers, b.peers()...)
		out.Forecasts = append(out.Forecasts, b.forecasts(loads)...)
		out.Why = append(out.Why, b.why(moves)...)
	}
	return out, nil
}

// counted are the kinds of lines that the total of a month has.
func counted() (out []cost.Kind) {
	for _, k := range cost.Kinds {
		if k.InTotal() {
			out = append(out, k)
		}
	}
	return out
}

// over leaves out the month that is not over.
func (r Reader) over(sums []cost.Sum) []cost.Sum {
	if r.Now.IsZero() || len(monthsOf(sums)) < 2 {
		return sums
	}
	now := cost.MonthText(r.Now)
	return slices.DeleteFunc(slices.Clone(sums), func(s cost.Sum) bool { return cost.MonthText(s.Month) >= now })
}

func monthsOf(sums []cost.Sum) []time.Time {
	months := map[time.Time]bool{}
	for _, s := range sums {
		months[s.Month.UTC()] = true
	}
	return slices.SortedFunc(maps.Keys(months), time.Time.Compare)
}

func currenciesOf(sums []cost.Sum) []string {
	all := map[string]bool{}
	for _, s := range sums {
		all[s.Currency] = true
	}
	return slices.Sorted(maps.Keys(all))
}

// use is a usage type of a service in an account.
type use struct{ account, service, usage, region, unit string }

// spent is what was paid for so much.
type spent struct{ amount, quantity decimal.Decimal }

// book is the bill in one currency.
type book struct {
	currency string
	months   []time.Time // ascending
	uses     map[time.Time]map[use]spent
	total    map[time.Time]map[string]decimal.Decimal // of the whole bill, by account
}

func newBook(currency string, lines, totals []cost.Sum) *book {
	b := &book{currency: currency, uses: map[time.Time]map[use]spent{}, total: map[time.Time]map[string]decimal.Decimal{}}
	for _, s := range totals {
		if month := s.Month.UTC(); s.Currency == currency {
			if b.total[month] == nil {
				b.total[month], b.uses[month] = map[string]decimal.Decimal{}, map[use]spent{}
				b.months = append(b.months, month)
			}
			b.total[month][s.Account] = b.total[month][s.Account].Add(s.Amount)
		}
	}
	slices.SortFunc(b.months, time.Time.Compare)
	for _, s := range lines {
		month := s.Month.UTC()
		if s.Currency != currency || b.uses[month] == nil {
			continue
		}
		u := use{s.Account, s.Security, s.UsageType, s.Region, s.Unit}
		had := b.uses[month][u]
		b.uses[month][u] = spent{had.amount.Add(s.Amount), had.quantity.Add(s.Quantity)}
	}
	return b
}

// by sums a month's uses up by what key makes of them.
func by[K comparable](uses map[use]spent, key func(use) K) map[K]decimal.Decimal {
	out := map[K]decimal.Decimal{}
	for u, s := range uses {
		out[key(u)] = out[key(u)].Add(s.amount)
	}
	return out
}

// latest two months of the bill; ok: they follow each other.
func (b *book) latest() (before, last time.Time, ok bool) {
	n := len(b.months)
	if n < 2 {
		return before, last, false
	}
	before, last = b.months[n-2], b.months[n-1]
	return before, last, before.AddDate(0, 1, 0).Equal(last)
}

// services tells what each security service does over the months, the dearest first,
// behind all of them together.
func (b *book) services(moves []move) []Entry {
	if len(b.months) == 0 {
		return nil
	}
	last := b.months[len(b.months)-1]
	series := map[string][]decimal.Decimal{}
	for i, month := range b.months {
		for service, amount := range by(b.uses[month], func(u use) string { return u.service }) {
			for _, id := range []string{service, ""} {
				if series[id] == nil {
					series[id] = make([]decimal.Decimal, len(b.months))
				}
				series[id][i] = series[id][i].Add(amount)
			}
		}
	}
	bill := decimal.Decimal{}
	for _, amount := range b.total[last] {
		bill = bill.Add(amount)
	}
	var out []Entry
	for id, amounts := range series {
		e := Entry{Kind: Service, Month: last, Service: id, Currency: b.currency, Amount: amounts[len(amounts)-1], Known: true}
		if id == "" {
			e.Kind = All
		}
		e.Text = b.seriesText(id, amounts, bill, moves)
		out = append(out, e)
	}
	slices.SortFunc(out, func(x, y Entry) int {
		return cmp.Or(cmp.Compare(x.Kind, y.Kind), y.Amount.Cmp(x.Amount), strings.Compare(x.Service, y.Service))
	})
	return out
}

// cent is the least difference that is worth a word.
var cent = decimal.New(1, -2)

// seriesText says where a service stands and where it goes.
func (b *book) seriesText(id string, amounts []decimal.Decimal, bill decimal.Decimal, moves []move) say.Text {
	n := len(amounts)
	name := say.Plain(id)
	if id == "" {
		name = say.T("trend.all", nil)
	}
	share := say.Text{}
	if bill.IsPositive() {
		share = say.T("trend.share", say.Values{"share": amounts[n-1].Div(bill).InexactFloat64()})
	}
	var more []say.Text
	if n > 1 {
		if d := amounts[n-1].Sub(amounts[n-2]); d.Abs().GreaterThanOrEqual(cent) && amounts[n-2].IsPositive() {
			more = append(more, say.T("trend.before", say.Values{"change": signed(d, b.currency), "percent": d.Div(amounts[n-2]).InexactFloat64()}))
		}
	}
	if points := pointsOver(b.months, amounts); n >= 3 {
		if s, ok := slopeOf(points); ok && (s.low > 0 || s.high < 0) {
			more = append(more, say.T("trend.slope", say.Values{"change": signed(decimal.NewFromFloat(s.each), b.currency), "months": n}))
		}
	} else {
		more = append(more, say.T("trend.short", say.Values{"months": n}))
	}
	for _, m := range moves {
		switch last := b.months[n-1]; {
		case !m.Month.Equal(last) || id == "":
		case m.Service == id:
			more = append(more, say.T("trend.moved.out", say.Values{"amount": say.Money(m.Amount, b.currency), "to": m.Other, "account": m.Account}))
		case m.Other == id:
			more = append(more, say.T("trend.moved.in", say.Values{"amount": say.Money(m.Amount, b.currency), "from": m.Service, "account": m.Account}))
		}
	}
	return say.T("trend.service", say.Values{"service": name, "month": cost.MonthText(b.months[n-1]), "amount": say.Money(amounts[n-1], b.currency), "share": share, "more": say.Each(more...)})
}

// pointsOver are amounts over the number of their month.
func pointsOver(months []time.Time, amounts []decimal.Decimal) (out []point) {
	for i, m := range months {
		out = append(out, point{float64(12*m.Year() + int(m.Month())), amounts[i].InexactFloat64()})
	}
	return out
}

// signed is money with its sign.
func signed(d decimal.Decimal, currency string) string {
	if d.IsNegative() {
		return say.Money(d, currency)
	}
	return "+" + say.Money(d, currency)
}
