package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"
	"github.com/spf13/cobra"

	"github.com/yagura-sec/yagura/api"
	"github.com/yagura-sec/yagura/cost"
	"github.com/yagura-sec/yagura/cost/change"
	sentences "github.com/yagura-sec/yagura/say" // a test of this package has another say
)

func (p *program) costChanges() *cobra.Command {
	var account string
	var during period
	var masked bool
	var drawing pictureFlags
	c := &cobra.Command{
		Use: "changes --account ACCOUNT", Short: "Tell what changes in an account, who changes it, and what goes round in a loop", Args: cobra.NoArgs,
		Long: `What is charged by change, as recording by AWS Config is, costs what changes cost.
Changes counts the calls of each day that changed something, from the hourly sums of
what was ingested; says which service, function or person makes them; names first
what is made and deleted in a loop; and says how many configuration items come of it:
counted where counts were imported, else estimated, with bounds. See docs/cost.md.`,
		Example: `  yagura cost changes --account 111122223333
  yagura cost changes --account 111122223333 --since 2026-04-01 --until 2026-05-01 --format json`,
		RunE: func(c *cobra.Command, _ []string) error {
			if account == "" {
				return wrong("changes are told of one account: give --account")
			}
			draws, err := drawing.draws()
			if err != nil {
				return err
			}
			since, until, err := during.times(p.now())
			if err != nil {
				return err
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
			found, err := p.changes(c.Context(), r, account, since, until)
			if err != nil {
				return err
			}
			if draws {
				drawing.masked = masked
				return p.drawInto(drawing, changesPicture(found))
			}
			if aliases != nil {
				found = maskedChanges(found, aliases)
			}
			if p.json() {
				return p.printJSON(found)
			}
			return p.printChanges(found)
		},
	}
	c.Flags().StringVar(&account, "account", "", "the account")
	during.flags(c)
	c.Flags().BoolVar(&masked, "masked", false, "put aliases in the place of accounts and people")
	drawing.flags(c)
	return c
}

const day = 24 * time.Hour

// latestWeek is how long a report of changes is where nobody says.
const latestWeek = 7 * day

// changes reports on an account; times that are zero are of the latest week of the
// log: its last day, and the six before.
func (p *program) changes(ctx context.Context, r *rooms, account string, since, until time.Time) (api.CostChanges, error) {
	if until.IsZero() {
		latest, err := r.latest(ctx)
		if err != nil {
			return api.CostChanges{}, err
		}
		until = latest.Add(time.Microsecond)
	}
	if since.IsZero() {
		since = until.Add(day - 1).Truncate(day).Add(-latestWeek)
	}
	prices, err := p.costPrices()
	if err != nil {
		return api.CostChanges{}, err
	}
	found, err := change.Reader{
		Sum: r.lake.Sum, Find: r.history().Find, Counts: r.counted,
		Price: func(region string, day time.Time) (decimal.Decimal, string, bool) {
			x, ok := prices.Find("AWS", "AWS Config", "configuration_item", region, day)
			if !ok || len(x.Tiers) == 0 {
				return decimal.Decimal{}, "", false
			}
			return x.Tiers[0].Each, x.Currency, true
		},
	}.Read(ctx, account, since, until)
	if err != nil {
		return api.CostChanges{}, err
	}
	return viewChanges(found), nil
}

// counted is what was counted of an account on the days in [since, until).
func (r *rooms) counted(ctx context.Context, account string, since, until time.Time) ([]cost.Count, error) {
	store, err := r.costs(ctx)
	if errors.Is(err, errNoBills) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return store.Counts(ctx, cost.CountFilter{Since: since, Until: until, Accounts: []string{account}})
}

// How much of a report a table has.
const (
	fewOperations = 8
	fewMakers     = 15
	barWidth      = 40
)

// printChanges writes what matters most first: loops, days, makers, items. As CSV it
// is the days alone.
func (p *program) printChanges(r api.CostChanges) error {
	if p.flags.format == "csv" {
		var rows [][]string
		for _, d := range r.Days {
			rows = append(rows, []string{d.Day, d.Operation, strconv.FormatInt(d.Count, 10)})
		}
		return p.printTable([]string{"day", "operation", "count"}, rows)
	}
	fmt.Fprintf(p.stdout, "%s in account %s, %s to %s (UTC)\n\n", many(r.Total, "change", "changes"), safe(r.Account), r.Since.Format(time.DateOnly), r.Until.Add(-time.Second).Format(time.DateOnly))
	for _, l := range r.Loops {
		fmt.Fprintln(p.stdout, safe(l.Said.String()))
		fmt.Fprintln(p.stdout, safe(savingLine(l)))
		fmt.Fprintln(p.stdout)
	}
	for _, s := range r.Schedules {
		fmt.Fprintln(p.stdout, safe(s.Said.String()))
		fmt.Fprintln(p.stdout)
	}
	if r.Total == 0 {
		fmt.Fprintln(p.stdout, "No call of these days changed anything, or none was logged: `yagura ingest` reads logs.")
		return nil
	}
	p.printDays(r)
	if err := p.printMakers(r.Makers); err != nil {
		return err
	}
	if !r.Read.Whole {
		fmt.Fprintf(p.stdout, "\nMakers are told from the %s since %s UTC; * before that they are taken to have made as much.\n", many(r.Read.Records, "record", "records"), r.Read.Since.Format("2006-01-02 15:04"))
	}
	fmt.Fprintf(p.stdout, "\n%s\n", safe(r.Items.Said.String()))
	return p.printItems(r.Items)
}

func savingLine(l api.CostLoop) string {
	if l.Saving == nil {
		return l.Note.String()
	}
	amount := sentences.Money(l.Saving, l.Currency)
	if l.Low != nil && l.High != nil {
		amount += fmt.Sprintf(" (%s to %s)", sentences.Money(l.Low, l.Currency), sentences.Money(l.High, l.Currency))
	}
	return amount + ". " + l.Note.String()
}

// printDays draws how many changes there were on each day, by the operations that
// are most in all, each with its letter. A day outside the log is not known.
func (p *program) printDays(r api.CostChanges) {
	sums, totals := map[string]int64{}, map[string]int64{}
	byDay := map[string]map[string]int64{}
	for _, d := range r.Days {
		if byDay[d.Day] == nil {
			byDay[d.Day] = map[string]int64{}
		}
		byDay[d.Day][d.Operation] += d.Count
		sums[d.Operation] += d.Count
		totals[d.Day] += d.Count
	}
	named := keysBy(sums)
	rest := len(named) - min(len(named), fewOperations)
	named = named[:min(len(named), fewOperations)]
	most := int64(1)
	for _, n := range totals {
		most = max(most, n)
	}
	var first, last string // of days without a log that are yet to be told
	gap := func() {
		switch {
		case first == "":
		case first == last:
			fmt.Fprintf(p.stdout, "%s  no log\n", first)
		default:
			fmt.Fprintf(p.stdout, "%s to %s  no log\n", first, last)
		}
		first = ""
	}
	for at := range daysOf(r) {
		d := at.Format(time.DateOnly)
		if totals[d] == 0 && unlogged(r, at) {
			first, last = cmp.Or(first, d), d
			continue
		}
		gap()
		var bar strings.Builder
		drawn, so := 0, int64(0)
		for i, op := range named { // ends of parts are rounded, so that parts come to the whole
			so += byDay[d][op]
			end := int((so*barWidth + most/2) / most)
			bar.WriteString(strings.Repeat(string(rune('a'+i)), end-drawn))
			drawn = end
		}
		if end := int((totals[d]*barWidth + most/2) / most); end > drawn {
			bar.WriteString(strings.Repeat(".", end-drawn))
		}
		fmt.Fprintf(p.stdout, "%s  %-*s %12s\n", d, barWidth, bar.String(), number(totals[d]))
	}
	gap()
	for i, op := range named {
		fmt.Fprintf(p.stdout, "  %c %s %s\n", 'a'+i, safe(op), number(sums[op]))
	}
	if rest > 0 {
		fmt.Fprintf(p.stdout, "  . %s more\n", many(int64(rest), "operation", "operations"))
	}
	fmt.Fprintln(p.stdout)
}

// daysOf are the days that a report is of, in UTC.
func daysOf(r api.CostChanges) iter.Seq[time.Time] {
	return func(yield func(time.Time) bool) {
		for at := r.Since.Truncate(day); at.Before(r.Until) && yield(at); at = at.Add(day) {
		}
	}
}

// unlogged reports whether a day lies outside what is logged of the account: without
// changes, nothing is known of it.
func unlogged(r api.CostChanges, at time.Time) bool {
	return !at.Add(day).After(r.Read.Since) || !at.Before(r.Read.Until)
}

// keysBy are the keys of counts, the largest first.
func keysBy(counts map[string]int64) []string {
	out := make([]string, 0, len(counts))
	for k := range counts {
		out = append(out, k)
	}
	slices.SortFunc(out, func(a, b string) int { return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b)) })
	return out
}

