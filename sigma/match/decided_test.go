package match_test

import (
	"strings"
	"testing"

	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/match"
)

// Each test below pins a decision where the specification is silent, contradicts
// itself, or is read differently elsewhere. The table in sigma/README.md names
// them; TestDecisions of package sigma holds the two together.

// decide compiles a detection and holds it against records: yes match, no do not.
func decide(t *testing.T, detection string, yes, no []string) {
	t.Helper()
	if !strings.Contains(detection, "condition:") {
		detection = "s: " + detection + "\ncondition: s"
	}
	set, refused := compile(detection)
	if len(refused) > 0 {
		t.Errorf("%s: %v", detection, refused)
		return
	}
	sc := set.NewScratch()
	for i, record := range append(yes, no...) {
		hits, err := set.MatchJSON(sc, []byte(record), match.Source{Product: "p"})
		if err != nil || (len(hits) == 1) != (i < len(yes)) {
			t.Errorf("%s\non %s: %d hits, %v", detection, record, len(hits), err)
		}
	}
}

// refuses wants a detection refused for a reason.
func refuses(t *testing.T, detection, reason string) {
	t.Helper()
	if !strings.Contains(detection, "condition:") {
		detection = "s: " + detection + "\ncondition: s"
	}
	set, refused := compile(detection)
	if set.Len() != 0 || len(refused) == 0 || !strings.Contains(refused[0].Reason, reason) {
		t.Errorf("%s: %d rules, refused %v, want %q", detection, set.Len(), refused, reason)
	}
}

func some(records ...string) []string { return records }

func TestExistsIsPresence(t *testing.T) {
	decide(t, `{f|exists: true}`, some(`{"f":null}`, `{"f":""}`, `{"f":[]}`, `{"f":{}}`), some(`{}`, `{"g":1}`))
	decide(t, `{f|exists: false}`, some(`{}`), some(`{"f":null}`))
}

func TestNullIsAbsentOrNull(t *testing.T) {
	decide(t, `{f: null}`, some(`{}`, `{"f":null}`, `{"f":["a",null]}`), some(`{"f":""}`, `{"f":"null"}`, `{"f":[]}`, `{"f":0}`))
	decide(t, `{a.b: null}`, some(`{}`, `{"a":[]}`, `{"a":[{},{}]}`, `{"a":[{"b":1},{"b":null}]}`), some(`{"a":[{"b":1},{}]}`, `{"a":[{"b":[]},{}]}`))
	decide(t, `{f: ''}`, some(`{"f":""}`), some(`{}`, `{"f":null}`))
	decide(t, `{f: [null, '']}`, some(`{}`, `{"f":""}`), some(`{"f":"x"}`))
}

func TestNeqIsTheComplement(t *testing.T) {
	decide(t, `{f|neq: a}`, some(`{}`, `{"f":null}`, `{"f":"b"}`), some(`{"f":"A"}`, `{"f":["b","a"]}`))
	decide(t, `{f|neq: [a, b]}`, some(`{"f":"c"}`), some(`{"f":"a"}`, `{"f":"b"}`))
	decide(t, `{f|contains|all|neq: [a, b]}`, some(`{"f":"a"}`), some(`{"f":"ab"}`))
	decide(t, `{f|gt|neq: 5}`, some(`{"f":5}`, `{}`), some(`{"f":6}`))
}

func TestNotIsTheComplement(t *testing.T) {
	decide(t, "s: {f: a}\ncondition: not s", some(`{}`, `{"f":null}`, `{"f":"b"}`), some(`{"f":"a"}`))
	decide(t, "s: {f|cidr: 10.0.0.0/8}\ncondition: not s", some(`{}`, `{"f":"host.example"}`), some(`{"f":"10.1.1.1"}`))
}

