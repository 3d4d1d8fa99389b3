package ruletest

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/correlate"
	"github.com/yagura-sec/yagura/sigma/match"
)

// What is told of a correlation's case is bounded.
const (
	mostGroups = 8
	mostTimes  = 6
)

// tell says why a correlation's case went otherwise: in a sentence, and at
// length: what hit, and how far each group came.
func (t *tester) tell(corr *correlate.Correlation, seen observed, firings []*correlate.Firing, end time.Time) (why, diff string) {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 8, 2, ' ', 0)
	needed := conditionOf(corr)
	fmt.Fprintf(w, "needed: %s%s\n", needed, by(corr.GroupBy))
	fmt.Fprintf(w, "rule\thits\tat\n")
	for _, base := range corr.Bases {
		at := seen.byBase[base]
		fmt.Fprintf(w, "%s\t%d of %s\t%s\n", shortName(&base.Rule.Meta), len(at), events(len(seen.events)), offsets(at, func(n int) time.Time { return seen.events[n].at }))
	}
	w.Flush()
	for _, base := range corr.Bases {
		if len(seen.byBase[base]) == 0 {
			b.WriteString(t.neverHit(base, seen))
		}
	}
	b.WriteString(lacking(corr, seen.hits))
	for _, c := range t.plan.Correlations {
		if slices.Contains(corr.Chain, c) {
			b.WriteString(t.chained(c, seen.hits, end))
		}
	}
	reached := t.reached(corr, seen.hits, end)
	b.WriteString(tableOfGroups(corr, reached, firings))
	for _, f := range firings[:min(len(firings), mostTimes)] {
		fmt.Fprintf(&b, "fired at %s for %s: %s\n", since(f.At), tuple(f.Group), timesOf(f.Hits))
	}
	switch {
	case len(firings) > 0:
		f := firings[0]
		why = fmt.Sprintf("%s fired for %s at %s with %s", needed, tuple(f.Group), since(f.At), number(f.Value))
	case len(seen.hits) == 0:
		why = needed + ": none of its rules hit an event"
	case len(reached) == 0:
		why = needed + ": no hit has all fields of group-by"
	default:
		why = fmt.Sprintf("%s: the nearest, %s, came to %s", needed, tuple(reached[0].group), number(reached[0].value))
	}
	return why, trimmed(b.String())
}

// trimmed takes the blanks at the ends of lines away.
func trimmed(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}

func events(n int) string {
	if n == 1 {
		return "1 event"
	}
	return fmt.Sprintf("%d events", n)
}

// chained says what a correlation came to that feeds another.
func (t *tester) chained(c *correlate.Correlation, hits []correlate.Hit, end time.Time) string {
	hits = slices.DeleteFunc(slices.Clone(hits), func(h correlate.Hit) bool { return !slices.Contains(c.Bases, h.Base) })
	firings, _ := evaluate(t.plan, c, hits, end)
	text := fmt.Sprintf("%s: %s%s: ", shortName(&c.Meta), conditionOf(c), by(c.GroupBy))
	switch reached := t.reached(c, hits, end); {
	case len(firings) > 0:
		return text + fmt.Sprintf("fired for %s at %s\n", strings.Join(sorted(groupsOf(firings)), " and "),
			offsets(firings, func(f *correlate.Firing) time.Time { return f.At }))
	case len(reached) == 0:
		return text + "no hit\n"
	default:
		return text + fmt.Sprintf("the nearest, %s, came to %s\n", tuple(reached[0].group), number(reached[0].value))
	}
}

// conditionOf is the condition in words.
func conditionOf(c *correlate.Correlation) string {
	what := string(c.Type)
	within := " within " + brief(c.Timespan)
	switch {
	case c.Extended.Text != "":
		return what + " of " + c.Extended.Text + within
	case c.Condition == nil:
		return fmt.Sprintf("%s of all %d rules%s", what, len(c.Rules), within)
	}
	if len(c.Condition.Fields) > 0 {
		what += " of " + strings.Join(c.Condition.Fields, ", ")
	}
	return what + " " + c.Condition.String() + within
}

func by(fields []string) string {
	if len(fields) == 0 {
		return ""
	}
	return ", for each " + strings.Join(fields, ", ")
}

// shortName is a rule's name, else its title.
func shortName(m *sigma.Meta) string { return cmp.Or(m.Name, m.Title, m.ID) }

