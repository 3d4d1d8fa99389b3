package api

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/yagura-sec/yagura/cost"
	"github.com/yagura-sec/yagura/mask"
	"github.com/yagura-sec/yagura/people"
	"github.com/yagura-sec/yagura/say"
)

func money(text string) Amount { return Amount{decimal.RequireFromString(text)} }

// purse gives the rooms a bill of two accounts, and advice about both. What is asked
// of it is kept in asked.
func purse(r *Rooms, asked *cost.Query) {
	of := func(accounts []string, account string) bool {
		return len(accounts) == 0 || slices.Contains(accounts, account)
	}
	r.Console.AccountName = func(account string) string { return map[string]string{mine: "harbour"}[account] }
	r.Cost.Shares = func(_ context.Context, q cost.Query) (CostShares, error) {
		*asked = q
		total := money("100.10")
		m := CostMonth{Month: "2026-02", Currency: "USD", Total: &total, Security: money("0.30"), Services: []CostService{}, Missing: CostMissing{Rows: 3, Said: say.Plain("3 rows are missing")}}
		for account, x := range map[string]string{mine: "0.10", theirs: "0.20"} {
			if of(q.Accounts, account) {
				m.Services = append(m.Services, CostService{Service: "AWS Config", Account: account, Amount: money(x)})
			}
		}
		return CostShares{Months: []CostMonth{m}}, nil
	}
	r.Cost.Lines = func(_ context.Context, q cost.Query) ([]CostLine, error) {
		*asked = q
		return []CostLine{{Service: "AWSConfig", Security: "AWS Config", Currency: "USD", Amount: money("0.1000000000000000000003")}, {Service: "AmazonEC2", Currency: "USD", Amount: money("0.01")}}, nil
	}
	r.Cost.Advice = func(_ context.Context, accounts []string) ([]cost.Advice, error) {
		var out []cost.Advice
		for _, x := range []cost.Advice{
			{Key: "a", Account: mine, Kind: cost.AboutRecording, Saving: decimal.RequireFromString("1519.20"), Currency: "USD", Verdict: cost.NotAdvised, Basis: cost.Metric},
			{Key: "b", Account: theirs, Kind: cost.AboutRecording, Saving: decimal.RequireFromString("756.36"), Currency: "USD", Verdict: cost.Change, Basis: cost.Metric, Plan: []string{"aws x"}, Undo: []string{"aws y"}},
			{Key: "c", Account: theirs, Kind: cost.AboutRecording, Saving: decimal.RequireFromString("-1.056"), Currency: "USD", Verdict: cost.Keep, Basis: cost.Metric},
			{Key: "d", Account: theirs, Kind: cost.AboutTrail, Items: -1, ResourceDays: -1, Saving: decimal.RequireFromString("7"), Currency: "JPY", Verdict: cost.Change, Basis: cost.Billed},
		} {
			if of(accounts, x.Account) {
				out = append(out, x)
			}
		}
		return out, nil
	}
	r.Cost.Changes = func(_ context.Context, account string, since, until time.Time) (CostChanges, error) {
		return CostChanges{Account: account, Since: since, Until: until, Days: []CostChangeDay{}, Makers: []CostMaker{}, Loops: []CostLoop{}, Schedules: []CostSchedule{}}, nil
	}
	r.Cost.Prices = func(context.Context) ([]CostPrice, error) { return nil, nil }
	r.Cost.Trend = func(context.Context, cost.Query) (CostTrend, error) { return CostTrend{}, nil }
	r.Cost.Self = func(context.Context) (CostSelf, error) { return CostSelf{}, nil }
	r.Cost.Picture = func(_ context.Context, p CostPicture) ([]byte, error) {
		name := mine
		if p.Mask != nil {
			name = p.Mask(name)
		}
		return fmt.Appendf(nil, "<svg>%s %s %s %v %s</svg>", p.Of, p.Format, p.Language, p.Dark, name), nil
	}
}

// treasury is a house with a purse, and somebody limited to one account.
func treasury(t *testing.T) (x *house, vera, alice *browser, asked *cost.Query) {
	t.Helper()
	x, asked = newHouse(t, Config{}), &cost.Query{}
	purse(&x.rooms, asked)
	var err error
	if x.rooms.Mask, err = mask.New([]byte("a key of a test, long enough")); err != nil {
		t.Fatal(err)
	}
	x.h = New(Config{Version: "test", Token: "secret", Hosts: []string{"localhost"}}, x.rooms)
	x.add("vera", people.Viewer)
	x.add("alice", people.Viewer, mine)
	return x, x.signedIn("vera"), x.signedIn("alice"), asked
}

func TestCostWithout(t *testing.T) {
	h := handler(t)
	for _, path := range []string{"shares", "lines", "trend", "changes?account=1", "advice", "prices", "self", "pictures/shares.svg"} {
		if code, head, body := ask(t, h, "GET", "/api/cost/"+path, ""); code != 501 || head.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %s", path, code, body)
		}
	}
}

