package sqlgen

import (
	"fmt"
	"regexp/syntax"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/yagura-sec/yagura/sigma/ir"
)

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// globExpr is a Glob as an expression for the whole of a text: with orbits for
// a text as it is, else for one that is folded already. False: it holds text
// that no folded ASCII text has.
func globExpr(a *ir.Atom, orbits bool) (string, bool) {
	var b strings.Builder
	b.WriteString(`(?s)^`)
	for _, p := range a.Glob() {
		switch {
		case p.Any:
			b.WriteString(".*")
		case p.One:
			b.WriteByte('.')
		case orbits:
			b.WriteString(textExpr(p.Text, !a.Cased))
		case !ascii(p.Text):
			return "", false
		default:
			b.WriteString(textExpr(p.Text, false))
		}
	}
	b.WriteByte('$')
	return b.String(), true
}

// textExpr is an expression for a text: as it is, or folded, of each character
// with all that are the same by simple folding. The characters are listed, so
// that it does not matter which version of Unicode an engine knows.
func textExpr(s string, folded bool) string {
	var b strings.Builder
	for _, r := range s {
		orbit := []rune{r}
		if folded {
			for x := unicode.SimpleFold(r); x != r; x = unicode.SimpleFold(x) {
				orbit = append(orbit, x)
			}
		}
		if len(orbit) == 1 {
			b.WriteString(runeExpr(r))
			continue
		}
		b.WriteByte('[')
		for _, x := range orbit {
			b.WriteString(runeExpr(x))
		}
		b.WriteByte(']')
	}
	return b.String()
}

func runeExpr(r rune) string {
	switch {
	case 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9':
		return string(r)
	case r > ' ' && r < 0x7f:
		return `\` + string(r)
	}
	return fmt.Sprintf(`\x{%x}`, r)
}

// maxExpr bounds the length of an expression that is handed to an engine.
const maxExpr = 4 << 10

// portable writes an expression of Go's so that RE2 reads it as Go does: without
// names of groups and of Unicode's classes, which the two know in different
// versions.
func portable(expr string) (string, bool) {
	re, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return "", false
	}
	nameless(re)
	out := re.String()
	if len(out) > maxExpr {
		return "", false
	}
	return out, true
}

func nameless(re *syntax.Regexp) {
	re.Name = ""
	for _, x := range re.Sub {
		nameless(x)
	}
}