func (p *program) printMakers(all []api.CostMaker) error {
	var rows [][]string
	for i, m := range all {
		if i == fewMakers {
			rows = append(rows, []string{fmt.Sprintf("and %d more: --format json has them", len(all)-i), "", "", "", ""})
			break
		}
		var operations []string
		for _, o := range m.Operations[:min(len(m.Operations), 3)] {
			operations = append(operations, o.Operation+" "+number(o.Count))
		}
		count := number(m.Count)
		if m.Estimated {
			count += " *"
		}
		rows = append(rows, []string{cmp.Or(short(oneLine(m.Maker), 70), "-"), m.Kind, count, fmt.Sprintf("%.1f %%", 100*m.Share), strings.Join(operations, ", ")})
	}
	return p.printTable([]string{"maker", "kind", "changes", "share", "what"}, rows)
}

func (p *program) printItems(items api.CostItems) error {
	var rows [][]string
	for _, t := range items.Types {
		bounds := "-"
		if t.Basis == cost.Estimate {
			bounds = number(t.Low) + " to " + number(t.High)
		}
		rows = append(rows, []string{t.ResourceType, number(t.Items), bounds, string(t.Basis)})
	}
	if len(rows) == 0 {
		return nil
	}
	return p.printTable([]string{"resource type", "items", "bounds", "basis"}, rows)
}
