package advise

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/yagura-sec/yagura/cost"
	"github.com/yagura-sec/yagura/cost/price"
)

// billed is what a bill says of something in its latest whole month.
type billed struct {
	amount, quantity decimal.Decimal
	currency         string
	month            time.Time
}

// wholeMonth is the latest month of the bill that is over; false: there is none.
func (j *judge) wholeMonth() (m time.Time, ok bool) {
	for _, s := range j.Bill {
		if s.Month.After(m) && !s.Month.AddDate(0, 1, 0).After(j.Now) {
			m, ok = s.Month, true
		}
	}
	return m, ok
}

// of sums a security service's usage of the latest whole month that choose takes, by
// key. Amounts of several currencies under one key are left out: they do not add up.
func (j *judge) of(service string, key func(s *cost.Sum) string) map[string]billed {
	m, ok := j.wholeMonth()
	if !ok {
		return nil
	}
	out, mixed := map[string]billed{}, map[string]bool{}
	for i := range j.Bill {
		s := &j.Bill[i]
		if s.Security != service || !s.Month.Equal(m) || s.Kind != "" && s.Kind != cost.Usage {
			continue
		}
		k := key(s)
		if k == "" {
			continue
		}
		b := out[k]
		mixed[k] = mixed[k] || b.currency != "" && b.currency != s.Currency
		out[k] = billed{b.amount.Add(s.Amount), b.quantity.Add(s.Quantity), cmp.Or(b.currency, s.Currency), m}
	}
	maps.DeleteFunc(out, func(k string, b billed) bool { return mixed[k] || !b.amount.IsPositive() })
	return out
}

// inOrder are the keys of what was billed, in order.
func inOrder(m map[string]billed) []string { return slices.Sorted(maps.Keys(m)) }

// charges tells whether a line is charged by one of these usage types.
func charges(s *cost.Sum, names ...string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return price.Charges(s.UsageType, n) })
}

// unsure makes what would be saved the most that may be: nothing is known of why it
// is paid for.
func unsure(a *cost.Advice) {
	none, most := decimal.Zero, a.Saving
	a.Low, a.High, a.Saving = &none, &most, decimal.Zero
}

// advice begins one that rests on what was billed: a month as the bill has it.
func (b billed) advice(kind, account, region, resourceType string, key ...string) cost.Advice {
	return cost.Advice{
		Key: keyOf(kind, key...), Kind: kind, Account: account, Region: region, ResourceType: resourceType, Items: -1, ResourceDays: -1,
		Saving: b.amount, Currency: b.currency, Basis: cost.Billed, Verdict: cost.Keep,
	}
}
