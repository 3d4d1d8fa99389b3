package evaluate

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/finding"
	placing "github.com/yagura-sec/yagura/simulate/trouble"
)

// Header is what a report says of how it came about.
type Header struct {
	Command string // as it can be typed
	Version string
	Go      string
	System  string // "linux/amd64"
}

// Report is the result as a document. Apart from the section of timings it is
// the same whenever the same worlds are evaluated.
func (r *Result) Report(h Header) string {
	var w strings.Builder
	d := &document{&w, r}
	d.head(h)
	d.bars()
	d.kinds()
	d.curve()
	d.sorts()
	d.lookalikes()
	d.calibration()
	d.classes()
	d.ablations()
	d.baselines()
	d.checks()
	d.limits()
	d.worlds()
	return w.String()
}

type document struct {
	w *strings.Builder
	r *Result
}

func (d *document) say(format string, args ...any) { fmt.Fprintf(d.w, format+"\n", args...) }

// table is one of Markdown.
func (d *document) table(head []string, rows [][]string) {
	line := func(cells []string) {
		clean := make([]string, len(cells))
		for i, c := range cells {
			clean[i] = strings.ReplaceAll(c, "|", "\\|")
		}
		d.say("| %s |", strings.Join(clean, " | "))
	}
	line(head)
	d.say("|%s", strings.Repeat(" --- |", len(head)))
	for _, row := range rows {
		line(row)
	}
	d.say("")
}

func (d *document) head(h Header) {
	r := d.r
	d.say("# What is found, and what is alarming for nothing\n")
	d.say("This page is written by\n\n```\n%s\n```\n\n(yagura %s, %s, %s). Nothing in it is written by hand.\n", h.Command, h.Version, h.Go, h.System)
	var days, secrets float64
	var trouble, likes int
	var records int64
	seeds := map[string][]string{}
	for _, w := range r.Worlds {
		days += w.Days()
		secrets += float64(w.Secrets)
		trouble += w.Labels
		likes += w.Likes
		records += w.Records
		seeds[string(w.Family)] = append(seeds[string(w.Family)], fmt.Sprint(w.Seed))
	}
	d.say("Worlds: %d, with %s records; on average %.0f secrets and keys and %.0f days in which trouble happens; %d troubles and %d things that only look like it, labelled.",
		len(r.Worlds), grouped(records), secrets/float64(max(1, len(r.Worlds))), days/float64(max(1, len(r.Worlds))), trouble, likes)
	for _, family := range slices.Sorted(maps.Keys(seeds)) {
		d.say("Family %s: seeds %s.", orElse(family, "unnamed"), strings.Join(seeds[family], ", "))
	}
	for _, f := range r.Failed {
		d.say("\n**World %s could not be evaluated and is not in these figures**: %s", f.World, f.Why)
	}
	d.say(`
Each world's logs and calendar went through %[1]singest%[1]s (without rules, which have no
part in this) and %[1]shunt%[1]s in a fresh data directory, in a process from which the
labels were out of reach%s. A finding
tells of trouble where it is of the same kind, within 30 minutes of its time, and of
its principal, person or secret. An alert is a finding that nothing explains: what
the calendar or a deploy accounts for is listed and marked, and does not count. The
budget is the product's one knob: so many alerts by chance a day and 1,000 secrets,
all signs together, set beforehand.
`, "`", d.confined())
}

func (d *document) confined() string {
	for _, w := range d.r.Worlds {
		if !w.Confined {
			return " by convention only (no Landlock here)"
		}
	}
	return " (the kernel saw to it: Landlock)"
}

// tuned is the last of the seeds, from 1, that the detector was tuned on.
const tuned = 5

// unseen says whether the detector was tuned on these worlds.
func (d *document) unseen() string {
	n := 0
	for _, w := range d.r.Worlds {
		if w.Family == "" {
			return ""
		}
		if w.Seed <= tuned {
			n++
		}
	}
	if n > 0 {
		return fmt.Sprintf(", %d of the worlds on seeds that the detector was **tuned on**", n)
	}
	return ", on seeds that nothing was tuned on"
}

