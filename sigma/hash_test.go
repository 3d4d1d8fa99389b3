package sigma

import (
	"strings"
	"testing"
)

func TestHash(t *testing.T) {
	const rule = "title: t\nlevel: low\nlogsource: {product: aws}\ndetection:\n  a: {x: [1, two]}\n  b: [word]\n  condition: a and b\n"
	const correlation = "title: t\ncorrelation: {type: value_count, rules: [r], group-by: [g], timespan: 5m, condition: {field: f, gte: 2}, aliases: {g: {r: h}}}\n"
	hash := func(text string) string {
		t.Helper()
		docs, errs := Parse("r.yml", []byte(text))
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		if len(docs.Correlations) > 0 {
			return docs.Correlations[0].Hash()
		}
		return docs.Rules[0].Hash()
	}
	f := func(text, change, to string, same bool) {
		t.Helper()
		if !strings.Contains(text, change) {
			t.Fatalf("%q is not in the rule", change)
		}
		if got := hash(text) == hash(strings.Replace(text, change, to, 1)); got != same {
			t.Errorf("%q in place of %q: same hash: %v", to, change, got)
		}
	}
	f(rule, "title: t", "title: other # comment", true)
	f(rule, "level: low", "level: high", true)
	f(rule, "  a: {x: [1, two]}\n  b: [word]\n", "  b: [word]\n  a: {x: [1, two]}\n", true)
	f(rule, "a and b", "a  and\n    b", true)
	f(rule, "a and b", "a or b", false)
	f(rule, "[1, two]", "['1', two]", false)
	f(rule, "[1, two]", "[two, 1]", false)
	f(rule, "x: [", "x|contains: [", false)
	f(rule, "[word]", "[words]", false)
	f(rule, "product: aws", "service: aws", false)
	f(correlation, "title: t", "title: u", true)
	f(correlation, "5m", "300s", true)
	f(correlation, "5m", "6m", false)
	f(correlation, "gte: 2", "gte: 3", false)
	f(correlation, "[g]", "[g, k]", false)
	f(correlation, "r: h", "r: k", false)
	f(correlation, "field: f", "field: k", false)
	if n := len(hash(rule)); n != hashLength {
		t.Errorf("a hash has %d digits", n)
	}
}
