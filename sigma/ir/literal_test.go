package ir

import (
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestLiterals(t *testing.T) {
	f := func(expr string, want ...string) {
		t.Helper()
		a := Atom{Op: Regex, regex: regexp.MustCompile(expr)}
		got, ok := a.Literals()
		if ok != (len(want) > 0) || !slices.Equal(got, want) {
			t.Errorf("%s: %q", expr, got)
		}
	}
	f(`abc`, "abc")
	f(`^ABC$`, "abc")
	f(`(?i)k9`, "k9")
	f(`[kK\x{212A}]ey`, "key")
	f(`a+bcd?`, "bc")
	f(`(?:foo|quux)[0-9]+`, "foo", "quux")
	f(`(?:foo|quux)[0-9]+longer`, "longer")
	f(`x(abc){2,}y`, "abc")
	f(`(abc)*`)
	f(`a|b*`)
	f(`.*`)
	f(``)
	f(`ab\x{FFFD}c`, "ab")
	f(`\bword\b`, "word")
	glob := func(text string, want ...string) {
		t.Helper()
		a := Atom{Op: Glob, glob: parsePattern(text, false).maps(FoldString)}
		if got, _ := a.Literals(); !slices.Equal(got, want) {
			t.Errorf("%s: %q", text, got)
		}
	}
	glob(`a?BCD*e`, "bcd")
	glob(`?`)
}

// Whatever an expression matches holds one of its literals.
func TestLiteralsAreRequired(t *testing.T) {
	r := rand.New(rand.NewPCG(17, 19))
	parts := []string{"a", "ab", "B", "k", "K", "ſ", "s", "é", "É", `\.`, ".", "[ab]", "[^a]", "[kK]", "(", ")", "|", "*", "+", "?", "{2}", "{0,1}", "^", "$", "(?i)", `\b`, "ß", "İ", `\x{FFFD}`}
	letters := []string{"a", "A", "b", "B", "ab", "k", "K", "\u212a", "s", "ſ", "S", "é", "É", ".", "ß", "İ", "\xff", "\uFFFD"}
	join := func(from []string, n int) string {
		var b strings.Builder
		for range n {
			b.WriteString(from[r.IntN(len(from))])
		}
		return b.String()
	}
	matched := 0
	for range 30_000 {
		re, err := regexp.Compile(join(parts, 1+r.IntN(8)))
		if err != nil {
			continue
		}
		a := Atom{Op: Regex, regex: re}
		literals, ok := a.Literals()
		if !ok {
			continue
		}
		for range 10 {
			text := join(letters, r.IntN(8))
			if !re.MatchString(text) {
				continue
			}
			matched++
			folded := FoldString(text)
			if !slices.ContainsFunc(literals, func(l string) bool { return l != "" && strings.Contains(folded, l) }) {
				t.Fatalf("%s matches %q, which holds none of %q", re, text, literals)
			}
		}
	}
	if matched < 5_000 {
		t.Errorf("only %d matches", matched)
	}
}

// Numbers that compare equal are read as the same.
func TestNumbersOfValues(t *testing.T) {
	texts := []string{"0", "-0", "0.0", "1", "1.0", "10e-1", "42", "4.2e1", "-7", "9007199254740993", "9007199254740992", "1e400", "2e400", "-1e400",
		"123456789012345", "1234567890123456", "1e-400", "007", "1x", "", "-", "1e", "x"}
	for _, x := range texts {
		v := Value{Kind: String, Text: []byte(x)}
		n, ok := NumberOf(&v)
		if ok != isNumber([]byte(x)) {
			t.Errorf("%q is a number: %v", x, ok)
		}
		for _, y := range texts {
			if d, is := ParseDecimal(y); is && ok {
				if order, _ := d.compare(v.Text); order == 0 && d.Float() != n {
					t.Errorf("%s and %s compare equal, but are read as %v and %v", x, y, n, d.Float())
				}
			}
		}
	}
}
