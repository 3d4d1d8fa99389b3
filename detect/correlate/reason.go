package correlate

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/detect/about"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/correlate"
)

// A reason names so many events as evidence, and so many of several values.
const (
	maxEvidence = 10
	maxNamed    = 3
)

// reasons put a firing into a sentence that can be checked, and then what it
// rests on: the group, the base rules, and what the events differ in.
func (c *correlation) reasons(f *correlate.Firing) []finding.Reason {
	x := c.gather(f)
	out := []finding.Reason{{
		Kind: "correlation", Text: x.sentence(), Observed: number(f.Value), Expected: f.Condition, Evidence: uids(x.events),
	}}
	if addresses := x.spread.addresses.sorted(); len(x.spread.principals) == 0 && len(addresses) == 1 {
		out = append(out, about.Unnamed(addresses[0], uids(x.events)))
	}
	for i, field := range c.GroupBy {
		out = append(out, finding.Reason{
			Kind: "group", Text: fmt.Sprintf("%s is %q in all of them", field, f.Group[i]), Observed: f.Group[i], Expected: "the same " + field,
		})
	}
	for _, b := range x.bases {
		out = append(out, finding.Reason{
			Kind:     "rule",
			Text:     fmt.Sprintf("%q matched %s (%s)", b.title, count(len(b.events), "event"), between(b.events)),
			Observed: strconv.Itoa(len(b.events)), Evidence: uids(b.events),
		})
	}
	for _, s := range []struct {
		what string
		all  []string
	}{
		{"principals", x.spread.names()}, {"addresses", x.spread.addresses.sorted()}, {"resources", x.spread.resources.sorted()},
		{"accounts", x.spread.accounts.sorted()}, {"regions", x.spread.regions.sorted()},
	} {
		if len(s.all) > 1 {
			out = append(out, finding.Reason{
				Kind: "spread", Text: fmt.Sprintf("Seen with %s: %s", several(len(s.all), s.what), named(s.all)), Observed: strconv.Itoa(len(s.all)),
			})
		}
	}
	if x.lost > 0 {
		out = append(out, finding.Reason{
			Kind:     "overflow",
			Text:     fmt.Sprintf("At least so many: %s more belong to this and could not be kept.", count(x.lost, "match")),
			Observed: strconv.Itoa(x.lost),
		})
	}
	return out
}

// gathered is what a firing rests on, through its chain.
type gathered struct {
	c       *correlation
	f       *correlate.Firing
	members []string // titles of the rules it refers to, in order of their first hit
	events  []*fact  // each once, in order
	bases   []*base  // in order of their first event
	spread  spread
	lost    int
}

type base struct {
	rule   *correlate.Base
	title  string
	events []*fact
}

func (c *correlation) gather(f *correlate.Firing) *gathered {
	x := &gathered{c: c, f: f, lost: lost(f)}
	x.members = c.members(f)
	hits := slices.SortedFunc(correlate.Events(f), func(a, b *correlate.Hit) int {
		return a.Data.(*fact).compare(b.Data.(*fact))
	})
	for _, h := range hits {
		e := h.Data.(*fact)
		at := slices.IndexFunc(x.bases, func(b *base) bool { return b.rule == h.Base })
		if at < 0 {
			at = len(x.bases)
			x.bases = append(x.bases, &base{rule: h.Base, title: h.Base.Rule.Title})
		}
		x.bases[at].events = append(x.bases[at].events, e)
		if n := len(x.events); n == 0 || x.events[n-1].uid != e.uid {
			x.events = append(x.events, e)
			x.spread.add(e)
		}
	}
	// Of several rules that match their first event together, the order is that
	// of their titles.
	slices.SortStableFunc(x.bases, func(a, b *base) int {
		if d := a.events[0].compare(b.events[0]); d != 0 {
			return d
		}
		return strings.Compare(a.title+a.rule.Rule.Key(), b.title+b.rule.Rule.Key())
	})
	return x
}

