package bill

import (
	"bytes"
	"errors"
	"fmt"
	"math/big"
	"math/bits"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"
)

// number is a decimal number of a row: mant / 10^scale, or big where that does not
// hold it.
type number struct {
	mant  uint64
	scale uint8 // at most maxScale
	neg   bool
	big   *decimal.Decimal
}

const (
	// maxScale is how many digits behind the point sums are kept with before they
	// need a decimal of any size; bills have up to 18.
	maxScale = 18
	// maxDigits bounds numbers: behind a hostile exponent stands a number that fills
	// the memory.
	maxDigits = 60
)

var (
	errNoNumber = errors.New("is no number")
	errTooLong  = fmt.Errorf("has more than %d digits", maxDigits)
)

// parseNumber reads a decimal number. Most are plain digits; spreadsheets also make
// exponents, currency signs, parentheses for negative ones and groups of thousands.
// With commaPoint the comma is the decimal point.
func parseNumber(b []byte, commaPoint bool) (n number, err error) {
	digits, point := 0, -1
	for i, c := range b {
		switch {
		case c >= '0' && c <= '9':
			if digits++; digits > 19 || point >= 0 && digits-point > maxScale {
				return parseOdd(b, commaPoint)
			}
			n.mant = n.mant*10 + uint64(c-'0')
		case c == '.' && point < 0 && !commaPoint:
			point = digits
		case c == '-' && i == 0:
			n.neg = true
		default:
			return parseOdd(b, commaPoint)
		}
	}
	if digits == 0 {
		return n, errNoNumber
	}
	if point >= 0 {
		n.scale = uint8(digits - point)
	}
	return n, nil
}

// parseOdd is parseNumber for all that is not plain digits.
func parseOdd(b []byte, commaPoint bool) (n number, err error) {
	s := strings.TrimSpace(string(b))
	if len(s) > 4*maxDigits {
		return n, errTooLong
	}
	neg := false
	if inner, ok := strings.CutPrefix(s, "("); ok {
		if s, ok = strings.CutSuffix(inner, ")"); !ok {
			return n, errNoNumber
		}
		neg = true
	}
	if rest, ok := strings.CutPrefix(s, "-"); ok && !neg {
		s, neg = rest, true
	}
	s = strings.TrimSpace(strings.TrimLeft(s, "$€£¥₩ ")) // -$5 and $-5 are both written
	if rest, ok := strings.CutPrefix(s, "-"); ok && !neg {
		s, neg = rest, true
	}
	if s, err = plainPoint(strings.TrimPrefix(s, "+"), commaPoint); err != nil {
		return n, err
	}
	mant, exp, _ := strings.Cut(strings.ToLower(s), "e")
	if mant == "" || strings.Trim(mant, "0123456789.") != "" || strings.Count(mant, ".") > 1 || mant == "." {
		return n, errNoNumber
	}
	shift, err := strconv.Atoi(strings.TrimPrefix(exp, "+"))
	if exp != "" && err != nil || exp == "" && strings.Contains(strings.ToLower(s), "e") {
		return n, errNoNumber
	}
	_, fraction, _ := strings.Cut(mant, ".")
	if len(mant) > maxDigits || shift > maxDigits || len(fraction)-shift > 2*maxDigits {
		return n, errTooLong
	}
	d, err := decimal.NewFromString(s)
	if err != nil {
		return n, errNoNumber
	}
	if neg {
		d = d.Neg()
	}
	return number{big: &d}, nil
}

// plainPoint takes groups of thousands away and makes a point of a decimal comma.
func plainPoint(s string, commaPoint bool) (string, error) {
	group, point := ",", "."
	if commaPoint || strings.Count(s, ",") == 1 && strings.Contains(s, ".") && strings.LastIndex(s, ".") < strings.Index(s, ",") {
		group, point = point, group
	}
	whole, fraction, pointed := strings.Cut(s, point)
	for i, part := range strings.Split(whole, group) {
		if i > 0 && len(part) != 3 {
			return "", fmt.Errorf("is ambiguous: %q may part groups of thousands or be the decimal point", group)
		}
	}
	if strings.Contains(fraction, group) {
		return "", errNoNumber
	}
	s = strings.ReplaceAll(whole, group, "")
	if pointed {
		s += "." + fraction
	}
	return s, nil
}

// total is an exact sum: a whole number of 10^-18 in 128 bits, and what does not
// fit in there.
type total struct {
	hi   uint64 // two's complement, with lo
	lo   uint64
	rest *decimal.Decimal
}

var powers = func() (p [maxScale + 1]uint64) {
	p[0] = 1
	for i := 1; i < len(p); i++ {
		p[i] = p[i-1] * 10
	}
	return p
}()

func (t *total) add(n number) {
	if n.big != nil {
		t.addRest(*n.big)
		return
	}
	hi, lo := bits.Mul64(n.mant, powers[maxScale-n.scale])
	if n.neg {
		var borrow uint64
		lo, borrow = bits.Sub64(0, lo, 0)
		hi, _ = bits.Sub64(0, hi, borrow)
	}
	var carry uint64
	t.lo, carry = bits.Add64(t.lo, lo, 0)
	t.hi, _ = bits.Add64(t.hi, hi, carry)
	// A number is below 2^124, so one that is looked at after each cannot have gone
	// around.
	if top := int64(t.hi); top > 1<<61 || top < -(1<<61) {
		t.addRest(t.fixed())
		t.hi, t.lo = 0, 0
	}
}

func (t *total) addRest(d decimal.Decimal) {
	if t.rest != nil {
		d = d.Add(*t.rest)
	}
	t.rest = &d
}

// fixed is the part in 128 bits, without zeros behind its last digit.
func (t *total) fixed() decimal.Decimal {
	hi, lo, neg := t.hi, t.lo, int64(t.hi) < 0
	if neg {
		var borrow uint64
		lo, borrow = bits.Sub64(0, lo, 0)
		hi, _ = bits.Sub64(0, hi, borrow)
	}
	scale := int32(maxScale)
	for ; scale > 0; scale-- {
		high, rest := bits.Div64(0, hi, 10)
		low, rest := bits.Div64(rest, lo, 10)
		if rest != 0 {
			break
		}
		hi, lo = high, low
	}
	n := new(big.Int).SetUint64(lo)
	if hi > 0 {
		n.Or(n, new(big.Int).Lsh(new(big.Int).SetUint64(hi), 64))
	}
	if neg {
		n.Neg(n)
	}
	return decimal.NewFromBigInt(n, -scale)
}

// merge adds another sum.
func (t *total) merge(u *total) { t.addRest(u.decimal()) }

// decimal is the sum, without zeros behind its last digit, so that equal sums are
// kept as equal texts.
func (t *total) decimal() decimal.Decimal {
	d := t.fixed()
	if t.rest == nil {
		return d
	}
	return decimal.RequireFromString(d.Add(*t.rest).String())
}

// isNull tells whether a field says that there is no value.
func isNull(b []byte) bool {
	switch len(b) {
	case 0:
		return true
	case 2:
		return b[0] == '\\' && b[1] == 'N'
	case 4:
		return bytes.EqualFold(b, []byte("null"))
	}
	return false
}