func TestCostShares(t *testing.T) {
	_, vera, alice, asked := treasury(t)
	text := vera.want(200, "GET", "/api/cost/shares?since=2026-02&until=2026-03&service=AWS%20Config", "")
	if !strings.Contains(text, `"total":100.1,"security":0.3,`) || !strings.Contains(text, `"missing":{"rows":3,`) {
		t.Errorf("shares: %s", text)
	}
	if want := time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC); !asked.Since.Equal(want) || !asked.Until.Equal(want.AddDate(0, 1, 0)) || !slices.Equal(asked.Services, []string{"AWS Config"}) {
		t.Errorf("asked %+v", asked)
	}
	vera.want(422, "GET", "/api/cost/shares?since=2026-13", "")
	vera.want(422, "GET", "/api/cost/shares?since=yesterday", "")

	got := into[CostShares](alice, 200, "GET", "/api/cost/shares", "")
	if m := got.Months[0]; !got.Limited || m.Total != nil || len(m.Services) != 1 || m.Services[0].Account != mine {
		t.Errorf("what is hers: %+v", got)
	}
	alice.want(403, "GET", "/api/cost/shares?account="+theirs, "")
	if text := vera.want(200, "GET", "/api/cost/shares?masked=1", ""); strings.Contains(text, mine) {
		t.Errorf("not masked: %s", text)
	}
}

func TestCostLines(t *testing.T) {
	_, vera, _, asked := treasury(t)
	text := vera.want(200, "GET", "/api/cost/lines?by=service,account&security=true&kind=usage,fee&limit=1", "")
	if !strings.Contains(text, `"amount":0.1000000000000000000003,`) || !strings.Contains(text, `"total":2`) || strings.Contains(text, "AmazonEC2") {
		t.Errorf("lines: %s", text)
	}
	if !slices.Equal(asked.By, []cost.Dim{cost.ByService, cost.ByAccount}) || asked.Security == nil || !*asked.Security || !slices.Equal(asked.Kinds, []cost.Kind{cost.Usage, cost.Fee}) {
		t.Errorf("asked %+v", asked)
	}
	if vera.want(200, "GET", "/api/cost/lines", ""); asked.Security != nil || !slices.Equal(asked.By, []cost.Dim{cost.ByService}) {
		t.Errorf("asked %+v", asked)
	}
	vera.want(422, "GET", "/api/cost/lines?by=colour", "")
}

func TestCostAdvice(t *testing.T) {
	_, vera, alice, _ := treasury(t)
	text := vera.want(200, "GET", "/api/cost/advice", "")
	if !strings.Contains(text, `"total_saving_month":2275.56,"total_actionable_month":756.36,"currency":"USD"`) || !strings.Contains(text, `"saving_month":-1.056,`) {
		t.Errorf("advice: %s", text)
	}
	if !strings.Contains(text, `"items":null,"resource_days":null,"saving_month":7,`) || strings.Count(text, `"items":0,"resource_days":0,`) != 3 {
		t.Errorf("counts that nobody knows are not null: %s", text)
	}
	hers := into[CostAdvices](alice, 200, "GET", "/api/cost/advice", "")
	if len(hers.Advice) != 1 || hers.Advice[0].AccountName != "harbour" || !hers.Actionable.IsZero() {
		t.Errorf("what is hers: %+v", hers)
	}
	alice.want(403, "GET", "/api/cost/advice?account="+theirs, "")
}

func TestCostRest(t *testing.T) {
	_, vera, alice, _ := treasury(t)
	vera.want(200, "GET", "/api/cost/changes?account="+mine, "")
	vera.want(422, "GET", "/api/cost/changes", "")
	vera.want(422, "GET", "/api/cost/changes?account=1&since=2026-03-02T00:00:00Z&until=2026-03-01T00:00:00Z", "")
	alice.want(200, "GET", "/api/cost/changes?account="+mine, "")
	alice.want(403, "GET", "/api/cost/changes?account="+theirs, "")
	alice.want(200, "GET", "/api/cost/prices", "")
	alice.want(200, "GET", "/api/cost/trend", "")
	vera.want(200, "GET", "/api/cost/self", "")
	alice.want(403, "GET", "/api/cost/self", "") // it is of all accounts
}

func TestCostPictures(t *testing.T) {
	_, vera, alice, _ := treasury(t)
	got := vera.ask("GET", "/api/cost/pictures/shares.svg?look=dark&lang=ja", "")
	if kind, as := got.Header.Get("Content-Type"), got.Header.Get("Content-Disposition"); kind != "image/svg+xml" || as != `attachment; filename="shares.svg"` {
		t.Errorf("%q %q", kind, as)
	}
	if text := vera.want(200, "GET", "/api/cost/pictures/shares.svg?look=dark&lang=ja", ""); text != "<svg>shares svg ja true "+mine+"</svg>" {
		t.Error(text)
	}
	masked := vera.want(200, "GET", "/api/cost/pictures/break-even.png?masked=1", "")
	if strings.Contains(masked, mine) || !strings.HasPrefix(masked, "<svg>break-even png en false ") {
		t.Error(masked)
	}
	vera.want(422, "GET", "/api/cost/pictures/changes.svg", "")
	vera.want(422, "GET", "/api/cost/pictures/nosuch.svg", "")
	alice.want(403, "GET", "/api/cost/pictures/changes.svg?account="+theirs, "")
}

// TestAmount: money goes out with all its digits, as a number.
func TestAmount(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		if got, err := json.Marshal(money(text)); err != nil || string(got) != want {
			t.Errorf("%s is %s, %v", text, got, err)
		}
	}
	f("1519.20", "1519.2")
	f("-1.056", "-1.056")
	f("1E-12", "0.000000000001")
	f("12345678901234567890.123456789", "12345678901234567890.123456789")
	f("0", "0")
}
