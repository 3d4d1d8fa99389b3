package advise

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/yagura-sec/yagura/cost"
	"github.com/yagura-sec/yagura/cost/count"
	"github.com/yagura-sec/yagura/cost/price"
	"github.com/yagura-sec/yagura/say"
)

var now = time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)

const (
	accountX = "111122223333" // churn, under Control Tower
	accountN = "444455556666" // owns the network, under nobody
	region   = "ap-northeast-1"

	typeInterface = "AWS::EC2::NetworkInterface"
	typeGroup     = "AWS::EC2::SecurityGroup"
	typeSubnet    = "AWS::EC2::Subnet"
	typeVPC       = "AWS::EC2::VPC"
	typeRole      = "AWS::IAM::Role"
	typeBucket    = "AWS::S3::Bucket"
)

// spread gives counts over 30 days that come to these sums.
func spread(account, resourceType string, items, resourceDays int64, basis cost.Basis) (out []cost.Count) {
	const days = 30
	for d := range int64(days) {
		part := func(n int64) int64 { return n*(d+1)/days - n*d/days }
		c := cost.Count{Account: account, Region: region, ResourceType: resourceType, Day: now.AddDate(0, 0, int(d)-days), Basis: basis, Items: part(items), ResourceDays: -1}
		if resourceDays >= 0 {
			c.ResourceDays = part(resourceDays)
		}
		c.Low, c.High = c.Items, c.Items
		out = append(out, c)
	}
	return out
}

// recorder is one as it is described.
func recorder(account, name string) cost.Fact {
	return cost.Fact{Kind: count.Recorders, Account: account, Region: region, At: now, Document: fmt.Appendf(nil, `{"ConfigurationRecorders":[{
		"arn":"arn:aws:config:%s:%s:configuration-recorder/%s/x","name":%q,"roleARN":"arn:aws:iam::%s:role/config",
		"recordingGroup":{"allSupported":true,"includeGlobalResourceTypes":true,"resourceTypes":[]},"recordingMode":{"recordingFrequency":"CONTINUOUS"},"recordingScope":"PAID"}]}`,
		region, account, name, name, account)}
}

func rules(account string, rules ...string) cost.Fact {
	return cost.Fact{Kind: count.ConfigRules, Account: account, Region: region, At: now, Document: []byte(`{"ConfigRules":[` + strings.Join(rules, ",") + `]}`)}
}

func setup(t testing.TB, facts ...cost.Fact) count.Setup {
	t.Helper()
	s, wrong := count.SetupOf(facts)
	if len(wrong) > 0 {
		t.Fatal(wrong)
	}
	return s
}

// story is the input of the story's numbers.
func story(t testing.TB) Input {
	in := Input{Now: now, Prices: price.Builtin(), Setup: setup(t,
		recorder(accountX, "aws-controltower-BaselineConfigRecorder"), recorder(accountN, "default"), rules(accountX), rules(accountN))}
	for _, c := range []struct {
		account, resourceType string
		items, days           int64
	}{
		{accountX, typeInterface, 510_000, 900}, {accountX, typeGroup, 255_000, 1_200},
		{accountN, typeSubnet, 255_000, 720}, {accountN, typeVPC, 240_000, 90},
		{accountN, typeRole, 120, 118}, {accountN, typeBucket, 300, 75}, {accountN, "AWS::Config::ResourceCompliance", 400_000, 300},
	} {
		in.Counts = append(in.Counts, spread(c.account, c.resourceType, c.items, c.days, cost.History)...)
	}
	return in
}

func find(t testing.TB, all []cost.Advice, kind, account, resourceType string) cost.Advice {
	t.Helper()
	i := slices.IndexFunc(all, func(a cost.Advice) bool {
		return a.Kind == kind && a.Account == account && a.ResourceType == resourceType
	})
	if i < 0 {
		t.Fatalf("there is no advice about %s of %s in %s", kind, resourceType, account)
	}
	return all[i]
}

