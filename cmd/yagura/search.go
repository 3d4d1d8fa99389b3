package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/yagura-sec/yagura/api"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/query"
)

func (p *program) search() *cobra.Command {
	var during period
	var limit int
	var oldest, count bool
	c := &cobra.Command{
		Use: "search [QUERY]", Short: "Find events",
		Long: `Search prints the events that satisfy a filter, newest first. A filter is made
of field:value, "quoted phrases" and words, with wildcards (* and ?), ranges
(time:[2026-11-01 TO 2026-11-02], time:>now-7d), comparisons (position:>=10), networks
(src_ip:203.0.113.0/24), and, or, not and parentheses. Fields are the columns of
an event; words are looked for in the message and the record itself.`,
		Example: `  yagura search 'api_operation:GetSecretValue outcome:denied'
  yagura search 'actor_name:ci-* not src_ip:10.0.0.0/8' --since 7d
  yagura search '"aws-cli" (region:eu-west-1 or region:us-east-1)' --format json`,
		RunE: func(c *cobra.Command, args []string) error {
			where, err := query.ParseAt(strings.Join(args, " "), p.now())
			if err != nil {
				return exit{exitUsage, marked(err)}
			}
			q := query.Query{Where: where, Limit: limit, OldestFirst: oldest}
			if q.Since, q.Until, err = during.times(p.now()); err != nil {
				return err
			}
			if count {
				return p.countEvents(c.Context(), q)
			}
			return p.printEvents(c.Context(), q)
		},
	}
	during.flags(c)
	c.Flags().IntVar(&limit, "limit", 100, "at most so many; 0: all")
	c.Flags().BoolVar(&oldest, "oldest-first", false, "ascending by time")
	c.Flags().BoolVar(&count, "count", false, "print only how many there are")
	return c
}

// marked adds the place to an error of a filter, as a mark below the text.
func marked(err error) error {
	var at *query.SyntaxError
	if errors.As(err, &at) {
		return fmt.Errorf("%w\n%s", err, at.Caret())
	}
	return err
}

func (p *program) countEvents(ctx context.Context, q query.Query) error {
	r, err := p.read(ctx)
	if err != nil {
		return err
	}
	defer r.Close()
	q.Limit = 0
	n, err := r.lake.Count(ctx, q)
	if err != nil {
		return err
	}
	if p.flags.format != "table" {
		return p.printRow(map[string]int64{"count": n})
	}
	_, err = fmt.Fprintln(p.stdout, number(n))
	return err
}

func (p *program) printEvents(ctx context.Context, q query.Query) error {
	r, err := p.read(ctx)
	if err != nil {
		return err
	}
	defer r.Close()
	var rows [][]string
	for e, err := range r.lake.Select(ctx, q) {
		if err != nil {
			return err
		}
		if p.flags.format == "json" || p.flags.format == "jsonl" {
			if err := p.printRow(api.ViewEvent(e)); err != nil {
				return err
			}
			continue
		}
		rows = append(rows, p.eventRow(&e))
	}
	switch p.flags.format {
	case "json", "jsonl":
		return nil
	case "csv":
		return p.printTable(csvColumns, rows)
	}
	if err := p.printTable([]string{"time", "account", "region", "caller", "actor", "operation", "outcome", "resource", "from"}, rows); err != nil {
		return err
	}
	if q.Limit > 0 && len(rows) == q.Limit {
		fmt.Fprintf(p.stdout, "\nThe first %d; --limit 0 shows all.\n", q.Limit)
	}
	return nil
}

var csvColumns = []string{"time", "uid", "account_uid", "region", "api_service", "api_operation", "outcome", "status_code", "actor_type", "actor_uid", "actor_session", "caller", "caller_confidence", "src_ip", "src_host", "user_agent", "resource_uid", "message", "object", "position"}

func (p *program) eventRow(e *event.Event) []string {
	from := e.SrcIP
	if from == "" {
		from = e.SrcHost
	}
	if p.flags.format == "csv" {
		return []string{e.Time.Format("2006-01-02T15:04:05.999999Z07:00"), e.UID.String(), e.AccountUID, e.Region, e.APIService, e.APIOperation,
			string(e.Outcome), e.StatusCode, string(e.ActorType), e.ActorUID, e.ActorSession, string(e.Caller),
			strconv.FormatFloat(float64(e.CallerConfidence), 'g', 3, 32), e.SrcIP, e.SrcHost, e.UserAgent, e.ResourceUID, e.Message, e.Object, fmt.Sprint(e.Position)}
	}
	return []string{stamp(e.Time), e.AccountUID, e.Region, string(e.Caller), short(oneLine(e.ActorName), 32), oneLine(e.APIOperation), string(e.Outcome), short(oneLine(e.ResourceUID), 56), short(oneLine(from), 40)}
}