func (d *document) bars() {
	d.say("## The bars\n\nAt a budget of 1, difficulties 1 and 2 together%s. Intervals are of 95 %% over seeds.\n", d.unseen())
	var rows [][]string
	met := 0
	for _, b := range d.r.Bars {
		want, ok := "≥ ", "**no**"
		if b.AtMost {
			want = "≤ "
		}
		if b.Met {
			ok = "yes"
			met++
		}
		rows = append(rows, []string{b.Name, orElse(b.Family, "all"), want + two(b.Want), two(float64(b.Got)), span(b.Low, b.High), count0(b.Of), ok})
	}
	d.table([]string{"bar", "family", "want", "got", "95 %", "labels", "met"}, rows)
	d.say("%d of %d are met.\n", met, len(d.r.Bars))
}

func (d *document) kinds() {
	d.say("## By kind and difficulty\n\nRecall at budgets of 1, 5 and 20 (one figure where all three are the same), of so many labels.\n")
	var rows [][]string
	names := d.present()
	for _, name := range names {
		k := d.r.Kinds[name]
		row := []string{name}
		for _, base := range []string{Headline, "1", "2", "3"} {
			x := k.ByDifficulty[base]
			row = append(row, fmt.Sprintf("%s of %d", three(x.Recall), x.Labels))
		}
		rows = append(rows, row)
	}
	d.table([]string{"kind", "1 and 2", "difficulty 1", "difficulty 2", "difficulty 3"}, rows)
	d.placed(names)
	for _, family := range slices.Sorted(maps.Keys(d.r.Families)) {
		s := d.r.Families[family]
		rows = nil
		for _, name := range names {
			k := s.Kinds[name]
			hard := k.ByDifficulty["3"]
			rows = append(rows, []string{name, fmt.Sprintf("%s of %d", three(k.Recall), k.Labels), interval(k.Interval), fmt.Sprintf("%s of %d", three(hard.Recall), hard.Labels), three(k.Precision), three(k.False)})
		}
		d.say("Family %s:\n", family)
		d.table([]string{"kind", "1 and 2", "95 % at 1", "difficulty 3", "precision", "false a day and 1,000"}, rows)
	}
	d.precision(names)
}

// placed sets trouble that was put anywhere beside what was put where it fits.
func (d *document) placed(names []string) {
	var rows [][]string
	for _, name := range names {
		row := []string{name}
		for _, base := range []string{"2", "3"} {
			x := d.r.Kinds[name].ByDifficulty[base]
			rest, n := math.NaN(), x.Labels-x.Blind.Labels
			if n > 0 {
				rest = x.Recall.At(1) * float64(x.Labels)
				if x.Blind.Labels > 0 {
					rest -= x.Blind.Recall.At(1) * float64(x.Blind.Labels)
				}
				rest /= float64(n)
			}
			row = append(row, fmt.Sprintf("%s of %d", two(rest), n), fmt.Sprintf("%s of %d", two(x.Blind.Recall.At(1)), x.Blind.Labels))
		}
		rows = append(rows, row)
	}
	d.say("Trouble that was put where it fits, and what was put blindly (see the end of this page), recall at a budget of 1:\n")
	d.table([]string{"kind", "difficulty 2, fitting", "difficulty 2, blind", "difficulty 3, fitting", "difficulty 3, blind"}, rows)
}