// since is t as the cases write times: counted from Start.
func since(t time.Time) string {
	if t.Before(Start) {
		return "-" + brief(Start.Sub(t))
	}
	return "+" + brief(t.Sub(Start))
}

// brief is d without the parts that are zero: 10m, not 10m0s.
func brief(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// offsets lists times: all of a few, the first and the last of many.
func offsets[T any](list []T, at func(T) time.Time) string {
	var out []string
	for i, x := range list {
		if len(list) > mostTimes && i >= mostTimes-2 && i < len(list)-1 {
			if i == mostTimes-2 {
				out = append(out, "…")
			}
			continue
		}
		out = append(out, since(at(x)))
	}
	return strings.Join(out, " ")
}

// neverHit shows the event that comes nearest to a rule which none hit.
func (t *tester) neverHit(base *correlate.Base, seen observed) string {
	best, least, at := match.Explanation{}, -1, 0
	for n, e := range seen.events[:min(len(seen.events), 200)] {
		held, err := t.set.ExplainJSON(t.scratch, e.record, match.SourceOf(base.Rule), t.indexOf[base.Rule])
		if err != nil {
			continue
		}
		if missed := misses(&held.Root); least < 0 || missed < least {
			best, least, at = held, missed, n
		}
	}
	if least < 0 {
		return ""
	}
	return fmt.Sprintf("%s never hit; the nearest event, at %s:\n%s", shortName(&base.Rule.Meta), since(seen.events[at].at), indented(Diff(best)))
}

// misses counts the items of a rule that do not hold.
func misses(s *match.Step) int {
	if s.Kind == "item" || len(s.Steps) == 0 {
		if s.Held {
			return 0
		}
		return 1
	}
	n := 0
	for i := range s.Steps {
		n += misses(&s.Steps[i])
	}
	return n
}

func indented(text string) string {
	return "  " + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n  ") + "\n"
}

// lacking names the fields of group-by that hits do not bring: such hits belong
// to no group.
func lacking(corr *correlate.Correlation, hits []correlate.Hit) string {
	count := map[string]int{}
	for _, h := range hits {
		for _, name := range corr.GroupBy {
			field := fieldOf(corr, &h.Base.Rule.Meta, name)
			if i := slices.Index(h.Base.Fields, field); i >= 0 && len(h.Values[i]) == 0 {
				count[fmt.Sprintf("of %s without %s, in no group", shortName(&h.Base.Rule.Meta), field)]++
			}
		}
	}
	var b strings.Builder
	for _, what := range slices.Sorted(maps.Keys(count)) {
		fmt.Fprintf(&b, "hits %s: %d\n", what, count[what])
	}
	return b.String()
}

// fieldOf is how a rule names a field of the correlation.
func fieldOf(corr *correlate.Correlation, m *sigma.Meta, name string) string {
	for _, a := range corr.Aliases {
		for _, f := range a.Fields {
			if a.Name == name && (f.Rule == m.ID || f.Rule == m.Name) {
				return f.Field
			}
		}
	}
	return name
}

// came is how far a group came.
type came struct {
	group       []string
	value       float64
	first, last time.Time
	hits        []*correlate.Hit
}

// reached evaluates the correlation once more, with a condition that every hit
// fulfils, and gives for each group the window that came nearest to the real
// one, nearest group first.
func (t *tester) reached(corr *correlate.Correlation, hits []correlate.Hit, end time.Time) []came {
	easy := *corr.Correlation
	easy.Extended = sigma.Condition{}
	easy.Condition = &sigma.Threshold{Limits: []sigma.Limit{{Op: "gte", Value: 1}}}
	switch {
	case easy.Type == sigma.TemporalOrdered:
		easy.Type = sigma.Temporal
	case corr.Condition != nil:
		easy.Condition.Fields, easy.Condition.Percentile = corr.Condition.Fields, corr.Condition.Percentile
		if easy.Type != sigma.EventCount && easy.Type != sigma.ValueCount && easy.Type != sigma.Temporal {
			easy.Condition.Limits[0].Value = -1e300
		}
	}
	all := slices.Clone(t.correlations)
	all[slices.Index(all, corr.Correlation)] = &easy
	rules := make([]*sigma.Rule, t.set.Len())
	for i := range rules {
		rules[i] = t.set.Rule(i)
	}
	plan, _ := correlate.Compile(all, rules, t.o.Correlate)
	i := slices.IndexFunc(plan.Correlations, func(c *correlate.Correlation) bool { return c.Correlation == &easy })
	if i < 0 {
		return nil
	}
	again := make([]correlate.Hit, 0, len(hits)) // of the new plan
	for _, h := range hits {
		if b := plan.Base(h.Base.Rule); b != nil && slices.Equal(b.Fields, h.Base.Fields) {
			h.Base = b
			again = append(again, h)
		}
	}
	firings, _ := evaluate(plan, plan.Correlations[i], again, end)
	best := map[string]came{}
	for _, f := range firings {
		key := tuple(f.Group)
		if old, met := best[key]; !met || nearer(corr, f.Value, old.value) {
			best[key] = came{f.Group, f.Value, f.First, f.Last, f.Hits}
		}
	}
	out := slices.Collect(maps.Values(best))
	slices.SortFunc(out, func(a, b came) int {
		switch {
		case nearer(corr, a.value, b.value):
			return -1
		case nearer(corr, b.value, a.value):
			return 1
		}
		return strings.Compare(tuple(a.group), tuple(b.group))
	})
	return out
}

// nearer tells whether a is nearer to fulfilling the condition than b.
func nearer(corr *correlate.Correlation, a, b float64) bool {
	if corr.Condition == nil {
		return a > b
	}
	miss := func(v float64) (far float64) {
		for _, l := range corr.Condition.Limits {
			if !l.Holds(v) {
				far = max(far, max(v-l.Value, l.Value-v)+1)
			}
		}
		return far
	}
	return miss(a) < miss(b) || miss(a) == miss(b) && a > b
}

// tableOfGroups says how far groups came.
func tableOfGroups(corr *correlate.Correlation, reached []came, firings []*correlate.Firing) string {
	if len(reached) == 0 {
		return ""
	}
	fired := groupsOf(firings)
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 8, 2, ' ', 0)
	fmt.Fprintf(w, "group\tfired\treached\tnearest within %s\n", brief(corr.Timespan))
	for i, g := range reached {
		if i == mostGroups {
			fmt.Fprintf(w, "and %d more groups\n", len(reached)-i)
			break
		}
		verdict := "no"
		if fired[tuple(g.group)] {
			verdict = "yes"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", cell.Replace(tuple(g.group)), verdict, number(g.value), timesOf(g.hits)+missing(corr, g, fired))
	}
	w.Flush()
	return b.String()
}

// missing says what keeps the rules of a temporal correlation apart in a group.
func missing(corr *correlate.Correlation, g came, fired map[string]bool) string {
	if corr.Type != sigma.Temporal && corr.Type != sigma.TemporalOrdered || corr.Extended.Text != "" || fired[tuple(g.group)] {
		return ""
	}
	var names []string
	for _, ref := range corr.Rules {
		if !slices.ContainsFunc(g.hits, func(h *correlate.Hit) bool { m := metaOf(h); return ref.Rule == m.ID || ref.Rule == m.Name }) {
			names = append(names, ref.Rule)
		}
	}
	switch {
	case len(names) > 0:
		return "; missing: " + strings.Join(names, ", ")
	case corr.Type == sigma.TemporalOrdered:
		return "; not in this order: " + strings.Join(refs(corr), ", ")
	}
	return ""
}

func refs(corr *correlate.Correlation) []string {
	var out []string
	for _, r := range corr.Rules {
		out = append(out, r.Rule)
	}
	return out
}

// metaOf is the rule or correlation that a hit is of.
func metaOf(h *correlate.Hit) *sigma.Meta {
	if h.From != nil {
		return &h.From.Correlation.Meta
	}
	return &h.Base.Rule.Meta
}

// timesOf lists hits by rule, in the order in which the rules came first.
func timesOf(hits []*correlate.Hit) string {
	var names []string
	at := map[string][]*correlate.Hit{}
	for _, h := range hits {
		name := shortName(metaOf(h))
		if at[name] == nil {
			names = append(names, name)
		}
		at[name] = append(at[name], h)
	}
	var parts []string
	for _, name := range names {
		parts = append(parts, fmt.Sprintf("%s %s", name, offsets(at[name], func(h *correlate.Hit) time.Time { return h.Time })))
	}
	return strings.Join(parts, "; ")
}
