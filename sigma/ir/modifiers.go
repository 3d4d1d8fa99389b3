package ir

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/yagura-sec/yagura/sigma"
)

// modifiers is the chain of an item, taken apart.
type modifiers struct {
	all, neq, cased, expand bool

	kind  string   // what type the values have: "", re, cidr, exists, fieldref, number, time
	flags string   // of re
	cmp   Cmp      // of number and time
	part  Part     // of time
	where Op       // of fieldref and re: Eq says nothing
	steps []string // what changes texts, in order
}

var comparisons = map[string]Cmp{"lt": Less, "lte": LessOrEqual, "gt": Greater, "gte": GreaterOrEqual}

var parts = map[string]Part{"minute": Minute, "hour": Hour, "day": Day, "week": Week, "month": Month, "year": Year}

// steps change a text into the texts to look for.
var steps = map[string]func(pattern) ([]pattern, error){
	"contains":     func(p pattern) ([]pattern, error) { return []pattern{p.open(true, true)}, nil },
	"startswith":   func(p pattern) ([]pattern, error) { return []pattern{p.open(false, true)}, nil },
	"endswith":     func(p pattern) ([]pattern, error) { return []pattern{p.open(true, false)}, nil },
	"windash":      windash,
	"base64":       encode(func(s string) []string { return []string{base64.StdEncoding.EncodeToString([]byte(s))} }),
	"base64offset": encode(base64Offsets),
	"utf16le":      wide(binary.LittleEndian, false),
	"wide":         wide(binary.LittleEndian, false),
	"utf16be":      wide(binary.BigEndian, false),
	"utf16":        wide(binary.LittleEndian, true),
}

// together says which modifiers may stand beside one that types its values.
var together = map[string][]string{
	"re":       {"i", "m", "s", "ignorecase", "multiline", "dotall", "startswith", "endswith", "contains", "expand", "all", "neq", "cased"},
	"cidr":     {"all", "neq", "expand"},
	"exists":   {},
	"fieldref": {"startswith", "endswith", "contains", "all", "neq", "cased"},
	"number":   {"all", "neq"},
	"time":     {"lt", "lte", "gt", "gte", "all", "neq"},
}

func parseModifiers(names []string) (modifiers, error) {
	var m modifiers
	first := "" // what typed the values
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			return m, fmt.Errorf("modifier %s is given twice", name)
		}
		kind, err := m.take(name)
		if err != nil {
			return m, err
		}
		if kind == "" {
			continue
		}
		if m.kind != "" {
			return m, fmt.Errorf("modifiers %s and %s do not go together", first, name)
		}
		m.kind, first = kind, name
	}
	if m.kind == "" {
		return m, nil
	}
	for i, name := range names {
		if name != first && !slices.Contains(together[m.kind], name) {
			return m, fmt.Errorf("modifiers %s and %s do not go together", first, name)
		}
		if m.kind == "re" && !slices.Contains(lists, name) && i < slices.Index(names, "re") {
			return m, fmt.Errorf("modifier re has to stand before %s: it takes the value as it is written", name)
		}
	}
	if m.kind == "fieldref" || m.kind == "re" {
		return m, m.takeWhere()
	}
	return m, nil
}

// flags are the modifiers of re, with the names that pySigma knows them by too.
var flags = map[string]string{"i": "i", "m": "m", "s": "s", "ignorecase": "i", "multiline": "m", "dotall": "s"}

