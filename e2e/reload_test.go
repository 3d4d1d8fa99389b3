package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

const listedRule = `title: Instances were listed
id: 5d3e9d4c-8c6b-4d8d-9b0a-0000000000%02d
status: test
logsource: {product: aws, service: cloudtrail}
detection:
  selection: {eventName: DescribeInstances, userIdentity.userName: %s}
  condition: selection
level: low
`

const listedEvent = `{"eventVersion":"1.08","userIdentity":{"type":"IAMUser","principalId":"AIDAEXAMPLE","arn":"arn:aws:iam::111122223333:user/%[1]s","accountId":"111122223333","userName":"%[1]s"},"eventTime":"2026-03-01T10:01:00Z","eventSource":"ec2.amazonaws.com","eventName":"DescribeInstances","awsRegion":"eu-west-1","sourceIPAddress":"203.0.113.8","userAgent":"aws-cli/2.15","requestParameters":{},"responseElements":null,"eventID":"0a0a0a0a-0000-4000-8000-0000000000%02[2]d","readOnly":true,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management"}
`

// TestServeTakesUpRules: a rule that is put into its folder, or changed there,
// judges what comes from then on, and one that is broken takes no other along.
func TestServeTakesUpRules(t *testing.T) {
	dir := t.TempDir()
	rules, inbox, data := filepath.Join(dir, "rules"), filepath.Join(dir, "inbox"), filepath.Join(dir, "data")
	for _, d := range []string{rules, inbox} {
		if err := os.Mkdir(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	put := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path+".part", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".part", path); err != nil {
			t.Fatal(err)
		}
	}
	s := serveWith(t, data, "127.0.0.1:0", fmt.Sprintf("rules: {builtin: false, dirs: [%s]}\nsources:\n  - {type: file, paths: [%s], follow: true, poll: 100ms}\n", rules, inbox))
	metric := func(line string) func() bool {
		return func() bool {
			_, body := s.ask("/metrics", nil)
			return strings.Contains(body, line+"\n")
		}
	}
	found := func(who string) func() bool {
		return func() bool {
			return strings.Contains(string(yagura(t, data, "findings", "list", "--format", "json")), "user/"+who)
		}
	}
	stored := func(n int) func() bool { return metric(fmt.Sprintf(`yagura_records_total{verdict="stored"} %d`, n)) }

	put(filepath.Join(inbox, "1.jsonl"), fmt.Sprintf(listedEvent, "early", 1))
	waitFor(t, "the first record", stored(1))
	put(filepath.Join(rules, "kei.yml"), fmt.Sprintf(listedRule, 1, "kei"))
	waitFor(t, "the first rule", metric("yagura_rules_reloads_total 1"))
	put(filepath.Join(inbox, "2.jsonl"), fmt.Sprintf(listedEvent, "kei", 2))
	waitFor(t, "a finding of it", found("kei"))

	put(filepath.Join(rules, "bad.yml"), "title: [\n")
	put(filepath.Join(rules, "kei.yml"), fmt.Sprintf(listedRule, 1, "rin"))
	waitFor(t, "the changed rule", metric("yagura_rules_reloads_total 2"))
	put(filepath.Join(inbox, "3.jsonl"), fmt.Sprintf(listedEvent, "rin", 3))
	waitFor(t, "a finding of the changed rule", found("rin"))

	if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "all rules anew", metric("yagura_rules_reloads_total 3"))
	if found("early")() {
		t.Error("a rule judged what was stored before it came")
	}
}
