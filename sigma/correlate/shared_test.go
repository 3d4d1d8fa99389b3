package correlate_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/correlate"
)

// What others wrote compiles, or is refused for a reason: here, that the rules
// they refer to are not in their file.
func TestOthersCorrelations(t *testing.T) {
	root := filepath.Join("..", "..", "..", "shared", "data", "sigma")
	if _, err := os.Stat(root); err != nil {
		t.Skip("the files of others ../shared/data/sigma are not here")
	}
	seen, compiled := 0, 0
	for _, dir := range []string{"specification/tests/schema/correlation", "pysigma-files/ruleset", "pysigma-files/ruleset_nonduplicate"} {
		docs, refused := sigma.LoadPath(filepath.Join(root, filepath.FromSlash(dir)))
		for _, e := range refused {
			t.Errorf("%s", e)
		}
		seen += len(docs.Correlations) + len(docs.Rules)
		_, errs := correlate.Compile(docs.Correlations, docs.Rules, correlate.Options{})
		for _, e := range errs {
			// The specification's examples are alternatives, and two share an id.
			if !strings.Contains(e.Reason, "there is no rule with the id or name") && !strings.Contains(e.Reason, "is that of the correlation") {
				t.Errorf("%s", e)
			}
		}
		// With the rules that they name they compile.
		for _, c := range docs.Correlations {
			for _, ref := range c.Rules {
				docs.Rules = append(docs.Rules, &sigma.Rule{Meta: sigma.Meta{Name: ref.Rule}})
			}
			plan, errs := correlate.Compile([]*sigma.Correlation{c}, docs.Rules, correlate.Options{})
			for _, e := range errs {
				if !strings.Contains(e.Reason, "several rules") {
					t.Errorf("%s", e)
				}
			}
			compiled += len(plan.Correlations)
			docs.Rules = docs.Rules[:len(docs.Rules)-len(c.Rules)]
		}
	}
	if seen < 10 || compiled < 8 {
		t.Errorf("%d documents, %d correlations that compile", seen, compiled)
	}
}

// The specification's example of a chain, in our own words.
func TestSpecificationChain(t *testing.T) {
	r := newRig(t, `title: Many refusals, then let in
correlation:
    type: temporal_ordered
    rules:
        - many_refused
        - let_in
    group-by:
        - who
    timespan: 10m
level: high
---
title: Many refusals
name: many_refused
correlation:
    type: event_count
    rules:
        - refused
    group-by:
        - who
    timespan: 10m
    condition:
        gte: 4
`, base("refused"), base("let_in"))
	r.want(`0 {"kind":"refused","who":"x"}
		1 {"kind":"refused","who":"x"}
		2 {"kind":"refused","who":"x"}
		3 {"kind":"refused","who":"y"}
		4 {"kind":"refused","who":"x"}
		5 {"kind":"let_in","who":"x"}
		6 {"kind":"let_in","who":"y"}`, "many_refused:x@4=4[0 1 2 4] x@5=2[many_refused 5]")
}
