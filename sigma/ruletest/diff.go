package ruletest

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/yagura-sec/yagura/sigma/match"
)

// Diff shows a rule against a record, a line an item, aligned:
//
//	  no   stop
//	  yes    eventName    StopLogging            as wanted
//	> no     eventSource  cloudtrail.amazon.com  wanted cloudtrail.amazonaws.com (3 letters off)
//
// The first column marks what decided the answer. The text is the same for the
// same rule and record.
func Diff(e match.Explanation) string {
	var t table
	t.step(&e.Root, 0, e.Held, true)
	return t.String()
}

// line is a row of a diff.
type line struct {
	decides bool // the answer rests on it
	held    bool
	label   string // with its indent
	actual  string
	remark  string
}

type table []line

// step adds s. Decides says that what is above would have come out otherwise
// had s; want is the answer of s that made it come out so.
func (t *table) step(s *match.Step, depth int, want, decides bool) {
	decides = decides && s.Held == want
	indent := strings.Repeat("  ", depth)
	add := func(label, actual, remark string, decides bool) {
		*t = append(*t, line{decides, s.Held, indent + label, actual, remark})
	}
	switch s.Kind {
	case "item":
		t.item(s, depth, decides)
	case "value":
		label := s.Key
		if label == "" {
			label = "keyword"
		}
		add(label, actualOf(s), remarkOf(s), decides)
	case "search":
		add(s.Name, "", "", false)
		for i := range s.Steps {
			x := &s.Steps[i]
			if x.Kind == "and" && len(s.Steps) == 1 { // the map of a search
				for j := range x.Steps {
					t.step(&x.Steps[j], depth+1, want, decides)
				}
				continue
			}
			t.step(x, depth+1, want, decides)
		}
	default:
		if len(s.Steps) == 1 && s.Kind != "not" { // nothing is joined
			t.step(&s.Steps[0], depth, want, decides)
			return
		}
		if s.Kind == "not" {
			want = !want
		}
		add(words[s.Kind], "", "", false)
		for i := range s.Steps {
			t.step(&s.Steps[i], depth+1, want, decides)
		}
	}
}

var words = map[string]string{"and": "all of", "or": "any of", "at_least": "some of", "not": "not"}

// mostValues is how many values of a long list are named.
const mostValues = 3

// item adds an item: one line where its values are alternatives, one a value
// where all are wanted.
func (t *table) item(s *match.Step, depth int, decides bool) {
	values := leaves(s, nil)
	indent := strings.Repeat("  ", depth)
	if len(values) == 0 {
		*t = append(*t, line{decides, s.Held, indent + s.Key, "", ""})
		return
	}
	if slices.Contains(strings.Split(s.Key, "|"), "all") {
		for _, v := range values {
			*t = append(*t, line{decides && v.Held == s.Held, v.Held, indent + v.Key, actualOf(v), remarkOf(v)})
		}
		return
	}
	best := values[0]
	if s.Held {
		if i := slices.IndexFunc(values, func(v *match.Step) bool { return v.Held }); i >= 0 {
			best = values[i]
		}
	} else {
		best = nearest(values)
	}
	remark := remarkOf(best)
	if !s.Held && len(values) > 1 {
		remark += others(values, best)
	}
	*t = append(*t, line{decides, s.Held, indent + s.Key, actualOf(best), remark})
}

// leaves are the values below s.
func leaves(s *match.Step, out []*match.Step) []*match.Step {
	if len(s.Steps) == 0 && s.Kind == "value" {
		return append(out, s)
	}
	for i := range s.Steps {
		out = leaves(&s.Steps[i], out)
	}
	return out
}

// others names what else an item would have taken.
func others(values []*match.Step, best *match.Step) string {
	var named []string
	more := 0
	for _, v := range values {
		switch {
		case v.Pattern == best.Pattern:
		case len(named) < mostValues:
			named = append(named, quoted(v.Pattern))
		default:
			more++
		}
	}
	if len(named) == 0 {
		return ""
	}
	out := "; or " + strings.Join(named, ", ")
	if more > 0 {
		out += fmt.Sprintf(" and %d more", more)
	}
	return out
}

// actualOf is what the record holds where s looks.
func actualOf(s *match.Step) string {
	switch {
	case s.Field == "" && len(s.Actual) == 0:
		return "(nowhere)"
	case len(s.Actual) == 0 && s.Why == match.FieldAbsent:
		return "(absent)"
	case len(s.Actual) == 0 && s.Held:
		return "(absent)"
	case len(s.Actual) == 0:
		return "(empty)"
	}
	return cell.Replace(strings.Join(s.Actual, ", "))
}

