package cond_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/yagura-sec/yagura/sigma/cond"
)

// show writes an expression with a parenthesis around every operator.
func show(e *cond.Expr) string {
	var xs []string
	for _, x := range e.X {
		xs = append(xs, show(x))
	}
	switch e.Op {
	case cond.Ident:
		return e.Name
	case cond.Not:
		return "(not " + xs[0] + ")"
	case cond.Of:
		return fmt.Sprintf("<%d of %s>", e.N, e.Name)
	case cond.And:
		return "(" + strings.Join(xs, " and ") + ")"
	}
	return "(" + strings.Join(xs, " or ") + ")"
}

func TestParse(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		e, err := cond.Parse(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
		} else if got := show(e); got != want {
			t.Errorf("%q is %s, want %s", text, got, want)
		}
	}
	f("a", "a")
	f("a or b and not c", "(a or (b and (not c)))")
	f("not a or b and c", "((not a) or (b and c))")
	f("(a or b) and c", "((a or b) and c)")
	f("not not a", "(not (not a))")
	f("notes and order or android", "((notes and order) or android)")
	f("A AND B Or NOT c", "((A and B) or (not c))")
	f("1 of sel*", "<1 of sel*>")
	f("all of them", "<-1 of them>")
	f("ANY of THEM and 3 of x_*_y", "(<1 of them> and <3 of x_*_y>)")
	f("not 1 of filter*", "(not <1 of filter*>)")
	f("a-b.c and(d)", "(a-b.c and d)")
	f(" a\n or\tb ", "(a or b)")
	f("all and 1", "(all and 1)")
}

func TestParseRefuses(t *testing.T) {
	f := func(text string, offset int, reason string) {
		t.Helper()
		_, err := cond.Parse(text)
		e, ok := err.(*cond.Error)
		if !ok || e.Offset != offset || !strings.Contains(e.Reason, reason) {
			t.Errorf("%q: got %#v, want %q at %d", text, err, reason, offset)
		}
	}
	f("", 0, "empty")
	f("a and", 5, "ends where")
	f("a b", 2, `unexpected "b"`)
	f("(a", 0, "not closed")
	f("a)", 1, `unexpected ")"`)
	f("a or and b", 5, `unexpected "and"`)
	f("a | count() > 5", 2, "event_count")
	f("none of them", 0, "expected all, any or a number")
	f("0 of them", 0, "expected all, any or a number")
	f("1 of", 4, "expected \"them\"")
	f("1 of (a)", 5, "expected \"them\"")
	f(strings.Repeat("(", 5000), 201, "nested")
	f(strings.Repeat("not ", 5000)+"a", 804, "nested")
}

func TestMatches(t *testing.T) {
	f := func(pattern, name string, want bool) {
		t.Helper()
		if got := cond.Matches(pattern, name); got != want {
			t.Errorf("Matches(%q, %q) = %v", pattern, name, got)
		}
	}
	f("them", "a", true)
	f("them", "_a", false)
	f("*", "_a", false)
	f("_*", "_a", true)
	f("sel*", "selection", true)
	f("sel*", "asel", false)
	f("sel*_x", "sel_x", true)
	f("sel*x", "selx", true)
	f("aba*aba", "aba", false)
	f("a*b*c", "aXbYc", true)
	f("a*b*c", "acb", false)
	f("a", "a", true)
	f("a", "ab", false)
}

// TestLongConditions: what is too long is refused before it is taken apart.
func TestLongConditions(t *testing.T) {
	if _, err := cond.Parse(strings.Repeat("not ", 500_000) + "s"); err == nil || !strings.Contains(err.Error(), "longer than 65536 bytes") {
		t.Errorf("2 MB: %v", err)
	}
	if _, err := cond.Parse("s" + strings.Repeat(" or s", 10_000)); err != nil {
		t.Errorf("50 kB: %v", err)
	}
}
