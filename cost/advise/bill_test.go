package advise

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/yagura-sec/yagura/cost"
	"github.com/yagura-sec/yagura/cost/count"
	"github.com/yagura-sec/yagura/cost/price"
)

// october is the latest whole month before now.
var october = time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)

// line is a sum of the bill.
func line(account, service, security, usageType, resource, amount string) cost.Sum {
	return cost.Sum{Security: security, Line: cost.Line{
		Provider: "AWS", Account: account, Service: service, UsageType: usageType, Region: region, Resource: resource,
		Month: october, Kind: cost.Usage, Amount: decimal.RequireFromString(amount), Currency: "USD", Rows: 1,
	}}
}

// about gives the only advice of a kind, or none.
func about(t *testing.T, in Input, kind string) (a cost.Advice, ok bool) {
	t.Helper()
	in.Now = now
	if in.Prices == nil {
		in.Prices = price.Builtin()
	}
	for _, x := range Judge(in) {
		if x.Kind != kind {
			continue
		}
		if ok {
			t.Fatalf("there are two: %s, %s", a.Key, x.Key)
		}
		a, ok = x, true
	}
	return a, ok
}

// check holds what an advice says, and that a plan comes with its way back.
func check(t *testing.T, a cost.Advice, verdict cost.Verdict, saving, words, plan string) {
	t.Helper()
	commands := strings.Join(a.Plan, "\n")
	if a.Verdict != verdict || a.Saving.String() != saving || !strings.Contains(a.Reason.String(), words) || !strings.Contains(commands, plan) || (plan == "") != (commands == "") || len(a.Plan) > 0 != (len(a.Undo) > 0) {
		t.Errorf("%s: %s, %s\nplan %s\nundo %s\n%s", a.Key, a.Verdict, a.Saving, commands, strings.Join(a.Undo, "\n"), a.Reason)
	}
	rests := cost.Billed
	if a.Kind == cost.AboutAnalyzer {
		rests = cost.Described
	}
	if a.Basis != rests || a.Items != -1 || a.ResourceDays != -1 {
		t.Errorf("%s: by %s, %d items, %d resource-days, and nothing was counted", a.Key, a.Basis, a.Items, a.ResourceDays)
	}
	if verdict == cost.Change && a.Lost.String() == "" || a.Confidence <= 0 || a.Confidence > 1 {
		t.Errorf("%s: loses %q, confidence %v", a.Key, a.Lost, a.Confidence)
	}
}

func fact(kind, account, document string) cost.Fact {
	return cost.Fact{Kind: kind, Account: account, Region: region, Name: document, Document: []byte(document)}
}

const (
	ownTrail = `{"Name":"own","TrailARN":"arn:aws:cloudtrail:ap-northeast-1:444455556666:trail/own","HomeRegion":"ap-northeast-1","IsMultiRegionTrail":true,"IsOrganizationTrail":false}`
	orgTrail = `{"Name":"org","TrailARN":"arn:aws:cloudtrail:ap-northeast-1:999900001111:trail/org","HomeRegion":"ap-northeast-1","IsMultiRegionTrail":true,"IsOrganizationTrail":true}`
	ownARN   = "arn:aws:cloudtrail:ap-northeast-1:444455556666:trail/own"
)

func selectors(text string) cost.Fact {
	return fact(count.EventSelectors, accountN, `{"TrailARN":"`+ownARN+`",`+text+`}`)
}

