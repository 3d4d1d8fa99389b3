// Package cost knows what security services cost: what bills say of them, how
// much was counted, what could be cheaper and what would be lost by it.
//
// This folder has what all of it speaks of and nothing that works: bills are read
// by cost/bill, counts by cost/count, advice is given by cost/advise, and what was
// read is kept by cost/sqlite.
//
// Money is never a float: amounts are decimals in the currency that the bill has
// them in, and amounts of several currencies are never added. A month is named by
// its first day, UTC.
package cost

import (
	"encoding/json"
	"time"

	"github.com/shopspring/decimal"

	"github.com/yagura-sec/yagura/say"
)

// Kind is what a line of a bill is for.
type Kind string

// The kinds. What a commitment covers is usage; what a bill takes back because of
// the commitment is a discount; what buys the commitment is a fee.
const (
	Usage      Kind = "usage"
	Tax        Kind = "tax"
	Credit     Kind = "credit"
	Refund     Kind = "refund"
	Fee        Kind = "fee"
	Discount   Kind = "discount"
	Adjustment Kind = "adjustment" // roundings, corrections, and kinds that we have no word for
)

// Kinds lists all of them.
var Kinds = []Kind{Usage, Tax, Credit, Refund, Fee, Discount, Adjustment}

// InTotal tells whether a kind counts in the total of a month: tax, credit and
// refund are shown apart.
func (k Kind) InTotal() bool { return k != Tax && k != Credit && k != Refund }

// Line is one row of a bill, or what several rows of a file come to that are alike
// but for their amount and quantity.
type Line struct {
	Provider  string // "AWS", "Google Cloud", "Azure", else as the bill has it; empty: it does not say
	Payer     string // who is billed: the payer's or billing account's id
	Account   string // who used it: an account's, project's or subscription's id
	Service   string // the provider's code or name, as the bill has it
	UsageType string // "USE1-ConfigurationItemRecorded", a SKU or a meter
	Operation string
	Region    string
	Resource  string // kept of security services that are billed a resource; else empty

	Month time.Time // first day of the billing period, UTC
	Day   time.Time // on which the charge begins, UTC; kept of security services; else zero
	Kind  Kind

	Amount   decimal.Decimal // billed ("unblended") cost, in Currency
	Currency string          // ISO 4217; empty: the bill does not say
	Quantity decimal.Decimal // in Unit
	Unit     string          // as the bill has it

	Rows int64 // of the bill that it is made of
}

// Dim is something that sums may be split by.
type Dim string

// The dims.
const (
	ByMonth     Dim = "month"
	ByDay       Dim = "day"
	ByProvider  Dim = "provider"
	ByPayer     Dim = "payer"
	ByAccount   Dim = "account"
	ByService   Dim = "service"
	ByUsageType Dim = "usage_type"
	ByOperation Dim = "operation"
	ByRegion    Dim = "region"
	ByResource  Dim = "resource"
	ByKind      Dim = "kind"
	ByUnit      Dim = "unit"
)

// Dims lists all of them.
var Dims = []Dim{ByMonth, ByDay, ByProvider, ByPayer, ByAccount, ByService, ByUsageType, ByOperation, ByRegion, ByResource, ByKind, ByUnit}

// Query asks for sums of bills. Empty lists are no condition.
type Query struct {
	Since, Until time.Time // months, half open; zero: open
	Accounts     []string
	Services     []string // ids of security services, as Security gives them
	Security     *bool    // of security services only, or of all others only
	Kinds        []Kind
	By           []Dim
}

// Sum is what lines come to that are alike in what was asked By, and in currency.
// Fields that were not asked for are empty.
type Sum struct {
	Line
	Security string // id of the security service, where By has service; empty: it is none
}

// Number is an amount as JSON has it: a number with all its digits.
func Number(d decimal.Decimal) json.Number { return json.Number(d.String()) }

// MonthText names a month: "2026-04".
func MonthText(t time.Time) string { return t.UTC().Format("2006-01") }

// Basis is what figures rest on: how items were counted, or where else they are from.
type Basis string

// From best to worst.
const (
	Metric   Basis = "metric"   // the service's own count
	History  Basis = "history"  // what it delivered
	Estimate Basis = "estimate" // from the events that make it record
)

// What advice rests on that counts no items.
const (
	Billed    Basis = "bill"     // what was billed
	Described Basis = "settings" // what is set up, at its price
)

// Count is how many items of a resource type a service recorded on one day.
type Count struct {
	Account, Region, ResourceType string
	Day                           time.Time // UTC
	Items                         int64     // -1: not known
	ResourceDays                  int64     // resources that differed at the day's end; -1: not known
	Basis                         Basis
	Low, High                     int64 // bounds of Items where it is estimated; else both are Items
}

// Verdict is what comes of an advice.
type Verdict string

// The verdicts.
const (
	Change     Verdict = "change"
	Keep       Verdict = "keep"
	Cannot     Verdict = "cannot"      // the provider does not offer it
	NotAdvised Verdict = "not_advised" // it is possible, and a reason is against it
)

// What an advice is about.
const (
	AboutRecording    = "recording"     // continuous or daily recording of a resource type
	AboutExclusion    = "exclusion"     // recording of a type at all
	AboutTrail        = "trail"         // another copy of the same events
	AboutAnalyzer     = "analyzer"      // an analyzer of what another analyses
	AboutDetector     = "detector"      // a detector where nothing happens
	AboutUnusedKey    = "unused_key"    // a key that nobody uses
	AboutUnusedSecret = "unused_secret" // a secret that nobody reads
	AboutDataEvents   = "data_events"   // events that nobody looks at
	AboutChecks       = "checks"        // checks by a version of a standard that has a newer one on
)

// Advice is what could be cheaper, what would be lost by it, and what speaks
// against it.
type Advice struct {
	Key                           string // stable: the same advice has it again
	Account, Region, ResourceType string
	Kind                          string // what it is about
	Items, ResourceDays           int64  // a month of 30 days; -1: not known
	Saving                        decimal.Decimal
	Currency                      string
	Low, High                     *decimal.Decimal // bounds of Saving where it rests on an estimate
	Verdict                       Verdict
	Basis                         Basis
	Until                         time.Time // the last day that was counted; zero: no days were
	Confidence                    float64   // 0 to 1
	Title                         say.Text  // what would be done
	Reason, Lost                  say.Text
	Plan, Undo                    []string // commands; empty where none is to be given
	Sources                       []Source
	Decision                      string // id of a decision about it; empty: none
}

// Source is where something is said.
type Source struct {
	Title string    `json:"title"`
	URL   string    `json:"url"`
	Date  time.Time `json:"date"` // when it was read
}
