package cost

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// Has tells whether the sums are split by a dim.
func (q *Query) Has(d Dim) bool { return slices.Contains(q.By, d) }

// Holds tells whether the query is about a line, which is of the security service.
func (q *Query) Holds(l *Line, security string) bool {
	switch {
	case !q.Since.IsZero() && l.Month.Before(q.Since), !q.Until.IsZero() && !l.Month.Before(q.Until):
		return false
	case len(q.Accounts) > 0 && !slices.Contains(q.Accounts, l.Account):
		return false
	case len(q.Services) > 0 && !slices.Contains(q.Services, security):
		return false
	case q.Security != nil && *q.Security != (security != ""):
		return false
	case len(q.Kinds) > 0 && !slices.Contains(q.Kinds, l.Kind):
		return false
	}
	return true
}

// Fold sums lines by what a query asks for.
type Fold struct {
	q    Query
	sums map[group]*Sum
}

// group is what lines of one sum have in common.
type group struct {
	month, day                                                      int64
	provider, payer, account, service, usageType, operation, region string
	resource, kind, unit, currency, security                        string
}

// NewFold makes one without lines.
func NewFold(q Query) *Fold { return &Fold{q, map[group]*Sum{}} }

// Add adds a line of a security service, or of none. That the query holds of it is
// the caller's to know.
func (f *Fold) Add(l Line, security string) {
	s := Sum{Line: Line{Currency: l.Currency}}
	for _, d := range f.q.By {
		switch d {
		case ByMonth:
			s.Month = l.Month
		case ByDay:
			s.Day = l.Day
		case ByProvider:
			s.Provider = l.Provider
		case ByPayer:
			s.Payer = l.Payer
		case ByAccount:
			s.Account = l.Account
		case ByService:
			s.Service, s.Security = l.Service, security
		case ByUsageType:
			s.UsageType = l.UsageType
		case ByOperation:
			s.Operation = l.Operation
		case ByRegion:
			s.Region = l.Region
		case ByResource:
			s.Resource = l.Resource
		case ByKind:
			s.Kind = l.Kind
		case ByUnit:
			s.Unit = l.Unit
		}
	}
	key := group{unix(s.Month), unix(s.Day), s.Provider, s.Payer, s.Account, s.Service, s.UsageType, s.Operation, s.Region, s.Resource, string(s.Kind), s.Unit, s.Currency, s.Security}
	sum := f.sums[key]
	if sum == nil {
		sum = &s
		f.sums[key] = sum
	}
	sum.Amount, sum.Quantity, sum.Rows = sum.Amount.Add(l.Amount), sum.Quantity.Add(l.Quantity), sum.Rows+l.Rows
}

func unix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

// Sums are those of what was added, in the order that Bills.Sums promises.
func (f *Fold) Sums() []Sum {
	out := make([]Sum, 0, len(f.sums))
	for _, s := range f.sums {
		s.Amount, s.Quantity = plain(s.Amount), plain(s.Quantity)
		out = append(out, *s)
	}
	slices.SortFunc(out, func(a, b Sum) int {
		for _, d := range f.q.By {
			if c := compareBy(d, &a, &b); c != 0 {
				return c
			}
		}
		return cmp.Or(strings.Compare(a.Currency, b.Currency), strings.Compare(a.Security, b.Security))
	})
	return out
}

// plain is d without zeros behind its last digit, so that equal sums are equal.
func plain(d decimal.Decimal) decimal.Decimal { return decimal.RequireFromString(d.String()) }

func compareBy(d Dim, a, b *Sum) int {
	switch d {
	case ByMonth:
		return a.Month.Compare(b.Month)
	case ByDay:
		return a.Day.Compare(b.Day)
	}
	return strings.Compare(a.Text(d), b.Text(d))
}

// Text is what a line says of a dim: a month as 2026-04, a day as 2026-04-01.
func (l *Line) Text(d Dim) string {
	switch d {
	case ByMonth:
		return MonthText(l.Month)
	case ByDay:
		if l.Day.IsZero() {
			return ""
		}
		return l.Day.UTC().Format(time.DateOnly)
	case ByProvider:
		return l.Provider
	case ByPayer:
		return l.Payer
	case ByAccount:
		return l.Account
	case ByService:
		return l.Service
	case ByUsageType:
		return l.UsageType
	case ByOperation:
		return l.Operation
	case ByRegion:
		return l.Region
	case ByResource:
		return l.Resource
	case ByKind:
		return string(l.Kind)
	case ByUnit:
		return l.Unit
	}
	return ""
}
