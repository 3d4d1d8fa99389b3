package cost

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Bill is what a payer owes a provider for a month.
type Bill struct {
	Provider string    `json:"provider"`
	Payer    string    `json:"payer"`
	Month    time.Time `json:"month"`
}

// What files hold.
const (
	HoldsBill     = "bill"
	HoldsCounts   = "counts"
	HoldsFacts    = "facts"
	HoldsManifest = "manifest" // which files a delivery of a bill has
)

// File is a file that was imported.
type File struct {
	Name  string `json:"name"`  // its path, as it was given
	Holds string `json:"holds"` // bill, counts, facts or manifest
	Form  string `json:"form"`  // of a bill: "aws.cur2 csv"

	Bills    []Bill   `json:"bills,omitempty"`    // that it has rows of
	Accounts []string `json:"accounts,omitempty"` // that it has rows of

	// Series and Part name its place in a delivery: a newer file of the same series,
	// part and bills takes its place, and a newer delivery that of all older ones of
	// the series and its bills.
	Series    string    `json:"series,omitempty"`
	Part      string    `json:"part,omitempty"`
	Delivery  string    `json:"delivery,omitempty"`
	Delivered time.Time `json:"delivered,omitzero"`

	// Lists are the files that a manifest names, by their stems.
	Lists []string `json:"lists,omitempty"`

	// Covers is what a query counted, so that the objects of the same days are not
	// counted on top of it.
	Covers []Cover `json:"covers,omitempty"`

	// Fingerprint is the same for files with the same rows, in any order and however
	// they are compressed.
	Fingerprint string `json:"fingerprint"`

	Rows     int64     `json:"rows"`    // that were read
	Refused  int64     `json:"refused"` // of them: not counted
	Refusals []Refusal `json:"refusals,omitempty"`
	Imported time.Time `json:"imported"`
}

// Cover is days of which the items of a resource type were counted, first to last.
type Cover struct {
	Account      string    `json:"account"`
	Region       string    `json:"region,omitempty"`
	ResourceType string    `json:"resource_type"`
	Since        time.Time `json:"since"`
	Until        time.Time `json:"until"` // the last day
}

// Has tells whether a count is of these days. A cover without a Region is of all.
func (c *Cover) Has(x *Count) bool {
	return c.Account == x.Account && c.ResourceType == x.ResourceType && (c.Region == x.Region || c.Region == "") && !x.Day.Before(c.Since) && !x.Day.After(c.Until)
}

// Refusal is a row that could not be counted.
type Refusal struct {
	Row    int64  `json:"row"` // its line in a text, from 1; its number in Parquet, from 1
	Column string `json:"column,omitempty"`
	Reason string `json:"reason"`
	Bytes  []byte `json:"bytes,omitempty"` // the beginning of it
}

// Outcome is what became of a file.
type Outcome string

// The outcomes.
const (
	Stored    Outcome = "stored"
	Duplicate Outcome = "duplicate" // the same rows are held already
	Skipped   Outcome = "skipped"   // see the reason
)

// Settled is what Settle decides.
type Settled struct {
	Outcome  Outcome
	Reason   string   // of what is not stored
	Replaces []int    // indexes of held files whose place it takes
	Replaced []string // their names
	Beside   []string // held files of other reports of the same form that share a bill: it may count twice
}

// Settle decides about a new file beside those that are held.
//
// The same rows are held once. A file of the same series and part takes the place
// of the one before, and a newer delivery that of the whole older one. A bill that
// is held in another form, such as FOCUS beside CUR, is not counted twice: the form
// that came first stays. Two reports of one bill in the same form cannot be told from
// a bill that was split by hand: both are held, and what stands beside is named.
func Settle(f File, held []File) Settled {
	s := Settled{Outcome: Stored}
	for i, h := range held {
		if h.Holds != f.Holds {
			continue
		}
		if h.Fingerprint == f.Fingerprint && h.Form == f.Form && !f.renews(h) {
			return Settled{Outcome: Duplicate, Reason: "the same rows were imported from " + h.Name}
		}
		shared, ok := sharedBill(f, h)
		switch {
		case !ok:
		case h.Form != f.Form:
			return Settled{Outcome: Skipped, Reason: fmt.Sprintf("the bill of %s for %s is held as %s from %s: in two forms it would count twice",
				cmp.Or(shared.Payer, "an unnamed payer"), MonthText(shared.Month), h.Form, h.Name)}
		case h.Series != f.Series:
			s.Beside = append(s.Beside, h.Name)
		case h.Delivery != f.Delivery && f.Delivered.Before(h.Delivered):
			return Settled{Outcome: Skipped, Reason: fmt.Sprintf("a newer delivery, %s, is held from %s", h.Delivery, h.Name)}
		case h.Delivery != f.Delivery || h.Part == f.Part:
			s.Replaces, s.Replaced = append(s.Replaces, i), append(s.Replaced, h.Name)
		}
	}
	return s
}

// renews tells whether f is a part of a newer delivery that says what h said: it has
// to take the place of h, or the first part that did change would take it.
func (f *File) renews(h File) bool {
	return f.Delivery != "" && f.Delivery != h.Delivery && f.Series == h.Series && f.Part == h.Part && f.Delivered.After(h.Delivered)
}

// Stem is what a file's name begins with, up to its endings: "report-00001" of
// "…/report-00001.csv.gz".
func Stem(name string) string {
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	stem, _, _ := strings.Cut(strings.TrimLeft(name, "."), ".")
	return stem
}

// sharedBill gives a bill that both have rows of. Files about different accounts
// only share none: a bill may be delivered account by account.
func sharedBill(a, b File) (Bill, bool) {
	if !slices.ContainsFunc(a.Accounts, func(x string) bool { return slices.Contains(b.Accounts, x) }) {
		return Bill{}, false
	}
	for _, x := range a.Bills {
		if slices.ContainsFunc(b.Bills, func(y Bill) bool {
			return x.Provider == y.Provider && x.Payer == y.Payer && x.Month.Equal(y.Month)
		}) {
			return x, true
		}
	}
	return Bill{}, false
}
