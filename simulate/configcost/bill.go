package configcost

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/simulate/logs"
)

// line is one of a bill.
type line struct {
	account  *account
	day      time.Time // the charge's; of tax and fees the month's first
	kind     string    // line_item_line_item_type
	product  string    // code
	usage    string
	op       string
	region   string
	resource string
	unit     string
	what     string // description
	quantity Amount
	rate     Amount
	cost     Amount
}

// Kinds of lines, as AWS names them.
const (
	usageLine    = "Usage"
	coveredLine  = "SavingsPlanCoveredUsage"
	negationLine = "SavingsPlanNegation"
	planFee      = "SavingsPlanRecurringFee"
	feeLine      = "Fee"
	taxLine      = "Tax"
	creditLine   = "Credit"
	refundLine   = "Refund"
)

// securityNames are the services that are there for security, by their codes.
var securityNames = map[string]string{
	"AWSConfig": "AWS Config", "AmazonGuardDuty": "Amazon GuardDuty", "AWSSecurityHub": "AWS Security Hub", "AWSCloudTrail": "AWS CloudTrail",
	"AmazonInspectorV2": "Amazon Inspector", "AmazonMacie": "Amazon Macie", "awskms": "AWS KMS", "AWSSecretsManager": "AWS Secrets Manager",
	"AWSIAMAccessAnalyzer": "IAM Access Analyzer", "awswaf": "AWS WAF", "AWSFMS": "AWS Firewall Manager",
}

// tier is a price up to a quantity in a month.
type tier struct {
	upTo Amount // 0: no end
	rate Amount
}

// flat is one price, in ten-billionths.
func flat(rate Amount) []tier { return []tier{{0, rate}} }

var (
	perEvaluation = []tier{{units(100_000), whole / 1000}, {units(500_000), whole / 1250}, {0, whole / 2000}}
	perGigabyte   = []tier{{units(500), whole * 118 / 100}, {0, whole * 59 / 100}} // of flow and DNS logs
)

// biller writes lines and keeps how much was used in the month, for tiers.
type biller struct {
	w     *world
	month time.Time
	used  map[string]Amount
	lines []line
}

// add adds what is used of something, at its tiers.
func (b *biller) add(l line, tiers []tier) {
	key := l.account.id + l.usage + l.resource
	for left := l.quantity; left > 0; {
		before := b.used[key]
		i := 0
		for i < len(tiers)-1 && before >= tiers[i].upTo {
			i++
		}
		part := left
		if end := tiers[i].upTo; end > 0 {
			part = min(part, end-before)
		}
		x := l
		x.quantity, x.rate, x.cost = part, tiers[i].rate, part.times(tiers[i].rate)
		if x.kind == "" {
			x.kind = usageLine
		}
		b.lines = append(b.lines, x)
		b.used[key], left = before+part, left-part
	}
}

// billing are the bills' lines, month by month.
func (w *world) billing() (out []line) {
	for _, month := range w.months {
		b := &biller{w: w, month: month, used: map[string]Amount{}}
		next := month.AddDate(0, 1, 0)
		for at := month; at.Before(next); at = at.Add(day) {
			for _, a := range w.accounts {
				rng := w.chance("bill", a.id, at.Unix())
				b.security(rng, a, at)
				b.work(rng, a, at)
			}
		}
		b.monthly()
		out = append(out, b.lines...)
	}
	return out
}

// days is how many the month has.
func (b *biller) days() int64 { return int64(b.month.AddDate(0, 1, 0).Sub(b.month) / day) }

const prefix = "APN1-" // of usage types in the home region

// usedBy is a line of an account in its home region.
func usedBy(a *account, when time.Time, product, usage, op, unit, what string, quantity Amount) line {
	return line{account: a, day: when, product: product, usage: usage, op: op, region: home, unit: unit, what: what, quantity: quantity}
}

