package draft

import (
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/detect/rule"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/match"
)

// made is the rule of a filter, read back.
func made(t testing.TB, filter string) (string, *match.Set) {
	t.Helper()
	where, err := query.ParseAt(filter, time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	text, err := Rule(where, filter, rule.Sources)
	if err != nil {
		t.Fatalf("%s: %v", filter, err)
	}
	docs, errs := sigma.Parse("draft.yml", text)
	if len(errs) > 0 || len(docs.Rules) != 1 {
		t.Fatalf("%s: %v\n%s", filter, errs, text)
	}
	set, refused := match.Compile(docs.Rules, match.Options{})
	if len(refused) > 0 {
		t.Fatalf("%s: %v\n%s", filter, refused, text)
	}
	return string(text), set
}

const record = `{"eventName":"GetSecretValue","eventSource":"secretsmanager.amazonaws.com","awsRegion":"eu-west-1","sourceIPAddress":"203.0.113.9",
	"userAgent":"Boto3/1.26 a*b","errorCode":"AccessDenied","readOnly":true,"recipientAccountId":"111122223333",
	"requestParameters":{"secretId":"prod\\db","limit":40},"userIdentity":{"type":"AssumedRole"}}`

// the columns of the record that filters ask of.
var called = event.Event{
	Format: CloudTrail, APIOperation: "GetSecretValue", APIService: "secretsmanager.amazonaws.com", Region: "eu-west-1", SrcIP: "203.0.113.9", UserAgent: "Boto3/1.26 a*b",
	StatusCode: "AccessDenied", ReadOnly: true, AccountUID: "111122223333", Raw: []byte(record),
}

// TestSame: the rule of a filter matches what the filter chooses, and nothing else.
func TestSame(t *testing.T) {
	f := func(filter string, want bool) {
		t.Helper()
		where, err := query.Parse(filter)
		if err != nil {
			t.Fatal(err)
		}
		if got := query.Match(where, &called); got != want {
			t.Fatalf("%s: the filter chooses it: %v", filter, got)
		}
		text, set := made(t, filter)
		hits, err := set.MatchJSON(set.NewScratch(), []byte(record), rule.Sources[CloudTrail])
		if err != nil || (len(hits) > 0) != want {
			t.Errorf("%s: matched %v, %v; want %v\n%s", filter, hits, err, want, text)
		}
	}
	f("operation:GetSecretValue", true)
	f("operation:GetSecretValue region:us-east-1", false)
	f("operation:GetSecretValue not region:us-east-1", true)
	f("operation:(GetSecretValue or PutSecretValue) error:*", true)
	f("operation:(DeleteSecret or PutSecretValue)", false)
	f("not (operation:Get* region:eu-west-1)", false)
	f("operation:Get*Value ip:203.0.113.0/24", true)
	f("ip:10.0.0.0/8 or region:eu-west-?", true)
	f(`agent:"Boto3/1.26 a*b"`, true)
	f(`agent:"Boto3/1.26 axb"`, false)
	f(`agent:~boto3 agent:~"a*b"`, true)
	f("read_only:true", true)
	f("read_only:false", false)
	f("raw.readOnly:true", true)
	f("raw.requestParameters.limit:>=40", true)
	f("raw.requestParameters.limit:>40", false)
	f("raw.requestParameters.limit:40", true)
	f(`raw.requestParameters.secretId:"prod\\db"`, true)
	f("raw.requestParameters.name:*", false)
	f("account:111122223333 format:aws.cloudtrail", true)
	f("assumedrole operation:Get*", true)
	f("nowhere or operation:Get*", true)
	f("not nowhere", true)
	f("error:AccessDenied (operation:Put* or (region:eu-west-1 not vpce:*))", true)
}

// TestText holds the form of a draft.
func TestText(t *testing.T) {
	got, _ := made(t, `operation:(GetSecretValue or PutSecretValue) error:AccessDenied not ip:10.0.0.0/8`)
	want := `title: 'Search: operation:(GetSecretValue or PutSecretValue) error:AccessDenied not ip:10.0.0.0/8'
id: ` + id(`operation:(GetSecretValue or PutSecretValue) error:AccessDenied not ip:10.0.0.0/8`) + `
status: experimental
description: A draft of a search. Say what it finds and why that matters.
logsource: {product: aws, service: cloudtrail}
detection:
  selection:
    eventName:
      - GetSecretValue
      - PutSecretValue
  selection_2:
    sourceIPAddress|cidr: 10.0.0.0/8
  selection_3:
    errorCode: AccessDenied
  condition: selection_3 and selection and not selection_2
level: medium
`
	if got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

// TestRefused: what Sigma cannot say is told with what may do instead.
func TestRefused(t *testing.T) {
	f := func(filter, want string) {
		t.Helper()
		where, err := query.ParseAt(filter, time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC))
		if err != nil {
			t.Fatal(err)
		}
		if text, err := Rule(where, filter, rule.Sources); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q\n%s", filter, err, want, text)
		}
	}
	f("", "every event")
	f("*", "every event")
	f("format:aws.cloudtrail", "every event")
	f("operation:x or *", "every event")
	f("caller:lambda", "user_agent instead")
	f("actor:alice", "raw.userIdentity.arn")
	f("operation:x not outcome:denied", "status_code")
	f("operation:x time:>now-7d", "leave out time")
	f("uid:00112233-4455-6677-8899-aabbccddeeff", "one that is stored")
	f("class:6003", "class_uid")
	f("format:none.such raw.a:b", "none.such")
	f("format:gcp.audit operation:x", "raw.PATH")
}

// FuzzRule: what becomes a rule is one that is read and compiled.
func FuzzRule(f *testing.F) {
	for _, s := range []string{"operation:Get* not region:eu-west-1", `agent:~"a*b\\" or ip:10.0.0.0/8`, "raw.a.b:>=4 (x or y)", "not (not operation:x)"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, filter string) {
		where, err := query.Parse(filter)
		if err != nil {
			return
		}
		if _, err := Rule(where, filter, rule.Sources); err == nil {
			made(t, filter)
		}
	})
}
