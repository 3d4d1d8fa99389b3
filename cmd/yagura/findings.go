package main

import (
	"context"
	"fmt"
	"os/user"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/yagura-sec/yagura/api"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/triage"
)

func (p *program) findings() *cobra.Command {
	c := &cobra.Command{
		Use: "findings", Short: "List, show and decide about findings",
		Long: `Findings are what was concluded from the logs. Each says in a sentence what
happened, keeps its reasons and evidence, and waits for a decision.`,
	}
	c.AddCommand(p.findingsList(), p.findingsCases(), p.findingsShow(), p.findingsExport(), p.findingsTriage(), p.findingsUndo(), p.findingsDrafts(), p.findingsWriteBack())
	return c
}

// chosenFindings are flags that choose findings.
type chosenFindings struct {
	triage.Filter
	during   period
	severity string
	kind     string
	status   []string
}

func (x *chosenFindings) flags(c *cobra.Command) {
	flags := c.Flags()
	x.during.flags(c)
	flags.StringVar(&x.severity, "severity", "", "at least this severe")
	flags.StringSliceVar(&x.status, "status", nil, "new, in_progress, resolved, suppressed")
	flags.StringVar(&x.kind, "kind", "", "of this kind: rule, correlation, anomaly (every sign) or anomaly.SIGN")
	flags.StringVar(&x.Rule, "rule", "", "of this rule")
	flags.StringVar(&x.Account, "account", "", "in this account")
	flags.StringVar(&x.Actor, "actor", "", "by this actor")
	flags.StringVar(&x.Resource, "resource", "", "about this resource")
	flags.StringVar(&x.Text, "text", "", "with this in title, actor or resource")
	flags.BoolVar(&x.Unexplained, "unexplained", false, "none that planned work or the log itself accounts for")
	flags.BoolVar(&x.Demoted, "demoted", false, "also those of rules that match too much to look at one by one")
	flags.BoolVar(&x.Folded, "folded", false, "also those that are folded into another of the same trouble")
	flags.BoolVar(&x.Staged, "staged", false, "also those of rules on trial, and of those that were retired after one")
}

// filter is what the flags say.
func (x *chosenFindings) filter(now time.Time) (f triage.Filter, err error) {
	if err := severityFlag("--severity", x.severity); err != nil {
		return f, err
	}
	f = x.Filter
	f.Severity, f.Kind = finding.Severity(x.severity), finding.Kind(x.kind)
	for _, s := range x.status {
		if !slices.Contains(finding.Statuses, finding.Status(s)) {
			return f, wrong("--status %s: it is one of new, in_progress, resolved, suppressed", s)
		}
		f.Status = append(f.Status, finding.Status(s))
	}
	f.Since, f.Until, err = x.during.times(now)
	return f, err
}

func severityFlag(name, s string) error {
	if s != "" && finding.Severity(s).Rank() < 0 {
		return wrong("%s %s: it is one of %v", name, s, finding.Severities)
	}
	return nil
}

func (p *program) findingsList() *cobra.Command {
	var chosen chosenFindings
	var failAt string
	c := &cobra.Command{
		Use: "list", Short: "List findings, most pressing first", Args: cobra.NoArgs,
		Example: "  yagura findings list --severity high\n  yagura findings list --kind anomaly --unexplained --since 7d\n  yagura findings list --status resolved --format json",
		RunE: func(c *cobra.Command, _ []string) error {
			if err := severityFlag("--fail-on", failAt); err != nil {
				return err
			}
			if chosen.Limit < 0 {
				return wrong("--limit %d: it is not negative", chosen.Limit)
			}
			f, err := chosen.filter(p.now())
			if err != nil {
				return err
			}
			return p.listFindings(c.Context(), f, finding.Severity(failAt))
		},
	}
	chosen.flags(c)
	flags := c.Flags()
	flags.IntVar(&chosen.Limit, "limit", 0, "at most so many (default all)")
	flags.StringVar(&chosen.Cursor, "cursor", "", "go on behind a page")
	flags.StringVar(&failAt, "fail-on", "", "exit with 3 when there is an undecided finding of this severity or above")
	return c
}

