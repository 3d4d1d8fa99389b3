package trend

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/yagura-sec/yagura/cost"
)

// bill is lines under construction.
type bill []cost.Line

func month(text string) time.Time {
	t, err := time.Parse("2006-01", text)
	if err != nil {
		panic(err)
	}
	return t
}

// add adds a line; quantity "" is none.
func (b *bill) add(when, account, service, usage, amount, quantity, unit string) {
	l := cost.Line{Provider: "AWS", Account: account, Service: service, UsageType: usage, Region: "ap-northeast-1", Month: month(when), Kind: cost.Usage,
		Amount: decimal.RequireFromString(amount), Currency: "USD", Unit: unit}
	if quantity != "" {
		l.Quantity = decimal.RequireFromString(quantity)
	}
	*b = append(*b, l)
}

// sum is a store's, in small.
func (b bill) sum(_ context.Context, q cost.Query) ([]cost.Sum, error) {
	sums := map[string]*cost.Sum{}
	var keys []string
	for _, l := range b {
		id, is := cost.Security(l.Provider, l.Service, l.UsageType)
		switch {
		case q.Security != nil && *q.Security != is, len(q.Kinds) > 0 && !slices.Contains(q.Kinds, l.Kind),
			len(q.Accounts) > 0 && !slices.Contains(q.Accounts, l.Account), len(q.Services) > 0 && !slices.Contains(q.Services, id):
			continue
		}
		s := cost.Sum{Line: cost.Line{Currency: l.Currency}}
		for _, d := range q.By {
			switch d {
			case cost.ByMonth:
				s.Month = l.Month
			case cost.ByAccount:
				s.Account = l.Account
			case cost.ByService:
				s.Service, s.Security = l.Service, id
			case cost.ByUsageType:
				s.UsageType = l.UsageType
			case cost.ByRegion:
				s.Region = l.Region
			case cost.ByUnit:
				s.Unit = l.Unit
			}
		}
		key := fmt.Sprint(s)
		if sums[key] == nil {
			sums[key] = &s
			keys = append(keys, key)
		}
		sums[key].Amount, sums[key].Quantity = sums[key].Amount.Add(l.Amount), sums[key].Quantity.Add(l.Quantity)
	}
	slices.Sort(keys)
	var out []cost.Sum
	for _, k := range keys {
		out = append(out, *sums[k])
	}
	return out, nil
}

