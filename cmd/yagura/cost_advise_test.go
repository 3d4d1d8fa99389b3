package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/api"
	"github.com/yagura-sec/yagura/cost"
	"github.com/yagura-sec/yagura/cost/advise"
	"github.com/yagura-sec/yagura/event"
)

// adviseWorld is two accounts with the same counts: Control Tower's role works in the
// first, and nothing but the log shows it; a key of the second is used, another is
// not.
type adviseWorld struct {
	dir string
	now time.Time
}

const (
	towered = "111122223333"
	plainly = "444455556666"
	usedKey = "arn:aws:kms:us-east-1:444455556666:key/1111aaaa"
	idleKey = "arn:aws:kms:us-east-1:444455556666:key/2222bbbb"
)

func (w adviseWorld) put(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join(w.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// record is one of CloudTrail.
func (w adviseWorld) record(n int, account, source, name, actor, more string) string {
	at := w.now.Add(-time.Duration(n) * 24 * time.Hour).Format(time.RFC3339)
	return fmt.Sprintf(`{"eventVersion":"1.09","userIdentity":{"type":"AssumedRole","arn":"arn:aws:sts::%s:assumed-role/%s/x","accountId":%q,"sessionContext":{"sessionIssuer":{"type":"Role","arn":"arn:aws:iam::%s:role/%s","accountId":%q,"userName":%q}}},"eventTime":%q,"eventSource":"%s.amazonaws.com","eventName":%q,"awsRegion":"us-east-1","sourceIPAddress":"203.0.113.7","eventID":"%s-%s-%d","readOnly":true,"eventType":"AwsApiCall","recipientAccountId":%q%s}`,
		account, actor, account, account, actor, account, actor, at, source, name, account, name, n, account, more)
}

func (w adviseWorld) write(t *testing.T) {
	t.Helper()
	var records []string
	for n := range 95 {
		records = append(records, w.record(n, plainly, "kms", "Decrypt", "app", `,"resources":[{"ARN":"`+usedKey+`","type":"AWS::KMS::Key","accountId":"`+plainly+`"}]`))
	}
	records = append(records, w.record(2, towered, "config", "DescribeConfigurationRecorders", "AWSControlTowerExecution", ""))
	w.put(t, "logs/trail.json", `{"Records":[`+strings.Join(records, ",")+`]}`)

	counts := "account,region,resource_type,day,items,resource_days\n"
	for n := range 30 {
		day := w.now.AddDate(0, 0, -n-1).Format(time.DateOnly)
		for _, a := range []string{towered, plainly} {
			counts += a + ",us-east-1,AWS::EC2::Subnet," + day + ",8500,24\n"
		}
	}
	w.put(t, "counts/history.csv", counts)
	for _, a := range []string{towered, plainly} {
		w.put(t, "counts/"+a+"/us-east-1/recorders.json", `{"ConfigurationRecorders":[{"name":"default","roleARN":"arn:aws:iam::`+a+`:role/config","recordingGroup":{"allSupported":true}}]}`)
	}
	w.put(t, "counts/"+plainly+"/us-east-1/rules.json", `{"ConfigRules":[]}`)
	bill := strings.Replace(curHead, "line_item_usage_type", "line_item_resource_id,line_item_usage_type", 1)
	for _, key := range []string{usedKey, idleKey} {
		bill += strings.Replace(curLine("2026-10", plainly, "Usage", "awskms", "us-east-1-KMS-Keys", "1", "1.00"), ",us-east-1-KMS-Keys", ","+key+",us-east-1-KMS-Keys", 1)
	}
	w.put(t, "bills/october.csv", bill)
}

func TestAdvise(t *testing.T) {
	w := adviseWorld{t.TempDir(), time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
	w.write(t)
	c := &commands{t, t.TempDir()}
	now := "--now=" + w.now.Format(time.RFC3339)
	c.ok("ingest", filepath.Join(w.dir, "logs"), now)
	imported(t, c.data, exitDone, filepath.Join(w.dir, "counts"), filepath.Join(w.dir, "bills"))

	var v api.CostAdvices
	c.json(&v, "cost", "advise", now)
	about := func(kind, account string) *api.CostAdvice {
		t.Helper()
		i := slices.IndexFunc(v.Advice, func(a api.CostAdvice) bool { return a.Kind == kind && a.Account == account })
		if i < 0 {
			t.Fatalf("there is no advice about %s of %s", kind, account)
		}
		return &v.Advice[i]
	}
	if a := about(cost.AboutRecording, plainly); a.Verdict != cost.Change || a.Saving.String() != "756.36" || len(a.Plan) != 1 || len(a.Undo) != 1 {
		t.Errorf("%+v", a)
	}
	if a := about(cost.AboutRecording, towered); a.Verdict != cost.NotAdvised || a.Saving.String() != "756.36" || len(a.Plan)+len(a.Undo) > 0 || !strings.Contains(a.Reason.String(), "role AWSControlTowerExecution was assumed (2026-11-20)") {
		t.Errorf("%+v", a)
	}
	if a := about(cost.AboutUnusedKey, plainly); a.Verdict != cost.Change || a.Key != "unused_key/"+idleKey || a.Saving.String() != "1" || len(a.Undo) != 2 || a.Items != nil || a.ResourceDays != nil || a.Basis != cost.Billed {
		t.Errorf("%+v", a)
	}
	if v.Saving.String() != "1513.72" || v.Actionable.String() != "757.36" || v.Currency != "USD" || len(v.Advice) != 3 {
		t.Errorf("%s, of it %s %s, %d", v.Saving, v.Actionable, v.Currency, len(v.Advice))
	}
	c.json(&v, "cost", "advise", "--all", "--account", plainly, now)
	if a := about(cost.AboutExclusion, plainly); a.Verdict != cost.Change || len(a.Plan) != 1 || len(v.Advice) != 3 || v.Actionable.String() != "757.36" {
		t.Errorf("%+v, %d in all, %s", a, len(v.Advice), v.Actionable)
	}
	table := c.ok("cost", "advise", "--plans", now)
	for _, words := range []string{"Actionable: 757.36 USD a month, of 1,513.72 USD", "Plan: aws configservice put-configuration-recorder", "Undo: aws kms cancel-key-deletion", "control-limitations.html (read 2026-11-22)"} {
		if !strings.Contains(table, words) {
			t.Errorf("%q is missing in\n%s", words, table)
		}
	}
	if words := "To come back to it: yagura decision add --about "; strings.Count(table, words) != 1 {
		t.Errorf("%q is not said of what is possible and not advised alone, in\n%s", words, table)
	}
	for _, format := range []string{"table", "json", "csv"} {
		if out := c.ok("cost", "advise", "--plans", "--masked", "--format", format, now); strings.Contains(out, towered) || strings.Contains(out, plainly) || !strings.Contains(out, "AWS::") {
			t.Errorf("masked, as %s:\n%s", format, out)
		}
	}
	if csv := c.ok("cost", "advise", "--format", "csv", now); !strings.Contains(csv, ",AWS::KMS::Key,unknown,unknown,1,change,bill,") || !strings.Contains(csv, "%,USD,") || strings.Contains(csv, ",-1,") {
		t.Errorf("counts that nobody knows are not said to be unknown:\n%s", csv)
	}
	if n := strings.Count(table, "Plan: aws configservice"); n != 1 {
		t.Errorf("%d plans call the recorder", n)
	}

	// A price of one's own takes the place of the program's.
	w.put(t, "prices.yaml", `- {service: AWS Config, provider: AWS, item: configuration_item, regions: ["*"], unit: item, currency: USD, price: 0.0001, confidence: high, source: {title: ours}, read: 2026-10-01}`)
	w.put(t, "yagura.yaml", "cost:\n  prices: "+filepath.Join(w.dir, "prices.yaml")+"\n")
	c.json(&v, "cost", "advise", "--config", filepath.Join(w.dir, "yagura.yaml"), now)
	if a := about(cost.AboutRecording, plainly); a.Verdict != cost.Change || a.Saving.String() != "16.86" {
		t.Errorf("at prices of one's own: %s, %s", a.Verdict, a.Saving)
	}
	w.put(t, "prices.yaml", "- {service: AWS Config}")
	if code, _, errs := ask(t, c.data, "cost", "advise", "--config", filepath.Join(w.dir, "yagura.yaml")); code != exitUsage || !strings.Contains(errs, "prices.yaml:1: provider is empty") {
		t.Errorf("exits with %d: %s", code, errs)
	}
}

// TestTraces holds what events say of who governs accounts.
func TestTraces(t *testing.T) {
	f := func(operation, raw string, want ...advise.Trace) {
		t.Helper()
		e := event.Event{APIOperation: operation, AccountUID: "999900001111", ResourceUID: "arn:aws:cloudtrail:us-east-1:999900001111:trail/aws-controltower-BaselineCloudTrail", Raw: json.RawMessage(raw)}
		if got := tracesOf(&e); !slices.Equal(got, want) {
			t.Errorf("%s: %+v, want %+v", operation, got, want)
		}
	}
	f("CreateManagedAccount", `{"serviceEventDetails":{"createManagedAccountStatus":{"state":"SUCCEEDED","account":{"accountId":"111122223333"}}}}`,
		advise.Trace{Kind: advise.SeenLifecycle, Account: "111122223333", Name: "CreateManagedAccount"})
	f("CreateManagedAccount", `{"serviceEventDetails":{"createManagedAccountStatus":{"state":"FAILED","account":{"accountId":"111122223333"}}}}`)
	f("UpdateLandingZone", `{"serviceEventDetails":{"updateLandingZoneStatus":{"state":"SUCCEEDED","accounts":[{"accountId":"111122223333"},{"accountName":"x"}]}}}`,
		advise.Trace{Kind: advise.SeenLifecycle, Account: "111122223333", Name: "UpdateLandingZone"})
	f("UpdateLandingZone", `{"serviceEventDetails":"none"}`)
	f("UpdateLandingZone", `{`)
	f("CreateTrail", `{}`, advise.Trace{Kind: advise.SeenTrail, Account: "999900001111", Name: "aws-controltower-BaselineCloudTrail"})
	f("AttachPolicy", `{"requestParameters":{"policyId":"p-1","targetId":"111122223333"}}`, advise.Trace{Kind: advise.SeenPolicy, Account: "111122223333", Name: "p-1"})
	f("AttachPolicy", `{"requestParameters":{"policyId":"p-1","targetId":"ou-ab12-cdef3456"}}`)
}

// TestDataReaders holds that our own rules that look at objects are known to.
func TestDataReaders(t *testing.T) {
	p := &program{}
	if all := p.dataReaders(); len(all) > 0 {
		t.Errorf("without rules there are %v", all)
	}
	p.cfg.Rules.Builtin = true
	all := p.dataReaders()
	if len(all) == 0 || !slices.ContainsFunc(all, func(r advise.Reader) bool { return r.Kind == "rule" }) {
		t.Errorf("none of our rules looks at data events: %v", all)
	}
	for _, r := range all {
		if r.Name == "" {
			t.Error("a reader has no name")
		}
	}
}
