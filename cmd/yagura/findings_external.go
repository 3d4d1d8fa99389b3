package main

import (
	"context"
	"fmt"

	"github.com/yagura-sec/yagura/detect/external"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/triage"
)

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
	p.section(fmt.Sprintf("%s is not told what was decided here; a person would by", f.External.Product), len(commands), func(i int) string { return commands[i] })
}