func (d *document) precision(names []string) {
	d.say(`### Precision, and how soon

Precision is which part of the alerts of a kind tells of trouble of that kind; "any"
counts trouble of another kind as well. "10 × rarer" is what it would be where
trouble is ten times as rare as in these worlds. "Principal and secret" is recall where
the alert has to have both right, as far as the label names them. Nobody knows how rare it is in a real
organisation; it is rarer than here.
`)
	var hits, both float64
	var rows [][]string
	for _, name := range names {
		k := d.r.Kinds[name]
		if k.Labels > 0 {
			hits += k.Recall.At(1) * float64(k.Labels)
			both += k.RecallBoth.At(1) * float64(k.Labels)
		}
		if k.Alerts.At(Loosest) == 0 {
			continue
		}
		rows = append(rows, []string{name, three(k.Precision), three(k.PrecisionAnyKind), three(k.PrecisionRarer), two(k.RecallBoth.At(1)), two(k.RecallAnyKind.At(1)), two(k.RecallExplained.At(1)), three(k.Alerts), minutesText(k.MedianMinutes.At(1)), minutesText(k.WorstMinutes.At(1))})
	}
	d.table([]string{"kind", "precision", "any", "10 × rarer", "recall, principal and secret, at 1", "recall, any kind, at 1", "recall with explained, at 1", "alerts a day and 1,000", "told after (median)", "(9 of 10)"}, rows)
	d.say("Of %.0f troubles found at a budget of 1, %.0f have an alert with principal and secret right; the others' alerts name one of both.\n", hits, both)
	d.say("Time counts from the label's start to when its hour is judged (20 minutes after its end): trouble that needs an hour to show cannot be told of sooner.\n")
	s := d.r.Scores
	d.say("All signs together, alerts a day and 1,000 secrets at 1, 5, 20: %s; about no trouble %s; explained besides %s. Of all trouble %s was found and taken for explained.\n",
		three(s.Alerts), three(s.False), three(s.Explained), three(s.Excused))
	d.say("That is of a world's own secrets and keys. The budget counts all that are watched, what agents and providers read too: on those, %s about no trouble. In the days before trouble begins, while there is little to judge from, alerts came at %s a day and 1,000 secrets; they are in no other figure of this page.\n",
		three(s.FalseWatched), three(s.Early))
}

// bars of the chart.
const chartWidth = 40

func (d *document) curve() {
	d.say("## The curve\n\nRecall (difficulties 1 and 2) against the budget.\n")
	var head []string
	for _, p := range d.r.Curve {
		head = append(head, name(p.Budget))
	}
	var rows [][]string
	for _, n := range d.present() {
		row := []string{n}
		for _, p := range d.r.Curve {
			row = append(row, two(float64(p.Recall[n])))
		}
		rows = append(rows, row)
	}
	d.table(append([]string{"kind"}, head...), rows)
	d.say("```\nrecall at a budget of 1")
	for _, n := range d.present() {
		f := d.r.Kinds[n].Recall.At(1)
		if math.IsNaN(f) {
			continue
		}
		full := int(math.Round(f * chartWidth))
		d.say("%-10s %s%s %s", n, strings.Repeat("█", full), strings.Repeat("·", chartWidth-full), two(f))
	}
	d.say("```\n")
}

func (d *document) sorts() {
	d.say("## Sorts of trouble\n\nHow many were found at a budget of 1 and of 20; and of those not found at 1, how many an alert of another kind tells of, and how many were found and explained away.\n")
	var rows [][]string
	for _, t := range d.r.Sorts {
		rows = append(rows, []string{t.Kind, fmt.Sprint(t.Difficulty), t.Sort, fmt.Sprint(t.Labels), fmt.Sprint(t.Found), fmt.Sprint(t.Loosest), count0(t.AnyKind), count0(t.Excused)})
	}
	d.table([]string{"kind", "difficulty", "sort", "labels", "at 1", "at 20", "another kind", "explained"}, rows)
}

