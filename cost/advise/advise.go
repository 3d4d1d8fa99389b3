// Package advise says what security services could cost less, what would be lost by
// it, how it is done and how it is undone. It is pure: what was counted, billed,
// described and logged goes in, advice comes out, and nothing is ever called.
//
// What is not known is said and never taken for fine: without a price, counts or a
// described setting no saving or no plan is given. An account that AWS Control Tower
// governs never gets a plan that calls the configuration recorder.
package advise

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/yagura-sec/yagura/cost"
	"github.com/yagura-sec/yagura/cost/count"
	"github.com/yagura-sec/yagura/cost/price"
)

// Input is everything that advice rests on.
type Input struct {
	Now    time.Time
	Prices *price.List
	Counts []cost.Count // of any days: the latest 30 that an account was counted on are used
	Setup  count.Setup
	Traces []Trace    // what the log shows of who governs accounts
	Bill   []cost.Sum // of usage, by month, account, service, usage type, region and resource
	Uses   Uses
	// Readers are what looks at data events here.
	Readers []Reader
	// Exclusions also tells what leaving a type out altogether would save, and lose.
	// It is another way than daily recording, so that the two never add up.
	Exclusions bool
}

// Judge gives advice, what saves most, weighed by how sure it is, first.
func Judge(in Input) []cost.Advice {
	j := judge{Input: in, towers: map[string]tower{}}
	var all []cost.Advice
	all = append(all, j.recordings()...)
	all = append(all, j.trails()...)
	all = append(all, j.analyzers()...)
	all = append(all, j.detectors()...)
	all = append(all, j.unused()...)
	all = append(all, j.dataEvents()...)
	all = append(all, j.checks()...)
	for i := range all {
		all[i].Title = titleOf(&all[i])
	}
	slices.SortStableFunc(all, func(a, b cost.Advice) int {
		weight := func(x *cost.Advice) decimal.Decimal { return x.Saving.Mul(decimal.NewFromFloat(x.Confidence)) }
		return cmp.Or(weight(&b).Cmp(weight(&a)), cmp.Compare(a.Key, b.Key))
	})
	return all
}

// judge is one judgement.
type judge struct {
	Input
	towers map[string]tower // by account
}

// keyOf names an advice the same way every time.
func keyOf(kind string, parts ...string) string {
	return kind + "/" + strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), "/")
}

// aws is how bills and prices call the provider of everything here.
const aws = "AWS"

// service ids, as the table of security services has them.
const (
	serviceConfig   = "AWS Config"
	serviceTrail    = "AWS CloudTrail"
	serviceDetector = "Amazon GuardDuty"
	serviceKMS      = "AWS KMS"
	serviceSecrets  = "AWS Secrets Manager"
	serviceHub      = "AWS Security Hub"
	serviceAnalyzer = "IAM Access Analyzer"
)

// Confidence is how sure an advice is, from 0 to 1: what its counts are worth, less
// where they are few or old, where the price is known less well, and where it is not
// known what else needs the thing.
type doubts struct {
	basis   cost.Basis
	days    int              // that were counted; 0: it is not about days
	age     time.Duration    // since the last of them
	price   price.Confidence // empty: it rests on what was billed
	unknown bool             // what else needs it
	guess   bool             // that nobody uses it is taken from the log's silence
}

// What each doubt leaves of confidence. docs/cost.md says the same.
const (
	sureMetric   = 0.95
	sureHistory  = 0.90
	sureEstimate = 0.50
	sureBill     = 0.95
	sureSetup    = 0.95
	fewDays      = 0.80 // fewer than enoughDays
	oldCounts    = 0.90 // older than staleAfter
	mediumPrice  = 0.90
	lowPrice     = 0.70
	unknownNeeds = 0.90
	silence      = 0.60

	enoughDays = 14
	staleAfter = 45 * 24 * time.Hour
)

func (d doubts) confidence() float64 {
	c := map[cost.Basis]float64{cost.Metric: sureMetric, cost.History: sureHistory, cost.Estimate: sureEstimate, cost.Billed: sureBill, cost.Described: sureSetup}[d.basis]
	for _, x := range []struct {
		is   bool
		left float64
	}{
		{d.days > 0 && d.days < enoughDays, fewDays}, {d.age > staleAfter, oldCounts},
		{d.price == price.Medium, mediumPrice}, {d.price == price.Low, lowPrice},
		{d.unknown, unknownNeeds}, {d.guess, silence},
	} {
		if x.is {
			c *= x.left
		}
	}
	return float64(int(c*100+0.5)) / 100
}

// apart is how many decimals, two at least, tell a and b apart when both are rounded.
func apart(a, b decimal.Decimal) int32 {
	digits := int32(2)
	for !a.Equal(b) && digits < 9 && a.Round(digits).Equal(b.Round(digits)) {
		digits++
	}
	return digits
}
