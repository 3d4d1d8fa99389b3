package trend

import (
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/yagura-sec/yagura/cost"
	"github.com/yagura-sec/yagura/say"
)

// configService is the one that is paid by change.
const configService = "AWS Config"

// leastMonths is how few pairs of account and month a forecast rests on.
const leastMonths = 8

// forecasts tell what one more account, task or gigabyte costs in a month.
func (b *book) forecasts(loads []Load) []Entry {
	if len(b.months) == 0 {
		return nil
	}
	return []Entry{b.perAccount(), b.perTask(loads), b.perGigabyte()}
}

// perAccount is what accounts pay for security in the latest month: the median of
// them, and the bounds that eight of ten lie within; of fewer than ten, all.
func (b *book) perAccount() Entry {
	last := b.months[len(b.months)-1]
	paid := by(b.uses[last], func(u use) string { return u.account })
	e := Entry{Kind: PerAccount, Month: last, Currency: b.currency}
	if len(paid) < leastPeers {
		e.Text = say.T("trend.account.few", say.Values{"n": len(paid), "least": leastPeers})
		return e
	}
	amounts := make([]decimal.Decimal, 0, len(paid))
	for _, a := range paid {
		amounts = append(amounts, a)
	}
	e.Amount, e.Known = medianAmount(amounts), true
	n := len(amounts)
	low, high, part := amounts[n/10], amounts[n-1-n/10], 1.0
	if n >= 10 {
		part = 0.8
	}
	e.Low, e.High = &low, &high
	e.Text = say.T("trend.account", say.Values{"amount": say.Money(e.Amount, b.currency), "low": say.Money(low, b.currency), "high": say.Money(high, b.currency), "n": n, "share": part, "month": cost.MonthText(last)})
	return e
}

// perTask is how much more AWS Config costs where more tasks are started.
func (b *book) perTask(loads []Load) Entry {
	var points []point
	for _, l := range loads {
		month := time.Date(l.Month.Year(), l.Month.Month(), 1, 0, 0, 0, 0, time.UTC)
		if _, billed := b.total[month][l.Account]; !billed || l.Tasks <= 0 {
			continue
		}
		paid := by(b.uses[month], func(u use) [2]string { return [2]string{u.account, u.service} })
		points = append(points, point{float64(l.Tasks), paid[[2]string{l.Account, configService}].InexactFloat64()})
	}
	return b.slopeEntry(Entry{Kind: PerTask, Service: configService}, points)
}

// perGigabyte is how much more services cost that are paid by the gigabyte.
func (b *book) perGigabyte() Entry {
	type key struct {
		month   time.Time
		account string
	}
	sums := map[key]spent{}
	for month, uses := range b.uses {
		for u, s := range uses {
			if gigabytes(u) && s.quantity.IsPositive() {
				k := key{month, u.account}
				sums[k] = spent{sums[k].amount.Add(s.amount), sums[k].quantity.Add(s.quantity)}
			}
		}
	}
	var points []point
	for _, s := range sums {
		points = append(points, point{s.quantity.InexactFloat64(), s.amount.InexactFloat64()})
	}
	return b.slopeEntry(Entry{Kind: PerGigabyte}, points)
}

// gigabytes tells whether a use is paid by the gigabyte that is looked at.
func gigabytes(u use) bool {
	unit := strings.ToLower(u.unit)
	return unit == "gb" || unit == "gigabytes" || unit == "gibibyte" || unit == "gib" || strings.HasSuffix(u.usage, "-Bytes") && unit != "bytes"
}

// slopeEntry is what one more of x costs, or that it cannot be told.
func (b *book) slopeEntry(e Entry, points []point) Entry {
	e.Currency = b.currency
	slices.SortFunc(points, func(p, q point) int {
		if p.x != q.x {
			return map[bool]int{true: -1, false: 1}[p.x < q.x]
		}
		return map[bool]int{true: -1, false: 1}[p.y < q.y]
	})
	if s, ok := slopeOf(points); ok && len(points) >= leastMonths && spans(points) {
		low, high := decimal.NewFromFloat(s.low).Round(9), decimal.NewFromFloat(s.high).Round(9)
		e.Amount, e.Low, e.High, e.Known = decimal.NewFromFloat(s.each).Round(9), &low, &high, true
		values := say.Values{"amount": say.Saving(e.Amount, b.currency), "low": say.Saving(low, b.currency), "high": say.Saving(high, b.currency), "n": len(points)}
		if e.Kind == PerTask {
			e.Text = say.T("trend.task", values)
		} else {
			e.Text = say.T("trend.gigabyte", values)
		}
		return e
	}
	values := say.Values{"n": len(points), "least": leastMonths}
	if e.Kind == PerTask {
		e.Text = say.T("trend.task.few", values)
	} else {
		e.Text = say.T("trend.gigabyte.few", values)
	}
	return e
}