func (p *program) listFindings(ctx context.Context, f triage.Filter, failAt finding.Severity) error {
	r, err := p.read(ctx)
	if err != nil {
		return err
	}
	defer r.Close()
	page, next, err := r.triage.List(ctx, f)
	if err != nil {
		return err
	}
	switch p.flags.format {
	case "json":
		err = p.printJSON(api.ViewFindings(page, next))
	case "jsonl":
		for _, x := range page {
			if err = p.printRow(api.ViewFinding(x)); err != nil {
				break
			}
		}
	default:
		err = p.tableOfFindings(page, next)
	}
	if err != nil || failAt == "" {
		return err
	}
	return failOn(ctx, r.triage, failAt)
}

func (p *program) tableOfFindings(page []finding.Finding, next string) error {
	if p.flags.format == "csv" {
		head := []string{"key", "kind", "title", "severity", "priority", "confidence", "status", "verdict", "cause", "actor", "resource", "account", "region", "first_seen", "last_seen", "count", "rule", "reason"}
		var rows [][]string
		for _, f := range page {
			rows = append(rows, []string{f.Key, string(f.Kind), f.Title, string(f.Severity), fmt.Sprint(f.Priority), fmt.Sprint(f.Confidence),
				string(f.Status), string(f.Verdict), string(f.Cause), f.Actor, f.Resource, f.Account, f.Region,
				p.when(f.FirstSeen), p.when(f.LastSeen), p.count(f.Count), f.Rule, sentence(f)})
		}
		return p.printTable(head, rows)
	}
	if len(page) == 0 {
		_, err := fmt.Fprintln(p.stdout, "No findings. `yagura ledger` says what was read; what was not read is not judged.")
		return err
	}
	p.listed(page)
	fmt.Fprintf(p.stdout, "%s. `yagura findings show KEY` shows one with its evidence.\n", many(int64(len(page)), "finding", "findings"))
	if next != "" {
		fmt.Fprintf(p.stdout, "There are more: --cursor %s\n", next)
	}
	return nil
}

// listed shows findings one below the other.
func (p *program) listed(page []finding.Finding) {
	for _, f := range page {
		verdict := string(f.Status)
		if f.Verdict != finding.NoVerdict {
			verdict += ", " + string(f.Verdict)
		}
		fmt.Fprintf(p.stdout, "%3d %-8s %s  %s\n", f.Priority, f.Severity, f.Key[:12], safe(oneLine(f.Title)))
		fmt.Fprintf(p.stdout, "             %s\n", safe(oneLine(sentence(f))))
		fmt.Fprintf(p.stdout, "             %s, %s to %s, %s%s\n", times(f.Count), stamp(f.FirstSeen), stamp(f.LastSeen), verdict, place(f))
		if told := foldedLine(&f); told != "" {
			fmt.Fprintf(p.stdout, "             %s\n", safe(oneLine(told)))
		}
		if len(f.Explained) > 0 {
			fmt.Fprintf(p.stdout, "             accounted for: %s\n", safe(oneLine(f.Explained[0].Text.String())))
		}
		fmt.Fprintln(p.stdout)
	}
}

// place is where a finding is, for the end of a line.
func place(f finding.Finding) string {
	if f.Account == "" {
		return ""
	}
	return safe(oneLine(", account " + f.Account + " " + f.Region))
}

func times(n int64) string {
	if n == 1 {
		return "once"
	}
	return number(n) + " times"
}

// sentence is a finding's first reason.
func sentence(f finding.Finding) string {
	if len(f.Reasons) == 0 {
		return ""
	}
	return f.Reasons[0].Text.String()
}

