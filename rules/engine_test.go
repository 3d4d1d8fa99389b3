package rules_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/catalogue"
	"github.com/yagura-sec/yagura/internal/shared"
	"github.com/yagura-sec/yagura/rules"
	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/correlate"
	"github.com/yagura-sec/yagura/sigma/ir"
	"github.com/yagura-sec/yagura/sigma/lint"
	"github.com/yagura-sec/yagura/sigma/match"
	"github.com/yagura-sec/yagura/sigma/ruletest"
	"github.com/yagura-sec/yagura/simulate"
)

func TestCases(t *testing.T) {
	res := ruletest.Test(rules.FS(), "rules", ruletest.Options{Require: true, Record: catalogue.CaseRecord})
	for _, f := range res.Failures {
		t.Errorf("%s: want %s, got %s: %s\n%s", f.ID, f.Expected, f.Got, f.Why, f.Diff)
	}
	if res.Passed < 2*len(list(t)) || res.Skipped > 0 {
		t.Errorf("%d cases passed and %d were skipped", res.Passed, res.Skipped)
	}
}

func TestLint(t *testing.T) {
	docs, refused := sigma.Load(rules.FS(), "rules")
	for _, p := range lint.Run(docs, refused, ir.Options{}) {
		t.Error(p)
	}
}

// judge counts what our rules and correlations say about records.
type judge struct {
	t       testing.TB
	set     *match.Set
	scratch *match.Scratch
	plan    *correlate.Plan
}

func newJudge(t testing.TB) *judge {
	t.Helper()
	docs, refused := sigma.Load(rules.FS(), "rules")
	set, more := match.Compile(docs.Rules, match.Options{})
	plan, others := correlate.Compile(docs.Correlations, docs.Rules, correlate.Options{})
	if len(refused)+len(more)+len(others) > 0 {
		t.Fatal(refused, more, others)
	}
	return &judge{t, set, set.NewScratch(), plan}
}

var cloudtrail = match.Source{Product: "aws", Service: "cloudtrail"}

// fired adds to count how often each rule holds for the records, and for how
// many groups each correlation fires over them in the order of their times.
func (j *judge) fired(count map[string]int, records []json.RawMessage) {
	j.t.Helper()
	var based []correlate.Hit
	for _, r := range records {
		hits, err := j.set.MatchJSON(j.scratch, r, cloudtrail)
		if err != nil {
			j.t.Fatal(err)
		}
		arrived := sync.OnceValue(func() arrival { return j.arrive(r) })
		for _, h := range hits {
			rule := j.set.Rule(h)
			if b := j.plan.Base(rule); b != nil {
				based = append(based, arrived().hit(j.t, b))
			}
			if !j.plan.Quiet(&rule.Meta) {
				count[stem(&rule.Meta)]++
			}
		}
	}
	j.correlated(count, based)
}

// correlated adds to count for how many groups each correlation fires.
func (j *judge) correlated(count map[string]int, based []correlate.Hit) {
	firings, _ := correlate.Evaluate(j.plan, based, time.Time{}, correlate.EngineOptions{})
	seen := map[string]bool{}
	for _, f := range firings {
		group := fmt.Sprintf("%s %q", f.Correlation.Key(), f.Group)
		if f.Correlation.Findings && !seen[group] {
			seen[group] = true
			count[stem(&f.Correlation.Meta)]++
		}
	}
}

// arrival is a record as correlations are told of it.
type arrival struct {
	EventID   string
	EventTime time.Time
	record    []byte
	columns   correlate.Lookup
}

func (j *judge) arrive(record json.RawMessage) (a arrival) {
	j.t.Helper()
	if err := json.Unmarshal(record, &a); err != nil {
		j.t.Fatal(err)
	}
	var err error
	if a.record, a.columns, err = catalogue.CaseRecord(record, a.EventTime, cloudtrail); err != nil {
		j.t.Fatal(err)
	}
	return a
}

func (a arrival) hit(t testing.TB, b *correlate.Base) correlate.Hit {
	t.Helper()
	hit, err := b.Hit(a.EventTime, a.EventID, a.record, a.columns)
	if err != nil {
		t.Fatal(err)
	}
	return hit
}

func stem(m *sigma.Meta) string { return strings.TrimSuffix(path.Base(m.File), ".yml") }

func (j *judge) levels() map[string]string {
	out := map[string]string{}
	for i := range j.set.Len() {
		if m := &j.set.Rule(i).Meta; !j.plan.Quiet(m) {
			out[stem(m)] = m.Level
		}
	}
	for _, c := range j.plan.Correlations {
		if c.Findings {
			out[stem(&c.Meta)] = c.Level
		}
	}
	return out
}

func files(t testing.TB, dir, suffix string) (out []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && strings.HasSuffix(p, suffix) {
			out = append(out, p)
		}
		return err
	})
	if err != nil || len(out) == 0 {
		t.Fatalf("%s: %d files, %v", dir, len(out), err)
	}
	return out
}

