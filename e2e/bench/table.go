package main

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// table is what was measured.
type table struct {
	head []string // about the machine
	rows []row
}

// row is a line of the table: a title, or a figure and perhaps its bar.
type row struct {
	title  string // of the rows that follow
	what   string
	figure string
	bar    string
	ratio  float64 // 1 and more: the bar is met; NaN: there is none
}

func (t *table) title(text string) { t.rows = append(t.rows, row{title: text}) }

// plain adds a figure without a bar.
func (t *table) plain(what, figure string, args ...any) {
	t.rows = append(t.rows, row{what: what, figure: fmt.Sprintf(figure, args...), ratio: math.NaN()})
}

// least adds a figure that should be at least bar; atMost one that should not
// be above it. unit prints both.
func (t *table) least(what string, figure, bar float64, unit func(float64) string) {
	t.rows = append(t.rows, row{what: what, figure: unit(figure), bar: "≥ " + unit(bar), ratio: figure / bar})
}

func (t *table) atMost(what string, figure, bar float64, unit func(float64) string) {
	t.rows = append(t.rows, row{what: what, figure: unit(figure), bar: "≤ " + unit(bar), ratio: bar / figure})
}

func (t *table) print(w io.Writer) error {
	for _, line := range t.head {
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
	}
	var text bytes.Buffer
	tw := tabwriter.NewWriter(&text, 0, 4, 2, ' ', 0)
	fmt.Fprint(tw, "\nwhat\tfigure\tbar\tratio\n") // a buffer takes everything, so do the next
	for _, r := range t.rows {
		if r.title != "" {
			fmt.Fprintf(tw, "\t\t\t\n%s\t\t\t\n", r.title)
			continue
		}
		ratio := ""
		if !math.IsNaN(r.ratio) {
			ratio = fmt.Sprintf("%.2f", r.ratio)
		}
		fmt.Fprintf(tw, "  %s\t%s\t%s\t%s\n", r.what, r.figure, r.bar, ratio)
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	for line := range strings.Lines(text.String()) {
		if _, err := fmt.Fprintln(w, strings.TrimRight(line, " \n")); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintln(w, "\nratio: 1 and more meets the bar. Bars are those of two quiet cores.")
	return err
}

// grouped is n with commas between thousands.
func grouped(n float64) string {
	digits := strconv.FormatFloat(math.Round(n), 'f', 0, 64)
	var out []byte
	for i, c := range []byte(digits) {
		if i > 0 && (len(digits)-i)%3 == 0 && digits[i-1] != '-' {
			out = append(out, ',')
		}
		out = append(out, c)
	}
	return string(out)
}

func perSecond(v float64) string { return grouped(v) + "/s" }
func megabytes(v float64) string { return grouped(v/(1<<20)) + " MiB" }
func twoPlaces(v float64) string { return fmt.Sprintf("%.2f", v) }

// millis prints seconds as milliseconds.
func millis(seconds float64) string {
	if seconds < 0.01 {
		return fmt.Sprintf("%.1f ms", seconds*1000)
	}
	return grouped(seconds*1000) + " ms"
}

// times are repeated measurements of one thing.
type times []time.Duration

// at is the value that a share q of the measurements does not exceed, in seconds.
func (t times) at(q float64) float64 {
	if len(t) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(t))
	i := int(math.Ceil(q*float64(len(sorted)))) - 1
	return sorted[min(max(i, 0), len(sorted)-1)].Seconds()
}

func (t times) median() float64 { return t.at(0.5) }
func (t times) worst() float64  { return t.at(1) }

// String is the median and the worst.
func (t times) String() string {
	return strings.Join([]string{millis(t.median()), "worst " + millis(t.worst())}, ", ") + fmt.Sprintf(" of %d", len(t))
}