// take notes one modifier and gives the type it asks of values, if it does.
func (m *modifiers) take(name string) (kind string, err error) {
	switch name {
	case "all":
		m.all = true
		return "", nil
	case "neq":
		m.neq = true
		return "", nil
	case "cased":
		m.cased = true
		return "", nil
	case "expand":
		m.expand = true
		return "", nil
	case "re", "cidr", "exists", "fieldref":
		return name, nil
	}
	if flag, ok := flags[name]; ok {
		if m.kind != "re" {
			return "", fmt.Errorf("modifier %s has to stand behind re", name)
		}
		m.flags += flag
		return "", nil
	}
	if cmp, ok := comparisons[name]; ok {
		if m.cmp != Equal {
			return "", errors.New("two comparisons are given")
		}
		m.cmp = cmp
		if m.kind == "time" { // "hour|gte"
			return "", nil
		}
		return "number", nil
	}
	if part, ok := parts[name]; ok {
		m.part = part
		if m.kind == "number" { // "gte|hour"
			m.kind = ""
		}
		return "time", nil
	}
	if steps[name] == nil {
		return "", fmt.Errorf("modifier %q is unknown", name)
	}
	m.steps = append(m.steps, name)
	return "", nil
}

// takeWhere reads where in a value the other field, or the match of an
// expression, has to stand.
func (m *modifiers) takeWhere() error {
	ops := map[string]Op{"startswith": Prefix, "endswith": Suffix, "contains": Contains}
	switch len(m.steps) {
	case 0:
	case 1:
		m.where = ops[m.steps[0]]
	default:
		return fmt.Errorf("modifiers %s do not go together", list(m.steps))
	}
	m.steps = nil
	return nil
}

// atoms is what one value of an item asks for: any of them.
func (c *compiler) atoms(it *sigma.Item, v sigma.Value, m modifiers) ([]Atom, error) {
	base := Atom{Field: it.Field, Cased: m.cased}
	if v.Kind == sigma.Null {
		if it.Field == "" || m.kind != "" || len(m.steps) > 0 || m.expand {
			return nil, errors.New("null goes with a field and no modifier but neq, all and cased")
		}
		return []Atom{{Field: it.Field, Op: IsNull}}, nil
	}
	switch m.kind {
	case "":
		return c.textAtoms(base, v, m)
	case "cidr":
		return c.cidrAtoms(base, v, m)
	case "re":
		a, err := c.regexAtom(base, v, m)
		return []Atom{a}, err
	}
	if it.Field == "" {
		return nil, fmt.Errorf("%s needs a field", list(it.Modifiers))
	}
	switch m.kind {
	case "exists":
		if v.Kind != sigma.Bool {
			return nil, fmt.Errorf("exists takes true or false, not %q", v.Text)
		}
		return []Atom{{Field: it.Field, Op: Exists}}, nil
	case "fieldref":
		if v.Kind != sigma.String || v.Text == "" {
			return nil, fmt.Errorf("fieldref takes the name of a field, not %q", v.Text)
		}
		base.Op, base.Ref, base.RefOp = FieldRef, v.Text, m.where
		return []Atom{base}, nil
	}
	n, ok := ParseDecimal(v.Text)
	if v.Kind != sigma.Number || !ok {
		return nil, fmt.Errorf("takes a number, not %q", v.Text)
	}
	base.Op, base.Cased, base.Number, base.Cmp = Compare, false, n, m.cmp
	if m.kind == "time" {
		base.Op, base.Part = TimePart, m.part
		if r := ranges[m.part]; m.cmp == Equal && (n.float < r.least || n.float > r.most || n.float != math.Trunc(n.float)) {
			return nil, fmt.Errorf("%s is never %s: it goes from %v to %v", r.name, v.Text, r.least, r.most)
		}
		if words, never := m.neverHolds(n.float); never {
			return nil, fmt.Errorf("%s is never %s %s: it goes from %v to %v", ranges[m.part].name, words, v.Text, ranges[m.part].least, ranges[m.part].most)
		}
	}
	return []Atom{base}, nil
}

// neverHolds tells whether no value of a part of a date compares with n as asked.
func (m *modifiers) neverHolds(n float64) (words string, never bool) {
	switch r := ranges[m.part]; m.cmp {
	case Less:
		return "less than", n <= r.least
	case LessOrEqual:
		return "at most", n < r.least
	case Greater:
		return "greater than", n >= r.most
	case GreaterOrEqual:
		return "at least", n > r.most
	}
	return "", false
}