func TestTrails(t *testing.T) {
	paid := line(accountN, "AWSCloudTrail", serviceTrail, "APN1-PaidEventsRecorded", "", "84.20")
	both := fact(count.Trails, accountN, `{"trailList":[`+ownTrail+`,`+orgTrail+`]}`)
	f := func(verdict cost.Verdict, words, plan string, facts ...cost.Fact) {
		t.Helper()
		a, ok := about(t, Input{Bill: []cost.Sum{paid}, Setup: setup(t, facts...)}, cost.AboutTrail)
		if !ok {
			t.Fatal("no advice")
		}
		saving := "84.2"
		if verdict == cost.Keep { // nothing to 84.20
			saving = "0"
		}
		check(t, a, verdict, saving, words, plan)
	}
	f(cost.Keep, "Which trails deliver them is not known", "")
	f(cost.Keep, "none can be told", "", fact(count.Trails, accountN, `{"trailList":[`+orgTrail+`]}`))
	f(cost.Change, "org delivers them already; own delivers them again", "aws cloudtrail stop-logging --region ap-northeast-1 --name "+ownARN, both,
		selectors(`"EventSelectors":[{"IncludeManagementEvents":true,"DataResources":[]}]`))
	f(cost.Change, "What own records is not known", "", both)
	f(cost.Change, "org delivers", `"IncludeManagementEvents":false`, both,
		selectors(`"EventSelectors":[{"IncludeManagementEvents":true,"DataResources":[{"Type":"AWS::S3::Object"}]}]`))
	f(cost.Change, "org delivers", `--advanced-event-selectors '[{"FieldSelectors":[{"Field":"eventCategory","Equals":["Data"]}]}]'`, both,
		selectors(`"AdvancedEventSelectors":[{"FieldSelectors":[{"Field":"eventCategory","Equals":["Data"]}]},{"FieldSelectors":[{"Field":"eventCategory","Equals":["Management"]}]}]`))
	f(cost.Keep, "none can be told", "", both, selectors(`"EventSelectors":[{"IncludeManagementEvents":false,"DataResources":[{"Type":"AWS::S3::Object"}]}]`))
	for _, quiet := range []cost.Sum{
		line(accountN, "AWSCloudTrail", serviceTrail, "APN1-FreeEventsRecorded", "", "1"), line(accountN, "AWSCloudTrail", serviceTrail, "APN1-PaidEventsRecorded", "", "0"),
	} {
		if a, ok := about(t, Input{Bill: []cost.Sum{quiet}}, cost.AboutTrail); ok {
			t.Errorf("%s of %s", a.Reason, quiet.UsageType)
		}
	}
}

func TestAnalyzers(t *testing.T) {
	one := func(account, name, kind string) string {
		return `{"arn":"arn:aws:access-analyzer:` + region + `:` + account + `:analyzer/` + name + `","name":"` + name + `","type":"` + kind + `","status":"ACTIVE","configuration":{"unusedAccess":{"unusedAccessAge":90}}}`
	}
	list := func(all ...string) cost.Fact {
		return fact(count.Analyzers, "", `{"analyzers":[`+strings.Join(all, ",")+`]}`)
	}
	summary := fact(count.AccountSummary, accountN, `{"SummaryMap":{"Roles":120,"Users":4}}`)
	wide := one("999900001111", "all", analyzerOrganisation)
	own := one(accountN, "own", analyzerAccount)
	f := func(verdict cost.Verdict, saving, words, plan string, facts ...cost.Fact) {
		t.Helper()
		a, ok := about(t, Input{Setup: setup(t, facts...)}, cost.AboutAnalyzer)
		if !ok {
			t.Fatal("no advice")
		}
		check(t, a, verdict, saving, words, plan)
	}
	f(cost.Change, "24.8", "by own in ap-northeast-1 and by all of account 999900001111", "delete-analyzer --region ap-northeast-1 --analyzer-name own", list(wide, own), summary)
	f(cost.Keep, "0", "How many roles and users the account has is not known", "", list(wide, own))
	f(cost.Change, "24.8", "analysed twice", "delete-analyzer", list(own, one(accountN, "own2", analyzerAccount)), summary)
	f(cost.Change, "24.8", "How own is set up is not known", "", list(wide, strings.Replace(own, `,"configuration":{"unusedAccess":{"unusedAccessAge":90}}`, "", 1)), summary)
	for _, quiet := range []cost.Fact{list(wide), list(own), list(wide, one(accountN, "outside", "ACCOUNT")), list(wide, strings.Replace(own, "ACTIVE", "DISABLED", 1))} {
		if a, ok := about(t, Input{Setup: setup(t, quiet, summary)}, cost.AboutAnalyzer); ok {
			t.Error(a.Reason)
		}
	}
}

