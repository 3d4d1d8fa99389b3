package price

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/yagura-sec/yagura/cost"
)

func day(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}

var now = day("2026-11-22")

func TestFind(t *testing.T) {
	f := func(service, item, region, at, want string) {
		t.Helper()
		p, ok := Builtin().Find("AWS", service, item, region, day(at))
		each, flat := p.Flat()
		if got := each.String(); ok != (want != "") || ok && (!flat || got != want) {
			t.Errorf("%s %s in %s on %s costs %s, %v; want %q", service, item, region, at, got, ok, want)
		}
	}
	f("AWS Config", "configuration_item", "ap-northeast-1", "2026-11-22", "0.003")
	f("AWS Config", "configuration_item_daily", "eu-west-1", "2026-11-22", "0.012")
	f("AWS Config", "configuration_item_daily", "eu-west-1", "2023-11-25", "") // there was none
	f("AWS Config", "configuration_item", "cn-north-1", "2026-11-22", "")      // another price list
	f("AWS Config", "configuration_item", "us-gov-west-1", "2026-11-22", "")
	f("AWS Config", "no_such_item", "us-east-1", "2026-11-22", "")
	f("Amazon GuardDuty", "management_events", "ap-northeast-1", "2026-11-22", "0.00000472")
	f("Amazon GuardDuty", "management_events", "us-east-2", "2026-11-22", "0.000004")
	f("Amazon GuardDuty", "management_events", "eu-west-1", "2026-11-22", "") // nobody read it
	if _, ok := Builtin().Find("Google Cloud", "AWS Config", "configuration_item", "us-east-1", now); ok {
		t.Error("another provider has a price of AWS Config")
	}
}

func TestOf(t *testing.T) {
	p, _ := Builtin().Find("AWS", "AWS Config", "rule_evaluation", "us-east-1", now)
	f := func(quantity, want string) {
		t.Helper()
		if got := p.Of(decimal.RequireFromString(quantity)); got.String() != want {
			t.Errorf("%s evaluations cost %s, want %s", quantity, got, want)
		}
	}
	f("0", "0")
	f("-5", "0")
	f("1", "0.001")
	f("100000", "100")
	f("100001", "100.0008")
	f("500000", "420")
	f("500001", "420.0005")
	f("1000000", "670")
	f("0.5", "0.0005")
}

func TestItemOf(t *testing.T) {
	f := func(service, usage, want string) {
		t.Helper()
		if got, ok := Builtin().ItemOf("AWS", service, usage); got != want || ok != (want != "") {
			t.Errorf("%s %s charges for %q, want %q", service, usage, got, want)
		}
	}
	f("AWS Config", "APN1-ConfigurationItemRecorded", "configuration_item")
	f("AWS Config", "ConfigurationItemRecorded", "configuration_item")
	f("AWS Config", "USE1-ConfigurationItemRecordedDaily", "configuration_item_daily")
	f("AWS Config", "USE1-DailyConfigurationItemRecorded", "") // such a name was never seen
	f("AWS KMS", "ap-northeast-1-KMS-Keys", "key")
	f("Amazon GuardDuty", "USE2-PaidEventsAnalyzed-Bytes", "flow_and_dns_logs")
	f("AWS Secrets Manager", "", "")
}

func TestWith(t *testing.T) {
	own, err := Parse("own.yaml", []byte(`
- {provider: AWS, service: AWS Config, item: configuration_item, regions: [ap-northeast-1], unit: item, currency: JPY, price: 0.4, confidence: high, source: {title: our contract}, read: 2026-10-01}
- {provider: AWS, service: Amazon GuardDuty, item: management_events, regions: ["*"], unit: event, per: 1000000, currency: USD, price: 3, confidence: high, source: {title: our contract}, read: 2026-10-01}
`))
	if err != nil {
		t.Fatal(err)
	}
	l := Builtin().With(own)
	f := func(service, item, region, want string) {
		t.Helper()
		p, _ := l.Find("AWS", service, item, region, now)
		if got := p.Currency + " " + p.Of(decimal.NewFromInt(1000)).String(); got != want {
			t.Errorf("1000 of %s in %s cost %s, want %s", item, region, got, want)
		}
	}
	f("AWS Config", "configuration_item", "ap-northeast-1", "JPY 400")
	f("AWS Config", "configuration_item", "us-east-1", "USD 3") // as it was
	f("Amazon GuardDuty", "management_events", "ap-northeast-1", "USD 0.003")
	f("Amazon GuardDuty", "management_events", "sa-east-1", "USD 0.003")
	if n := len(l.Prices()); n != len(Builtin().Prices()) { // two were replaced whole, two came
		t.Errorf("%d prices", n)
	}
	if p, _ := Builtin().Find("AWS", "AWS Config", "configuration_item", "ap-northeast-1", now); p.Currency != "USD" {
		t.Error("the built-in list has changed")
	}
}

// TestParse holds the files of testdata: *.good.yaml is read, *.bad.yaml refused
// with the message in its first line.
func TestParse(t *testing.T) {
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		_, err = Parse(filepath.Base(path), text)
		if strings.HasSuffix(path, ".good.yaml") {
			if err != nil {
				t.Error(err)
			}
			continue
		}
		first, _, _ := strings.Cut(string(text), "\n")
		if want := strings.TrimPrefix(first, "# "); err == nil || err.Error() != filepath.Base(path)+want {
			t.Errorf("%s\nis refused as\n%v\nwant\n%s", path, err, filepath.Base(path)+want)
		}
	}
}

// TestBuiltin holds that our own list names where each price is from, and only
// services that the table of them has.
func TestBuiltin(t *testing.T) {
	for _, p := range Builtin().Prices() {
		if !strings.HasPrefix(p.Source.URL, "https://") || p.Source.Date.IsZero() || p.Source.Date.After(now) {
			t.Errorf("%s: source %+v", &p, p.Source)
		}
		if !slices.ContainsFunc(cost.SecurityServices(), func(s cost.SecurityService) bool { return s.ID == p.Service && s.Provider == p.Provider }) {
			t.Errorf("%s is of no security service", &p)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(builtin)
	f.Add([]byte("- {provider: AWS, service: a, item: b, regions: [x], unit: u, currency: USD, price: 1e-7, confidence: low, source: {title: t}, read: 2026-01-01}"))
	f.Add([]byte("[]"))
	f.Add([]byte(""))
	f.Fuzz(func(t *testing.T, text []byte) {
		l, err := Parse("f", text)
		if err != nil {
			if l != nil || !strings.HasPrefix(err.Error(), "f:") {
				t.Fatalf("an error %q with %v", err, l)
			}
			return
		}
		// A quantity in two parts never costs less than it does whole: tiers fall,
		// or rise, but no part is lost or counted twice where one price holds.
		for _, p := range l.Prices() {
			if len(p.Tiers) == 0 {
				t.Fatalf("%s has no tier", &p)
			}
			each, flat := p.Flat()
			q := decimal.NewFromInt(12345)
			if flat && !p.Of(q).Equal(each.Mul(q)) {
				t.Errorf("%s: %s of them cost %s", &p, q, p.Of(q))
			}
			if found := slices.ContainsFunc(l.Prices(), func(x Price) bool { return x.of(p.Provider, p.Service, p.Item) }); !found {
				t.Errorf("%s is not found", &p)
			}
		}
	})
}
