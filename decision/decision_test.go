package decision

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/say"
)

var now = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

func parse(t *testing.T, text string) Trigger {
	t.Helper()
	x, err := ParseTrigger(text)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func TestParseTrigger(t *testing.T) {
	f := func(text string, want Trigger) {
		t.Helper()
		got, err := ParseTrigger(text)
		if err != nil || got != want {
			t.Errorf("%s is %+v, %v; want %+v", text, got, err, want)
		}
		if got.String() != text {
			t.Errorf("%s is written %s", text, got)
		}
	}
	f("date:2027-03-01", Trigger{Kind: OnDate, Day: time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)})
	f("items:111122223333:AWS::EC2::NetworkInterface>600000", Trigger{Kind: OnItems, Account: "111122223333", Of: "AWS::EC2::NetworkInterface", Above: true, Limit: "600000"})
	f("items:*:AWS::EC2::Subnet<10", Trigger{Kind: OnItems, Account: "*", Of: "AWS::EC2::Subnet", Limit: "10"})
	f("operations:111122223333:CreateNetworkInterface>20000", Trigger{Kind: OnOperations, Account: "111122223333", Of: "CreateNetworkInterface", Above: true, Limit: "20000"})
	f("findings:aws_trail_stopped>3", Trigger{Kind: OnFindings, Of: "aws_trail_stopped", Above: true, Limit: "3"})
	f("findings:odd>name>3", Trigger{Kind: OnFindings, Of: "odd>name", Above: true, Limit: "3"})
	f("price:AWS Config/configuration_item_daily<0.01", Trigger{Kind: OnPrice, Of: "AWS Config/configuration_item_daily", Limit: "0.01"})
	f("saving>2000", Trigger{Kind: OnSaving, Above: true, Limit: "2000"})
	f("saving:kv44n2v6<12.5", Trigger{Kind: OnSaving, Of: "kv44n2v6", Limit: "12.5"})
	f("news:Control Tower: recorder", Trigger{Kind: OnNews, Of: "Control Tower: recorder"})

	wrong := func(text, says string) {
		t.Helper()
		if got, err := ParseTrigger(text); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s is %+v, %v; want %q", text, got, err, says)
		}
	}
	wrong("", "none of date:DAY")
	wrong("date:tomorrow", "such as date:2027-03-01")
	wrong("weather>3", "none of")
	wrong("items:AWS::EC2::Subnet", "above (>) or below (<)")
	wrong("items:111122223333>3", "what is counted")
	wrong("items::AWS::EC2::Subnet>3", "or * for any")
	wrong("findings:rule>many", "no decimal number")
	wrong("findings:rule>1e9", "no decimal number")
	wrong("news:", "needs words")
}

func FuzzParseTrigger(f *testing.F) {
	for _, s := range []string{"date:2027-03-01", "items:1:AWS::EC2::Subnet>3", "saving>2", "news:a>b", "price:x<0.01", "operations:*:x:y<3"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		x, err := ParseTrigger(text)
		if err != nil {
			return
		}
		again, err := ParseTrigger(x.String())
		if err != nil || again != x {
			t.Errorf("%q is %+v, written %q and read as %+v, %v", text, x, x, again, err)
		}
	})
}

// deferred is a decision that waits for what triggers say.
func deferred(t *testing.T, revisit time.Time, triggers ...string) *Decision {
	t.Helper()
	d := &Decision{
		ID: "dec-1", Title: "Daily recording", About: []Subject{{Kind: Advice, ID: "key"}}, Verdict: Deferred, Reason: "the landing zone forbids it", Owner: "platform",
		Revisit: revisit, Saving: &Saving{"1519.2", "usd"},
	}
	for _, text := range triggers {
		d.Triggers = append(d.Triggers, parse(t, text))
	}
	d.Clean()
	if err := d.Check(); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDue(t *testing.T) {
	read := func(values map[string]string) Readings {
		return func(_ *Decision, x Trigger) Reading { return Reading{Value: values[x.Of], At: now.Add(-time.Hour)} }
	}
	f := func(d *Decision, at time.Time, values map[string]string, status Status, says ...string) {
		t.Helper()
		s := d.Due(at, read(values))
		var got []string
		for _, w := range s.Why {
			got = append(got, w.Text().String())
		}
		for _, u := range s.Unread {
			got = append(got, u.Why.String())
		}
		if s.Status != status || strings.Join(got, "\n") != strings.Join(says, "\n") {
			t.Errorf("it is %s, %q; want %s, %q", s.Status, got, status, says)
		}
	}
	spring := time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)
	byDay := deferred(t, spring)
	f(byDay, spring.Add(-time.Second), nil, Waiting)
	f(byDay, spring, nil, Reopened, "2027-03-01, the day to look at it again, has come.")
	f(deferred(t, time.Time{}, "date:2026-11-01"), now, nil, Reopened, "2026-11-01, the day to look at it again, has come.")

	byCount := deferred(t, spring, "items:111122223333:AWS::EC2::NetworkInterface>600000")
	at := func(n string) map[string]string { return map[string]string{"AWS::EC2::NetworkInterface": n} }
	f(byCount, now, at("599999"), Waiting)
	f(byCount, now, at("600000"), Waiting)
	f(byCount, now, at("600001"), Reopened,
		"On 2026-11-22 the number of configuration items of AWS::EC2::NetworkInterface in 111122223333 in 30 days was 600,001, above 600,000.")
	// What nobody can count is said, and is not taken for fine.
	f(byCount, now, nil, Waiting, "It is not known: the number of configuration items of AWS::EC2::NetworkInterface in 111122223333 in 30 days.")
	f(deferred(t, time.Time{}, "news:Control Tower"), now, nil, Waiting, "News is not read yet: nothing will reopen it by this.")

	// Exact to the last digit, and below as well as above.
	byPrice := deferred(t, time.Time{}, "price:daily<0.012")
	f(byPrice, now, map[string]string{"daily": "0.012"}, Waiting)
	f(byPrice, now, map[string]string{"daily": "0.0119999999999999999"}, Reopened, "On 2026-11-22 the price of daily was 0.0119999999999999999, below 0.012.")

	// Once reopened, it stays so whatever is counted then.
	again := byCount.Copy()
	again.Reopened = []Reopening{{Trigger: again.Triggers[0], Value: "612000", At: now}}
	f(&again, now.Add(time.Hour), at("3"), Reopened,
		"On 2026-11-22 the number of configuration items of AWS::EC2::NetworkInterface in 111122223333 in 30 days was 612,000, above 600,000.")

	settled := deferred(t, time.Time{}, "findings:rule>3")
	settled.Verdict = Rejected
	f(settled, now, map[string]string{"rule": "3"}, Settled)
	f(settled, now, map[string]string{"rule": "4"}, Reopened, "On 2026-11-22 the number of open findings of rule was 4, above 3.")
}