func TestStory(t *testing.T) {
	all := Judge(story(t))
	f := func(account, resourceType, saving string, verdict cost.Verdict, plan bool) {
		t.Helper()
		a := find(t, all, cost.AboutRecording, account, resourceType)
		if a.Saving.String() != saving || a.Verdict != verdict || len(a.Plan) > 0 != plan || len(a.Undo) > 0 != plan || a.Basis != cost.History || a.Reason.String() == "" {
			t.Errorf("%s: saves %s, %s, plan %q, %s: %s", resourceType, a.Saving, a.Verdict, a.Plan, a.Basis, a.Reason)
		}
		t.Log(a.Reason, "|", a.Lost)
		t.Log(a.Reason.In(say.Japanese), "|", a.Lost.In(say.Japanese))
	}
	f(accountX, typeInterface, "1519.2", cost.NotAdvised, false)
	f(accountX, typeGroup, "750.6", cost.NotAdvised, false)
	f(accountN, typeSubnet, "756.36", cost.Change, true)
	f(accountN, typeVPC, "718.92", cost.Change, true)
	f(accountN, typeRole, "-1.056", cost.Keep, false)
	f(accountN, typeBucket, "0", cost.Keep, false)
	f(accountN, "AWS::Config::ResourceCompliance", "0", cost.Cannot, false)

	var total, actionable decimal.Decimal
	for _, a := range all {
		switch a.Verdict {
		case cost.Change:
			actionable = actionable.Add(a.Saving)
			total = total.Add(a.Saving)
		case cost.NotAdvised:
			total = total.Add(a.Saving)
		}
	}
	if total.String() != "3745.08" || actionable.String() != "1475.28" {
		t.Errorf("%s in all, %s of it actionable", total, actionable)
	}
	if all[0].ResourceType != typeInterface {
		t.Errorf("%s comes first", all[0].Key)
	}
}

// TestRatios holds the verdicts just below, at and above the break-even, whatever the
// number of days: the comparison is exact.
func TestRatios(t *testing.T) {
	f := func(items, resourceDays int64, days int, want cost.Verdict, sign int) {
		t.Helper()
		in := story(t)
		in.Counts = nil
		for d := range days {
			in.Counts = append(in.Counts, cost.Count{Account: accountN, Region: region, ResourceType: typeVPC, Day: now.AddDate(0, 0, -days+d), Basis: cost.History})
		}
		last := &in.Counts[len(in.Counts)-1]
		last.Items, last.Low, last.High, last.ResourceDays = items, items, items, resourceDays
		a := find(t, Judge(in), cost.AboutRecording, accountN, typeVPC)
		if a.Verdict != want || a.Saving.Sign() != sign {
			t.Errorf("%d items on %d resource-days in %d days: %s, %s", items, resourceDays, days, a.Verdict, a.Saving)
		}
		if said := a.Reason.String(); sign != 0 && resourceDays > 0 && strings.Contains(said, "That is 4 items") {
			t.Errorf("%d items on %d resource-days in %d days: rounding hides why: %s", items, resourceDays, days, said)
		}
	}
	for _, days := range []int{1, 7, 13, 29, 30} {
		f(3_999_999, 1_000_000, days, cost.Keep, -1)
		f(4_000_000, 1_000_000, days, cost.Keep, 0)
		f(4_000_001, 1_000_000, days, cost.Change, 1)
		f(0, 0, days, cost.Keep, 0)
		f(17, 0, days, cost.Change, 1)
	}
}

