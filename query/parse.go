package query

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/yagura-sec/yagura/event"
)

// Bounds on what Parse accepts, so that a hostile expression costs little
// wherever it is evaluated.
const (
	maxLength = 64 << 10 // bytes
	maxDepth  = 100      // parentheses and nots inside each other
	maxTerms  = 2000
	// Patterns become regular expressions in an engine.
	maxPattern   = 1000 // characters
	maxWildcards = 50
)

// SyntaxError says where an expression is wrong and how.
type SyntaxError struct {
	Input string
	Col   int // which character, from 1
	Msg   string
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("column %d: %s", e.Col, e.Msg) }

// Caret is the input and below it a mark at the place, in two lines.
func (e *SyntaxError) Caret() string {
	line := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, e.Input)
	return line + "\n" + strings.Repeat(" ", max(e.Col-1, 0)) + "^"
}

// Parse reads an expression; text with nothing in it is nil, every event. Its
// errors are *SyntaxError. Times relative to now are refused: see ParseAt.
func Parse(s string) (Expr, error) { return ParseAt(s, time.Time{}) }

// ParseAt is Parse where times may be written relative to now ("now-7d").
func ParseAt(s string, now time.Time) (Expr, error) { return events.ParseAt(s, now) }

// Parse is the package's Parse over the columns of t.
func (t *Table) Parse(s string) (Expr, error) { return t.ParseAt(s, time.Time{}) }

// ParseAt is the package's ParseAt over the columns of t.
func (t *Table) ParseAt(s string, now time.Time) (e Expr, err error) {
	p := &parser{table: t, in: s, now: now}
	defer func() {
		if f, ok := recover().(parseFailure); ok {
			e, err = nil, f.err
		}
	}()
	if len(s) > maxLength {
		p.fail(0, "longer than %d bytes", maxLength)
	}
	for i, r := range s {
		if r == 0 || r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD") {
			p.fail(i, "not a printable character")
		}
	}
	if p.space(); p.at == len(s) {
		return nil, nil
	}
	e = p.or(nil, "")
	if p.at < len(s) { // only a parenthesis stops or before the end
		p.fail(p.at, `")" without a "("`)
	}
	return e, nil
}

// parseFailure carries an error out of the recursion; nothing else recovers it.
type parseFailure struct{ err *SyntaxError }

type parser struct {
	table *Table
	in    string
	at    int
	depth int
	terms int
	now   time.Time
}

func (p *parser) fail(at int, format string, args ...any) {
	panic(parseFailure{&SyntaxError{p.in, utf8.RuneCountInString(p.in[:min(at, len(p.in))]) + 1, fmt.Sprintf(format, args...)}})
}

func isSpace(r rune) bool { return unicode.IsSpace(r) }

func (p *parser) space() {
	p.at = len(p.in) - len(strings.TrimLeftFunc(p.in[p.at:], isSpace))
}

func (p *parser) peek() byte {
	if p.at < len(p.in) {
		return p.in[p.at]
	}
	return 0
}

func (p *parser) enter() {
	if p.depth++; p.depth > maxDepth {
		p.fail(p.at, "nested deeper than %d", maxDepth)
	}
}

// keyword takes the word if it comes next, in any case.
func (p *parser) keyword(word string) bool {
	end := p.at + len(word)
	if end > len(p.in) || !strings.EqualFold(p.in[p.at:end], word) {
		return false
	}
	if r, _ := utf8.DecodeRuneInString(p.in[end:]); end < len(p.in) && !isSpace(r) && r != '(' && r != ')' {
		return false
	}
	p.at = end
	p.space()
	return true
}

func isKeyword(s string) bool {
	return strings.EqualFold(s, "and") || strings.EqualFold(s, "or") || strings.EqualFold(s, "not")
}

// or reads alternatives up to the end or a closing parenthesis. Inside a list
// of values, c is the list's column and field its name.
func (p *parser) or(c *Spec, field string) Expr {
	xs := []Expr{p.and(c, field)}
	for p.keyword("or") {
		xs = append(xs, p.and(c, field))
	}
	if len(xs) == 1 {
		return xs[0]
	}
	return Or{xs}
}

func (p *parser) and(c *Spec, field string) Expr {
	xs := []Expr{p.not(c, field)}
	for p.at < len(p.in) && p.peek() != ')' {
		start := p.at
		if p.keyword("or") {
			p.at = start
			break
		}
		if !p.keyword("and") && c != nil {
			p.fail(p.at, `write "or" or "and" between the values of a list`)
		}
		xs = append(xs, p.not(c, field))
	}
	if len(xs) == 1 {
		return xs[0]
	}
	return And{xs}
}