func TestCaseIsUnicodes(t *testing.T) {
	decide(t, `{f: 'ÄÖ'}`, some(`{"f":"äö"}`), some(`{"f":"AO"}`))
	decide(t, `{f: 'Σας'}`, some(`{"f":"σασ"}`), nil)
	decide(t, `{f: 'straße'}`, some(`{"f":"STRAßE"}`), some(`{"f":"STRASSE"}`))
	decide(t, `{f|cased: Ab}`, some(`{"f":"Ab"}`), some(`{"f":"ab"}`))
	decide(t, `{F: a}`, some(`{"F":"A"}`), some(`{"f":"a"}`)) // names count as they stand
}

func TestNumbersAndText(t *testing.T) {
	decide(t, `{f: 42}`, some(`{"f":42}`, `{"f":"42"}`, `{"f":42.0}`, `{"f":"4.2e1"}`), some(`{"f":"042"}`, `{"f":"42 "}`, `{"f":true}`))
	decide(t, `{f: '42'}`, some(`{"f":42}`, `{"f":"42"}`), some(`{"f":42.0}`))
	decide(t, `{f|contains: 42}`, some(`{"f":"x42"}`, `{"f":1420}`), some(`{"f":4}`))
	decide(t, `{f: true}`, some(`{"f":true}`, `{"f":"TRUE"}`), some(`{"f":1}`))
	decide(t, `{f|lt: 100}`, some(`{"f":"99"}`), some(`{"f":"ninety"}`, `{"f":100}`))
}

func TestIntegersAreExact(t *testing.T) {
	decide(t, `{f: 9007199254740993}`, some(`{"f":9007199254740993}`), some(`{"f":9007199254740992}`))
	decide(t, `{f|gt: 9007199254740992}`, some(`{"f":9007199254740993}`), some(`{"f":9007199254740992}`))
}

func TestNumbersBeyondFloats(t *testing.T) {
	decide(t, `{f|gt: 0}`, some(`{"f":1e-400}`, `{"f":1e400}`), some(`{"f":-1e-400}`, `{"f":0e5}`))
	decide(t, `{f: 0}`, some(`{"f":0.0}`, `{"f":-0}`), some(`{"f":1e-400}`))
	decide(t, `{f|fieldref: g}`, some(`{"f":1e1000000000,"g":10e999999999}`, `{"f":1.50,"g":15e-1}`), some(`{"f":1e1000000000,"g":1e999999999}`, `{"f":1e-400,"g":0}`))
	decide(t, `{f: 1e400}`, some(`{"f":1e400}`), some(`{"f":10e399}`)) // text to YAML
	refuses(t, `{f|gt: 1e400}`, "takes a number")
}

func TestArraysAreTheirElements(t *testing.T) {
	decide(t, `{f: a}`, some(`{"f":["b","a"]}`, `{"f":[["a"]]}`), some(`{"f":[]}`))
	decide(t, `{f.g: a}`, some(`{"f":[{"g":"b"},{"g":"a"}]}`), some(`{"f":["a"]}`))
	decide(t, `{f|contains|all: [a, b]}`, some(`{"f":["a","b"]}`), some(`{"f":["a"]}`))
	decide(t, `{f.g: a, f.h: b}`, some(`{"f":[{"g":"a"},{"h":"b"}]}`), nil) // not one element
}

func TestArraySelectorsAreRefused(t *testing.T) {
	for _, field := range []string{"f[any]", "f[all].g", "f[none]", "f[0].g", "f.g[-1]"} {
		refuses(t, `{'`+field+`': a}`, "is a proposal and not supported")
	}
	decide(t, `{'f[x]': a, 'g[]': b}`, some(`{"f[x]":"a","g[]":"b"}`), some(`{"f":"a"}`))
}

func TestNamesWithDots(t *testing.T) {
	decide(t, `{a.b: x}`, some(`{"a.b":"x"}`, `{"a":{"b":"x"}}`), some(`{"a.b":"y","a":{"b":"x"}}`))
	decide(t, `{a.b.c: x}`, some(`{"a.b.c":"x"}`, `{"a":{"b.c":"x"}}`, `{"a":{"b":{"c":"x"}}}`), some(`{"a.b":{"c":"x"}}`))
}

