package ir

import (
	"strings"
	"unicode/utf8"
)

// token is a part of a pattern: text, a wildcard, or the name of a placeholder.
type token struct {
	kind tokenKind
	text string
}

type tokenKind uint8

const (
	literal     tokenKind = iota
	anyText               // *
	anyRune               // ?
	placeholder           // %name%, only where expand is asked for
)

// pattern is a value of a rule with its wildcards told apart from its text.
type pattern []token

// plain is a pattern without wildcards.
func plain(s string) pattern { return pattern{{literal, s}} }

// parsePattern reads a value by the escaping rules of the specification: a
// backslash escapes a wildcard or a backslash and stands for itself before
// anything else.
func parsePattern(s string, expand bool) pattern {
	var p pattern
	var lit strings.Builder
	flush := func() {
		if lit.Len() > 0 {
			p = append(p, token{literal, lit.String()})
			lit.Reset()
		}
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s) && (strings.IndexByte(`*?\`, s[i+1]) >= 0 || expand && s[i+1] == '%'):
			i++
			lit.WriteByte(s[i])
		case c == '*':
			flush()
			if n := len(p); n == 0 || p[n-1].kind != anyText {
				p = append(p, token{anyText, ""})
			}
		case c == '?':
			flush()
			p = append(p, token{anyRune, ""})
		case c == '%' && expand:
			name, _, found := strings.Cut(s[i+1:], "%")
			if !found || !isPlaceholder(name) {
				lit.WriteByte(c)
				continue
			}
			flush()
			p = append(p, token{placeholder, name})
			i += len(name) + 1
		default:
			lit.WriteByte(c)
		}
	}
	flush()
	return p
}

// wild tells whether p holds a wildcard.
func (p pattern) wild() bool {
	for _, t := range p {
		if t.kind == anyText || t.kind == anyRune {
			return true
		}
	}
	return false
}

// literal is the text of a pattern without wildcards.
func (p pattern) literal() string {
	var b strings.Builder
	for _, t := range p {
		b.WriteString(t.text)
	}
	return b.String()
}

// maps applies f to the text of p.
func (p pattern) maps(f func(string) string) pattern {
	out := make(pattern, len(p))
	for i, t := range p {
		if t.kind == literal {
			t.text = f(t.text)
		}
		out[i] = t
	}
	return out
}

func (p pattern) startsWild() bool { return len(p) > 0 && p[0].kind == anyText }
func (p pattern) endsWild() bool   { return len(p) > 0 && p[len(p)-1].kind == anyText }

// open adds a wildcard in front, behind, or both, where there is none.
func (p pattern) open(front, behind bool) pattern {
	var out pattern
	if front && !p.startsWild() {
		out = append(out, token{anyText, ""})
	}
	out = append(out, p...)
	if behind && !out.endsWild() {
		out = append(out, token{anyText, ""})
	}
	return out
}

// classify gives the cheapest operator that means p, and its text.
func (p pattern) classify() (Op, string) {
	inner := p
	front, behind := p.startsWild(), p.endsWild()
	if front {
		inner = inner[1:]
	}
	if behind && len(inner) > 0 {
		inner = inner[:len(inner)-1]
	}
	switch {
	case inner.wild():
		return Glob, ""
	case front && behind, front && len(inner) == 0:
		return Contains, inner.literal()
	case front:
		return Suffix, inner.literal()
	case behind:
		return Prefix, inner.literal()
	}
	return Eq, inner.literal()
}

// written is p as the specification would write it: the identity of a glob.
func (p pattern) written() string {
	var b strings.Builder
	for _, t := range p {
		switch t.kind {
		case anyText:
			b.WriteByte('*')
		case anyRune:
			b.WriteByte('?')
		default:
			for i := 0; i < len(t.text); i++ {
				if strings.IndexByte(`*?\`, t.text[i]) >= 0 {
					b.WriteByte('\\')
				}
				b.WriteByte(t.text[i])
			}
		}
	}
	return b.String()
}

// match tells whether p is the whole of s. Text before the last * that was met
// never needs to be looked at again, so going back to that one is enough.
func (p pattern) match(s []byte) bool {
	at, i := 0, 0
	star, resume := -1, 0
	for {
		if at < len(p) {
			switch t := &p[at]; t.kind {
			case anyText:
				star, resume = at, i
				at++
				continue
			case anyRune:
				if i < len(s) {
					i += width(s[i:])
					at++
					continue
				}
			default:
				if n := len(t.text); n <= len(s)-i && string(s[i:i+n]) == t.text {
					i += len(t.text)
					at++
					continue
				}
			}
		} else if i == len(s) {
			return true
		}
		if star < 0 || resume >= len(s) {
			return false
		}
		resume += width(s[resume:])
		at, i = star+1, resume
	}
}

// width is how long the first character of s is.
func width(s []byte) int {
	if s[0] < utf8.RuneSelf {
		return 1
	}
	_, size := utf8.DecodeRune(s)
	return size
}

// ones is how many ? at most stand behind one *, before the next.
func (p pattern) ones() int {
	most, n, behind := 0, 0, false
	for _, t := range p {
		switch {
		case t.kind == anyText:
			n, behind = 0, true
		case t.kind == anyRune && behind:
			n++
			most = max(most, n)
		}
	}
	return most
}
