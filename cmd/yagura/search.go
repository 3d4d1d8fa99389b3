package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/yagura-sec/yagura/api"
	"github.com/yagura-sec/yagura/detect/draft"
	"github.com/yagura-sec/yagura/detect/rule"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/query"
)

func (p *program) search() *cobra.Command {
	var during period
	var limit int
	var oldest, count, fields, asRule bool
	c := &cobra.Command{
		Use: "search [QUERY]", Short: "Find events",
		Long: `Search prints the events that satisfy a filter, newest first. A filter is made
of field:value, "quoted phrases" and words, with wildcards (* and ?), text in a
field (user_agent:~boto), ranges (time:[2026-11-01 TO 2026-11-02], time:>now-7d),
comparisons (position:>=10), networks (src_ip:203.0.113.0/24), paths into the record
(raw.requestParameters.bucketName:logs), and, or, not and parentheses. Words are
looked for in the message and the record itself. --fields lists the fields;
docs/search.md tells the whole.

The last column of the table is the event's uid: search 'uid:UID' --format json
shows one event whole.`,
		Example: `  yagura search 'api_operation:GetSecretValue outcome:denied'
  yagura search 'actor_name:ci-* not src_ip:10.0.0.0/8' --since 7d
  yagura search '"aws-cli" (region:eu-west-1 or region:us-east-1)' --format json
  yagura search 'operation:DeleteTrail' --limit 0 --format csv > trails.csv
  yagura search 'operation:DeleteTrail not error:*' --as-rule > my-rules/trail-deleted.yml`,
		RunE: func(c *cobra.Command, args []string) error {
			if limit < 0 {
				return wrong("--limit %d: a number from 1 on, or 0 for all", limit)
			}
			if fields {
				return p.printFields(args)
			}
			where, err := query.ParseAt(strings.Join(args, " "), p.now())
			if err != nil {
				return exit{exitUsage, marked(err)}
			}
			if asRule {
				text, err := draftOf(where, strings.Join(args, " "))
				if err != nil {
					return exit{exitUsage, err}
				}
				_, err = p.stdout.Write(text)
				return err
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
	c.Flags().BoolVar(&count, "count", false, "print only how many there are, whatever the limit")
	c.Flags().BoolVar(&asRule, "as-rule", false, "print the filter as a draft of a Sigma rule, and search nothing")
	c.Flags().BoolVar(&fields, "fields", false, "print the fields that filters know")
	return c
}

// draftOf is the rule that looks for what the filter chooses.
func draftOf(where query.Expr, text string) ([]byte, error) {
	return draft.Rule(where, text, rule.Sources)
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
	switch p.flags.format {
	case "table":
		_, err = fmt.Fprintln(p.stdout, number(n))
		return err
	case "csv":
		return p.printTable([]string{"count"}, [][]string{{strconv.FormatInt(n, 10)}})
	}
	return p.printRow(map[string]int64{"count": n})
}

// Field is a column of events as scripts read it.
type Field struct {
	Name    string   `json:"name"`
	Aliases []string `json:"aliases"`
	Type    string   `json:"type"`
	Values  []string `json:"values,omitempty"`
	Doc     string   `json:"doc"`
}

func (p *program) printFields(args []string) error {
	if len(args) > 0 {
		return wrong("--fields takes no filter")
	}
	var all []Field
	var rows [][]string
	for _, c := range query.Columns() {
		all = append(all, Field{c.Name, append([]string{}, c.Aliases...), c.Type.String(), c.Values, c.Doc})
		doc := c.Doc
		if len(c.Values) > 0 {
			doc += ": " + strings.Join(c.Values, ", ")
		}
		rows = append(rows, []string{c.Name, strings.Join(c.Aliases, " "), c.Type.String(), doc})
	}
	switch p.flags.format {
	case "json":
		return p.printJSON(map[string]any{"fields": all})
	case "jsonl":
		for _, f := range all {
			if err := p.printRow(f); err != nil {
				return err
			}
		}
		return nil
	}
	return p.printTable([]string{"field", "aliases", "type", "what it is"}, rows)
}

// printEvents prints as it reads: what a search finds may be more than fits
// into memory. It asks for one event beyond the limit, to know whether there is.
func (p *program) printEvents(ctx context.Context, q query.Query) error {
	r, err := p.read(ctx)
	if err != nil {
		return err
	}
	defer r.Close()
	limit := q.Limit
	if limit > 0 {
		q.Limit++
	}
	out := p.eventPrinter()
	n := 0
	for e, err := range r.lake.Select(ctx, q) {
		if err != nil {
			return errors.Join(err, out.close())
		}
		if n++; limit > 0 && n > limit {
			break
		}
		if err := out.print(&e); err != nil {
			return err
		}
	}
	if err := out.close(); err != nil {
		return err
	}
	if more := limit > 0 && n > limit; p.flags.format != "table" {
		if more {
			p.warn("there are more than these %d; --limit 0 gives all", limit)
		}
		return nil
	} else if more {
		_, err = fmt.Fprintf(p.stdout, "\nThe first %d; --limit 0 shows all.\n", limit)
	}
	return err
}

// eventPrinter writes events in one of the formats.
type eventPrinter struct {
	print func(*event.Event) error
	close func() error
}

// tableBlock is how many rows of a table are laid out together.
const tableBlock = 1000

func (p *program) eventPrinter() eventPrinter {
	switch p.flags.format {
	case "json", "jsonl":
		return eventPrinter{
			print: func(e *event.Event) error { return p.printRow(api.ViewEvent(*e)) },
			close: func() error { return nil },
		}
	case "csv":
		w := csv.NewWriter(p.stdout)
		w.Write(csvColumns) // an error stays with w
		return eventPrinter{
			print: func(e *event.Event) error { return w.Write(plainCells(csvRow(e))) },
			close: func() error { w.Flush(); return w.Error() },
		}
	}
	var rows [][]string
	blocks := 0
	flush := func() error {
		if len(rows) == 0 && blocks > 0 {
			return nil
		}
		err := p.printTable(tableColumns, rows)
		rows, blocks = rows[:0], blocks+1
		return err
	}
	return eventPrinter{close: flush, print: func(e *event.Event) error {
		if len(rows) == tableBlock {
			if err := flush(); err != nil {
				return err
			}
		}
		rows = append(rows, tableRow(e))
		return nil
	}}
}

var tableColumns = []string{"time", "account", "region", "caller", "actor", "operation", "outcome", "resource", "from", "uid"}

func tableRow(e *event.Event) []string {
	from := e.SrcIP
	if from == "" {
		from = e.SrcHost
	}
	return []string{stamp(e.Time), e.AccountUID, e.Region, string(e.Caller), short(oneLine(e.ActorName), 24), oneLine(e.APIOperation),
		string(e.Outcome), short(oneLine(e.ResourceUID), 44), short(oneLine(from), 28), e.UID.String()}
}

var csvColumns = []string{"time", "uid", "account_uid", "region", "api_service", "api_operation", "outcome", "status_code", "actor_type", "actor_uid", "actor_session", "caller", "caller_confidence", "src_ip", "src_host", "user_agent", "resource_uid", "message", "object", "position"}

func csvRow(e *event.Event) []string {
	return []string{e.Time.Format("2006-01-02T15:04:05.999999Z07:00"), e.UID.String(), e.AccountUID, e.Region, e.APIService, e.APIOperation,
		string(e.Outcome), e.StatusCode, string(e.ActorType), e.ActorUID, e.ActorSession, string(e.Caller),
		strconv.FormatFloat(float64(e.CallerConfidence), 'g', 3, 32), e.SrcIP, e.SrcHost, e.UserAgent, e.ResourceUID, e.Message, e.Object, fmt.Sprint(e.Position)}
}
