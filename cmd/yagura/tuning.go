package main

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/yagura-sec/yagura/api"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/triage"
)

func (p *program) tuning() *cobra.Command {
	return &cobra.Command{
		Use: "tuning [SCOPE]", Short: "Tell how good rules are, by what people decided, and how long findings wait", Args: cobra.MaximumNArgs(1),
		Long: `Tuning counts verdicts by rule and by product: how many findings were false
positives, with what to do about it, and how long findings wait until somebody
answers and decides. SCOPE chooses among findings.`,
		RunE: func(c *cobra.Command, args []string) error {
			f := triage.Filter{Demoted: true, Staged: true, Folded: true}
			var err error
			if len(args) > 0 {
				if f.Scope, err = p.scopeFlag(args[0]); err != nil {
					return err
				}
			}
			r, err := p.read(c.Context())
			if err != nil {
				return err
			}
			defer r.Close()
			all, err := slim(c.Context(), r.triage, f, atOnce)
			if err != nil {
				return err
			}
			return p.printTuning(triage.Tune(all))
		},
	}
}

func (p *program) printTuning(t triage.Tuning) error {
	if p.json() {
		return p.printJSON(t)
	}
	var rows [][]string
	for _, x := range t.Rules {
		rows = append(rows, []string{x.Source, x.Rule, p.count(int64(x.Findings)), p.count(int64(x.Decided)), p.count(int64(x.FalsePositive)), p.count(int64(x.Expected)), p.share(x), string(x.Advice)})
	}
	if err := p.printTable([]string{"source", "rule", "findings", "decided", "false_positive", "expected", "rate", "advice"}, rows); err != nil || p.flags.format == "csv" {
		return err
	}
	fmt.Fprintln(p.stdout)
	rows = nil
	for _, x := range t.Times {
		rows = append(rows, []string{string(x.Severity), p.count(int64(x.Findings)), waits(x.AcknowledgedP50), waits(x.DecidedP50), waits(x.DecidedP90), p.count(int64(x.Open))})
	}
	return p.printTable([]string{"severity", "findings", "answered_p50", "decided_p50", "decided_p90", "open"}, rows)
}

// share is the rate of false positives for a cell.
func (p *program) share(x triage.RuleTuning) string {
	switch {
	case x.Decided == 0:
		return ""
	case p.flags.format == "csv":
		return strconv.FormatFloat(x.Rate, 'f', 3, 64)
	}
	return fmt.Sprintf("%.0f %%", 100*x.Rate)
}

// waits is a time in seconds for a person; negative: there is none.
func waits(seconds float64) string {
	if seconds < 0 {
		return "-"
	}
	return time.Duration(seconds * float64(time.Second)).Round(time.Second).String()
}

func (p *program) audit() *cobra.Command {
	var f triage.AuditFilter
	var during period
	c := &cobra.Command{
		Use: "audit", Short: "Show who changed what", Args: cobra.NoArgs,
		Long: `Audit shows the trail of every decision, exception, window, user, token and
sign-in, the latest line first. Lines are written once; nothing changes or takes
away one. As csv or jsonl it is the whole trail for another system.`,
		Example: "  yagura audit --who alice --since 7d\n  yagura audit --action exception --format csv",
		RunE: func(c *cobra.Command, _ []string) (err error) {
			if f.Limit < 0 {
				return wrong("--limit %d: it is not negative", f.Limit)
			}
			if f.Since, f.Until, err = during.times(p.now()); err != nil {
				return err
			}
			r, err := p.read(c.Context())
			if err != nil {
				return err
			}
			defer r.Close()
			lines, next, err := r.triage.Audit(c.Context(), f)
			if err != nil {
				return err
			}
			return p.printAudit(lines, next)
		},
	}
	during.flags(c)
	flags := c.Flags()
	flags.StringVar(&f.By, "who", "", "by this user")
	flags.StringVar(&f.Action, "action", "", "of this action, or all that begin with it: finding, exception, window, user, session, ...")
	flags.StringVar(&f.Subject, "subject", "", "about this finding, exception, window or user")
	flags.IntVar(&f.Limit, "limit", 0, "at most so many (default all)")
	flags.StringVar(&f.Cursor, "cursor", "", "go on behind a page")
	return c
}

func (p *program) printAudit(lines []finding.AuditLine, next string) error {
	switch p.flags.format {
	case "json":
		return p.printJSON(api.ViewAudit(lines, next))
	case "jsonl", "csv":
		return api.WriteAudit(p.stdout, p.flags.format)(lines, true)
	}
	var rows [][]string
	for _, l := range lines {
		rows = append(rows, []string{stamp(l.At), l.By, l.Action, l.Subject, oneLine(l.Text)})
	}
	err := p.printTable([]string{"at", "by", "action", "subject", "text"}, rows)
	if next != "" {
		fmt.Fprintf(p.stdout, "There are more: --cursor %s\n", next)
	}
	return err
}

func (p *program) findingsUndo() *cobra.Command {
	var of triage.Undo
	var group bool
	c := &cobra.Command{
		Use: "undo ID", Short: "Take back a decision, or all of a bulk action", Args: cobra.ExactArgs(1),
		Long: `Undo takes back a decision by its id ("yagura findings show KEY --format json" has
it), or all of an action about several findings by its group, which "yagura findings
triage" tells. It is another line of the audit trail; nothing is deleted.`,
		RunE: func(c *cobra.Command, args []string) error {
			r, err := p.existing(c.Context(), deciding)
			if err != nil {
				return err
			}
			defer r.Close()
			of.By, of.At = p.signed(of.By), p.clock().UTC()
			of.ID, of.Group = args[0], ""
			n, err := 0, error(triage.ErrUnknown)
			if !group {
				n, err = r.triage.Undo(c.Context(), of)
			}
			if errors.Is(err, triage.ErrUnknown) { // groups and decisions have ids of one form
				of.ID, of.Group = "", args[0]
				n, err = r.triage.Undo(c.Context(), of)
			}
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			if p.json() {
				return p.printJSON(map[string]int{"undone": n})
			}
			_, err = fmt.Fprintf(p.stdout, "Taken back about %s.\n", many(int64(n), "finding", "findings"))
			return err
		},
	}
	c.Flags().BoolVar(&group, "group", false, "ID is a group's")
	c.Flags().StringVar(&of.By, "by", "", "who takes it back (default: the user of this process)")
	return c
}
