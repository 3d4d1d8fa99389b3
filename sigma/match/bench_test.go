package match_test

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

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

// own are our rules for AWS, without those that only count in correlations.
func own(tb testing.TB) []*sigma.Rule {
	tb.Helper()
	docs, _ := sigma.LoadPath(filepath.Join("..", "..", "rules", "aws"))
	rules := slices.DeleteFunc(docs.Rules, func(r *sigma.Rule) bool { return strings.Contains(r.File, "correlation") })
	if len(rules) < 25 {
		tb.Fatalf("found %d rules of our own", len(rules))
	}
	return rules
}

// hq are the rules of SigmaHQ in the given folders, for any log source if
// anywhere: their log sources are taken away, so that every rule is offered to
// every record.
func hq(tb testing.TB, anywhere bool, folders ...string) []*sigma.Rule {
	tb.Helper()
	var all sigma.Documents
	for _, folder := range folders {
		docs, _ := sigma.LoadPath(filepath.Join(shared(tb, "sigmahq-rules"), folder))
		all.Add(docs)
	}
	if anywhere {
		return everywhere(all.Rules)
	}
	return all.Rules
}

func everywhere(rules []*sigma.Rule) []*sigma.Rule {
	var out []*sigma.Rule
	for _, r := range rules {
		loose := *r
		loose.LogSource = sigma.LogSource{}
		out = append(out, &loose)
	}
	return out
}

var (
	cloudFolders = []string{"rules/cloud", "rules/identity", "rules/application/github", "rules/application/bitbucket", "rules/application/kubernetes"}
	allFolders   = []string{"rules", "rules-compliance", "rules-emerging-threats", "rules-placeholder", "rules-threat-hunting"}
)

// realRecords are records of a real trail, some of every region and day.
func realRecords(tb testing.TB) [][]byte {
	tb.Helper()
	names, _ := filepath.Glob(filepath.Join("..", "..", "..", "shared", "data", "cloudtrail", "sans504-s3-ransomware", "*", "*", "*", "*", "*.gz"))
	if len(names) == 0 {
		tb.Skip("the records in ../shared/data/cloudtrail/sans504-s3-ransomware are not here")
	}
	var out [][]byte
	for i := 0; i < len(names); i += 7 {
		packed, err := os.Open(names[i])
		if err != nil {
			tb.Fatal(err)
		}
		plain, err := gzip.NewReader(packed)
		if err != nil {
			tb.Fatal(err)
		}
		var file struct{ Records []json.RawMessage }
		if err := json.NewDecoder(plain).Decode(&file); err != nil {
			tb.Fatal(err)
		}
		packed.Close()
		for _, r := range file.Records {
			out = append(out, r)
		}
	}
	return out
}

// decode is what matching is to be seen beside: reading the same records with
// encoding/json. It gives the CPU time of the fastest of a few passes.
func decode(b *testing.B, all [][]byte) time.Duration {
	best := time.Hour
	for range 3 {
		start := cpuTime()
		for _, r := range all {
			var v map[string]any
			if err := json.Unmarshal(r, &v); err != nil {
				b.Fatal(err)
			}
		}
		best = min(best, cpuTime()-start)
	}
	return best
}

// bench matches the records over and over. Its metrics are of the CPU time of the
// fastest pass over all of them, which other programs disturbed least: events/s
// on one core, and how many times as fast as encoding/json that is. ns/op is of the
// clock.
func bench(b *testing.B, rules []*sigma.Rule, src match.Source, bar float64, all [][]byte) {
	set, _ := match.Compile(rules, match.Options{})
	sc := set.NewScratch()
	size, hits, n := 0, 0, 0
	for _, r := range all {
		size += len(r)
	}
	if _, err := set.MatchJSON(sc, all[0], src); err != nil { // the first of a source prepares for it
		b.Fatal(err)
	}
	decoding := decode(b, all)
	b.SetBytes(int64(size / len(all)))
	b.ReportAllocs()
	best, i := time.Hour, 0
	start := cpuTime()
	for b.Loop() {
		found, err := set.MatchJSON(sc, all[i], src)
		if err != nil {
			b.Fatal(err)
		}
		hits += len(found)
		n++
		if i++; i == len(all) {
			now := cpuTime()
			best, i, start = min(best, now-start), 0, now
		}
	}
	decoding = min(decoding, decode(b, all))
	if best < time.Hour {
		b.ReportMetric(float64(len(all))/best.Seconds(), "events/s")
		b.ReportMetric(float64(decoding)/float64(best), "x-decode")
		b.ReportMetric(float64(len(all))/best.Seconds()/bar, "x-bar")
	}
	b.ReportMetric(float64(hits)/float64(n), "hits/op")
	b.ReportMetric(float64(len(set.Applies(src))), "rules")
}