// members are the titles of the rules that f's hits are of, in the order of their
// first hits, and of hits of one instant in that of the correlation.
func (c *correlation) members(f *correlate.Firing) (titles []string) {
	type member struct {
		title string
		place int
		first time.Time
	}
	var all []member
	for _, h := range f.Hits {
		var m *sigma.Meta
		if h.From != nil {
			m = &h.From.Correlation.Meta
		} else {
			m = &h.Base.Rule.Meta
		}
		place := slices.IndexFunc(c.Correlation.Correlation.Rules, func(r sigma.Reference) bool {
			return r.Rule == m.Name || r.Rule == m.ID
		})
		if !slices.ContainsFunc(all, func(x member) bool { return x.title == m.Title }) {
			all = append(all, member{m.Title, place, h.Time})
		}
	}
	slices.SortStableFunc(all, func(a, b member) int {
		if c.Type == sigma.TemporalOrdered {
			return cmp.Compare(a.place, b.place)
		}
		return cmp.Or(a.first.Compare(b.first), cmp.Compare(a.place, b.place), strings.Compare(a.title, b.title))
	})
	for _, m := range all {
		titles = append(titles, m.title)
	}
	return titles
}

// lost are the hits that were not kept of f and of what it rests on.
func lost(f *correlate.Firing) int {
	n := f.Lost
	for _, h := range f.Hits {
		if h.From != nil {
			n = max(n, f.Lost+lost(h.From))
		}
	}
	return n
}

// sentence says in one line who did what how often and when, and what the rule
// asks for.
func (x *gathered) sentence() string {
	var b strings.Builder
	if x.lost > 0 {
		b.WriteString("at least ")
	}
	b.WriteString(x.what())
	b.WriteString(x.whose())
	first, last := x.events[0].time, x.events[len(x.events)-1].time
	if d := last.Sub(first); d > 0 {
		fmt.Fprintf(&b, " in %s", length(d))
	}
	fmt.Fprintf(&b, " (%s)", between(x.events))
	fmt.Fprintf(&b, "; the rule asks for %s in %s", x.asked(), length(x.c.Timespan))
	return b.String()
}

// known are fields that a group is told by in a reader's words, by what stands
// before the value.
var known = map[string]string{
	"actor_uid": "by", "userIdentity.arn": "by", "protoPayload.authenticationInfo.principalEmail": "by",
	"src_ip": "from", "sourceIPAddress": "from", "protoPayload.requestMetadata.callerIp": "from", "callerIpAddress": "from",
	"resource_uid": "on",
	"account_uid":  "in account", "recipientAccountId": "in account",
	"resource.labels.project_id": "in project", "subscriptionId": "in subscription",
	"region": "in region", "awsRegion": "in region",
}

// whose says of what group it is, by whom and from where. Every value of the
// group is named, so that findings of two groups read differently.
func (x *gathered) whose() string {
	said := map[string]string{}
	var other []string
	for i, field := range x.c.GroupBy {
		value := shortened(x.f.Group[i])
		before := known[field]
		if before == "" || value == "" || said[before] != "" {
			other = append(other, fmt.Sprintf("%s %q", field, value))
			continue
		}
		if names := x.spread.names(); before == "by" && len(names) == 1 {
			if strings.HasSuffix(" "+names[0], " "+value) {
				value = names[0]
			} else {
				value = fmt.Sprintf("%s (%s)", names[0], value)
			}
		}
		said[before] = " " + before + " " + value
	}
	out := ""
	if len(other) > 0 {
		out = " with " + strings.Join(other, " and ")
	}
	out += cmp.Or(said["by"], of("by", x.spread.names(), "principals"))
	out += cmp.Or(said["from"], of("from", x.spread.addresses.sorted(), "addresses"))
	for _, before := range []string{"on", "in account", "in project", "in subscription", "in region"} {
		out += said[before]
	}
	return out
}

// of names what there is only one of, and counts and names what there are
// several of.
func of(before string, all []string, what string) string {
	switch len(all) {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf(" %s %s", before, all[0])
	}
	return fmt.Sprintf(" %s %s (%s)", before, several(len(all), what), named(all))
}

// maxShown is how many letters of a group's value a sentence shows: values are
// chosen by callers, and may be whole documents.
const maxShown = 200

