package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/yagura-sec/yagura/catalogue"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/triage"
)

// stageDays is how long a trial runs unless it is told.
const stageDays = 14

func (p *program) rulesStage() *cobra.Command {
	var s finding.Stage
	var extra []string
	c := &cobra.Command{
		Use: "stage [RULE]", Short: "Put a rule on trial, or list the trials", Args: cobra.MaximumNArgs(1),
		Long: `A rule on trial judges as any other, but its findings are kept out of sight: they
are counted, and findings list shows them with --staged alone. When the days are
over the trial waits: promote brings its findings into sight, the old ones
included, retire keeps them out for good.

Without a rule, stage lists the trials with what they would have found. RULE is an
id, name, title or file of a rule that judges: one that is built in, or that lies in
a folder of rules.dirs of the configuration. Of what ingest judges by its --rules,
tell stage by --rules too.`,
		Example: "  yagura --config yagura.yml rules stage my-rules/sweep.yml --days 14 --comment 'asked for by the data team'\n  yagura rules stage\n  yagura rules promote sweep",
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return p.listStages(c.Context())
			}
			s.State = finding.Staged
			return p.setStage(c.Context(), args[0], extra, s)
		},
	}
	c.Flags().IntVar(&s.Days, "days", stageDays, "how long the trial is to run")
	c.Flags().StringArrayVar(&extra, "rules", nil, "a folder of Sigma rules that ingest is given besides; may be repeated")
	stageFlags(c, &s)
	return c
}

func (p *program) rulesPromote() *cobra.Command {
	return p.stageEnd("promote RULE", "End a rule's trial and bring its findings into sight", finding.Promoted)
}

func (p *program) rulesRetire() *cobra.Command {
	return p.stageEnd("retire RULE", "End a rule's trial and keep its findings out of sight", finding.Retired)
}

func (p *program) stageEnd(use, short string, state finding.StageState) *cobra.Command {
	s := finding.Stage{State: state}
	c := &cobra.Command{
		Use: use, Short: short, Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return p.setStage(c.Context(), args[0], nil, s) },
	}
	stageFlags(c, &s)
	return c
}

func stageFlags(c *cobra.Command, s *finding.Stage) {
	c.Flags().StringVar(&s.By, "by", "", "who decides (default: the user of this process)")
	c.Flags().StringVar(&s.Comment, "comment", "", "a sentence for those who come later")
}

func (p *program) setStage(ctx context.Context, name string, extra []string, s finding.Stage) error {
	if err := p.rulesThere(extra); err != nil {
		return err
	}
	r, err := p.existing(ctx, deciding)
	if err != nil {
		return err
	}
	defer r.Close()
	trials, err := r.triage.Stages(ctx)
	if err != nil {
		return err
	}
	if s.Rule, err = p.staged(name, extra, s.State, trials); err != nil {
		return err
	}
	s.By = p.signed(s.By)
	if err := s.Check(); err != nil {
		return exit{exitUsage, err}
	}
	// As with decisions, an audit line tells the real time, whatever --now says.
	err = r.triage.SetStage(ctx, s, p.clock().UTC())
	if errors.Is(err, triage.ErrNotFound) {
		return fmt.Errorf("%s is not on trial: `yagura rules stage` lists the trials", name)
	}
	if err != nil {
		return err
	}
	if trials, err = r.triage.Stages(ctx); err != nil {
		return err
	}
	trials = slices.DeleteFunc(trials, func(x finding.Stage) bool { return x.Rule != s.Rule })
	return p.printStages(ctx, r.triage, trials[:min(1, len(trials))])
}

// staged is the key of the rule that is meant: one that is known, or one that is
// no more and had a trial. A trial is only for one that judges.
func (p *program) staged(name string, extra []string, state finding.StageState, trials []finding.Stage) (string, error) {
	for _, s := range trials {
		if s.Rule == name && state != finding.Staged {
			return name, nil
		}
	}
	what, err := p.choose([]string{name}, extra)
	if err != nil {
		return "", err
	}
	var all []*sigma.Meta
	for _, c := range what.Correlations {
		all = append(all, &c.Meta)
	}
	for _, r := range what.Rules {
		all = append(all, &r.Meta)
	}
	all = slices.DeleteFunc(all, func(m *sigma.Meta) bool { return serves(what.Correlations, m) })
	if len(all) != 1 {
		var names []string
		for _, m := range all {
			names = append(names, m.Key()+"  "+oneLine(m.Title)+"  ("+m.File+")")
		}
		return "", wrong("%s stands for %d rules: name one of them by its id\n  %s", name, len(all), strings.Join(names, "\n  "))
	}
	key := all[0].Key()
	if state == finding.Staged && !p.judges(key, extra) {
		return "", wrong("%s: rule %s is not among those that judge, so a trial would find nothing: name its folder under rules.dirs of the configuration (--config), or by --rules if ingest is given it so", name, key)
	}
	return key, nil
}

