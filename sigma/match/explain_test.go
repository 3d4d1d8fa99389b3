package match_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/yagura-sec/yagura/sigma/match"
)

// tell writes an explanation, a line a step.
func tell(b *strings.Builder, s *match.Step, depth int) {
	mark := "no "
	if s.Held {
		mark = "yes"
	}
	fmt.Fprintf(b, "%s %s%s", mark, strings.Repeat("  ", depth), s.Kind)
	for _, text := range []string{s.Name, s.Key, s.Pattern, strings.Join(s.Actual, " & "), string(s.Why)} {
		if text != "" {
			fmt.Fprintf(b, " [%s]", text)
		}
	}
	b.WriteByte('\n')
	for i := range s.Steps {
		tell(b, &s.Steps[i], depth+1)
	}
}

const explained = `stop:
  eventName|startswith|cased: [Stop, Del]
  n|gte: 5
  ip|cidr: 10.0.0.0/8
keep: {who: [alice, bob]}
words: [evil]
condition: stop and not keep or words`

func TestExplain(t *testing.T) {
	set, _ := compile(explained)
	sc := set.NewScratch()
	f := func(record string, held bool, want, facts string) {
		t.Helper()
		e, err := set.ExplainJSON(sc, []byte(record), match.Source{Product: "p"}, 0)
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		tell(&b, &e.Root, 0)
		if got := b.String(); e.Held != held || !e.Applies || strings.TrimSpace(got) != strings.TrimSpace(want) {
			t.Errorf("held is %v\n%swant\n%s", e.Held, got, want)
		}
		var said []string
		for _, x := range e.Facts() {
			said = append(said, fmt.Sprintf("%s/%s=%s negated %v %s", x.Search, x.Key, x.Pattern, x.Negated, x.Why))
		}
		if got := strings.Join(said, "\n"); got != strings.TrimSpace(facts) {
			t.Errorf("facts are\n%s\nwant\n%s", got, facts)
		}
	}
	f(`{"eventName":"StopLogging","n":"7","ip":["x","10.1.2.3"],"who":"carol"}`, true, `
yes or
yes   and
yes     search [stop]
yes       and
yes         item [eventName|startswith|cased]
yes           value [eventName|startswith|cased] [Stop] [StopLogging] [matched]
no            value [eventName|startswith|cased] [Del] [StopLogging] [value_mismatch]
yes         item [n|gte]
yes           value [n|gte] [5] [7] [matched]
yes         item [ip|cidr]
yes           value [ip|cidr] [10.0.0.0/8] [x & 10.1.2.3] [matched]
yes     not
no        search [keep]
no          item [who]
no            value [who] [alice] [carol] [value_mismatch]
no            value [who] [bob] [carol] [value_mismatch]
no    search [words]
no      or
no        value [evil] [no_keyword]
`, `
stop/eventName|startswith|cased=Stop negated false matched
stop/n|gte=5 negated false matched
stop/ip|cidr=10.0.0.0/8 negated false matched
keep/who=alice negated true value_mismatch
keep/who=bob negated true value_mismatch
`)
	f(`{"eventName":"stopLogging","n":"many","ip":"s3.amazonaws.com"}`, false, `
no  or
no    and
no      search [stop]
no        and
no          item [eventName|startswith|cased]
no            value [eventName|startswith|cased] [Stop] [stopLogging] [case_mismatch]
no            value [eventName|startswith|cased] [Del] [stopLogging] [value_mismatch]
no          item [n|gte]
no            value [n|gte] [5] [many] [type_mismatch]
no          item [ip|cidr]
no            value [ip|cidr] [10.0.0.0/8] [s3.amazonaws.com] [type_mismatch]
yes     not
no        search [keep]
no          item [who]
no            value [who] [alice] [field_absent]
no            value [who] [bob] [field_absent]
no    search [words]
no      or
no        value [evil] [no_keyword]
`, `
stop/eventName|startswith|cased=Stop negated false case_mismatch
stop/eventName|startswith|cased=Del negated false value_mismatch
stop/n|gte=5 negated false type_mismatch
stop/ip|cidr=10.0.0.0/8 negated false type_mismatch
words/=evil negated false no_keyword
`)
	f(`{"x":{"y":["evil things","good"]}}`, true, `
yes or
no    and
no      search [stop]
no        and
no          item [eventName|startswith|cased]
no            value [eventName|startswith|cased] [Stop] [field_absent]
no            value [eventName|startswith|cased] [Del] [field_absent]
no          item [n|gte]
no            value [n|gte] [5] [field_absent]
no          item [ip|cidr]
no            value [ip|cidr] [10.0.0.0/8] [field_absent]
yes     not
no        search [keep]
no          item [who]
no            value [who] [alice] [field_absent]
no            value [who] [bob] [field_absent]
yes   search [words]
yes     or
yes       value [evil] [evil things] [matched]
`, `
words/=evil negated false matched
`)
}

func TestExplainBounds(t *testing.T) {
	set, _ := compile("s: {f|contains: x, g: null}\ncondition: s")
	long := strings.Repeat("é", 1000)
	record := fmt.Sprintf(`{"f":["%s","x","a","b","c","d","e"],"g":[1,null]}`, long)
	e, err := set.ExplainJSON(set.NewScratch(), []byte(record), match.Source{Product: "other"}, 0)
	if err != nil || !e.Held || e.Applies {
		t.Fatalf("%v, held %v, applies %v", err, e.Held, e.Applies)
	}
	facts := e.Facts()
	actual := facts[0].Actual
	if len(actual) != match.MaxActual+1 || actual[match.MaxActual] != "… and 2 more" || len(actual[0]) > match.MaxText+len("…") || !strings.HasSuffix(actual[0], "é…") {
		t.Errorf("shows %q", actual)
	}
	if facts[1].Why != match.Matched || strings.Join(facts[1].Actual, " ") != "1 null" {
		t.Errorf("null is explained by %+v", facts[1])
	}
}