func (p *parser) not(c *Spec, field string) Expr {
	p.enter()
	defer func() { p.depth-- }()
	start := p.at
	switch {
	case p.keyword("not"):
		return Not{p.not(c, field)}
	case p.keyword("and"), p.keyword("or"):
		p.fail(start, "something is missing before %q; to search for the word itself, quote it", strings.TrimSpace(p.in[start:p.at]))
	case c == nil && p.peek() == '-':
		p.at++
		if r, _ := utf8.DecodeRuneInString(p.in[p.at:]); p.at == len(p.in) || isSpace(r) {
			p.fail(start, `"-" takes the opposite of what follows it without a space`)
		}
		return Not{p.not(c, field)}
	case p.peek() == '(':
		return p.group(c, field)
	case p.at == len(p.in) || p.peek() == ')':
		p.fail(p.at, "something is missing here")
	case c != nil:
		return p.value(c, field)
	}
	return p.term()
}

func (p *parser) group(c *Spec, field string) Expr {
	open := p.at
	p.at++
	p.space()
	e := p.or(c, field)
	if p.peek() != ')' {
		p.fail(open, `"(" is never closed`)
	}
	p.at++
	p.boundary()
	return e
}

// boundary holds that what was read ends here, and skips space.
func (p *parser) boundary() {
	r, _ := utf8.DecodeRuneInString(p.in[p.at:])
	if p.at < len(p.in) && r != ')' && !isSpace(r) {
		p.fail(p.at, "a space is missing before %q (or a \\, or quotes around the whole)", r)
	}
	p.space()
}

func (p *parser) count() {
	if p.terms++; p.terms > maxTerms {
		p.fail(p.at, "more than %d terms", maxTerms)
	}
}

// ident is the length of the name at the start of s.
func ident(s string) int {
	n := 0
	for n < len(s) && (s[n] == '_' || 'a' <= lower(s[n]) && lower(s[n]) <= 'z' || n > 0 && '0' <= s[n] && s[n] <= '9') {
		n++
	}
	return n
}

// term reads a word, a phrase or a field with its value.
func (p *parser) term() Expr {
	rest := p.in[p.at:]
	n := ident(rest)
	name := lowerText(rest[:n])
	if n > 0 && n < len(rest) && !strings.HasPrefix(lowerText(rest), "arn:") && !strings.HasPrefix(rest[n:], "://") {
		switch {
		case rest[n] == ':':
			return p.field(name, nil)
		case rest[n] == '.' && name == "raw" && p.table.paths():
			if path, end := p.path(p.at + n); end > 0 {
				p.at = end - len("raw") // field skips the name again
				return p.field(name, path)
			}
		case strings.IndexByte("=<>!", rest[n]) >= 0 && p.table.has(name):
			p.fail(p.at+n, "a field is compared as %s:value, %s:>value; to search for this text, quote it", name, name)
		}
	}
	start := p.at
	a := p.atom("")
	p.boundary()
	p.count()
	if !a.quoted && a.pattern == "*" {
		return All{}
	}
	return Word{p.needle(start, a)}
}

// needle is the pattern of something looked for anywhere: stars at its ends
// say nothing.
func (p *parser) needle(at int, a atom) string {
	ts := tokens(a.pattern)
	for len(ts) > 0 && ts[0].any {
		ts = ts[1:]
	}
	for len(ts) > 0 && ts[len(ts)-1].any {
		ts = ts[:len(ts)-1]
	}
	if len(ts) == 0 {
		p.fail(at, "nothing to look for")
	}
	p.bound(at, ts)
	return pattern(ts)
}

func (p *parser) bound(at int, ts []token) {
	wild := 0
	for _, t := range ts {
		if t.any || t.one {
			wild++
		}
	}
	if len(ts) > maxPattern || wild > maxWildcards {
		p.fail(at, "a pattern has at most %d characters and %d wildcards", maxPattern, maxWildcards)
	}
}

// path reads ".a.b" or `."a.b"` behind raw, from byte at on; end is where the
// colon is, or 0 if this is no field at all.
func (p *parser) path(at int) (path []string, end int) {
	for at < len(p.in) && p.in[at] == '.' {
		at++
		if at < len(p.in) && p.in[at] == '"' {
			outer := p.at
			p.at = at
			a := p.atom("")
			at, p.at = p.at, outer
			path = append(path, a.text)
			continue
		}
		n := strings.IndexFunc(p.in[at:], func(r rune) bool { return !plainKey(r) })
		if n <= 0 {
			return nil, 0
		}
		path = append(path, p.in[at:at+n])
		at += n
	}
	if at == len(p.in) || p.in[at] != ':' || len(path) == 0 {
		return nil, 0
	}
	return path, at
}