func (d *document) lookalikes() {
	d.say("## Look-alikes\n\nWhich part of them is alarming at budgets of 1, 5 and 20: with an alert of any kind that nothing explains; and at 1 with explained findings alone.\n")
	row := func(name string, a Alarmed) []string {
		return []string{name, fmt.Sprint(a.Labels), three(a.Unexplained), interval(a.Interval), two(a.SameKind.At(1)), two(a.Explained.At(1))}
	}
	l := d.r.Lookalikes
	rows := [][]string{row("**known to the calendar**", l.Known), row("**unknown to it**", l.Unknown)}
	head := []string{"look-alike", "labels", "alarming", "95 % at 1", "of the same kind, at 1", "explained, at 1"}
	d.table(head, rows)
	rows = nil
	for _, sort := range slices.Sorted(maps.Keys(l.Sorts)) {
		x := l.Sorts[sort]
		if x.Known.Labels > 0 {
			rows = append(rows, row(sort+", known", x.Known))
		}
		if x.Unknown.Labels > 0 {
			rows = append(rows, row(sort+", unknown", x.Unknown))
		}
	}
	d.table(head, rows)
}

func (d *document) calibration() {
	d.say(`## Calibration

Alerts that no label concerns, a day and 1,000 of all secrets and keys that are
watched (those of agents and providers too: the budget counts them): expected by the
budget, and what came; for a sign "what came of what its line is". The hunter gives
each class of scores one part of the budget: %s. Classes whose scores are cautious
stay below their line, and leave room for the others. Only days with
trouble in the world are counted, and the hunter learned from that trouble too.
`, d.parts())
	signs := d.present()
	signs = slices.DeleteFunc(signs, func(s string) bool { return !slices.Contains(finding.Signs, s) })
	var rows [][]string
	for _, c := range d.r.Calibration {
		row := []string{name(c.Expected), two(float64(c.Observed))}
		for _, s := range signs {
			row = append(row, two(float64(c.BySign[s]))+" of "+two(float64(c.ExpectedBySign[s])))
		}
		rows = append(rows, row)
	}
	d.table(append([]string{"expected", "observed"}, signs...), rows)
}

// parts says into how many parts the budget is divided.
func (d *document) parts() string {
	low, high := math.Inf(1), 0.0
	for _, w := range d.r.Worlds {
		if w.Parts > 0 {
			low, high = min(low, w.Parts), max(high, w.Parts)
		}
	}
	switch {
	case high == 0:
		return "into how many, it did not tell"
	case two(low) == two(high):
		return "of " + two(low) + " in these worlds"
	}
	return fmt.Sprintf("of %s to %s in these worlds", two(low), two(high))
}

// classes are the scores behind that, by the hunter's own account.
func (d *document) classes() {
	all := allClasses(d.r.Worlds)
	if len(all) == 0 {
		return
	}
	d.say(`How often scores of a class exceeded what is nominally one in 100, 1,000 and 10,000
judgements, over all days and with trouble among them, by the hunter's own count;
and how it corrects for that in the end (median of the worlds): the level at one in
100, and the power of ten that chances fall by with each further one.
`)
	var rows [][]string
	for _, c := range all {
		row := []string{c.Class}
		for k := range c.Observed {
			row = append(row, fmt.Sprintf("%d of %s", c.Observed[k], two(c.Nominal[k])))
		}
		rows = append(rows, append(row, two(c.Level), two(c.Slope)))
	}
	d.table([]string{"class", "1 in 100", "1 in 1,000", "1 in 10,000", "level", "slope"}, rows)
}

func (d *document) ablations() {
	if len(d.r.Ablations) < 2 {
		return
	}
	d.say("## What each part is good for\n\nRecall (difficulties 1 and 2) at a budget of 1, with parts left out.\n")
	names := d.measured()
	var rows [][]string
	for _, a := range slices.SortedFunc(maps.Keys(d.r.Ablations), wholeFirst) {
		x := d.r.Ablations[a]
		row := []string{a}
		for _, n := range names {
			row = append(row, two(float64(x.Recall[n])))
		}
		rows = append(rows, append(row, two(float64(x.Alerts)), two(float64(x.False)), two(float64(x.Known)), two(float64(x.Unknown))))
	}
	d.table(slices.Concat([]string{""}, names, []string{"alerts", "false", "known look-alikes", "unknown"}), rows)
}

