package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDocsOnRules runs the rules and cases that docs/rules.md shows.
func TestDocsOnRules(t *testing.T) {
	text, err := os.ReadFile("../../docs/rules.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	blocks := regexp.MustCompile("(?s)```yaml\n# (\\S+)\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	for _, b := range blocks {
		path := filepath.Join(dir, b[1])
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(b[2]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f := func(want string, args ...string) {
		t.Helper()
		if code, out, errs := say(t, args...); code != 0 || !strings.Contains(out, want) {
			t.Errorf("%v: exit code %d, %q, %q; want %q", args, code, out, errs, want)
		}
	}
	rules := filepath.Join(dir, "my-rules")
	f("4 passed, 0 failed, 0 skipped", "rules", "test", "--require", rules)
	f("3 rules, 0 problems", "rules", "lint", rules)
	f("3 rules, 0 problems", "rules", "lint", dir) // with the filter
	filters := filepath.Join(dir, "my-filters")
	f("3 rules, 0 problems", "rules", "lint", rules, filters)
	f("6 passed, 0 failed, 0 skipped", "rules", "test", "--require", rules, filters)
	config := filepath.Join(dir, "yagura.yml")
	if err := os.WriteFile(config, []byte("rules: {dirs: ["+rules+"]}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f("0 rules, 0 problems", "--config", config, "rules", "lint", filters)
	f("2 passed, 0 failed, 0 skipped", "--config", config, "rules", "test", "--require", filters)
	if len(blocks) != 6 {
		t.Errorf("docs/rules.md shows %d files", len(blocks))
	}

	// What it shows of a case that fails is what is said.
	cases := filepath.Join(rules, "vault-opened.cases.yml")
	written, err := os.ReadFile(cases)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(cases, bytes.Replace(written, []byte("payments/db"), []byte("payment/db"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	shown := regexp.MustCompile("(?s)```\n(FAIL .*?)```").FindSubmatch(text)
	code, out, _ := say(t, "rules", "test", filepath.Join(rules, "vault-opened.yml"))
	if out = strings.ReplaceAll(out, dir+"/", ""); code != 1 || shown == nil || !strings.HasPrefix(out, string(shown[1])) {
		t.Errorf("exit code %d, and it says\n%s\nwhere docs/rules.md has\n%s", code, out, shown)
	}
}