func plainKey(r rune) bool {
	return r == '_' || r == '-' || r == '$' || r == '@' || r == '/' || unicode.IsLetter(r) || unicode.IsDigit(r)
}

// fieldName is the text of a path into raw.
func fieldName(path []string) string {
	var b strings.Builder
	b.WriteString("raw")
	for _, key := range path {
		b.WriteByte('.')
		if key != "" && strings.IndexFunc(key, func(r rune) bool { return !plainKey(r) }) < 0 {
			b.WriteString(key)
			continue
		}
		b.WriteString(`"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(key) + `"`)
	}
	return b.String()
}

// field reads the value behind "name:", which starts at p.at.
func (p *parser) field(name string, path []string) Expr {
	start := p.at
	c, ok := p.table.Lookup(name)
	if !ok {
		p.fail(start, "there is no field %q%s; to search for this text, quote it", name, p.table.nearest(name))
	}
	p.at += len(name) + 1
	field := c.Name
	if path != nil {
		field = fieldName(path)
	}
	r, _ := utf8.DecodeRuneInString(p.in[p.at:])
	if p.at == len(p.in) || r == ')' || isSpace(r) {
		p.fail(p.at, "a value is missing behind %q (no space comes between)", name+":")
	}
	if r == '(' {
		p.enter()
		defer func() { p.depth-- }()
		return p.group(c, field)
	}
	return p.value(c, field)
}

// value reads one value with its operator.
func (p *parser) value(c *Spec, field string) Expr {
	p.count()
	start := p.at
	if b := p.peek(); (b == '[' || b == '{') && (c.ordered() || isPath(field)) {
		return p.span(c, field)
	}
	op := ""
	for _, o := range []string{"<=", ">=", "<", ">", "~"} {
		if strings.HasPrefix(p.in[p.at:], o) {
			op = o
			p.at += len(o)
			break
		}
	}
	a := p.atom("")
	p.boundary()
	switch op {
	case "":
		return p.equal(c, field, a)
	case "~":
		if t := c.Type; t.ordered() || t == Bool || t == UUID {
			p.fail(start, `"~" looks for text; %s is of type %s`, field, t)
		}
		return Has{field, p.needle(start, a)}
	}
	return p.compare(c, field, map[string]Op{"<": Lt, "<=": Le, ">": Gt, ">=": Ge}[op], a)
}

// span reads [a TO b], {a TO b}; * leaves an end open.
func (p *parser) span(c *Spec, field string) Expr {
	open := p.at
	lowOp := Ge
	if p.peek() == '{' {
		lowOp = Gt
	}
	p.at++
	p.space()
	lo := p.atom("]}")
	p.space()
	if !p.keyword("to") {
		p.fail(p.at, `a range is written [a TO b]`)
	}
	hi := p.atom("]}")
	p.space()
	highOp := Le
	switch p.peek() {
	case ']':
	case '}':
		highOp = Lt
	default:
		p.fail(open, "the range is never closed")
	}
	p.at++
	p.boundary()
	var xs []Expr
	if lo.quoted || lo.pattern != "*" {
		xs = append(xs, p.compare(c, field, lowOp, lo))
	}
	if hi.quoted || hi.pattern != "*" {
		xs = append(xs, p.compare(c, field, highOp, hi))
	}
	switch len(xs) {
	case 0:
		return Exists{field}
	case 1:
		return xs[0]
	}
	return And{xs}
}

// atom is one value as written.
type atom struct {
	at      int
	text    string // escapes undone
	pattern string // with escapes of wildcards kept
	quoted  bool
	wild    bool // has * or ?
}

// atom reads quoted text, or bare text up to space, a parenthesis, a quote or
// one of stop.
func (p *parser) atom(stop string) atom {
	if p.peek() == '"' {
		return p.phrase()
	}
	a := atom{at: p.at}
	var text strings.Builder
	var ts []token
	for p.at < len(p.in) {
		r, n := utf8.DecodeRuneInString(p.in[p.at:])
		if isSpace(r) || r == '(' || r == ')' || r == '"' || strings.ContainsRune(stop, r) {
			break
		}
		p.at += n
		switch r {
		case '*', '?':
			a.wild = true
			ts = append(ts, token{any: r == '*', one: r == '?'})
		case '\\':
			if p.at == len(p.in) {
				p.fail(p.at-1, `"\" takes the meaning of the character behind it, and there is none`)
			}
			r, n = utf8.DecodeRuneInString(p.in[p.at:])
			p.at += n
			fallthrough
		default:
			ts = append(ts, token{lit: r})
		}
		text.WriteRune(r)
	}
	if p.at == a.at {
		p.fail(p.at, "a value is missing here")
	}
	a.text, a.pattern = text.String(), pattern(tokens(pattern(ts)))
	return a
}

func (p *parser) phrase() atom {
	a := atom{at: p.at, quoted: true}
	var b strings.Builder
	for i := p.at + 1; i < len(p.in); i++ {
		switch ch := p.in[i]; {
		case ch == '"':
			p.at = i + 1
			a.text = b.String()
			a.pattern = Escape(a.text)
			return a
		case ch == '\\' && i+1 < len(p.in) && (p.in[i+1] == '"' || p.in[i+1] == '\\'):
			i++
			b.WriteByte(p.in[i])
		default:
			b.WriteByte(ch)
		}
	}
	p.fail(p.at, "the quote is never closed")
	return a
}

// equal is what field:value means for the type of the column.
func (p *parser) equal(c *Spec, field string, a atom) Expr {
	if !a.quoted && a.pattern == "*" {
		return Exists{field}
	}
	if a.wild {
		p.bound(a.at, tokens(a.pattern))
		switch c.Type {
		case Int, Float, Bool, Time:
			p.fail(a.at, "%s is of type %s and takes no wildcards; compare with < and >", field, c.Type)
		case Enum, UUID:
			return Like{field, lowerText(a.pattern)}
		}
		return Like{field, a.pattern}
	}
	switch c.Type {
	case Addr:
		if !a.quoted && strings.Contains(a.text, "/") {
			prefix, err := netip.ParsePrefix(a.text)
			if err != nil {
				p.fail(a.at, "%q is not a network such as 10.0.0.0/8", a.text)
			}
			return CIDR{field, prefix.Masked()}
		}
	case Time:
		from, to := p.time(a)
		return And{[]Expr{Cmp{field, Ge, from}, Cmp{field, Lt, to}}}
	case Text, List, JSON:
		return Eq{field, a.text}
	}
	return Eq{field, p.scalar(c, field, a)}
}

// compare is what field:>value means. A time means all of its day, hour or
// second, so that "after the day" starts where the day ends.
func (p *parser) compare(c *Spec, field string, op Op, a atom) Expr {
	if a.wild {
		p.fail(a.at, "wildcards have no order")
	}
	if isPath(field) {
		f, err := strconv.ParseFloat(a.text, 64)
		if err != nil || f-f != 0 {
			p.fail(a.at, "%q is not a number", a.text)
		}
		return Cmp{field, op, f}
	}
	if !c.ordered() {
		p.fail(a.at, "%s is of type %s, which has no order", field, c.Type)
	}
	if c.Type == Time {
		from, to := p.time(a)
		switch op {
		case Lt:
			return Cmp{field, Lt, from}
		case Le:
			return Cmp{field, Lt, to}
		case Gt:
			return Cmp{field, Ge, to}
		}
		return Cmp{field, Ge, from}
	}
	return Cmp{field, op, p.scalar(c, field, a)}
}

// scalar reads a value of the column's Go type.
func (p *parser) scalar(c *Spec, field string, a atom) any {
	switch c.Type {
	case Enum:
		v := lowerText(a.text)
		for _, known := range c.Values {
			if v == known {
				return v
			}
		}
		if v != "" {
			p.fail(a.at, "%s is never %q; it is one of %s", field, a.text, strings.Join(c.Values, ", "))
		}
		return v
	case Int:
		n, err := strconv.ParseInt(a.text, 10, 64)
		if err != nil {
			p.fail(a.at, "%s takes a whole number, not %q", field, a.text)
		}
		return n
	case Float:
		f, err := strconv.ParseFloat(a.text, 32)
		if err != nil || f-f != 0 {
			p.fail(a.at, "%s takes a number, not %q", field, a.text)
		}
		return float32(f)
	case Bool:
		switch lowerText(a.text) {
		case "true", "yes":
			return true
		case "false", "no":
			return false
		}
		p.fail(a.at, "%s takes true or false, not %q", field, a.text)
	case UUID:
		u, ok := event.ParseUID(a.text)
		if !ok {
			p.fail(a.at, "%s takes a UUID or a part of one with *, not %q", field, a.text)
		}
		return u
	}
	return a.text
}

func (p *parser) time(a atom) (from, to time.Time) {
	from, to, why := period(a.text, p.now)
	if why != "" {
		p.fail(a.at, "%s", why)
	}
	return from, to
}
