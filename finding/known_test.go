package finding

import (
	"fmt"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/say"
)

func TestPlace(t *testing.T) {
	e := &Estate{
		Accounts: []Account{
			{ID: "111122223333", Name: "shop-prod", Tags: map[string]string{"team": "shop", "tier": "1"}},
			{ID: "444455556666", Name: "shop-dev", Said: Said{Owner: "ann"}},
		},
		Rules: []EstateRule{
			{Resources: []string{"*:secret:sandbox/*"}, Said: Said{Environment: "sandbox"}},
			{Accounts: []string{"*-prod"}, Said: Said{Environment: "production", Criticality: "critical"}},
			{Accounts: []string{"*-dev", "7777*"}, Said: Said{Environment: "development"}},
			{Tags: map[string]string{"team": "*"}, Said: Said{Owner: "platform"}},
			{Accounts: []string{"*"}, Said: Said{Owner: "nobody", Criticality: "low"}},
		},
	}
	if err := e.Check(); err != nil {
		t.Fatal(err)
	}
	f := func(account, resource, want string) {
		t.Helper()
		p := e.Place(account, resource)
		if got := fmt.Sprintf("%s %s %s %s", p.Name, p.Environment, p.Owner, p.Criticality); got != want {
			t.Errorf("%s %s: %q, want %q", account, resource, got, want)
		}
	}
	f("111122223333", "", "shop-prod production platform critical")
	f("111122223333", "arn:x:secret:sandbox/a", "shop-prod sandbox platform critical")
	f("444455556666", "", "shop-dev development ann low")
	f("777788889999", "", " development nobody low")
	f("888899990000", "", "  nobody low")
	f("", "", "   ")
	if p := (*Estate)(nil).Place("1", ""); p != (Place{}) {
		t.Errorf("no estate says %+v", p)
	}
	bad := func(e Estate) {
		t.Helper()
		if e.Check() == nil {
			t.Errorf("%+v is good", e)
		}
	}
	bad(Estate{Accounts: []Account{{}}})
	bad(Estate{Accounts: []Account{{ID: "1"}, {ID: "1"}}})
	bad(Estate{Accounts: []Account{{ID: "1", Said: Said{Criticality: "very"}}}})
	bad(Estate{Rules: []EstateRule{{Accounts: []string{"*"}}}})
	bad(Estate{Rules: []EstateRule{{Said: Said{Owner: "x"}}}})
}

// TestFormula: the formula of docs/triage.md, by hand.
func TestFormula(t *testing.T) {
	known := &Known{
		Estate:   &Estate{Accounts: []Account{{ID: "prod", Said: Said{Criticality: "critical"}}, {ID: "dev", Said: Said{Environment: "dev"}}, {ID: "odd", Said: Said{Environment: "lab"}}}},
		Assessed: map[string]Assessment{"one": {Secrets: 1}, "eight": {Secrets: 8, Accounts: 1}, "wide": {Secrets: 56, Accounts: 2}, "open": {Exposure: ExposurePublic}, "closed": {Exposure: ExposureInternal}},
	}
	f := func(want int, o Occurrence) {
		t.Helper()
		o.FirstSeen, o.LastSeen = noon, noon.Add(time.Minute)
		got := Of(o, nil, known)
		if got.Priority != want {
			t.Errorf("%+v: priority %d, want %d: %+v", o.Trouble, got.Priority, want, got.Parts)
		}
		for _, p := range got.Parts {
			if p.Why.String() == "" || p.Value < 0 || p.Value > 1 {
				t.Errorf("part %+v", p)
			}
		}
	}
	critical := func(account, actor, resource string) Occurrence {
		return Occurrence{Trouble: Trouble{Severity: Critical, Confidence: 1, Account: account, Actor: actor, Resource: resource}}
	}
	f(100, critical("", "", ""))
	f(100, critical("prod", "nobody knows", ""))
	f(50, critical("dev", "", ""))
	f(100, critical("odd", "", "")) // how critical a lab is was not said
	f(60, critical("", "one", ""))
	f(80, critical("", "eight", "")) // 0.6 + 0.4 × log2(8)/6
	f(100, critical("", "wide", "")) // 56 and eight for the second account
	f(100, critical("", "", "open"))
	f(70, critical("", "", "closed"))
	f(21, critical("dev", "one", "closed"))
	explained := critical("", "", "")
	explained.Explained = []Explanation{{Kind: "context", Text: say.Plain("a deploy")}}
	f(25, explained)
}

// TestSum: a window accounts for what is of its time on each day; one part that
// is not makes the whole unexplained.
func TestSum(t *testing.T) {
	day := Day(noon)
	part := func(batch byte, days int, at time.Duration, long time.Duration) Occurrence {
		o := Occurrence{Trouble: Trouble{Key: "k", Kind: KindRule, Account: "a"}, Since: day.AddDate(0, 0, days), Until: day.AddDate(0, 0, days+1), Count: 1}
		o.Batch[0] = batch
		o.FirstSeen = o.Since.Add(at)
		o.LastSeen = o.FirstSeen.Add(long)
		return o
	}
	w := Window{ID: "w", Title: "Nightly", Start: day.Add(2 * time.Hour), End: day.Add(4 * time.Hour), Repeat: "FREQ=DAILY", Accounts: []string{"a"}}
	for n := range 10 {
		w.Times = append(w.Times, Span{w.Start.AddDate(0, 0, n), w.End.AddDate(0, 0, n)})
	}
	known := &Known{Windows: []Window{w}}
	f := func(want bool, parts ...Occurrence) {
		t.Helper()
		for range 2 {
			if got := Sum(parts, known); len(got.Explained) > 0 != want {
				t.Errorf("explained by %v, want %v", got.Explained, want)
			}
			for i := range len(parts) / 2 {
				parts[i], parts[len(parts)-1-i] = parts[len(parts)-1-i], parts[i]
			}
		}
	}
	f(true, part(1, 0, 2*time.Hour, time.Hour))
	f(true, part(1, 0, 2*time.Hour, time.Hour), part(2, 1, 3*time.Hour, 0), part(3, 9, 3*time.Hour, 0))
	f(false, part(1, 0, 2*time.Hour, time.Hour), part(2, 1, 6*time.Hour, 0))
	f(false, part(1, 10, 2*time.Hour, time.Hour)) // beyond what is known of it
	// A day in two batches is one part: half of it has to be of the window.
	f(true, part(1, 0, 2*time.Hour, 0), part(2, 0, 3*time.Hour+30*time.Minute, 40*time.Minute))
	f(false, part(1, 0, 2*time.Hour, 0), part(2, 0, 9*time.Hour, 0))
	// The log itself accounts for one day, the window for another.
	context := part(2, 1, 6*time.Hour, 0)
	context.Explained = []Explanation{{Kind: "context", ID: "deploy"}}
	f(true, part(1, 0, 2*time.Hour, time.Hour), context)
	known.Windows[0].State = WindowProposed
	f(false, part(1, 0, 2*time.Hour, time.Hour))
}
