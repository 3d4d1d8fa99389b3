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
	"github.com/yagura-sec/yagura/say"
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
		Kind: "correlation", Text: x.sentence(), Observed: say.Plain(number(f.Value)), Expected: say.Plain(f.Condition), Evidence: uids(x.events),
	}}
	if addresses := x.spread.addresses.sorted(); len(x.spread.principals) == 0 && len(addresses) == 1 {
		out = append(out, about.Unnamed(addresses[0], uids(x.events)))
	}
	for i, field := range c.GroupBy {
		out = append(out, finding.Reason{
			Kind: "group", Text: say.T("correlation.group", say.Values{"field": field, "value": strconv.Quote(f.Group[i])}),
			Observed: say.Plain(f.Group[i]), Expected: say.T("correlation.same", say.Values{"field": field}),
		})
	}
	for _, b := range x.bases {
		out = append(out, finding.Reason{
			Kind:     "rule",
			Text:     say.T("correlation.rule", say.Values{"title": titled(&b.rule.Rule.Meta), "n": len(b.events), "between": between(b.events)}),
			Observed: say.Plain(strconv.Itoa(len(b.events))), Evidence: uids(b.events),
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
				Kind: "spread", Text: say.T("correlation.spread", say.Values{"some": several(len(s.all), s.what), "names": named(s.all)}), Observed: say.Plain(strconv.Itoa(len(s.all))),
			})
		}
	}
	if x.lost > 0 {
		out = append(out, finding.Reason{
			Kind:     "overflow",
			Text:     say.T("correlation.lost", say.Values{"n": x.lost}),
			Observed: say.Plain(strconv.Itoa(x.lost)),
		})
	}
	return out
}

