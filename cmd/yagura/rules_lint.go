package main

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/lint"
)

func (p *program) rulesLint() *cobra.Command {
	var strict bool
	c := &cobra.Command{
		Use: "lint [PATH...]", Short: "Say what is wrong with rules, and where",
		Long: `Lint reads rules (by default our own) and says with file, line and column what is
refused, and what is allowed but probably not meant. Exit code 1: something was
refused, or with --strict anything was said.`,
		RunE: func(_ *cobra.Command, args []string) error { return p.lintRules(args, strict) },
	}
	c.Flags().BoolVar(&strict, "strict", false, "warnings count as failures")
	return c
}

func (p *program) lintRules(paths []string, strict bool) error {
	all, err := trees(paths)
	if err != nil {
		return err
	}
	out := struct {
		Rules    int            `json:"rules"`
		Problems []lint.Problem `json:"problems"`
	}{Problems: []lint.Problem{}}
	for _, t := range all {
		docs, refused := sigma.Load(t.FS, t.Shown)
		out.Rules += len(docs.Rules)
		out.Problems = append(out.Problems, lint.Run(docs, refused, p.placeholders())...)
	}
	bad := slices.ContainsFunc(out.Problems, func(x lint.Problem) bool { return strict || x.Severity == lint.Error })
	switch p.flags.format {
	case "table":
		for _, x := range out.Problems {
			fmt.Fprintln(p.stdout, safe(x.String()))
		}
		_, err = fmt.Fprintf(p.stdout, "%d rules, %d problems\n", out.Rules, len(out.Problems))
	case "csv":
		rows := make([][]string, 0, len(out.Problems))
		for _, x := range out.Problems {
			rows = append(rows, []string{x.File, fmt.Sprint(x.Line), fmt.Sprint(x.Col), string(x.Severity), x.Check, x.Rule, x.Reason})
		}
		err = p.printTable([]string{"file", "line", "col", "severity", "check", "rule", "reason"}, rows)
	default:
		err = p.printJSON(out)
	}
	if err == nil && bad {
		return exit{code: exitFailed}
	}
	return err
}
