package story

import (
	"fmt"
	"strings"
)

// Failed is a world that could not be evaluated.
type Failed struct {
	World string `json:"world"`
	Why   string `json:"why"`
}

// Bar is what has to hold.
type Bar struct {
	Name string  `json:"name"`
	Want float64 `json:"want"`
	Most bool    `json:"at_most"`
	Got  float64 `json:"got"` // 0 too where Of is
	Of   int     `json:"of"`
	Met  bool    `json:"met"`
}

// Measure makes a bar of the part of those verdicts that it is about.
func Measure[V any](all []V, name string, want float64, most bool, of, is func(V) bool) Bar {
	n, k := 0, 0
	for _, v := range all {
		if of(v) {
			n++
			if is(v) {
				k++
			}
		}
	}
	got := 0.0
	if n > 0 {
		got = float64(k) / float64(n)
	}
	return Bar{name, want, most, got, n, n > 0 && (got >= want && !most || got <= want && most)}
}

// BarHead names the columns of BarCells.
var BarHead = []string{"bar", "want", "got", "worlds", "met"}

// BarCells are bars for a table.
func BarCells(bars []Bar) (out [][]string) {
	for _, b := range bars {
		want, got, met := "≥ ", "–", "**no**"
		if b.Most {
			want = "≤ "
		}
		if b.Of > 0 {
			got = fmt.Sprintf("%.3f", b.Got)
		} else {
			met = "nothing to judge by"
		}
		if b.Met {
			met = "yes"
		}
		out = append(out, []string{b.Name, want + fmt.Sprintf("%.2f", b.Want), got, fmt.Sprint(b.Of), met})
	}
	return out
}

// Header is what a report says of how it came about.
type Header struct {
	Command, Version, Go, System, Seeds string
}

// Origin says how a report came about.
func (h Header) Origin() string {
	return fmt.Sprintf("This page is written by\n\n```\n%s\n```\n\n(yagura %s, %s, %s). Nothing in it is written by hand.\n", h.Command, h.Version, h.Go, h.System)
}

// Apart says where worlds were evaluated.
func Apart(confined bool) string {
	if !confined {
		return "in a process of its own (no Landlock here: the truth was out of reach by convention only)"
	}
	return "in a process from which the truth was out of reach (the kernel saw to it: Landlock)"
}

// Missing says which worlds are not in a report.
func Missing(failed []Failed) string {
	var w strings.Builder
	for _, f := range failed {
		fmt.Fprintf(&w, "**World %s could not be evaluated and is not in these figures**: %s\n\n", f.World, f.Why)
	}
	return w.String()
}

// Table writes one of Markdown.
func Table(w *strings.Builder, head []string, rows [][]string) {
	fmt.Fprintf(w, "| %s |\n|%s\n", strings.Join(head, " | "), strings.Repeat(" --- |", len(head)))
	for _, row := range rows {
		fmt.Fprintf(w, "| %s |\n", strings.ReplaceAll(strings.Join(row, " | "), "\n", " "))
	}
	fmt.Fprintln(w)
}
