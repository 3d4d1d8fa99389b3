package query

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/event"
)

// SQL renders the expression as a condition for DuckDB over a relation with
// the columns of an event under their names (times as TIMESTAMP, uid and batch
// as UUID, texts never NULL). args fill its question marks, in order. The
// condition is never NULL.
//
// If exact, the condition selects the very events that Match does. Otherwise it
// selects some more, and the caller checks each with Match: paths into raw and
// IPv6 networks are not worth saying twice.
//
// Text looked for without regard to case becomes a regular expression of
// [aA]-classes: as fast as lower() before contains() (264 and 290 ms over
// 713 MB of raw), and unlike it exact, for lower() also folds the Kelvin sign.
// ILIKE takes ten times as long and cannot be interrupted.
func SQL(e Expr) (text string, args []any, exact bool) {
	r := renderer{exact: true}
	r.expr(e, true)
	return r.b.String(), r.args, r.exact
}

type renderer struct {
	b     strings.Builder
	args  []any
	exact bool
}

func (r *renderer) add(text string, args ...any) {
	r.b.WriteString(text)
	r.args = append(r.args, args...)
}

// expr renders e, or where that is not exact, something wider; under a
// negation (wide false) something narrower.
func (r *renderer) expr(e Expr, wide bool) {
	switch e := e.(type) {
	case nil, All:
		r.add("true")
	case And:
		r.join(e.X, " AND ", "true", wide)
	case Or:
		if column, values := sameField(e.X); column != "" {
			r.add(column+" IN (?"+strings.Repeat(",?", len(values)-1)+")", values...)
			return
		}
		r.join(e.X, " OR ", "false", wide)
	case Not:
		r.add("(NOT ")
		r.expr(e.X, !wide)
		r.add(")")
	case Word:
		r.add("(")
		r.found(`"raw"`, e.Pattern)
		r.add(" OR ")
		r.found(`"message"`, e.Pattern)
		r.add(")")
	default:
		r.field(e, wide)
	}
}

// join renders a balanced tree: engines limit how deep expressions nest.
func (r *renderer) join(xs []Expr, op, empty string, wide bool) {
	switch len(xs) {
	case 0:
		r.add(empty)
	case 1:
		r.expr(xs[0], wide)
	default:
		r.add("(")
		r.join(xs[:len(xs)/2], op, empty, wide)
		r.add(op)
		r.join(xs[len(xs)/2:], op, empty, wide)
		r.add(")")
	}
}

// sameField recognises several values of one text column.
func sameField(xs []Expr) (column string, values []any) {
	for _, x := range xs {
		eq, ok := x.(Eq)
		c, known := Lookup(eq.Field)
		v, isText := eq.Value.(string)
		if !ok || !known || !isText || c.text == nil || column != "" && column != quoted(c.Name) {
			return "", nil
		}
		column, values = quoted(c.Name), append(values, v)
	}
	if len(values) < 2 {
		return "", nil
	}
	return column, values
}

func quoted(name string) string { return `"` + name + `"` }

func (r *renderer) field(e Expr, wide bool) {
	field := fieldOf(e)
	if isPath(field) {
		r.path(e, splitPath(field), wide)
		return
	}
	c, ok := Lookup(field)
	if !ok {
		r.add("false")
		return
	}
	name := quoted(c.Name)
	_, exists := e.(Exists)
	switch c.Type {
	case Text, Enum, Addr, JSON:
		r.textual(e, name, wide)
	case List:
		if exists {
			r.add("coalesce(len(" + name + ") > 0, false)")
			return
		}
		if eq, ok := e.(Eq); ok {
			v, ok := eq.Value.(string)
			if !ok {
				r.add("false")
				return
			}
			r.add("coalesce(list_contains("+name+", ?), false)", v)
			return
		}
		r.add("coalesce(len(list_filter(" + name + ", lambda x: ")
		r.textual(e, "x", wide)
		r.add(")) > 0, false)")
	case UUID:
		eq, ok := e.(Eq)
		if !ok {
			r.textual(e, "CAST("+name+" AS VARCHAR)", wide)
			return
		}
		u, ok := eq.Value.(event.UID)
		if !ok {
			r.add("false")
			return
		}
		r.add(name+" = CAST(? AS UUID)", u.String())
	default:
		if exists {
			r.add("true")
			return
		}
		r.ordered(e, c, name)
	}
}

// textual renders a condition on text, given as an SQL expression.
func (r *renderer) textual(e Expr, col string, wide bool) {
	switch e := e.(type) {
	case Eq:
		if v, ok := e.Value.(string); ok {
			r.add(col+" = ?", v)
			return
		}
	case Like:
		r.like(col, tokens(e.Pattern))
		return
	case Has:
		r.found(col, e.Pattern)
		return
	case CIDR:
		r.cidr(col, e.Prefix, wide)
		return
	case Exists:
		r.add(col + " <> ''")
		return
	}
	r.add("false")
}

// found renders that the pattern is somewhere in the text, without regard to case.
func (r *renderer) found(col, p string) {
	if lit, ok := literal(p); ok && strings.IndexFunc(lit, isLetter) < 0 {
		r.add("contains("+col+", ?)", lit)
		return
	}
	r.add("regexp_matches("+col+", ?)", regexpOf(tokens(p), true))
}