// cell keeps what a record holds on its line.
var cell = strings.NewReplacer("\n", `\n`, "\r", `\r`, "\t", `\t`)

// remarkOf says how the value came to its answer.
func remarkOf(s *match.Step) string {
	if s.Held {
		if s.Field == "" || len(s.Actual) == 1 && s.Actual[0] == s.Pattern {
			return "as wanted"
		}
		return "is " + quoted(s.Pattern)
	}
	text := "wanted " + quoted(s.Pattern)
	switch s.Why {
	case match.CaseMismatch:
		return text + " (differs in case only)"
	case match.TypeMismatch:
		return text + " (of another type)"
	case match.FieldPresent:
		return text + " (it is there)"
	case match.ValueMismatch:
		if n, ok := off(s); ok {
			return fmt.Sprintf("%s (%s off)", text, letters(n))
		}
	}
	return text
}

func letters(n int) string {
	if n == 1 {
		return "1 letter"
	}
	return fmt.Sprintf("%d letters", n)
}

// quoted is a pattern as it is written, made visible where it is not.
func quoted(s string) string {
	if s == "" || strings.TrimSpace(s) != s || strings.ContainsAny(s, "\n\t") {
		return fmt.Sprintf("%q", s)
	}
	return s
}

// nearest is the value whose pattern is nearest to what the record holds; the
// first, where none can be compared.
func nearest(values []*match.Step) *match.Step {
	best, least := values[0], -1
	for _, v := range values {
		if n, ok := distanceOf(v); ok && (least < 0 || n < least) {
			best, least = v, n
		}
	}
	return best
}

// off is how many letters the nearest value of the record is off; false: so
// many that it says nothing.
func off(s *match.Step) (int, bool) {
	n, ok := distanceOf(s)
	return n, ok && n > 0 && n <= utf8.RuneCountInString(s.Pattern)/4
}

// mostCompared bounds the texts that are compared letter by letter.
const mostCompared = match.MaxText

func distanceOf(s *match.Step) (int, bool) {
	_, modifiers, _ := strings.Cut(s.Key, "|")
	start, end := false, false
	for m := range strings.SplitSeq(modifiers, "|") {
		switch m {
		case "", "cased", "all":
		case "contains":
			start, end = true, true
		case "startswith":
			end = true
		case "endswith":
			start = true
		default:
			return 0, false
		}
	}
	pattern := s.Pattern
	if p, ok := strings.CutPrefix(pattern, "*"); ok {
		pattern, start = p, true
	}
	if p, ok := strings.CutSuffix(pattern, "*"); ok {
		pattern, end = p, true
	}
	if s.Field == "" || pattern == "" || len(pattern) > mostCompared || strings.ContainsAny(pattern, "*?") {
		return 0, false
	}
	least, found := 0, false
	for _, a := range s.Actual {
		if len(a) > mostCompared {
			continue
		}
		if n := distance([]rune(strings.ToLower(pattern)), []rune(strings.ToLower(a)), start, end); !found || n < least {
			least, found = n, true
		}
	}
	return least, found
}

// distance is the number of letters to put in, take out or change to make the
// pattern of the text, or of a part of it where what comes before or after is
// free.
func distance(pattern, text []rune, freeStart, freeEnd bool) int {
	above := make([]int, len(text)+1)
	row := make([]int, len(text)+1)
	if !freeStart {
		for j := range above {
			above[j] = j
		}
	}
	for i := range pattern {
		row[0] = i + 1
		for j := range text {
			change := above[j]
			if pattern[i] != text[j] {
				change++
			}
			row[j+1] = min(change, above[j+1]+1, row[j]+1)
		}
		above, row = row, above
	}
	if freeEnd {
		return slices.Min(above)
	}
	return above[len(text)]
}

// String aligns the columns. The last is not cut; the others give way to it only
// so far.
func (t table) String() string {
	const widestLabel, widestActual = 60, 70
	label, actual := 0, 0
	for _, l := range t {
		if l.actual == "" && l.remark == "" {
			continue
		}
		label = max(label, min(utf8.RuneCountInString(l.label), widestLabel))
		actual = max(actual, min(utf8.RuneCountInString(l.actual), widestActual))
	}
	var b strings.Builder
	for _, l := range t {
		mark, verdict := " ", "no "
		if l.decides {
			mark = ">"
		}
		if l.held {
			verdict = "yes"
		}
		text := fmt.Sprintf("%s %s  %-*s  %-*s  %s", mark, verdict, label, l.label, actual, l.actual, l.remark)
		b.WriteString(strings.TrimRight(text, " "))
		b.WriteByte('\n')
	}
	return b.String()
}
