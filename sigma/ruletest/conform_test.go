package ruletest_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
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
	f(good+text("b", "correlation", `,"events":[],"expect":true`), 2, `"events" is missing`)
	f(good+text("b", "correlation", `,"events":[{"@ts":"now"}],"expect":true`), 0, "")
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

func TestConformCorrelations(t *testing.T) {
	const rules = "title: c\ncorrelation: {type: event_count, rules: [knock], group-by: [who], timespan: 1m, condition: {gte: 2}}\n" +
		"---\ntitle: knock\nname: knock\nlogsource: {product: door}\ndetection: {s: {kind: knock}, condition: s}\n"
	line := func(id, expect, groups, events string) string {
		return `{"id":"` + id + `","kind":"correlation","rule":` + strconv.Quote(rules) + `,"expect":` + expect + groups + `,"events":[` + events + "]}\n"
	}
	twice := `{"kind":"knock","who":"ann","@ts":0},{"kind":"knock","who":"ann","@ts":60}`
	got, err := ruletest.Conform(strings.NewReader(
		line("fires", "true", `,"expect_groups":["[\"ann\"]"]`, twice) +
			line("no groups said", "true", "", twice) +
			line("quiet", "false", `,"expect_groups":[]`, `{"kind":"knock","who":"ann","@ts":0},{"kind":"knock","who":"ann","@ts":60.5}`) +
			line("should fire", "true", "", `{"kind":"knock","who":"ann","@ts":0},{"kind":"ring","who":"ann","@ts":6}`) +
			line("other group", "true", `,"expect_groups":["[\"ben\"]"]`, twice) +
			line("no group", "true", `,"expect_groups":["ben"]`, twice) +
			line("no time", "true", "", `{"@ts":"now"}`)))
	if err != nil || got.Passed != 3 {
		t.Errorf("%+v, %v", got, err)
	}
	var failed []string
	for _, f := range got.Failures {
		failed = append(failed, f.ID+": "+f.Got)
	}
	if want := []string{"should fire: false", `other group: ["ann"]`, "no group: error", "no time: error"}; !slices.Equal(failed, want) {
		t.Errorf("failures are %q, want %q", failed, want)
	}
}
