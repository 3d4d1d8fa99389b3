package configcost

import (
	"fmt"
	"slices"
	"strings"

	"github.com/yagura-sec/yagura/evaluate/story"
	"github.com/yagura-sec/yagura/simulate/configcost"
)

// Result is what was said of many worlds.
type Result struct {
	Verdicts []Verdict      `json:"worlds"`
	Failed   []story.Failed `json:"failed,omitempty"`
	Rows     []Row          `json:"variants"`
	Bars     []story.Bar    `json:"bars"`
	Confined bool           `json:"confined"`
}

// Row sums up worlds of one variant: how many there are, and of how many each holds.
type Row struct {
	Variant  string  `json:"variant"`
	Worlds   int     `json:"worlds"`
	Shares   int     `json:"shares"`
	Again    int     `json:"again"`
	Missing  int     `json:"missing"`
	Moved    int     `json:"moved"`
	Changes  int     `json:"changes"`
	Loop     int     `json:"loop"`
	Schedule int     `json:"schedule"`
	Advice   int     `json:"advice"`
	Totals   int     `json:"totals"`
	Plans    int     `json:"plans"`
	Touched  int     `json:"touched"`
	Estimate int     `json:"estimate"`
	Ingest   float64 `json:"ingest_seconds"` // at the median
	Import   float64 `json:"import_seconds"`
	Ask      float64 `json:"ask_seconds"`
}

// Add sums up verdicts.
func Add(verdicts []Verdict, failed []story.Failed, confined bool) *Result {
	r := &Result{Verdicts: verdicts, Failed: failed, Confined: confined}
	for _, variant := range configcost.Variants {
		var all []Verdict
		for _, v := range verdicts {
			if v.Variant == variant {
				all = append(all, v)
			}
		}
		if len(all) > 0 {
			r.Rows = append(r.Rows, row(all))
		}
	}
	bar := func(name string, want float64, most bool, of, is func(Verdict) bool) {
		r.Bars = append(r.Bars, story.Measure(verdicts, name, want, most, of, is))
	}
	every := func(Verdict) bool { return true }
	only := func(variants ...string) func(Verdict) bool {
		return func(v Verdict) bool { return slices.Contains(variants, v.Variant) }
	}
	counted := func(v Verdict) bool { return v.Variant != configcost.NoCounts }
	bar("shares are the bill's, to its last digit", 1, false, every, func(v Verdict) bool { return v.Shares })
	bar("the same files twice change nothing", 1, false, every, func(v Verdict) bool { return v.Again })
	bar("rows that cannot be read are said to be missing", 1, false, only(configcost.LateRows), func(v Verdict) bool { return v.Missing })
	bar("a move is told as one", 1, false, only(configcost.Move), func(v Verdict) bool { return v.Moved })
	bar("a move is told where there is none", 0, true, func(v Verdict) bool { return v.Variant != configcost.Move }, func(v Verdict) bool { return !v.Moved })
	bar("changes of each day are counted", 1, false, every, func(v Verdict) bool { return v.Changes })
	bar("the loop is named, with its number, share and life", 1, false, loops, func(v Verdict) bool { return v.Loop })
	bar("a loop is named where there is none", 0, true, func(v Verdict) bool { return !loops(v) }, func(v Verdict) bool { return !v.Loop })
	bar("the schedule is named", 1, false, only(configcost.Schedule), func(v Verdict) bool { return v.Schedule })
	bar("items, savings and verdicts of all types are right", 1, false, counted, func(v Verdict) bool { return v.Advice })
	bar("totals are right", 1, false, counted, func(v Verdict) bool { return v.Totals })
	bar("changes come with a plan and its undoing", 1, false, every, func(v Verdict) bool { return v.Plans })
	bar("a recorder of Control Tower is touched", 0, true, every, func(v Verdict) bool { return v.Touched })
	bar("what was not counted is estimated within bounds", 1, false, only(configcost.NoCounts), func(v Verdict) bool { return v.Estimate })
	bar("records that were not read", 0, true, every, func(v Verdict) bool { return v.Unread > 0 })
	return r
}

// loops tells whether a world has one.
func loops(v Verdict) bool {
	return v.Variant != configcost.Schedule && v.Variant != configcost.Ratios
}

