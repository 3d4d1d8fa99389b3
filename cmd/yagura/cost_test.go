package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/api"
)

const curHead = "bill_payer_account_id,bill_billing_period_start_date,line_item_usage_account_id,line_item_line_item_type,line_item_usage_start_date,line_item_product_code,line_item_usage_type,line_item_usage_amount,line_item_currency_code,line_item_unblended_cost\n"

// curLine is a row of a bill of payer 111122223333.
func curLine(month, account, kind, service, usage, quantity, amount string) string {
	return strings.Join([]string{"111122223333", month + "-01T00:00:00Z", account, kind, month + "-02T05:00:00Z", service, usage, quantity, "USD", amount}, ",") + "\n"
}

// imported runs an import and holds its exit code.
func imported(t *testing.T, data string, code int, paths ...string) (done CostImported) {
	t.Helper()
	got, out, errs := ask(t, data, append([]string{"cost", "import", "--format", "json"}, paths...)...)
	if err := json.Unmarshal([]byte(out), &done); err != nil || got != code {
		t.Fatalf("import %v exits with %d, %v: %s %s", paths, got, err, out, errs)
	}
	if done.Stored+done.Duplicates+done.Quarantined != done.Rows {
		t.Errorf("%d rows are not %d stored, %d duplicates and %d quarantined", done.Rows, done.Stored, done.Duplicates, done.Quarantined)
	}
	return done
}

// TestCost imports bills into an empty directory, again, changed and beside a writer,
// and tells what security services cost of them.
func TestCost(t *testing.T) {
	dir, c := t.TempDir(), &commands{t, filepath.Join(t.TempDir(), "data")}
	put := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	april := curHead +
		curLine("2026-04", "444455556666", "Usage", "AWSConfig", "APN1-ConfigurationItemRecorded", "1000", "3.0000000001") +
		curLine("2026-04", "777788889999", "Usage", "AWSConfig", "APN1-ConfigurationItemRecorded", "500", "1.5") +
		curLine("2026-04", "444455556666", "Usage", "AmazonGuardDuty", "APN1-PaidEventsAnalyzed", "1", "20") +
		curLine("2026-04", "444455556666", "Usage", "AmazonEC2", "APN1-BoxUsage", "24", "1475.4999999999") +
		curLine("2026-04", "444455556666", "Tax", "AmazonEC2", "", "1", "150") +
		curLine("2026-04", "444455556666", "Credit", "AmazonEC2", "", "0", "-10.25") +
		curLine("2026-04", "444455556666", "Refund", "AWSConfig", "", "0", "-1")
	put("bills/april.csv", april)
	may := put("bills/may.csv", curHead+curLine("2026-05", "444455556666", "Usage", "AWSConfig", "APN1-ConfigurationItemRecorded", "1", "0.003")+
		curLine("2026-05", "444455556666", "Usage", "AWSConfig", "APN1-ConfigurationItemRecorded", "1", "much"))
	put("bills/notes.txt", "call mia\n")

	if code, _, errs := ask(t, c.data, "cost", "shares"); code != exitFailed || !strings.Contains(errs, "no data yet") {
		t.Errorf("shares of nothing exits with %d: %s", code, errs)
	}
	done := imported(t, c.data, exitIncomplete, filepath.Join(dir, "bills"), filepath.Join(dir, "absent"))
	if done.Files != 3 || done.Rows != 9 || done.Stored != 8 || done.Quarantined != 1 || len(done.Held) != 2 || len(done.Skipped) != 1 || len(done.Failures) != 1 {
		t.Errorf("%+v", done)
	}
	if r := done.Refused; len(r) != 1 || r[0].File != may || r[0].Row != 3 || r[0].Column != "line_item_unblended_cost" || r[0].Reason != "is no number" || !strings.Contains(r[0].Text, "much") {
		t.Errorf("%+v", r)
	}
	sharesAre := func(want ...string) {
		t.Helper()
		var s api.CostShares
		c.json(&s, "cost", "shares")
		var got []string
		for _, m := range s.Months {
			text := strings.Join([]string{m.Month, m.Total.String(), m.Security.String(), m.Currency, m.Tax.String(), m.Credit.String(), m.Refund.String()}, " ")
			for _, x := range m.Services {
				text += " | " + x.Service + " " + x.Account + " " + x.Amount.String()
			}
			got = append(got, text+" "+m.Missing.Said.String())
		}
		if !slices.Equal(got, want) {
			t.Errorf("shares are %q\nwant %q", got, want)
		}
	}
	inMay := "2026-05 0.003 0.003 USD 0 0 0 | AWS Config 444455556666 0.003 1 row of this month's files could not be read: the figures lack it."
	sharesAre("2026-04 1500 24.5000000001 USD 150 -10.25 -1 | Amazon GuardDuty 444455556666 20 | AWS Config 444455556666 3.0000000001 | AWS Config 777788889999 1.5 ", inMay)
	if out := c.ok("cost", "shares", "--format", "json"); !strings.Contains(out, `"amount": 3.0000000001`) {
		t.Errorf("amounts are to be numbers with all their digits: %s", out)
	}

	done = imported(t, c.data, exitDone, filepath.Join(dir, "bills"))
	if done.Duplicates != 9 || len(done.Skipped) != 3 {
		t.Errorf("read again: %+v", done)
	}
	put("bills/april.csv", strings.Replace(april, "AmazonGuardDuty,APN1-PaidEventsAnalyzed,1,USD,20", "AmazonGuardDuty,APN1-PaidEventsAnalyzed,1,USD,21", 1))
	if done = imported(t, c.data, exitDone, filepath.Join(dir, "bills", "april.csv")); done.Stored != 7 || !slices.Equal(done.Held[0].Replaces, []string{done.Held[0].File}) {
		t.Errorf("changed: %+v", done)
	}
	sharesAre("2026-04 1501 25.5000000001 USD 150 -10.25 -1 | Amazon GuardDuty 444455556666 21 | AWS Config 444455556666 3.0000000001 | AWS Config 777788889999 1.5 ", inMay)

	code, out, errs := ask(t, c.data, "cost", "files", "--format", "json")
	var held CostFiles
	if err := json.Unmarshal([]byte(out), &held); err != nil || code != exitIncomplete || len(held.Files) != 2 || held.Quarantined != 1 || len(held.Refused) != 1 || held.Refused[0].Row != 3 {
		t.Errorf("files exits with %d, %v: %s %s", code, err, out, errs)
	}
	testBeside(c)
	testSharesBy(c)

	counts := filepath.Join("..", "..", "cost", "count", "testdata")
	done = imported(t, c.data, exitIncomplete, counts) // some of it is broken on purpose
	if done.Stored == 0 || done.Duplicates > 0 {
		t.Errorf("counts and settings: %+v", done)
	}
	if again := imported(t, c.data, exitDone, counts); again.Duplicates != done.Rows || len(again.Held) > 0 {
		t.Errorf("counts and settings again: %+v", again)
	}
}

