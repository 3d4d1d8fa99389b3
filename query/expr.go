package query

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/event"
)

// The nodes of an expression. Field is always a column's name, or
// raw and a path ("raw.requestParameters.bucketName"). A pattern is text in
// which * stands for any run of characters, ? for one character, and \ takes
// the meaning from the character behind it; Escape makes one of plain text.
type (
	// All holds for every event.
	All struct{}
	// And holds if every X holds; Or if one does.
	And struct{ X []Expr }
	Or  struct{ X []Expr }
	Not struct{ X Expr }

	// Word holds if the pattern is found somewhere in raw or in message,
	// ignoring the case of A-Z.
	Word struct{ Pattern string }
	// Has is Word in one field of text (in one value of a list).
	Has struct{ Field, Pattern string }
	// Eq compares the value as it is stored. Value has the Go type of the
	// column: string, int64, float32, bool, time.Time or event.UID; for a list
	// it is one of the values, for a path into raw the text of a scalar.
	Eq struct {
		Field string
		Value any
	}
	// Like holds if the pattern covers the whole value as it is stored. Of a
	// UUID it covers the text form.
	Like struct{ Field, Pattern string }
	// Cmp compares with an order: integers, numbers, times; or numbers at a path
	// into raw (float64).
	Cmp struct {
		Field string
		Op    Op
		Value any
	}
	// CIDR holds if the address is in the prefix. An IPv4 address written as
	// IPv6 (::ffff:10.0.0.1) counts as IPv6.
	CIDR struct {
		Field  string
		Prefix netip.Prefix
	}
	// Exists holds if a text or list is not empty, or a path leads to a value
	// other than null; columns of the other types always have a value.
	Exists struct{ Field string }
)

func (All) expr()    {}
func (And) expr()    {}
func (Or) expr()     {}
func (Not) expr()    {}
func (Word) expr()   {}
func (Has) expr()    {}
func (Eq) expr()     {}
func (Like) expr()   {}
func (Cmp) expr()    {}
func (CIDR) expr()   {}
func (Exists) expr() {}

// Op is an ordering comparison.
type Op int

// The comparisons.
const (
	Lt Op = iota
	Le
	Gt
	Ge
)

func (o Op) String() string { return [...]string{"<", "<=", ">", ">="}[o] }

// String writes the expression in the filter language; Parse reads it back to
// the same expression.
func String(e Expr) string {
	var b strings.Builder
	write(&b, e, precOr)
	return b.String()
}

func (e All) String() string    { return String(e) }
func (e And) String() string    { return String(e) }
func (e Or) String() string     { return String(e) }
func (e Not) String() string    { return String(e) }
func (e Word) String() string   { return String(e) }
func (e Has) String() string    { return String(e) }
func (e Eq) String() string     { return String(e) }
func (e Like) String() string   { return String(e) }
func (e Cmp) String() string    { return String(e) }
func (e CIDR) String() string   { return String(e) }
func (e Exists) String() string { return String(e) }

const (
	precOr = iota
	precAnd
	precNot
)

func write(b *strings.Builder, e Expr, prec int) {
	switch e := e.(type) {
	case nil:
	case All:
		b.WriteString("*")
	case And:
		writeJoined(b, e.X, " ", precAnd, prec, "*")
	case Or:
		writeJoined(b, e.X, " or ", precOr, prec, "not *")
	case Not:
		b.WriteString("not ")
		write(b, e.X, precNot)
	case Word:
		b.WriteString(quotePattern(e.Pattern, true))
	case Has:
		b.WriteString(e.Field + ":~" + quotePattern(e.Pattern, false))
	case Eq:
		b.WriteString(e.Field + ":" + quoteValue(e.Value))
	case Like:
		b.WriteString(e.Field + ":" + barePattern(e.Pattern))
	case Cmp:
		b.WriteString(e.Field + ":" + e.Op.String() + quoteValue(e.Value))
	case CIDR:
		b.WriteString(e.Field + ":" + e.Prefix.String())
	case Exists:
		b.WriteString(e.Field + ":*")
	}
}

func writeJoined(b *strings.Builder, xs []Expr, sep string, own, outer int, empty string) {
	switch len(xs) {
	case 0:
		b.WriteString("(" + empty + ")")
		return
	case 1:
		write(b, xs[0], outer)
		return
	}
	if own < outer {
		b.WriteByte('(')
		defer b.WriteByte(')')
	}
	for i, x := range xs {
		if i > 0 {
			b.WriteString(sep)
		}
		write(b, x, own+1)
	}
}

// quoteValue writes a value so that it is read back as that very value.
func quoteValue(v any) string {
	switch v := v.(type) {
	case string:
		return quote(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float32:
		return strconv.FormatFloat(float64(v), 'g', -1, 32)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case bool:
		return strconv.FormatBool(v)
	case time.Time:
		return v.UTC().Format("2006-01-02T15:04:05.000000Z")
	case event.UID:
		return v.String()
	}
	return quote("")
}

// quote writes plain text, bare where it can stand bare as a value.
func quote(s string) string {
	// Behind a field's colon two slashes would make the whole an address, which is text.
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 && !isPrefix(s) && !strings.HasPrefix(s, "//") {
		return s
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// isPrefix: a CIDR that is meant as text must be quoted.
func isPrefix(s string) bool { _, err := netip.ParsePrefix(s); return err == nil }

// plain tells whether a character never needs quotes or an escape, wherever in
// a value it stands.
func plain(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("_./:@+=,", r)
}

// quotePattern writes a pattern of a Word or Has; plain text becomes a phrase
// or a bare word.
func quotePattern(p string, word bool) string {
	lit, ok := literal(p)
	if !ok {
		return barePattern(p)
	}
	if word && (strings.ContainsAny(lit, ":=") || isKeyword(lit)) {
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(lit) + `"`
	}
	return quote(lit)
}

// barePattern writes a pattern with every character that could mean something
// escaped.
func barePattern(p string) string {
	var b strings.Builder
	for _, t := range tokens(p) {
		switch {
		case t.any:
			b.WriteByte('*')
		case t.one:
			b.WriteByte('?')
		case plain(t.lit) && t.lit != ':' || t.lit > 0x7f && !isSpace(t.lit):
			b.WriteRune(t.lit)
		default:
			b.WriteByte('\\')
			b.WriteRune(t.lit)
		}
	}
	return b.String()
}

// Conjuncts are the expressions that must all hold for e to hold.
func Conjuncts(e Expr) []Expr {
	switch e := e.(type) {
	case nil, All:
		return nil
	case And:
		var out []Expr
		for _, x := range e.X {
			out = append(out, Conjuncts(x)...)
		}
		return out
	}
	return []Expr{e}
}