// TestTally holds which counts are taken together.
func TestTally(t *testing.T) {
	one := func(basis cost.Basis, day int, items, resourceDays int64) cost.Count {
		return cost.Count{Account: accountN, Region: region, ResourceType: typeVPC, Day: now.AddDate(0, 0, day), Items: items, Low: items, High: items, ResourceDays: resourceDays, Basis: basis}
	}
	f := func(basis cost.Basis, items, during, resourceDays, changing int64, counts ...cost.Count) {
		t.Helper()
		all := tally(counts)
		i := slices.IndexFunc(all, func(x tallied) bool { return x.Account == accountN })
		if i < 0 {
			t.Fatal("nothing is tallied")
		}
		x := all[i]
		if x.basis != basis || x.items != items || x.during.days() != during || x.resourceDays != resourceDays || x.changing.days() != changing {
			t.Errorf("%+v", x)
		}
	}
	f(cost.Metric, 30, 2, 5, 3, one(cost.Metric, -2, 10, -1), one(cost.Metric, -1, 20, -1), one(cost.History, -4, 7, 2), one(cost.History, -2, 7, 3))
	f(cost.History, 7, 1, 2, 1, one(cost.History, -4, 7, 2))
	f(cost.Estimate, 7, 1, -1, 1, one(cost.Estimate, -4, 7, -1))
	// The days before the latest 30, and those before a gap, do not count.
	f(cost.History, 1, 1, 1, 1, one(cost.History, -1, 1, 1), one(cost.History, -60, 100, 100))
	var long []cost.Count
	for d := range 50 {
		long = append(long, one(cost.History, -d, 1, 1))
	}
	f(cost.History, 30, 30, 30, 30, long...)
	// Where others were counted, days without items are days.
	other := one(cost.History, -5, 9, 9)
	other.Account = accountX
	f(cost.History, 3, 5, 3, 5, one(cost.History, -1, 3, 3), other)
}

func TestUnknown(t *testing.T) {
	judge := func(change func(in *Input)) cost.Advice {
		in := story(t)
		change(&in)
		return find(t, Judge(in), cost.AboutRecording, accountN, typeSubnet)
	}
	f := func(verdict cost.Verdict, words string, change func(in *Input)) {
		t.Helper()
		if a := judge(change); a.Verdict != verdict || !strings.Contains(a.Reason.String(), words) || len(a.Plan) > 0 {
			t.Errorf("%s, plan %q: %s", a.Verdict, a.Plan, a.Reason)
		}
	}
	f(cost.Keep, "What it costs in cn-north-1 is not known", func(in *Input) {
		for i := range in.Counts {
			in.Counts[i].Region = "cn-north-1"
		}
	})
	f(cost.NotAdvised, "Whether AWS Control Tower governs this account is not known", func(in *Input) { in.Setup = setup(t) })
	f(cost.Change, "How its recorder is set up is not known", func(in *Input) {
		in.Setup = setup(t, cost.Fact{Kind: count.LandingZones, Document: []byte(`{"landingZones":[]}`)})
	})
	f(cost.Keep, "recorded daily already", func(in *Input) { in.Setup.Recorders[1].Mode.Frequency = "DAILY" })
	f(cost.Keep, "Its recorder leaves it out now", func(in *Input) {
		in.Setup.Recorders[1].Group.ExclusionByResourceTypes = &count.Excluded{ResourceTypes: []string{typeSubnet}}
	})
	f(cost.Keep, "Its recorder leaves it out now", func(in *Input) {
		in.Setup.Recorders[1].Group = count.Group{ResourceTypes: []string{typeVPC}}
	})
	f(cost.Keep, "changed resource-days are not known", func(in *Input) {
		for i := range in.Counts {
			in.Counts[i].ResourceDays, in.Counts[i].Basis = -1, cost.Metric
		}
	})
	for _, counted := range []bool{true, false} {
		a := judge(func(in *Input) {
			for i := range in.Counts {
				in.Counts[i].Basis, in.Counts[i].Low, in.Counts[i].High = cost.Estimate, in.Counts[i].Items/2, in.Counts[i].Items*2
				if !counted {
					in.Counts[i].ResourceDays = -1
				}
			}
		})
		if a.Basis != cost.Estimate || a.Low == nil || a.High == nil || !a.Low.LessThan(*a.High) || (a.Verdict == cost.Change) != counted || a.Confidence >= 0.6 {
			t.Errorf("an estimate: %+v", a)
		}
	}
	a := judge(func(in *Input) { // the break-even lies within
		for i := range in.Counts {
			in.Counts[i].Basis, in.Counts[i].Low = cost.Estimate, 0
		}
	})
	if a.Verdict != cost.Keep || !strings.Contains(a.Reason.String(), "reaches across the break-even") {
		t.Errorf("an estimate across the break-even: %s, %s", a.Verdict, a.Reason)
	}
}

