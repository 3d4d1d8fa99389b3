package trend

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/yagura-sec/yagura/cost"
	"github.com/yagura-sec/yagura/say"
)

// pair is a move that a provider has announced.
type pair struct {
	from, to string // ids of security services
	usage    string // part of the usage types that move, in small letters; empty: any
	since    time.Time
}

// pairs are those that are known of.
var pairs = []pair{
	// Runtime Monitoring is billed under Security Hub where that is on.
	{"Amazon GuardDuty", "AWS Security Hub", "runtime", time.Date(2026, time.October, 2, 0, 0, 0, 0, time.UTC)},
	// Security Hub's essentials plan has Inspector's scans in its price.
	{"Amazon Inspector", "AWS Security Hub", "", time.Date(2025, time.December, 1, 0, 0, 0, 0, time.UTC)},
}

// move is a fall that is a rise elsewhere.
type move struct {
	Entry
	from, to []use // that are part of it
	pair     bool
}

// What a move is told by, as parts: how much of a fall is gone, and how near a rise
// is to it. A pair that was announced may change its price with its name; where none
// was, amounts or quantities have to be all but the same.
var (
	fallen    = decimal.RequireFromString("0.5")
	nearPair  = decimal.RequireFromString("0.35")
	nearOther = decimal.RequireFromString("0.05")
	leastMove = decimal.New(1, 0) // in the currency, a month
)

// step is by how much a use changed from one month to the next.
type step struct {
	uses             []use
	service          string
	before, after    spent
	amount, quantity decimal.Decimal // how far it fell or rose; of one unit
	unit             string
}

// moves finds, month by month and account by account, what fell in one service and
// rose in another by as much: that is no saving, and no cost.
func (b *book) moves() []move {
	var out []move
	for i := 1; i < len(b.months); i++ {
		before, after := b.months[i-1], b.months[i]
		if !before.AddDate(0, 1, 0).Equal(after) {
			continue
		}
		falls, rises := b.steps(before, after)
		for _, account := range slices.Sorted(maps.Keys(falls)) {
			out = append(out, b.match(after, account, falls[account], rises[account])...)
		}
	}
	slices.SortStableFunc(out, func(x, y move) int {
		return cmp.Or(y.Month.Compare(x.Month), y.Amount.Cmp(x.Amount))
	})
	return out
}

// steps are the falls and rises of each account, by service and usage type, regions
// put together, and by service as a whole; the largest first.
func (b *book) steps(before, after time.Time) (falls, rises map[string][]step) {
	type key struct{ account, service, usage string }
	all := map[key]*step{}
	add := func(u use, s spent, later bool) {
		for _, usage := range []string{plainUsage(u.usage), ""} {
			k := key{u.account, u.service, usage}
			x := all[k]
			if x == nil {
				x = &step{service: u.service, unit: u.unit}
				all[k] = x
			}
			if !slices.Contains(x.uses, u) {
				x.uses = append(x.uses, u)
			}
			if x.unit != u.unit {
				x.unit = "" // quantities of several units do not add up
			}
			to := &x.before
			if later {
				to = &x.after
			}
			to.amount, to.quantity = to.amount.Add(s.amount), to.quantity.Add(s.quantity)
		}
	}
	for u, s := range b.uses[before] {
		add(u, s, false)
	}
	for u, s := range b.uses[after] {
		add(u, s, true)
	}
	falls, rises = map[string][]step{}, map[string][]step{}
	for k, x := range all {
		x.amount, x.quantity = x.after.amount.Sub(x.before.amount), x.after.quantity.Sub(x.before.quantity)
		slices.SortFunc(x.uses, compareUses)
		switch {
		case x.amount.LessThanOrEqual(leastMove.Neg()) && x.amount.Neg().GreaterThanOrEqual(x.before.amount.Mul(fallen)):
			falls[k.account] = append(falls[k.account], *x)
		case x.amount.GreaterThanOrEqual(leastMove):
			rises[k.account] = append(rises[k.account], *x)
		}
	}
	for _, m := range []map[string][]step{falls, rises} {
		for _, list := range m {
			slices.SortFunc(list, func(x, y step) int {
				return cmp.Or(y.amount.Abs().Cmp(x.amount.Abs()), len(x.uses)-len(y.uses), slices.CompareFunc(x.uses, y.uses, compareUses))
			})
		}
	}
	return falls, rises
}

