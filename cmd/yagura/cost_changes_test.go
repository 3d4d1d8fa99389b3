package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/internal/golden"
)

// trailOf writes a CloudTrail file of two days of an account: a service of ECS whose
// tasks die, another that does its work, and a person.
func trailOf(t *testing.T) string {
	t.Helper()
	type object = map[string]any
	var records []object
	number := 0
	put := func(at time.Time, name string, identity object, source string, request, answer object) {
		number++
		records = append(records, object{
			"eventVersion": "1.11", "eventTime": at.Format(time.RFC3339), "eventSource": "ec2.amazonaws.com", "eventName": name, "awsRegion": "ap-northeast-1",
			"sourceIPAddress": source, "userAgent": source, "userIdentity": identity, "requestParameters": request, "responseElements": answer,
			"eventID": fmt.Sprintf("5f0c2a10-0000-4000-8000-%012d", number), "eventType": "AwsApiCall", "readOnly": false, "managementEvent": true,
			"recipientAccountId": "111122223333", "eventCategory": "Management",
		})
	}
	ecs := object{"type": "AssumedRole", "principalId": "AROAEXAMPLE:ecs", "accountId": "111122223333", "arn": "arn:aws:sts::111122223333:assumed-role/AWSServiceRoleForECS/ecs", "invokedBy": "ecs.amazonaws.com",
		"sessionContext": object{"sessionIssuer": object{"type": "Role", "arn": "arn:aws:iam::111122223333:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS", "userName": "AWSServiceRoleForECS"}}}
	person := object{"type": "IAMUser", "principalId": "AIDAEXAMPLE", "accountId": "111122223333", "arn": "arn:aws:iam::111122223333:user/hanako", "userName": "hanako"}
	task := func(at time.Time, life time.Duration, service string) {
		id := fmt.Sprintf("eni-%017x", number)
		tags := object{"items": []object{{"resourceType": "network-interface", "tags": []object{{"key": "aws:ecs:clusterName", "value": "shop"}, {"key": "aws:ecs:serviceName", "value": service}}}}}
		put(at, "CreateNetworkInterface", ecs, "ecs.amazonaws.com", object{"subnetId": "subnet-1", "tagSpecificationSet": tags}, object{"networkInterface": object{"networkInterfaceId": id}})
		put(at.Add(life), "DeleteNetworkInterface", ecs, "ecs.amazonaws.com", object{"networkInterfaceId": id}, object{"_return": true})
	}
	start := time.Date(2026, 4, 6, 0, 0, 0, 0, time.UTC)
	for at, i := start, 0; at.Before(start.Add(47 * time.Hour)); at, i = at.Add(12*time.Minute+time.Duration(i%7)*31*time.Second), i+1 {
		task(at, time.Duration(60+i%5*3)*time.Second, "check\u001b[31mout")
	}
	for d := range 2 {
		task(start.Add(time.Duration(24*d+1)*time.Hour), 9*time.Hour, "web")
		put(start.Add(time.Duration(24*d+2)*time.Hour), "AuthorizeSecurityGroupIngress", person, "203.0.113.7", object{"groupId": "sg-1"}, object{"_return": true})
	}
	text, err := json.Marshal(object{"Records": records})
	path := filepath.Join(t.TempDir(), "trail.json")
	if err == nil {
		err = os.WriteFile(path, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// TestCostChanges tells what goes round in a loop, with and without counts, in words
// and as scripts read it.
func TestCostChanges(t *testing.T) {
	c := &commands{t, filepath.Join(t.TempDir(), "data")}
	c.ok("ingest", trailOf(t))
	ask := []string{"cost", "changes", "--account", "111122223333"}
	golden.Check(t, "testdata/cost-changes.golden", []byte(c.ok(ask...)))
	golden.Check(t, "testdata/cost-changes.json.golden", []byte(c.ok(append(ask, "--format", "json")...)))
	golden.Check(t, "testdata/cost-changes.csv.golden", []byte(c.ok(append(ask, "--format", "csv")...)))
	golden.Check(t, "testdata/cost-changes-none.golden", []byte(c.ok("cost", "changes", "--account", "444455556666")))
	for _, format := range []string{"table", "json", "csv"} {
		out := c.ok(append(ask, "--masked", "--format", format)...)
		if strings.Contains(out, "111122223333") || strings.Contains(out, "hanako") || !strings.Contains(out, "CreateNetworkInterface") || format != "csv" && !strings.Contains(out, "person-") {
			t.Errorf("masked as %s:\n%s", format, out)
		}
	}
}
