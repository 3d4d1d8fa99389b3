package ir_test

import (
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/ir"
	"github.com/yagura-sec/yagura/sigma/match"
)

func random(r *rand.Rand, from []string) string {
	var b strings.Builder
	for range r.IntN(8) {
		b.WriteString(from[r.IntN(len(from))])
	}
	return b.String()
}

// What is written is read back as the same, with escapes only where they count.
func TestTextIsReadBack(t *testing.T) {
	r := rand.New(rand.NewPCG(31, 37))
	for range 20_000 {
		text := random(r, []string{"a", "é", `\`, `\`, "*", "?", "%", "%n%", "%n", " "})
		for _, expand := range []bool{false, true} {
			x := ir.ParseText(text, expand)
			out := x.Format(expand)
			if again := ir.ParseText(out, expand); !reflect.DeepEqual(again, x) {
				t.Fatalf("%q is %v, written %q, read as %v", text, x, out, again)
			}
			if !expand && len(out) > len(text) { // a percent sign alone is escaped where placeholders are
				t.Fatalf("%q is written longer: %q", text, out)
			}
		}
	}
	f := func(text string, expand bool, want string) {
		t.Helper()
		if got := ir.ParseText(text, expand).Format(expand); got != want {
			t.Errorf("%q is written %q, want %q", text, got, want)
		}
	}
	f(`C:\\Windows\x`, false, `C:\Windows\x`)
	f(`a\\*`, false, `a\\*`)
	f(`a\\\*b\?`, false, `a\\\*b\?`)
	f(`\%a%b%`, true, `\%a%b%`)
	f(`50%`, true, `50\%`[:2]+`\%`)
}

// An item with its modifiers worked into its values means what it meant.
func TestWorkedMeansTheSame(t *testing.T) {
	r := rand.New(rand.NewPCG(41, 43))
	chains := []string{"", "|contains", "|startswith", "|endswith", "|contains|all", "|endswith|neq", "|cased|contains", "|base64", "|wide|base64|contains", "|contains|expand"}
	worked := 0
	for range 1000 {
		chain := chains[r.IntN(len(chains))]
		it := sigma.Item{Key: "f" + chain, Field: "f", Modifiers: strings.Split(chain, "|")[1:]}
		for range 1 + r.IntN(2) {
			text := random(r, []string{"a", "B", `\`, "*", "?", "é"})
			if strings.Contains(chain, "expand") {
				text = "%n%" + text
			}
			it.Values = append(it.Values, sigma.Value{Kind: sigma.String, Text: text})
		}
		as, ok := ir.Worked(it)
		if !ok {
			continue
		}
		worked++
		rule := func(id string, it sigma.Item) *sigma.Rule {
			return &sigma.Rule{Meta: sigma.Meta{ID: id}, LogSource: sigma.LogSource{Product: "p"}, Detection: sigma.Detection{
				Searches: []sigma.Search{{Name: "s", Groups: []sigma.Group{{it}}}}, Conditions: []sigma.Condition{{Text: "s"}},
			}}
		}
		set, refused := match.Compile([]*sigma.Rule{rule("1", it), rule("2", as)}, match.Options{Placeholders: map[string][]string{"n": {"x*", "b"}}})
		if len(refused) > 0 {
			t.Fatalf("%+v became %+v: %v", it, as, refused)
		}
		sc := set.NewScratch()
		for range 20 {
			value := random(r, []string{"a", "b", "B", `\\`, "*", "%", "é", "x", "YQ==", "Y"})
			hits, err := set.MatchJSON(sc, []byte(`{"f":"`+value+`"}`), match.Source{Product: "p"})
			if err != nil || len(hits) == 1 {
				t.Fatalf("%+v became %+v, which is another on %q: %v %v", it, as, value, hits, err)
			}
		}
	}
	if worked < 300 {
		t.Errorf("only %d items were worked", worked)
	}
	for _, chain := range []string{"|re", "|windash", "|base64offset|contains", "|cidr", "|gt", "|exists", "|nosuch"} {
		it := sigma.Item{Field: "f", Modifiers: strings.Split(chain, "|")[1:], Values: []sigma.Value{{Text: "a"}}}
		if as, ok := ir.Worked(it); ok || !reflect.DeepEqual(as, it) {
			t.Errorf("f%s is worked: %+v", chain, as)
		}
	}
}

// Placeholders of expressions are filled with text, not with expressions.
func TestExpandRegex(t *testing.T) {
	values := func(name string) ([]string, bool) {
		return map[string][]string{"a": {"x.y", "b*"}, "n": {"1"}}[name], name != "other"
	}
	f := func(text, want string, found bool) {
		t.Helper()
		got, ok, err := ir.ExpandRegex(text, values)
		if err != nil || got != want || ok != found {
			t.Errorf("%q becomes %q, %v, %v; want %q, %v", text, got, ok, err, want, found)
		}
	}
	f(`^%a%$`, `^(?:x\.y|b.*)$`, true)
	f(`%n%-%n%`, `(?:1)-(?:1)`, true)
	f(`\%n%`, `\%n%`, false)
	f(`\\%n%`, `\\(?:1)`, true)
	f(`%other%`, `%other%`, true)
	f(`100%`, `100%`, false)
	if _, _, err := ir.ExpandRegex(`%a%`, func(string) ([]string, bool) { return []string{strings.Repeat("x", 2<<20)}, true }); err == nil {
		t.Error("an expression of 2 MiB is taken")
	}
}
