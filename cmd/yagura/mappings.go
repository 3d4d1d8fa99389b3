package main

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/yagura-sec/yagura/catalogue"
	"github.com/yagura-sec/yagura/normalise/mapping"
)

func (p *program) mappings() *cobra.Command {
	c := &cobra.Command{
		Use: "mappings", Short: "Formats of records that files describe",
		Long: `A mapping is a file that says how records of a format are known and what fills
the columns of their events, with cases. docs/mappings.md describes the language;
folders of your own stand in the configuration under mappings.`,
	}
	c.AddCommand(&cobra.Command{
		Use: "list", Short: "List the mappings: the program's and the configured ones", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return p.listMappings() },
	}, &cobra.Command{
		Use: "test [PATH...]", Short: "Run the cases that stand in mappings",
		Long: `Test runs the cases of the mappings in the given files and folders, by default of
the program's own and the configured ones. Exit code 1: a case went otherwise, or a
file was refused; what is wrong is told with its line.`,
		Example: "  yagura mappings test\n  yagura mappings test my-mappings/proxy.yml",
		RunE:    func(_ *cobra.Command, args []string) error { return p.testMappings(args) },
	})
	return c
}

// listed is a mapping as list shows it.
type listed struct {
	Format string `json:"format"`
	Title  string `json:"title"`
	File   string `json:"file"`
	Cases  int    `json:"cases"`
}

func (p *program) listMappings() error {
	set, _ := catalogue.Mappings(p.cfg.Mappings) // what was refused ended the program before
	all := []listed{}
	for _, m := range set.Mappings() {
		all = append(all, listed{m.Format, m.Title, m.File, len(m.Cases)})
	}
	slices.SortStableFunc(all, func(a, b listed) int { return cmp.Compare(a.Format, b.Format) })
	if p.json() {
		return p.printJSON(all)
	}
	rows := make([][]string, len(all))
	for i, m := range all {
		rows[i] = []string{m.Format, m.Title, m.File, fmt.Sprint(m.Cases)}
	}
	return p.printTable([]string{"format", "title", "file", "cases"}, rows)
}

// mappingsTested is what test found.
type mappingsTested struct {
	Mappings int `json:"mappings"`
	casesTested
}

func (p *program) testMappings(paths []string) error {
	var all []*mapping.Mapping
	var refused []*mapping.Error
	if len(paths) > 0 {
		all, refused = catalogue.UserMappings(paths)
	} else {
		var set *mapping.Set
		set, refused = catalogue.Mappings(p.cfg.Mappings)
		all = set.Mappings()
	}
	out := mappingsTested{len(all), casesTested{Failures: []caseFailure{}}}
	for _, e := range refused {
		out.fail(caseFailure{File: e.File, Line: e.Line, Why: fmt.Sprintf("refused at column %d: %s", e.Col, e.Reason)})
	}
	for _, m := range all {
		failures := m.Test()
		out.Passed += len(m.Cases) - len(failures)
		for _, f := range failures {
			out.fail(caseFailure{f.File, f.Line, f.Case, f.Why})
		}
	}
	return p.printTested(out, fmt.Sprintf("%d mappings", out.Mappings), out.casesTested)
}
