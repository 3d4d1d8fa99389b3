package trend

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/yagura-sec/yagura/cost"
	"github.com/yagura-sec/yagura/say"
)

// maxWhy is how many causes are told; the others stand together.
const maxWhy = 12

// places is how many decimals a part of a difference has: bills have ten at most.
const places = 10

// why takes the difference between the latest two months apart. Its entries come to
// the difference exactly; moves stand first and come to what the two sides differ by.
func (b *book) why(moves []move) []Entry {
	before, last, ok := b.latest()
	if !ok {
		return []Entry{{Kind: Rest, Currency: b.currency, Text: say.T("trend.why.one", nil)}}
	}
	w := &causes{b: b, before: before, last: last, moved: map[use]int{}}
	for i := range moves {
		if moves[i].Month.Equal(last) {
			for _, u := range slices.Concat(moves[i].from, moves[i].to) {
				w.moved[u] = len(w.out)
			}
			e := moves[i].Entry
			e.Amount = decimal.Decimal{}
			w.out = append(w.out, e)
		}
	}
	n := len(w.out)
	w.apart()
	slices.SortFunc(w.out[n:], func(x, y Entry) int {
		return cmp.Or(y.Amount.Abs().Cmp(x.Amount.Abs()), strings.Compare(x.Account, y.Account), strings.Compare(x.Service, y.Service), strings.Compare(x.Usage, y.Usage), cmp.Compare(x.Kind, y.Kind))
	})
	if len(w.out) > n+maxWhy {
		rest := Entry{Kind: Rest, Month: last, Currency: b.currency, Known: true}
		for _, e := range w.out[n+maxWhy:] {
			rest.Amount = rest.Amount.Add(e.Amount)
		}
		few := len(w.out) - n - maxWhy
		rest.Text = say.T("trend.why.rest", say.Values{"n": few, "change": signed(rest.Amount, b.currency)})
		w.out = append(w.out[:n+maxWhy:n+maxWhy], rest)
	}
	return w.out
}

// causes is the difference of two months being taken apart.
type causes struct {
	b            *book
	before, last time.Time
	moved        map[use]int // of out
	out          []Entry
	days         decimal.Decimal
}

// apart goes over all uses of either month.
func (w *causes) apart() {
	had, has := w.b.uses[w.before], w.b.uses[w.last]
	accountsHad, accountsHas := w.accounts(w.before), w.accounts(w.last)
	type key struct{ account, service string }
	byService := func(u use) key { return key{u.account, u.service} }
	servicesHad, servicesHas := by(had, byService), by(has, byService)
	type came struct { // or went
		kind             Kind
		account, service string
	}
	whole := map[came]decimal.Decimal{}
	all := map[use]bool{}
	for u := range had {
		all[u] = true
	}
	for u := range has {
		all[u] = true
	}
	for u := range all {
		diff := has[u].amount.Sub(had[u].amount)
		_, hadService := servicesHad[byService(u)]
		_, hasService := servicesHas[byService(u)]
		i, moved := w.moved[u]
		switch {
		case moved:
			w.out[i].Amount = w.out[i].Amount.Add(diff)
		case !accountsHad[u.account]:
			c := came{NewAccount, u.account, ""}
			whole[c] = whole[c].Add(diff)
		case !accountsHas[u.account]:
			c := came{GoneAccount, u.account, ""}
			whole[c] = whole[c].Add(diff)
		case !hadService:
			c := came{NewService, u.account, u.service}
			whole[c] = whole[c].Add(diff)
		case !hasService:
			c := came{GoneService, u.account, u.service}
			whole[c] = whole[c].Add(diff)
		default:
			w.use(u, had[u], has[u])
		}
	}
	for c, amount := range whole {
		e := Entry{Kind: c.kind, Month: w.last, Account: c.account, Service: c.service, Currency: w.b.currency, Amount: amount, Known: true}
		w.add(e, say.Values{"account": e.Account, "service": e.Service, "change": signed(amount, w.b.currency)})
	}
	if !w.days.IsZero() {
		w.add(Entry{Kind: Days, Month: w.last, Currency: w.b.currency, Amount: w.days, Known: true},
			say.Values{"before": daysIn(w.before), "days": daysIn(w.last), "change": signed(w.days, w.b.currency)})
	}
}

// accounts are those that paid for anything in a month.
func (w *causes) accounts(month time.Time) map[string]bool {
	out := map[string]bool{}
	for a := range w.b.total[month] {
		out[a] = true
	}
	return out
}

func daysIn(month time.Time) int { return month.AddDate(0, 1, -1).Day() }

// use takes the difference of one use apart: first what the days of the month make,
// then what more or less was used at the old price, then the price.
func (w *causes) use(u use, had, has spent) {
	diff := has.amount.Sub(had.amount)
	if diff.IsZero() {
		return
	}
	usage, price := diff, decimal.Decimal{}
	if had.quantity.IsPositive() && has.quantity.IsPositive() && had.amount.IsPositive() {
		atOldPrice := had.amount.Mul(has.quantity).DivRound(had.quantity, places)
		days := had.amount.Mul(decimal.NewFromInt(int64(daysIn(w.last)-daysIn(w.before)))).DivRound(decimal.NewFromInt(int64(daysIn(w.before))), places)
		w.days = w.days.Add(days)
		usage, price = atOldPrice.Sub(had.amount).Sub(days), has.amount.Sub(atOldPrice)
	}
	for _, part := range []struct {
		kind   Kind
		amount decimal.Decimal
	}{{Used, usage}, {Priced, price}} {
		if !part.amount.IsZero() {
			w.add(Entry{Kind: part.kind, Month: w.last, Account: u.account, Service: u.service, Usage: u.usage, Currency: w.b.currency, Amount: part.amount, Known: true},
				say.Values{"account": u.account, "service": u.service, "usage": cmp.Or(u.usage, "-"), "change": signed(part.amount, w.b.currency)})
		}
	}
}

// add adds a cause with its sentence.
func (w *causes) add(e Entry, values say.Values) {
	switch e.Kind {
	case NewAccount, GoneAccount:
		delete(values, "service")
		e.Text = say.T("trend.account."+string(e.Kind), values)
	case NewService, GoneService:
		e.Text = say.T("trend.service."+string(e.Kind), values)
	case Days:
		e.Text = say.T("trend.why.days", values)
	default:
		e.Text = say.T("trend.use."+string(e.Kind), values)
	}
	w.out = append(w.out, e)
}

// Difference is what the security services of the latest month cost more than those
// of the one before, in a currency, as the causes of a report come to it.
func Difference(why []Entry, currency string) (sum decimal.Decimal) {
	for _, e := range why {
		if e.Currency == currency {
			sum = sum.Add(e.Amount)
		}
	}
	return sum
}

// MonthsCompared names the months that a report's causes are about; empty: there is
// no month to compare with.
func MonthsCompared(why []Entry) (before, last string) {
	for _, e := range why {
		if !e.Month.IsZero() {
			return cost.MonthText(e.Month.AddDate(0, -1, 0)), cost.MonthText(e.Month)
		}
	}
	return "", ""
}
