package alert

import (
	"strings"
	"testing"
	"time"
)

func TestQualify(t *testing.T) {
	f := func(typ, id, want string) {
		t.Helper()
		r := Resource{UID: id, Type: typ}
		if r.qualify("111122223333", "eu-west-1"); r.UID != want {
			t.Errorf("%s %s = %s, want %s", typ, id, r.UID, want)
		}
	}
	f("AwsEc2Instance", "i-0abc", "arn:aws:ec2:eu-west-1:111122223333:instance/i-0abc")
	f("AWS_EC2_INSTANCE", "i-0abc", "arn:aws:ec2:eu-west-1:111122223333:instance/i-0abc")
	f("AWS::S3::Bucket", "ledger-books", "arn:aws:s3:::ledger-books")
	f("AwsIamRole", "deploy", "arn:aws:iam::111122223333:role/deploy")
	f("AwsSqsQueue", "https://sqs.eu-west-1.amazonaws.com/111122223333/jobs", "arn:aws:sqs:eu-west-1:111122223333:jobs")
	f("AwsAccount", "AWS::::Account:111122223333", "111122223333")
	f("AWS::::Account", "111122223333", "111122223333")
	f("AwsS3Bucket", "arn:aws:s3:::x", "arn:aws:s3:::x")
	f("AwsFutureThing", "thing-1", "thing-1")
	f("AwsEc2Instance", "has space", "has space")
}

func TestWhen(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		v, err := decode([]byte(`{"t":` + text + `}`))
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if at := v.time("t"); !at.IsZero() {
			got = at.Format(time.RFC3339Nano)
		}
		if got != want {
			t.Errorf("%s = %q, want %q", text, got, want)
		}
	}
	f(`"2026-03-01T10:00:00Z"`, "2026-03-01T10:00:00Z")
	f(`"2026-03-01T10:00:00.1234567Z"`, "2026-03-01T10:00:00.123456Z")
	f(`"2026-03-01T10:00:00+09:00"`, "2026-03-01T01:00:00Z")
	f(`"2026-03-01T10:00:00.5"`, "2026-03-01T10:00:00.5Z") // Prowler
	f(`"2026-03-01 10:00:00.000000000"`, "2026-03-01T10:00:00Z")
	f(`1772359200`, "2026-03-01T10:00:00Z")
	f(`1772359200123`, "2026-03-01T10:00:00.123Z")
	f(`1772359200123456789`, "2026-03-01T10:00:00.123456Z") // no digit is lost
	f(`1772359200.25`, "2026-03-01T10:00:00.25Z")
	f(`"1772359200000"`, "2026-03-01T10:00:00Z")
	f(`{"__class__":"datetime","year":2026,"month":3,"day":1,"hour":10,"minute":0,"second":0,"microsecond":5}`, "2026-03-01T10:00:00.000005Z")
	f(`7`, "")
	f(`"yesterday"`, "")
	f(`"datetime(2015, 1, 1)"`, "")
	f(`null`, "")
	f(`1e300`, "")
}

func TestFind(t *testing.T) {
	f := func(body, want string) {
		t.Helper()
		got, why := Find([]byte(body))
		if got.Format != want || (why == "") == (want == "") {
			t.Errorf("Find(%s) = %q, %q; want %q", body, got.Format, why, want)
		}
	}
	guardDuty := `{"id":"1","accountId":"111122223333","type":"Recon:EC2/Portscan","severity":2,"resource":{},"service":{}}`
	f(guardDuty, GuardDuty)
	f(`{"detail-type":"GuardDuty Finding","source":"aws.guardduty","detail":`+guardDuty+`}`, GuardDuty)
	f(`{"event":`+guardDuty+`,"sourcetype":"aws:guardduty"}`, GuardDuty)                                                                                          // HEC
	f(`{"event":{"original":`+quote(guardDuty)+`},"@timestamp":"2026-03-01T00:00:00Z"}`, GuardDuty)                                                               // ECS
	f(`{"_index":"x","_source":{"message":`+quote(guardDuty)+`}}`, GuardDuty)                                                                                     // Elasticsearch
	f(`{"preview":false,"result":{"_raw":`+quote(guardDuty)+`}}`, GuardDuty)                                                                                      // Splunk
	f(`{"message":{"data":"eyJmaW5kaW5nIjp7Im5hbWUiOiJvcmdhbml6YXRpb25zLzEvc291cmNlcy8yL2ZpbmRpbmdzLzMiLCJjYXRlZ29yeSI6IlgiLCJzdGF0ZSI6IkFDVElWRSJ9fQ=="}}`, SCC) // Pub/Sub
	f(`{"Id":"1","AccountId":"1","Type":"t","Severity":2,"Resource":{},"Service":{}}`, GuardDuty)
	f(`{"SchemaVersion":"2018-10-08","ProductArn":"a","Severity":{},"Id":"x"}`, SecurityHub)
	f(`{"class_uid":2004,"metadata":{"product":{"uid":"arn:aws:securityhub:eu-west-1::productv2/aws/guardduty"}}}`, SecurityHub)
	f(`{"detail-type":"Security Hub Findings - Imported","detail":{"findings":[{"SchemaVersion":"2018-10-08","ProductArn":"a","Severity":{}}]}}`, SecurityHub) // a list of one
	f(`{"detail-type":"Security Hub Findings - Custom Action","detail":{"findings":[{"SchemaVersion":"2018-10-08","ProductArn":"a","Severity":{}},{}]}}`, "")
	f(`{"findingId":"1","analyzedAt":"2026-03-01T00:00:00Z","resourceType":"AWS::IAM::Role","resource":"r","status":"ACTIVE"}`, AccessAnalyzer)
	f(`{"class_uid":2004,"metadata":{"product":{"name":"Prowler"}}}`, Prowler)
	f(`{"class_uid":2002,"metadata":{"product":{"name":"Scanner"}}}`, OCSF)
	f(`{"class_uid":3002,"class_name":"Authentication","metadata":{}}`, "")
	f(`{"output":"o","priority":"Notice","rule":"r","output_fields":{},"time":"2026-03-01T00:00:00Z"}`, Falco)
	f(`{"id":"1","type":"policy","timestamp":1772359200123456789,"content":{"ruleName":"r"}}`, Sysdig)
	f(`{"id":"1","type":"command","timestamp":1,"timestampRFC3339Nano":"x"}`, "")
	f(`{"detail-type":"Scheduled Event","source":"aws.events","detail":{}}`, "")
	f(`{"detail":{"detail":{"detail":{"detail":{"detail":{"detail":{"detail":{}}}}}}}}`, "")
	f(`[]`, "")
	f(`{`, "")
	f(``, "")
	f(`{} {}`, "")
}

