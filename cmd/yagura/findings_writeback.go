package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/yagura-sec/yagura/catalogue"
	"github.com/yagura-sec/yagura/detect/external"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/respond"
	"github.com/yagura-sec/yagura/triage"
)

// desk is where people ask that a product be told what was decided here.
func (p *program) desk(store triage.Auditor) (*respond.Desk, error) {
	responders, err := catalogue.Responders(p.cfg.WriteBack)
	if err != nil {
		return nil, exit{exitUsage, err}
	}
	return &respond.Desk{
		Responders: responders, Commands: external.WriteBack, Log: store.Log, Now: p.clock,
		Lines: func(ctx context.Context, key string) ([]finding.AuditLine, error) {
			lines, _, err := store.Audit(ctx, triage.AuditFilter{Subject: key, Action: respond.Action, Limit: writtenBackMost})
			return lines, err
		},
	}, nil
}

// writtenBackMost is how many lines of what was sent before are shown.
const writtenBackMost = 100

func (p *program) findingsWriteBack() *cobra.Command {
	var apply bool
	var by string
	c := &cobra.Command{
		Use: "write-back KEY", Short: "Tell the product whose finding it is what was decided here", Args: cobra.ExactArgs(1),
		Long: `Write-back shows exactly what would be sent to the product whose finding it is, and
with --apply sends it: to AWS Security Hub the workflow status and the comment, to
GuardDuty that the finding is archived or open, and whether it was right. Nothing is
ever sent by itself. Products are named by write_back in the configuration; for others
the commands are shown by which a person would do it. Who asked for it and what came
of it is in the audit trail.`,
		Example: "  yagura findings write-back kv44n2v6\n  yagura findings write-back kv44n2v6 --apply",
		RunE: func(c *cobra.Command, args []string) error {
			return p.writeBack(c.Context(), args[0], apply, p.signed(by))
		},
	}
	flags := c.Flags()
	flags.BoolVar(&apply, "apply", false, "send it")
	flags.StringVar(&by, "by", "", "who asks for it (default: the user of this process)")
	return c
}

func (p *program) writeBack(ctx context.Context, key string, apply bool, by string) error {
	how := asking
	if apply {
		how = deciding
	}
	r, err := p.existing(ctx, how)
	if err != nil {
		return err
	}
	defer r.Close()
	f, err := oneFinding(ctx, r, key)
	if err != nil {
		return err
	}
	desk, err := p.desk(r.triage)
	if err != nil {
		return err
	}
	plan, err := desk.Plan(ctx, &f)
	if err != nil {
		return err
	}
	if !apply {
		return p.showPlan(plan)
	}
	sent, err := desk.Apply(ctx, &f, plan.ID, by)
	if err != nil {
		return err
	}
	if p.json() {
		return p.printJSON(sent)
	}
	_, err = fmt.Fprintf(p.stdout, "%s\n", safe(oneLine(sent.Text)))
	return err
}

func (p *program) showPlan(plan respond.Plan) error {
	if p.json() {
		return p.printJSON(plan)
	}
	if plan.Why != "" {
		fmt.Fprintf(p.stdout, "Nothing is sent from here: %s.\n", safe(oneLine(plan.Why)))
	} else {
		fmt.Fprintf(p.stdout, "To %s, %s, would be sent (--apply sends it):\n", safe(plan.Product), safe(plan.As))
		for _, c := range plan.Calls {
			fmt.Fprintf(p.stdout, "\n  %s in %s\n  %s %s\n  %s\n", c.Operation, c.Region, c.Method, safe(oneLine(c.URL)), safe(oneLine(string(c.Body))))
		}
	}
	p.section("By hand", len(plan.Commands), func(i int) string { return plan.Commands[i] })
	p.section("What was sent before", len(plan.Sent), func(i int) string {
		s := plan.Sent[i]
		return fmt.Sprintf("%s %s, %s: %s", stamp(s.At), s.By, s.Step, s.Text)
	})
	return nil
}
