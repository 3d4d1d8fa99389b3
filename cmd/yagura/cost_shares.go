package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"
	"github.com/spf13/cobra"

	"github.com/yagura-sec/yagura/api"
	"github.com/yagura-sec/yagura/cost"
	"github.com/yagura-sec/yagura/mask"
)

func (p *program) costShares() *cobra.Command {
	var q cost.Query
	var by []string
	var during period
	var masked bool
	var drawing pictureFlags
	c := &cobra.Command{
		Use: "shares", Short: "Tell what security services cost, beside the whole bill", Args: cobra.NoArgs,
		Long: `Shares gives, for each month and currency of the bills that were imported, what all
services cost, what the security services cost of it, and each of them by account.
Tax, credits and refunds stand beside the total, not in it. What is missing of a
month, rows that could not be read or files of a delivery, is said with it.

With --by it sums the bill by what is named instead, the largest sum first. Days,
operations and resources are known of security services only.`,
		Example: `  yagura cost shares
  yagura cost shares --since 2026-04 --service "AWS Config" --by month,account,usage_type
  yagura cost shares --format json --masked`,
		RunE: func(c *cobra.Command, _ []string) (err error) {
			if q.Since, q.Until, err = months(during, p.now()); err != nil {
				return err
			}
			for _, d := range by {
				if !slices.Contains(cost.Dims, cost.Dim(d)) {
					return wrong("--by %s: it is one of %v", d, cost.Dims)
				}
				q.By = append(q.By, cost.Dim(d))
			}
			known := cost.SecurityServices()
			for _, s := range q.Services {
				if !slices.ContainsFunc(known, func(k cost.SecurityService) bool { return k.ID == s }) {
					return wrong("--service %s: it is none of the security services, such as %s", s, known[0].ID)
				}
			}
			draws, err := drawing.draws()
			if err != nil {
				return err
			}
			if draws && len(q.By) > 0 {
				return wrong("--picture is of shares: leave --by out")
			}
			aliases, err := p.aliases(masked)
			if err != nil {
				return err
			}
			r, err := p.read(c.Context())
			if err != nil {
				return err
			}
			defer r.Close()
			if draws {
				drawing.masked = masked
				return p.drawShares(c.Context(), r, q, drawing)
			}
			return p.runShares(c.Context(), r, q, aliases)
		},
	}
	during.flags(c)
	c.Flags().StringSliceVar(&q.Accounts, "account", nil, "of these accounts")
	c.Flags().StringSliceVar(&q.Services, "service", nil, `of these security services, such as "AWS Config"`)
	c.Flags().StringSliceVar(&by, "by", nil, "sum by these: "+dimNames())
	c.Flags().BoolVar(&masked, "masked", false, "put aliases in the place of accounts and resources")
	drawing.flags(c)
	return c
}

func dimNames() string {
	var out []string
	for _, d := range cost.Dims {
		out = append(out, string(d))
	}
	return strings.Join(out, ", ")
}

// months are the first days of the months that a period is in; it may name months:
// 2026-04.
func months(d period, now time.Time) (since, until time.Time, err error) {
	for _, s := range []*string{&d.since, &d.until} {
		if _, err := time.Parse("2006-01", *s); err == nil {
			*s += "-01"
		}
	}
	if since, until, err = d.times(now); err != nil {
		return since, until, err
	}
	if !since.IsZero() {
		since = time.Date(since.Year(), since.Month(), 1, 0, 0, 0, 0, time.UTC)
	}
	return since, until, nil
}

func (p *program) runShares(ctx context.Context, r *rooms, q cost.Query, aliases *mask.Masker) error {
	store, err := r.costs(ctx)
	if err != nil {
		return err
	}
	if len(q.By) > 0 {
		return p.printCostLines(ctx, store, q, aliases)
	}
	found, err := shares(ctx, store, q, accountNames(p.cfg.Estate))
	if err != nil {
		return err
	}
	if aliases != nil {
		found = maskedShares(found, aliases)
	}
	if p.json() {
		return p.printJSON(found)
	}
	return p.printShares(found)
}

// drawShares draws the latest month, and how each service came there.
func (p *program) drawShares(ctx context.Context, r *rooms, q cost.Query, drawing pictureFlags) error {
	store, err := r.costs(ctx)
	if err != nil {
		return err
	}
	found, err := shares(ctx, store, q, accountNames(p.cfg.Estate))
	if err != nil {
		return err
	}
	return p.drawInto(drawing, sharesPicture(found, len(q.Accounts) == 0))
}