// judges tells whether a rule of that key is built in, configured, or in extra.
func (p *program) judges(key string, extra []string) bool {
	docs, _ := catalogue.Documents(p.cfg.Rules, extra)
	return slices.ContainsFunc(docs.Rules, func(r *sigma.Rule) bool { return r.Key() == key }) ||
		slices.ContainsFunc(docs.Correlations, func(c *sigma.Correlation) bool { return c.Key() == key })
}

// signed is who decides, as audit lines name them: whoever --by says, and the
// user of this process.
func (p *program) signed(by string) string {
	switch user := p.whoami(); by {
	case "", user:
		return user
	default:
		return by + " (" + user + ")"
	}
}

// Trial is a rule's trial as scripts read it.
type Trial struct {
	finding.Stage
	Title string `json:"title,omitempty"`
	// DaysLeft is until the trial is over; Ready: it is, and waits for a decision.
	DaysLeft int  `json:"days_left"`
	Ready    bool `json:"ready"`
	// Findings are those the rule would have given, Matches the events in them.
	Findings       int            `json:"findings"`
	Matches        int64          `json:"matches"`
	Severities     map[string]int `json:"severities"`
	FalsePositives int            `json:"false_positives"` // of them, by people's verdict
}

func (p *program) listStages(ctx context.Context) error {
	r, err := p.read(ctx)
	if err != nil {
		return err
	}
	defer r.Close()
	trials, err := r.triage.Stages(ctx)
	if err != nil {
		return err
	}
	return p.printStages(ctx, r.triage, trials)
}

func (p *program) printStages(ctx context.Context, store triage.Reader, trials []finding.Stage) error {
	all := []Trial{}
	for _, s := range trials {
		t, err := p.trial(ctx, store, s)
		if err != nil {
			return err
		}
		all = append(all, t)
	}
	switch p.flags.format {
	case "json":
		return p.printJSON(map[string]any{"trials": all})
	case "jsonl":
		for _, t := range all {
			if err := p.printRow(t); err != nil {
				return err
			}
		}
		return nil
	}
	if len(all) == 0 && p.flags.format == "table" {
		_, err := fmt.Fprintln(p.stdout, "No rule is or was on trial.")
		return err
	}
	rows := make([][]string, 0, len(all))
	none := "-"
	if p.flags.format == "csv" {
		none = ""
	}
	for _, t := range all {
		rows = append(rows, []string{
			string(t.State), p.when(t.Since), cmp.Or(t.left(), none), p.count(int64(t.Findings)), p.count(t.Matches), cmp.Or(t.bySeverity(), none),
			p.count(int64(t.FalsePositives)), t.By, oneLine(t.name()),
		})
	}
	return p.printTable([]string{"state", "since", "days left", "findings", "events", "severity", "false positives", "by", "rule"}, rows)
}

// trial is what a trial came to.
func (p *program) trial(ctx context.Context, store triage.Reader, s finding.Stage) (Trial, error) {
	t := Trial{Stage: s, Severities: map[string]int{}}
	page, _, err := store.List(ctx, triage.Filter{Rule: s.Rule, Staged: true, Demoted: true})
	if err != nil {
		return t, err
	}
	for _, f := range page {
		t.Title = f.Title
		t.Findings++
		t.Matches += f.Count
		t.Severities[string(f.Severity)]++
		if f.Verdict == finding.FalsePositive {
			t.FalsePositives++
		}
	}
	if s.State != finding.Staged {
		return t, nil
	}
	left := s.Ready().Sub(p.now())
	t.Ready = left <= 0
	t.DaysLeft = max(0, int((left+24*time.Hour-1)/(24*time.Hour)))
	return t, nil
}

func (t *Trial) left() string {
	switch {
	case t.State != finding.Staged:
		return ""
	case t.Ready:
		return "ready"
	}
	return fmt.Sprint(t.DaysLeft)
}

func (t *Trial) bySeverity() string {
	var parts []string
	for _, s := range slices.Backward(finding.Severities) {
		if n := t.Severities[string(s)]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, s))
		}
	}
	return strings.Join(parts, ", ")
}

func (t *Trial) name() string {
	if t.Title == "" {
		return t.Rule
	}
	return t.Title + " (" + t.Rule + ")"
}

// outOfSight is the rules whose findings are kept out of sight.
func outOfSight(ctx context.Context, store triage.Stager) (map[string]bool, error) {
	all, err := store.Stages(ctx)
	out, met := map[string]bool{}, map[string]bool{}
	for _, s := range all { // the latest of each rule first
		if !met[s.Rule] {
			met[s.Rule], out[s.Rule] = true, s.Hidden()
		}
	}
	return out, err
}
