package match_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/match"
)

var placeholders = map[string][]string{"admins": {"root", "adm*"}, "many": strings.Split(strings.Repeat("x,", 200), ",")[:200]}

// compile makes a set of one rule with the given detection.
func compile(detection string) (*match.Set, []*sigma.Error) {
	text := "title: t\nid: 1\nlogsource: {product: p}\ndetection:\n  " + strings.ReplaceAll(detection, "\n", "\n  ")
	docs, refused := sigma.Parse("r.yml", []byte(text))
	set, more := match.Compile(docs.Rules, match.Options{Placeholders: placeholders})
	return set, append(refused, more...)
}

// TestMeaning says what rules mean, one decision a line: yes lists records that
// match, no such that do not.
func TestMeaning(t *testing.T) {
	f := func(detection string, yes, no []string) {
		t.Helper()
		if !strings.Contains(detection, "condition:") {
			detection = "s: " + detection + "\ncondition: s"
		}
		set, refused := compile(detection)
		for _, e := range refused {
			t.Errorf("%s: %v", detection, e)
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
	l := func(records ...string) []string { return records }

	// Text.
	f(`{f: Abc}`, l(`{"f":"aBC"}`, `{"f":["x","abc"]}`), l(`{"f":"abcd"}`, `{"f":null}`, `{}`, `{"F":"abc"}`))
	f(`{f: 'ÄÖ'}`, l(`{"f":"äö"}`, `{"f":"\u00e4\u00d6"}`), l(`{"f":"ao"}`))
	f(`{f: strasse}`, l(`{"f":"ſtraſſe"}`), l(`{"f":"straße"}`))
	f(`{f: '😀'}`, l(`{"f":"\ud83d\ude00"}`, `{"f":"😀"}`), l(`{"f":"\ud83d"}`, `{"f":"\ude00\ud83d"}`))
	f(`{f: 'a\', g: '"\"'}`, l(`{"f":"a\\","g":"\"\\\""}`, `{"\u0066":"a\\","h":"\\","g":"\"\\\""}`), l(`{"f":"a"}`))
	f(`{f: ''}`, l(`{"f":""}`), l(`{}`, `{"f":null}`, `{"f":" "}`, `{"f":[]}`))
	f(`{f: 'true'}`, l(`{"f":true}`, `{"f":"True"}`), l(`{"f":1}`, `{"f":false}`))
	f(`{f: yes}`, l(`{"f":"YES"}`), l(`{"f":true}`))
	f(`{f|cased: Abc}`, l(`{"f":"Abc"}`), l(`{"f":"abc"}`))
	f(`{f|contains|cased: B}`, l(`{"f":"aBc"}`), l(`{"f":"abc"}`))
	// Wildcards and escapes.
	f(`{f: 'a*c'}`, l(`{"f":"ac"}`, `{"f":"a\nbC"}`), l(`{"f":"acb"}`))
	f(`{f: 'a?c'}`, l(`{"f":"aéc"}`), l(`{"f":"ac"}`, `{"f":"abbc"}`))
	f(`{f: '*'}`, l(`{"f":""}`, `{"f":0}`, `{"f":{}}`), l(`{"f":null}`, `{}`, `{"f":[]}`))
	f(`{f: '*a*b*c'}`, l(`{"f":"xabbcc"}`), l(`{"f":"acb"}`))
	f(`{f: 'a\*'}`, l(`{"f":"a*"}`), l(`{"f":"ab"}`))
	f(`{f: 'a\\*'}`, l(`{"f":"a\\b"}`), l(`{"f":"ab"}`, `{"f":"*"}`))
	f(`{f: 'a\\\*'}`, l(`{"f":"a\\*"}`), l(`{"f":"a\\b"}`))
	f(`{f: 'C:\Windows\x'}`, l(`{"f":"c:\\windows\\X"}`), l(`{"f":"c:windowsx"}`))
	f(`{f|startswith: 'a?'}`, l(`{"f":"abz"}`), l(`{"f":"a"}`))
	f(`{f|endswith: '*x'}`, l(`{"f":"ax"}`), l(`{"f":"xa"}`))
	f(`{f|contains: ''}`, l(`{"f":""}`, `{"f":1}`), l(`{}`))
	f(`{f|contains|all: [a, b]}`, l(`{"f":"xbxa"}`, `{"f":["a","b"]}`), l(`{"f":"a"}`))
	// Numbers.
	f(`{f: 42}`, l(`{"f":42}`, `{"f":"42"}`, `{"f":42.0}`, `{"f":4.2e1}`), l(`{"f":"042"}`, `{"f":"42x"}`, `{"f":43}`, `{"f":true}`))
	f(`{f: '42'}`, l(`{"f":42}`), l(`{"f":42.0}`))
	f(`{f: 9007199254740993}`, l(`{"f":9007199254740993}`), l(`{"f":9007199254740992}`))
	f(`{f: 123456789012345678901234567890}`, l(`{"f":123456789012345678901234567890}`), l(`{"f":123456789012345678901234567891}`))
	f(`{f: 0}`, l(`{"f":-0}`, `{"f":0.0}`), l(`{"f":"-"}`))
	f(`{f|gt: -2.5}`, l(`{"f":-2}`, `{"f":"3"}`, `{"f":[-9,1]}`), l(`{"f":-2.5}`, `{"f":"x"}`, `{}`))
	f(`{f|lte: 10}`, l(`{"f":10}`, `{"f":-11}`), l(`{"f":11}`, `{"f":null}`))
	f(`{f|lt: 100}`, l(`{"f":"99"}`, `{"f":-1000}`), l(`{"f":100}`, `{"f":1e400}`))
	f(`{f|gte: -100}`, l(`{"f":-99}`, `{"f":-100}`), l(`{"f":-101}`))
	// Null, presence, inequality.
	f(`{f: null}`, l(`{}`, `{"f":null}`, `{"f":["a",null]}`), l(`{"f":""}`, `{"f":"null"}`, `{"f":[]}`))
	f(`{f: [null, '']}`, l(`{}`, `{"f":""}`), l(`{"f":"x"}`))
	f(`{f|neq: null}`, l(`{"f":""}`), l(`{}`, `{"f":null}`))
	f(`{f|exists: true}`, l(`{"f":null}`, `{"f":[]}`, `{"f":""}`), l(`{}`))
	f(`{a.b|exists: false}`, l(`{}`, `{"a":{}}`, `{"a":1}`, `{"a":[]}`), l(`{"a":{"b":null}}`, `{"a.b":1}`))
	f(`{f|neq: [a, b]}`, l(`{}`, `{"f":"c"}`), l(`{"f":"A"}`, `{"f":["c","b"]}`))
	f(`{f|contains|neq: a}`, l(`{"f":"xyz"}`), l(`{"f":"xay"}`))
	// Expressions, networks, dates.
	f(`{f|re: '^a.c$'}`, l(`{"f":"abc"}`), l(`{"f":"ABC"}`, `{"f":"a\nc"}`, `{"f":"xabc"}`))
	f(`{f|re|i|s: 'A.C'}`, l(`{"f":"xa\ncx"}`), l(`{"f":"ac"}`))
	f(`{f|re|m: '^b$'}`, l(`{"f":"a\nb"}`), l(`{"f":"ab"}`))
	f(`{f|cidr: [10.1.2.3/8, '2001:db8::/32', 192.0.2.1]}`, l(`{"f":"10.9.9.9"}`, `{"f":"2001:DB8::1"}`, `{"f":"192.0.2.1"}`, `{"f":"::ffff:10.0.0.1"}`), l(`{"f":"11.0.0.1"}`, `{"f":"10.0.0.1:80"}`, `{"f":"s3.amazonaws.com"}`, `{"f":10}`))
	f(`{f|hour: 22}`, l(`{"f":"2026-03-01T22:15:09Z"}`, `{"f":"2026-03-01 22:15"}`, `{"f":"2026-03-01T22:15:09+09:00"}`), l(`{"f":"2026-03-01"}`, `{"f":"2026-02-30T22:15:09Z"}`, `{"f":"22"}`, `{"f":1772403309}`))
	f(`{f|hour|gte: 20}`, l(`{"f":"2026-03-01T22:15:09Z"}`), l(`{"f":"2026-03-01T03:15:09Z"}`))
	f(`{f|lt|minute: 15}`, l(`{"f":"2026-03-01T22:14:09Z"}`), l(`{"f":"2026-03-01T22:15:09Z"}`))
	f(`{f|week: 1}`, l(`{"f":"2024-12-30"}`), l(`{"f":"2026-01-05"}`))
	f(`{f|day: 1, f|month: 3, f|year: 2026}`, l(`{"f":"2026-03-01"}`), l(`{"f":"2026-03-02"}`))
	// Encodings.
	f(`{f|base64: 'foo bar'}`, l(`{"f":"Zm9vIGJhcg=="}`), l(`{"f":"foo bar"}`))
	f(`{f|base64offset|contains: ping}`, l(`{"f":"cGluZw=="}`, `{"f":"IHBpbmc="}`, `{"f":"eHhwaW5nIHg="}`), l(`{"f":"cG9uZw=="}`))
	f(`{f|wide|base64offset|contains: ping}`, l(`{"f":"cABpAG4AZwA="}`), l(`{"f":"cGluZw=="}`))
	f(`{f|utf16be|base64: cmd}`, l(`{"f":"AGMAbQBk"}`), l(`{"f":"YwBtAGQA"}`))
	f(`{f|utf16|base64: cmd}`, l(`{"f":"//5jAG0AZAA="}`), l(`{"f":"YwBtAGQA"}`))
	f(`{f|windash|contains: ' -a-b'}`, l(`{"f":"x /a-b"}`, `{"f":"x —a-b"}`), l(`{"f":"x /a/b"}`))
	f(`{f|expand: '%admins%'}`, l(`{"f":"ROOT"}`, `{"f":"administrator"}`), l(`{"f":"%admins%"}`))
	f(`{f|contains|expand: 'x%admins%y'}`, l(`{"f":"-xrooty-"}`, `{"f":"xadm1y"}`), l(`{"f":"root"}`))
	f(`{f|expand: '\%admins% %admins%'}`, l(`{"f":"%admins% root"}`), l(`{"f":"root root"}`))
	f(`{f: '%admins%'}`, l(`{"f":"%admins%"}`), l(`{"f":"root"}`))
	// Other fields.
	f(`{a|fieldref: b.c}`, l(`{"a":"X","b":{"c":["y","x"]}}`, `{"a":1,"b":{"c":1.0}}`), l(`{"a":"x"}`, `{}`, `{"a":null,"b":{"c":null}}`))
	f(`{a|fieldref|endswith: b}`, l(`{"a":"x.exe","b":".EXE"}`), l(`{"a":".exe","b":"x.exe"}`))
	f(`{a|fieldref|cased: b}`, l(`{"a":"x","b":"x"}`), l(`{"a":"x","b":"X"}`))
	f(`{a|fieldref|neq: b}`, l(`{"a":"x","b":"y"}`, `{}`), l(`{"a":"x","b":"x"}`))
	// Names of fields.
	f(`{a.b.c: x}`, l(`{"a.b.c":"x"}`, `{"a":{"b.c":"x"}}`, `{"a":{"b":{"c":"x"}}}`, `{"a":[{"b":{"c":"y"}},{"b":[{"c":["x"]}]}]}`), l(`{"a":{"b":{"c":"x"}},"a.b.c":"y"}`, `{"a.b.c":"y","a":{"b.c":"x"}}`, `{"c":"x"}`))
	f(`{'x y': 1, 'a-b': 2}`, l(`{"x y":1,"a-b":2}`), l(`{"x y":1}`))
	f(`{p|contains: '"k":"v"'}`, l(`{"p":{ "j" : 1 , "k" : "v" }}`, `{"p":[{"k":"v"}]}`), l(`{"p":{"k":"w"}}`))
	f(`{p: '{"k":["V"]}'}`, l(`{"p":{ "K" : [ "v" ] }}`, `{"p":[{"k":["v"]}]}`), l(`{"p":{"k":"v"}}`))
	f(`{p: x, p.q: y}`, l(`{"p":["x",{"q":"y"}]}`), l(`{"p":"x"}`))
	f(`{f: b}`, l(`{"f":"a","f":"b"}`, `{"f":"b","f":"a"}`), l(`{"f":"a","f":"c"}`))
	// Keywords.
	f(`[Evil, 4625]`, l(`{"m":"so EVIL"}`, `{"a":{"b":["x","evil"]}}`, `{"n":46250}`), l(`{"evil":"x"}`, `{}`))
	f(`['e*l']`, l(`{"m":"an e vil b"}`), l(`{"m":"x"}`))
	f(`{'|all': [a, b]}`, l(`{"x":"a","y":"b"}`), l(`{"x":"a"}`))
	f(`{'|re': '^a+$'}`, l(`{"x":"aa"}`), l(`{"x":"ba"}`))
	// Conditions.
	f("a: {x: 1}\nb: {y: 1}\nc: {z: 1}\ncondition: 2 of them", l(`{"x":1,"z":1}`, `{"x":1,"y":1,"z":1}`), l(`{"x":1}`))
	f("a: {x: 1}\nb: {y: 1}\ncondition: [a, not b]", l(`{"x":1,"y":1}`, `{}`), l(`{"y":1}`))
	f("a: [{x: 1, y: 1}, {z: 1}]\n_b: {w: 1}\ncondition: all of them", l(`{"z":1}`, `{"x":1,"y":1}`), l(`{"x":1}`, `{"w":1}`))
}

func TestRefuses(t *testing.T) {
	f := func(detection string, line, col int, reason string) {
		t.Helper()
		if !strings.Contains(detection, "condition:") {
			detection = "s: " + detection + "\ncondition: s"
		}
		set, refused := compile(detection)
		if set.Len() != 0 || len(refused) == 0 {
			t.Errorf("%s: %d rules, no error", detection, set.Len())
			return
		}
		if e := refused[0]; e.Line != line || e.Col != col || !strings.Contains(e.Reason, reason) {
			t.Errorf("%s: refused with %v, want %q at %d:%d", detection, e, reason, line, col)
		}
	}
	f(`{f|nosuch: 1}`, 5, 7, `f|nosuch: modifier "nosuch" is unknown`)
	f(`{f|contains|contains: 1}`, 5, 7, "given twice")
	f(`{f|i: a}`, 5, 7, "behind re")
	f(`{f|contains|re: a}`, 5, 7, "re has to stand before contains")
	f(`{f|re|startswith|endswith: a}`, 5, 7, "startswith, endswith do not go together")
	f(`{f|re|windash: a}`, 5, 7, "re and windash do not go together")
	f(`{f|re|cidr: a}`, 5, 7, "re and cidr do not go together")
	f(`{f|gt|lt: 1}`, 5, 7, "two comparisons")
	f(`{f|contains|exists: true}`, 5, 7, "exists and contains")
	f(`{f|fieldref|startswith|endswith: a}`, 5, 7, "do not go together")
	f(`{f|re: '(a'}`, 5, 13, "missing closing")
	f(`{f|re: '(?=a)'}`, 5, 13, "no look-around")
	f(`{f|re: 'a(?<!b)'}`, 5, 13, "no look-around")
	f(`{f|re: '(a)\1'}`, 5, 13, "no back references")
	f(`{f|contains: 'a*`+strings.Repeat("a?", 33)+`b'}`, 5, 19, "more than 32 question marks")
	f(`{f|hour|gt: 23}`, 5, 18, "hour is never greater than 23: it goes from 0 to 23")
	f(`{f|hour|lt: 0}`, 5, 18, "hour is never less than 0")
	f(`{f|week|gte: 54}`, 5, 19, "week is never at least 54")
	f(`{f|day|lte: 0}`, 5, 18, "day is never at most 0")
	f(`{f: '*`+strings.Repeat("?", 33)+`'}`, 5, 10, "more than 32 question marks")
	f(`{f|cidr: 10.0.0.0/99}`, 5, 15, "no network")
	f(`{f|gt: '7'}`, 5, 13, "takes a number")
	f(`{f|exists: 1}`, 5, 17, "true or false")
	f(`{f|fieldref: 1}`, 5, 19, "name of a field")
	f(`{f|base64: 'a*'}`, 5, 17, "wildcard cannot be encoded")
	f(`{f|contains|base64: 'a'}`, 5, 26, "wildcard cannot be encoded")
	f(`{f|contains: null}`, 5, 19, "null goes with")
	f(`{f|expand: '%nobody%'}`, 5, 17, "%nobody% has no values")
	f(`{f|expand: 'plain'}`, 5, 17, "no value holds a %placeholder%")
	f(`{f|expand: '%many%%many%%many%'}`, 5, 17, "more than 10000")
	f(`{f|windash: '-a -b -c -d -e -f -g'}`, 5, 18, "too many dashes")
	f(`{'|gt': 1}`, 5, 14, "needs a field")
	f("s: {f: a}\ncondition: s or t", 6, 19, `no search called "t"`)
	f("s: {f: a}\ncondition: 1 of t*", 6, 14, `no search matches "t*"`)
	f("s: {f: a}\ncondition: 3 of s*", 6, 14, "only 1 searches match")
	f("s: {f: a}\ncondition: 's | count() by x > 5'", 6, 17, "event_count")
	f("s: {f: a}\ncondition: >\n  s\n  and", 6, 14, "ends where")
}

// One bad rule never drops another, and two rules never share a name.
func TestBadRulesStayAlone(t *testing.T) {
	doc := func(id, detection string) string {
		return "title: t\nid: " + id + "\nlogsource: {product: p}\ndetection: {" + detection + "}\n---\n"
	}
	docs, refused := sigma.Parse("r.yml", []byte(doc("a", "s: {f: 1}, condition: s")+doc("b", "s: {f|re: '('}, condition: s")+
		doc("c", "s: {f: 2}, condition: s")+doc("a", "s: {f: 3}, condition: s")+doc("d", "condition: s")))
	set, more := match.Compile(docs.Rules, match.Options{})
	var got []string
	for _, e := range append(refused, more...) {
		got = append(got, fmt.Sprintf("%d %s", e.Line, e.Rule))
	}
	if set.Len() != 2 || strings.Join(got, ", ") != "24 d, 9 b, 17 a" {
		t.Errorf("%d rules, refused %v", set.Len(), got)
	}
	if n := len(set.Program().Atoms); n != 2 {
		t.Errorf("%d atoms, want those of the two rules", n)
	}
}

// What an expression lacks is said of those only that ask for it.
func TestOnlyLookAroundIsCalledThat(t *testing.T) {
	for _, text := range []string{"(a", "{1000}{1000}", "a++", "[b", `\y`, "(?P<a", "(?<n"} {
		_, refused := compile("s: {f|re: '" + text + "'}\ncondition: s")
		if len(refused) != 1 || strings.Contains(refused[0].Reason, "RE2") {
			t.Errorf("%s: %v", text, refused)
		}
	}
}

// A broken filter is told once, and the rules it covers go on without it.
func TestBrokenFilters(t *testing.T) {
	rule := func(id string) string {
		return "title: t\nid: " + id + "\nlogsource: {product: p}\ndetection: {s: {f: " + id + "}, condition: s}\n---\n"
	}
	text := rule("1") + rule("2") + "title: bad\nid: flt\nlogsource: {product: p}\nfilter: {rules: any, s: {u|nosuch: a, g: x}, condition: not s}\n---\n" +
		"title: good\nid: fine\nlogsource: {product: p}\nfilter: {rules: any, s: {u: adm}, condition: not s}\n"
	docs, refused := sigma.Parse("r.yml", []byte(text))
	set, more := match.Compile(docs.Rules, match.Options{Filters: docs.Filters})
	if refused = append(refused, more...); len(refused) != 1 || refused[0].Rule != "flt" ||
		refused[0].Error() != `r.yml:14:26: u|nosuch: modifier "nosuch" is unknown (the filter is left out: 2 rules go on without it and may match more)` {
		t.Errorf("told %v", refused)
	}
	if set.Len() != 2 || len(set.Program().Atoms) != 3 {
		t.Errorf("%d rules of %d atoms", set.Len(), len(set.Program().Atoms))
	}
	sc := set.NewScratch()
	for record, want := range map[string]int{`{"f":1}`: 1, `{"f":2,"u":"a"}`: 1, `{"f":2,"u":"adm"}`: 0} {
		if hits, err := set.MatchJSON(sc, []byte(record), match.Source{Product: "p"}); err != nil || len(hits) != want {
			t.Errorf("%s: %v, %v", record, hits, err)
		}
	}
}

func TestRouting(t *testing.T) {
	var docs sigma.Documents
	for i, source := range []string{"{product: aws, service: cloudtrail}", "{product: aws}", "{category: process_creation, product: windows}", "{service: cloudtrail}", "{product: AWS, service: other}"} {
		some, _ := sigma.Parse("r.yml", fmt.Appendf(nil, "title: t\nid: %d\nlogsource: %s\ndetection: {s: {f: 1}, condition: s}\n", i, source))
		docs.Add(some)
	}
	set, _ := match.Compile(docs.Rules, match.Options{})
	f := func(src match.Source, want string) {
		t.Helper()
		if got := fmt.Sprint(set.Applies(src)); got != want {
			t.Errorf("%+v: rules %s, want %s", src, got, want)
		}
	}
	f(match.Source{Product: "aws", Service: "cloudtrail"}, "[0 1 3]")
	f(match.Source{Product: "aws"}, "[1]")
	f(match.Source{Product: "Windows", Category: "process_creation"}, "[2]")
	f(match.Source{}, "[]")
}

func TestFilters(t *testing.T) {
	text := "title: t\nid: a\nname: n\nlogsource: {product: p}\ndetection: {s: {f: 1}, condition: s}\n---\n" +
		"title: flt\nlogsource: {product: p}\nfilter: {rules: [n], s: {u|startswith: adm_}, condition: not s}\n"
	docs, _ := sigma.Parse("r.yml", []byte(text))
	set, refused := match.Compile(docs.Rules, match.Options{Filters: docs.Filters})
	if len(refused) > 0 {
		t.Fatal(refused)
	}
	sc := set.NewScratch()
	f := func(record string, want int) {
		t.Helper()
		if hits, _ := set.MatchJSON(sc, []byte(record), match.Source{Product: "p"}); len(hits) != want {
			t.Errorf("%s: %d hits", record, len(hits))
		}
	}
	f(`{"f":1}`, 1)
	f(`{"f":1,"u":"adm_x"}`, 0)
	f(`{"f":2,"u":"bob"}`, 0)
}

func TestBadRecords(t *testing.T) {
	set, _ := compile("s: {a.b: 1}\ncondition: s")
	sc := set.NewScratch()
	for _, bad := range []string{``, `[]`, `"x"`, `{`, `{"a"`, `{"a":`, `{"a":}`, `{"a":{"b":1}`, `{"a":[1,]}`, `{"a":"x}`, `{"a" 1}`, `{"a":1}x`, `{,}`, `{"a.b":1,"a":{`,
		`{"a":{"b":1],"y":1}`, `{"y":{"a":1],"a":1}`, `{"y":[{"b":[}],"a":1}`, `{"y":[1}}`, `{"y":tru,"a":1}`, `{"a":{"b":tru}}`, `{"a":{"b":nulll}}`,
		`{"a":NaN}`, `{"a":{"b":01}}`, `{"a":{"b":1.}}`, `{"a":{"b":-}}`, `{"a":{"b":+1}}`, `{"a":{"b":[1,1e]}}`, `{"y":0x1,"a":1}`, `{"y":1 2}`,
		`{"y":` + strings.Repeat("[", 1000) + "}" + strings.Repeat("]", 999) + `}`,
	} {
		if hits, err := set.MatchJSON(sc, []byte(bad), match.Source{Product: "p"}); err == nil {
			t.Errorf("%q gives %v and no error", bad, hits)
		}
		// A bad record leaves nothing behind.
		if hits, err := set.MatchJSON(sc, []byte(`{"a":{"b":1}}`), match.Source{Product: "p"}); err != nil || len(hits) != 1 {
			t.Fatalf("after %q a good record gives %v, %v", bad, hits, err)
		}
	}
	deep := strings.Repeat(`{"a":`, 100_000) + "1" + strings.Repeat("}", 100_000)
	if _, err := set.MatchJSON(sc, []byte(deep), match.Source{Product: "p"}); err != nil {
		t.Errorf("what no rule looks at may nest at will: %v", err)
	}
	// Nobody hides a field behind one that nests.
	arrays := `{"a":` + strings.Repeat(`[`, 100_000) + strings.Repeat("]", 100_000) + `,"a.b":1}`
	if hits, err := set.MatchJSON(sc, []byte(arrays), match.Source{Product: "p"}); err != nil || len(hits) != 1 {
		t.Errorf("behind an array that nests deep: %v, %v", hits, err)
	}
	objects := `{"a":` + strings.Repeat(`[{"b":`, 100_000) + "1" + strings.Repeat("}]", 100_000) + `,"a.b":1}`
	if hits, err := set.MatchJSON(sc, []byte(objects), match.Source{Product: "p"}); err != nil || len(hits) != 1 {
		t.Errorf("behind an object that nests deep: %v, %v", hits, err)
	}
}

func TestSharedByGoroutines(t *testing.T) {
	set, _ := match.Compile(own(t), match.Options{})
	all := records(200)
	var want []string
	sc := set.NewScratch()
	for _, r := range all {
		hits, _ := set.MatchJSON(sc, r, cloudtrail)
		want = append(want, fmt.Sprint(hits))
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			sc := set.NewScratch()
			for i, r := range all {
				if hits, _ := set.MatchJSON(sc, r, cloudtrail); fmt.Sprint(hits) != want[i] {
					t.Errorf("record %d: %v, want %s", i, hits, want[i])
				}
			}
		})
	}
	wg.Wait()
}