func TestDetectors(t *testing.T) {
	paid := line(accountN, "AmazonGuardDuty", serviceDetector, "APN1-PaidS3DataEventsAnalyzed", "", "12.5")
	idle := map[Used]int64{{accountN, "S3_DATA_EVENTS"}: 0}
	on := fact(count.Detector, accountN, `{"ServiceRole":"arn:aws:iam::`+accountN+`:role/x","Status":"ENABLED","FindingPublishingFrequency":"SIX_HOURS","Features":[{"Name":"S3_DATA_EVENTS","Status":"ENABLED"}]}`)
	f := func(verdict cost.Verdict, saving, words, plan string, uses map[Used]int64, facts ...cost.Fact) {
		t.Helper()
		a, ok := about(t, Input{Bill: []cost.Sum{paid}, Uses: Uses{Services: uses}, Setup: setup(t, facts...)}, cost.AboutDetector)
		if !ok {
			t.Fatal("no advice")
		}
		check(t, a, verdict, saving, words, plan)
	}
	f(cost.Change, "12.5", "S3 Protection of GuardDuty cost 12.50 USD in 2026-10", `"Status":"DISABLED"`, idle, on)
	f(cost.Change, "12.5", "How S3 Protection is set up is not known", "", idle)
	f(cost.Keep, "12.5", "has 7 calls in 90 days", "", map[Used]int64{{accountN, "S3_DATA_EVENTS"}: 7}, on)
	f(cost.Keep, "0", "Whether it is used is not known", "", nil, on)
	inUse := []cost.Sum{paid, line(accountN, "Amazon Simple Storage Service", "", "APN1-TimedStorage", "", "3")}
	if a, ok := about(t, Input{Bill: inUse, Uses: Uses{Services: idle}, Setup: setup(t, on)}, cost.AboutDetector); ok {
		t.Errorf("where storage is billed: %s", a.Reason)
	}
	if a, ok := about(t, Input{Bill: []cost.Sum{line(accountN, "AmazonGuardDuty", serviceDetector, "APN1-PaidEventsAnalyzed", "", "9")}}, cost.AboutDetector); ok {
		t.Errorf("of management events: %s", a.Reason)
	}
}

func TestUnused(t *testing.T) {
	const key, secret = "arn:aws:kms:ap-northeast-1:444455556666:key/1234", "arn:aws:secretsmanager:ap-northeast-1:444455556666:secret:db-AbCdEf"
	bill := map[string]cost.Sum{
		cost.AboutUnusedKey:    line(accountN, "awskms", serviceKMS, "ap-northeast-1-KMS-Keys", key, "1"),
		cost.AboutUnusedSecret: line(accountN, "AWSSecretsManager", serviceSecrets, "APN1-AWSSecretsManager-Secrets", secret, "0.4"),
	}
	long, short := map[string]time.Time{accountN: now.AddDate(0, 0, -95)}, map[string]time.Time{accountN: now.AddDate(0, 0, -20)}
	f := func(kind string, verdict cost.Verdict, saving, words, plan string, uses Uses) {
		t.Helper()
		a, ok := about(t, Input{Bill: []cost.Sum{bill[kind]}, Uses: uses}, kind)
		if !ok {
			t.Fatal("no advice")
		}
		check(t, a, verdict, saving, words, plan)
	}
	keys := map[string]bool{accountN: true}
	f(cost.AboutUnusedKey, cost.Change, "1", "Nobody used "+key+" since 2026-08-19", "schedule-key-deletion --region ap-northeast-1 --key-id "+key+" --pending-window-in-days 30", Uses{Covered: long, Keys: keys})
	f(cost.AboutUnusedKey, cost.Change, "1", "was last used on 2026-08-20", "schedule-key-deletion", Uses{Covered: long, Keys: keys, Last: map[string]time.Time{key: now.AddDate(0, 0, -94)}})
	f(cost.AboutUnusedKey, cost.Keep, "0", "Whether 1 of them (1.00 USD a month) is used is not known: the log has no use of any key", "", Uses{Covered: long})
	f(cost.AboutUnusedKey, cost.Keep, "0", "does not go back 90 days", "", Uses{Covered: short, Keys: keys})
	f(cost.AboutUnusedKey, cost.Keep, "0", "does not go back 90 days", "", Uses{Keys: keys})
	f(cost.AboutUnusedSecret, cost.Change, "0.4", "Nobody used", "delete-secret --region ap-northeast-1 --secret-id "+secret+" --recovery-window-in-days 30", Uses{Covered: long})
	// Of an account of which nothing is known that is said once.
	two := []cost.Sum{bill[cost.AboutUnusedKey], line(accountN, "awskms", serviceKMS, "ap-northeast-1-KMS-Keys", key+"5", "1")}
	if a, _ := about(t, Input{Bill: two}, cost.AboutUnusedKey); a.High == nil || a.High.String() != "2" || !strings.Contains(a.Reason.String(), "Whether 2 of them (2.00 USD a month) are used") {
		t.Errorf("two keys: %+v", a)
	}
	in := Input{Bill: []cost.Sum{bill[cost.AboutUnusedKey]}, Uses: Uses{Covered: long, Keys: keys, Last: map[string]time.Time{key: now.AddDate(0, 0, -1)}}}
	if a, ok := about(t, in, cost.AboutUnusedKey); ok {
		t.Errorf("of a key in use: %s", a.Reason)
	}
}