func TestNeeds(t *testing.T) {
	f := func(verdict cost.Verdict, words string, facts ...cost.Fact) {
		t.Helper()
		in := story(t)
		in.Setup = setup(t, append(facts, recorder(accountN, "default"))...)
		a := find(t, Judge(in), cost.AboutRecording, accountN, typeSubnet)
		if a.Verdict != verdict || !strings.Contains(a.Reason.String()+a.Lost.String(), words) || (len(a.Plan) > 0) != (verdict == cost.Change) {
			t.Errorf("%s, plan %q: %s | %s", a.Verdict, a.Plan, a.Reason, a.Lost)
		}
	}
	subnetRule := `{"ConfigRuleName":"subnets-private","ConfigRuleArn":"arn:aws:config:` + region + `:` + accountN + `:config-rule/a","Scope":{"ComplianceResourceTypes":["AWS::EC2::Subnet"]},"Source":{"SourceIdentifier":"SUBNETS"}}`
	firewall := func(account, service, resourceType string) cost.Fact {
		return cost.Fact{Kind: count.FirewallPolicies, Account: account, Document: []byte(`{"PolicyList":[{"PolicyId":"f-1","PolicyName":"edge","ResourceType":"` + resourceType + `","SecurityServiceType":"` + service + `"}]}`)}
	}
	f(cost.Change, "subnets-private", rules(accountN, subnetRule))
	f(cost.Change, "Which rules look at its changes is not known")
	f(cost.Keep, "Firewall Manager needs continuous recording of it (edge)", firewall(accountN, "NETWORK_ACL_COMMON", typeSubnet))
	f(cost.Keep, "edge", firewall(accountN, "NETWORK_FIREWALL", typeVPC)) // it looks at subnets too
	f(cost.Change, "none of its policies is known to reach this account", firewall(accountX, "NETWORK_FIREWALL", typeVPC))
	f(cost.Change, "", firewall(accountN, "DNS_FIREWALL", typeVPC))
	f(cost.Keep, "edge", firewall(accountX, "NETWORK_FIREWALL", typeVPC),
		cost.Fact{Kind: count.FirewallMembers, Document: []byte(`{"PolicyComplianceStatusList":[{"PolicyId":"f-1","MemberAccount":"` + accountN + `"}]}`)})
	f(cost.Keep, "managed-by-fms", rules(accountN, strings.NewReplacer("subnets-private", "managed-by-fms", `"Source"`, `"CreatedBy":"fms.amazonaws.com","Source"`).Replace(subnetRule)))
}

