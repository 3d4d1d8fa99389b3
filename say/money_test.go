package say

import (
	"encoding/json"
	"math/big"
	"os"
	"strings"
	"testing"
)

// TestMoney holds the cases that the console's test holds too.
func TestMoney(t *testing.T) {
	text, err := os.ReadFile("testdata/money.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct{ Amount, Currency, Money, Saving, Price string }
	if err := json.Unmarshal(text, &cases); err != nil || len(cases) < 20 {
		t.Fatal(len(cases), err)
	}
	for _, c := range cases {
		n := Number(c.Amount)
		for of, x := range map[string][2]string{
			"money": {Money(n, c.Currency), c.Money}, "saving": {Saving(n, c.Currency), c.Saving}, "price": {Price(n, c.Currency), c.Price},
			"amount": {coded(Amount(n, c.Currency), c.Currency), c.Money},
		} {
			if x[0] != x[1] {
				t.Errorf("%s of %s %s: %q, not %q", of, c.Amount, c.Currency, x[0], x[1])
			}
		}
	}
}

// Amounts that JavaScript's numbers do not hold.
func TestMoneyHuge(t *testing.T) {
	for in, want := range map[Number]string{
		"123456789012345678901234567890.125":  "123,456,789,012,345,678,901,234,567,890.13 USD",
		"-123456789012345678901234567890.124": "-123,456,789,012,345,678,901,234,567,890.12 USD",
		"0.00000000000000000000000012345678":  "0.0000000000000000000000001235 USD",
		"+5":                                  "5.00 USD",
		"1e900000000":                         "1e900000000 USD", // no plain decimal: left as it is
		"unknown":                             "unknown USD",
		"":                                    "USD",
	} {
		if got := Money(in, "USD"); got != want {
			t.Errorf("%s: %q, not %q", in, got, want)
		}
	}
}

func TestApart(t *testing.T) {
	for _, c := range []struct{ a, b, one, other string }{
		{"1416", "360", "1,416.00 USD", "360.00 USD"},
		{"1.416", "0.36", "1.416 USD", "0.36 USD"},
		{"30", "30", "30.00 USD", "30.00 USD"},
		{"1530.001", "1530.0014", "1,530.0010 USD", "1,530.0014 USD"},
		{"1530", "1530.004", "1,530.000 USD", "1,530.004 USD"},
	} {
		one, other := Apart(Number(c.a), Number(c.b), "USD")
		if one != c.one || other != c.other {
			t.Errorf("%s and %s: %q and %q", c.a, c.b, one, other)
		}
	}
}

func TestGrouped(t *testing.T) {
	for in, want := range map[string]string{"": "", "1": "1", "999": "999", "1000": "1,000", "-1000": "-1,000", "+1234567.8901": "1,234,567.8901"} {
		if got := Grouped(in); got != want {
			t.Errorf("%s: %q, not %q", in, got, want)
		}
	}
}

// FuzzMoney holds that what is written is the amount, to half a cent or to four
// figures, and that a price is the amount itself.
func FuzzMoney(f *testing.F) {
	for _, s := range []string{"0", "-1.056", "0.00345", "999.995", "151920", "1e5", "x", "-0.0"} {
		f.Add(s, "USD")
		f.Add(s, "JPY")
	}
	f.Fuzz(func(t *testing.T, number, currency string) {
		if !exact.MatchString(number) || len(number) > 200 || currency == "" || strings.TrimSpace(currency) != currency {
			t.Skip()
		}
		is, _ := new(big.Rat).SetString(number)
		read := func(written string) *big.Rat {
			written = strings.ReplaceAll(strings.TrimSuffix(written, " "+currency), ",", "")
			r, ok := new(big.Rat).SetString(written)
			if !ok {
				t.Fatalf("%q is no number", written)
			}
			return r
		}
		off := func(written string) *big.Rat {
			d := new(big.Rat).Sub(read(written), is)
			return d.Abs(d)
		}
		half, _ := new(big.Rat).SetString("0." + strings.Repeat("0", centsOf(currency)) + "5")
		for _, written := range []string{Money(Number(number), currency), Saving(Number(number), currency)} {
			if off(written).Cmp(half) > 0 {
				t.Errorf("%s: %s", number, written)
			}
			if is.Sign() != 0 && read(written).Sign() != is.Sign() {
				t.Errorf("%s loses its sign, or all: %s", number, written)
			}
		}
		if off(Price(Number(number), currency)).Sign() != 0 {
			t.Errorf("%s: %s", number, Price(Number(number), currency))
		}
	})
}
