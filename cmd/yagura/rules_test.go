package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/rules"
)

// say runs the program and answers what it says.
func say(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(context.Background(), world{
		args: args, stdin: strings.NewReader(""), stdout: &out, stderr: &errs,
		getenv: func(k string) string { return map[string]string{"HOME": "/nonexistent"}[k] },
		now:    func() time.Time { return time.Date(2026, 3, 10, 0, 0, 0, 0, time.UTC) },
	})
	return code, out.String(), errs.String()
}

// fileOf writes a file and gives its path.
func fileOf(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestConformRefusesWhatIsNoCorpus(t *testing.T) {
	const good = `{"id":"a","kind":"rule","rule":"title: t\nlogsource: {product: x}\ndetection:\n  s: {a: 1}\n  condition: s\n","event":{"a":1},"expect":true}` + "\n"
	f := func(corpus string, code int, stdout, stderr string) {
		t.Helper()
		path := fileOf(t, "corpus.jsonl", corpus)
		c, out, errs := say(t, "rules", "conform", path)
		if c != code || out != stdout || !strings.Contains(errs, strings.ReplaceAll(stderr, "FILE", path)) {
			t.Errorf("exit code %d, %q, %q; want %d, %q, %q", c, out, errs, code, stdout, stderr)
		}
	}
	f(good, 0, "1 passed, 0 failed, 0 skipped\n", "")
	f("title: a rule\n", 2, "", "FILE:1: no case: ")
	f(good+`{"eventName":"StopLogging"}`, 2, "", `FILE:2: no case: "id" is missing`)
	f("", 2, "", "FILE:1: the corpus ends without a case")
}

// TestRulesCSV: what asks for CSV gets CSV.
func TestRulesCSV(t *testing.T) {
	f := func(code int, head, row string, args ...string) {
		t.Helper()
		c, out, _ := say(t, append([]string{"--format", "csv", "rules"}, args...)...)
		lines := strings.Split(out, "\n")
		if c != code || lines[0] != head || !regexp.MustCompile(row).MatchString(strings.Join(lines[1:], "\n")) {
			t.Errorf("%v: exit code %d, %q; want %d, %q and %q", args, c, out, code, head, row)
		}
	}
	bad := fileOf(t, "bad.yml", "title: t\nlogsource: {product: x}\ndetection:\n  s: {a|frobnicates: 1}\n  condition: s\n")
	f(1, "file,line,col,severity,check,rule,reason", `bad\.yml,4,\d+,error,refused,`, "lint", bad)
	f(1, "case,expected,got,why", `bad\.yml:4:\d+,a rule that compiles,error,`, "test", bad)
	f(0, "case,expected,got,why", `^$`, "test")
	f(0, "level,log source,title,file", `(?m)^high,`, "list")
}

// TestExamplesOfRules: the files that the help names exist.
func TestExamplesOfRules(t *testing.T) {
	named := regexp.MustCompile(`rules/(aws/\S+\.yml)`)
	for _, c := range (&program{}).rules().Commands() {
		for _, m := range named.FindAllStringSubmatch(c.Long+c.Example, -1) {
			if _, err := fs.Stat(rules.FS(), m[1]); err != nil {
				t.Errorf("%s names a rule that does not exist: %v", c.Name(), err)
			}
		}
	}
}

// TestRulesList: scripts read the hash of what each rule matches, and which ones
// only serve correlations.
func TestRulesList(t *testing.T) {
	code, out, errs := say(t, "--format", "json", "rules", "list")
	var list struct {
		Rules   []Rule
		Refused int
	}
	if err := json.Unmarshal([]byte(out), &list); err != nil || code != 0 || list.Refused > 0 {
		t.Fatalf("exit code %d, %v, %s", code, err, errs)
	}
	kinds := map[string]int{}
	for _, r := range list.Rules {
		if len(r.Hash) != 16 || r.LogSource == "" {
			t.Errorf("%+v", r)
		}
		if r.Serves {
			kinds["serves"]++
		} else {
			kinds[r.Kind]++
		}
	}
	if kinds["rule"] < 70 || kinds["correlation"] < 30 || kinds["serves"] < 30 {
		t.Errorf("there are %v", kinds)
	}
}

// ruleOf writes a folder of one rule and gives its path.
func ruleOf(t *testing.T, id, name string) string {
	t.Helper()
	return filepath.Dir(fileOf(t, name+".yml", `title: Instances were listed, says `+name+`
id: `+id+`
name: `+name+`
status: test
description: A test.
logsource: {product: aws, service: cloudtrail}
detection:
  selection: {eventName: DescribeInstances, userAgent|startswith: `+strings.Repeat("a", 200)+`}
  condition: selection
level: low
`))
}

// TestRulesElsewhere: what is built in or configured has taken its ids, and paths
// in which there are no rules are not taken for ones without a fault.
func TestRulesElsewhere(t *testing.T) {
	f := func(code int, stdout, stderr string, args ...string) {
		t.Helper()
		c, out, errs := say(t, append([]string{"rules"}, args...)...)
		if c != code || !strings.Contains(out, stdout) || !strings.Contains(errs, stderr) {
			t.Errorf("%v: exit code %d, %q, %q; want %d, %q and %q", args, c, out, errs, code, stdout, stderr)
		}
	}
	list, err := fs.ReadFile(rules.FS(), "aws/trail-stopped.yml")
	if err != nil {
		t.Fatal(err)
	}
	builtin := regexp.MustCompile(`(?m)^id: (\S+)`).FindStringSubmatch(string(list))[1]
	mine := ruleOf(t, "5d3e9d4c-8c6b-4d8d-9b0a-000000000011", "mine")
	f(0, "1 rules, 1 problems", "", "lint", mine) // no cases
	f(0, "1 rules, 1 problems", "", "lint", mine, "--config", fileOf(t, "c.yml", "rules: {dirs: ["+mine+"]}"))
	taken := ruleOf(t, builtin, "taken")
	f(1, "builtin/aws/trail-stopped.yml", "", "lint", taken)
	f(0, "1 rules, 1 problems", "", "lint", taken, "--config", fileOf(t, "c.yml", "rules: {builtin: false}"))
	again := ruleOf(t, "5d3e9d4c-8c6b-4d8d-9b0a-000000000011", "again")
	f(1, mine, "", "lint", mine, again)
	f(1, mine, "", "lint", again, "--config", fileOf(t, "c.yml", "rules: {dirs: ["+mine+"]}"))

	empty := t.TempDir()
	f(2, "", "there are no rules in "+empty, "test", empty)
	f(2, "", "there are no rules in "+empty, "lint", mine, empty)
	f(2, "", "nosuchdir", "test", "nosuchdir")
	f(2, "", "nosuchdir", "list", "nosuchdir")
	f(2, "", "nosuchdir", "coverage", "nosuchdir")
}

// TestExplainFile: records are explained as files of logs hold them.
func TestExplainFile(t *testing.T) {
	rule := filepath.Join(ruleOf(t, "5d3e9d4c-8c6b-4d8d-9b0a-000000000011", "mine"), "mine.yml")
	f := func(text string, code int, want string, flags ...string) {
		t.Helper()
		c, out, errs := say(t, append([]string{"rules", "explain", rule, fileOf(t, "log.json", text)}, flags...)...)
		if c != code || !strings.Contains(out+errs, want) {
			t.Errorf("of %s %v is said, with exit code %d, %q, %q; want %d and %q", text, flags, c, out, errs, code, want)
		}
	}
	record := func(name string) string {
		return `{"eventName":"` + name + `","userAgent":"` + strings.Repeat("a", 200) + `"}`
	}
	one, two := record("DescribeInstances"), record("RunInstances")
	f(one, 0, "log.json matches")
	f(one, 0, " "+strings.Repeat("a", 59)+"… ") // the table keeps its width
	f(one, 0, `"pattern": "`+strings.Repeat("a", 200)+`"`, "--format", "json")
	f(`{"Records":[`+one+`]}`, 0, "log.json matches")
	f(`{"Events":[`+one+`]}`, 0, "log.json matches")
	f(`[`+one+`]`, 0, "log.json matches")
	f(`{"Records":[`+one+`,`+two+`]}`, 2, "log.json holds 2 records: give one, or its number with --record, from 1")
	f(`{"Records":[`+one+`,`+two+`]}`, 0, "log.json matches", "--record", "1")
	f(one+"\n"+two+"\n", 0, "log.json does not match", "--record", "2")
	f(one+"\n"+two+"\n", 2, "--record 3: ", "--record", "3")
	f(one, 2, "--record 0: records are counted from 1", "--record", "0")
	f(`{"Records":[]}`, 2, "holds no record")
	f(`[1]`, 2, "holds no record")
	f(`"text"`, 2, "holds no record")
}

// TestCoverageTitles: of several rules the table shows one, and scripts get all.
func TestCoverageTitles(t *testing.T) {
	_, table, _ := say(t, "rules", "coverage")
	_, csv, _ := say(t, "rules", "coverage", "--format", "csv")
	if !regexp.MustCompile(`(?m)^T1685\.002 .* and \d+ more *$`).MatchString(table) || strings.Contains(table, "; ") {
		t.Errorf("the table is\n%s", table)
	}
	if !regexp.MustCompile(`(?m)^T1685\.002,.*; `).MatchString(csv) {
		t.Errorf("as CSV it is\n%s", csv)
	}
}
