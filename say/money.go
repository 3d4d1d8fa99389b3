package say

import (
	"fmt"
	"math/big"
	"regexp"
	"strings"
)

// Money is an amount as people read it, in every language: 3,745.08 USD. It has the
// cents of its currency, and more digits only below a cent: 0.0034 USD. The amount is
// an exact decimal number; what is none is left as it is. The console writes money
// the same way (web/src/app/money.ts).
func Money(amount fmt.Stringer, currency string) string {
	return coded(Amount(amount, currency), currency)
}

// Amount is Money without its currency, for a column that names it once.
func Amount(amount fmt.Stringer, currency string) string {
	number, cents := amount.String(), centsOf(currency)
	if leading(number) < -cents {
		return rounded(number, cents, figures(number))
	}
	return rounded(number, cents, cents)
}

// Saving is Money that a choice hangs on: a saving, or one of two costs that are
// compared. Below ten it keeps four figures, for cents would make a loss of a tenth
// of a cent a tie: -1.056 USD.
func Saving(amount fmt.Stringer, currency string) string {
	number, cents := amount.String(), centsOf(currency)
	digits := cents
	if leading(number) < 1 {
		digits = max(cents, figures(number))
	}
	return coded(rounded(number, cents, digits), currency)
}

// Apart are two Savings with as many digits as tell them apart.
func Apart(a, b fmt.Stringer, currency string) (string, string) {
	one, other := Saving(a, currency), Saving(b, currency)
	for digits := centsOf(currency) + 1; one == other && digits <= longest(a, b); digits++ {
		one = coded(rounded(a.String(), digits, digits), currency)
		other = coded(rounded(b.String(), digits, digits), currency)
	}
	return one, other
}

// Price is Money of one unit, with all digits that it has: 0.00000104 USD.
func Price(amount fmt.Stringer, currency string) string {
	cents := centsOf(currency)
	return coded(rounded(amount.String(), cents, max(cents, longest(amount))), currency)
}

// Number is an exact decimal number that is kept as text.
type Number string

// String is the number as it is kept.
func (n Number) String() string { return string(n) }

// Grouped is a decimal number with its thousands parted: 17,000.
func Grouped(number string) string {
	sign := ""
	if number != "" && (number[0] == '-' || number[0] == '+') {
		sign, number = strings.Trim(number[:1], "+"), number[1:]
	}
	whole, rest, dot := strings.Cut(number, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if dot {
		whole += "." + rest
	}
	return sign + whole
}

func coded(amount, currency string) string { return strings.TrimSpace(amount + " " + currency) }

// centless are currencies that have no cents, or more than a hundred of them, with
// their number of decimals: the minor units of ISO 4217 that are not two.
var centless = map[int]string{
	0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
	3: "BHD IQD JOD KWD LYD OMR TND",
	4: "CLF UYW",
}

// centsOf is how many decimals a currency has; two where nothing else is known.
func centsOf(currency string) int {
	for digits, codes := range centless {
		if len(currency) == 3 && strings.Contains(codes, currency) {
			return digits
		}
	}
	return 2
}

var exact = regexp.MustCompile(`^[+-]?[0-9]+(\.[0-9]+)?$`)

// rounded is a number with at most so many decimals, halves away from zero, and
// without the zeros behind the least.
func rounded(number string, least, most int) string {
	if !exact.MatchString(number) {
		return number
	}
	r, _ := new(big.Rat).SetString(number)
	whole, rest, _ := strings.Cut(r.FloatString(most), ".")
	for len(rest) > least && strings.HasSuffix(rest, "0") {
		rest = rest[:len(rest)-1]
	}
	if rest != "" {
		whole += "." + rest
	}
	if strings.Trim(whole, "-0.") == "" {
		whole = strings.TrimPrefix(whole, "-")
	}
	return Grouped(whole)
}

// leading is where the first figure of a number stands: 2 of 345, 0 of 3, -2 of
// 0.03. Of nothing it is 0.
func leading(number string) int {
	whole, rest, _ := strings.Cut(strings.TrimLeft(number, "+-"), ".")
	if whole = strings.TrimLeft(whole, "0"); whole != "" {
		return len(whole) - 1
	}
	if figures := strings.TrimLeft(rest, "0"); figures != "" {
		return len(figures) - len(rest) - 1
	}
	return 0
}

// figures is how many decimals show four figures of a number.
func figures(number string) int { return 3 - leading(number) }

// longest is the most decimals that one of some numbers has.
func longest(all ...fmt.Stringer) (most int) {
	for _, x := range all {
		_, rest, _ := strings.Cut(x.String(), ".")
		most = max(most, len(rest))
	}
	return most
}