func row(all []Verdict) Row {
	w := Row{Variant: all[0].Variant, Worlds: len(all)}
	count := func(n *int, is bool) {
		if is {
			*n++
		}
	}
	var ingest, imports, ask []float64
	for _, v := range all {
		count(&w.Shares, v.Shares)
		count(&w.Again, v.Again)
		count(&w.Missing, v.Missing)
		count(&w.Moved, v.Moved)
		count(&w.Changes, v.Changes)
		count(&w.Loop, v.Loop)
		count(&w.Schedule, v.Schedule)
		count(&w.Advice, v.Advice)
		count(&w.Totals, v.Totals)
		count(&w.Plans, v.Plans)
		count(&w.Touched, v.Touched)
		count(&w.Estimate, v.Estimate)
		ingest, imports, ask = append(ingest, v.Ingest), append(imports, v.Import), append(ask, v.Ask)
	}
	middle := func(all []float64) float64 { slices.Sort(all); return all[len(all)/2] }
	w.Ingest, w.Import, w.Ask = middle(ingest), middle(imports), middle(ask)
	return w
}

// Head names the columns of Cells.
var Head = []string{"variant", "worlds", "shares", "twice", "missing rows", "moves", "changes", "loop", "schedule", "advice", "totals", "plans", "touched", "estimate", "ingest s", "import s", "ask s"}

// Cells are rows for a table.
func (r *Result) Cells() (out [][]string) {
	for _, w := range r.Rows {
		cells := []string{w.Variant}
		for _, n := range []int{w.Worlds, w.Shares, w.Again, w.Missing, w.Moved, w.Changes, w.Loop, w.Schedule, w.Advice, w.Totals, w.Plans, w.Touched, w.Estimate} {
			cells = append(cells, fmt.Sprint(n))
		}
		out = append(out, append(cells, fmt.Sprintf("%.1f", w.Ingest), fmt.Sprintf("%.1f", w.Import), fmt.Sprintf("%.1f", w.Ask)))
	}
	return out
}

// BarCells are the bars for a table.
func (r *Result) BarCells() [][]string { return story.BarCells(r.Bars) }

// Report is the result as a document.
func (r *Result) Report(h story.Header) string {
	var w strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&w, format+"\n", args...) }
	say("# What AWS Config costs, and what could be cheaper\n")
	say("%s", h.Origin())
	say("Worlds: %d, seeds %s where nothing else is said. Each is one of [simulate --story config-cost](simulate.md#the-story-of-what-aws-config-costs):\nsix accounts, a week of CloudTrail, bills of three months, counts of thirty days. Its logs went through\n`ingest`, its bills and counts through `cost import`, twice, without any configuration, %s;\nthen `cost shares`, `cost trend`, `cost changes` and `cost advise` were asked.\n", len(r.Verdicts), h.Seeds, story.Apart(r.Confined))
	w.WriteString(story.Missing(r.Failed))
	say("## The bars\n")
	story.Table(&w, story.BarHead, r.BarCells())
	say("## By variant\n")
	say("Worlds of which each holds. *Shares*: each service, account and month exactly. *Twice*: the same\nafter a second import. *Missing rows*, *moves*, *loop* and *schedule*: told where there are any,\nand only there. *Advice*: items, changed resource-days, saving and verdict of every type. *Totals*:\nwhat would be saved, and what of it is nobody else's to decide. *Plans*: with their undoing where\na change is advised, and nowhere else. *Touched*: a plan calls a recorder that is Control Tower's.\n*Estimate*: the truth is within the bounds where nothing was counted. Seconds are medians.\n")
	story.Table(&w, Head, r.Cells())
	r.faults(&w)
	return w.String()
}

// faults lists the worlds in which something is not as it should be.
func (r *Result) faults(w *strings.Builder) {
	fmt.Fprintf(w, "## Worlds in which something is wrong\n\n")
	var rows [][]string
	for _, v := range r.Verdicts {
		if v.Unread > 0 {
			v.Wrong = append(v.Wrong, fmt.Sprintf("%d records not read", v.Unread))
		}
		if len(v.Wrong) > 0 {
			rows = append(rows, []string{v.Variant, fmt.Sprint(v.Seed), strings.Join(v.Wrong, "; ")})
		}
	}
	if len(rows) == 0 {
		fmt.Fprintln(w, "None.")
		return
	}
	story.Table(w, []string{"variant", "seed", "what"}, rows)
}