// ranges are the values that the parts of a date take. The specification ends
// weeks at 52; ISO 8601 has a 53rd in some years.
var ranges = map[Part]struct {
	name        string
	least, most float64
}{
	Minute: {"minute", 0, 59}, Hour: {"hour", 0, 23}, Day: {"day", 1, 31},
	Week: {"week", 1, 53}, Month: {"month", 1, 12}, Year: {"year", 0, 9999},
}

func (c *compiler) textAtoms(base Atom, v sigma.Value, m modifiers) ([]Atom, error) {
	if v.Kind == sigma.Number && len(m.steps) == 0 && base.Field != "" {
		n, ok := ParseDecimal(v.Text)
		if !ok {
			return nil, fmt.Errorf("%q is no number", v.Text)
		}
		base.Op, base.Cased, base.Number = Compare, false, n
		return []Atom{base}, nil
	}
	found := []pattern{plain(v.Text)}
	if v.Kind == sigma.String {
		found[0] = parsePattern(v.Text, m.expand)
	}
	if m.expand {
		var err error
		if found, err = c.expand(found[0]); err != nil {
			return nil, err
		}
	}
	for _, name := range m.steps {
		var next []pattern
		size := 0
		for _, p := range found {
			some, err := steps[name](p)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			if next = append(next, some...); len(next) > maxExpansions {
				return nil, fmt.Errorf("%s: unfolds into more than %d values", name, maxExpansions)
			}
			if size += textOf(some); size > maxText {
				return nil, fmt.Errorf("%s: unfolds into more than %d bytes", name, maxText)
			}
		}
		found = next
	}
	var out []Atom
	for _, p := range found {
		if p.ones() > maxOnes {
			return nil, fmt.Errorf("holds more than %d question marks behind a *", maxOnes)
		}
		out = append(out, textAtom(base, p))
	}
	return out, nil
}

// textAtom is the atom that looks for p. A keyword may stand anywhere in a value.
func textAtom(a Atom, p pattern) Atom {
	if a.Field == "" {
		p = p.open(true, true)
	}
	if !a.Cased {
		p = p.maps(FoldString)
	}
	a.Op, a.Text = p.classify()
	if a.Op == Glob {
		a.glob = p
	}
	return a
}

func (c *compiler) cidrAtoms(base Atom, v sigma.Value, m modifiers) ([]Atom, error) {
	texts := []string{v.Text}
	if m.expand {
		found, err := c.expand(parsePattern(v.Text, true))
		if err != nil {
			return nil, err
		}
		texts = texts[:0]
		for _, p := range found {
			texts = append(texts, p.literal())
		}
	}
	var out []Atom
	for _, text := range texts {
		net, err := netip.ParsePrefix(text)
		if err != nil {
			addr, err := netip.ParseAddr(text)
			if err != nil {
				return nil, fmt.Errorf("%q is no network such as 10.0.0.0/8 or 2001:db8::/32", text)
			}
			net = netip.PrefixFrom(addr, addr.BitLen())
		}
		base.Op, base.Cased, base.Net = CIDR, false, net.Masked()
		out = append(out, base)
	}
	return out, nil
}

