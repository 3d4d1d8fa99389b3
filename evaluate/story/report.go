package story

import (
	"fmt"
	"slices"
	"strings"

	"github.com/yagura-sec/yagura/simulate/denied"
)

// Result is what was found in many worlds.
type Result struct {
	Verdicts []Verdict `json:"worlds"`
	Failed   []Failed  `json:"failed,omitempty"`
	Rows     []Row     `json:"variants"`
	Bars     []Bar     `json:"bars"`
	Confined bool      `json:"confined"`
}

// Row sums up worlds of one variant and size.
type Row struct {
	Variant   string  `json:"variant"`
	Records   int     `json:"records"`
	Worlds    int     `json:"worlds"`
	One       int     `json:"one"`
	Counted   int     `json:"counted"`
	Right     int     `json:"right"`
	Wrong     int     `json:"wrong"`
	Abstained int     `json:"abstained"`
	Listed    int     `json:"listed"`
	Intent    int     `json:"intent"`
	Implied   int     `json:"implied"`
	Gap       int     `json:"gap"`
	Proposed  int     `json:"proposed"`
	Unwise    int     `json:"unwise"`
	High      int     `json:"high"` // of severity high or above
	Others    int     `json:"others"`
	Unread    int64   `json:"unread"`
	Seconds   float64 `json:"seconds"` // the longest from ingest to case
	Median    float64 `json:"median_seconds"`
}

// Add sums up verdicts.
func Add(verdicts []Verdict, failed []Failed, confined bool) *Result {
	r := &Result{Verdicts: verdicts, Failed: failed, Confined: confined}
	for _, variant := range denied.Variants {
		sizes := map[int][]Verdict{}
		for _, v := range verdicts {
			if v.Variant == variant {
				sizes[v.Records/1000] = append(sizes[v.Records/1000], v)
			}
		}
		for _, size := range sorted(sizes) {
			r.Rows = append(r.Rows, row(sizes[size]))
		}
	}
	r.bars()
	return r
}

func sorted(m map[int][]Verdict) (keys []int) {
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func row(all []Verdict) Row {
	w := Row{Variant: all[0].Variant, Records: all[0].Records, Worlds: len(all)}
	var seconds []float64
	count := func(n *int, is bool) {
		if is {
			*n++
		}
	}
	for _, v := range all {
		count(&w.One, v.One)
		count(&w.Counted, v.Counted)
		count(&w.Right, v.Naming == Right)
		count(&w.Wrong, v.Naming == Wrong)
		count(&w.Abstained, v.Naming == Abstained)
		count(&w.Listed, v.Listed)
		count(&w.Intent, v.Intent)
		count(&w.Implied, v.Implied)
		count(&w.Gap, v.Gap)
		count(&w.Proposed, v.Proposed)
		count(&w.Unwise, v.Unwise)
		count(&w.High, v.Severity == "high" || v.Severity == "critical")
		w.Others += v.Others
		w.Unread += v.Unread
		seconds = append(seconds, v.Seconds)
	}
	slices.Sort(seconds)
	w.Seconds, w.Median = seconds[len(seconds)-1], seconds[len(seconds)/2]
	return w
}

// told are the variants that are the story itself, told with all logs.
var told = []string{denied.Default, denied.RegisterOK}

// bars are what the story has to show.
func (r *Result) bars() {
	share := func(name string, want float64, most bool, of, is func(Verdict) bool) {
		r.Bars = append(r.Bars, Measure(r.Verdicts, name, want, most, of, is))
	}
	every := func(Verdict) bool { return true }
	refused := func(v Verdict) bool { return v.Variant != denied.Granted }
	of := func(variants ...string) func(Verdict) bool {
		return func(v Verdict) bool { return slices.Contains(variants, v.Variant) }
	}
	share("one finding a run, with its count", 1, false, refused, func(v Verdict) bool { return v.One && v.Counted })
	share("no finding of what was granted", 1, false, of(denied.Granted), func(v Verdict) bool { return v.One })
	share("named rightly, of those named", 0.95, false, func(v Verdict) bool { return v.Naming == Right || v.Naming == Wrong }, func(v Verdict) bool { return v.Naming == Right })
	share("named, of the story with endpoint logs", 0.80, false, of(told...), func(v Verdict) bool { return v.Naming == Right })
	share("named, without endpoint logs", 0, true, of(denied.NoEndpoint), func(v Verdict) bool { return v.Naming == Right || v.Naming == Wrong })
	share("intent, service and gap, of the story", 0.95, false, of(denied.Default), func(v Verdict) bool { return v.Intent && v.Implied && v.Gap })
	share("gap told where there is none", 0, true, func(v Verdict) bool { return !gaps(v) && refused(v) }, func(v Verdict) bool { return !v.Gap })
	share("proposed as a gap where somebody is named", 0.95, false, func(v Verdict) bool { return v.Variant == denied.Default && v.Naming == Right }, func(v Verdict) bool { return v.Proposed })
	share("proposed as harmless where that is wrong", 0, true, every, func(v Verdict) bool { return v.Unwise })
	share("hostile: high", 1, false, of(denied.Hostile), func(v Verdict) bool { return v.Severity == "high" || v.Severity == "critical" })
	share("records that were not read", 0, true, every, func(v Verdict) bool { return v.Unread > 0 })
	share("from ingest to case within two minutes", 1, false, every, func(v Verdict) bool { return v.Seconds <= 120 })
}

// gaps tells whether a world's register lacks the service.
func gaps(v Verdict) bool {
	return !slices.Contains([]string{denied.RegisterOK, denied.VPCSC, denied.Granted, denied.Hostile}, v.Variant)
}

// Head names the columns of Cells.
var Head = []string{"variant", "records", "worlds", "one finding", "count", "named rightly", "wrongly", "abstained", "among candidates", "intent", "service", "gap right", "proposed", "unwise", "high", "others", "median s", "longest s"}

// Cells are rows for a table.
func (r *Result) Cells() (out [][]string) {
	for _, w := range r.Rows {
		cells := []string{w.Variant, fmt.Sprint(w.Records)}
		for _, n := range []int{w.Worlds, w.One, w.Counted, w.Right, w.Wrong, w.Abstained, w.Listed, w.Intent, w.Implied, w.Gap, w.Proposed, w.Unwise, w.High, w.Others} {
			cells = append(cells, fmt.Sprint(n))
		}
		out = append(out, append(cells, fmt.Sprintf("%.1f", w.Median), fmt.Sprintf("%.1f", w.Seconds)))
	}
	return out
}

// BarCells are the bars for a table.
func (r *Result) BarCells() [][]string { return BarCells(r.Bars) }

// Report is the result as a document.
func (r *Result) Report(h Header) string {
	var w strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&w, format+"\n", args...) }
	say("# Who was behind hidden callers, and what it was for\n")
	say("%s", h.Origin())
	say("Worlds: %d, seeds %s where nothing else is said. Each is one of [simulate --story policy-denied](simulate.md#the-story-of-a-hidden-caller):\ntwo days, 23 refusals in four bursts, 41 people behind one address. Its logs went through\n`ingest` and `hunt` without any configuration, %s.\n", len(r.Verdicts), h.Seeds, Apart(r.Confined))
	w.WriteString(Missing(r.Failed))
	say("## The bars\n")
	Table(&w, BarHead, r.BarCells())
	say("## By variant\n")
	say("Worlds of which each holds. *Named* is somebody at a probability of 0.8 or more and twice the\nnext; *abstained* gives three candidates; *among candidates* are all who did it. *Unwise* is a\nproposal to close as harmless what is not. *Others* are findings of the kind about other projects. Of `granted`,\none finding means none. Seconds are from the start of ingest to the end of hunt.\n")
	Table(&w, Head, r.Cells())
	r.draws(&w)
	r.faults(&w)
	return w.String()
}

