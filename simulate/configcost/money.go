package configcost

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"
)

// Amount is an exact decimal in ten-billionths, as finely as bills are written: of
// US dollars, or of what is used.
type Amount int64

const whole Amount = 10_000_000_000

// units is n whole ones.
func units(n int64) Amount { return Amount(n) * whole }

// times is a × b, rounded to ten-billionths, halves away from zero.
func (a Amount) times(b Amount) Amount {
	minus := (a < 0) != (b < 0)
	hi, lo := bits.Mul64(uint64(max(a, -a)), uint64(max(b, -b)))
	lo, carry := bits.Add64(lo, uint64(whole/2), 0)
	q, _ := bits.Div64(hi+carry, lo, uint64(whole)) // panics beyond 900 million dollars
	if minus {
		return -Amount(q)
	}
	return Amount(q)
}

// over is a part of a: one nth, rounded to ten-billionths.
func (a Amount) over(n int64) Amount { return (a + Amount(n)/2) / Amount(n) }

// part is about a times f, to so many decimals: for what is drawn.
func (a Amount) part(f float64, decimals int) Amount {
	step := whole
	for range decimals {
		step /= 10
	}
	return Amount(float64(a)*f) / step * step
}

// String writes it without needless zeros.
func (a Amount) String() string {
	s := strings.TrimRight(a.full(), "0")
	return strings.TrimSuffix(s, ".")
}

// full writes it with ten decimals, as bills do.
func (a Amount) full() string {
	sign := ""
	if a < 0 {
		sign, a = "-", -a
	}
	return fmt.Sprintf("%s%d.%010d", sign, a/whole, a%whole)
}

// MarshalJSON writes a number with all its digits.
func (a Amount) MarshalJSON() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalJSON reads what MarshalJSON writes.
func (a *Amount) UnmarshalJSON(text []byte) error {
	s, minus := strings.CutPrefix(string(text), "-")
	front, back, _ := strings.Cut(s, ".")
	n, err := strconv.ParseInt(front+(back + "0000000000")[:max(10, len(back))], 10, 64)
	if err != nil || len(back) > 10 {
		return fmt.Errorf("%s is no amount in ten-billionths", text)
	}
	if *a = Amount(n); minus {
		*a = -*a
	}
	return nil
}

// float is for columns of Parquet that are doubles in the bill as well.
func (a Amount) float() float64 { return float64(a) / float64(whole) }
