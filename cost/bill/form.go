package bill

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/yagura-sec/yagura/cost"
)

// field is something that a line of a bill says.
type field int

const (
	fProvider field = iota
	fPayer
	fAccount
	fService
	fUsageType
	fOperation
	fRegion
	fResource
	fMonth
	fDay
	fKind
	fAmount
	fQuantity
	fUnit
	fCurrency
	fFamily  // that the usage type is one of, where its name alone says little
	fCredits // an array of {name, type, amount}
	nFields
)

// form is a form of bill: how its columns are called and what their words mean.
type form struct {
	name     string
	provider string // where no column says it
	// sign are columns without which it is not this form.
	sign []string
	// columns name each field, the best first; a row whose first is empty falls back
	// to the next. Names are compared as plainName makes them, so that
	// lineItem/UsageType and line_item_usage_type are one.
	columns [nFields][]string
	needs   []field // besides fAmount and fDay
	kinds   map[string]cost.Kind
	// noKind is for rows without a word for what they are; empty: they are refused.
	noKind cost.Kind
}

// forms are those that are read, the most telling first.
var forms = []*form{
	{
		name: "aws.cur", provider: "AWS",
		sign: []string{"lineitemlineitemtype", "lineitemusageaccountid"},
		columns: [nFields][]string{
			fPayer: {"billpayeraccountid"}, fAccount: {"lineitemusageaccountid"},
			fService: {"lineitemproductcode"}, fUsageType: {"lineitemusagetype"}, fOperation: {"lineitemoperation"},
			fRegion: {"productregioncode", "productregion"}, fResource: {"lineitemresourceid"},
			fMonth: {"billbillingperiodstartdate"}, fDay: {"lineitemusagestartdate"},
			fKind: {"lineitemlineitemtype"}, fAmount: {"lineitemunblendedcost"},
			fQuantity: {"lineitemusageamount"}, fUnit: {"pricingunit"}, fCurrency: {"lineitemcurrencycode"},
		},
		needs: []field{fAccount, fService, fKind},
		kinds: map[string]cost.Kind{
			"usage": cost.Usage, "discountedusage": cost.Usage, "savingsplancoveredusage": cost.Usage,
			"tax": cost.Tax, "credit": cost.Credit, "refund": cost.Refund,
			"fee": cost.Fee, "rifee": cost.Fee, "savingsplanupfrontfee": cost.Fee, "savingsplanrecurringfee": cost.Fee,
			"savingsplannegation": cost.Discount, "bundleddiscount": cost.Discount, "edpdiscount": cost.Discount,
			"privateratediscount": cost.Discount, "rivolumediscount": cost.Discount, "distributordiscount": cost.Discount, "discount": cost.Discount,
		},
	},
	{
		name: "focus",
		sign: []string{"billedcost", "chargecategory"},
		columns: [nFields][]string{
			fProvider: {"serviceprovidername", "providername"}, // the second until 1.2
			fPayer:    {"billingaccountid"}, fAccount: {"subaccountid", "billingaccountid"},
			fService: {"xservicecode", "servicename"}, fUsageType: {"xusagetype", "skumeter", "xskumetername", "skuid"},
			fOperation: {"xoperation"}, fRegion: {"regionid", "regionname", "region"}, fResource: {"resourceid"},
			fMonth: {"billingperiodstart"}, fDay: {"chargeperiodstart"},
			fKind: {"chargecategory"}, fAmount: {"billedcost"},
			fQuantity: {"consumedquantity", "pricingquantity"}, fUnit: {"consumedunit", "pricingunit"}, fCurrency: {"billingcurrency"},
		},
		needs: []field{fKind},
		kinds: map[string]cost.Kind{
			"usage": cost.Usage, "purchase": cost.Fee, "tax": cost.Tax, "credit": cost.Credit, "refund": cost.Refund, "adjustment": cost.Adjustment,
		},
	},
	{
		name: "oci.cost", provider: "Oracle",
		sign: []string{"costmycost", "lineitemtenantid"},
		columns: [nFields][]string{
			fPayer: {"lineitemtenantid"}, fAccount: {"productcompartmentid", "lineitemtenantid"},
			fService: {"productservice"}, fUsageType: {"productdescription", "costproductsku"}, fOperation: {"costproductsku"},
			fRegion: {"productregion"}, fResource: {"productresourceid"},
			fDay: {"lineitemintervalusagestart"}, fKind: {"lineitemiscorrection"}, fAmount: {"costmycost"},
			fQuantity: {"usagebilledquantity"}, fUnit: {"costbillingunitreadable", "costskuunitdescription"}, fCurrency: {"costcurrencycode"},
		},
		kinds:  map[string]cost.Kind{"false": cost.Usage, "true": cost.Adjustment},
		noKind: cost.Usage,
	},
	{
		name: "google.billing", provider: "Google Cloud",
		sign: []string{"servicedescription", "skudescription", "cost", "currency"},
		columns: [nFields][]string{
			fPayer: {"billingaccountid"}, fAccount: {"projectid"},
			fService: {"servicedescription"}, fUsageType: {"skudescription", "skuid"},
			fRegion: {"locationregion", "region", "locationlocation"}, fResource: {"resourceglobalname", "resourcename"},
			fMonth: {"invoicemonth"}, fDay: {"usagestarttime", "usagestartdate"},
			fKind: {"costtype"}, fAmount: {"cost"},
			fQuantity: {"usageamount"}, fUnit: {"usageunit"}, fCurrency: {"currency"}, fCredits: {"credits"},
		},
		kinds: map[string]cost.Kind{
			"regular": cost.Usage, "usage": cost.Usage, "tax": cost.Tax, "adjustment": cost.Adjustment, "roundingerror": cost.Adjustment,
		},
		noKind: cost.Usage,
	},
	{
		name: "azure.usage", provider: "Azure",
		sign: []string{"metercategory", "metername"},
		columns: [nFields][]string{
			fPayer:   {"billingaccountid", "billingprofileid"},
			fAccount: {"subscriptionid", "subscriptionguid"}, fService: {"metercategory"},
			fUsageType: {"metername"}, fFamily: {"metersubcategory"}, fOperation: {"consumedservice"},
			fRegion: {"resourcelocation", "resourcelocationnormalized", "meterregion"}, fResource: {"resourceid", "instanceid", "instancename"},
			fMonth: {"billingperiodstartdate"}, fDay: {"date", "usagedatetime", "usagedate"},
			fKind: {"chargetype"}, fAmount: {"costinbillingcurrency", "pretaxcost", "cost", "extendedcost"},
			fQuantity: {"quantity", "usagequantity", "consumedquantity"}, fUnit: {"unitofmeasure"}, fCurrency: {"billingcurrencycode", "billingcurrency", "currency"},
		},
		kinds: map[string]cost.Kind{
			"usage": cost.Usage, "unusedreservation": cost.Usage, "unusedsavingsplan": cost.Usage, "purchase": cost.Fee, "refund": cost.Refund, "tax": cost.Tax,
			"credit": cost.Credit, "roundingadjustment": cost.Adjustment,
		},
		noKind: cost.Usage,
	},
}

