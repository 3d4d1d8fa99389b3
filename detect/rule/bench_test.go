package rule_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/detect/rule"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/rules"
)

// BenchmarkJudge judges batches of 20,000 records of about 1.4 kB with our own
// rules; one in fifty matches one.
func BenchmarkJudge(b *testing.B) {
	d, refused := rule.Load([]rule.Tree{{FS: rules.FS(), Shown: "builtin"}}, nil, rule.Options{})
	if len(refused) > 0 {
		b.Fatal(refused[0])
	}
	const n = 20_000
	events := make([]event.Event, n)
	for i := range events {
		name := []string{"GetObject", "AssumeRole", "Decrypt", "DescribeInstances"}[i%4]
		if i%50 == 0 {
			name = "StopLogging"
		}
		role := fmt.Sprintf("service-%02d", i%40)
		events[i] = call(i, name, role, trail)
		events[i].Time = time.Unix(1772400000+int64(i), 0).UTC()
		events[i].ActorUID = "arn:aws:iam::111122223333:role/" + role
		events[i].Raw = fmt.Appendf(nil, `{"eventVersion":"1.11","userIdentity":{"type":"AssumedRole","principalId":"AROAEXAMPLEROLE00001:%[1]s","arn":"arn:aws:sts::111122223333:assumed-role/%[1]s/i-0abc1234def567890","accountId":"111122223333","accessKeyId":"ASIAEXAMPLE000000001","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROAEXAMPLEROLE00001","arn":"arn:aws:iam::111122223333:role/%[1]s","accountId":"111122223333","userName":"%[1]s"},"attributes":{"creationDate":"2026-03-02T08:55:00Z","mfaAuthenticated":"false"}}},"eventTime":"2026-03-02T09:14:05Z","eventSource":"cloudtrail.amazonaws.com","eventName":"%[2]s","awsRegion":"us-east-1","sourceIPAddress":"203.0.113.24","userAgent":"aws-sdk-go-v2/1.30.3 ua/2.1 os/linux lang/go#1.24.1 md/GOOS#linux md/GOARCH#amd64 api/s3#1.60.0","requestParameters":{"name":"org-trail","filterSet":{"items":[{"name":"tag:env","valueSet":{"items":[{"value":"prod"}]}}]},"maxResults":100},"responseElements":null,"requestID":"fb355056-b33c-4eee-8621-%012[3]d","eventID":"8362c844-eb34-4203-b0ce-%012[3]d","readOnly":true,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management","tlsDetails":{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"cloudtrail.us-east-1.amazonaws.com"}}`, role, name, i)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Judge(b.Context(), event.BatchID{}, events); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/event")
}