func TestTower(t *testing.T) {
	zone := func(version, config string) cost.Fact {
		return cost.Fact{Kind: count.LandingZone, Document: []byte(`{"landingZone":{"version":"` + version + `","manifest":{"config":{"enabled":` + config + `}}}}`)}
	}
	baseline := cost.Fact{Kind: count.Baselines, Document: []byte(`{"enabledBaselines":[{"baselineIdentifier":"arn:aws:controltower:us-east-1::baseline/17BSJV3IGJ2QSGA2","targetIdentifier":"arn:aws:organizations::999900001111:account/o-1/` + accountN + `","statusSummary":{"status":"SUCCEEDED"}}]}`)}
	policy := cost.Fact{Kind: count.PolicyText, Name: "p-guard123", Document: []byte(`{"Policy":{"PolicySummary":{"Id":"p-guard123","Name":"aws-guardrails-x"},"Content":"{\"Action\":[\"config:PutConfigurationRecorder\"]}"}}`)}
	targets := cost.Fact{Kind: count.PolicyTargets, Name: "list-targets-p-guard123.json", Document: []byte(`{"Targets":[{"TargetId":"` + accountN + `","Type":"ACCOUNT"}]}`)}
	role := Trace{SeenRole, accountN, towerRole, now.AddDate(0, 0, -3)}

	f := func(state governance, traces []Trace, facts ...cost.Fact) {
		t.Helper()
		j := judge{Input: Input{Setup: setup(t, facts...), Traces: traces}, towers: map[string]tower{}}
		if got := j.towerOf(accountN); got.state != state || (state == governed) != (len(got.evidence) > 0 && state != released) {
			t.Errorf("%s with %v, want %s", got.state, got.evidence, state)
		}
	}
	own, towers := recorder(accountN, "default"), recorder(accountN, "aws-controltower-BaselineConfigRecorder")
	f(unknown, nil)
	f(unknown, nil, zone("3.3", "true"), recorder(accountX, "default"))
	f(free, nil, own)
	f(free, nil, own, zone("3.3", "true"), policy)
	f(governed, nil, towers)
	f(governed, nil, own, policy, targets)
	f(governed, nil, own, baseline)
	f(governed, []Trace{role}, own)
	f(governed, []Trace{role}, own, zone("3.3", "false")) // before 4.0 it is never off
	f(governed, []Trace{role}, own, zone("4.0", "true"))
	f(released, []Trace{role}, own, zone("4.0", "false"))
	f(released, nil, own, baseline, zone("4.0", "false"))
	f(governed, nil, towers, zone("4.0", "false"))               // what it left behind is its own still
	f(governed, nil, own, policy, targets, zone("4.0", "false")) // and so is what its policy forbids
	f(governed, []Trace{role}, zone("4.0", "false"))             // whose the recorder is is not known
	f(free, []Trace{{SeenFirewall, accountN, "fms", now}}, own)  // not Control Tower's
	f(free, []Trace{{SeenRole, accountX, towerRole, now}}, own)  // another account
	f(unknown, []Trace{{SeenRole, accountX, towerRole, now}})    // nothing of this one

	in := story(t)
	in.Traces, in.Setup = []Trace{role}, setup(t, own, baseline, zone("4.0", "false"))
	a := find(t, Judge(in), cost.AboutRecording, accountN, typeSubnet)
	if a.Verdict != cost.Change || len(a.Plan) == 0 || !strings.Contains(a.Reason.String(), "landing zone 4.0 leaves AWS Config to you: the recorder default is your own") {
		t.Errorf("%s, %q: %s", a.Verdict, a.Plan, a.Reason)
	}
	in = story(t)
	a = find(t, Judge(in), cost.AboutRecording, accountX, typeInterface)
	for _, words := range []string{"Possible, not advised", "aws-controltower-BaselineConfigRecorder", sourceSample.Title, "ConfigRecorderDailyResourceTypes=" + typeInterface, "IncludedAccounts=['" + accountX + "']", "drift"} {
		if !strings.Contains(a.Reason.String(), words) {
			t.Errorf("%q is missing in %s", words, a.Reason)
		}
	}
	if !slices.Contains(a.Sources, sourceTower) || !slices.Contains(a.Sources, sourceSample) {
		t.Errorf("sources %v", a.Sources)
	}
}

