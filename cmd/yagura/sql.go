package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/yagura-sec/yagura/lake"
)

func (p *program) sql() *cobra.Command {
	var limit int64
	var timeout time.Duration
	c := &cobra.Command{
		Use: "sql QUERY", Short: "Ask with SQL", Args: cobra.MinimumNArgs(1),
		Long: `Sql runs one SELECT over the views events and usage, in a process of its own that
can read nothing else and is cut off at the limits of the configuration. The
dialect is DuckDB's; raw is the record as JSON text.`,
		Example: `  yagura sql 'select api_operation, count(*) from events group by 1 order by 2 desc limit 10'
  yagura sql "select raw->>'$.requestParameters.bucketName' as bucket, count(*) from events where api_service = 's3.amazonaws.com' group by 1"`,
		RunE: func(c *cobra.Command, args []string) error {
			opt := lake.SQLOptions{Timeout: time.Duration(p.cfg.SQL.Timeout), MaxRows: int64(p.cfg.SQL.Rows), MaxBytes: int64(p.cfg.SQL.Bytes)}
			if limit < 0 || timeout < 0 {
				return wrong("--max-rows and --timeout are not negative")
			}
			if limit > 0 {
				opt.MaxRows = limit
			}
			if timeout > 0 {
				opt.Timeout = timeout
			}
			return p.runSQL(c.Context(), strings.Join(args, " "), opt)
		},
	}
	c.Flags().Int64Var(&limit, "max-rows", 0, "cut the answer behind so many rows (default from the configuration)")
	c.Flags().DurationVar(&timeout, "timeout", 0, "cut the statement off after this time (default from the configuration)")
	return c
}

func (p *program) runSQL(ctx context.Context, text string, opt lake.SQLOptions) error {
	r, err := p.read(ctx)
	if err != nil {
		return err
	}
	defer r.Close()
	res, err := r.lake.SQL(ctx, text, opt)
	if err != nil {
		return err
	}
	defer res.Close()
	var names []string
	for _, c := range res.Columns() {
		names = append(names, c.Name)
	}
	keys := distinct(names)
	var rows [][]string
	for res.Next() {
		if p.json() {
			if err := p.printRow(object{keys, res.Row()}); err != nil {
				return err
			}
			continue
		}
		cells := make([]string, len(names))
		for i, v := range res.Row() {
			cells[i] = p.cell(v)
		}
		rows = append(rows, cells)
	}
	if err := res.Err(); err != nil {
		return err
	}
	if !p.json() {
		if err := p.printRows(names, rows); err != nil {
			return err
		}
	}
	if why := res.Truncated(); why != "" {
		p.warn("the answer was cut: %s", why)
	}
	return nil
}

// distinct makes the names of columns good for the keys of an object: the
// second "n" becomes "n_2".
func distinct(names []string) []string {
	out := make([]string, 0, len(names))
	for _, name := range names {
		key := name
		for n := 2; slices.Contains(out, key); n++ {
			key = fmt.Sprintf("%s_%d", name, n)
		}
		out = append(out, key)
	}
	return out
}

// object is a row as a JSON object whose keys keep the statement's order.
type object struct {
	names  []string
	values []any
}

// MarshalJSON writes the object.
func (o object) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, name := range o.names {
		if i > 0 {
			b = append(b, ',')
		}
		key, err := json.Marshal(name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(o.values[i])
		if err != nil {
			return nil, err
		}
		b = append(append(append(b, key...), ':'), value...)
	}
	return append(b, '}'), nil
}

// cell is a value as text.
func (p *program) cell(v any) string {
	switch v := v.(type) {
	case nil:
		if p.flags.format == "csv" {
			return ""
		}
		return "NULL"
	case string:
		if p.flags.format == "csv" {
			return v
		}
		return short(oneLine(v), 120)
	}
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(text)
}