func TestDataEvents(t *testing.T) {
	in := Input{Bill: []cost.Sum{line(accountN, "AWSCloudTrail", serviceTrail, "APN1-DataEventsRecorded", "", "40")}}
	f := func(verdict cost.Verdict, words, plan string) {
		t.Helper()
		a, ok := about(t, in, cost.AboutDataEvents)
		if !ok {
			t.Fatal("no advice")
		}
		check(t, a, verdict, "40", words, plan)
	}
	f(cost.Change, "Which trail records them is not known", "")
	in.Setup = setup(t, fact(count.Trails, accountN, `{"trailList":[`+ownTrail+`]}`), selectors(`"EventSelectors":[{"IncludeManagementEvents":true,"DataResources":[{"Type":"AWS::S3::Object","Values":["arn:aws:s3"]}]}]`))
	f(cost.Change, "No rule and no saved query", `"DataResources":[]`)
	in.Setup = setup(t, fact(count.Trails, accountN, `{"trailList":[`+ownTrail+`]}`), selectors(`"AdvancedEventSelectors":[{"FieldSelectors":[{"Field":"eventCategory","Equals":["Data"]}]}]`))
	f(cost.Change, "Which trail", "") // nothing would be left
	in.Readers = []Reader{{"rule", "Objects deleted by a stranger"}}
	f(cost.Keep, "1 of the rules and queries here look at them (Objects deleted by a stranger)", "")
}

func TestChecks(t *testing.T) {
	paid := line(accountN, "AWSSecurityHub", serviceHub, "APN1-PaidComplianceCheck", "", "120")
	standard := func(rest string) string {
		return `{"StandardsSubscriptionArn":"arn:aws:securityhub:` + region + `:` + accountN + `:subscription/x","StandardsArn":"` + rest + `","StandardsStatus":"READY"}`
	}
	f := func(words string, arns ...string) {
		t.Helper()
		var all []string
		for _, a := range arns {
			all = append(all, standard(a))
		}
		a, ok := about(t, Input{Bill: []cost.Sum{paid}, Setup: setup(t, fact(count.Standards, accountN, `{"StandardsSubscriptions":[`+strings.Join(all, ",")+`]}`))}, cost.AboutChecks)
		if ok != (words != "") {
			t.Fatalf("%v: %s", arns, a.Reason)
		}
		if ok {
			check(t, a, cost.Keep, "0", words, "")
			if a.High.String() != "120" {
				t.Errorf("at most %s", a.High)
			}
		}
	}
	const cis = "arn:aws:securityhub:ap-northeast-1::standards/cis-aws-foundations-benchmark/v/"
	f("cis-aws-foundations-benchmark 1.2.0, cis-aws-foundations-benchmark 1.4.0 on beside", "arn:aws:securityhub:::ruleset/cis-aws-foundations-benchmark/v/1.2.0", cis+"1.4.0", cis+"3.0.0")
	f("cis-aws-foundations-benchmark 9.0.0 on", cis+"9.0.0", cis+"10.0.0")
	f("", cis+"3.0.0", "arn:aws:securityhub:ap-northeast-1::standards/aws-foundational-security-best-practices/v/1.0.0")
	f("", cis+"3.0.0", cis+"3.0.0")
	f("", "arn:aws:securityhub:ap-northeast-1::standards/service-managed-aws-control-tower/v/1.0.0", "arn:aws:securityhub:ap-northeast-1::standards/service-managed-aws-control-tower/v/2.0.0")
	f("", "x", "y")
}

