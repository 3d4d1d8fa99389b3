package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/triage"
)

// stageDays is how long a trial runs unless it is told.
const stageDays = 14

func (p *program) rulesStage() *cobra.Command {
	var s finding.Stage
	c := &cobra.Command{
		Use: "stage [RULE]", Short: "Put a rule on trial, or list the trials", Args: cobra.MaximumNArgs(1),
		Long: `A rule on trial judges as any other, but its findings are kept out of sight: they
are counted, and findings list shows them with --staged alone. When the days are
over the trial waits: promote brings its findings into sight, the old ones
included, retire keeps them out for good.

Without a rule, stage lists the trials with what they would have found. RULE is an
id, name or title of a rule that is configured or built in, or a file that holds
one.`,
		Example: "  yagura rules stage my-rules/sweep.yml --days 14 --comment 'asked for by the data team'\n  yagura rules stage\n  yagura rules promote sweep",
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return p.listStages(c.Context())
			}
			s.State = finding.Staged
			return p.setStage(c.Context(), args[0], s)
		},
	}
	c.Flags().IntVar(&s.Days, "days", stageDays, "how long the trial is to run")
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
		RunE: func(c *cobra.Command, args []string) error { return p.setStage(c.Context(), args[0], s) },
	}
	stageFlags(c, &s)
	return c
}

func stageFlags(c *cobra.Command, s *finding.Stage) {
	c.Flags().StringVar(&s.By, "by", "", "who decides (default: the user of this process)")
	c.Flags().StringVar(&s.Comment, "comment", "", "a sentence for those who come later")
}

func (p *program) setStage(ctx context.Context, name string, s finding.Stage) error {
	r, err := p.existing(ctx, deciding)
	if err != nil {
		return err
	}
	defer r.Close()
	trials, err := r.triage.Stages(ctx)
	if err != nil {
		return err
	}
	if s.Rule, err = p.staged(name, trials); err != nil {
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
// no more and had a trial.
func (p *program) staged(name string, trials []finding.Stage) (string, error) {
	for _, s := range trials {
		if s.Rule == name {
			return name, nil
		}
	}
	what, err := p.choose([]string{name}, nil)
	if err != nil {
		return "", err
	}
	serves := map[string]bool{}
	for _, c := range what.Correlations {
		for _, ref := range c.Rules {
			serves[ref.Rule] = true
		}
	}
	var keys []string
	for _, c := range what.Correlations {
		if !serves[c.ID] && !serves[c.Name] {
			keys = append(keys, c.Key())
		}
	}
	for _, x := range what.Rules {
		if !serves[x.ID] && !serves[x.Name] {
			keys = append(keys, x.Key())
		}
	}
	if len(keys) != 1 {
		return "", wrong("%s holds %d rules: name one", name, len(keys))
	}
	return keys[0], nil
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
	for _, t := range all {
		rows = append(rows, []string{
			string(t.State), p.when(t.Since), t.left(), p.count(int64(t.Findings)), p.count(t.Matches), t.bySeverity(),
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
		return "-"
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
	if len(parts) == 0 {
		return "-"
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