// security are the lines of security services on a day.
func (b *biller) security(rng *rand.Rand, a *account, when time.Time) {
	w := b.w
	var items int64
	for _, c := range w.items {
		if c.account == a && c.day.Equal(when) {
			items += c.items
		}
	}
	swing := func(mean float64) Amount { return units(int64(mean * (0.9 + 0.2*rng.Float64()))) }
	b.add(usedBy(a, when, "AWSConfig", prefix+"ConfigurationItemRecorded", "", "ConfigurationItemRecorded", "$0.003 per Configuration Item recorded", units(items)), flat(whole*3/1000))
	evaluations := 400 * a.size
	if a == w.audit {
		evaluations = 39_000
	}
	b.add(usedBy(a, when, "AWSConfig", prefix+"ConfigRuleEvaluations", "", "ConfigRuleEvaluations", "AWS Config rule evaluations", swing(evaluations)), perEvaluation)
	events := 9000 + 26_000*a.size
	b.add(usedBy(a, when, "AmazonGuardDuty", prefix+"PaidEventsAnalyzed", "", "Events", "$4.72 per 1,000,000 events analyzed", swing(events)), flat(47_200))
	b.add(usedBy(a, when, "AmazonGuardDuty", prefix+"PaidEventsAnalyzed-Bytes", "", "GB", "flow and DNS logs analyzed", (whole*3).part(a.size*(0.9+0.2*rng.Float64()), 6)), perGigabyte)
	b.add(usedBy(a, when, "AWSSecurityHub", prefix+"PaidComplianceCheck", "", "Checks", "security checks", swing(120+210*a.size)), perEvaluation)
	b.add(usedBy(a, when, "AWSCloudTrail", prefix+"FreeEventsRecorded", "None", "Events", "free management events", swing(events)), flat(0))
	b.runtime(a, when)
	b.keys(rng, a, when)
	switch a {
	case w.management:
		b.add(usedBy(a, when, "AWSCloudTrail", prefix+"InsightsEvents", "None", "Events", "$0.35 per 100,000 events analyzed", swing(90_000)), flat(35_000))
	case w.archive:
		b.add(usedBy(a, when, "AmazonMacie", prefix+"BucketInventory", "", "Buckets", "$0.10 per bucket evaluated", units(14).over(b.days())), flat(whole/10))
	case w.audit:
		b.add(usedBy(a, when, "AWSIAMAccessAnalyzer", prefix+"UnusedAccessAnalysis", "", "Roles", "$0.20 per role or user", units(140).over(b.days())), flat(whole/5))
	case w.churn:
		b.add(usedBy(a, when, "AmazonInspectorV2", prefix+"EC2InstancesCovered", "", "Instances", "instances scanned", units(18).over(b.days())), flat(12_528_000_000))
	case w.legacy:
		b.add(usedBy(a, when, "awswaf", prefix+"WebACLV2", "", "WebACL-Month", "$5.00 per web ACL", units(2).over(b.days())), flat(units(5)))
	}
	if a == w.firewall {
		b.add(usedBy(a, when, "AWSFMS", prefix+"FMSPolicy", "", "Policies", "$100 per policy and Region", units(1).over(b.days())), flat(units(100)))
	}
}

// Moved is the day from which Runtime Monitoring is billed under Security Hub.
var moved = time.Date(2026, 10, 2, 0, 0, 0, 0, time.UTC)

// runtime is GuardDuty's Runtime Monitoring, in the account of the story.
func (b *biller) runtime(a *account, when time.Time) {
	if a != b.w.churn {
		return
	}
	rng := b.w.chance("vcpu", a.id)
	cores := units(int64(150 + rng.IntN(90))).over(b.days())
	if b.w.Variant == Move && !when.Before(moved) {
		b.add(usedBy(a, when, "AWSSecurityHub", prefix+"ThreatAnalytics-RuntimeMonitoring-vCPU", "", "vCPU-Months", "Threat Analytics: runtime monitoring", cores), flat(units(2)))
		return
	}
	b.add(usedBy(a, when, "AmazonGuardDuty", prefix+"RuntimeMonitoring-vCPU", "", "vCPU-Months", "runtime monitoring", cores), flat(units(2)))
}

// keys are the account's keys and secrets, each by itself, and their use.
func (b *biller) keys(rng *rand.Rand, a *account, when time.Time) {
	own := b.w.chance("keys", a.id)
	count := 1 + int(a.size)
	for range count {
		arn := "arn:aws:kms:" + home + ":" + a.id + ":key/" + logs.UUID(own)
		l := usedBy(a, when, "awskms", home+"-KMS-Keys", "Unknown", "Keys", "$1 per customer managed KMS key version", units(1).over(b.days()))
		l.resource = arn
		b.add(l, flat(units(1)))
	}
	b.add(usedBy(a, when, "awskms", home+"-KMS-Requests", "Decrypt", "Requests", "$0.03 per 10000 requests", units(int64(5200*a.size*(0.8+0.4*rng.Float64())))), flat(30_000))
	if a.size < 1 {
		return
	}
	for i := range count + 2 {
		l := usedBy(a, when, "AWSSecretsManager", prefix+"AWSSecretsManager-Secrets", "", "Secrets", "$0.40 per secret per month", units(1).over(b.days()))
		l.resource = fmt.Sprintf("arn:aws:secretsmanager:%s:%s:secret:%s/%d-%s", home, a.id, a.name, i, logs.Drawn(own, 6, logs.Letters))
		b.add(l, flat(whole*2/5))
	}
	b.add(usedBy(a, when, "AWSSecretsManager", prefix+"AWSSecretsManagerAPIRequest", "GetSecretValue", "API Requests", "$0.05 per 10,000 API requests", units(int64(900*a.size*(0.8+0.4*rng.Float64())))), flat(50_000))
}

