package sqlgen

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"unicode"

	"github.com/yagura-sec/yagura/sigma/ir"
)

var comparisons = map[ir.Cmp]string{ir.Equal: "=", ir.Less: "<", ir.LessOrEqual: "<=", ir.Greater: ">", ir.GreaterOrEqual: ">="}

const (
	numberExpr  = `^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$`
	integerExpr = `^-?(?:0|[1-9][0-9]*)$`
	// maxDigits is how many characters of an integer HUGEINT surely holds.
	maxDigits = 37
)

func isInteger(text string) bool { return !strings.ContainsAny(text, ".eE") }

// compare holds a number against texts that are numbers as JSON writes them:
// integers exactly, others as doubles.
func (e *exact) compare(a *ir.Atom) (string, error) {
	text, op := a.Number.Text, comparisons[a.Cmp]
	f, _ := strconv.ParseFloat(text, 64) // out of range gives an infinity, which compares right
	isNumber := "x.k IN ('s', 'n') AND regexp_matches(x.v, '" + numberExpr + "')"
	double := "coalesce(TRY_CAST(x.v AS DOUBLE) " + op + " CAST(" + e.arg(strconv.FormatFloat(f, 'g', -1, 64)) + " AS DOUBLE), false)"
	if !isInteger(text) {
		return "(" + isNumber + " AND " + double + ")", nil
	}
	if len(text) > maxDigits {
		return "", fmt.Errorf("integer %s has more digits than engines count with", text)
	}
	// An integer of more digits is beyond this one, on the side of its sign.
	long := map[ir.Cmp]string{ir.Less: "prefix(x.v, '-')", ir.LessOrEqual: "prefix(x.v, '-')", ir.Greater: "NOT prefix(x.v, '-')", ir.GreaterOrEqual: "NOT prefix(x.v, '-')", ir.Equal: "false"}[a.Cmp]
	return fmt.Sprintf("(%s AND CASE WHEN NOT regexp_matches(x.v, '%s') THEN %s WHEN strlen(x.v) > %d THEN %s ELSE coalesce(TRY_CAST(x.v AS HUGEINT) %s CAST('%s' AS HUGEINT), false) END)",
		isNumber, integerExpr, double, maxDigits, long, op, text), nil
}

// timePart takes a part of a date as ir does, bytes counted: between the hour's
// place and the colon's may be anything of two bytes if only the date is asked for.
func (e *exact) timePart(a *ir.Atom) (string, error) {
	const (
		date = `^[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])`
		two  = `(?:[\x00-\x7f]{2}|[\x{80}-\x{7ff}])`
		more = `(?:[\x00-\x7f]{2}|[\x00-\x7f]?[^\x00-\x7f])`
		// A date alone, or with something as long as a time of day behind it.
		dated = date + `(?:$|[Tt ]` + two + `:` + more + `)`
		timed = date + `[Tt ](?:[01][0-9]|2[0-3]):[0-5][0-9]`
	)
	f, err := strconv.ParseFloat(a.Number.Text, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return "", err
	}
	expr, part := dated, ""
	switch a.Part {
	case ir.Year:
		part = "CAST(substr(x.v, 1, 4) AS INTEGER)"
	case ir.Month:
		part = "CAST(substr(x.v, 6, 2) AS INTEGER)"
	case ir.Day:
		part = "CAST(substr(x.v, 9, 2) AS INTEGER)"
	case ir.Week:
		part = "weekofyear(TRY_CAST(substr(x.v, 1, 10) AS DATE))"
	case ir.Hour:
		expr, part = timed, "CAST(substr(x.v, 12, 2) AS INTEGER)"
	case ir.Minute:
		expr, part = timed, "CAST(substr(x.v, 15, 2) AS INTEGER)"
	}
	return fmt.Sprintf("(CASE WHEN regexp_matches(x.v, '(?s)%s') AND TRY_CAST(substr(x.v, 1, 10) AS DATE) IS NOT NULL THEN coalesce(CAST(%s AS DOUBLE) %s CAST(%s AS DOUBLE), false) ELSE false END)",
		expr, part, comparisons[a.Cmp], e.arg(strconv.FormatFloat(f, 'g', -1, 64))), nil
}

const octet = `(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])`

const quad = octet + `\.` + octet + `\.` + octet + `\.` + octet

// network tells whether a string is an address in a network: the address as 32
// hexadecimal digits lies between the first and the last one. IPv4 is held in its
// place in IPv6, which is where an IPv4 address written as IPv6 is, too.
func (e *exact) network(a *ir.Atom) string {
	first := a.Net.Masked().Addr()
	bits := a.Net.Bits()
	if first.Is4() {
		bits += 96
	}
	lo := first.As16()
	hi := lo
	for i := bits; i < 128; i++ {
		hi[i/8] |= 1 << (7 - i%8)
	}
	address := hexAddress()
	inside := fmt.Sprintf("%s BETWEEN '%x' AND '%x'", address, lo, hi)
	if !first.Is4() {
		inside += " AND NOT prefix(" + address + ", '00000000000000000000ffff')"
	}
	return "(x.k = 's' AND strlen(x.v) <= 64 AND coalesce(" + inside + ", false))"
}

