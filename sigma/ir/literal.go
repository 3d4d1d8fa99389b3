package ir

import (
	"regexp/syntax"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxLiterals bounds how many texts Literals gives.
const maxLiterals = 64

// Literals gives folded texts of which one occurs in the folded text of every
// value that satisfies a. False: nothing of the kind is known. No text is empty.
func (a *Atom) Literals() ([]string, bool) {
	switch a.Op {
	case Eq, Prefix, Suffix, Contains:
		return oneOf(FoldString(a.Text))
	case Glob:
		longest := ""
		for _, t := range a.glob {
			if t.kind == literal && len(t.text) > len(longest) {
				longest = t.text
			}
		}
		return oneOf(FoldString(longest))
	case Regex:
		parsed, err := syntax.Parse(a.regex.String(), syntax.Perl)
		if err != nil { // it was compiled from the same text
			return nil, false
		}
		return required(parsed.Simplify())
	}
	return nil, false
}

func oneOf(text string) ([]string, bool) {
	if text == "" {
		return nil, false
	}
	return []string{text}, true
}

// required gives folded texts of which one is in every match of re.
func required(re *syntax.Regexp) ([]string, bool) {
	switch re.Op {
	case syntax.OpLiteral, syntax.OpCharClass:
		return bestRun(runs([]*syntax.Regexp{re}))
	case syntax.OpCapture, syntax.OpPlus:
		return required(re.Sub[0])
	case syntax.OpRepeat:
		if re.Min > 0 {
			return required(re.Sub[0])
		}
	case syntax.OpConcat:
		best, ok := bestRun(runs(re.Sub))
		for _, x := range re.Sub {
			if found, is := required(x); is && (!ok || better(found, best)) {
				best, ok = found, true
			}
		}
		return best, ok
	case syntax.OpAlternate:
		var all []string
		for _, x := range re.Sub {
			found, ok := required(x)
			if !ok || len(all)+len(found) > maxLiterals {
				return nil, false
			}
			all = append(all, found...)
		}
		return all, len(all) > 0
	}
	return nil, false
}

// better prefers the set of which the shortest text is longer, then the smaller.
func better(a, b []string) bool {
	if x, y := shortest(a), shortest(b); x != y {
		return x > y
	}
	return len(a) < len(b)
}

func shortest(texts []string) int {
	n := len(texts[0])
	for _, t := range texts {
		n = min(n, len(t))
	}
	return n
}

// runs gives the folded texts that stand in a concatenation as they are. The
// replacement character ends a run: an expression takes bytes that are no UTF-8
// for it, and folding leaves those.
func runs(xs []*syntax.Regexp) []string {
	out := []string{""}
	add := func(r rune) {
		if r == utf8.RuneError {
			out = append(out, "")
			return
		}
		out[len(out)-1] += string(foldRune(r))
	}
	for _, x := range xs {
		for x.Op == syntax.OpCapture {
			x = x.Sub[0]
		}
		switch {
		case x.Op == syntax.OpLiteral:
			for _, r := range x.Rune {
				add(r)
			}
		case x.Op == syntax.OpCharClass && sameFolded(x.Rune):
			add(x.Rune[0])
		case x.Op == syntax.OpEmptyMatch, x.Op == syntax.OpBeginText, x.Op == syntax.OpEndText,
			x.Op == syntax.OpBeginLine, x.Op == syntax.OpEndLine,
			x.Op == syntax.OpWordBoundary, x.Op == syntax.OpNoWordBoundary: // no text
		default:
			out = append(out, "")
		}
	}
	return out
}

// sameFolded tells whether all characters of a class fold to the same one.
func sameFolded(ranges []rune) bool {
	if len(ranges) == 0 {
		return false
	}
	first := foldRune(ranges[0])
	for i := 0; i < len(ranges); i += 2 {
		if ranges[i+1]-ranges[i] > 3 {
			return false
		}
		for r := ranges[i]; r <= ranges[i+1]; r++ {
			if r == utf8.RuneError || foldRune(r) != first {
				return false
			}
		}
	}
	return true
}

func bestRun(texts []string) ([]string, bool) {
	best := ""
	for _, t := range texts {
		if len(t) > len(best) {
			best = t
		}
	}
	return oneOf(strings.Clone(best))
}

// NumberOf reads a value as Compare does: two numbers that compare equal give
// the same float64, though the reverse need not be.
func NumberOf(v *Value) (float64, bool) {
	if v.Kind != Number && v.Kind != String || len(v.Text) == 0 {
		return 0, false
	}
	text := v.Text
	if c := text[0]; c != '-' && (c < '0' || c > '9') {
		return 0, false
	}
	if n, ok := smallInteger(text); ok {
		return float64(n), true
	}
	if !isNumber(text) {
		return 0, false
	}
	f, _ := strconv.ParseFloat(string(text), 64) // as ParseDecimal does
	return f, true
}

// smallInteger reads an integer of so few digits that float64 holds it exactly.
func smallInteger(text []byte) (int64, bool) {
	if len(text) > 15 || text[0] == '-' || text[0] == '0' && len(text) > 1 {
		return 0, false
	}
	n := int64(0)
	for _, c := range text {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}

// Float is the number as NumberOf gives it.
func (d Decimal) Float() float64 { return d.float }
