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
// Which files a delivery has its manifest says, else the numbers of those that are
// there.
func MissingOf(files []File, month time.Time) (m Missing) {
	type delivery struct{ series, name, provider, payer string }
	parts := map[delivery][]int{}
	wide := map[delivery]int{} // digits of a part's number
	var told []string          // series of which a manifest says what there is
	for _, f := range files {
		i := slices.IndexFunc(f.Bills, func(b Bill) bool { return b.Month.Equal(month) })
		if i < 0 {
			continue
		}
		switch f.Holds {
		case HoldsManifest:
			if f.latest(files, f.Bills[i]) {
				told = append(told, f.Series)
			}
			m.Parts = append(m.Parts, f.Absent(files)...)
		case HoldsBill:
			m.Rows += f.Refused
			if n, err := strconv.Atoi(f.Part); err == nil {
				d := delivery{f.Series, f.Delivery, f.Bills[i].Provider, f.Bills[i].Payer}
				parts[d], wide[d] = append(parts[d], n), len(f.Part)
			}
		}
	}
	for d, have := range parts {
		if slices.Contains(told, d.series) {
			continue
		}
		slices.Sort(have)
		for n := min(1, have[0]); n < have[len(have)-1]; n++ {
			if !slices.Contains(have, n) {
				m.Parts = append(m.Parts, fmt.Sprintf("%s-%0*d", d.series, wide[d], n))
			}
		}
	}
	slices.Sort(m.Parts)
	m.Parts = slices.Compact(m.Parts)
	return m
}

// latest tells whether no newer delivery than the manifest's is known of its bill.
func (f *File) latest(files []File, b Bill) bool {
	return !slices.ContainsFunc(files, func(h File) bool {
		return f.isOf(h, b) && h.Delivery != f.Delivery && h.Delivery != "" && h.Delivered.After(f.Delivered)
	})
}

// Absent are the files that a manifest names and that are not among those that are
// held, unless a newer delivery is. What was read before there was a manifest has no
// delivery, and counts.
func (f *File) Absent(files []File) (out []string) {
	for _, b := range f.Bills {
		if !f.latest(files, b) {
			continue
		}
		for _, stem := range f.Lists {
			if !slices.ContainsFunc(files, func(h File) bool {
				return h.Holds == HoldsBill && f.isOf(h, b) && (h.Delivery == f.Delivery || h.Delivery == "") && Stem(h.Name) == stem
			}) {
				out = append(out, stem)
			}
		}
	}
	return out
}

// isOf tells whether a file is of the report and the bill that a manifest is about.
func (f *File) isOf(h File, b Bill) bool {
	return h.Series == f.Series && slices.ContainsFunc(h.Bills, func(x Bill) bool {
		return x.Month.Equal(b.Month) && (x.Payer == b.Payer || x.Payer == "" || b.Payer == "")
	})
}
