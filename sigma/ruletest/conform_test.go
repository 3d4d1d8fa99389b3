package ruletest_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yagura-sec/yagura/sigma/ruletest"
)

func TestSharedCorpus(t *testing.T) {
	f, err := os.Open(filepath.Join("..", "..", "..", "shared", "data", "sigma-cases", "cases.jsonl"))
	if err != nil {
		t.Skip("the labelled corpus ../shared/data/sigma-cases is not here")
	}
	defer f.Close()
	got, err := ruletest.Conform(f)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range got.Failures {
		t.Errorf("%s: got %s, want %s: %s", x.ID, x.Got, x.Expected, x.Why)
	}
	t.Logf("%d passed, %d failed, %d skipped: %v", got.Passed, got.Failed, got.Skipped, got.Skips)
}

func TestConform(t *testing.T) {
	text := func(id, kind, more string) string {
		return `{"id":"` + id + `","kind":"` + kind + `","rule":"title: t\nlogsource: {product: x}\ndetection:\n  s: {a: 1}\n  condition: s\n"` + more + "}\n"
	}
	good := text("a", "rule", `,"event":{"a":1},"expect":true`)
	f := func(corpus string, line int, why string) {
		t.Helper()
		r, err := ruletest.Conform(strings.NewReader(corpus))
		if line == 0 {
			if err != nil {
				t.Errorf("%q: %v", corpus, err)
			}
			return
		}
		var at *ruletest.LineError
		if !errors.As(err, &at) || at.Line != line || !strings.Contains(err.Error(), why) {
			t.Errorf("%q: %+v, %v; want %q in line %d", corpus, r, err, why, line)
		}
		if r.Failed > 0 {
			t.Errorf("%q: what is no case failed as one: %+v", corpus, r)
		}
	}
	f(good, 0, "")
	f("\n"+good+"\n", 0, "")
	f(good+text("b", "correlation", `,"events":[],"expect":"x"`), 0, "")
	f(good+text("b", "rule", `,"event":{"a":1},"expect":true,"flags":["ambiguous"]`), 0, "")
	f(good+"title: no JSON\n", 2, "no case: invalid character")
	f(good+"{\n", 2, "no case: unexpected end")
	f("[]\n", 1, "no case: ")
	f(`{"eventName":"StopLogging"}`, 1, `"id" is missing`)
	f(good+"\n"+text("", "rule", `,"event":{},"expect":true`), 3, `"id" is missing`)
	f(text("b", "sequence", `,"event":{},"expect":true`), 1, `"kind" is "sequence"`)
	f(`{"id":"b","kind":"rule","event":{},"expect":true}`, 1, `"rule" is missing`)
	f(text("b", "rule", `,"expect":true`), 1, `"event" is missing`)
	f(text("b", "rule", `,"event":{}`), 1, `"expect" is missing`)
	f(text("b", "rule", `,"event":{},"expect":1`), 1, `"expect" is 1`)
	f(text("b", "rule", `,"event":{},"expect":"true"`), 1, `"expect" is "true"`)
	f(`{"id":"`+strings.Repeat("x", 64<<20)+`"}`, 1, "longer than 64 MiB")
	f("", 1, "without a case")
	f("\n\n", 3, "without a case")
}
