package cost

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/yagura-sec/yagura/say"
)

// Missing is what is known to be missing of a month.
type Missing struct {
	Rows  int64    // of files that the month is in: they could not be read
	Parts []string // files of a delivery that others of it count up to: "report-00002"
}

// Said says it in words; empty: nothing is known to be missing.
func (m Missing) Said() say.Text {
	rows := say.T("bill.missing.rows", say.Values{"n": m.Rows})
	parts := say.T("bill.missing.parts", say.Values{"n": len(m.Parts), "parts": say.List(m.Parts, fewParts)})
	switch {
	case m.Rows > 0 && len(m.Parts) > 0:
		return say.T("bill.missing.both", say.Values{"rows": rows, "parts": parts})
	case m.Rows > 0:
		return rows
	case len(m.Parts) > 0:
		return parts
	}
	return say.Text{}
}

// fewParts is how many missing files are named.
const fewParts = 5

// MissingOf says what is missing of a month's bills, as the files that are held tell.
func MissingOf(files []File, month time.Time) (m Missing) {
	type delivery struct{ series, name, provider, payer string }
	parts := map[delivery][]int{}
	wide := map[delivery]int{} // digits of a part's number
	for _, f := range files {
		i := slices.IndexFunc(f.Bills, func(b Bill) bool { return b.Month.Equal(month) })
		if f.Holds != HoldsBill || i < 0 {
			continue
		}
		m.Rows += f.Refused
		if n, err := strconv.Atoi(f.Part); err == nil {
			d := delivery{f.Series, f.Delivery, f.Bills[i].Provider, f.Bills[i].Payer}
			parts[d], wide[d] = append(parts[d], n), len(f.Part)
		}
	}
	for d, have := range parts {
		slices.Sort(have)
		for n := min(1, have[0]); n < have[len(have)-1]; n++ {
			if !slices.Contains(have, n) {
				m.Parts = append(m.Parts, fmt.Sprintf("%s-%0*d", d.series, wide[d], n))
			}
		}
	}
	slices.Sort(m.Parts)
	return m
}
