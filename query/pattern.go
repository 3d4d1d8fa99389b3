package query

import (
	"strings"
	"unicode/utf8"
)

// token is one element of a pattern.
type token struct {
	lit rune
	one bool // ?
	any bool // *
}

// tokens takes a pattern apart; neighbouring stars become one.
func tokens(p string) []token {
	var out []token
	esc := false
	for _, r := range p {
		switch {
		case esc:
			out, esc = append(out, token{lit: r}), false
		case r == '\\':
			esc = true
		case r == '?':
			out = append(out, token{one: true})
		case r == '*':
			if n := len(out); n == 0 || !out[n-1].any {
				out = append(out, token{any: true})
			}
		default:
			out = append(out, token{lit: r})
		}
	}
	if esc { // a lone backslash at the end stands for itself
		out = append(out, token{lit: '\\'})
	}
	return out
}

// pattern is the text form of tokens.
func pattern(ts []token) string {
	var b strings.Builder
	for _, t := range ts {
		switch {
		case t.any:
			b.WriteByte('*')
		case t.one:
			b.WriteByte('?')
		default:
			if t.lit == '*' || t.lit == '?' || t.lit == '\\' {
				b.WriteByte('\\')
			}
			b.WriteRune(t.lit)
		}
	}
	return b.String()
}

// Escape makes a pattern that stands for exactly s.
func Escape(s string) string {
	if !strings.ContainsAny(s, `*?\`) {
		return s
	}
	return strings.NewReplacer(`*`, `\*`, `?`, `\?`, `\`, `\\`).Replace(s)
}

// literal is the text a pattern without wildcards stands for.
func literal(p string) (string, bool) {
	if !strings.ContainsAny(p, `*?\`) {
		return p, true
	}
	var b strings.Builder
	for _, t := range tokens(p) {
		if t.any || t.one {
			return "", false
		}
		b.WriteRune(t.lit)
	}
	return b.String(), true
}

// glob tells whether the pattern covers the whole of s; with fold, A-Z and a-z
// are the same. It takes O(len(s) × len(ts)) at worst, whatever the pattern.
func glob(ts []token, s string, fold bool) bool {
	back, mark := -1, 0 // the last star, and where its run ends in s
	i, k := 0, 0
	for i < len(s) {
		if k < len(ts) && ts[k].any {
			back, mark = k, i
			k++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if k < len(ts) && (ts[k].one || same(ts[k].lit, r, fold)) {
			i, k = i+n, k+1
			continue
		}
		if back < 0 {
			return false
		}
		_, n = utf8.DecodeRuneInString(s[mark:])
		mark += n
		i, k = mark, back+1
	}
	for k < len(ts) && ts[k].any {
		k++
	}
	return k == len(ts)
}

func same(a, b rune, fold bool) bool {
	return a == b || fold && a < 0x80 && b < 0x80 && lower(byte(a)) == lower(byte(b))
}

// lower is the folding of the language: A-Z only, so that Go, SQL engines and
// people agree about it exactly.
func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

func lowerText(s string) string {
	for i := 0; i < len(s); i++ {
		if s[i] != lower(s[i]) {
			b := []byte(s)
			for j := range b {
				b[j] = lower(b[j])
			}
			return string(b)
		}
	}
	return s
}

// found tells whether the pattern is found anywhere in s, ignoring case.
func found(p, s string) bool {
	if lit, ok := literal(p); ok {
		return containsFold(s, lit)
	}
	ts := tokens(p)
	around := make([]token, 0, len(ts)+2)
	if !ts[0].any {
		around = append(around, token{any: true})
	}
	around = append(around, ts...)
	if !ts[len(ts)-1].any {
		around = append(around, token{any: true})
	}
	return glob(around, s, true)
}

func containsFold(s, needle string) bool {
	if needle == "" {
		return true
	}
	lo := lower(needle[0])
	up := lo
	if 'a' <= lo && lo <= 'z' {
		up = lo - 'a' + 'A'
	}
	for end := len(s) - len(needle); ; {
		i := strings.IndexByte(s, lo)
		if up != lo {
			limit := s
			if i >= 0 {
				limit = s[:i]
			}
			if j := strings.IndexByte(limit, up); j >= 0 {
				i = j
			}
		}
		if i < 0 || i > end {
			return false
		}
		if equalFold(s[i:i+len(needle)], needle) {
			return true
		}
		s = s[i+1:]
		end -= i + 1
	}
}

func equalFold(a, b string) bool {
	for i := 0; i < len(a); i++ {
		if a[i] != b[i] && lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}