func isLetter(r rune) bool { return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' }

// like renders that the pattern covers the whole text. What stands before the
// first wildcard is said as a prefix too, because engines skip blocks by it.
func (r *renderer) like(col string, ts []token) {
	n := 0
	var head strings.Builder
	for n < len(ts) && !ts[n].any && !ts[n].one {
		head.WriteRune(ts[n].lit)
		n++
	}
	switch {
	case n == len(ts):
		r.add(col+" = ?", head.String())
	case n == len(ts)-1 && ts[n].any:
		r.add("prefix("+col+", ?)", head.String())
	case n == 0:
		r.add("regexp_full_match("+col+", ?)", regexpOf(ts, false))
	default:
		r.add("(prefix("+col+", ?) AND regexp_full_match("+col+", ?))", head.String(), regexpOf(ts, false))
	}
}

func regexpOf(ts []token, fold bool) string {
	var b strings.Builder
	b.WriteString("(?s)")
	for _, t := range ts {
		switch {
		case t.any:
			b.WriteString(".*")
		case t.one:
			b.WriteString(".")
		case isLetter(t.lit) && fold:
			c := rune(lower(byte(t.lit)))
			b.WriteString("[" + string(c) + string(c-'a'+'A') + "]")
		case isLetter(t.lit) || '0' <= t.lit && t.lit <= '9' || t.lit > 0x9f:
			b.WriteRune(t.lit)
		case t.lit > ' ' && t.lit < 0x7f:
			b.WriteString(`\` + string(t.lit))
		default:
			fmt.Fprintf(&b, `\x{%x}`, t.lit)
		}
	}
	return b.String()
}

const octet = `(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])`

// cidr renders an IPv4 network as the regular expression of the addresses in
// it; of IPv6, whose addresses are written in many ways, only that there is a
// colon.
func (r *renderer) cidr(col string, prefix netip.Prefix, wide bool) {
	if !prefix.IsValid() {
		r.add("false")
		return
	}
	if !prefix.Addr().Is4() {
		r.exact = false
		r.add("(" + strconv.FormatBool(wide) + " AND contains(" + col + ", ':'))")
		return
	}
	a, bits := prefix.Masked().Addr().As4(), prefix.Bits()
	var head string
	var parts [4]string
	for i := range parts {
		fixed := min(max(bits-8*i, 0), 8)
		switch fixed {
		case 8:
			parts[i] = strconv.Itoa(int(a[i]))
			if i < 3 {
				head += parts[i] + "."
			}
		case 0:
			parts[i] = octet
		default:
			var values []string
			for v := range 1 << (8 - fixed) {
				values = append(values, strconv.Itoa(int(a[i])|v))
			}
			parts[i] = "(?:" + strings.Join(values, "|") + ")"
		}
	}
	pattern := strings.Join(parts[:], `\.`)
	if head == "" {
		r.add("regexp_full_match("+col+", ?)", pattern)
		return
	}
	r.add("(prefix("+col+", ?) AND regexp_full_match("+col+", ?))", head, pattern)
}

func (r *renderer) ordered(e Expr, c *Column, name string) {
	op, value := " = ", any(nil)
	switch e := e.(type) {
	case Eq:
		value = e.Value
	case Cmp:
		op, value = " "+e.Op.String()+" ", e.Value
		if _, isBool := value.(bool); isBool {
			value = nil
		}
	}
	literal := ""
	switch v := value.(type) {
	case int64:
		if c.Type == Int {
			literal = strconv.FormatInt(v, 10)
		}
	case float32:
		if c.Type == Float {
			literal = "CAST('" + strconv.FormatFloat(float64(v), 'g', -1, 32) + "' AS FLOAT)"
		}
	case time.Time:
		if c.Type == Time {
			literal = Timestamp(v)
		}
	case bool:
		if c.Type == Bool {
			literal = strconv.FormatBool(v)
		}
	}
	if literal == "" {
		r.add("false")
		return
	}
	r.add(name + op + literal)
}

// Timestamp is the time as a literal of type TIMESTAMP.
func Timestamp(t time.Time) string {
	return t.UTC().Format("TIMESTAMP '2006-01-02 15:04:05.000000'")
}

// path renders what a record must hold as text if the path is in it: its last
// key and, if it is looked for exactly, the value; unless it is written with
// \u escapes. Match reads the rest.
func (r *renderer) path(e Expr, path []string, wide bool) {
	r.exact = false
	if !wide || len(path) == 0 {
		r.add("false")
		return
	}
	var needles []any
	if key := path[len(path)-1]; unescaped(key) {
		needles = append(needles, `"`+key+`"`)
	}
	if eq, ok := e.(Eq); ok {
		if v, ok := eq.Value.(string); ok && unescaped(v) {
			needles = append(needles, v)
		}
	}
	if len(needles) == 0 {
		r.add("true")
		return
	}
	r.add(`((contains("raw", ?)`+strings.Repeat(` AND contains("raw", ?)`, len(needles)-1)+`) OR contains("raw", '\u'))`, needles...)
}

// unescaped tells whether the text is written in JSON in only one way, \u
// escapes aside.
func unescaped(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r > 0x7e || r == '"' || r == '\\' || r == '/' }) < 0
}
