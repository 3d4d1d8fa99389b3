package rule

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/yagura-sec/yagura/detect/about"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/say"
	"github.com/yagura-sec/yagura/sigma/match"
)

// A finding shows so many facts, and its first sentence so many of them.
const (
	maxReasons = 20
	maxSaid    = 3
)

// reasons puts an explanation into a sentence with its values, and then every
// fact that it rests on.
func reasons(e *event.Event, explained match.Explanation) []finding.Reason {
	facts := gather(explained.Facts())
	evidence := []event.UID{e.UID}
	var said []any
	var out []finding.Reason
	for i, f := range facts {
		if i == maxReasons {
			out = append(out, finding.Reason{Kind: "more", Text: say.T("rule.more", say.Values{"n": len(facts) - i})})
			break
		}
		out = append(out, finding.Reason{
			Kind: f.kind(), Text: f.sentence(), Observed: say.Plain(f.observed()), Expected: f.expected(), Evidence: evidence,
		})
		// The service is in the first half of the sentence already.
		if !f.Negated && (f.observed() != e.APIService || e.APIService == "") {
			said = append(said, f.sentence())
		}
	}
	if len(said) > maxSaid {
		said = append(said[:maxSaid], float64(len(said)-maxSaid))
	}
	text := about.Subject(e)
	if len(said) > 0 {
		text = say.T("rule.match.facts", say.Values{"subject": text, "facts": said})
	}
	summary := finding.Reason{Kind: "match", Text: text, Evidence: evidence}
	if e.ActorUID == "" && e.SrcIP != "" {
		out = append(out, about.Unnamed(e.SrcIP, evidence))
	}
	return append([]finding.Reason{summary}, out...)
}

// fact is one or more answers about one item of a rule.
type fact struct {
	match.Fact
	patterns []string // as written
}

// gather joins the facts of an item: a list of forty excluded names is one fact.
func gather(facts []match.Fact) []fact {
	var out []fact
	for _, f := range facts {
		if n := len(out); n > 0 && out[n-1].Search == f.Search && out[n-1].Key == f.Key && out[n-1].Negated == f.Negated && f.Key != "" {
			out[n-1].patterns = append(out[n-1].patterns, f.Pattern)
			continue
		}
		out = append(out, fact{f, []string{f.Pattern}})
	}
	return out
}

func (f fact) kind() string {
	switch {
	case f.Negated:
		return "exclusion" // what would have kept the rule quiet, and was not there
	case f.Field == "":
		return "keyword"
	}
	return "field"
}

// expected is what the rule asks for, with its modifiers.
func (f fact) expected() say.Text {
	patterns := say.List(f.patterns, maxSaid)
	switch {
	case f.Key == "" && f.Negated:
		return say.T("rule.keywords.not", say.Values{"patterns": patterns})
	case f.Key == "":
		return say.T("rule.keywords", say.Values{"patterns": patterns})
	case f.Negated:
		return say.T("rule.expected.not", say.Values{"field": f.Key, "patterns": patterns})
	}
	return say.T("rule.expected", say.Values{"field": f.Key, "patterns": patterns})
}

// observed is what the record holds.
func (f fact) observed() string { return strings.Join(f.Actual, ", ") }

// sentence says what the record holds under the name of the field.
func (f fact) sentence() say.Text {
	if f.Field == "" {
		pattern := strconv.Quote(f.patterns[0])
		if !f.Held {
			return say.T("rule.nowhere", say.Values{"pattern": pattern})
		}
		return say.T("rule.occurs", say.Values{"pattern": pattern, "value": strconv.Quote(f.observed())})
	}
	switch {
	case len(f.Actual) == 0:
		return say.T("rule.absent", say.Values{"field": f.Field})
	case len(f.Actual) == 1 && f.Actual[0] == "null":
		return say.T("rule.null", say.Values{"field": f.Field})
	case len(f.Actual) == 1:
		return say.T("rule.is", say.Values{"field": f.Field, "value": strconv.Quote(f.Actual[0])})
	}
	return say.T("rule.holds", say.Values{"field": f.Field, "values": fmt.Sprintf("%q", f.Actual)})
}
