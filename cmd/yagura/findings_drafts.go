package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/yagura-sec/yagura/api"
	sentences "github.com/yagura-sec/yagura/say" // a test of this package has another say
	"github.com/yagura-sec/yagura/triage"
)

func (p *program) findingsDrafts() *cobra.Command {
	return &cobra.Command{
		Use: "drafts KEY", Short: "Draft what would close a finding about something that nobody applied for", Args: cobra.ExactArgs(1),
		Long: `Drafts writes a message to the applicant in English and in Japanese, the change of
the register, and the change of the policy where it names services: to read, change,
and send or apply. Nothing is sent or applied.`,
		Example: "  yagura findings drafts kv44n2v6",
		RunE:    func(c *cobra.Command, args []string) error { return p.draft(c.Context(), args[0]) },
	}
}

func (p *program) draft(ctx context.Context, key string) error {
	r, err := p.read(ctx)
	if err != nil {
		return err
	}
	defer r.Close()
	f, err := r.triage.Get(ctx, key)
	if err != nil {
		return err
	}
	known, err := r.companions(ctx)
	if err != nil {
		return err
	}
	policies, err := r.policies(ctx)
	if err != nil {
		return err
	}
	d := triage.Drafting{Finding: f, Known: known, Allowance: policies.Of(f.Account)}
	e, there, err := r.registered(ctx, f.Account)
	if err != nil {
		return err
	}
	if there {
		d.Entry = &e
	}
	v := api.ViewDrafts(triage.Drafts(d), d.Entry, "", known, sentences.English)
	if p.json() {
		return p.printJSON(v)
	}
	return p.printDrafts(v)
}

func (p *program) printDrafts(v api.Drafts) error {
	if p.flags.format == "csv" {
		var rows [][]string
		for _, m := range v.Messages {
			rows = append(rows, []string{string(m.Language), m.To, m.Subject, m.Body})
		}
		return p.printTable([]string{"language", "to", "subject", "body"}, rows)
	}
	var b strings.Builder
	if why := v.Why.String(); why != "" {
		b.WriteString(safe(why) + "\n")
	}
	block := func(text string) {
		for line := range strings.Lines(text) {
			b.WriteString("  " + safe(strings.TrimRight(line, "\n")) + "\n")
		}
	}
	for _, m := range v.Messages {
		fmt.Fprintf(&b, "Message (%s)\n  To: %s\n  Subject: %s\n\n", m.Language, safe(m.To), safe(m.Subject))
		block(m.Body)
		b.WriteString("\n")
	}
	if x := v.Register; x != nil {
		fmt.Fprintf(&b, "Register\n  yagura register set %s --add %s\n\n", safe(x.Project), safe(strings.Join(x.Adds, ",")))
	}
	if x := v.Policy; x != nil {
		fmt.Fprintf(&b, "Policy (%s, %s)\n  %s\n", x.Provider, safe(x.Constraint), safe(x.Note.String()))
		if x.Text != "" {
			fmt.Fprintf(&b, "\n  %s:\n", x.File)
			block(x.Text)
		}
		b.WriteString("\n")
		for _, command := range x.Commands {
			b.WriteString("  " + safe(command) + "\n")
		}
		fmt.Fprintf(&b, "  see %s\n", x.Source)
	}
	_, err := fmt.Fprint(p.stdout, b.String())
	return err
}