// gathered is what a firing rests on, through its chain.
type gathered struct {
	c       *correlation
	f       *correlate.Firing
	members []say.Text // titles of the rules it refers to, in order of their first hit
	events  []*fact    // each once, in order
	bases   []*base    // in order of their first event
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
func (c *correlation) members(f *correlate.Firing) (titles []say.Text) {
	type member struct {
		*sigma.Meta
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
		if !slices.ContainsFunc(all, func(x member) bool { return x.Title == m.Title }) {
			all = append(all, member{m, place, h.Time})
		}
	}
	slices.SortStableFunc(all, func(a, b member) int {
		if c.Type == sigma.TemporalOrdered {
			return cmp.Compare(a.place, b.place)
		}
		return cmp.Or(a.first.Compare(b.first), cmp.Compare(a.place, b.place), strings.Compare(a.Title, b.Title))
	})
	for _, m := range all {
		titles = append(titles, titled(m.Meta))
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
func (x *gathered) sentence() say.Text {
	var least, within say.Text
	if x.lost > 0 {
		least = say.T("correlation.least", nil)
	}
	first, last := x.events[0].time, x.events[len(x.events)-1].time
	if d := last.Sub(first); d > 0 {
		within = say.T("correlation.within", say.Values{"span": length(d)})
	}
	return say.T("correlation", say.Values{
		"least": least, "what": x.what(), "whose": x.whose(), "within": within, "between": between(x.events), "asked": x.asked(), "span": length(x.c.Timespan),
	})
}

// known are fields that a group is told by in a reader's words, by what they are
// of it.
var known = map[string]string{
	"actor_uid": "by", "userIdentity.arn": "by", "protoPayload.authenticationInfo.principalEmail": "by",
	"src_ip": "from", "sourceIPAddress": "from", "protoPayload.requestMetadata.callerIp": "from", "callerIpAddress": "from",
	"resource_uid": "on",
	"account_uid":  "account", "recipientAccountId": "account",
	"resource.labels.project_id": "project", "subscriptionId": "subscription",
	"region": "region", "awsRegion": "region",
}

// whose says of what group it is, by whom and from where. Every value of the
// group is named, so that findings of two groups read differently.
func (x *gathered) whose() say.Text {
	parts := say.Values{"with": "", "by": "", "from": "", "on": "", "account": "", "project": "", "subscription": "", "region": ""}
	var other []string
	for i, field := range x.c.GroupBy {
		value := shortened(x.f.Group[i])
		part := known[field]
		if part == "" || value == "" || parts[part] != "" {
			other = append(other, fmt.Sprintf("%s %q", field, value))
			continue
		}
		said := say.Plain(value)
		if names := x.spread.names(); part == "by" && len(names) == 1 {
			who := about.Whom(names[0])
			if said = who; !strings.HasSuffix(" "+names[0], " "+value) {
				said = say.T("correlation.named", say.Values{"who": who, "uid": value})
			}
		}
		parts[part] = partOf(part, said)
	}
	if len(other) > 0 {
		parts["with"] = say.T("correlation.with", say.Values{"fields": other})
	}
	if parts["by"] == "" {
		parts["by"] = of("by", x.spread.names(), "principals")
	}
	if parts["from"] == "" {
		parts["from"] = of("from", x.spread.addresses.sorted(), "addresses")
	}
	return say.T("correlation.whose", parts)
}

// partOf says by whom, from where, or in what it was.
func partOf(part string, value say.Text) say.Text {
	return say.T("whose."+part, say.Values{"value": value})
}

// of names what there is only one of, and counts and names what there are
// several of.
func of(part string, all []string, what string) say.Text {
	switch len(all) {
	case 0:
		return say.Text{}
	case 1:
		return partOf(part, about.Whom(all[0]))
	}
	return partOf(part, say.T("correlation.several", say.Values{"some": several(len(all), what), "names": named(all)}))
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
func (x *gathered) what() say.Text {
	value := number(x.f.Value)
	events := say.T("correlation.events", say.Values{"n": len(x.events)})
	of := events
	if len(x.members) == 1 {
		of = say.T("correlation.times", say.Values{"n": len(x.events), "title": x.members[0]})
	}
	field := ""
	if x.c.Condition != nil {
		field = strings.Join(x.c.Condition.Fields, ", ")
	}
	switch x.c.Type {
	case sigma.ValueCount:
		return say.T("correlation.values", say.Values{"value": value, "field": field, "of": of})
	case sigma.ValueSum:
		return say.T("correlation.sum", say.Values{"value": value, "field": field, "of": of})
	case sigma.ValueAvg:
		return say.T("correlation.avg", say.Values{"value": value, "field": field, "of": of})
	case sigma.ValueMedian, sigma.ValuePercentile:
		measure := strings.ReplaceAll(strings.TrimPrefix(string(x.c.Type), "value_"), "_", " ")
		return say.T("correlation.measure", say.Values{"measure": measure, "value": value, "field": field, "of": of})
	case sigma.Temporal:
		return say.T("correlation.all", say.Values{"titles": say.Each(x.members...), "events": events})
	case sigma.TemporalOrdered:
		return say.T("correlation.ordered", say.Values{"titles": say.Each(x.members...), "events": events})
	}
	return of
}

// asked is the condition as the rule has it.
func (x *gathered) asked() say.Text {
	c := x.c
	switch {
	case c.Extended.Text != "":
		return say.Plain(c.Extended.Text)
	case c.Condition == nil && c.Type == sigma.TemporalOrdered:
		return say.T("correlation.order", say.Values{"n": len(c.Correlation.Rules)})
	case c.Condition == nil:
		return say.T("correlation.rules", say.Values{"n": len(c.Correlation.Rules)})
	}
	return say.Plain(c.Condition.String())
}

// titled is the title of a rule within a sentence.
func titled(m *sigma.Meta) say.Text {
	return say.T("correlation.title", say.Values{"title": say.OfRule(m.Key(), m.Title)})
}

// between says from when to when events are, in UTC.
func between(events []*fact) say.Text {
	first, last := events[0].time.UTC(), events[len(events)-1].time.UTC()
	switch {
	case first.Format(time.DateOnly) != last.Format(time.DateOnly):
		return say.T("between.days", say.Values{"from": first, "to": last})
	case first.Truncate(time.Second) != last.Truncate(time.Second):
		return say.T("between.day", say.Values{"from": first, "to": last})
	}
	return say.T("between.at", say.Values{"from": first})
}

// length is a duration as people write it: 1h, 4m, 3m52s, 2d.
func length(d time.Duration) say.Text {
	if d < time.Second {
		return say.T("span.instant", nil)
	}
	return say.T("span", say.Values{"seconds": d.Truncate(time.Second).Seconds()})
}

func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// several is "12 accounts", or "at least 1000 accounts" where no more are told
// apart.
func several(n int, what string) say.Text {
	if n >= maxDifferent {
		return say.T("some."+what+".least", say.Values{"n": n})
	}
	return say.T("some."+what, say.Values{"n": n})
}

func named(all []string) []any {
	if len(all) <= maxNamed+1 {
		return say.List(all, len(all))
	}
	return say.List(all, maxNamed)
}

func uids(events []*fact) []event.UID {
	out := make([]event.UID, 0, min(len(events), maxEvidence))
	for _, e := range events[:min(len(events), maxEvidence)] {
		out = append(out, e.uid)
	}
	return out
}
