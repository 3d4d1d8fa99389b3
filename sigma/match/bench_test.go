package match_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/match"
)

// calls are what an account mostly sees, the most frequent first; a few of them
// are what rules look for.
var calls = [][2]string{
	{"sts", "AssumeRole"}, {"ec2", "DescribeInstances"}, {"s3", "GetObject"}, {"kms", "Decrypt"}, {"secretsmanager", "GetSecretValue"},
	{"logs", "CreateLogStream"}, {"ec2", "DescribeSecurityGroups"}, {"s3", "ListBuckets"}, {"iam", "ListRoles"}, {"ssm", "GetParameter"},
	{"dynamodb", "DescribeTable"}, {"lambda", "GetFunction"}, {"ec2", "DescribeVolumes"}, {"monitoring", "DescribeAlarms"}, {"ecr", "BatchGetImage"},
	{"sts", "GetCallerIdentity"}, {"elasticloadbalancing", "DescribeLoadBalancers"}, {"rds", "DescribeDBInstances"}, {"iam", "GetRole"}, {"cloudtrail", "DescribeTrails"},
	{"iam", "CreateUser"}, {"ec2", "AuthorizeSecurityGroupIngress"}, {"s3", "PutBucketPolicy"}, {"cloudtrail", "StopLogging"}, {"iam", "AttachUserPolicy"},
}

// records are generated CloudTrail records of about 1.4 kB each, their calls
// drawn by Zipf's law.
func records(n int) [][]byte {
	r := rand.New(rand.NewPCG(7, 9))
	zipf := rand.NewZipf(r, 1.3, 2, uint64(len(calls)-1))
	var out [][]byte
	for i := range n {
		call := calls[zipf.Uint64()]
		role := fmt.Sprintf("service-%02d", r.IntN(40))
		record := map[string]any{
			"eventVersion": "1.11", "eventTime": fmt.Sprintf("2026-03-02T%02d:%02d:%02dZ", r.IntN(24), r.IntN(60), r.IntN(60)),
			"userIdentity": map[string]any{
				"type": "AssumedRole", "principalId": "AROAEXAMPLEROLE00001:" + role, "accountId": "111122223333",
				"arn": "arn:aws:sts::111122223333:assumed-role/" + role + "/i-0abc1234def567890", "accessKeyId": "ASIAEXAMPLE000000001",
				"sessionContext": map[string]any{
					"sessionIssuer": map[string]any{"type": "Role", "principalId": "AROAEXAMPLEROLE00001", "accountId": "111122223333",
						"arn": "arn:aws:iam::111122223333:role/" + role, "userName": role},
					"attributes": map[string]any{"creationDate": "2026-03-02T08:55:00Z", "mfaAuthenticated": "false"}, "ec2RoleDelivery": "2.0",
				},
			},
			"eventSource": call[0] + ".amazonaws.com", "eventName": call[1], "awsRegion": "us-east-1", "sourceIPAddress": fmt.Sprintf("203.0.113.%d", r.IntN(256)),
			"userAgent": "aws-sdk-go-v2/1.30.3 ua/2.1 os/linux lang/go#1.24.1 md/GOOS#linux md/GOARCH#amd64 api/" + call[0] + "#1.60.0",
			"requestParameters": map[string]any{"resource": fmt.Sprintf("arn:aws:%s:us-east-1:111122223333:thing/prod-%04d", call[0], r.IntN(3000)),
				"filterSet": map[string]any{"items": []any{map[string]any{"name": "tag:env", "valueSet": map[string]any{"items": []any{map[string]any{"value": "prod"}}}}}}, "maxResults": 100},
			"responseElements": nil, "requestID": fmt.Sprintf("fb355056-b33c-4eee-8621-%012d", i), "eventID": fmt.Sprintf("8362c844-eb34-4203-b0ce-%012d", i),
			"readOnly": true, "eventType": "AwsApiCall", "managementEvent": true, "recipientAccountId": "111122223333", "eventCategory": "Management",
			"tlsDetails": map[string]any{"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256", "clientProvidedHostHeader": call[0] + ".us-east-1.amazonaws.com"},
		}
		text, err := json.Marshal(record)
		if err != nil {
			panic(err)
		}
		out = append(out, text)
	}
	return out
}

var cloudtrail = match.Source{Product: "aws", Service: "cloudtrail"}

func own(tb testing.TB) []*sigma.Rule {
	tb.Helper()
	docs, _ := sigma.LoadPath(filepath.Join("..", "..", "rules", "aws"))
	if len(docs.Rules) < 25 {
		tb.Fatalf("found %d rules of our own", len(docs.Rules))
	}
	return docs.Rules
}

func bench(b *testing.B, rules []*sigma.Rule, src match.Source) {
	set, _ := match.Compile(rules, match.Options{})
	sc := set.NewScratch()
	all := records(1000)
	size, hits := 0, 0
	for _, r := range all {
		size += len(r)
	}
	b.SetBytes(int64(size / len(all)))
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		found, err := set.MatchJSON(sc, all[i%len(all)], src)
		if err != nil {
			b.Fatal(err)
		}
		hits += len(found)
		i++
	}
	b.ReportMetric(float64(hits)/float64(b.N), "hits/op")
	b.ReportMetric(float64(len(set.Applies(src))), "rules")
}

func BenchmarkOwn(b *testing.B) { bench(b, own(b), cloudtrail) }

func BenchmarkSigmaHQ(b *testing.B) {
	docs, _ := sigma.LoadPath(filepath.Join(shared(b, "sigmahq-rules"), "rules", "cloud", "aws"))
	bench(b, docs.Rules, cloudtrail)
}

// BenchmarkDecode is what the others are to be seen beside: reading the same
// records with encoding/json.
func BenchmarkDecode(b *testing.B) {
	all := records(1000)
	i := 0
	for b.Loop() {
		var v map[string]any
		if err := json.Unmarshal(all[i%len(all)], &v); err != nil {
			b.Fatal(err)
		}
		i++
	}
}

func TestNoAllocationOnAMiss(t *testing.T) {
	set, _ := match.Compile(own(t), match.Options{})
	sc := set.NewScratch()
	all := records(500)
	misses := all[:0]
	for _, r := range all {
		if hits, err := set.MatchJSON(sc, r, cloudtrail); err != nil {
			t.Fatal(err)
		} else if len(hits) == 0 {
			misses = append(misses, r)
		}
	}
	if len(misses) < 300 {
		t.Fatalf("only %d of 500 records match nothing", len(misses))
	}
	i := 0
	if n := testing.AllocsPerRun(len(misses), func() {
		_, _ = set.MatchJSON(sc, misses[i%len(misses)], cloudtrail)
		i++
	}); n != 0 {
		t.Errorf("%v allocations a record", n)
	}
}