func TestObjectsAreCompactJSON(t *testing.T) {
	decide(t, `{p|contains: '"k":"v"'}`, some(`{"p":{ "j" : 1, "k" : "v" }}`), some(`{"p":{"k":"w"}}`))
	decide(t, `{p: '*'}`, some(`{"p":{}}`), some(`{"p":null}`, `{}`))
}

func TestKeysTwiceCountTwice(t *testing.T) {
	decide(t, `{f: b}`, some(`{"f":"a","f":"b"}`, `{"f":"b","f":"a"}`), nil)
}

func TestKeywordsLookAtValues(t *testing.T) {
	decide(t, `[key]`, some(`{"m":"a key here"}`, `{"a":{"b":["x","KEY"]}}`), some(`{"key":"v"}`))
	decide(t, `['k*y']`, some(`{"m":"a k e y b"}`), nil)
	decide(t, `{'|all': [a, b]}`, some(`{"x":"a","y":"b"}`), some(`{"x":"a"}`))
}

func TestBackslashes(t *testing.T) {
	decide(t, `{f: 'a\b'}`, some(`{"f":"a\\b"}`), nil)
	decide(t, `{f: 'a\\b'}`, some(`{"f":"a\\b"}`), some(`{"f":"a\\\\b"}`))
	decide(t, `{f: 'a\\*'}`, some(`{"f":"a\\bc"}`), some(`{"f":"a*"}`))
	decide(t, `{f: 'a\*'}`, some(`{"f":"a*"}`), some(`{"f":"ab"}`))
	decide(t, `{f: 'a\'}`, some(`{"f":"a\\"}`), nil)
}

func TestWildcardsCrossLines(t *testing.T) {
	decide(t, `{f: 'a*b'}`, some(`{"f":"a\n\nb"}`), nil)
	decide(t, `{f: 'a?b'}`, some(`{"f":"aéb"}`, `{"f":"a\nb"}`), some(`{"f":"ab"}`))
}

func TestRegexSearches(t *testing.T) {
	decide(t, `{f|re: 'b.d'}`, some(`{"f":"abcde"}`), some(`{"f":"ABCDE"}`, `{"f":"b\nd"}`))
	decide(t, `{f|re: '^b$'}`, some(`{"f":"b"}`), some(`{"f":"a\nb"}`))
	decide(t, `{f|re|i|m|s: '^B.c$'}`, some(`{"f":"a\nb\nc"}`), nil)
	decide(t, `{f|re|ignorecase: B}`, some(`{"f":"b"}`), nil)
	refuses(t, `{f|re: '(?=a)'}`, "RE2")
	refuses(t, `{f|re: '(a)\1'}`, "RE2")
}

func TestRegexWithAPlace(t *testing.T) {
	decide(t, `{f|re|startswith: 'a|b'}`, some(`{"f":"bc"}`, `{"f":"ac"}`), some(`{"f":"cb"}`, `{"f":"\nb"}`))
	decide(t, `{f|re|endswith: 'a|b'}`, some(`{"f":"ca"}`), some(`{"f":"ac"}`))
	decide(t, `{f|re|endswith|m: 'b'}`, some(`{"f":"a\nb"}`), some(`{"f":"b\na"}`)) // the end of the value, not of a line
	decide(t, `{f|re|contains: b}`, some(`{"f":"abc"}`), some(`{"f":"ac"}`))
	refuses(t, `{f|contains|re: a}`, "re has to stand before contains")
	refuses(t, `{f|re|base64: a}`, "do not go together")
}

func TestRegexPlaceholdersAreText(t *testing.T) {
	decide(t, `{f|re|expand: '^x%admins%y$'}`, some(`{"f":"xrooty"}`, `{"f":"xadm-1y"}`), some(`{"f":"x%admins%y"}`, `{"f":"xroot"}`))
	refuses(t, `{f|re|expand: '%nobody%'}`, "%nobody% has no values")
	refuses(t, `{f|re|expand: 'a'}`, "no value holds a %placeholder%")
}

