package main_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/cost/change"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/lake/laketest"
	"github.com/yagura-sec/yagura/lake/local"
	"github.com/yagura-sec/yagura/normalise/cloudtrail"
)

// churnAccount is the account whose changes are told.
const churnAccount = "685498342626"

// addChurn adds a week in which a service of an account makes and deletes perDay
// network interfaces a day.
func addChurn(b *testing.B, s *local.Store, start time.Time, perDay int) {
	b.Helper()
	record := func(at time.Time, name, uid, request, answer string) event.Event {
		body := fmt.Sprintf(`{"eventVersion":"1.11","userIdentity":{"type":"AssumedRole","principalId":"AROAEXAMPLE:ecs","arn":"arn:aws:sts::%[1]s:assumed-role/AWSServiceRoleForECS/ecs","accountId":"%[1]s","sessionContext":{"sessionIssuer":{"type":"Role","arn":"arn:aws:iam::%[1]s:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS","accountId":"%[1]s","userName":"AWSServiceRoleForECS"},"attributes":{"creationDate":"%[2]s","mfaAuthenticated":"false"}},"invokedBy":"ecs.amazonaws.com"},"eventTime":"%[2]s","eventSource":"ec2.amazonaws.com","eventName":"%[3]s","awsRegion":"ap-northeast-1","sourceIPAddress":"ecs.amazonaws.com","userAgent":"ecs.amazonaws.com","requestParameters":%[4]s,"responseElements":%[5]s,"requestID":"%[6]s","eventID":"%[6]s","readOnly":false,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"%[1]s","eventCategory":"Management"}`,
			churnAccount, at.Format(time.RFC3339), name, request, answer, uid)
		out, err := cloudtrail.Normaliser{}.Append(nil, event.Raw{Body: []byte(body), Received: at})
		if err != nil {
			b.Fatal(err)
		}
		return out[0]
	}
	for d := range 7 {
		var events []event.Event
		for i := range perDay {
			at := start.AddDate(0, 0, d).Add(time.Duration(i) * 24 * time.Hour / time.Duration(perDay))
			id, uid := fmt.Sprintf("eni-%08x%09x", d, i), fmt.Sprintf("%08x-%04x-4000-8000-%%012x", i, d)
			tags := `"tagSpecificationSet":{"items":[{"resourceType":"network-interface","tags":[{"key":"aws:ecs:clusterName","value":"shop"},{"key":"aws:ecs:serviceName","value":"checkout"}]}]}`
			events = append(events,
				record(at, "CreateNetworkInterface", fmt.Sprintf(uid, 1), `{"subnetId":"subnet-1","description":"arn:aws:ecs:ap-northeast-1:`+churnAccount+`:attachment/0","groupSet":{"items":[{"groupId":"sg-1"}]},`+tags+`}`,
					`{"networkInterface":{"networkInterfaceId":"`+id+`","subnetId":"subnet-1","vpcId":"vpc-1","status":"pending","interfaceType":"interface"}}`),
				record(at.Add(time.Minute), "DeleteNetworkInterface", fmt.Sprintf(uid, 2), `{"networkInterfaceId":"`+id+`"}`, `{"_return":true}`))
		}
		got, err := s.Append(b.Context(), laketest.Batch(fmt.Sprint("churn-", d), "1", events...))
		if err == nil {
			err = s.Release(b.Context(), got.Batch)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	if err := s.Merge(b.Context()); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkCostChanges tells of a week of an account with 17,000 changes a day among
// 300,000 other events, or as many as YAGURA_BENCH_EVENTS says.
func BenchmarkCostChanges(b *testing.B) {
	n := 300_000
	fmt.Sscan(os.Getenv("YAGURA_BENCH_EVENTS"), &n)
	s, _ := simulatedLake(b, n)
	start := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC) // of a simulated organisation
	addChurn(b, s, start, 8_500)
	r := change.Reader{Sum: s.Sum, Find: sourceOf(s).Find}
	before := processorTime()
	for b.Loop() {
		got, err := r.Read(b.Context(), churnAccount, start, start.AddDate(0, 0, 7))
		if err != nil || len(got.Loops) != 1 || got.Total < 118_990 {
			b.Fatalf("%d changes, loops %+v, %v", got.Total, got.Loops, err)
		}
	}
	b.ReportMetric((processorTime()-before).Seconds()/float64(b.N), "cpu-s/op")
}
