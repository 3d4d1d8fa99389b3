package trend

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/yagura-sec/yagura/cost"
	"github.com/yagura-sec/yagura/say"
)

// What an account is held against, and when it is told of.
const (
	leastPeers = 5
	mostPeers  = 25
	alike      = 3.0  // the whole bills of peers differ by this factor at most
	far        = 3.5  // deviations from the median, on the scale of logarithms
	leastMAD   = 0.10 // a tenth: accounts that are all but the same do not make a cent stand out
)

var (
	leastTimes  = decimal.New(2, 0)  // the median
	leastExcess = decimal.New(10, 0) // in the currency, a month
)

// peers tells which accounts pay more for a service, in the latest month, than those
// whose whole bill is about as large: by the median and the median deviation of the
// logarithms, which one account that is out of order does not move.
func (b *book) peers() []Entry {
	if len(b.months) == 0 {
		return nil
	}
	last := b.months[len(b.months)-1]
	if n := len(b.total[last]); n <= leastPeers {
		return []Entry{{Kind: Peer, Month: last, Currency: b.currency, Text: say.T("trend.peers.few", say.Values{"n": n, "least": leastPeers + 1})}}
	}
	type key struct{ account, service string }
	paid := by(b.uses[last], func(u use) key { return key{u.account, u.service} })
	var out []Entry
	compared := false
	for k, amount := range paid {
		others := b.like(k.account)
		if len(others) < leastPeers {
			continue
		}
		compared = true
		logs, amounts := make([]float64, 0, len(others)), make([]decimal.Decimal, 0, len(others))
		for _, other := range others {
			amounts = append(amounts, paid[key{other, k.service}])
			logs = append(logs, logOf(amounts[len(amounts)-1]))
		}
		median, middle := medianOf(logs), medianAmount(amounts)
		deviations := make([]float64, len(logs))
		for i, l := range logs {
			deviations[i] = math.Abs(l - median)
		}
		z := (logOf(amount) - median) / max(leastMAD, 1.4826*medianOf(deviations))
		excess := amount.Sub(middle)
		if z < far || excess.LessThan(leastExcess) || amount.LessThan(leastTimes.Mul(middle)) {
			continue
		}
		out = append(out, Entry{Kind: Peer, Month: last, Service: k.service, Account: k.account, Currency: b.currency, Amount: excess, Known: true,
			Text: say.T("trend.peer", say.Values{"account": k.account, "service": k.service, "amount": say.Money(amount, b.currency), "month": cost.MonthText(last),
				"median": say.Money(middle, b.currency), "n": len(others)})})
	}
	if !compared {
		return []Entry{{Kind: Peer, Month: last, Currency: b.currency, Text: say.T("trend.peers.unlike", say.Values{"n": len(b.total[last]), "least": leastPeers})}}
	}
	slices.SortFunc(out, func(x, y Entry) int {
		return cmp.Or(y.Amount.Cmp(x.Amount), strings.Compare(x.Account, y.Account), strings.Compare(x.Service, y.Service))
	})
	return out
}

// like are the accounts whose whole bill of the latest month is nearest to that of
// one, within a factor.
func (b *book) like(account string) []string {
	totals := b.total[b.months[len(b.months)-1]]
	own := logOf(totals[account])
	var out []string
	for a, total := range totals {
		if a != account && math.Abs(logOf(total)-own) <= math.Log(alike) {
			out = append(out, a)
		}
	}
	slices.SortFunc(out, func(x, y string) int {
		return cmp.Or(cmp.Compare(math.Abs(logOf(totals[x])-own), math.Abs(logOf(totals[y])-own)), strings.Compare(x, y))
	})
	return out[:min(len(out), mostPeers)]
}

// logOf is the logarithm of an amount, from a cent on: what costs nothing is not
// endlessly far from what costs a little.
func logOf(d decimal.Decimal) float64 { return math.Log(max(0.01, d.InexactFloat64())) }

// medianAmount is the median of amounts, which are sorted by it; the lower one of two.
func medianAmount(all []decimal.Decimal) decimal.Decimal {
	slices.SortFunc(all, decimal.Decimal.Cmp)
	return all[(len(all)-1)/2]
}