func TestPlaceholders(t *testing.T) {
	decide(t, `{f|expand: ['%admins%', plain]}`, some(`{"f":"ROOT"}`, `{"f":"adm-1"}`, `{"f":"plain"}`), some(`{"f":"%admins%"}`))
	decide(t, `{f: '%admins%'}`, some(`{"f":"%admins%"}`), some(`{"f":"root"}`))
	decide(t, `{f|expand: '\%admins%-%admins%'}`, some(`{"f":"%admins%-root"}`), nil)
	decide(t, `{f|expand: '100% %admins% %-%'}`, some(`{"f":"100% root %-%"}`), nil)
	refuses(t, `{f|expand: '%nobody%'}`, "%nobody% has no values")
}

func TestWindash(t *testing.T) {
	for _, dash := range []string{"-", "/", "–", "—", "―"} {
		decide(t, `{f|windash|contains: ' `+dash+`a-b'}`,
			some(`{"f":"x -a-b"}`, `{"f":"x /a-b"}`, `{"f":"x –a-b"}`, `{"f":"x —a-b"}`, `{"f":"x ―a-b"}`), some(`{"f":"x -a/b"}`, `{"f":"x a-b"}`))
	}
}

func TestBase64KeepsItsPadding(t *testing.T) {
	decide(t, `{f|base64: ab}`, some(`{"f":"YWI="}`), some(`{"f":"YWI"}`))
	decide(t, `{f|base64offset|contains: ping}`, some(`{"f":"cGluZw=="}`, `{"f":"IHBpbmc="}`, `{"f":"eHhwaW5nIHg="}`), some(`{"f":"cG9uZw=="}`))
	refuses(t, `{f|base64: 'a*'}`, "wildcard cannot be encoded")
}

func TestUTF16(t *testing.T) {
	for _, name := range []string{"utf16le", "wide"} {
		decide(t, `{f|`+name+`|base64: cmd}`, some(`{"f":"YwBtAGQA"}`), nil)
	}
	decide(t, `{f|utf16be|base64: cmd}`, some(`{"f":"AGMAbQBk"}`), nil)
	decide(t, `{f|utf16|base64: cmd}`, some(`{"f":"//5jAG0AZAA="}`), some(`{"f":"YwBtAGQA"}`)) // FF FE in front, as bytes
	decide(t, `{f|wide|base64: 'é😀'}`, some(`{"f":"6QA92ADe"}`), nil)                          // beyond ASCII, too
}

func TestPartsOfDates(t *testing.T) {
	decide(t, `{f|hour: 22}`, some(`{"f":"2026-03-01T22:15:09+09:00"}`, `{"f":"2026-03-01 22:15"}`), some(`{"f":"2026-03-01"}`, `{"f":"22"}`, `{"f":1772403309}`))
	decide(t, `{f|week: 53}`, some(`{"f":"2026-12-31"}`), some(`{"f":"2026-01-05"}`))
	decide(t, `{f|week: 1}`, some(`{"f":"2024-12-30"}`), nil) // of ISO 8601
	decide(t, `{f|hour|gte: 20}`, some(`{"f":"2026-03-01T20:00:00Z"}`), some(`{"f":"2026-03-01T19:59:59Z"}`))
	decide(t, `{f|minute|lt: 60}`, some(`{"f":"2026-03-01T20:59:00Z"}`), some(`{"f":"today"}`))
	refuses(t, `{f|hour: 24}`, "hour is never 24: it goes from 0 to 23")
	refuses(t, `{f|minute: 60}`, "from 0 to 59")
	refuses(t, `{f|day: 0}`, "from 1 to 31")
	refuses(t, `{f|month: 1.5}`, "from 1 to 12")
	refuses(t, `{f|week: 54}`, "from 1 to 53")
	refuses(t, `{f|hour: '7'}`, "takes a number")
	refuses(t, `{f|hour|gt: 23}`, "never greater than 23")
	decide(t, `{f|hour|gte: 0}`, some(`{"f":"2026-03-01T00:15:09Z"}`), some(`{"f":"2026-03-01"}`))
}

