package decision

import (
	"cmp"
	"fmt"
	"math/big"
	"slices"
	"time"
)

// Quarter is what decisions came to in a quarter of a year, in one currency.
type Quarter struct {
	Quarter  string `json:"quarter"` // "2026-Q4", of UTC
	Currency string `json:"currency"`
	// Found and Done are savings a month, exact: of decisions first written down in
	// the quarter, and of those that came to be taken in it.
	Found string `json:"found"`
	Done  string `json:"done"`
	// Saved and Lost are amounts of the quarter itself, to the hundredth: the saving
	// a month times the months of 30 days for which decisions were taken, and for
	// which they were deferred or rejected.
	Saved string `json:"saved"`
	Lost  string `json:"lost"`
}

// month is what savings are of.
const month = 30 * 24 * time.Hour

// sums are those of a quarter.
type sums struct{ found, done, saved, lost *big.Rat }

// Summary sums up the histories of decisions, in any order, until now: by quarter
// and currency, the earliest first. A decision that is taken back stays done in the
// quarter in which it was done; it saves no more from then on.
func Summary(changes []Change, now time.Time) []Quarter {
	all := map[Quarter]*sums{}
	at := func(t time.Time, currency string) *sums {
		key := Quarter{Quarter: quarterOf(t), Currency: currency}
		if all[key] == nil {
			all[key] = &sums{new(big.Rat), new(big.Rat), new(big.Rat), new(big.Rat)}
		}
		return all[key]
	}
	byID := map[string][]Change{}
	for _, c := range changes {
		if c.After != nil && !c.At.After(now) {
			byID[c.ID] = append(byID[c.ID], c)
		}
	}
	for _, steps := range byID {
		slices.SortStableFunc(steps, func(a, b Change) int {
			return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.After.Version, b.After.Version))
		})
		sumUp(steps, now, at)
	}
	out := []Quarter{}
	for key, s := range all {
		key.Found, key.Done, key.Saved, key.Lost = Exact(s.found), Exact(s.done), s.saved.FloatString(2), s.lost.FloatString(2)
		out = append(out, key)
	}
	slices.SortFunc(out, func(a, b Quarter) int {
		return cmp.Or(cmp.Compare(a.Quarter, b.Quarter), cmp.Compare(a.Currency, b.Currency))
	})
	return out
}

// sumUp adds the history of one decision, the earliest step first.
func sumUp(steps []Change, now time.Time, at func(time.Time, string) *sums) {
	found, was := false, Verdict("")
	for i, c := range steps {
		until := now
		if i+1 < len(steps) {
			until = steps[i+1].At
		}
		before := was
		was = c.After.Verdict
		if c.After.Saving == nil {
			continue
		}
		rate, ok := amount(c.After.Saving.Month)
		if !ok {
			continue // Check refuses it
		}
		code := c.After.Saving.Currency
		if !found {
			found = true
			s := at(c.At, code)
			s.found.Add(s.found, rate)
		}
		if was == Taken && before != Taken {
			s := at(c.At, code)
			s.done.Add(s.done, rate)
		}
		for from := c.At; from.Before(until); {
			to := quarterAfter(from)
			if to.After(until) {
				to = until
			}
			part := new(big.Rat).SetFrac64(to.Sub(from).Microseconds(), month.Microseconds())
			part.Mul(part, rate)
			s := at(from, code)
			if was == Taken {
				s.saved.Add(s.saved, part)
			} else {
				s.lost.Add(s.lost, part)
			}
			from = to
		}
	}
}

func quarterOf(t time.Time) string {
	t = t.UTC()
	return fmt.Sprintf("%04d-Q%d", t.Year(), (t.Month()-1)/3+1)
}

// quarterAfter is when the quarter after that of t begins.
func quarterAfter(t time.Time) time.Time {
	t = t.UTC()
	return time.Date(t.Year(), (t.Month()-1)/3*3+4, 1, 0, 0, 0, 0, time.UTC)
}

// Exact writes a number that has a finite decimal form with all of its digits, and
// at least two behind the point; one that has none with 20.
func Exact(x *big.Rat) string {
	n, finite := x.FloatPrec()
	if !finite {
		n = 20
	}
	return x.FloatString(max(n, 2))
}

// Add is the exact sum of decimal numbers; what is none counts as nothing and is
// told by ok.
func Add(numbers ...string) (sum string, ok bool) {
	total, ok := new(big.Rat), true
	for _, n := range numbers {
		x, is := amount(n)
		if !is {
			ok = false
			continue
		}
		total.Add(total, x)
	}
	return Exact(total), ok
}
