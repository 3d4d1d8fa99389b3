package say

import "testing"

// Words of a rule are told by those who know them in the language, and are else
// words of others: on their own, kept, and within a sentence.
func TestOfRule(t *testing.T) {
	names := func(l Language, rule, words string) string {
		if rule == "r1" {
			return string(l) + " " + words
		}
		return words
	}
	f := func(x Text, names RuleWords, want string) {
		t.Helper()
		if got := In(Japanese, []Text{x}, names).([]Text)[0].String(); got != want {
			t.Errorf("%q is told as %q, want %q", x, got, want)
		}
	}
	known := OfRule("r1", "One")
	f(known, names, "ja One")
	f(Kept(known.String(), known.Made()), names, "ja One")
	f(known, nil, "One")
	f(OfRule("r2", "Two"), names, "Two")
	f(Plain("One"), names, "One")
	f(AllOfRule("r1", []string{"Some", "More"})[1], names, "ja More")
	if known.String() != "One" || known.In(Japanese) != "One" || known.ID() != "" {
		t.Errorf("on its own it is %q, %q of %q", known, known.In(Japanese), known.ID())
	}
	within := T("correlation.times", Values{"n": 2, "title": known})
	if ja := within.In(Japanese); ja != "One × 2" {
		t.Errorf("within a sentence it is %q", ja)
	}
	f(within, names, "ja One × 2")
	f(Kept(within.String(), within.Made()), names, "ja One × 2")
	f(T("correlation.all", Values{"titles": Each(T("correlation.title", Values{"title": known}), T("correlation.title", Values{"title": OfRule("r2", "Two")})), "events": "x"}), names, "「ja One」、「Two」: x")
}
