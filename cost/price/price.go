// Package price knows what providers charge for their security services: dated
// list prices with their sources, built in and replaced by a file of the
// operator's own. What no list says is unknown, never nothing.
package price

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/shopspring/decimal"

	"github.com/yagura-sec/yagura/cost"
)

// Price is what one thing of a service costs in some regions.
type Price struct {
	Provider   string // as bills name it: "AWS"
	Service    string // as the table of security services names it: "AWS Config"
	Item       string // what is paid for: "configuration_item"
	Usage      []string
	Regions    []string  // "*": wherever no other price names the region
	From       time.Time // UTC day from which it holds; zero: open
	Until      time.Time // UTC day before which it holds; zero: open
	Unit       string    // of a quantity, in words
	Currency   string    // ISO 4217
	Tiers      []Tier    // at least one; the last has no end
	Confidence Confidence
	Source     cost.Source // where it was read, and when
}

// Tier is one step of a price: so much for each unit up to a quantity in a month.
type Tier struct {
	UpTo decimal.Decimal // in units of the month; zero: no end
	Each decimal.Decimal // for one unit
}

// Confidence is how well a price is known.
type Confidence string

// The confidences.
const (
	High   Confidence = "high"   // the provider's price list, or bills
	Medium Confidence = "medium" // the provider's documents, without region
	Low    Confidence = "low"    // others
)

// List is prices, in the order in which they were given. It does not change.
type List struct{ all []Price }

//go:embed prices.yaml
var builtin []byte

var parsed = sync.OnceValue(func() *List {
	l, err := Parse("prices.yaml", builtin)
	if err != nil {
		panic(err) // a test holds that ours parses
	}
	return l
})

// Builtin are the prices that come with the program.
func Builtin() *List { return parsed() }

// Prices are all prices, those of the operator's file behind those they replace
// none of.
func (l *List) Prices() []Price { return slices.Clone(l.all) }

// With are the prices of l, of which those that more has too, for an item in a
// region, give way: an entry of more for "*" replaces every region's.
func (l *List) With(more *List) *List {
	out := &List{}
	for _, p := range l.all {
		p.Regions = slices.DeleteFunc(slices.Clone(p.Regions), func(region string) bool {
			return slices.ContainsFunc(more.all, func(q Price) bool {
				return q.of(p.Provider, p.Service, p.Item) && (slices.Contains(q.Regions, region) || slices.Contains(q.Regions, anywhere))
			})
		})
		if len(p.Regions) > 0 {
			out.all = append(out.all, p)
		}
	}
	out.all = append(out.all, more.all...)
	return out
}

// anywhere stands in Regions for every region that no other price names.
const anywhere = "*"

// Find is the price of a service's item in a region at a time; false: it is not
// known. A price for "*" does not reach into partitions with price lists of their
// own: AWS's in China and for governments.
func (l *List) Find(provider, service, item, region string, at time.Time) (Price, bool) {
	var wide *Price
	for i := range l.all {
		p := &l.all[i]
		if !p.of(provider, service, item) || !p.holds(at) {
			continue
		}
		if slices.Contains(p.Regions, region) {
			return *p, true
		}
		if slices.Contains(p.Regions, anywhere) && !apart(region) {
			wide = p
		}
	}
	if wide == nil {
		return Price{}, false
	}
	return *wide, true
}

// ItemOf is the item of a service that a usage type of a bill charges for, by how
// it ends; false: no price names it.
func (l *List) ItemOf(provider, service, usageType string) (string, bool) {
	for _, p := range l.all {
		if p.Provider != provider || p.Service != service {
			continue
		}
		for _, u := range p.Usage {
			if Charges(usageType, u) {
				return p.Item, true
			}
		}
	}
	return "", false
}

// Charges tells whether a usage type is the one named, behind the prefix of a
// region: "APN1-ConfigurationItemRecorded" is ConfigurationItemRecorded.
func Charges(usageType, named string) bool {
	before, ok := strings.CutSuffix(usageType, named)
	return ok && (before == "" || strings.HasSuffix(before, "-"))
}

// apart tells whether a region belongs to a partition with its own prices.
func apart(region string) bool {
	return slices.ContainsFunc([]string{"cn-", "us-gov-", "us-iso", "eu-isoe", "eusc-"}, func(p string) bool { return strings.HasPrefix(region, p) })
}

func (p *Price) of(provider, service, item string) bool {
	return p.Provider == provider && p.Service == service && p.Item == item
}

func (p *Price) holds(at time.Time) bool {
	return !at.Before(p.From) && (p.Until.IsZero() || at.Before(p.Until))
}

// Of is what a quantity of one month costs, each part at the price of its tier.
// It is exact. Of less than nothing it is nothing.
func (p *Price) Of(quantity decimal.Decimal) decimal.Decimal {
	var sum, done decimal.Decimal
	for _, t := range p.Tiers {
		end := quantity
		if !t.UpTo.IsZero() && t.UpTo.LessThan(quantity) {
			end = t.UpTo
		}
		if end.LessThanOrEqual(done) {
			break
		}
		sum = sum.Add(end.Sub(done).Mul(t.Each))
		done = end
	}
	return sum
}

// Flat tells whether every unit costs the same, and how much.
func (p *Price) Flat() (each decimal.Decimal, ok bool) {
	if len(p.Tiers) != 1 {
		return each, false
	}
	return p.Tiers[0].Each, true
}

// String is the price in words, as for messages: "AWS Config configuration_item
// in ap-northeast-1".
func (p *Price) String() string {
	return fmt.Sprintf("%s %s in %s", p.Service, p.Item, strings.Join(p.Regions, ", "))
}