func TestNetworks(t *testing.T) {
	decide(t, `{f|cidr: [10.1.2.3/8, '2001:db8::/32', 192.0.2.1]}`,
		some(`{"f":"10.9.9.9"}`, `{"f":"2001:DB8::1"}`, `{"f":"192.0.2.1"}`, `{"f":"::ffff:10.0.0.1"}`),
		some(`{"f":"11.0.0.1"}`, `{"f":"10.0.0.1:80"}`, `{"f":"10.0.0.1/32"}`))
	refuses(t, `{f|cidr: 10.0.0.0/33}`, "no network")
	refuses(t, `{f|cidr|contains: 10.0.0.0/8}`, "do not go together")
}

func TestFieldsAgainstFields(t *testing.T) {
	decide(t, `{a|fieldref: b}`, some(`{"a":"X","b":"x"}`, `{"a":1,"b":1.0}`, `{"a":["y","x"],"b":["z","x"]}`), some(`{"a":"x"}`, `{}`, `{"a":null,"b":null}`))
	decide(t, `{a|fieldref|neq: b}`, some(`{"a":"x","b":"y"}`, `{}`), some(`{"a":"x","b":"X"}`))
	decide(t, `{a|fieldref|startswith: b}`, some(`{"a":"xy","b":"x"}`), some(`{"a":"yx","b":"x"}`))
	decide(t, `{a|fieldref|endswith: b}`, some(`{"a":"xy","b":"Y"}`), some(`{"a":"yx","b":"y"}`))
	decide(t, `{a|fieldref|contains: b}`, some(`{"a":"xyz","b":"y"}`), some(`{"a":"xz","b":"y"}`))
}

func TestExpansionsAreBounded(t *testing.T) {
	refuses(t, `{f|windash: '-a -b -c -d -e -f -g'}`, "too many dashes")
	refuses(t, `{f|expand: '%many%%many%%many%'}`, "more than 10000")
	refuses(t, `{f|windash|base64offset|contains: '-a -b -c -d -e -f'}`, "too many dashes")
	refuses(t, `{f|windash|expand|base64offset|contains: '%many% -a -b -c'}`, "more than 10000")
	refuses(t, `{f|windash|expand: ['%many% -a -b', '%many% -c -d', '%many% -e -f']}`, "more than 10000 comparisons")
	decide(t, `{f: '*`+strings.Repeat("?", 32)+`*`+strings.Repeat("?", 32)+`'}`, some(`{"f":"`+strings.Repeat("é", 64)+`"}`), some(`{"f":"`+strings.Repeat("é", 63)+`"}`))
	decide(t, `{f: '`+strings.Repeat("?", 100)+`'}`, some(`{"f":"`+strings.Repeat("x", 100)+`"}`), nil)
}

func TestConditionWords(t *testing.T) {
	decide(t, "a: {x: 1}\nb: {x: 2}\ncondition: a OR NOT b", some(`{"x":1}`, `{}`), some(`{"x":2}`))
	decide(t, "notes: {x: 1}\nandroid: {y: 1}\noracle: {z: 1}\ncondition: notes and android or oracle", some(`{"z":1}`, `{"x":1,"y":1}`), some(`{"x":1}`))
	decide(t, "a: {x: 1}\nb: {y: 1}\nc: {z: 1}\ncondition: a or b and c", some(`{"x":1}`, `{"y":1,"z":1}`), some(`{"z":1}`))
	decide(t, "a: {x: 1}\nb: {y: 1}\ncondition: not a and b", some(`{"y":1}`), some(`{"x":1,"y":1}`, `{}`))
}

func TestConditionsAreAlternatives(t *testing.T) {
	decide(t, "a: {x: 1}\nb: {y: 1}\ncondition: [a, b]", some(`{"x":1}`, `{"y":1}`), some(`{}`))
}

