package match_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/match"
)

// bounded wants text refused for one reason at a place, and cheaply: allocated
// counts bytes, which do not depend on how busy the machine is.
func bounded(t *testing.T, text string, line, col int, reason string, most uint64) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	docs, refused := sigma.Parse("r.yml", []byte(text))
	set, more := match.Compile(docs.Rules, match.Options{Filters: docs.Filters})
	runtime.ReadMemStats(&after)
	if refused = append(refused, more...); set.Len() != 0 || len(refused) != 1 {
		t.Fatalf("%d rules, %d refused", set.Len(), len(refused))
	}
	if e := refused[0]; e.Line != line || e.Col != col || !strings.Contains(e.Reason, reason) {
		t.Errorf("refused with %v, want %q at %d:%d", e, reason, line, col)
	}
	if n := after.TotalAlloc - before.TotalAlloc; n > most {
		t.Errorf("allocates %d MB", n>>20)
	}
}

const header = "title: t\nlogsource: {product: p}\ndetection:\n"

// A few kilobytes of rule must not unfold into gigabytes.
func TestRulesAreBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString(header)
	for i := range 400 {
		fmt.Fprintf(&b, "  s%d: {f%d|windash|base64offset|contains: ' -a -b -c -d -e'}\n", i, i)
	}
	bounded(t, b.String()+"  condition: 1 of them\n", 9, 42, "the rule unfolds into more than 50000 comparisons", 200<<20)

	b.Reset()
	b.WriteString(header + "  s:\n    f|re:\n")
	for i := range 2000 {
		fmt.Fprintf(&b, "      - v%d.{1,900}w(x|y){1,500}%d\n", i, i)
	}
	bounded(t, b.String()+"  condition: s\n", 66, 9, "have more than 200000 instructions", 200<<20)

	bounded(t, header+"  s: {f|windash|contains: ' -a -b -c "+strings.Repeat("x", 1<<20)+"'}\n  condition: s\n", 4, 27, "too many dashes", 200<<20)

	b.Reset()
	b.WriteString(header + "  s:\n    f:\n")
	for i := range 9000 {
		fmt.Fprintf(&b, "      - v%d\n", i)
	}
	bounded(t, b.String()+"  condition: s"+strings.Repeat(" or s", 100)+"\n", 9006, 14, "condition: unfolds into more than 200000 comparisons", 200<<20)
}

// All rules together are bounded too; what still fits goes in.
func TestSetsAreBounded(t *testing.T) {
	var b strings.Builder
	for i := range 11 {
		fmt.Fprintf(&b, "title: r%d\nid: r%d\nlogsource: {product: p}\ndetection:\n", i, i)
		for k := range 5 {
			fmt.Fprintf(&b, "  s%d: {f%d|windash|base64offset|contains: ' -a -b -c -d -e'}\n", k, k)
		}
		b.WriteString("  condition: 1 of them\n---\n")
	}
	b.WriteString("title: small\nid: small\nlogsource: {product: p}\ndetection: {s: {f: a}, condition: s}\n")
	docs, refused := sigma.Parse("r.yml", []byte(b.String()))
	set, more := match.Compile(docs.Rules, match.Options{})
	if refused = append(refused, more...); len(refused) != 1 || refused[0].Rule != "r10" || !strings.Contains(refused[0].Reason, "all rules unfold into more than 500000 comparisons") {
		t.Errorf("refused %v", refused)
	}
	if set.Len() != 11 || set.Rule(10).ID != "small" {
		t.Errorf("%d rules", set.Len())
	}
}

// An explanation of a rule with thousands of values shows those that matter.
func TestExplanationsAreBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString(header + "  s:\n    f:\n")
	for i := range 9000 {
		fmt.Fprintf(&b, "      - v%d\n", i)
	}
	b.WriteString("  t: {g: 1}\n  condition: s and not t\n")
	docs, _ := sigma.Parse("r.yml", []byte(b.String()))
	set, more := match.Compile(docs.Rules, match.Options{})
	if len(more) > 0 {
		t.Fatal(more)
	}
	f := func(record string, held bool, steps, left int, fact string) {
		t.Helper()
		e, err := set.ExplainJSON(set.NewScratch(), []byte(record), match.Source{Product: "p"}, 0)
		if err != nil || e.Held != held {
			t.Fatalf("%s: held %v, %v", record, e.Held, err)
		}
		item := e.Root.Steps[0].Steps[0]
		if item.Kind != "item" || len(item.Steps) != steps || item.LeftOut != left {
			t.Errorf("%s: %s of %d steps, %d left out", record, item.Kind, len(item.Steps), item.LeftOut)
		}
		if facts := e.Facts(); len(facts) == 0 || facts[0].Pattern != fact {
			t.Errorf("%s: %d facts, want %s first", record, len(facts), fact)
		}
	}
	f(`{"f":"v8765"}`, true, match.MaxSteps, 9000-match.MaxSteps, "v8765")
	f(`{"f":"w"}`, false, match.MaxSteps, 9000-match.MaxSteps, "v0")
}