// TestWholeMonth holds which month of a bill is looked at, and that currencies are
// not added.
func TestWholeMonth(t *testing.T) {
	paid := func(month time.Time, amount, currency string) cost.Sum {
		s := line(accountN, "AWSCloudTrail", serviceTrail, "DataEventsRecorded", "", amount)
		s.Month, s.Currency = month, currency
		return s
	}
	november := october.AddDate(0, 1, 0)
	a, _ := about(t, Input{Bill: []cost.Sum{paid(november, "9", "USD"), paid(october, "7", "USD"), paid(october, "0.5", "USD"), paid(october.AddDate(0, -1, 0), "5", "USD")}}, cost.AboutDataEvents)
	if a.Saving.String() != "7.5" || a.Currency != "USD" {
		t.Errorf("saves %s %s", a.Saving, a.Currency)
	}
	for _, none := range [][]cost.Sum{{paid(november, "9", "USD")}, {paid(october, "9", "USD"), paid(october, "9", "JPY")}, nil} {
		if a, ok := about(t, Input{Bill: none}, cost.AboutDataEvents); ok {
			t.Errorf("saves %s %s", a.Saving, a.Currency)
		}
	}
}

func TestSelf(t *testing.T) {
	own, err := price.Parse("own.yaml", []byte(`
- {provider: Yagura, service: Yagura, item: disk, regions: ["*"], unit: gigabyte and month, currency: USD, price: 0.1, confidence: high, source: {title: our contract}, read: 2026-10-01}
- {provider: Yagura, service: Yagura, item: cpu, regions: ["*"], unit: hour of a processor, currency: USD, price: 0.05, confidence: high, source: {title: our contract}, read: 2026-10-01}
`))
	if err != nil {
		t.Fatal(err)
	}
	running := Running{Bytes: 20 << 30, Events: 5_000_000, CPU: 6 * time.Minute, Up: time.Hour}
	all := Judge(story(t))
	s := SelfOf(running, price.Builtin().With(own), all, now)
	// 20 GB at 0.10, and a tenth of a processor: 72 hours at 0.05.
	if s.Month == nil || s.Month.String() != "5.6" || s.Found == nil || s.Found.String() != "1475.28" || s.Currency != "USD" || len(s.Said) != 4 {
		t.Errorf("%+v", s)
	}
	s = SelfOf(running, price.Builtin(), nil, now)
	if s.Month != nil || s.Found != nil || !strings.Contains(s.Said[1].String(), "not known") {
		t.Errorf("without prices: %+v", s)
	}
}

// FuzzSelectors holds that what is left of a trail's selectors has nothing of what was
// taken out, and is never nothing.
func FuzzSelectors(f *testing.F) {
	f.Add(`[{"IncludeManagementEvents":true,"DataResources":[{"Type":"AWS::S3::Object"}]}]`, true)
	f.Add(`[{"DataResources":[]}]`, false)
	f.Add(`[{"FieldSelectors":[{"Field":"eventCategory","Equals":["Data"]}]},{"FieldSelectors":[{"Field":"eventCategory","Equals":["Management"]}]}]`, true)
	f.Add(`[null]`, false)
	f.Fuzz(func(t *testing.T, described string, data bool) {
		if left, ok := withoutPlain(json.RawMessage(described), data); ok {
			s, wrong := count.SetupOf([]cost.Fact{fact(count.EventSelectors, accountN, `{"TrailARN":"`+ownARN+`","EventSelectors":`+left+`}`)})
			if len(wrong) == 0 && (data && s.Selectors[0].Data || !data && s.Selectors[0].Management) {
				t.Errorf("of %s is left %s", described, left)
			}
		}
		if left, ok := withoutAdvanced(json.RawMessage(described), data); ok {
			s, wrong := count.SetupOf([]cost.Fact{fact(count.EventSelectors, accountN, `{"TrailARN":"`+ownARN+`","AdvancedEventSelectors":`+left+`}`)})
			if len(wrong) == 0 && (data && s.Selectors[0].Data || !data && s.Selectors[0].Management) {
				t.Errorf("of %s is left %s", described, left)
			}
		}
	})
}
