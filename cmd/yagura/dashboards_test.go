package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/catalogue"
	"github.com/yagura-sec/yagura/config"
	"github.com/yagura-sec/yagura/dashboard"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/lake/local"
)

// TestMain lets the tests' own program be the child that answers SQL, as main does.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == local.ChildArg {
		os.Exit(local.ChildMain(os.Stdin, os.Stdout))
	}
	os.Exit(m.Run())
}

// TestShippedQueries runs the cases of our queries in the engine that is asked.
func TestShippedQueries(t *testing.T) {
	out, code := said(t, "queries", "test")
	if code != 0 || !strings.Contains(out, ", 0 failed") {
		t.Errorf("exit %d:\n%s", code, out)
	}
	for _, id := range []string{"gcp-audit", "aws", "azure", "identity"} {
		if out, code := said(t, "dashboards", "show", id); code != 0 || !strings.Contains(out, "PANEL") {
			t.Errorf("%s: exit %d:\n%s", id, code, out)
		}
	}
}

func TestOwnQueries(t *testing.T) {
	dir := t.TempDir()
	draft, code := said(t, "queries", "draft", "format:gcp.audit outcome:denied")
	if code != 0 {
		t.Fatalf("exit %d: %s", code, draft)
	}
	file := filepath.Join(dir, "denied.yml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(draft + "cases:\n  - name: one\n    events: [{format: gcp.audit, outcome: denied, api_operation: a}]\n    expect: [{api_operation: a, count: 2}]\n")
	if out, code := said(t, "queries", "test", dir); code != exitFailed || !strings.Contains(out, "count is 1, expected 2") {
		t.Errorf("a case that goes otherwise: exit %d\n%s", code, out)
	}
	write(strings.Replace(draft, "from: events", "from: evnets", 1))
	if out, code := said(t, "queries", "test", file); code != exitFailed || !strings.Contains(out, "refused: from: events or usage") {
		t.Errorf("a file that is wrong: exit %d\n%s", code, out)
	}
}

// weeks makes a lake of five weeks of refusals on weekday mornings, up to four in an
// hour, and on the last morning so many.
func weeks(t *testing.T, last int, since time.Time) *local.Store {
	t.Helper()
	l, err := local.Open(t.TempDir(), local.Options{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	var events []event.Event
	add := func(at time.Time, n int) {
		for i := range n {
			events = append(events, event.Event{
				Time: at.Add(time.Duration(i) * time.Second), Format: "gcp.audit", CloudProvider: "GCP", AccountUID: "harbour-ml",
				Outcome: event.DeniedByOrgPolicy, StatusCode: "constraints/gcp.restrictServiceUsage", APIOperation: "v1.compute.instances.insert", Raw: []byte("{}"),
			})
		}
	}
	for day := range 35 {
		at := lastMorning.AddDate(0, 0, day-34)
		switch {
		case at.Before(since):
		case day == 34:
			add(at, last)
		case at.Weekday() != time.Saturday && at.Weekday() != time.Sunday:
			add(at, day%5)
			add(at.Add(2*time.Hour), (day+2)%4)
		}
	}
	b := batchOf("o", events)
	for i := range b.Events {
		b.Events[i].UID = event.HashUID(fmt.Sprint(i))
	}
	if _, err := l.Append(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	return l
}

// lastMorning is a Monday.
var lastMorning = time.Date(2026, 3, 23, 9, 0, 0, 0, time.UTC)

// TestMarks: a morning unlike the mornings before is marked, one like them is not,
// and of too little past nothing is said.
func TestMarks(t *testing.T) {
	book, refused := catalogue.Dashboards(nil, nil)
	if len(refused) > 0 {
		t.Fatal(refused)
	}
	d, _ := book.Dashboard("gcp-audit")
	f := func(panel string, last int, since time.Time, accounts ...string) dashboard.Answer {
		t.Helper()
		p, _ := d.Panel(panel)
		now := lastMorning.Add(3 * time.Hour)
		a, err := engine(weeks(t, last, since), config.Default().SQL).Ask(t.Context(), book, d, p, d.Settle(dashboard.Ask{Until: now, Now: now, Accounts: accounts}))
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	whole := lastMorning.AddDate(0, 0, -40)
	burst := f("denials", 37, whole)
	if len(burst.Marks) != 1 || burst.Marks[0].Seen != 37 || burst.Marks[0].Low != 0 || burst.Marks[0].High > 12 || burst.Past.State != dashboard.PastJudged {
		t.Errorf("a burst: %+v %+v", burst.Marks, burst.Past)
	}
	at := burst.Start.Add(time.Duration(int64(burst.Marks[0].Bucket)*burst.Width) * time.Second)
	if lastMorning.Before(at) || !lastMorning.Before(at.Add(time.Duration(burst.Width)*time.Second)) {
		t.Errorf("the burst is marked at %s", at)
	}
	if usual := f("denials", 3, whole); len(usual.Marks) != 0 || usual.Past.State != dashboard.PastJudged {
		t.Errorf("a usual morning: %+v %+v", usual.Marks, usual.Past)
	}
	if table := f("denied-projects", 400, whole); len(table.Marks) != 1 || table.Marks[0].Seen < 400 {
		t.Errorf("the table of the week: %+v", table.Marks)
	}
	if short := f("denials", 37, lastMorning.AddDate(0, 0, -9)); len(short.Marks) != 0 || short.Past.State != dashboard.PastShort {
		t.Errorf("nine days of past: %+v %+v", short.Marks, short.Past)
	}
	if none := f("denials", 37, whole, "another"); none.State != dashboard.NoLog || len(none.Series) != 0 {
		t.Errorf("who sees another project: %+v", none)
	}
	if none := f("logins", 37, whole); none.State != dashboard.NoLog || none.Log == nil || none.Unknown() == "" {
		t.Errorf("without a log: %+v", none)
	}
}

// TestRowCells: people read shares in percent and the name of what is not shown.
func TestRowCells(t *testing.T) {
	columns := []dashboard.Heading{{Name: "account_uid", Type: "text"}, {Name: "actor_uid", Type: "text"}, {Name: "count", Type: "number"}, {Name: "share", Type: "share"}}
	f := func(format string, columns []dashboard.Heading, row []any, want ...string) {
		t.Helper()
		p := &program{}
		p.flags.format = format
		if got := p.rowCells(columns, row); !slices.Equal(got, want) {
			t.Errorf("%s %v is %q, want %q", format, row, got, want)
		}
	}
	f("table", columns, []any{"shop", "", 3, 0.22009569}, "shop", "", "3", "22.0 %")
	f("table", columns, []any{nil, nil, 3, 0.5}, "(other)", "", "3", "50.0 %")
	f("csv", columns, []any{nil, nil, 3, 0.5}, "(other)", "", "3", "0.5")
	f("table", columns[:2], []any{nil, nil}, "NULL", "NULL") // of SQL
}