func FuzzRules(f *testing.F) {
	f.Add("title: t\nlogsource: {product: p}\ndetection:\n  s: {f|contains|all: [a, '*b\\*']}\n  condition: s or not 1 of s*\n")
	f.Add("title: t\nlogsource: {product: p}\ndetection:\n  s: {f|windash|base64offset|contains: -x}\n  k: [a, {b|re|i: 'x+'}]\n  condition: [s, all of them]\n---\ntitle: [\n")
	f.Add("a: &a [*a]\n")
	f.Add("title: f\nlogsource: {product: p}\nfilter: {rules: any, s: {u|cidr: 10.0.0.0/8}, condition: not s}\n")
	f.Fuzz(func(t *testing.T, text string) {
		docs, refused := sigma.Parse("r.yml", []byte(text))
		set, more := match.Compile(docs.Rules, match.Options{Placeholders: placeholders, Filters: docs.Filters})
		for _, e := range append(refused, more...) {
			if e.Line < 1 || e.Col < 1 || e.Reason == "" {
				t.Fatalf("%+v has no place or no reason", e)
			}
		}
		sc := set.NewScratch()
		for i := range set.Len() {
			if _, err := set.ExplainJSON(sc, []byte(`{"f":"a -x","a":{"b":[1,null]}}`), match.Source{}, i); err != nil {
				t.Fatal(err)
			}
		}
	})
}