// Each technique of the detonation set fires the rule that is about it. One is a
// correlation: secrets are read one after the other by calls that, each alone,
// are what any program does.
func TestTechniquesFire(t *testing.T) {
	dir := shared.Dir(t, "cloudtrail/stratus-detonation")
	want := map[string]string{
		"credential-access.ec2-get-password-data":                 "instance-password-read",
		"credential-access.secretsmanager-batch-retrieve-secrets": "secrets-read-in-bulk",
		"credential-access.secretsmanager-retrieve-secrets":       "secrets-swept",
		"defense-evasion.dns-delete-logs":                         "dns-query-log-deleted",
		"defense-evasion.organizations-leave":                     "organization-left",
		"defense-evasion.vpc-remove-flow-logs":                    "flow-logs-deleted",
		"discovery.ec2-download-user-data":                        "instance-user-data-read",
		"execution.ec2-launch-unusual-instances":                  "gpu-instances-launched",
		"execution.ssm-send-command":                              "shell-command-sent",
		"exfiltration.ec2-security-group-open-port-22-ingress":    "security-group-admin-port-open",
		"exfiltration.ec2-share-ami":                              "image-shared",
		"impact.bedrock-invoke-model":                             "bedrock-model-access-requested",
		"lateral-movement.ec2-serial-console-send-ssh-public-key": "serial-console-opened",
		"persistence.iam-backdoor-user":                           "access-key-for-other-user",
		"persistence.iam-create-admin-user":                       "admin-policy-attached-to-user",
		"persistence.iam-create-backdoor-role":                    "role-trusts-account",
		"persistence.lambda-backdoor-function":                    "lambda-open-to-everyone",
		"persistence.lambda-layer-extension":                      "lambda-layer-added-by-person",
	}
	j := newJudge(t)
	levels := j.levels()
	for _, file := range files(t, dir, ".json") {
		count := map[string]int{}
		all := shared.Records(t, file)
		j.fired(count, all)
		name := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), "aws."), ".json")
		t.Logf("%-55s %3d records: %s", name, len(all), table(count, levels))
		if rule, known := want[name]; !known {
			t.Errorf("technique %s is new: say which rule is about it", name)
		} else if count[rule] == 0 {
			t.Errorf("technique %s does not fire %s", name, rule)
		}
	}
}

// On harmless work nothing high or critical is said but what its reader would
// want: that a trail was stopped, that root signed in with a password alone.
func TestHarmlessWorkIsNotHigh(t *testing.T) {
	j := newJudge(t)
	levels := j.levels()
	f := func(set, suffix string, wanted ...string) {
		t.Helper()
		t.Run(path.Base(set), func(t *testing.T) {
			count := map[string]int{}
			var all []json.RawMessage
			for _, file := range files(t, shared.Dir(t, set), suffix) {
				all = append(all, named(t, shared.Records(t, file))...)
			}
			j.fired(count, all)
			t.Log(table(count, levels))
			for rule, n := range count {
				if l := levels[rule]; (l == "high" || l == "critical") && !slices.Contains(wanted, rule) {
					t.Errorf("%s (%s) fires %d times", rule, l, n)
				}
			}
		})
	}
	f("cloudtrail/console-sessions", "InputEvents.json", "trail-stopped")
	f("cloudtrail/sequence-benchmark-benign/raw", ".json")
	f("cloudtrail/sans504-s3-ransomware", ".json.gz", "root-console-login-without-mfa")
}

// named gives records that lack a caller one, the same to all: the sessions were
// published without, and of nobody nothing can come together.
func named(t *testing.T, records []json.RawMessage) []json.RawMessage {
	t.Helper()
	out := make([]json.RawMessage, len(records))
	for i, r := range records {
		var e map[string]any
		if err := json.Unmarshal(r, &e); err != nil {
			t.Fatal(err)
		}
		if out[i] = r; e["userIdentity"] != nil {
			continue
		}
		e["userIdentity"] = map[string]string{
			"type": "IAMUser", "userName": "someone", "arn": "arn:aws:iam::111122223333:user/someone", "accountId": "111122223333",
			"principalId": "AIDAEXAMPLESOMEONE", "accessKeyId": "ASIAEXAMPLE000000001",
		}
		e["sourceIPAddress"], e["recipientAccountId"] = "203.0.113.24", "111122223333"
		var err error
		if out[i], err = json.Marshal(e); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// Nor do correlations find anything in an organisation at work, whatever their
// level: what they count and put in order is there, but not in such numbers.
func TestCorrelationsAreQuietAtWork(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "bucket")
	if _, err := (simulate.Organisation{Records: 8_000, Days: 1, Plain: true}).Write(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	var all []json.RawMessage
	for _, file := range files(t, dir, ".json.gz") {
		all = append(all, shared.Records(t, file)...)
	}
	j := newJudge(t)
	count := map[string]int{}
	j.fired(count, all)
	for _, c := range j.plan.Correlations {
		if n := count[stem(&c.Meta)]; c.Findings && n > 0 {
			t.Errorf("%s (%s) fires for %d groups of %d records", c.Name, c.Level, n, len(all))
		}
	}
}

func table(count map[string]int, levels map[string]string) string {
	if len(count) == 0 {
		return "nothing"
	}
	var out []string
	for _, rule := range slices.Sorted(maps.Keys(count)) {
		out = append(out, fmt.Sprintf("%s (%s) ×%d", rule, levels[rule], count[rule]))
	}
	return strings.Join(out, ", ")
}

// BenchmarkMatch holds all rules against generated records, on one core.
func BenchmarkMatch(b *testing.B) {
	dir := filepath.Join(b.TempDir(), "bucket")
	if _, err := (simulate.Organisation{Records: 20_000, Plain: true}).Write(b.Context(), dir); err != nil {
		b.Fatal(err)
	}
	var all []json.RawMessage
	for _, file := range files(b, dir, ".json.gz") {
		all = append(all, shared.Records(b, file)...)
	}
	j := newJudge(b)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if _, err := j.set.MatchJSON(j.scratch, all[i%len(all)], cloudtrail); err != nil {
			b.Fatal(err)
		}
		i++
	}
	b.ReportMetric(1e9/float64(b.Elapsed().Nanoseconds())*float64(b.N), "records/s")
}