// hexAddress is the address in x.v as 32 hexadecimal digits, NULL if it is none.
var hexAddress = sync.OnceValue(func() string {
	four := func(x string) string { // a dotted quad as 8 digits
		return "list_aggregate(list_transform(string_split(" + x + ", '.'), lambda o: lpad(lower(to_hex(CAST(o AS INTEGER))), 2, '0')), 'string_agg', '')"
	}
	// An address of IPv6 without zone, its quad written as two groups.
	const zoneless = `regexp_replace(x.v, '%.+$', '')`
	tail := `regexp_extract(` + zoneless + `, ':(` + quad + `)$', 1)`
	groups := `CASE WHEN ` + tail + ` = '' THEN ` + zoneless + ` ELSE substr(` + zoneless + `, 1, length(` + zoneless + `) - length(` + tail + `)) || substr(` +
		four("CASE WHEN "+tail+" = '' THEN '0.0.0.0' ELSE "+tail+" END") + `, 1, 4) || ':' || substr(` + four("CASE WHEN "+tail+" = '' THEN '0.0.0.0' ELSE "+tail+" END") + `, 5, 4) END`
	pad := func(list string) string {
		return "coalesce(list_aggregate(list_transform(" + list + ", lambda h: lpad(lower(h), 4, '0')), 'string_agg', ''), '')"
	}
	const h = `[0-9a-fA-F]{1,4}`
	split := func(x string) string { return "list_filter(string_split(" + x + ", ':'), lambda h: h <> '')" }
	// Of :: the left and the right, and zeros in between; one group at least.
	left, right := "split_part(g, '::', 1)", "split_part(g, '::', 2)"
	count := "len(" + split(left) + ") + len(" + split(right) + ")"
	return `CASE WHEN regexp_matches(x.v, '^` + quad + `$') THEN '00000000000000000000ffff' || ` + four("CASE WHEN regexp_matches(x.v, '^"+quad+"$') THEN x.v ELSE '0.0.0.0' END") + `
 WHEN regexp_matches(x.v, '^[0-9a-fA-F:]*:[0-9a-fA-F:.]*(?s:%.+)?$') THEN list_aggregate(list_transform([` + groups + `], lambda g:
 CASE WHEN regexp_matches(g, '^` + h + `(?::` + h + `){7}$') THEN ` + pad("string_split(g, ':')") + `
 WHEN regexp_matches(g, '^(?:` + h + `(?::` + h + `)*)?::(?:` + h + `(?::` + h + `)*)?$') AND ` + count + ` < 8
 THEN ` + pad(split(left)) + ` || repeat('0', 32 - 4 * (` + count + `)) || ` + pad(split(right)) + ` END), 'max') END`
})

// reference compares with every value of another field.
func (e *exact) reference(a *ir.Atom, f, g string) (string, error) {
	x, y := "x.v", "y.v"
	if !a.Cased {
		x, y = e.folded("x.v"), e.folded("y.v")
	}
	var condition string
	switch a.RefOp {
	case ir.Prefix:
		condition = "prefix(" + x + ", " + y + ")"
	case ir.Suffix:
		condition = "suffix(" + x + ", " + y + ")"
	case ir.Contains:
		condition = "contains(" + x + ", " + y + ")"
	default:
		condition = "(" + x + " = " + y + " OR y.k = 'n' AND " + equalNumbers + ")"
	}
	inner := "(coalesce(len(list_filter(" + g + ", lambda y: y.k <> 'z' AND y.k <> 'a' AND " + condition + ")), 0) > 0)"
	return anyOf(f, isValue+" AND "+inner), nil
}

// equalNumbers: a number of the one field is that of the other.
const equalNumbers = `regexp_matches(x.v, '` + numberExpr + `') AND CASE WHEN regexp_matches(x.v, '` + integerExpr + `') AND regexp_matches(y.v, '` + integerExpr + `')
 THEN CASE WHEN x.v = '-0' THEN '0' ELSE x.v END = CASE WHEN y.v = '-0' THEN '0' ELSE y.v END ELSE coalesce(TRY_CAST(x.v AS DOUBLE) = TRY_CAST(y.v AS DOUBLE), false) END`

// folded is a text without regard to case.
func (e *exact) folded(x string) string {
	from, to := foldTable()
	return "CASE WHEN strlen(" + x + ") = length(" + x + ") THEN lower(" + x + ") ELSE translate(" + x + ", " + e.arg(from) + ", " + e.arg(to) + ") END"
}

// foldTable is every character that simple folding changes, and into what.
var foldTable = sync.OnceValues(func() (from, to string) {
	var a, b strings.Builder
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if 0xd800 <= r && r < 0xe000 {
			continue
		}
		if f := ir.FoldString(string(r)); f != string(r) {
			a.WriteRune(r)
			b.WriteString(f)
		}
	}
	return a.String(), b.String()
})