func TestNOf(t *testing.T) {
	decide(t, "a: {x: 1}\nb: {y: 1}\nc: {z: 1}\ncondition: 2 of them", some(`{"x":1,"z":1}`), some(`{"x":1}`))
	decide(t, "a: {x: 1}\nb: {y: 1}\ncondition: any of them", some(`{"y":1}`), some(`{}`))
	decide(t, "a: {x: 1}\n_b: {y: 1}\ncondition: all of them", some(`{"x":1}`), some(`{"y":1}`))
	decide(t, "sel_a: {x: 1}\n_sel_b: {y: 1}\ncondition: 1 of _sel*", some(`{"y":1}`), some(`{"x":1}`))
	decide(t, "a: {x: 1}\ncondition: 1 of a", some(`{"x":1}`), some(`{}`))
	refuses(t, "a: {x: 1}\ncondition: 1 of b*", `no search matches "b*"`)
	refuses(t, "a: {x: 1}\ncondition: 2 of a*", "only 1 searches match")
}

func TestWhatIsRefused(t *testing.T) {
	refuses(t, `{f|nosuch: 1}`, "unknown")
	refuses(t, `{f|contains|contains: 1}`, "given twice")
	refuses(t, `{f|gt|lt: 1}`, "two comparisons")
	refuses(t, `{f|gt: '7'}`, "takes a number")
	refuses(t, `{f|contains: null}`, "null goes with")
	refuses(t, `{f|exists: 1}`, "true or false")
	refuses(t, `{f: []}`, "empty list")
	refuses(t, "s: {f: a}\ncondition: 's | count() > 5'", "event_count")
	refuses(t, "s: {f: a}\ntimeframe: 5m\ncondition: s", "timespan")
}

func TestFilterSaysWhatItSays(t *testing.T) {
	rules := "title: t\nid: a\nlogsource: {product: p}\ndetection: {s: {f: 1}, condition: s}\n---\n"
	f := func(filter string, yes, no []string) {
		t.Helper()
		docs, refused := sigma.Parse("r.yml", []byte(rules+"title: flt\nlogsource: {product: p}\nfilter:\n  rules: any\n  "+filter+"\n"))
		set, more := match.Compile(docs.Rules, match.Options{Filters: docs.Filters})
		if len(refused)+len(more) > 0 {
			t.Fatal(refused, more)
		}
		sc := set.NewScratch()
		for i, record := range append(yes, no...) {
			if hits, _ := set.MatchJSON(sc, []byte(record), match.Source{Product: "p"}); (len(hits) == 1) != (i < len(yes)) {
				t.Errorf("%s on %s: %d hits", filter, record, len(hits))
			}
		}
	}
	// It is joined with "and" as it stands, in parentheses, and its searches are
	// its own.
	f("s: {u: x}\n  condition: s", some(`{"f":1,"u":"x"}`), some(`{"f":1}`))
	f("s: {u: x}\n  condition: not s", some(`{"f":1}`), some(`{"f":1,"u":"x"}`))
	f("a: {u: x}\n  b: {v: x}\n  condition: not a or b", some(`{"f":1}`, `{"f":1,"u":"x","v":"x"}`), some(`{"f":1,"u":"x"}`, `{"v":"x"}`))
}

func TestOneNameOneRule(t *testing.T) {
	docs, _ := sigma.Parse("r.yml", []byte(strings.Repeat("title: t\nid: a\nlogsource: {product: p}\ndetection: {s: {f: 1}, condition: s}\n---\n", 2)))
	set, refused := match.Compile(docs.Rules, match.Options{})
	if set.Len() != 1 || len(refused) != 1 || !strings.Contains(refused[0].Reason, "another rule is called a already: r.yml:1") {
		t.Errorf("%d rules, %v", set.Len(), refused)
	}
}

func TestLogSourcesRoute(t *testing.T) {
	docs, _ := sigma.Parse("r.yml", []byte("title: t\nlogsource: {product: P}\ndetection: {s: {f: 1}, condition: not s}\n"))
	set, _ := match.Compile(docs.Rules, match.Options{})
	sc := set.NewScratch()
	for _, c := range []struct {
		source match.Source
		want   int
	}{{match.Source{Product: "p", Service: "x"}, 1}, {match.Source{Product: "q"}, 0}, {match.Source{}, 0}} {
		if hits, _ := set.MatchJSON(sc, []byte(`{}`), c.source); len(hits) != c.want {
			t.Errorf("%+v: %d hits", c.source, len(hits))
		}
	}
}
