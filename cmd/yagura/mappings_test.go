package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// said runs the program and gives what it wrote and its exit code.
func said(t *testing.T, args ...string) (string, int) {
	t.Helper()
	var out bytes.Buffer
	code := run(context.Background(), world{
		self: "yagura", args: append(args, "--data", t.TempDir()), stdin: strings.NewReader(""), stdout: &out, stderr: &out,
		getenv: func(string) string { return "" }, now: time.Now,
	})
	return out.String(), code
}

const branch = `title: Proxy of the branch offices
format: proxy.branch
when:
  - {product: branchproxy}
set:
  time: {from: at}
  class: http
  src_ip: {from: client}
cases:
  - name: a page
    record: {product: branchproxy, at: "2026-11-22T09:00:00Z", client: 203.0.113.7}
    expect: {src_ip: 203.0.113.8}
`

func TestMappings(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	f := func(wantCode int, want string, args ...string) {
		t.Helper()
		if out, code := said(t, args...); code != wantCode || !strings.Contains(out, want) {
			t.Errorf("%v: code %d, want %d, said:\n%s\nwant %q", args, code, wantCode, out, want)
		}
	}
	wrong := file("wrong.yml", branch)
	f(exitFailed, `src_ip is "203.0.113.7", not "203.0.113.8"`, "mappings", "test", wrong)
	right := file("right.yml", strings.Replace(branch, "203.0.113.8", "203.0.113.7", 1))
	f(exitDone, "1 mappings: 1 cases passed, 0 failed", "mappings", "test", right)
	f(exitDone, ", 0 failed", "mappings", "test")
	bad := file("bad.yml", strings.Replace(branch, "src_ip:", "src_address:", 1))
	f(exitFailed, `bad.yml:8: `, "mappings", "test", bad)
	f(exitFailed, `there is no column "src_address"`, "mappings", "test", bad)

	f(exitDone, "proxy.branch", "mappings", "list", "--config", file("good.cfg", "mappings: ["+right+"]\n"))
	f(exitDone, "squid.access", "mappings", "list", "--format", "json")
	f(exitUsage, `bad.yml:8:3: set: there is no column "src_address"`, "mappings", "list", "--config", file("bad.cfg", "mappings: ["+bad+"]\n"))
	// JSON and CSV of the format come in.
	csv := file("branch.csv", "product,at,client\nbranchproxy,2026-11-22T09:00:00Z,203.0.113.8\nbranchproxy,later,203.0.113.9\n")
	lines := file("branch.jsonl", `{"product":"branchproxy","at":"2026-11-22T09:00:00Z","client":"203.0.113.7"}`)
	f(exitIncomplete, `"stored": 2`, "ingest", csv, lines, "--no-anomalies", "--format", "json", "--config", filepath.Join(dir, "good.cfg"))

	taken := file("taken.yml", strings.Replace(branch, "proxy.branch", "aws.cloudtrail", 1))
	f(exitUsage, "format aws.cloudtrail is read by the program itself", "mappings", "list", "--config", file("taken.cfg", "mappings: ["+taken+"]\n"))
	f(exitUsage, "no such file", "mappings", "list", "--config", file("none.cfg", "mappings: ["+filepath.Join(dir, "none")+"]\n"))
}
