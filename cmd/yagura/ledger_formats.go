package main

import (
	"context"
	"fmt"

	"github.com/yagura-sec/yagura/ledger"
)

// printFormats prints the account of each format, and below it why records of it
// are in quarantine; in CSV the reasons are rows of the same table.
func (p *program) printFormats(ctx context.Context, r *rooms) error {
	by, err := ledger.CountFormats(ctx, r.ledger)
	if err != nil {
		return err
	}
	switch {
	case p.json():
		err = p.printJSON(by)
	case p.flags.format == "csv":
		err = p.flatFormats(by)
	default:
		err = p.tableFormats(by)
	}
	if err != nil {
		return err
	}
	for _, f := range by.Formats {
		if f.Quarantined > 0 {
			return exit{code: exitIncomplete}
		}
	}
	return nil
}

// formatName is how tables call a format.
func formatName(format string) string {
	if format == "" {
		return "(not known)"
	}
	return format
}

func (p *program) tableFormats(by ledger.ByFormat) error {
	var rows, reasons [][]string
	for _, f := range by.Formats {
		rows = append(rows, []string{formatName(f.Format), number(f.Objects), number(f.Read), number(f.Stored), number(f.Duplicate), number(f.Quarantined), number(f.Expired)})
		for _, x := range f.Reasons {
			reasons = append(reasons, []string{formatName(f.Format), number(x.Records), short(oneLine(x.Reason.String()), 160)})
		}
		if f.OtherReasons > 0 {
			reasons = append(reasons, []string{formatName(f.Format), number(f.OtherReasons), "other reasons"})
		}
	}
	if err := p.printTable([]string{"format", "objects", "read", "stored", "duplicate", "quarantined", "expired"}, rows); err != nil {
		return err
	}
	if len(reasons) > 0 {
		fmt.Fprint(p.stdout, "\nWhy records are in quarantine\n")
		if err := p.printTable([]string{"format", "records", "reason"}, reasons); err != nil {
			return err
		}
	}
	if by.Aside > 0 {
		_, err := fmt.Fprintf(p.stdout, "\n%s more objects are no logs and hold no records.\n", number(by.Aside))
		return err
	}
	return nil
}

// flatFormats is one table: a row a format, and one a reason that counts its
// records as quarantined.
func (p *program) flatFormats(by ledger.ByFormat) error {
	var rows [][]string
	for _, f := range by.Formats {
		rows = append(rows, []string{"format", f.Format, p.count(f.Objects), p.count(f.Read), p.count(f.Stored), p.count(f.Duplicate), p.count(f.Quarantined), p.count(f.Expired), ""})
		for _, x := range f.Reasons {
			rows = append(rows, []string{"reason", f.Format, "", "", "", "", p.count(x.Records), "", x.Reason.String()})
		}
		if f.OtherReasons > 0 {
			rows = append(rows, []string{"reason", f.Format, "", "", "", "", p.count(f.OtherReasons), "", "other reasons"})
		}
	}
	return p.printTable([]string{"what", "format", "objects", "read", "stored", "duplicate", "quarantined", "expired", "reason"}, rows)
}