func TestDueInJapanese(t *testing.T) {
	r := Reopening{Trigger: parse(t, "operations:*:CreateNetworkInterface>20000"), Value: "21000", At: now}
	const want = "2026-11-22 時点の値は 21,000 で、20,000 を超えた: CreateNetworkInterface の 1 日の呼び出し回数(いずれかのアカウント、直近 7 日間の最大)。"
	if got := r.Text().In(say.Japanese); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

func TestCheck(t *testing.T) {
	f := func(says string, change func(*Decision)) {
		t.Helper()
		d := deferred(t, now)
		change(d)
		d.Clean()
		if err := d.Check(); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("it says %v, want %q", err, says)
		}
	}
	f("without a reason", func(d *Decision) { d.Reason = " \n" })
	f("name an owner", func(d *Decision) { d.Owner = "" })
	f("it is forgotten", func(d *Decision) { d.Revisit = time.Time{} })
	f("taken, deferred or rejected", func(d *Decision) { d.Verdict = "later" })
	f("what the decision is about", func(d *Decision) { d.About = nil })
	f("not \"cost\"", func(d *Decision) { d.About[0].Kind = "cost" })
	f("has no key", func(d *Decision) { d.About[0].ID = "" })
	f("no decimal number", func(d *Decision) { d.Saving.Month = "1e3" })
	f("three letters", func(d *Decision) { d.Saving.Currency = "dollars" })
	f("longer than", func(d *Decision) { d.Reason = strings.Repeat("x", maxText+1) })
	f("at most 200", func(d *Decision) {
		d.Accounts = nil
		for i := range 201 {
			d.Accounts = append(d.Accounts, fmt.Sprint(i))
		}
	})
	f("who was asked", func(d *Decision) { d.Asked = []Inquiry{{Question: "?", At: now}} })
	f("what was answered", func(d *Decision) { d.Asked = []Inquiry{{Vendor: "AWS", Question: "?", At: now, Answers: []Answer{{}}}} })
}

func TestClean(t *testing.T) {
	d := deferred(t, now)
	if d.Saving.Currency != "USD" || d.Revisit != time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC) {
		t.Errorf("cleaned %+v", d)
	}
	d.Title, d.About[0].Title, d.Accounts = "", "Record "+strings.Repeat("x", 200)+"\nmore", []string{"b", "a", "b"}
	d.Asked = []Inquiry{{ID: "q9", Vendor: "\xff AWS "}}
	before := d.Copy()
	d.Clean()
	if d.Title != before.About[0].Title[:120]+"…" || len(d.Accounts) != 2 || d.Asked[0].ID != "q1" || d.Asked[0].Vendor != "\uFFFD AWS" {
		t.Errorf("cleaned %+v", d)
	}
	ours := say.T("advice.title.data_events", say.Values{"where": "111122223333"})
	d.Title, d.TitleMade, d.About[0].Title, d.About[0].TitleMade = "", "", ours.String(), ours.Made()
	if d.Clean(); d.Titled() != ours || d.About[0].Titled() != ours {
		t.Errorf("it is called %q, %q", d.Title, d.TitleMade)
	}
	if before.Asked[0].ID != "q9" {
		t.Error("a copy changes with what it is of")
	}
}