// creditKinds are what Google's credits are, by their type. What lowers the price
// is a discount; what pays it is a credit.
var creditKinds = map[string]cost.Kind{
	"": cost.Credit, "promotion": cost.Credit, "fee_utilization_offset": cost.Credit,
	"discount": cost.Discount, "sustained_usage_discount": cost.Discount, "committed_usage_discount": cost.Discount,
	"committed_usage_discount_dollar_base": cost.Discount, "subscription_benefit": cost.Discount, "free_tier": cost.Discount, "reseller_margin": cost.Discount,
}

// providers are names of the large ones, as theirs and others' bills have them.
var providers = map[string]string{
	"aws": "AWS", "amazonwebservices": "AWS", "amazonwebservicesinc": "AWS",
	"microsoft": "Azure", "azure": "Azure", "microsoftazure": "Azure", "microsoftcorporation": "Azure",
	"google": "Google Cloud", "googlecloud": "Google Cloud", "gcp": "Google Cloud", "googlecloudplatform": "Google Cloud",
	"oracle": "Oracle", "oci": "Oracle", "oraclecloud": "Oracle", "oraclecloudinfrastructure": "Oracle",
}

// providerOf is the name by which a provider is known here.
func providerOf(name string) string { return cmp.Or(providers[plainName(name)], name) }

// plainName is a column's name, or a word of a bill, without case and signs.
func plainName(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, s)
}

// layout is where a form's fields stand in a file.
type layout struct {
	*form
	name  string         // of the form and its version
	slots []int16        // of each column: its place among the values of a row, or -1
	at    [nFields][]int // places of each field, the best first
	width int            // how many values a row has
	names []string       // of the columns, by place
	comma bool           // the decimal point is a comma
}

// layoutOf finds the form whose columns these are. The error is of one that is a
// bill of a known form and lacks what is needed; nil and nil: it is none.
func layoutOf(columns []string) (*layout, error) {
	plain := make([]string, len(columns))
	for i, c := range columns {
		plain[i] = plainName(c)
	}
	i := slices.IndexFunc(forms, func(f *form) bool {
		return !slices.ContainsFunc(f.sign, func(s string) bool { return !slices.Contains(plain, s) })
	})
	if i < 0 {
		return nil, nil
	}
	l := &layout{form: forms[i], slots: make([]int16, len(columns))}
	l.name = l.form.name
	for i := range l.slots {
		l.slots[i] = -1
	}
	for f, names := range l.columns {
		for _, name := range names {
			if c := slices.Index(plain, name); c >= 0 {
				l.at[f] = append(l.at[f], l.place(c, columns[c]))
			}
		}
	}
	for _, f := range append([]field{fAmount, fDay}, l.needs...) {
		if len(l.at[f]) == 0 {
			return nil, fmt.Errorf("it looks like %s and has no column %s", l.name, strings.Join(l.columns[f], " or "))
		}
	}
	// The legacy form groups its columns: lineItem/UsageType.
	if l.name == "aws.cur" && !slices.ContainsFunc(columns, func(c string) bool { return strings.Contains(c, "/") }) {
		l.name = "aws.cur2"
	}
	return l, nil
}

// place is where the value of a column stands.
func (l *layout) place(column int, name string) int {
	if l.slots[column] < 0 {
		l.slots[column] = int16(l.width)
		l.names = append(l.names, name)
		l.width++
	}
	return int(l.slots[column])
}

// value is the first of a field's columns that has one.
func (l *layout) value(f field, vals [][]byte) []byte {
	for _, at := range l.at[f] {
		if v := vals[at]; !isNull(v) {
			return v
		}
	}
	return nil
}

// column is the name of a field's column, for refusals.
func (l *layout) column(f field) string {
	if len(l.at[f]) == 0 {
		return ""
	}
	return l.names[l.at[f][0]]
}

// kind is what a row is for.
func (l *layout) kind(word []byte) (cost.Kind, bool) {
	if len(word) == 0 {
		return l.noKind, l.noKind != ""
	}
	if k, ok := l.kinds[string(bytes.ToLower(word))]; ok {
		return k, true
	}
	if k, ok := l.kinds[plainName(string(word))]; ok {
		return k, true
	}
	return cost.Adjustment, true // a word that is new: it counts, and is no usage that we know
}