// BenchmarkRules holds more and more rules against generated records and against
// real ones, beside the bars we hold ourselves to, in events a second. Of "cloud" and "all" every rule is offered to every record, whatever
// its log source; "routed" has the same rules as "all", of which those for
// CloudTrail apply.
func BenchmarkRules(b *testing.B) {
	f := func(name string, src match.Source, bar float64, rules func(testing.TB) []*sigma.Rule) {
		b.Run(name+"/generated", func(b *testing.B) { bench(b, rules(b), src, bar, records(1000)) })
		b.Run(name+"/real", func(b *testing.B) { bench(b, rules(b), src, bar, realRecords(b)) })
	}
	f("own", cloudtrail, 200e3, own)
	f("aws", cloudtrail, 200e3, func(tb testing.TB) []*sigma.Rule {
		return slices.Concat(own(tb), hq(tb, false, "rules/cloud/aws"))
	})
	f("cloud", match.Source{}, 120e3, func(tb testing.TB) []*sigma.Rule { return hq(tb, true, cloudFolders...) })
	f("all", match.Source{}, 75e3, func(tb testing.TB) []*sigma.Rule { return hq(tb, true, allFolders...) })
	f("routed", cloudtrail, 200e3, func(tb testing.TB) []*sigma.Rule { return hq(tb, false, allFolders...) })
}

// BenchmarkLoad reads and compiles all rules and prepares to match. MB is the heap
// that it takes, rules as they were read included. The bars, 2 s and 150 MB, are
// for 3,780 rules.
func BenchmarkLoad(b *testing.B) {
	heap := func() float64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc)
	}
	before := heap()
	var set *match.Set
	best := time.Hour
	for b.Loop() {
		start := cpuTime()
		set, _ = match.Compile(hq(b, true, allFolders...), match.Options{})
		set.Prepare(match.Source{})
		best = min(best, cpuTime()-start)
	}
	b.ReportMetric(best.Seconds(), "CPU-s")
	b.ReportMetric((heap()-before)/1e6, "MB")
	b.ReportMetric(float64(set.Len()), "rules")
	runtime.KeepAlive(set)
}

func TestNoAllocationOnAMiss(t *testing.T) {
	f := func(what string, rules []*sigma.Rule, src match.Source, all [][]byte) {
		t.Helper()
		set, _ := match.Compile(rules, match.Options{})
		sc := set.NewScratch()
		var misses [][]byte
		for _, r := range all {
			if hits, err := set.MatchJSON(sc, r, src); err != nil {
				t.Fatal(err)
			} else if len(hits) == 0 {
				misses = append(misses, r)
			}
		}
		if len(misses) < len(all)*3/5 {
			t.Fatalf("%s: only %d of %d records match nothing", what, len(misses), len(all))
		}
		i := 0
		if n := testing.AllocsPerRun(len(misses), func() {
			_, _ = set.MatchJSON(sc, misses[i%len(misses)], src)
			i++
		}); n != 0 {
			t.Errorf("%s: %v allocations a record", what, n)
		}
	}
	f("own", own(t), cloudtrail, records(500))
	f("all of SigmaHQ", hq(t, true, allFolders...), match.Source{}, records(500))
	f("all of SigmaHQ, real records", hq(t, true, allFolders...), match.Source{}, realRecords(t))
}
