package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/yagura-sec/yagura/detect/external"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/triage"
)

// foldedLine says in a list what folding makes of a finding; empty: nothing.
func foldedLine(f *finding.Finding) string {
	switch {
	case f.Folded != "":
		return "folded into " + f.Folded
	case f.Apart != nil:
		return "stands beside " + f.Apart.Beside + ": " + f.Apart.Text.String()
	case len(f.Also) > 0:
		var by, parts []string
		for _, r := range f.Also {
			switch {
			case r.Count > 0:
				parts = append(parts, partsOf(&r))
			case !slices.Contains(by, r.Product):
				by = append(by, r.Product)
			}
		}
		if len(by) > 0 {
			parts = append(parts, "also reported by "+strings.Join(by, ", "))
		}
		return strings.Join(parts, "; ")
	}
	return ""
}

// partsOf says how many findings of ours are folded into one, and of which rule.
func partsOf(r *finding.Also) string {
	return fmt.Sprintf("%s of %q folded into it", many(int64(r.Count), "finding", "findings"), r.Title.String())
}

// showFolded shows who else reports the trouble.
func (p *program) showFolded(f *finding.Finding) {
	p.section("Also reported by", len(f.Also), func(i int) string {
		r := &f.Also[i]
		if r.Count > 0 {
			return fmt.Sprintf("%s (%s, last seen %s): yagura findings list --folded --rule %s --account %s", partsOf(r), r.Severity, stamp(r.LastSeen), r.Rule, f.Account)
		}
		said := string(r.Given)
		if r.Own != "" {
			said = r.Own
		}
		return strings.TrimSpace(fmt.Sprintf("%s: %s (%s, %s there, %s, last seen %s) as %s %s", r.Product, r.Title, r.Severity, said, r.Key, stamp(r.LastSeen), r.UID, r.Link))
	})
	if len(f.Also) == 0 {
		if told := foldedLine(f); told != "" {
			fmt.Fprintf(p.stdout, "\n%s\n", safe(oneLine(strings.ToUpper(told[:1])+told[1:])))
		}
	}
}

// showBeside shows what other products, or we, say of the same trouble, and how
// what was decided here would be told to the product whose finding it is.
func (p *program) showBeside(ctx context.Context, r *rooms, f *finding.Finding) error {
	related, err := triage.Related(ctx, r.triage, f)
	if err != nil {
		return err
	}
	p.section("Findings that belong with it", len(related), func(i int) string {
		x := &related[i].Finding
		return fmt.Sprintf("%s %s (%s, %s): %s", x.Key, x.Title, x.Product(), x.Status, related[i].Why)
	})
	p.showWriteBack(f)
	return nil
}

// showWriteBack: a decision that differs from what the product has is not
// written back; these are the commands by which a person would.
func (p *program) showWriteBack(f *finding.Finding) {
	if f.External == nil || f.Status == f.External.Given || len(f.Decisions) == 0 {
		return
	}
	note := ""
	for _, d := range f.Decisions {
		if d.Comment != "" {
			note = d.Comment
		}
	}
	commands, why := external.WriteBack(f.Trouble, f.Status, note)
	if why != "" {
		commands = []string{why}
	}
	p.section(fmt.Sprintf("%s is not told what was decided here; `yagura findings write-back` would, or a person by", f.External.Product), len(commands), func(i int) string { return commands[i] })
}
