package ledger

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/say"
)

// DayState says how whole the log of an account is on a day.
type DayState string

// The states of a day.
const (
	DayComplete DayState = "complete" // records came, and no gap is known
	DayLate     DayState = "late"     // records of it may still come
	DayPartial  DayState = "partial"  // something of it is missing, unread or cannot be vouched for
	DayMissing  DayState = "missing"  // nothing came, although records came before and after
	DayUnknown  DayState = "unknown"  // before the first or behind the last record of the account
)

// Cell is one account on one UTC day.
type Cell struct {
	Day     string   `json:"day" example:"2026-11-21"`
	Records int64    `json:"records"`
	State   DayState `json:"state" enum:"complete,late,partial,missing,unknown"`
	Reason  say.Text `json:"reason" doc:"why it is not complete, in a sentence"`
}

// Matrix is how whole the logs of accounts are, day by day.
type Matrix struct {
	Days     []string
	Accounts []AccountDays // by account
	// Unplaced are objects that were not read to their end and records in
	// quarantine of which nothing says to which account and day they belong:
	// any cell may lack them.
	Unplaced int64
}

// AccountDays is one account, a cell a day.
type AccountDays struct {
	Account string
	Cells   []Cell
}

// Lateness is how long after its end records of a day may be expected to come.
const Lateness = 2 * time.Hour

const dayLength = 24 * time.Hour

// MakeMatrix looks at so many days up to today, or up to the latest with records
// where that is longer ago than so many days: logs of long ago are looked at as
// they were. Coverage and gaps are those of a Report: of all time, so that what
// came before is known. Objects that were not read to their end and records that
// wait in quarantine make the day partial that the name of their object tells of.
// Now is the clock: a day that has not been over for Lateness
// is late, whatever came of it.
func MakeMatrix(r *Report, days int, now time.Time) (Matrix, error) {
	byAccount := map[string]map[int64]int64{} // records by day since 1970
	var last int64
	for _, c := range r.Coverage {
		of := byAccount[c.Account]
		if of == nil {
			of = map[int64]int64{}
			byAccount[c.Account] = of
		}
		day, err := time.Parse(time.DateOnly, c.Day)
		if err != nil {
			return Matrix{}, fmt.Errorf("coverage of account %s: %w", c.Account, err)
		}
		d := day.Unix() / 86400
		of[d] += c.Records
		last = max(last, d)
	}
	m := Matrix{Days: []string{}, Accounts: []AccountDays{}}
	flawed, unplaced := r.flaws(func(account string) bool { return byAccount[account] != nil })
	m.Unplaced = unplaced
	if len(byAccount) == 0 {
		return m, nil
	}
	if today := now.Unix() / 86400; today-last < int64(days) {
		last = max(last, today)
	}
	first := last - int64(days) + 1
	for d := first; d <= last; d++ {
		m.Days = append(m.Days, dayName(d))
	}
	for account, of := range byAccount {
		row := AccountDays{Account: account, Cells: make([]Cell, 0, days)}
		from, to := ends(of)
		for d := first; d <= last; d++ {
			c := cellOf(d, of[d], from, to, now)
			c.gaps(d, account, r.Gaps)
			c.flaws(flawed[place{account, c.Day}])
			row.Cells = append(row.Cells, c)
		}
		m.Accounts = append(m.Accounts, row)
	}
	slices.SortFunc(m.Accounts, func(a, b AccountDays) int { return strings.Compare(a.Account, b.Account) })
	return m, nil
}

func dayName(d int64) string { return time.Unix(d*86400, 0).UTC().Format(time.DateOnly) }

// ends are the first and the last day with records.
func ends(of map[int64]int64) (from, to int64) {
	first := true
	for d := range of {
		if first {
			from, to, first = d, d, false
		}
		from, to = min(from, d), max(to, d)
	}
	return from, to
}

// cellOf judges a day by what came on it, and on which days anything came at all.
func cellOf(d, records, from, to int64, now time.Time) Cell {
	c := Cell{Day: dayName(d), Records: records, State: DayComplete}
	over := time.Unix((d+1)*86400, 0)
	switch {
	case d < from:
		c.State, c.Reason = DayUnknown, say.T("day.before", say.Values{"day": dayName(from)})
	case now.Before(over.Add(Lateness)):
		c.State, c.Reason = DayLate, say.T("day.late", nil)
	case d > to:
		c.State, c.Reason = DayUnknown, say.T("day.behind", say.Values{"day": dayName(to)})
	case records == 0:
		c.State, c.Reason = DayMissing, say.T("day.missing", nil)
	}
	return c
}

// gaps takes account of the gaps that are known in the day.
func (c *Cell) gaps(d int64, account string, all []Gap) {
	if c.State != DayComplete {
		return
	}
	start := time.Unix(d*86400, 0)
	end := start.Add(dayLength)
	var in []Gap
	for _, g := range all {
		if g.Account == account && g.From.Before(end) && g.To.After(start) {
			in = append(in, g)
		}
	}
	if len(in) == 0 {
		return
	}
	slices.SortFunc(in, func(a, b Gap) int { return cmp.Or(a.From.Compare(b.From), strings.Compare(a.Region, b.Region)) })
	c.State, c.Reason = DayPartial, in[0].Reason
	if len(in) > 1 {
		c.Reason = say.T("day.gaps", say.Values{"first": in[0].Reason, "n": len(in) - 1})
	}
}
