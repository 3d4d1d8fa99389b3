// Package costtest is the contract of cost.Store as a test that every engine passes.
package costtest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/yagura-sec/yagura/cost"
)

// Test checks that a store keeps the contract; open makes an empty one.
func Test(t *testing.T, open func(*testing.T) cost.Store) {
	for name, test := range map[string]func(*testing.T, cost.Store){
		"Sums": testSums, "Exact": testExact, "Files": testFiles, "Deliveries": testDeliveries, "Drafts": testDrafts,
		"Counts": testCounts, "Facts": testFacts,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

var (
	april = time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)
	may   = time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
)

func dec(s string) decimal.Decimal { return decimal.RequireFromString(s) }

func line(month time.Time, account, service, usage, amount string) cost.Line {
	return cost.Line{
		Provider: "AWS", Payer: "111122223333", Account: account, Service: service, UsageType: usage, Region: "us-east-1",
		Month: month, Kind: cost.Usage, Amount: dec(amount), Quantity: dec("10"), Currency: "USD", Unit: "Count", Rows: 2,
	}
}

// file is one of the bills of lines.
func file(name, print string, lines []cost.Line) cost.File {
	f := cost.File{Name: name, Holds: cost.HoldsBill, Form: "aws.cur2 csv", Series: name, Fingerprint: print, Imported: may}
	for _, l := range lines {
		f.Rows += l.Rows
		if b := (cost.Bill{Provider: l.Provider, Payer: l.Payer, Month: l.Month}); !slices.Contains(f.Bills, b) {
			f.Bills = append(f.Bills, b)
		}
		if !slices.Contains(f.Accounts, l.Account) {
			f.Accounts = append(f.Accounts, l.Account)
		}
	}
	return f
}

func take(t *testing.T, s cost.Store, f cost.File, lines []cost.Line) cost.Settled {
	t.Helper()
	d, err := s.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for some := range slices.Chunk(lines, 2) {
		if err := d.Add(t.Context(), some); err != nil {
			t.Fatal(err)
		}
	}
	done, err := d.Commit(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Discard(t.Context()); err != nil {
		t.Errorf("discard behind commit: %v", err)
	}
	return done
}

// sums are those of a query, each as "dims=amount currency".
func sums(t *testing.T, s cost.Store, q cost.Query) (out []string) {
	t.Helper()
	all, err := s.Sums(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range all {
		text := ""
		for _, d := range q.By {
			text += x.Text(d) + " "
		}
		if x.Security != "" {
			text += "(" + x.Security + ") "
		}
		out = append(out, fmt.Sprintf("%s%s %s /%s /%d", text, x.Amount, x.Currency, x.Quantity, x.Rows))
	}
	return out
}

func same(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

func testSums(t *testing.T, s cost.Store) {
	same(t, sums(t, s, cost.Query{}))
	lines := []cost.Line{
		line(april, "444455556666", "AWSConfig", "USE1-ConfigurationItemRecorded", "3.003"),
		line(april, "444455556666", "AmazonEC2", "BoxUsage", "100"),
		line(april, "777788889999", "AmazonEC2", "BoxUsage", "50.5"),
		line(may, "444455556666", "AWSConfig", "USE1-ConfigurationItemRecorded", "1"),
		line(may, "444455556666", "AWSCertificateManager", "USE1-PaidPrivateCA", "400"),
		line(may, "444455556666", "AWSCertificateManager", "USE1-FreeCertificate", "0"),
	}
	lines[3].Day = time.Date(2026, 5, 7, 0, 0, 0, 0, time.UTC)
	lines[2].Currency = "JPY"
	tax := line(april, "444455556666", "AWSConfig", "", "0.3")
	tax.Kind = cost.Tax
	lines = append(lines, tax)
	if done := take(t, s, file("a.csv", "1", lines), lines); done.Outcome != cost.Stored {
		t.Fatalf("%+v", done)
	}
	same(t, sums(t, s, cost.Query{}), "50.5 JPY /10 /2", "504.303 USD /60 /12")
	same(t, sums(t, s, cost.Query{By: []cost.Dim{cost.ByMonth}, Kinds: []cost.Kind{cost.Usage}}),
		"2026-04 50.5 JPY /10 /2", "2026-04 103.003 USD /20 /4", "2026-05 401 USD /30 /6")
	same(t, sums(t, s, cost.Query{By: []cost.Dim{cost.ByService}, Since: may}),
		"AWSCertificateManager 0 USD /10 /2", "AWSCertificateManager (AWS Private CA) 400 USD /10 /2", "AWSConfig (AWS Config) 1 USD /10 /2")
	same(t, sums(t, s, cost.Query{By: []cost.Dim{cost.ByKind, cost.ByAccount}, Until: may}),
		"tax 444455556666 0.3 USD /10 /2", "usage 444455556666 103.003 USD /20 /4", "usage 777788889999 50.5 JPY /10 /2")
	yes, no := true, false
	same(t, sums(t, s, cost.Query{Security: &yes, By: []cost.Dim{cost.ByDay}}), " 403.303 USD /30 /6", "2026-05-07 1 USD /10 /2")
	same(t, sums(t, s, cost.Query{Security: &no}), "50.5 JPY /10 /2", "100 USD /20 /4")
	same(t, sums(t, s, cost.Query{Services: []string{"AWS Private CA", "nothing"}}), "400 USD /10 /2")
	same(t, sums(t, s, cost.Query{Accounts: []string{"777788889999"}, By: []cost.Dim{cost.ByProvider, cost.ByPayer, cost.ByUsageType, cost.ByRegion, cost.ByUnit, cost.ByOperation, cost.ByResource}}),
		"AWS 111122223333 BoxUsage us-east-1 Count   50.5 JPY /10 /2")
}

// testExact: whatever the digits, nothing is lost.
func testExact(t *testing.T, s cost.Store) {
	var lines []cost.Line
	want := decimal.Zero
	for _, a := range []string{"0.1", "0.2", "-0.3", "0.000000000000000001", "999999999999999999999.5", "1e-30", "-7.000000001", "123456789012.123456789123456789", "-0.999999999999999999"} {
		lines = append(lines, line(april, "444455556666", "AmazonEC2", "BoxUsage", a))
		want = want.Add(dec(a))
	}
	take(t, s, file("a.csv", "1", lines), lines)
	all, err := s.Sums(t.Context(), cost.Query{})
	if err != nil || len(all) != 1 || all[0].Amount.String() != want.String() {
		t.Errorf("%v, %v; want %s", all, err, want)
	}
}

func testFiles(t *testing.T, s cost.Store) {
	one := []cost.Line{line(april, "444455556666", "AmazonEC2", "BoxUsage", "1")}
	two := []cost.Line{line(april, "444455556666", "AmazonEC2", "BoxUsage", "2"), line(april, "777788889999", "AmazonEC2", "BoxUsage", "2")}
	is := func(got cost.Settled, want cost.Outcome) {
		t.Helper()
		if got.Outcome != want || (want == cost.Stored) != (got.Reason == "") {
			t.Errorf("%+v, want %s", got, want)
		}
	}
	is(take(t, s, file("b.csv", "1", one), one), cost.Stored)
	is(take(t, s, file("b.csv", "1", one), one), cost.Duplicate)
	is(take(t, s, file("copy.csv", "1", one), one), cost.Duplicate)
	same(t, sums(t, s, cost.Query{}), "1 USD /10 /2")
	is(take(t, s, file("b.csv", "2", two), two), cost.Stored) // instead of the one before
	same(t, sums(t, s, cost.Query{}), "4 USD /20 /4")
	is(take(t, s, file("b.csv", "1", one), one), cost.Stored) // what was replaced is new again
	same(t, sums(t, s, cost.Query{}), "1 USD /10 /2")

	focus := file("focus.csv", "9", two)
	focus.Form = "focus csv"
	is(take(t, s, focus, two), cost.Skipped) // the same bill in another form
	next := []cost.Line{line(may, "444455556666", "AmazonEC2", "BoxUsage", "5")}
	focus = file("focus.csv", "9", next)
	focus.Form = "focus csv"
	is(take(t, s, focus, next), cost.Stored)
	other := []cost.Line{line(april, "999900001111", "AmazonEC2", "BoxUsage", "8")}
	is(take(t, s, file("b.csv", "3", other), other), cost.Stored) // of the same name, and of other accounts
	same(t, sums(t, s, cost.Query{}), "14 USD /30 /6")
	if done := take(t, s, file("another.csv", "4", other), other); done.Outcome != cost.Stored || !slices.Equal(done.Beside, []string{"b.csv"}) {
		t.Errorf("another report of the bill: %+v", done)
	}

	counts := cost.File{Name: "a.json", Holds: cost.HoldsCounts, Fingerprint: "1", Rows: 3, Imported: may}
	for range 2 {
		if err := s.Note(t.Context(), counts); err != nil {
			t.Fatal(err)
		}
	}
	all, err := s.Files(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range all {
		names = append(names, f.Holds+" "+f.Name)
	}
	same(t, names, "counts a.json", "bill another.csv", "bill b.csv", "bill b.csv", "bill focus.csv")
	if f := all[2]; len(f.Bills) != 1 || f.Bills[0].Payer != "111122223333" || !f.Bills[0].Month.Equal(april) || !f.Imported.Equal(may) || f.Rows != 2 {
		t.Errorf("%+v", f)
	}
}

func testDeliveries(t *testing.T, s cost.Store) {
	part := func(delivery, number, amount string, at time.Time) cost.Outcome {
		t.Helper()
		lines := []cost.Line{line(april, "444455556666", "AmazonEC2", "BoxUsage", amount)}
		f := file("report", number+amount, lines)
		f.Delivery, f.Part, f.Delivered = delivery, number, at
		return take(t, s, f, lines).Outcome
	}
	is := func(got, want cost.Outcome, total string) {
		t.Helper()
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
		same(t, sums(t, s, cost.Query{By: []cost.Dim{cost.ByMonth}})[:1], "2026-04 "+total)
	}
	first, second := may, may.Add(time.Hour)
	is(part("one", "00001", "1", first), cost.Stored, "1 USD /10 /2")
	is(part("one", "00002", "2", first), cost.Stored, "3 USD /20 /4")
	is(part("two", "00001", "10", second), cost.Stored, "10 USD /10 /2") // all of the older one is gone
	is(part("one", "00002", "2", first), cost.Skipped, "10 USD /10 /2")
	is(part("two", "00002", "20", second), cost.Stored, "30 USD /20 /4")
	is(part("two", "00002", "21", second.Add(time.Minute)), cost.Stored, "31 USD /20 /4") // written again
	// A part that did not change is one of the newer delivery, not a copy that the next
	// part would take away with the older one.
	third := second.Add(time.Hour)
	is(part("three", "00001", "10", third), cost.Stored, "10 USD /10 /2")
	is(part("three", "00002", "22", third), cost.Stored, "32 USD /20 /4")
	is(part("three", "00001", "10", third), cost.Duplicate, "32 USD /20 /4")
	is(part("two", "00001", "10", second), cost.Duplicate, "32 USD /20 /4")
}

func testDrafts(t *testing.T, s cost.Store) {
	lines := []cost.Line{line(april, "444455556666", "AmazonEC2", "BoxUsage", "1")}
	d, err := s.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Add(t.Context(), lines); err != nil {
		t.Fatal(err)
	}
	same(t, sums(t, s, cost.Query{})) // nothing is seen before it is committed
	if err := d.Discard(t.Context()); err != nil {
		t.Fatal(err)
	}
	if d, err = s.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := d.Add(t.Context(), lines); err != nil {
		t.Fatal(err)
	}
	if done := take(t, s, file("b.csv", "1", lines), lines); done.Outcome != cost.Stored { // as another program would
		t.Errorf("%+v", done)
	}
	if err := d.Add(t.Context(), lines); !errors.Is(err, cost.ErrDropped) {
		t.Errorf("add to a dropped draft: %v", err)
	}
	if _, err := d.Commit(t.Context(), file("c.csv", "2", lines)); !errors.Is(err, cost.ErrDropped) {
		t.Errorf("commit of a dropped draft: %v", err)
	}
	same(t, sums(t, s, cost.Query{}), "1 USD /10 /2")
}

func testCounts(t *testing.T, s cost.Store) {
	c := cost.Count{Account: "444455556666", Region: "us-east-1", ResourceType: "AWS::EC2::Subnet", Day: april, Items: 10, ResourceDays: -1, Basis: cost.Metric, Low: 10, High: 10}
	later, other, estimated := c, c, c
	later.Day, later.Items = april.AddDate(0, 0, 1), 20
	other.Account = "111122223333"
	estimated.Basis, estimated.Low, estimated.High = cost.Estimate, 5, 40
	again := c
	again.Items, again.ResourceDays = 11, 4
	for _, all := range [][]cost.Count{{later, c, other}, {estimated, again}, nil} {
		if err := s.TakeCounts(t.Context(), all); err != nil {
			t.Fatal(err)
		}
	}
	is := func(f cost.CountFilter, want ...cost.Count) {
		t.Helper()
		got, err := s.Counts(t.Context(), f)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%+v, %v; want %+v", got, err, want)
		}
	}
	is(cost.CountFilter{}, other, estimated, again, later)
	is(cost.CountFilter{Accounts: []string{"444455556666"}, Until: later.Day}, estimated, again)
	is(cost.CountFilter{Since: later.Day}, later)
}

func testFacts(t *testing.T, s cost.Store) {
	f := cost.Fact{Kind: "aws.config.recorders", Account: "444455556666", Region: "us-east-1", Name: "default", At: may, Document: []byte(`{"a":1}`)}
	older, newer, other := f, f, f
	older.At, older.Document = april, []byte("old")
	newer.At, newer.Document = may.Add(time.Second), []byte("new")
	other.Kind, other.Account, other.Document = "aws.organizations.policies", "", nil
	is := func(kind, account string, want ...string) {
		t.Helper()
		all, err := s.Facts(t.Context(), kind, account)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range all {
			got = append(got, fmt.Sprint(f.Kind, " ", f.Account, " ", f.At.Format(time.RFC3339), " ", string(f.Document)))
		}
		same(t, got, want...)
	}
	put := func(all ...cost.Fact) {
		t.Helper()
		if err := s.TakeFacts(t.Context(), all); err != nil {
			t.Fatal(err)
		}
	}
	is("", "")
	put(f, other)
	put(older) // is not what is true now
	is("aws.config.recorders", "", `aws.config.recorders 444455556666 2026-05-01T00:00:00Z {"a":1}`)
	put(newer)
	is("", "", "aws.config.recorders 444455556666 2026-05-01T00:00:01Z new", "aws.organizations.policies  2026-05-01T00:00:00Z ")
	is("", "444455556666", "aws.config.recorders 444455556666 2026-05-01T00:00:01Z new")
	is("aws.organizations.policies", "444455556666")
}