// counted are the kinds that are in a total.
var counted = slices.DeleteFunc(slices.Clone(cost.Kinds), func(k cost.Kind) bool { return !k.InTotal() })

// shares works out what security services cost beside the whole bill. A question
// about some services is about them alone; the whole bill stays the whole.
func shares(ctx context.Context, store cost.Bills, q cost.Query, name func(account string) string) (api.CostShares, error) {
	out := api.CostShares{Months: []api.CostMonth{}}
	whole, parts := q, q
	whole.Services, whole.By = nil, []cost.Dim{cost.ByMonth, cost.ByKind}
	yes := true
	parts.Security, parts.Kinds, parts.By = &yes, counted, []cost.Dim{cost.ByMonth, cost.ByAccount, cost.ByService}
	all, err := store.Sums(ctx, whole)
	if err != nil {
		return out, err
	}
	security, err := store.Sums(ctx, parts)
	if err != nil {
		return out, err
	}
	files, err := store.Files(ctx)
	if err != nil {
		return out, err
	}
	byMonth := map[[2]string]*api.CostMonth{}
	for _, s := range all {
		key := [2]string{cost.MonthText(s.Month), s.Currency}
		m := byMonth[key]
		if m == nil {
			missing := cost.MissingOf(files, s.Month)
			m = &api.CostMonth{Month: key[0], Currency: key[1], Total: &api.Amount{}, Services: []api.CostService{}, Missing: api.CostMissing{Rows: missing.Rows, Said: missing.Said()}}
			byMonth[key] = m
		}
		to := m.Total
		switch s.Kind {
		case cost.Tax:
			to = &m.Tax
		case cost.Credit:
			to = &m.Credit
		case cost.Refund:
			to = &m.Refund
		}
		to.Decimal = to.Add(s.Amount)
	}
	for _, s := range security {
		m := byMonth[[2]string{cost.MonthText(s.Month), s.Currency}]
		m.Security.Decimal = m.Security.Add(s.Amount)
		addService(m, s, name)
	}
	for _, m := range byMonth {
		slices.SortFunc(m.Services, func(a, b api.CostService) int {
			return cmp.Or(b.Amount.Cmp(a.Amount.Decimal), strings.Compare(a.Service, b.Service), strings.Compare(a.Account, b.Account))
		})
		out.Months = append(out.Months, *m)
	}
	slices.SortFunc(out.Months, func(a, b api.CostMonth) int {
		return cmp.Or(strings.Compare(a.Month, b.Month), strings.Compare(a.Currency, b.Currency))
	})
	return out, nil
}

// addService adds to what a security service costs in an account: bills may name it
// in several ways.
func addService(m *api.CostMonth, s cost.Sum, name func(account string) string) {
	for i := range m.Services {
		if x := &m.Services[i]; x.Service == s.Security && x.Account == s.Account {
			x.Amount.Decimal = x.Amount.Add(s.Amount)
			return
		}
	}
	m.Services = append(m.Services, api.CostService{Service: s.Security, Account: s.Account, AccountName: name(s.Account), Amount: api.Amount{Decimal: s.Amount}})
}

func maskedShares(s api.CostShares, m *mask.Masker) api.CostShares {
	for i := range s.Months {
		for j := range s.Months[i].Services {
			x := &s.Months[i].Services[j]
			x.Account, x.AccountName = m.Account(x.Account), ""
		}
	}
	return s
}

// costLines gives sums of the bill, the largest first. Without kinds it is about
// those of a total.
func costLines(ctx context.Context, store cost.Bills, q cost.Query) ([]api.CostLine, error) {
	if len(q.Kinds) == 0 {
		q.Kinds = counted
	}
	sums, err := store.Sums(ctx, q)
	if err != nil {
		return nil, err
	}
	out := make([]api.CostLine, 0, len(sums))
	for _, s := range sums {
		l := api.CostLine{
			Provider: s.Provider, Payer: s.Payer, Account: s.Account, Service: s.Service, Security: s.Security,
			UsageType: s.UsageType, Operation: s.Operation, Region: s.Region, Resource: s.Resource, Kind: string(s.Kind),
			Currency: s.Currency, Amount: api.Amount{Decimal: s.Amount}, Unit: s.Unit, Rows: s.Rows, Day: s.Text(cost.ByDay),
		}
		if q.Has(cost.ByMonth) {
			l.Month = s.Text(cost.ByMonth)
		}
		if q.Has(cost.ByUnit) || q.Has(cost.ByUsageType) {
			l.Quantity = &api.Amount{Decimal: s.Quantity}
		}
		out = append(out, l)
	}
	slices.SortStableFunc(out, func(a, b api.CostLine) int { return b.Amount.Cmp(a.Amount.Decimal) })
	return out, nil
}

