package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/yagura-sec/yagura/export"
	sentences "github.com/yagura-sec/yagura/say" // a test of this package has another say
)

// printJSON writes one object: indented for a person who looks, or on one line
// for jsonl.
func (p *program) printJSON(v any) error {
	if p.flags.format == "jsonl" {
		return p.printRow(v)
	}
	enc := json.NewEncoder(p.stdout)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// json tells whether the answer is to be JSON.
func (p *program) json() bool { return p.flags.format == "json" || p.flags.format == "jsonl" }

// printRow writes one object on a line.
func (p *program) printRow(v any) error {
	enc := json.NewEncoder(p.stdout)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// printTable writes rows under a head of our own words, as a table or as CSV.
func (p *program) printTable(head []string, rows [][]string) error {
	if p.flags.format != "csv" {
		head = slices.Clone(head)
		for i := range head {
			head[i] = strings.ToUpper(head[i])
		}
	}
	return p.printRows(head, rows)
}

// printRows is printTable with a head that is printed as it is.
func (p *program) printRows(head []string, rows [][]string) error {
	if p.flags.format == "csv" {
		w := csv.NewWriter(p.stdout)
		for _, row := range append([][]string{head}, rows...) {
			if err := w.Write(plainCells(row)); err != nil {
				return err
			}
		}
		w.Flush()
		return w.Error()
	}
	w := tabwriter.NewWriter(p.stdout, 0, 8, 2, ' ', 0)
	for _, row := range append([][]string{head}, rows...) {
		cells := make([]string, len(row))
		for j, cell := range row {
			cells[j] = strings.ReplaceAll(safe(cell), "\n", `\n`)
		}
		fmt.Fprintln(w, strings.Join(cells, "\t"))
	}
	return w.Flush()
}

// plainCells makes cells that no spreadsheet takes for a formula.
func plainCells(row []string) []string {
	out := make([]string, len(row))
	for i, cell := range row {
		out[i] = export.Cell(cell)
	}
	return out
}

// safe makes a text from a log harmless for a terminal: control characters and
// those that turn the direction of writing are shown as escapes.
func safe(s string) string {
	if !strings.ContainsFunc(s, hostile) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if hostile(r) {
			fmt.Fprintf(&b, `\u%04x`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

func hostile(r rune) bool {
	return r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == unicode.ReplacementChar)
}

// short cuts a long text in the middle, where an ARN says least.
func short(s string, most int) string {
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	head := (most - 1) / 2
	return string(r[:head]) + "…" + string(r[len(r)-(most-1-head):])
}

// oneLine keeps a text on its line of a table.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// when is t for a cell: readable in a table, RFC 3339 in CSV.
func (p *program) when(t time.Time) string {
	if p.flags.format != "csv" {
		return stamp(t)
	}
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// count is n for a cell: grouped in a table, plain in CSV.
func (p *program) count(n int64) string {
	if p.flags.format == "csv" {
		return strconv.FormatInt(n, 10)
	}
	return number(n)
}

// amount is money for a cell beside that of its currency: as people read it in a
// table, exact in CSV.
func (p *program) amount(d fmt.Stringer, currency string) string {
	if p.flags.format == "csv" {
		return d.String()
	}
	return sentences.Amount(d, currency)
}

// saving is money with its currency for a cell of what can be saved: exact in CSV.
func (p *program) saving(d fmt.Stringer, currency string) string {
	if p.flags.format == "csv" {
		return strings.TrimSpace(d.String() + " " + currency)
	}
	return sentences.Saving(d, currency)
}

// exactly is a decimal number for a cell, with all its digits: grouped in a table.
func (p *program) exactly(d fmt.Stringer) string {
	if p.flags.format == "csv" {
		return d.String()
	}
	return sentences.Grouped(d.String())
}

// many is n things, in words.
func many(n int64, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return number(n) + " " + more
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("2006-01-02 15:04:05")
}

// number groups digits by thousands.
func number(n int64) string {
	s := fmt.Sprint(n)
	start := len(s) % 3
	parts := []string{}
	if start > 0 {
		parts = append(parts, s[:start])
	}
	for i := start; i < len(s); i += 3 {
		parts = append(parts, s[i:i+3])
	}
	return strings.Join(parts, ",")
}