func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

func TestUnread(t *testing.T) {
	f := func(body, want string) {
		t.Helper()
		if _, why := Find([]byte(body)); !strings.Contains(why, want) {
			t.Errorf("Find(%s): %q, want %q", body, why, want)
		}
	}
	f(`{"detail-type":"Scheduled Event","source":"aws.events","detail":{}}`, `an EventBridge event "Scheduled Event" from "aws.events", with no finding`)
	f(`{"class_uid":4001,"class_name":"Network Activity","metadata":{}}`, "an OCSF event of class 4001 (Network Activity), not a finding")
	f(`{"expected":[]}`, "answers that a test expects")
	f(`{"InsightArn":"a","Filters":{}}`, "a Security Hub insight")
	f(`{"status_code":200,"data":{}}`, "without findings")
	f(`{"b":1,"a":2}`, "top-level keys a, b")
	f(`{"source":["aws.guardduty"],"detail-type":["GuardDuty Finding"],"detail":{"severity":[4]}}`, "rule's pattern")
	f(`{"\u001b[31m":1}`, "keys ?[31m")
	f(`{}`, "it has no keys")
}

// TestLarge: what is hostile is read in bounded time and space.
func TestLarge(t *testing.T) {
	many := func(element string, n int) string { return strings.TrimSuffix(strings.Repeat(element+",", n), ",") }
	f := func(body string) {
		t.Helper()
		a, err := Parse([]byte(body))
		if err != nil {
			t.Fatal(err)
		}
		if len(a.Resources) > maxList || len(a.Notes) > maxList || len(a.Related) > maxList || len(a.Attack) > maxList || len(a.Title) > maxText {
			t.Errorf("%d resources, %d notes, %d related, a title of %d bytes", len(a.Resources), len(a.Notes), len(a.Related), len(a.Title))
		}
		if why := flaw(&a); why != "" {
			t.Error(why)
		}
	}
	asff := `{"SchemaVersion":"2018-10-08","Id":"x","ProductArn":"arn:aws:securityhub:eu-west-1::product/a/b","AwsAccountId":"111122223333","UpdatedAt":"2026-03-01T00:00:00Z","Severity":{"Label":"LOW"},`
	f(asff + `"Title":"` + strings.Repeat("語", 100_000) + `"}`)
	f(asff + `"Title":"t","Resources":[` + many(`{"Type":"AwsEc2Instance","Id":"i-1"}`, 100_000) + `]}`)
	f(asff + `"Title":"t","RelatedFindings":[` + many(`{"ProductArn":"p/guardduty","Id":"i"}`, 100_000) + `]}`)
	f(asff + `"Title":"t","Types":[` + many(`"T1098/T1530"`, 100_000) + `]}`)
	f(`{"systemAlertId":"1","alertDisplayName":"a","timeGenerated":"2026-03-01T00:00:00Z","resourceIdentifiers":[` + many(`{"azureResourceId":"/subscriptions/a"}`, 100_000) + `]}`)
	f(asff + `"Title":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `}`)
}

// TestLinks: what does not lead to a page is no link.
func TestLinks(t *testing.T) {
	record := func(link string) []byte {
		return []byte(`{"SchemaVersion":"2018-10-08","Id":"arn:aws:securityhub:eu-west-1:111122223333:x/1",
			"ProductArn":"arn:aws:securityhub:eu-west-1::product/aws/securityhub","GeneratorId":"g","AwsAccountId":"111122223333",
			"Types":["T"],"CreatedAt":"2026-03-01T10:00:00Z","UpdatedAt":"2026-03-01T10:00:00Z","Severity":{"Label":"HIGH"},"Title":"t","Description":"d",
			"SourceUrl":"` + link + `","Resources":[{"Type":"AwsS3Bucket","Id":"arn:aws:s3:::b"}]}`)
	}
	f := func(link, want string) {
		t.Helper()
		a, err := Parse(record(link))
		if got := strings.Join(a.Links, " "); err != nil || got != want {
			t.Errorf("%s: links %q, %v", link, got, err)
		}
	}
	f("https://docs.example/a?b#c", "https://docs.example/a?b#c")
	f("http://docs.example", "http://docs.example")
	f("javascript:alert(1)", "")
	f("JavaScript://docs.example/%0aalert(1)", "")
	f("data:text/html,x", "")
	f("//docs.example", "")
	f("https:docs.example", "")
	f("", "")
}