func wholeFirst(a, b string) int {
	if (a == whole) != (b == whole) {
		if a == whole {
			return -1
		}
		return 1
	}
	return strings.Compare(a, b)
}

func (d *document) baselines() {
	if len(d.r.Baselines) < 2 {
		return
	}
	d.say(`## Beside simple methods

Recall (difficulties 1 and 2) where the threshold of each is set afterwards, on the
answers, so that a kind alone has 1, 5 or 20 false alerts a day and 1,000 secrets:
the best case for all of them alike. They see the same reads that ours counts: those
that were allowed, without those of a provider's services, from a secret's first use
on. The calendar explains theirs as it explains ours; the log's own context explains
ours alone. Fixed rules have no threshold; it is put on their counts. Chance and the oracle
check the scoring: the oracle has to reach 1.
`)
	names := d.measured()
	var rows [][]string
	for _, b := range d.r.Baselines {
		row := []string{b.Name}
		for _, n := range names {
			if at, ok := b.Recall[n]; ok {
				row = append(row, three(at))
			} else {
				row = append(row, "")
			}
		}
		rows = append(rows, row)
	}
	d.table(append([]string{"method"}, names...), rows)
	d.say("Ours ends where the hunt's own budget of %d ends: what needed more was never recorded.\n", Loosest)
}

func (d *document) checks() {
	if len(d.r.Checks) == 0 {
		d.say("The scoring itself was not checked in this run.\n")
		return
	}
	d.say("### Checks of the scoring\n\nThe command fails where one does not hold. What chance comes upon follows from how often it draws and how much of the use of secrets is about each label.\n")
	var rows [][]string
	for _, c := range d.r.Checks {
		ok := "yes"
		if !c.OK {
			ok = "**no**"
		}
		want := two(float64(c.Want))
		if c.Slack > 0 {
			want += " ± " + two(float64(c.Slack))
		}
		rows = append(rows, []string{c.Name, want, two(float64(c.Got)), ok})
	}
	d.table([]string{"check", "want", "got", "holds"}, rows)
}

func (d *document) limits() {
	d.say(`## What this does not show

- The worlds are ours: trouble, look-alikes and everyday work are as we imagine them.
  There is no public data set of labelled trouble with secrets to hold them against.
- How rare trouble is in a real organisation is not known, here or anywhere. Precision
  depends on it; recall and the number of false alerts do not.
- Most trouble is put where it can be told apart, not anywhere: nothing else happens
  to the same secrets, programs and people within a day or two, so that it lies within
  no look-alike; what it happens to has been there for two weeks, is read steadily,
  and had no other stranger before; bursts are large beside the usual, and jobs go astray to hours at
  which their secrets are not in use. %[1]s of what is of difficulties 2 and 3 minds
  none of that ("blind"), but what of it turns out so that nobody could tell it from
  the usual counts as difficulty 3. Difficulty 1 is never blind.
- A person on call is never the thief in trouble of a kind that being on call excuses.
- The calendar of these worlds never excuses trouble, nor what it does not know: a
  planned window that would is written more narrowly. Half of its entries tell only
  where and when, as tickets do; the others name who or what. In a real organisation
  a wide window may hide a thief.
- Some of what the detector asks for and the sizes that trouble has were written by the
  same people. Difficulty 3 is there to show where it ends.
- There are two families of traffic so that a detector is not judged by its own
  assumptions alone; a third might rank things otherwise.
- A label counts as found where an alert of its kind is about its time and its
  principal, person or secret. Whether a person would understand it is not measured.
- Worlds with few secrets have few false alerts to count: 1 a day and 1,000 secrets
  is one a week for 150.
- Intervals are over seeds, resampled (the two families of a seed have the same
  trouble and count as one), and never narrower than the number of labels
  allows (Wilson). They say nothing about worlds of another make.
`, percent(placing.BlindShare))
}

