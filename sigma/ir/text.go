package ir

import (
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/yagura-sec/yagura/sigma"
)

// Text is a value of a rule taken apart, for whoever rewrites rules.
type Text []TextPart

// TextPart is a stretch of plain text, a wildcard, or a placeholder.
type TextPart struct {
	Kind TextKind
	Text string // plain text without escapes, or the name of a placeholder
}

// TextKind is what a part of a text is.
type TextKind uint8

// The kinds.
const (
	Plain       TextKind = iota
	Any                  // *
	One                  // ?
	Placeholder          // %name%
)

// textKinds gives the kinds of tokens as others see them.
var textKinds = map[tokenKind]TextKind{literal: Plain, anyText: Any, anyRune: One, placeholder: Placeholder}

// ParseText reads a value as rules write it. Only where expand is among the
// modifiers of its item are placeholders told from text.
func ParseText(s string, expand bool) Text {
	var out Text
	for _, t := range parsePattern(s, expand) {
		out = append(out, TextPart{textKinds[t.kind], t.text})
	}
	return out
}

// Format writes the text with no more escapes than ParseText needs to read it
// again.
func (x Text) Format(expand bool) string {
	special := `*?\`
	if expand {
		special += "%"
	}
	var b strings.Builder
	slash := false // a backslash that may have to be escaped was just written
	write := func(s string) {
		if slash && s != "" && strings.IndexByte(special, s[0]) >= 0 {
			b.WriteByte('\\')
		}
		slash = false
		b.WriteString(s)
	}
	for _, p := range x {
		switch p.Kind {
		case Any:
			write("*")
		case One:
			write("?")
		case Placeholder:
			write("%" + p.Text + "%")
		default:
			for i := range len(p.Text) {
				switch c := p.Text[i]; {
				case c == '\\':
					write(`\`)
					slash = true
				case strings.IndexByte(special, c) >= 0:
					write(`\` + string(c))
				default:
					write(p.Text[i : i+1])
				}
			}
		}
	}
	return b.String()
}

// HasPlaceholder tells whether x holds a placeholder.
func (x Text) HasPlaceholder() bool {
	return slices.ContainsFunc(x, func(p TextPart) bool { return p.Kind == Placeholder })
}

// Wild tells whether x holds a wildcard.
func (x Text) Wild() bool {
	return slices.ContainsFunc(x, func(p TextPart) bool { return p.Kind == Any || p.Kind == One })
}

// lists is what may stand beside any modifier without changing values.
var lists = []string{"all", "neq", "cased"}

// Worked gives it with the modifiers that change texts worked into its values:
// f|contains: x becomes f: '*x*'. Left among the modifiers are all, neq, cased
// and expand. False: the item has values of another type (re, cidr, lt, …), or
// such as unfold into several (windash, base64offset).
func Worked(it sigma.Item) (sigma.Item, bool) {
	m, err := parseModifiers(it.Modifiers)
	if err != nil || m.kind != "" || len(it.Parts) > 0 ||
		slices.Contains(m.steps, "windash") || slices.Contains(m.steps, "base64offset") {
		return it, false
	}
	if len(m.steps) == 0 {
		return it, true
	}
	values := slices.Clone(it.Values)
	for i, v := range values {
		if v.Kind == sigma.Null {
			return it, false
		}
		p := plain(v.Text)
		if v.Kind == sigma.String {
			p = parsePattern(v.Text, m.expand)
		}
		for _, name := range m.steps {
			some, err := steps[name](p)
			if err != nil || len(some) != 1 {
				return it, false
			}
			p = some[0]
		}
		var x Text
		for _, t := range p {
			x = append(x, TextPart{textKinds[t.kind], t.text})
		}
		values[i].Kind, values[i].Text = sigma.String, x.Format(m.expand)
	}
	it.Values = values
	it.Modifiers = slices.DeleteFunc(slices.Clone(it.Modifiers), func(name string) bool {
		return name != "expand" && !slices.Contains(lists, name)
	})
	return it, true
}

// placeholderName is how placeholders may be called.
const placeholderName = `[\w\pL](?:[\w\pL.-]*[\w\pL])?`

var (
	isName = regexp.MustCompile(`\A` + placeholderName + `\z`)
	// inRegex finds a placeholder in an expression, or an escaped character,
	// which begins none.
	inRegex = regexp.MustCompile(`\\.|%` + placeholderName + `%`)
)

func isPlaceholder(name string) bool { return isName.MatchString(name) }

// ExpandRegex gives a regular expression with its placeholders replaced: each by
// what values says of its name, as text in which only the wildcards * and ? mean
// more than themselves. A name of which values says no is left as it is. Found
// tells whether the expression holds a placeholder at all.
func ExpandRegex(text string, values func(name string) ([]string, bool)) (expanded string, found bool, err error) {
	expanded = inRegex.ReplaceAllStringFunc(text, func(s string) string {
		if s[0] == '\\' {
			return s
		}
		found = true
		some, ok := values(s[1 : len(s)-1])
		if !ok {
			return s
		}
		var all []string
		for _, v := range some {
			all = append(all, asRegex(ParseText(v, false)))
		}
		return "(?:" + strings.Join(all, "|") + ")"
	})
	if len(expanded) > maxRegex {
		return "", found, errors.New("placeholders make the expression longer than 1 MiB")
	}
	return expanded, found, nil
}

// maxRegex bounds an expression with its placeholders replaced, in bytes.
const maxRegex = 1 << 20

// asRegex is the expression that says the same as x.
func asRegex(x Text) string {
	var b strings.Builder
	for _, p := range x {
		switch p.Kind {
		case Any:
			b.WriteString(".*")
		case One:
			b.WriteString(".")
		default:
			b.WriteString(regexp.QuoteMeta(p.Text))
		}
	}
	return b.String()
}

// Regex is the expression that matches what x does: the whole of a value.
func (x Text) Regex() string { return `\A(?s:` + asRegex(x) + `)\z` }