// TestNoRecorderCalls holds over random worlds that no plan for an account that
// Control Tower governs, or may govern, calls the recorder.
func TestNoRecorderCalls(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	types := []string{typeInterface, typeSubnet, typeRole, "AWS::Config::ResourceCompliance"}
	plans, governedSeen := 0, 0
	for range 2000 {
		in := Input{Now: now, Prices: price.Builtin(), Exclusions: rng.IntN(2) == 0}
		var facts []cost.Fact
		if rng.IntN(2) == 0 {
			name := []string{"default", "aws-controltower-BaselineConfigRecorder"}[rng.IntN(2)]
			facts = append(facts, recorder(accountN, name))
		}
		if rng.IntN(2) == 0 {
			facts = append(facts, rules(accountN))
		}
		if rng.IntN(3) == 0 {
			facts = append(facts, cost.Fact{Kind: count.LandingZone, Document: fmt.Appendf(nil, `{"landingZone":{"version":"%d.0","manifest":{"config":{"enabled":%v}}}}`, 2+rng.IntN(4), rng.IntN(2) == 0)})
		}
		if rng.IntN(4) == 0 {
			facts = append(facts, cost.Fact{Kind: count.LandingZones, Document: []byte(`{"landingZones":[]}`)})
		}
		in.Setup = setup(t, facts...)
		for _, kind := range []TraceKind{SeenRole, SeenRecorder, SeenTrail, SeenPolicy, SeenLifecycle} {
			if rng.IntN(6) == 0 {
				in.Traces = append(in.Traces, Trace{kind, accountN, "x", now})
			}
		}
		for _, typ := range types {
			in.Counts = append(in.Counts, spread(accountN, typ, rng.Int64N(1e6), rng.Int64N(1e5)-1, bases[rng.IntN(3)])...)
		}
		j := judge{Input: in, towers: map[string]tower{}}
		state := j.towerOf(accountN).state
		for _, a := range Judge(in) {
			plans += len(a.Plan)
			if state != governed && state != unknown {
				continue
			}
			governedSeen++
			if calls := strings.Join(append(a.Plan, a.Undo...), "\n"); strings.Contains(calls, "configservice") || a.Verdict == cost.Change {
				t.Fatalf("%s account: %s %s\n%s", state, a.Key, a.Verdict, calls)
			}
		}
	}
	if plans == 0 || governedSeen == 0 {
		t.Errorf("%d plans, %d advices for governed accounts: the worlds show nothing", plans, governedSeen)
	}
}

func TestPlan(t *testing.T) {
	in := story(t)
	a := find(t, Judge(in), cost.AboutRecording, accountN, typeVPC)
	want := `aws configservice put-configuration-recorder --region ap-northeast-1 --configuration-recorder '{"name":"default","roleARN":"arn:aws:iam::444455556666:role/config","recordingMode":{"recordingFrequency":"CONTINUOUS","recordingModeOverrides":[{"description":"recorded otherwise than the rest, by what it costs","resourceTypes":["AWS::EC2::Subnet","AWS::EC2::VPC"],"recordingFrequency":"DAILY"}]}}' --recording-group '{"allSupported":true,"includeGlobalResourceTypes":true}'`
	back := `aws configservice put-configuration-recorder --region ap-northeast-1 --configuration-recorder '{"name":"default","roleARN":"arn:aws:iam::444455556666:role/config","recordingMode":{"recordingFrequency":"CONTINUOUS"}}' --recording-group '{"allSupported":true,"includeGlobalResourceTypes":true}'`
	if len(a.Plan) != 1 || a.Plan[0] != want || len(a.Undo) != 1 || a.Undo[0] != back {
		t.Errorf("plan\n%s\nundo\n%s", a.Plan, a.Undo)
	}
	// Overrides that are there stay, and a daily default loses its exceptions.
	r := in.Setup.Recorders[1]
	f := func(m count.Mode, want string) {
		t.Helper()
		r.Mode = m
		plan, undo, ok := dailyPlan(&r, []string{typeVPC})
		if !ok || !strings.Contains(plan[0], want) || !strings.Contains(undo[0], text(m)) {
			t.Errorf("%v\n%s\n%s", ok, plan, undo)
		}
	}
	f(count.Mode{Frequency: "CONTINUOUS", Overrides: []count.Override{{Types: []string{typeBucket}, Frequency: "DAILY"}}}, `["AWS::EC2::VPC","AWS::S3::Bucket"],"recordingFrequency":"DAILY"`)
	f(count.Mode{Frequency: "DAILY", Overrides: []count.Override{{Types: []string{typeBucket, typeVPC}, Frequency: "CONTINUOUS"}}}, `["AWS::S3::Bucket"],"recordingFrequency":"CONTINUOUS"`)
	f(count.Mode{Frequency: "DAILY", Overrides: []count.Override{{Types: []string{typeVPC}, Frequency: "CONTINUOUS"}}}, `{"recordingFrequency":"DAILY"}`)
	// Without the whole setting there is no way back.
	for _, broken := range []func(*count.Recorder){func(r *count.Recorder) { r.Role = "" }, func(r *count.Recorder) { r.Region = "" }, func(r *count.Recorder) { r.Group = count.Group{} }} {
		r := in.Setup.Recorders[1]
		broken(&r)
		if plan, _, ok := dailyPlan(&r, []string{typeVPC}); ok || len(plan) > 0 {
			t.Errorf("a plan without a way back: %s", plan)
		}
	}
}