func (p *program) findingsShow() *cobra.Command {
	return &cobra.Command{
		Use: "show KEY", Short: "Show a finding with its reasons and evidence", Args: cobra.ExactArgs(1),
		Long: "The key may be cut to its first eight characters or more.",
		RunE: func(c *cobra.Command, args []string) error {
			r, err := p.read(c.Context())
			if err != nil {
				return err
			}
			defer r.Close()
			f, err := oneFinding(c.Context(), r, args[0])
			if err != nil {
				return err
			}
			if err := p.showFinding(f); err != nil || p.json() || p.flags.format == "csv" {
				return err
			}
			return p.showBeside(c.Context(), r, &f)
		},
	}
}

// shortestKey is how much of a key has to be written.
const shortestKey = 8

func oneFinding(ctx context.Context, r *rooms, key string) (finding.Finding, error) {
	if len(key) < shortestKey {
		return finding.Finding{}, wrong("key %q: write at least its first %d characters", key, shortestKey)
	}
	f, err := r.triage.Get(ctx, key)
	if err != nil {
		return f, fmt.Errorf("%s: %w", key, err)
	}
	return f, nil
}

func (p *program) showFinding(f finding.Finding) error {
	if p.json() {
		return p.printJSON(api.ViewFinding(f))
	}
	if p.flags.format == "csv" {
		return p.tableOfFindings([]finding.Finding{f}, "")
	}
	fmt.Fprintf(p.stdout, "%s\n%s\n\n", safe(oneLine(f.Title)), safe(sentence(f)))
	rows := [][2]string{
		{"key", f.Key}, {"kind", string(f.Kind)}, {"severity", string(f.Severity)},
		{"priority", fmt.Sprintf("%d of 100", f.Priority)}, {"confidence", fmt.Sprintf("%.2f", f.Confidence)},
		{"status", string(f.Status)}, {"verdict", strings.TrimSpace(string(f.Verdict) + " " + f.Reason)},
		{"cause", string(f.Cause)}, {"assignee", f.Assignee}, {"actor", f.Actor}, {"resource", f.Resource},
		{"account", f.Account}, {"environment", f.Environment}, {"owner", f.Owner}, {"region", f.Region}, {"seen", fmt.Sprintf("%s, %s to %s", times(f.Count), stamp(f.FirstSeen), stamp(f.LastSeen))},
		{"rule", f.Rule}, {"source", f.Source},
	}
	for _, row := range rows {
		if row[1] != "" {
			fmt.Fprintf(p.stdout, "  %-12s %s\n", row[0], safe(oneLine(row[1])))
		}
	}
	p.showFolded(&f)
	p.section("Why", len(f.Reasons), func(i int) string { return f.Reasons[i].Text.String() })
	p.showInferred(f.Inferred)
	p.showProposed(&f)
	p.showAnomaly(f.Anomaly)
	p.section("Priority", len(f.Parts), func(i int) string {
		return fmt.Sprintf("%s %.2f: %s", f.Parts[i].Name, f.Parts[i].Value, f.Parts[i].Why)
	})
	p.section("ATT&CK", len(f.Attack), func(i int) string {
		return fmt.Sprintf("%s %s (v%s)", f.Attack[i].ID, f.Attack[i].Name, f.Attack[i].Version)
	})
	p.section("What else looks like this", len(f.FalsePositives), func(i int) string { return f.FalsePositives[i] })
	p.section("Explained by", len(f.Explained), func(i int) string { return f.Explained[i].Kind + ": " + f.Explained[i].Text.String() })
	p.section("What to do next", len(f.Next), func(i int) string { return f.Next[i] })
	p.evidence(f.Evidence)
	p.section("Decisions", len(f.Decisions), func(i int) string { return decided(f.Decisions[i]) })
	return nil
}

// evidenceShown is how many events are shown one by one; JSON has them all.
const evidenceShown = 12

func (p *program) evidence(e finding.Evidence) {
	all := slices.Concat(e.First, e.Latest)
	p.section("Evidence (yagura search uid:…)", min(len(all), evidenceShown), func(i int) string {
		return all[i].UID.String() + " " + stamp(all[i].Time)
	})
	if n := len(all) - evidenceShown; n > 0 {
		fmt.Fprintf(p.stdout, "  - and %d more: --format json\n", n)
	}
}

