package change

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/yagura-sec/yagura/cost"
	"github.com/yagura-sec/yagura/say"
)

// Items are the configuration items that AWS Config recorded of an account.
type Items struct {
	Basis cost.Basis // the worst of its types
	Items int64      // in the time of the report
	Low   int64      // bounds; without an estimate both are Items
	High  int64
	Days  int // that were counted or estimated
	Types []TypeItems
	// Fitted is how many days of counts the estimate learned from, the fewest of its
	// types; 0: it goes by start values, or nothing is estimated.
	Fitted int
	Text   say.Text
}

// TypeItems are those of one resource type, the most first.
type TypeItems struct {
	ResourceType     string
	Basis            cost.Basis
	Items, Low, High int64
	Days             int
}

// effect is how many items of a type one call of an operation makes.
type effect struct {
	typ            string
	low, mid, high float64
}

// Resource types that changes of others touch.
const (
	typeInterface     = "AWS::EC2::NetworkInterface"
	typeSecurityGroup = "AWS::EC2::SecurityGroup"
	typeSubnet        = "AWS::EC2::Subnet"
	typeVPC           = "AWS::EC2::VPC"
	typeInstance      = "AWS::EC2::Instance"
	typeVolume        = "AWS::EC2::Volume"
)

// effects are start values, used until counts say better. A change of a resource is
// one item of it, but what is made and deleted within moments may be one in all. A network interface is listed in the relations of its security
// groups, its subnet and its VPC, and each of them is recorded again as it comes, or
// as it goes, or (several within a moment) not at all; hence their wide bounds. A call
// of RunInstances makes one instance or several. In a shared subnet, subnet and VPC
// are recorded in the account that owns them.
var effects = map[string][]effect{
	"CreateNetworkInterface":          {{typeInterface, 1, 1, 2}, {typeSecurityGroup, 0, 1, 2}, {typeSubnet, 0, 1, 1}, {typeVPC, 0, 1, 1}},
	"DeleteNetworkInterface":          {{typeInterface, 0, 1, 1}, {typeSecurityGroup, 0, 0, 1}, {typeSubnet, 0, 0, 1}, {typeVPC, 0, 0, 1}},
	"AttachNetworkInterface":          {{typeInterface, 0, 1, 1}, {typeInstance, 0, 1, 1}},
	"DetachNetworkInterface":          {{typeInterface, 0, 1, 1}, {typeInstance, 0, 1, 1}},
	"ModifyNetworkInterfaceAttribute": {{typeInterface, 0, 1, 1}},
	"RunInstances":                    {{typeInstance, 1, 2, 6}, {typeInterface, 1, 2, 6}, {typeVolume, 1, 2, 6}, {typeSecurityGroup, 0, 1, 2}, {typeSubnet, 0, 1, 2}, {typeVPC, 0, 1, 2}},
	"TerminateInstances":              {{typeInstance, 0, 2, 4}, {typeInterface, 0, 1, 3}, {typeVolume, 0, 1, 3}, {typeSecurityGroup, 0, 0, 1}, {typeSubnet, 0, 0, 1}, {typeVPC, 0, 0, 1}},
	"StartInstances":                  {{typeInstance, 1, 1, 3}},
	"StopInstances":                   {{typeInstance, 1, 1, 3}},
	"CreateVolume":                    {{typeVolume, 1, 1, 2}},
	"DeleteVolume":                    {{typeVolume, 0, 1, 1}},
	"AttachVolume":                    {{typeVolume, 0, 1, 2}, {typeInstance, 0, 1, 1}},
	"DetachVolume":                    {{typeVolume, 0, 1, 2}, {typeInstance, 0, 1, 1}},
	"CreateSecurityGroup":             one(typeSecurityGroup),
	"DeleteSecurityGroup":             one(typeSecurityGroup),
	"AuthorizeSecurityGroupIngress":   one(typeSecurityGroup),
	"AuthorizeSecurityGroupEgress":    one(typeSecurityGroup),
	"RevokeSecurityGroupIngress":      one(typeSecurityGroup),
	"RevokeSecurityGroupEgress":       one(typeSecurityGroup),
	"CreateSubnet":                    one(typeSubnet),
	"DeleteSubnet":                    one(typeSubnet),
	"CreateVpc":                       one(typeVPC),
	"DeleteVpc":                       one(typeVPC),
	"CreateRole":                      one("AWS::IAM::Role"),
	"DeleteRole":                      one("AWS::IAM::Role"),
	"AttachRolePolicy":                one("AWS::IAM::Role"),
	"DetachRolePolicy":                one("AWS::IAM::Role"),
	"PutRolePolicy":                   one("AWS::IAM::Role"),
	"DeleteRolePolicy":                one("AWS::IAM::Role"),
	"UpdateAssumeRolePolicy":          one("AWS::IAM::Role"),
	"CreateBucket":                    one("AWS::S3::Bucket"),
	"DeleteBucket":                    one("AWS::S3::Bucket"),
	"PutBucketPolicy":                 one("AWS::S3::Bucket"),
	"PutBucketTagging":                one("AWS::S3::Bucket"),
	"CreateService":                   one("AWS::ECS::Service"),
	"UpdateService":                   one("AWS::ECS::Service"),
	"DeleteService":                   one("AWS::ECS::Service"),
	"RegisterTaskDefinition":          one("AWS::ECS::TaskDefinition"),
	"DeregisterTaskDefinition":        one("AWS::ECS::TaskDefinition"),
	"CreateFunction20150331":          one("AWS::Lambda::Function"),
	"DeleteFunction20150331":          one("AWS::Lambda::Function"),
	"UpdateFunctionCode20150331v2":    one("AWS::Lambda::Function"),
	"CreateAutoScalingGroup":          one("AWS::AutoScaling::AutoScalingGroup"),
	"UpdateAutoScalingGroup":          one("AWS::AutoScaling::AutoScalingGroup"),
	"SetDesiredCapacity":              one("AWS::AutoScaling::AutoScalingGroup"),
	"CreateStack":                     one("AWS::CloudFormation::Stack"),
	"UpdateStack":                     one("AWS::CloudFormation::Stack"),
	"DeleteStack":                     one("AWS::CloudFormation::Stack"),
}

