package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/query"
)

// stored is a data directory with n events, a second apart.
func lakeOf(t *testing.T, n int) (data string) {
	t.Helper()
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{"eventVersion":"1.08","userIdentity":{"type":"IAMUser","principalId":"AIDAEXAMPLE","arn":"arn:aws:iam::111122223333:user/kei","accountId":"111122223333","userName":"kei"},`+
			`"eventTime":"2026-03-01T10:00:%02dZ","eventSource":"ec2.amazonaws.com","eventName":"DescribeInstances","awsRegion":"eu-west-1","sourceIPAddress":"203.0.113.8","userAgent":"=agent",`+
			`"requestParameters":{},"responseElements":null,"requestID":"r%d","eventID":"0a0a0a0a-0000-4000-8000-0000000000%02d","readOnly":true,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management"}`+"\n", i, i, i)
	}
	data = filepath.Join(t.TempDir(), "data")
	if code, out, errs := say(t, "--data", data, "ingest", fileOf(t, "log.jsonl", b.String())); code != 0 {
		t.Fatalf("ingest: exit code %d, %s%s", code, out, errs)
	}
	return data
}

func TestSearchSaysWhetherThereIsMore(t *testing.T) {
	data := lakeOf(t, 11)
	f := func(limit, format string, rows int, more bool) {
		t.Helper()
		code, out, errs := say(t, "--data", data, "--format", format, "search", "--limit", limit, "user:kei")
		got := strings.Count(out, "0a0a0a0a-0000-4000-8000-") // each row has its uid
		if format == "json" || format == "jsonl" {
			got = strings.Count(out, "\n")
		}
		if code != 0 || got != rows || strings.Contains(out+errs, "--limit 0") != more {
			t.Errorf("--limit %s --format %s: exit code %d, %d rows, want %d, more %v:\n%s%s", limit, format, code, got, rows, more, out, errs)
		}
		if format != "table" && strings.Contains(out, "--limit") {
			t.Errorf("--format %s: a remark among the rows", format)
		}
	}
	f("10", "table", 10, true)
	f("11", "table", 11, false)
	f("12", "table", 11, false)
	f("0", "table", 11, false)
	f("10", "csv", 10, true)
	f("11", "csv", 11, false)
	f("10", "jsonl", 10, true)
	f("0", "json", 11, false)

	if code, _, errs := say(t, "--data", data, "search", "--limit", "-1"); code != exitUsage || !strings.Contains(errs, "--limit -1") {
		t.Errorf("--limit -1: exit code %d, %s", code, errs)
	}
	if code, out, _ := say(t, "--data", data, "search", "--count", "--format", "csv", "user:kei"); code != 0 || out != "count\n11\n" {
		t.Errorf("--count as CSV: exit code %d, %q", code, out)
	}
}

// TestSearchLeadsToTheEvent: what a row of the table shows is enough to see the
// event whole.
func TestSearchLeadsToTheEvent(t *testing.T) {
	data := lakeOf(t, 3)
	_, out, _ := say(t, "--data", data, "search", "--limit", "1")
	cells := strings.Fields(strings.Split(out, "\n")[1])
	_, out, _ = say(t, "--data", data, "search", "--format", "json", "uid:"+cells[len(cells)-1])
	var e struct {
		Raw struct{ EventID, EventTime string }
	}
	if err := json.Unmarshal([]byte(out), &e); err != nil || e.Raw.EventID != "0a0a0a0a-0000-4000-8000-000000000002" || e.Raw.EventTime != "2026-03-01T10:00:02Z" {
		t.Errorf("%v leads to %+v, %v", cells, e, err)
	}
}

func TestEventPrinter(t *testing.T) {
	f := func(format string, n int, want func(string) bool) {
		t.Helper()
		var b strings.Builder
		p := &program{world: world{stdout: &b}}
		p.flags.format = format
		out := p.eventPrinter()
		for i := range n {
			if err := out.print(&event.Event{UserAgent: "=1+1", Position: int64(i)}); err != nil {
				t.Fatal(err)
			}
			if i == tableBlock && b.Len() == 0 {
				t.Errorf("%s: nothing is written after %d rows", format, i)
			}
		}
		if err := out.close(); err != nil || !want(b.String()) {
			t.Errorf("%s, %d rows: %v\n%.300s", format, n, err, b.String())
		}
	}
	heads := func(n int) func(string) bool {
		return func(s string) bool { return strings.Count(s, "TIME ") == n }
	}
	f("table", 0, heads(1))
	f("table", tableBlock, heads(1))
	f("table", tableBlock+1, heads(2))
	f("csv", tableBlock+1, func(s string) bool {
		rows, err := csv.NewReader(strings.NewReader(s)).ReadAll()
		return err == nil && len(rows) == tableBlock+2 && rows[1][15] == "'=1+1" && rows[tableBlock+1][19] == fmt.Sprint(tableBlock)
	})
	f("csv", 0, func(s string) bool { return strings.HasPrefix(s, "time,uid,") && strings.Count(s, "\n") == 1 })
}

func TestFields(t *testing.T) {
	code, out, _ := say(t, "search", "--fields")
	for _, c := range query.Columns() {
		if !strings.Contains(out, c.Doc) || !strings.Contains(out, "\n"+c.Name) {
			t.Errorf("--fields leaves %s out", c.Name)
		}
	}
	if code != 0 || !strings.Contains(out, ": success, denied") {
		t.Errorf("exit code %d; no values of outcome:\n%s", code, out)
	}
	if code, _, _ := say(t, "search", "--fields", "user:kei"); code != exitUsage {
		t.Errorf("--fields with a filter: exit code %d", code)
	}
	_, out, _ = say(t, "--format", "json", "search", "--fields")
	var got struct{ Fields []Field }
	if err := json.Unmarshal([]byte(out), &got); err != nil || len(got.Fields) != len(query.Columns()) || got.Fields[0].Type != "time" {
		t.Errorf("%v: %s", err, out)
	}
}

// TestSearchAsRule: a filter becomes a rule that the rest of the program reads, or
// a reason, and nothing is opened for it.
func TestSearchAsRule(t *testing.T) {
	code, out, errs := say(t, "--data", filepath.Join(t.TempDir(), "none"), "search", "--as-rule", "operation:DeleteTrail", "not error:*")
	if code != 0 || !strings.Contains(out, "eventName: DeleteTrail") || errs != "" {
		t.Fatalf("exit code %d, %s%s", code, out, errs)
	}
	if code, out, errs = say(t, "rules", "lint", fileOf(t, "drafted.yml", out)); code != 0 {
		t.Errorf("lint: exit code %d, %s%s", code, out, errs)
	}
	if code, out, errs = say(t, "search", "--as-rule", "caller:lambda"); code != exitUsage || out != "" || !strings.Contains(errs, "user_agent instead") {
		t.Errorf("exit code %d, %s%s", code, out, errs)
	}
}
