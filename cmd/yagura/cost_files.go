package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/yagura-sec/yagura/cost"
)

func (p *program) costFiles() *cobra.Command {
	return &cobra.Command{
		Use: "files", Short: "List what was imported, and the rows of it that could not be read", Args: cobra.NoArgs,
		Long: `Files lists the bills, counts and settings that are held, by name, with the months they
are of, and of each the first hundred rows that could not be read: their line, column,
reason and, as JSON, how they begin.

Exit code 4: rows could not be read.`,
		RunE: func(c *cobra.Command, _ []string) error {
			r, err := p.read(c.Context())
			if err != nil {
				return err
			}
			defer r.Close()
			store, err := r.costs(c.Context())
			if err != nil {
				return err
			}
			held, err := store.Files(c.Context())
			if err != nil {
				return err
			}
			return p.printCostFiles(held)
		},
	}
}

// CostFiles is what is held of bills, counts and settings: the JSON of `cost files`.
type CostFiles struct {
	Files       []CostFile    `json:"files"`
	Quarantined int64         `json:"quarantined"` // rows that could not be read
	Refused     []CostRefused `json:"refused"`     // the first of them
}

func (p *program) printCostFiles(held []cost.File) error {
	all := CostFiles{Files: []CostFile{}, Refused: []CostRefused{}}
	var files [][]string
	for _, f := range held {
		v := costFile(f, cost.Settled{})
		all.Files = append(all.Files, v)
		all.Refused = append(all.Refused, costRefused(f)...)
		all.Quarantined += f.Refused
		files = append(files, []string{tail(v.File, 60), v.Holds, v.Form, strings.Join(v.Months, " "), p.count(v.Rows), p.count(v.Quarantined), v.Imported.Format(time.DateOnly)})
	}
	var err error
	if p.json() {
		err = p.printJSON(all)
	} else {
		err = p.printTable([]string{"file", "holds", "form", "months", "rows", "quarantined", "imported"}, files)
	}
	if err == nil && p.flags.format == "table" {
		err = p.printCostRefused(all.Refused)
	}
	if err == nil && all.Quarantined > 0 {
		err = exit{code: exitIncomplete}
	}
	return err
}

// costRefused are the rows of a file that were kept apart.
func costRefused(f cost.File) (out []CostRefused) {
	for _, r := range f.Refusals {
		out = append(out, CostRefused{f.Name, r.Row, r.Column, r.Reason, string(r.Bytes)})
	}
	return out
}

func (p *program) printCostRefused(all []CostRefused) error {
	var rows [][]string
	for _, r := range all {
		rows = append(rows, []string{tail(r.File, 60), fmt.Sprint(r.Row), short(oneLine(r.Column), 60), oneLine(r.Reason)})
	}
	return p.part("Quarantine", []string{"file", "row", "column", "reason"}, rows)
}