func (p *program) section(title string, n int, line func(int) string) {
	if n == 0 {
		return
	}
	fmt.Fprintf(p.stdout, "\n%s\n", title)
	for i := range n {
		fmt.Fprintf(p.stdout, "  - %s\n", safe(oneLine(line(i))))
	}
}

func decided(d finding.Decision) string {
	parts := []string{stamp(d.At), d.By}
	for _, x := range [][2]string{{"status", string(d.Status)}, {"verdict", string(d.Verdict)}, {"reason", d.Reason}, {"cause", string(d.Cause)}, {"assignee", d.Assignee}} {
		if x[1] != "" {
			parts = append(parts, x[0]+" "+x[1])
		}
	}
	if d.Comment != "" {
		parts = append(parts, fmt.Sprintf("%q", d.Comment))
	}
	return strings.Join(parts, ", ")
}

func (p *program) findingsTriage() *cobra.Command {
	var d finding.Decision
	var status, verdict, cause string
	c := &cobra.Command{
		Use: "triage KEY...", Short: "Decide about findings", Args: cobra.MinimumNArgs(1),
		Long: `Triage sets status, verdict, cause or assignee of findings and may carry a
comment. Every decision is kept as a line of the audit trail; nothing is deleted.`,
		Example: `  yagura findings triage kv44n2v6 --verdict expected --reason planned_change --comment "change 4711"`,
		RunE: func(c *cobra.Command, args []string) error {
			d.Status, d.Verdict, d.Cause = finding.Status(status), finding.Verdict(verdict), finding.Cause(cause)
			// An audit line tells the real time and user, whatever --now and --by say.
			d.At = p.clock().UTC()
			d.By = p.signed(d.By)
			if err := d.Check(); err != nil {
				return exit{exitUsage, err}
			}
			return p.decide(c.Context(), args, d)
		},
	}
	flags := c.Flags()
	flags.StringVar(&status, "status", "", "new, in_progress, resolved, suppressed")
	flags.StringVar(&verdict, "verdict", "", "true_positive, false_positive, expected, undetermined")
	flags.StringVar(&d.Reason, "reason", "", "why: one of "+strings.Join(finding.AllReasonCodes(), ", "))
	flags.StringVar(&cause, "cause", "", "deploy, person, drift, provider, attack, unknown")
	flags.StringVar(&d.Assignee, "assignee", "", "who has it")
	flags.StringVar(&d.Comment, "comment", "", "a sentence for those who come later")
	flags.StringVar(&d.By, "by", "", "who decides (default: the user of this process)")
	return c
}

func (p *program) decide(ctx context.Context, keys []string, d finding.Decision) error {
	r, err := p.existing(ctx, deciding)
	if err != nil {
		return err
	}
	defer r.Close()
	out := make([]finding.Finding, len(keys))
	for i, key := range keys { // all of them first: a wrong key decides nothing
		if out[i], err = oneFinding(ctx, r, key); err != nil {
			return err
		}
	}
	found := make([]string, len(out))
	for i := range out {
		found[i] = out[i].Key
	}
	bulk, err := r.triage.DecideAll(ctx, found, d)
	if err != nil {
		return err
	}
	for _, f := range bulk.Failed { // it went away meanwhile
		return fmt.Errorf("%s: %s", f.Key, f.Reason)
	}
	for i := range out {
		if out[i], err = r.triage.Get(ctx, found[i]); err != nil {
			return err
		}
	}
	if p.json() {
		return p.printJSON(api.ViewFindings(out, ""))
	}
	if err := p.tableOfFindings(out, ""); err != nil || p.flags.format == "csv" {
		return err
	}
	_, err = fmt.Fprintf(p.stdout, "`yagura findings undo %s` takes it back.\n", bulk.Group)
	return err
}

func (p *program) whoami() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "unknown"
}
