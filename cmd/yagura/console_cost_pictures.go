package main

import (
	"context"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/yagura-sec/yagura/api"
	"github.com/yagura-sec/yagura/cost"
	"github.com/yagura-sec/yagura/cost/picture"
	sentences "github.com/yagura-sec/yagura/say" // a test of this package has another say
)

// dailyTimes is how many times dearer a daily configuration item is than one of
// continuous recording: where both cost the same.
const dailyTimes = 4

// sharesPicture is what is drawn of the latest month, of the currency that most
// months have. Whole tells whether the months' totals are of the whole bill.
func sharesPicture(s api.CostShares, whole bool) picture.Shares {
	months := mainCurrency(s.Months)
	if len(months) == 0 {
		return picture.Shares{}
	}
	last := months[len(months)-1]
	at, _ := time.Parse("2006-01", last.Month) // which we wrote
	x := picture.Shares{Month: at, Currency: last.Currency, Security: last.Security.Decimal}
	if whole && last.Total != nil {
		x.Total = &last.Total.Decimal
	}
	place := map[string]int{}
	for i, m := range months {
		for _, service := range m.Services {
			k, known := place[service.Service]
			if !known {
				k = len(x.Rows)
				place[service.Service] = k
				x.Rows = append(x.Rows, picture.Share{Name: service.Service})
			}
			row := &x.Rows[k]
			for len(row.Trend) < i+1 {
				row.Trend = append(row.Trend, decimal.Zero)
			}
			row.Trend[i] = row.Trend[i].Add(service.Amount.Decimal)
		}
	}
	for i := range x.Rows {
		row := &x.Rows[i]
		for len(row.Trend) < len(months) {
			row.Trend = append(row.Trend, decimal.Zero)
		}
		row.Amount = row.Trend[len(row.Trend)-1]
	}
	slices.SortStableFunc(x.Rows, func(a, b picture.Share) int { return b.Amount.Cmp(a.Amount) })
	if last.Missing.Said != (sentences.Text{}) {
		x.Notes = append(x.Notes, last.Missing.Said)
	}
	return x
}

// mainCurrency are the months of the currency that most have.
func mainCurrency(all []api.CostMonth) (months []api.CostMonth) {
	counts, most := map[string]int{}, ""
	for _, m := range all {
		if counts[m.Currency]++; most == "" || counts[m.Currency] > counts[most] {
			most = m.Currency
		}
	}
	for _, m := range all {
		if m.Currency == most {
			months = append(months, m)
		}
	}
	return months
}

// changesPicture is what is drawn of changes: the days that were asked for, of which
// those outside the log are not known.
func changesPicture(c api.CostChanges) picture.Changes {
	x := picture.Changes{Account: c.Account}
	at := map[string]int{}
	for d := range daysOf(c) {
		at[d.Format(time.DateOnly)] = len(x.Days)
		x.Days = append(x.Days, d)
	}
	seen := make([]bool, len(x.Days))
	totals, counts := map[string]int64{}, map[string][]int64{}
	for _, d := range c.Days {
		i, ok := at[d.Day]
		if !ok {
			continue
		}
		if counts[d.Operation] == nil {
			counts[d.Operation] = make([]int64, len(x.Days))
		}
		counts[d.Operation][i] += d.Count
		totals[d.Operation] += d.Count
		seen[i] = true
	}
	for _, operation := range keysBy(totals) {
		for i, d := range x.Days {
			if !seen[i] && unlogged(c, d) {
				counts[operation][i] = -1
			}
		}
		x.Series = append(x.Series, picture.Series{Name: operation, Counts: counts[operation]})
	}
	for _, l := range c.Loops {
		x.Notes = append(x.Notes, l.Said)
	}
	return x
}

// breakEvenPicture is what is drawn of advice on recording.
func breakEvenPicture(all []cost.Advice) picture.BreakEven {
	x := picture.BreakEven{At: dailyTimes}
	for _, a := range all {
		if a.Kind == cost.AboutRecording && a.Items > 0 && a.ResourceDays >= 0 {
			x.Points = append(x.Points, picture.Point{
				Name: a.ResourceType, Account: a.Account, Items: a.Items, ResourceDays: a.ResourceDays, Saving: a.Saving, Currency: a.Currency, Cannot: a.Verdict == cost.Cannot, Against: a.Verdict == cost.NotAdvised,
			})
		}
	}
	slices.SortStableFunc(x.Points, func(a, b picture.Point) int { return b.Saving.Cmp(a.Saving) })
	return x
}

// maskedNotes are sentences with aliases in the place of names.
func maskedNotes(notes []sentences.Text, look picture.Look) []sentences.Text {
	if look.Mask == nil {
		return notes
	}
	out := make([]sentences.Text, len(notes))
	for i, n := range notes {
		out[i] = sentences.Plain(n.In(look.Language))
	}
	return out
}

// draw draws what the console asks for.
func (x *costAnswers) draw(ctx context.Context, p api.CostPicture) ([]byte, error) {
	look := picture.Look{Dark: p.Dark, Language: p.Language, Mask: p.Mask}
	var drawn *picture.Picture
	switch p.Of {
	case "shares":
		found, err := x.shares(ctx, p.Query)
		if err != nil {
			return nil, err
		}
		s := sharesPicture(found, len(p.Query.Accounts) == 0)
		s.Notes = maskedNotes(s.Notes, look)
		drawn = s.Draw(look)
	case "changes":
		found, err := x.changes(ctx, p.Account, p.Since, p.Until)
		if err != nil {
			return nil, err
		}
		c := changesPicture(found)
		c.Notes = maskedNotes(c.Notes, look)
		drawn = c.Draw(look)
	default:
		found, err := x.advice(ctx, p.Query.Accounts)
		if err != nil {
			return nil, err
		}
		drawn = breakEvenPicture(found).Draw(look)
	}
	if p.Format == "png" {
		return drawn.PNG()
	}
	return drawn.SVG(), nil
}
