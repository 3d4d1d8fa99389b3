package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/yagura-sec/yagura/catalogue"
	"github.com/yagura-sec/yagura/detect/rule"
	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/match"
	"github.com/yagura-sec/yagura/sigma/ruletest"
)

func (p *program) rules() *cobra.Command {
	c := &cobra.Command{
		Use: "rules", Short: "List, check and test Sigma rules",
		Long: `Rules judge events. Our own are built in; --rules DIR of ingest, or rules.dirs
of the configuration, add a folder of others, such as a checkout of SigmaHQ.

The cases of a rule stand beside it: NAME.cases.yml beside NAME.yml.`,
	}
	c.AddCommand(p.rulesList(), p.rulesLint(), p.rulesTest(), p.rulesHunt(), p.rulesConform(),
		p.rulesExplain(), p.rulesCoverage(), p.rulesStage(), p.rulesPromote(), p.rulesRetire())
	return c
}

func (p *program) rulesList() *cobra.Command {
	return &cobra.Command{
		Use: "list [PATH...]", Short: "List the rules that judge",
		Long: `List shows the built-in rules and those of the configuration, and of further paths.
As JSON it names the rules too that only serve correlations, and gives of each the
hash of what it matches, which filters note as reviewed.`,
		RunE: func(_ *cobra.Command, args []string) error { return p.listRules(args) },
	}
}

// Rule is a rule as scripts read it.
type Rule struct {
	ID        string   `json:"id"`
	Name      string   `json:"name,omitempty"`
	Title     string   `json:"title"`
	Kind      string   `json:"kind"` // rule or correlation
	Level     string   `json:"level"`
	Status    string   `json:"status"`
	LogSource string   `json:"log_source"`
	Tags      []string `json:"tags"`
	File      string   `json:"file"`
	// Hash changes with what the rule matches, and with nothing else.
	Hash string `json:"hash"`
	// Serves: it gives no findings of its own, correlations rest on it.
	Serves bool `json:"serves,omitempty"`
}

// rulesOf lists the rules and correlations of a detector, with the hashes of
// what is written, whatever pipelines make of it.
func rulesOf(d *rule.Detector, written sigma.Documents) []Rule {
	hashes := map[string]string{}
	for _, r := range written.Rules {
		hashes[r.File+r.Key()] = r.Hash()
	}
	for _, c := range written.Correlations {
		hashes[c.File+c.Key()] = c.Hash()
	}
	all := []Rule{}
	add := func(m *sigma.Meta, kind, source string) {
		all = append(all, Rule{
			ID: m.ID, Name: m.Name, Title: m.Title, Kind: kind, Level: m.Level, Status: m.Status, LogSource: source,
			Tags: m.Tags, File: m.File, Hash: hashes[m.File+m.Key()], Serves: d.Plan().Quiet(m),
		})
	}
	for i := range d.Len() {
		r := d.Set().Rule(i)
		add(&r.Meta, "rule", r.LogSource.String())
	}
	for _, c := range d.Plan().Correlations {
		var sources []string
		for _, b := range c.Bases {
			sources = append(sources, b.Rule.LogSource.String())
		}
		slices.Sort(sources)
		add(&c.Meta, "correlation", strings.Join(slices.Compact(sources), ", "))
	}
	return all
}

func (p *program) listRules(paths []string) error {
	if err := p.rulesThere(paths); err != nil {
		return err
	}
	d, refused := catalogue.Rules(p.cfg.Rules, paths)
	written, _ := catalogue.Documents(p.cfg.Rules, paths) // what is refused is told of above
	all := rulesOf(d, written)
	for _, err := range refused {
		p.warn("rule refused: %v", err)
	}
	if p.flags.format == "json" {
		return p.printJSON(map[string]any{"rules": all, "refused": len(refused)})
	}
	count := map[string]int64{}
	var rows [][]string
	for _, r := range all {
		if p.flags.format == "jsonl" {
			if err := p.printRow(r); err != nil {
				return err
			}
			continue
		}
		if r.Serves {
			continue
		}
		count[r.Kind]++
		rows = append(rows, []string{r.Level, r.LogSource, oneLine(r.Title), r.File})
	}
	if p.flags.format == "jsonl" {
		return nil
	}
	if err := p.printTable([]string{"level", "log source", "title", "file"}, rows); err != nil || p.flags.format == "csv" {
		return err
	}
	_, err := fmt.Fprintf(p.stdout, "\n%s and %s, %d refused\n", many(count["correlation"], "correlation", "correlations"), many(count["rule"], "rule", "rules"), len(refused))
	return err
}

func (p *program) placeholders() match.Options {
	return p.ruleOptions.Options
}

func (p *program) rulesConform() *cobra.Command {
	return &cobra.Command{
		Use: "conform FILE...", Short: "Hold the Sigma engine against a labelled corpus", Args: cobra.MinimumNArgs(1),
		Long: `Conform runs corpora of one JSON object a line (id, kind, rule, event, expect):
the rule against the event, and compares with what is expected. A line that is
no such case stops it with exit code 2.`,
		RunE: func(_ *cobra.Command, args []string) error {
			sum := ruletest.Result{Failures: []ruletest.Failure{}}
			for _, path := range args {
				f, err := os.Open(path)
				if err != nil {
					return err
				}
				r, err := ruletest.Conform(f)
				f.Close()
				var line *ruletest.LineError
				if errors.As(err, &line) {
					return wrong("%s:%w", path, err)
				}
				if err != nil {
					return fmt.Errorf("%s: %w", path, err)
				}
				add(&sum, r)
			}
			return p.printResult(sum)
		},
	}
}