// draws says how naming depends on what differs between seeds.
func (r *Result) draws(w *strings.Builder) {
	fmt.Fprintf(w, "## The story itself, by what was drawn\n\n")
	type group struct{ what, is string }
	counts := map[group]*[4]int{}
	var order []group
	for _, v := range r.Verdicts {
		if v.Variant != denied.Default {
			continue
		}
		d := v.drawn
		for _, g := range []group{{"the log names", d.Principal}, {"address left", d.CallerIP}, {"enabling is", d.Enable}, {"asking the service is", d.Create},
			{"pages seen", fmt.Sprintf("%.0f %%", 100*d.Inspected)}, {"the proxy says who", fmt.Sprint(d.ProxyUsers)}, {"devices name people by", d.Identity},
			{"colleagues at the project's pages", fmt.Sprint(d.Crowded)}, {"a colleague at the same page", fmt.Sprint(d.Nosy)}, {"a burst at a shared machine", fmt.Sprint(d.Lab > 0)}, {"hours without leases", fmt.Sprint(d.LeaseGap > 0)}} {
			if counts[g] == nil {
				counts[g] = new([4]int)
				order = append(order, g)
			}
			counts[g][slices.Index([]Naming{Right, Wrong, Abstained, Silent}, v.Naming)]++
		}
	}
	slices.SortFunc(order, func(a, b group) int { return strings.Compare(a.what+a.is, b.what+b.is) })
	var rows [][]string
	for _, g := range order {
		c := counts[g]
		rows = append(rows, []string{g.what, g.is, fmt.Sprint(c[0] + c[1] + c[2] + c[3]), fmt.Sprint(c[0]), fmt.Sprint(c[1]), fmt.Sprint(c[2]), fmt.Sprint(c[3])})
	}
	Table(w, []string{"what", "is", "worlds", "named rightly", "wrongly", "abstained", "no answer"}, rows)
}

// faults lists the worlds in which something is not as it should be.
func (r *Result) faults(w *strings.Builder) {
	fmt.Fprintf(w, "## Worlds in which something is wrong\n\n")
	var rows [][]string
	for _, v := range r.Verdicts {
		var what []string
		add := func(is bool, format string, args ...any) {
			if is {
				what = append(what, fmt.Sprintf(format, args...))
			}
		}
		add(!v.One, "not one finding")
		add(v.One && !v.Counted && v.Variant != denied.Granted, "counted %d", v.Count)
		add(v.Naming == Wrong, "names %s (%.2f)", v.Named, v.Sure)
		add(!v.Gap, "the gap is not as it is")
		add(v.Unwise, "proposed as harmless")
		add(v.Unread > 0, "%d records not read", v.Unread)
		if len(what) > 0 {
			rows = append(rows, []string{v.Variant, fmt.Sprint(v.Seed), strings.Join(what, "; ")})
		}
	}
	if len(rows) == 0 {
		fmt.Fprintln(w, "None.")
		return
	}
	Table(w, []string{"variant", "seed", "what"}, rows)
}