func one(typ string) []effect { return []effect{{typ, 0, 1, 2}} }

// place is where and when changes are counted.
type place struct {
	day    time.Time
	region string
}

// operationsBy are the counts of each place, by operation.
func operationsBy(counts []OperationCount) map[place]map[string]int64 {
	out := map[place]map[string]int64{}
	for _, c := range counts {
		at := place{c.Day.UTC().Truncate(day), c.Region}
		if out[at] == nil {
			out[at] = map[string]int64{}
		}
		out[at][c.Operation] += c.Count
	}
	return out
}

// Estimate gives how many configuration items the changes of an account made, by
// day, region and resource type, with bounds. Where at least 14 days of a type were
// counted (known: by metric or history) the estimate is fitted to them, and its bounds
// are such that the truth lies within on eight days of ten; before that it goes by
// start values, whose bounds are what the documentation leaves possible. Changed
// resource-days are not known from events.
func Estimate(account string, counts []OperationCount, known []cost.Count) []cost.Count {
	out, _ := estimate(account, counts, known)
	return out
}

// estimate also tells how many days the fit of each type rests on.
func estimate(account string, counts []OperationCount, known []cost.Count) ([]cost.Count, map[string]int) {
	by := operationsBy(counts)
	fits, days := fits(by, known)
	var out []cost.Count
	for at, operations := range by {
		sums := map[string]effect{}
		for op, n := range operations {
			for _, e := range effects[op] {
				s := sums[e.typ]
				x := float64(n)
				sums[e.typ] = effect{e.typ, s.low + x*e.low, s.mid + x*e.mid, s.high + x*e.high}
			}
		}
		for typ, f := range fits {
			items := f.items(operations)
			sums[typ] = effect{typ, items * f.low, items, items * f.high}
		}
		for typ, s := range sums {
			out = append(out, cost.Count{
				Account: account, Region: at.region, ResourceType: typ, Day: at.day, ResourceDays: -1, Basis: cost.Estimate,
				Items: int64(math.Round(s.mid)), Low: int64(math.Floor(s.low)), High: int64(math.Ceil(s.high)),
			})
		}
	}
	slices.SortFunc(out, func(a, b cost.Count) int {
		return cmp.Or(strings.Compare(a.Region, b.Region), strings.Compare(a.ResourceType, b.ResourceType), a.Day.Compare(b.Day))
	})
	return out, days
}

