package main

import (
	"fmt"

	"github.com/yagura-sec/yagura/finding"
	sentences "github.com/yagura-sec/yagura/say"
)

// showInferred shows who probably made calls whose records do not say, with what
// speaks for and against each in nats.
func (p *program) showInferred(i *finding.Inference) {
	if i == nil {
		return
	}
	fmt.Fprintf(p.stdout, "\nWho it probably was (inferred, not logged)\n")
	for _, c := range i.Candidates {
		told := sentences.T("refused.candidate", sentences.Values{"who": c.UID, "share": c.Probability})
		fmt.Fprintf(p.stdout, "  - %s\n", safe(oneLine(told.String())))
		for _, w := range c.Why {
			fmt.Fprintf(p.stdout, "    %+5.1f %s\n", w.Weight, safe(oneLine(w.Text.String())))
		}
	}
	none := sentences.T("refused.candidate", sentences.Values{"who": "none of those whom any log names", "share": i.None})
	fmt.Fprintf(p.stdout, "  - %s\n", safe(oneLine(none.String())))
	fmt.Fprintln(p.stdout, "  the filter that finds the records of each piece of evidence: --format json")
}

// showProposed shows the verdict that the evidence speaks for, and the commands
// that take it and draft what closes the finding.
func (p *program) showProposed(f *finding.Finding) {
	v := f.Proposed
	if v == nil {
		return
	}
	p.section(fmt.Sprintf("Proposed verdict: %s, %s", v.Verdict, v.Reason), len(v.Why), func(i int) string { return v.Why[i].String() })
	fmt.Fprintf(p.stdout, "  yagura findings drafts %s\n", f.Key)
	fmt.Fprintf(p.stdout, "  yagura findings triage %s --status resolved --verdict %s --reason %s\n", f.Key, v.Verdict, v.Reason)
}
