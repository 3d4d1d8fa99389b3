package main

import (
	"slices"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/yagura-sec/yagura/api"
	"github.com/yagura-sec/yagura/cost"
	"github.com/yagura-sec/yagura/cost/picture"
	sentences "github.com/yagura-sec/yagura/say"
)

func usd(text string) api.Amount { return api.Amount{Decimal: decimal.RequireFromString(text)} }

// TestSharesPicture: of several currencies the one of most months is drawn, a service
// by all its accounts, with nothing in months that have no row of it.
func TestSharesPicture(t *testing.T) {
	total := usd("1000")
	month := func(name, currency string, services ...api.CostService) api.CostMonth {
		return api.CostMonth{Month: name, Currency: currency, Total: &total, Services: services}
	}
	of := func(service, account, amount string) api.CostService {
		return api.CostService{Service: service, Account: account, Amount: usd(amount)}
	}
	s := api.CostShares{Months: []api.CostMonth{
		month("2026-02", "USD", of("AWS Config", "1", "0.1"), of("AWS Config", "2", "0.2")),
		month("2026-03", "JPY", of("AWS Config", "1", "9000")),
		month("2026-03", "USD", of("AWS KMS", "1", "5"), of("AWS Config", "1", "0.4")),
	}}
	s.Months[2].Missing.Said = sentences.Plain("3 rows are missing")
	x := sharesPicture(s, true)
	if x.Currency != "USD" || x.Month.Format(time.DateOnly) != "2026-03-01" || x.Total == nil || len(x.Notes) != 1 {
		t.Errorf("%+v", x)
	}
	var rows []string
	for _, r := range x.Rows {
		rows = append(rows, r.Name+" "+r.Amount.String()+" "+r.Trend[0].String()+" "+r.Trend[1].String())
	}
	if want := []string{"AWS KMS 5 0 5", "AWS Config 0.4 0.3 0.4"}; !slices.Equal(rows, want) {
		t.Errorf("rows %q, want %q", rows, want)
	}
	if x := sharesPicture(s, false); x.Total != nil {
		t.Error("the whole bill is told of a part of it")
	}
	if x := sharesPicture(api.CostShares{}, true); len(x.Rows) != 0 {
		t.Errorf("of nothing: %+v", x)
	}
}

// TestChangesPicture: a day outside the log is not known, and a day in it without a
// change has none.
func TestChangesPicture(t *testing.T) {
	day := func(n int) time.Time { return time.Date(2026, 3, n, 0, 0, 0, 0, time.UTC) }
	c := api.CostChanges{
		Account: "111122223333", Since: day(1), Until: day(5), Read: api.CostRead{Since: day(2), Until: day(5)},
		Days:  []api.CostChangeDay{{Day: "2026-03-02", Operation: "A", Count: 3}, {Day: "2026-03-04", Operation: "B", Count: 9}, {Day: "2026-04-01", Operation: "A", Count: 1}},
		Loops: []api.CostLoop{{Said: sentences.Plain("it goes round")}},
	}
	x := changesPicture(c)
	if len(x.Days) != 4 || len(x.Series) != 2 || len(x.Notes) != 1 {
		t.Fatalf("%+v", x)
	}
	for i, want := range []picture.Series{{Name: "B", Counts: []int64{-1, 0, 0, 9}}, {Name: "A", Counts: []int64{-1, 3, 0, 0}}} {
		if got := x.Series[i]; got.Name != want.Name || !slices.Equal(got.Counts, want.Counts) {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
}

func TestBreakEvenPicture(t *testing.T) {
	saving := decimal.RequireFromString
	x := breakEvenPicture([]cost.Advice{
		{Kind: cost.AboutRecording, ResourceType: "a", Items: 10, ResourceDays: 2, Saving: saving("1"), Verdict: cost.Change},
		{Kind: cost.AboutRecording, ResourceType: "b", Items: 10, ResourceDays: -1, Verdict: cost.Keep},
		{Kind: cost.AboutRecording, ResourceType: "c", Items: 10, ResourceDays: 0, Saving: saving("3"), Verdict: cost.Cannot},
		{Kind: cost.AboutTrail, Items: 10, ResourceDays: 1, Saving: saving("9")},
	})
	if len(x.Points) != 2 || x.Points[0].Name != "c" || !x.Points[0].Cannot || x.Points[1].Name != "a" {
		t.Errorf("%+v", x)
	}
}

// TestMaskedNotes: a sentence that names somebody is masked as a whole.
func TestMaskedNotes(t *testing.T) {
	notes := []sentences.Text{sentences.T("change.kind.person", sentences.Values{"name": "alice"})}
	if got := maskedNotes(notes, picture.Look{}); got[0] != notes[0] {
		t.Errorf("unmasked: %v", got)
	}
	got := maskedNotes(notes, picture.Look{Language: sentences.Japanese, Mask: func(string) string { return "" }})
	if got[0].ID() != "" || got[0].String() != notes[0].In(sentences.Japanese) {
		t.Errorf("masked: %v", got)
	}
}
