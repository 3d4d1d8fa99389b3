package ir

import (
	"bytes"
	"cmp"
	"math"
	"strconv"
	"strings"
)

// atEdge tells whether float64 may have taken f for a number it is not: one too
// large for it, or too close to 0.
func atEdge(f float64) bool { return f == 0 || math.IsInf(f, 0) }

// apart is a number taken apart: 0.digits times ten to the exponent. Digits begin and end
// with another digit than 0; those of 0 are empty.
type apart struct {
	negative bool
	digits   string
	exponent int64
}

// maxExponent bounds exponents; beyond it they are all the same.
const maxExponent = 1 << 60

// takeApart reads a number that JSON's grammar allows.
func takeApart(text []byte) apart {
	var x apart
	if text[0] == '-' {
		x.negative, text = true, text[1:]
	}
	if i := bytes.IndexAny(text, "eE"); i >= 0 {
		e, err := strconv.ParseInt(string(text[i+1:]), 10, 64)
		if err != nil { // out of range: the nearest number
			e = maxExponent
			if text[i+1] == '-' {
				e = -maxExponent
			}
		}
		x.exponent, text = min(max(e, -maxExponent), maxExponent), text[:i]
	}
	whole, fraction, _ := strings.Cut(string(text), ".")
	x.exponent += int64(len(whole))
	digits := whole + fraction
	x.digits = strings.TrimLeft(digits, "0")
	x.exponent -= int64(len(digits) - len(x.digits))
	if x.digits = strings.TrimRight(x.digits, "0"); x.digits == "" {
		return apart{}
	}
	return x
}

// compareExact gives the order of two numbers.
func compareExact(a, b []byte) int {
	x, y := takeApart(a), takeApart(b)
	if s := cmp.Compare(x.sign(), y.sign()); s != 0 {
		return s
	}
	order := cmp.Compare(x.exponent, y.exponent)
	if order == 0 {
		order = strings.Compare(x.digits, y.digits)
	}
	return order * x.sign()
}

func (x apart) sign() int {
	switch {
	case x.digits == "":
		return 0
	case x.negative:
		return -1
	}
	return 1
}

// key is the same for equal numbers only.
func (x apart) key() string {
	return strconv.Itoa(x.sign()) + x.digits + "e" + strconv.FormatInt(x.exponent, 10)
}
