package main

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// TestCostHostile imports a folder of what no bill is, or is damaged, among two that
// are whole: each is named with its reason, and the two count.
func TestCostHostile(t *testing.T) {
	dir, c := t.TempDir(), &commands{t, filepath.Join(t.TempDir(), "data")}
	put := func(name string, body []byte) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), body, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pack := func(body []byte) []byte {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		if _, err := z.Write(body); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	row := func(account, amount string) string {
		return curLine("2026-04", account, "Usage", "AWSConfig", "APN1-ConfigurationItemRecorded", "1", amount)
	}
	whole := pack([]byte(curHead + strings.Repeat(row("444455556666", "1"), 500)))
	put("cut.csv.gz", whole[:len(whole)-9])
	put("more.csv.gz", append(bytes.Clone(whole), "and then some text"...))
	put("bomb.gz", pack(make([]byte, 300<<20)))
	put("deep.json", bytes.Repeat([]byte("["), 100_000))
	put("empty.csv", nil)
	put("請求書.csv", []byte(curHead+row("777788889999", "2")))
	put("line\n\x1b[31m"+strings.Repeat("é", 100)+".csv", []byte(curHead+row("111122223333", "4")+strings.Replace(row("111122223333", "1"), "2026-04-02T", "9999-04-02T", 1)+row("111122223333", "NaN")+row("111122223333", "-1")))
	if err := os.Mkdir(filepath.Join(dir, "empty"), 0o700); err != nil {
		t.Fatal(err)
	}
	for from, to := range map[string]string{"up": "..", "self": "self", "zero.csv": "/dev/zero"} {
		if err := os.Symlink(to, filepath.Join(dir, from)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "fifo.csv"), 0o600); err != nil {
		t.Fatal(err)
	}

	done := imported(t, c.data, exitIncomplete, dir)
	if len(done.Held) != 2 || done.Stored != 3 || done.Quarantined != 2 || done.Refused[0].Row != 3 || done.Refused[1].Row != 4 {
		t.Errorf("%+v", done)
	}
	told := func(where []Failure, name, why string) {
		t.Helper()
		if !slices.ContainsFunc(where, func(f Failure) bool {
			return filepath.Base(f.Object) == name && filepath.IsAbs(f.Object) && strings.Contains(f.Reason, why)
		}) {
			t.Errorf("of %s is not said %q: %+v", name, why, where)
		}
	}
	told(done.Failures, "cut.csv.gz", "ends too soon")
	told(done.Failures, "more.csv.gz", "goes on with what is no gzip")
	told(done.Failures, "self", "too many levels of symbolic links")
	told(done.Skipped, "bomb.gz", "no bill")
	told(done.Skipped, "deep.json", "no bill")
	told(done.Skipped, "empty.csv", "no bill")
	told(done.Skipped, "fifo.csv", "no file")
	told(done.Skipped, "up", "no file")
	told(done.Skipped, "zero.csv", "no file")
	if len(done.Failures) != 3 || len(done.Skipped) != 6 {
		t.Errorf("%+v, %+v", done.Failures, done.Skipped)
	}

	_, out, errs := ask(t, c.data, "cost", "import", dir)
	for _, r := range out + errs {
		if r < ' ' && r != '\n' {
			t.Fatalf("the answer has the control character %U: %q", r, out)
		}
	}
	if strings.Contains(out, "line\n") || !strings.Contains(out, "請求書.csv") {
		t.Errorf("names are not written safely: %s", out)
	}
}

// TestCostDouble imports objects of AWS Config's history and a query over the same
// day, together and one after the other: the query is taken, and it is said.
func TestCostDouble(t *testing.T) {
	dir := t.TempDir()
	object, query := filepath.Join(dir, "object.json"), filepath.Join(dir, "query.csv")
	for path, text := range map[string]string{
		object: `{"configurationItems":[{"awsAccountId":"444455556666","awsRegion":"us-east-1","resourceType":"AWS::EC2::Subnet","resourceId":"subnet-1","configurationItemStatus":"OK","configurationItemCaptureTime":"2026-10-01T05:00:00Z","configuration":{}}]}`,
		query:  "account,region,resource_type,day,items,resource_days\n444455556666,us-east-1,AWS::EC2::Subnet,2026-10-01,99,1\n",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, order := range [][]string{{object, query}, {query, object}} {
		together, apart := t.TempDir(), t.TempDir()
		done := imported(t, together, exitDone, order...)
		imported(t, apart, exitDone, order[0])
		last := imported(t, apart, exitDone, order[1])
		want := []CostDouble{{"444455556666", "us-east-1", "AWS::EC2::Subnet", "2026-10-01", "2026-10-01", "query"}}
		if !slices.Equal(done.Double, want) || !slices.Equal(last.Double, want) {
			t.Errorf("%v: %+v and then %+v, want %+v", order, done.Double, last.Double, want)
		}
	}
	code, out, _ := ask(t, t.TempDir(), "cost", "import", object, query)
	if code != exitDone || !strings.Contains(out, "the query is taken") {
		t.Errorf("as a table it exits with %d: %s", code, out)
	}
}