func TestExclusion(t *testing.T) {
	f := func(verdict cost.Verdict, plan, words string, facts ...cost.Fact) {
		t.Helper()
		in := story(t)
		in.Exclusions, in.Setup = true, setup(t, facts...)
		a := find(t, Judge(in), cost.AboutExclusion, accountN, "AWS::Config::ResourceCompliance")
		if a.Saving.String() != "1200" || a.Verdict != verdict || !strings.Contains(strings.Join(a.Plan, ""), plan) || len(a.Plan) > 0 != (plan != "") || !strings.Contains(a.Reason.String(), words) {
			t.Errorf("%s, %s, %q: %s", a.Saving, a.Verdict, a.Plan, a.Reason)
		}
	}
	rule := `{"ConfigRuleName":"buckets-private","ConfigRuleArn":"arn:aws:config:` + region + `:` + accountN + `:config-rule/a","Scope":{"ComplianceResourceTypes":["AWS::S3::Bucket"]}}`
	f(cost.Keep, "", "needed by buckets-private", recorder(accountN, "default"), rules(accountN, rule))
	f(cost.Keep, "", "which rules need it is not known", recorder(accountN, "default"))
	f(cost.NotAdvised, "", "Control Tower", recorder(accountN, "aws-controltower-BaselineConfigRecorder"), rules(accountN))
	f(cost.Change, `"exclusionByResourceTypes":{"resourceTypes":["AWS::Config::ResourceCompliance"]}`, "Leaving it out", recorder(accountN, "default"), rules(accountN))
	// A recorder of before there was a choice of how often.
	old := recorder(accountN, "default")
	old.Document = []byte(strings.Replace(string(old.Document), `,"recordingMode":{"recordingFrequency":"CONTINUOUS"}`, "", 1))
	f(cost.Change, `"recordingMode":{"recordingFrequency":"CONTINUOUS"}`, "Leaving it out", old, rules(accountN))
	in := story(t)
	in.Exclusions = true
	for _, a := range Judge(in) {
		if a.Kind == cost.AboutExclusion && a.ResourceType == typeRole {
			t.Errorf("%s a month is told of", a.Saving)
		}
	}
}

// TestStable holds that the same input gives the same advice, and JSON of it.
func TestStable(t *testing.T) {
	one, err := json.Marshal(Judge(story(t)))
	if err != nil {
		t.Fatal(err)
	}
	in := story(t)
	slices.Reverse(in.Counts)
	if two, err := json.Marshal(Judge(in)); err != nil || string(one) != string(two) {
		t.Errorf("advice depends on the order of counts: %v", err)
	}
}