// fits are those of the types that were counted for long enough, and on how many
// days each rests.
func fits(by map[place]map[string]int64, known []cost.Count) (map[string]fit, map[string]int) {
	counted := map[string]map[place]int64{}
	for _, c := range known {
		if c.Basis == cost.Estimate || c.Items < 0 {
			continue
		}
		if counted[c.ResourceType] == nil {
			counted[c.ResourceType] = map[place]int64{}
		}
		at := place{c.Day.UTC().Truncate(day), c.Region}
		counted[c.ResourceType][at] = max(counted[c.ResourceType][at], c.Items)
	}
	out, days := map[string]fit{}, map[string]int{}
	for typ, items := range counted {
		if f, n := fitType(typ, by, items); n >= fitDays {
			out[typ], days[typ] = f, n
		}
	}
	return out, days
}

// itemsOf joins what was counted and what is estimated. On a day that was counted, for
// whatever type, nothing is estimated, and a type that no count names is on no day: it
// was not recorded.
func itemsOf(account string, counts []OperationCount, known []cost.Count) Items {
	changed, counted, named := map[time.Time]bool{}, map[time.Time]bool{}, map[string]bool{}
	for _, c := range counts {
		changed[c.Day] = true
	}
	best := bestCounts(known)
	for _, c := range best {
		counted[c.Day.UTC().Truncate(day)], named[c.ResourceType] = true, true
	}
	var all []cost.Count
	fitted := map[string]int{}
	guess, days := estimate(account, counts, known)
	for _, c := range guess {
		if !counted[c.Day] && c.High > 0 && (len(named) == 0 || named[c.ResourceType]) {
			all, fitted[c.ResourceType] = append(all, c), days[c.ResourceType]
		}
	}
	all = append(all, best...)
	out := summed(all)
	for d := range changed {
		counted[d] = true
	}
	out.Days = len(counted)
	if len(fitted) > 0 {
		out.Fitted = math.MaxInt
		for _, n := range fitted {
			out.Fitted = min(out.Fitted, n)
		}
	}
	out.Text = out.text()
	return out
}

// bestCounts keeps, of what was counted of one type, region and day in several ways,
// the best; of what was not counted, nothing.
func bestCounts(known []cost.Count) []cost.Count {
	rank := map[cost.Basis]int{cost.Metric: 2, cost.History: 1}
	type key struct {
		place
		typ string
	}
	best := map[key]cost.Count{}
	for _, c := range known {
		k := key{place{c.Day.UTC().Truncate(day), c.Region}, c.ResourceType}
		if had, ok := best[k]; rank[c.Basis] > 0 && c.Items >= 0 && (!ok || rank[c.Basis] > rank[had.Basis]) {
			best[k] = c
		}
	}
	var out []cost.Count
	for _, c := range best {
		out = append(out, c)
	}
	return out
}

// summed adds counts up by type.
func summed(all []cost.Count) Items {
	byType, days := map[string]*TypeItems{}, map[string]map[time.Time]bool{}
	out := Items{Types: []TypeItems{}}
	for _, c := range all {
		t := byType[c.ResourceType]
		if t == nil {
			t = &TypeItems{ResourceType: c.ResourceType, Basis: c.Basis}
			byType[c.ResourceType], days[c.ResourceType] = t, map[time.Time]bool{}
		}
		low, high := c.Low, c.High
		if c.Basis != cost.Estimate {
			low, high = c.Items, c.Items
		}
		t.Basis = worse(t.Basis, c.Basis)
		t.Items, t.Low, t.High = t.Items+c.Items, t.Low+low, t.High+high
		days[c.ResourceType][c.Day] = true
	}
	for typ, t := range byType {
		t.Days = len(days[typ])
		out.Items, out.Low, out.High = out.Items+t.Items, out.Low+t.Low, out.High+t.High
		out.Basis = worse(cmp.Or(out.Basis, t.Basis), t.Basis)
		out.Types = append(out.Types, *t)
	}
	slices.SortFunc(out.Types, func(a, b TypeItems) int {
		return cmp.Or(cmp.Compare(b.Items, a.Items), strings.Compare(a.ResourceType, b.ResourceType))
	})
	out.Basis = cmp.Or(out.Basis, cost.Estimate)
	return out
}