func (c *compiler) regexAtom(a Atom, v sigma.Value, m modifiers) (Atom, error) {
	text := v.Text
	if m.expand {
		missing := ""
		expanded, _, err := ExpandRegex(text, func(name string) ([]string, bool) {
			values := c.options.Placeholders[name]
			if len(values) == 0 {
				missing = name
			}
			return values, len(values) > 0
		})
		switch {
		case err != nil:
			return a, err
		case missing != "":
			return a, fmt.Errorf("placeholder %%%s%% has no values", missing)
		}
		text = expanded
	}
	if _, err := parseRegex(text); err != nil { // before it is wrapped, so that the message shows what was written
		return a, err
	}
	switch m.where {
	case Prefix:
		text = `\A(?:` + text + `)`
	case Suffix:
		text = `(?:` + text + `)\z`
	}
	if m.flags != "" {
		text = "(?" + m.flags + ")" + text
	}
	parsed, err := parseRegex(text)
	if err != nil {
		return a, err
	}
	if c.spent.program += instructions(parsed); c.spent.program > maxProgram {
		c.spent.over = true // before it is compiled, which is what takes the memory
		return a, fmt.Errorf("the rule's expressions, with repetitions such as {1,500} unfolded, have more than %d instructions", maxProgram)
	}
	re, err := regexp.Compile(text)
	if err != nil {
		return a, err
	}
	a.Op, a.Cased, a.regex = Regex, false, re
	return a, nil
}

// Dashes are the characters that windash takes for one another.
const dashes = "-/–—―"

// windash gives p with every dash at the start of a word in each of its forms.
func windash(p pattern) ([]pattern, error) {
	out := []pattern{nil}
	for _, t := range p {
		texts := []string{t.text}
		if t.kind == literal {
			if texts = dashed(t.text); texts == nil {
				return nil, errors.New("holds too many dashes")
			}
		}
		if len(out)*len(texts) > maxExpansions || textOf(out)*len(texts) > maxText {
			return nil, errors.New("holds too many dashes")
		}
		var next []pattern
		for _, head := range out {
			for _, text := range texts {
				next = append(next, append(head[:len(head):len(head)], token{t.kind, text}))
			}
		}
		out = next
	}
	return out, nil
}

// dashed gives the forms of s, or nil if they are too many.
func dashed(s string) []string {
	out := []string{""}
	before := rune(' ')
	for i, r := range s {
		_, size := utf8.DecodeRuneInString(s[i:])
		after, _ := utf8.DecodeRuneInString(s[i+size:])
		if !strings.ContainsRune(dashes, r) || isWord(before) || !isWord(after) {
			for k := range out {
				out[k] += s[i : i+size]
			}
			before = r
			continue
		}
		if len(out)*5 > maxExpansions || len(out)*5*len(s) > maxText {
			return nil
		}
		var next []string
		for _, head := range out {
			for _, d := range dashes {
				next = append(next, head+string(d))
			}
		}
		out, before = next, r
	}
	return out
}

func isWord(r rune) bool {
	return r != utf8.RuneError && (r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r))
}

// encode is a step that works on text without wildcards.
func encode(f func(string) []string) func(pattern) ([]pattern, error) {
	return func(p pattern) ([]pattern, error) {
		if p.wild() {
			return nil, errors.New("a wildcard cannot be encoded")
		}
		var out []pattern
		for _, s := range f(p.literal()) {
			out = append(out, plain(s))
		}
		return out, nil
	}
}

// base64Offsets gives what stays of s in Base64 when it begins at the first,
// second or third byte of a group, without the characters its neighbours change.
func base64Offsets(s string) []string {
	var out []string
	for i := range 3 {
		enc := base64.StdEncoding.EncodeToString([]byte(strings.Repeat(" ", i) + s))
		start := []int{0, 2, 3}[i]
		end := len(enc) - []int{0, 3, 2}[(len(s)+i)%3]
		if start < end {
			out = append(out, enc[start:end])
		}
	}
	return out
}

// wide is a step that encodes text as UTF-16, byte by byte.
func wide(order binary.AppendByteOrder, mark bool) func(pattern) ([]pattern, error) {
	return func(p pattern) ([]pattern, error) {
		first := mark
		return []pattern{p.maps(func(s string) string {
			var b []byte
			if first {
				b = order.AppendUint16(b, 0xfeff)
				first = false
			}
			for _, u := range utf16.Encode([]rune(s)) {
				b = order.AppendUint16(b, u)
			}
			return string(b)
		})}, nil
	}
}
