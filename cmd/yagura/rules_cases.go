package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/yagura-sec/yagura/catalogue"
	"github.com/yagura-sec/yagura/sigma/ruletest"
)

func (p *program) rulesTest() *cobra.Command {
	var require bool
	var junit string
	c := &cobra.Command{
		Use: "test [PATH...]", Short: "Run the cases that stand beside rules",
		Long: `Test runs, for each rule (by default our own), the cases of NAME.cases.yml beside
NAME.yml. Our own rules, and with --require any, need one case that fires and one
that stays quiet. Of a case that went otherwise it shows what held and what did
not; > marks what decided. Exit code 1: a case went otherwise, is missing, or a
rule was refused. As CSV it prints what failed.

A case has one event; a correlation's case has several, each so long after the
start, and says by groups which ones are to fire. docs/rules.md shows both.
The rules that correlations and filters name are looked for in all paths, beside a
file, and among the built-in and configured ones.`,
		Example: "  yagura rules test\n  yagura rules test rules/aws/trail-stopped.yml\n  yagura rules test --junit report.xml my-rules my-filters",
		RunE: func(_ *cobra.Command, args []string) error {
			r, err := p.testRules(args, require || len(args) == 0)
			if err != nil {
				return err
			}
			if junit != "" {
				if err := writeJUnit(junit, r); err != nil {
					return err
				}
			}
			return p.printResult(r)
		},
	}
	c.Flags().BoolVar(&require, "require", false, "a rule without cases of both kinds fails")
	c.Flags().StringVar(&junit, "junit", "", "write the cases as JUnit XML into this file too")
	return c
}

// testRules runs the cases of the paths, or of our own rules.
func (p *program) testRules(paths []string, require bool) (ruletest.Result, error) {
	sum := ruletest.Result{Failures: []ruletest.Failure{}}
	all, err := trees(paths)
	if err != nil {
		return sum, err
	}
	o := ruletest.Options{
		Options: p.placeholders(), Require: require, Correlate: p.correlations(),
		Record: catalogue.CaseRecord, Clock: p.clock,
	}
	known := p.known(paths)
	for _, t := range all {
		o.Known = elsewhere(known, t)
		add(&sum, ruletest.Test(t.FS, t.Shown, o))
	}
	return sum, nil
}

func writeJUnit(path string, r ruletest.Result) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(r.WriteJUnit(f), f.Close())
}

func add(sum *ruletest.Result, r ruletest.Result) {
	sum.Passed += r.Passed
	sum.Failed += r.Failed
	sum.Skipped += r.Skipped
	sum.Failures = append(sum.Failures, r.Failures...)
	sum.Cases = append(sum.Cases, r.Cases...)
	for why, n := range r.Skips {
		if sum.Skips == nil {
			sum.Skips = map[string]int{}
		}
		sum.Skips[why] += n
	}
}

func (p *program) printResult(r ruletest.Result) error {
	switch p.flags.format {
	case "json", "jsonl":
		if err := p.printJSON(r); err != nil {
			return err
		}
	case "csv":
		rows := make([][]string, 0, len(r.Failures))
		for _, f := range r.Failures {
			rows = append(rows, []string{f.ID, f.Expected, f.Got, f.Why})
		}
		if err := p.printTable([]string{"case", "expected", "got", "why"}, rows); err != nil {
			return err
		}
	default:
		for _, f := range r.Failures {
			fmt.Fprintf(p.stdout, "FAIL %s: expected %s, got %s\n%s", safe(f.ID), safe(f.Expected), safe(f.Got), below(f))
		}
		fmt.Fprintf(p.stdout, "%d passed, %d failed, %d skipped\n", r.Passed, r.Failed, r.Skipped)
		for why, n := range r.Skips {
			fmt.Fprintf(p.stdout, "  skipped %d: %s\n", n, why)
		}
	}
	if r.Failed > 0 {
		return exit{code: exitFailed}
	}
	return nil
}

// below is what is told of a failure below its line.
func below(f ruletest.Failure) string {
	text := f.Why
	if f.Diff != "" {
		text = f.Diff
	}
	return "     " + safe(strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n     ")) + "\n"
}