func worse(a, b cost.Basis) cost.Basis {
	order := []cost.Basis{cost.Metric, cost.History, cost.Estimate}
	return order[max(slices.Index(order, a), slices.Index(order, b))]
}

func (i *Items) text() say.Text {
	values := say.Values{"n": i.Items, "days": i.Days}
	switch {
	case i.Basis == cost.Metric:
		return say.T("change.items.metric", values)
	case i.Basis == cost.History:
		return say.T("change.items.history", values)
	case i.Fitted > 0:
		return say.T("change.items.fitted", say.Values{"n": i.Items, "days": i.Days, "low": i.Low, "high": i.High, "fitted": i.Fitted})
	}
	return say.T("change.items.start", say.Values{"n": i.Items, "days": i.Days, "low": i.Low, "high": i.High})
}

// monthDays is how many days a month has that savings are told for.
const monthDays = 30

// saving says what a month without the loop saves: of each type that its things
// touch the part of the items that its changes are of all changes that make them.
func (r Reader) saving(l *Loop, out *Report, counts []OperationCount) {
	region, at := busiest(counts, things[l.thing].create)
	price, currency, ok := r.Price(region, at)
	if !ok {
		l.SavingNote = say.T("change.saving.unpriced", nil)
		return
	}
	if l.Until != nil {
		l.SavingNote = say.T("change.saving.ended", nil)
		return
	}
	total := map[string]int64{}
	days := map[time.Time]bool{}
	for _, c := range counts {
		total[c.Operation] += c.Count
		days[c.Day] = true
	}
	t, loopDays := &things[l.thing], out.Read.Until.Sub(l.Since).Hours()/24
	var low, mid, high float64
	for _, items := range out.Items.Types {
		part := min(1, touched(items.ResourceType, map[string]int64{t.create: l.Made, t.delete: l.Made})/max(1, touched(items.ResourceType, total)))
		over := float64(max(1, items.Days))
		if items.Days <= len(days) && loopDays < over {
			over = loopDays // the items of the loop are of its own days
		}
		low, mid, high = low+float64(items.Low)*part/over, mid+float64(items.Items)*part/over, high+float64(items.High)*part/over
	}
	amount := func(perDay float64) *decimal.Decimal {
		d := price.Mul(decimal.NewFromInt(int64(math.Round(perDay * monthDays)))).Round(2)
		return &d
	}
	l.SavingMonth, l.Currency = amount(mid), currency
	if out.Items.Basis != cost.Estimate {
		l.SavingNote = say.T("change.saving.counted", nil)
		return
	}
	l.SavingLow, l.SavingHigh = amount(low), amount(high)
	l.SavingNote = say.T("change.saving.estimated", nil)
}

// touched is how many items of a type operations make by start values.
func touched(typ string, operations map[string]int64) (sum float64) {
	for op, n := range operations {
		for _, e := range effects[op] {
			if e.typ == typ {
				sum += e.mid * float64(n)
			}
		}
	}
	return sum
}

// busiest is the region and the last day on which most of an operation is done.
func busiest(counts []OperationCount, operation string) (region string, last time.Time) {
	sums := map[string]int64{}
	for _, c := range counts {
		if c.Operation == operation {
			sums[c.Region] += c.Count
			if c.Day.After(last) {
				last = c.Day
			}
		}
	}
	for r, n := range sums {
		if region == "" || n > sums[region] || n == sums[region] && r < region {
			region = r
		}
	}
	return region, last
}