func (p *program) printCostLines(ctx context.Context, store cost.Bills, q cost.Query, aliases *mask.Masker) error {
	lines, err := costLines(ctx, store, q)
	if err != nil {
		return err
	}
	if aliases != nil {
		for i := range lines {
			l := &lines[i]
			l.Account, l.Payer, l.Resource = maskedName(aliases, l.Account), maskedName(aliases, l.Payer), aliases.Text(l.Resource)
		}
	}
	if p.json() {
		return p.printJSON(api.CostLines{Lines: lines, Total: len(lines)})
	}
	var head []string
	for _, d := range q.By {
		head = append(head, strings.ReplaceAll(string(d), "_", " "))
	}
	var rows [][]string
	for _, l := range lines {
		var row []string
		for _, d := range q.By {
			row = append(row, oneLine(lineText(l, d)))
		}
		quantity := ""
		if l.Quantity != nil {
			quantity = p.exactly(l.Quantity)
		}
		rows = append(rows, append(row, p.amount(l.Amount, l.Currency), cmp.Or(l.Currency, "unknown"), quantity))
	}
	return p.printTable(append(head, "amount", "currency", "quantity"), rows)
}

func maskedName(m *mask.Masker, account string) string {
	if account == "" {
		return ""
	}
	return m.Account(account)
}

func lineText(l api.CostLine, d cost.Dim) string {
	return map[cost.Dim]string{
		cost.ByMonth: l.Month, cost.ByDay: l.Day, cost.ByProvider: l.Provider, cost.ByPayer: l.Payer, cost.ByAccount: l.Account,
		cost.ByService: cmp.Or(l.Security, l.Service), cost.ByUsageType: l.UsageType, cost.ByOperation: l.Operation, cost.ByRegion: l.Region,
		cost.ByResource: l.Resource, cost.ByKind: l.Kind, cost.ByUnit: l.Unit,
	}[d]
}

// printShares writes each month, then its services. As CSV it is the services alone.
func (p *program) printShares(s api.CostShares) error {
	if p.flags.format == "csv" {
		var rows [][]string
		for _, m := range s.Months {
			for _, x := range m.Services {
				rows = append(rows, []string{m.Month, m.Currency, x.Service, x.Account, x.AccountName, x.Amount.String()})
			}
		}
		return p.printTable([]string{"month", "currency", "service", "account", "name", "amount"}, rows)
	}
	if len(s.Months) == 0 {
		return errors.New("no bills of these months were imported: `yagura cost import PATH` reads them")
	}
	var rows [][]string
	for _, m := range s.Months {
		rows = append(rows, []string{m.Month, cmp.Or(m.Currency, "unknown"), p.amount(m.Total, m.Currency), p.amount(m.Security, m.Currency), share(m.Security.Decimal, m.Total.Decimal),
			p.amount(m.Tax, m.Currency), p.amount(m.Credit, m.Currency), p.amount(m.Refund, m.Currency)})
	}
	if err := p.printTable([]string{"month", "currency", "total", "security", "of the bill", "tax", "credit", "refund"}, rows); err != nil {
		return err
	}
	for _, m := range s.Months {
		var rows [][]string
		for _, x := range m.Services {
			rows = append(rows, []string{x.Service, strings.TrimSpace(x.Account + " " + x.AccountName), p.amount(x.Amount, m.Currency), share(x.Amount.Decimal, m.Security.Decimal)})
		}
		if err := p.part(m.Month+" "+m.Currency, []string{"service", "account", "amount", "of security"}, rows); err != nil {
			return err
		}
		if said := m.Missing.Said.String(); said != "" {
			fmt.Fprintf(p.stdout, "\n%s: %s\n", m.Month, safe(said))
		}
	}
	return nil
}

// share is a part of a whole in percent; of nothing there is none.
func share(part, whole decimal.Decimal) string {
	if whole.IsZero() {
		return "-"
	}
	return part.Mul(decimal.New(100, 0)).DivRound(whole, 1).String() + " %"
}