func shortened(value string) string {
	if r := []rune(value); len(r) > maxShown {
		return string(r[:maxShown]) + "…"
	}
	return value
}

// what happened, with its number.
func (x *gathered) what() string {
	value := number(x.f.Value)
	events := count(len(x.events), "event")
	of := events
	if len(x.members) == 1 {
		of = fmt.Sprintf("%d × %q", len(x.events), x.members[0])
	}
	field := ""
	if x.c.Condition != nil {
		field = strings.Join(x.c.Condition.Fields, ", ")
	}
	switch x.c.Type {
	case sigma.ValueCount:
		return fmt.Sprintf("%s different values of %s in %s", value, field, of)
	case sigma.ValueSum:
		return fmt.Sprintf("%s adds up to %s over %s", field, value, of)
	case sigma.ValueAvg:
		return fmt.Sprintf("%s is %s on average over %s", field, value, of)
	case sigma.ValueMedian, sigma.ValuePercentile:
		return fmt.Sprintf("%s of %s is %s over %s", strings.ReplaceAll(strings.TrimPrefix(string(x.c.Type), "value_"), "_", " "), field, value, of)
	case sigma.Temporal:
		return fmt.Sprintf("%s: %s", quoted(x.members, " and "), events)
	case sigma.TemporalOrdered:
		return fmt.Sprintf("%s: %s", quoted(x.members, ", then "), events)
	}
	return of
}

// asked is the condition as the rule has it.
func (x *gathered) asked() string {
	c := x.c
	switch {
	case c.Extended.Text != "":
		return c.Extended.Text
	case c.Condition == nil && c.Type == sigma.TemporalOrdered:
		return fmt.Sprintf("all %d rules in this order", len(c.Correlation.Rules))
	case c.Condition == nil:
		return fmt.Sprintf("all %d rules", len(c.Correlation.Rules))
	}
	return c.Condition.String()
}

func quoted(all []string, between string) string {
	out := make([]string, len(all))
	for i, s := range all {
		out[i] = strconv.Quote(s)
	}
	return strings.Join(out, between)
}

// between says from when to when events are, in UTC.
func between(events []*fact) string {
	const clock = "15:04:05"
	first, last := events[0].time.UTC(), events[len(events)-1].time.UTC()
	text := first.Format(time.DateOnly + " " + clock)
	switch {
	case first.Format(time.DateOnly) != last.Format(time.DateOnly):
		text += " to " + last.Format(time.DateOnly+" "+clock)
	case first.Truncate(time.Second) != last.Truncate(time.Second):
		text += " to " + last.Format(clock)
	}
	return text + " UTC"
}

// length is a duration as people write it: 1h, 4m, 3m52s, 2d.
func length(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d < time.Second:
		return "less than a second"
	case d >= 2*day && d%day == 0:
		return fmt.Sprintf("%dd", d/day)
	}
	text := d.Truncate(time.Second).String()
	if d := d.Truncate(time.Second); d%time.Minute == 0 {
		text = strings.TrimSuffix(text, "0s")
		if d%time.Hour == 0 {
			text = strings.TrimSuffix(text, "0m")
		}
	}
	return text
}

func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// count is "1 event" or "12 events".
func count(n int, what string) string {
	switch {
	case n == 1:
		return "1 " + what
	case strings.HasSuffix(what, "ch"):
		return fmt.Sprintf("%d %ses", n, what)
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// several is "12 accounts", or "at least 1000 accounts" where no more are told
// apart.
func several(n int, what string) string {
	if n >= maxDifferent {
		return fmt.Sprintf("at least %d %s", n, what)
	}
	return fmt.Sprintf("%d %s", n, what)
}

func named(all []string) string {
	if len(all) <= maxNamed+1 {
		return strings.Join(all, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(all[:maxNamed], ", "), len(all)-maxNamed)
}

func uids(events []*fact) []event.UID {
	out := make([]event.UID, 0, min(len(events), maxEvidence))
	for _, e := range events[:min(len(events), maxEvidence)] {
		out = append(out, e.uid)
	}
	return out
}