func compareUses(a, b use) int {
	return cmp.Or(strings.Compare(a.account, b.account), strings.Compare(a.service, b.service), strings.Compare(a.usage, b.usage), strings.Compare(a.region, b.region), strings.Compare(a.unit, b.unit))
}

// plainUsage is a usage type without the region before it: "APN1-".
func plainUsage(usage string) string {
	if region, rest, ok := strings.Cut(usage, "-"); ok && len(region) <= 6 && strings.ToUpper(region) == region {
		return rest
	}
	return usage
}

// match joins falls and rises of an account; what is part of one move is not part of
// another. Announced pairs go first.
func (b *book) match(month time.Time, account string, falls, rises []step) (out []move) {
	taken := map[use]bool{}
	free := func(s *step) bool {
		return !slices.ContainsFunc(s.uses, func(u use) bool { return taken[u] })
	}
	for _, announced := range []bool{true, false} {
		for i := range falls {
			fall := &falls[i]
			if !free(fall) {
				continue
			}
			var best *step
			for k := range rises {
				rise := &rises[k]
				if rise.service == fall.service || !free(rise) || announced != isPair(fall, rise, month) {
					continue
				}
				if like(fall, rise, announced) && (best == nil || off(fall, rise).LessThan(off(fall, best))) {
					best = rise
				}
			}
			if best == nil {
				continue
			}
			for _, u := range slices.Concat(fall.uses, best.uses) {
				taken[u] = true
			}
			out = append(out, b.moveOf(month, account, fall, best, announced))
		}
	}
	return out
}

// isPair tells whether a provider has announced the move.
func isPair(fall, rise *step, month time.Time) bool {
	return slices.ContainsFunc(pairs, func(p pair) bool {
		return p.from == fall.service && p.to == rise.service && !month.AddDate(0, 1, 0).Before(p.since) &&
			(p.usage == "" || slices.ContainsFunc(fall.uses, func(u use) bool { return strings.Contains(strings.ToLower(u.usage), p.usage) }))
	})
}

// off is how far the rise is from the fall, as a part of the larger.
func off(fall, rise *step) decimal.Decimal {
	a, r := fall.amount.Neg(), rise.amount
	return a.Sub(r).Abs().Div(decimal.Max(a, r))
}

// like tells whether a rise is the fall again: by amount, or by quantity of the same
// unit, which a new price leaves as it is.
func like(fall, rise *step, announced bool) bool {
	near := nearOther
	if announced {
		near = nearPair
	}
	if off(fall, rise).LessThanOrEqual(near) {
		return true
	}
	q, r := fall.quantity.Neg(), rise.quantity
	return fall.unit != "" && fall.unit == rise.unit && q.IsPositive() && r.IsPositive() &&
		q.Sub(r).Abs().LessThanOrEqual(nearOther.Mul(decimal.Max(q, r)))
}

func (b *book) moveOf(month time.Time, account string, fall, rise *step, announced bool) move {
	amount := decimal.Min(fall.amount.Neg(), rise.amount)
	m := move{from: fall.uses, to: rise.uses, pair: announced, Entry: Entry{
		Kind: Moved, Month: month, Service: fall.service, Other: rise.service, Account: account, Currency: b.currency, Amount: amount, Known: true,
	}}
	values := say.Values{"account": account, "month": cost.MonthText(month), "from": fall.service, "to": rise.service,
		"fell": say.Money(fall.amount.Neg(), b.currency), "rose": say.Money(rise.amount, b.currency)}
	if announced {
		m.Text = say.T("trend.move.announced", values)
	} else {
		m.Text = say.T("trend.move.alike", values)
	}
	return m
}
