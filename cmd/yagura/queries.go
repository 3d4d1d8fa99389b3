package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/yagura-sec/yagura/catalogue"
	"github.com/yagura-sec/yagura/dashboard"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/lake/local"
)

func (p *program) queries() *cobra.Command {
	c := &cobra.Command{
		Use: "queries", Short: "Saved questions with parameters and cases",
		Long: `A saved query is a file with a filter and what to count by, or a statement of SQL; its
parameters, and cases that say what it answers to some events. Dashboards show them.
docs/dashboards.md describes the language.`,
	}
	list := &cobra.Command{
		Use: "list", Short: "List the queries: the program's and the configured ones", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return p.listQueries() },
	}
	test := &cobra.Command{
		Use: "test [PATH...]", Short: "Run the cases that stand in queries",
		Long: `Test runs the cases of the queries in the given files and folders, by default of the
program's own and the configured ones: each on events of its own, in a lake of its own.
Exit code 1: a case went otherwise, or a file was refused; what is wrong is told with
its line.`,
		Example: "  yagura queries test\n  yagura queries test my-queries/logins.yml",
		RunE:    func(c *cobra.Command, args []string) error { return p.testQueries(c.Context(), args) },
	}
	draft := &cobra.Command{
		Use: "draft FILTER", Short: "Write a filter as the file of a saved query", Args: cobra.ExactArgs(1),
		Example: "  yagura queries draft 'operation:StopLogging outcome:success' > queries/stopped.yml",
		RunE: func(_ *cobra.Command, args []string) error {
			text, err := dashboard.Draft(args[0], p.now())
			if err != nil {
				return wrong("%v", err)
			}
			_, err = p.stdout.Write(text)
			return err
		},
	}
	for _, x := range []*cobra.Command{list, test, draft} {
		x.Annotations = noData
	}
	c.AddCommand(list, p.runQueryCommand(), test, draft)
	return c
}

func (p *program) runQueryCommand() *cobra.Command {
	var when period
	var params []string
	c := &cobra.Command{
		Use: "run ID", Short: "Ask a saved query", Args: cobra.ExactArgs(1),
		Long:    `Run asks a saved query over the last seven days, unless --since and --until say otherwise.`,
		Example: "  yagura queries run gcp-denials --param account=harbour-ml --since 30d",
		RunE: func(c *cobra.Command, args []string) error {
			given, err := parameters(params)
			if err != nil {
				return err
			}
			since, until, err := when.times(p.now())
			if err != nil {
				return err
			}
			if until.IsZero() {
				until = p.now()
			}
			if since.IsZero() {
				since = until.AddDate(0, 0, -7)
			}
			return p.runQuery(c.Context(), args[0], dashboard.Ask{Since: since, Until: until, Values: given, Now: p.now()})
		},
	}
	when.flags(c)
	c.Flags().StringArrayVar(&params, "param", nil, "a parameter's value, as name=value")
	return c
}

// listedQuery is a query as list shows it.
type listedQuery struct {
	ID      string         `json:"id"`
	Version int            `json:"version"`
	Title   dashboard.Text `json:"title"`
	Cases   int            `json:"cases"`
	File    string         `json:"file"`
}

func (p *program) listQueries() error {
	b, err := p.book()
	if err != nil {
		return err
	}
	all := []listedQuery{}
	for _, q := range b.Queries() {
		all = append(all, listedQuery{q.ID, q.Version, q.Title, len(q.Cases), q.File})
	}
	if p.json() {
		return p.printJSON(all)
	}
	rows := make([][]string, len(all))
	for i, q := range all {
		rows[i] = []string{q.ID, fmt.Sprint(q.Version), q.Title.En, fmt.Sprint(q.Cases), q.File}
	}
	return p.printTable([]string{"id", "version", "title", "cases", "file"}, rows)
}

func (p *program) runQuery(ctx context.Context, id string, ask dashboard.Ask) error {
	b, err := p.book()
	if err != nil {
		return err
	}
	q, ok := b.Query(id)
	if !ok {
		return wrong("there is no query %s: `yagura queries list` tells which there are", id)
	}
	r, err := p.read(ctx)
	if err != nil {
		return err
	}
	defer r.Close()
	a, err := engine(r.lake, p.cfg.SQL).AskQuery(ctx, q, ask)
	if bad := (*dashboard.ValueError)(nil); errors.As(err, &bad) {
		return wrong("%v", err)
	}
	if err != nil {
		return err
	}
	switch p.flags.format {
	case "json", "jsonl":
		return p.printJSON(a)
	case "csv":
		return p.printTable([]string{"group", "time", "count", "usual_low", "usual_high", "unusual"}, p.longRows(a))
	}
	return p.printAnswer(a)
}

// queriesTested is what test found.
type queriesTested struct {
	Queries int `json:"queries"`
	casesTested
}

func (p *program) testQueries(ctx context.Context, paths []string) error {
	var all []*dashboard.Query
	var refused []*dashboard.Error
	if len(paths) > 0 {
		all, refused = catalogue.UserQueries(paths)
	} else {
		var b *dashboard.Book
		b, refused = catalogue.Dashboards(p.cfg.Queries, p.cfg.Dashboards)
		all = b.Queries()
	}
	out := queriesTested{len(all), casesTested{Failures: []caseFailure{}}}
	for _, e := range refused {
		out.fail(caseFailure{File: e.File, Line: e.Line, Why: "refused: " + e.Reason})
	}
	for _, q := range all {
		for i := range q.Cases {
			failure, err := p.testCase(ctx, q, i)
			if err != nil {
				return fmt.Errorf("%s: %s: %w", q.File, q.Cases[i].Name, err)
			}
			if failure != nil {
				out.fail(caseFailure(*failure))
				continue
			}
			out.Passed++
		}
	}
	return p.printTested(out, fmt.Sprintf("%d queries", out.Queries), out.casesTested)
}

// testCase runs a case in a lake of its own, so that it goes through the engine that
// will be asked.
func (p *program) testCase(ctx context.Context, q *dashboard.Query, i int) (failure *dashboard.Failure, err error) {
	dir, err := os.MkdirTemp("", "yagura-case-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	l, err := local.Open(dir, local.Options{Now: p.now})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	events, err := q.Cases[i].CaseEvents()
	if err != nil {
		return nil, err
	}
	if _, err := l.Append(ctx, batchOf(q.ID, events)); err != nil {
		return nil, err
	}
	return q.Test(ctx, engine(l, p.cfg.SQL), i), nil
}

// batchOf makes events a batch, as if they had been read from one object.
func batchOf(object string, events []event.Event) event.Batch {
	b := event.Batch{Spans: []event.Span{{Object: object, Version: "1", Records: int64(len(events)), Final: true}}}
	for i, e := range events {
		e.Object, e.Position, e.UID = object, int64(i), event.UID{1, 15: byte(i + 1)}
		b.Events = append(b.Events, e)
	}
	return b
}