// testBeside imports by standard input while another program writes.
func testBeside(c *commands) {
	c.Helper()
	p := &program{world: world{getenv: func(string) string { return "" }, now: time.Now, stderr: os.Stderr}}
	p.flags.data, p.flags.format = c.data, "table"
	if err := p.settle(); err != nil {
		c.Fatal(err)
	}
	r, err := p.write(c.Context())
	if err != nil {
		c.Fatal(err)
	}
	defer r.Close()
	var stdout, stderr bytes.Buffer
	code := run(c.Context(), world{
		self: "yagura", args: []string{"--data", c.data, "cost", "import", "-"}, stdout: &stdout, stderr: &stderr,
		stdin:  strings.NewReader(curHead + curLine("2026-06", "444455556666", "Usage", "AmazonEC2", "APN1-BoxUsage", "1", "2")),
		getenv: func(string) string { return "" }, now: time.Now,
	})
	if code != exitDone || !strings.Contains(stdout.String(), "aws.cur2 csv") {
		c.Errorf("beside a writer import exits with %d: %s %s", code, &stdout, &stderr)
	}
}

func testSharesBy(c *commands) {
	c.Helper()
	var lines api.CostLines
	c.json(&lines, "cost", "shares", "--by", "service,account", "--since", "2026-04", "--until", "2026-05", "--service", "AWS Config")
	if len(lines.Lines) != 2 || lines.Lines[0].Service != "AWSConfig" || lines.Lines[0].Security != "AWS Config" || lines.Lines[0].Amount.String() != "3.0000000001" {
		c.Errorf("by service and account: %+v", lines)
	}
	if out := c.ok("cost", "shares"); !strings.Contains(out, "1,501.00") || !strings.Contains(out, "1.7 %") || !strings.Contains(out, "could not be read") {
		c.Errorf("shares as a table: %s", out)
	}
	if out := c.ok("cost", "shares", "--masked", "--format", "csv"); strings.Contains(out, "444455556666") || !strings.Contains(out, "3.0000000001") {
		c.Errorf("masked: %s", out)
	}
	wrong := func(why string, args ...string) {
		c.Helper()
		if code, _, errs := ask(c.T, c.data, append([]string{"cost", "shares"}, args...)...); code != exitUsage || !strings.Contains(errs, why) {
			c.Errorf("%v exits with %d: %s", args, code, errs)
		}
	}
	wrong("--by colour", "--by", "colour")
	wrong("none of the security services", "--service", "Amazon EC2")
	wrong("not before", "--since", "2026-05", "--until", "2026-04")
}