func (b bill) read(t *testing.T) *Report {
	t.Helper()
	got, err := Reader{Sum: b.sum}.Read(t.Context(), cost.Query{})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

const (
	one = "111122223333"
	two = "222233334444"
)

// TestMoves holds what is a move, and what is a fall or a rise.
func TestMoves(t *testing.T) {
	f := func(name string, want int, lines ...[]string) []Entry {
		t.Helper()
		var b bill
		for _, m := range []string{"2026-09", "2026-10"} {
			b.add(m, one, "AmazonEC2", "BoxUsage", "1000", "", "")
			b.add(m, one, "AmazonGuardDuty", "APN1-PaidEventsAnalyzed", "40", "10", "M")
			b.add(m, one, "AWSSecurityHub", "APN1-PaidComplianceCheck", "20", "20000", "Checks")
		}
		for _, l := range lines {
			b.add(l[0], l[1], l[2], l[3], l[4], l[5], l[6])
		}
		got := b.read(t)
		if len(got.Moves) != want {
			t.Errorf("%s: moves %+v", name, got.Moves)
		}
		return got.Moves
	}
	runtime := []string{"2026-09", one, "AmazonGuardDuty", "APN1-RuntimeMonitoring-vCPU", "200", "100", "vCPU-month"}
	got := f("announced, at another price", 1, runtime, []string{"2026-10", one, "AWSSecurityHub", "APN1-ThreatAnalytics", "240", "", ""})
	if m := got[0]; m.Service != "Amazon GuardDuty" || m.Other != "AWS Security Hub" || m.Account != one || m.Amount.String() != "200" || !strings.Contains(m.Text.String(), "announced") {
		t.Errorf("move %+v", m)
	}
	f("announced, part of it left", 1, runtime, []string{"2026-10", one, "AmazonGuardDuty", "APN1-RuntimeMonitoring-vCPU", "20", "10", "vCPU-month"},
		[]string{"2026-10", one, "AWSSecurityHub", "APN1-ThreatAnalytics", "180", "90", "vCPU-month"})
	f("announced, the same quantity at half the price", 1, runtime, []string{"2026-10", one, "AWSSecurityHub", "APN1-ThreatAnalytics", "100", "100", "vCPU-month"})
	f("not announced, the same amount", 1, []string{"2026-09", one, "AmazonMacie", "APN1-Sensitive", "90", "", ""}, []string{"2026-10", one, "AmazonDetective", "APN1-PaidEvents", "91", "", ""})

	f("a fall", 0, runtime)
	f("a rise", 0, []string{"2026-10", one, "AWSSecurityHub", "APN1-ThreatAnalytics", "200", "", ""})
	f("in another account", 0, runtime, []string{"2026-10", two, "AWSSecurityHub", "APN1-ThreatAnalytics", "200", "", ""})
	f("a month later", 0, []string{"2026-08", one, "AmazonGuardDuty", "APN1-RuntimeMonitoring-vCPU", "200", "100", "vCPU-month"},
		[]string{"2026-10", one, "AWSSecurityHub", "APN1-ThreatAnalytics", "200", "", ""})
	f("much less than fell", 0, runtime, []string{"2026-10", one, "AWSSecurityHub", "APN1-ThreatAnalytics", "60", "", ""})
	f("not announced, and a tenth less", 0, []string{"2026-09", one, "AmazonMacie", "APN1-Sensitive", "90", "", ""}, []string{"2026-10", one, "AmazonDetective", "APN1-PaidEvents", "80", "", ""})
	f("of cents", 0, []string{"2026-09", one, "AmazonMacie", "APN1-Sensitive", "0.5", "", ""}, []string{"2026-10", one, "AmazonDetective", "APN1-PaidEvents", "0.5", "", ""})
	f("within one service", 0, runtime, []string{"2026-10", one, "AmazonGuardDuty", "APN1-Other", "200", "", ""})

	var early bill
	early.add("2026-05", one, "AmazonGuardDuty", "APN1-RuntimeMonitoring-vCPU", "200", "", "")
	early.add("2026-06", one, "AWSSecurityHub", "APN1-Checks", "240", "", "")
	early.add("2026-06", one, "AmazonGuardDuty", "APN1-RuntimeMonitoring-vCPU", "10", "", "")
	if got := early.read(t).Moves; len(got) != 0 {
		t.Errorf("before it was announced: %+v", got)
	}
}

// TestMovesAreNoFalls: neither service is said to have become cheaper or dearer, and
// the difference of months has the move apart.
func TestMovesAreNoFalls(t *testing.T) {
	var b bill
	for _, m := range []string{"2026-09", "2026-10"} {
		b.add(m, one, "AmazonEC2", "BoxUsage", "9000", "", "")
		b.add(m, one, "AmazonGuardDuty", "APN1-PaidEventsAnalyzed", "40", "10", "M")
	}
	b.add("2026-09", one, "AmazonGuardDuty", "APN1-RuntimeMonitoring-vCPU", "200", "100", "vCPU-month")
	b.add("2026-10", one, "AWSSecurityHub", "APN1-ThreatAnalytics", "210", "100", "vCPU-month")
	got := b.read(t)
	for _, e := range got.Services {
		if said := e.Text.String(); e.Service != "" && !strings.Contains(said, "moved") {
			t.Errorf("%s: %s", e.Service, said)
		}
	}
	if first := got.Why[0]; first.Kind != Moved || first.Amount.String() != "10" {
		t.Errorf("why %+v", got.Why)
	}
	for _, e := range got.Why[1:] {
		if e.Kind == NewService || e.Kind == GoneService {
			t.Errorf("a move is told as %s: %s", e.Kind, e.Text)
		}
	}
}

// TestWhy takes a difference apart into what made it.
func TestWhy(t *testing.T) {
	var b bill
	for _, m := range []string{"2026-02", "2026-03"} {
		b.add(m, one, "AmazonEC2", "BoxUsage", "100", "", "")
	}
	b.add("2026-02", one, "AWSConfig", "APN1-ConfigurationItemRecorded", "84", "28000", "items")
	b.add("2026-03", one, "AWSConfig", "APN1-ConfigurationItemRecorded", "186", "62000", "items") // 31 days of 2,000 in place of 28 of 1,000
	b.add("2026-02", one, "awskms", "APN1-KMS-Keys", "28", "28", "keys")
	b.add("2026-03", one, "awskms", "APN1-KMS-Keys", "62", "31", "keys") // dearer
	b.add("2026-03", one, "AmazonMacie", "APN1-Sensitive", "7", "", "")
	b.add("2026-02", one, "AmazonDetective", "APN1-PaidEvents", "3", "", "")
	b.add("2026-03", two, "AWSConfig", "APN1-ConfigurationItemRecorded", "5", "", "")
	why := b.read(t).Why
	want := map[Kind]string{Used: "93", Priced: "31", NewService: "7", GoneService: "-3", NewAccount: "5", Days: "12"}
	for _, e := range why {
		if want[e.Kind] != e.Amount.String() || e.Text.ID() == "" {
			t.Errorf("%s %s: %s", e.Kind, e.Amount, e.Text)
		}
		delete(want, e.Kind)
	}
	if len(want) > 0 {
		t.Errorf("missing %v of %+v", want, why)
	}
	if before, last := MonthsCompared(why); before != "2026-02" || last != "2026-03" {
		t.Errorf("%s against %s", last, before)
	}
	if one := (bill{b[0]}).read(t).Why; len(one) != 1 || one[0].Known {
		t.Errorf("one month: %+v", one)
	}
}

// TestWhyComesToTheDifference holds over random bills that causes come to the
// difference to the last digit, moves among them.
func TestWhyComesToTheDifference(t *testing.T) {
	services := []string{"AWSConfig", "AmazonGuardDuty", "AWSSecurityHub", "awskms", "AmazonMacie"}
	for seed := range uint64(60) {
		rnd := rand.New(rand.NewPCG(seed, 2))
		var b bill
		want := decimal.Decimal{}
		for range 10 + rnd.IntN(150) {
			m, sign := "2026-09", decimal.NewFromInt(-1)
			if rnd.IntN(2) == 0 {
				m, sign = "2026-10", decimal.NewFromInt(1)
			}
			amount := decimal.New(rnd.Int64N(1e12)-1e9, -10)
			quantity := ""
			if rnd.IntN(2) == 0 {
				quantity = fmt.Sprint(rnd.IntN(1000))
			}
			b.add(m, fmt.Sprint("11112222", 3330+rnd.IntN(4)), services[rnd.IntN(len(services))], fmt.Sprint("APN1-Use", rnd.IntN(5)), amount.String(), quantity, "units")
			want = want.Add(amount.Mul(sign))
		}
		why := b.read(t).Why
		if before, _ := MonthsCompared(why); before == "" {
			continue // all of it fell into one month
		}
		if got := Difference(why, "USD"); !got.Equal(want) {
			t.Fatalf("seed %d: causes come to %s, the months differ by %s", seed, got, want)
		}
	}
}

func account(i int) string { return fmt.Sprintf("1111222233%02d", i) }

// TestPeers: an account stands out among those like it, and not because it is large.
func TestPeers(t *testing.T) {
	f := func(name string, want []string, build func(b *bill, rnd *rand.Rand)) {
		t.Helper()
		var b bill
		build(&b, rand.New(rand.NewPCG(5, 5)))
		var got []string
		for _, e := range b.read(t).Peers {
			if e.Known {
				got = append(got, e.Account)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v stand out, want %v", name, got, want)
		}
	}
	alike := func(b *bill, rnd *rand.Rand, n int) {
		for i := range n {
			b.add("2026-04", account(i), "AmazonEC2", "BoxUsage", fmt.Sprint(900+rnd.IntN(300)), "", "")
			b.add("2026-04", account(i), "AWSConfig", "APN1-ConfigurationItemRecorded", fmt.Sprint(20+rnd.IntN(12)), "", "")
		}
	}
	f("alike", nil, func(b *bill, rnd *rand.Rand) { alike(b, rnd, 12) })
	f("one pays tenfold", []string{account(3)}, func(b *bill, rnd *rand.Rand) {
		alike(b, rnd, 12)
		b.add("2026-04", account(3), "AWSConfig", "APN1-ConfigurationItemRecorded", "250", "", "")
	})
	f("a large account", nil, func(b *bill, rnd *rand.Rand) {
		alike(b, rnd, 12)
		for i := 20; i < 28; i++ {
			b.add("2026-04", account(i), "AmazonEC2", "BoxUsage", fmt.Sprint(90000+rnd.IntN(30000)), "", "")
			b.add("2026-04", account(i), "AWSConfig", "APN1-ConfigurationItemRecorded", fmt.Sprint(2000+rnd.IntN(1200)), "", "")
		}
	})
	f("much of little", nil, func(b *bill, rnd *rand.Rand) {
		alike(b, rnd, 12)
		b.add("2026-04", account(3), "awskms", "APN1-KMS-Requests", "0.9", "", "")
	})
	var few bill
	alike(&few, rand.New(rand.NewPCG(1, 1)), 3)
	if got := few.read(t).Peers; len(got) != 1 || got[0].Known || got[0].Text.ID() != "trend.peers.few" {
		t.Errorf("few: %+v", got)
	}
	var unlike bill
	for i := range 8 {
		unlike.add("2026-04", account(i), "AmazonEC2", "BoxUsage", fmt.Sprint(math.Pow(10, float64(i))), "", "")
		unlike.add("2026-04", account(i), "AWSConfig", "APN1-ConfigurationItemRecorded", "20", "", "")
	}
	if got := unlike.read(t).Peers; len(got) != 1 || got[0].Known || got[0].Text.ID() != "trend.peers.unlike" {
		t.Errorf("unlike: %+v", got)
	}
}

// TestForecasts: what is known is told with its bounds, and what is too thin is said
// to be.
func TestForecasts(t *testing.T) {
	rnd := rand.New(rand.NewPCG(8, 8))
	var b bill
	var loads []Load
	for i := range 8 {
		for _, m := range []string{"2026-03", "2026-04"} {
			tasks := int64(1000 * (i + 1) * (i + 1))
			b.add(m, account(i), "AWSConfig", "APN1-ConfigurationItemRecorded", decimal.NewFromFloat(20+0.015*float64(tasks)*(0.95+0.1*rnd.Float64())).String(), "", "")
			gigabytes := 10 + rnd.IntN(400)
			b.add(m, account(i), "AmazonGuardDuty", "APN1-PaidEventsAnalyzed-Bytes", decimal.NewFromFloat(1.18*float64(gigabytes)).String(), fmt.Sprint(gigabytes), "GB")
			loads = append(loads, Load{account(i), month(m), tasks})
		}
	}
	r := Reader{Sum: b.sum, Loads: func(context.Context, time.Time, time.Time) ([]Load, error) { return loads, nil }}
	got, err := r.Read(t.Context(), cost.Query{})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct {
		kind Kind
		each float64
	}{{PerAccount, 0}, {PerTask, 0.015}, {PerGigabyte, 1.18}} {
		e := got.Forecasts[i]
		if each := e.Amount.InexactFloat64(); e.Kind != want.kind || !e.Known || want.each > 0 && (each < 0.9*want.each || each > 1.1*want.each) || e.Low.GreaterThan(e.Amount) || e.High.LessThan(e.Amount) {
			t.Errorf("%+v: %s", e, e.Text)
		}
	}
	for _, e := range b[:4].read(t).Forecasts {
		if e.Known || e.Text.ID() == "" || !e.Amount.IsZero() {
			t.Errorf("of too little: %+v, %s", e, e.Text)
		}
	}
}

// TestSlope: wild points do not move it, and its bounds hold the truth on nine of ten
// occasions.
func TestSlope(t *testing.T) {
	rnd := rand.New(rand.NewPCG(21, 1))
	const worlds = 400
	held := 0
	for range worlds {
		var points []point
		for i := range 8 + rnd.IntN(20) {
			x := float64(i) + rnd.Float64()
			p := point{x, 3*x + 10 + 4*rnd.NormFloat64()}
			if rnd.IntN(12) == 0 {
				p.y *= 20
			}
			points = append(points, p)
		}
		s, ok := slopeOf(points)
		if !ok || s.low > s.each || s.high < s.each {
			t.Fatalf("%+v, %v", s, ok)
		}
		if s.low <= 3 && 3 <= s.high {
			held++
		}
	}
	t.Logf("the truth lies within on %d of %d", held, worlds)
	if held < worlds*85/100 || held > worlds*97/100 {
		t.Errorf("the truth lies within on %d of %d", held, worlds)
	}
	if _, ok := slopeOf([]point{{1, 1}, {1, 2}, {1, 3}, {1, 4}, {1, 5}}); ok {
		t.Error("a slope of points above each other")
	}
	if _, ok := slopeOf([]point{{1, 1}, {2, 2}}); ok {
		t.Error("a slope of two points")
	}
}

// TestMonthThatIsNotOver is left out, as is what is in another currency.
func TestMonthThatIsNotOver(t *testing.T) {
	var b bill
	for _, m := range []string{"2026-03", "2026-04", "2026-05"} {
		b.add(m, one, "AWSConfig", "APN1-ConfigurationItemRecorded", "10", "", "")
	}
	b[2].Amount = decimal.New(1, 0)
	yen := b[1]
	yen.Currency, yen.Amount = "JPY", decimal.New(1500, 0)
	b = append(b, yen)
	got, err := Reader{Sum: b.sum, Now: month("2026-05").AddDate(0, 0, 3)}.Read(t.Context(), cost.Query{})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range got.Services {
		if cost.MonthText(e.Month) != "2026-04" || e.Currency == "USD" && e.Amount.String() != "10" || e.Currency == "JPY" && e.Amount.String() != "1500" {
			t.Errorf("%+v", e)
		}
	}
	if len(got.Services) != 4 {
		t.Errorf("%d entries for two currencies: %+v", len(got.Services), got.Services)
	}
}
