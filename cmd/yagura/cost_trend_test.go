package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yagura-sec/yagura/internal/golden"
)

// TestCostTrend tells of three months in which a part of GuardDuty moved to Security
// Hub, and of a fourth that is not over.
func TestCostTrend(t *testing.T) {
	const account = "444455556666"
	var bill strings.Builder
	bill.WriteString(curHead)
	for i, month := range []string{"2026-08", "2026-09", "2026-10", "2026-11"} {
		items := []string{"930000", "900000", "1240000", "3"}[i]
		amount := []string{"2790", "2700", "3720", "0.009"}[i]
		bill.WriteString(curLine(month, account, "Usage", "AmazonEC2", "APN1-BoxUsage", "744", "20000"))
		bill.WriteString(curLine(month, account, "Usage", "AWSConfig", "APN1-ConfigurationItemRecorded", items, amount))
		if i < 2 {
			bill.WriteString(curLine(month, account, "Usage", "AmazonGuardDuty", "APN1-RuntimeMonitoring-vCPU", "200", "400"))
		} else {
			bill.WriteString(curLine(month, account, "Usage", "AWSSecurityHub", "APN1-ThreatAnalytics", "200", "420"))
		}
	}
	path := filepath.Join(t.TempDir(), "bill.csv")
	if err := os.WriteFile(path, []byte(bill.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	c := &commands{t, filepath.Join(t.TempDir(), "data")}
	c.ok("cost", "import", path)
	ask := []string{"cost", "trend", "--now", "2026-11-20T09:00:00Z"}
	golden.Check(t, "testdata/cost-trend.golden", []byte(c.ok(ask...)))
	golden.Check(t, "testdata/cost-trend.json.golden", []byte(c.ok(append(ask, "--format", "json")...)))
	if out := c.ok(append(ask, "--format", "csv")...); !strings.Contains(out, "move,2026-10,"+account+",Amazon GuardDuty,AWS Security Hub,400,USD,") {
		t.Errorf("as CSV:\n%s", out)
	}
	for _, format := range []string{"table", "json", "csv"} {
		if out := c.ok(append(ask, "--masked", "--format", format)...); strings.Contains(out, account) || !strings.Contains(out, "AWS Security Hub") {
			t.Errorf("masked as %s:\n%s", format, out)
		}
	}
}