// work are the lines of what the organisation is there for.
func (b *biller) work(rng *rand.Rand, a *account, when time.Time) {
	swing := 0.93 + 0.14*rng.Float64()
	b.add(usedBy(a, when, "AmazonS3", prefix+"TimedStorage-ByteHrs", "StandardStorage", "GB-Mo", "first 50 TB of storage", units(260).part(a.size*swing/float64(b.days()), 10)), flat(whole*25/1000))
	b.add(usedBy(a, when, "AmazonCloudWatch", prefix+"DataProcessing-Bytes", "PutLogEvents", "GB", "$0.76 per GB of logs", units(4).part(a.size*swing, 6)), flat(whole*76/100))
	if a.size < 1 {
		return
	}
	b.add(usedBy(a, when, "AmazonEC2", prefix+"BoxUsage:m7g.large", "RunInstances", "Hrs", "On Demand Linux m7g.large", units(int64(24*14*a.size))), flat(whole*1052/10_000))
	b.add(usedBy(a, when, "AWSDataTransfer", prefix+"DataTransfer-Out-Bytes", "", "GB", "data transfer out", units(30).part(a.size*swing, 6)), flat(whole*114/1000))
	switch a {
	case b.w.network:
		b.add(usedBy(a, when, "AmazonEC2", prefix+"NatGateway-Hours", "NatGateway", "Hrs", "$0.062 per NAT Gateway Hour", units(24*6)), flat(whole*62/1000))
		b.add(usedBy(a, when, "AmazonEC2", prefix+"NatGateway-Bytes", "NatGateway", "GB", "$0.062 per GB processed", units(700).part(swing, 6)), flat(whole*62/1000))
	case b.w.legacy:
		b.add(usedBy(a, when, "AmazonRDS", prefix+"InstanceUsage:db.r7g.large", "CreateDBInstance:0014", "Hrs", "db.r7g.large Single-AZ", units(48)), flat(whole*313/1000))
	case b.w.churn:
		b.fargate(rng, a, when)
		b.add(usedBy(a, when, "AWSLambda", prefix+"Lambda-GB-Second-ARM", "Invoke", "Lambda-GB-Second", "AWS Lambda - Compute", units(int64(95_000*swing))), flat(133_334))
		b.add(usedBy(a, when, "AWSELB", prefix+"LCUUsage", "LoadBalancing:Application", "LCU-Hrs", "Application load balancer capacity", units(90).part(swing, 6)), flat(whole*8/1000))
		b.add(usedBy(a, when, "AmazonECR", prefix+"TimedStorage-ByteHrs", "", "GB-Mo", "image storage", units(210).over(b.days())), flat(whole/10))
	}
}

// fargate is what tasks use: a part of it is covered by a Savings Plan.
func (b *biller) fargate(rng *rand.Rand, a *account, when time.Time) {
	hours := units(int64(24 * 16 * (0.95 + 0.1*rng.Float64())))
	b.add(usedBy(a, when, "AmazonECS", prefix+"Fargate-vCPU-Hours:perCPU", "FargateTask", "hours", "Fargate vCPU hours", hours), flat(whole*5056/100_000))
	covered := usedBy(a, when, "AmazonECS", prefix+"Fargate-GB-Hours", "FargateTask", "hours", "Fargate memory hours", hours*2)
	covered.kind = coveredLine
	b.add(covered, flat(whole*553/100_000))
	n := b.lines[len(b.lines)-1]
	n.kind, n.cost, n.rate, n.what = negationLine, -n.cost, 0, "SavingsPlanNegation used by Fargate memory hours"
	b.lines = append(b.lines, n)
}

// monthly are what comes once a month: fees, credits, refunds, and tax on it all.
func (b *biller) monthly() {
	w := b.w
	rng := w.chance("monthly", b.month.Unix())
	once := func(a *account, kind, product, usage, what string, cost Amount) {
		b.lines = append(b.lines, line{account: a, day: b.month, kind: kind, product: product, usage: usage, region: home, what: what, quantity: whole, cost: cost})
	}
	once(w.management, planFee, "ComputeSavingsPlans", "ComputeSP:1yrNoUpfront", "1 year No Upfront Compute Savings Plan", units(40+int64(rng.IntN(20))))
	once(w.management, feeLine, "AWSSupportBusiness", "Dollar", "AWS Support (Business)", units(100).part(1+0.3*rng.Float64(), 2))
	taxed := map[string]Amount{}
	var order []string
	for _, l := range b.lines {
		key := l.account.id + " " + l.product
		if _, ok := taxed[key]; !ok {
			order = append(order, key)
		}
		taxed[key] += l.cost
	}
	once(w.churn, creditLine, "AmazonECS", "", "promotional credit", -units(20+int64(rng.IntN(60))))
	once(w.churn, creditLine, "AmazonGuardDuty", "", "credit for a trial of protection plans", -units(1+int64(rng.IntN(9))))
	if b.month.Equal(w.months[1]) {
		once(w.legacy, refundLine, "AmazonRDS", prefix+"InstanceUsage:db.r7g.large", "refund of a reservation", -units(12+int64(rng.IntN(30))))
	}
	for _, key := range order {
		id, product, _ := strings.Cut(key, " ")
		for _, a := range w.accounts {
			if tax := taxed[key].over(10) / (whole / 100) * (whole / 100); a.id == id && tax > 0 {
				once(a, taxLine, product, "", "Tax of type CT", tax)
			}
		}
	}
}
