package say

import "testing"

// The title of a rule is told by those who know it in the language, and is else
// words of others: on its own, kept, and within a sentence.
func TestTitle(t *testing.T) {
	names := func(l Language, rule, words string) string {
		if rule == "r1" {
			return string(l) + " " + words
		}
		return words
	}
	f := func(x Text, names Titles, want string) {
		t.Helper()
		if got := In(Japanese, []Text{x}, names).([]Text)[0].String(); got != want {
			t.Errorf("%q is told as %q, want %q", x, got, want)
		}
	}
	known := Title("r1", "One")
	f(known, names, "ja One")
	f(Kept(known.String(), known.Made()), names, "ja One")
	f(known, nil, "One")
	f(Title("r2", "Two"), names, "Two")
	f(Plain("One"), names, "One")
	if known.String() != "One" || known.In(Japanese) != "One" || known.ID() != "" {
		t.Errorf("on its own it is %q, %q of %q", known, known.In(Japanese), known.ID())
	}
	within := T("correlation.times", Values{"n": 2, "title": known})
	if ja := within.In(Japanese); ja != "One × 2" {
		t.Errorf("within a sentence it is %q", ja)
	}
}