func (d *document) worlds() {
	d.say("## Worlds and timings\n\nThe only part that differs from run to run.\n")
	var rows [][]string
	var amiss []string
	for _, w := range d.r.Worlds {
		rows = append(rows, []string{w.Name, string(w.Family), fmt.Sprint(w.Seed), fmt.Sprint(w.Secrets), fmt.Sprint(w.Watched), fmt.Sprintf("%.0f", w.Days()), grouped(w.Records),
			fmt.Sprintf("%.0f", w.IngestSeconds), fmt.Sprintf("%.0f", w.HuntSeconds), fmt.Sprint(w.PeakBytes >> 20), perSecret(w), ingestedText(w.Ingested), fmt.Sprint(w.Early)})
		for _, m := range w.Missing {
			amiss = append(amiss, w.Name+": "+strings.Join(strings.Fields(m), " "))
		}
		for _, p := range w.Problems {
			amiss = append(amiss, fmt.Sprintf("%s: label %d %s: %s", w.Name, p.Line, p.ID, p.What))
		}
	}
	d.table([]string{"world", "family", "seed", "secrets", "watched", "days", "records", "ingest, s", "hunt, s", "memory, MB", "state each watched, B", "ingested", "alerts before trouble"}, rows)
	for _, a := range amiss {
		d.say("- %s", a)
	}
}

func perSecret(w Run) string {
	if w.StateBytes == 0 || w.Watched == 0 {
		return "-"
	}
	return fmt.Sprint(w.StateBytes / int64(w.Watched))
}

func ingestedText(s string) string {
	before, _, _ := strings.Cut(s, ",")
	return before
}

// present are the kinds that there are labels or alerts of, signs first.
func (d *document) present() (out []string) {
	for _, n := range slices.SortedFunc(maps.Keys(d.r.Kinds), func(a, b string) int {
		ia, ib := slices.Index(finding.Signs, a), slices.Index(finding.Signs, b)
		if (ia < 0) != (ib < 0) {
			return ib - ia
		}
		if ia != ib {
			return ia - ib
		}
		return strings.Compare(a, b)
	}) {
		k := d.r.Kinds[n]
		if k.ByDifficulty[All].Labels > 0 || k.Alerts.At(Loosest) > 0 {
			out = append(out, n)
		}
	}
	return out
}

// measured are the signs that there are labels of.
func (d *document) measured() []string {
	return slices.DeleteFunc(d.present(), func(n string) bool { return d.r.Kinds[n].Labels == 0 || !slices.Contains(finding.Signs, n) })
}

func percent(share float64) string { return fmt.Sprintf("%.0f %%", 100*share) }

func two(f float64) string {
	switch {
	case math.IsNaN(f) || math.IsInf(f, 0):
		return "–"
	case math.Abs(f) >= 100:
		return fmt.Sprintf("%.0f", f)
	}
	return fmt.Sprintf("%.2f", f)
}

// three are the figures at all budgets, or one where all are the same.
func three(b ByBudget) string {
	var out []string
	for _, budget := range Budgets {
		out = append(out, two(b.At(budget)))
	}
	if len(slices.Compact(slices.Clone(out))) == 1 {
		return out[0]
	}
	return strings.Join(out, " / ")
}

func span(low, high Number) string {
	if math.IsNaN(float64(low)) {
		return "–"
	}
	return two(float64(low)) + "–" + two(float64(high))
}

func interval(m map[string][]Number) string {
	if x := m["1"]; len(x) == 2 {
		return span(x[0], x[1])
	}
	return "–"
}

func count0(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}

func minutesText(m float64) string {
	if math.IsNaN(m) {
		return "–"
	}
	d := time.Duration(m * float64(time.Minute)).Round(time.Minute)
	if d < 3*time.Hour {
		return fmt.Sprintf("%.0f min", d.Minutes())
	}
	return fmt.Sprintf("%.1f h", d.Hours())
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// grouped is a number with its digits grouped.
func grouped(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
